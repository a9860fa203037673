//! Taps over real sockets: trackers, servers that are not ours, and what is recorded between them.

mod copy;
pub mod far;
mod pass;
mod set_up;
mod told;
mod window;
