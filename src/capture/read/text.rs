//! Text: what [`dress`] undresses, with what a log says around it. One line is one buffer; a whole document is taken where it is JSON.

use std::{
    io::{BufRead, Read},
    path::Path,
    sync::Arc,
};

use super::{Ground, Halt, Numbers, Sink, heading::Heading, http, objects};
use crate::{
    capture::{Item, Place, Record},
    model::{Direction, Protocol, Timestamp},
    wire::dress::{self, Complaint, Line},
};

/// A longer line is no frame and no body.
const MOST_LINE_BYTES: u64 = 16 << 20;
/// A JSON document over several lines is looked for within this.
const MOST_DOCUMENT_BYTES: u64 = 64 << 20;

pub(super) fn read(input: &mut dyn BufRead, ground: &Ground, sink: &mut Sink<'_>) -> Result<(), Halt> {
    let folder = ground.path.as_deref().and_then(by_folder);
    let mut reader = Reader { ground, numbers: Numbers::default(), folder, sink };
    let mut line = Vec::new();
    input.take(MOST_LINE_BYTES).read_until(b'\n', &mut line)?;
    if !begins_document(&line) {
        reader.line(1, &line)?;
        return reader.lines(2, input);
    }
    input.take(MOST_DOCUMENT_BYTES).read_to_end(&mut line)?;
    if dress::is_json(&line) {
        return reader.json(1, line.trim_ascii());
    }
    reader.lines(1, &mut line.as_slice().chain(input))
}

/// True where a first line opens a JSON document and does not close it.
fn begins_document(line: &[u8]) -> bool {
    let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    matches!(text.last(), Some(b'{' | b'[' | b',')) && matches!(text.first(), Some(b'{' | b'['))
}

struct Reader<'r, 's> {
    ground: &'r Ground,
    numbers: Numbers,
    /// Whose log it is, by its folder, as the context of a request says it.
    folder: Option<String>,
    sink: &'r mut Sink<'s>,
}

impl Reader<'_, '_> {
    fn lines(&mut self, first: u64, input: &mut dyn BufRead) -> Result<(), Halt> {
        let mut line = Vec::new();
        for number in first.. {
            line.clear();
            input.take(MOST_LINE_BYTES).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                break;
            }
            if line.len() as u64 == MOST_LINE_BYTES && !line.ends_with(b"\n") {
                input.skip_until(b'\n')?;
                self.sink.rejected(Place::Line(number), "longer than 16 MiB, so it is passed over")?;
                continue;
            }
            self.line(number, &line)?;
        }
        Ok(())
    }

    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), Halt> {
        let place = Place::Line(number);
        let trimmed = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if objects::own_line(trimmed) || objects::array(trimmed).is_some() {
            return self.json(number, trimmed);
        }
        let undressed = dress::line(line, None);
        if undressed == Ok(Line::Blank) {
            return Ok(());
        }
        // What stands before the bytes is short.
        let start = line.get(..line.len().min(512)).unwrap_or_default();
        let text = String::from_utf8_lossy(start);
        let heading = Heading::of(&text, &self.ground.zone);
        match undressed {
            Ok(Line::Blank) => Ok(()),
            Ok(Line::Remark) => {
                let ended = heading.closed.and_then(|by| Some((by, self.numbers.forget(&heading.connection)?)));
                match ended {
                    Some((by, connection)) => self.sink.put(Item::Closed { connection, at: heading.at, by }),
                    None => self.sink.passed(place),
                }
            }
            Ok(Line::Buffer(buffer)) => self.buffer(place, &text, &heading, buffer),
            Err(why) => self.sink.put(Item::Rejected { place, why }),
        }
    }

    fn buffer(&mut self, place: Place, text: &str, heading: &Heading, buffer: dress::Buffer) -> Result<(), Halt> {
        let dress::Buffer { bytes, protocol, direction, cut } = buffer;
        let at = heading.at.or_else(|| recorder_time(text));
        let mut record = Record {
            at,
            protocol,
            direction,
            peer: Arc::from(heading.peer.as_str()),
            connection: self.numbers.of(&heading.connection),
            bytes,
            context: None,
            place,
            cut,
        };
        if protocol == Protocol::OwnTracks {
            match http::alone(&record.bytes) {
                Some(http::Alone { direction, context, body }) => {
                    (record.direction, record.context, record.bytes) = (direction, context, body);
                }
                None => record.context = topic(text).or_else(|| self.folder.clone()),
            }
        }
        self.sink.put(Item::Record(record))
    }

    /// A JSON value: our own object, an array of these or of bodies, or one body.
    fn json(&mut self, line: u64, text: &[u8]) -> Result<(), Halt> {
        if let Some(values) = objects::array(text) {
            for value in values {
                self.object(line, value.get().as_bytes())?;
            }
            return Ok(());
        }
        self.object(line, text)
    }

    fn object(&mut self, line: u64, text: &[u8]) -> Result<(), Halt> {
        let place = Place::Line(line);
        let mut record = Record {
            at: None,
            protocol: Protocol::OwnTracks,
            direction: Direction::In,
            peer: "".into(),
            connection: 0,
            bytes: Vec::new(),
            context: None,
            place,
            cut: None,
        };
        if let Some(own) = objects::own(text) {
            let bytes = match own.bytes() {
                Ok(bytes) if bytes.is_empty() => return self.sink.passed(place),
                Ok(bytes) => bytes,
                Err(why) => return self.sink.put(Item::Rejected { place, why }),
            };
            record = Record {
                at: own.at(),
                protocol: own.protocol(&bytes),
                direction: own.direction(),
                peer: Arc::from(own.peer()),
                connection: self.numbers.of(&own.connection()),
                bytes,
                context: own.context(),
                ..record
            };
            return self.sink.put(Item::Record(record));
        }
        match dress::line(text, None) {
            Ok(Line::Buffer(buffer)) => {
                record.connection = self.numbers.of("");
                (record.protocol, record.direction) = (buffer.protocol, buffer.direction);
                (record.bytes, record.cut) = (buffer.bytes, buffer.cut);
                record.context.clone_from(&self.folder);
                self.sink.put(Item::Record(record))
            }
            Ok(Line::Blank | Line::Remark) => self.sink.passed(place),
            Err(why) => self.sink.put(Item::Rejected { place, why: Complaint { column: 1, ..why } }),
        }
    }
}

/// The time of Recorder's log: before a tab.
fn recorder_time(text: &str) -> Option<Timestamp> {
    text.split_once('\t')?.0.trim().parse().ok()
}

/// Whose a message is by the topic before it: `owntracks/jane/phone {…}`.
fn topic(text: &str) -> Option<String> {
    let before = text.get(..text.find('{')?)?;
    let topic = before.split_ascii_whitespace().find(|word| word.starts_with("owntracks/"))?;
    let mut parts = topic.split('/').skip(1);
    whose(parts.next()?, parts.next()?)
}

/// Whose a log of Recorder's is: `…/rec/USER/DEVICE/2026-11.rec`.
fn by_folder(path: &Path) -> Option<String> {
    if path.extension().is_none_or(|e| !e.eq_ignore_ascii_case("rec")) {
        return None;
    }
    let names: Vec<&str> = path.iter().rev().skip(1).take(3).map(|name| name.to_str()).collect::<Option<_>>()?;
    match names.as_slice() {
        [device, user, "rec"] => whose(user, device),
        _ => None,
    }
}

fn whose(user: &str, device: &str) -> Option<String> {
    let named = !user.is_empty() && !device.is_empty();
    named.then(|| serde_json::json!({ "X-Limit-U": user, "X-Limit-D": device }).to_string())
}
