//! What the pointer does on the strip: looks at an instant, marks a stretch, goes nearer and farther, asks about a fix.

use egui::{PointerButton, Rect, Response, Sense, Ui, Vec2, WidgetInfo};

use super::StripChart;
use crate::{
    model::{DeviceId, HideReason},
    track::Point,
    ui::{
        Action, Cx, command,
        panels::time::{push, trips},
        time::{Act, Axis, moment},
    },
};

/// Pointer distance within which a fix is meant, in points.
const REACH: f32 = 8.0;
/// Points of the wheel that halve what is looked at.
const WHEEL_POINTS: f32 = 100.0;

impl StripChart {
    /// What the pointer does.
    pub(super) fn sense(&mut self, ui: &Ui, cx: &mut Cx<'_>, rect: Rect, axis: &Axis) -> Response {
        let response = ui.interact(rect, ui.scope_id().with("time-strip"), Sense::click_and_drag());
        let instant = cx.view.instant_ms(cx.now);
        response.widget_info(|| {
            let text = format!("Time bar, {}", cx.view.stamp(moment(instant)));
            #[expect(clippy::cast_precision_loss, reason = "for a screen reader")]
            WidgetInfo::slider(true, instant as f64, text)
        });
        if response.has_focus() {
            command::leaves_space(ui, response.id);
        }
        wheel(ui, cx, &response, axis);
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
        if response.dragged_by(PointerButton::Middle) {
            push(cx, Act::Pan(ms_of_points(axis, pointer.x, response.drag_delta().x)));
        } else if response.dragged() {
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
}

/// Up goes nearer to what is under the pointer, down farther, sideways earlier or later.
fn wheel(ui: &Ui, cx: &mut Cx<'_>, response: &Response, axis: &Axis) {
    let Some(pointer) = response.hover_pos().filter(|_| response.contains_pointer()) else { return };
    let (scroll, pinch) = ui.input(|i| (i.smooth_scroll_delta, i.zoom_delta()));
    let nearer = (scroll.y / WHEEL_POINTS).exp2() * pinch;
    if (nearer - 1.0).abs() > f32::EPSILON {
        push(cx, Act::Zoom { about_ms: axis.ms(pointer.x), times: 1.0 / f64::from(nearer.max(0.01)) });
    }
    if scroll.x != 0.0 {
        push(cx, Act::Pan(ms_of_points(axis, pointer.x, scroll.x)));
    }
    if scroll != Vec2::ZERO {
        // Nothing around the bar scrolls as well.
        ui.input_mut(|i| i.smooth_scroll_delta = Vec2::ZERO);
    }
}

/// How much later it is that comes to a place of the bar when what is there is moved so far to the right; earlier where that is negative.
fn ms_of_points(axis: &Axis, x: f32, moved: f32) -> i64 {
    axis.ms(x - moved) - axis.ms(x)
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
        let places = trips::around(past, &leg);
        push(cx, Act::Range(Some((leg.from_ms(), leg.to_ms()))));
        trips::look_at(cx, device, places);
    }
}
