//! A script of what a device, a user, the store and the clock do to one connection.
//!
//! Each step is an [`Op`] in one byte (modulo their number), then what it needs. What must hold after each:
//! every byte is stored once and in order; an answer leaves behind the packet that it stands for, and is a whole frame; a command
//! is sent at most once and answered at most once; nobody is answered before it is known who it is; memory stays bounded, however
//! long the stream; a packet read again from its bytes and context tells the same.

use std::collections::VecDeque;

use crate::{
    budget, check,
    model::{
        Command, CommandId, CommandState, Device, DeviceId, DeviceState, Direction, NewPacket, Profile, Protocol,
        Sender, Timestamp,
    },
    now, profile,
    script::Script,
    wire::{
        Admission, Conversation, Line, Output, Receipt,
        gt06::{self, Session, State, encode},
    },
};

/// What can happen. The numbers are those of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// type, counted body: a sound frame.
    Short,
    Long,
    /// counted bytes, as they are.
    Raw,
    /// which: one of four devices logs in.
    Login,
    /// which: … in the dialect without checksum.
    TopinLogin,
    /// byte, times 64: the same byte again and again.
    Junk,
    /// seconds: time goes on, and deadlines pass.
    Wait,
    /// minutes: the clock is set back.
    Back,
    /// counted text, lifetime in seconds.
    Command,
    /// which, counted text: the device answers one of the last commands; number 0 echoes no flag.
    Answer,
    /// segment length; 0: whole.
    Segments,
    /// profile: what the store says of the next login; 255: it is refused.
    Admission,
    /// The driver is too busy to carry out what is wanted, or is no more.
    Busy,
    /// The far end closes.
    Finish,
    /// profile: the user changes how the device is read.
    Profile,
}

const OPS: [Op; 15] = [
    Op::Short,
    Op::Long,
    Op::Raw,
    Op::Login,
    Op::TopinLogin,
    Op::Junk,
    Op::Wait,
    Op::Back,
    Op::Command,
    Op::Answer,
    Op::Segments,
    Op::Admission,
    Op::Busy,
    Op::Finish,
    Op::Profile,
];

/// Bytes that a script may send in all.
const LONGEST_STREAM: usize = 256 * 1024;
/// Bytes that a connection may hold between steps: the longest frame in a buffer twice its size, a few waiting commands.
const MOST_HELD: usize = 512 * 1024;
/// Bytes that one step may take at its peak, for each byte it works on, and beside them.
const BYTES_PER_BYTE: usize = 4096;
const BYTES_BESIDE: usize = 128 * 1024;

/// See the module.
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let mut world = World::new();
    while !script.is_over() && world.total < LONGEST_STREAM && !world.over {
        let op = OPS[usize::from(script.byte()) % OPS.len()];
        world.step(op, &mut script);
    }
    world.end();
}

#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the script or an end of its own")]
struct World {
    session: Session,
    now: Timestamp,
    segment: usize,
    busy: bool,
    admission: u8,
    serial: u16,
    total: usize,
    /// Came and is not stored yet.
    pending: VecDeque<u8>,
    known: Option<DeviceId>,
    /// By which the session reads.
    profile: Profile,
    commands: Vec<(CommandId, CommandState)>,
    /// What the last packet entitles to be sent.
    sendable: VecDeque<Vec<u8>>,
    refused: bool,
    closed: bool,
    over: bool,
}

impl World {
    fn new() -> Self {
        Self {
            session: Session::new(Line { peer: "192.0.2.1:1".into(), connection: 1 }),
            now: now(),
            segment: 0,
            busy: false,
            admission: 0,
            serial: 0,
            total: 0,
            pending: VecDeque::new(),
            known: None,
            profile: Profile::default(),
            commands: Vec::new(),
            sendable: VecDeque::new(),
            refused: false,
            closed: false,
            over: false,
        }
    }

