//! The rows that the packet list shows: all of them or those that a filter admits, by position and by identity.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::{
    model::{PacketId, PacketRow},
    ui::{filter::Asked, summary::Summary},
};

/// Summaries that are kept for searching take no more than about this.
const MOST_HAY_BYTES: usize = 24 << 20;

/// Newest packets that are looked through for those that are judged again.
const MOST_RIPENING: usize = 4_096;

/// What a summary says, in lower case, to be searched.
pub fn haystack(summary: &Summary) -> Box<str> {
    let Summary { type_text, title, serial, trouble, detail } = summary;
    let serial = serial.map(|n| format!("#{n}")).unwrap_or_default();
    let parts: [&str; 5] = [type_text, title, &serial, trouble.as_deref().unwrap_or_default(), detail];
    parts.join("\n").to_lowercase().into_boxed_str()
}

/// Summaries of packets as they are searched, so that the next letter does not dissect them all again.
#[derive(Debug, Default)]
pub struct Haystacks {
    known: HashMap<PacketId, Box<str>>,
    bytes: usize,
    /// Under which circumstances they were made.
    of: u64,
}

impl Haystacks {
    /// Forgets them where the circumstances are others than before.
    pub fn under(&mut self, circumstances: u64) {
        if self.of != circumstances || self.bytes > MOST_HAY_BYTES {
            *self = Self { of: circumstances, ..Self::default() };
        }
    }

    /// The one of this packet.
    pub fn of(&mut self, id: PacketId, summary: impl FnOnce() -> Summary) -> &str {
        self.known.entry(id).or_insert_with(|| {
            let made = haystack(&summary());
            self.bytes += made.len();
            made
        })
    }
}

/// The packets that a query admits, kept up to date a while at a time, the newest first.
#[derive(Debug, Default)]
pub struct Matches {
    asked: Asked,
    ids: VecDeque<PacketId>,
    /// Oldest and newest packet that was looked at.
    looked_at: Option<(PacketId, PacketId)>,
    /// Packets of which something else will be true soon, by time alone.
    ripening: Vec<PacketId>,
}

impl Matches {
    /// Looks at rows that came since, then at older ones for as long as `go_on`, and at one at least. True when all were
    /// looked at.
    pub fn update(
        &mut self,
        rows: &VecDeque<PacketRow>,
        asked: &Asked,
        mut go_on: impl FnMut() -> bool,
        mut admits: impl FnMut(&PacketRow) -> bool,
    ) -> bool {
        let (Some(first), Some(last)) = (rows.front(), rows.back()) else {
            *self = Self { asked: asked.clone(), ..Self::default() };
            return true;
        };
        // What was looked at has to join what is there: else the list was read anew.
        let anew = self.looked_at.is_some_and(|(oldest, newest)| newest < first.id || oldest > last.id);
        if self.asked != *asked || anew {
            *self = Self { asked: asked.clone(), ..Self::default() };
        }
        while self.ids.front().is_some_and(|id| *id < first.id) {
            self.ids.pop_front();
        }
        while self.ids.back().is_some_and(|id| *id > last.id) {
            self.ids.pop_back();
        }
        let (oldest, newest) = self.looked_at.unwrap_or_else(|| {
            if admits(last) {
                self.ids.push_back(last.id);
            }
            (last.id, last.id)
        });
        let (mut oldest, mut newest) = (oldest.max(first.id), newest.min(last.id));
        for row in rows.range(rows.partition_point(|r| r.id <= newest)..) {
            if let Some(asked) = row.answers {
                self.judge_again(rows, asked, &mut admits);
            }
            if admits(row) {
                self.ids.push_back(row.id);
            }
            newest = row.id;
            if !go_on() {
                break;
            }
        }
        let mut left = rows.partition_point(|r| r.id < oldest);
        while newest == last.id && left > 0 {
            let Some(row) = rows.get(left - 1) else { break };
            if admits(row) {
                self.ids.push_front(row.id);
            }
            (left, oldest) = (left - 1, row.id);
            if !go_on() {
                break;
            }
        }
        self.looked_at = Some((oldest, newest));
        left == 0 && newest == last.id
    }

