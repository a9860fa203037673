//! Reading the points of a device in order, from what is packed and from the tail.

use std::{collections::HashMap, ops::ControlFlow};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Result, Row, params};

use super::{Key, POINT, Point, packed, tracked_upto};
use crate::model::DeviceId;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Order {
    OldestFirst,
    NewestFirst,
}

/// The tail of one device or of all, in order. What it lacks when it is used is packed by then: so read it before everything else.
#[derive(Debug, Default)]
pub struct Tail(HashMap<DeviceId, Vec<Point>>);

impl Tail {
    /// Looks through all of the tail; for many devices.
    pub fn of_all(db: &Connection) -> Result<Self> {
        Self::of(db, None)
    }

    pub fn of_one(db: &Connection, device: DeviceId) -> Result<Self> {
        Self::of(db, Some(device))
    }

    /// Rows that a look through it goes over, be it for one device or for all.
    pub fn rows(db: &Connection) -> Result<i64> {
        let newest = "SELECT coalesce(max(id), 0) FROM positions";
        let newest: i64 = db.prepare_cached(newest)?.query_row([], |row| row.get(0))?;
        Ok(newest.saturating_sub(tracked_upto(db)?))
    }

    fn of(db: &Connection, only: Option<DeviceId>) -> Result<Self> {
        let mut tail = Self::default();
        unpacked(db, only, |device, point, _| {
            tail.0.entry(device).or_default().push(point);
        })?;
        for points in tail.0.values_mut() {
            points.sort_unstable_by_key(Point::key);
        }
        Ok(tail)
    }

    pub(in crate::store) fn points(&self, device: DeviceId) -> &[Point] {
        self.0.get(&device).map_or(&[], Vec::as_slice)
    }
}

/// Every position that is not packed, in the order of rows, with its device and whole key.
pub(in crate::store) fn unpacked(
    db: &Connection,
    only: Option<DeviceId>,
    each: impl FnMut(DeviceId, Point, i64),
) -> Result<()> {
    unpacked_upto(db, only, i64::MAX, each)
}

/// As [`unpacked`], up to a position.
pub(super) fn unpacked_upto(
    db: &Connection,
    only: Option<DeviceId>,
    last: i64,
    mut each: impl FnMut(DeviceId, Point, i64),
) -> Result<()> {
    let upto = tracked_upto(db)?;
    let only = only.map(|device| device.0);
    let mut ends = HashMap::new();
    let mut select =
        db.prepare_cached("SELECT device_id, upto FROM track_ends WHERE upto > ?1 AND (?2 IS NULL OR device_id = ?2)")?;
    let mut rows = select.query(params![upto, only])?;
    while let Some(row) = rows.next()? {
        ends.insert(row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
    }
    let sql =
        format!("SELECT {POINT} FROM positions p WHERE p.id > ?1 AND p.id <= ?3 AND (?2 IS NULL OR p.device_id = ?2)");
    let mut select = db.prepare_cached(&sql)?;
    let mut rows = select.query(params![upto, only, last])?;
    while let Some(row) = rows.next()? {
        let device: i64 = row.get(1)?;
        if ends.get(&device).is_none_or(|end| row.get::<_, i64>(0).is_ok_and(|id| id > *end)) {
            each(DeviceId(device), Point::from_row(row)?, row.get(3)?);
        }
    }
    Ok(())
}

/// Hears of the points of a device within a window (both ends included) in order, until `each` breaks off. `tail`: those that may not be packed
/// yet, oldest first.
pub(in crate::store) fn walk(
    db: &Connection,
    device: DeviceId,
    (from_ms, to_ms): (i64, i64),
    tail: &[Point],
    order: Order,
    mut each: impl FnMut(&Point) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let within = |point: &&Point| (from_ms..=to_ms).contains(&point.at_ms);
    let newest_first = order == Order::NewestFirst;
    // Whether a point comes before another, going this way.
    let before = |a: Key, b: Key| if newest_first { a > b } else { a < b };
    let mut tail: Vec<&Point> = tail.iter().filter(within).collect();
    if newest_first {
        tail.reverse();
    }
    let mut tail = tail.into_iter().peekable();
    let mut select = rows_of(db, newest_first)?;
    let mut rows = select.query(params![device.0, from_ms, to_ms])?;
    let mut points = Vec::new();
    while let Some(row) = rows.next()? {
        unpack(row, &mut points)?;
        if newest_first {
            points.reverse();
        }
        for point in points.iter().filter(within) {
            while let Some(other) = tail.next_if(|other| before(other.key(), point.key())) {
                if each(other)?.is_break() {
                    return Ok(());
                }
            }
            // It was packed after the tail was read.
            tail.next_if(|other| other.key() == point.key());
            if each(point)?.is_break() {
                return Ok(());
            }
        }
    }
    for other in tail {
        if each(other)?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Asks for the packed rows that may have points of a window.
fn rows_of(db: &Connection, newest_first: bool) -> Result<CachedStatement<'_>> {
    let order = if newest_first { " DESC" } else { "" };
    // The last that begins before the window may reach into it.
    db.prepare_cached(&format!(
        "SELECT packed FROM tracks WHERE device_id = ?1 AND from_ms <= ?3 AND from_ms >= coalesce(
           (SELECT from_ms FROM tracks WHERE device_id = ?1 AND from_ms < ?2 ORDER BY from_ms DESC LIMIT 1), ?2)
         ORDER BY from_ms{order}, from_tag{order}, from_id{order}"
    ))
}

/// The points of a row that begins with its packed ones, in place of those that `points` had.
pub(super) fn unpack(row: &Row<'_>, points: &mut Vec<Point>) -> Result<()> {
    points.clear();
    packed::unpack(row.get_ref(0)?.as_blob()?, points).ok_or_else(|| {
        let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        rusqlite::Error::SqliteFailure(error, Some("points that nobody packed".to_owned()))
    })
}

/// The packed position of a device with this moment and key.
pub(in crate::store) fn find(db: &Connection, device: DeviceId, at_ms: i64, fix_key: i64) -> Result<Option<Point>> {
    let tag = Point::tag_of(fix_key);
    let mut select = db.prepare_cached(
        "SELECT packed FROM tracks WHERE device_id = ?1 AND (from_ms, from_tag, from_id) <= (?2, ?3, ?4)
         ORDER BY from_ms DESC, from_tag DESC, from_id DESC",
    )?;
    let mut key = db.prepare_cached("SELECT fix_key FROM positions WHERE id = ?1")?;
    let mut rows = select.query(params![device.0, at_ms, tag, i64::MAX])?;
    let mut points = Vec::new();
    while let Some(row) = rows.next()? {
        unpack(row, &mut points)?;
        let first = points.partition_point(|point| (point.at_ms, point.tag) < (at_ms, tag));
        for point in points.iter().skip(first).take_while(|point| (point.at_ms, point.tag) == (at_ms, tag)) {
            if key.query_row([point.id], |row| row.get::<_, i64>(0)).optional()? == Some(fix_key) {
                return Ok(Some(*point));
            }
        }
        // Earlier rows are of earlier points.
        if first > 0 {
            break;
        }
    }
    Ok(None)
}

/// How many positions of a device are packed.
pub(in crate::store) fn count(db: &Connection, device: DeviceId) -> Result<u64> {
    db.prepare_cached("SELECT coalesce(sum(points), 0) FROM tracks WHERE device_id = ?1")?
        .query_row([device.0], |row| crate::store::row::count(row, 0))
}
