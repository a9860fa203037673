//! How everything fares, as one value: the health panel, `doctor` and `limits` show it, and no other truth.
//!
//! The instance that receives puts it together whenever somebody looks, and keeps it in `health.json` in the data folder for other processes: at
//! its start, and then when something has changed, no more often than every two seconds. While nothing happens nothing wakes up for it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;

use super::bounds::{Bound, Bounds, TABLE};
use crate::{
    ingest::{self, ListenAt, ReceiverLine, ReceiverStatus, Receivers},
    model::{Clock, DeviceId, Mishap, MishapKind, Timestamp},
    store::{self, Clocks, Error, Pending, Store, Tally},
};

/// Name of the file within the data folder.
pub const FILE_NAME: &str = "health.json";
/// What the bounds of the quarantine removed, among the counts.
pub(super) const QUARANTINE_PACKETS: &str = "quarantine_packets";
pub(super) const QUARANTINE_SENDERS: &str = "quarantine_senders";
/// Between two times that it is written.
const EVERY: Duration = Duration::from_secs(2);
/// It is filled up to a multiple of this, so that a full disk has room to write it again.
const BLOCK: usize = 4096;

/// How everything fares at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub at: Timestamp,
    /// Since when the instance runs that this is about.
    pub started: Timestamp,
    pub pid: u32,
    pub version: String,
    /// OwnTracks over HTTPS comes last.
    pub receivers: Vec<Receiver>,
    /// Packets received and new positions in each of the sixty whole seconds before `at`, oldest first.
    pub packets_by_second: Vec<u32>,
    pub positions_by_second: Vec<u32>,
    pub queue: Queue,
    pub commits: Commits,
    pub database_bytes: u64,
    pub log_bytes: u64,
    /// What the disk of the data folder has left; `None` where the system does not say.
    pub disk_free_bytes: Option<u64>,
    /// The last time that nothing could be stored.
    pub failure: Option<Failure>,
    /// Packets of adopted devices, and of those nobody adopted.
    pub kept_bytes: u64,
    pub quarantine_bytes: u64,
    pub new_senders: u64,
    /// What was not taken, kept or held open, by reason; those that never happened, too.
    pub counts: Vec<Count>,
    pub limits: Vec<Limit>,
    pub clocks: DeviceClocks,
}

/// How one receiver fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receiver {
    /// `GT06`, `OwnTracks`, `OwnTracks over HTTPS`.
    pub name: String,
    pub state: ReceiverState,
    /// Where it listens, or wants to.
    pub address: Option<String>,
    /// Why it does not.
    pub trouble: Option<String>,
    pub connections: u64,
    pub most_connections: u64,
}

/// What a receiver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiverState {
    Off,
    Starting,
    Listening,
    /// For its port.
    Waiting,
}

/// What is on its way into the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    pub writes: u64,
    pub bytes: u64,
    pub bound_bytes: u64,
}

/// How long transactions took, in microseconds. `None`: there was none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commits {
    pub last_us: Option<u64>,
    /// Of the last minutes.
    pub count: u64,
    pub p50_us: Option<u64>,
    pub p99_us: Option<u64>,
}

/// Writing failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The first of those that followed each other, and the last.
    pub began: Timestamp,
    pub at: Timestamp,
    pub text: String,
    /// Nothing was stored since.
    pub lasts: bool,
    /// Batches that failed since the start.
    pub batches: u64,
}

/// How often something happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub key: String,
    pub title: String,
    pub kind: MishapKind,
    pub since_start: u64,
    pub ever: u64,
    /// The last time since the start.
    pub last: Option<Timestamp>,
}

/// One bound and how near it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub key: String,
    pub title: String,
    /// In the unit of `text`: pieces, bytes or seconds. `None`: no bound.
    pub value: Option<u64>,
    pub text: String,
    /// `default`, `set`, or why it cannot be set.
    pub source: String,
    /// How much of it is in use, where that is a number.
    pub used: Option<u64>,
    pub used_text: Option<String>,
    /// How often it was reached, and when last.
    pub reached: Option<u64>,
    pub last_reached: Option<Timestamp>,
}

/// The clocks of the devices that sent the newest positions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceClocks {
    pub devices: u64,
    /// By more than a minute.
    pub ahead: u64,
    /// By more than ten minutes; they may also send what they measured long ago.
    pub behind: u64,
    pub worst: Vec<DeviceClock>,
}

