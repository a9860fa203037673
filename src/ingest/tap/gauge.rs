//! What a tap measures: what went through it, what could not be recorded, and whether the other server is there.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::model::{Direction, Timestamp};

/// Over so many seconds the rate is measured.
const SPAN_S: u32 = 60;

/// What went through a tap since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TapTraffic {
    /// Bytes of trackers, and of the other server.
    pub heard_bytes: u64,
    pub answered_bytes: u64,
    /// Packets that were stored, both ways.
    pub packets: u64,
    /// Packets that were stored in the last minute.
    pub packets_in_a_minute: u32,
    /// Bytes that were passed on, or taken as a copy, and are not in the store.
    pub not_recorded_bytes: u64,
}

/// The server that a tap passes on to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Upstream {
    /// Nobody was to be passed on yet.
    #[default]
    Unknown,
    /// It took the last connection.
    Reached { at: Timestamp },
    /// It did not; says why.
    Failed { at: Timestamp, why: String },
}

/// The counters of a tap.
#[derive(Debug, Default)]
pub(super) struct Gauge(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    traffic: TapTraffic,
    upstream: Upstream,
    /// Packets by second, the newest last.
    lately: VecDeque<(Instant, u32)>,
}

impl Gauge {
    /// So many bytes came.
    pub(super) fn heard(&self, way: Direction, bytes: usize) {
        let traffic = &mut self.lock().traffic;
        match way {
            Direction::In => traffic.heard_bytes += bytes as u64,
            Direction::Out => traffic.answered_bytes += bytes as u64,
        }
    }

    /// A packet was stored.
    pub(super) fn recorded(&self) {
        const SECOND: Duration = Duration::from_secs(1);
        let now = Instant::now();
        let mut counted = self.lock();
        counted.traffic.packets += 1;
        match counted.lately.back_mut() {
            Some((since, n)) if now.duration_since(*since) < SECOND => *n += 1,
            _ => counted.lately.push_back((now, 1)),
        }
        counted.forget(now);
    }

    /// So many bytes are not in the store.
    pub(super) fn lost(&self, bytes: usize) {
        self.lock().traffic.not_recorded_bytes += bytes as u64;
    }

    /// What came of dialling the other server.
    pub(super) fn dialled(&self, upstream: Upstream) {
        self.lock().upstream = upstream;
    }

    /// True where the other server took the last connection, or none was tried.
    pub(super) fn is_reached(&self) -> bool {
        !matches!(self.lock().upstream, Upstream::Failed { .. })
    }

    pub(super) fn read(&self) -> (Upstream, TapTraffic) {
        let mut counted = self.lock();
        counted.forget(Instant::now());
        let packets_in_a_minute = counted.lately.iter().map(|(_, n)| n).sum();
        (counted.upstream.clone(), TapTraffic { packets_in_a_minute, ..counted.traffic })
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        // Nothing that is done under this lock leaves half a thought behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn forget(&mut self, now: Instant) {
        let span = Duration::from_secs(SPAN_S.into());
        while self.lately.front().is_some_and(|(since, _)| now.duration_since(*since) > span) {
            self.lately.pop_front();
        }
    }
}
