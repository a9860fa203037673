//! The settings file: what is understood, what is refused and how, and that comments survive.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use proptest::prelude::*;
use wayglass::{
    backend::{
        Backend, Limits, ListenAt,
        config::{self, Config, ConfigError},
        health,
        keeping::KeepSet,
        logfile::LogLevel,
    },
    model::{Forever, Keep, Policy, Protocol},
};

use super::support::{SOON, TestClock};

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/wayglass/config.toml"))
}

fn address(text: &str) -> ListenAt {
    ListenAt::Address(text.parse().unwrap())
}

#[test]
fn every_key_is_read() {
    let text = "# all of it\ndata_dir = \"/srv/w\"\ngt06 = \"0.0.0.0:5023\"\nowntracks = \"[::]:0\"\nhttps = \"[::]:5145\"\nhttps_certificate = \"c.pem\"\nhttps_key = \"/k.pem\"\napi = \"off\"\npolicy = 'strict'\nsilence = '90'\nkeep_packets = 'forever'\nkeep_packets_bytes = '500 MB'\nquarantine_senders = 12\nquarantine_bytes = '1 MB'\nquarantine_age = '48 h'\nlog_level = \"debug\"\n";
    let expected = Config {
        data_dir: Some("/srv/w".into()),
        gt06: Some(address("0.0.0.0:5023")),
        owntracks: Some(address("[::]:0")),
        https: Some(address("[::]:5145")),
        https_certificate: Some("/etc/wayglass/c.pem".into()),
        https_key: Some("/k.pem".into()),
        api: Some(ListenAt::Off),
        policy: Some(Policy::Strict),
        silence: Some(Duration::from_secs(90)),
        keep: KeepSet {
            packet_age: Some(Forever::Forever),
            packet_bytes: Some(Forever::Until(500_000_000)),
            new_devices: Some(12),
            quarantine_bytes: Some(1_000_000),
            quarantine_age: Some(Duration::from_hours(48)),
        },
        log_level: Some(LogLevel::Debug),
        ..Config::default()
    };
    assert_eq!(parse(text).unwrap(), expected);
    assert_eq!(parse("").unwrap(), Config::default());
    assert_eq!(parse("data_dir = 'here'").unwrap().data_dir, Some("/etc/wayglass/here".into()));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (text, line, words) in [
        ("\npolicy = \"maybe\"", 2, &["`policy`", "\"maybe\"", "ask", "strict"][..]),
        ("policy = 3", 1, &["`policy`", "integer"]),
        ("#\n#\ngt06 = \"5023\"", 3, &["`gt06`", "\"5023\"", "127.0.0.1:5023", "off"]),
        ("owntracks = true", 1, &["`owntracks`", "boolean"]),
        ("silence = \"never\"", 1, &["`silence`", "\"never\"", "15 min"]),
        ("silence = \"5\"", 1, &["`silence`", "10 seconds"]),
        ("silence = \"5 s\"", 1, &["`silence`", "10 seconds"]),
        ("keep_packets = \"a while\"", 1, &["`keep_packets`", "\"a while\"", "30 days", "forever"]),
        ("keep_packets = 30", 1, &["`keep_packets`", "integer"]),
        ("keep_packets_bytes = \"10\"", 1, &["`keep_packets_bytes`", "2 GB"]),
        ("quarantine_senders = 0", 1, &["`quarantine_senders`", "\"0\"", "between 1"]),
        ("log_level = \"loud\"", 1, &["`log_level`", "\"loud\"", "\"info\""]),
        ("limits = 3", 1, &["`limits`", "[limits]"]),
        ("[limits]\nconections = 3", 2, &["`limits.conections`", "did you mean `connections`?"]),
        ("[limits]\nzoom = 3", 2, &["`limits.zoom`", "connections, sockets"]),
        ("[limits]\n\nconnections = 0", 3, &["`connections`", "cannot be 0", "a number from 1 to 1000000"]),
        ("[limits]\nconnections = -1", 2, &["`connections`", "cannot be -1"]),
        ("[limits]\nconnections = true", 2, &["`connections`", "boolean"]),
        ("[limits]\nqueue = \"64 miles\"", 2, &["`queue`", "\"64 miles\"", "\"64 MiB\"", "from 1 MiB to"]),
        ("[limits]\nhttp_body = \"1 h\"", 2, &["`http_body`", "from 1 s to 10 min"]),
        ("[limits]\nfile = \"none\"", 2, &["`file`", "\"off\""]),
        ("[limits]\nbody = \"4 MiB\"", 2, &["`body`", "not to be changed"]),
        ("[limits]\nsilence = \"4 min\"", 2, &["`silence`", "above the tables"]),
        ("data_dir = \"\"", 1, &["`data_dir`", "folder"]),
        ("polcy = \"ask\"", 1, &["`polcy`", "did you mean `policy`?"]),
        ("\n\nown-tracks = \"off\"", 3, &["did you mean `owntracks`?"]),
        (
            "zoom = 3",
            1,
            &[
                "`zoom`",
                "data_dir, gt06, owntracks, https, https_certificate, https_key, api, policy, silence, keep_packets, keep_packets_bytes, quarantine_senders, quarantine_bytes, quarantine_age",
            ],
        ),
        ("[receivers]\ngt06 = \"off\"", 1, &["`receivers`"]),
        ("gt06 = \"off\"\ngt06 = \"off\"", 2, &["duplicate"]),
        ("gt06 = off", 1, &[]),
        ("gt06", 1, &[]),
    ] {
        let said = parse(text).unwrap_err().to_string();
        assert!(said.starts_with(&format!("/etc/wayglass/config.toml, line {line}: ")), "{text:?} gives {said}");
        assert!(words.iter().all(|w| said.contains(w)), "{text:?} gives {said}");
        assert!(!said.contains('\n'), "one line: {said}");
    }
}

