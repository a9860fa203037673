//! One connection of a tap: its bytes go on at once and unchanged, whoever understands them, and are heard on the way.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{Running, Site, TapMode, Upstream, dial::dial, tape::Ear};
use crate::{
    ingest::strangers::Guest,
    model::{CLOSED_BY_SERVER, Direction, Ended, Ender, Mishap, SILENT, STOPPING, Timestamp},
};

/// Bytes taken in one read.
const READ_BYTES: usize = 4096;
/// Bytes of a tracker that wait while the other server is dialled.
const MOST_HELD: usize = 8 << 10;
/// A tracker whose server is not there is heard out for so long: it says at once who it is.
const HEAR_OUT: Duration = Duration::from_secs(2);
/// What one end still says when the other does not listen any more.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The tracker closed, then the other server.
    Closed,
    /// The other server closed, then the tracker.
    ClosedByServer,
    /// Not a byte went either way for too long.
    Silent,
    /// All places were taken, and it had said nothing of use.
    MadeRoom,
    /// The tap does something else now.
    Changed,
    /// We are stopping.
    Stopped,
    /// The tap was removed.
    Removed,
    Broken(io::Error),
    /// The other server is not there. The tracker finds it as it would without us: closed.
    NoServer(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the tracker"),
            Self::ClosedByServer => f.write_str(CLOSED_BY_SERVER),
            Self::Silent => f.write_str(SILENT),
            Self::MadeRoom => f.write_str("made room for others"),
            Self::Changed => f.write_str("the tap was changed"),
            Self::Stopped => f.write_str(STOPPING),
            Self::Removed => f.write_str("the tap was removed"),
            Self::Broken(error) => write!(f, "broken: {error}"),
            Self::NoServer(why) => write!(f, "the other server is not reached: {why}"),
        }
    }
}

impl End {
    /// As it is remembered of the connection.
    pub(super) fn told(&self, at: Timestamp) -> Ended {
        let by = match self {
            Self::Closed => Ender::Peer,
            Self::ClosedByServer | Self::Broken(_) => Ender::Nobody,
            Self::Silent | Self::MadeRoom | Self::Changed | Self::Stopped | Self::Removed | Self::NoServer(_) => {
                Ender::Us
            }
        };
        let why = if matches!(self, Self::Closed) { "".into() } else { self.to_string().into() };
        Ended { at, by, why }
    }

    /// Under what it is counted; who made room is counted where it was asked to.
    pub(super) fn mishap(&self) -> Option<Mishap> {
        Some(match self {
            Self::Closed | Self::ClosedByServer => Mishap::ClosedByPeer,
            Self::Silent => Mishap::Silent,
            Self::MadeRoom | Self::Changed | Self::Stopped | Self::Removed => return None,
            Self::Broken(_) => Mishap::Broken,
            Self::NoServer(_) => Mishap::NotPassedOn,
        })
    }
}

/// Attends to a connection until its end.
pub(super) async fn attend(
    tracker: TcpStream,
    mut mode: watch::Receiver<TapMode>,
    ear: &Ear,
    guest: &Guest,
    running: &Running,
    site: &Site,
) -> End {
    let wanted = mode.borrow_and_update().clone();
    let moved = Moved::default();
    let talk = async {
        match &wanted {
            TapMode::Pass { to } => pass(tracker, to, ear, &moved, running, site).await,
            TapMode::Copy => copy(tracker, ear, &moved).await,
        }
    };
    tokio::select! {
        biased;
        () = site.stop.cancelled() => if running.is_removed() { End::Removed } else { End::Stopped },
        () = guest.shown_out() => End::MadeRoom,
        _ = mode.changed() => End::Changed,
        end = talk => end,
        () = moved.not_for(site.limits.idle) => End::Silent,
    }
}

/// When a byte went through last.
struct Moved {
    since: Instant,
    ms: AtomicU64,
}

impl Default for Moved {
    fn default() -> Self {
        Self { since: Instant::now(), ms: AtomicU64::new(0) }
    }
}

impl Moved {
    fn now(&self) {
        let ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.ms.store(ms, Ordering::Relaxed);
    }

