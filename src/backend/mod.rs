//! The façade that window and command line see: the list of its methods is the list of what the app can do.
//!
//! It owns the runtime, the store and the receivers, and stops them in order: *close the taps, drain the pipes, shut the tank*.

pub mod bounds;
pub mod capture;
mod checklist;
mod commands;
pub mod config;
pub mod demo;
pub mod doctor;
mod feed;
mod files;
mod find;
pub mod health;
mod history;
pub mod import;
pub mod keeping;
mod link;
pub mod logfile;
mod notify;
mod packets;
pub mod pairing;
pub mod part;
mod past;
pub mod phones;
mod profile;
pub mod replay;
mod scratch;
mod signal;
pub mod soundness;
mod symptoms;
pub mod talk;
pub mod taps;
pub mod watch;

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;

use bounds::Bounds;
pub use commands::wait_for_command;
use config::ConfigError;
pub use feed::Feed;
pub use files::raise_open_files;
pub use find::{Find, FoundPackets, Seek, Sought};
pub use health::Health;
pub use history::{ExportError, ExportJob, ExportReport, History, export_history, safe_name, write_history};
pub use link::read_link;
use logfile::LogFile;
pub use packets::{
    Judge, PacketsJob, PacketsWritten, Sample, Selection, Weight, export_packets, redaction_seed, weigh_packets,
    write_packets,
};
pub use past::{Room, read_past};
pub use profile::{Rederiving, clock_advice, rederive_due};
pub use signal::StopSignal;
pub use symptoms::{clock_text, ms_text};

pub use crate::{
    ingest::{
        Access, App, CertificateDoubt, CertificateFiles, Limits, ListenAt, NoHandshake, Outcome, ReceiverLine,
        ReceiverStatus, Root, Tap, TapLine, TapMode, TapTraffic, Upstream, Visit,
    },
    model::ClockAdvice,
    store::{
        Copied, CopyError, Error, Health as StoreHealth, Pending, Reason, Rederived, Removal, Repaired, Stage, Watch,
        write_private,
    },
    wire::gt06::{AddressSource, Tongue},
};
use crate::{
    ingest::{ForPhones, Receivers, Tls},
    model::{
        Clock, DeviceId, DeviceOverview, Keep, Look, Overviews, PacketId, PacketRow, Policy, Profile, Protocol,
        StoredEvent, StoredFix, TimeWindow,
    },
    store::{self, Options, Store, query},
};

/// Called after a commit so that a window draws again. Any thread may call it.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// How a backend begins.
#[derive(Debug, Clone)]
pub struct Setup {
    pub data_dir: PathBuf,
    pub listen: Vec<(Protocol, ListenAt)>,
    /// Listeners that overhear trackers which talk with another server.
    pub taps: Vec<Tap>,
    pub policy: Policy,
    pub limits: Bounds,
    pub access: Access,
    pub https: Https,
    /// Names the places that GT06 trackers ask about; `None` answers with coordinates.
    pub addresses: Option<AddressSource>,
    /// What is kept for how long.
    pub keep: Keep,
    /// The settings file, where a change of receivers or policy is written down for the next start; `None`: nowhere.
    pub settings: Option<PathBuf>,
    /// Where the log goes once the folder is ours.
    pub log: LogFile,
    /// What passes while the computer is awake; `None`: as the system counts it.
    pub passing: Option<watch::Passing>,
}

/// HTTPS for phones, beside HTTP on a port of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Https {
    pub listen: ListenAt,
    /// The user's own; `None`: the program keeps a private authority.
    pub certificate: Option<CertificateFiles>,
}

impl Default for Https {
    fn default() -> Self {
        Self { listen: ListenAt::Off, certificate: None }
    }
}

/// Why there is no backend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened; nothing was touched.
    #[error(transparent)]
    Store(#[from] Error),
    /// The system gave no threads.
    #[error("cannot start the runtime: {0}")]
    Runtime(#[from] io::Error),
}

impl StartError {
    /// True where a running instance has the folder: [`Backend::view`] may look on.
    pub fn in_use(&self) -> bool {
        matches!(self, Self::Store(store::Error::InUse(_)))
    }

    /// The trouble with the folder, where [`Backend::view_despite`] may say so in a window.
    pub fn of_folder(&self) -> Option<&Error> {
        match self {
            Self::Store(error @ (Error::Open { .. } | Error::Full | Error::Locked)) => Some(error),
            Self::Store(_) | Self::Runtime(_) => None,
        }
    }
}

/// Which packets to list: the newest `limit` ones that match, newest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketQuery {
    pub device: Option<DeviceId>,
    /// Only packets with a smaller id.
    pub before: Option<PacketId>,
    /// 0 means 1.
    pub limit: usize,
}

