//! Everything received, in one SQLite file.
//!
//! One thread writes ([`Writer`]): nothing else holds a connection that can. Threads with read-only connections answer questions ([`Reader`],
//! [`query`]). What a commit made true goes to subscribers ([`Facts`]). A packet is acknowledged after its [`Receipt`] said that it is durable.

mod check;
mod clocks;
mod compact;
mod connect;
mod copy;
mod damage;
mod error;
mod facts;
mod health;
mod journal;
mod onlooker;
mod origin;
mod pace;
pub mod past;
mod pending;
pub mod phones;
mod place;
pub mod query;
mod queue;
mod reader;
mod recent;
mod removed;
mod repair;
mod row;
mod salvage;
mod schema;
mod stage;
mod tally;
mod trail;
pub mod watch;
mod writer;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::sync::watch::Receiver as Watching;

pub use check::check;
pub use clocks::{ClockOff, Clocks, clocks};
pub use compact::{Compacted, compact};
pub use copy::{Copied, CopyError, save_copy};
pub use error::Error;
pub use facts::Facts;
pub use health::{Failure, Health, Lately};
pub use origin::origin_of;
pub use pace::CommitTimes;
pub use pending::{Answer, Pending};
pub use place::write_private;
pub use reader::Reader;
pub use removed::{Reason, Removal, removal_of};
pub use repair::{Repaired, repair_folder, set_aside_in};
pub use stage::{Stage, Watch};
pub use tally::{Counted, Tally};
pub use writer::{
    Imported, Judged, NewEvent, OpenedPacket, Parting, Progress, Receipt, Rederivation, Rederived, Retold, Step,
    Stepped, Stored, Writer,
};

use onlooker::Onlooker;
use place::Found;
use reader::Readers;
use writer::{Shared, Start, WriterThread};

use crate::model::{Clock, CommandId, Keep, PhoneBook, Policy};

/// Name of the database within the data folder.
pub const FILE_NAME: &str = "wayglass.db";

/// Called after facts were published, by a thread of the store.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// What the store must be told when it is opened.
#[derive(Clone)]
pub struct Options {
    pub clock: Clock,
    /// What happens to unknown senders at first; [`Store::set_policy`] changes it.
    pub policy: Policy,
    /// Called after facts were published, by the writer's thread.
    pub wake: Option<Arc<dyn Fn() + Send + Sync>>,
    pub limits: Limits,
    /// Nobody was promised anything about what is stored, and it goes with its folder: the disk is not waited for.
    pub temporary: bool,
}

impl Options {
    /// The defaults: unknown senders are asked about, nobody is woken.
    pub fn new(clock: Clock) -> Self {
        Self { clock, policy: Policy::default(), wake: None, limits: Limits::default(), temporary: false }
    }
}

/// The store's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes that packets on their way into the file may take; who appends more waits.
    pub queue_bytes: usize,
    /// The file grows no further than this, and then it is as if the disk were full. `None`: the disk decides.
    pub file_bytes: Option<u64>,
    /// What goes when; [`Store::set_keep`] changes it.
    pub keep: Keep,
    /// Nothing goes for its age before the clock has run evenly for so long: one that is wrong must not empty the store.
    pub steady: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue_bytes: 64 << 20, file_bytes: None, keep: Keep::default(), steady: Duration::from_hours(1) }
    }
}

/// True where an instance receives into this folder now.
pub fn in_use(dir: &Path) -> bool {
    place::is_locked(dir)
}

/// The open store: its threads, and the lock on its folder. Dropping it closes it.
pub struct Store {
    database: PathBuf,
    writer: Writer,
    shared: Arc<Shared>,
    // Dropped in this order: the writer's connection is the last to close, for it is the one that can empty the log.
    readers: Readers,
    _onlooker: Option<Onlooker>,
    _thread: Option<WriterThread>,
    _lock: Option<File>,
}

