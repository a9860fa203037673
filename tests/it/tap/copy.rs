//! A raw copy, as Traccar's `server.forward` sends it: recorded, never answered.

use wayglass::{backend::TapMode, model::Policy};

use super::far::{End, heartbeat, line, login, position, stored, tap, told};
use crate::support::Station;

#[test]
fn a_copy_is_recorded_and_never_answered() {
    let station = Station::start(Policy::Adopt);
    let at = tap(&station, TapMode::Copy);
    let mut forwarder = End::dial(at);
    forwarder.say(&[login(), position(1, 2), heartbeat(3)].concat());
    stored(&station, 3);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 1);
    forwarder.close_half();
    assert_eq!(forwarder.hear_out(), b"", "not a byte");
    let expected = "in login ok - {\"tap\":\"vendor\"}\nin location ok - {\"tap\":\"vendor\"}\nin heartbeat ok - {\"tap\":\"vendor\"}";
    assert_eq!(told(&station), expected, "and nothing is said to be missing: nobody knows what was answered");
    station.until("the connection is gone", |s| line(s).line.connections == 0);
}

#[test]
fn under_strict_no_more_than_the_login_of_an_unknown_tracker_is_kept() {
    let station = Station::start(Policy::Strict);
    let at = tap(&station, TapMode::Copy);
    let mut forwarder = End::dial(at);
    forwarder.say(&[login(), position(1, 2)].concat());
    forwarder.say(&heartbeat(3));
    let rest = (position(1, 2).len() + heartbeat(3).len()) as u64;
    station.until("the rest is counted", |s| line(s).traffic.not_recorded_bytes == rest);
    stored(&station, 1);
    assert_eq!(station.sql::<String>("SELECT kind || ' ' || verdict FROM packets"), "login error");
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM devices"), 0);
}
