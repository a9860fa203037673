//! Packets on their way out: captures, read back by others; reports; redaction.

mod cli;
pub mod pcapng;
mod redact;
mod replay;
mod replay_window;

use std::{borrow::Cow, sync::Arc};

use wayglass::model::{Direction, PacketId, PacketRow, Protocol, Timestamp, Verdict};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_269_600_000 + ms).unwrap()
}

/// A packet as the store would have it.
fn row(id: i64, protocol: Protocol, direction: Direction, bytes: &[u8]) -> PacketRow {
    PacketRow {
        id: PacketId(id),
        received: at(id * 1_000),
        protocol,
        direction,
        peer: "10.0.0.9:40001".into(),
        connection: 3,
        device: None,
        kind: Cow::Borrowed(if protocol == Protocol::Gt06 { "login" } else { "location" }),
        verdict: Verdict::Ok,
        bytes: Arc::from(bytes),
        context: None,
        answers: None,
    }
}
