//! Between rows and the vocabulary: the only place that knows the order of columns.

use std::{borrow::Cow, fmt};

use rusqlite::{Result, Row, types::Type};
use serde::{
    de::{DeserializeSeed, Deserializer, MapAccess, Visitor},
    ser::{Serialize, SerializeMap, Serializer},
};
use serde_json::Value;

use crate::geo::LatLon;
use crate::model::{
    Command, CommandId, CommandState, CountedIn, Device, DeviceId, DeviceOverview, DeviceState, Direction, Fix,
    Identity, ImportBatch, ImportId, PacketId, PacketRow, Protocol, Readings, StoredEvent, StoredFix, Timestamp, Trust,
    Verdict, library::UserCommand,
};

/// Set in the attributes of a position under a wrong checksum, for those who read the file without us.
const SUSPECT: &str = "suspect";

/// For `positions p`.
pub(super) const FIX: &str = "p.id, p.device_id, p.fix_time_ms, p.received_ms, p.valid, p.suspect, p.latitude, \
     p.longitude, p.altitude_m, p.speed_kmh, p.course_deg, p.accuracy_m, p.attributes, p.packet_id";

/// The column of [`FIX`] that names the packet.
pub(super) const FIX_PACKET: usize = 13;

/// A position. `None` for one that is not on the globe, which only another program can have written.
pub(super) fn fix(row: &Row<'_>) -> Result<Option<StoredFix>> {
    fix_from(row, 0)
}

fn fix_from(row: &Row<'_>, first: usize) -> Result<Option<StoredFix>> {
    let Some(place) = LatLon::new(row.get(first + 6)?, row.get(first + 7)?) else { return Ok(None) };
    // Whether it is suspect stands in a column.
    let readings = readings_without(SUSPECT, row.get_ref(first + 12)?.as_str()?);
    let fix = Fix {
        at: time(row.get(first + 2)?),
        place,
        valid: row.get(first + 4)?,
        altitude_m: row.get(first + 8)?,
        speed_kmh: row.get(first + 9)?,
        course_deg: row.get(first + 10)?,
        satellites: readings.get("sat").and_then(Value::as_u64).and_then(|n| n.try_into().ok()),
        accuracy_m: row.get(first + 11)?,
    };
    Ok(Some(StoredFix {
        id: row.get(first)?,
        device: DeviceId(row.get(first + 1)?),
        fix,
        received: time(row.get(first + 3)?),
        trust: if row.get(first + 5)? { Trust::Suspect } else { Trust::Good },
        readings,
        packet: PacketId(row.get(first + 13)?),
    }))
}

/// For `devices d LEFT JOIN latest l`: the device, then its overview.
pub(super) const DEVICE: &str =
    "d.id, d.identity, d.protocol, d.name, d.state, d.profile, d.first_seen_ms, l.last_heard_ms";

/// After [`DEVICE`]; from the fourth on in the order of [`FIX`].
pub(super) const LATEST: &str = "coalesce(l.packets, 0), coalesce(l.positions, 0), l.packet_id, l.readings, \
     l.position_id, l.device_id, l.fix_time_ms, l.fix_received_ms, l.valid, l.suspect, l.latitude, l.longitude, \
     l.altitude_m, l.speed_kmh, l.course_deg, l.accuracy_m, l.attributes, l.fix_packet_id, \
     coalesce(l.lost_frames, 0)";

/// The column after [`DEVICE`] and [`LATEST`].
pub(super) const AFTER_LATEST: usize = 27;

pub(super) fn device(row: &Row<'_>) -> Result<Device> {
    Ok(Device {
        id: DeviceId(row.get(0)?),
        identity: Identity::new(row.get::<_, String>(1)?).ok_or_else(|| unknown(1))?,
        protocol: Protocol::parse(row.get_ref(2)?.as_str()?).ok_or_else(|| unknown(2))?,
        name: row.get(3)?,
        state: DeviceState::parse(row.get_ref(4)?.as_str()?).ok_or_else(|| unknown(4))?,
        // What a newer program adds to the profile is skipped, and a broken one is as good as none.
        profile: serde_json::from_str(row.get_ref(5)?.as_str()?).unwrap_or_default(),
        first_seen: time(row.get(6)?),
        last_heard: row.get::<_, Option<i64>>(7)?.map(time),
    })
}

