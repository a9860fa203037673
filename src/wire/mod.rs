//! Bytes ↔ meaning. Pure: no sockets, no clock, no async, no store.
//!
//! Two ways in:
//! - [`dissect`] explains one packet: every field with its span. The inspector shows what it returns; there is no second parser.
//! - A [`Conversation`] drives one device's talk over a byte stream: bytes and the time go in, [`Output`]s come out.
//!   OwnTracks needs none, since one HTTP request is one packet: see [`owntracks`].

mod cursor;
pub mod diff;
pub mod dress;
mod facts;
mod field;
pub mod gt06;
pub mod inspect;
pub mod json;
pub mod owntracks;
pub mod read_as;

pub use facts::Seen;
pub use field::{CrcCheck, Dissection, Field, Value, hex};

use std::time::Duration;

use crate::model::{
    Command, Device, Direction, Group, Identity, NewPacket, PacketRow, Problem, Profile, Protocol, Severity, Timestamp,
};

/// Explains one packet, alone. Fields come back even when the message is refused.
///
/// `received` stands in where the device told no time (OwnTracks without `tst`). The answer a live session would give is in
/// [`Dissection::reply`].
pub fn dissect(protocol: Protocol, bytes: &[u8], profile: &Profile, received: Timestamp) -> Dissection {
    match protocol {
        Protocol::Gt06 => gt06::dissect(bytes, profile, received),
        Protocol::OwnTracks => owntracks::dissect(bytes, received),
    }
}

/// In the context of a packet: by how many seconds the clock of this computer was set since the packet before.
pub const CLOCK_SET_S: &str = "clock_set_s";

/// Explains a packet that is kept, as it was understood when it came: what the request told beside its body counts as it did then.
pub fn dissect_kept(packet: &PacketRow, profile: &Profile) -> Dissection {
    let mut dissection = dissect_as_it_came(packet, profile);
    dissection.problems.extend(clock_was_set(packet));
    dissection.problems.extend(overheard(packet));
    dissection
}

/// What a packet shows of the clock that it was received by.
fn clock_was_set(packet: &PacketRow) -> Option<Problem> {
    let context = packet.context.as_deref().filter(|text| text.contains(CLOCK_SET_S))?;
    let by_s = serde_json::from_str::<serde_json::Value>(context).ok()?.get(CLOCK_SET_S)?.as_i64()?;
    let (way, by) = (if by_s < 0 { "back" } else { "ahead" }, by_s.unsigned_abs());
    Some(Problem {
        severity: Severity::Note,
        group: Group::Time,
        text: format!("before it was received, the clock of this computer was set {way} by {by} s, or it slept"),
        span: 0..packet.bytes.len(),
    })
}

/// In the context of a packet that came through a tap: the name of the tap.
pub const TAP: &str = "tap";
/// In the context of a packet that came through a tap: how many bytes before it were passed on and not recorded.
pub const LOST_BYTES: &str = "lost_bytes";

/// Of a connection that was overheard: in what another server answers otherwise than we do, and what was not recorded.
fn overheard(packet: &PacketRow) -> Vec<Problem> {
    let told = packet.context.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let Some(told) = told else { return Vec::new() };
    let mut problems = Vec::new();
    let mut say = |severity, text| {
        problems.push(Problem { severity, group: Group::Sequence, text, span: 0..packet.bytes.len() });
    };
    if packet.direction == Direction::Out {
        match told.get(gt06::OURS).and_then(serde_json::Value::as_str) {
            Some("") => {
                let text = "another server answered this; we answer nothing to such a frame";
                say(Severity::Note, text.to_owned());
            }
            Some(ours) => say(Severity::Note, format!("another server answered this; our answer is {ours}")),
            None => {}
        }
        if let Some(ms) = told.get(gt06::LATE_MS).and_then(serde_json::Value::as_i64) {
            let text =
                format!("another server answered this after {ms} ms; ours goes out as soon as the frame is stored");
            say(Severity::Note, text);
        }
    }
    if let Some(bytes) = told.get(LOST_BYTES).and_then(serde_json::Value::as_u64) {
        say(Severity::Warn, format!("{bytes} bytes before this were passed on and could not be recorded"));
    }
    problems
}

/// For how long it is still too early to say that another server does not answer this: it came a moment ago, and trackers wait for longer. `None`: it
/// is not, or the packet went through no tap, or needs no answer.
pub fn awaits_answer(packet: &PacketRow, now: Timestamp) -> Option<Duration> {
    let ago_ms = u64::try_from(now.as_millisecond() - packet.received.as_millisecond()).ok()?;
    let left = gt06::PATIENCE.checked_sub(Duration::from_millis(ago_ms))?;
    // At the very end of it the answer may come still.
    differs(packet, false).then_some(left + Duration::from_millis(1)).filter(|_| packet.direction == Direction::In)
}

/// Whether another server answers this otherwise than we do, later, or not at all; of a packet that it sent, or that it was sent. `answered`: an
/// answer came, or may still come in time.
pub fn differs(packet: &PacketRow, answered: bool) -> bool {
    let says = |key: &str| packet.context.as_deref().is_some_and(|text| text.contains(&format!("\"{key}\"")));
    match (packet.protocol, packet.direction) {
        (Protocol::Gt06, Direction::Out) => says(gt06::OURS) || says(gt06::LATE_MS),
        (Protocol::Gt06, Direction::In) => !answered && says(gt06::OURS),
        (Protocol::OwnTracks, _) => false,
    }
}

