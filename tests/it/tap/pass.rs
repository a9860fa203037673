//! What goes through: every byte, both ways, whatever it is and however either end fares.

use std::{
    io::Read,
    thread,
    time::{Duration, Instant},
};

use proptest::{prelude::*, test_runner::TestRunner};
use wayglass::{
    backend::{Limits, ListenAt, Tap, TapMode, Upstream},
    model::Policy,
};

use super::far::{
    End, NAME, Server, ack, heartbeat, line, logged_in, login, login_answer, passing_on, position, stored, tap,
};
use crate::support::{SOON, Station};

/// Says everything in these pieces, then no more, and gives what was heard.
fn speak(mut end: End, said: Vec<Vec<u8>>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut ear = End(end.0.try_clone().unwrap());
        let listening = thread::spawn(move || ear.hear_out());
        for piece in said {
            end.say(&piece);
            thread::yield_now();
        }
        end.close_half();
        listening.join().unwrap()
    })
}

fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 3_000..9_000),
        Just(login()),
        (0..60_u8, any::<u16>()).prop_map(|(second, serial)| position(second, serial)),
        any::<u16>().prop_map(heartbeat),
        (any::<u8>(), any::<u16>()).prop_map(|(kind, serial)| ack(kind, serial)),
        any::<prop::sample::Index>().prop_map(|at| login()[..at.index(18)].to_vec()),
    ];
    prop::collection::vec(piece, 0..12)
}

#[test]
fn every_byte_goes_through_unchanged_both_ways() {
    let server = Server::start();
    let (_station, at) = passing_on(&server);
    let mut cases = TestRunner::new(ProptestConfig::with_cases(48));
    let run = cases.run(&(pieces(), pieces()), |(up, down)| {
        let tracker = End::dial(at);
        let far = server.accept();
        let (by_server, by_tracker) = (speak(far, down.clone()), speak(tracker, up.clone()));
        prop_assert_eq!(by_server.join().unwrap(), up.concat());
        prop_assert_eq!(by_tracker.join().unwrap(), down.concat());
        Ok(())
    });
    run.unwrap();
}

#[test]
fn what_both_said_is_stored_to_the_last_byte() {
    let server = Server::start();
    let (station, at) = passing_on(&server);
    let mut tracker = End::dial(at);
    let mut far = server.accept();
    let said = [login(), position(1, 2), b"hello".to_vec(), position(2, 3)].concat();
    tracker.say(&said);
    far.hear(&said);
    let answered = [login_answer(), b"world".to_vec()].concat();
    far.say(&answered);
    tracker.hear(&answered);
    drop((tracker, far));
    stored(&station, 6);
    let all = |way: &str| {
        let sql = format!(
            "SELECT group_concat(hex(bytes), '') FROM (SELECT * FROM packets WHERE direction = '{way}' ORDER BY id)"
        );
        station.sql::<String>(&sql).to_lowercase()
    };
    assert_eq!(all("in"), wayglass::wire::hex(&said));
    assert_eq!(all("out"), wayglass::wire::hex(&answered));
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 2);
    let line = line(&station);
    assert_eq!((line.traffic.packets, line.traffic.not_recorded_bytes), (6, 0));
    assert_eq!(line.traffic.heard_bytes, said.len() as u64);
    assert!(matches!(line.upstream, Upstream::Reached { .. }));
}

