//! What the user is looking at.

use crate::model::{DeviceId, PacketId};

/// The one selection that every pane is a view of. By identity, never by row: it survives filters, sorting and new data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    pub device: Option<DeviceId>,
    pub packet: Option<PacketId>,
    /// Row id of the selected position.
    pub fix: Option<i64>,
    /// Index into the opened packet's fields.
    pub field: Option<usize>,
}

/// What the user is looking at; kept between frames and, in part, between runs.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub selection: Selection,
    /// The field under the pointer, in tree or bytes, this frame.
    pub hovered_field: Option<usize>,
    /// The device that the map keeps in its middle.
    pub follow: Option<DeviceId>,
}
