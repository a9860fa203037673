//! Text in both directions: commands, their answers, addresses.

use crate::geo::LatLon;
use crate::model::Timestamp;
use crate::wire::{
    Value,
    cursor::{Cursor, Read, ascii, utf16},
};

use super::{
    blocks,
    told::{Answer, Place, Told},
};

/// 0x15: length, server flag, text, language. Old firmware writes a length of 0 and pads the text with zeros.
pub(super) fn answer(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let declared = c.uint("Command length", 1, "")?;
    let flag = c.u32("Server flag")?;
    let left = c.left();
    let language = if left >= 2 { 2 } else { 0 };
    let len = match usize::try_from(declared.saturating_sub(4)) {
        Ok(len) if declared >= 4 && len <= left => len,
        _ => left - language,
    };
    let text = c.text("Text", len)?;
    if c.left() >= 2 {
        blocks::wide_language(c)?;
    }
    answered(c, told, flag, text);
    Ok(())
}

/// 0x21: server flag, coding, text in ASCII or UTF-16.
pub(super) fn coded_answer(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let flag = c.u32("Server flag")?;
    let coding = c.named("Coding", 1, |code| match code {
        1 => "ASCII",
        2 => "UTF-16",
        _ => "",
    })?;
    let len = c.left();
    let text = if coding == 2 { c.utf16("Text", len)? } else { c.text("Text", len)? };
    answered(c, told, flag, text);
    Ok(())
}

/// An answer, and what its text says beside.
fn answered(c: &mut Cursor<'_>, told: &mut Told, flag: u32, text: String) {
    told.readings.set("result", text.as_str());
    let digits = text.strip_prefix("<ICCID:").map(|rest| rest.trim_end_matches(['>', '#']));
    if let Some(iccid) = digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())) {
        told.readings.set("iccid", iccid);
    }
    if let Some((at, place)) = current_position(&text) {
        told.distinguish(text.as_bytes());
        told.at = Some(blocks::to_utc(c, told, at, 0));
        told.place = Some(place);
    }
    told.answer = Some(Answer { flag, text });
}

/// `Current position!Lat:N54.739332,Lon:E25.273270,Course:126.53,Speed:0.0000,DateTime:2017-05-26  10:27:47`.
fn current_position(text: &str) -> Option<(Timestamp, Place)> {
    let list = text.trim().strip_prefix("Current position!")?.trim();
    let value = |name: &str| {
        let from = list.find(name)? + name.len();
        let rest = list.get(from..)?;
        Some(rest.split(',').next().unwrap_or(rest).trim())
    };
    let degrees = |name: &str, positive: char, negative: char| {
        let value = value(name)?;
        let number: f64 = value.get(1..)?.parse().ok()?;
        match value.chars().next()? {
            c if c == positive => Some(number),
            c if c == negative => Some(-number),
            _ => None,
        }
    };
    let place = LatLon::new(degrees("Lat:", 'N', 'S')?, degrees("Lon:", 'E', 'W')?)?;
    let number = |name: &str| {
        let digits = value(name)?.trim_end_matches(|c: char| !c.is_ascii_digit());
        digits.parse::<f64>().ok()
    };
    let date = value("DateTime:")?;
    let (day, time) = date.split_once(' ')?;
    let at = format!("{day}T{}Z", time.trim()).parse().ok()?;
    let course_deg = number("Course:").filter(|course| (0.0..=360.0).contains(course));
    let (satellites, altitude_m, accuracy_m) = (None, None, None);
    let place =
        Place { at: place, valid: true, speed_kmh: number("Speed:"), course_deg, satellites, altitude_m, accuracy_m };
    Some((at, place)).filter(|(_, told)| (told.at.lat_deg(), told.at.lon_deg()) != (0.0, 0.0))
}

/// 0x80 from the server, and 0x81: length, server flag, text, maybe a language.
pub(super) fn command(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let declared = c.uint("Command length", 1, "")?;
    c.u32("Server flag")?;
    let len = usize::try_from(declared.saturating_sub(4)).unwrap_or_default();
    let text = c.field("Text", len, "", |raw| {
        let text = mixed(raw);
        (Value::Text(text.clone()), text)
    })?;
    if told.given.kind == 0x80 {
        told.readings.set("command", text);
    } else {
        told.readings.set("result", text);
    }
    if c.left() == 2 { blocks::wide_language(c) } else { Ok(()) }
}

/// Parts between `&&`, each in ASCII or UTF-16: whatever has a control character in every other place is the latter.
fn mixed(raw: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut rest = raw;
    loop {
        // In UTF-16 the separator can begin at even places only.
        let end = rest.windows(2).position(|pair| pair == b"&&");
        let part = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        let wide = part.len().is_multiple_of(2) && part.iter().step_by(2).any(|&b| b < 0x20);
        parts.push(if wide { utf16(part) } else { ascii(part) });
        match end.and_then(|end| rest.get(end + 2..)) {
            Some(after) => rest = after,
            None => return parts.join("&&"),
        }
    }
}

/// 0x17 and 0x97 from the server: `ADDRESS&&…&&phone##`, the text in UTF-16. `wide`: bytes of the command length.
fn address(c: &mut Cursor<'_>, wide: usize) -> Read<()> {
    c.under("gt06.md §2.1", |c| {
        c.uint("Command length", wide, "")?;
        c.u32("Server flag")?;
        let head = c.peek(64).windows(2).position(|pair| pair == b"&&").unwrap_or_default();
        c.text("Command", head)?;
        c.raw("Separator", 2)?;
        // Separator, phone, `##`.
        let tail = 2 + 21 + 2;
        c.utf16("Address", c.left().saturating_sub(tail))?;
        c.raw("Separator", 2)?;
        c.text("Phone", 21)?;
        c.raw("End", 2)?;
        Ok(())
    })
}

/// 0x97: the English address.
pub(super) fn english_address(c: &mut Cursor<'_>, _told: &mut Told) -> Read<()> {
    address(c, 2)
}

/// 0x17 of any other length: the Chinese address, where the text says that it is one.
pub(super) fn chinese_address(c: &mut Cursor<'_>, _told: &mut Told) -> Read<()> {
    let named = [b"ADDRESS&&".as_slice(), b"ALARMSMS&&"];
    if named.iter().any(|name| c.peek(5 + name.len()).ends_with(name)) { address(c, 1) } else { Ok(()) }
}

/// The server's answer to a time request: a date in UTC.
pub(super) fn time(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::date(c, told, "UTC").map(drop)
}

/// A body of which only the length is known.
#[expect(clippy::unnecessary_wraps, reason = "a reading function like the others")]
pub(super) fn unknown(_c: &mut Cursor<'_>, _told: &mut Told) -> Read<()> {
    Ok(())
}
