//! Sums over a span.

use super::{
    Aside, Leg, Point,
    stays::{MaxOf as _, kmh},
};

/// What a span amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Of all trips.
    pub distance_m: f64,
    /// In trips, pauses of less than a stop included.
    pub moving_ms: i64,
    /// In stops.
    pub parked_ms: i64,
    /// The greatest of all trips.
    pub top_kmh: Option<f64>,
    pub trips: u64,
    pub stops: u64,
    /// Those that are part of the way.
    pub points: u64,
    pub gaps: u64,
    /// Put out of sight, by hand or by rule.
    pub hidden: u64,
    /// What nothing could have reached so fast, and nobody has hidden.
    pub outliers: u64,
    /// Under a wrong checksum.
    pub suspect: u64,
}

impl Stats {
    pub(super) fn of(points: &[Point], legs: &[Leg], gaps: &[(i64, i64)]) -> Self {
        let mut stats = Self { gaps: gaps.len() as u64, ..Self::default() };
        for leg in legs {
            match leg {
                Leg::Trip(trip) => {
                    stats.trips += 1;
                    stats.distance_m += trip.distance_m;
                    stats.moving_ms += trip.duration_ms();
                    stats.top_kmh = stats.top_kmh.max_of(trip.top_kmh);
                }
                Leg::Stop(stop) => {
                    stats.stops += 1;
                    stats.parked_ms += stop.duration_ms();
                }
            }
        }
        for point in points {
            let count = match point.aside {
                None => &mut stats.points,
                Some(Aside::Checksum) => &mut stats.suspect,
                Some(Aside::Leap) => &mut stats.outliers,
                Some(Aside::Hidden(_)) => &mut stats.hidden,
            };
            *count += 1;
        }
        stats
    }

    /// Distance over the time in trips; `None` without one.
    pub fn mean_kmh(&self) -> Option<f64> {
        kmh(self.distance_m, self.moving_ms)
    }

    /// Of two devices together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        let Self { distance_m, moving_ms, parked_ms, top_kmh, trips, stops, points, gaps, hidden, outliers, suspect } =
            other;
        self.distance_m += distance_m;
        self.moving_ms += moving_ms;
        self.parked_ms += parked_ms;
        self.top_kmh = self.top_kmh.max_of(*top_kmh);
        self.trips += trips;
        self.stops += stops;
        self.points += points;
        self.gaps += gaps;
        self.hidden += hidden;
        self.outliers += outliers;
        self.suspect += suspect;
        self
    }
}
