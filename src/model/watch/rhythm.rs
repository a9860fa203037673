//! How often a device usually reports: the median of its own last intervals, those of the same kind, because a parked one reports more rarely.

use std::collections::VecDeque;

use jiff::SignedDuration;

/// Intervals that are remembered.
const REMEMBERED: usize = 24;

/// Fewer intervals of a kind than this are no rhythm.
const LEAST: usize = 3;

/// A rhythm faster than this counts as this.
const FLOOR_S: i64 = 30;

/// The rhythm of a device that has not shown one yet.
const UNKNOWN_S: i64 = 300;

/// The least rhythm of a parked device that has not shown one.
const PARKED_S: i64 = 900;

/// The last intervals between a device's fixes, and whether it moved then.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rhythm(VecDeque<(bool, i64)>);

impl Rhythm {
    /// One more interval.
    pub fn push(&mut self, moving: bool, interval: SignedDuration) {
        if interval.is_positive() {
            self.0.push_back((moving, interval.as_secs()));
            if self.0.len() > REMEMBERED {
                self.0.pop_front();
            }
        }
    }

    /// How long a device that moves, or rests, usually takes from one report to the next.
    pub fn of(&self, moving: bool) -> SignedDuration {
        let alike: Vec<i64> = self.0.iter().filter(|(moved, _)| *moved == moving).map(|(_, s)| *s).collect();
        if alike.len() >= LEAST {
            return SignedDuration::from_secs(median(alike).max(FLOOR_S));
        }
        let any: Vec<i64> = self.0.iter().map(|(_, s)| *s).collect();
        let any = if any.is_empty() { UNKNOWN_S } else { median(any).max(FLOOR_S) };
        SignedDuration::from_secs(if moving { any } else { any.max(PARKED_S) })
    }
}

fn median(mut seconds: Vec<i64>) -> i64 {
    seconds.sort_unstable();
    seconds.get(seconds.len() / 2).copied().unwrap_or(UNKNOWN_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_rhythm() {
        let mut rhythm = Rhythm::default();
        assert_eq!(rhythm.of(true).as_secs(), UNKNOWN_S);
        for (moving, seconds) in [(true, 10), (true, 12), (true, 600), (true, 11), (false, 3_600)] {
            rhythm.push(moving, SignedDuration::from_secs(seconds));
        }
        assert_eq!(rhythm.of(true).as_secs(), FLOOR_S, "one gap is no rhythm");
        assert_eq!(rhythm.of(false).as_secs(), PARKED_S, "one interval is none, either");
        for _ in 0..2 {
            rhythm.push(false, SignedDuration::from_secs(3_600));
        }
        assert_eq!(rhythm.of(false).as_secs(), 3_600);
    }
}
