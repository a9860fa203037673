//! Questions to the store: threads with read-only connections of their own, beside the writer.

use std::{
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use rusqlite::{Connection, InterruptHandle};

use super::{
    Error, Pending, connect,
    damage::Damage,
    queue::{Queue, Refused, Taken},
};

/// Questions that may wait; the window asks a handful a frame at most.
const WAITING: usize = 1024;

/// Threads for short questions: one that is slow does not hold up the next.
const QUICK_THREADS: usize = 2;

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// Asks the store. Cheap to clone; every clone asks the same threads.
#[derive(Clone)]
pub struct Reader {
    quick: Arc<Queue<Question>>,
    long: Arc<Queue<Question>>,
    damage: Damage,
}

impl Reader {
    /// Runs a short query, as soon as a thread is free. Dropping the answer cancels a query that has not begun.
    pub fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Pending<T> {
        self.ask(&self.quick, query)
    }

    /// As [`Reader::read`] for what may take seconds (an export): it has a thread of its own, so the window's questions do not wait for it.
    pub fn read_long<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Pending<T> {
        self.ask(&self.long, query)
    }

    fn ask<T: Send + 'static>(
        &self,
        queue: &Queue<Question>,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Pending<T> {
        let (answer, pending) = Pending::pair();
        let damage = self.damage.clone();
        let question: Question = Box::new(move |db| {
            if !answer.cancelled() {
                answer.give(query(db).map_err(|error| {
                    damage.hear(&error);
                    Error::from(error)
                }));
            }
        });
        match queue.push(question) {
            // A question that is dropped answers `Closed` by itself.
            Ok(()) | Err(Refused::Closed(_)) => pending,
            Err(Refused::Full(_)) => {
                let (answer, pending) = Pending::pair();
                answer.give(Err(Error::Busy));
                pending
            }
        }
    }
}

/// The threads behind a [`Reader`].
pub(super) struct Readers {
    reader: Reader,
    threads: Vec<thread::JoinHandle<()>>,
    interrupts: Vec<InterruptHandle>,
}

impl Readers {
    pub(super) fn start(database: &Path, damage: &Damage) -> Result<Self, Error> {
        let lane = || Arc::new(Queue::new(WAITING));
        let reader = Reader { quick: lane(), long: lane(), damage: damage.clone() };
        let mut readers = Self { reader: reader.clone(), threads: Vec::new(), interrupts: Vec::new() };
        let lanes = std::iter::repeat_n(&reader.quick, QUICK_THREADS).chain([&reader.long]);
        for queue in lanes {
            let db = connect::reading(database)?;
            readers.interrupts.push(db.get_interrupt_handle());
            let queue = Arc::clone(queue);
            let thread = thread::Builder::new()
                .name("store-reader".into())
                .spawn(move || answer_all(&db, &queue))
                .map_err(|e| Error::open(database, e))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    pub(super) fn reader(&self) -> Reader {
        self.reader.clone()
    }
}

impl Drop for Readers {
    /// Breaks off what is being read, and waits for the threads.
    fn drop(&mut self) {
        for queue in [&self.reader.quick, &self.reader.long] {
            queue.close();
            drop(queue.take(Duration::ZERO, |_| true));
        }
        for interrupt in &self.interrupts {
            interrupt.interrupt();
        }
        for thread in self.threads.drain(..) {
            // A panic of a question was told already, by the thread that had it.
            thread.join().ok();
        }
    }
}

fn answer_all(db: &Connection, queue: &Queue<Question>) {
    loop {
        // One at a time: the other thread may take the next.
        let mut first = true;
        match queue.take(Duration::from_hours(1), |_| std::mem::take(&mut first)) {
            // A panic is one question without an answer, not all that follow.
            Taken::Items(questions) => questions.into_iter().for_each(|question| {
                panic::catch_unwind(AssertUnwindSafe(|| question(db))).ok();
            }),
            Taken::Nothing => {}
            Taken::Closed => return,
        }
    }
}
