//! Cuts a byte stream into frames and the runs of bytes between them. Knows where frames begin and end, not what they mean.
//!
//! A frame is believed when its checksum is right; failing that, when its stop bits stand where its length says. Everything else
//! is a run of bytes between frames, and ends where the next frame begins. What is decided depends on the bytes of the stream
//! alone, never on how they were cut into segments: a [`Scanner`] takes every decision at the first byte that allows it, however
//! many more are there already. An undecided beginning waits until more bytes, or the clock, decide.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    frame::{Claim, Shape, head, judge, start_of, starts},
    layout,
    state::Dialect,
};

/// Longest piece of a run that is told at once: a run is stored piece by piece, so it never has to be kept whole.
pub(super) const LONGEST_NOISE: usize = 4096;
/// Bytes of the shortest frame.
const SHORTEST: usize = 6;
/// Fewer dead claims are not worth sweeping.
const SWEPT: usize = 64;
/// Bytes with which a start pair tells its length and type, whichever it is.
const HEAD: usize = 5;

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

/// What comes next in a buffer whose bytes are all there at once. Every answer but `Wait` makes progress, and with
/// [`Patience::Over`] there is no `Wait` but for an empty buffer.
pub(super) fn scan(buffer: &[u8], dialect: Dialect, patience: Patience) -> Scan {
    Scanner::default().scan(buffer, dialect, patience)
}

/// Follows one stream to its next decision. Until then it remembers what it found out, so that no byte is looked at twice.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Start pairs so far, in order, and what each is worth. The dead among them are swept out now and then.
    claims: Vec<(usize, Claim)>,
    dead: usize,
    /// Those that want more bytes: up to which byte, and where they begin.
    due: BinaryHeap<Reverse<(usize, usize)>>,
    /// The next start pair, where one was found.
    coming: Option<usize>,
    /// Start pairs before it are known.
    searched: usize,
    /// Claims from here on have no say in what is decided next.
    horizon: usize,
    /// Claims within the first piece of noise that may still be frames.
    near: usize,
    /// Good frames wait behind one that may still come.
    held: bool,
    /// So many bytes were looked at.
    seen: usize,
}

impl Scanner {
    /// Decides about the first bytes of `buffer`: of more bytes than at the last `Wait`, or of what comes after the last decision.
    pub(super) fn scan(&mut self, buffer: &[u8], dialect: Dialect, patience: Patience) -> Scan {
        if buffer.is_empty() {
            return Scan::Wait { need: 1, why: Why::Nothing };
        }
        let live = match patience {
            Patience::Live | Patience::Over => self.live(buffer, dialect),
            Patience::Late => None,
        };
        let decided = match patience {
            Patience::Live => live,
            Patience::Late | Patience::Over => live.or_else(|| {
                let worth = |at| judge(buffer.get(at..).unwrap_or_default(), at == 0, dialect, patience);
                weigh(buffer, &starts(buffer).map(|at| (at, worth(at))), patience).ok()
            }),
        };
        match decided {
            Some(decided) => {
                *self = Self::default();
                decided
            }
            None => self.wait(buffer, dialect),
        }
    }

    /// Goes from one byte that tells something to the next, up to the first decision.
    fn live(&mut self, buffer: &[u8], dialect: Dialect) -> Option<Scan> {
        if self.seen == 0
            && let Some((len, shape)) = alone(buffer, dialect)
        {
            return Some(Scan::Frame { len, shape });
        }
        while let Some(now) = self.next_event(buffer) {
            if self.go_on(buffer, now, dialect) {
                match weigh(buffer.get(..now)?, &self.claims.iter().copied(), Patience::Live) {
                    Ok(decided) => return Some(decided),
                    Err(why) => self.held = why == Why::Grace,
                }
            }
            if now > LONGEST_NOISE && self.near == 0 {
                return Some(Scan::Noise { len: LONGEST_NOISE });
            }
        }
        None
    }

    /// So many bytes tell more than those that were looked at. `None`: they are not there yet.
    fn next_event(&mut self, buffer: &[u8]) -> Option<usize> {
        if self.coming.is_none() {
            let found = starts(buffer.get(self.searched..).unwrap_or_default()).next();
            self.coming = found.map(|at| self.searched + at);
            self.searched = self.coming.map_or(buffer.len().saturating_sub(1), |at| at + 1);
        }
        let due = self.due.peek().map(|Reverse((due, _))| *due);
        let told = (self.seen <= LONGEST_NOISE).then_some(LONGEST_NOISE + 1);
        let next = [self.coming.map(|at| at + 2), due, told].into_iter().flatten().min()?;
        (next <= buffer.len()).then_some(next)
    }

