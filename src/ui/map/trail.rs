//! One device's track on the map, ready to draw at any zoom.

use jiff::SignedDuration;

use crate::{
    geo::{LatLon, mercator::World, pyramid::Pyramid},
    model::{FASTEST_KMH, Leaps, PacketId, Readings, Spot, StoredFix, Timestamp, Trust, watch::rhythm},
    ui::{format, view::Units},
};

/// A device that is silent for this many times its rhythm, and is elsewhere then, leaves a gap.
const GAP_RHYTHMS: i32 = 5;

/// Less than this is no gap however long it took, in metres: the device rested.
const GAP_MIN_M: f64 = 50.0;

/// Points among which one is looked for by halves.
const NEAR: usize = 8;

/// Fixes in doubt of a trail that are kept at most, of each kind; the oldest go first.
const MAX_DOUBTED: usize = 2_000;

/// A device's fixes in order of time with a level of detail per zoom. Those in doubt are kept beside the line, never on it.
#[derive(Debug, Default)]
pub struct Trail {
    line: Pyramid,
    points: Vec<TrailPoint>,
    /// Those under a wrong checksum, oldest first: the place may be anywhere, so they tell neither the way nor the rhythm.
    suspect: Vec<(TrailPoint, World)>,
    /// Those that nothing could have reached so fast, oldest first (`model::Leaps`).
    outliers: Vec<(TrailPoint, World)>,
    leaps: Leaps,
    extent: Extent,
    cut_at: Option<usize>,
}

/// Between which numbers the points of a trail lie; late points may leave it wider than they are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Extent {
    pub first: Option<Timestamp>,
    pub fastest_kmh: Option<f32>,
    pub altitude_m: Option<(f32, f32)>,
}

impl Extent {
    fn take(&mut self, point: &TrailPoint) {
        self.first = Some(self.first.map_or(point.at, |first| first.min(point.at)));
        self.fastest_kmh = match (self.fastest_kmh, point.speed_kmh) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        if let Some(m) = point.altitude_m {
            self.altitude_m = Some(self.altitude_m.map_or((m, m), |(low, high)| (low.min(m), high.max(m))));
        }
    }
}

/// Why a fix is beside the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Doubt {
    /// The checksum over its bytes was wrong.
    Checksum,
    /// It would have taken this speed to get there from the fix before.
    Leap { kmh: f32 },
}

impl Doubt {
    /// As a line for a person.
    pub fn text(self, units: Units) -> String {
        match self {
            Self::Checksum => "Suspect: its checksum was wrong".to_owned(),
            Self::Leap { kmh } => {
                format!("Outlier: {} from the fix before, which nothing does", format::speed(kmh.into(), units))
            }
        }
    }
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
    pub altitude_m: Option<f32>,
    /// Charge in percent, where the same packet told it.
    pub battery_pct: Option<u8>,
    /// As the device estimates it, in metres.
    pub accuracy_m: Option<f32>,
    /// Satellites did not hold: the place comes from the cells around it, or is an old one.
    pub rough: bool,
    /// By its speed, or where that is unknown by the way from the point before.
    pub moving: bool,
    /// `None` on the line.
    pub doubt: Option<Doubt>,
    /// Puts fixes of one moment in an order that has nothing to do with their arrival.
    tie: u64,
}

impl TrailPoint {
    /// Where it belongs in time.
    fn order(&self) -> (Timestamp, u64, i64) {
        (self.at, self.tie, self.fix)
    }

    fn spot(&self, place: LatLon) -> Spot {
        Spot { at: self.at, place, accuracy_m: self.accuracy_m.map(f64::from) }
    }
}

/// The same for the same place, whatever row it has.
fn tie(place: LatLon) -> u64 {
    place.lat_deg().to_bits().rotate_left(32) ^ place.lon_deg().to_bits()
}

impl Trail {
    /// From fixes in any order.
    pub fn from_fixes(mut fixes: Vec<StoredFix>) -> Self {
        fixes.sort_by_key(|f| (f.fix.at, tie(f.fix.place), f.id));
        let mut trail = Self::default();
        for fix in &fixes {
            trail.push(fix);
        }
        trail
    }

