//! `wayglass replay`: sends a capture again.

use std::{io::Write, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use super::{Site, progress};
use crate::backend::{
    Access,
    capture::CaptureSource,
    replay::{self, Rename, ReplayJob, Speed, Target},
};

/// Send a capture again: what the devices sent, over real sockets, and compare what comes back.
///
/// FILE is a pcap or pcapng file, a log, hex, JSON lines: what `wayglass packets` writes, and whatever `wayglass decode` reads.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The capture.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to: HOST:PORT for GT06 frames, `http://[USER:PASSWORD@]HOST:PORT[/PATH]` for OwnTracks bodies
    #[arg(long, value_name = "HOST:PORT", value_parser = Target::parse)]
    to: Target,
    /// So many times as fast as it was, 0.1 to 1000; `max` without a pause; `acked` each frame when the one before it was answered
    #[arg(long, value_name = "X|max|acked", default_value = "1", value_parser = Speed::parse)]
    speed: Speed,
    /// Logins go under this IMEI, or those of OLD under NEW
    #[arg(long, value_name = "NEW|OLD=NEW", value_parser = Rename::parse)]
    imei: Option<Rename>,
}

/// Sends it.
pub(super) fn run(args: ReplayArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let ReplayArgs { file, to, speed, imei } = args;
    let credentials = Access::from_environment().credentials;
    let to = match to {
        Target::OwnTracks(url) => Target::OwnTracks(url.or_credentials(credentials.as_deref())),
        gt06 @ Target::Gt06(_) => gt06,
    };
    let job = ReplayJob { source: CaptureSource::File(file), to, speed, rename: imei };
    let mut line = progress::Progress::new(site.quiet);
    let tale = replay::run(&job, (site.clock)(), |tale| {
        line.tell(&format!("{} sent, {} answered", tale.sent, tale.answered));
    })?;
    drop(line);
    if !site.quiet {
        writeln!(out, "{}", tale.summary())?;
        for odd in &tale.odd {
            writeln!(out, "{}", odd.0)?;
        }
        out.flush()?;
    }
    if let Some(why) = tale.nothing(&job.to) {
        bail!("nothing was sent: {why}");
    }
    Ok(())
}
