//! The commands, run as a person runs them: the built program, real folders, real sockets.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use wayglass::model::Policy;

use super::support::{Station, Tracker, post};

/// How a call ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    /// One clear line on standard error that holds these words, status 1, and nothing on standard output.
    #[track_caller]
    fn failed(&self, words: &[&str]) {
        let Self { code, out, err } = self;
        assert_eq!((*code, out.as_str()), (1, ""), "{err}");
        assert_eq!(err.lines().count(), 1, "one line: {err}");
        assert!(words.iter().all(|w| err.contains(w)), "{words:?} in: {err}");
    }

    #[track_caller]
    fn done(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }
}

/// Calls the program with a home of its own in `home`.
fn call(home: &Path, words: &[&str]) -> Ended {
    call_with(home, words, &[])
}

fn call_with(home: &Path, words: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("WAYGLASS_") || n.ends_with("DISPLAY")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env("HOME", home).env("TZ", "UTC");
    command.env("XDG_CONFIG_HOME", home.join("config")).env("XDG_DATA_HOME", home.join("data"));
    let output = command.args(words).envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn help_names_every_command_and_wrong_words_end_with_2() {
    let home = home();
    let help = call(home.path(), &["--help"]).done();
    for command in [
        "desktop", "serve", "decode", "export", "import", "devices", "adopt", "ignore", "phone", "events", "place",
        "command", "profile", "simulate", "backup", "compact", "repair", "doctor", "limits",
    ] {
        assert!(help.contains(&format!("  {command} ")), "{command} in {help}");
        let own = call(home.path(), &[command, "--help"]).done();
        assert!(own.contains("--data-dir") && own.contains("--config") && own.contains("--quiet"), "{own}");
    }
    for wrong in [
        &["fly"][..],
        &["serve", "--gt06", "5023"],
        &["serve", "--policy", "maybe"],
        &["export"],
        &["export", "--device", "a", "--format", "pdf"],
        &["export", "--device", "a", "--from", "someday"],
        &["export", "--device", "a", "--from", "today", "--to", "yesterday"],
        &["simulate", "--devices", "0"],
        &["simulate", "--interval", "-1"],
        &["simulate", "--gt06", "localhost"],
        &["simulate", "--owntracks", "https://localhost"],
        &["adopt"],
    ] {
        let ended = call(home.path(), wrong);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{wrong:?}: {}", ended.err);
        assert!(ended.err.starts_with("error: "), "{wrong:?}: {}", ended.err);
    }
}

#[test]
fn a_wrong_settings_file_is_said_with_its_line_whoever_reads_it() {
    let home = home();
    let file = home.path().join("mine.toml");
    fs::write(&file, "# mine\npolicy = \"maybe\"\n").unwrap();
    let file = file.to_str().unwrap();
    for words in [&["serve"][..], &["desktop"], &["devices"], &["export", "--device", "all"], &["simulate"]] {
        let words: Vec<_> = words.iter().copied().chain(["--config", file]).collect();
        call(home.path(), &words).failed(&["mine.toml, line 2", "`policy`", "\"ask\", \"adopt\" or \"strict\""]);
    }
    // The same, where the platform keeps it.
    let kept = home.path().join("config").join("wayglass");
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join("config.toml"), "gt07 = 1").unwrap();
    if cfg!(target_os = "linux") {
        call(home.path(), &["devices"]).failed(&["config.toml, line 1", "gt07"]);
        // Bytes need no settings to be explained.
        assert_eq!(call(home.path(), &["decode", "78780D01012345678901234500018CDD0D0A"]).code, 0);
    }
    for (broken, line, key) in [
        ("policy = \"ask\"\ngt06 = \"x\n", "line 2", "`gt06`"),
        ("owntracks \"x\"", "line 1", "`owntracks`"),
        ("# one\n\n  gt06=\n", "line 3", "`gt06`"),
        ("colour = [", "line 1", "`colour`"),
    ] {
        fs::write(home.path().join("mine.toml"), broken).unwrap();
        call(home.path(), &["devices", "--config", file]).failed(&[line, key]);
    }
    call(home.path(), &["devices", "--config", "/nowhere/at/all.toml"]).failed(&["/nowhere/at/all.toml"]);
    let doctor = call(home.path(), &["doctor", "--config", "/nowhere/at/all.toml"]);
    let trouble = doctor.out.lines().next().unwrap();
    assert!(trouble.starts_with("trouble settings: ") && trouble.contains("/nowhere/at/all.toml"), "{trouble}");
    assert_eq!(trouble.matches("os error").count(), 1, "{trouble}");
}

