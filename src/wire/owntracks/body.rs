//! Reads one HTTP body: nothing, one message, an array of messages, or an encrypted one of these.

use std::{borrow::Cow, ops::Range};

use super::{
    fields,
    findings::Findings,
    message::Message,
    object::Object,
    scan::{Doc, Kind},
    secretbox::{self, Closed, MAC_BYTES, NONCE_BYTES},
};
use crate::{
    model::{Group, Problem, Timestamp},
    wire::{Field, Value},
};

/// What a body says.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) kind: Cow<'static, str>,
    pub(super) title: Cow<'static, str>,
    pub(super) messages: Vec<Message>,
    pub(super) problems: Vec<Problem>,
    /// Empty where they were not asked for.
    pub(super) fields: Vec<Field>,
    /// False for what no app sends: it is answered with 400.
    pub(super) accepted: bool,
    /// It came encrypted and could be read, so its answer must be encrypted, too.
    pub(super) decrypted: bool,
}

/// Whether the fields are wanted; the receiver does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Fields,
    Reports,
}

impl Body {
    /// Reads a body as it came. `secret` opens it where it is encrypted.
    pub(super) fn read(body: &[u8], secret: Option<&str>, received: Timestamp, depth: Depth) -> Self {
        let doc = Doc::scan(body);
        if is_encrypted(&doc) {
            Self::sealed(&doc, secret, received, depth)
        } else {
            Self::plain(&doc, received, depth, 0)
        }
    }

    /// Reads an encrypted message, and what is in it where `secret` opens it.
    fn sealed(doc: &Doc<'_>, secret: Option<&str>, received: Timestamp, depth: Depth) -> Self {
        let mut findings = Findings::default();
        let mut fields = if depth == Depth::Fields { fields::of(doc, 0) } else { Vec::new() };
        let object = Object::at(doc, 0, &mut findings).expect("it was found to be an object with a type");
        let (data, text) = (object.get("data"), object.text("data"));
        let plain = match open(text, secret) {
            Ok(plain) => plain,
            Err(why) => {
                findings.error(Group::Crypto, data.map_or(&object.span, |n| &n.value), why);
                return Self {
                    kind: Cow::Borrowed("encrypted"),
                    title: Cow::Borrowed("Encrypted"),
                    problems: findings.into_problems(),
                    fields,
                    accepted: true,
                    ..Self::default()
                };
            }
        };
        let (data, text) = (data.expect("it was opened just now"), text.unwrap_or_default());
        let base_depth = fields.iter().find(|f| f.span == data.whole && f.depth > 0).map_or(0, |f| f.depth + 1);
        let mut inner = Self::plain(&Doc::scan(&plain), received, depth, base_depth);
        let places = Places::new(doc.body, &data.value, text, plain.len());
        for problem in &mut inner.problems {
            problem.span = places.of(&problem.span);
        }
        for message in &mut inner.messages {
            message.span = places.of(&message.span);
            // Android writes the id outside the box.
            if message.report.message_id.is_none() && inner.kind != "array" {
                message.report.message_id = object.label("_id").map(str::to_owned);
            }
        }
        places.open_up(doc.body, &mut fields, &data.whole, std::mem::take(&mut inner.fields));
        let mut problems = findings.into_problems();
        problems.append(&mut inner.problems);
        Self {
            title: Cow::Owned(format!("{}, encrypted", inner.title)),
            problems,
            fields,
            // Whatever is in it, an app sent it.
            accepted: true,
            decrypted: true,
            ..inner
        }
    }

    /// Reads a body that is not encrypted.
    fn plain(doc: &Doc<'_>, received: Timestamp, depth: Depth, base_depth: u8) -> Self {
        let fields = if depth == Depth::Fields { fields::of(doc, base_depth) } else { Vec::new() };
        if doc.body.is_empty() {
            // Posted when a friend was deleted in the app (owntracks.md §0).
            let (kind, title) = (Cow::Borrowed("empty"), Cow::Borrowed("Empty body"));
            return Self { kind, title, fields, accepted: true, ..Self::default() };
        }
        let mut findings = Findings::default();
        if doc.bom {
            findings.note(Group::Json, &(0..3), "a byte order mark, which JSON does not have");
        }
        if let Some(span) = &doc.mended {
            findings.warn(Group::Json, span, "this text is not UTF-8 and was mended with replacement characters");
        }
        if let Some(span) = &doc.deep {
            findings.warn(Group::Json, span, "nested too deep to be looked into");
        }
        if let Some(error) = doc.error {
            // A text that breaks off is pointed at by what hangs in the air.
            let span = if error.at < doc.body.len() { error.at..error.at + 1 } else { doc.read_to..doc.body.len() };
            let text = format!("not JSON: at byte {} there should be {}", error.at, error.expected);
            findings.error(Group::Json, &span, text);
            let (kind, title) = (Cow::Borrowed("invalid"), Cow::Borrowed("Not JSON"));
            return Self { kind, title, problems: findings.into_problems(), fields, ..Self::default() };
        }
        let is_array = doc.body.get(doc.nodes.first().map_or(0, |n| n.value.start)) == Some(&b'[');
        let body = if is_array {
            Self::array(doc, received, &mut findings)
        } else {
            match Message::read(doc, 0, received, &mut findings) {
                Some(message) => Self {
                    kind: message.kind.clone(),
                    title: message.title.clone(),
                    messages: vec![message],
                    accepted: true,
                    ..Self::default()
                },
                None => Self {
                    kind: Cow::Borrowed("invalid"),
                    title: Cow::Borrowed("Not an OwnTracks message"),
                    ..Self::default()
                },
            }
        };
        Self { problems: findings.into_problems(), fields, ..body }
    }

