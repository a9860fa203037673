//! The strip in words: what is under the pointer, why there is no line.

use egui::{Response, Stroke, Ui};

use super::Rooms;
use crate::{
    model::{DeviceId, watch::Kind},
    track::{Aside, Leg, Series},
    ui::{
        Cx, format, notices,
        panels::time::controls::series_title,
        theme,
        time::{Axis, moment},
        view::Units,
    },
};

/// What is under the pointer, in words.
pub(super) fn hover(ui: &Ui, cx: &Cx<'_>, response: &Response, axis: &Axis, rooms: &Rooms, main: Option<DeviceId>) {
    let Some(pointer) = response.hover_pos().filter(|_| !response.context_menu_opened()) else { return };
    let p = theme::palette(ui);
    let ms = axis.ms(pointer.x);
    ui.painter().vline(pointer.x, rooms.plot.y_range(), Stroke::new(1.0, p.weak.gamma_multiply(0.6)));
    let mut lines = vec![cx.view.stamp(moment(ms))];
    let folded = axis.parts().iter().find(|part| part.folded && (part.left..part.right).contains(&pointer.x));
    if let Some(part) = folded {
        lines.push(format!("Nothing moves for {}", format::span((part.to_ms - part.from_ms) / 1_000)));
    } else if let Some(id) = main {
        lines.extend(of_one(cx, id, ms));
    } else {
        lines.extend(of_each(cx, ms));
    }
    if rooms.alarms.expand(3.0).contains(pointer) {
        let near =
            cx.data.history.alarms.iter().filter(|alarm| (axis.x(alarm.at.as_millisecond()) - pointer.x).abs() < 5.0);
        for alarm in near.take(4) {
            lines.push(format!("{}: {}", cx.data.label(alarm.device), event_text(alarm, cx)));
        }
    }
    egui::Tooltip::always_open(ui.ctx().clone(), response.layer_id, response.id, egui::PopupAnchor::Pointer)
        .gap(14.0)
        .show(|ui| {
            for line in &lines {
                ui.label(line);
            }
        });
}

/// What the device that the bar speaks of told then, and what it was about.
fn of_one(cx: &Cx<'_>, id: DeviceId, ms: i64) -> Vec<String> {
    let Some(shown) = cx.data.history.shown.get(&id) else { return Vec::new() };
    let (series, units) = (cx.view.time.series, cx.view.settings.units);
    let strip = if series == Series::Packets { &cx.data.history.packets } else { &shown.strip };
    // In a gap nobody knows.
    let told = strip.value_at(ms).filter(|_| !shown.past.in_gap(ms));
    let value = told.map(|(_, value)| value_text(series, value, units));
    let leg = match shown.past.leg_at(ms) {
        _ if shown.past.in_gap(ms) => Some("No data: a gap".to_owned()),
        Some(Leg::Trip(trip)) => {
            let (way, took) = (format::distance(trip.distance_m, units), format::span(trip.duration_ms() / 1_000));
            Some(format!("Trip of {way} in {took}; double-click selects it"))
        }
        Some(Leg::Stop(stop)) => Some(format!("Stopped for {}", format::span(stop.duration_ms() / 1_000))),
        None => None,
    };
    value.map(|value| format!("{} {value}", series_title(series))).into_iter().chain(leg).collect()
}

/// What the first few of several devices told then.
fn of_each(cx: &Cx<'_>, ms: i64) -> impl Iterator<Item = String> {
    const MOST: usize = 6;
    let (series, units) = (cx.view.time.series, cx.view.settings.units);
    let told = cx.data.history.shown.iter().filter(move |(_, shown)| !shown.past.in_gap(ms));
    let told = told.filter_map(move |(id, shown)| Some((*id, shown.strip.value_at(ms)?.1)));
    told.take(MOST).map(move |(id, value)| format!("{}  {}", cx.data.label(id), value_text(series, value, units)))
}

/// `Entered Yard`, `Alarm sos`.
fn event_text(event: &crate::model::StoredEvent, cx: &Cx<'_>) -> String {
    let title: &str = Kind::parse(&event.kind).map_or(&*event.kind, |kind| kind.title());
    let values = notices::values(&event.kind, &event.attributes, cx.view);
    format!("{title} {values}").trim_end().to_owned()
}

/// Why there is no line.
pub(super) fn nothing(cx: &Cx<'_>, main: Option<DeviceId>) -> &'static str {
    let history = &cx.data.history;
    if history.awaited > 0 {
        "Reading…"
    } else if main.and_then(|id| history.past(id)).is_some_and(|past| !past.points.is_empty()) {
        "It does not tell this"
    } else if cx.view.is_live() && cx.view.selection.device.is_none() {
        "Select a device to see what it told"
    } else {
        "No positions in this span"
    }
}

pub(super) fn value_text(series: Series, value: f32, units: Units) -> String {
    let value = f64::from(value);
    match series {
        Series::Speed => format::speed(value, units),
        Series::Altitude => format::height(value, units),
        Series::Voltage => format!("{value:.1} V"),
        Series::Battery => format!("{:.0} %", value.min(100.0)),
        Series::Satellites => format!("{value:.0}"),
        Series::Packets => format!("{value:.0}/min"),
    }
}

/// Why a point is not part of the way, in words.
pub(in crate::ui::panels::time) fn aside_text(aside: Aside) -> &'static str {
    match aside {
        Aside::Checksum => "suspect: its checksum was wrong",
        Aside::Leap => "an outlier: nothing moves so fast",
        Aside::Hidden(reason) => reason.text(),
    }
}
