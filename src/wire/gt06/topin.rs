//! The dialect without serial and checksum (`ZhongXun` / 365GPS) on the same port: gt06.md §9.

use crate::wire::cursor::{Cursor, Read};

use super::{login, told::Told};

/// Where a frame of the dialect ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// After so many bytes, with the stop bits in place.
    Whole(usize),
    /// Not before so many bytes are there.
    Partial(usize),
    /// The bytes are no frame of this dialect.
    Not,
}

/// Access points and cells a frame lists at most; a larger count is no count.
const MOST: usize = 24;

/// Measures the frame that begins with `bytes`. `certain`: the connection logged in as Topin, so types that nobody listed are
/// measured as well.
pub(super) fn extent(bytes: &[u8], certain: bool) -> Extent {
    let [0x78, 0x78, length, kind, ..] = *bytes else { return Extent::Not };
    let length = usize::from(length);
    match (kind, length) {
        (_, 0x01) => stop_after(bytes, &[6]),
        (0x01, 0x0D) => stop_after(bytes, &[15]),
        (0x10 | 0x11, 0x12 | 0x15) => stop_after(bytes, &[length + 6]),
        (0x13, 0x04..=0x0C) => stop_after(bytes, &[length + 4]),
        (0x17 | 0x69, 0..=MOST) => match radio_list(bytes, length) {
            Ok(total) => stop_after(bytes, &[total, total + 1]),
            Err(need) => Extent::Partial(need),
        },
        _ if certain => stop_after(bytes, &[length + 2, length + 4, length + 5, length + 6]),
        _ => Extent::Not,
    }
}

/// The kind of a frame: word and title.
pub(super) fn name(kind: u8) -> (&'static str, &'static str) {
    match kind {
        0x01 => ("login", "Login (Topin)"),
        0x08 => ("keep-alive", "Keep-alive (Topin)"),
        0x10 => ("location", "Position (Topin)"),
        0x11 => ("location", "Stored position (Topin)"),
        0x13 => ("heartbeat", "Status (Topin)"),
        0x17 => ("wifi", "Stored Wi-Fi and cells (Topin)"),
        0x69 => ("wifi", "Wi-Fi and cells (Topin)"),
        0x30 => ("time-query", "Time query (Topin)"),
        0x57 => ("settings-query", "Settings query (Topin)"),
        _ => ("unknown", "Unknown type (Topin)"),
    }
}

/// Reads the bytes between type and stop.
pub(super) fn body(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    c.under("gt06.md §9", |c| match told.given.kind {
        0x01 if c.left() >= 8 => {
            told.device = Some(login::imei(c, "IMEI")?);
            if c.left() > 0 { c.u8("Software").map(drop) } else { Ok(()) }
        }
        _ => Ok(()),
    })
}

/// Bytes of a frame 0x17 or 0x69 without the alarm that may come last; `Err`: the counts are not there yet.
fn radio_list(bytes: &[u8], access_points: usize) -> Result<usize, usize> {
    let cells_at = 10 + 7 * access_points;
    let cells = usize::from(*bytes.get(cells_at).ok_or(cells_at + 6)?);
    Ok(cells_at + 4 + 5 * cells.min(MOST) + 2)
}

/// The first of the lengths (ascending) at which the stop bits end the frame.
fn stop_after(bytes: &[u8], lengths: &[usize]) -> Extent {
    for &total in lengths {
        match total.checked_sub(2).and_then(|at| bytes.get(at..total)) {
            Some([0x0D, 0x0A]) => return Extent::Whole(total),
            Some(_) => {}
            None => return Extent::Partial(total),
        }
    }
    Extent::Not
}
