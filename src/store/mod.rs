//! Everything received, in one SQLite file.

mod error;
mod facts;
mod health;
mod pending;
pub mod query;
mod reader;
mod writer;

use std::{path::Path, sync::Arc, time::Duration};

pub use error::Error;
pub use facts::Facts;
pub use health::Health;
pub use pending::{Answer, Pending};
pub use reader::Reader;
pub use writer::{Receipt, Stored, Writer};

use crate::model::{Clock, Policy};

/// Name of the database within the data folder.
pub const FILE_NAME: &str = "wayglass.db";

/// What the store must be told when it is opened.
#[derive(Clone)]
pub struct Options {
    pub clock: Clock,
    /// What happens to unknown senders at first; [`Store::set_policy`] changes it.
    pub policy: Policy,
    /// Called after facts were published, by the writer's thread.
    pub wake: Option<Arc<dyn Fn() + Send + Sync>>,
    pub limits: Limits,
}

impl Options {
    /// The defaults: unknown senders are asked about, nobody is woken.
    pub fn new(clock: Clock) -> Self {
        Self { clock, policy: Policy::default(), wake: None, limits: Limits::default() }
    }
}

/// The store's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes that packets on their way into the file may take; who appends more waits.
    pub queue_bytes: usize,
    /// New senders that are kept; the one that was silent for longest goes first.
    pub new_devices: usize,
    /// Bytes kept of packets whose sender is unknown, new or ignored; the oldest go first.
    pub quarantine_bytes: u64,
    /// How long those packets are kept.
    pub quarantine_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_bytes: 64 << 20,
            new_devices: 200,
            quarantine_bytes: 64 << 20,
            quarantine_age: Duration::from_hours(7 * 24),
        }
    }
}

/// The open store: its threads, and the lock on its folder.
pub struct Store(());

#[expect(unused_variables, clippy::unused_self, clippy::needless_pass_by_value, reason = "signatures first")]
impl Store {
    /// Opens the store for receiving. Makes folder and file where they are missing, and migrates an older file.
    pub fn open(dir: &Path, options: Options) -> Result<Self, Error> {
        Err(Error::Closed)
    }

    /// Opens the store to look on, beside a running instance or alone. [`Store::facts`] then says [`crate::model::Fact::Missed`]
    /// whenever somebody wrote, and every write answers [`Error::ReadOnly`].
    pub fn view(dir: &Path, clock: Clock) -> Result<Self, Error> {
        Err(Error::Closed)
    }

    /// Opens the store for a decision or a command beside a running instance, or alone. Not for receiving: it does not hold the folder.
    pub fn beside(dir: &Path, clock: Clock) -> Result<Self, Error> {
        Err(Error::Closed)
    }

    pub fn writer(&self) -> Writer {
        unreachable!()
    }

    pub fn reader(&self) -> Reader {
        unreachable!()
    }

    pub fn facts(&self) -> Facts {
        unreachable!()
    }

    pub fn policy(&self) -> Policy {
        Policy::Ask
    }

    pub fn set_policy(&self, policy: Policy) {}

    pub fn health(&self) -> Health {
        Health::default()
    }

    /// Commits what is queued, empties the write-ahead log into the file and ends the threads. Later writes answer [`Error::Closed`].
    pub fn close(self) {}
}
