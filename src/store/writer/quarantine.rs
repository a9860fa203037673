//! The bounds on what senders can leave here that nobody has adopted.
//!
//! A packet is held while its sender is unknown, new or ignored; the column `held` says for how many bytes it counts, and adopting its device
//! clears it. What a device sent while it was adopted is never held, even if the device is ignored later.

use jiff::SignedDuration;
use rusqlite::{Connection, OptionalExtension, Result};

use super::{batch::Batch, devices::Devices};
use crate::model::{DeviceId, Keep, PacketId, Timestamp};
use crate::store::row;

/// What a held packet counts beside its bytes: its row, and those of what it told.
const ROW_BYTES: usize = 512;

/// How often ages are looked at.
pub(super) const AGES_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// Packets removed in one transaction, so that ingest never waits for long.
const STEP: usize = 500;

const DROPPED_PACKETS: &str = "dropped_packets";
const DROPPED_DEVICES: &str = "dropped_devices";

/// How much is held, kept along with every write.
#[derive(Default)]
pub(super) struct Quarantine {
    /// Bytes held.
    pub(super) bytes: u64,
    /// Devices nobody has decided about.
    pub(super) undecided: usize,
    /// What the bounds removed, ever.
    pub(super) dropped_packets: u64,
    pub(super) dropped_devices: u64,
    /// When everything too old was last removed.
    aged: Option<Timestamp>,
}

impl Quarantine {
    pub(super) fn load(db: &Connection, devices: &Devices) -> Result<Self> {
        let held = "SELECT coalesce(sum(held), 0) FROM packets WHERE held IS NOT NULL";
        Ok(Self {
            bytes: db.prepare_cached(held)?.query_row([], |row| row::count(row, 0))?,
            undecided: devices.undecided().count(),
            dropped_packets: counter(db, DROPPED_PACKETS)?,
            dropped_devices: counter(db, DROPPED_DEVICES)?,
            aged: None,
        })
    }

    /// Counts a packet of so many bytes; what it answers goes into the column `held`.
    pub(super) fn hold(&mut self, bytes: usize) -> i64 {
        let held = bytes + ROW_BYTES;
        self.bytes += held as u64;
        i64::try_from(held).unwrap_or(i64::MAX)
    }

    /// The bytes of so many packets that count for so much.
    pub(super) fn bytes_of(packets: u64, held: i64) -> u64 {
        held.max(0).cast_unsigned().saturating_sub(packets * ROW_BYTES as u64)
    }

    /// Packets that counted for so much are adopted or gone.
    pub(super) fn release(&mut self, held: i64) {
        self.bytes = self.bytes.saturating_sub(held.max(0).cast_unsigned());
    }

    /// Whether [`Batch::trim`] has something to do. Cheap: it only compares numbers.
    pub(super) fn is_over(&self, keep: &Keep, now: Timestamp) -> bool {
        // Some slack, so that a flood of new names is not paid for one by one.
        self.undecided > keep.new_devices + keep.new_devices / 8
            || self.bytes > keep.quarantine_bytes
            || self.aged.is_none_or(|aged| now.duration_since(aged).abs() >= AGES_EVERY)
    }
}

/// A number that outlives the run; 0 where nobody counted yet.
pub(super) fn counter(db: &Connection, name: &str) -> Result<u64> {
    let mut select = db.prepare_cached("SELECT value FROM counters WHERE name = ?1")?;
    Ok(select.query_row([name], |row| row::count(row, 0)).optional()?.unwrap_or_default())
}

/// Sets such a number.
pub(super) fn set_counter(db: &Connection, name: &str, value: u64) -> Result<()> {
    let mut set = db.prepare_cached("INSERT OR REPLACE INTO counters(name, value) VALUES (?1, ?2)")?;
    set.execute((name, value.cast_signed())).map(|_| ())
}

