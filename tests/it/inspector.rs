//! The inspector: how devices talk, through the window and the command line.

mod talk;
