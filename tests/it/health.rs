//! How the program fares is said: to itself, to another process, in the log; and every bound can be set.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use wayglass::{
    backend::{
        Access, Health, Https, Limits, ListenAt,
        doctor::Level,
        health::{Count, Limit, ReceiverState},
    },
    model::Policy,
};

use super::support::{SOON, Station, TestClock, Tracker, http, line_of, post};

const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";
const LOGIN_ACK: &str = "787805010001d9dc0d0a";
const FIX: &str = "78781F120F0A140E150BC505E51E780293A9E800540000F601006E0055DA00035F240D0A";
const FIX_ACK: &str = "787805120003903f0d0a";
const HEARTBEAT: &str = "78780A13440604000201BAAF540D0A";
const HEARTBEAT_ACK: &str = "7878051301bafb710d0a";

fn asked(station: &Station) -> Health {
    station.backend().health().wait().unwrap()
}

#[track_caller]
fn counted<'h>(health: &'h Health, key: &str) -> &'h Count {
    health.counts.iter().find(|count| count.key == key).unwrap_or_else(|| panic!("no {key}"))
}

#[track_caller]
fn limit<'h>(health: &'h Health, key: &str) -> &'h Limit {
    health.limits.iter().find(|limit| limit.key == key).unwrap_or_else(|| panic!("no {key}"))
}

fn since(station: &Station, key: &str) -> u64 {
    counted(&asked(station), key).since_start
}

#[test]
fn what_was_received_and_what_was_not_is_counted_by_reason() {
    let access = Access { credentials: Some("jane:right".to_owned()), key: None };
    let station = Station::start_secure(tempfile::tempdir().unwrap(), Policy::Adopt, access, Https::default());
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ACK);
    // The second one has one bit wrong: kept, and no answer.
    tracker.send(&format!("{FIX}{}{HEARTBEAT}", FIX.replacen("54", "55", 1)));
    tracker.expect(FIX_ACK);
    tracker.expect(HEARTBEAT_ACK);
    let health = asked(&station);
    assert_eq!(counted(&health, "bad_checksum").since_start, 1);
    assert_eq!(counted(&health, "bad_checksum").last.map(|at| at.to_string()).as_deref(), Some("2026-11-21T12:00:00Z"));
    let gt06 = health.receivers.iter().find(|r| r.name == "GT06").unwrap();
    assert_eq!((gt06.name.as_str(), gt06.state, gt06.connections), ("GT06", ReceiverState::Listening, 1));
    assert_eq!(gt06.address.as_deref(), Some(station.gt06.to_string().as_str()));
    assert!(health.commits.count >= 2 && health.commits.p99_us >= health.commits.p50_us, "{:?}", health.commits);
    assert!(health.commits.last_us.is_some() && health.database_bytes + health.log_bytes > 0);
    assert!(health.disk_free_bytes.is_some_and(|bytes| bytes > 0));
    assert_eq!((health.queue.bytes, health.queue.bound_bytes), (0, 64 << 20));
    assert_eq!(limit(&health, "connections").used, Some(1));
    // The fix is eleven years old.
    assert_eq!((health.clocks.devices, health.clocks.behind), (1, 1));
    assert!(health.clocks.worst.first().is_some_and(|off| off.name == "123456789012345" && off.ahead_s < -300_000_000));

    let basic = "Authorization: Basic amFuZTpyaWdodA==\r\n";
    for (method, head, body, status, key) in [
        ("POST", "", "{}", 401, "wrong_credentials"),
        ("GET", "", "", 405, "not_post"),
        ("POST", basic, "no JSON", 400, "not_a_message"),
        ("POST", &format!("{basic}Content-Encoding: gzip\r\n"), "{}", 415, "compressed"),
    ] {
        assert_eq!(http(station.owntracks, method, "/pub", head, body.as_bytes()).status, status, "{key}");
        assert_eq!(since(&station, key), 1, "{key}");
    }
    let large = vec![b' '; (2 << 20) + 1];
    assert_eq!(http(station.owntracks, "POST", "/", basic, &large).status, 413);
    assert_eq!(since(&station, "too_large"), 1);
    assert_eq!(limit(&asked(&station), "body").reached, Some(1));
    // Who says much and nothing of use is told from who says nothing.
    let mut talker = Tracker::connect(station.gt06);
    talker.send(&"00".repeat(9 << 10));
    talker.expect_closed();
    station.until("it is counted", |s| since(s, "strangers_junk") == 1);
    assert_eq!((limit(&asked(&station), "stranger").reached, since(&station, "stranger")), (Some(1), 0));
    drop(tracker);
    station.until("the connection is gone", |s| asked(s).receivers.iter().all(|r| r.connections == 0));
    station.until("its end is counted", |s| since(s, "closed_by_peer") >= 1);

    // What was counted is still known after the next start.
    let folder = station.stop();
    let station = Station::start_in(folder, Policy::Adopt);
    let health = asked(&station);
    let again = counted(&health, "bad_checksum");
    assert_eq!((again.since_start, again.ever, again.last), (0, 1, None));
}

