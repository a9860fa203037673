//! What a report told, as rows of `positions` and `events`.

use std::borrow::Cow;

use rusqlite::{OptionalExtension, Result, Row, params};

use super::batch::{Batch, to_ms};
use crate::model::{DeviceId, Event, Fix, PacketId, Readings, Report, StoredEvent, StoredFix, Timestamp, Trust};
use crate::store::{row, trail::Point};

/// A fix as its row in `positions` has it.
pub(super) struct ToldFix<'r> {
    report: &'r Report,
    fix: &'r Fix,
    readings: Cow<'r, Readings>,
    /// The readings as the store keeps them.
    attributes: String,
}

impl<'r> ToldFix<'r> {
    pub(super) fn of(report: &'r Report, fix: &'r Fix) -> Self {
        let mut readings = Cow::Borrowed(&report.readings);
        // The number of satellites has no column of its own.
        if let Some(satellites) = fix.satellites
            && readings.get("sat").is_none()
        {
            readings.to_mut().set("sat", satellites);
        }
        Self { report, fix, attributes: row::json(&readings, report.trust), readings }
    }

    pub(super) fn at_ms(&self) -> i64 {
        self.fix.at.as_millisecond()
    }

    pub(super) fn key(&self) -> i64 {
        self.report.fix_key.cast_signed()
    }

    pub(super) fn message_id(&self) -> Option<&str> {
        self.report.message_id.as_deref()
    }

    fn suspect(&self) -> bool {
        self.report.trust == Trust::Suspect
    }

    /// Bytes that cannot be believed do not say that satellites held.
    fn valid(&self) -> bool {
        self.fix.valid && !self.suspect()
    }

    /// The columns that [`ToldFix::is_row`] compares.
    pub(super) const COLUMNS: &'static str = "id, fix_time_ms, valid, suspect, latitude, longitude, altitude_m, speed_kmh, \
         course_deg, accuracy_m, attributes, fix_key, message_id";

    /// True where the row says exactly this.
    pub(super) fn is_row(&self, row: &Row<'_>) -> Result<bool> {
        let fix = self.fix;
        Ok(row.get::<_, i64>(1)? == self.at_ms()
            && row.get::<_, bool>(2)? == self.valid()
            && row.get::<_, bool>(3)? == self.suspect()
            && row.get::<_, Option<f64>>(4)? == Some(fix.place.lat_deg())
            && row.get::<_, Option<f64>>(5)? == Some(fix.place.lon_deg())
            && row.get::<_, Option<f64>>(6)? == fix.altitude_m
            && row.get::<_, Option<f64>>(7)? == fix.speed_kmh
            && row.get::<_, Option<f64>>(8)? == fix.course_deg
            && row.get::<_, Option<f64>>(9)? == fix.accuracy_m
            && row.get_ref(10)?.as_str()? == self.attributes
            && row.get::<_, i64>(11)? == self.key()
            && row.get_ref(12)?.as_str_or_null()? == self.message_id())
    }

    /// As it is read back.
    pub(super) fn stored(self, id: i64, device: DeviceId, packet: PacketId, received: Timestamp) -> StoredFix {
        StoredFix {
            id,
            device,
            fix: Fix { at: to_ms(self.fix.at), valid: self.valid(), ..self.fix.clone() },
            received: to_ms(received),
            trust: self.report.trust,
            readings: self.readings.into_owned(),
            packet,
        }
    }
}

impl Batch<'_> {
    /// Writes the row of a fix; `None` where it was there already.
    pub(super) fn position(
        &mut self,
        id: PacketId,
        device: DeviceId,
        report: &Report,
        fix: &Fix,
        received: Timestamp,
    ) -> Result<Option<StoredFix>> {
        let told = ToldFix::of(report, fix);
        if self.has_fix(device, told.at_ms(), told.key())? {
            return Ok(None);
        }
        let position = self.devices.trails.last_position + 1;
        let inserted = self.insert_position.execute(params![
            device.0,
            told.at_ms(),
            received.as_millisecond(),
            told.valid(),
            told.suspect(),
            fix.place.lat_deg(),
            fix.place.lon_deg(),
            fix.altitude_m,
            fix.speed_kmh,
            fix.course_deg,
            fix.accuracy_m,
            told.attributes,
            id.0,
            told.key(),
            told.message_id(),
            position,
        ])?;
        if inserted == 0 {
            return Ok(None);
        }
        self.new_position(device, Point::new(position, told.key(), fix, told.valid(), told.suspect()), told.key())?;
        self.positions += 1;
        Ok(Some(told.stored(position, device, id, received)))
    }

    /// Writes the row of an event, unless it was there already, and tells of it.
    pub(super) fn event(&mut self, id: PacketId, device: DeviceId, event: &Event, trust: Trust) -> Result<()> {
        if self.write_event(id, device, event, trust)?
            && let Some(facts) = &mut self.facts
        {
            facts.events.push(StoredEvent {
                id: self.db.last_insert_rowid(),
                device,
                at: to_ms(event.at),
                kind: event.kind.clone(),
                attributes: row::marked(&event.attributes, trust),
                packet: id,
                unread: false,
            });
        }
        Ok(())
    }

    /// Writes the row of an event; false where it was there already.
    pub(super) fn write_event(&mut self, id: PacketId, device: DeviceId, event: &Event, trust: Trust) -> Result<bool> {
        let attributes = row::json(&event.attributes, trust);
        // What a phone is doing stands in every report; that it does something else is the event.
        if event.kind == "activity" && self.did_before(device, event.at)?.as_deref() == Some(attributes.as_str()) {
            return Ok(false);
        }
        let inserted = self.insert_event.execute(params![
            device.0,
            event.at.as_millisecond(),
            event.kind,
            attributes,
            id.0,
            event_key(&attributes),
        ])?;
        Ok(inserted > 0)
    }

    /// The attributes of the last `activity` before a moment.
    fn did_before(&self, device: DeviceId, at: Timestamp) -> Result<Option<String>> {
        self.db
            .prepare_cached(
                "SELECT attributes FROM events WHERE device_id = ?1 AND time_ms < ?2 AND type = 'activity'
                 ORDER BY time_ms DESC LIMIT 1",
            )?
            .query_row(params![device.0, at.as_millisecond()], |row| row.get(0))
            .optional()
    }
}

/// Tells events of one moment and type apart: FNV-1a with 64 bits over the attributes as they are kept. Short, and the same in every version of
/// this program, which the file relies on.
pub(super) fn event_key(attributes: &str) -> i64 {
    attributes
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
        .cast_signed()
}