    /// Judges those again of which time alone has made something else. True while there are some of which it will: these are the newest.
    pub fn ripen(
        &mut self,
        rows: &VecDeque<PacketRow>,
        ripens: impl Fn(&PacketRow) -> Option<Duration>,
        mut admits: impl FnMut(&PacketRow) -> bool,
    ) -> Option<Duration> {
        for id in std::mem::take(&mut self.ripening) {
            if find(rows, id).is_some_and(|row| ripens(row).is_none()) {
                self.judge_again(rows, id, &mut admits);
            }
        }
        // Answers stand between them, which never ripen. What was not looked at will be judged in time.
        let judged = self.looked_at.map_or(PacketId(0), |(_, newest)| newest);
        let newest = rows.iter().rev().take(MOST_RIPENING).filter(|row| row.id <= judged);
        let ripening: Vec<_> = newest.filter_map(|row| Some((row.id, ripens(row)?))).collect();
        self.ripening.extend(ripening.iter().map(|(id, _)| *id));
        ripening.into_iter().map(|(_, left)| left).min()
    }

    /// An answer may come later than what it answers, and a filter may ask whether there is one.
    fn judge_again(&mut self, rows: &VecDeque<PacketRow>, id: PacketId, admits: &mut impl FnMut(&PacketRow) -> bool) {
        let place = self.ids.binary_search(&id);
        let judged = self.looked_at.is_some_and(|(oldest, _)| oldest <= id);
        let Some(row) = find(rows, id).filter(|_| judged) else { return };
        match (admits(row), place) {
            (true, Err(at)) => self.ids.insert(at, id),
            (false, Ok(at)) => drop(self.ids.remove(at)),
            (true, Ok(_)) | (false, Err(_)) => {}
        }
    }

    /// How many rows were looked at.
    pub fn looked_at(&self, rows: &VecDeque<PacketRow>) -> usize {
        self.looked_at.map_or(0, |(oldest, newest)| {
            rows.partition_point(|r| r.id <= newest) - rows.partition_point(|r| r.id < oldest)
        })
    }
}

/// The rows that are shown, in the order they came.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    rows: &'a VecDeque<PacketRow>,
    /// `None`: all of them.
    only: Option<&'a VecDeque<PacketId>>,
    /// Older ones that match and are not held.
    before: Option<&'a VecDeque<PacketRow>>,
    /// How many of those.
    older: usize,
    len: usize,
}

impl<'a> Listing<'a> {
    /// Every row.
    pub fn all(rows: &'a VecDeque<PacketRow>) -> Self {
        Self { rows, only: None, before: None, older: 0, len: rows.len() }
    }

    /// The rows that match, after older ones that match and that were found in the store.
    pub fn found(before: &'a VecDeque<PacketRow>, rows: &'a VecDeque<PacketRow>, matches: &'a Matches) -> Self {
        // What is held stands among what is held.
        let older = rows.front().map_or(before.len(), |first| before.partition_point(|row| row.id < first.id));
        Self { rows, only: Some(&matches.ids), before: Some(before), older, len: older + matches.ids.len() }
    }

    /// The same without what came after this packet.
    #[must_use]
    pub fn until(self, last: PacketId) -> Self {
        Self { len: self.at_or_after(PacketId(last.0.saturating_add(1))), ..self }
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The identity of a row.
    pub fn id(&self, index: usize) -> Option<PacketId> {
        if index >= self.len {
            return None;
        }
        match index.checked_sub(self.older) {
            None => self.before?.get(index).map(|row| row.id),
            Some(index) => self.only.map_or_else(|| self.rows.get(index).map(|r| r.id), |ids| ids.get(index).copied()),
        }
    }

    /// A row.
    pub fn get(&self, index: usize) -> Option<&'a PacketRow> {
        if index < self.older.min(self.len) {
            return self.before?.get(index);
        }
        find(self.rows, self.id(index)?)
    }

    /// The newest row.
    pub fn last(&self) -> Option<PacketId> {
        self.id(self.len().checked_sub(1)?)
    }

