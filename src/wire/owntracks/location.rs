//! `location`: the one message that becomes a position (owntracks.md §2.1, §2.2, policy of §5).

use std::borrow::Cow;

use jiff::SignedDuration;
use serde_json::Value;

use super::{
    findings::Findings,
    object::{MOST_BYTES, Object, json_number, number},
    scan::{Kind, Node},
    time::{Epoch, epoch},
};
use crate::{
    geo::LatLon,
    model::{Cell, Event, Fix, Group, Readings, Report, Timestamp},
};

/// A body with more unknown members than this keeps them in the packet only.
const MOST_READINGS: usize = 256;
/// Faster than any airliner with the wind behind it.
const PLAUSIBLE_SPEED_KMH: f64 = 1300.0;
/// The deepest trench and a balloon.
const PLAUSIBLE_ALTITUDE_M: std::ops::RangeInclusive<f64> = -12_262.0..=50_000.0;
/// Beyond this a fix says little more than the town.
const GOOD_ENOUGH_M: f64 = 10_000.0;
/// No length on Earth.
const NO_NUMBER: f64 = 1e18;
/// Nobody had OwnTracks before.
const FIRST_SANE_S: i64 = 946_684_800;

/// Members that hardware trackers have and phones have not (Queclink through qtripp, owntracks.md §2.1).
const TRACKER_KEYS: [&str; 14] =
    ["imei", "odometer", "hmc", "ubatt", "uext", "don", "doff", "aiv", "mcc", "mnc", "lac", "nmds", "rit", "raw_line"];

/// True where a hardware tracker speaks: its trigger letters mean other things than a phone's.
pub(super) fn is_tracker(object: &Object<'_, '_>) -> bool {
    object.members().any(|(_, name, _)| TRACKER_KEYS.contains(&name))
}

/// Reads a `location`. Without a usable place there is no fix, but all readings.
pub(super) fn report(object: &Object<'_, '_>, received: Timestamp, findings: &mut Findings) -> Report {
    let mut report = Report { message_id: object.label("_id").map(str::to_owned), ..Report::default() };
    let at = moment(object, received, findings);
    report.fix = place(object, findings).map(|place| Fix {
        at,
        place,
        valid: true,
        altitude_m: altitude(object, findings),
        speed_kmh: speed(object, findings),
        course_deg: course(object, findings),
        satellites: None,
        accuracy_m: accuracy(object, findings),
    });
    if let Some(fix) = &report.fix {
        report.fix_key = fix_key(fix.place);
    }
    report.cells.extend(cell(object));
    readings(object, &mut report.readings, findings);
    alarms(object, &mut report.readings);
    // The store keeps it where it is not what the phone did before.
    if let Some(activities) = report.readings.get("motionactivities") {
        let mut attributes = Readings::new();
        attributes.set("motionactivities", activities.clone());
        report.events.push(Event { at, kind: Cow::Borrowed("activity"), attributes });
    }
    if let Some(alarm) = report.readings.get("alarm") {
        let mut attributes = Readings::new();
        attributes.set("alarm", alarm.clone());
        report.events.push(Event { at, kind: Cow::Borrowed("alarm"), attributes });
    }
    report
}

/// When it was: `tst`, or the time of receipt where that says nothing usable.
fn moment(object: &Object<'_, '_>, received: Timestamp, findings: &mut Findings) -> Timestamp {
    let Some(node) = object.get("tst").filter(|n| n.kind != Kind::Null) else {
        findings.warn(Group::Time, &object.span, "no `tst`, so the time of receipt stands in");
        return received;
    };
    let told = number(node).ok().flatten().map_or(Epoch::Unusable, epoch);
    let at = match told {
        Epoch::Seconds(at) => at,
        Epoch::Milliseconds(at) => {
            let text = format!("`tst` is {}, which is in milliseconds; it should be in seconds", object.shown(node));
            findings.warn(Group::Time, &node.value, text);
            at
        }
        Epoch::Unusable => {
            let text = format!("`tst` is {}, no time since 1970, so the time of receipt stands in", object.shown(node));
            findings.warn(Group::Time, &node.value, text);
            return received;
        }
    };
    if at.duration_since(received) > SignedDuration::from_hours(24) {
        findings.warn(
            Group::Time,
            &node.value,
            format!("`tst` is {at}, more than a day after the receipt at {received}"),
        );
    } else if at.as_second() < FIRST_SANE_S {
        findings.warn(Group::Time, &node.value, format!("`tst` is {at}, before any phone could tell it"));
    }
    at
}

