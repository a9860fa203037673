//! Pretend devices: where they drive, and the bytes they would send. Pure: time is told, sockets are `backend`'s.
//!
//! A [`Fleet`] is the same for the same seed, down to the last byte, as long as it is asked at the same moments.
//! Half of it are trackers that speak GT06, half phones that speak OwnTracks. It lives in the middle of Europe: vans and
//! cyclists keep to their town, lorries go from town to town.

mod random;
mod road;
mod towns;
mod track;
mod vehicle;

pub use track::{Manner, NotDriven, Track};
pub use vehicle::{Message, Vehicle};

use crate::model::{Protocol, imei_check_digit};
use random::Random;

/// Whose devices these are, which shows in their names.
///
/// Trackers get an IMEI that begins with `00`: a reporting body that is reserved for test equipment, so no tracker on sale has
/// one. The six digits after the type code count the devices, the last is the check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// The window's demo: `owntracks/demo/…` and IMEIs `00440100xxxxxxx`.
    Demo,
    /// `wayglass simulate`: `owntracks/sim/…` and IMEIs `00440101xxxxxxx`.
    Simulate,
}

impl Band {
    /// The first eight digits of an IMEI: the type code.
    const fn type_code(self) -> &'static str {
        match self {
            Self::Demo => "00440100",
            Self::Simulate => "00440101",
        }
    }

    /// The first word of a device's name.
    const fn title(self) -> &'static str {
        match self {
            Self::Demo => "Demo",
            Self::Simulate => "Simulated",
        }
    }

    /// The user in an OwnTracks topic.
    const fn user(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Simulate => "sim",
        }
    }

    /// The IMEI of a tracker, 15 digits with a valid check digit; counts on from 0 after a million.
    pub fn imei(self, index: usize) -> String {
        let digits = format!("{}{:06}", self.type_code(), index % 1_000_000);
        let check = imei_check_digit(&digits);
        format!("{digits}{check}")
    }

    /// The topic of a phone.
    pub fn topic(self, index: usize) -> String {
        format!("owntracks/{}/phone-{}", self.user(), index + 1)
    }

    /// True for an identity that this band gives to a device.
    pub fn holds(self, identity: &str) -> bool {
        let imei = identity.len() == 15
            && identity.bytes().all(|b| b.is_ascii_digit())
            && identity.starts_with(self.type_code());
        let phone = identity.strip_prefix("owntracks/").and_then(|rest| rest.strip_prefix(self.user()));
        imei || phone.is_some_and(|rest| rest.starts_with("/phone-"))
    }
}

/// A number of vehicles that know where they are and what to send.
#[derive(Debug, Clone)]
pub struct Fleet {
    vehicles: Vec<Vehicle>,
}

impl Fleet {
    /// `n` vehicles, of these protocols in turn. The same seed gives the same fleet.
    pub fn new(band: Band, n: usize, protocols: &[Protocol], seed: u64) -> Self {
        let mut random = Random::new(seed);
        let vehicles = protocols
            .iter()
            .cycle()
            .take(n)
            .enumerate()
            .map(|(index, protocol)| Vehicle::new(band, index, *protocol, random.fork(), n))
            .collect();
        Self { vehicles }
    }

    /// The same fleet, but on these tracks, one after the other in turn: those on the same one `apart_s` seconds behind each other. Without
    /// tracks it goes where it likes.
    #[must_use]
    pub fn on_tracks(mut self, tracks: &[Track], manner: Manner, apart_s: f64) -> Self {
        let mut before = vec![0.0; tracks.len()];
        for (vehicle, at) in self.vehicles.iter_mut().zip((0..tracks.len()).cycle()) {
            if let (Some(track), Some(before)) = (tracks.get(at), before.get_mut(at)) {
                vehicle.follow(track.clone(), Manner { waits_s: manner.waits_s + *before, ..manner });
                *before += apart_s;
            }
        }
        self
    }

    /// The vehicles.
    pub fn vehicles(&self) -> &[Vehicle] {
        &self.vehicles
    }

    /// The vehicles, each to be driven by itself.
    pub fn into_vehicles(self) -> Vec<Vehicle> {
        self.vehicles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_the_published_one() {
        // The specimen of 3GPP TS 23.003 and one from a vendor's box.
        assert_eq!(imei_check_digit("49015420323751"), 8);
        assert_eq!(imei_check_digit("35209900176148"), 1);
    }

    #[test]
    fn a_band_knows_its_own() {
        for band in [Band::Demo, Band::Simulate] {
            let other = if band == Band::Demo { Band::Simulate } else { Band::Demo };
            for index in [0, 1, 9_999, 999_999] {
                for identity in [band.imei(index), band.topic(index)] {
                    assert!(band.holds(&identity), "{identity}");
                    assert!(!other.holds(&identity), "{identity}");
                }
                assert_eq!(band.imei(index).len(), 15);
            }
        }
        for foreign in ["123456789012345", "owntracks/demonstration/phone-1", "owntracks/demo/anna", "demo", "00440100"]
        {
            assert!(!Band::Demo.holds(foreign), "{foreign}");
        }
    }
}
