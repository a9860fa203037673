//! A position: where, how fast, when, and why it may be wrong.

use egui::{Label, RichText, Ui};

use crate::{
    model::{PacketId, StoredFix, Trust},
    ui::{Action, Cx, format, icons::Icon, map::Doubt, panels::gone, theme, widgets},
};

use super::value;

/// A speed below this is standing still: its course says nothing.
const STANDING_KMH: f64 = 1.0;

pub(super) fn position(ui: &mut Ui, cx: &mut Cx<'_>, stored: &StoredFix) {
    let units = cx.view.settings.units;
    let fix = &stored.fix;
    let p = theme::palette(ui);
    widgets::pair(ui, "Place", |ui| {
        let text = format::place(fix.place);
        ui.add(Label::new(widgets::strong(ui, &text)).truncate().selectable(true));
        if widgets::icon_button(ui, Icon::Copy, "Copy place").clicked() {
            cx.ask(Action::Copy(text, "the place"));
        }
    });
    if let Some(kmh) = fix.speed_kmh {
        value(ui, "Speed", &format::speed(kmh, units));
    }
    if let Some(deg) = fix.course_deg {
        let standing = fix.speed_kmh.is_some_and(|v| v < STANDING_KMH);
        widgets::pair(ui, "Course", |ui| {
            let text = format!("{} {}", format::course(deg), format::wind(deg));
            ui.label(if standing { widgets::weak(ui, text) } else { widgets::strong(ui, text) });
        });
    }
    if let Some(m) = fix.altitude_m {
        value(ui, "Altitude", &format::height(m, units));
    }
    if let Some(m) = fix.accuracy_m {
        value(ui, "Accuracy", &format!("± {}", format::height(m, units)));
    }
    if let Some(n) = fix.satellites {
        value(ui, "Satellites", &n.to_string());
    }
    widgets::pair(ui, "Measured", |ui| {
        let text = format!("{} {}", cx.view.moment(fix.at, cx.now), cx.view.zone_name(fix.at));
        ui.add(Label::new(widgets::strong(ui, text)).truncate()).on_hover_text(cx.view.stamp(fix.at));
    });
    let delay_s = stored.received.as_second() - fix.at.as_second();
    if delay_s.abs() > 5 {
        widgets::pair(ui, "Received", |ui| {
            let (text, colour) = if delay_s > 0 {
                (format!("{} later", format::span(delay_s)), p.text)
            } else {
                (format!("{} earlier", format::span(-delay_s)), p.late)
            };
            ui.add(Label::new(RichText::new(text).color(colour)).truncate())
                .on_hover_text(cx.view.stamp(stored.received));
        });
    }
    let leap = cx.data.trails.get(&stored.device).and_then(|trail| trail.doubt_of(stored.id));
    if let Some(Doubt::Leap { .. }) = leap {
        let text = leap.map(|leap| leap.text(units)).unwrap_or_default();
        ui.add(Label::new(RichText::new(text).color(p.suspect)).wrap());
    }
    if let Some(doubt) = doubt(stored) {
        let colour = match stored.trust {
            Trust::Good => p.late,
            Trust::Suspect => p.suspect,
        };
        ui.label(RichText::new(doubt).color(colour));
    }
    match (cx.data.gone, &cx.data.origin) {
        (_, Some((packet, origin))) if *packet == stored.packet => {
            ui.add(Label::new(widgets::weak(ui, format!("Imported from {origin}"))).wrap());
        }
        (Some((packet, removal)), _) if packet == stored.packet => {
            ui.label(widgets::weak(ui, gone(removal, cx.view)));
        }
        _ if stored.packet.import().is_some() => packet_link(ui, cx, stored.packet, "Where it was imported from"),
        _ => packet_link(ui, cx, stored.packet, "Open its packet"),
    }
}

/// Why a position may be wrong. Under a wrong checksum none counts as valid, whatever the satellites said.
fn doubt(stored: &StoredFix) -> Option<&'static str> {
    match (stored.trust, stored.fix.valid) {
        (Trust::Suspect, _) => Some("Suspect: its checksum was wrong"),
        (Trust::Good, false) => Some("No satellite fix: the last known place, or an estimate"),
        (Trust::Good, true) => None,
    }
}

pub(super) fn packet_link(ui: &mut Ui, cx: &mut Cx<'_>, packet: PacketId, text: &str) {
    let link = ui.link(text).on_hover_text("Open its bytes");
    if link.clicked() {
        cx.ask(Action::SelectPacket(packet));
        if !cx.view.open.dock {
            cx.ask(Action::ToggleDock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeviceId, Readings};

    #[test]
    fn a_wrong_checksum_says_nothing_about_satellites() {
        let at = crate::model::Timestamp::UNIX_EPOCH;
        let fix = crate::model::Fix {
            at,
            place: crate::geo::LatLon::new(51.0, 4.0).unwrap(),
            valid: false,
            altitude_m: None,
            speed_kmh: None,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        let (readings, packet) = (Readings::new(), PacketId(1));
        let stored =
            StoredFix { id: 1, device: DeviceId(1), fix, received: at, trust: Trust::Suspect, readings, packet };
        assert_eq!(doubt(&stored), Some("Suspect: its checksum was wrong"));
        let good = StoredFix { trust: Trust::Good, ..stored };
        assert_eq!(doubt(&good), Some("No satellite fix: the last known place, or an estimate"));
    }
}