    /// Takes in what is known with so many bytes. True where that may decide something.
    fn go_on(&mut self, buffer: &[u8], now: usize, dialect: Dialect) -> bool {
        self.seen = now;
        if let Some(at) = self.coming
            && at + 2 == now
        {
            self.coming = None;
            self.due.push(Reverse((at + HEAD, at)));
            self.claims.push((at, Claim::Wants { need: HEAD, nearly: false, listing: false }));
            self.near += usize::from(at < LONGEST_NOISE);
        }
        let mut telling = false;
        while let Some(&Reverse((due, at))) = self.due.peek()
            && due == now
        {
            self.due.pop();
            let claim = judge(buffer.get(at..now).unwrap_or_default(), at == 0, dialect, Patience::Live);
            match claim {
                Claim::Wants { need, .. } => self.due.push(Reverse(((at + need).max(now + 1), at))),
                Claim::Good { .. } => self.horizon = self.horizon.max(at + 1),
                Claim::Weak { len } => self.horizon = self.horizon.max(at + len),
                Claim::Dead => {
                    self.near -= usize::from(at < LONGEST_NOISE);
                    self.dead += 1;
                }
            }
            telling |= at < self.horizon;
            if let Ok(place) = self.claims.binary_search_by_key(&at, |&(at, _)| at)
                && let Some(slot) = self.claims.get_mut(place)
            {
                slot.1 = claim;
            }
        }
        if self.dead > SWEPT && self.dead * 2 > self.claims.len() {
            self.claims.retain(|&(_, claim)| claim != Claim::Dead);
            self.dead = 0;
        }
        telling
    }

    /// What to wait for when nothing is decided.
    fn wait(&self, buffer: &[u8], dialect: Dialect) -> Scan {
        let nearly = || matches!(judge(buffer, true, dialect, Patience::Live), Claim::Wants { nearly: true, .. });
        let why = match self.claims.first() {
            _ if self.held => Why::Grace,
            Some((0, Claim::Wants { .. })) if nearly() => Why::Grace,
            Some((0, Claim::Wants { .. })) => Why::Rest,
            Some(_) | None => Why::Quiet,
        };
        // A new start may lie in the last byte.
        let new = buffer.len() + SHORTEST - 1;
        let need = self.due.peek().map_or(new, |Reverse((due, _))| new.min(*due));
        Scan::Wait { need, why }
    }
}

/// The frame that begins with the buffer when no other start pair lies in it: what nearly all bytes that arrive are.
fn alone(buffer: &[u8], dialect: Dialect) -> Option<(usize, Shape)> {
    start_of(buffer)?;
    let mut now = HEAD;
    loop {
        let bytes = buffer.get(..now)?;
        match judge(bytes, true, dialect, Patience::Live) {
            Claim::Wants { need, .. } if need > now => now = need,
            Claim::Good { len, shape } if starts(bytes.get(1..)?).next().is_none() => return Some((len, shape)),
            Claim::Wants { .. } | Claim::Good { .. } | Claim::Weak { .. } | Claim::Dead => return None,
        }
    }
}