impl Store {
    /// Opens the store for receiving. Makes folder and file where they are missing, and migrates an older file. One of ours that is damaged is set
    /// aside, and what can be read of it goes on in a new one; [`Health::repaired`] says so.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "made for this store; it is opened twice where the first is repaired"
    )]
    pub fn open(dir: &Path, options: Options) -> Result<Self, Error> {
        let database = place::database(dir);
        // Before anything is made, so that a newer file is left as it is.
        let looked = match place::look(&database) {
            Err(Error::Damaged(why)) => Some(why),
            looked => looked.map(|_| None)?,
        };
        place::make_dir(dir)?;
        let lock = place::lock(dir)?;
        let now = (options.clock)();
        repair::finish(&database, now)?;
        let found = match looked {
            // It may have been another one that was looked at.
            Some(_) => place::look(&database).map(|_| ()),
            None => match journal::fault(&place::beside(&database, "-wal")) {
                // What is acknowledged stands behind it.
                Some(why) => Err(Error::Damaged(why)),
                None if damage::is_suspect(&database) => suspect(&database),
                None => Ok(()),
            },
        };
        // Its share is given back with the store; ours, when it is there or could not be.
        let share = || lock.try_clone().map_err(|e| Error::denied(dir, &e));
        let open = || {
            let db = Self::open_sound(&database, &options)?;
            Self::write(database.clone(), db, options.clone(), Some(share()?))
        };
        match found.and_then(|()| open()) {
            Err(Error::Damaged(why)) => {
                let repaired = repair::repair(&database, &why, now)?;
                let store = open()?;
                store.shared.repaired(repaired);
                Ok(store)
            }
            opened => opened,
        }
    }

    /// Opens the file, as far as a look at it says that it is sound.
    fn open_sound(database: &Path, options: &Options) -> Result<rusqlite::Connection, Error> {
        place::make_file(database)?;
        let mut db = connect::writing(database)?;
        if options.temporary {
            connect::never_wait(&db).map_err(|e| connect::refusal(database, &e))?;
        }
        schema::migrate(&mut db, database)?;
        schema::look(&db).map_err(|e| connect::refusal(database, &e))?;
        trail::fold::catch_up(&db).map_err(|e| connect::refusal(database, &e))?;
        writer::loads(&db).map_err(|e| match connect::refusal(database, &e) {
            // A row that makes no sense.
            Error::Open { reason, .. } => Error::Damaged(reason),
            other => other,
        })?;
        if let Some(bytes) = options.limits.file_bytes {
            connect::limit(&db, bytes).map_err(|e| connect::refusal(database, &e))?;
        }
        Ok(db)
    }

    /// Opens the store to look on, beside a running instance or alone. [`Store::facts`] then says [`crate::model::Fact::Missed`]
    /// whenever somebody wrote, and every write answers [`Error::ReadOnly`].
    pub fn view(dir: &Path, clock: Clock) -> Result<Self, Error> {
        Self::view_with(dir, Options::new(clock))
    }

    /// As [`Store::view`], with somebody to wake. Policy and limits are the running instance's.
    pub fn view_with(dir: &Path, options: Options) -> Result<Self, Error> {
        let Options { clock, policy, wake, limits, temporary: _ } = options;
        let database = place::database(dir);
        bring_up_to_date(dir, &database)?;
        let shared = Shared::new(&database, &limits, policy, &clock);
        let onlooker = Onlooker::start(&database, shared.facts.clone(), wake)?;
        Ok(Self {
            readers: Readers::start(&database, &shared.damage)?,
            writer: Writer::looking_on(),
            shared: Arc::new(shared),
            database,
            _onlooker: Some(onlooker),
            _thread: None,
            _lock: None,
        })
    }

    /// Opens the store for a decision or a command beside a running instance, or alone. Not for receiving: it does not hold the folder.
    pub fn beside(dir: &Path, clock: Clock) -> Result<Self, Error> {
        let database = place::database(dir);
        bring_up_to_date(dir, &database)?;
        let db = connect::writing(&database)?;
        Self::write(database, db, Options::new(clock), None)
    }

    fn write(database: PathBuf, db: rusqlite::Connection, options: Options, lock: Option<File>) -> Result<Self, Error> {
        let Options { clock, policy, wake, limits, temporary: _ } = options;
        let shared = Arc::new(Shared::new(&database, &limits, policy, &clock));
        let inlet = Arc::clone(&shared.inlet);
        let receives = lock.is_some();
        let start =
            Start { database: database.clone(), db, shared: Arc::clone(&shared), clock, wake, limits, receives };
        let thread = WriterThread::start(start)?;
        Ok(Self {
            readers: Readers::start(&database, &shared.damage)?,
            writer: if receives { Writer::receiving(inlet) } else { Writer::deciding(inlet) },
            shared,
            database,
            _onlooker: None,
            _thread: Some(thread),
            _lock: lock,
        })
    }

    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    pub fn reader(&self) -> Reader {
        self.readers.reader()
    }

    /// Gives the answers to everything written, for as long as the store is open. Meant for the runtime in which most of those who ask wait:
    /// there it wakes them at less cost than the writer's thread, which answers until this is called. The first call counts.
    pub fn answering(&self) -> impl Future<Output = ()> + Send + use<> {
        self.shared.answers.take_over()
    }

    /// Subscribes to what commits make true from now on. Read the store after this call, and nothing is missed between.
    pub fn facts(&self) -> Facts {
        self.shared.facts.subscribe()
    }

    /// What was set up for phones, as the last commit left it. Empty where this instance only looks on.
    pub fn phone_book(&self) -> Watching<Arc<PhoneBook>> {
        self.shared.phones.subscribe()
    }

    /// What is told when a history is due to be found again; see [`query::rederivations`].
    pub fn due(&self) -> Due {
        Due(Arc::clone(&self.shared))
    }

    /// Changes after each commit, of this or another process, that may have changed which commands wait. Cheaper than [`Store::facts`], which
    /// have to be put together for whoever listens.
    pub fn commands_changed(&self) -> Watching<u64> {
        self.shared.commands.subscribe()
    }

    /// Changes after each commit that wrote something, of this or another process.
    pub fn commits(&self) -> Watching<watch::Commits> {
        self.shared.watch.subscribe()
    }

    /// The number that the next command will have, if no other process is quicker.
    pub fn next_command(&self) -> CommandId {
        CommandId(self.shared.last_command.load(Ordering::Relaxed) + 1)
    }

    pub fn policy(&self) -> Policy {
        *self.shared.policy()
    }

    /// What happens to unknown senders from the next batch on.
    pub fn set_policy(&self, policy: Policy) {
        *self.shared.policy() = policy;
    }

    /// What goes when.
    pub fn keep(&self) -> Keep {
        *self.shared.keep()
    }

    /// Keeps more or less from now on. What is beyond goes in small steps, beside what arrives.
    pub fn set_keep(&self, keep: Keep) {
        *self.shared.keep() = keep;
    }

    /// Gives back everything in the file that nothing uses, in small steps beside what arrives; [`Health::free_bytes`] says how far it is. For
    /// a file that cannot shrink it does nothing; see [`fn@compact`].
    pub fn compact(&self) {
        self.shared.compacting.store(true, Ordering::Relaxed);
    }

    /// Counts what was not taken, kept or held open.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.shared.inlet.tally)
    }

    /// As [`Health::error`].
    pub fn error(&self) -> Option<Error> {
        self.shared.error()
    }

    /// What says how the store fares, for another thread.
    pub fn gauge(&self) -> Gauge {
        Gauge(Arc::clone(&self.shared))
    }

    pub fn health(&self) -> Health {
        let mut health = self.shared.health();
        if self.writer.looks_on() {
            health.file_bytes = place::size(&self.database);
            health.log_bytes = place::size(&place::beside(&self.database, "-wal"));
        }
        health
    }

    /// We are about to stop: from now on, what another program keeps from being stored is given up soon, and so not answered.
    pub fn hurry(&self) {
        self.shared.inlet.hurry();
    }

    /// Ends when nothing can be stored any more: after [`Store::close`], or by a fault ([`Error::Died`] in [`Store::health`]).
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        self.shared.ended.clone().cancelled_owned()
    }

    /// Waits until damage is noticed in the file, and says what it is, as [`Health::damaged`] does from then on.
    pub fn damaged(&self) -> impl Future<Output = String> + use<> {
        self.shared.damage.clone().wait()
    }

    /// Commits what is queued, empties the write-ahead log into the file and ends the threads. Later writes answer [`Error::Closed`].
    pub fn close(self) {}
}

