//! Builds frames: the one place that writes length, serial and checksum.
//!
//! Acknowledgements, commands and the frames of a pretend device all end in [`seal`].

use crc::{CRC_16_IBM_SDLC, Crc, Table};

use crate::model::{Fix, Timestamp};

/// CRC-16/X-25 in its 16-way table form (gt06.md §1.1).
const X25: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_IBM_SDLC);

/// Degrees to the wire: minutes × 30 000.
const UNITS_PER_DEGREE: f64 = 1_800_000.0;

/// The two ways a frame begins, which is also how wide its length is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Start {
    /// `78 78` and one byte of length.
    Short,
    /// `79 79` and two bytes of length.
    Long,
}

/// The checksum over the bytes from the length field to the serial number.
pub fn checksum(covered: &[u8]) -> u16 {
    X25.checksum(covered)
}

/// A whole frame around `body`. A body that does not fit the short form (over 250 bytes) goes out in the long one; what exceeds
/// the long form as well is cut at its end.
pub fn seal(start: Start, kind: u8, body: &[u8], serial: u16) -> Vec<u8> {
    let body = body.get(..usize::from(u16::MAX) - 5).unwrap_or(body);
    let length = body.len() + 5;
    let mut frame = Vec::with_capacity(length + 6);
    match (start, u8::try_from(length)) {
        (Start::Short, Ok(length)) => frame.extend([0x78, 0x78, length]),
        (Start::Short, Err(_)) | (Start::Long, _) => {
            frame.extend([0x79, 0x79]);
            frame.extend(u16::try_from(length).expect("the body was cut to fit").to_be_bytes());
        }
    }
    frame.push(kind);
    frame.extend(body);
    frame.extend(serial.to_be_bytes());
    let crc = checksum(frame.get(2..).unwrap_or_default());
    frame.extend(crc.to_be_bytes());
    frame.extend([0x0D, 0x0A]);
    frame
}

/// The generic acknowledgement: type and serial of what it answers, nothing else (gt06.md §2.1).
pub fn acknowledge(start: Start, kind: u8, serial: u16) -> Vec<u8> {
    seal(start, kind, &[], serial)
}

/// The answer to a time request 0x8A: this moment in UTC, under the serial of the request.
pub fn time(at: Timestamp, serial: u16) -> Vec<u8> {
    seal(Start::Short, 0x8A, &date(at), serial)
}

/// A command 0x80 (gt06.md §7). `flag` comes back in the answer; `language` adds the two bytes `00 02` that some firmware insists on.
///
/// `None` for a text that does not fit: over 245 bytes, or 243 with the language.
pub fn command(text: &str, flag: u32, language: bool, serial: u16) -> Option<Vec<u8>> {
    let length = u8::try_from(text.len() + 4).ok()?;
    let mut body = vec![length];
    body.extend(flag.to_be_bytes());
    body.extend(text.as_bytes());
    if language {
        body.extend([0x00, 0x02]);
    }
    u8::try_from(body.len() + 5).is_ok().then(|| seal(Start::Short, 0x80, &body, serial))
}

/// An address message: 0x97 with the long start in English, 0x17 with the short one in Chinese. `phone` is filled up with zeros,
/// or cut, to its 21 bytes.
pub fn address(text: &str, phone: &[u8], chinese: bool, serial: u16) -> Vec<u8> {
    // The server flag, and then the text that the command length counts with it.
    let mut content = vec![0; 4];
    content.extend(b"ADDRESS&&");
    content.extend(text.encode_utf16().take(90).flat_map(u16::to_be_bytes));
    content.extend(b"&&");
    content.extend((0..21).map(|i| phone.get(i).copied().unwrap_or_default()));
    content.extend(b"##");
    let [high, low] = u16::try_from(content.len()).expect("a short text").to_be_bytes();
    if chinese {
        seal(Start::Short, 0x17, &[&[low], content.as_slice()].concat(), serial)
    } else {
        seal(Start::Long, 0x97, &[&[high, low], content.as_slice()].concat(), serial)
    }
}

/// A login 0x01 as a pretend device sends it; UTC, English. Digits that are no digits count as 0, missing ones are put in front.
pub fn login(imei: &str, serial: u16) -> Vec<u8> {
    let mut body = imei_bytes(imei).to_vec();
    body.extend([0x10, 0x0B, 0x00, 0x02]);
    seal(Start::Short, 0x01, &body, serial)
}

/// A heartbeat 0x13. `battery_level` is 0 (off) to 6 (full), `gsm_bars` 0 to 4.
pub fn heartbeat(ignition: bool, charging: bool, battery_level: u8, gsm_bars: u8, serial: u16) -> Vec<u8> {
    seal(Start::Short, 0x13, &[status(ignition, charging), battery_level, gsm_bars, 0x00, 0x02], serial)
}

/// A position 0x12, time in UTC.
pub fn position_12(fix: &Fix, ignition: bool, serial: u16) -> Vec<u8> {
    let mut body = date_and_gps(fix, ignition);
    body.extend(CELL);
    seal(Start::Short, 0x12, &body, serial)
}

