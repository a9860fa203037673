//! One device's span of history, with all that was found in it.

use super::{Aside, Leg, Point, Stats, legs, rhythm};
use crate::model::{Leaps, Spot, Timestamp};

/// Positions of one device in order of time, and what they mean together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    pub points: Vec<Point>,
    /// Trips and stops in order of time.
    pub legs: Vec<Leg>,
    /// From when to when nothing is known, in milliseconds: silence that is long for this device. Not while it rested.
    pub gaps: Vec<(i64, i64)>,
    pub stats: Stats,
    /// There is more in the span than was read: a bound was reached.
    pub cut: bool,
}

impl Past {
    /// Finds everything. `points` are in order of time; those that nothing could have reached are marked as such.
    pub fn of(mut points: Vec<Point>) -> Self {
        mark_leaps(&mut points);
        let legs = legs(&points);
        let gaps = gaps(&points, &legs);
        let stats = Stats::of(&points, &legs, &gaps);
        Self { points, legs, gaps, stats, cut: false }
    }

    /// The trip or stop of an instant.
    pub fn leg_at(&self, at_ms: i64) -> Option<&Leg> {
        let after = self.legs.partition_point(|leg| leg.to_ms() < at_ms);
        self.legs.get(after).filter(|leg| leg.from_ms() <= at_ms)
    }

    /// Points from one instant to another, both included.
    pub fn within(&self, from_ms: i64, to_ms: i64) -> &[Point] {
        let first = self.points.partition_point(|point| point.at_ms < from_ms);
        let end = self.points.partition_point(|point| point.at_ms <= to_ms).max(first);
        &self.points[first..end]
    }

    /// The point of the position with this row id.
    pub fn find(&self, fix: i64) -> Option<&Point> {
        self.points.iter().find(|point| point.fix == fix)
    }

    /// What the rule for outliers would hide.
    pub fn outliers(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|point| point.aside == Some(Aside::Leap))
    }
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// What is hidden or under a wrong checksum is not asked.
fn mark_leaps(points: &mut [Point]) {
    let mut leaps = Leaps::default();
    for point in points.iter_mut().filter(|point| point.counts()) {
        let spot = Spot { at: time(point.at_ms), place: point.place, accuracy_m: point.accuracy_m.map(f64::from) };
        if leaps.judge(spot).is_some() {
            point.aside = Some(Aside::Leap);
        }
    }
}

/// Silences that are long for this device, where it did not rest meanwhile.
fn gaps(points: &[Point], legs: &[Leg]) -> Vec<(i64, i64)> {
    let mut rhythm = rhythm::Rhythm::new();
    let mut gaps = Vec::new();
    let mut before: Option<i64> = None;
    let mut stops = legs.iter().filter_map(Leg::stop).peekable();
    for point in points.iter().filter(|point| point.counts()) {
        let at = time(point.at_ms);
        if let Some(from) = before
            && rhythm::between(time(from), at, rhythm.median())
        {
            while stops.next_if(|stop| stop.to_ms <= from).is_some() {}
            let rested = stops.peek().is_some_and(|stop| stop.from_ms <= from && point.at_ms <= stop.to_ms);
            if !rested {
                gaps.push((from, point.at_ms));
            }
        }
        rhythm.hear(at);
        before = Some(point.at_ms);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::{HideReason, testing::point};

    #[test]
    fn silence_is_a_gap_unless_it_rested() {
        let at = |second| point(second, 0.0, 0.0).at_ms;
        let mut points: Vec<_> =
            (0..40).map(|n| point(n * 30, 51.0 + f64::from(i32::try_from(n).unwrap()) * 0.003, 4.0)).collect();
        points.push(point(3_000, 51.3, 4.0));
        // From here on it rests, and sleeps.
        points.push(point(3_060, 51.3, 4.0));
        points.push(point(9_000, 51.3, 4.0));
        let past = Past::of(points);
        assert_eq!(past.gaps, [(at(1_170), at(3_000))]);
        assert!(past.in_gap(at(2_000)) && !past.in_gap(at(5_000)) && !past.in_gap(at(3_000)));
    }

    #[test]
    fn an_outlier_is_marked_and_a_hidden_point_is_not_asked() {
        let mut points: Vec<_> = (0..5).map(|n| point(n * 30, 51.0, 4.0)).collect();
        points[2].place = crate::geo::LatLon::new(-33.9, 151.2).unwrap();
        let past = Past::of(points.clone());
        assert_eq!(past.outliers().map(|p| p.fix).collect::<Vec<_>>(), [points[2].fix]);
        assert_eq!((past.stats.outliers, past.stats.hidden, past.stats.points), (1, 0, 4));
        points[2].aside = Some(Aside::Hidden(HideReason::Outlier));
        let past = Past::of(points);
        assert_eq!((past.outliers().count(), past.stats.hidden), (0, 1));
    }

    #[test]
    fn the_leg_of_an_instant() {
        let mut points: Vec<_> = (0..5).map(|n| point(n * 100, 51.0, 4.0)).collect();
        points.extend((1..9).map(|n| point(400 + n * 30, 51.0 + f64::from(i32::try_from(n).unwrap()) * 0.005, 4.0)));
        let past = Past::of(points);
        let at = |second| past.leg_at(point(second, 0.0, 0.0).at_ms).map(|leg| leg.trip().is_some());
        assert_eq!(
            [at(-1), at(0), at(399), at(500), at(640), at(641)],
            [None, Some(false), Some(false), Some(true), Some(true), None]
        );
    }
}
