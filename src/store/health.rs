//! How the store fares: what the health panel and `doctor` show.

use std::time::Duration;

use super::{CommitTimes, Error, tally::Counted};
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
    /// How long commits took in the last minutes.
    pub commits: Option<CommitTimes>,
    /// Packets received and new positions in each of the last sixty whole seconds, oldest first.
    pub packets_by_second: Vec<u32>,
    pub positions_by_second: Vec<u32>,
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
    /// Why the last batch failed; `None` as soon as one succeeds again.
    pub error: Option<Error>,
    /// The last batch that failed, also after others succeeded.
    pub failure: Option<Failure>,
    /// Bytes that the quarantine holds, and new senders in it.
    pub quarantine_bytes: u64,
    pub new_devices: usize,
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
    /// Writing has not gone well since, for some seconds.
    pub lasts: bool,
}
