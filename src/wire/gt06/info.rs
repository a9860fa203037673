//! Information 0x94 with its subtypes, and bytes from a serial port.

use crate::wire::{
    Value,
    cursor::{Cursor, Read, ascii},
};

use super::{blocks, login, tags, told::Told};

/// 0x94 under the short start: the supply voltage alone.
pub(super) fn voltage(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| external_voltage(c, told))
}

fn external_voltage(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let volts = c.scaled("Supply voltage", 2, 100.0, "V")?;
    told.readings.set("power", volts);
    Ok(())
}

/// 0x94 under the long start: the first byte says what it is about.
pub(super) fn information(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| {
        let subtype = c.named("Subtype", 1, subtype_name)?;
        match (subtype, c.left()) {
            (0x00 | 0x0B, 2) => external_voltage(c, told),
            (0x04, _) => states(c, told),
            (0x05, 7) => {
                blocks::frame_date(c, told)?;
                door(c, told)
            }
            (0x05, 1) => door(c, told),
            (0x0A, _) => {
                told.device = Some(login::imei(c, "IMEI")?);
                tags::imsi(c, told)?;
                tags::iccid(c, told)
            }
            (0x0B, 1) => {
                let network = c.named("Network", 1, |code| generation(code).unwrap_or(""))?;
                if let Some(generation) = generation(network) {
                    told.readings.set("networkTechnology", generation);
                }
                Ok(())
            }
            (0x0D, _) => fuel_sensor(c, told),
            (0x1B, _) => card(c, told),
            (0x1E, 8) => {
                let degrees = c.scaled_signed("Temperature", 4, 10.0, "°C")?;
                told.readings.set("temp1", degrees);
                let humidity = c.scaled_signed("Humidity", 4, 10.0, "%")?;
                told.readings.set("humidity", humidity);
                Ok(())
            }
            _ => Ok(()),
        }
    })
}

fn subtype_name(code: u64) -> &'static str {
    match code {
        0x00 => "supply voltage",
        0x04 => "states as text",
        0x05 => "door",
        0x08 => "self-check",
        0x09 => "satellites",
        0x0A => "identities",
        0x0B => "network or voltage",
        0x0D => "fuel sensor",
        0x1B => "card",
        0x1E => "temperature and humidity",
        _ => "",
    }
}

fn generation(code: u64) -> Option<&'static str> {
    match code {
        0 => Some("2G"),
        1 => Some("4G"),
        _ => None,
    }
}

/// `ALM1=..;STA1=..;…`: hexadecimal bytes by name.
fn states(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    for part in c.peek(c.left()).split_inclusive(|&b| b == b';') {
        let text = ascii(part);
        let (name, value) = text.trim_end_matches(';').split_once('=').unwrap_or((&text, ""));
        let byte = u8::from_str_radix(value, 16).ok();
        match (name, byte) {
            ("STA1", Some(byte)) => told.readings.set("armed", byte & 0x80 != 0),
            ("DYD", Some(byte)) => told.readings.set("blocked", byte & 0x02 != 0),
            ("ICCID", _) if !value.is_empty() => told.readings.set("iccid", value.trim_end_matches(['F', 'f'])),
            _ => {}
        }
        let shown = match (name, byte) {
            ("STA1" | "DYD" | "ALM1" | "ALM2" | "ALM3" | "ALM4", Some(byte)) => {
                format!("{value}{}", state_words(name, byte))
            }
            _ if state_name(name).is_some() => value.to_owned(),
            // A name that nobody listed may be anything, nothing as well.
            _ => text.trim_end_matches(';').to_owned(),
        };
        c.field(state_name(name).unwrap_or("State"), part.len(), "", |_| (Value::Text(shown), ()))?;
    }
    Ok(())
}

fn state_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "ALM1" => "Alarms: vibration, towing",
        "ALM2" => "Alarms: internal, external battery low",
        "ALM3" => "Alarms: overspeed, power cut",
        "ALM4" => "Alarms: SOS, sound",
        "STA1" => "States",
        "DYD" => "Fuel cut",
        "SOS" => "SOS numbers",
        "CENTER" => "Centre number",
        "FENCE" => "Fence",
        "ICCID" => "ICCID",
        "MODE" => "Mode",
        _ => return None,
    })
}

