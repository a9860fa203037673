//! How the list of devices is shown: cards or a table, its columns, its order, and the filter's little language.

mod filter;

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::filter::{Filter, group_token, groups};
use super::{Data, format, lamps::State, view::Units};
use crate::model::{DeviceOverview, Timestamp, same_group};

/// What the user chose about the list; kept between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceList {
    /// A table with columns instead of two lines a device.
    pub table: bool,
    /// The table's columns, from left to right, each once; the name stands before them.
    pub columns: Vec<Shown>,
    /// Width of the name.
    pub name_width: f32,
    pub sort: Column,
    pub descending: bool,
    /// Groups whose devices are not drawn on the map, in lower case.
    pub hidden_groups: BTreeSet<String>,
}

/// A column that is shown, and how wide.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    pub column: Column,
    /// In points.
    pub width: f32,
}

/// Widths that a column may have, in points.
pub const WIDTHS: std::ops::RangeInclusive<f32> = 36.0..=420.0;

impl Default for DeviceList {
    fn default() -> Self {
        let columns =
            [Column::State, Column::Speed, Column::LastHeard, Column::FixAge, Column::Battery, Column::Groups];
        Self {
            table: false,
            columns: columns.map(Shown::new).to_vec(),
            name_width: 150.0,
            sort: Column::Name,
            descending: false,
            hidden_groups: BTreeSet::new(),
        }
    }
}

impl Shown {
    fn new(column: Column) -> Self {
        Self { column, width: column.usual_width() }
    }
}

impl DeviceList {
    /// Each column once, the name never, and widths that can be seen: a file that was edited may say anything.
    #[must_use]
    pub fn mended(mut self) -> Self {
        let mut seen = BTreeSet::from([Column::Name]);
        self.columns.retain(|shown| seen.insert(shown.column));
        for shown in &mut self.columns {
            shown.width = sane(shown.width, shown.column.usual_width());
        }
        self.name_width = sane(self.name_width, 150.0);
        self
    }

    /// True where this column is shown.
    pub fn shows(&self, column: Column) -> bool {
        column == Column::Name || self.columns.iter().any(|shown| shown.column == column)
    }

    /// Shows a column behind all others, or takes it away.
    pub fn toggle(&mut self, column: Column) {
        if self.shows(column) {
            self.columns.retain(|shown| shown.column != column);
        } else {
            self.columns.push(Shown::new(column));
        }
    }

    /// Moves a column one place to the left, or to the right.
    pub fn shift(&mut self, column: Column, right: bool) {
        let Some(at) = self.columns.iter().position(|shown| shown.column == column) else { return };
        let to = if right { at + 1 } else { at.wrapping_sub(1) };
        if to < self.columns.len() {
            self.columns.swap(at, to);
        }
    }

    /// Sorts by a column; the same again turns the order round.
    pub fn sort_by(&mut self, column: Column) {
        self.descending = if self.sort == column { !self.descending } else { column.falls() };
        self.sort = column;
    }

    /// Hides a group's devices on the map, or shows them again.
    pub fn hide(&mut self, group: &str, hidden: bool) {
        let key = group.to_lowercase();
        if hidden {
            self.hidden_groups.insert(key);
        } else {
            self.hidden_groups.remove(&key);
        }
    }

    /// True where a group's devices are not drawn on the map.
    pub fn hides(&self, group: &str) -> bool {
        self.hidden_groups.contains(&group.to_lowercase())
    }

    /// True where a device is in a group that is hidden.
    pub fn hides_device(&self, overview: &DeviceOverview) -> bool {
        !self.hidden_groups.is_empty() && overview.device.profile.look.groups.iter().any(|group| self.hides(group))
    }
}

fn sane(width: f32, usual: f32) -> f32 {
    if width.is_finite() { width.clamp(*WIDTHS.start(), *WIDTHS.end()) } else { usual }
}

/// Something that a device can be listed and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    #[default]
    Name,
    State,
    Speed,
    LastHeard,
    FixAge,
    Battery,
    Voltage,
    Satellites,
    Signal,
    Groups,
    Protocol,
    Identity,
    Model,
    Odometer,
    Course,
    Altitude,
    Accuracy,
    Alarm,
    Positions,
    Packets,
    LostFrames,
    Notes,
}

/// What a device says in a column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell<'a> {
    pub text: Cow<'a, str>,
    pub key: Key,
}

/// What rows are sorted by; what is unknown always comes last.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Key {
    Number(f64),
    Text(String),
    #[default]
    Unknown,
}

