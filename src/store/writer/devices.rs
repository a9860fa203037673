//! Every device with the last that is known of it, in memory: the writer looks senders up here and never in the file.

use std::collections::HashMap;

use rusqlite::{Connection, Result, params};

use crate::model::{
    Device, DeviceId, DeviceOverview, DeviceState, Identity, Named, PacketId, Protocol, Readings, Report, StoredFix,
    Timestamp, Trust,
};
use crate::store::{phones, query, row};

/// A device as the writer knows it. Runs ahead of the file within a batch, and equals it after each.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) overview: DeviceOverview,
    /// Its newest packet, in or out.
    pub(super) newest_packet: Option<PacketId>,
    /// Its row in `latest` must be written.
    dirty: bool,
    /// Its readings changed in this batch.
    pub(super) told: bool,
}

impl Known {
    pub(super) fn new(device: Device) -> Self {
        let overview = DeviceOverview {
            device,
            last_fix: None,
            readings: Readings::new(),
            packets: 0,
            positions: 0,
            lost_frames: 0,
        };
        Self { overview, newest_packet: None, dirty: false, told: false }
    }

    /// True where its packets are the user's history and not the quarantine's.
    pub(super) fn adopted(&self) -> bool {
        self.overview.device.state == DeviceState::Adopted
    }

    /// Takes over what a report told. `new` is its fix, where it has one that was not there before.
    pub(super) fn learn(&mut self, report: &Report, new: Option<&StoredFix>) {
        let overview = &mut self.overview;
        overview.lost_frames += u64::from(report.lost_frames);
        if let Some(fix) = new {
            self.told |= overview.take(fix);
        } else if report.fix.is_none() && report.trust == Trust::Good && !report.readings.is_empty() {
            // Without a fix it is about now, but not under a wrong checksum; with one that was there already it was only sent again.
            overview.readings.merge(&report.readings);
            self.told = true;
        }
    }
}

/// All devices.
#[derive(Default)]
pub(super) struct Devices {
    by_id: HashMap<DeviceId, Known>,
    /// Under their identities and the names that were attached by hand.
    by_identity: HashMap<Protocol, HashMap<Identity, DeviceId>>,
    /// Names that were attached by hand, in the order they were.
    further: HashMap<DeviceId, Vec<Identity>>,
    /// Those whose row in `latest` must be written, each once.
    dirty: Vec<DeviceId>,
}

impl Devices {
    pub(super) fn load(db: &Connection) -> Result<Self> {
        let mut devices = Self::default();
        for (overview, newest_packet) in query::overviews_and_heads(db)? {
            devices.put(Known { overview, newest_packet, dirty: false, told: false });
        }
        for (protocol, name, id) in phones::aliases(db)? {
            devices.also(protocol, name, id);
        }
        Ok(devices)
    }

    fn put(&mut self, known: Known) {
        let device = &known.overview.device;
        self.by_identity.entry(device.protocol).or_default().insert(device.identity.clone(), device.id);
        self.by_id.insert(device.id, known);
    }

    pub(super) fn insert(&mut self, device: Device) {
        self.put(Known::new(device));
    }

    pub(super) fn remove(&mut self, id: DeviceId) {
        if let Some(known) = self.by_id.remove(&id)
            && let Some(names) = self.by_identity.get_mut(&known.overview.device.protocol)
        {
            names.remove(&known.overview.device.identity);
            for name in self.further.remove(&id).into_iter().flatten() {
                // It may stand for another device by now.
                if names.get(&name) == Some(&id) {
                    names.remove(&name);
                }
            }
        }
    }

    /// Attaches one more name to a device.
    pub(super) fn also(&mut self, protocol: Protocol, name: Identity, id: DeviceId) {
        self.by_identity.entry(protocol).or_default().insert(name.clone(), id);
        let further = self.further.entry(id).or_default();
        if !further.contains(&name) {
            further.push(name);
        }
    }

    /// Takes a name away that was attached to a device.
    pub(super) fn no_longer(&mut self, protocol: Protocol, name: &Identity, id: DeviceId) {
        if let Some(further) = self.further.get_mut(&id) {
            further.retain(|other| other != name);
        }
        if let Some(names) = self.by_identity.get_mut(&protocol)
            && names.get(name) == Some(&id)
        {
            names.remove(name);
        }
    }

    /// Gives a device another identity; the old one stands for nobody.
    pub(super) fn call(&mut self, id: DeviceId, identity: &Identity) {
        let Some(known) = self.by_id.get_mut(&id) else { return };
        let device = &mut known.overview.device;
        let names = self.by_identity.entry(device.protocol).or_default();
        names.remove(&device.identity);
        names.insert(identity.clone(), id);
        device.identity = identity.clone();
    }

    /// Every name of a protocol with the device behind it.
    pub(super) fn named(&self, protocol: Protocol) -> impl Iterator<Item = (Identity, Named)> {
        let names = self.by_identity.get(&protocol);
        names.into_iter().flatten().filter_map(|(name, id)| {
            let known = self.by_id.get(id)?;
            Some((name.clone(), Named { device: *id, adopted: known.adopted() }))
        })
    }

