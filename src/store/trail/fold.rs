//! Writing the packed points of a device.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::{
    Key, Point, TAIL, TRACKED_UPTO, packed, tracked_upto,
    walk::{self, unpack},
};
use crate::model::DeviceId;

/// Positions packed in one transaction when a file is brought up to date.
const AT_ONCE: i64 = 500_000;

/// Points of a device that are worth a row of their own at most: with more, rows are filled up at once.
const FEW: usize = 64;

/// Rows at a device's end that are made full ones at once. There are more only where late points cut many, and those stay as they are.
const MOST_JOINED: usize = 16;

/// A row of `tracks`.
struct Packed {
    id: i64,
    from: Key,
    bytes: Vec<u8>,
    points: Vec<Point>,
}

/// Packs a few points, in order and later than all that is packed of a device, as a short row of their own: nothing is read for it, and such rows
/// of all devices lie side by side. Does nothing where they are too many for that; then it answers false.
pub(in crate::store) fn append(db: &Connection, device: DeviceId, points: &[Point]) -> Result<bool> {
    let Some(first) = points.first().filter(|_| points.len() <= FEW) else { return Ok(false) };
    let (taken, bytes) = packed::pack(points, FEW);
    if taken < points.len() || packed::is_full(&bytes) {
        return Ok(false);
    }
    insert(db, device, first.key(), taken, &bytes)?;
    Ok(true)
}

/// Packs points of a device that are not packed yet, wherever they belong, and makes full rows of short ones at its end.
pub(in crate::store) fn fold(db: &Connection, device: DeviceId, mut points: Vec<Point>) -> Result<()> {
    if points.is_empty() {
        return Ok(());
    }
    points.sort_unstable_by_key(Point::key);
    let late = join(db, device, &points)?;
    let mut left = points.get(..late).unwrap_or_default();
    while let Some(first) = left.first() {
        let row = row_for(db, device, first.key())?;
        let next = row.as_ref().map(|row| begin_after(db, device, row.from)).transpose()?.flatten();
        let here = next.map_or(left.len(), |next| left.partition_point(|point| point.key() < next));
        let (mine, rest) = left.split_at(here);
        write(db, device, row, mine, next.is_none())?;
        left = rest;
    }
    Ok(())
}

/// Takes a packed point away, because its position is gone.
pub(in crate::store) fn remove(db: &Connection, device: DeviceId, key: Key) -> Result<()> {
    let Some(mut row) = row_for(db, device, key)? else { return Ok(()) };
    let before = row.points.len();
    row.points.retain(|point| point.key() != key);
    if row.points.len() == before {
        return Ok(());
    }
    if row.points.is_empty() {
        db.prepare_cached("DELETE FROM tracks WHERE id = ?1")?.execute([row.id])?;
        return Ok(());
    }
    write(db, device, Some(row), &[], false)
}

/// Notes that everything of a device up to a position is packed, and that none of that is later than `last_ms`.
pub(in crate::store) fn ends(db: &Connection, device: DeviceId, upto: i64, last_ms: i64) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO track_ends(device_id, upto, last_ms) VALUES (?1, ?2, ?3) ON CONFLICT (device_id)
         DO UPDATE SET upto = max(upto, excluded.upto), last_ms = max(last_ms, excluded.last_ms)",
    )?
    .execute(params![device.0, upto, last_ms])?;
    Ok(())
}

/// Notes that everything of all devices up to a position is packed.
pub(in crate::store) fn tracked(db: &Connection, upto: i64) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO counters(name, value) VALUES (?1, ?2)")?
        .execute(params![TRACKED_UPTO, upto])?;
    Ok(())
}

/// Drops what is packed of a device.
pub(in crate::store) fn drop_all(db: &Connection, device: DeviceId) -> Result<()> {
    db.prepare_cached("DELETE FROM tracks WHERE device_id = ?1")?.execute([device.0])?;
    Ok(())
}