fn place(object: &Object<'_, '_>, findings: &mut Findings) -> Option<LatLon> {
    let lat_deg = coordinate(object, "lat", "a latitude", 90.0, findings);
    let lon_deg = coordinate(object, "lon", "a longitude", 180.0, findings);
    let place = LatLon::new(lat_deg?, lon_deg?)?;
    if place.lat_deg() == 0.0 && place.lon_deg() == 0.0 {
        let span = object.get("lat").map_or(object.span.clone(), |n| n.value.clone());
        findings.warn(Group::Range, &span, "`lat` and `lon` are 0, 0: what an unset place looks like");
    }
    Some(place)
}

fn coordinate(object: &Object<'_, '_>, name: &str, what: &str, limit_deg: f64, findings: &mut Findings) -> Option<f64> {
    let Some(node) = object.get(name) else {
        findings.error(Group::Range, &object.span, format!("no `{name}`, so this is no position"));
        return None;
    };
    let shown = object.shown(node);
    match number(node) {
        Ok(Some(degrees)) if (-limit_deg..=limit_deg).contains(&degrees) => return Some(degrees),
        Ok(Some(_)) => findings.error(
            Group::Range,
            &node.value,
            format!("`{name}` is {shown}, but {what} lies within -{limit_deg} and {limit_deg}"),
        ),
        Ok(None) => findings.error(Group::Range, &node.value, format!("`{name}` is null, so this is no position")),
        Err(why) => findings.error(Group::Json, &node.value, format!("`{name}` is {shown}, {why}")),
    }
    None
}

/// `vel`, km/h; negative is how Core Location says unknown.
fn speed(object: &Object<'_, '_>, findings: &mut Findings) -> Option<f64> {
    let speed_kmh = measure(object, "vel", "a speed", 0.0, NO_NUMBER, findings)?;
    if speed_kmh > PLAUSIBLE_SPEED_KMH {
        warn(object, "vel", findings, &format!("`vel` is {speed_kmh} km/h, faster than any phone travels"));
    }
    Some(speed_kmh)
}

fn course(object: &Object<'_, '_>, findings: &mut Findings) -> Option<f64> {
    measure(object, "cog", "a course", 0.0, 360.0, findings)
}

fn altitude(object: &Object<'_, '_>, findings: &mut Findings) -> Option<f64> {
    let altitude_m = object.number("alt", findings)?;
    if !PLAUSIBLE_ALTITUDE_M.contains(&altitude_m) {
        warn(object, "alt", findings, &format!("`alt` is {altitude_m} m, where no phone has been"));
    }
    (altitude_m.abs() <= NO_NUMBER).then_some(altitude_m)
}

fn accuracy(object: &Object<'_, '_>, findings: &mut Findings) -> Option<f64> {
    let accuracy_m = measure(object, "acc", "a radius", 0.0, NO_NUMBER, findings)?;
    if accuracy_m >= GOOD_ENOUGH_M {
        warn(object, "acc", findings, &format!("`acc` is {accuracy_m} m, so the place is a guess"));
    }
    Some(accuracy_m)
}

/// A number within bounds. -1 means unknown and is no finding; anything else beyond them is.
fn measure(
    object: &Object<'_, '_>,
    name: &str,
    what: &str,
    least: f64,
    most: f64,
    findings: &mut Findings,
) -> Option<f64> {
    let number = object.number(name, findings)?;
    if (least..=most).contains(&number) {
        return Some(number);
    }
    #[expect(clippy::float_cmp, reason = "the phones write exactly -1")]
    if number != -1.0 {
        warn(object, name, findings, &format!("`{name}` is {number}, not {what}, and is left out"));
    }
    None
}

fn warn(object: &Object<'_, '_>, name: &str, findings: &mut Findings, text: &str) {
    let span = object.get(name).map_or(object.span.clone(), |n| n.value.clone());
    findings.warn(Group::Range, &span, text);
}

