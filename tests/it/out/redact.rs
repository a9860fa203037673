//! What was redacted decodes as before, and tells nobody's identity and place.

use std::fs;

use wayglass::{
    capture::redact::Redactor,
    model::{Direction, PacketRow, Profile, Protocol, Timestamp},
    wire::{CrcCheck, Dissection, Value, dissect_kept, gt06, hex},
};

use super::{super::support::bytes, row};

/// Words of a fixture that name somebody, and places, as its tree shows them.
fn told(dissection: &Dissection) -> (Vec<String>, Vec<f64>) {
    let (mut names, mut places) = (Vec::new(), Vec::new());
    for field in &dissection.fields {
        let key = field.name.split(' ').next().unwrap_or_default();
        match (&*field.name, key, &field.value) {
            ("IMEI" | "Terminal" | "IMSI" | "ICCID", _, Value::Text(text)) if text.len() > 8 => {
                names.push(text.clone());
            }
            ("MAC", _, Value::Text(text)) if text.len() > 8 => names.push(text.replace(':', "")),
            (_, "topic", Value::Text(text)) => {
                names.extend(text.split('/').filter(|part| part.len() > 3).map(str::to_owned));
            }
            (_, "ssid" | "bssid" | "desc" | "name" | "username" | "password", Value::Text(text)) if text.len() > 3 => {
                names.push(text.clone());
            }
            (_, "Latitude" | "Longitude" | "lat" | "lon", Value::Scaled { value, .. } | Value::Real(value)) => {
                places.push(*value);
            }
            _ => {}
        }
    }
    // Zeros throughout say that there is nothing.
    names.retain(|name| name.chars().any(|c| c != '0'));
    names.retain(|name| {
        !["owntracks", "event", "waypoint", "waypoints", "info", "cmd", "beacon", "status", "request", "dump", "step"]
            .contains(&name.as_str())
    });
    (names, places)
}

fn check(row: &PacketRow, name: &str) {
    let profile = Profile::default();
    let before = dissect_kept(row, &profile);
    let after_row = Redactor::new(7).row(row, None);
    let after = dissect_kept(&after_row, &profile);
    assert_eq!(
        (&after.kind, after.verdict()),
        (&before.kind, before.verdict()),
        "{name}: {:?}\n{:?}",
        before.problems,
        after.problems
    );
    let shape = |d: &Dissection| d.fields.iter().map(|f| (f.name.clone(), f.depth, f.bits)).collect::<Vec<_>>();
    if before.kind != "encrypted" {
        assert_eq!(shape(&after), shape(&before), "{name}");
    }
    assert_eq!(before.crc.map(CrcCheck::ok), after.crc.map(CrcCheck::ok), "{name}");
    let (names, places) = told(&before);
    let (text, digits) = (String::from_utf8_lossy(&after_row.bytes).into_owned(), hex(&after_row.bytes));
    for secret in names {
        assert!(!text.contains(&secret) && !digits.contains(&secret), "{name}: {secret} is still there");
    }
    let (_, now) = told(&after);
    for (old, new) in places.iter().zip(&now) {
        assert!(*old == 0.0 || (old - new).abs() > 0.5, "{name}: {old} became {new}");
    }
}

#[test]
fn every_fixture_of_gt06_reads_the_same_without_whom_and_where() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in fs::read_dir("tests/fixtures/gt06").unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let head = text.split("---\n").next().unwrap();
        let digits: String = head.lines().filter(|line| !line.contains(':')).collect();
        let buffer = bytes(&digits);
        let mut state = gt06::State::default();
        for piece in gt06::explain(&buffer, &Profile::default(), &mut state, Timestamp::UNIX_EPOCH) {
            let context = state.context(false, &buffer[piece.bytes.clone()]);
            let row = PacketRow {
                context: context.map(Into::into),
                ..row(1, Protocol::Gt06, Direction::In, &buffer[piece.bytes])
            };
            let name = path.display().to_string();
            wrong.extend(std::panic::catch_unwind(|| check(&row, &name)).is_err().then_some(name));
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_fixture_of_owntracks_reads_the_same_without_whom_and_where() {
    let mut seen = 0;
    for file in fs::read_dir("tests/fixtures/owntracks").unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let (head, _) = text.split_once("\n----\n").unwrap();
        let body = head.strip_prefix("key: ").and_then(|rest| rest.split_once('\n')).map_or(head, |(_, body)| body);
        check(&row(1, Protocol::OwnTracks, Direction::In, body.as_bytes()), &path.display().to_string());
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn shapes_stay_and_the_same_name_stays_the_same() {
    let mut redactor = Redactor::new(99);
    let mut body = |lat: f64, topic: &str| {
        let text =
            format!(r#"{{"_type":"location","topic":"{topic}","tid":"JJ","lat":{lat:.5},"lon":2.5,"tst":1700000000}}"#);
        let row = redactor.row(&row(1, Protocol::OwnTracks, Direction::In, text.as_bytes()), None);
        serde_json::from_slice::<serde_json::Value>(&row.bytes).unwrap()
    };
    let (one, two, other) =
        (body(48.1, "owntracks/jane/phone"), body(48.2, "owntracks/jane/phone"), body(48.1, "owntracks/joe/phone"));
    let lat = |v: &serde_json::Value| v["lat"].as_f64().unwrap();
    assert!(((lat(&two) - lat(&one)).abs() - 0.1).abs() < 1e-4, "{one} {two}");
    assert_eq!(one["topic"], two["topic"]);
    assert_ne!(one["topic"], other["topic"]);
    assert!(one["topic"].as_str().unwrap().starts_with("owntracks/name"));
}

#[test]
fn what_stands_beside_a_body_names_nobody_either() {
    let context = r#"{"method":"POST","path":"/pub","query":"u=jane&d=phone&k=…","X-Limit-U":"jane","X-Limit-D":"phone","user":"jane"}"#;
    let row = PacketRow { context: Some(context.into()), ..row(1, Protocol::OwnTracks, Direction::In, b"{}") };
    let after = Redactor::new(1).row(&row, None);
    let text = after.context.unwrap();
    assert!(!text.contains("jane") && !text.contains("\"phone\"") && text.contains("/pub"), "{text}");
    assert!(!after.peer.contains("10.0.0.9") && after.peer.ends_with(":40001"), "{}", after.peer);
}
