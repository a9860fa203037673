//! A large file to start on: ten thousand devices, ten million positions. Made once, kept for the next run.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use rusqlite::{Connection, params};

use crate::{bare, machine};

pub(crate) const DEVICES: u64 = 10_000;

/// Packets are kept for a shorter time than positions, so only the newest have theirs.
const WITH_PACKETS: u64 = 10;

/// 2026-11-01T00:00:00Z.
const BEGAN_MS: u64 = 1_793_491_200_000;

/// The folder with a history of so many positions; makes it where it is missing.
pub(crate) fn folder(positions: u64) -> PathBuf {
    let folder = machine::folder().join(format!("history-{positions}-{}", schema()));
    if !folder.join("whole").exists() {
        let began = Instant::now();
        println!("  making {positions} positions in {}", folder.display());
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).expect("a folder to write into");
        bare::make_tables(&folder);
        let db = bare::open(&folder);
        fill(&db, positions).expect("written");
        drop(db);
        bare::open_once(&folder);
        fs::write(folder.join("whole"), "").expect("a folder to write into");
        println!("  made in {:.0} s", began.elapsed().as_secs_f64());
    }
    folder
}

/// The number of today's schema, so that a file of an older one is not taken.
fn schema() -> i64 {
    let folder = crate::process::scratch();
    bare::make_tables(folder.path());
    bare::open(folder.path()).query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a database")
}

/// Removes what is kept of other sizes or older schemas.
pub(crate) fn keep_only(folder: &Path) {
    let Ok(entries) = fs::read_dir(machine::folder()) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_history = path.file_name().and_then(|n| n.to_str()).is_some_and(|name| name.starts_with("history-"));
        let same_size = |a: &Path, b: &Path| {
            let size = |p: &Path| Some(p.file_name()?.to_str()?.rsplit_once('-')?.0.to_owned());
            size(a) == size(b)
        };
        if is_history && path != folder && same_size(&path, folder) {
            fs::remove_dir_all(path).ok();
        }
    }
}

/// Positions in the order in which a fleet sends them: one of each device, then the next of each.
fn fill(db: &Connection, positions: u64) -> rusqlite::Result<()> {
    let numbers = "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)";
    let at = format!("{BEGAN_MS} + i / {DEVICES} * 60000");
    // A file that is being made may be lost, so nothing is flushed but once.
    db.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")?;
    let indexes: Vec<(String, String)> = db
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL AND tbl_name IN ('positions', 'packets')")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (name, _) in &indexes {
        db.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    db.execute_batch("BEGIN")?;
    db.execute(
        &format!(
            "{numbers} INSERT INTO devices(id, identity, protocol, name, state, first_seen_ms)
             SELECT i, printf('%015d', 358000000000000 + i), 'gt06', 'Van ' || i, 'adopted', {BEGAN_MS} FROM n"
        ),
        params![1, DEVICES.cast_signed()],
    )?;
    let first_packet = positions - positions / WITH_PACKETS;
    db.execute(
        &format!(
            "{numbers} INSERT INTO packets(id, received_ms, protocol, direction, peer, connection, device_id, kind, verdict,
               previous, bytes)
             SELECT i + 1, {at}, 'gt06', 'in', '203.0.113.7:40000', 1 + i % {DEVICES}, 1 + i % {DEVICES}, 'location', 'ok',
               i + 1 - {DEVICES}, zeroblob(40) FROM n"
        ),
        params![first_packet.cast_signed(), (positions - 1).cast_signed()],
    )?;
    db.execute(
        &format!(
            "{numbers} INSERT INTO positions(id, device_id, fix_time_ms, received_ms, valid, suspect, latitude, longitude,
               speed_kmh, course_deg, attributes, packet_id, fix_key)
             SELECT i + 1, 1 + i % {DEVICES}, {at}, {at}, 1, 0, 45.0 + i % 10000 * 0.0005 + i / {DEVICES} * 0.0002,
               5.0 + i % 97 * 0.1, 61.0, 271.0, '{{\"sat\":9,\"ignition\":true,\"batteryLevel\":80,\"rssi\":4}}', i + 1, 34
             FROM n"
        ),
        params![0, (positions - 1).cast_signed()],
    )?;
    db.execute(
        "INSERT INTO latest(device_id, last_heard_ms, packets, positions, packet_id, position_id, fix_time_ms,
               fix_received_ms, valid, suspect, latitude, longitude, speed_kmh, course_deg, attributes, fix_packet_id)
             SELECT device_id, received_ms, ?1, ?1, packet_id, id, fix_time_ms, received_ms, 1, 0, latitude, longitude,
               speed_kmh, course_deg, attributes, packet_id
             FROM positions WHERE id > ?2",
        params![(positions / DEVICES).cast_signed(), (positions - DEVICES).cast_signed()],
    )?;
    // As the program leaves it: without these it would add up all packets when it opens the file.
    db.execute_batch(
        "INSERT OR REPLACE INTO counters(name, value) SELECT 'kept_upto', max(id) FROM packets;
         INSERT OR REPLACE INTO counters(name, value)
             SELECT 'kept_bytes', sum(octet_length(bytes) + 128) FROM packets WHERE held IS NULL;",
    )?;
    for (_, sql) in &indexes {
        db.execute_batch(sql)?;
    }
    // As the writer would have left it.
    for (name, value) in [
        ("latest_upto", "SELECT max(id) FROM packets"),
        ("kept_upto", "SELECT max(id) FROM packets"),
        ("kept_bytes", "SELECT sum(octet_length(bytes) + 128) FROM packets"),
    ] {
        db.execute(&format!("INSERT OR REPLACE INTO counters(name, value) SELECT ?1, ({value})"), [name])?;
    }
    db.execute_batch("COMMIT; PRAGMA journal_mode = WAL;")
}
