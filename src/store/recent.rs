//! The last that is known of each device: its row in `latest`, and what came since that was written.
//!
//! The writer writes these rows now and then, for each is a page of its own. Nothing is lost by that: the counter `latest_upto` says up to which
//! packet every row has everything, and each row says it of itself, where it knows more. What is beyond stands in `packets`, `positions` and
//! `learned`, and is added here in the order in which it came, for whoever reads: this process, another one, or the writer after a crash.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Result, Transaction, params};

use super::row::{self, DEVICE, FIX, LATEST};
use crate::model::{DeviceId, DeviceOverview, PacketId, Report, Timestamp, Trust};

/// Up to this packet every row of `latest` has everything.
pub(super) const LATEST_UPTO: &str = "latest_upto";

/// Rows of `learned` removed in one go.
const OUTDATED_AT_ONCE: i64 = 500;

/// A device with the last that is known of it.
pub(super) struct Row {
    pub(super) overview: DeviceOverview,
    /// Its newest packet, in or out.
    pub(super) newest: Option<PacketId>,
    /// Up to this packet its row in `latest` has everything.
    pub(super) upto: i64,
    /// Its row in `latest` lacks something.
    pub(super) behind: bool,
}

/// Every device, in the order they were first seen.
pub(super) fn all(db: &Connection) -> Result<Vec<Row>> {
    let _one_moment = one_moment(db)?;
    let sql = format!(
        "SELECT {DEVICE}, {LATEST}, coalesce(l.upto, 0) FROM devices d LEFT JOIN latest l ON l.device_id = d.id
         ORDER BY d.id"
    );
    let mut rows = db.prepare_cached(&sql)?.query_map([], from)?.collect::<Result<Vec<_>>>()?;
    catch_up(db, &mut rows)?;
    Ok(rows)
}

/// The newest packet that these rows of all devices may have, whether it is still there or not.
pub(super) fn upto(db: &Connection, rows: &[Row]) -> Result<Option<PacketId>> {
    let stored: i64 = db.prepare_cached("SELECT coalesce(max(id), 0) FROM packets")?.query_row([], |row| row.get(0))?;
    let upto = rows.iter().map(|row| row.upto).fold(stored.max(written(db)?), i64::max);
    Ok((upto > 0).then_some(PacketId(upto)))
}

/// Up to this packet every row of `latest` has everything.
fn written(db: &Connection) -> Result<i64> {
    let mut select = db.prepare_cached("SELECT value FROM counters WHERE name = ?1")?;
    Ok(select.query_row([LATEST_UPTO], |row| row.get(0)).optional()?.unwrap_or_default())
}

/// One device.
pub(super) fn one(db: &Connection, device: DeviceId) -> Result<Option<Row>> {
    Ok(some(db, &[device])?.pop())
}

/// These devices, in this order, as far as they are there.
pub(super) fn some(db: &Connection, devices: &[DeviceId]) -> Result<Vec<Row>> {
    let _one_moment = one_moment(db)?;
    let sql = format!(
        "SELECT {DEVICE}, {LATEST}, coalesce(l.upto, 0) FROM devices d LEFT JOIN latest l ON l.device_id = d.id
         WHERE d.id = ?1"
    );
    let mut select = db.prepare_cached(&sql)?;
    let mut rows = Vec::with_capacity(devices.len());
    for device in devices {
        rows.extend(select.query_row([device.0], from).optional()?);
    }
    catch_up(db, &mut rows)?;
    Ok(rows)
}

/// All questions of one answer see the same file. `None`: they are asked within a transaction already.
pub(super) fn one_moment(db: &Connection) -> Result<Option<Transaction<'_>>> {
    db.is_autocommit().then(|| db.unchecked_transaction()).transpose()
}

fn from(row: &rusqlite::Row<'_>) -> Result<Row> {
    let (overview, newest) = row::overview(row)?;
    Ok(Row { overview, newest, upto: row.get(row::AFTER_LATEST)?, behind: false })
}

/// Whether a report is about now and says so by its readings alone: not under a wrong checksum, and not with a fix, which has its own time.
pub(super) fn tells_readings(report: &Report) -> bool {
    report.fix.is_none() && report.trust == Trust::Good && !report.readings.is_empty()
}

/// What one report told of its device that no row of `positions` says. `None`: nothing.
pub(super) fn learned(report: &Report) -> Option<(Option<String>, u16)> {
    let readings = tells_readings(report).then(|| row::json(&report.readings, Trust::Good));
    (readings.is_some() || report.lost_frames > 0).then_some((readings, report.lost_frames))
}

/// A row of `learned`.
struct Learned {
    after_position: i64,
    device: i64,
    packet: i64,
    readings: Option<String>,
    lost_frames: u64,
}

