//! Short messages that come and go in a corner. They draw nothing between coming and going, so an idle window stays idle.

use std::{collections::VecDeque, time::Duration};

use egui::{Align2, Area, Context, Frame, Id, Order, Stroke, vec2};

use super::{icons, theme, widgets};

/// How long one is shown.
const SHOWN_S: f64 = 6.0;
/// Faults are shown longer: they have to be read.
const FAULT_SHOWN_S: f64 = 15.0;
/// More than these push the oldest out.
const MAX: usize = 4;

/// What is shown now, oldest first.
#[derive(Default)]
pub(super) struct Toasts {
    toasts: VecDeque<Toast>,
}

struct Toast {
    text: String,
    tone: Tone,
    /// egui's time when it was first drawn.
    shown_at: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Info,
    Warn,
    Fault,
}

impl Toasts {
    pub(super) fn info(&mut self, text: impl Into<String>) {
        self.add(text.into(), Tone::Info);
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.add(text.into(), Tone::Warn);
    }

    pub(super) fn error(&mut self, text: impl Into<String>) {
        self.add(text.into(), Tone::Fault);
    }

    fn add(&mut self, text: String, tone: Tone) {
        self.toasts.retain(|toast| toast.text != text);
        self.toasts.push_back(Toast { text, tone, shown_at: None });
        while self.toasts.len() > MAX {
            self.toasts.pop_front();
        }
    }

    pub(super) fn ui(&mut self, ctx: &Context) {
        let now = ctx.input(|i| i.time);
        let mut next = f64::INFINITY;
        self.toasts.retain_mut(|toast| {
            let lasts = if toast.tone == Tone::Fault { FAULT_SHOWN_S } else { SHOWN_S };
            let left = *toast.shown_at.get_or_insert(now) + lasts - now;
            next = next.min(left);
            left > 0.0
        });
        if self.toasts.is_empty() {
            return;
        }
        ctx.request_repaint_after(Duration::from_secs_f64(next.clamp(0.05, FAULT_SHOWN_S)));
        let mut closed = None;
        Area::new(Id::unique("toasts")).order(Order::Foreground).anchor(Align2::CENTER_TOP, vec2(0.0, 56.0)).show(
            ctx,
            |ui| {
                for (i, toast) in self.toasts.iter().enumerate() {
                    if card(ui, toast) {
                        closed = Some(i);
                    }
                    ui.add_space(theme::GAP);
                }
            },
        );
        if let Some(i) = closed {
            self.toasts.remove(i);
        }
    }
}

/// True when the user closes it.
fn card(ui: &mut egui::Ui, toast: &Toast) -> bool {
    let p = theme::palette(ui);
    let (icon, colour) = match toast.tone {
        Tone::Info => (icons::Icon::Check, p.parked),
        Tone::Warn => (icons::Icon::Warning, p.late),
        Tone::Fault => (icons::Icon::Warning, p.alarm),
    };
    Frame::popup(ui.style())
        .stroke(Stroke::new(1.0, p.line))
        .inner_margin(egui::Margin::symmetric(12, 8))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                icons::show(ui, icon, colour);
                // As wide as it needs, but not wider than the window is at least.
                ui.add(egui::Label::new(&toast.text).extend());
                widgets::icon_button(ui, icons::Icon::Close, "Close message").clicked()
            })
            .inner
        })
        .inner
}
