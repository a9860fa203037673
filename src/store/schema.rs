//! The tables, as numbered steps from the first file ever written to today's.
//!
//! Columns that other programs rely on are promised in the contract; the rest is ours. `positions`, `events` and `latest` can be found again
//! from `packets`. A step is never edited once it was released: a file says in `PRAGMA user_version` how many it has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{Error, connect, place};

/// Marks a file as ours, for `file` and for people: "Wayg".
pub(super) const APPLICATION_ID: i64 = 0x5761_7967;

/// Why a database of another program is refused.
pub(super) const NOT_OURS: &str =
    "it is a database of another program; move it away, or choose another folder with --data-dir";

const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
    include_str!("schema/10.sql"),
    include_str!("schema/11.sql"),
];

/// The schema that this program writes.
#[expect(clippy::cast_possible_wrap, reason = "a handful of steps")]
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Brings the file up to today's schema. An older file is copied first; the copy goes when all is done, and stays where something fails.
pub(super) fn migrate(db: &mut Connection, database: &Path) -> Result<(), Error> {
    let refusal = |e: &rusqlite::Error| connect::refusal(database, e);
    let (found, _) = marks(db).map_err(|e| refusal(&e))?;
    // It was looked at before, but not under the lock.
    if found > VERSION {
        return Err(Error::Newer { path: database.to_owned(), found, known: VERSION });
    }
    let empty = "SELECT count(*) = 0 FROM sqlite_schema";
    if found == 0 && !db.query_row(empty, [], |row| row.get::<_, bool>(0)).map_err(|e| refusal(&e))? {
        return Err(Error::open(database, NOT_OURS));
    }
    let copy = copy(database);
    if found == VERSION {
        // It was cut off between its end and this.
        fs::remove_file(&copy).ok();
        return Ok(());
    }
    if found > 0 {
        back_up(db, database, &copy)?;
    }
    step_up(db, STEPS, found).map_err(|e| match e {
        // A step that does not fit: the number is not that of the tables.
        rusqlite::Error::SqlInputError { msg, .. } => Error::Damaged(msg),
        e => refusal(&e),
    })?;
    // From here on the version stands in the file itself, where a look from outside finds it.
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(|e| refusal(&e))?;
    if found > 0 {
        fs::remove_file(&copy).map_err(|e| Error::open(&copy, e))?;
    }
    Ok(())
}

/// The copy of a file that is being brought to today's schema.
pub(super) fn copy(database: &Path) -> PathBuf {
    place::beside(database, &format!(".before-schema-{VERSION}"))
}

/// A look that costs next to nothing: every table is there, and both its ends can be read.
pub(super) fn look(db: &Connection) -> rusqlite::Result<()> {
    let mut tables = db.prepare("SELECT name, sql LIKE '%WITHOUT ROWID' FROM sqlite_schema WHERE type = 'table'")?;
    let tables = tables
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(String, bool)>>>()?;
    for table in TABLES {
        let Some((_, plain)) = tables.iter().find(|(name, _)| name == table) else {
            return Err(damage(&format!("the table {table} is missing")));
        };
        let orders: &[&str] = if *plain { &[""] } else { &["ORDER BY rowid", "ORDER BY rowid DESC"] };
        for order in orders {
            let mut select = db.prepare(&format!("SELECT * FROM {table} {order} LIMIT 1"))?;
            select.query([])?.next()?;
        }
    }
    let (pages, bytes): (i64, i64) =
        db.query_row("SELECT page_count, page_size FROM pragma_page_count, pragma_page_size", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if pages <= 0 || bytes.cast_unsigned() != connect::PAGE_BYTES {
        return Err(damage("its page size is not ours"));
    }
    Ok(())
}

fn damage(why: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), Some(why.to_owned()))
}

