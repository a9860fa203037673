//! Where addresses come from that trackers ask for (0x1A, 0x2A, 0xA7): a hook for whoever knows some.

use std::{fmt, sync::Arc};

use crate::geo::LatLon;

/// The language in which a tracker wants an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tongue {
    English,
    Chinese,
}

/// Names places. Without one, or where it knows none, coordinates are answered.
///
/// It is asked by the task of a connection, so it answers from what it has: one that must ask others keeps what it learned for the next time.
#[derive(Clone)]
pub struct AddressSource(Arc<Find>);

type Find = dyn Fn(LatLon, Tongue) -> Option<String> + Send + Sync;

impl AddressSource {
    /// A source that asks `find`. Of its text, 90 UTF-16 units fit into an answer.
    pub fn new(find: impl Fn(LatLon, Tongue) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    /// The address of a place, if it knows one.
    pub(super) fn find(&self, place: LatLon, tongue: Tongue) -> Option<String> {
        // The parts of an answer are told apart by these two letters.
        (self.0)(place, tongue).map(|text| text.replace("&&", "& &")).filter(|text| !text.trim().is_empty())
    }
}

impl fmt::Debug for AddressSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressSource")
    }
}
