//! Taps of the real program: into its files, past a store that takes nothing, and through a kill.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use super::{
    audit::{open, sound},
    far::{Tracker, fix, frame, login},
    full::Small,
    helper::InTheWay,
    process::{Serve, run, until, wayglass},
};

const IMEI: &str = "861234567890123";

/// A server that is not ours: acknowledges logins, heartbeats and positions under their serials, on as many connections as come.
fn vendor() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(stream));
        }
    });
    at
}

fn answer(mut stream: TcpStream) {
    loop {
        let mut head = [0; 4];
        if stream.read_exact(&mut head).is_err() {
            return;
        }
        let mut rest = vec![0; usize::from(head[2]) + 1];
        if stream.read_exact(&mut rest).is_err() {
            return;
        }
        let at = rest.len() - 6;
        let serial = u16::from_be_bytes([rest[at], rest[at + 1]]);
        if matches!(head[3], 0x01 | 0x13 | 0x22) && stream.write_all(&frame(head[3], &[], serial)).is_err() {
            return;
        }
    }
}

fn tap_words() -> String {
    format!("vendor=127.0.0.1:0={}", vendor())
}

fn count(serve: &Serve, sql: &str) -> i64 {
    open(&serve.data).query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_fix_that_goes_through_a_tap_is_in_packets_and_export() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start_with(data.path(), &["--tap", &tap_words(), "--copy", "127.0.0.1:0"]);
    assert_eq!(serve.taps.len(), 2);
    let mut tracker = Tracker::log_in(serve.taps[0], IMEI).unwrap();
    tracker.report(0..3).unwrap();
    let mut forwarder = TcpStream::connect(serve.taps[1]).unwrap();
    forwarder.write_all(&[login("861234567890124", 1), fix(7, 2)].concat()).unwrap();
    until("everything is stored", || count(&serve, "SELECT count(*) FROM packets") == 12);
    assert_eq!(count(&serve, "SELECT count(*) FROM positions"), 4);
    let folder = data.path().to_str().unwrap();
    let call = |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--data-dir", folder]).collect();
        let (code, out, err) = run(wayglass(data.path(), &words));
        assert_eq!(code, 0, "{err}");
        out
    };
    let out = call(&["packets", "--format", "jsonl", "--filter", "tap == vendor"]);
    assert_eq!(out.lines().count(), 10, "{out}");
    let acks: Vec<_> = out.lines().filter(|line| line.contains(r#""direction":"out""#)).collect();
    assert_eq!(acks.len(), 5, "the server's answers: {out}");
    assert_eq!(call(&["packets", "--format", "jsonl", "--filter", "tap.differs"]), "", "it answers as we do");
    let csv = call(&["export", "--device", IMEI, "--format", "csv"]);
    assert_eq!(csv.lines().count(), 4, "a heading and three points: {csv}");
    let said = call(&["doctor"]);
    assert!(said.contains("Tap vendor") && said.contains("passes on to"), "{said}");
    serve.stop();
}

#[test]
fn a_full_disk_holds_no_byte_up_and_what_is_not_recorded_is_said() {
    let home = tempfile::tempdir().unwrap();
    // A small tape, so that it fills.
    let config = home.path().join("config.toml");
    std::fs::write(&config, "[limits]\ntap_queue = \"1 MiB\"\n").unwrap();
    let words = tap_words();
    let more = ["--tap", &words, "--config", config.to_str().unwrap()];
    let Some(small) = Small::start_with(home.path(), 8, &more) else {
        eprintln!("skipped: this user may not mount a tmpfs");
        return;
    };
    let mut tracker = Tracker::log_in(small.serve.taps[0], IMEI).unwrap();
    tracker.report(0..5).unwrap();
    small.fill();
    let mut sent = 5;
    // Answered all the while: by the server behind it.
    for _ in 0..400 {
        tracker.report(sent..sent + 8).expect("the vendor's service goes on");
        sent += 8;
    }
    let health = || {
        let text = std::fs::read_to_string(small.seen().join("health.json")).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default()
    };
    let lost = || health()["taps"][0]["not_recorded_bytes"].as_u64().unwrap_or_default();
    until("what was not recorded is said", || lost() > 0);
    small.free();
    // Each of them is a sign of life, and the first that is stored says what is missing before it.
    until("it is recorded again", || {
        tracker.report(sent..sent + 1).expect("the vendor's service goes on");
        sent += 1;
        let filter = "problem contains \"could not be recorded\"";
        let data = small.serve.data.to_str().expect("UTF-8");
        let (code, out, err) = small.call(&["packets", "--format", "jsonl", "--filter", filter, "--data-dir", data]);
        assert_eq!(code, 0, "{err}");
        out.contains("lost_bytes")
    });
    drop(tracker);
    let (data, _) = small.end("TERM");
    let db = open(data.path());
    sound(&db);
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(one("SELECT count(*) FROM positions") - one("SELECT count(DISTINCT fix_time_ms) FROM positions"), 0);
    assert_eq!(
        one(
            "SELECT count(*) FROM (SELECT 1 FROM packets WHERE kind != 'login' GROUP BY direction, bytes HAVING count(*) > 1)"
        ),
        0,
        "no packet twice"
    );
    assert!(one("SELECT count(*) FROM packets") < sent, "some are missing, which is the point");
}

#[test]
fn a_locked_store_is_waited_for_and_nothing_is_stored_twice() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start_with(data.path(), &["--tap", &tap_words()]);
    let mut tracker = Tracker::log_in(serve.taps[0], IMEI).unwrap();
    tracker.report(0..2).unwrap();
    until("it is stored", || count(&serve, "SELECT count(*) FROM positions") == 2);
    let holder = InTheWay::lock(data.path());
    for n in 1..20 {
        tracker.report(2 * n..2 * n + 2).expect("the vendor's service goes on");
    }
    until("the store says so", || serve.said().contains("locked"));
    holder.let_go();
    // Of each report two fixes, a heartbeat and their answers; and the login with its.
    until("all of it is stored", || count(&serve, "SELECT count(*) FROM packets") >= 20 * 6 + 2);
    assert_eq!(count(&serve, "SELECT count(*) FROM packets"), 20 * 6 + 2);
    assert_eq!(count(&serve, "SELECT count(*) FROM positions"), 40);
    assert_eq!(count(&serve, "SELECT count(*) FROM packets WHERE direction = 'out' AND answers IS NULL"), 0);
    serve.stop();
}

