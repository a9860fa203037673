//! The store at its face: what a receipt promises, who becomes a device, what a second process may do, what its bounds are.

use std::{
    fs,
    ops::ControlFlow,
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
        Clock, CommandState, Committed, Device, DeviceId, DeviceState, Direction, Event, Fact, Fix, Identity,
        NewPacket, NewReply, PacketId, Policy, Profile, Protocol, Readings, Report, Sender, StoredFix, TimeWindow,
        Timestamp, Trust, Verdict,
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

#[test]
fn a_receipt_says_that_everyone_can_read_it() {
    let shelf = Shelf::new(Policy::Adopt);
    let reply = NewReply { kind: "ack".into(), bytes: vec![1, 2] };
    let stored = shelf.append(NewPacket {
        replies: vec![reply],
        context: Some(r#"{"path":"/"}"#.into()),
        ..packet(from("358000000000001"), after(5), vec![fix(after(0))])
    });
    assert!(!stored.refused);
    assert_eq!(stored.new_fixes, 1);

    let db = outsider(shelf.dir.path());
    let row: (String, String, i64, String) = db
        .query_row(
            "SELECT d.identity, d.state, p.fix_time_ms, p.attributes FROM positions p JOIN devices d ON d.id = p.device_id
             JOIN packets k ON k.id = p.packet_id WHERE k.direction = 'in' AND k.device_id = d.id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_eq!(row, ("358000000000001".into(), "adopted".into(), NOON_MS, r#"{"sat":7}"#.into()));

    let rows = shelf.read(|db| query::packets(db, None, None, 10));
    let [arrived, answer] = rows.as_slice() else { panic!("two rows, not {rows:?}") };
    assert_eq!((arrived.id, arrived.answers, arrived.direction), (stored.packet, None, Direction::In));
    assert_eq!((answer.answers, answer.direction), (Some(stored.packet), Direction::Out));
    assert_eq!((&*answer.bytes, answer.device), (&[1, 2][..], stored.device));
    assert_eq!(arrived.context.as_deref(), Some(r#"{"path":"/"}"#));
    let told = shelf.read(move |db| query::fixes_of_packet(db, stored.packet));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].fix.satellites, Some(7));
}

#[test]
fn facts_come_after_the_commit_and_say_what_the_rows_say() {
    let shelf = Shelf::new(Policy::Ask);
    let mut facts = shelf.facts();
    let mut report = fix(ms(NOON_MS + 7));
    report.readings.set("ignition", true);
    let event = Event { at: after(0), kind: "alarm".into(), attributes: told("alarm", "sos").readings };
    report.events.push(event);
    shelf.append(packet(from("A"), after(1), vec![report]));

    let said = committed(&mut facts);
    assert_eq!(said.packets, shelf.read(|db| query::packets(db, None, None, 9)));
    assert_eq!(said.events, shelf.read(|db| query::events(db, None, 9)));
    let device = shelf.device("A");
    assert_eq!(said.fixes, shelf.read(move |db| query::track(db, device.id, TimeWindow::ALL, 9)));
    assert_eq!(said.devices[0].state, DeviceState::New);
    let overview = shelf.read(query::device_overviews).remove(0);
    assert_eq!(overview.last_fix.as_ref(), said.fixes.first());
    assert_eq!(said.readings, [(overview.device.id, overview.readings)]);
    assert!(facts.next().is_none());
}

#[test]
fn the_same_fix_again_is_one_row() {
    let shelf = Shelf::new(Policy::Adopt);
    let sent = |key, at| Report { fix_key: key, ..fix(after(at)) };
    let new = |reports| shelf.append(packet(from("A"), after(9), reports)).new_fixes;
    assert_eq!(new(vec![sent(1, 0)]), 1);
    assert_eq!(new(vec![sent(1, 0)]), 0, "sent again");
    assert_eq!(new(vec![sent(2, 0)]), 1, "another fix of the same second");
    assert_eq!(new(vec![sent(1, 1), sent(1, 1)]), 1, "twice within a packet");
    assert_eq!(shelf.append(packet(from("B"), after(9), vec![sent(1, 0)])).new_fixes, 1, "another device");
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 5, "every packet is kept");

    let overview = shelf.read(query::device_overviews).remove(0);
    assert_eq!((overview.packets, overview.positions), (4, 3));
}

#[test]
fn the_same_message_again_is_one_row() {
    let shelf = Shelf::new(Policy::Adopt);
    let sent = |id: &str, at| Report { message_id: Some(id.into()), ..fix(after(at)) };
    let new = |report| shelf.append(packet(from("A"), after(9), vec![report])).new_fixes;
    assert_eq!(new(sent("aa", 0)), 1);
    assert_eq!(new(sent("aa", 1)), 0, "the same message with another time");
    assert_eq!(new(sent("bb", 1)), 1);
    let again = packet(from("A"), after(9), vec![Report { events: vec![alarm()], ..Report::default() }]);
    shelf.append(again.clone());
    shelf.append(again);
    assert_eq!(shelf.count("SELECT count(*) FROM events"), 1);
}

fn alarm() -> Event {
    Event { at: after(3), kind: "alarm".into(), attributes: told("alarm", "sos").readings }
}

#[test]
fn the_policy_says_what_becomes_of_an_unknown_sender() {
    for (policy, state) in [(Policy::Ask, DeviceState::New), (Policy::Adopt, DeviceState::Adopted)] {
        let shelf = Shelf::new(policy);
        let device = shelf.admit("A").unwrap();
        assert_eq!(device.state, state);
        assert_eq!(shelf.admit("A").unwrap().id, device.id, "found again");
        let stored = shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
        assert_eq!((stored.device, stored.refused, stored.new_fixes), (Some(device.id), false, 1));
    }
}

#[test]
fn strict_keeps_the_bytes_and_nothing_else() {
    let shelf = Shelf::new(Policy::Strict);
    assert_eq!(shelf.admit("A"), None);
    let stored = shelf.append(NewPacket {
        replies: vec![NewReply { kind: "ack".into(), bytes: vec![1] }],
        ..packet(from("A"), after(0), vec![fix(after(0))])
    });
    assert_eq!((stored.device, stored.refused, stored.new_fixes), (None, true, 0));
    let rows = shelf.read(|db| query::packets(db, None, None, 9));
    assert_eq!((rows.len(), rows[0].verdict), (1, Verdict::Error));
    assert_eq!(shelf.count("SELECT count(*) FROM positions") + shelf.count("SELECT count(*) FROM devices"), 0);

    // Added by hand it is known, and so is one that was adopted before.
    let added = shelf.store().writer().add_device(Protocol::Gt06, name("A"), Some(" Van 7 ".into())).wait().unwrap();
    assert_eq!(added.name.as_deref(), Some("Van 7"));
    assert_eq!(shelf.admit("A").map(|device| device.id), Some(added.id));
}

#[test]
fn the_policy_can_change_while_running() {
    let shelf = Shelf::new(Policy::Ask);
    let device = shelf.admit("A").unwrap();
    shelf.store().set_policy(Policy::Strict);
    assert_eq!(shelf.admit("A"), None, "nobody decided about it");
    shelf.store().writer().ignore(device.id).wait().unwrap();
    assert_eq!(shelf.admit("A").unwrap().state, DeviceState::Ignored, "an ignored one is answered");
    shelf.store().set_policy(Policy::Ask);
    shelf.admit("B").unwrap();
    shelf.store().set_policy(Policy::Adopt);
    assert_eq!(shelf.admit("B").unwrap().state, DeviceState::Adopted);
}

#[test]
fn a_report_may_be_about_another_device() {
    let shelf = Shelf::new(Policy::Adopt);
    let about = |who, at| Report { sender: from(who), ..fix(after(at)) };
    let stored = shelf.append(packet(None, after(9), vec![about("A", 1), about("B", 2), about("A", 3)]));
    assert_eq!((stored.device, stored.new_fixes), (None, 3));
    let one = shelf.append(packet(None, after(9), vec![about("B", 4), about("B", 5)]));
    assert_eq!(one.device, Some(shelf.device("B").id), "all about one device");
    let positions: Vec<_> = shelf.read(query::device_overviews).iter().map(|device| device.positions).collect();
    assert_eq!(positions, [2, 3]);
}

#[test]
fn one_name_under_two_protocols_is_two_devices() {
    let shelf = Shelf::new(Policy::Adopt);
    shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    shelf.append(NewPacket { protocol: Protocol::OwnTracks, ..packet(from("A"), after(0), vec![fix(after(0))]) });
    assert_eq!(shelf.read(query::devices).len(), 2);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 2);
}

#[test]
fn adopting_turns_all_that_was_kept_into_history() {
    let shelf = Shelf::new(Policy::Ask);
    for at in 0..3 {
        shelf.append(packet(from("A"), after(at), vec![fix(after(at))]));
    }
    let mut facts = shelf.facts();
    let device = shelf.device("A");
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 3);
    let writer = shelf.store().writer();
    assert_eq!(writer.try_adopt(device.id, Some("Van".into())).wait().unwrap(), 3);
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 0);
    let said = committed(&mut facts).devices.remove(0);
    assert_eq!((said.state, said.label()), (DeviceState::Adopted, "Van"));
    assert_eq!(shelf.device("van").id, device.id, "found by its name");

    writer.rename(device.id, None).wait().unwrap();
    let profile = Profile { clock_offset_s: Some(3600), ..Profile::default() };
    writer.set_profile(device.id, profile.clone()).wait().unwrap();
    let now = shelf.device("A");
    assert_eq!((now.name, now.profile), (None, profile));
    assert!(matches!(writer.try_adopt(DeviceId(99), None).wait(), Err(Error::NoSuchDevice(_))));
}

#[test]
fn ignoring_keeps_the_history_out_of_the_quarantine() {
    let shelf = Shelf::new(Policy::Adopt);
    let stored = shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    shelf.store().writer().ignore(stored.device.unwrap()).wait().unwrap();
    shelf.append(packet(from("A"), after(1), vec![fix(after(1))]));
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 1);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 2);
}

