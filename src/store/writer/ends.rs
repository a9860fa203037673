//! How connections ended, within a batch.

use rusqlite::{Result, params};

use super::{Ask, Role, Writer, batch::Batch, write::Write};
use crate::{
    model::{ConnectionEnd, Timestamp},
    store::Error,
};

impl Writer {
    /// Writes down how a connection ended, with whatever is written next, or within a second. Nobody waits for it: where it cannot be written, or too
    /// many wait, it is given up.
    pub fn note_end(&self, end: ConnectionEnd) {
        if let Role::Receives(inlet) = &self.0 {
            let (ask, _) = Ask::pair(end, 0);
            if inlet.queue.push_quietly(Write::End(ask)).is_err() {
                tracing::debug!("how a connection ended is not written down");
            }
        }
    }
}

impl Batch<'_> {
    pub(super) fn end(&mut self, end: &ConnectionEnd) -> Result<std::result::Result<(), Error>> {
        let ConnectionEnd { last_packet, made, ended } = end;
        let made = made.map(Timestamp::as_millisecond);
        // Its packet may have gone already.
        self.db
            .prepare_cached(
                "INSERT INTO connection_ends(packet_id, made_ms, ended_ms, ended_by, why)
                 SELECT id, ?2, ?3, ?4, ?5 FROM packets WHERE id = ?1 ON CONFLICT DO NOTHING",
            )?
            .execute(params![last_packet.0, made, ended.at.as_millisecond(), ended.by.as_str(), ended.why])?;
        Ok(Ok(()))
    }
}
