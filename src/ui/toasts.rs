//! Short messages that come and go below the banners. They draw nothing between coming and going, so an idle window stays idle.

use std::{collections::VecDeque, mem::Discriminant, time::Duration};

use egui::{Align2, Area, Context, Frame, Id, Order, Role, Stroke, WidgetInfo, vec2};

use super::{Action, icons, theme, widgets};

/// How long one is shown.
const SHOWN_S: f64 = 6.0;
/// What can be taken back is shown until one has found the button.
const OFFER_SHOWN_S: f64 = 10.0;
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
    /// The newest one only: a button is never about something older.
    offer: Option<Offer>,
    /// Of a step that can be taken back, or was.
    kind: Option<Kind>,
    /// egui's time when it was first drawn.
    shown_at: Option<f64>,
}

/// What kind of step a message is about: by the action that takes it back, or does it again.
pub(super) type Kind = Discriminant<Action>;

/// A button on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offer {
    /// Take back what the message is about; what that does, as a sentence.
    Undo(String),
    /// Do again what was taken back; what that does.
    Redo(String),
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

    /// A step was done that can be taken back, or done again, or neither. What was said of an earlier one of its kind is past: points that were hidden
    /// may be seen again.
    pub(super) fn step(&mut self, text: impl Into<String>, kind: Option<Kind>, offer: Option<Offer>) {
        self.withdraw_offer();
        self.toasts.retain(|toast| toast.kind.is_none() || toast.kind != kind);
        self.add(text.into(), Tone::Info);
        if let Some(toast) = self.toasts.back_mut() {
            (toast.kind, toast.offer) = (kind, offer);
        }
    }

    /// What was asked for has been done.
    pub(super) fn withdraw(&mut self, text: &str) {
        self.toasts.retain(|toast| toast.text != text);
    }

    /// There is something newer to take back, or nothing any more.
    pub(super) fn withdraw_offer(&mut self) {
        for toast in &mut self.toasts {
            toast.offer = None;
        }
    }

    fn add(&mut self, text: String, tone: Tone) {
        self.toasts.retain(|toast| toast.text != text);
        self.toasts.push_back(Toast { text, tone, offer: None, kind: None, shown_at: None });
        while self.toasts.len() > MAX {
            self.toasts.pop_front();
        }
    }

    /// Draws them below `top`: what has to be known all the time stands above it.
    pub(super) fn ui(&mut self, ctx: &Context, top: f32, actions: &mut Vec<Action>) {
        let now = ctx.input(|i| i.time);
        let mut next = f64::INFINITY;
        self.toasts.retain_mut(|toast| {
            let lasts = match (toast.tone, &toast.offer) {
                (Tone::Fault, _) => FAULT_SHOWN_S,
                (_, Some(_)) => OFFER_SHOWN_S,
                _ => SHOWN_S,
            };
            let left = *toast.shown_at.get_or_insert(now) + lasts - now;
            next = next.min(left);
            left > 0.0
        });
        if self.toasts.is_empty() {
            return;
        }
        ctx.request_repaint_after(Duration::from_secs_f64(next.clamp(0.05, FAULT_SHOWN_S)));
        let mut closed = None;
        let area = Area::new(Id::unique("toasts")).order(Order::Foreground);
        area.anchor(Align2::CENTER_TOP, vec2(0.0, top + theme::GAP)).show(ctx, |ui| {
            for (i, toast) in self.toasts.iter().enumerate() {
                if card(ui, toast, actions) {
                    closed = Some(i);
                }
                ui.add_space(theme::GAP);
            }
        });
        if let Some(i) = closed {
            self.toasts.remove(i);
        }
    }
}

/// True when the user closes it.
fn card(ui: &mut egui::Ui, toast: &Toast, actions: &mut Vec<Action>) -> bool {
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
                if let Some(offer) = &toast.offer
                    && button(ui, offer)
                {
                    actions.push(match offer {
                        Offer::Undo(_) => Action::Undo,
                        Offer::Redo(_) => Action::Redo,
                    });
                    return true;
                }
                widgets::icon_button(ui, icons::Icon::Close, "Close message").clicked()
            })
            .inner
        })
        .inner
}

/// True when it is pressed.
fn button(ui: &mut egui::Ui, offer: &Offer) -> bool {
    let (word, keys, does) = match offer {
        Offer::Undo(does) => ("Undo", "Ctrl+Z", does),
        Offer::Redo(does) => ("Redo", "Ctrl+Shift+Z", does),
    };
    let button = ui.button(word);
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{word}: {does}")));
    button.on_hover_text(format!("{does} ({keys})")).clicked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeviceId, HideReason};

    #[test]
    fn a_step_takes_the_place_of_the_one_before_of_its_kind() {
        let kind = |action: &Action| Some(std::mem::discriminant(action));
        let hide = kind(&Action::Hide { device: DeviceId(1), fixes: vec![7], reason: Some(HideReason::Outlier) });
        let rename = kind(&Action::Rename(DeviceId(1), String::new()));
        let undo = || Some(Offer::Undo("as before".to_owned()));
        let mut toasts = Toasts::default();
        toasts.info("Copied the identity");
        toasts.step("Hid 1 point", hide, undo());
        toasts.step("It is Van now", rename, undo());
        toasts.step("Hid 2 points", hide, undo());
        let texts = |toasts: &Toasts| toasts.toasts.iter().map(|toast| toast.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&toasts), ["Copied the identity", "It is Van now", "Hid 2 points"]);
        toasts.step("2 points can be seen again", hide, None);
        assert_eq!(texts(&toasts), ["Copied the identity", "It is Van now", "2 points can be seen again"]);
        assert!(toasts.toasts.iter().all(|toast| toast.offer.is_none()), "nothing is left to take back");
    }
}
