//! A copy of the whole store in one file, taken while everything goes on.
//!
//! The pages are copied as they were at one moment: a reader's snapshot, so nobody who writes waits, and nothing begins anew because somebody
//! wrote. The copy is one file without a log, checked in full, and appears under its name whole or not at all.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, Result,
    backup::{Backup, StepResult},
    ffi,
};

use super::{Error, Watch, check, connect, place};

/// Pages copied between two looks at whether it was broken off.
const STEP: i32 = 2_000;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub to: PathBuf,
    pub bytes: u64,
}

/// Why there is no copy. Nothing that was there before was touched.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something has this name.
    #[error("{} is there already; choose another name, or have it replaced", .0.display())]
    Exists(PathBuf),
    /// The copy would lie over the store.
    #[error("{} belongs to the running store; choose another name", .0.display())]
    Itself(PathBuf),
    /// It was broken off.
    #[error("the copy was broken off; nothing was left behind")]
    Cancelled,
    /// The file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    /// No space left where the copy was to go.
    #[error("the disk that {} is on is full; nothing was left behind", .0.display())]
    Full(PathBuf),
    /// The copy is no sound database, so the store is none.
    #[error("the database is damaged, so a copy of it would be, too: {0}; `wayglass doctor --check` says more")]
    Damaged(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Copies the database of a folder into a new file, for its owner alone. Works beside a running instance. `replace`: a file of that name may go,
/// once the copy is complete and sound.
pub fn save_copy(dir: &Path, to: &Path, replace: bool, watch: &Watch) -> std::result::Result<Copied, CopyError> {
    let database = place::database(dir);
    place::look(&database)?;
    may_write(&database, to, replace)?;
    let part = place::beside(to, ".part");
    let made = make(&database, &part, watch).and_then(|()| put(&part, to, replace));
    if made.is_err() {
        // What was begun is of no use; that it is gone is all there is to say.
        fs::remove_file(&part).ok();
    }
    for left in ["-journal", "-wal", "-shm"] {
        fs::remove_file(place::beside(&part, left)).ok();
    }
    made?;
    Ok(Copied { to: to.to_owned(), bytes: place::size(to) })
}

fn may_write(database: &Path, to: &Path, replace: bool) -> std::result::Result<(), CopyError> {
    let full = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let own = ["", "-wal", "-shm"].map(|suffix| full(&place::beside(database, suffix)));
    if own.contains(&full(to)) {
        return Err(CopyError::Itself(to.to_owned()));
    }
    if !replace && to.symlink_metadata().is_ok() {
        return Err(CopyError::Exists(to.to_owned()));
    }
    Ok(())
}

/// Writes and checks the copy under the name that it has until it is one.
fn make(database: &Path, part: &Path, watch: &Watch) -> std::result::Result<(), CopyError> {
    let cannot = |source| CopyError::Write { path: part.to_owned(), source };
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
        _ => {}
    }
    place::new_file(part).map_err(cannot)?;
    let source = connect::reading(database)?;
    let failed = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => CopyError::Full(part.to_owned()),
        Some(rusqlite::ErrorCode::OperationInterrupted) => CopyError::Cancelled,
        _ if check::is_damage(&e) => CopyError::Damaged(e.to_string()),
        _ => CopyError::Store(e.into()),
    };
    let mut copy = Connection::open(part).map_err(failed)?;
    if !pages(&source, &mut copy, watch).map_err(failed)? {
        return Err(CopyError::Cancelled);
    }
    // The reader's snapshot ends here; the log can be emptied again.
    drop(source);
    watch.checks();
    let faults = check::faults(&mut copy, watch).map_err(failed)?;
    if let Some(first) = faults.into_iter().next() {
        return Err(CopyError::Damaged(first));
    }
    drop(copy);
    File::open(part).and_then(|file| file.sync_all()).map_err(cannot)
}

/// Copies every page as of one moment. False where it was broken off.
fn pages(source: &Connection, copy: &mut Connection, watch: &Watch) -> Result<bool> {
    // Nobody relies on it before it is complete.
    copy.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;")?;
    copy.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
    // Without this, each commit of somebody else would make it begin anew.
    source.execute_batch("BEGIN")?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    {
        let backup = Backup::new(source, copy)?;
        loop {
            let step = backup.step(STEP)?;
            let at = backup.progress();
            let bytes = |pages: i32| u64::from(pages.max(0).unsigned_abs()) * connect::PAGE_BYTES;
            watch.at(bytes(at.pagecount - at.remaining), bytes(at.pagecount));
            if watch.cancelled() {
                return Ok(false);
            }
            match step {
                StepResult::Done => break,
                // Nobody else writes the copy, and readers are not locked out.
                StepResult::Busy | StepResult::Locked => {
                    return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None));
                }
                _ => {}
            }
        }
    }
    source.execute_batch("ROLLBACK")?;
    // One file, which a program that may not write beside it can open, too.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    Ok(true)
}

/// Gives the copy its name, and takes none away that somebody used meanwhile.
fn put(part: &Path, to: &Path, replace: bool) -> std::result::Result<(), CopyError> {
    let cannot = |source| CopyError::Write { path: to.to_owned(), source };
    if replace {
        return fs::rename(part, to).map_err(cannot);
    }
    match fs::hard_link(part, to) {
        Ok(()) => fs::remove_file(part).map_err(cannot),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(CopyError::Exists(to.to_owned())),
        // A file system without links: what is left is to look and then to rename.
        Err(_) if to.symlink_metadata().is_ok() => Err(CopyError::Exists(to.to_owned())),
        Err(_) => fs::rename(part, to).map_err(cannot),
    }
}
