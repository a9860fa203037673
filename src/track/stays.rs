//! Trips and stops, found from positions alone: no ignition, no events, so that a phone has them, too.
//!
//! A device *stops* where it stays within [`STOP_RADIUS_M`] for [`STOP_MS`] or longer. Receivers at rest wander, so what leaves that circle for no
//! more than [`MIN_TRIP_M`] and comes back has not left. A tracker that sleeps while it is parked tells nothing for hours: found again
//! at the same place, it stayed there. A *trip* is what lies between two stops. Silence of more than [`LOST_MS`] that ends elsewhere ends a trip, too:
//! nobody knows what happened meanwhile; a shorter one is a gap within it.

use std::ops::RangeInclusive;

use super::Point;
use crate::geo::LatLon;

/// Staying within this far is being at one place, in metres.
pub const STOP_RADIUS_M: f64 = 100.0;
/// Staying this long is a stop, in milliseconds: longer than most red lights.
pub const STOP_MS: i64 = 180_000;
/// A way that never leads this far from where it began is none, in metres.
pub const MIN_TRIP_M: f64 = 200.0;
/// After this much silence a device that is elsewhere has ended one trip and begun another, in milliseconds.
pub const LOST_MS: i64 = 3_600_000;

/// Between two fixes that are nearer in time than this no speed is taken from their places, in milliseconds: a metre of error is too much of it.
const LEAST_LEG_MS: i64 = 5_000;

/// From one place to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trip {
    /// Numbers of its first and last point; the first is the last one at the stop before.
    pub first: usize,
    pub last: usize,
    pub from_ms: i64,
    pub to_ms: i64,
    pub start: LatLon,
    pub end: LatLon,
    /// Along the way, point by point.
    pub distance_m: f64,
    /// The greatest that was told; where no speed was told, from place to place. `None`: neither can be said.
    pub top_kmh: Option<f64>,
}

impl Trip {
    pub fn duration_ms(&self) -> i64 {
        self.to_ms - self.from_ms
    }

    /// Distance over duration, pauses and gaps included; `None` where it took no time.
    pub fn mean_kmh(&self) -> Option<f64> {
        kmh(self.distance_m, self.duration_ms())
    }
}

/// At one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// Numbers of its first and last point.
    pub first: usize,
    pub last: usize,
    pub from_ms: i64,
    pub to_ms: i64,
    /// The middle of its points.
    pub place: LatLon,
}

impl Stop {
    pub fn duration_ms(&self) -> i64 {
        self.to_ms - self.from_ms
    }
}

/// A trip or a stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leg {
    Trip(Trip),
    Stop(Stop),
}

impl Leg {
    pub fn from_ms(&self) -> i64 {
        match self {
            Self::Trip(trip) => trip.from_ms,
            Self::Stop(stop) => stop.from_ms,
        }
    }

    pub fn to_ms(&self) -> i64 {
        match self {
            Self::Trip(trip) => trip.to_ms,
            Self::Stop(stop) => stop.to_ms,
        }
    }

    pub fn trip(&self) -> Option<&Trip> {
        match self {
            Self::Trip(trip) => Some(trip),
            Self::Stop(_) => None,
        }
    }

    pub fn stop(&self) -> Option<&Stop> {
        match self {
            Self::Stop(stop) => Some(stop),
            Self::Trip(_) => None,
        }
    }
}

/// Trips and stops among points in order of time, in that order. Points that are beside the way do not count. One that ends where another
/// begins shares that point's time with it; no two overlap otherwise.
pub fn legs(points: &[Point]) -> Vec<Leg> {
    let used: Vec<usize> = (0..points.len()).filter(|n| points[*n].counts()).collect();
    let way = Way { points, used: &used };
    let stays = way.joined(way.stays());
    let mut legs = Vec::new();
    let mut from = 0;
    for stay in &stays {
        way.trips(from..=*stay.range.start(), &mut legs);
        legs.push(Leg::Stop(way.stop(stay)));
        from = *stay.range.end();
    }
    if let Some(last) = used.len().checked_sub(1) {
        way.trips(from..=last, &mut legs);
    }
    legs
}

/// How fast a way of so many metres is in so many milliseconds.
pub(super) fn kmh(metres: f64, ms: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "less than a thousand years")]
    let seconds = ms as f64 / 1_000.0;
    (seconds > 0.0).then(|| metres / seconds * 3.6)
}

