//! Every question that is asked of the store, as plain functions over a connection: hand them to [`super::Reader::read`].

use std::{collections::HashSet, ops::ControlFlow};

use rusqlite::{Connection, OptionalExtension, Params, Result, Row, named_params, params};

use super::{
    Rederivation,
    past::SHOWN,
    row::{self, COMMAND, DEVICE, EVENT, FIX, IMPORT, LATEST, PACKET, USER_COMMAND},
};
use crate::geo::LatLon;
use crate::model::{
    Command, CommandId, Device, DeviceId, DeviceOverview, DeviceState, ImportBatch, ImportId, PacketId, PacketRow,
    StoredEvent, StoredFix, TimeWindow, Timestamp, library::UserCommand,
};

/// Every device in any state with the last that is known of it, in the order they were first seen.
pub fn device_overviews(db: &Connection) -> Result<Vec<DeviceOverview>> {
    Ok(overviews_and_heads(db)?.into_iter().map(|(overview, _)| overview).collect())
}

/// As [`device_overviews`], each with its newest packet.
pub(super) fn overviews_and_heads(db: &Connection) -> Result<Vec<(DeviceOverview, Option<PacketId>)>> {
    let sql =
        format!("SELECT {DEVICE}, {LATEST} FROM devices d LEFT JOIN latest l ON l.device_id = d.id ORDER BY d.id");
    all(db, &sql, [], row::overview)
}

/// Every device in any state, in the order they were first seen.
pub fn devices(db: &Connection) -> Result<Vec<Device>> {
    let sql = format!("SELECT {DEVICE} FROM devices d LEFT JOIN latest l ON l.device_id = d.id ORDER BY d.id");
    all(db, &sql, [], row::device)
}

/// The device with this id and the last that is known of it.
pub fn device_overview(db: &Connection, id: DeviceId) -> Result<Option<DeviceOverview>> {
    let sql =
        format!("SELECT {DEVICE}, {LATEST} FROM devices d LEFT JOIN latest l ON l.device_id = d.id WHERE d.id = ?1");
    let found = db.prepare_cached(&sql)?.query_row([id.0], row::overview).optional()?;
    Ok(found.map(|(overview, _)| overview))
}

/// The device with this id.
pub fn device(db: &Connection, id: DeviceId) -> Result<Option<Device>> {
    let sql = format!("SELECT {DEVICE} FROM devices d LEFT JOIN latest l ON l.device_id = d.id WHERE d.id = ?1");
    db.prepare_cached(&sql)?.query_row([id.0], row::device).optional()
}

/// The device with this identity, else the one with this name (upper and lower case alike). An adopted one comes first.
pub fn find_device(db: &Connection, identity_or_name: &str) -> Result<Option<Device>> {
    let sql = format!(
        "SELECT {DEVICE} FROM devices d LEFT JOIN latest l ON l.device_id = d.id
         WHERE d.identity = ?1 OR d.name = ?1 COLLATE NOCASE
         ORDER BY d.identity = ?1 DESC, d.state = 'adopted' DESC, d.name = ?1 DESC, d.id LIMIT 1"
    );
    db.prepare_cached(&sql)?.query_row([identity_or_name], row::device).optional()
}

/// The newest `limit` positions of a device within a window that are not hidden, oldest first.
pub fn track(db: &Connection, device: DeviceId, window: TimeWindow, limit: usize) -> Result<Vec<StoredFix>> {
    let sql = format!(
        "SELECT {FIX} FROM positions p WHERE p.device_id = ?1 AND p.fix_time_ms BETWEEN ?2 AND ?3 AND {SHOWN}
         ORDER BY p.fix_time_ms DESC, fix_key DESC LIMIT ?4"
    );
    let (from, to) = bounds(window);
    let mut fixes: Vec<_> =
        all(db, &sql, params![device.0, from, to, clamp(limit)], row::fix)?.into_iter().flatten().collect();
    fixes.reverse();
    Ok(fixes)
}