    /// Adds a fix; one that is older than the newest takes its place in time. One that is there already changes nothing.
    pub fn push(&mut self, fix: &StoredFix) {
        #[expect(clippy::cast_possible_truncation, reason = "a speed and a radius for display")]
        let small = |value: Option<f64>| value.map(|v| v as f32);
        let point = TrailPoint {
            at: fix.fix.at,
            fix: fix.id,
            packet: fix.packet,
            speed_kmh: small(fix.fix.speed_kmh),
            altitude_m: small(fix.fix.altitude_m),
            battery_pct: battery_pct(&fix.readings),
            accuracy_m: small(fix.fix.accuracy_m),
            rough: !fix.fix.valid,
            moving: false,
            doubt: (fix.trust == Trust::Suspect).then_some(Doubt::Checksum),
            tie: tie(fix.fix.place),
        };
        let world = World::from_lat_lon(fix.fix.place);
        if fix.trust == Trust::Suspect {
            keep_beside(&mut self.suspect, point, world);
            return;
        }
        if self.holds(&point) {
            return;
        }
        // What came before a late fix stays; what comes after it goes through the rules again.
        let later = self.take_after(&point);
        self.append(point, world);
        for (point, world) in later {
            self.append(point, world);
        }
    }

    /// True where this very fix is on the line or an outlier.
    fn holds(&self, point: &TrailPoint) -> bool {
        let on_line = self.points.binary_search_by_key(&point.order(), TrailPoint::order).is_ok();
        on_line || self.outliers.binary_search_by_key(&point.order(), |(p, _)| p.order()).is_ok()
    }

    /// Takes off what belongs behind a point, in order of time, as if it had never come.
    fn take_after(&mut self, point: &TrailPoint) -> Vec<(TrailPoint, World)> {
        let place = self.points.partition_point(|p| p.order() < point.order());
        let beside = self.outliers.partition_point(|(p, _)| p.order() < point.order());
        if place == self.points.len() && beside == self.outliers.len() {
            return Vec::new();
        }
        let places = self.line.points().get(place..).unwrap_or_default().to_vec();
        let mut later: Vec<_> = self.points.split_off(place).into_iter().zip(places).collect();
        self.line.truncate(place);
        later.extend(self.outliers.split_off(beside));
        later.sort_by_key(|(p, _)| p.order());
        let last = self.points.last().copied().zip(self.line.points().last().copied());
        let newest = last.into_iter().chain(self.outliers.last().copied()).max_by_key(|(p, _)| p.order());
        let spot = |(p, world): (TrailPoint, World)| p.spot(world.lat_lon());
        self.leaps = Leaps { before: newest.map(spot), good: last.map(spot) };
        later
    }

    /// It was read up to so many points, and there are older ones.
    #[must_use]
    pub fn cut(self, points: usize) -> Self {
        Self { cut_at: Some(points), ..self }
    }

    /// Where [`Trail::cut`] was said of it: how many points were read.
    pub fn cut_at(&self) -> Option<usize> {
        self.cut_at
    }

    /// Points, oldest first.
    pub fn points(&self) -> &[TrailPoint] {
        &self.points
    }

