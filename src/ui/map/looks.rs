//! The devices' own colours and icons on the map: a ring around the marker, and a chip on the label. What a device does, its marker says.

use egui::{Painter, Rect, Stroke, pos2};

use super::{
    camera::Screen,
    icons,
    markers::{Markers, Rank, Shown},
};
use crate::{
    model::{DeviceId, Look},
    ui::{
        Data, device_icons,
        theme::{Palette, tints},
    },
};

/// Distance of the ring from what is the marker's, in points.
const AWAY: f32 = 2.6;

/// How a device is told from others; `None` where nothing was chosen that a map can show.
pub(super) fn of(data: &Data, device: DeviceId) -> Option<&Look> {
    let look = &data.devices.get(&device)?.device.profile.look;
    device_icons::has_chip(look).then_some(look)
}

/// A ring in its own colour around each single marker that has one; the selected one has a circle already, so its ring is wider.
pub(super) fn rings(painter: &Painter, screen: &Screen, data: &Data, markers: &Markers, shown: &Shown) {
    for m in &shown.single {
        let Some(marker) = markers.get(m.index) else { continue };
        let Some(tint) = of(data, marker.device).and_then(|look| look.color) else { continue };
        let radius =
            if m.rank == Rank::Selected { super::markers::SELECTED_RADIUS + 2.5 } else { icons::RADIUS + AWAY };
        painter.circle_stroke(screen.pos(markers.place(m.index)), radius, Stroke::new(2.2, tints::color(tint)));
    }
}

/// Room that a label needs more, in points.
pub(super) fn label_room(data: &Data, device: DeviceId) -> f32 {
    of(data, device).map_or(0.0, |look| if look.icon.is_some() { device_icons::CHIP + 3.0 } else { 7.0 })
}

/// Paints colour and icon at the left of a label; gives how far the name moves to the right.
pub(super) fn on_label(painter: &Painter, label: Rect, data: &Data, device: DeviceId, p: &Palette) -> f32 {
    let Some(look) = of(data, device) else { return 0.0 };
    let room = label_room(data, device);
    device_icons::chip(painter, pos2(label.left() + 1.0 + room / 2.0, label.center().y), look, p);
    room
}
