//! The pen: draws circles and polygons on the map, and moves the corners of those that are there.

use egui::{CursorIcon, Key, Modifiers, Pos2, Rect, Sense, Stroke, Vec2, vec2};

use super::{
    camera::Screen,
    controls,
    places::{Border, colour_of},
};
use crate::{
    geo::{LatLon, fence, mercator::World},
    model::watch::{Place, PlaceId},
    ui::{
        Action, Cx, format, theme,
        watch::{Draw, WatchAction},
    },
};

/// Half the side of a handle, in points.
const HANDLE: f32 = 6.0;

/// What the pen is at.
pub(super) enum Pen {
    /// From the middle to the border, where the button is down.
    Circle(Option<(World, World)>),
    Polygon(Vec<World>),
    Reshape(Box<Reshape>),
}

/// A place whose outline is changed.
pub(super) struct Reshape {
    place: Place,
    shape: fence::Shape,
    /// The handle in the hand.
    held: Option<usize>,
}

impl Pen {
    pub(super) fn new(draw: Draw) -> Self {
        match draw {
            Draw::Circle => Self::Circle(None),
            Draw::Polygon => Self::Polygon(Vec::new()),
        }
    }

    pub(super) fn on(place: &Place) -> Self {
        Self::Reshape(Box::new(Reshape { shape: place.spec.shape.clone(), place: place.clone(), held: None }))
    }

    /// A drag draws a circle.
    pub(super) fn holds_drag(&self) -> bool {
        matches!(self, Self::Circle(_))
    }

