//! One line about one packet: what the packet list says of it, found again from its bytes.

use std::{borrow::Cow, fmt::Write};

use serde_json::Value as Json;

use crate::{
    model::{Direction, Fix, PacketRow, Problem, Profile, Protocol, Report, Severity, Timestamp, reading},
    ui::{format, view::Units},
    wire::{self, Dissection, hex},
};

/// What a line of the packet list says beside time, device and verdict.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// The number that names the kind on the wire (`0x12`), else the kind's own word (`location`).
    pub type_text: Cow<'static, str>,
    /// The kind for a person: `Position`.
    pub title: Cow<'static, str>,
    pub serial: Option<u16>,
    /// The worst doubt about it with the offset, where it is one that matters: `CRC 5B05, computed AC6B at 14..16`.
    pub trouble: Option<String>,
    /// What it told, most important first.
    pub detail: String,
}

/// Readings that a line has room for, most important first.
const TOLD: [&str; 14] = [
    "alarm",
    "result",
    "command",
    "ignition",
    "charge",
    "blocked",
    "batteryLevel",
    "battery",
    "power",
    "rssi",
    "odometer",
    "iccid",
    "driverUniqueId",
    "event",
];

/// A line has room for this many readings beside the place.
const MOST_READINGS: usize = 4;

/// An older or newer fix than this many seconds is said to be so.
const FRESH_S: i64 = 90;

/// The kind of a message that is encrypted.
const ENCRYPTED: &str = "encrypted";

/// A line holds no more characters of a body than this.
const MOST_CHARS: usize = 160;

/// Explains a packet in a line; about as costly as its dissection.
///
/// `answered` is the packet that this one answers, where it is known.
pub fn summarize(row: &PacketRow, profile: &Profile, units: Units, answered: Option<&PacketRow>) -> Summary {
    let dissection = wire::dissect_kept(row, profile);
    summary_of(row, &dissection, units, answered)
}

/// The line of a packet that is already dissected.
pub fn summary_of(row: &PacketRow, dissection: &Dissection, units: Units, answered: Option<&PacketRow>) -> Summary {
    let type_text = match (row.protocol, dissection.type_number) {
        (Protocol::Gt06, Some(number)) => Cow::Owned(format!("0x{number:02x}")),
        (Protocol::Gt06 | Protocol::OwnTracks, _) => row.kind.clone(),
    };
    // The list has no keys: what came under one is opened where the packet is looked into.
    let opened = dissection.kind == ENCRYPTED && row.kind != ENCRYPTED;
    let title = match (row.protocol, row.direction) {
        (Protocol::OwnTracks, Direction::In) if opened => Cow::Owned(sentence(&row.kind)),
        // Our answers over HTTP are no OwnTracks messages.
        (Protocol::OwnTracks, Direction::Out) => Cow::Owned(sentence(&row.kind)),
        (Protocol::Gt06, _) | (Protocol::OwnTracks, Direction::In) if dissection.title.is_empty() => {
            Cow::Owned(sentence(&row.kind))
        }
        (Protocol::Gt06, _) | (Protocol::OwnTracks, Direction::In) => dissection.title.clone(),
    };
    let (trouble, detail) = match row.direction {
        Direction::In if opened => (None, "encrypted, opened with its key".to_owned()),
        Direction::In => (worst(&dissection.problems).map(trouble), told(row, dissection, units)),
        // What we write is not judged by the rules for what devices write.
        Direction::Out => (None, sent(row, dissection, answered)),
    };
    Summary { type_text, title, serial: dissection.serial, trouble, detail }
}

