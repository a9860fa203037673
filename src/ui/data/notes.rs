//! What was written about packets, as the window has it.

use std::collections::BTreeMap;

use crate::model::{PacketId, PacketNote};

/// Marks and comments by their packet. A person writes them, so all of them are held.
#[derive(Debug)]
pub struct Notes {
    known: BTreeMap<PacketId, PacketNote>,
    version: u64,
    /// They are to be read from the store.
    pub stale: bool,
}

impl Default for Notes {
    fn default() -> Self {
        Self { known: BTreeMap::new(), version: 0, stale: true }
    }
}

impl Notes {
    /// What was written about a packet.
    pub fn of(&self, id: PacketId) -> Option<&PacketNote> {
        self.known.get(&id)
    }

    /// All of them, in order of arrival of their packets.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = (PacketId, &PacketNote)> {
        self.known.iter().map(|(id, note)| (*id, note))
    }

    /// A number that grows with each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Takes over what was read from the store.
    pub fn read(&mut self, notes: Vec<(PacketId, PacketNote)>) {
        let known: BTreeMap<_, _> = notes.into_iter().collect();
        self.version += u64::from(known != self.known);
        self.known = known;
    }

    /// Takes over what changed.
    pub fn learn(&mut self, notes: &[(PacketId, PacketNote)]) {
        for (id, note) in notes {
            self.version += 1;
            if note.is_empty() {
                self.known.remove(id);
            } else {
                self.known.insert(*id, note.clone());
            }
        }
    }

    /// Packets went, and what was written about them.
    pub fn remove(&mut self, packets: &[PacketId]) {
        if self.known.is_empty() {
            return;
        }
        for id in packets {
            self.version += u64::from(self.known.remove(id).is_some());
        }
    }
}
