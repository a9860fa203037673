//! `wayglass simulate`: a fleet that speaks the real protocols over real sockets.

use std::{
    fs::File,
    io::{BufReader, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::{
    Site,
    progress::{self, count},
};
use crate::{
    backend::{
        Access, ListenAt,
        config::default_address,
        demo::{self, HttpUrl, Latency, Pace, Targets},
    },
    import,
    model::{Clock, Protocol},
    sim::{Band, Fleet, Manner, Track},
};

/// Let a simulated fleet report over real sockets, until it is stopped.
///
/// Half of it are trackers that speak GT06, half phones that speak OwnTracks; when one address is given, all are of that kind.
/// Their identities begin with 00440101 and owntracks/sim/.
#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// How many devices.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    devices: u32,
    /// Between two reports of one device.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    interval: Duration,
    /// How long to go on [default: until it is stopped]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    duration: Option<Duration>,
    /// Where the trackers report to [default: where the settings say that this computer listens]
    #[arg(long, value_name = "HOST:PORT", value_parser = demo::host_port)]
    gt06: Option<String>,
    /// Where the phones report to, `http://[USER:PASSWORD@]HOST:PORT[/PATH]` [default: where the settings say]
    ///
    /// Without a user it is the one of `WAYGLASS_OWNTRACKS_AUTH`, where that is set.
    #[arg(long, value_name = "URL", value_parser = HttpUrl::parse)]
    owntracks: Option<HttpUrl>,
    /// Drive the tracks of this GPX file instead, in the times that they were recorded in; of several, each device the next one in turn
    ///
    /// Ends when the last device has arrived. A file with routes only needs `--kmh`.
    #[arg(long, value_name = "FILE")]
    gpx: Option<PathBuf>,
    /// Drive the GPX at this speed, whatever times it has
    #[arg(long, value_name = "KMH", requires = "gpx", value_parser = positive)]
    kmh: Option<f64>,
    /// Drive the GPX so many times as fast as it has it
    #[arg(long, value_name = "X", requires = "gpx", default_value = "1", value_parser = positive)]
    faster: f64,
    /// At the end of the GPX go back to its beginning, and so on
    #[arg(long = "loop", requires = "gpx")]
    around: bool,
    /// Devices on the same track set off so many seconds after each other
    #[arg(long, value_name = "SECONDS", requires = "gpx", default_value = "30", value_parser = apart)]
    apart: f64,
    /// The same seed gives the same fleet.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "it is a number of seconds from 0.001 to a year".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if (0.001..=31_536_000.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(wrong()) }
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n: &f64| (0.001..=10_000.0).contains(n));
    number.ok_or_else(|| "it is a number from 0.001 to 10000".to_owned())
}

fn apart(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n: &f64| (0.0..=86_400.0).contains(n));
    number.ok_or_else(|| "it is a number of seconds from 0 to 86400".to_owned())
}

/// The tracks of a GPX file, to be driven.
fn tracks(path: &Path, kmh: Option<f64>) -> Result<Vec<Track>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let ways = import::ways(BufReader::new(file)).with_context(|| format!("cannot drive {}", path.display()))?;
    let track = |(n, way): (usize, &Vec<_>)| {
        let track = kmh.map_or_else(|| Track::timed(way), |kmh| Track::at_speed(way, kmh));
        track.with_context(|| format!("cannot drive track {} of {} (--kmh says a speed)", n + 1, path.display()))
    };
    ways.iter().enumerate().map(track).collect()
}

/// Drives the fleet.
pub(super) fn run(args: &SimulateArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let mut targets = targets(args, site)?;
    let credentials = Access::from_environment().credentials;
    targets.owntracks = targets.owntracks.map(|url| url.or_credentials(credentials.as_deref()));
    let protocols = targets.protocols();
    let fleet = Fleet::new(Band::Simulate, usize::try_from(args.devices)?, &protocols, args.seed);
    let tracks = args.gpx.as_deref().map_or_else(|| Ok(Vec::new()), |path| tracks(path, args.kmh))?;
    let manner = Manner { faster: args.faster, around: args.around, waits_s: 0.0 };
    let fleet = fleet.on_tracks(&tracks, manner, args.apart);
    let pace = Pace { interval: args.interval, duration: args.duration };
    let mut line = progress::Progress::new(site.quiet);
    let told = |p: &demo::Progress| {
        let trouble = p.error.as_ref().filter(|_| p.failed + p.broken > 0);
        let trouble = trouble.map(|e| format!("; {} in trouble, last: {e}", p.failed + p.broken)).unwrap_or_default();
        line.tell(&format!("{} connected, {} sent, {} answered{trouble}", p.connected, p.sent, p.answered));
    };
    let end = demo::run(fleet, &targets, pace, Clock::clone(&site.clock), told)?;
    drop(line);
    if !site.quiet {
        let took = end.latency.map(|Latency { p50, p99, max }| {
            format!("; half of the answers within {p50:.1?}, 99 of 100 within {p99:.1?}, all within {max:.1?}")
        });
        writeln!(
            out,
            "{}: {} sent, {} answered, {} failed, {} broken{}",
            count(u64::from(args.devices), "device"),
            end.sent,
            end.answered,
            end.failed,
            count(end.broken, "connection"),
            took.unwrap_or_default(),
        )?;
        out.flush()?;
    }
    if end.sent > 0 && end.answered == 0 {
        bail!("nothing was answered; last trouble: {}", end.error.as_deref().unwrap_or("none"));
    }
    Ok(())
}

/// Where to: what was typed; where nothing was, the receivers that this computer is set to have.
fn targets(args: &SimulateArgs, site: &Site) -> Result<Targets> {
    if args.gt06.is_some() || args.owntracks.is_some() {
        return Ok(Targets { gt06: args.gt06.clone(), owntracks: args.owntracks.clone() });
    }
    let local = |protocol, set: Option<ListenAt>| match set.unwrap_or_else(|| default_address(protocol)) {
        ListenAt::Off => None,
        ListenAt::Address(at) => Some(demo::from_here(at).to_string()),
    };
    let targets = Targets {
        gt06: local(Protocol::Gt06, site.config.gt06),
        owntracks: local(Protocol::OwnTracks, site.config.owntracks).and_then(|at| HttpUrl::parse(&at).ok()),
    };
    if targets.protocols().is_empty() {
        bail!("the settings switch every receiver off; say where to report with --gt06 or --owntracks");
    }
    Ok(targets)
}
