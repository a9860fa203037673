//! Where a device was at an instant.

use super::{Past, Point, stays::turn};
use crate::geo::LatLon;

/// Where a device was, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Whereabouts {
    pub place: LatLon,
    /// Clockwise from north; `None` where neither it nor its way says so.
    pub course_deg: Option<f64>,
    pub how: How,
    /// The number of the point it is or that was before it.
    pub point: usize,
}

/// How a place is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was measured at this very instant.
    Fix,
    /// Reckoned between two fixes that follow each other without a gap.
    Between,
    /// The last fix before, so many milliseconds old.
    Last { age_ms: i64 },
}

impl Past {
    /// Where the device was. `None` before its first fix.
    pub fn at(&self, at_ms: i64) -> Option<Whereabouts> {
        let (number, before) = self.last_before(at_ms)?;
        let known = |how, place, course_deg| Whereabouts { place, course_deg, how, point: number };
        let course = before.course_deg.map(f64::from);
        if before.at_ms == at_ms {
            return Some(known(How::Fix, before.place, course));
        }
        let last = || known(How::Last { age_ms: at_ms - before.at_ms }, before.place, course);
        let next = self.points[number + 1..].iter().find(|point| point.counts());
        let Some(next) = next.filter(|_| !self.in_gap(at_ms)) else { return Some(last()) };
        #[expect(clippy::cast_precision_loss, reason = "times within a span")]
        let part = (at_ms - before.at_ms) as f64 / (next.at_ms - before.at_ms) as f64;
        let Some(place) = between(before.place, next.place, part) else { return Some(last()) };
        Some(known(How::Between, place, course.or_else(|| bearing(before, next))))
    }

    /// The last point at or before an instant that is part of the way, and its number.
    pub fn last_before(&self, at_ms: i64) -> Option<(usize, &Point)> {
        let end = self.points.partition_point(|point| point.at_ms <= at_ms);
        self.points[..end].iter().enumerate().rev().find(|(_, point)| point.counts())
    }

    /// The first point after an instant that is part of the way, and its number.
    pub fn first_after(&self, at_ms: i64) -> Option<(usize, &Point)> {
        let start = self.points.partition_point(|point| point.at_ms <= at_ms);
        self.points.iter().enumerate().skip(start).find(|(_, point)| point.counts())
    }

    /// The point nearest in time that is part of the way, and its number.
    pub fn nearest(&self, at_ms: i64) -> Option<(usize, &Point)> {
        let (before, after) = (self.last_before(at_ms), self.first_after(at_ms));
        before.into_iter().chain(after).min_by_key(|(_, point)| (point.at_ms - at_ms).abs())
    }

    /// Nothing is known of this instant.
    pub fn in_gap(&self, at_ms: i64) -> bool {
        let after = self.gaps.partition_point(|(_, to)| *to <= at_ms);
        self.gaps.get(after).is_some_and(|(from, _)| *from < at_ms)
    }
}

/// A part of the straight way; places of one span are near enough for that. The short way around at the antimeridian.
fn between(a: LatLon, b: LatLon, part: f64) -> Option<LatLon> {
    let lat = a.lat_deg() + (b.lat_deg() - a.lat_deg()) * part;
    let lon = turn(a.lon_deg() + turn(b.lon_deg() - a.lon_deg()) * part);
    LatLon::new(lat, lon)
}

/// Nothing where it stands.
fn bearing(from: &Point, to: &Point) -> Option<f64> {
    const STANDING_M: f64 = 5.0;
    if from.place.distance_m(to.place) < STANDING_M {
        return None;
    }
    let (lat_a, lat_b) = (from.place.lat_deg().to_radians(), to.place.lat_deg().to_radians());
    let east = (to.place.lon_deg() - from.place.lon_deg()).to_radians();
    let y = east.sin() * lat_b.cos();
    let x = lat_a.cos() * lat_b.sin() - lat_a.sin() * lat_b.cos() * east.cos();
    Some(y.atan2(x).to_degrees().rem_euclid(360.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::track::{Aside, testing::point};

    fn past(points: &[(i64, f64, f64)]) -> Past {
        Past::of(points.iter().map(|(second, lat, lon)| point(*second, *lat, *lon)).collect())
    }

    fn ms(second: i64) -> i64 {
        point(second, 0.0, 0.0).at_ms
    }

    #[test]
    fn between_two_fixes_it_is_reckoned_and_across_a_gap_it_is_the_last() {
        let past = past(&[(0, 51.0, 4.0), (60, 51.01, 4.0), (4_000, 51.5, 4.0), (4_060, 51.51, 4.0)]);
        let how = |second| past.at(ms(second)).map(|w| (w.how, (w.place.lat_deg() * 1e4).round() / 1e4, w.point));
        assert_eq!(how(-1), None);
        assert_eq!(how(0), Some((How::Fix, 51.0, 0)));
        assert_eq!(how(30), Some((How::Between, 51.005, 0)));
        assert_eq!(how(1_060), Some((How::Last { age_ms: 1_000_000 }, 51.01, 1)));
        assert_eq!(how(4_030), Some((How::Between, 51.505, 2)));
        assert_eq!(how(5_000), Some((How::Last { age_ms: 940_000 }, 51.51, 3)));
        let course = past.at(ms(30)).unwrap().course_deg.unwrap();
        assert!(!(0.1..=359.9).contains(&course), "{course}");
    }

    #[test]
    fn what_is_beside_the_way_is_nowhere() {
        let mut points = vec![point(0, 51.0, 4.0), point(60, 10.0, 10.0), point(120, 51.02, 4.0)];
        points[1].aside = Some(Aside::Checksum);
        let past = Past::of(points);
        let there = past.at(ms(60)).unwrap();
        assert_eq!(there.how, How::Between);
        assert!((there.place.lat_deg() - 51.01).abs() < 1e-9);
        assert_eq!(past.nearest(ms(61)).map(|(n, _)| n), Some(2));
    }

    #[test]
    fn the_antimeridian_is_crossed_the_short_way() {
        let there = past(&[(0, 0.0, 179.99), (60, 0.0, -179.99)]).at(ms(45)).unwrap();
        assert!((there.place.lon_deg() + 179.995).abs() < 1e-9, "{:?}", there.place);
    }

    proptest! {
        #[test]
        fn whatever_the_instant_the_place_is_between_its_neighbours(
            steps in proptest::collection::vec((1i64..600, -0.01..0.01f64), 1..40), asked in 0i64..30_000
        ) {
            let (mut second, mut lat) = (0, 51.0);
            let points: Vec<_> = steps
                .iter()
                .map(|(wait, step)| {
                    (second, lat) = (second + wait, lat + step);
                    (second, lat, 4.0)
                })
                .collect();
            let past = past(&points);
            if let Some(there) = past.at(ms(asked)) {
                let a = past.points[there.point].place.lat_deg();
                let b = past.points.get(there.point + 1).map_or(a, |p| p.place.lat_deg());
                let here = there.place.lat_deg();
                prop_assert!(here >= a.min(b) - 1e-9 && here <= a.max(b) + 1e-9);
                prop_assert!(past.points[there.point].at_ms <= ms(asked));
            } else {
                prop_assert!(ms(asked) < past.points[0].at_ms);
            }
        }
    }
}
