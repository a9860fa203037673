//! Receivers: sockets and tasks. Every read is stamped with the time here, because `wire` never asks for it.
//!
//! One task a connection (`converse` for byte streams, `http` for requests); one task a receiver (`supervise`) that binds,
//! accepts, and binds again when the address changes or the port was taken. A reply leaves only after the commit of everything
//! it stands for; a commit that fails closes the connection unanswered (GT06) or answers 503 (HTTP), so the device keeps its data.

mod access;
mod certificate;
mod converse;
mod dispatch;
mod ends;
mod handshake;
mod http;
mod password;
mod prelude;
mod reply;
mod roster;
mod secrets;
mod strangers;
mod supervise;
mod tap;
mod tcp;
mod tls;
mod visits;
mod wary;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use access::Access;
use access::Gate;
pub use certificate::{Certificate, CertificateDoubt};
use converse::converse;
use dispatch::Dispatch;
pub(crate) use ends::Ends;
use ends::LastPacket;
pub use password::{fresh as fresh_password, hash as hash_password};
use reply::SentCards;
use roster::Roster;
use strangers::Strangers;
use supervise::What;
pub(crate) use supervise::holder_of;
use tap::Taps;
pub use tap::{Tap, TapLine, TapMode, TapTraffic, Upstream};
pub use tls::{CertificateFiles, Root, Tls, TlsError};
pub(crate) use tls::{ROOT_DER_PATH, ROOT_PEM_PATH};
pub(crate) use visits::Visits;
pub use visits::{App, NoHandshake, Outcome, Visit};
use wary::Wary;

use crate::{
    model::{Clock, DeviceId, PhoneBook, Protocol, Secret, Timestamp},
    store::{Reader, Store, Tally, Writer},
    wire::gt06::{AddressSource, JUNK_BYTES},
};

/// Where one receiver should listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListenAt {
    /// Nowhere.
    Off,
    /// Port 0 picks a free one.
    Address(SocketAddr),
}

/// How a receiver fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiverStatus {
    /// Told not to listen.
    Off,
    /// Binding.
    Starting,
    /// Accepting connections.
    Listening(SocketAddr),
    /// It could not bind; it tries again at `retry_at`. `holder` is the process that has the port, where the system tells.
    Waiting { wanted: SocketAddr, error: String, holder: Option<String>, retry_at: Timestamp },
}

/// One receiver, as the listener line shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverLine {
    pub protocol: Protocol,
    pub wanted: ListenAt,
    pub status: ReceiverStatus,
    /// Connections open now.
    pub connections: usize,
    /// Connections that had to make room since the start: they said nothing of use, and all places were taken.
    pub shown_out: u64,
}

/// Longest body of a request in bytes: contract.md §4 promises it to apps.
pub const BODY_BYTES: usize = 2 << 20;

/// The bounds of what a peer may take from us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections a receiver holds at once. For more, those that said nothing of use make room; where there are none, more wait in the
    /// system's queue.
    pub connections: usize,
    /// Connections of all receivers together; the number of files that the system lets us open bounds it, too.
    pub sockets: usize,
    /// A byte stream that says nothing for this long is closed: the device redials (gt06.md §2).
    pub idle: Duration,
    /// How long a peer may take to accept our answer.
    pub write: Duration,
    /// A byte stream without one sound frame is closed after this long: no tracker takes so long to log in.
    pub login: Duration,
    /// Bytes without one sound frame, from the beginning of a byte stream on, after which it is closed. What all strangers may make us buffer is
    /// bounded by this.
    pub stranger_bytes: usize,
    /// Bytes of a byte stream without one sound frame, after whatever, at which it is closed.
    pub junk_bytes: usize,
    /// The head of an HTTP request from its first byte on; of the first request, from the beginning of the connection on.
    pub http_head: Duration,
    /// The pause between two requests of one connection. Longer than the five minutes for which phones keep a connection: one that is
    /// closed under their hands counts as a failed send.
    pub http_pause: Duration,
    /// The body of an HTTP request.
    pub http_body: Duration,
    /// Longest head of an HTTP request in bytes; hyper wants 8 KiB at least.
    pub head_bytes: usize,
    /// Longest body in bytes (contract.md §4).
    pub body_bytes: usize,
    /// Bytes of request bodies in memory at once, over all connections.
    pub bodies_in_flight: usize,
    /// Pieces of noise on the HTTP ports that are kept within a minute: from one address, and from all.
    pub noise_per_address: u32,
    pub noise_per_minute: u32,
    /// Requests of phones that are remembered for whoever pairs one.
    pub visits: usize,
    /// Bytes of the talk of taps that are on their way into the store; what is more is passed on and not recorded.
    pub tap_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            sockets: 12_000,
            idle: Duration::from_mins(15),
            write: Duration::from_secs(30),
            login: Duration::from_secs(30),
            stranger_bytes: 8 << 10,
            junk_bytes: JUNK_BYTES,
            http_head: Duration::from_secs(10),
            http_pause: Duration::from_mins(6),
            http_body: Duration::from_secs(30),
            head_bytes: 64 << 10,
            body_bytes: BODY_BYTES,
            bodies_in_flight: 64 << 20,
            noise_per_address: 10,
            noise_per_minute: 600,
            visits: 256,
            tap_bytes: 32 << 20,
        }
    }
}

