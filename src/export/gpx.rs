//! GPX 1.1: one `trk` a device, one `trkseg` an unbroken stretch, speed and course in Garmin's `TrackPointExtension` v2.
//!
//! Elements stand in the order of the schema, which is a sequence: a reader may refuse any other. What is not known is left
//! out, never written as 0.

use std::io::{self, BufWriter, Write};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::{
    Bounds, Document, Header, Point,
    spell::{
        DEGREE_PLACES, HDOP_PLACES, METRE_PLACES, NONSENSE, SPEED_PLACES, YEAR_ONE, clean, course, decimal,
        reading_text,
    },
};
use crate::model::{Device, Fix, StoredFix, Timestamp, Trust};

const GPX: &str = "http://www.topografix.com/GPX/1/1";
const GPX_XSD: &str = "http://www.topografix.com/GPX/1/1/gpx.xsd";
const TPX: &str = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2";
const TPX_XSD: &str = "https://www8.garmin.com/xmlschemas/TrackPointExtensionv2.xsd";
/// Ours, for what has no place elsewhere: the README says what is in it.
const OWN: &str = "urn:wayglass:gpx:1";
const CREATOR: &str = concat!("Wayglass ", env!("CARGO_PKG_VERSION"));

/// A GPX document on its way out.
pub(super) struct Gpx<'w> {
    xml: Writer<BufWriter<Box<dyn Write + 'w>>>,
    /// Accuracy and readings go along, under our own namespace.
    readings: bool,
}

impl<'w> Gpx<'w> {
    pub(super) fn new(out: Box<dyn Write + 'w>, readings: bool) -> Self {
        Self { xml: Writer::new_with_indent(BufWriter::with_capacity(1 << 16, out), b' ', 1), readings }
    }

    fn open(&mut self, name: &str) -> io::Result<()> {
        self.xml.write_event(Event::Start(BytesStart::new(name)))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.xml.write_event(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.open(name)?;
        self.xml.write_event(Event::Text(BytesText::new(&clean(text))))?;
        self.close(name)
    }

    fn bounds(&mut self, bounds: &Bounds) -> io::Result<()> {
        let Bounds { south_deg, west_deg, north_deg, east_deg } = *bounds;
        self.xml.write_event(Event::Empty(BytesStart::new("bounds").with_attributes([
            ("minlat", decimal(south_deg, DEGREE_PLACES).as_str()),
            ("minlon", &longitude(west_deg)),
            ("maxlat", &decimal(north_deg, DEGREE_PLACES)),
            // 180 is out of the schema's range, and as -180 it would turn the box inside out.
            ("maxlon", &decimal(east_deg.min(180.0 - 1e-7), DEGREE_PLACES)),
        ])))
    }

    /// Speed and course where readers look for them, then what is ours.
    fn extensions(&mut self, point: &Point<'_>) -> io::Result<()> {
        let fix = &point.stored.fix;
        let speed_kmh = fix.speed_kmh.filter(|s| (0.0..NONSENSE).contains(s));
        let course_deg = fix.course_deg.filter(|c| (0.0..=360.0).contains(c));
        let garmin = speed_kmh.is_some() || course_deg.is_some();
        let own = self.readings && says_more(point);
        if !garmin && !own && !point.outlier {
            return Ok(());
        }
        self.open("extensions")?;
        if garmin {
            self.open("gpxtpx:TrackPointExtension")?;
            if let Some(speed_kmh) = speed_kmh {
                self.text("gpxtpx:speed", &decimal(speed_kmh / 3.6, SPEED_PLACES))?;
            }
            if let Some(course_deg) = course_deg {
                self.text("gpxtpx:course", &course(course_deg))?;
            }
            self.close("gpxtpx:TrackPointExtension")?;
        }
        if own {
            self.own(point.stored)?;
        }
        if point.outlier {
            // Our own namespace is declared here, where the document does without it otherwise.
            let mut mark = BytesStart::new("wg:outlier");
            if !self.readings {
                mark.push_attribute(("xmlns:wg", OWN));
            }
            self.xml.write_event(Event::Empty(mark))?;
        }
        self.close("extensions")
    }

    fn own(&mut self, stored: &StoredFix) -> io::Result<()> {
        if let Some(accuracy_m) = stored.fix.accuracy_m.filter(|m| (0.0..NONSENSE).contains(m)) {
            self.text("wg:accuracy", &decimal(accuracy_m, METRE_PLACES))?;
        }
        if stored.trust == Trust::Suspect {
            self.xml.write_event(Event::Empty(BytesStart::new("wg:suspect")))?;
        }
        for (name, value) in stored.readings.iter().filter(|(name, _)| !matches!(*name, "sat" | "hdop")) {
            let start = BytesStart::new("wg:reading").with_attributes([("name", clean(name).as_ref())]);
            self.xml.write_event(Event::Start(start))?;
            self.xml.write_event(Event::Text(BytesText::new(&clean(&reading_text(value)))))?;
            self.close("wg:reading")?;
        }
        Ok(())
    }

    fn time(&mut self, at: Timestamp) -> io::Result<()> {
        // The schema's years have four digits and begin with 1; no device measured anything before that.
        if at < YEAR_ONE {
            return Ok(());
        }
        // Nothing that we are told is finer than a millisecond.
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        self.text("time", &at.to_string())
    }
}

impl Document for Gpx<'_> {
    fn begin(&mut self, header: &Header) -> io::Result<()> {
        self.xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let mut gpx = BytesStart::new("gpx").with_attributes([
            ("version", "1.1"),
            ("creator", CREATOR),
            ("xmlns", GPX),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xmlns:gpxtpx", TPX),
        ]);
        if self.readings {
            gpx.push_attribute(("xmlns:wg", OWN));
        }
        gpx.push_attribute(("xsi:schemaLocation", [GPX, GPX_XSD, TPX, TPX_XSD].join(" ").as_str()));
        self.xml.write_event(Event::Start(gpx))?;
        let Header { title, description, written, bounds } = header;
        self.open("metadata")?;
        self.text("name", title)?;
        if let Some(description) = description {
            self.text("desc", description)?;
        }
        self.time(*written)?;
        if let Some(bounds) = bounds {
            self.bounds(bounds)?;
        }
        self.close("metadata")
    }

