//! Cameras, pictures and engine data: what needs more room than a tracker's frame.

use crate::wire::{
    Value,
    cursor::{Cursor, Read},
};

use super::{
    alarm::Alarm,
    blocks, position,
    told::{Picture, Place, Told},
};

/// 0x95: a camera's alarm in one of three layouts.
pub(super) fn camera_alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| {
        // Date and event, nothing else.
        const BARE: usize = 7;
        if c.left() == BARE {
            blocks::frame_date(c, told)?;
            return camera_event(c, told, "general");
        }
        if c.peek(2) == [0xFF, 0xFF] {
            c.raw("Marker", 2)?;
            c.u8("Version")?;
            blocks::frame_date(c, told)?;
            let start = c.at();
            let sat = c.uint("Satellites", 1, "")?;
            told.readings.set("sat", sat);
            camera_place(c, told, start, u32::try_from(sat).ok())?;
            let speed = c.uint("Speed", 2, "km/h")?;
            if let Some(place) = told.place.as_mut() {
                place.speed_kmh = Some(blocks::float(speed));
            }
            let volts = c.scaled("Supply voltage", 2, 10.0, "V")?;
            told.readings.set("power", volts);
        } else {
            blocks::frame_date(c, told)?;
            let start = c.at();
            camera_place(c, told, start, None)?;
        }
        camera_event(c, told, "sos")?;
        let data = c.uint("Event data", 2, "")?;
        told.readings.set("eventData", data);
        let files = c.text("Files", c.left())?;
        if !files.is_empty() {
            told.readings.set("eventFiles", files);
        }
        Ok(())
    })
}

fn camera_place(c: &mut Cursor<'_>, told: &mut Told, start: usize, satellites: Option<u32>) -> Read<()> {
    let from = c.at();
    let (lat, lon) = blocks::coordinates(c)?;
    let word = blocks::course_word(c)?;
    told.distinguish(c.seen(from..c.at()));
    if let Some(acc) = word.ignition {
        told.readings.set("ignition", acc);
    }
    told.place = blocks::settle(c, start, lat, lon, word).map(|place| Place { satellites, ..place });
    Ok(())
}

/// `first`: what code 1 stands for.
fn camera_event(c: &mut Cursor<'_>, told: &mut Told, first: &'static str) -> Read<()> {
    let meaning = move |code: u64| match code {
        0x01 => Some(first),
        0x0E => Some("lowPower"),
        0x76 => Some("temperature"),
        0x80 => Some("vibration"),
        0x87 => Some("overspeed"),
        0x88 => Some("powerCut"),
        0x90 => Some("hardAcceleration"),
        0x91 => Some("hardBraking"),
        0x92 => Some("hardCornering"),
        0x93 => Some("accident"),
        _ => None,
    };
    let event = c.named("Event", 1, |code| meaning(code).unwrap_or(""))?;
    let code = blocks::narrow(event);
    told.distinguish(&code.to_be_bytes());
    told.readings.set("event", event);
    if let Some(name) = meaning(event) {
        told.alarm(code, Alarm { title: name, name: Some(name) });
    }
    Ok(())
}

/// 0x35: X1 has a picture for us.
pub(super) fn picture(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| {
        blocks::frame_date(c, told)?;
        c.u8("Fix")?;
        // Without a hemisphere this is no position.
        blocks::coordinates(c)?;
        c.u8("Camera")?;
        c.u8("Source")?;
        c.u8("Format")?;
        let length = c.u32("Length of the picture")?;
        let id = c.u32("Picture")?;
        told.picture = Some(Picture::Offered { id, length });
        Ok(())
    })
}

/// 0x36 under the long start: a piece of that picture.
pub(super) fn picture_piece(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| {
        let id = c.u32("Picture")?;
        let offset = c.u32("Offset")?;
        let size = c.u16("Size")?;
        c.raw("Data", c.left())?;
        told.picture = Some(Picture::Piece { id, offset, size: u32::from(size) });
        Ok(())
    })
}

/// 0x40: state of a battery. Only its head is documented.
pub(super) fn battery_system(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| {
        c.raw("Serial of the battery", 8)?;
        told.at = blocks::unix_time(c, "Time")?;
        Ok(())
    })
}

/// 0x41: a piece of sound or picture (WD-209).
pub(super) fn multimedia(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| {
        c.raw("Serial of the device", 8)?;
        told.at = blocks::unix_time(c, "Time")?;
        c.raw("GPS", 14)?;
        c.raw("Cell", 8)?;
        c.u32("Media")?;
        c.u32("Length of the media")?;
        c.u8("Kind")?;
        c.u8("Format")?;
        c.u8("Event")?;
        c.u16("Index")?;
        c.raw("Data", c.left())?;
        Ok(())
    })
}

/// 0x8C, and 0x65 and 0x66 of the same shape: date, ACC, `id=value` pairs, a GPS block without a date.
pub(super) fn engine(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| {
        const GPS: usize = 12;
        blocks::frame_date(c, told)?;
        position::acc(c, told)?;
        let end = c.left().saturating_sub(GPS);
        let text = c.peek(end);
        let mut pairs = text.split_inclusive(|&b| b == b',').peekable();
        while let Some(pair) = pairs.next() {
            if pairs.peek().is_none() && pair.len() + GPS > c.left() {
                break;
            }
            engine_value(c, told, pair)?;
        }
        // The word of a frame without a position is zero, so the block then tells none.
        if c.left() == GPS { blocks::gps(c, told) } else { Ok(()) }
    })
}

fn engine_value(c: &mut Cursor<'_>, told: &mut Told, pair: &[u8]) -> Read<()> {
    let told_pair = String::from_utf8_lossy(pair).into_owned();
    let (id, digits) = told_pair.trim_end_matches(',').split_once('=').unwrap_or(("", ""));
    let id = id.get(..2).unwrap_or(id);
    let hundredths = i64::from_str_radix(digits, 16).ok();
    let value = hundredths.and_then(|n| i32::try_from(n).ok()).map(|n| f64::from(n) / 100.0);
    let (name, key) = match id {
        "28" => ("Odometer", "odometer"),
        "2B" => ("Fuel", "fuel"),
        "2D" => ("Coolant", "coolantTemp"),
        "35" => ("Speed", "obdSpeed"),
        "36" => ("Engine speed", "rpm"),
        "47" => ("Fuel used", "fuelUsed"),
        "49" => ("Engine hours", "hours"),
        "4A" => ("VIN", "vin"),
        _ => ("Engine value", ""),
    };
    let shown = told_pair.trim_end_matches(',').to_owned();
    c.field(name, pair.len(), "", |_| (Value::Text(shown), ()))?;
    match (key, value) {
        ("", _) | (_, None) if key != "vin" => {}
        ("vin", _) => told.readings.set("vin", digits),
        // Hours of the engine in milliseconds.
        ("hours", Some(hours)) => told.readings.set("hours", (hours * 3_600_000.0).round()),
        (key, Some(value)) => told.readings.set(key, value),
        (_, None) => {}
    }
    Ok(())
}
