//! What is said of the moment that the details are about, where that is not now.

use egui::{Align, Layout, Margin, Ui};

use crate::{
    model::{DeviceId, HideReason, StoredFix},
    track::How,
    ui::{
        Action, Cx, format, theme,
        time::{Act, moment, point},
        widgets,
    },
};

/// The point that is looked at.
pub(super) fn as_of(ui: &mut Ui, cx: &mut Cx<'_>, fix: &StoredFix) {
    let p = theme::palette(ui);
    egui::Frame::new().fill(p.selected_row).corner_radius(4).inner_margin(Margin::symmetric(8, 2)).show(ui, |ui| {
        let at = cx.view.moment(fix.fix.at, cx.now);
        title(ui, cx, fix.device, &format!("As of {at}"));
        // Of the selected one it is its own moment, and it may be beside the way.
        let is_picked = cx.view.selection.fix == Some(fix.id);
        let then = cx.data.history.past(fix.device).filter(|_| !cx.view.is_live() && !is_picked);
        if let Some(there) = then.and_then(|past| past.at(cx.view.instant_ms(cx.now))) {
            let how = match there.how {
                How::Fix => None,
                How::Between => Some("At the cursor: reckoned between two fixes".to_owned()),
                How::Last { age_ms } => {
                    Some(format!("At the cursor: the last fix, {} old", format::span(age_ms / 1_000)))
                }
            };
            if let Some(how) = how {
                ui.label(widgets::weak(ui, how));
            }
        }
        ui.horizontal(|ui| {
            let may = !cx.data.station.viewer;
            let (text, reason) = match point::hidden_because(cx.data, fix) {
                Some(reason) => {
                    ui.label(widgets::weak(ui, format!("This point is {}", reason.text())));
                    ("Show it again", None)
                }
                None => ("Hide this point", Some(HideReason::Hand)),
            };
            let hint = "It stays in the store; out of sight, out of trips and out of exports (H)";
            if ui.add_enabled(may, egui::Link::new(text)).on_hover_text(hint).clicked() {
                cx.ask(Action::Hide { device: fix.device, fixes: vec![fix.id], reason });
            }
        });
    });
    ui.add_space(2.0);
}

/// Nothing is known of that moment, or not yet.
pub(super) fn unknown(ui: &mut Ui, cx: &mut Cx<'_>, device: DeviceId) {
    let p = theme::palette(ui);
    let instant = cx.view.instant_ms(cx.now);
    let known = cx.data.history.past(device).map(|past| past.last_before(instant).is_some());
    egui::Frame::new().fill(p.selected_row).corner_radius(4).inner_margin(Margin::symmetric(8, 2)).show(ui, |ui| {
        let at = cx.view.moment(moment(instant), cx.now);
        title(ui, cx, device, &format!("At {at}"));
        // The past is read from the beginning of the span on.
        let text = match known {
            Some(false) => "Not known then: no position in this span before",
            Some(true) | None => "Reading…",
        };
        ui.label(widgets::weak(ui, text));
    });
    ui.add_space(2.0);
}

fn title(ui: &mut Ui, cx: &mut Cx<'_>, device: DeviceId, text: &str) {
    ui.horizontal(|ui| {
        ui.label(widgets::strong(ui, text));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.link("Show latest").clicked() {
                cx.ask(Action::SelectDevice(Some(device)));
                cx.ask(Action::Time(Act::Live));
            }
        });
    });
}
