//! What the map shows in place of the live picture: the tracks of a span, and where each device was at one moment of it.
//!
//! Who looks at history puts a [`Shown`] into `Data::shown`. The map then draws its tracks instead of the live trails, and each
//! device where it was at [`Shown::at`] instead of where it is; clicks, labels, colours, following and isolating work on it as
//! they do live. Without one the map is live again: nothing else has to be told. Playing is setting `at` again each frame.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    geo::mercator::{World, WorldBox},
    model::{DeviceId, TimeWindow, Timestamp},
};

use super::Trail;

/// A part of history on the map.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Only these devices are on the map. What is hidden from history must not be in their tracks.
    pub tracks: BTreeMap<DeviceId, Arc<Trail>>,
    /// The moment of the cursor: what lies ahead of it is drawn weaker, and devices stand where they were then. Without one each
    /// stands at the end of its track.
    pub at: Option<Timestamp>,
    /// What stands out, as a trip that was picked; everything else is drawn weaker.
    pub lit: Option<TimeWindow>,
}

impl Shown {
    /// Where a device was at the moment of the cursor; `None` before its first fix.
    pub fn moment(&self, device: DeviceId) -> Option<Moment> {
        let track = self.tracks.get(&device)?;
        track.moment(self.at.unwrap_or(Timestamp::MAX))
    }

    /// The box around all tracks; `None` where there is no point.
    pub fn bounds(&self) -> Option<WorldBox> {
        let boxes = self.tracks.values().map(|t| t.line().bounds()).filter(|b| !b.is_empty());
        // Each counted on from the side of the antimeridian that is nearer to the others.
        let all = boxes.fold(WorldBox::EMPTY, |all, b| {
            let worlds = if all.is_empty() { 0.0 } else { (all.center().x - b.center().x).round() };
            all.union(b.shifted(worlds))
        });
        Some(all).filter(|b| !b.is_empty())
    }
}

/// Where a device was at some moment, at a fix or between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    pub place: World,
    /// Number of the last point of the track that is not later.
    pub point: usize,
    /// Degrees clockwise from north; `None` where it stood.
    pub heading_deg: Option<f64>,
    /// Nothing tells where it was: the moment is in a gap, or long after the last fix. The place is that of the fix before.
    pub unsure: bool,
}

impl Trail {
    /// Where the device was at a moment; `None` before the first fix.
    pub fn moment(&self, at: Timestamp) -> Option<Moment> {
        let point = self.points().partition_point(|p| p.at <= at).checked_sub(1)?;
        let (place, before) = (self.place(point)?, self.points().get(point)?);
        let waited = at.duration_since(before.at);
        let next = self.points().get(point + 1).zip(self.place(point + 1));
        let Some((after, to)) = next else {
            // At the end of time the end of the track is meant.
            let unsure = at != Timestamp::MAX && waited > self.patience();
            return Some(Moment { place, point, heading_deg: self.arrived(point), unsure });
        };
        // A line right across the world is one across the antimeridian.
        if self.line().is_break(point + 1) || (to.x - place.x).abs() > 0.5 {
            return Some(Moment { place, point, heading_deg: self.arrived(point), unsure: waited > self.patience() });
        }
        let whole = after.at.duration_since(before.at).as_secs_f64();
        let part = if whole > 0.0 { (waited.as_secs_f64() / whole).clamp(0.0, 1.0) } else { 0.0 };
        let between = World { x: place.x + (to.x - place.x) * part, y: place.y + (to.y - place.y) * part };
        let heading_deg = after.moving.then(|| heading_deg(place, to)).flatten();
        Some(Moment { place: between, point, heading_deg, unsure: false })
    }

    /// Where the last step to a point led, if it moved there.
    fn arrived(&self, point: usize) -> Option<f64> {
        let moving = self.points().get(point)?.moving;
        let from = self.place(point.checked_sub(1)?)?;
        heading_deg(from, self.place(point)?).filter(|_| moving)
    }
}

/// Degrees clockwise from north; on this map every direction is true. `None` where there is no way between.
fn heading_deg(from: World, to: World) -> Option<f64> {
    let (x, y) = (to.x - from.x, from.y - to.y);
    (x != 0.0 || y != 0.0).then(|| x.atan2(y).to_degrees().rem_euclid(360.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        geo::LatLon,
        model::{Fix, PacketId, Readings, StoredFix, Trust},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn place(lat: f64, lon: f64) -> World {
        World::from_lat_lon(LatLon::new(lat, lon).unwrap())
    }

    /// East along the equator, a minute a step, then an hour of silence and on.
    fn track() -> Trail {
        let seconds = [0, 60, 120, 180, 3_780, 3_840];
        let fixes = seconds.into_iter().zip(0i32..).map(|(second, step)| {
            let fix = Fix {
                at: at(second),
                place: LatLon::new(0.0, f64::from(step) * 0.01).unwrap(),
                valid: true,
                altitude_m: None,
                speed_kmh: None,
                course_deg: None,
                satellites: None,
                accuracy_m: None,
            };
            let (trust, readings, id) = (Trust::Good, Readings::new(), i64::from(step));
            StoredFix { id, device: DeviceId(1), fix, received: at(second), trust, readings, packet: PacketId(id) }
        });
        Trail::from_fixes(fixes.collect())
    }

    #[test]
    fn a_device_is_between_its_fixes_but_never_in_a_gap() {
        let track = track();
        assert_eq!(track.moment(at(-1)), None, "it was nowhere yet");
        for (second, lon, point, unsure) in [
            (0, 0.0, 0, false),
            (90, 0.015, 1, false),
            (180, 0.03, 3, false),
            (200, 0.03, 3, false),
            (1_800, 0.03, 3, true),
            (3_810, 0.045, 4, false),
            (3_850, 0.05, 5, false),
            (90_000, 0.05, 5, true),
        ] {
            let moment = track.moment(at(second)).unwrap();
            assert!(moment.place.distance(place(0.0, lon)) < 1e-9, "{second}: {moment:?}");
            assert_eq!((moment.point, moment.unsure), (point, unsure), "{second}");
        }
        let heading = track.moment(at(90)).and_then(|m| m.heading_deg).unwrap();
        assert!((heading - 90.0).abs() < 1e-6, "{heading}");
    }

    #[test]
    fn without_a_moment_the_end_of_the_track_is_meant() {
        let mut shown = Shown { tracks: [(DeviceId(1), Arc::new(track()))].into(), ..Shown::default() };
        let end = shown.moment(DeviceId(1)).unwrap();
        assert!(end.place.distance(place(0.0, 0.05)) < 1e-9 && !end.unsure);
        assert_eq!(shown.moment(DeviceId(2)), None);
        shown.at = Some(at(60));
        assert!(shown.moment(DeviceId(1)).unwrap().place.distance(place(0.0, 0.01)) < 1e-9);
        assert!(shown.bounds().unwrap().contains(place(0.0, 0.02)));
    }
}
