//! What the writer's thread notes of its own work: pace, failures, and the tally in the file.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::thread::Desk;
use crate::store::{Error, Failure};

/// So long without a failure, and writing goes well again.
const CALM: Duration = Duration::from_secs(2);
/// Between two times that the tally is written down, where it has grown.
const TALLY_EVERY: Duration = Duration::from_secs(30);

impl Desk {
    /// A batch was committed.
    pub(super) fn keep_pace(&self, received: usize, positions: u64, took: Duration) {
        let now_s = self.shared.opened.elapsed().as_secs();
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.shared.pace().note(now_s, small(received as u64), small(positions), took);
    }

    /// A batch failed. The first of a row is said in the log and shown at once; the others only count.
    pub(super) fn note_failure(&mut self, error: &Error) {
        let begins = self.failed_at.replace(Instant::now()).is_none();
        {
            let mut health = self.shared.note();
            let at = (self.clock)();
            let before = health.failure.take();
            let batches = before.as_ref().map_or(0, |failure| failure.batches) + 1;
            let began = before.filter(|_| !begins).map_or(at, |failure| failure.began);
            health.failure = Some(Failure { began, at, error: error.clone(), batches, lasts: true });
            health.error = Some(error.clone());
        }
        if begins {
            tracing::error!(%error, "the store cannot write; nothing is acknowledged until it can");
            self.wake();
        }
    }

    /// Writing goes well again where it has for a while: on a disk that is nearly full, small batches fit between others that do not.
    pub(super) fn note_recovery(&mut self) {
        if self.failed_at.is_none_or(|at| at.elapsed() < CALM) {
            return;
        }
        {
            let mut health = self.shared.note();
            let Some(failure) = health.error.is_none().then_some(health.failure.as_mut()).flatten() else { return };
            failure.lasts = false;
        }
        self.failed_at = None;
        tracing::warn!("the store writes again");
        self.shared.inlet.tally.stir();
        self.wake();
    }

    fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
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
