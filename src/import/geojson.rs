//! GeoJSON, feature by feature: a collection, one feature, or one a line. Points with a time, and lines with a time to every place.

use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    Mark,
    sink::{Halt, Sink, Told},
    source::Source,
    values::{self, MOST_READINGS},
};
use crate::model::{Fix, Readings, Timestamp};

/// Names under which others write when a point was measured.
const TIMES: [&str; 10] =
    ["time", "timestamp", "fix_time", "fixTime", "datetime", "date_time", "date", "tst", "when", "recorded_at"];

#[derive(Deserialize)]
struct Feature<'t> {
    #[serde(default)]
    r#type: String,
    #[serde(borrow, default)]
    geometry: Option<&'t RawValue>,
    #[serde(default)]
    properties: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Geometry<'t> {
    r#type: String,
    #[serde(borrow, default)]
    coordinates: Option<&'t RawValue>,
}

/// Reads a file.
pub(super) fn read<R: Read>(source: &mut Source<'_, R>, sink: &mut Sink<'_>) -> Result<(), Halt> {
    source.skip_bom()?;
    let mut reader = Scanner { source, value: Vec::new() };
    while let Some(first) = reader.peek()? {
        let at = reader.source.mark();
        match first {
            b'{' => reader.object(at, sink)?,
            b'[' => {
                reader.source.consume(1);
                reader.elements(at, sink)?;
            }
            // Some write a comma between features on lines of their own.
            b',' => reader.source.consume(1),
            _ => return Err(Halt::broken(at, "not GeoJSON: a value of another kind stands here")),
        }
    }
    Ok(())
}

/// Cuts JSON into values without understanding them: no recursion, and only one of them is held.
struct Scanner<'s, 'a, R> {
    source: &'s mut Source<'a, R>,
    value: Vec<u8>,
}

impl<R: Read> Scanner<'_, '_, R> {
    /// The first byte of what comes next.
    fn peek(&mut self) -> Result<Option<u8>, Halt> {
        loop {
            self.source.piece();
            let ready = self.source.fill_buf()?;
            if ready.is_empty() {
                return Ok(None);
            }
            // A record separator stands before each text of a sequence.
            let blank = |b: &u8| b.is_ascii_whitespace() || *b == 0x1e;
            let (skip, first) = match ready.iter().position(|b| !blank(b)) {
                Some(n) => (n, ready.get(n).copied()),
                None => (ready.len(), None),
            };
            self.source.consume(skip);
            if first.is_some() {
                return Ok(first);
            }
        }
    }

    /// An object on the outside: a collection, whose features are read one by one, or a feature.
    fn object(&mut self, at: Mark, sink: &mut Sink<'_>) -> Result<(), Halt> {
        self.source.consume(1);
        let mut rest = vec![b'{'];
        let mut collection = false;
        loop {
            match self.peek()? {
                Some(b'}') => {
                    self.source.consume(1);
                    break;
                }
                Some(b',') => self.source.consume(1),
                Some(b'"') => {
                    let name_at = self.source.mark();
                    self.take(name_at)?;
                    let name = self.value.clone();
                    if self.peek()? != Some(b':') {
                        return Err(Halt::broken(self.source.mark(), "not JSON: a colon should stand here"));
                    }
                    self.source.consume(1);
                    let first = self.peek()?;
                    let value_at = self.source.mark();
                    if name == b"\"features\"" && first == Some(b'[') {
                        collection = true;
                        self.source.consume(1);
                        self.elements(value_at, sink)?;
                        continue;
                    }
                    self.take(value_at)?;
                    if rest.len() > 1 {
                        rest.push(b',');
                    }
                    rest.extend_from_slice(&name);
                    rest.push(b':');
                    rest.append(&mut self.value);
                    if rest.len() as u64 > super::source::PIECE {
                        return Err(Halt::broken(at, "an object that is longer than any feature"));
                    }
                }
                Some(_) => return Err(Halt::broken(self.source.mark(), "not JSON: a name should stand here")),
                None => return Err(Halt::broken(self.source.mark(), "the file breaks off within an object")),
            }
        }
        rest.push(b'}');
        if collection { Ok(()) } else { feature(at, &rest, sink) }
    }

