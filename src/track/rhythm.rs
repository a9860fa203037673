//! Where a track breaks: a pause that is long for this device.
//!
//! A tracker that reports every ten seconds has lost something after five minutes; a phone that reports every half hour has
//! not. So a pause is a gap when it is longer than five times the device's own median interval, and longer than five minutes.

use std::{collections::VecDeque, time::Duration};

use crate::model::Timestamp;

/// A pause of this or less is never a gap.
pub const SHORTEST: Duration = Duration::from_mins(5);

/// A gap is longer than this many median intervals.
pub const FACTOR: u32 = 5;

/// How many of the newest intervals the median is of. Odd, so that the median is one of them.
pub const WINDOW: usize = 129;

/// True where nothing is known between two fixes, the earlier first. `median`: the device's median interval, where it is known.
pub fn between(earlier: Timestamp, later: Timestamp, median: Option<Duration>) -> bool {
    pause(earlier, later) > median.map_or(SHORTEST, |m| m.saturating_mul(FACTOR).max(SHORTEST))
}

/// The median of the newest [`WINDOW`] intervals between fixes: how often a device reports at this time of its life.
#[derive(Debug, Clone, Default)]
pub struct Rhythm {
    last: Option<Timestamp>,
    newest: VecDeque<Duration>,
    sorted: Vec<Duration>,
}

impl Rhythm {
    /// Nothing heard yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next fix was measured at `at`. An earlier time than the last counts as no interval at all.
    pub fn hear(&mut self, at: Timestamp) {
        let Some(last) = self.last.replace(at) else { return };
        let interval = pause(last, at);
        if self.newest.len() == WINDOW
            && let Some(oldest) = self.newest.pop_front()
            && let Ok(place) = self.sorted.binary_search(&oldest)
        {
            self.sorted.remove(place);
        }
        self.newest.push_back(interval);
        let place = self.sorted.partition_point(|i| *i < interval);
        self.sorted.insert(place, interval);
    }

    /// `None` before the second fix.
    pub fn median(&self) -> Option<Duration> {
        self.sorted.get(self.sorted.len() / 2).copied()
    }
}

fn pause(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[expect(clippy::unnecessary_wraps, reason = "the cases read better")]
    fn secs(n: u64) -> Option<Duration> {
        Some(Duration::from_secs(n))
    }

    #[test]
    fn a_gap_is_long_for_the_device_and_long_at_all() {
        let cases = [
            (300, secs(10), false, "five minutes are never a gap"),
            (301, secs(10), true, "longer than five minutes and five intervals"),
            (9000, secs(1800), false, "five times half an hour is not yet one"),
            (9001, secs(1800), true, "longer than that is"),
            (301, None, true, "without a rhythm five minutes decide"),
            (-5000, secs(1), false, "backwards is no gap"),
        ];
        for (pause, median, expected, why) in cases {
            assert_eq!(between(at(0), at(pause), median), expected, "{why}");
        }
    }

    #[test]
    fn the_rhythm_is_the_median_of_the_newest_intervals() {
        let mut rhythm = Rhythm::new();
        assert_eq!(rhythm.median(), None);
        let mut now = 0;
        for step in [10, 10, 3600, 10, 12] {
            rhythm.hear(at(now));
            now += step;
        }
        rhythm.hear(at(now));
        assert_eq!(rhythm.median(), secs(10), "one long pause does not change it");
        for _ in 0..WINDOW {
            now += 60;
            rhythm.hear(at(now));
        }
        assert_eq!(rhythm.median(), secs(60), "what is long ago is forgotten");
        assert_eq!((rhythm.newest.len(), rhythm.sorted.len()), (WINDOW, WINDOW));
    }
}
