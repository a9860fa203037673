//! The map. The only folder that names walkers.

pub mod pmtiles;
mod trail;

pub use trail::Trail;
