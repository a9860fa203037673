//! Draws trails: the level of detail that the zoom needs, clipped to the screen, fading with age, dotted over gaps.

use egui::{Color32, Pos2, Shape, Stroke};
use jiff::SignedDuration;

use super::{
    Trail,
    camera::{Screen, points},
};
use crate::{geo::pyramid::Detail, model::Timestamp};

/// Points of all trails that one frame draws at most; more are drawn more coarsely.
pub(super) const BUDGET: usize = 30_000;

/// From which age on a trail has which part of its colour; the last quarter of an hour has all of it.
const FADE: [(SignedDuration, f32); 7] = [
    (SignedDuration::from_hours(24), 0.35),
    (SignedDuration::from_hours(12), 0.45),
    (SignedDuration::from_hours(6), 0.55),
    (SignedDuration::from_hours(3), 0.65),
    (SignedDuration::from_mins(90), 0.75),
    (SignedDuration::from_mins(45), 0.85),
    (SignedDuration::from_mins(15), 0.95),
];

/// What lies further beside the screen than this is cut off, in points.
const MARGIN: f32 = 16.0;

/// A gap shorter than this on the screen is not worth dots, in points.
const MIN_GAP: f32 = 4.0;

/// Single points are shown where no more than this many are in view.
const MAX_DOTS: usize = 250;

/// How a trail is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    pub(super) color: Color32,
    pub(super) width: f32,
    /// Drawn below, wider; the selected trail has one.
    pub(super) casing: Option<Color32>,
}

/// Adds a trail to `shapes`, with `budget` points at most.
pub(super) fn draw(shapes: &mut Vec<Shape>, screen: &Screen, trail: &Trail, pen: Pen, now: Timestamp, budget: usize) {
    let view = screen.view(MARGIN);
    // With a casing, each point is drawn twice.
    let budget = if pen.casing.is_some() { budget / 2 } else { budget };
    let detail = trail.line().detail(screen.zoom, view, budget);
    let mut strokes = Strokes { screen, clip: Clip::new(screen), shapes, pen, open: Vec::new(), color: pen.color };
    if let Some(casing) = pen.casing {
        let below = Pen { color: casing, width: pen.width + 3.0, casing: None };
        let mut below = Strokes {
            screen,
            clip: Clip::new(screen),
            shapes: strokes.shapes,
            pen: below,
            open: Vec::new(),
            color: casing,
        };
        for range in detail.visible(view) {
            below.line(trail, detail, range, |_| casing, false);
        }
        strokes =
            Strokes { screen, clip: Clip::new(screen), shapes: below.shapes, pen, open: Vec::new(), color: pen.color };
    }
    // Numbers from which on each step of the fading holds.
    let steps = FADE.map(|(age, _)| now.checked_sub(age).map_or(0, |at| trail.since(at)));
    let color = |number: usize| {
        let step = steps.partition_point(|from| *from <= number);
        let part = FADE.get(step).map_or(1.0, |(_, part)| *part);
        pen.color.gamma_multiply(part)
    };
    for range in detail.visible(view) {
        strokes.line(trail, detail, range, color, true);
    }
}

/// Adds a dot for each point of a trail, where they are few enough to be told apart.
pub(super) fn draw_points(shapes: &mut Vec<Shape>, screen: &Screen, trail: &Trail, color: Color32, casing: Color32) {
    let view = screen.view(0.0);
    let finest = trail.line().finest();
    if finest.visible(view).map(|r| r.len()).sum::<usize>() > 8 * MAX_DOTS {
        return;
    }
    let slots = finest.visible(view).flatten();
    let places: Vec<_> = slots.filter_map(|s| trail.place(finest.number(s)?)).filter(|p| view.contains(*p)).collect();
    if places.len() <= MAX_DOTS {
        for place in places {
            shapes.push(Shape::circle_filled(screen.pos(place), 3.0, casing));
            shapes.push(Shape::circle_filled(screen.pos(place), 1.8, color));
        }
    }
}

/// Adds a hollow dot for each suspect fix of a trail, the newest ones where there are many: no line leads to a place that may be wrong.
pub(super) fn draw_suspect(shapes: &mut Vec<Shape>, screen: &Screen, trail: &Trail, color: Color32, casing: Color32) {
    let view = screen.view(0.0);
    let doubted = trail.outliers().iter().rev().chain(trail.suspect().iter().rev());
    let places = doubted.map(|(_, place)| *place).filter(|place| view.contains(*place));
    for place in places.take(MAX_DOTS) {
        shapes.push(Shape::circle_stroke(screen.pos(place), 3.2, Stroke::new(3.0, casing)));
        shapes.push(Shape::circle_stroke(screen.pos(place), 3.2, Stroke::new(1.3, color)));
    }
}

/// Lines under way to becoming shapes.
struct Strokes<'a> {
    screen: &'a Screen,
    clip: Clip,
    shapes: &'a mut Vec<Shape>,
    pen: Pen,
    /// The points of the line that is being drawn.
    open: Vec<Pos2>,
    color: Color32,
}

