//! Finding a device's history again from its packets, within batches: positions, events and readings as if the packets came now.
//!
//! Who reads packets cannot be named here, so the reader of bytes sits above and hands over, step by step and in order of arrival, what each
//! packet tells now ([`Retold`]). The rows of a packet are replaced in place, a step a transaction, so that nobody who has something to store
//! waits for more than a step; what a device told last is learned anew on the side ([`Rederivation`]) and takes effect with the last step.
//!
//! That it is due stands in the table `rederivations` until the last step has removed it, in the transaction that did the rest.

use std::borrow::Cow;

use rusqlite::{OptionalExtension, Result, params};

use super::{
    batch::Batch,
    decide::no_such,
    devices::{AHEAD, Known},
    told::{ToldFix, event_key},
};
use crate::model::{
    Device, DeviceId, PacketId, Profile, Protocol, Report, Sender, StoredFix, Timestamp, Trust, Verdict,
};
use crate::store::{
    Error,
    row::{self, FIX},
};

/// How far the history of a device has been found again. Handed from step to step.
#[derive(Debug, Clone)]
pub struct Rederivation {
    /// The device with what its packets have told so far, and nothing that it was known for before.
    known: Known,
    /// Which asking this serves.
    asked: i64,
    /// Everything up to this packet is done.
    upto: Option<PacketId>,
    packets: u64,
    changed: u64,
}

impl Rederivation {
    pub(in crate::store) fn begin(device: Device, asked: i64) -> Self {
        Self { known: Known::new(device), asked, upto: None, packets: 0, changed: 0 }
    }

    /// Whose history.
    pub fn device(&self) -> DeviceId {
        self.known.overview.device.id
    }

    /// The profile to read its packets with.
    pub fn profile(&self) -> &Profile {
        &self.known.overview.device.profile
    }

    /// The number of the asking that this serves; it grows.
    pub fn asked(&self) -> i64 {
        self.asked
    }

    /// The newest packet that is done.
    pub fn upto(&self) -> Option<PacketId> {
        self.upto
    }
}

/// What a packet tells when it is read now.
#[derive(Debug, Clone)]
pub struct Retold {
    pub packet: PacketId,
    /// Whose packet it is; a report with a sender of its own may be about another device.
    pub owner: DeviceId,
    pub protocol: Protocol,
    pub received: Timestamp,
    /// Kind and verdict, where they are others than the stored ones.
    pub label: Option<(Cow<'static, str>, Verdict)>,
    pub reports: Vec<Report>,
}

/// One step: packets of one device in order of arrival.
#[derive(Debug, Clone)]
pub struct Step {
    pub work: Rederivation,
    /// At most a few hundred, because everyone who writes waits for them.
    pub packets: Vec<Retold>,
    /// The newest packet that this step is up to, where it told something or not. `None`: nothing is left, as far as the caller knows.
    pub upto: Option<PacketId>,
    /// False where packets are gone from before the first that is there: then what is known of the device may be from those.
    pub whole: bool,
}

/// What came of a step.
#[derive(Debug)]
pub enum Stepped {
    /// There is more to do: go on with this, from [`Rederivation::upto`].
    Further(Box<Rederivation>),
    /// It was asked for again meanwhile: begin anew.
    Anew,
    /// Nobody asks for it any more.
    Dropped,
    Done(Rederived),
}

/// What came of finding a device's history again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rederived {
    /// Packets that were read again.
    pub packets: u64,
    /// Positions that the device has now.
    pub positions: u64,
    /// Positions that are new, different or gone.
    pub changed: u64,
}