#[test]
fn forgetting_leaves_nothing_and_gives_no_id_twice() {
    let shelf = Shelf::new(Policy::Adopt);
    let kept = shelf.append(packet(from("B"), after(0), vec![fix(after(0))]));
    let report = Report { events: vec![alarm()], ..fix(after(0)) };
    let gone = shelf.append(packet(from("A"), after(0), vec![report.clone()]));
    let gone_device = gone.device.unwrap();
    let mut facts = shelf.facts();
    shelf.store().writer().forget(gone_device).wait().unwrap();
    assert!(matches!(facts.wait(), Some(Fact::Missed)));
    for sql in ["packets", "positions", "latest", "devices"] {
        let sql: &str = Box::leak(format!("SELECT count(*) FROM {sql}").into_boxed_str());
        assert_eq!(shelf.count(sql), 1, "{sql}");
    }
    assert_eq!(shelf.count("SELECT count(*) FROM events"), 0);

    // A connection that still goes by the old id is refused, not mistaken for whoever comes next.
    let late = shelf.append(packet(Some(Sender::Device(gone_device)), after(1), vec![fix(after(1))]));
    assert!(late.refused && late.packet > gone.packet && kept.packet < gone.packet);
    assert_ne!(shelf.admit("A").unwrap().id, gone_device);
}

