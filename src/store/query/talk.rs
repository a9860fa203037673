//! Packets by the connection they came on, and counted. There is no index for either, which would cost a page a row: a window of ids is read past.

use std::collections::{BTreeSet, HashSet};

use jiff::SignedDuration;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::{COMMAND, PACKET, all, clamp};
use crate::{
    model::{
        Command, ConnectionEnd, DeviceId, Direction, Ended, Ender, PacketId, PacketRow, Protocol, Timestamp, Verdict,
    },
    store::{past, row},
};

/// Whose talk it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub protocol: Protocol,
    /// One number a connection, unique within a run of the program, so the far end counts, too.
    pub connection: u64,
    pub peer: std::sync::Arc<str>,
    /// Phones make a connection of each request, so theirs are told by the device.
    pub device: Option<DeviceId>,
}

impl Line {
    /// The line of a packet.
    pub fn of(packet: &PacketRow) -> Self {
        let device = packet.device.filter(|_| packet.protocol == Protocol::OwnTracks);
        Self { protocol: packet.protocol, connection: packet.connection, peer: packet.peer.clone(), device }
    }
}

/// The packets of a line with ids from one to another, both included: at most `limit`, the oldest or the newest. Oldest first.
pub fn packets_of_line(
    db: &Connection,
    line: &Line,
    (from, to): (PacketId, PacketId),
    newest: bool,
    limit: usize,
) -> Result<Vec<PacketRow>> {
    let order = if newest { "DESC" } else { "" };
    let whose = match line.device {
        Some(_) => "(device_id = :device OR :connection = connection AND peer = :peer)",
        None => ":device IS NULL AND connection = :connection AND peer = :peer",
    };
    let sql = format!(
        "SELECT {PACKET} FROM packets WHERE id BETWEEN :from AND :to AND protocol = :protocol AND {whose}
         ORDER BY id {order} LIMIT :limit"
    );
    let named = named_params! {
        ":from": from.0, ":to": to.0, ":protocol": line.protocol.as_str(), ":device": line.device.map(|d| d.0),
        ":connection": line.connection.cast_signed(), ":peer": line.peer.as_ref(), ":limit": clamp(limit),
    };
    let mut packets = all(db, &sql, named, row::packet)?;
    if newest {
        packets.reverse();
    }
    Ok(packets)
}

/// When a connection was made and how it ended, where this is its last packet and somebody wrote it down.
pub fn end_of_connection(db: &Connection, last: PacketId) -> Result<Option<ConnectionEnd>> {
    let sql = "SELECT made_ms, ended_ms, ended_by, why FROM connection_ends WHERE packet_id = ?1";
    let end = |row: &Row<'_>| {
        let at = row::time(row.get(1)?);
        let by = Ender::parse(row.get_ref(2)?.as_str()?).unwrap_or(Ender::Nobody);
        let why = row.get::<_, String>(3)?.into();
        let made = row.get::<_, Option<i64>>(0)?.map(row::time);
        Ok(ConnectionEnd { last_packet: last, made, ended: Ended { at, by, why } })
    };
    db.prepare_cached(sql)?.query_row([last.0], end).optional()
}

/// Commands that some of these packets took out or answered, newest first: at most `MOST_COMMANDS` of each device are looked at.
pub fn commands_of(db: &Connection, packets: &[PacketRow]) -> Result<Vec<Command>> {
    let devices: BTreeSet<i64> =
        packets.iter().filter(|p| p.protocol == Protocol::Gt06).filter_map(|p| p.device).map(|id| id.0).collect();
    let ids: HashSet<PacketId> = packets.iter().map(|packet| packet.id).collect();
    let sql = format!("SELECT {COMMAND} FROM commands WHERE device_id = ?1 ORDER BY id DESC LIMIT ?2");
    let mut commands = Vec::new();
    for device in devices {
        commands.extend(all(db, &sql, [device, MOST_COMMANDS], row::command)?);
    }
    commands.retain(|c| [c.sent_packet, c.answer_packet].into_iter().flatten().any(|id| ids.contains(&id)));
    Ok(commands)
}

