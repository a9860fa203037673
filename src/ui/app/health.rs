//! Asks how everything fares, once a second, while the sheet that shows it is open; else never.

use std::time::{Duration, Instant};

use egui::Context;

use super::{App, POLL};
use crate::{
    backend::{Health, Pending},
    ui::view::Sheet,
};

const EVERY: Duration = Duration::from_secs(1);

/// What is being asked.
#[derive(Default)]
pub(super) struct Asking {
    pending: Option<Pending<Health>>,
    asked_at: Option<Instant>,
}

impl App {
    /// Takes over what came, and asks again where that is due.
    pub(super) fn look_at_health(&mut self, ctx: &Context) {
        if self.view.open.sheet != Some(Sheet::Health) {
            self.health = Asking::default();
            return;
        }
        let Some(backend) = &self.backend else { return };
        let asking = &mut self.health;
        if let Some(answer) = asking.pending.as_mut().and_then(Pending::poll) {
            asking.pending = None;
            match answer {
                Ok(health) => (self.data.health, self.data.health_trouble) = (Some(health), None),
                Err(error) => self.data.health_trouble = Some(error.to_string()),
            }
        }
        if asking.pending.is_some() {
            ctx.request_repaint_after(POLL);
            return;
        }
        let left = asking.asked_at.map_or(Duration::ZERO, |at| EVERY.saturating_sub(at.elapsed()));
        if left > Duration::ZERO {
            ctx.request_repaint_after(left);
            return;
        }
        asking.pending = Some(backend.health());
        asking.asked_at = Some(Instant::now());
        ctx.request_repaint_after(POLL);
    }
}
