//! Taps as they are set up: by settings, by words, and while they run.

use std::{path::Path, process::Command, sync::Arc};

use wayglass::{
    backend::{
        Backend, ListenAt, ReceiverStatus, Tap, TapMode,
        config::{Config, ConfigError},
    },
    model::Policy,
};

use super::far::{End, NAME, Server, heartbeat, line, listens, logged_in, login, passing_on, stored, tap};
use crate::support::{SOON, Station, TestClock, bytes};

/// Numbers of the packets that a filter of the command line finds, where no two of one way have the same bytes.
pub fn found(folder: &Path, filter: &str) -> Vec<i64> {
    let call = Command::new(env!("CARGO_BIN_EXE_wayglass"))
        .env("TZ", "UTC")
        .env("HOME", folder)
        .args(["packets", "--format", "jsonl", "--filter", filter, "--quiet", "--data-dir"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(call.status.success(), "{}", String::from_utf8_lossy(&call.stderr));
    let out = String::from_utf8(call.stdout).unwrap();
    let id = |line: &str| {
        let packet: serde_json::Value = serde_json::from_str(line).unwrap();
        let (way, hex) = (packet["direction"].as_str().unwrap(), packet["hex"].as_str().unwrap());
        crate::support::sql(folder, &format!("SELECT id FROM packets WHERE direction = '{way}' AND bytes = x'{hex}'"))
    };
    out.lines().map(id).collect()
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/wayglass/config.toml"))
}

#[test]
fn every_way_to_write_a_tap_is_read() {
    let at = |text: &str| ListenAt::Address(text.parse().unwrap());
    let text = "tap.c = { listen = 'off', mode = 'copy' }\n[tap.vendor]\nlisten = '0.0.0.0:5024'\nto = 'gps.example.com:5023'\n[tap.b]\nmode = 'pass'\nto = '[::1]:1'\nlisten = '[::]:0'\n[tap.'a.b']\nlisten = '127.0.0.1:1'\n";
    let mut taps = parse(text).unwrap().taps.unwrap();
    taps.sort_by(|a, b| a.name.cmp(&b.name));
    let pass = |to: &str| TapMode::Pass { to: to.to_owned() };
    let tap = |name: &str, listen, mode| Tap { name: name.to_owned(), listen, mode };
    let expected = [
        tap("a.b", at("127.0.0.1:1"), TapMode::Copy),
        tap("b", at("[::]:0"), pass("[::1]:1")),
        tap("c", ListenAt::Off, TapMode::Copy),
        tap("vendor", at("0.0.0.0:5024"), pass("gps.example.com:5023")),
    ];
    assert_eq!(taps, expected);
    assert_eq!(parse("policy = 'ask'").unwrap().taps, None);
    let none = Config { taps: Some(Vec::new()), data_dir: Some("/srv".into()), ..Config::default() };
    assert_eq!(none.or(parse(text).unwrap()).setup(None).unwrap().taps, [], "--tap off");
}

#[test]
fn what_is_wrong_with_a_tap_is_said_with_its_line() {
    for (text, line, words) in [
        ("tap = 3", 1, &["`tap`", "[tap.vendor]"][..]),
        ("\ntap.vendor = 3", 2, &["[tap.vendor]", "no table"]),
        ("[tap.'a b']\nlisten='off'", 1, &["[tap.a b]", "40 letters"]),
        ("[tap.v]\nto='a:1'", 1, &["[tap.v]", "listen"]),
        ("[tap.v]\nlisten='5024'", 2, &["`listen`", "127.0.0.1:5023"]),
        ("[tap.v]\nlisten='off'\nto='example.com'", 3, &["`to`", "gps.example.com:5023"]),
        ("[tap.v]\nlisten='off'\nmode='pass'", 1, &["to = "]),
        ("[tap.v]\nlisten='off'\nmode='copy'\nto='a:1'", 4, &["copy", "leave `to` out"]),
        ("[tap.v]\nlisten='off'\nmode='loud'", 1, &["\"loud\"", "\"pass\" or \"copy\""]),
        ("[tap.v]\nlisten='off'\nmod='copy'", 3, &["`mod`", "listen, mode, to"]),
        ("[tap.v]\nlisten=1", 2, &["`listen`", "quotes"]),
    ] {
        let said = parse(text).unwrap_err().to_string();
        assert!(said.starts_with(&format!("/etc/wayglass/config.toml, line {line}: ")), "{text:?} gives {said}");
        assert!(words.iter().all(|w| said.contains(w)), "{text:?} gives {said}");
        assert!(!said.contains('\n'), "one line: {said}");
    }
}

#[test]
fn where_it_listens_changes_without_a_word_and_what_it_does_ends_what_is_open() {
    let (first, second) = (Server::start(), Server::start());
    let (station, at) = passing_on(&first);
    let (mut tracker, mut far) = logged_in(at, &first);
    let elsewhere = ListenAt::Address("127.0.0.1:0".parse().unwrap());
    let to = |server: &Server| TapMode::Pass { to: server.at().to_string() };
    let set = |listen, mode| station.backend().set_tap(Tap { name: NAME.to_owned(), listen, mode });
    set(ListenAt::Off, to(&first));
    station.until("it is off", |s| line(s).line.status == ReceiverStatus::Off);
    tracker.say(&heartbeat(2));
    far.hear(&heartbeat(2));
    set(elsewhere, to(&second));
    assert_eq!(tracker.hear_out(), b"", "it dials again");
    let mut tracker = End::dial(listens(&station));
    tracker.say(&login());
    let mut far = second.accept();
    far.hear(&login());
    station.backend().remove_tap(NAME.to_owned());
    assert_eq!((tracker.hear_out(), far.hear_out()), (Vec::new(), Vec::new()));
    assert!(station.backend().taps().is_empty());
    stored(&station, 3);
}

#[test]
fn taps_that_are_set_up_while_it_runs_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "gt06 = \"off\" # none\nowntracks = \"off\"\n").unwrap();
    let start = || {
        let config = Config { data_dir: Some(folder.path().join("data")), ..Config::load(&path).unwrap() };
        let clock = TestClock::at("2026-11-21T12:00:00Z").clock();
        Backend::start(config.setup(Some(path.clone())).unwrap(), clock, Arc::new(|| ())).unwrap()
    };
    let backend = start();
    let free = ListenAt::Address("127.0.0.1:0".parse().unwrap());
    let tap = |name: &str| Tap { name: name.to_owned(), listen: free, mode: TapMode::Copy };
    backend.set_tap(tap("one"));
    backend.set_tap(tap("two"));
    backend.remove_tap("one".to_owned());
    backend.stop(SOON);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("gt06 = \"off\" # none\n"), "{text}");
    let backend = start();
    backend.wait_settled();
    let taps = backend.taps();
    assert_eq!(taps.iter().map(|line| &line.tap).collect::<Vec<_>>(), [&tap("two")]);
    assert!(matches!(taps[0].line.status, ReceiverStatus::Listening(_)));
    backend.stop(SOON);
}

