//! Numbers on the globe. Knows nothing of trackers, bytes or windows.

/// A place on the globe: latitude within -90..=90 and longitude within -180..=180 degrees, both finite.
#[derive(Debug, Clone, Copy, PartialEq)]
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
