//! One connection: cuts its bytes into frames, learns who talks, stores everything, answers what wants an answer.

use std::collections::VecDeque;

use crate::model::{
    Command, CommandId, Direction, Group, Identity, NewPacket, NewReply, Problem, Profile, Protocol, Sender, Severity,
    Timestamp, Verdict,
};
use crate::wire::{Admission, Conversation, Line, Output, Receipt};

use super::{
    addresses::AddressSource,
    decode::{self, Decoded, Setting},
    encode, frame,
    state::State,
    stream::{Patience, Scan, Scanner, Why},
    told::Answer,
};

/// A frame is waited for so long after its first byte.
const FRAME_S: i64 = 30;
/// So long when good frames wait behind it, when only its stop bits are missing, and for the end of a run of noise.
const GRACE_S: i64 = 2;
/// Commands that wait for a login, or for an answer; the oldest makes room.
const MOST_COMMANDS: usize = 64;
/// An answer without a flag is not taken for that of a command which was sent longer ago.
const GUESS_S: i64 = 600;
/// So many bytes without one sound frame, and the far end is no tracker; unless told otherwise.
pub const JUNK_BYTES: usize = 64 << 10;

/// The talk of one tracker, or of whatever else connected.
pub struct Session {
    line: Line,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are done with.
    done: usize,
    now: Timestamp,
    scanner: Scanner,
    /// What is waited for, since when, and the buffered length before which nothing can be decided.
    waiting: Option<(Why, Timestamp, usize)>,
    state: State,
    profile: Profile,
    addresses: Option<AddressSource>,
    sender: Option<Sender>,
    /// A frame that named its sender, until the driver says who that is.
    asking: Option<(Vec<u8>, Box<Decoded>)>,
    outputs: VecDeque<Output>,
    commands: VecDeque<Command>,
    /// Sent and not answered yet, oldest first, and when.
    unanswered: VecDeque<(CommandId, Timestamp)>,
    junk: usize,
    most_junk: usize,
    /// The far end sends no more.
    over: bool,
    closed: bool,
    /// It talks with somebody else's server: the end is up to those two.
    overhears: bool,
}

impl Session {
    /// A fresh connection.
    pub fn new(line: Line) -> Self {
        Self {
            line,
            buffer: Vec::new(),
            done: 0,
            now: Timestamp::UNIX_EPOCH,
            scanner: Scanner::default(),
            waiting: None,
            state: State::default(),
            profile: Profile::default(),
            addresses: None,
            sender: None,
            asking: None,
            outputs: VecDeque::new(),
            commands: VecDeque::new(),
            unanswered: VecDeque::new(),
            junk: 0,
            most_junk: JUNK_BYTES,
            over: false,
            closed: false,
            overhears: false,
        }
    }

    /// A connection between a tracker and somebody else's server: it is listened to until its end, whatever is said.
    pub(super) fn overhearing(line: Line) -> Self {
        Self { overhears: true, ..Self::new(line) }
    }

    /// What comes next does not follow what came before: bytes in between were not heard.
    pub(super) fn interrupted(&mut self, now: Timestamp) {
        self.now = now;
        self.waiting = None;
        self.advance(Patience::Over);
    }

    /// Asks this source for the addresses that the tracker wants.
    #[must_use]
    pub fn with_addresses(mut self, addresses: AddressSource) -> Self {
        self.addresses = Some(addresses);
        self
    }

    /// Ends the talk after so many bytes without one sound frame.
    #[must_use]
    pub fn with_most_junk(mut self, bytes: usize) -> Self {
        self.most_junk = bytes;
        self
    }

    /// Which of the two dialects is spoken.
    pub(super) fn dialect(&self) -> super::state::Dialect {
        self.state.dialect()
    }

