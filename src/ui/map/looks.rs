//! The devices' own colours and icons on the map: a ring around the marker, and a chip on the label. What a device does, its marker says.

use egui::{Painter, Rect, Stroke, pos2};

use super::{
    camera::Screen,
    icons,
    markers::{InView, Markers, Rank, SELECTED_RADIUS},
};
use crate::ui::{
    device_icons::{self, Chip},
    theme::{Palette, tints},
};

/// Distance of the ring from what is the marker's, in points.
const AWAY: f32 = 2.6;

/// A ring in its own colour around each single marker that has one; the selected one has a circle already, so its ring is wider.
pub(super) fn rings(painter: &Painter, screen: &Screen, markers: &Markers, in_view: &InView) {
    for m in &in_view.single {
        let chip = markers.get(m.index).and_then(|marker| marker.chip);
        let Some(tint) = chip.and_then(|chip| chip.color) else { continue };
        let radius = if m.rank == Rank::Selected { SELECTED_RADIUS + 2.5 } else { icons::RADIUS + AWAY };
        painter.circle_stroke(m.pos(screen, markers), radius, Stroke::new(2.2, tints::color(tint)));
    }
}

/// Room that a label needs more, in points.
pub(super) fn label_room(chip: Option<Chip>) -> f32 {
    chip.map_or(0.0, |chip| if chip.icon.is_some() { device_icons::CHIP + 3.0 } else { 7.0 })
}

/// Paints colour and icon at the left of a label; gives how far the name moves to the right.
pub(super) fn on_label(painter: &Painter, label: Rect, chip: Option<Chip>, p: &Palette) -> f32 {
    let room = label_room(chip);
    if let Some(chip) = chip {
        device_icons::chip(painter, pos2(label.left() + 1.0 + room / 2.0, label.center().y), chip, p);
    }
    room
}
