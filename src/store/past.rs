//! Questions about a span of history, as plain functions over a connection: hand them to [`super::Reader::read`].
//!
//! What may be long comes in chunks: a read that lasts keeps the write-ahead log from being emptied.

use std::{collections::HashSet, ops::ControlFlow};

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde::Deserialize;
use serde_json::Value;

use super::{
    row::{self, EVENT, FIX},
    trail::walk::{Order, Tail, walk},
};
use crate::{
    geo::LatLon,
    model::{DeviceId, HiddenFix, HideReason, PacketId, StoredEvent, StoredFix, TimeWindow, Timestamp},
    track::{Aside, Point},
};

/// Points that are read at a time.
pub const CHUNK: usize = 10_000;

/// For `positions p`: why one is hidden, or NULL.
const HIDDEN_FOR: &str = "(SELECT h.reason FROM hidden h WHERE h.position_id = p.id AND h.packet_id = p.packet_id)";

/// For `positions p`: a condition that holds where it is not hidden.
pub(super) const SHOWN: &str =
    "NOT EXISTS (SELECT 1 FROM hidden h WHERE h.position_id = p.id AND h.packet_id = p.packet_id)";

/// Where the next chunk goes on: a time and what tells fixes of one moment apart.
pub type Mark = super::trail::Key;

/// A part of a span.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    pub points: Vec<Point>,
    /// `None` at the end.
    pub next: Option<Mark>,
}

