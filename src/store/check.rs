//! The full check of a file: every page is read, every index compared with its table.

use std::path::Path;

use rusqlite::{Connection, Result};

use super::{Error, Watch, connect, place};

/// Faults that are told at most; one is enough to know.
const TOLD: usize = 20;

/// Steps of SQLite's machine between two looks at whether it was broken off.
const STEPS: i32 = 20_000;

/// Reads all of a folder's database and says what is wrong with it, each fault a line; empty where it is sound. Works beside a running instance,
/// and takes as long as reading the file does.
pub fn check(dir: &Path, watch: &Watch) -> std::result::Result<Vec<String>, Error> {
    let database = place::database(dir);
    let mut db = connect::reading(&database)?;
    faults(&mut db, watch).map_err(|e| connect::refusal(&database, &e))
}

/// What is wrong with the file of a connection. Broken off, it errs with `OperationInterrupted`.
pub(super) fn faults(db: &mut Connection, watch: &Watch) -> Result<Vec<String>> {
    let asked = watch.clone();
    db.progress_handler(STEPS, Some(move || asked.cancelled()))?;
    let said = said(db);
    db.progress_handler(0, None::<fn() -> bool>)?;
    match said {
        Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
        Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
        Err(error) => Err(error),
    }
}

fn said(db: &Connection) -> Result<Vec<String>> {
    let mut check = db.prepare(&format!("PRAGMA integrity_check({TOLD})"))?;
    check.query_map([], |row| row.get(0))?.collect()
}

/// Whether an error says that the file's content is wrong, and not that the disk, a lock or a question is.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}
