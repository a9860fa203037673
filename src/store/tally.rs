//! Counts what was not taken, kept or held open, by reason: since the start in memory, ever in the file.

use std::{
    array,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
};

use rusqlite::{Connection, OptionalExtension, Result};
use tokio::sync::Notify;

use super::row;
use crate::model::{Clock, Mishap, Timestamp};

/// The same is said again in the log after so long at the earliest.
const SAY_AGAIN_MS: i64 = 10 * 60 * 1000;

/// The counters. Any thread may count; the store's own thread writes them down now and then.
pub struct Tally {
    clock: Clock,
    counts: [Count; Mishap::COUNT],
    /// Told when anything changed that is shown as health.
    pub(super) stirred: Notify,
}

#[derive(Default)]
struct Count {
    since_start: AtomicU64,
    /// Before that, by the file.
    before: AtomicU64,
    /// How much of `since_start` the file has.
    saved: AtomicU64,
    last_ms: AtomicI64,
    said_ms: AtomicI64,
}

/// How often something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub mishap: Mishap,
    pub since_start: u64,
    pub ever: u64,
    /// The last time since the start.
    pub last: Option<Timestamp>,
}

impl Tally {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, counts: array::from_fn(|_| Count::default()), stirred: Notify::new() }
    }

    /// It happened once more.
    pub fn count(&self, mishap: Mishap) {
        let now_ms = (self.clock)().as_millisecond();
        let count = self.of(mishap);
        let n = count.since_start.fetch_add(1, Ordering::Relaxed) + 1;
        count.last_ms.store(now_ms, Ordering::Relaxed);
        self.stir();
        let said = count.said_ms.load(Ordering::Relaxed);
        if mishap.is_loud()
            && (n == 1 || (now_ms - said).abs() >= SAY_AGAIN_MS)
            && count.said_ms.compare_exchange(said, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            tracing::warn!(what = mishap.key(), since_start = n, "{}", mishap.title());
        }
    }

    /// Something changed that is shown as health.
    pub fn stir(&self) {
        self.stirred.notify_one();
    }

    /// Waits until something changed since the last call.
    pub async fn changed(&self) {
        self.stirred.notified().await;
    }

    /// All of them.
    pub fn all(&self) -> Vec<Counted> {
        Mishap::all().map(|mishap| self.of(mishap).told(mishap)).collect()
    }

    fn of(&self, mishap: Mishap) -> &Count {
        &self.counts[mishap.index()]
    }

    /// Takes over what earlier runs counted.
    pub(super) fn load(&self, db: &Connection) -> Result<()> {
        let mut select = db.prepare("SELECT value FROM counters WHERE name = ?1")?;
        for mishap in Mishap::all() {
            let before = select.query_row([name(mishap)], |row| row::count(row, 0)).optional()?;
            self.of(mishap).before.store(before.unwrap_or_default(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// What the file does not have yet: how many there are now of each that has become more.
    pub(super) fn unsaved(&self) -> Vec<(Mishap, u64)> {
        let count = |mishap| self.of(mishap).since_start.load(Ordering::Relaxed);
        let saved = |mishap| self.of(mishap).saved.load(Ordering::Relaxed);
        Mishap::all().map(|mishap| (mishap, count(mishap))).filter(|(mishap, n)| *n > saved(*mishap)).collect()
    }

    /// Writes them down, within a transaction.
    pub(super) fn save(&self, db: &Connection, unsaved: &[(Mishap, u64)]) -> Result<()> {
        let mut insert = db.prepare_cached("INSERT OR REPLACE INTO counters(name, value) VALUES (?1, ?2)")?;
        for (mishap, n) in unsaved {
            let ever = self.of(*mishap).before.load(Ordering::Relaxed) + n;
            insert.execute((name(*mishap), ever.cast_signed()))?;
        }
        Ok(())
    }

    /// The transaction is committed.
    pub(super) fn saved(&self, unsaved: &[(Mishap, u64)]) {
        for (mishap, n) in unsaved {
            self.of(*mishap).saved.store(*n, Ordering::Relaxed);
        }
    }
}

impl Count {
    fn told(&self, mishap: Mishap) -> Counted {
        let since_start = self.since_start.load(Ordering::Relaxed);
        let last = Timestamp::from_millisecond(self.last_ms.load(Ordering::Relaxed)).ok();
        Counted {
            mishap,
            since_start,
            ever: self.before.load(Ordering::Relaxed) + since_start,
            last: last.filter(|_| since_start > 0),
        }
    }
}

fn name(mishap: Mishap) -> String {
    format!("mishap.{}", mishap.key())
}
