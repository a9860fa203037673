//! Positions and alarms as single makers extended them (gt06.md §5): each recognised by its length, a few by their model.

use crate::wire::{
    Value,
    cursor::{Cursor, Read},
};

use super::{
    alarm::Alarm,
    blocks::{self, CELL_2G, CELL_4G, CELL_LONG, CELL_WIDE},
    family::Family,
    login, position, radio,
    told::Told,
};

/// VXT-01 and R31, 0x12 of length 0x24 and the end of their 0x16: status, supply voltage, signal, alarm.
pub(super) fn vxt_status(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    assume(told, Family::Vxt01);
    blocks::status(c, told, told.given.kind == 0x16)?;
    supply(c, told)?;
    blocks::signal(c, told)?;
    blocks::alarm_code(c, told)
}

/// VXT-01 and R31, 0x16 of length 0x24: no length before the cell.
pub(super) fn vxt_alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::with_cell(c, told)?;
    vxt_status(c, told)
}

/// Benway, 0x12 of length 0x21: inputs, and a temperature or an analogue value.
pub(super) fn benway_inputs(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let temperature = c.peek(1).first().is_some_and(|high| high & 0x10 != 0);
    c.under("gt06.md §6.1", |c| {
        c.bits("Inputs", 2, |b| {
            told.readings.set("ignition", b.flag("ACC on", 15));
            told.readings.set("in2", b.flag("Input 2", 14));
            let whole = b.flag("Analogue in whole units", 13);
            b.flag("Temperature told", 12);
            if temperature {
                let below = b.flag("Below zero", 9);
                let sign = if below { -1 } else { 1 };
                let degrees = b.scaled("Temperature", 0, 8, (1.0, "°C"), |raw| sign * raw);
                told.readings.set("temp1", degrees);
            } else {
                let step = if whole { 1.0 } else { 10.0 };
                let value = b.scaled("Analogue input", 0, 9, (step, ""), |raw| raw);
                told.readings.set("adc1", value);
            }
        })
    })
}

/// QH302R, 0x12 of length 0x27: the IMEI comes first.
pub(super) fn qh302r(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    told.device = Some(login::imei(c, "IMEI")?);
    position::with_cell(c, told)
}

/// Wetrust, 0x12 of length 0x29: odometer, driver's card, driving time.
pub(super) fn wetrust(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::with_cell(c, told)?;
    position::mileage(c, told)?;
    card(c, told)?;
    let alarm = c.named("Alarm", 1, |code| if code == 0 { "none" } else { "general" })?;
    if alarm != 0 {
        told.alarm(blocks::narrow(alarm), Alarm { title: "General", name: Some("general") });
    }
    let status = c.uint("Card status", 1, "")?;
    told.readings.set("cardStatus", status);
    let driving = c.uint("Driving time", 2, "")?;
    told.readings.set("drivingTime", driving);
    Ok(())
}

/// S5, 0x12 of length 0x2B: status, voltage, signal, alarm, oil, temperature, odometer.
pub(super) fn s5(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::with_cell(c, told)?;
    blocks::status(c, told, false)?;
    supply(c, told)?;
    blocks::signal(c, told)?;
    blocks::alarm_code(c, told)?;
    let oil = c.uint("Oil", 2, "")?;
    told.readings.set("oil", oil);
    let degrees = c.bits("Temperature", 1, |b| {
        let sign = if b.flag("Below zero", 7) { -1 } else { 1 };
        b.scaled("Degrees", 0, 6, (1.0, "°C"), |raw| sign * raw)
    })?;
    told.readings.set("temp1", degrees);
    let tens = c.uint("Odometer", 4, "× 10 m")?;
    told.readings.set("odometer", tens * 10);
    Ok(())
}

/// GT06E with a card reader, 0x12 from length 0x71.
pub(super) fn card_reader(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::with_cell(c, told)?;
    position::mileage(c, told)?;
    card(c, told)?;
    blocks::alarm_code(c, told)?;
    c.u8("Swiped").map(drop)
}

fn card(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let len = c.u8("Card length")?;
    let card = blocks::card_id(c, "Card", usize::from(len))?;
    told.readings.set("card", card);
    Ok(())
}

