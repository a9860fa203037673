//! Any file is read to its end or to where it makes no sense: every record has a place on the globe and stands within the file;
//! whoever wants no more is told no more; and it is the same in pieces of whatever size.

use std::{
    io::{self, Read},
    ops::ControlFlow,
};

use jiff::tz::TimeZone;

use crate::{
    budget,
    import::{Ended, Ground, HEAD_BYTES, Item, Kind, read, sniff},
    now,
};

/// Bytes that reading may take at its peak, for each byte of the file, and beside them.
const BYTES_PER_BYTE: usize = 4096;
const BYTES_BESIDE: usize = 1 << 20;

/// See the module. The first byte says what the file is read as, and how many bytes come at a time.
pub fn run(data: &[u8]) {
    let Some((pick, file)) = data.split_first() else { return };
    let sniffed = sniff(file.get(..file.len().min(HEAD_BYTES)).unwrap_or_default()).ok();
    let kinds = Kind::ALL.len() + 1;
    let kind = Kind::ALL.get(usize::from(*pick) % kinds).copied().or(sniffed);
    let Some(kind) = kind else { return };
    let limit = BYTES_BESIDE + BYTES_PER_BYTE * data.len();
    let (whole, ended) = budget::within(limit, || items(kind, file, usize::MAX, usize::MAX));
    check(&whole, file.len() as u64);
    let piece = 1 + usize::from(*pick) / kinds;
    let (pieces, ended_too) = budget::within(limit, || items(kind, file, piece, usize::MAX));
    assert_eq!((&pieces, &ended_too), (&whole, &ended), "pieces of {piece} bytes");
    let some = whole.len() / 2;
    let (first, stopped) = items(kind, file, usize::MAX, some);
    assert_eq!(first, whole.iter().take(some.max(1)).cloned().collect::<Vec<_>>());
    assert!(whole.is_empty() || stopped == Ended::Stopped);
}

/// What a file tells, as text, until so many items are told.
fn items(kind: Kind, file: &[u8], piece: usize, most: usize) -> (Vec<Item>, Ended) {
    let ground = Ground { now: now(), zone: TimeZone::UTC, path: "rec/jane/phone/2017-06.rec".into() };
    let mut items = Vec::new();
    let input = Pieces { file, piece };
    let ended = read(kind, input, &ground, &mut |_| {}, &mut |item| {
        items.push(item);
        if items.len() >= most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (items, ended.expect("memory can always be read"))
}

fn check(items: &[Item], length: u64) {
    let mut tracks = 0;
    for item in items {
        let at = match item {
            Item::Track(track) => {
                assert!(!track.label().is_empty());
                tracks += 1;
                continue;
            }
            Item::Note(_) => continue,
            Item::Reject(reject) => {
                assert!(!reject.why.is_empty() && !reject.to_string().is_empty());
                reject.at
            }
            Item::Record(record) => {
                assert!(record.track < tracks && record.report.fix.is_some());
                record.at
            }
        };
        assert!(at.line >= 1 && at.byte <= length, "{at:?} of {length}");
    }
}

/// A file that comes so many bytes at a time.
pub(crate) struct Pieces<'f> {
    pub(crate) file: &'f [u8],
    pub(crate) piece: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.len().min(into.len()).min(self.piece);
        let (now, later) = self.file.split_at(n);
        self.file = later;
        into.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
        Ok(n)
    }
}
