//! What the store takes and gives: durable packets a second beside what bare SQL takes, tracks, the device list.
//!
//! Ten thousand devices take turns, so every position lands on another page of the index: the case of many devices, which is the slow one.
//! `WAYGLASS_BENCH_DIR` chooses the disk; the default is the folder for temporary files.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "numbers far below the bounds"
)]

use std::{
    ops::ControlFlow,
    sync::{Arc, LazyLock, Mutex},
};

use divan::{Bencher, black_box, counter::ItemsCount};
use rusqlite::{Connection, params};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wayglass::{
    geo::LatLon,
    model::{
        DeviceId, Direction, Fix, Identity, NewPacket, Policy, Protocol, Readings, Report, Sender, TimeWindow,
        Timestamp, Verdict,
    },
    store::{Options, Store, query},
};

const DEVICES: i64 = 10_000;

/// 2026-11-21T12:00:00Z.
const NOON_MS: i64 = 1_795_262_400_000;

fn main() {
    divan::main();
}

fn folder() -> TempDir {
    match std::env::var_os("WAYGLASS_BENCH_DIR") {
        Some(dir) => TempDir::new_in(dir),
        None => TempDir::new(),
    }
    .expect("a folder to write into")
}

/// The n-th packet of the fleet: a location of 40 bytes with a fix and half a dozen readings.
fn packet(n: i64, sender: Sender) -> NewPacket {
    let at = Timestamp::from_millisecond(NOON_MS + n).expect("within this century");
    let mut readings = Readings::new();
    readings.set("sat", 9);
    readings.set("ignition", true);
    readings.set("batteryLevel", 80);
    readings.set("rssi", 4);
    readings.set("odometer", 123_456_789);
    readings.set("status", 70);
    let fix = Fix {
        at,
        place: LatLon::new(54.9 + n as f64 * 1e-7, 24.0).expect("on the globe"),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(61.0),
        course_deg: Some(123.0),
        satellites: Some(9),
        accuracy_m: None,
    };
    NewPacket {
        protocol: Protocol::Gt06,
        direction: Direction::In,
        received: at,
        peer: "203.0.113.7:40000".into(),
        connection: n.unsigned_abs(),
        sender: Some(sender),
        kind: "location".into(),
        verdict: Verdict::Ok,
        bytes: vec![0x78; 40],
        context: None,
        reports: vec![Report { fix: Some(fix), readings, fix_key: 0x22, ..Report::default() }],
        replies: Vec::new(),
        answers: None,
    }
}

/// An open store with its fleet, and how many packets it was given.
struct Fleet {
    store: Store,
    runtime: Runtime,
    given: i64,
    _dir: TempDir,
}

impl Fleet {
    fn new() -> Self {
        let dir = folder();
        let clock = Arc::new(|| Timestamp::from_millisecond(NOON_MS).expect("within this century"));
        let options = Options { policy: Policy::Adopt, ..Options::new(clock) };
        let store = Store::open(dir.path(), options).expect("opens");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut fleet = Self { store, runtime, given: 0, _dir: dir };
        let writer = fleet.store.writer();
        fleet.runtime.block_on(async {
            let mut receipts = Vec::new();
            for n in 0..DEVICES {
                let name = Identity::new(format!("{:015}", 358_000_000_000_000 + n)).expect("15 digits");
                receipts.push(writer.append(packet(n, Sender::Identity(name))).await.expect("open"));
            }
            for receipt in receipts {
                receipt.durable().await.expect("stored");
            }
        });
        fleet.given = DEVICES;
        fleet
    }

    /// Gives it the next `rows` packets at once, and waits until all are durable.
    fn append(&mut self, rows: i64) {
        let writer = self.store.writer();
        let packets = (self.given..self.given + rows).map(|n| packet(n, Sender::Device(DeviceId(1 + n % DEVICES))));
        self.runtime.block_on(async {
            let mut receipts = Vec::with_capacity(packets.size_hint().0);
            for packet in packets {
                receipts.push(writer.append(packet).await.expect("open"));
            }
            for receipt in receipts {
                black_box(receipt.durable().await.expect("stored"));
            }
        });
        self.given += rows;
    }
}

/// So many packets in flight at once: connections that wait for their answer.
#[divan::bench(args = [1, 10, 100, 1000, 10_000], sample_count = 50)]
fn append(bencher: Bencher, in_flight: i64) {
    let mut fleet = Fleet::new();
    let rounds = (200 / in_flight).max(1);
    bencher.counter(ItemsCount::new((rounds * in_flight).unsigned_abs())).bench_local(|| {
        for _ in 0..rounds {
            fleet.append(in_flight);
        }
    });
}

