//! Every question that is asked of the store, as plain functions over a connection: hand them to [`super::Reader::read`].

mod filtered;
mod history;
mod notes;
mod talk;

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Params, Result, Row, named_params, params};

pub use super::trail::walk::Tail;
use super::{
    Rederivation, recent,
    row::{self, COMMAND, DEVICE, EVENT, FIX, IMPORT, PACKET, USER_COMMAND},
};
pub use filtered::{is_answered, newest_id, oldest_packet, packets_filtered, packets_onward};
pub use history::{
    box_around, count_in, first_position, has_fix, newest_position, positions_without_packet, track, track_each,
    track_each_of, track_points,
};
pub use notes::{notes, notes_between};

/// What a question is asked of, for those who put several together.
pub type Db = Connection;

/// What it answers.
pub type Answer<T> = Result<T>;

pub use talk::{Cell, Line, commands_of, count_packets, end_of_connection, packets_of_line, span};

use crate::model::{
    Command, CommandId, Device, DeviceId, DeviceOverview, DeviceState, ImportBatch, ImportId, Overviews, PacketId,
    PacketRow, StoredEvent, StoredFix, TimeWindow, Timestamp, Upto, library::UserCommand,
};

/// Every device in any state with the last that is known of it, and up to which packet and position that is.
pub fn overviews(db: &Connection) -> Result<Overviews> {
    let _one_moment = recent::one_moment(db)?;
    let rows = recent::all(db)?;
    let upto = Upto { packet: recent::upto(db, &rows)?, position: newest_position(db)? };
    Ok(Overviews { devices: rows.into_iter().map(|row| row.overview).collect(), upto })
}

/// Every device in any state with the last that is known of it, in the order they were first seen.
pub fn device_overviews(db: &Connection) -> Result<Vec<DeviceOverview>> {
    Ok(recent::all(db)?.into_iter().map(|row| row.overview).collect())
}

/// Every device in any state, in the order they were first seen.
pub fn devices(db: &Connection) -> Result<Vec<Device>> {
    Ok(recent::all(db)?.into_iter().map(|row| row.overview.device).collect())
}

/// The device with this id and the last that is known of it.
pub fn device_overview(db: &Connection, id: DeviceId) -> Result<Option<DeviceOverview>> {
    Ok(recent::one(db, id)?.map(|row| row.overview))
}

/// The device with this id.
pub fn device(db: &Connection, id: DeviceId) -> Result<Option<Device>> {
    Ok(device_overview(db, id)?.map(|overview| overview.device))
}

/// The device with this identity, else the one with this name (upper and lower case alike). An adopted one comes first.
pub fn find_device(db: &Connection, identity_or_name: &str) -> Result<Option<Device>> {
    let mut select = db.prepare_cached(
        "SELECT id FROM devices WHERE identity = ?1 OR name = ?1 COLLATE NOCASE
         ORDER BY identity = ?1 DESC, state = 'adopted' DESC, name = ?1 DESC, id LIMIT 1",
    )?;
    let found = select.query_row([identity_or_name], |row| row.get(0).map(DeviceId)).optional()?;
    found.map_or(Ok(None), |id| device(db, id))
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

/// The newest packet of a device.
fn head(db: &Connection, device: DeviceId) -> Result<Option<i64>> {
    Ok(recent::one(db, device)?.and_then(|row| row.newest).map(|id| id.0))
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
        None => head(db, device)?,
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
    let head = head(db, device)?;
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
        ids.extend(history::packets_with_positions(db, device, after)?);
        let events = "SELECT DISTINCT packet_id FROM events WHERE device_id = ?1 AND packet_id > ?2";
        ids.extend(all(db, events, [device.0, after], |row| row.get::<_, i64>(0))?);
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
    let asked: Vec<_> = waiting.iter().map(|(device, _)| *device).filter(|device| connected.contains(device)).collect();
    for overview in recent::some(db, &asked)?.into_iter().map(|row| row.overview) {
        let device = overview.device.id;
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
