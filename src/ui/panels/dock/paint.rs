//! Marks, arrows and cut-off text. What is painted here has no meaning of its own for a screen reader: the row says it.

use egui::{
    Align, Color32, FontId, Pos2, Rect, Sense, Stroke, StrokeKind, TextFormat, TextStyle, Ui, WidgetInfo,
    accesskit::Role,
    pos2,
    text::{LayoutJob, TextWrapping},
    vec2,
};

use crate::{
    model::{Direction, Severity, Verdict},
    ui::theme,
};

/// Space between a cell's text and its neighbour.
pub const GAP: f32 = 8.0;

/// The font of bytes, times and numbers.
pub fn mono(ui: &Ui) -> FontId {
    TextStyle::Monospace.resolve(ui.style())
}

/// The font of words.
pub fn body(ui: &Ui) -> FontId {
    TextStyle::Body.resolve(ui.style())
}

/// The height of a line in list and tree.
pub fn row_height(ui: &Ui) -> f32 {
    (ui.text_style_height(&TextStyle::Body).max(ui.text_style_height(&TextStyle::Monospace)) + 4.0).round()
}

/// The width of a figure in the font of numbers.
pub fn figure_width(ui: &Ui) -> f32 {
    let font = mono(ui);
    ui.fonts_mut(|fonts| fonts.glyph_width(&font, '0'))
}

/// One line of text in a cell, in the middle of its height, cut with an ellipsis where it does not fit. True where it was cut.
pub fn text(ui: &Ui, cell: Rect, text: &str, font: FontId, color: Color32, align: Align) -> bool {
    let mut job = LayoutJob::default();
    job.append(text, 0.0, TextFormat::simple(font, color));
    line(ui, cell, job, align)
}

/// One line of differently coloured text in a cell. True where it was cut.
pub fn line(ui: &Ui, cell: Rect, mut job: LayoutJob, align: Align) -> bool {
    if cell.width() < 4.0 || job.text.is_empty() {
        return !job.text.is_empty();
    }
    job.wrap = TextWrapping { max_width: cell.width(), max_rows: 1, break_anywhere: true, ..TextWrapping::default() };
    let galley = ui.painter().layout_job(job);
    let x = match align {
        Align::Min => cell.left(),
        Align::Center => cell.center().x - galley.size().x / 2.0,
        Align::Max => cell.right() - galley.size().x,
    };
    let y = cell.center().y - galley.size().y / 2.0;
    let cut = galley.elided;
    ui.painter().galley(pos2(x, y), galley, ui.visuals().text_color());
    cut
}

/// A sentence in the middle of the room that is left, broken between words where it does not fit.
pub fn middle(ui: &Ui, text: &str) {
    let room = ui.available_rect_before_wrap().shrink(GAP);
    let color = ui.visuals().weak_text_color();
    let mut job = LayoutJob::simple(text.to_owned(), body(ui), color, room.width());
    job.halign = Align::Center;
    let galley = ui.painter().layout_job(job);
    let at = pos2(room.center().x, (room.center().y - galley.size().y / 2.0).max(room.top()));
    let rect = galley.rect.translate(at.to_vec2());
    let named = ui.interact(rect, ui.scope_id().with(("sentence", text)), Sense::hover());
    named.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().galley(at, galley, color);
}

/// The colour of a verdict; its shape and word say the same.
pub fn verdict_color(ui: &Ui, verdict: Verdict) -> Color32 {
    let palette = theme::palette(ui);
    match verdict {
        Verdict::Ok => palette.parked,
        Verdict::Note => palette.received,
        Verdict::Warn => palette.late,
        Verdict::Error => palette.alarm,
    }
}

/// The colour of a problem.
pub fn severity_color(ui: &Ui, severity: Severity) -> Color32 {
    verdict_color(ui, severity.into())
}

