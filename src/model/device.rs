//! Devices, what they are called, and what no frame says about them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    AlarmTable, Look, PacketId, Protocol, Readings, StoredFix, SupplyVoltage, Timestamp, Trust, library::Dialect,
};

/// Row id of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeviceId(pub i64);

/// The name under which a sender is known: 15 digits of an IMEI, or an OwnTracks topic, `user/device` or tid.
///
/// A key and a label, never a file path or markup. 1 to 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity(String);

impl Identity {
    /// Longest identity in bytes; a longer name is skipped, never cut (contract.md §4).
    pub const MAX_BYTES: usize = 256;

    /// `None` for an empty name and for one over [`Identity::MAX_BYTES`].
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        (!name.is_empty() && name.len() <= Self::MAX_BYTES).then_some(Self(name))
    }

    /// The identity as text, exactly as the sender spelled it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the user decided about a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceState {
    /// Its packets make history.
    Adopted,
    /// Nobody has decided yet: what it sends is kept and answered.
    New,
    /// The user does not want to see it; it is answered all the same, because a refused tracker redials for ever.
    Ignored,
}

impl DeviceState {
    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::New => "new",
            Self::Ignored => "ignored",
        }
    }

    /// The state of a word that [`DeviceState::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Adopted, Self::New, Self::Ignored].into_iter().find(|s| s.as_str() == word)
    }
}

/// What happens to a sender nobody has decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Keep what it sends, answer it, show it as new.
    #[default]
    Ask,
    /// Adopt it at once.
    Adopt,
    /// Refuse it: GT06 gets no answer and is closed, OwnTracks gets 400.
    Strict,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Ask, Self::Adopt, Self::Strict];

    /// The word on the command line and in the config file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Adopt => "adopt",
            Self::Strict => "strict",
        }
    }

    /// The policy of a word that [`Policy::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == word)
    }
}

/// What no frame says about a device, so a person has to: stored as JSON beside the device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Model name as in gt06.md §5 (`VXT-01`, `LW4G`, `SEEWORLD` …); chooses alarm table and voltage reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Seconds to subtract from every device time, forced by the user; `None`: the login's zone, for the old types only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_s: Option<i32>,
    /// Meaning of alarm codes; `None`: as the model has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarms: Option<AlarmTable>,
    /// Where heartbeats hide the supply voltage; `None`: as the model does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supply: Option<SupplyVoltage>,
    /// Which commands it knows; `None`: nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// GT06 commands carry the two language bytes `00 02`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub command_language: bool,
    /// Colour, icon, notes and groups.
    #[serde(skip_serializing_if = "Look::is_plain")]
    pub look: Look,
}

impl Profile {
    /// True where both give every packet the same meaning. Where not, history has to be found again from the packets.
    pub fn reads_like(&self, other: &Self) -> bool {
        // Taken apart, so that whoever adds to the profile decides here what it does to history.
        let Self { model, clock_offset_s, alarms, supply, dialect: _, command_language: _, look: _ } = self;
        *model == other.model
            && *clock_offset_s == other.clock_offset_s
            && *alarms == other.alarms
            && *supply == other.supply
    }
}

/// A device as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    pub id: DeviceId,
    pub identity: Identity,
    pub protocol: Protocol,
    /// Given by the user; without one the identity is shown.
    pub name: Option<String>,
    pub state: DeviceState,
    pub profile: Profile,
    pub first_seen: Timestamp,
    /// When the last packet of it arrived.
    pub last_heard: Option<Timestamp>,
}

impl Device {
    /// What a person calls it: its name, else its identity.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(self.identity.as_str())
    }
}

/// A device with the last that is known of it: one row of the device list.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceOverview {
    pub device: Device,
    /// The fix with the greatest sane time, not the one that arrived last.
    pub last_fix: Option<StoredFix>,
    /// The last value of every reading, whichever packet brought it.
    pub readings: Readings,
    /// Packets that came from it or went to it, those included that became old and are no longer kept.
    pub packets: u64,
    /// Positions the store holds of it.
    pub positions: u64,
    /// Frames that it numbered and that did not arrive, ever, by the gaps between serial numbers on one connection.
    pub lost_frames: u64,
}

/// Every device, in the order they were first seen, and up to where this says everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overviews {
    pub devices: Vec<DeviceOverview>,
    pub upto: Upto,
}