/// A device whose times are not those of arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceClock {
    pub device: i64,
    pub name: String,
    /// Negative: behind.
    pub ahead_s: i64,
}

impl Health {
    /// The most connections that one receiver has.
    pub fn most_connections(&self) -> u64 {
        self.receivers.iter().map(|receiver| receiver.connections).max().unwrap_or_default()
    }

    /// The connections of all receivers.
    pub fn all_connections(&self) -> u64 {
        self.receivers.iter().map(|receiver| receiver.connections).sum()
    }

    /// How many a second, over the last minute, or since the start where that is less.
    pub fn per_second(&self, by_second: &[u32]) -> f64 {
        let running_s = u32::try_from(self.at.duration_since(self.started).as_secs()).unwrap_or(u32::MAX);
        let seconds = u32::try_from(by_second.len()).unwrap_or(u32::MAX).min(running_s).max(1);
        by_second.iter().map(|n| f64::from(*n)).sum::<f64>() / f64::from(seconds)
    }

    /// What happened of one kind, those that ever did.
    pub fn counted(&self, kind: MishapKind) -> impl Iterator<Item = &Count> {
        self.counts.iter().filter(move |count| count.kind == kind && count.ever > 0)
    }

    /// The health that a running instance last wrote. `None`: there is no file, or it is being written.
    fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(data_dir.join(FILE_NAME)).ok()?).ok()
    }

    /// How the instance fares that receives into this folder, for another process. `None`: none runs, or it has not said yet.
    pub fn beside(data_dir: &Path, clock: &Clock) -> Option<Self> {
        let health = Self::read(data_dir).filter(|_| store::in_use(data_dir))?.aged(clock());
        // What cannot be read is another finding.
        let clocks = Store::view(data_dir, Arc::clone(clock)).and_then(|store| {
            let clocks = store.reader().read(store::clocks).wait();
            store.close();
            clocks
        });
        Some(Self { clocks: clocks.unwrap_or_default().into(), ..health })
    }

    /// As it reads later, when nothing came since: it would have been written again.
    fn aged(mut self, now: Timestamp) -> Self {
        let passed = usize::try_from(now.duration_since(self.at).as_secs()).unwrap_or_default();
        for by_second in [&mut self.packets_by_second, &mut self.positions_by_second] {
            let seconds = by_second.len();
            by_second.drain(..passed.min(seconds));
            by_second.resize(seconds, 0);
        }
        self
    }
}

impl Limit {
    /// The part of it that is in use, 0 to 1 and above.
    #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
    pub fn share(&self) -> Option<f64> {
        Some(self.used? as f64 / self.value.filter(|value| *value > 0)? as f64)
    }
}

/// Keeps the health of a receiving instance at hand.
pub(super) struct Keeper {
    data_dir: PathBuf,
    clock: Clock,
    /// `None` where this instance only looks on.
    gauges: Option<Arc<Gauges>>,
    stop: CancellationToken,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// Everything that health is read from.
struct Gauges {
    store: store::Gauge,
    receivers: Option<ingest::Gauge>,
    tally: Arc<Tally>,
    bounds: Bounds,
    clock: Clock,
    started: Timestamp,
    data_dir: PathBuf,
    /// What the quarantine had dropped when this instance started.
    dropped: (u64, u64),
}

impl Keeper {
    pub(super) fn start(
        runtime: &Runtime,
        store: &Store,
        receivers: Option<&Receivers>,
        bounds: Bounds,
        clock: &Clock,
        data_dir: &Path,
    ) -> Self {
        let health = store.health();
        let gauges = Arc::new(Gauges {
            store: store.gauge(),
            receivers: receivers.map(Receivers::gauge),
            tally: store.tally(),
            bounds,
            clock: Arc::clone(clock),
            started: clock(),
            data_dir: data_dir.to_owned(),
            dropped: (health.dropped_packets, health.dropped_devices),
        });
        let stop = CancellationToken::new();
        let task = runtime.spawn(keep(Arc::clone(&gauges), stop.clone()));
        let (data_dir, clock) = (data_dir.to_owned(), Arc::clone(clock));
        Self { data_dir, clock, gauges: Some(gauges), stop, task: Some(task) }
    }

