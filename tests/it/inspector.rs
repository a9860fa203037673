//! The inspector as a user has it: the whole window over real sockets and a real store, and the command line.

mod big;
mod filter;
mod live;
mod next;
mod talk;
