//! Packets counted by type, device and verdict: all of a span, or those that a filter admits.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    time::{Duration, Instant},
};

use jiff::SignedDuration;

use super::{Backend, Cell, Pending};
use crate::{
    model::{DeviceId, PacketId, PacketRow, Protocol, Timestamp, Verdict, filter::Filter},
    store::query,
};

/// Parts that a span is cut into, for lines over time.
pub const PARTS: usize = 30;
/// Ids that one question of SQL goes over, and packets that are read at a time to be judged.
const SPAN: i64 = 20_000;
const PAGE: usize = 500;
/// After so long a count is answered with what it has.
const PATIENCE: Duration = Duration::from_millis(60);

/// How far back is counted, from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// `None`: everything.
    pub back: Option<SignedDuration>,
    /// A capture is counted up to its last packet instead.
    pub now: Timestamp,
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

/// A count of packets that a filter admits, as far as it has come.
#[derive(Debug, Clone)]
pub struct Counting {
    filter: Filter,
    now: Timestamp,
    /// What has not been looked at.
    left: Range<PacketId>,
    cells: HashMap<Kind, Cell>,
    pub told: Statistics,
    /// Packets that were looked at, and all that are to be; packets that are gone count, too.
    pub looked: (u64, u64),
}

/// What the packets of a cell have in common.
type Kind = (Protocol, bool, String, Option<u8>, Option<DeviceId>, Verdict, usize);

impl Counting {
    /// True where everything was looked at.
    pub fn done(&self) -> bool {
        self.left.start >= self.left.end
    }

    fn count(&mut self, row: &PacketRow) {
        let (from, to) = self.told.span_ms;
        let at = row.received.as_millisecond();
        if at < from || at > to {
            return;
        }
        let part = usize::try_from((at - from) / part_ms((from, to))).unwrap_or(0);
        let number = match *row.bytes {
            [0x78, 0x78, _, number, ..] | [0x79, 0x79, _, _, number, ..] if row.protocol == Protocol::Gt06 => {
                Some(number)
            }
            _ => None,
        };
        let outgoing = row.direction == crate::model::Direction::Out;
        let kind = (row.protocol, outgoing, row.kind.to_string(), number, row.device, row.verdict, part);
        let bytes = row.bytes.len() as u64;
        let cell = self.cells.entry(kind).or_insert_with(|| Cell {
            protocol: row.protocol,
            direction: row.direction,
            kind: row.kind.to_string(),
            type_number: number,
            device: row.device,
            verdict: row.verdict,
            part,
            packets: 0,
            bytes: 0,
            shortest: u64::MAX,
            longest: 0,
        });
        cell.packets += 1;
        cell.bytes += bytes;
        (cell.shortest, cell.longest) = (cell.shortest.min(bytes), cell.longest.max(bytes));
    }
}

impl Backend {
    /// Counts the packets of a span.
    pub fn statistics(&self, span: Span) -> Pending<Statistics> {
        let (captured, back) = (self.capture.is_some(), span.back);
        self.store.reader().read_long(move |db| {
            let Some((first, span_ms)) = query::span(db, back, span.now, captured)? else {
                return Ok(Statistics::default());
            };
            Ok(Statistics { span_ms, cells: query::count_packets(db, first, span_ms, part_ms(span_ms))? })
        })
    }

    /// Begins to count those packets of a span that a filter admits; [`Backend::go_on_counting`] goes on.
    pub fn begin_counting(&self, span: Span, filter: Filter, now: Timestamp) -> Pending<Counting> {
        let (captured, back) = (self.capture.is_some(), span.back);
        self.store.reader().read_long(move |db| {
            let (first, span_ms) = query::span(db, back, span.now, captured)?.unwrap_or((PacketId(0), (0, 0)));
            let end = PacketId(query::newest_id(db)?.0.saturating_add(1));
            let all = end.0.saturating_sub(first.0).max(0).unsigned_abs();
            let told = Statistics { span_ms, cells: Vec::new() };
            Ok(Counting { filter, now, left: first..end, cells: HashMap::new(), told, looked: (0, all) })
        })
    }

    /// Counts on, for a moment: SQL leaves out what it can, and `admits` judges the rest, as in [`Backend::find_packets`].
    pub fn go_on_counting(
        &self,
        mut counting: Counting,
        mut admits: impl FnMut(&PacketRow, bool) -> bool + Send + 'static,
    ) -> Pending<Counting> {
        self.store.reader().read(move |db| {
            let begun = Instant::now();
            let asks_answers = counting.filter.asks_for_answers();
            while !counting.done() && begun.elapsed() < PATIENCE {
                let from = counting.left.start;
                let to = PacketId(from.0.saturating_add(SPAN)).min(counting.left.end);
                let page = query::packets_filtered(db, &counting.filter, counting.now, from..to, false, PAGE)?;
                let next = if page.len() < PAGE { to } else { page.last().map_or(to, |row| PacketId(row.id.0 + 1)) };
                for row in &page {
                    let answered = asks_answers && query::is_answered(db, row.id)?;
                    if admits(row, answered) {
                        counting.count(row);
                    }
                }
                counting.left.start = next;
                counting.looked.0 += next.0.saturating_sub(from.0).max(0).unsigned_abs();
            }
            counting.told.cells = counting.cells.values().cloned().collect();
            Ok(counting)
        })
    }
}

/// How long a part of a span is.
fn part_ms((from, to): (i64, i64)) -> i64 {
    (to - from) / i64::try_from(PARTS).unwrap_or(1) + 1
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
