//! The columns that the list of packets may have.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{model::filter::Path, ui::panels::dock::columns::Column};

/// Columns at most.
const MOST: usize = 24;
/// Widths that a person may give a column, in points.
pub const WIDTHS: std::ops::RangeInclusive<f32> = 24.0..=600.0;

/// How the moment of a packet is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TimeKind {
    /// The time of day.
    #[default]
    Clock,
    /// Since the row above.
    Delta,
    /// Since the reference: the last marked packet before it.
    Since,
}

impl TimeKind {
    /// In the order in which they are gone through.
    pub const ALL: [Self; 3] = [Self::Clock, Self::Delta, Self::Since];

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Clock => Self::Delta,
            Self::Delta => Self::Since,
            Self::Since => Self::Clock,
        }
    }

    /// Over the column.
    pub fn title(self) -> &'static str {
        match self {
            Self::Clock => "Time",
            Self::Delta => "Delta",
            Self::Since => "Since mark",
        }
    }
}

/// What a column shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// One of those that share the width among each other.
    Usual(Column),
    Delta,
    /// Since the last marked packet before.
    Since,
    Peer,
    Connection,
    Kind,
    Length,
    /// A reading or a field of the tree, as a filter writes it.
    Field(String),
}

impl What {
    /// Those without a name of a field.
    pub fn all() -> Vec<Self> {
        let more = [Self::Delta, Self::Since, Self::Peer, Self::Connection, Self::Kind, Self::Length];
        Column::ALL.into_iter().map(Self::Usual).chain(more).collect()
    }

    /// In a menu, and over the column.
    pub fn title(&self) -> Cow<'_, str> {
        match self {
            Self::Usual(Column::Direction) => "Direction".into(),
            Self::Usual(column) => column.title().into(),
            Self::Delta => TimeKind::Delta.title().into(),
            Self::Since => TimeKind::Since.title().into(),
            Self::Peer => "Peer".into(),
            Self::Connection => "Connection".into(),
            Self::Kind => "Kind".into(),
            Self::Length => "Length".into(),
            Self::Field(name) => name.trim_matches(['[', ']']).to_owned().into(),
        }
    }

    /// The reading or field of the tree that it shows.
    pub fn path(&self) -> Option<Path> {
        let Self::Field(name) = self else { return None };
        match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(tree) => Some(Path::Tree(tree.to_owned())),
            None => Path::of(name),
        }
    }

    /// Points that it takes where nobody said how many.
    pub fn usual_width(&self) -> f32 {
        match self {
            Self::Usual(_) => 0.0,
            Self::Connection | Self::Length => 56.0,
            Self::Delta | Self::Since | Self::Kind => 76.0,
            Self::Peer => 130.0,
            Self::Field(_) => 90.0,
        }
    }
}

/// A column that is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    pub what: What,
    /// In points; `None`: as the room allows.
    #[serde(default)]
    pub width: Option<f32>,
}

impl Shown {
    /// As wide as the room allows.
    pub fn new(what: What) -> Self {
        Self { what, width: None }
    }
}

/// The columns that the list begins with.
pub fn usual() -> Vec<Shown> {
    Column::ALL.into_iter().map(|column| Shown::new(What::Usual(column))).collect()
}

/// Each once, with widths that can be seen; the usual ones where none is left.
pub fn mended(columns: Vec<Shown>) -> Vec<Shown> {
    let mut kept: Vec<Shown> = Vec::new();
    for mut shown in columns {
        if kept.iter().all(|known| known.what != shown.what) && kept.len() < MOST {
            shown.width = shown.width.filter(|w| w.is_finite()).map(|w| w.clamp(*WIDTHS.start(), *WIDTHS.end()));
            kept.push(shown);
        }
    }
    if kept.is_empty() { usual() } else { kept }
}

/// Shows a column, or takes it away; the last one stays.
pub fn toggle(columns: &mut Vec<Shown>, what: &What) {
    match columns.iter().position(|shown| shown.what == *what) {
        Some(at) if columns.len() > 1 => drop(columns.remove(at)),
        None if columns.len() < MOST => {
            // Before the summary, which takes what is left, else behind all.
            let at = columns.iter().position(|shown| shown.what == What::Usual(Column::Summary));
            columns.insert(at.unwrap_or(columns.len()), Shown::new(what.clone()));
        }
        Some(_) | None => {}
    }
}

/// Moves a column one place to the left, or to the right.
pub fn shift(columns: &mut [Shown], what: &What, right: bool) {
    let Some(at) = columns.iter().position(|shown| shown.what == *what) else { return };
    let to = if right { at + 1 } else { at.wrapping_sub(1) };
    if to < columns.len() {
        columns.swap(at, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_go_and_move() {
        let mut columns = usual();
        let speed = What::Field("speed".to_owned());
        toggle(&mut columns, &speed);
        assert_eq!(columns[6].what, speed, "before the summary");
        shift(&mut columns, &speed, false);
        assert_eq!(columns[5].what, speed);
        toggle(&mut columns, &speed);
        assert_eq!(columns, usual());
        let twice = vec![Shown { what: What::Peer, width: Some(f32::NAN) }, Shown::new(What::Peer)];
        assert_eq!(mended(twice), [Shown::new(What::Peer)]);
        assert_eq!(mended(Vec::new()), usual());
        for what in What::all() {
            assert!(!what.title().is_empty());
        }
        assert_eq!(What::Field("[GSM signal]".to_owned()).path(), Some(Path::Tree("GSM signal".to_owned())));
    }
}
