//! Who is connected and has said nothing of use yet, and who of them goes first when all places are taken: the address that has most of them.
//!
//! There is no fixed number for one address: a whole fleet may come from one, behind the gateway of its carrier. But an address whose connections
//! say nothing of use cannot keep the others out: they make room as soon as somebody else wants it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

/// The connections of all receivers that have not said anything of use.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    all: Mutex<HashMap<u64, Stranger>>,
    /// Numbers connections as they come.
    next: AtomicU64,
}

/// Counts who had to make room, and is one for each receiver.
pub(super) type ShownOut = Arc<AtomicU64>;

#[derive(Debug)]
struct Stranger {
    peer: IpAddr,
    receiver: ShownOut,
    shown_out: CancellationToken,
}

/// One connection's part in it; it leaves with this.
#[derive(Debug)]
pub(super) struct Guest {
    among: Arc<Strangers>,
    number: u64,
    shown_out: CancellationToken,
    /// It is no stranger any more, so the list need not be looked at for every message.
    known: AtomicBool,
}

/// A guest that nobody shows out for now; a stranger again, and as old as before, when this is dropped.
#[derive(Debug)]
pub(super) struct HeardOut<'a> {
    guest: &'a Guest,
    stranger: Option<Stranger>,
}

impl Strangers {
    /// A connection from `peer` to a receiver, a stranger as yet.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr, receiver: &ShownOut) -> Guest {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let shown_out = CancellationToken::new();
        let stranger = Stranger { peer, receiver: Arc::clone(receiver), shown_out: shown_out.clone() };
        self.lock().insert(number, stranger);
        Guest { among: Arc::clone(self), number, shown_out, known: AtomicBool::new(false) }
    }

    /// Shows the oldest stranger of the address with the most strangers to the door: of one receiver, or of all. False where everybody is
    /// known.
    pub(super) fn make_room(&self, of: Option<&ShownOut>) -> bool {
        let mut all = self.lock();
        let mut of_address: HashMap<IpAddr, (usize, u64)> = HashMap::new();
        for (&number, stranger) in all.iter().filter(|(_, s)| of.is_none_or(|of| Arc::ptr_eq(of, &s.receiver))) {
            let (count, oldest) = of_address.entry(stranger.peer).or_insert((0, number));
            *count += 1;
            *oldest = number.min(*oldest);
        }
        let most = of_address.into_values().max_by_key(|&(count, oldest)| (count, std::cmp::Reverse(oldest)));
        let Some(stranger) = most.and_then(|(_, oldest)| all.remove(&oldest)) else { return false };
        stranger.shown_out.cancel();
        if stranger.receiver.fetch_add(1, Ordering::Relaxed) == 0 {
            // Once: it may go on for hours, and the receiver's line counts.
            tracing::warn!(peer = %stranger.peer, "all places are taken; connections that say nothing of use make room");
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Stranger>> {
        // Nothing that is done under this lock leaves half a thought behind.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// It said something of use: from now on nobody takes its place.
    pub(super) fn is_known(&self) {
        self.known.store(true, Ordering::Relaxed);
        self.among.lock().remove(&self.number);
    }

    /// What it said is being stored: until the guard goes nobody takes its place, because it may be known afterwards.
    pub(super) fn heard_out(&self) -> HeardOut<'_> {
        let known = self.known.load(Ordering::Relaxed);
        let stranger = if known { None } else { self.among.lock().remove(&self.number) };
        HeardOut { guest: self, stranger }
    }

    /// Waits until it has to make room.
    pub(super) async fn shown_out(&self) {
        self.shown_out.cancelled().await;
    }
}

impl HeardOut<'_> {
    /// It was of use: the guest stays.
    pub(super) fn stays(mut self) {
        self.stranger = None;
        self.guest.known.store(true, Ordering::Relaxed);
    }
}

impl Drop for HeardOut<'_> {
    fn drop(&mut self) {
        if let Some(stranger) = self.stranger.take() {
            self.guest.among.lock().insert(self.guest.number, stranger);
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.is_known();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_most_goes_first_and_who_is_known_stays() {
        let (here, elsewhere) = (ShownOut::default(), ShownOut::default());
        let strangers = Arc::<Strangers>::default();
        let (one, many) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let others: Vec<_> = (0..9).map(|_| strangers.enter(one, &elsewhere)).collect();
        let alone = strangers.enter(one, &here);
        let guests: Vec<_> = (0..4).map(|_| strangers.enter(many, &here)).collect();
        guests[0].is_known();
        let out = || guests.iter().map(|g| g.shown_out.is_cancelled()).collect::<Vec<_>>();
        let make_room = || strangers.make_room(Some(&here));
        let heard_out = guests[1].heard_out();
        assert!(make_room());
        assert_eq!(out(), [false, false, true, false], "who is being heard out keeps its place");
        drop(heard_out);
        assert!(make_room());
        assert_eq!(out(), [false, true, true, false], "and is as old as before afterwards");
        drop(strangers.enter(many, &here));
        assert!(make_room() && make_room());
        assert_eq!((out(), alone.shown_out.is_cancelled()), (vec![false, true, true, true], true));
        assert!(!make_room(), "the rest is known");
        assert!(strangers.make_room(None) && others[0].shown_out.is_cancelled(), "where it does not matter whose");
        assert_eq!((here.load(Ordering::Relaxed), elsewhere.load(Ordering::Relaxed)), (4, 1));
    }
}
