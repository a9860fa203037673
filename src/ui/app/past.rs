//! The past in the window: what is looked at, a replay that goes on, positions that are hidden and shown again.

use egui::Context;

use super::App;
use crate::{
    model::{DeviceId, HideReason, Timestamp},
    ui::{
        format,
        time::{self, Act},
    },
};

/// Between two frames of a replay.
const FRAME: std::time::Duration = std::time::Duration::from_millis(33);

impl App {
    /// Takes over what came, moves a replay on, and asks for what is looked at next.
    pub(super) fn look_at_past(&mut self, ctx: &Context, now: Timestamp) {
        self.past.take(&mut self.data);
        time::tick(&mut self.view, &self.data, now, ctx.input(|i| i.time));
        if self.view.time.playing {
            ctx.request_repaint_after(FRAME);
        }
        let Some(backend) = &self.backend else { return };
        if let Some(later) = self.past.ask(backend, &mut self.data, &self.view, now) {
            ctx.request_repaint_after(later);
        }
        for (fixes, answer) in self.hiding.drain_answered() {
            match answer {
                Ok(0) => self.toasts.info("Nothing changed: it was so already"),
                Ok(n) => self.toasts.info(fixes.said(n)),
                Err(error) => self.toasts.error(format!("Could not do it: {error}")),
            }
        }
    }

    /// Goes elsewhere in time. What was selected by hand gives way to what was known then.
    pub(super) fn go_in_time(&mut self, act: Act) {
        if matches!(
            act,
            Act::At(_) | Act::Step(_) | Act::First | Act::Last | Act::Live | Act::Play | Act::Span(_) | Act::Days(_)
        ) {
            self.close_packet();
        }
        let now = self.now();
        time::apply(&mut self.view, &self.data, now, act);
    }

    /// A fix was selected: while the past is looked at, that is the instant.
    pub(super) fn cursor_to(&mut self, device: DeviceId, fix: i64) {
        if self.view.is_live() {
            return;
        }
        let past = self.data.history.past(device);
        let at_ms = past.and_then(|past| past.find(fix)).map(|point| point.at_ms);
        if let Some(at_ms) = at_ms {
            self.view.time.cursor_ms = Some(at_ms);
            self.view.time.playing = false;
        }
    }

    pub(super) fn hide(&mut self, device: DeviceId, fixes: Vec<i64>, reason: Option<HideReason>) {
        if fixes.is_empty() {
            return;
        }
        let pending = self.backend().hide(fixes.clone(), reason);
        self.hiding.asked.push((Hidden { device, fixes, reason }, pending));
    }
}

/// What was hidden or shown again.
#[derive(Debug, Clone)]
pub(super) struct Hidden {
    pub(super) device: DeviceId,
    pub(super) fixes: Vec<i64>,
    pub(super) reason: Option<HideReason>,
}

impl Hidden {
    fn said(&self, n: u64) -> String {
        let points = format::counted(n, "point", "points");
        match self.reason {
            Some(_) => format!("{points} hidden; nothing is deleted"),
            None => format!("{points} shown again"),
        }
    }
}

/// Positions that are being hidden or shown again.
#[derive(Default)]
pub(super) struct Hiding {
    asked: Vec<(Hidden, crate::backend::Pending<u64>)>,
}

impl Hiding {
    fn drain_answered(&mut self) -> Vec<(Hidden, Result<u64, crate::backend::Error>)> {
        crate::ui::asks::take_answered(&mut self.asked)
    }

    pub(super) fn waiting(&self) -> bool {
        !self.asked.is_empty()
    }
}
