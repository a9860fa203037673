//! The selection in the list: moved by keys, and brought into view.

use egui::{EventFilter, Key, Modifiers, Ui};

use super::{Packets, Shown};
use crate::ui::{
    Action, Cx,
    panels::dock::{anchor::Measures, listing::Listing, push, reach::Goal, rows::whole},
};

impl Packets {
    /// Goes on where an end of the store was gone to and is held now. True where that was so.
    pub(super) fn arrive(&mut self, ui: &Ui, cx: &mut Cx<'_>, listing: &Listing<'_>) -> bool {
        let Some(goal) = self.reach.arrived(cx) else { return false };
        let id = match goal {
            Goal::First => listing.id(0),
            Goal::Last => listing.last(),
            Goal::End => None,
        };
        if goal != Goal::First {
            self.anchor.to_end();
            self.shown_selection = id.or(self.shown_selection);
        }
        if let Some(id) = id {
            push(ui, cx, Action::SelectPacket(id));
        }
        true
    }

    /// Moves the selection while the list has the keyboard.
    pub(super) fn keys(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        listing: &Listing<'_>,
        measures: Measures,
        id: egui::Id,
        shown: Shown,
    ) {
        if !ui.memory(|m| m.has_focus(id)) {
            return;
        }
        let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(id, filter));
        let Some(newest) = listing.len().checked_sub(1) else { return };
        let selected = cx.view.selection.packet;
        let page = whole(measures.view_height / measures.row_height).max(1);
        // A selected packet that is not listed still has a place among those that are.
        let at = selected.map_or(newest, |id| listing.at_or_after(id).min(newest));
        let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
        let target = if pressed(Key::ArrowUp) {
            if selected.is_none() { newest } else { at.saturating_sub(1) }
        } else if pressed(Key::ArrowDown) {
            if selected.is_none_or(|id| listing.position(id).is_none()) { at } else { at + 1 }
        } else if pressed(Key::PageUp) {
            at.saturating_sub(page)
        } else if pressed(Key::PageDown) {
            at + page
        } else if pressed(Key::Home) {
            if !shown.filtered && self.paused_at.is_none() && self.reach.go(ui, cx, Goal::First) {
                self.anchor.hold();
                return;
            }
            0
        } else if pressed(Key::End) {
            self.anchor.to_end();
            if self.paused_at.is_none() && self.reach.go(ui, cx, Goal::Last) {
                return;
            }
            // The list goes on with what arrives; it does not stand by the row that was the newest.
            self.shown_selection = listing.last();
            newest
        } else {
            return;
        };
        if let Some(id) = listing.id(target.min(newest))
            && selected != Some(id)
        {
            push(ui, cx, Action::SelectPacket(id));
        }
    }

    /// Brings the selected packet into view when it was selected elsewhere.
    pub(super) fn follow_selection(&mut self, ui: &Ui, cx: &mut Cx<'_>, shown: Shown) {
        // Beside a selection, the list goes with the time that is looked at.
        let then = || cx.data.history.as_of.as_ref().filter(|_| !cx.view.is_live()).map(|fix| fix.packet);
        let selected = cx.view.selection.packet.or_else(then);
        let (live, went_with_time) = (cx.view.is_live(), self.goes_with_time);
        self.goes_with_time = !live && cx.view.selection.packet.is_none();
        if live && went_with_time && selected.is_none() {
            // Back at the right edge of time, which is the end of the list.
            self.shown_selection = None;
            self.anchor.to_end();
            if self.paused_at.is_none() {
                self.reach.go(ui, cx, Goal::Last);
            }
            return;
        }
        if selected == self.shown_selection {
            return;
        }
        if let Some(id) = selected
            && !shown.filtered
            && self.paused_at.is_none()
            && self.reach.seek(ui, cx, id)
        {
            self.anchor.hold();
            return;
        }
        self.shown_selection = selected;
        if let Some(id) = selected {
            self.anchor.show(id);
        }
    }
}
