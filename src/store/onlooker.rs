//! The thread of a store that only looks on: it notices that another process wrote.

use std::{path::Path, sync::Arc, thread, time::Duration};

use rusqlite::Connection;

use super::{
    Error, Wake, connect,
    facts::Publisher,
    queue::{Queue, Taken},
};
use crate::model::Fact;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(500);

/// Looks on until it is dropped.
pub(super) struct Onlooker {
    /// Nothing is ever pushed: it is there to be closed.
    end: Arc<Queue<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Onlooker {
    pub(super) fn start(database: &Path, facts: Publisher, wake: Option<Wake>) -> Result<Self, Error> {
        let db = connect::reading(database)?;
        let end = Arc::new(Queue::new(0));
        let looks = Arc::clone(&end);
        let mut seen = data_version(&db).ok();
        let thread = thread::Builder::new()
            .name("store-onlooker".into())
            .spawn(move || {
                while looks.take(EVERY, |()| true) != Taken::Closed {
                    let now = data_version(&db).ok();
                    if now.is_some() && now != seen {
                        seen = now;
                        facts.publish(Fact::Missed);
                        if let Some(wake) = &wake {
                            wake();
                        }
                    }
                }
            })
            .map_err(|e| Error::open(database, e))?;
        Ok(Self { end, thread: Some(thread) })
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        self.end.close();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// A number that changes when another connection commits.
pub(super) fn data_version(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
