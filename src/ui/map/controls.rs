//! What lies on the map's edges: buttons, scale, coordinates under the pointer, whose map it is.

use egui::{
    Align, Color32, Frame, Layout, Painter, Rect, Response, RichText, Sense, Shape, Stroke, UiBuilder, Vec2, pos2, vec2,
};

use super::camera::{Screen, points};

/// Distance of everything from the map's edge, in points.
const MARGIN: f32 = 8.0;

const BUTTON: Vec2 = Vec2::splat(28.0);

/// The longest scale bar, in points.
const MAX_SCALE: f32 = 110.0;

/// What a button was clicked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Click {
    ZoomIn,
    ZoomOut,
    FitAll,
    Follow,
    Reload,
}

/// What the edges depend on.
pub(super) struct State<'a> {
    pub(super) screen: &'a Screen,
    /// A device is followed.
    pub(super) following: bool,
    /// There is a device to follow.
    pub(super) can_follow: bool,
    /// Text and address of everyone to be named, the online map's owner first.
    pub(super) credits: &'a [(&'a str, &'a str)],
    /// What to read about the map beside that.
    pub(super) about: &'a str,
    /// There is an online map.
    pub(super) online: bool,
    /// What is wrong with the online map.
    pub(super) problem: Option<&'a str>,
}

/// Draws the edges and says what was clicked.
pub(super) fn show(ui: &mut egui::Ui, state: &State<'_>) -> Option<Click> {
    let inner = state.screen.rect.shrink(MARGIN);
    let mut click = None;
    let corner = |ui: &mut egui::Ui, align, add: &mut dyn FnMut(&mut egui::Ui)| {
        let layout = Layout::bottom_up(align);
        ui.scope_builder(UiBuilder::new().max_rect(inner).layout(layout), |ui| {
            ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
            add(ui);
        });
    };
    corner(ui, Align::Max, &mut |ui| {
        if credits(ui, state) {
            click = Some(Click::Reload);
        }
        ui.add_space(4.0);
        click = buttons(ui, state).or(click);
    });
    corner(ui, Align::Min, &mut |ui| scale_and_place(ui, state.screen));
    if let Some(problem) = state.problem {
        ui.scope_builder(UiBuilder::new().max_rect(inner).layout(Layout::top_down(Align::Min)), |ui| {
            pill(ui).show(ui, |ui| ui.small(problem));
        });
    }
    click
}

fn credits(ui: &mut egui::Ui, state: &State<'_>) -> bool {
    let mut reload = false;
    let shown = pill(ui).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 0.0;
            // The row goes from the right to the left.
            for (index, (text, url)) in state.credits.iter().rev().enumerate() {
                if index > 0 {
                    ui.label(RichText::new("·").small().weak());
                }
                ui.hyperlink_to(RichText::new(*text).small(), *url);
            }
            if state.online {
                reload = ui.add(egui::Button::new(RichText::new("Reload").small()).small()).clicked();
            }
        });
    });
    shown.response.on_hover_text(state.about);
    reload
}

/// From the bottom up.
fn buttons(ui: &mut egui::Ui, state: &State<'_>) -> Option<Click> {
    let follow = if state.following { "Stop following" } else { "Follow the selected device" };
    let mut clicked = None;
    let mut button = |ui: &mut egui::Ui, click, name, enabled, on, paint| {
        if tool(ui, name, enabled, on, paint) {
            clicked = Some(click);
        }
    };
    button(ui, Click::Follow, follow, state.can_follow || state.following, state.following, cross_hair);
    button(ui, Click::FitAll, "Show all devices", true, false, frame);
    ui.add_space(2.0);
    button(ui, Click::ZoomOut, "Zoom out", true, false, minus);
    button(ui, Click::ZoomIn, "Zoom in", true, false, plus);
    clicked
}

/// A square button with a drawn sign, named for those who cannot see it.
fn tool(ui: &mut egui::Ui, name: &str, enabled: bool, on: bool, paint: fn(&Painter, Rect, Stroke)) -> bool {
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

fn scale_and_place(ui: &mut egui::Ui, screen: &Screen) {
    let pointer = ui.input(|i| i.pointer.hover_pos()).filter(|p| screen.rect.contains(*p));
    pill(ui).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 0.0;
            scale(ui, screen);
            if let Some(pointer) = pointer {
                let world = screen.world(pointer);
                if (0.0..=1.0).contains(&world.x) && (0.0..=1.0).contains(&world.y) {
                    let place = world.lat_lon();
                    let text = format!("{:.5}, {:.5}", place.lat_deg(), place.lon_deg());
                    ui.label(RichText::new(text).small());
                }
            }
        });
    });
}

/// A bar of a round length, true at the middle of the screen.
fn scale(ui: &mut egui::Ui, screen: &Screen) {
    let metres_per_point = 1.0 / f64::from(screen.points_of_metres(1.0, screen.center)).max(f64::MIN_POSITIVE);
    let length_m = round_length(metres_per_point * f64::from(MAX_SCALE));
    let width = points(length_m / metres_per_point);
    let text = if length_m >= 1_000.0 { format!("{} km", length_m / 1_000.0) } else { format!("{length_m} m") };
    let (rect, _) = ui.allocate_exact_size(vec2(width, 10.0), Sense::hover());
    let stroke = Stroke::new(1.5, ui.visuals().text_color());
    let bottom = rect.bottom() - 2.0;
    ui.painter().add(Shape::line(
        vec![
            pos2(rect.left(), bottom - 5.0),
            pos2(rect.left(), bottom),
            pos2(rect.right(), bottom),
            pos2(rect.right(), bottom - 5.0),
        ],
        stroke,
    ));
    ui.label(RichText::new(text).small());
}

/// The longest of 1, 2, 5, 10, 20, 50, … metres that is no longer than `max_m`.
fn round_length(max_m: f64) -> f64 {
    let power = 10f64.powf(max_m.max(1e-3).log10().floor());
    [5.0, 2.0].into_iter().map(|n| n * power).find(|length| *length <= max_m).unwrap_or(power)
}

/// Where the edges are, about: no label goes there.
pub(super) fn areas(screen: &Screen) -> [Rect; 3] {
    let (left, right) = (screen.rect.left_bottom(), screen.rect.right_bottom());
    [
        Rect::from_two_pos(right, right - vec2(2.0 * MARGIN + BUTTON.x, 180.0)),
        Rect::from_two_pos(right, right - vec2(190.0, 34.0)),
        Rect::from_two_pos(left, left + vec2(260.0, -34.0)),
    ]
}

/// What text on the map stands on.
pub(super) fn backdrop(ui: &egui::Ui) -> Color32 {
    ui.visuals().panel_fill.gamma_multiply(0.88)
}

fn pill(ui: &egui::Ui) -> Frame {
    Frame::new().fill(backdrop(ui)).corner_radius(4.0).inner_margin(egui::Margin::symmetric(6, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_round() {
        for (max_m, length_m) in
            [(1.0, 1.0), (1.9, 1.0), (4.99, 2.0), (5.0, 5.0), (99.0, 50.0), (1_234_567.0, 1_000_000.0)]
        {
            assert!((round_length(max_m) - length_m).abs() < 1e-9, "{max_m} gave {}", round_length(max_m));
        }
    }
}