#[test]
fn a_kill_leaves_nothing_twice() {
    let data = tempfile::tempdir().unwrap();
    let words = tap_words();
    for round in 0..3_i64 {
        let serve = Serve::start_with(data.path(), &["--tap", &words]);
        let mut tracker = Tracker::log_in(serve.taps[0], IMEI).unwrap();
        // The same fixes again, as a tracker sends what it believes lost.
        tracker.report(0..40 * (round + 1)).unwrap();
        until("something is stored", || count(&serve, "SELECT count(*) FROM positions") > 0);
        serve.kill();
    }
    let db = open(data.path());
    sound(&db);
    let doubled = "SELECT count(*) FROM (SELECT 1 FROM positions GROUP BY device_id, fix_time_ms HAVING count(*) > 1)";
    assert_eq!(db.query_row(doubled, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn words_that_are_off_and_ports_that_are_taken_are_one_clear_line() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let serve = |more: &[&str]| {
        let words = super::process::serve_words(&data);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        run(wayglass(home.path(), &words))
    };
    let (code, out, err) = serve(&["--tap", "127.0.0.1:5024"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("127.0.0.1:5024=gps.example.com:5023"), "{err}");
    let (code, _, err) = serve(&["--tap", "v=127.0.0.1:0=a:1", "--copy", "v=127.0.0.1:0"]);
    assert!(code == 2 && err.contains("two taps are called v"), "{code} {err}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (code, out, err) = serve(&["--copy", &format!("127.0.0.1:{port}")]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    let clear = err.contains("the tap copy") && err.contains(&port.to_string()) && err.contains("--copy");
    assert!(err.lines().count() == 1 && clear, "{err}");
}
