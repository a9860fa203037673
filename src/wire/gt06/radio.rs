//! Radio measurements: cells and access points that a device heard. Never a position.

use crate::model::{AccessPoint, Cell};
use crate::wire::{
    Value,
    cursor::{Cursor, Read},
};

use super::{
    blocks::{self, CELL_2G, CELL_4G, CELL_WIDE, CellForm},
    position,
    told::Told,
};

/// Cells that the multi-cell kinds list.
const SEVEN: usize = 7;

/// 0x11: date and one cell; two bytes of language may follow.
pub(super) fn one_cell(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    blocks::cell(c, told, CELL_2G)?;
    if c.left() == 2 { blocks::wide_language(c) } else { Ok(()) }
}

/// 0x8B: one cell and nothing else.
pub(super) fn bare_cell(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::cell(c, told, CELL_2G)
}

/// 0x18, 0x28, 0x2E: date, seven cells, timing advance, language.
pub(super) fn many_cells(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    cells_and_language(c, told, CELL_2G)
}

/// 0xA1: the same with the ids of 4G.
pub(super) fn many_4g_cells(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    cells_and_language(c, told, CELL_4G)
}

/// 0x1E: a position, then as 0x18.
pub(super) fn position_and_cells(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::date_and_gps(c, told)?;
    cells_and_language(c, told, CELL_2G)
}

fn cells_and_language(c: &mut Cursor<'_>, told: &mut Told, form: CellForm) -> Read<()> {
    blocks::cells(c, told, form, SEVEN)?;
    timing_advance(c)?;
    blocks::wide_language(c)
}

fn timing_advance(c: &mut Cursor<'_>) -> Read<()> {
    c.under("gt06.md §3.5", |c| c.u8("Timing advance")).map(drop)
}

/// 0x2C: date, seven cells, timing advance, access points.
pub(super) fn cells_and_wifi(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    cells_then_wifi(c, told, CELL_2G, SEVEN)
}

/// 0xA2: the same with the ids of 4G.
pub(super) fn cells_4g_and_wifi(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    cells_then_wifi(c, told, CELL_4G, SEVEN)
}

/// 0x33 of `SL4x`: six cells with long ids.
pub(super) fn sl4x_cells_and_wifi(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    cells_then_wifi(c, told, CellForm { wide_mnc: false, ..CELL_WIDE }, 6)
}

fn cells_then_wifi(c: &mut Cursor<'_>, told: &mut Told, form: CellForm, most: usize) -> Read<()> {
    blocks::frame_date(c, told)?;
    blocks::cells(c, told, form, most)?;
    timing_advance(c)?;
    blocks::access_points(c, told)
}

/// 0x34 of `SL4x`: timing advance before the cells.
pub(super) fn sl4x_cells(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    timing_advance(c)?;
    blocks::cells(c, told, CELL_WIDE, SEVEN)
}

/// 0x24 of Wanway: timing advance, network, a count, so many cells, padding.
pub(super) fn counted_cells(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    timing_advance(c)?;
    c.under("gt06.md §3.5", |c| {
        let network = blocks::network(c, false)?;
        let count = c.u8("Cells")?;
        blocks::neighbours(c, told, network, CELL_2G, usize::from(count))?;
        c.raw("Padding", c.left()).map(drop)
    })
}

/// 0xF3: date, a count, and so many access points without their signal.
pub(super) fn wifi(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    let count = c.u8("Access points")?;
    (0..count).try_for_each(|_| {
        c.group("Access point", |c| {
            c.undecoded(2);
            let raw = c.field("MAC", 6, "", |raw| (Value::Text(blocks::mac(raw)), raw))?;
            if let Ok(mac) = raw.try_into() {
                told.access_point(AccessPoint { mac, rssi_dbm: None });
            }
            Ok(())
        })
    })
}

/// A cell that says its own width: 0x38 and 0x39. From the third generation on everything is wide.
pub(super) fn tagged_cell(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §3.4", |c| {
        c.group("Cell", |c| {
            let generation = c.named("Network", 1, |_| "")?;
            let (lac, cid, signal) = if generation >= 3 { (4, 8, 2) } else { (2, 3, 1) };
            let (mcc, mnc) = blocks::network(c, false)?;
            let lac = c.uint("LAC", lac, "")?;
            let cid = c.uint("Cell id", cid, "")?;
            c.uint("Signal", signal, "")?;
            told.cell(Cell { mcc, mnc, lac: u32::try_from(lac).unwrap_or(u32::MAX), cid, rssi_dbm: None });
            Ok(())
        })
    })
}

