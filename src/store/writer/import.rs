//! Positions out of files, within batches: they go in as if a device had told them, and a whole batch can be taken back.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Result, params};

use super::{Writer, batch::Batch, write::Write};
use crate::{
    model::{Device, DeviceId, DeviceState, ImportId, ImportInto, NewImport, NewRecord, PacketId},
    store::{Error, Pending, query, trail::Point},
};

/// Positions removed in one transaction, so that whoever stores something meanwhile never waits for long.
const STEP: usize = 1_000;

/// Something to write about an import.
#[derive(Debug, Clone)]
pub(in crate::store) enum ImportWrite {
    Begin(NewImport),
    /// Positions of one device; at most a few hundred, because everyone who writes waits for them.
    Records {
        batch: ImportId,
        into: ImportInto,
        records: Vec<NewRecord>,
    },
    End {
        batch: ImportId,
        rejected: u64,
    },
    TakeBack(ImportId),
}

/// What came of a step of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    pub batch: ImportId,
    /// The device that the records went to.
    pub device: Option<Device>,
    /// Positions stored, or removed.
    pub positions: u64,
    /// Positions that were there already.
    pub duplicates: u64,
    /// Taking back is not done yet.
    pub more: bool,
}

impl Imported {
    fn of(batch: ImportId) -> Self {
        Self { batch, device: None, positions: 0, duplicates: 0, more: false }
    }
}

impl Writer {
    /// Begins a batch of positions out of a file.
    pub fn begin_import(&self, import: NewImport) -> Pending<Imported> {
        self.push(ImportWrite::Begin(import), Write::Import)
    }

    /// Writes positions of one device. One that says the same place at the same moment as one that is there is a duplicate.
    pub fn import(&self, batch: ImportId, into: ImportInto, records: Vec<NewRecord>) -> Pending<Imported> {
        self.push(ImportWrite::Records { batch, into, records }, Write::Import)
    }

    /// Ends a batch: subscribers read again.
    pub fn end_import(&self, batch: ImportId, rejected: u64) -> Pending<Imported> {
        self.push(ImportWrite::End { batch, rejected }, Write::Import)
    }

    /// Removes a step of what a batch brought. Ask again as long as there is more.
    pub fn take_import_back(&self, batch: ImportId) -> Pending<Imported> {
        self.push(ImportWrite::TakeBack(batch), Write::Import)
    }
}

