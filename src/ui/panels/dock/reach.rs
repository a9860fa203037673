//! When the packet list asks for another part of the stored packets.

use egui::Ui;

use super::{listing::Listing, push};
use crate::{
    model::PacketId,
    ui::{Action, Cx, data::Pages},
};

/// Rows from an end of what is held at which the next page is asked for.
pub const NEAR: usize = 200;

/// Where the list is read.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing, and all combinations occur")]
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// First and last row of which something can be seen.
    pub first: usize,
    pub last: usize,
    /// It does not go with what arrives.
    pub still: bool,
    /// It was paused.
    pub paused: bool,
    /// Rows are left out by a filter.
    pub filtered: bool,
    /// The filter has looked at everything that is held.
    pub complete: bool,
}

/// What was asked for, and what is to be selected when it is there.
#[derive(Debug, Default)]
pub struct Reach {
    /// A selected packet that was not held.
    sought: Option<PacketId>,
    goal: Option<Goal>,
}

/// An end of the store that is gone to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Select the oldest packet.
    First,
    /// Select the newest packet, and stay with what arrives.
    Last,
    /// Stay with what arrives.
    End,
}

impl Reach {
    /// Asks for what comes into sight. Nothing moves while a button is held: a scroll bar would slip from under the pointer.
    pub fn ask(&self, ui: &Ui, cx: &mut Cx<'_>, listing: &Listing<'_>, reading: Reading) {
        let ends = cx.data.ends;
        let Reading { first, last, still, paused, filtered, complete } = reading;
        if ends.reading_above != (still || paused) {
            push(ui, cx, Action::ReadPacketsAbove(still || paused));
        }
        if ends.loading || !complete || ui.input(|i| i.pointer.any_down()) {
            return;
        }
        let room = cx.data.has_room_for_a_page();
        let pages = if ends.newer && !still && !paused {
            Pages::End
        } else if ends.older && !filtered && first < NEAR && (room || still) {
            Pages::Older
        } else if ends.newer && last + NEAR >= listing.len() && (room || !filtered) {
            Pages::Newer
        } else {
            return;
        };
        push(ui, cx, Action::MorePackets(pages));
    }

    /// Asks for the packets around a selected one that is not held. True while they are on their way.
    pub fn seek(&mut self, ui: &Ui, cx: &mut Cx<'_>, id: PacketId) -> bool {
        if !cx.data.may_lack(id) {
            self.sought = None;
            return false;
        }
        if self.sought != Some(id) {
            if !cx.data.ends.loading {
                self.sought = Some(id);
                push(ui, cx, Action::MorePackets(Pages::Around(id)));
            }
            return true;
        }
        if !cx.data.ends.loading {
            // It was looked for and is not stored any more.
            self.sought = None;
        }
        cx.data.ends.loading
    }

    /// Goes to an end of the store. False where that is held already.
    pub fn go(&mut self, ui: &Ui, cx: &mut Cx<'_>, goal: Goal) -> bool {
        let (pages, lacks) = match goal {
            Goal::First => (Pages::Start, cx.data.ends.older),
            Goal::Last | Goal::End => (Pages::End, cx.data.ends.newer),
        };
        if lacks {
            self.goal = Some(goal);
            push(ui, cx, Action::MorePackets(pages));
        }
        lacks
    }

    /// The end that was gone to, once, when it is held.
    pub fn arrived(&mut self, cx: &Cx<'_>) -> Option<Goal> {
        let ends = cx.data.ends;
        let goal = self.goal.filter(|_| !ends.loading)?;
        self.goal = None;
        let there = match goal {
            Goal::First => !ends.older,
            Goal::Last | Goal::End => !ends.newer,
        };
        there.then_some(goal)
    }
}
