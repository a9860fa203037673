//! XML, element by element, with the place of each. Namespaces are passed over: what counts is the local name.

use std::io::Read;

use quick_xml::{
    Error, Reader, XmlVersion,
    events::{BytesStart, Event},
};

use super::{
    Mark,
    sink::Halt,
    source::{Source, too_long},
};

/// Deeper than any of our formats goes.
const MOST_DEEP: usize = 128;

/// The text of one element is cut here.
const MOST_TEXT: usize = 1 << 20;

/// What comes next in a document.
pub(super) enum Piece {
    /// An element begins. One that is empty is closed next.
    Open { name: String, attributes: Vec<(String, String)> },
    /// An element ends; its own text since its last child, trimmed.
    Close { name: String, text: String },
}

/// A document being read.
pub(super) struct Elements<'s, 'a, R> {
    reader: Reader<&'s mut Source<'a, R>>,
    buffer: Vec<u8>,
    open: Vec<String>,
    text: String,
    /// An empty element that is still to be closed.
    empty: bool,
}

impl<'s, 'a, R: Read> Elements<'s, 'a, R> {
    pub(super) fn new(source: &'s mut Source<'a, R>) -> Result<Self, Halt> {
        source.skip_bom()?;
        let reader = Reader::from_reader(source);
        Ok(Self { reader, buffer: Vec::new(), open: Vec::new(), text: String::new(), empty: false })
    }

    /// The next piece and where it begins; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Mark, Piece)>, Halt> {
        loop {
            let source = self.reader.get_mut();
            source.piece();
            let at = source.mark();
            if std::mem::take(&mut self.empty) {
                return Ok(self.close(at));
            }
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| halt(at, &error))?;
            let text = &mut self.text;
            match event {
                Event::Start(start) => return begin(&mut self.open, text, at, &start).map(Some),
                Event::Empty(start) => {
                    self.empty = true;
                    return begin(&mut self.open, text, at, &start).map(Some);
                }
                Event::End(_) => return Ok(self.close(at)),
                Event::Text(more) => add(text, &more),
                Event::CData(more) => add(text, &more),
                Event::GeneralRef(entity) => match (entity.resolve_char_ref(), &*entity) {
                    (Ok(Some(c)), _) => add(text, c.encode_utf8(&mut [0; 4])),
                    (_, "amp") => add(text, "&"),
                    (_, "lt") => add(text, "<"),
                    (_, "gt") => add(text, ">"),
                    (_, "quot") => add(text, "\""),
                    (_, "apos") => add(text, "'"),
                    // Whatever a document type may call so: it is never looked up.
                    (_, other) => {
                        add(text, "&");
                        add(text, other);
                        add(text, ";");
                    }
                },
                Event::Eof => {
                    return match self.open.last() {
                        Some(name) => Err(Halt::broken(at, format!("the file breaks off within <{name}>"))),
                        None => Ok(None),
                    };
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn close(&mut self, at: Mark) -> Option<(Mark, Piece)> {
        let text = std::mem::take(&mut self.text).trim().to_owned();
        self.open.pop().map(|name| (at, Piece::Close { name, text }))
    }
}

fn begin(open: &mut Vec<String>, text: &mut String, at: Mark, start: &BytesStart<'_>) -> Result<(Mark, Piece), Halt> {
    text.clear();
    let name: String = start.local_name().as_ref().to_owned();
    if open.len() >= MOST_DEEP {
        return Err(Halt::broken(at, format!("elements are nested deeper than {MOST_DEEP}")));
    }
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| Halt::broken(at, format!("not XML: {error}")))?;
        let key: &str = attribute.key.as_ref();
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_or_else(|_| attribute.value.to_string(), std::borrow::Cow::into_owned);
        attributes.push((key.rsplit(':').next().unwrap_or(key).to_owned(), value));
    }
    open.push(name.clone());
    Ok((at, Piece::Open { name, attributes }))
}

fn add(text: &mut String, more: &str) {
    if text.len() < MOST_TEXT {
        text.push_str(more);
    }
}

fn halt(at: Mark, error: &Error) -> Halt {
    match error {
        Error::Io(io) => match too_long(io) {
            Some(why) => Halt::broken(at, why),
            None => Halt::Io(std::io::Error::new(io.kind(), io.to_string())),
        },
        other => Halt::broken(at, format!("not XML: {other}")),
    }
}

/// The value of an attribute.
pub(super) fn attribute<'t>(attributes: &'t [(String, String)], name: &str) -> Option<&'t str> {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
