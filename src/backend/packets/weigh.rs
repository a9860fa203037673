//! How many packets a selection has, and the first of them as it would be written.

use super::{ExportError, Selection, devices, walk::Walk};
use crate::{
    capture::redact::Redactor,
    model::{PacketRow, Profile, Timestamp},
    store::{Reader, Watch},
    wire::{Dissection, dissect_kept},
};

/// What a selection comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weight {
    pub packets: u64,
    /// Of the packets themselves, without what a format puts around them.
    pub bytes: u64,
    pub sample: Option<Box<Sample>>,
}

/// The first packet, as it is and as a redaction leaves it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub before: (PacketRow, Dissection),
    pub after: (PacketRow, Dissection),
}

/// Counts the packets of a selection. `seed`: of the redaction that is tried on the first. `watch` counts packets that were looked at.
pub fn weigh_packets(
    reader: &Reader,
    selection: &Selection,
    seed: u64,
    now: Timestamp,
    watch: &Watch,
) -> Result<Weight, ExportError> {
    let devices = devices(reader)?;
    let mut weight = Weight::default();
    Walk::begin(reader, selection, &devices, now)?.each((watch, 0, 1), &mut |entry| {
        weight.packets += 1;
        weight.bytes += entry.row.bytes.len() as u64;
        if weight.sample.is_none() {
            let plain = Profile::default();
            let mut redactor = Redactor::new(seed);
            // In the order of the writer, so that the same stands for the same.
            let other = entry.device.map(|device| redactor.device(device));
            let after = redactor.row(entry.row, entry.device.map(|device| &device.profile));
            let read = |row: &PacketRow, profile: Option<&Profile>| dissect_kept(row, profile.unwrap_or(&plain));
            let before = (entry.row.clone(), read(entry.row, entry.device.map(|device| &device.profile)));
            let after = (after.clone(), read(&after, other.as_ref().map(|device| &device.profile)));
            weight.sample = Some(Box::new(Sample { before, after }));
        }
        Ok(())
    })?;
    Ok(weight)
}
