//! One frame from start to stop: the envelope, and around it what is wrong with it.

use crate::model::{Group, Profile, Severity, Timestamp, Trust};
use crate::wire::{
    CrcCheck, Dissection, Field, Value,
    cursor::{Cursor, Read},
};

use super::{
    addresses::AddressSource,
    doctor,
    encode::Start,
    family::Family,
    frame::{self, Shape},
    layout::{self, Row},
    reply,
    state::State,
    stream::{self, Patience, Scan},
    told::{Answer, Given, Picture, Told, Zone},
    topin,
};

/// What one frame is to the inspector, and what it is to a session beside that.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) dissection: Dissection,
    pub(super) login_zone_s: Option<i32>,
    pub(super) answer: Option<Answer>,
    /// The picture that this frame leaves to be asked for.
    pub(super) picture: Option<Picture>,
    /// It came from a device, so its serial counts.
    pub(super) from_device: bool,
    /// Length and checksum are right, or the dialect has none: it may be answered and believed.
    pub(super) sound: bool,
    pub(super) topin: bool,
}

/// Around a frame: who is talking, how, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) profile: &'a Profile,
    pub(super) state: &'a State,
    pub(super) received: Timestamp,
    pub(super) addresses: Option<&'a AddressSource>,
}

/// A serial that jumps this far began anew.
const MANY_LOST: u16 = 1000;

/// Reads `bytes` as one frame, however damaged, or as bytes between frames.
pub(super) fn decode(bytes: &[u8], setting: Setting<'_>) -> Decoded {
    match stream::scan(bytes, setting.state.dialect(), Patience::Over) {
        Scan::Frame { len, shape: Shape::Topin } => dialect_frame(bytes, len, setting),
        Scan::Frame { len, shape } => standard_frame(bytes, Extent::Framed { len, shape }, setting).0,
        Scan::Noise { .. } | Scan::Wait { .. } => match frame::head(bytes) {
            Some((start, length, total, kind)) if layout::credible(start, kind, length) => {
                let extent = if bytes.len() < total { Extent::Cut } else { Extent::Lies };
                let (decoded, likely) = standard_frame(bytes, extent, setting);
                if likely { decoded } else { noise(bytes) }
            }
            Some(_) | None => noise(bytes),
        },
    }
}

/// How far a frame goes, and how one knows.
#[derive(Debug, Clone, Copy)]
enum Extent {
    Framed {
        len: usize,
        shape: Shape,
    },
    /// The bytes end before the length says.
    Cut,
    /// Neither stop nor checksum are where the length says.
    Lies,
}

/// Where the parts of a frame lie, by the extent that is believed.
struct Anatomy {
    start: Start,
    kind: u8,
    /// What the length field says.
    declared: usize,
    /// Bytes of the whole frame.
    total: usize,
    /// Bytes that the length does not count: start, itself, stop.
    overhead: usize,
    /// Stop bits that are there.
    stop: usize,
}

impl Anatomy {
    fn of(bytes: &[u8], extent: Extent) -> Self {
        let (start, declared, by_length, kind) = frame::head(bytes).unwrap_or((Start::Short, 0, bytes.len(), 0));
        let wide = matches!(extent, Extent::Framed { shape: Shape::WideReply, .. });
        let overhead = if start == Start::Long || wide { 6 } else { 5 };
        let by_stop = frame::stops_at(bytes, bytes.len()) && bytes.len() >= overhead + 5;
        let (total, stop) = match extent {
            Extent::Framed { len, shape: Shape::Sound { .. } } => (by_length, (len + 2).saturating_sub(by_length)),
            Extent::Framed { len, .. } => (len, 2),
            // Bytes that end in stop bits most likely end where the frame does.
            Extent::Lies if by_stop => (bytes.len(), 2),
            Extent::Lies | Extent::Cut => (by_length, 2),
        };
        Self { start, kind: if wide { 0x97 } else { kind }, declared, total, overhead, stop }
    }

    /// What the length field should say.
    fn length(&self) -> usize {
        self.total.saturating_sub(self.overhead)
    }
}

/// Reads a frame with checksum. The second value is false where neither length nor checksum nor content make it likely one.
fn standard_frame(bytes: &[u8], extent: Extent, setting: Setting<'_>) -> (Decoded, bool) {
    let anatomy = Anatomy::of(bytes, extent);
    let row = layout::find(anatomy.start, anatomy.kind, anatomy.length());
    read_as(bytes, extent, setting, &anatomy, row)
}

