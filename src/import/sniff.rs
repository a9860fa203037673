//! What a file is, by its first bytes; a name is only a hint.

use crate::wire::dress;

use super::{Kind, kmz};

/// So many bytes decide.
pub const HEAD_BYTES: usize = 8192;

/// Why a file is not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It holds what devices sent, not history.
    #[error("this is a capture ({0}), not a history; `wayglass decode FILE` explains its bytes")]
    Capture(&'static str),
    /// A known format in a dress that is not read.
    #[error("{0}")]
    Dressed(&'static str),
    #[error(
        "this is none of GPX, KML, KMZ, GeoJSON, CSV with a header or an OwnTracks Recorder log; it begins with {0}"
    )]
    Unknown(String),
    #[error("the file is empty")]
    Empty,
}

/// What a file is that begins with `head`.
pub fn sniff(head: &[u8]) -> Result<Kind, Refusal> {
    if let Some(refusal) = by_magic(head) {
        return Err(refusal);
    }
    if kmz::is_zip(head) {
        return Ok(Kind::Kml);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    match text.first() {
        Some(b'<') => {
            let lower = text.to_ascii_lowercase();
            let at = |word: &[u8]| lower.windows(word.len()).position(|w| w == word);
            match (at(b"<gpx"), at(b"<kml"), at(b":kml")) {
                (Some(gpx), Some(kml), _) => Ok(if gpx < kml { Kind::Gpx } else { Kind::Kml }),
                (Some(_), None, _) => Ok(Kind::Gpx),
                (None, Some(_), _) | (None, None, Some(_)) => Ok(Kind::Kml),
                (None, None, None) => Err(unknown(text)),
            }
        }
        Some(b'{' | b'[') if contains(text, b"\"_type\"") => Ok(Kind::Rec),
        Some(b'{' | b'[') => Ok(Kind::GeoJson),
        _ => by_line(text),
    }
}

fn by_magic(head: &[u8]) -> Option<Refusal> {
    const PCAP: [&[u8]; 5] =
        [b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a"];
    if PCAP.iter().any(|magic| head.starts_with(magic)) {
        return Some(Refusal::Capture("pcap"));
    }
    if head.starts_with(b"xx") || head.starts_with(b"yy") {
        return Some(Refusal::Capture("GT06 frames"));
    }
    if head.starts_with(b"\x1f\x8b") {
        return Some(Refusal::Dressed("this is compressed with gzip; unpack it first"));
    }
    if head.starts_with(b"SQLite format 3\0") {
        return Some(Refusal::Dressed("this is a database; a copy of Wayglass's is opened with --data-dir"));
    }
    // Also UTF-16 without its mark: every other byte of ASCII is 0.
    let zeros = head.iter().take(64).filter(|b| **b == 0).count();
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || zeros > 16 {
        return Some(Refusal::Dressed("this text is UTF-16, or no text at all; save it as UTF-8"));
    }
    None
}

/// Recorder's log, a capture, or a table.
fn by_line(text: &[u8]) -> Result<Kind, Refusal> {
    let mut lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    if super::rec::is_line(first) {
        return Ok(Kind::Rec);
    }
    if super::csv::is_header(first) {
        return Ok(Kind::Csv);
    }
    let spells_bytes = |line: &[u8]| matches!(dress::line(line, None), Ok(dress::Line::Buffer(_)));
    if std::iter::once(first).chain(lines.take(20)).any(spells_bytes) {
        return Err(Refusal::Capture("hexadecimal bytes or a log of them"));
    }
    // A table without any name that is known says which are.
    if first.iter().any(|b| matches!(b, b',' | b';' | b'\t')) { Ok(Kind::Csv) } else { Err(unknown(text)) }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|w| w == word)
}

fn unknown(text: &[u8]) -> Refusal {
    let begins: String = String::from_utf8_lossy(text.get(..text.len().min(40)).unwrap_or_default()).into_owned();
    Refusal::Unknown(format!("{begins:?}"))
}
