//! The one table of frames: start, type and length to what it is, how it is read, how it is answered.
//!
//! Rows stand in the order of their types. The first row that fits counts, so the narrow rows of a type stand above the wide one. A new message is a reading function in
//! its family's file, a row here, and a fixture. What no frame tells, the model, is asked where it matters: in the reading functions.

use crate::wire::cursor::{Cursor, Read};

use super::{
    encode::Start::{self, Long, Short},
    heartbeat, info, login, makers, media, position, radio, tags, text,
    told::Told,
};

/// How a frame is answered (gt06.md §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// Not at all.
    Never,
    /// With the generic acknowledgement, short however the request began.
    Short,
    /// With the generic acknowledgement in the long form.
    Long,
    /// With the time.
    Time,
    /// With an address message.
    Address,
    /// With a request for the next piece of the picture.
    Picture,
}

/// Which declared lengths a row is for. The length counts type, body, serial and checksum: body + 5.
#[derive(Debug, Clone, Copy)]
pub(super) enum Length {
    Any,
    Is(&'static [usize]),
    AtLeast(usize),
}

/// One kind of frame.
pub(super) struct Row {
    start: Option<Start>,
    kind: u8,
    length: Length,
    /// The word in the store.
    pub(super) word: &'static str,
    /// For a person.
    pub(super) title: &'static str,
    pub(super) read: fn(&mut Cursor<'_>, &mut Told) -> Read<()>,
    pub(super) answered: Answered,
}

/// What is left when no row fits.
static UNKNOWN: Row = row(None, 0, Length::Any, "unknown", "Unknown type", text::unknown, Answered::Short);
/// The same under the long start, which is not answered.
static UNKNOWN_LONG: Row = row(None, 0, Length::Any, "unknown", "Unknown type", text::unknown, Answered::Never);
/// Type and serial of something else, nothing more: what a server sends, or a device that echoes it.
static ACKNOWLEDGEMENT: Row = row(None, 0, Length::Any, "ack", "Acknowledgement", text::unknown, Answered::Never);

const SHORT: Option<Start> = Some(Short);
const LONG: Option<Start> = Some(Long);
const BOTH: Option<Start> = None;
/// An empty body.
const EMPTY: usize = 5;
const ACK: Answered = Answered::Short;
const LONG_ACK: Answered = Answered::Long;
const NEVER: Answered = Answered::Never;

use Length::{Any, AtLeast, Is};

static TABLE: &[Row] = &[
    // start, type, length, word, title, how it is read, how it is answered
    row(BOTH, 0x01, AtLeast(0x0D), "login", "Login", login::login, ACK),
    row(SHORT, 0x10, Any, "location", "Position", position::gps_only, ACK),
    row(SHORT, 0x11, Is(&[0x13, 0x14, 0x15, 0x16]), "lbs", "Cell", radio::one_cell, ACK),
    row(SHORT, 0x11, Is(&[0x21]), "location", "Position (wide cell)", position::with_wide_cell, ACK),
    row(SHORT, 0x11, Any, "location", "Position", position::position_12, ACK),
    row(SHORT, 0x12, Is(&[0x21]), "location", "Position (Benway)", position::position_12, ACK),
    row(SHORT, 0x12, Is(&[0x23]), "location", "Position with mileage", position::position_12, ACK),
    row(SHORT, 0x12, Is(&[0x24]), "location", "Position (VXT-01, R31)", position::position_12, ACK),
    row(SHORT, 0x12, Is(&[0x27]), "location", "Position (QH302R)", makers::qh302r, ACK),
    row(SHORT, 0x12, Is(&[0x29]), "location", "Position (Wetrust)", makers::wetrust, ACK),
    row(SHORT, 0x12, Is(&[0x2B]), "location", "Position (S5)", makers::s5, ACK),
    row(SHORT, 0x12, AtLeast(0x71), "location", "Position (GT06E with card reader)", makers::card_reader, ACK),
    row(SHORT, 0x12, Any, "location", "Position", position::position_12, ACK),
    row(SHORT, 0x13, Is(&[0x08]), "heartbeat", "Heartbeat", heartbeat::short, ACK),
    row(SHORT, 0x13, Is(&[0x13]), "heartbeat", "Heartbeat (OBD6)", heartbeat::obd6, ACK),
    row(SHORT, 0x13, Is(&[0x15]), "heartbeat", "Heartbeat (Space10X)", heartbeat::space10x, ACK),
    row(SHORT, 0x13, Any, "heartbeat", "Heartbeat", heartbeat::heartbeat, ACK),
    row(SHORT, 0x15, Any, "answer", "Answer to a command", text::answer, ACK),
    row(SHORT, 0x16, Is(&[0x24]), "alarm", "Alarm (VXT-01, R31)", makers::vxt_alarm, ACK),
    row(SHORT, 0x16, Is(&[0x2D]), "alarm", "Alarm (TRX16i)", makers::trx16i_alarm, ACK),
    row(SHORT, 0x16, Any, "alarm", "Alarm", position::alarm, ACK),
    row(SHORT, 0x17, Is(&[0x28]), "location", "Position with card", position::with_card, ACK),
    row(SHORT, 0x17, Is(&[0x27]), "location", "Position", position::with_cell, ACK),
    row(SHORT, 0x17, Any, "address", "Address", text::chinese_address, NEVER),
    row(SHORT, 0x18, Any, "lbs", "Cells", radio::many_cells, ACK),
    row(SHORT, 0x19, AtLeast(0x17), "lbs", "Cells (Space10X)", text::unknown, ACK),
    row(SHORT, 0x19, Any, "alarm", "Alarm without position", position::cell_alarm, ACK),
    row(SHORT, 0x1A, Any, "address-query", "Address query", position::address_query, Answered::Address),
    row(SHORT, 0x1E, Any, "location", "Position with cells", radio::position_and_cells, ACK),
    row(BOTH, 0x21, Any, "answer", "Answer to a command", text::coded_answer, NEVER),
    row(SHORT, 0x22, Is(&[0x2F]), "location", "Position (SEEWORLD)", makers::seeworld, ACK),
    row(SHORT, 0x22, Is(&[0x3C]), "location", "Position (NT20, XT40)", makers::nt20, ACK),
    row(SHORT, 0x22, Any, "location", "Position", position::utc_position, ACK),
    row(SHORT, 0x23, Any, "heartbeat", "Heartbeat (GK310)", heartbeat::gk310, ACK),
    row(SHORT, 0x24, Is(&[0x31]), "lbs", "Cells (Wanway)", radio::counted_cells, ACK),
    row(SHORT, 0x24, Is(&[0x2E]), "location", "Position (SR411 mini)", makers::sr411, ACK),
    row(SHORT, 0x25, Any, "location", "Position (XT40)", makers::xt40, ACK),
    row(SHORT, 0x26, Any, "alarm", "Alarm", position::alarm, ACK),
    row(SHORT, 0x27, Any, "alarm", "Fence alarm", position::fence_alarm, ACK),
    row(SHORT, 0x28, Any, "lbs", "Cells", radio::many_cells, ACK),
    row(SHORT, 0x2A, Any, "address-query", "Address query", position::address_query, Answered::Address),
    row(SHORT, 0x2C, Any, "wifi", "Cells and Wi-Fi", radio::cells_and_wifi, ACK),
    row(SHORT, 0x2D, Any, "location", "Position", position::utc_position, ACK),
    row(SHORT, 0x2E, Any, "lbs", "Cells", radio::many_cells, ACK),
    row(SHORT, 0x31, Any, "location", "Position (SL4x)", makers::sl4x_position, ACK),
    row(SHORT, 0x32, Any, "alarm", "Alarm (SL4x)", makers::sl4x_alarm, ACK),
    row(LONG, 0x32, Any, "location", "Position (AZ735)", radio::az735, LONG_ACK),
    row(SHORT, 0x33, Any, "wifi", "Cells and Wi-Fi (SL4x)", radio::sl4x_cells_and_wifi, ACK),
    row(LONG, 0x33, Any, "alarm", "Alarm (AZ735)", radio::az735, LONG_ACK),
    row(SHORT, 0x34, Is(&[0x38, 0x3A, 0x3C, 0x3E, 0x40, 0x42]), "location", "Position (X1)", makers::x1, ACK),
    row(SHORT, 0x34, Any, "lbs", "Cells (SL4x)", radio::sl4x_cells, ACK),
    row(SHORT, 0x35, Any, "picture", "Picture offered (X1)", media::picture, Answered::Picture),
    row(SHORT, 0x36, Is(&[0x35]), "location", "Position (TRX16i)", makers::trx16i, ACK),
    row(SHORT, 0x36, Any, "heartbeat", "Heartbeat (4G)", tags::heartbeat, ACK),
    row(LONG, 0x36, Any, "picture", "Piece of a picture (X1)", media::picture_piece, Answered::Picture),
    row(SHORT, 0x37, Any, "location", "Position with values", tags::tagged_position, ACK),
    row(BOTH, 0x38, Any, "location", "Position (Jimi 4G)", tags::jimi_4g_position, NEVER),
    row(BOTH, 0x39, Any, "alarm", "Alarm (Jimi 4G)", tags::jimi_4g_alarm, ACK),
    row(BOTH, 0x40, Any, "battery", "Battery system", media::battery_system, ACK),
    row(BOTH, 0x41, Any, "media", "Sound or picture", media::multimedia, LONG_ACK),
    row(SHORT, 0x61, Any, "location", "Position with iButton (DT16E)", makers::dt16e, ACK),
    row(BOTH, 0x65, Any, "obd", "Fault codes", media::engine, NEVER),
    row(BOTH, 0x66, Any, "obd", "Engine data", media::engine, NEVER),
    row(BOTH, 0x70, Any, "modular", "Modules", tags::modular, ACK),
    row(SHORT, 0x80, Any, "command", "Command", text::command, NEVER),
    row(SHORT, 0x81, Any, "text", "Answer to a query", text::command, NEVER),
    row(SHORT, 0x82, Any, "command", "Command", text::unknown, NEVER),
    row(LONG, 0x84, Any, "unknown", "Type 0x84", text::unknown, NEVER),
    row(SHORT, 0x8A, Is(&[EMPTY]), "time-query", "Time query", text::unknown, Answered::Time),
    row(SHORT, 0x8A, Is(&[0x0B]), "time", "Time", text::time, NEVER),
    row(SHORT, 0x8B, Is(&[0x0D, 0x0E]), "lbs", "Cell", radio::bare_cell, ACK),
    row(BOTH, 0x8C, Any, "obd", "Engine data", media::engine, NEVER),
    row(SHORT, 0x94, Any, "info", "Supply voltage", info::voltage, NEVER),
    row(LONG, 0x94, Any, "info", "Information", info::information, NEVER),
    row(BOTH, 0x95, Any, "alarm", "Alarm of a camera", media::camera_alarm, ACK),
    row(BOTH, 0x97, Any, "address", "Address", text::english_address, NEVER),
    row(BOTH, 0x9B, Any, "serial", "Bytes of a serial port", info::pass_through, NEVER),
    row(SHORT, 0xA0, Any, "location", "Position (4G)", position::utc_4g_position, ACK),
    row(SHORT, 0xA1, Any, "lbs", "Cells (4G)", radio::many_4g_cells, ACK),
    row(SHORT, 0xA2, Is(&[0x40, 0x41]), "location", "Position (Lynkworld)", makers::lynkworld, ACK),
    row(SHORT, 0xA2, Any, "wifi", "Cells and Wi-Fi (4G)", radio::cells_4g_and_wifi, ACK),
    row(SHORT, 0xA3, Is(&[0x0C, 0x18]), "heartbeat", "Heartbeat (SEEWORLD)", heartbeat::seeworld, ACK),
    row(SHORT, 0xA3, Any, "alarm", "Fence alarm (4G)", position::fence_alarm, ACK),
    row(SHORT, 0xA4, Any, "alarm", "Alarm (4G)", position::fence_alarm, ACK),
    row(SHORT, 0xA5, Any, "alarm", "Alarm without position (4G)", position::cell_alarm, ACK),
    row(SHORT, 0xA7, Any, "address-query", "Address query (4G)", radio::address_query, Answered::Address),
    row(SHORT, 0xA9, Any, "alarm", "Alarm with Wi-Fi", radio::alarm, ACK),
    row(BOTH, 0xB0, Any, "attendance", "Attendance", text::unknown, ACK),
    row(BOTH, 0xB2, Any, "beacon", "Bluetooth clocking", radio::beacon, ACK),
    row(BOTH, 0xF1, Any, "heartbeat", "State", tags::status, ACK),
    row(BOTH, 0xF2, Any, "peripheral", "Peripherals", tags::peripherals, ACK),
    row(BOTH, 0xF3, Any, "wifi", "Wi-Fi", radio::wifi, ACK),
    row(BOTH, 0xFD, Any, "info", "Version", info::version, ACK),
];

/// Every row, in the order of their types.
pub(super) fn all() -> &'static [Row] {
    TABLE
}

/// The rows of a type.
pub(super) fn rows(kind: u8) -> &'static [Row] {
    let (from, to) = (TABLE.partition_point(|row| row.kind < kind), TABLE.partition_point(|row| row.kind <= kind));
    TABLE.get(from..to).unwrap_or_default()
}

