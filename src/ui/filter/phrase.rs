//! What a cell of the list or a field of the tree is as a filter, and what its menu offers.

use egui::Ui;

use crate::{
    model::{
        PacketId, PacketRow,
        filter::{Path, quoted},
    },
    ui::{Action, Cx, filter::columns::What, panels::dock::columns::Column, summary::Summary},
    wire::{Field, Value},
};

/// Longest piece of a filter that a menu shows, in characters.
const MOST_SHOWN: usize = 40;

/// A cell in words: its filter, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    pub filter: String,
    pub value: String,
}

impl Phrase {
    fn new(filter: impl Into<String>, value: impl Into<String>) -> Self {
        Self { filter: filter.into(), value: value.into() }
    }

    /// A cell of the packet list. `who`: what it shows of the device; `identity`: of its device, where it has one.
    pub fn of_cell(
        column: Column,
        row: &PacketRow,
        summary: &Summary,
        who: &str,
        identity: Option<&str>,
    ) -> Option<Self> {
        Some(match column {
            Column::Time => {
                let at = row.received.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                Self::new(format!("time == {at}"), at)
            }
            Column::Direction => Self::new(format!("dir == {}", row.direction.as_str()), row.direction.as_str()),
            Column::Who => match identity {
                Some(identity) if identity == who => Self::new(format!("identity == {}", quoted(identity)), who),
                Some(_) => Self::new(format!("dev == {}", quoted(who)), who),
                None => Self::new(format!("peer == {}", quoted(&row.peer)), who),
            },
            Column::Protocol => Self::new(format!("proto == {}", row.protocol.as_str()), row.protocol.title()),
            Column::Type if summary.type_text.starts_with("0x") => {
                Self::new(format!("type == {}", summary.type_text), summary.type_text.as_ref())
            }
            Column::Type => Self::new(format!("kind == {}", quoted(&row.kind)), row.kind.as_ref()),
            Column::Serial => {
                let serial = summary.serial?;
                Self::new(format!("serial == {serial}"), serial.to_string())
            }
            Column::Summary => Self::new(format!("kind == {}", quoted(&row.kind)), summary.line()),
            Column::Verdict => Self::new(format!("verdict == {}", row.verdict.as_str()), row.verdict.as_str()),
        })
    }

    /// A field of the tree. `None` where its name cannot be written in brackets.
    pub fn of_field(field: &Field) -> Option<Self> {
        if field.name.contains(']') || field.name.trim().is_empty() {
            return None;
        }
        let path = Path::Tree(field.name.to_string()).written();
        let filter = match &field.value {
            Value::Group => path,
            Value::Absent => format!("!{path}"),
            Value::Raw(bytes) => format!("{path} == {}", quoted(&crate::wire::hex(bytes))),
            Value::Bool(yes) => format!("{path} == {}", if *yes { "yes" } else { "no" }),
            Value::Unsigned(n) => format!("{path} == {n}"),
            Value::Signed(n) => format!("{path} == {n}"),
            Value::Scaled { value, .. } | Value::Real(value) => format!("{path} == {value}"),
            Value::Named { code, .. } => format!("{path} == {code}"),
            Value::Text(text) => format!("{path} == {}", quoted(text)),
            Value::Time(at) => format!("{path} == {}", at.strftime("%Y-%m-%dT%H:%M:%SZ")),
        };
        Some(Self::new(filter, field.text()))
    }

    /// Its lines of a context menu; `of`: the packet that is searched on from, where it is not the selected one.
    pub fn menu(&self, ui: &mut Ui, cx: &mut Cx<'_>, of: Option<PacketId>) {
        let shown: String = self.filter.chars().take(MOST_SHOWN).collect();
        let cut = if shown.len() < self.filter.len() { "…" } else { "" };
        ui.label(crate::ui::widgets::weak(ui, format!("{shown}{cut}")).monospace());
        let narrowed = |filter: String| Action::NarrowPackets(filter);
        let offers = [
            ("Filter by this", Action::FilterPackets(Some(self.filter.clone()))),
            ("Exclude this", narrowed(format!("!({})", self.filter))),
            ("And filter by this", narrowed(self.filter.clone())),
            ("Find next with this", Action::FindPacket { filter: self.filter.clone(), by: 1, from: of }),
            ("Find previous with this", Action::FindPacket { filter: self.filter.clone(), by: -1, from: of }),
            ("Copy value", Action::Copy(self.value.clone(), "the value")),
            ("Copy as filter", Action::Copy(self.filter.clone(), "the filter")),
        ];
        for (text, action) in offers {
            if ui.button(text).clicked() {
                cx.ask(action);
                ui.close();
            }
        }
    }
}

