//! KML 2.2 with Google's `gx:Track`: a folder a device, a placemark an unbroken stretch, a time to every point.
//!
//! In a track all times stand before all places, so it is held until it is full. A long stretch becomes several tracks, which
//! `gx:interpolate` joins: memory does not grow with it.

use std::io::{self, BufWriter, Write};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use serde_json::Value;

use super::{
    Document, Header, Point,
    spell::{
        DEGREE_PLACES, HDOP_PLACES, METRE_PLACES, NONSENSE, SPEED_PLACES, clean, course, decimal, moment, reading_text,
    },
};
use crate::model::{Device, StoredFix};

/// Points of one track.
const TRACK: usize = 2_000;

/// What there is to every point beside time and place: name, type and heading.
const FIELDS: [(&str, &str, &str); 12] = [
    ("speed_kmh", "float", "Speed, km/h"),
    ("course_deg", "float", "Course, degrees"),
    ("accuracy_m", "float", "Accuracy, m"),
    ("satellites", "int", "Satellites"),
    ("hdop", "float", "HDOP"),
    ("battery_percent", "float", "Battery, %"),
    ("power_v", "float", "Supply, V"),
    ("ignition", "string", "Ignition"),
    ("alarm", "string", "Alarm"),
    ("valid", "bool", "Satellites held"),
    ("suspect", "bool", "Wrong checksum"),
    ("outlier", "bool", "Outlier"),
];

/// A KML document on its way out.
pub(super) struct Kml<'w> {
    xml: Writer<BufWriter<Box<dyn Write + 'w>>>,
    device: String,
    /// Stretches of the device so far.
    segments: u64,
    held: Vec<Held>,
}

/// A point that waits for its track to be full.
struct Held {
    when: String,
    coord: String,
    fields: [String; FIELDS.len()],
}

impl<'w> Kml<'w> {
    pub(super) fn new(out: Box<dyn Write + 'w>) -> Self {
        let xml = Writer::new_with_indent(BufWriter::with_capacity(1 << 16, out), b' ', 1);
        Self { xml, device: String::new(), segments: 0, held: Vec::with_capacity(TRACK) }
    }

    fn open(&mut self, name: &str) -> io::Result<()> {
        self.open_with(name, &[])
    }

    fn open_with(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.xml.write_event(Event::Start(start))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.xml.write_event(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.open(name)?;
        self.xml.write_event(Event::Text(BytesText::new(&clean(text))))?;
        self.close(name)
    }

    fn style(&mut self) -> io::Result<()> {
        self.open_with("Style", &[("id", "track")])?;
        self.open("LineStyle")?;
        // Alpha, blue, green, red.
        self.text("color", "ffe08a1e")?;
        self.text("width", "4")?;
        self.close("LineStyle")?;
        self.close("Style")
    }

    fn schema(&mut self) -> io::Result<()> {
        self.open_with("Schema", &[("name", "fix"), ("id", "fix")])?;
        for (name, kind, heading) in FIELDS {
            self.open_with("gx:SimpleArrayField", &[("name", name), ("type", kind)])?;
            self.text("displayName", heading)?;
            self.close("gx:SimpleArrayField")?;
        }
        self.close("Schema")
    }

    /// Writes the points that are held as one track.
    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        self.open("gx:Track")?;
        for point in &held {
            self.text("when", &point.when)?;
        }
        for point in &held {
            self.text("gx:coord", &point.coord)?;
        }
        self.open("ExtendedData")?;
        self.open_with("SchemaData", &[("schemaUrl", "#fix")])?;
        for (n, (name, ..)) in FIELDS.into_iter().enumerate() {
            // A column that nobody filled is no column.
            if held.iter().all(|point| point.fields.get(n).is_none_or(String::is_empty)) {
                continue;
            }
            self.open_with("gx:SimpleArrayData", &[("name", name)])?;
            for value in held.iter().filter_map(|point| point.fields.get(n)) {
                self.text("gx:value", value)?;
            }
            self.close("gx:SimpleArrayData")?;
        }
        self.close("SchemaData")?;
        self.close("ExtendedData")?;
        self.close("gx:Track")?;
        // Its room serves the next one.
        self.held = held;
        self.held.clear();
        Ok(())
    }
}

