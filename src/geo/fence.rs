//! Circles and polygons on the globe: on which side of their border a place lies, and which of many may hold it.
//!
//! The edges of a polygon are straight in longitude and latitude, as GeoJSON has it (RFC 7946 §3.1.1), and each goes the short way round. A
//! polygon that goes round a pole holds that pole.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::LatLon;

/// Mean radius of the earth, in metres.
const RADIUS_M: f64 = 6_371_008.8;

/// Metres that a degree of latitude spans.
const METRES_PER_DEGREE: f64 = RADIUS_M * std::f64::consts::PI / 180.0;

/// An edge is measured in pieces no longer than this, in degrees, so that a piece is as good as a great circle.
const PIECE_DEG: f64 = 0.25;

/// Pieces of one polygon at most; then they are longer.
const MAX_PIECES: f64 = 2_048.0;

/// The sides of a grid's cells, in degrees.
const CELL_DEG: f64 = 0.5;

/// Cells round the globe.
const COLUMNS: i32 = 720;

/// What covers more cells than this is looked at for every place.
const MAX_CELLS: i32 = 400;

/// The outline of something on the globe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// `radius_m` above 0, in metres along the ground.
    Circle { center: LatLon, radius_m: f64 },
    /// Three corners at least, in order, the first not said again at the end.
    Polygon { corners: Vec<LatLon> },
}

/// On which side of a border a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Inside,
    Outside,
    /// The place is too unsure to say.
    Border,
}

impl Shape {
    /// Corners of a polygon at most.
    pub const MOST_CORNERS: usize = 1_000;

    /// The greatest radius in metres: a quarter of the way round the globe.
    pub const MOST_RADIUS_M: f64 = 10_000_000.0;

    /// The least radius in metres.
    pub const LEAST_RADIUS_M: f64 = 1.0;

    /// Why this is no outline of anything; `None` where it is one.
    pub fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Circle { radius_m, .. } => {
                let fits = (Self::LEAST_RADIUS_M..=Self::MOST_RADIUS_M).contains(radius_m);
                (!fits).then_some("the radius must be between 1 m and 10 000 km")
            }
            Self::Polygon { corners } if corners.len() > Self::MOST_CORNERS => {
                Some("a polygon has 1000 corners at most")
            }
            Self::Polygon { corners } => {
                let mut distinct: Vec<LatLon> = Vec::new();
                for corner in corners {
                    if distinct.len() < 3 && !distinct.contains(corner) {
                        distinct.push(*corner);
                    }
                }
                (distinct.len() < 3).then_some("a polygon needs three corners that differ")
            }
        }
    }

    /// What it covers, in square metres.
    pub fn area_m2(&self) -> f64 {
        match self {
            Self::Circle { radius_m, .. } => {
                std::f64::consts::TAU * RADIUS_M * RADIUS_M * (1.0 - (radius_m / RADIUS_M).cos())
            }
            Self::Polygon { corners } => {
                let ring = Ring::new(corners);
                let sum: f64 = ring.closed.windows(2).map(|edge| strip(edge[0], edge[1])).sum();
                sum.abs() * RADIUS_M * RADIUS_M / 2.0
            }
        }
    }

    /// Its middle: of a circle the centre, of a polygon the middle of its corners.
    pub fn middle(&self) -> LatLon {
        match self {
            Self::Circle { center, .. } => *center,
            Self::Polygon { corners } => {
                let sum = corners.iter().map(|c| unit(*c)).fold([0.0; 3], |sum, at| add(sum, at, 1.0));
                let flat = sum[0].hypot(sum[1]);
                let (lat, lon) = (sum[2].atan2(flat).to_degrees(), sum[1].atan2(sum[0]).to_degrees());
                LatLon::new(lat, lon).unwrap_or_else(|| corners.first().copied().expect("a polygon has corners"))
            }
        }
    }

    /// Places along its border, for drawing, the first not said again at the end. Longitudes go on beyond 180 where the border does.
    pub fn outline(&self) -> Vec<(f64, f64)> {
        match self {
            Self::Circle { center, radius_m } => circle_outline(*center, *radius_m),
            Self::Polygon { corners } => {
                let ring = Ring::new(corners);
                let mut outline = Vec::new();
                for edge in ring.border.windows(2) {
                    outline.extend(pieces(edge[0], edge[1], 1.0).map(|(from, _)| (from.1, from.0)));
                }
                outline
            }
        }
    }
}