    fn step(&mut self, op: Op, script: &mut Script<'_>) {
        match op {
            Op::Short | Op::Long => {
                let kind = script.byte();
                let start = if op == Op::Short { encode::Start::Short } else { encode::Start::Long };
                let frame = encode::seal(start, kind, script.counted(), self.next_serial());
                self.receive(&frame);
            }
            Op::Raw => self.receive(script.counted()),
            Op::Login => {
                let imei = format!("86000000000000{}", script.byte() % 4);
                let frame = encode::login(&imei, self.next_serial());
                self.receive(&frame);
            }
            Op::TopinLogin => {
                let mut frame = [0x78, 0x78, 0x0D, 1, 3, 0x59, 0x33, 0x90, 0x75, 0, 0x52, 0x44, 0x34, 0x0D, 0x0A];
                frame[11] = script.byte() % 4;
                self.receive(&frame);
            }
            Op::Junk => {
                let (byte, times) = (script.byte(), script.byte());
                self.receive(&vec![byte; 64 * usize::from(times)]);
            }
            Op::Wait => self.wait(script.byte()),
            Op::Back => self.now -= jiff::SignedDuration::from_mins(script.byte().into()),
            Op::Command => {
                let text = String::from_utf8_lossy(script.counted()).into_owned();
                self.command(text, script.byte());
            }
            Op::Answer => {
                let which = usize::from(script.byte());
                let flag = self.commands.iter().rev().nth(which.saturating_sub(1)).map_or(0, |(id, _)| id.0);
                let flag = if which == 0 { 0 } else { u32::try_from(flag).expect("few commands") };
                let text = String::from_utf8_lossy(script.counted()).into_owned();
                let frame = encode::answer_15(&text, flag, self.next_serial());
                self.receive(&frame);
            }
            Op::Segments => self.segment = script.byte().into(),
            Op::Admission => self.admission = script.byte(),
            Op::Busy => self.busy = !self.busy,
            Op::Finish => self.over = true,
            Op::Profile => {
                let profile = profile(script.byte());
                if self.known.is_some() && !self.busy {
                    // A driver hands on what was read by the old profile before it hands over the new one.
                    self.carry_out();
                    self.profile = profile.clone();
                    self.session.set_profile(profile);
                }
            }
        }
    }

    fn next_serial(&mut self) -> u16 {
        self.serial = self.serial.wrapping_add(1);
        self.serial
    }

    /// The far end has closed: now every byte is told.
    fn end(&mut self) {
        let Self { session, now, .. } = self;
        budget::within(limit(self.pending.len()), || session.finish(*now));
        self.carry_out();
        assert!(self.pending.is_empty() || self.closed, "{} bytes are stored nowhere", self.pending.len());
        assert!(self.session.deadline().is_none(), "waits for more after the end");
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        let segment = if self.segment == 0 { bytes.len() } else { self.segment };
        for part in bytes.chunks(segment.max(1)) {
            let before = budget::held();
            if !self.closed {
                self.pending.extend(part);
            }
            let Self { session, now, .. } = self;
            let limit = limit(self.pending.len() + part.len());
            budget::within(limit, || session.receive(*now, part));
            if !self.busy {
                self.carry_out();
                // What is waiting is in two places: there and here.
                let grown = budget::held().saturating_sub(before);
                assert!(grown <= MOST_HELD, "{grown} bytes more are held after {} came", part.len());
                let most = 65_541 + 4096 + part.len();
                // After it hung up, what had come beyond that is nobody's.
                assert!(self.closed || self.pending.len() <= most, "{} bytes are put off", self.pending.len());
            }
        }
    }

    /// Time goes on, from deadline to deadline.
    fn wait(&mut self, seconds: u8) {
        let until = self.now + jiff::SignedDuration::from_secs(seconds.into());
        for _ in 0..300 {
            let Some(deadline) = self.session.deadline().filter(|&deadline| deadline <= until) else {
                if let Some(later) = self.session.deadline() {
                    self.session.expire(until);
                    assert_eq!(self.session.deadline(), Some(later), "nothing expires before its time");
                }
                break;
            };
            self.now = self.now.max(deadline);
            let Self { session, now, .. } = self;
            budget::within(limit(self.pending.len()), || session.expire(*now));
            if !self.busy {
                self.carry_out();
            }
            assert!(self.session.deadline().is_none_or(|next| next > self.now), "a deadline that passed stands");
        }
        self.now = until;
    }

    fn command(&mut self, text: String, lifetime_s: u8) {
        let id = CommandId(i64::try_from(self.commands.len()).expect("few commands") + 1);
        self.commands.push((id, CommandState::Queued));
        let expires = self.now + jiff::SignedDuration::from_secs(lifetime_s.into());
        let command = Command {
            id,
            device: DeviceId(1),
            text,
            state: CommandState::Queued,
            created: self.now,
            expires,
            sent: None,
            answered: None,
            answer: None,
            guessed: false,
            waits: None,
            sent_packet: None,
            answer_packet: None,
        };
        self.session.command(self.now, &command);
        if !self.busy {
            self.carry_out();
        }
    }

