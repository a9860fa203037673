//! The write-ahead log: when its pages go into the file. Only the writer does this, so that no commit of SQLite's own choosing waits for it.

use std::time::Duration;

use rusqlite::{Connection, Result};

use crate::store::connect;

/// Pages in the log after which they are written into the file, while work goes on.
const PAGES: i64 = 4_000;

/// Pages after which the log is emptied altogether: a reader that stays long keeps it from being used again from its start.
const TOO_MANY: i64 = 20_000;

/// Where checkpoints are up to.
#[derive(Default)]
pub(super) struct Log {
    /// Pages in the log when the last checkpoint was tried.
    tried_at: i64,
}

impl Log {
    /// After a batch. A failure is no harm: the pages are safe in the log, and it is tried again.
    pub(super) fn after_batch(&mut self, db: &Connection) -> Result<()> {
        let pages = pages(db, "PRAGMA wal_checkpoint(NOOP)")?;
        if pages < self.tried_at {
            // The log began anew.
            self.tried_at = 0;
        }
        if pages - self.tried_at < PAGES {
            return Ok(());
        }
        if pages >= TOO_MANY { self.empty(db) } else { self.check_point(db) }
    }

    /// Writes the log's pages into the file, as far as no reader needs the file as it is.
    pub(super) fn check_point(&mut self, db: &Connection) -> Result<()> {
        self.tried_at = pages(db, "PRAGMA wal_checkpoint(PASSIVE)")?;
        Ok(())
    }

    /// As [`Log::check_point`], and makes the log empty where no reader is in the way; it does not wait for one.
    pub(super) fn empty(&mut self, db: &Connection) -> Result<()> {
        db.busy_timeout(Duration::ZERO)?;
        let pages = pages(db, "PRAGMA wal_checkpoint(TRUNCATE)");
        db.busy_timeout(connect::PATIENCE)?;
        self.tried_at = pages?;
        Ok(())
    }

    /// Whether pages were written since the last checkpoint.
    pub(super) fn behind(&self, db: &Connection) -> Result<bool> {
        Ok(pages(db, "PRAGMA wal_checkpoint(NOOP)")? != self.tried_at)
    }
}

/// Runs a checkpoint and says how many pages the log has.
fn pages(db: &Connection, checkpoint: &str) -> Result<i64> {
    db.prepare_cached(checkpoint)?.query_row([], |row| row.get(1))
}
