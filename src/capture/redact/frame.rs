//! GT06: bytes are replaced in place, where the tree says whose they are; then the checksum is made anew.

use std::ops::Range;

use super::names::{Names, shape};
use crate::wire::{Dissection, Field, Value, gt06::encode::checksum};

/// What a field tells about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secret {
    Imei,
    /// Digits, packed or as text.
    Digits,
    /// The number of a cell or an access point.
    Number,
    Words,
    Latitude,
    Longitude,
    /// Nobody knows what it tells.
    Unknown,
}

fn secret(name: &str) -> Option<Secret> {
    Some(match name {
        "IMEI" | "Terminal" => Secret::Imei,
        "IMSI"
        | "ICCID"
        | "Phone"
        | "SOS numbers"
        | "VIN"
        | "iButton"
        | "RFID"
        | "Card"
        | "Driver"
        | "UUID"
        | "Serial of the device" => Secret::Digits,
        "LAC" | "Cell id" | "MAC" | "SSID" => Secret::Number,
        "Text" | "Command" | "Address" | "Details" | "Files" | "Answer" => Secret::Words,
        "Latitude" => Secret::Latitude,
        "Longitude" => Secret::Longitude,
        "Undecoded" | "Noise" | "GPS" | "Content" => Secret::Unknown,
        _ => return None,
    })
}

pub(super) fn redacted(bytes: &[u8], dissection: &Dissection, names: &mut Names) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let fields = &dissection.fields;
    for (at, field) in fields.iter().enumerate() {
        let leaf = fields.get(at + 1).is_none_or(|next| next.depth <= field.depth);
        if let Some(secret) = secret(&field.name).filter(|_| leaf && field.bits.is_none()) {
            let Some(there) = out.get_mut(field.span.clone()) else { continue };
            let instead = instead(secret, there, field, names);
            if instead.len() == there.len() {
                there.copy_from_slice(&instead);
            }
        }
    }
    seal(bytes, &mut out, dissection);
    out
}

/// Bytes of the same length.
fn instead(secret: Secret, there: &[u8], field: &Field, names: &mut Names) -> Vec<u8> {
    match secret {
        Secret::Imei => imei(there, names).unwrap_or_else(|| digits(there, names)),
        Secret::Digits => behind_key(there, |value| digits(value, names)),
        Secret::Number if is_text(there) => shape(there),
        Secret::Number => names.bytes(there),
        Secret::Words => shape(there),
        Secret::Latitude | Secret::Longitude => coordinate(there, field, secret == Secret::Longitude, names),
        Secret::Unknown => vec![0; there.len()],
    }
}

/// Of `ICCID=8986…` the key stays.
fn behind_key(there: &[u8], replaced: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let key = there.iter().position(|b| *b == b'=').filter(|_| is_text(there)).map_or(0, |at| at + 1);
    let (key, value) = there.split_at(key);
    [key, &replaced(value)].concat()
}

/// Eight bytes of packed digits, the first of them 0.
fn imei(there: &[u8], names: &mut Names) -> Option<Vec<u8>> {
    let text = crate::wire::hex(there);
    let imei = text.strip_prefix('0').filter(|imei| imei.len() == 15 && imei.bytes().all(|b| b.is_ascii_digit()))?;
    let packed = u64::from_str_radix(&names.imei(imei), 16).ok()?;
    Some(packed.to_be_bytes().to_vec())
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ' || *b == 0)
}

/// Digits stay digits, filling stays filling.
fn digits(there: &[u8], names: &Names) -> Vec<u8> {
    let other = names.bytes(there);
    let text = is_text(there);
    there
        .iter()
        .zip(other)
        .map(|(old, new)| match *old {
            b'0'..=b'9' if text => b'0' + new % 10,
            b'A'..=b'Z' if text => b'A' + new % 26,
            b'a'..=b'z' if text => b'a' + new % 26,
            old if text => old,
            old => {
                let digit = |old: u8, new: u8| if old < 10 { new % 10 } else { old };
                digit(old >> 4, new >> 4) << 4 | digit(old & 0xF, new & 0xF)
            }
        })
        .collect()
}

/// A coordinate that is moved, as it was written: a whole number of units, big end first.
fn coordinate(there: &[u8], field: &Field, longitude: bool, names: &Names) -> Vec<u8> {
    let lost = vec![0; there.len()];
    let Value::Scaled { raw, divisor, .. } = field.value else { return lost };
    let width = there.len();
    let Some(skip) = 8_usize.checked_sub(width) else { return lost };
    // Below 2^53 on any globe.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "four bytes at most on the wire")]
    let moved = names.moved(raw as f64, longitude, divisor).round() as i64;
    let written = |n: i64| n.to_be_bytes().get(skip..).map(<[u8]>::to_vec);
    // Only where the tree's number is what the bytes spell.
    written(raw).filter(|old| old == there).and_then(|_| written(moved)).unwrap_or(lost)
}

/// Makes the checksum fit again; where it did not fit before, it is as wrong as it was.
pub(crate) fn seal(before: &[u8], out: &mut [u8], dissection: &Dissection) {
    let (Some(sums), Some(range)) = (dissection.crc, place(dissection)) else { return };
    let covered = 2..range.start;
    let Some(old) = before.get(covered.clone()).map(checksum).filter(|old| *old == sums.computed) else { return };
    let Some(new) = out.get(covered).map(checksum) else { return };
    if let Some(there) = out.get_mut(range) {
        there.copy_from_slice(&(new ^ old ^ sums.received).to_be_bytes());
    }
}

fn place(dissection: &Dissection) -> Option<Range<usize>> {
    let field = dissection.fields.iter().rev().find(|field| field.name == "CRC")?;
    (field.span.len() == 2).then(|| field.span.clone())
}
