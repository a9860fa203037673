//! Cuts a byte stream into frames. Knows where frames begin and end, not what they mean.
//!
//! A frame is believed when its checksum is right; failing that, when its stop bits stand where its length says. Everything else
//! is a run of bytes between frames, and ends where the next frame begins. What is decided depends on the bytes of the stream
//! alone, never on how they were cut into segments: an undecided beginning waits until more bytes, or the clock, decide.

use super::{encode::Start, layout, topin};

/// Start, one byte of length, type, serial, checksum, stop.
const SHORTEST: usize = 10;
/// Longest piece of a run that is told at once: a run is stored piece by piece, so it never has to be kept whole.
pub(super) const LONGEST_NOISE: usize = 4096;
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

/// What the next bytes of a stream are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    Frame {
        len: usize,
        shape: Shape,
    },
    /// So many bytes belong to no frame.
    Noise {
        len: usize,
    },
    /// Nothing is decided before so many bytes are buffered, or the clock says so.
    Wait {
        need: usize,
        why: Why,
    },
}

/// What is waited for, and so how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing is buffered.
    Nothing,
    /// The rest of a frame.
    Rest,
    /// Very little: good frames wait behind, or only the stop bits are missing.
    Grace,
    /// The end of a run of noise.
    Quiet,
}

/// How willing the caller is to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// More bytes may come any moment.
    Live,
    /// What is waited for did not come in time.
    Late,
    /// These are all the bytes there will ever be.
    Over,
}

/// What one start pair is worth.
enum Claim {
    Good {
        len: usize,
        shape: Shape,
    },
    Weak {
        len: usize,
    },
    /// Wants `need` bytes from its start. `nearly`: only stop bits are missing.
    Wants {
        need: usize,
        nearly: bool,
    },
    Dead,
}

/// Decides about the first bytes of `buffer`. Allocates nothing; every answer but `Wait` makes progress, and with
/// [`Patience::Over`] there is no `Wait` but for an empty buffer.
pub(super) fn scan(buffer: &[u8], topin: bool, patience: Patience) -> Scan {
    if buffer.is_empty() {
        return Scan::Wait { need: 1, why: Why::Nothing };
    }
    // A new start may lie in the last byte, and the shortest frame of all has six.
    let mut need = buffer.len() + 5;
    let mut first_wanting = None;
    let mut nearly = false;
    let mut weak: Option<(usize, usize)> = None;
    let mut weak_in_doubt = false;
    let mut good = None;
    for at in starts(buffer) {
        if let Some((_, end)) = weak
            && at >= end
            && !weak_in_doubt
        {
            break;
        }
        match judge(buffer.get(at..).unwrap_or_default(), at == 0, topin, patience) {
            Claim::Good { len, shape } => {
                good = Some((at, len, shape));
                break;
            }
            Claim::Weak { len } if weak.is_none() => {
                weak = Some((at, at + len));
                weak_in_doubt = first_wanting.is_some();
            }
            Claim::Weak { .. } | Claim::Dead => {}
            Claim::Wants { need: wanted, nearly: almost } => {
                need = need.min(at + wanted);
                first_wanting.get_or_insert(at);
                nearly |= almost && first_wanting == Some(at);
                weak_in_doubt |= weak.is_some_and(|(_, end)| at < end);
            }
        }
    }
    if let Some((at, ..)) = good
        && patience == Patience::Live
        && first_wanting.is_some_and(|from| credible_between(buffer, from, at, topin))
    {
        return Scan::Wait { need, why: Why::Grace };
    }
    // A checksum that is right outweighs stop bits that happen to be in place around it.
    let weak = weak.filter(|&(_, end)| good.is_none_or(|(at, ..)| at >= end));
    if let Some((at, end)) = weak
        && (!weak_in_doubt || good.is_some() || patience != Patience::Live)
    {
        return frame_or_noise(at, end - at, Shape::BadChecksum);
    }
    if let Some((at, len, shape)) = good {
        return frame_or_noise(at, len, shape);
    }
    // A lone first half of a start pair may become one.
    let undecided = first_wanting.unwrap_or(if half_start(buffer) { buffer.len() - 1 } else { buffer.len() });
    match patience {
        Patience::Over => Scan::Noise { len: buffer.len() },
        Patience::Live | Patience::Late if undecided >= LONGEST_NOISE => Scan::Noise { len: LONGEST_NOISE },
        Patience::Live => {
            let why = match first_wanting {
                Some(0) if nearly => Why::Grace,
                Some(0) => Why::Rest,
                Some(_) | None => Why::Quiet,
            };
            Scan::Wait { need, why }
        }
        Patience::Late => {
            let next = starts(buffer).find(|&at| at > 0 && at >= undecided && wants(buffer, at, topin));
            Scan::Noise { len: next.unwrap_or(buffer.len()).min(LONGEST_NOISE) }
        }
    }
}

