//! Which frame of a tracker a server answers, and in what its answer is another than ours.

use std::collections::VecDeque;

use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::{
    super::{encode, frame, state::Dialect},
    LATE_MS, OURS, PATIENCE,
};
use crate::{
    model::{NewPacket, Timestamp, Verdict},
    wire::hex,
};

/// Frames whose answer is waited for. A server answers in order, so more than a few are none that it answers.
const MOST: usize = 64;
/// Two clocks that tell a tracker the time may differ by so much.
const CLOCKS_S: i64 = 30;
/// A command of the server.
const COMMAND: u8 = 0x80;
/// The answer that tells the time.
const TIME: u8 = 0x8A;

/// The frames of a tracker that nobody answered yet, oldest first.
#[derive(Default)]
pub(super) struct Owed(VecDeque<Frame>);

/// A frame of the tracker.
pub(super) struct Frame {
    /// Counts what the tracker sent.
    pub(super) nth: u64,
    at: Timestamp,
    /// What an answer bears.
    kind: u8,
    serial: Option<[u8; 2]>,
    /// What we would answer; empty where that is nothing.
    ours: Vec<u8>,
}

impl Owed {
    /// The tracker sent this.
    pub(super) fn note(&mut self, nth: u64, packet: &NewPacket, ours: Option<&[u8]>) {
        if packet.verdict == Verdict::Error {
            return;
        }
        // Where we answer nothing, a server that does answers with the type and the serial of the frame.
        let Some((kind, serial)) = head(ours.unwrap_or(&packet.bytes)) else { return };
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Frame { nth, at: packet.received, kind, serial, ours: ours.unwrap_or_default().to_vec() });
    }

    /// The frame that the server answers by these bytes: of the same type and serial, else the oldest of the same type that is to be answered.
    pub(super) fn answered_by(&mut self, bytes: &[u8], dialect: Dialect) -> Option<Frame> {
        let (kind, serial) = head(bytes).filter(|(kind, _)| *kind != COMMAND)?;
        let of_kind = |frame: &Frame| frame.kind == kind;
        let exact = |frame: &Frame| of_kind(frame) && (dialect == Dialect::Topin || frame.serial == serial);
        let at = self.0.iter().position(exact);
        let at = at.or_else(|| self.0.iter().position(|frame| of_kind(frame) && !frame.ours.is_empty()))?;
        self.0.remove(at)
    }
}

impl Frame {
    /// What is to be said beside an answer that is another than ours, or late.
    pub(super) fn context(&self, theirs: &[u8], now: Timestamp) -> Option<String> {
        let mut said = Map::new();
        if self.ours != theirs && !tells_the_same_time(&self.ours, theirs) {
            said.insert(OURS.to_owned(), hex(&self.ours).into());
        }
        let took_ms = now.as_millisecond() - self.at.as_millisecond();
        if u128::try_from(took_ms).is_ok_and(|ms| ms > PATIENCE.as_millis()) {
            said.insert(LATE_MS.to_owned(), took_ms.into());
        }
        (!said.is_empty()).then(|| Value::Object(said).to_string())
    }
}

/// Type and serial of a frame.
fn head(bytes: &[u8]) -> Option<(u8, Option<[u8; 2]>)> {
    let (kind, total) = match frame::wide_reply(bytes) {
        Some(total) => (bytes.get(4).copied()?, total),
        None => frame::head(bytes).map(|(_, _, total, kind)| (kind, total))?,
    };
    let serial = total.checked_sub(6).and_then(|at| bytes.get(at..at + 2));
    Some((kind, serial.and_then(|serial| serial.try_into().ok())))
}

/// Two servers that tell the time do so at two moments.
fn tells_the_same_time(ours: &[u8], theirs: &[u8]) -> bool {
    let (Some(one), Some(two)) = (time(ours), time(theirs)) else { return false };
    let same_frame = |at: &[u8]| at.get(10..12).map(<[u8]>::to_vec);
    let apart_s = one.duration_since(two).as_secs().abs();
    apart_s <= CLOCKS_S && same_frame(ours) == same_frame(theirs) && sealed(theirs)
}

/// What a frame that tells the time says.
fn time(bytes: &[u8]) -> Option<DateTime> {
    let [_, _, _, TIME, year, month, day, hour, minute, second, ..] = *bytes else { return None };
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(i8::try_from);
    DateTime::new(2000 + i16::from(year), month.ok()?, day.ok()?, hour.ok()?, minute.ok()?, second.ok()?, 0).ok()
}

/// A frame that tells the time and is whole.
fn sealed(bytes: &[u8]) -> bool {
    let (Some(body), Some(serial)) = (bytes.get(4..10), bytes.get(10..12)) else { return false };
    let serial = <[u8; 2]>::try_from(serial).map(u16::from_be_bytes).unwrap_or_default();
    encode::seal(encode::Start::Short, TIME, body, serial) == bytes
}
