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

    /// The inverse. Longitudes go around the globe; a place above or below the square is taken as the nearest on its edge.
    pub fn lat_lon(self) -> LatLon {
        let x = if self.x.is_finite() { self.wrapped().x } else { 0.5 };
        let y = if self.y.is_finite() { self.y.clamp(0.0, 1.0) } else { 0.5 };
        let lat_deg = (PI * (1.0 - 2.0 * y)).sinh().atan().to_degrees();
        LatLon::new(lat_deg.clamp(-90.0, 90.0), (x - 0.5) * 360.0).expect("a clamped place is on the globe")
    }

    /// The same place on the square itself, where it was counted on beyond the antimeridian.
    #[must_use]
    pub fn wrapped(self) -> Self {
        let inside = (0.0..=1.0).contains(&self.x);
        Self { x: if inside { self.x } else { self.x.rem_euclid(1.0) }, y: self.y }
    }

    /// The same place, counted on beyond the antimeridian so that it is less than half a world from `other`: a line between them is the short one.
    #[must_use]
    pub fn near(self, other: Self) -> Self {
        let worlds = (other.x - self.x).round();
        Self { x: if worlds.is_finite() { self.x + worlds } else { self.x }, y: self.y }
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

    /// The same, squared: quicker where two distances are only compared.
    pub fn distance_sq(self, other: Self) -> f64 {
        let (x, y) = (self.x - other.x, self.y - other.y);
        x * x + y * y
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

    /// The narrowest box around `points` of the square on a globe: where that leads over the antimeridian, it goes on beyond 1.
    pub fn around_globe(points: impl IntoIterator<Item = World>) -> Self {
        /// Slices of the globe: exact where the widest gap between points is wider than one.
        const SLICES: usize = 720;
        let mut slices = vec![Self::EMPTY; SLICES];
        for point in points {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates, and is clamped"
            )]
            let slice = (point.x * 720.0) as usize;
            slices[slice.min(SLICES - 1)].extend(point);
        }
        let taken: Vec<Self> = slices.into_iter().filter(|s| !s.is_empty()).collect();
        let all = taken.iter().copied().fold(Self::EMPTY, Self::union);
        // The widest stretch with nobody in it lies outside; it may be the one over the antimeridian, and mostly is.
        let mut widest = all.min.x + 1.0 - all.max.x;
        let mut around = all;
        for pair in taken.windows(2) {
            let gap = pair[1].min.x - pair[0].max.x;
            if gap > widest {
                widest = gap;
                let (west, east) = (pair[1].min.x, pair[0].max.x + 1.0);
                around = Self { min: World { x: west, ..all.min }, max: World { x: east, ..all.max } };
            }
        }
        around
    }

    /// Moved by so many worlds to the east.
    #[must_use]
    pub fn shifted(self, worlds: f64) -> Self {
        let moved = |p: World| World { x: p.x + worlds, y: p.y };
        Self { min: moved(self.min), max: moved(self.max) }
    }

    /// True where all of `other` lies within, counted from whichever side of the antimeridian.
    pub fn holds(self, other: Self) -> bool {
        [-1.0, 0.0, 1.0].iter().map(|w| other.shifted(*w)).any(|o| self.contains(o.min) && self.contains(o.max))
    }

    /// Grows to hold `p`.
    pub fn extend(&mut self, p: World) {
        self.min = World { x: self.min.x.min(p.x), y: self.min.y.min(p.y) };
        self.max = World { x: self.max.x.max(p.x), y: self.max.y.max(p.y) };
    }

    /// The smallest box that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            min: World { x: self.min.x.min(other.min.x), y: self.min.y.min(other.min.y) },
            max: World { x: self.max.x.max(other.max.x), y: self.max.y.max(other.max.y) },
        }
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

    fn at(x: f64) -> World {
        World { x, y: 0.5 }
    }

    #[test]
    fn nothing_adds_nothing() {
        let one = WorldBox::around([at(0.2), at(0.4)]);
        assert_eq!((one.union(WorldBox::EMPTY), WorldBox::EMPTY.union(one)), (one, one));
        assert!(WorldBox::EMPTY.union(WorldBox::EMPTY).is_empty());
    }

    #[test]
    fn beyond_the_antimeridian_is_the_other_side() {
        for (x, lon) in [(1.25, -90.0), (-0.25, 90.0), (1.0, 180.0), (0.0, -180.0), (2.5, 0.0)] {
            assert!((at(x).lat_lon().lon_deg() - lon).abs() < 1e-9, "{x}");
        }
        assert!((at(0.01).near(at(0.98)).x - 1.01).abs() < 1e-12);
        assert!((at(0.99).near(at(1.02)).x - 0.99).abs() < 1e-12);
        assert!((at(0.99).near(at(0.02)).x + 0.01).abs() < 1e-12);
    }

    #[test]
    fn the_box_around_both_sides_of_the_antimeridian_is_narrow() {
        let around = |xs: &[f64]| WorldBox::around_globe(xs.iter().map(|x| at(*x)));
        let spans = |b: WorldBox| (b.min.x, b.size().0);
        for (xs, west, width) in [
            (&[0.97, 0.02, 0.99][..], 0.97, 0.05),
            (&[0.2, 0.4], 0.2, 0.2),
            (&[0.0, 1.0], 0.0, 1.0),
            (&[0.7], 0.7, 0.0),
            (&[0.1, 0.5, 0.9], 0.5, 0.6),
        ] {
            let found = spans(around(xs));
            let is_right = (found.0 - west).abs() < 1e-9 && (found.1 - width).abs() < 1e-9;
            // Fiji and Samoa at 0 and 1 are one place: a box without width would do as well.
            assert!(is_right || found.1 < width, "{xs:?} gave {found:?}");
        }
        assert!(around(&[]).is_empty());
        let view = WorldBox::around([at(-0.1), at(0.1)]);
        assert!(view.holds(around(&[0.95, 0.05])) && !view.holds(around(&[0.5])));
    }

    proptest! {
        #[test]
        fn the_box_around_the_globe_holds_everyone(xs in prop::collection::vec(0.0..=1.0, 1..40)) {
            let around = WorldBox::around_globe(xs.iter().map(|x| at(*x)));
            let plain = WorldBox::around(xs.iter().map(|x| at(*x)));
            prop_assert!(around.size().0 <= plain.size().0 + 1e-12);
            for x in xs {
                prop_assert!(around.contains(at(x)) || around.contains(at(x + 1.0)), "{x} is not in {around:?}");
            }
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
