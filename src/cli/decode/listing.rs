//! One frame or body as a person reads it in a terminal.

use std::io::{self, Write};

use crate::{
    model::{Direction, Fix, Protocol, Report},
    wire::{Dissection, Field, Value, hex},
};

/// Bytes of a field that are shown; the tree below a longer one shows the rest.
const MOST_BYTES: usize = 8;

/// Where the bytes stood.
pub(super) struct Place {
    /// `line` or `frame`.
    pub(super) unit: &'static str,
    pub(super) line: usize,
    pub(super) offset: usize,
    pub(super) direction: Direction,
}

/// Writes headline, problems, what was told, and the tree.
pub(super) fn write(
    out: &mut dyn Write,
    place: &Place,
    protocol: Protocol,
    bytes: &[u8],
    dissection: &Dissection,
) -> io::Result<()> {
    let Dissection { kind: _, type_number, title, serial, crc, device, reports, problems, fields, reply } = dissection;
    let verdict = dissection.verdict().as_str();
    write!(out, "{verdict:5} {protocol} ")?;
    match (title.is_empty(), type_number) {
        (false, Some(number)) => write!(out, "{title} (0x{number:02x})")?,
        (true, Some(number)) => write!(out, "0x{number:02x}")?,
        (_, None) => write!(out, "{title}")?,
    }
    write!(out, ", {} {}", place.unit, place.line)?;
    if place.offset > 0 {
        write!(out, " from byte {}", place.offset)?;
    }
    write!(out, ", {} bytes", bytes.len())?;
    if let Some(serial) = serial {
        write!(out, ", serial {serial}")?;
    }
    if let Some(device) = device {
        write!(out, ", {device}")?;
    }
    if place.direction == Direction::Out {
        write!(out, ", sent by the server")?;
    }
    writeln!(out)?;
    for problem in problems {
        let (severity, group, span) = (problem.severity.as_str(), problem.group.as_str(), &problem.span);
        writeln!(out, "  {severity}: {} ({group}, bytes {}..{})", problem.text, span.start, span.end)?;
    }
    for report in reports {
        told(out, report)?;
    }
    if let Some(crc) = crc {
        let word = if crc.ok() { "right" } else { "wrong" };
        writeln!(out, "  checksum  {:04x}, computed {:04x}: {word}", crc.received, crc.computed)?;
    }
    if let Some(reply) = reply {
        let shown = match protocol {
            Protocol::Gt06 => spaced(reply),
            Protocol::OwnTracks => String::from_utf8_lossy(reply).into_owned(),
        };
        writeln!(out, "  reply     {shown}")?;
    }
    for field in fields {
        row(out, protocol, bytes, field)?;
    }
    Ok(())
}

/// Position, readings, measurements and events of a report.
fn told(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if let Some(fix) = &report.fix {
        position(out, fix)?;
    }
    if !report.readings.is_empty() {
        let pairs: Vec<String> = report.readings.iter().map(|(key, value)| format!("{key} {value}")).collect();
        writeln!(out, "  told      {}", pairs.join(", "))?;
    }
    for cell in &report.cells {
        write!(out, "  cell      {} {} {} {}", cell.mcc, cell.mnc, cell.lac, cell.cid)?;
        signal(out, cell.rssi_dbm)?;
    }
    for point in &report.wifi {
        write!(out, "  Wi-Fi     {}", point.mac.map(|b| format!("{b:02x}")).join(":"))?;
        signal(out, point.rssi_dbm)?;
    }
    for event in &report.events {
        writeln!(out, "  event     {} {}", event.at, event.kind)?;
    }
    Ok(())
}

fn signal(out: &mut dyn Write, rssi_dbm: Option<i32>) -> io::Result<()> {
    match rssi_dbm {
        Some(dbm) => writeln!(out, " {dbm} dBm"),
        None => writeln!(out),
    }
}

fn position(out: &mut dyn Write, fix: &Fix) -> io::Result<()> {
    let Fix { at, place, valid, altitude_m, speed_kmh, course_deg, satellites, accuracy_m } = fix;
    write!(out, "  position  {at} {}, {}", place.lat_deg(), place.lon_deg())?;
    if !valid {
        write!(out, ", not valid")?;
    }
    let parts = [
        speed_kmh.map(|n| format!("{n} km/h")),
        course_deg.map(|n| format!("course {n}°")),
        altitude_m.map(|n| format!("altitude {n} m")),
        accuracy_m.map(|n| format!("accuracy {n} m")),
        satellites.map(|n| format!("{n} satellites")),
    ];
    for part in parts.into_iter().flatten() {
        write!(out, ", {part}")?;
    }
    writeln!(out)
}

/// One field: offset, bytes, name and value, indented by depth.
fn row(out: &mut dyn Write, protocol: Protocol, bytes: &[u8], field: &Field) -> io::Result<()> {
    let indent = "  ".repeat(usize::from(field.depth));
    let own = bytes.get(field.span.clone()).unwrap_or_default();
    // A group's bytes are those of its parts, and a body is text.
    let shown = match (protocol, &field.value) {
        (Protocol::OwnTracks, _) | (_, Value::Group) => String::new(),
        (Protocol::Gt06, _) if own.len() > MOST_BYTES => {
            format!("{} …", spaced(own.get(..MOST_BYTES - 1).unwrap_or_default()))
        }
        (Protocol::Gt06, _) => spaced(own),
    };
    let width = if protocol == Protocol::Gt06 { 3 * MOST_BYTES } else { 0 };
    let bits =
        field.bits.map(|(from, to)| if from == to { format!(" [bit {from}]") } else { format!(" [bits {from}–{to}]") });
    let text = field.text();
    let line =
        format!("  {:4}  {shown:width$}{indent}{}{}  {text}", field.span.start, field.name, bits.unwrap_or_default());
    writeln!(out, "{}", line.trim_end())
}

fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|b| hex(&[*b])).collect::<Vec<_>>().join(" ")
}