    fn array(doc: &Doc<'_>, received: Timestamp, findings: &mut Findings) -> Self {
        let elements: Vec<usize> = doc.children(0).map(|(index, _)| index).collect();
        let messages: Vec<Message> =
            elements.iter().filter_map(|&index| Message::read(doc, index, received, findings)).collect();
        Self {
            kind: Cow::Borrowed("array"),
            title: Cow::Owned(match messages.len() {
                1 => "Array of 1 message".to_owned(),
                n => format!("Array of {n} messages"),
            }),
            accepted: elements.is_empty() || !messages.is_empty(),
            messages,
            ..Self::default()
        }
    }
}

/// True for an object whose type, the last one told, is `encrypted`.
fn is_encrypted(doc: &Doc<'_>) -> bool {
    let types = doc.children(0).filter(|(_, n)| n.name.as_deref() == Some("_type"));
    doc.error.is_none() && types.last().is_some_and(|(_, n)| n.kind == Kind::Text(Cow::Borrowed("encrypted")))
}

/// `data` of an encrypted body; `None` for any other.
pub(super) fn sealed_data(body: &[u8]) -> Option<String> {
    let doc = Doc::scan(body);
    if !is_encrypted(&doc) {
        return None;
    }
    Object::at(&doc, 0, &mut Findings::default())?.text("data").map(str::to_owned)
}

/// What is in `data`, or why it cannot be said.
fn open(data: Option<&str>, secret: Option<&str>) -> Result<Vec<u8>, String> {
    let data = data.ok_or("an encrypted message without a string `data`")?;
    let opened = match secret {
        Some(secret) => secretbox::open(secret, data),
        None => secretbox::check(data).and(Err(Closed::NoKey)),
    };
    opened.map_err(|closed| match closed {
        Closed::NoKey => "the message is encrypted and no key is set for it".to_owned(),
        Closed::NotBase64 => "`data` is not base64".to_owned(),
        Closed::TooShort(bytes) => {
            let least = NONCE_BYTES + MAC_BYTES;
            format!("`data` holds {bytes} bytes, but nonce and authenticator alone take {least}")
        }
        Closed::Refused => "the key does not fit, or the message was changed on its way".to_owned(),
    })
}

/// Where the bytes of an opened box stand in the body.
///
/// The cipher is a stream: byte n of the text lies in base64 digit `4 (40 + n) / 3` of `data`, so an opened message can be
/// pointed at like any other.
struct Places {
    /// Offset in the body of every character of `data`, and of its end.
    offsets: Vec<usize>,
    /// Characters of `data` without padding and space.
    digits: usize,
    plain_len: usize,
}

impl Places {
    fn new(body: &[u8], value: &Range<usize>, data: &str, plain_len: usize) -> Self {
        let mut offsets = Vec::with_capacity(data.len() + 1);
        let (mut at, end) = (value.start + 1, value.end.saturating_sub(1));
        while at < end {
            offsets.push(at);
            at += match (body.get(at), body.get(at + 1)) {
                (Some(b'\\'), Some(b'u')) => 6,
                // iOS writes every slash with a backslash.
                (Some(b'\\'), _) => 2,
                _ => 1,
            };
        }
        offsets.push(end);
        Self { offsets, digits: data.trim_end().trim_end_matches('=').len(), plain_len }
    }

    /// Offset of a byte of what base64 spells.
    fn raw(&self, byte: usize) -> usize {
        self.digit((byte * 4 / 3).min(self.digits))
    }

    fn digit(&self, digit: usize) -> usize {
        self.offsets.get(digit).or(self.offsets.last()).copied().unwrap_or(0)
    }

    /// Offset of a byte of the text.
    fn text(&self, byte: usize) -> usize {
        if byte >= self.plain_len { self.digit(self.digits) } else { self.raw(NONCE_BYTES + MAC_BYTES + byte) }
    }

    fn of(&self, span: &Range<usize>) -> Range<usize> {
        self.text(span.start)..self.text(span.end)
    }

    /// Puts the parts of the box and the fields of its text in the place of the field at `whole`.
    fn open_up(&self, body: &[u8], fields: &mut Vec<Field>, whole: &Range<usize>, inner: Vec<Field>) {
        let Some(at) = fields.iter().position(|f| f.span == *whole && f.depth > 0) else { return };
        let group = Field { value: Value::Group, ..fields[at].clone() };
        let depth = group.depth + 1;
        let leaf = |name: &'static str, span: Range<usize>| Field {
            name: Cow::Borrowed(name),
            value: Value::Text(String::from_utf8_lossy(body.get(span.clone()).unwrap_or_default()).trim().to_owned()),
            span,
            depth,
            source: "owntracks.md §4",
            ..group.clone()
        };
        let (start, mac, text, end) = (self.raw(0), self.raw(NONCE_BYTES), self.text(0), self.digit(self.digits));
        let mut parts = vec![
            group.clone(),
            leaf("Open", whole.start..start),
            leaf("Nonce", start..mac),
            leaf("Authenticator", mac..text),
        ];
        parts.extend(inner.into_iter().map(|f| Field { span: self.of(&f.span), ..f }));
        parts.push(leaf("Close", end..whole.end));
        fields.splice(at..=at, parts);
    }
}
