//! Every message that is no `location`: something happened, or a phone told about itself (owntracks.md §2.3).
//!
//! Some of them carry `lat` and `lon`; none becomes a position.

use std::borrow::Cow;

use super::{
    findings::Findings,
    object::{Object, clipped, json_number, number},
    scan::{Doc, Kind},
    time::{Epoch, epoch},
};
use crate::model::{Card, Event, Group, Readings, Report, Timestamp};

/// A list of places longer than this keeps the rest in the packet.
const MOST_WAYPOINTS: usize = 500;
/// The apps ask for 192 pixels; a larger picture than this is for no list.
const MOST_FACE_BYTES: usize = 512 << 10;

/// Reads a message of the known type `kind`.
pub(super) fn report(
    doc: &Doc<'_>,
    object: &Object<'_, '_>,
    kind: &'static str,
    received: Timestamp,
    findings: &mut Findings,
) -> Report {
    let mut report = Report { message_id: object.label("_id").map(str::to_owned), ..Report::default() };
    if let Some(tid) = object.label("tid") {
        report.readings.set("tid", tid);
    }
    let at = moment(object, kind, received, findings);
    let mut attributes = attributes(object, kind);
    match kind {
        "transition" if !matches!(object.text("event"), Some("enter" | "leave")) => {
            findings.warn(Group::Json, &object.span, "`event` is neither \"enter\" nor \"leave\"");
        }
        "waypoints" => {
            let places = waypoints(doc, object, received, findings);
            attributes.set("count", places.len());
            report.events.extend(places.into_iter().take(MOST_WAYPOINTS));
        }
        "steps" => steps(object, &mut report.readings, findings),
        "card" => report.card = Some(card(object, findings)),
        "status" => phone(doc, object, &mut report.readings, findings),
        _ => {}
    }
    report.events.push(Event { at, kind: Cow::Borrowed(kind), attributes });
    report
}

/// When it happened. Only a transition has to say so.
fn moment(object: &Object<'_, '_>, kind: &str, received: Timestamp, findings: &mut Findings) -> Timestamp {
    let Some(node) = object.get("tst").filter(|n| n.kind != Kind::Null) else {
        if kind == "transition" {
            findings.note(Group::Time, &object.span, "no `tst`, so the time of receipt stands in");
        }
        return received;
    };
    match number(node).ok().flatten().map_or(Epoch::Unusable, epoch) {
        Epoch::Seconds(at) => at,
        Epoch::Milliseconds(at) => {
            findings.warn(Group::Time, &node.value, "`tst` is in milliseconds; it should be in seconds");
            at
        }
        Epoch::Unusable => {
            let text = format!("`tst` is {}, no time since 1970, so the time of receipt stands in", object.shown(node));
            findings.warn(Group::Time, &node.value, text);
            received
        }
    }
}

/// Everything that was told, except what may hold a password (`configuration`) and what is a picture.
fn attributes(object: &Object<'_, '_>, kind: &str) -> Readings {
    let mut attributes = Readings::new();
    for (index, name, node) in object.members().take(64) {
        match name {
            // Settings that came as a message of their own.
            _ if kind == "configuration" && is_secret(name) => {}
            "_type" | "_id" | "topic" | "configuration" | "face" | "image" | "waypoints" => {}
            // The protocol's own sample writes the radius of a waypoint as a string.
            "rad" | "tst" | "wtst" | "lat" | "lon" | "acc" | "steps" | "distance" | "rssi" => {
                let told = number(node).ok().flatten().map(json_number).or_else(|| object.json(index));
                set(&mut attributes, name, told);
            }
            _ => set(&mut attributes, name, object.json(index)),
        }
    }
    attributes
}

/// Members of settings that nobody should find in a list of events.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "key", "secret", "pkcs", "auth", "header", "url"].iter().any(|word| name.contains(word))
}

fn set(attributes: &mut Readings, name: &str, value: Option<serde_json::Value>) {
    if let Some(value) = value {
        attributes.set(name.to_owned(), value);
    }
}

/// One event for each place of a list.
fn waypoints(doc: &Doc<'_>, object: &Object<'_, '_>, received: Timestamp, findings: &mut Findings) -> Vec<Event> {
    let list = object.members().find(|(_, name, node)| *name == "waypoints" && node.kind == Kind::Array);
    let Some((index, _, _)) = list else {
        findings.warn(Group::Json, &object.span, "no list of `waypoints`");
        return Vec::new();
    };
    let mut places = Vec::new();
    for (child, node) in doc.children(index) {
        let Some(place) = Object::at(doc, child, findings) else {
            findings.warn(Group::Json, &node.value, "a waypoint is not an object");
            continue;
        };
        let at = moment(&place, "waypoint", received, findings);
        places.push(Event { at, kind: Cow::Borrowed("waypoint"), attributes: attributes(&place, "waypoint") });
    }
    places
}

/// Name and face of the sender. What is no picture is left out.
fn card(object: &Object<'_, '_>, findings: &mut Findings) -> Card {
    let name = object.text("name").map(str::trim).filter(|name| !name.is_empty());
    let name = name.map(|name| clipped(name).into_owned());
    let node = object.get("face");
    let face = object.text("face").map(str::trim).filter(|face| !face.is_empty());
    let fits = face.is_some_and(|face| face.len() <= MOST_FACE_BYTES && is_picture(face));
    if let (Some(node), Some(_), false) = (node, face, fits) {
        findings.warn(
            Group::Range,
            &node.value,
            "`face` is no PNG or JPEG in base64 of a sensible size, and is not shown",
        );
    }
    Card { name, face: face.filter(|_| fits).map(str::to_owned) }
}

/// True for base64 that begins as a PNG or a JPEG does.
fn is_picture(face: &str) -> bool {
    let start: String = face.chars().filter(|c| !c.is_whitespace()).take(12).collect();
    start.starts_with("iVBORw0KGgo") || start.starts_with("/9j/")
}

/// The pedometer; -1 means that there is none.
fn steps(object: &Object<'_, '_>, readings: &mut Readings, findings: &mut Findings) {
    for name in ["steps", "distance"] {
        if let Some(number) = object.number(name, findings).filter(|n| *n >= 0.0) {
            readings.set(name, json_number(number));
        }
    }
}

/// What kind of phone it is.
fn phone(doc: &Doc<'_>, object: &Object<'_, '_>, readings: &mut Readings, findings: &mut Findings) {
    for (index, name, _) in object.members() {
        if !matches!(name, "iOS" | "android") {
            continue;
        }
        let Some(about) = Object::at(doc, index, findings) else { continue };
        if let Some(model) = about.label("deviceModel") {
            readings.set("model", model);
        }
        if let Some(version) = about.label("version") {
            readings.set("versionFw", version);
        }
    }
}
