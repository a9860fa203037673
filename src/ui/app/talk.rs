//! Conversations, comparisons and statistics, as they are asked for.

use super::App;
use crate::{
    model::Timestamp,
    ui::talk::{Tab, TalkAction},
};

/// Said until there are two to compare.
const PIN_ANOTHER: &str = "Select the packet to compare it with, and press D again";

impl App {
    /// Asks for what is shown of it, and takes what was answered.
    pub(super) fn look_at_talk(&mut self, now: Timestamp) {
        let Some(backend) = &self.backend else { return };
        let counts = self.view.talk.tab == Some(Tab::Statistics);
        let listed = counts.then(|| self.panels.packets.sieve(&self.data, &self.view, now));
        let listed = listed.filter(|sieve| !sieve.admits_all());
        if let Some(told) = self.talk.look(backend, &mut self.data, (&self.view, now), listed) {
            self.toasts.info(told);
        }
    }

    pub(super) fn apply_talk(&mut self, action: TalkAction) {
        let Some(backend) = &self.backend else { return };
        let view = &mut self.view.talk;
        match action {
            TalkAction::Show(tab) => {
                view.tab = tab;
                if tab.is_none() {
                    self.view.events.open = false;
                }
            }
            TalkAction::Follow(id) => {
                self.talk.follow(backend, &mut self.data, id);
                self.show_talk(Tab::Conversation);
            }
            TalkAction::More(part) => self.talk.further(backend, &self.data, part),
            TalkAction::Arrived => self.data.talk.fresh = false,
            TalkAction::Pin => self.pin(),
            TalkAction::Compare(left, right) => {
                view.pinned = None;
                self.toasts.withdraw(PIN_ANOTHER);
                self.talk.compare(backend, &mut self.data, left, right);
                self.show_talk(Tab::Compare);
            }
            TalkAction::Count(span) => {
                view.span = span.unwrap_or(view.span);
                self.show_talk(Tab::Statistics);
            }
            TalkAction::CountBy(by) => view.by = by,
            TalkAction::CountListed(listed) => view.listed = listed,
            TalkAction::Sort(column, down) => view.sorted = (column, down),
        }
    }

    fn show_talk(&mut self, tab: Tab) {
        self.view.talk.tab = Some(tab);
        self.view.open.dock = true;
        self.view.open.sheet = None;
    }

    /// Keeps the selected packet for the next time, or compares it with the one that is kept.
    fn pin(&mut self) {
        let Some(selected) = self.view.selection.packet else {
            return self.toasts.info("Select a packet to compare first");
        };
        if let Some(pinned) = self.view.talk.pinned.filter(|pinned| *pinned != selected) {
            self.apply_talk(TalkAction::Compare(pinned, selected));
        } else {
            self.view.talk.pinned = Some(selected);
            self.toasts.info(PIN_ANOTHER);
        }
    }
}
