//! The one table of frames: start, type and length (and sometimes the model) to what it is, how it is read, how it is answered.
//!
//! The first row that fits counts, so the narrow rows of a type stand above the wide one. A new message is a reading function in
//! its family's file, a row here, and a fixture.

use crate::wire::cursor::{Cursor, Read};

use super::{
    encode::Start::{self, Long, Short},
    family::Family,
    heartbeat, login, position, text,
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
    family: Option<Family>,
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

use Length::{Any, AtLeast, Is};

static TABLE: &[Row] = &[
    row(BOTH, 0x01, AtLeast(0x0D), "login", "Login", login::login, Answered::Short),
    row(SHORT, 0x10, Any, "location", "Position", position::gps_only, Answered::Short),
    row(SHORT, 0x12, Is(&[0x22]), "location", "Position", position::with_mode, Answered::Short),
    row(SHORT, 0x12, Is(&[0x23]), "location", "Position", position::with_mileage, Answered::Short),
    row(SHORT, 0x12, Is(&[0x26]), "location", "Position", position::with_mode_and_mileage, Answered::Short),
    row(SHORT, 0x12, Any, "location", "Position", position::with_cell, Answered::Short),
    row(SHORT, 0x13, Is(&[0x08]), "heartbeat", "Heartbeat", heartbeat::short, Answered::Short),
    row(SHORT, 0x13, Any, "heartbeat", "Heartbeat", heartbeat::heartbeat, Answered::Short),
    row(SHORT, 0x15, Any, "answer", "Answer to a command", text::answer, Answered::Short),
    row(SHORT, 0x16, Any, "alarm", "Alarm", position::alarm, Answered::Short),
    row(SHORT, 0x1A, Any, "address-query", "Address query", position::address_query, Answered::Address),
    row(BOTH, 0x21, Any, "answer", "Answer to a command", text::coded_answer, Answered::Never),
    row(SHORT, 0x22, Any, "location", "Position", position::utc_position, Answered::Short),
    row(SHORT, 0x26, Any, "alarm", "Alarm", position::alarm, Answered::Short),
    row(SHORT, 0x80, Any, "command", "Command", text::command, Answered::Never),
    row(SHORT, 0x81, Any, "text", "Text", text::command, Answered::Never),
    row(SHORT, 0x82, Any, "command", "Command", text::unknown, Answered::Never),
    row(SHORT, 0x8A, Is(&[EMPTY]), "time-query", "Time query", text::unknown, Answered::Time),
    row(SHORT, 0x8A, Is(&[0x0B]), "time", "Time", text::time, Answered::Never),
    row(BOTH, 0x97, Any, "address", "Address", text::english_address, Answered::Never),
];

/// The row of a frame.
pub(super) fn find(start: Start, kind: u8, length: usize, family: Family) -> &'static Row {
    let row = TABLE.iter().find(|row| row.fits(start, kind, length, family));
    match row {
        Some(row) if length == EMPTY && !matches!(row.length, Is(_)) => &ACKNOWLEDGEMENT,
        Some(row) => row,
        None if start == Long => &UNKNOWN_LONG,
        None => &UNKNOWN,
    }
}

/// True where type and length are ones that a device is likely to send: worth waiting for although good frames come behind.
pub(super) fn credible(start: Start, kind: u8, length: usize) -> bool {
    /// Texts are short; only pictures need more.
    const LIKELY: usize = 2048;
    let known = TABLE.iter().any(|row| row.start.is_none_or(|s| s == start) && row.kind == kind);
    known && length >= EMPTY && length <= if kind == 0x36 || kind == 0x41 { usize::from(u16::MAX) } else { LIKELY }
}

impl Row {
    fn fits(&self, start: Start, kind: u8, length: usize, family: Family) -> bool {
        let length_fits = match self.length {
            Any => true,
            Is(lengths) => lengths.contains(&length),
            AtLeast(least) => length >= least,
        };
        self.kind == kind
            && self.start.is_none_or(|s| s == start)
            && self.family.is_none_or(|f| f == family)
            && (length_fits || length == EMPTY && !matches!(self.length, Is(_)))
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
    Row { start, kind, length, family: None, word, title, read, answered }
}
