//! Who is connected to one receiver, and who goes first when it is full: strangers, of the address that has most of them.
//!
//! There is no fixed number for one address: a whole fleet may come from one, behind the gateway of its carrier. But an address whose connections
//! say nothing of use cannot keep the others out: they make room as soon as somebody else wants it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

/// The connections of one receiver that have not said anything of use.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    strangers: Mutex<HashMap<u64, Stranger>>,
    /// Numbers connections as they come.
    next: AtomicU64,
    shown_out: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Stranger {
    peer: IpAddr,
    shown_out: CancellationToken,
}

/// One connection's part in it; it leaves with this.
#[derive(Debug)]
pub(super) struct Guest {
    crowd: Arc<Crowd>,
    number: u64,
    shown_out: CancellationToken,
}

impl Crowd {
    /// `shown_out` counts those that had to make room.
    pub(super) fn new(shown_out: &Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self { shown_out: Arc::clone(shown_out), ..Self::default() })
    }

    /// A connection from `peer`, a stranger as yet.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Guest {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let shown_out = CancellationToken::new();
        self.strangers().insert(number, Stranger { peer, shown_out: shown_out.clone() });
        Guest { crowd: Arc::clone(self), number, shown_out }
    }

    /// Shows the oldest stranger of the address with the most strangers to the door. False where everybody is known.
    pub(super) fn make_room(&self) -> bool {
        let mut strangers = self.strangers();
        let mut of_address: HashMap<IpAddr, (usize, u64)> = HashMap::new();
        for (&number, stranger) in &*strangers {
            let (count, oldest) = of_address.entry(stranger.peer).or_insert((0, number));
            *count += 1;
            *oldest = number.min(*oldest);
        }
        let most = of_address.into_values().max_by_key(|&(count, oldest)| (count, std::cmp::Reverse(oldest)));
        let Some(stranger) = most.and_then(|(_, oldest)| strangers.remove(&oldest)) else { return false };
        stranger.shown_out.cancel();
        if self.shown_out.fetch_add(1, Ordering::Relaxed) == 0 {
            // Once: it may go on for hours, and the receiver's line counts.
            tracing::warn!(peer = %stranger.peer, "all places are taken; connections that say nothing of use make room");
        }
        true
    }

    fn strangers(&self) -> MutexGuard<'_, HashMap<u64, Stranger>> {
        // Nothing that is done under this lock leaves half a thought behind.
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// It said something of use: from now on nobody takes its place.
    pub(super) fn is_known(&self) {
        self.crowd.strangers().remove(&self.number);
    }

    /// Waits until it has to make room.
    pub(super) async fn shown_out(&self) {
        self.shown_out.cancelled().await;
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
        let count = Arc::default();
        let crowd = Crowd::new(&count);
        let (one, many) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let alone = crowd.enter(one);
        let guests: Vec<_> = (0..4).map(|_| crowd.enter(many)).collect();
        guests[0].is_known();
        let out = || guests.iter().map(|g| g.shown_out.is_cancelled()).collect::<Vec<_>>();
        assert!(crowd.make_room());
        assert_eq!(out(), [false, true, false, false]);
        drop(crowd.enter(many));
        assert!(crowd.make_room() && crowd.make_room() && crowd.make_room());
        assert_eq!((out(), alone.shown_out.is_cancelled()), (vec![false, true, true, true], true));
        assert!(!crowd.make_room(), "the rest is known");
        assert_eq!(count.load(Ordering::Relaxed), 4);
    }
}
