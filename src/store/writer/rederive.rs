//! Finding a device's history again from its packets, within batches: positions, events and readings as if the packets came now.
//!
//! Bytes mean nothing here, so the reader of bytes sits above and hands over, step by step and in order of arrival, what each packet tells
//! now ([`Retold`]). The rows of a packet are replaced in place, a step a transaction, so that nobody who has something to store waits for
//! more than a step; what a device told last is learned anew on the side ([`Rederivation`]) and takes effect with the last step.
//!
//! That it is due stands in the table `rederivations` until the last step has removed it, in the transaction that did the rest. So work that
//! was cut off begins anew when the store is opened again; what it had done is found to be right and left alone.

use std::borrow::Cow;

use rusqlite::{OptionalExtension, Result, params};

use super::{
    batch::Batch,
    devices::Known,
    told::{ToldFix, event_key},
};
use crate::model::{Device, DeviceId, Event, PacketId, Profile, Protocol, Report, Timestamp, Trust, Verdict};
use crate::store::row;

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

    /// Packets read so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }
}

/// What a packet tells when it is read now.
#[derive(Debug, Clone)]
pub struct Retold {
    pub packet: PacketId,
    pub received: Timestamp,
    /// Kind and verdict, where they are others than the stored ones.
    pub label: Option<(Cow<'static, str>, Verdict)>,
    /// All about the device whose packet it is.
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
    /// The newest packet of the device as the caller saw it, though it may be gone. What is newer must be read before the end.
    pub head: Option<PacketId>,
    /// False where packets are gone that once were there: then what is known of the device may be from those.
    pub whole: bool,
}

/// What came of a step.
#[derive(Debug)]
pub enum Stepped {
    /// There is more to do: go on with this, from [`Rederivation::upto`].
    Further(Box<Rederivation>),
    /// It was asked for again meanwhile: begin anew.
    Anew,
    /// Nobody asks for it any more: the device was forgotten, or another process has done it.
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
    /// Positions that stay as they were, because their packets are no longer there to be read.
    pub unread: u64,
}

/// What a transaction did about how packets are read.
#[derive(Debug, Default)]
pub(super) struct Reread {
    /// A profile may have changed, so whoever reads packets with one must ask for it again.
    pub(super) profiles: bool,
    /// Somebody may have asked to find a device's history again.
    pub(super) due: bool,
    /// Devices whose history was found again.
    pub(super) done: Vec<DeviceId>,
}

impl Batch<'_> {
    /// Notes that the history of a device must be found again, and numbers this asking. `None` for a phone: its messages mean the same
    /// whatever its profile says.
    pub(super) fn ask_to_rederive(&mut self, id: DeviceId) -> Result<Option<i64>> {
        if self.devices.get(id).is_none_or(|known| known.overview.device.protocol != Protocol::Gt06) {
            return Ok(None);
        }
        self.db.prepare_cached("INSERT OR REPLACE INTO rederivations(device_id) VALUES (?1)")?.execute([id.0])?;
        self.reread.due = true;
        Ok(Some(self.db.last_insert_rowid()))
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
        // Rows are about to change that what is known of it would be found again from.
        self.devices.change(id);
        let mut work = step.work.clone();
        for packet in &step.packets {
            self.replace(&mut work, packet)?;
        }
        work.packets += step.packets.len() as u64;
        if let Some(upto) = step.upto {
            work.upto = Some(upto);
        } else if newest <= work.upto.max(step.head) {
            return self.finish(work, step.whole).map(Stepped::Done);
        }
        Ok(Stepped::Further(Box::new(work)))
    }

    /// Replaces what a packet told by what it tells now.
    fn replace(&mut self, work: &mut Rederivation, packet: &Retold) -> Result<()> {
        if let Some((kind, verdict)) = &packet.label {
            self.db.prepare_cached("UPDATE packets SET kind = ?2, verdict = ?3 WHERE id = ?1")?.execute(params![
                packet.packet.0,
                kind,
                verdict.as_str()
            ])?;
        }
        self.replace_positions(work, packet)?;
        self.replace_events(work.device(), packet)
    }

    fn replace_positions(&mut self, work: &mut Rederivation, packet: &Retold) -> Result<()> {
        let (id, device) = (packet.packet, work.device());
        if let Some(rows) = self.rows_as_told(device, packet)? {
            let mut rows = rows.into_iter();
            for report in &packet.reports {
                let told = report.fix.as_ref().map(|fix| ToldFix::of(report, fix));
                let fix = told.and_then(|told| Some(told.stored(rows.next()?, device, id, packet.received)));
                work.known.learn(report, fix.as_ref());
            }
            return Ok(());
        }
        let hidden = self.hidden_of(id, device)?;
        let removed = self.remove_positions_of(id.0, Some(device))?;
        let mut added = 0;
        for report in &packet.reports {
            let mut new = None;
            if let Some(fix) = &report.fix {
                self.make_way(device, id, &ToldFix::of(report, fix))?;
                new = self.position(id, device, report, fix, packet.received)?;
                added += usize::from(new.is_some());
            }
            work.known.learn(report, new.as_ref());
        }
        self.hide_again(id, device, &hidden)?;
        work.changed += removed.max(added) as u64;
        Ok(())
    }

