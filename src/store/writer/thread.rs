//! The writer's thread: takes what is queued, commits it, answers, tells.

mod space;
mod upkeep;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Result};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::upkeep::Upkeep;
use super::{
    Answers, Inlet, Write,
    batch::{Batch, Ground},
    devices::Devices,
    log::Log,
    quarantine::Quarantine,
    rederive::Reread,
    retention::Kept,
};
use crate::model::{Clock, Committed, Fact, Keep, PhoneBook, Policy};
use crate::store::{
    Error, Health, Limits, Repaired, Wake, connect, damage::Damage, error::blames_the_row, facts::Publisher,
    health::Lately, onlooker::data_version, pace::Pace, place, queue::Taken, tally::Tally, watch::Commits,
};

/// Bounds of one batch. Larger ones are hardly faster, and everyone in a batch waits for all of it.
const BATCH_ROWS: usize = 4096;
const BATCH_BYTES: u64 = 8 << 20;

/// How often an idle writer looks whether another process wrote; also how often sizes are looked up.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long it rests where there is something left to tidy up.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Trouble is over when so long nothing has failed: on a full disk some small writes still succeed between those that fail.
const CALM: Duration = Duration::from_secs(3);

/// What the thread has in common with the store's handles.
pub(in crate::store) struct Shared {
    pub(in crate::store) inlet: Arc<Inlet>,
    pub(in crate::store) facts: Publisher,
    pub(in crate::store) answers: Answers,
    /// What was set up for phones, after the last commit.
    pub(in crate::store) phones: watch::Sender<Arc<PhoneBook>>,
    /// Told when a history is due to be found again.
    pub(in crate::store) due: tokio::sync::Notify,
    /// Counts the commits that may have changed what waits to be sent.
    pub(in crate::store) commands: watch::Sender<u64>,
    /// Counts commits, and those of them that may have changed what is watched for.
    pub(in crate::store) watch: watch::Sender<Commits>,
    /// The number of the newest command.
    pub(in crate::store) last_command: AtomicI64,
    /// The thread is gone.
    pub(in crate::store) ended: CancellationToken,
    policy: Mutex<Policy>,
    keep: Mutex<Keep>,
    /// Somebody wants the file as small as it can be.
    pub(in crate::store) compacting: AtomicBool,
    pub(in crate::store) damage: Damage,
    health: Mutex<Health>,
    pace: Mutex<Pace>,
    pub(super) opened: Instant,
}

impl Shared {
    pub(in crate::store) fn new(database: &Path, limits: &Limits, policy: Policy, clock: &Clock) -> Self {
        Self {
            inlet: Arc::new(Inlet::new(limits.queue_bytes, Arc::new(Tally::new(Arc::clone(clock))))),
            facts: Publisher::new(),
            answers: Answers::default(),
            phones: watch::Sender::default(),
            due: tokio::sync::Notify::new(),
            commands: watch::Sender::new(0),
            watch: watch::Sender::default(),
            last_command: AtomicI64::new(0),
            ended: CancellationToken::new(),
            policy: Mutex::new(policy),
            keep: Mutex::new(limits.keep),
            compacting: AtomicBool::new(false),
            damage: Damage::of(database),
            health: Mutex::default(),
            pace: Mutex::default(),
            opened: Instant::now(),
        }
    }

