//! Every bound on what peers may take from us and what we keep, in one table: what it is called in the settings, what it may be, how near it is.
//!
//! ```toml
//! [limits]
//! connections = 12000         # of one receiver at once; for more, strangers make room, else they wait
//! sockets = 12000             # of all receivers; no more than the system lets us open
//! login = "30 s"              # for a tracker's first sound frame
//! stranger = "8 KiB"          # before a tracker's first sound frame
//! junk = "64 KiB"             # of a known tracker without a sound frame
//! answer = "30 s"             # for a device to take our answer
//! http_head = "10 s"          # for the head of a request
//! head = "64 KiB"             # of a request
//! http_pause = "6 min"        # between two requests of one connection
//! http_body = "30 s"          # for a body
//! bodies = "64 MiB"           # memory for request bodies
//! noise_per_address = 10      # pieces of noise kept in a minute
//! noise_per_minute = 600
//! visits = 256                # requests remembered for pairing
//! queue = "64 MiB"            # packets on their way into the file; who sends more waits
//! tap_queue = "32 MiB"        # talk of taps on its way into the file; more is passed on and not recorded
//! file = "off"                # the database grows no further; "off": as far as the disk does
//! log_file = "4 MiB"          # one file of the log
//! log_files = 5               # all files of the log
//! map_tiles = "256 MiB"       # tiles of the online map that are kept on disk
//! ```

use std::{ops::RangeInclusive, time::Duration};

use toml::de::DeValue;

use super::{
    health::{self, Health},
    logfile::LogBounds,
};
use crate::{
    ingest::{self, BODY_BYTES},
    model::{Mishap, bytes_text, parse_age, parse_size, size_text},
    store,
};

/// All bounds of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    pub ingest: ingest::Limits,
    pub store: store::Limits,
    pub log: LogBounds,
    pub window: WindowBounds,
}

/// What the window keeps beside the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowBounds {
    /// Tiles of the online map on disk.
    pub tile_cache_bytes: u64,
}

impl Default for WindowBounds {
    fn default() -> Self {
        Self { tile_cache_bytes: 256 * MIB }
    }
}

/// What a bound is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Count,
    Bytes,
    Seconds,
}

/// A row of the table.
pub struct Bound {
    /// In the settings; of one that cannot be set, its name in lists.
    pub key: &'static str,
    /// What is bounded, for people.
    pub title: &'static str,
    pub unit: Unit,
    place: Place,
    /// What is counted when it is reached.
    pub mishap: Option<Mishap>,
    /// The count of what goes when it is reached, where that is no mishap.
    pub dropped: Option<&'static str>,
    /// How much of it is in use.
    pub used: Option<fn(&Health) -> u64>,
}

/// Where a bound comes from.
enum Place {
    /// From `[limits]` of the settings.
    Set { range: RangeInclusive<u64>, get: fn(&Bounds) -> u64, set: fn(&mut Bounds, u64) },
    /// As `Set`, where [`OFF`] means none.
    Optional { range: RangeInclusive<u64>, get: fn(&Bounds) -> Option<u64>, set: fn(&mut Bounds, Option<u64>) },
    /// From a key of its own.
    Elsewhere(fn(&Bounds) -> Option<u64>),
    /// It cannot be changed; the text says why.
    Fixed(u64, &'static str),
}

/// What takes a bound away.
const OFF: &str = "off";

const fn row(key: &'static str, title: &'static str, unit: Unit, place: Place) -> Bound {
    Bound { key, title, unit, place, mishap: None, dropped: None, used: None }
}

impl Bound {
    const fn counted(self, mishap: Mishap) -> Self {
        Self { mishap: Some(mishap), ..self }
    }

    const fn dropping(self, count: &'static str) -> Self {
        Self { dropped: Some(count), ..self }
    }

