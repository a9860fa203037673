//! Heartbeats: the line is alive, and how the device is.

use crate::model::SupplyVoltage;
use crate::wire::cursor::{Cursor, Read};

use super::{blocks, tags, told::Told};

/// 0x13, five bytes of body: four layouts that nothing in the frame names (gt06.md §3.7). Tagged values may follow, as in 0x36.
pub(super) fn heartbeat(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let tagged = tagged(c);
    five_bytes(c, told)?;
    if tagged { tags::values(c, told) } else { Ok(()) }
}

/// True where tagged values follow the five bytes.
fn tagged(c: &Cursor<'_>) -> bool {
    let body = c.peek(c.left());
    body.get(5..).is_some_and(|rest| rest.len() + 5 == c.left() && tags::follow(rest))
}

fn five_bytes(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, false)?;
    match (told.given.supply.or(told.given.family.supply()), c.peek(4)) {
        (Some(SupplyVoltage::Hundredths), _) => wide_voltage(c, told),
        (Some(SupplyVoltage::Tenths), _) => {
            blocks::level(c, told)?;
            blocks::signal(c, told)?;
            c.under("gt06.md §3.7", |c| {
                let volts = c.bits("Supply", 2, |b| b.scaled("Supply voltage", 0, 11, (10.0, "V"), |raw| raw))?;
                told.readings.set("power", volts);
                Ok(())
            })
        }
        (Some(SupplyVoltage::Whole), _) => {
            blocks::level(c, told)?;
            blocks::signal(c, told)?;
            let volts = c.under("gt06.md §3.7", |c| c.uint("Supply voltage", 1, "V"))?;
            told.readings.set("power", volts);
            blocks::language(c)
        }
        // A voltage's second byte over 100 cannot be a signal.
        (None, &[_, low, signal, 0]) if low > 100 && signal <= 31 => wide_voltage(c, told),
        (Some(SupplyVoltage::Nowhere), _) => documented_tail(c, told),
        (None, _) => {
            blocks::level(c, told)?;
            blocks::signal(c, told)?;
            port_status(c)
        }
    }
}

/// Status, level, signal, alarm, language: as the documents have it.
pub(super) fn documented(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, false)?;
    documented_tail(c, told)
}

fn documented_tail(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::level(c, told)?;
    blocks::signal(c, told)?;
    alarm_state(c, told)?;
    blocks::language(c)
}

/// OBD6, 0x13 of length 0x13: satellites and signal share a word. 4G units send tagged values in the same length.
pub(super) fn obd6(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    if tagged(c) {
        return heartbeat(c, told);
    }
    c.under("gt06.md §6.1", |c| {
        blocks::status(c, told, false)?;
        let (sat, gsm) = c.bits("Satellites and signal", 2, |b| {
            let sat = b.uint("Satellites, one system", 10, 14, "") + b.uint("Satellites, the other", 5, 9, "");
            (sat, b.uint("GSM signal", 0, 4, ""))
        })?;
        told.readings.set("sat", sat);
        told.readings.set("rssi", gsm);
        alarm_state(c, told)?;
        blocks::language(c)?;
        percent(c, told)?;
        let mode = c.u8("Mode")?;
        let volts = c.scaled("Supply voltage", 2, 100.0, "V")?;
        told.readings.set("power", volts);
        c.raw("Reserved", 1)?;
        c.uint("Work time", 2, "")?;
        let degrees = c.scaled_signed("Temperature", 2, 10.0, "°C")?;
        if mode == 4 {
            told.readings.set("temp1", degrees);
        }
        Ok(())
    })
}

/// `Space10X`, 0x13 of length 0x15.
pub(super) fn space10x(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.1", |c| {
        c.raw("Info", 1)?;
        c.raw("Satellites", 2)?;
        alarm_state(c, told)?;
        blocks::language(c)?;
        percent(c, told)?;
        c.u8("Mode")?;
        // Nobody wrote down which voltage: of the supply or of the battery.
        c.scaled("Voltage", 2, 100.0, "V")?;
        c.raw("Reserved", 1)?;
        c.uint("Times", 2, "")?;
        c.uint("Time", 2, "")?;
        let degrees = c.bits("Temperature", 2, |b| {
            let sign = if b.flag("Above zero", 15) { 1 } else { -1 };
            b.scaled("Degrees", 0, 14, (10.0, "°C"), |raw| sign * raw)
        })?;
        told.readings.set("temp1", degrees);
        Ok(())
    })
}

fn percent(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let percent = c.uint("Battery", 1, "%")?;
    told.readings.set("batteryLevel", percent);
    Ok(())
}

/// GK310, 0x23: status, battery, signal, language.
pub(super) fn gk310(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, false)?;
    let volts = c.scaled("Battery voltage", 2, 100.0, "V")?;
    told.readings.set("battery", volts);
    blocks::signal(c, told)?;
    blocks::wide_language(c)
}

/// SEEWORLD GL21L and P5, 0xA3 of length 0x0C or 0x18.
pub(super) fn seeworld(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, false)?;
    c.raw("Extended status", 2)?;
    blocks::level(c, told)?;
    blocks::signal(c, told)?;
    let volts = c.uint("Supply voltage", 1, "V")?;
    told.readings.set("power", volts);
    blocks::language(c)?;
    if c.left() == 0 {
        return Ok(());
    }
    c.u8("Sound")?;
    c.u8("Light")?;
    let steps = c.uint("Steps", 4, "")?;
    told.readings.set("steps", steps);
    percent(c, told)?;
    let charging = c.uint("Charging", 1, "")?;
    told.readings.set("charge", charging != 0);
    let moving = c.uint("Moving", 1, "")?;
    told.readings.set("motion", moving != 0);
    Ok(())
}

/// Two bytes of hundredths of a volt in place of the level.
fn wide_voltage(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let volts = c.under("gt06.md §3.7", |c| c.scaled("Supply voltage", 2, 100.0, "V"))?;
    told.readings.set("power", volts);
    blocks::signal(c, told)?;
    alarm_state(c, told)
}

/// 0x13 with three bytes of body: no alarm byte, whatever follows is the serial.
pub(super) fn short(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, false)?;
    blocks::level(c, told)?;
    blocks::signal(c, told)
}

/// An alarm byte. A state that is repeated every few minutes, so it raises nothing (gt06.md §3.6).
fn alarm_state(c: &mut Cursor<'_>, told: &Told) -> Read<()> {
    let family = told.given.alarm_family();
    c.under("gt06.md §4", |c| c.named("Alarm", 1, |code| blocks::alarm_title(code, family))).map(drop)
}

/// Alarm or extended port status, which the frame does not tell, and language.
fn port_status(c: &mut Cursor<'_>) -> Read<()> {
    c.under("gt06.md §3.7", |c| c.named("Alarm or port status", 1, |code| if code == 0 { "none" } else { "" }))?;
    blocks::language(c)
}