#[test]
fn half_a_connection_is_kept() {
    let server = Server::start();
    let (_station, at) = passing_on(&server);
    for tracker_first in [true, false] {
        let (tracker, far) = (End::dial(at), server.accept());
        let (mut silent, mut talks) = if tracker_first { (tracker, far) } else { (far, tracker) };
        silent.say(b"last words");
        silent.close_half();
        assert_eq!(talks.hear_out(), b"last words", "and it is told that there are no more");
        for piece in [b"and", b"yet"] {
            talks.say(piece);
            silent.hear(piece);
        }
        drop(talks);
        assert_eq!(silent.hear_out(), b"");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_and_the_tracker_heard_and_closed() {
    let server = Server::start();
    let (station, at) = passing_on(&server);
    let _gone = server.leave();
    let mut tracker = End::dial(at);
    tracker.say(&login());
    assert_eq!(tracker.hear_out(), b"", "closed, as it would be without us");
    stored(&station, 1);
    assert_eq!(station.sql::<String>("SELECT kind FROM packets"), "login");
    station.until("it is told", |s| matches!(line(s).upstream, Upstream::Failed { .. }));
    let Upstream::Failed { why, .. } = line(&station).upstream else { unreachable!("just seen") };
    assert!(why.contains("refuses"), "{why}");
    let health = station.backend().health().wait().unwrap();
    let count = health.counts.iter().find(|count| count.key == "not_passed_on").unwrap();
    assert_eq!(count.since_start, 1);
    let findings = health.findings(health.at);
    assert!(findings.iter().any(|f| f.cure.is_some() && f.text.contains("was not reached")), "{findings:?}");
}

#[test]
fn a_server_that_dies_midway_ends_the_connection_and_the_next_is_passed_on() {
    let server = Server::start();
    let (station, at) = passing_on(&server);
    let (mut tracker, mut far) = logged_in(at, &server);
    far.say(&login_answer());
    tracker.hear(&login_answer());
    tracker.say(&position(1, 2));
    // Unread bytes make its end a reset.
    far.0.peek(&mut [0]).unwrap();
    drop(far);
    assert_eq!(tracker.hear_out(), b"");
    stored(&station, 3);
    let mut tracker = End::dial(at);
    tracker.say(&login());
    server.accept().hear(&login());
}

#[test]
fn a_slow_server_holds_the_tracker_back_and_loses_nothing() {
    let server = Server::start();
    let (station, at) = passing_on(&server);
    let mut tracker = End::dial(at);
    let mut far = server.accept();
    tracker.say(&login());
    // More than the sockets between the two hold.
    let frames = heartbeat(2).repeat(500_000);
    let sent = frames.clone();
    let sending = thread::spawn(move || {
        tracker.0.set_write_timeout(Some(4 * SOON)).unwrap();
        tracker.say(&sent);
        tracker.close_half();
        tracker
    });
    far.hear(&login());
    let held = |station: &Station| line(station).traffic.heard_bytes;
    station.until("the tap has heard as much as it holds", |s| held(s) > 100_000);
    let (mut before, mut since) = (0, Instant::now());
    station.until("it is held back", |s| {
        let now = held(s);
        if std::mem::replace(&mut before, now) != now {
            since = Instant::now();
        }
        since.elapsed() > Duration::from_secs(1)
    });
    assert!(before < frames.len() as u64, "{before} bytes were taken of a tracker whose server reads none");
    assert_eq!(far.hear_out(), frames);
    drop(sending.join().unwrap());
}

#[test]
fn hostile_junk_goes_through_and_its_record_is_bounded() {
    let server = Server::start();
    let (station, at) = passing_on(&server);
    let tracker = End::dial(at);
    let far = server.accept();
    let junk: Vec<Vec<u8>> = (0..512_u32).map(|n| vec![u8::try_from(n % 251).unwrap() | 1; 4096]).collect();
    let (by_server, by_tracker) = (speak(far, Vec::new()), speak(tracker, junk.clone()));
    assert_eq!(by_server.join().unwrap(), junk.concat(), "two megabytes, to the last byte");
    by_tracker.join().unwrap();
    let all = 512 * 4096;
    let recorded = || station.sql::<i64>("SELECT coalesce(sum(length(bytes)), 0) FROM packets").cast_unsigned();
    station.until("every byte is recorded or counted", |s| recorded() + line(s).traffic.not_recorded_bytes >= all);
    assert_eq!(recorded() + line(&station).traffic.not_recorded_bytes, all, "none is told twice");
    // What was read before it was judged comes on top of the bound of strangers.
    assert!(recorded() <= 1 << 20, "{} bytes of junk are stored", recorded());
}

#[test]
fn who_says_nothing_of_use_makes_room_for_trackers() {
    let server = Server::start();
    let station = Station::start_with(Policy::Adopt, Limits { connections: 2, ..Limits::default() });
    let at = tap(&station, TapMode::Pass { to: server.at().to_string() });
    let (mut tracker, mut far) = logged_in(at, &server);
    stored(&station, 1);
    let mut stranger = End::dial(at);
    let _far_of_stranger = server.accept();
    station.until("all places are taken", |s| line(s).line.connections == 2);
    let mut second = End::dial(at);
    assert_eq!(stranger.hear_out(), b"", "the stranger goes");
    second.say(&login());
    server.accept().hear(&login());
    tracker.say(&heartbeat(2));
    far.hear(&heartbeat(2));
}

#[test]
fn a_connection_that_rests_for_too_long_is_closed() {
    let server = Server::start();
    let station = Station::start_with(Policy::Adopt, Limits { idle: Duration::from_millis(300), ..Limits::default() });
    let at = tap(&station, TapMode::Pass { to: server.at().to_string() });
    let mut tracker = End::dial(at);
    let mut far = server.accept();
    assert_eq!((tracker.hear_out(), far.hear_out()), (Vec::new(), Vec::new()));
}

#[test]
fn a_tap_does_not_pass_on_to_itself() {
    let station = Station::start(Policy::Adopt);
    let at = tap(&station, TapMode::Copy);
    let to = TapMode::Pass { to: at.to_string() };
    let free = ListenAt::Address("127.0.0.1:0".parse().unwrap());
    station.backend().set_tap(Tap { name: NAME.to_owned(), listen: free, mode: to });
    let mut tracker = End::dial(at);
    tracker.say(&login());
    let mut rest = Vec::new();
    tracker.0.read_to_end(&mut rest).ok();
    station.until("it is told", |s| match line(s).upstream {
        Upstream::Failed { why, .. } => why.contains("leads back"),
        _ => false,
    });
}
