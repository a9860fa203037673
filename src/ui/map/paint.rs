//! Paints what lies on the tiles: trails, accuracy, markers, labels, and the words of tooltips.

use std::sync::Arc;

use egui::{Color32, Galley, Pos2, Rect, Stroke, Vec2, pos2, vec2};

use super::{
    Trail, bubbles,
    camera::Screen,
    controls,
    crowd::{More, Nameless},
    heaps::heap_radius,
    icons::{self, Icon, Icons},
    labels::Room,
    lines::{self, Spot, Tint},
    looks,
    markers::{InView, Markers, Rank, SELECTED_RADIUS, Seen},
    spread,
    style::Labels,
    tracks, words,
};
use crate::{
    geo::mercator::World,
    model::DeviceId,
    ui::{Cx, device_icons::Chip, faces::Face, theme},
};

/// Labels that are tried; those of markers that matter less are left out.
const MAX_LABELS: usize = 300;

/// Markers that labels keep clear of; more are too dense to.
const MAX_OBSTACLES: usize = 1_500;

/// Labels that are tried further off when there is no room beside the marker, the most important ones.
const MAX_AWAY: usize = 40;

/// Points of the selected trail that labels keep clear of, about.
const MOST_PARTS: usize = 1_000;

/// Room for a face before a name.
const FACE: f32 = 19.0;
const LABEL_PADDING: Vec2 = vec2(4.0, 1.5);

/// A device's name and where it goes.
pub(super) struct Label {
    place: Rect,
    /// Where the marker is that a line leads to; `None` where the label stands beside it.
    leads_to: Option<Pos2>,
    galley: Arc<Galley>,
    color: Color32,
    selected: bool,
    /// Its own colour and icon, which stand before everything.
    chip: Option<Chip>,
    /// Whose face stands before the name.
    face: Option<DeviceId>,
}

/// What one frame says on the tiles.
#[derive(Default)]
pub(super) struct Words {
    pub(super) labels: Vec<Label>,
    /// Where names found no room.
    pub(super) more: Vec<More>,
}

/// What one frame draws on the tiles.
pub(super) struct Scene<'a> {
    pub(super) screen: &'a Screen,
    pub(super) markers: &'a Markers,
    pub(super) lines: &'a [(DeviceId, &'a Trail)],
    pub(super) in_view: &'a InView,
    pub(super) icons: &'a Icons,
    pub(super) tint: Tint,
    /// The selected position, and the radius that its device gave it, in metres.
    pub(super) spot: Option<Spot>,
}

/// Everything on the tiles.
pub(super) fn all(ui: &egui::Ui, cx: &Cx<'_>, scene: &Scene<'_>, said: Words) {
    let Scene { screen, markers, in_view, icons, .. } = *scene;
    let painter = ui.painter().with_clip_rect(screen.rect);
    let palette = theme::palette(ui);
    let accent = ui.visuals().selection.stroke.color;
    painter.extend(lines::all(ui, cx, scene));
    spread::paint_legs(&painter, screen, markers, in_view, Stroke::new(1.0, ui.visuals().text_color()));
    let selected = cx.view.selection.device.and_then(|d| markers.of(d));

    looks::rings(&painter, screen, markers, in_view);
    let mut mesh = icons.mesh();
    for m in in_view.single.iter().rev().filter(|m| m.rank != Rank::Selected) {
        stamp(&mut mesh, screen, markers, *m, icons);
    }
    painter.add(mesh);
    // Above the markers, which would hide the number.
    bubbles::all(&painter, ui, screen, &in_view.heaps, icons, palette);
    if selected.is_some()
        && let Some(seen) = in_view.single.iter().find(|m| m.rank == Rank::Selected)
    {
        let pos = seen.pos(screen, markers);
        painter.circle(pos, SELECTED_RADIUS, accent.gamma_multiply(0.22), Stroke::new(2.0, accent));
    }
    let mut mesh = icons.mesh();
    for m in in_view.single.iter().filter(|m| m.rank == Rank::Selected) {
        stamp(&mut mesh, screen, markers, *m, icons);
    }
    painter.add(mesh);
    if let Some(spot) = scene.spot {
        ring(ui, screen, spot.place);
    }
    let backdrop = controls::backdrop(ui);
    let Words { labels, more } = said;
    for label in &labels {
        if let Some(marker) = label.leads_to {
            let end = label.place.clamp(marker);
            let start = marker + (end - marker).normalized() * icons::RADIUS;
            painter.line_segment([start, end], Stroke::new(3.0, backdrop));
            painter.line_segment([start, end], Stroke::new(1.0, ui.visuals().text_color()));
        }
    }
    for more in more {
        more.paint(&painter, backdrop, ui.visuals().text_color());
    }
    for label in labels {
        painter.rect_filled(label.place, 3.0, backdrop);
        if label.selected {
            painter.rect_stroke(label.place, 3.0, Stroke::new(1.0, accent), egui::StrokeKind::Inside);
        }
        let mut corner = label.place.min + LABEL_PADDING;
        corner.x += looks::on_label(&painter, label.place, label.chip, palette);
        if let Some(face) = label.face.and_then(|id| cx.data.phones.faces.get(&id)) {
            let radius = label.place.height() / 2.0 - 1.0;
            let centre = pos2(corner.x + radius - 2.0, label.place.center().y);
            face.paint(&painter, centre, radius, palette.line);
            corner += vec2(FACE, 1.0);
        }
        painter.galley(corner, label.galley, label.color);
    }
}

