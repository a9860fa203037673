//! Places on the map: their outlines and names below the devices, and the pen that draws and changes them.

use egui::{Align2, Color32, FontId, Pos2, Rect, Sense, Shape, Stroke, Vec2, vec2};

use super::{
    camera::{Screen, points},
    controls,
    pen::Pen,
};
use crate::{
    geo::{
        LatLon, fence,
        mercator::{World, WorldBox},
    },
    model::watch::{Colour, Place, PlaceId},
    ui::{
        Action, Cx, theme,
        watch::{Draw, WatchAction},
    },
};

/// A place smaller than this on the screen has no name beside it, in points.
const NAMED_FROM: f32 = 14.0;

/// The layer of places.
#[derive(Default)]
pub(in crate::ui) struct Places {
    outlines: Vec<Outline>,
    /// Of which reading of the places they are.
    revision: Option<u64>,
    pen: Option<Pen>,
}

/// The border of a place, ready to be drawn at any zoom.
struct Outline {
    place: PlaceId,
    name: String,
    colour: Colour,
    border: Border,
}

/// The border of a shape on the unit square, and beyond it where it crosses the antimeridian.
pub(super) struct Border {
    points: Vec<World>,
    bounds: WorldBox,
    /// It has no dents on the square, so that it can be filled.
    filled: bool,
}

impl Border {
    pub(super) fn of(shape: &fence::Shape) -> Self {
        let world = |(lat, lon): (f64, f64)| {
            let on_globe = LatLon::new(lat, 0.0).map_or(World::CENTER, World::from_lat_lon);
            World { x: lon / 360.0 + 0.5, y: on_globe.y }
        };
        let points: Vec<World> = shape.outline().into_iter().map(world).collect();
        let bounds = WorldBox::around(points.iter().copied());
        let round_a_pole = bounds.size().0 > 0.9;
        Self { filled: !round_a_pole && is_convex(&points), bounds, points }
    }

    /// Draws it, wherever it is in view: what crosses the antimeridian is seen on both sides.
    pub(super) fn paint(&self, painter: &egui::Painter, screen: &Screen, colour: Color32, width: f32) {
        for turn in [-1.0, 0.0, 1.0] {
            let shifted = WorldBox {
                min: World { x: self.bounds.min.x + turn, ..self.bounds.min },
                max: World { x: self.bounds.max.x + turn, ..self.bounds.max },
            };
            if !shifted.touches(screen.view(width)) {
                continue;
            }
            let at = |world: &World| screen.pos(World { x: world.x + turn, y: world.y });
            let line: Vec<Pos2> = self.points.iter().map(at).collect();
            if self.filled {
                painter.add(Shape::convex_polygon(line.clone(), colour.gamma_multiply(0.12), Stroke::NONE));
            }
            painter.add(Shape::closed_line(line, Stroke::new(width, colour)));
        }
    }
}

/// Whether a ring turns one way only.
fn is_convex(ring: &[World]) -> bool {
    let corner = |n: usize| ring.get(n % ring.len()).copied().unwrap_or(World::CENTER);
    let turn = |n: usize| {
        let (a, b, c) = (corner(n), corner(n + 1), corner(n + 2));
        (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x)
    };
    let turns = || (0..ring.len()).map(turn).filter(|turn| turn.abs() > 1e-24);
    ring.len() > 2 && (turns().all(|turn| turn > 0.0) || turns().all(|turn| turn < 0.0))
}

/// Where a shape is on the map.
pub(super) fn bounds_of(shape: &fence::Shape) -> WorldBox {
    Border::of(shape).bounds
}

/// A colour that a person chose, as the window paints it.
pub(in crate::ui) fn colour_of(Colour([red, green, blue]): Colour) -> Color32 {
    theme::chosen(red, green, blue)
}

impl Places {
    /// Draws what comes next with the pen.
    pub(in crate::ui) fn draw(&mut self, draw: Draw) {
        self.pen = Some(Pen::new(draw));
    }

    /// Changes the outline of a place with the pen.
    pub(in crate::ui) fn reshape(&mut self, place: &Place) {
        self.pen = Some(Pen::on(place));
    }

    /// True where there was something in the hand.
    pub(in crate::ui) fn put_pen_down(&mut self) -> bool {
        self.pen.take().is_some()
    }

