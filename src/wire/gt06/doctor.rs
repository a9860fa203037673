//! Why is this checksum wrong? Tries the usual mistakes and says which one would produce it. Changes nothing.

use std::ops::Range;

use crc::{
    Algorithm, CRC_16_ARC, CRC_16_GENIBUS, CRC_16_IBM_3740, CRC_16_KERMIT, CRC_16_MCRF4XX, CRC_16_MODBUS,
    CRC_16_SPI_FUJITSU, CRC_16_USB, CRC_16_XMODEM, Crc, NoTable,
};

use super::encode::checksum;

/// Longest frame whose bits are tried one by one.
const LONGEST: usize = 512;

/// What would make the checksum right, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// Other checksums of the same width, by the names firmware authors know them under.
static OTHERS: [(&str, Algorithm<u16>); 9] = [
    ("CRC-16/XMODEM", CRC_16_XMODEM),
    ("CRC-16/CCITT-FALSE", CRC_16_IBM_3740),
    ("CRC-16/KERMIT", CRC_16_KERMIT),
    ("CRC-16/MODBUS", CRC_16_MODBUS),
    ("CRC-16/ARC", CRC_16_ARC),
    ("CRC-16/MCRF4XX, which is the right one without its last inversion", CRC_16_MCRF4XX),
    ("CRC-16/AUG-CCITT", CRC_16_SPI_FUJITSU),
    ("CRC-16/GENIBUS", CRC_16_GENIBUS),
    ("CRC-16/USB", CRC_16_USB),
];

/// The first usual mistake that gives the checksum which a frame of `total` bytes carries. `head`: bytes before the type.
pub(super) fn diagnose(bytes: &[u8], total: usize, head: usize) -> Option<Finding> {
    let frame = bytes.get(..total)?;
    let end = total.checked_sub(4)?;
    let covered = frame.get(2..end)?;
    let received = u16::from_be_bytes(frame.get(end..end + 2)?.try_into().ok()?);
    let found = |text: String, span: Range<usize>| Some(Finding { text, span });
    let sum = end..end + 2;
    if received == checksum(covered).swap_bytes() {
        return found("the two bytes of the checksum are swapped".to_owned(), sum);
    }
    let other = |algorithm: &'static Algorithm<u16>| Crc::<u16, NoTable>::new(algorithm).checksum(covered);
    if let Some((name, _)) = OTHERS.iter().find(|(_, algorithm)| other(algorithm) == received) {
        return found(format!("it is the {name} of the same bytes"), sum);
    }
    let ranges = [
        (0..end, "with the start"),
        (head..end, "without the length"),
        (2..end.saturating_sub(2), "without the serial"),
        (head..end.saturating_sub(2), "without length and serial"),
        (head + 1..end, "without length and type"),
    ];
    let fits =
        |(range, _): &&(Range<usize>, &str)| frame.get(range.clone()).is_some_and(|part| checksum(part) == received);
    if let Some((_, name)) = ranges.iter().find(fits) {
        return found(format!("it was computed {name}"), sum);
    }
    if covered.len() > LONGEST {
        return None;
    }
    one_bit(covered, received, end)
        .or_else(|| one_field(covered, received, head, end))
        .or_else(|| left_out(covered, received))
}

/// A single bit that was flipped on the way, in the covered bytes or in the checksum itself.
fn one_bit(covered: &[u8], received: u16, end: usize) -> Option<Finding> {
    let difference = received ^ checksum(covered);
    if difference.is_power_of_two() {
        let at = if difference > 0xFF { end } else { end + 1 };
        let text = format!("one bit of it was flipped: bit {} of byte {at}", difference.trailing_zeros() % 8);
        return Some(Finding { text, span: at..at + 1 });
    }
    let mut copy = covered.to_vec();
    for index in 0..copy.len() {
        for bit in 0..8_u8 {
            let byte = copy.get_mut(index)?;
            *byte ^= 1 << bit;
            let meant = *byte;
            let right = checksum(&copy) == received;
            *copy.get_mut(index)? ^= 1 << bit;
            if right {
                let at = index + 2;
                let came = covered.get(index)?;
                let text =
                    format!("it is right when bit {bit} of byte {at} is turned round ({came:02x} to {meant:02x})");
                return Some(Finding { text, span: at..at + 1 });
            }
        }
    }
    None
}