/// A device's overview, and its newest packet.
pub(super) fn overview(row: &Row<'_>) -> Result<(DeviceOverview, Option<PacketId>)> {
    let last_fix = match row.get::<_, Option<i64>>(12)? {
        Some(_) => fix_from(row, 12)?,
        None => None,
    };
    let mut readings = last_fix.as_ref().and_then(told_by).cloned().unwrap_or_default();
    if let Some(rest) = row.get_ref(11)?.as_str_or_null()? {
        readings.merge(&self::readings(rest));
    }
    let overview = DeviceOverview {
        device: device(row)?,
        last_fix,
        readings,
        packets: count(row, 8)?,
        positions: count(row, 9)?,
        lost_frames: count(row, 26)?,
    };
    Ok((overview, row.get::<_, Option<i64>>(10)?.map(PacketId)))
}

/// For `packets`.
pub(super) const PACKET: &str =
    "id, received_ms, protocol, direction, peer, connection, device_id, kind, verdict, context, answers, bytes";

pub(super) fn packet(row: &Row<'_>) -> Result<PacketRow> {
    Ok(PacketRow {
        id: PacketId(row.get(0)?),
        received: time(row.get(1)?),
        protocol: Protocol::parse(row.get_ref(2)?.as_str()?).ok_or_else(|| unknown(2))?,
        direction: if row.get_ref(3)?.as_str()? == Direction::Out.as_str() { Direction::Out } else { Direction::In },
        peer: row.get_ref(4)?.as_str()?.into(),
        connection: row.get::<_, i64>(5)?.cast_unsigned(),
        device: row.get::<_, Option<i64>>(6)?.map(DeviceId),
        kind: Cow::Owned(row.get(7)?),
        verdict: Verdict::parse(row.get_ref(8)?.as_str()?).ok_or_else(|| unknown(8))?,
        context: row.get_ref(9)?.as_str_or_null()?.map(Into::into),
        answers: row.get::<_, Option<i64>>(10)?.map(PacketId),
        bytes: row.get_ref(11)?.as_blob()?.into(),
    })
}

/// For `events`.
pub(super) const EVENT: &str = "id, device_id, time_ms, type, attributes, coalesce(cause, packet_id), unread = 1";

pub(super) fn event(row: &Row<'_>) -> Result<StoredEvent> {
    Ok(StoredEvent {
        id: row.get(0)?,
        device: DeviceId(row.get(1)?),
        at: time(row.get(2)?),
        kind: Cow::Owned(row.get(3)?),
        attributes: readings(row.get_ref(4)?.as_str()?),
        packet: PacketId(row.get(5)?),
        unread: row.get(6)?,
    })
}

/// For `commands`.
pub(super) const COMMAND: &str = "id, device_id, created_ms, expires_ms, text, state, sent_ms, answered_ms, answer, \
     guessed, waits, sent_packet, answer_packet";

pub(super) fn command(row: &Row<'_>) -> Result<Command> {
    Ok(Command {
        id: CommandId(row.get(0)?),
        device: DeviceId(row.get(1)?),
        created: time(row.get(2)?),
        expires: time(row.get(3)?),
        text: row.get(4)?,
        state: CommandState::parse(row.get_ref(5)?.as_str()?).ok_or_else(|| unknown(5))?,
        sent: row.get::<_, Option<i64>>(6)?.map(time),
        answered: row.get::<_, Option<i64>>(7)?.map(time),
        answer: row.get(8)?,
        guessed: row.get(9)?,
        waits: row.get(10)?,
        sent_packet: row.get::<_, Option<i64>>(11)?.map(PacketId),
        answer_packet: row.get::<_, Option<i64>>(12)?.map(PacketId),
    })
}

/// For `user_commands`.
pub(super) const USER_COMMAND: &str = "id, title, text";

pub(super) fn user_command(row: &Row<'_>) -> Result<UserCommand> {
    Ok(UserCommand { id: row.get(0)?, title: row.get(1)?, text: row.get(2)? })
}

/// For `imports`.
pub(super) const IMPORT: &str =
    "id, file, format, counted_in, began_ms, ended_ms, undone_ms, positions, duplicates, rejected";

