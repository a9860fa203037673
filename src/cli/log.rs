//! What the program says about its own work: on standard error, and of an instance that receives in the log of its data folder.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::backend::logfile::{LogFile, LogLevel};

/// Begins to log. On standard error warnings, more with every `-v`, less with `--quiet`; `RUST_LOG` overrides all of them. In the file what the
/// settings say, and as much as `-v` asks for. Times are UTC in both.
pub(super) fn start(verbose: u8, quiet: bool, file: Option<&LogFile>) {
    let said = match (quiet, verbose) {
        (true, _) => LogLevel::Error,
        (false, 0) => LogLevel::Warn,
        (false, verbose) => asked_for(verbose),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(words(said)));
    let said = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).with_filter(filter);
    let kept = file.filter(|file| file.level() > LogLevel::Off).map(|file| {
        let level = if verbose > 0 { file.level().max(asked_for(verbose)) } else { file.level() };
        let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
        lines.with_writer(file.clone()).with_filter(EnvFilter::new(words(level)))
    });
    // Where somebody in this process logs already, that serves as well.
    tracing_subscriber::registry().with(said).with(kept).try_init().ok();
}

fn asked_for(verbose: u8) -> LogLevel {
    match verbose {
        0 | 1 => LogLevel::Info,
        2 => LogLevel::Debug,
        _ => LogLevel::Trace,
    }
}

/// Our own work in more detail than that of the libraries.
fn words(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Off => "off",
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "warn,wayglass=info",
        LogLevel::Debug => "info,wayglass=debug",
        LogLevel::Trace => "debug,wayglass=trace",
    }
}
