//! The connections of this run: when each was made, when it ended, who ended it and why.
//!
//! Those that are open, and those that ended last, are remembered here. How one ended of which there is a packet in the store stands there, too,
//! beside the last of them, for later runs; of those that were cut off with the program nothing is known.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use super::Site;
use crate::model::{Connected, ConnectionEnd, Ended, PacketId, Timestamp};

/// Connections that are remembered once they have ended; beyond them the oldest is forgotten. About a megabyte.
const MOST_ENDED: usize = 8_192;

/// The last packet of a connection that is in the store.
#[derive(Debug, Default)]
pub(super) struct LastPacket(AtomicI64);

impl LastPacket {
    /// This one is in the store, too.
    pub(super) fn note(&self, packet: PacketId) {
        self.0.fetch_max(packet.0, Ordering::Relaxed);
    }

    fn get(&self) -> Option<PacketId> {
        Some(PacketId(self.0.load(Ordering::Relaxed))).filter(|id| id.0 > 0)
    }
}

impl Site {
    /// Writes down how a connection ended that is remembered, where something of it is in the store.
    pub(super) fn write_end(&self, connection: u64, last: &LastPacket) {
        if let Some(last_packet) = last.get()
            && let Some((made, ended)) = self.ends.end_of(connection)
        {
            self.store.note_end(ConnectionEnd { last_packet, made, ended });
        }
    }
}

/// What is remembered of them.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    known: Mutex<Known>,
    /// Counts up with each that is made or ends.
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    by_number: HashMap<u64, Connected>,
    /// Those that have ended, the one that did first at the front.
    ended: VecDeque<u64>,
}

impl Ends {
    /// One was made.
    pub(crate) fn made(&self, connection: u64, peer: &Arc<str>, at: Option<Timestamp>) {
        let made = Connected { connection, peer: Arc::clone(peer), made: at, ended: None };
        self.change(|known| {
            known.by_number.insert(connection, made);
        });
    }

    /// One ended.
    pub(crate) fn ended(&self, connection: u64, how: Ended) {
        self.change(|known| {
            let Some(connected) = known.by_number.get_mut(&connection) else { return };
            if connected.ended.replace(how).is_none() {
                known.ended.push_back(connection);
            }
            if known.ended.len() > MOST_ENDED
                && let Some(oldest) = known.ended.pop_front()
            {
                known.by_number.remove(&oldest);
            }
        });
    }

    /// When one was made and how it ended.
    fn end_of(&self, connection: u64) -> Option<(Option<Timestamp>, Ended)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let connected = known.by_number.get(&connection)?;
        Some((connected.made, connected.ended.clone()?))
    }

    /// Differs from before where one was made or ended since.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// What is known of these connections, told by number and far end.
    pub(crate) fn of<'a>(&self, wanted: impl Iterator<Item = (u64, &'a str)>) -> Vec<Connected> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Numbers begin anew with each run; the far end tells runs apart.
        wanted
            .filter_map(|(number, peer)| known.by_number.get(&number).filter(|c| c.peer.as_ref() == peer).cloned())
            .collect()
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
        self.changes.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ender;

    fn ended() -> Ended {
        Ended { at: Timestamp::UNIX_EPOCH, by: Ender::Peer, why: "".into() }
    }

    #[test]
    fn old_ends_are_forgotten_first_and_open_connections_never() {
        let ends = Ends::default();
        let peer: Arc<str> = "10.0.0.9:4711".into();
        ends.made(0, &peer, Some(Timestamp::UNIX_EPOCH));
        let last = MOST_ENDED as u64 + 5;
        for n in 1..=last {
            ends.made(n, &peer, None);
            ends.ended(n, ended());
        }
        let of = |n: u64| ends.of([(n, "10.0.0.9:4711")].into_iter()).first().cloned();
        assert_eq!(of(0).unwrap().ended, None);
        assert_eq!((of(5), of(6).unwrap().ended), (None, Some(ended())));
        assert_eq!(ends.of([(6, "10.0.0.9:4712")].into_iter()), [], "another run had a connection of that number");
        assert_eq!(ends.changes(), 1 + 2 * last);
    }
}