#[test]
fn a_restart_finds_everything() {
    let mut shelf = Shelf::new(Policy::Ask);
    let device = shelf.append(packet(from("A"), after(0), vec![fix(after(0))])).device;
    shelf.append(packet(from("A"), after(1), vec![told("batteryLevel", 40)]));
    let last = shelf.append(packet(from("A"), after(2), vec![told("ignition", true)]));
    let before = shelf.read(query::device_overviews);
    shelf.close();
    assert!(!shelf.dir.path().join("wayglass.db-wal").exists(), "the log was emptied");

    shelf.open(Policy::Strict).unwrap();
    assert_eq!(shelf.read(query::device_overviews), before);
    shelf.store().set_policy(Policy::Ask);
    let again = shelf.append(packet(from("A"), after(3), vec![fix(after(0))]));
    assert_eq!((again.device, again.new_fixes), (device, 0));
    assert!(again.packet > last.packet);
    let overview = shelf.read(query::device_overviews).remove(0);
    assert_eq!((overview.packets, overview.positions), (4, 1));
    assert_eq!(overview.readings.get("batteryLevel"), Some(&40.into()));
    assert_eq!(overview.device.last_heard, Some(after(3)));
}

#[test]
fn the_last_fix_never_moves_back() {
    let shelf = Shelf::new(Policy::Adopt);
    let at = |at, report: Report| {
        let mut report = report;
        report.readings.set("batteryLevel", at);
        shelf.append(packet(from("A"), after(100), vec![report]));
        let overview = shelf.read(query::device_overviews).remove(0);
        let last = overview.last_fix.unwrap().fix.at;
        (
            (last.as_millisecond() - NOON_MS) / 1000,
            overview.readings.get("batteryLevel").and_then(serde_json::Value::as_i64),
        )
    };
    assert_eq!(at(10, fix(after(10))), (10, Some(10)));
    assert_eq!(at(5, fix(after(5))), (10, Some(10)), "a late one tells nothing about now");
    assert_eq!(at(20, fix(after(20))), (20, Some(20)));
    assert_eq!(at(30, Report { trust: Trust::Suspect, ..fix(after(30)) }), (20, Some(20)), "under a wrong checksum");
    let tomorrow = after(100 + 25 * 3600);
    assert_eq!(at(40, fix(tomorrow)).0, 20, "more than a day ahead");
    assert_eq!(at(50, Report::default()), (20, Some(50)), "readings without a fix are about now");
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 5, "all of them are kept");
}

