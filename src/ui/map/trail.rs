//! One device's track on the map, ready to draw at any zoom.

use jiff::SignedDuration;

use crate::{
    geo::{mercator::World, pyramid::Pyramid},
    model::{PacketId, StoredFix, Timestamp, Trust},
};

/// Intervals that the rhythm of a device is taken from.
const RHYTHM_INTERVALS: usize = 20;

/// A rhythm faster than this counts as this.
pub(crate) const RHYTHM_FLOOR: SignedDuration = SignedDuration::from_secs(30);

/// A device that is silent for this many times its rhythm, and is elsewhere then, leaves a gap.
const GAP_RHYTHMS: i32 = 5;

/// Less than this is no gap however long it took, in metres: the device rested.
const GAP_MIN_M: f64 = 50.0;

/// Nothing that is tracked is faster, in km/h: one of the two places is wrong.
const ABSURD_KMH: f64 = 1_100.0;

/// From here on a device moves, in km/h; less is what receivers report at rest.
pub(crate) const MOVING_KMH: f64 = 3.0;

/// Suspect fixes of a trail that are kept at most; the oldest go first.
const MAX_SUSPECT: usize = 2_000;

/// A device's fixes in order of time with a level of detail per zoom. Suspect fixes are kept beside the line, never on it.
#[derive(Debug, Default)]
pub struct Trail {
    line: Pyramid,
    points: Vec<TrailPoint>,
    /// Those under a wrong checksum, oldest first: the place may be anywhere, so they tell neither the way nor the rhythm.
    suspect: Vec<(TrailPoint, World)>,
}

/// What a point of the trail stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailPoint {
    pub at: Timestamp,
    /// Row id of the position.
    pub fix: i64,
    /// The packet whose bytes say so.
    pub packet: PacketId,
    pub speed_kmh: Option<f32>,
    /// By its speed, or where that is unknown by the way from the point before.
    pub moving: bool,
    pub trust: Trust,
}

impl Trail {
    /// From fixes in any order.
    pub fn from_fixes(mut fixes: Vec<StoredFix>) -> Self {
        fixes.sort_by_key(|f| (f.fix.at, f.id));
        let mut trail = Self::default();
        for fix in &fixes {
            trail.push(fix);
        }
        trail
    }

    /// Adds a fix; one that is older than the newest takes its place in time. One that is there already changes nothing.
    pub fn push(&mut self, fix: &StoredFix) {
        #[expect(clippy::cast_possible_truncation, reason = "a speed in km/h for display")]
        let speed_kmh = fix.fix.speed_kmh.map(|s| s as f32);
        let (at, trust) = (fix.fix.at, fix.trust);
        let point = TrailPoint { at, fix: fix.id, packet: fix.packet, speed_kmh, moving: false, trust };
        let world = World::from_lat_lon(fix.fix.place);
        if trust == Trust::Suspect {
            self.push_suspect(point, world);
            return;
        }
        let place = self.points.partition_point(|p| (p.at, p.fix) < (fix.fix.at, fix.id));
        if self.points.get(place).is_some_and(|p| (p.at, p.fix) == (fix.fix.at, fix.id)) {
            return;
        }
        // What came before a late fix stays; what comes after it goes through the gap rule again.
        let later_points = self.points.split_off(place);
        let later_places: Vec<World> = self.line.points().get(place..).unwrap_or_default().to_vec();
        self.line.truncate(place);
        self.append(point, world);
        for (point, world) in later_points.into_iter().zip(later_places) {
            self.append(point, world);
        }
    }

    /// Points, oldest first.
    pub fn points(&self) -> &[TrailPoint] {
        &self.points
    }

    /// Where point `number` is.
    pub fn place(&self, number: usize) -> Option<World> {
        self.line.point(number)
    }

    /// The number of the position with this row id.
    pub fn find(&self, fix: i64) -> Option<usize> {
        // From the end, because what is selected is mostly recent.
        self.points.iter().rposition(|p| p.fix == fix)
    }

    /// The suspect fixes and where they are, oldest first. They are no part of [`Trail::points`].
    pub fn suspect(&self) -> &[(TrailPoint, World)] {
        &self.suspect
    }

    /// Where the position with this row id is, on the line or beside it.
    pub fn place_of(&self, fix: i64) -> Option<World> {
        match self.find(fix) {
            Some(number) => self.place(number),
            None => self.suspect.iter().find(|(p, _)| p.fix == fix).map(|(_, world)| *world),
        }
    }

