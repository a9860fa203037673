//! What lies on the map's edges: buttons, scale, coordinates under the pointer, whose map it is.

use std::ops::Range;

use egui::{
    Align, Color32, Frame, Layout, Painter, Rect, Response, RichText, Sense, Shape, Stroke, UiBuilder, Vec2, pos2, vec2,
};

use super::{camera::Screen, lines::Legend, menu, scale};
use crate::ui::view::Units;

/// Distance of everything from the map's edge, in points.
pub(super) const MARGIN: f32 = 8.0;

const BUTTON: Vec2 = Vec2::splat(28.0);

/// Height that all buttons need, those that the menu does not have, and those without which a wheel does as well; in points.
const ALL_BUTTONS: f32 = 6.0 * (BUTTON.y + GAP) + 8.0;
const FEW_BUTTONS: f32 = 4.0 * (BUTTON.y + GAP) + 4.0;

/// Things stand above what covers the map only where so much of it is left, in points.
const LEAST_ABOVE: f32 = 90.0;

/// Distance of things from each other, in points.
pub(super) const GAP: f32 = 4.0;

/// Room beside text, in points.
pub(super) const PILL_PADDING: f32 = 6.0;

/// What a button was clicked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Click {
    ZoomIn,
    ZoomOut,
    FitAll,
    Follow,
    Isolate,
    Measure,
    /// What was measured, to the clipboard.
    CopyMeasured,
    Reload,
}

/// What the edges depend on.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own")]
pub(super) struct State<'a> {
    pub(super) screen: &'a Screen,
    pub(super) units: Units,
    /// A device is followed.
    pub(super) following: bool,
    /// There is a device to follow.
    pub(super) can_follow: bool,
    /// Which devices are shown while others are not, as a sentence.
    pub(super) isolated: Option<&'a str>,
    /// That trails are shorter than is wanted.
    pub(super) cut: Option<&'a str>,
    /// What was measured so far, while something is.
    pub(super) measured: Option<&'a str>,
    /// What lies over the lower left of the map.
    pub(super) covered: Option<Rect>,
    /// There is something measured to be copied.
    pub(super) can_copy: bool,
    /// What the colours of the trails stand for.
    pub(super) legend: Option<&'a Legend>,
    /// Text and address of everyone to be named, the online map's owner first.
    pub(super) credits: &'a [(&'a str, &'a str)],
    /// What to read about the map beside that.
    pub(super) about: &'a str,
    /// There is an online map.
    pub(super) online: bool,
    /// What is wrong with the online map.
    pub(super) problem: Option<&'a str>,
}

/// Draws the edges. Says what was clicked, and what of the map is covered.
pub(super) fn show(ui: &mut egui::Ui, state: &State<'_>) -> (Option<Click>, Vec<Rect>) {
    let inner = state.screen.rect.shrink(MARGIN);
    let mut click = None;
    let mut covered = Vec::new();
    let mut corner = |ui: &mut egui::Ui, room: Rect, layout: Layout, add: &mut dyn FnMut(&mut egui::Ui)| {
        let shown = ui.scope_builder(UiBuilder::new().max_rect(room).layout(layout), |ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(GAP);
            add(ui);
        });
        covered.push(shown.response.rect);
        shown.response.rect
    };
    let right = Layout::bottom_up(Align::Max);
    // What somebody else put over the map hides nothing of this: it stands above that.
    let lid = state.covered.map(|c| c.top() - GAP).filter(|top| top - inner.top() > LEAST_ABOVE);
    let credit = |(text, _): &(&str, &str)| small_width(ui, text) + small_width(ui, "·") + 2.0 * GAP;
    let needed = state.credits.iter().map(credit).sum::<f32>() + 2.0 * PILL_PADDING;
    let reaches = state.covered.is_some_and(|c| c.right() + GAP > inner.right() - needed);
    let right_room = lid.filter(|_| reaches).map_or(inner, |bottom| inner.with_max_y(bottom));
    let reload = state.online && state.problem.is_none();
    let credits_area = corner(ui, right_room, right, &mut |ui| {
        if credits(ui, state, reload, inner.width()) {
            click = Some(Click::Reload);
        }
    });
    let above = Rect::from_min_max(inner.min, pos2(inner.right(), credits_area.top() - 2.0 * GAP));
    let below_menu = above.with_min_y(above.top() + BUTTON.y + GAP);
    corner(ui, below_menu, right, &mut |ui| click = buttons(ui, state, below_menu.height()).or(click));

    // Room is kept for the coordinates while the pointer is elsewhere, so that nothing jumps when it comes.
    let left_width = scale::scale_width(ui);
    let stacked = inner.left() + left_width + GAP > credits_area.left();
    let bottom = if stacked { credits_area.top() - GAP } else { inner.bottom() };
    let bottom = lid.map_or(bottom, |lid| bottom.min(lid));
    let left_room = Rect::from_min_max(inner.min, pos2(inner.right() - BUTTON.x - GAP, bottom));
    let with_place = left_width <= left_room.width();
    let scale_area = corner(ui, left_room, Layout::bottom_up(Align::Min), &mut |ui| {
        scale::scale_and_place(ui, state, with_place);
        if let Some(legend) = state.legend {
            scale::legend(ui, legend);
        }
    });
    let notes = inner.with_max_x(inner.right() - menu::WIDTH - GAP);
    corner(ui, notes, Layout::top_down(Align::Min), &mut |ui| click = self::notes(ui, state).or(click));
    if with_place {
        covered.push(Rect::from_min_size(scale_area.min, vec2(left_width, scale_area.height())));
    }
    (click, covered)
}