/// Every position of a device within a window, oldest first, one at a time and in constant memory, until `each` breaks off.
///
/// Reads in steps, because one long read would keep the write-ahead log from being emptied; so a fix that arrives meanwhile may or may not be
/// among them.
pub fn track_each(
    db: &Connection,
    device: DeviceId,
    window: TimeWindow,
    mut each: impl FnMut(StoredFix) -> ControlFlow<()>,
) -> Result<()> {
    const STEP: i64 = 10_000;
    let sql = format!(
        "SELECT {FIX}, p.fix_key FROM positions p
         WHERE device_id = ?1 AND fix_time_ms <= ?2 AND (fix_time_ms, fix_key) > (?3, ?4)
         ORDER BY fix_time_ms, fix_key LIMIT {STEP}"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let (from, to) = bounds(window);
    let mut last = (from.saturating_sub(1), i64::MAX);
    loop {
        let mut rows = statement.query(params![device.0, to, last.0, last.1])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            last = (row.get(2)?, row.get("fix_key")?);
            if let Some(fix) = row::fix(row)?
                && each(fix).is_break()
            {
                return Ok(());
            }
        }
        if seen < STEP {
            return Ok(());
        }
    }
}

/// How many positions these devices have within a window, suspect ones among them.
pub fn count_in(db: &Connection, devices: &[DeviceId], window: TimeWindow) -> Result<u64> {
    let (from, to) = bounds(window);
    let mut count =
        db.prepare_cached("SELECT count(*) FROM positions WHERE device_id = ?1 AND fix_time_ms BETWEEN ?2 AND ?3")?;
    devices.iter().map(|device| count.query_row(params![device.0, from, to], |row| row::count(row, 0))).sum()
}

/// The id of the newest position; 0 where there is none. Later ones have greater ids.
pub fn newest_position(db: &Connection) -> Result<i64> {
    db.prepare_cached("SELECT coalesce(max(id), 0) FROM positions")?.query_row([], |row| row.get(0))
}

/// South, west, north and east of the positions of these devices within a window, up to the id `newest`, in degrees. `None`
/// without any. Knows nothing of the antimeridian. `with`: those under a wrong checksum; those that are hidden.
pub fn box_around(
    db: &Connection,
    devices: &[DeviceId],
    window: TimeWindow,
    with: (bool, bool),
    newest: i64,
) -> Result<Option<[f64; 4]>> {
    let (from, to) = bounds(window);
    let mut statement = db.prepare_cached(&format!(
        "SELECT min(latitude), min(longitude), max(latitude), max(longitude) FROM positions p
         WHERE p.device_id = ?1 AND p.fix_time_ms BETWEEN ?2 AND ?3 AND p.id <= ?4 AND (?5 OR suspect = 0) AND (?6 OR {SHOWN})
           AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180"
    ))?;
    let mut all: Option<[f64; 4]> = None;
    for device in devices {
        let sides: [Option<f64>; 4] = statement
            .query_row(params![device.0, from, to, newest, with.0, with.1], |row| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
            })?;
        let [Some(s), Some(w), Some(n), Some(e)] = sides else { continue };
        let [south, west, north, east] = all.unwrap_or([s, w, n, e]);
        all = Some([south.min(s), west.min(w), north.max(n), east.max(e)]);
    }
    Ok(all)
}