/// The layout by which a frame is read, and by what it was found: start, type and length. `None` for what is no frame with checksum.
pub(super) fn row_of(bytes: &[u8], setting: Setting<'_>) -> Option<(Start, u8, usize, &'static Row)> {
    let anatomy = Anatomy::of(bytes, framed(bytes, setting)?);
    let (start, kind, length) = (anatomy.start, anatomy.kind, anatomy.length());
    Some((start, kind, length, layout::find(start, kind, length)))
}

/// Reads a frame by a layout that was not chosen for it. Bytes that are no frame are read as [`decode`] reads them.
pub(super) fn decode_as(bytes: &[u8], setting: Setting<'_>, row: &'static Row) -> Dissection {
    match framed(bytes, setting) {
        Some(extent) => read_as(bytes, extent, setting, &Anatomy::of(bytes, extent), row).0.dissection,
        None => decode(bytes, setting).dissection,
    }
}

/// How far a frame with checksum goes.
fn framed(bytes: &[u8], setting: Setting<'_>) -> Option<Extent> {
    match stream::scan(bytes, setting.state.dialect(), Patience::Over) {
        Scan::Frame { len, shape } if shape != Shape::Topin => Some(Extent::Framed { len, shape }),
        Scan::Frame { .. } | Scan::Noise { .. } | Scan::Wait { .. } => None,
    }
}

fn read_as(
    bytes: &[u8],
    extent: Extent,
    setting: Setting<'_>,
    anatomy: &Anatomy,
    row: &'static Row,
) -> (Decoded, bool) {
    let Anatomy { kind, total, .. } = *anatomy;
    let mut told = Told::new(given(kind, zone(kind, setting), setting));
    let mut c = Cursor::new(bytes);
    let (cut, framed) = (matches!(extent, Extent::Cut), matches!(extent, Extent::Framed { .. }));
    let serial = read_envelope(&mut c, &mut told, row, anatomy, cut).ok();
    let crc =
        frame::checksums(bytes, total).filter(|_| !cut).map(|(received, computed)| CrcCheck { received, computed });
    say_what_is_wrong(&mut c, extent, anatomy, crc);
    if crc.is_some_and(|crc| !crc.ok())
        && let Some(finding) = doctor::diagnose(bytes, total, anatomy.overhead - 2)
    {
        c.doubt(Severity::Note, Group::Checksum, finding.span, format!("a hint at the checksum: {}", finding.text));
    }
    explain_shortfall(&mut c, row, !cut);
    let rest = c.here();
    c.undecoded(rest);

    let sound = framed && crc.is_some_and(CrcCheck::ok);
    let from_device = row.comes_from_device();
    if let Some(serial) = serial.filter(|_| sound && from_device && row.word != "login") {
        told.lost_frames = count_lost(&mut c, setting.state, serial, total);
    }
    if !framed {
        // A frame without its end may have lost any byte, so its numbers are not a place.
        told.place = None;
    }
    let reply = serial.filter(|_| sound).and_then(|serial| reply::to(row.answered, kind, serial, &told, setting));
    let likely = framed || likely(bytes, &told, anatomy);
    let (word, title) = (row.word, row.title);
    (finish(c, told, Outcome { word, title, kind, serial, crc, reply, from_device, sound, topin: false }), likely)
}

/// Whether bytes that fail as a frame were meant as one: they tell a possible date or IMEI, or the length is one the type has.
fn likely(bytes: &[u8], told: &Told, anatomy: &Anatomy) -> bool {
    let body = bytes.get(anatomy.overhead - 1..).unwrap_or_default();
    let digits = |device: &String| device.bytes().all(|b| b.is_ascii_digit());
    match (anatomy.start, anatomy.kind, anatomy.declared, body.first()) {
        _ if told.at.is_some() => true,
        (_, 0x01, 0x0D | 0x11, _) => told.device.as_ref().is_none_or(digits),
        (Start::Short, 0x13, 0x08 | 0x0A | 0x13 | 0x15, _) => true,
        // Texts count themselves.
        (Start::Short, 0x15 | 0x80 | 0x81, length, Some(&text)) => {
            text == 0 || [6, 8].contains(&length.saturating_sub(usize::from(text)))
        }
        (Start::Long, ..) => body.len() > 2,
        (Start::Short, ..) => false,
    }
}

/// How many frames are missing between the last serial and this one; says so where there are some.
fn count_lost(c: &mut Cursor<'_>, state: &State, serial: u16, total: usize) -> u16 {
    let Some(last) = state.last_serial() else { return 0 };
    let gap = serial.wrapping_sub(last).wrapping_sub(1);
    let missing = gap.saturating_sub(state.damaged());
    if gap >= MANY_LOST || missing == 0 {
        return 0;
    }
    let frames = if missing == 1 { "1 frame".to_owned() } else { format!("{missing} frames") };
    let damaged = if missing < gap { format!(", {} arrived damaged", gap - missing) } else { String::new() };
    let text = format!("serial {serial} comes after {last}: {frames} did not arrive{damaged}");
    c.doubt(Severity::Note, Group::Sequence, total - 6..total - 4, text);
    missing
}

