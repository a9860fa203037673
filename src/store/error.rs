//! What can go wrong with the store, one variant per thing a caller can do differently.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::{ErrorCode, ffi};

/// Why the store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another Wayglass has this folder.
    #[error("another Wayglass is using {}; stop it, or choose another folder with --data-dir", .0.display())]
    InUse(PathBuf),
    /// A newer program wrote this file.
    #[error(
        "{} was written by a newer Wayglass (schema {found}, this program knows up to {known}); nothing was touched; \
         update Wayglass or choose another folder with --data-dir", .path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// The folder or file cannot be opened or written.
    #[error("cannot open {}: {reason}", .path.display())]
    Open { path: PathBuf, reason: String },
    /// No space left: nothing was stored and nothing may be acknowledged.
    #[error("the disk is full; nothing was stored")]
    Full,
    /// The content of the file is wrong: nothing may be stored or acknowledged until it is repaired.
    #[error(
        "the database is damaged ({0}); nothing was stored; `wayglass repair`, or a start of `serve` or `desktop`, sets it aside and saves what \
         can be read"
    )]
    Damaged(String),
    /// Another program holds the database.
    #[error("the database is locked by another program; nothing was stored")]
    Locked,
    /// Too many questions or decisions wait already; asking again later may help.
    #[error("the store has too much to do; try again")]
    Busy,
    /// The store is closing or its thread has ended.
    #[error("the store is closed")]
    Closed,
    /// The writer's thread has panicked: nothing is stored and nothing answered any more.
    #[error("a fault in this program ended its writer; nothing more is received until it is started again")]
    Died,
    /// This instance only looks on.
    #[error("this window is a viewer: another Wayglass receives into this folder")]
    ReadOnly,
    /// No device of that identity or name.
    #[error("no device is called {0}; `wayglass devices` lists them")]
    NoSuchDevice(String),
    /// It may not be done; says why.
    #[error("{0}")]
    Refused(String),
    /// Anything else that SQLite said.
    #[error("database: {0}")]
    Sqlite(String),
}

impl Error {
    /// Why, without what follows from it: what stands before the first semicolon.
    pub fn cause(&self) -> String {
        let text = self.to_string();
        text.split_once(';').map_or(text.clone(), |(cause, _)| cause.to_owned())
    }

    /// That the system does not let us have `path`, and what to do.
    pub(super) fn denied(path: &Path, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "a part of this path is a file, no folder",
            io::ErrorKind::PermissionDenied => "the system does not allow it",
            io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full",
            _ => return Self::open(path, format!("{error}; choose another folder with --data-dir")),
        };
        Self::open(path, format!("{why}; choose a folder that you can write to with --data-dir"))
    }

    /// That `path` cannot be opened, in one line.
    pub(super) fn open(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Open { path: path.to_owned(), reason: format!("{reason}") }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            // SHMSIZE: the index of the write-ahead log could not grow, which on a full disk comes before the log itself.
            Some(
                ffi::Error { code: ErrorCode::DiskFull, .. }
                | ffi::Error { extended_code: ffi::SQLITE_IOERR_SHMSIZE, .. },
            ) => Self::Full,
            Some(ffi::Error { code: ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, .. }) => Self::Locked,
            // Only closing breaks a query off.
            Some(ffi::Error { code: ErrorCode::OperationInterrupted, .. }) => Self::Closed,
            Some(ffi::Error { code: ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, .. }) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Sqlite(error.to_string()),
        }
    }
}

/// True where the row that was written is to blame, and not disk, lock or file: then others of its batch can still be stored.
pub(super) fn blames_the_row(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation
                | ErrorCode::TooBig
                | ErrorCode::TypeMismatch
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::Unknown
        ),
        None => true,
    }
}
