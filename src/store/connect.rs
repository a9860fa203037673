//! Connections to the database, and why each is set up as it is.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{Error, check, place};

/// How long a writer waits for another program that holds the database.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How long it still waits once we are stopping, which may take no more than five seconds for everything that is queued.
pub(super) const HURRY: Duration = Duration::from_millis(200);

/// Bytes of a page in every file of ours.
pub(super) const PAGE_BYTES: u64 = 4096;

/// The writer's connection. The file must be there; a new one is empty.
pub(super) fn writing(database: &Path) -> Result<Connection, Error> {
    let open = || {
        let db =
            Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.busy_timeout(PATIENCE)?;
        // Until it is known to be sound nothing may change it, so its log is not written into it when this closes; see `trusted`.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        db.set_prepared_statement_cache_capacity(64);
        keep_plans(&db)?;
        if place::size(database) == 0 {
            // Both only take hold in an empty file, so they come first; any other would be written to. Incremental: space of removed packets can be
            // given back in small steps.
            db.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;")?;
        }
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        // FULL, not NORMAL: the device erases its copy when we acknowledge, so a commit must survive power loss. On macOS a plain fsync
        // does not flush the drive.
        // The cache is for the ends of the tracks of ten thousand devices, each a page of the index, so that none is read again for the next fix.
        // Checkpoints are the writer's own (see `writer::log`). Foreign keys are on in the bundled build; there are none.
        db.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
             PRAGMA cache_size = -64000; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA foreign_keys = OFF;",
        )?;
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(db)
    };
    open().map_err(|e| refusal(database, &e))
}

/// Lets statements keep their plans whatever is bound to them. Otherwise some are planned anew with each value, which costs more than running them,
/// in the hope of statistics that our files do not have.
fn keep_plans(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// It is open, and the file is sound as far as can be seen: closing may write the log into it.
pub(super) fn trusted(db: &Connection) {
    // What was read to see that, perhaps tens of megabytes, is not what the next writes need. Otherwise it stays in memory, which is no harm.
    db.execute_batch("PRAGMA shrink_memory").ok();
    // Otherwise the log stays beside it, which is no harm.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).ok();
}

/// It is not: closing leaves it and its log as they are.
pub(super) fn doubted(db: &Connection) {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).ok();
}

/// Commits without waiting for the disk. Only for a file that nobody misses: a power cut may leave it in pieces.
pub(super) fn never_wait(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("PRAGMA synchronous = OFF;")
}

/// Lets the file grow no further than so many bytes.
pub(super) fn limit(db: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let pages = i64::try_from(bytes / PAGE_BYTES).unwrap_or(i64::MAX);
    db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}

/// A connection that cannot write.
pub(super) fn reading(database: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |immutable: bool| {
        let db = match immutable_uri(database).filter(|_| immutable) {
            Some(uri) => Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?,
            None => Connection::open_with_flags(database, flags)?,
        };
        db.busy_timeout(PATIENCE)?;
        keep_plans(&db)?;
        // A larger cache only copies what the system's cache has: a track of a million points reads slower with 64 MB than with 2.
        db.execute_batch("PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;")?;
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(db)
    };
    let opened = match open(false) {
        // A reader makes the log's files, which it cannot in a folder that cannot be written. There nobody writes, and without a log
        // everything is in the file itself.
        Err(e) if cannot_make_log(&e) && place::size(&place::beside(database, "-wal")) == 0 => open(true),
        opened => opened,
    };
    opened.map_err(|e| refusal(database, &e))
}

fn cannot_make_log(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly))
}

/// Names a file that nobody changes. `None` where its path is no text.
fn immutable_uri(database: &Path) -> Option<String> {
    let path = std::path::absolute(database).ok()?;
    let path = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    // A drive letter wants a slash before it.
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some(format!("file:{slash}{path}?immutable=1"))
}

/// While opening, everything is about the file.
pub(super) fn refusal(database: &Path, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        _ if check::is_damage(error) => Error::Damaged(error.to_string()),
        Some(rusqlite::ErrorCode::DiskFull) => {
            Error::open(database, "the disk is full; make room, or choose another folder with --data-dir")
        }
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            Error::open(database, "another program holds it; close that program and start again")
        }
        _ => Error::open(database, error),
    }
}
