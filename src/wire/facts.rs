//! What a filter may ask about a packet, answered from its row and its bytes.

use std::cell::OnceCell;

use serde_json::Value as Json;

use super::{Dissection, Field as TreeField, Value, dissect_kept, hex};
use crate::model::{
    Fix, PacketRow, Profile,
    filter::{Facts, Field, Path, Told},
};

/// A packet as a filter sees it. It is dissected once, and only where something is asked that its row does not say.
pub struct Seen<'a> {
    pub row: &'a PacketRow,
    pub profile: &'a Profile,
    /// What its device is called, and its identity.
    pub who: &'a [&'a str],
    pub answered: bool,
    /// It came so lately that its answer may still come in time.
    pub awaited: bool,
    /// What the user wrote about it, where he marked or commented it.
    pub marked: bool,
    pub comment: Option<&'a str>,
    /// Whether the list shows a text, which is in lower case, on the line of the packet.
    pub shows: &'a dyn Fn(&str) -> bool,
    dissection: OnceCell<Dissection>,
}

impl<'a> Seen<'a> {
    /// A packet that nobody marked, and whose line shows nothing.
    pub fn new(row: &'a PacketRow, profile: &'a Profile, who: &'a [&'a str]) -> Self {
        Self {
            row,
            profile,
            who,
            answered: false,
            awaited: false,
            marked: false,
            comment: None,
            shows: &|_| false,
            dissection: OnceCell::new(),
        }
    }

    /// What its bytes say.
    pub fn dissection(&self) -> &Dissection {
        self.dissection.get_or_init(|| dissect_kept(self.row, self.profile))
    }

    fn fixes(&self) -> impl Iterator<Item = &Fix> {
        self.dissection().reports.iter().filter_map(|report| report.fix.as_ref())
    }

    fn field(&self, field: Field, see: &mut dyn FnMut(Told<'_>) -> bool) -> bool {
        let row = self.row;
        let mut number = |n: Option<f64>| n.is_some_and(|n| see(Told::Number(n)));
        match field {
            Field::Id => see(Told::Number(whole(row.id.0))),
            Field::Device => self.who.iter().any(|name| see(Told::Text(name))),
            Field::Identity => self.who.last().is_some_and(|name| see(Told::Text(name))),
            Field::Peer => see(Told::Text(&row.peer)),
            Field::Connection => see(Told::Number(whole(row.connection.cast_signed()))),
            Field::Protocol => see(Told::Text(row.protocol.as_str())),
            Field::Direction => see(Told::Text(row.direction.as_str())),
            Field::Type => number(self.dissection().type_number.map(f64::from)),
            Field::Kind => see(Told::Text(&row.kind)),
            Field::Title => see(Told::Text(&self.dissection().title)),
            Field::Serial => number(self.dissection().serial.map(f64::from)),
            Field::Crc => self.dissection().crc.is_some_and(|crc| see(Told::Text(if crc.ok() { "ok" } else { "bad" }))),
            Field::Verdict => see(Told::Verdict(row.verdict)),
            Field::Group => self.dissection().problems.iter().any(|problem| see(Told::Text(problem.group.as_str()))),
            Field::Problem => self.dissection().problems.iter().any(|problem| see(Told::Text(&problem.text))),
            Field::Length => number(u32::try_from(row.bytes.len()).ok().map(f64::from)),
            Field::Time => see(Told::Time(row.received)),
            Field::FixTime => self.fixes().any(|fix| see(Told::Time(fix.at))),
            Field::Latitude => self.fixes().any(|fix| see(Told::Number(fix.place.lat_deg()))),
            Field::Longitude => self.fixes().any(|fix| see(Told::Number(fix.place.lon_deg()))),
            Field::Speed => self.fixes().any(|fix| number(fix.speed_kmh)),
            Field::Course => self.fixes().any(|fix| number(fix.course_deg)),
            Field::Altitude => self.fixes().any(|fix| number(fix.altitude_m)),
            Field::Accuracy => self.fixes().any(|fix| number(fix.accuracy_m)),
            Field::Valid => self.fixes().any(|fix| see(Told::Bool(fix.valid))),
            Field::Event => {
                let events = self.dissection().reports.iter().flat_map(|report| &report.events);
                events.into_iter().any(|event| see(Told::Text(&event.kind)))
            }
            Field::Answered => see(Told::Bool(self.answered)),
            Field::Tap => super::tap_of(row).is_some_and(|name| see(Told::Text(&name))),
            Field::TapDiffers => see(Told::Bool(super::differs(row, self.answered || self.awaited))),
            Field::Marked => see(Told::Bool(self.marked)),
            Field::Comment => self.comment.is_some_and(|comment| see(Told::Text(comment))),
            // A text is asked for by `shows`; all that the bytes say in words is here.
            Field::Text => self.dissection().fields.iter().any(|field| see(Told::Text(&field.text()))),
            Field::Bytes => see(Told::Text(&hex(&row.bytes))),
        }
    }

    fn reading(&self, key: &str, see: &mut dyn FnMut(Told<'_>) -> bool) -> bool {
        let told = self.dissection().reports.iter().filter_map(|report| report.readings.get(key));
        told.into_iter().any(|value| match value {
            Json::Bool(b) => see(Told::Bool(*b)),
            Json::Number(n) => n.as_f64().is_some_and(|n| see(Told::Number(n))),
            Json::String(text) => text.split(',').any(|part| see(Told::Text(part))),
            Json::Null => false,
            other => see(Told::Text(&other.to_string())),
        })
    }

    fn tree(&self, name: &str, see: &mut dyn FnMut(Told<'_>) -> bool) -> bool {
        let fields = self.dissection().fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        fields.into_iter().any(|field| tell(field, see))
    }
}

/// The value of a field of the tree.
fn tell(field: &TreeField, see: &mut dyn FnMut(Told<'_>) -> bool) -> bool {
    match &field.value {
        Value::Raw(bytes) => see(Told::Text(&hex(bytes))),
        Value::Group => see(Told::Text("")),
        Value::Absent => false,
        Value::Bool(b) => see(Told::Bool(*b)),
        Value::Unsigned(n) => see(Told::Number(whole(n.cast_signed()))),
        Value::Signed(n) => see(Told::Number(whole(*n))),
        Value::Scaled { value, .. } | Value::Real(value) => see(Told::Number(*value)),
        Value::Named { code, name } => see(Told::Named(whole(code.cast_signed()), name)),
        Value::Text(text) => see(Told::Text(text)),
        Value::Time(at) => see(Told::Time(*at)),
    }
}

/// An integer as a filter compares it.
#[expect(clippy::cast_precision_loss, reason = "numbers on the wire that are compared are far below 2^53")]
fn whole(n: i64) -> f64 {
    n as f64
}

impl Facts for Seen<'_> {
    fn any(&self, path: &Path, see: &mut dyn FnMut(Told<'_>) -> bool) -> bool {
        match path {
            Path::Field(field) => self.field(*field, see),
            Path::Reading(key) => self.reading(key, see),
            Path::Tree(name) => self.tree(name, see),
        }
    }

    fn shows(&self, text: &str, bytes: Option<&[u8]>) -> bool {
        (self.shows)(text) || bytes.is_some_and(|sought| self.row.bytes.windows(sought.len()).any(|w| w == sought))
    }
}
