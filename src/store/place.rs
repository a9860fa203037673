//! Folder, file and lock: everything around the database that is not SQL.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{Error, FILE_NAME, connect, schema};

/// Held by the one instance that receives into a folder. The system lets go of it when the process ends, however it ends.
const LOCK_NAME: &str = "wayglass.lock";

/// How long it is waited for: whoever ends lets go of it last, and a process that is just being started still has what its parent had open.
const LET_GO: Duration = Duration::from_millis(300);

/// The first bytes of every SQLite file.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// The database of a folder.
pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join(FILE_NAME)
}

/// A file beside the database whose name is the database's with `suffix`.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Size of a file in bytes, 0 where there is none.
pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |about| about.len())
}

/// Makes the folder where it is missing, for its owner alone.
pub(super) fn make_dir(dir: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| Error::denied(dir, &e))
}

/// Makes an empty file where it is missing, for its owner alone. SQLite gives the files beside it the same mode.
pub(super) fn make_file(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|e| Error::denied(path, &e))
}

/// Makes a file that must not be there yet, for its owner alone.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a small file for its owner alone, also where one of that name was everybody's.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(bytes)
}

/// Takes the folder for receiving; it is given back when the file is dropped.
#[expect(
    clippy::disallowed_methods,
    reason = "nobody tells when another process lets go, and to wait in the system's queue has no end"
)]
pub(super) fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join(LOCK_NAME);
    let file = make_file(&path)?;
    let until = Instant::now() + LET_GO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LET_GO / 20),
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(dir.to_owned())),
            Err(TryLockError::Error(e)) => return Err(Error::denied(&path, &e)),
        }
    }
}

/// True where an instance holds the folder. Makes nothing.
pub(super) fn is_locked(dir: &Path) -> bool {
    // Asks for a share of the lock, so that two who ask do not see each other.
    File::open(dir.join(LOCK_NAME)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// What a look at a file from outside says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no file, or an empty one.
    Nothing,
    /// A database of this schema; 0 where its making was interrupted.
    Schema(i64),
}

/// Looks at the database without touching it, and refuses what is not ours or too new.
pub(super) fn look(database: &Path) -> Result<Found, Error> {
    let mut header = [0; 100];
    let read = match File::open(database) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(e) => Err(e),
        Ok(file) => read_up_to(file, &mut header),
    };
    let read = read.map_err(|e| Error::denied(database, &e))?;
    let log = size(&beside(database, "-wal"));
    if read == 0 {
        // SQLite would throw the log away.
        return if log > 32 { Err(damaged("it is empty, and its log is not")) } else { Ok(Found::Nothing) };
    }
    if read < header.len() || !header.starts_with(MAGIC) {
        let cut = header.starts_with(MAGIC) || log > 32;
        if cut || is_ours(database, true) {
            return Err(damaged("it does not begin as a database does"));
        }
        return Err(Error::open(
            database,
            "it is not a SQLite database; move it away, or choose another folder with --data-dir",
        ));
    }
    let number =
        |at: usize| header.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes).into();
    // A migration that was interrupted may still stand in the log alone. With a log there, a read-only connection makes no new file.
    let (version, application) = if log > 0 {
        let marks = reading_marks(database);
        match marks {
            Err(Error::Damaged(why)) if number(68) != schema::APPLICATION_ID && !is_ours(database, false) => {
                return Err(Error::open(
                    database,
                    format!("{why}; move it away, or choose another folder with --data-dir"),
                ));
            }
            marks => marks?,
        }
    } else {
        (number(60), number(68))
    };
    let ours = application == schema::APPLICATION_ID;
    if !(0..=PLAUSIBLE).contains(&version) || (version == 0) == ours || !ours && version > 0 {
        // One of the two marks is wrong. A new file has neither, nor any table.
        if ours || is_ours(database, false) {
            return Err(damaged("its marks are wrong"));
        }
        if version != 0 {
            return Err(Error::open(database, schema::NOT_OURS));
        }
    } else if version == 0 && is_ours(database, false) {
        return Err(damaged("its marks are gone"));
    }
    if ours && !has_our_shape(&header) {
        return Err(damaged("its header is wrong"));
    }
    if version > schema::VERSION {
        return Err(Error::Newer { path: database.to_owned(), found: version, known: schema::VERSION });
    }
    Ok(Found::Schema(version))
}

/// No schema of ours will have such a number: where it stands, something else wrote it.
const PLAUSIBLE: i64 = 1_000;

/// Whether what a header says of the file's shape is what every file of ours says: some other words make it read-only, or unreadable.
fn has_our_shape(header: &[u8; 100]) -> bool {
    let [format_write, format_read, reserved, fractions @ ..] = [18, 19, 20, 21, 22, 23].map(|at: usize| header[at]);
    let versions = (1..=2).contains(&format_write) && (1..=2).contains(&format_read);
    // Four bytes of a number below 256.
    let small = |at: usize, allowed: std::ops::RangeInclusive<u8>| {
        header[at..at + 3] == [0; 3] && header.get(at + 3).is_some_and(|byte| allowed.contains(byte))
    };
    header[16..18] == [0x10, 0]
        && versions
        && reserved == 0
        && fractions == [64, 32, 32]
        && small(44, 1..=4)
        && small(56, 1..=1)
}

fn damaged(why: &str) -> Error {
    Error::Damaged(why.to_owned())
}

fn reading_marks(database: &Path) -> Result<(i64, i64), Error> {
    schema::marks(&connect::reading(database)?).map_err(|e| connect::refusal(database, &e))
}

/// Whether a file that does not say whose it is holds the definitions of our tables, or (`blank`) nothing at all.
fn is_ours(database: &Path, blank: bool) -> bool {
    /// Tables were made with the file, so their definitions are not far from its beginning.
    const LOOKED_AT: u64 = 16 << 20;
    const TABLES: [&[u8]; 3] = [b"CREATE TABLE packets(", b"CREATE TABLE positions(", b"CREATE TABLE latest("];
    let mut bytes = Vec::new();
    let read = File::open(database).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut bytes));
    if read.is_err() {
        return false;
    }
    let holds = |table: &[u8]| {
        // Candidates by their first letter: a plain search through all windows takes seconds.
        let mut from = 0;
        while let Some(at) = bytes.get(from..).and_then(|rest| rest.iter().position(|b| *b == b'C')) {
            if bytes.get(from + at..).is_some_and(|rest| rest.starts_with(table)) {
                return true;
            }
            from += at + 1;
        }
        false
    };
    (blank && bytes.iter().all(|b| *b == 0)) || TABLES.into_iter().any(holds)
}

fn read_up_to(mut file: File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            n => read += n,
        }
    }
    Ok(read)
}
