//! A field in words: its raw bytes, its bits within their word, and the sum that made its value.

use std::fmt::Write;

use crate::wire::{Field, Value};

/// Longer raw bytes are cut off in a line of the tree.
const MOST_BYTES: usize = 24;

/// The field's own bytes; empty where the span lies outside of the packet.
pub fn bytes_of<'a>(field: &Field, packet: &'a [u8]) -> &'a [u8] {
    packet.get(field.span.clone()).unwrap_or_default()
}

/// Upper-case hex with a space between bytes, cut where a line has no more room.
pub fn raw_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().min(MOST_BYTES) * 3);
    for (n, byte) in bytes.iter().take(MOST_BYTES).enumerate() {
        let gap = if n == 0 { "" } else { " " };
        write!(out, "{gap}{byte:02X}").expect("writing to a String cannot fail");
    }
    if bytes.len() > MOST_BYTES {
        out.push_str(" …");
    }
    out
}

/// True for a body that people read as text: JSON.
pub fn is_json(packet: &[u8]) -> bool {
    let opens = packet.iter().find(|b| !b.is_ascii_whitespace());
    opens.is_some_and(|b| matches!(b, b'{' | b'[')) && std::str::from_utf8(packet).is_ok()
}

/// The bytes that a span holds, as a person counts them: `14..16`, and `14` alone for one byte.
pub fn offsets(span: &std::ops::Range<usize>) -> String {
    if span.len() == 1 { span.start.to_string() } else { format!("{}..{}", span.start, span.end) }
}

/// A word as a number, big-endian. `None` for nothing and for more than 64 bits.
pub fn word(bytes: &[u8]) -> Option<u64> {
    (1..=8).contains(&bytes.len()).then(|| bytes.iter().fold(0, |word, &b| word << 8 | u64::from(b)))
}

/// The word's bits in groups of four with every other field's bits as dots: `...1 0... .... ....`.
pub fn bit_diagram(field: &Field, packet: &[u8]) -> Option<String> {
    let (low, high) = field.bits?;
    let bytes = bytes_of(field, packet);
    let word = word(bytes)?;
    let bits = bytes.len() * 8;
    let mut out = String::with_capacity(bits * 5 / 4);
    for bit in (0..bits).rev() {
        let mine = (usize::from(low)..=usize::from(high)).contains(&bit);
        out.push(match (mine, word >> bit & 1) {
            (false, _) => '.',
            (true, 0) => '0',
            (true, _) => '1',
        });
        if bit > 0 && bit % 4 == 0 {
            out.push(' ');
        }
    }
    Some(out)
}

/// How the value came from the bytes: `0x057E05B1 / 1 800 000 = 51.19173°`. `None` where the value is the bytes.
pub fn why(field: &Field, packet: &[u8]) -> Option<String> {
    let bytes = bytes_of(field, packet);
    if is_json(packet) {
        return None;
    }
    if let Some((low, high)) = field.bits
        && let Some(word) = word(bytes)
    {
        let digits = bytes.len() * 2;
        let width = u32::from(high.saturating_sub(low)) + 1;
        let value =
            word.checked_shr(u32::from(low)).unwrap_or(0) & 1_u64.checked_shl(width).map_or(u64::MAX, |m| m - 1);
        let place = if low == high { format!("bit {low}") } else { format!("bits {low} to {high}") };
        return Some(format!("{place} of 0x{word:0digits$X}: {value} = {}", field.text()));
    }
    match &field.value {
        Value::Scaled { raw, divisor, .. } => {
            let raw = raw_number(*raw, bytes);
            let sum = if *divisor >= 1.0 {
                format!("{raw} / {}", grouped(*divisor))
            } else {
                format!("{raw} × {}", grouped(1.0 / divisor))
            };
            Some(format!("{sum} = {}", field.text()))
        }
        Value::Named { code, name } if !name.is_empty() => Some(format!("0x{code:02X} means {name}")),
        Value::Unsigned(_) | Value::Signed(_) if (1..=8).contains(&bytes.len()) => {
            Some(format!("0x{} = {}", raw_hex(bytes).replace(' ', ""), field.text()))
        }
        Value::Raw(_)
        | Value::Group
        | Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Signed(_)
        | Value::Real(_)
        | Value::Named { .. }
        | Value::Text(_)
        | Value::Time(_)
        | Value::Absent => None,
    }
}

