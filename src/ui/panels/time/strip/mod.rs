//! The strip chart: a reading over time, trips and stops below it, alarms above it, gaps hatched, and the cursor.

mod hand;
mod lines;
mod marks;
mod words;

use egui::{Align2, FontId, Rect, Sense, Stroke, Ui, pos2};

use self::marks::{alarms, cursor, folds, hatch, legs, selected_fix};
pub(super) use self::words::aside_text;
use super::{axis, scale};
use crate::{
    model::DeviceId,
    track::Point,
    ui::{Cx, theme},
};

/// Room for alarms, for legs, for the scale.
const ALARMS: f32 = 9.0;
const LEGS: f32 = 6.0;
const SCALE: f32 = 15.0;
/// Between marks of the scale, in points.
const APART: f32 = 84.0;

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
        lines::lines(ui, &painter, cx, &axis, rooms.plot, main, p);
        alarms(&painter, cx, &axis, rooms.alarms, main, p);
        for mark in scale::marks(&axis, &cx.view.zone(), APART) {
            let top = if mark.midnight { rooms.plot.top() } else { rooms.legs.bottom() - 3.0 };
            painter.vline(mark.x, top..=rooms.scale.top() + 2.0, Stroke::new(1.0, p.line));
            let at = pos2(mark.x + 3.0, rooms.scale.center().y);
            let text = painter.layout_no_wrap(mark.text, FontId::proportional(10.5), p.weak);
            let room = Align2::LEFT_CENTER.anchor_size(at, text.size());
            // Half a time says nothing.
            if room.right() <= rect.right() {
                painter.galley(room.min, text, p.weak);
            }
        }
        painter.hline(rect.x_range(), rooms.scale.top(), Stroke::new(1.0, p.line));
        selected_fix(&painter, cx, &axis, &rooms, p);
        cursor(&painter, cx, &axis, rect, p);
        if response.has_focus() {
            painter.rect_stroke(rect, 0.0, Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
        }
        words::hover(ui, cx, &response, &axis, &rooms, main);
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
}