/// What is to be said at the top of the map, with what can be done about it.
fn notes(ui: &mut egui::Ui, state: &State<'_>) -> Option<Click> {
    let mut clicked = None;
    let mut note = |ui: &mut egui::Ui, text: &str, buttons: &[(&str, &str, Click)]| {
        pill(ui).show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.label(text);
                for (name, tooltip, click) in buttons {
                    if ui.button(*name).on_hover_text(*tooltip).clicked() {
                        clicked = Some(*click);
                    }
                }
            });
        });
    };
    if let Some(problem) = state.problem {
        note(ui, problem, &[("Reload", "Ask the map server again", Click::Reload)]);
    }
    if let Some(alone) = state.isolated {
        note(ui, alone, &[("Show the others", "Show all devices again (I)", Click::Isolate)]);
    }
    if let Some(cut) = state.cut {
        note(ui, cut, &[]);
    }
    if let Some(measured) = state.measured {
        let copy = ("Copy", "Copy what was measured", Click::CopyMeasured);
        let done = ("Done", "Stop measuring (Esc)", Click::Measure);
        let buttons = [copy, done];
        note(ui, measured, if state.can_copy { &buttons } else { &buttons[1..] });
    }
    clicked
}

/// Something in the row of credits.
#[derive(Debug, Clone, Copy)]
enum Item<'a> {
    Reload,
    Link(&'a str, &'a str),
}

fn credits(ui: &mut egui::Ui, state: &State<'_>, reload: bool, width: f32) -> bool {
    let mut clicked = false;
    let links = state.credits.iter().map(|(text, url)| Item::Link(text, url));
    let items: Vec<Item<'_>> = reload.then_some(Item::Reload).into_iter().chain(links).collect();
    let separator = small_width(ui, "·") + 2.0 * GAP;
    let widths = items.iter().map(|item| match item {
        Item::Reload => small_width(ui, "Reload") + 2.0 * ui.spacing().button_padding.x,
        Item::Link(text, _) => small_width(ui, text),
    });
    let rows = rows(&widths.collect::<Vec<_>>(), separator, width - 2.0 * PILL_PADDING);
    let shown = pill(ui).show(ui, |ui| {
        // From the bottom up, and each row from the right to the left.
        for row in rows.into_iter().rev() {
            ui.horizontal(|ui| {
                ui.spacing_mut().interact_size.y = 0.0;
                for (index, item) in items.get(row).unwrap_or_default().iter().rev().enumerate() {
                    if index > 0 {
                        ui.label(RichText::new("·").small().weak());
                    }
                    match item {
                        Item::Reload => clicked |= ui.add(egui::Button::new(RichText::new("Reload").small())).clicked(),
                        Item::Link(text, "") => drop(ui.label(RichText::new(*text).small())),
                        Item::Link(text, url) => drop(ui.hyperlink_to(RichText::new(*text).small(), *url)),
                    }
                }
            });
        }
    });
    shown.response.on_hover_text(state.about);
    clicked
}

/// Breaks things of these widths into rows no wider than `room`, where one of them is not wider by itself.
fn rows(widths: &[f32], separator: f32, room: f32) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    let mut used = 0.0;
    for (index, width) in widths.iter().enumerate() {
        match rows.last_mut() {
            Some(row) if used + separator + width <= room => {
                row.end = index + 1;
                used += separator + width;
            }
            Some(_) | None => {
                rows.push(index..index + 1);
                used = *width;
            }
        }
    }
    rows
}

pub(super) fn small_width(ui: &egui::Ui, text: &str) -> f32 {
    let font = egui::TextStyle::Small.resolve(ui.style());
    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::WHITE).size().x
}

/// From the bottom up.
fn buttons(ui: &mut egui::Ui, state: &State<'_>, height: f32) -> Option<Click> {
    let follow = if state.following { "Stop following" } else { "Follow the selected device" };
    let isolate =
        if state.isolated.is_some() { "Show the other devices, too" } else { "Show only the selected device" };
    let measure = if state.measured.is_some() { "Stop measuring" } else { "Measure distances" };
    let mut clicked = None;
    let mut button = |ui: &mut egui::Ui, click, name, enabled, on, paint| {
        if tool(ui, name, enabled, on, paint) {
            clicked = Some(click);
        }
    };
    // Where there is no room, the menu has them, too.
    if height >= ALL_BUTTONS {
        button(ui, Click::Measure, measure, true, state.measured.is_some(), ruler);
        let can_isolate = state.can_follow || state.isolated.is_some();
        button(ui, Click::Isolate, isolate, can_isolate, state.isolated.is_some(), alone);
        ui.add_space(2.0);
    }
    button(ui, Click::Follow, follow, state.can_follow || state.following, state.following, cross_hair);
    button(ui, Click::FitAll, "Show all devices", true, false, frame);
    if height < FEW_BUTTONS {
        return clicked;
    }
    ui.add_space(2.0);
    button(ui, Click::ZoomOut, "Zoom out", true, false, minus);
    button(ui, Click::ZoomIn, "Zoom in", true, false, plus);
    clicked
}