fn frame_or_noise(at: usize, len: usize, shape: Shape) -> Scan {
    match at {
        0 => Scan::Frame { len, shape },
        _ => Scan::Noise { len: at.min(LONGEST_NOISE) },
    }
}

/// True where a frame that begins in `from..to` may still come whole, by what the reference knows of types and lengths. Asked
/// only when good frames wait behind it: it walks the whole table for each start.
fn credible_between(buffer: &[u8], from: usize, to: usize, topin: bool) -> bool {
    let likely = |at: usize| {
        let head = buffer.get(at..).and_then(head);
        head.is_some_and(|(start, length, total, kind)| {
            buffer.len() < at + total && layout::credible(start, kind, length)
        })
    };
    starts(buffer)
        .skip_while(|&at| at < from)
        .take_while(|&at| at < to)
        .any(|at| likely(at) && wants(buffer, at, topin))
}

fn wants(buffer: &[u8], at: usize, topin: bool) -> bool {
    matches!(judge(buffer.get(at..).unwrap_or_default(), false, topin, Patience::Live), Claim::Wants { .. })
}

/// Offsets of all start pairs. Of three equal bytes in a row both pairs count.
fn starts(buffer: &[u8]) -> impl Iterator<Item = usize> {
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

fn half_start(buffer: &[u8]) -> bool {
    matches!(buffer, [.., 0x78 | 0x79])
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
fn judge(bytes: &[u8], first: bool, topin: bool, patience: Patience) -> Claim {
    let Some((start, length, total, _)) = head(bytes) else {
        return match patience {
            Patience::Over => Claim::Dead,
            // The first of all waits for its head, but a pair within a run is no reason to.
            Patience::Live | Patience::Late => Claim::Wants { need: 5, nearly: false },
        };
    };
    let whole = bytes.len() >= total;
    // The most junk can ask for is to be waited for; that much must be decided at once.
    if start == Start::Long && bytes.len() + STOP.len() < total && !topin {
        return if patience == Patience::Over { Claim::Dead } else { Claim::Wants { need: total, nearly: false } };
    }
    // Junk full of starts must not cost a long checksum each: within a run a long frame is believed with its stop only.
    let worth_summing = first || start == Start::Short || stops_at(bytes, total);
    let sound = length >= 5 && !topin && worth_summing && sum_is_right(bytes, total);
    if sound && (whole || patience != Patience::Live) {
        let (len, stop) = stop_of(bytes, total);
        return Claim::Good { len, shape: Shape::Sound { stop } };
    }
    let dialect = topin::extent(bytes, topin);
    if let topin::Extent::Whole(len) = dialect
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
    if length >= 5 && !topin && stops_at(bytes, misprint) && sum_is_right(bytes, misprint) {
        return Claim::Good { len: misprint, shape: Shape::Misprinted };
    }
    if length >= 5 && !topin && whole && stops_at(bytes, total) {
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
    if length >= 5 && !topin {
        want(total);
        want(misprint);
    }
    if let Some(total) = wide_reply(bytes) {
        want(total);
    }
    if let topin::Extent::Partial(total) = dialect {
        want(total);
    }
    match need {
        Some(need) => Claim::Wants { need, nearly: sound },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::gt06::encode::seal;

    const LOGIN: &str = "78780d01012345678901234500018cdd0d0a";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
    }

    fn check(hex: &str, expected: Scan) {
        assert_eq!(scan(&bytes(hex), false, Patience::Live), expected, "{hex}");
    }

    fn sound(len: usize) -> Scan {
        Scan::Frame { len, shape: Shape::Sound { stop: 2 } }
    }

    #[test]
    fn a_whole_frame_is_one() {
        check(LOGIN, sound(18));
        check(&format!("{LOGIN}{LOGIN}"), sound(18));
        check("797900089400000002e852d70d0a", sound(14));
    }

    #[test]
    fn a_torn_frame_waits_for_its_rest() {
        check("7878 0d 01 01", Scan::Wait { need: 10, why: Why::Rest });
        check("78", Scan::Wait { need: 6, why: Why::Quiet });
        check("797900109b0344373532304136320d0a", Scan::Wait { need: 21, why: Why::Rest });
    }

    #[test]
    fn stop_bits_are_a_check_never_a_must() {
        let flipped = LOGIN.replace("0d0a", "0d0b");
        check(&flipped, Scan::Frame { len: 18, shape: Shape::Sound { stop: 1 } });
        let cut = LOGIN.strip_suffix("0d0a").unwrap();
        check(&format!("{cut}{LOGIN}"), Scan::Frame { len: 16, shape: Shape::Sound { stop: 0 } });
        check(cut, Scan::Wait { need: 18, why: Why::Grace });
    }

    #[test]
    fn a_lying_length_does_not_hold_back_good_frames() {
        check(&format!("7979ffff2100{LOGIN}"), Scan::Noise { len: 6 });
        check(&format!("7878ff7f00{LOGIN}"), Scan::Noise { len: 5 });
        check(&format!("787878{LOGIN}"), Scan::Noise { len: 3 });
        // A believable frame is waited for, shortly.
        check(&format!("78782212{LOGIN}"), Scan::Wait { need: 27, why: Why::Grace });
        assert_eq!(scan(&bytes(&format!("78782212{LOGIN}")), false, Patience::Late), Scan::Noise { len: 4 });
    }

    #[test]
    fn the_misprinted_heartbeat_is_a_frame() {
        check("787808134606020002044dc5050d0a", Scan::Frame { len: 15, shape: Shape::Misprinted });
    }

    #[test]
    fn a_bad_checksum_in_place_is_a_frame() {
        let damaged = LOGIN.replace("8cdd", "8cdc");
        check(&damaged, Scan::Frame { len: 18, shape: Shape::BadChecksum });
        check(&format!("00{damaged}{LOGIN}"), Scan::Noise { len: 1 });
    }

    #[test]
    fn topin_shapes_stand_among_the_others() {
        for frame in [
            "78780d010359339075005244340d0a",
            "787801080d0a",
            "78781511170103100e1f9904efe30400a97f88003410ffdd000d0a",
            "7878001719011910543607028f0100bc2e695a00bcb3635a00bc27c56400bc447b6400bc46c96400bc33ce6400bc64ca640d0a",
        ] {
            check(frame, Scan::Frame { len: frame.len() / 2, shape: Shape::Topin });
        }
    }

    #[test]
    fn long_noise_is_told_in_pieces() {
        let noise = vec![0x41; 5000];
        assert_eq!(scan(&noise, false, Patience::Live), Scan::Noise { len: LONGEST_NOISE });
        assert_eq!(scan(&noise, false, Patience::Over), Scan::Noise { len: 5000 });
    }

    #[test]
    fn a_frame_within_a_frame_is_its_body() {
        let inner = bytes(LOGIN);
        let outer = seal(Start::Long, 0x21, &[&[0, 0, 0, 0, 1], inner.as_slice()].concat(), 7);
        for cut in 1..outer.len() {
            let seen = scan(&outer[..cut], false, Patience::Live);
            assert!(matches!(seen, Scan::Wait { .. }), "{cut}: {seen:?}");
        }
        assert_eq!(scan(&outer, false, Patience::Live), sound(outer.len()));
    }
}