/// A verdict as a shape: dot, ring, triangle, diamond.
pub fn verdict_mark(ui: &Ui, center: Pos2, verdict: Verdict) {
    let painter = ui.painter();
    let color = verdict_color(ui, verdict);
    match verdict {
        Verdict::Ok => {
            painter.circle_filled(center, 2.5, color);
        }
        Verdict::Note => {
            painter.circle_stroke(center, 3.25, Stroke::new(1.5, color));
        }
        Verdict::Warn => {
            let corners = [vec2(0.0, -4.5), vec2(4.75, 3.75), vec2(-4.75, 3.75)];
            painter.add(polygon(center, &corners, color));
        }
        Verdict::Error => {
            let corners = [vec2(0.0, -5.0), vec2(5.0, 0.0), vec2(0.0, 5.0), vec2(-5.0, 0.0)];
            painter.add(polygon(center, &corners, color));
        }
    }
}

fn polygon(center: Pos2, corners: &[egui::Vec2], color: Color32) -> egui::Shape {
    egui::Shape::convex_polygon(corners.iter().map(|c| center + *c).collect(), color, Stroke::NONE)
}

/// The colour of what came in or went out.
pub fn direction_color(ui: &Ui, direction: Direction) -> Color32 {
    let palette = theme::palette(ui);
    match direction {
        Direction::In => palette.received,
        Direction::Out => palette.sent,
    }
}

/// The word for a direction.
pub fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "received",
        Direction::Out => "sent",
    }
}

/// An arrow head: to the right for what came in, to the left for what went out.
pub fn direction_arrow(ui: &Ui, center: Pos2, direction: Direction) {
    let ahead = match direction {
        Direction::In => 1.0,
        Direction::Out => -1.0,
    };
    let stroke = Stroke::new(1.75, direction_color(ui, direction));
    let points = [vec2(-2.0 * ahead, -4.0), vec2(2.5 * ahead, 0.0), vec2(-2.0 * ahead, 4.0)];
    ui.painter().line(points.iter().map(|p| center + *p).collect(), stroke);
}

/// A triangle that points at what is folded away, or down at what is open.
pub fn fold_mark(ui: &Ui, center: Pos2, open: bool) {
    let color = ui.visuals().weak_text_color();
    let corners = if open {
        [vec2(-3.5, -2.0), vec2(3.5, -2.0), vec2(0.0, 2.75)]
    } else {
        [vec2(-2.0, -3.5), vec2(2.75, 0.0), vec2(-2.0, 3.5)]
    };
    ui.painter().add(polygon(center, &corners, color));
}

/// The background of a row that is selected or under the pointer.
pub fn row_background(ui: &Ui, rect: Rect, selected: bool, hovered: bool) {
    let palette = theme::palette(ui);
    if selected {
        ui.painter().rect_filled(rect, 0.0, palette.selected_row);
        ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(2.0, rect.height())), 0.0, palette.accent);
    } else if hovered {
        ui.painter().rect_filled(rect, 0.0, palette.hovered_row);
    }
}

/// A thin frame inside of a rectangle.
pub fn outline(ui: &Ui, rect: Rect, stroke: Stroke) {
    ui.painter().rect_stroke(rect, 2.0, stroke, StrokeKind::Inside);
}

/// Lower panels have one line at their foot instead of two.
const ROOM_FOR_TWO_LINES: f32 = 180.0;

/// Cuts the room that is left into what scrolls and the foot below it.
pub fn with_footer(ui: &Ui) -> (Rect, Rect) {
    let whole = ui.available_rect_before_wrap();
    let lines = if whole.height() < ROOM_FOR_TWO_LINES { 1.0 } else { 2.0 };
    let height = (lines * row_height(ui) + 5.0).min(whole.height() / 2.0);
    (whole.with_max_y(whole.bottom() - height), whole.with_min_y(whole.bottom() - height))
}

/// The lines of the foot, under the line that sets it off; the second only where there is room.
pub fn footer(ui: &Ui, rect: Rect) -> (Rect, Option<Rect>) {
    ui.painter().hline(rect.x_range(), rect.top(), ui.visuals().widgets.noninteractive.bg_stroke);
    let height = row_height(ui);
    let first = Rect::from_min_size(pos2(rect.left() + GAP, rect.top() + 3.0), vec2(rect.width() - 2.0 * GAP, height));
    let second = first.translate(vec2(0.0, height));
    (first, (second.bottom() < rect.bottom() + 3.0).then_some(second))
}
