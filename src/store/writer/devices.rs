//! Every device with the last that is known of it, in memory: the writer looks senders up here and never in the file.

use std::collections::HashMap;

use rusqlite::{Connection, Result};

use crate::model::{
    Device, DeviceId, DeviceOverview, DeviceState, Identity, Named, PacketId, Protocol, Readings, Report, StoredFix,
    Timestamp, Trust,
};
use crate::store::{
    phones,
    recent::{self, LATEST_UPTO},
};

use super::{quarantine::counter, slice::Slice, trails::Trails};

/// A device as the writer knows it. Runs ahead of the file within a batch, and equals it after each.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says what is still to be done")]
pub(super) struct Known {
    pub(super) overview: DeviceOverview,
    /// Its newest packet, in or out.
    pub(super) newest_packet: Option<PacketId>,
    /// Its row in `latest` lacks something.
    dirty: bool,
    /// It changed in this batch.
    touched: bool,
    /// Its row must be written with this batch: what changed cannot be found again from rows.
    urgent: bool,
    /// Its readings changed in this batch.
    pub(super) told: bool,
}

impl Known {
    pub(super) fn new(device: Device) -> Self {
        Self::of(DeviceOverview {
            device,
            last_fix: None,
            readings: Readings::new(),
            packets: 0,
            positions: 0,
            lost_frames: 0,
        })
    }

    fn of(overview: DeviceOverview) -> Self {
        Self { overview, newest_packet: None, dirty: false, touched: false, urgent: false, told: false }
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
        } else if recent::tells_readings(report) {
            // With a fix that was there already it was only sent again.
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
    /// Those that changed in this batch, each once.
    touched: Vec<DeviceId>,
    /// Those whose row in `latest` lacks something.
    dirty: Vec<DeviceId>,
    /// Such rows that are being written, a few a transaction.
    round: Option<Round>,
    /// Some row of `learned` is of no more use.
    outdated: bool,
    /// Up to this packet every row has everything.
    upto: i64,
    /// Up to this packet some row has everything, as it was read.
    greatest_upto: i64,
    /// Their positions in the order of time.
    pub(super) trails: Trails,
}

/// One time that the rows of `latest` are brought up to date.
struct Round {
    /// The newest packet when it began.
    upto: i64,
    /// In descending order.
    left: Vec<DeviceId>,
}

impl Devices {
    pub(super) fn load(db: &Connection) -> Result<Self> {
        let upto = counter(db, LATEST_UPTO)?.cast_signed();
        let outdated = recent::has_outdated(db, upto)?;
        let mut devices = Self { upto, outdated, trails: Trails::load(db)?, ..Self::default() };
        devices.greatest_upto = devices.upto;
        for row in recent::all(db)? {
            devices.greatest_upto = devices.greatest_upto.max(row.upto);
            if row.behind {
                devices.dirty.push(row.overview.device.id);
            }
            devices.put(Known { newest_packet: row.newest, dirty: row.behind, ..Known::of(row.overview) });
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

    /// Reads everything anew.
    pub(super) fn reload(&mut self, db: &Connection) -> Result<()> {
        let given = self.trails.last_position;
        *self = Self::load(db)?;
        self.trails.last_position = self.trails.last_position.max(given);
        Ok(())
    }

    /// A device that is about to change in a way that the rows of packets and positions do not tell, so that its row in `latest` is written with
    /// this batch.
    pub(super) fn change(&mut self, id: DeviceId) -> Option<&mut Known> {
        let known = self.hear(id)?;
        known.urgent = true;
        Some(known)
    }

    /// A device that is about to learn from a packet of this batch: that can be found again, so its row in `latest` can wait.
    pub(super) fn hear(&mut self, id: DeviceId) -> Option<&mut Known> {
        let known = self.by_id.get_mut(&id)?;
        if !known.touched {
            known.touched = true;
            self.touched.push(id);
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

    /// Says what the batch changed, and writes what cannot wait: the last thing before the commit. `told` hears of each device whose readings
    /// changed.
    pub(super) fn flush(
        &mut self,
        db: &Connection,
        last_packet: i64,
        mut told: impl FnMut(DeviceId, &Readings),
    ) -> Result<()> {
        // In the order of the table, so that neighbours on a page are written together.
        self.touched.sort_unstable();
        for id in self.touched.drain(..) {
            // It may have been forgotten since.
            let Some(known) = self.by_id.get_mut(&id) else { continue };
            known.touched = false;
            if std::mem::take(&mut known.urgent) {
                known.dirty = false;
                recent::write(db, &known.overview, known.newest_packet, last_packet)?;
            } else if !known.dirty {
                known.dirty = true;
                self.dirty.push(id);
            }
            if std::mem::take(&mut known.told) {
                told(id, &known.overview.readings);
            }
        }
        Ok(())
    }

    /// Whether some row of `latest` lacks something, and of how many packets.
    pub(super) fn lag(&self, last_packet: i64) -> Option<u64> {
        let behind = !self.dirty.is_empty() || self.round.is_some();
        behind.then(|| last_packet.abs_diff(self.upto))
    }

    /// True while the rows that lack something are being written, or what they have by now is removed.
    pub(super) fn is_writing(&self) -> bool {
        self.round.is_some() || self.outdated
    }

    /// Writes rows of `latest` that lack something, then removes what they have by now, within a slice of time. True where there are more of
    /// this round.
    pub(super) fn write_some(&mut self, db: &Connection, last_packet: i64, slice: Slice) -> Result<bool> {
        while self.outdated {
            self.outdated = recent::remove_outdated(db, self.upto)?;
            if slice.is_over() {
                return Ok(self.outdated);
            }
        }
        if self.lag(last_packet).is_none() {
            return Ok(false);
        }
        let Self { dirty, round, by_id, .. } = self;
        let current = round.get_or_insert_with(|| {
            let mut left = std::mem::take(dirty);
            left.sort_unstable_by(|a, b| b.cmp(a));
            Round { upto: last_packet, left }
        });
        while let Some(id) = current.left.pop() {
            if let Some(known) = by_id.get_mut(&id).filter(|known| known.dirty) {
                known.dirty = false;
                recent::write(db, &known.overview, known.newest_packet, last_packet)?;
                if slice.is_over() {
                    return Ok(true);
                }
            }
        }
        // Whatever changed since the round began is dirty again, or was written with it.
        self.upto = current.upto;
        self.round = None;
        recent::written_upto(db, self.upto)?;
        self.outdated = recent::has_outdated(db, self.upto)?;
        Ok(self.outdated)
    }

    /// Writes every row that lacks something, and has it said.
    pub(super) fn write_all(&mut self, db: &Connection, last_packet: i64) -> Result<()> {
        while self.is_writing() || self.lag(last_packet).is_some() {
            self.write_some(db, last_packet, Slice::endless())?;
        }
        Ok(())
    }

    /// No later packet may have a lesser id, though that of a packet which could not be written is free.
    pub(super) fn greatest_upto(&self) -> i64 {
        self.greatest_upto
    }

    /// Up to this packet every row of `latest` has everything.
    pub(super) fn upto(&self) -> i64 {
        self.upto
    }
}
