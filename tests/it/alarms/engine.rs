//! Phones that post over real sockets, and what the watch makes of it.

use std::time::Duration;

use serde_json::json;
use wayglass::{
    geo::{LatLon, fence::Shape},
    model::{
        Policy, StoredEvent, TimeWindow,
        watch::{Battery, Mute, Overspeed, PlaceSpec, Quiet, Rules},
    },
    store::watch::EventQuery,
};

use crate::support::{Station, TestClock, post};

/// Seconds since the epoch at 2026-11-21T12:00:00Z.
pub const NOON: i64 = 1_795_262_400;

/// A circle of 100 m around 51 N, 4 E.
pub fn yard() -> PlaceSpec {
    let center = LatLon::new(51.0, 4.0).unwrap();
    PlaceSpec::new("Yard", Shape::Circle { center, radius_m: 100.0 })
}

/// A report so many metres north of the yard's middle, so many seconds after noon.
pub fn report(who: &str, second: i64, metres: f64, more: &serde_json::Value) -> String {
    let mut body = json!({
        "_type": "location", "topic": format!("owntracks/{who}/phone"), "tid": "aa", "tst": NOON + second,
        "lat": 51.0 + metres / 111_195.0, "lon": 4.0, "acc": 10,
    });
    let (body_map, more) = (body.as_object_mut().unwrap(), more.as_object().unwrap());
    body_map.extend(more.clone());
    body.to_string()
}

pub fn go(station: &Station, who: &str, way: &[(i64, f64)]) {
    for (second, metres) in way {
        assert_eq!(post(station.owntracks, &report(who, *second, *metres, &json!({}))).status, 200);
    }
}

fn all(station: &Station) -> Vec<StoredEvent> {
    let mut events =
        station.backend().watched_events(EventQuery { limit: 100, ..EventQuery::default() }).wait().unwrap();
    events.reverse();
    events
}

fn story(station: &Station) -> String {
    let told = all(station).into_iter().map(|event| {
        let late = if event.unread { "" } else { "(read)" };
        format!("{}{late}@{}", event.kind, event.at.as_second() - NOON)
    });
    told.collect::<Vec<_>>().join(" ")
}

/// A phone that is nowhere near tells of a low battery. Once `lowBattery` is told, the watch has looked at all that came before it, too: that
/// nothing came of that can be said from then on.
pub fn mark(station: &Station, second: i64) {
    let low = report("mark", second, 50_000.0, &json!({ "batt": 10 }));
    assert_eq!(post(station.owntracks, &low).status, 200);
}

#[track_caller]
pub fn becomes(station: &Station, expected: &str) {
    station.until(expected, |station| story(station) == expected);
}

/// At the clock's moment there is the yard, for everybody.
fn with_yard(clock: &TestClock) -> Station {
    let station = Station::start_at(clock, Policy::Adopt);
    station.backend().put_place(None, None, yard()).wait().unwrap();
    station
}

#[test]
fn in_and_out_carries_the_times_of_the_fixes_and_the_place() {
    let station = with_yard(&TestClock::at("2026-11-21T12:00:00Z"));
    go(&station, "a", &[(60, 500.0), (120, 0.0), (180, 105.0), (240, 400.0)]);
    becomes(&station, "enter@120 leave@240");
    let enter = all(&station).remove(0);
    assert_eq!(enter.attributes.get("place"), Some(&json!("Yard")));
    let shown: String = station.sql(&format!("SELECT kind FROM packets WHERE id = {}", enter.packet.0));
    assert_eq!(shown, "location", "the packet that shows it");
    let columns = "SELECT device_id || ' ' || time_ms || ' ' || type || ' ' || json_extract(attributes, '$.place')
                   FROM events WHERE type = 'enter'";
    assert_eq!(station.sql::<String>(columns), format!("{} {} enter Yard", enter.device.0, (NOON + 120) * 1000));
}

