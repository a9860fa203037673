//! CSV after RFC 4180: a header that says the units, one row a position, UTF-8.
//!
//! A spreadsheet runs what begins like a formula, and names come from strangers. So a text that begins with one of the characters OWASP
//! names gets an apostrophe before it, which a spreadsheet takes as "this is text"; numbers are ours and stay numbers.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::{
    Document, Header, Point,
    spell::{
        COURSE_PLACES, DEGREE_PLACES, HDOP_PLACES, METRE_PLACES, NONSENSE, SPEED_PLACES, clean, decimal, moment,
        reading_text,
    },
};
use crate::model::{Device, StoredFix, Trust};

/// The columns, in order. The readings that most files are opened for stand beside the fix; `attributes` has all of them, as JSON.
const COLUMNS: [&str; 26] = [
    "device",
    "identity",
    "protocol",
    "segment",
    "fix_time",
    "received",
    "valid",
    "latitude",
    "longitude",
    "altitude_m",
    "speed_kmh",
    "course_deg",
    "accuracy_m",
    "satellites",
    "hdop",
    "battery_percent",
    "battery_v",
    "power_v",
    "ignition",
    "motion",
    "odometer_m",
    "alarm",
    "suspect",
    "outlier",
    "packet",
    "attributes",
];

/// The readings that have a column, in the order of [`COLUMNS`].
const READINGS: [&str; 8] = ["hdop", "batteryLevel", "battery", "power", "ignition", "motion", "odometer", "alarm"];

/// A CSV file on its way out.
pub(super) struct Csv<'w> {
    rows: Writer<Box<dyn Write + 'w>>,
    /// Device, identity and protocol of the track that is open.
    whose: [String; 3],
    segment: u64,
}

impl<'w> Csv<'w> {
    pub(super) fn new(out: Box<dyn Write + 'w>) -> Self {
        let rows = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .quote_style(QuoteStyle::Necessary)
            .buffer_capacity(1 << 16)
            .from_writer(out);
        Self { rows, whose: Default::default(), segment: 0 }
    }

    fn number(&mut self, value: Option<f64>, places: usize) -> io::Result<()> {
        let text = value.filter(|v| v.abs() < NONSENSE).map(|v| decimal(v, places)).unwrap_or_default();
        self.cell(&text)
    }

    fn cell(&mut self, text: &str) -> io::Result<()> {
        self.rows.write_field(text).map_err(io_error)
    }

    fn readings(&mut self, stored: &StoredFix) -> io::Result<()> {
        for name in READINGS {
            match stored.readings.get(name) {
                None => self.cell("")?,
                Some(value) if name == "hdop" => self.number(value.as_f64(), HDOP_PLACES)?,
                Some(value) if value.is_number() => self.number(value.as_f64(), METRE_PLACES)?,
                Some(value) => self.cell(&safe(&reading_text(value)))?,
            }
        }
        Ok(())
    }
}

impl Document for Csv<'_> {
    fn begin(&mut self, _: &Header) -> io::Result<()> {
        self.rows.write_record(COLUMNS).map_err(io_error)
    }

    fn track(&mut self, device: &Device) -> io::Result<()> {
        let text = |text: &str| safe(text).into_owned();
        self.whose = [text(device.label()), text(device.identity.as_str()), device.protocol.as_str().to_owned()];
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
        for text in &self.whose {
            self.rows.write_field(text).map_err(io_error)?;
        }
        let mut segment = String::new();
        write!(segment, "{}", self.segment).map_err(io::Error::other)?;
        self.cell(&segment)?;
        self.cell(&moment(fix.at))?;
        self.cell(&moment(stored.received))?;
        self.cell(word(fix.valid))?;
        self.number(Some(fix.place.lat_deg()), DEGREE_PLACES)?;
        self.number(Some(fix.place.lon_deg()), DEGREE_PLACES)?;
        self.number(fix.altitude_m, METRE_PLACES)?;
        self.number(fix.speed_kmh, SPEED_PLACES)?;
        self.number(fix.course_deg, COURSE_PLACES)?;
        self.number(fix.accuracy_m, METRE_PLACES)?;
        self.cell(&fix.satellites.map(|n| n.to_string()).unwrap_or_default())?;
        self.readings(stored)?;
        self.cell(word(stored.trust == Trust::Suspect))?;
        self.cell(word(point.outlier))?;
        self.cell(&stored.packet.0.to_string())?;
        let attributes = if stored.readings.is_empty() { String::new() } else { stored.readings.to_json().to_string() };
        self.cell(&attributes)?;
        self.rows.write_record(None::<&[u8]>).map_err(io_error)
    }

    fn end_segment(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end_track(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.rows.flush()
    }
}

fn word(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

/// A text as one line, because many readers go by lines, that no spreadsheet takes for a formula.
fn safe(text: &str) -> Cow<'_, str> {
    let line = clean(text);
    if text.starts_with(STARTS_FORMULA) || line.trim_start().starts_with(STARTS_FORMULA) {
        Cow::Owned(format!("'{line}"))
    } else {
        line
    }
}

/// What OWASP's page on CSV injection names, the wide forms of East Asian keyboards among them.
const STARTS_FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_text() {
        for begins in STARTS_FORMULA.into_iter().filter(|c| !c.is_control()) {
            assert_eq!(safe(&format!("{begins}1+1")), format!("'{begins}1+1"));
        }
        for broken in ["\t=1", "\r=1", "\n=1"] {
            assert_eq!(safe(broken), "' =1");
        }
        for plain in ["", "Van 7", "a=b", "'=", "1-2"] {
            assert_eq!(safe(plain), plain);
        }
    }
}
