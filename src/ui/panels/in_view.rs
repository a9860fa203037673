//! The list without the devices that are out of view on the map.

use egui::Ui;

use crate::{
    geo::mercator::{World, WorldBox},
    model::DeviceOverview,
    ui::{Action, Cx, command, command::UserCommand, theme, widgets},
};

/// What the map shows, where the list goes by it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct OnlyInView(Option<WorldBox>);

impl OnlyInView {
    /// `view` is what the map showed in the last frame.
    pub(super) fn new(wanted: bool, view: Option<WorldBox>) -> Self {
        Self(view.filter(|_| wanted))
    }

    /// True where the list goes by the map.
    pub(super) fn is_on(self) -> bool {
        self.0.is_some()
    }

    /// True where a device may be listed: all are, or it is in view.
    pub(super) fn admits(self, overview: &DeviceOverview) -> bool {
        let Some(view) = self.0 else { return true };
        let place = overview.last_fix.as_ref().map(|f| World::from_lat_lon(f.fix.place));
        // The view may lie beyond the antimeridian.
        let around = |place: World| [-1.0, 0.0, 1.0].map(|worlds| World { x: place.x + worlds, y: place.y });
        place.is_some_and(|place| around(place).iter().any(|p| view.contains(*p)))
    }
}

/// Says that the list goes by the map, with a way back.
pub(super) fn bar(ui: &mut Ui, cx: &mut Cx<'_>) {
    if !cx.view.only_in_view {
        return;
    }
    ui.horizontal(|ui| {
        ui.add_space(theme::MARGIN);
        ui.label(widgets::weak(ui, "Only devices in view on the map"));
        let keys = command::keys_of(UserCommand::OnlyInView, ui.ctx());
        if ui.small_button("Show all").on_hover_text(format!("List all devices again ({keys})")).clicked() {
            cx.ask(Action::OnlyInView(false));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        geo::LatLon,
        model::{
            Device, DeviceId, DeviceState, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix, Timestamp,
            Trust,
        },
    };

    fn at(lat: f64, lon: f64) -> DeviceOverview {
        let (id, now) = (DeviceId(1), Timestamp::UNIX_EPOCH);
        let place = LatLon::new(lat, lon).unwrap();
        let fix = Fix {
            at: now,
            place,
            valid: true,
            altitude_m: None,
            speed_kmh: None,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        let readings = Readings::new();
        let packet = PacketId(1);
        let fix = StoredFix { id: 1, device: id, fix, received: now, trust: Trust::Good, readings, packet };
        let device = Device {
            id,
            identity: Identity::new("one").unwrap(),
            protocol: Protocol::Gt06,
            name: None,
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: now,
            last_heard: None,
        };
        let readings = Readings::new();
        DeviceOverview { device, last_fix: Some(fix), readings, packets: 1, positions: 1, lost_frames: 0 }
    }

    #[test]
    fn a_device_is_listed_where_the_map_looks() {
        let view = |west: f64, east: f64| {
            let corner = |x: f64, y: f64| World { x, y };
            Some(WorldBox { min: corner(west, 0.2), max: corner(east, 0.8) })
        };
        let (brussels, suva) = (at(50.85, 4.35), at(-18.1, 178.4));
        let europe = OnlyInView::new(true, view(0.45, 0.6));
        assert!(europe.is_on() && europe.admits(&brussels) && !europe.admits(&suva));
        // Across the antimeridian, from either side.
        for (west, east) in [(0.95, 1.05), (-0.05, 0.05)] {
            let pacific = OnlyInView::new(true, view(west, east));
            assert!(pacific.admits(&suva) && !pacific.admits(&brussels));
        }
        let everything = OnlyInView::new(false, view(0.45, 0.6));
        assert!(!everything.is_on() && everything.admits(&suva));
        assert!(!europe.admits(&DeviceOverview { last_fix: None, ..at(50.85, 4.35) }), "it is nowhere");
    }
}
