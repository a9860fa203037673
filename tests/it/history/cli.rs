//! `wayglass trips`.

use std::process::Command;

use serde_json::Value;
use wayglass::model::Policy;

use super::desk::day;
use crate::support::{Station, post};

fn trips(folder: &std::path::Path, words: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wayglass"))
        .env("TZ", "UTC")
        .env("HOME", folder)
        .args(["trips", "--data-dir"])
        .arg(folder)
        .args(words)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn trips_and_stops_of_a_day_are_listed() {
    let station = Station::start(Policy::Adopt);
    for (second, metres) in day() {
        let (tst, lat) = (1_795_132_800 + second, 51.0 + metres / 111_195.0);
        let body = format!(r#"{{"_type":"location","topic":"owntracks/van/phone","tst":{tst},"lat":{lat},"lon":4.0}}"#);
        assert_eq!(post(station.owntracks, &body).status, 200);
    }
    let folder = station.folder.path();
    let (done, out, err) = trips(folder, &["--device", "owntracks/van/phone", "--json"]);
    assert!(done, "{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let kinds: Vec<_> = told["legs"].as_array().unwrap().iter().map(|leg| leg["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["stop", "trip", "stop", "trip", "stop"]);
    let customer = &told["legs"][2];
    assert_eq!((&customer["from"], &customer["duration_s"]), (&"2026-11-20T09:10:00Z".into(), &1_800.into()));
    let distance_m = told["distance_m"].as_f64().unwrap();
    assert!((distance_m - 16_000.0).abs() < 50.0, "{distance_m}");

    let (done, out, _) =
        trips(folder, &["--device", "all", "--from", "2026-11-20T09:05:00Z", "--to", "2026-11-20T09:50:00Z"]);
    assert!(done && out.contains("09:10:00 - 09:40:00 UTC  stop      30:00  51.07195 4.00000"), "{out}");
    let (done, _, err) = trips(folder, &["--device", "nobody"]);
    assert!(!done && err.contains("nobody"), "{err}");
}