/// What every connection task needs.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) store: Writer,
    pub(crate) clock: Clock,
    pub(crate) limits: Arc<Limits>,
    /// Room for connections, over all receivers.
    pub(crate) sockets: Arc<Semaphore>,
    pub(crate) reader: Reader,
    pub(crate) gate: Arc<Gate>,
    /// What was set up for phones, as the last commit left it.
    pub(crate) phones: watch::Receiver<Arc<PhoneBook>>,
    pub(crate) cards: Arc<SentCards>,
    pub(crate) tls: Arc<Tls>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) visits: Arc<Visits>,
    pub(crate) ends: Arc<Ends>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) addresses: Option<AddressSource>,
    /// Counts what was not taken, kept or held open.
    pub(crate) tally: Arc<Tally>,
    pub(crate) wary: Arc<Wary>,
    pub(crate) strangers: Arc<Strangers>,
    /// Room for what taps hear, until it is stored.
    pub(crate) tape: Arc<Semaphore>,
    /// Numbers connections, over all receivers.
    next_connection: Arc<AtomicU64>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Site {
    /// What is set up for phones now.
    pub(crate) fn book(&self) -> Arc<PhoneBook> {
        Arc::clone(&self.phones.borrow())
    }

    /// … once whatever another process set up, too, is known.
    pub(crate) async fn newest_book(&self) -> Arc<PhoneBook> {
        if let Err(error) = self.store.caught_up().await {
            tracing::debug!(%error, "the phones may have changed");
        }
        self.book()
    }

    pub(crate) fn new_connection(&self) -> u64 {
        self.next_connection.fetch_add(1, Ordering::Relaxed)
    }
}

/// What a receiver counts.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    /// Connections open now.
    connections: Arc<AtomicUsize>,
    /// See [`ReceiverLine::shown_out`].
    shown_out: Arc<AtomicU64>,
}

/// Counts one connection for as long as it lives.
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Says how the receivers fare.
#[derive(Clone)]
pub struct Gauge {
    needles: Vec<Needle>,
    taps: Taps,
    visits: Arc<Visits>,
}

#[derive(Clone)]
struct Needle {
    protocol: Protocol,
    wanted: watch::Receiver<ListenAt>,
    status: watch::Receiver<ReceiverStatus>,
    counts: Counts,
}

impl Gauge {
    /// Requests of phones that are remembered for whoever pairs one.
    pub fn visits(&self) -> usize {
        self.visits.count()
    }

    /// How each receiver fares; HTTPS comes last.
    pub fn lines(&self) -> Vec<ReceiverLine> {
        let line = |needle: &Needle| ReceiverLine {
            protocol: needle.protocol,
            wanted: *needle.wanted.borrow(),
            status: needle.status.borrow().clone(),
            connections: needle.counts.connections.load(Ordering::Relaxed),
            shown_out: needle.counts.shown_out.load(Ordering::Relaxed),
        };
        self.needles.iter().map(line).collect()
    }

    /// How each tap fares.
    pub fn taps(&self) -> Vec<TapLine> {
        self.taps.lines()
    }
}

struct Receiver {
    protocol: Protocol,
    wanted: watch::Sender<ListenAt>,
    retry: Arc<Notify>,
    status: watch::Receiver<ReceiverStatus>,
    counts: Counts,
}

impl Receiver {
    fn line(&self) -> ReceiverLine {
        ReceiverLine {
            protocol: self.protocol,
            wanted: *self.wanted.borrow(),
            status: self.status.borrow().clone(),
            connections: self.counts.connections.load(Ordering::Relaxed),
            shown_out: self.counts.shown_out.load(Ordering::Relaxed),
        }
    }
}

/// What the receivers of phones must be told.
#[derive(Debug)]
pub struct ForPhones {
    pub access: Access,
    /// Where HTTPS listens.
    pub https: ListenAt,
    pub tls: Tls,
}

