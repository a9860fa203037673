//! How many connections come from where: one address must not take the room of all others.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Bits of an IPv6 address that name a customer; the others he chooses himself.
const CUSTOMER_BITS: u32 = 64;

/// The connections of one receiver, by where they come from.
#[derive(Debug)]
pub(super) struct Crowd {
    most: usize,
    /// No longer than there are connections.
    from: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of one connection; dropping it leaves.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    from: IpAddr,
}

impl Crowd {
    /// At most so many from one address.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, from: Mutex::default() })
    }

    /// `None` where as many came from there as may.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let from = customer(peer);
        let mut crowd = self.lock();
        let count = crowd.entry(from).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { crowd: Arc::clone(self), from })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // No holder can panic half-way through a change.
        self.from.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut crowd = self.crowd.lock();
        match crowd.get_mut(&self.from) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(crowd.remove(&self.from)),
        }
    }
}

fn customer(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> CUSTOMER_BITS << CUSTOMER_BITS).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_its_bound_and_others_have_theirs() {
        let crowd = Crowd::new(2);
        let enter = |text: &str| crowd.enter(text.parse().expect("an address"));
        let (first, second) = (enter("10.0.0.1"), enter("::ffff:10.0.0.1"));
        assert!(first.is_some() && second.is_some() && enter("10.0.0.1").is_none(), "both forms are one address");
        assert!(enter("10.0.0.2").is_some(), "another is not to blame");
        drop(first);
        let again = enter("10.0.0.1");
        assert!(again.is_some());
        let six = [enter("2001:db8::1"), enter("2001:db8::2")];
        assert!(
            six.iter().all(Option::is_some) && enter("2001:db8::3").is_none() && enter("2001:db8:0:1::1").is_some()
        );
        drop((second, again, six));
        assert!(crowd.lock().is_empty(), "nothing stays behind");
    }
}
