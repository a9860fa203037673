//! What packet list, field tree and bytes share: they are three views of one packet.
//!
//! | module | is |
//! |---|---|
//! | [`outline`] | the fields as a tree: parents, colours, which field holds a byte |
//! | [`explain`] | a field in words: raw bytes, bits, the sum that made its value |
//! | [`hex`], [`bits`] | bytes and bits, each in its field's colour |
//! | [`inspector`] | what selected bytes could be |
//! | [`light`] | how strongly bytes are lit |
//! | [`lines`] | a text body broken into lines |
//! | [`filter_box`] | the filter as it is typed |
//! | [`listing`] | the rows that the packet list shows, filtered, by position and by identity |
//! | [`anchor`] | where the packet list stands while rows come and go |
//! | [`header`] | the titles of the columns |
//! | [`cells`] | columns that a person added, colours of rows |
//! | [`columns`], [`split`] | how the list shares its width, and the dock its own |
//! | [`shorten`] | text without its beginning |
//! | [`reach`] | when the list asks for another part of the stored packets |
//! | [`copy`], [`copy_menu`] | bytes as text for other programs |
//! | [`paint`] | marks, arrows and cut-off text |
//! | [`problems`] | every doubt about a packet |
//! | [`rows`] | rows of equal height: which can be seen |
//! | [`read_as`] | what a packet is read as instead, and what that changes |
//! | [`related`] | answer, place and context of a packet |
//! | [`variants`] | why a frame is read by its layout |

pub mod anchor;
pub mod bits;
pub mod cells;
pub mod columns;
pub mod copy;
pub mod copy_menu;
pub mod explain;
pub mod filter_box;
pub mod header;
pub mod hex;
pub mod inspector;
pub mod light;
pub mod lines;
pub mod listing;
pub mod outline;
pub mod paint;
pub mod problems;
pub mod reach;
pub mod read_as;
pub mod related;
pub mod rows;
pub mod shorten;
pub mod split;
pub mod variants;

use crate::ui::{Action, Cx};

/// Says which field the pointer is over; told anew each frame, so that nobody has to take it back.
pub(super) fn hover(cx: &mut Cx<'_>, over: Option<usize>) {
    if over.is_some() {
        cx.ask(Action::HoverField(over));
    }
}

/// Asks for something that shows in the next frame.
pub(super) fn push(ui: &egui::Ui, cx: &mut Cx<'_>, action: Action) {
    cx.ask(action);
    ui.ctx().request_repaint();
}

/// Rows stand close, and none fades at the edge: the last one counts as much as the others.
pub(super) fn dense(ui: &mut egui::Ui) {
    let spacing = ui.spacing_mut();
    spacing.item_spacing.y = 0.0;
    spacing.scroll.fade.strength = 0.0;
    // Going to an end that has just moved away is no overshooting: without this the list would spring back.
    spacing.scroll.kinetic.rubber_band = false;
}
