//! `wayglass trips`: trips and stops of devices, as the window lists them. Works beside a running instance.

use std::io::Write;

use anyhow::{Result, bail};
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{
    Site,
    devices::{find, plain, shown},
    moment,
};
use crate::{
    backend::{Room, read_past},
    geo::LatLon,
    model::{Clock, Device, DeviceState, TimeWindow, Timestamp},
    store::{Store, query},
    track::{Leg, Past, Stop, Trip},
};

/// Points of one device that are looked at in one call: some 300 MB of memory.
const MOST_POINTS: u64 = 4_000_000;

/// List trips and stops, found from positions: a stop is three minutes within a hundred metres.
///
/// Positions that are hidden, under a wrong checksum or out of reach for anything that moves do not count. Works beside a running instance.
#[derive(Debug, Args)]
pub(super) struct TripsArgs {
    /// Identity or name of a device; may repeat; `all` for every adopted one.
    #[arg(long = "device", value_name = "ID", required = true)]
    devices: Vec<String>,
    /// First moment: 2026-11-21T10:00:00Z, 2026-11-21, today, yesterday … [default: the beginning]
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Last moment, inclusive; a day counts whole [default: the end]
    #[arg(long, value_name = "T")]
    to: Option<String>,
    /// Print one JSON object a device, one a line.
    #[arg(long)]
    pub(super) json: bool,
}

/// Lists trips and stops.
pub(super) fn run(args: &TripsArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let zone = TimeZone::system();
    let window = moment::window(args.from.as_deref(), args.to.as_deref(), (site.clock)(), &zone)?;
    let store = Store::view(&site.data_dir()?, Clock::clone(&site.clock))?;
    for device in wanted(&store, &args.devices)? {
        let past = read(&store, &device, window)?;
        if args.json {
            serde_json::to_writer(&mut *out, &past_json(&device, &past))?;
            writeln!(out)?;
        } else {
            table(&device, &past, &zone, out)?;
        }
    }
    store.close();
    out.flush()?;
    Ok(())
}

fn wanted(store: &Store, words: &[String]) -> Result<Vec<Device>> {
    let mut wanted: Vec<Device> = Vec::new();
    for word in words {
        if word == "all" {
            let devices = store.reader().read(query::devices).wait()?;
            wanted.extend(devices.into_iter().filter(|device| device.state == DeviceState::Adopted));
        } else {
            wanted.push(find(store, word)?);
        }
    }
    if wanted.is_empty() {
        bail!("no device is adopted yet; `wayglass devices` lists who has called");
    }
    let mut seen = std::collections::HashSet::new();
    wanted.retain(|device| seen.insert(device.id));
    Ok(wanted)
}

fn read(store: &Store, device: &Device, window: TimeWindow) -> Result<Past> {
    let past = read_past(&store.reader(), device.id, window, &Room::new(MOST_POINTS), || true)?.unwrap_or_default();
    if past.cut {
        bail!(
            "there are more than {MOST_POINTS} positions of {}; give a shorter span with --from and --to",
            plain(device.label())
        );
    }
    Ok(past)
}

fn past_json(device: &Device, past: &Past) -> Value {
    let stats = &past.stats;
    json!({
        "device": device.identity.as_str(),
        "name": device.name,
        "legs": past.legs.iter().map(leg_json).collect::<Vec<_>>(),
        "distance_m": tenths(stats.distance_m),
        "moving_s": stats.moving_ms / 1_000,
        "parked_s": stats.parked_ms / 1_000,
        "top_kmh": stats.top_kmh.map(tenths),
        "mean_kmh": stats.mean_kmh().map(tenths),
        "points": stats.points,
        "gaps": stats.gaps,
        "hidden": stats.hidden,
        "outliers": stats.outliers,
        "suspect": stats.suspect,
    })
}

fn leg_json(leg: &Leg) -> Value {
    let place = |place: LatLon| json!({ "latitude": place.lat_deg(), "longitude": place.lon_deg() });
    match leg {
        Leg::Trip(trip) => json!({
            "kind": "trip",
            "from": time(trip.from_ms).to_string(),
            "to": time(trip.to_ms).to_string(),
            "duration_s": trip.duration_ms() / 1_000,
            "distance_m": tenths(trip.distance_m),
            "top_kmh": trip.top_kmh.map(tenths),
            "mean_kmh": trip.mean_kmh().map(tenths),
            "start": place(trip.start),
            "end": place(trip.end),
        }),
        Leg::Stop(stop) => json!({
            "kind": "stop",
            "from": time(stop.from_ms).to_string(),
            "to": time(stop.to_ms).to_string(),
            "duration_s": stop.duration_ms() / 1_000,
            "place": place(stop.place),
        }),
    }
}

/// Digits that mean something.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

fn table(device: &Device, past: &Past, zone: &TimeZone, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{} ({})", plain(device.label()), shown(&device.identity))?;
    if past.legs.is_empty() {
        writeln!(out, "  no trip and no stop in this span")?;
    }
    for leg in &past.legs {
        let clock = |ms: i64, pattern| time(ms).to_zoned(zone.clone()).strftime(pattern).to_string();
        let from = clock(leg.from_ms(), "%Y-%m-%d %H:%M:%S");
        let to = clock(leg.to_ms(), "%H:%M:%S %Z");
        writeln!(out, "  {from} - {to}  {}", leg_text(leg))?;
    }
    let stats = &past.stats;
    let speed = |kmh: Option<f64>| kmh.map_or("-".to_owned(), |kmh| format!("{kmh:.0} km/h"));
    writeln!(
        out,
        "  {:.1} km in {}, parked {}, top {}, mean {}; {} points, {} gaps, {} hidden, {} outliers, {} suspect",
        stats.distance_m / 1_000.0,
        span(stats.moving_ms),
        span(stats.parked_ms),
        speed(stats.top_kmh),
        speed(stats.mean_kmh()),
        stats.points,
        stats.gaps,
        stats.hidden,
        stats.outliers,
        stats.suspect,
    )
}

fn leg_text(leg: &Leg) -> String {
    match leg {
        Leg::Trip(trip) => trip_text(trip),
        Leg::Stop(Stop { place, .. }) => {
            let took = span(leg.to_ms() - leg.from_ms());
            format!("stop  {took:>9}  {:.5} {:.5}", place.lat_deg(), place.lon_deg())
        }
    }
}

fn trip_text(trip: &Trip) -> String {
    let speed = |kmh: Option<f64>| kmh.map_or("-".to_owned(), |kmh| format!("{kmh:.0}"));
    format!(
        "trip  {:>9}  {:.1} km, top {}, mean {} km/h, from {:.5} {:.5} to {:.5} {:.5}",
        span(trip.duration_ms()),
        trip.distance_m / 1_000.0,
        speed(trip.top_kmh),
        speed(trip.mean_kmh()),
        trip.start.lat_deg(),
        trip.start.lon_deg(),
        trip.end.lat_deg(),
        trip.end.lon_deg(),
    )
}

/// `8:05:12`, `12:30`.
fn span(ms: i64) -> String {
    let s = ms / 1_000;
    let (hours, minutes, seconds) = (s / 3_600, s / 60 % 60, s % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
