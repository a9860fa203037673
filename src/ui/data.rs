//! The read model: what the window knows, filled by facts and by answers to its questions.

use std::collections::{BTreeMap, VecDeque};

use super::map::Trail;
use crate::model::{DeviceId, DeviceOverview, PacketRow, StoredFix};
use crate::wire::Dissection;

/// Everything the panels may read. Only `App::logic` and `App::apply` change it.
#[derive(Default)]
pub struct Data {
    /// Every device in any state, in the order they were first seen.
    pub devices: BTreeMap<DeviceId, DeviceOverview>,
    /// The trail of each device that is shown.
    pub trails: BTreeMap<DeviceId, Trail>,
    /// The newest packets, oldest first; bounded.
    pub packets: VecDeque<PacketRow>,
    /// The selected packet, opened.
    pub opened: Option<Opened>,
}

/// A packet with what its bytes say: what tree and bytes show.
pub struct Opened {
    pub row: PacketRow,
    pub dissection: Dissection,
    /// The positions that it told.
    pub fixes: Vec<StoredFix>,
}
