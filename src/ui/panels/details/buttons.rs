//! What can be done with the selected device, and what became of the last commands.

use egui::{Label, RichText, Ui};

use super::section;
use crate::{
    model::{DeviceId, DeviceOverview},
    ui::{
        Action, Cx, format,
        icons::Icon,
        panels::{commands::receipts, profile},
        theme, widgets,
    },
};

/// Commands whose receipts are listed; the rest stands in their sheet.
const COMMANDS: usize = 3;

pub(super) fn decision(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let text = format!(
        "A new sender. All that it sent is kept ({}); adopt it to make that its history.",
        format::counted(overview.positions, "position", "positions"),
    );
    ui.label(widgets::weak(ui, text));
    ui.add_enabled_ui(!cx.data.station.viewer, |ui| {
        ui.horizontal(|ui| {
            if ui.add(widgets::primary(ui, Some(Icon::Plus), "Adopt")).clicked() {
                cx.ask(Action::Adopt(overview.device.id));
            }
            if ui.button("Ignore").clicked() {
                cx.ask(Action::Ignore(overview.device.id));
            }
        });
    });
}

pub(super) fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let id = overview.device.id;
    ui.horizontal(|ui| {
        let followed = cx.view.follow == Some(id);
        let follow = widgets::labelled(Icon::Follow, if followed { "Following" } else { "Follow" }).selected(followed);
        if ui.add(follow).on_hover_text("Keep it in the middle of the map (F)").clicked() {
            cx.ask(Action::Follow((!followed).then_some(id)));
        }
        if ui.add(widgets::labelled(Icon::Fit, "Fit")).on_hover_text("Show it and its trail (Z)").clicked() {
            cx.ask(Action::FitDevice(id));
        }
        if ui.add(widgets::labelled(Icon::Export, "Export…")).on_hover_text("Write its history to a file").clicked() {
            cx.ask(Action::OpenExport(Some(id)));
        }
    });
}

/// Reports that nobody can read, loudly, and what mends it.
pub(super) fn locked(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let id = overview.device.id;
    let Some(row) = cx.data.phones.locked(&overview.device) else { return };
    let p = theme::palette(ui);
    egui::Frame::new().fill(p.fault).corner_radius(5).inner_margin(10).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let reports = format::counted(row.closed, "report", "reports");
        ui.horizontal(|ui| {
            crate::ui::icons::show(ui, Icon::Lock, p.alarm);
            ui.label(RichText::new(format!("{reports} cannot be read")).color(p.alarm).strong());
        });
        let why = if row.has_key {
            "They are encrypted with another key than the one set here."
        } else {
            "This phone encrypts, and its key is not known here."
        };
        ui.add(
            Label::new(
                RichText::new(format!("{why} They are kept, and opened when the right key is set.")).color(p.text),
            )
            .wrap(),
        );
        if let Some(at) = row.last_closed {
            ui.label(widgets::weak(ui, format!("The last came at {}", cx.view.moment(at, cx.now))));
        }
        let may = !cx.data.station.viewer;
        if ui.add_enabled(may, widgets::primary(ui, Some(Icon::Lock), "Set key…")).clicked() {
            cx.ask(Action::OpenProfile(id));
        }
    });
    ui.add_space(theme::GAP);
}

/// What only a phone can be asked or told.
pub(super) fn phone_buttons(ui: &mut Ui, cx: &mut Cx<'_>, id: DeviceId) {
    ui.horizontal_wrapped(|ui| {
        if ui
            .add(widgets::labelled(Icon::Phone, "Set up…"))
            .on_hover_text("QR code, settings, and what has arrived")
            .clicked()
        {
            cx.ask(Action::OpenPhone(id));
        }
        if ui
            .add(widgets::labelled(Icon::Send, "Commands…"))
            .on_hover_text("Ask it, or tell it what to do (C)")
            .clicked()
        {
            cx.ask(Action::OpenCommands(id));
        }
        if ui.add(widgets::labelled(Icon::Lock, "Profile…")).on_hover_text("Its names, password and key").clicked() {
            cx.ask(Action::OpenProfile(id));
        }
    });
}

/// What only a tracker can be asked or told.
pub(super) fn tracker_buttons(ui: &mut Ui, cx: &mut Cx<'_>, id: DeviceId) {
    ui.horizontal(|ui| {
        let commands = widgets::labelled(Icon::Send, "Commands…");
        if ui.add(commands).on_hover_text("Ask it, or tell it what to do (C)").clicked() {
            cx.ask(Action::OpenCommands(id));
        }
        let profile = widgets::labelled(Icon::Tracker, "Profile…");
        if ui.add(profile).on_hover_text("Model, clock, and whatever its frames do not say").clicked() {
            cx.ask(Action::OpenProfile(id));
        }
    });
}

/// The last commands with their receipts, and whether its packets are being read again.
pub(super) fn commands(ui: &mut Ui, cx: &mut Cx<'_>, device: DeviceId) {
    let remote = &cx.data.remote;
    if let Some(reread) = remote.rereads.get(&device) {
        section(ui);
        profile::progress(ui, reread);
    }
    let mut sent = remote.commands.iter().filter(|command| command.device == device).take(COMMANDS).peekable();
    if sent.peek().is_some() {
        section(ui);
        widgets::group_heading(ui, "Commands");
        receipts::list(ui, cx, sent);
    }
}
