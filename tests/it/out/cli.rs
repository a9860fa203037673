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
fn a_report_begins_with_an_overview_that_leads_to_its_packets() {
    let station = station();
    let alarm = "787825260f0c1d030b26c9027ac8180c4658600004000901cc00287d001f718004041302000c472a0d0a";
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send("78780d01012345678901234500018cdd0d0a");
    tracker.expect("787805010001d9dc0d0a");
    tracker.send(alarm);
    tracker.send("78780d01012345678901234500018cde0d0a");
    station.until("all is kept", |s| s.sql::<i64>("SELECT count(*) FROM packets WHERE direction = 'in'") == 5);
    station.until("the alarm is kept", |s| s.sql::<i64>("SELECT count(*) FROM events WHERE type = 'alarm'") == 1);
    let output = wayglass(&station, &["report"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let (overview, rest) = text.split_once("<a id=").unwrap();
    assert!(overview.contains("| # | Time | Device | Kind | Verdict | Reason |"), "{overview}");
    let lines: Vec<_> = overview.lines().filter(|line| line.starts_with("| [")).collect();
    assert_eq!(i64::try_from(lines.len()).unwrap(), station.sql::<i64>("SELECT count(*) FROM packets"), "{overview}");
    let wrong = lines.iter().find(|line| line.contains("| error |")).unwrap();
    assert!(wrong.contains("123456789012345 | login, received") && wrong.contains("checksum"), "{wrong}");
    for line in lines {
        let (_, anchor) = line.split_once("](#").unwrap();
        let (anchor, _) = anchor.split_once(')').unwrap();
        assert!(format!("<a id={rest}").contains(&format!("<a id=\"{anchor}\"></a>")), "{line}");
        let time = line.split(" | ").nth(1).unwrap();
        assert_eq!(time.len(), "2026-11-21T14:02:31.000Z".len(), "milliseconds: {time}");
    }
    assert!(overview.contains("## Events") && overview.contains("| Alarm | alarm: "), "{overview}");
    assert!(overview.contains("## Rules") && overview.contains("All devices: every alarm that the device tells"));
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
