//! The sheet of rules: what besides places is worth an event, for all or for the selected device; who is muted; how the user is called.

use egui::{DragValue, Response, Role, Ui, WidgetInfo};

use super::events;
use crate::{
    model::{DeviceId, watch::Rules as Chosen},
    ui::{Action, Cx, format, theme, view::Units, watch::WatchAction, widgets},
};

/// The sheet, and the rules that are being changed in it.
#[derive(Default)]
pub(super) struct Rules {
    /// Of the selected device, not of all.
    own: bool,
    draft: Option<(Option<DeviceId>, Chosen)>,
}

impl Rules {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(540.0);
        let selected = cx.view.selection.device.filter(|id| cx.data.devices.contains_key(id));
        self.own &= selected.is_some();
        if let Some(device) = selected {
            ui.horizontal(|ui| {
                ui.selectable_value(&mut self.own, false, "All devices");
                ui.selectable_value(&mut self.own, true, cx.data.label(device));
            });
            ui.add_space(theme::GAP);
        }
        let scope = selected.filter(|_| self.own);
        ui.add_enabled_ui(!cx.data.station.viewer, |ui| {
            self.rules(ui, cx, scope);
            ui.add_space(theme::GAP);
            widgets::group_heading(ui, "Mute");
            ui.horizontal_wrapped(|ui| events::mute_buttons(ui, cx, scope));
        });
        ui.label(widgets::weak(ui, "Events of what is muted are listed all the same, as read."));
        if scope.is_none() {
            notices(ui, cx);
        }
        ui.add_space(theme::MARGIN);
        if ui.button("Close").clicked() {
            cx.ask(Action::Sheet(None));
        }
    }

    fn rules(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, scope: Option<DeviceId>) {
        let book = &cx.data.watch.set_up.rules;
        let stored = match scope {
            Some(device) => book.own.get(&device).map(|(rules, _)| *rules),
            None => Some(book.all.0),
        };
        if let Some(device) = scope {
            let mut own = stored.is_some();
            if ui.checkbox(&mut own, "Rules of its own").changed() {
                self.draft = None;
                let rules = own.then_some(book.all.0);
                cx.ask(Action::Watch(WatchAction::Rules(Some(device), rules)));
            }
        }
        let Some(stored) = stored else {
            ui.label(widgets::weak(ui, "The rules for all devices hold."));
            return;
        };
        let mut draft = self.draft.filter(|(of, _)| *of == scope).map_or(stored, |(_, draft)| draft);
        fields(ui, &mut draft, cx.view.settings.units);
        self.draft = (draft != stored).then_some((scope, draft));
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            let save = ui.add_enabled(draft != stored, widgets::primary(ui, None, "Save rules"));
            if save.clicked() {
                cx.ask(Action::Watch(WatchAction::Rules(scope, Some(draft))));
            }
            if draft != stored && ui.button("Discard").clicked() {
                self.draft = None;
            }
        });
    }
}

fn fields(ui: &mut Ui, rules: &mut Chosen, units: Units) {
    ui.checkbox(&mut rules.alarm, "Alarms that the device tells itself");
    ui.horizontal_wrapped(|ui| {
        ui.checkbox(&mut rules.quiet.on, "Gone quiet: not heard for");
        ui.add_enabled_ui(rules.quiet.on, |ui| {
            named(&ui.add(DragValue::new(&mut rules.quiet.rhythms).range(2..=1_000)), "Times its own rhythm");
            ui.label("times its own rhythm, and at least");
            named(
                &ui.add(DragValue::new(&mut rules.quiet.least_min).range(1..=100_000).suffix(" min")),
                "Least minutes",
            );
        });
    });
    ui.horizontal_wrapped(|ui| {
        ui.checkbox(&mut rules.battery.on, "Low battery: below");
        ui.add_enabled_ui(rules.battery.on, |ui| {
            named(&ui.add(DragValue::new(&mut rules.battery.below).range(1..=99).suffix(" %")), "Percent");
        });
    });
    ui.horizontal_wrapped(|ui| {
        ui.checkbox(&mut rules.overspeed.on, "Overspeed: above");
        ui.add_enabled_ui(rules.overspeed.on, |ui| {
            let (unit, of_one) = format::speed_unit(units);
            let mut shown = (rules.overspeed.above_kmh / of_one).round();
            let limit = DragValue::new(&mut shown).range(1.0..=2_000.0).max_decimals(0).suffix(format!(" {unit}"));
            let limit = ui.add(limit);
            named(&limit, "Speed limit");
            // What nobody touched stays as it was, however the units round it.
            if limit.changed() {
                rules.overspeed.above_kmh = shown * of_one;
            }
            ui.label("for at least");
            named(&ui.add(DragValue::new(&mut rules.overspeed.for_s).range(0..=3_600).suffix(" s")), "Least seconds");
        });
    });
}

fn named(response: &Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, name));
}

fn notices(ui: &mut Ui, cx: &mut Cx<'_>) {
    ui.add_space(theme::GAP);
    widgets::group_heading(ui, "On this desktop");
    let mut settings = cx.view.settings.clone();
    ui.checkbox(&mut settings.notify, "Show a notification, a few a minute at most");
    ui.add_enabled_ui(settings.notify, |ui| ui.checkbox(&mut settings.notify_sound, "With the desktop's own sound"));
    if let Some(why) = &cx.data.watch.no_notices {
        ui.label(widgets::weak(ui, why.clone()));
    }
    if settings != cx.view.settings {
        cx.ask(Action::SetSettings(settings));
    }
}
