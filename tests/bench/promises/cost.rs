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
/// How often a cost is measured. With so many rows, each time with half as many fixes as the smaller file has.
const ROUNDS: usize = 3;

pub(crate) fn measure(table: &mut Table, size: Size) {
    let fleets = [size.fleet / 100, size.fleet / 10, size.fleet];
    let mut stations = fleets.map(|devices| {
        let served = Served::fresh();
        let mut trackers = Trackers::connect(served.gt06, devices);
        // So that each device has pages of its own in the file, as it will have after a day.
        trackers.race(16, Goal::Fixes(size.rows[1]));
        (served, trackers)
    });
    let rounds = in_turn(&mut stations, |(served, trackers)| {
        cost(served, || trackers.race_in_waves(AT_ONCE, FIXES).acknowledged)
    });
    drop(stations);
    compare(table, fleets, rounds, |devices| format!("a fix with {devices} trackers, each its connection"));
    // More connections find less of themselves in the processor's caches. Over the same connections nothing differs but the number of devices.
    let mut stations = fleets.map(|phones| {
        let served = Served::fresh();
        phone::fill(served.owntracks, CONNECTIONS, phones, size.rows[1]);
        (served, phones)
    });
    let rounds = in_turn(&mut stations, |(served, phones)| {
        cost(served, || phone::take_turns(served.owntracks, CONNECTIONS, *phones, FIXES).answered)
    });
    drop(stations);
    compare(table, fleets, rounds, |phones| format!("a report with {phones} phones over {CONNECTIONS} connections"));

    let served = Served::fresh();
    let mut trackers = Trackers::connect(served.gt06, AT_ONCE);
    let mut stored = 0;
    let [small, large] = size.rows.map(|rows| {
        stored += trackers.race(16, Goal::Fixes(rows.saturating_sub(stored))).acknowledged;
        let fixes = size.rows[0] / 2;
        let round = |_| cost(&served, || trackers.race_in_waves(AT_ONCE, fixes).acknowledged);
        let cost = Cost::median(&(0..ROUNDS).map(round).collect::<Vec<_>>());
        stored += fixes * ROUNDS as u64;
        table.tell(format!("a fix with {rows} rows in the file"), cost.us, "µs", cost.told());
        cost.us
    });
    table.add("  with ten times the rows", large / small, "x", Limit::Below(MOST_GROWTH), "");
}

/// What each of the three costs, round by round: one after the other, because a machine that others share is not as fast in one minute as in another.
fn in_turn<S>(stations: &mut [S; 3], mut cost: impl FnMut(&mut S) -> Cost) -> Vec<[Cost; 3]> {
    (0..ROUNDS).map(|_| stations.each_mut().map(&mut cost)).collect()
}

/// The most beside the fewest, and beside a tenth of itself: the medians of what the rounds gave.
fn compare(table: &mut Table, fleets: [usize; 3], rounds: Vec<[Cost; 3]>, name: impl Fn(usize) -> String) {
    let growth = |fewer: usize| median(rounds.iter().map(|round| round[2].us / round[fewer].us).collect());
    let growths = [0, 1].map(|fewer| (fewer, growth(fewer)));
    let mut of = [const { Vec::new() }; 3];
    for (at, cost) in rounds.into_iter().flat_map(|round| round.into_iter().enumerate()) {
        of[at].push(cost);
    }
    for (devices, costs) in fleets.into_iter().zip(of) {
        let cost = Cost::median(&costs);
        table.tell(name(devices), cost.us, "µs", cost.told());
    }
    for (fewer, growth) in growths {
        let name = format!("  {} beside {}", fleets[2], fleets[fewer]);
        table.add(name, growth, "x", Limit::Below(MOST_GROWTH), format!("median of {ROUNDS}"));
    }
}

struct Cost {
    us: f64,
    /// Which threads used that.
    by_thread: BTreeMap<String, f64>,
}

impl Cost {
    fn median(costs: &[Self]) -> Self {
        let names: BTreeSet<_> = costs.iter().flat_map(|cost| cost.by_thread.keys().cloned()).collect();
        let of = |name: &String| {
            median(costs.iter().map(|cost| cost.by_thread.get(name).copied().unwrap_or_default()).collect())
        };
        let by_thread = names.into_iter().map(|name| (name.clone(), of(&name))).collect();
        Self { us: median(costs.iter().map(|cost| cost.us).collect()), by_thread }
    }

    /// For people: what it was used by.
    fn told(&self) -> String {
        let mut parts: Vec<_> = self.by_thread.iter().filter(|(_, us)| **us >= 0.5).collect();
        parts.sort_by(|a, b| b.1.total_cmp(a.1));
        parts.iter().map(|(name, us)| format!("{name} {us:.0}")).collect::<Vec<_>>().join(", ")
    }
}

/// Processor time of the program for a fix, with all that it does about it later. What it had still to do of earlier ones is waited for.
fn cost(served: &Served, load: impl FnOnce() -> u64) -> Cost {
    served.settle();
    let (before, threads): (Duration, _) = (served.cpu(), served.cpu_by_thread());
    let fixes = load() as f64;
    served.settle();
    let mut by_thread = BTreeMap::<String, f64>::new();
    for (name, now) in served.cpu_by_thread() {
        let us = micros(now.saturating_sub(threads.get(&name).copied().unwrap_or_default())) / fixes;
        by_thread.insert(name, us);
    }
    Cost { us: micros(served.cpu().saturating_sub(before)) / fixes, by_thread }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
