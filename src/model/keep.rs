//! How long what arrives is kept, and how much of it. Positions and events are history: no bound removes those of an adopted device.

use std::{fmt, time::Duration};

/// The bounds on what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Packets that became history go when they are older. What they told stays.
    pub packet_age: Forever<Duration>,
    /// Bytes that those packets may take in the file, about; the oldest go first.
    pub packet_bytes: Forever<u64>,
    /// New senders that are kept; the one that was silent for longest goes first.
    pub new_devices: usize,
    /// Bytes kept of packets whose sender is unknown, new or ignored; the oldest go first, with what they told.
    pub quarantine_bytes: u64,
    /// How long those packets are kept.
    pub quarantine_age: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            packet_age: Forever::Until(DAY * 30),
            packet_bytes: Forever::Until(2_000_000_000),
            new_devices: 200,
            quarantine_bytes: 64_000_000,
            quarantine_age: DAY * 7,
        }
    }
}

/// A bound, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forever<T> {
    Until(T),
    Forever,
}

/// What takes a bound away, in settings and on the command line.
pub const FOREVER: &str = "forever";

impl<T> Forever<T> {
    /// The bound, where there is one.
    pub fn bound(self) -> Option<T> {
        match self {
            Self::Until(bound) => Some(bound),
            Self::Forever => None,
        }
    }
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Words for a span of time, the first of each kind the one that is written.
const SPANS: [(&[&str], Duration); 4] = [
    (&["year", "years", "y"], Duration::from_hours(365 * 24)),
    (&["week", "weeks", "w"], Duration::from_hours(7 * 24)),
    (&["day", "days", "d"], DAY),
    (&["hour", "hours", "h"], HOUR),
];

/// Words for bytes. Kilo is 1000, as disks are sold; with an `i` it is 1024.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads `30 days`, `12 h`, `2 weeks`, `1 year`; a number alone is days. At least an hour, at most a thousand years.
pub fn parse_age(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let unit = match unit.as_str() {
        "" => DAY,
        word => SPANS.iter().find(|(words, _)| words.contains(&word))?.1,
    };
    let most = Duration::from_hours(24 * 365 * 1000).as_secs_f64();
    let seconds = number * unit.as_secs_f64();
    (HOUR.as_secs_f64()..=most).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// Reads `2 GB`, `500 MB`, `1.5 GiB`. At least a megabyte, at most a million terabytes.
pub fn parse_bytes(text: &str) -> Option<u64> {
    parse_size(text).filter(|bytes| *bytes >= 1_000_000)
}

/// … of any size: `64 KiB`, `0 B`.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let unit = SIZES.iter().find(|(word, _)| word.eq_ignore_ascii_case(&unit))?.1;
    #[expect(clippy::cast_precision_loss, reason = "units are round")]
    let bytes = number * unit as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds")]
    (0.0..=1e18).contains(&bytes).then(|| bytes.round() as u64)
}

/// A size as it was set: a bound is a round number, of 1024s or of 1000s; the shorter one.
pub fn size_text(bytes: u64) -> String {
    let fitting = SIZES.iter().filter(|(_, size)| bytes.is_multiple_of(*size));
    let (word, size) = fitting.min_by_key(|(_, size)| bytes / size).filter(|_| bytes > 0).unwrap_or(&("B", 1));
    format!("{} {word}", bytes / size)
}

/// A bound in the words that `parse` understands, or `forever`.
pub fn parse_forever<T>(text: &str, parse: fn(&str) -> Option<T>) -> Option<Forever<T>> {
    if text.trim().eq_ignore_ascii_case(FOREVER) { Some(Forever::Forever) } else { parse(text).map(Forever::Until) }
}

fn number_and_unit(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok().filter(|n: &f64| n.is_finite())?, unit.trim().to_ascii_lowercase()))
}

/// A span of time as [`parse_age`] reads it: `30 days`. Below an hour nothing is told apart.
pub fn age_text(age: Duration) -> String {
    let hours = age.as_secs() / HOUR.as_secs();
    let unit = |n: u64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match (hours % 24, hours / 24) {
        (0, days) if days > 0 && days.is_multiple_of(365) => unit(days / 365, "year"),
        (0, days) if days > 0 => unit(days, "day"),
        _ => unit(hours, "hour"),
    }
}

/// A size as [`parse_bytes`] reads it, with at most one digit behind the point: `2 GB`, `1.5 MB`.
pub fn bytes_text(bytes: u64) -> String {
    let (word, unit) = match bytes {
        1_000_000_000_000.. => ("TB", 1_000_000_000_000),
        1_000_000_000.. => ("GB", 1_000_000_000),
        1_000_000.. => ("MB", 1_000_000),
        1_000.. => ("kB", 1_000),
        _ => return format!("{bytes} B"),
    };
    let tenths = u128::from(bytes) * 10 / unit;
    if tenths.is_multiple_of(10) {
        format!("{} {word}", tenths / 10)
    } else {
        format!("{}.{} {word}", tenths / 10, tenths % 10)
    }
}

impl fmt::Display for Forever<Duration> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bound().map_or_else(|| FOREVER.to_owned(), age_text))
    }
}

impl fmt::Display for Forever<u64> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bound().map_or_else(|| FOREVER.to_owned(), bytes_text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_read_as_they_are_written() {
        for (text, hours) in
            [("30 days", 720), ("30", 720), ("12h", 12), ("2 weeks", 336), ("1 year", 8760), ("1.5 d", 36)]
        {
            assert_eq!(parse_age(text), Some(Duration::from_hours(hours)), "{text}");
        }
        for text in ["", "days", "0 days", "5 min", "-3 d", "1e9 y", "nan", "30 dayz", "5000 years", ".", "1.2.3 d"] {
            assert_eq!(parse_age(text), None, "{text}");
        }
        for (text, bytes) in
            [("2 GB", 2_000_000_000), ("500mb", 500_000_000), ("1.5 GiB", 1_610_612_736), ("64 MiB", 67_108_864)]
        {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
        for text in ["", "GB", "2", "0 GB", "2 XB", "-1 GB", "10 kB", "99999999 TB"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
        for text in ["1 hour", "30 days", "8 days", "2 years", "36 hours"] {
            assert_eq!(parse_age(text).map(age_text).as_deref(), Some(text));
        }
        for text in ["2 GB", "1.5 MB", "64 MB", "3 TB"] {
            assert_eq!(parse_bytes(text).map(bytes_text).as_deref(), Some(text));
        }
        assert_eq!(parse_forever("Forever", parse_age), Some(Forever::Forever));
        assert_eq!(Forever::<u64>::Forever.to_string(), "forever");
    }
}
