//! How the map shows devices and trails: what the user chose in its menu, kept between runs.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The choices of the map's menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a box to tick")]
pub struct Style {
    pub colour: Colour,
    pub trail: TrailLength,
    pub labels: Labels,
    /// The map below the devices is drawn weaker.
    pub dim: bool,
    /// Devices that stand too close to be told apart are drawn as one number.
    pub gather: bool,
    /// Circles of accuracy of all devices, not only of the selected one.
    pub accuracy: bool,
    /// Devices that are lost are not on the map.
    pub hide_lost: bool,
    /// A new fix shows by a short pulse.
    pub pulse: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            colour: Colour::default(),
            trail: TrailLength::default(),
            labels: Labels::default(),
            dim: false,
            gather: true,
            accuracy: false,
            hide_lost: false,
            pulse: true,
        }
    }
}

/// What the colour of a trail tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Colour {
    /// The speed of the selected device, the state of all others.
    #[default]
    Usual,
    State,
    Speed,
    Age,
    Altitude,
    Battery,
}

impl Colour {
    pub const ALL: [Self; 6] = [Self::Usual, Self::State, Self::Speed, Self::Age, Self::Altitude, Self::Battery];

    pub fn title(self) -> &'static str {
        match self {
            Self::Usual => "Usual",
            Self::State => "State",
            Self::Speed => "Speed",
            Self::Age => "Age",
            Self::Altitude => "Altitude",
            Self::Battery => "Battery",
        }
    }

    /// What it means, for its tooltip.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Usual => "The selected device by its speed, all others by their state",
            Self::State => "As the device's mark: moving, parked, late, stale",
            Self::Speed => "How fast it was",
            Self::Age => "How long ago it was there",
            Self::Altitude => "How high it was",
            Self::Battery => "How full its battery was, where it told",
        }
    }

    #[must_use]
    pub fn next(self) -> Self {
        next(&Self::ALL, self)
    }
}

/// How far back trails go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TrailLength {
    Off,
    Minutes15,
    Hour,
    Hours6,
    Hours12,
    #[default]
    Day,
    Days3,
    Week,
}

impl TrailLength {
    pub const ALL: [Self; 8] =
        [Self::Off, Self::Minutes15, Self::Hour, Self::Hours6, Self::Hours12, Self::Day, Self::Days3, Self::Week];

    pub fn title(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::Minutes15 => "15 min",
            Self::Hour => "1 h",
            Self::Hours6 => "6 h",
            Self::Hours12 => "12 h",
            Self::Day => "24 h",
            Self::Days3 => "3 d",
            Self::Week => "7 d",
        }
    }

    /// `None` draws no trails.
    pub fn span(self) -> Option<SignedDuration> {
        Some(match self {
            Self::Off => return None,
            Self::Minutes15 => SignedDuration::from_mins(15),
            Self::Hour => SignedDuration::from_hours(1),
            Self::Hours6 => SignedDuration::from_hours(6),
            Self::Hours12 => SignedDuration::from_hours(12),
            Self::Day => SignedDuration::from_hours(24),
            Self::Days3 => SignedDuration::from_hours(3 * 24),
            Self::Week => SignedDuration::from_hours(7 * 24),
        })
    }

    /// How much of each trail is read from the store: a day at least, which shows the rhythm of a device.
    pub fn read_back(self) -> SignedDuration {
        const LEAST: SignedDuration = SignedDuration::from_hours(24);
        self.span().map_or(LEAST, |span| span.max(LEAST))
    }

    #[must_use]
    pub fn next(self) -> Self {
        next(&Self::ALL, self)
    }
}

/// How much stands beside a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Labels {
    Off,
    #[default]
    Name,
    /// Name and speed.
    Speed,
    /// Name and, below, how it fares.
    Full,
}

impl Labels {
    pub const ALL: [Self; 4] = [Self::Off, Self::Name, Self::Speed, Self::Full];

    pub fn title(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::Name => "Name",
            Self::Speed => "Name, speed",
            Self::Full => "Full",
        }
    }

    #[must_use]
    pub fn next(self) -> Self {
        next(&Self::ALL, self)
    }
}

/// The one behind `now`; behind the last one the first.
fn next<T: Copy + PartialEq>(all: &[T], now: T) -> T {
    let behind = all.iter().skip_while(|one| **one != now).nth(1);
    behind.or(all.first()).copied().unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_reached_by_stepping() {
        let steps: Vec<Labels> = std::iter::successors(Some(Labels::Name), |l| Some(l.next())).take(5).collect();
        assert_eq!(steps, [Labels::Name, Labels::Speed, Labels::Full, Labels::Off, Labels::Name]);
        assert_eq!(Colour::Battery.next(), Colour::Usual);
        assert_eq!(TrailLength::Week.next(), TrailLength::Off);
    }

    #[test]
    fn a_short_trail_still_reads_a_day() {
        assert_eq!(TrailLength::Off.read_back(), SignedDuration::from_hours(24));
        assert_eq!(TrailLength::Minutes15.read_back(), SignedDuration::from_hours(24));
        assert_eq!(TrailLength::Week.read_back(), SignedDuration::from_hours(168));
    }
}
