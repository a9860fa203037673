//! What the map shows, and where that is on the screen: one affine map a frame, no trigonometry.

use egui::{Pos2, Rect, Vec2, vec2};
use serde::{Deserialize, Serialize};

use crate::geo::{
    LatLon,
    mercator::{World, WorldBox},
};

/// Width of the world in points at zoom 0.
const WORLD_POINTS: f64 = 256.0;

/// The nearest that one can look: about 10 cm a point.
pub const MAX_ZOOM: f64 = 20.0;

/// Where the map looks. Kept between runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    pub center: LatLon,
    /// 0 is a world 256 points wide; each step doubles it.
    pub zoom: f64,
}

impl Default for Camera {
    /// The inhabited world.
    fn default() -> Self {
        Self { center: World { x: 0.53, y: 0.42 }.lat_lon(), zoom: 2.0 }
    }
}

/// A camera looking at a rectangle of the screen.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    pub rect: Rect,
    pub center: World,
    pub zoom: f64,
    points_per_unit: f64,
    /// Places are where their numbers say; else each is where it is nearest to the middle.
    straight: bool,
}

impl Screen {
    /// The camera is brought where the world fills the rectangle's height. To the east and west it goes on for ever.
    pub fn new(rect: Rect, camera: Camera) -> Self {
        let min_zoom = (f64::from(rect.height().max(1.0)) / WORLD_POINTS).log2();
        let zoom = if camera.zoom.is_finite() { camera.zoom } else { 0.0 };
        let zoom = zoom.clamp(min_zoom.min(MAX_ZOOM), MAX_ZOOM);
        let points_per_unit = WORLD_POINTS * zoom.exp2();
        let half = |points: f32| f64::from(points) / 2.0 / points_per_unit;
        let inside = |at: f64, half: f64| if half >= 0.5 { 0.5 } else { at.clamp(half, 1.0 - half) };
        let center = World::from_lat_lon(camera.center);
        let center = World { x: center.wrapped().x, y: inside(center.y, half(rect.height())) };
        Self { rect, center, zoom, points_per_unit, straight: false }
    }

    /// The world again and again, as far as it is in view: each time as a screen on which places are where their numbers say, with the part of
    /// the rectangle that it takes.
    pub fn copies(&self) -> impl Iterator<Item = (Self, Rect)> {
        let view = self.view(0.0);
        let screen = *self;
        shifts(view.min.x, view.max.x - 1e-9).filter_map(move |worlds| {
            let copy = screen.straight(worlds);
            let (left, right) = (copy.pos(World { x: 0.0, y: 0.5 }).x, copy.pos(World { x: 1.0, y: 0.5 }).x);
            let rect = screen.rect;
            let part = Rect::from_x_y_ranges(left.max(rect.left())..=right.min(rect.right()), rect.y_range());
            part.is_positive().then_some((copy, part))
        })
    }

    /// The screens, as those of [`Screen::copies`], on which something in this box is in view; it may lie beyond the antimeridian.
    pub fn copies_of(&self, bounds: WorldBox) -> impl Iterator<Item = Self> {
        let view = self.view(0.0);
        let screen = *self;
        let all = if bounds.is_empty() { 1.0..=0.0 } else { view.min.x - bounds.max.x..=view.max.x - bounds.min.x };
        shifts(all.start().ceil(), *all.end()).map(move |worlds| screen.straight(worlds)).filter(move |copy| {
            let view = copy.view(0.0);
            bounds.min.y <= view.max.y && view.min.y <= bounds.max.y
        })
    }

    fn straight(self, worlds: i32) -> Self {
        let center = World { x: self.center.x - f64::from(worlds), y: self.center.y };
        Self { center, straight: true, ..self }
    }

    /// The camera, as it was brought into bounds.
    pub fn camera(&self) -> Camera {
        Camera { center: self.center.lat_lon(), zoom: self.zoom }
    }

    /// Where a place is on the screen.
    pub fn pos(&self, world: World) -> Pos2 {
        let (x, y) = self.offset(world);
        self.rect.center() + vec2(points(x), points(y))
    }

    /// Offset of a place from the middle of the screen, in points.
    pub fn offset(&self, world: World) -> (f64, f64) {
        let x = world.x - self.center.x;
        let x = if self.straight { x } else { x - x.round() };
        (x * self.points_per_unit, (world.y - self.center.y) * self.points_per_unit)
    }

    /// What is at a point of the screen; may be beside the unit square, or beyond the antimeridian.
    pub fn world(&self, pos: Pos2) -> World {
        let from_center = pos - self.rect.center();
        World {
            x: self.center.x + f64::from(from_center.x) / self.points_per_unit,
            y: self.center.y + f64::from(from_center.y) / self.points_per_unit,
        }
    }

    /// Units of the unit square that so many points span.
    pub fn units(&self, points: f32) -> f64 {
        f64::from(points) / self.points_per_unit
    }

