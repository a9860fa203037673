//! What the map says in words: labels and tooltips.

use std::sync::Arc;

use egui::{Color32, FontId, Galley, TextFormat, text::LayoutJob};

use super::{TrailPoint, markers::Marker, style::Labels};
use crate::{
    model::{DeviceOverview, Timestamp},
    ui::{
        Cx, format,
        status::{Freshness, Motion},
        view::Units,
        widgets,
    },
};

const LABEL_SIZE: f32 = 12.5;
const SMALL_SIZE: f32 = 11.0;
/// On a wall, labels are so many times as large.
const WALL: f32 = 1.6;

/// The label of a marker, as detailed as the user wants it.
pub(super) fn label(ui: &egui::Ui, cx: &Cx<'_>, marker: &Marker, level: Labels, color: Color32) -> Arc<Galley> {
    let larger = if cx.view.open.is_wall() { WALL } else { 1.0 };
    let format = |size: f32, color: Color32| TextFormat::simple(FontId::proportional(size * larger), color);
    let mut job = LayoutJob::default();
    job.append(&marker.label, 0.0, format(LABEL_SIZE, color));
    let weak = ui.visuals().weak_text_color();
    match level {
        Labels::Off | Labels::Name => {}
        Labels::Speed => {
            if let Some(kmh) = marker.speed_kmh {
                let speed = format::speed(kmh, cx.view.settings.units);
                job.append(&speed, 6.0, format(SMALL_SIZE, weak));
            }
        }
        Labels::Full => {
            job.append(&format!("\n{}", full(cx, marker)), 0.0, format(SMALL_SIZE, weak));
        }
    }
    ui.painter().layout_job(job)
}

/// `42 km/h · 12 s ago`, `late · parked · 14 min ago`; in history `moving · 14:02:31`.
fn full(cx: &Cx<'_>, marker: &Marker) -> String {
    let age = match marker.freshness_at(cx.now) {
        _ if marker.status.imported => Some("imported"),
        Freshness::Fresh => None,
        Freshness::Late => Some("late"),
        Freshness::Stale => Some("stale"),
        Freshness::Lost => Some("lost"),
    };
    let speed = marker.speed_kmh.map(|kmh| format::speed(kmh, cx.view.settings.units));
    let motion = match marker.status.motion {
        Motion::Parked => Some("parked".to_owned()),
        // Between two places that tell no speed.
        Motion::Moving => speed.or_else(|| Some("moving".to_owned())),
        Motion::Unknown => speed,
    };
    // In history the clock of the fix: an age would run on with what is played.
    let live = cx.data.shown.is_none();
    let fix = marker.at.map(|at| if live { format!("{} ago", ago(at, cx.now)) } else { cx.view.moment(at, cx.now) });
    let parts: Vec<String> = age.map(str::to_owned).into_iter().chain(motion).chain(fix).collect();
    parts.join(" · ")
}

/// Wakes the window when a label reads differently.
pub(super) fn wake(ui: &egui::Ui, cx: &Cx<'_>, marker: &Marker, level: Labels) {
    if let Some(at) = marker.at.filter(|_| level == Labels::Full && cx.data.shown.is_none()) {
        widgets::wake_when_older(ui, format::age_s(cx.now, at));
    }
}

/// The tooltip of a device.
pub(super) fn device_lines(marker: &Marker, overview: &DeviceOverview, now: Timestamp, units: Units) -> Vec<String> {
    let status = &marker.status;
    let mut lines = vec![marker.label.clone(), state(marker, now)];
    if let Some(fix) = overview.last_fix.as_ref().map(|f| &f.fix) {
        let speed = fix.speed_kmh.map(|s| format::speed(s, units));
        let course = fix.course_deg.map(format::course);
        let satellites = fix.satellites.map(|n| format!("{n} satellites"));
        let measured: Vec<String> = [speed, course, satellites].into_iter().flatten().collect();
        if !measured.is_empty() {
            lines.push(measured.join(", "));
        }
        lines.push(format!("Fix {} ago", ago(fix.at, now)));
    }
    if status.imported {
        lines.push("Its history was imported; nothing was ever heard of it".to_owned());
    } else if let Some(since) = status.since {
        lines.push(format!("Usually every {}, last {} ago", format::span(status.rhythm.as_secs()), ago(since, now)));
        let [late, old, lost] = status.patience().map(|silence| format::span(silence.as_secs()));
        lines.push(format!("Late after {late} of silence, stale after {old}, lost after {lost}"));
    }
    lines
}

/// `Late, was moving, alarm`.
fn state(marker: &Marker, now: Timestamp) -> String {
    let status = &marker.status;
    let freshness = marker.freshness_at(now);
    let state = match (freshness, status.motion) {
        (Freshness::Fresh, Motion::Moving) => "Moving",
        (Freshness::Fresh, Motion::Parked) => "Parked",
        (Freshness::Fresh, Motion::Unknown) => "Live, speed not told",
        (Freshness::Late, Motion::Unknown) => "Late",
        (Freshness::Late, Motion::Moving) => "Late, was moving",
        (Freshness::Late, Motion::Parked) => "Late, was parked",
        _ if status.imported => "Imported",
        (Freshness::Stale, _) => "Stale",
        (Freshness::Lost, _) => "Lost",
    };
    let mut state = state.to_owned();
    for (doubt, applies) in [("alarm", status.alarm), ("in doubt", status.suspect), ("new", status.new)] {
        if applies {
            state.push_str(", ");
            state.push_str(doubt);
        }
    }
    state
}

/// What is to be heard of a marker beside its name: `Moving, 42 km/h, fix 12 s ago`.
pub(super) fn spoken(marker: &Marker, cx: &Cx<'_>) -> String {
    let speed = marker.speed_kmh.map(|kmh| format::speed(kmh, cx.view.settings.units));
    let age = marker.at.filter(|_| cx.data.shown.is_none()).map(|at| format!("fix {} ago", ago(at, cx.now)));
    let parts: Vec<String> = [state(marker, cx.now)].into_iter().chain(speed).chain(age).collect();
    parts.join(", ")
}

/// The tooltip of a point of a trail.
pub(super) fn point_lines(label: &str, point: &TrailPoint, cx: &Cx<'_>) -> Vec<String> {
    let units = cx.view.settings.units;
    let mut lines =
        vec![label.to_owned(), format!("{}, {} ago", cx.view.moment(point.at, cx.now), ago(point.at, cx.now))];
    let speed = point.speed_kmh.map(|s| format::speed(s.into(), units));
    let altitude = point.altitude_m.map(|m| format!("{} high", format::height(m.into(), units)));
    let battery = point.battery_pct.map(|p| format!("battery {p} %"));
    let told: Vec<String> = [speed, altitude, battery].into_iter().flatten().collect();
    if !told.is_empty() {
        lines.push(told.join(", "));
    }
    lines.extend(point.accuracy_m.map(|m| format!("Within {}", format::height(m.into(), units))));
    if point.rough && point.doubt.is_none() {
        lines.push("No satellites: by cells, or an old place".to_owned());
    }
    lines.extend(point.doubt.map(|doubt| doubt.text(units)));
    lines
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    format::age(format::age_s(now, at))
}