    fn carry_out(&mut self) {
        let most = 2 * self.pending.len() + 4 * self.commands.len() + 8;
        let mut count = 0;
        while let Some(output) = self.session.poll() {
            count += 1;
            assert!(count <= most, "more than {most} things to do");
            assert!(!self.closed, "after the end: {output:?}");
            match output {
                Output::Identify(identity) => {
                    assert!(self.session.poll().is_none(), "goes on before it knows who talks");
                    self.identified(identity);
                }
                Output::Store(packet) => self.stored(&packet),
                Output::Send(bytes) => {
                    assert!(self.known.is_some() && !self.refused, "answers somebody unknown");
                    assert_eq!(self.sendable.pop_front().as_ref(), Some(&bytes), "sends what is not stored");
                    check::answer(&bytes, true);
                }
                Output::Receipt(Receipt::Sent { id, .. }) => self.fared(id, CommandState::Queued, CommandState::Sent),
                Output::Receipt(Receipt::Answered { id, .. }) => {
                    self.fared(id, CommandState::Sent, CommandState::Answered);
                }
                Output::Receipt(Receipt::Refused { id, .. }) => {
                    self.fared(id, CommandState::Queued, CommandState::Failed);
                }
                // Whatever flag a frame carries, and a second answer to the same command.
                Output::Receipt(Receipt::AnsweredLate { .. }) => {}
                Output::Close(_) => self.closed = true,
            }
        }
        assert!(self.sendable.is_empty() || self.closed, "an answer is stored and not sent");
    }

    fn identified(&mut self, identity: crate::model::Identity) {
        let Self { session, .. } = self;
        let limit = limit(self.pending.len());
        if self.admission == 255 {
            self.refused = true;
            budget::within(limit, || session.identified(Admission::Refused));
            return;
        }
        let id = DeviceId(identity.as_str().bytes().map(i64::from).sum());
        let profile = profile(self.admission);
        self.known = Some(id);
        self.profile = profile.clone();
        let device = Device {
            id,
            identity,
            protocol: Protocol::Gt06,
            name: None,
            state: DeviceState::Adopted,
            profile,
            first_seen: self.now,
            last_heard: None,
        };
        budget::within(limit, || session.identified(Admission::Device(Box::new(device))));
    }

    fn stored(&mut self, packet: &NewPacket) {
        assert!(self.sendable.is_empty(), "the answer to the packet before was not sent");
        assert!(!packet.kind.is_empty() && !packet.bytes.is_empty());
        let sender = packet.sender.as_ref();
        match packet.direction {
            Direction::Out => {
                assert_eq!(sender, self.known.map(Sender::Device).as_ref());
                self.sendable.push_back(packet.bytes.clone());
                return;
            }
            Direction::In => {}
        }
        assert!(packet.bytes.len() <= self.pending.len(), "stores more than came");
        for byte in &packet.bytes {
            assert_eq!(self.pending.pop_front().as_ref(), Some(byte), "stores what did not come");
        }
        if self.refused {
            assert!(packet.replies.is_empty());
            return;
        }
        assert_eq!(sender, self.known.map(Sender::Device).as_ref());
        self.sendable.extend(packet.replies.iter().map(|reply| reply.bytes.clone()));
        let state = State::from_context(packet.context.as_deref());
        let again = gt06::dissect_in(&packet.bytes, &self.profile, &state, packet.received);
        assert_eq!(
            (&again.kind, &again.reports),
            (&packet.kind, &packet.reports),
            "read again {:02x?} in {:?} tells something else",
            packet.bytes,
            packet.context
        );
        if self.known.is_some() {
            assert_eq!(again.verdict(), packet.verdict, "{:?}", again.problems);
        }
        check::dissection(Protocol::Gt06, &packet.bytes, &again);
    }

    fn fared(&mut self, id: CommandId, from: CommandState, to: CommandState) {
        let command = self.commands.iter_mut().find(|(known, _)| *known == id).expect("a command that was given");
        assert_eq!(command.1, from, "{id:?} becomes {to:?}");
        command.1 = to;
    }
}

fn limit(bytes: usize) -> usize {
    BYTES_BESIDE + BYTES_PER_BYTE * bytes
}
