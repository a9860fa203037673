//! One device's track on the map, ready to draw at any zoom.

use crate::model::StoredFix;

/// A device's fixes in order of time with a level of detail per zoom.
#[derive(Default)]
pub struct Trail;

impl Trail {
    /// From fixes in order of time.
    pub fn from_fixes(_fixes: Vec<StoredFix>) -> Self {
        Self
    }

    /// Adds a fix; one that is older than the newest takes its place in time.
    pub fn push(&mut self, _fix: &StoredFix) {}
}
