//! Lists of tagged values: id, length, value, until the body ends.

use crate::wire::{
    Value,
    cursor::{Cursor, Read},
};

use super::{
    alarm::Alarm,
    blocks::{self, CELL_WIDE, CellForm},
    login, position, radio,
    told::{Place, Told},
};

/// Reads `read` for each value of a list with ids of two bytes and lengths of `width`.
fn each(
    c: &mut Cursor<'_>,
    told: &mut Told,
    width: usize,
    name: fn(u64) -> &'static str,
    read: fn(&mut Cursor<'_>, &mut Told, u64) -> Read<()>,
) -> Read<()> {
    while c.left() > 0 {
        let id = c.peek(2).iter().fold(0, |sum, &b| sum << 8 | u64::from(b));
        let title = name(id);
        c.group(if title.is_empty() { "Value" } else { title }, |c| {
            let id = c.named("Id", 2, name)?;
            let len = c.uint("Length", width, "")?;
            c.within(usize::try_from(len).unwrap_or(usize::MAX), |c| read(c, told, id))
        })?;
    }
    Ok(())
}

/// 0x37: a position in UTC, then tagged values.
pub(super) fn tagged_position(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::date_and_gps(c, told)?;
    blocks::cell(c, told, blocks::CELL_2G)?;
    position::mode(c, told)?;
    values(c, told)
}

/// 0x38: date, GPS, mode, re-upload, a cell that says its width, tagged values.
pub(super) fn jimi_4g_position(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::date_and_gps(c, told)?;
    position::mode_and_late(c, told)?;
    radio::tagged_cell(c, told)?;
    values(c, told)
}

/// 0x39: an alarm of the same family.
pub(super) fn jimi_4g_alarm(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    position::date_and_gps(c, told)?;
    radio::tagged_cell(c, told)?;
    position::alarm_tail(c, told)?;
    values(c, told)
}

/// 0x36: heartbeat with tagged values.
pub(super) fn heartbeat(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    super::heartbeat::documented(c, told)?;
    values(c, told)
}

/// True for a whole list of tagged values, at least one of them a known one.
pub(super) fn follow(mut rest: &[u8]) -> bool {
    let mut known = false;
    while let [high, low, len, after @ ..] = rest {
        known |= !value_name(u64::from(u16::from_be_bytes([*high, *low]))).is_empty();
        let Some(next) = after.get(usize::from(*len)..) else { return false };
        rest = next;
    }
    known && rest.is_empty()
}

/// The tagged values of 0x36 to 0x39, and of some 0x13.
pub(super) fn values(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.2", |c| each(c, told, 1, value_name, value))
}

fn value_name(id: u64) -> &'static str {
    match id {
        0x0018 => "Battery voltage",
        0x0027 => "Supply voltage",
        0x002E => "Odometer",
        0x0032 => "Start-up status",
        0x003B => "Accuracy",
        0x006A => "Battery",
        _ => "",
    }
}

fn value(c: &mut Cursor<'_>, told: &mut Told, id: u64) -> Read<()> {
    let len = c.left();
    match (id, len) {
        (0x0018, 2) => {
            let volts = c.scaled("Battery voltage", 2, 100.0, "V")?;
            told.readings.set("battery", volts);
        }
        (0x0027, 2) => {
            let volts = c.scaled("Supply voltage", 2, 100.0, "V")?;
            told.readings.set("power", volts);
        }
        (0x002E, 4) => position::mileage(c, told)?,
        (0x0032, 1) => {
            let status = c.uint("Start-up status", 1, "")?;
            told.readings.set("startupStatus", status);
        }
        (0x003B, 2) => {
            let metres = c.scaled("Accuracy", 2, 100.0, "m")?;
            if let Some(place) = told.place.as_mut().filter(|_| metres > 0.0) {
                place.accuracy_m = Some(metres);
            }
        }
        (0x006A, 1) => {
            let percent = c.uint("Battery", 1, "%")?;
            told.readings.set("batteryLevel", percent);
        }
        _ => {}
    }
    Ok(())
}

/// 0xF1: time and tagged states.
pub(super) fn status(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.6", |c| {
        told.at = blocks::unix_time(c, "Time")?;
        each(c, told, 1, state_name, state)
    })
}

fn state_name(id: u64) -> &'static str {
    match id {
        0x0001 => "Motion",
        0x0002 => "Armed",
        0x0004 => "ACC",
        0x0005 => "Voltage",
        0x0007 => "Charging",
        0x000A => "Charge voltage",
        0x000B => "Battery temperature",
        _ => "",
    }
}

