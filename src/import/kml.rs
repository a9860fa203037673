//! KML: `gx:Track` with a time to every point, and places with a time stamp. What has no time is told as such.

use std::{collections::HashMap, io::Read};

use super::{
    Mark, gpx,
    sink::{Halt, Sink, Told},
    source::Source,
    values,
    xml::{Elements, Piece, attribute},
};
use crate::model::{Fix, Readings};

/// Points of one `gx:Track`, which has to be held until its end: what they told stands behind them.
const MOST_POINTS: usize = 1_000_000;
/// Bytes of values beside them.
const MOST_VALUE_BYTES: usize = 128 << 20;

/// A folder or document, for the name of what is in it.
#[derive(Default)]
struct Folder {
    name: Option<String>,
    /// The identity of its device, in what we write as description.
    identity: Option<String>,
}

/// A placemark that is open.
#[derive(Default)]
struct Placemark {
    name: Option<String>,
    when: Option<String>,
    point: Option<(Mark, String)>,
    /// A geometry without times, and where it stands.
    timeless: Option<(Mark, &'static str)>,
    tracks: usize,
}

/// A `gx:Track` that is open.
#[derive(Default)]
struct Track {
    whens: Vec<(Mark, String)>,
    coords: Vec<(Mark, String)>,
    /// The column that is open, and all of them.
    column: Option<String>,
    columns: HashMap<String, Vec<String>>,
    bytes: usize,
}

#[derive(Default)]
struct State {
    folders: Vec<Folder>,
    placemark: Option<Placemark>,
    track: Option<Track>,
    /// Elements that are open.
    path: Vec<String>,
}

/// Reads a document.
pub(super) fn read<R: Read>(source: &mut Source<'_, R>, sink: &mut Sink<'_>) -> Result<(), Halt> {
    let mut elements = Elements::new(source)?;
    let mut state = State::default();
    while let Some((at, piece)) = elements.next()? {
        match piece {
            Piece::Open { name, attributes } => {
                state.opened(at, &name, &attributes);
                state.path.push(name);
            }
            Piece::Close { name, text } => {
                state.path.pop();
                state.closed(at, &name, text, sink)?;
            }
        }
    }
    Ok(())
}

impl State {
    fn opened(&mut self, at: Mark, name: &str, attributes: &[(String, String)]) {
        match (name, &mut self.track, &mut self.placemark) {
            ("Folder" | "Document", ..) => self.folders.push(Folder::default()),
            ("Placemark", ..) => self.placemark = Some(Placemark::default()),
            ("Track", _, Some(_)) => self.track = Some(Track::default()),
            ("SimpleArrayData", Some(track), _) => track.column = attribute(attributes, "name").map(str::to_owned),
            ("LineString" | "LinearRing", _, Some(placemark)) => placemark.timeless = Some((at, "line")),
            ("Polygon", _, Some(placemark)) => placemark.timeless = Some((at, "polygon")),
            _ => {}
        }
    }

    fn closed(&mut self, at: Mark, name: &str, text: String, sink: &mut Sink<'_>) -> Result<(), Halt> {
        let parent = self.path.last().map_or("", String::as_str);
        match (name, &mut self.track, &mut self.placemark) {
            ("when", Some(track), _) => track.whens.push((at, text)),
            ("coord", Some(track), _) => track.coords.push((at, text)),
            ("value", Some(track), _) => track.value(text),
            ("Track", Some(_), _) => return self.finish_track(sink),
            ("name", None, Some(placemark)) if parent == "Placemark" => placemark.name = Some(text),
            ("when", None, Some(placemark)) => placemark.when = Some(text),
            ("coordinates", None, Some(placemark)) if parent == "Point" => placemark.point = Some((at, text)),
            ("Placemark", ..) => return self.finish_placemark(at, sink),
            ("Folder" | "Document", ..) => drop(self.folders.pop()),
            ("name", None, None) if matches!(parent, "Folder" | "Document") => {
                if let Some(folder) = self.folders.last_mut() {
                    folder.name = Some(text);
                }
            }
            ("description", None, None) if parent == "Folder" => {
                if let Some(folder) = self.folders.last_mut() {
                    folder.identity = gpx::identity(&text).map(str::to_owned);
                }
            }
            _ => {}
        }
        match &self.track {
            Some(track) if track.whens.len().max(track.coords.len()) > MOST_POINTS => {
                Err(Halt::broken(at, format!("a track of more than {MOST_POINTS} points")))
            }
            Some(track) if track.bytes > MOST_VALUE_BYTES => Err(Halt::broken(at, "a track with too many values")),
            _ => Ok(()),
        }
    }

