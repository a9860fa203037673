//! The rows that the packet list shows: all of them or those that a quick filter admits, by position and by identity.

use std::collections::{HashMap, VecDeque};

use crate::{
    model::{DeviceId, PacketId, PacketRow, Verdict},
    ui::summary::Summary,
};

/// Shorter runs of hex digits occur in every packet and are not looked for in the bytes.
const LEAST_HEX_DIGITS: usize = 4;

/// Summaries that are kept for searching take no more than about this.
const MOST_HAY_BYTES: usize = 24 << 20;

/// What the user wants to see of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Lower-case words; each must occur somewhere in the row.
    words: Vec<String>,
    /// The whole text as bytes, where it spells some.
    bytes: Option<Vec<u8>>,
    /// Warnings and errors only.
    problems: bool,
    device: Option<DeviceId>,
}

impl Query {
    /// From what was typed and toggled.
    pub fn new(text: &str, problems: bool, device: Option<DeviceId>) -> Self {
        let text = text.to_lowercase();
        let digits: String = text.strip_prefix("0x").unwrap_or(&text).split_whitespace().collect();
        let words = text.split_whitespace().map(str::to_owned).collect();
        Self { words, bytes: bytes_of_hex(&digits), problems, device }
    }

    /// True where every row is admitted.
    pub fn admits_all(&self) -> bool {
        self.words.is_empty() && !self.problems && self.device.is_none()
    }

    /// The field of `field:value`, where the text asks so: this filter knows words only.
    pub fn field(&self) -> Option<&str> {
        self.words.iter().find_map(|word| {
            let (field, value) = word.split_once(':')?;
            (!value.is_empty() && field.len() > 2 && field.bytes().all(|b| b.is_ascii_alphabetic())).then_some(field)
        })
    }

    /// True where the query asks for this row. `haystack` is only called when the cheap questions are answered.
    pub fn admits<H: AsRef<str>>(&self, row: &PacketRow, who: &str, haystack: impl FnOnce() -> H) -> bool {
        if (self.problems && row.verdict < Verdict::Warn) || (self.device.is_some() && row.device != self.device) {
            return false;
        }
        if self.words.is_empty() || self.bytes.as_ref().is_some_and(|sought| holds(&row.bytes, sought)) {
            return true;
        }
        let known = [who, &row.peer, &row.kind, row.protocol.title(), row.verdict.as_str()].join("\n").to_lowercase();
        let mut left = self.words.iter().filter(|word| !known.contains(word.as_str())).peekable();
        if left.peek().is_none() {
            return true;
        }
        let haystack = haystack();
        left.all(|word| haystack.as_ref().contains(word.as_str()))
    }
}

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

fn bytes_of_hex(digits: &str) -> Option<Vec<u8>> {
    if digits.len() < LEAST_HEX_DIGITS || digits.len() % 2 == 1 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok()).collect()
}

fn holds(bytes: &[u8], sought: &[u8]) -> bool {
    bytes.windows(sought.len()).any(|window| window == sought)
}

/// The packets that a query admits, kept up to date a while at a time, the newest first.
#[derive(Debug, Default)]
pub struct Matches {
    query: Query,
    ids: VecDeque<PacketId>,
    /// Oldest and newest packet that was looked at.
    looked_at: Option<(PacketId, PacketId)>,
}