/// Decides by what the start pairs of a buffer are worth, if they are worth a decision.
fn weigh(
    buffer: &[u8],
    claims: &(impl Iterator<Item = (usize, Claim)> + Clone),
    patience: Patience,
) -> Result<Scan, Why> {
    let mut first_wanting = None;
    let mut weak: Option<(usize, usize)> = None;
    let mut weak_in_doubt = false;
    let mut good = None;
    for (at, claim) in claims.clone() {
        if weak.is_some_and(|(_, end)| at >= end) && !weak_in_doubt {
            break;
        }
        match claim {
            Claim::Good { len, shape } => {
                good = Some((at, len, shape));
                break;
            }
            Claim::Weak { len } if weak.is_none() => {
                weak = Some((at, at + len));
                weak_in_doubt = first_wanting.is_some();
            }
            Claim::Weak { .. } | Claim::Dead => {}
            Claim::Wants { .. } => {
                first_wanting.get_or_insert(at);
                weak_in_doubt |= weak.is_some_and(|(_, end)| at < end);
            }
        }
    }
    if let Some((good_at, ..)) = good
        && patience == Patience::Live
        && claims.clone().take_while(|&(at, _)| at < good_at).any(|(at, claim)| worth_waiting(buffer, at, claim))
    {
        return Err(Why::Grace);
    }
    // A checksum that is right outweighs stop bits that happen to be in place around it.
    let weak = match (weak, good) {
        (Some((_, end)), Some((good_at, ..))) if good_at < end => claims.clone().find_map(|(at, claim)| match claim {
            Claim::Weak { len } if at + len <= good_at => Some((at, at + len)),
            Claim::Weak { .. } | Claim::Good { .. } | Claim::Wants { .. } | Claim::Dead => None,
        }),
        _ => weak,
    };
    if let Some((at, end)) = weak
        && (!weak_in_doubt || good.is_some() || patience != Patience::Live)
    {
        return Ok(frame_or_noise(at, end - at, Shape::BadChecksum));
    }
    if let Some((at, len, shape)) = good {
        return Ok(frame_or_noise(at, len, shape));
    }
    match patience {
        Patience::Live => Err(Why::Quiet),
        Patience::Over => Ok(Scan::Noise { len: buffer.len() }),
        Patience::Late => {
            // The first claim had its time; the next one begins a time of its own.
            let next = claims.clone().find(|&(at, claim)| at > 0 && matches!(claim, Claim::Wants { .. }));
            Ok(Scan::Noise { len: next.map_or(buffer.len(), |(at, _)| at).min(LONGEST_NOISE) })
        }
    }
}

fn frame_or_noise(at: usize, len: usize, shape: Shape) -> Scan {
    match at {
        0 => Scan::Frame { len, shape },
        _ => Scan::Noise { len: at.min(LONGEST_NOISE) },
    }
}

/// True where a frame may still come whole, by what the reference knows of types and lengths, although good frames are behind
/// its start.
fn worth_waiting(buffer: &[u8], at: usize, claim: Claim) -> bool {
    match (claim, buffer.get(at..).and_then(head)) {
        (Claim::Wants { listing: true, .. }, _) => true,
        (Claim::Wants { .. }, Some((start, length, total, kind))) => {
            buffer.len() < at + total && layout::credible(start, kind, length)
        }
        (Claim::Wants { .. } | Claim::Good { .. } | Claim::Weak { .. } | Claim::Dead, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::gt06::encode::{Start, seal};

    const LOGIN: &str = "78780d01012345678901234500018cdd0d0a";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
    }

    fn check(hex: &str, expected: Scan) {
        assert_eq!(scan(&bytes(hex), Dialect::Unknown, Patience::Live), expected, "{hex}");
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
        assert_eq!(scan(&bytes(&format!("78782212{LOGIN}")), Dialect::Unknown, Patience::Late), Scan::Noise { len: 4 });
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
    fn junk_full_of_starts_takes_no_room() {
        for byte in [0x78, 0x79] {
            let mut scanner = Scanner::default();
            let junk = vec![byte; 11_008];
            for part in (64..junk.len()).step_by(64).map(|len| &junk[..len]) {
                if let Scan::Noise { .. } = scanner.scan(part, Dialect::Unknown, Patience::Live) {
                    break;
                }
                assert!(scanner.claims.len() <= 512, "{} claims of {} bytes", scanner.claims.len(), part.len());
            }
        }
    }

    #[test]
    fn long_noise_is_told_in_pieces() {
        let noise = vec![0x41; 5000];
        assert_eq!(scan(&noise, Dialect::Unknown, Patience::Live), Scan::Noise { len: LONGEST_NOISE });
        assert_eq!(scan(&noise, Dialect::Unknown, Patience::Over), Scan::Noise { len: LONGEST_NOISE });
        assert_eq!(scan(&noise[..3000], Dialect::Unknown, Patience::Over), Scan::Noise { len: 3000 });
    }

    #[test]
    fn a_frame_within_a_frame_is_its_body() {
        let inner = bytes(LOGIN);
        let outer = seal(Start::Long, 0x21, &[&[0, 0, 0, 0, 1], inner.as_slice()].concat(), 7);
        for cut in 1..outer.len() {
            let seen = scan(&outer[..cut], Dialect::Unknown, Patience::Live);
            assert!(matches!(seen, Scan::Wait { .. }), "{cut}: {seen:?}");
        }
        assert_eq!(scan(&outer, Dialect::Unknown, Patience::Live), sound(outer.len()));
    }
}
