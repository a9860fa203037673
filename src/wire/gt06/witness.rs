//! Listens to a tracker that talks with somebody else's server: what went each way, which answer belongs to what, and what we would have
//! answered ourselves. For captures that are read from files, and for connections that are passed through.
//!
//! The tracker's side is read by the very [`Session`] that talks with trackers live, so a frame means the same here.

mod owed;

use std::{collections::VecDeque, time::Duration};

use owed::Owed;

use super::{
    Session, dissect_answer, frame,
    session::reply_kind,
    stream::{Patience, Scan, scan},
};
use crate::{
    model::{Direction, Identity, NewPacket, Profile, Protocol, Timestamp, Verdict},
    wire::{Admission, Conversation, Line, Output},
};

/// In the context of a packet that a server sent: what we would have sent instead, in hex; empty where that is nothing. In that of a packet of a
/// tracker that is overheard live: what we would have answered.
pub const OURS: &str = "ours";
/// In the context of a packet that a server sent: after how many milliseconds it answered, where trackers do not wait for so long.
pub const LATE_MS: &str = "late_ms";
/// A tracker that waits longer for an answer begins to send again: what comes later is late, and what has not come is missing.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of the server that may wait for the rest of a frame.
const MOST_BUFFERED: usize = 64 << 10;

/// What was witnessed, in order.
#[derive(Debug)]
pub enum Witnessed {
    /// Find or make the device of this name and tell [`Witness::identified`]; until then nothing more is told.
    Identify(Identity),
    /// The tracker sent this.
    Heard {
        /// Without replies: they are the server's business.
        packet: Box<NewPacket>,
        /// Counts what the tracker sent on this connection, from 0.
        nth: u64,
        /// What we would answer.
        ours: Option<Vec<u8>>,
    },
    /// The server sent this.
    Answered {
        packet: Box<NewPacket>,
        /// [`Witnessed::Heard::nth`] of what it answers. `None`: a command, or it fits nothing.
        answers: Option<u64>,
    },
}

/// One connection between a tracker and its server.
pub struct Witness {
    session: Session,
    line: Line,
    profile: Profile,
    sender: Option<crate::model::Sender>,
    /// Bytes of the server that are no whole frame yet.
    buffer: Vec<u8>,
    heard: u64,
    owed: Owed,
    told: VecDeque<Witnessed>,
}

impl Witness {
    pub fn new(line: Line) -> Self {
        Self {
            session: Session::overhearing(line.clone()),
            line,
            profile: Profile::default(),
            sender: None,
            buffer: Vec::new(),
            heard: 0,
            owed: Owed::default(),
            told: VecDeque::new(),
        }
    }

    /// Bytes of the tracker.
    pub fn heard(&mut self, now: Timestamp, bytes: &[u8]) {
        if !self.buffer.is_empty() {
            // The tracker has its answer, whatever it lacks.
            self.tell();
            self.cut(now, Patience::Over);
        }
        self.session.receive(now, bytes);
    }

    /// Bytes of the server.
    pub fn answered(&mut self, now: Timestamp, bytes: &[u8]) {
        // What the tracker said before comes before.
        self.tell();
        self.buffer.extend_from_slice(bytes);
        self.cut(now, if self.buffer.len() > MOST_BUFFERED { Patience::Over } else { Patience::Live });
    }

    /// Takes what is decided out of the bytes of the server.
    fn cut(&mut self, now: Timestamp, patience: Patience) {
        while let Scan::Frame { len, .. } | Scan::Noise { len } = scan(&self.buffer, self.session.dialect(), patience) {
            let piece = self.buffer.drain(..len).collect();
            self.answer(now, piece);
        }
    }

    /// The driver answers [`Witnessed::Identify`].
    pub fn identified(&mut self, admission: Admission) {
        if let Admission::Device(device) = &admission {
            self.profile = device.profile.clone();
            self.sender = Some(crate::model::Sender::Device(device.id));
        }
        self.session.identified(admission);
    }

    /// The profile of the device as it is now; it may have changed since the login.
    pub fn set_profile(&mut self, profile: Profile) {
        self.profile = profile.clone();
        self.session.set_profile(profile);
    }

    /// Bytes were not heard that came before those that come next: what waits for its rest is told as it is.
    pub fn interrupted(&mut self, now: Timestamp) {
        self.session.interrupted(now);
        self.tell();
        self.cut(now, Patience::Over);
    }

    /// When to call [`Witness::expire`] if nothing arrives.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.session.deadline()
    }

    /// The deadline passed.
    pub fn expire(&mut self, now: Timestamp) {
        self.session.expire(now);
    }

    /// The connection ended: what is still buffered is told as it is.
    pub fn finish(&mut self, now: Timestamp) {
        self.session.finish(now);
        self.tell();
        self.cut(now, Patience::Over);
    }

    /// The next thing that was witnessed.
    pub fn poll(&mut self) -> Option<Witnessed> {
        self.tell();
        self.told.pop_front()
    }

    /// Takes over what the session makes of the tracker.
    fn tell(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Identify(identity) => self.told.push_back(Witnessed::Identify(identity)),
                Output::Store(mut packet) => {
                    let answer = std::mem::take(&mut packet.replies).into_iter().next();
                    let nth = self.heard;
                    self.heard += 1;
                    let ours = answer.map(|answer| answer.bytes);
                    self.owed.note(nth, &packet, ours.as_deref());
                    self.told.push_back(Witnessed::Heard { packet, nth, ours });
                }
                // Nothing of ours is sent, no command is ours, and the end is up to the two that talk: one that overhears never asks for it.
                Output::Send(_) | Output::Receipt(_) | Output::Close(_) => {}
            }
        }
    }

    /// One frame of the server, or bytes of it that are none.
    fn answer(&mut self, now: Timestamp, bytes: Vec<u8>) {
        let owed = self.owed.answered_by(&bytes, self.session.dialect());
        let dissection = dissect_answer(&bytes, &self.profile, now);
        let is_command = frame::head(&bytes).is_some_and(|(_, _, _, kind)| kind == 0x80);
        let kind = match (&owed, is_command) {
            (Some(_), _) => reply_kind(&bytes),
            (None, true) => "command".into(),
            (None, false) => dissection.kind,
        };
        let context = owed.as_ref().and_then(|owed| owed.context(&bytes, now));
        let packet = NewPacket {
            protocol: Protocol::Gt06,
            direction: Direction::Out,
            received: now,
            peer: self.line.peer.clone(),
            connection: self.line.connection,
            sender: self.sender.clone(),
            kind,
            verdict: if context.is_some() { Verdict::Note } else { Verdict::of(&dissection.problems) },
            context,
            bytes,
            reports: Vec::new(),
            replies: Vec::new(),
            answers: None,
        };
        self.told.push_back(Witnessed::Answered { packet: Box::new(packet), answers: owed.map(|owed| owed.nth) });
    }
}

#[cfg(test)]
mod tests;
