//! Gets bytes out of the text that people paste: hex in any dress, log lines, JSON bodies.
//!
//! One line is one buffer; lines are never joined, except where a whole input is one JSON document ([`is_json`]).

mod hex;

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::model::{Direction, Protocol};

/// What one line of text holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Nothing, or a comment (`#`).
    Blank,
    /// A log line that says something, but carries no bytes.
    Remark,
    Buffer(Buffer),
}

/// The bytes that a line spells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffer {
    pub bytes: Vec<u8>,
    /// From what they look like and from what the line says about itself.
    pub protocol: Protocol,
    /// [`Direction::Out`] where a log says that the server sent them.
    pub direction: Direction,
    /// Why there may be more than the line shows.
    pub cut: Option<Complaint>,
}

/// What is wrong with a line, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Character of the line, counted from 1.
    pub column: usize,
    /// What was expected and what came.
    pub text: String,
}

/// Reads every line of a text, numbered from 1. A text that is one JSON document is one line, however it is laid out.
pub fn undress(text: &[u8], expected: Option<Protocol>) -> Vec<(usize, Result<Line, Complaint>)> {
    if is_json(text) {
        return vec![(1, line(text, expected))];
    }
    text.split(|b| *b == b'\n').enumerate().map(|(n, one)| (n + 1, line(one, expected))).collect()
}

/// True where the whole text is one JSON object or array.
pub fn is_json(text: &[u8]) -> bool {
    let text = without_bom(text);
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Reads one line. `expected` is what the user said it is; `None` finds out.
pub fn line(line: &[u8], expected: Option<Protocol>) -> Result<Line, Complaint> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let trimmed = without_bom(line).trim_ascii();
    if trimmed.is_empty() || trimmed.starts_with(b"#") {
        return Ok(Line::Blank);
    }
    match (read(line, trimmed), expected) {
        (Ok(Line::Buffer(found)), Some(protocol)) if protocol != found.protocol => match protocol {
            // What spells no body is one itself, right or wrong.
            Protocol::OwnTracks => Ok(body(line)),
            Protocol::Gt06 => Ok(Line::Buffer(Buffer { protocol, ..found })),
        },
        (Ok(Line::Remark) | Err(_), Some(Protocol::OwnTracks)) => Ok(body(line)),
        (read, _) => read,
    }
}

/// The line as text of the same length: [`hex::LOST`] stands for each byte that is no text.
fn as_text(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(line.utf8_chunks().fold(String::with_capacity(line.len()), |mut text, chunk| {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| hex::LOST));
            text
        })),
    }
}

fn body(line: &[u8]) -> Line {
    Line::Buffer(Buffer { bytes: line.to_vec(), protocol: Protocol::OwnTracks, direction: Direction::In, cut: None })
}

fn read(line: &[u8], trimmed: &[u8]) -> Result<Line, Complaint> {
    if let Some(found) = json(line, trimmed) {
        return Ok(found);
    }
    if looks_like_broken_json(trimmed) {
        return Ok(body(line));
    }
    let text = as_text(line);
    if let Some(tag) = Tag::find(&text) {
        return tagged(line, &text, &tag);
    }
    if let Some(json) = json_at_end(line, after_timestamp(&text) > 0) {
        return Ok(body(json));
    }
    if is_dump(&text) {
        let text = "a line of a hex dump, of which each line is only a part: put the bytes on one line".to_owned();
        return Err(Complaint { column: 1, text });
    }
    let start = after_timestamp(&text);
    let rest = text.get(start..).unwrap_or_default();
    if is_remark(rest) || (start > 0 && rest.trim().is_empty()) {
        return Ok(Line::Remark);
    }
    spelled(&text, start..text.len(), Direction::In).or_else(|complaint| match frame_in(rest) {
        Some(frame) => spelled(&text, start + frame.start..start + frame.end, Direction::In),
        None => Err(Complaint {
            text: format!("{}; this is neither hex, nor a log line with bytes, nor JSON", complaint.text),
            ..complaint
        }),
    })
}

