//! Numbers on the globe. Knows nothing of trackers, bytes or windows.

pub mod fence;
pub mod grid;
pub mod mercator;
pub mod pyramid;

use serde::{Deserialize, Serialize};

/// A place on the globe: latitude within -90..=90 and longitude within -180..=180 degrees, both finite.
///
/// Serialises as the pair latitude, longitude.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "(f64, f64)", into = "(f64, f64)")]
pub struct LatLon {
    lat_deg: f64,
    lon_deg: f64,
}

impl LatLon {
    /// The only way to a `LatLon`. `None` where the numbers are not on the globe; nothing is wrapped or clamped.
    pub fn new(lat_deg: f64, lon_deg: f64) -> Option<Self> {
        ((-90.0..=90.0).contains(&lat_deg) && (-180.0..=180.0).contains(&lon_deg)).then_some(Self { lat_deg, lon_deg })
    }

    /// Degrees north, negative in the south.
    pub fn lat_deg(self) -> f64 {
        self.lat_deg
    }

    /// Degrees east, negative in the west.
    pub fn lon_deg(self) -> f64 {
        self.lon_deg
    }

    /// Initial bearing of the great circle to `other`, in degrees clockwise from north, 0 to 360. `None` where both are one place or
    /// opposite ends of the globe, or this is a pole: there is no one direction then.
    pub fn bearing_deg(self, other: Self) -> Option<f64> {
        let (lat1, lat2) = (self.lat_deg.to_radians(), other.lat_deg.to_radians());
        let lon = (other.lon_deg - self.lon_deg).to_radians();
        let x = lon.sin() * lat2.cos();
        let y = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * lon.cos();
        (x.hypot(y) > 1e-12 && self.lat_deg.abs() < 90.0).then(|| x.atan2(y).to_degrees().rem_euclid(360.0))
    }

    /// The place a part, 0 to 1, of the way along the great circle to `other`. Between opposite ends of the globe, one of the ways.
    #[must_use]
    pub fn part_of_way(self, other: Self, part: f64) -> Self {
        let unit = |p: Self| {
            let ((lat_sin, lat_cos), (lon_sin, lon_cos)) =
                (p.lat_deg.to_radians().sin_cos(), p.lon_deg.to_radians().sin_cos());
            [lat_cos * lon_cos, lat_cos * lon_sin, lat_sin]
        };
        let (start, end) = (unit(self), unit(other));
        let angle = start.iter().zip(end).map(|(from, to)| from * to).sum::<f64>().clamp(-1.0, 1.0).acos();
        let (near, far) = match angle.sin() {
            sin if sin > 1e-9 => (((1.0 - part) * angle).sin() / sin, (part * angle).sin() / sin),
            _ => (1.0 - part, part),
        };
        let [x, y, z] = [0, 1, 2].map(|axis| start[axis] * near + end[axis] * far);
        let lat_deg = z.atan2(x.hypot(y)).to_degrees();
        Self::new(lat_deg, y.atan2(x).to_degrees()).unwrap_or(self)
    }

    /// Great-circle distance in metres on a sphere of the earth's mean radius (haversine; error below 0.6 %).
    pub fn distance_m(self, other: Self) -> f64 {
        const MEAN_RADIUS_M: f64 = 6_371_008.8;
        let (lat1, lat2) = (self.lat_deg.to_radians(), other.lat_deg.to_radians());
        let half_lat = ((lat2 - lat1) / 2.0).sin();
        let half_lon = ((other.lon_deg - self.lon_deg).to_radians() / 2.0).sin();
        let a = half_lat * half_lat + lat1.cos() * lat2.cos() * half_lon * half_lon;
        2.0 * MEAN_RADIUS_M * a.sqrt().min(1.0).asin()
    }
}

impl From<LatLon> for (f64, f64) {
    fn from(place: LatLon) -> Self {
        (place.lat_deg, place.lon_deg)
    }
}

impl TryFrom<(f64, f64)> for LatLon {
    type Error = &'static str;

    fn try_from((lat_deg, lon_deg): (f64, f64)) -> Result<Self, Self::Error> {
        Self::new(lat_deg, lon_deg).ok_or("not a place on the globe")
    }
}

/// The smallest range of latitudes and longitudes around some places. Does not know that longitudes 180 and -180 meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    south_west: LatLon,
    north_east: LatLon,
}

