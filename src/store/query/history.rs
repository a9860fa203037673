//! Questions about positions in the order of their times.

use std::{collections::HashSet, ops::ControlFlow};

use rusqlite::{Connection, OptionalExtension, Result};

use super::bounds;
use crate::geo::LatLon;
use crate::model::{DeviceId, StoredFix, TimeWindow, Timestamp, TrackPoint};
use crate::store::{
    past,
    row::{self, FIX},
    trail::{
        Point,
        walk::{Order, Tail, walk},
    },
};

/// The newest `limit` positions of a device within a window that are not hidden, oldest first.
pub fn track(db: &Connection, device: DeviceId, window: TimeWindow, limit: usize) -> Result<Vec<StoredFix>> {
    let tail = Tail::of_one(db, device)?;
    let hidden = past::hidden_ids(db, device, window)?;
    let mut ids = Vec::new();
    walk(db, device, bounds(window), tail.points(device), Order::NewestFirst, |point| {
        if ids.len() == limit {
            return Ok(ControlFlow::Break(()));
        }
        if !hidden.contains(&point.id) {
            ids.push(point.id);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut fixes = Vec::with_capacity(ids.len());
    for id in ids.into_iter().rev() {
        fixes.extend(fix(db, device, id)?);
    }
    Ok(fixes)
}

/// Every position of a device within a window as a point to draw, hidden ones among them, oldest first: a million in a small part of a second.
pub fn track_points(db: &Connection, device: DeviceId, window: TimeWindow) -> Result<Vec<TrackPoint>> {
    let tail = Tail::of_one(db, device)?;
    let mut points = Vec::new();
    walk(db, device, bounds(window), tail.points(device), Order::OldestFirst, |point| {
        points.extend(point.told());
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(points)
}

/// Every position of a device within a window, oldest first, one at a time and in constant memory, until `each` breaks off.
///
/// Reads in steps, because one long read would keep the write-ahead log from being emptied; so a fix that arrives meanwhile may or may not be
/// among them.
pub fn track_each(
    db: &Connection,
    device: DeviceId,
    window: TimeWindow,
    each: impl FnMut(StoredFix) -> ControlFlow<()>,
) -> Result<()> {
    track_each_of(db, &Tail::of_one(db, device)?, device, window, each)
}

/// As [`track_each`], for one of many devices whose tail was read for all of them at once.
pub fn track_each_of(
    db: &Connection,
    tail: &Tail,
    device: DeviceId,
    window: TimeWindow,
    mut each: impl FnMut(StoredFix) -> ControlFlow<()>,
) -> Result<()> {
    const STEP: usize = 10_000;
    let (mut from, to) = bounds(window);
    let mut last = None;
    loop {
        let mut step = Vec::new();
        walk(db, device, (from, to), tail.points(device), Order::OldestFirst, |point| {
            if last < Some(point.key()) {
                step.push(point.key());
            }
            Ok(if step.len() == STEP { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        for (.., id) in &step {
            if let Some(fix) = fix(db, device, *id)?
                && each(fix).is_break()
            {
                return Ok(());
            }
        }
        match step.last() {
            Some(key) if step.len() == STEP => (from, last) = (key.0, Some(*key)),
            _ => return Ok(()),
        }
    }
}

/// A row in full. `None`: it is gone, or not on the globe.
fn fix(db: &Connection, device: DeviceId, id: i64) -> Result<Option<StoredFix>> {
    let sql = format!("SELECT {FIX} FROM positions p WHERE p.id = ?1 AND p.device_id = ?2");
    Ok(db.prepare_cached(&sql)?.query_row([id, device.0], row::fix).optional()?.flatten())
}

/// The earliest position of a device.
pub fn first_position(db: &Connection, device: DeviceId) -> Result<Option<StoredFix>> {
    let mut first = None;
    track_each(db, device, TimeWindow::ALL, |fix| {
        first = Some(fix);
        ControlFlow::Break(())
    })?;
    Ok(first)
}

/// How many positions these devices have within a window, suspect ones among them. `tail`: that of all of them.
pub fn count_in(db: &Connection, tail: &Tail, devices: &[DeviceId], window: TimeWindow) -> Result<u64> {
    let mut count = 0;
    for device in devices {
        walk(db, *device, bounds(window), tail.points(*device), Order::OldestFirst, |_| {
            count += 1;
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(count)
}

/// The id of the newest position; 0 where there is none. Later ones have greater ids.
pub fn newest_position(db: &Connection) -> Result<i64> {
    db.prepare_cached("SELECT coalesce(max(id), 0) FROM positions")?.query_row([], |row| row.get(0))
}

/// South, west, north and east of the positions of these devices within a window, up to the id `newest`, in degrees. `None`
/// without any. Knows nothing of the antimeridian. `with`: those under a wrong checksum; those that are hidden. `tail`: that of all of them.
pub fn box_around(
    db: &Connection,
    tail: &Tail,
    devices: &[DeviceId],
    window: TimeWindow,
    with: (bool, bool),
    newest: i64,
) -> Result<Option<[f64; 4]>> {
    let mut all: Option<[f64; 4]> = None;
    let mut exact = db.prepare_cached("SELECT latitude, longitude FROM positions WHERE id = ?1")?;
    for device in devices {
        let hidden = if with.1 { HashSet::new() } else { past::hidden_ids(db, *device, window)? };
        let each = |each: &mut dyn FnMut(&Point, [f64; 4]) -> Result<()>| {
            walk(db, *device, bounds(window), tail.points(*device), Order::OldestFirst, |point| {
                if point.id <= newest
                    && (with.0 || !point.suspect)
                    && !hidden.contains(&point.id)
                    && let Some(told) = point.told()
                {
                    each(point, [told.lat_deg, told.lon_deg, told.lat_deg, told.lon_deg])?;
                }
                Ok(ControlFlow::Continue(()))
            })
        };
        // Points are rounded; only those at the edges are looked up.
        let mut edges: Option<[f64; 4]> = None;
        each(&mut |_, place| {
            edges = Some(edges.map_or(place, |edges| around(edges, place)));
            Ok(())
        })?;
        let Some(edges) = edges else { continue };
        each(&mut |point, place| {
            if edges.iter().zip(place).any(|(edge, side)| (edge - side).abs() < 1e-9)
                && let Some((lat, lon)) =
                    exact.query_row([point.id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?
            {
                let place = [lat, lon, lat, lon];
                all = Some(all.map_or(place, |all| around(all, place)));
            }
            Ok(())
        })?;
    }
    Ok(all)
}

fn around([south, west, north, east]: [f64; 4], [s, w, n, e]: [f64; 4]) -> [f64; 4] {
    [south.min(s), west.min(w), north.max(n), east.max(e)]
}

/// Whether a device has a position of this moment and place already. Files round, so the same place is one within a tenth of a metre. `tail`: that
/// of this device or of all.
pub fn has_fix(db: &Connection, tail: &Tail, device: DeviceId, at: Timestamp, place: LatLon) -> Result<bool> {
    let moment = (at.as_millisecond(), at.as_millisecond());
    let mut found = false;
    walk(db, device, moment, tail.points(device), Order::OldestFirst, |point| {
        found = point.is_at(place);
        Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

/// Positions of a device whose packets are no longer there. Looks at every one: a question for [`crate::store::Reader::read_long`].
pub fn positions_without_packet(db: &Connection, device: DeviceId) -> Result<u64> {
    let mut lacks = db.prepare_cached(
        "SELECT NOT EXISTS (SELECT 1 FROM packets k WHERE k.id = p.packet_id) FROM positions p
         WHERE p.id = ?1 AND p.device_id = ?2 AND p.packet_id > 0",
    )?;
    let mut count = 0;
    each_id(db, device, |id| {
        count += u64::from(lacks.query_row([id, device.0], |row| row.get(0)).optional()?.unwrap_or(false));
        Ok(())
    })?;
    Ok(count)
}

/// The packets after one that told a position of a device, each as often as it did.
pub(super) fn packets_with_positions(db: &Connection, device: DeviceId, after: i64) -> Result<Vec<i64>> {
    let mut packet = db.prepare_cached("SELECT packet_id FROM positions WHERE id = ?1 AND device_id = ?2")?;
    let mut packets = Vec::new();
    each_id(db, device, |id| {
        let told: Option<i64> = packet.query_row([id, device.0], |row| row.get(0)).optional()?;
        packets.extend(told.filter(|packet| *packet > after));
        Ok(())
    })?;
    Ok(packets)
}

fn each_id(db: &Connection, device: DeviceId, mut each: impl FnMut(i64) -> Result<()>) -> Result<()> {
    let tail = Tail::of_one(db, device)?;
    walk(db, device, bounds(TimeWindow::ALL), tail.points(device), Order::OldestFirst, |point| {
        each(point.id)?;
        Ok(ControlFlow::Continue(()))
    })
}
