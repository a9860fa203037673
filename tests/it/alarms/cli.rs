//! `wayglass place` and `wayglass events`, run as a person runs them.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use wayglass::model::Policy;

use super::engine::report;
use crate::support::{Station, TestClock, post};

fn call(folder: &std::path::Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    command.args(words).arg("--data-dir").arg(folder).env("TZ", "UTC").env("XDG_CONFIG_HOME", folder);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn places_and_events_work_beside_a_running_instance() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    assert_eq!(post(station.owntracks, &report("a", -10, 500.0, &json!({}))).status, 200);
    let folder = station.folder.path();
    for words in [
        &["place", "add", "Yard", "--circle", "51.0,4.0,100", "--device", "owntracks/a/phone", "--dwell", "5"][..],
        &["place", "add", "South", "--polygon", "-34,18 -34,19 -33,19", "--colour", "#d97706"],
    ] {
        let (code, out, err) = call(folder, words);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
    }
    for (wrong, why) in [
        (&["place", "add", "X", "--circle", "95,0,10"][..], "no circle"),
        (&["place", "add", "X", "--circle", "5,0,0"], "radius"),
        (&["place", "add", "X", "--polygon", "1,1 2,2"], "three corners"),
        (&["place", "add", " ", "--circle", "5,0,10"], "name"),
        (&["place", "add", "X"], "--circle"),
    ] {
        let (code, _, err) = call(folder, wrong);
        assert!(code == 2 && err.contains(why), "{wrong:?}: {code} {err}");
    }
    let (_, list, _) = call(folder, &["place", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list[1]["devices"], json!(["owntracks/a/phone"]));
    assert_eq!(list[1]["dwell_min"], 5);
    assert_eq!(list[0]["colour"], "#d97706");
    // The clock of the command line is the system's, so the place is not there yet for the instance of the test.
    let yard = wayglass::model::watch::PlaceId(list[1]["id"].as_i64().unwrap());
    let spec = station.backend().watch_set_up().wait().unwrap().places.into_iter().find(|p| p.id == yard).unwrap().spec;
    station.backend().put_place(Some(yard), Some("2026-11-21T12:00:00Z".parse().unwrap()), spec).wait().unwrap();
    for (second, metres) in [(60, 0.0), (120, 600.0)] {
        assert_eq!(post(station.owntracks, &report("a", second, metres, &json!({}))).status, 200);
    }
    station.until("both events", |s| s.sql::<i64>("SELECT count(*) FROM events WHERE type IN ('enter', 'leave')") == 2);
    let (_, out, _) = call(folder, &["events", "--json", "--device", "owntracks/a/phone", "--type", "leave"]);
    let events: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["time"], "2026-11-21T12:02:00Z");
    assert_eq!(events[0]["attributes"]["place"], "Yard");
    let (_, out, _) = call(folder, &["events", "--to", "2026-11-21T12:01:30Z"]);
    assert!(out.contains("Entered") && out.contains("Yard") && !out.contains("Left"), "{out}");
    assert_eq!(call(folder, &["place", "remove", "Yard"]).0, 0);
    assert_eq!(call(folder, &["place", "remove", "Yard"]).0, 1);
    assert!(call(folder, &["events"]).1.contains("Left"), "events stay");
}
