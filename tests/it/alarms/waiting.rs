//! What the clock alone tells: stays that become long while nobody sends anything, and silence of a computer that slept.

use std::time::Duration;

use wayglass::model::{
    Policy,
    watch::{PlaceSpec, Quiet, Rules},
};

use super::engine::{becomes, go, mark, yard};
use crate::support::{Station, TestClock};

const HALF_AN_HOUR: Option<u32> = Some(30);

/// The yard, in which thirty minutes are long, and silence is nothing.
fn with_long_stays(clock: &TestClock) -> Station {
    let station = Station::start_at(clock, Policy::Adopt);
    let rules = Rules { quiet: Quiet { on: false, ..Quiet::default() }, ..Rules::default() };
    station.backend().set_rules(None, Some(rules)).wait().unwrap();
    station.backend().put_place(None, None, PlaceSpec { dwell_min: HALF_AN_HOUR, ..yard() }).wait().unwrap();
    station
}

#[test]
fn who_parks_and_sends_nothing_stays_all_the_same() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = with_long_stays(&clock);
    clock.advance(Duration::from_mins(1));
    go(&station, "a", &[(0, 500.0), (60, 0.0)]);
    // It is known to be there; from here on the clock alone tells of it.
    becomes(&station, "enter@60");
    clock.advance(Duration::from_mins(29));
    // A minute before it is long, it looked, and said nothing.
    mark(&station, 1_800);
    becomes(&station, "enter@60 lowBattery@1800");
    clock.advance(Duration::from_mins(2));
    becomes(&station, "enter@60 lowBattery@1800 dwell@1860");
    // The next fix and a look at all of it again find the same.
    go(&station, "a", &[(1_920, 5.0), (30, 500.0), (1_980, 500.0)]);
    becomes(&station, "enter@60 lowBattery@1800 dwell@1860 leave@1980");
}

#[test]
fn who_had_left_before_and_tells_it_late_did_not_stay() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = with_long_stays(&clock);
    clock.advance(Duration::from_mins(1));
    go(&station, "a", &[(0, 500.0), (60, 0.0)]);
    becomes(&station, "enter@60");
    clock.advance(Duration::from_mins(35));
    becomes(&station, "enter@60 dwell@1860");
    go(&station, "a", &[(1_200, 500.0)]);
    becomes(&station, "enter@60 leave@1200");
}

#[test]
fn a_stay_goes_on_over_a_new_start_and_is_told_once() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = with_long_stays(&clock);
    clock.advance(Duration::from_mins(1));
    go(&station, "a", &[(0, 500.0), (60, 0.0)]);
    becomes(&station, "enter@60");
    let mut folder = station.stop();
    for _ in 0..2 {
        clock.advance(Duration::from_mins(20));
        let station = Station::start_again(folder, &clock);
        clock.advance(Duration::from_mins(15));
        becomes(&station, "enter@60 dwell@1860");
        folder = station.stop();
    }
}

/// A place of which nobody wants to know who comes and goes.
#[test]
fn a_long_stay_is_told_once_over_new_starts_though_nobody_was_told_who_came() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = with_long_stays(&clock);
    let id = wayglass::model::watch::PlaceId(station.sql("SELECT id FROM places"));
    let since = "2026-11-21T00:00:00Z".parse().unwrap();
    let spec = PlaceSpec { enter: false, leave: false, dwell_min: HALF_AN_HOUR, ..yard() };
    station.backend().put_place(Some(id), Some(since), spec).wait().unwrap();
    let about_there = |begin: i64, fixes: i64| -> Vec<(i64, f64)> {
        (0..fixes).map(|n| (begin + n * 10, f64::from(u32::try_from(n % 5).unwrap()))).collect()
    };
    clock.advance(Duration::from_mins(8));
    go(&station, "a", &[(0, 500.0)]);
    go(&station, "a", &about_there(60, 40));
    clock.advance(Duration::from_mins(35));
    let mut told = "dwell@1860".to_owned();
    becomes(&station, &told);
    let (mut folder, mut now) = (station.stop(), 2_580);
    for round in 0..3 {
        let station = Station::start_again(folder, &clock);
        // More fixes than a new start looks back at.
        go(&station, "a", &about_there(now - 600, 60));
        // Somebody else's stay becomes long in the same moment as it is looked at theirs again.
        go(&station, &format!("b{round}"), &[(now - 20, 500.0), (now - 10, 0.0)]);
        clock.advance(Duration::from_mins(40));
        told = format!("{told} dwell@{}", now - 10 + 1_800);
        becomes(&station, &told);
        (folder, now) = (station.stop(), now + 2_400);
    }
    // Who left and came back stays anew.
    let station = Station::start_again(folder, &clock);
    go(&station, "a", &[(now - 30, 500.0), (now - 20, 500.0), (now - 10, 0.0)]);
    folder = station.stop();
    clock.advance(Duration::from_mins(80));
    let station = Station::start_again(folder, &clock);
    becomes(&station, &format!("{told} dwell@{}", now - 10 + 1_800));
}

#[test]
fn a_device_whose_clock_is_wrong_stays_by_its_own() {
    let clock = TestClock::at("2026-11-21T20:00:00Z");
    let station = with_long_stays(&clock);
    // Eight hours behind, and so the place has to be older for it.
    let since = "2026-11-21T00:00:00Z".parse().unwrap();
    let id = wayglass::model::watch::PlaceId(station.sql("SELECT id FROM places"));
    let spec = PlaceSpec { dwell_min: HALF_AN_HOUR, ..yard() };
    station.backend().put_place(Some(id), Some(since), spec).wait().unwrap();
    go(&station, "a", &[(0, 500.0), (60, 0.0)]);
    becomes(&station, "enter@60");
    clock.advance(Duration::from_mins(10));
    // Somebody else comes. When that is told, it looked at who is here, too.
    go(&station, "b", &[(590, 500.0), (600, 0.0)]);
    becomes(&station, "enter@60 enter@600");
    clock.advance(Duration::from_mins(25));
    becomes(&station, "enter@60 enter@600 dwell@1860");
}

#[test]
fn nobody_went_quiet_while_the_computer_slept() {
    let clock = TestClock::at("2026-11-21T12:00:00Z");
    let station = Station::start_at(&clock, Policy::Adopt);
    for minute in 0..8 {
        go(&station, "a", &[(minute * 60, 0.0)]);
        clock.advance(Duration::from_mins(1));
    }
    clock.sleep(Duration::from_hours(8));
    mark(&station, 8 * 3_600 + 480);
    becomes(&station, "lowBattery@29280");
    // Awake and silent for long enough it is quiet, from when somebody listened again.
    clock.advance(Duration::from_mins(16));
    becomes(&station, "lowBattery@29280 quiet@29880");
}
