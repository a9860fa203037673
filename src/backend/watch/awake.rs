//! Whether somebody listened all the while: a computer that slept heard nothing, and a clock that was set tells nothing of how long it was.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::SignedDuration;

use crate::model::Timestamp;

/// Time that passes while the computer is awake, since some moment. What the system counts stands still in sleep on most systems.
#[derive(Clone)]
pub struct Passing(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Passing {
    /// As this counts it.
    pub fn new(passed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(passed))
    }
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Passing({:?})", (self.0)())
    }
}

/// The time of day and the time that passes are this far apart at most, from one look to the next, while nothing happens to either.
const SLACK: SignedDuration = SignedDuration::from_secs(10);

/// Compares the time of day with the time that passes.
pub(super) struct Awake {
    passing: Passing,
    looked: Option<(Timestamp, Duration)>,
}

impl Awake {
    /// By the system, where nobody says otherwise.
    pub(super) fn new(passing: Option<Passing>) -> Self {
        let system = || {
            let began = Instant::now();
            Passing::new(move || began.elapsed())
        };
        Self { passing: passing.unwrap_or_else(system), looked: None }
    }

    /// True where nobody listened for a part of the time since the last look.
    pub(super) fn missed(&mut self, now: Timestamp) -> bool {
        let passed = (self.passing.0)();
        let Some((wall, before)) = self.looked.replace((now, passed)) else { return false };
        let awake = SignedDuration::try_from(passed.saturating_sub(before)).unwrap_or(SignedDuration::MAX);
        now.duration_since(wall).saturating_sub(awake).abs() > SLACK
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn sleep_and_clocks_that_are_set_are_found() {
        let seconds = Arc::new(AtomicU64::new(0));
        let passing = Arc::clone(&seconds);
        let mut awake = Awake::new(Some(Passing::new(move || Duration::from_secs(passing.load(Ordering::Relaxed)))));
        let mut look = |passed: u64, wall: i64| {
            seconds.store(passed, Ordering::Relaxed);
            awake.missed(Timestamp::from_second(1_795_262_400 + wall).unwrap())
        };
        assert!(!look(0, 0) && !look(2, 2), "nothing happened");
        assert!(!look(4_002, 4_005), "a long look is no sleep");
        assert!(look(4_004, 7_600), "it slept for an hour");
        assert!(!look(4_006, 7_602));
        assert!(look(4_008, 7_000), "the clock was set back");
        assert!(!look(4_010, 7_002));
    }
}
