//! Any frame, under any profile and after any login, is named to the last byte.

use crate::{
    budget, check,
    model::Protocol,
    now, profile,
    script::Script,
    wire::{
        dissect,
        gt06::{self, State, encode},
    },
};

/// The rest of the input is a type and a body, to be put in a sound frame.
pub const SEALED: u8 = 1;
/// … with the long start.
pub const LONG: u8 = 2;
/// … whose end is cut off as the next byte says.
pub const CUT: u8 = 4;
/// The login told a zone.
pub const ZONE: u8 = 8;
/// The login was of the dialect without checksum.
pub const TOPIN: u8 = 16;
/// A frame came before.
pub const BEFORE: u8 = 32;

/// Bytes that explaining may take at its peak, for each byte explained, and beside them.
const BYTES_PER_BYTE: usize = 4096;
const BYTES_BESIDE: usize = 64 * 1024;

/// See the module.
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let profile = profile(script.byte());
    let flags = script.byte();
    let mut frame = Vec::new();
    if flags & SEALED == 0 {
        frame.extend(script.0);
    } else {
        let cut = if flags & CUT == 0 { 0 } else { usize::from(script.byte()) };
        let kind = script.byte();
        let start = if flags & LONG == 0 { encode::Start::Short } else { encode::Start::Long };
        frame = encode::seal(start, kind, script.0, 7);
        frame.truncate(frame.len() - cut.min(frame.len()));
    }
    let zone = (flags & ZONE != 0).then_some(r#""login_zone_s":28800"#);
    let topin = (flags & TOPIN != 0).then_some(r#""dialect":"topin""#);
    let before = (flags & BEFORE != 0).then_some(r#""last_serial":5"#);
    let members: Vec<_> = [zone, topin, before].into_iter().flatten().collect();
    let state = State::from_context(Some(&format!("{{{}}}", members.join(","))));

    let limit = BYTES_BESIDE + BYTES_PER_BYTE * frame.len();
    let alone = budget::within(limit, || dissect(Protocol::Gt06, &frame, &profile, now()));
    check::dissection(Protocol::Gt06, &frame, &alone);
    if !members.is_empty() {
        let within = budget::within(limit, || gt06::dissect_in(&frame, &profile, &state, now()));
        check::dissection(Protocol::Gt06, &frame, &within);
    }
}
