//! Where one frame ends when length, checksum or stop may lie: what a start pair is worth with the bytes that are there.

use super::{encode::Start, layout, state::Dialect, stream::Patience, topin};

/// Start, one byte of length, type, serial, checksum, stop.
const SHORTEST: usize = 10;
/// Start, length and stop come on top of what the length counts.
const SHORT_OVERHEAD: usize = 5;
const LONG_OVERHEAD: usize = 6;
const STOP: [u8; 2] = [0x0D, 0x0A];

/// How a frame holds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Length and checksum are right. `stop`: how many of the two stop bits are there and right.
    Sound { stop: usize },
    /// The stop bits are where the length says, and the checksum is wrong.
    BadChecksum,
    /// Two bytes longer than the length says, with the checksum of that: firmware that copied a misprint (gt06.md §1.2).
    Misprinted,
    /// A reply 0x97 with the short start and a length of two bytes, as one vendor document has it.
    WideReply,
    /// The dialect without serial and checksum (gt06.md §9).
    Topin,
}

/// What one start pair is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// A frame whose checksum is right, or one of the dialect that has none.
    Good { len: usize, shape: Shape },
    /// Its stop bits are where the length says, its checksum is wrong.
    Weak { len: usize },
    /// Wants `need` bytes from its start. `nearly`: only stop bits are missing. `listing`: its counts say that more comes.
    Wants { need: usize, nearly: bool, listing: bool },
    /// No frame begins here.
    Dead,
}

/// Offsets of all start pairs. Of three equal bytes in a row both pairs count.
pub(super) fn starts(buffer: &[u8]) -> impl Iterator<Item = usize> + Clone {
    let is_start = |pair: &[u8]| start_of(pair).is_some();
    // The last byte alone is judged by the caller.
    buffer.windows(2).enumerate().filter(move |(_, pair)| is_start(pair)).map(|(at, _)| at)
}

/// The start that these bytes begin with.
pub(super) fn start_of(bytes: &[u8]) -> Option<Start> {
    match bytes {
        [0x78, 0x78, ..] => Some(Start::Short),
        [0x79, 0x79, ..] => Some(Start::Long),
        _ => None,
    }
}

/// Start, declared length, bytes of the whole frame by that length, and type.
pub(super) fn head(bytes: &[u8]) -> Option<(Start, usize, usize, u8)> {
    match *bytes {
        [0x78, 0x78, length, kind, ..] => {
            Some((Start::Short, usize::from(length), usize::from(length) + SHORT_OVERHEAD, kind))
        }
        [0x79, 0x79, high, low, kind, ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            Some((Start::Long, length, length + LONG_OVERHEAD, kind))
        }
        _ => None,
    }
}

/// True where bytes with the short start have the two-byte length of [`Shape::WideReply`].
pub(super) fn wide_reply(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [0x78, 0x78, 0, length, 0x97, ..] => Some(usize::from(length) + LONG_OVERHEAD),
        _ => None,
    }
}

/// The checksum that a frame of `total` bytes carries, and the one that its bytes give.
pub(super) fn checksums(bytes: &[u8], total: usize) -> Option<(u16, u16)> {
    let end = total.checked_sub(STOP.len() + 2)?;
    let covered = bytes.get(2..end)?;
    let received = bytes.get(end..end + 2)?;
    Some((u16::from_be_bytes(received.try_into().ok()?), super::encode::checksum(covered)))
}

fn sum_is_right(bytes: &[u8], total: usize) -> bool {
    total >= SHORTEST && checksums(bytes, total).is_some_and(|(received, computed)| received == computed)
}

pub(super) fn stops_at(bytes: &[u8], total: usize) -> bool {
    total.checked_sub(2).and_then(|at| bytes.get(at..total)) == Some(&STOP)
}

/// What the frame that begins with `bytes` is worth. `first`: nothing undecided lies before it.
pub(super) fn judge(bytes: &[u8], first: bool, dialect: Dialect, patience: Patience) -> Claim {
    let Some((start, length, total, kind)) = head(bytes) else {
        return match patience {
            Patience::Over => Claim::Dead,
            Patience::Live | Patience::Late => Claim::Wants { need: 5, nearly: false, listing: false },
        };
    };
    // Within a run nearly every long length is none, and only texts and pictures are that long.
    if start == Start::Long && !first && length > layout::LIKELY && !layout::known(start, kind) {
        return Claim::Dead;
    }
    let whole = bytes.len() >= total;
    let topin_only = dialect == Dialect::Topin;
    // The most junk can ask for is to be waited for; that much must be decided at once.
    if start == Start::Long && bytes.len() + STOP.len() < total && !topin_only {
        let wants = Claim::Wants { need: total, nearly: false, listing: false };
        return if patience == Patience::Over { Claim::Dead } else { wants };
    }
    // Junk full of starts must not cost a long checksum each: within a run a long frame is believed with its stop only.
    let worth_summing = first || start == Start::Short || stops_at(bytes, total);
    let sound = length >= 5 && !topin_only && worth_summing && sum_is_right(bytes, total);
    if sound && (whole || patience != Patience::Live) {
        let (len, stop) = stop_of(bytes, total);
        return Claim::Good { len, shape: Shape::Sound { stop } };
    }
    let extent = topin::extent(bytes, dialect);
    if let topin::Extent::Whole(len) = extent
        && (!whole || !sound)
    {
        return Claim::Good { len, shape: Shape::Topin };
    }
    if let Some(total) = wide_reply(bytes)
        && sum_is_right(bytes, total)
        && stops_at(bytes, total)
    {
        return Claim::Good { len: total, shape: Shape::WideReply };
    }
    let misprint = total + 2;
    if length >= 5 && !topin_only && stops_at(bytes, misprint) && sum_is_right(bytes, misprint) {
        return Claim::Good { len: misprint, shape: Shape::Misprinted };
    }
    if length >= 5 && !topin_only && whole && stops_at(bytes, total) {
        return Claim::Weak { len: total };
    }
    if patience == Patience::Over {
        return Claim::Dead;
    }
    let mut need = None;
    let mut want = |total: usize| {
        if bytes.len() < total {
            need = Some(need.map_or(total, |n: usize| n.min(total)));
        }
    };
    if length >= 5 && !topin_only {
        want(total);
        want(misprint);
    }
    if let Some(total) = wide_reply(bytes) {
        want(total);
    }
    if let topin::Extent::Partial(total) = extent {
        want(total);
    }
    match need {
        Some(need) => {
            let listing = matches!(extent, topin::Extent::Partial(_)) && topin::lists(kind);
            Claim::Wants { need, nearly: sound, listing }
        }
        None => Claim::Dead,
    }
}

/// Where a frame with the right checksum ends, and how many of its stop bits are there: the sender may have cut them, or they
/// were damaged. What begins the next frame is not taken for them.
fn stop_of(bytes: &[u8], total: usize) -> (usize, usize) {
    let tail = bytes.get(total - 2..).unwrap_or_default();
    match *tail {
        [0x0D, 0x0A, ..] => (total, 2),
        [0x0D] | [0x0D, 0x78 | 0x79, ..] => (total - 1, 1),
        [] | [0x78, 0x78, ..] | [0x79, 0x79, ..] => (total - 2, 0),
        [_] => (total - 1, 0),
        [0x0D, _, ..] | [_, 0x0A, ..] => (total, 1),
        [_, _, ..] => (total, 0),
    }
}
