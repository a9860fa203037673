//! The map. The only folder that names walkers.

mod trail;

pub use trail::Trail;