/// SEEWORLD, 0x22 of length 0x2F: mileage, travel time, temperature, humidity.
pub(super) fn seeworld(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    assume(told, Family::Seeworld);
    position::date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_LONG)?;
    position::mode(c, told)?;
    position::mileage(c, told)?;
    c.uint("Travel time", 4, "")?;
    let degrees = c.bits("Temperature", 2, |b| {
        let sign = if b.flag("Below zero", 15) { -1 } else { 1 };
        b.scaled("Degrees", 0, 14, (100.0, "°C"), |raw| sign * raw)
    })?;
    told.readings.set("temp1", degrees);
    let humidity = c.scaled("Humidity", 2, 100.0, "%")?;
    told.readings.set("humidity", humidity);
    Ok(())
}

/// NT20 and XT40, 0x22 of length 0x3C: two dates, voltages, engine time.
pub(super) fn nt20(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    nt20_head(c, told)?;
    // What follows the cell has thirteen bytes.
    blocks::measured_cell(c, told, &[13])?;
    nt20_tail(c, told)
}

/// XT40, 0x25: the same with a longer cell, and who drives.
pub(super) fn xt40(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    nt20_head(c, told)?;
    let declared = c.u8("Cell block length")?;
    if declared == 0x0A {
        blocks::cell(c, told, CELL_LONG)?;
        c.undecoded(1);
    } else {
        blocks::cell(c, told, CELL_2G)?;
    }
    nt20_tail(c, told)?;
    if c.left() > 0 {
        let len = usize::from(c.u8("Driver length")?);
        if len > 0 {
            c.u8("Kind of driver id")?;
            let driver = c.digits("Driver", len - 1)?;
            told.readings.set("driverUniqueId", driver);
        }
    }
    Ok(())
}

fn nt20_head(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.u8("Source")?;
    told.device = Some(login::imei(c, "IMEI")?);
    blocks::date(c, told, "Device date")?;
    position::date_and_gps(c, told)
}

fn nt20_tail(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, false)?;
    supply(c, told)?;
    battery_tenths(c, told)?;
    blocks::signal(c, told)?;
    blocks::alarm_code(c, told)?;
    blocks::language(c)?;
    let odometer = c.uint("Odometer", 3, "")?;
    told.readings.set("odometer", odometer);
    engine_minutes(c, told)
}

/// Two bytes of hundredths of a volt.
pub(super) fn supply(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let volts = c.scaled("Supply voltage", 2, 100.0, "V")?;
    told.readings.set("power", volts);
    Ok(())
}

fn battery_tenths(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let volts = c.scaled("Battery voltage", 1, 10.0, "V")?;
    told.readings.set("battery", volts);
    Ok(())
}

fn engine_minutes(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let minutes = c.uint("Engine time", 3, "min")?;
    told.readings.set("hours", minutes * 60_000);
    Ok(())
}

/// `SL2x` and `SL4x`, 0x31: a position with its altitude.
pub(super) fn sl4x_position(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    assume(told, Family::Sl4x);
    position::date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_WIDE)?;
    position::mode(c, told)?;
    position::mileage(c, told)?;
    altitude(c, told)
}

/// `SL4x`, 0x32 under the short start: an alarm, maybe with its altitude.
pub(super) fn sl4x_alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    assume(told, Family::Sl4x);
    position::date_and_gps(c, told)?;
    c.u8("Cell block length")?;
    blocks::cell(c, told, CELL_WIDE)?;
    position::alarm_tail(c, told)?;
    if c.left() >= 2 { altitude(c, told) } else { Ok(()) }
}

fn altitude(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let metres = c.int("Altitude", 2, "m")?;
    if let Some(place) = told.place.as_mut() {
        place.altitude_m = i16::try_from(metres).ok().map(f64::from);
    }
    Ok(())
}

/// `TRX16i`, 0x36 of length 0x35: a position, not a heartbeat.
pub(super) fn trx16i(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    assume(told, Family::Trx16i);
    position::date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_LONG)?;
    position::acc(c, told)?;
    let mode = c.uint("Upload mode", 1, "")?;
    told.readings.set("uploadMode", mode);
    let late = c.named("Re-upload", 1, |code| if code == 0 { "live" } else { "kept for later" })?;
    told.readings.set("archive", late != 0);
    let odometer = c.uint("Odometer", 4, "")?;
    told.readings.set("odometer", odometer);
    supply(c, told)?;
    battery_tenths(c, told)?;
    engine_minutes(c, told)?;
    rfid(c, told)
}

