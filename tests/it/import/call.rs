//! `wayglass import` as a person runs it: alone, beside a running instance, with a preview, with every word that is off.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use wayglass::model::Policy;

use crate::support::{Station, post};

struct Ended {
    code: i32,
    out: String,
    err: String,
}

fn call(data: &Path, words: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    command.env("HOME", data).env("XDG_CONFIG_HOME", data).env_remove("WAYGLASS_CONFIG").env_remove("RUST_LOG");
    let output = command.args(["--data-dir", data.to_str().unwrap(), "import"]).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

const GPX: &str = r#"<gpx><trk><name>Van 7</name><trkseg>
<trkpt lat="48.85833" lon="2.29513"><time>2017-06-15T06:37:31Z</time></trkpt>
<trkpt lat="48.85833" lon="2.29513"></trkpt>
<trkpt lat="48.86" lon="2.3"><time>2017-06-15T06:37:41Z</time></trkpt>
</trkseg></trk></gpx>"#;

#[test]
fn a_file_is_shown_taken_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("van.gpx");
    fs::write(&file, GPX).unwrap();
    let file = file.to_str().unwrap();

    let shown = call(&data, &[file, "--dry-run"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    for words in ["GPX, 2 points in 1 track", "Van 7: 2 points → no device here", "rejected: line 3: no time"] {
        assert!(shown.out.contains(words), "{words} in {}", shown.out);
    }
    assert!(!data.join("wayglass.db").exists(), "a look makes nothing");

    let unsure = call(&data, &[file]);
    assert_eq!(unsure.code, 1);
    assert!(unsure.err.contains("no device here is Van 7; say --device ID or --new NAME"), "{}", unsure.err);

    let rejects = folder.path().join("rejects.csv");
    let done = call(&data, &[file, "--new", "Van 7", "--rejects", rejects.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.err);
    let expected = "2 new positions imported into Van 7, 1 rejected; `wayglass import --undo";
    assert!(done.out.contains(expected), "{}", done.out);
    assert!(fs::read_to_string(&rejects).unwrap().contains(",3,"), "the line is written down");

    let again = call(&data, &[file, "--json"]);
    let value: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((&value["imported"], &value["duplicates"], &value["rejected"]), (&0.into(), &2.into(), &1.into()));
    assert_eq!((&value["rejects"][0]["line"], &value["rejects"][0]["why"]), (&3.into(), &"no time".into()));

    let list: Value = serde_json::from_str(&call(&data, &["--list", "--json"]).out).unwrap();
    let batch = list.as_array().unwrap().iter().find(|row| row["positions"] == 2).unwrap()["batch"].to_string();
    let back = call(&data, &["--undo", &batch]);
    assert_eq!((back.code, back.out.contains("2 positions removed")), (0, true), "{}", back.err);
    assert!(call(&data, &["--list"]).out.contains("taken back"));
}

#[test]
fn it_works_beside_a_running_instance() {
    let station = Station::start(Policy::Adopt);
    let body = r#"{"_type":"location","topic":"owntracks/jane/phone","lat":1,"lon":2,"tst":1497508651}"#;
    assert_eq!(post(station.owntracks, body).status, 200);
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("jane.rec");
    let line = |tst: u64| {
        format!(
            "2017-06-15T06:37:31Z\t*\t{{\"_type\":\"location\",\"topic\":\"owntracks/jane/phone\",\"lat\":1,\"lon\":2,\"tst\":{tst}}}\n"
        )
    };
    fs::write(&file, line(1_497_508_651) + &line(1_497_508_661)).unwrap();
    let done = call(station.folder.path(), &[file.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("1 new position imported into owntracks/jane/phone, 1 here already"), "{}", done.out);
    // The instance goes on, and the same message again is the one that was imported.
    let again = r#"{"_type":"location","topic":"owntracks/jane/phone","lat":1,"lon":2,"tst":1497508661}"#;
    assert_eq!(post(station.owntracks, again).status, 200);
    let folder = station.stop();
    assert_eq!(crate::support::sql::<i64>(folder.path(), "SELECT count(*) FROM positions"), 2);
    assert_eq!(crate::support::sql::<i64>(folder.path(), "SELECT positions FROM latest"), 2);
}

#[test]
fn what_is_off_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let log = write("a.log", b"78780D01012345678901234500018CDD0D0A\n");
    let table = write("a.csv", b"lat,lon,colour\n1,2,red\n");
    let nothing = write("a.gpx", b"<gpx></gpx>");
    for (words, said) in [
        (&[log.as_str(), "--new", "x"][..], "wayglass decode"),
        (&[&table, "--new", "x"], "nothing came of it"),
        (&[&nothing, "--new", "x"], "there is no position in"),
        (&["/nowhere/at/all.gpx", "--new", "x"], "cannot read /nowhere/at/all.gpx"),
        (&[folder.path().to_str().unwrap(), "--new", "x"], "this is a folder"),
        (&[&nothing, "--device", "nobody"], "nobody"),
        (&["--undo", "99"], "there is no import 99"),
    ] {
        let ended = call(&data, words);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{words:?}: {}", ended.err);
        assert!(ended.err.lines().last().unwrap().contains(said), "{said} in {}", ended.err);
    }
    assert!(call(&data, &[&table, "--new", "x"]).err.contains("no column with the time"));
    for words in
        [&[][..], &["--list", "a.gpx"], &["a.gpx", "--device", "a", "--new", "b"], &["a.gpx", "--zone", "Mars"]]
    {
        assert_eq!(call(&data, words).code, 2, "{words:?}");
    }
}