/// Packs what a file has too much of that is not packed: one of an older schema, or one that was saved from damage. Goes on where it was cut off.
pub(in crate::store) fn catch_up(db: &Connection) -> Result<()> {
    let newest: i64 = db.query_row("SELECT coalesce(max(id), 0) FROM positions", [], |row| row.get(0))?;
    let first = tracked_upto(db)?;
    let mut upto = first;
    while newest.saturating_sub(upto) > TAIL.cast_signed() {
        let next = upto.saturating_add(AT_ONCE).min(newest);
        db.execute_batch("BEGIN IMMEDIATE")?;
        if let Err(error) = pack_upto(db, next) {
            db.execute_batch("ROLLBACK").ok();
            return Err(error);
        }
        db.execute_batch("COMMIT")?;
        // Nobody waits, and the log is not to grow with the file.
        db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        upto = next;
        let percent = (upto - first) * 100 / (newest - first).max(1);
        tracing::info!("putting {newest} positions in the order of their times: {percent} %");
    }
    Ok(())
}

fn pack_upto(db: &Connection, upto: i64) -> Result<()> {
    let mut by_device: BTreeMap<DeviceId, Vec<Point>> = BTreeMap::new();
    walk::unpacked_upto(db, None, upto, |device, point, _| by_device.entry(device).or_default().push(point))?;
    for (device, points) in by_device {
        let last_ms = points.iter().map(|point| point.at_ms).max().unwrap_or(i64::MIN);
        fold(db, device, points)?;
        ends(db, device, upto, last_ms)?;
    }
    tracked(db, upto)
}

/// Makes full rows of those at a device's end that have room left, and of the points that belong there. Answers how many of the points come before
/// these rows.
fn join(db: &Connection, device: DeviceId, points: &[Point]) -> Result<usize> {
    let (mut rows, all) = last_rows(db, device)?;
    let late = match rows.first() {
        Some(row) if !all => points.partition_point(|point| point.key() < row.from),
        _ => 0,
    };
    let new = points.get(late..).unwrap_or_default();
    // A full one is none of them where nothing belongs into it.
    if rows.first().is_some_and(|row| packed::is_full(&row.bytes) && is_before(&row.points, new)) {
        rows.remove(0);
    }
    if new.is_empty() && rows.len() < 2 {
        return Ok(late);
    }
    if let Some(first) = rows.first() {
        // New ones at the end of the table in their place: otherwise each would be a page that changes in the midst of others.
        db.prepare_cached("DELETE FROM tracks WHERE device_id = ?1 AND (from_ms, from_tag, from_id) >= (?2, ?3, ?4)")?
            .execute(params![device.0, first.from.0, first.from.1, first.from.2])?;
    }
    let mut joined: Vec<_> = rows.into_iter().flat_map(|row| row.points).collect();
    add(&mut joined, new);
    put(db, device, None, &joined, true)?;
    Ok(late)
}

/// The last rows of a device in order, from the last full one on; and whether these are all.
fn last_rows(db: &Connection, device: DeviceId) -> Result<(Vec<Packed>, bool)> {
    let mut from_end = db.prepare_cached(
        "SELECT packed, id, from_ms, from_tag, from_id FROM tracks WHERE device_id = ?1
         ORDER BY from_ms DESC, from_tag DESC, from_id DESC",
    )?;
    let mut rows = from_end.query([device.0])?;
    let (mut last, mut all) = (Vec::new(), true);
    while let Some(row) = rows.next()? {
        let row = read(row)?;
        let is_full = packed::is_full(&row.bytes);
        last.push(row);
        if is_full || last.len() >= MOST_JOINED {
            all = false;
            break;
        }
    }
    last.reverse();
    Ok((last, all))
}

/// Whether all points, in order, come before all others.
fn is_before(points: &[Point], others: &[Point]) -> bool {
    points.last().zip(others.first()).is_none_or(|(last, first)| last.key() < first.key())
}

/// Adds points in order to others.
fn add(points: &mut Vec<Point>, more: &[Point]) {
    let sorted = is_before(points, more);
    points.extend_from_slice(more);
    if !sorted {
        points.sort_unstable_by_key(Point::key);
    }
}