impl Column {
    /// Every column, in the order of the menu.
    pub const ALL: [Self; 22] = [
        Self::Name,
        Self::State,
        Self::Speed,
        Self::LastHeard,
        Self::FixAge,
        Self::Battery,
        Self::Voltage,
        Self::Satellites,
        Self::Signal,
        Self::Groups,
        Self::Protocol,
        Self::Identity,
        Self::Model,
        Self::Odometer,
        Self::Course,
        Self::Altitude,
        Self::Accuracy,
        Self::Alarm,
        Self::Positions,
        Self::Packets,
        Self::LostFrames,
        Self::Notes,
    ];

    /// In the header and in menus.
    pub fn title(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::State => "State",
            Self::Speed => "Speed",
            Self::LastHeard => "Last heard",
            Self::FixAge => "Age of fix",
            Self::Battery => "Battery",
            Self::Voltage => "Voltage",
            Self::Satellites => "Satellites",
            Self::Signal => "Signal",
            Self::Groups => "Groups",
            Self::Protocol => "Protocol",
            Self::Identity => "Identity",
            Self::Model => "Model",
            Self::Odometer => "Odometer",
            Self::Course => "Course",
            Self::Altitude => "Altitude",
            Self::Accuracy => "Accuracy",
            Self::Alarm => "Alarm",
            Self::Positions => "Positions",
            Self::Packets => "Packets",
            Self::LostFrames => "Lost frames",
            Self::Notes => "Notes",
        }
    }

    fn usual_width(self) -> f32 {
        match self {
            Self::Name | Self::Notes => 150.0,
            Self::Identity => 130.0,
            Self::Groups | Self::Model | Self::Alarm => 96.0,
            Self::State | Self::Protocol | Self::LostFrames | Self::LastHeard | Self::FixAge | Self::Odometer => 80.0,
            Self::Speed
            | Self::Battery
            | Self::Voltage
            | Self::Satellites
            | Self::Signal
            | Self::Course
            | Self::Altitude
            | Self::Accuracy
            | Self::Positions
            | Self::Packets => 68.0,
        }
    }

    /// Numbers stand at the right of their column.
    pub fn is_number(self) -> bool {
        match self {
            Self::Name
            | Self::State
            | Self::Groups
            | Self::Protocol
            | Self::Identity
            | Self::Model
            | Self::Alarm
            | Self::Notes => false,
            Self::Speed
            | Self::LastHeard
            | Self::FixAge
            | Self::Battery
            | Self::Voltage
            | Self::Satellites
            | Self::Signal
            | Self::Odometer
            | Self::Course
            | Self::Altitude
            | Self::Accuracy
            | Self::Positions
            | Self::Packets
            | Self::LostFrames => true,
        }
    }

    /// A first click sorts the greatest to the top: that is what one looks for.
    fn falls(self) -> bool {
        matches!(self, Self::Speed | Self::Odometer | Self::Positions | Self::Packets | Self::LostFrames)
    }

    /// True where what it says changes while nothing arrives.
    pub fn ages(self) -> bool {
        matches!(self, Self::State | Self::LastHeard | Self::FixAge)
    }

    /// True where what arrives can change the order.
    pub fn moves(self) -> bool {
        !matches!(self, Self::Name | Self::Groups | Self::Protocol | Self::Identity | Self::Model | Self::Notes)
    }

    /// What a device says here.
    pub fn cell<'a>(self, data: &'a Data, overview: &'a DeviceOverview, now: Timestamp, units: Units) -> Cell<'a> {
        let device = &overview.device;
        let fix = overview.last_fix.as_ref().map(|f| &f.fix);
        let reading = |key: &str| overview.readings.get(key).and_then(Value::as_f64);
        match self {
            Self::Name => text(data.name_of(overview)),
            Self::State => {
                let health = data.health(overview, now);
                let key = Key::Number(f64::from(health.state as u8));
                // How fast it moves has a column of its own.
                let text =
                    if health.state == State::Moving { "moving".into() } else { health.word(overview, units).into() };
                Cell { text, key }
            }
            Self::Speed => number(fix.and_then(|f| f.speed_kmh), |v| format::speed(v, units)),
            Self::LastHeard => age(device.last_heard, now),
            Self::FixAge => age(fix.map(|f| f.at), now),
            Self::Battery => number(reading("batteryLevel"), |v| format!("{v:.0} %")),
            Self::Voltage => number(reading("power").or_else(|| reading("battery")), |v| format!("{v:.2} V")),
            Self::Satellites => number(fix.and_then(|f| f.satellites).map(f64::from), |v| format!("{v:.0}")),
            Self::Signal => number(reading("rssi"), |v| format!("{v:.0}")),
            Self::Groups => text(device.profile.look.groups.join(", ")),
            Self::Protocol => text(device.protocol.title()),
            Self::Identity => text(device.identity.as_str()),
            Self::Model => text(device.profile.model.as_deref().unwrap_or_default()),
            Self::Odometer => number(reading("odometer"), |v| format::distance(v, units)),
            Self::Course => number(fix.and_then(|f| f.course_deg), format::course),
            Self::Altitude => number(fix.and_then(|f| f.altitude_m), |v| format::height(v, units)),
            Self::Accuracy => number(fix.and_then(|f| f.accuracy_m), |v| format::height(v, units)),
            Self::Alarm => text(overview.readings.get("alarm").and_then(Value::as_str).unwrap_or_default()),
            Self::Positions => count(overview.positions),
            Self::Packets => count(overview.packets),
            Self::LostFrames => count(overview.lost_frames),
            // One line: the rest stands in the details.
            Self::Notes => text(device.profile.look.notes.lines().next().unwrap_or_default()),
        }
    }
}