#[test]
fn a_suspect_position_says_so_to_everyone() {
    let shelf = Shelf::new(Policy::Adopt);
    shelf.append(packet(from("A"), after(0), vec![Report { trust: Trust::Suspect, ..fix(after(0)) }]));
    let row: (bool, String) = outsider(shelf.dir.path())
        .query_row("SELECT valid, attributes FROM positions", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(row, (false, r#"{"sat":7,"suspect":true}"#.into()));
    let last = shelf.last_fix();
    assert_eq!((last.trust, last.fix.valid, last.readings.get("suspect")), (Trust::Suspect, false, None));
    // A good one takes its place, even with an earlier time.
    shelf.append(packet(from("A"), after(0), vec![fix(after(-60))]));
    assert_eq!(shelf.last_fix().trust, Trust::Good);
}

#[test]
fn a_second_instance_is_told_who_has_the_folder() {
    let mut shelf = Shelf::new(Policy::Ask);
    let error = Store::open(shelf.dir.path(), Options::new(shelf.clock())).err().unwrap();
    assert!(matches!(&error, Error::InUse(dir) if dir == shelf.dir.path()));
    assert!(error.to_string().contains(&*shelf.dir.path().to_string_lossy()));
    shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    shelf.close();
    // The lock file stays behind; what counts is whether a process holds it.
    assert!(shelf.dir.path().join("wayglass.lock").exists());
    shelf.open(Policy::Ask).unwrap();
}

#[test]
fn a_newer_file_is_left_as_it_is() {
    let mut shelf = Shelf::new(Policy::Ask);
    shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    shelf.close();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wayglass.db");
    fs::copy(shelf.dir.path().join("wayglass.db"), &file).unwrap();
    let db = Connection::open(&file).unwrap();
    db.execute_batch("PRAGMA user_version = 99;").unwrap();
    drop(db);
    let before = fs::read(&file).unwrap();
    let clock = shelf.clock();
    for opened in [
        Store::open(dir.path(), Options::new(clock.clone())),
        Store::view(dir.path(), clock.clone()),
        Store::beside(dir.path(), clock),
    ] {
        let error = opened.err().unwrap();
        assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
        assert!(!error.to_string().contains('\n'));
    }
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no lock, no log");
}

#[test]
fn what_is_not_ours_is_refused_in_one_line() {
    let clock: Clock = Arc::new(|| after(0));
    let refused = |prepare: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        prepare(&folder);
        let error = Store::open(&folder, Options::new(clock.clone())).err().expect("refused");
        assert!(matches!(error, Error::Open { .. }), "{error:?}");
        assert!(!error.to_string().contains('\n') && error.to_string().contains("data"), "{error}");
    };
    refused(&|folder| fs::write(folder, "a file where the folder should be").unwrap());
    refused(&|folder| {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("wayglass.db"), "no database, however long this text may get to be; ".repeat(9)).unwrap();
    });
    refused(&|folder| {
        fs::create_dir(folder).unwrap();
        outsider(folder).execute_batch("CREATE TABLE other(a);").unwrap();
    });
    // Looking on makes nothing.
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Store::view(dir.path(), clock), Err(Error::Open { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/b");
    let store = Store::open(&folder, Options::new(Arc::new(|| after(0)))).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    store.close();
}

#[test]
fn a_viewer_reads_while_the_writer_writes() {
    let shelf = Shelf::new(Policy::Adopt);
    let viewer = Store::view(shelf.dir.path(), shelf.clock()).unwrap();
    let mut facts = viewer.facts();
    for at in 0..20 {
        shelf.append(packet(from("A"), after(at), vec![fix(after(at))]));
        let seen = viewer.reader().read(query::device_overviews).wait().unwrap();
        assert_eq!(seen[0].positions, 1 + at.unsigned_abs());
    }
    assert!(matches!(facts.wait(), Some(Fact::Missed)));
    let writer = viewer.writer();
    assert!(matches!(shelf.runtime.block_on(writer.append(packet(None, after(0), Vec::new()))), Err(Error::ReadOnly)));
    assert!(matches!(writer.forget(DeviceId(1)).wait(), Err(Error::ReadOnly)));
    assert!(viewer.health().file_bytes > 0);
}

#[test]
fn who_lags_behind_hears_that_facts_were_missed() {
    let shelf = Shelf::new(Policy::Adopt);
    let mut facts = shelf.facts();
    for at in 0..200 {
        shelf.append(packet(from("A"), after(at), vec![fix(after(at))]));
    }
    shelf.settle();
    assert!(matches!(facts.next(), Some(Fact::Missed)));
    let mut last = None;
    while let Some(Fact::Committed(committed)) = facts.next() {
        last = committed.fixes.last().map(|fix| fix.fix.at);
    }
    assert_eq!(last, Some(after(199)), "and then what is newest");
}

#[test]
fn a_decision_beside_a_running_instance_is_noticed() {
    let shelf = Shelf::new(Policy::Ask);
    let device = shelf.append(packet(from("A"), after(0), vec![fix(after(0))])).device.unwrap();
    let mut facts = shelf.facts();

    let beside = Store::beside(shelf.dir.path(), shelf.clock()).unwrap();
    let writer = beside.writer();
    assert!(matches!(shelf.runtime.block_on(writer.append(packet(None, after(0), Vec::new()))), Err(Error::ReadOnly)));
    assert_eq!(writer.try_adopt(device, Some("Van".into())).wait().unwrap(), 1);
    let command = writer.queue_command(device, "WHERE#".into(), after(0), after(60)).wait().unwrap();
    beside.close();

    // Idle, it looks about once a second.
    assert!(matches!(facts.wait(), Some(Fact::Missed)));
    let admitted = shelf.admit("A").unwrap();
    assert_eq!((admitted.state, admitted.label()), (DeviceState::Adopted, "Van"));
    assert_eq!(shelf.read(move |db| query::queued_commands(db, device, after(0))), [command]);
    shelf.append(packet(from("A"), after(1), vec![fix(after(1))]));
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 0);
    assert_eq!(shelf.read(query::device_overviews)[0].positions, 2);
}

#[test]
fn a_command_comes_as_far_as_it_is_told() {
    let shelf = Shelf::new(Policy::Adopt);
    let device = shelf.admit("A").unwrap().id;
    let writer = shelf.store().writer();
    let queued = writer.queue_command(device, "RELAY,1#".into(), after(0), after(60)).wait().unwrap();
    assert_eq!(queued.state, CommandState::Queued);
    let waiting = |at| shelf.read(move |db| query::queued_commands(db, device, after(at))).len();
    assert_eq!((waiting(60), waiting(61)), (1, 0), "it expires");
    let mut facts = shelf.facts();
    writer.command_state(queued.id, CommandState::Sent, after(1), None, false).wait().unwrap();
    let done =
        writer.command_state(queued.id, CommandState::Answered, after(2), Some("OK".into()), true).wait().unwrap();
    assert_eq!((done.sent, done.answered, done.answer.as_deref()), (Some(after(1)), Some(after(2)), Some("OK")));
    assert_eq!(committed(&mut facts).commands[0].state, CommandState::Sent);
    assert_eq!(shelf.read(move |db| query::commands(db, Some(device), 9)), [done]);
    assert!(writer.queue_command(DeviceId(99), "X#".into(), after(0), after(1)).wait().is_err());
}

#[test]
fn new_senders_beyond_the_bound_make_room() {
    let limits = Limits { new_devices: 3, ..Limits::default() };
    let shelf = Shelf::with(Policy::Ask, limits);
    let adopted = shelf.append(packet(from("mine"), after(0), vec![fix(after(0))])).device.unwrap();
    shelf.store().writer().try_adopt(adopted, None).wait().unwrap();
    for (at, who) in (1..).zip(["A", "B", "C", "D", "E"]) {
        shelf.append(packet(from(who), after(at), vec![fix(after(at))]));
    }
    shelf.settle();
    let names: Vec<_> = shelf.read(query::devices).into_iter().map(|device| device.identity.to_string()).collect();
    assert_eq!(names, ["mine", "C", "D", "E"]);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 4);
    let health = shelf.store().health();
    assert_eq!((health.dropped_devices, health.dropped_packets), (2, 2));
}

#[test]
fn the_quarantine_is_bounded_in_bytes_and_age() {
    let limits = Limits { quarantine_bytes: 100_000, ..Limits::default() };
    let mut shelf = Shelf::with(Policy::Ask, limits);
    let big = |sender, at| NewPacket { bytes: vec![7; 9_000], ..packet(sender, after(at), vec![fix(after(at))]) };
    shelf.store().set_policy(Policy::Adopt);
    let mine = shelf.append(big(from("mine"), 0)).device.unwrap();
    shelf.store().set_policy(Policy::Ask);
    for at in 0..40 {
        shelf.append(big(if at % 4 == 0 { None } else { from("A") }, at));
    }
    shelf.settle();
    let held = shelf.count("SELECT sum(length(bytes)) FROM packets WHERE held IS NOT NULL");
    assert!((80_000..=100_000).contains(&held), "{held}");
    let overview = shelf.read(query::device_overviews).into_iter().find(|device| device.device.id != mine).unwrap();
    let id = overview.device.id;
    let kept = shelf.read(move |db| query::packets(db, Some(id), None, 99));
    assert_eq!((overview.packets, overview.positions), (kept.len() as u64, kept.len() as u64));
    assert_eq!(overview.last_fix.unwrap().fix.at, after(39));
    assert_eq!(kept.last().unwrap().received, after(39), "the oldest went");
    let dropped = shelf.store().health().dropped_packets;
    assert!(dropped > 20);

    // A week later everything is too old, but for what was adopted.
    shelf.now_ms.store(NOON_MS + 8 * 24 * 3_600_000, Ordering::Relaxed);
    shelf.append(big(None, 8 * 24 * 3600));
    shelf.settle();
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 1);
    assert_eq!(shelf.read(query::devices).len(), 1);
    assert_eq!(shelf.read(query::device_overviews)[0].positions, 1);

    let dropped = shelf.store().health().dropped_packets;
    shelf.close();
    shelf.open(Policy::Ask).unwrap();
    assert_eq!(shelf.store().health().dropped_packets, dropped, "the count outlives the run");
}

