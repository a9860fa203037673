//! What the writer does between batches, in steps that nobody has to wait for: the bounds on what is kept, and what is unused.

use std::time::{Duration, Instant};

use super::{
    super::{slice::Slice, steady::Steady},
    Desk,
};
use crate::store::{Health, connect::PAGE_BYTES, removed, trail::TAIL};

/// Packets removed in one transaction, so that ingest never waits for long.
const STEP: usize = 500;

/// How often ages are looked at where the size is within its bound.
const AGES_EVERY: Duration = Duration::from_mins(10);

/// Packets after which what is known of devices is written down, and how long it waits where there are fewer. Each row is a page of its own, so
/// seldom; but whoever asks for the last that is known adds up what came since.
const LAG: u64 = 131_072;
const KNOW_EVERY: Duration = Duration::from_secs(15);

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
        let more_to_know = self.know();
        let more_to_pack = self.pack(rows > 0);
        self.upkeep.behind = self.upkeep.more_to_remove || more_to_give || more_to_know || more_to_pack;
        if removed || more_to_give {
            let shared = std::sync::Arc::clone(&self.shared);
            self.note_bounds(&mut shared.note());
        }
    }

    /// Writes down what is known of devices, a step where that is due. True where there is more.
    fn know(&mut self) -> bool {
        let due = |lag| lag >= LAG || self.known_at.elapsed() >= KNOW_EVERY;
        if !self.devices.is_writing() && !self.devices.lag(self.last_packet).is_some_and(due) {
            return false;
        }
        // What fails is tried again with the next step.
        let Ok((more, told)) = self.transact(|batch| batch.know_some(Slice::short())) else { return false };
        self.publish(told);
        self.known_at = Instant::now();
        more
    }

    /// Packs a step of the positions that wait for it, where there are many. True where there is more.
    fn pack(&mut self, busy: bool) -> bool {
        let trails = &self.devices.trails;
        let enough = if busy { TAIL } else { TAIL / 32 };
        if !trails.is_packing() && (trails.waiting() as u64) < enough {
            return false;
        }
        // What fails is tried again with the next step.
        let Ok((more, told)) = self.transact(|batch| batch.pack_some(Slice::short())) else { return false };
        self.publish(told);
        more
    }

    /// Writes down all that is known of devices.
    pub(super) fn know_all(&mut self) {
        // What fails here is found again at the next start.
        self.transact(|batch| {
            batch.know_all()?;
            while batch.pack_some(Slice::endless())? {}
            Ok(())
        })
        .ok();
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
