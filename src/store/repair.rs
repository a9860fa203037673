//! A damaged database of ours: it is set aside byte for byte, and what can be read of it goes on in a new one.
//!
//! The damaged file is never opened by SQLite here: a scratch copy is, and a header that is no header is replaced in that. The new file is
//! complete before anything is renamed, and a rename that was cut off is finished at the next start.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use super::{Error, check, connect, damage, journal, place, salvage, schema};
use crate::model::{Timestamp, bytes_text};

/// While the new file is being written; when it is complete; the copy that is read.
const WRITING: &str = ".salvaging";
const COMPLETE: &str = ".salvaged";
const SCRATCH: &str = ".reading";

/// What came of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// What was wrong.
    pub why: String,
    /// Where the damaged file is now, as it was.
    pub aside: PathBuf,
    /// What was saved of it.
    pub devices: u64,
    pub positions: u64,
    pub packets: u64,
    /// Rows that made no sense, and places that could not be read.
    pub refused: u64,
    pub gaps: u64,
}

impl std::fmt::Display for Repaired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { why, aside, devices, positions, packets, refused, gaps } = self;
        let lost = match refused + gaps {
            0 => "everything could be read".to_owned(),
            n => format!("{n} places could not be read"),
        };
        write!(
            f,
            "the database was damaged ({why}); it was set aside as {}, and {devices} devices, {positions} positions and {packets} packets \
             were saved into a new one; {lost}",
            aside.display()
        )
    }
}

/// Whether an error of opening says that the file is ours and damaged.
pub(super) fn is_for(error: &Error) -> Option<&str> {
    match error {
        Error::Damaged(why) => Some(why),
        _ => None,
    }
}

/// Ends a repair that was cut off after the new file was complete. The folder must be held.
pub(super) fn finish(database: &Path, now: Timestamp) -> Result<(), Error> {
    let complete = place::beside(database, COMPLETE);
    if !complete.exists() {
        return Ok(());
    }
    set_aside(database, now).and_then(|_| take_over(database)).map_err(|e| Error::denied(database, &e))
}

/// Sets the database aside and saves what can be read. The folder must be held, and nobody may have the database open.
pub(super) fn repair(database: &Path, why: &str, now: Timestamp) -> Result<Repaired, Error> {
    tracing::warn!(database = %database.display(), why, "the database is damaged; reading what can be read");
    let saved = scratch(database).and_then(|lost| {
        let mut saved = build(database, now, lost > 0)?;
        saved.gaps += lost;
        Ok(saved)
    });
    let cleared = [WRITING, SCRATCH];
    for name in cleared.iter().flat_map(|name| ["", "-wal", "-shm", "-journal"].map(|more| format!("{name}{more}"))) {
        fs::remove_file(place::beside(database, &name)).ok();
    }
    let saved = saved?;
    let aside = set_aside(database, now).and_then(|aside| take_over(database).map(|()| aside));
    let aside = aside.map_err(|e| Error::denied(database, &e))?;
    damage::clear(database);
    let salvage::Saved { devices, positions, packets, refused, gaps } = saved;
    let repaired = Repaired { why: why.to_owned(), aside, devices, positions, packets, refused, gaps };
    // For whoever finds the file later.
    place::write_private(&place::beside(&repaired.aside, ".txt"), format!("{now}: {repaired}\n").as_bytes()).ok();
    tracing::error!("{repaired}");
    Ok(repaired)
}

/// Makes the copy that is read, with a header and a log that SQLite understands. Answers how many frames of the log are lost.
fn scratch(database: &Path) -> Result<u64, Error> {
    let copy = |suffix: &str| -> io::Result<u64> {
        let from = place::beside(database, suffix);
        if place::size(&from) == 0 {
            return Ok(0);
        }
        let to = place::beside(database, &format!("{SCRATCH}{suffix}"));
        fs::remove_file(&to).ok();
        let bytes = io::copy(&mut File::open(from)?, &mut place::new_file(&to)?)?;
        Ok(bytes)
    };
    let made = copy("-wal").and_then(|log| {
        let bytes = copy("")?;
        let scratch = place::beside(database, SCRATCH);
        if bytes == 0 {
            // SQLite throws a log away that stands beside nothing.
            drop(fs::remove_file(&scratch));
            place::new_file(&scratch)?.set_len(if log > 0 { connect::PAGE_BYTES } else { 0 })?;
        }
        heal_header(&scratch)?;
        if log == 0 { Ok(0) } else { journal::heal(&place::beside(&scratch, "-wal")) }
    });
    made.map_err(|e| no_room(database, &e))
}

fn no_room(database: &Path, error: &io::Error) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if !full {
        return Error::denied(database, error);
    }
    let bytes = bytes_text(2 * place::size(database));
    Error::open(
        database,
        format!(
            "it is damaged, and saving what can be read takes {bytes} of free space; nothing was touched; make room and start again"
        ),
    )
}

/// Writes the first hundred bytes as SQLite wants them, where they are not so. All of them are known, or say nothing to a reader.
fn heal_header(path: &Path) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    if length < 512 {
        return Ok(());
    }
    let mut header = [0_u8; 100];
    file.read_exact(&mut header)?;
    let pages = u32::try_from(length / connect::PAGE_BYTES).unwrap_or(u32::MAX);
    let mut healed = header;
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = healed.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, place::MAGIC);
    // Page size, a log beside it, no reserved bytes, fractions.
    put(16, &[0x10, 0x00, 2, 2, 0, 64, 32, 32]);
    put(28, &pages.to_be_bytes());
    // No free pages: nothing is written here. Schema format, UTF-8, incremental vacuum.
    put(32, &[0; 8]);
    put(44, &4_u32.to_be_bytes());
    put(56, &1_u32.to_be_bytes());
    put(64, &1_u32.to_be_bytes());
    put(72, &[0; 20]);
    if header[52..56] == [0; 4] {
        put(52, &1_u32.to_be_bytes());
    }
    // The count of pages holds where these two agree.
    let change: [u8; 4] = [header[24], header[25], header[26], header[27]];
    put(92, &change);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&healed)
}