impl Document for Kml<'_> {
    fn begin(&mut self, header: &Header) -> io::Result<()> {
        self.xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let names = [("xmlns", "http://www.opengis.net/kml/2.2"), ("xmlns:gx", "http://www.google.com/kml/ext/2.2")];
        self.open_with("kml", &names)?;
        self.open("Document")?;
        self.text("name", &header.title)?;
        if let Some(description) = &header.description {
            self.text("description", description)?;
        }
        self.style()?;
        self.schema()
    }

    fn track(&mut self, device: &Device) -> io::Result<()> {
        device.label().clone_into(&mut self.device);
        self.segments = 0;
        self.open("Folder")?;
        self.text("name", device.label())?;
        self.text("description", &format!("{} {}", device.protocol.title(), device.identity))
    }

    fn segment(&mut self) -> io::Result<()> {
        self.segments += 1;
        self.open("Placemark")?;
        let name = format!("{}, {}", self.device, self.segments);
        self.text("name", &name)?;
        self.text("styleUrl", "#track")?;
        self.open("gx:MultiTrack")?;
        self.text("gx:interpolate", "1")
    }

    fn point(&mut self, point: &Point<'_>) -> io::Result<()> {
        self.held.push(Held::of(point));
        if self.held.len() >= TRACK { self.flush() } else { Ok(()) }
    }

    fn end_segment(&mut self) -> io::Result<()> {
        self.flush()?;
        self.close("gx:MultiTrack")?;
        self.close("Placemark")
    }

    fn end_track(&mut self) -> io::Result<()> {
        self.close("Folder")
    }

    fn end(&mut self) -> io::Result<()> {
        self.close("Document")?;
        self.close("kml")?;
        self.xml.get_mut().write_all(b"\n")?;
        self.xml.get_mut().flush()
    }
}

impl Held {
    fn of(point: &Point<'_>) -> Self {
        let StoredFix { fix, readings, trust, .. } = point.stored;
        let number = |value: Option<f64>, places| {
            value.filter(|v| v.abs() < NONSENSE).map(|v| decimal(v, places)).unwrap_or_default()
        };
        let (lon, lat) = (fix.place.lon_deg(), fix.place.lat_deg());
        let mut coord = format!("{} {}", decimal(lon, DEGREE_PLACES), decimal(lat, DEGREE_PLACES));
        if let Some(altitude_m) = fix.altitude_m.filter(|m| m.abs() < NONSENSE) {
            coord.push(' ');
            coord.push_str(&decimal(altitude_m, METRE_PLACES));
        }
        let reading = |name: &str, places| number(readings.get(name).and_then(Value::as_f64), places);
        let text = |name: &str| readings.get(name).map(|v| reading_text(v).into_owned()).unwrap_or_default();
        let flag = |set: bool| if set { "1".to_owned() } else { "0".to_owned() };
        let mark = |set: bool| if set { "1".to_owned() } else { String::new() };
        let fields = [
            number(fix.speed_kmh, SPEED_PLACES),
            fix.course_deg.filter(|c| (0.0..=360.0).contains(c)).map(course).unwrap_or_default(),
            number(fix.accuracy_m, METRE_PLACES),
            fix.satellites.map(|n| n.to_string()).unwrap_or_default(),
            reading("hdop", HDOP_PLACES),
            reading("batteryLevel", METRE_PLACES),
            reading("power", METRE_PLACES),
            text("ignition"),
            text("alarm"),
            flag(fix.valid),
            mark(*trust == crate::model::Trust::Suspect),
            mark(point.outlier),
        ];
        Self { when: moment(fix.at), coord, fields }
    }
}
