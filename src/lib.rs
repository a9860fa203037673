//! Wayglass: a desktop console for OwnTracks phones and GT06 trackers. This page is the architecture.
//!
//! One program receives from the devices itself, keeps every byte in one SQLite file, shows the devices on a map, and opens any
//! packet down to the bit. The window and `wayglass serve` are two faces of the same [`backend`].
//!
//! # Three sentences to decide by
//! - **Bytes are the truth.** Every packet is stored raw, in and out. A fix, an event, a line in the inspector is a function of bytes.
//! - **Nothing answered is ever lost.** A reply leaves only after the commit of everything it stands for.
//! - **Never a silent drop.** What we cannot use is kept and shown, with the reason and the offset.
//!
//! # The rooms
//! Layers look down only; siblings never name each other, but for [`track`], which store and export may name. `tests/it/tidy.rs` is the table and fails with file and line.
//!
//! | layer | room | what it is for | what it must not know |
//! |---|---|---|---|
//! | 0 | [`geo`] | numbers on the globe | trackers |
//! | 1 | [`model`] | the vocabulary: plain data, units in names | bytes, SQL, sockets |
//! | 2 | [`track`] | positions in order of time: trips, stops, gaps, where a device was | bytes, SQL, the window |
//! | 2 | [`wire`] | bytes ↔ meaning, pure | the clock, sockets, the store |
//! | 2 | [`store`] | one SQLite file, one writer thread, group commit | sockets, the window |
//! | 2 | [`export`] | history in the formats of others | where it comes from |
//! | 1 | [`charts`] | map files of the user: PMTiles, MBTiles, vector tiles | how they look |
//! | 2 | [`import`] | history out of the files of others | where it goes |
//! | 2 | [`capture`] | packets out of logs, dumps and pcap files, and into them | what they mean, where they go |
//! | 2 | [`sim`] | pretend devices: routes and bytes, pure | sockets |
//! | 3 | [`ingest`] | sockets and tasks; stamps every read with the time | what bytes mean |
//! | 4 | [`backend`] | the façade: what the app can do | how it looks |
//! | 5 | [`cli`], [`ui`] | command line, window | each other |
//!
//! `main` hands the clock and the window's opener in; it is the only place that ends the process.
//!
//! # The way of one packet
//! 1. A read arrives in [`ingest`] and is stamped with the time.
//! 2. A [`wire::Conversation`] cuts it into frames and dissects each ([`wire::Dissection`]: fields with their spans, problems, reports).
//!    The decoder *is* the inspector: reading a field records it, so there is no second parser that could drift.
//! 3. Its outputs are carried out in order: [`wire::Output::Store`] first; [`wire::Output::Send`] waits for the commit.
//! 4. [`store::Writer`] takes what is queued, one transaction, commits, then answers the receipts and publishes a [`model::Fact`].
//! 5. The window drains facts in `App::logic`, changes its read model, and repaints. Who falls behind hears
//!    [`model::Fact::Missed`] and reads again: the database is the truth, the feed a hint.
//!
//! # Three kinds of arrow between threads
//! *Requests* down (bounded queues with a one-shot answer: [`store::Pending`]), *facts* up (broadcast of what was committed),
//! *status* up (latest wins). Nothing else crosses.
//!
//! # Invariants, most of them absences
//! - No clock below `main`: time is handed in as [`model::Clock`], so a test owns it from socket to pixel.
//! - No SQL outside [`store`] (but for map files, which are SQLite themselves: [`charts`]), no egui outside [`ui`], no walkers outside `ui::map`.
//! - No lock, wait, file or socket on the window's thread: it polls [`store::Pending`].
//! - No allocation from a length that a device declared; every queue, cache and quarantine has a bound.
//! - No `unsafe`, and no panic on bytes from outside: [`wire`] returns what it could read *and* the problem.
//! - Unknown is `None`, never 0. Times are UTC; zones exist only on screen.
//!
//! # Where to add something
//! | to add | touch |
//! |---|---|
//! | a GT06 message or variant | its family file in `wire::gt06`, one row of `wire::gt06`'s layout table, a fixture |
//! | a protocol | a module in [`wire`], [`model::Protocol`], two arms in `wire/mod.rs`, fixtures |
//! | an export format | a file in [`export`], a row of [`export::Format`] |
//! | an import format | a file in [`import`], a row of [`import::Kind`], how it begins in `import::sniff` |
//! | a reading | one row of [`model::reading::TABLE`], and where it is read |
//! | a bound on what peers may take or what is kept | a row of [`backend::bounds::TABLE`] |
//! | something that is not taken, kept or held open | a row of [`model::Mishap`], counted by `store::Tally` |
//! | a fact about how we fare | [`backend::Health`], which panel, `doctor` and `limits` show |
//! | a kind of map file | a module in [`charts`], an arm of its `Chart` |
//! | a panel | a file in `ui::panels` |
//! | something a user can invoke | a row of `ui::command` |
//! | a column or query | [`store`]: a migration, and `store::query` |

pub mod backend;
pub mod capture;
pub mod charts;
pub mod cli;
pub mod export;
pub mod geo;
pub mod import;
pub mod ingest;
pub mod model;
pub mod sim;
pub mod store;
pub mod track;
pub mod ui;
pub mod wire;