#[test]
fn senders_that_are_refused_are_counted() {
    let station = Station::start(Policy::Strict);
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(LOGIN);
    tracker.expect_closed();
    assert_eq!(
        post(station.owntracks, r#"{"_type":"location","lat":1,"lon":2,"tst":1,"topic":"owntracks/a/b"}"#).status,
        400
    );
    station.until("both are counted", |s| since(s, "sender_refused") == 2);
}

#[test]
fn reaching_the_limit_of_connections_is_counted_and_the_next_one_waits() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let station = Station::start_with(Policy::Adopt, limits);
    let mut first = Tracker::connect(station.gt06);
    first.send(LOGIN);
    first.expect(LOGIN_ACK);
    let mut second = Tracker::connect(station.gt06);
    second.send(LOGIN);
    station.until("it is counted", |s| since(s, "connections_full") >= 1);
    let health = asked(&station);
    assert_eq!((limit(&health, "connections").used, limit(&health, "connections").value), (Some(1), Some(1)));
    let said = health.findings(health.at);
    assert!(
        said.iter().any(|f| f.level == Level::Note && f.topic == "limits" && f.text.contains("1 of 1")),
        "{said:?}"
    );
    drop(first);
    second.expect(LOGIN_ACK);
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What the file of the running instance says.
fn kept(folder: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(folder.join("health.json")).ok()?).ok()
}

#[test]
fn another_process_reads_how_the_running_one_fares() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Strict);
    let folder = station.folder.path().to_owned();
    station.until("it is written at the start", |_| kept(&folder).is_some());
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(LOGIN);
    tracker.expect_closed();
    let refused = |health: &Value| {
        let counts = health["counts"].as_array().unwrap();
        counts.iter().find(|count| count["key"] == "sender_refused").unwrap()["since_start"].as_u64()
    };
    station.until("it is written again", |_| kept(&folder).is_some_and(|health| refused(&health) == Some(1)));
    #[cfg(unix)]
    assert_eq!(mode(&folder.join("health.json")), 0o600);

    let data = folder.to_str().unwrap();
    let gt06 = station.gt06.to_string();
    let words = ["doctor", "--json", "--data-dir", data];
    let out = program(home.path(), &words, &[("WAYGLASS_CONFIG", "")]).output().unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    let found = findings.iter().find(|f| f["topic"] == "health").expect("how it fares");
    assert_eq!(
        (refused(&found["health"]), found["health"]["pid"].as_u64()),
        (Some(1), Some(std::process::id().into()))
    );
    let receiver = findings.iter().find(|f| f["topic"] == "GT06 receiver").unwrap();
    assert!(receiver["level"] == "ok" && receiver["text"].as_str().unwrap().contains(&gt06), "{receiver}");
    let out = program(home.path(), &["limits", "--json", "--data-dir", data], &[]).output().unwrap();
    let limits: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    let connections = limits.iter().find(|l| l["key"] == "connections").unwrap();
    assert_eq!(
        (&connections["value"], &connections["used"], &connections["source"]),
        (&12_000.into(), &0.into(), &"default".into())
    );

    station.stop();
    assert!(kept(&folder).is_none() && !folder.join("health.json").exists(), "nothing runs that it would be about");
    let out = program(home.path(), &words, &[]).output().unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    assert!(findings.iter().all(|f| f["topic"] != "health") && findings.iter().any(|f| f["topic"] == "disk"));
}

#[test]
fn what_nobody_left_behind_is_not_taken_for_a_running_instance() {
    let home = tempfile::tempdir().unwrap();
    let station = Station::start(Policy::Ask);
    station.until("it is written", |s| kept(s.folder.path()).is_some());
    let left = fs::read(station.folder.path().join("health.json")).unwrap();
    let folder = station.stop();
    // As after a kill.
    fs::write(folder.path().join("health.json"), left).unwrap();
    let words = ["doctor", "--json", "--data-dir", folder.path().to_str().unwrap()];
    let out = program(home.path(), &words, &[]).output().unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    assert!(findings.iter().all(|f| f["topic"] != "health"), "{findings:?}");
}

/// The built program with a home of its own.
fn program(home: &Path, words: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("WAYGLASS_") || n.ends_with("DISPLAY")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env("HOME", home).env("TZ", "UTC").args(words).stdin(Stdio::null());
    command.env("XDG_CONFIG_HOME", home.join("config")).env("XDG_DATA_HOME", home.join("data"));
    command.envs(environment.iter().copied().filter(|(_, value)| !value.is_empty()));
    command
}

/// A `serve` of its own, and where its phones post; ends with this.
struct Serve {
    child: Child,
    owntracks: std::net::SocketAddr,
}

