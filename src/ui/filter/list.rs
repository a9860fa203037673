//! How the packets are listed: which colours mean what, saved filters, columns, times. Kept between runs.

use serde::{Deserialize, Serialize};

use super::columns::{Shown, TimeKind, usual};
use crate::ui::theme::tints::TINTS;

/// Rules and saved filters that are kept at most, each.
pub(super) const MOST_KEPT: usize = 100;

/// What the user chose about the list of packets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PacketList {
    /// From left to right.
    pub columns: Vec<Shown>,
    pub time: TimeKind,
    /// The first that admits a packet colours it.
    pub rules: Vec<Rule>,
    pub saved: Vec<Saved>,
}

/// Packets that a filter admits have a colour, and a word beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub on: bool,
    pub filter: String,
    /// Red, green, blue.
    pub tint: [u8; 3],
    /// Stands in the row; empty where the row says it already.
    pub label: String,
}

/// A filter with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub name: String,
    pub filter: String,
}

impl Rule {
    /// A rule in one of the usual colours.
    pub fn new(filter: &str, colour: &str, label: &str) -> Self {
        let tint = TINTS.iter().find(|(_, name)| *name == colour).map_or([0; 3], |(tint, _)| tint.0);
        Self { on: true, filter: filter.to_owned(), tint, label: label.to_owned() }
    }

    /// Errors, warnings, alarms, commands.
    pub fn usual() -> Vec<Self> {
        vec![
            // The verdict has a shape and a word of its own.
            Self::new("verdict == error", "Red", ""),
            Self::new("kind == alarm || alarm != normal", "Magenta", "alarm"),
            Self::new("verdict == warn", "Orange", ""),
            Self::new("kind contains command", "Blue", "command"),
        ]
    }
}

impl Default for PacketList {
    fn default() -> Self {
        Self { columns: usual(), time: TimeKind::default(), rules: Rule::usual(), saved: Vec::new() }
    }
}

impl PacketList {
    /// Within bounds: a file that was edited may say anything.
    #[must_use]
    pub fn mended(mut self) -> Self {
        self.rules.truncate(MOST_KEPT);
        self.saved.truncate(MOST_KEPT);
        self.columns = super::columns::mended(self.columns);
        self
    }

    /// Keeps a filter under a name; what had this name before goes.
    pub fn save(&mut self, name: &str, filter: &str) {
        self.saved.retain(|saved| !saved.name.eq_ignore_ascii_case(name));
        self.saved.push(Saved { name: name.to_owned(), filter: filter.to_owned() });
        self.saved.sort_by_key(|saved| saved.name.to_lowercase());
        self.saved.truncate(MOST_KEPT);
    }
}