/// Receivers, store and runtime, started and stopped in order.
pub struct Backend {
    /// A capture that is read into the store.
    capture: Option<capture::Filling>,
    runtime: Runtime,
    store: Store,
    /// None where this instance only looks on.
    receivers: Option<Receivers>,
    clock: Clock,
    data_dir: PathBuf,
    settings: Option<Arc<Mutex<PathBuf>>>,
    /// Changes of the settings that are being written down.
    changes: TaskTracker,
    demo: Mutex<Option<demo::Demo>>,
    rederiving: profile::Board,
    health: health::Keeper,
    log: LogFile,
    /// A copy that is being saved.
    copying: Mutex<Option<Watch>>,
    desktop: notify::Desktop,
    /// Why nothing is received here, where the folder cannot be had.
    despite: Option<Error>,
    /// What the window may keep.
    window: bounds::WindowBounds,
    /// Where an empty store lies that is shown in its stead.
    scratch: Option<scratch::Scratch>,
}

impl Backend {
    /// Opens the store and starts the receivers. A port that is taken is no error here: its receiver says so and tries again.
    pub fn start(setup: Setup, clock: Clock, wake: Wake) -> Result<Self, StartError> {
        let mut options = Options::new(Arc::clone(&clock));
        options.policy = setup.policy;
        options.limits = store::Limits { keep: setup.keep, ..setup.limits.store };
        options.wake = Some(Arc::clone(&wake));
        let runtime = runtime()?;
        let mut limits = setup.limits;
        signal::outlive_file_limit(runtime.handle());
        let store = Store::open(&setup.data_dir, options)?;
        setup.log.open(&setup.data_dir, limits.log);
        runtime.spawn(store.answering());
        limits.ingest.sockets = files::room_for(limits.ingest.sockets);
        let Https { listen, certificate } = setup.https;
        let tls = Tls::new(setup.data_dir.join("tls"), certificate, Arc::clone(&clock));
        let phones = ForPhones { access: setup.access, https: listen, tls };
        let receivers = {
            let _entered = runtime.enter();
            let wanted = (setup.listen.as_slice(), setup.taps);
            Receivers::start(wanted, &store, &clock, limits.ingest.clone(), phones, setup.addresses, wake)
        };
        let rederiving = profile::Board::default();
        profile::keep_up(runtime.handle(), &store, rederiving.clone());
        watch::begin(runtime.handle(), &store, &clock, setup.passing);
        let settings = setup.settings.map(|path| Arc::new(Mutex::new(path)));
        let (receivers, data_dir) = (Some(receivers), setup.data_dir);
        let window = limits.window;
        let health = health::Keeper::start(&runtime, &store, receivers.as_ref(), limits, &clock, &data_dir);
        Ok(Self {
            capture: None,
            runtime,
            store,
            receivers,
            clock,
            data_dir,
            settings,
            changes: TaskTracker::new(),
            demo: Mutex::default(),
            rederiving,
            copying: Mutex::default(),
            desktop: notify::Desktop::default(),
            despite: None,
            scratch: None,
            health,
            window,
            log: setup.log,
        })
    }

    /// Looks on: another instance receives into this folder.
    pub fn view(data_dir: &Path, clock: Clock, wake: Wake) -> Result<Self, StartError> {
        let mut options = Options::new(Arc::clone(&clock));
        options.wake = Some(wake);
        let store = Store::view_with(data_dir, options)?;
        Ok(Self::without_receivers(store, runtime()?, clock, data_dir.to_owned()))
    }

    /// Over a store that nothing is received into.
    fn without_receivers(store: Store, runtime: Runtime, clock: Clock, data_dir: PathBuf) -> Self {
        let health = health::Keeper::looking_on(&data_dir, &clock);
        Self {
            capture: None,
            runtime,
            store,
            receivers: None,
            clock,
            data_dir,
            settings: None,
            changes: TaskTracker::new(),
            demo: Mutex::default(),
            rederiving: profile::Board::default(),
            copying: Mutex::default(),
            desktop: notify::Desktop::default(),
            despite: None,
            scratch: None,
            health,
            window: bounds::WindowBounds::default(),
            log: LogFile::default(),
        }
    }

