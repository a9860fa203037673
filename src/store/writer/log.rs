//! The write-ahead log: when its pages go into the file.
//!
//! To write them there and wait for the disk takes tens of milliseconds, in which nothing would be committed and nobody answered. So a thread
//! beside the writer does it while commits go on. What they add meanwhile, a little, the writer itself writes at the end: only where nothing
//! is left can the log begin anew, instead of growing.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use rusqlite::{Connection, Result};

use crate::store::connect;

/// Pages in the log after which they are written into the file, while work goes on.
const PAGES: i64 = 4_000;

/// So few the writer writes itself.
const REST: i64 = 400;

/// Pages after which the log is emptied altogether: a reader that stays long keeps it from being used again from its start.
const TOO_MANY: i64 = 20_000;

/// Where checkpoints are up to.
pub(super) struct Log {
    database: PathBuf,
    /// How far the log was when a checkpoint was tried last.
    tried_at: Extent,
    /// Made when there is something to do for it.
    aside: Option<Aside>,
    /// It was asked, and what it left has not been looked at.
    asked: bool,
}

impl Log {
    /// Nothing is done yet.
    pub(super) fn new(database: &Path) -> Self {
        Self { database: database.to_owned(), tried_at: Extent::default(), aside: None, asked: false }
    }

    /// After a batch. A failure is no harm: the pages are safe in the log, and it is tried again.
    pub(super) fn after_batch(&mut self, db: &Connection) -> Result<()> {
        if self.is_busy() {
            return Ok(());
        }
        let now = extent(db, "PRAGMA wal_checkpoint(NOOP)")?;
        if now.pages < self.tried_at.pages {
            // The log began anew.
            (self.tried_at, self.asked) = (Extent::default(), false);
        }
        if std::mem::take(&mut self.asked) {
            if now.pages - now.filled <= REST {
                return self.check_point(db);
            }
            // Where nothing was gained, a reader needs the file as it is.
            if now.filled > self.tried_at.filled && now.pages < TOO_MANY {
                return self.ask(db, now);
            }
            self.tried_at = now;
        }
        if now.pages - self.tried_at.pages < PAGES {
            return Ok(());
        }
        if now.pages >= TOO_MANY { self.empty(db) } else { self.ask(db, now) }
    }

    /// While nothing is to be stored.
    pub(super) fn at_rest(&mut self, db: &Connection) -> Result<()> {
        if self.is_busy() {
            return Ok(());
        }
        let now = extent(db, "PRAGMA wal_checkpoint(NOOP)")?;
        if now.pages == self.tried_at.pages { Ok(()) } else { self.ask(db, now) }
    }

    /// Writes the log's pages into the file, as far as no reader needs the file as it is.
    pub(super) fn check_point(&mut self, db: &Connection) -> Result<()> {
        self.tried_at = extent(db, "PRAGMA wal_checkpoint(PASSIVE)")?;
        Ok(())
    }

    /// As [`Log::check_point`], and makes the log empty where no reader is in the way; it does not wait for one.
    pub(super) fn empty(&mut self, db: &Connection) -> Result<()> {
        db.busy_timeout(Duration::ZERO)?;
        let now = extent(db, "PRAGMA wal_checkpoint(TRUNCATE)");
        db.busy_timeout(connect::PATIENCE)?;
        self.tried_at = now?;
        Ok(())
    }

    /// Waits until nobody writes beside the writer any more, for good.
    pub(super) fn end(&mut self) {
        self.aside = None;
    }

    fn is_busy(&self) -> bool {
        self.aside.as_ref().is_some_and(|aside| aside.busy.load(Ordering::Acquire))
    }

    /// Has the pages written beside the writer; where there can be no thread for it, by the writer.
    fn ask(&mut self, db: &Connection, now: Extent) -> Result<()> {
        if self.aside.is_none() {
            self.aside = Aside::start(&self.database);
        }
        let Some(aside) = &self.aside else { return self.check_point(db) };
        (self.tried_at, self.asked) = (now, aside.begin());
        Ok(())
    }
}

