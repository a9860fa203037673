//! How devices talk: the conversation of a connection, and packets counted by type, device and verdict.

use std::collections::BTreeMap;

use super::{Backend, Pending};
pub use crate::store::query::{Cell, Line};
use crate::{
    model::{DeviceId, PacketId, PacketRow, Protocol, Timestamp, Verdict},
    store::{past, query},
};

/// Stored packets that are looked at in one go, to each side.
const WINDOW: i64 = 20_000;
/// Packets of a line that are taken in one go, to each side.
const MOST: usize = 1_000;
/// Parts that a span is cut into, for lines over time.
pub const PARTS: usize = 30;

/// A part of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Talked {
    pub line: Line,
    /// Oldest first.
    pub rows: Vec<PacketRow>,
    /// Ids within which all of the line is there.
    pub searched: (PacketId, PacketId),
}

/// What is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum By {
    #[default]
    Type,
    Device,
    Verdict,
}

/// What the packets of a row have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Type(Protocol, Option<u8>, String),
    Device(Option<DeviceId>),
    Verdict(Verdict),
}

/// Packets with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    pub packets: u64,
    pub bytes: u64,
    pub shortest: u64,
    pub longest: u64,
    /// How many in each part of the span.
    pub parts: Vec<u64>,
}

/// Everything that arrived and was answered in a span, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Milliseconds since the epoch.
    pub span_ms: (i64, i64),
    pub cells: Vec<Cell>,
}

impl Statistics {
    /// How many packets in all.
    pub fn packets(&self) -> u64 {
        self.cells.iter().map(|cell| cell.packets).sum()
    }

    /// Seconds of the span, 1 at least.
    pub fn seconds(&self) -> i64 {
        ((self.span_ms.1 - self.span_ms.0) / 1_000).max(1)
    }

    /// Added up, the most packets first.
    pub fn by(&self, by: By) -> Vec<Row> {
        let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
        for cell in &self.cells {
            let key = match by {
                By::Type => Key::Type(cell.protocol, cell.type_number, cell.kind.clone()),
                By::Device => Key::Device(cell.device),
                By::Verdict => Key::Verdict(cell.verdict),
            };
            let row = rows.entry(key.clone()).or_insert_with(|| Row {
                key,
                packets: 0,
                bytes: 0,
                shortest: u64::MAX,
                longest: 0,
                parts: vec![0; PARTS],
            });
            row.packets += cell.packets;
            row.bytes += cell.bytes;
            row.shortest = row.shortest.min(cell.shortest);
            row.longest = row.longest.max(cell.longest);
            if let Some(part) = row.parts.get_mut(cell.part.min(PARTS - 1)) {
                *part += cell.packets;
            }
        }
        let mut rows: Vec<Row> = rows.into_values().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.packets));
        rows
    }
}

impl Backend {
    /// The conversation around a packet; `None` where that is gone.
    pub fn conversation(&self, of: PacketId) -> Pending<Option<Talked>> {
        self.store.reader().read_long(move |db| {
            let Some(packet) = query::packet(db, of)? else { return Ok(None) };
            let line = Line::of(&packet);
            let (from, to) = (PacketId(of.0.saturating_sub(WINDOW)), PacketId(of.0.saturating_add(WINDOW)));
            let mut rows = query::packets_of_line(db, &line, (from, of), true, MOST)?;
            let first = cut(&rows, <[PacketRow]>::first).unwrap_or(from);
            let after = query::packets_of_line(db, &line, (PacketId(of.0.saturating_add(1)), to), false, MOST)?;
            let last = cut(&after, <[PacketRow]>::last).unwrap_or(to);
            rows.extend(after);
            Ok(Some(Talked { line, rows, searched: (first, last) }))
        })
    }

