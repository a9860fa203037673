//! How everything fares, as one value: the health panel, `doctor` and `limits` show it, and no other truth.
//!
//! The instance that receives puts it together whenever somebody looks, and keeps it in `health.json` in the data folder for other processes: at
//! its start, and then when something has changed, no more often than every two seconds. While nothing happens nothing wakes up for it.

mod keeper;

use std::{fs, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};

use super::bounds::{Bound, Bounds, TABLE};
use crate::{
    model::{Clock, DeviceId, Mishap, MishapKind, Timestamp},
    store::{self, Clocks, Store},
};
pub(super) use keeper::Keeper;

/// Name of the file within the data folder.
pub const FILE_NAME: &str = "health.json";
/// What the bounds of the quarantine removed, among the counts.
pub(super) const QUARANTINE_PACKETS: &str = "quarantine_packets";
pub(super) const QUARANTINE_SENDERS: &str = "quarantine_senders";

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
    /// An older instance does not tell.
    #[serde(default)]
    pub taps: Vec<Tapped>,
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
    /// Requests of phones that are remembered for whoever pairs one; older ones have made room.
    #[serde(default)]
    pub visits: u64,
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

/// How one tap fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tapped {
    pub receiver: Receiver,
    /// `host:port` of the server that it passes on to; `None`: it takes a copy.
    pub to: Option<String>,
    /// Whether that server took the last connection; `None`: nobody was to be passed on yet.
    pub reached: Option<bool>,
    /// When that was, and why it did not.
    pub dialled: Option<Timestamp>,
    pub trouble: Option<String>,
    /// Bytes of trackers, and of the server, since the start.
    pub heard_bytes: u64,
    pub answered_bytes: u64,
    /// Packets that were stored, since the start and in the last minute.
    pub packets: u64,
    pub packets_in_a_minute: u32,
    /// Bytes that went through and are not in the store.
    pub not_recorded_bytes: u64,
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
        self.all_receivers().map(|receiver| receiver.connections).max().unwrap_or_default()
    }

    /// The connections of all receivers.
    pub fn all_connections(&self) -> u64 {
        self.all_receivers().map(|receiver| receiver.connections).sum()
    }

    fn all_receivers(&self) -> impl Iterator<Item = &Receiver> {
        self.receivers.iter().chain(self.taps.iter().map(|tap| &tap.receiver))
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
