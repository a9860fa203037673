//! Every question that is asked of the store, as plain functions over a connection: hand them to [`super::Reader::read`].

use std::ops::ControlFlow;

use rusqlite::{Connection, Result};

use crate::model::{
    Command, CommandId, Device, DeviceId, DeviceOverview, PacketId, PacketRow, StoredEvent, StoredFix, TimeWindow,
    Timestamp,
};

/// Every device in any state with the last that is known of it, in the order they were first seen.
pub fn device_overviews(db: &Connection) -> Result<Vec<DeviceOverview>> {
    let _ = db;
    Ok(Vec::new())
}

/// Every device in any state, in the order they were first seen.
pub fn devices(db: &Connection) -> Result<Vec<Device>> {
    let _ = db;
    Ok(Vec::new())
}

/// The device with this id.
pub fn device(db: &Connection, id: DeviceId) -> Result<Option<Device>> {
    let _ = (db, id);
    Ok(None)
}

/// The device with this identity, else the one with this name (upper and lower case alike). An adopted one comes first.
pub fn find_device(db: &Connection, identity_or_name: &str) -> Result<Option<Device>> {
    let _ = (db, identity_or_name);
    Ok(None)
}

/// The newest `limit` positions of a device within a window, oldest first.
pub fn track(db: &Connection, device: DeviceId, window: TimeWindow, limit: usize) -> Result<Vec<StoredFix>> {
    let _ = (db, device, window, limit);
    Ok(Vec::new())
}

/// Every position of a device within a window, oldest first, one at a time and in constant memory, until `each` breaks off.
pub fn track_each(
    db: &Connection,
    device: DeviceId,
    window: TimeWindow,
    each: impl FnMut(StoredFix) -> ControlFlow<()>,
) -> Result<()> {
    let _ = (db, device, window, each);
    Ok(())
}

/// The newest `limit` packets (of a device) with an id below `before`, oldest first.
pub fn packets(
    db: &Connection,
    device: Option<DeviceId>,
    before: Option<PacketId>,
    limit: usize,
) -> Result<Vec<PacketRow>> {
    let _ = (db, device, before, limit);
    Ok(Vec::new())
}

/// The packet with this id.
pub fn packet(db: &Connection, id: PacketId) -> Result<Option<PacketRow>> {
    let _ = (db, id);
    Ok(None)
}

/// The positions that a packet told and that were new.
pub fn fixes_of_packet(db: &Connection, id: PacketId) -> Result<Vec<StoredFix>> {
    let _ = (db, id);
    Ok(Vec::new())
}

/// The newest `limit` events (of a device) by their own time, oldest first.
pub fn events(db: &Connection, device: Option<DeviceId>, limit: usize) -> Result<Vec<StoredEvent>> {
    let _ = (db, device, limit);
    Ok(Vec::new())
}

/// The newest `limit` commands (of a device), oldest first.
pub fn commands(db: &Connection, device: Option<DeviceId>, limit: usize) -> Result<Vec<Command>> {
    let _ = (db, device, limit);
    Ok(Vec::new())
}

/// The command with this id.
pub fn command(db: &Connection, id: CommandId) -> Result<Option<Command>> {
    let _ = (db, id);
    Ok(None)
}

/// Commands of a device that wait to be sent and have not expired, oldest first.
pub fn queued_commands(db: &Connection, device: DeviceId, now: Timestamp) -> Result<Vec<Command>> {
    let _ = (db, device, now);
    Ok(Vec::new())
}
