//! `wayglass serve`: the same receivers, store and API without a window.

use std::{io::Write, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};

use crate::{
    backend::{Backend, ReceiverLine, ReceiverStatus, Setup, TapLine, TapMode, taps},
    model::{Clock, Protocol},
};

/// How long connections may take to store what they have read; the contract gives 5 s for everything.
const PATIENCE: Duration = Duration::from_secs(3);

/// Serves until the system asks to stop. Prints the one ready line when everything is bound, and nothing else to `out`.
pub fn run(setup: Setup, clock: Clock, out: &mut dyn Write) -> Result<()> {
    let backend = Backend::start(setup, clock, Arc::new(|| ()))?;
    let served = serve(&backend, out);
    backend.stop(PATIENCE);
    served
}

fn serve(backend: &Backend, out: &mut dyn Write) -> Result<()> {
    // Caught before the ready line, so that whoever reads it may stop us at once.
    let mut stop = backend.stop_signal().context("cannot listen for signals")?;
    backend.wait_settled();
    let lines = backend.receivers();
    let https = backend.https();
    for (line, flag) in lines.iter().map(|l| (l, l.protocol.as_str())).chain(https.iter().map(|l| (l, "https"))) {
        if let ReceiverStatus::Waiting { wanted, error, holder, .. } = &line.status {
            let (name, port) = (line.protocol.title(), wanted.port());
            let held = holder.as_deref().map(|h| format!(" by {h}")).unwrap_or_default();
            bail!(
                "cannot listen for {name} on {wanted}: {error}{held}; free port {port} or choose another with --{flag}"
            );
        }
    }
    let taps = backend.taps();
    for TapLine { tap, line, .. } in &taps {
        if let ReceiverStatus::Waiting { wanted, error, holder, .. } = &line.status {
            let (name, port) = (&tap.name, wanted.port());
            let held = holder.as_deref().map(|h| format!(" by {h}")).unwrap_or_default();
            bail!(
                "cannot listen for the tap {name} on {wanted}: {error}{held}; free port {port} or choose another with {}",
                taps::flag(&tap.mode)
            );
        }
    }
    writeln!(out, "{}", ready(&lines, &taps, backend))
        .and_then(|()| out.flush())
        .context("cannot print the ready line")?;
    backend.wait_for_stop(&mut stop)?;
    Ok(())
}

/// The ready line of contract.md §1, keys in its order.
#[derive(serde::Serialize)]
struct Announcement<'a> {
    ready: bool,
    gt06: Option<String>,
    owntracks: Option<String>,
    /// Only where it is on: the contract knows no such key.
    #[serde(skip_serializing_if = "Option::is_none")]
    https: Option<String>,
    /// Only where there are some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taps: Vec<AnnouncedTap<'a>>,
    api: Option<String>,
    data_dir: &'a Path,
    pid: u32,
}

/// A tap that listens, or is off.
#[derive(serde::Serialize)]
struct AnnouncedTap<'a> {
    name: &'a str,
    listen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
}

fn ready(lines: &[ReceiverLine], taps: &[TapLine], backend: &Backend) -> String {
    let of = |protocol| lines.iter().find(|l| l.protocol == protocol).and_then(bound);
    let announcement = Announcement {
        ready: true,
        gt06: of(Protocol::Gt06).map(|at| at.to_string()),
        owntracks: of(Protocol::OwnTracks).map(|at| format!("http://{at}")),
        https: backend.https().and_then(|line| bound(&line)).map(|at| format!("https://{at}")),
        taps: taps.iter().map(announced).collect(),
        api: None,
        data_dir: backend.data_dir(),
        pid: std::process::id(),
    };
    serde_json::to_string(&announcement).expect("strings, numbers and a path of this process")
}

fn bound(line: &ReceiverLine) -> Option<SocketAddr> {
    match &line.status {
        ReceiverStatus::Listening(at) => Some(*at),
        ReceiverStatus::Off | ReceiverStatus::Starting | ReceiverStatus::Waiting { .. } => None,
    }
}

fn announced(TapLine { tap, line, .. }: &TapLine) -> AnnouncedTap<'_> {
    let to = match &tap.mode {
        TapMode::Pass { to } => Some(to.as_str()),
        TapMode::Copy => None,
    };
    AnnouncedTap { name: &tap.name, listen: bound(line).map(|at| at.to_string()), to }
}
