//! A device's history as points to draw and to measure: less than [`super::StoredFix`] says, and read thirty times as fast.

use super::Timestamp;
use crate::geo::LatLon;

/// A point of a way that is to be driven.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waymark {
    pub place: LatLon,
    pub altitude_m: Option<f64>,
    /// When somebody was there, where that is known.
    pub at: Option<Timestamp>,
}

/// One position of a device's track, its numbers rounded: places to a ten-millionth of a degree (a centimetre), everything else to a tenth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackPoint {
    /// The row that says it in full, as [`super::StoredFix::id`].
    pub position: i64,
    /// When it was measured.
    pub at: Timestamp,
    /// The device says that satellites held.
    pub valid: bool,
    /// It came under a wrong checksum.
    pub suspect: bool,
    /// -90 to 90.
    pub lat_deg: f64,
    /// -180 to 180.
    pub lon_deg: f64,
    pub speed_kmh: Option<f32>,
    pub course_deg: Option<f32>,
    pub altitude_m: Option<f32>,
    pub accuracy_m: Option<f32>,
}
