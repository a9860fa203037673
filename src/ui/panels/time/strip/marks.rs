//! What stands above, below and behind the lines: alarms, trips and stops, gaps, folds, the cursor.

use egui::{Color32, Painter, Rect, Shape, Stroke, pos2};

use super::Rooms;
use crate::{
    model::DeviceId,
    track::{Leg, Past},
    ui::{Cx, theme::Palette, time::Axis},
};

/// Stripes of what is folded, parked or unknown, in points.
const STRIPE: f32 = 6.0;
/// Alarms that are drawn.
const MOST_TICKS: usize = 2_000;

/// Where a point that is selected is, though the past is not looked at.
pub(super) fn selected_fix(painter: &Painter, cx: &Cx<'_>, axis: &Axis, rooms: &Rooms, p: &Palette) {
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

pub(super) fn cursor(painter: &Painter, cx: &Cx<'_>, axis: &Axis, rect: Rect, p: &Palette) {
    let x = axis.x(cx.view.instant_ms(cx.now)).clamp(rect.left() + 1.0, rect.right() - 1.0);
    let colour = if cx.view.is_live() { p.parked } else { p.accent };
    painter.vline(x, rect.y_range(), Stroke::new(2.0, colour));
    painter.circle_filled(pos2(x, rect.top() + 3.0), 3.5, colour);
}

/// Alarms as ticks; one that is not the main device's is thinner.
pub(super) fn alarms(painter: &Painter, cx: &Cx<'_>, axis: &Axis, room: Rect, main: Option<DeviceId>, p: &Palette) {
    let mut before = f32::NEG_INFINITY;
    for alarm in cx.data.history.alarms.iter().take(MOST_TICKS) {
        let at_ms = alarm.at.as_millisecond();
        let x = axis.x(at_ms);
        if x - before < 1.0 || !axis.shows(at_ms, at_ms) {
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
pub(super) fn legs(painter: &Painter, axis: &Axis, past: &Past, room: Rect, p: &Palette) {
    for leg in past.legs.iter().filter(|leg| axis.shows(leg.from_ms(), leg.to_ms())) {
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
pub(super) fn folds(painter: &Painter, axis: &Axis, plot: Rect, p: &Palette) {
    for part in axis.parts().iter().filter(|part| part.folded) {
        let rect = Rect::from_x_y_ranges(part.left..=part.right, plot.y_range());
        painter.rect_filled(rect, 0.0, p.button);
        hatch(painter, rect, p.parked.gamma_multiply(0.6));
    }
}

/// Slanted lines.
pub(super) fn hatch(painter: &Painter, rect: Rect, color: Color32) {
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
