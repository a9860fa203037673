//! What the window knows of the past; a part of [`crate::ui::Data`].

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

use super::moment;
use crate::{
    model::{DeviceId, Fix, Readings, StoredEvent, StoredFix, Trust},
    track::{Aside, Past, Point, Series, Stats, Strip, Whereabouts, rests},
    ui::map::Trail,
};

/// One device in the span.
#[derive(Debug, Clone)]
pub struct Shown {
    pub past: Arc<Past>,
    /// Its way on the map; what is hidden is not in it.
    pub track: Arc<Trail>,
    /// What the strip draws of it.
    pub strip: Strip,
}

impl Shown {
    /// Makes a past ready to be drawn. For a million points that takes a second: not on the window's thread.
    pub(super) fn of(past: Past, series: Series) -> Self {
        let strip = Strip::of(&past.points, series);
        let mut track = Trail::default();
        for point in past.points.iter().filter(|point| !matches!(point.aside, Some(Aside::Hidden(_)))) {
            track.push(&fix(point));
        }
        Self { past: Arc::new(past), track: Arc::new(track), strip }
    }
}

/// A point as the map takes it.
fn fix(point: &Point) -> StoredFix {
    let at = moment(point.at_ms);
    let mut readings = Readings::new();
    if let Some(percent) = point.battery_percent {
        readings.set("batteryLevel", percent);
    }
    let fix = Fix {
        at,
        place: point.place,
        valid: point.valid,
        altitude_m: point.altitude_m.map(f64::from),
        speed_kmh: point.speed_kmh.map(f64::from),
        course_deg: point.course_deg.map(f64::from),
        satellites: point.satellites.map(u32::from),
        accuracy_m: point.accuracy_m.map(f64::from),
    };
    let trust = if point.aside == Some(Aside::Checksum) { Trust::Suspect } else { Trust::Good };
    // On the map its device and its arrival say nothing.
    StoredFix { id: point.fix, device: DeviceId(0), fix, received: at, trust, readings, packet: point.packet }
}

/// Spans that were read, and what was asked about them.
#[derive(Debug, Default)]
pub struct History {
    pub shown: BTreeMap<DeviceId, Shown>,
    /// Devices of whose span nothing is there yet, and which is on its way.
    pub awaited: usize,
    /// What the strips show.
    pub(super) series: Series,
    /// Alarms and the like in the span, in order of time.
    pub alarms: Vec<StoredEvent>,
    /// Packets a minute.
    pub packets: Strip,
    /// The last fix of the selected device before the instant that is looked at, with all it carried.
    pub as_of: Option<StoredFix>,
    /// The selected fix, where the store does not have it: an import that was undone, or a device that was read anew.
    pub gone: Option<i64>,
    /// Days of the calendar that were asked about, and whether they have data.
    pub days: BTreeMap<Date, bool>,
    /// Stretches in which nothing that is shown moves.
    pub rests: Vec<(i64, i64)>,
    /// Of what they were found: which state, from when to when.
    rests_of: Option<(u64, i64, i64)>,
    /// Why something is missing.
    pub trouble: Option<String>,
    /// Grows whenever what is shown has changed.
    pub version: u64,
}

impl History {
    /// A span of a device has come.
    #[cfg(test)]
    pub(super) fn take(&mut self, device: DeviceId, past: Past) {
        self.shown.insert(device, Shown::of(past, self.series));
        self.version += 1;
    }

    /// Draws something else from now on.
    pub(super) fn set_series(&mut self, series: Series) {
        if self.series != series {
            self.series = series;
            for shown in self.shown.values_mut() {
                shown.strip = Strip::of(&shown.past.points, series);
            }
        }
    }

    /// A span of a device is ready to be drawn.
    pub(super) fn put(&mut self, device: DeviceId, mut shown: Shown, series: Series) {
        if series != self.series {
            shown.strip = Strip::of(&shown.past.points, self.series);
        }
        self.shown.insert(device, shown);
        self.version += 1;
    }

    pub(super) fn find_rests(&mut self, from_ms: i64, to_ms: i64) {
        let of = (self.version, from_ms, to_ms);
        if self.rests_of == Some(of) {
            return;
        }
        self.rests_of = Some(of);
        self.rests = rests(self.shown.values().map(|shown| &*shown.past), from_ms, to_ms);
    }

    pub fn past(&self, device: DeviceId) -> Option<&Past> {
        self.shown.get(&device).map(|shown| &*shown.past)
    }

    /// Where each device was at an instant; those that had not told by then are left out.
    pub fn at(&self, ms: i64) -> impl Iterator<Item = (DeviceId, Whereabouts)> {
        self.shown.iter().filter_map(move |(device, shown)| Some((*device, shown.past.at(ms)?)))
    }

    /// The device that the bar speaks of: the selected one where its span is there, else the only one.
    pub fn main(&self, selected: Option<DeviceId>) -> Option<DeviceId> {
        let only = || self.shown.keys().copied().next().filter(|_| self.shown.len() == 1);
        selected.filter(|id| self.shown.contains_key(id)).or_else(only)
    }

    /// A bound was reached: not all of the span is there.
    pub fn cut(&self) -> bool {
        self.shown.values().any(|shown| shown.past.cut)
    }

    /// Points that are held.
    pub fn points(&self) -> usize {
        self.shown.values().map(|shown| shown.past.points.len()).sum()
    }

    /// Of one device, or of all that are shown.
    pub fn stats(&self, of: Option<DeviceId>) -> Stats {
        let chosen = self.shown.iter().filter(|(id, _)| of.is_none_or(|of| of == **id));
        chosen.fold(Stats::default(), |sum, (_, shown)| sum.and(&shown.past.stats))
    }
}
