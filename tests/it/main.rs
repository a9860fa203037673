//! One integration binary, so that the window's libraries are linked once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "a test crate has no outside")]

mod alarms;
mod capture;
mod cli;
mod command;
mod config;
mod decode;
mod deps;
mod desk;
mod devices_list;
mod dock;
mod ends;
mod export;
mod faults;
mod gt06;
mod hands;
mod health;
mod history;
mod https;
mod import;
mod ingest;
mod inspector;
mod map;
mod maps;
mod open_files;
mod out;
mod owntracks;
mod phones;
mod profile;
mod sim;
mod store;
mod support;
mod tap;
mod tidy;
mod ui;
mod window;