    /// Where this packet is, or would be: the index of the first row that is not older.
    pub fn at_or_after(&self, id: PacketId) -> usize {
        let older = self.before.map_or(0, |rows| rows.partition_point(|row| row.id < id).min(self.older));
        if older < self.older {
            return older.min(self.len);
        }
        let held =
            self.only.map_or_else(|| self.rows.partition_point(|r| r.id < id), |ids| ids.partition_point(|i| *i < id));
        (older + held).min(self.len)
    }

    /// Where this packet is; `None` where it is not shown.
    pub fn position(&self, id: PacketId) -> Option<usize> {
        let index = self.at_or_after(id);
        (self.id(index) == Some(id)).then_some(index)
    }
}

/// The row of this packet.
pub fn find(rows: &VecDeque<PacketRow>, id: PacketId) -> Option<&PacketRow> {
    rows.binary_search_by_key(&id, |r| r.id).ok().and_then(|index| rows.get(index))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{DeviceId, Direction, Protocol, Verdict};

    fn row(id: i64) -> PacketRow {
        PacketRow {
            id: PacketId(id),
            received: jiff::Timestamp::UNIX_EPOCH,
            protocol: Protocol::Gt06,
            direction: Direction::In,
            peer: "10.0.0.9:4711".into(),
            connection: 1,
            device: Some(DeviceId(id % 3)),
            kind: "location".into(),
            verdict: if id % 10 == 0 { Verdict::Error } else { Verdict::Note },
            bytes: Arc::from([0x78, 0x78, 0x0D]),
            context: None,
            answers: None,
        }
    }

    /// So many rows and no more.
    fn most(rows: usize) -> impl FnMut() -> bool {
        let mut left = rows;
        move || {
            left = left.saturating_sub(1);
            left > 0
        }
    }

    fn numbers(listing: Listing<'_>) -> Vec<i64> {
        (0..listing.len()).filter_map(|i| listing.id(i)).map(|id| id.0).collect()
    }

    /// What is asked in most of these.
    fn problems() -> Asked {
        Asked { problems: true, ..Asked::default() }
    }

    fn has_problems(row: &PacketRow) -> bool {
        row.verdict >= Verdict::Warn
    }

    fn matching<'a>(rows: &'a VecDeque<PacketRow>, matches: &'a Matches) -> Listing<'a> {
        static NOTHING: VecDeque<PacketRow> = VecDeque::new();
        Listing::found(&NOTHING, rows, matches)
    }

    #[test]
    fn matches_come_newest_first_and_end_up_in_order() {
        let rows: VecDeque<_> = (1..=100).map(row).collect();
        let query = problems();
        let mut matches = Matches::default();
        let admits = has_problems;
        assert!(!matches.update(&rows, &query, most(40), admits));
        assert_eq!(numbers(matching(&rows, &matches)), [60, 70, 80, 90, 100]);
        assert_eq!(matches.looked_at(&rows), 41);
        assert!(!matches.update(&rows, &query, most(40), admits));
        assert!(matches.update(&rows, &query, most(40), admits));
        assert_eq!(numbers(matching(&rows, &matches)), [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(numbers(matching(&rows, &matches).until(PacketId(35))), [10, 20, 30]);
    }

    #[test]
    fn pages_before_and_after_are_searched_and_dropped_ones_go() {
        let query = problems();
        let admits = has_problems;
        let mut rows: VecDeque<_> = (101..=150).map(row).collect();
        let mut matches = Matches::default();
        matches.update(&rows, &query, || true, admits);
        (61..=100).rev().for_each(|id| rows.push_front(row(id)));
        rows.truncate(70);
        assert!(matches.update(&rows, &query, || true, admits));
        assert_eq!(numbers(matching(&rows, &matches)), [70, 80, 90, 100, 110, 120, 130]);
        rows.extend((131..=160).map(row));
        assert!(!matches.update(&rows, &query, most(5), admits));
        assert!(matches.update(&rows, &query, || true, admits));
        assert_eq!(numbers(matching(&rows, &matches)), [70, 80, 90, 100, 110, 120, 130, 140, 150, 160]);
    }

    #[test]
    fn older_matches_stand_before_those_that_are_held() {
        let rows: VecDeque<_> = (51..=80).map(row).collect();
        let before: VecDeque<_> = [10, 20, 50, 60].map(row).into();
        let mut matches = Matches::default();
        matches.update(&rows, &problems(), || true, has_problems);
        let listing = Listing::found(&before, &rows, &matches);
        assert_eq!(numbers(listing), [10, 20, 50, 60, 70, 80]);
        let all: Vec<_> = (0..listing.len()).filter_map(|n| listing.get(n)).map(|row| row.id.0).collect();
        assert_eq!(all, numbers(listing));
        assert_eq!((listing.position(PacketId(20)), listing.position(PacketId(60))), (Some(1), Some(3)));
        assert_eq!((listing.at_or_after(PacketId(55)), listing.at_or_after(PacketId(81))), (3, 6));
        assert_eq!(numbers(listing.until(PacketId(49))), [10, 20]);
        assert_eq!(numbers(listing.until(PacketId(60))), [10, 20, 50, 60]);
    }

    #[test]
    fn an_answer_that_comes_later_changes_what_is_listed() {
        let mut rows: VecDeque<_> = (1..=3).map(row).collect();
        let mut matches = Matches::default();
        let mut look = |rows: &VecDeque<PacketRow>| {
            let unanswered = |row: &PacketRow| rows.iter().all(|other| other.answers != Some(row.id));
            matches.update(rows, &Asked::default(), || true, unanswered);
            numbers(matching(rows, &matches))
        };
        assert_eq!(look(&rows), [1, 2, 3]);
        rows.push_back(PacketRow { answers: Some(PacketId(2)), ..row(4) });
        assert_eq!(look(&rows), [1, 3, 4]);
    }

    #[test]
    fn what_time_alone_makes_true_is_listed_then() {
        let rows: VecDeque<_> = (1..=5).map(row).collect();
        let mut matches = Matches::default();
        let mut look = |now: i64| {
            let left = |row: &PacketRow| u64::try_from(row.id.0 + 2 - now).ok().filter(|left| *left > 0);
            let old = |row: &PacketRow| left(row).is_none();
            matches.update(&rows, &Asked::default(), || true, old);
            let waits = matches.ripen(&rows, |row| left(row).map(Duration::from_secs), old);
            (numbers(matching(&rows, &matches)), waits.map(|left| left.as_secs()))
        };
        assert_eq!(look(4), (vec![1, 2], Some(1)));
        assert_eq!(look(6), (vec![1, 2, 3, 4], Some(1)));
        assert_eq!(look(7), (vec![1, 2, 3, 4, 5], None));
    }

    #[test]
    fn matches_follow_rows_that_come_and_go() {
        let mut rows: VecDeque<_> = (1..=30).map(row).collect();
        let query = problems();
        let mut matches = Matches::default();
        let admits = has_problems;
        matches.update(&rows, &query, || true, admits);
        rows.drain(..15);
        rows.extend((31..=41).map(row));
        assert!(matches.update(&rows, &query, || true, admits));
        assert_eq!(numbers(matching(&rows, &matches)), [20, 30, 40]);

        rows.truncate(20);
        matches.update(&rows, &query, || true, admits);
        assert_eq!(numbers(matching(&rows, &matches)), [20, 30]);

        let one_device = Asked { device: Some(DeviceId(0)), ..problems() };
        matches.update(&rows, &one_device, || true, |row| row.device == Some(DeviceId(0)) && has_problems(row));
        assert_eq!(numbers(matching(&rows, &matches)), [30]);
    }

    #[test]
    fn rows_are_found_by_identity() {
        let rows: VecDeque<_> = [3, 5, 9].map(row).into();
        let listing = Listing::all(&rows);
        assert_eq!((listing.position(PacketId(5)), listing.position(PacketId(6))), (Some(1), None));
        assert_eq!((listing.at_or_after(PacketId(6)), listing.last()), (2, Some(PacketId(9))));
        assert_eq!(find(&rows, PacketId(9)).map(|r| r.id), Some(PacketId(9)));
    }
}