/// The tap that a packet came through.
pub fn tap_of(packet: &PacketRow) -> Option<String> {
    let context = packet.context.as_deref().filter(|text| text.contains("\"tap\""))?;
    let told: serde_json::Value = serde_json::from_str(context).ok()?;
    told.get(TAP)?.as_str().map(str::to_owned)
}

fn dissect_as_it_came(packet: &PacketRow, profile: &Profile) -> Dissection {
    if (packet.protocol, packet.direction) == (Protocol::Gt06, Direction::Out) && packet.kind == "ack" {
        return acknowledgement(packet, profile);
    }
    match (packet.protocol, packet.direction) {
        (Protocol::OwnTracks, Direction::In) => {
            let context = packet.context.as_deref();
            owntracks::dissect_refused(&packet.kind, &packet.bytes, context)
                .unwrap_or_else(|| owntracks::dissect_kept(&packet.bytes, context, None, packet.received))
        }
        (Protocol::Gt06, Direction::In) => {
            let state = gt06::State::from_context(packet.context.as_deref());
            gt06::dissect_in(&packet.bytes, profile, &state, packet.received)
        }
        (protocol, Direction::Out) => dissect(protocol, &packet.bytes, profile, packet.received),
    }
}

/// Our own answer to a type that nobody documented bears that type, too: what it is, we know all the same.
fn acknowledgement(packet: &PacketRow, profile: &Profile) -> Dissection {
    let mut dissection = gt06::dissect_answer(&packet.bytes, profile, packet.received);
    if dissection.kind == "unknown" {
        dissection.kind = "ack".into();
        dissection.title = "Acknowledgement".into();
        dissection.problems.retain(|problem| problem.group != Group::Undecoded);
    }
    dissection
}

/// One device's talk over one byte stream. Outputs are to be carried out in the order that [`Conversation::poll`] gives them.
pub trait Conversation: Send {
    /// Bytes arrived at `now`.
    fn receive(&mut self, now: Timestamp, bytes: &[u8]);
    /// The driver answers [`Output::Identify`]; until then `poll` gives nothing more.
    fn identified(&mut self, admission: Admission);
    /// Sends a command; its id comes back as the server flag of the answer.
    fn command(&mut self, now: Timestamp, command: &Command);
    /// The profile of the device as it is now; it may have changed since the login.
    fn set_profile(&mut self, profile: Profile);
    /// When to call [`Conversation::expire`] if nothing arrives: a frame whose length lies is waited for only so long.
    fn deadline(&self) -> Option<Timestamp>;
    /// The deadline passed.
    fn expire(&mut self, now: Timestamp);
    /// The far end closed, or we are stopping: what is still buffered is told as it is.
    fn finish(&mut self, now: Timestamp);
    /// The next thing to do.
    fn poll(&mut self) -> Option<Output>;
}

/// What the store says about who just logged in.
#[derive(Debug, Clone)]
pub enum Admission {
    /// A device that is adopted, new or ignored: answered in any case.
    Device(Box<Device>),
    /// Unknown, and the policy is strict: no answer, close.
    Refused,
}

/// What a conversation wants done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Find or make the device of this name and tell [`Conversation::identified`].
    Identify(Identity),
    /// Commit this packet and everything in it.
    Store(Box<NewPacket>),
    /// Write these bytes, once everything stored before is committed.
    Send(Vec<u8>),
    /// A command was written, or its answer came: the store keeps the receipt.
    Receipt(Receipt),
    /// Close the connection; the text says why.
    Close(&'static str),
}

/// How a command fares, as the conversation sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Its bytes are on their way.
    Sent { id: crate::model::CommandId, at: Timestamp },
    /// It cannot be sent; the text says why.
    Refused { id: crate::model::CommandId, why: &'static str },
    /// The device answered it. `guessed`: matched by order, because the device echoed no flag.
    Answered { id: crate::model::CommandId, at: Timestamp, text: String, guessed: bool },
    /// The device answered under the flag of a command that was not sent on this connection: on an earlier one, perhaps.
    AnsweredLate { id: crate::model::CommandId, at: Timestamp, text: String },
}

/// What a conversation must be told at its birth.
#[derive(Debug, Clone)]
pub struct Line {
    /// Address and port of the far end.
    pub peer: std::sync::Arc<str>,
    /// One number a connection, unique within a run of the program.
    pub connection: u64,
}

/// Starts a conversation; after `most_junk` bytes without one sound frame it ends. `None`: the protocol is not spoken over a stream.
pub fn conversation(
    protocol: Protocol,
    line: Line,
    addresses: Option<gt06::AddressSource>,
    most_junk: usize,
) -> Option<Box<dyn Conversation>> {
    match protocol {
        Protocol::Gt06 => {
            let session = gt06::Session::new(line).with_most_junk(most_junk);
            Some(Box::new(match addresses {
                Some(source) => session.with_addresses(source),
                None => session,
            }))
        }
        Protocol::OwnTracks => None,
    }
}
