//! A capture is sent again: the device's side of it, over real sockets, and what comes back is held against what came back then.
//!
//! One task reads on in order of the capture. A thread reads the file ahead of it, as far as a bounded queue lets it.
//!
//! | module | is |
//! |---|---|
//! | `link` | one connection |
//! | `tale` | how it went |
//! | `parse` | where to, how fast and under which name, as a person types it |
//! | `beside` | a replay beside everything else that a [`super::Backend`] does |

mod beside;
mod link;
mod parse;
mod tale;

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Cursor, Read, Seek as _},
    ops::ControlFlow,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

pub use beside::{Replaying, Whole};
pub use tale::{Odd, Tale};

use super::{capture::CaptureSource, demo::HttpUrl, signal::StopSignal};
use crate::{
    capture::{
        Item, Place, Record,
        read::{Ended, Ground, HEAD_BYTES, Kind, read, sniff},
    },
    model::{Direction, Protocol, Timestamp},
};
use link::Link;

/// Items that are read ahead.
const READ_AHEAD: usize = 1_024;
/// How long answers are waited for: at the end, and of each frame when it goes as fast as acknowledged.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// In a pause, answers are taken in and told so often.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// Longest pause that is waited for, so that a file whose clock leaps does not wait for years.
const LONGEST_PAUSE_S: f64 = 86_400.0;

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// So many times as fast as it was.
    Times(f64),
    /// Without a pause.
    Max,
    /// Each frame when the one before it was answered.
    Acknowledged,
}

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `host:port` of a receiver of GT06.
    Gt06(String),
    /// A receiver of OwnTracks.
    OwnTracks(HttpUrl),
}

impl Target {
    /// What it takes.
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Gt06(_) => Protocol::Gt06,
            Self::OwnTracks(_) => Protocol::OwnTracks,
        }
    }
}

/// Under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The IMEI that is replaced; `None`: every one.
    pub old: Option<String>,
    /// 15 digits.
    pub new: String,
}

/// What to send again.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayJob {
    pub source: CaptureSource,
    pub to: Target,
    pub speed: Speed,
    pub rename: Option<Rename>,
}

/// Why nothing more was sent.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("cannot read {name}: {source}")]
    Read { name: String, source: io::Error },
    #[error("{name} is no capture: {why}")]
    NoCapture { name: String, why: String },
    #[error(
        "cannot connect to {address}: {source}; start a receiver there (`wayglass serve`) or name another with --to"
    )]
    Connect { address: String, source: io::Error },
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
}

/// Sends a capture until its end, or until the system asks to stop. `told` hears how far it is.
pub fn run(job: &ReplayJob, now: Timestamp, told: impl FnMut(&Tale)) -> Result<Tale, ReplayError> {
    let runtime = super::runtime().map_err(ReplayError::Runtime)?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let mut signal = StopSignal::new().map_err(ReplayError::Runtime)?;
        let stopped = async {
            signal.received().await;
            stop.cancel();
            std::future::pending().await
        };
        tokio::select! {
            replayed = replay(job, now, stop.clone(), told) => replayed,
            never = stopped => never,
        }
    })
}

/// Sends a capture until its end, or until `stop`.
pub async fn replay(
    job: &ReplayJob,
    now: Timestamp,
    stop: CancellationToken,
    mut told: impl FnMut(&Tale),
) -> Result<Tale, ReplayError> {
    let mut items = read_ahead(open(&job.source)?);
    let mut player = Player { job, now, links: HashMap::new(), tale: Tale::default(), first: None };
    loop {
        let item = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            item = items.recv() => item,
        };
        match item {
            None => break,
            Some(Err(source)) => return Err(ReplayError::Read { name: called(&job.source), source }),
            Some(Ok(item)) => player.item(item, &stop, &mut told).await?,
        }
        told(&player.tale);
    }
    player.finish().await;
    told(&player.tale);
    Ok(player.tale)
}

type Items = mpsc::Receiver<io::Result<Item>>;

/// A capture of which nothing but the beginning was read.
struct Open {
    kind: Kind,
    input: Box<dyn Read + Send>,
    ground: Ground,
}

fn open(source: &CaptureSource) -> Result<Open, ReplayError> {
    let failed = |error| ReplayError::Read { name: called(source), source: error };
    let (head, input, path): (Vec<u8>, Box<dyn Read + Send>, _) = match source {
        CaptureSource::File(path) | CaptureSource::Dropped(path) => {
            let mut file = File::open(path).map_err(failed)?;
            let mut head = Vec::new();
            file.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(failed)?;
            file.rewind().map_err(failed)?;
            (head, Box::new(file), Some(path.clone()))
        }
        CaptureSource::Pasted(text) => {
            let head = text.as_bytes().get(..text.len().min(HEAD_BYTES)).unwrap_or_default().to_vec();
            (head, Box::new(Cursor::new(text.as_bytes().to_vec())), None)
        }
    };
    let kind = sniff(&head).map_err(|why| ReplayError::NoCapture { name: called(source), why: why.to_string() })?;
    Ok(Open { kind, input, ground: Ground { path, ..Ground::default() } })
}