/// Everything beside the fix: Traccar's name and unit where there is one, else the name it came under.
fn readings(object: &Object<'_, '_>, readings: &mut Readings, findings: &mut Findings) {
    let mut unknown = 0;
    for (index, name, node) in object.members() {
        let scaled = |factor: f64| number(node).ok().flatten().map(|n| json_number(n * factor));
        let (key, value) = match name {
            // Told by the fix, by the sender, or of no interest beyond the transport.
            "_type" | "_id" | "topic" | "lat" | "lon" | "tst" | "alt" | "vel" | "cog" | "acc" | "qos" | "retained"
            | "modeId" | "_http" | "_decrypted" | "mcc" | "mnc" | "lac" | "cid" | "image" | "face" => continue,
            "batt" => ("batteryLevel", measure(object, "batt", "a percentage", 0.0, 100.0, findings).map(json_number)),
            "vac" => ("vac", measure(object, "vac", "a radius", 0.0, NO_NUMBER, findings).map(json_number)),
            "p" => ("p", measure(object, "p", "a pressure", 0.0, NO_NUMBER, findings).map(json_number)),
            "bs" | "m" | "created_at" | "rad" | "sent" => (name, scaled(1.0).or_else(|| object.json(index))),
            "tid" | "t" => {
                object.expect_label(name, findings);
                (name, object.label(name).map(Value::from))
            }
            "SSID" => ("ssid", object.json(index)),
            "BSSID" => ("bssid", object.json(index)),
            "inregions" | "inrids" | "motionactivities" => (name, object.json(index).map(list)),
            "odometer" => ("odometer", scaled(1000.0)),
            "dist" => ("distance", scaled(1.0)),
            "hmc" => ("hours", scaled(1000.0)),
            "ubatt" => ("battery", scaled(1.0)),
            "uext" => ("power", scaled(1.0)),
            "flvl" => ("fuel", scaled(1.0)),
            "rpm" => ("rpm", scaled(1.0)),
            "ign" => ("ignition", flag(node)),
            "motion" => ("motion", flag(node)),
            "din1" => ("in1", flag(node)),
            "din2" => ("in2", flag(node)),
            "dout1" => ("out1", flag(node)),
            "dout2" => ("out2", flag(node)),
            _ => {
                unknown += 1;
                if name.is_empty() {
                    findings.note(Group::Json, &node.value, "a member without a name stays in the packet");
                } else if unknown <= MOST_READINGS {
                    let value = object.json(index);
                    if value.is_none() && node.value.len() > MOST_BYTES {
                        let text = format!("`{name}` is {} bytes long and stays in the packet", node.value.len());
                        findings.note(Group::Json, &node.value, text);
                    }
                    set(readings, numbered(name), value);
                }
                continue;
            }
        };
        set(readings, Readings::name(key), value);
    }
    if unknown > MOST_READINGS {
        let text = format!("{unknown} unknown members, of which {MOST_READINGS} become readings");
        findings.note(Group::Json, &object.span, text);
    }
}

fn set(readings: &mut Readings, key: Cow<'static, str>, value: Option<Value>) {
    if let Some(value) = value {
        readings.set(key, value);
    }
}

/// A lone value where a list belongs counts as a list of one.
fn list(value: Value) -> Value {
    if value.is_array() { value } else { Value::Array(vec![value]) }
}

/// A truth, also where it was written as 0 or 1.
fn flag(node: &Node<'_>) -> Option<Value> {
    if let Kind::Bool(b) = node.kind {
        return Some(Value::Bool(b));
    }
    number(node).ok().flatten().map(|n| Value::Bool(n != 0.0))
}

/// Queclink's numbered sensors under Traccar's numbered names.
fn numbered(name: &str) -> Cow<'static, str> {
    let renamed = [("adda-", "adc"), ("temp_c-", "temp")].into_iter().find_map(|(theirs, ours)| {
        let n = name.strip_prefix(theirs)?.trim_start_matches('0');
        n.bytes().all(|b| b.is_ascii_digit()).then(|| format!("{ours}{n}"))
    });
    renamed.map_or_else(|| Readings::name(name), Cow::Owned)
}

/// The radio cell that a tracker tells; area and cell are hex strings.
fn cell(object: &Object<'_, '_>) -> Option<Cell> {
    let decimal = |name| object.label(name)?.parse::<u16>().ok();
    let hex = |name| u64::from_str_radix(object.label(name)?, 16).ok();
    Some(Cell {
        mcc: decimal("mcc")?,
        mnc: decimal("mnc")?,
        lac: u32::try_from(hex("lac")?).ok()?,
        cid: hex("cid")?,
        rssi_dbm: None,
    })
}

/// What the trigger says beyond "here": alarms and ignition (owntracks.md §2.2, §7).
fn alarms(object: &Object<'_, '_>, readings: &mut Readings) {
    let alarm = match object.text("t") {
        Some("9") => "lowBattery",
        Some("1") => "powerOn",
        Some("E") => "powerRestored",
        // Android has the same letter for a beacon region.
        Some("e") if is_tracker(object) => "powerCut",
        Some("!") => "tow",
        Some("s") => "overspeed",
        Some("h") => match object.label("rty") {
            Some("0" | "3") => "hardBraking",
            Some("1" | "4") => "hardAcceleration",
            Some("2" | "5") => "hardCornering",
            Some(_) | None => return,
        },
        Some(letter @ ("i" | "I")) => {
            if readings.get("ignition").is_none() {
                readings.set("ignition", letter == "i");
            }
            return;
        }
        Some(_) | None => return,
    };
    readings.alarm(alarm);
}

/// Latitude and longitude, hashed (FNV-1a): the same place at the same moment is the same fix.
pub fn fix_key(place: LatLon) -> u64 {
    // Adding zero makes -0 and 0 one number.
    let bits = [place.lat_deg() + 0.0, place.lon_deg() + 0.0].map(f64::to_be_bytes);
    bits.iter()
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