    /// The point nearest to a place within `reach` units of it, on the line or beside it, and where it is.
    pub fn nearest(&self, place: World, reach: f64) -> Option<(TrailPoint, World)> {
        let number = self.line.nearest(place, reach);
        let on_line = number.and_then(|n| Some((*self.points.get(n)?, self.place(n)?)));
        let beside = self.suspect.iter().copied().filter(|(_, at)| at.distance(place) <= reach);
        on_line.into_iter().chain(beside).min_by(|a, b| a.1.distance(place).total_cmp(&b.1.distance(place)))
    }

    /// The line to draw.
    pub fn line(&self) -> &Pyramid {
        &self.line
    }

    /// The number of the first point that is not older than `at`.
    pub fn since(&self, at: Timestamp) -> usize {
        self.points.partition_point(|p| p.at < at)
    }

    /// The last intervals between points, newest first, each with whether the device moved at its start.
    pub fn intervals(&self) -> impl Iterator<Item = (bool, SignedDuration)> {
        self.points.windows(2).rev().map(|pair| (pair[0].moving, pair[1].at.duration_since(pair[0].at)))
    }

    fn push_suspect(&mut self, point: TrailPoint, world: World) {
        let place = self.suspect.partition_point(|(p, _)| (p.at, p.fix) < (point.at, point.fix));
        if self.suspect.get(place).is_some_and(|(p, _)| p.fix == point.fix) {
            return;
        }
        self.suspect.insert(place, (point, world));
        if self.suspect.len() > MAX_SUSPECT {
            self.suspect.remove(0);
        }
    }

    fn append(&mut self, point: TrailPoint, world: World) {
        let mut point = point;
        let mut gap = false;
        if let (Some(before), Some(from)) = (self.points.last(), self.line.points().last()) {
            let took = point.at.duration_since(before.at);
            let metres = from.distance(world) * world.metres_per_unit();
            let kmh = metres / took.as_secs_f64().max(1.0) * 3.6;
            point.moving = point.speed_kmh.map_or(kmh, f64::from) >= MOVING_KMH;
            // The rhythm is asked for only where it can matter, for it takes longer than all the rest.
            let silent = || took > RHYTHM_FLOOR * GAP_RHYTHMS && took > self.rhythm() * GAP_RHYTHMS;
            gap = metres > GAP_MIN_M && (kmh > ABSURD_KMH || silent());
        } else {
            point.moving = point.speed_kmh.is_some_and(|s| f64::from(s) >= MOVING_KMH);
        }
        self.line.push(world, gap);
        self.points.push(point);
    }

    /// The median of the last intervals, [`RHYTHM_FLOOR`] at least.
    fn rhythm(&self) -> SignedDuration {
        let recent = &self.points[self.points.len().saturating_sub(RHYTHM_INTERVALS + 1)..];
        let intervals = recent.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at));
        median(intervals).unwrap_or(RHYTHM_FLOOR).max(RHYTHM_FLOOR)
    }
}