/// Points that count, by their place among all of them.
struct Way<'a> {
    points: &'a [Point],
    used: &'a [usize],
}

/// Some of them at one place.
#[derive(Clone)]
struct Stay {
    range: RangeInclusive<usize>,
    middle: Middle,
}

impl Way<'_> {
    fn at(&self, n: usize) -> &Point {
        &self.points[self.used[n]]
    }

    fn ms_between(&self, a: usize, b: usize) -> i64 {
        self.at(b).at_ms - self.at(a).at_ms
    }

    /// Runs of points that stay around one place for long enough.
    fn stays(&self) -> Vec<Stay> {
        let mut stays = Vec::new();
        let mut first = 0;
        while first < self.used.len() {
            let stay = self.stay_from(first);
            if self.ms_between(first, *stay.range.end()) >= STOP_MS {
                first = *stay.range.end() + 1;
                stays.push(stay);
            } else {
                first += 1;
            }
        }
        stays
    }

    /// The longest run from this point on. First around the point itself; once that is a stop, around the middle of what is there, which
    /// no single stray point moves far.
    fn stay_from(&self, first: usize) -> Stay {
        let anchor = self.at(first).place;
        let mut middle = Middle::new(anchor);
        let mut last = first;
        while last + 1 < self.used.len() {
            let next = self.at(last + 1).place;
            let around = if self.ms_between(first, last) >= STOP_MS { middle.place() } else { anchor };
            if !within(around, next, STOP_RADIUS_M) {
                break;
            }
            middle.add(next);
            last += 1;
        }
        Stay { range: first..=last, middle }
    }

    /// Takes two stays for one where the way between them never leads far.
    fn joined(&self, stays: Vec<Stay>) -> Vec<Stay> {
        let mut joined: Vec<Stay> = Vec::with_capacity(stays.len());
        for stay in stays {
            if let Some(before) = joined.last_mut() {
                let between = *before.range.end()..=*stay.range.start();
                let (here, there) = (before.middle.place(), stay.middle.place());
                let stayed = within(here, there, STOP_RADIUS_M)
                    && between.clone().all(|n| within(here, self.at(n).place, MIN_TRIP_M));
                if stayed {
                    before.range = *before.range.start()..=*stay.range.end();
                    before.middle.join(&stay.middle);
                    continue;
                }
            }
            joined.push(stay);
        }
        joined
    }

    fn stop(&self, stay: &Stay) -> Stop {
        let (first, last) = (*stay.range.start(), *stay.range.end());
        Stop {
            first: self.used[first],
            last: self.used[last],
            from_ms: self.at(first).at_ms,
            to_ms: self.at(last).at_ms,
            place: stay.middle.place(),
        }
    }

    /// The trips of a run of points between two stops.
    fn trips(&self, range: RangeInclusive<usize>, legs: &mut Vec<Leg>) {
        let (begin, end) = range.into_inner();
        let mut first = begin;
        for n in begin..end {
            if self.ms_between(n, n + 1) > LOST_MS {
                legs.extend(self.trip(first, n).map(Leg::Trip));
                first = n + 1;
            }
        }
        legs.extend(self.trip(first, end).map(Leg::Trip));
    }

    fn trip(&self, first: usize, last: usize) -> Option<Trip> {
        if first >= last {
            return None;
        }
        let start = self.at(first);
        let (mut distance_m, mut told, mut reckoned): (f64, Option<f64>, Option<f64>) = (0.0, None, None);
        let mut far = false;
        for n in first..=last {
            let here = self.at(n);
            told = told.max_of(here.speed_kmh.map(f64::from));
            far = far || !within(start.place, here.place, MIN_TRIP_M);
            if n > first {
                let metres = self.at(n - 1).place.distance_m(here.place);
                distance_m += metres;
                let ms = self.ms_between(n - 1, n);
                reckoned = reckoned.max_of(kmh(metres, ms).filter(|_| ms >= LEAST_LEG_MS));
            }
        }
        let end = self.at(last);
        far.then(|| Trip {
            first: self.used[first],
            last: self.used[last],
            from_ms: start.at_ms,
            to_ms: end.at_ms,
            start: start.place,
            end: end.place,
            distance_m,
            top_kmh: told.or(reckoned),
        })
    }
}

