//! The panels. Each is a function of [`crate::ui::Data`]; what a panel alone cares about is its private field.

pub mod bytes;
pub mod dock;
pub mod packets;
pub mod tree;