/// What a capture is called where something is wrong with it.
fn called(source: &CaptureSource) -> String {
    match source {
        CaptureSource::File(path) | CaptureSource::Dropped(path) => path.display().to_string(),
        CaptureSource::Pasted(_) => "what was pasted".to_owned(),
    }
}

/// Reads a capture on a thread of its own.
fn read_ahead(open: Open) -> Items {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    std::thread::spawn(move || {
        // Who no longer listens wants no more.
        let mut each = |item| match sender.blocking_send(Ok(item)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let Open { kind, input, ground } = open;
        let error = match read(kind, input, &ground, &mut |_| (), &mut each) {
            Err(error) => error,
            Ok(Ended::Broken { why, .. }) => io::Error::new(io::ErrorKind::InvalidData, why),
            Ok(Ended::Whole | Ended::Stopped) => return,
        };
        sender.blocking_send(Err(error)).ok();
    });
    receiver
}

struct Player<'a> {
    job: &'a ReplayJob,
    now: Timestamp,
    links: HashMap<u64, Link>,
    tale: Tale,
    /// When the first record was, and when it was sent again.
    first: Option<(Timestamp, Instant)>,
}

impl Player<'_> {
    async fn item(
        &mut self,
        item: Item,
        stop: &CancellationToken,
        told: &mut impl FnMut(&Tale),
    ) -> Result<(), ReplayError> {
        match item {
            Item::Record(record) if record.protocol != self.job.to.protocol() => {
                self.tale.others += u64::from(record.direction == Direction::In);
            }
            Item::Record(record) => match record.direction {
                Direction::In => {
                    self.wait_for(record.at, stop, told).await;
                    if !stop.is_cancelled() {
                        self.tale.taken += 1;
                        self.tale.at = record.at.or(self.tale.at);
                        self.send(record).await?;
                    }
                }
                Direction::Out => {
                    if let Some(link) = self.links.get_mut(&record.connection) {
                        link.expect(&record.bytes);
                    }
                }
            },
            Item::Closed { connection, at, .. } => {
                self.wait_for(at, stop, told).await;
                if let Some(mut link) = self.links.remove(&connection) {
                    link.send_rest(self.now, &mut self.tale).await;
                    link.settle(Instant::now() + ANSWER_WITHIN, &mut self.tale).await;
                    link.tell(&mut self.tale);
                }
            }
            Item::Passed { .. } => {}
            Item::Rejected { place, why } => self.tale.rejected(place, &why.text),
        }
        Ok(())
    }

    /// Waits until it is time, and takes in what is answered meanwhile.
    async fn wait_for(&mut self, at: Option<Timestamp>, stop: &CancellationToken, told: &mut impl FnMut(&Tale)) {
        let (Speed::Times(times), Some(at)) = (self.job.speed, at) else { return };
        let (first, begun) = *self.first.get_or_insert_with(|| (at, Instant::now()));
        let after_s = (at.duration_since(first).as_secs_f64() / times).clamp(0.0, LONGEST_PAUSE_S);
        let end = begun + Duration::from_secs_f64(after_s);
        while Instant::now() < end {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep_until(end.min(Instant::now() + TELL_EVERY)) => {}
            }
            for link in self.links.values_mut() {
                link.hear_now(&mut self.tale);
            }
            told(&self.tale);
        }
    }

    async fn send(&mut self, record: Record) -> Result<(), ReplayError> {
        match &self.job.to {
            Target::Gt06(address) => {
                let known = self.links.contains_key(&record.connection);
                if !known {
                    match Link::open(address, record.connection).await {
                        Ok(link) => drop(self.links.insert(record.connection, link)),
                        Err(source) if self.tale.sent == 0 => {
                            return Err(ReplayError::Connect { address: address.clone(), source });
                        }
                        Err(error) => {
                            self.tale.broken(record.connection, record.place, &error);
                            return Ok(());
                        }
                    }
                }
                let Some(link) = self.links.get_mut(&record.connection) else { return Ok(()) };
                link.send(&record, self.job.rename.as_ref(), self.now, &mut self.tale).await;
                if self.job.speed == Speed::Acknowledged {
                    link.settle(Instant::now() + ANSWER_WITHIN, &mut self.tale).await;
                }
            }
            Target::OwnTracks(url) => {
                let answered = link::post(url, &record, ANSWER_WITHIN).await;
                self.tale.posted(&record, url, answered)?;
            }
        }
        Ok(())
    }

    /// Waits for what is not answered yet, all together not longer than for one.
    async fn finish(&mut self) {
        let end = Instant::now() + ANSWER_WITHIN;
        let mut links: Vec<_> = self.links.drain().collect();
        links.sort_unstable_by_key(|(connection, _)| *connection);
        for (_, mut link) in links {
            link.send_rest(self.now, &mut self.tale).await;
            link.settle(end, &mut self.tale).await;
            link.tell(&mut self.tale);
        }
    }
}

/// A place in a capture, in words.
fn words(place: Place) -> String {
    match place {
        Place::Line(line) => format!("line {line}"),
        Place::Frame(frame) => format!("packet {frame}"),
    }
}
