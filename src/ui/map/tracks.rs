//! Draws trails: the level of detail that the zoom needs, clipped to the screen, dotted over gaps, dashed where only cells told the
//! place.

use std::ops::Range;

use egui::{Color32, Mesh, Pos2, Shape, Stroke};

use super::{
    Trail, TrailPoint,
    camera::{Screen, points},
    ink::{Emphasis, Ink},
    ribbon::{self, Ribbon},
};
use crate::geo::pyramid::Detail;

/// Points of all trails that one frame draws at most; more are drawn more coarsely.
pub(super) const BUDGET: usize = 30_000;

/// Of these the selected one may have as many, however many others there are.
pub(super) const BUDGET_OF_SELECTED: usize = BUDGET / 6;

/// What lies further beside the screen than this is cut off, in points.
const MARGIN: f32 = 16.0;

/// A gap shorter than this on the screen is not worth dots, in points.
const MIN_GAP: f32 = 4.0;

/// Single points are shown where no more than this many are in view.
const MAX_DOTS: usize = 250;

/// No two dots of points in a row are nearer to each other than this, in points.
const DOT_STEP: f32 = 9.0;

/// Length of a dot and of the room behind it, over a gap; the same of a dash on a rough way. In points.
const DOTS: (f32, f32) = (2.0, 5.0);
const DASHES: (f32, f32) = (5.0, 4.0);

/// A trail is drawn over so many dots or dashes at most on one segment; a longer one has longer ones.
const MAX_DASHES: f32 = 300.0;

/// How a trail is drawn.
pub(super) struct Pen {
    pub(super) ink: Ink,
    pub(super) emphasis: Emphasis,
    pub(super) width: f32,
    /// Drawn below, wider; the selected trail has one.
    pub(super) casing: Option<Color32>,
    /// Number of the first point that is drawn.
    pub(super) from: usize,
    /// Width of a pixel in points.
    pub(super) pixel: f32,
}

impl Pen {
    fn color(&self, number: usize, point: &TrailPoint) -> Color32 {
        self.emphasis.on(self.ink.color(number, point), number)
    }
}

/// A point of a trail on its way to the mesh.
#[derive(Clone, Copy)]
struct Knot {
    /// From the middle of the screen, in points.
    offset: (f64, f64),
    number: usize,
    color: Color32,
    way: Way,
}

/// How a trail gets to a point from the one before.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// It begins here.
    Begins,
    Gap,
    /// Only cells told one of both places.
    Rough,
    Plain,
}

/// A trail on its way to the mesh of all.
pub(super) struct Stretch<'a> {
    screen: Screen,
    trail: &'a Trail,
    pen: &'a Pen,
    detail: Detail<'a>,
    ranges: Vec<Range<usize>>,
}

impl<'a> Stretch<'a> {
    /// What is to be drawn of a trail, with `budget` points at most.
    pub(super) fn new(screen: Screen, trail: &'a Trail, pen: &'a Pen, budget: usize) -> Self {
        let view = screen.view(MARGIN);
        // With a casing, each point is drawn twice.
        let budget = if pen.casing.is_some() { budget / 2 } else { budget };
        let detail = trail.line().detail(screen.zoom, view, budget);
        let ranges = detail.visible(view).filter_map(|range| later(detail, range, pen.from)).collect();
        Self { screen, trail, pen, detail, ranges }
    }

    /// Cross-sections that it comes to, about.
    pub(super) fn crosses(&self) -> usize {
        let points: usize = self.ranges.iter().map(|range| range.len() + 1).sum();
        if self.pen.casing.is_some() { points * 2 } else { points }
    }

    pub(super) fn draw(self, mesh: &mut Mesh) {
        let (knots, Self { screen, pen, .. }) = (self.knots(), self);
        if let Some(casing) = pen.casing {
            let ribbon = Ribbon { mesh, width: pen.width + 3.0, pixel: pen.pixel };
            Strokes::new(&screen, ribbon, false).line(&knots, |knot| pen.emphasis.on(casing, knot.number));
        }
        let ribbon = Ribbon { mesh, width: pen.width, pixel: pen.pixel };
        Strokes::new(&screen, ribbon, true).line(&knots, |knot| knot.color);
    }

