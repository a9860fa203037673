//! Files of other programs become history: what is in them, where it goes, what is refused, and the way back.

mod call;
mod files;
mod parse;
mod store;
