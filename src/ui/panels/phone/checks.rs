//! What has arrived of a phone, line by line, and what to change where something failed.

use egui::{Color32, Label, RichText, TextStyle, Ui, WidgetInfo, accesskit::Role, vec2};

use crate::{
    backend::phones::{CheckState, CheckStep, Checked, PhoneChecklist},
    model::DeviceId,
    ui::{
        Action, Cx,
        icons::{self, Icon},
        panels::commands::sentence_case,
        theme, widgets,
    },
};

/// The list, and others that called.
pub(super) fn list(ui: &mut Ui, cx: &mut Cx<'_>, device: DeviceId, checklist: &PhoneChecklist) {
    for step in &checklist.steps {
        line(ui, cx, device, step);
    }
    if checklist.strangers.is_empty() {
        return;
    }
    ui.add_space(2.0);
    ui.label(widgets::weak(ui, "Others that called, newest first. Perhaps the phone says another name:"));
    for (name, at) in &checklist.strangers {
        ui.horizontal(|ui| {
            let text = RichText::new(name.as_str()).monospace().color(theme::palette(ui).strong);
            ui.add(Label::new(text).truncate());
            let age = widgets::age(ui, cx.now, *at);
            ui.label(widgets::weak(ui, format!("{age} ago")));
            let may = !cx.data.station.viewer;
            let button = ui.add_enabled(may, egui::Button::new("It is this phone"));
            if button.on_hover_text("Attach that name, and everything that came under it").clicked() {
                cx.ask(Action::Alias(device, name.clone(), true));
            }
        });
    }
}

fn line(ui: &mut Ui, cx: &mut Cx<'_>, device: DeviceId, step: &CheckStep) {
    let p = theme::palette(ui);
    let (icon, colour): (Icon, Color32) = match &step.state {
        CheckState::Waiting(_) => (Icon::Clock, p.weak),
        CheckState::Done { .. } => (Icon::Check, p.parked),
        CheckState::Failed { .. } => (Icon::Warning, p.alarm),
        CheckState::NotNeeded(_) => (Icon::Right, p.weak),
    };
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), egui::Sense::hover());
        icons::paint(ui.painter(), rect, icon, colour);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            let (head, told) = words(cx, step);
            let strong = matches!(step.state, CheckState::Done { .. } | CheckState::Failed { .. });
            let title = RichText::new(&head).color(if strong { p.strong } else { p.weak });
            let label = ui.label(title);
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{head}. {told}")));
            if let CheckState::Failed { why, cure, .. } = &step.state {
                ui.add(Label::new(RichText::new(sentence_case(why)).color(p.alarm)).wrap());
                ui.add(Label::new(RichText::new(format!("{cure}.")).color(p.text)).wrap());
                if step.what == Checked::Encryption && ui.link("Set key…").clicked() {
                    cx.ask(Action::OpenProfile(device));
                }
            } else if !told.is_empty() {
                ui.add(Label::new(widgets::weak(ui, told).text_style(TextStyle::Small)).wrap());
            }
        });
    });
}

/// `First position at 14:02:31`, and what is told of it.
fn words(cx: &Cx<'_>, step: &CheckStep) -> (String, String) {
    let title = step.what.title();
    let at = |at| format!("{title} at {}", cx.view.moment(at, cx.now));
    match &step.state {
        // Its time says it already.
        CheckState::Done { at: done, .. } if step.what == Checked::FirstPosition => (at(*done), String::new()),
        CheckState::Done { at: done, text } => (at(*done), sentence_case(text)),
        CheckState::Failed { at: failed, why, cure } => (at(*failed), format!("{}. {cure}.", sentence_case(why))),
        CheckState::Waiting(text) | CheckState::NotNeeded(text) => (title.to_owned(), sentence_case(text)),
    }
}
