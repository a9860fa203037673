//! What was written about packets.

use rusqlite::{Connection, Result, Row};

use super::{all, clamp};
use crate::model::{PacketId, PacketNote};

/// The marks and comments of packets from one to another, both included.
pub fn notes_between(db: &Connection, first: PacketId, last: PacketId) -> Result<Vec<(PacketId, PacketNote)>> {
    let sql = "SELECT packet_id, marked, comment FROM packet_notes WHERE packet_id BETWEEN ?1 AND ?2";
    all(db, sql, [first.0, last.0], note)
}

fn note(row: &Row<'_>) -> Result<(PacketId, PacketNote)> {
    Ok((PacketId(row.get(0)?), PacketNote { marked: row.get(1)?, comment: row.get(2)? }))
}

/// The marks and comments of the newest `limit` packets that have some.
pub fn notes(db: &Connection, limit: usize) -> Result<Vec<(PacketId, PacketNote)>> {
    let sql = "SELECT packet_id, marked, comment FROM packet_notes ORDER BY packet_id DESC LIMIT ?1";
    all(db, sql, [clamp(limit)], note)
}
