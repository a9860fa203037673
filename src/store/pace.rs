//! How fast the writer is: a minute of seconds and some minutes of commits, in a few kilobytes whatever the load is.
//!
//! Time is whole seconds since the store was opened, by the monotonic clock: a clock that jumps is no rate.

use std::{collections::VecDeque, time::Duration};

/// Seconds that rates go back.
pub(super) const SECONDS: u64 = PLACES as u64;
const PLACES: usize = 60;
/// Minutes that commits go back; the one that is running comes on top.
const MINUTES: usize = 5;
/// Steps within a doubling of the duration: neighbours are 9 % apart.
const STEPS: f64 = 8.0;
/// Up to two minutes.
const BUCKETS: usize = 27 * 8;

/// How long commits took lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitTimes {
    /// How many of them.
    pub count: u64,
    /// Half were done by then, and 99 of 100; a few percent too long rather than too short.
    pub p50: Duration,
    pub p99: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Each second in which something came: packets received, new positions. Oldest first.
    seconds: VecDeque<(u64, u32, u32)>,
    /// Each minute in which something was committed, with the number of commits by duration.
    minutes: VecDeque<(u64, Box<[u32; BUCKETS]>)>,
}

impl Pace {
    pub(super) fn note(&mut self, now_s: u64, packets: u32, positions: u32, took: Duration) {
        match self.seconds.back_mut() {
            Some((second, p, q)) if *second == now_s => (*p, *q) = (*p + packets, *q + positions),
            _ => self.seconds.push_back((now_s, packets, positions)),
        }
        while self.seconds.front().is_some_and(|(second, ..)| second + SECONDS < now_s) {
            self.seconds.pop_front();
        }
        let minute = now_s / 60;
        if self.minutes.back().is_none_or(|(last, _)| *last != minute) {
            self.minutes.push_back((minute, Box::new([0; BUCKETS])));
        }
        while self.minutes.len() > MINUTES + 1 {
            self.minutes.pop_front();
        }
        if let Some(count) = self.minutes.back_mut().and_then(|(_, counts)| counts.get_mut(bucket(took))) {
            *count += 1;
        }
    }

    /// Packets received and new positions in each of the last [`SECONDS`] whole seconds, oldest first.
    pub(super) fn rates(&self, now_s: u64) -> (Vec<u32>, Vec<u32>) {
        let (mut packets, mut positions) = (vec![0; PLACES], vec![0; PLACES]);
        for (second, p, q) in &self.seconds {
            // The second that runs is not over.
            let Some(age) = now_s.checked_sub(*second).filter(|age| (1..=SECONDS).contains(age)) else { continue };
            let place = usize::try_from(SECONDS - age).unwrap_or_default();
            if let (Some(packets), Some(positions)) = (packets.get_mut(place), positions.get_mut(place)) {
                (*packets, *positions) = (*p, *q);
            }
        }
        (packets, positions)
    }

    /// `None`: nothing was committed lately.
    pub(super) fn commits(&self, now_s: u64) -> Option<CommitTimes> {
        let mut counts = [0_u64; BUCKETS];
        for (_, minute) in self.minutes.iter().filter(|(minute, _)| minute + MINUTES as u64 >= now_s / 60) {
            for (sum, count) in counts.iter_mut().zip(minute.iter()) {
                *sum += u64::from(*count);
            }
        }
        let count: u64 = counts.iter().sum();
        let share = |hundredths: u64| {
            let wanted = (count * hundredths).div_ceil(100);
            let mut seen = 0;
            let at = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            duration(at.unwrap_or_default())
        };
        (count > 0).then(|| CommitTimes { count, p50: share(50), p99: share(99) })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float becomes an integer within bounds")]
fn bucket(took: Duration) -> usize {
    let us = (took.as_secs_f64() * 1e6).max(1.0);
    ((us.log2() * STEPS) as usize).min(BUCKETS - 1)
}

/// The upper end of a bucket.
#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn duration(bucket: usize) -> Duration {
    Duration::from_secs_f64(((bucket + 1) as f64 / STEPS).exp2() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_minute_of_seconds_moves_on() {
        let mut pace = Pace::default();
        pace.note(100, 2, 1, ms(1));
        pace.note(100, 3, 0, ms(1));
        pace.note(102, 7, 7, ms(1));
        assert_eq!(pace.rates(102).0.last(), Some(&0), "the second that runs is not over");
        let (packets, positions) = pace.rates(103);
        assert_eq!((packets.len(), &packets[57..], &positions[57..]), (60, &[5, 0, 7][..], &[1, 0, 7][..]));
        assert_eq!(pace.rates(160).0.iter().sum::<u32>(), 12);
        assert_eq!(pace.rates(161).0.iter().sum::<u32>(), 7, "a minute later it is gone");
        assert_eq!(pace.rates(5).0.iter().sum::<u32>(), 0, "time that runs backwards does no harm");
        for second in 200..10_000 {
            pace.note(second, 1, 1, ms(1));
        }
        assert!(pace.seconds.len() <= 61 && pace.minutes.len() <= MINUTES + 1);
    }

    #[test]
    fn commits_are_told_by_their_share() {
        let mut pace = Pace::default();
        assert_eq!(pace.commits(0), None);
        for n in 0..200 {
            pace.note(n / 4, 1, 1, if n % 50 == 49 { ms(100) } else { ms(2) });
        }
        let told = pace.commits(59).unwrap();
        assert_eq!(told.count, 200);
        let near = |is: Duration, wanted: Duration| is >= wanted && is <= wanted.mul_f64(1.1);
        assert!(near(told.p50, ms(2)) && near(told.p99, ms(100)), "{told:?}");
        assert_eq!(pace.commits(6 * 60), None, "some minutes later they are gone");
        pace.note(7 * 60, 0, 0, Duration::from_hours(1));
        pace.note(7 * 60, 0, 0, Duration::ZERO);
        assert!(pace.commits(7 * 60).is_some_and(|told| told.count == 2), "nothing is too long or too short to count");
    }
}
