//! Giving back what nothing uses: pages of removed rows leave the file in small steps, while everything goes on.

use std::sync::atomic::Ordering;

use rusqlite::{Connection, Result};

use super::Desk;
use crate::store::connect::PAGE_BYTES;

/// Pages given back in one step: where the writer has nothing else to do, and beside a batch.
const STEP_IDLE: u64 = 512;
const STEP_BUSY: u64 = 64;

/// Unused pages that stay in the file at least: what was removed makes room for what arrives, and the file neither grows nor shrinks.
const RESERVE: u64 = 16_000_000 / PAGE_BYTES;

impl Desk {
    /// Gives back a step of what is unused beyond the reserve. True where there is more.
    pub(super) fn give_back(&mut self, busy: bool) -> bool {
        let compacting = self.shared.compacting.load(Ordering::Relaxed);
        if !self.upkeep.shrinks || !compacting && self.upkeep.free_pages <= RESERVE {
            if compacting {
                self.shared.compacting.store(false, Ordering::Relaxed);
            }
            return false;
        }
        // What fails here is tried again with the next step.
        let Ok((free, pages)) = free_and_all(&self.db) else { return false };
        self.upkeep.free_pages = free;
        let stays = match (compacting, busy) {
            (true, _) => 0,
            (false, false) => RESERVE.max(pages / 16),
            // Under load only where it is really much.
            (false, true) => RESERVE.max(pages / 4),
        };
        let step = free.saturating_sub(stays).min(if busy { STEP_BUSY } else { STEP_IDLE });
        if step == 0 {
            if compacting {
                self.shared.compacting.store(false, Ordering::Relaxed);
            }
            return false;
        }
        let given = shrink(&self.db, step);
        self.upkeep.free_pages = free - step.min(free);
        given.is_ok()
    }

    /// Counts what is unused.
    pub(super) fn look_at_space(&mut self) {
        if let Ok((free, _)) = free_and_all(&self.db) {
            self.upkeep.free_pages = free;
        }
    }
}

fn free_and_all(db: &Connection) -> Result<(u64, u64)> {
    let number = |pragma: &str| db.prepare_cached(pragma)?.query_row([], |row| row.get::<_, i64>(0));
    Ok((number("PRAGMA freelist_count")?.max(0).cast_unsigned(), number("PRAGMA page_count")?.max(0).cast_unsigned()))
}

/// Whether the file was made so that it can give pages back.
pub(super) fn shrinks(db: &Connection) -> bool {
    db.query_row("PRAGMA auto_vacuum", [], |row| row.get::<_, i64>(0)).is_ok_and(|kind| kind == 2)
}

/// Gives so many pages back, in a transaction of its own.
fn shrink(db: &Connection, pages: u64) -> Result<()> {
    let mut vacuum = db.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    // A page a row.
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