impl Batch<'_> {
    pub(super) fn import(&mut self, write: &ImportWrite) -> Result<std::result::Result<Imported, Error>> {
        match write {
            ImportWrite::Begin(new) => self.begin_import(new).map(Ok),
            ImportWrite::Records { batch, into, records } => self.import_records(*batch, into, records),
            ImportWrite::End { batch, rejected } => self.end_import(*batch, *rejected).map(Ok),
            ImportWrite::TakeBack(batch) => self.take_back(*batch),
        }
    }

    fn begin_import(&mut self, new: &NewImport) -> Result<Imported> {
        let NewImport { file, format, counted_in } = new;
        self.db
            .prepare_cached("INSERT INTO imports(file, format, counted_in, began_ms) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![file, format, counted_in.as_str(), self.now.as_millisecond()])?;
        Ok(Imported::of(ImportId(self.db.last_insert_rowid())))
    }

    fn import_records(
        &mut self,
        batch: ImportId,
        into: &ImportInto,
        records: &[NewRecord],
    ) -> Result<std::result::Result<Imported, Error>> {
        if query::import(self.db, batch)?.is_none_or(|batch| batch.undone.is_some()) {
            return Ok(Err(Error::Refused("this import was taken back meanwhile".to_owned())));
        }
        let Some(device) = self.import_device(batch, into)? else {
            return Ok(Err(Error::NoSuchDevice("the one to import into, which is gone".to_owned())));
        };
        let mut done = Imported::of(batch);
        let moments = records.iter().filter_map(|record| record.report.fix.as_ref());
        let mut there = self.fixes_at(device, moments.map(|fix| fix.at.as_millisecond()).collect())?;
        for record in records {
            if self.import_record(batch, device, record, &mut there)? {
                done.positions += 1;
            } else {
                done.duplicates += 1;
            }
        }
        self.db
            .prepare_cached(
                "UPDATE imports SET positions = positions + ?2, duplicates = duplicates + ?3 WHERE id = ?1",
            )?
            .execute(params![batch.0, done.positions.cast_signed(), done.duplicates.cast_signed()])?;
        done.device = self.devices.get(device).map(|known| known.overview.device.clone());
        Ok(Ok(done))
    }

    /// The device that records go to; made where it must be.
    fn import_device(&mut self, batch: ImportId, into: &ImportInto) -> Result<Option<DeviceId>> {
        let (protocol, identity, name) = match into {
            ImportInto::Device(id) => return Ok(self.devices.get(*id).map(|_| *id)),
            ImportInto::New { protocol, identity, name } => (*protocol, identity, name.as_deref()),
        };
        if let Some(known) = self.devices.find(protocol, identity) {
            return Ok(Some(known));
        }
        let made = self.make(protocol, identity, DeviceState::Adopted, name, self.now)?;
        self.db
            .prepare_cached("UPDATE imports SET made = json_insert(made, '$[#]', ?2) WHERE id = ?1")?
            .execute(params![batch.0, made.0])?;
        Ok(Some(made))
    }

    /// True where the position was not there before. `there`: what the device has at the moments of this batch.
    fn import_record(
        &mut self,
        batch: ImportId,
        device: DeviceId,
        record: &NewRecord,
        there: &mut HashMap<i64, Vec<Point>>,
    ) -> Result<bool> {
        let NewRecord { place, received, report } = record;
        let Some(fix) = &report.fix else { return Ok(false) };
        let same_moment = there.entry(fix.at.as_millisecond()).or_default();
        if same_moment.iter().any(|point| point.is_at(fix.place)) {
            return Ok(false);
        }
        // Its row counts for nothing here.
        same_moment.push(Point::new(0, 0, fix, true, false));
        let packet = PacketId::of_import(batch, *place);
        let new = self.position(packet, device, report, fix, *received)?;
        let is_new = new.is_some();
        if is_new && let Some(known) = self.devices.change(device) {
            known.learn(report, new.as_ref());
        }
        Ok(is_new)
    }

    fn end_import(&mut self, batch: ImportId, rejected: u64) -> Result<Imported> {
        self.db.prepare_cached("UPDATE imports SET ended_ms = ?2, rejected = ?3 WHERE id = ?1")?.execute(params![
            batch.0,
            self.now.as_millisecond(),
            rejected.cast_signed()
        ])?;
        // History has changed at any moment of it: no fact can say that.
        self.missed = true;
        Ok(Imported::of(batch))
    }

    fn take_back(&mut self, batch: ImportId) -> Result<std::result::Result<Imported, Error>> {
        if query::import(self.db, batch)?.is_none() {
            return Ok(Err(Error::Refused(format!("there is no import {}", batch.0))));
        }
        let (least, greatest) = batch.packets();
        let mut removed: HashMap<DeviceId, u64> = HashMap::new();
        for device in self.remove_some_between(least.0, greatest.0, STEP)? {
            *removed.entry(device).or_default() += 1;
        }
        let mut done = Imported::of(batch);
        for (device, count) in &removed {
            done.positions += count;
            self.forget_imported(*device, *count, batch)?;
        }
        done.more = done.positions == STEP as u64;
        if !done.more {
            self.db
                .prepare_cached("UPDATE imports SET undone_ms = coalesce(undone_ms, ?2) WHERE id = ?1")?
                .execute(params![batch.0, self.now.as_millisecond()])?;
            self.remove_made(batch)?;
            self.missed = true;
        }
        Ok(Ok(done))
    }

    /// What is known of a device after positions of it were taken back.
    fn forget_imported(&mut self, device: DeviceId, count: u64, batch: ImportId) -> Result<()> {
        let from_batch = |packet: PacketId| packet.import().is_some_and(|(id, _)| id == batch);
        let last = self.devices.get(device).and_then(|known| known.overview.last_fix.as_ref());
        let stale = last.is_some_and(|fix| from_batch(fix.packet));
        let last_fix = if stale { self.last_fix(device)? } else { None };
        let Some(known) = self.devices.change(device) else { return Ok(()) };
        let overview = &mut known.overview;
        overview.positions = overview.positions.saturating_sub(count);
        if stale {
            overview.readings = last_fix.as_ref().map(|fix| fix.readings.clone()).unwrap_or_default();
            overview.last_fix = last_fix;
            known.told = true;
        }
        Ok(())
    }

    /// Removes devices that were made for a batch and have nothing else.
    fn remove_made(&mut self, batch: ImportId) -> Result<()> {
        let made: Option<String> = self
            .db
            .prepare_cached("SELECT made FROM imports WHERE id = ?1")?
            .query_row([batch.0], |row| row.get(0))
            .optional()?;
        let made: Vec<i64> = made.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        for id in made.into_iter().map(DeviceId) {
            let empty = |known: &super::devices::Known| known.overview.packets + known.overview.positions == 0;
            if self.devices.get(id).is_some_and(empty) {
                self.remove(id)?;
            }
        }
        Ok(())
    }
}
