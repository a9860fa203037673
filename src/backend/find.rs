//! Packets by a filter, and what a person wrote about them.

use std::{
    collections::VecDeque,
    ops::Range,
    time::{Duration, Instant},
};

use super::Backend;
use crate::{
    model::{PacketId, PacketNote, PacketRow, Timestamp, filter::Filter},
    store::{Pending, query},
};

/// Ids that one question of SQL goes over: some milliseconds.
const SPAN: i64 = 20_000;
/// Packets that are read at a time to be judged.
const PAGE: usize = 500;
/// After so long a look is answered with what it has.
const PATIENCE: Duration = Duration::from_millis(60);
/// Notes that are read at most.
const MOST_NOTES: usize = 100_000;

/// A look for packets, from the newest of `among` back.
#[derive(Debug, Clone)]
pub struct Find {
    pub filter: Filter,
    pub now: Timestamp,
    pub among: Range<PacketId>,
    /// So many are enough; `usize::MAX` looks at all of `among`, however long that takes.
    pub enough: usize,
}

/// What a look found.
#[derive(Debug, Clone)]
pub struct FoundPackets {
    /// Oldest first.
    pub rows: Vec<PacketRow>,
    /// Everything from here to the end of what was to be looked at was looked at. The least id there is: to the very beginning.
    pub from: PacketId,
    /// The oldest packet that is stored from there on, and when it came.
    pub oldest: Option<(PacketId, Timestamp)>,
}

/// A look for one packet.
#[derive(Debug, Clone)]
pub struct Seek {
    pub filter: Filter,
    pub now: Timestamp,
    pub among: Range<PacketId>,
    /// The oldest of those that fulfil it; else the newest.
    pub onward: bool,
}

/// What a look for one packet found.
#[derive(Debug, Clone)]
pub struct Sought {
    pub row: Option<PacketRow>,
    /// What there was no time to look at; empty where all was looked at.
    pub left: Range<PacketId>,
    /// How many were looked at, about: packets that are gone count, too.
    pub looked: u64,
}

impl Backend {
    /// Looks for one packet that a filter admits, as [`Backend::find_packets`] does. Answers soon, perhaps with nothing and what is left.
    pub fn seek_packet(
        &self,
        seek: Seek,
        mut admits: impl FnMut(&PacketRow, bool) -> bool + Send + 'static,
    ) -> Pending<Sought> {
        self.store.reader().read(move |db| {
            let begun = Instant::now();
            let Seek { filter, now, among, onward } = seek;
            let first = query::oldest_packet(db, among.start)?.map_or(among.end, |(id, _)| id);
            let newest = query::newest_id(db)?;
            let mut left = among.start.max(first)..among.end.min(PacketId(newest.0.saturating_add(1)));
            let asks_answers = filter.asks_for_answers();
            let size = |range: &Range<PacketId>| range.end.0.saturating_sub(range.start.0).max(0).unsigned_abs();
            let all = size(&left);
            while left.start < left.end {
                let span = if onward {
                    left.start..PacketId(left.start.0.saturating_add(SPAN)).min(left.end)
                } else {
                    PacketId(left.end.0.saturating_sub(SPAN)).max(left.start)..left.end
                };
                let page = query::packets_filtered(db, &filter, now, span.clone(), !onward, PAGE)?;
                let whole = page.len() < PAGE;
                left = match (onward, whole) {
                    (true, true) => span.end..left.end,
                    (true, false) => page.last().map_or(span.end, |row| PacketId(row.id.0.saturating_add(1)))..left.end,
                    (false, true) => left.start..span.start,
                    (false, false) => left.start..page.first().map_or(span.start, |row| row.id),
                };
                let mut rows: VecDeque<PacketRow> = page.into();
                while let Some(row) = if onward { rows.pop_front() } else { rows.pop_back() } {
                    let answered = asks_answers && query::is_answered(db, row.id)?;
                    if admits(&row, answered) {
                        return Ok(Sought { row: Some(row), looked: all - size(&left), left });
                    }
                }
                if begun.elapsed() > PATIENCE {
                    break;
                }
            }
            Ok(Sought { row: None, looked: all - size(&left), left })
        })
    }

    /// Looks for packets that a filter admits: SQL leaves out what it can, and `admits` judges the rest, told whether each was answered where the
    /// filter asks for that. Answers soon, perhaps with nothing, so that dropping the answer ends the search.
    pub fn find_packets(
        &self,
        find: Find,
        mut admits: impl FnMut(&PacketRow, bool) -> bool + Send + 'static,
    ) -> Pending<FoundPackets> {
        self.store.reader().read(move |db| {
            let begun = Instant::now();
            let Find { filter, now, among, enough } = find;
            let first = query::oldest_packet(db, among.start)?.map_or(among.end, |(id, _)| id);
            let asks_answers = filter.asks_for_answers();
            let (mut rows, mut end) = (Vec::new(), among.end.min(PacketId(query::newest_id(db)?.0.saturating_add(1))));
            while end > first {
                let start = PacketId(end.0.saturating_sub(SPAN)).max(first);
                let page = query::packets_filtered(db, &filter, now, start..end, true, PAGE)?;
                end = if page.len() < PAGE { start } else { page.first().map_or(start, |row| row.id) };
                for row in page.into_iter().rev() {
                    let answered = asks_answers && query::is_answered(db, row.id)?;
                    if admits(&row, answered) {
                        rows.push(row);
                    }
                }
                if enough < usize::MAX && (rows.len() >= enough || begun.elapsed() > PATIENCE) {
                    break;
                }
            }
            rows.reverse();
            let oldest = query::oldest_packet(db, end.max(first))?;
            let from = if end > first { end } else { among.start };
            Ok(FoundPackets { rows, from, oldest })
        })
    }

    /// What was written about packets, the newest first.
    pub fn notes(&self) -> Pending<Vec<(PacketId, PacketNote)>> {
        self.store.reader().read(|db| query::notes(db, MOST_NOTES))
    }

    /// Writes a mark and a comment; an empty one takes them away.
    pub fn set_note(&self, packet: PacketId, note: PacketNote) -> Pending<()> {
        self.store.writer().set_note(packet, note)
    }
}
