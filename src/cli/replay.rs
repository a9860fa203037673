//! `wayglass replay`: sends a capture again.

use std::{io::Write, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use super::{
    Site,
    progress::{self, count},
};
use crate::backend::{
    Access,
    demo::HttpUrl,
    replay::{self, Rename, ReplayJob, Speed, Tale, Target},
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
    #[arg(long, value_name = "HOST:PORT", value_parser = target)]
    to: Target,
    /// So many times as fast as it was, 0.1 to 1000; `max` without a pause; `acked` each frame when the one before it was answered
    #[arg(long, value_name = "X|max|acked", default_value = "1", value_parser = speed)]
    speed: Speed,
    /// Logins go under this IMEI, or those of OLD under NEW
    #[arg(long, value_name = "NEW|OLD=NEW", value_parser = rename)]
    imei: Option<Rename>,
}

fn target(text: &str) -> Result<Target, String> {
    if text.contains("://") {
        return HttpUrl::parse(text).map(Target::OwnTracks);
    }
    super::simulate::host_port(text).map(Target::Gt06)
}

fn speed(text: &str) -> Result<Speed, String> {
    match text {
        "max" => Ok(Speed::Max),
        "acked" => Ok(Speed::Acknowledged),
        _ => match text.trim_end_matches(['x', 'X']).parse::<f64>() {
            Ok(times) if (0.1..=1_000.0).contains(&times) => Ok(Speed::Times(times)),
            _ => Err("it is a number from 0.1 to 1000, max, or acked".to_owned()),
        },
    }
}

fn rename(text: &str) -> Result<Rename, String> {
    let imei = |text: &str| {
        let good = text.len() == 15 && text.bytes().all(|b| b.is_ascii_digit());
        if good { Ok(text.to_owned()) } else { Err(format!("{text:?} is no IMEI, which has 15 digits")) }
    };
    match text.split_once('=') {
        Some((old, new)) => Ok(Rename { old: Some(imei(old)?), new: imei(new)? }),
        None => Ok(Rename { old: None, new: imei(text)? }),
    }
}

/// Sends it.
pub(super) fn run(args: ReplayArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let ReplayArgs { file, to, speed, imei } = args;
    let credentials = Access::from_environment().credentials;
    let to = match to {
        Target::OwnTracks(url) => Target::OwnTracks(url.or_credentials(credentials.as_deref())),
        gt06 @ Target::Gt06(_) => gt06,
    };
    let job = ReplayJob { file, to, speed, rename: imei };
    let mut line = progress::Progress::new(site.quiet);
    let tale = replay::run(&job, (site.clock)(), |tale| {
        line.tell(&format!("{} sent, {} answered", tale.sent, tale.answered));
    })?;
    drop(line);
    if !site.quiet {
        writeln!(out, "{}", summary(&tale))?;
        for odd in &tale.odd {
            writeln!(out, "{}", odd.0)?;
        }
        out.flush()?;
    }
    if tale.sent == 0 {
        bail!("nothing was sent: {}", nothing(&tale, &job.to));
    }
    Ok(())
}

fn summary(tale: &Tale) -> String {
    let mut said = vec![format!("{} sent", count(tale.sent, "packet")), format!("{} answered", tale.answered)];
    let more = [
        (tale.missing, "answered in the capture and not now"),
        (tale.other, "answered otherwise"),
        (tale.silent, "not answered, in the capture neither"),
        (tale.unsent, "not sent"),
        (tale.others, "of the other protocol left out"),
        (tale.rejects, "unreadable"),
    ];
    said.extend(more.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    said.join(", ")
}

fn nothing(tale: &Tale, to: &Target) -> &'static str {
    match to {
        _ if tale.others == 0 => "the capture holds nothing that a device sent",
        Target::Gt06(_) => "the capture holds OwnTracks bodies only; give --to http://HOST:PORT",
        Target::OwnTracks(_) => "the capture holds GT06 frames only; give --to HOST:PORT",
    }
}