    const fn measured(self, used: fn(&Health) -> u64) -> Self {
        Self { used: Some(used), ..self }
    }
}

/// A row whose value lies in a field that is a number.
macro_rules! number {
    ($range:expr, $($field:ident).+) => {
        Place::Set {
            range: $range,
            get: |bounds| as_u64(bounds.$($field).+),
            set: |bounds, value| bounds.$($field).+ = value.try_into().unwrap_or_else(|_| unreachable_in_range()),
        }
    };
}

/// A row whose value lies in a field that is a time.
macro_rules! time {
    ($range:expr, $($field:ident).+) => {
        Place::Set {
            range: $range,
            get: |bounds| bounds.$($field).+.as_secs(),
            set: |bounds, value| bounds.$($field).+ = Duration::from_secs(value),
        }
    };
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const MINUTE_S: u64 = 60;
const DAY_S: u64 = 24 * 60 * 60;

/// Every bound, in the order in which they are listed.
pub static TABLE: &[Bound] = &[
    row("connections", "Connections of one receiver", Unit::Count, number!(1..=1_000_000, ingest.connections))
        .counted(Mishap::ConnectionsFull)
        .measured(Health::most_connections),
    row("sockets", "Connections of all receivers", Unit::Count, number!(1..=1_000_000, ingest.sockets))
        .counted(Mishap::MadeRoom)
        .measured(Health::all_connections),
    row("login", "Time for a tracker's first sound frame", Unit::Seconds, time!(1..=10 * MINUTE_S, ingest.login))
        .counted(Mishap::Stranger),
    row(
        "stranger",
        "Bytes before a tracker's first sound frame",
        Unit::Bytes,
        number!(KIB..=MIB, ingest.stranger_bytes),
    )
    .counted(Mishap::StrangersJunk),
    row("silence", "A tracker's silence", Unit::Seconds, Place::Elsewhere(|bounds| Some(bounds.ingest.idle.as_secs())))
        .counted(Mishap::Silent),
    row("answer", "Time to take our answer", Unit::Seconds, time!(1..=10 * MINUTE_S, ingest.write))
        .counted(Mishap::AnswerNotRead),
    row("http_head", "Time for the head of a request", Unit::Seconds, time!(1..=10 * MINUTE_S, ingest.http_head))
        .counted(Mishap::HeadSlow),
    row("http_pause", "Pause between two requests", Unit::Seconds, time!(1..=60 * MINUTE_S, ingest.http_pause))
        .counted(Mishap::Silent),
    row("http_body", "Time for the body of a request", Unit::Seconds, time!(1..=10 * MINUTE_S, ingest.http_body))
        .counted(Mishap::BodySlow),
    row("body", "Body of a request", Unit::Bytes, Place::Fixed(BODY_BYTES as u64, "promised to apps"))
        .counted(Mishap::TooLarge),
    row("head", "Head of a request", Unit::Bytes, number!(16 * KIB..=16 * MIB, ingest.head_bytes))
        .counted(Mishap::HeadTooLarge),
    row("bodies", "Memory for request bodies", Unit::Bytes, number!(2 * MIB..=4 * GIB - 1, ingest.bodies_in_flight))
        .counted(Mishap::BodiesFull),
    row(
        "junk",
        "A known tracker's bytes without a sound frame",
        Unit::Bytes,
        number!(KIB..=16 * MIB, ingest.junk_bytes),
    )
    .counted(Mishap::Junk),
    row(
        "noise_per_address",
        "Noise kept in a minute from one address",
        Unit::Count,
        number!(0..=100_000, ingest.noise_per_address),
    )
    .counted(Mishap::NoiseOfOneNotKept),
    row("noise_per_minute", "Noise kept in a minute", Unit::Count, number!(0..=100_000, ingest.noise_per_minute))
        .counted(Mishap::NoiseNotKept),
    row("visits", "Requests remembered for pairing", Unit::Count, number!(0..=100_000, ingest.visits))
        .measured(|health| health.visits),
    row("queue", "Packets on their way into the file", Unit::Bytes, number!(MIB..=4 * GIB - 1, store.queue_bytes))
        .counted(Mishap::QueueFull)
        .measured(|health| health.queue.bytes),
    row(
        "tap_queue",
        "Talk of taps on its way into the file",
        Unit::Bytes,
        number!(MIB..=4 * GIB - 1, ingest.tap_bytes),
    )
    .counted(Mishap::NotRecorded),
    row(
        "file",
        "Size of the database",
        Unit::Bytes,
        Place::Optional {
            range: MIB..=16_384 * GIB,
            get: |bounds| bounds.store.file_bytes,
            set: |bounds, value| bounds.store.file_bytes = value,
        },
    )
    .measured(|health| health.database_bytes),
    row(
        "keep_packets",
        "Age of packets",
        Unit::Seconds,
        Place::Elsewhere(|bounds| bounds.store.keep.packet_age.bound().map(|age| age.as_secs())),
    ),
    row(
        "keep_packets_bytes",
        "Packets that became history",
        Unit::Bytes,
        Place::Elsewhere(|bounds| bounds.store.keep.packet_bytes.bound()),
    )
    .measured(|health| health.kept_bytes),
    row(
        "quarantine_senders",
        "New senders",
        Unit::Count,
        Place::Elsewhere(|bounds| Some(as_u64(bounds.store.keep.new_devices))),
    )
    .dropping(health::QUARANTINE_SENDERS)
    .measured(|health| health.new_senders),
    row(
        "quarantine_bytes",
        "Packets of senders not adopted",
        Unit::Bytes,
        Place::Elsewhere(|bounds| Some(bounds.store.keep.quarantine_bytes)),
    )
    .dropping(health::QUARANTINE_PACKETS)
    .measured(|health| health.quarantine_bytes),
    row(
        "quarantine_age",
        "Age of those packets",
        Unit::Seconds,
        Place::Elsewhere(|bounds| Some(bounds.store.keep.quarantine_age.as_secs())),
    ),
    row("log_file", "One file of the log", Unit::Bytes, number!(64 * KIB..=GIB, log.file_bytes)),
    row("log_files", "Files of the log", Unit::Count, number!(1..=100, log.files)),
    row("map_tiles", "Kept tiles of the online map", Unit::Bytes, number!(MIB..=64 * GIB, window.tile_cache_bytes)),
];

impl Bound {
    /// What it is now; `None` where there is no bound.
    pub fn value(&self, bounds: &Bounds) -> Option<u64> {
        match &self.place {
            Place::Set { get, .. } => Some(get(bounds)),
            Place::Optional { get, .. } | Place::Elsewhere(get) => get(bounds),
            Place::Fixed(value, _) => Some(*value),
        }
    }

    /// Where it comes from, in words.
    pub fn source(&self, bounds: &Bounds) -> &'static str {
        match &self.place {
            Place::Fixed(_, why) => why,
            _ if self.value(bounds) != self.value(&Bounds::default()) => "set",
            _ => "default",
        }
    }

    /// True where the settings can change it.
    pub fn settable(&self) -> bool {
        !matches!(self.place, Place::Fixed(..))
    }

    /// What the settings may say.
    fn allowed(&self) -> String {
        let (range, or_off) = match &self.place {
            Place::Set { range, .. } => (range, ""),
            Place::Optional { range, .. } => (range, ", or \"off\""),
            Place::Elsewhere(_) => return format!("set by `{}` above the tables", self.key),
            Place::Fixed(..) => return "not to be changed".to_owned(),
        };
        let (from, to) = (self.unit.text(*range.start()), self.unit.text(*range.end()));
        let example = match self.unit {
            Unit::Count => "a number",
            Unit::Bytes => "a size as \"64 MiB\"",
            Unit::Seconds => "a time as \"30 s\" or \"7 days\"",
        };
        format!("{example} from {from} to {to}{or_off}")
    }

    /// Reads a value of the settings; `Ok(None)` is none at all. An error: it cannot have this one.
    fn read(&self, value: &DeValue<'_>) -> Result<Option<u64>, ()> {
        let (range, optional) = match &self.place {
            Place::Set { range, .. } => (range, false),
            Place::Optional { range, .. } => (range, true),
            Place::Elsewhere(_) | Place::Fixed(..) => return Err(()),
        };
        let number = match value {
            DeValue::Integer(digits) => u64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            DeValue::String(word) if optional && word.as_ref() == OFF => return Ok(None),
            DeValue::String(word) => self.unit.parse(word),
            _ => None,
        };
        number.filter(|number| range.contains(number)).map(Some).ok_or(())
    }

    fn set(&self, bounds: &mut Bounds, value: Option<u64>) {
        match (&self.place, value) {
            (Place::Set { set, .. }, Some(value)) => set(bounds, value),
            (Place::Optional { set, .. }, value) => set(bounds, value),
            (Place::Set { .. } | Place::Elsewhere(_) | Place::Fixed(..), _) => {}
        }
    }
}

/// What `[limits]` says, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen(Vec<(&'static str, Option<u64>)>);

/// Why a key of `[limits]` is refused.
pub(super) enum Wrong {
    /// Nobody knows it; the text says which there are.
    Key(String),
    /// It cannot have this value.
    Value { found: String, allowed: String },
}

impl Chosen {
    /// Takes one key over.
    pub(super) fn take(&mut self, key: &str, value: &DeValue<'_>) -> Result<(), Wrong> {
        let Some(bound) = TABLE.iter().find(|bound| bound.key == key) else {
            let known: Vec<_> = TABLE.iter().filter(|b| !matches!(b.place, Place::Fixed(..))).map(|b| b.key).collect();
            return Err(Wrong::Key(super::config::nearest(key, &known)));
        };
        let value = bound.read(value).map_err(|()| Wrong::Value { found: found(value), allowed: bound.allowed() })?;
        self.0.push((bound.key, value));
        Ok(())
    }

