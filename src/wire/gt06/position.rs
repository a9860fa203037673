//! Positions and alarms: a date, a GPS block, and what comes after them.

use crate::wire::cursor::{Cursor, Read};

use super::{
    blocks::{self, CELL_2G, CELL_4G, CELL_WIDE},
    makers,
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

/// Date, GPS, 2G cell: the head of 0x12 and its variants.
pub(super) fn with_cell(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_2G)
}

/// 0x12: what comes after the cell follows from its length. A country code with a wide network code makes all of them one longer.
pub(super) fn position_12(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    with_cell(c, told)?;
    match c.left() {
        2 => makers::benway_inputs(c, told),
        3 => mode(c, told),
        4 => mileage(c, told),
        5 => makers::vxt_status(c, told),
        7 => {
            mode(c, told)?;
            mileage(c, told)
        }
        _ => Ok(()),
    }
}

/// 0x11 of the G28: cells wide.
pub(super) fn with_wide_cell(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_WIDE)
}

/// 0x22 and 0x2D: a mileage may end it.
pub(super) fn utc_position(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    with_cell(c, told)?;
    mode(c, told)?;
    if c.left() == 4 { mileage(c, told) } else { Ok(()) }
}

/// 0xA0: as 0x22 with the cell of 4G.
pub(super) fn utc_4g_position(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_4G)?;
    mode(c, told)?;
    if c.left() == 4 { mileage(c, told) } else { Ok(()) }
}

/// 0x17: a position with the card that was read.
pub(super) fn with_card(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    with_cell(c, told)?;
    let card = blocks::card_id(c, "RFID", 8)?;
    told.readings.set("driverUniqueId", card);
    c.u8("Valid").map(drop)
}

/// ACC, why the position was sent, and whether it was kept for later.
pub(super) fn mode(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.2", |c| acc(c, told))?;
    mode_and_late(c, told)
}

/// Why the position was sent, and whether it was kept for later.
pub(super) fn mode_and_late(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.2", |c| {
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

/// 0x16 and 0x26: date, GPS, cell with its length, how the device is, maybe a mileage.
pub(super) fn alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    // VXT-01 and R31 leave the length of the cell away; with a wide network code theirs is as long as the documented one. No length is so great.
    if told.given.kind == 0x16 && c.left() == 14 && c.peek(1).first().is_some_and(|high| high & 0x80 != 0) {
        blocks::cell(c, told, CELL_2G)?;
        return makers::vxt_status(c, told);
    }
    blocks::measured_cell(c, told, &[5, 9])?;
    alarm_tail(c, told)?;
    if c.left() == 4 { mileage(c, told) } else { Ok(()) }
}

/// 0x27, 0xA3, 0xA4: the same, and in two of them a fence number.
pub(super) fn fence_alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    date_and_gps(c, told)?;
    let tail = if told.given.kind == 0xA3 { 5 } else { 6 };
    blocks::measured_cell(c, told, &[tail, tail + 4])?;
    alarm_tail(c, told)?;
    if told.given.kind != 0xA3 {
        let fence = c.named("Fence", 1, |code| if code == 0xFF { "none" } else { "" })?;
        if fence != 0xFF {
            told.readings.set("geofence", fence);
        }
    }
    if c.left() == 4 { mileage(c, told) } else { Ok(()) }
}

/// 0x19 and 0xA5: an alarm without a position, from the cell alone.
pub(super) fn cell_alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::cell(c, told, if told.given.kind == 0xA5 { CELL_4G } else { CELL_2G })?;
    alarm_tail(c, told)
}

/// Status, level, signal, alarm, language.
pub(super) fn alarm_tail(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, true)?;
    blocks::level(c, told)?;
    blocks::signal(c, told)?;
    blocks::alarm_and_language(c, told)
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