#[test]
fn a_row_that_cannot_be_written_spoils_no_other() {
    let shelf = Shelf::new(Policy::Adopt);
    outsider(shelf.dir.path())
        .execute_batch(
            "CREATE TRIGGER poison BEFORE INSERT ON positions WHEN NEW.speed_kmh = 666
             BEGIN SELECT RAISE(ABORT, 'poison'); END",
        )
        .unwrap();
    // The trigger is another process's write, which is over and told before we subscribe.
    let mut facts = shelf.facts();
    let writer = shelf.store().writer();
    let outcomes: Vec<_> = shelf.runtime.block_on(async {
        let mut receipts = Vec::new();
        for at in 0..30 {
            let mut report = fix(after(at));
            if at % 10 == 5 {
                report.fix.as_mut().unwrap().speed_kmh = Some(666.0);
            }
            let who = format!("device {}", at % 7);
            receipts.push(writer.append(packet(from(&who), after(at), vec![report])).await.unwrap());
        }
        let mut outcomes = Vec::new();
        for receipt in receipts {
            outcomes.push(receipt.durable().await);
        }
        outcomes
    });
    let failed: Vec<_> = (0..30).filter(|&at| outcomes[at].is_err()).collect();
    assert_eq!(failed, [5, 15, 25]);
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 27, "a packet goes with what it told");
    let overviews = shelf.read(query::device_overviews);
    assert_eq!(overviews.iter().map(|device| device.positions).sum::<u64>(), 27);
    assert_eq!(overviews.iter().map(|device| device.packets).sum::<u64>(), 27);

    shelf.settle();
    let mut told = 0;
    while let Some(Fact::Committed(committed)) = facts.next() {
        told += committed.fixes.len();
    }
    assert_eq!(told, 27);
}

