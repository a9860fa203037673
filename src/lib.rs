//! Wayglass: a desktop console for OwnTracks phones and GT06 trackers.

pub mod backend;
pub mod cli;
pub mod export;
pub mod geo;
pub mod ingest;
pub mod model;
pub mod sim;
pub mod store;
pub mod ui;
pub mod wire;