/// The same rows by bare SQL in batches, from one thread, with nothing around it: what the schema can take.
#[divan::bench(args = [1, 10, 100, 1000, 10_000], sample_count = 50)]
fn bare_schema(bencher: Bencher, batch: i64) {
    let dir = folder();
    let db = Connection::open(dir.path().join("bare.db")).expect("opens");
    db.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000; PRAGMA foreign_keys = OFF;",
    )
    .expect("settings");
    db.execute_batch(include_str!("../../src/store/schema/1.sql")).expect("tables");
    let rounds = (200 / batch).max(1);
    let mut given = 0;
    bencher.counter(ItemsCount::new((rounds * batch).unsigned_abs())).bench_local(|| {
        for _ in 0..rounds {
            bare_batch(&db, given..given + batch).expect("written");
            given += batch;
        }
    });
}

fn bare_batch(db: &Connection, rows: std::ops::Range<i64>) -> rusqlite::Result<()> {
    let mut packet = db.prepare_cached(
        "INSERT INTO packets(received_ms, protocol, direction, peer, connection, device_id, kind, verdict, bytes)
         VALUES (?1, 'gt06', 'in', '203.0.113.7:40000', ?2, ?3, 'location', 'ok', ?4)",
    )?;
    let mut position = db.prepare_cached(
        "INSERT INTO positions(device_id, fix_time_ms, received_ms, valid, suspect, latitude, longitude, speed_kmh,
           course_deg, attributes, packet_id, fix_key)
         VALUES (?1, ?2, ?2, 1, 0, ?3, 24.0, 61.0, 123.0, ?4, ?5, 34) ON CONFLICT DO NOTHING",
    )?;
    let attributes = r#"{"sat":9,"ignition":true,"batteryLevel":80,"rssi":4,"odometer":123456789,"status":70}"#;
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for n in rows {
        let device = 1 + n % DEVICES;
        packet.execute(params![NOON_MS + n, n, device, [0x78_u8; 40]])?;
        let latitude = 54.9 + n as f64 * 1e-7;
        position.execute(params![device, NOON_MS + n, latitude, attributes, db.last_insert_rowid()])?;
    }
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// A fleet with twenty positions each, and one device with a track of this many.
const TRACK: i64 = 100_000;

static FULL: LazyLock<Mutex<Fleet>> = LazyLock::new(|| {
    let mut fleet = Fleet::new();
    fleet.append(19 * DEVICES);
    let writer = fleet.store.writer();
    fleet.runtime.block_on(async {
        for chunk in 0..TRACK / 1000 {
            let mut whole = packet(0, Sender::Device(DeviceId(1)));
            whole.reports =
                (0..1000).flat_map(|n| packet(-1 - chunk * 1000 - n, Sender::Device(DeviceId(1))).reports).collect();
            writer.append(whole).await.expect("open").durable().await.expect("stored");
        }
    });
    Mutex::new(fleet)
});

fn full() -> std::sync::MutexGuard<'static, Fleet> {
    FULL.lock().expect("no bench panicked")
}

#[divan::bench(sample_count = 20)]
fn track(bencher: Bencher) {
    let fleet = full();
    let reader = fleet.store.reader();
    bencher.counter(ItemsCount::new(TRACK.unsigned_abs())).bench_local(|| {
        let read = reader.read(|db| query::track(db, DeviceId(1), TimeWindow::ALL, TRACK.unsigned_abs() as usize));
        assert_eq!(read.wait().expect("read").len(), TRACK.unsigned_abs() as usize);
    });
}

#[divan::bench(sample_count = 20)]
fn track_each(bencher: Bencher) {
    let fleet = full();
    let reader = fleet.store.reader();
    bencher.counter(ItemsCount::new(TRACK.unsigned_abs())).bench_local(|| {
        let read = reader.read_long(|db| {
            let mut seen = 0;
            query::track_each(db, DeviceId(1), TimeWindow::ALL, |fix| {
                black_box(fix);
                seen += 1;
                ControlFlow::Continue(())
            })?;
            Ok(seen)
        });
        assert!(read.wait().expect("read") >= TRACK);
    });
}

#[divan::bench(sample_count = 20)]
fn last_positions(bencher: Bencher) {
    let fleet = full();
    let reader = fleet.store.reader();
    bencher.counter(ItemsCount::new(DEVICES.unsigned_abs())).bench_local(|| {
        assert_eq!(reader.read(query::device_overviews).wait().expect("read").len() as i64, DEVICES);
    });
}

#[divan::bench(sample_count = 20)]
fn packets_of_a_device(bencher: Bencher) {
    let fleet = full();
    let reader = fleet.store.reader();
    bencher.bench_local(|| {
        let read = reader.read(|db| query::packets(db, Some(DeviceId(77)), None, 100));
        assert_eq!(read.wait().expect("read").len(), 20);
    });
}
