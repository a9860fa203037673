//! Trails and circles of accuracy: everything below the markers.

use egui::{Color32, Mesh, Pos2, Shape, Stroke};
use jiff::SignedDuration;

use super::{
    Trail,
    camera::Screen,
    icons::Icon,
    ink::{Emphasis, Ends, Ink, Scale},
    markers::{Marker, Rank},
    paint::Scene,
    ribbon::Ribbon,
    tracks::{self, Pen},
};
use crate::{
    geo::mercator::World,
    model::{DeviceId, Timestamp},
    ui::{
        Cx,
        theme::{self, Palette},
        view::Units,
    },
};

/// Circles of accuracy of devices that are not selected; more would be a muddle.
const MAX_CIRCLES: usize = 60;

/// A circle smaller than this, in points, says nothing beside the marker; one larger would be all there is.
const CIRCLE: std::ops::Range<f32> = 18.0..20_000.0;

/// The selected position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    pub(super) place: World,
    pub(super) accuracy_m: Option<f64>,
}

/// What the colours of the trails stand for this frame.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tint {
    /// Of the selected trail, and of all others.
    selected: Option<(Scale, Ends)>,
    others: Option<(Scale, Ends)>,
}

/// What stands beside the ramp.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Legend {
    pub(super) title: &'static str,
    /// Both ends of the ramp; `None` where no point tells the number.
    pub(super) ends: Option<(String, String)>,
}

impl Tint {
    /// Finds the ends of the ramps that these trails are coloured by, and what to say about them.
    pub(super) fn of(
        cx: &Cx<'_>,
        lines: &[(DeviceId, &Trail)],
        span: Option<SignedDuration>,
        now: Timestamp,
    ) -> (Self, Option<Legend>) {
        let colour = cx.view.settings.map.colour;
        let of = |selected: bool| {
            let scale = Scale::of(colour, selected)?;
            // Trails that are coloured alike share their ramp.
            let alike = |device: DeviceId| {
                Scale::of(colour, false).is_some() || (cx.view.selection.device == Some(device)) == selected
            };
            let trails: Vec<_> = lines.iter().filter(|(device, _)| alike(*device)).map(|(_, trail)| *trail).collect();
            (!trails.is_empty()).then(|| (scale, scale.ends(trails.into_iter(), span, now)))
        };
        let (selected, others) = (of(true), of(false));
        let legend = selected.or(others).map(|(scale, ends)| Legend::new(scale, ends, cx.view.settings.units));
        let known = |tint: Option<(Scale, Option<Ends>)>| tint.and_then(|(scale, ends)| Some((scale, ends?)));
        (Self { selected: known(selected), others: known(others) }, legend)
    }
}

impl Legend {
    fn new(scale: Scale, ends: Option<Ends>, units: Units) -> Self {
        let text = |value| scale.text(value, units);
        Self { title: scale.title(), ends: ends.map(|ends| (text(ends.low), text(ends.high))) }
    }
}

/// All of it, from the bottom up.
pub(super) fn all(ui: &egui::Ui, cx: &Cx<'_>, scene: &Scene<'_>) -> Vec<Shape> {
    let palette = theme::palette(ui);
    let mut shapes = Vec::new();
    trails(ui, cx, scene, palette, &mut shapes);
    for (copy, _) in scene.screen.copies() {
        for (_, trail) in scene.lines {
            tracks::draw_suspect(&mut shapes, &copy, trail, palette.suspect, ui.visuals().extreme_bg_color);
        }
    }
    circles(ui, cx, scene, palette, &mut shapes);
    shapes
}

fn trails(ui: &egui::Ui, cx: &Cx<'_>, scene: &Scene<'_>, palette: &Palette, shapes: &mut Vec<Shape>) {
    let selected = cx.view.selection.device;
    let in_view = |trail: &Trail| scene.screen.copies_of(trail.line().bounds()).next().is_some();
    let mut seen: Vec<_> = scene.lines.iter().filter(|(_, trail)| in_view(trail)).collect();
    // The selected one above all others.
    seen.sort_by_key(|(device, _)| selected == Some(*device));
    let budget = (tracks::BUDGET / seen.len().max(1)).max(200);
    let seen = seen.into_iter().map(|(device, trail)| (*device, *trail, pen(ui, cx, scene, palette, *device, trail)));
    let seen: Vec<_> = seen.collect();
    let (mut stretches, mut dots) = (Vec::with_capacity(seen.len()), Vec::new());
    for (device, trail, pen) in &seen {
        let is_selected = selected == Some(*device);
        let budget = if is_selected { budget.max(tracks::BUDGET_OF_SELECTED) } else { budget };
        // Once for each world in view that it is on.
        for copy in scene.screen.copies_of(trail.line().bounds()) {
            if is_selected {
                tracks::draw_points(&mut dots, &copy, trail, pen, ui.visuals().extreme_bg_color);
            }
            stretches.push(tracks::Stretch::new(copy, trail, pen, budget));
        }
    }
    let mut mesh = Mesh::default();
    Ribbon::reserve(&mut mesh, stretches.iter().map(tracks::Stretch::crosses).sum());
    for stretch in stretches {
        stretch.draw(&mut mesh);
    }
    if !mesh.is_empty() {
        shapes.push(Shape::mesh(mesh));
    }
    shapes.append(&mut dots);
}