    /// Gives everything that is known of one device to another. Answers the names of the first, which is left with nothing.
    pub(super) fn merge(&mut self, from: DeviceId, to: DeviceId) -> Vec<Identity> {
        let Some(old) = self.change(from) else { return Vec::new() };
        let overview = &mut old.overview;
        let last_fix = overview.last_fix.take();
        let readings = std::mem::take(&mut overview.readings);
        let (packets, newest) = (std::mem::take(&mut overview.packets), old.newest_packet.take());
        let lost_frames = std::mem::take(&mut overview.lost_frames);
        let (first_seen, last_heard) = (overview.device.first_seen, overview.device.last_heard);
        let mut names = vec![overview.device.identity.clone()];
        names.extend(self.further.get(&from).cloned().unwrap_or_default());
        if let Some(kept) = self.change(to) {
            kept.newest_packet = kept.newest_packet.max(newest);
            kept.told = true;
            let overview = &mut kept.overview;
            overview.packets += packets;
            overview.lost_frames += lost_frames;
            overview.device.first_seen = overview.device.first_seen.min(first_seen);
            // What was told later counts.
            let is_later = last_heard > overview.device.last_heard;
            let (mut earlier, later, later_fix) = if is_later {
                (std::mem::take(&mut overview.readings), readings, last_fix.as_ref())
            } else {
                (readings, std::mem::take(&mut overview.readings), overview.last_fix.as_ref())
            };
            // Its positions since have ended an alarm from before.
            if later_fix.is_some_and(|fix| fix.trust == Trust::Good) {
                earlier.remove("alarm");
            }
            earlier.merge(&later);
            overview.readings = earlier;
            overview.device.last_heard = overview.device.last_heard.max(last_heard);
            if let Some(fix) = last_fix
                && overview.last_fix.as_ref().is_none_or(|last| !last.replaces(&fix))
            {
                overview.last_fix = Some(StoredFix { device: to, ..fix });
            }
        }
        names
    }

    pub(super) fn find(&self, protocol: Protocol, identity: &Identity) -> Option<DeviceId> {
        self.by_identity.get(&protocol)?.get(identity).copied()
    }

    pub(super) fn get(&self, id: DeviceId) -> Option<&Known> {
        self.by_id.get(&id)
    }

    /// A device that is about to change, so that [`Devices::flush`] writes it.
    pub(super) fn change(&mut self, id: DeviceId) -> Option<&mut Known> {
        let known = self.by_id.get_mut(&id)?;
        if !known.dirty {
            known.dirty = true;
            self.dirty.push(id);
        }
        Some(known)
    }

    /// A device whose row in `devices` the caller writes.
    pub(super) fn decide(&mut self, id: DeviceId) -> Option<&mut Device> {
        self.by_id.get_mut(&id).map(|known| &mut known.overview.device)
    }

    /// Devices nobody has decided about, with the moment each was last heard.
    pub(super) fn undecided(&self) -> impl Iterator<Item = (DeviceId, Timestamp)> {
        self.by_id.values().filter(|known| known.overview.device.state == DeviceState::New).map(|known| {
            let device = &known.overview.device;
            (device.id, device.last_heard.unwrap_or(device.first_seen))
        })
    }

    /// Writes the changed rows of `latest`; `told` hears of each device whose readings changed.
    pub(super) fn flush(&mut self, db: &Connection, mut told: impl FnMut(DeviceId, &Readings)) -> Result<()> {
        if self.dirty.is_empty() {
            return Ok(());
        }
        let mut replace = db.prepare_cached(
            "INSERT OR REPLACE INTO latest(device_id, last_heard_ms, packets, positions, packet_id, readings,
               position_id, fix_time_ms, fix_received_ms, valid, suspect, latitude, longitude, altitude_m, speed_kmh,
               course_deg, accuracy_m, attributes, fix_packet_id, lost_frames)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        )?;
        // In the order of the table, so that neighbours on a page are written together.
        self.dirty.sort_unstable();
        for id in self.dirty.drain(..) {
            // It may have been forgotten since.
            let Some(known) = self.by_id.get_mut(&id) else { continue };
            known.dirty = false;
            let DeviceOverview { device, last_fix, readings, packets, positions, lost_frames } = &known.overview;
            let last = last_fix.as_ref();
            let fix = last.map(|last| &last.fix);
            replace.execute(params![
                id.0,
                device.last_heard.map(Timestamp::as_millisecond),
                packets.cast_signed(),
                positions.cast_signed(),
                known.newest_packet.map(|p| p.0),
                row::json_beyond(readings, last),
                last.map(|last| last.id),
                fix.map(|fix| fix.at.as_millisecond()),
                last.map(|last| last.received.as_millisecond()),
                fix.map(|fix| fix.valid),
                last.map(|last| last.trust == Trust::Suspect),
                fix.map(|fix| fix.place.lat_deg()),
                fix.map(|fix| fix.place.lon_deg()),
                fix.and_then(|fix| fix.altitude_m),
                fix.and_then(|fix| fix.speed_kmh),
                fix.and_then(|fix| fix.course_deg),
                fix.and_then(|fix| fix.accuracy_m),
                last.map(|last| row::json(&last.readings, last.trust)),
                last.map(|last| last.packet.0),
                lost_frames.cast_signed(),
            ])?;
            if std::mem::take(&mut known.told) {
                told(id, readings);
            }
        }
        Ok(())
    }
}
