//! What a filter may ask about: the one table of fields.

use crate::model::reading;

/// What kind of value a field has, and so what it may be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// In this unit, empty where it has none.
    Number(&'static str),
    Bool,
    Time,
    Verdict,
    /// A reading or a field of the tree: it is compared as what it is compared with.
    Any,
}

/// A field that every packet may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Id,
    Device,
    Identity,
    Peer,
    Connection,
    Protocol,
    Direction,
    Type,
    Kind,
    Title,
    Serial,
    Crc,
    Verdict,
    Group,
    Problem,
    Length,
    Time,
    FixTime,
    Latitude,
    Longitude,
    Speed,
    Course,
    Altitude,
    Accuracy,
    Valid,
    Event,
    Answered,
    Tap,
    TapDiffers,
    Marked,
    Comment,
    Text,
    Bytes,
}

/// What a field means, and how it is asked about.
#[derive(Debug, Clone, Copy)]
pub struct FieldAbout {
    pub field: Field,
    /// As it is written; the first is offered, the others are understood.
    pub names: &'static [&'static str],
    pub kind: Kind,
    pub says: &'static str,
    pub example: &'static str,
}

const fn row(
    field: Field,
    names: &'static [&'static str],
    kind: Kind,
    says: &'static str,
    example: &'static str,
) -> FieldAbout {
    FieldAbout { field, names, kind, says, example }
}

const PROTOCOLS: Kind = Kind::Word(&["gt06", "owntracks"]);
const DIRECTIONS: Kind = Kind::Word(&["in", "out"]);
const CRCS: Kind = Kind::Word(&["ok", "bad"]);
const GROUPS: Kind =
    Kind::Word(&["framing", "length", "checksum", "sequence", "time", "range", "undecoded", "auth", "json", "crypto"]);

/// Every field.
pub const FIELDS: &[FieldAbout] = &[
    row(Field::Device, &["dev", "device"], Kind::Text, "Name or identity of the device", "dev == \"Van 7\""),
    row(Field::Identity, &["identity", "imei"], Kind::Text, "IMEI, or user/device", "identity contains 0123"),
    row(Field::Peer, &["peer", "from"], Kind::Text, "Address and port of the far end", "peer contains 10.0.0.9"),
    row(Field::Connection, &["conn", "connection"], Kind::Number(""), "Number of the connection", "conn == 12"),
    row(Field::Protocol, &["proto", "protocol"], PROTOCOLS, "Protocol", "proto == gt06"),
    row(Field::Direction, &["dir", "direction"], DIRECTIONS, "in: from the device; out: from us", "dir == out"),
    row(Field::Type, &["type"], Kind::Number(""), "The number that names the kind on the wire", "type == 0x12"),
    row(Field::Kind, &["kind"], Kind::Text, "Short word for the kind of message", "kind == login"),
    row(Field::Title, &["title"], Kind::Text, "The kind for a person", "title contains position"),
    row(Field::Serial, &["serial"], Kind::Number(""), "Serial number of the frame", "serial in 100..120"),
    row(Field::Crc, &["crc"], CRCS, "Whether the checksum is right", "crc == bad"),
    row(Field::Verdict, &["verdict"], Kind::Verdict, "The worst doubt about it", "verdict >= warn"),
    row(Field::Group, &["group"], GROUPS, "What a doubt is about", "group == checksum"),
    row(Field::Problem, &["problem"], Kind::Text, "A doubt in words", "problem contains \"no key\""),
    row(Field::Length, &["len", "length"], Kind::Number("bytes"), "Bytes", "len > 40"),
    row(Field::Time, &["time", "received"], Kind::Time, "When it came", "time in 5m"),
    row(Field::FixTime, &["fixtime"], Kind::Time, "When the position was measured", "fixtime < 2026-11-21"),
    row(Field::Latitude, &["lat", "latitude"], Kind::Number("°"), "Latitude", "lat in 51.0..51.2"),
    row(Field::Longitude, &["lon", "longitude"], Kind::Number("°"), "Longitude", "lon > 4.3"),
    row(Field::Speed, &["speed"], Kind::Number("km/h"), "Speed", "speed > 90"),
    row(Field::Course, &["course"], Kind::Number("°"), "Course, clockwise from north", "course < 180"),
    row(Field::Altitude, &["alt", "altitude"], Kind::Number("m"), "Altitude", "alt > 100"),
    row(Field::Accuracy, &["acc", "accuracy"], Kind::Number("m"), "Radius within which it is", "acc > 50"),
    row(Field::Valid, &["valid"], Kind::Bool, "The position is by satellite and now", "valid == no"),
    row(Field::Event, &["events"], Kind::Text, "Events that it told", "events == geofenceEnter"),
    row(Field::Answered, &["answered"], Kind::Bool, "An answer came, soon after it", "!answered && dir == in"),
    row(Field::Tap, &["tap"], Kind::Text, "The tap that it came through", "tap == vendor"),
    row(
        Field::TapDiffers,
        &["tap.differs", "differs"],
        Kind::Bool,
        "The other server answers otherwise than we do, or not within 2 s",
        "tap.differs",
    ),
    row(Field::Marked, &["marked", "mark"], Kind::Bool, "You marked it", "marked"),
    row(Field::Comment, &["comment"], Kind::Text, "What you wrote about it", "comment contains why"),
    row(Field::Text, &["text"], Kind::Text, "Anything that the row shows", "text contains relay"),
    row(Field::Bytes, &["bytes", "hex"], Kind::Text, "Its bytes in hex", "bytes contains 7878"),
    row(Field::Id, &["id"], Kind::Number(""), "Number of the packet", "id > 1000"),
];

impl Field {
    /// Its row.
    pub fn about(self) -> &'static FieldAbout {
        FIELDS.iter().find(|about| about.field == self).unwrap_or(&FIELDS[0])
    }
}

/// What a test asks about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Path {
    Field(Field),
    /// A reading by its name (contract.md §2).
    Reading(String),
    /// A field of the tree by its name.
    Tree(String),
}

impl Path {
    /// The field or reading of a word; `None` where there is none of this name.
    pub fn of(word: &str) -> Option<Self> {
        let lower = word.to_lowercase();
        if let Some(about) = FIELDS.iter().find(|about| about.names.contains(&lower.as_str())) {
            return Some(Self::Field(about.field));
        }
        if let Some(about) = reading::TABLE.iter().find(|about| about.key.eq_ignore_ascii_case(word)) {
            return Some(Self::Reading(about.key.to_owned()));
        }
        // Numbered readings: temp1, adc2, io17.
        let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = &lower[stem.len()..];
        let about = reading::TABLE.iter().find(|about| about.key.eq_ignore_ascii_case(stem))?;
        (!number.is_empty()).then(|| Self::Reading(format!("{}{number}", about.key)))
    }

    /// What kind of value it has.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Field(field) => field.about().kind,
            Self::Reading(_) | Self::Tree(_) => Kind::Any,
        }
    }

    /// As a filter writes it.
    pub fn written(&self) -> String {
        match self {
            Self::Field(field) => field.about().names.first().copied().unwrap_or_default().to_owned(),
            Self::Reading(key) => key.clone(),
            Self::Tree(name) => format!("[{name}]"),
        }
    }
}