#[test]
fn late_fixes_correct_what_was_made_and_raise_nothing_for_now() {
    let clock = TestClock::at("2026-11-20T00:00:00Z");
    let station = with_yard(&clock);
    clock.advance(Duration::from_hours(60));
    go(&station, "a", &[(60, 500.0), (300, 0.0), (600, 500.0)]);
    becomes(&station, "enter@300 leave@600");
    // It had been in the yard earlier, and out in between.
    go(&station, "a", &[(400, 500.0), (500, 0.0), (100, 0.0)]);
    becomes(&station, "enter@100 leave@400 enter@500 leave@600");
    // Kept for a day and sent now: it is listed where it belongs, and nobody has to read it.
    go(&station, "a", &[(-90_000, 500.0), (-89_000, 0.0)]);
    becomes(&station, "enter(read)@-89000 leave@60 enter@100 leave@400 enter@500 leave@600");
}

#[test]
fn any_order_of_arrival_ends_with_the_same_events_and_so_does_a_new_start() {
    let clock = TestClock::at("2026-11-21T11:00:00Z");
    let station = with_yard(&clock);
    clock.advance(Duration::from_hours(2));
    let way = [(60, 500.0), (120, 0.0), (180, 30.0), (240, 99.0), (300, 400.0), (360, 10.0), (420, 900.0)];
    go(&station, "a", &way);
    let mut shuffled = way;
    shuffled.reverse();
    go(&station, "b", &shuffled);
    let by_device = |station: &Station, who: &str| {
        station.sql::<Option<String>>(&format!(
            "SELECT group_concat(type || time_ms, ' ') FROM (SELECT type, time_ms FROM events
             WHERE device_id = (SELECT id FROM devices WHERE identity LIKE '%{who}/phone') ORDER BY time_ms)"
        ))
    };
    station.until("both have all", |s| by_device(s, "a").is_some() && by_device(s, "a") == by_device(s, "b"));
    let before = by_device(&station, "a");
    let mut folder = station.stop();
    for round in 1..=2 {
        let station = Station::start_in(folder, Policy::Adopt);
        go(&station, "c", &[(round * 100, 500.0), (round * 100 + 10, 0.0)]);
        let entered = "SELECT count(*) FROM events WHERE type = 'enter' AND device_id =
                       (SELECT id FROM devices WHERE identity LIKE '%c/phone')";
        station.until("it looked again", |s| s.sql::<i64>(entered) == round);
        assert_eq!(by_device(&station, "a"), before);
        assert_eq!(by_device(&station, "b"), before);
        folder = station.stop();
    }
}

#[test]
fn a_place_counts_from_when_it_was_made_and_its_events_stay_when_it_goes() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    go(&station, "a", &[(-300, 500.0), (-200, 0.0)]);
    let id = station.backend().put_place(None, None, yard()).wait().unwrap();
    go(&station, "a", &[(60, 5.0), (120, 400.0)]);
    becomes(&station, "leave@120");
    station.backend().remove_place(wayglass::model::watch::PlaceId(id.cast_signed())).wait().unwrap();
    go(&station, "a", &[(180, 0.0), (170, 0.0)]);
    mark(&station, 190);
    becomes(&station, "leave@120 lowBattery@190");
}

#[test]
fn a_device_goes_quiet_by_its_own_rhythm_and_once() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    for minute in 0..8 {
        go(&station, "often", &[(minute * 60, 0.0)]);
        go(&station, "seldom", &[((minute - 8) * 3_600, 0.0)]);
        clock.advance(Duration::from_mins(1));
    }
    // Ten times a minute after the last, whose rhythm is a minute; the other one takes an hour.
    clock.advance(Duration::from_mins(20));
    becomes(&station, "quiet@1020");
    let quiet = all(&station).remove(0);
    assert_eq!(quiet.attributes.get("lastHeard"), Some(&json!("2026-11-21T12:07:00Z")));
    clock.advance(Duration::from_hours(11));
    becomes(&station, "quiet@1020 quiet@36420");
    // Heard again, and silent again.
    let later = 8 * 60 + 20 * 60 + 11 * 3_600;
    go(&station, "often", &[(later, 0.0)]);
    // It has looked before the clock goes on, so soon after the look before that it let silence be: it owes that one.
    clock.wait_for_look();
    clock.advance(Duration::from_mins(40));
    station.until("a third one", |station| all(station).len() == 3);
}

