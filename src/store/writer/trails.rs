//! The positions of each device in the order of their times, within a batch: what is packed of them, and the tail in memory.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, ops::ControlFlow};

use rusqlite::{Connection, OptionalExtension, Params, Result, params};

use super::{batch::Batch, devices::Devices, slice::Slice};
use crate::model::{DeviceId, StoredFix};
use crate::store::{
    past::SHOWN,
    row::{self, FIX},
    trail::{
        Point,
        fold::{self, drop_all},
        tracked_upto,
        walk::{self, Order, walk},
    },
};

/// Points of a device that wait in memory at most: each new one that is late is looked for among them.
const MOST_WAITING: usize = 1024;

/// Moments between which so little lies that one walk over it costs less than a search for each.
const NEAR_MS: i64 = 10 * 60 * 1000;

/// Short rows at the end of a device's packed points, after which they are joined to full ones: then its pages change only every so many rounds,
/// and whoever reads it has hardly more rows to look at.
const MOST_SHORT: u8 = 8;

/// All time.
const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

/// Positions of a device that are not packed yet, and what must be known to tell a new one from one that was sent again.
#[derive(Debug, Clone)]
pub(super) struct Trail {
    /// No packed position is later.
    packed_ms: i64,
    /// No position is later.
    last_ms: i64,
    /// Short rows that were packed since the last were joined. `None`: nobody knows, so they are joined next time.
    short: Option<u8>,
    /// With the whole of their keys, in the order they came.
    waiting: Vec<(Point, i64)>,
}

impl Default for Trail {
    fn default() -> Self {
        Self { packed_ms: i64::MIN, last_ms: i64::MIN, short: None, waiting: Vec::new() }
    }
}

impl Trail {
    fn push(&mut self, point: Point, key: i64) {
        self.last_ms = self.last_ms.max(point.at_ms);
        self.waiting.push((point, key));
    }

    /// The waiting ones in order.
    fn in_order(&self) -> Vec<Point> {
        let mut points: Vec<_> = self.waiting.iter().map(|(point, _)| *point).collect();
        points.sort_unstable_by_key(Point::key);
        points
    }
}

/// Short rows that a device begins to count with: not all are to be joined in the same round.
fn beginning(device: DeviceId) -> u8 {
    u8::try_from(device.0.rem_euclid(MOST_SHORT.into())).unwrap_or_default()
}

/// The trails of all devices.
#[derive(Default)]
pub(super) struct Trails {
    by_device: HashMap<DeviceId, Trail>,
    /// Points that wait, of all devices.
    waiting: usize,
    round: Option<Round>,
    /// The greatest id that was given to a position.
    pub(super) last_position: i64,
}

/// One time that everything is packed.
struct Round {
    /// The newest position when it began.
    upto: i64,
    /// In descending order.
    left: Vec<DeviceId>,
}

impl Trails {
    pub(super) fn load(db: &Connection) -> Result<Self> {
        // Ids of positions that are packed are not given again, though these are gone.
        let last_position = db.query_row(
            "SELECT max(?1, coalesce((SELECT max(id) FROM positions), 0), coalesce((SELECT max(upto) FROM track_ends), 0))",
            [tracked_upto(db)?],
            |row| row.get(0),
        )?;
        let mut trails = Self { last_position, ..Self::default() };
        let mut ends = db.prepare_cached("SELECT device_id, last_ms FROM track_ends")?;
        let mut ends = ends.query([])?;
        while let Some(end) = ends.next()? {
            let last_ms = end.get(1)?;
            let trail = Trail { packed_ms: last_ms, last_ms, ..Trail::default() };
            trails.by_device.insert(DeviceId(end.get(0)?), trail);
        }
        walk::unpacked(db, None, |device, point, key| {
            trails.by_device.entry(device).or_default().push(point, key);
            trails.waiting += 1;
        })?;
        Ok(trails)
    }

    /// Points that wait to be packed, of all devices.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// True while everything is being packed.
    pub(super) fn is_packing(&self) -> bool {
        self.round.is_some()
    }