fn stamp(mesh: &mut egui::Mesh, screen: &Screen, markers: &Markers, m: Seen, icons: &Icons) {
    let Some(marker) = markers.get(m.index) else { return };
    let pos = m.pos(screen, markers);
    let icon = Icon::of(&marker.status, m.freshness, marker.up.is_some());
    let up = match (icon, marker.up) {
        (Icon::Arrow(_), Some(up)) => up,
        (Icon::Arrow(_) | Icon::Disc(_) | Icon::MovingDisc | Icon::New | Icon::Question | Icon::Alarm, _) => Vec2::UP,
    };
    icons.stamp(mesh, icon, pos, up);
    if marker.status.alarm {
        icons.stamp(mesh, Icon::Alarm, pos + vec2(8.0, -8.0), Vec2::UP);
    }
}

/// A ring around a point of a trail.
pub(super) fn ring(ui: &egui::Ui, screen: &Screen, place: World) {
    let painter = ui.painter().with_clip_rect(screen.rect);
    let pos = screen.pos(place);
    painter.circle_stroke(pos, 7.0, Stroke::new(4.5, ui.visuals().extreme_bg_color));
    painter.circle_stroke(pos, 7.0, Stroke::new(2.0, ui.visuals().selection.stroke.color));
}

/// Takes what the selected trail covers.
fn take_selected(room: &mut Room, screen: &Screen, cx: &Cx<'_>) {
    let selected = cx.view.selection.device.and_then(|device| super::trail_of(cx.data, device));
    let drawn = cx.data.shown.is_some() || cx.view.settings.map.trail.span().is_some();
    let Some(trail) = selected.filter(|_| drawn) else { return };
    let from = super::trails_from(cx).map_or(0, |at| trail.since(at));
    for copy in screen.copies_of(trail.line().bounds()) {
        // The newest first, by which the name stands: a long way has more than is taken.
        room.take_line(tracks::parts_in_view(&copy, trail, from, MOST_PARTS).into_iter().rev());
    }
}

/// Finds room for labels; what is taken afterwards is all that covers the map. `edges` is taken by buttons and the like.
pub(super) fn place_labels(
    ui: &egui::Ui,
    screen: &Screen,
    cx: &Cx<'_>,
    markers: &Markers,
    shown: &InView,
    edges: &[Rect],
) -> (Words, Room) {
    let mut room = Room::new(screen.rect);
    for area in edges {
        room.take(*area);
    }
    for heap in &shown.heaps {
        let side = 2.0 * heap_radius(heap.count);
        room.take(Rect::from_center_size(screen.pos(heap.middle), Vec2::splat(side)));
    }
    for marker in shown.single.iter().take(MAX_OBSTACLES) {
        let pos = marker.pos(screen, markers);
        room.take(Rect::from_center_size(pos, Vec2::splat(2.0 * icons::RADIUS)));
    }
    let (data, level) = (cx.data, cx.view.settings.map.labels);
    if level == Labels::Off {
        return (Words::default(), room);
    }
    take_selected(&mut room, screen, cx);
    let (text, strong) = (ui.visuals().text_color(), ui.visuals().strong_text_color());
    let mut labels = Vec::new();
    let mut nameless = Nameless::new(&room);
    let mut tries = MAX_AWAY;
    for m in shown.single.iter().take(MAX_LABELS) {
        let Some(marker) = markers.get(m.index) else { continue };
        let pos = m.pos(screen, markers);
        let color = if m.rank == Rank::Stale { text } else { strong };
        let galley = words::label(ui, cx, marker, level, color);
        let face = data.phones.faces.get(&marker.device).is_some_and(Face::is_there).then_some(marker.device);
        let mut size = galley.size() + 2.0 * LABEL_PADDING;
        if face.is_some() {
            size += vec2(FACE, 2.0);
        }
        size.x += looks::label_room(marker.chip);
        let selected = m.rank == Rank::Selected;
        let mut place = room.beside(pos, size);
        let mut leads_to = None;
        if place.is_none() && m.rank <= Rank::Late && tries > 0 {
            tries -= 1;
            place = room.away(pos, size, &super::labels::AWAY);
            leads_to = place.map(|_| pos);
        }
        if place.is_none() && selected {
            // Rather on its own trail than nowhere.
            place = room.beside_at_all(pos, size);
        }
        let Some(place) = place else {
            nameless.add(&room, pos, markers.place(m.index));
            continue;
        };
        words::wake(ui, cx, marker, level);
        labels.push(Label { place, leads_to, galley, color, selected, chip: marker.chip, face });
    }
    for m in shown.single.iter().skip(MAX_LABELS) {
        nameless.add(&room, m.pos(screen, markers), markers.place(m.index));
    }
    let more = nameless.told(ui, &mut room);
    (Words { labels, more }, room)
}
