//! The parts that kinds of frames share: date, position, cell, status (gt06.md §3).

use crate::geo::LatLon;
use crate::model::{AccessPoint, Cell, Group, Severity, Timestamp};
use crate::wire::{
    Value,
    cursor::{Cursor, Read},
};

use super::{
    alarm,
    family::Family,
    told::{Place, Told, Zone},
};

/// Minutes × 30 000 to a degree.
const UNITS_PER_DEGREE: f64 = 1_800_000.0;
/// A clock may be so far ahead of ours.
const AHEAD_S: i64 = 600;

/// Six bytes of date and time. `None` for all zero (no clock yet) and for what is no date.
pub(super) fn date(c: &mut Cursor<'_>, told: &mut Told, name: &'static str) -> Read<Option<Timestamp>> {
    let start = c.at();
    let raw = c.peek(6);
    let read = match raw {
        [year, month, day, hour, minute, second] => moment([*year, *month, *day, *hour, *minute, *second]),
        _ => None,
    };
    let at = read.filter(|_| c.here() >= 6).map(|device| to_utc(c, told, device, start));
    c.under("gt06.md §3.1", |c| {
        c.field(name, 6, "", |raw| match at {
            Some(at) => (Value::Time(at), ()),
            None if raw.iter().all(|&b| b == 0) => (Value::Absent, ()),
            None => (Value::Raw(raw.to_vec()), ()),
        })
    })?;
    if at.is_none() && raw.iter().any(|&b| b != 0) {
        let text = format!("expected year, month, day, hour, minute, second, came {raw:?}, which is no date");
        c.doubt(Severity::Warn, Group::Time, start..c.at(), text);
    }
    Ok(at)
}

/// The date that the frame's report carries.
pub(super) fn frame_date(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    told.at = date(c, told, "Date")?;
    Ok(())
}

/// Seconds since 1970 in four bytes; 0 is no clock yet.
pub(super) fn unix_time(c: &mut Cursor<'_>, name: &'static str) -> Read<Option<Timestamp>> {
    c.under("gt06.md §3.1", |c| {
        c.field(name, 4, "", |raw| {
            let seconds = raw.iter().fold(0_i64, |sum, &b| sum << 8 | i64::from(b));
            let at = Timestamp::from_second(seconds).ok().filter(|_| seconds != 0);
            (at.map_or(Value::Absent, Value::Time), at)
        })
    })
}

/// Year − 2000 to second, in UTC; `None` for what is no date.
pub(super) fn moment([year, month, day, hour, minute, second]: [u8; 6]) -> Option<Timestamp> {
    let part = |byte: u8| i8::try_from(byte).ok();
    let civil = jiff::civil::DateTime::new(
        2000 + i16::from(year),
        part(month)?,
        part(day)?,
        part(hour)?,
        part(minute)?,
        part(second)?,
        0,
    );
    jiff::tz::Offset::UTC.to_timestamp(civil.ok()?).ok()
}

/// What the device's clock says, in UTC (gt06.md §3.8). `start`: where the date is.
pub(super) fn to_utc(c: &mut Cursor<'_>, told: &Told, device: Timestamp, start: usize) -> Timestamp {
    let shifted = |seconds: i32| Timestamp::from_second(device.as_second() - i64::from(seconds)).unwrap_or(device);
    let now = told.given.received.as_second();
    let ahead = |at: Timestamp| at.as_second() - now > AHEAD_S;
    let span = start..start.max(c.at()).max(start + 6);
    let at = match told.given.zone {
        Zone::Utc => device,
        Zone::Login(seconds) if ahead(shifted(seconds)) && (device.as_second() - now).abs() <= AHEAD_S => {
            let text = "the zone of the login would put this time into the future, so it is taken as UTC";
            c.doubt(Severity::Note, Group::Time, span.clone(), text);
            device
        }
        Zone::Forced(seconds) | Zone::Login(seconds) => shifted(seconds),
    };
    if ahead(at) {
        let minutes = (at.as_second() - now) / 60;
        let by = if minutes < 48 * 60 {
            format!("{}:{:02} hours", minutes / 60, minutes % 60)
        } else {
            format!("{} days", minutes / 1440)
        };
        c.doubt(
            Severity::Warn,
            Group::Time,
            span,
            format!("the device's clock is {by} ahead of the time this arrived"),
        );
    }
    at
}