/// Latitudes and longitudes of a circle's border; the longitudes go on beyond 180.
fn circle_outline(center: LatLon, radius_m: f64) -> Vec<(f64, f64)> {
    const STEPS: u32 = 96;
    let (lat, arc) = (center.lat_deg().to_radians(), radius_m / RADIUS_M);
    let mut before = center.lon_deg();
    let point = |step: u32| {
        let bearing = f64::from(step) / f64::from(STEPS) * std::f64::consts::TAU;
        let sin_lat = lat.sin() * arc.cos() + lat.cos() * arc.sin() * bearing.cos();
        let east = (bearing.sin() * arc.sin() * lat.cos()).atan2(arc.cos() - lat.sin() * sin_lat);
        // Each follows the one before it, so that a border round a pole does not jump back.
        before += short_way(center.lon_deg() + east.to_degrees() - before);
        (sin_lat.clamp(-1.0, 1.0).asin().to_degrees(), before)
    };
    (0..STEPS).map(point).collect()
}

/// A place as longitude and latitude in degrees, the longitude not wrapped.
type Flat = (f64, f64);

/// A polygon's corners with longitudes that do not jump.
struct Ring {
    /// The corners, and the first one again.
    border: Vec<Flat>,
    /// The same, by way of the pole where it goes round one.
    closed: Vec<Flat>,
}

impl Ring {
    fn new(corners: &[LatLon]) -> Self {
        let mut border: Vec<Flat> = Vec::with_capacity(corners.len() + 1);
        for corner in corners.iter().chain(corners.first()) {
            let lon = border.last().map_or(corner.lon_deg(), |(last, _)| last + short_way(corner.lon_deg() - last));
            border.push((lon, corner.lat_deg()));
        }
        let mut closed = border.clone();
        if let (Some(first), Some(last)) = (border.first(), border.last())
            && (first.0 - last.0).abs() > 180.0
        {
            #[expect(clippy::cast_precision_loss, reason = "a handful of corners")]
            let mean = border.iter().map(|(_, lat)| lat).sum::<f64>() / border.len() as f64;
            let pole = if mean < 0.0 { -90.0 } else { 90.0 };
            closed.extend([(last.0, pole), (first.0, pole), *first]);
        }
        Self { border, closed }
    }
}

/// A difference of longitudes, the short way round: above -180 and up to 180.
fn short_way(degrees: f64) -> f64 {
    let turned = (degrees + 180.0).rem_euclid(360.0) - 180.0;
    if turned <= -180.0 { 180.0 } else { turned }
}

/// Twice what lies between an edge and the equator, on a globe of radius 1.
fn strip(from: Flat, to: Flat) -> f64 {
    (to.0 - from.0).to_radians() * (from.1.to_radians().sin() + to.1.to_radians().sin())
}

/// An edge in pieces, of `length` times the usual one at most.
fn pieces(from: Flat, to: Flat, length: f64) -> impl Iterator<Item = (Flat, Flat)> {
    let span = (to.0 - from.0).abs().max((to.1 - from.1).abs());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a few thousand")]
    let n = (span / (PIECE_DEG * length)).ceil().clamp(1.0, MAX_PIECES) as u32;
    let at = move |step: u32| {
        let part = f64::from(step) / f64::from(n);
        (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part)
    };
    (0..n).map(move |step| (at(step), at(step + 1)))
}

type Vector = [f64; 3];

/// The place on a globe of radius 1.
fn unit(place: LatLon) -> Vector {
    flat_unit((place.lon_deg(), place.lat_deg()))
}

