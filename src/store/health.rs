//! How the store fares: what the health panel and `doctor` show.

use std::time::Duration;

use super::{CommitTimes, Error, Repaired, tally::Counted};
use crate::model::Timestamp;

/// A look at the store at one moment.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Writes that wait for the writer.
    pub queue_depth: usize,
    /// Bytes that those and the batch in work hold, of [`super::Limits::queue_bytes`].
    pub queue_bytes: usize,
    pub queue_bound: usize,
    /// How long the last transaction took, from its begin to the end of its commit.
    pub last_commit: Option<Duration>,
    /// Packets written since the store was opened, replies included.
    pub packets_written: u64,
    /// Positions written since the store was opened, without those that were there already.
    pub positions_written: u64,
    /// Size in bytes of the database file, and of the write-ahead log beside it; looked up about once a second.
    pub file_bytes: u64,
    pub log_bytes: u64,
    /// Packets and devices that the quarantine's bounds have removed, ever.
    pub dropped_packets: u64,
    pub dropped_devices: u64,
    /// Bytes of packets that became history, as [`crate::model::Keep::packet_bytes`] counts them.
    pub kept_bytes: u64,
    /// Packets that age or size removed, ever, and the bytes that they took. What they told is still there.
    pub removed_packets: u64,
    pub removed_bytes: u64,
    /// When that happened last.
    pub last_removal: Option<Timestamp>,
    /// Bytes that the quarantine holds, and new senders in it.
    pub quarantine_bytes: u64,
    pub new_devices: usize,
    /// Bytes within the file that nothing uses; new rows go there first.
    pub free_bytes: u64,
    /// The file can give those back in small steps; one that cannot is rewritten by `wayglass compact`.
    pub shrinks: bool,
    /// It gives all of them back now, because somebody asked for it.
    pub compacting: bool,
    /// The file was damaged when it was opened: what was saved of it, and where it is.
    pub repaired: Option<Repaired>,
    /// Damage that was noticed since: nothing is stored or acknowledged until the next start has repaired it.
    pub damaged: Option<String>,
    /// Why a batch failed; `None` when none has failed for a few seconds and something was stored since.
    pub error: Option<Error>,
    /// The last batch that failed, also after others succeeded.
    pub failure: Option<Failure>,
    /// What only [`super::Gauge::health`] fills in.
    pub lately: Lately,
}

/// How much was done lately, and what was not done.
#[derive(Debug, Clone, Default)]
pub struct Lately {
    /// How long commits took in the last minutes.
    pub commits: Option<CommitTimes>,
    /// Packets received and new positions in each of the last sixty whole seconds, oldest first.
    pub packets_by_second: Vec<u32>,
    pub positions_by_second: Vec<u32>,
    /// What was not taken, kept or held open, by reason.
    pub counted: Vec<Counted>,
}

/// Writing failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The first of those that followed each other.
    pub began: Timestamp,
    pub at: Timestamp,
    pub error: Error,
    /// Batches that failed since the store was opened.
    pub batches: u64,
}