#[test]
fn a_port_that_is_taken_is_said_and_taken_up_when_it_is_free() {
    let holder = Server::start();
    let station = Station::start(Policy::Adopt);
    let mode = TapMode::Copy;
    let wanted = ListenAt::Address(holder.at());
    station.backend().set_tap(Tap { name: NAME.to_owned(), listen: wanted, mode });
    station.until("it waits", |s| matches!(line(s).line.status, ReceiverStatus::Waiting { .. }));
    let health = station.backend().health().wait().unwrap();
    let findings = health.findings(health.at);
    let said = findings.iter().find(|f| f.topic == "Tap vendor receiver").unwrap();
    assert!(said.text.contains("cannot listen"), "{said:?}");
    drop(holder);
    station.backend().retry_tap(NAME);
    End::dial(listens(&station)).say(&bytes(crate::desk::LOGIN));
    stored(&station, 1);
}

#[test]
fn health_says_what_goes_through() {
    let server = Server::start();
    let (station, at) = passing_on(&server);
    let copy = tap(&Station::start(Policy::Adopt), TapMode::Copy);
    assert_ne!(copy, at);
    let mut tracker = End::dial(at);
    tracker.say(&login());
    server.accept().hear(&login());
    stored(&station, 1);
    let health = station.backend().health().wait().unwrap();
    let tap = &health.taps[0];
    assert_eq!((tap.to.clone(), tap.reached), (Some(server.at().to_string()), Some(true)));
    assert_eq!((tap.packets, tap.heard_bytes, tap.receiver.most_connections), (1, 18, 12_000));
    let findings = health.findings(health.at);
    assert!(findings.iter().any(|f| f.topic == "Tap vendor" && f.text.contains("passes on to")), "{findings:?}");
    assert!(findings.iter().all(|f| !f.topic.starts_with("Tap vendor") || f.cure.is_none()), "{findings:?}");
}
