//! One integration binary, so that the window's libraries are linked once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dock;
mod export;
mod ingest;
mod owntracks;
mod support;
mod tidy;
mod ui;
mod window;
