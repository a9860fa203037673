//! The packet filter in the window: what is asked, what was found of it, and what a click writes into it.
//!
//! | module | holds |
//! |---|---|
//! | `sieve` | a filter with all that it needs to judge a packet |
//! | [`columns`] | the columns that the list may have |
//! | `list` | what the user chose about the list |
//! | `found` | matches among packets that are older than those that are held |
//! | [`phrase`] | what a cell or a field is as a filter |

pub mod columns;
mod found;
mod list;
pub mod phrase;
mod sieve;

pub use self::{
    found::{Found, MOST_FOUND},
    list::{PacketList, Rule, Saved},
    sieve::{Asked, Known, Sieve},
};
