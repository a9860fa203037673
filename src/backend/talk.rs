//! How devices talk: the conversation of a connection, and packets counted by type, device and verdict.

mod statistics;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use self::statistics::{By, Counting, Key, PARTS, Row, Span, Statistics};
use super::{Backend, Pending};
use crate::{
    ingest::{Ends, Receivers},
    model::{Command, ConnectionEnd, PacketId, PacketRow},
    store::query,
};
pub use crate::{
    model::{Connected, Ended, Ender},
    store::query::{Cell, Line},
};

/// Stored packets that are looked at in one go, to each side.
const WINDOW: i64 = 20_000;
/// Packets of a line that are taken in one go, to each side.
const MOST: usize = 1_000;

/// A part of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Talked {
    pub line: Line,
    /// Oldest first.
    pub rows: Vec<PacketRow>,
    /// Ids within which all of the line is there.
    pub searched: (PacketId, PacketId),
    /// There was no newer packet in the store than the last of these, of whatever line.
    pub to_the_end: bool,
    /// What is known of the connections of these packets beside them.
    pub connections: Vec<Connected>,
    /// Commands that these packets took out or answered, newest first.
    pub commands: Vec<Command>,
}

impl Backend {
    /// The conversation around a packet; `None` where that is gone.
    pub fn conversation(&self, of: PacketId) -> Pending<Option<Talked>> {
        let ends = self.ends();
        self.store.reader().read_long(move |db| {
            let Some(packet) = query::packet(db, of)? else { return Ok(None) };
            let newest = query::newest_id(db)?;
            let line = Line::of(&packet);
            let from = PacketId(of.0.saturating_sub(WINDOW));
            let to = PacketId(of.0.saturating_add(WINDOW)).min(newest);
            let mut rows = query::packets_of_line(db, &line, (from, of), true, MOST)?;
            let first = cut(&rows, <[PacketRow]>::first).unwrap_or(from);
            let after = query::packets_of_line(db, &line, (PacketId(of.0.saturating_add(1)), to), false, MOST)?;
            let last = cut(&after, <[PacketRow]>::last).unwrap_or(to);
            rows.extend(after);
            let to_the_end = last == newest;
            Ok(Some(Talked {
                connections: known(db, ends.as_deref(), &line, &rows, &[])?,
                commands: query::commands_of(db, &rows)?,
                to_the_end,
                line,
                rows,
                searched: (first, last),
            }))
        })
    }

    /// More of a conversation: what comes before these ids, or after them; and what became of connections that may be `open`, told
    /// with their last packets.
    pub fn more_of_conversation(
        &self,
        line: Line,
        searched: (PacketId, PacketId),
        before: bool,
        open: Vec<(u64, Arc<str>, PacketId)>,
    ) -> Pending<Talked> {
        let ends = self.ends();
        self.store.reader().read_long(move |db| {
            let newest = query::newest_id(db)?;
            let (first, last) = (searched.0.0, searched.1.0);
            let (from, to) = if before {
                (PacketId(first.saturating_sub(WINDOW)), PacketId(first.saturating_sub(1)))
            } else {
                let to = PacketId(last.saturating_add(WINDOW)).min(newest).max(searched.1);
                (PacketId(last.saturating_add(1)), to)
            };
            let rows = query::packets_of_line(db, &line, (from, to), before, MOST)?;
            let searched = if before {
                (cut(&rows, <[PacketRow]>::first).unwrap_or(from), searched.1)
            } else {
                (searched.0, cut(&rows, <[PacketRow]>::last).unwrap_or(to))
            };
            Ok(Talked {
                connections: known(db, ends.as_deref(), &line, &rows, &open)?,
                commands: query::commands_of(db, &rows)?,
                to_the_end: searched.1 >= newest,
                line,
                rows,
                searched,
            })
        })
    }

    /// Differs from before where a connection was made or ended since.
    pub fn connections_changed(&self) -> u64 {
        self.ends().map_or(0, |ends| ends.changes())
    }

    /// What this instance remembers of connections; `None` where others hold them.
    fn ends(&self) -> Option<Arc<Ends>> {
        let of_capture = self.capture.as_ref().map(|filling| Arc::clone(&filling.ends));
        of_capture.or_else(|| self.receivers.as_ref().map(Receivers::ends))
    }

    /// Two packets, where they are still there.
    pub fn packet_pair(&self, left: PacketId, right: PacketId) -> Pending<(Option<PacketRow>, Option<PacketRow>)> {
        self.store.reader().read(move |db| Ok((query::packet(db, left)?, query::packet(db, right)?)))
    }
}

/// What is known of the connection of a line, of those of its packets, and of others: what is remembered, and else how they ended, where that
/// stands beside their last packets.
fn known(
    db: &query::Db,
    ends: Option<&Ends>,
    line: &Line,
    rows: &[PacketRow],
    others: &[(u64, Arc<str>, PacketId)],
) -> query::Answer<Vec<Connected>> {
    let mut last: BTreeMap<(u64, &Arc<str>), PacketId> = BTreeMap::new();
    let of_rows = rows.iter().map(|row| (row.connection, &row.peer, row.id));
    for (number, peer, id) in of_rows.chain(others.iter().map(|(number, peer, id)| (*number, peer, *id))) {
        let last = last.entry((number, peer)).or_insert(id);
        *last = id.max(*last);
    }
    let all = last.keys().copied().chain([(line.connection, &line.peer)]).map(|(number, peer)| (number, peer.as_ref()));
    let wanted: BTreeSet<(u64, &str)> = all.collect();
    let mut known = ends.map(|ends| ends.of(wanted.into_iter())).unwrap_or_default();
    let remembered: BTreeSet<(u64, Arc<str>)> = known.iter().map(|c| (c.connection, Arc::clone(&c.peer))).collect();
    for ((connection, peer), last) in last {
        if !remembered.contains(&(connection, Arc::clone(peer)))
            && let Some(ConnectionEnd { made, ended, .. }) = query::end_of_connection(db, last)?
        {
            known.push(Connected { connection, peer: Arc::clone(peer), made, ended: Some(ended) });
        }
    }
    Ok(known)
}

/// The end of what was found, where there was more than is taken in one go.
fn cut(rows: &[PacketRow], end: impl Fn(&[PacketRow]) -> Option<&PacketRow>) -> Option<PacketId> {
    if rows.len() < MOST { None } else { end(rows).map(|row| row.id) }
}