#[test]
fn without_a_display_the_window_says_what_to_do_instead() {
    if cfg!(any(not(unix), target_os = "macos")) {
        return;
    }
    let home = home();
    call(home.path(), &["desktop", "nowhere.pmtiles"]).failed(&["nowhere.pmtiles", "there is no such file"]);
    for words in [&[][..], &["desktop"]] {
        call(home.path(), words).failed(&["display", "wayglass serve"]);
        let free = [words, &["--gt06", "127.0.0.1:0", "--owntracks", "127.0.0.1:0"]].concat();
        let free = if words.is_empty() { [&["desktop"], &free[..]].concat() } else { free };
        let dead = call_with(home.path(), &free, &[("DISPLAY", ":999")]);
        dead.failed(&["cannot open a window: no X server answers at :999; `wayglass serve` runs without one"]);
        let dead = call_with(home.path(), &free, &[("WAYLAND_DISPLAY", "wayland-999")]);
        dead.failed(&["no Wayland compositor answers at wayland-999; `wayglass serve` runs without one"]);
    }
}

#[test]
fn the_environment_says_what_no_flag_does() {
    let home = home();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let data = home.path().join("d");
    let environment =
        [("WAYGLASS_GT06", format!("127.0.0.1:{port}")), ("WAYGLASS_DATA_DIR", data.to_str().unwrap().to_owned())];
    let environment: Vec<_> = environment.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let ended = call_with(home.path(), &["serve", "--owntracks", "off"], &environment);
    ended.failed(&[&port.to_string(), "GT06"]);
    assert!(data.is_dir());
    let wrong = call_with(home.path(), &["serve"], &[("WAYGLASS_POLICY", "perhaps")]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}

#[test]
fn doctor_names_what_is_in_the_way_and_its_cure() {
    let home = home();
    let data = home.path().join("data dir");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let file = home.path().join("c.toml");
    fs::write(&file, format!("gt06 = \"127.0.0.1:{port}\"\nowntracks = \"0.0.0.0:0\"\n")).unwrap();
    let words = ["doctor", "--json", "--data-dir", data.to_str().unwrap(), "--config", file.to_str().unwrap()];
    let ended = call(home.path(), &words);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    let findings: Vec<Value> = serde_json::from_str(&ended.out).unwrap();
    let level = |topic: &str| {
        findings.iter().find(|f| f["topic"] == topic).unwrap_or_else(|| panic!("{topic}"))["level"].as_str().unwrap()
    };
    assert_eq!((level("GT06 port"), level("OwnTracks port")), ("trouble", "ok"), "{findings:?}");
    assert_eq!((level("data folder"), level("database"), level("instance")), ("ok", "ok", "ok"));
    let gt06 = findings.iter().find(|f| f["topic"] == "GT06 port").unwrap();
    assert!(gt06["text"].as_str().unwrap().contains(&port.to_string()) && gt06["cure"].is_string(), "{gt06}");
    assert!(!data.exists(), "it looks only");
    drop(taken);
    let words = ["doctor", "--data-dir", data.to_str().unwrap(), "--config", file.to_str().unwrap()];
    let text = call(home.path(), &words).done();
    assert!(text.contains("GT06 port: 127.0.0.1:"), "{text}");
    fs::write(&file, "gt06 = 7").unwrap();
    let ended = call(home.path(), &words);
    assert!(ended.code == 1 && ended.out.starts_with("trouble settings: "), "{}", ended.out);
}

const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";
const LOGIN_ACK: &str = "787805010001D9DC0D0A";

/// The Traccar recipe's full sample, second by second.
fn sample(topic: &str, second: i64) -> String {
    format!(
        r#"{{"cog":271,"batt":41,"lon":2.29513,"acc":5,"vel":61,"lat":48.85833,"tst":{},"alt":167,"_type":"location","topic":"{topic}"}}"#,
        1_497_508_651 + second
    )
}

#[test]
fn history_is_listed_and_exported_beside_the_running_instance() {
    let home = home();
    let station = Station::start(Policy::Adopt);
    let data = station.folder.path().to_str().unwrap();
    for second in [0, 10, 20, 86_400] {
        assert_eq!(post(station.owntracks, &sample("owntracks/jane/phone", second)).status, 200);
    }
    assert_eq!(post(station.owntracks, &sample("owntracks/joe/phone", 0)).status, 200);
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ACK);

    let list = call(home.path(), &["devices", "--json", "--data-dir", data]).done();
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    let jane = list.iter().find(|d| d["identity"] == "owntracks/jane/phone").unwrap();
    assert_eq!((jane["protocol"].as_str(), jane["state"].as_str()), (Some("owntracks"), Some("adopted")));
    assert_eq!((jane["positions"].as_u64(), jane["position"]["speed_kmh"].as_f64()), (Some(4), Some(61.0)));
    assert_eq!(jane["position"]["fix_time"], "2017-06-16T06:37:31Z");
    assert_eq!(jane["attributes"]["batteryLevel"], 41);
    assert!(list.iter().any(|d| d["identity"] == "123456789012345" && d["position"].is_null()), "{list:?}");
    let table = call(home.path(), &["devices", "--data-dir", data]).done();
    assert_eq!(table.lines().count(), 4, "{table}");
    let column = table.lines().next().unwrap().find("STATE").unwrap();
    assert!(table.lines().skip(1).all(|l| l[column..].starts_with("adopted")), "{table}");

    let export = |words: &[&str]| {
        let words: Vec<_> = ["export", "--data-dir", data].into_iter().chain(words.iter().copied()).collect();
        call(home.path(), &words)
    };
    let all = export(&["--device", "owntracks/jane/phone", "--format", "gpx", "--output", "-"]).done();
    assert_eq!((all.matches("<trkpt").count(), all.matches("<trkseg>").count()), (4, 2), "{all}");
    let read = gpx::read(all.as_bytes()).unwrap();
    let metadata = all.split_once("</metadata>").unwrap().0;
    assert!(metadata.contains("<desc>owntracks/jane/phone: the whole history</desc>"), "{metadata}");
    let place = r#"minlat="48.85833" minlon="2.29513" maxlat="48.85833" maxlon="2.29513""#;
    assert!(metadata.contains(&format!("<bounds {place}/>")), "{metadata}");
    let written = metadata.split_once("<time>").unwrap().1.split_once("</time>").unwrap().0;
    assert!(written.len() <= "2026-11-21T12:00:00.123Z".len(), "finer than milliseconds: {written}");
    assert_eq!(read.tracks[0].source.as_deref(), Some("OwnTracks owntracks/jane/phone"));
    for (words, points) in [
        (&["--from", "2017-06-15T06:37:41Z", "--to", "2017-06-15T06:37:51Z"][..], 2),
        (&["--from", "2017-06-15", "--to", "2017-06-15"], 3),
        (&["--to", "2017-06-16"], 4),
        (&["--from", "2017-06-16"], 1),
        (&["--from", "yesterday"], 0),
        (&["--device", "owntracks/joe/phone"], 5),
        (&["--device", "all"], 5),
    ] {
        let words: Vec<_> = ["--device", "owntracks/jane/phone"].into_iter().chain(words.iter().copied()).collect();
        assert_eq!(export(&words).done().matches("<trkpt").count(), points, "{words:?}");
    }

    let file = home.path().join("out.gpx");
    let ended = export(&["--device", "all", "-o", file.to_str().unwrap()]);
    assert!(ended.err.contains("5 points, 1 gap"), "{}", ended.err);
    assert_eq!(ended.done(), "");
    assert_eq!(fs::read_to_string(&file).unwrap().matches("<trkpt").count(), 5);
    assert_eq!(fs::read_dir(home.path()).unwrap().filter(|f| f.as_ref().unwrap().path().is_file()).count(), 1);
    export(&["--device", "nobody"]).failed(&["nobody", "wayglass devices"]);
    export(&["--device", "all", "--output", "/nowhere/at/all.gpx"]).failed(&["/nowhere/at/all.gpx"]);

    // The first is unharmed.
    assert_eq!(post(station.owntracks, &sample("owntracks/jane/phone", 30)).status, 200);
    station.stop();
}