    /// Looks on although the folder cannot be received into, for the reason given: what can be read of it is shown, and where that is
    /// nothing, nothing. [`Backend::trouble`] says why.
    pub fn view_despite(why: Error, data_dir: &Path, clock: Clock, wake: Wake) -> Result<Self, StartError> {
        let (seen, scratch) = if let Ok(seen) = Self::view(data_dir, Arc::clone(&clock), Arc::clone(&wake)) {
            (seen, None)
        } else {
            let scratch = scratch::Scratch::new(&clock)?;
            (Self::view(scratch.folder(), clock, wake)?, Some(scratch))
        };
        Ok(Self { despite: Some(why), data_dir: data_dir.to_owned(), scratch, ..seen })
    }

    /// Waits until every receiver is bound, off, or has failed to bind.
    pub fn wait_settled(&self) {
        if let Some(receivers) = &self.receivers {
            self.runtime.block_on(receivers.settled());
        }
    }

    /// Catches the system's request to stop from now on; [`Backend::wait_for_stop`] or [`Backend::on_stop`] wait for it.
    pub fn stop_signal(&self) -> io::Result<StopSignal> {
        let _entered = self.runtime.enter();
        StopSignal::new()
    }

    /// Waits until the system asks us to stop, or nothing can be stored any more, which is an error. For `serve`, not for the window.
    pub fn wait_for_stop(&self, signal: &mut StopSignal) -> Result<(), Error> {
        let ended = self.store.ended();
        let damaged = self.store.damaged();
        self.runtime.block_on(async {
            tokio::select! {
                () = signal.received() => Ok(()),
                () = ended => Err(Error::Died),
                // Whoever starts it again, a supervisor perhaps, has it repaired.
                why = damaged => Err(Error::Damaged(why)),
            }
        })
    }

    /// Why nothing is stored now. `None`: everything is.
    pub fn trouble(&self) -> Option<Error> {
        self.despite.clone().or_else(|| self.store.error())
    }

    /// How the store fares.
    pub fn store_health(&self) -> store::Health {
        self.store.health()
    }

    /// Calls `then` when the system asks us to stop.
    pub fn on_stop(&self, mut signal: StopSignal, then: impl FnOnce() + Send + 'static) {
        self.runtime.spawn(async move {
            signal.received().await;
            then();
        });
    }

    /// A stream of facts from now on.
    pub fn feed(&self) -> Feed {
        Feed::new(self.store.facts())
    }

    /// True where another instance receives into this folder and this one only looks on.
    pub fn viewer(&self) -> bool {
        self.receivers.is_none()
    }

    /// The folder that holds everything.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The clock that `main` handed in.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How everything fares, put together on another thread.
    pub fn health(&self) -> Pending<Health> {
        self.health.ask(self.runtime.handle(), &self.store)
    }

    /// What the window may keep beside the store.
    pub fn window_bounds(&self) -> bounds::WindowBounds {
        self.window
    }

    /// The folder of the log.
    pub fn log_folder(&self) -> PathBuf {
        logfile::folder(&self.data_dir)
    }

    /// Shows the folder of the log in the system's file manager.
    pub fn open_log_folder(&self) -> Pending<()> {
        let (answer, pending) = Pending::pair();
        let folder = self.log_folder();
        let opened = move || {
            let opened = open::that_detached(&folder);
            let why = |error| Error::Refused(format!("no program opens {}: {error}", folder.display()));
            answer.give(opened.map_err(why));
        };
        self.runtime.spawn_blocking(opened);
        pending
    }

    /// How each receiver fares.
    pub fn receivers(&self) -> Vec<ReceiverLine> {
        self.receivers.as_ref().map(Receivers::lines).unwrap_or_default()
    }

    /// Listens elsewhere from now on, after a restart, too.
    pub fn listen(&self, protocol: Protocol, at: ListenAt) {
        if let Some(receivers) = &self.receivers {
            receivers.listen(protocol, at);
            self.write_down(move |path| config::remember_listen(path, protocol, at));
        }
    }

    /// Tries a waiting receiver again at once.
    pub fn retry(&self, protocol: Protocol) {
        if let Some(receivers) = &self.receivers {
            receivers.retry(protocol);
        }
    }

    /// What happens to a sender nobody has decided about.
    pub fn policy(&self) -> Policy {
        self.store.policy()
    }

    /// Decides it anew, from the next packet on and after a restart, too.
    pub fn set_policy(&self, policy: Policy) {
        self.store.set_policy(policy);
        self.write_down(move |path| config::remember_policy(path, policy));
    }

    /// When and why a packet went that is not there; `None`: nothing is known of it.
    pub fn removal_of(&self, id: PacketId) -> Pending<Option<Removal>> {
        self.store.reader().read(move |c| store::removal_of(c, id))
    }

