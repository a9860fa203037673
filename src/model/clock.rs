//! The clock doctor: what a device's clock is off by, judged by when its frames arrive (gt06.md §3.8).
//!
//! A frame that was measured just now arrives seconds later, so the time it tells, taken as it stands, is ahead of its arrival by what the
//! clock is ahead of UTC. Zones are whole quarters of an hour; what is left over is the way and a clock that is not quite right.

use super::Timestamp;

/// Every zone on earth is a whole number of these, in seconds.
const QUARTER_S: i64 = 900;
/// Fewer frames prove nothing.
const FEWEST: usize = 3;
/// So many of [`ClockAdvice::examples`].
const EXAMPLES: usize = 3;

/// One frame as it arrived live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSample {
    /// When it arrived, by our clock.
    pub received: Timestamp,
    /// What the device's clock said, without any correction.
    pub told: Timestamp,
    /// What that is taken for today.
    pub read: Timestamp,
}

/// A frame before and after the correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockExample {
    pub received: Timestamp,
    /// The time it has in history today.
    pub before: Timestamp,
    /// The time it would have.
    pub after: Timestamp,
}

/// A proposal for [`super::Profile::clock_offset_s`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockAdvice {
    /// Seconds to subtract from every device time, a whole number of quarter hours.
    pub offset_s: i32,
    /// By how many seconds the times in history are ahead of arrival today; negative where they are behind. The median of all samples.
    pub error_s: i64,
    /// Live frames that were looked at.
    pub samples: usize,
    /// Those that the offset brings within half a quarter of an hour of their arrival.
    pub agreeing: usize,
    /// The newest frames, newest first.
    pub examples: Vec<ClockExample>,
}

/// What to correct, where it is clear: at least three frames, today's times wrong by more than half a quarter of an hour, and three of four
/// frames agreeing about the offset. `samples` in order of arrival; `offset_s` is the one in use.
pub fn advise(samples: &[ClockSample], offset_s: Option<i32>) -> Option<ClockAdvice> {
    if samples.len() < FEWEST {
        return None;
    }
    let error_s = median(samples.iter().map(|s| ahead_s(s.read, s.received)))?;
    if quarters(error_s) == 0 {
        return None;
    }
    let proposed_s = quarters(median(samples.iter().map(|s| ahead_s(s.told, s.received)))?) * QUARTER_S;
    let right = |s: &&ClockSample| quarters(ahead_s(s.told, s.received) - proposed_s) == 0;
    let agreeing = samples.iter().filter(right).count();
    let proposed = i32::try_from(proposed_s).ok().filter(|seconds| Some(*seconds) != offset_s)?;
    let examples = samples.iter().rev().filter(right).take(EXAMPLES).map(|s| ClockExample {
        received: s.received,
        before: s.read,
        after: Timestamp::from_second(s.told.as_second() - proposed_s).unwrap_or(s.told),
    });
    (agreeing * 4 >= samples.len() * 3).then(|| ClockAdvice {
        offset_s: proposed,
        error_s,
        samples: samples.len(),
        agreeing,
        examples: examples.collect(),
    })
}

fn ahead_s(at: Timestamp, of: Timestamp) -> i64 {
    at.as_second() - of.as_second()
}

/// The nearest whole number of quarter hours.
fn quarters(seconds: i64) -> i64 {
    (seconds + QUARTER_S / 2).div_euclid(QUARTER_S)
}

fn median(values: impl Iterator<Item = i64>) -> Option<i64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_262_400 + second).unwrap()
    }

    /// Frames a minute apart, each told so many seconds ahead of its arrival and read so many.
    fn samples(ahead: &[(i64, i64)]) -> Vec<ClockSample> {
        let sample = |(n, (told, read)): (i64, (i64, i64))| {
            let received = 60 * n;
            ClockSample { received: at(received), told: at(received + told), read: at(received + read) }
        };
        (0_i64..).zip(ahead.iter().copied()).map(sample).collect()
    }

    #[test]
    fn the_offset_is_what_most_frames_say_in_quarter_hours() {
        const H: i64 = 3600;
        let same = |ahead| vec![(ahead, ahead); 5];
        for (what, ahead, offset, expected) in [
            ("a right clock", same(-3), None, None),
            ("seven minutes slow is no zone", same(-420), None, None),
            ("eight hours east", same(8 * H - 3), None, Some(28_800)),
            ("five and three quarters", same(5 * H + 2700 - 20), None, Some(20_700)),
            ("west", same(-4 * H - 3), None, Some(-14_400)),
            ("a wrong offset is in use", vec![(8 * H, 7 * H); 4], Some(3600), Some(28_800)),
            ("the offset in use is right", vec![(8 * H, 0); 4], Some(28_800), None),
            ("the zone of the login is wrong, the clock is UTC", vec![(-2, -8 * H); 4], None, Some(0)),
            ("one frame was kept for later", [same(8 * H), vec![(6 * H, 6 * H)]].concat(), None, Some(28_800)),
            ("a memory is being emptied", (0..9).map(|n| (-n * H, -n * H)).collect(), None, None),
            ("two frames", vec![(8 * H, 8 * H); 2], None, None),
            ("a thousand weeks", same(-619_315_200), None, Some(-619_315_200)),
        ] {
            assert_eq!(advise(&samples(&ahead), offset).map(|a| a.offset_s), expected, "{what}");
        }
    }

    #[test]
    fn examples_show_before_and_after() {
        let advice = advise(&samples(&[(3600, 3600); 4]), None).unwrap();
        assert_eq!((advice.error_s, advice.samples, advice.agreeing), (3600, 4, 4));
        let newest = ClockExample { received: at(180), before: at(3780), after: at(180) };
        assert_eq!((advice.examples.len(), advice.examples[0]), (3, newest));
    }
}