    fn setting(&self) -> Setting<'_> {
        let Self { profile, state, now, addresses, .. } = self;
        Setting { profile, state, received: *now, addresses: addresses.as_ref() }
    }

    /// Takes frames from the buffer until it is undecided, or the driver has to say who talks.
    fn advance(&mut self, mut patience: Patience) {
        while self.asking.is_none() && !self.closed {
            let rest = self.buffer.get(self.done..).unwrap_or_default();
            match self.scanner.scan(rest, self.state.dialect(), patience) {
                Scan::Frame { len, .. } | Scan::Noise { len } => {
                    let bytes = rest.get(..len).unwrap_or_default().to_vec();
                    self.done += len;
                    self.waiting = None;
                    self.take(bytes);
                    if patience == Patience::Late {
                        patience = Patience::Live;
                    }
                }
                Scan::Wait { need, why } => {
                    self.wait_for(why, need);
                    break;
                }
            }
        }
        self.buffer.drain(..self.done);
        self.done = 0;
    }

    fn wait_for(&mut self, why: Why, need: usize) {
        let since = match (why, self.waiting) {
            (Why::Nothing, _) => {
                self.waiting = None;
                return;
            }
            // Noise ends when the line is quiet; anything else has a fixed time.
            (Why::Rest | Why::Grace, Some((before, since, _))) if before == why => since,
            (Why::Rest | Why::Grace | Why::Quiet, _) => self.now,
        };
        self.waiting = Some((why, since, need));
    }

    /// One frame, or one piece of noise.
    fn take(&mut self, bytes: Vec<u8>) {
        let setting = self.setting();
        let decoded = decode::decode(&bytes, setting);
        if decoded.sound {
            self.junk = 0;
        } else {
            self.junk += bytes.len();
        }
        let names = decoded.dissection.kind == "login" || self.sender.is_none();
        let identity = decoded.dissection.device.clone().filter(|_| decoded.sound && names).and_then(Identity::new);
        if let Some(identity) = identity {
            self.outputs.push_back(Output::Identify(identity));
            self.asking = Some((bytes, Box::new(decoded)));
            return;
        }
        self.keep(bytes, decoded, None);
        if self.junk > self.most_junk {
            self.close("too much without one sound frame");
        }
    }

    /// Stores a packet and answers it. `refusal`: why it is not answered whatever it is.
    fn keep(&mut self, bytes: Vec<u8>, decoded: Decoded, refusal: Option<Problem>) {
        let before = self.state.clone();
        if refusal.is_none() {
            self.state.note(&decoded);
        }
        let receipt = decoded.answer.as_ref().filter(|_| decoded.sound).and_then(|answer| self.answered(answer));
        let mut dissection = decoded.dissection;
        let refused = refusal.is_some();
        dissection.problems.extend(refusal);
        let nobody = self.sender.is_none() && !refused && decoded.sound;
        if nobody {
            dissection.problems.push(Problem {
                severity: Severity::Warn,
                group: Group::Auth,
                text: "no login came before it, so nobody knows whose it is".to_owned(),
                span: 0..bytes.len(),
            });
        }
        let gap = dissection.problems.iter().any(|p| p.group == Group::Sequence);
        let context = before.context(gap, &bytes);
        let reply = dissection.reply.take().filter(|_| self.sender.is_some());
        let replies = reply.iter().map(|bytes| NewReply { kind: reply_kind(bytes), bytes: bytes.clone() }).collect();
        self.outputs.push_back(Output::Store(Box::new(NewPacket {
            protocol: Protocol::Gt06,
            direction: Direction::In,
            received: self.now,
            peer: self.line.peer.clone(),
            connection: self.line.connection,
            sender: self.sender.clone(),
            verdict: Verdict::of(&dissection.problems),
            kind: dissection.kind,
            bytes,
            context,
            reports: dissection.reports,
            replies,
            answers: None,
        })));
        self.outputs.extend(receipt.map(Output::Receipt));
        self.outputs.extend(reply.map(Output::Send));
    }

    fn write(&mut self, command: &Command) {
        let sealed = if self.state.topin() {
            Err("a tracker of the Topin dialect takes no text commands")
        } else {
            command_bytes(command.id, &command.text, self.profile.command_language)
                .ok_or("it does not fit into one frame")
        };
        let bytes = match sealed {
            Ok(bytes) => bytes,
            Err(why) => {
                self.outputs.push_back(Output::Receipt(Receipt::Refused { id: command.id, why }));
                return;
            }
        };
        self.unanswered.push_back((command.id, self.now));
        if self.unanswered.len() > MOST_COMMANDS {
            self.unanswered.pop_front();
        }
        self.outputs.push_back(Output::Store(Box::new(NewPacket {
            protocol: Protocol::Gt06,
            direction: Direction::Out,
            received: self.now,
            peer: self.line.peer.clone(),
            connection: self.line.connection,
            sender: self.sender.clone(),
            verdict: Verdict::Ok,
            kind: "command".into(),
            bytes: bytes.clone(),
            context: None,
            reports: Vec::new(),
            replies: Vec::new(),
            answers: None,
        })));
        self.outputs.push_back(Output::Send(bytes));
        self.outputs.push_back(Output::Receipt(Receipt::Sent { id: command.id, at: self.now }));
    }

    /// An answer belongs to the command whose flag it echoes. Clones echo zeros: then it is that of the oldest one, as a guess.
    fn answered(&mut self, answer: &Answer) -> Option<Receipt> {
        let (at, text) = (self.now, answer.text.clone());
        if answer.flag != 0 {
            let Some(place) = self.unanswered.iter().position(|&(id, _)| flag_of(id) == answer.flag) else {
                return Some(Receipt::AnsweredLate { id: CommandId(answer.flag.into()), at, text });
            };
            let (id, _) = self.unanswered.remove(place)?;
            return Some(Receipt::Answered { id, at, text, guessed: false });
        }
        let place = self.unanswered.iter().position(|(_, sent)| at.duration_since(*sent).as_secs() <= GUESS_S)?;
        let (id, _) = self.unanswered.remove(place)?;
        Some(Receipt::Answered { id, at, text, guessed: true })
    }

    fn close(&mut self, why: &'static str) {
        if self.overhears {
            self.junk = 0;
            return;
        }
        self.closed = true;
        self.buffer.clear();
        self.done = 0;
        self.waiting = None;
        self.outputs.push_back(Output::Close(why));
    }
}

