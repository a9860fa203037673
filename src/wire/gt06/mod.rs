//! GT06 / Concox / Jimi over TCP, and its cousin Topin on the same port.
//!
//! ```text
//! 78 78 | length 1 | type 1 | body N | serial 2 | CRC 2 | 0D 0A      length = type + body + serial + CRC
//! 79 79 | length 2 | type 1 | body N | serial 2 | CRC 2 | 0D 0A      CRC-16/X-25 over length .. serial
//! ```
//!
//! | file | knows |
//! |---|---|
//! | `stream` | which bytes of a stream are a frame, however it arrives in segments |
//! | `frame` | where one frame ends when length, checksum or stop may lie |
//! | `layout` | the table: which frame is what, how it is read, how it is answered |
//! | `blocks` | date, position, cell, status: the parts that kinds share |
//! | `login` `position` `makers` `heartbeat` `radio` `tags` `media` `info` `text` | one family of kinds each |
//! | `decode` | the envelope of one frame, and what is wrong with it |
//! | `doctor` | which usual mistake explains a wrong checksum |
//! | `told` | what a frame told, as a report |
//! | `addresses` | where the address of a place comes from, if anybody knows one |
//! | [`encode`] | bytes out: the only writer of length, serial and checksum |
//! | `session` | one connection: who talks, what is answered |
//! | [`variants`] | why a frame is read by its layout, and what others would read |
//! | `witness` | one connection with somebody else's server, overheard |
//!
//! References (`gt06.md §…`) are to the project's description of the protocol.

mod addresses;
mod alarm;
mod blocks;
mod decode;
mod doctor;
pub mod encode;
mod family;
mod frame;
mod heartbeat;
mod info;
mod layout;
mod login;
mod makers;
mod media;
mod position;
mod radio;
mod reply;
mod session;
mod state;
mod stream;
mod tags;
mod text;
mod told;
mod topin;
pub mod variants;
mod witness;

use std::ops::Range;

pub use addresses::{AddressSource, Tongue};
pub use family::KNOWN_MODELS;
pub use session::{JUNK_BYTES, Session, command_bytes};
pub use state::State;
pub use witness::{LATE_MS, OURS, PATIENCE, Witness, Witnessed};

use crate::model::{Profile, Timestamp};
use crate::wire::{CrcCheck, Dissection};
use decode::Setting;
use stream::{Patience, Scan, Why};

/// Explains one frame, or one run of bytes that is none, alone.
pub fn dissect(bytes: &[u8], profile: &Profile, received: Timestamp) -> Dissection {
    dissect_in(bytes, profile, &State::default(), received)
}

/// Explains one frame as it was meant on a connection of this state (see [`State::from_context`]).
pub fn dissect_in(bytes: &[u8], profile: &Profile, state: &State, received: Timestamp) -> Dissection {
    decode::decode(bytes, Setting { profile, state, received, addresses: None }).dissection
}

/// True where these bytes have the shape of a frame and a checksum that is not theirs. Not for the Topin dialect, which has none.
pub fn is_damaged(bytes: &[u8]) -> bool {
    let sums = frame::head(bytes).and_then(|(_, _, total, _)| frame::checksums(bytes, total));
    sums.is_some_and(|(received, computed)| received != computed)
}

/// Explains an acknowledgement of ours, in whichever of the two dialects it is.
pub fn dissect_answer(bytes: &[u8], profile: &Profile, sent: Timestamp) -> Dissection {
    let dissection = dissect(bytes, profile, sent);
    if dissection.crc.is_some_and(CrcCheck::ok) { dissection } else { topin::explain_reply(bytes) }
}

/// One frame, or one run of bytes between frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Where it begins in the buffer.
    pub offset: usize,
    /// Its bytes in the buffer.
    pub bytes: Range<usize>,
    /// Spans inside are relative to the piece.
    pub dissection: Dissection,
}

/// Cuts one buffer into frames and the runs of bytes between them, in order and without a gap, and explains each.
///
/// `state` goes on from frame to frame, and from call to call, as one connection would keep it.
pub fn explain(buffer: &[u8], profile: &Profile, state: &mut State, received: Timestamp) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(range) = next(buffer, at, state) {
        at = range.end;
        let decoded = decode::decode(
            buffer.get(range.clone()).unwrap_or_default(),
            Setting { profile, state, received, addresses: None },
        );
        state.note(&decoded);
        pieces.push(Piece { offset: range.start, bytes: range, dissection: decoded.dissection });
    }
    pieces
}

/// How many bytes from the beginning on are whole frames, or none: what follows is the beginning of a frame whose rest is still to come.
pub fn whole(buffer: &[u8], state: &State) -> usize {
    let mut at = 0;
    while let Some(rest) = buffer.get(at..).filter(|rest| !rest.is_empty()) {
        match stream::scan(rest, state.dialect(), Patience::Live) {
            Scan::Frame { len, .. } | Scan::Noise { len } => at += len,
            Scan::Wait { why: Why::Rest | Why::Grace, .. } => return at,
            Scan::Wait { .. } => return buffer.len(),
        }
    }
    at
}

/// As [`explain`], but each frame stands alone: no login shifts the times of another.
pub fn explain_alone(buffer: &[u8], profile: &Profile, received: Timestamp) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(range) = next(buffer, at, &State::default()) {
        at = range.end;
        let dissection = dissect(buffer.get(range.clone()).unwrap_or_default(), profile, received);
        pieces.push(Piece { offset: range.start, bytes: range, dissection });
    }
    pieces
}

/// The next frame, or all bytes up to it.
fn next(buffer: &[u8], from: usize, state: &State) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        match stream::scan(buffer.get(at..)?, state.dialect(), Patience::Over) {
            Scan::Frame { len, .. } if at == from => return Some(from..from + len),
            Scan::Noise { len } => at += len,
            Scan::Frame { .. } | Scan::Wait { .. } => return (at > from).then_some(from..at),
        }
    }
}