impl Summary {
    /// The whole line as plain text.
    pub fn line(&self) -> String {
        let parts = [self.trouble.as_deref().unwrap_or(""), self.title.as_ref(), self.detail.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
    }
}

/// The first of the worst problems, unless it is a mere note.
fn worst(problems: &[Problem]) -> Option<&Problem> {
    let worst = problems.iter().map(|p| p.severity).max()?;
    problems.iter().find(|p| p.severity == worst && worst > Severity::Note)
}

/// A problem with the bytes it is about: `CRC 5B05, computed AC6B at 14..16`. One that is about the whole has none.
pub fn trouble(problem: &Problem) -> String {
    if problem.span.end == 0 {
        return problem.text.clone();
    }
    format!("{} at {}..{}", problem.text, problem.span.start, problem.span.end)
}

fn told(row: &PacketRow, dissection: &Dissection, units: Units) -> String {
    let mut parts = Vec::new();
    if let Some(device) = &dissection.device
        && row.protocol == Protocol::Gt06
    {
        parts.push(device.clone());
    }
    let several = dissection.reports.len();
    if several > 1 {
        parts.push(format!("{several} reports"));
    }
    if let Some(report) = dissection.reports.last() {
        report_parts(report, row.received, units, &mut parts);
    }
    if parts.is_empty() { body(&row.bytes) } else { parts.join(" · ") }
}

fn report_parts(report: &Report, received: Timestamp, units: Units, parts: &mut Vec<String>) {
    let alarm = report.readings.get("alarm").and_then(Json::as_str);
    if let Some(alarm) = alarm {
        parts.push(format!("alarm {}", alarm.replace(',', ", ")));
    }
    if let Some(fix) = &report.fix {
        fix_parts(fix, received, units, parts);
    }
    let told = TOLD.iter().filter(|key| **key != "alarm");
    parts.extend(told.filter_map(|key| reading_part(key, report.readings.get(key)?)).take(MOST_READINGS));
    let counts = [(report.cells.len(), "cell", "cells"), (report.wifi.len(), "access point", "access points")];
    for (n, one, many) in counts.into_iter().filter(|(n, _, _)| *n > 0) {
        parts.push(format::counted(n as u64, one, many));
    }
    parts.extend(report.events.iter().filter(|e| alarm.is_none() || e.kind != "alarm").map(|e| e.kind.to_string()));
}

fn fix_parts(fix: &Fix, received: Timestamp, units: Units, parts: &mut Vec<String>) {
    parts.push(format::place(fix.place));
    if !fix.valid {
        parts.push("no GPS fix".to_owned());
    }
    if let Some(speed_kmh) = fix.speed_kmh {
        parts.push(format::speed(speed_kmh, units));
    }
    if let Some(course_deg) = fix.course_deg
        && fix.speed_kmh.is_none_or(|v| v > 0.0)
    {
        parts.push(format::course(course_deg));
    }
    if let Some(satellites) = fix.satellites {
        parts.push(format!("{satellites} sat"));
    }
    if let Some(accuracy_m) = fix.accuracy_m {
        parts.push(format!("±{}", format::height(accuracy_m, units)));
    }
    let age_s = received.as_second() - fix.at.as_second();
    if age_s > FRESH_S {
        parts.push(format!("{} old", format::age(age_s)));
    } else if age_s < -FRESH_S {
        parts.push(format!("{} ahead", format::age(-age_s)));
    }
}

fn reading_part(key: &str, value: &Json) -> Option<String> {
    let about = reading::about_key(key)?;
    let label = about.label.to_lowercase();
    Some(match value {
        Json::Bool(on) => format!("{label} {}", if *on { "on" } else { "off" }),
        Json::String(text) => format!("{label} {}", one_line(text)),
        Json::Number(number) if about.unit.is_empty() => format!("{label} {number}"),
        Json::Number(number) => format!("{label} {number} {}", about.unit),
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    })
}

fn sent(row: &PacketRow, dissection: &Dissection, answered: Option<&PacketRow>) -> String {
    let command = dissection.reports.first().and_then(|r| r.readings.get("command")).and_then(Json::as_str);
    let mut text = command.map_or_else(|| body(&row.bytes), one_line);
    if wire::differs(row, true) {
        text += " · not as we answer";
    }
    if let Some(answered) = answered {
        write!(text, " · answers {}", answered.kind).expect("writing to a String cannot fail");
        let delay_ms = row.received.as_millisecond() - answered.received.as_millisecond();
        if delay_ms > 0 {
            write!(text, " after {delay_ms} ms").expect("writing to a String cannot fail");
        }
    }
    text
}

/// The start of the bytes themselves: as text where they are text, else in hex.
fn body(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.trim().is_empty() && !text.contains(|c: char| c.is_control() && !c.is_whitespace()) => {
            one_line(text)
        }
        Ok(_) | Err(_) => {
            let start = bytes.get(..MOST_CHARS / 3).unwrap_or(bytes);
            let pairs: Vec<String> = start.chunks(2).map(hex).collect();
            let more = if start.len() < bytes.len() { " …" } else { "" };
            format!("{}{more}", pairs.join(" "))
        }
    }
}

/// Text on one line, without control characters, cut where a line has no more room.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (n, word) in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).enumerate() {
        if n > 0 {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > MOST_CHARS {
            return line.chars().take(MOST_CHARS).chain(std::iter::once('…')).collect();
        }
    }
    line
}

