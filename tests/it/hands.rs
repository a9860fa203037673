//! The hands: keyboard, palette, undo, names for screen readers, units and zone.

mod keyboard;
mod names;
mod painted;
mod story;
mod undo;
