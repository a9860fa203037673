//! What one packet told: maybe a fix, readings, measurements of the radio around it, events.

use std::borrow::Cow;

use super::{Card, Readings, Sender, Timestamp};
use crate::geo::LatLon;

/// Where a device was at one moment, as the device measured it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// When it was measured, not when it was sent or arrived.
    pub at: Timestamp,
    pub place: LatLon,
    /// The device's own word that satellites held at that moment.
    pub valid: bool,
    /// Metres above sea level, or above the ellipsoid where the device does not say which.
    pub altitude_m: Option<f64>,
    pub speed_kmh: Option<f64>,
    /// Degrees clockwise from north, 0 to 360.
    pub course_deg: Option<f64>,
    pub satellites: Option<u32>,
    /// Radius in metres around `place`, as the device estimates it.
    pub accuracy_m: Option<f64>,
}

/// Whether the bytes behind a report can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    #[default]
    Good,
    /// The checksum was wrong: kept, drawn hollow, and left out of exports unless asked for.
    Suspect,
}

/// A radio cell that the device heard. A measurement, never a position.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cell {
    pub mcc: u16,
    pub mnc: u16,
    pub lac: u32,
    pub cid: u64,
    /// Signal in dBm, negative.
    pub rssi_dbm: Option<i32>,
}

/// A Wi-Fi access point that the device heard. A measurement, never a position.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessPoint {
    /// Six bytes in the order they are written.
    pub mac: [u8; 6],
    /// Signal in dBm, negative.
    pub rssi_dbm: Option<i32>,
}

/// Something that happened at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub at: Timestamp,
    /// `alarm`, `transition`, `waypoint`, `card`, `status`, …
    pub kind: Cow<'static, str>,
    pub attributes: Readings,
}

/// What one packet told about one device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Who it is about, where that is not the packet's own sender (an element of a JSON array).
    pub sender: Option<Sender>,
    pub fix: Option<Fix>,
    pub readings: Readings,
    pub cells: Vec<Cell>,
    pub wifi: Vec<AccessPoint>,
    pub events: Vec<Event>,
    /// The name and face that the sender has from now on.
    pub card: Option<Card>,
    pub trust: Trust,
    /// Frames that did not arrive between the one before it on its connection and this one, by their serial numbers.
    pub lost_frames: u16,
    /// The sender's own number for this message (OwnTracks `_id`): the same again is one row.
    pub message_id: Option<String>,
    /// Tells fixes of one device and one moment apart; equal for a fix that was sent again. Each protocol says what goes in.
    pub fix_key: u64,
}
