//! Packets: bytes as they were on the wire, and what the receiver knew when they came.

use std::{borrow::Cow, fmt, sync::Arc};

use super::{DeviceId, Identity, Report, Timestamp, Verdict};

/// A protocol that we receive. Closed: the compiler lists every place that a new one must be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// GT06 / Concox / Jimi over TCP, and its cousin Topin on the same port.
    Gt06,
    /// OwnTracks over HTTP.
    OwnTracks,
}

impl Protocol {
    /// Every protocol, in the order they are shown.
    pub const ALL: [Self; 2] = [Self::OwnTracks, Self::Gt06];

    /// The word in the store, in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gt06 => "gt06",
            Self::OwnTracks => "owntracks",
        }
    }

    /// How people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Gt06 => "GT06",
            Self::OwnTracks => "OwnTracks",
        }
    }

    /// The port a device is told by default (contract.md §1).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Gt06 => 5023,
            Self::OwnTracks => 5144,
        }
    }

    /// The protocol of a word that [`Protocol::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == word)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Which way a packet went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the device to us.
    In,
    /// From us to the device.
    Out,
}

impl Direction {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// Row id of a packet; grows with arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PacketId(pub i64);

/// Who sent a packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The store already said which device it is.
    Device(DeviceId),
    /// A name; the store finds the device, or makes one as the policy says.
    Identity(Identity),
}

/// A packet on its way into the store, with everything it stands for.
#[derive(Debug, Clone)]
pub struct NewPacket {
    pub protocol: Protocol,
    pub direction: Direction,
    pub received: Timestamp,
    /// Address and port of the far end.
    pub peer: Arc<str>,
    /// One number a connection, unique within a run of the program.
    pub connection: u64,
    /// `None` where the bytes do not say: noise, a frame before any login, a body without identity.
    pub sender: Option<Sender>,
    /// Short word for the kind of message (`login`, `location`, `noise` …).
    pub kind: Cow<'static, str>,
    pub verdict: Verdict,
    pub bytes: Vec<u8>,
    /// What the bytes alone do not tell, as a JSON object: HTTP path, query and identifying headers; never a secret.
    pub context: Option<String>,
    /// What the bytes told; each with a fix becomes a position.
    pub reports: Vec<Report>,
    /// What we answer, committed in the same transaction and linked to this packet.
    pub replies: Vec<NewReply>,
    /// The packet that is stored already and answered by this one: of two that talk with each other and are overheard.
    pub answers: Option<PacketId>,
}

/// An answer to the packet that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReply {
    pub kind: Cow<'static, str>,
    pub bytes: Vec<u8>,
}

/// A packet as the store has it: one row of the packet list. What it means is found again from its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct PacketRow {
    pub id: PacketId,
    pub received: Timestamp,
    pub protocol: Protocol,
    pub direction: Direction,
    pub peer: Arc<str>,
    pub connection: u64,
    pub device: Option<DeviceId>,
    pub kind: Cow<'static, str>,
    pub verdict: Verdict,
    pub bytes: Arc<[u8]>,
    pub context: Option<Arc<str>>,
    /// The packet that this one answers.
    pub answers: Option<PacketId>,
}