/// The newest `limit` packets (of a device) with an id below `before`, oldest first.
pub fn packets(
    db: &Connection,
    device: Option<DeviceId>,
    before: Option<PacketId>,
    limit: usize,
) -> Result<Vec<PacketRow>> {
    let before = before.map_or(i64::MAX, |id| id.0);
    let mut packets = if let Some(device) = device {
        packets_of(db, device, before, limit)?
    } else {
        let sql = format!("SELECT {PACKET} FROM packets WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        all(db, &sql, [before, clamp(limit)], row::packet)?
    };
    packets.reverse();
    Ok(packets)
}

/// The oldest `limit` packets with an id above `after`, oldest first.
pub fn packets_after(db: &Connection, after: PacketId, limit: usize) -> Result<Vec<PacketRow>> {
    let sql = format!("SELECT {PACKET} FROM packets WHERE id > ?1 ORDER BY id LIMIT ?2");
    all(db, &sql, [after.0, clamp(limit)], row::packet)
}

/// How many packets there are, and the newest of them. Looks at every one: a question for [`super::Reader::read_long`].
pub fn packet_count(db: &Connection) -> Result<(u64, Option<PacketId>)> {
    let mut count = db.prepare_cached("SELECT count(*), max(id) FROM packets")?;
    count.query_row([], |row| {
        let (count, newest): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
        Ok((count.unsigned_abs(), newest.map(PacketId)))
    })
}

/// Which packets there are from one to another, both included.
pub fn packet_ids(db: &Connection, from: PacketId, to: PacketId) -> Result<Vec<PacketId>> {
    all(db, "SELECT id FROM packets WHERE id BETWEEN ?1 AND ?2 ORDER BY id", [from.0, to.0], |row| {
        row.get(0).map(PacketId)
    })
}

/// Follows the chain of a device's packets back from `before`, newest first.
fn packets_of(db: &Connection, device: DeviceId, before: i64, limit: usize) -> Result<Vec<PacketRow>> {
    let mut step =
        db.prepare_cached(&format!("SELECT {PACKET}, previous FROM packets WHERE id = ?1 AND device_id = ?2"))?;
    let mut link = |id: i64| -> Result<Option<(PacketRow, Option<i64>)>> {
        step.query_row([id, device.0], |row| Ok((row::packet(row)?, row.get("previous")?))).optional()
    };
    // Whoever pages asks for what is before a packet of this very device; from there it is one step.
    let mut next = match link(before)? {
        Some((_, previous)) => previous,
        None => db
            .prepare_cached("SELECT packet_id FROM latest WHERE device_id = ?1")?
            .query_row([device.0], |row| row.get(0))
            .optional()?
            .flatten(),
    };
    let mut packets = Vec::new();
    while let Some(id) = next
        && packets.len() < limit
        // A packet that is gone ends the chain: old ones go first.
        && let Some((packet, previous)) = link(id)?
    {
        if id < before {
            packets.push(packet);
        }
        next = previous;
    }
    Ok(packets)
}

/// The packet with this id.
pub fn packet(db: &Connection, id: PacketId) -> Result<Option<PacketRow>> {
    let sql = format!("SELECT {PACKET} FROM packets WHERE id = ?1");
    db.prepare_cached(&sql)?.query_row([id.0], row::packet).optional()
}

/// Histories that are due to be found again, in the order they were asked for.
pub fn rederivations(db: &Connection) -> Result<Vec<Rederivation>> {
    let sql = format!(
        "SELECT {DEVICE}, r.asked FROM rederivations r JOIN devices d ON d.id = r.device_id
         LEFT JOIN latest l ON l.device_id = d.id ORDER BY r.asked"
    );
    all(db, &sql, [], |row| Ok(Rederivation::begin(row::device(row)?, row.get("asked")?)))
}

/// Packets of a device that history is found again from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToReread {
    /// In order of arrival, answers of ours among them.
    pub packets: Vec<PacketId>,
    /// The newest packet of the device, which may be gone itself.
    pub head: Option<PacketId>,
    /// False where packets are gone that once were there.
    pub whole: bool,
}