/// A line that is JSON as it stands: a body, or bytes written as a list of numbers.
fn json(line: &[u8], trimmed: &[u8]) -> Option<Line> {
    /// What Node's `JSON.stringify` makes of a buffer.
    #[derive(serde::Deserialize)]
    struct NodeBuffer {
        #[serde(rename = "type")]
        kind: String,
        data: Vec<u8>,
    }
    let first = trimmed.first()?;
    if !matches!(first, b'{' | b'[' | b'"') || serde_json::from_slice::<IgnoredAny>(trimmed).is_err() {
        return None;
    }
    let numbers = match first {
        b'[' => serde_json::from_slice::<Vec<u8>>(trimmed).ok(),
        b'{' => serde_json::from_slice::<NodeBuffer>(trimmed).ok().filter(|b| b.kind == "Buffer").map(|b| b.data),
        _ => serde_json::from_slice::<String>(trimmed).ok().and_then(|s| hex::read(&s).ok()).map(|h| h.bytes),
    };
    match numbers.filter(|n| !n.is_empty()) {
        Some(bytes) => {
            Some(Line::Buffer(Buffer { protocol: looks_like(&bytes), bytes, direction: Direction::In, cut: None }))
        }
        None => Some(body(line)),
    }
}

/// The part of a log line that says who spoke to whom: `[Te3c4e6ff: gt06 < 192.0.2.7]`, `[5023 <- 192.0.2.7] - (HEX:`.
struct Tag {
    /// Where the bytes begin.
    payload: std::ops::Range<usize>,
    direction: Direction,
}

impl Tag {
    /// Further brackets are not tried: each costs a search.
    const MOST: usize = 16;

    fn find(text: &str) -> Option<Self> {
        let hex = text.to_ascii_lowercase().find("hex:");
        let head = text.get(..hex.unwrap_or(text.len()))?;
        let bracket = head.match_indices('[').take(Self::MOST).find_map(|(at, _)| {
            let inside = head.get(at + 1..)?;
            let end = inside.find(']')?;
            let inside = inside.get(..end)?;
            let speaks = inside.contains(['<', '>']) && !inside.contains(['{', '"']);
            speaks.then_some((at + 1 + end + 1, inside))
        });
        let mut start = match (hex, &bracket) {
            (Some(at), _) => at + "hex:".len(),
            (None, Some((end, _))) => *end,
            (None, None) => return None,
        };
        let mut end = text.len();
        if hex.is_some() && head.trim_end().ends_with('(') {
            end = text.rfind(')').filter(|at| *at > start).unwrap_or(end);
        }
        // What old layouts put between the bracket and the bytes.
        while let Some(rest) = text.get(start..end) {
            let trimmed = rest.trim_start();
            let after = ["- ", "[TCP]", "[UDP]"].into_iter().find_map(|word| trimmed.strip_prefix(word));
            start = end - after.unwrap_or(trimmed).len();
            if after.is_none() {
                break;
            }
        }
        let inside = bracket.map_or("", |(_, inside)| inside);
        Some(Self { payload: start..end, direction: direction(inside) })
    }
}

fn direction(bracket: &str) -> Direction {
    if bracket.contains('>') && !bracket.contains('<') { Direction::Out } else { Direction::In }
}

fn tagged(line: &[u8], text: &str, tag: &Tag) -> Result<Line, Complaint> {
    let len = text.get(tag.payload.clone()).unwrap_or_default().trim_end().len();
    let payload = tag.payload.start..tag.payload.start + len;
    let bytes = line.get(payload.clone()).unwrap_or_default();
    if bytes.is_empty() {
        return Ok(Line::Remark);
    }
    if is_json(bytes) || looks_like_broken_json(bytes) {
        return Ok(body(bytes));
    }
    spelled(text, payload, tag.direction)
}

/// Bytes from the hex digits in a part of a line.
fn spelled(text: &str, part: std::ops::Range<usize>, direction: Direction) -> Result<Line, Complaint> {
    let complaint = |(at, why): (usize, String)| Complaint { column: column(text, part.start + at), text: why };
    let found = hex::read(text.get(part.clone()).unwrap_or_default()).map_err(complaint)?;
    Ok(Line::Buffer(Buffer {
        protocol: looks_like(&found.bytes),
        bytes: found.bytes,
        direction,
        cut: found.cut.map(complaint),
    }))
}

/// What bytes are by their beginning: JSON and HTTP are OwnTracks, anything else is not.
fn looks_like(bytes: &[u8]) -> Protocol {
    let start = without_bom(bytes).trim_ascii_start();
    let json = matches!(start.first(), Some(b'{' | b'['))
        && bytes.iter().take(64).all(|b| *b >= b' ' || b.is_ascii_whitespace());
    if json || http_head(bytes).is_some() { Protocol::OwnTracks } else { Protocol::Gt06 }
}

/// Length of the head of an HTTP request or answer, up to where its body begins.
pub fn http_head(bytes: &[u8]) -> Option<usize> {
    const BEGINNINGS: [&[u8]; 4] = [b"POST ", b"PUT ", b"GET ", b"HTTP/1."];
    if !BEGINNINGS.iter().any(|m| bytes.starts_with(m)) {
        return None;
    }
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
    Some(end.map_or(bytes.len(), |at| at + 4))
}