/// Positions of a device within a window, oldest first, hidden ones among them: `limit` from a mark on.
pub fn points(
    db: &Connection,
    device: DeviceId,
    window: TimeWindow,
    after: Option<Mark>,
    limit: usize,
) -> Result<Chunk> {
    let (from, to) = bounds(window);
    let tail = Tail::of_one(db, device)?;
    let mut keys = Vec::new();
    walk(db, device, (after.map_or(from, |after| after.0), to), tail.points(device), Order::OldestFirst, |point| {
        if keys.len() == limit {
            return Ok(ControlFlow::Break(()));
        }
        if after < Some(point.key()) {
            keys.push(point.key());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let sql = format!(
        "SELECT p.id, p.fix_time_ms, p.fix_key, p.latitude, p.longitude, p.altitude_m, p.speed_kmh, p.course_deg, p.accuracy_m,
           p.attributes, p.packet_id, p.suspect, {HIDDEN_FOR}, p.valid
         FROM positions p WHERE p.id = ?1 AND p.device_id = ?2"
    );
    let mut select = db.prepare_cached(&sql)?;
    let mut chunk = Chunk::default();
    for (.., id) in &keys {
        chunk.points.extend(select.query_row([*id, device.0], point).optional()?.flatten());
    }
    chunk.next = keys.last().copied().filter(|_| keys.len() == limit);
    Ok(chunk)
}

/// `None` for one that is not on the globe.
fn point(row: &Row<'_>) -> Result<Option<Point>> {
    let Some(place) = LatLon::new(row.get(3)?, row.get(4)?) else { return Ok(None) };
    let told = Told::of(row.get_ref(9)?.as_str()?);
    let hidden = row.get_ref(12)?.as_str_or_null()?.map(|word| HideReason::parse(word).unwrap_or(HideReason::Hand));
    let aside = hidden.map(Aside::Hidden).or(row.get::<_, bool>(11)?.then_some(Aside::Checksum));
    Ok(Some(Point {
        at_ms: row.get(1)?,
        place,
        fix: row.get(0)?,
        packet: PacketId(row.get(10)?),
        speed_kmh: row.get::<_, Option<f64>>(6)?.map(small),
        altitude_m: row.get::<_, Option<f64>>(5)?.map(small),
        course_deg: row.get::<_, Option<f64>>(7)?.map(small),
        accuracy_m: row.get::<_, Option<f64>>(8)?.map(small),
        volts: number(told.power.as_ref()).or_else(|| number(told.battery.as_ref())).map(small),
        battery_percent: whole(told.battery_level.as_ref()),
        satellites: whole(told.sat.as_ref()),
        valid: row.get(13)?,
        aside,
    }))
}

/// The readings that a chart shows.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    power: Option<Value>,
    battery: Option<Value>,
    battery_level: Option<Value>,
    sat: Option<Value>,
}

impl Told {
    /// Nothing where another program left something else.
    fn of(attributes: &str) -> Self {
        serde_json::from_str(attributes).unwrap_or_default()
    }
}

fn number(value: Option<&Value>) -> Option<f64> {
    value.and_then(Value::as_f64)
}

fn whole(value: Option<&Value>) -> Option<u8> {
    let n = number(value)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    (0.0..=255.0).contains(&n).then_some(n as u8)
}

#[expect(clippy::cast_possible_truncation, reason = "for a chart")]
fn small(value: f64) -> f32 {
    value as f32
}

/// The position with this row id.
pub fn fix(db: &Connection, id: i64) -> Result<Option<StoredFix>> {
    let sql = format!("SELECT {FIX} FROM positions p WHERE p.id = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([id], row::fix).optional()?.flatten())
}

/// Which of these stretches of time (in milliseconds; the end is not part of it) have a position of one of these devices.
pub fn have_data(db: &Connection, devices: &[DeviceId], stretches: &[(i64, i64)]) -> Result<Vec<bool>> {
    let tail = Tail::of_all(db)?;
    let mut have = Vec::with_capacity(stretches.len());
    for (from, before) in stretches {
        let mut found = false;
        for device in devices {
            if !found {
                let stretch = (*from, before.saturating_sub(1));
                walk(db, *device, stretch, tail.points(*device), Order::OldestFirst, |_| {
                    found = true;
                    Ok(ControlFlow::Break(()))
                })?;
            }
        }
        have.push(found);
    }
    Ok(have)
}

/// The first `limit` events of a device within a window that somebody may want to look at: alarms, regions and the like, not every change of state.
pub fn alarms(db: &Connection, device: DeviceId, window: TimeWindow, limit: usize) -> Result<Vec<StoredEvent>> {
    let (from, to) = bounds(window);
    let sql = format!(
        "SELECT {EVENT} FROM events WHERE device_id = ?1 AND time_ms BETWEEN ?2 AND ?3
           AND type NOT IN ('activity', 'status', 'command', 'waypoint')
         ORDER BY time_ms, id LIMIT ?4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.prepare_cached(&sql)?.query_map(params![device.0, from, to, limit], row::event)?.collect()
}

/// Packets that arrived in each of `columns` equal parts of a stretch of time, of some devices or of whoever: when each part begins, and how many.
/// Relies on packets being numbered in order of arrival, as they are but for a clock that was set back.
pub fn packet_counts(
    db: &Connection,
    devices: Option<&[DeviceId]>,
    from_ms: i64,
    to_ms: i64,
    columns: usize,
) -> Result<Vec<(i64, u32)>> {
    let columns = i64::try_from(columns).unwrap_or(i64::MAX).max(1);
    let step_ms = (to_ms.saturating_sub(from_ms) / columns).max(1);
    let mut counts: Vec<(i64, u32)> = (0..columns).map(|n| (from_ms + n * step_ms, 0)).collect();
    let Some(first) = first_packet_at(db, from_ms)? else { return Ok(counts) };
    let mut select = db
        .prepare_cached("SELECT received_ms, device_id FROM packets WHERE id >= ?1 AND direction = 'in' ORDER BY id")?;
    let mut rows = select.query([first.0])?;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        if at >= to_ms {
            break;
        }
        let of: Option<i64> = row.get(1)?;
        let ours = devices.is_none_or(|devices| of.is_some_and(|id| devices.contains(&DeviceId(id))));
        let column = usize::try_from((at - from_ms) / step_ms).ok();
        if let Some((_, count)) = column.filter(|_| ours && at >= from_ms).and_then(|n| counts.get_mut(n)) {
            *count += 1;
        }
    }
    Ok(counts)
}

/// The first packet that arrived at an instant or later. Halves its way there; no index is needed.
pub fn first_packet_at(db: &Connection, at_ms: i64) -> Result<Option<PacketId>> {
    let ends = "SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM packets";
    let (mut low, newest): (i64, i64) = db.prepare_cached(ends)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut next = db.prepare_cached("SELECT id, received_ms FROM packets WHERE id >= ?1 ORDER BY id LIMIT 1")?;
    let mut high = newest.saturating_add(1);
    let mut found = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let there: Option<(i64, i64)> = next.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match there {
            Some((id, received)) if received < at_ms => low = id + 1,
            Some((id, _)) => {
                found = Some(PacketId(id));
                high = middle;
            }
            None => high = middle,
        }
    }
    Ok(found)
}

/// Row ids of the positions of a device within a window that are hidden: exports leave them out.
pub fn hidden_ids(db: &Connection, device: DeviceId, window: TimeWindow) -> Result<HashSet<i64>> {
    Ok(hidden(db, device, window)?.into_iter().map(|hidden| hidden.fix).collect())
}

/// The positions of a device within a window that are hidden, in order of time.
pub fn hidden(db: &Connection, device: DeviceId, window: TimeWindow) -> Result<Vec<HiddenFix>> {
    let (from, to) = bounds(window);
    let mut select = db.prepare_cached(
        "SELECT h.position_id, h.device_id, h.packet_id, h.fix_time_ms, h.reason, h.at_ms FROM hidden h
         JOIN positions p ON p.id = h.position_id AND p.packet_id = h.packet_id
         WHERE h.device_id = ?1 AND h.fix_time_ms BETWEEN ?2 AND ?3 ORDER BY h.fix_time_ms, h.position_id",
    )?;
    let rows = select.query_map(params![device.0, from, to], |row| {
        Ok(HiddenFix {
            fix: row.get(0)?,
            device: DeviceId(row.get(1)?),
            packet: PacketId(row.get(2)?),
            at: row::time(row.get(3)?),
            reason: HideReason::parse(row.get_ref(4)?.as_str()?).unwrap_or(HideReason::Hand),
            hidden: row::time(row.get(5)?),
        })
    })?;
    rows.collect()
}

/// Both ends of a window in milliseconds, inclusive.
fn bounds(window: TimeWindow) -> (i64, i64) {
    let ms = |at: Timestamp| at.as_millisecond();
    (window.from.map_or(i64::MIN, ms), window.to.map_or(i64::MAX, ms))
}