    fn track(&mut self, device: &Device) -> io::Result<()> {
        self.open("trk")?;
        self.text("name", device.label())?;
        self.text("src", &format!("{} {}", device.protocol.title(), device.identity))
    }

    fn segment(&mut self) -> io::Result<()> {
        self.open("trkseg")
    }

    fn point(&mut self, point: &Point<'_>) -> io::Result<()> {
        let stored = point.stored;
        let fix = &stored.fix;
        self.xml.write_event(Event::Start(BytesStart::new("trkpt").with_attributes([
            ("lat", decimal(fix.place.lat_deg(), DEGREE_PLACES).as_str()),
            ("lon", &longitude(fix.place.lon_deg())),
        ])))?;
        if let Some(altitude_m) = fix.altitude_m.filter(|m| m.abs() < NONSENSE) {
            self.text("ele", &decimal(altitude_m, METRE_PLACES))?;
        }
        self.time(fix.at)?;
        if let Some(kind) = fix_kind(fix, stored.trust) {
            self.text("fix", kind)?;
        }
        if let Some(satellites) = fix.satellites {
            self.text("sat", &satellites.to_string())?;
        }
        let hdop = stored.readings.get("hdop").and_then(serde_json::Value::as_f64);
        if let Some(hdop) = hdop.filter(|h| (0.0..NONSENSE).contains(h)) {
            self.text("hdop", &decimal(hdop, HDOP_PLACES))?;
        }
        self.extensions(point)?;
        self.close("trkpt")
    }

    fn end_segment(&mut self) -> io::Result<()> {
        self.close("trkseg")
    }

    fn end_track(&mut self) -> io::Result<()> {
        self.close("trk")
    }

    fn end(&mut self) -> io::Result<()> {
        self.close("gpx")?;
        self.xml.get_mut().write_all(b"\n")?;
        self.xml.get_mut().flush()
    }
}

/// Whether there is something that only our own namespace has a place for.
fn says_more(point: &Point<'_>) -> bool {
    let StoredFix { fix, trust, readings, .. } = point.stored;
    fix.accuracy_m.is_some_and(|m| (0.0..NONSENSE).contains(&m))
        || *trust == Trust::Suspect
        || readings.iter().any(|(name, _)| !matches!(name, "sat" | "hdop"))
}

/// How well satellites held, in the schema's words. `None` where the device does not say enough.
fn fix_kind(fix: &Fix, trust: Trust) -> Option<&'static str> {
    if trust == Trust::Suspect {
        // Not valid because of its checksum, which says nothing about satellites.
        return None;
    }
    match (fix.valid, fix.satellites) {
        // A last known or guessed place.
        (false, _) => Some("none"),
        // A height takes a fourth satellite.
        (true, Some(4..)) => Some("3d"),
        (true, Some(3)) => Some("2d"),
        (true, None | Some(_)) => fix.altitude_m.map(|_| "3d"),
    }
}

/// The schema's longitudes end before 180, which is the same meridian as -180.
fn longitude(degrees: f64) -> String {
    let text = decimal(degrees, DEGREE_PLACES);
    if text == "180" { "-180".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_checksum_says_nothing_about_satellites() {
        let fix = Fix {
            at: Timestamp::UNIX_EPOCH,
            place: crate::geo::LatLon::new(51.0, 4.0).unwrap(),
            valid: false,
            altitude_m: None,
            speed_kmh: None,
            course_deg: None,
            satellites: Some(9),
            accuracy_m: None,
        };
        assert_eq!(fix_kind(&fix, Trust::Suspect), None);
        assert_eq!(fix_kind(&fix, Trust::Good), Some("none"));
        assert_eq!(fix_kind(&Fix { valid: true, ..fix }, Trust::Good), Some("3d"));
    }

    #[test]
    fn the_last_meridian_is_the_first() {
        assert_eq!(longitude(180.0), "-180");
        assert_eq!(longitude(179.999_999_99), "-180", "rounding must not leave the range either");
    }
}
