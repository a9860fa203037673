//! Everybody at once: a fleet that redials after a restart, bursts out of order, and everything sent twice.

use std::{io::Write, time::Instant};

use super::{
    audit::Ledger,
    far::{self, FIRST_S, Tracker, fix, heartbeat, login},
    process::Serve,
    scale,
};
use crate::support::sql;

fn imei(n: usize) -> String {
    format!("8620000000{n:05}")
}

#[test]
fn a_whole_fleet_redials_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let fleet = scale(500, 8_000);
    let mut first_time = None;
    for round in 0..3 {
        let serve = Serve::start(data.path());
        let began = Instant::now();
        let mut lines: Vec<_> = (0..fleet).map(|_| far::dial(serve.gt06).expect("no connection is refused")).collect();
        for (n, line) in lines.iter_mut().enumerate() {
            line.write_all(&[login(&imei(n), 1), fix(round, 2), heartbeat(3)].concat()).unwrap();
        }
        let ledger = Ledger::default();
        for (n, stream) in lines.into_iter().enumerate() {
            let mut tracker = Tracker::over(stream);
            tracker.wait_for(0x13, 3).unwrap_or_else(|e| panic!("tracker {n} in round {round}: {e}"));
            ledger.answered(&imei(n), round..=round);
        }
        let took = began.elapsed();
        eprintln!("{fleet} trackers redial, log in and report within {took:?}");
        first_time.get_or_insert(took);
        serve.kill();
        ledger.audit(data.path());
    }
}

#[test]
fn bursts_out_of_order_and_twice_are_stored_once_and_answered_each_time() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start(data.path());
    let (devices, fixes) = (scale(20, 200), 500);
    let ledger = Ledger::default();
    for round in 0..2 {
        for device in 0..devices {
            let mut tracker = Tracker::log_in(serve.gt06, &imei(device)).unwrap();
            // Every number once, in an order that jumps about: 7 and 500 have no common divisor.
            let order: Vec<i64> = (0..fixes).map(|n| n * 7 % fixes).collect();
            for part in order.chunks(50) {
                tracker.report_these(part).unwrap_or_else(|e| panic!("round {round}, device {device}: {e}"));
            }
            ledger.answered(&imei(device), 0..=fixes - 1);
        }
    }
    let stored: i64 = sql(data.path(), "SELECT count(*) FROM positions");
    assert_eq!(stored, i64::try_from(devices).unwrap() * fixes);
    // The newest is the one with the greatest time, not the one that came last.
    let (_, listed, _) = super::process::run(super::process::wayglass(
        data.path(),
        &["devices", "--json", "--data-dir", data.path().to_str().unwrap()],
    ));
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    for device in listed.as_array().unwrap() {
        let at: wayglass::model::Timestamp = device["position"]["fix_time"].as_str().unwrap().parse().unwrap();
        assert_eq!(at.as_second(), FIRST_S + fixes - 1, "{device}");
    }
    serve.stop();
    eprintln!("out of order and twice: {}", ledger.audit(data.path()));
}