    /// Changes the settings file, off this thread.
    fn write_down(&self, change: impl FnOnce(&Path) -> Result<(), ConfigError> + Send + 'static) {
        let Some(settings) = self.settings.clone() else { return };
        let write = move || {
            // One change at a time: each reads what the one before wrote.
            let path = settings.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = change(&path) {
                tracing::warn!(%error, "a change of the settings holds only until the end");
            }
        };
        self.changes.spawn_blocking_on(write, self.runtime.handle());
    }

    /// Addresses under which a device in the same network reaches this machine.
    pub fn lan_addresses(&self) -> Vec<IpAddr> {
        lan_addresses()
    }

    /// Every device, in any state.
    pub fn devices(&self) -> Pending<Vec<DeviceOverview>> {
        self.store.reader().read(query::device_overviews)
    }

    /// Every device, in any state, and how much of what the feed tells that has already.
    pub fn overviews(&self) -> Pending<Overviews> {
        self.store.reader().read(query::overviews)
    }

    /// Fixes of a device in order of time; the newest `limit`.
    pub fn track(&self, device: DeviceId, window: TimeWindow, limit: usize) -> Pending<Vec<StoredFix>> {
        self.store.reader().read(move |c| query::track(c, device, window, limit))
    }

    /// Packets, newest last.
    pub fn packets(&self, wanted: PacketQuery) -> Pending<Vec<PacketRow>> {
        let PacketQuery { device, before, limit } = wanted;
        self.store.reader().read(move |c| query::packets(c, device, before, limit.max(1)))
    }

    /// The oldest `limit` packets with an id above `after`, newest last.
    pub fn packets_after(&self, after: PacketId, limit: usize) -> Pending<Vec<PacketRow>> {
        self.store.reader().read(move |c| query::packets_after(c, after, limit))
    }

    /// How many packets are stored, and the newest of them.
    pub fn packet_count(&self) -> Pending<(u64, Option<PacketId>)> {
        self.store.reader().read_long(query::packet_count)
    }

    /// Which packets are stored from one to another, both included.
    pub fn packet_ids(&self, from: PacketId, to: PacketId) -> Pending<Vec<PacketId>> {
        self.store.reader().read(move |c| query::packet_ids(c, from, to))
    }

    /// One packet.
    pub fn packet(&self, id: PacketId) -> Pending<Option<PacketRow>> {
        self.store.reader().read(move |c| query::packet(c, id))
    }

    /// The fixes that a packet told.
    pub fn fixes_of_packet(&self, id: PacketId) -> Pending<Vec<StoredFix>> {
        self.store.reader().read(move |c| query::fixes_of_packet(c, id))
    }

    /// Events, newest last; of one device or of all.
    pub fn events(&self, device: Option<DeviceId>, limit: usize) -> Pending<Vec<StoredEvent>> {
        self.store.reader().read(move |c| query::events(c, device, limit))
    }

    /// Makes a new sender a device; everything kept of it becomes its history. Answers how many positions that is.
    pub fn adopt(&self, device: DeviceId, name: Option<String>) -> Pending<u64> {
        self.store.writer().try_adopt(device, name)
    }

    /// Sets a sender aside: answered, not shown.
    pub fn ignore(&self, device: DeviceId) -> Pending<()> {
        self.store.writer().ignore(device)
    }

    /// Takes a decision about a sender back: it is new again.
    pub fn reconsider(&self, device: DeviceId) -> Pending<()> {
        self.store.writer().reconsider(device)
    }

    /// `None` takes the name away.
    pub fn rename(&self, device: DeviceId, name: Option<String>) -> Pending<()> {
        self.store.writer().rename(device, name)
    }

    /// As [`Backend::change_profile`], answered as soon as it is stored.
    pub fn set_profile(&self, device: DeviceId, profile: Profile) -> Pending<()> {
        let (answer, pending) = Pending::pair();
        let stored = self.store.writer().set_profile(device, profile);
        self.runtime.spawn(async move { answer.give(stored.answered().await.map(|_| ())) });
        pending
    }

    /// Changes what no frame says about a device. It is stored at once, and open connections read with it; where it gives packets another
    /// meaning, the device's history is found again from them, beside all that arrives, and the answer comes when that is done.
    /// [`Backend::rederiving`] says how far it is, and the feed when it is there ([`crate::model::Committed::rederived`]). What is cut
    /// off goes on at the next start.
    pub fn change_profile(&self, device: DeviceId, profile: Profile) -> Pending<Rederived> {
        profile::change(self.runtime.handle(), &self.store, self.rederiving.clone(), device, |_| profile)
    }