#[test]
fn a_full_disk_acknowledges_nothing_and_is_survived() {
    // The bound on the file fails at the same place as a disk without space.
    let limits = Limits { file_bytes: Some(600_000), ..Limits::default() };
    let mut shelf = Shelf::with(Policy::Adopt, limits);
    let big = |who, at| NewPacket { bytes: vec![7; 30_000], ..packet(from(who), after(at), vec![fix(after(at))]) };
    let positions = |shelf: &Shelf| shelf.count("SELECT count(*) FROM positions");
    shelf.append(big("B", 0));
    let mut acknowledged = 1;
    let error = loop {
        match shelf.try_append(big("A", acknowledged)) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full), "{error}");
    assert!(matches!(shelf.store().health().error, Some(Error::Full)));
    assert!(matches!(shelf.try_append(big("A", 500)), Err(Error::Full)));
    assert_eq!(positions(&shelf), acknowledged);

    // Space comes back: here by what is removed, then by a larger bound.
    let device = shelf.device("B");
    shelf.store().writer().forget(device.id).wait().unwrap();
    assert!(shelf.store().health().error.is_none());
    shelf.append(big("A", 600));
    assert!(matches!(shelf.try_append(big("A", 700)), Err(Error::Full)));
    shelf.close();
    shelf.limits = Limits::default();
    shelf.open(Policy::Adopt).unwrap();
    assert_eq!(positions(&shelf), acknowledged);
    shelf.append(big("A", 700));
    assert_eq!(shelf.read(query::device_overviews)[0].positions, acknowledged.unsigned_abs() + 1);
}

