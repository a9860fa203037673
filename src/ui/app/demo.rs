//! The demo as the window sees it: bring it into view, and know when one was left behind.

use crate::{
    backend::{Backend, demo::is_demo},
    model::{DeviceOverview, DeviceState},
    ui::Data,
};

/// Vehicles of the demo.
const VEHICLES: usize = 3;

/// What is remembered about it.
#[derive(Default)]
pub(super) struct Demo {
    /// It was started, and its vehicles are to be shown once all are on the road.
    unseen: bool,
    /// No demo is running, but its devices are still there.
    left: bool,
    /// For which roster, and with or without a running demo, that was found.
    looked_at: Option<(u64, bool)>,
}

impl Demo {
    pub(super) fn start(&mut self, backend: Option<&Backend>) {
        if let Some(backend) = backend {
            backend.start_demo(VEHICLES);
            self.unseen = true;
        }
    }

    /// True, once, when all vehicles of a demo that was just started can be seen.
    pub(super) fn on_the_road(&mut self, data: &Data) -> bool {
        let here = |d: &&DeviceOverview| d.last_fix.is_some() && is_demo(&d.device.identity);
        let arrived = self.unseen && data.devices.values().filter(here).count() >= VEHICLES;
        self.unseen &= !arrived;
        arrived
    }

    /// True where an earlier demo was not removed.
    pub(super) fn left_behind(&mut self, data: &Data, running: bool) -> bool {
        let now = (data.roster, running);
        if self.looked_at != Some(now) {
            let listed = |d: &DeviceOverview| d.device.state != DeviceState::Ignored && is_demo(&d.device.identity);
            self.left = !running && data.devices.values().any(listed);
            self.looked_at = Some(now);
        }
        self.left
    }
}