/// The row of a frame.
pub(super) fn find(start: Start, kind: u8, length: usize) -> &'static Row {
    let fitting = |start| rows(kind).iter().find(|row| row.fits(start, length));
    // Both starts share one space of numbers: what is listed for the short one only means the same under the long one.
    let row = fitting(start).or_else(|| fitting(Short));
    match row {
        Some(row) if length == EMPTY && !matches!(row.length, Is(_)) => &ACKNOWLEDGEMENT,
        Some(row) => row,
        None if start == Long => &UNKNOWN_LONG,
        None => &UNKNOWN,
    }
}

/// Texts are short; only pictures need more.
pub(super) const LIKELY: usize = 2048;

/// True where a row is for this type, whatever its length.
pub(super) fn known(start: Start, kind: u8) -> bool {
    rows(kind).iter().any(|row| row.start.is_none_or(|s| s == start))
}

/// True where type and length are ones that a device is likely to send: worth waiting for although good frames come behind.
pub(super) fn credible(start: Start, kind: u8, length: usize) -> bool {
    known(start, kind)
        && length >= EMPTY
        && length <= if kind == 0x36 || kind == 0x41 { usize::from(u16::MAX) } else { LIKELY }
}

impl Row {
    /// False for what only servers send: its serial is not the device's.
    pub(super) fn comes_from_device(&self) -> bool {
        !matches!(self.word, "ack" | "command" | "time" | "address")
    }

