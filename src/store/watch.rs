//! Questions about what is watched for, and about the events that come of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::Value;

use super::{
    recent,
    row::{self, EVENT, time},
    trail::walk::{Order, Tail, walk},
};
use crate::{
    geo::LatLon,
    model::{
        DeviceId, DeviceState, PacketId, StoredEvent, TimeWindow, Timestamp,
        watch::{Colour, Kind, Mute, Mutes, Place, PlaceId, PlaceSpec, RuleBook, Rules, Seen},
    },
};

/// What a question is asked of, for those who put several together.
pub type Db = Connection;

/// What it answers.
pub type Answer<T> = Result<T>;

/// The id in `rules` and `mutes` that stands for all devices.
pub(super) const ALL: i64 = 0;

/// Numbers that grow with each commit that wrote something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Commits {
    pub all: u64,
    /// Those that may have changed places, rules or mutes.
    pub of_book: u64,
}

/// Everything that a person set up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetUp {
    /// In the order of their names.
    pub places: Vec<Place>,
    pub rules: RuleBook,
    pub mutes: Mutes,
    /// Events that nobody has read.
    pub unread: u64,
}

/// Everything that a person set up. What another program left unreadable is left out.
pub fn set_up(db: &Connection) -> Result<SetUp> {
    Ok(SetUp { places: places(db)?, rules: rules(db)?, mutes: mutes(db)?, unread: unread(db)? })
}

/// Every place, in the order of their names.
pub fn places(db: &Connection) -> Result<Vec<Place>> {
    let mut select = db.prepare_cached(
        "SELECT id, name, colour, shape, devices, enter, leave, dwell_min, since_ms FROM places
         ORDER BY name COLLATE NOCASE, id",
    )?;
    let places = select.query_map([], place)?.collect::<Result<Vec<_>>>()?;
    Ok(places.into_iter().flatten().collect())
}

fn place(row: &Row<'_>) -> Result<Option<Place>> {
    let Ok(shape) = serde_json::from_str(row.get_ref(3)?.as_str()?) else { return Ok(None) };
    let devices: Option<BTreeSet<DeviceId>> =
        row.get_ref(4)?.as_str_or_null()?.map(|ids| serde_json::from_str(ids).unwrap_or_default());
    let colour = Colour::parse(row.get_ref(2)?.as_str()?).unwrap_or(Colour::CHOICE[0]);
    let spec = PlaceSpec {
        name: row.get(1)?,
        colour,
        shape,
        devices,
        enter: row.get(5)?,
        leave: row.get(6)?,
        dwell_min: row.get(7)?,
    };
    Ok(Some(Place { id: PlaceId(row.get(0)?), spec, since: time(row.get(8)?) }))
}

fn rules(db: &Connection) -> Result<RuleBook> {
    let mut book = RuleBook::default();
    let mut select = db.prepare_cached("SELECT device_id, rules, since_ms FROM rules")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let Ok(rules) = serde_json::from_str::<Rules>(row.get_ref(1)?.as_str()?) else { continue };
        let entry = (rules, time(row.get(2)?));
        match row.get(0)? {
            ALL => book.all = entry,
            id => drop(book.own.insert(DeviceId(id), entry)),
        }
    }
    Ok(book)
}

fn mutes(db: &Connection) -> Result<Mutes> {
    let mut mutes = Mutes::default();
    let mut select = db.prepare_cached("SELECT device_id, until_ms FROM mutes")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let mute = Mute { until: row.get::<_, Option<i64>>(1)?.map(time) };
        match row.get(0)? {
            ALL => mutes.all = Some(mute),
            id => drop(mutes.devices.insert(DeviceId(id), mute)),
        }
    }
    Ok(mutes)
}

fn unread(db: &Connection) -> Result<u64> {
    db.prepare_cached("SELECT count(*) FROM events WHERE unread = 1")?.query_row([], |row| row::count(row, 0))
}

/// Which events to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventQuery {
    pub device: Option<DeviceId>,
    pub window: TimeWindow,
    /// `events.type`; none: those that the program watches for.
    pub types: Vec<String>,
    pub unread: bool,
    /// The newest so many.
    pub limit: usize,
}