    pub(in crate::store) fn policy(&self) -> MutexGuard<'_, Policy> {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::store) fn keep(&self) -> MutexGuard<'_, Keep> {
        self.keep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What became of the file when it was opened.
    pub(in crate::store) fn repaired(&self, repaired: Repaired) {
        self.note().repaired = Some(repaired);
    }

    /// How the writer fares, with the queue as it is now.
    pub(in crate::store) fn health(&self) -> Health {
        let mut health = self.note().clone();
        health.compacting = self.compacting.load(Ordering::Relaxed);
        if let Some(Error::Damaged(why)) = self.damage.noticed() {
            health.damaged = Some(why);
        }
        health.queue_depth = self.inlet.queue.len();
        health.queue_bound = self.inlet.bytes as usize;
        health.queue_bytes = health.queue_bound.saturating_sub(self.inlet.room.available_permits());
        health
    }

    pub(in crate::store) fn lately(&self) -> Lately {
        let (pace, now_s) = (self.pace(), self.opened.elapsed().as_secs());
        let (packets_by_second, positions_by_second) = pace.rates(now_s);
        let counted = self.inlet.tally.all();
        Lately { commits: pace.commits(now_s), packets_by_second, positions_by_second, counted }
    }

    pub(in crate::store) fn error(&self) -> Option<Error> {
        self.note().error.clone()
    }

    pub(super) fn pace(&self) -> MutexGuard<'_, Pace> {
        // Nothing that is done under this lock can panic half-way.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread must be told at its start.
pub(in crate::store) struct Start {
    pub(in crate::store) database: PathBuf,
    pub(in crate::store) db: Connection,
    pub(in crate::store) shared: Arc<Shared>,
    pub(in crate::store) clock: Clock,
    pub(in crate::store) wake: Option<Wake>,
    pub(in crate::store) limits: Limits,
    /// False beside the instance that receives: then quarantine and log are that one's business.
    pub(in crate::store) receives: bool,
}

/// The running thread; dropping it commits what is queued and waits for its end.
pub(in crate::store) struct WriterThread {
    inlet: Arc<Inlet>,
    thread: Option<thread::JoinHandle<()>>,
}

impl WriterThread {
    pub(in crate::store) fn start(start: Start) -> std::result::Result<Self, Error> {
        let Start { database, db, shared, clock, wake, limits, receives } = start;
        let (inlet, log) = (Arc::clone(&shared.inlet), Log::new(&database));
        let mut desk = Desk {
            database,
            db,
            shared,
            clock,
            wake,
            limits,
            receives,
            devices: Devices::default(),
            quarantine: Quarantine::default(),
            kept: Kept::default(),
            upkeep: Upkeep::new(),
            last_packet: 0,
            data_version: 0,
            stale: true,
            missed: false,
            log,
            failed_at: None,
            sizes_at: None,
            tallied_at: Instant::now(),
            known_at: Instant::now(),
        };
        let begun = desk.transact(|_| Ok(()));
        let ((), told) = begun.map_err(|error| connect::refusal(&desk.database, &error))?;
        desk.shared.inlet.tally.load(&desk.db)?;
        connect::trusted(&desk.db);
        desk.publish(told);
        desk.upkeep.shrinks = space::shrinks(&desk.db);
        // Nobody can have read anything before this.
        desk.missed = false;
        desk.note_sizes();
        let path = desk.database.clone();
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || desk.work())
            .map_err(|e| Error::open(&path, e))?;
        Ok(Self { inlet, thread: Some(thread) })
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.inlet.close();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Where the thread works. Its memory equals the file between batches, unless it is stale.
pub(super) struct Desk {
    database: PathBuf,
    db: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    wake: Option<Wake>,
    limits: Limits,
    pub(super) receives: bool,
    devices: Devices,
    quarantine: Quarantine,
    kept: Kept,
    upkeep: Upkeep,
    last_packet: i64,
    /// Changes when another connection commits.
    data_version: i64,
    /// A batch failed half-way: what is in memory may not be in the file.
    stale: bool,
    /// Subscribers must read again.
    missed: bool,
    log: Log,
    /// When a batch failed last; `None` once that is over.
    pub(super) failed_at: Option<Instant>,
    sizes_at: Option<Instant>,
    /// When the tally was written down last.
    pub(super) tallied_at: Instant,
    /// When the rows of `latest` were brought up to date last.
    known_at: Instant,
}

/// What a transaction did.
pub(super) struct Told {
    facts: Option<Committed>,
    /// What was set up for phones, where that changed.
    phones: Option<PhoneBook>,
    /// What waits to be sent may have changed.
    commands: bool,
    /// What is watched for may have changed.
    watch: bool,
    packets: u64,
    positions: u64,
    wrote: bool,
    reread: Reread,
}

/// Ends the queue together with the thread, also by a panic: nobody waits for an answer that cannot come.
struct Ends(Arc<Shared>, Option<Wake>);

impl Drop for Ends {
    fn drop(&mut self) {
        let Self(shared, wake) = self;
        if thread::panicking() {
            shared.note().error = Some(Error::Died);
        }
        shared.inlet.close();
        while let Taken::Items(writes) = shared.inlet.queue.take(Duration::ZERO, |_| true) {
            drop(writes);
        }
        shared.ended.cancel();
        if let Some(wake) = wake {
            wake();
        }
    }
}

impl Desk {
    fn work(mut self) {
        let _ends = Ends(Arc::clone(&self.shared), self.wake.clone());
        loop {
            let (mut rows, mut bytes) = (0, 0);
            let patience = if self.upkeep.behind { AT_ONCE } else { LOOK_EVERY };
            let taken = self.shared.inlet.queue.take(patience, |write| {
                rows += 1;
                bytes += u64::from(write.cost());
                rows <= BATCH_ROWS && bytes <= BATCH_BYTES
            });
            match taken {
                Taken::Items(writes) => self.batch(writes),
                Taken::Nothing => self.idle(),
                Taken::Closed => break,
            }
        }
        self.log.end();
        if self.shared.damage.noticed().is_some() {
            // It stays as it is, its log beside it.
            connect::doubted(&self.db);
        } else if self.receives {
            self.count_kept();
            self.know_all();
            self.write_tally();
            self.log.empty(&self.db).ok();
        }
        self.note_sizes();
    }

    fn batch(&mut self, mut writes: Vec<Write>) {
        if let Some(error) = self.shared.damage.noticed() {
            return self.refuse(writes, &error);
        }
        let began = Instant::now();
        let rows = writes.len();
        let outcome = match self.transact(|batch| all(batch, &mut writes)) {
            Err(error) if writes.len() > 1 && blames_the_row(&error) => {
                self.transact(|batch| one_by_one(batch, &mut writes))
            }
            outcome => outcome,
        };
        let room: usize = writes.iter().map(|write| write.cost() as usize).sum();
        let took = began.elapsed();
        match outcome {
            Ok(((), mut told)) => {
                // Before the answers: whoever set a password must not be met by the book without it.
                self.show_phones(&mut told);
                {
                    let shared = Arc::clone(&self.shared);
                    let mut health = shared.note();
                    self.note_bounds(&mut health);
                    health.last_commit = Some(took);
                    health.packets_written += told.packets;
                    health.positions_written += told.positions;
                }
                let received = writes.iter().filter(|write| write.received()).count();
                self.keep_pace(received, told.positions, took);
                self.succeeded();
                self.shared.inlet.room.add_permits(room);
                self.shared.answers.give(writes);
                self.publish(told);
            }
            Err(error) => {
                let error = Error::from(error);
                self.failed(&error);
                self.shared.inlet.room.add_permits(room);
                for write in writes {
                    write.fail(error.clone());
                }
                if matches!(error, Error::Full) {
                    // The log's pages may still fit where they belong, and then the log can be used again from its start.
                    self.log.check_point(&self.db).ok();
                }
            }
        }
        if self.receives {
            self.log.after_batch(&self.db).ok();
            self.tidy(rows);
        }
        if self.sizes_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.note_sizes();
            self.tally_now_and_then();
        }
        self.shared.inlet.tally.stir();
    }

    /// Says why nothing is stored; once, for while it lasts every batch fails.
    fn failed(&mut self, error: &Error) {
        self.keep_failure(error);
        self.failed_at = Some(Instant::now());
        let before = self.shared.note().error.replace(error.clone());
        if before.is_none_or(|before| before.to_string() != error.to_string()) {
            tracing::error!(%error, "packets are not stored, so they are not answered");
            self.wake_up();
        }
    }

    /// Says that all is well again, once it has been for a while.
    fn succeeded(&mut self) {
        if self.failed_at.is_some_and(|at| at.elapsed() >= CALM) {
            self.failed_at = None;
            self.shared.note().error = None;
            tracing::warn!("packets are stored again");
            self.shared.inlet.tally.stir();
            self.wake_up();
        }
    }

    /// Tries whether anything can be stored again, where nobody else does.
    fn probe(&mut self) {
        let sql = "INSERT OR REPLACE INTO counters(name, value) VALUES ('probes', 0)";
        match self.transact(|batch| batch.db.execute(sql, [])) {
            Ok((_, told)) => {
                self.publish(told);
                self.succeeded();
            }
            Err(error) => self.failed(&error.into()),
        }
    }

    /// Writes nothing, and says why.
    fn refuse(&mut self, writes: Vec<Write>, error: &Error) {
        let room: usize = writes.iter().map(|write| write.cost() as usize).sum();
        self.keep_failure(error);
        self.failed_at = Some(Instant::now());
        self.shared.note().error = Some(error.clone());
        self.shared.inlet.room.add_permits(room);
        for write in writes {
            write.fail(error.clone());
        }
    }

    fn idle(&mut self) {
        if self.shared.damage.noticed().is_some() {
            return;
        }
        if self.receives && self.failed_at.is_some() {
            self.probe();
        }
        let looked = data_version(&self.db);
        if self.stale || looked.is_ok_and(|version| version != self.data_version) {
            // Another process wrote, a decision perhaps: a transaction begins by reading anew.
            if let Ok(((), told)) = self.transact(|_| Ok(())) {
                self.publish(told);
            }
        }
        if self.receives {
            self.tidy(0);
            self.log.at_rest(&self.db).ok();
        }
        self.tally_now_and_then();
        self.note_sizes();
    }

    /// Whoever shows how we fare looks again.
    fn wake_up(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }

    /// Does `work` in one transaction, on memory that equals the file.
    pub(super) fn transact<T>(&mut self, work: impl FnOnce(&mut Batch<'_>) -> Result<T>) -> Result<(T, Told)> {
        let outcome = self.in_transaction(work);
        if let Err(error) = &outcome {
            self.shared.damage.hear(error);
        }
        outcome
    }

    fn in_transaction<T>(&mut self, work: impl FnOnce(&mut Batch<'_>) -> Result<T>) -> Result<(T, Told)> {
        if self.shared.inlet.hurries() {
            self.db.busy_timeout(connect::HURRY)?;
        }
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let outcome = self.within(work).and_then(|done| {
            self.db.prepare_cached("COMMIT")?.execute([])?;
            Ok(done)
        });
        if let Ok((_, told)) = &outcome {
            // Before anybody hears that a profile is stored.
            if told.reread.profiles {
                self.shared.inlet.profiles_changed();
            }
            if told.reread.due {
                self.shared.due.notify_one();
            }
        }
        if outcome.is_err() {
            self.stale = true;
            // SQLite rolls back by itself after some errors.
            if !self.db.is_autocommit() {
                self.db.execute_batch("ROLLBACK").ok();
            }
        }
        outcome
    }

    fn within<T>(&mut self, work: impl FnOnce(&mut Batch<'_>) -> Result<T>) -> Result<(T, Told)> {
        let version = data_version(&self.db)?;
        let others_wrote = version != self.data_version;
        if others_wrote || self.stale {
            self.devices.reload(&self.db)?;
            self.quarantine = Quarantine::load(&self.db, &self.devices)?;
            self.kept = Kept::load(&self.db)?;
            let greatest: i64 = self.db.query_row("SELECT coalesce(max(id), 0) FROM packets", [], |row| row.get(0))?;
            let given = greatest.max(Kept::greatest(&self.db)?).max(self.devices.greatest_upto());
            self.last_packet = self.last_packet.max(given);
            self.missed |= others_wrote;
            self.data_version = version;
            self.stale = false;
        }
        let changes = self.db.total_changes();
        let mut batch = Batch::new(Ground {
            db: &self.db,
            devices: &mut self.devices,
            quarantine: &mut self.quarantine,
            kept: &mut self.kept,
            last_packet: &mut self.last_packet,
            policy: *self.shared.policy(),
            now: (self.clock)(),
            heard: self.shared.facts.heard(),
        })?;
        let done = work(&mut batch)?;
        // Names are only asked for where something else is set.
        let names_count = batch.phones.names && !self.shared.phones.borrow().is_empty();
        let stale = others_wrote || batch.phones.set || names_count;
        let phones = stale.then(|| batch.phone_book()).transpose()?;
        if batch.commands_changed || others_wrote {
            let last = "SELECT seq FROM sqlite_sequence WHERE name = 'commands'";
            // No row before the first command; and only a preview shows it.
            let last = self.db.query_row(last, [], |row| row.get(0)).unwrap_or(0);
            self.shared.last_command.store(last, Ordering::Relaxed);
        }
        let Batch { facts, missed, commands_changed, watch_changed, mut reread, packets, positions, .. } = batch;
        self.missed |= missed;
        let wrote = self.db.total_changes() != changes;
        let commands = commands_changed || others_wrote;
        let watch = watch_changed || others_wrote;
        reread.profiles |= others_wrote;
        reread.due |= others_wrote;
        Ok((done, Told { facts, phones, commands, watch, packets, positions, wrote, reread }))
    }

    fn show_phones(&self, told: &mut Told) {
        if let Some(phones) = told.phones.take() {
            self.shared.phones.send_replace(Arc::new(phones));
        }
    }

    /// Tells subscribers what a commit made true.
    pub(super) fn publish(&mut self, mut told: Told) {
        self.show_phones(&mut told);
        if told.commands {
            self.shared.commands.send_modify(|count| *count += 1);
        }
        if told.wrote || told.watch {
            self.shared.watch.send_modify(|count| {
                count.all += 1;
                count.of_book += u64::from(told.watch);
            });
        }
        let facts = &self.shared.facts;
        if !told.reread.done.is_empty() && facts.heard() {
            let rederived = Committed { rederived: told.reread.done, ..Committed::default() };
            facts.publish(Fact::Committed(Arc::new(rederived)));
            self.missed = true;
        }
        if !facts.heard() {
            self.missed = false;
            return;
        }
        // Somebody who subscribed while the batch was in work has read the file before its commit.
        let unheard = told.wrote && told.facts.is_none();
        if std::mem::take(&mut self.missed) || unheard {
            facts.publish(Fact::Missed);
        } else if let Some(committed) = told.facts.filter(|facts| *facts != Committed::default()) {
            facts.publish(Fact::Committed(Arc::new(committed)));
        } else {
            return;
        }
        self.wake_up();
    }

    fn note_sizes(&mut self) {
        self.look_at_space();
        self.sizes_at = Some(Instant::now());
        let (file, log) = (place::size(&self.database), place::size(&place::beside(&self.database, "-wal")));
        let shared = Arc::clone(&self.shared);
        let mut health = shared.note();
        (health.file_bytes, health.log_bytes) = (file, log);
        self.note_bounds(&mut health);
    }
}

/// Everything, or nothing.
fn all(batch: &mut Batch<'_>, writes: &mut [Write]) -> Result<()> {
    for write in writes {
        write.apply(batch)?;
    }
    batch.flush()
}

/// Everything but what cannot be written.
fn one_by_one(batch: &mut Batch<'_>, writes: &mut [Write]) -> Result<()> {
    for write in writes {
        let mark = batch.mark();
        batch.db.execute_batch("SAVEPOINT one")?;
        match write.apply(batch).and_then(|()| batch.flush()) {
            Ok(()) => {}
            Err(error) if blames_the_row(&error) => {
                batch.db.execute_batch("ROLLBACK TO one")?;
                batch.undo(&mark)?;
                write.spoil(error.into());
            }
            Err(error) => return Err(error),
        }
        batch.db.execute_batch("RELEASE one")?;
    }
    Ok(())
}