    /// Features up to the end of the array.
    fn elements(&mut self, began: Mark, sink: &mut Sink<'_>) -> Result<(), Halt> {
        loop {
            let first = self.peek()?;
            let at = self.source.mark();
            match first {
                Some(b']') => {
                    self.source.consume(1);
                    return Ok(());
                }
                Some(b',') => self.source.consume(1),
                Some(_) => {
                    self.take(at)?;
                    feature(at, &self.value, sink)?;
                }
                None => {
                    return Err(Halt::broken(
                        at,
                        format!("the file breaks off within the array that begins in {began}"),
                    ));
                }
            }
        }
    }

    /// Takes one value as it is written.
    fn take(&mut self, began: Mark) -> Result<(), Halt> {
        self.value.clear();
        let (mut depth, mut text, mut escaped) = (0_usize, false, false);
        loop {
            let ready = self.source.fill_buf()?;
            if ready.is_empty() {
                if depth == 0 && !text && !self.value.is_empty() {
                    return Ok(());
                }
                return Err(Halt::broken(began, "the file breaks off within what begins here"));
            }
            let mut ended = None;
            for (n, byte) in ready.iter().enumerate() {
                if text {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => {
                            text = false;
                            if depth == 0 {
                                ended = Some(n + 1);
                            }
                        }
                        _ => {}
                    }
                } else {
                    match byte {
                        b'"' => text = true,
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' if depth > 0 => {
                            depth -= 1;
                            if depth == 0 {
                                ended = Some(n + 1);
                            }
                        }
                        // A number or a word ends before what follows it.
                        b',' | b'}' | b']' | b':' if depth == 0 => {
                            ended = Some(n.max(usize::from(self.value.is_empty())));
                        }
                        b if b.is_ascii_whitespace() && depth == 0 => ended = Some(n),
                        _ => {}
                    }
                }
                if ended.is_some() {
                    break;
                }
            }
            let upto = ended.unwrap_or(ready.len());
            self.value.extend_from_slice(ready.get(..upto).unwrap_or_default());
            self.source.consume(upto);
            if ended.is_some() {
                return Ok(());
            }
        }
    }
}

/// Reads one feature.
fn feature(at: Mark, text: &[u8], sink: &mut Sink<'_>) -> Result<(), Halt> {
    let feature: Feature<'_> = match serde_json::from_slice(text) {
        Ok(feature) => feature,
        Err(error) => return sink.reject(at, format!("no feature: {error}")),
    };
    let Some(geometry) = feature.geometry.filter(|_| feature.r#type == "Feature") else {
        let what = if feature.r#type.is_empty() { "a value without a type".to_owned() } else { feature.r#type };
        return sink.reject(at, format!("no feature with a geometry, but {}", values::shown(&what)));
    };
    let properties = feature.properties.unwrap_or_default();
    let geometry: Geometry<'_> = match serde_json::from_str(geometry.get()) {
        Ok(geometry) => geometry,
        Err(error) => return sink.reject(at, format!("no geometry: {error}")),
    };
    let coordinates = geometry.coordinates.map_or("null", RawValue::get);
    match geometry.r#type.as_str() {
        "Point" => point(at, coordinates, &properties, sink),
        "LineString" => {
            let times = times(&properties).cloned().unwrap_or_default();
            line(at, coordinates, times, &properties, sink)
        }
        "MultiLineString" => {
            let lines: Vec<&RawValue> = match serde_json::from_str(coordinates) {
                Ok(lines) => lines,
                Err(error) => return sink.reject(at, format!("no lines: {error}")),
            };
            let all = times(&properties).and_then(Value::as_array).cloned().unwrap_or_default();
            let mut all = all.into_iter();
            for places in lines {
                line(at, places.get(), all.next().unwrap_or_default(), &properties, sink)?;
            }
            Ok(())
        }
        other => sink.reject(at, format!("a {} is no position", values::shown(other))),
    }
}

/// Where the times of a line stand: as RFC 7946's readers agreed on, or as `togeojson` writes them.
fn times(properties: &Map<String, Value>) -> Option<&Value> {
    let nested = properties.get("coordinateProperties").and_then(|p| p.get("times"));
    nested.or_else(|| ["coordTimes", "times", "timestamps"].iter().find_map(|name| properties.get(*name)))
}

fn point(at: Mark, coordinates: &str, properties: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), Halt> {
    let told = place(coordinates).and_then(|place| told(place, moment(properties)?, properties));
    match told {
        Ok(told) => {
            let number = whose(at, properties, sink)?;
            sink.point(number, at, told)
        }
        Err(why) => sink.reject(at, why),
    }
}

