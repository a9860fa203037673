//! Taps: listeners beside our own that overhear trackers which talk with somebody else's server, and never answer.
//!
//! | mode | what happens to a connection |
//! |---|---|
//! | [`TapMode::Pass`] | its bytes go on to another server and that one's come back, at once and unchanged, whether or not we understand them |
//! | [`TapMode::Copy`] | its bytes are a copy that another server sends (Traccar's `server.forward`); nothing is ever said back |
//!
//! ```text
//! tracker <──> pass (two pumps) <──> the other server
//!                │ hears every byte before it goes on, and waits for nobody
//!                v
//!              Tape (bounded) ──> Scribe ──> Witness ──> store
//! ```
//!
//! The other server's service comes first: a store that is full or slow holds no byte up. What has no room on the tape is passed on and not
//! recorded, which is counted and said beside the next packet that is.

mod dial;
mod gauge;
mod line;
mod scribe;
mod tape;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{net::TcpListener, sync::watch};

use super::{
    Counts, ListenAt, Receiver, ReceiverLine, ReceiverStatus, Site,
    supervise::{self, What},
    tcp,
};
use crate::wire::Line;
pub use gauge::{TapTraffic, Upstream};

/// A tap as it is set up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tap {
    /// Tells it from others: in the settings, in the window, beside packets.
    pub name: String,
    pub listen: ListenAt,
    pub mode: TapMode,
}

/// What a tap does with a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TapMode {
    /// Passes it on to this server, `host:port`.
    Pass { to: String },
    /// Takes it as a copy of what trackers tell another server.
    Copy,
}

impl fmt::Display for TapMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass { to } => write!(f, "passes on to {to}"),
            Self::Copy => f.write_str("takes a copy"),
        }
    }
}

/// How a tap fares.
#[derive(Debug, Clone, PartialEq)]
pub struct TapLine {
    pub tap: Tap,
    pub line: ReceiverLine,
    /// The server that it passes on to; of a copy nothing is known.
    pub upstream: Upstream,
    pub traffic: TapTraffic,
}

/// A tap that runs, as its connections see it.
pub(super) struct Running {
    pub(super) name: Arc<str>,
    /// A connection ends when this changes.
    mode: watch::Sender<TapMode>,
    gauge: gauge::Gauge,
    /// Set before its connections are told to end.
    removed: AtomicBool,
    /// All taps: none passes on to another, let alone to itself.
    all: Weak<Mutex<Vec<Open>>>,
}

impl Running {
    /// Its connections end because it was removed, not because the program does.
    fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }
}

/// All taps. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Taps(Arc<Mutex<Vec<Open>>>);

/// A tap and its listener.
struct Open {
    running: Arc<Running>,
    receiver: Receiver,
    /// Ends it alone.
    stop: tokio_util::sync::CancellationToken,
}

impl Taps {
    /// Starts a tap; one of this name is changed in place: where it listens, without a word to those who are connected; what it does with
    /// connections, which ends those that are open. Trackers dial again.
    pub(super) fn set(&self, tap: Tap, site: &Site) {
        let mut open = self.lock();
        if let Some(known) = open.iter().find(|open| *open.running.name == *tap.name) {
            known.receiver.wanted.send_if_modified(|at| std::mem::replace(at, tap.listen) != tap.listen);
            known.running.mode.send_if_modified(|mode| std::mem::replace(mode, tap.mode.clone()) != tap.mode);
            return;
        }
        let stop = site.stop.child_token();
        let site = Site { stop: stop.clone(), ..site.clone() };
        let running = Arc::new(Running {
            name: tap.name.into(),
            mode: watch::Sender::new(tap.mode),
            gauge: gauge::Gauge::default(),
            removed: AtomicBool::new(false),
            all: Arc::downgrade(&self.0),
        });
        let receiver = supervise::start(What::Tap(Arc::clone(&running)), tap.listen, &site);
        open.push(Open { running, receiver, stop });
    }

    /// Ends a tap and its connections.
    pub(super) fn remove(&self, name: &str) {
        self.lock().retain(|open| {
            let goes = *open.running.name == *name;
            if goes {
                open.running.removed.store(true, Ordering::Relaxed);
                open.stop.cancel();
            }
            !goes
        });
    }

    /// Tries a tap that waits for its port again at once.
    pub(super) fn retry(&self, name: &str) {
        for open in self.lock().iter().filter(|open| *open.running.name == *name) {
            open.receiver.retry.notify_one();
        }
    }

    /// How each fares.
    pub(super) fn lines(&self) -> Vec<TapLine> {
        self.lock().iter().map(Open::line).collect()
    }

    /// Waits until every tap is bound, off, or has failed to bind.
    pub(super) async fn settled(&self) {
        let all: Vec<_> = self.lock().iter().map(|open| open.receiver.status.clone()).collect();
        for mut status in all {
            status.wait_for(|s| !matches!(s, ReceiverStatus::Starting)).await.ok();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Open>> {
        // Nothing that is done under this lock leaves half a thought behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// True where a tap listens at this port.
    fn is_one_of_ours(&self, port: u16) -> bool {
        let Some(all) = self.all.upgrade() else { return false };
        let at =
            |open: &Open| matches!(*open.receiver.status.borrow(), ReceiverStatus::Listening(at) if at.port() == port);
        Taps(all).lock().iter().any(at)
    }
}

impl Open {
    fn line(&self) -> TapLine {
        let line = self.receiver.line();
        let tap =
            Tap { name: self.running.name.to_string(), listen: line.wanted, mode: self.running.mode.borrow().clone() };
        let (upstream, traffic) = self.running.gauge.read();
        TapLine { tap, line, upstream, traffic }
    }
}

/// Accepts for ever.
pub(super) async fn accept_all(listener: TcpListener, running: &Arc<Running>, site: &Site, counts: &Counts) {
    tcp::accept_each(listener, site, counts, |stream, peer, held, guest, site| {
        let line = Line { peer: peer.to_string().into(), connection: site.new_connection() };
        let (connection, guest) = (line.connection, Arc::new(guest));
        site.ends.made(connection, &line.peer, Some((site.clock)()));
        let (mode, running) = (running.mode.subscribe(), Arc::clone(running));
        let (ear, tape) = tape::new(&site, &running);
        let scribe = scribe::Scribe::new(site.clone(), Arc::clone(&running), Arc::clone(&guest), line);
        site.tasks.spawn(scribe.write(tape));
        let tasks = site.tasks.clone();
        tasks.spawn(async move {
            let end = line::attend(stream, mode, &ear, &guest, &running, &site).await;
            tracing::debug!(%peer, tap = %running.name, %end, "connection of a tap ended");
            site.ends.ended(connection, end.told((site.clock)()));
            // What it said may still be on its way into the store, and then who writes that down writes down how it ended. Its place is free.
            guest.is_known();
            drop((ear, held));
            (site.wake)();
            match end.mishap() {
                Some(mishap) => site.tally.count(mishap),
                None => site.tally.stir(),
            }
        });
    })
    .await;
}
