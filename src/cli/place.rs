//! `wayglass place`: circles and polygons that devices enter and leave. Works beside a running instance.

use std::io::Write;

use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Site,
    devices::{beside, find, plain},
    progress::count,
};
use crate::{
    geo::{LatLon, fence::Shape},
    model::{
        Clock,
        watch::{Colour, Place, PlaceSpec},
    },
    store::{Store, query, watch},
};

/// Places that devices enter and leave: draw, list and remove them; works beside a running instance.
#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    #[command(subcommand)]
    pub(super) call: PlaceCall,
}

#[derive(Debug, Subcommand)]
pub(super) enum PlaceCall {
    /// Make a place. It counts from now on.
    Add(Add),
    /// List the places.
    List {
        /// Print one JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Take a place away; its events stay.
    Remove {
        /// Its name, or # and its number.
        place: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    name: String,
    /// Middle and radius: LATITUDE,LONGITUDE,METRES
    #[arg(
        long,
        value_name = "LAT,LON,M",
        allow_hyphen_values = true,
        conflicts_with = "polygon",
        required_unless_present = "polygon"
    )]
    circle: Option<String>,
    /// Corners in order, three at least: "LAT,LON LAT,LON LAT,LON …"
    #[arg(long, value_name = "CORNERS", allow_hyphen_values = true)]
    polygon: Option<String>,
    /// Whom it concerns: identity or name; may repeat [default: all devices]
    #[arg(long = "device", value_name = "ID")]
    devices: Vec<String>,
    /// Staying longer than so many minutes is an event, too.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=525_600))]
    dwell: Option<u32>,
    /// Coming in is no event.
    #[arg(long)]
    no_enter: bool,
    /// Going out is no event.
    #[arg(long)]
    no_leave: bool,
    /// #rrggbb
    #[arg(long)]
    colour: Option<String>,
}

impl PlaceCall {
    pub(super) fn prints_json(&self) -> bool {
        matches!(self, Self::List { json: true })
    }
}

/// Carries out what was asked about places.
pub(super) fn run(args: &PlaceArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    match &args.call {
        PlaceCall::Add(add) => make(add, site, out)?,
        PlaceCall::List { json } => list(*json, site, out)?,
        PlaceCall::Remove { place } => remove(place, site, out)?,
    }
    out.flush()?;
    Ok(())
}

fn make(add: &Add, site: &Site, out: &mut dyn Write) -> Result<()> {
    let shape = match (&add.circle, &add.polygon) {
        (Some(circle), _) => circle_of(circle)?,
        (None, Some(polygon)) => polygon_of(polygon)?,
        (None, None) => bail!("a place needs --circle or --polygon"),
    };
    let colour = match &add.colour {
        Some(text) => {
            Colour::parse(text).ok_or_else(|| super::WrongWords(format!("{text} is no colour; write #3b82f6")))?
        }
        None => Colour::CHOICE[0],
    };
    let mut spec = PlaceSpec::new(add.name.clone(), shape);
    (spec.colour, spec.dwell_min) = (colour, add.dwell);
    (spec.enter, spec.leave) = (!add.no_enter, !add.no_leave);
    if let Some(fault) = spec.fault() {
        return Err(super::WrongWords(fault.to_owned()).into());
    }
    let store = beside(&site.data_dir()?, site)?;
    if !add.devices.is_empty() {
        let devices = add.devices.iter().map(|word| find(&store, word).map(|device| device.id));
        spec.devices = Some(devices.collect::<Result<_, _>>()?);
    }
    let id = store.writer().put_place(None, None, spec).wait()?;
    store.close();
    writeln!(out, "added {} as #{id}; it counts from now on", plain(add.name.trim()))?;
    Ok(())
}

fn list(as_json: bool, site: &Site, out: &mut dyn Write) -> Result<()> {
    let store = Store::view(&site.data_dir()?, Clock::clone(&site.clock))?;
    let places = store.reader().read(watch::places).wait()?;
    let devices = store.reader().read(query::devices).wait()?;
    store.close();
    let identities = |place: &Place| {
        let chosen = place.spec.devices.as_ref()?;
        let named = devices.iter().filter(|device| chosen.contains(&device.id));
        Some(named.map(|device| device.identity.as_str().to_owned()).collect::<Vec<_>>())
    };
    if as_json {
        let rows: Vec<_> = places
            .iter()
            .map(|place| {
                let Place { id, spec, since } = place;
                json!({
                    "id": id.0, "name": spec.name, "colour": spec.colour.to_hex(), "shape": spec.shape,
                    "devices": identities(place), "enter": spec.enter, "leave": spec.leave,
                    "dwell_min": spec.dwell_min, "since": since.to_string(),
                })
            })
            .collect();
        serde_json::to_writer(&mut *out, &rows)?;
        writeln!(out)?;
    } else if places.is_empty() {
        writeln!(out, "there are no places yet; `wayglass place add` makes one")?;
    } else {
        for place in &places {
            let kind = match &place.spec.shape {
                Shape::Circle { center, radius_m } => {
                    format!("circle of {radius_m:.0} m around {:.5} {:.5}", center.lat_deg(), center.lon_deg())
                }
                Shape::Polygon { corners } => {
                    format!(
                        "polygon of {}, {:.4} km²",
                        count(corners.len() as u64, "corner"),
                        place.spec.shape.area_m2() / 1e6
                    )
                }
            };
            let whom = identities(place).map_or_else(|| "all devices".to_owned(), |named| plain(&named.join(", ")));
            writeln!(out, "#{}  {}  {kind}  {whom}", place.id.0, plain(&place.spec.name))?;
        }
    }
    Ok(())
}

fn remove(word: &str, site: &Site, out: &mut dyn Write) -> Result<()> {
    let store = beside(&site.data_dir()?, site)?;
    let places = store.reader().read(watch::places).wait()?;
    let number = word.strip_prefix('#').and_then(|n| n.parse::<i64>().ok());
    let mut meant = places.iter().filter(|place| number == Some(place.id.0) || place.spec.name == word);
    let place = meant.next().ok_or_else(|| anyhow!("no place is called {word}; `wayglass place list` lists them"))?;
    if meant.next().is_some() {
        bail!("several places are called {word}; say which by its number, as in `wayglass place list`");
    }
    store.writer().remove_place(place.id).wait()?;
    store.close();
    writeln!(out, "removed {}; its events stay", plain(&place.spec.name))?;
    Ok(())
}

fn circle_of(text: &str) -> Result<Shape, super::WrongWords> {
    let numbers = numbers(text);
    let shape = match numbers.as_deref() {
        Some(&[lat, lon, radius_m]) => LatLon::new(lat, lon).map(|center| Shape::Circle { center, radius_m }),
        _ => None,
    };
    shape.ok_or_else(|| super::WrongWords(format!("{text:?} is no circle; write LATITUDE,LONGITUDE,METRES")))
}

fn polygon_of(text: &str) -> Result<Shape, super::WrongWords> {
    let corner = |pair: &str| match numbers(pair).as_deref() {
        Some(&[lat, lon]) => LatLon::new(lat, lon),
        _ => None,
    };
    let corners: Option<Vec<LatLon>> = text.split_whitespace().map(corner).collect();
    corners
        .map(|corners| Shape::Polygon { corners })
        .ok_or_else(|| super::WrongWords(format!("{text:?} is no polygon; write \"LAT,LON LAT,LON LAT,LON\"")))
}

fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|number| number.trim().parse().ok()).collect()
}
