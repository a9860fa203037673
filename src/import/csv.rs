//! CSV with a header: ours, Traccar's, and others whose columns say what is in them.
//!
//! Columns are known by name, whatever case and blanks it has. What is not known is kept as a reading under its own name.

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{
    Ground, Mark,
    sink::{Halt, Sink, Told},
    source::Source,
    values::{self, MOST_READINGS, shown},
};
use crate::model::{Fix, Readings, Timestamp};

const KNOTS_KMH: f64 = 1.852;

/// More columns than this are no table.
const MOST_COLUMNS: usize = 1_000;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Identity,
    Time,
    /// Only the day, or only the clock.
    Date,
    Received,
    Valid,
    Latitude,
    Longitude,
    Altitude,
    Speed(Unit),
    Course,
    Accuracy,
    Satellites,
    Suspect,
    Attributes,
    /// A reading of ours under a name with a unit.
    Reading(&'static str),
    /// Known, and told by something else.
    Passed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Kmh,
    Ms,
    Knots,
}

/// Names as they are left without case, blanks and signs. Of several columns for one thing, the one that stands first here counts.
const NAMES: &[(&str, Column)] = &[
    ("device", Column::Name),
    ("devicename", Column::Name),
    ("name", Column::Name),
    ("vehicle", Column::Name),
    ("identity", Column::Identity),
    ("uniqueid", Column::Identity),
    ("imei", Column::Identity),
    ("topic", Column::Identity),
    ("deviceid", Column::Identity),
    ("fixtime", Column::Time),
    ("time", Column::Time),
    ("timestamp", Column::Time),
    ("datetime", Column::Time),
    ("utc", Column::Time),
    ("devicetime", Column::Time),
    ("tst", Column::Time),
    ("date", Column::Date),
    ("received", Column::Received),
    ("servertime", Column::Received),
    ("valid", Column::Valid),
    ("latitude", Column::Latitude),
    ("lat", Column::Latitude),
    ("longitude", Column::Longitude),
    ("lon", Column::Longitude),
    ("lng", Column::Longitude),
    ("long", Column::Longitude),
    ("altitudem", Column::Altitude),
    ("altitude", Column::Altitude),
    ("alt", Column::Altitude),
    ("ele", Column::Altitude),
    ("elevation", Column::Altitude),
    ("speedkmh", Column::Speed(Unit::Kmh)),
    ("velkmh", Column::Speed(Unit::Kmh)),
    ("speedms", Column::Speed(Unit::Ms)),
    ("speedmps", Column::Speed(Unit::Ms)),
    ("speedknots", Column::Speed(Unit::Knots)),
    ("coursedeg", Column::Course),
    ("course", Column::Course),
    ("heading", Column::Course),
    ("bearing", Column::Course),
    ("cog", Column::Course),
    ("accuracym", Column::Accuracy),
    ("accuracy", Column::Accuracy),
    ("acc", Column::Accuracy),
    ("satellites", Column::Satellites),
    ("sat", Column::Satellites),
    ("suspect", Column::Suspect),
    ("attributes", Column::Attributes),
    ("batterypercent", Column::Reading("batteryLevel")),
    ("batteryv", Column::Reading("battery")),
    ("powerv", Column::Reading("power")),
    ("odometerm", Column::Reading("odometer")),
    ("id", Column::Passed),
    ("no", Column::Passed),
    ("protocol", Column::Passed),
    ("segment", Column::Passed),
    ("outlier", Column::Passed),
    ("packet", Column::Passed),
];

/// What the header says.
struct Table {
    /// What stands in which column; what is not known has its own name.
    columns: Vec<Result<Column, String>>,
    /// Which column counts for each thing.
    latitude: usize,
    longitude: usize,
    time: usize,
    date: Option<usize>,
    zone: TimeZone,
}

/// True for a line that names columns of ours.
pub(super) fn is_header(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let names = |column| text.split([',', ';', '\t']).filter_map(known).any(|found| found == column);
    names(Column::Latitude) && names(Column::Longitude)
}

