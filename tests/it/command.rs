//! Commands from asking to answer: a whole station, trackers on real sockets, and the command line beside it.

use std::{
    path::Path,
    process::{self, Command as Program, Stdio},
    time::Duration,
};

use serde_json::Value;
use wayglass::{
    geo::LatLon,
    model::{
        Command, CommandId, CommandState, Device, DeviceId, DeviceState, Direction, Fix, Policy, Profile, Protocol,
        Timestamp,
    },
    wire::{
        Admission, Conversation, Line, Output,
        gt06::{
            self, AddressSource, Tongue,
            encode::{self, Start},
        },
        hex,
    },
};

use super::support::{Station, TestClock, Tracker, bytes};

const IMEI: &str = "868120148373456";
const NOON: &str = "2026-11-21T12:00:00Z";
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Connects and logs in.
fn log_in(station: &Station) -> Tracker {
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(&hex(&encode::login(IMEI, 1)));
    tracker.expect(&hex(&encode::acknowledge(Start::Short, 0x01, 1)));
    tracker
}

/// A station with one tracker that is adopted and connected.
fn met(clock: &TestClock) -> (Station, Tracker, DeviceId) {
    let station = Station::start_at(clock, Policy::Adopt);
    let tracker = log_in(&station);
    station.until("it sits in the roster", |s| s.backend().connected().len() == 1);
    let id = station.backend().devices().wait().unwrap()[0].device.id;
    (station, tracker, id)
}

/// Is answered, so whatever was sent before it has arrived.
fn beat(tracker: &mut Tracker, serial: u16) {
    tracker.send(&hex(&encode::heartbeat(true, true, 6, 4, serial)));
    tracker.expect(&hex(&encode::acknowledge(Start::Short, 0x13, serial)));
}

/// Answers a command.
fn answer(tracker: &mut Tracker, text: &str, flag: i64, serial: u16) {
    tracker.send(&hex(&encode::answer_15(text, u32::try_from(flag).unwrap(), serial)));
    tracker.expect(&hex(&encode::acknowledge(Start::Short, 0x15, serial)));
}

fn drive(tracker: &mut Tracker, at: Timestamp, speed_kmh: f64, serial: u16) {
    let fix = Fix {
        at,
        place: LatLon::new(48.2, 16.4).unwrap(),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(speed_kmh),
        course_deg: Some(90.0),
        satellites: Some(9),
        accuracy_m: None,
    };
    tracker.send(&hex(&encode::position_22(&fix, true, serial)));
    tracker.expect(&hex(&encode::acknowledge(Start::Short, 0x22, serial)));
}

fn send(station: &Station, device: DeviceId, text: &str) -> Result<Command, String> {
    station.backend().send_command(device, text.into(), 10 * MINUTE, false).wait().map_err(|e| e.to_string())
}

/// The bytes of the command with this number.
fn sent(id: CommandId, text: &str) -> String {
    let number = u16::try_from(id.0).unwrap();
    hex(&encode::command(text, number.into(), false, number).unwrap())
}

#[track_caller]
fn becomes(station: &Station, id: CommandId, state: CommandState) -> Command {
    let now = || station.backend().command(id).wait().unwrap().unwrap();
    station.until(&format!("{id:?} is {}", state.as_str()), |_| now().state == state);
    now()
}

#[test]
fn a_connected_tracker_gets_it_at_once_and_its_answer_is_matched() {
    let clock = TestClock::at(NOON);
    let (station, mut tracker, device) = met(&clock);
    let preview = hex(&station.backend().preview_command(&Profile::default(), "STATUS#").unwrap());
    let first = send(&station, device, "STATUS#").unwrap();
    tracker.expect(&preview);
    let second = send(&station, device, "VERSION#").unwrap();
    tracker.expect(&sent(second.id, "VERSION#"));
    clock.advance(Duration::from_millis(1350));
    for (text, command) in [("NT38B", second.id), ("Battery:4.05V;", first.id)] {
        answer(&mut tracker, text, command.0, 2);
    }
    let first = becomes(&station, first.id, CommandState::Answered);
    assert_eq!((first.answer.as_deref(), first.guessed), (Some("Battery:4.05V;"), false));
    assert_eq!(first.delay_ms(), Some(1350));
    let packet = |id: Option<_>| station.backend().packet(id.unwrap()).wait().unwrap().unwrap();
    let (out, back) = (packet(first.sent_packet), packet(first.answer_packet));
    assert_eq!((out.direction, out.device, hex(&out.bytes)), (Direction::Out, Some(device), preview));
    assert_eq!((back.direction, back.device), (Direction::In, Some(device)));
    assert!(hex(&back.bytes).contains(&hex(b"Battery:4.05V;")));
    assert_eq!(becomes(&station, second.id, CommandState::Answered).answer.as_deref(), Some("NT38B"));
}

