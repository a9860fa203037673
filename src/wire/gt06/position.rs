//! Positions and alarms: a date, a GPS block, and what comes after them.

use crate::wire::cursor::{Cursor, Read};

use super::{
    blocks::{self, CELL_2G},
    told::{AddressQuery, Told},
};

/// 0x10 and the head of most others: date and GPS block.
pub(super) fn date_and_gps(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    blocks::gps(c, told)
}

/// 0x10: GPS only, with a language.
pub(super) fn gps_only(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    blocks::wide_language(c)
}

/// Date, GPS, 2G cell: the whole of 0x12 and the head of its variants.
pub(super) fn with_cell(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_2G)
}

/// 0x12 with a mileage.
pub(super) fn with_mileage(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    with_cell(c, told)?;
    mileage(c, told)
}

/// 0x12 with ACC, mode and re-upload.
pub(super) fn with_mode(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    with_cell(c, told)?;
    mode(c, told)
}

/// 0x12 with ACC, mode, re-upload and a mileage.
pub(super) fn with_mode_and_mileage(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    with_mode(c, told)?;
    mileage(c, told)
}

/// 0x22 and 0x2D: the cell's width follows from the length, a mileage may end it.
pub(super) fn utc_position(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_2G)?;
    mode(c, told)?;
    if c.left() == 4 { mileage(c, told) } else { Ok(()) }
}

/// ACC, why the position was sent, and whether it was kept for later.
pub(super) fn mode(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.2", |c| {
        acc(c, told)?;
        let mode = c.named("Sent because", 1, mode_name)?;
        told.readings.set("event", mode);
        let late = c.named("Re-upload", 1, |code| if code == 0 { "live" } else { "kept for later" })?;
        told.readings.set("archive", late != 0);
        Ok(())
    })
}

/// One byte of ignition.
pub(super) fn acc(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let acc = c.named("ACC", 1, |code| if code == 0 { "off" } else { "on" })?;
    told.readings.set("ignition", acc != 0);
    Ok(())
}

fn mode_name(code: u64) -> &'static str {
    match code {
        0x0 => "time interval",
        0x1 => "distance",
        0x2 => "corner",
        0x3 => "ACC change",
        0x4 => "last point when stopping",
        0x5 => "last valid point before reconnecting",
        0x6 => "ephemeris refresh",
        0x7 => "key pressed",
        0x8 => "powered on",
        0xA => "last position after becoming static",
        0xB => "Wi-Fi",
        0xC => "asked for by command",
        0xD => "last point after static",
        0xE => "interval while static",
        0xF => "leaving tracking",
        _ => "",
    }
}

/// Four bytes of metres.
pub(super) fn mileage(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let metres = c.uint("Mileage", 4, "m")?;
    told.readings.set("odometer", metres);
    Ok(())
}

/// 0x16 and 0x26: date, GPS, cell with its length, status, level, signal, alarm, language, maybe a mileage.
pub(super) fn alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    blocks::measured_cell(c, told, &[5, 9])?;
    blocks::status(c, told, true)?;
    blocks::level(c, told)?;
    blocks::signal(c, told)?;
    blocks::alarm_and_language(c, told)?;
    if c.left() == 4 { mileage(c, told) } else { Ok(()) }
}

/// 0x1A and 0x2A: where am I? Date, GPS, the phone that asks, language.
pub(super) fn address_query(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    asker(c, told)
}

/// Whom to tell the address, and in which language.
pub(super) fn asker(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let phone = c.field("Phone", 21, "", |raw| {
        let digits = raw.iter().take_while(|b| b.is_ascii_digit()).count();
        let shown = crate::wire::cursor::ascii(raw.get(..digits).unwrap_or_default());
        (crate::wire::Value::Text(shown), raw.to_vec())
    })?;
    let language = c.under("gt06.md §3.7", |c| {
        c.named("Language", 2, |code| match code {
            1 => "Chinese",
            2 => "English",
            _ => "",
        })
    })?;
    told.address_query = Some(AddressQuery { phone, language: u8::try_from(language).unwrap_or(2) });
    Ok(())
}
