//! Which devices' clocks are off: the time that a device wrote into its newest positions against that of their arrival.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result};

use crate::model::DeviceId;

/// Positions that are looked at, the newest of all devices.
const LOOK_AT: i64 = 4_000;
/// A device that is ahead by more has a wrong clock: nobody measures in the future.
const AHEAD_MS: i64 = 60_000;
/// One that is behind by more has a wrong clock, or sends what it measured long ago.
const BEHIND_MS: i64 = 10 * 60_000;
/// Named at most, the worst first.
const NAMED: usize = 5;

/// The clocks of the devices that sent the newest positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Adopted devices among the newest positions.
    pub devices: usize,
    pub ahead: usize,
    pub behind: usize,
    /// The worst of both.
    pub worst: Vec<ClockOff>,
}

/// A device whose times are not those of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockOff {
    pub device: DeviceId,
    pub name: String,
    /// By how much its times are later than those of arrival, in milliseconds; negative where they are earlier.
    pub ahead_ms: i64,
}

/// Looks at the newest positions of adopted devices, but not at what was imported: that came when somebody brought it. Half of a device's must be off
/// by as much.
pub fn clocks(db: &Connection) -> Result<Clocks> {
    let mut rows = db.prepare_cached(
        "SELECT p.device_id, p.fix_time_ms - p.received_ms, coalesce(d.name, d.identity)
         FROM (SELECT device_id, fix_time_ms, received_ms, packet_id FROM positions ORDER BY id DESC LIMIT ?1) p
         JOIN devices d ON d.id = p.device_id AND d.state = 'adopted'
         WHERE p.packet_id >= 0",
    )?;
    let mut by_device: BTreeMap<DeviceId, (String, Vec<i64>)> = BTreeMap::new();
    let mut rows = rows.query([LOOK_AT])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(2)?;
        by_device.entry(DeviceId(row.get(0)?)).or_insert_with(|| (name, Vec::new())).1.push(row.get(1)?);
    }
    let mut clocks = Clocks { devices: by_device.len(), ..Clocks::default() };
    for (device, (name, mut offsets)) in by_device {
        let middle = offsets.len() / 2;
        let ahead_ms = *offsets.select_nth_unstable(middle).1;
        clocks.ahead += usize::from(ahead_ms > AHEAD_MS);
        clocks.behind += usize::from(ahead_ms < -BEHIND_MS);
        if !(-BEHIND_MS..=AHEAD_MS).contains(&ahead_ms) {
            clocks.worst.push(ClockOff { device, name, ahead_ms });
        }
    }
    clocks.worst.sort_by_key(|off| std::cmp::Reverse(off.ahead_ms.unsigned_abs()));
    clocks.worst.truncate(NAMED);
    Ok(clocks)
}
