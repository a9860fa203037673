//! The tape: what was said over a connection, in the order in which it was, on its way to who writes it down. It is bounded twice, by connection
//! and over all of them, and nobody waits for room on it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Running, Site};
use crate::{
    model::{Clock, Direction, Mishap, Timestamp},
    store::Tally,
};

/// Pieces of one connection that may wait. A piece is what one read gave.
const PIECES: usize = 128;
/// A piece takes so many bytes of the room of all at least.
const LEAST: u32 = 1024;

/// What one read gave.
pub(super) struct Piece {
    pub(super) at: Timestamp,
    /// In: from the tracker.
    pub(super) way: Direction,
    pub(super) bytes: Vec<u8>,
    /// Bytes between this and the piece before that had no room.
    pub(super) lost_before: u64,
    /// Its share of the room of all, until it is in the store.
    pub(super) room: OwnedSemaphorePermit,
}

/// Hears what is said.
pub(super) struct Ear {
    to: mpsc::Sender<Piece>,
    room: Arc<Semaphore>,
    /// Since the last piece that had room.
    lost: AtomicU64,
    clock: Clock,
    tally: Arc<Tally>,
    running: Arc<Running>,
}

pub(super) fn new(site: &Site, running: &Arc<Running>) -> (Ear, mpsc::Receiver<Piece>) {
    let (to, tape) = mpsc::channel(PIECES);
    let ear = Ear {
        to,
        room: Arc::clone(&site.tape),
        lost: AtomicU64::new(0),
        clock: Clock::clone(&site.clock),
        tally: Arc::clone(&site.tally),
        running: Arc::clone(running),
    };
    (ear, tape)
}

impl Ear {
    /// Takes a copy of what goes on now. Never waits: what has no room is lost to the record, and counted.
    pub(super) fn hear(&self, way: Direction, bytes: &[u8]) {
        self.running.gauge.heard(way, bytes.len());
        let cost = u32::try_from(bytes.len()).unwrap_or(u32::MAX).max(LEAST);
        let room = Arc::clone(&self.room).try_acquire_many_owned(cost);
        let (Ok(place), Ok(room)) = (self.to.try_reserve(), room) else { return self.lose(bytes.len()) };
        let lost_before = self.lost.swap(0, Ordering::Relaxed);
        place.send(Piece { at: (self.clock)(), way, bytes: bytes.to_vec(), lost_before, room });
    }

    fn lose(&self, bytes: usize) {
        self.running.gauge.lost(bytes);
        // A gap counts once, however long it gets.
        if self.lost.fetch_add(bytes as u64, Ordering::Relaxed) == 0 {
            self.tally.count(Mishap::NotRecorded);
        }
    }
}