/// 0xA9: an alarm with the cells and access points around it.
pub(super) fn alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    let network = blocks::network(c, false)?;
    let wide = c.named("Network", 1, |code| if code == 0 { "2G" } else { "4G" })? > 0;
    let count = c.u8("Cells")?;
    blocks::neighbours(c, told, network, if wide { CELL_4G } else { CELL_2G }, usize::from(count))?;
    timing_advance(c)?;
    blocks::access_points(c, told)?;
    blocks::alarm_and_language(c, told)
}

/// 0xA7: what is the address of this cell?
pub(super) fn address_query(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::cell(c, told, CELL_4G)?;
    position::asker(c, told)
}

/// 0xB2: a Bluetooth beacon for clocking on and off.
pub(super) fn beacon(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::frame_date(c, told)?;
    let signal = c.int("Signal", 1, "dBm")?;
    let mac = c.digits("MAC", 6)?;
    let uuid = c.digits("UUID", 16)?;
    let major = c.u16("Major")?;
    let minor = c.u16("Minor")?;
    let volts = c.scaled("Battery", 2, 100.0, "V")?;
    let clock = c.bits("Clocking", 1, |b| b.uint("Clocking", 2, 5, ""))?;
    told.readings.set("rssi", signal);
    told.readings.set("tag1Id", mac);
    told.readings.set("tag1Battery", volts);
    told.readings.set("uuid", uuid);
    told.readings.set("major", major);
    told.readings.set("minor", minor);
    told.readings.set("clock", clock);
    Ok(())
}

/// AZ735 (long start), 0x32 and 0x33: parts that each say their length.
pub(super) fn az735(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.7", |c| {
        blocks::frame_date(c, told)?;
        let gps = c.u8("GPS length")?;
        c.within(usize::from(gps), |c| if gps == 0 { Ok(()) } else { blocks::gps(c, told) })?;
        let lbs = c.u8("Cell length")?;
        let mut network = (0, 0);
        c.within(usize::from(lbs), |c| {
            if lbs == 0 {
                return Ok(());
            }
            network = c.group("Cell", |c| {
                let (mcc, mnc) = blocks::network(c, false)?;
                let lac = c.uint("LAC", 2, "")?;
                let cid = c.uint("Cell id", 3, "")?;
                let signal = c.uint("Signal", 1, "")?;
                told.readings.set("rssi", signal);
                told.cell(Cell { mcc, mnc, lac: u32::try_from(lac).unwrap_or(u32::MAX), cid, rssi_dbm: None });
                Ok((mcc, mnc))
            })?;
            Ok(())
        })?;
        let neighbours = usize::from(c.u8("Neighbours length")?);
        c.within(neighbours, |c| {
            // Other sizes than those of §3.5 are nothing we know.
            if neighbours.is_multiple_of(6) {
                blocks::neighbours(c, told, network, CELL_2G, neighbours / 6)
            } else {
                Ok(())
            }
        })?;
        let wifi = usize::from(c.u8("Wi-Fi length")?);
        c.within(wifi, |c| {
            let points = if wifi.is_multiple_of(7) { wifi / 7 } else { 0 };
            (0..points).try_for_each(|_| blocks::access_point(c, told))
        })?;
        // The codes are those of the alarm; nobody wrote down what a position says here.
        let alarms = told.given.kind == 0x33;
        let status = c.named("Status", 1, |code| az735_status(code).filter(|_| alarms).unwrap_or(""))?;
        told.readings.set("status", status);
        if let Some(alarm) = az735_alarm(status).filter(|_| alarms) {
            told.alarm(blocks::narrow(status), alarm);
        }
        if alarms && (status == 0xA0 || status == 0xA1) {
            told.readings.set("armed", status == 0xA0);
        }
        let reserved = c.u8("Reserved length")?;
        c.raw("Reserved", usize::from(reserved)).map(drop)
    })
}

fn az735_status(code: u64) -> Option<&'static str> {
    Some(match code {
        0xA0 => "armed",
        0xA1 => "disarmed",
        0xA2 | 0xA3 => "low battery",
        0xA4 => "alarm",
        0xA5 => "door",
        _ => return None,
    })
}

fn az735_alarm(code: u64) -> Option<super::alarm::Alarm> {
    let (title, name) = match code {
        0xA2 | 0xA3 => ("Low battery", "lowBattery"),
        0xA4 => ("General", "general"),
        0xA5 => ("Door", "door"),
        _ => return None,
    };
    Some(super::alarm::Alarm { title, name: Some(name) })
}
