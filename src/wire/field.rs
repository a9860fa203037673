//! What reading a packet leaves behind: its fields in pre-order, each with the bytes it came from.

use std::{borrow::Cow, ops::Range};

use crate::model::{Problem, Report, Timestamp, Verdict};

/// One named part of a packet. Depth says what it is part of: a field is a leaf when the next one is not deeper.
///
/// Leaves tile the packet: no byte without a name, none with two. Leaves with `bits` that share a word count as one cover of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: Cow<'static, str>,
    /// Offsets into the packet.
    pub span: Range<usize>,
    /// First and last bit, both inclusive, bit 0 the least significant of the span as a big-endian word.
    pub bits: Option<(u8, u8)>,
    pub depth: u8,
    pub value: Value,
    /// Unit of the value for a person, empty where it has none.
    pub unit: &'static str,
    /// Where the meaning is documented (`gt06.md §3.2`), empty where the name says it all.
    pub source: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Bytes that are shown as they are: start, stop, padding, undecoded.
    Raw(Vec<u8>),
    /// A group of the fields below it.
    Group,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    /// A number that was computed from an integer on the wire: `raw / divisor`.
    Scaled {
        raw: i64,
        divisor: f64,
        value: f64,
    },
    Real(f64),
    /// A code with the name that the reference gives it.
    Named {
        code: u64,
        name: Cow<'static, str>,
    },
    Text(String),
    Time(Timestamp),
    /// A value that was not told (a zero date, JSON null).
    Absent,
}

/// The checksum of a packet: what it carries and what its bytes give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrcCheck {
    pub received: u16,
    pub computed: u16,
}

impl CrcCheck {
    /// True where both agree.
    pub fn ok(self) -> bool {
        self.received == self.computed
    }
}

/// Everything one packet says: to the inspector, to `decode --json` and to the store alike.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dissection {
    /// Short word for the kind of message; of the kinds only `login` and `noise` are promised.
    pub kind: Cow<'static, str>,
    /// The number that names the kind on the wire, where the protocol has one.
    pub type_number: Option<u8>,
    /// The kind for a person: `Login`, `Position`, `Alarm`.
    pub title: Cow<'static, str>,
    pub serial: Option<u16>,
    /// `None` where the protocol or dialect has no checksum.
    pub crc: Option<CrcCheck>,
    /// The identity that the bytes themselves carry.
    pub device: Option<String>,
    /// One report each device and moment that the packet tells of.
    pub reports: Vec<Report>,
    pub problems: Vec<Problem>,
    /// Pre-order, leaves tile the packet.
    pub fields: Vec<Field>,
    /// What a live session would answer.
    pub reply: Option<Vec<u8>>,
}

impl Dissection {
    /// The worst of the problems.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.problems)
    }

    /// The deepest field that holds this byte.
    pub fn field_at(&self, offset: usize) -> Option<usize> {
        let holds = |f: &Field| f.span.contains(&offset);
        (0..self.fields.len()).filter(|&i| holds(&self.fields[i])).max_by_key(|&i| self.fields[i].depth)
    }
}

impl Field {
    /// The value as JSON (`decode --json`, contract.md §2): numbers as numbers, raw bytes as hex digits, times as RFC 3339.
    pub fn value_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Raw(bytes) => Json::String(hex(bytes)),
            Value::Group | Value::Absent => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Unsigned(n) => Json::from(*n),
            Value::Signed(n) => Json::from(*n),
            Value::Scaled { value, .. } | Value::Real(value) => Json::from(*value),
            Value::Named { code, .. } => Json::from(*code),
            Value::Text(text) => Json::String(text.clone()),
            Value::Time(at) => Json::String(at.to_string()),
        }
    }

    /// The value for a person, with its unit.
    pub fn text(&self) -> String {
        let plain = match &self.value {
            Value::Raw(bytes) => return format!("0x{}", hex(bytes)),
            Value::Group => return String::new(),
            Value::Absent => return "not told".to_owned(),
            Value::Bool(true) => return "yes".to_owned(),
            Value::Bool(false) => return "no".to_owned(),
            Value::Named { code, name } if name.is_empty() => format!("0x{code:02x}"),
            Value::Named { code, name } => return format!("{name} (0x{code:02x})"),
            Value::Text(text) => text.clone(),
            Value::Time(at) => at.to_string(),
            Value::Unsigned(n) => n.to_string(),
            Value::Signed(n) => n.to_string(),
            Value::Real(x) => x.to_string(),
            Value::Scaled { value, divisor, .. } => {
                // As many places as one step on the wire is worth.
                let places = std::iter::successors(Some(1.0), |step| Some(step * 10.0))
                    .take_while(|step| step < divisor)
                    .count();
                format!("{value:.places$}")
            }
        };
        match self.unit {
            "" => plain,
            "°" => plain + "°",
            unit => format!("{plain} {unit}"),
        }
    }
}

/// Lower-case hex digits without spaces.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        write!(out, "{b:02x}").expect("writing to a String cannot fail");
        out
    })
}
