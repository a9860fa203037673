//! Why a frame was read by this layout, which others there are for its type, and what they would read: they are asked, by reading it so.

use super::{
    decode::{self, Setting},
    encode::Start,
    family::{Family, KNOWN_MODELS},
    layout::{self, Row},
    state::{Dialect, State},
};
use crate::{
    model::{Profile, Severity, Timestamp},
    wire::{Dissection, Field, diff},
};

/// Why a frame is read as it is, and how else it could be.
#[derive(Debug, Clone, PartialEq)]
pub struct Variants {
    /// What the layout is called.
    pub chosen: &'static str,
    /// Why it is this one, in a sentence.
    pub why: String,
    /// The other layouts of the type.
    pub others: Vec<Other>,
    /// What models that the profile does not name would make of it; only those that change something, grouped by what they change.
    pub models: Vec<AsModel>,
}

/// Another layout of the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    pub title: &'static str,
    /// For which start and length it is, in words.
    pub condition: String,
    /// It is for this length, too. Others are not tried.
    pub fits: bool,
    /// What it would read otherwise.
    pub changes: Vec<Change>,
    /// Warnings and errors that it would have.
    pub problems: usize,
}

/// Models that would read the frame alike, and not as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct AsModel {
    pub models: Vec<&'static str>,
    pub changes: Vec<Change>,
}

/// A field that would be another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub name: String,
    /// What it is as the frame is read now; `None`: there is no such field.
    pub now: Option<String>,
    /// What it would be.
    pub then: Option<String>,
}

impl Change {
    /// `Alarm: Normal (0x00), would be Removal (0x13)`.
    pub fn sentence(&self) -> String {
        let Self { name, now, then } = self;
        let value = |text: &str| if text.is_empty() { String::new() } else { format!(": {text}") };
        match (now, then) {
            (Some(now), Some(then)) => format!("{name}: {now}, would be {then}"),
            (Some(now), None) => format!("{name} would not be there{}", value(now)),
            (None, Some(then)) => format!("{name} would be there{}", value(then)),
            (None, None) => name.clone(),
        }
    }
}

/// Explains the choice. `None` for what is no frame with a checksum: there is no choice then.
pub fn variants(bytes: &[u8], profile: &Profile, state: &State, received: Timestamp) -> Option<Variants> {
    let setting = Setting { profile, state, received, addresses: None };
    if state.dialect() == Dialect::Topin {
        return None;
    }
    let (start, kind, length, row) = decode::row_of(bytes, setting)?;
    let now = decode::decode(bytes, setting).dissection;
    let rows = layout::rows(kind);
    let others = rows.iter().filter(|other| !std::ptr::eq(*other, row)).map(|other| {
        let fits = other.is_for(length);
        let then = fits.then(|| decode::decode_as(bytes, setting, other));
        Other {
            title: other.title,
            condition: condition(other),
            fits,
            changes: then.as_ref().map_or_else(Vec::new, |then| changes(&now, then)),
            problems: then.map_or(0, |then| then.problems.iter().filter(|p| p.severity > Severity::Note).count()),
        }
    });
    let others = others.collect();
    Some(Variants {
        chosen: row.title,
        why: why(start, kind, length, row, profile),
        others,
        models: models(bytes, setting, &now),
    })
}

/// What a frame says as another model.
pub fn decode_as_model(
    bytes: &[u8],
    model: Option<&str>,
    profile: &Profile,
    state: &State,
    received: Timestamp,
) -> Dissection {
    let profile = Profile { model: model.map(str::to_owned), ..profile.clone() };
    super::dissect_in(bytes, &profile, state, received)
}

/// What a frame says by the layout of this title: another one of its type where there is, else whichever is called so. Bytes that are no
/// frame with a checksum are read as they are else.
pub fn decode_as_layout(
    bytes: &[u8],
    title: &str,
    profile: &Profile,
    state: &State,
    received: Timestamp,
) -> Dissection {
    let setting = Setting { profile, state, received, addresses: None };
    let chosen = decode::row_of(bytes, setting);
    let is = |row: &&'static Row| row.title == title;
    let own = chosen.and_then(|(_, kind, length, now)| {
        let others = || layout::rows(kind).iter().filter(is).filter(|row| !std::ptr::eq(*row, now));
        others().find(|row| row.is_for(length)).or_else(|| others().next())
    });
    match own.or_else(|| layout::all().iter().find(is)) {
        Some(row) => decode::decode_as(bytes, setting, row),
        None => decode::decode(bytes, setting).dissection,
    }
}

/// The titles of all layouts; some are there more than once.
pub fn titles() -> impl Iterator<Item = &'static str> {
    layout::all().iter().map(|row| row.title)
}

/// The layouts that a frame could be read by instead, as far as they are for its length.
pub fn other_layouts(bytes: &[u8], profile: &Profile, state: &State, received: Timestamp) -> Vec<&'static str> {
    let setting = Setting { profile, state, received, addresses: None };
    let Some((_, kind, length, now)) = decode::row_of(bytes, setting) else { return Vec::new() };
    let others = layout::rows(kind).iter().filter(|row| !std::ptr::eq(*row, now) && row.is_for(length));
    others.map(|row| row.title).collect()
}

/// The fields that another reading gives otherwise.
pub fn changes(now: &Dissection, then: &Dissection) -> Vec<Change> {
    let text = |fields: &[Field], at: Option<usize>| at.and_then(|n| fields.get(n)).map(Field::text);
    let name = |pair: &diff::Pair| {
        let field = pair.left.and_then(|n| now.fields.get(n)).or_else(|| pair.right.and_then(|n| then.fields.get(n)));
        field.map_or_else(String::new, |field| field.name.to_string())
    };
    let pairs = diff::align(&now.fields, &then.fields);
    let differing = pairs.iter().filter(|pair| pair.differs);
    differing
        .map(|pair| Change {
            name: name(pair),
            now: text(&now.fields, pair.left),
            then: text(&then.fields, pair.right),
        })
        .collect()
}

