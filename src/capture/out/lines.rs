//! One line a packet: JSON, hex digits, the log of Traccar.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Entry, http};
use crate::{
    model::{Direction, PacketRow, Protocol},
    wire::hex,
};

/// `<` came in, `>` went out, as logs of Traccar have it.
fn arrow(direction: Direction) -> char {
    match direction {
        Direction::In => '<',
        Direction::Out => '>',
    }
}

/// A peer as one word, without the brackets of IPv6: they would end those of a log.
fn peer(row: &PacketRow) -> String {
    let word: String =
        row.peer.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !"[]<>".contains(*c)).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}

pub(super) fn json(out: &mut dyn Write, entry: &Entry<'_>) -> io::Result<()> {
    let row = entry.row;
    let mut object = json!({
        "time": row.received.to_string(),
        "direction": row.direction.as_str(),
        "peer": &*row.peer,
        "connection": row.connection,
        "protocol": row.protocol.as_str(),
        "device": entry.device.map(|device| device.identity.as_str()),
        "name": entry.device.and_then(|device| device.name.as_deref()),
        "kind": row.kind,
        "verdict": row.verdict.as_str(),
        "hex": hex(&row.bytes),
    });
    let context = row.context.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let (Some(object), Some(context)) = (object.as_object_mut(), context) {
        object.insert("context".to_owned(), context);
    }
    if let (Some(object), Some(comment)) = (object.as_object_mut(), entry.comment()) {
        object.insert("comment".to_owned(), comment.into());
    }
    if let (Some(object), true) = (object.as_object_mut(), entry.marked()) {
        object.insert("marked".to_owned(), true.into());
    }
    serde_json::to_writer(&mut *out, &object)?;
    writeln!(out)
}

/// `2026-11-21T14:02:31.123Z [3: gt06 < 10.0.0.9:4711] 7878…`
pub(super) fn hex_log(out: &mut dyn Write, entry: &Entry<'_>) -> io::Result<()> {
    let row = entry.row;
    let (peer, protocol, arrow) = (peer(row), row.protocol.as_str(), arrow(row.direction));
    let digits = hex(&row.bytes);
    writeln!(out, "{} [{}: {protocol} {arrow} {peer}] {digits}", row.received, row.connection)
}

pub(super) fn traccar(out: &mut dyn Write, entry: &Entry<'_>) -> io::Result<()> {
    writeln!(out, "{}", traccar_line(entry.row))
}

/// As Traccar 6 writes its log, in UTC. It knows addresses without ports, and sees HTTP with its head.
pub fn traccar_line(row: &PacketRow) -> String {
    let at = row.received.strftime("%Y-%m-%d %H:%M:%S");
    let address = row.peer.parse::<std::net::SocketAddr>();
    let address = address.map_or_else(|_| peer(row), |at| at.ip().to_canonical().to_string());
    let bytes = match row.protocol {
        Protocol::Gt06 => row.bytes.to_vec(),
        Protocol::OwnTracks => http::on_the_wire(row),
    };
    let session = row.connection & 0xFFFF_FFFF;
    let (protocol, arrow, digits) = (row.protocol.as_str(), arrow(row.direction), hex(&bytes));
    format!("{at}  INFO: [T{session:08x}: {protocol} {arrow} {address}] {digits}")
}
