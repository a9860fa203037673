//! What stands for whom within one redaction.

use std::collections::HashMap;

use super::is_generic;
use crate::model::imei_check_digit;

/// Parts of topics and paths that name nobody.
const PLAIN: &[&str] = &[
    "",
    "owntracks",
    "pub",
    "event",
    "waypoint",
    "waypoints",
    "info",
    "cmd",
    "step",
    "steps",
    "dump",
    "beacon",
    "status",
    "request",
    "configuration",
];

/// A type code that no maker of trackers has; the simulator's pretend trackers have its neighbours.
const TYPE_CODE: &str = "00440199";

#[derive(Debug)]
pub(super) struct Names {
    seed: u64,
    trackers: HashMap<String, usize>,
    words: HashMap<String, usize>,
    short: HashMap<String, usize>,
    peers: HashMap<String, usize>,
    /// By how many degrees latitudes and longitudes are moved, both without sign.
    lat_deg: f64,
    lon_deg: f64,
}

/// The place of a word among those that were met.
fn place(of: &mut HashMap<String, usize>, word: &str) -> usize {
    let next = of.len() + 1;
    *of.entry(word.to_owned()).or_insert(next)
}

impl Names {
    pub(super) fn new(seed: u64) -> Self {
        // A part of the whole, from 0 to 1.
        let part =
            |salt: u64| f64::from(u32::try_from(mix(seed ^ salt) >> 32).unwrap_or_default()) / f64::from(u32::MAX);
        Self {
            seed,
            trackers: HashMap::new(),
            words: HashMap::new(),
            short: HashMap::new(),
            peers: HashMap::new(),
            lat_deg: 5.0 + 30.0 * part(1),
            lon_deg: 10.0 + 120.0 * part(2),
        }
    }

    /// The identity of a device, whatever it is made of.
    pub(super) fn identity(&mut self, identity: &str) -> String {
        if is_generic(identity) {
            identity.to_owned()
        } else if identity.len() == 15 && identity.bytes().all(|b| b.is_ascii_digit()) {
            self.imei(identity)
        } else if identity.contains('/') {
            self.topic(identity)
        } else {
            self.tid(identity)
        }
    }

    /// 15 digits, the last of them the check digit.
    pub(super) fn imei(&mut self, imei: &str) -> String {
        let number = place(&mut self.trackers, imei);
        let digits = format!("{TYPE_CODE}{:06}", number % 1_000_000);
        format!("{digits}{}", imei_check_digit(&digits))
    }

    /// One name of a person, a phone, a place.
    pub(super) fn name(&mut self, name: &str) -> String {
        if PLAIN.contains(&name) { name.to_owned() } else { format!("name{}", place(&mut self.words, name)) }
    }

    /// A topic, whose parts are names.
    pub(super) fn topic(&mut self, topic: &str) -> String {
        let shared = PLAIN
            .iter()
            .any(|suffix| topic.strip_suffix(suffix).map(|rest| rest.trim_end_matches('/')).is_some_and(is_generic));
        if shared { topic.to_owned() } else { self.path(topic) }
    }

    /// Parts between slashes.
    pub(super) fn path(&mut self, path: &str) -> String {
        path.split('/').map(|part| self.name(part)).collect::<Vec<_>>().join("/")
    }

    /// A short name of the same length.
    pub(super) fn tid(&mut self, tid: &str) -> String {
        const SIGNS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        if is_generic(tid) {
            return tid.to_owned();
        }
        let mut rest = place(&mut self.short, tid);
        let mut signs: Vec<char> = Vec::new();
        for _ in tid.chars() {
            signs.push(SIGNS.get(rest % 36).map_or('0', |b| char::from(*b)));
            rest /= 36;
        }
        signs.iter().rev().collect()
    }

    /// The far end, at an address for tests of networks.
    pub(super) fn peer(&mut self, peer: &str) -> String {
        let Some((address, port)) = peer.rsplit_once(':') else { return String::new() };
        let number = place(&mut self.peers, address);
        let port: u16 = port.parse().unwrap_or_default();
        format!("198.18.{}.{}:{port}", number / 250 % 256, number % 250 + 1)
    }

    /// Where a latitude or longitude goes, both in units of `per_degree`. Movement is the same for all, so shapes stay; at a pole they are
    /// mirrored. 0 stays 0, since it says that there is no place, and what is off the globe stays so.
    pub(super) fn moved(&self, value: f64, longitude: bool, per_degree: f64) -> f64 {
        let (most, by) = if longitude { (180.0, self.lon_deg) } else { (90.0, self.lat_deg) };
        let degrees = value.abs() / per_degree;
        if value == 0.0 {
            return value;
        }
        if degrees > most {
            return (most + 1.0).copysign(value) * per_degree;
        }
        let gone = (degrees + by) % (2.0 * most);
        let there = if gone > most { 2.0 * most - gone } else { gone };
        there.copysign(value) * per_degree
    }

    /// Bytes that stand for others of the same length. Zeros and ones throughout say that there is nothing, and stay.
    pub(super) fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        if bytes.iter().all(|b| *b == 0) || bytes.iter().all(|b| *b == 0xFF) {
            return bytes.to_vec();
        }
        let key = bytes.iter().fold(self.seed, |sum, b| mix(sum ^ u64::from(*b)));
        (0_u64..).zip(bytes).map(|(i, _)| mix(key ^ i).to_be_bytes()[0]).collect()
    }
}

/// Spreads a number over all of its bits (the end of `splitmix64`).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A text of which only its shape is left: letters are `x`, digits are `0`, signs stay. The length in bytes stays, too.
pub(super) fn shape(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|b| match b {
            b'a'..=b'z' | 0x80.. => b'x',
            b'A'..=b'Z' => b'X',
            b'0'..=b'9' => b'0',
            other => *other,
        })
        .collect()
}
