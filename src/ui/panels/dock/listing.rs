//! The rows that the packet list shows: all of them or those that a quick filter admits, by position and by identity.

use std::collections::VecDeque;

use crate::{
    model::{DeviceId, PacketId, PacketRow, Verdict},
    ui::summary::Summary,
};

/// Shorter runs of hex digits occur in every packet and are not looked for in the bytes.
const LEAST_HEX_DIGITS: usize = 4;

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

    /// True where the query asks for this row. `summary` is only called when the cheap questions are answered.
    pub fn admits(&self, row: &PacketRow, who: &str, summary: impl FnOnce() -> Summary) -> bool {
        if (self.problems && row.verdict < Verdict::Warn) || (self.device.is_some() && row.device != self.device) {
            return false;
        }
        if self.words.is_empty() || self.bytes.as_ref().is_some_and(|sought| holds(&row.bytes, sought)) {
            return true;
        }
        let Summary { type_text, title, serial, trouble, detail } = summary();
        let serial = serial.map(|n| format!("#{n}")).unwrap_or_default();
        let trouble = trouble.unwrap_or_default();
        let (protocol, verdict) = (row.protocol.title(), row.verdict.as_str());
        let parts =
            [who, &row.peer, &row.kind, protocol, verdict, &type_text, &title, &serial, &trouble, &detail].join("\n");
        let haystack = parts.to_lowercase();
        self.words.iter().all(|word| haystack.contains(word.as_str()))
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

/// The packets that a query admits, kept up to date a few thousand rows at a time, the newest first.
#[derive(Debug, Default)]
pub struct Matches {
    query: Query,
    ids: VecDeque<PacketId>,
    /// Oldest and newest packet that was looked at.
    looked_at: Option<(PacketId, PacketId)>,
}

impl Matches {
    /// Looks at rows that came since, and at no more than `budget` older ones. True when all were looked at.
    pub fn update(
        &mut self,
        rows: &VecDeque<PacketRow>,
        query: &Query,
        budget: usize,
        mut admits: impl FnMut(&PacketRow) -> bool,
    ) -> bool {
        let (Some(first), Some(last)) = (rows.front(), rows.back()) else {
            *self = Self { query: query.clone(), ..Self::default() };
            return true;
        };
        // Rows that vanish from the end mean that the list was read anew.
        let anew = self.looked_at.is_some_and(|(_, newest)| newest > last.id || newest < first.id);
        if self.query != *query || anew {
            *self = Self { query: query.clone(), ..Self::default() };
        }
        while self.ids.front().is_some_and(|id| *id < first.id) {
            self.ids.pop_front();
        }
        let (oldest, newest) = self.looked_at.unwrap_or_else(|| {
            if admits(last) {
                self.ids.push_back(last.id);
            }
            (last.id, last.id)
        });
        let since = rows.partition_point(|r| r.id <= newest);
        self.ids.extend(rows.range(since..).filter(|row| admits(row)).map(|r| r.id));
        let before = rows.partition_point(|r| r.id < oldest);
        let from = before.saturating_sub(budget);
        for row in rows.range(from..before).rev() {
            if admits(row) {
                self.ids.push_front(row.id);
            }
        }
        let oldest = rows.get(from).map_or(oldest, |row| row.id.min(oldest));
        self.looked_at = Some((oldest, last.id));
        from == 0
    }
}

/// The rows that are shown, in the order they came.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    rows: &'a VecDeque<PacketRow>,
    /// `None`: all of them.
    only: Option<&'a VecDeque<PacketId>>,
}

impl<'a> Listing<'a> {
    /// Every row.
    pub fn all(rows: &'a VecDeque<PacketRow>) -> Self {
        Self { rows, only: None }
    }

    /// The rows that match.
    pub fn matching(rows: &'a VecDeque<PacketRow>, matches: &'a Matches) -> Self {
        Self { rows, only: Some(&matches.ids) }
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.only.map_or(self.rows.len(), VecDeque::len)
    }

    /// True where none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The identity of a row.
    pub fn id(&self, index: usize) -> Option<PacketId> {
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
        self.only.map_or_else(|| self.rows.partition_point(|r| r.id < id), |ids| ids.partition_point(|i| *i < id))
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

    fn numbers(listing: Listing<'_>) -> Vec<i64> {
        (0..listing.len()).filter_map(|i| listing.id(i)).map(|id| id.0).collect()
    }

    fn check(text: &str, admitted: bool) {
        let summary = || Summary {
            type_text: "0x12".into(),
            title: "Position".into(),
            serial: Some(1204),
            trouble: Some("CRC 5B05".to_owned()),
            detail: "51.12345, 4.39127".to_owned(),
        };
        assert_eq!(Query::new(text, false, None).admits(&row(1), "Van 7", summary), admitted, "{text}");
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
        let admits = |row: &PacketRow| query.admits(row, "", Summary::default);
        assert!(!matches.update(&rows, &query, 40, admits));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [60, 70, 80, 90, 100]);
        assert!(!matches.update(&rows, &query, 40, admits));
        assert!(matches.update(&rows, &query, 40, admits));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    }

    #[test]
    fn matches_follow_rows_that_come_and_go() {
        let mut rows: VecDeque<_> = (1..=30).map(row).collect();
        let query = Query::new("", true, None);
        let mut matches = Matches::default();
        let admits = |row: &PacketRow| query.admits(row, "", Summary::default);
        matches.update(&rows, &query, 100, admits);
        rows.drain(..15);
        rows.extend((31..=41).map(row));
        assert!(matches.update(&rows, &query, 100, admits));
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [20, 30, 40]);

        rows.truncate(20);
        matches.update(&rows, &query, 100, admits);
        assert_eq!(numbers(Listing::matching(&rows, &matches)), [20, 30]);

        let one_device = Query::new("", true, Some(DeviceId(0)));
        matches.update(&rows, &one_device, 100, |row| one_device.admits(row, "", Summary::default));
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
