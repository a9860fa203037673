//! A damaged file: every start works or says in one line what to do, the file is kept byte for byte, and what can be read goes on.
//!
//! `WAYGLASS_LONG=1` makes it a thousand damages.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;
use tempfile::TempDir;
use wayglass::{
    model::{Clock, NewPacket, Policy},
    store::{Error, Options, Reason, Store, Watch, check, query, removal_of, repair_folder, set_aside_in},
};

use super::{Shelf, after, fix, from, packet};

/// A generator of numbers that are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below.max(1) as u64).unwrap()
    }
}

/// The database and its log.
#[derive(Clone, PartialEq, Eq)]
struct Files {
    database: Vec<u8>,
    log: Vec<u8>,
}

impl Files {
    fn of(dir: &Path) -> Self {
        let read = |name| fs::read(dir.join(name)).unwrap_or_default();
        Self { database: read("wayglass.db"), log: read("wayglass.db-wal") }
    }

    fn put(&self, dir: &Path) {
        fs::write(dir.join("wayglass.db"), &self.database).unwrap();
        if !self.log.is_empty() {
            fs::write(dir.join("wayglass.db-wal"), &self.log).unwrap();
        }
    }
}

const DEVICES: [&str; 3] = ["A", "B", "C"];
const STORED: i64 = 900;

/// A store of nine hundred packets and positions, whose newest stand in the log alone, as after a crash.
fn crashed() -> Files {
    let shelf = Shelf::new(Policy::Adopt);
    for at in 0..STORED {
        let who = DEVICES[usize::try_from(at).unwrap() % DEVICES.len()];
        let bytes = vec![7; if at % 50 == 0 { 9_000 } else { 200 }];
        shelf.append(NewPacket { bytes, ..packet(from(who), after(at), vec![fix(after(at))]) });
        if at == STORED * 2 / 3 {
            outsider_checkpoint(&shelf);
        }
    }
    shelf.settle();
    let files = Files::of(shelf.dir.path());
    assert!(files.database.len() > 60 * 4096 && files.log.len() > 20 * 4096);
    files
}

fn outsider_checkpoint(shelf: &Shelf) {
    super::outsider(shelf.dir.path()).query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
}

/// The same after an orderly end.
fn closed() -> Files {
    let dir = tempfile::tempdir().unwrap();
    crashed().put(dir.path());
    open(dir.path()).unwrap().close();
    let files = Files::of(dir.path());
    assert!(files.log.is_empty());
    files
}

fn clock() -> Clock {
    Arc::new(|| after(5_000))
}

fn open(dir: &Path) -> Result<Store, Error> {
    Store::open(dir, Options { policy: Policy::Adopt, ..Options::new(clock()) })
}

fn positions(store: &Store) -> i64 {
    store.reader().read(|db| db.query_row("SELECT count(*) FROM positions", [], |row| row.get(0))).wait().unwrap()
}

/// The file that was set aside.
fn aside(dir: &Path) -> Option<(PathBuf, Files)> {
    let path = set_aside_in(dir).into_iter().next()?;
    let read = |suffix: &str| fs::read(format!("{}{suffix}", path.display())).unwrap_or_default();
    let files = Files { database: read(""), log: read("-wal") };
    Some((path, files))
}

fn append(store: &Store, at: i64) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let writer = store.writer();
    let packet = packet(from("A"), after(at), vec![fix(after(at))]);
    runtime.block_on(async { writer.append(packet).await?.durable().await }).map(|_| ())
}