/// The row in which a point belongs: the last that begins no later, else the first of all. `None` without any.
fn row_for(db: &Connection, device: DeviceId, key: Key) -> Result<Option<Packed>> {
    let mut at = db.prepare_cached(
        "SELECT packed, id, from_ms, from_tag, from_id FROM tracks
         WHERE device_id = ?1 AND (from_ms, from_tag, from_id) <= (?2, ?3, ?4)
         ORDER BY from_ms DESC, from_tag DESC, from_id DESC LIMIT 1",
    )?;
    let found = at.query_row(params![device.0, key.0, key.1, key.2], read).optional()?;
    if found.is_some() {
        return Ok(found);
    }
    let mut first = db.prepare_cached(
        "SELECT packed, id, from_ms, from_tag, from_id FROM tracks WHERE device_id = ?1
         ORDER BY from_ms, from_tag, from_id LIMIT 1",
    )?;
    first.query_row([device.0], read).optional()
}

fn read(row: &rusqlite::Row<'_>) -> Result<Packed> {
    let mut points = Vec::new();
    unpack(row, &mut points)?;
    Ok(Packed { id: row.get(1)?, from: (row.get(2)?, row.get(3)?, row.get(4)?), bytes: row.get(0)?, points })
}

/// Where the row after this one begins.
fn begin_after(db: &Connection, device: DeviceId, from: Key) -> Result<Option<Key>> {
    let mut next = db.prepare_cached(
        "SELECT from_ms, from_tag, from_id FROM tracks
         WHERE device_id = ?1 AND (from_ms, from_tag, from_id) > (?2, ?3, ?4)
         ORDER BY from_ms, from_tag, from_id LIMIT 1",
    )?;
    next.query_row(params![device.0, from.0, from.1, from.2], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
}

/// Writes a row anew together with further points; see [`put`].
fn write(db: &Connection, device: DeviceId, row: Option<Packed>, more: &[Point], last: bool) -> Result<()> {
    let (place, mut points) = match row {
        Some(Packed { id, bytes, points, .. }) => (Some((id, bytes)), points),
        None => (None, Vec::new()),
    };
    add(&mut points, more);
    put(db, device, place, &points, last)
}

/// Writes points as a row, as several where one is not enough; the first takes the place of a row with these bytes. `last`: no row comes after it,
/// so it is filled up; others are cut in even parts, because more will come between.
fn put(
    db: &Connection,
    device: DeviceId,
    mut place: Option<(i64, Vec<u8>)>,
    mut left: &[Point],
    last: bool,
) -> Result<()> {
    let (whole, bytes) = packed::pack(left, usize::MAX);
    let most =
        if last || whole == left.len() { usize::MAX } else { left.len().div_ceil(left.len().div_ceil(whole) + 1) };
    // Mostly that is the first row already.
    let mut first = (whole <= most).then_some((whole, bytes));
    while let Some(point) = left.first() {
        let (taken, bytes) = first.take().unwrap_or_else(|| packed::pack(left, most));
        let from = point.key();
        match place.take() {
            // Filled up already; what is new comes after it.
            Some((_, before)) if bytes == before => {}
            Some((id, _)) => {
                db.prepare_cached(
                    "UPDATE tracks SET from_ms = ?2, from_tag = ?3, from_id = ?4, points = ?5, packed = ?6 WHERE id = ?1",
                )?
                .execute(params![id, from.0, from.1, from.2, i64::try_from(taken).unwrap_or(i64::MAX), bytes])?;
            }
            None => insert(db, device, from, taken, &bytes)?,
        }
        left = left.get(taken..).unwrap_or_default();
    }
    Ok(())
}

fn insert(db: &Connection, device: DeviceId, from: Key, points: usize, bytes: &[u8]) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO tracks(device_id, from_ms, from_tag, from_id, points, packed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![device.0, from.0, from.1, from.2, i64::try_from(points).unwrap_or(i64::MAX), bytes])?;
    Ok(())
}