impl Strokes<'_> {
    fn line(
        &mut self,
        trail: &Trail,
        detail: Detail<'_>,
        range: std::ops::Range<usize>,
        color: impl Fn(usize) -> Color32,
        dots: bool,
    ) {
        // The level may end short of the newest point.
        let newest = trail.points().len().checked_sub(1).filter(|_| range.end == detail.len());
        let numbers = range.filter_map(|slot| detail.number(slot)).chain(newest);
        let mut before: Option<(f64, f64)> = None;
        for number in numbers {
            let Some(place) = trail.place(number) else { continue };
            let to = self.screen.offset(place);
            if let Some(from) = before {
                let color = color(number);
                if color != self.color {
                    self.end();
                    self.color = color;
                }
                if trail.line().is_break(number) {
                    self.end();
                    if dots {
                        self.gap(from, to);
                    }
                } else {
                    self.segment(from, to);
                }
            }
            before = Some(to);
        }
        self.end();
    }

    fn segment(&mut self, from: (f64, f64), to: (f64, f64)) {
        let Some((a, b)) = self.clip.cut(from, to) else { return self.end() };
        if self.open.is_empty() {
            self.open.push(self.pos(a));
        }
        self.open.push(self.pos(b));
        if b != to {
            self.end();
        }
    }

    fn gap(&mut self, from: (f64, f64), to: (f64, f64)) {
        let Some((a, b)) = self.clip.cut(from, to) else { return };
        let (a, b) = (self.pos(a), self.pos(b));
        if a.distance(b) >= MIN_GAP {
            let stroke = Stroke::new(self.pen.width.min(2.0), self.color.gamma_multiply(0.8));
            self.shapes.extend(Shape::dashed_line(&[a, b], stroke, 2.0, 5.0));
        }
    }

    fn end(&mut self) {
        let line = std::mem::take(&mut self.open);
        if line.len() > 1 {
            self.shapes.push(Shape::line(line, Stroke::new(self.pen.width, self.color)));
        }
    }

    fn pos(&self, (x, y): (f64, f64)) -> Pos2 {
        self.screen.rect.center() + egui::vec2(points(x), points(y))
    }
}

/// The screen with a margin, as offsets from its middle.
struct Clip {
    half_width: f64,
    half_height: f64,
}

impl Clip {
    fn new(screen: &Screen) -> Self {
        let size = screen.rect.size() / 2.0 + egui::Vec2::splat(MARGIN);
        Self { half_width: size.x.into(), half_height: size.y.into() }
    }

    /// The part of a segment that is inside; an end that is inside stays exactly as it is.
    fn cut(&self, a: (f64, f64), b: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
        let inside = |p: (f64, f64)| p.0.abs() <= self.half_width && p.1.abs() <= self.half_height;
        if inside(a) && inside(b) {
            return Some((a, b));
        }
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut first, mut last) = (0.0f64, 1.0f64);
        // For each edge: how far outside the start is, and how much nearer each step comes.
        for (outside, towards) in [
            (-self.half_width - a.0, dx),
            (a.0 - self.half_width, -dx),
            (-self.half_height - a.1, dy),
            (a.1 - self.half_height, -dy),
        ] {
            if towards > 0.0 {
                first = first.max(outside / towards);
            } else if towards < 0.0 {
                last = last.min(outside / towards);
            } else if outside > 0.0 {
                return None;
            }
        }
        let at = |part: f64| (a.0 + part * dx, a.1 + part * dy);
        (first < last).then(|| (if first > 0.0 { at(first) } else { a }, if last < 1.0 { at(last) } else { b }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        geo::LatLon,
        model::{DeviceId, Fix, PacketId, Readings, StoredFix, Trust},
        ui::map::camera::Camera,
    };

    #[test]
    fn a_suspect_fix_is_a_hollow_dot() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let place = LatLon::new(51.0, 4.0).unwrap();
        let fix = Fix {
            at,
            place,
            valid: false,
            altitude_m: None,
            speed_kmh: None,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        let (trust, readings, packet) = (Trust::Suspect, Readings::new(), PacketId(1));
        let fix = StoredFix { id: 1, device: DeviceId(1), fix, received: at, trust, readings, packet };
        let trail = Trail::from_fixes(vec![fix]);
        let rect = egui::Rect::from_min_size(Pos2::ZERO, egui::Vec2::splat(400.0));
        let screen = Screen::new(rect, Camera { center: place, zoom: 12.0 });
        let mut shapes = Vec::new();
        draw_suspect(&mut shapes, &screen, &trail, Color32::RED, Color32::WHITE);
        assert_eq!(shapes.len(), 2);
        for shape in shapes {
            let Shape::Circle(circle) = shape else { panic!("not a dot: {shape:?}") };
            assert_eq!(circle.fill, Color32::TRANSPARENT);
            assert!(circle.center.distance(rect.center()) < 0.1);
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_stays_on_the_line_and_inside(
            a in (-300.0..300.0, -300.0..300.0), b in (-300.0..300.0, -300.0..300.0)
        ) {
            let clip = Clip { half_width: 100.0, half_height: 50.0 };
            let inside = |p: (f64, f64)| p.0.abs() <= 100.0 + 1e-9 && p.1.abs() <= 50.0 + 1e-9;
            let halves = (0..=1_000).map(|n| f64::from(n) / 1_000.0);
            let mut on_line = halves.map(|t| (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
            match clip.cut(a, b) {
                None => prop_assert!(!on_line.any(|p: (f64, f64)| p.0.abs() < 99.0 && p.1.abs() < 49.0)),
                Some((from, to)) => {
                    prop_assert!(inside(from) && inside(to));
                    let area = |p: (f64, f64)| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
                    prop_assert!(area(from).abs() < 1e-6 && area(to).abs() < 1e-6);
                    prop_assert!(!inside(a) || from == a);
                    prop_assert!(!inside(b) || to == b);
                }
            }
        }
    }
}
