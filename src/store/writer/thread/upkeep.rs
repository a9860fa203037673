//! What the writer does between batches, in steps that nobody has to wait for: the bounds on what is kept, and what is unused.

use std::time::{Duration, Instant};

use super::{super::steady::Steady, Desk};
use crate::store::{Health, connect::PAGE_BYTES, removed};

/// Packets removed in one transaction, so that ingest never waits for long.
const STEP: usize = 500;

/// How often ages are looked at where the size is within its bound.
const AGES_EVERY: Duration = Duration::from_mins(10);

/// How far tidying up is.
pub(super) struct Upkeep {
    steady: Steady,
    /// When ages were last looked at.
    aged_at: Option<Instant>,
    /// There is more to remove or to give back.
    pub(super) behind: bool,
    more_to_remove: bool,
    /// Pages in the file that nothing uses, as of the last look.
    pub(super) free_pages: u64,
    /// The file can give pages back.
    pub(super) shrinks: bool,
}

impl Upkeep {
    pub(super) fn new() -> Self {
        Self {
            steady: Steady::new(),
            aged_at: None,
            behind: false,
            more_to_remove: false,
            free_pages: 0,
            shrinks: false,
        }
    }
}

impl Desk {
    /// Removes a step of what is beyond the bounds. `rows`: what the last batch wrote, which removing must be able to keep up with.
    pub(super) fn tidy(&mut self, rows: usize) {
        let keep = *self.shared.keep();
        let now = (self.clock)();
        let ages = self.upkeep.steady.look(now, Instant::now(), self.limits.steady);
        let mut removed = false;
        if self.quarantine.is_over(&keep, now) {
            // A failure shows with the next batch, and trimming is tried again after it.
            if let Ok(((), told)) = self.transact(|batch| batch.trim(&keep, ages).and_then(|()| batch.flush())) {
                self.publish(told);
            }
            removed = true;
        }
        let ages_due = ages && self.upkeep.aged_at.is_none_or(|at| at.elapsed() >= AGES_EVERY);
        if self.upkeep.more_to_remove || ages_due || self.kept.is_over(&keep) {
            let step = STEP.max(rows * 2);
            let outcome = self.transact(|batch| {
                let more = batch.remove_old(&keep, ages, step)?;
                batch.flush()?;
                Ok(more)
            });
            // After a failure it rests until the next batch, or a second.
            self.upkeep.more_to_remove = matches!(outcome, Ok((true, _)));
            if let Ok((more, told)) = outcome {
                if ages && !more {
                    self.upkeep.aged_at = Some(Instant::now());
                }
                self.publish(told);
            }
            removed = true;
        }
        let more_to_give = self.give_back(rows > 0);
        self.upkeep.behind = self.upkeep.more_to_remove || more_to_give;
        if removed || more_to_give {
            let shared = std::sync::Arc::clone(&self.shared);
            self.note_bounds(&mut shared.note());
        }
    }

    /// Writes down what is kept, so that the next start need not add it up.
    pub(super) fn count_kept(&mut self) {
        if !self.kept.unwritten() {
            return;
        }
        let last_packet = self.last_packet;
        // What fails here is added up at the next start.
        self.transact(|batch| batch.kept.write(batch.db, last_packet)).ok();
    }

    /// How full everything is that has a bound.
    pub(super) fn note_bounds(&self, health: &mut Health) {
        health.dropped_packets = self.quarantine.dropped_packets;
        health.dropped_devices = self.quarantine.dropped_devices;
        health.quarantine_bytes = self.quarantine.bytes;
        health.new_devices = self.quarantine.undecided;
        health.kept_bytes = self.kept.bytes;
        health.free_bytes = self.upkeep.free_pages * PAGE_BYTES;
        health.shrinks = self.upkeep.shrinks;
        if health.removed_packets != self.kept.removed_packets {
            health.last_removal = removed::last(&self.db).ok().flatten();
        }
        health.removed_packets = self.kept.removed_packets;
        health.removed_bytes = self.kept.removed_bytes;
    }
}
