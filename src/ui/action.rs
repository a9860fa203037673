//! Everything a click may ask for.

use crate::model::{DeviceId, PacketId};

/// What a panel wants done. `App::apply` matches every one of them, so this enum is the list of what the window can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Select a device (and unselect packet and field); `None` selects nothing.
    SelectDevice(Option<DeviceId>),
    /// Select a packet: its device, its fixes and its bytes follow.
    SelectPacket(PacketId),
    /// Select the position with this row id: its device and the packet that told it follow.
    SelectFix {
        device: DeviceId,
        fix: i64,
        packet: PacketId,
    },
    /// Select a field of the opened packet, by its index in the dissection.
    SelectField(Option<usize>),
    /// The pointer is over this field (tree, bytes): light its bytes.
    HoverField(Option<usize>),
    /// One step back in order: field, packet, device.
    Escape,
    Adopt(DeviceId),
    Ignore(DeviceId),
    Rename(DeviceId, String),
    /// Keep this device in the middle of the map; a manual pan ends it.
    Follow(Option<DeviceId>),
    /// Show all devices on the map.
    FitAll,
    /// Show this device's trail and place on the map.
    FitDevice(DeviceId),
}