fn line(
    at: Mark,
    coordinates: &str,
    times: Value,
    properties: &Map<String, Value>,
    sink: &mut Sink<'_>,
) -> Result<(), Halt> {
    let Value::Array(times) = times else { return sink.reject(at, "a line without times") };
    let places: Vec<Vec<f64>> = match serde_json::from_str(coordinates) {
        Ok(places) => places,
        Err(error) => return sink.reject(at, format!("no line: {error}")),
    };
    if places.len() != times.len() {
        return sink.reject(at, format!("a line of {} places with {} times", places.len(), times.len()));
    }
    let number = whose(at, properties, sink)?;
    for (place, time) in places.iter().zip(&times) {
        match values::json_moment(time).and_then(|when| told(spot(place)?, when, &Map::new())) {
            Ok(told) => sink.point(number, at, told)?,
            Err(why) => sink.reject(at, why)?,
        }
    }
    Ok(())
}

/// Whose it is: our own names first, then what others call theirs.
fn whose(at: Mark, properties: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<usize, Halt> {
    let text = |names: &[&str]| names.iter().find_map(|name| properties.get(*name)?.as_str());
    let identity = text(&["identity", "uniqueId", "imei", "topic"]);
    sink.track(at, text(&["device", "deviceName", "name", "vehicle"]), identity)
}

fn moment(properties: &Map<String, Value>) -> Result<Timestamp, String> {
    let found = TIMES.iter().find_map(|name| properties.get(*name).filter(|value| !value.is_null()));
    found.ok_or_else(|| format!("no time; known are {}", TIMES.join(", "))).and_then(values::json_moment)
}

fn place(coordinates: &str) -> Result<Spot, String> {
    let numbers: Vec<f64> = serde_json::from_str(coordinates).map_err(|error| format!("no place: {error}"))?;
    spot(&numbers)
}

/// A place with its altitude.
type Spot = (crate::geo::LatLon, Option<f64>);

fn spot(numbers: &[f64]) -> Result<Spot, String> {
    match numbers {
        [lon, lat, rest @ ..] => Ok((values::on_globe(*lat, *lon)?, rest.first().copied())),
        _ => Err("a place of fewer than two numbers".to_owned()),
    }
}

fn told((place, altitude_m): Spot, at: Timestamp, properties: &Map<String, Value>) -> Result<Told, String> {
    let number = |name: &str| properties.get(name).and_then(Value::as_f64).filter(|n| n.is_finite());
    let flag = |name: &str| properties.get(name).and_then(Value::as_bool);
    let received = properties.get("received").map(values::json_moment).transpose()?;
    let suspect = flag("suspect") == Some(true);
    let fix = Fix {
        at,
        place,
        valid: flag("valid") != Some(false) && !suspect,
        altitude_m,
        speed_kmh: number("speed_kmh").filter(|s| *s >= 0.0),
        course_deg: number("course_deg").filter(|c| (0.0..=360.0).contains(c)),
        satellites: properties.get("satellites").and_then(Value::as_u64).and_then(|n| n.try_into().ok()),
        accuracy_m: number("accuracy_m").filter(|a| *a >= 0.0),
    };
    Ok(Told { fix, readings: readings(properties), received, suspect })
}

/// What else was told: ours as we wrote it, and whatever others have.
fn readings(properties: &Map<String, Value>) -> Readings {
    const UNDERSTOOD: [&str; 18] = [
        "device",
        "identity",
        "protocol",
        "segment",
        "received",
        "valid",
        "speed_kmh",
        "course_deg",
        "accuracy_m",
        "satellites",
        "suspect",
        "outlier",
        "attributes",
        "coordinateProperties",
        "name",
        "imei",
        "uniqueId",
        "deviceName",
    ];
    let mut readings = Readings::new();
    if let Some(Value::Object(own)) = properties.get("attributes") {
        readings = Readings::from_json(own.iter().take(MOST_READINGS).map(|(k, v)| (k.clone(), v.clone())).collect());
    }
    let other = |name: &str| !UNDERSTOOD.contains(&name) && !TIMES.contains(&name);
    let plain = properties.iter().filter(|(name, value)| other(name) && !value.is_object() && !value.is_array());
    for (name, value) in plain.take(MOST_READINGS) {
        readings.set(name.clone(), value.clone());
    }
    readings
}
