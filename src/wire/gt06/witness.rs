//! Listens to a tracker that talks with somebody else's server: what went each way, which answer belongs to what, and what we would have
//! answered ourselves. For captures that are read from files, and for connections that are passed through.
//!
//! The tracker's side is read by the very [`Session`] that talks with trackers live, so a frame means the same here.

use std::collections::VecDeque;

use super::{
    Session, dissect_answer, frame,
    session::reply_kind,
    state::Dialect,
    stream::{Patience, Scan, scan},
};
use crate::{
    model::{Direction, Identity, NewPacket, Profile, Protocol, Timestamp, Verdict},
    wire::{Admission, Conversation, Line, Output, hex},
};

/// In the context of a packet that a server sent: what we would have sent instead, in hex.
pub const OURS: &str = "ours";
/// Frames whose answer is waited for. A server answers in order, so more than a few are none that it answers.
const MOST_OWED: usize = 64;
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
    },
    /// The server sent this.
    Answered {
        packet: Box<NewPacket>,
        /// [`Witnessed::Heard::nth`] of what it answers. `None`: a command, or it fits nothing.
        answers: Option<u64>,
    },
}

/// A frame of the tracker that we would have answered.
struct Owed {
    nth: u64,
    answer: Vec<u8>,
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
    owed: VecDeque<Owed>,
    told: VecDeque<Witnessed>,
}

impl Witness {
    pub fn new(line: Line) -> Self {
        Self {
            session: Session::new(line.clone()),
            line,
            profile: Profile::default(),
            sender: None,
            buffer: Vec::new(),
            heard: 0,
            owed: VecDeque::new(),
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
                    if let Some(answer) = answer {
                        if self.owed.len() == MOST_OWED {
                            self.owed.pop_front();
                        }
                        self.owed.push_back(Owed { nth, answer: answer.bytes });
                    }
                    self.told.push_back(Witnessed::Heard { packet, nth });
                }
                // Nothing of ours is sent, and no command is ours.
                Output::Send(_) | Output::Receipt(_) => {}
                // The end is up to the two that talk: what they say is told to the last byte.
                Output::Close(_) => self.session = Session::new(self.line.clone()),
            }
        }
    }

    /// One frame of the server, or bytes of it that are none.
    fn answer(&mut self, now: Timestamp, bytes: Vec<u8>) {
        let dialect = self.session.dialect();
        let owed = self
            .owed
            .iter()
            .position(|owed| belongs(&bytes, &owed.answer, dialect))
            .and_then(|at| self.owed.remove(at));
        let ours = owed.as_ref().map(|owed| &owed.answer).filter(|ours| **ours != bytes);
        let dissection = dissect_answer(&bytes, &self.profile, now);
        let is_command = frame::head(&bytes).is_some_and(|(_, _, _, kind)| kind == 0x80);
        let kind = match (&owed, is_command) {
            (Some(_), _) => reply_kind(&bytes),
            (None, true) => "command".into(),
            (None, false) => dissection.kind,
        };
        let packet = NewPacket {
            protocol: Protocol::Gt06,
            direction: Direction::Out,
            received: now,
            peer: self.line.peer.clone(),
            connection: self.line.connection,
            sender: self.sender.clone(),
            kind,
            verdict: if ours.is_some() { Verdict::Note } else { Verdict::of(&dissection.problems) },
            context: ours.map(|ours| serde_json::json!({ OURS: hex(ours) }).to_string()),
            bytes,
            reports: Vec::new(),
            replies: Vec::new(),
            answers: None,
        };
        self.told.push_back(Witnessed::Answered { packet: Box::new(packet), answers: owed.map(|owed| owed.nth) });
    }
}

/// Whether a frame of the server answers what we would have answered by `ours`: the same type, and the same serial number where there is one.
fn belongs(theirs: &[u8], ours: &[u8], dialect: Dialect) -> bool {
    let told = |bytes: &[u8]| {
        let (kind, total) = match frame::wide_reply(bytes) {
            Some(total) => (bytes.get(4).copied()?, total),
            None => frame::head(bytes).map(|(_, _, total, kind)| (kind, total))?,
        };
        let at = total.checked_sub(6).filter(|_| dialect != Dialect::Topin);
        let serial = at.and_then(|at| bytes.get(at..at + 2)).and_then(|serial| <[u8; 2]>::try_from(serial).ok());
        Some((kind, serial))
    };
    told(theirs).is_some() && told(theirs) == told(ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Device, DeviceId, DeviceState, PacketId};

    const NOW: &str = "2026-11-21T14:02:31Z";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn device(identity: Identity) -> Device {
        Device {
            id: DeviceId(7),
            identity,
            protocol: Protocol::Gt06,
            name: None,
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: NOW.parse().unwrap(),
            last_heard: None,
        }
    }

    /// `>` tracker, `<` server; a line is a segment. What was witnessed, a line each.
    fn witnessed(talk: &str) -> String {
        let now = NOW.parse().unwrap();
        let mut witness = Witness::new(Line { peer: "10.0.0.9:4000".into(), connection: 3 });
        let mut told = String::new();
        let mut drain = |witness: &mut Witness| {
            while let Some(next) = witness.poll() {
                let line = match next {
                    Witnessed::Identify(identity) => {
                        witness.identified(Admission::Device(Box::new(device(identity))));
                        continue;
                    }
                    Witnessed::Heard { packet, nth } => format!("> {nth} {} {}", packet.kind, hex(&packet.bytes)),
                    Witnessed::Answered { packet, answers } => {
                        assert_eq!(packet.answers, None::<PacketId>, "the driver knows the id, nobody else");
                        let context = packet.context.unwrap_or_default();
                        format!("< {answers:?} {} {} {context}", packet.kind, hex(&packet.bytes))
                    }
                };
                told += line.trim_end();
                told.push('\n');
            }
        };
        for line in talk.lines() {
            let (way, text) = line.split_at(2);
            match way {
                "> " => witness.heard(now, &bytes(text)),
                _ => witness.answered(now, &bytes(text)),
            }
            drain(&mut witness);
        }
        witness.finish(now);
        drain(&mut witness);
        told
    }

    const LOGIN: &str = "> 78780d01012345678901234500018cdd0d0a";

    #[test]
    fn an_answer_belongs_to_its_frame() {
        let told = witnessed(&format!("{LOGIN}\n< 787805010001d9dc0d0a"));
        assert_eq!(told, "> 0 login 78780d01012345678901234500018cdd0d0a\n< Some(0) ack 787805010001d9dc0d0a\n");
    }

    #[test]
    fn an_answer_in_two_segments_is_one() {
        let told = witnessed(&format!("{LOGIN}\n< 78780501\n< 0001d9dc0d0a"));
        assert!(told.ends_with("< Some(0) ack 787805010001d9dc0d0a\n"), "{told}");
    }

    #[test]
    fn another_answer_than_ours_says_what_ours_is() {
        // The stop bytes are wrong.
        let told = witnessed(&format!("{LOGIN}\n< 787805010001d9dc0d0d"));
        assert!(told.ends_with("< Some(0) ack 787805010001d9dc0d0d {\"ours\":\"787805010001d9dc0d0a\"}\n"), "{told}");
    }

    #[test]
    fn what_answers_nothing_is_kept_all_the_same() {
        // A command, then noise of the server.
        let command = "78780e8006000000014142000100014c8d0d0a";
        let told = witnessed(&format!("{LOGIN}\n< {command}\n< 48656c6c6f"));
        assert!(told.contains("< None command "), "{told}");
        assert!(told.ends_with("48656c6c6f\n"), "{told}");
    }
}
