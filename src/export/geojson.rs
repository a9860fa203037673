//! GeoJSON after RFC 7946: a feature collection with one point a position, and everything that is known of it as properties.
//!
//! Points, not lines: a line has no place for what each of its positions told, and would have to be held in memory until its end.
//! `segment` says which of them belong to one unbroken stretch.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::Value;

use super::{
    Document, Header, Point,
    spell::{NONSENSE, YEAR_ONE, moment, rounded},
};
use crate::model::{Device, Timestamp, Trust};

/// A GeoJSON document on its way out.
pub(super) struct GeoJson<'w> {
    out: BufWriter<Box<dyn Write + 'w>>,
    device: String,
    identity: String,
    protocol: &'static str,
    segment: u64,
    /// No feature is written yet.
    first: bool,
}

#[derive(Serialize)]
struct Feature<'p> {
    r#type: &'static str,
    geometry: Geometry,
    properties: Properties<'p>,
}

#[derive(Serialize)]
struct Geometry {
    r#type: &'static str,
    coordinates: Coordinates,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Coordinates {
    Flat([f64; 2]),
    High([f64; 3]),
}

#[derive(Serialize)]
struct Properties<'p> {
    device: &'p str,
    identity: &'p str,
    protocol: &'p str,
    segment: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    received: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed_kmh: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    course_deg: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    satellites: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    suspect: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    outlier: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Value>,
}

impl<'w> GeoJson<'w> {
    pub(super) fn new(out: Box<dyn Write + 'w>) -> Self {
        let out = BufWriter::with_capacity(1 << 16, out);
        Self { out, device: String::new(), identity: String::new(), protocol: "", segment: 0, first: true }
    }
}

impl Document for GeoJson<'_> {
    fn begin(&mut self, header: &Header) -> io::Result<()> {
        let Header { title, description, written, bounds } = header;
        let text = |text: &str| Value::from(text).to_string();
        write!(self.out, "{{\"type\":\"FeatureCollection\",\"name\":{}", text(title))?;
        if let Some(description) = description {
            write!(self.out, ",\"description\":{}", text(description))?;
        }
        write!(self.out, ",\"written\":{}", text(&moment(*written)))?;
        if let Some(b) = bounds {
            let sides = [b.west_deg, b.south_deg, b.east_deg, b.north_deg].map(rounded);
            write!(self.out, ",\"bbox\":{}", serde_json::to_string(&sides)?)?;
        }
        write!(self.out, ",\"features\":[")
    }

    fn track(&mut self, device: &Device) -> io::Result<()> {
        device.label().clone_into(&mut self.device);
        device.identity.as_str().clone_into(&mut self.identity);
        self.protocol = device.protocol.as_str();
        self.segment = 0;
        Ok(())
    }

    fn segment(&mut self) -> io::Result<()> {
        self.segment += 1;
        Ok(())
    }

    fn point(&mut self, point: &Point<'_>) -> io::Result<()> {
        let stored = point.stored;
        let fix = &stored.fix;
        let sane = |value: Option<f64>| value.filter(|v| v.abs() < NONSENSE);
        let (lon, lat) = (rounded(fix.place.lon_deg()), rounded(fix.place.lat_deg()));
        let coordinates = match sane(fix.altitude_m) {
            Some(altitude_m) => Coordinates::High([lon, lat, altitude_m]),
            None => Coordinates::Flat([lon, lat]),
        };
        let feature = Feature {
            r#type: "Feature",
            geometry: Geometry { r#type: "Point", coordinates },
            properties: Properties {
                device: &self.device,
                identity: &self.identity,
                protocol: self.protocol,
                segment: self.segment,
                time: known(fix.at).map(moment),
                received: moment(stored.received),
                valid: fix.valid,
                speed_kmh: sane(fix.speed_kmh),
                course_deg: sane(fix.course_deg),
                accuracy_m: sane(fix.accuracy_m),
                satellites: fix.satellites,
                suspect: stored.trust == Trust::Suspect,
                outlier: point.outlier,
                attributes: (!stored.readings.is_empty()).then(|| stored.readings.to_json()),
            },
        };
        self.out.write_all(if std::mem::take(&mut self.first) { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.out, &feature)?;
        Ok(())
    }

    fn end_segment(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end_track(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}

/// No device measured anything before the year 1.
fn known(at: Timestamp) -> Option<Timestamp> {
    (at >= YEAR_ONE).then_some(at)
}