#[test]
fn a_new_sender_is_adopted_or_set_aside_from_outside() {
    let home = home();
    let station = Station::start(Policy::Ask);
    let data = station.folder.path().to_str().unwrap();
    for second in [0, 10] {
        assert_eq!(post(station.owntracks, &sample("owntracks/jane/phone", second)).status, 200);
        assert_eq!(post(station.owntracks, &sample("owntracks/spam/phone", second)).status, 200);
    }
    let states = || {
        let list = call(home.path(), &["devices", "--json", "--data-dir", data]).done();
        let list: Vec<Value> = serde_json::from_str(&list).unwrap();
        let word = |d: &Value, key: &str| d[key].as_str().unwrap_or("-").to_owned();
        let mut states: Vec<_> =
            list.iter().map(|d| [word(d, "identity"), word(d, "name"), word(d, "state")].join(" ")).collect();
        states.sort();
        states
    };
    assert_eq!(states(), ["owntracks/jane/phone - new", "owntracks/spam/phone - new"]);
    let said = call(home.path(), &["adopt", "owntracks/jane/phone", "--name", "Jane", "--data-dir", data]).done();
    assert!(said.contains("2 positions"), "{said}");
    call(home.path(), &["ignore", "owntracks/spam/phone", "--data-dir", data]).done();
    let said = call(home.path(), &["adopt", "867000000000008", "--unheard", "--data-dir", data]).done();
    assert!(said.contains("has not called yet"), "{said}");
    let expected = ["867000000000008 - adopted", "owntracks/jane/phone Jane adopted", "owntracks/spam/phone - ignored"];
    assert_eq!(states(), expected);
    // From now on its name is enough, in any case.
    let out = call(home.path(), &["export", "--device", "jane", "--data-dir", data]).done();
    assert_eq!((out.matches("<trkpt").count(), out.matches("<name>Jane</name>").count()), (2, 2), "{out}");
    for words in [["adopt", "Jnae"], ["ignore", "867000000000016"]] {
        call(home.path(), &[words[0], words[1], "--data-dir", data]).failed(&[words[1], "wayglass devices"]);
    }
    station.stop();
}

