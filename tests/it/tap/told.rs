//! What is said of an overheard server: which answer is another than ours, and what a device is told through here.

use std::time::Duration;

use wayglass::{
    backend::TapMode,
    model::{CommandState, Policy},
};

use super::far::{
    End, Server, ack, frame, heartbeat, line, logged_in, login, login_answer, passing_on, position, stored, tap, told,
};
use crate::support::Station;

#[test]
fn an_answer_that_differs_is_marked_and_one_that_does_not_is_not() {
    let server = Server::start();
    let (station, at) = passing_on(&server);
    let mut tracker = End::dial(at);
    let mut far = server.accept();
    let mut exchange = |said: &[u8], answer: &[u8]| {
        tracker.say(said);
        far.hear(said);
        far.say(answer);
        tracker.hear(answer);
    };
    exchange(&login(), &login_answer());
    let voltage = frame(0x94, &[0, 0x04, 0xB0], 3);
    // Under another serial; where we answer nothing; with a wrong stop bit.
    exchange(&heartbeat(2), &ack(0x13, 7));
    exchange(&voltage, &ack(0x94, 3));
    let mut odd = ack(0x13, 4);
    *odd.last_mut().unwrap() = 0x0D;
    exchange(&heartbeat(4), &odd);
    // Not answered at all.
    tracker.say(&heartbeat(5));
    far.hear(&heartbeat(5));
    stored(&station, 9);
    let ours = |serial| wayglass::wire::hex(&ack(0x13, serial));
    let heard = |kind: &str, ours: &str| format!("in {kind} ok - {{\"ours\":\"{ours}\",\"tap\":\"vendor\"}}");
    let expected = [
        heard("login", crate::desk::LOGIN_ANSWER.to_lowercase().as_str()),
        "out ack ok 1 {\"tap\":\"vendor\"}".to_owned(),
        heard("heartbeat", &ours(2)),
        format!("out ack note 3 {{\"ours\":\"{}\",\"tap\":\"vendor\"}}", ours(2)),
        "in info note - {\"tap\":\"vendor\"}".to_owned(),
        "out ack note 5 {\"ours\":\"\",\"tap\":\"vendor\"}".to_owned(),
        heard("heartbeat", &ours(4)),
        format!("out ack note 7 {{\"ours\":\"{}\",\"tap\":\"vendor\"}}", ours(4)),
        heard("heartbeat", &ours(5)),
    ];
    assert_eq!(told(&station), expected.join("\n"));
    let found = |filter: &str| super::set_up::found(station.folder.path(), filter);
    assert_eq!(found("tap.differs"), [4, 6, 8, 9], "the last one is not answered");
    assert_eq!(found("tap.differs && dir == in"), [9]);
    assert_eq!(found("tap == vendor && !tap.differs"), [1, 2, 3, 5, 7]);
    assert_eq!(found("tap == other"), [0_i64; 0]);
    assert_eq!(found("problem contains \"our answer is\""), [4, 8]);
}

#[test]
fn a_command_of_the_server_goes_through_and_ours_are_refused() {
    let server = Server::start();
    let (station, at) = passing_on(&server);
    let (mut tracker, mut far) = logged_in(at, &server);
    stored(&station, 1);
    let theirs = frame(0x80, &[&[0x0A, 0, 0, 0, 9], b"WHERE#".as_slice()].concat(), 1);
    far.say(&theirs);
    tracker.hear(&theirs);
    stored(&station, 2);
    let device = station.backend().devices().wait().unwrap()[0].device.id;
    let patience = Duration::from_mins(5);
    let sent = station.backend().send_command(device, "WHERE#".to_owned(), patience, false).wait().unwrap();
    let state = || {
        station.sql::<String>(&format!(
            "SELECT state || ' ' || coalesce(answer, '') FROM commands WHERE id = {}",
            sent.id.0
        ))
    };
    station.until("it is refused", |_| state().starts_with("failed"));
    assert!(state().contains("through the tap vendor"), "{}", state());
    assert_eq!(sent.state, CommandState::Queued);
    far.close_half();
    assert_eq!(tracker.hear_out(), b"", "nothing of ours was put in between");
}

#[test]
fn a_new_sender_waits_for_a_decision_and_its_history_comes_with_it() {
    let station = Station::start(Policy::Ask);
    let at = tap(&station, TapMode::Copy);
    let mut forwarder = End::dial(at);
    forwarder.say(&[login(), position(1, 2)].concat());
    stored(&station, 2);
    let device = station.backend().devices().wait().unwrap().remove(0).device;
    assert_eq!(device.state.as_str(), "new");
    assert_eq!(station.backend().adopt(device.id, None).wait().unwrap(), 1);
    forwarder.say(&position(2, 3));
    stored(&station, 3);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 2);
    assert_eq!(line(&station).traffic.packets, 3);
}