/// A byte or two too many, as in an example that was printed wrong and copied.
fn left_out(covered: &[u8], received: u16) -> Option<Finding> {
    for run in 1..=2 {
        for from in 1..covered.len().saturating_sub(run) {
            let rest = [covered.get(..from)?, covered.get(from + run..)?].concat();
            if checksum(&rest) == received {
                let (first, last) = (from + 2, from + 1 + run);
                let which = if run == 1 { format!("byte {first}") } else { format!("bytes {first} and {last}") };
                return Some(Finding { text: format!("it is right without {which}"), span: first..last + 1 });
            }
        }
    }
    None
}

/// The type of another message, a serial close by, a length that is a little off.
fn one_field(covered: &[u8], received: u16, head: usize, end: usize) -> Option<Finding> {
    let mut copy = covered.to_vec();
    let mut fits = |index: usize, byte: u8| {
        let slot = copy.get_mut(index)?;
        let came = std::mem::replace(slot, byte);
        let right = checksum(&copy) == received;
        *copy.get_mut(index)? = came;
        Some(right)
    };
    let kind_at = head.checked_sub(2)?;
    if let Some(kind) = (0..=u8::MAX).find(|&kind| fits(kind_at, kind) == Some(true)) {
        let text = format!("it is right for type 0x{kind:02x}: was the frame edited, or copied from another?");
        return Some(Finding { text, span: head..head + 1 });
    }
    let length_at = kind_at.checked_sub(1)?;
    let length = *covered.get(length_at)?;
    let near = |value: u8| (1..=6).flat_map(move |by: u8| [value.wrapping_sub(by), value.wrapping_add(by)]);
    if let Some(meant) = near(length).find(|&meant| fits(length_at, meant) == Some(true)) {
        let text = format!("it is right for the length {meant}");
        return Some(Finding { text, span: head - 1..head });
    }
    // Some serial is right for any checksum, so only those close by say anything.
    let (before, serial) = covered.split_last_chunk::<2>()?;
    let serial = u16::from_be_bytes(*serial);
    let fits = |meant: u16| checksum(&[before, &meant.to_be_bytes()].concat()) == received;
    let meant = (1..=6).flat_map(|by| [serial.wrapping_sub(by), serial.wrapping_add(by)]).find(|&meant| fits(meant))?;
    Some(Finding { text: format!("it is right for the serial {meant}"), span: end - 2..end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::gt06::encode::{Start, seal};

    fn check(damage: impl FnOnce(&mut Vec<u8>), expected: &str) {
        let mut frame = seal(Start::Short, 0x13, &[0x44, 6, 4, 0, 2], 0x01BA);
        damage(&mut frame);
        let found = diagnose(&frame, frame.len(), 3).map(|finding| finding.text);
        assert!(found.as_deref().is_some_and(|text| text.contains(expected)), "expected {expected}, found {found:?}");
    }

    fn put(frame: &mut [u8], sum: fn(&[u8]) -> u16) {
        let (at, sum) = (frame.len() - 4, sum(frame));
        frame[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }

    #[test]
    fn usual_mistakes_are_named() {
        check(|f| f.swap(11, 12), "swapped");
        check(|f| put(f, |f| Crc::<u16, NoTable>::new(&CRC_16_MODBUS).checksum(&f[2..11])), "MODBUS");
        check(|f| put(f, |f| checksum(&f[0..11])), "with the start");
        check(|f| put(f, |f| checksum(&f[3..11])), "without the length");
        check(|f| f[5] ^= 0x10, "bit 4 of byte 5");
        check(|f| f[12] ^= 0x10, "bit 4 of byte 12");
        check(|f| f[3] = 0x26, "type 0x13");
        check(|f| f[10] = 0xBD, "the serial 442");
        check(|f| f.splice(6..6, [0, 1]).for_each(drop), "without bytes 6 and 7");
    }

    #[test]
    fn a_checksum_of_nothing_is_not_explained() {
        let mut frame = seal(Start::Short, 0x13, &[0x44, 6, 4, 0, 2], 0x01BA);
        frame[5..9].copy_from_slice(&[0xDE, 0xAD, 0xBE, 0xEF]);
        assert_eq!(diagnose(&frame, frame.len(), 3), None);
    }
}
