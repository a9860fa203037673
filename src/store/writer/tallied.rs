//! What the writer's thread notes of its own work: pace, failures, and the tally in the file.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::thread::Desk;
use crate::store::{Error, Failure};

/// Between two times that the tally is written down, where it has grown.
const TALLY_EVERY: Duration = Duration::from_secs(30);

impl Desk {
    /// A batch was committed.
    pub(super) fn keep_pace(&self, received: usize, positions: u64, took: Duration) {
        let now_s = self.shared.opened.elapsed().as_secs();
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.shared.pace().note(now_s, small(received as u64), small(positions), took);
    }

    /// A batch failed: remembered also after others succeed.
    pub(super) fn keep_failure(&self, error: &Error) {
        let mut health = self.shared.note();
        let at = (self.clock)();
        let before = health.failure.take();
        let batches = before.as_ref().map_or(0, |failure| failure.batches) + 1;
        let began = before.filter(|_| self.failed_at.is_some()).map_or(at, |failure| failure.began);
        health.failure = Some(Failure { began, at, error: error.clone(), batches });
    }

    /// Writes the tally down where it has grown and was not written for a while.
    pub(super) fn tally_now_and_then(&mut self) {
        if self.receives && self.tallied_at.elapsed() >= TALLY_EVERY {
            self.write_tally();
        }
    }

    /// Writes the tally down where it has grown. A failure shows with the next batch, and this is tried again later.
    pub(super) fn write_tally(&mut self) {
        self.tallied_at = Instant::now();
        let tally = Arc::clone(&self.shared.inlet.tally);
        let unsaved = tally.unsaved();
        if unsaved.is_empty() {
            return;
        }
        if let Ok(((), told)) = self.transact(|batch| tally.save(batch.db, &unsaved)) {
            tally.saved(&unsaved);
            self.publish(told);
        }
    }
}