/// Reads a table.
pub(super) fn read<R: Read>(source: &mut Source<'_, R>, sink: &mut Sink<'_>, ground: &Ground) -> Result<(), Halt> {
    source.skip_bom()?;
    let delimiter = delimiter(source)?;
    // Rows are counted from here.
    let base = source.mark().byte;
    let builder = |source| {
        ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .from_reader(source)
    };
    let mut rows = builder(&mut *source);
    let mut row = ByteRecord::new();
    let mut table: Option<Table> = None;
    let mut assumed = false;
    loop {
        rows.get_mut().piece();
        let (began, line) = (base + rows.position().byte(), rows.position().line());
        match rows.read_byte_record(&mut row) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let at = Mark { line: rows.position().line(), column: 0, byte: began };
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) => Halt::Io(error),
                    other => Halt::broken(at, format!("no CSV: {other:?}")),
                });
            }
        }
        let at = Mark { line: line_of(&rows, &row, base).max(line), column: 0, byte: began };
        if row.len() == 1 && row.get(0).is_some_and(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        match &table {
            None => table = Some(Table::of(&row, at, sink, ground)?),
            Some(table) => assumed |= table.row(at, &row, sink)?,
        }
    }
    if assumed {
        let zone = ground.zone.iana_name().unwrap_or("the zone that was given");
        sink.note(format!("its times name no zone and were taken as {zone}"))?;
    }
    match table {
        Some(_) => Ok(()),
        None => Err(Halt::broken(Mark { line: 1, ..Mark::default() }, "no header")),
    }
}

/// The line that a row begins in. The reader has passed its end by now, but for the second half of a CRLF and at the end of the file. One too
/// few where the file ends within quotes, just behind the end of a line.
fn line_of<R: Read>(rows: &csv::Reader<&mut Source<'_, R>>, row: &ByteRecord, base: u64) -> u64 {
    let (end, source) = (rows.position(), rows.get_ref());
    let passed = base + end.byte() == source.mark().byte && source.at_line_start();
    let within = row.as_slice().split(|b| *b == b'\n').count() as u64 - 1;
    end.line().saturating_sub(u64::from(passed) + within)
}

/// What stands between the cells, by what the first line has most of.
fn delimiter<R: Read>(source: &mut Source<'_, R>) -> Result<u8, Halt> {
    let head = source.peek(|head| head.contains(&b'\n'))?;
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |sign: u8| line.split(|b| *b == sign).count();
    Ok(b",;\t".iter().copied().max_by_key(|sign| (count(*sign), *sign == b',')).unwrap_or(b','))
}

fn known(name: &str) -> Option<Column> {
    let bare = bare_name(name);
    NAMES.iter().find(|(known, _)| *known == bare).map(|(_, column)| *column)
}

/// A cell as text, without what keeps a spreadsheet from running it.
fn cell(bytes: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "this row is not UTF-8; save the file as UTF-8".to_owned())?;
    let text = text.trim();
    Ok(text
        .strip_prefix('\'')
        .filter(|rest| rest.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']))
        .unwrap_or(text))
}

impl Table {
    fn of(header: &ByteRecord, at: Mark, sink: &mut Sink<'_>, ground: &Ground) -> Result<Self, Halt> {
        if header.len() > MOST_COLUMNS {
            return Err(Halt::broken(at, format!("more than {MOST_COLUMNS} columns")));
        }
        let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let mut columns: Vec<_> = names.iter().map(|name| known(name).ok_or_else(|| name.clone())).collect();
        let traccar = ["deviceId", "serverTime", "fixTime"].iter().all(|known| names.iter().any(|name| name == known));
        for (column, name) in columns.iter_mut().zip(&names) {
            if !name.eq_ignore_ascii_case("speed") {
                continue;
            }
            if traccar {
                *column = Ok(Column::Speed(Unit::Knots));
            } else {
                sink.note("the column speed names no unit (speed_kmh, speed_ms, speed_knots), so it is kept as a reading only")?;
            }
        }
        let first = |wanted: Column| {
            // Among several, the name that stands first in the list.
            let rank = |name: &String| NAMES.iter().position(|(n, _)| bare_name(name) == *n);
            let found = columns.iter().zip(&names).enumerate().filter(|(_, (column, _))| **column == Ok(wanted));
            found.min_by_key(|(_, (_, name))| rank(name)).map(|(n, _)| n)
        };
        let must = |wanted, what: &str, like: &str| {
            first(wanted).ok_or_else(|| {
                let there = values::shown(&names.join(", "));
                Halt::broken(at, format!("no column with the {what} (as {like}); the columns are {there}"))
            })
        };
        let date = first(Column::Date);
        let time = match (first(Column::Time), date) {
            (Some(time), _) => time,
            // A column of that name often has both.
            (None, Some(date)) => date,
            (None, None) => must(Column::Time, "time", "fix_time, time or timestamp")?,
        };
        Ok(Self {
            latitude: must(Column::Latitude, "latitude", "latitude or lat")?,
            longitude: must(Column::Longitude, "longitude", "longitude, lon or lng")?,
            date: date.filter(|date| *date != time),
            time,
            columns,
            zone: ground.zone.clone(),
        })
    }

