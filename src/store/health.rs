//! How the store fares: what the health panel and `doctor` show.

use std::time::Duration;

use super::Error;

/// A look at the store at one moment.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Writes that wait for the writer.
    pub queue_depth: usize,
    /// Bytes that those and the batch in work hold, of [`super::Limits::queue_bytes`].
    pub queue_bytes: usize,
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
    /// Why a batch failed; `None` when none has failed for a few seconds and something was stored since.
    pub error: Option<Error>,
}