    /// The histories that are being found again, and how far that is.
    pub fn rederiving(&self) -> Vec<Rederiving> {
        self.rederiving.list()
    }

    /// What the clock doctor says about a device, by its newest live frames. `None`: its times are right, or it is not clear what is wrong.
    pub fn clock_advice(&self, device: DeviceId) -> Pending<Option<ClockAdvice>> {
        profile::clock_advice(&self.store.reader(), device)
    }

    /// Takes the clock doctor's proposal, for history, too; `None` goes back to what the device's login says. The rest of the profile stays
    /// as it is. As [`Backend::change_profile`].
    pub fn apply_clock(&self, device: DeviceId, offset_s: Option<i32>) -> Pending<Rederived> {
        let change = move |before| Profile { clock_offset_s: offset_s, ..before };
        profile::change(self.runtime.handle(), &self.store, self.rederiving.clone(), device, change)
    }

    /// Changes how a device is told from others; the rest of its profile stays as it is, and no packet is read again.
    pub fn set_look(&self, device: DeviceId, look: Look) -> Pending<Rederived> {
        let change = move |before| Profile { look, ..before };
        profile::change(self.runtime.handle(), &self.store, self.rederiving.clone(), device, change)
    }

    /// Writes history to a file, on a thread of its own. The second is how far it is.
    pub fn export(&self, job: ExportJob) -> (Pending<Result<ExportReport, ExportError>>, Watch) {
        let (answer, pending) = Pending::pair();
        let (reader, now, watch) = (self.store.reader(), (self.clock)(), Watch::default());
        let watched = watch.clone();
        self.runtime.spawn_blocking(move || answer.give(Ok(export_history(&reader, job, now, &watched))));
        (pending, watch)
    }

    /// Counts the packets of a selection, on a thread of its own, and tries a redaction on the first. The second is how far it is.
    pub fn weigh_packets(&self, selection: Selection, seed: u64) -> (Pending<Result<Weight, ExportError>>, Watch) {
        let (answer, pending) = Pending::pair();
        let (reader, now, watch) = (self.store.reader(), (self.clock)(), Watch::default());
        let watched = watch.clone();
        self.runtime.spawn_blocking(move || answer.give(Ok(weigh_packets(&reader, &selection, seed, now, &watched))));
        (pending, watch)
    }

    /// Writes packets to a file, on a thread of its own. The second is how far it is.
    pub fn export_packets(&self, job: PacketsJob) -> (Pending<Result<PacketsWritten, ExportError>>, Watch) {
        let (answer, pending) = Pending::pair();
        let (reader, now, watch) = (self.store.reader(), (self.clock)(), Watch::default());
        let watched = watch.clone();
        self.runtime.spawn_blocking(move || answer.give(Ok(export_packets(&reader, job, now, &watched))));
        (pending, watch)
    }

    /// Stops receivers, commits what was read, closes the store. Takes no longer than `patience` and a commit.
    pub fn stop(self, patience: Duration) {
        self.stop_demo(false);
        let Self { capture, runtime, store, receivers, changes, copying, health, log, scratch, .. } = self;
        if let Some(filling) = capture {
            filling.stop();
        }
        changes.close();
        copying.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Watch::cancel);
        store.hurry();
        if let Some(receivers) = receivers {
            runtime.block_on(receivers.stop(patience));
        }
        if runtime.block_on(async { tokio::time::timeout(patience, changes.wait()).await }).is_err() {
            tracing::warn!("the settings could not be written in time");
        }
        runtime.block_on(health.stop());
        store.close();
        drop(scratch);
        tracing::info!("stopped");
        log.close();
        runtime.shutdown_timeout(Duration::from_millis(200));
    }
}

/// Every processor but those that the writer and the window keep busy: on a machine with two, a second thread for sockets costs more in waking each
/// other than it brings (measured: a fifth of all reports a second).
fn runtime() -> io::Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let workers = (processors / 2).clamp(1, 4);
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).thread_name("ingest").enable_all().build()
}

/// Addresses under which a device in the same network reaches this machine; IPv4 first, loopback and link-local left out.
pub fn lan_addresses() -> Vec<IpAddr> {
    let mut found: Vec<_> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|i| !i.is_loopback() && !i.is_link_local())
        .map(|i| i.ip())
        .collect();
    found.sort_by_key(|ip| (ip.is_ipv6(), *ip));
    found.dedup();
    found
}