const TABLES: [&str; 26] = [
    "aliases",
    "cards",
    "commands",
    "connection_ends",
    "counters",
    "devices",
    "events",
    "friends",
    "hidden",
    "imports",
    "latest",
    "learned",
    "logins",
    "mutes",
    "packet_notes",
    "packets",
    "phone_keys",
    "places",
    "positions",
    "rederivations",
    "removals",
    "rules",
    "track_ends",
    "tracks",
    "user_commands",
    "sqlite_sequence",
];

/// The file's schema and whose it is.
pub(super) fn marks(db: &Connection) -> rusqlite::Result<(i64, i64)> {
    let number = |pragma| db.query_row(pragma, [], |row| row.get(0));
    Ok((number("PRAGMA user_version")?, number("PRAGMA application_id")?))
}

/// All steps from `found` on, or none.
fn step_up(db: &mut Connection, steps: &[&str], found: i64) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for (version, step) in (1_i64..).zip(steps) {
        if version > found {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", version)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}

fn back_up(db: &Connection, database: &Path, copy: &Path) -> Result<(), Error> {
    // Under another name until it is whole, so that a copy that was cut short is never taken for one.
    let unfinished = place::beside(copy, ".unfinished");
    fs::remove_file(&unfinished).ok();
    place::make_file(&unfinished)?;
    db.backup(rusqlite::MAIN_DB, &unfinished, None::<fn(_)>).map_err(|e| connect::refusal(database, &e))?;
    fs::File::open(&unfinished)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, copy))
        .map_err(|e| Error::open(copy, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE t(a INTEGER) STRICT; INSERT INTO t VALUES (1);";

    fn version(db: &Connection) -> i64 {
        db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn steps_are_taken_once_and_in_order() {
        let mut db = Connection::open_in_memory().unwrap();
        step_up(&mut db, &[FIRST], 0).unwrap();
        step_up(&mut db, &[FIRST, "ALTER TABLE t ADD COLUMN b TEXT; UPDATE t SET b = 'new';"], 1).unwrap();
        assert_eq!(version(&db), 2);
        let row: (i64, String) = db.query_row("SELECT a, b FROM t", [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        assert_eq!(row, (1, "new".to_owned()));
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_schema() {
        let mut db = Connection::open_in_memory().unwrap();
        step_up(&mut db, &[FIRST], 0).unwrap();
        step_up(&mut db, &[FIRST, "ALTER TABLE t ADD COLUMN b TEXT;", "not SQL"], 1).unwrap_err();
        assert_eq!(version(&db), 1);
        assert!(db.prepare("SELECT b FROM t").is_err());
    }

    #[test]
    fn the_first_file_gets_the_tables_of_phones_and_keeps_its_rows() {
        let mut db = Connection::open_in_memory().unwrap();
        step_up(&mut db, &STEPS[..1], 0).unwrap();
        db.execute_batch(
            "INSERT INTO devices(identity, protocol, state, first_seen_ms) VALUES ('JJ', 'owntracks', 'adopted', 1);
             INSERT INTO packets(received_ms, protocol, direction, peer, connection, device_id, kind, verdict, bytes)
             VALUES (1, 'owntracks', 'in', '', 1, 1, 'encrypted', 'error', x'7b7d');",
        )
        .unwrap();
        step_up(&mut db, STEPS, 1).unwrap();
        assert_eq!(version(&db), VERSION);
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM packets INDEXED BY packets_closed WHERE kind = 'encrypted'"), 1);
        for table in ["logins", "phone_keys", "aliases", "friends", "cards"] {
            assert_eq!(count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
    }

    #[test]
    fn a_backup_is_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let (database, copy) = (dir.path().join("a.db"), dir.path().join("copy"));
        let db = Connection::open(&database).unwrap();
        db.execute_batch(FIRST).unwrap();
        fs::write(place::beside(&copy, ".unfinished"), "cut short").unwrap();
        back_up(&db, &database, &copy).unwrap();
        let rows: i64 = Connection::open(&copy).unwrap().query_row("SELECT count(*) FROM t", [], |r| r.get(0)).unwrap();
        assert_eq!(rows, 1);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
