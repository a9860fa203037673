//! The panels. Each is a function of [`crate::ui::Data`]; what a panel alone cares about is its private field.
