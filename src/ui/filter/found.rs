//! Matches among packets that are older than those that are held: the store looks for them, the window keeps what was found.

use std::{collections::VecDeque, ops::Range};

use super::Asked;
use crate::model::{PacketId, PacketRow, Timestamp};

/// Matches that are kept at most.
pub const MOST_FOUND: usize = 50_000;

/// What was found so far.
#[derive(Debug, Default)]
pub struct Found {
    /// What was asked.
    pub asked: Asked,
    /// In order, all of them older than what is held.
    pub rows: VecDeque<PacketRow>,
    /// Packets from this one to that one were looked at.
    looked: Option<Range<PacketId>>,
    /// When the oldest of them came.
    pub back_to: Option<Timestamp>,
    /// There is none before.
    pub all: bool,
    /// The store is being asked.
    pub loading: bool,
}

impl Found {
    /// Nothing yet.
    pub fn begun(asked: Asked) -> Self {
        Self { asked, ..Self::default() }
    }

    /// How many packets were looked at.
    pub fn looked_at(&self) -> u64 {
        self.looked.as_ref().map_or(0, |range| range.end.0.saturating_sub(range.start.0).unsigned_abs())
    }

    /// True where no more fit.
    pub fn full(&self) -> bool {
        self.rows.len() >= MOST_FOUND
    }

    /// Packets to look at next, below `held`, the first that is held: first those that the list let go since, then older ones where they are
    /// `wanted`.
    pub fn next(&self, held: PacketId, wanted: bool) -> Option<Range<PacketId>> {
        let beginning = PacketId(i64::MIN);
        match &self.looked {
            None => wanted.then_some(beginning..held),
            Some(looked) if looked.end < held => Some(looked.end..held),
            Some(looked) => (wanted && !self.all && !self.full()).then_some(beginning..looked.start),
        }
    }

    /// Takes over what was found among these. `from`: it was looked no further back than this.
    pub fn take(
        &mut self,
        among: &Range<PacketId>,
        from: PacketId,
        rows: Vec<PacketRow>,
        oldest: Option<(PacketId, Timestamp)>,
    ) {
        self.loading = false;
        match &mut self.looked {
            Some(looked) if among.start == looked.end => {
                looked.end = among.end;
                self.rows.extend(rows);
                return;
            }
            Some(looked) => looked.start = from,
            None => self.looked = Some(from..among.end),
        }
        rows.into_iter().rev().for_each(|row| self.rows.push_front(row));
        // A page that goes to the very beginning says which packet that is.
        self.all = oldest.is_none() || from.0 == i64::MIN;
        self.back_to = oldest.map(|(_, at)| at).or(self.back_to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: i64) -> PacketId {
        PacketId(n)
    }

    #[test]
    fn it_goes_back_and_then_follows_what_the_list_lets_go() {
        let mut found = Found::begun(Asked::default());
        let first = found.next(id(900), true).unwrap();
        assert_eq!(first.end, id(900));
        assert_eq!(found.next(id(900), false), None);
        found.take(&first, id(500), Vec::new(), Some((id(1), Timestamp::UNIX_EPOCH)));
        assert_eq!((found.looked_at(), found.all), (400, false));
        // The list holds less than before.
        let gap = found.next(id(950), true).unwrap();
        assert_eq!(gap, id(900)..id(950));
        found.take(&gap, gap.start, Vec::new(), Some((id(1), Timestamp::UNIX_EPOCH)));
        let older = found.next(id(950), true).unwrap();
        assert_eq!(older.end, id(500));
        found.take(&older, id(i64::MIN), Vec::new(), None);
        assert_eq!(found.next(id(950), true), None);
    }
}
