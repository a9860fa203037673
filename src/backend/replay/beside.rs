//! A replay beside everything else that a backend does: it is looked at, and stopped, without waiting.

use std::{
    ops::ControlFlow,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use tokio::sync::watch as signal;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{CaptureSource, Open, ReplayError, ReplayJob, Tale, Target, open, replay};
use crate::{
    backend::{Access, Backend, Pending},
    capture::{Item, read::read},
    model::{Direction, Protocol, Timestamp},
    store::Error,
};

/// Between two reports of how far it is.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// All that there is to send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Whole {
    /// As [`Tale::taken`] counts.
    pub records: u64,
    /// When the first and the last of them were, by the capture.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// A replay that is under way; dropping it ends it.
pub struct Replaying {
    stop: CancellationToken,
    _ends: DropGuard,
    tale: signal::Receiver<Arc<Tale>>,
    whole: Arc<OnceLock<Whole>>,
    answer: Pending<Result<Tale, ReplayError>>,
}

impl Replaying {
    /// How far it is.
    pub fn tale(&self) -> Arc<Tale> {
        Arc::clone(&self.tale.borrow())
    }

    /// All that there is; `None` until that is counted.
    pub fn whole(&self) -> Option<Whole> {
        self.whole.get().copied()
    }

    /// Sends nothing more; answers to what was sent are still waited for.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// True where it was told to stop.
    pub fn stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// How it ended, once.
    pub fn ended(&mut self) -> Option<Result<Result<Tale, ReplayError>, Error>> {
        self.answer.poll()
    }
}

impl Backend {
    /// Sends a capture again. `own`: to a receiver of ours, which is told the credentials that are set for this computer; nobody else is.
    pub fn replay(&self, mut job: ReplayJob, own: bool) -> Replaying {
        if let (Target::OwnTracks(url), true) = (&job.to, own) {
            let credentials = Access::from_environment().credentials;
            job.to = Target::OwnTracks(url.clone().or_credentials(credentials.as_deref()));
        }
        let (stop, whole) = (CancellationToken::new(), Arc::<OnceLock<Whole>>::default());
        let (source, protocol, counted) = (job.source.clone(), job.to.protocol(), Arc::clone(&whole));
        let enough = stop.clone();
        self.runtime.spawn_blocking(move || {
            if let Some(found) = count(&source, protocol, &enough) {
                // Nobody else counts.
                counted.set(found).ok();
            }
        });
        let (teller, tale) = signal::channel(Arc::default());
        let (answer, pending) = Pending::pair();
        let (stopped, now) = (stop.clone(), (self.clock)());
        self.runtime.spawn(async move {
            let mut told = Instant::now();
            let replayed = replay(&job, now, stopped, |tale| {
                if told.elapsed() >= TELL_EVERY {
                    told = Instant::now();
                    teller.send_replace(Arc::new(tale.clone()));
                }
            });
            answer.give(Ok(replayed.await));
        });
        Replaying { _ends: stop.clone().drop_guard(), stop, tale, whole, answer: pending }
    }
}

/// Reads all of a capture, to say how much of it is to be sent. `None` where it was stopped before, or cannot be read: the replay says why.
fn count(source: &CaptureSource, protocol: Protocol, stop: &CancellationToken) -> Option<Whole> {
    let Open { kind, input, ground } = open(source).ok()?;
    let mut whole = Whole::default();
    let mut each = |item| {
        if let Item::Record(record) = item
            && (record.protocol, record.direction) == (protocol, Direction::In)
        {
            whole.records += 1;
            whole.span = match (whole.span, record.at) {
                (span, None) => span,
                (None, Some(at)) => Some((at, at)),
                (Some((first, last)), Some(at)) => Some((first, last.max(at))),
            };
        }
        if stop.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    read(kind, input, &ground, &mut |_| (), &mut each).ok()?;
    (!stop.is_cancelled()).then_some(whole)
}
