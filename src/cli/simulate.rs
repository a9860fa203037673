//! `wayglass simulate`: a fleet that speaks the real protocols over real sockets.

use std::{io::Write, time::Duration};

use anyhow::{Result, bail};
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
    model::{Clock, Protocol},
    sim::{Band, Fleet},
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
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    gt06: Option<String>,
    /// Where the phones report to, `http://[USER:PASSWORD@]HOST:PORT[/PATH]` [default: where the settings say]
    ///
    /// Without a user it is the one of `WAYGLASS_OWNTRACKS_AUTH`, where that is set.
    #[arg(long, value_name = "URL", value_parser = HttpUrl::parse)]
    owntracks: Option<HttpUrl>,
    /// The same seed gives the same fleet.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "it is a number of seconds from 0.001 to a year".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if (0.001..=31_536_000.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(wrong()) }
}

pub(super) fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0) => Ok(text.to_owned()),
        _ => Err("it is HOST:PORT, as 127.0.0.1:5023".to_owned()),
    }
}

/// Drives the fleet.
pub(super) fn run(args: &SimulateArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let mut targets = targets(args, site)?;
    let credentials = Access::from_environment().credentials;
    targets.owntracks = targets.owntracks.map(|url| url.or_credentials(credentials.as_deref()));
    let protocols = targets.protocols();
    let fleet = Fleet::new(Band::Simulate, usize::try_from(args.devices)?, &protocols, args.seed);
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