    /// A position was written.
    fn push(&mut self, db: &Connection, device: DeviceId, point: Point, key: i64) -> Result<()> {
        self.last_position = self.last_position.max(point.id);
        let trail = self.by_device.entry(device).or_default();
        trail.push(point, key);
        self.waiting += 1;
        if trail.waiting.len() >= MOST_WAITING { self.pack(db, device) } else { Ok(()) }
    }

    /// Packs what waits of a device.
    fn pack(&mut self, db: &Connection, device: DeviceId) -> Result<()> {
        let Some(trail) = self.by_device.get_mut(&device) else { return Ok(()) };
        let points = trail.in_order();
        trail.waiting = Vec::new();
        self.waiting = self.waiting.saturating_sub(points.len());
        if let Some(first) = points.first() {
            let room = trail.short.filter(|short| *short < MOST_SHORT && first.at_ms > trail.packed_ms);
            trail.short = match room {
                Some(short) if fold::append(db, device, &points)? => Some(short + 1),
                _ => {
                    fold::fold(db, device, points)?;
                    Some(if trail.short.is_none() { beginning(device) } else { 0 })
                }
            };
        }
        trail.packed_ms = trail.last_ms;
        fold::ends(db, device, self.last_position, trail.last_ms)
    }

    /// Packs what waits of devices, within a slice of time. True where there are more of this round.
    pub(super) fn pack_some(&mut self, db: &Connection, slice: Slice) -> Result<bool> {
        let mut round = self.round.take().unwrap_or_else(|| {
            let waits = |(id, trail): (&DeviceId, &Trail)| (!trail.waiting.is_empty()).then_some(*id);
            let mut left: Vec<_> = self.by_device.iter().filter_map(waits).collect();
            left.sort_unstable_by(|a, b| b.cmp(a));
            Round { upto: self.last_position, left }
        });
        while let Some(device) = round.left.pop() {
            self.pack(db, device)?;
            if slice.is_over() {
                break;
            }
        }
        if round.left.is_empty() {
            fold::tracked(db, round.upto)?;
            return Ok(false);
        }
        self.round = Some(round);
        Ok(true)
    }

    /// The position of a device with this moment and key.
    fn find(&self, db: &Connection, device: DeviceId, at_ms: i64, key: i64) -> Result<Option<Point>> {
        let Some(trail) = self.by_device.get(&device).filter(|trail| at_ms <= trail.last_ms) else { return Ok(None) };
        let same = |(point, other): &&(Point, i64)| point.at_ms == at_ms && *other == key;
        match trail.waiting.iter().rev().find(same) {
            Some((point, _)) => Ok(Some(*point)),
            None if at_ms > trail.packed_ms => Ok(None),
            None => walk::find(db, device, at_ms, key),
        }
    }

    /// A position is gone.
    fn remove(&mut self, db: &Connection, device: DeviceId, point: (i64, u16, i64)) -> Result<()> {
        let Some(trail) = self.by_device.get_mut(&device) else { return Ok(()) };
        let before = trail.waiting.len();
        trail.waiting.retain(|(other, _)| other.id != point.2);
        let gone = before - trail.waiting.len();
        self.waiting = self.waiting.saturating_sub(gone);
        if gone > 0 { Ok(()) } else { fold::remove(db, device, point) }
    }

    /// Hears of the points of a device until `each` breaks off.
    fn each(
        &self,
        db: &Connection,
        device: DeviceId,
        window: (i64, i64),
        order: Order,
        each: impl FnMut(&Point) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let waiting = self.by_device.get(&device).map(Trail::in_order).unwrap_or_default();
        walk(db, device, window, &waiting, order, each)
    }

