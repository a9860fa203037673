//! How often a device usually reports: the median of its own last intervals, those of the same kind, because a parked one reports more rarely.

use std::collections::VecDeque;

use jiff::SignedDuration;

/// Intervals that a rhythm is the median of.
pub const INTERVALS: usize = 20;

/// A rhythm faster than this counts as this.
pub const FLOOR: SignedDuration = SignedDuration::from_secs(30);

/// From here on a device moves, in km/h; less is what receivers report at rest.
pub const MOVING_KMH: f64 = 3.0;

/// Intervals of both kinds that are remembered.
const REMEMBERED: usize = 24;

/// Fewer intervals of a kind than this are no rhythm.
const LEAST: usize = 3;

/// The rhythm of a device that has not shown one yet.
const UNKNOWN: SignedDuration = SignedDuration::from_mins(5);

/// The least rhythm of a parked device that has not shown one: many report only what moves.
const PARKED: SignedDuration = SignedDuration::from_mins(15);

/// The last intervals between a device's fixes, and whether it moved then.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rhythm(VecDeque<(bool, SignedDuration)>);

impl Rhythm {
    /// One more interval.
    pub fn push(&mut self, moving: bool, interval: SignedDuration) {
        if interval.is_positive() {
            self.0.push_back((moving, interval));
            if self.0.len() > REMEMBERED {
                self.0.pop_front();
            }
        }
    }

    /// As [`usual`] has it.
    pub fn of(&self, moving: bool) -> SignedDuration {
        usual(self.0.iter().rev().copied(), moving)
    }
}

/// How long a device that moves, or rests, usually takes from one report to the next, by its recent intervals, the newest first, each with
/// whether it moved then.
pub fn usual(recent: impl Iterator<Item = (bool, SignedDuration)> + Clone, moving: bool) -> SignedDuration {
    let alike = recent.clone().filter(|(moved, _)| *moved == moving).map(|(_, interval)| interval);
    if alike.clone().take(LEAST).count() == LEAST {
        return median(alike).unwrap_or(UNKNOWN).max(FLOOR);
    }
    let any = median(recent.map(|(_, interval)| interval)).unwrap_or(UNKNOWN).max(FLOOR);
    if moving { any } else { any.max(PARKED) }
}

/// The middle one of up to [`INTERVALS`] durations; more are not looked at.
pub fn median(durations: impl Iterator<Item = SignedDuration>) -> Option<SignedDuration> {
    let mut sorted = [SignedDuration::ZERO; INTERVALS];
    let mut count = 0;
    for (slot, duration) in sorted.iter_mut().zip(durations) {
        *slot = duration;
        count += 1;
    }
    let sorted = sorted.get_mut(..count).filter(|s| !s.is_empty())?;
    sorted.sort_unstable();
    sorted.get(count / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_rhythm() {
        let mut rhythm = Rhythm::default();
        assert_eq!(rhythm.of(true), UNKNOWN);
        for (moving, seconds) in [(true, 10), (true, 12), (true, 600), (true, 11), (false, 3_600)] {
            rhythm.push(moving, SignedDuration::from_secs(seconds));
        }
        assert_eq!(rhythm.of(true), FLOOR, "one gap is no rhythm");
        assert_eq!(rhythm.of(false), PARKED, "one interval is none, either");
        for _ in 0..2 {
            rhythm.push(false, SignedDuration::from_secs(3_600));
        }
        assert_eq!(rhythm.of(false).as_secs(), 3_600);
    }
}
