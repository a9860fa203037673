//! Packets on their way out, as they are asked for.

use egui::Context;

use super::App;
use crate::ui::{out::OutAction, view::Sheet};

impl App {
    pub(super) fn apply_out(&mut self, ctx: &Context, action: OutAction) {
        match action {
            OutAction::Open(which) => {
                self.panels.packets_out.open(which, self.panels.packets.listed());
                self.view.open.sheet = Some(Sheet::PacketsOut);
            }
            OutAction::Browse(name) => self.panels.packets_out.browse(ctx.clone(), &name),
            OutAction::Weigh(selection, seed) => {
                let Some(backend) = &self.backend else { return };
                self.out.weigh(backend, &mut self.data, *selection, seed);
            }
            OutAction::Write(job) => {
                let Some(backend) = &self.backend else { return };
                self.out.write(backend, *job);
            }
            OutAction::Cancel => self.out.cancel(),
        }
    }

    /// What was answered about packets on their way out.
    pub(super) fn take_out(&mut self) {
        if let Some(written) = self.out.take(&mut self.data) {
            self.panels.packets_out.finished(written);
        }
    }
}
