//! Puts the health of a receiving instance together, and keeps it in a file for other processes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;

use super::{
    Commits, Count, DeviceClocks, FILE_NAME, Failure, Health, QUARANTINE_PACKETS, QUARANTINE_SENDERS, Queue, Receiver,
    ReceiverState, Tapped, limits,
};
use crate::{
    backend::bounds::Bounds,
    ingest::{self, ListenAt, ReceiverLine, ReceiverStatus, Receivers, TapLine, TapMode, Upstream},
    model::{Clock, MishapKind, Timestamp},
    store::{self, Error, Pending, Store, Tally},
};

/// Between two times that the file is written.
const EVERY: Duration = Duration::from_secs(2);
/// It is filled up to a multiple of this, so that a full disk has room to write it again.
const BLOCK: usize = 4096;

/// Keeps the health of a receiving instance at hand.
pub(in crate::backend) struct Keeper {
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
    pub(in crate::backend) fn start(
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

    pub(in crate::backend) fn looking_on(data_dir: &Path, clock: &Clock) -> Self {
        let (data_dir, clock) = (data_dir.to_owned(), Arc::clone(clock));
        Self { data_dir, clock, gauges: None, stop: CancellationToken::new(), task: None }
    }

    /// Puts it together on other threads.
    pub(in crate::backend) fn ask(&self, handle: &Handle, store: &Store) -> Pending<Health> {
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

    pub(in crate::backend) async fn stop(self) {
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
        let taps = self.receivers.as_ref().map(ingest::Gauge::taps).unwrap_or_default();
        let last = lines.len().saturating_sub(1);
        let mut health = Health {
            at: (self.clock)(),
            started: self.started,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            receivers: lines.iter().enumerate().map(|(n, line)| receiver(line, n == last, most)).collect(),
            taps: taps.iter().map(|tap| tapped(tap, most)).collect(),
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
            visits: self.receivers.as_ref().map_or(0, ingest::Gauge::visits) as u64,
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

fn tapped(line: &TapLine, most: usize) -> Tapped {
    let TapLine { tap, line, upstream, traffic } = line;
    let to = match &tap.mode {
        TapMode::Pass { to } => Some(to.clone()),
        TapMode::Copy => None,
    };
    let (reached, dialled, trouble) = match upstream {
        Upstream::Unknown => (None, None, None),
        Upstream::Reached { at } => (Some(true), Some(*at), None),
        Upstream::Failed { at, why } => (Some(false), Some(*at), Some(why.clone())),
    };
    Tapped {
        receiver: Receiver { name: format!("Tap {}", tap.name), ..receiver(line, false, most) },
        to,
        reached,
        dialled,
        trouble,
        heard_bytes: traffic.heard_bytes,
        answered_bytes: traffic.answered_bytes,
        packets: traffic.packets,
        packets_in_a_minute: traffic.packets_in_a_minute,
        not_recorded_bytes: traffic.not_recorded_bytes,
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
