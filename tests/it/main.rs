//! One integration binary, so that the window's libraries are linked once.

mod dock;
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod export;
mod ingest;
mod owntracks;
mod support;
mod tidy;
mod window;