#[test]
fn a_missing_file_is_an_error_only_when_it_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    assert_eq!(Config::load_if_there(&path).unwrap(), Config::default());
    let said = Config::load(&path).unwrap_err().to_string();
    assert!(said.contains("config.toml") && said.contains("cannot read"), "{said}");
    // A folder is there, but cannot be read: that is never silent.
    assert!(Config::load_if_there(folder.path()).is_err());
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let flags = Config { gt06: Some(ListenAt::Off), data_dir: Some("/tmp/x".into()), ..Config::default() };
    let file = parse("gt06 = \"0.0.0.0:1\"\npolicy = \"adopt\"\ndata_dir = \"/srv\"").unwrap();
    let setup = flags.or(file).setup(None).unwrap();
    assert_eq!(setup.data_dir, Path::new("/tmp/x"));
    assert_eq!(setup.policy, Policy::Adopt);
    let at = |p| setup.listen.iter().find(|(q, _)| *q == p).unwrap().1;
    assert_eq!((at(Protocol::Gt06), at(Protocol::OwnTracks)), (ListenAt::Off, address("127.0.0.1:5144")));
}

#[test]
fn what_the_window_changes_leaves_the_rest_of_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made").join("config.toml");
    config::remember_policy(&path, Policy::Adopt).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "policy = \"adopt\"\n");
    let text = "# mine\r\ngt06 = '127.0.0.1:5023' # trackers\npolicy=\"ask\"  # who";
    fs::write(&path, text).unwrap();
    config::remember_listen(&path, Protocol::Gt06, address("0.0.0.0:5023")).unwrap();
    config::remember_policy(&path, Policy::Strict).unwrap();
    config::remember_listen(&path, Protocol::OwnTracks, ListenAt::Off).unwrap();
    let expected = "# mine\r\ngt06 = \"0.0.0.0:5023\" # trackers\npolicy=\"strict\"  # who\nowntracks = \"off\"\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let read = Config::load(&path).unwrap();
    assert_eq!((read.gt06, read.owntracks), (Some(address("0.0.0.0:5023")), Some(ListenAt::Off)));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    fs::write(&path, "gt06 = = 1").unwrap();
    assert!(config::remember_policy(&path, Policy::Ask).is_err(), "a file that is not understood is not touched");
    assert_eq!(fs::read_to_string(&path).unwrap(), "gt06 = = 1");
}

