//! Whether the clock can be believed: a wrong one must not make everything look old.

use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::model::Timestamp;

/// What time of day and time since may differ by, as one is corrected and the other stands still in sleep.
const SLACK: SignedDuration = SignedDuration::from_hours(1);

/// Compares the time of day with the time that passes.
pub(super) struct Steady {
    began: Option<(Timestamp, Instant)>,
}

impl Steady {
    pub(super) fn new() -> Self {
        Self { began: None }
    }

    /// Looks at both clocks. True where the time of day has run evenly for so long.
    pub(super) fn look(&mut self, now: Timestamp, passing: Instant, needed: Duration) -> bool {
        let (wall, mono) = *self.began.get_or_insert((now, passing));
        let passed = passing.saturating_duration_since(mono);
        let differs = now.duration_since(wall) - SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        if needed > Duration::ZERO && differs.abs() > SLACK {
            self.began = Some((now, passing));
            return false;
        }
        passed >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_is_not_believed_for_an_hour() {
        let hour = Duration::from_hours(1);
        let (began, noon) = (Instant::now(), Timestamp::from_second(1_795_262_400).unwrap());
        let mut steady = Steady::new();
        let mut look = |passed_min: u64, wall_min: i64| {
            let wall = noon + SignedDuration::from_mins(wall_min);
            steady.look(wall, began + Duration::from_mins(passed_min), hour)
        };
        assert!(!look(0, 0) && !look(59, 59) && look(60, 60) && look(90, 95));
        // Ten years ahead, for two hours.
        let ten_years = 10 * 365 * 24 * 60;
        assert!(!look(91, ten_years) && !look(150, ten_years + 59) && look(152, ten_years + 61));
        assert!(!look(153, 153), "and back");
        assert!(look(214, 214));
    }
}
