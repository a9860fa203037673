//! The map. The only folder that names walkers.

pub mod basemap;
pub mod online;
pub mod pmtiles;
pub mod trail;

pub use trail::{Trail, TrailPoint};