#[test]
fn a_locked_database_acknowledges_nothing_and_is_survived() {
    let shelf = Shelf::new(Policy::Adopt);
    let other = outsider(shelf.dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(shelf.try_append(packet(from("A"), after(0), vec![fix(after(0))])), Err(Error::Locked)));
    other.execute_batch("ROLLBACK").unwrap();
    let stored = shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    assert_eq!((stored.new_fixes, shelf.count("SELECT count(*) FROM packets")), (1, 1));
}

#[test]
fn the_queue_has_a_bound() {
    let limits = Limits { queue_bytes: 8 * 1024, ..Limits::default() };
    let shelf = Shelf::with(Policy::Adopt, limits);
    let other = outsider(shelf.dir.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writer = shelf.store().writer();
    shelf.runtime.block_on(async {
        let mut receipts = Vec::new();
        // The one that the writer holds counts too.
        for at in 0..8 {
            receipts.push(writer.append(packet(from("A"), after(at), vec![fix(after(at))])).await.unwrap());
        }
        let mut ninth = Box::pin(writer.append(packet(from("A"), after(8), vec![fix(after(8))])));
        let waits = std::future::poll_fn(|cx| std::task::Poll::Ready(ninth.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
        assert_eq!(shelf.store().health().queue_bytes, 8 * 1024);
        other.execute_batch("ROLLBACK").unwrap();
        for receipt in receipts {
            receipt.durable().await.unwrap();
        }
        ninth.await.unwrap().durable().await.unwrap();
    });
    // What is larger than the whole queue goes through alone.
    shelf.append(NewPacket { bytes: vec![1; 100_000], ..packet(None, after(9), Vec::new()) });
    assert_eq!(shelf.count("SELECT count(*) FROM packets"), 10);
    assert_eq!(shelf.store().health().queue_bytes, 0);
}

#[test]
fn closing_drains_the_queue() {
    let mut shelf = Shelf::new(Policy::Adopt);
    let writer = shelf.store().writer();
    let reader = shelf.store().reader();
    let mut facts = shelf.facts();
    let receipts: Vec<_> = shelf.runtime.block_on(async {
        let mut receipts = Vec::new();
        for at in 0..500 {
            receipts.push(writer.append(packet(from("A"), after(at), vec![fix(after(at))])).await.unwrap());
        }
        receipts
    });
    shelf.close();
    for receipt in receipts {
        assert_eq!(shelf.runtime.block_on(receipt.durable()).unwrap().new_fixes, 1);
    }
    assert!(matches!(
        shelf.runtime.block_on(writer.append(packet(None, after(0), Vec::new()))).map(drop),
        Err(Error::Closed)
    ));
    assert!(matches!(writer.ignore(DeviceId(1)).wait(), Err(Error::Closed)));
    assert!(matches!(reader.read(query::devices).wait(), Err(Error::Closed)));
    while facts.wait().is_some() {}
    let rows: i64 =
        outsider(shelf.dir.path()).query_row("SELECT count(*) FROM positions", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 500);
}

#[test]
fn a_track_is_read_whole_or_its_newest() {
    let shelf = Shelf::new(Policy::Adopt);
    for chunk in 0..25 {
        let reports = (0..1000).map(|n| fix(after(chunk * 1000 + n))).collect();
        shelf.append(packet(from("A"), after(0), reports));
    }
    let device = shelf.device("A").id;
    let secs = |fixes: Vec<StoredFix>| {
        fixes.iter().map(|fix| (fix.fix.at.as_millisecond() - NOON_MS) / 1000).collect::<Vec<_>>()
    };
    let newest = shelf.read(move |db| query::track(db, device, TimeWindow::ALL, 3));
    assert_eq!(secs(newest), [24_997, 24_998, 24_999]);
    let window = TimeWindow { from: Some(after(10)), to: Some(after(12)) };
    assert_eq!(secs(shelf.read(move |db| query::track(db, device, window, 9))), [10, 11, 12]);
    let each = |window, most| {
        shelf.read(move |db| {
            let mut fixes = Vec::new();
            query::track_each(db, device, window, |fix| {
                fixes.push(fix);
                if fixes.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            Ok(fixes)
        })
    };
    assert_eq!(secs(each(TimeWindow::ALL, usize::MAX)), (0..25_000).collect::<Vec<_>>());
    assert_eq!(secs(each(window, usize::MAX)), [10, 11, 12]);
    assert_eq!(secs(each(TimeWindow::ALL, 2)), [0, 1]);
}

#[test]
fn packets_of_a_device_are_paged_backwards() {
    let shelf = Shelf::new(Policy::Adopt);
    for at in 0..10 {
        let who = if at % 2 == 0 { "A" } else { "B" };
        shelf.append(packet(from(who), after(at), Vec::new()));
    }
    let device = shelf.device("A").id;
    let page = |before: Option<PacketId>| {
        let rows = shelf.read(move |db| query::packets(db, Some(device), before, 2));
        rows.into_iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(page(None), [7, 9]);
    assert_eq!(page(Some(PacketId(7))), [3, 5]);
    assert_eq!(page(Some(PacketId(8))), [5, 7], "before a packet of another device");
    assert_eq!(page(Some(PacketId(1))), [0; 0]);
    let all = shelf.read(|db| query::packets(db, None, Some(PacketId(4)), 2));
    assert_eq!(all.iter().map(|row| row.id.0).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_question_that_was_dropped_is_not_asked() {
    let shelf = Shelf::new(Policy::Ask);
    let reader = shelf.store().reader();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    // Both threads are busy until the test lets go.
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let gate = Arc::clone(&gate);
            reader.read(move |_| Ok(gate.lock().unwrap().recv().is_ok()))
        })
        .collect();
    let asked = Arc::new(AtomicI64::new(0));
    let ask = || {
        let asked = Arc::clone(&asked);
        reader.read(move |_| Ok(asked.fetch_add(1, Ordering::Relaxed)))
    };
    drop(ask());
    let kept = ask();
    for _ in 0..2 {
        go.send(()).unwrap();
    }
    assert_eq!(kept.wait().unwrap(), 0);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    for answer in busy {
        assert!(answer.wait().unwrap());
    }
    let writes = reader.read(|db| db.execute("DELETE FROM devices", []));
    assert!(writes.wait().is_err(), "readers cannot write");
}

#[test]
fn the_wake_is_called_after_the_facts_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let (woken, wakes) = std::sync::mpsc::channel();
    let options = Options {
        wake: Some(Arc::new(move || {
            woken.send(()).ok();
        })),
        policy: Policy::Adopt,
        ..Options::new(Arc::new(|| after(0)))
    };
    let store = Store::open(dir.path(), options).unwrap();
    let mut facts = store.facts();
    let added = store.writer().add_device(Protocol::Gt06, name("A"), None);
    wakes.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(matches!(facts.next(), Some(Fact::Committed(_))));
    added.wait().unwrap();
}
