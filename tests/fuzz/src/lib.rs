//! What must hold for any bytes from outside. One module a target; each has `run(data)`, which panics where it does not hold.
//!
//! | target | first bytes | the rest |
//! |---|---|---|
//! | [`gt06_frames`] | 2: how the stream is cut | a TCP stream |
//! | [`gt06_decode`] | 2: model, how to dress it | a frame, or the type and body of one |
//! | [`gt06_session`] | | a script: what device, user and clock do ([`gt06_session`]) |
//! | [`owntracks`] | 2: headers, key | a body |
//! | [`dress`] | | text as people paste it |
//! | [`import_files`] | 1: what it is read as, how it comes | a file |
//! | [`captures`] | 1: what it is read as, how it comes | a file |
//! | [`filters`] | 1: what the packet tells | a text |
//! | [`words`] | 1: who reads it | a moment on the command line, a request with credentials, a text for a terminal |
//!
//! `examples/seeds.rs` writes the fixtures, and the published vectors where they are, in these forms.

#[path = "../../../src/capture/mod.rs"]
pub mod capture;
#[path = "../../../src/geo/mod.rs"]
pub mod geo;
#[path = "../../../src/import/mod.rs"]
pub mod import;
#[path = "../../../src/model/mod.rs"]
pub mod model;
#[path = "../../../src/cli/moment.rs"]
mod moment;
#[path = "../../../src/cli/plain.rs"]
mod plain;
#[path = "../../../src/ingest/secrets.rs"]
mod secrets;
#[path = "../../../src/wire/mod.rs"]
pub mod wire;

pub mod budget;
pub mod captures;
pub mod check;
pub mod dress;
pub mod filters;
pub mod gt06_decode;
pub mod gt06_frames;
pub mod gt06_session;
pub mod import_files;
pub mod owntracks;
pub mod script;
pub mod words;

use model::{AlarmTable, Profile, SupplyVoltage, Timestamp};

/// The command line's error, for what of it is taken in here.
#[derive(Debug)]
pub(crate) struct WrongWords(String);

impl std::fmt::Display for WrongWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Device models, one or two of each family; the first is none.
pub const MODELS: [Option<&str>; 16] = [
    None,
    Some("R11"),
    Some("VXT-01"),
    Some("R31"),
    Some("LW4G"),
    Some("SEEWORLD"),
    Some("VL103"),
    Some("LL303"),
    Some("G18"),
    Some("SL4X"),
    Some("TRX16i"),
    Some("NT20"),
    Some("XT40"),
    Some("TR08X"),
    Some("GK310"),
    Some("LW2G"),
];

/// The profile that a byte stands for: its lower half is the model, its upper half adds switches.
pub fn profile(byte: u8) -> Profile {
    let pick = usize::from(byte % 16);
    let model = MODELS.get(pick).copied().flatten().map(str::to_owned);
    let clock_offset_s = (byte & 0x40 != 0).then_some(if byte & 0x20 == 0 { 28_800 } else { -12_600 });
    let own = byte & 0x10 != 0;
    let alarms = AlarmTable::ALL.get(pick / 2).copied().filter(|_| own);
    let supply = SupplyVoltage::ALL.get(pick % 4).copied().filter(|_| own);
    let command_language = byte & 0x80 != 0;
    Profile { model, clock_offset_s, alarms, supply, command_language, ..Profile::default() }
}

/// When everything happens that has no time of its own.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_790_856_000).expect("a moment in 2026")
}
