//! A value that knows when it was touched, so that what is made of it is made again only then.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicU64, Ordering},
};

/// Given out once each, so that no two states of any values have the same stamp.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A value with a stamp that is another one after each access that could have changed it.
#[derive(Debug)]
pub struct Stamped<T> {
    value: T,
    stamp: u64,
}

impl<T> Stamped<T> {
    /// Of the state that the value is in.
    pub fn stamp(&self) -> u64 {
        self.stamp
    }
}

impl<T> From<T> for Stamped<T> {
    fn from(value: T) -> Self {
        Self { value, stamp: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
}

impl<T: Default> Default for Stamped<T> {
    fn default() -> Self {
        Self::from(T::default())
    }
}

impl<T> Deref for Stamped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Stamped<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.stamp = NEXT.fetch_add(1, Ordering::Relaxed);
        &mut self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_change_it_gives_another_stamp() {
        let mut numbers = Stamped::from(vec![1]);
        let before = numbers.stamp();
        assert_eq!((numbers.len(), numbers.stamp()), (1, before));
        numbers.push(2);
        assert_ne!(numbers.stamp(), before);
        assert_ne!(Stamped::from(vec![1]).stamp(), Stamped::from(vec![1]).stamp());
    }
}