/// Twelve bytes: satellites, latitude, longitude, speed, course and status word.
pub(super) fn gps(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let start = c.at();
    let sat = c.under("gt06.md §3.2", |c| {
        c.bits("GPS length and satellites", 1, |b| {
            b.uint("GPS length", 4, 7, "");
            b.uint("Satellites", 0, 3, "")
        })
    })?;
    let (lat, lon) = coordinates(c)?;
    let speed = c.under("gt06.md §3.2", |c| c.uint("Speed", 1, "km/h"))?;
    let word = course_word(c)?;
    told.distinguish(c.seen(start + 1..c.at()));
    told.readings.set("sat", sat);
    if let Some(acc) = word.ignition {
        told.readings.set("ignition", acc);
    }
    told.place = settle(c, start, lat, lon, word).map(|place| Place {
        speed_kmh: Some(float(speed)),
        satellites: u32::try_from(sat).ok(),
        ..place
    });
    Ok(())
}

/// Latitude and longitude as they are on the wire.
pub(super) fn coordinates(c: &mut Cursor<'_>) -> Read<(f64, f64)> {
    c.under("gt06.md §3.2", |c| {
        let lat = c.scaled("Latitude", 4, UNITS_PER_DEGREE, "°")?;
        let lon = c.scaled("Longitude", 4, UNITS_PER_DEGREE, "°")?;
        Ok((lat, lon))
    })
}

/// What the course and status word says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub(super) raw: u16,
    pub(super) ignition: Option<bool>,
    pub(super) fixed: bool,
    pub(super) west: bool,
    pub(super) north: bool,
    pub(super) course: u64,
}

pub(super) fn course_word(c: &mut Cursor<'_>) -> Read<Word> {
    let raw = match *c.peek(2) {
        [high, low] => u16::from_be_bytes([high, low]),
        _ => 0,
    };
    c.under("gt06.md §3.3", |c| {
        c.bits("Course and status", 2, |b| {
            let acc = b.flag("ACC on", 15);
            let known = b.flag("ACC told", 14);
            b.named("Kind of fix", 13, 13, |bit| if bit == 0 { "real-time" } else { "differential" });
            let fixed = b.flag("Positioned", 12);
            let west = b.named("East or west", 11, 11, |bit| if bit == 0 { "east" } else { "west" }) == 1;
            let north = b.named("North or south", 10, 10, |bit| if bit == 0 { "south" } else { "north" }) == 1;
            let course = b.uint("Course", 0, 9, "°");
            Word { raw, ignition: known.then_some(acc), fixed, west, north, course }
        })
    })
}

/// What a card reader read: text where it is text, else hex digits; `None` where all bytes are zero.
pub(super) fn card_id(c: &mut Cursor<'_>, name: &'static str, len: usize) -> Read<Option<String>> {
    c.field(name, len, "", |raw| {
        let end = raw.iter().rposition(|&b| b != 0 && b != b' ').map_or(0, |at| at + 1);
        let text = raw.get(..end).unwrap_or_default().trim_ascii_start();
        let id = match text {
            [] => None,
            text if text.iter().all(|b| (b' '..=b'~').contains(b)) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => Some(crate::wire::hex(raw)),
        };
        (id.clone().map_or(Value::Absent, Value::Text), id)
    })
}