#[test]
fn an_absent_tracker_gets_it_at_its_login_unless_taken_back_or_too_late() {
    let clock = TestClock::at(NOON);
    let (station, tracker, device) = met(&clock);
    drop(tracker);
    station.until("it left", |s| s.backend().connected().is_empty());
    let backend = station.backend();
    let late = backend.send_command(device, "GPRSSET#".into(), MINUTE, false).wait().unwrap();
    let kept = send(&station, device, "WHERE#").unwrap();
    let undone = send(&station, device, "RESET#").unwrap();
    backend.cancel_command(undone.id).wait().unwrap();
    clock.advance(2 * MINUTE);
    becomes(&station, late.id, CommandState::Expired);
    assert_eq!(becomes(&station, kept.id, CommandState::Queued).sent, None);

    let mut tracker = log_in(&station);
    tracker.expect(&sent(kept.id, "WHERE#"));
    becomes(&station, kept.id, CommandState::Sent);
    assert!(backend.cancel_command(kept.id).wait().is_err(), "it is out");
    beat(&mut tracker, 2);
    assert_eq!(becomes(&station, undone.id, CommandState::Failed).sent, None);
}

#[test]
fn a_clone_that_echoes_zeros_is_guessed_at() {
    let (station, mut tracker, device) = met(&TestClock::at(NOON));
    let command = send(&station, device, "PARAM#").unwrap();
    tracker.expect(&sent(command.id, "PARAM#"));
    answer(&mut tracker, "TIMER:10", 0, 2);
    let command = becomes(&station, command.id, CommandState::Answered);
    assert_eq!((command.answer.as_deref(), command.guessed), (Some("TIMER:10"), true));
}

#[test]
fn a_new_socket_takes_over_and_answers_for_the_old_one() {
    let (station, mut old, device) = met(&TestClock::at(NOON));
    let asked_before = send(&station, device, "STATUS#").unwrap();
    old.expect(&sent(asked_before.id, "STATUS#"));
    let mut new = log_in(&station);
    old.expect_closed();
    let asked_after = send(&station, device, "WHERE#").unwrap();
    new.expect(&sent(asked_after.id, "WHERE#"));
    answer(&mut new, "late", asked_before.id.0, 2);
    let late = becomes(&station, asked_before.id, CommandState::Answered);
    assert_eq!((late.answer.as_deref(), late.guessed), (Some("late"), false));
    // A login again on the same socket keeps its place.
    new.send(&hex(&encode::login(IMEI, 3)));
    new.expect(&hex(&encode::acknowledge(Start::Short, 0x01, 3)));
    let again = send(&station, device, "URL#").unwrap();
    new.expect(&sent(again.id, "URL#"));
    assert_eq!(station.backend().connected(), [device]);
}

#[test]
fn another_trackers_answer_is_no_answer() {
    let (station, mut tracker, device) = met(&TestClock::at(NOON));
    let command = send(&station, device, "STATUS#").unwrap();
    tracker.expect(&sent(command.id, "STATUS#"));
    let mut other = Tracker::connect(station.gt06);
    other.send(&hex(&encode::login("123456789012345", 1)));
    other.expect(&hex(&encode::acknowledge(Start::Short, 0x01, 1)));
    answer(&mut other, "mine", command.id.0, 2);
    beat(&mut other, 3);
    assert_eq!(becomes(&station, command.id, CommandState::Sent).answer, None);
}