    fn points(&self, db: &Connection, device: DeviceId) -> Result<Vec<Point>> {
        let mut points = Vec::new();
        self.each(db, device, ALWAYS, Order::OldestFirst, |point| {
            points.push(*point);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(points)
    }

    /// Forgets a device.
    fn drop_device(&mut self, db: &Connection, device: DeviceId) -> Result<()> {
        let waited = self.by_device.remove(&device).map_or(0, |trail| trail.waiting.len());
        self.waiting = self.waiting.saturating_sub(waited);
        drop_all(db, device)?;
        db.prepare_cached("DELETE FROM track_ends WHERE device_id = ?1")?.execute([device.0])?;
        Ok(())
    }
}

impl Devices {
    /// How many positions a device has.
    fn count_positions(&self, db: &Connection, device: DeviceId) -> Result<u64> {
        let waiting = self.trails.by_device.get(&device).map_or(0, |trail| trail.waiting.len() as u64);
        Ok(walk::count(db, device)? + waiting)
    }
}

impl Batch<'_> {
    /// Whether a device has this very fix.
    pub(super) fn has_fix(&self, device: DeviceId, at_ms: i64, key: i64) -> Result<bool> {
        self.devices.trails.find(self.db, device, at_ms, key).map(|found| found.is_some())
    }

    /// The positions of a device at these moments. Moments that lie close together are looked up in one go.
    pub(super) fn fixes_at(&self, device: DeviceId, mut moments: Vec<i64>) -> Result<HashMap<i64, Vec<Point>>> {
        moments.sort_unstable();
        let mut there: HashMap<i64, Vec<Point>> = moments.iter().map(|at_ms| (*at_ms, Vec::new())).collect();
        for near in moments.chunk_by(|a, b| b.saturating_sub(*a) <= NEAR_MS) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else { continue };
            self.devices.trails.each(self.db, device, (*first, *last), Order::OldestFirst, |point| {
                if let Some(same) = there.get_mut(&point.at_ms) {
                    same.push(*point);
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(there)
    }

    /// Removes positions under the numbers of packets from one to another, at most so many; answers whose they were.
    pub(super) fn remove_some_between(&mut self, least: i64, greatest: i64, most: usize) -> Result<Vec<DeviceId>> {
        let gone = self.remove_positions(
            "DELETE FROM positions WHERE id IN (SELECT id FROM positions WHERE packet_id BETWEEN ?1 AND ?2 LIMIT ?3)
             RETURNING id, device_id, fix_time_ms, fix_key",
            [least, greatest, i64::try_from(most).unwrap_or(i64::MAX)],
        )?;
        Ok(gone)
    }

    /// A row of `positions` was written.
    pub(super) fn new_position(&mut self, device: DeviceId, point: Point, key: i64) -> Result<()> {
        self.devices.trails.push(self.db, device, point, key)
    }

    /// How many positions a device has.
    pub(super) fn count_positions(&self, device: DeviceId) -> Result<u64> {
        self.devices.count_positions(self.db, device)
    }

    /// Removes the positions of a packet, of one device or of all. Answers how many those are.
    pub(super) fn remove_positions_of(&mut self, packet: i64, device: Option<DeviceId>) -> Result<usize> {
        self.remove_positions(
            "DELETE FROM positions WHERE packet_id = ?1 AND (?2 IS NULL OR device_id = ?2)
             RETURNING id, device_id, fix_time_ms, fix_key",
            params![packet, device.map(|device| device.0)],
        )
        .map(|gone| gone.len())
    }

    /// Removes the position of a device with this moment and key, where a later packet than this told it.
    pub(super) fn remove_later(&mut self, device: DeviceId, at_ms: i64, key: i64, packet: i64) -> Result<()> {
        let Some(point) = self.devices.trails.find(self.db, device, at_ms, key)? else { return Ok(()) };
        self.remove_positions(
            "DELETE FROM positions WHERE id = ?1 AND packet_id > ?2 RETURNING id, device_id, fix_time_ms, fix_key",
            [point.id, packet],
        )?;
        Ok(())
    }

    /// Answers whose they were.
    fn remove_positions(&mut self, sql: &str, params: impl Params) -> Result<Vec<DeviceId>> {
        let mut delete = self.db.prepare_cached(sql)?;
        let gone = |row: &rusqlite::Row<'_>| {
            let key = (row.get(2)?, Point::tag_of(row.get(3)?), row.get(0)?);
            Ok((DeviceId(row.get(1)?), key))
        };
        let gone: Vec<_> = delete.query_map(params, gone)?.collect::<Result<_>>()?;
        for (device, key) in &gone {
            self.devices.trails.remove(self.db, *device, *key)?;
        }
        Ok(gone.into_iter().map(|(device, _)| device).collect())
    }

    /// Removes every position of a device, and forgets its trail.
    pub(super) fn remove_all_positions(&mut self, device: DeviceId) -> Result<()> {
        let mut delete = self.db.prepare_cached("DELETE FROM positions WHERE id = ?1 AND device_id = ?2")?;
        for point in self.devices.trails.points(self.db, device)? {
            delete.execute([point.id, device.0])?;
        }
        self.devices.trails.drop_device(self.db, device)
    }

    /// Gives the positions of one device to another, but for those that the other has as well. Answers how many those are, and the time
    /// of the first of them, in milliseconds.
    pub(super) fn give_positions(&mut self, from: DeviceId, to: DeviceId) -> Result<(usize, Option<i64>)> {
        let db = self.db;
        let trails = &mut self.devices.trails;
        trails.pack(db, from)?;
        trails.pack(db, to)?;
        let mut key = db.prepare_cached("SELECT fix_key FROM positions WHERE id = ?1")?;
        let mut give = db.prepare_cached("UPDATE OR IGNORE positions SET device_id = ?2 WHERE id = ?1")?;
        let (mut given, mut left) = (Vec::new(), Vec::new());
        for point in trails.points(db, from)? {
            let key: Option<i64> = key.query_row([point.id], |row| row.get(0)).optional()?;
            let is_new = match key {
                Some(key) => trails.find(db, to, point.at_ms, key)?.is_none(),
                None => false,
            };
            let moved = is_new && give.execute([point.id, to.0])? > 0;
            if moved { &mut given } else { &mut left }.push(point);
        }
        let count = given.len();
        drop_all(db, from)?;
        fold::fold(db, from, left)?;
        if let Some(trail) = trails.by_device.get_mut(&from) {
            trail.short = None;
        }
        let times = || given.iter().map(|point| point.at_ms);
        let (first_ms, last_ms) = (times().min(), times().max());
        fold::fold(db, to, given)?;
        if let Some(last_ms) = last_ms {
            let trail = trails.by_device.entry(to).or_default();
            trail.last_ms = trail.last_ms.max(last_ms);
            trail.packed_ms = trail.last_ms;
            trail.short = None;
            fold::ends(db, to, trails.last_position, trail.last_ms)?;
        }
        Ok((count, first_ms))
    }

    /// The last fix as [`super::devices::Known::learn`] has it, found in the file.
    pub(super) fn last_fix(&self, device: DeviceId) -> Result<Option<StoredFix>> {
        let ahead_ms = i64::try_from(StoredFix::AHEAD.as_millis()).expect("a day");
        let sql = format!("SELECT p.received_ms, p.packet_id FROM positions p WHERE p.id = ?1 AND {SHOWN}");
        let mut told = self.db.prepare_cached(&sql)?;
        for suspect in [false, true] {
            // By its packet, and its row, among those of one moment.
            let mut best: Option<(i64, i64, i64)> = None;
            self.devices.trails.each(self.db, device, ALWAYS, Order::NewestFirst, |point| {
                if best.is_some_and(|(at_ms, ..)| point.at_ms < at_ms) {
                    return Ok(ControlFlow::Break(()));
                }
                if point.suspect == suspect {
                    let row = told.query_row([point.id], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?))).optional()?;
                    if let Some((received_ms, packet)) = row
                        && point.at_ms <= received_ms.saturating_add(ahead_ms)
                    {
                        best = best.max(Some((point.at_ms, packet, point.id)));
                    }
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if let Some((.., id)) = best {
                let sql = format!("SELECT {FIX} FROM positions p WHERE id = ?1");
                return Ok(self.db.prepare_cached(&sql)?.query_row([id], row::fix).optional()?.flatten());
            }
        }
        Ok(None)
    }

    /// Packs what waits of devices, within a slice of time. True where there are more.
    pub(super) fn pack_some(&mut self, slice: Slice) -> Result<bool> {
        self.devices.trails.pack_some(self.db, slice)
    }
}