/// What the bits of a state say, as words in brackets.
fn state_words(name: &str, byte: u8) -> String {
    let words: &[(u8, &str)] = match name {
        "STA1" => &[
            (7, "armed"),
            (6, "automatic"),
            (5, "manual"),
            (4, "disarmed remotely"),
            (1, "tamper switch closed"),
            (0, "tamper alarm"),
        ],
        "DYD" => &[(3, "delayed by speed"), (2, "delayed without a fix"), (1, "cut"), (0, "connected")],
        // In each half byte: on, by GPRS, by call; no bit for SMS alone.
        _ => &[
            (7, "first on"),
            (6, "first by GPRS"),
            (5, "first by call"),
            (3, "second on"),
            (2, "second by GPRS"),
            (1, "second by call"),
        ],
    };
    let set: Vec<_> = words.iter().filter(|(bit, _)| byte >> bit & 1 == 1).map(|&(_, word)| word).collect();
    if set.is_empty() { String::new() } else { format!(" ({})", set.join(", ")) }
}

fn door(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.bits("Door", 1, |b| {
        told.readings.set("door", b.flag("Door open", 0));
        b.flag("Triggers on high", 1);
        told.readings.set("io1", b.flag("I/O", 2));
    })
}

/// `!AIOIL,addr,out,temp,ver,..,value,..`, maybe after a date.
fn fuel_sensor(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    if c.peek(1) != b"!" && c.left() > 6 {
        blocks::frame_date(c, told)?;
    }
    for (index, part) in c.peek(c.left()).split_inclusive(|&b| b == b',').enumerate() {
        let text = ascii(part);
        let text = text.trim_end_matches(',').to_owned();
        let (name, key) = match index {
            0 => ("Command", None),
            1 => ("Address", None),
            2 => ("Output", None),
            3 => ("Temperature", Some("temp1")),
            4 => ("Version", None),
            6 => ("Level", Some("fuel")),
            _ => ("Value", None),
        };
        if let Some((key, number)) = key.zip(text.parse::<f64>().ok()) {
            told.readings.set(key, number);
        }
        c.field(name, part.len(), "", |_| (Value::Text(text), ()))?;
    }
    Ok(())
}

/// Text `RFID:…`, or a reader's frame: 02, length, id, XOR, 03.
fn card(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    if let [0x02, 0x08, ..] = c.peek(2) {
        c.raw("Reader start", 1)?;
        c.u8("Reader length")?;
        let card = c.digits("Card", 4)?;
        told.readings.set("driverUniqueId", card);
        c.raw("Reader check", 1)?;
        c.raw("Reader end", 1)?;
        return Ok(());
    }
    let text = c.text("Card", c.left())?;
    let text = text.trim();
    told.readings.set("serial", text);
    if let Some(card) = text.strip_prefix("RFID:") {
        told.readings.set("driverUniqueId", card);
    }
    Ok(())
}

/// 0x9B: bytes that came in at a serial port.
pub(super) fn pass_through(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.4", |c| {
        c.named("Port", 1, |code| if code == 3 { "RS232" } else { "" })?;
        let data = c.peek(c.left());
        // A card reader frames its text with 02 and 03.
        if let [0x02, card @ .., 0x03] = data
            && card.iter().all(u8::is_ascii_alphanumeric)
        {
            told.readings.set("driverUniqueId", ascii(card));
        }
        let printable = data.iter().all(|&b| (b' '..=b'~').contains(&b) || b == b'\r' || b == b'\n');
        let result = c.field("Data", c.left(), "", |raw| {
            if printable {
                let text = ascii(raw).trim().to_owned();
                (Value::Text(text.clone()), text)
            } else {
                (Value::Raw(raw.to_vec()), crate::wire::hex(raw))
            }
        })?;
        told.readings.set("result", result);
        Ok(())
    })
}

/// 0xFD: IMEI, bytes that nobody knows, the firmware's version.
pub(super) fn version(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §6.1", |c| {
        told.device = Some(login::imei(c, "IMEI")?);
        c.undecoded(18);
        let text = c.text("Version", c.left())?;
        told.readings.set("versionFw", text.trim());
        Ok(())
    })
}