    /// What has to be known of each point, fetched in one go: points of a long trail lie far from each other in memory, and a processor waits
    /// for many of them at once only where it does nothing else meanwhile.
    fn knots(&self) -> Vec<Knot> {
        let Self { trail, detail, .. } = *self;
        let mut knots = Vec::with_capacity(self.ranges.iter().map(|range| range.len() + 1).sum());
        for range in &self.ranges {
            let first = knots.len();
            // The level may end short of the newest point.
            let newest = trail.points().len().checked_sub(1).filter(|_| range.end == detail.len());
            let numbers = range.clone().filter_map(|slot| detail.number(slot)).chain(newest);
            let placed = numbers.filter_map(|number| Some((number, self.screen.offset(trail.place(number)?))));
            let (color, way) = (Color32::TRANSPARENT, Way::Plain);
            knots.extend(placed.map(|(number, offset)| Knot { offset, number, color, way }));
            let mut was_rough = false;
            for knot in &mut knots[first..] {
                let Some(point) = trail.points().get(knot.number) else { continue };
                knot.color = self.pen.color(knot.number, point);
                if point.rough || was_rough {
                    knot.way = Way::Rough;
                }
                was_rough = point.rough;
            }
            for knot in &mut knots[first..] {
                if trail.line().is_break(knot.number) {
                    knot.way = Way::Gap;
                }
            }
            if let Some(knot) = knots.get_mut(first) {
                knot.way = Way::Begins;
            }
        }
        knots
    }
}

/// What of a range of slots is not before the point numbered `from`.
fn later(detail: Detail<'_>, range: Range<usize>, from: usize) -> Option<Range<usize>> {
    let start = if from == 0 { range.start } else { range.start.max(detail.slot_of(from)) };
    (start < range.end).then_some(start..range.end)
}

/// Adds a dot for each point of a trail, where they are few enough to be told apart; hollow where only cells told the place.
pub(super) fn draw_points(shapes: &mut Vec<Shape>, screen: &Screen, trail: &Trail, pen: &Pen, casing: Color32) {
    let view = screen.view(0.0);
    let finest = trail.line().finest();
    if finest.visible(view).map(|r| r.len()).sum::<usize>() > 8 * MAX_DOTS {
        return;
    }
    let slots = finest.visible(view).filter_map(|range| later(finest, range, pen.from)).flatten();
    let numbers = slots.filter_map(|slot| finest.number(slot));
    let places = numbers.filter_map(|n| Some((n, trail.place(n)?))).filter(|(_, place)| view.contains(*place));
    let places: Vec<_> = places.take(MAX_DOTS + 1).collect();
    if places.len() > MAX_DOTS {
        return;
    }
    let mut last: Option<Pos2> = None;
    for (number, place) in places.into_iter().rev() {
        let Some(point) = trail.points().get(number) else { continue };
        let (pos, color) = (screen.pos(place), pen.color(number, point));
        // Dots side by side would hide the line.
        if last.is_some_and(|last| last.distance(pos) < DOT_STEP) {
            continue;
        }
        last = Some(pos);
        if point.rough {
            hollow(shapes, pos, color, casing);
        } else {
            shapes.push(Shape::circle_filled(pos, 3.0, casing));
            shapes.push(Shape::circle_filled(pos, 1.8, color));
        }
    }
}

/// The parts of a trail that are in view, from the point numbered `from`, as coarse as `budget` points need; nothing leads over a gap.
pub(super) fn parts_in_view(screen: &Screen, trail: &Trail, from: usize, budget: usize) -> Vec<[Pos2; 2]> {
    let view = screen.view(MARGIN);
    let clip = Clip::new(screen);
    let detail = trail.line().detail(screen.zoom, view, budget);
    let pos = |(x, y): (f64, f64)| screen.rect.center() + egui::vec2(points(x), points(y));
    let mut parts = Vec::new();
    for range in detail.visible(view).filter_map(|range| later(detail, range, from)) {
        let mut before: Option<(f64, f64)> = None;
        for number in range.filter_map(|slot| detail.number(slot)) {
            let Some(place) = trail.place(number) else { continue };
            let to = screen.offset(place);
            let from = before.replace(to).filter(|_| !trail.line().is_break(number));
            parts.extend(from.and_then(|from| clip.cut(from, to)).map(|(a, b)| [pos(a), pos(b)]));
        }
    }
    parts
}

