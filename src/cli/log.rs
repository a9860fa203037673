//! What the program says about its own work, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Begins to log: warnings, more with every `-v`, less with `--quiet`; `RUST_LOG` overrides all of them.
pub(super) fn start(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,wayglass=info",
        (false, 2) => "info,wayglass=debug",
        (false, _) => "debug,wayglass=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init()
        // Somebody in this process logs already, which serves as well.
        .ok();
}
