//! Hands the clock and the window's opener to the command line. The only place that asks the system for the time.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, LazyLock, atomic::Ordering},
    time::Instant,
};

use anyhow::{Context, Result, anyhow, bail};
use wayglass::{
    backend::{Backend, Setup, StartError, Wake},
    cli,
    model::{Clock, Timestamp},
    ui,
};

/// Packets are made by the receivers' threads and freed by the writer's, ten thousand a second and more; the system's allocator takes a sixth of the
/// time for that, and keeps more memory for itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// When the program began.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn main() -> ExitCode {
    LazyLock::force(&BEGUN);
    let clock: Clock = Arc::new(now);
    cli::run(std::env::args_os(), &clock, desktop)
}

#[expect(clippy::disallowed_methods, reason = "this is where the clock comes from")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Opens the console and returns when its window is closed and everything is committed.
fn desktop(setup: Setup, files: Vec<PathBuf>, clock: &Clock) -> Result<()> {
    // Asked before anything is opened: without a window there is nothing to start here.
    if cfg!(all(unix, not(target_os = "macos"))) && !["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"].iter().any(is_set)
    {
        bail!(
            "there is no display here (DISPLAY and WAYLAND_DISPLAY are not set); without a window run: wayglass serve"
        );
    }
    // Opened before the window, so that a store that cannot be used is one clear line and no flicker. What wakes the window comes later.
    let (wake, wakes) = ui::late_wake();
    let backend = open(setup, clock, wake)?;
    let begun = Some(ui::Begun { program: *BEGUN, opened: Instant::now() });
    let options = ui::Options { begun, files, ..ui::Options::new(Arc::clone(clock)) };
    let quit = Arc::clone(&options.quit);
    let signal = backend.stop_signal().context("cannot listen for signals")?;
    let wake = wakes.wake();
    backend.on_stop(signal, move || {
        quit.store(true, Ordering::Relaxed);
        wake();
    });
    ui::run(backend, wakes, options).map_err(|error| {
        let name = |of: &str| std::env::var(of).ok().filter(|value| !value.is_empty());
        let wayland = name("WAYLAND_DISPLAY").or_else(|| name("WAYLAND_SOCKET"));
        let why = ui::why_no_window(&error, wayland.as_deref(), name("DISPLAY").as_deref());
        anyhow!("cannot open a window: {why}; `wayglass serve` runs without one")
    })
}

/// The backend, or, where another instance receives into the folder or it cannot be written, a look at it.
fn open(setup: Setup, clock: &Clock, wake: Wake) -> Result<Backend, StartError> {
    let folder = setup.data_dir.clone();
    match Backend::start(setup, Arc::clone(clock), Arc::clone(&wake)) {
        Err(error) if error.in_use() => Backend::view(&folder, Arc::clone(clock), wake),
        Err(error) => match error.of_folder().cloned() {
            // Where not even an empty window can be had, the first reason counts.
            Some(why) => Backend::view_despite(why, &folder, Arc::clone(clock), wake).map_err(|_| error),
            None => Err(error),
        },
        Ok(started) => Ok(started),
    }
}

fn is_set(name: &&str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}
