//! Rules: what besides places is worth an event, for all devices or for one; and who is muted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{DeviceId, Timestamp};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Enter,
    Leave,
    Dwell,
    /// The device itself told of it.
    Alarm,
    Quiet,
    LowBattery,
    Overspeed,
}

impl Kind {
    /// Every kind, in the order that lists have.
    pub const ALL: [Self; 7] =
        [Self::Alarm, Self::Enter, Self::Leave, Self::Dwell, Self::Overspeed, Self::LowBattery, Self::Quiet];

    /// The word in `events.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Leave => "leave",
            Self::Dwell => "dwell",
            Self::Alarm => "alarm",
            Self::Quiet => "quiet",
            Self::LowBattery => "lowBattery",
            Self::Overspeed => "overspeed",
        }
    }

    /// Of a word that [`Kind::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// In lists.
    pub fn title(self) -> &'static str {
        match self {
            Self::Enter => "Entered",
            Self::Leave => "Left",
            Self::Dwell => "Stayed",
            Self::Alarm => "Alarm",
            Self::Quiet => "Gone quiet",
            Self::LowBattery => "Low battery",
            Self::Overspeed => "Overspeed",
        }
    }
}

/// What is worth an event.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Alarms that the device tells.
    pub alarm: bool,
    pub quiet: Quiet,
    pub battery: Battery,
    pub overspeed: Overspeed,
}

impl Default for Rules {
    fn default() -> Self {
        Self { alarm: true, quiet: Quiet::default(), battery: Battery::default(), overspeed: Overspeed::default() }
    }
}

/// A device is not heard any more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quiet {
    pub on: bool,
    /// Times its own rhythm.
    pub rhythms: u32,
    /// And minutes at least.
    pub least_min: u32,
}

impl Default for Quiet {
    fn default() -> Self {
        Self { on: true, rhythms: 10, least_min: 10 }
    }
}

/// A battery is nearly empty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Battery {
    pub on: bool,
    /// Percent; less is low.
    pub below: u8,
}

impl Battery {
    /// Percent above the threshold from which on a battery is no longer low.
    pub const RECOVERS: f64 = 5.0;
}

impl Default for Battery {
    fn default() -> Self {
        Self { on: true, below: 15 }
    }
}

/// A device is too fast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overspeed {
    pub on: bool,
    pub above_kmh: f64,
    /// Seconds for which it must be.
    pub for_s: u32,
}

impl Default for Overspeed {
    fn default() -> Self {
        Self { on: false, above_kmh: 130.0, for_s: 10 }
    }
}

/// The rules for all, and those of devices that have their own; each with the moment from which on it makes events.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleBook {
    pub all: (Rules, Timestamp),
    pub own: BTreeMap<DeviceId, (Rules, Timestamp)>,
}

impl Default for RuleBook {
    fn default() -> Self {
        Self { all: (Rules::default(), Timestamp::MIN), own: BTreeMap::new() }
    }
}

impl RuleBook {
    /// The rules for a device, and since when.
    pub fn of(&self, device: DeviceId) -> &(Rules, Timestamp) {
        self.own.get(&device).unwrap_or(&self.all)
    }

    /// True where some rule of some device satisfies this.
    pub fn any(&self, is: impl Fn(&Rules) -> bool) -> bool {
        is(&self.all.0) || self.own.values().any(|(rules, _)| is(rules))
    }
}

/// For how long somebody wants to hear nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mute {
    /// `None`: until somebody says otherwise.
    pub until: Option<Timestamp>,
}

/// Of whom nobody wants to hear. Their events are kept all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mutes {
    pub all: Option<Mute>,
    pub devices: BTreeMap<DeviceId, Mute>,
}

impl Mute {
    /// Whether it holds at a moment.
    pub fn holds(self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Mutes {
    /// The mute that keeps a device silent now.
    pub fn of(&self, device: DeviceId, now: Timestamp) -> Option<Mute> {
        [self.all, self.devices.get(&device).copied()].into_iter().flatten().find(|mute| mute.holds(now))
    }
}