/// Saves what the scratch copy gives into a new, complete file.
fn build(database: &Path, now: Timestamp, lost: bool) -> Result<salvage::Saved, Error> {
    let (scratch, writing) = (place::beside(database, SCRATCH), place::beside(database, WRITING));
    for more in ["", "-wal", "-shm"] {
        fs::remove_file(place::beside(&writing, more)).ok();
    }
    place::make_file(&writing)?;
    let mut into = connect::writing(&writing)?;
    let failed = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => no_room(database, &io::ErrorKind::StorageFull.into()),
        _ => Error::open(&writing, e),
    };
    schema::migrate(&mut into, &writing)?;
    // Nobody relies on it before it is complete.
    into.execute_batch("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 4000;").map_err(failed)?;
    let mut from = Vec::new();
    for with_log in [true, false] {
        // With its log it is newest. Without, it has what a damaged log lays wrong pages over.
        from.extend(source(&scratch, with_log));
    }
    let saved = salvage::salvage(&from, &into, now, lost).map_err(failed)?;
    into.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
    drop(into);
    let complete = || -> io::Result<()> {
        File::open(&writing)?.sync_all()?;
        fs::rename(&writing, place::beside(database, COMPLETE))
    };
    complete().map_err(|e| no_room(database, &e))?;
    Ok(saved)
}

/// Opens the scratch copy so that it gives as much as it can.
fn source(scratch: &Path, with_log: bool) -> Option<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = if with_log {
        Connection::open_with_flags(scratch, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)
    } else if place::size(&place::beside(scratch, "-wal")) == 0 {
        return None;
    } else {
        let path = scratch.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let uri = format!("file:{path}?immutable=1");
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
    };
    let db = db.ok()?;
    // Tables whose definitions cannot all be read, and a file shorter than its header says, are read as far as they go.
    db.execute_batch("PRAGMA writable_schema = ON; PRAGMA cell_size_check = ON; PRAGMA cache_size = -16000;").ok()?;
    Some(db)
}

/// Renames the damaged file and its log; what is there already keeps its name.
fn set_aside(database: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let folder = database.parent().unwrap_or(Path::new(""));
    let free = |n: u32| {
        let more = if n == 0 { String::new() } else { format!("-{n}") };
        folder.join(format!("wayglass-damaged-{stamp}{more}.db"))
    };
    let aside = (0..=u32::MAX)
        .map(free)
        .find(|path| ["", "-wal"].iter().all(|suffix| place::beside(path, suffix).symlink_metadata().is_err()));
    let aside = aside.ok_or(io::ErrorKind::AlreadyExists)?;
    // Beside it, so that SQLite finds both.
    for suffix in ["", "-wal"] {
        match fs::rename(place::beside(database, suffix), place::beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    // Only an index of the log, which SQLite makes anew.
    fs::remove_file(place::beside(database, "-shm")).ok();
    Ok(aside)
}

fn take_over(database: &Path) -> io::Result<()> {
    fs::rename(place::beside(database, COMPLETE), database)?;
    // On the disk before anything is acknowledged; where folders cannot be synced, the system does it in its own time.
    if let Some(folder) = database.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).ok();
    }
    Ok(())
}

/// Files that were set aside in a folder, the oldest first.
pub fn set_aside_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_one = |path: &PathBuf| {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("wayglass-damaged-") && path.extension().is_some_and(|extension| extension == "db")
    };
    let mut found: Vec<_> = entries.filter(is_one).collect();
    found.sort_unstable();
    found
}

/// Checks the whole database of a folder that no instance uses, and repairs it where something is wrong. `None`: nothing is. `force`: it is set
/// aside and read anew in any case.
pub fn repair_folder(dir: &Path, force: bool, watch: &super::Watch, now: Timestamp) -> Result<Option<Repaired>, Error> {
    let database = place::database(dir);
    let looked = place::look(&database);
    if matches!(looked, Ok(place::Found::Nothing)) {
        return Err(Error::open(&database, "there is nothing yet to repair"));
    }
    let why = match &looked {
        Err(error) => Some(is_for(error).ok_or_else(|| error.clone())?.to_owned()),
        Ok(_) => None,
    };
    let _lock = place::lock(dir)?;
    finish(&database, now)?;
    let why = match why.or_else(|| journal::fault(&place::beside(&database, "-wal"))) {
        Some(why) => Some(why),
        None => first_fault(&database, watch)?,
    };
    let why = why.or_else(|| force.then(|| "somebody wanted it read anew".to_owned()));
    if let Some(why) = why {
        repair(&database, &why, now).map(Some)
    } else {
        damage::clear(&database);
        Ok(None)
    }
}

/// What a full check finds first.
pub(super) fn first_fault(database: &Path, watch: &super::Watch) -> Result<Option<String>, Error> {
    let mut db = match connect::reading(database) {
        Ok(db) => db,
        Err(Error::Damaged(why)) => return Ok(Some(why)),
        Err(error) => return Err(error),
    };
    let faults = check::faults(&mut db, watch).map_err(|e| connect::refusal(database, &e))?;
    Ok(faults.into_iter().next().map(|fault| fault.lines().next_back().unwrap_or_default().to_owned()))
}