fn state(c: &mut Cursor<'_>, told: &mut Told, id: u64) -> Read<()> {
    match (id, c.left()) {
        (0x0001, 1) => {
            let motion = c.named("Motion", 1, |code| if code == 2 || code == 4 { "moving" } else { "" })?;
            told.readings.set("motion", motion == 2 || motion == 4);
        }
        (0x0002, 1) => {
            let armed = c.uint("Armed", 1, "")?;
            told.readings.set("armed", armed != 0);
        }
        (0x0004, 1) => position::acc(c, told)?,
        (0x0005, 2) => {
            let volts = c.scaled("Voltage", 2, 100.0, "V")?;
            told.readings.set("power", volts);
        }
        (0x0007, 1) => {
            let charging = c.uint("Charging", 1, "")?;
            told.readings.set("charge", charging != 0);
        }
        (0x000A, len @ 1..=2) => {
            c.uint("Charge voltage", len, "")?;
        }
        (0x000B, len @ 1..=2) => {
            let degrees = c.scaled_signed("Battery temperature", len, 10.0, "°C")?;
            told.readings.set("batteryTemp", degrees);
        }
        _ => {}
    }
    Ok(())
}

/// 0xF2: time and tagged peripherals, whose lengths follow rules of their own.
pub(super) fn peripherals(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.6", |c| {
        told.at = blocks::unix_time(c, "Time")?;
        while c.left() > 0 {
            let id = c.peek(2).iter().fold(0, |sum, &b| sum << 8 | u64::from(b));
            c.group(peripheral_name(id), |c| {
                c.named("Id", 2, peripheral_name)?;
                let len = match (id, c.peek(1)) {
                    (0x000A, _) => c.uint("Length", 2, "")?,
                    (_, [0]) => {
                        c.uint("Length follows", 1, "")?;
                        c.uint("Length", 1, "")?
                    }
                    _ => c.uint("Length", 1, "")?,
                };
                c.within(usize::try_from(len).unwrap_or(usize::MAX), |c| peripheral(c, told, id))
            })?;
        }
        Ok(())
    })
}

fn peripheral_name(id: u64) -> &'static str {
    match id {
        0x000A => "Bluetooth peripheral",
        0x000B => "Coordinates",
        0x000C => "External battery",
        _ => "Value",
    }
}

fn peripheral(c: &mut Cursor<'_>, told: &mut Told, id: u64) -> Read<()> {
    match (id, c.left()) {
        (0x000A, 11..) => {
            c.u8("Kind")?;
            let mac = c.digits("MAC", 6)?;
            let event = c.u8("Event")?;
            c.u8("Data")?;
            let kind = c.u8("Kind of data")?;
            let details = c.field("Details", c.left(), "", |raw| {
                (Value::Text(crate::wire::cursor::ascii(raw)), crate::wire::hex(raw))
            })?;
            told.readings.set("mac", mac);
            told.readings.set("event", event);
            told.readings.set("dataType", kind);
            told.readings.set("dataDetails", details);
        }
        // No hemisphere is told, so this is no position.
        (0x000B, 10) => {
            c.undecoded(2);
            blocks::coordinates(c)?;
        }
        (0x000C, 4..) => {
            let level = c.uint("Level", 1, "%")?;
            // The battery's charging, not the device's.
            c.u8("Charging")?;
            let cycles = c.uint("Cycles", 2, "")?;
            told.readings.set("externalBatteryLevel", level);
            told.readings.set("externalBatteryCycles", cycles);
        }
        _ => {}
    }
    Ok(())
}

/// 0x70: everything in modules, ids and lengths of two bytes.
pub(super) fn modular(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.5", |c| each(c, told, 2, module_name, module))
}

fn module_name(id: u64) -> &'static str {
    match id {
        0x0001 => "IMEI",
        0x0002 => "IMSI",
        0x0003 => "ICCID",
        0x0009 => "Satellites",
        0x000A => "Satellites in view",
        0x0011 => "Cell",
        0x0018 => "Battery voltage",
        0x0028 => "HDOP",
        0x0029 => "Index",
        0x002A => "Door and tamper",
        0x002B => "Boot reason",
        0x002C => "Report time",
        0x002E => "Odometer",
        0x0030 => "Settings",
        0x0033 => "Position",
        0x0034 => "Event",
        0x0035 => "Kind of positioning",
        0x007F => "Tag",
        _ => "",
    }
}

fn module(c: &mut Cursor<'_>, told: &mut Told, id: u64) -> Read<()> {
    let len = c.left();
    match (id, len) {
        (0x0001, 8) => told.device = Some(login::imei(c, "IMEI")?),
        (0x0002, 8) => imsi(c, told)?,
        (0x0003, 10) => iccid(c, told)?,
        (0x0009, 1) => number(c, told, "Satellites", "sat")?,
        (0x000A, 1) => number(c, told, "Satellites in view", "satVisible")?,
        (0x0011, 10) => blocks::cell(c, told, CellForm { cid: 4, ..CELL_WIDE })?,
        (0x0018, 2) => {
            let volts = c.scaled("Battery voltage", 2, 100.0, "V")?;
            told.readings.set("battery", volts);
        }
        (0x0028, 1) => {
            let hdop = c.scaled("HDOP", 1, 10.0, "")?;
            told.readings.set("hdop", hdop);
        }
        (0x0029, 4) => number(c, told, "Index", "index")?,
        (0x002A, 1) => {
            let (door, tamper) =
                c.bits("Door and tamper", 1, |b| (b.uint("Door", 0, 3, "") != 0, b.uint("Tamper", 4, 7, "") != 0))?;
            told.readings.set("door", door);
            told.readings.set("tamper", tamper);
        }
        (0x002B, 1) => number(c, told, "Boot reason", "bootReason")?,
        (0x002C, 4) => {
            let at = blocks::unix_time(c, "Report time")?;
            told.at = told.at.or(at);
        }
        (0x002E, 4) => position::mileage(c, told)?,
        (0x0030, _) => {
            c.raw("Settings", len)?;
        }
        (0x0033, 18) => module_position(c, told)?,
        (0x0034, 6..) => module_event(c, told)?,
        (0x0035, 1) => number(c, told, "Kind of positioning", "locationType")?,
        (0x007F, 14) => tag(c, told)?,
        _ => {}
    }
    Ok(())
}

