//! A map that knows which of its values were touched, so that what is made of them is made again only where it has to be.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicU64, Ordering},
};

/// Given out once each, so that no two ledgers and no two states of any of them are taken for each other.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Touches that are remembered one by one; who asks after more than that is told that anything may have changed.
const REMEMBERED: usize = 4_096;

/// A map with a mark that is another one after each access that could have changed it. [`Ledger::get_mut`] touches one value; every other way to
/// change it counts as having touched all of them.
#[derive(Debug)]
pub struct Ledger<K, V> {
    map: BTreeMap<K, V>,
    /// Which ledger this is.
    name: u64,
    /// Of the last touch.
    stamp: u64,
    /// No touch up to here is remembered.
    forgotten: u64,
    /// What was touched since, in order of time.
    touched: VecDeque<(u64, K)>,
}

/// A state that a ledger was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    name: u64,
    stamp: u64,
}

impl<K: Ord + Copy, V> Ledger<K, V> {
    /// Of the state that it is in.
    pub fn mark(&self) -> Mark {
        Mark { name: self.name, stamp: self.stamp }
    }

    /// A value that may be changed now. `None`, and nothing was touched, where there is none.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let value = self.map.get_mut(key)?;
        self.stamp = next();
        self.touched.push_back((self.stamp, *key));
        if self.touched.len() > REMEMBERED
            && let Some((stamp, _)) = self.touched.pop_front()
        {
            self.forgotten = stamp;
        }
        Some(value)
    }

    /// The keys of all that may have changed since it was in a state, some more than once; `None` where that may be anything.
    pub fn touched_since(&self, mark: Mark) -> Option<impl Iterator<Item = K>> {
        let known = mark.name == self.name && mark.stamp >= self.forgotten;
        let from = self.touched.partition_point(|(stamp, _)| *stamp <= mark.stamp);
        known.then(|| self.touched.range(from..).map(|(_, key)| *key))
    }
}

fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl<K, V> Default for Ledger<K, V> {
    fn default() -> Self {
        let name = next();
        Self { map: BTreeMap::new(), name, stamp: name, forgotten: name, touched: VecDeque::new() }
    }
}

impl<K, V> Deref for Ledger<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &BTreeMap<K, V> {
        &self.map
    }
}

impl<K, V> DerefMut for Ledger<K, V> {
    fn deref_mut(&mut self) -> &mut BTreeMap<K, V> {
        self.stamp = next();
        self.forgotten = self.stamp;
        self.touched.clear();
        &mut self.map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> Ledger<u32, u32> {
        let mut ledger = Ledger::default();
        ledger.extend([(1, 10), (2, 20), (3, 30)]);
        ledger
    }

    fn since(ledger: &Ledger<u32, u32>, mark: Mark) -> Option<Vec<u32>> {
        ledger.touched_since(mark).map(Iterator::collect)
    }

    #[test]
    fn only_what_may_change_it_gives_another_mark() {
        let mut ledger = numbers();
        let before = ledger.mark();
        assert_eq!((ledger.len(), ledger.get(&1), ledger.mark()), (3, Some(&10), before));
        assert_eq!(ledger.get_mut(&9), None);
        assert_eq!(ledger.mark(), before);
        *ledger.get_mut(&2).unwrap() += 1;
        assert_ne!(ledger.mark(), before);
        assert_ne!(numbers().mark(), ledger.mark());
    }

    #[test]
    fn it_names_what_was_touched_or_says_that_it_may_be_anything() {
        let mut ledger = numbers();
        let first = ledger.mark();
        assert_eq!(since(&ledger, first), Some(Vec::new()));
        ledger.get_mut(&3).unwrap();
        let second = ledger.mark();
        ledger.get_mut(&1).unwrap();
        assert_eq!(since(&ledger, first), Some(vec![3, 1]));
        assert_eq!(since(&ledger, second), Some(vec![1]));
        ledger.remove(&2);
        assert_eq!((since(&ledger, second), since(&ledger, ledger.mark())), (None, Some(Vec::new())));
        assert_eq!(since(&ledger, numbers().mark()), None, "of another ledger nothing is known");
        let mark = ledger.mark();
        for _ in 0..=REMEMBERED {
            *ledger.get_mut(&1).unwrap() += 1;
        }
        assert_eq!(since(&ledger, mark), None, "no more is remembered than there is room for");
    }
}
