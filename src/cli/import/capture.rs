//! Captured bytes into the store: packets, where the other files bring positions.

use std::{io::Write, path::Path};

use anyhow::{Result, bail};
use jiff::tz::TimeZone;
use serde_json::json;

use super::{ImportArgs, Site, stage_text};
use crate::{
    backend::{
        capture::{CaptureStatus, bring_capture, place_text},
        keeping::until_stopped,
    },
    cli::{
        devices,
        progress::{Progress, count},
    },
    model::Policy,
    store::Store,
};

/// Brings a capture in. Where `--create` says so, its senders are devices at once.
pub(super) fn bring(
    path: &Path,
    zone: &TimeZone,
    args: &ImportArgs,
    store: &Store,
    beside: bool,
    site: &Site,
    out: &mut dyn Write,
) -> Result<()> {
    let name = devices::plain(&path.display().to_string());
    if args.device.is_some() || args.new.is_some() {
        bail!(
            "{name} is a capture: its packets say themselves whose they are, so --device and --new do not go with it; `wayglass decode FILE` explains its bytes"
        );
    }
    if beside {
        bail!(
            "{name} is a capture, and an instance receives into this folder: stop it first, or open the capture in its window"
        );
    }
    if args.create {
        store.set_policy(Policy::Adopt);
    }
    let (writer, path, zone) = (store.writer(), path.to_owned(), zone.clone());
    let (now, mut progress) = ((site.clock)(), Progress::new(site.quiet));
    let brought = until_stopped(
        move |watch| bring_capture(&writer, &path, zone, now, watch),
        |watch| progress.tell(&stage_text(watch, "reading")),
    )?;
    drop(progress);
    let status = brought?;
    if args.json {
        writeln!(out, "{}", as_json(&status))?;
    } else {
        let remarks = status.remarks();
        let remarks = if remarks.is_empty() { remarks } else { format!("; {remarks}") };
        let connections = count(status.connections, "connection");
        writeln!(out, "{name}: {} over {connections}{remarks}", count(status.packets, "packet"))?;
    }
    if status.packets == 0 {
        bail!("there is no packet in {name}, so nothing came of it");
    }
    Ok(())
}

fn as_json(status: &CaptureStatus) -> serde_json::Value {
    let complaint = |(place, why): &(_, crate::wire::dress::Complaint)| json!({"at": place_text(*place), "column": why.column, "why": why.text});
    json!({
        "file": status.name,
        "format": status.kind,
        "packets": status.packets,
        "connections": status.connections,
        "cut": status.cut,
        "rejected": status.rejected,
        "passed": status.passed,
        "untimed": status.untimed,
        "broken": status.broken,
        "complaints": status.complaints.iter().map(complaint).collect::<Vec<_>>(),
    })
}