/// The place that numbers and word make, unless they are the ones of a device that knows none.
pub(super) fn settle(c: &mut Cursor<'_>, start: usize, lat: f64, lon: f64, word: Word) -> Option<Place> {
    let span = start..c.at();
    let course_deg = (word.course <= 360).then(|| float(word.course));
    if course_deg.is_none() {
        let text = format!("expected a course of 0 to 360 degrees, came {}", word.course);
        c.doubt(Severity::Warn, Group::Range, span.clone(), text);
    }
    if lat == 0.0 && lon == 0.0 {
        if word.fixed {
            let text = "said to be fixed, but at 0/0, where devices are that know no place: not used";
            c.doubt(Severity::Note, Group::Range, span, text);
        }
        return None;
    }
    let signed = |value: f64, negative: bool| if negative { -value } else { value };
    let Some(place) = LatLon::new(signed(lat, !word.north), signed(lon, word.west)) else {
        let text = format!("expected at most 90 and 180 degrees, came {lat:.6} and {lon:.6}");
        c.doubt(Severity::Warn, Group::Range, span, text);
        return None;
    };
    if word.raw == 0 {
        // Firmware without a fix zeroes the word and keeps old digits: the hemisphere would be invented.
        let text = "no fix, and no hemisphere told: the coordinates are not used";
        c.doubt(Severity::Note, Group::Range, span, text);
        return None;
    }
    let (speed_kmh, satellites, altitude_m, accuracy_m) = (None, None, None, None);
    Some(Place { at: place, valid: word.fixed, speed_kmh, course_deg, satellites, altitude_m, accuracy_m })
}

/// How wide area and cell are in bytes, and whether the network code is two bytes whatever the country code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellForm {
    pub(super) lac: usize,
    pub(super) cid: usize,
    pub(super) wide_mnc: bool,
}

/// 2G as documented.
pub(super) const CELL_2G: CellForm = CellForm { lac: 2, cid: 3, wide_mnc: false };
/// 2G with four bytes of cell id.
pub(super) const CELL_LONG: CellForm = CellForm { lac: 2, cid: 4, wide_mnc: false };
/// 3G and 4G of some makers: two bytes of network code, four of cell id.
pub(super) const CELL_WIDE: CellForm = CellForm { lac: 2, cid: 4, wide_mnc: true };
/// 4G as documented.
pub(super) const CELL_4G: CellForm = CellForm { lac: 4, cid: 8, wide_mnc: false };

impl CellForm {
    /// Bytes of the whole block when the next ones are its country code.
    pub(super) fn len(self, c: &Cursor<'_>) -> usize {
        let wide = self.wide_mnc || c.peek(1).first().is_some_and(|high| high & 0x80 != 0);
        2 + if wide { 2 } else { 1 } + self.lac + self.cid
    }
}

/// Country and network code.
pub(super) fn network(c: &mut Cursor<'_>, wide_mnc: bool) -> Read<(u16, u16)> {
    let (mcc, wide) = c.bits("MCC", 2, |b| {
        let wide = b.flag("Network code has two bytes", 15);
        (b.uint("Country code", 0, 14, ""), wide)
    })?;
    let mnc = c.uint("MNC", if wide || wide_mnc { 2 } else { 1 }, "")?;
    Ok((narrow(mcc), narrow(mnc)))
}

/// One cell: country, network, area, id.
pub(super) fn cell(c: &mut Cursor<'_>, told: &mut Told, form: CellForm) -> Read<()> {
    c.under("gt06.md §3.4", |c| {
        c.group("Cell", |c| {
            let (mcc, mnc) = network(c, form.wide_mnc)?;
            let lac = c.uint("LAC", form.lac, "")?;
            let cid = c.uint("Cell id", form.cid, "")?;
            told.cell(Cell { mcc, mnc, lac: u32::try_from(lac).unwrap_or(u32::MAX), cid, rssi_dbm: None });
            Ok(())
        })
    })
}

/// The length byte before a cell block, and the block. Makers fill that byte in their own ways, so the block is measured by what
/// must follow it: one of `trailers` bytes.
pub(super) fn measured_cell(c: &mut Cursor<'_>, told: &mut Told, trailers: &[usize]) -> Read<()> {
    const PADDING: usize = 45;
    const FORMS: [CellForm; 4] = [CELL_2G, CELL_LONG, CELL_WIDE, CELL_4G];
    c.under("gt06.md §3.4", |c| c.uint("Cell block length", 1, ""))?;
    let fits = |form: &CellForm| trailers.iter().any(|t| form.len(c) + t == c.left());
    if trailers.contains(&c.left()) {
        return Ok(());
    }
    if let Some(&form) = FORMS.iter().find(|form| fits(form)) {
        return cell(c, told, form);
    }
    // Country, network and seven cells of six bytes: one model's way of telling none.
    if trailers.iter().any(|t| PADDING + t == c.left()) {
        return c.raw("Padding", PADDING).map(drop);
    }
    // A cut or unlisted form: what is there of the documented one is better than nothing.
    cell(c, told, CELL_2G)
}

