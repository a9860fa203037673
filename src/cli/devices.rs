//! `wayglass devices`, `adopt` and `ignore`: who there is, and the decision about a new sender. All work beside a running instance.

use std::{io::Write, path::Path};

use anyhow::{Result, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::{Site, progress::count};
use crate::{
    model::{Clock, Device, DeviceOverview, DeviceState, Identity, Protocol, StoredFix, Timestamp},
    store::{Error, Store, query},
};

/// List the devices: adopted, new and ignored; works beside a running instance.
#[derive(Debug, Args)]
pub(super) struct DevicesArgs {
    /// Print one JSON array instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

/// Make a new sender a device; what was kept of it becomes its history.
#[derive(Debug, Args)]
pub(super) struct AdoptArgs {
    /// Its identity (the 15 digits of a GT06 tracker, the topic of a phone) or its name.
    #[arg(value_name = "IDENTITY")]
    identity: String,
    /// What to call it from now on.
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// It has not called yet: 15 digits, or a topic with a slash. For the strict policy, which refuses the unknown.
    #[arg(long)]
    unheard: bool,
}

/// Set a sender aside: it is answered, but not shown.
#[derive(Debug, Args)]
pub(super) struct IgnoreArgs {
    /// Its identity or its name.
    #[arg(value_name = "IDENTITY")]
    identity: String,
}

/// Lists the devices.
pub(super) fn list(args: &DevicesArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let store = Store::view(&site.data_dir()?, Clock::clone(&site.clock))?;
    let devices = store.reader().read(query::device_overviews).wait()?;
    store.close();
    if args.json {
        serde_json::to_writer(&mut *out, &devices.iter().map(device_json).collect::<Vec<_>>())?;
        writeln!(out)?;
    } else if devices.is_empty() {
        writeln!(out, "no device has called yet")?;
    } else {
        table(&devices, (site.clock)(), out)?;
    }
    out.flush()?;
    Ok(())
}

/// Adopts a sender.
pub(super) fn adopt(args: &AdoptArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let store = beside(&site.data_dir()?, site)?;
    let name = args.name.clone();
    match find(&store, &args.identity) {
        Ok(device) => {
            let positions = store.writer().try_adopt(device.id, name).wait()?;
            writeln!(out, "adopted {}: {}", shown(&device.identity), count(positions, "position"))?;
        }
        Err(Error::NoSuchDevice(_)) if args.unheard => {
            let (protocol, identity) = expected(&args.identity).ok_or_else(|| {
                anyhow!("{} is neither the 15 digits of an IMEI nor a topic with a slash", args.identity)
            })?;
            let device = store.writer().add_device(protocol, identity, name).wait()?;
            writeln!(out, "adopted {}, which has not called yet ({protocol})", shown(&device.identity))?;
        }
        Err(error) => return Err(error.into()),
    }
    store.close();
    out.flush()?;
    Ok(())
}

/// Sets a sender aside.
pub(super) fn ignore(args: &IgnoreArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let store = beside(&site.data_dir()?, site)?;
    let device = find(&store, &args.identity)?;
    store.writer().ignore(device.id).wait()?;
    writeln!(out, "ignored {}: it is answered, but not shown", shown(&device.identity))?;
    store.close();
    out.flush()?;
    Ok(())
}

pub(super) fn beside(data_dir: &Path, site: &Site) -> Result<Store, Error> {
    Store::beside(data_dir, Clock::clone(&site.clock))
}

pub(super) fn find(store: &Store, word: &str) -> Result<Device, Error> {
    let name = word.to_owned();
    let found = store.reader().read(move |db| query::find_device(db, &name)).wait()?;
    found.ok_or_else(|| Error::NoSuchDevice(word.to_owned()))
}

/// What a device will be that is adopted before it ever called. Only where the identity leaves no doubt: a name with a slip of
/// the finger must not become a device.
fn expected(word: &str) -> Option<(Protocol, Identity)> {
    let imei = word.len() == 15 && word.bytes().all(|b| b.is_ascii_digit());
    let protocol = if imei {
        Protocol::Gt06
    } else if word.contains('/') {
        Protocol::OwnTracks
    } else {
        return None;
    };
    Some((protocol, Identity::new(word)?))
}

fn device_json(overview: &DeviceOverview) -> Value {
    let DeviceOverview { device, last_fix, readings, packets, positions, lost_frames } = overview;
    let Device { id: _, identity, protocol, name, state, profile, first_seen, last_heard } = device;
    json!({
        "identity": identity.as_str(),
        "name": name,
        "protocol": protocol.as_str(),
        "state": state.as_str(),
        "model": profile.model,
        "groups": profile.look.groups,
        "color": profile.look.color,
        "icon": profile.look.icon,
        "notes": profile.look.notes,
        "first_seen": first_seen.to_string(),
        "last_heard": last_heard.map(|at| at.to_string()),
        "positions": positions,
        "packets": packets,
        "lost_frames": lost_frames,
        "position": last_fix.as_ref().map(position_json),
        "attributes": readings.to_json(),
    })
}

/// The keys of `position` in contract.md §2.
fn position_json(stored: &StoredFix) -> Value {
    let fix = &stored.fix;
    json!({
        "fix_time": fix.at.to_string(),
        "valid": fix.valid,
        "latitude": fix.place.lat_deg(),
        "longitude": fix.place.lon_deg(),
        "altitude_m": fix.altitude_m,
        "speed_kmh": fix.speed_kmh,
        "course_deg": fix.course_deg,
        "satellites": fix.satellites,
        "accuracy_m": fix.accuracy_m,
    })
}

fn table(devices: &[DeviceOverview], now: Timestamp, out: &mut dyn Write) -> std::io::Result<()> {
    const HEAD: [&str; 7] = ["NAME", "IDENTITY", "PROTOCOL", "STATE", "HEARD", "PLACE", "POSITIONS"];
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(devices.iter().map(|overview| {
        let device = &overview.device;
        let place = overview.last_fix.as_ref().map(|f| f.fix.place);
        [
            plain(device.name.as_deref().unwrap_or("-")),
            shown(&device.identity),
            device.protocol.title().to_owned(),
            match device.state {
                DeviceState::Adopted => "adopted",
                DeviceState::New => "new",
                DeviceState::Ignored => "ignored",
            }
            .to_owned(),
            device.last_heard.map_or("never".to_owned(), |at| ago(now, at)),
            place.map_or("-".to_owned(), |p| format!("{:.5} {:.5}", p.lat_deg(), p.lon_deg())),
            overview.positions.to_string(),
        ]
    }));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|c| rows.iter().map(|r| r.get(c).map_or(0, |t| t.chars().count())).max().unwrap_or(0))
        .collect();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(text, width)| format!("{text:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// How long ago, in the largest unit that says it.
fn ago(now: Timestamp, at: Timestamp) -> String {
    let secs = now.duration_since(at).as_secs().max(0);
    match secs {
        0..60 => format!("{secs} s ago"),
        60..3_600 => format!("{} min ago", secs / 60),
        3_600..172_800 => format!("{} h ago", secs / 3_600),
        _ => format!("{} d ago", secs / 86_400),
    }
}

pub(super) fn shown(identity: &Identity) -> String {
    plain(identity.as_str())
}

/// A name that a stranger chose, without what could steer a terminal.
pub(super) fn plain(name: &str) -> String {
    super::plain::line(name)
}
