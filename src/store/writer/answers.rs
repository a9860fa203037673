//! Who tells the askers what became of their writes.
//!
//! The writer's thread can. But waking a task from a thread outside its runtime costs a system call, most of the time, and there are thousands a
//! second; so a task of that runtime takes over where there is one, a batch at a time.

use std::sync::OnceLock;

use tokio::sync::mpsc::{self, error::TrySendError};

use super::Write;

/// Batches that may wait for the task; beyond, the thread answers itself.
const BATCHES: usize = 16;

/// Answers given without letting other tasks have their turn.
const AT_ONCE: usize = 128;

/// The writes of a batch, committed or not, on their way to [`Answers::take_over`].
#[derive(Default)]
pub(in crate::store) struct Answers(OnceLock<mpsc::Sender<Vec<Write>>>);

impl Answers {
    /// The transaction is committed: says what came of each.
    pub(super) fn give(&self, writes: Vec<Write>) {
        let left = match self.0.get() {
            Some(task) => match task.try_send(writes) {
                Ok(()) => return,
                // It is behind, or its runtime has ended before the store.
                Err(TrySendError::Full(writes) | TrySendError::Closed(writes)) => writes,
            },
            None => writes,
        };
        left.into_iter().for_each(Write::answer);
    }

    /// Gives answers from now on, for as long as the store is open. The first call counts.
    pub(in crate::store) fn take_over(&self) -> impl Future<Output = ()> + Send + use<> {
        let (task, mut batches) = mpsc::channel::<Vec<Write>>(BATCHES);
        let first = self.0.set(task).is_ok();
        async move {
            while first && let Some(batch) = batches.recv().await {
                let mut given = 0;
                for write in batch {
                    write.answer();
                    given += 1;
                    if given % AT_ONCE == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }
}
