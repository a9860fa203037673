//! What became of a packet that is gone.

use rusqlite::{Connection, OptionalExtension, Result};

use super::row;
use crate::model::{PacketId, Timestamp};

/// Why packets are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// They were older than what is kept.
    Age,
    /// There were more than what is kept.
    Size,
    /// The file was damaged, and they could not be read.
    Damage,
}

impl Reason {
    const ALL: [Self; 3] = [Self::Age, Self::Size, Self::Damage];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Size => "size",
            Self::Damage => "damage",
        }
    }
}

/// When and why a packet went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    pub at: Timestamp,
    pub reason: Reason,
}

/// What is known of a packet that is not there. `None`: nothing; it never was, or it went with its device or with the quarantine.
pub fn removal_of(db: &Connection, id: PacketId) -> Result<Option<Removal>> {
    // A run may span packets that another reason took; the likelier one first.
    let found = db
        .prepare_cached(
            "SELECT at_ms, reason FROM removals WHERE ?1 BETWEEN first_packet AND last_packet
             ORDER BY reason = 'damage', last_packet - first_packet, id LIMIT 1",
        )?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    Ok(found.and_then(|(at, reason)| {
        let reason = Reason::ALL.into_iter().find(|known| known.as_str() == reason)?;
        Some(Removal { at: row::time(at), reason })
    }))
}

/// When packets were last removed by age or size.
pub(super) fn last(db: &Connection) -> Result<Option<Timestamp>> {
    db.prepare_cached("SELECT max(at_ms) FROM removals WHERE reason <> 'damage'")?
        .query_row([], |row| Ok(row.get::<_, Option<i64>>(0)?.map(row::time)))
}