fn flat_unit((lon, lat): Flat) -> Vector {
    let (lat, lon) = (lat.to_radians(), lon.to_radians());
    [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn add(a: Vector, b: Vector, times: f64) -> Vector {
    [a[0] + b[0] * times, a[1] + b[1] * times, a[2] + b[2] * times]
}

/// Metres along the ground from a place to a piece of a border.
fn distance_to_piece_m(at: Vector, (from, to): (Vector, Vector)) -> f64 {
    let along = add(to, from, -1.0);
    let length = dot(along, along);
    let part = if length > 0.0 { (dot(add(at, from, -1.0), along) / length).clamp(0.0, 1.0) } else { 0.0 };
    // The chord lies below the ground.
    let nearest = add(from, along, part);
    let size = dot(nearest, nearest).sqrt().max(f64::MIN_POSITIVE);
    let gap = add(at, nearest, -1.0 / size);
    2.0 * RADIUS_M * (dot(gap, gap).sqrt() / 2.0).min(1.0).asin()
}

/// A shape, ready to be asked about many places.
#[derive(Debug, Clone)]
pub struct Fence {
    border: Border,
    /// Degrees of latitude that it lies within.
    south: f64,
    north: f64,
    /// Degrees of longitude that it lies within, from -540 to 540; `east` less `west` may be 360 and more.
    west: f64,
    east: f64,
}

#[derive(Debug, Clone)]
enum Border {
    Circle { center: LatLon, radius_m: f64 },
    Polygon { ring: Vec<Flat>, pieces: Vec<(Vector, Vector)> },
}

impl Fence {
    /// `None` for what [`Shape::fault`] finds fault with.
    pub fn new(shape: &Shape) -> Option<Self> {
        if shape.fault().is_some() {
            return None;
        }
        Some(match shape {
            Shape::Circle { center, radius_m } => Self::circle(*center, *radius_m),
            Shape::Polygon { corners } => Self::polygon(corners),
        })
    }

    fn circle(center: LatLon, radius_m: f64) -> Self {
        let (lat, reach) = (center.lat_deg(), radius_m / METRES_PER_DEGREE);
        let (south, north) = ((lat - reach).max(-90.0), (lat + reach).min(90.0));
        let wide = lat - reach <= -90.0 || lat + reach >= 90.0;
        let half = (radius_m / RADIUS_M).sin() / lat.to_radians().cos().max(f64::MIN_POSITIVE);
        let half = if wide || half >= 1.0 { 180.0 } else { half.asin().to_degrees() };
        let (west, east) = (center.lon_deg() - half, center.lon_deg() + half);
        Self { border: Border::Circle { center, radius_m }, south, north, west, east }
    }

    fn polygon(corners: &[LatLon]) -> Self {
        let Ring { border, closed } = Ring::new(corners);
        let around: f64 = border.windows(2).map(|e| (e[1].0 - e[0].0).abs().max((e[1].1 - e[0].1).abs())).sum();
        let length = (around / PIECE_DEG / MAX_PIECES).max(1.0);
        let pieces = border.windows(2).flat_map(|edge| pieces(edge[0], edge[1], length));
        let pieces = pieces.map(|(from, to)| (flat_unit(from), flat_unit(to))).collect();
        let least = |of: fn(&Flat) -> f64| closed.iter().map(of).fold(f64::INFINITY, f64::min);
        let most = |of: fn(&Flat) -> f64| closed.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let (south, north) = (least(|c| c.1), most(|c| c.1));
        let (west, east) = (least(|c| c.0), most(|c| c.0));
        // Above the pole, so that the pole itself is within.
        let beyond = |(lon, lat): Flat| (lon, if lat.abs() >= 90.0 { lat * 1.1 } else { lat });
        let ring = closed.into_iter().map(beyond).collect();
        Self { border: Border::Polygon { ring, pieces }, south, north, west, east }
    }

    /// Where a place is that is known to within `accuracy_m` metres. What the circle of its accuracy shares with the border decides nothing.
    pub fn side(&self, place: LatLon, accuracy_m: f64) -> Side {
        let accuracy_m = if accuracy_m.is_finite() { accuracy_m.max(0.0) } else { 0.0 };
        let away = (self.south - place.lat_deg()).max(place.lat_deg() - self.north);
        if away * METRES_PER_DEGREE > accuracy_m {
            return Side::Outside;
        }
        let (inside, to_border_m) = match &self.border {
            Border::Circle { center, radius_m } => {
                let to_center_m = center.distance_m(place);
                (to_center_m <= *radius_m, (radius_m - to_center_m).abs())
            }
            Border::Polygon { ring, pieces } => {
                let at = unit(place);
                let nearest = pieces.iter().map(|piece| distance_to_piece_m(at, *piece)).fold(f64::INFINITY, f64::min);
                (self.holds(ring, place), nearest)
            }
        };
        match inside {
            _ if to_border_m < accuracy_m => Side::Border,
            true => Side::Inside,
            false => Side::Outside,
        }
    }

    /// Whether a ring goes round a place, by how often a way to the east crosses it.
    fn holds(&self, ring: &[Flat], place: LatLon) -> bool {
        let lat = place.lat_deg();
        let round = [-360.0, 0.0, 360.0].map(|turn| place.lon_deg() + turn);
        round.into_iter().filter(|lon| (self.west..=self.east).contains(lon)).any(|lon| {
            let crossed = |edge: &&[Flat]| {
                let ((x1, y1), (x2, y2)) = (edge[0], edge[1]);
                (y1 > lat) != (y2 > lat) && lon < x1 + (lat - y1) / (y2 - y1) * (x2 - x1)
            };
            ring.windows(2).filter(crossed).count() % 2 == 1
        })
    }

    /// Cells that it may lie in; `None` where those are many.
    fn cells(&self) -> Option<Vec<(i32, i32)>> {
        let (first, last) = (row(self.south), row(self.north));
        let (from, to) = (column(self.west), column(self.east));
        let columns = (to - from + 1).min(COLUMNS);
        if (last - first + 1) * columns > MAX_CELLS {
            return None;
        }
        let cell = |row| (0..columns).map(move |step| (row, (from + step).rem_euclid(COLUMNS)));
        Some((first..=last).flat_map(cell).collect())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a few hundred at most")]
fn row(lat_deg: f64) -> i32 {
    (lat_deg / CELL_DEG).floor() as i32
}

/// Not wrapped.
#[expect(clippy::cast_possible_truncation, reason = "a few thousand at most")]
fn column(lon_deg: f64) -> i32 {
    (lon_deg / CELL_DEG).floor() as i32
}

/// Many fences, and which of them may hold a place: a grid, so that a hundred fences cost hardly more than those nearby.
#[derive(Debug, Clone, Default)]
pub struct Fences {
    all: Vec<Fence>,
    cells: HashMap<(i32, i32), Vec<usize>>,
    large: Vec<usize>,
}

impl Fences {
    /// They are known by their index from here on.
    pub fn new(fences: Vec<Fence>) -> Self {
        let (mut cells, mut large) = (HashMap::<_, Vec<usize>>::new(), Vec::new());
        for (index, fence) in fences.iter().enumerate() {
            match fence.cells() {
                Some(covered) => covered.into_iter().for_each(|cell| cells.entry(cell).or_default().push(index)),
                None => large.push(index),
            }
        }
        Self { all: fences, cells, large }
    }

    /// Those that may hold this place; every other one does not.
    pub fn near(&self, place: LatLon) -> impl Iterator<Item = usize> {
        let cell = (row(place.lat_deg()), column(place.lon_deg()).rem_euclid(COLUMNS));
        self.cells.get(&cell).into_iter().flatten().chain(&self.large).copied()
    }

    /// As [`Fence::side`]; outside of what is not there.
    pub fn side(&self, index: usize, place: LatLon, accuracy_m: f64) -> Side {
        self.all.get(index).map_or(Side::Outside, |fence| fence.side(place, accuracy_m))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    fn circle(lat: f64, lon: f64, radius_m: f64) -> Fence {
        Fence::new(&Shape::Circle { center: place(lat, lon), radius_m }).unwrap()
    }

    fn corners(places: &[(f64, f64)]) -> Shape {
        Shape::Polygon { corners: places.iter().map(|(lat, lon)| place(*lat, *lon)).collect() }
    }

    fn polygon(places: &[(f64, f64)]) -> Fence {
        Fence::new(&corners(places)).unwrap()
    }

    #[test]
    fn what_the_accuracy_shares_with_the_border_decides_nothing() {
        let fence = circle(0.0, 0.0, 1_000.0);
        // A degree of latitude is 111 195 m.
        for (metres, accuracy_m, side) in [
            (0.0, 999.0, Side::Inside),
            (0.0, 1_001.0, Side::Border),
            (900.0, 50.0, Side::Inside),
            (900.0, 150.0, Side::Border),
            (1_100.0, 150.0, Side::Border),
            (1_100.0, 50.0, Side::Outside),
            (90_000.0, 5_000.0, Side::Outside),
            (90_000.0, 90_000.0, Side::Border),
        ] {
            for at in [place(metres / METRES_PER_DEGREE, 0.0), place(0.0, -metres / METRES_PER_DEGREE)] {
                assert_eq!(fence.side(at, accuracy_m), side, "{metres} m off, known to {accuracy_m} m");
            }
        }
    }

    #[test]
    fn borders_cross_the_antimeridian() {
        let yard = polygon(&[(-17.0, 179.5), (-17.0, -179.5), (-16.0, -179.5), (-16.0, 179.5)]);
        for fence in [&yard, &circle(-16.5, 179.9, 50_000.0)] {
            assert_eq!(fence.side(place(-16.5, 179.9), 10.0), Side::Inside);
            assert_eq!(fence.side(place(-16.5, -179.9), 10.0), Side::Inside);
            assert_eq!(fence.side(place(-16.5, 180.0), 10.0), Side::Inside);
            assert_eq!(fence.side(place(-16.5, -180.0), 10.0), Side::Inside);
            assert_eq!(fence.side(place(-16.5, 178.0), 10.0), Side::Outside);
            assert_eq!(fence.side(place(-16.5, 0.0), 10.0), Side::Outside);
        }
        assert_eq!(yard.side(place(-16.5, -179.5), 100.0), Side::Border);
    }

    #[test]
    fn a_ring_round_a_pole_holds_it() {
        let arctic = polygon(&[(80.0, 0.0), (80.0, 90.0), (80.0, 180.0), (80.0, -90.0)]);
        let antarctic = polygon(&[(-80.0, 0.0), (-80.0, -120.0), (-80.0, 120.0)]);
        let cap = circle(89.0, 10.0, 300_000.0);
        for (lat, lon) in [(90.0, 0.0), (90.0, -135.0), (89.5, 179.0), (88.0, -30.0)] {
            assert_eq!(arctic.side(place(lat, lon), 0.0), Side::Inside, "{lat} {lon}");
            assert_eq!(cap.side(place(lat, lon), 0.0), Side::Inside, "{lat} {lon}");
            assert_eq!(antarctic.side(place(lat, lon), 0.0), Side::Outside, "{lat} {lon}");
            assert_eq!(antarctic.side(place(-lat, lon), 0.0), Side::Inside, "-{lat} {lon}");
        }
        assert_eq!(arctic.side(place(79.0, 45.0), 0.0), Side::Outside);
        assert_eq!(arctic.side(place(80.001, 45.0), 500.0), Side::Border);
    }

    #[test]
    fn a_dent_is_outside() {
        let fence = polygon(&[(0.0, 0.0), (0.0, 0.3), (0.3, 0.3), (0.3, 0.2), (0.1, 0.15), (0.3, 0.1), (0.3, 0.0)]);
        assert_eq!(fence.side(place(0.25, 0.15), 0.0), Side::Outside);
        assert_eq!(fence.side(place(0.05, 0.15), 0.0), Side::Inside);
        assert_eq!(fence.side(place(0.25, 0.05), 0.0), Side::Inside);
    }

    #[test]
    fn areas_and_middles_are_those_of_the_globe() {
        let square = corners(&[(0.0, 0.0), (0.0, 0.01), (0.01, 0.01), (0.01, 0.0)]);
        let expected = (0.01 * METRES_PER_DEGREE).powi(2);
        assert!((square.area_m2() / expected - 1.0).abs() < 1e-3, "{}", square.area_m2());
        let cap = corners(&[(60.0, 0.0), (60.0, 120.0), (60.0, -120.0)]);
        let expected = std::f64::consts::TAU * RADIUS_M * RADIUS_M * (1.0 - 60f64.to_radians().sin());
        assert!((cap.area_m2() / expected - 1.0).abs() < 1e-9, "{}", cap.area_m2());
        let yard = corners(&[(-17.0, 179.0), (-17.0, -179.0), (-16.0, -179.0), (-16.0, 179.0)]);
        assert!(yard.middle().lon_deg().abs() > 179.999 && (yard.middle().lat_deg() + 16.5).abs() < 0.01);
    }

    #[test]
    fn what_is_no_outline_is_said() {
        let at = place(0.0, 0.0);
        for radius_m in [0.0, -5.0, f64::NAN, f64::INFINITY] {
            assert!(Shape::Circle { center: at, radius_m }.fault().is_some(), "{radius_m}");
        }
        assert!(corners(&[(0.0, 0.0), (1.0, 1.0), (0.0, 0.0), (1.0, 1.0)]).fault().is_some());
        assert!(corners(&[(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)]).fault().is_none());
    }

    fn anywhere() -> impl Strategy<Value = LatLon> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(lat, lon)| place(lat, lon))
    }

    proptest! {
        #[test]
        fn the_grid_never_leaves_out_who_holds_a_place(
            centers in prop::collection::vec((anywhere(), 10.0..400_000.0), 1..30), at in anywhere(), near in 0usize..30, north in -0.5..0.5f64, east in -0.5..0.5f64,
        ) {
            let fences: Vec<_> = centers.iter().map(|(c, r)| Fence::new(&Shape::Circle { center: *c, radius_m: *r }).unwrap()).collect();
            let grid = Fences::new(fences.clone());
            let (by, _): (LatLon, f64) = centers[near % centers.len()];
            let beside = LatLon::new((by.lat_deg() + north).clamp(-90.0, 90.0), (by.lon_deg() + east).clamp(-180.0, 180.0)).unwrap();
            for at in [at, beside] {
                let found: Vec<_> = grid.near(at).collect();
                for (index, fence) in fences.iter().enumerate() {
                    prop_assert!(fence.side(at, 0.0) == Side::Outside || found.contains(&index));
                }
            }
        }

        #[test]
        fn a_polygon_with_many_corners_is_as_good_as_its_circle(
            lat in -75.0..75.0, lon in -180.0..=180.0, radius_m in 200.0..20_000.0, bearing in 0.0..std::f64::consts::TAU, part in 0.0..2.0,
        ) {
            let shape = Shape::Circle { center: place(lat, lon), radius_m };
            let wrapped = |lon: f64| (lon + 180.0).rem_euclid(360.0) - 180.0;
            let around = shape.outline().into_iter().map(|(lat, lon)| place(lat, wrapped(lon))).collect();
            let (circle, ring) = (Fence::new(&shape).unwrap(), Fence::new(&Shape::Polygon { corners: around }).unwrap());
            let reach = radius_m * part / METRES_PER_DEGREE;
            let at = place(lat + reach * bearing.cos(), wrapped(lon + reach * bearing.sin() / lat.to_radians().cos()));
            // The ring's edges lie up to a two-thousandth of the radius within; the way there is that of a plane.
            let unsure = radius_m * 0.02;
            if circle.side(at, unsure) != Side::Border {
                prop_assert_eq!(ring.side(at, 0.0), circle.side(at, 0.0));
            }
            let (area, expected) = (Shape::area_m2(&shape), std::f64::consts::PI * radius_m * radius_m);
            prop_assert!((area / expected - 1.0).abs() < 1e-3);
        }

        #[test]
        fn a_less_sure_place_never_decides_otherwise(center in anywhere(), radius_m in 1.0..1e6, at in anywhere(), sure in 0.0..1e5, less in 0.0..1e5) {
            let fence = Fence::new(&Shape::Circle { center, radius_m }).unwrap();
            let (surer, unsure) = (fence.side(at, sure), fence.side(at, sure + less));
            prop_assert!(unsure == Side::Border || unsure == surer);
        }
    }
}
