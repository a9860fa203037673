//! What a fleet counts while it drives. Shared by all its tasks, without a lock on the way of a message.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How a drive fares, or fared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Devices that take part.
    pub devices: usize,
    /// Connections open now.
    pub connected: u64,
    /// Frames and bodies that were written.
    pub sent: u64,
    /// Of those, answered as they should be.
    pub answered: u64,
    /// Answered otherwise (an HTTP status that is not 2xx), or not at all although they had to be.
    pub failed: u64,
    /// Connections that could not be made or broke.
    pub broken: u64,
    /// Half, 99 of 100 and all answers came within this time; `None` before the first.
    pub latency: Option<Latency>,
    /// The newest trouble.
    pub error: Option<String>,
}

/// How long answers took. Accurate to a fifth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

/// Four buckets an octave of microseconds: 1 µs to more than an hour.
const BUCKETS: usize = 128;

#[derive(Debug)]
pub(super) struct Tally {
    connected: AtomicU64,
    sent: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    broken: AtomicU64,
    took: [AtomicU64; BUCKETS],
    slowest_us: AtomicU64,
    error: Mutex<Option<String>>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            connected: AtomicU64::default(),
            sent: AtomicU64::default(),
            answered: AtomicU64::default(),
            failed: AtomicU64::default(),
            broken: AtomicU64::default(),
            took: [const { AtomicU64::new(0) }; BUCKETS],
            slowest_us: AtomicU64::default(),
            error: Mutex::default(),
        }
    }

    /// Counts a connection for as long as the answer lives.
    pub(super) fn connected(&self) -> Connected<'_> {
        self.connected.fetch_add(1, Ordering::Relaxed);
        Connected(self)
    }

    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.slowest_us.fetch_max(us, Ordering::Relaxed);
        if let Some(bucket) = self.took.get(bucket(us)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn failed(&self, why: impl Into<String>) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.say(why.into());
    }

    pub(super) fn broken(&self, why: impl Into<String>) {
        self.broken.fetch_add(1, Ordering::Relaxed);
        self.say(why.into());
    }

    fn say(&self, why: String) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    pub(super) fn progress(&self, devices: usize) -> Progress {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Progress {
            devices,
            connected: read(&self.connected),
            sent: read(&self.sent),
            answered: read(&self.answered),
            failed: read(&self.failed),
            broken: read(&self.broken),
            latency: self.latency(),
            error: self.error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn latency(&self) -> Option<Latency> {
        let counts: Vec<u64> = self.took.iter().map(|b| b.load(Ordering::Relaxed)).collect();
        let all: u64 = counts.iter().sum();
        let max = Duration::from_micros(self.slowest_us.load(Ordering::Relaxed));
        let within = |percent: u64| {
            let wanted = (all * percent).div_ceil(100);
            let mut seen = 0;
            let reached = counts.iter().position(|n| {
                seen += n;
                seen >= wanted
            });
            Duration::from_micros(upper_us(reached.unwrap_or(BUCKETS))).min(max)
        };
        (all > 0).then(|| Latency { p50: within(50), p99: within(99), max })
    }
}

/// The bucket of a time: its highest bit and the two below.
fn bucket(us: u64) -> usize {
    if us < 4 {
        return usize::try_from(us).unwrap_or_default();
    }
    let octave = us.ilog2();
    let quarter = (us >> (octave - 2)) & 3;
    (usize::try_from(octave).unwrap_or_default() * 4 + usize::try_from(quarter).unwrap_or_default() - 4)
        .min(BUCKETS - 1)
}

/// The longest time in a bucket, in microseconds.
fn upper_us(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).unwrap_or(u64::MAX);
    if bucket < 4 {
        return bucket;
    }
    let (octave, quarter) = (bucket / 4 + 1, bucket % 4);
    ((5 + quarter) << (octave - 2)) - 1
}

/// A connection that is open.
pub(super) struct Connected<'a>(&'a Tally);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_falls_into_a_bucket_that_ends_at_most_a_quarter_above() {
        for us in (0..5_000).chain([1_000_000, 59_999_999, 3_600_000_000]) {
            let upper = upper_us(bucket(us));
            assert!(us <= upper && upper <= us + us / 4, "{us} µs lies in a bucket up to {upper}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_of_all_answers() {
        let tally = Tally::new();
        assert_eq!(tally.progress(0).latency, None);
        for ms in 1..=100 {
            tally.answered(Duration::from_millis(ms));
        }
        let Latency { p50, p99, max } = tally.progress(1).latency.expect("a hundred answers");
        assert!((50..63).contains(&p50.as_millis()), "{p50:?}");
        assert!((99..=100).contains(&p99.as_millis()), "{p99:?}");
        assert_eq!(max, Duration::from_millis(100));
    }
}
