//! GPX 1.1: one `trk` a device, one `trkseg` an unbroken stretch, speed and course in Garmin's `TrackPointExtension` v2.
//!
//! Elements stand in the order of the schema, which is a sequence: a reader may refuse any other. What is not known is left
//! out, never written as 0.

use std::{
    borrow::Cow,
    io::{self, BufWriter, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::{Bounds, Document, Header};
use crate::model::{Device, Fix, StoredFix, Timestamp, Trust};

const GPX: &str = "http://www.topografix.com/GPX/1/1";
const GPX_XSD: &str = "http://www.topografix.com/GPX/1/1/gpx.xsd";
const TPX: &str = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2";
const TPX_XSD: &str = "https://www8.garmin.com/xmlschemas/TrackPointExtensionv2.xsd";
const CREATOR: &str = concat!("Wayglass ", env!("CARGO_PKG_VERSION"));

/// 1e-7 degrees is a centimetre: finer than any tracker tells.
const DEGREE_PLACES: usize = 7;
const METRE_PLACES: usize = 3;
const SPEED_PLACES: usize = 3;
const COURSE_PLACES: usize = 2;
const HDOP_PLACES: usize = 2;
/// No altitude in metres and no speed in km/h comes near; readers choke on decimals of hundreds of digits.
const NONSENSE: f64 = 1e9;

/// A GPX document on its way out.
pub(super) struct Gpx<'w> {
    xml: Writer<BufWriter<Box<dyn Write + 'w>>>,
}

impl<'w> Gpx<'w> {
    pub(super) fn new(out: Box<dyn Write + 'w>) -> Self {
        Self { xml: Writer::new_with_indent(BufWriter::with_capacity(1 << 16, out), b' ', 1) }
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

/// 0001-01-01T00:00:00Z.
const YEAR_ONE: Timestamp = Timestamp::constant(-62_135_596_800, 0);

impl Document for Gpx<'_> {
    fn begin(&mut self, header: &Header) -> io::Result<()> {
        self.xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        self.xml.write_event(Event::Start(BytesStart::new("gpx").with_attributes([
            ("version", "1.1"),
            ("creator", CREATOR),
            ("xmlns", GPX),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xmlns:gpxtpx", TPX),
            ("xsi:schemaLocation", &[GPX, GPX_XSD, TPX, TPX_XSD].join(" ")),
        ])))?;
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

    fn point(&mut self, stored: &StoredFix) -> io::Result<()> {
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
        let speed_kmh = fix.speed_kmh.filter(|s| (0.0..NONSENSE).contains(s));
        let course_deg = fix.course_deg.filter(|c| (0.0..=360.0).contains(c));
        if speed_kmh.is_some() || course_deg.is_some() {
            self.open("extensions")?;
            self.open("gpxtpx:TrackPointExtension")?;
            if let Some(speed_kmh) = speed_kmh {
                self.text("gpxtpx:speed", &decimal(speed_kmh / 3.6, SPEED_PLACES))?;
            }
            if let Some(course_deg) = course_deg {
                self.text("gpxtpx:course", &course(course_deg))?;
            }
            self.close("gpxtpx:TrackPointExtension")?;
            self.close("extensions")?;
        }
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

/// A number in the shortest form that says the same at this many places: no exponent, no trailing zeros, no `-0`.
fn decimal(value: f64, places: usize) -> String {
    let mut text = format!("{value:.places$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text == "-0" { "0".to_owned() } else { text }
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

/// North is 0, not 360, so that one direction has one spelling.
fn course(degrees: f64) -> String {
    let text = decimal(degrees, COURSE_PLACES);
    if text == "360" { "0".to_owned() } else { text }
}

/// A name as one line of XML: line breaks and tabs become spaces, characters that XML 1.0 cannot hold become U+FFFD.
fn clean(text: &str) -> Cow<'_, str> {
    let replacement = |c: char| match c {
        '\t' | '\n' | '\r' => Some(' '),
        '\0'..' ' | '\u{fffe}' | '\u{ffff}' => Some('\u{fffd}'),
        _ => None,
    };
    if text.chars().any(|c| replacement(c).is_some()) {
        Cow::Owned(text.chars().map(|c| replacement(c).unwrap_or(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
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
    fn numbers_are_exact_and_short() {
        for (value, expected) in [
            (48.85833, "48.85833"),
            (2.29513, "2.29513"),
            (-25.500_068_333_333, "-25.5000683"),
            (0.000_000_04, "0"),
            (-0.000_000_04, "0"),
            (-0.0, "0"),
            (100.0, "100"),
            (-90.0, "-90"),
            (1e21, "1000000000000000000000"),
        ] {
            assert_eq!(decimal(value, DEGREE_PLACES), expected);
        }
        assert_eq!(longitude(180.0), "-180");
        assert_eq!(longitude(179.999_999_99), "-180", "rounding must not leave the range either");
        assert_eq!((course(360.0).as_str(), course(359.999).as_str(), course(271.0).as_str()), ("0", "0", "271"));
    }

    #[test]
    fn names_are_one_line_of_xml() {
        assert_eq!(clean("Van <7> & Söhne"), "Van <7> & Söhne", "escaping is the writer's work");
        assert_eq!(clean("a\0b\u{1b}c\r\nd\te\u{ffff}f"), "a\u{fffd}b\u{fffd}c  d e\u{fffd}f");
    }
}
