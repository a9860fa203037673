//! One integration binary, so that the window's libraries are linked once.

mod ingest;
mod support;
mod tidy;
mod window;
