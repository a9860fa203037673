//! A vehicle on a way that somebody recorded or planned: in its own time, or at a speed that is said.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{geo::LatLon, model::Waymark};

/// Slower is standing.
const STANDING_KMH: f64 = 1.0;
/// A way from which a direction can be told.
const LEAST_WAY_M: f64 = 1.0;

/// Places with the seconds after which they are reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Track(Arc<[Stop]>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Stop {
    after_s: f64,
    place: LatLon,
    altitude_m: Option<f64>,
}

/// Why a way cannot be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDriven {
    #[error("not all of its points have a time; say how fast to drive, in km/h")]
    NoTimes,
    #[error("it does not lead from one place to another, or takes no time")]
    NoWay,
}

impl Track {
    /// In the times that it was recorded in.
    pub fn timed(way: &[Waymark]) -> Result<Self, NotDriven> {
        let mut marks: Vec<(Timestamp, &Waymark)> =
            way.iter().map(|mark| mark.at.map(|at| (at, mark))).collect::<Option<_>>().ok_or(NotDriven::NoTimes)?;
        marks.sort_by_key(|(at, _)| *at);
        marks.dedup_by_key(|(at, _)| *at);
        let Some(first) = marks.first().map(|(at, _)| *at) else { return Err(NotDriven::NoWay) };
        let stop = |(at, mark): &(Timestamp, &Waymark)| Stop {
            after_s: at.duration_since(first).as_secs_f64(),
            place: mark.place,
            altitude_m: mark.altitude_m,
        };
        Self::of(marks.iter().map(stop).collect())
    }

    /// At a speed above 0, whatever times it has.
    pub fn at_speed(way: &[Waymark], kmh: f64) -> Result<Self, NotDriven> {
        let mut after_s = 0.0;
        let mut before: Option<LatLon> = None;
        let mut stops = Vec::with_capacity(way.len());
        for mark in way {
            let metres = before.map_or(0.0, |before| before.distance_m(mark.place));
            if before.is_some() && metres <= 0.0 {
                continue;
            }
            after_s += metres * 3.6 / kmh;
            stops.push(Stop { after_s, place: mark.place, altitude_m: mark.altitude_m });
            before = Some(mark.place);
        }
        Self::of(stops)
    }

    fn of(stops: Vec<Stop>) -> Result<Self, NotDriven> {
        let takes = stops.last().is_some_and(|last| last.after_s > 0.0 && last.after_s.is_finite());
        if stops.len() > 1 && takes { Ok(Self(stops.into())) } else { Err(NotDriven::NoWay) }
    }

    /// How long it takes, in seconds.
    pub fn takes_s(&self) -> f64 {
        self.0.last().map_or(0.0, |last| last.after_s)
    }
}

/// How a way is driven.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    /// So many times as fast as the track has it; above 0.
    pub faster: f64,
    /// At its end, back to its beginning, and so on.
    pub around: bool,
    /// Stands so many seconds before it sets off.
    pub waits_s: f64,
}

/// Somebody on a track: sets off when first asked, and stays at its end.
#[derive(Debug, Clone)]
pub(super) struct Follower {
    track: Track,
    manner: Manner,
    began: Option<Timestamp>,
    place: LatLon,
    height_m: f64,
    speed_kmh: f64,
    heading_deg: f64,
    moving: bool,
    arrived: bool,
}

impl Follower {
    pub(super) fn new(track: Track, manner: Manner, place: LatLon) -> Self {
        let first = track.0.first().copied();
        let place = first.map_or(place, |first| first.place);
        let height_m = first.and_then(|first| first.altitude_m).unwrap_or(0.0);
        Self {
            track,
            manner,
            began: None,
            place,
            height_m,
            speed_kmh: 0.0,
            heading_deg: 0.0,
            moving: false,
            arrived: false,
        }
    }

    pub(super) fn place(&self) -> LatLon {
        self.place
    }

    pub(super) fn height_m(&self) -> f64 {
        self.height_m
    }

    pub(super) fn speed_kmh(&self) -> f64 {
        self.speed_kmh
    }

    pub(super) fn heading_deg(&self) -> f64 {
        self.heading_deg
    }

    pub(super) fn ignition(&self) -> bool {
        self.moving
    }

    /// He stands at the end, and stays there.
    pub(super) fn arrived(&self) -> bool {
        self.arrived
    }

    /// Goes to where he is at this moment.
    pub(super) fn drive_until(&mut self, now: Timestamp) {
        let began = *self.began.get_or_insert(now);
        let driven_s = (now.duration_since(began).as_secs_f64() - self.manner.waits_s) * self.manner.faster;
        let whole_s = self.track.takes_s();
        let (there_s, back) = if self.manner.around && driven_s > 0.0 {
            let round = driven_s.rem_euclid(2.0 * whole_s);
            if round > whole_s { (2.0 * whole_s - round, true) } else { (round, false) }
        } else {
            (driven_s, false)
        };
        self.arrived = !self.manner.around && driven_s >= whole_s;
        self.moving = driven_s >= 0.0 && !self.arrived;
        self.stand_at(there_s.clamp(0.0, whole_s), back);
        if !self.moving {
            self.speed_kmh = 0.0;
        }
    }

