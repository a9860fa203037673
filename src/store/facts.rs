//! The feed of facts: what each commit made true, for whoever subscribed.

use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

use crate::model::Fact;

/// Batches that a subscriber may lag behind. A batch has bounds too (`writer::thread`), so this bounds the memory that a window which draws
/// nothing can cost.
const LAG: usize = 32;

/// One subscriber's end of the feed. It begins with the first commit after it was made.
///
/// Who lags too far behind hears [`Fact::Missed`] once and goes on with what is newest.
#[derive(Debug)]
pub struct Facts(broadcast::Receiver<Fact>);

impl Facts {
    /// The next fact, if there is one; never waits.
    #[expect(clippy::should_implement_trait, reason = "None means nothing now, not the end")]
    pub fn next(&mut self) -> Option<Fact> {
        match self.0.try_recv() {
            Ok(fact) => Some(fact),
            Err(TryRecvError::Lagged(_)) => Some(Fact::Missed),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }

    /// The next fact, once there is one. `None`: the store is closed.
    pub async fn recv(&mut self) -> Option<Fact> {
        heard(self.0.recv().await)
    }

    /// As [`Facts::recv`], for a thread that may block. Not inside the runtime.
    pub fn wait(&mut self) -> Option<Fact> {
        heard(self.0.blocking_recv())
    }
}

fn heard(fact: Result<Fact, RecvError>) -> Option<Fact> {
    match fact {
        Ok(fact) => Some(fact),
        Err(RecvError::Lagged(_)) => Some(Fact::Missed),
        Err(RecvError::Closed) => None,
    }
}

/// The end that the store speaks into.
#[derive(Debug, Clone)]
pub(super) struct Publisher(broadcast::Sender<Fact>);

impl Publisher {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(LAG))
    }

    pub(super) fn subscribe(&self) -> Facts {
        Facts(self.0.subscribe())
    }

    /// Whether anybody listens: if not, no fact need be put together.
    pub(super) fn heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(super) fn publish(&self, fact: Fact) {
        // An error says that nobody listens.
        self.0.send(fact).ok();
    }
}