/// Events by their own time, newest first.
pub fn events(db: &Connection, wanted: &EventQuery) -> Result<Vec<StoredEvent>> {
    let EventQuery { device, window, types, unread, limit } = wanted;
    let mut sql = format!("SELECT {EVENT} FROM events WHERE time_ms BETWEEN ?1 AND ?2");
    if types.is_empty() {
        // In these words, which an index has.
        sql.push_str(" AND (cause IS NOT NULL OR type = 'alarm')");
    } else {
        sql.push_str(" AND type IN (SELECT value FROM json_each(?3))");
    }
    if *unread {
        sql.push_str(" AND unread = 1");
    }
    sql.push_str(if device.is_some() { " AND device_id = ?4" } else { " AND ?4 IS NULL" });
    sql.push_str(" ORDER BY time_ms DESC, id DESC LIMIT ?5");
    let ms = |at: Timestamp| at.as_millisecond();
    let (from, to) = (window.from.map_or(i64::MIN, ms), window.to.map_or(i64::MAX, ms));
    let types = serde_json::to_string(types).unwrap_or_default();
    let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
    let mut select = db.prepare_cached(&sql)?;
    select.query_map(params![from, to, types, device.map(|d| d.0), limit], row::event)?.collect()
}

/// Events of a device that packets from one to another tell of or show, in the order of their packets.
pub fn events_of_packets(
    db: &Connection,
    device: DeviceId,
    (first, last): (PacketId, PacketId),
    limit: usize,
) -> Result<Vec<StoredEvent>> {
    let sql = format!(
        "SELECT {EVENT} FROM events WHERE device_id = ?1 AND packet_id BETWEEN ?2 AND ?3
         AND (cause IS NOT NULL OR type = 'alarm') ORDER BY packet_id, id LIMIT ?4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.prepare_cached(&sql)?.query_map(params![device.0, first.0, last.0, limit], row::event)?.collect()
}

/// Circles that phones told as waypoints, the newest of each name.
pub fn waypoints(db: &Connection) -> Result<Vec<(DeviceId, String, LatLon, f64)>> {
    let mut select = db.prepare_cached(
        "SELECT e.device_id, e.attributes ->> 'desc', e.attributes ->> 'lat', e.attributes ->> 'lon', e.attributes ->> 'rad'
         FROM events e JOIN devices d ON d.id = e.device_id
         WHERE e.type = 'waypoint' AND d.state = 'adopted' AND json_valid(e.attributes) ORDER BY e.time_ms DESC, e.id DESC",
    )?;
    let mut found: BTreeMap<(DeviceId, String), (LatLon, f64)> = BTreeMap::new();
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        // The desc may be any JSON, and so may the numbers.
        let number = |column| row.get::<_, f64>(column).ok();
        let (Ok(name), Some(lat), Some(lon), Some(radius_m)) =
            (row.get::<_, String>(1), number(2), number(3), number(4).filter(|r| *r >= 1.0))
        else {
            continue;
        };
        if let Some(place) = LatLon::new(lat, lon) {
            found.entry((DeviceId(row.get(0)?), name)).or_insert((place, radius_m));
        }
    }
    Ok(found.into_iter().map(|((device, name), (place, radius_m))| (device, name, place, radius_m)).collect())
}

/// A position that the watch has not seen, with its row id.
#[derive(Debug, Clone, PartialEq)]
pub struct Unwatched {
    pub id: i64,
    /// `None` for one that is not watched: not on the globe, of a time that cannot be, or of a device that nobody adopted.
    pub seen: Option<(DeviceId, Seen)>,
}

/// For `positions p`.
const SEEN: &str = "p.id, p.device_id, p.fix_time_ms, p.received_ms, p.valid AND NOT p.suspect, p.latitude, p.longitude, \
     p.speed_kmh, p.accuracy_m, p.packet_id,
     CASE WHEN instr(p.attributes, 'batteryLevel') AND json_valid(p.attributes) THEN p.attributes ->> 'batteryLevel' END";

fn seen(row: &Row<'_>) -> Result<Option<(DeviceId, Seen)>> {
    let Some(place) = LatLon::new(row.get(5)?, row.get(6)?) else { return Ok(None) };
    let seen = Seen {
        at: time(row.get(2)?),
        received: time(row.get(3)?),
        place,
        accuracy_m: row.get(8)?,
        speed_kmh: row.get(7)?,
        battery: row.get(10).unwrap_or_default(),
        sound: row.get(4)?,
        packet: PacketId(row.get(9)?),
    };
    let ahead = crate::model::StoredFix::AHEAD;
    let sane = seen.at <= seen.received.saturating_add(ahead).unwrap_or(Timestamp::MAX);
    Ok(sane.then_some((DeviceId(row.get(1)?), seen)))
}

