//! `wayglass events`: what happened to devices: alarms, places, silence, speed, batteries. Works beside a running instance.

use std::io::Write;

use anyhow::Result;
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{
    Site,
    devices::{find, plain},
    moment,
};
use crate::{
    model::{Clock, Device, StoredEvent, watch::Kind},
    store::{Store, query, watch},
};

/// List what happened: alarms, places entered and left, silence, speed, batteries; works beside a running instance.
#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    /// Identity or name of a device [default: all]
    #[arg(long, value_name = "ID")]
    device: Option<String>,
    /// First moment: 2026-11-21T10:00:00Z, 2026-11-21, today, yesterday … [default: the beginning]
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Last moment, inclusive; a day counts whole [default: the end]
    #[arg(long, value_name = "T")]
    to: Option<String>,
    /// alarm, enter, leave, dwell, overspeed, lowBattery, quiet, or any other type in the table `events`; may repeat [default: these seven]
    #[arg(long = "type", value_name = "T")]
    types: Vec<String>,
    /// Only what nobody has read.
    #[arg(long)]
    unread: bool,
    /// The newest so many at most.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
    /// Print one JSON array instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

/// Lists events, oldest first.
pub(super) fn run(args: &EventsArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let window = moment::window(args.from.as_deref(), args.to.as_deref(), (site.clock)(), &TimeZone::system())?;
    let store = Store::view(&site.data_dir()?, Clock::clone(&site.clock))?;
    let device = args.device.as_deref().map(|word| find(&store, word)).transpose()?.map(|device| device.id);
    let (types, unread, limit) = (args.types.clone(), args.unread, args.limit);
    let wanted = watch::EventQuery { device, window, types, unread, limit };
    let reader = store.reader();
    let mut events = reader.read_long(move |db| watch::events(db, &wanted)).wait()?;
    let devices = reader.read(query::devices).wait()?;
    store.close();
    events.reverse();
    let of = |event: &StoredEvent| devices.iter().find(|device| device.id == event.device);
    if args.json {
        serde_json::to_writer(&mut *out, &events.iter().map(|event| as_json(event, of(event))).collect::<Vec<_>>())?;
        writeln!(out)?;
    } else if events.is_empty() {
        writeln!(out, "nothing happened that is watched for")?;
    } else {
        for event in &events {
            let name = of(event).map_or_else(|| "?".to_owned(), |device| plain(device.label()));
            let title = Kind::parse(&event.kind).map_or_else(|| plain(&event.kind), |kind| kind.title().to_owned());
            let new = if event.unread { "*" } else { " " };
            writeln!(out, "{new} {:<20}  {title:<11}  {name}  {}", event.at.to_string(), plain(&values(event)))?;
        }
    }
    out.flush()?;
    Ok(())
}

fn as_json(event: &StoredEvent, device: Option<&Device>) -> Value {
    json!({
        "id": event.id,
        "device": device.map(|device| device.identity.as_str()),
        "name": device.and_then(|device| device.name.as_deref()),
        "time": event.at.to_string(),
        "type": event.kind,
        "attributes": event.attributes.to_json(),
        "unread": event.unread,
        "packet": (event.packet.0 > 0).then_some(event.packet.0),
    })
}

/// The values in one line.
fn values(event: &StoredEvent) -> String {
    let shown = event.attributes.iter().filter(|(key, _)| *key != "placeId").map(|(key, value)| match value {
        Value::String(text) if key == "place" || key == "alarm" => text.clone(),
        Value::String(text) => format!("{key} {text}"),
        other => format!("{key} {other}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}
