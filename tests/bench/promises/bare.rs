//! What the schema itself takes: the same rows by plain SQL, from one thread, with no network and nothing else around it.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use tempfile::TempDir;
use wayglass::{
    model::Timestamp,
    store::{Options, Store},
};

use crate::{machine, process::scratch};

/// Three weeks ago, in round numbers.
const BEGAN_MS: i64 = 1_793_000_000_000;

/// A file with today's tables, and a connection that writes into it as durably as the program does.
pub(crate) struct Bare {
    db: Connection,
    next: i64,
    devices: i64,
    _folder: TempDir,
}

/// What one position is made of: the bytes that came, what they say, and the bytes of the answer.
pub(crate) struct Shape {
    protocol: &'static str,
    packet: Vec<u8>,
    answer: Vec<u8>,
    attributes: &'static str,
    /// The last of each device is written, too.
    latest: bool,
}

impl Shape {
    /// A GT06 location and its acknowledgement.
    pub(crate) fn gt06() -> Self {
        let attributes = r#"{"ignition":true,"archive":false,"event":0,"sat":9}"#;
        Self { protocol: "gt06", packet: vec![0x78; 40], answer: vec![0x78; 10], attributes, latest: false }
    }

    /// A report of a phone.
    pub(crate) fn owntracks(body: &str) -> Self {
        let attributes = r#"{"batteryLevel":71,"tid":"aa","motion":true,"networkTechnology":"mobile"}"#;
        Self { protocol: "owntracks", packet: body.into(), answer: b"[]".to_vec(), attributes, latest: true }
    }
}

/// How fast rows went in.
pub(crate) struct Pace {
    pub(crate) per_second: f64,
    /// Processor time a row, of this thread and the system for it.
    pub(crate) cpu_us: f64,
}

impl Bare {
    pub(crate) fn new(devices: usize) -> Self {
        let folder = scratch();
        make_tables(folder.path());
        let db = open(folder.path());
        // The program tells by other means whether a fix was sent again; plain SQL keeps that promise by an index.
        db.execute_batch("CREATE UNIQUE INDEX positions_fix ON positions(device_id, fix_time_ms, fix_key)")
            .expect("an index");
        Self { db, next: 0, devices: devices as i64, _folder: folder }
    }

    /// Writes batches of so many positions, each a transaction, for a while.
    pub(crate) fn race(&mut self, shape: &Shape, batch: usize, runs: Duration) -> Pace {
        let (began, cpu, first) = (Instant::now(), machine::cpu_time(std::process::id()), self.next);
        while began.elapsed() < runs {
            self.batch(shape, batch as i64).expect("written");
        }
        let rows = (self.next - first) as f64;
        let used = machine::cpu_time(std::process::id()).saturating_sub(cpu);
        Pace { per_second: rows / began.elapsed().as_secs_f64(), cpu_us: used.as_secs_f64() * 1e6 / rows }
    }

    /// One transaction.
    pub(crate) fn batch(&mut self, shape: &Shape, rows: i64) -> rusqlite::Result<()> {
        let Self { db, next, devices, .. } = self;
        let mut packet = db.prepare_cached(
            "INSERT INTO packets(received_ms, protocol, direction, peer, connection, device_id, kind, verdict, answers,
               bytes)
             VALUES (?1, ?2, ?3, '203.0.113.7:40000', ?4, ?4, ?5, 'ok', ?6, ?7)",
        )?;
        let mut position = db.prepare_cached(
            "INSERT INTO positions(device_id, fix_time_ms, received_ms, valid, suspect, latitude, longitude, speed_kmh,
               course_deg, attributes, packet_id, fix_key)
             VALUES (?1, ?2, ?2, 1, 0, ?3, 24.0, 61.0, 123.0, ?4, ?5, 34) ON CONFLICT DO NOTHING",
        )?;
        let mut latest = db.prepare_cached(
            "INSERT OR REPLACE INTO latest(device_id, last_heard_ms, packets, positions, packet_id, position_id, fix_time_ms,
               fix_received_ms, valid, suspect, latitude, longitude, attributes, fix_packet_id)
             VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?2, ?2, 1, 0, ?6, 24.0, ?7, ?4)",
        )?;
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for n in *next..*next + rows {
            let (device, at) = (1 + n % *devices, BEGAN_MS + n / *devices * 1000);
            packet.execute(params![at, shape.protocol, "in", device, "location", None::<i64>, shape.packet])?;
            let id = db.last_insert_rowid();
            packet.execute(params![at, shape.protocol, "out", device, "ack", id, shape.answer])?;
            let latitude = 47.0 + (n % 100_000) as f64 * 1e-5;
            position.execute(params![device, at, latitude, shape.attributes, id])?;
            if shape.latest {
                latest.execute(params![
                    device,
                    at,
                    n / *devices,
                    id,
                    db.last_insert_rowid(),
                    latitude,
                    shape.attributes
                ])?;
            }
        }
        db.prepare_cached("COMMIT")?.execute([])?;
        *next += rows;
        Ok(())
    }
}

/// An empty database with today's schema, as the program makes it.
pub(crate) fn make_tables(folder: &Path) {
    open_once(folder);
}

/// Opens and closes the store of a folder, which brings everything up to date in it.
pub(crate) fn open_once(folder: &Path) {
    let clock = Arc::new(|| Timestamp::from_millisecond(BEGAN_MS).expect("within this century"));
    Store::open(folder, Options::new(clock)).expect("opens").close();
}

/// A connection set up as the program's own.
pub(crate) fn open(folder: &Path) -> Connection {
    let db = Connection::open(folder.join(wayglass::store::FILE_NAME)).expect("opens");
    db.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000;
         PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF;",
    )
    .expect("settings");
    db
}
