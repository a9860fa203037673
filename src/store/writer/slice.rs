//! How long work beside the batches may go on in one transaction.

use std::time::{Duration, Instant};

/// Whoever sends something meanwhile waits for it, and for the commit behind it.
const SHORT: Duration = Duration::from_millis(3);

/// A time that something may take. It is asked between two pieces of work, so one piece is always done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice(Option<Instant>);

impl Slice {
    /// From now on, so short that nobody who waits for it feels it.
    pub(super) fn short() -> Self {
        Self(Some(Instant::now() + SHORT))
    }

    /// As long as it takes: nobody waits.
    pub(super) fn endless() -> Self {
        Self(None)
    }

    pub(super) fn is_over(self) -> bool {
        self.0.is_some_and(|until| Instant::now() >= until)
    }
}