/// The oldest `limit` positions with an id above `after`, in order of their ids.
pub fn positions_after(db: &Connection, after: i64, limit: usize) -> Result<Vec<Unwatched>> {
    let sql = format!(
        "SELECT {SEEN}, coalesce(d.state = 'adopted', 0) FROM positions p LEFT JOIN devices d ON d.id = p.device_id
         WHERE p.id > ?1 ORDER BY p.id LIMIT ?2"
    );
    let mut select = db.prepare_cached(&sql)?;
    select
        .query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            let adopted: bool = row.get(11)?;
            Ok(Unwatched { id: row.get(0)?, seen: if adopted { seen(row)? } else { None } })
        })?
        .collect()
}

/// The positions of a device before a moment, the newest `limit`, in the watch's order.
pub fn positions_before(
    db: &Connection,
    tail: &Tail,
    device: DeviceId,
    at: Timestamp,
    limit: usize,
) -> Result<Vec<Seen>> {
    let window = (i64::MIN, at.as_millisecond().saturating_sub(1));
    in_order(db, tail, device, window, Order::NewestFirst, limit)
}

/// The positions of a device from a moment on, in the watch's order.
pub fn positions_from(db: &Connection, tail: &Tail, device: DeviceId, at: Timestamp) -> Result<Vec<Seen>> {
    in_order(db, tail, device, (at.as_millisecond(), i64::MAX), Order::OldestFirst, usize::MAX)
}

fn in_order(
    db: &Connection,
    tail: &Tail,
    device: DeviceId,
    window: (i64, i64),
    order: Order,
    limit: usize,
) -> Result<Vec<Seen>> {
    let mut ids = Vec::new();
    walk(db, device, window, tail.points(device), order, |point| {
        if ids.len() == limit {
            return Ok(ControlFlow::Break(()));
        }
        ids.push(point.id);
        Ok(ControlFlow::Continue(()))
    })?;
    let sql = format!("SELECT {SEEN} FROM positions p WHERE p.id = ?1 AND p.device_id = ?2");
    let mut select = db.prepare_cached(&sql)?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(select.query_row([id, device.0], seen).optional()?.flatten().map(|(_, seen)| seen));
    }
    found.sort_by_key(Seen::order);
    Ok(found)
}

/// Up to which position everything was watched.
pub fn watched(db: &Connection) -> Result<i64> {
    let watched = db
        .prepare_cached("SELECT value FROM counters WHERE name = 'watched_position'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(watched.unwrap_or(0))
}

/// A device that got or lost positions which are stored, and so is to be judged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its name in the store, by which it is taken away once that is done.
    pub mark: String,
    pub device: DeviceId,
    /// From when on.
    pub from: Timestamp,
    pub adopted: bool,
}

/// Names of counters that are marks begin so.
const MOVED: &str = "judge_again ";

/// A mark of its own for each time.
pub(super) fn moved_mark(device: DeviceId, now: Timestamp) -> String {
    format!("{MOVED}{} {}", device.0, now.as_millisecond())
}

/// Devices that are to be judged again.
pub fn moved(db: &Connection) -> Result<Vec<Moved>> {
    let mut select = db.prepare_cached("SELECT name, value FROM counters WHERE name > ?1 AND name < ?1 || '~'")?;
    let mut state = db.prepare_cached("SELECT state = 'adopted' FROM devices WHERE id = ?1")?;
    let marks = select.query_map([MOVED], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut found = Vec::new();
    for mark in marks {
        let (mark, from) = mark?;
        let device = mark.strip_prefix(MOVED).and_then(|rest| rest.split(' ').next()?.parse().ok());
        let device = DeviceId(device.unwrap_or_default());
        let adopted = state.query_row([device.0], |row| row.get(0)).optional()?.unwrap_or(false);
        found.push(Moved { mark, device, from: time(from), adopted });
    }
    Ok(found)
}

/// An event that positions made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub id: i64,
    pub at: Timestamp,
    pub kind: Kind,
    pub place: Option<PlaceId>,
    /// As [`super::NewEvent::key`].
    pub key: i64,
}

