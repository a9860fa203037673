//! Memory of the running program: `serve` at rest and with a fleet connected, the window with a large history.

use std::{thread::sleep, time::Duration};

use crate::{
    Size, history, machine,
    process::{Served, scratch},
    start::Window,
    table::{Limit, Table},
    tracker::{Goal, Trackers},
};

const AT_REST_MB: f64 = 40.0;
const WITH_FLEET_MB: f64 = 300.0;
const WINDOW_MB: f64 = 250.0;

pub(crate) fn measure(table: &mut Table, size: Size) {
    let served = Served::fresh();
    sleep(Duration::from_secs(2));
    table.add("serve at rest", served.memory_mb(), "MB", Limit::Below(AT_REST_MB), "");
    let mut trackers = Trackers::connect(served.gt06, size.fleet);
    let logged_in = served.memory_mb();
    // Everybody talks at once: the worst for what is on its way.
    trackers.race(1, Goal::Time(Duration::from_secs(size.seconds)));
    let name = format!("serve with {} connections that all talk", size.fleet);
    let most = machine::memory_mb(served.pid(), "VmHWM");
    let now = served.memory_mb();
    let note = format!("the most it had; {logged_in:.0} MB before they talked, {now:.0} MB after");
    table.add(name, most, "MB", Limit::Below(WITH_FLEET_MB), note);
    drop(trackers);
    drop(served);
    window(table, size);
}

/// A window draws with a renderer, and on a machine without graphics that is a program in our own process.
fn window(table: &mut Table, size: Size) {
    let folder = history::folder(size.history);
    history::keep_only(&folder);
    let name = format!("window with {} devices, {} positions", history::DEVICES, size.history);
    let empty = scratch();
    let (small, large) = (Window::open(empty.path()), Window::open(&folder));
    match (small, large) {
        (Ok(small), Ok(large)) => {
            // Trails are loaded after the first picture.
            sleep(Duration::from_secs(10));
            let (all, nothing) = (large.memory(), small.memory());
            let note = format!(
                "{:.0} MB in all, {:.0} MB of it libraries and buffers of the software renderer; an empty window has {:.0} MB",
                all.total_mb, all.renderer_mb, nothing.total_mb
            );
            table.add(name, all.total_mb - all.renderer_mb, "MB", Limit::Below(WINDOW_MB), note);
        }
        (Err(why), _) | (_, Err(why)) => table.add(name, f64::NAN, "MB", Limit::Below(WINDOW_MB), why),
    }
}