/// The thread beside the writer; dropping it waits for its end.
struct Aside {
    ask: Option<SyncSender<()>>,
    busy: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Aside {
    fn start(database: &Path) -> Option<Self> {
        // What becomes of the log when the file is closed is for the writer to say, who closes it last.
        let db = connect::writing(database).ok()?;
        let (ask, asked) = sync_channel(1);
        let busy = Arc::new(AtomicBool::new(false));
        let works = Arc::clone(&busy);
        let work = move || {
            while asked.recv().is_ok() {
                // A failure is no harm, and is told by whoever looks how far it came.
                extent(&db, "PRAGMA wal_checkpoint(PASSIVE)").ok();
                works.store(false, Ordering::Release);
            }
        };
        let thread = thread::Builder::new().name("store-log".into()).spawn(work).ok()?;
        Some(Self { ask: Some(ask), busy, thread: Some(thread) })
    }

    /// False where it has ended.
    fn begin(&self) -> bool {
        self.busy.store(true, Ordering::Release);
        let begun = self.ask.as_ref().is_some_and(|ask| ask.try_send(()).is_ok());
        if !begun {
            self.busy.store(false, Ordering::Release);
        }
        begun
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// How long the log is, and how much of it the file has.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    pages: i64,
    filled: i64,
}

/// Runs a checkpoint and says how far it came.
fn extent(db: &Connection, checkpoint: &str) -> Result<Extent> {
    db.prepare_cached(checkpoint)?.query_row([], |row| Ok(Extent { pages: row.get(1)?, filled: row.get(2)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log, its file, and what fills it.
    struct Bench {
        dir: tempfile::TempDir,
        db: Connection,
        log: Log,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("log.db");
            std::fs::write(&path, []).unwrap();
            let db = connect::writing(&path).unwrap();
            db.execute_batch("PRAGMA synchronous = OFF; CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)").unwrap();
            Self { log: Log::new(&path), dir, db }
        }

        /// A batch of some forty pages, and what follows a batch.
        fn batch(&mut self, n: i64) {
            let sql = "INSERT OR REPLACE INTO t(id, b) VALUES (?1, randomblob(160000))";
            self.db.execute(sql, [n % 50]).unwrap();
            self.log.after_batch(&self.db).unwrap();
        }

        fn extent(&self) -> Extent {
            extent(&self.db, "PRAGMA wal_checkpoint(NOOP)").unwrap()
        }

        /// Until what was asked for is done.
        fn wait(&self) {
            while self.log.is_busy() {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn the_log_begins_anew_while_batches_go_on() {
        let mut bench = Bench::new();
        let (mut before, mut anew) = (0, 0);
        for n in 0..2_000 {
            bench.batch(n);
            let now = bench.extent();
            assert!(now.pages < TOO_MANY, "{now:?}");
            anew += usize::from(now.pages < before);
            before = now.pages;
            // As slow as a disk, so that neither outruns the other.
            bench.wait();
        }
        assert!(anew >= 10, "{anew}");
        assert!(bench.log.aside.is_some(), "beside the writer");
    }

    #[test]
    fn a_reader_that_stays_holds_nothing_up() {
        let mut bench = Bench::new();
        bench.batch(0);
        let reader = connect::reading(&bench.dir.path().join("log.db")).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        let rows = |db: &Connection| db.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(rows(&reader), 1);
        for n in 0..600 {
            bench.batch(n);
        }
        bench.wait();
        assert!(bench.extent().pages > TOO_MANY, "{:?}", bench.extent());
        assert_eq!(rows(&reader), 1);
        reader.execute_batch("COMMIT").unwrap();
        for n in 600..800 {
            bench.batch(n);
            bench.wait();
        }
        assert!(bench.extent().pages < TOO_MANY, "{:?}", bench.extent());
        assert_eq!(rows(&reader), 50);
    }

    #[test]
    fn at_rest_all_of_it_is_in_the_file() {
        let mut bench = Bench::new();
        for n in 0..10 {
            bench.batch(n);
        }
        assert_eq!(bench.extent().filled, 0);
        bench.log.at_rest(&bench.db).unwrap();
        bench.wait();
        let Extent { pages, filled } = bench.extent();
        assert!(pages > 0 && filled == pages);
        // And nobody is asked again for nothing.
        bench.log.at_rest(&bench.db).unwrap();
        assert!(!bench.log.is_busy());
        bench.log.end();
        bench.log.empty(&bench.db).unwrap();
        assert_eq!(bench.extent().pages, 0);
    }
}