/// The events of a device that positions made, from a moment on.
pub fn made_from(db: &Connection, device: DeviceId, at: Timestamp) -> Result<Vec<Made>> {
    let mut select = db.prepare_cached(
        "SELECT id, time_ms, type, place_id, event_key FROM events
         WHERE device_id = ?1 AND time_ms >= ?2 AND cause IS NOT NULL AND made_by_positions = 1",
    )?;
    let rows = select.query_map(params![device.0, at.as_millisecond()], |row| {
        let kind = Kind::parse(row.get_ref(2)?.as_str()?);
        let (id, at, place, key) = (row.get(0)?, time(row.get(1)?), row.get::<_, Option<i64>>(3)?, row.get(4)?);
        Ok(kind.map(|kind| Made { id, at, kind, place: place.map(PlaceId), key }))
    })?;
    Ok(rows.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// When a device last came into a place before a moment, as far as it did not leave it since.
pub fn entered_before(db: &Connection, device: DeviceId, place: PlaceId, at: Timestamp) -> Result<Option<Timestamp>> {
    let last: Option<(i64, String)> = db
        .prepare_cached(
            "SELECT time_ms, type FROM events
             WHERE device_id = ?1 AND time_ms < ?2 AND cause IS NOT NULL AND place_id = ?3 AND type IN ('enter', 'leave')
             ORDER BY time_ms DESC, id DESC LIMIT 1",
        )?
        .query_row(params![device.0, at.as_millisecond(), place.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.filter(|(_, kind)| kind == Kind::Enter.as_str()).map(|(ms, _)| time(ms)))
}

/// The last long stay of a device in a place that was told before a moment: when it became long, and when the device had come.
pub fn last_stay(
    db: &Connection,
    device: DeviceId,
    place: PlaceId,
    at: Timestamp,
) -> Result<Option<(Timestamp, Timestamp)>> {
    let last: Option<(i64, Option<String>)> = db
        .prepare_cached(
            "SELECT time_ms, attributes ->> '$.since' FROM events
             WHERE device_id = ?1 AND time_ms <= ?2 AND cause IS NOT NULL AND place_id = ?3 AND type = 'dwell'
             ORDER BY time_ms DESC, id DESC LIMIT 1",
        )?
        .query_row(params![device.0, at.as_millisecond(), place.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.and_then(|(ms, since)| Some((time(ms), since?.parse().ok()?))))
}

/// When a device was last told of as having gone quiet.
pub fn last_quiet(db: &Connection, device: DeviceId) -> Result<Option<Timestamp>> {
    let last: Option<i64> = db
        .prepare_cached(
            "SELECT max(time_ms) FROM events WHERE device_id = ?1 AND cause IS NOT NULL AND type = 'quiet'",
        )?
        .query_row([device.0], |row| row.get(0))?;
    Ok(last.map(time))
}

/// An alarm that a packet told just now.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlarm {
    pub event: StoredEvent,
    /// When the packet came; `None` where it is gone.
    pub received: Option<Timestamp>,
    /// Somebody adopted the device.
    pub adopted: bool,
}

/// Alarms that packets told and that the watch has not looked at.
pub fn new_alarms(db: &Connection, limit: usize) -> Result<Vec<NewAlarm>> {
    let sql = format!(
        "SELECT {EVENT}, (SELECT received_ms FROM packets WHERE id = packet_id),
           (SELECT state = 'adopted' FROM devices WHERE id = device_id) FROM events WHERE unread = 2 LIMIT ?1"
    );
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        let adopted = row.get::<_, Option<bool>>(8)?.unwrap_or(false);
        Ok(NewAlarm { event: row::event(row)?, received: row.get::<_, Option<i64>>(7)?.map(time), adopted })
    })?;
    rows.collect()
}

/// What was heard last of an adopted device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    pub device: DeviceId,
    pub at: Timestamp,
    /// The newest packet, in or out.
    pub packet: PacketId,
    /// Percent, where something told it that was no fix.
    pub battery: Option<f64>,
}

fn heard_from(known: &recent::Row) -> Option<Heard> {
    let device = &known.overview.device;
    let battery = row::beyond_fix(&known.overview, "batteryLevel").and_then(Value::as_f64);
    (device.state == DeviceState::Adopted).then_some(Heard {
        device: device.id,
        at: device.last_heard?,
        packet: known.newest.unwrap_or(PacketId(0)),
        battery,
    })
}

/// When every adopted device was last heard; those that never were are left out.
pub fn heard(db: &Connection) -> Result<BTreeMap<DeviceId, Heard>> {
    let rows = recent::all(db)?;
    let heard = rows.iter().filter_map(heard_from);
    Ok(heard.map(|heard| (heard.device, heard)).collect())
}