fn hollow(shapes: &mut Vec<Shape>, pos: Pos2, color: Color32, casing: Color32) {
    shapes.push(Shape::circle_stroke(pos, 3.2, Stroke::new(3.0, casing)));
    shapes.push(Shape::circle_stroke(pos, 3.2, Stroke::new(1.3, color)));
}

/// Adds a hollow dot for each suspect fix of a trail, the newest ones where there are many: no line leads to a place that may be wrong.
pub(super) fn draw_suspect(shapes: &mut Vec<Shape>, screen: &Screen, trail: &Trail, color: Color32, casing: Color32) {
    let view = screen.view(0.0);
    let doubted = trail.outliers().iter().rev().chain(trail.suspect().iter().rev());
    let places = doubted.map(|(_, place)| *place).filter(|place| view.contains(*place));
    for place in places.take(MAX_DOTS) {
        hollow(shapes, screen.pos(place), color, casing);
    }
}

/// Lines under way to becoming triangles.
struct Strokes<'a> {
    screen: &'a Screen,
    clip: Clip,
    ribbon: Ribbon<'a>,
    /// Gaps are dotted and rough ways dashed; else there is nothing over the one, and the other is like any.
    broken: bool,
    /// The line that is being drawn.
    open: Vec<(Pos2, Color32)>,
}

impl<'a> Strokes<'a> {
    fn new(screen: &'a Screen, ribbon: Ribbon<'a>, broken: bool) -> Self {
        Self { screen, clip: Clip::new(screen), ribbon, broken, open: Vec::new() }
    }

    fn line(&mut self, knots: &[Knot], color: impl Fn(&Knot) -> Color32) {
        let mut before = (0.0, 0.0);
        for knot in knots {
            let (from, to) = (before, knot.offset);
            match knot.way {
                Way::Begins => self.end(),
                Way::Gap => {
                    self.end();
                    self.dashes(from, to, color(knot).gamma_multiply(0.8), DOTS, MIN_GAP);
                }
                Way::Rough if self.broken => {
                    self.end();
                    self.dashes(from, to, color(knot), DASHES, 0.0);
                }
                Way::Rough | Way::Plain => self.segment(from, to, color(knot)),
            }
            before = to;
        }
        self.end();
    }

    fn segment(&mut self, from: (f64, f64), to: (f64, f64), color: Color32) {
        let Some((a, b)) = self.clip.cut(from, to) else { return self.end() };
        let (start, end) = (self.pos(a), self.pos(b));
        if self.open.is_empty() {
            self.open.push((start, color));
        }
        if self.open.last().is_some_and(|(last, _)| ribbon::is_apart(*last, end)) {
            self.open.push((end, color));
        }
        if b != to {
            self.end();
        }
    }

    /// A broken line, if it is at least so long on the screen.
    fn dashes(&mut self, from: (f64, f64), to: (f64, f64), color: Color32, (dash, gap): (f32, f32), least: f32) {
        let Some((a, b)) = self.clip.cut(from, to).filter(|_| self.broken) else { return };
        let (a, b) = (self.pos(a), self.pos(b));
        let length = a.distance(b);
        if length < least.max(f32::EPSILON) {
            return;
        }
        let step = (dash + gap).max(length / MAX_DASHES);
        let way = (b - a) / length;
        let mut at = 0.0;
        while at < length {
            let end = (at + step * dash / (dash + gap)).min(length);
            self.ribbon.add(&[(a + way * at, color), (a + way * end, color)]);
            at += step;
        }
    }

    fn end(&mut self) {
        self.ribbon.add(&self.open);
        self.open.clear();
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
        model::{DeviceId, Fix, PacketId, Readings, StoredFix, Timestamp, Trust},
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
