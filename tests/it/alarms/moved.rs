//! Positions that come to another device, or go from it, are judged again.

use wayglass::{
    geo::{LatLon, fence::Shape},
    model::{DeviceId, Identity, Policy, watch::PlaceSpec},
};

use super::engine::{becomes, go, yard};
use crate::support::{Station, TestClock};

fn device(station: &Station, who: &str) -> DeviceId {
    DeviceId(station.sql(&format!("SELECT id FROM devices WHERE identity LIKE '%{who}/phone'")))
}

#[test]
fn one_device_of_two_has_the_events_of_its_whole_way_and_parted_again_each_its_own() {
    let clock = TestClock::at("2026-11-21T11:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    station.backend().put_place(None, None, yard()).wait().unwrap();
    clock.advance(std::time::Duration::from_hours(2));
    go(&station, "a", &[(0, 500.0), (120, 0.0), (600, 500.0)]);
    // The same van: it was out in between.
    go(&station, "b", &[(60, 500.0), (240, 500.0), (360, 500.0), (480, 20.0)]);
    becomes(&station, "enter@120 enter@480 leave@600");
    let (a, b) = (device(&station, "a"), device(&station, "b"));
    let name = station.sql::<String>(&format!("SELECT identity FROM devices WHERE id = {}", b.0));
    assert_eq!(station.backend().same_as(b, a).wait().unwrap(), 4);
    becomes(&station, "enter@120 leave@240 enter@480 leave@600");
    let marks = "SELECT count(*) FROM counters WHERE name LIKE 'judge_again%'";
    station.until("that is done", |station| station.sql::<i64>(marks) == 0);
    let name = Identity::new(name).expect("a name");
    assert_eq!(station.backend().part(a, name).wait().unwrap(), 4);
    becomes(&station, "enter@120 enter@480 leave@600");
    assert_ne!(device(&station, "b"), a);
}

#[test]
fn what_was_not_come_to_when_the_program_ended_is_judged_at_the_next_start() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    let center = LatLon::new(51.0, 4.0).unwrap();
    let wide = PlaceSpec::new("Wide", Shape::Circle { center, radius_m: 200.0 });
    station.backend().put_place(None, None, wide).wait().unwrap();
    go(&station, "a", &[(0, 500.0), (120, 0.0)]);
    go(&station, "b", &[(60, 500.0), (240, 500.0)]);
    becomes(&station, "enter@120");
    let (a, b) = (device(&station, "a"), device(&station, "b"));
    let moved = station.backend().same_as(b, a);
    let folder = station.stop();
    assert_eq!(moved.wait().unwrap(), 2);
    let station = Station::start_again(folder, &clock);
    becomes(&station, "enter@120 leave@240");
}
