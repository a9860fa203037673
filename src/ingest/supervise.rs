//! Keeps one receiver listening: bind, serve, and bind again when the address changes or the port becomes free.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

use super::{Counts, ListenAt, Receiver, ReceiverStatus, Site, http, tap, tcp};
use crate::model::{Protocol, Timestamp};

/// A taken port is tried again this often.
const RETRY: Duration = Duration::from_secs(3);
/// Connections that the system may queue while we are busy; a whole fleet redials at once after a restart.
const BACKLOG: u32 = 4096;

/// What the system holds of answers that a peer has not read, and of bytes that we have not, in bytes a connection.
const ANSWERS_UNREAD: u32 = 64 << 10;
const BYTES_UNREAD: u32 = 256 << 10;

/// What a receiver receives.
#[derive(Clone)]
pub(super) enum What {
    Protocol(Protocol),
    /// OwnTracks behind TLS.
    Https,
    /// What trackers tell another server.
    Tap(Arc<tap::Running>),
}

impl What {
    fn protocol(&self) -> Protocol {
        match self {
            Self::Protocol(protocol) => *protocol,
            Self::Https => Protocol::OwnTracks,
            Self::Tap(_) => Protocol::Gt06,
        }
    }

    /// For the log.
    fn name(&self) -> &str {
        match self {
            Self::Protocol(protocol) => protocol.as_str(),
            Self::Https => "https",
            Self::Tap(tap) => &tap.name,
        }
    }
}

pub(super) fn start(what: What, at: ListenAt, site: &Site) -> Receiver {
    let (wanted, wanted_rx) = watch::channel(at);
    let (status_tx, status) = watch::channel(ReceiverStatus::Starting);
    let retry = Arc::new(Notify::new());
    let counts = Counts::default();
    let protocol = what.protocol();
    let task = Task { what, wanted: wanted_rx, status: status_tx, retry: Arc::clone(&retry), site: site.clone() };
    site.tasks.spawn(task.run(counts.clone()));
    Receiver { protocol, wanted, retry, status, counts }
}

struct Task {
    what: What,
    wanted: watch::Receiver<ListenAt>,
    status: watch::Sender<ReceiverStatus>,
    retry: Arc<Notify>,
    site: Site,
}

impl Task {
    async fn run(mut self, counts: Counts) {
        let stop = self.site.stop.clone();
        loop {
            let at = *self.wanted.borrow_and_update();
            match at {
                ListenAt::Off => {
                    self.tell(ReceiverStatus::Off);
                    tokio::select! {
                        () = stop.cancelled() => break,
                        changed = self.wanted.changed() => if changed.is_err() { break },
                    }
                }
                ListenAt::Address(address) => match self.prepare(address).await {
                    Ok(listener) => {
                        let bound = listener.local_addr().unwrap_or(address);
                        tracing::info!(receiver = self.what.name(), %bound, "listening");
                        self.tell(ReceiverStatus::Listening(bound));
                        let serving = async {
                            match &self.what {
                                What::Protocol(Protocol::Gt06) => {
                                    tcp::accept_all(listener, Protocol::Gt06, &self.site, &counts).await;
                                }
                                What::Protocol(Protocol::OwnTracks) => {
                                    http::accept_all(listener, false, &self.site, &counts).await;
                                }
                                What::Https => http::accept_all(listener, true, &self.site, &counts).await,
                                What::Tap(running) => tap::accept_all(listener, running, &self.site, &counts).await,
                            }
                        };
                        tokio::select! {
                            () = stop.cancelled() => break,
                            changed = self.wanted.changed() => if changed.is_err() { break },
                            () = serving => {}
                        }
                    }
                    Err(error) => {
                        let again = Instant::now() + RETRY;
                        // Told to people by whoever started us; tried again in silence.
                        if !matches!(&*self.status.borrow(), ReceiverStatus::Waiting { .. }) {
                            tracing::info!(%address, %error, "cannot listen");
                        }
                        self.tell(waiting(address, &error, (self.site.clock)()));
                        tokio::select! {
                            () = stop.cancelled() => break,
                            changed = self.wanted.changed() => if changed.is_err() { break },
                            () = self.retry.notified() => {}
                            () = sleep_until(again) => {}
                        }
                    }
                },
            }
        }
    }

    /// Makes what the port needs, and binds.
    async fn prepare(&self, address: SocketAddr) -> io::Result<TcpListener> {
        if matches!(self.what, What::Https) {
            let tls = Arc::clone(&self.site.tls);
            let made = tokio::task::spawn_blocking(move || tls.config()).await.map_err(io::Error::other)?;
            made.map_err(io::Error::other)?;
        }
        bind(address)
    }

    fn tell(&self, status: ReceiverStatus) {
        // A port that stays taken is told once; the time of the next try changes all the same.
        let was = self.status.send_replace(status);
        if was != *self.status.borrow() {
            (self.site.wake)();
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // On Unix this only skips TIME_WAIT; on Windows it would let two programs share the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Connections inherit both. Left to itself the system gives each up to megabytes, which a peer that never reads would fill.
    socket.set_send_buffer_size(ANSWERS_UNREAD)?;
    socket.set_recv_buffer_size(BYTES_UNREAD)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn waiting(wanted: SocketAddr, error: &io::Error, now: Timestamp) -> ReceiverStatus {
    let holder = (error.kind() == io::ErrorKind::AddrInUse).then(|| holder_of(wanted.port())).flatten();
    let retry_at = now.checked_add(RETRY).unwrap_or(now);
    ReceiverStatus::Waiting { wanted, error: reason(error), holder, retry_at }
}

/// The process that listens on a TCP port, `name (pid 812)`, where the system tells.
pub(crate) fn holder_of(port: u16) -> Option<String> {
    let process = listeners::get_process_by_port(port, listeners::Protocol::TCP).ok()?;
    Some(format!("{} (pid {})", process.name, process.pid))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        io::ErrorKind::PermissionDenied => "the system does not allow it (ports below 1024 need privileges)".to_owned(),
        _ => error.to_string(),
    }
}
