//! A pretend fleet on real sockets: the window's demo, and `wayglass simulate`.
//!
//! One task a device, each with a connection of its own, so that a receiver sees what it would see of real ones. A device waits
//! for its answers, and connects again with growing pauses when there are none.

mod phone;
mod run;
mod tally;
mod tracker;

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    runtime::Handle,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::{Instant, Interval, MissedTickBehavior, interval, interval_at, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

pub use phone::HttpUrl;
pub use tally::{Latency, Progress};

use super::{Access, ReceiverLine, ReceiverStatus, signal::StopSignal};
use crate::{
    model::{Clock, Identity, Protocol},
    sim::{Band, Fleet},
    store::Writer,
};
use tally::Tally;

/// A tracker gives up on an answer after this (gt06.md §2 says 5 s, a loaded receiver may be a little later), a phone after 10 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Connections that are made at once; a listener's queue is not endless.
const CONNECT_AT_ONCE: usize = 128;

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How long answers are waited for when a drive ends.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How often the window's demo reports: often enough to see it move.
const DEMO_INTERVAL: Duration = Duration::from_secs(2);

/// The same demo every time.
const DEMO_SEED: u64 = 2;

/// Where a fleet reports to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// `host:port`
    pub gt06: Option<String>,
    pub owntracks: Option<HttpUrl>,
}

impl Targets {
    /// The protocols that have a target.
    pub fn protocols(&self) -> Vec<Protocol> {
        let given = [(Protocol::Gt06, self.gt06.is_some()), (Protocol::OwnTracks, self.owntracks.is_some())];
        given.into_iter().filter(|(_, given)| *given).map(|(protocol, _)| protocol).collect()
    }
}

/// Reads `HOST:PORT`. The error says what is wrong with it.
pub fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0) => Ok(text.to_owned()),
        _ => Err("it is HOST:PORT, as 127.0.0.1:5023".to_owned()),
    }
}

/// How fast and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two reports of one device.
    pub interval: Duration,
    /// `None`: until it is stopped.
    pub duration: Option<Duration>,
}

/// Why a fleet did not set off.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// Nobody listens there.
    #[error(
        "cannot connect to {address}: {source}; start a receiver there (`wayglass serve`) or name another with --{flag}"
    )]
    Connect { address: String, flag: &'static str, source: io::Error },
    /// The system gave no threads.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
}

/// What every device of a fleet shares.
struct Drive {
    tally: Tally,
    clock: Clock,
    interval: Duration,
    started: Instant,
    stop: CancellationToken,
    connecting: Semaphore,
}

impl Drive {
    /// When a device reports: `after` the start for the first time.
    fn ticks(&self, after: Duration) -> Interval {
        let mut ticks = interval_at(self.started + after, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }

    /// Waits for the next report. False when the drive is over.
    async fn next_tick(&self, ticks: &mut Interval) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            _ = ticks.tick() => true,
        }
    }

    /// Waits twice as long as the last time. `None` when the drive is over.
    async fn back_off(&self, attempt: &mut u32) -> Option<()> {
        let pause = Duration::from_secs(1 << (*attempt).min(6)).min(LONGEST_PAUSE);
        *attempt += 1;
        tokio::select! {
            () = self.stop.cancelled() => None,
            () = tokio::time::sleep(pause) => Some(()),
        }
    }

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let _one_of_few = self.connecting.acquire().await.map_err(io::Error::other)?;
        connect(address).await
    }
}

async fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = timeout(ANSWER_WITHIN, TcpStream::connect(address)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Drives a fleet until `stop`, or for as long as the pace says, or until all have arrived where they were sent, and tells about it each second.
///
/// An address where nobody listens at the start is an error; later, devices try again for as long as it takes.
pub async fn drive(
    fleet: Fleet,
    targets: &Targets,
    pace: Pace,
    clock: Clock,
    stop: CancellationToken,
    mut report: impl FnMut(&Progress),
) -> Result<Progress, DriveError> {
    let asked = [
        (targets.gt06.as_deref(), Protocol::Gt06.as_str()),
        (targets.owntracks.as_ref().map(|url| url.address.as_str()), Protocol::OwnTracks.as_str()),
    ];
    for (address, flag) in asked {
        if let Some(address) = address {
            let failed = |source| DriveError::Connect { address: address.to_owned(), flag, source };
            connect(address).await.map_err(failed)?;
        }
    }
    let drive = Arc::new(Drive {
        tally: Tally::new(),
        clock,
        interval: pace.interval.max(Duration::from_millis(1)),
        started: Instant::now(),
        stop: stop.child_token(),
        connecting: Semaphore::new(CONNECT_AT_ONCE),
    });
    let vehicles = fleet.into_vehicles();
    let devices = vehicles.len();
    let mut tasks = JoinSet::new();
    for (index, vehicle) in (0_u32..).zip(vehicles) {
        // First reports are spread evenly over one interval.
        let after = drive.interval.mul_f64(f64::from(index) / f64::from(u32::try_from(devices).unwrap_or(u32::MAX)));
        let drive = Arc::clone(&drive);
        match vehicle.protocol() {
            Protocol::Gt06 => {
                let Some(address) = targets.gt06.clone() else { continue };
                tasks.spawn(async move { tracker::run(vehicle, &address, after, &drive).await });
            }
            Protocol::OwnTracks => {
                let Some(url) = targets.owntracks.clone() else { continue };
                tasks.spawn(async move { phone::run(vehicle, &url, after, &drive).await });
            }
        }
    }
    let mut tell = interval(TELL_EVERY);
    let end = pace.duration.and_then(|d| drive.started.checked_add(d));
    loop {
        let ended = async {
            match end {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = ended => break,
            // Where all have arrived, nobody sends any more.
            _ = tasks.join_next() => if tasks.is_empty() { break },
            _ = tell.tick() => report(&drive.tally.progress(devices)),
        }
    }
    drive.stop.cancel();
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    if timeout(LAST_ANSWERS, all_ended).await.is_err() {
        tasks.shutdown().await;
    }
    let progress = drive.tally.progress(devices);
    report(&progress);
    Ok(progress)
}

/// As [`drive`], for a thread without a runtime, until the system asks to stop.
pub fn run(
    fleet: Fleet,
    targets: &Targets,
    pace: Pace,
    clock: Clock,
    report: impl FnMut(&Progress),
) -> Result<Progress, DriveError> {
    let runtime = super::runtime().map_err(DriveError::Runtime)?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let mut signal = StopSignal::new().map_err(DriveError::Runtime)?;
        let stopped = async {
            signal.received().await;
            stop.cancel();
            std::future::pending().await
        };
        tokio::select! {
            driven = drive(fleet, targets, pace, clock, stop.clone(), report) => driven,
            never = stopped => never,
        }
    })
}

/// The window's demo, on the road.
#[derive(Debug)]
pub struct Demo {
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Demo {
    /// Makes the demo's devices, adopted and named, and lets them report to the receivers that listen.
    pub(super) fn start(
        handle: &Handle,
        vehicles: usize,
        receivers: &[ReceiverLine],
        clock: &Clock,
        store: Writer,
    ) -> Self {
        let stop = CancellationToken::new();
        let address = |protocol| receivers.iter().filter(|line| line.protocol == protocol).find_map(reachable);
        let targets = Targets {
            gt06: address(Protocol::Gt06).map(|at| at.to_string()),
            owntracks: address(Protocol::OwnTracks)
                .and_then(|at| HttpUrl::parse(&at.to_string()).ok())
                // What the receiver asks of every phone, it asks of these.
                .map(|url| url.or_credentials(Access::from_environment().credentials.as_deref())),
        };
        let fleet = Fleet::new(Band::Demo, vehicles, &targets.protocols(), DEMO_SEED);
        let pace = Pace { interval: DEMO_INTERVAL, duration: None };
        let (clock, token) = (Arc::clone(clock), stop.clone());
        let ended = handle.spawn(async move {
            for vehicle in fleet.vehicles() {
                let identity = Identity::new(vehicle.identity()).expect("the simulator's names are short");
                let made =
                    store.add_device(vehicle.protocol(), identity, Some(vehicle.name().to_owned())).answered().await;
                if let Err(error) = made {
                    tracing::warn!(%error, "the demo has no devices");
                    return;
                }
            }
            if let Err(error) = drive(fleet, &targets, pace, clock, token, |_| ()).await {
                tracing::warn!(%error, "the demo has ended");
            }
        });
        Self { stop, ended }
    }

    /// Stops it; what is answered says when the last device has.
    pub(super) fn stop(self) -> JoinHandle<()> {
        let Self { stop, ended } = self;
        stop.cancel();
        ended
    }
}

/// True for a device of the demo.
pub fn is_demo(identity: &Identity) -> bool {
    Band::Demo.holds(identity.as_str())
}

/// The address under which this machine reaches its own receiver.
fn reachable(line: &ReceiverLine) -> Option<SocketAddr> {
    match line.status {
        ReceiverStatus::Listening(at) => Some(from_here(at)),
        ReceiverStatus::Off | ReceiverStatus::Starting | ReceiverStatus::Waiting { .. } => None,
    }
}

/// Where a program on this machine reaches a receiver that listens at `at`: "every address" is none to connect to.
pub fn from_here(mut at: SocketAddr) -> SocketAddr {
    if at.ip().is_unspecified() {
        at.set_ip(if at.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    at
}
