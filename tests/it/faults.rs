//! Faults done for real: the built program as a process, real sockets, real files, real signals.
//!
//! Each promise of "nothing answered is ever lost" is broken on purpose here, and the store is audited afterwards by what the far ends know:
//! whatever was answered is there, nothing is there twice, and SQLite's own check is content.
//!
//! Short by default. `WAYGLASS_LONG=1` makes everything longer: more kills, more junk, more connections (`WAYGLASS_LONG=1 cargo test --test it faults`).
#![cfg(target_os = "linux")]

mod audit;
mod far;
mod helper;
pub mod process;

mod clock;
mod desktop;
mod full;
mod identities;
mod junk;
mod kill;
mod locked;
mod panics;
mod secrets;
mod slow;
mod start;
mod storm;
mod tap;

/// True for the long form.
fn long() -> bool {
    std::env::var_os("WAYGLASS_LONG").is_some_and(|value| value == "1")
}

/// One number for the short form, another for the long one.
fn scale<T>(short: T, long_form: T) -> T {
    if long() { long_form } else { short }
}