impl Matches {
    /// Looks at rows that came since, then at older ones for as long as `go_on`, and at one at least. True when all were
    /// looked at.
    pub fn update(
        &mut self,
        rows: &VecDeque<PacketRow>,
        query: &Query,
        mut go_on: impl FnMut() -> bool,
        mut admits: impl FnMut(&PacketRow) -> bool,
    ) -> bool {
        let (Some(first), Some(last)) = (rows.front(), rows.back()) else {
            *self = Self { query: query.clone(), ..Self::default() };
            return true;
        };
        // What was looked at has to join what is there: else the list was read anew.
        let anew = self.looked_at.is_some_and(|(oldest, newest)| newest < first.id || oldest > last.id);
        if self.query != *query || anew {
            *self = Self { query: query.clone(), ..Self::default() };
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
    len: usize,
}

impl<'a> Listing<'a> {
    /// Every row.
    pub fn all(rows: &'a VecDeque<PacketRow>) -> Self {
        Self { rows, only: None, len: rows.len() }
    }

    /// The rows that match.
    pub fn matching(rows: &'a VecDeque<PacketRow>, matches: &'a Matches) -> Self {
        Self { rows, only: Some(&matches.ids), len: matches.ids.len() }
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
        self.only.map_or_else(|| self.rows.get(index).map(|r| r.id), |ids| ids.get(index).copied())
    }

    /// A row.
    pub fn get(&self, index: usize) -> Option<&'a PacketRow> {
        find(self.rows, self.id(index)?)
    }

    /// The newest row.
    pub fn last(&self) -> Option<PacketId> {
        self.id(self.len().checked_sub(1)?)
    }

    /// Where this packet is, or would be: the index of the first row that is not older.
    pub fn at_or_after(&self, id: PacketId) -> usize {
        self.only
            .map_or_else(|| self.rows.partition_point(|r| r.id < id), |ids| ids.partition_point(|i| *i < id))
            .min(self.len)
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
    use crate::model::{Direction, Protocol};

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

    fn check(text: &str, admitted: bool) {
        let summary = Summary {
            type_text: "0x12".into(),
            title: "Position".into(),
            serial: Some(1204),
            trouble: Some("CRC 5B05".to_owned()),
            detail: "51.12345, 4.39127".to_owned(),
        };
        assert_eq!(Query::new(text, false, None).admits(&row(1), "Van 7", || haystack(&summary)), admitted, "{text}");
    }

    #[test]
    fn words_are_found_in_whatever_the_row_shows() {
        for text in ["", "van", "VAN 51.123", "10.0.0.9", "gt06", "0x12", "#1204", "crc", "note", "location"] {
            check(text, true);
        }
        check("van 0x13", false);
        check("jane", false);
    }

    #[test]
    fn hex_is_found_in_the_bytes_from_two_bytes_on() {
        check("780d", true);
        check("78 78 0D", true);
        check("0x780d", true);
        check("0d", false);
        check("8780", false);
    }

    #[test]
    fn matches_come_newest_first_and_end_up_in_order() {
        let rows: VecDeque<_> = (1..=100).map(row).collect();
        let query = Query::new("", true, None);
        let mut matches = Matches::default();
        let admits = |row: &PacketRow| query.admits(row, "", || "");
        assert!(!matches.update(&rows, &query, most(40), admits));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [60, 70, 80, 90, 100]);
        assert_eq!(matches.looked_at(&rows), 41);
        assert!(!matches.update(&rows, &query, most(40), admits));
        assert!(matches.update(&rows, &query, most(40), admits));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(numbers(Listing::matching(&rows, &matches).until(PacketId(35))), [10, 20, 30]);
    }

    #[test]
    fn pages_before_and_after_are_searched_and_dropped_ones_go() {
        let query = Query::new("", true, None);
        let admits = |row: &PacketRow| query.admits(row, "", || "");
        let mut rows: VecDeque<_> = (101..=150).map(row).collect();
        let mut matches = Matches::default();
        matches.update(&rows, &query, || true, admits);
        (61..=100).rev().for_each(|id| rows.push_front(row(id)));
        rows.truncate(70);
        assert!(matches.update(&rows, &query, || true, admits));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [70, 80, 90, 100, 110, 120, 130]);
        rows.extend((131..=160).map(row));
        assert!(!matches.update(&rows, &query, most(5), admits));
        assert!(matches.update(&rows, &query, || true, admits));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [70, 80, 90, 100, 110, 120, 130, 140, 150, 160]);
    }

    #[test]
    fn a_search_by_field_is_seen() {
        let field = |text: &str| Query::new(text, false, None).field().map(str::to_owned);
        assert_eq!(field("van verdict:error").as_deref(), Some("verdict"));
        for text in ["10.0.0.9:4711", "error", "aa:bb:", "14:02:31"] {
            assert_eq!(field(text), None, "{text}");
        }
    }

    #[test]
    fn matches_follow_rows_that_come_and_go() {
        let mut rows: VecDeque<_> = (1..=30).map(row).collect();
        let query = Query::new("", true, None);
        let mut matches = Matches::default();
        let admits = |row: &PacketRow| query.admits(row, "", || "");
        matches.update(&rows, &query, || true, admits);
        rows.drain(..15);
        rows.extend((31..=41).map(row));
        assert!(matches.update(&rows, &query, || true, admits));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [20, 30, 40]);

        rows.truncate(20);
        matches.update(&rows, &query, || true, admits);
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [20, 30]);

        let one_device = Query::new("", true, Some(DeviceId(0)));
        matches.update(&rows, &one_device, || true, |row| one_device.admits(row, "", || ""));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [30]);
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