/// All receivers, running.
pub struct Receivers {
    running: Vec<Receiver>,
    /// OwnTracks behind TLS, beside the plain one.
    https: Receiver,
    taps: Taps,
    /// What a tap that is added needs.
    site: Site,
    visits: Arc<Visits>,
    ends: Arc<Ends>,
    tls: Arc<Tls>,
    gate: Arc<Gate>,
    roster: Arc<Roster>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Receivers {
    /// Starts a receiver for each protocol, and the taps, on the runtime that this is called in. `wake` is called when a status changes.
    pub fn start(
        (wanted, taps): (&[(Protocol, ListenAt)], Vec<Tap>),
        store: &Store,
        clock: &Clock,
        limits: Limits,
        ForPhones { access, https, tls }: ForPhones,
        addresses: Option<AddressSource>,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let visits = Arc::new(Visits::new(limits.visits));
        let ends = Arc::<Ends>::default();
        let roster = Arc::new(Roster::new(Arc::clone(&wake)));
        let room = Arc::new(Semaphore::new(limits.tap_bytes.min(Semaphore::MAX_PERMITS)));
        let site = Site {
            store: store.writer(),
            reader: store.reader(),
            clock: Arc::clone(clock),
            sockets: Arc::new(Semaphore::new(limits.sockets.min(Semaphore::MAX_PERMITS))),
            limits: Arc::new(limits),
            gate: Arc::new(Gate::new(access)),
            phones: store.phone_book(),
            cards: Arc::default(),
            tls: Arc::new(tls),
            stop: stop.clone(),
            tasks: tasks.clone(),
            visits: Arc::clone(&visits),
            ends: Arc::clone(&ends),
            roster: Arc::clone(&roster),
            addresses,
            tally: store.tally(),
            wary: Arc::default(),
            strangers: Arc::default(),
            tape: room,
            next_connection: Arc::new(AtomicU64::new(1)),
            wake,
        };
        let running =
            wanted.iter().map(|&(protocol, at)| supervise::start(What::Protocol(protocol), at, &site)).collect();
        let https = supervise::start(What::Https, https, &site);
        let listen_in = Taps::default();
        for tap in taps {
            listen_in.set(tap, &site);
        }
        let dispatch = Dispatch {
            roster: Arc::clone(&roster),
            reader: store.reader(),
            writer: store.writer(),
            queued: store.commands_changed(),
            clock: Arc::clone(clock),
            stop: stop.clone(),
        };
        tasks.spawn(dispatch.run());
        let (tls, gate) = (Arc::clone(&site.tls), Arc::clone(&site.gate));
        Self { running, https, taps: listen_in, site, visits, ends, tls, gate, roster, stop, tasks }
    }

    /// How each receiver fares.
    pub fn lines(&self) -> Vec<ReceiverLine> {
        self.running.iter().map(Receiver::line).collect()
    }

    /// What says how they fare, for another thread: HTTPS comes last.
    pub fn gauge(&self) -> Gauge {
        let needle = |receiver: &Receiver| Needle {
            protocol: receiver.protocol,
            wanted: receiver.wanted.subscribe(),
            status: receiver.status.clone(),
            counts: receiver.counts.clone(),
        };
        let needles = self.running.iter().chain([&self.https]).map(needle).collect();
        Gauge { needles, taps: self.taps.clone(), visits: Arc::clone(&self.visits) }
    }

    /// How HTTPS for phones fares.
    pub fn https(&self) -> ReceiverLine {
        self.https.line()
    }

    /// Listens for HTTPS elsewhere from now on.
    pub fn listen_https(&self, at: ListenAt) {
        self.https.wanted.send_replace(at);
    }

    /// Tries HTTPS again at once.
    pub fn retry_https(&self) {
        self.https.retry.notify_one();
    }

    /// What HTTPS shows.
    pub(crate) fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.tls)
    }

    /// The secret of all phones.
    pub(crate) fn shared_key(&self) -> Option<Secret> {
        self.gate.shared_key()
    }

    /// The last requests of phones, oldest first.
    pub fn visits(&self) -> Vec<Visit> {
        self.visits.all()
    }

    /// What is remembered of connections.
    pub(crate) fn ends(&self) -> Arc<Ends> {
        Arc::clone(&self.ends)
    }

    /// The devices that hold a connection over which commands reach them.
    pub fn connected(&self) -> Vec<DeviceId> {
        self.roster.devices()
    }

    /// Listens elsewhere from now on. Open connections stay.
    pub fn listen(&self, protocol: Protocol, at: ListenAt) {
        for receiver in self.running.iter().filter(|r| r.protocol == protocol) {
            receiver.wanted.send_replace(at);
        }
    }

    /// Tries a waiting receiver again at once.
    pub fn retry(&self, protocol: Protocol) {
        for receiver in self.running.iter().filter(|r| r.protocol == protocol) {
            receiver.retry.notify_one();
        }
    }

    /// Waits until every receiver is bound, off, or has failed to bind.
    pub async fn settled(&self) {
        for receiver in self.running.iter().chain([&self.https]) {
            let mut status = receiver.status.clone();
            // An error means that the receiver has ended, which is settled too.
            status.wait_for(|s| !matches!(s, ReceiverStatus::Starting)).await.ok();
        }
        self.taps.settled().await;
    }

    /// How each tap fares.
    pub fn taps(&self) -> Vec<TapLine> {
        self.taps.lines()
    }

    /// Sets a tap up, or changes the one of this name. Called in the runtime.
    pub fn set_tap(&self, tap: Tap) {
        self.taps.set(tap, &self.site);
        (self.site.wake)();
    }

    /// Ends a tap and its connections.
    pub fn remove_tap(&self, name: &str) {
        self.taps.remove(name);
        (self.site.wake)();
    }

    /// Tries a tap that waits for its port again at once.
    pub fn retry_tap(&self, name: &str) {
        self.taps.retry(name);
    }

    /// Stops accepting, lets connections store what they have read, and waits for them, no longer than `patience`.
    pub async fn stop(self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(open = self.tasks.len(), "connections did not end in time");
        }
    }
}