/// Says how a store fares.
#[derive(Clone)]
pub struct Gauge(Arc<Shared>);

impl Gauge {
    /// What goes when.
    pub fn keep(&self) -> Keep {
        *self.0.keep()
    }

    /// Everything, [`Health::lately`] too.
    pub fn health(&self) -> Health {
        Health { lately: self.0.lately(), ..self.0.health() }
    }
}

/// Looks at all of a file in which damage was noticed.
fn suspect(database: &Path) -> Result<(), Error> {
    tracing::warn!(database = %database.display(), "damage was noticed in the database; checking all of it");
    if let Some(why) = repair::first_fault(database, &Watch::default())? {
        return Err(Error::Damaged(why));
    }
    damage::clear(database);
    Ok(())
}

/// Waits for histories that are due to be found again.
pub struct Due(Arc<Shared>);

impl Due {
    /// Waits until one may have become due since the last call.
    pub async fn wait(&self) {
        self.0.due.notified().await;
    }
}

/// Refuses a folder without a database; migrates an older one, unless another instance holds the folder.
fn bring_up_to_date(dir: &Path, database: &Path) -> Result<(), Error> {
    match place::look(database)? {
        Found::Nothing => Err(Error::open(database, "there is nothing yet; start Wayglass on this folder first")),
        Found::Schema(schema::VERSION) => {
            // One that was cut off right at its end left its copy.
            if schema::copy(database).exists()
                && let Ok(_lock) = place::lock(dir)
            {
                std::fs::remove_file(schema::copy(database)).ok();
            }
            Ok(())
        }
        Found::Schema(_) => {
            let _lock = place::lock(dir)?;
            let mut db = connect::writing(database)?;
            schema::migrate(&mut db, database)?;
            trail::fold::catch_up(&db).map_err(|e| connect::refusal(database, &e))
        }
    }
}