    pub(super) fn looking_on(data_dir: &Path, clock: &Clock) -> Self {
        let (data_dir, clock) = (data_dir.to_owned(), Arc::clone(clock));
        Self { data_dir, clock, gauges: None, stop: CancellationToken::new(), task: None }
    }

    /// Puts it together on other threads.
    pub(super) fn ask(&self, handle: &Handle, store: &Store) -> Pending<Health> {
        let (answer, pending) = Pending::pair();
        let (gauges, data_dir, reader) = (self.gauges.clone(), self.data_dir.clone(), store.reader());
        let clock = Arc::clone(&self.clock);
        handle.spawn(async move {
            // A store that cannot answer is no reason to say nothing about it.
            let clocks = reader.read(store::clocks).answered().await.unwrap_or_default();
            let health = on_thread(move || match gauges {
                Some(gauges) => Ok(gauges.read()),
                None => Health::read(&data_dir).map(|health| health.aged(clock())).ok_or_else(not_told),
            });
            let health = health.await.unwrap_or(Err(Error::Closed));
            answer.give(health.map(|health| Health { clocks: clocks.into(), ..health }));
        });
        pending
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Some(task) = self.task {
            // A panic was told already.
            task.await.ok();
        }
    }
}

/// Does something that may wait for the disk on a thread of its own: those of the receivers have other work. `None`: there was no thread.
async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tx, rx) = oneshot::channel();
    let thread = thread::Builder::new().name("health".into()).spawn(move || tx.send(work()).is_ok());
    thread.ok()?;
    rx.await.ok()
}

fn not_told() -> Error {
    Error::Refused("the running instance has not written how it fares yet".to_owned())
}

/// Writes the file when something changed, until it is stopped; then takes it away, for nothing runs that it would be about.
async fn keep(gauges: Arc<Gauges>, stop: CancellationToken) {
    let path = gauges.data_dir.join(FILE_NAME);
    loop {
        let (gauges_now, path_now) = (Arc::clone(&gauges), path.clone());
        let written = on_thread(move || write(&path_now, &gauges_now.read())).await;
        if let Some(Err(error)) = written {
            tracing::debug!(%error, "health cannot be written down");
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(EVERY) => {}
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = gauges.tally.changed() => {}
        }
    }
    fs::remove_file(path).ok();
}

impl Gauges {
    /// Not on the window's thread: it asks the disk.
    fn read(&self) -> Health {
        let store::Health {
            queue_depth,
            queue_bytes,
            queue_bound,
            last_commit,
            file_bytes,
            log_bytes,
            dropped_packets,
            dropped_devices,
            error,
            failure,
            quarantine_bytes,
            new_devices,
            kept_bytes,
            lately,
            ..
        } = self.store.health();
        let store::Lately { commits, packets_by_second, positions_by_second, counted } = lately;
        let failure = failure.map(|failure| Failure {
            began: failure.began,
            at: failure.at,
            text: failure.error.cause(),
            lasts: error.is_some(),
            batches: failure.batches,
        });
        let mut counts: Vec<Count> = counted.iter().map(count).collect();
        let (packets, devices) = self.dropped;
        counts.extend([
            dropped(
                QUARANTINE_PACKETS,
                "packets of senders not adopted, beyond the quarantine",
                dropped_packets,
                packets,
            ),
            dropped(QUARANTINE_SENDERS, "new senders beyond the quarantine", dropped_devices, devices),
        ]);
        let most = self.bounds.ingest.connections;
        let lines = self.receivers.as_ref().map(ingest::Gauge::lines).unwrap_or_default();
        let last = lines.len().saturating_sub(1);
        let mut health = Health {
            at: (self.clock)(),
            started: self.started,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            receivers: lines.iter().enumerate().map(|(n, line)| receiver(line, n == last, most)).collect(),
            packets_by_second,
            positions_by_second,
            queue: Queue { writes: queue_depth as u64, bytes: queue_bytes as u64, bound_bytes: queue_bound as u64 },
            commits: Commits {
                last_us: last_commit.map(micros),
                count: commits.map_or(0, |commits| commits.count),
                p50_us: commits.map(|commits| micros(commits.p50)),
                p99_us: commits.map(|commits| micros(commits.p99)),
            },
            database_bytes: file_bytes,
            log_bytes,
            disk_free_bytes: fs4::available_space(&self.data_dir).ok(),
            failure,
            kept_bytes,
            quarantine_bytes,
            new_senders: new_devices as u64,
            counts,
            limits: Vec::new(),
            clocks: DeviceClocks::default(),
        };
        let mut bounds = self.bounds.clone();
        // It can be changed while we run.
        bounds.store.keep = self.store.keep();
        health.limits = limits(&bounds, Some(&health));
        health
    }
}