#[test]
fn fuel_is_not_cut_while_it_moves_unless_forced() {
    let clock = TestClock::at(NOON);
    let (station, mut tracker, device) = met(&clock);
    let refused = send(&station, device, "RELAY,1#").unwrap_err();
    assert!(refused.contains("no position"), "{refused}");
    drive(&mut tracker, NOON.parse().unwrap(), 64.0, 2);
    let refused = send(&station, device, "DYD,000000#").unwrap_err();
    assert!(refused.contains("64 km/h"), "{refused}");
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM commands"), 0);
    let forced = station.backend().send_command(device, "RELAY,1#".into(), MINUTE, true).wait().unwrap();
    tracker.expect(&sent(forced.id, "RELAY,1#"));
    let restored = send(&station, device, "RELAY,0#").unwrap();
    tracker.expect(&sent(restored.id, "RELAY,0#"));
    clock.advance(Duration::from_secs(20));
    drive(&mut tracker, "2026-11-21T12:00:20Z".parse().unwrap(), 4.0, 4);
    let slow = send(&station, device, "RELAY,1#").unwrap();
    tracker.expect(&sent(slow.id, "RELAY,1#"));
}

#[test]
fn a_cut_that_was_queued_waits_until_the_vehicle_stands() {
    let clock = TestClock::at(NOON);
    let (station, mut tracker, device) = met(&clock);
    drive(&mut tracker, NOON.parse().unwrap(), 64.0, 2);
    drop(tracker);
    station.until("it left", |s| s.backend().connected().is_empty());
    clock.advance(HOUR);
    let cut = send(&station, device, "RELAY,1#").unwrap();
    let restore = send(&station, device, "RELAY,0#").unwrap();
    let status = send(&station, device, "STATUS#").unwrap();

    let mut tracker = log_in(&station);
    tracker.expect(&sent(status.id, "STATUS#"));
    let waits = |id| station.backend().command(id).wait().unwrap().unwrap().waits;
    station.until("it says why it waits", |_| waits(cut.id).is_some() && waits(restore.id).is_some());
    assert!(waits(cut.id).unwrap().contains("64 km/h 60 min ago"), "{:?}", waits(cut.id));
    drive(&mut tracker, "2026-11-21T13:00:00Z".parse().unwrap(), 0.0, 2);
    tracker.expect(&sent(cut.id, "RELAY,1#"));
    tracker.expect(&sent(restore.id, "RELAY,0#"));
    assert_eq!(becomes(&station, cut.id, CommandState::Sent).waits, None);
}

#[test]
fn language_bytes_are_a_switch_of_the_device() {
    let (station, mut tracker, device) = met(&TestClock::at(NOON));
    let profile = Profile { command_language: true, ..Profile::default() };
    station.backend().set_profile(device, profile.clone()).wait().unwrap();
    let preview = hex(&station.backend().preview_command(&profile, "RELAY,0#").unwrap());
    assert!(preview.contains(&format!("{}0002", hex(b"RELAY,0#"))), "{preview}");
    send(&station, device, "RELAY,0#").unwrap();
    tracker.expect(&preview);
    assert!(station.backend().preview_command(&profile, &"x".repeat(244)).unwrap_err().contains("243"));
}

#[test]
fn a_topin_unit_takes_no_text() {
    let station = Station::start(Policy::Adopt);
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send("78780d010359339075005244340d0a");
    station.until("it sits in the roster", |s| s.backend().connected().len() == 1);
    let device = station.backend().connected()[0];
    let command = send(&station, device, "WHERE#").unwrap();
    let command = becomes(&station, command.id, CommandState::Failed);
    assert!(command.answer.unwrap().contains("Topin"));
}

