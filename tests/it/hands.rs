//! The hands: keyboard, palette, undo, names for screen readers, units and zone.

mod desk;
mod keyboard;
mod story;
mod undo;