/// Opens damaged files and checks what was promised. Answers how many positions there are, or what was said.
fn opened(files: &Files, what: &str) -> Result<i64, String> {
    let dir = tempfile::tempdir().unwrap();
    files.put(dir.path());
    let store = match open(dir.path()) {
        Ok(store) => store,
        Err(error) => {
            let said = error.to_string();
            assert!(!said.contains('\n') && said.len() > 30, "{what}: {said}");
            assert!(Files::of(dir.path()) == *files, "{what}: {said}; but it was touched");
            return Err(said);
        }
    };
    let repaired = store.health().repaired;
    match (&repaired, aside(dir.path())) {
        (Some(repaired), Some((path, kept))) => {
            assert_eq!(repaired.aside, path, "{what}");
            let sizes = |files: &Files| (files.database.len(), files.log.len());
            assert_eq!(sizes(&kept), sizes(files), "{what}");
            assert!(kept == *files, "{what}: the damaged file is not kept as it was");
            let note = format!("{}.txt", path.display());
            assert!(fs::read_to_string(&note).unwrap().contains("set aside"));
            #[cfg(unix)]
            {
                let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&note).unwrap().permissions());
                assert_eq!(mode & 0o777, 0o600, "{what}");
            }
        }
        (None, None) => {}
        (repaired, aside) => panic!("{what}: {repaired:?}, {:?}", aside.map(|(path, _)| path)),
    }
    // It works: what is there can be listed, and more is stored; or it notices damage, and acknowledges nothing.
    let listed = store.reader().read(query::device_overviews).wait();
    let stored = append(&store, 10_000);
    if repaired.is_some() {
        listed.unwrap();
        stored.unwrap();
        assert_eq!(check(dir.path(), &Watch::default()).unwrap(), Vec::<String>::new(), "{what}");
        return Ok(positions(&store) - 1);
    }
    match stored {
        Ok(()) => {
            let count = "SELECT count(*) FROM positions NOT INDEXED";
            let count = store.reader().read(|db| db.query_row(count, [], |row| row.get(0))).wait();
            Ok(count.unwrap_or(0) - 1)
        }
        Err(error) => {
            assert!(matches!(error, Error::Damaged(_)), "{what}: {error}");
            assert!(store.health().damaged.is_some());
            store.close();
            // The next start repairs it.
            let store = open(dir.path()).unwrap();
            assert!(store.health().repaired.is_some(), "{what}");
            append(&store, 10_001).unwrap();
            Ok(positions(&store) - 1)
        }
    }
}

#[test]
fn every_part_of_a_file_may_be_damaged() {
    let (sound, live) = (closed(), crashed());
    let check = |what: &str, files: &Files, change: &dyn Fn(&mut Files), least: i64| {
        let mut files = files.clone();
        change(&mut files);
        let left = opened(&files, what);
        assert!(left.as_ref().is_ok_and(|left| *left >= least), "{what}: {left:?}");
    };
    let pages = sound.database.len() / 4096;
    check("nothing", &sound, &|_| {}, STORED);
    check("nothing, after a crash", &live, &|_| {}, STORED);
    check("the magic", &sound, &|f| f.database[3] ^= 0x20, STORED);
    check("the whole header", &sound, &|f| f.database[..100].fill(0), STORED);
    check("the whole header, after a crash", &live, &|f| f.database[..100].fill(0), STORED);
    check("page size", &sound, &|f| f.database[16] = 0x20, STORED);
    check("a schema of the far future", &sound, &|f| f.database[60] = 0x40, STORED);
    check("an older schema", &sound, &|f| f.database[63] = 2, STORED);
    check("no schema", &sound, &|f| f.database[63] = 0, STORED);
    check("whose it is", &sound, &|f| f.database[69] ^= 4, STORED);
    check("cut in the middle of a page", &sound, &|f| f.database.truncate(pages * 2048 + 77), 1);
    check("cut to one page", &sound, &|f| f.database.truncate(4096), 0);
    check("zeros only", &sound, &|f| f.database.fill(0), 0);
    check("empty, with a log", &live, &|f| f.database.clear(), 0);
    check("the log's header", &live, &|f| f.log[..32].fill(0xEE), STORED / 2);
    // SQLite takes that for the end of the log: three hundred acknowledged positions would be gone without a word.
    check("the log's middle", &live, &|f| f.log[4096 * 9 + 5] ^= 1, STORED - 30);
    check("a page of the log", &live, &|f| f.log[32 + 4120 * 40..32 + 4120 * 41].fill(0), STORED - 30);
    check("the log's end", &live, &|f| f.log.truncate(f.log.len() - 1000), STORED - 20);
}