/// Reads start to stop; the serial when it was there. In a frame that is cut nothing follows the field that is missing.
fn read_envelope(c: &mut Cursor<'_>, told: &mut Told, row: &Row, anatomy: &Anatomy, cut: bool) -> Read<u16> {
    c.under("gt06.md §1", |c| {
        c.raw("Start", 2)?;
        c.uint("Length", anatomy.overhead - 4, "")?;
        c.named("Type", 1, |_| row.title)
    })?;
    let body = c.within(anatomy.length().saturating_sub(5), |c| c.under("gt06.md §6", |c| (row.read)(c, told)));
    if cut {
        body?;
    }
    c.under("gt06.md §1", |c| {
        let serial = c.u16("Serial")?;
        c.raw("CRC", 2)?;
        c.raw("Stop", anatomy.stop)?;
        Ok(serial)
    })
}

fn say_what_is_wrong(c: &mut Cursor<'_>, extent: Extent, anatomy: &Anatomy, crc: Option<CrcCheck>) {
    let Anatomy { declared, total, .. } = *anatomy;
    let have = c.at() + c.here();
    match extent {
        Extent::Framed {
            shape: Shape::Sound { stop: 2 } | Shape::WideReply | Shape::BadChecksum | Shape::Topin,
            ..
        } => {}
        Extent::Framed { len, shape: Shape::Sound { .. } } => {
            let text = "the stop bits 0d0a are missing or damaged; length and checksum are right";
            c.doubt(Severity::Note, Group::Framing, (total - 2).min(len)..len, text);
        }
        Extent::Framed { shape: Shape::Misprinted, .. } => {
            let text = format!(
                "the length says {declared}, {} bytes are there; the checksum is right for them (a known misprint)",
                declared + 2
            );
            c.doubt(Severity::Note, Group::Length, 2..3, text);
        }
        Extent::Cut => {
            let text = format!("the frame is cut: its length says {total} bytes, {have} are there");
            c.doubt(Severity::Error, Group::Length, 0..have, text);
        }
        Extent::Lies => {
            let text = format!("the length says {declared}, but neither stop bits nor checksum are where that leads");
            c.doubt(Severity::Error, Group::Length, 2..have.min(4), text);
        }
    }
    if let Some(crc) = crc.filter(|crc| !crc.ok()) {
        let text = format!("expected the checksum {:04x}, came {:04x}", crc.computed, crc.received);
        c.doubt(Severity::Error, Group::Checksum, total.saturating_sub(4)..total.saturating_sub(2), text);
    }
}

fn explain_shortfall(c: &mut Cursor<'_>, row: &Row, whole: bool) {
    let Some(short) = c.shortfall() else { return };
    let count = |n: usize| if n == 1 { "1 byte".to_owned() } else { format!("{n} bytes") };
    let text = format!(
        "{} at byte {}: needs {}, {} left",
        short.field,
        short.at,
        count(short.need),
        if short.have == 1 { "1 is".to_owned() } else { format!("{} are", short.have) }
    );
    let (severity, text) =
        if whole { (Severity::Warn, format!("too short for {}: {text}", row.title)) } else { (Severity::Error, text) };
    let span = short.at..short.at + short.have;
    c.doubt(severity, Group::Length, span, text);
}

fn dialect_frame(bytes: &[u8], len: usize, setting: Setting<'_>) -> Decoded {
    let (length, kind) = match *bytes {
        [_, _, length, kind, ..] => (length, kind),
        _ => (0, 0),
    };
    let (word, title) = topin::name(kind);
    // The dialect's zone is the server's: its login tells none.
    let zone = setting.profile.clock_offset_s.map_or(Zone::Utc, Zone::Forced);
    let mut told = Told::new(given(kind, zone, setting));
    let mut c = Cursor::new(bytes);
    let read = c.under("gt06.md §9", |c| {
        c.raw("Start", 2)?;
        c.uint("Length", 1, "")?;
        c.named("Type", 1, |_| title)?;
        let body = c.within(len.saturating_sub(6), |c| topin::body(c, &mut told, length));
        c.raw("Stop", 2)?;
        body
    });
    if read.is_err() {
        let text = format!("too short for {title}");
        c.doubt(Severity::Warn, Group::Length, 0..len, text);
    }
    let rest = c.here();
    c.undecoded(rest);
    let reply = topin::reply(kind, bytes.get(..len).unwrap_or_default(), setting.received);
    finish(
        c,
        told,
        Outcome { word, title, kind, serial: None, crc: None, reply, from_device: false, sound: true, topin: true },
    )
}

