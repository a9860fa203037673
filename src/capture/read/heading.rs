//! What a line of a log says beside its bytes: when, which connection, with whom.

use jiff::{civil::DateTime, tz::TimeZone};

use crate::{capture::Closer, model::Timestamp};

/// Brackets that are looked into: each costs a search.
const MOST_BRACKETS: usize = 16;
/// A longer word in brackets is no name of a connection.
const MOST_NAME: usize = 128;

/// What stands around the bytes of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Heading {
    pub(super) at: Option<Timestamp>,
    /// The time has no zone, so the one that was said counts.
    pub(super) zoneless: bool,
    /// Tells connections apart; empty where the line does not.
    pub(super) connection: String,
    /// Address of the device, and its port where the line tells it.
    pub(super) peer: String,
    /// The line says that the connection ended.
    pub(super) closed: Option<Closer>,
}

impl Heading {
    pub(super) fn of(text: &str, zone: &TimeZone) -> Self {
        let (at, zoneless) = match time(text.trim_start(), zone) {
            Some((at, zoneless)) => (Some(at), zoneless),
            None => (None, false),
        };
        let head = text.get(..text.to_ascii_lowercase().find("hex:").unwrap_or(text.len())).unwrap_or_default();
        let mut heading = Self { at, zoneless, ..Self::default() };
        for (start, _) in head.match_indices('[').take(MOST_BRACKETS) {
            let Some(inside) = head.get(start + 1..) else { break };
            let Some((inside, after)) = inside.split_once(']') else { break };
            if heading.read_bracket(inside, after) {
                break;
            }
        }
        heading
    }

    /// `Te3c4e6ff: gt06 < 192.0.2.7`, `5023 <- 192.0.2.7:4000`, `Te3c4e6ff`. True where it was one.
    fn read_bracket(&mut self, inside: &str, after: &str) -> bool {
        if inside.len() > MOST_NAME || inside.contains(['{', '"']) {
            return false;
        }
        let (name, rest) = match inside.split_once(": ") {
            Some((name, rest)) => (Some(name.trim()), rest),
            None => (None, inside),
        };
        if let Some((port, peer)) = rest.split_once(['<', '>']) {
            peer.trim_matches(['-', '>', ' ']).clone_into(&mut self.peer);
            let port = port.trim_matches(['-', ' ']);
            self.connection = name.map_or_else(|| format!("{port} {}", self.peer), str::to_owned);
            return true;
        }
        let word = inside.trim();
        let after = after.trim_start();
        let said = ["connected", "disconnected", "error", "timed out", "id:"].iter().any(|w| after.starts_with(w));
        if said && !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric()) {
            word.clone_into(&mut self.connection);
            self.closed = match after {
                _ if after.starts_with("disconnected") => Some(Closer::Unsaid),
                _ if after.starts_with("timed out") => Some(Closer::Silence),
                _ => None,
            };
            return true;
        }
        false
    }
}

/// A date and a time at the beginning of a text; true: without a zone.
fn time(text: &str, zone: &TimeZone) -> Option<(Timestamp, bool)> {
    let text = text.strip_prefix('[').unwrap_or(text);
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', ' ', '\t'])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let digits = |r: &str| r.len() - r.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (fraction, rest) = match rest.strip_prefix(['.', ',']) {
        Some(after) => after.split_at_checked(digits(after))?,
        None => ("", rest),
    };
    let fraction = fraction.get(..fraction.len().min(9)).unwrap_or_default();
    let dot = if fraction.is_empty() { "" } else { "." };
    let civil: DateTime = format!("{date}T{clock}{dot}{fraction}").parse().ok()?;
    match offset_s(rest) {
        Some(offset_s) => {
            let offset = jiff::tz::Offset::from_seconds(offset_s).ok()?;
            Some((offset.to_timestamp(civil).ok()?, false))
        }
        None => Some((civil.to_zoned(zone.clone()).ok()?.timestamp(), true)),
    }
}

/// `Z`, `+02:00`, `-0330` right behind a time.
fn offset_s(rest: &str) -> Option<i32> {
    if rest.starts_with('Z') {
        return Some(0);
    }
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let mut digits = rest.chars().skip(1).filter(|c| *c != ':').map_while(|c| c.to_digit(10)).take(4);
    let mut next = || i32::try_from(digits.next()?).ok();
    let hours = next()? * 10 + next()?;
    let minutes = next().zip(next()).map_or(0, |(a, b)| a * 10 + b);
    Some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> (String, String, String) {
        let heading = Heading::of(line, &TimeZone::get("Europe/Brussels").unwrap());
        (heading.at.map(|at| at.to_string()).unwrap_or_default(), heading.connection, heading.peer)
    }

    #[test]
    fn every_layout_tells_its_connection() {
        let cases = [
            ("FINE: [5023 <- 192.0.2.7] - (HEX: 7878)", ("", "5023 192.0.2.7", "192.0.2.7")),
            (
                "2013-05-01 10:00:00 DEBUG: [7F1D2C1B: 5001 <- 192.0.2.7] - HEX: 78",
                ("2013-05-01T08:00:00Z", "7F1D2C1B", "192.0.2.7"),
            ),
            (
                "2019-02-03T04:05:06.25Z  INFO: [dc8df32f: 6023 > 192.0.2.7:4000] [TCP] HEX: 78",
                ("2019-02-03T04:05:06.25Z", "dc8df32f", "192.0.2.7:4000"),
            ),
            (
                "2024-01-02 03:04:05+0100 [Te3c4e6ff: gt06 < 192.0.2.7] 7878",
                ("2024-01-02T02:04:05Z", "Te3c4e6ff", "192.0.2.7"),
            ),
            ("2024-01-02 03:04:05,123-03:30 78", ("2024-01-02T06:34:05.123Z", "", "")),
            ("7878", ("", "", "")),
        ];
        for (line, (at, connection, peer)) in cases {
            assert_eq!(told(line), (at.to_owned(), connection.to_owned(), peer.to_owned()), "{line}");
        }
    }

    #[test]
    fn an_end_is_heard() {
        let heading = Heading::of("2024-01-02 03:04:05  INFO: [Te3c4e6ff] disconnected", &TimeZone::UTC);
        assert_eq!(heading.closed, Some(Closer::Unsaid));
        assert_eq!(heading.connection, "Te3c4e6ff");
    }
}