impl Batch<'_> {
    /// Notes that the history of a device must be found again. Answers the number of this asking.
    pub(super) fn ask_to_rederive(&mut self, id: DeviceId) -> Result<i64> {
        self.db.prepare_cached("INSERT OR REPLACE INTO rederivations(device_id) VALUES (?1)")?.execute([id.0])?;
        self.due = true;
        Ok(self.db.last_insert_rowid())
    }

    /// As [`Batch::ask_to_rederive`], of a device that is there.
    pub(super) fn rederivation_wanted(&mut self, id: DeviceId) -> Result<Result<i64, Error>> {
        if self.devices.get(id).is_none() {
            return Ok(Err(no_such(id)));
        }
        self.ask_to_rederive(id).map(Ok)
    }

    /// For a packet that was read with a profile of yesterday: work that is due or under way will come to it by itself.
    pub(super) fn ask_to_rederive_once(&mut self, id: DeviceId) -> Result<()> {
        if self.asked(id)?.is_none() {
            self.ask_to_rederive(id)?;
        }
        Ok(())
    }

    fn asked(&self, id: DeviceId) -> Result<Option<i64>> {
        self.db
            .prepare_cached("SELECT asked FROM rederivations WHERE device_id = ?1")?
            .query_row([id.0], |row| row.get(0))
            .optional()
    }

    /// Takes one step.
    pub(super) fn rederive(&mut self, step: &Step) -> Result<Stepped> {
        let id = step.work.device();
        let Some(newest) = self.devices.get(id).map(|known| known.newest_packet) else { return Ok(Stepped::Dropped) };
        match self.asked(id)? {
            None => return Ok(Stepped::Dropped),
            Some(asked) if asked != step.work.asked => return Ok(Stepped::Anew),
            Some(_) => {}
        }
        let mut work = step.work.clone();
        for packet in &step.packets {
            self.replace(&mut work, packet)?;
        }
        work.packets += step.packets.len() as u64;
        if let Some(upto) = step.upto {
            work.upto = Some(upto);
        } else if newest <= work.upto {
            return self.finish(work, step.whole).map(Stepped::Done);
        }
        Ok(Stepped::Further(Box::new(work)))
    }

    /// Replaces what a packet told by what it tells now.
    fn replace(&mut self, work: &mut Rederivation, packet: &Retold) -> Result<()> {
        if let Some((kind, verdict)) = &packet.label {
            self.db
                .prepare_cached("UPDATE packets SET kind = ?2, verdict = ?3 WHERE id = ?1")?
                .execute(params![packet.packet.0, kind, verdict.as_str()])?;
        }
        let mut own = Vec::with_capacity(packet.reports.len());
        for report in &packet.reports {
            let about = match &report.sender {
                None => Some(packet.owner),
                Some(Sender::Device(id)) => self.devices.get(*id).map(|known| known.overview.device.id),
                Some(Sender::Identity(identity)) => self.devices.find(packet.protocol, identity),
            };
            match about {
                Some(about) if about == work.device() => own.push(report),
                Some(other) => self.tell_other(other, packet, report)?,
                None => {}
            }
        }
        self.replace_positions(work, packet, &own)?;
        self.replace_events(work.device(), packet, &own)
    }

    /// A packet of one device told of another, too: what is new of that is added, the rest is left as it is.
    fn tell_other(&mut self, other: DeviceId, packet: &Retold, report: &Report) -> Result<()> {
        if let Some(fix) = &report.fix
            && let Some(new) = self.position(packet.packet, other, report, fix, packet.received)?
            && let Some(known) = self.devices.change(other)
        {
            known.learn(report, Some(&new));
        }
        report.events.iter().try_for_each(|event| self.event(packet.packet, other, event, report.trust))
    }

    fn replace_positions(&mut self, work: &mut Rederivation, packet: &Retold, reports: &[&Report]) -> Result<()> {
        let (id, device) = (packet.packet, work.device());
        if let Some(rows) = self.rows_as_told(id, device, reports)? {
            let mut rows = rows.into_iter();
            for report in reports {
                let told = report.fix.as_ref().map(|fix| ToldFix::of(report, fix));
                let fix = told.zip(rows.next_if_some(report)).map(|(told, row)| told.stored(row, device, id, packet.received));
                work.known.learn(report, fix.as_ref());
            }
            return Ok(());
        }
        let removed = self
            .db
            .prepare_cached("DELETE FROM positions WHERE packet_id = ?1 AND device_id = ?2")?
            .execute([id.0, device.0])?;
        let (mut added, mut evicted) = (0, 0);
        for report in reports {
            let mut new = None;
            if let Some(fix) = &report.fix {
                evicted += self.evict(id, device, &ToldFix::of(report, fix))?;
                new = self.position(id, device, report, fix, packet.received)?;
                added += usize::from(new.is_some());
            }
            work.known.learn(report, new.as_ref());
        }
        work.changed += removed.max(added) as u64;
        if let Some(known) = self.devices.change(device) {
            let positions = &mut known.overview.positions;
            *positions = (*positions + added as u64).saturating_sub((removed + evicted) as u64);
        }
        Ok(())
    }
}