/// Commands of a device that may belong to a conversation.
const MOST_COMMANDS: i64 = 2_000;

/// The first packet of a span that ends at `now`, and when the span begins and ends; `None` where there is no packet. What was `captured` is as
/// old as it is, in whatever order: its span ends with its last packet, and any of them may be within.
pub fn span(
    db: &Connection,
    back: Option<SignedDuration>,
    now: Timestamp,
    captured: bool,
) -> Result<Option<(PacketId, (i64, i64))>> {
    let (oldest, newest): (Option<i64>, Option<i64>) = if captured {
        db.query_row("SELECT min(received_ms), max(received_ms) FROM packets", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
    } else {
        let first = past::first_packet_at(db, i64::MIN)?.map_or(Ok(None), |id| super::packet(db, id))?;
        (first.map(|packet| packet.received.as_millisecond()), Some(now.as_millisecond()))
    };
    let Some((oldest, end)) = oldest.zip(newest) else { return Ok(None) };
    let back_ms = back.map(|back| i64::try_from(back.as_millis()).unwrap_or(i64::MAX));
    let begin = back_ms.map_or(oldest, |back| end.saturating_sub(back));
    let first = if captured { Some(PacketId(0)) } else { past::first_packet_at(db, begin)? };
    Ok(first.map(|first| (first, (begin, end.max(begin)))))
}

/// Packets that have all of this in common, within one part of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub protocol: Protocol,
    pub direction: Direction,
    pub kind: String,
    /// The number that names the kind on the wire.
    pub type_number: Option<u8>,
    pub device: Option<DeviceId>,
    pub verdict: Verdict,
    /// Which part of the span.
    pub part: usize,
    pub packets: u64,
    pub bytes: u64,
    /// Bytes of the shortest and of the longest.
    pub shortest: u64,
    pub longest: u64,
}

/// Counts the packets from an id on that arrived in a span, cut into parts of so many milliseconds. Looks at every one: a question for
/// [`crate::store::Reader::read_long`].
pub fn count_packets(db: &Connection, from: PacketId, span_ms: (i64, i64), part_ms: i64) -> Result<Vec<Cell>> {
    let sql = "SELECT protocol, direction, kind,
           CASE substr(bytes, 1, 2) WHEN x'7878' THEN hex(substr(bytes, 4, 1)) WHEN x'7979' THEN hex(substr(bytes, 5, 1)) END,
           device_id, verdict, (received_ms - :from_ms) / :part_ms,
           count(*), sum(octet_length(bytes)), min(octet_length(bytes)), max(octet_length(bytes))
         FROM packets WHERE id >= :from AND received_ms BETWEEN :from_ms AND :to_ms GROUP BY 1, 2, 3, 4, 5, 6, 7";
    let named =
        named_params! { ":from": from.0, ":from_ms": span_ms.0, ":to_ms": span_ms.1, ":part_ms": part_ms.max(1) };
    all(db, sql, named, |row| {
        let number = |at| row.get::<_, Option<i64>>(at).map(|n| n.unwrap_or(0).unsigned_abs());
        let (protocol, direction): (String, String) = (row.get(0)?, row.get(1)?);
        let (type_number, verdict): (Option<String>, String) = (row.get(3)?, row.get(5)?);
        let protocol = Protocol::parse(&protocol).unwrap_or(Protocol::Gt06);
        Ok(Cell {
            protocol,
            direction: if direction == "out" { Direction::Out } else { Direction::In },
            kind: row.get(2)?,
            type_number: type_number
                .filter(|_| protocol == Protocol::Gt06)
                .and_then(|n| u8::from_str_radix(&n, 16).ok()),
            device: row.get::<_, Option<i64>>(4)?.map(DeviceId),
            verdict: Verdict::parse(&verdict).unwrap_or(Verdict::Ok),
            part: usize::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
            packets: number(7)?,
            bytes: number(8)?,
            shortest: number(9)?,
            longest: number(10)?,
        })
    })
}