/// What the envelope says.
struct Outcome {
    word: &'static str,
    title: &'static str,
    kind: u8,
    serial: Option<u16>,
    crc: Option<CrcCheck>,
    reply: Option<Vec<u8>>,
    from_device: bool,
    sound: bool,
    topin: bool,
}

fn finish(c: Cursor<'_>, told: Told, outcome: Outcome) -> Decoded {
    let cut_at = c.shortfall().map(|short| short.at);
    let (fields, mut problems) = c.finish();
    // What a cut or a lie about the length leaves over is no gap in the documents.
    let documented = problems.iter().any(|p| p.group == Group::Length && p.severity == Severity::Error);
    for (field, next) in fields.iter().zip(fields.iter().skip(1).map(Some).chain([None])) {
        let leaf = next.is_none_or(|next| next.depth <= field.depth);
        if leaf && field.name == "Undecoded" && cut_at != Some(field.span.start) && !documented {
            problems.push(undecoded(field));
        }
    }
    let device = told.device.clone();
    let (login_zone_s, answer, picture) = (told.login_zone_s, told.answer.clone(), told.picture);
    let trust = if outcome.sound { Trust::Good } else { Trust::Suspect };
    let dissection = Dissection {
        kind: outcome.word.into(),
        type_number: Some(outcome.kind),
        title: outcome.title.into(),
        serial: outcome.serial,
        crc: outcome.crc,
        device,
        reports: told.report(trust).into_iter().collect(),
        problems,
        fields,
        reply: outcome.reply,
    };
    Decoded {
        dissection,
        login_zone_s,
        answer,
        picture,
        from_device: outcome.from_device,
        sound: outcome.sound,
        topin: outcome.topin,
    }
}

fn undecoded(field: &Field) -> crate::model::Problem {
    let text = match field.span.len() {
        1 => "1 byte that nobody documented".to_owned(),
        n => format!("{n} bytes that nobody documented"),
    };
    crate::model::Problem { severity: Severity::Note, group: Group::Undecoded, text, span: field.span.clone() }
}

fn noise(bytes: &[u8]) -> Decoded {
    let mut c = Cursor::new(bytes);
    let text = match (bytes, frame::head(bytes)) {
        ([b'G', b'E', b'T', b' ', ..] | [b'P', b'O', b'S', b'T', b' ', ..] | [b'H', b'E', b'A', b'D', b' ', ..], _) => {
            "an HTTP request: some web client talks to the port for trackers".to_owned()
        }
        ([0x16, 0x03, ..], _) => {
            "a TLS handshake: some client tries to talk encrypted to the port for trackers".to_owned()
        }
        (_, Some((_, length, total, kind))) => {
            let have = bytes.len();
            format!(
                "begins as a frame of type 0x{kind:02x} and length {length} ({total} bytes in all, {have} are here), but is none"
            )
        }
        (_, None) if frame::start_of(bytes).is_some() => "begins as a frame does and ends at once".to_owned(),
        (_, None) => "expected a start 7878 or 7979, came bytes that begin no frame".to_owned(),
    };
    c.doubt(Severity::Error, Group::Framing, 0..bytes.len(), text);
    c.field("Noise", bytes.len(), "", |raw| (Value::Raw(raw.to_vec()), ())).expect("no more than is there");
    let (fields, problems) = c.finish();
    let dissection =
        Dissection { kind: "noise".into(), title: "Between frames".into(), problems, fields, ..Dissection::default() };
    Decoded {
        dissection,
        login_zone_s: None,
        answer: None,
        picture: None,
        from_device: false,
        sound: false,
        topin: false,
    }
}

fn given(kind: u8, zone: Zone, setting: Setting<'_>) -> Given {
    let Setting { profile, received, .. } = setting;
    let alarms = profile.alarms.map(Family::of_alarms);
    Given { kind, family: Family::of(profile), alarms, supply: profile.supply, zone, received }
}

/// The zone of a login shifts the old types only; one that the user forced shifts all (gt06.md §3.8).
fn zone(kind: u8, setting: Setting<'_>) -> Zone {
    match (setting.profile.clock_offset_s, setting.state.zone_s()) {
        (Some(seconds), _) => Zone::Forced(seconds),
        (None, Some(seconds)) if (0x10..=0x1F).contains(&kind) => Zone::Login(seconds),
        (None, _) => Zone::Utc,
    }
}