    /// The rows of a packet's positions, where they say already what it tells now.
    fn rows_as_told(&self, device: DeviceId, packet: &Retold) -> Result<Option<Vec<i64>>> {
        let sql =
            format!("SELECT {} FROM positions WHERE packet_id = ?1 AND device_id = ?2 ORDER BY id", ToldFix::COLUMNS);
        let mut select = self.db.prepare_cached(&sql)?;
        let mut rows = select.query([packet.packet.0, device.0])?;
        let mut ids = Vec::new();
        for (report, fix) in packet.reports.iter().filter_map(|report| Some((report, report.fix.as_ref()?))) {
            match rows.next()? {
                Some(row) if ToldFix::of(report, fix).is_row(row)? => ids.push(row.get(0)?),
                Some(_) | None => return Ok(None),
            }
        }
        Ok(rows.next()?.is_none().then_some(ids))
    }

    /// Removes the row that a later packet once told and that stands where this fix belongs: that packet will be read again, too, and
    /// then it is the one that only says the same.
    fn make_way(&mut self, device: DeviceId, packet: PacketId, told: &ToldFix<'_>) -> Result<()> {
        self.remove_later(device, told.at_ms(), told.key(), packet.0)
    }

    fn replace_events(&mut self, device: DeviceId, packet: &Retold) -> Result<()> {
        let events =
            || packet.reports.iter().flat_map(|report| report.events.iter().map(|event| (event, report.trust)));
        if self.events_as_told(device, packet.packet, events())? {
            return Ok(());
        }
        self.db
            .prepare_cached("DELETE FROM events WHERE packet_id = ?1 AND device_id = ?2")?
            .execute([packet.packet.0, device.0])?;
        for (event, trust) in events() {
            let key = event_key(&row::json(&event.attributes, trust));
            self.db
                .prepare_cached(
                    "DELETE FROM events
                     WHERE device_id = ?1 AND time_ms = ?2 AND type = ?3 AND event_key = ?4 AND packet_id > ?5",
                )?
                .execute(params![device.0, event.at.as_millisecond(), event.kind, key, packet.packet.0])?;
            self.write_event(packet.packet, device, event, trust)?;
        }
        Ok(())
    }

    /// Whether the rows of a packet's events say already what it tells now.
    fn events_as_told<'e>(
        &self,
        device: DeviceId,
        packet: PacketId,
        mut told: impl Iterator<Item = (&'e Event, Trust)>,
    ) -> Result<bool> {
        let mut select = self.db.prepare_cached(
            "SELECT time_ms, type, attributes FROM events WHERE packet_id = ?1 AND device_id = ?2 ORDER BY id",
        )?;
        let mut rows = select.query([packet.0, device.0])?;
        while let Some(row) = rows.next()? {
            let Some((event, trust)) = told.next() else { return Ok(false) };
            let same = row.get::<_, i64>(0)? == event.at.as_millisecond()
                && row.get_ref(1)?.as_str()? == event.kind
                && row.get_ref(2)?.as_str()? == row::json(&event.attributes, trust);
            if !same {
                return Ok(false);
            }
        }
        Ok(told.next().is_none())
    }

    /// Everything is read: what the packets told becomes what is known of the device.
    fn finish(&mut self, work: Rederivation, whole: bool) -> Result<Rederived> {
        let id = work.device();
        let positions = self.count_positions(id)?;
        let last_fix = self.last_fix(id)?;
        let Rederivation { known: new, packets, changed, .. } = work;
        if let Some(known) = self.devices.change(id) {
            let overview = &mut known.overview;
            overview.positions = positions;
            overview.last_fix = last_fix;
            if whole {
                overview.readings = new.overview.readings;
                overview.lost_frames = new.overview.lost_frames;
            } else {
                // An alarm holds until a position comes without one, and those that are left say which does.
                if new.overview.last_fix.as_ref().is_some_and(|fix| fix.trust == Trust::Good) {
                    overview.readings.remove("alarm");
                }
                overview.readings.merge(&new.overview.readings);
            }
            known.told = true;
        }
        self.db.prepare_cached("DELETE FROM rederivations WHERE device_id = ?1")?.execute([id.0])?;
        self.reread.done.push(id);
        Ok(Rederived { packets, positions, changed, unread: 0 })
    }
}
