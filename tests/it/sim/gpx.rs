//! A fleet that drives a GPX: over the command line, into a receiver.

use std::{path::Path, process::Command};

use wayglass::{geo::LatLon, model::Policy};

use super::super::support::Station;

const TRACK: &str = r#"<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="51.2000" lon="4.4000"><ele>5</ele><time>2026-05-01T10:00:00Z</time></trkpt>
<trkpt lat="51.2100" lon="4.4000"><ele>9</ele><time>2026-05-01T10:01:00Z</time></trkpt>
<trkpt lat="51.2100" lon="4.4200"><ele>9</ele><time>2026-05-01T10:02:00Z</time></trkpt>
</trkseg></trk></gpx>"#;
/// A plan, without times.
const ROUTE: &str = r#"<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">
<rte><rtept lat="51.2" lon="4.4"/><rtept lat="51.2" lon="4.41"/></rte></gpx>"#;

fn simulate(home: &Path, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    let done = command.env("HOME", home).env_remove("WAYGLASS_OWNTRACKS_AUTH").arg("simulate").args(words).output();
    let done = done.unwrap();
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (done.status.success(), said)
}

/// Metres from the nearest point of the two sides of the track.
fn off_track(at: LatLon) -> f64 {
    let corner = |lat, lon| LatLon::new(lat, lon).unwrap();
    let sides = [(corner(51.20, 4.40), corner(51.21, 4.40)), (corner(51.21, 4.40), corner(51.21, 4.42))];
    let nearest = |(from, to): &(LatLon, LatLon)| {
        let parts = (0..=400).map(|n| from.part_of_way(*to, f64::from(n) / 400.0).distance_m(at));
        parts.fold(f64::INFINITY, f64::min)
    };
    sides.iter().map(nearest).fold(f64::INFINITY, f64::min)
}

#[test]
fn a_fleet_drives_a_gpx_to_its_end_and_stops() {
    let station = Station::start_live(Policy::Adopt);
    let home = tempfile::tempdir().unwrap();
    let gpx = home.path().join("way.gpx");
    std::fs::write(&gpx, TRACK).unwrap();
    let (gt06, owntracks) = (station.gt06.to_string(), format!("http://{}", station.owntracks));
    let words = ["--devices", "3", "--interval", "1", "--faster", "40", "--apart", "1", "--gpx", gpx.to_str().unwrap()];
    let words = [&words[..], &["--gt06", &gt06, "--owntracks", &owntracks]].concat();
    let (done, said) = simulate(home.path(), &words);
    assert!(done && said.contains("3 devices: ") && said.contains(" 0 failed, 0 connections broken"), "{said}");
    let devices: i64 = station.sql("SELECT count(DISTINCT device_id) FROM positions");
    assert_eq!(devices, 3);
    let folder = station.stop();
    let db = rusqlite::Connection::open(folder.path().join("wayglass.db")).unwrap();
    let mut all = db.prepare("SELECT device_id, latitude, longitude FROM positions ORDER BY id").unwrap();
    let all: Vec<(i64, f64, f64)> =
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect();
    for (device, lat, lon) in &all {
        let off = off_track(LatLon::new(*lat, *lon).unwrap());
        assert!(off < 10.0, "device {device} was {off} m off the track, at {lat} {lon}");
    }
    let end = LatLon::new(51.21, 4.42).unwrap();
    for device in all.iter().map(|(device, ..)| *device).collect::<std::collections::BTreeSet<_>>() {
        let (_, lat, lon) = all.iter().rev().find(|(of, ..)| *of == device).unwrap();
        let from_end = end.distance_m(LatLon::new(*lat, *lon).unwrap());
        assert!(from_end < 5.0, "device {device} ended {from_end} m from the end");
    }
}

#[test]
fn a_plan_without_times_needs_a_speed_and_a_file_without_a_way_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (route, none) = (home.path().join("route.gpx"), home.path().join("none.gpx"));
    std::fs::write(&route, ROUTE).unwrap();
    std::fs::write(&none, "<gpx></gpx>").unwrap();
    let missing = home.path().join("missing.gpx");
    for (file, says) in [(&route, "say how fast"), (&none, "neither a track nor a route"), (&missing, "cannot open")] {
        let (done, said) = simulate(home.path(), &["--gt06", "127.0.0.1:1", "--gpx", file.to_str().unwrap()]);
        assert!(!done && said.contains(says) && said.contains(file.to_str().unwrap()), "{said}");
    }
    let station = Station::start_live(Policy::Adopt);
    let (gt06, file) = (station.gt06.to_string(), route.to_str().unwrap());
    let words = ["--devices", "1", "--interval", "0.5", "--kmh", "2500", "--gpx", file, "--gt06", &gt06];
    let (done, said) = simulate(home.path(), &words);
    assert!(done, "{said}");
    let east: f64 = station.sql("SELECT max(longitude) FROM positions");
    assert!((east - 4.41).abs() < 1e-4, "{east}");
    let (done, said) = simulate(home.path(), &["--kmh", "50", "--gt06", &gt06]);
    assert!(!done && said.contains("--gpx"), "a speed is for a GPX: {said}");
    station.stop();
}
