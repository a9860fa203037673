//! Rewriting the whole file, for who has it alone: it becomes as small as it can be, and able to shrink by itself from then on.

use std::path::Path;

use super::{Error, bring_up_to_date, connect, place};

/// What rewriting gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Sizes of the file in bytes.
    pub before: u64,
    pub after: u64,
}

/// Rewrites the database of a folder that no instance uses. Takes as much room again while it works; where that is missing, the file stays as it
/// was. A file that was made without the means to shrink in steps gets them.
pub fn compact(dir: &Path) -> Result<Compacted, Error> {
    let database = place::database(dir);
    bring_up_to_date(dir, &database)?;
    let _lock = place::lock(dir)?;
    let db = connect::writing(&database)?;
    let failed = |e: &rusqlite::Error| connect::refusal(&database, e);
    let empty_log = || db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(|e| failed(&e));
    empty_log()?;
    let before = place::size(&database);
    db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;").map_err(|e| failed(&e))?;
    empty_log()?;
    Ok(Compacted { before, after: place::size(&database) })
}