    fn stand_at(&mut self, there_s: f64, back: bool) {
        let stops = &self.track.0;
        let next = stops.partition_point(|stop| stop.after_s <= there_s).clamp(1, stops.len().saturating_sub(1).max(1));
        let (Some(from), Some(to)) = (stops.get(next - 1), stops.get(next)) else { return };
        let takes_s = to.after_s - from.after_s;
        let part = ((there_s - from.after_s) / takes_s).clamp(0.0, 1.0);
        self.place = from.place.part_of_way(to.place, part);
        let height = |a: f64, b: f64| a + (b - a) * part;
        self.height_m = from.altitude_m.zip(to.altitude_m).map_or(self.height_m, |(a, b)| height(a, b));
        let way_m = from.place.distance_m(to.place);
        let speed_kmh = way_m / takes_s * 3.6 * self.manner.faster;
        self.speed_kmh = if speed_kmh < STANDING_KMH { 0.0 } else { speed_kmh };
        if way_m > LEAST_WAY_M {
            let (from, to) = if back { (to.place, from.place) } else { (from.place, to.place) };
            self.heading_deg = from.bearing_deg(to).unwrap_or(self.heading_deg);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn mark(lat: f64, lon: f64, after_s: Option<i64>) -> Waymark {
        Waymark { place: LatLon::new(lat, lon).unwrap(), altitude_m: Some(lat), at: after_s.map(at) }
    }

    /// East for 100 s, then a rest of 100 s, then north for 100 s.
    fn way() -> Vec<Waymark> {
        let marks = [(0.0, 0.0, 0), (0.0, 0.01, 100), (0.0, 0.01, 200), (0.01, 0.01, 300)];
        marks.into_iter().map(|(lat, lon, s)| mark(lat, lon, Some(s))).collect()
    }

    fn told(follower: &mut Follower, seconds: i64) -> (f64, f64, f64, f64, bool) {
        follower.drive_until(at(10_000 + seconds));
        let round = |x: f64, to: f64| (x * to).round() / to;
        let place = follower.place();
        let (lat, lon) = (round(place.lat_deg(), 1e4), round(place.lon_deg(), 1e4));
        (lat, lon, round(follower.speed_kmh(), 1.0), round(follower.heading_deg(), 1.0), follower.ignition())
    }

    fn follower(manner: Manner) -> Follower {
        Follower::new(Track::timed(&way()).unwrap(), manner, LatLon::new(0.0, 0.0).unwrap())
    }

    const PLAIN: Manner = Manner { faster: 1.0, around: false, waits_s: 0.0 };

    #[test]
    fn a_track_is_driven_in_its_own_time_and_ends() {
        let mut follower = follower(PLAIN);
        assert_eq!(told(&mut follower, 0), (0.0, 0.0, 40.0, 90.0, true));
        assert_eq!(told(&mut follower, 50), (0.0, 0.005, 40.0, 90.0, true));
        assert_eq!(told(&mut follower, 150), (0.0, 0.01, 0.0, 90.0, true));
        assert_eq!(told(&mut follower, 250), (0.005, 0.01, 40.0, 0.0, true));
        assert_eq!(told(&mut follower, 400), (0.01, 0.01, 0.0, 0.0, false));
    }

    #[test]
    fn it_is_driven_faster_and_back_and_later() {
        let mut follower = follower(Manner { faster: 10.0, around: true, waits_s: 5.0 });
        assert_eq!(told(&mut follower, 0), (0.0, 0.0, 0.0, 90.0, false));
        assert_eq!(told(&mut follower, 10), (0.0, 0.005, 400.0, 90.0, true));
        // 35 s: the end. Ten times 5 s further is half of the way back to the rest.
        assert_eq!(told(&mut follower, 40), (0.005, 0.01, 400.0, 180.0, true));
        assert_eq!(told(&mut follower, 60), (0.0, 0.005, 400.0, 270.0, true));
        assert_eq!(told(&mut follower, 70), (0.0, 0.005, 400.0, 90.0, true));
    }

    #[test]
    fn without_times_a_speed_has_to_be_said() {
        let way: Vec<_> = way().into_iter().map(|mark| Waymark { at: None, ..mark }).collect();
        assert_eq!(Track::timed(&way), Err(NotDriven::NoTimes));
        let track = Track::at_speed(&way, 36.0).unwrap();
        let metres = way[0].place.distance_m(way[1].place) + way[2].place.distance_m(way[3].place);
        assert!((track.takes_s() - metres / 10.0).abs() < 1e-6, "{}", track.takes_s());
        assert_eq!(Track::at_speed(&way[1..3], 36.0), Err(NotDriven::NoWay));
        assert_eq!(Track::timed(&[]), Err(NotDriven::NoWay));
    }
}