/// `TRX16i`, 0x16 of length 0x2D: an alarm with the card, its code kept as it is too.
pub(super) fn trx16i_alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    assume(told, Family::Trx16i);
    position::date_and_gps(c, told)?;
    blocks::measured_cell(c, told, &[13])?;
    let code = c.peek(4).last().copied().filter(|_| c.here() >= 4);
    position::alarm_tail(c, told)?;
    if let Some(code) = code {
        told.readings.set("event", code);
    }
    rfid(c, told)
}

/// Eight bytes of card; all zero is none.
fn rfid(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let card = c.field("RFID", 8, "", |raw| {
        if raw.iter().all(|&b| b == 0) {
            (Value::Absent, None)
        } else {
            let digits = crate::wire::hex(raw);
            (Value::Text(digits.clone()), Some(digits))
        }
    })?;
    if let Some(card) = card {
        told.readings.set("driverUniqueId", card);
    }
    Ok(())
}

/// SR411 mini, 0x24 of length 0x2E.
pub(super) fn sr411(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::with_cell(c, told)?;
    position::acc(c, told)?;
    supply(c, told)?;
    let volts = c.scaled("Battery voltage", 2, 100.0, "V")?;
    told.readings.set("battery", volts);
    c.undecoded(2);
    told.device = Some(login::imei(c, "IMEI")?);
    Ok(())
}

/// Lynkworld `LWxG`, 0xA2 of length 0x40.
pub(super) fn lynkworld(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    assume(told, Family::Lynkworld);
    position::date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_4G)?;
    c.u8("Network")?;
    blocks::status(c, told, false)?;
    supply(c, told)?;
    blocks::level(c, told)?;
    blocks::signal(c, told)?;
    blocks::alarm_and_language(c, told)?;
    let metres = c.uint("Odometer", 4, "m")?;
    told.readings.set("odometer", metres);
    let seconds = c.uint("Engine time", 4, "s")?;
    told.readings.set("hours", seconds * 1000);
    told.device = Some(login::imei(c, "Terminal")?);
    let input = c.uint("Inputs", 2, "")?;
    told.readings.set("input", input);
    Ok(())
}

/// iButton DT16E, 0x61.
pub(super) fn dt16e(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    told.device = Some(login::imei(c, "IMEI")?);
    position::date_and_gps(c, told)?;
    blocks::cell(c, told, CELL_LONG)?;
    let key = c.uint("iButton", 6, "")?;
    if key != 0 {
        told.readings.set("driverUniqueId", key.to_string());
    }
    Ok(())
}

/// Bytes of an X1 position before its port info, and in all without its analogue inputs.
const X1_PORT_INFO: usize = 45;
const X1_FIXED: usize = 51;

/// X1, 0x34 from length 0x38: voltages, driver, inputs and outputs. It has as many analogue inputs as its port info counts; where the
/// length does not fit that, the frame is one of `SL4x`.
pub(super) fn x1(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let body = c.peek(c.left());
    let counted = body.get(X1_PORT_INFO + 1).map(|byte| usize::from(byte >> 4));
    if counted.is_none_or(|count| body.len() != X1_FIXED + 2 * count) {
        return radio::sl4x_cells(c, told);
    }
    c.uint("Data and alarm", 4, "")?;
    position::date_and_gps(c, told)?;
    c.uint("Info", 2, "")?;
    let odometer = c.uint("Odometer", 4, "")?;
    told.readings.set("odometer", odometer);
    blocks::cell(c, told, CELL_LONG)?;
    let driver = c.uint("Driver", 4, "")?;
    if driver != 0 {
        told.readings.set("driverUniqueId", driver.to_string());
    }
    supply(c, told)?;
    let volts = c.scaled("Battery voltage", 2, 100.0, "V")?;
    told.readings.set("battery", volts);
    let analogue = c.bits("Port info", 4, |b| b.uint("Analogue inputs", 20, 23, ""))?;
    let input = c.uint("Inputs", 1, "")?;
    told.readings.set("input", input);
    let output = c.uint("Outputs", 1, "")?;
    told.readings.set("output", output);
    for number in 1..=analogue {
        let volts = c.scaled(format!("Analogue input {number}"), 2, 100.0, "V")?;
        told.readings.set(format!("adc{number}"), volts);
    }
    Ok(())
}

/// The frame's own layout names its maker, so its codes are read as that maker's, unless the user named another model.
fn assume(told: &mut Told, family: Family) {
    if told.given.family == Family::Standard {
        told.given.family = family;
    }
}
