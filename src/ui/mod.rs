//! The window: data in, actions out.
//!
//! A panel reads [`Cx::data`] and [`Cx::view`] and pushes [`Action`]s; `App::apply` carries them out after layout, in one place.

pub mod action;
pub mod data;
pub mod map;
pub mod panels;
pub mod status;
pub mod theme;
pub mod view;

pub use action::Action;
pub use data::Data;
pub use view::View;

use crate::model::Timestamp;

/// What a panel gets to see while it draws, and where it puts what the user asked for.
pub struct Cx<'a> {
    pub data: &'a Data,
    pub view: &'a View,
    /// The time, asked once a frame.
    pub now: Timestamp,
    pub actions: &'a mut Vec<Action>,
}