    /// Between which numbers its points lie.
    pub fn extent(&self) -> Extent {
        self.extent
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

    /// The outliers and where they are, oldest first. They are no part of [`Trail::points`].
    pub fn outliers(&self) -> &[(TrailPoint, World)] {
        &self.outliers
    }

    /// Everything beside the line.
    fn beside(&self) -> impl Iterator<Item = &(TrailPoint, World)> {
        self.suspect.iter().chain(&self.outliers)
    }

    /// Why the position with this row id is beside the line; `None` where it is on it, or unknown here.
    pub fn doubt_of(&self, fix: i64) -> Option<Doubt> {
        self.beside().find(|(p, _)| p.fix == fix)?.0.doubt
    }

    /// The position with this row id and where it is, on the line or beside it. Looks at every point, the newest first.
    pub fn point_of(&self, fix: i64) -> Option<(TrailPoint, World)> {
        match self.find(fix) {
            Some(number) => Some((*self.points.get(number)?, self.place(number)?)),
            None => self.beside().find(|(p, _)| p.fix == fix).copied(),
        }
    }

    /// Where the position with this row id is, on the line or beside it.
    pub fn place_of(&self, fix: i64) -> Option<World> {
        self.point_of(fix).map(|(_, place)| place)
    }

    /// The point nearest to a place within `reach` units of it, on the line or beside it, and where it is.
    pub fn nearest(&self, place: World, reach: f64) -> Option<(TrailPoint, World)> {
        let number = self.line.nearest(place, reach);
        let on_line = number.and_then(|n| Some((*self.points.get(n)?, self.place(n)?)));
        let beside = self.beside().copied().filter(|(_, at)| at.distance(place) <= reach);
        on_line.into_iter().chain(beside).min_by(|a, b| a.1.distance(place).total_cmp(&b.1.distance(place)))
    }

    /// The line to draw.
    pub fn line(&self) -> &Pyramid {
        &self.line
    }

    /// The number of the first point that is not older than `at`.
    pub fn since(&self, at: Timestamp) -> usize {
        let points = &self.points;
        // Each point that is looked at has to be fetched, and a map full of trails asks this of all of them in every frame. Most devices report
        // at even intervals, so it is looked for where it should be.
        let (mut low, mut high) = (0, points.len());
        let mut near = NEAR;
        while high - low > near {
            let (first, last) = (points[low].at, points[high - 1].at);
            if at <= first {
                return low;
            }
            if last < at {
                return high;
            }
            let guess = low + share(at.duration_since(first), last.duration_since(first), high - low);
            let (before, after) = (guess.saturating_sub(near / 2).max(low), (guess + near / 2).min(high - 1));
            if at <= points[before].at {
                high = before;
            } else if at <= points[after].at {
                (low, high) = (before + 1, after);
            } else {
                low = after + 1;
            }
            // Where intervals are uneven, wider and wider around.
            near = near.saturating_mul(4);
        }
        low + points[low..high].partition_point(|p| p.at < at)
    }

    /// The last intervals between points, newest first, each with whether the device moved at its start.
    pub fn intervals(&self) -> impl Iterator<Item = (bool, SignedDuration)> + Clone {
        self.points.windows(2).rev().map(|pair| (pair[0].moving, pair[1].at.duration_since(pair[0].at)))
    }

    fn append(&mut self, point: TrailPoint, world: World) {
        let mut point = TrailPoint { doubt: None, ..point };
        if let Some(kmh) = self.leaps.judge(point.spot(world.lat_lon())) {
            #[expect(clippy::cast_possible_truncation, reason = "a speed for display")]
            let kmh = kmh as f32;
            keep_beside(&mut self.outliers, TrailPoint { doubt: Some(Doubt::Leap { kmh }), ..point }, world);
            return;
        }
        let mut gap = false;
        if let (Some(before), Some(from)) = (self.points.last(), self.line.points().last()) {
            let took = point.at.duration_since(before.at);
            let world = world.near(*from);
            let metres = from.distance(world) * world.metres_per_unit();
            let kmh = metres / took.as_secs_f64().max(1.0) * 3.6;
            point.moving = point.speed_kmh.map_or(kmh, f64::from) >= rhythm::MOVING_KMH;
            // The rhythm is asked for only where it can matter, for it takes longer than all the rest.
            let silent = || took > rhythm::FLOOR * GAP_RHYTHMS && took > self.patience();
            gap = metres > GAP_MIN_M && (kmh > FASTEST_KMH || silent());
        } else {
            point.moving = point.speed_kmh.is_some_and(|s| f64::from(s) >= rhythm::MOVING_KMH);
        }
        self.line.push(world, gap);
        self.extent.take(&point);
        self.points.push(point);
    }

    /// How long the device may be silent until nobody knows where it is.
    pub(super) fn patience(&self) -> SignedDuration {
        self.rhythm() * GAP_RHYTHMS
    }

    /// The median of the last intervals, [`rhythm::FLOOR`] at least.
    fn rhythm(&self) -> SignedDuration {
        let recent = &self.points[self.points.len().saturating_sub(rhythm::INTERVALS + 1)..];
        let intervals = recent.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at));
        rhythm::median(intervals).unwrap_or(rhythm::FLOOR).max(rhythm::FLOOR)
    }
}

/// The charge that a packet told, as whole percent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a percentage")]
fn battery_pct(readings: &Readings) -> Option<u8> {
    let percent = readings.get("batteryLevel")?.as_f64()?;
    (0.0..=100.0).contains(&percent).then(|| percent.round() as u8)
}

/// Adds a point to those beside the line, at its place in time and once.
fn keep_beside(beside: &mut Vec<(TrailPoint, World)>, point: TrailPoint, world: World) {
    let place = beside.partition_point(|(p, _)| p.order() < point.order());
    if beside.get(place).is_some_and(|(p, _)| p.fix == point.fix) {
        return;
    }
    beside.insert(place, (point, world));
    if beside.len() > MAX_DOUBTED {
        beside.remove(0);
    }
}

/// As much of a length as a time is of a longer one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "no more than the length"
)]
fn share(part: SignedDuration, whole: SignedDuration, length: usize) -> usize {
    (part.as_secs_f64() / whole.as_secs_f64() * length as f64) as usize
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests;
