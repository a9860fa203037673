//! What rows say about each other, put right after some are lost.

use std::collections::HashMap;

use rusqlite::{Connection, Result};

use crate::{model::Timestamp, store::recent};

/// Makes the tables fit together again. `lost`: something could not be read.
pub(super) fn mend(db: &Connection, lost: bool, now: Timestamp) -> Result<()> {
    db.execute_batch("BEGIN")?;
    devices(db)?;
    let heads = chains(db)?;
    latest(db, &heads)?;
    db.execute_batch(COUNTERS)?;
    // They go with their packets, and these are gone.
    db.execute_batch("DELETE FROM connection_ends WHERE packet_id NOT IN (SELECT id FROM packets)")?;
    let newest = db.query_row("SELECT value FROM counters WHERE name = 'kept_upto'", [], |row| row.get(0))?;
    recent::written_upto(db, newest)?;
    if lost {
        db.execute(NOTED, [now.as_millisecond()])?;
    }
    db.execute_batch("COMMIT")
}

/// Devices that only what they told is left of. They keep it under a name that says so.
fn devices(db: &Connection) -> Result<()> {
    for (table, protocol) in [("packets", "min(protocol)"), ("positions", "'gt06'")] {
        db.execute_batch(&format!(
            "INSERT OR IGNORE INTO devices(id, identity, protocol, name, state, first_seen_ms)
             SELECT device_id, 'recovered-' || device_id, {protocol}, 'Recovered ' || device_id, 'adopted', min(received_ms)
             FROM {table} WHERE device_id > 0 AND device_id NOT IN (SELECT id FROM devices) GROUP BY device_id;"
        ))?;
    }
    Ok(())
}

/// Links the packets of each device again, and says which is its newest.
fn chains(db: &Connection) -> Result<HashMap<i64, i64>> {
    /// Links written at once.
    const LINKS: usize = 50_000;
    let mut heads = HashMap::new();
    let mut set = db.prepare("UPDATE packets SET previous = ?2 WHERE id = ?1")?;
    let mut after = i64::MIN;
    loop {
        let mut select = db.prepare_cached(
            "SELECT id, device_id, previous FROM packets WHERE id > ?1 AND device_id IS NOT NULL ORDER BY id LIMIT ?2",
        )?;
        let rows: Vec<(i64, i64, Option<i64>)> = select
            .query_map((after, LINKS.cast_signed()), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_>>()?;
        let Some((last, ..)) = rows.last() else { return Ok(heads) };
        after = *last;
        for (id, device, previous) in rows {
            let before = heads.insert(device, id);
            // The oldest that is left may well point to one that age removed; that is where its chain ends.
            if before.is_some() && before != previous {
                set.execute((id, before))?;
            }
        }
    }
}

/// What is last known of each device, where that is lost or says what is lost.
fn latest(db: &Connection, heads: &HashMap<i64, i64>) -> Result<()> {
    db.execute_batch(
        "DELETE FROM latest WHERE device_id NOT IN (SELECT id FROM devices);
         INSERT OR IGNORE INTO counters(name, value) SELECT 'latest_upto', coalesce(max(upto), 0) FROM latest;
         INSERT OR IGNORE INTO latest(device_id, packets, positions, upto)
         SELECT d.id, (SELECT count(*) FROM packets k WHERE k.device_id = d.id), 0, coalesce((SELECT max(id) FROM packets), 0)
         FROM devices d WHERE d.id NOT IN (SELECT device_id FROM latest);",
    )?;
    recent::write_all(db)?;
    db.execute_batch(
        "UPDATE latest SET positions = (SELECT count(*) FROM positions p WHERE p.device_id = latest.device_id);
         UPDATE latest SET position_id = NULL
         WHERE position_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM positions p WHERE p.id = position_id);
         UPDATE latest SET (position_id, fix_time_ms, fix_received_ms, valid, suspect, latitude, longitude, altitude_m,
           speed_kmh, course_deg, accuracy_m, attributes, fix_packet_id) =
           (SELECT p.id, p.fix_time_ms, p.received_ms, p.valid, p.suspect, p.latitude, p.longitude, p.altitude_m,
              p.speed_kmh, p.course_deg, p.accuracy_m, p.attributes, p.packet_id
            FROM positions p WHERE p.device_id = latest.device_id AND p.fix_time_ms <= p.received_ms + 86400000
            ORDER BY p.suspect, p.fix_time_ms DESC LIMIT 1)
         WHERE position_id IS NULL;",
    )?;
    let mut head = db.prepare(
        "UPDATE latest SET packet_id = ?2,
           last_heard_ms = max(coalesce(last_heard_ms, 0), (SELECT received_ms FROM packets WHERE id = ?2))
         WHERE device_id = ?1",
    )?;
    for (device, packet) in heads {
        head.execute((device, packet))?;
    }
    Ok(())
}

/// As schema step 5 begins them; a greater number that was saved stays.
const COUNTERS: &str = "
DELETE FROM counters WHERE name = 'tracked_upto';
INSERT OR REPLACE INTO counters(name, value)
SELECT 'kept_bytes', coalesce(sum(octet_length(bytes) + coalesce(octet_length(context), 0) + 128), 0)
FROM packets WHERE held IS NULL;
INSERT OR REPLACE INTO counters(name, value)
SELECT 'kept_upto', max(
  coalesce((SELECT value FROM counters WHERE name = 'kept_upto' AND value < 4611686018427387904), 0),
  coalesce((SELECT max(id) FROM packets), 0),
  coalesce((SELECT max(packet_id) FROM positions), 0),
  coalesce((SELECT max(packet_id) FROM events), 0),
  coalesce((SELECT max(packet_id) FROM latest), 0));";

/// Any packet up to now that is not there may have been lost with the damage.
const NOTED: &str = "
INSERT INTO removals(at_ms, reason, first_packet, last_packet, packets, bytes)
SELECT ?1, 'damage', 1, value, 0, 0 FROM counters WHERE name = 'kept_upto'";