/// A position 0x22, sent because time passed, live.
pub fn position_22(fix: &Fix, ignition: bool, serial: u16) -> Vec<u8> {
    let mut body = date_and_gps(fix, ignition);
    body.extend(CELL);
    body.extend([u8::from(ignition), 0x00, 0x00]);
    seal(Start::Short, 0x22, &body, serial)
}

/// An alarm 0x16 with its code from gt06.md §4.
pub fn alarm_16(fix: &Fix, ignition: bool, code: u8, serial: u16) -> Vec<u8> {
    let mut body = date_and_gps(fix, ignition);
    body.push(0x09);
    body.extend(CELL);
    body.extend([status(ignition, true), 0x06, 0x04, code, 0x02]);
    seal(Start::Short, 0x16, &body, serial)
}

/// The answer 0x15 of a device to a command, with the command's flag.
pub fn answer_15(text: &str, flag: u32, serial: u16) -> Vec<u8> {
    let text = text.as_bytes().get(..240).unwrap_or(text.as_bytes());
    let mut body = vec![u8::try_from(text.len() + 4).expect("at most 240 bytes")];
    body.extend(flag.to_be_bytes());
    body.extend(text);
    body.extend([0x00, 0x02]);
    seal(Start::Short, 0x15, &body, serial)
}

/// Some cell: 262-1, area 1001, cell 70001.
const CELL: [u8; 8] = [0x01, 0x06, 0x01, 0x03, 0xE9, 0x01, 0x11, 0x71];

/// Year − 2000 to second, in UTC.
pub(super) fn date(at: Timestamp) -> [u8; 6] {
    let civil = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let byte = |part: i8| u8::try_from(part).expect("months to seconds are never negative");
    let year = u8::try_from(civil.year() - 2000).unwrap_or_default();
    [year, byte(civil.month()), byte(civil.day()), byte(civil.hour()), byte(civil.minute()), byte(civil.second())]
}

fn date_and_gps(fix: &Fix, ignition: bool) -> Vec<u8> {
    let mut out = date(fix.at).to_vec();
    out.push(0xC0 | u8::try_from(fix.satellites.unwrap_or_default().min(15)).expect("at most 15"));
    let (lat, lon) = (fix.place.lat_deg(), fix.place.lon_deg());
    for degrees in [lat, lon] {
        out.extend(whole(degrees.abs() * UNITS_PER_DEGREE, u32::MAX).to_be_bytes());
    }
    out.extend(whole(fix.speed_kmh.unwrap_or_default(), 255).to_be_bytes().last());
    let flag = |set: bool, bit: u16| u16::from(set) << bit;
    let course = u16::try_from(whole(fix.course_deg.unwrap_or_default().rem_euclid(360.0), 360)).expect("at most 360");
    let word =
        flag(ignition, 15) | flag(true, 14) | flag(fix.valid, 12) | flag(lon < 0.0, 11) | flag(lat >= 0.0, 10) | course;
    out.extend(word.to_be_bytes());
    out
}

/// The nearest whole number from 0 to `most`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of the result first")]
fn whole(value: f64, most: u32) -> u32 {
    value.round().clamp(0.0, f64::from(most)) as u32
}

/// Terminal information: tracking on, charging, ignition (gt06.md §3.6).
fn status(ignition: bool, charging: bool) -> u8 {
    0x40 | u8::from(charging) << 2 | u8::from(ignition) << 1
}

/// 16 BCD digits, the first of them 0 for the 15 of an IMEI.
fn imei_bytes(imei: &str) -> [u8; 8] {
    let digits = imei.chars().rev().map(|c| c.to_digit(10).unwrap_or_default());
    let packed = digits.take(16).enumerate().fold(0_u64, |sum, (i, digit)| sum | u64::from(digit) << (4 * i));
    packed.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::hex;

    #[test]
    fn replies_are_the_published_bytes() {
        assert_eq!(hex(&acknowledge(Start::Short, 0x01, 1)), "787805010001d9dc0d0a");
        assert_eq!(hex(&acknowledge(Start::Long, 0x32, 0x10BE)), "797900053210be5b520d0a");
        let new_year = "2015-12-29T00:00:21Z".parse().unwrap();
        assert_eq!(hex(&time(new_year, 6)), "78780b8a0f0c1d0000150006f0860d0a");
    }

    #[test]
    fn commands_are_the_published_bytes() {
        fn sent(text: &str, flag: u32, language: bool, serial: u16) -> Option<String> {
            command(text, flag, language, serial).map(|bytes| hex(&bytes))
        }
        assert_eq!(sent("Relay,1#", 0, false, 0).as_deref(), Some("787812800c0000000052656c61792c312300009dee0d0a"));
        assert_eq!(sent("RELAY,1#", 0, false, 1).as_deref(), Some("787812800c0000000052454c41592c312300012b4d0d0a"));
        assert_eq!(sent("RELAY,1#", 0, true, 1).as_deref(), Some("787814800c0000000052454c41592c312300020001ebe00d0a"));
        assert_eq!(sent(&"x".repeat(246), 1, false, 1), None, "the length of the frame is one byte");
        assert!(sent(&"x".repeat(245), 1, false, 1).is_some());
    }

    #[test]
    fn login_is_the_published_imei() {
        assert_eq!(hex(&login("123456789012345", 1)).get(..24), Some("787811010123456789012345"));
    }
}