    /// Points on the screen that so many metres span at a place.
    pub fn points_of_metres(&self, metres: f64, place: World) -> f32 {
        points(metres / place.metres_per_unit() * self.points_per_unit)
    }

    /// What is in view, and `margin` points around it.
    pub fn view(&self, margin: f32) -> WorldBox {
        let rect = self.rect.expand(margin);
        WorldBox { min: self.world(rect.min), max: self.world(rect.max) }
    }

    /// The camera after the map was dragged by so much.
    pub fn panned(&self, drag: Vec2) -> Camera {
        let center = self.world(self.rect.center() - drag);
        Camera { center: center.lat_lon(), zoom: self.zoom }
    }

    /// The camera so many levels nearer, with what is at `fixed` staying there.
    pub fn zoomed(&self, levels: f64, fixed: Pos2) -> Camera {
        let zoom = (self.zoom + levels).min(MAX_ZOOM);
        let nearer = Self::new(self.rect, Camera { center: self.center.lat_lon(), zoom });
        let from_center = fixed - self.rect.center();
        let target = self.world(fixed);
        let center = World {
            x: target.x - f64::from(from_center.x) / nearer.points_per_unit,
            y: target.y - f64::from(from_center.y) / nearer.points_per_unit,
        };
        Camera { center: center.lat_lon(), zoom: nearer.zoom }
    }

    /// The camera that shows all of `bounds` within `room`, a part of the screen, no nearer than `max_zoom`.
    pub fn fitted(&self, bounds: WorldBox, room: Rect, max_zoom: f64) -> Camera {
        let size = room.size().max(Vec2::splat(32.0));
        let (width, height) = bounds.size();
        let zoom = |room: f32, units: f64| (f64::from(room) / WORLD_POINTS / units.max(f64::MIN_POSITIVE)).log2();
        let zoom = zoom(size.x, width).min(zoom(size.y, height)).min(max_zoom);
        let middle = Self::new(self.rect, Camera { center: bounds.center().lat_lon(), zoom });
        let center = middle.world(middle.rect.center() - (room.center() - self.rect.center()));
        Camera { center: center.lat_lon(), zoom }
    }

    /// The screen less `margin` points all around, and less whatever `covered` takes of it, each from the side where that costs least.
    pub fn room(&self, margin: f32, covered: &[Rect]) -> Rect {
        covered.iter().fold(self.rect.shrink(margin), |room, area| {
            let cuts = [
                room.with_max_y(room.max.y.min(area.min.y)),
                room.with_min_y(room.min.y.max(area.max.y)),
                room.with_max_x(room.max.x.min(area.min.x)),
                room.with_min_x(room.min.x.max(area.max.x)),
            ];
            let larger = |a: &Rect, b: &Rect| a.width().min(a.height()).total_cmp(&b.width().min(b.height()));
            if room.intersects(*area) { cuts.into_iter().max_by(larger).unwrap_or(room) } else { room }
        })
    }
}

/// Worlds side by side at most: on a map that is so many times as wide as high.
const MOST_WORLDS: usize = 64;

/// Whole numbers of worlds from one to another; a few, but where the map is a low strip.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
fn shifts(from: f64, to: f64) -> impl Iterator<Item = i32> {
    (from.floor() as i32..=to.floor() as i32).take(MOST_WORLDS)
}

/// For egui, which counts in f32: exact enough for what is near the screen.
#[expect(clippy::cast_possible_truncation, reason = "screen coordinates are f32")]
pub fn points(exact: f64) -> f32 {
    exact as f32
}

#[cfg(test)]
mod tests {
    use egui::pos2;
    use proptest::prelude::*;

    use super::*;

    fn screen() -> impl Strategy<Value = Screen> {
        (100f32..3_000.0, 100f32..2_000.0, -85.0..85.0, -180.0..180.0, -1.0..25.0).prop_map(|(w, h, lat, lon, zoom)| {
            let rect = Rect::from_min_size(pos2(240.0, 30.0), vec2(w, h));
            Screen::new(rect, Camera { center: LatLon::new(lat, lon).unwrap(), zoom })
        })
    }

    fn inside(screen: &Screen, x: f32, y: f32) -> Pos2 {
        screen.rect.min + screen.rect.size() * vec2(x, y)
    }

