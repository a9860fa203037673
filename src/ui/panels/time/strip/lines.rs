//! The lines of the strip: a reading over time, column by column, with what it goes from and to.

use egui::{Align2, Color32, FontId, Mesh, Painter, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};

use super::words::{nothing, value_text};
use crate::{
    model::DeviceId,
    track::{Past, Series, Strip},
    ui::{
        Cx,
        theme::Palette,
        time::{Axis, Shown},
        view::Units,
    },
};

/// The lines of all that is shown, the main device's last.
pub(super) fn lines(
    ui: &Ui,
    painter: &Painter,
    cx: &Cx<'_>,
    axis: &Axis,
    plot: Rect,
    main: Option<DeviceId>,
    p: &Palette,
) {
    const MOST_LINES: usize = 12;
    let history = &cx.data.history;
    let series = cx.view.time.series;
    let units = cx.view.settings.units;
    if series == Series::Packets {
        let range = range_of(series, [&history.packets]);
        line(painter, &history.packets, axis, plot, range, Pen { color: p.accent, fill: true }, |_, _| false);
        return scale_text(painter, plot, series, range, units, p);
    }
    let shown: Vec<(&DeviceId, &Shown)> = history.shown.iter().filter(|(_, shown)| !shown.strip.is_empty()).collect();
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
