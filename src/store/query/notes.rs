//! What was written about packets.

use rusqlite::{Connection, Result};

use super::{all, clamp};
use crate::model::{PacketId, PacketNote};

/// The marks and comments of the newest `limit` packets that have some.
pub fn notes(db: &Connection, limit: usize) -> Result<Vec<(PacketId, PacketNote)>> {
    let sql = "SELECT packet_id, marked, comment FROM packet_notes ORDER BY packet_id DESC LIMIT ?1";
    all(db, sql, [clamp(limit)], |row| {
        Ok((PacketId(row.get(0)?), PacketNote { marked: row.get(1)?, comment: row.get(2)? }))
    })
}
