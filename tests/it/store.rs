//! The store at its face: what a receipt promises, who becomes a device, what a second process may do, what its bounds are.

mod bounds;
mod commands;
mod copy;
mod damage;
mod ends;
mod filter;
mod folder;
mod keeping;
mod layout;
mod migrate;
mod promises;
mod reading;
mod senders;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wayglass::{
    geo::LatLon,
    model::{
        Clock, Committed, Device, DeviceId, Direction, Event, Fact, Fix, Identity, NewPacket, Policy, Protocol,
        Readings, Report, Sender, StoredFix, Timestamp, Verdict,
    },
    store::{Error, Facts, Limits, Options, Store, Stored, query},
};

/// 2026-11-21T12:00:00Z, when every test begins.
const NOON_MS: i64 = 1_795_262_400_000;

fn ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

/// A moment so many seconds after noon.
fn after(secs: i64) -> Timestamp {
    ms(NOON_MS + secs * 1000)
}

fn name(name: &str) -> Identity {
    Identity::new(name).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "as a packet takes it")]
fn from(identity: &str) -> Option<Sender> {
    Some(Sender::Identity(name(identity)))
}

/// A fix at a moment; its key says when it was measured and no more.
fn fix(at: Timestamp) -> Report {
    let fix = Fix {
        at,
        place: LatLon::new(54.9, 24.0).unwrap(),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(61.0),
        course_deg: Some(123.5),
        satellites: Some(7),
        accuracy_m: None,
    };
    Report { fix: Some(fix), ..Report::default() }
}

fn told(key: &'static str, value: impl Into<serde_json::Value>) -> Report {
    let mut readings = Readings::new();
    readings.set(key, value);
    Report { readings, ..Report::default() }
}

fn packet(sender: Option<Sender>, received: Timestamp, reports: Vec<Report>) -> NewPacket {
    NewPacket {
        protocol: Protocol::Gt06,
        direction: Direction::In,
        received,
        peer: "127.0.0.1:4711".into(),
        connection: 3,
        sender,
        kind: "location".into(),
        verdict: Verdict::Ok,
        bytes: vec![0x78, 0x78, 0x0d, 0x0a],
        context: None,
        reports,
        replies: Vec::new(),
        answers: None,
    }
}

/// A folder, a clock that the test moves, and the store that is open in it.
struct Shelf {
    store: Option<Store>,
    runtime: Runtime,
    now_ms: Arc<AtomicI64>,
    limits: Limits,
    dir: TempDir,
}

impl Shelf {
    fn new(policy: Policy) -> Self {
        Self::with(policy, Limits::default())
    }

    fn with(policy: Policy, limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let now_ms = Arc::new(AtomicI64::new(NOON_MS));
        // Ages count at once: the clock is ours.
        let limits = Limits { steady: Duration::ZERO, ..limits };
        let mut shelf = Self { store: None, runtime, now_ms, limits, dir: tempfile::tempdir().unwrap() };
        shelf.open(policy).unwrap();
        shelf
    }

    fn open(&mut self, policy: Policy) -> Result<(), Error> {
        let options = Options { policy, limits: self.limits, ..Options::new(self.clock()) };
        self.store = Some(Store::open(self.dir.path(), options)?);
        Ok(())
    }

    fn clock(&self) -> Clock {
        let now_ms = Arc::clone(&self.now_ms);
        Arc::new(move || ms(now_ms.load(Ordering::Relaxed)))
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn close(&mut self) {
        self.store.take().unwrap().close();
    }

    /// Waits until the writer is done with all that it does after answering.
    fn settle(&self) {
        // Writes that are refused, the second behind everything that follows the first.
        for _ in 0..2 {
            assert!(self.store().writer().ignore(DeviceId(-1)).wait().is_err());
        }
    }

    /// Subscribes to what is written from now on.
    fn facts(&self) -> Facts {
        self.settle();
        self.store().facts()
    }

    fn try_append(&self, packet: NewPacket) -> Result<Stored, Error> {
        let writer = self.store().writer();
        self.runtime.block_on(async { writer.append(packet).await?.durable().await })
    }

    fn append(&self, packet: NewPacket) -> Stored {
        self.try_append(packet).unwrap()
    }

    fn admit(&self, identity: &str) -> Option<Device> {
        let writer = self.store().writer();
        self.runtime.block_on(writer.admit(Protocol::Gt06, name(identity), after(0))).unwrap()
    }

    fn read<T: Send + 'static>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static) -> T {
        self.store().reader().read(question).wait().unwrap()
    }

    fn count(&self, sql: &'static str) -> i64 {
        self.read(move |db| db.query_row(sql, [], |row| row.get(0)))
    }

    fn device(&self, identity: &'static str) -> Device {
        self.read(move |db| query::find_device(db, identity)).unwrap()
    }

    fn last_fix(&self) -> StoredFix {
        self.read(query::device_overviews).remove(0).last_fix.unwrap()
    }
}

/// Another program that looks into the file.
fn outsider(dir: &Path) -> Connection {
    Connection::open(dir.join("wayglass.db")).unwrap()
}

fn committed(facts: &mut Facts) -> Committed {
    match facts.wait().unwrap() {
        Fact::Committed(committed) => Committed::clone(&committed),
        Fact::Missed => panic!("nothing was missed"),
    }
}

fn alarm() -> Event {
    Event { at: after(3), kind: "alarm".into(), attributes: told("alarm", "sos").readings }
}