/// The number on the wire: in hex where that is what its bytes spell, else as digits.
fn raw_number(raw: i64, bytes: &[u8]) -> String {
    let sign = if raw < 0 { "-" } else { "" };
    let digits = bytes.len() * 2;
    match word(bytes) {
        Some(word) if word == raw.unsigned_abs() => format!("{sign}0x{word:0digits$X}"),
        Some(_) | None => format!("{sign}{}", raw.unsigned_abs()),
    }
}

/// A number with a gap between thousands: `1 800 000`.
fn grouped(number: f64) -> String {
    let plain = format!("{}", (number * 1e9).round() / 1e9);
    let (whole, rest) = plain.find('.').map_or((plain.as_str(), ""), |dot| plain.split_at(dot));
    let mut out = String::with_capacity(plain.len() * 4 / 3);
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(value: Value, unit: &'static str, len: usize) -> Field {
        Field { name: "x".into(), span: 0..len, bits: None, depth: 0, value, unit, source: "" }
    }

    #[test]
    fn a_scaled_value_shows_its_sum() {
        let wire = [0x05, 0x7E, 0x05, 0xB1];
        let latitude = |raw: i64| {
            let value = Value::Scaled { raw, divisor: 1_800_000.0, value: 92_145_073.0 / 1_800_000.0 };
            field(value, "°", 4)
        };
        assert_eq!(why(&latitude(0x057E_05B1), &wire).as_deref(), Some("0x057E05B1 / 1 800 000 = 51.1917072°"));
        assert!(why(&latitude(-0x057E_05B1), &wire).is_some_and(|w| w.starts_with("-0x057E05B1 / ")));
        let metres = field(Value::Scaled { raw: 12, divisor: 0.1, value: 120.0 }, "m", 1);
        assert_eq!(why(&metres, &[12]).as_deref(), Some("0x0C × 10 = 120 m"));
    }

    #[test]
    fn bits_stand_in_their_word() {
        let mut north = field(Value::Bool(true), "", 2);
        north.bits = Some((10, 10));
        let mut course = field(Value::Unsigned(143), "°", 2);
        course.bits = Some((0, 9));
        let wire = [0x14, 0x8F];
        assert_eq!(bit_diagram(&north, &wire).as_deref(), Some(".... .1.. .... ...."));
        assert_eq!(bit_diagram(&course, &wire).as_deref(), Some(".... ..00 1000 1111"));
        assert_eq!(why(&north, &wire).as_deref(), Some("bit 10 of 0x148F: 1 = yes"));
        assert_eq!(why(&course, &wire).as_deref(), Some("bits 0 to 9 of 0x148F: 143 = 143°"));
    }

    #[test]
    fn a_span_outside_of_the_packet_is_nothing() {
        let mut lost = field(Value::Unsigned(1), "", 2);
        lost.bits = Some((0, 3));
        assert_eq!(bit_diagram(&lost, &[1]), None);
        assert_eq!(why(&lost, &[1]), None);
        assert_eq!(raw_hex(bytes_of(&lost, &[1])), "");
    }

    #[test]
    fn text_is_its_own_reason() {
        let number = field(Value::Unsigned(0), "°", 8);
        assert_eq!(why(&number, br#"{"lat":0}"#), None);
        assert_eq!(why(&number, &[0; 8]).as_deref(), Some("0x0000000000000000 = 0°"));
        assert!(is_json(b" [1]") && !is_json(b"{\xff") && !is_json(b"xx") && !is_json(b""));
    }

    #[test]
    fn long_bytes_are_cut() {
        assert_eq!(raw_hex(&[0xAB, 0x01]), "AB 01");
        assert!(raw_hex(&[0; 100]).ends_with("00 …"));
    }
}
