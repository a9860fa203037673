//! Where a device was at given moments, by what is stored: by that a position out of a file is known to be here already.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use rusqlite::{Connection, Result};

use super::query;
use crate::{
    geo::LatLon,
    model::{DeviceId, Fix, TimeWindow, Timestamp},
};

/// So many more positions than moments are passed over before each moment is asked for by itself.
const PASSED: usize = 20;

/// Places within this are the same: files round, to a tenth of a metre at worst.
const ROUNDED_DEG: f64 = 1e-6;

/// Places by their moment, in milliseconds.
#[derive(Debug, Default)]
pub struct PlacesAt(HashMap<i64, Vec<LatLon>>);

impl PlacesAt {
    /// Where a device was at these moments.
    pub fn read(db: &Connection, device: DeviceId, moments: impl Iterator<Item = Timestamp>) -> Result<Self> {
        let wanted: HashSet<i64> = moments.map(Timestamp::as_millisecond).collect();
        let mut found = Self::default();
        let (Some(first), Some(last)) = (wanted.iter().min(), wanted.iter().max()) else { return Ok(found) };
        let mut left = 1_000 + PASSED * wanted.len();
        query::track_each(db, device, window(*first, *last), |stored| {
            if wanted.contains(&stored.fix.at.as_millisecond()) {
                found.add(&stored.fix);
            }
            left = left.saturating_sub(1);
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if left > 0 {
            return Ok(found);
        }
        // The moments lie far apart among many others.
        found = Self::default();
        for ms in wanted {
            query::track_each(db, device, window(ms, ms), |stored| {
                found.add(&stored.fix);
                ControlFlow::Continue(())
            })?;
        }
        Ok(found)
    }

    /// One more position is there.
    pub fn add(&mut self, fix: &Fix) {
        self.0.entry(fix.at.as_millisecond()).or_default().push(fix.place);
    }

    /// Whether the device was there at this moment.
    pub fn has(&self, fix: &Fix) -> bool {
        self.0.get(&fix.at.as_millisecond()).is_some_and(|places| places.iter().any(|place| same(*place, fix.place)))
    }
}

fn window(from_ms: i64, to_ms: i64) -> TimeWindow {
    TimeWindow { from: Timestamp::from_millisecond(from_ms).ok(), to: Timestamp::from_millisecond(to_ms).ok() }
}

fn same(a: LatLon, b: LatLon) -> bool {
    let east = (a.lon_deg() - b.lon_deg()).abs();
    // The last meridian is the first.
    (a.lat_deg() - b.lat_deg()).abs() < ROUNDED_DEG && (east < ROUNDED_DEG || (east - 360.0).abs() < ROUNDED_DEG)
}