/// Every bound; how near it is and how often it was reached, where there is an instance to ask.
pub fn limits(bounds: &Bounds, health: Option<&Health>) -> Vec<Limit> {
    TABLE.iter().map(|bound| limit(bound, bounds, health)).collect()
}

fn limit(bound: &Bound, bounds: &Bounds, health: Option<&Health>) -> Limit {
    let value = bound.value(bounds);
    let used = health.and_then(|health| bound.used.map(|used| used(health)));
    let key = bound.mishap.map(Mishap::key).or(bound.dropped);
    let count = key.and_then(|key| health?.counts.iter().find(|count| count.key == key));
    Limit {
        key: bound.key.to_owned(),
        title: bound.title.to_owned(),
        value,
        text: value.map_or_else(|| "none".to_owned(), |value| bound.unit.text(value)),
        source: bound.source(bounds).to_owned(),
        used,
        used_text: used.map(|used| bound.unit.used_text(used)),
        reached: count.map(|count| count.since_start),
        last_reached: count.and_then(|count| count.last),
    }
}

fn receiver(line: &ReceiverLine, secure: bool, most: usize) -> Receiver {
    let wanted = match line.wanted {
        ListenAt::Off => None,
        ListenAt::Address(at) => Some(at),
    };
    let (state, address, trouble) = match &line.status {
        ReceiverStatus::Off => (ReceiverState::Off, None, None),
        ReceiverStatus::Starting => (ReceiverState::Starting, wanted, None),
        ReceiverStatus::Listening(at) => (ReceiverState::Listening, Some(*at), None),
        ReceiverStatus::Waiting { wanted, error, holder, .. } => {
            let trouble = match holder {
                Some(holder) => format!("{error}, held by {holder}"),
                None => error.clone(),
            };
            (ReceiverState::Waiting, Some(*wanted), Some(trouble))
        }
    };
    let over = if secure { " over HTTPS" } else { "" };
    Receiver {
        name: format!("{}{over}", line.protocol.title()),
        state,
        address: address.map(|at| at.to_string()),
        trouble,
        connections: line.connections as u64,
        most_connections: most as u64,
    }
}

fn count(counted: &store::Counted) -> Count {
    Count {
        key: counted.mishap.key().to_owned(),
        title: counted.mishap.title().to_owned(),
        kind: counted.mishap.kind(),
        since_start: counted.since_start,
        ever: counted.ever,
        last: counted.last,
    }
}

fn dropped(key: &str, title: &str, ever: u64, before: u64) -> Count {
    let since_start = ever.saturating_sub(before);
    Count { key: key.to_owned(), title: title.to_owned(), kind: MishapKind::NotKept, since_start, ever, last: None }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl From<Clocks> for DeviceClocks {
    fn from(clocks: Clocks) -> Self {
        let worst = clocks.worst.into_iter().map(|off| {
            let DeviceId(device) = off.device;
            DeviceClock { device, name: off.name, ahead_s: off.ahead_ms / 1000 }
        });
        Self {
            devices: clocks.devices as u64,
            ahead: clocks.ahead as u64,
            behind: clocks.behind as u64,
            worst: worst.collect(),
        }
    }
}

/// Writes the file for its owner alone: the old one or the new one is there, never half of one. On a full disk it is written over in place, for that
/// is when somebody looks.
fn write(path: &Path, health: &Health) -> io::Result<()> {
    let mut text = serde_json::to_vec(health).map_err(io::Error::other)?;
    text.push(b'\n');
    text.resize(text.len().next_multiple_of(BLOCK), b' ');
    let part = path.with_extension("json.part");
    match private(&part, true).and_then(|mut file| file.write_all(&text)).and_then(|()| fs::rename(&part, path)) {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            fs::remove_file(&part).ok();
            let mut file = private(path, false)?;
            file.write_all(&text)?;
            file.set_len(text.len() as u64)
        }
        done => done,
    }
}

fn private(path: &Path, truncate: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(truncate);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