    /// The place whose outline is changed.
    pub(super) fn place(&self) -> Option<PlaceId> {
        match self {
            Self::Reshape(reshape) => Some(reshape.place.id),
            Self::Circle(_) | Self::Polygon(_) => None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut egui::Ui, screen: &Screen, map: &egui::Response, cx: &mut Cx<'_>) {
        if map.contains_pointer() && self.place().is_none() {
            ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
        }
        let (done, hint) = match self {
            Self::Circle(drag) => circle(ui, screen, map, drag, cx),
            Self::Polygon(corners) => polygon(ui, screen, map, corners),
            Self::Reshape(reshape) => reshape.ui(ui, screen, map, cx),
        };
        let can_end = match self {
            Self::Polygon(corners) => Some(corners.len() > 2).map(|can| (can, "Done")),
            Self::Reshape(_) => Some((true, "Done")),
            Self::Circle(_) => None,
        };
        let ended = hint_bar(ui, screen, &hint, can_end, cx);
        let shape = match (&*self, done || ended) {
            (_, false) => return,
            (Self::Circle(drag), true) => drag.and_then(circle_of),
            (Self::Polygon(corners), true) => Some(polygon_of(corners)),
            (Self::Reshape(reshape), true) => {
                let spec =
                    crate::model::watch::PlaceSpec { shape: reshape.shape.clone(), ..reshape.place.spec.clone() };
                if spec.shape != reshape.place.spec.shape && spec.fault().is_none() {
                    cx.ask(Action::Watch(WatchAction::Put { id: Some(reshape.place.id), since: None, spec }));
                }
                cx.ask(Action::Watch(WatchAction::PutPenDown));
                return;
            }
        };
        match shape.filter(|shape| shape.fault().is_none()) {
            Some(shape) => cx.ask(Action::Watch(WatchAction::Drawn(shape))),
            // A click that went nowhere: from the beginning.
            None => {
                if let Self::Circle(drag) = self {
                    *drag = None;
                }
            }
        }
    }
}

fn circle_of((middle, border): (World, World)) -> Option<fence::Shape> {
    let (center, border) = (middle.lat_lon(), border.lat_lon());
    let radius_m = center.distance_m(border);
    (radius_m >= fence::Shape::LEAST_RADIUS_M).then_some(fence::Shape::Circle { center, radius_m })
}

fn polygon_of(corners: &[World]) -> fence::Shape {
    fence::Shape::Polygon { corners: corners.iter().map(|corner| corner.lat_lon()).collect() }
}

/// True when the button was let go.
fn circle(
    ui: &egui::Ui,
    screen: &Screen,
    map: &egui::Response,
    drag: &mut Option<(World, World)>,
    cx: &Cx<'_>,
) -> (bool, String) {
    let (origin, pointer) = ui.input(|i| (i.pointer.press_origin(), i.pointer.interact_pos()));
    if let (true, Some(origin), Some(pointer)) = (map.dragged(), origin, pointer) {
        *drag = Some((screen.world(origin), screen.world(pointer)));
    }
    let hint = "Press at the middle and drag to the border".to_owned();
    let Some((middle, border)) = *drag else { return (false, hint) };
    let Some(shape) = circle_of((middle, border)) else { return (map.drag_stopped(), hint) };
    let accent = ui.visuals().selection.stroke.color;
    let on_map = ui.painter().with_clip_rect(screen.rect);
    Border::of(&shape).paint(&on_map, screen, accent, 2.0);
    on_map.circle_filled(screen.pos(middle), 3.0, accent);
    on_map.line_segment([screen.pos(middle), screen.pos(border)], Stroke::new(1.0, accent));
    let fence::Shape::Circle { radius_m, .. } = shape else { return (false, hint) };
    (map.drag_stopped(), format!("Radius {}", format::distance(radius_m, cx.view.settings.units)))
}

/// True when a double click or Enter ended it.
fn polygon(ui: &mut egui::Ui, screen: &Screen, map: &egui::Response, corners: &mut Vec<World>) -> (bool, String) {
    let pointer = ui.input(|i| i.pointer.interact_pos());
    if let (true, Some(pointer)) = (map.clicked(), pointer) {
        let corner = screen.world(pointer);
        let far = |last: &World| screen.pos(*last).distance(pointer) > 3.0;
        // The second click of a double one is at the same corner.
        if corners.last().is_none_or(far) && corners.len() < fence::Shape::MOST_CORNERS {
            corners.push(corner);
        }
    }
    let typing = ui.ctx().text_edit_focused();
    let (enter, back) = ui.input_mut(|i| {
        let mut pressed = |key| !typing && i.consume_key(Modifiers::NONE, key);
        (pressed(Key::Enter), pressed(Key::Backspace))
    });
    if back {
        corners.pop();
    }
    let accent = ui.visuals().selection.stroke.color;
    let on_map = ui.painter().with_clip_rect(screen.rect);
    let mut line: Vec<Pos2> = corners.iter().map(|corner| screen.pos(*corner)).collect();
    for corner in &line {
        on_map.circle_filled(*corner, 3.5, accent);
    }
    if let Some(pointer) = ui.input(|i| i.pointer.hover_pos()).filter(|p| screen.rect.contains(*p)) {
        line.push(pointer);
    }
    if line.len() > 1 {
        on_map.add(egui::Shape::closed_line(line, Stroke::new(2.0, accent)));
    }
    let hint = match corners.len() {
        0 => "Click the corners".to_owned(),
        1 | 2 => "Click the next corner; Backspace takes one back".to_owned(),
        n => format!("{n} corners; double click or Enter ends"),
    };
    (corners.len() > 2 && (enter || map.double_clicked()), hint)
}

impl Reshape {
    /// True where Enter ended it.
    fn ui(&mut self, ui: &mut egui::Ui, screen: &Screen, map: &egui::Response, cx: &Cx<'_>) -> (bool, String) {
        let colour = colour_of(self.place.spec.colour);
        Border::of(&self.shape).paint(&ui.painter().with_clip_rect(screen.rect), screen, colour, 2.4);
        let mut moved = None;
        for (n, at) in self.handles().into_iter().enumerate() {
            let pos = screen.pos(at);
            let area = Rect::from_center_size(pos, Vec2::splat(2.0 * HANDLE + 4.0));
            let handle = ui.interact(area, map.id.with(("handle", n)), Sense::drag());
            let name = self.name_of(n);
            handle.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            let lit = handle.hovered() || handle.dragged();
            if lit {
                ui.ctx().set_cursor_icon(CursorIcon::Grab);
            }
            let on_map = ui.painter().with_clip_rect(screen.rect);
            let inside = if lit { ui.visuals().selection.stroke.color } else { ui.visuals().extreme_bg_color };
            let square = Rect::from_center_size(pos, Vec2::splat(2.0 * HANDLE - 2.0));
            on_map.rect(square, 2.0, inside, Stroke::new(2.0, colour), egui::StrokeKind::Inside);
            if handle.dragged()
                && let Some(pointer) = handle.interact_pointer_pos()
            {
                moved = Some((n, screen.world(pointer).lat_lon()));
            }
        }
        self.held = moved.map(|(n, _)| n);
        if let Some((n, to)) = moved {
            self.move_handle(n, to);
            ui.ctx().request_repaint();
        }
        let enter = !ui.ctx().text_edit_focused() && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
        let hint = match &self.shape {
            fence::Shape::Circle { radius_m, .. } => {
                format!("Drag the handles; radius {}", format::distance(*radius_m, cx.view.settings.units))
            }
            fence::Shape::Polygon { .. } => "Drag the corners".to_owned(),
        };
        (enter, hint)
    }