/// The greater of what is known.
pub(super) trait MaxOf {
    fn max_of(self, other: Self) -> Self;
}

impl MaxOf for Option<f64> {
    fn max_of(self, other: Self) -> Self {
        match (self, other) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Mostly decided without any trigonometry.
fn within(a: LatLon, b: LatLon, metres: f64) -> bool {
    const METRES_PER_DEGREE: f64 = 111_400.0;
    let north_m = (a.lat_deg() - b.lat_deg()).abs() * METRES_PER_DEGREE;
    if north_m > metres * 1.01 {
        return false;
    }
    let east_m = (a.lon_deg() - b.lon_deg()).abs() * METRES_PER_DEGREE;
    north_m + east_m <= metres || a.distance_m(b) <= metres
}

/// The middle of places that are near each other, as steps from the first; so the antimeridian is no matter.
#[derive(Clone)]
struct Middle {
    first: LatLon,
    north_deg: f64,
    east_deg: f64,
    places: f64,
}

impl Middle {
    fn new(first: LatLon) -> Self {
        Self { first, north_deg: 0.0, east_deg: 0.0, places: 1.0 }
    }

    fn add(&mut self, place: LatLon) {
        self.north_deg += place.lat_deg() - self.first.lat_deg();
        self.east_deg += turn(place.lon_deg() - self.first.lon_deg());
        self.places += 1.0;
    }

    fn join(&mut self, other: &Self) {
        let north = other.first.lat_deg() - self.first.lat_deg();
        let east = turn(other.first.lon_deg() - self.first.lon_deg());
        self.north_deg += other.north_deg + north * other.places;
        self.east_deg += other.east_deg + east * other.places;
        self.places += other.places;
    }

    fn place(&self) -> LatLon {
        let lat = self.first.lat_deg() + self.north_deg / self.places;
        let lon = turn(self.first.lon_deg() + self.east_deg / self.places);
        LatLon::new(lat.clamp(-90.0, 90.0), lon).unwrap_or(self.first)
    }
}

/// The short way around, -180 to 180.
pub(super) fn turn(deg: f64) -> f64 {
    if deg.abs() <= 180.0 { deg } else { (deg + 180.0).rem_euclid(360.0) - 180.0 }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::track::{Aside, testing::point};

    /// Metres north of a place, as a latitude.
    fn north(metres: f64) -> f64 {
        51.0 + metres / 111_195.0
    }

    /// Points of `(seconds, metres north)`.
    fn way(points: &[(i64, f64)]) -> Vec<Point> {
        points.iter().map(|(second, metres)| point(*second, north(*metres), 4.0)).collect()
    }

    /// `stop 0-600`, `trip 600-1200`: seconds.
    fn said(points: &[Point]) -> Vec<String> {
        legs(points)
            .iter()
            .map(|leg| {
                let word = if leg.trip().is_some() { "trip" } else { "stop" };
                let second = |ms: i64| (ms - point(0, 0.0, 0.0).at_ms) / 1_000;
                format!("{word} {}-{}", second(leg.from_ms()), second(leg.to_ms()))
            })
            .collect()
    }

    /// A day of a van: parked, 10 km, ten minutes at a customer, back, parked.
    fn day() -> Vec<Point> {
        let mut points = vec![(0, 0.0), (300, 2.0), (600, 0.0)];
        points.extend((1..=20).map(|n| (600 + n * 30, n as f64 * 500.0)));
        points.extend((1..=10).map(|n| (1_200 + n * 60, 10_000.0 + (n % 2) as f64 * 8.0)));
        points.extend((1..=20).map(|n| (1_800 + n * 30, 10_000.0 - n as f64 * 500.0)));
        points.extend([(3_000, 1.0), (30_000, 3.0)]);
        way(&points)
    }

    #[test]
    fn a_day_is_stops_with_trips_between() {
        assert_eq!(
            said(&day()),
            ["stop 0-600", "trip 600-1200", "stop 1200-1800", "trip 1800-2400", "stop 2400-30000"]
        );
        let legs = legs(&day());
        let trip = legs[1].trip().unwrap();
        assert!((trip.distance_m - 10_000.0).abs() < 20.0, "{}", trip.distance_m);
        assert!((trip.top_kmh.unwrap() - 60.0).abs() < 0.5, "no speed was told: {:?}", trip.top_kmh);
        assert!((trip.mean_kmh().unwrap() - 60.0).abs() < 0.5);
        let stop = legs[2].stop().unwrap();
        assert!(stop.place.distance_m(LatLon::new(north(10_004.0), 4.0).unwrap()) < 5.0);
    }

    #[test]
    fn a_red_light_is_no_stop() {
        let mut points: Vec<_> = (0..20).map(|n| (n * 10, n as f64 * 150.0)).collect();
        points.extend([(200, 2_900.0), (320, 2_900.0)]);
        points.extend((1..20).map(|n| (320 + n * 10, 2_900.0 + n as f64 * 150.0)));
        assert_eq!(said(&way(&points)), ["trip 0-510"]);
    }

    #[test]
    fn whoever_wanders_at_rest_has_not_left() {
        let mut points: Vec<_> = (0..20).map(|n| (n * 60, (n % 3) as f64 * 20.0)).collect();
        points.push((1_200, 160.0));
        points.extend((21..40).map(|n| (n * 60, (n % 3) as f64 * 20.0)));
        assert_eq!(said(&way(&points)), ["stop 0-2340"]);
    }

    #[test]
    fn a_sleeping_tracker_that_is_found_where_it_was_stayed_there() {
        assert_eq!(said(&way(&[(0, 0.0), (40_000, 30.0)])), ["stop 0-40000"]);
    }

    #[test]
    fn long_silence_that_ends_elsewhere_parts_two_trips() {
        let first = (0..10).map(|n| (n * 30, n as f64 * 400.0));
        let second = (0..10).map(|n| (9_000 + n * 30, 90_000.0 + n as f64 * 400.0));
        let points: Vec<_> = first.chain(second).collect();
        assert_eq!(said(&way(&points)), ["trip 0-270", "trip 9000-9270"]);
        // A tunnel is no reason.
        let second = (0..10).map(|n| (1_000 + n * 30, 14_000.0 + n as f64 * 400.0));
        let points: Vec<_> = (0..10).map(|n| (n * 30, n as f64 * 400.0)).chain(second).collect();
        assert_eq!(said(&way(&points)), ["trip 0-1270"]);
    }

    #[test]
    fn what_is_beside_the_way_makes_no_trip() {
        let mut points = way(&[(0, 0.0), (300, 0.0), (360, 90_000.0), (420, 0.0), (600, 0.0)]);
        points[2].aside = Some(Aside::Leap);
        assert_eq!(said(&points), ["stop 0-600"]);
    }

    #[test]
    fn the_greatest_speed_is_the_one_that_was_told() {
        let mut points = day();
        points[5].speed_kmh = Some(83.0);
        let legs = legs(&points);
        assert_eq!(legs[1].trip().unwrap().top_kmh, Some(83.0));
    }

    proptest! {
        #[test]
        fn legs_are_in_order_and_within_the_points(
            steps in proptest::collection::vec((0i64..4_000, -400.0..400.0f64, any::<bool>()), 0..120)
        ) {
            let (mut second, mut metres) = (0, 0.0);
            let points: Vec<_> = steps
                .iter()
                .map(|(wait, step, aside)| {
                    (second, metres) = (second + wait, metres + step);
                    Point { aside: (*aside && *step > 300.0).then_some(Aside::Checksum), ..way(&[(second, metres)])[0] }
                })
                .collect();
            let legs = legs(&points);
            for leg in &legs {
                prop_assert!(leg.from_ms() <= leg.to_ms());
                let (first, last) = match leg {
                    Leg::Trip(trip) => (trip.first, trip.last),
                    Leg::Stop(stop) => (stop.first, stop.last),
                };
                prop_assert!(first < last && points[first].counts() && points[last].counts());
                prop_assert_eq!((points[first].at_ms, points[last].at_ms), (leg.from_ms(), leg.to_ms()));
                match leg {
                    Leg::Stop(stop) => prop_assert!(stop.duration_ms() >= STOP_MS),
                    Leg::Trip(trip) => {
                        prop_assert!(trip.distance_m + 1e-6 >= trip.start.distance_m(trip.end));
                        prop_assert!(trip.distance_m > MIN_TRIP_M * 0.99);
                    }
                }
            }
            for pair in legs.windows(2) {
                prop_assert!(pair[0].to_ms() <= pair[1].from_ms());
            }
        }
    }
}
