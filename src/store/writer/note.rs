//! Marks and comments of packets, within a batch.

use rusqlite::{Result, params};

use super::{Writer, batch::Batch, write::Write};
use crate::{
    model::{MAX_COMMENT_CHARS, PacketId, PacketNote},
    store::{Error, Pending},
};

/// What a packet's note shall be.
pub(in crate::store) struct SetNote {
    packet: PacketId,
    note: PacketNote,
}

impl Writer {
    /// Writes what a person says about a packet; nothing, where that is empty. Refused where the packet is gone or the comment is longer than
    /// [`MAX_COMMENT_CHARS`].
    pub fn set_note(&self, packet: PacketId, note: PacketNote) -> Pending<()> {
        self.push(SetNote { packet, note }, Write::Note)
    }
}

impl Batch<'_> {
    pub(super) fn note(&mut self, wanted: &SetNote) -> Result<std::result::Result<(), Error>> {
        let SetNote { packet, note } = wanted;
        if note.comment.chars().count() > MAX_COMMENT_CHARS {
            return Ok(Err(Error::Refused(format!("a comment has at most {MAX_COMMENT_CHARS} characters"))));
        }
        if note.is_empty() {
            self.db.prepare_cached("DELETE FROM packet_notes WHERE packet_id = ?1")?.execute([packet.0])?;
        } else {
            let written = self
                .db
                .prepare_cached(
                    "INSERT INTO packet_notes(packet_id, marked, comment, at_ms)
                     SELECT id, ?2, ?3, ?4 FROM packets WHERE id = ?1
                     ON CONFLICT (packet_id) DO UPDATE
                       SET marked = excluded.marked, comment = excluded.comment, at_ms = excluded.at_ms",
                )?
                .execute(params![packet.0, note.marked, note.comment, self.now.as_millisecond()])?;
            if written == 0 {
                return Ok(Err(Error::Refused("the packet is no longer there".to_owned())));
            }
        }
        if let Some(facts) = &mut self.facts {
            facts.notes.push((*packet, note.clone()));
        }
        Ok(Ok(()))
    }
}
