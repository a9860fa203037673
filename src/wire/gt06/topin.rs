//! The dialect without serial and checksum (`ZhongXun` / 365GPS) on the same port: gt06.md §9.

use crate::model::Timestamp;
use crate::wire::{
    Dissection, Value,
    cursor::{Cursor, Read},
};

use super::{
    alarm::Alarm,
    blocks::{self, CellForm},
    encode, login, position,
    state::Dialect,
    told::Told,
};

/// Where a frame of the dialect ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// After so many bytes, with the stop bits in place.
    Whole(usize),
    /// Not before so many bytes are there.
    Partial(usize),
    /// The bytes are no frame of this dialect.
    Not,
}

/// Access points and cells a frame lists at most; a larger count is no count.
const MOST: usize = 24;

/// Bytes of a frame with nothing in it.
const KEEP_ALIVE: usize = 6;

/// Measures the frame that begins with `bytes`. On a connection that logged in as Topin types that nobody listed are measured as
/// well; on one that logged in as GT06 only a login is: any other frame there is a damaged one of GT06.
pub(super) fn extent(bytes: &[u8], dialect: Dialect) -> Extent {
    let [0x78, 0x78, length, kind, ..] = *bytes else { return Extent::Not };
    let length = usize::from(length);
    match (kind, length) {
        (0x01, 0x0D) => stop_after(bytes, &[15]),
        _ if dialect == Dialect::Gt06 => Extent::Not,
        // The length byte of these is a count, and one access point is a count, too.
        (0x17 | 0x69, 0x01) if bytes.len() < KEEP_ALIVE => Extent::Partial(KEEP_ALIVE),
        (0x17 | 0x69, 0x01) if stop_after(bytes, &[KEEP_ALIVE]) == Extent::Not => measure_lists(bytes, length),
        (_, 0x01) => stop_after(bytes, &[KEEP_ALIVE]),
        (0x10 | 0x11, 0x12 | 0x15) => stop_after(bytes, &[length + 6]),
        (0x13, 0x04..=0x0C) => stop_after(bytes, &[length + 4]),
        (0x17 | 0x69, 0..=MOST) => measure_lists(bytes, length),
        _ if dialect == Dialect::Topin => stop_after(bytes, &[length + 2, length + 4, length + 5, length + 6]),
        _ => Extent::Not,
    }
}

fn measure_lists(bytes: &[u8], access_points: usize) -> Extent {
    match radio_list(bytes, access_points) {
        Ok(total) => stop_after(bytes, &[total, total + 1]),
        Err(need) => Extent::Partial(need),
    }
}

/// True for the kinds whose length byte is a count.
pub(super) fn lists(kind: u8) -> bool {
    matches!(kind, 0x17 | 0x69)
}

/// The kind of a frame: word and title.
pub(super) fn name(kind: u8) -> (&'static str, &'static str) {
    match kind {
        0x01 => ("login", "Login (Topin)"),
        0x08 => ("keep-alive", "Keep-alive (Topin)"),
        0x10 => ("location", "Position (Topin)"),
        0x11 => ("location", "Stored position (Topin)"),
        0x13 => ("heartbeat", "Status (Topin)"),
        0x17 => ("wifi", "Stored Wi-Fi and cells (Topin)"),
        0x69 => ("wifi", "Wi-Fi and cells (Topin)"),
        0x30 => ("time-query", "Time query (Topin)"),
        0x94 => ("alarm", "Vibration (Topin)"),
        0x99 => ("alarm", "SOS (Topin)"),
        0x57 => ("settings-query", "Settings query (Topin)"),
        _ => ("unknown", "Unknown type (Topin)"),
    }
}

/// Reads the bytes between type and stop. `length`: the length byte, which is a count in two kinds.
pub(super) fn body(c: &mut Cursor<'_>, told: &mut Told, length: u8) -> Read<()> {
    match told.given.kind {
        0x01 if c.left() >= 8 => {
            told.device = Some(login::imei(c, "IMEI")?);
            if c.left() > 0 { c.u8("Software").map(drop) } else { Ok(()) }
        }
        0x10 | 0x11 if c.left() >= 18 => position(c, told),
        0x13 => status(c, told),
        0x94 => {
            told.alarm(0x94, Alarm { title: "Vibration", name: Some("vibration") });
            Ok(())
        }
        0x99 => {
            told.alarm(0x99, Alarm { title: "SOS", name: Some("sos") });
            Ok(())
        }
        0x17 | 0x69 if c.left() >= 10 => radio_lists(c, told, length),
        _ => Ok(()),
    }
}

/// Date and GPS as in the other dialect, then maybe altitude and alarm.
fn position(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::date_and_gps(c, told)?;
    if c.left() >= 2 {
        let metres = c.int("Altitude", 2, "m")?;
        if let Some(place) = told.place.as_mut() {
            place.altitude_m = i16::try_from(metres).ok().map(f64::from);
        }
    }
    if c.left() > 0 { c.u8("Alarm").map(drop) } else { Ok(()) }
}

/// Battery, firmware, zone, interval, signal, and what nobody wrote down.
fn status(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let percent = c.uint("Battery", 1, "%")?;
    told.readings.set("batteryLevel", percent);
    c.u8("Firmware")?;
    c.u8("Zone")?;
    c.u8("Interval")?;
    if c.left() > 0 {
        let signal = c.uint("Signal", 1, "")?;
        told.readings.set("rssi", signal);
    }
    Ok(())
}

