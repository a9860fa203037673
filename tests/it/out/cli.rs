//! `wayglass packets` and `wayglass report` beside a running instance.

use std::process::{Command, Output};

use wayglass::model::Policy;

use super::super::support::{Station, Tracker, post};

fn wayglass(station: &Station, args: &[&str]) -> Output {
    let mut call = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    call.arg("--data-dir").arg(station.folder.path()).args(args).env("TZ", "UTC").output().unwrap()
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn station() -> Station {
    let station = Station::start(Policy::Adopt);
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send("78780d01012345678901234500018cdd0d0a");
    tracker.expect("787805010001d9dc0d0a");
    let body = r#"{"_type":"location","topic":"owntracks/jane/phone","tid":"JJ","lat":48.85833,"lon":2.29513,"tst":1700000000}"#;
    assert_eq!(post(station.owntracks, body).status, 200);
    station
}

#[test]
fn packets_are_chosen_by_device_and_filter() {
    let station = station();
    let all = lines(&wayglass(&station, &["packets", "--format", "jsonl"]));
    assert_eq!(all.len(), 4, "{all:?}");
    let logins =
        lines(&wayglass(&station, &["packets", "--format", "jsonl", "--filter", "kind == login && dir == in"]));
    assert_eq!(logins.len(), 1);
    assert_eq!(logins[0]["device"], "123456789012345");
    assert_eq!(logins[0]["hex"], "78780d01012345678901234500018cdd0d0a");
    let phone = lines(&wayglass(&station, &["packets", "--format", "jsonl", "--device", "owntracks/jane/phone"]));
    assert_eq!(phone.len(), 2);
    let fast = lines(&wayglass(&station, &["packets", "--format", "jsonl", "--filter", "speed > 500"]));
    assert!(fast.is_empty());
    let wrong = wayglass(&station, &["packets", "--format", "jsonl", "--filter", "kind == login && ("]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("character"), "{wrong:?}");
}

#[test]
fn a_redacted_report_shows_trees_and_nobody() {
    let station = station();
    let plain = wayglass(&station, &["report"]);
    let text = String::from_utf8_lossy(&plain.stdout);
    assert!(text.contains("123456789012345") && text.contains("| 4..12 | IMEI"), "{text}");
    assert!(text.contains("78 78 0d 01") && text.contains("`787805010001d9dc0d0a`"), "{text}");
    let file = station.folder.path().join("report.md");
    let redacted = wayglass(&station, &["report", "--redact", "--output", file.to_str().unwrap()]);
    assert!(redacted.status.success(), "{redacted:?}");
    let text = std::fs::read_to_string(file).unwrap();
    for secret in ["123456789012345", "0123456789012345", "jane", "48.85833", "2.29513", "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
    assert!(text.contains("IMEI") && text.contains("lat (latitude)") && text.contains(": fits"), "{text}");
}
