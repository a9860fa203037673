//! Captured bytes into the store: packets, where the other files bring positions.

use std::{io::Write, path::Path};

use anyhow::{Result, bail};
use jiff::tz::TimeZone;
use serde_json::json;

use super::{ImportArgs, LISTED, Site, stage_text};
use crate::{
    backend::{
        capture::{CaptureStatus, Looked, bring_capture, look_at_capture, place_text},
        keeping::until_stopped,
    },
    cli::{
        devices,
        progress::{Progress, count},
    },
    model::{Clock, Device, DeviceOverview, Policy},
    store::{Store, query},
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
    let name = named(path, args)?;
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
        writeln!(out, "{}", in_a_line(&name, &status))?;
    }
    if status.packets == 0 {
        bail!("there is no packet in {name}, so nothing came of it");
    }
    Ok(())
}

/// Shows what a capture holds, and whose it is. Nothing of it is kept.
pub(super) fn show(
    path: &Path,
    zone: &TimeZone,
    args: &ImportArgs,
    store: Option<&Store>,
    site: &Site,
    out: &mut dyn Write,
) -> Result<()> {
    let name = named(path, args)?;
    let (path, zone, clock) = (path.to_owned(), zone.clone(), Clock::clone(&site.clock));
    let mut progress = Progress::new(site.quiet);
    let looked = until_stopped(
        move |watch| look_at_capture(&path, zone, &clock, watch),
        |watch| progress.tell(&stage_text(watch, "looking")),
    )?;
    drop(progress);
    let Looked { status, senders } = looked?;
    let known = |sender: &DeviceOverview| -> Result<Option<Device>> {
        let Some(store) = store else { return Ok(None) };
        let identity = sender.device.identity.as_str().to_owned();
        Ok(store.reader().read(move |db| query::find_device(db, &identity)).wait()?)
    };
    let senders: Vec<_> = senders.iter().map(|sender| Ok((sender, known(sender)?))).collect::<Result<_>>()?;
    if args.json {
        let mut value = as_json(&status);
        if let Some(object) = value.as_object_mut() {
            object.insert(
                "senders".to_owned(),
                senders.iter().map(|(s, known)| sender_json(s, known.as_ref())).collect(),
            );
        }
        writeln!(out, "{value}")?;
        return Ok(());
    }
    writeln!(out, "{}", in_a_line(&name, &status))?;
    for (DeviceOverview { device, packets, positions, .. }, known) in senders.iter().take(LISTED) {
        let to = known.as_ref().map_or("no device here".to_owned(), |known| devices::plain(known.label()));
        let (packets, positions) = (count(*packets, "packet"), count(*positions, "position"));
        writeln!(out, "  {}: {packets}, {positions} → {to}", devices::plain(device.identity.as_str()))?;
    }
    if senders.len() > LISTED {
        writeln!(out, "  and {} more", count((senders.len() - LISTED) as u64, "sender"))?;
    }
    for (place, why) in status.complaints.iter().take(LISTED) {
        writeln!(out, "  {}, column {}: {}", place_text(*place), why.column, devices::plain(&why.text))?;
    }
    Ok(())
}

/// The file's name, where nothing was said that a capture cannot do.
fn named(path: &Path, args: &ImportArgs) -> Result<String> {
    let name = devices::plain(&path.display().to_string());
    if args.device.is_some() || args.new.is_some() {
        bail!(
            "{name} is a capture: its packets say themselves whose they are, so --device and --new do not go with it; `wayglass decode FILE` explains its bytes"
        );
    }
    Ok(name)
}

fn in_a_line(name: &str, status: &CaptureStatus) -> String {
    let remarks = status.remarks();
    let remarks = if remarks.is_empty() { remarks } else { format!("; {remarks}") };
    let (packets, connections) = (count(status.packets, "packet"), count(status.connections, "connection"));
    format!("{name}: {packets} over {connections}{remarks}")
}

fn sender_json(sender: &DeviceOverview, known: Option<&Device>) -> serde_json::Value {
    json!({
        "identity": sender.device.identity.as_str(),
        "protocol": sender.device.protocol.as_str(),
        "packets": sender.packets,
        "positions": sender.positions,
        "device": known.map(|device| device.label().to_owned()),
    })
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
