//! The feed of facts: what each commit made true, for whoever subscribed.

use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

use crate::model::Fact;

/// One subscriber's end of the feed. It begins with the first commit after it was made.
///
/// Who lags too far behind hears [`Fact::Missed`] once and goes on with what is newest.
#[derive(Debug)]
pub struct Facts(broadcast::Receiver<Fact>);

impl Facts {
    pub(super) fn new(receiver: broadcast::Receiver<Fact>) -> Self {
        Self(receiver)
    }

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
        match self.0.recv().await {
            Ok(fact) => Some(fact),
            Err(RecvError::Lagged(_)) => Some(Fact::Missed),
            Err(RecvError::Closed) => None,
        }
    }

    /// As [`Facts::recv`], for a thread that may block. Not inside the runtime.
    pub fn wait(&mut self) -> Option<Fact> {
        match self.0.blocking_recv() {
            Ok(fact) => Some(fact),
            Err(RecvError::Lagged(_)) => Some(Fact::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}
