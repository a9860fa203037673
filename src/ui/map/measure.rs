//! The measuring tool: how far, and in which direction, from one clicked place to the next, along great circles.

use egui::{Align2, FontId, Rect, Shape, Stroke, vec2};

use super::{camera::Screen, controls};
use crate::{
    geo::{LatLon, mercator::World},
    ui::{format, view::Units},
};

/// A great circle is drawn as so many straight parts.
const PARTS: u32 = 48;

/// Places that are measured at most.
const MAX_POINTS: usize = 500;

/// What was clicked so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Measure {
    points: Vec<LatLon>,
}

impl Measure {
    /// The next place.
    pub(super) fn click(&mut self, place: LatLon) {
        if self.points.len() < MAX_POINTS && self.points.last() != Some(&place) {
            self.points.push(place);
        }
    }

    /// Takes the last place back.
    pub(super) fn take_back(&mut self) {
        self.points.pop();
    }

    /// Something was measured.
    pub(super) fn has_legs(&self) -> bool {
        self.points.len() > 1
    }

    /// Metres along all places.
    fn total_m(&self) -> f64 {
        self.points.windows(2).map(|pair| pair[0].distance_m(pair[1])).sum()
    }

    /// `12.3 km in 2 legs`; with the pointer, what it would be and in which direction.
    pub(super) fn sentence(&self, pointer: Option<LatLon>, units: Units) -> String {
        let Some(last) = self.points.last() else { return "Click where to measure from".to_owned() };
        let legs = self.points.len() as u64 - 1;
        let total = format::distance(self.total_m(), units);
        let so_far = (legs > 0).then(|| format!("{total} in {}", format::counted(legs, "leg", "legs")));
        let next = pointer.filter(|p| p != last).map(|pointer| {
            let leg = leg(*last, pointer, units);
            let sum = format::distance(self.total_m() + last.distance_m(pointer), units);
            if legs > 0 { format!("next {leg}, total {sum}") } else { leg }
        });
        match (so_far, next) {
            (Some(so_far), Some(next)) => format!("{so_far}; {next}"),
            (Some(text), None) | (None, Some(text)) => text,
            (None, None) => "Click where to measure to".to_owned(),
        }
    }

    /// Draws the legs, each with its length and bearing, and one to where the pointer is.
    pub(super) fn paint(&self, ui: &egui::Ui, screen: &Screen, target: Option<LatLon>, units: Units) {
        let painter = ui.painter().with_clip_rect(screen.rect);
        let (accent, casing) = (ui.visuals().selection.stroke.color, ui.visuals().extreme_bg_color);
        let mut taken: Vec<Rect> = Vec::new();
        for pair in self.points.windows(2) {
            way(&painter, screen, pair[0], pair[1], Stroke::new(4.5, casing), false);
            way(&painter, screen, pair[0], pair[1], Stroke::new(2.0, accent), false);
        }
        if let Some((last, target)) = self.points.last().zip(target) {
            way(&painter, screen, *last, target, Stroke::new(4.0, casing.gamma_multiply(0.7)), false);
            way(&painter, screen, *last, target, Stroke::new(1.6, accent), true);
        }
        for place in &self.points {
            let pos = screen.pos(World::from_lat_lon(*place));
            painter.circle(pos, 4.0, casing, Stroke::new(2.0, accent));
        }
        let ends = self.points.windows(2).map(|pair| (pair[0], pair[1])).chain(self.points.last().copied().zip(target));
        for (a, b) in ends {
            let middle = screen.pos(World::from_lat_lon(a.part_of_way(b, 0.5)));
            let font = FontId::proportional(12.0);
            let galley = painter.layout_no_wrap(leg(a, b, units), font, ui.visuals().strong_text_color());
            let place = Align2::CENTER_CENTER.anchor_size(middle + vec2(0.0, -14.0), galley.size() + vec2(8.0, 3.0));
            // A leg too short for its text says nothing; the sum is told at the top.
            let length = screen.pos(World::from_lat_lon(a)).distance(screen.pos(World::from_lat_lon(b)));
            if length < 40.0 || taken.iter().any(|t| t.intersects(place)) || !screen.rect.contains_rect(place) {
                continue;
            }
            painter.rect_filled(place, 3.0, controls::backdrop(ui));
            painter.galley(place.min + vec2(4.0, 1.5), galley, ui.visuals().strong_text_color());
            taken.push(place);
        }
    }
}

/// `12.3 km, 093°`.
fn leg(from: LatLon, to: LatLon, units: Units) -> String {
    let length = format::distance(from.distance_m(to), units);
    match from.bearing_deg(to) {
        Some(bearing) => format!("{length}, {}", format::course(bearing)),
        None => length,
    }
}

fn way(painter: &egui::Painter, screen: &Screen, from: LatLon, to: LatLon, stroke: Stroke, dashed: bool) {
    let places = (0..=PARTS).map(|n| World::from_lat_lon(from.part_of_way(to, f64::from(n) / f64::from(PARTS))));
    let places: Vec<World> = places.collect();
    // Where it leaves the map at one side and comes back at the other, nothing is drawn across.
    for run in places.chunk_by(|a, b| (a.x - b.x).abs() < 0.5) {
        let line: Vec<_> = run.iter().map(|world| screen.pos(*world)).collect();
        if dashed {
            painter.extend(Shape::dashed_line(&line, stroke, 6.0, 4.0));
        } else {
            painter.add(Shape::line(line, stroke));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_what_was_measured() {
        let place = |lat, lon| LatLon::new(lat, lon).unwrap();
        let mut measure = Measure::default();
        let tell = |m: &Measure, to: Option<LatLon>| m.sentence(to, Units::Metric);
        assert_eq!(tell(&measure, None), "Click where to measure from");
        measure.click(place(0.0, 0.0));
        measure.click(place(0.0, 0.0));
        assert_eq!(tell(&measure, None), "Click where to measure to");
        assert_eq!(tell(&measure, Some(place(0.0, 0.1))), "11.1 km, 090°");
        measure.click(place(0.0, 0.1));
        assert_eq!(tell(&measure, None), "11.1 km in 1 leg");
        assert_eq!(tell(&measure, Some(place(0.1, 0.1))), "11.1 km in 1 leg; next 11.1 km, 000°, total 22.2 km");
        measure.click(place(0.1, 0.1));
        measure.take_back();
        assert_eq!(measure.sentence(None, Units::Imperial), "6.9 mi in 1 leg");
    }
}