fn pen(ui: &egui::Ui, cx: &Cx<'_>, scene: &Scene<'_>, palette: &Palette, device: DeviceId, trail: &Trail) -> Pen {
    let is_selected = cx.view.selection.device == Some(device);
    let live = cx.data.shown.is_none();
    let tint = if is_selected { scene.tint.selected } else { scene.tint.others };
    let ink = if let Some((scale, ends)) = tint {
        let now = super::moment(cx);
        // What tells no number is still the selected one.
        let unknown = if is_selected { ui.visuals().selection.stroke.color } else { palette.stale };
        Ink::Number { scale, ends, now, dark: ui.visuals().dark_mode, unknown }
    } else {
        let marker = scene.markers.of(device).filter(|_| live);
        let icon = marker.map(|(m, _)| Icon::of(&m.status, m.freshness_at(cx.now), true));
        let color = icon.map_or(palette.moving, |icon| icon.color(palette));
        let color = if is_selected { color } else { color.gamma_multiply(0.8) };
        Ink::state(color, trail, live.then(|| cx.view.source_now(cx.now)))
    };
    let emphasis = cx.data.shown.as_ref().map_or(Emphasis::ALL, |shown| Emphasis::of(shown, device, trail));
    let from = super::trails_from(cx).map_or(0, |at| trail.since(at));
    // The ends of a ramp would drown in a light map.
    let casing = match tint {
        Some(_) if !ui.visuals().dark_mode => ui.visuals().strong_text_color().gamma_multiply(0.45),
        Some(_) | None => ui.visuals().extreme_bg_color.gamma_multiply(0.75),
    };
    Pen {
        ink,
        emphasis,
        width: if is_selected { 3.0 } else { 2.0 },
        casing: is_selected.then_some(casing),
        from,
        pixel: 1.0 / ui.ctx().pixels_per_point(),
    }
}

/// How sure devices are of where they are; dashed where satellites did not hold.
fn circles(ui: &egui::Ui, cx: &Cx<'_>, scene: &Scene<'_>, palette: &Palette, shapes: &mut Vec<Shape>) {
    let accent = ui.visuals().selection.stroke.color;
    let Scene { screen, markers, in_view, .. } = *scene;
    if cx.view.settings.map.accuracy {
        let others = in_view.single.iter().filter(|m| m.rank != Rank::Selected).take(MAX_CIRCLES);
        let seen = |index: usize| {
            let place = markers.place(index);
            // Far out hardly any is large enough, so the markers themselves are looked at last.
            let radius_m = markers.standing(index)?.accuracy_m.map(f64::from);
            circle_of(screen, place, radius_m).and(markers.get(index)).zip(Some(place))
        };
        for (marker, place) in others.filter_map(|m| seen(m.index)) {
            let color = Icon::of(&marker.status, marker.freshness_at(cx.now), true).color(palette);
            circle(screen, place, marker.accuracy_m, color.gamma_multiply(0.7), is_rough(marker), shapes);
        }
    }
    if let Some((marker, place)) = cx.view.selection.device.and_then(|d| markers.of(d)) {
        circle(screen, place, marker.accuracy_m, accent, is_rough(marker), shapes);
    }
    if let Some(spot) = scene.spot {
        circle(screen, spot.place, spot.accuracy_m, accent, false, shapes);
    }
}

fn is_rough(marker: &Marker) -> bool {
    marker.status.suspect
}

/// Where a circle of accuracy is and how large, in points; `None` where none is to be seen.
fn circle_of(screen: &Screen, place: World, radius_m: Option<f64>) -> Option<(Pos2, f32)> {
    let radius = screen.points_of_metres(radius_m.filter(|m| *m > 0.0 && m.is_finite())?, place);
    let middle = screen.pos(place);
    (CIRCLE.contains(&radius) && screen.rect.expand(radius).contains(middle)).then_some((middle, radius))
}

fn circle(screen: &Screen, place: World, radius_m: Option<f64>, color: Color32, dashed: bool, shapes: &mut Vec<Shape>) {
    let Some((middle, radius)) = circle_of(screen, place, radius_m) else { return };
    shapes.push(Shape::circle_filled(middle, radius, color.gamma_multiply(0.10)));
    let rim = Stroke::new(1.0, color.gamma_multiply(0.6));
    if dashed {
        let turn = |n: u8| middle + radius * egui::Vec2::angled(f32::from(n) / 64.0 * std::f32::consts::TAU);
        let ring: Vec<_> = (0..=64).map(turn).collect();
        shapes.extend(Shape::dashed_line(&ring, rim, 5.0, 4.0));
    } else {
        shapes.push(Shape::circle_stroke(middle, radius, rim));
    }
}
