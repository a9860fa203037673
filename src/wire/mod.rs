//! Bytes ↔ meaning. Pure: no sockets, no clock, no async, no store.
//!
//! Two ways in:
//! - [`dissect`] explains one packet: every field with its span. The inspector shows what it returns; there is no second parser.
//! - A [`Conversation`] drives one device's talk over a byte stream: bytes and the time go in, [`Output`]s come out.
//!   OwnTracks needs none, since one HTTP request is one packet: see [`owntracks`].

mod cursor;
pub mod dress;
mod field;
pub mod gt06;
pub mod json;
pub mod owntracks;

pub use field::{CrcCheck, Dissection, Field, Value, hex};

use crate::model::{Command, Device, Direction, Identity, NewPacket, PacketRow, Profile, Protocol, Timestamp};

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

/// Explains a packet that is kept, as it was understood when it came: what the request told beside its body counts as it did then.
pub fn dissect_kept(packet: &PacketRow, profile: &Profile) -> Dissection {
    match (packet.protocol, packet.direction) {
        (Protocol::OwnTracks, Direction::In) => {
            let context = packet.context.as_deref();
            owntracks::dissect_refused(&packet.kind, &packet.bytes, context)
                .unwrap_or_else(|| owntracks::dissect_kept(&packet.bytes, context, None, packet.received))
        }
        (protocol, _) => dissect(protocol, &packet.bytes, profile, packet.received),
    }
}

/// One device's talk over one byte stream. Outputs are to be carried out in the order that [`Conversation::poll`] gives them.
pub trait Conversation: Send {
    /// Bytes arrived at `now`.
    fn receive(&mut self, now: Timestamp, bytes: &[u8]);
    /// The driver answers [`Output::Identify`]; until then `poll` gives nothing more.
    fn identified(&mut self, admission: Admission);
    /// Sends a command; its id comes back as the server flag of the answer.
    fn command(&mut self, now: Timestamp, command: &Command);
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
    /// The device answered it. `guessed`: matched by order, because the device echoed no flag.
    Answered { id: crate::model::CommandId, at: Timestamp, text: String, guessed: bool },
}

/// What a conversation must be told at its birth.
#[derive(Debug, Clone)]
pub struct Line {
    /// Address and port of the far end.
    pub peer: std::sync::Arc<str>,
    /// One number a connection, unique within a run of the program.
    pub connection: u64,
}

/// Starts a conversation. `None`: the protocol is not spoken over a stream.
pub fn conversation(protocol: Protocol, line: Line) -> Option<Box<dyn Conversation>> {
    match protocol {
        Protocol::Gt06 => Some(Box::new(gt06::Session::new(line))),
        Protocol::OwnTracks => None,
    }
}
