//! Taking "Same as …" back, within a batch: what came in under a name that was attached by hand becomes a device of its own again.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, Result, params};

use super::{batch::Batch, phones::OpenedPacket};
use crate::model::{DeviceId, Identity, PacketId, Sender, Trust};
use crate::store::Error;

/// What is to be parted. Bytes mean nothing here, so the reader of bytes says what came under the name.
#[derive(Debug, Clone)]
pub struct Parting {
    /// Who gives the name back.
    pub device: DeviceId,
    pub name: Identity,
    /// Packets that came in under it, in order of arrival, as they are read now. Their bytes are not written again.
    pub leaving: Vec<OpenedPacket>,
    /// Those of the others that may tell the device something which only the leaving ones had told so far: the newest, and those with a fix
    /// that a leaving one has as well.
    pub staying: Vec<OpenedPacket>,
}

/// One of the two chains that become of one, while they are linked.
#[derive(Default)]
struct Chain {
    head: Option<PacketId>,
    /// The packet linked last.
    last: Option<PacketId>,
    packets: u64,
    /// When the newest that came in did.
    came_ms: Option<i64>,
}

impl Batch<'_> {
    /// Answers how many positions the new device has.
    pub(super) fn part(&mut self, parting: &Parting) -> Result<std::result::Result<u64, Error>> {
        let Parting { device, name, leaving, staying } = parting;
        let Some(known) = self.devices.get(*device) else { return Ok(Err(super::decide::no_such(*device))) };
        let (protocol, state) = (known.overview.device.protocol, known.overview.device.state);
        if known.overview.device.identity == *name || self.devices.find(protocol, name) != Some(*device) {
            return Ok(Err(Error::Refused(format!("{name} is no name that was attached to this device"))));
        }
        self.db
            .prepare_cached("DELETE FROM aliases WHERE protocol = ?1 AND identity = ?2")?
            .execute(params![protocol.as_str(), name.as_str()])?;
        self.devices.no_longer(protocol, name, *device);
        let first = leaving.first().map_or(self.now, |opened| opened.packet.received);
        let new = self.make(protocol, name, state, None, first)?;
        self.part_chains(*device, new, leaving)?;
        for OpenedPacket { id, .. } in leaving {
            self.remove_positions_of(id.0, Some(*device))?;
            self.db
                .prepare_cached("DELETE FROM events WHERE packet_id = ?1 AND device_id = ?2")?
                .execute([id.0, device.0])?;
        }
        for (opened, owner) in leaving.iter().map(|p| (p, new)).chain(staying.iter().map(|p| (p, *device))) {
            self.tell_again(opened, owner)?;
        }
        // What came under the name goes through the watch as it is written again; what is left has to.
        let fixes = leaving.iter().flat_map(|opened| &opened.packet.reports).filter_map(|report| report.fix.as_ref());
        if let Some(first) = fixes.map(|fix| fix.at).min() {
            self.judge_again(*device, first.as_millisecond())?;
        }
        self.part_knowledge(*device, staying)?;
        self.part_knowledge(new, leaving)?;
        self.missed = true;
        Ok(Ok(self.devices.get(new).map_or(0, |known| known.overview.positions)))
    }

    /// Writes what a packet tells, where it is not there yet.
    fn tell_again(&mut self, opened: &OpenedPacket, owner: DeviceId) -> Result<()> {
        let packet = &opened.packet;
        for report in &packet.reports {
            let about = match &report.sender {
                Some(Sender::Identity(identity)) => self.device_of(packet.protocol, identity, packet.received)?,
                Some(Sender::Device(device)) => Some(*device),
                None => Some(owner),
            };
            if let Some(about) = about {
                self.report(packet, opened.id, about, report)?;
                // By a packet of long ago.
                self.devices.change(about);
            }
        }
        Ok(())
    }

    /// What is known of a device, from its rows and what it told last beside its fixes.
    fn part_knowledge(&mut self, device: DeviceId, told: &[OpenedPacket]) -> Result<()> {
        let last_fix = self.last_fix(device)?;
        let positions = self.count_positions(device)?;
        let Some(known) = self.devices.change(device) else { return Ok(()) };
        let overview = &mut known.overview;
        overview.positions = positions;
        overview.readings = last_fix.as_ref().map(|fix| fix.readings.clone()).unwrap_or_default();
        for opened in told.iter().filter(|o| last_fix.as_ref().is_none_or(|fix| o.packet.received >= fix.received)) {
            for report in opened.packet.reports.iter().filter(|r| r.fix.is_none() && r.trust == Trust::Good) {
                overview.readings.merge(&report.readings);
            }
        }
        overview.last_fix = last_fix;
        known.told = true;
        Ok(())
    }

    /// Makes two chains of packets out of one, newest first: the leaving packets and our answers to them go to `new`.
    fn part_chains(&mut self, from: DeviceId, new: DeviceId, leaving: &[OpenedPacket]) -> Result<()> {
        let leaves: HashSet<PacketId> = leaving.iter().map(|opened| opened.id).collect();
        let mut read = self
            .db
            .prepare_cached("SELECT previous, answers, received_ms FROM packets WHERE id = ?1 AND device_id = ?2")?;
        let mut give = self.db.prepare_cached("UPDATE packets SET device_id = ?2 WHERE id = ?1")?;
        let mut link = self.db.prepare_cached("UPDATE packets SET previous = ?2 WHERE id = ?1")?;
        let mut next = self.devices.get(from).and_then(|known| known.newest_packet);
        let mut chains: [Chain; 2] = Default::default();
        while let Some(id) = next {
            let row = read
                .query_row([id.0, from.0], |row| {
                    Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, i64>(2)?))
                })
                .optional()?;
            // A packet that is gone ends the chain: old ones go first.
            let Some((previous, answers, received_ms)) = row else { break };
            let goes = leaves.contains(&id) || answers.is_some_and(|answered| leaves.contains(&PacketId(answered)));
            if goes {
                give.execute([id.0, new.0])?;
            }
            let chain = &mut chains[usize::from(goes)];
            chain.head.get_or_insert(id);
            if let Some(newer) = chain.last.replace(id) {
                link.execute([newer.0, id.0])?;
            }
            chain.packets += 1;
            if answers.is_none() {
                chain.came_ms = chain.came_ms.max(Some(received_ms));
            }
            next = previous.map(PacketId);
        }
        for (chain, owner) in chains.into_iter().zip([from, new]) {
            if let Some(last) = chain.last {
                link.execute(params![last.0, None::<i64>])?;
            }
            let Some(known) = self.devices.change(owner) else { continue };
            known.newest_packet = chain.head;
            known.overview.packets = chain.packets;
            known.overview.device.last_heard = chain.came_ms.map(crate::store::row::time);
        }
        Ok(())
    }
}
