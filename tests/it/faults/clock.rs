//! The wall clock jumps: waits are counted on the monotonic clock, and nothing is lost.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use wayglass::model::{Clock, Policy, Timestamp};

use super::{
    far::{Phone, Tracker, fix, heartbeat},
    process::pause,
};
use crate::support::Station;

const HOUR_S: i64 = 3600;
const YEAR_S: i64 = 365 * 24 * HOUR_S;

/// A clock that runs with the monotonic one, and can be set.
#[derive(Clone)]
struct Wall {
    began: std::time::Instant,
    at_ms: Arc<AtomicI64>,
}

impl Wall {
    fn new() -> Self {
        Self { began: std::time::Instant::now(), at_ms: Arc::new(AtomicI64::new(1_795_262_400_000)) }
    }

    fn jump(&self, by_s: i64) {
        self.at_ms.fetch_add(by_s * 1000, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let Self { began, at_ms } = self.clone();
        Arc::new(move || {
            let ran = i64::try_from(began.elapsed().as_millis()).expect("a short test");
            Timestamp::from_millisecond(at_ms.load(Ordering::Relaxed) + ran).expect("in this millennium")
        })
    }
}

fn location(tst: i64) -> String {
    format!(r#"{{"_type":"location","lat":1,"lon":2,"tst":{tst},"tid":"xx","topic":"owntracks/fault/clock"}}"#)
}

#[test]
fn jumps_of_the_clock_end_no_connection_and_lose_nothing() {
    let wall = Wall::new();
    let station = Station::start_by_clock(wall.clock(), Policy::Adopt);
    let mut phone = Phone::call(station.owntracks).unwrap();
    let mut tracker = Tracker::log_in(station.gt06, "861234567890300").unwrap();
    let mut n = 0;
    for by_s in [HOUR_S, -HOUR_S, 10 * YEAR_S, -10 * YEAR_S, -10 * YEAR_S, 10 * YEAR_S, -1] {
        // Half a frame before the jump and half behind it.
        let (whole, serial) = (fix(n, 77), 78);
        let (head, rest) = whole.split_at(13);
        tracker.stream.write_all(head).unwrap();
        pause(30);
        wall.jump(by_s);
        pause(30);
        tracker.stream.write_all(&[rest, &heartbeat(serial)].concat()).unwrap();
        tracker.wait_for(0x13, serial).unwrap_or_else(|e| panic!("after a jump by {by_s} s: {e}"));
        assert_eq!(phone.post(&location(1_700_000_000 + n)).unwrap(), 200, "after a jump by {by_s} s");
        n += 1;
    }
    // Within one batch, too: every packet is stamped for itself.
    for by_s in [-HOUR_S, 2 * HOUR_S, -HOUR_S] {
        wall.jump(by_s);
        tracker.report(n..n + 4).unwrap();
        n += 4;
    }
    let marks = "SELECT count(*) FROM packets WHERE context LIKE '%\"clock_set_s\":%'";
    assert_eq!(station.sql::<i64>(marks), 6 + 3, "each jump of more than a minute is said once");
    let noise: i64 = station.sql("SELECT count(*) FROM packets WHERE kind = 'noise' AND direction = 'in'");
    assert_eq!(noise, 0, "no frame was given up for a jump");
    let stored: i64 = station.sql("SELECT count(*) FROM positions");
    assert_eq!(stored, 7 + n, "phones and trackers");
    assert_eq!(station.sql::<i64>("SELECT count(DISTINCT connection) FROM packets WHERE protocol = 'gt06'"), 1);
}

#[test]
fn a_clock_that_is_years_ahead_makes_nothing_old() {
    let wall = Wall::new();
    let station = Station::start_by_clock(wall.clock(), Policy::Ask);
    let mut phone = Phone::call(station.owntracks).unwrap();
    for n in 0..5 {
        assert_eq!(phone.post(&location(1_700_000_000 + n)).unwrap(), 200);
    }
    wall.jump(10 * YEAR_S);
    for n in 5..10 {
        assert_eq!(phone.post(&location(1_700_000_000 + n)).unwrap(), 200);
        // Long enough for an idle writer to look at ages.
        pause(300);
    }
    pause(1_500);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 10, "what is not adopted yet is kept, too");
}

#[test]
fn what_is_waited_for_does_not_wait_for_the_wall_clock() {
    let wall = Wall::new();
    let station = Station::start_by_clock(wall.clock(), Policy::Ask);
    let mut tracker = Tracker::log_in(station.gt06, "861234567890301").unwrap();
    tracker.stream.write_all(b"noise that nothing follows").unwrap();
    pause(200);
    wall.jump(-HOUR_S);
    let kept = "SELECT count(*) FROM packets WHERE kind = 'noise' AND direction = 'in'";
    station.until("the noise is told although the clock went back", |s| s.sql::<i64>(kept) == 1);
}
