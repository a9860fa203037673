//! The window without a display: panels over hand-made data, and the whole application over a real backend.

mod app;
mod commands;
mod panels;
mod pictures;
mod profile;
mod stage;