#[test]
fn after_a_start_silence_counts_from_the_start() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    for minute in 0..5 {
        go(&station, "a", &[(minute * 60, 0.0)]);
        clock.advance(Duration::from_mins(1));
    }
    let folder = station.stop();
    // An hour is long for somebody whose rhythm is a minute, but nobody listened.
    clock.advance(Duration::from_hours(1));
    let station = Station::start_again(folder, &clock);
    mark(&station, 3_900);
    becomes(&station, "lowBattery@3900");
    clock.advance(Duration::from_mins(16));
    becomes(&station, "lowBattery@3900 quiet@4500");
}

#[test]
fn rules_of_a_device_go_before_those_for_all() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    go(&station, "a", &[(-60, 0.0)]);
    go(&station, "b", &[(-60, 0.0)]);
    let fast = Overspeed { on: true, above_kmh: 100.0, for_s: 20 };
    let rules = Rules { overspeed: fast, ..Rules::default() };
    station.backend().set_rules(None, Some(rules)).wait().unwrap();
    let b = station.sql::<i64>("SELECT id FROM devices WHERE identity LIKE '%b/phone'");
    let own = Rules {
        overspeed: Overspeed { on: false, ..fast },
        battery: Battery { on: true, below: 50 },
        quiet: Quiet { on: false, ..Quiet::default() },
        ..rules
    };
    station.backend().set_rules(Some(wayglass::model::DeviceId(b)), Some(own)).wait().unwrap();
    for who in ["a", "b"] {
        for second in [0, 10, 20, 30] {
            let more = json!({ "vel": 120, "batt": if second == 30 { 40 } else { 60 } });
            assert_eq!(post(station.owntracks, &report(who, second, 0.0, &more)).status, 200);
        }
    }
    becomes(&station, "overspeed@20 lowBattery@30");
    assert_eq!(all(&station)[1].device.0, b);
    assert_eq!(all(&station)[0].attributes.get("limitKmh"), Some(&json!(100.0)));
}

#[test]
fn whoever_is_muted_is_listed_and_need_not_be_read() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = with_yard(&clock);
    go(&station, "a", &[(10, 500.0)]);
    let id = wayglass::model::DeviceId(station.sql("SELECT id FROM devices"));
    let hour = Some(Mute { until: Some("2026-11-21T13:00:00Z".parse().unwrap()) });
    station.backend().set_mute(Some(id), hour).wait().unwrap();
    go(&station, "a", &[(60, 0.0)]);
    becomes(&station, "enter(read)@60");
    clock.advance(Duration::from_mins(61));
    go(&station, "a", &[(3_600, 500.0)]);
    becomes(&station, "enter(read)@60 leave@3600");
    assert_eq!(station.backend().watch_set_up().wait().unwrap().unread, 1);
    assert_eq!(station.backend().read_events(None, false).wait().unwrap(), 1);
    becomes(&station, "enter(read)@60 leave(read)@3600");
    let window = TimeWindow { from: Some("2026-11-21T12:30:00Z".parse().unwrap()), to: None };
    let wanted = EventQuery { window, limit: 9, ..EventQuery::default() };
    assert_eq!(station.backend().watched_events(wanted).wait().unwrap().len(), 1);
}

#[test]
fn waypoints_of_phones_are_places_to_take() {
    let station = Station::start(Policy::Adopt);
    for (desc, rad, tst) in [("Home", 50, 1), ("Home", 80, 2), ("Beacon", 0, 3), ("Work", 120, 4)] {
        let body = json!({
            "_type": "waypoint", "topic": "owntracks/jane/phone/waypoint", "desc": desc, "lat": 51.0, "lon": 4.0,
            "rad": rad, "tst": NOON + tst,
        });
        assert_eq!(post(station.owntracks, &body.to_string()).status, 200);
    }
    let told = station.backend().waypoints().wait().unwrap();
    let told: Vec<_> = told.iter().map(|w| (w.name.as_str(), w.radius_m)).collect();
    assert_eq!(told, [("Home", 80.0), ("Work", 120.0)]);
}
