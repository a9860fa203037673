//! The hands: keyboard, palette, undo, names for screen readers, units and zone.

pub mod desk;
mod keyboard;
mod names;
mod story;
mod undo;