fn text<'a>(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
    let text = text.into();
    let key = if text.is_empty() { Key::Unknown } else { Key::Text(natural(&text)) };
    Cell { text, key }
}

fn number<'a>(value: Option<f64>, shown: impl FnOnce(f64) -> String) -> Cell<'a> {
    let known = value.filter(|v| v.is_finite());
    known.map_or_else(Cell::default, |v| Cell { text: shown(v).into(), key: Key::Number(v) })
}

fn age<'a>(at: Option<Timestamp>, now: Timestamp) -> Cell<'a> {
    // The one of late comes first.
    #[expect(clippy::cast_precision_loss, reason = "seconds of a life")]
    number(at.map(|at| format::age_s(now, at) as f64), |_| format::age(at.map_or(0, |at| format::age_s(now, at))))
}

fn count<'a>(n: u64) -> Cell<'a> {
    #[expect(clippy::cast_precision_loss, reason = "an order")]
    let key = Key::Number(n as f64);
    Cell { text: format::count(n).into(), key }
}

impl Key {
    /// Ascending; what is unknown comes last either way.
    pub fn order(&self, other: &Self, descending: bool) -> std::cmp::Ordering {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let known = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Less,
            (Self::Text(_), Self::Number(_)) => Greater,
            (Self::Unknown, Self::Unknown) => return Equal,
            (Self::Unknown, _) => return Greater,
            (_, Self::Unknown) => return Less,
        };
        if descending { known.reverse() } else { known }
    }
}

/// Sorts `Van 2` before `Van 10`: lower case, numbers padded.
pub fn natural(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 16);
    let mut digits = String::new();
    let flush = |digits: &mut String, key: &mut String| {
        if !digits.is_empty() {
            let plain = digits.trim_start_matches('0');
            key.extend(std::iter::repeat_n('0', 20usize.saturating_sub(plain.len())));
            key.push_str(plain);
            digits.clear();
        }
    };
    for c in name.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            flush(&mut digits, &mut key);
            key.extend(c.to_lowercase());
        }
    }
    flush(&mut digits, &mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["Van 10", "van 2", "Van 1b", "Ä 3"];
        names.sort_by_key(|n| natural(n));
        assert_eq!(names, ["Van 1b", "van 2", "Van 10", "Ä 3"]);
    }

    #[test]
    fn what_a_file_says_about_columns_is_mended() {
        let shown = |column, width| Shown { column, width };
        let list = DeviceList {
            columns: vec![
                shown(Column::Speed, f32::NAN),
                shown(Column::Name, 80.0),
                shown(Column::Speed, 90.0),
                shown(Column::Groups, 9e9),
            ],
            name_width: -5.0,
            ..DeviceList::default()
        };
        let mended = list.mended();
        assert_eq!(mended.columns, [shown(Column::Speed, 68.0), shown(Column::Groups, *WIDTHS.end())]);
        assert!((mended.name_width - WIDTHS.start()).abs() < 0.1);
    }

    #[test]
    fn columns_come_go_and_move() {
        let mut list = DeviceList { columns: Vec::new(), ..DeviceList::default() };
        for column in [Column::Speed, Column::Battery, Column::Groups] {
            list.toggle(column);
        }
        let order = |list: &DeviceList| list.columns.iter().map(|s| s.column).collect::<Vec<_>>();
        list.shift(Column::Groups, false);
        list.shift(Column::Speed, false);
        assert_eq!(order(&list), [Column::Speed, Column::Groups, Column::Battery]);
        list.shift(Column::Battery, true);
        list.toggle(Column::Speed);
        assert_eq!(order(&list), [Column::Groups, Column::Battery]);
        list.sort_by(Column::Speed);
        assert!(list.descending, "the fastest first");
        list.sort_by(Column::Speed);
        assert!(!list.descending);
    }

    #[test]
    fn what_is_unknown_comes_last_either_way() {
        for descending in [false, true] {
            let mut keys = [Key::Unknown, Key::Number(2.0), Key::Number(1.0)];
            keys.sort_by(|a, b| a.order(b, descending));
            assert_eq!(keys[2], Key::Unknown);
            assert_eq!(keys[0], Key::Number(if descending { 2.0 } else { 1.0 }));
        }
    }
}
