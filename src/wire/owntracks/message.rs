//! What kind of message an object is, and what it tells.

use std::{borrow::Cow, ops::Range};

use super::{
    event,
    findings::Findings,
    location,
    object::{Object, clipped},
    scan::{Doc, Kind},
};
use crate::model::{Group, Report, Timestamp};

/// One message of a body.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: Cow<'static, str>,
    pub(super) title: Cow<'static, str>,
    pub(super) topic: Option<String>,
    pub(super) tid: Option<String>,
    pub(super) report: Report,
    pub(super) span: Range<usize>,
}

/// The types that apps send or receive (owntracks.md §2), with what they are to a person.
const KNOWN: [(&str, &str); 13] = [
    ("location", "Position"),
    ("transition", "Region"),
    ("waypoint", "Place"),
    ("waypoints", "Places"),
    ("card", "Card"),
    ("cmd", "Command"),
    ("configuration", "Settings"),
    ("dump", "Dump of settings"),
    ("status", "Phone status"),
    ("steps", "Steps"),
    ("beacon", "Beacon"),
    ("request", "Request"),
    ("lwt", "Last will"),
];

impl Message {
    /// Reads the object at `index`; `None` where it has no `_type`, which no app sends.
    pub(super) fn read(doc: &Doc<'_>, index: usize, received: Timestamp, findings: &mut Findings) -> Option<Self> {
        let Some(object) = Object::at(doc, index, findings) else {
            if let Some(node) = doc.nodes.get(index) {
                let what = match node.kind {
                    Kind::Array | Kind::Deep => "an array",
                    Kind::Text(_) => "a string",
                    Kind::Number(_) => "a number",
                    Kind::Bool(_) => "a truth value",
                    Kind::Null => "null",
                    Kind::Object => "an object",
                };
                findings.error(Group::Json, &node.value, format!("a message is an object, but this is {what}"));
            }
            return None;
        };
        let Some(written) = object.text("_type") else {
            let text = match object.get("_type") {
                Some(node) => format!("`_type` is {}, but it is a string in every message", object.shown(node)),
                None => "no `_type`, which every message has".to_owned(),
            };
            findings.error(Group::Json, &object.span, text);
            return None;
        };
        object.expect_label("topic", findings);
        let message = |kind: Cow<'static, str>, title: Cow<'static, str>, report| Self {
            kind,
            title,
            topic: object.label("topic").map(str::to_owned),
            tid: object.label("tid").map(str::to_owned),
            report,
            span: object.span.clone(),
        };
        let Some((kind, title)) = KNOWN.into_iter().find(|(kind, _)| *kind == written) else {
            let span = object.get("_type").map_or(object.span.clone(), |n| n.value.clone());
            let text = if written == "encrypted" {
                findings.error(Group::Crypto, &span, "an encrypted message inside another one stays closed");
                "Encrypted message inside another one".to_owned()
            } else {
                let text = format!("`_type` is \"{}\", which no app sends; it is kept as it came", clipped(written));
                findings.warn(Group::Undecoded, &span, text);
                format!("Unknown message \"{}\"", clipped(written))
            };
            return Some(message(Cow::Borrowed("unknown"), Cow::Owned(text), Report::default()));
        };
        let report = match kind {
            "location" => location::report(&object, received, findings),
            _ => event::report(doc, &object, kind, received, findings),
        };
        let title = match (kind, object.text("event"), object.text("desc")) {
            ("transition", Some("enter"), Some(desc)) => Cow::Owned(format!("Entered {}", clipped(desc))),
            ("transition", Some("leave"), Some(desc)) => Cow::Owned(format!("Left {}", clipped(desc))),
            _ => Cow::Borrowed(title),
        };
        Some(message(Cow::Borrowed(kind), title, report))
    }
}