pub(super) fn import(row: &Row<'_>) -> Result<ImportBatch> {
    Ok(ImportBatch {
        id: ImportId(row.get(0)?),
        file: row.get(1)?,
        format: row.get(2)?,
        counted_in: CountedIn::parse(row.get_ref(3)?.as_str()?).ok_or_else(|| unknown(3))?,
        began: time(row.get(4)?),
        ended: row.get::<_, Option<i64>>(5)?.map(time),
        undone: row.get::<_, Option<i64>>(6)?.map(time),
        positions: count(row, 7)?,
        duplicates: count(row, 8)?,
        rejected: count(row, 9)?,
    })
}

/// The moment `ms` milliseconds after the Unix epoch; the first or last moment there is, where that is none.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Readings as the JSON text that the store keeps.
pub(super) fn json(readings: &Readings, trust: Trust) -> String {
    text(readings.iter().filter(|(key, _)| *key != SUSPECT), trust)
}

/// Those of a device's readings that its last fix does not say already; `None` where that is nothing.
pub(super) fn json_beyond(readings: &Readings, last_fix: Option<&StoredFix>) -> Option<String> {
    let known = last_fix.and_then(told_by);
    let mut rest = readings.iter().filter(|(key, value)| known.and_then(|k| k.get(key)) != Some(*value)).peekable();
    rest.peek()?;
    Some(text(rest, Trust::Good))
}

/// A reading of a device that its last fix does not say already.
pub(super) fn beyond_fix<'o>(overview: &'o DeviceOverview, name: &str) -> Option<&'o Value> {
    let known = overview.last_fix.as_ref().and_then(told_by).and_then(|readings| readings.get(name));
    overview.readings.get(name).filter(|value| known != Some(*value))
}

/// What a last fix says about its device: nothing under a wrong checksum.
fn told_by(fix: &StoredFix) -> Option<&Readings> {
    (fix.trust == Trust::Good).then_some(&fix.readings)
}

/// Readings of an event as they are read back: a wrong checksum stays visible among them.
pub(super) fn marked(readings: &Readings, trust: Trust) -> Readings {
    let mut readings = readings.clone();
    if trust == Trust::Suspect {
        readings.set(SUSPECT, true);
    }
    readings
}

fn text<'a>(entries: impl Iterator<Item = (&'a str, &'a Value)>, trust: Trust) -> String {
    struct Entries<I>(std::cell::Cell<Option<I>>, Trust);

    impl<'a, I: Iterator<Item = (&'a str, &'a Value)>> Serialize for Entries<I> {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            for (key, value) in self.0.take().into_iter().flatten() {
                map.serialize_entry(key, value)?;
            }
            if self.1 == Trust::Suspect {
                map.serialize_entry(SUSPECT, &true)?;
            }
            map.end()
        }
    }

    serde_json::to_string(&Entries(Some(entries).into(), trust)).expect("names are text and values are JSON")
}

/// Readings from the JSON text that the store keeps; none where another program left something else.
pub(super) fn readings(text: &str) -> Readings {
    readings_without("", text)
}

fn readings_without(left_out: &str, text: &str) -> Readings {
    struct Entries<'a>(&'a str);

    // Straight into readings: a track of a hundred thousand points is as many texts.
    impl<'de> Visitor<'de> for Entries<'_> {
        type Value = Readings;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Readings, A::Error> {
            let mut readings = Readings::new();
            while let Some(key) = map.next_key_seed(Name)? {
                let value = map.next_value::<Value>()?;
                if key != self.0 {
                    readings.set(key, value);
                }
            }
            Ok(readings)
        }
    }

    serde_json::Deserializer::from_str(text).deserialize_map(Entries(left_out)).unwrap_or_default()
}

/// The name of a reading, mostly without memory of its own.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'static, str>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> std::result::Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Cow<'static, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> std::result::Result<Self::Value, E> {
        Ok(Readings::name(name))
    }
}

/// A number of things, which SQLite keeps as a signed one.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    Ok(row.get::<_, i64>(column)?.max(0).cast_unsigned())
}

/// A word that this program does not know.
fn unknown(column: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, "a word this program does not know".to_owned(), Type::Text)
}
