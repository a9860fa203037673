//! Decisions of the user, within a batch.

use rusqlite::{OptionalExtension, Result, params};

use super::{batch::Batch, quarantine::Quarantine};
use crate::model::{Device, DeviceId, DeviceState, Identity, PacketId, Profile, Protocol};
use crate::store::Error;

impl Batch<'_> {
    pub(super) fn add(&mut self, protocol: Protocol, identity: &Identity, name: Option<&str>) -> Result<Device> {
        let id = match self.devices.find(protocol, identity) {
            Some(id) => {
                self.decide(id, DeviceState::Adopted, name)?;
                id
            }
            None => self.make(protocol, identity, DeviceState::Adopted, written(name), self.now)?,
        };
        let known = self.devices.get(id).expect("it was found or made above");
        Ok(known.overview.device.clone())
    }

    pub(super) fn adopt(&mut self, id: DeviceId, name: Option<&str>) -> Result<Result<u64, Error>> {
        let Some(known) = self.devices.get(id) else { return Ok(Err(no_such(id))) };
        let positions = known.overview.positions;
        self.decide(id, DeviceState::Adopted, name)?;
        Ok(Ok(positions))
    }

    pub(super) fn ignore(&mut self, id: DeviceId) -> Result<Result<(), Error>> {
        if self.devices.get(id).is_none() {
            return Ok(Err(no_such(id)));
        }
        self.decide(id, DeviceState::Ignored, None).map(Ok)
    }

    /// Back to the senders that nobody has decided about.
    pub(super) fn reconsider(&mut self, id: DeviceId) -> Result<Result<(), Error>> {
        if self.devices.get(id).is_none() {
            return Ok(Err(no_such(id)));
        }
        self.decide(id, DeviceState::New, None).map(Ok)
    }

    pub(super) fn rename(&mut self, id: DeviceId, name: Option<&str>) -> Result<Result<(), Error>> {
        let Some(device) = self.devices.decide(id) else { return Ok(Err(no_such(id))) };
        device.name = written(name).map(str::to_owned);
        self.save(id).map(Ok)
    }

    pub(super) fn set_profile(&mut self, id: DeviceId, profile: &Profile) -> Result<Result<Option<i64>, Error>> {
        let Some(device) = self.devices.decide(id) else { return Ok(Err(no_such(id))) };
        let before = std::mem::replace(&mut device.profile, profile.clone());
        self.reread.profiles = true;
        let asked = if before.reads_like(profile) { None } else { self.ask_to_rederive(id)? };
        self.save(id)?;
        Ok(Ok(asked))
    }

    /// The profile of a device that is there.
    pub(super) fn profile(&self, id: DeviceId) -> Option<Profile> {
        self.devices.get(id).map(|known| known.overview.device.profile.clone())
    }

    /// Sets the state of a device that is there. A name that is given is taken over.
    pub(super) fn decide(&mut self, id: DeviceId, state: DeviceState, name: Option<&str>) -> Result<()> {
        let Some(device) = self.devices.decide(id) else { return Ok(()) };
        let before = std::mem::replace(&mut device.state, state);
        if let Some(name) = written(name) {
            device.name = Some(name.to_owned());
        }
        if before == DeviceState::New && state != DeviceState::New {
            self.quarantine.undecided = self.quarantine.undecided.saturating_sub(1);
        }
        if before != DeviceState::New && state == DeviceState::New {
            self.quarantine.undecided += 1;
        }
        if state == DeviceState::Adopted && before != DeviceState::Adopted {
            self.let_go(id)?;
        }
        self.save(id)
    }

    /// Takes the packets of a device out of the quarantine.
    fn let_go(&mut self, id: DeviceId) -> Result<()> {
        let (freed, packets): (i64, i64) = self
            .db
            .prepare_cached(
                "SELECT coalesce(sum(held), 0), count(*) FROM packets WHERE held IS NOT NULL AND device_id = ?1",
            )?
            .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.db
            .prepare_cached("UPDATE packets SET held = NULL WHERE held IS NOT NULL AND device_id = ?1")?
            .execute([id.0])?;
        self.quarantine.release(freed);
        let packets = packets.max(0).cast_unsigned();
        self.kept.take_over(packets, Quarantine::bytes_of(packets, freed));
        Ok(())
    }

    /// A device that took over another in the state `other` is adopted where either was.
    pub(super) fn decide_together(&mut self, other: DeviceState, id: DeviceId) -> Result<()> {
        let adopted = self.devices.get(id).is_some_and(super::devices::Known::adopted);
        if adopted {
            self.let_go(id)?;
            self.save(id)
        } else if other == DeviceState::Adopted {
            self.decide(id, DeviceState::Adopted, None)
        } else {
            self.save(id)
        }
    }

    /// Writes the row of a device as it is in memory.
    fn save(&mut self, id: DeviceId) -> Result<()> {
        let Some(known) = self.devices.get(id) else { return Ok(()) };
        let device = known.overview.device.clone();
        let profile = serde_json::to_string(&device.profile).expect("a profile is plain data");
        self.db
            .prepare_cached("UPDATE devices SET name = ?2, state = ?3, profile = ?4 WHERE id = ?1")?
            .execute(params![id.0, device.name, device.state.as_str(), profile])?;
        self.publish_device(&device);
        Ok(())
    }

    pub(super) fn forget(&mut self, id: DeviceId) -> Result<Result<(), Error>> {
        if self.devices.get(id).is_none() {
            return Ok(Err(no_such(id)));
        }
        self.remove(id).map(|_| Ok(()))
    }

    /// Removes a device and everything of it. Answers how many packets that were.
    pub(super) fn remove(&mut self, id: DeviceId) -> Result<u64> {
        let Some(known) = self.devices.get(id) else { return Ok(0) };
        let undecided = known.overview.device.state == DeviceState::New;
        let mut next = known.newest_packet;
        let mut delete = self.db.prepare_cached(
            "DELETE FROM packets WHERE id = ?1
             RETURNING previous, held, octet_length(bytes) + coalesce(octet_length(context), 0)",
        )?;
        let (mut removed, mut freed, mut kept, mut kept_bytes) = (0, 0, 0, 0);
        while let Some(packet) = next {
            let row = delete
                .query_row([packet.0], |row| {
                    Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, i64>(2)?))
                })
                .optional()?;
            // A packet that is gone ends the chain: old ones go first.
            let Some((previous, held, bytes)) = row else { break };
            next = previous.map(PacketId);
            if let Some(held) = held {
                freed += held;
            } else {
                (kept, kept_bytes) = (kept + 1, kept_bytes + bytes.max(0).cast_unsigned());
            }
            removed += 1;
        }
        self.remove_all_positions(id)?;
        for sql in [
            "DELETE FROM events WHERE device_id = ?1",
            "DELETE FROM hidden WHERE device_id = ?1",
            "DELETE FROM commands WHERE device_id = ?1",
            "DELETE FROM rederivations WHERE device_id = ?1",
            "DELETE FROM latest WHERE device_id = ?1",
            "DELETE FROM devices WHERE id = ?1",
        ] {
            self.db.prepare_cached(sql)?.execute([id.0])?;
        }
        self.kept.release(kept, kept_bytes);
        self.remove_phone(id)?;
        self.remove_watch(id)?;
        self.phones.names = true;
        self.quarantine.release(freed);
        self.quarantine.undecided = self.quarantine.undecided.saturating_sub(usize::from(undecided));
        self.devices.remove(id);
        self.missed = true;
        Ok(removed)
    }
}

/// A name without the blanks around it; none where nothing is left.
fn written(name: Option<&str>) -> Option<&str> {
    name.map(str::trim).filter(|name| !name.is_empty())
}

pub(super) fn no_such(id: DeviceId) -> Error {
    Error::NoSuchDevice(format!("#{}", id.0))
}