    /// True while a drag draws, and does not move the map.
    pub(super) fn holds_drag(&self) -> bool {
        self.pen.as_ref().is_some_and(Pen::holds_drag)
    }

    /// True while clicks are the pen's.
    pub(super) fn writes(&self) -> bool {
        self.pen.is_some()
    }

    /// Outlines and names, below everything that moves.
    pub(super) fn paint(&mut self, ui: &mut egui::Ui, screen: &Screen, map: egui::Id, cx: &mut Cx<'_>) {
        let watch = &cx.data.watch;
        if self.revision != Some(watch.revision) {
            let outline = |place: &Place| Outline {
                place: place.id,
                name: place.spec.name.clone(),
                colour: place.spec.colour,
                border: Border::of(&place.spec.shape),
            };
            self.outlines = watch.set_up.places.iter().map(outline).collect();
            self.revision = Some(watch.revision);
        }
        if !cx.view.settings.show_places {
            return;
        }
        let painter = ui.painter().with_clip_rect(screen.rect);
        let reshaped = self.pen.as_ref().and_then(Pen::place);
        for outline in self.outlines.iter().filter(|outline| Some(outline.place) != reshaped) {
            let colour = colour_of(outline.colour);
            outline.border.paint(&painter, screen, colour, 1.8);
            let height = points(outline.border.bounds.size().1 * f64::from(1.0 / screen_unit(screen)));
            if height >= NAMED_FROM {
                name(ui, screen, outline, map, cx);
            }
        }
    }

    /// The pen at work. What it made is asked for.
    pub(super) fn write(&mut self, ui: &mut egui::Ui, screen: &Screen, map: &egui::Response, cx: &mut Cx<'_>) {
        let Some(pen) = &mut self.pen else { return };
        if cx.view.open.sheet.is_none() {
            pen.ui(ui, screen, map, cx);
        }
    }
}

/// Units of the square in a point.
#[expect(clippy::cast_possible_truncation, reason = "for a size on the screen")]
fn screen_unit(screen: &Screen) -> f32 {
    screen.units(1.0) as f32
}

/// The name of a place at the top of its border.
fn name(ui: &mut egui::Ui, screen: &Screen, outline: &Outline, map: egui::Id, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    let bounds = outline.border.bounds;
    let top = screen.pos(World { x: bounds.center().x, y: bounds.min.y });
    let font = FontId::proportional(11.5);
    let painter = ui.painter().with_clip_rect(screen.rect);
    let galley = painter.layout_no_wrap(outline.name.clone(), font, p.text);
    let size = galley.size() + vec2(8.0, 3.0);
    let at = Align2::CENTER_BOTTOM.anchor_size(top - vec2(0.0, 2.0), size);
    if !screen.rect.contains_rect(at) {
        return;
    }
    painter.rect_filled(at, 3.0, controls::backdrop(ui));
    painter.rect_filled(Rect::from_min_size(at.left_top(), vec2(2.5, at.height())), 1.0, colour_of(outline.colour));
    painter.galley(at.min + Vec2::new(5.0, 1.5), galley, p.text);
    let id = map.with(("place", outline.place));
    let response = ui.interact(at, id, Sense::CLICK);
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Place {} on the map", outline.name))
    });
    if response.on_hover_text("Click for everything about this place").clicked() {
        cx.ask(Action::Watch(WatchAction::Edit(outline.place)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(corners: &[(f64, f64)]) -> fence::Shape {
        fence::Shape::Polygon { corners: corners.iter().map(|(a, o)| LatLon::new(*a, *o).unwrap()).collect() }
    }

    #[test]
    fn only_what_has_no_dents_is_filled() {
        assert!(Border::of(&ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)])).filled);
        assert!(!Border::of(&ring(&[(0.0, 0.0), (0.0, 1.0), (0.2, 0.5), (1.0, 0.0)])).filled);
        assert!(!Border::of(&ring(&[(80.0, 0.0), (80.0, 120.0), (80.0, -120.0)])).filled);
    }

    #[test]
    fn a_border_across_the_antimeridian_is_in_one_piece() {
        let border = Border::of(&ring(&[(0.0, 179.0), (0.0, -179.0), (1.0, -179.0), (1.0, 179.0)]));
        assert!((border.bounds.size().0 - 2.0 / 360.0).abs() < 1e-9, "{:?}", border.bounds);
    }
}
