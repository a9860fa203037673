//! Any file is read as a capture to its end or to where it makes no sense, and is the same in pieces of whatever size; whoever wants no more is told
//! no more; and every packet of it can be shown without whom and where.

use std::{borrow::Cow, ops::ControlFlow};

use crate::{
    budget,
    capture::{
        Item, Place, Record,
        read::{Ended, Ground, HEAD_BYTES, Kind, read, sniff},
        redact::Redactor,
    },
    import_files::Pieces,
    model::{PacketId, PacketRow, Profile, Verdict},
    now,
};

const KINDS: [Kind; 4] = [Kind::Pcap, Kind::PcapNg, Kind::Text, Kind::Frames];

/// Bytes that reading may take at its peak, for each byte of the file, and beside them.
const BYTES_PER_BYTE: usize = 4096;
const BYTES_BESIDE: usize = 4 << 20;

/// See the module. The first byte says what the file is read as, and how many bytes come at a time.
pub fn run(data: &[u8]) {
    let Some((&pick, file)) = data.split_first() else { return };
    let sniffed = sniff(file.get(..file.len().min(HEAD_BYTES)).unwrap_or_default()).ok();
    let kinds = KINDS.len() + 1;
    let Some(kind) = KINDS.get(usize::from(pick) % kinds).copied().or(sniffed) else { return };
    let limit = BYTES_BESIDE + BYTES_PER_BYTE * data.len();
    let (whole, ended) = budget::within(limit, || items(kind, file, usize::MAX, usize::MAX));
    check(&whole);
    let piece = 1 + usize::from(pick) / kinds;
    let (pieces, ended_too) = budget::within(limit, || items(kind, file, piece, usize::MAX));
    assert_eq!((&pieces, &ended_too), (&whole, &ended), "pieces of {piece} bytes");
    let some = whole.len() / 2;
    let (first, stopped) = items(kind, file, usize::MAX, some);
    assert_eq!(first, whole.iter().take(some.max(1)).cloned().collect::<Vec<_>>());
    assert!(whole.is_empty() || stopped == Ended::Stopped);
    let mut redactor = Redactor::new(7);
    let profile = Profile::default();
    for item in &whole {
        if let Item::Record(record) = item {
            redactor.row(&row(record), Some(&profile));
        }
    }
}

/// What a file holds, until so many items are told.
fn items(kind: Kind, file: &[u8], piece: usize, most: usize) -> (Vec<Item>, Ended) {
    let mut items = Vec::new();
    let ended = read(kind, Pieces { file, piece }, &Ground::default(), &mut |_| {}, &mut |item| {
        items.push(item);
        if items.len() >= most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (items, ended.expect("memory can always be read"))
}

fn check(items: &[Item]) {
    for item in items {
        let place = match item {
            Item::Record(record) => {
                assert!(record.connection >= 1);
                record.place
            }
            Item::Closed { connection, .. } => {
                assert!(*connection >= 1);
                continue;
            }
            Item::Passed { place } | Item::Rejected { place, .. } => *place,
        };
        assert!(matches!(place, Place::Line(1..) | Place::Frame(1..)), "{place:?}");
    }
}

fn row(record: &Record) -> PacketRow {
    PacketRow {
        id: PacketId(1),
        received: record.at.unwrap_or_else(now),
        protocol: record.protocol,
        direction: record.direction,
        peer: record.peer.clone(),
        connection: record.connection,
        device: None,
        kind: Cow::Borrowed(""),
        verdict: Verdict::Ok,
        bytes: record.bytes.as_slice().into(),
        context: record.context.as_deref().map(Into::into),
        answers: None,
    }
}