/// Packets and positions up to these, both included, have been counted: their ids grow in the order in which they are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upto {
    /// `None`: no packet.
    pub packet: Option<PacketId>,
    /// 0: no position.
    pub position: i64,
}

impl DeviceOverview {
    /// Takes over a position that was not there before. True where it told something about now.
    ///
    /// Store and window both go by this, so that they never say different things.
    pub fn take(&mut self, new: &StoredFix) -> bool {
        self.positions += 1;
        if self.last_fix.as_ref().is_some_and(|last| !new.replaces(last)) {
            // A late fix tells nothing about now.
            return false;
        }
        if new.has_sane_time() {
            self.last_fix = Some(new.clone());
        }
        if new.trust != Trust::Good {
            // Neither do bytes under a wrong checksum.
            return false;
        }
        // An alarm holds until a position comes without one. One that is still that of the last fix stays with it.
        let alarm = |fix: &StoredFix| fix.readings.get("alarm").is_some();
        let ended = !alarm(new) && !self.last_fix.as_ref().is_some_and(alarm) && self.readings.remove("alarm");
        self.readings.merge(&new.readings);
        ended || !new.readings.is_empty()
    }
}

/// The fifteenth digit of an IMEI, out of the fourteen before it, which are ASCII digits (Luhn; 3GPP TS 23.003 annex B).
pub fn imei_check_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit.wrapping_sub(b'0')) * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        geo::LatLon,
        model::{Fix, PacketId},
    };

    fn overview() -> DeviceOverview {
        let device = Device {
            id: DeviceId(1),
            identity: Identity::new("owntracks/a/b").unwrap(),
            protocol: Protocol::OwnTracks,
            name: None,
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: Timestamp::UNIX_EPOCH,
            last_heard: None,
        };
        DeviceOverview { device, last_fix: None, readings: Readings::new(), packets: 0, positions: 0, lost_frames: 0 }
    }

    fn fix(id: i64, trust: Trust, readings: &[(&'static str, serde_json::Value)]) -> StoredFix {
        let at = Timestamp::from_second(1_700_000_000 + id * 60).unwrap();
        let mut told = Readings::new();
        for (key, value) in readings {
            told.set(*key, value.clone());
        }
        let fix = Fix {
            at,
            place: LatLon::new(51.0, 4.0).unwrap(),
            valid: trust == Trust::Good,
            altitude_m: None,
            speed_kmh: None,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        StoredFix { id, device: DeviceId(1), fix, received: at, trust, readings: told, packet: PacketId(id) }
    }

    fn last(overview: &DeviceOverview) -> Option<i64> {
        overview.last_fix.as_ref().map(|fix| fix.id)
    }

    #[test]
    fn a_wrong_checksum_or_a_late_frame_tells_nothing_about_now() {
        let mut overview = overview();
        assert!(!overview.take(&fix(1, Trust::Suspect, &[("batteryLevel", json!(1))])));
        assert_eq!((last(&overview), overview.readings.is_empty()), (Some(1), true), "better than nothing");
        assert!(overview.take(&fix(5, Trust::Good, &[("batteryLevel", json!(50))])));
        assert!(!overview.take(&fix(9, Trust::Suspect, &[("batteryLevel", json!(9))])));
        assert!(!overview.take(&fix(3, Trust::Good, &[("batteryLevel", json!(30))])));
        assert_eq!((last(&overview), overview.positions), (Some(5), 4));
        assert_eq!(overview.readings.get("batteryLevel"), Some(&json!(50)));
    }

    #[test]
    fn a_later_good_fix_without_an_alarm_ends_it() {
        let mut overview = overview();
        overview.take(&fix(5, Trust::Good, &[("alarm", json!("overspeed")), ("batteryLevel", json!(50))]));
        overview.take(&fix(4, Trust::Good, &[]));
        overview.take(&fix(6, Trust::Suspect, &[]));
        assert_eq!(overview.readings.get("alarm"), Some(&json!("overspeed")), "late and suspect ones do not end it");
        assert!(overview.take(&fix(7, Trust::Good, &[])), "its end is news");
        assert_eq!((overview.readings.get("alarm"), overview.readings.get("batteryLevel")), (None, Some(&json!(50))));
        overview.take(&fix(8, Trust::Good, &[("alarm", json!("sos"))]));
        assert_eq!(overview.readings.get("alarm"), Some(&json!("sos")));
    }
}
