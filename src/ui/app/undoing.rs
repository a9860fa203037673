//! Actions on their way to being done, with the steps that take them back.

use egui::Context;

use super::App;
use crate::{
    model::DeviceId,
    ui::{
        Action,
        toasts::Offer,
        undo::{self, Step, Told},
    },
};

impl App {
    /// Does everything that was asked for in one frame.
    pub(super) fn apply_all(&mut self, ctx: &Context, actions: Vec<Action>) {
        let mut steps = Vec::new();
        for action in actions {
            steps.extend(undo::of(&action, &self.data, &self.view));
            self.apply(ctx, action);
        }
        if steps.is_empty() {
            return;
        }
        self.undo.push_all(steps);
        match self.undo.newest() {
            Some(step) if step.told == Told::AtOnce => {
                self.toasts.step(step.did.clone(), step.kind(), Some(Offer::Undo(step.undoing.clone())));
            }
            Some(_) | None => self.toasts.withdraw_offer(),
        }
        self.tell_undo();
    }

    pub(super) fn undo(&mut self, ctx: &Context) {
        let Some(step) = self.undo.back() else { return };
        let kind = step.kind();
        let Step { did, undoing, undo, redo, told, .. } = step;
        for action in undo {
            self.apply(ctx, action);
        }
        match told {
            Told::Silently(_) => self.toasts.withdraw_offer(),
            // What cannot be done again has no button.
            Told::AtOnce | Told::WhenAnswered => {
                self.toasts.step(undoing, kind, (!redo.is_empty()).then_some(Offer::Redo(did)));
            }
        }
        self.tell_undo();
    }

    pub(super) fn redo(&mut self, ctx: &Context) {
        let Some(step) = self.undo.again() else { return };
        let kind = step.kind();
        let Step { did, undoing, redo, told, .. } = step;
        for action in redo {
            self.apply(ctx, action);
        }
        match told {
            Told::Silently(_) | Told::WhenAnswered => self.toasts.withdraw_offer(),
            Told::AtOnce => self.toasts.step(did, kind, Some(Offer::Undo(undoing))),
        }
        self.tell_undo();
    }

    /// Says what came of something, with a button where it is the step that would be taken back now.
    pub(super) fn say_done(&mut self, text: String, device: Option<DeviceId>) {
        let newest = self.undo.newest().filter(|step| step.told == Told::WhenAnswered && step.about == device);
        match newest.map(|step| (step.undoing.clone(), step.kind())) {
            Some((undoing, kind)) => self.toasts.step(text, kind, Some(Offer::Undo(undoing))),
            // That is said already.
            None if device.is_some() && self.undo.just_undid(device) => {}
            None => self.toasts.info(text),
        }
    }

    /// Something could not be done, and says so.
    pub(super) fn refused(&mut self, device: Option<DeviceId>, text: String) {
        self.toasts.error(text);
        self.withdraw(device);
    }

    /// What was wanted last for this device is as it was before.
    pub(super) fn withdraw(&mut self, device: Option<DeviceId>) {
        if self.undo.refused(device) {
            self.toasts.withdraw_offer();
            self.tell_undo();
        }
    }

    /// What the commands and their tooltips say about it.
    pub(super) fn tell_undo(&mut self) {
        self.view.undo = self.undo.newest().map(|step| step.undoing.clone());
        self.view.redo = self.undo.next().map(|step| step.did.clone());
    }
}