#[test]
fn what_is_changed_while_it_runs_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let file = Config { gt06: Some(ListenAt::Off), owntracks: Some(ListenAt::Off), ..Config::default() };
    let data_dir = Some(folder.path().join("data"));
    let setup = Config { data_dir, ..file }.setup(Some(path.clone())).unwrap();
    let clock = TestClock::at("2026-11-21T12:00:00Z").clock();
    let backend = Backend::start(setup, clock, Arc::new(|| ())).unwrap();
    backend.set_policy(Policy::Strict);
    backend.set_keep(Keep { packet_age: Forever::Forever, quarantine_bytes: 32_000_000, ..Keep::default() });
    backend.listen(Protocol::OwnTracks, address("127.0.0.1:0"));
    // Stopping waits for what is being written.
    backend.stop(SOON);
    let read = Config::load(&path).unwrap();
    assert_eq!((read.policy, read.owntracks), (Some(Policy::Strict), Some(address("127.0.0.1:0"))));
    assert_eq!((read.keep.packet_age, read.keep.quarantine_bytes), (Some(Forever::Forever), Some(32_000_000)));
    assert_eq!((read.keep.packet_bytes, read.keep.new_devices), (None, None));
    assert_eq!((read.gt06, read.data_dir), (None, None), "what nobody changed is not written");
}

#[test]
fn every_limit_can_be_set_and_what_is_not_keeps_its_default() {
    let text = "policy = 'adopt'\nsilence = '2 min'\n[limits]\nconnections = 20_000\nanswer = '5 s'\nhttp_head = 7\nqueue = '1 GiB'\nfile = '20 GB'\nhttp_pause = '1 h'\nvisits = 0x10\nhead = '16 KiB'\nstranger = '2 KiB'\n";
    let setup =
        Config { data_dir: Some("/srv".into()), ..Config::default() }.or(parse(text).unwrap()).setup(None).unwrap();
    let bounds = &setup.limits;
    assert_eq!((bounds.ingest.connections, bounds.ingest.visits), (20_000, 16));
    assert_eq!((bounds.ingest.head_bytes, bounds.ingest.stranger_bytes), (16 << 10, 2 << 10));
    let seconds = Duration::from_secs;
    assert_eq!(
        (bounds.ingest.write, bounds.ingest.http_head, bounds.ingest.idle),
        (seconds(5), seconds(7), seconds(120))
    );
    assert_eq!((bounds.store.queue_bytes, bounds.store.file_bytes), (1 << 30, Some(20_000_000_000)));
    assert_eq!(bounds.ingest.http_pause, Duration::from_hours(1));
    assert_eq!(bounds.ingest.http_body, Limits::default().http_body);
    let from = |key: &str| {
        let limits = health::limits(bounds, None);
        limits.into_iter().find(|limit| limit.key == key).map(|limit| (limit.text, limit.source)).unwrap()
    };
    let row = |text: &str, source: &str| (text.to_owned(), source.to_owned());
    assert_eq!(from("connections"), row("20000", "set"));
    assert_eq!(from("silence"), row("2 min", "set"));
    assert_eq!(from("http_body"), row("30 s", "default"));
    assert_eq!(from("body"), row("2 MiB", "promised to apps"));
    assert_eq!(parse("[limits]\nfile = 'off'").unwrap().limits.clone(), parse("limits.file = 'off'").unwrap().limits);
}

#[test]
fn what_the_window_changes_stays_above_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, "# mine\n\n[limits] # few\nconnections = 3\n").unwrap();
    config::remember_policy(&path, Policy::Adopt).unwrap();
    config::remember_policy(&path, Policy::Strict).unwrap();
    let expected = "# mine\n\npolicy = \"strict\"\n[limits] # few\nconnections = 3\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(Config::load(&path).unwrap().policy, Some(Policy::Strict));
    fs::write(&path, "limits.connections = 3").unwrap();
    config::remember_policy(&path, Policy::Adopt).unwrap();
    assert_eq!(Config::load(&path).unwrap().policy, Some(Policy::Adopt));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A file that anybody may have written: understood, or refused in one line that names the file.
    #[test]
    fn any_text_is_understood_or_said_with_its_line(
        lines in prop::collection::vec("(gt06|policy|silence|data_dir|https|x)? ?=? ?[\"'\\[{]?\\PC{0,12}[\"'\\]}]?", 0..6),
        ending in prop::sample::select(vec!["\n", "\r\n", "\r", "\0", "\u{feff}"]),
    ) {
        let text = lines.join(ending);
        match parse(&text) {
            Ok(config) => drop(config.setup(None)),
            Err(error) => {
                let said = error.to_string();
                prop_assert!(said.starts_with("/etc/wayglass/config.toml, line "), "{said}");
                prop_assert!(!said.contains('\n'), "{said}");
            }
        }
    }
}