#[test]
fn an_address_source_names_the_places_that_trackers_ask_about() {
    const ENGLISH: &str =
        "78782e1a0b0b0f0e1e08cf027ac8a20c4657d700140236363336360003000400000000000000000000000000020032043a0d0a";
    const CHINESE: &str =
        "78782e2a0f0c1d071139ca027ac8000c4658000014d83132353230313335333231373730373900000000000001002a6ece0d0a";
    let source = AddressSource::new(|at, tongue| match tongue {
        Tongue::English => Some(format!("Road {:.2} && more", at.lat_deg())),
        Tongue::Chinese => None,
    });
    let line = Line { peer: "192.0.2.1:5023".into(), connection: 1 };
    let mut session = gt06::Session::new(line).with_addresses(source);
    let now: Timestamp = NOON.parse().unwrap();
    session.receive(now, &encode::login(IMEI, 1));
    session.receive(now, &[bytes(ENGLISH), bytes(CHINESE)].concat());
    let mut sent = Vec::new();
    while let Some(output) = session.poll() {
        match output {
            Output::Identify(identity) => session.identified(Admission::Device(Box::new(Device {
                id: DeviceId(1),
                identity,
                protocol: Protocol::Gt06,
                name: None,
                state: DeviceState::Adopted,
                profile: Profile::default(),
                first_seen: now,
                last_heard: None,
            }))),
            Output::Send(bytes) => sent.push(hex(&bytes)),
            Output::Store(_) | Output::Receipt(_) | Output::Close(_) => {}
        }
    }
    let wide = |text: &str| hex(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    assert!(sent[1].starts_with("7979") && sent[1].contains(&wide("Road 23.11 & & more")), "{}", sent[1]);
    assert!(sent[2].starts_with("7878") && sent[2].contains(&wide("N23.111")), "{}", sent[2]);
}

/// `wayglass command` with these words, on this folder.
fn call(folder: &Path, words: &[&str]) -> process::Output {
    let mut program = Program::new(env!("CARGO_BIN_EXE_wayglass"));
    program.arg("command").args(words).arg("--data-dir").arg(folder);
    program.env("HOME", folder).env_remove("RUST_LOG").stdin(Stdio::null());
    program.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_command_line_sends_through_the_running_instance() {
    let station = Station::start_live(Policy::Adopt);
    let mut tracker = log_in(&station);
    station.until("it sits in the roster", |s| s.backend().connected().len() == 1);
    let folder = station.folder.path();
    let output = std::thread::scope(|scope| {
        let called = scope.spawn(|| call(folder, &[IMEI, "STATUS#", "--wait", "20", "--json"]));
        tracker.expect(&sent(CommandId(1), "STATUS#"));
        answer(&mut tracker, "Battery:4.05V;", 1, 2);
        called.join().unwrap()
    });
    assert!(output.status.success(), "{}", text(&output.stderr));
    let receipt: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&receipt["device"], &receipt["state"]), (&IMEI.into(), &"answered".into()), "{receipt}");
    assert_eq!((&receipt["answer"], &receipt["guessed"]), (&"Battery:4.05V;".into(), &false.into()), "{receipt}");
    assert!(receipt["delay_ms"].as_i64().is_some_and(|ms| ms >= 0), "{receipt}");

    // Nobody answers: the receipt says how far it came.
    let output = call(folder, &[IMEI, "VERSION#", "--wait", "0"]);
    let words = text(&output.stdout);
    assert!(output.status.success() && words.contains("VERSION#"), "{words} {}", text(&output.stderr));

    for (words, code, why) in [
        (&["nobody", "STATUS#"][..], 1, "nobody"),
        (&[IMEI, "gr\u{fc}n#"], 1, "ASCII"),
        (&[IMEI, "RELAY,1#"], 2, "--confirm"),
        (&[IMEI, "FACTORY#", "--wait", "0"], 2, "erases the settings"),
        (&[IMEI, "SERVER,1,example.org,5023,0#"], 2, "--confirm"),
        (&[IMEI, "RELAY,1#", "--confirm", "123456789012345"], 2, "--confirm"),
        (&[IMEI, "RELAY,1#", "--confirm", IMEI], 1, "no position"),
        (&[IMEI], 2, "TEXT"),
    ] {
        let output = call(folder, words);
        let error = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), ""), "{words:?}: {error}");
        assert!(error.contains(why), "{words:?}: {error}");
    }
    tracker.expect(&sent(CommandId(2), "VERSION#"));
    let forced = call(folder, &[IMEI, "RELAY,1#", "--confirm", IMEI, "--force", "--wait", "0"]);
    assert!(forced.status.success(), "{}", text(&forced.stderr));
    tracker.expect(&sent(CommandId(3), "RELAY,1#"));
}

#[test]
fn the_command_line_needs_a_running_instance() {
    let station = Station::start_live(Policy::Adopt);
    drop(log_in(&station));
    let folder = station.stop();
    let output = call(folder.path(), &[IMEI, "STATUS#"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    assert!(text(&output.stderr).contains("no Wayglass receives"), "{}", text(&output.stderr));
}