/// The packets of a device that arrived after one, or all of them.
pub fn to_reread(db: &Connection, device: DeviceId, after: Option<PacketId>) -> Result<ToReread> {
    let after = after.map_or(0, |id| id.0);
    let head: Option<i64> = db
        .prepare_cached("SELECT packet_id FROM latest WHERE device_id = ?1")?
        .query_row([device.0], |row| row.get(0))
        .optional()?
        .flatten();
    let mut next = head;
    let mut link = db.prepare_cached("SELECT previous FROM packets WHERE id = ?1 AND device_id = ?2")?;
    let (mut ids, mut whole) = (Vec::new(), true);
    while let Some(id) = next.filter(|id| *id > after) {
        let Some(previous) = link.query_row([id, device.0], |row| row.get(0)).optional()? else {
            whole = false;
            break;
        };
        next = previous;
        ids.push(id);
    }
    if !whole {
        // A hole in the chain: what told a position or event can be reached all the same.
        for table in ["positions", "events"] {
            let sql = format!("SELECT DISTINCT packet_id FROM {table} WHERE device_id = ?1 AND packet_id > ?2");
            ids.extend(all(db, &sql, [device.0, after], |row| row.get::<_, i64>(0))?);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ToReread { packets: ids.into_iter().map(PacketId).collect(), head: head.map(PacketId), whole })
}

/// Batches of imported positions, the newest first.
pub fn imports(db: &Connection) -> Result<Vec<ImportBatch>> {
    let sql = format!("SELECT {IMPORT} FROM imports ORDER BY id DESC");
    all(db, &sql, [], row::import)
}

/// The batch with this id.
pub fn import(db: &Connection, id: ImportId) -> Result<Option<ImportBatch>> {
    let sql = format!("SELECT {IMPORT} FROM imports WHERE id = ?1");
    db.prepare_cached(&sql)?.query_row([id.0], row::import).optional()
}

/// Whether a device has a position of this moment and place already. Files round, so the same place is one within a tenth of a metre.
pub fn has_fix(db: &Connection, device: DeviceId, at: Timestamp, place: LatLon) -> Result<bool> {
    const ROUNDED_DEG: f64 = 1e-6;
    let mut there = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM positions WHERE device_id = ?1 AND fix_time_ms = ?2
           AND abs(latitude - ?3) < ?5 AND (abs(longitude - ?4) < ?5 OR abs(abs(longitude - ?4) - 360) < ?5))",
    )?;
    let row = params![device.0, at.as_millisecond(), place.lat_deg(), place.lon_deg(), ROUNDED_DEG];
    there.query_row(row, |row| row.get(0))
}

/// Positions of a device whose packets are no longer there. Looks at every one: a question for [`super::Reader::read_long`].
pub fn positions_without_packet(db: &Connection, device: DeviceId) -> Result<u64> {
    db.prepare_cached(
        "SELECT count(*) FROM positions p WHERE device_id = ?1 AND packet_id > 0 AND NOT EXISTS (SELECT 1 FROM packets k WHERE k.id = p.packet_id)",
    )?
    .query_row([device.0], |row| row::count(row, 0))
}

/// The packets with these ids that are still there.
pub fn packets_by_id(db: &Connection, ids: &[PacketId]) -> Result<Vec<PacketRow>> {
    ids.iter().filter_map(|id| packet(db, *id).transpose()).collect()
}

/// The positions that a packet told and that were new.
pub fn fixes_of_packet(db: &Connection, id: PacketId) -> Result<Vec<StoredFix>> {
    let sql = format!("SELECT {FIX} FROM positions p WHERE packet_id = ?1 ORDER BY id");
    Ok(all(db, &sql, [id.0], row::fix)?.into_iter().flatten().collect())
}

/// The newest `limit` events (of a device) by their own time, oldest first.
pub fn events(db: &Connection, device: Option<DeviceId>, limit: usize) -> Result<Vec<StoredEvent>> {
    let whose = if device.is_some() { "device_id = :device" } else { ":device IS NULL" };
    let sql = format!("SELECT {EVENT} FROM events WHERE {whose} ORDER BY time_ms DESC, id DESC LIMIT :limit");
    let named = named_params! { ":device": device.map(|d| d.0), ":limit": clamp(limit) };
    let mut events = all(db, &sql, named, row::event)?;
    events.reverse();
    Ok(events)
}

