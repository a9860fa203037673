//! The newest events of the selected device.

use egui::{RichText, Ui};
use serde_json::Value;

use super::{
    readings::{alarm_words, plain, sentence_case},
    section,
};
use crate::{
    model::{StoredEvent, watch::Kind},
    ui::{Action, Cx, notices, theme, widgets},
};

/// Events that are listed.
const EVENTS: usize = 20;

pub(super) fn events(ui: &mut Ui, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    let data = cx.data;
    let live = cx.view.is_live();
    let until = if live { i64::MAX } else { cx.view.instant_ms(cx.now) };
    let mut told = data.events.iter().filter(|event| event.at.as_millisecond() <= until).take(EVENTS).peekable();
    if told.peek().is_none() {
        return;
    }
    section(ui);
    widgets::group_heading(ui, if live { "Events" } else { "Events until then" });
    for event in told {
        let at = cx.view.moment(event.at, cx.now);
        widgets::pair(ui, &at, |ui| {
            let (text, alarm) = watched_text(cx, event).unwrap_or_else(|| event_text(event));
            let link = ui.add(egui::Link::new(RichText::new(text).color(if alarm { p.alarm } else { p.text })));
            if link.on_hover_text("Open the packet that told it").clicked() {
                cx.ask(Action::SelectPacket(event.packet));
            }
        });
    }
}

/// Of what places and rules made: the place, or the values, as in the list of events.
fn watched_text(cx: &Cx<'_>, event: &StoredEvent) -> Option<(String, bool)> {
    let kind = Kind::parse(&event.kind).filter(|kind| *kind != Kind::Alarm)?;
    // One line has no room for all that is known of silence.
    let wanted = kind != Kind::Quiet;
    let values = if wanted { notices::values(&event.kind, &event.attributes, cx.view) } else { String::new() };
    Some((format!("{} {values}", kind.title()).trim_end().to_owned(), kind == Kind::Overspeed))
}

/// An event in words, and whether it is an alarm.
fn event_text(event: &StoredEvent) -> (String, bool) {
    let text = |key: &str| event.attributes.get(key).and_then(Value::as_str);
    match event.kind.as_ref() {
        "alarm" => (text("alarm").map_or_else(|| "Alarm".to_owned(), alarm_words), true),
        "transition" => (transition(&text), false),
        "activity" => (activity(event), false),
        "waypoint" => (format!("Watches {}", text("desc").unwrap_or("a place")), false),
        kind => match text("event").or_else(|| text("desc")) {
            Some(what) => (format!("{}: {what}", sentence_case(kind)), false),
            None => (sentence_case(kind), false),
        },
    }
}

/// `Walking`, `Automotive, stationary`.
fn activity(event: &StoredEvent) -> String {
    match event.attributes.iter().map(|(_, value)| plain(value)).find(|text| !text.is_empty()) {
        Some(what) => sentence_case(&what),
        None => "Activity".to_owned(),
    }
}

/// `Left Home`, `Entered Work`.
fn transition<'a>(text: &dyn Fn(&str) -> Option<&'a str>) -> String {
    let place = text("desc").unwrap_or("a region");
    match text("event") {
        Some("enter") => format!("Entered {place}"),
        Some("leave") => format!("Left {place}"),
        Some(other) => format!("{}: {place}", sentence_case(other)),
        None => format!("Transition: {place}"),
    }
}
