//! Putting positions out of sight and back, within a batch. Their rows are not touched.

use rusqlite::{OptionalExtension, Result, params};

use super::batch::Batch;
use crate::model::{DeviceId, HideReason, PacketId};
use crate::store::Error;

/// Positions that are hidden or shown at a time at most: everyone who writes waits meanwhile.
const MOST_AT_ONCE: usize = 10_000;

/// What is to be hidden, or shown again.
#[derive(Debug, Clone)]
pub(in crate::store) struct Hide {
    /// Row ids of positions.
    pub(super) fixes: Vec<i64>,
    /// `None` shows them again.
    pub(super) reason: Option<HideReason>,
}

/// What was hidden of a packet's positions, by their order within it.
pub(super) struct HiddenOf(Vec<(usize, String, i64)>);

impl Batch<'_> {
    /// Answers how many positions that changed.
    pub(super) fn hide(&mut self, hide: &Hide) -> Result<std::result::Result<u64, Error>> {
        if hide.fixes.len() > MOST_AT_ONCE {
            return Ok(Err(Error::Refused(format!("more than {MOST_AT_ONCE} positions are not hidden at once"))));
        }
        let mut devices: Vec<DeviceId> = Vec::new();
        let mut changed = 0;
        for fix in &hide.fixes {
            if let Some(device) = self.hide_one(*fix, hide.reason)? {
                changed += 1;
                if !devices.contains(&device) {
                    devices.push(device);
                }
            }
        }
        for id in &devices {
            let last_fix = self.last_fix(*id)?;
            if let Some(known) = self.devices.change(*id) {
                known.overview.last_fix = last_fix;
                known.told = true;
            }
        }
        self.missed |= changed > 0;
        self.reread.done.extend(devices);
        Ok(Ok(changed))
    }

    /// Answers whose position it is, where that changed something.
    fn hide_one(&self, fix: i64, reason: Option<HideReason>) -> Result<Option<DeviceId>> {
        let device: Option<i64> = match reason {
            Some(reason) => self
                .db
                .prepare_cached(
                    "INSERT INTO hidden(position_id, packet_id, device_id, fix_time_ms, reason, at_ms)
                     SELECT id, packet_id, device_id, fix_time_ms, ?2, ?3 FROM positions WHERE id = ?1
                     ON CONFLICT (position_id) DO UPDATE SET packet_id = excluded.packet_id,
                       device_id = excluded.device_id, fix_time_ms = excluded.fix_time_ms, reason = excluded.reason,
                       at_ms = excluded.at_ms
                     RETURNING device_id",
                )?
                .query_row(params![fix, reason.as_str(), self.now.as_millisecond()], |row| row.get(0))
                .optional()?,
            None => self
                .db
                .prepare_cached("DELETE FROM hidden WHERE position_id = ?1 RETURNING device_id")?
                .query_row([fix], |row| row.get(0))
                .optional()?,
        };
        Ok(device.map(DeviceId))
    }

    /// What is hidden of the positions that a packet told; to be asked before their rows are replaced.
    pub(super) fn hidden_of(&self, packet: PacketId, device: DeviceId) -> Result<HiddenOf> {
        let mut select = self
            .db
            .prepare_cached("SELECT position_id, reason, at_ms FROM hidden WHERE packet_id = ?1 AND device_id = ?2")?;
        let hidden: Vec<(i64, String, i64)> = select
            .query_map([packet.0, device.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_>>()?;
        if hidden.is_empty() {
            return Ok(HiddenOf(Vec::new()));
        }
        let ids = self.positions_of(packet, device)?;
        let place = |id: i64| ids.iter().position(|known| *known == id);
        Ok(HiddenOf(hidden.into_iter().filter_map(|(id, reason, at)| Some((place(id)?, reason, at))).collect()))
    }

    /// Hides the same of the rows that stand there now.
    pub(super) fn hide_again(&self, packet: PacketId, device: DeviceId, hidden: &HiddenOf) -> Result<()> {
        if hidden.0.is_empty() {
            return Ok(());
        }
        self.db
            .prepare_cached("DELETE FROM hidden WHERE packet_id = ?1 AND device_id = ?2")?
            .execute([packet.0, device.0])?;
        let ids = self.positions_of(packet, device)?;
        for (place, reason, at_ms) in &hidden.0 {
            let Some(id) = ids.get(*place) else { continue };
            self.db
                .prepare_cached(
                    "INSERT OR REPLACE INTO hidden(position_id, packet_id, device_id, fix_time_ms, reason, at_ms)
                     SELECT id, packet_id, device_id, fix_time_ms, ?2, ?3 FROM positions WHERE id = ?1",
                )?
                .execute(params![id, reason, at_ms])?;
        }
        Ok(())
    }

    fn positions_of(&self, packet: PacketId, device: DeviceId) -> Result<Vec<i64>> {
        self.db
            .prepare_cached("SELECT id FROM positions WHERE packet_id = ?1 AND device_id = ?2 ORDER BY id")?
            .query_map([packet.0, device.0], |row| row.get(0))?
            .collect()
    }
}
