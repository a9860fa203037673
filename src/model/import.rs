//! History that was read from a file: batches, and where in a file a position stood.

use std::fmt;

use super::{DeviceId, Identity, PacketId, Protocol, Report, Timestamp};

/// A batch of imported positions: what one file brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImportId(pub i64);

/// A position that no packet told has a packet below 0, which says from which batch it is and where it stood in the file: places have these
/// bits, batches the rest.
const PLACE_BITS: u32 = 32;

impl PacketId {
    /// Stands for the packet of a position that was imported.
    pub fn of_import(batch: ImportId, place: u32) -> Self {
        Self(-((batch.0 << PLACE_BITS) | i64::from(place)))
    }

    /// The batch that a position came with, and its place in the file. `None`: a packet told it.
    pub fn import(self) -> Option<(ImportId, u32)> {
        if self.0 >= 0 {
            return None;
        }
        let both = self.0.unsigned_abs();
        let place = u32::try_from(both & u64::from(u32::MAX)).ok()?;
        i64::try_from(both >> PLACE_BITS).ok().map(|batch| (ImportId(batch), place))
    }
}

impl ImportId {
    /// The least and the greatest of what stands for packets of this batch.
    pub fn packets(self) -> (PacketId, PacketId) {
        (PacketId::of_import(self, u32::MAX), PacketId::of_import(self, 0))
    }
}

/// What places in a file are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CountedIn {
    /// From 1.
    #[default]
    Lines,
    /// From 0, where a line is too long to find anything in.
    Bytes,
}

impl CountedIn {
    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "line",
            Self::Bytes => "byte",
        }
    }

    /// The unit of a word that [`CountedIn::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Lines, Self::Bytes].into_iter().find(|unit| unit.as_str() == word)
    }
}

/// A batch that is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    /// The file as it was named.
    pub file: String,
    /// What it was read as.
    pub format: String,
    pub counted_in: CountedIn,
}

/// Where a batch's positions go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ImportInto {
    Device(DeviceId),
    /// A device that has never called, or the one that has this identity by now.
    New {
        protocol: Protocol,
        identity: Identity,
        name: Option<String>,
    },
}

/// One position of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecord {
    /// Line or byte, as the batch counts; the last number there is, where it is beyond.
    pub place: u32,
    /// When whoever wrote the file received it; now, where nobody said.
    pub received: Timestamp,
    /// Its fix is what is stored, with its readings.
    pub report: Report,
}

/// A batch as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportBatch {
    pub id: ImportId,
    pub file: String,
    pub format: String,
    pub counted_in: CountedIn,
    pub began: Timestamp,
    /// `None`: it is under way, or it was cut off.
    pub ended: Option<Timestamp>,
    /// When it was taken back.
    pub undone: Option<Timestamp>,
    /// Positions that were new and were stored; what was taken back counts on.
    pub positions: u64,
    /// Positions that were there already.
    pub duplicates: u64,
    /// Records that could not be used.
    pub rejected: u64,
}

/// Where an imported position stood: `track.gpx, line 17`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub batch: ImportId,
    pub file: String,
    pub counted_in: CountedIn,
    pub place: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} {}", self.file, self.counted_in.as_str(), self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_below_zero_says_where_it_stood() {
        for (batch, place) in [(1, 1), (1, u32::MAX), (7, 0), (i64::from(i32::MAX), 12)] {
            let packet = PacketId::of_import(ImportId(batch), place);
            assert!(packet.0 < 0);
            assert_eq!(packet.import(), Some((ImportId(batch), place)));
            let (least, greatest) = ImportId(batch).packets();
            assert!(least <= packet && packet <= greatest);
        }
        assert!(ImportId(2).packets().1 < ImportId(1).packets().0, "batches do not overlap");
        for packet in [0, 1, i64::MAX] {
            assert_eq!(PacketId(packet).import(), None);
        }
    }
}
