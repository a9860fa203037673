//! Places: something on the map with a name, that devices enter and leave.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    geo::fence::Shape,
    model::{DeviceId, Timestamp},
};

/// Row id of a place. Never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlaceId(pub i64);

/// Red, green and blue, as a person chose them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// To choose from; they are told apart on both maps.
    pub const CHOICE: [Self; 8] = [
        Self([0x3B, 0x82, 0xF6]),
        Self([0x10, 0xA3, 0x7F]),
        Self([0xD9, 0x77, 0x06]),
        Self([0xDC, 0x4B, 0x3E]),
        Self([0x9B, 0x5D, 0xE5]),
        Self([0xD6, 0x4A, 0x97]),
        Self([0x0E, 0x9F, 0xB8]),
        Self([0x84, 0x8E, 0x99]),
    ];

    /// What those of [`Colour::CHOICE`] are called.
    pub const NAMES: [&str; 8] = ["Blue", "Green", "Orange", "Red", "Purple", "Pink", "Cyan", "Grey"];

    /// `#3b82f6`.
    pub fn to_hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// Of what [`Colour::to_hex`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii())?;
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([byte(0)?, byte(2)?, byte(4)?]))
    }
}

/// What a person says about a place.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceSpec {
    pub name: String,
    pub colour: Colour,
    pub shape: Shape,
    /// Whom it concerns; `None`: everybody, those to come, too.
    pub devices: Option<BTreeSet<DeviceId>>,
    /// Coming in is an event.
    pub enter: bool,
    /// Going out is one.
    pub leave: bool,
    /// Staying longer than so many minutes is one.
    pub dwell_min: Option<u32>,
}

impl PlaceSpec {
    /// The longest name, in characters.
    pub const MOST_NAME: usize = 100;

    /// For everybody, coming and going.
    pub fn new(name: impl Into<String>, shape: Shape) -> Self {
        let colour = Colour::CHOICE[0];
        Self { name: name.into(), colour, shape, devices: None, enter: true, leave: true, dwell_min: None }
    }

    /// Why it cannot be kept; `None` where it can.
    pub fn fault(&self) -> Option<&'static str> {
        let name = self.name.trim();
        if name.is_empty() {
            return Some("a place needs a name");
        }
        if name.chars().count() > Self::MOST_NAME {
            return Some("the name is longer than 100 characters");
        }
        self.shape.fault()
    }

    /// Whether it concerns this device.
    pub fn concerns(&self, device: DeviceId) -> bool {
        self.devices.as_ref().is_none_or(|chosen| chosen.contains(&device))
    }

    /// Whether both are entered and left at the same moments.
    pub fn watches_like(&self, other: &Self) -> bool {
        self.shape == other.shape && self.devices == other.devices
    }
}

/// A place as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub id: PlaceId,
    pub spec: PlaceSpec,
    /// It has been where it is since then: fixes before that make no events.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_there_and_back() {
        for colour in Colour::CHOICE {
            assert_eq!(Colour::parse(&colour.to_hex()), Some(colour));
        }
        for wrong in ["", "3b82f6", "#3b82f", "#3b82fg", "#é12345"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }
}
