//! What the window counts is what the store has, however facts and answers meet.

use std::cell::Cell;

use super::*;
use crate::{
    geo::LatLon,
    model::{Fix, Identity, Trust, Verdict},
};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + minute * 60).unwrap()
}

fn device() -> Device {
    Device {
        id: DeviceId(1),
        identity: Identity::new("one").unwrap(),
        protocol: Protocol::Gt06,
        name: None,
        state: DeviceState::Adopted,
        profile: Profile::default(),
        first_seen: at(0),
        last_heard: None,
    }
}

fn fix(id: i64, minute: i64, trust: Trust, alarm: Option<&str>) -> StoredFix {
    let mut readings = Readings::new();
    readings.set("alarm", alarm);
    let place = LatLon::new(51.0, 4.0).unwrap();
    let fix = Fix {
        at: at(minute),
        place,
        valid: true,
        altitude_m: None,
        speed_kmh: None,
        course_deg: None,
        satellites: None,
        accuracy_m: None,
    };
    StoredFix { id, device: DeviceId(1), fix, received: at(minute), trust, readings, packet: PacketId(minute) }
}

#[test]
fn the_window_goes_by_the_rule_of_the_store() {
    let ids = Cell::new(0);
    let fix = |minute, trust, alarm| {
        ids.set(ids.get() + 1);
        fix(ids.get(), minute, trust, alarm)
    };
    let mut data = Data::default();
    data.device(&device());
    let mut apply = |fixes: Vec<StoredFix>, readings: Vec<(DeviceId, Readings)>| {
        data.apply(&Committed { fixes, readings, ..Committed::default() }, None);
        let overview = &data.devices[&DeviceId(1)];
        let alarm = overview.readings.get("alarm").and_then(|a| a.as_str()).map(str::to_owned);
        (overview.last_fix.as_ref().map(|f| f.packet.0), alarm)
    };
    let overspeed = Some("overspeed".to_owned());
    assert_eq!(apply(vec![fix(5, Trust::Good, Some("overspeed"))], Vec::new()), (Some(5), overspeed.clone()));
    assert_eq!(apply(vec![fix(6, Trust::Suspect, Some("sos"))], Vec::new()), (Some(5), overspeed.clone()));
    assert_eq!(apply(vec![fix(3, Trust::Good, Some("sos"))], Vec::new()), (Some(5), overspeed));
    assert_eq!(apply(vec![fix(7, Trust::Good, None)], Vec::new()), (Some(7), None));
    // The store tells all readings; what is not among them has ended.
    let mut readings = Readings::new();
    readings.alarm("sos");
    assert_eq!(apply(Vec::new(), vec![(DeviceId(1), readings)]).1.as_deref(), Some("sos"));
    assert_eq!(apply(Vec::new(), vec![(DeviceId(1), Readings::new())]).1, None);
}

/// A packet with a position.
fn told(id: i64) -> Committed {
    let row = PacketRow {
        id: PacketId(id),
        received: at(0),
        protocol: Protocol::Gt06,
        direction: Direction::In,
        peer: "".into(),
        connection: 1,
        device: Some(DeviceId(1)),
        kind: "heartbeat".into(),
        verdict: Verdict::Ok,
        bytes: Arc::from([]),
        context: None,
        answers: None,
    };
    Committed { packets: vec![row], fixes: vec![fix(id, id, Trust::Good, None)], ..Committed::default() }
}

#[test]
fn who_is_heard_for_the_first_time_counts_within_the_same_second() {
    let mut data = Data::default();
    data.reload(answer(0), Vec::new(), &[], None);
    data.apply(&Committed { fixes: vec![fix(1, 0, Trust::Good, None)], ..Committed::default() }, None);
    data.count(at(0));
    assert_eq!((data.tally.imported, data.tally.live), (1, 0));
    data.apply(&told(2), None);
    data.count(at(0));
    assert_eq!((data.tally.imported, data.tally.live), (0, 1));
}

fn answer(upto: i64) -> Overviews {
    let (packets, last_fix) = (upto.unsigned_abs(), (upto > 0).then(|| fix(upto, upto, Trust::Good, None)));
    let readings = Readings::new();
    let device = DeviceOverview { device: device(), last_fix, readings, packets, positions: packets, lost_frames: 0 };
    let packet = (upto > 0).then_some(PacketId(upto));
    Overviews { devices: vec![device], upto: Upto { packet, position: upto } }
}

/// Both answers are of moments of their own, before, between or after what was committed; and the feed may bring it before them or later.
#[test]
fn nothing_is_counted_twice_or_not_at_all_while_the_store_is_read() {
    const ALL: i64 = 4;
    let facts: Vec<_> = (1..=ALL).map(|id| Arc::new(told(id))).collect();
    for (devices_upto, packets_upto) in (0..=ALL).flat_map(|a| (0..=ALL).map(move |b| (a, b))) {
        for heard in 0..=facts.len() {
            let mut data = Data::default();
            data.reload(answer(0), Vec::new(), &[], None);
            let (before, later) = facts.split_at(heard);
            for fact in before {
                data.apply(fact, None);
            }
            let rows = facts[..usize::try_from(packets_upto).unwrap()].iter().map(|fact| fact.packets[0].clone());
            data.reload(answer(devices_upto), rows.collect(), before, None);
            for fact in later {
                data.apply(fact, None);
            }

            let overview = &data.devices[&DeviceId(1)];
            let counted = (
                overview.packets,
                overview.positions,
                data.packets.len(),
                data.pulse.per_second(at(0) + jiff::SignedDuration::from_secs(1)),
            );
            assert_eq!(
                counted,
                (4, 4, 4, 0.4),
                "devices up to {devices_upto}, packets up to {packets_upto}, {heard} heard before"
            );
            assert_eq!(overview.last_fix.as_ref().map(|fix| fix.id), Some(ALL));
        }
    }
}
