//! An answer that is on its way from another thread, for a thread that must not wait.

use tokio::sync::oneshot;

use super::Error;

/// An answer on its way. Dropping it cancels the question where it has not begun.
#[derive(Debug)]
#[must_use = "dropping a Pending cancels the question"]
pub struct Pending<T>(oneshot::Receiver<Result<T, Error>>);

/// The other end of a [`Pending`].
#[derive(Debug)]
pub struct Answer<T>(oneshot::Sender<Result<T, Error>>);

impl<T> Pending<T> {
    /// Both ends.
    pub fn pair() -> (Answer<T>, Self) {
        let (tx, rx) = oneshot::channel();
        (Answer(tx), Self(rx))
    }

    /// The answer, once, if it is there; never waits.
    pub fn poll(&mut self) -> Option<Result<T, Error>> {
        match self.0.try_recv() {
            Ok(answer) => Some(answer),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(Error::Closed)),
        }
    }

    /// Waits for the answer, inside the runtime.
    pub async fn answered(self) -> Result<T, Error> {
        self.0.await.unwrap_or(Err(Error::Closed))
    }

    /// Waits for the answer. For command lines and tests, not for the window and not inside the runtime.
    pub fn wait(self) -> Result<T, Error> {
        self.0.blocking_recv().unwrap_or(Err(Error::Closed))
    }
}

impl<T> Answer<T> {
    /// Answers; nobody may be listening any more.
    pub fn give(self, answer: Result<T, Error>) {
        self.0.send(answer).ok();
    }

    /// True when the question was dropped.
    pub fn cancelled(&self) -> bool {
        self.0.is_closed()
    }
}
