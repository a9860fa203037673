//! The short pulse around a device that has just told a new place: 300 ms, and begun four times a second at most, however many report.

use std::time::Duration;

use egui::{Color32, Painter, Stroke};

use super::{camera::Screen, markers::Markers};
use crate::model::DeviceId;

/// How long a pulse takes, in seconds.
const TAKES_S: f64 = 0.3;

/// Between the beginnings of two pulses, in seconds.
const EVERY_S: f64 = 0.25;

/// Between two frames of a pulse: it is too short to need more.
const FRAME: Duration = Duration::from_millis(40);

/// Devices that pulse together at most; a whole fleet would only flicker.
const AT_ONCE: usize = 40;

/// The pulses that are going on.
#[derive(Debug, Default)]
pub(super) struct Pulses {
    /// Device and when it began.
    list: Vec<(DeviceId, f64)>,
    begun: Option<f64>,
}

impl Pulses {
    /// New fixes have come of these devices at a time, in seconds of the window.
    pub(super) fn begin(&mut self, devices: impl Iterator<Item = DeviceId>, time: f64) {
        if self.begun.is_some_and(|begun| time - begun < EVERY_S) {
            return;
        }
        let before = self.list.len();
        self.list.extend(devices.take(AT_ONCE).map(|device| (device, time)));
        if self.list.len() > before {
            self.begun = Some(time);
        }
    }

    /// None go on.
    pub(super) fn end(&mut self) {
        self.list.clear();
    }

    /// Draws the pulses, and wakes the window for their next frame.
    pub(super) fn paint(&mut self, painter: &Painter, screen: &Screen, markers: &Markers, color: Color32, time: f64) {
        self.list.retain(|(_, begun)| (0.0..TAKES_S).contains(&(time - begun)));
        let mut any = false;
        for (device, begun) in &self.list {
            let Some((_, place)) = markers.of(*device).filter(|(_, place)| screen.rect.contains(screen.pos(*place)))
            else {
                continue;
            };
            let part = super::camera::points((time - begun) / TAKES_S);
            let color = color.gamma_multiply(0.8 * (1.0 - part));
            painter.circle_stroke(screen.pos(place), 8.0 + 12.0 * part, Stroke::new(2.5, color));
            any = true;
        }
        if any {
            painter.ctx().request_repaint_after(FRAME);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_begin_four_times_a_second_at_most() {
        let mut pulses = Pulses::default();
        let devices = |n: i64| (0..n).map(DeviceId);
        for step in 0..100 {
            pulses.begin(devices(1), f64::from(step) * 0.01);
        }
        assert_eq!(pulses.list.len(), 4);
        pulses.begin(devices(10_000), 10.0);
        assert_eq!(pulses.list.len(), 4 + AT_ONCE);
        pulses.begin(devices(0), 20.0);
        pulses.begin(devices(1), 20.1);
        assert_eq!(pulses.list.len(), 5 + AT_ONCE, "nothing begun keeps nothing back");
        pulses.end();
        assert!(pulses.list.is_empty());
    }
}
