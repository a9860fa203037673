//! Peers that sleep while they are answered.
//!
//! A peer that waits for an answer is woken by it, and the system charges whoever sent it for that: several microseconds, as much as a fix costs
//! otherwise. Real peers are on other machines. Here they are not, and whether one sleeps by the time its answer comes depends on how fast the
//! program is and on how much this thread has to do between, not on what is compared. So nobody waits: all of a wave send, this thread sleeps by
//! the clock, and then it reads what has come.

use std::{thread, time::Duration};

/// After that time most answers are there.
const DUE: Duration = Duration::from_millis(3);

/// Sleeps until all of a wave are answered. `is_answered` reads what has come for one of them, without waiting, and says whether that is all.
pub(crate) async fn answered<T>(mut waiting: Vec<&mut T>, mut is_answered: impl FnMut(&mut T) -> bool) {
    while !waiting.is_empty() {
        // The thread itself: a task that sleeps would wait for sockets meanwhile.
        thread::sleep(DUE);
        // So the runtime looks once which of them have something.
        tokio::task::yield_now().await;
        waiting.retain_mut(|one| !is_answered(one));
    }
}
