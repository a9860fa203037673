//! What a capture is, by its first bytes; names do not count.

use super::own_line;
use crate::wire::dress;

/// So many bytes decide.
pub const HEAD_BYTES: usize = 8192;
/// Lines that are looked at.
const MOST_LINES: usize = 40;

/// How a capture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pcap,
    PcapNg,
    /// Logs, hex, JSON.
    Text,
    /// GT06 frames as they were on the wire.
    Frames,
}

impl Kind {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::PcapNg => "pcapng",
            Self::Text => "text",
            Self::Frames => "GT06 frames",
        }
    }
}

/// Why something is not read as a capture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is nothing in it")]
    Empty,
    /// A known format in a dress that is not read.
    #[error("{0}")]
    Dressed(&'static str),
    #[error("no line of it spells bytes, and it is no pcap")]
    Unknown,
}

/// How a capture is written that begins with `head`.
pub fn sniff(head: &[u8]) -> Result<Kind, Refusal> {
    const PCAP: [&[u8]; 5] =
        [b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x34\xcd\xb2\xa1"];
    if PCAP.iter().any(|magic| head.starts_with(magic)) {
        return Ok(Kind::Pcap);
    }
    if head.starts_with(b"\x0a\x0d\x0d\x0a") {
        return Ok(Kind::PcapNg);
    }
    let binary = head.iter().take(64).any(|b| *b < 9);
    if (head.starts_with(b"xx") || head.starts_with(b"yy")) && binary {
        return Ok(Kind::Frames);
    }
    if head.starts_with(b"\x1f\x8b") {
        return Err(Refusal::Dressed("this is compressed with gzip; unpack it first"));
    }
    if head.starts_with(b"PK\x03\x04") {
        return Err(Refusal::Dressed("this is a ZIP archive; unpack it first"));
    }
    let zeros = head.iter().take(64).filter(|b| **b == 0).count();
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || zeros > 16 {
        return Err(Refusal::Dressed("this text is UTF-16, or no text at all; save it as UTF-8"));
    }
    text(head)
}

fn text(head: &[u8]) -> Result<Kind, Refusal> {
    let mut lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).peekable();
    let Some(first) = lines.peek() else { return Err(Refusal::Empty) };
    // A document over many lines, and a line that is longer than what is looked at.
    let object = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    if is_geojson(head) || (object.starts_with(b"<") && !object.starts_with(b"<Buffer")) {
        return Err(Refusal::Unknown);
    }
    if matches!(object.first(), Some(b'{' | b'[')) && (contains(head, b"_type") || contains(head, b"\"hex\"")) {
        return Ok(Kind::Text);
    }
    let spells = |line: &[u8]| own_line(line) || matches!(dress::line(line, None), Ok(dress::Line::Buffer(_)));
    if lines.take(MOST_LINES).any(spells) { Ok(Kind::Text) } else { Err(Refusal::Unknown) }
}

fn is_geojson(head: &[u8]) -> bool {
    contains(head, b"\"FeatureCollection\"") || contains(head, b"\"Feature\"")
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|w| w == word)
}