#[test]
fn any_damage_at_all_is_survived() {
    let rounds = if std::env::var_os("WAYGLASS_LONG").is_some() { 1_000 } else { 120 };
    let (sound, live) = (closed(), crashed());
    let (mut worked, mut read) = (0, 0);
    for seed in 0..rounds {
        let mut dice = Dice(seed + 1);
        let mut files = if dice.roll(2) == 0 { sound.clone() } else { live.clone() };
        let kind = dice.roll(7);
        let in_log = !files.log.is_empty() && dice.roll(3) == 0;
        let bytes = if in_log { &mut files.log } else { &mut files.database };
        let size = bytes.len();
        match kind {
            0 => bytes[dice.roll(100)] ^= 1 << dice.roll(8),
            1 => (0..=dice.roll(200)).for_each(|_| bytes[dice.roll(size)] ^= 1 << dice.roll(8)),
            2 => bytes.truncate(dice.roll(size)),
            3 => (0..=dice.roll(6)).for_each(|_| {
                let page = dice.roll(size / 4096) * 4096;
                bytes[page..page + 4096].fill(0);
            }),
            4 => {
                let (from, length) = (dice.roll(size), dice.roll(20_000));
                bytes[from..(from + length).min(size)]
                    .iter_mut()
                    .for_each(|b| *b = u8::try_from(dice.roll(256)).unwrap());
            }
            5 => {
                // A page where another belongs.
                let (page, other) = (dice.roll(size / 4096) * 4096, dice.roll(size / 4096) * 4096);
                bytes.copy_within(other..other + 4096, page);
            }
            _ => (0..=dice.roll(40)).for_each(|_| {
                // Where a page says what is in it.
                let page = dice.roll(size / 4096) * 4096;
                bytes[page + dice.roll(24)] = u8::try_from(dice.roll(256)).unwrap();
            }),
        }
        let what = format!("seed {seed}, kind {kind}, log {in_log}");
        if let Ok(left) = opened(&files, &what) {
            worked += 1;
            read += left;
        }
    }
    println!(
        "{worked} of {rounds} starts worked, {read} of {} positions were read",
        STORED * i64::try_from(rounds).unwrap()
    );
    assert!(worked * 10 >= rounds * 9, "{worked} of {rounds}");
    assert!(read * 2 > STORED * i64::try_from(rounds).unwrap(), "most is read: {read}");
}

#[test]
fn what_was_lost_says_so_and_the_rest_fits_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = closed();
    // Pages of packets only: those with their bytes.
    let page = |n: usize| n * 4096..(n + 1) * 4096;
    let pages = files.database.len() / 4096;
    let of_packets = |files: &Files, n: usize| {
        let bytes = &files.database[page(n)];
        bytes[0] == 0x0D && bytes.windows(64).any(|part| part.iter().all(|b| *b == 7))
    };
    let hit: Vec<_> = (10..pages).filter(|n| of_packets(&files, *n)).step_by(4).take(5).collect();
    assert_eq!(hit.len(), 5);
    for n in &hit {
        files.database[page(*n)].fill(0xFF);
    }
    files.put(dir.path());
    // A look on says what to do and touches nothing.
    let seen = check(dir.path(), &Watch::default()).unwrap();
    assert!(!seen.is_empty());
    let repaired = repair_folder(dir.path(), false, &Watch::default(), after(5_000)).unwrap().unwrap();
    assert_eq!((repaired.devices, repaired.positions), (3, u64::try_from(STORED).unwrap()));
    assert!(repaired.packets > 700 && repaired.packets < 900 && repaired.gaps > 0, "{repaired:?}");
    assert!(aside(dir.path()).unwrap().1 == files);
    assert!(repair_folder(dir.path(), false, &Watch::default(), after(5_000)).unwrap().is_none(), "it is sound now");

    let store = open(dir.path()).unwrap();
    let read = |sql: &'static str| store.reader().read(move |db| db.query_row(sql, [], |row| row.get::<_, i64>(0)));
    let lost = read("SELECT packet_id FROM positions WHERE packet_id NOT IN (SELECT id FROM packets) LIMIT 1").wait();
    let lost = wayglass::model::PacketId(lost.unwrap());
    let removal = store.reader().read(move |db| removal_of(db, lost)).wait().unwrap().unwrap();
    assert_eq!(removal.reason, Reason::Damage);
    // The list of a device's packets goes on behind what is lost.
    let devices = store.reader().read(query::device_overviews).wait().unwrap();
    let listed: usize = devices
        .iter()
        .map(|device| {
            let id = device.device.id;
            store.reader().read(move |db| query::packets(db, Some(id), None, 9_999)).wait().unwrap().len()
        })
        .sum();
    assert_eq!(listed as u64, repaired.packets);
    assert_eq!(devices.iter().map(|device| device.positions).sum::<u64>(), 900);
}