fn number(c: &mut Cursor<'_>, told: &mut Told, name: &'static str, key: &'static str) -> Read<()> {
    let value = c.uint(name, c.left(), "")?;
    told.readings.set(key, value);
    Ok(())
}

/// 16 digits of which the first fills up.
pub(super) fn imsi(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let imsi = c.field("IMSI", 8, "", |raw| {
        let digits = crate::wire::hex(raw);
        let imsi = digits.strip_prefix('0').unwrap_or(&digits).to_owned();
        (Value::Text(imsi.clone()), imsi)
    })?;
    told.readings.set("imsi", imsi);
    Ok(())
}

/// 20 digits, the last may be a filler. One that does not begin as every ICCID is in the byte order of the SIM.
pub(super) fn iccid(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let iccid = c.under("gt06.md §3.9", |c| {
        c.field("ICCID", 10, "", |raw| {
            let swapped: Vec<u8> = raw.iter().map(|b| b.rotate_left(4)).collect();
            let digits = crate::wire::hex(if raw.first() == Some(&0x98) { &swapped } else { raw });
            let iccid = digits.trim_end_matches('f').to_owned();
            (Value::Text(iccid.clone()), iccid)
        })
    })?;
    if iccid.bytes().any(|b| b != b'0') {
        told.readings.set("iccid", iccid);
    }
    Ok(())
}

fn module_position(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let start = c.at();
    let at = blocks::unix_time(c, "Time")?;
    let sat = c.uint("Satellites", 1, "")?;
    let altitude = c.int("Altitude", 2, "m")?;
    let from = c.at();
    let (lat, lon) = blocks::coordinates(c)?;
    let speed = c.uint("Speed", 1, "km/h")?;
    let word = blocks::course_word(c)?;
    told.distinguish(c.seen(from..c.at()));
    told.readings.set("sat", sat);
    if let Some(acc) = word.ignition {
        told.readings.set("ignition", acc);
    }
    told.at = at.or(told.at);
    told.place = blocks::settle(c, start, lat, lon, word).filter(|_| at.is_some()).map(|place| Place {
        speed_kmh: Some(blocks::float(speed)),
        satellites: u32::try_from(sat).ok(),
        altitude_m: i16::try_from(altitude).ok().map(f64::from),
        ..place
    });
    Ok(())
}

fn module_event(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let event = c.named("Event", 1, |code| module_alarm(code).map_or("", |alarm| alarm.title))?;
    blocks::unix_time(c, "Time")?;
    let len = c.u8("Content length")?;
    c.raw("Content", usize::from(len))?;
    let code = blocks::narrow(event);
    told.distinguish(&code.to_be_bytes());
    told.readings.set("event", event);
    if let Some(alarm) = module_alarm(event) {
        told.alarm(code, alarm);
    }
    Ok(())
}

fn module_alarm(code: u64) -> Option<Alarm> {
    let (title, name) = match code {
        0x10 => ("Door", "door"),
        0x12 => ("Removed", "removing"),
        0x14 => ("Entered fence", "geofenceEnter"),
        0x15 => ("Left fence", "geofenceExit"),
        0x16 => ("Temperature", "temperature"),
        0x1A => ("Low battery", "lowBattery"),
        0x1B => ("Overspeed", "overspeed"),
        0x1C => ("Powered on", "powerOn"),
        0x1D => ("Powered off", "powerOff"),
        0x20 => ("Vibration", "vibration"),
        0x21 => ("Power cut", "powerCut"),
        0x23 => ("Tampering", "tampering"),
        _ => return None,
    };
    Some(Alarm { title, name: Some(name) })
}

/// A Bluetooth tag with its sensors.
fn tag(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let mac = c.digits("MAC", 6)?;
    let volts = c.scaled("Battery voltage", 2, 1000.0, "V")?;
    let percent = c.uint("Battery", 1, "%")?;
    let degrees = c.scaled_signed("Temperature", 2, 10.0, "°C")?;
    let humidity = c.int("Humidity", 2, "")?;
    let status = c.uint("Status", 1, "")?;
    told.readings.set("tag1Id", mac);
    told.readings.set("tag1Battery", volts);
    told.readings.set("tag1BatteryLevel", percent);
    told.readings.set("tag1Temp", degrees);
    told.readings.set("tag1Humidity", humidity);
    told.readings.set("tag1Status", status);
    Ok(())
}
