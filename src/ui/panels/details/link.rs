//! How the link of the device fares: what looks wrong first, then what was measured.

use egui::{
    Align, Button, CollapsingHeader, Label, Rect, RichText, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::{section, value};
use crate::{
    model::{DeviceId, Verdict},
    track::link::{Link, Series},
    ui::{Cx, panels::dock::paint, theme, widgets},
};

/// Height of a line over time.
const SPARK: f32 = 26.0;

fn known<'a>(cx: &Cx<'a>, device: DeviceId) -> Option<&'a Link> {
    let known = cx.data.talk.link.as_ref().filter(|(of, link)| *of == device && link.packets > 0);
    known.map(|(_, link)| link)
}

/// What looks wrong, in one line for the top; nothing where nothing does. True when the section was asked for, which is far below.
pub(super) fn warning(ui: &mut Ui, cx: &Cx<'_>, device: DeviceId) -> bool {
    let symptoms = known(cx, device).map(Link::symptoms).unwrap_or_default();
    let Some(first) = symptoms.first() else { return false };
    let also = if symptoms.len() > 1 { format!(", and {} more", symptoms.len() - 1) } else { String::new() };
    ui.horizontal(|ui| {
        let (_, mark) = ui.allocate_space(vec2(12.0, 12.0));
        paint::verdict_mark(ui, mark.center(), Verdict::Warn);
        let text = RichText::new(format!("Link: {}{also}", first.seen)).color(theme::palette(ui).late);
        let line = ui.add(Button::new(text).frame(false).truncate());
        line.on_hover_text(format!("Looks like {}", first.looks_like)).clicked()
    })
    .inner
}

/// Nothing, until it is known. Comes into view where it was `asked_for`.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, device: DeviceId, asked_for: bool) {
    let Some(link) = known(cx, device) else { return };
    section(ui);
    let p = theme::palette(ui);
    let heading = widgets::group_heading(ui, "Link");
    if asked_for {
        heading.scroll_to_me(Some(Align::TOP));
    }
    heading.on_hover_text("Over the last 24 hours in which it was heard");
    let symptoms = link.symptoms();
    for symptom in &symptoms {
        ui.horizontal(|ui| {
            let (_, mark) = ui.allocate_space(vec2(12.0, 12.0));
            paint::verdict_mark(ui, mark.center(), Verdict::Warn);
            let text = RichText::new(sentence_case(&symptom.seen)).color(p.late);
            ui.add(Label::new(text).wrap());
        });
        let about = format!("Looks like {}: {}.", symptom.looks_like, symptom.advice);
        ui.add(Label::new(widgets::weak(ui, about)).wrap());
        ui.add_space(2.0);
    }
    if symptoms.is_empty() {
        ui.label(widgets::weak(ui, "Nothing looks wrong."));
    }
    let title = format!("What was measured of {}", crate::ui::format::counted(link.packets, "packet", "packets"));
    CollapsingHeader::new(title).id_salt(("link", device)).default_open(symptoms.is_empty()).show(ui, |ui| {
        measured(ui, link);
    });
}

fn measured(ui: &mut Ui, link: &Link) {
    for (label, text) in link.lines() {
        value(ui, label, &text);
        let series = match label {
            "Signal" => &link.signal,
            "Voltage" => &link.volts,
            _ => continue,
        };
        spark(ui, series, &format!("{label} over time: {text}"));
    }
    if link.cut {
        ui.label(widgets::weak(ui, "Only the newest packets were looked at."));
    }
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A value over time as a line.
fn spark(ui: &mut Ui, series: &Series, name: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), SPARK), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let p = theme::palette(ui);
    ui.painter().rect_filled(rect, 3.0, p.sunken);
    let points = line(series, rect.shrink(4.0));
    match points.as_slice() {
        [] => {}
        [only] => {
            ui.painter().circle_filled(*only, 2.0, p.received);
        }
        _ => {
            ui.painter().add(Shape::line(points, Stroke::new(1.25, p.received)));
        }
    }
    response.on_hover_text(name);
}

/// A line within a rectangle: as many points as it is wide, the last value of each.
fn line(series: &Series, rect: Rect) -> Vec<egui::Pos2> {
    let Some(((from, _), (to, _))) = series.first().zip(series.last()) else { return Vec::new() };
    let least = series.iter().map(|(_, value)| *value).fold(f32::INFINITY, f32::min);
    let most = series.iter().map(|(_, value)| *value).fold(f32::NEG_INFINITY, f32::max);
    #[expect(clippy::cast_precision_loss, reason = "a place within some hundred pixels")]
    let part = |at: i64| (at - from) as f32 / (to - from).max(1) as f32;
    let height = |value: f32| if most > least { (value - least) / (most - least) } else { 0.5 };
    let mut points: Vec<egui::Pos2> = Vec::new();
    for (at, value) in series {
        let x = (rect.left() + part(*at) * rect.width()).round();
        let point = pos2(x, rect.bottom() - height(*value) * rect.height());
        match points.last_mut().filter(|before| before.x >= x) {
            Some(before) => *before = point,
            None => points.push(point),
        }
    }
    points
}