/// The middle one of up to [`RHYTHM_INTERVALS`] durations; more are not looked at.
pub(crate) fn median(durations: impl Iterator<Item = SignedDuration>) -> Option<SignedDuration> {
    let mut sorted = [SignedDuration::ZERO; RHYTHM_INTERVALS];
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
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        geo::LatLon,
        model::{DeviceId, Fix, Readings},
    };

    fn fix(id: i64, second: i64, lat: f64, speed_kmh: Option<f64>) -> StoredFix {
        let at = Timestamp::from_second(1_700_000_000 + second).unwrap();
        let place = LatLon::new(lat, 4.0).unwrap();
        let fix = Fix {
            at,
            place,
            valid: true,
            altitude_m: None,
            speed_kmh,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        let (trust, readings) = (Trust::Good, Readings::new());
        StoredFix { id, device: DeviceId(1), fix, received: at, trust, readings, packet: PacketId(id) }
    }

    fn ids(trail: &Trail) -> Vec<i64> {
        trail.points().iter().map(|p| p.fix).collect()
    }

    #[test]
    fn a_late_fix_takes_its_place_in_time() {
        let mut trail =
            Trail::from_fixes(vec![fix(1, 0, 51.0, None), fix(2, 60, 51.001, None), fix(4, 180, 51.003, None)]);
        trail.push(&fix(5, 120, 51.002, None));
        assert_eq!(ids(&trail), [1, 2, 5, 4]);
        let place = trail.place(2).unwrap().lat_lon();
        assert!((place.lat_deg() - 51.002).abs() < 1e-9);
        assert_eq!(trail.find(5), Some(2));
        // The same once more, as after a lost answer.
        trail.push(&fix(5, 120, 51.002, None));
        assert_eq!(ids(&trail), [1, 2, 5, 4]);
    }

    #[test]
    fn silence_makes_a_gap_unless_the_device_rested() {
        let mut fixes: Vec<StoredFix> = (0..30).map(|n| fix(n, n * 60, 51.0 + n as f64 * 0.001, None)).collect();
        fixes.push(fix(30, 30 * 60 + 3_600, 51.03, None));
        fixes.push(fix(31, 30 * 60 + 7_200, 51.030_1, None));
        let trail = Trail::from_fixes(fixes);
        assert_eq!(trail.line().breaks().collect::<Vec<_>>(), [30]);
    }

    #[test]
    fn a_late_fix_fills_the_gap_it_belongs_to() {
        let mut trail = Trail::from_fixes(
            (0..30).filter(|n| !(10..20).contains(n)).map(|n| fix(n, n * 60, 51.0 + n as f64 * 0.001, None)).collect(),
        );
        assert_eq!(trail.line().breaks().count(), 1);
        for n in 10..20 {
            trail.push(&fix(n, n * 60, 51.0 + n as f64 * 0.001, None));
        }
        assert_eq!(trail.line().breaks().count(), 0);
        assert_eq!(ids(&trail), (0..30).collect::<Vec<_>>());
    }

    #[test]
    fn a_leap_that_nothing_can_make_is_a_gap() {
        let trail = Trail::from_fixes(vec![fix(1, 0, 51.0, None), fix(2, 10, 21.0, None), fix(3, 20, 51.0, None)]);
        assert_eq!(trail.line().breaks().collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_suspect_fix_is_not_on_the_line() {
        let mut trail = Trail::default();
        trail.push(&StoredFix { trust: Trust::Suspect, ..fix(1, 0, 51.0, None) });
        assert_eq!(ids(&trail), [] as [i64; 0]);
    }

    #[test]
    fn a_suspect_fix_is_kept_beside_the_line_and_can_be_pointed_at() {
        let suspect = |id, second, lat| StoredFix { trust: Trust::Suspect, ..fix(id, second, lat, None) };
        let trail = Trail::from_fixes(vec![
            fix(1, 0, 51.0, None),
            suspect(2, 30, 21.0),
            fix(3, 60, 51.001, None),
            suspect(4, 10, 22.0),
        ]);
        assert_eq!(ids(&trail), [1, 3]);
        assert_eq!(trail.line().breaks().count(), 0, "it tears no gap either");
        let beside: Vec<_> = trail.suspect().iter().map(|(point, _)| point.fix).collect();
        assert_eq!(beside, [4, 2]);
        let there = World::from_lat_lon(LatLon::new(21.0, 4.0).unwrap());
        assert_eq!(trail.place_of(2), Some(there));
        let hit = trail.nearest(there, 1e-6).map(|(point, _)| (point.fix, point.packet, point.trust));
        assert_eq!(hit, Some((2, PacketId(2), Trust::Suspect)));
        let on_line = World::from_lat_lon(LatLon::new(51.0, 4.0).unwrap());
        assert_eq!(trail.nearest(on_line, 1e-9).map(|(point, _)| point.fix), Some(1));
    }

    #[test]
    fn suspect_fixes_are_bounded_and_each_there_once() {
        let mut trail = Trail::default();
        let most = i64::try_from(MAX_SUSPECT).unwrap();
        for id in (0..most + 10).chain([most]) {
            trail.push(&StoredFix { trust: Trust::Suspect, ..fix(id, id, 51.0, None) });
        }
        assert_eq!(trail.suspect().len(), MAX_SUSPECT);
        assert_eq!(trail.suspect().first().map(|(point, _)| point.fix), Some(10));
    }

    proptest! {
        #[test]
        fn any_order_of_arrival_gives_the_same_trail(order in Just((0..40).collect::<Vec<i64>>()).prop_shuffle(), gap in 1i64..4_000) {
            let fixes: Vec<StoredFix> = (0..40).map(|n| fix(n, n * 60 + n / 17 * gap, 51.0 + n as f64 * 0.001, None)).collect();
            let mut trail = Trail::default();
            for n in order {
                trail.push(&fixes[usize::try_from(n).unwrap()]);
            }
            let expected = Trail::from_fixes(fixes);
            prop_assert_eq!(trail.points(), expected.points());
            prop_assert_eq!(trail.line().breaks().collect::<Vec<_>>(), expected.line().breaks().collect::<Vec<_>>());
        }
    }
}