    /// Waits until nothing has moved for so long.
    async fn not_for(&self, patience: Duration) {
        loop {
            let until = self.since + Duration::from_millis(self.ms.load(Ordering::Relaxed)) + patience;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// Takes what comes until it ends. Nothing is ever said back.
async fn copy(mut from: TcpStream, ear: &Ear, moved: &Moved) -> End {
    let mut chunk = vec![0; READ_BYTES];
    loop {
        match from.read(&mut chunk).await {
            Ok(0) => return End::Closed,
            Ok(n) => {
                moved.now();
                ear.hear(Direction::In, chunk.get(..n).unwrap_or_default());
            }
            Err(error) => return End::Broken(error),
        }
    }
}

async fn pass(mut tracker: TcpStream, to: &str, ear: &Ear, moved: &Moved, running: &Running, site: &Site) -> End {
    // The other server's connection is a file, too.
    let Ok(_socket) = Arc::clone(&site.sockets).try_acquire_owned() else {
        return no_server("all connections are taken".to_owned(), tracker, Held::default(), ear, running, site).await;
    };
    let mut held = Held::default();
    let dialled = {
        let mut dialling = std::pin::pin!(dial(to, running));
        loop {
            tokio::select! {
                biased;
                dialled = &mut dialling => break dialled,
                () = held.take(&mut tracker, ear) => moved.now(),
            }
        }
    };
    let mut server = match dialled {
        Ok(server) => server,
        Err(why) => return no_server(why, tracker, held, ear, running, site).await,
    };
    let was_away = !running.gauge.is_reached();
    if was_away {
        tracing::info!(tap = %running.name, to, "the other server is there again");
    }
    running.gauge.dialled(Upstream::Reached { at: (site.clock)() });
    site.tally.stir();
    if was_away {
        (site.wake)();
    }
    moved.now();
    let (from_tracker, to_tracker) = tracker.split();
    let (from_server, to_server) = server.split();
    let up = pump(Direction::In, from_tracker, to_server, held, ear, moved);
    let down = pump(Direction::Out, from_server, to_tracker, Held::default(), ear, moved);
    both(up, down).await
}

/// Says so, and hears the tracker out before it is closed.
async fn no_server(
    why: String,
    mut tracker: TcpStream,
    mut held: Held,
    ear: &Ear,
    running: &Running,
    site: &Site,
) -> End {
    if running.gauge.is_reached() {
        // Once: it may last, and trackers dial again and again.
        tracing::warn!(tap = %running.name, why, "the other server is not reached; trackers are closed and dial again");
    }
    running.gauge.dialled(Upstream::Failed { at: (site.clock)(), why: why.clone() });
    (site.wake)();
    if held.bytes.is_empty() && !held.over {
        timeout(HEAR_OUT, held.take(&mut tracker, ear)).await.ok();
    }
    End::NoServer(why)
}

/// What a tracker said while its server was dialled.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    /// It says no more.
    over: bool,
}

impl Held {
    /// One read more, as far as there is room. What breaks here breaks again when it is passed on.
    async fn take(&mut self, tracker: &mut TcpStream, ear: &Ear) {
        let mut chunk = [0; 1024];
        if self.over || self.bytes.len() > MOST_HELD {
            return std::future::pending().await;
        }
        match tracker.read(&mut chunk).await {
            Ok(n @ 1..) => {
                let said = chunk.get(..n).unwrap_or_default();
                ear.hear(Direction::In, said);
                self.bytes.extend_from_slice(said);
            }
            Ok(0) | Err(_) => self.over = true,
        }
    }
}

/// How one way came to its end.
enum Over {
    /// One end said all it had to say, and the other was told so.
    Said,
    /// The end that speaks broke off.
    Broken(io::Error),
    /// The end that listens does not any more.
    Deaf(io::Error),
}

/// One way: reads, lets it be heard, passes on.
async fn pump(
    way: Direction,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    held: Held,
    ear: &Ear,
    moved: &Moved,
) -> Over {
    if let Err(error) = write(&mut to, &held.bytes, moved).await {
        return Over::Deaf(error);
    }
    let mut over = held.over;
    let mut chunk = vec![0; READ_BYTES];
    while !over {
        let said = match from.read(&mut chunk).await {
            Ok(n) => chunk.get(..n).unwrap_or_default(),
            Err(error) => return Over::Broken(error),
        };
        over = said.is_empty();
        if !over {
            moved.now();
            ear.hear(way, said);
            if let Err(error) = write(&mut to, said, moved).await {
                return Over::Deaf(error);
            }
        }
    }
    // The other way goes on: half a connection is one.
    match to.shutdown().await {
        Ok(()) => Over::Said,
        Err(error) => Over::Deaf(error),
    }
}

/// Writes all of it; each piece that is taken counts as a sign of life.
async fn write(to: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8], moved: &Moved) -> io::Result<()> {
    while !bytes.is_empty() {
        let taken = to.write(bytes).await?;
        if taken == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        moved.now();
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    Ok(())
}

/// Both ways to their ends.
async fn both(up: impl Future<Output = Over>, down: impl Future<Output = Over>) -> End {
    let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
    let (first, is_up) = tokio::select! {
        over = &mut up => (over, true),
        over = &mut down => (over, false),
    };
    let other = async { if is_up { down.await } else { up.await } };
    match first {
        Over::Said => match other.await {
            Over::Said if is_up => End::Closed,
            Over::Said => End::ClosedByServer,
            Over::Broken(error) | Over::Deaf(error) => End::Broken(error),
        },
        // It hears no more, but may have spoken before.
        Over::Deaf(error) => {
            timeout(LAST_WORDS, other).await.ok();
            End::Broken(error)
        }
        Over::Broken(error) => End::Broken(error),
    }
}
