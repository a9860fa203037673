//! What a row of positions means as a way through time: trips and stops, gaps, statistics, and where a device was at an instant.
//!
//! Everything here is a pure function of [`Point`]s in order of time. Whoever reads a span of history asks [`Past::of`] for all of it; window and
//! command line show the same.

mod instant;
pub mod link;
mod past;
mod rest;
pub mod rhythm;
mod stats;
mod stays;
mod strip;

pub use instant::{How, Whereabouts};
pub use past::Past;
pub use rest::{LEAST_REST_MS, rests};
pub use stats::Stats;
pub use stays::{LOST_MS, Leg, MIN_TRIP_M, STOP_MS, STOP_RADIUS_M, Stop, Trip, legs};
pub use strip::{Column, Series, Strip};

pub use crate::model::HideReason;
use crate::{geo::LatLon, model::PacketId};

/// A position with what a chart and a map ask of it; small, because a span may have a million. The rest is read by [`Point::fix`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When it was measured, in milliseconds since the epoch, UTC.
    pub at_ms: i64,
    pub place: LatLon,
    /// Row id of the position.
    pub fix: i64,
    /// The packet whose bytes say so.
    pub packet: PacketId,
    pub speed_kmh: Option<f32>,
    pub altitude_m: Option<f32>,
    /// Clockwise from north, 0 to 360.
    pub course_deg: Option<f32>,
    /// Radius around the place, as the device estimates it.
    pub accuracy_m: Option<f32>,
    /// Of the vehicle, or where it does not say, of the device's own battery.
    pub volts: Option<f32>,
    pub battery_percent: Option<u8>,
    pub satellites: Option<u8>,
    /// Satellites held.
    pub valid: bool,
    /// Why it tells nothing about the way; `None` for most.
    pub aside: Option<Aside>,
}

impl Point {
    /// One that tells when and where, and nothing else.
    #[cfg(test)]
    pub(crate) fn bare(at_ms: i64, place: LatLon, row: i64) -> Self {
        Self {
            at_ms,
            place,
            fix: row,
            packet: PacketId(row),
            speed_kmh: None,
            altitude_m: None,
            course_deg: None,
            accuracy_m: None,
            volts: None,
            battery_percent: None,
            satellites: None,
            valid: true,
            aside: None,
        }
    }

    /// True where it is part of the way.
    pub fn counts(&self) -> bool {
        self.aside.is_none()
    }
}

/// Why a position is beside the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// The checksum over its bytes was wrong.
    Checksum,
    /// Nothing could have reached it so fast ([`crate::model::Leaps`]).
    Leap,
    /// It was put out of sight.
    Hidden(HideReason),
}

#[cfg(test)]
mod testing {
    use super::Point;
    use crate::geo::LatLon;

    /// A point at a second; its row is named by it.
    pub(super) fn point(second: i64, lat_deg: f64, lon_deg: f64) -> Point {
        let place = LatLon::new(lat_deg, lon_deg).expect("on the globe");
        Point::bare(1_700_000_000_000 + second * 1_000, place, second)
    }
}