    /// The start that it is for; `None`: both.
    pub(super) fn starts_with(&self) -> Option<Start> {
        self.start
    }

    pub(super) fn lengths(&self) -> Length {
        self.length
    }

    /// True where it is for frames of this length.
    pub(super) fn is_for(&self, length: usize) -> bool {
        match self.length {
            Any => true,
            Is(lengths) => lengths.contains(&length),
            AtLeast(least) => length >= least,
        }
    }

    fn fits(&self, start: Start, length: usize) -> bool {
        let length_fits = self.is_for(length);
        self.start.is_none_or(|s| s == start) && (length_fits || length == EMPTY && !matches!(self.length, Is(_)))
    }
}

const fn row(
    start: Option<Start>,
    kind: u8,
    length: Length,
    word: &'static str,
    title: &'static str,
    read: fn(&mut Cursor<'_>, &mut Told) -> Read<()>,
    answered: Answered,
) -> Row {
    Row { start, kind, length, word, title, read, answered }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_their_types() {
        assert!(TABLE.is_sorted_by_key(|row| row.kind));
    }

    #[test]
    fn no_row_is_hidden_by_one_above_it() {
        for (index, row) in TABLE.iter().enumerate() {
            let (start, length) = (
                row.start.unwrap_or(Short),
                match row.length {
                    Any => 6,
                    Is(lengths) => lengths[0],
                    AtLeast(least) => least,
                },
            );
            let found = find(start, row.kind, length);
            assert!(std::ptr::eq(found, row), "row {index}, {}, is never reached", row.title);
        }
    }
}
