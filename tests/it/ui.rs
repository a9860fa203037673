//! The window without a display: panels over hand-made data, and the whole application over a real backend.

mod app;
mod commands;
mod panels;
mod phones;
mod pictures;
mod profile;
pub mod stage;
