//! Places, rules and the events that come of them, from sockets to the table.

mod cli;
mod engine;
mod moved;
mod waiting;
mod window;