#[test]
fn a_folder_without_a_store_says_so() {
    let home = home();
    let nothing = home.path().join("nothing");
    let nothing = nothing.to_str().unwrap();
    call(home.path(), &["devices", "--data-dir", nothing]).failed(&[nothing]);
    call(home.path(), &["export", "--device", "all", "--data-dir", nothing]).failed(&[nothing]);
    assert!(!Path::new(nothing).exists(), "a question makes no store");
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let inside = file.join("x");
    for words in [&["serve", "--gt06", "off", "--owntracks", "off"][..], &["devices"]] {
        for folder in [&inside, &file] {
            let words: Vec<_> = words.iter().copied().chain(["--data-dir", folder.to_str().unwrap()]).collect();
            call(home.path(), &words).failed(&[
                folder.to_str().unwrap(),
                "a part of this path is a file",
                "--data-dir",
            ]);
        }
    }
}

#[test]
fn a_simulated_fleet_becomes_history() {
    let home = home();
    let station = Station::start_live(Policy::Adopt);
    let (gt06, owntracks) = (station.gt06.to_string(), format!("http://{}", station.owntracks));
    let words = ["simulate", "--devices", "6", "--interval", "0.2", "--duration", "1.5", "--seed", "5"];
    let words: Vec<_> = words.into_iter().chain(["--gt06", &gt06, "--owntracks", &owntracks]).collect();
    let said = call(home.path(), &words).done();
    assert!(said.starts_with("6 devices: ") && said.contains(" 0 failed, 0 connections broken; half"), "{said}");
    let devices: i64 = station.sql("SELECT count(*) FROM devices WHERE state = 'adopted'");
    assert_eq!(devices, 6);
    let doubtful: i64 = station.sql("SELECT count(*) FROM packets WHERE direction = 'in' AND verdict <> 'ok'");
    assert_eq!(doubtful, 0, "what the fleet sends is beyond doubt");
    let of_both: i64 =
        station.sql("SELECT count(DISTINCT d.protocol) FROM positions p JOIN devices d ON d.id = p.device_id");
    assert_eq!(of_both, 2);
    station.stop();
}