/// The JSON at the end of a line, behind a topic, or time, topic and tabs (`.rec` files of the Recorder).
fn json_at_end(line: &[u8], begins_with_time: bool) -> Option<&[u8]> {
    /// Further beginnings are not tried: each costs a reading of the rest.
    const MOST: usize = 4;
    let rec = begins_with_time && line.split(|b| *b == b'\t').count() > 2;
    let pairs = line.windows(2).enumerate();
    let starts = pairs.filter(|(_, pair)| matches!(pair, [b' ' | b'\t', b'{' | b'[']));
    let mut rests = starts.take(MOST).filter_map(|(at, _)| Some(line.get(at + 1..)?.trim_ascii_end()));
    rests.find(|json| {
        (is_json(json) && serde_json::from_slice::<Vec<u8>>(json).is_err()) || (rec && looks_like_broken_json(json))
    })
}

fn looks_like_broken_json(trimmed: &[u8]) -> bool {
    let Some((first, rest)) = trimmed.split_first() else { return false };
    matches!(
        (first, rest.trim_ascii_start().first()),
        (b'{', Some(b'"' | b'\'')) | (b'[', Some(b'{' | b'"')) | (b'{' | b'[', None)
    )
}

/// Where a line goes on after a date, a time or both at its beginning; 0 where there is none.
fn after_timestamp(text: &str) -> usize {
    let whole = text.trim_start();
    let mut rest = whole;
    if let Some(after) = shaped(rest, "dddd-dd-dd") {
        rest = after.strip_prefix(['T', ' ', '\t']).unwrap_or(after);
    }
    if let Some(after) = shaped(rest, "dd:dd:dd").filter(|_| rest < "24") {
        let digits = |r: char| r.is_ascii_digit() || r == ':';
        let after = after.strip_prefix(['.', ',', ':']).map_or(after, |r| r.trim_start_matches(digits));
        let zone = after.strip_prefix(['+', '-']).map(|r| r.trim_start_matches(digits));
        rest = zone.or(after.strip_prefix('Z')).unwrap_or(after);
    }
    if rest.len() < whole.len() { text.len() - rest.len() } else { 0 }
}

/// What follows where text begins with this shape; `d` stands for a digit.
fn shaped<'t>(text: &'t str, shape: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(shape.len())?;
    let fits = start.bytes().zip(shape.bytes()).all(|(b, s)| if s == b'd' { b.is_ascii_digit() } else { b == s });
    fits.then_some(rest)
}

/// A line as `xxd` and `hexdump -C` print it: an offset in steps of 16 before the bytes.
fn is_dump(text: &str) -> bool {
    let Some((offset, rest)) = text.split_once([':', ' ']) else { return false };
    let counts = (7..=8).contains(&offset.len()) && offset.starts_with("000") && offset.ends_with('0');
    counts && offset.bytes().all(|b| b.is_ascii_hexdigit()) && rest.starts_with(' ')
}

/// A log line without bytes: a level, then words.
fn is_remark(rest: &str) -> bool {
    let rest = rest.trim_start();
    ["INFO:", "WARN:", "WARNING:", "ERROR:", "DEBUG:", "FINE:", "SEVERE:", "TRACE:"].iter().any(|l| rest.starts_with(l))
}

/// A GT06 frame among other words: from `7878` or `7979` as far as the digits go.
fn frame_in(text: &str) -> Option<std::ops::Range<usize>> {
    let mut words = text.split_ascii_whitespace();
    words.find_map(|word| {
        let at = word.as_ptr().addr() - text.as_ptr().addr();
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        let frame = (digits.starts_with("7878") || digits.starts_with("7979")) && digits.len() >= 10;
        (frame && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| at..at + digits.len())
    })
}

fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

fn column(text: &str, at: usize) -> usize {
    let before: Cow<'_, str> = text.get(..at).map_or_else(|| Cow::Owned(String::new()), Cow::Borrowed);
    before.chars().count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_in_a_log_line_keeps_bytes_that_are_no_text() {
        let found = line(b"(HEX: {\"_type\":\"da\xff\xfe\"}", None);
        let bytes = b"{\"_type\":\"da\xff\xfe\"}".to_vec();
        let (protocol, direction) = (Protocol::OwnTracks, Direction::In);
        assert_eq!(found, Ok(Line::Buffer(Buffer { bytes, protocol, direction, cut: None })));
    }
}
