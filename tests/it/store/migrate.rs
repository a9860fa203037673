//! A migration that is killed at any point leaves the old schema or the new one, never half, and a copy until it succeeded.
//!
//! `WAYGLASS_LONG=1` makes it fifty kills on a million packets.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use rusqlite::Connection;
use tempfile::TempDir;

const STEPS: [&str; 4] = [
    include_str!("../../../src/store/schema/1.sql"),
    include_str!("../../../src/store/schema/2.sql"),
    include_str!("../../../src/store/schema/3.sql"),
    include_str!("../../../src/store/schema/4.sql"),
];

/// Today's schema: as many steps as there are files.
fn newest() -> i64 {
    let steps = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/schema")).unwrap();
    i64::try_from(steps.count()).unwrap()
}

/// The copy that is made of an older file.
fn backup() -> String {
    format!("wayglass.db.before-schema-{}", newest())
}

fn number(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A database of the fourth schema with so many packets.
fn old(dir: &Path, packets: i64) {
    let db = Connection::open(dir.join("wayglass.db")).unwrap();
    db.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;").unwrap();
    for step in STEPS {
        db.execute_batch(step).unwrap();
    }
    db.execute_batch(&format!(
        "INSERT INTO devices(identity, protocol, state, first_seen_ms) VALUES ('A', 'gt06', 'adopted', 1);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {packets})
         INSERT INTO packets(received_ms, protocol, direction, peer, connection, device_id, kind, verdict, previous, bytes)
         SELECT i, 'gt06', 'in', '127.0.0.1:1', 1, 1, 'location', 'ok', i - 1, zeroblob(100) FROM n;
         PRAGMA user_version = 4; PRAGMA application_id = {};",
        0x5761_7967
    ))
    .unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

/// When the program is killed: what is looked at, and from how many bytes on.
#[derive(Debug)]
enum At {
    Backup(u64),
    BackupIsThere,
    Log(u64),
}

impl At {
    fn is_reached(&self, dir: &Path) -> bool {
        let size = |name: &str| fs::metadata(dir.join(name)).map_or(0, |about| about.len());
        match self {
            Self::Backup(bytes) => {
                size(&format!("{}.unfinished", backup())) >= *bytes || Self::BackupIsThere.is_reached(dir)
            }
            Self::BackupIsThere => dir.join(backup()).exists(),
            Self::Log(bytes) => Self::BackupIsThere.is_reached(dir) && size("wayglass.db-wal") >= *bytes,
        }
    }
}

fn sound(database: &Path, packets: i64) -> i64 {
    let db = Connection::open(database).unwrap();
    let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok", "{}", database.display());
    assert_eq!(number(&db, "SELECT count(*) FROM packets"), packets);
    let version = number(&db, "PRAGMA user_version");
    let tables = number(&db, "SELECT count(*) FROM sqlite_schema WHERE name = 'removals'");
    let counted = number(&db, "SELECT count(*) FROM counters WHERE name LIKE 'kept_%'");
    let expected = if version == newest() { (1, 2) } else { (0, 0) };
    assert_eq!((tables, counted), expected, "all of version {version} or nothing");
    version
}

#[test]
fn a_migration_that_is_killed_leaves_the_old_or_the_new() {
    let (packets, rounds): (i64, i64) =
        if std::env::var_os("WAYGLASS_LONG").is_some() { (1_000_000, 50) } else { (30_000, 9) };
    let origin = TempDir::new().unwrap();
    old(origin.path(), packets);
    let bytes = fs::metadata(origin.path().join("wayglass.db")).unwrap().len();
    let call = |dir: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayglass"));
        command.args(["devices", "--data-dir"]).arg(dir).env("HOME", dir).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let (mut killed, mut versions) = (0, [0, 0]);
    for round in 0..rounds {
        let at = match round % 3 {
            0 => At::Backup(1 + bytes * u64::try_from(round).unwrap() / rounds.unsigned_abs()),
            1 => At::BackupIsThere,
            _ => At::Log(u64::try_from(round).unwrap() * 2_000),
        };
        let dir = TempDir::new().unwrap();
        fs::copy(origin.path().join("wayglass.db"), dir.path().join("wayglass.db")).unwrap();
        let mut program = call(dir.path()).spawn().unwrap();
        while program.try_wait().unwrap().is_none() && !at.is_reached(dir.path()) {
            std::thread::yield_now();
        }
        program.kill().unwrap();
        killed += i64::from(!program.wait().unwrap().success());
        // What a copy is called when it is complete is complete.
        let copy = dir.path().join(backup());
        let copied = copy.exists();
        if copied {
            assert_eq!(sound(&copy, packets), 4, "{at:?}");
        }
        let version = {
            // A look at another copy: opening it may write its log into it.
            let seen = TempDir::new().unwrap();
            for name in ["wayglass.db", "wayglass.db-wal"] {
                let from = dir.path().join(name);
                if from.exists() {
                    fs::copy(from, seen.path().join(name)).unwrap();
                }
            }
            sound(&seen.path().join("wayglass.db"), packets)
        };
        versions[usize::from(version == newest())] += 1;
        // The next start ends it, and leaves nothing beside it.
        let ended = call(dir.path()).output().unwrap();
        assert!(ended.status.success(), "{at:?}: {}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(sound(&dir.path().join("wayglass.db"), packets), newest());
        let left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("schema"))
            .collect();
        assert!(left.is_empty(), "{at:?}: {left:?}");
    }
    println!("{killed} of {rounds} killed; {} had the old schema then, {} the new", versions[0], versions[1]);
    assert!(killed * 2 > rounds, "{killed} of {rounds}: it must be killed on the way to tell anything");
}