    /// This, and where it is silent the other.
    pub(super) fn or(mut self, other: Self) -> Self {
        let more: Vec<_> = other.0.into_iter().filter(|(key, _)| self.0.iter().all(|(own, _)| own != key)).collect();
        self.0.extend(more);
        self
    }

    /// The bounds with these in place.
    pub(super) fn bounds(&self) -> Bounds {
        let mut bounds = Bounds::default();
        for (key, value) in &self.0 {
            if let Some(bound) = TABLE.iter().find(|bound| bound.key == *key) {
                bound.set(&mut bounds, *value);
            }
        }
        bounds
    }
}

fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(digits) => digits.to_string(),
        DeValue::String(word) => format!("{word:?}"),
        other => format!("a value of type {}", other.type_str()),
    }
}

impl Unit {
    /// A bound, for people: `12000`, `64 MiB`, `15 min`.
    pub fn text(self, value: u64) -> String {
        match self {
            Self::Count => value.to_string(),
            Self::Bytes => size_text(value),
            Self::Seconds => {
                let units = [(DAY_S, "days"), (60 * MINUTE_S, "h"), (MINUTE_S, "min")];
                match units.into_iter().find(|(s, _)| value >= *s && value.is_multiple_of(*s)) {
                    Some((s, "days")) if value == s => "1 day".to_owned(),
                    Some((s, unit)) => format!("{} {unit}", value / s),
                    None => format!("{value} s"),
                }
            }
        }
    }