impl Phrase {
    /// A cell of any column; `value`: what it shows, where it is no usual one.
    pub fn of_column(what: &What, row: &PacketRow, value: &str) -> Option<Self> {
        let number = !value.is_empty() && value.parse::<f64>().is_ok();
        let written = if number || matches!(value, "yes" | "no") { value.to_owned() } else { quoted(value) };
        Some(match what {
            What::Usual(_) | What::Delta | What::Since => return None,
            What::Peer => Self::new(format!("peer == {}", quoted(&row.peer)), row.peer.as_ref()),
            What::Connection => Self::new(format!("conn == {}", row.connection), row.connection.to_string()),
            What::Kind => Self::new(format!("kind == {}", quoted(&row.kind)), row.kind.as_ref()),
            What::Length => Self::new(format!("len == {}", row.bytes.len()), row.bytes.len().to_string()),
            What::Field(name) if value.is_empty() => Self::new(format!("!{name}"), ""),
            What::Field(name) => Self::new(format!("{name} == {written}"), value),
        })
    }
}

/// A filter and a further condition.
pub fn narrowed(text: &str, by: &str) -> String {
    let text = text.trim();
    let alternatives = text.contains("||") || text.split_whitespace().any(|word| word.eq_ignore_ascii_case("or"));
    match (text.is_empty(), alternatives) {
        (true, _) => by.to_owned(),
        (false, true) => format!("({text}) && {by}"),
        (false, false) => format!("{text} && {by}"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        model::{
            PacketId, Profile, Verdict,
            filter::{Filter, Ground},
        },
        ui::{summary::summarize, view::Units},
        wire::{Seen, dissect_kept},
    };

    fn row() -> PacketRow {
        let hex = "787825260f0c1d030b26c9027ac8180c4658600004000901cc00287d001f718004041302000c472a0d0a";
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).filter_map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect();
        PacketRow {
            id: PacketId(1),
            received: "2026-11-21T14:02:31.250Z".parse().unwrap(),
            protocol: crate::model::Protocol::Gt06,
            direction: crate::model::Direction::In,
            peer: "10.0.0.9:4711".into(),
            connection: 1,
            device: None,
            kind: "alarm".into(),
            verdict: Verdict::Note,
            bytes: bytes.into(),
            context: None,
            answers: None,
        }
    }

    #[test]
    fn what_a_cell_or_field_says_is_a_filter_that_admits_its_packet() {
        let (row, profile) = (row(), Profile::default());
        let ground = Ground { now: row.received, zone: TimeZone::UTC };
        let admits = |phrase: &Phrase| {
            let filter = Filter::parse(&phrase.filter, &ground).unwrap_or_else(|e| panic!("{phrase:?}: {e:?}"));
            filter.admits(&Seen::new(&row, &profile, &["Van \"7\"", "123"]), ground.now)
        };
        let summary = summarize(&row, &profile, Units::Metric, None);
        for column in Column::ALL {
            let named = Phrase::of_cell(column, &row, &summary, "Van \"7\"", Some("123")).unwrap();
            assert!(admits(&named), "{named:?}");
            let nobody = Phrase::of_cell(column, &row, &summary, &row.peer, None).unwrap();
            assert!(admits(&nobody), "{nobody:?}");
        }
        for field in &dissect_kept(&row, &profile).fields {
            let phrase = Phrase::of_field(field).unwrap();
            assert!(admits(&phrase), "{phrase:?} of {field:?}");
        }
    }

    #[test]
    fn alternatives_are_put_in_parentheses() {
        assert_eq!(narrowed(" ", "dir == in"), "dir == in");
        assert_eq!(narrowed("van", "dir == in"), "van && dir == in");
        assert_eq!(narrowed("van or jane", "dir == in"), "(van or jane) && dir == in");
    }
}