/// A word of the store as the start of a sentence: `http_reply` is `Http reply`.
fn sentence(kind: &str) -> String {
    let mut chars = kind.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars.map(|c| if matches!(c, '_' | '-') { ' ' } else { c })).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        geo::LatLon,
        model::{Group, PacketId, Readings, Verdict},
    };

    fn row(kind: &'static str, bytes: &[u8]) -> PacketRow {
        PacketRow {
            id: PacketId(1),
            received: "2026-03-14T12:00:00Z".parse().expect("a moment"),
            protocol: Protocol::Gt06,
            direction: Direction::In,
            peer: "10.0.0.9:4711".into(),
            connection: 1,
            device: None,
            kind: kind.into(),
            verdict: Verdict::Ok,
            bytes: Arc::from(bytes),
            context: None,
            answers: None,
        }
    }

    fn fix(at: &str) -> Fix {
        Fix {
            at: at.parse().expect("a moment"),
            place: LatLon::new(51.123_451, -4.391_27).expect("on the globe"),
            valid: true,
            altitude_m: None,
            speed_kmh: Some(42.0),
            course_deg: Some(9.0),
            satellites: Some(12),
            accuracy_m: None,
        }
    }

    fn check(row: &PacketRow, dissection: &Dissection, line: &str) {
        assert_eq!(summary_of(row, dissection, Units::Metric, None).line(), line);
    }

    #[test]
    fn a_position_says_place_speed_course_and_how_old_it_is() {
        let mut readings = Readings::new();
        readings.set("ignition", true);
        readings.set("power", 12.4);
        readings.alarm("sos");
        let report = Report { fix: Some(fix("2026-03-14T11:46:00Z")), readings, ..Report::default() };
        let dissection = Dissection { title: "Alarm".into(), reports: vec![report], ..Dissection::default() };
        check(
            &row("alarm", &[]),
            &dissection,
            "Alarm  alarm sos · 51.12345, -4.39127 · 42 km/h · 009° · 12 sat · 14 min old · ignition on · supply voltage 12.4 V",
        );
    }

    #[test]
    fn a_refused_packet_says_why_and_where_before_anything_else() {
        let note = Problem {
            severity: Severity::Note,
            group: Group::Framing,
            text: "stop is missing".to_owned(),
            span: 16..16,
        };
        let crc = Problem {
            severity: Severity::Error,
            group: Group::Checksum,
            text: "CRC 5B05, computed AC6B".to_owned(),
            span: 14..16,
        };
        let mut dissection = Dissection {
            title: "Login".into(),
            type_number: Some(1),
            serial: Some(1),
            device: Some("123456789012345".to_owned()),
            problems: vec![note.clone(), crc],
            ..Dissection::default()
        };
        check(&row("login", &[]), &dissection, "CRC 5B05, computed AC6B at 14..16  Login  123456789012345");
        dissection.problems = vec![note];
        check(&row("login", &[]), &dissection, "Login  123456789012345");
        assert_eq!(summary_of(&row("login", &[]), &dissection, Units::Metric, None).type_text, "0x01");
    }

    #[test]
    fn what_tells_nothing_shows_its_bytes() {
        check(&row("noise", &[0x16, 0x03, 0x01]), &Dissection::default(), "Noise  1603 01");
        check(&row("noise", b"GET / HTTP/1.1\r\n"), &Dissection::default(), "Noise  GET / HTTP/1.1");
    }

    #[test]
    fn what_a_key_has_opened_is_no_trouble() {
        let body = br#"{"_type":"encrypted","data":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"}"#;
        let packet = |kind| PacketRow { protocol: Protocol::OwnTracks, ..row(kind, body) };
        let said = |kind| summarize(&packet(kind), &Profile::default(), Units::Metric, None);
        assert_eq!(said("location").line(), "Location  encrypted, opened with its key");
        assert!(said("encrypted").trouble.is_some(), "nobody could open this one");
    }

    #[test]
    fn an_answer_says_how_long_it_took() {
        let asked = row("login", &[]);
        let mut answer = row("ack", &[0x78, 0x78, 0x05]);
        answer.direction = Direction::Out;
        answer.received = "2026-03-14T12:00:00.012Z".parse().expect("a moment");
        let line = summary_of(&answer, &Dissection::default(), Units::Metric, Some(&asked)).line();
        assert_eq!(line, "Ack  7878 05 · answers login after 12 ms");
    }

    #[test]
    fn only_what_we_answer_to_an_unknown_type_is_an_acknowledgement() {
        let bytes = wire::gt06::encode::acknowledge(wire::gt06::encode::Start::Short, 0x77, 9);
        let mut packet = row("ack", &bytes);
        packet.direction = Direction::Out;
        let said = |packet: &PacketRow| summarize(packet, &Profile::default(), Units::Metric, None);
        assert_eq!((said(&packet).title.as_ref(), said(&packet).type_text.as_ref()), ("Acknowledgement", "0x77"));
        assert_eq!(wire::dissect_kept(&packet, &Profile::default()).verdict(), Verdict::Ok);
        packet.direction = Direction::In;
        assert_eq!(said(&packet).title, "Unknown type");
    }

    #[test]
    fn answers_without_a_checksum_are_no_damaged_frames() {
        let login = "78780d01010d0a7878073007ea0b151206190d0a";
        for (hex, fields) in [
            ("787812101a0b151206190d0a", 5),
            (login, 16),
            ("78780713644d0819640d0a", 5),
            ("787800172611211206190d0a", 5),
        ] {
            let bytes: Vec<u8> = hex
                .as_bytes()
                .chunks(2)
                .map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap())
                .collect();
            let mut packet = row("ack", &bytes);
            packet.direction = Direction::Out;
            let told = wire::dissect_kept(&packet, &Profile::default());
            assert_eq!(
                (told.title.as_ref(), told.verdict(), told.reports.len()),
                ("Acknowledgement (Topin)", Verdict::Ok, 0),
                "{hex}"
            );
            assert!(told.problems.is_empty() && told.fields.len() > fields, "{hex}: {:?}", told.fields);
        }
    }
}