    /// Whose points these are: the device that a folder names, else what the placemark or the folder is called.
    fn number(&self, at: Mark, placemark: Option<&str>, sink: &mut Sink<'_>) -> Result<usize, Halt> {
        let whose = self.folders.iter().rev().find(|folder| folder.identity.is_some());
        if let Some(Folder { name, identity }) = whose {
            return sink.track(at, name.as_deref(), identity.as_deref());
        }
        let folder = || self.folders.iter().rev().find_map(|folder| folder.name.as_deref());
        sink.track(at, placemark.filter(|name| !name.is_empty()).or_else(folder), None)
    }

    fn finish_track(&mut self, sink: &mut Sink<'_>) -> Result<(), Halt> {
        let Some(track) = self.track.take() else { return Ok(()) };
        let Some(placemark) = &mut self.placemark else { return Ok(()) };
        placemark.tracks += 1;
        let name = placemark.name.clone();
        let mut number = None;
        for (n, (at, coord)) in track.coords.iter().enumerate() {
            // A gap within a track is written as an empty place.
            if coord.is_empty() {
                continue;
            }
            let when = track.whens.get(n).map_or("", |(_, when)| when.as_str());
            match told(when, coord.split_ascii_whitespace(), |column| track.of(column, n)) {
                Ok(told) => {
                    let number = match number {
                        Some(number) => number,
                        None => *number.insert(self.number(*at, name.as_deref(), sink)?),
                    };
                    sink.point(number, *at, told)?;
                }
                Err(why) => sink.reject(*at, why)?,
            }
        }
        for (at, when) in track.whens.iter().skip(track.coords.len()).filter(|(_, when)| !when.is_empty()) {
            sink.reject(*at, format!("a time without a place: {}", values::shown(when)))?;
        }
        Ok(())
    }

    fn finish_placemark(&mut self, at: Mark, sink: &mut Sink<'_>) -> Result<(), Halt> {
        let Some(placemark) = self.placemark.take() else { return Ok(()) };
        let Placemark { when, point, timeless, tracks, .. } = placemark;
        if let Some((at, coordinates)) = point {
            return match told(when.as_deref().unwrap_or_default(), coordinates.split(','), |_| None) {
                Ok(told) => {
                    // Places with a name each are one track, not one each.
                    let number = self.number(at, None, sink)?;
                    sink.point(number, at, told)
                }
                Err(why) => sink.reject(at, why),
            };
        }
        match timeless {
            Some((at, what)) => sink.reject(at, format!("a {what} without times")),
            None if tracks == 0 => sink.reject(at, "a placemark without a position"),
            None => Ok(()),
        }
    }
}

impl Track {
    fn value(&mut self, text: String) {
        if let Some(column) = &self.column {
            self.bytes += text.len() + size_of::<String>();
            self.columns.entry(column.clone()).or_default().push(text);
        }
    }

    fn of(&self, column: &str, point: usize) -> Option<&str> {
        self.columns.get(column)?.get(point).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// What a point told: longitude, latitude and maybe altitude, and what stands in columns of ours.
fn told<'t>(
    when: &str,
    mut coordinates: impl Iterator<Item = &'t str>,
    column: impl Fn(&str) -> Option<&'t str>,
) -> Result<Told, String> {
    let at = values::utc(when)?;
    let (lon, lat) = (coordinates.next(), coordinates.next());
    let place = values::place(lat, lon)?;
    let mut readings = Readings::new();
    for (name, reading) in [("battery_percent", "batteryLevel"), ("power_v", "power"), ("hdop", "hdop")] {
        readings.set(reading, column(name).and_then(values::numeric).unwrap_or_default());
    }
    for name in ["ignition", "alarm"] {
        readings.set(name, column(name).map(values::typed));
    }
    let suspect = column("suspect") == Some("1");
    let fix = Fix {
        at,
        place,
        valid: column("valid") != Some("0") && !suspect,
        altitude_m: coordinates.next().and_then(values::number),
        speed_kmh: column("speed_kmh").and_then(values::positive),
        course_deg: column("course_deg").and_then(values::course),
        satellites: column("satellites").and_then(values::count),
        accuracy_m: column("accuracy_m").and_then(values::positive),
    };
    Ok(Told { fix, readings, received: None, suspect })
}