#[test]
fn a_copy_is_saved_beside_a_running_instance_and_overwrites_nothing() {
    let station = Station::start(Policy::Adopt);
    assert_eq!(
        post(station.owntracks, r#"{"_type":"location","tid":"jj","lat":51.1,"lon":4.4,"tst":1795262390}"#).status,
        200
    );
    let home = home();
    let (dir, to) = (station.backend().data_dir().to_str().unwrap().to_owned(), home.path().join("copy.db"));
    let to = to.to_str().unwrap();
    let words = ["backup", to, "--data-dir", &dir];
    let said = call(home.path(), &words).done();
    assert!(said.contains("saved and checked") && said.contains(to), "{said}");
    call(home.path(), &words).failed(&[to, "is there already"]);
    call(home.path(), &[&words[..], &["--replace"]].concat()).done();
    let copy = rusqlite::Connection::open(to).unwrap();
    let positions: i64 = copy.query_row("SELECT count(*) FROM positions", [], |row| row.get(0)).unwrap();
    assert_eq!(positions, 1);
    // Rewriting all of it is for who has it alone.
    call(home.path(), &["compact", "--data-dir", &dir]).failed(&["another Wayglass", &dir]);
    let folder = station.stop();
    assert!(call(home.path(), &["compact", "--data-dir", folder.path().to_str().unwrap()]).done().contains('→'));
}

#[test]
fn damage_is_said_by_doctor_and_repaired_by_repair() {
    let station = Station::start(Policy::Adopt);
    for at in 0..40 {
        let body = format!(r#"{{"_type":"location","tid":"jj","lat":51.1,"lon":4.4,"tst":{}}}"#, 1_795_262_390 + at);
        assert_eq!(post(station.owntracks, &body).status, 200);
    }
    let folder = station.stop();
    let (home, dir) = (home(), folder.path().to_str().unwrap());
    let words = ["doctor", "--check", "--data-dir", dir];
    assert!(call(home.path(), &words).out.contains("is sound"));
    assert!(call(home.path(), &["repair", "--data-dir", dir]).done().contains("is sound; nothing was changed"));
    let file = folder.path().join("wayglass.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[..16].fill(b'?');
    fs::write(&file, &bytes).unwrap();
    let said = call(home.path(), &words);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("it is damaged") && said.out.contains("wayglass repair"), "{}", said.out);
    call(home.path(), &["devices", "--data-dir", dir]).failed(&["is damaged", "wayglass repair"]);
    assert_eq!(fs::read(&file).unwrap(), bytes, "who looks touches nothing");
    let said = call(home.path(), &["repair", "--data-dir", dir]).done();
    assert!(said.contains("1 devices, 40 positions") && said.contains("everything could be read"), "{said}");
    assert!(call(home.path(), &["devices", "--data-dir", dir]).done().contains("jj"));
    let said = call(home.path(), &words).out;
    assert!(said.contains("is sound") && said.contains("set aside as"), "{said}");
}