impl Bounds {
    /// `None` where there are no places.
    pub fn around(places: impl IntoIterator<Item = LatLon>) -> Option<Self> {
        let mut places = places.into_iter();
        let first = Self::at(places.next()?);
        Some(places.fold(first, |bounds, place| bounds.union(Self::at(place))))
    }

    /// A single place.
    pub fn at(place: LatLon) -> Self {
        Self { south_west: place, north_east: place }
    }

    /// The smallest that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let (a, b) = (self.south_west, other.south_west);
        let south_west = LatLon { lat_deg: a.lat_deg.min(b.lat_deg), lon_deg: a.lon_deg.min(b.lon_deg) };
        let (a, b) = (self.north_east, other.north_east);
        let north_east = LatLon { lat_deg: a.lat_deg.max(b.lat_deg), lon_deg: a.lon_deg.max(b.lon_deg) };
        Self { south_west, north_east }
    }

    /// True where `place` lies within or on the edge.
    pub fn contains(self, place: LatLon) -> bool {
        (self.south_west.lat_deg..=self.north_east.lat_deg).contains(&place.lat_deg)
            && (self.south_west.lon_deg..=self.north_east.lon_deg).contains(&place.lon_deg)
    }

    /// The corner with the least latitude and longitude.
    pub fn south_west(self) -> LatLon {
        self.south_west
    }

    /// The corner with the greatest latitude and longitude.
    pub fn north_east(self) -> LatLon {
        self.north_east
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_on_the_globe() {
        for (lat, lon) in [(90.1, 0.0), (0.0, -180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(LatLon::new(lat, lon), None);
            assert!(LatLon::try_from((lat, lon)).is_err());
        }
        assert!(LatLon::new(-90.0, 180.0).is_some());
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        let place = |lat, lon| LatLon::new(lat, lon).unwrap();
        for (a, b, metres) in [
            (place(52.5186, 13.4083), place(48.8567, 2.3508), 877_460.0),
            (place(0.0, 179.5), place(0.0, -179.5), 111_195.0),
            (place(51.0, 4.0), place(51.0, 4.0), 0.0),
        ] {
            assert!((a.distance_m(b) - metres).abs() <= metres * 0.006, "{} m, not {metres}", a.distance_m(b));
        }
    }

    #[test]
    fn great_circles_lead_from_place_to_place() {
        let place = |lat, lon| LatLon::new(lat, lon).unwrap();
        for (a, b, bearing, half) in [
            (place(0.0, 0.0), place(0.0, 10.0), 90.0, place(0.0, 5.0)),
            (place(10.0, 20.0), place(50.0, 20.0), 0.0, place(30.0, 20.0)),
            // Across the antimeridian, and over the north.
            (place(0.0, 179.0), place(0.0, -177.0), 90.0, place(0.0, -179.0)),
            (place(60.0, 0.0), place(60.0, 180.0), 0.0, place(90.0, 0.0)),
            (place(51.5, -0.13), place(40.7, -74.0), 288.3, place(52.37, -41.29)),
        ] {
            let found = a.bearing_deg(b).unwrap();
            assert!((found - bearing).abs() < 0.1, "{a:?} {b:?}: {found}");
            let middle = a.part_of_way(b, 0.5);
            assert!(middle.distance_m(half) < 2_000.0, "{a:?} {b:?}: {middle:?}");
            assert!((a.distance_m(middle) - b.distance_m(middle)).abs() < 1.0);
            assert!(a.part_of_way(b, 0.0).distance_m(a) < 0.01 && a.part_of_way(b, 1.0).distance_m(b) < 0.01);
        }
        let here = place(51.0, 4.0);
        assert_eq!(here.bearing_deg(here), None);
        assert_eq!(here.part_of_way(here, 0.5), here);
    }

    #[test]
    fn bounds_hold_what_they_were_made_of() {
        let places = [(51.0, 4.0), (-33.9, 151.2), (40.7, -74.0)].map(|(lat, lon)| LatLon::new(lat, lon).unwrap());
        let bounds = Bounds::around(places).unwrap();
        assert!(places.iter().all(|p| bounds.contains(*p)));
        assert!(!bounds.contains(LatLon::new(51.1, 4.0).unwrap()));
        assert_eq!(Bounds::around([]), None);
    }
}
