//! What a fix costs the program, in processor time: no more with many devices than with few, no more in a large file than in a small one.

use std::time::Duration;

use crate::{
    Size,
    gt06::micros,
    process::Served,
    table::{Limit, Table, median},
    tracker::{Goal, Trackers},
};

/// Between the two.
const MOST_GROWTH: f64 = 1.15;
/// Fixes that arrive together, with few devices and with many: so batches are alike, and what is compared is not how well they fill up.
const AT_ONCE: usize = 100;

pub(crate) fn measure(table: &mut Table, size: Size) {
    let [few, many] = [100, size.fleet].map(|devices| {
        let served = Served::fresh();
        let mut trackers = Trackers::connect(served.gt06, devices);
        // So that each device has pages of its own in the file, as it will have after a day.
        trackers.race(16, Goal::Fixes(size.rows[1]));
        cost_us(&served, &mut trackers, size)
    });
    table.tell(format!("a fix with 100 devices, {AT_ONCE} at once"), few, "µs", "processor time of the program");
    table.tell(format!("a fix with {} devices, {AT_ONCE} at once", size.fleet), many, "µs", "");
    table.add("  as a share of that", many / few, "x", Limit::Below(MOST_GROWTH), "");

    let served = Served::fresh();
    let mut trackers = Trackers::connect(served.gt06, AT_ONCE);
    let mut stored = 0;
    let [small, large] = size.rows.map(|rows| {
        stored += trackers.race(16, Goal::Fixes(rows - stored)).acknowledged;
        let us = cost_us(&served, &mut trackers, size);
        stored += size.rows[0] / 2 * ROUNDS;
        us
    });
    table.tell(format!("a fix with {} rows in the file", size.rows[0]), small, "µs", "processor time of the program");
    table.tell(format!("a fix with {} rows in the file", size.rows[1]), large, "µs", "");
    table.add("  as a share of that", large / small, "x", Limit::Below(MOST_GROWTH), "");
}

const ROUNDS: u64 = 3;

fn cost_us(served: &Served, trackers: &mut Trackers, size: Size) -> f64 {
    let round = |_| {
        let before: Duration = served.cpu();
        let load = trackers.race_in_waves(AT_ONCE, size.rows[0] / 2);
        micros(served.cpu().saturating_sub(before), &load)
    };
    median((0..ROUNDS).map(round).collect())
}