    /// Reads a row. True where the zone of its time had to be assumed.
    fn row(&self, at: Mark, row: &ByteRecord, sink: &mut Sink<'_>) -> Result<bool, Halt> {
        match self.told(row) {
            Ok((told, assumed)) => {
                let text = |wanted| self.text(row, wanted);
                let number = sink.track(at, text(Column::Name), text(Column::Identity))?;
                sink.point(number, at, told)?;
                Ok(assumed)
            }
            Err(why) => {
                sink.reject(at, why)?;
                Ok(false)
            }
        }
    }

    fn text<'r>(&self, row: &'r ByteRecord, wanted: Column) -> Option<&'r str> {
        let n = self.columns.iter().position(|column| *column == Ok(wanted))?;
        row.get(n).and_then(|bytes| cell(bytes).ok()).filter(|text| !text.is_empty())
    }

    fn told(&self, row: &ByteRecord) -> Result<(Told, bool), String> {
        let at = |n: usize| row.get(n).map_or(Ok(""), cell);
        let place = values::place(Some(at(self.latitude)?), Some(at(self.longitude)?))?;
        let (when, assumed) = self.moment(at(self.time)?, self.date.map(at).transpose()?)?;
        let mut fix = Fix {
            at: when,
            place,
            valid: true,
            altitude_m: None,
            speed_kmh: None,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        let mut told = Readings::new();
        let mut received = None;
        let mut suspect = false;
        let mut attributes = None;
        for (n, column) in self.columns.iter().enumerate() {
            let text = at(n)?;
            if text.is_empty() {
                continue;
            }
            match column {
                Ok(Column::Valid) => fix.valid = !matches!(text, "false" | "0" | "FALSE" | "False"),
                Ok(Column::Altitude) => fix.altitude_m = fix.altitude_m.or(values::number(text)),
                Ok(Column::Speed(unit)) => fix.speed_kmh = values::positive(text).map(|n| unit.kmh(n)),
                Ok(Column::Course) => fix.course_deg = values::course(text),
                // Traccar writes 0 where it knows none.
                Ok(Column::Accuracy) => fix.accuracy_m = values::positive(text).filter(|m| *m > 0.0),
                Ok(Column::Satellites) => fix.satellites = values::count(text),
                Ok(Column::Suspect) => suspect = text == "true",
                Ok(Column::Received) => received = self.received(text)?,
                Ok(Column::Attributes) => attributes = Some(text),
                Ok(Column::Reading(name)) => told.set(*name, values::numeric(text).unwrap_or_default()),
                Err(name) if told.iter().count() < MOST_READINGS => told.set(name.clone(), values::typed(text)),
                Ok(_) | Err(_) => {}
            }
        }
        if let Some(text) = attributes {
            // Ours has all of them; the columns beside it say the same again.
            told = own(text).unwrap_or(told);
        }
        fix.valid &= !suspect;
        Ok((Told { fix, readings: told, received, suspect }, assumed))
    }

    fn moment(&self, time: &str, date: Option<&str>) -> Result<(Timestamp, bool), String> {
        match date {
            Some(date) if !date.is_empty() && time.contains(':') && time.len() <= 12 => {
                values::moment(&format!("{date} {time}"), &self.zone)
            }
            _ => values::moment(time, &self.zone),
        }
    }

    fn received(&self, text: &str) -> Result<Option<Timestamp>, String> {
        values::moment(text, &self.zone)
            .map(|(at, _)| Some(at))
            .map_err(|_| format!("when it was received is {}, which cannot be read", shown(text)))
    }
}

impl Unit {
    fn kmh(self, speed: f64) -> f64 {
        match self {
            Self::Kmh => speed,
            Self::Ms => speed * 3.6,
            Self::Knots => speed * KNOTS_KMH,
        }
    }
}

fn bare_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// All readings, as we write them.
fn own(text: &str) -> Option<Readings> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(Readings::from_json(object.into_iter().take(MOST_READINGS).collect())),
        _ => None,
    }
}
