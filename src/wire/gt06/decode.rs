//! One frame from start to stop: the envelope, and around it what is wrong with it.

use crate::model::{Group, Profile, Severity, Timestamp, Trust};
use crate::wire::{
    CrcCheck, Dissection, Field, Value,
    cursor::{Cursor, Read},
};

use super::{
    doctor,
    encode::Start,
    family::Family,
    frame::{self, Patience, Scan, Shape},
    layout::{self, Row},
    reply,
    state::State,
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
}

/// A serial that jumps this far began anew.
const MANY_LOST: u16 = 1000;

/// Reads `bytes` as one frame, however damaged, or as bytes between frames.
pub(super) fn decode(bytes: &[u8], setting: Setting<'_>) -> Decoded {
    match frame::scan(bytes, setting.state.topin(), Patience::Over) {
        Scan::Frame { len, shape: Shape::Topin } => dialect_frame(bytes, len, setting),
        Scan::Frame { len, shape } => standard_frame(bytes, Extent::Framed { len, shape }, setting),
        Scan::Noise { .. } | Scan::Wait { .. } => match frame::head(bytes) {
            Some((start, length, total, kind)) if layout::credible(start, kind, length) => {
                let extent = if bytes.len() < total { Extent::Cut } else { Extent::Lies };
                standard_frame(bytes, extent, setting)
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

fn standard_frame(bytes: &[u8], extent: Extent, setting: Setting<'_>) -> Decoded {
    let (start, declared, by_length, kind) = frame::head(bytes).unwrap_or((Start::Short, 0, bytes.len(), 0));
    let wide = matches!(extent, Extent::Framed { shape: Shape::WideReply, .. });
    let overhead = if start == Start::Long || wide { 6 } else { 5 };
    let kind = if wide { 0x97 } else { kind };
    let by_stop = frame::stops_at(bytes, bytes.len()) && bytes.len() >= overhead + 5;
    let (total, stop) = match extent {
        Extent::Framed { len, shape: Shape::Sound { .. } } => (by_length, (len + 2).saturating_sub(by_length)),
        Extent::Framed { len, .. } => (len, 2),
        // Bytes that end in stop bits most likely end where the frame does.
        Extent::Lies if by_stop => (bytes.len(), 2),
        Extent::Lies | Extent::Cut => (by_length, 2),
    };
    let length = total.saturating_sub(overhead);
    let family = Family::of(setting.profile);
    let row = layout::find(start, kind, length);
    let given = Given { kind, family, zone: zone(kind, setting), received: setting.received };
    let mut told = Told::new(given);
    let mut c = Cursor::new(bytes);
    let whole = !matches!(extent, Extent::Cut);
    let envelope = Envelope { length_bytes: overhead - 4, body: length.saturating_sub(5), stop };
    let serial = envelope.read(&mut c, &mut told, row, whole).ok();
    let crc = match extent {
        Extent::Cut => None,
        Extent::Framed { .. } | Extent::Lies => frame::checksums(bytes, total),
    };
    let crc = crc.map(|(received, computed)| CrcCheck { received, computed });
    say_what_is_wrong(&mut c, extent, declared, total, crc);
    if crc.is_some_and(|crc| !crc.ok())
        && let Some(finding) = doctor::diagnose(bytes, total, overhead - 2)
    {
        c.doubt(Severity::Note, Group::Checksum, finding.span, format!("a hint at the checksum: {}", finding.text));
    }
    explain_shortfall(&mut c, row, whole);
    let rest = c.here();
    c.undecoded(rest);

    let sound =
        matches!(extent, Extent::Framed { shape: Shape::Sound { .. } | Shape::Misprinted | Shape::WideReply, .. });
    if let Some((last, serial)) = setting.state.last_serial().zip(serial).filter(|_| sound && row.comes_from_device()) {
        let lost = serial.wrapping_sub(last).wrapping_sub(1);
        if (1..MANY_LOST).contains(&lost) && row.word != "login" {
            let frames = if lost == 1 { "1 frame".to_owned() } else { format!("{lost} frames") };
            let text = format!("serial {serial} comes after {last}: {frames} did not arrive");
            c.doubt(Severity::Note, Group::Sequence, total - 6..total - 4, text);
        }
    }
    if !matches!(extent, Extent::Framed { .. }) {
        // A frame without its end may have lost any byte, so its numbers are not a place.
        told.place = None;
    }
    let reply = serial.filter(|_| sound).and_then(|serial| reply::to(row.answered, kind, serial, &told, setting));
    finish(
        c,
        told,
        Outcome {
            row_word: row.word,
            row_title: row.title,
            kind,
            serial,
            crc,
            reply,
            from_device: row.comes_from_device(),
            sound,
            topin: false,
        },
    )
}

/// The parts around the body.
struct Envelope {
    length_bytes: usize,
    body: usize,
    /// Stop bits that are there.
    stop: usize,
}

impl Envelope {
    /// Reads all of it; the serial when it was there.
    fn read(&self, c: &mut Cursor<'_>, told: &mut Told, row: &Row, whole: bool) -> Read<u16> {
        c.under("gt06.md §1", |c| {
            c.raw("Start", 2)?;
            c.uint("Length", self.length_bytes, "")?;
            c.named("Type", 1, |_| row.title)
        })?;
        let body = c.within(self.body, |c| c.under("gt06.md §6", |c| (row.read)(c, told)));
        if !whole {
            body?;
        }
        c.under("gt06.md §1", |c| {
            let serial = c.u16("Serial")?;
            c.raw("CRC", 2)?;
            c.raw("Stop", self.stop)?;
            Ok(serial)
        })
    }
}

fn say_what_is_wrong(c: &mut Cursor<'_>, extent: Extent, declared: usize, total: usize, crc: Option<CrcCheck>) {
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
    let (row_word, row_title) = topin::name(kind);
    // The dialect's zone is the server's: its login tells none.
    let zone = setting.profile.clock_offset_s.map_or(Zone::Utc, Zone::Forced);
    let mut told = Told::new(Given { kind, family: Family::of(setting.profile), zone, received: setting.received });
    let mut c = Cursor::new(bytes);
    let read = c.under("gt06.md §9", |c| {
        c.raw("Start", 2)?;
        c.uint("Length", 1, "")?;
        c.named("Type", 1, |_| row_title)?;
        let body = c.within(len.saturating_sub(6), |c| topin::body(c, &mut told, length));
        c.raw("Stop", 2)?;
        body
    });
    if read.is_err() {
        let text = format!("too short for {row_title}");
        c.doubt(Severity::Warn, Group::Length, 0..len, text);
    }
    let rest = c.here();
    c.undecoded(rest);
    let reply = topin::reply(kind, bytes.get(..len).unwrap_or_default(), setting.received);
    finish(
        c,
        told,
        Outcome {
            row_word,
            row_title,
            kind,
            serial: None,
            crc: None,
            reply,
            from_device: false,
            sound: true,
            topin: true,
        },
    )
}

/// What the envelope says.
struct Outcome {
    row_word: &'static str,
    row_title: &'static str,
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
        kind: outcome.row_word.into(),
        type_number: Some(outcome.kind),
        title: outcome.row_title.into(),
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
    let text = match bytes {
        [b'G', b'E', b'T', b' ', ..] | [b'P', b'O', b'S', b'T', b' ', ..] | [b'H', b'E', b'A', b'D', b' ', ..] => {
            "an HTTP request: some web client talks to the port for trackers".to_owned()
        }
        [0x16, 0x03, ..] => "a TLS handshake: some client tries to talk encrypted to the port for trackers".to_owned(),
        _ if frame::start_of(bytes).is_some() => {
            "begins as a frame does, but type, length, checksum and stop bits make none".to_owned()
        }
        _ => "expected a start 7878 or 7979, came bytes that begin no frame".to_owned(),
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

/// The zone of a login shifts the old types only; one that the user forced shifts all (gt06.md §3.8).
fn zone(kind: u8, setting: Setting<'_>) -> Zone {
    match (setting.profile.clock_offset_s, setting.state.zone_s()) {
        (Some(seconds), _) => Zone::Forced(seconds),
        (None, Some(seconds)) if (0x10..=0x1F).contains(&kind) => Zone::Login(seconds),
        (None, _) => Zone::Utc,
    }
}