#[test]
fn damage_noticed_while_it_runs_withholds_every_answer() {
    let dir = TempDir::new().unwrap();
    closed().put(dir.path());
    let store = open(dir.path()).unwrap();
    append(&store, 6_000).unwrap();
    let db = Connection::open(dir.path().join("wayglass.db")).unwrap();
    let root: i64 =
        db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'events_time'", [], |row| row.get(0)).unwrap();
    drop(db);
    let mut bytes = fs::read(dir.path().join("wayglass.db")).unwrap();
    let at = usize::try_from(root - 1).unwrap() * 4096;
    bytes[at..at + 4096].fill(0xFF);
    fs::write(dir.path().join("wayglass.db"), &bytes).unwrap();
    let asked = store.reader().read(|db| query::events(db, None, 10)).wait();
    assert!(matches!(asked, Err(Error::Damaged(_))), "{asked:?}");
    assert!(
        matches!(append(&store, 6_001), Err(Error::Damaged(_))),
        "the packet would have been stored elsewhere, but who knows"
    );
    assert!(store.health().damaged.is_some());
    store.close();
    let store = open(dir.path()).unwrap();
    let repaired = store.health().repaired.unwrap();
    assert_eq!(repaired.positions, u64::try_from(STORED).unwrap() + 1);
    append(&store, 6_001).unwrap();
}

#[test]
fn what_a_crash_leaves_is_no_damage() {
    let whole = crashed();
    // The last commit was never synced: some of its sectors are there, some are not.
    let last = whole.log.len() - 4120 * 2;
    for torn in [0, 7, 4120, 4120 + 5000] {
        let dir = TempDir::new().unwrap();
        let mut files = whole.clone();
        if torn > 0 {
            files.log[last + 40..last + 40 + torn.min(8000)].fill(0);
        }
        files.put(dir.path());
        let store = open(dir.path()).unwrap();
        assert!(store.health().repaired.is_none(), "{torn}");
        assert!(positions(&store) >= STORED - 1);
    }
}

#[test]
fn who_only_looks_on_repairs_nothing() {
    let dir = TempDir::new().unwrap();
    let mut files = closed();
    files.database[..100].fill(0);
    files.put(dir.path());
    for opened in [Store::view(dir.path(), clock()), Store::beside(dir.path(), clock())] {
        let error = opened.err().unwrap();
        assert!(matches!(error, Error::Damaged(_)) && error.to_string().contains("wayglass repair"), "{error}");
    }
    assert!(Files::of(dir.path()) == files && aside(dir.path()).is_none());
}

#[test]
fn a_repair_that_was_cut_off_is_finished() {
    // After the new file was complete: the damaged one still there, or renamed already, with or without its log.
    let (damaged, sound) = (crashed(), closed());
    for renamed in [false, true] {
        let dir = TempDir::new().unwrap();
        damaged.put(dir.path());
        fs::write(dir.path().join("wayglass.db.salvaged"), &sound.database).unwrap();
        if renamed {
            fs::rename(dir.path().join("wayglass.db"), dir.path().join("wayglass-damaged-1.db")).unwrap();
        }
        let store = open(dir.path()).unwrap();
        assert_eq!(positions(&store), STORED);
        assert!(!dir.path().join("wayglass.db.salvaged").exists());
        let kept: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
        assert!(kept.contains(&damaged.database) && kept.contains(&damaged.log));
    }
}
