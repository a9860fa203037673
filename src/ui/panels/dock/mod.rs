//! What packet list, field tree and bytes share: they are three views of one packet.
//!
//! | module | is |
//! |---|---|
//! | [`outline`] | the fields as a tree: parents, colours, which field holds a byte |
//! | [`explain`] | a field in words: raw bytes, bits, the sum that made its value |
//! | [`light`] | how strongly bytes are lit |
//! | [`lines`] | a text body broken into lines |
//! | [`listing`] | the rows that the packet list shows, filtered, by position and by identity |
//! | [`anchor`] | where the packet list stands while rows come and go |
//! | [`copy`] | bytes as text for other programs |
//! | [`paint`] | marks, arrows and cut-off text |
//! | [`related`] | answer, place and context of a packet |

pub mod anchor;
pub mod copy;
pub mod explain;
pub mod light;
pub mod lines;
pub mod listing;
pub mod outline;
pub mod paint;
pub mod related;

use crate::ui::{Action, Cx};

/// Says which field the pointer is over, when that changes: one panel's farewell never undoes another's greeting.
///
/// `mine` remembers whether the last word was this panel's.
pub(super) fn hover(ui: &egui::Ui, cx: &mut Cx<'_>, mine: &mut bool, over: Option<usize>) {
    let said = cx.actions.iter().any(|a| matches!(a, Action::HoverField(Some(_))));
    let news = match over {
        Some(_) => cx.view.hovered_field != over,
        None => *mine && cx.view.hovered_field.is_some() && !said,
    };
    *mine = over.is_some();
    if news {
        cx.actions.push(Action::HoverField(over));
        ui.ctx().request_repaint();
    }
}

/// Asks for something that shows in the next frame.
pub(super) fn push(ui: &egui::Ui, cx: &mut Cx<'_>, action: Action) {
    cx.actions.push(action);
    ui.ctx().request_repaint();
}