/// The newest `limit` commands (of a device), oldest first.
pub fn commands(db: &Connection, device: Option<DeviceId>, limit: usize) -> Result<Vec<Command>> {
    let whose = if device.is_some() { "device_id = :device" } else { ":device IS NULL" };
    let sql = format!("SELECT {COMMAND} FROM commands WHERE {whose} ORDER BY id DESC LIMIT :limit");
    let named = named_params! { ":device": device.map(|d| d.0), ":limit": clamp(limit) };
    let mut commands = all(db, &sql, named, row::command)?;
    commands.reverse();
    Ok(commands)
}

/// The command with this id.
pub fn command(db: &Connection, id: CommandId) -> Result<Option<Command>> {
    let sql = format!("SELECT {COMMAND} FROM commands WHERE id = ?1");
    db.prepare_cached(&sql)?.query_row([id.0], row::command).optional()
}

/// Commands of a device that wait to be sent and have not expired, oldest first.
pub fn queued_commands(db: &Connection, device: DeviceId, now: Timestamp) -> Result<Vec<Command>> {
    let sql = format!(
        "SELECT {COMMAND} FROM commands WHERE device_id = ?1 AND state = 'queued' AND expires_ms >= ?2 ORDER BY id"
    );
    all(db, &sql, [device.0, now.as_millisecond()], row::command)
}

/// A command that waits for a device, and what must be known to send it.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub command: Command,
    /// The user confirmed it whatever the speed is.
    pub forced: bool,
}

/// What waits to be sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outbox {
    /// Of each device that was asked about and that is adopted: the last that is known of it, and its commands, oldest first.
    pub devices: Vec<(DeviceOverview, Vec<Waiting>)>,
    /// Some command waits, of whatever device.
    pub any: bool,
    /// Some command waits whose time is over.
    pub overdue: bool,
}

/// The commands that wait for these devices and have not expired.
pub fn outbox(db: &Connection, connected: &[DeviceId], now: Timestamp) -> Result<Outbox> {
    let mut outbox = Outbox::default();
    let waiting: Vec<(DeviceId, i64)> = all(
        db,
        "SELECT device_id, min(expires_ms) FROM commands WHERE state = 'queued' GROUP BY device_id",
        [],
        |row| Ok((DeviceId(row.get(0)?), row.get(1)?)),
    )?;
    outbox.any = !waiting.is_empty();
    outbox.overdue = waiting.iter().any(|(_, expires)| *expires < now.as_millisecond());
    let connected: HashSet<_> = connected.iter().collect();
    let sql = format!(
        "SELECT {COMMAND}, forced FROM commands
         WHERE device_id = ?1 AND state = 'queued' AND expires_ms >= ?2 ORDER BY id"
    );
    for (device, _) in waiting.iter().filter(|(device, _)| connected.contains(device)) {
        let Some(overview) = device_overview(db, *device)? else { continue };
        if overview.device.state != DeviceState::Adopted {
            continue;
        }
        let commands = all(db, &sql, params![device.0, now.as_millisecond()], |row| {
            Ok(Waiting { command: row::command(row)?, forced: row.get("forced")? })
        })?;
        outbox.devices.push((overview, commands));
    }
    Ok(outbox)
}

/// Commands that the user added to the library, in the order of their titles.
pub fn user_commands(db: &Connection) -> Result<Vec<UserCommand>> {
    let sql = format!("SELECT {USER_COMMAND} FROM user_commands ORDER BY title COLLATE NOCASE, id");
    all(db, &sql, [], row::user_command)
}

/// Every row of a query.
fn all<T>(db: &Connection, sql: &str, params: impl Params, from: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, from)?.collect()
}

/// Both ends of a window in milliseconds, inclusive.
fn bounds(window: TimeWindow) -> (i64, i64) {
    let ms = |at: Timestamp| at.as_millisecond();
    (window.from.map_or(i64::MIN, ms), window.to.map_or(i64::MAX, ms))
}

fn clamp(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
