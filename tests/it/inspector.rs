//! The inspector as a user has it: the whole window over real sockets and a real store, and the command line.

mod big;
mod bytes;
pub mod filter;
mod hand;
mod live;
mod next;
mod out;
mod read_as;
mod story;
mod talk;

use crate::desk::Desk;

/// What the last frame put into the clipboard.
fn copied(desk: &Desk) -> Option<String> {
    desk.window.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}