/// Adds what came after the rows were written.
fn catch_up(db: &Connection, rows: &mut [Row]) -> Result<()> {
    let upto = written(db)?;
    let by_device: HashMap<i64, usize> = (0..).zip(&*rows).map(|(n, row)| (row.overview.device.id.0, n)).collect();
    // One of a few is found without a look at what is none of its.
    let only = match &*rows {
        [] => return Ok(()),
        [row] => Some(row.overview.device.id.0),
        _ => None,
    };
    let of = |device: i64, packet: i64, rows: &mut [Row], change: &mut dyn FnMut(&mut Row)| {
        if let Some(row) = by_device.get(&device).and_then(|n| rows.get_mut(*n))
            && packet > row.upto
        {
            row.behind = true;
            change(row);
        }
    };
    let mut packets = db.prepare_cached(
        "SELECT id, device_id, direction = 'in', received_ms FROM packets
         WHERE id > ?1 AND device_id IS NOT NULL AND (?2 IS NULL OR device_id = ?2) ORDER BY id",
    )?;
    let mut found = packets.query(params![upto, only])?;
    while let Some(packet) = found.next()? {
        let (id, came, at): (i64, bool, i64) = (packet.get(0)?, packet.get(2)?, packet.get(3)?);
        of(packet.get(1)?, id, rows, &mut |row| {
            row.overview.packets += 1;
            row.newest = row.newest.max(Some(PacketId(id)));
            if came {
                row.overview.device.last_heard = row.overview.device.last_heard.max(Some(row::time(at)));
            }
        });
    }
    let told = told(db, upto)?;
    let mut told = told.into_iter().peekable();
    let learn = |told: Learned, rows: &mut [Row]| {
        of(told.device, told.packet, rows, &mut |row| {
            row.overview.lost_frames += told.lost_frames;
            if let Some(readings) = &told.readings {
                row.overview.readings.merge(&row::readings(readings));
            }
        });
    };
    let sql = format!(
        "SELECT {FIX} FROM positions p WHERE packet_id > ?1 AND (?2 IS NULL OR device_id = ?2) ORDER BY packet_id, id"
    );
    let mut positions = db.prepare_cached(&sql)?;
    let mut found = positions.query(params![upto, only])?;
    while let Some(position) = found.next()? {
        let (id, device): (i64, i64) = (position.get(0)?, position.get(1)?);
        while let Some(earlier) = told.next_if(|told| told.after_position < id) {
            learn(earlier, rows);
        }
        let packet: i64 = position.get(row::FIX_PACKET)?;
        if let Some(row) = by_device.get(&device).and_then(|n| rows.get_mut(*n))
            && packet > row.upto
            && let Some(fix) = row::fix(position)?
        {
            row.behind = true;
            row.overview.take(&fix);
        }
    }
    for last in told {
        learn(last, rows);
    }
    Ok(())
}

fn told(db: &Connection, upto: i64) -> Result<Vec<Learned>> {
    let mut select = db.prepare_cached(
        "SELECT after_position, device_id, packet_id, readings, lost_frames FROM learned WHERE packet_id > ?1 ORDER BY id",
    )?;
    let told = |row: &rusqlite::Row<'_>| {
        Ok(Learned {
            after_position: row.get(0)?,
            device: row.get(1)?,
            packet: row.get(2)?,
            readings: row.get(3)?,
            lost_frames: row::count(row, 4)?,
        })
    };
    select.query_map([upto], told)?.collect()
}

/// Writes a row of `latest` that has everything up to a packet.
pub(super) fn write(db: &Connection, overview: &DeviceOverview, newest: Option<PacketId>, upto: i64) -> Result<()> {
    let DeviceOverview { device, last_fix, readings, packets, positions, lost_frames } = overview;
    let last = last_fix.as_ref();
    let fix = last.map(|last| &last.fix);
    db.prepare_cached(
        "INSERT OR REPLACE INTO latest(device_id, last_heard_ms, packets, positions, packet_id, readings,
           position_id, fix_time_ms, fix_received_ms, valid, suspect, latitude, longitude, altitude_m, speed_kmh,
           course_deg, accuracy_m, attributes, fix_packet_id, lost_frames, upto)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?
    .execute(params![
        device.id.0,
        device.last_heard.map(Timestamp::as_millisecond),
        packets.cast_signed(),
        positions.cast_signed(),
        newest.map(|p| p.0),
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
        upto,
    ])?;
    Ok(())
}

/// Says that every row of `latest` has everything up to a packet. What that makes outdated is left out by who reads, and can stay.
pub(super) fn written_upto(db: &Connection, upto: i64) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO counters(name, value) VALUES (?1, ?2)")?
        .execute(params![LATEST_UPTO, upto])?;
    Ok(())
}

/// Whether some row of `learned` tells what every row of `latest` has: those up to a packet.
pub(super) fn has_outdated(db: &Connection, upto: i64) -> Result<bool> {
    // They are in the order of their packets.
    let mut first = db.prepare_cached("SELECT packet_id FROM learned ORDER BY id LIMIT 1")?;
    Ok(first.query_row([], |row| row.get::<_, i64>(0)).optional()?.is_some_and(|packet| packet <= upto))
}

/// Removes some such rows. True where there may be more.
pub(super) fn remove_outdated(db: &Connection, upto: i64) -> Result<bool> {
    let mut remove =
        db.prepare_cached("DELETE FROM learned WHERE packet_id <= ?1 AND id <= (SELECT min(id) FROM learned) + ?2")?;
    remove.execute([upto, OUTDATED_AT_ONCE])?;
    has_outdated(db, upto)
}

/// Writes every row that lacks something, for a file that nobody else uses.
pub(super) fn write_all(db: &Connection) -> Result<()> {
    let newest: i64 = db.query_row("SELECT coalesce(max(id), 0) FROM packets", [], |row| row.get(0))?;
    for row in all(db)?.into_iter().filter(|row| row.behind) {
        write(db, &row.overview, row.newest, newest)?;
    }
    Ok(())
}
