//! Where an imported position stood.

use rusqlite::{Connection, Result};

use super::query;
use crate::model::{ImportBatch, Origin, PacketId};

/// The file and the place in it. `None`: a packet told the position, or nothing is known of its batch.
pub fn origin_of(db: &Connection, packet: PacketId) -> Result<Option<Origin>> {
    let Some((batch, place)) = packet.import() else { return Ok(None) };
    let known = query::import(db, batch)?;
    Ok(known.map(|ImportBatch { file, counted_in, .. }| Origin { batch, file, counted_in, place }))
}
