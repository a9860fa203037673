//! Alarm codes: what the vendors call them and under which name they are told (gt06.md §4).

use super::family::Family;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alarm {
    /// For a person.
    pub(super) title: &'static str,
    /// Traccar's name. `None`: it has none, so the code itself is told as `event`.
    pub(super) name: Option<&'static str>,
}

const fn alarm(title: &'static str, name: &'static str) -> Alarm {
    Alarm { title, name: Some(name) }
}

const fn event(title: &'static str) -> Alarm {
    Alarm { title, name: None }
}

/// The meaning of an alarm byte (12 bits in some frames). `None` for 0 and for codes that nobody listed.
pub(super) fn meaning(code: u16, family: Family) -> Option<Alarm> {
    special(code, family).or_else(|| general(code))
}

/// The meaning of bits 5 to 3 of the status byte (gt06.md §3.6).
pub(super) fn of_status(bits: u64, family: Family) -> Option<Alarm> {
    match (bits, family) {
        (1, _) => Some(alarm("Vibration", "vibration")),
        (2, _) => Some(alarm("Power cut", "powerCut")),
        (3, _) => Some(alarm("Low battery", "lowBattery")),
        (4, _) => Some(alarm("SOS", "sos")),
        (6, _) => Some(alarm("Geofence", "geofence")),
        (7, Family::Vxt01) => Some(alarm("Overspeed", "overspeed")),
        (7, _) => Some(alarm("Removed", "removing")),
        _ => None,
    }
}

#[expect(clippy::match_same_arms, reason = "one line a code, as in the reference")]
fn special(code: u16, family: Family) -> Option<Alarm> {
    match (family, code) {
        (Family::Vl103 | Family::G18, 0x09) => Some(alarm("Towed", "tow")),
        (Family::Trx16i, 0x09) => Some(alarm("Geofence", "geofence")),
        (Family::Trx16i, 0x0E) => Some(alarm("External power low", "lowPower")),
        (Family::Trx16i, 0xE8..=0xF2) => Some(event("Model's own")),
        (Family::Tr08x, 0x0C) => Some(alarm("Tampering", "tampering")),
        (Family::Lynkworld, 0x18) => Some(alarm("Collision", "accident")),
        (Family::Lynkworld, 0x19) => Some(alarm("Harsh acceleration", "hardAcceleration")),
        (Family::Seeworld, 0x28) => Some(alarm("Sharp turn", "hardCornering")),
        (Family::Vl103, 0x28) => Some(alarm("Powered off", "powerOff")),
        (Family::Seeworld, 0x29) => Some(alarm("Collision", "accident")),
        (Family::Sl4x, 0x30) => Some(alarm("Jamming", "jamming")),
        _ => None,
    }
}

#[expect(clippy::match_same_arms, reason = "one line a code, as in the reference")]
fn general(code: u16) -> Option<Alarm> {
    Some(match code {
        0x01 => alarm("SOS", "sos"),
        0x02 => alarm("Power cut", "powerCut"),
        0x03 => alarm("Vibration", "vibration"),
        0x04 => alarm("Entered fence", "geofenceEnter"),
        0x05 => alarm("Left fence", "geofenceExit"),
        0x06 => alarm("Overspeed", "overspeed"),
        0x09 => alarm("Towed or displaced", "vibration"),
        0x0A => event("Entered GPS blind area"),
        0x0B => event("Left GPS blind area"),
        0x0C => alarm("Powered on", "powerOn"),
        0x0D => event("First GPS fix"),
        0x0E => alarm("External battery low", "lowBattery"),
        0x0F => alarm("External low-voltage protection", "lowBattery"),
        0x10 => event("SIM changed"),
        0x11 => alarm("Powered off", "powerOff"),
        0x12 => event("Airplane mode after protection"),
        0x13 => alarm("Dismantled", "tampering"),
        0x14 => alarm("Door", "door"),
        0x15 => event("Off because the battery is empty"),
        0x16 => event("Sound"),
        0x17 => event("Rogue base station"),
        0x18 => alarm("Cover removed", "removing"),
        0x19 => alarm("Internal battery low", "lowBattery"),
        0x1A => alarm("Harsh braking", "hardBraking"),
        0x1B => alarm("Sharp turn", "hardCornering"),
        0x20 => event("Deep sleep"),
        0x23 => alarm("Fall", "fallDown"),
        0x25 => alarm("Light sensor: opened", "tampering"),
        0x26 | 0x29 => alarm("Harsh acceleration", "hardAcceleration"),
        0x27 | 0x28 | 0x30 => alarm("Harsh braking", "hardBraking"),
        0x2A => alarm("Sharp left turn", "hardCornering"),
        0x2B => alarm("Sharp right turn", "hardCornering"),
        0x2C => alarm("Collision", "accident"),
        0x2E => alarm("Sharp turn", "hardCornering"),
        0x32 => alarm("Device unplugged", "tampering"),
        0x33 => alarm("Locked", "lock"),
        0x34 => alarm("Unlocked", "unlock"),
        0x53 => alarm("Fuel leak", "fuelLeak"),
        0x5B | 0x5C => alarm("Temperature", "temperature"),
        0xC9 => alarm("Idling", "idle"),
        0xF0 => alarm("Harsh acceleration", "hardAcceleration"),
        0xF1 => alarm("Harsh braking", "hardBraking"),
        0xF2 => alarm("Collision", "accident"),
        0xFE => event("ACC on"),
        0xFF => event("ACC off"),
        0x107 | 0x10B => alarm("Jamming", "jamming"),
        _ => return None,
    })
}
