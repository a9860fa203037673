//! What a fix costs the program, in processor time: no more with many devices than with few, no more in a large file than in a small one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    Size, phone,
    process::Served,
    table::{Limit, Table, median},
    tracker::{Goal, Trackers},
};

/// Between the two.
const MOST_GROWTH: f64 = 1.15;
/// Fixes that arrive together, with few devices and with many: so batches are alike, and what is compared is not how well they fill up.
const AT_ONCE: usize = 100;
/// Over so many connections phones report, however many there are.
const CONNECTIONS: usize = 64;

/// Fixes that are measured with so many devices: what is done seldom, for many at once, is done in it as often as it will be.
const FIXES: u64 = 262_144;
/// How often a cost is measured with so many rows, each time with half as many fixes as the smaller file has.
const ROUNDS: usize = 3;

pub(crate) fn measure(table: &mut Table, size: Size) {
    let fleets = [size.fleet / 100, size.fleet / 10, size.fleet];
    let costs = fleets.map(|devices| {
        let served = Served::fresh();
        let mut trackers = Trackers::connect(served.gt06, devices);
        // So that each device has pages of its own in the file, as it will have after a day.
        trackers.race(16, Goal::Fixes(size.rows[1]));
        let cost = cost(&served, 1, || trackers.race_in_waves(AT_ONCE, FIXES).acknowledged);
        table.tell(format!("a fix with {devices} trackers, each its connection"), cost.us, "µs", cost.by_thread);
        cost.us
    });
    compare(table, fleets, costs);
    // More connections find less of themselves in the processor's caches. Over the same connections nothing differs but the number of devices.
    let costs = fleets.map(|phones| {
        let served = Served::fresh();
        phone::fill(served.owntracks, CONNECTIONS, phones, size.rows[1]);
        let cost = cost(&served, 1, || phone::take_turns(served.owntracks, CONNECTIONS, phones, FIXES).answered);
        let name = format!("a report with {phones} phones over {CONNECTIONS} connections");
        table.tell(name, cost.us, "µs", cost.by_thread);
        cost.us
    });
    compare(table, fleets, costs);

    let served = Served::fresh();
    let mut trackers = Trackers::connect(served.gt06, AT_ONCE);
    let mut stored = 0;
    let [small, large] = size.rows.map(|rows| {
        stored += trackers.race(16, Goal::Fixes(rows.saturating_sub(stored))).acknowledged;
        let fixes = size.rows[0] / 2;
        let cost = cost(&served, ROUNDS, || trackers.race_in_waves(AT_ONCE, fixes).acknowledged);
        stored += fixes * ROUNDS as u64;
        table.tell(format!("a fix with {rows} rows in the file"), cost.us, "µs", cost.by_thread);
        cost.us
    });
    table.add("  with ten times the rows", large / small, "x", Limit::Below(MOST_GROWTH), "");
}

/// The most beside the fewest, and beside a tenth of itself.
fn compare(table: &mut Table, [fewest, fewer, most]: [usize; 3], costs: [f64; 3]) {
    for (devices, us) in [(fewest, costs[0]), (fewer, costs[1])] {
        table.add(format!("  {most} beside {devices}"), costs[2] / us, "x", Limit::Below(MOST_GROWTH), "");
    }
}

struct Cost {
    us: f64,
    /// For people: which threads used that.
    by_thread: String,
}

/// Processor time of the program for a fix, with all that it does about it later. What it had still to do of earlier ones is waited for.
fn cost(served: &Served, rounds: usize, mut load: impl FnMut() -> u64) -> Cost {
    let mut round = || {
        served.settle();
        let (before, threads): (Duration, _) = (served.cpu(), served.cpu_by_thread());
        let fixes = load() as f64;
        served.settle();
        let mut used = BTreeMap::<String, f64>::new();
        for (name, now) in served.cpu_by_thread() {
            let us = micros(now.saturating_sub(threads.get(&name).copied().unwrap_or_default())) / fixes;
            used.insert(name, us);
        }
        (micros(served.cpu().saturating_sub(before)) / fixes, used)
    };
    let rounds: Vec<_> = (0..rounds).map(|_| round()).collect();
    let us = median(rounds.iter().map(|(us, _)| *us).collect());
    let names: BTreeSet<_> = rounds.iter().flat_map(|(_, used)| used.keys()).collect();
    let of =
        |name: &String| median(rounds.iter().map(|(_, used)| used.get(name).copied().unwrap_or_default()).collect());
    let mut parts: Vec<_> = names.into_iter().map(|name| (of(name), name)).filter(|(us, _)| *us >= 0.5).collect();
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    Cost { us, by_thread: parts.iter().map(|(us, name)| format!("{name} {us:.0}")).collect::<Vec<_>>().join(", ") }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
