//! JSON in captures: our own lines (`{"time":…,"direction":…,"protocol":…,"hex":…}`), and arrays of bodies.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    model::{Direction, Protocol, Timestamp},
    wire::dress::Complaint,
};

/// A packet as our own JSON lines have it; other members are passed over.
#[derive(Debug, Deserialize)]
pub(super) struct Own<'a> {
    #[serde(borrow, alias = "received")]
    time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    direction: Option<Cow<'a, str>>,
    #[serde(borrow)]
    peer: Option<Cow<'a, str>>,
    #[serde(borrow)]
    connection: Option<&'a RawValue>,
    #[serde(borrow)]
    protocol: Option<Cow<'a, str>>,
    #[serde(borrow)]
    hex: Cow<'a, str>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow, rename = "_type")]
    kind: Option<&'a RawValue>,
}

/// True for one of our own lines.
pub fn own_line(line: &[u8]) -> bool {
    own(line).is_some()
}

pub(super) fn own(object: &[u8]) -> Option<Own<'_>> {
    if object.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice::<Own<'_>>(object).ok().filter(|own| own.kind.is_none())
}

impl Own<'_> {
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.time.as_deref()?.parse().ok()
    }

    pub(super) fn direction(&self) -> Direction {
        match self.direction.as_deref() {
            Some("out") => Direction::Out,
            _ => Direction::In,
        }
    }

    pub(super) fn peer(&self) -> &str {
        self.peer.as_deref().unwrap_or_default()
    }

    /// What tells its connection from others.
    pub(super) fn connection(&self) -> String {
        let number: String = self.connection.map(RawValue::get).unwrap_or_default().chars().take(64).collect();
        format!("{number} {}", self.peer().chars().take(128).collect::<String>())
    }

    pub(super) fn protocol(&self, bytes: &[u8]) -> Protocol {
        let named = self.protocol.as_deref().and_then(Protocol::parse);
        let json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        named.unwrap_or(if json { Protocol::OwnTracks } else { Protocol::Gt06 })
    }

    /// The bytes, or what is wrong with their digits.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Complaint> {
        let digits: Vec<u8> = self.hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let wrong = |text: &str| Complaint { column: 1, text: text.to_owned() };
        if digits.len() % 2 == 1 {
            return Err(wrong("the \"hex\" of this object has an odd number of digits"));
        }
        let nibble = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let pair = |pair: &[u8]| Some(nibble(*pair.first()?)? << 4 | nibble(*pair.get(1)?)?);
        digits.chunks(2).map(pair).collect::<Option<_>>().ok_or_else(|| wrong("the \"hex\" of this object is none"))
    }

    /// What the request told beside its body.
    pub(super) fn context(&self) -> Option<String> {
        let text = self.context?.get();
        match serde_json::from_str::<Cow<'_, str>>(text) {
            // As the store has it: an object in a text.
            Ok(object) => Some(object.into_owned()).filter(|object| object.starts_with('{')),
            Err(_) => text.starts_with('{').then(|| text.to_owned()),
        }
    }
}

/// The objects of an array, where it holds nothing else.
pub(super) fn array(text: &[u8]) -> Option<Vec<&RawValue>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.trim_ascii_start().first() != Some(&b'[') {
        return None;
    }
    let values = serde_json::from_slice::<Vec<&RawValue>>(text).ok()?;
    (!values.is_empty() && values.iter().all(|value| value.get().starts_with('{'))).then_some(values)
}
