//! Connections: when they were made, and how they ended.

use std::{borrow::Cow, sync::Arc};

use super::{PacketId, Timestamp};

/// Why we end many a connection, as [`Ended::why`] says it: whoever counts or tells them knows them by these words.
pub const SILENT: &str = "silent for too long";
pub const REPLACED: &str = "replaced by a newer connection of the device";
pub const STOPPING: &str = "stopping";
pub const UNREAD: &str = "the device does not read our answers";
/// What [`Ended::why`] begins with where the store was the reason.
pub const NOT_STORED: &str = "not stored";
/// Behind a tap.
pub const CLOSED_BY_SERVER: &str = "closed by the other server";

/// A connection, as far as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// Unique within a run.
    pub connection: u64,
    pub peer: Arc<str>,
    pub made: Option<Timestamp>,
    /// `None`: it is open.
    pub ended: Option<Ended>,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub at: Timestamp,
    pub by: Ender,
    /// A whole thought without a full stop; empty where nothing more is known than who ended it.
    pub why: Cow<'static, str>,
}

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ender {
    Peer,
    Us,
    /// It broke, or a capture does not tell.
    Nobody,
}

impl Ender {
    /// How the store writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Us => "us",
            Self::Nobody => "nobody",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Peer, Self::Us, Self::Nobody].into_iter().find(|by| by.as_str() == text)
    }
}

/// A connection that has ended, as the store keeps it: beside its last packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionEnd {
    pub last_packet: PacketId,
    pub made: Option<Timestamp>,
    pub ended: Ended,
}
