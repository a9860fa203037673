//! Positions of GT06 trackers a second, every one acknowledged after its commit, beside what the bare schema takes.

use std::time::Duration;

use crate::{
    Size,
    bare::{Bare, Pace, Shape},
    process::Served,
    table::{Limit, Table, median},
    tracker::{Goal, Load, Trackers},
};

/// At a hundred connections we keep up with at least this share of the bare schema.
const LEAST_SHARE: f64 = 0.5;
/// Longest wait for an acknowledgement that all but one in a hundred see, in ms, while a fleet sends one fix each ten seconds.
const MOST_WAIT_MS: f64 = 25.0;
const INTERVAL: Duration = Duration::from_secs(10);
/// A batch that gains nothing from being larger.
const LARGE_BATCH: usize = 1000;

pub(crate) fn measure(table: &mut Table, size: Size) {
    let runs = Duration::from_secs(size.seconds);
    for connections in [1, size.fleet] {
        for in_flight in [1, 16] {
            let (load, cpu_us) = race(connections, in_flight, runs);
            table.tell(name(connections, in_flight), load.per_second(), "fixes/s", cpu(cpu_us));
        }
    }
    compare(table, size, runs);
    drip(table, size);
}

/// A hundred connections and the bare schema in turn, so that what else goes on here meets both.
fn compare(table: &mut Table, size: Size, runs: Duration) {
    const CONNECTIONS: usize = 100;
    for in_flight in [1, 16] {
        let (mut shares, mut paces, mut ours, mut bares) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        // No batch can be larger than what is in flight.
        let batch = (CONNECTIONS * in_flight).min(LARGE_BATCH);
        let served = Served::fresh();
        let mut trackers = Trackers::connect(served.gt06, CONNECTIONS);
        let mut bare = Bare::new(CONNECTIONS);
        for _ in 0..size.rounds {
            let Pace { per_second, cpu_us } = bare.race(&Shape::gt06(), batch, runs);
            let before = served.cpu();
            let load = trackers.race(in_flight, Goal::Time(runs));
            paces.push(load.per_second());
            ours.push(micros(served.cpu().saturating_sub(before), &load));
            shares.push(load.per_second() / per_second);
            bares.push((per_second, cpu_us));
        }
        let bare_cpu = median(bares.iter().map(|(_, cpu)| *cpu).collect());
        let bare = median(bares.iter().map(|(pace, _)| *pace).collect());
        table.tell(format!("bare schema, batches of {batch}"), bare, "fixes/s", cpu(bare_cpu));
        table.tell(name(CONNECTIONS, in_flight), median(paces), "fixes/s", cpu(median(ours)));
        let limit = Limit::AtLeast(LEAST_SHARE);
        table.add("  as a share of the bare schema", median(shares), "x", limit, format!("median of {}", size.rounds));
    }
}

/// The load of an ordinary day: how long an acknowledgement takes.
fn drip(table: &mut Table, size: Size) {
    let served = Served::fresh();
    let mut trackers = Trackers::connect(served.gt06, size.fleet);
    let rounds = if size.rounds > 1 { 3 } else { 1 };
    let before = served.cpu();
    let load = trackers.drip(INTERVAL, rounds);
    let cores = served.cpu().saturating_sub(before).as_secs_f64() / load.took.as_secs_f64();
    let note =
        format!("median {:.2} ms, longest {:.1} ms; {cores:.2} cores", load.quantile_ms(0.5), load.quantile_ms(1.0));
    let name = format!("GT06, {} connections, a fix each 10 s: 99 % wait", size.fleet);
    table.add(name, load.quantile_ms(0.99), "ms", Limit::Below(MOST_WAIT_MS), note);
    table.tell("  memory meanwhile", served.memory_mb(), "MB", "");
}

fn race(connections: usize, in_flight: usize, runs: Duration) -> (Load, f64) {
    let served = Served::fresh();
    let mut trackers = Trackers::connect(served.gt06, connections);
    let before = served.cpu();
    let load = trackers.race(in_flight, Goal::Time(runs));
    let cpu_us = micros(served.cpu().saturating_sub(before), &load);
    (load, cpu_us)
}

/// Processor time of the program a fix.
fn micros(cpu: Duration, load: &Load) -> f64 {
    cpu.as_secs_f64() * 1e6 / load.acknowledged as f64
}

fn name(connections: usize, in_flight: usize) -> String {
    format!("GT06, {connections} connections, {in_flight} in flight")
}

fn cpu(us: f64) -> String {
    format!("{us:.1} µs of processor time each")
}