fn models(bytes: &[u8], setting: Setting<'_>, now: &Dissection) -> Vec<AsModel> {
    let mut found: Vec<AsModel> = Vec::new();
    for model in KNOWN_MODELS {
        let then = decode_as_model(bytes, Some(model), setting.profile, setting.state, setting.received);
        let changes = changes(now, &then);
        if changes.is_empty() {
            continue;
        }
        match found.iter_mut().find(|known| known.changes == changes) {
            Some(known) => known.models.push(model),
            None => found.push(AsModel { models: vec![model], changes }),
        }
    }
    found
}

fn why(start: Start, kind: u8, length: usize, row: &Row, profile: &Profile) -> String {
    let begins = match start {
        Start::Short => "78 78",
        Start::Long => "79 79",
    };
    let head = format!("It begins with {begins}, its type is 0x{kind:02x} and its length {length}");
    let n = layout::rows(kind).len();
    let choice = match n {
        0 => "no layout is known for this type".to_owned(),
        1 => "there is one layout for this type".to_owned(),
        _ => format!("of the {n} layouts of this type the first that fits counts: this one is for {}", condition(row)),
    };
    let model = match (profile.model.as_deref(), Family::of(profile)) {
        (None, _) => "The profile names no model, so the documents' own reading counts".to_owned(),
        (Some(model), Family::Standard) => {
            format!("The profile names {model}, whose frames are read as the documents have it")
        }
        (Some(model), _) => format!("The profile names {model}, which is read in its own way where it differs"),
    };
    format!("{head}; {choice}. {model}.")
}

/// For which start and length a row is.
fn condition(row: &Row) -> String {
    let length = match row.lengths() {
        layout::Length::Any => "any length".to_owned(),
        layout::Length::AtLeast(least) => format!("length {least} or more"),
        layout::Length::Is(lengths) => {
            let numbers: Vec<String> = lengths.iter().map(usize::to_string).collect();
            format!("length {}", numbers.join(", "))
        }
    };
    match row.starts_with() {
        None => length,
        Some(Start::Short) => format!("78 78, {length}"),
        Some(Start::Long) => format!("79 79, {length}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::gt06::encode;

    fn explain(bytes: &[u8], model: Option<&str>) -> Option<Variants> {
        let profile = Profile { model: model.map(str::to_owned), ..Profile::default() };
        variants(bytes, &profile, &State::default(), Timestamp::UNIX_EPOCH)
    }

    /// A frame of a type with so many bytes that count up.
    fn frame_of(kind: u8, body: usize) -> Vec<u8> {
        let body: Vec<u8> = (1..=body).map(|n| u8::try_from(n % 12 + 1).unwrap()).collect();
        encode::seal(Start::Short, kind, &body, 7)
    }

    #[test]
    fn a_choice_is_said_with_what_else_there_is() {
        // type, bytes of the body, layout, others that fit, others that do not
        let cases: &[(u8, usize, &str, &[&str], usize)] = &[
            (0x12, 0x23 - 5, "Position with mileage", &["Position"], 6),
            (0x12, 0x1F - 5, "Position", &[], 7),
            (0x13, 0x13 - 5, "Heartbeat (OBD6)", &["Heartbeat"], 2),
            (0x13, 5, "Heartbeat", &[], 3),
            (0x17, 0x28 - 5, "Position with card", &["Address"], 1),
            (0x1A, 30, "Address query", &[], 0),
        ];
        for (kind, body, chosen, fitting, rest) in cases {
            let told = explain(&frame_of(*kind, *body), None).unwrap();
            let fits: Vec<&str> = told.others.iter().filter(|other| other.fits).map(|other| other.title).collect();
            let others = told.others.iter().filter(|other| !other.fits).count();
            assert_eq!((told.chosen, fits.as_slice(), others), (*chosen, *fitting, *rest), "0x{kind:02x}: {told:#?}");
            assert!(told.why.contains(&format!("0x{kind:02x}")), "{}", told.why);
        }
    }

    #[test]
    fn another_layout_says_what_it_would_read() {
        let told = explain(&frame_of(0x17, 0x28 - 5), None).unwrap();
        let address = told.others.iter().find(|other| other.title == "Address").unwrap();
        assert!(!address.changes.is_empty(), "{told:#?}");
        let not_tried = told.others.iter().find(|other| !other.fits).unwrap();
        assert!(not_tried.changes.is_empty() && not_tried.condition.contains("39"), "{not_tried:?}");
    }

    #[test]
    fn models_that_read_otherwise_are_named() {
        let heartbeat = frame_of(0x13, 7);
        let told = explain(&heartbeat, None).unwrap();
        let all: Vec<&str> = told.models.iter().flat_map(|as_model| as_model.models.clone()).collect();
        assert!(all.contains(&"R11") || all.contains(&"LW2G"), "{told:#?}");
        assert!(told.models.iter().all(|as_model| as_model.changes.iter().all(|c| c.now != c.then)));
        let its_own = explain(&heartbeat, Some("R11")).unwrap();
        let named = its_own.models.iter().any(|as_model| as_model.models.contains(&"R11"));
        assert!(!named && its_own.why.contains("R11"), "{its_own:#?}");
    }

    #[test]
    fn noise_has_no_choice() {
        for bytes in [&b""[..], b"GET / HTTP/1.1", &[0x78, 0x78]] {
            assert_eq!(explain(bytes, None), None);
        }
    }
}
