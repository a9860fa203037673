//! What stands above, below and behind the lines: alarms, trips and stops, gaps, folds, the cursor.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2};

use super::Rooms;
use crate::{
    model::{DeviceId, watch::Kind},
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

/// Events, each kind by a shape of its own, alarms above all others; one that is not the main device's is weaker.
pub(super) fn alarms(painter: &Painter, cx: &Cx<'_>, axis: &Axis, room: Rect, main: Option<DeviceId>, p: &Palette) {
    let events = || cx.data.history.alarms.iter().take(MOST_TICKS);
    for urgent in [false, true] {
        // Two in one place are one.
        let mut before: Vec<(Option<Kind>, f32)> = Vec::new();
        for event in events() {
            let (at_ms, kind) = (event.at.as_millisecond(), Kind::parse(&event.kind));
            let x = axis.x(at_ms);
            let last = before.iter_mut().find(|(other, _)| *other == kind);
            if is_urgent(kind) != urgent
                || !axis.shows(at_ms, at_ms)
                || last.as_ref().is_some_and(|(_, last)| x - *last < 1.0)
            {
                continue;
            }
            match last {
                Some((_, last)) => *last = x,
                None => before.push((kind, x)),
            }
            let own = main.is_none_or(|main| main == event.device);
            let colour = colour(kind, p);
            tick(painter, pos2(x, room.center().y), kind, if own { colour } else { colour.gamma_multiply(0.4) });
        }
    }
}

fn is_urgent(kind: Option<Kind>) -> bool {
    matches!(kind, Some(Kind::Alarm | Kind::Overspeed) | None)
}

/// As in the list of events.
fn colour(kind: Option<Kind>, p: &Palette) -> Color32 {
    match kind {
        Some(Kind::Alarm | Kind::Overspeed) | None => p.alarm,
        Some(Kind::LowBattery | Kind::Quiet) => p.late,
        Some(Kind::Enter | Kind::Leave | Kind::Dwell) => p.accent,
    }
}

/// What stands for a kind of event, around the middle of its room.
fn tick(painter: &Painter, middle: Pos2, kind: Option<Kind>, colour: Color32) {
    const HALF: f32 = 3.2;
    let filled = |points: &[(f32, f32)]| {
        let points = points.iter().map(|(x, y)| middle + HALF * vec2(*x, *y)).collect();
        painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
    };
    match kind {
        // Down, as it always was.
        Some(Kind::Alarm) | None => filled(&[(-0.9, -1.2), (0.9, -1.2), (0.0, 1.3)]),
        Some(Kind::Overspeed) => filled(&[(0.0, -1.2), (1.0, 0.0), (0.0, 1.2), (-1.0, 0.0)]),
        // Into a place, out of it, and in it all the while.
        Some(Kind::Enter) => filled(&[(-0.9, -1.0), (0.9, 0.0), (-0.9, 1.0)]),
        Some(Kind::Leave) => filled(&[(0.9, -1.0), (0.9, 1.0), (-0.9, 0.0)]),
        Some(Kind::Dwell) => filled(&[(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)]),
        Some(Kind::Quiet) => drop(painter.circle_stroke(middle, 0.9 * HALF, Stroke::new(1.3, colour))),
        Some(Kind::LowBattery) => filled(&[(-1.2, 0.1), (1.2, 0.1), (1.2, 1.0), (-1.2, 1.0)]),
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
