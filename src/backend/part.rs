//! Taking "Same as …" back together with the history: what came in under a name that was attached becomes a device of its own again.

use std::collections::HashSet;

use super::Error;
use crate::{
    model::{DeviceId, Direction, Identity, NewPacket, PacketId, Protocol, Secret, Sender, Timestamp},
    store::{OpenedPacket, Parting, Reader, Writer, phones, query},
    wire::owntracks,
};

/// Packets that are read at once.
const STEP: usize = 256;
/// The newest of the packets that stay are looked at for what the device told beside its fixes.
const NEWEST: usize = 64;

/// Takes a name away from a phone and gives it everything that came in under it; answers how many positions that are. The packets are read
/// again for that, so it takes a while for a long history.
pub fn part(store: &Writer, reader: &Reader, device: DeviceId, name: &Identity) -> Result<u64, Error> {
    let (ids, key) = reader
        .read_long(move |db| {
            let phone = query::device(db, device)?.filter(|device| device.protocol == Protocol::OwnTracks);
            let ids = phone.map(|_| query::to_reread(db, device, None)).transpose()?;
            Ok((ids, phones::key(db, device)?))
        })
        .wait()?;
    let Some(ids) = ids else {
        return Err(Error::Refused("only what came in from phones can be parted by name".to_owned()));
    };
    let mut parting = Parting { device, name: name.clone(), leaving: Vec::new(), staying: Vec::new() };
    for ids in ids.packets.chunks(STEP) {
        for opened in read(reader, device, ids, key.as_ref())? {
            let came_under = opened.packet.sender == Some(Sender::Identity(name.clone()));
            if came_under { parting.leaving.push(opened) } else { parting.staying.push(opened) }
        }
    }
    let gone: HashSet<_> = parting.leaving.iter().flat_map(fixes).collect();
    let old = parting.staying.len().saturating_sub(NEWEST);
    let mut number = 0;
    parting.staying.retain(|opened| {
        number += 1;
        number > old || fixes(opened).any(|fix| gone.contains(&fix))
    });
    store.part(parting).wait()
}

/// The fixes that a packet tells, by what tells them apart.
fn fixes(opened: &OpenedPacket) -> impl Iterator<Item = (Timestamp, u64)> {
    opened.packet.reports.iter().filter_map(|report| Some((report.fix.as_ref()?.at, report.fix_key)))
}

fn read(reader: &Reader, device: DeviceId, ids: &[PacketId], key: Option<&Secret>) -> Result<Vec<OpenedPacket>, Error> {
    let (ids, key) = (ids.to_vec(), key.cloned());
    reader
        .read_long(move |db| {
            let rows = query::packets_by_id(db, &ids)?;
            let came_in = rows.iter().filter(|row| row.direction == Direction::In);
            Ok(came_in
                .map(|row| {
                    let secret = key.as_ref().map(Secret::reveal);
                    let read = owntracks::reread(&row.bytes, row.context.as_deref(), secret, row.received);
                    // Only what it tells is needed.
                    OpenedPacket { id: row.id, holder: device, packet: NewPacket { bytes: Vec::new(), ..read } }
                })
                .collect())
        })
        .wait()
}