/// Date in packed digits, so many access points as the length byte says, a count of cells, the cells, maybe an alarm.
fn radio_lists(c: &mut Cursor<'_>, told: &mut Told, access_points: u8) -> Read<()> {
    told.at = packed_date(c)?;
    (0..access_points).try_for_each(|_| blocks::access_point(c, told))?;
    let count = c.u8("Cells")?;
    let network = blocks::network(c, false)?;
    blocks::neighbours(c, told, network, CellForm { lac: 2, cid: 2, wide_mnc: false }, usize::from(count))?;
    if c.left() > 0 { c.u8("Alarm").map(drop) } else { Ok(()) }
}

/// Two decimal digits a byte.
fn packed_date(c: &mut Cursor<'_>) -> Read<Option<Timestamp>> {
    let decimal = |byte: u8| (byte >> 4 < 10 && byte & 0xF < 10).then_some((byte >> 4) * 10 + (byte & 0xF));
    let binary: Option<Vec<u8>> = c.peek(6).iter().map(|&byte| decimal(byte)).collect();
    let at = binary.and_then(|binary| <[u8; 6]>::try_from(binary).ok()).and_then(blocks::moment);
    c.field("Date", 6, "", |raw| match at {
        Some(at) => (Value::Time(at), Some(at)),
        None if raw.iter().all(|&b| b == 0) => (Value::Absent, None),
        None => (Value::Raw(raw.to_vec()), None),
    })
}

/// What the dialect's servers answer to `frame`. Without it the device sends the same again, for ever.
pub(super) fn reply(kind: u8, frame: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let length = frame.get(2).copied()?;
    let packet = |length: u8, body: &[u8]| [&[0x78, 0x78, length, kind], body, &[0x0D, 0x0A]].concat();
    match kind {
        // Accepted; and the time, which the device has from nobody else before its first fix.
        0x01 => Some([packet(length, &[0x01]), time(now)].concat()),
        0x10 | 0x11 => Some(packet(length, frame.get(4..10)?)),
        0x13 => Some(frame.to_vec()),
        0x17 | 0x69 => Some(packet(0, frame.get(4..10)?)),
        0x30 => Some(time(now)),
        _ => None,
    }
}

/// Explains what [`reply`] made: one answer, or, after a login, two.
pub(super) fn explain_reply(bytes: &[u8]) -> Dissection {
    let mut c = Cursor::new(bytes);
    let read = c.within(bytes.len(), |c| {
        c.under("gt06.md §9", |c| {
            while c.left() > 0 {
                c.group("Answer", one_answer)?;
            }
            Ok(())
        })
    });
    if read.is_err() {
        let rest = c.here();
        c.undecoded(rest);
    }
    let (fields, problems) = c.finish();
    let type_number = bytes.get(3).copied();
    Dissection {
        kind: "ack".into(),
        type_number,
        title: "Acknowledgement (Topin)".into(),
        fields,
        problems,
        ..Dissection::default()
    }
}

fn one_answer(c: &mut Cursor<'_>) -> Read<()> {
    c.raw("Start", 2)?;
    c.uint("Length", 1, "")?;
    let kind = c.named("Type", 1, |code| name(u8::try_from(code).unwrap_or_default()).1)?;
    match kind {
        0x01 => {
            c.named("Login", 1, |code| if code == 1 { "accepted" } else { "" })?;
        }
        0x30 => {
            c.u16("Year")?;
            for part in ["Month", "Day", "Hour", "Minute", "Second"] {
                c.u8(part)?;
            }
        }
        // The others bring back what the device sent.
        0x10 | 0x11 | 0x17 | 0x69 => drop(c.raw("Date of the request", 6)?),
        _ => drop(c.raw("Body of the request", c.left().saturating_sub(2))?),
    }
    c.raw("Stop", 2).map(drop)
}

/// Year in two bytes, month, day, hour, minute, second, in UTC.
fn time(now: Timestamp) -> Vec<u8> {
    let [year, rest @ ..] = encode::date(now);
    let [high, low] = (2000 + u16::from(year)).to_be_bytes();
    [&[0x78, 0x78, 0x07, 0x30, high, low], rest.as_slice(), &[0x0D, 0x0A]].concat()
}

/// Bytes of a frame 0x17 or 0x69 without the alarm that may come last; `Err`: the counts are not there yet.
fn radio_list(bytes: &[u8], access_points: usize) -> Result<usize, usize> {
    let cells_at = 10 + 7 * access_points;
    let cells = usize::from(*bytes.get(cells_at).ok_or(cells_at + 6)?);
    Ok(cells_at + 4 + 5 * cells.min(MOST) + 2)
}

/// The first of the lengths (ascending) at which the stop bits end the frame.
fn stop_after(bytes: &[u8], lengths: &[usize]) -> Extent {
    for &total in lengths {
        match total.checked_sub(2).and_then(|at| bytes.get(at..total)) {
            Some([0x0D, 0x0A]) => return Extent::Whole(total),
            Some(_) => {}
            None => return Extent::Partial(total),
        }
    }
    Extent::Not
}