    #[test]
    fn a_low_strip_is_filled_with_worlds() {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(2_874.0, 135.0));
        let screen = Screen::new(rect, Camera { center: LatLon::new(0.0, 0.0).unwrap(), zoom: 0.0 });
        let width: f32 = screen.copies().map(|(_, part)| part.width()).sum();
        assert!((width - rect.width()).abs() < 0.5, "{width}");
    }

    proptest! {
        #[test]
        fn screen_to_world_and_back(screen in screen(), x in 0f32..1.0, y in 0f32..1.0) {
            let pos = inside(&screen, x, y);
            // Where more than one world is in view, a place is shown on the one in the middle.
            prop_assume!(screen.units(screen.rect.width()) < 1.0);
            prop_assert!(screen.pos(screen.world(pos)).distance(pos) < 0.01);
        }

        #[test]
        fn zooming_keeps_what_is_under_the_pointer(screen in screen(), x in 0f32..1.0, y in 0f32..1.0, levels in 0.0..3.0) {
            let pos = inside(&screen, x, y);
            let nearer = Screen::new(screen.rect, screen.zoomed(levels, pos));
            // Where a narrow world is kept in the middle, it slides.
            prop_assume!(screen.units(screen.rect.width()) < 1.0);
            prop_assert!(nearer.pos(screen.world(pos)).distance(pos) < 0.1);
        }

        #[test]
        fn no_camera_shows_more_than_the_world_above_or_below(screen in screen(), drag in (-5e3f32..5e3, -5e3f32..5e3)) {
            let moved = Screen::new(screen.rect, screen.panned(drag.into()));
            let view = moved.view(0.0);
            prop_assert!(view.min.y >= -1e-6 && view.max.y <= 1.0 + 1e-6);
            prop_assert!((0.0..=MAX_ZOOM).contains(&moved.zoom) || screen.rect.height() < 256.0);
        }

        #[test]
        fn the_copies_of_the_world_fill_the_screen_once(screen in screen()) {
            let parts: Vec<Rect> = screen.copies().map(|(_, part)| part).collect();
            let width: f32 = parts.iter().map(Rect::width).sum();
            prop_assert!((width - screen.rect.width()).abs() < 0.5, "{parts:?} in {:?}", screen.rect);
            prop_assert!(parts.windows(2).all(|p| (p[0].right() - p[1].left()).abs() < 0.5));
            for (copy, part) in screen.copies() {
                let middle = copy.world(part.center());
                prop_assert!((0.0..=1.0).contains(&middle.x) && copy.pos(middle).distance(part.center()) < 0.1);
            }
        }

        #[test]
        fn a_pan_goes_around_the_globe(screen in screen(), steps in 1usize..30, step in -400f32..400.0) {
            let mut at = screen;
            for _ in 0..steps {
                at = Screen::new(at.rect, at.panned(vec2(step, 0.0)));
                prop_assert!((0.0..=1.0).contains(&at.center.x));
            }
            #[expect(clippy::cast_precision_loss, reason = "a handful")]
            let gone = at.units(step * steps as f32);
            let expected = World { x: screen.center.x - gone, y: screen.center.y }.near(at.center);
            // Drags are counted in f32: far within a point.
            prop_assert!((expected.x - at.center.x).abs() < at.units(0.2));
        }

        #[test]
        fn both_sides_of_the_antimeridian_are_fitted(screen in screen(), west in 0.9..1.0, east in 0.0..0.1, y in 0.3..0.7) {
            // The world is never lower than the screen, so on a narrow one two places may be too far apart.
            prop_assume!(screen.rect.width() > 0.25 * screen.rect.height() + 100.0);
            let places = [World { x: west, y }, World { x: east, y }];
            let fitted = Screen::new(screen.rect, screen.fitted(WorldBox::around_globe(places), screen.room(40.0, &[]), 15.0));
            for place in places {
                prop_assert!(fitted.rect.expand(1.0).contains(fitted.pos(place)), "{place:?} on {fitted:?}");
            }
            let line = WorldBox::around([places[0], places[1].near(places[0])]);
            prop_assert!(fitted.copies_of(line).count() >= 1);
        }

        #[test]
        fn what_is_fitted_is_in_view(screen in screen(), a in (0.1..0.9, 0.1..0.9), b in (0.1..0.9, 0.1..0.9)) {
            let bounds = WorldBox::around([a, b].map(|(x, y)| World { x, y }));
            let fitted = Screen::new(screen.rect, screen.fitted(bounds, screen.room(40.0, &[]), 15.0));
            let view = fitted.view(1.0);
            // The world is never smaller than the rectangle is high, so a world upside down may not fit.
            prop_assume!(bounds.size().1 < 0.5);
            prop_assert!(view.contains(bounds.min) && view.contains(bounds.max) || fitted.units(fitted.rect.height()) > 0.99);
        }

        #[test]
        fn what_is_fitted_is_beside_what_covers_the_map(screen in screen(), at in (0.2..0.8, 0.2..0.8), width in 50f32..300.0, height in 10f32..80.0) {
            prop_assume!(screen.rect.width() > 320.0 && screen.rect.height() > 250.0);
            let area = Rect::from_min_max(screen.rect.left_bottom() + vec2(8.0, -height), screen.rect.left_bottom() + vec2(8.0 + width, -8.0));
            let place = World { x: at.0, y: at.1 };
            let room = screen.room(40.0, &[area]);
            let fitted = Screen::new(screen.rect, screen.fitted(WorldBox::around([place]), room, 12.0));
            prop_assert!(!room.shrink(0.5).intersects(area) && room.expand(1.0).contains(fitted.pos(place)));
        }
    }
}
