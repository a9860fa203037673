//! The pretend fleet: the same for the same seed, and what it sends is what devices send.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use jiff::ToSpan;
use serde_json::Value;
use wayglass::{
    model::{Protocol, Timestamp},
    sim::{Band, Fleet, Message},
    wire::{gt06::encode::checksum, hex},
};

fn start() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

/// Everything a fleet sends in so many reports, ten seconds apart.
fn talk(n: usize, seed: u64, reports: i64) -> Vec<(String, Protocol, Message)> {
    let mut fleet = Fleet::new(Band::Demo, n, &Protocol::ALL, seed).into_vehicles();
    let mut all = Vec::new();
    for report in 0..reports {
        let now = start() + (report * 10).seconds();
        for vehicle in &mut fleet {
            let login = (report == 0).then(|| vehicle.login()).flatten();
            let messages = login.into_iter().chain(vehicle.report(now)).collect::<Vec<_>>();
            all.extend(messages.into_iter().map(|m| (vehicle.identity().to_owned(), vehicle.protocol(), m)));
        }
    }
    all
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert_eq!(talk(20, 7, 60), talk(20, 7, 60));
    assert_ne!(talk(20, 7, 60), talk(20, 8, 60));
}

#[test]
fn every_identity_is_the_demos_and_there_is_one_a_device() {
    let fleet = Fleet::new(Band::Demo, 10_000, &Protocol::ALL, 1);
    let mut identities: Vec<_> = fleet.vehicles().iter().map(|v| v.identity().to_owned()).collect();
    assert!(identities.iter().all(|i| Band::Demo.holds(i)));
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), 10_000);
    let speaks = |p| fleet.vehicles().iter().filter(|v| v.protocol() == p).count();
    assert_eq!((speaks(Protocol::Gt06), speaks(Protocol::OwnTracks)), (5_000, 5_000));
}

#[test]
fn trackers_send_whole_frames_in_order() {
    let mut serials = std::collections::BTreeMap::new();
    let mut kinds = std::collections::BTreeMap::<u8, usize>::new();
    for (identity, _, message) in talk(40, 3, 200).into_iter().filter(|(_, p, _)| *p == Protocol::Gt06) {
        let frame = &message.bytes;
        assert_eq!(frame.len(), usize::from(frame[2]) + 5, "{}", hex(frame));
        let (covered, tail) = frame[2..].split_at(frame.len() - 6);
        assert_eq!(checksum(covered).to_be_bytes(), tail[..2], "{}", hex(frame));
        let serial = u16::from_be_bytes([frame[frame.len() - 6], frame[frame.len() - 5]]);
        let before = serials.insert(identity, serial).unwrap_or(0);
        assert_eq!(serial, before + 1, "serials count frames");
        assert_eq!(message.answer[3], frame[3], "an acknowledgement has the type of what it answers");
        assert_eq!(message.answer[4..6], serial.to_be_bytes());
        *kinds.entry(frame[3]).or_default() += 1;
    }
    assert_eq!((kinds[&0x01], kinds[&0x13]), (20, 20 * 12), "one login, a heartbeat every three minutes");
    assert!(kinds[&0x22] > 3_900 && kinds[&0x16] > 0, "{kinds:?}");
}

#[test]
fn phones_send_what_the_apps_send() {
    for (identity, _, message) in talk(20, 3, 100).into_iter().filter(|(_, p, _)| *p == Protocol::OwnTracks) {
        let body: Value = serde_json::from_slice(&message.bytes).unwrap();
        assert_eq!((body["_type"].as_str(), body["topic"].as_str()), (Some("location"), Some(identity.as_str())));
        assert_eq!(body["tid"].as_str().unwrap().len(), 2);
        for (key, low, high) in [
            ("lat", 45.0, 54.0),
            ("lon", 1.0, 21.0),
            ("acc", 1.0, 50.0),
            ("vel", 0.0, 90.0),
            ("batt", 0.0, 100.0),
            ("alt", -50.0, 1_000.0),
        ] {
            let value = body[key].as_f64().unwrap_or_else(|| panic!("{key} in {body}"));
            assert!((low..=high).contains(&value), "{key} is {value}");
        }
        assert_eq!(body.get("cog").is_some(), body["vel"].as_f64() > Some(0.0), "{body}");
    }
}

#[test]
fn a_clock_that_jumps_does_no_harm() {
    let mut fleet = Fleet::new(Band::Simulate, 4, &Protocol::ALL, 1).into_vehicles();
    for now in [start(), start() + 8_000.hours(), start(), Timestamp::UNIX_EPOCH, start()] {
        for vehicle in &mut fleet {
            assert!(!vehicle.report(now).is_empty());
        }
    }
}
