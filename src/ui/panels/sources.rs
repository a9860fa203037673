//! The tabs of live picture and captures, at the top of the window; and what has to be known of the capture that is shown.

use egui::{Frame, Margin, Panel, RichText, Ui};

use crate::{
    backend::capture::{CaptureStatus, place_text},
    ui::{Action, Cx, format, icons::Icon, theme, view::Sheet, widgets},
};

/// A tab.
pub(in crate::ui) struct Tab {
    pub id: u64,
    pub name: String,
    pub shown: bool,
    pub live: bool,
    /// Packets that came while it was not shown.
    pub new: u64,
    /// It is still being read: bytes, and all of them.
    pub filling: Option<(u64, u64)>,
}

/// Complaints that are listed under the pointer.
const LISTED: usize = 12;

/// Lays the tabs out.
pub(in crate::ui) fn strip(ui: &mut Ui, tabs: &[Tab], actions: &mut Vec<Action>) {
    if tabs.is_empty() {
        return;
    }
    let p = theme::palette(ui);
    let frame = Frame::new().fill(p.sunken).inner_margin(Margin::symmetric(12, 3));
    Panel::top("sources").frame(frame).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            for tab in tabs {
                one(ui, tab, actions);
            }
        });
    });
}

fn one(ui: &mut Ui, tab: &Tab, actions: &mut Vec<Action>) {
    let mut text = tab.name.clone();
    if tab.new > 0 {
        text = format!("{text} · {} new", format::count(tab.new));
    }
    if let Some((done, all)) = tab.filling {
        let percent = done.saturating_mul(100).checked_div(all).unwrap_or(0).min(100);
        text = format!("{text} · {percent} %");
    }
    let rich = if tab.shown { RichText::new(&text).family(theme::semibold()) } else { RichText::new(&text) };
    if ui.selectable_label(tab.shown, rich).clicked() {
        actions.push(Action::ShowSource(tab.id));
    }
    if !tab.live {
        if widgets::icon_button(ui, Icon::Close, &format!("Close {}", tab.name)).clicked() {
            actions.push(Action::CloseSource(tab.id));
        }
        ui.add_space(6.0);
    }
}

/// What has to be known of the capture that is shown.
pub(super) fn banner(ui: &mut Ui, cx: &mut Cx<'_>, status: &CaptureStatus) {
    let p = theme::palette(ui);
    let (fill, colour) = if status.broken.is_some() { (p.fault, p.alarm) } else { (p.notice, p.late) };
    widgets::banner(ui, Icon::Lock, fill, colour, |ui| {
        ui.label(widgets::strong(ui, format!("Capture, read-only: {} ({})", status.name, status.kind)));
        let packets = format::counted(status.packets, "packet", "packets");
        let connections = format::counted(status.connections, "connection", "connections");
        ui.label(format!("{packets} over {connections}. It goes when its tab is closed; the receivers go on."));
        if ui.button("Replay…").on_hover_text("Send it to a receiver, as the devices did").clicked() {
            cx.ask(Action::Sheet(Some(Sheet::Replay)));
        }
        let remarks = status.remarks();
        if !remarks.is_empty() {
            let said = ui.label(widgets::weak(ui, remarks));
            if !status.complaints.is_empty() {
                said.on_hover_ui(|ui| {
                    for (place, why) in status.complaints.iter().take(LISTED) {
                        ui.label(format!("{}, column {}: {}", place_text(*place), why.column, why.text));
                    }
                });
            }
        }
    });
}