/// A square button with a drawn sign, named for those who cannot see it.
pub(super) fn tool(ui: &mut egui::Ui, name: &str, enabled: bool, on: bool, paint: fn(&Painter, Rect, Stroke)) -> bool {
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(BUTTON, sense);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, enabled, on, name));
    let visuals = ui.style().interact_selectable(&response, on);
    let fill = if on { visuals.bg_fill } else { backdrop(ui) };
    let edge = ui.visuals().widgets.noninteractive.bg_stroke;
    ui.painter().rect(rect, 5.0, fill, edge, egui::StrokeKind::Inside);
    if response.hovered() && enabled {
        ui.painter().rect_filled(rect, 5.0, ui.visuals().text_color().gamma_multiply(0.08));
    }
    let color = if enabled { visuals.text_color() } else { ui.visuals().weak_text_color().gamma_multiply(0.6) };
    paint(ui.painter(), Rect::from_center_size(rect.center(), Vec2::splat(12.0)), Stroke::new(1.6, color));
    named(response, name).clicked()
}

fn named(response: Response, name: &str) -> Response {
    response.on_hover_text(name)
}

fn plus(painter: &Painter, rect: Rect, stroke: Stroke) {
    minus(painter, rect, stroke);
    painter.line_segment([rect.center_top(), rect.center_bottom()], stroke);
}

fn minus(painter: &Painter, rect: Rect, stroke: Stroke) {
    painter.line_segment([rect.left_center(), rect.right_center()], stroke);
}

/// A ruler with its marks.
fn ruler(painter: &Painter, rect: Rect, stroke: Stroke) {
    let ruler = Rect::from_center_size(rect.center(), vec2(rect.width() + 2.0, rect.height() * 0.55));
    painter.rect_stroke(ruler, 1.0, stroke, egui::StrokeKind::Middle);
    for part in [0.25, 0.5, 0.75] {
        let top = pos2(ruler.left() + ruler.width() * part, ruler.top());
        painter.line_segment([top, top + vec2(0.0, ruler.height() * 0.5)], Stroke::new(1.2, stroke.color));
    }
}

/// One disc, and others that are only hinted at.
fn alone(painter: &Painter, rect: Rect, stroke: Stroke) {
    painter.circle_filled(rect.center(), 3.4, stroke.color);
    for corner in [rect.left_top(), rect.right_top(), rect.left_bottom(), rect.right_bottom()] {
        painter.circle_stroke(corner, 1.8, Stroke::new(1.0, stroke.color.gamma_multiply(0.6)));
    }
}

/// The four corners of a frame around a dot.
fn frame(painter: &Painter, rect: Rect, stroke: Stroke) {
    let arm = rect.width() * 0.3;
    for (corner, x, y) in [
        (rect.left_top(), arm, arm),
        (rect.right_top(), -arm, arm),
        (rect.right_bottom(), -arm, -arm),
        (rect.left_bottom(), arm, -arm),
    ] {
        painter.add(Shape::line(vec![corner + vec2(x, 0.0), corner, corner + vec2(0.0, y)], stroke));
    }
    painter.circle_filled(rect.center(), 2.0, stroke.color);
}

fn cross_hair(painter: &Painter, rect: Rect, stroke: Stroke) {
    let (middle, radius) = (rect.center(), rect.width() * 0.36);
    painter.circle_stroke(middle, radius, stroke);
    for side in [vec2(1.0, 0.0), vec2(-1.0, 0.0), vec2(0.0, 1.0), vec2(0.0, -1.0)] {
        painter.line_segment([middle + side * (radius - 2.0), middle + side * (radius + 3.5)], stroke);
    }
    painter.circle_filled(middle, 1.5, stroke.color);
}

/// What text on the map stands on.
pub(super) fn backdrop(ui: &egui::Ui) -> Color32 {
    ui.visuals().panel_fill.gamma_multiply(0.88)
}

/// What is drawn over a map that is dimmed.
pub(super) fn veil(ui: &egui::Ui) -> Color32 {
    ui.visuals().panel_fill.gamma_multiply(0.62)
}

pub(super) fn pill(ui: &egui::Ui) -> Frame {
    Frame::new().fill(backdrop(ui)).corner_radius(4.0).inner_margin(vec2(PILL_PADDING, 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_break_into_rows() {
        let lengths = |widths: &[f32], room| rows(widths, 10.0, room).into_iter().map(|r| r.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&[30.0, 100.0, 50.0], 500.0), [3]);
        assert_eq!(lengths(&[30.0, 100.0, 50.0], 150.0), [2, 1]);
        assert_eq!(lengths(&[300.0, 100.0], 150.0), [1, 1]);
        assert_eq!(lengths(&[], 150.0), [0; 0]);
    }
}
