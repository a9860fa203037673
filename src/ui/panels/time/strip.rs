//! The strip chart: a reading over time, trips and stops below it, alarms above it, gaps hatched, and the cursor.

use egui::{
    Align2, Color32, FontId, Mesh, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::{axis, controls::series_title, push, scale};
use crate::{
    model::{DeviceId, HideReason},
    track::{Aside, Leg, Past, Point, Series, Strip},
    ui::{
        Action, Cx, format,
        theme::{self, Palette},
        time::{Act, Axis, Shown, moment},
        view::Units,
    },
};

/// Room for alarms, for legs, for the scale.
const ALARMS: f32 = 9.0;
const LEGS: f32 = 6.0;
const SCALE: f32 = 15.0;
/// Pointer distance within which a fix is meant, in points.
const REACH: f32 = 8.0;
/// Between marks of the scale, in points.
const APART: f32 = 84.0;
/// Stripes of what is folded, parked or unknown, in points.
const STRIPE: f32 = 6.0;
/// Alarms that are drawn.
const MOST_TICKS: usize = 2_000;

/// The chart, and what is being dragged on it.
#[derive(Default)]
pub(super) struct StripChart {
    /// Where a range began that is being marked.
    marking: Option<i64>,
    /// The point whose menu is open.
    menu: Option<(DeviceId, Point)>,
}

/// The parts of the room.
struct Rooms {
    alarms: Rect,
    plot: Rect,
    legs: Rect,
    scale: Rect,
}

impl Rooms {
    fn of(rect: Rect) -> Self {
        let (alarms, below) = rect.split_top_bottom_at_y(rect.top() + ALARMS);
        let (charts, scale) = below.split_top_bottom_at_y(rect.bottom() - SCALE);
        let (plot, legs) = charts.split_top_bottom_at_y(charts.bottom() - LEGS);
        Self { alarms, plot, legs, scale }
    }
}

impl StripChart {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) {
        let p = theme::palette(ui);
        let rooms = Rooms::of(rect);
        let axis = axis(cx, rect);
        let response = self.sense(ui, cx, rect, &axis);
        let painter = ui.painter().with_clip_rect(rect);
        painter.rect_filled(rooms.plot.union(rooms.legs), 0.0, p.sunken);

        let main = cx.data.history.main(cx.view.selection.device);
        folds(&painter, &axis, rooms.plot, p);
        if let Some((from, to)) = cx.view.time.range {
            let marked = Rect::from_x_y_ranges(axis.x(from)..=axis.x(to), rect.y_range());
            painter.rect_filled(marked, 0.0, p.accent.gamma_multiply(0.16));
        }
        if let Some(past) = main.and_then(|id| cx.data.history.past(id)) {
            for (from, to) in &past.gaps {
                let gap = Rect::from_x_y_ranges(axis.x(*from)..=axis.x(*to), rooms.plot.y_range());
                hatch(&painter, gap, p.weak.gamma_multiply(0.35));
            }
            legs(&painter, &axis, past, rooms.legs, p);
        }
        Self::lines(ui, &painter, cx, &axis, rooms.plot, main, p);
        alarms(&painter, cx, &axis, rooms.alarms, main, p);
        for mark in scale::marks(&axis, &cx.view.zone(), APART) {
            let top = if mark.midnight { rooms.plot.top() } else { rooms.legs.bottom() - 3.0 };
            painter.vline(mark.x, top..=rooms.scale.top() + 2.0, Stroke::new(1.0, p.line));
            let at = pos2(mark.x + 3.0, rooms.scale.center().y);
            painter.text(at, Align2::LEFT_CENTER, mark.text, FontId::proportional(10.5), p.weak);
        }
        painter.hline(rect.x_range(), rooms.scale.top(), Stroke::new(1.0, p.line));
        selected_fix(&painter, cx, &axis, &rooms, p);
        cursor(&painter, cx, &axis, rect, p);
        if response.has_focus() {
            painter.rect_stroke(rect, 0.0, Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
        }
        Self::hover(ui, cx, &response, &axis, &rooms, main);
    }

    /// The collapsed bar's line.
    pub(super) fn thin(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let p = theme::palette(ui);
        let (rect, _) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
        let axis = axis(cx, rect);
        self.sense(ui, cx, rect, &axis);
        let painter = ui.painter().with_clip_rect(rect);
        let line = Rect::from_x_y_ranges(rect.x_range(), rect.center().y - 3.0..=rect.center().y + 3.0);
        painter.rect_filled(line, 3.0, p.sunken);
        painter.rect_stroke(line, 3.0, Stroke::new(1.0, p.line), egui::StrokeKind::Inside);
        if let Some(past) = cx.data.history.main(cx.view.selection.device).and_then(|id| cx.data.history.past(id)) {
            legs(&painter, &axis, past, line, p);
        }
        cursor(&painter, cx, &axis, rect, p);
    }

    /// What the pointer does.
    fn sense(&mut self, ui: &Ui, cx: &mut Cx<'_>, rect: Rect, axis: &Axis) -> Response {
        let response = ui.interact(rect, ui.scope_id().with("time-strip"), Sense::click_and_drag());
        let instant = cx.view.instant_ms(cx.now);
        response.widget_info(|| {
            let text = format!("Time bar, {}", cx.view.stamp(moment(instant)));
            #[expect(clippy::cast_precision_loss, reason = "for a screen reader")]
            WidgetInfo::slider(true, instant as f64, text)
        });
        let Some(pointer) = response.interact_pointer_pos() else {
            self.marking = None;
            return response;
        };
        let ms = axis.ms(pointer.x);
        let shift = ui.input(|i| i.modifiers.shift);
        if response.drag_started() {
            let pressed = ui.input(|i| i.pointer.press_origin()).map_or(ms, |pos| axis.ms(pos.x));
            self.marking = shift.then_some(pressed);
        }
        if response.dragged() {
            match self.marking {
                Some(from) => push(cx, Act::Range(Some((from, ms)))),
                None if ms != instant => push(cx, Act::At(ms)),
                None => {}
            }
        }
        if response.drag_stopped() {
            self.marking = None;
        }
        if response.double_clicked() {
            select_trip(cx, ms);
        } else if response.clicked() && !shift {
            response.request_focus();
            push(cx, Act::At(ms));
            if let Some((device, point)) = near(cx, axis, pointer.x) {
                cx.ask(Action::SelectFix { device, fix: point.fix, packet: point.packet });
            }
        }
        if response.secondary_clicked() {
            self.menu = near(cx, axis, pointer.x);
        }
        response.context_menu(|ui| self.menu(ui, cx));
        response
    }

    /// What can be done with the fix under the pointer.
    fn menu(&self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let may = !cx.data.station.viewer;
        if let Some((device, point)) = self.menu {
            let name = cx.data.label(device).to_owned();
            let at = cx.view.clock(moment(point.at_ms));
            ui.label(format!("{name} at {at}"));
            if ui.button("Show its bytes").clicked() {
                cx.ask(Action::SelectFix { device, fix: point.fix, packet: point.packet });
                ui.close();
            }
            let hide = egui::Button::new("Hide this point");
            if ui
                .add_enabled(may, hide)
                .on_hover_text("It stays in the store, out of sight and out of exports")
                .clicked()
            {
                cx.ask(Action::Hide { device, fixes: vec![point.fix], reason: Some(HideReason::Hand) });
                ui.close();
            }
        } else {
            ui.label("No fix here");
        }
        if let Some((from, to)) = cx.view.time.range
            && ui.button("Look at the marked part only").clicked()
        {
            push(cx, Act::Span(crate::ui::time::Span::Fixed { from_ms: from, to_ms: to }));
            ui.close();
        }
    }

    /// The lines of all that is shown, the main device's last.
    fn lines(ui: &Ui, painter: &Painter, cx: &Cx<'_>, axis: &Axis, plot: Rect, main: Option<DeviceId>, p: &Palette) {
        const MOST_LINES: usize = 12;
        let history = &cx.data.history;
        let series = cx.view.time.series;
        let units = cx.view.settings.units;
        if series == Series::Packets {
            let range = range_of(series, [&history.packets]);
            line(painter, &history.packets, axis, plot, range, Pen { color: p.accent, fill: true }, |_, _| false);
            return scale_text(painter, plot, series, range, units, p);
        }
        let shown: Vec<(&DeviceId, &Shown)> =
            history.shown.iter().filter(|(_, shown)| !shown.strip.is_empty()).collect();
        let range = range_of(series, shown.iter().map(|(_, shown)| &shown.strip));
        // Beside a device that was selected, others are drawn only where they were picked.
        let alone = main.is_some() && cx.view.time.picked.is_empty();
        let others = shown.iter().filter(|(id, _)| Some(**id) != main && !alone).take(MOST_LINES);
        for (_, shown) in others {
            let pen = Pen { color: p.weak.gamma_multiply(if main.is_some() { 0.35 } else { 0.8 }), fill: false };
            line(painter, &shown.strip, axis, plot, range, pen, |from, to| crosses_gap(&shown.past, from, to));
        }
        if let Some(shown) = main.and_then(|id| history.shown.get(&id)) {
            let pen = Pen { color: p.accent, fill: true };
            line(painter, &shown.strip, axis, plot, range, pen, |from, to| crosses_gap(&shown.past, from, to));
        }
        if shown.is_empty() {
            let text = nothing(cx, main);
            let font = egui::TextStyle::Body.resolve(ui.style());
            painter.text(plot.center(), Align2::CENTER_CENTER, text, font, p.weak);
        } else {
            scale_text(painter, plot, series, range, units, p);
        }
    }

    /// What is under the pointer, in words.
    fn hover(ui: &Ui, cx: &Cx<'_>, response: &Response, axis: &Axis, rooms: &Rooms, main: Option<DeviceId>) {
        let Some(pointer) = response.hover_pos().filter(|_| !response.context_menu_opened()) else { return };
        let p = theme::palette(ui);
        let ms = axis.ms(pointer.x);
        ui.painter().vline(pointer.x, rooms.plot.y_range(), Stroke::new(1.0, p.weak.gamma_multiply(0.6)));
        let units = cx.view.settings.units;
        let mut lines = vec![cx.view.stamp(moment(ms))];
        let folded = axis.parts().iter().find(|part| part.folded && (part.left..part.right).contains(&pointer.x));
        if let Some(part) = folded {
            lines.push(format!("Nothing moves for {}", format::span((part.to_ms - part.from_ms) / 1_000)));
        } else if let Some((id, past)) = main.and_then(|id| Some((id, cx.data.history.past(id)?))) {
            let series = cx.view.time.series;
            let strip = if series == Series::Packets { Some(&cx.data.history.packets) } else { None };
            let strip = strip.or_else(|| cx.data.history.shown.get(&id).map(|shown| &shown.strip));
            // In a gap nobody knows.
            let value = strip.filter(|_| !past.in_gap(ms)).and_then(|strip| strip.value_at(ms));
            if let Some((_, value)) = value {
                lines.push(format!("{} {}", series_title(series), value_text(series, value, units)));
            }
            match past.leg_at(ms) {
                _ if past.in_gap(ms) => lines.push("No data: a gap".to_owned()),
                Some(Leg::Trip(trip)) => {
                    let (way, took) =
                        (format::distance(trip.distance_m, units), format::span(trip.duration_ms() / 1_000));
                    lines.push(format!("Trip of {way} in {took}; double-click selects it"));
                }
                Some(Leg::Stop(stop)) => {
                    lines.push(format!("Stopped for {}", format::span(stop.duration_ms() / 1_000)));
                }
                None => {}
            }
        }
        if rooms.alarms.expand(3.0).contains(pointer) {
            let near = cx
                .data
                .history
                .alarms
                .iter()
                .filter(|alarm| (axis.x(alarm.at.as_millisecond()) - pointer.x).abs() < 5.0);
            for alarm in near.take(4) {
                lines.push(format!("{}: {}", cx.data.label(alarm.device), alarm_text(alarm)));
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
}

fn alarm_text(event: &crate::model::StoredEvent) -> String {
    let named = event.attributes.get("alarm").and_then(|alarm| alarm.as_str());
    named.unwrap_or(&event.kind).to_owned()
}

/// Why there is no line.
fn nothing(cx: &Cx<'_>, main: Option<DeviceId>) -> &'static str {
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

/// The fix nearest to a place of the bar: of the main device, else of any.
fn near(cx: &Cx<'_>, axis: &Axis, x: f32) -> Option<(DeviceId, Point)> {
    let history = &cx.data.history;
    let main = history.main(cx.view.selection.device);
    let pasts = history.shown.iter().filter(|(id, _)| main.is_none_or(|main| main == **id));
    let near = pasts.filter_map(|(id, shown)| Some((*id, *shown.past.nearest(axis.ms(x))?.1)));
    let distance = |point: &Point| (axis.x(point.at_ms) - x).abs();
    near.filter(|(_, point)| distance(point) <= REACH).min_by(|a, b| distance(&a.1).total_cmp(&distance(&b.1)))
}

/// Marks the trip of an instant and shows it on the map.
fn select_trip(cx: &mut Cx<'_>, ms: i64) {
    let history = &cx.data.history;
    let main = history.main(cx.view.selection.device);
    let pasts = history.shown.iter().filter(|(id, _)| main.is_none_or(|main| main == **id));
    let mut pasts = pasts;
    let found = pasts.find_map(|(id, shown)| Some((*id, *shown.past.leg_at(ms)?, &shown.past)));
    if let Some((device, leg, past)) = found {
        let places = super::trips::around(past, &leg);
        push(cx, Act::Range(Some((leg.from_ms(), leg.to_ms()))));
        super::trips::look_at(cx, device, places);
    }
}

/// Where a point that is selected is, though the past is not looked at.
fn selected_fix(painter: &Painter, cx: &Cx<'_>, axis: &Axis, rooms: &Rooms, p: &Palette) {
    let Some(wanted) = cx.view.selection.fix else { return };
    let Some(opened) = &cx.data.opened else { return };
    let Some(fix) = opened.fixes.iter().find(|fix| fix.id == wanted) else { return };
    let ms = fix.fix.at.as_millisecond();
    let (from, to) = cx.view.span_ms(cx.now);
    if (from..=to).contains(&ms) {
        let x = axis.x(ms);
        let top = rooms.plot.top();
        painter.add(Shape::convex_polygon(
            vec![pos2(x - 4.0, top - 6.0), pos2(x + 4.0, top - 6.0), pos2(x, top)],
            p.accent,
            Stroke::NONE,
        ));
    }
}

fn cursor(painter: &Painter, cx: &Cx<'_>, axis: &Axis, rect: Rect, p: &Palette) {
    let x = axis.x(cx.view.instant_ms(cx.now)).clamp(rect.left() + 1.0, rect.right() - 1.0);
    let colour = if cx.view.is_live() { p.parked } else { p.accent };
    painter.vline(x, rect.y_range(), Stroke::new(2.0, colour));
    painter.circle_filled(pos2(x, rect.top() + 3.0), 3.5, colour);
}

/// Alarms as ticks; one that is not the main device's is thinner.
fn alarms(painter: &Painter, cx: &Cx<'_>, axis: &Axis, room: Rect, main: Option<DeviceId>, p: &Palette) {
    let mut before = f32::NEG_INFINITY;
    for alarm in cx.data.history.alarms.iter().take(MOST_TICKS) {
        let x = axis.x(alarm.at.as_millisecond());
        if x - before < 1.0 {
            continue;
        }
        before = x;
        let own = main.is_none_or(|main| main == alarm.device);
        let colour = if own { p.alarm } else { p.alarm.gamma_multiply(0.4) };
        let (top, bottom) = (room.top() + 1.0, room.bottom());
        let points = vec![pos2(x - 2.5, top), pos2(x + 2.5, top), pos2(x, bottom)];
        painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
    }
}

/// Trips as bars, stops as stripes.
fn legs(painter: &Painter, axis: &Axis, past: &Past, room: Rect, p: &Palette) {
    for leg in &past.legs {
        let (left, right) = (axis.x(leg.from_ms()), axis.x(leg.to_ms()));
        let rect = Rect::from_x_y_ranges(left..=right.max(left + 1.0), room.top() + 1.0..=room.bottom() - 1.0);
        match leg {
            Leg::Trip(_) => {
                painter.rect_filled(rect, 0.0, p.moving);
            }
            Leg::Stop(_) => hatch(painter, rect, p.parked.gamma_multiply(0.8)),
        }
    }
}

/// Rest that is folded away.
fn folds(painter: &Painter, axis: &Axis, plot: Rect, p: &Palette) {
    for part in axis.parts().iter().filter(|part| part.folded) {
        let rect = Rect::from_x_y_ranges(part.left..=part.right, plot.y_range());
        painter.rect_filled(rect, 0.0, p.button);
        hatch(painter, rect, p.parked.gamma_multiply(0.6));
    }
}

/// Slanted lines.
fn hatch(painter: &Painter, rect: Rect, color: Color32) {
    let clip = rect.intersect(painter.clip_rect());
    if clip.width() <= 0.0 {
        return;
    }
    let inside = painter.with_clip_rect(clip);
    // From a grid of the window, so that neighbours fit together.
    let mut x = (clip.left() / STRIPE).floor() * STRIPE - rect.height();
    let stroke = Stroke::new(1.2, color);
    while x < clip.right() {
        inside.line_segment([pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top())], stroke);
        x += STRIPE;
    }
}

/// How a line is drawn.
#[derive(Clone, Copy)]
struct Pen {
    color: Color32,
    fill: bool,
}

/// The least and the greatest value of the plot.
type Range = (f32, f32);

fn range_of<'a>(series: Series, strips: impl IntoIterator<Item = &'a Strip>) -> Range {
    let extremes = strips.into_iter().filter_map(Strip::extremes);
    let (least, greatest) = extremes.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), column| {
        (low.min(column.least), high.max(column.greatest))
    });
    if least > greatest {
        return (0.0, 1.0);
    }
    match series {
        Series::Speed | Series::Packets | Series::Satellites => (0.0, greatest.max(10.0) * 1.08),
        Series::Battery => (0.0, 104.0),
        Series::Altitude => padded(least, greatest, 10.0),
        Series::Voltage => padded(least, greatest, 0.5),
    }
}

fn padded(least: f32, greatest: f32, by: f32) -> Range {
    let room = ((greatest - least) * 0.1).max(by);
    (least - room, greatest + room)
}

/// One line, column by column; what is between two samples with a gap between them stays empty.
fn line(
    painter: &Painter,
    strip: &Strip,
    axis: &Axis,
    plot: Rect,
    (low, high): Range,
    pen: Pen,
    gap: impl Fn(i64, i64) -> bool,
) {
    let y = |value: f32| plot.bottom() - (value - low) / (high - low).max(f32::EPSILON) * plot.height();
    let floor = y(low.max(0.0).min(high));
    let mut run: Vec<Pos2> = Vec::new();
    let mut fill = Mesh::default();
    let mut before: Option<i64> = None;
    for part in axis.parts() {
        if part.folded {
            end_run(painter, &mut run, pen);
            before = None;
            continue;
        }
        let mut left = part.left;
        while left < part.right {
            let right = (left + 1.0).min(part.right);
            let (from, to) = (axis.ms(left), axis.ms(right).max(axis.ms(left) + 1));
            if let Some(column) = strip.column(from, to) {
                let x = f32::midpoint(left, right);
                if before.is_some_and(|at| gap(at, from)) {
                    end_run(painter, &mut run, pen);
                    before = None;
                }
                if pen.fill {
                    let color = pen.color.gamma_multiply(0.22);
                    let start = before.map_or(x - 0.5, |_| run.last().map_or(x - 0.5, |last| last.x));
                    let start_y = run.last().map_or(y(column.greatest), |last| last.y);
                    quad(
                        &mut fill,
                        [pos2(start, start_y), pos2(x, y(column.greatest)), pos2(x, floor), pos2(start, floor)],
                        color,
                    );
                }
                run.push(pos2(x, y(column.greatest)));
                if column.greatest - column.least > 0.0 {
                    run.push(pos2(x, y(column.least)));
                    run.push(pos2(x, y(column.last)));
                }
                before = Some(from);
            }
            left = right;
        }
    }
    painter.add(Shape::mesh(fill));
    end_run(painter, &mut run, pen);
}

fn end_run(painter: &Painter, run: &mut Vec<Pos2>, pen: Pen) {
    let run = std::mem::take(run);
    match run.as_slice() {
        [] => {}
        [one] => {
            painter.circle_filled(*one, 1.3, pen.color);
        }
        _ => {
            painter.add(Shape::line(run, Stroke::new(1.3, pen.color)));
        }
    }
}

fn quad(mesh: &mut Mesh, corners: [Pos2; 4], color: Color32) {
    let Ok(first) = u32::try_from(mesh.vertices.len()) else { return };
    for corner in corners {
        mesh.colored_vertex(corner, color);
    }
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first, first + 2, first + 3);
}

/// A gap lies between two instants.
fn crosses_gap(past: &Past, from_ms: i64, to_ms: i64) -> bool {
    let after = past.gaps.partition_point(|(_, to)| *to <= from_ms);
    past.gaps.get(after).is_some_and(|(gap_from, _)| *gap_from < to_ms)
}

/// The greatest value of the plot, and the least where that is not nought.
fn scale_text(painter: &Painter, plot: Rect, series: Series, (low, high): Range, units: Units, p: &Palette) {
    let font = FontId::proportional(10.5);
    let backdrop = p.sunken.gamma_multiply(0.8);
    let say = |value: f32, at: Pos2, align: Align2| {
        let galley = painter.layout_no_wrap(value_text(series, value, units), font.clone(), p.weak);
        let rect = align.anchor_size(at, galley.size());
        painter.rect_filled(rect.expand2(vec2(2.0, 0.0)), 2.0, backdrop);
        painter.galley(rect.min, galley, p.weak);
    };
    say(high, plot.left_top() + vec2(3.0, 1.0), Align2::LEFT_TOP);
    if low.abs() > f32::EPSILON {
        say(low, plot.left_bottom() + vec2(3.0, -1.0), Align2::LEFT_BOTTOM);
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
pub(super) fn aside_text(aside: Aside) -> &'static str {
    match aside {
        Aside::Checksum => "suspect: its checksum was wrong",
        Aside::Leap => "an outlier: nothing moves so fast",
        Aside::Hidden(reason) => reason.text(),
    }
}
