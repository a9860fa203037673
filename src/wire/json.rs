//! A dissection as `decode --json` prints it (contract.md §2). The order of the keys is the contract's.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Dissection, Field, hex};
use crate::model::{AccessPoint, Cell, Fix, Problem, Protocol, Readings, Report};

/// One frame or body as JSON; print it with `serde_json`.
#[derive(Debug, Serialize)]
pub struct Object<'d> {
    protocol: &'static str,
    offset: usize,
    length: usize,
    hex: String,
    kind: &'d str,
    #[serde(rename = "type")]
    type_number: Option<String>,
    title: &'d str,
    serial: Option<u16>,
    verdict: &'static str,
    problems: Vec<ProblemJson<'d>>,
    crc: Option<CrcJson>,
    device: Option<&'d str>,
    reply: Option<String>,
    position: Option<PositionJson>,
    attributes: Attributes<'d>,
    cells: Vec<CellJson>,
    wifi: Vec<AccessPointJson>,
    fields: Vec<FieldJson>,
}

#[derive(Debug, Serialize)]
struct ProblemJson<'d> {
    severity: &'static str,
    group: &'static str,
    text: &'d str,
    start: usize,
    end: usize,
}

#[derive(Debug, Serialize)]
struct CrcJson {
    received: String,
    computed: String,
    ok: bool,
}

#[derive(Debug, Serialize)]
struct PositionJson {
    fix_time: String,
    valid: bool,
    latitude: f64,
    longitude: f64,
    altitude_m: Option<Number>,
    speed_kmh: Option<Number>,
    course_deg: Option<Number>,
    satellites: Option<u32>,
    accuracy_m: Option<Number>,
}

#[derive(Debug, Serialize)]
struct CellJson {
    mcc: u16,
    mnc: u16,
    lac: u32,
    cid: u64,
    rssi_dbm: Option<i32>,
}

#[derive(Debug, Serialize)]
struct AccessPointJson {
    mac: String,
    rssi_dbm: Option<i32>,
}

#[derive(Debug, Serialize)]
struct FieldJson {
    name: String,
    start: usize,
    end: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<[u8; 2]>,
    value: serde_json::Value,
    text: String,
    depth: u8,
}

/// Explains `bytes`, found at `offset` of their line. The position is that of the first report that has one.
pub fn object<'d>(protocol: Protocol, offset: usize, bytes: &[u8], dissection: &'d Dissection) -> Object<'d> {
    let Dissection { kind, type_number, title, serial, crc, device, reports, problems, fields, reply } = dissection;
    let fix = reports.iter().find_map(|r| r.fix.as_ref());
    Object {
        protocol: protocol.as_str(),
        offset,
        length: bytes.len(),
        hex: hex(bytes),
        kind,
        type_number: type_number.map(|n| format!("0x{n:02x}")),
        title,
        serial: *serial,
        verdict: dissection.verdict().as_str(),
        problems: problems.iter().map(ProblemJson::of).collect(),
        crc: crc.map(|crc| CrcJson {
            received: format!("{:04x}", crc.received),
            computed: format!("{:04x}", crc.computed),
            ok: crc.ok(),
        }),
        device: device.as_deref(),
        reply: reply.as_deref().map(hex),
        position: fix.map(PositionJson::of),
        attributes: Attributes(readings(reports)),
        cells: reports.iter().flat_map(|r| &r.cells).map(CellJson::of).collect(),
        wifi: reports.iter().flat_map(|r| &r.wifi).map(AccessPointJson::of).collect(),
        fields: fields.iter().map(FieldJson::of).collect(),
    }
}

/// Readings of the report that gave the position; without a position those of every report.
fn readings(reports: &[Report]) -> Vec<&Readings> {
    match reports.iter().find(|r| r.fix.is_some()) {
        Some(report) => vec![&report.readings],
        None => reports.iter().map(|r| &r.readings).collect(),
    }
}

#[derive(Debug)]
struct Attributes<'d>(Vec<&'d Readings>);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = Readings::new();
        self.0.iter().for_each(|r| all.merge(r));
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in all.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A number that is printed without a decimal point where it is whole.
#[derive(Debug, Clone, Copy)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if self.0.fract() == 0.0 && self.0.abs() < EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(self.0)
    }
}

impl<'d> ProblemJson<'d> {
    fn of(problem: &'d Problem) -> Self {
        let Problem { severity, group, text, span } = problem;
        Self { severity: severity.as_str(), group: group.as_str(), text, start: span.start, end: span.end }
    }
}

impl PositionJson {
    fn of(fix: &Fix) -> Self {
        let Fix { at, place, valid, altitude_m, speed_kmh, course_deg, satellites, accuracy_m } = fix;
        Self {
            fix_time: at.to_string(),
            valid: *valid,
            latitude: place.lat_deg(),
            longitude: place.lon_deg(),
            altitude_m: altitude_m.map(Number),
            speed_kmh: speed_kmh.map(Number),
            course_deg: course_deg.map(Number),
            satellites: *satellites,
            accuracy_m: accuracy_m.map(Number),
        }
    }
}

impl CellJson {
    fn of(cell: &Cell) -> Self {
        let Cell { mcc, mnc, lac, cid, rssi_dbm } = cell;
        Self { mcc: *mcc, mnc: *mnc, lac: *lac, cid: *cid, rssi_dbm: *rssi_dbm }
    }
}

impl AccessPointJson {
    fn of(point: &AccessPoint) -> Self {
        let mac = point.mac.map(|b| format!("{b:02x}")).join(":");
        Self { mac, rssi_dbm: point.rssi_dbm }
    }
}

impl FieldJson {
    fn of(field: &Field) -> Self {
        Self {
            name: field.name.clone().into_owned(),
            start: field.span.start,
            end: field.span.end,
            bits: field.bits.map(|(from, to)| [from, to]),
            value: field.value_json(),
            text: field.text(),
            depth: field.depth,
        }
    }
}