    /// How much of a bound is in use.
    pub fn used_text(self, used: u64) -> String {
        match self {
            Self::Bytes => bytes_text(used),
            Self::Count | Self::Seconds => self.text(used),
        }
    }

    fn parse(self, word: &str) -> Option<u64> {
        match self {
            Self::Count => word.trim().parse().ok(),
            Self::Bytes => word.trim().parse().ok().or_else(|| parse_size(word)),
            Self::Seconds => {
                let bare = word.trim().parse().ok();
                bare.or_else(|| word.parse::<jiff::SignedDuration>().ok()?.as_secs().try_into().ok())
                    .or_else(|| parse_age(word).map(|age| age.as_secs()))
            }
        }
    }
}

fn as_u64<T: TryInto<u64>>(value: T) -> u64 {
    value.try_into().unwrap_or(u64::MAX)
}

fn unreachable_in_range<T: Default>() -> T {
    // Every range of the table fits its field on machines of 64 bits; on smaller ones the bound is 0 rather than a panic.
    T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_within_its_range_and_reads_back() {
        let bounds = Bounds::default();
        for bound in TABLE {
            let range = match &bound.place {
                Place::Set { range, .. } | Place::Optional { range, .. } => range,
                Place::Elsewhere(_) | Place::Fixed(..) => continue,
            };
            if let Some(value) = bound.value(&bounds) {
                assert!(range.contains(&value), "{}: {value}", bound.key);
                assert_eq!(bound.unit.parse(&bound.unit.text(value)), Some(value), "{}", bound.key);
            }
            let mut changed = bounds.clone();
            for value in [*range.start(), *range.end()] {
                bound.set(&mut changed, Some(value));
                assert_eq!(bound.value(&changed), Some(value), "{}", bound.key);
            }
        }
        let keys: std::collections::BTreeSet<_> = TABLE.iter().map(|bound| bound.key).collect();
        assert_eq!(keys.len(), TABLE.len(), "each has a key of its own");
    }

    #[test]
    fn sizes_and_times_are_written_as_people_do() {
        for (word, bytes) in [("64 MiB", 64 * MIB), ("2GB", 2_000_000_000), ("4096", 4096), ("64 kib", 64 * KIB)] {
            assert_eq!(Unit::Bytes.parse(word), Some(bytes), "{word}");
        }
        for word in ["", "MiB", "-1 MB", "64 miles", "99999999999 TiB", "é"] {
            assert_eq!(Unit::Bytes.parse(word), None, "{word}");
        }
        for (word, seconds) in [("30 s", 30), ("15 min", 900), ("7 days", 7 * DAY_S), ("1 day", DAY_S), ("90", 90)] {
            assert_eq!(Unit::Seconds.parse(word), Some(seconds), "{word}");
        }
        assert_eq!(Unit::Seconds.parse("soon"), None);
        for (bytes, text) in [(64 * MIB, "64 MiB"), (64_000_000, "64 MB"), (20_000_000_000, "20 GB"), (0, "0 B")] {
            assert_eq!(size_text(bytes), text);
        }
    }
}