    /// Where it can be taken hold of: of a circle the middle and the border to the east.
    fn handles(&self) -> Vec<World> {
        match &self.shape {
            fence::Shape::Circle { center, radius_m } => {
                let middle = World::from_lat_lon(*center);
                let east = middle.x + radius_m / middle.metres_per_unit();
                vec![middle, World { x: east, y: middle.y }]
            }
            fence::Shape::Polygon { corners } => corners.iter().map(|corner| World::from_lat_lon(*corner)).collect(),
        }
    }

    fn name_of(&self, handle: usize) -> String {
        match (&self.shape, handle) {
            (fence::Shape::Circle { .. }, 0) => "Middle of the circle".to_owned(),
            (fence::Shape::Circle { .. }, _) => "Border of the circle".to_owned(),
            (fence::Shape::Polygon { .. }, n) => format!("Corner {}", n + 1),
        }
    }

    fn move_handle(&mut self, handle: usize, to: LatLon) {
        match &mut self.shape {
            fence::Shape::Circle { center, .. } if handle == 0 => *center = to,
            fence::Shape::Circle { center, radius_m } => {
                let reach = center.distance_m(to);
                *radius_m = reach.clamp(fence::Shape::LEAST_RADIUS_M, fence::Shape::MOST_RADIUS_M);
            }
            fence::Shape::Polygon { corners } => {
                if let Some(corner) = corners.get_mut(handle) {
                    *corner = to;
                }
            }
        }
    }
}

/// What to do next, with the buttons that end it. True where it is to end well.
fn hint_bar(ui: &mut egui::Ui, screen: &Screen, hint: &str, end: Option<(bool, &str)>, cx: &mut Cx<'_>) -> bool {
    let p = theme::palette(ui);
    let mut done = false;
    let top = screen.rect.center_top() + vec2(0.0, 10.0);
    egui::Area::new(egui::Id::unique("pen"))
        .order(egui::Order::Middle)
        .pivot(egui::Align2::CENTER_TOP)
        .fixed_pos(top)
        .constrain_to(screen.rect)
        .show(ui.ctx(), |ui| {
            let frame = egui::Frame::popup(ui.style()).fill(controls::backdrop(ui)).inner_margin(vec2(10.0, 6.0));
            frame.show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.add(egui::Label::new(egui::RichText::new(hint).color(p.strong)).extend());
                    if let Some((can, text)) = end {
                        done = ui.add_enabled(can, egui::Button::new(text)).clicked();
                    }
                    if ui.button("Cancel").on_hover_text("Esc").clicked() {
                        cx.ask(Action::Watch(WatchAction::PutPenDown));
                    }
                });
            });
        });
    done
}