impl Conversation for Session {
    fn receive(&mut self, now: Timestamp, bytes: &[u8]) {
        if self.closed {
            return;
        }
        self.now = now;
        self.buffer.extend_from_slice(bytes);
        if let Some((why, since, need)) = self.waiting
            && self.buffer.len() < need
        {
            self.waiting = Some((why, if why == Why::Quiet { now } else { since }, need));
            return;
        }
        self.advance(Patience::Live);
    }

    fn identified(&mut self, admission: Admission) {
        let Some((bytes, decoded)) = self.asking.take() else { return };
        match admission {
            Admission::Device(device) => {
                self.sender = Some(Sender::Device(device.id));
                self.profile = device.profile;
                // Read again, now that the profile is known.
                let setting = self.setting();
                let decoded = decode::decode(&bytes, setting);
                self.keep(bytes, decoded, None);
                while let Some(command) = self.commands.pop_front() {
                    // Nobody wants yesterday's "cut engine" today.
                    if self.now <= command.expires {
                        self.write(&command);
                    }
                }
                // The far end may have closed while the driver was asked.
                self.advance(if self.over { Patience::Over } else { Patience::Live });
            }
            Admission::Refused => {
                self.sender = None;
                let who = decoded.dissection.device.as_deref().unwrap_or_default();
                let refusal = Problem {
                    severity: Severity::Error,
                    group: Group::Auth,
                    text: format!("{who} is not a known device, and unknown ones are refused"),
                    span: 0..bytes.len(),
                };
                self.keep(bytes, *decoded, Some(refusal));
                self.close("unknown device, refused");
                self.advance(if self.over { Patience::Over } else { Patience::Live });
            }
        }
    }

    fn command(&mut self, now: Timestamp, command: &Command) {
        if self.closed {
            return;
        }
        self.now = now;
        if self.asking.is_some() || self.sender.is_none() {
            self.commands.push_back(command.clone());
            if self.commands.len() > MOST_COMMANDS {
                self.commands.pop_front();
            }
        } else {
            self.write(command);
        }
    }

    fn set_profile(&mut self, profile: Profile) {
        self.profile = profile;
    }

    fn deadline(&self) -> Option<Timestamp> {
        let (why, since, _) = self.waiting?;
        let patience_s = match why {
            Why::Nothing => return None,
            Why::Rest => FRAME_S,
            Why::Grace | Why::Quiet => GRACE_S,
        };
        Timestamp::from_millisecond(since.as_millisecond() + patience_s * 1000).ok()
    }

    fn expire(&mut self, now: Timestamp) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        self.now = now;
        self.waiting = None;
        self.advance(Patience::Late);
    }

    fn finish(&mut self, now: Timestamp) {
        if self.closed {
            return;
        }
        self.now = now;
        self.waiting = None;
        self.over = true;
        self.advance(Patience::Over);
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}

/// The exact bytes of a command: its number is the flag that the device echoes, and the lower half of it the serial. `None` where the text does
/// not fit.
pub fn command_bytes(id: CommandId, text: &str, language: bool) -> Option<Vec<u8>> {
    let flag = flag_of(id);
    let [.., high, low] = flag.to_be_bytes();
    encode::command(text, flag, language, u16::from_be_bytes([high, low]))
}

/// The number that a device echoes with its answer.
fn flag_of(id: CommandId) -> u32 {
    u32::try_from(id.0 & i64::from(u32::MAX)).expect("masked to 32 bits")
}

/// The word for an answer in the store.
pub(super) fn reply_kind(bytes: &[u8]) -> std::borrow::Cow<'static, str> {
    let word = match frame::head(bytes) {
        Some((_, _, _, 0x8A)) => "time",
        Some((_, _, _, 0x17 | 0x97)) => "address",
        Some(_) | None => "ack",
    };
    word.into()
}
