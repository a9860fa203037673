//! A capture that is sent again, as it is asked for.

use std::time::Duration;

use egui::Context;

use super::App;
use crate::{
    backend::{Backend, ReceiverStatus, demo::from_here},
    ui::{
        replay::{Ended, ReplayAction},
        view::Sheet,
    },
};

/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl App {
    pub(super) fn apply_replay(&mut self, ctx: &Context, action: ReplayAction) {
        match action {
            ReplayAction::Browse(beside) => self.panels.replay.browse(ctx.clone(), &beside),
            ReplayAction::Start(job) => {
                // The live one stays when a capture is closed.
                let live = self.sources.live().or(self.backend.as_ref());
                if let Some(backend) = live {
                    self.replay.start(backend, *job);
                }
            }
            ReplayAction::Stop => self.replay.stop(),
        }
    }

    /// How far it is, and how it ended.
    pub(super) fn look_at_replay(&mut self, ctx: &Context) {
        if let Some(Ended { name, text, well, .. }) = self.replay.look(&mut self.data) {
            match (well, self.view.open.sheet == Some(Sheet::Replay)) {
                (_, true) => {}
                (true, false) => self.toasts.info(format!("Replay of {name}: {text}")),
                (false, false) => self.toasts.error(format!("Replay of {name}: {text}")),
            }
        }
        if self.replay.waiting() {
            ctx.request_repaint_after(LOOK_EVERY);
        }
        if self.view.open.sheet != Some(Sheet::Replay) {
            return;
        }
        let live = self.sources.live().or(self.backend.as_ref());
        let receivers = live.map(Backend::receivers).unwrap_or_default();
        let own = receivers.into_iter().filter_map(|line| match line.status {
            ReceiverStatus::Listening(at) => Some((line.protocol, from_here(at))),
            ReceiverStatus::Off | ReceiverStatus::Starting | ReceiverStatus::Waiting { .. } => None,
        });
        self.data.replay.own = own.collect();
        self.data.replay.shown = self.sources.shown_capture();
    }
}