    /// More of a conversation: what comes before these ids, or after them.
    pub fn more_of_conversation(&self, line: Line, searched: (PacketId, PacketId), before: bool) -> Pending<Talked> {
        self.store.reader().read_long(move |db| {
            let (first, last) = (searched.0.0, searched.1.0);
            let (from, to) = if before {
                (first.saturating_sub(WINDOW), first.saturating_sub(1))
            } else {
                (last.saturating_add(1), last.saturating_add(WINDOW))
            };
            let (from, to) = (PacketId(from), PacketId(to));
            let rows = query::packets_of_line(db, &line, (from, to), before, MOST)?;
            let searched = if before {
                (cut(&rows, <[PacketRow]>::first).unwrap_or(from), searched.1)
            } else {
                (searched.0, cut(&rows, <[PacketRow]>::last).unwrap_or(to))
            };
            Ok(Talked { line, rows, searched })
        })
    }

    /// Two packets, where they are still there.
    pub fn packet_pair(&self, left: PacketId, right: PacketId) -> Pending<(Option<PacketRow>, Option<PacketRow>)> {
        self.store.reader().read(move |db| Ok((query::packet(db, left)?, query::packet(db, right)?)))
    }

    /// Counts the packets that arrived from a moment up to another; without the first, all of them.
    pub fn statistics(&self, from: Option<Timestamp>, to: Timestamp) -> Pending<Statistics> {
        self.store.reader().read_long(move |db| {
            let from_ms = from.map_or(i64::MIN, Timestamp::as_millisecond);
            let first = past::first_packet_at(db, from_ms)?;
            let Some(packet) = first.map_or(Ok(None), |id| query::packet(db, id))? else {
                return Ok(Statistics::default());
            };
            let begun = from.map_or(packet.received, |from| from).as_millisecond();
            let span_ms = (begun, to.as_millisecond().max(begun));
            let parts = i64::try_from(PARTS).unwrap_or(1);
            let part_ms = (span_ms.1 - span_ms.0) / parts + 1;
            Ok(Statistics { span_ms, cells: query::count_packets(db, packet.id, span_ms, part_ms)? })
        })
    }
}

/// The end of what was found, where there was more than is taken in one go.
fn cut(rows: &[PacketRow], end: impl Fn(&[PacketRow]) -> Option<&PacketRow>) -> Option<PacketId> {
    if rows.len() < MOST { None } else { end(rows).map(|row| row.id) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Direction;

    fn cell(kind: &str, device: i64, verdict: Verdict, part: usize, packets: u64) -> Cell {
        Cell {
            protocol: Protocol::Gt06,
            direction: Direction::In,
            kind: kind.to_owned(),
            type_number: Some(if kind == "login" { 1 } else { 0x12 }),
            device: Some(DeviceId(device)),
            verdict,
            part,
            packets,
            bytes: packets * 10,
            shortest: 9,
            longest: 10 + part as u64,
        }
    }

    #[test]
    fn cells_add_up_by_what_is_asked() {
        let cells = vec![
            cell("login", 1, Verdict::Ok, 0, 2),
            cell("location", 1, Verdict::Ok, 1, 30),
            cell("location", 2, Verdict::Warn, 29, 5),
        ];
        let told = Statistics { span_ms: (0, 60_000), cells };
        assert_eq!((told.packets(), told.seconds()), (37, 60));
        let counts = |by| told.by(by).iter().map(|row| (row.key.clone(), row.packets)).collect::<Vec<_>>();
        let kind = |number, word: &str| Key::Type(Protocol::Gt06, Some(number), word.to_owned());
        assert_eq!(counts(By::Type), [(kind(0x12, "location"), 35), (kind(1, "login"), 2)]);
        assert_eq!(counts(By::Device), [(Key::Device(Some(DeviceId(1))), 32), (Key::Device(Some(DeviceId(2))), 5)]);
        assert_eq!(counts(By::Verdict), [(Key::Verdict(Verdict::Ok), 32), (Key::Verdict(Verdict::Warn), 5)]);
        let places = &told.by(By::Type)[0];
        assert_eq!((places.parts[1], places.parts[29], places.shortest, places.longest), (30, 5, 9, 39));
        assert_eq!(Statistics::default().by(By::Type), []);
    }
}