/// Terminal information, one byte. Its alarm is told only where the frame is an alarm: in heartbeats it is a state, repeated.
pub(super) fn status(c: &mut Cursor<'_>, told: &mut Told, alarms: bool) -> Read<()> {
    let raw = c.peek(1).first().copied().unwrap_or_default();
    let family = told.given.alarm_family();
    let title = move |code: u64| match code {
        0 => "none",
        _ => alarm::of_status(code, family).map_or("", |alarm| alarm.title),
    };
    let code = c.under("gt06.md §3.6", |c| {
        c.bits("Status", 1, |b| {
            told.readings.set("blocked", b.flag("Fuel and electricity cut", 7));
            b.flag("Positioning on", 6);
            let code = b.named("Alarm of the status", 3, 5, title);
            told.readings.set("charge", b.flag("Charging", 2));
            told.readings.set("ignition", b.flag("ACC on", 1));
            told.readings.set("armed", b.flag("Armed", 0));
            code
        })
    })?;
    told.readings.set("status", raw);
    if let Some(alarm) = alarm::of_status(code, family).filter(|_| alarms) {
        told.alarm(u16::from(raw), alarm);
    }
    Ok(())
}

/// Battery: 0 to 6 is a scale, 7 to 100 per cent, more is nothing one knows.
pub(super) fn level(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let start = c.at();
    let name = |code: u64| match code {
        0 => "off",
        1 => "extremely low",
        2 => "very low",
        3 => "low",
        4 => "medium",
        5 => "high",
        6 => "full",
        7..=100 => "per cent",
        _ => "",
    };
    let level = c.under("gt06.md §3.7", |c| c.named("Battery level", 1, name))?;
    match level {
        0..=6 => told.readings.set("batteryLevel", (level * 100 + 3) / 6),
        7..=100 => told.readings.set("batteryLevel", level),
        _ => {
            let text = format!("expected a battery level of 0 to 6 or per cent, came {level}");
            c.doubt(Severity::Note, Group::Range, start..c.at(), text);
        }
    }
    Ok(())
}

/// Signal of the mobile network, as the device gives it.
pub(super) fn signal(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let gsm = c.under("gt06.md §3.7", |c| c.uint("GSM signal", 1, ""))?;
    told.readings.set("rssi", gsm);
    Ok(())
}

/// An alarm byte.
pub(super) fn alarm_code(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let family = told.given.alarm_family();
    let code = c.under("gt06.md §4", |c| c.named("Alarm", 1, |code| alarm_title(code, family)))?;
    raise(told, narrow(code));
    Ok(())
}

/// An alarm byte and a language byte. In some types the high nibble of the second is bits 11 to 8 of the code.
pub(super) fn alarm_and_language(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    const TWELVE_BITS: [u8; 4] = [0x27, 0x39, 0xA4, 0xA9];
    if !TWELVE_BITS.contains(&told.given.kind) {
        alarm_code(c, told)?;
        return language(c);
    }
    let high = match *c.peek(2) {
        [_, language] => u16::from(language >> 4) << 8,
        _ => 0,
    };
    let family = told.given.alarm_family();
    let low = c.under("gt06.md §4", |c| c.named("Alarm", 1, |code| alarm_title(code | u64::from(high), family)))?;
    c.under("gt06.md §3.7", |c| {
        c.bits("Language", 1, |b| {
            b.uint("Alarm, bits 11 to 8", 4, 7, "");
            b.named("Language", 0, 3, language_name);
        })
    })?;
    raise(told, narrow(low) | high);
    Ok(())
}

