//! A queue between threads: many push, a thread takes what has gathered.
//!
//! Not one of tokio's channels, because the writer wants everything that is there in one go, and must wake up by itself now and then. What nobody
//! waits for wakes nobody: it is taken along.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Items that may wait to be taken along.
const MOST_QUIET: usize = 16_384;

/// A queue with a bound and an end.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// Taken along with others, or where nothing else comes.
    quiet: VecDeque<T>,
    closed: bool,
    /// Threads asleep in [`Queue::take`]: waking nobody would cost a system call a push.
    asleep: usize,
}

/// Why a push was refused; gives the item back.
#[derive(Debug)]
pub(super) enum Refused<T> {
    Closed(T),
    Full(T),
}

/// What [`Queue::take`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<T> {
    /// At least one item, in the order they were pushed.
    Items(Vec<T>),
    /// Nothing came in time.
    Nothing,
    /// Closed, and everything was taken.
    Closed,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::new(), quiet: VecDeque::new(), closed: false, asleep: 0 };
        Self { state: Mutex::new(state), ready: Condvar::new(), capacity }
    }

    pub(super) fn push(&self, item: T) -> Result<(), Refused<T>> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed(item));
        }
        if state.items.len() >= self.capacity {
            return Err(Refused::Full(item));
        }
        state.items.push_back(item);
        if state.asleep > 0 {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// As [`Queue::push`], but nobody is woken, and the bound is its own.
    pub(super) fn push_quietly(&self, item: T) -> Result<(), Refused<T>> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed(item));
        }
        if state.quiet.len() >= MOST_QUIET {
            return Err(Refused::Full(item));
        }
        state.quiet.push_back(item);
        Ok(())
    }

    /// Takes the first item and those behind it as long as `fits` says so; waits up to `patience` for the first.
    pub(super) fn take(&self, patience: Duration, mut fits: impl FnMut(&T) -> bool) -> Taken<T> {
        let mut state = self.lock();
        while state.items.is_empty() && !state.closed {
            state.asleep += 1;
            let (awake, slept) = self.ready.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
            state = awake;
            state.asleep -= 1;
            if slept.timed_out() {
                break;
            }
        }
        let State { items, quiet, closed, .. } = &mut *state;
        let mut taken = Vec::new();
        for from in [items, quiet] {
            let fitting = from.iter().take_while(|item| fits(item)).count();
            // Always one.
            let fitting = if taken.is_empty() { fitting.max(1).min(from.len()) } else { fitting };
            taken.extend(from.drain(..fitting));
        }
        match (taken.is_empty(), closed) {
            (false, _) => Taken::Items(taken),
            (true, false) => Taken::Nothing,
            (true, true) => Taken::Closed,
        }
    }

    /// No more pushes; what is queued can still be taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    pub(super) fn len(&self) -> usize {
        self.lock().items.len()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing between lock and unlock can panic half-way, so a poisoned queue is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn takes_what_fits_and_always_one() {
        let queue = Queue::new(10);
        for size in [5, 3, 9, 1] {
            queue.push(size).unwrap();
        }
        let mut room = 8;
        let taken = queue.take(AT_ONCE, |size| {
            room -= size;
            room >= 0
        });
        assert_eq!(taken, Taken::Items(vec![5, 3]));
        assert_eq!(queue.take(AT_ONCE, |_| false), Taken::Items(vec![9]));
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Items(vec![1]));
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Nothing);
    }

    #[test]
    fn a_closed_queue_is_emptied_first() {
        let queue = Queue::new(1);
        queue.push('a').unwrap();
        assert!(matches!(queue.push('b'), Err(Refused::Full('b'))));
        queue.close();
        assert!(matches!(queue.push('b'), Err(Refused::Closed('b'))));
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Items(vec!['a']));
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Closed);
    }

    #[test]
    fn what_is_quiet_is_taken_along_or_where_nothing_else_comes() {
        let queue = Queue::new(1);
        queue.push_quietly('q').unwrap();
        queue.push('a').unwrap();
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Items(vec!['a', 'q']));
        queue.push_quietly('r').unwrap();
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Items(vec!['r']));
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Nothing);
        queue.push_quietly('s').unwrap();
        queue.push('b').unwrap();
        assert_eq!(queue.take(AT_ONCE, |item| *item == 'b'), Taken::Items(vec!['b']));
        queue.close();
        assert!(matches!(queue.push_quietly('t'), Err(Refused::Closed('t'))));
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Items(vec!['s']));
        assert_eq!(queue.take(AT_ONCE, |_| true), Taken::Closed);
        let queue = Queue::new(0);
        (0..MOST_QUIET).for_each(|n| queue.push_quietly(n).unwrap());
        assert!(matches!(queue.push_quietly(0), Err(Refused::Full(0))));
    }
}
