//! Who a device is: what it is known by, and how much came of it.

use egui::{Label, RichText, Ui};
use serde_json::Value;

use super::{position::packet_link, value};
use crate::{
    model::{DeviceOverview, Protocol},
    ui::{Action, Cx, format, icons::Icon, panels::phone::access::generic_advice, theme, widgets},
};

/// Packets of a device that are looked at for the rule of its identity.
const LOOK_BACK: usize = 8;

pub(super) fn kept(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let device = &overview.device;
    widgets::group_heading(ui, "Identity");
    widgets::pair(ui, identity_label(device.protocol), |ui| {
        let text = RichText::new(device.identity.as_str()).monospace().color(theme::palette(ui).strong);
        let width = (ui.available_width() - theme::ROW - 8.0).max(20.0);
        ui.scope(|ui| {
            ui.set_max_width(width);
            ui.add(Label::new(text).truncate().selectable(true));
        });
        if widgets::icon_button(ui, Icon::Copy, "Copy identity").clicked() {
            cx.ask(Action::Copy(device.identity.to_string(), "the identity"));
        }
    });
    value(ui, "Known by", known_by(cx, overview));
    if device.protocol == Protocol::OwnTracks {
        phone(ui, cx, overview);
    }
    value(ui, "First seen", &cx.view.moment(device.first_seen, cx.now));
    value(ui, "Packets", &format::count(overview.packets));
    value(ui, "Positions", &format::count(overview.positions));
    if overview.lost_frames > 0 {
        widgets::pair(ui, "Lost frames", |ui| {
            let text = RichText::new(format::count(overview.lost_frames)).color(theme::palette(ui).late);
            let about = "It numbered so many that never arrived, by the gaps between serial numbers on one connection";
            ui.add(Label::new(text).truncate()).on_hover_text(about);
        });
    }
    let last = cx.data.packets.iter().rev().find(|packet| packet.device == Some(device.id));
    if let Some(last) = last {
        packet_link(ui, cx, last.id, "Its last packet");
    }
}

fn identity_label(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Gt06 => "IMEI",
        Protocol::OwnTracks => "Name sent",
    }
}

/// Its other names, and what protects it.
fn phone(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let data = cx.data;
    let device = &overview.device;
    if let Some(advice) = generic_advice(&device.identity) {
        ui.add(Label::new(RichText::new(advice).color(theme::palette(ui).late)).wrap());
    }
    let row = data.phones.rows.get(&device.id);
    for name in row.map(|row| row.also.as_slice()).unwrap_or_default() {
        value(ui, "Also called", name.as_str());
    }
    value(ui, "Password", if data.phones.is_guarded(device) { "required" } else { "not required" });
    let has_key = row.is_some_and(|row| row.has_key);
    value(ui, "Encryption", if has_key { "key set" } else { "no key" });
    if let Some(row) = row.filter(|row| row.closed > 0 && data.phones.locked(device).is_none()) {
        value(ui, "Still closed", &format!("{}, another key", format::counted(row.closed, "report", "reports")));
    }
    let sees: Vec<&str> = row.map(|row| row.sees.iter().map(|id| data.label(*id)).collect()).unwrap_or_default();
    if !sees.is_empty() {
        value(ui, "Sees", &sees.join(", "));
    }
}

/// Which rule gave the identity of its last packet; where none is in the list, as its spelling shows.
fn known_by(cx: &Cx<'_>, overview: &DeviceOverview) -> &'static str {
    let device = &overview.device;
    if overview.packets == 0 {
        return "nothing has come yet";
    }
    let said = |packet: &crate::model::PacketRow| {
        let context: Value = serde_json::from_str(packet.context.as_deref()?).ok()?;
        context.get("identity").and_then(Value::as_str).and_then(rule_words)
    };
    let mut packets = cx.data.packets.iter().rev().filter(|packet| packet.device == Some(device.id)).take(LOOK_BACK);
    packets.find_map(said).unwrap_or_else(|| identity_rule(device.protocol, device.identity.as_str()))
}

/// A rule of the contract's order, in words.
fn rule_words(rule: &str) -> Option<&'static str> {
    match rule {
        "topic" => Some("the message's topic"),
        "headers" => Some("headers X-Limit-U and X-Limit-D"),
        "query" => Some("u and d in the address"),
        "basic" => Some("user it signed in as"),
        "tid" => Some("tracker id"),
        _ => None,
    }
}

/// Which rule of the contract's order gave the identity, as its spelling shows.
fn identity_rule(protocol: Protocol, identity: &str) -> &'static str {
    match protocol {
        Protocol::Gt06 => "its login",
        Protocol::OwnTracks if identity.starts_with("owntracks/") => "the message's topic",
        Protocol::OwnTracks if identity.contains('/') => "user and device",
        Protocol::OwnTracks => "tracker id",
    }
}
