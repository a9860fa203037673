//! Captures: packets out of files and pasted text, and packets written for other programs.
//!
//! A capture is a run of [`Item`]s, whatever it was made of: a log of Traccar, a hex dump, a Recorder file, what Wireshark wrote. What the
//! bytes mean is said by `wire`, as it is live; here it is only found out which bytes went when, which way, and over which connection.

pub mod out;
pub mod read;
pub mod redact;
mod report;
mod rewrite;

use std::sync::Arc;

pub use rewrite::with_imei;

use crate::{
    model::{Direction, Protocol, Timestamp},
    wire::dress::Complaint,
};

/// Bytes that went over one connection, one way, at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When, where the capture says so.
    pub at: Option<Timestamp>,
    pub protocol: Protocol,
    pub direction: Direction,
    /// Address and port of the device's end, as far as the capture tells; empty where it does not.
    pub peer: Arc<str>,
    /// Tells connections of one capture apart; from 1, in the order in which they first appear.
    pub connection: u64,
    /// A piece of a byte stream (GT06: frames may go over several pieces), or one body (OwnTracks).
    pub bytes: Vec<u8>,
    /// What a request told beside its body, as [`crate::model::NewPacket::context`] has it; never a secret.
    pub context: Option<String>,
    pub place: Place,
    /// Why there may be more than the capture shows.
    pub cut: Option<Complaint>,
}

/// Where in a capture something stands, in the words of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Line of a text, from 1.
    Line(u64),
    /// Packet of a pcap or pcapng file, from 1, as Wireshark counts.
    Frame(u64),
}

/// Who ended a connection, as far as a capture tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closer {
    Device,
    Server,
    /// The server waited in vain.
    Silence,
    /// It broke, or nobody says who ended it.
    Unsaid,
}

/// One thing that a capture holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Record(Record),
    /// A connection ended: what is unfinished stays so.
    Closed {
        connection: u64,
        at: Option<Timestamp>,
        by: Closer,
    },
    /// Something that carries no packet, and says so itself: a remark of a log, traffic of others.
    Passed {
        place: Place,
    },
    /// Something that should carry a packet and does not.
    Rejected {
        place: Place,
        why: Complaint,
    },
}