impl Serve {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let Some(line) = line_of(child.stdout.take().unwrap(), |_| true) else {
            child.kill().unwrap();
            panic!("no ready line");
        };
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
        let owntracks = ready["owntracks"].as_str().unwrap().trim_start_matches("http://").parse().unwrap();
        Self { child, owntracks }
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(unix)]
#[test]
fn the_log_in_the_data_folder_is_lines_of_json_without_secrets() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("d");
    let words =
        ["serve", "-vvv", "--gt06", "127.0.0.1:0", "--owntracks", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()];
    let secrets =
        [("WAYGLASS_OWNTRACKS_AUTH", "jane:hunter2-sesame"), ("WAYGLASS_OWNTRACKS_KEY", "a-key-of-all-phones")];
    let serve = Serve::start(&mut program(home.path(), &words, &secrets));
    let basic = |text: &str| {
        use base64::Engine;
        format!("Authorization: Basic {}\r\n", base64::prelude::BASE64_STANDARD.encode(text))
    };
    let body = br#"{"_type":"location","lat":1,"lon":2,"tst":1700000000,"topic":"owntracks/jane/phone"}"#;
    for (text, status) in [("jane:hunter2-sesame", 200), ("jane:another-secret", 401)] {
        assert_eq!(http(serve.owntracks, "POST", "/pub", &basic(text), body).status, status);
    }
    serve.stop();
    let log = data.join("logs").join("wayglass.log");
    assert_eq!((mode(&log), mode(log.parent().unwrap())), (0o600, 0o700));
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let at = line["timestamp"].as_str().unwrap_or_default();
        assert!(at.ends_with('Z') && line["level"].is_string() && line["target"].is_string(), "{line}");
    }
    let said = |message: &str| lines.iter().filter(|line| line["message"] == message).count();
    assert_eq!((said("started"), said("stopped"), said("listening")), (1, 1, 2), "{text}");
    assert!(lines.iter().any(|line| line["what"] == "wrong_credentials" && line["level"] == "WARN"), "{text}");
    let encoded = |text: &str| basic(text).trim().rsplit(' ').next().unwrap().to_owned();
    let never = ["hunter2", "another-secret", "a-key-of-all-phones"].map(str::to_owned);
    for secret in never.iter().chain(&[encoded("jane:hunter2-sesame"), encoded("jane:another-secret")]) {
        assert!(!text.contains(secret.as_str()), "{secret} in the log");
    }
}

#[cfg(unix)]
#[test]
fn limits_and_log_follow_the_settings() {
    let home = tempfile::tempdir().unwrap();
    let (data, file) = (home.path().join("d"), home.path().join("c.toml"));
    let settings = "log_level = \"warn\"\n[limits]\nsockets = 90\nlog_file = \"64 KiB\"\nlog_files = 2\n";
    fs::write(&file, settings).unwrap();
    // Where the log belongs is something else: nothing but the log suffers.
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("logs"), "in the way").unwrap();
    let words = ["serve", "--gt06", "127.0.0.1:0", "--owntracks", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()];
    let words: Vec<_> = words.into_iter().chain(["--config", file.to_str().unwrap()]).collect();
    let serve = Serve::start(&mut program(home.path(), &words, &[]));
    let body = r#"{"_type":"location","lat":1,"lon":2,"tst":1700000000,"topic":"owntracks/jane/phone"}"#;
    assert_eq!(post(serve.owntracks, body).status, 200);
    let table = program(home.path(), &["limits", "--data-dir", data.to_str().unwrap()], &[]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    let row = |key: &str| table.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap_or(&table);
    assert!(row("log_file").contains("64 KiB") && row("log_file").contains(" set "), "{table}");
    assert!(row("queue").contains("64 MiB") && row("queue").contains(" default "), "{table}");
    assert_eq!(fs::read_to_string(data.join("logs")).unwrap(), "in the way");
    serve.stop();
}

#[test]
fn a_store_that_cannot_write_is_said_until_it_can() {
    let station = Station::start(Policy::Adopt);
    let database = rusqlite::Connection::open(station.folder.path().join("wayglass.db")).unwrap();
    database.busy_timeout(SOON).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let body = r#"{"_type":"location","lat":1,"lon":2,"tst":1700000000,"topic":"owntracks/jane/phone"}"#;
    assert_eq!(post(station.owntracks, body).status, 503);
    let health = asked(&station);
    let failure = health.failure.clone().unwrap();
    assert!(failure.lasts && failure.text.contains("locked"), "{failure:?}");
    assert_eq!(counted(&health, "not_stored").since_start, 1);
    let said = health.findings(health.at);
    assert!(said.iter().any(|f| f.level == Level::Trouble && f.topic == "store"), "{said:?}");
    assert!(station.backend().trouble().is_some());
    database.execute_batch("ROLLBACK").unwrap();
    assert_eq!(post(station.owntracks, body).status, 200);
    station.until("it is well again", |s| s.backend().trouble().is_none());
    let health = asked(&station);
    assert!(health.failure.as_ref().is_some_and(|failure| !failure.lasts && failure.batches >= 1));
    let said = health.findings(health.at);
    assert!(said.iter().all(|f| f.level != Level::Trouble), "{said:?}");
    assert_eq!(
        health.receivers.last().map(|r| (r.name.as_str(), r.state)),
        Some(("OwnTracks over HTTPS", ReceiverState::Off))
    );
    assert!(matches!(station.backend().https().map(|line| line.wanted), Some(ListenAt::Off)));
}