pub(super) fn alarm_title(code: u64, family: Family) -> &'static str {
    match code {
        0 => "none",
        _ => alarm::meaning(narrow(code), family).map_or("", |alarm| alarm.title),
    }
}

fn raise(told: &mut Told, code: u16) {
    told.distinguish(&code.to_be_bytes());
    match alarm::meaning(code, told.given.alarm_family()) {
        Some(alarm) => told.alarm(code, alarm),
        None if code != 0 => told.readings.set("event", code),
        None => {}
    }
}

/// One byte of language.
pub(super) fn language(c: &mut Cursor<'_>) -> Read<()> {
    c.under("gt06.md §3.7", |c| c.named("Language", 1, language_name)).map(drop)
}

/// Two bytes of language.
pub(super) fn wide_language(c: &mut Cursor<'_>) -> Read<()> {
    c.under("gt06.md §3.7", |c| c.named("Language", 2, language_name)).map(drop)
}

fn language_name(code: u64) -> &'static str {
    match code {
        0 => "no answer needed",
        1 => "Chinese",
        2 => "English",
        _ => "",
    }
}

/// Country and network once, then up to `most` cells with their signal, as many as `form` leaves room for.
pub(super) fn cells(c: &mut Cursor<'_>, told: &mut Told, form: CellForm, most: usize) -> Read<()> {
    c.under("gt06.md §3.5", |c| {
        let network = network(c, form.wide_mnc)?;
        neighbours(c, told, network, form, most)
    })
}

/// Cells of one network, each with its signal.
pub(super) fn neighbours(
    c: &mut Cursor<'_>,
    told: &mut Told,
    (mcc, mnc): (u16, u16),
    form: CellForm,
    most: usize,
) -> Read<()> {
    let size = form.lac + form.cid + 1;
    for number in 1..=most.min(c.left() / size) {
        c.group(format!("Cell {number}"), |c| {
            let lac = c.uint("LAC", form.lac, "")?;
            let cid = c.uint("Cell id", form.cid, "")?;
            // Old firmware gives four bars of 4G where others give the strength (§3.5); no cell is heard at -4 dBm.
            let bars = form == CELL_4G && matches!(c.peek(1), [1..=4]);
            let rssi_dbm = if bars { c.uint("Signal", 1, "of 4").map(|_| None) } else { decibels(c) }?;
            told.cell(Cell { mcc, mnc, lac: u32::try_from(lac).unwrap_or(u32::MAX), cid, rssi_dbm });
            Ok(())
        })?;
    }
    Ok(())
}

/// A count, and so many access points.
pub(super) fn access_points(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §3.5", |c| {
        let count = c.uint("Access points", 1, "")?;
        (0..count).try_for_each(|_| access_point(c, told))
    })
}

/// One access point: six bytes of address and the signal.
pub(super) fn access_point(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.group("Access point", |c| {
        let raw = c.field("MAC", 6, "", |raw| (Value::Text(mac(raw)), raw))?;
        let rssi = decibels(c)?;
        if let Ok(mac) = raw.try_into() {
            told.access_point(AccessPoint { mac, rssi_dbm: rssi });
        }
        Ok(())
    })
}

/// A byte of signal strength: most devices leave the sign away, some send it in two's complement. 0 is not told.
pub(super) fn decibels(c: &mut Cursor<'_>) -> Read<Option<i32>> {
    c.field("Signal", 1, "dBm", |raw| {
        // Nothing is received below −127 dBm, so a greater byte can only be the negative number itself.
        let dbm = |byte: u8| if byte > 127 { i32::from(byte.cast_signed()) } else { -i32::from(byte) };
        let strength = raw.first().map(|&byte| dbm(byte)).filter(|&s| s != 0);
        (strength.map_or(Value::Absent, |s| Value::Signed(s.into())), strength)
    })
}

/// Colon-separated lower-case digits.
pub(super) fn mac(raw: &[u8]) -> String {
    raw.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

/// A small number as a float.
pub(super) fn float(value: u64) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

/// A number of at most two bytes.
pub(super) fn narrow(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
