//! The window: data in, actions out.
//!
//! A panel reads [`Cx::data`] and [`Cx::view`] and pushes [`Action`]s; `App::apply` carries them out after layout, in one place.

pub mod action;
mod app;
mod asks;
pub mod charts;
pub mod command;
pub mod data;
pub mod device_icons;
pub mod device_list;
pub mod faces;
pub mod filter;
pub mod format;
pub mod icons;
pub mod lamps;
pub mod ledger;
pub mod map;
mod notices;
pub mod out;
pub mod panels;
pub mod phones;
pub mod read_as;
pub mod remote;
pub mod replay;
pub mod status;
pub mod summary;
pub mod talk;
pub mod theme;
pub mod time;
mod toasts;
pub mod undo;
pub mod view;
pub mod watch;
mod widgets;
mod window;

pub use action::Action;
pub use app::{App, Begun, Options};
pub use data::Data;
pub use view::View;
pub use window::{Wakes, late_wake, run, why_no_window};

use crate::model::Timestamp;

/// What a panel gets to see while it draws, and where it puts what the user asked for.
pub struct Cx<'a> {
    pub data: &'a Data,
    pub view: &'a View,
    /// The time, asked once a frame.
    pub now: Timestamp,
    pub actions: &'a mut Vec<Action>,
}

impl Cx<'_> {
    /// Asks for this after layout.
    pub fn ask(&mut self, action: Action) {
        self.actions.push(action);
    }
}
