//! The positions of one device in the order of their times.
//!
//! An index by device and time would dirty a page of each device with each of its fixes, which is most of what a fix costs once there are
//! thousands of devices. So `positions` has none. The table `tracks` has the points of each device in order, packed, some hundred a row, and is
//! written when there is much to write at once ([`fold`]): where that is only a few points of a device, as a short row behind its others, and some
//! of these are joined to full rows later. What came since is the tail: rows of `positions` beyond the counter `tracked_upto`, and
//! beyond the device's own row in `track_ends`. The writer has it in memory; whoever else reads looks through these rows, of which there are never
//! more than a hundred thousand or so ([`walk`]).

pub(super) mod fold;
mod packed;
pub(super) mod walk;

use rusqlite::{Connection, Result, Row};

use super::row;
use crate::geo::LatLon;
use crate::model::{Fix, TrackPoint};

/// Up to this position `tracks` has all of every device.
pub(super) const TRACKED_UPTO: &str = "tracked_upto";

/// Rows that may be in the tail before they are packed though there is other work.
pub(super) const TAIL: u64 = 131_072;

/// One position, as it is packed: numbers are rounded to what can be drawn or measured (see [`TrackPoint`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) at_ms: i64,
    /// The end of its key, which tells fixes of one moment apart.
    pub(super) tag: u16,
    /// Its row in `positions`.
    pub(super) id: i64,
    pub(super) valid: bool,
    pub(super) suspect: bool,
    /// In ten-millionths of a degree.
    latitude: i64,
    longitude: i64,
    /// In tenths of their units.
    speed: Option<i64>,
    course: Option<i64>,
    altitude: Option<i64>,
    accuracy: Option<i64>,
}

/// Orders the points of a device.
pub(super) type Key = (i64, u16, i64);

/// For `positions p`, as [`Point::from_row`] takes it.
pub(super) const POINT: &str = "p.id, p.device_id, p.fix_time_ms, p.fix_key, p.valid, p.suspect, p.latitude, p.longitude, \
     p.speed_kmh, p.course_deg, p.altitude_m, p.accuracy_m";

impl Point {
    pub(super) fn key(&self) -> Key {
        (self.at_ms, self.tag, self.id)
    }

    pub(super) fn tag_of(fix_key: i64) -> u16 {
        u16::try_from(fix_key & 0xffff).unwrap_or_default()
    }

    /// As its row will have it.
    pub(super) fn new(id: i64, fix_key: i64, fix: &Fix, valid: bool, suspect: bool) -> Self {
        let tenths = |value: Option<f64>| value.map(|value| rounded(value, 10.0));
        Self {
            at_ms: fix.at.as_millisecond(),
            tag: Self::tag_of(fix_key),
            id,
            valid,
            suspect,
            latitude: rounded(fix.place.lat_deg(), 1e7),
            longitude: rounded(fix.place.lon_deg(), 1e7),
            speed: tenths(fix.speed_kmh),
            course: tenths(fix.course_deg),
            altitude: tenths(fix.altitude_m),
            accuracy: tenths(fix.accuracy_m),
        }
    }

    /// From a row that begins with [`POINT`].
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self> {
        let tenths = |column: usize| row.get(column).map(|value: Option<f64>| value.map(|value| rounded(value, 10.0)));
        Ok(Self {
            at_ms: row.get(2)?,
            tag: Self::tag_of(row.get(3)?),
            id: row.get(0)?,
            valid: row.get(4)?,
            suspect: row.get(5)?,
            latitude: rounded(row.get(6)?, 1e7),
            longitude: rounded(row.get(7)?, 1e7),
            speed: tenths(8)?,
            course: tenths(9)?,
            altitude: tenths(10)?,
            accuracy: tenths(11)?,
        })
    }

    /// Whether it is the same place, as far as files tell it that round to a tenth of a metre.
    pub(super) fn is_at(&self, place: LatLon) -> bool {
        const NEAR: i64 = 10;
        const ROUND: i64 = 3_600_000_000;
        let lat = self.latitude - rounded(place.lat_deg(), 1e7);
        let lon = (self.longitude - rounded(place.lon_deg(), 1e7)).abs();
        lat.abs() < NEAR && (lon < NEAR || (lon - ROUND).abs() < NEAR)
    }

    /// For who draws and measures. `None`: it is not on the globe, which only another program can have written.
    #[expect(clippy::cast_precision_loss, reason = "they were rounded to fewer digits")]
    pub(super) fn told(&self) -> Option<TrackPoint> {
        let degrees = |value: i64| value as f64 / 1e7;
        let tenths = |value: Option<i64>| value.map(|value| value as f32 / 10.0);
        let (lat_deg, lon_deg) = (degrees(self.latitude), degrees(self.longitude));
        LatLon::new(lat_deg, lon_deg)?;
        Some(TrackPoint {
            position: self.id,
            at: row::time(self.at_ms),
            valid: self.valid,
            suspect: self.suspect,
            lat_deg,
            lon_deg,
            speed_kmh: tenths(self.speed),
            course_deg: tenths(self.course),
            altitude_m: tenths(self.altitude),
            accuracy_m: tenths(self.accuracy),
        })
    }
}

/// A number in parts of its unit; the greatest there is where it is beyond.
#[expect(clippy::cast_possible_truncation, reason = "it is within")]
fn rounded(value: f64, parts: f64) -> i64 {
    (value * parts).round().clamp(-9e15, 9e15) as i64
}

/// Up to which position all devices are packed.
pub(super) fn tracked_upto(db: &Connection) -> Result<i64> {
    let mut select = db.prepare_cached("SELECT coalesce((SELECT value FROM counters WHERE name = ?1), 0)")?;
    select.query_row([TRACKED_UPTO], |row| row.get(0))
}