impl Batch<'_> {
    /// Removes what is beyond the bounds, the oldest first; at most a step of it. `ages`: the clock can be believed, so ages count.
    pub(super) fn trim(&mut self, keep: &Keep, ages: bool) -> Result<()> {
        let age = SignedDuration::try_from(keep.quarantine_age).unwrap_or(SignedDuration::MAX);
        let oldest = if ages { self.now.saturating_sub(age).unwrap_or(Timestamp::MIN) } else { Timestamp::MIN };
        let (mut packets, mut devices) = (0, 0);
        for id in self.surplus(keep, oldest) {
            packets += self.remove(id)?;
            devices += 1;
        }
        let stale = self.drop_packets(keep, oldest)?;
        packets += stale;
        if stale < STEP as u64 {
            self.quarantine.aged = Some(self.now);
        }
        if packets > 0 {
            // Ids are not given again though the greatest one may have gone.
            self.kept.touch();
        }
        if packets > 0 || devices > 0 {
            self.quarantine.dropped_packets += packets;
            self.quarantine.dropped_devices += devices;
            set_counter(self.db, DROPPED_PACKETS, self.quarantine.dropped_packets)?;
            set_counter(self.db, DROPPED_DEVICES, self.quarantine.dropped_devices)?;
            self.missed = true;
        }
        Ok(())
    }

    /// New devices that are too many or silent for too long, at most a step of them.
    fn surplus(&self, keep: &Keep, oldest: Timestamp) -> Vec<DeviceId> {
        let mut undecided: Vec<_> = self.devices.undecided().map(|(id, heard)| (heard, id)).collect();
        undecided.sort_unstable();
        let too_many = undecided.len().saturating_sub(keep.new_devices);
        let too_old = undecided.partition_point(|(heard, _)| *heard < oldest);
        undecided.into_iter().take(too_many.max(too_old).min(STEP)).map(|(_, id)| id).collect()
    }

    /// Drops the oldest held packets with what they told, as long as there are too many or they are too old.
    fn drop_packets(&mut self, keep: &Keep, oldest: Timestamp) -> Result<u64> {
        // To a little below the bound, so that this is not due again with the next packet.
        let target = if self.quarantine.bytes > keep.quarantine_bytes {
            keep.quarantine_bytes - keep.quarantine_bytes / 16
        } else {
            keep.quarantine_bytes
        };
        let mut first = self.db.prepare_cached(
            "SELECT id, received_ms, device_id, held, previous FROM packets WHERE held IS NOT NULL
             ORDER BY received_ms LIMIT 1",
        )?;
        let mut dropped = 0;
        while dropped < STEP as u64 {
            let row = first
                .query_row([], |row| {
                    let (id, received): (i64, i64) = (row.get(0)?, row.get(1)?);
                    let (device, held, previous): (Option<i64>, i64, Option<i64>) =
                        (row.get(2)?, row.get(3)?, row.get(4)?);
                    Ok((PacketId(id), row::time(received), device.map(DeviceId), held, previous.map(PacketId)))
                })
                .optional()?;
            let Some((packet, received, device, held, previous)) = row else {
                self.quarantine.bytes = 0;
                break;
            };
            if self.quarantine.bytes <= target && received >= oldest {
                break;
            }
            self.drop_packet(packet, device, previous)?;
            self.quarantine.release(held);
            dropped += 1;
        }
        Ok(dropped)
    }

    fn drop_packet(&mut self, packet: PacketId, device: Option<DeviceId>, previous: Option<PacketId>) -> Result<()> {
        let delete = |sql: &str| self.db.prepare_cached(sql)?.execute([packet.0]);
        delete("DELETE FROM packets WHERE id = ?1")?;
        delete("DELETE FROM events WHERE packet_id = ?1")?;
        let positions = self.remove_positions_of(packet.0, None)?;
        let Some(known) = device.and_then(|id| self.devices.change(id)) else { return Ok(()) };
        let id = known.overview.device.id;
        let overview = &mut known.overview;
        overview.packets = overview.packets.saturating_sub(1);
        overview.positions = overview.positions.saturating_sub(positions as u64);
        if known.newest_packet == Some(packet) {
            known.newest_packet = previous;
        }
        if overview.last_fix.as_ref().is_some_and(|fix| fix.packet == packet) {
            let last_fix = self.last_fix(id)?;
            if let Some(known) = self.devices.change(id) {
                known.overview.last_fix = last_fix;
            }
        }
        Ok(())
    }
}
