//! Bringing places into view with as little ado as possible.

use super::{Goal, MapPanel};
use crate::geo::mercator::{World, WorldBox};

impl MapPanel {
    /// Brings all of these places into view. Where they are, the map stays; where they have room at its zoom, it only moves; else it shows them from
    /// the next frame on as large as they can be.
    pub(in crate::ui) fn bring(&mut self, places: WorldBox) {
        let Some(clear) = self.clear.filter(|clear| !places.is_empty() && !clear.holds(places)) else { return };
        let (room, size) = (clear.size(), places.size());
        if size.0 > room.0 || size.1 > room.1 {
            self.goal = Some(Goal::Places(places));
        } else {
            // The middle of what nothing lies over is not the middle of the map.
            let middle = World::from_lat_lon(self.camera.center).near(clear.center());
            let to = places.center();
            let beside = World { x: to.x + middle.x - clear.center().x, y: to.y + middle.y - clear.center().y };
            self.camera.center = beside.lat_lon();
        }
        self.settled = true;
    }
}
