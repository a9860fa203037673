//! The unit square: Web Mercator with the world in 0..1, x to the east, y to the south.
//!
//! Everything that is drawn is kept as [`World`], so that a frame needs one multiplication and one addition a point, and no
//! trigonometry.

use std::f64::consts::{PI, TAU};

use super::{Bounds, LatLon};

/// The latitude at which the unit square ends.
pub const MAX_LAT_DEG: f64 = 85.051_128_779_806_59;

/// Length of the equator in metres (WGS 84).
const EQUATOR_M: f64 = TAU * 6_378_137.0;

/// A place on the unit square.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct World {
    pub x: f64,
    pub y: f64,
}

impl World {
    /// The middle of the map: latitude 0, longitude 0.
    pub const CENTER: Self = Self { x: 0.5, y: 0.5 };

    /// A place beyond [`MAX_LAT_DEG`] is put on the square's edge.
    pub fn from_lat_lon(place: LatLon) -> Self {
        let lat = place.lat_deg().clamp(-MAX_LAT_DEG, MAX_LAT_DEG).to_radians();
        Self { x: place.lon_deg() / 360.0 + 0.5, y: (0.5 - lat.tan().asinh() / TAU).clamp(0.0, 1.0) }
    }

    /// The inverse. A place beside the square is taken as the nearest on its edge.
    pub fn lat_lon(self) -> LatLon {
        let x = if self.x.is_finite() { self.x.clamp(0.0, 1.0) } else { 0.5 };
        let y = if self.y.is_finite() { self.y.clamp(0.0, 1.0) } else { 0.5 };
        let lat_deg = (PI * (1.0 - 2.0 * y)).sinh().atan().to_degrees();
        LatLon::new(lat_deg.clamp(-90.0, 90.0), (x - 0.5) * 360.0).expect("a clamped place is on the globe")
    }

    /// Metres on the ground that one unit spans here; less towards the poles.
    pub fn metres_per_unit(self) -> f64 {
        // The cosine of the latitude, without going through the latitude.
        EQUATOR_M / (PI * (1.0 - 2.0 * self.y)).cosh()
    }

    /// Distance on the square, in units.
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// A rectangle on the unit square; may be a single point, or empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorldBox {
    pub min: World,
    pub max: World,
}

impl WorldBox {
    /// Holds nothing; extending it by a point gives that point.
    pub const EMPTY: Self = Self {
        min: World { x: f64::INFINITY, y: f64::INFINITY },
        max: World { x: f64::NEG_INFINITY, y: f64::NEG_INFINITY },
    };

    /// The smallest box around `points`.
    pub fn around(points: impl IntoIterator<Item = World>) -> Self {
        points.into_iter().fold(Self::EMPTY, |mut all, p| {
            all.extend(p);
            all
        })
    }

    /// Grows to hold `p`.
    pub fn extend(&mut self, p: World) {
        self.min = World { x: self.min.x.min(p.x), y: self.min.y.min(p.y) };
        self.max = World { x: self.max.x.max(p.x), y: self.max.y.max(p.y) };
    }

    /// The smallest box that holds both.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.extend(other.min);
        self.extend(other.max);
        self
    }

    /// Grown by `margin` units on each side.
    #[must_use]
    pub fn expanded(self, margin: f64) -> Self {
        Self {
            min: World { x: self.min.x - margin, y: self.min.y - margin },
            max: World { x: self.max.x + margin, y: self.max.y + margin },
        }
    }

    /// True where nothing was put in.
    pub fn is_empty(self) -> bool {
        self.min.x > self.max.x || self.min.y > self.max.y
    }

    /// True where `p` lies within or on the edge.
    pub fn contains(self, p: World) -> bool {
        (self.min.x..=self.max.x).contains(&p.x) && (self.min.y..=self.max.y).contains(&p.y)
    }

    /// True where the two share a point.
    pub fn touches(self, other: Self) -> bool {
        self.min.x <= other.max.x && other.min.x <= self.max.x && self.min.y <= other.max.y && other.min.y <= self.max.y
    }

    /// The middle.
    pub fn center(self) -> World {
        World { x: f64::midpoint(self.min.x, self.max.x), y: f64::midpoint(self.min.y, self.max.y) }
    }

    /// Width and height in units.
    pub fn size(self) -> (f64, f64) {
        (self.max.x - self.min.x, self.max.y - self.min.y)
    }
}

impl From<Bounds> for WorldBox {
    fn from(bounds: Bounds) -> Self {
        Self::around([World::from_lat_lon(bounds.south_west()), World::from_lat_lon(bounds.north_east())])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn there_and_back_is_the_same_place(lat in -MAX_LAT_DEG..=MAX_LAT_DEG, lon in -180.0..=180.0) {
            let place = LatLon::new(lat, lon).unwrap();
            let world = World::from_lat_lon(place);
            prop_assert!((0.0..=1.0).contains(&world.x) && (0.0..=1.0).contains(&world.y));
            let back = world.lat_lon();
            prop_assert!((back.lat_deg() - lat).abs() < 1e-9, "{} became {}", lat, back.lat_deg());
            prop_assert!((back.lon_deg() - lon).abs() < 1e-9);
        }

        #[test]
        fn any_numbers_give_a_place(x in any::<f64>(), y in any::<f64>()) {
            World { x, y }.lat_lon();
        }

        #[test]
        fn a_short_way_measures_the_same_on_the_square(lat in -70.0..70.0, lon in -179.0..179.0, north in -0.01..0.01, east in -0.01..0.01) {
            let (a, b) = (LatLon::new(lat, lon).unwrap(), LatLon::new(lat + north, lon + east).unwrap());
            let metres = World::from_lat_lon(a).distance(World::from_lat_lon(b)) * World::from_lat_lon(a).metres_per_unit();
            let expected = a.distance_m(b);
            prop_assert!((metres - expected).abs() <= 0.01 * expected + 0.01, "{} against {}", metres, expected);
        }
    }

    #[test]
    fn known_places() {
        for (lat, lon, x, y) in [
            (0.0, 0.0, 0.5, 0.5),
            (MAX_LAT_DEG, -180.0, 0.0, 0.0),
            (90.0, 180.0, 1.0, 0.0),
            (-90.0, 0.0, 0.5, 1.0),
            // Corners of tiles of zoom 2 and 3.
            (66.513_260_443_111_86, -90.0, 0.25, 0.25),
            (40.979_898_069_620_13, 45.0, 0.625, 0.375),
        ] {
            let world = World::from_lat_lon(LatLon::new(lat, lon).unwrap());
            assert!((world.x - x).abs() < 1e-12 && (world.y - y).abs() < 1e-12, "{lat} {lon}: {world:?}");
        }
    }

    #[test]
    fn an_empty_box_holds_nothing() {
        assert!(WorldBox::EMPTY.is_empty());
        assert!(!WorldBox::EMPTY.touches(WorldBox::around([World::CENTER])));
        assert!(WorldBox::around([World::CENTER]).contains(World::CENTER));
    }
}
