//! What `decode` does with pcap files, and with our own JSON lines.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    ops::ControlFlow,
    sync::Arc,
};

use super::Decoder;
use crate::{
    capture::{
        Item, Place, Record,
        read::{Ended, Ground, Kind, read},
    },
    model::{
        Device, DeviceId, DeviceState, Direction, Identity, NewPacket, PacketId, PacketRow, Profile, Protocol,
        Timestamp,
    },
    wire::{
        self, Admission, Line,
        dress::{Buffer, Complaint},
        gt06::{self, Witness, Witnessed},
        owntracks,
    },
};

/// Connections of a capture as they are told.
type Talks = BTreeMap<u64, Witness>;

impl Decoder<'_> {
    /// Explains a pcap or pcapng: each connection with its state, both ways.
    pub(super) fn pcap(&mut self, source: &str, kind: Kind, input: &mut dyn BufRead) -> io::Result<()> {
        self.unit = "frame";
        let mut talks = Talks::new();
        let mut failed = Ok(());
        let mut each = |item| {
            failed = self.item(&mut talks, item);
            if failed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let ended = read(kind, input, &Ground::default(), &mut |_| {}, &mut each);
        failed?;
        for (_, mut talk) in std::mem::take(&mut talks) {
            talk.finish(self.now);
            self.witnessed(&mut talk, 0)?;
        }
        match ended {
            Ok(Ended::Whole | Ended::Stopped) => {}
            Ok(Ended::Broken { place, why }) => {
                self.failures += 1;
                writeln!(self.err, "{source} after frame {}: {why}", number(place))?;
            }
            Err(error) => {
                self.unreadable(&error)?;
            }
        }
        self.unit = "line";
        self.out.flush()
    }

    fn item(&mut self, talks: &mut Talks, item: Item) -> io::Result<()> {
        match item {
            Item::Record(record) => self.record(talks, record),
            Item::Closed { connection, at, .. } => {
                let Some(mut talk) = talks.remove(&connection) else { return Ok(()) };
                talk.finish(at.unwrap_or(self.now));
                self.witnessed(&mut talk, 0)
            }
            Item::Passed { .. } => {
                self.passed += 1;
                Ok(())
            }
            Item::Rejected { place, why } => {
                self.failures += 1;
                self.complain(number(place), &why)
            }
        }
    }

    fn record(&mut self, talks: &mut Talks, record: Record) -> io::Result<()> {
        self.buffers += 1;
        let (at, place) = (record.at.unwrap_or(self.now), number(record.place));
        if let Some(cut) = &record.cut {
            self.complain(place, cut)?;
        }
        match record.protocol {
            Protocol::OwnTracks => {
                let (key, context) = (self.args.owntracks_key.as_deref(), record.context.as_deref());
                let dissection = match record.direction {
                    Direction::In => owntracks::dissect_kept(&record.bytes, context, key, at),
                    Direction::Out => owntracks::dissect_with(&record.bytes, key, at),
                };
                self.print(place, &said(record.protocol, record.direction), 0, &record.bytes, &dissection)
            }
            Protocol::Gt06 => {
                let line = Line { peer: record.peer, connection: record.connection };
                let talk = talks.entry(record.connection).or_insert_with(|| Witness::new(line));
                match record.direction {
                    Direction::In => talk.heard(at, &record.bytes),
                    Direction::Out => talk.answered(at, &record.bytes),
                }
                self.witnessed(talk, place)
            }
        }
    }

    fn witnessed(&mut self, talk: &mut Witness, place: usize) -> io::Result<()> {
        while let Some(witnessed) = talk.poll() {
            let packet = match witnessed {
                Witnessed::Identify(identity) => {
                    talk.identified(Admission::Device(Box::new(stranger(identity, &self.profile, self.now))));
                    continue;
                }
                Witnessed::Heard { packet, .. } | Witnessed::Answered { packet, .. } => row(*packet),
            };
            let dissection = wire::dissect_kept(&packet, &self.profile);
            self.around = gt06::State::from_context(packet.context.as_deref());
            self.print(place, &said(packet.protocol, packet.direction), 0, &packet.bytes, &dissection)?;
        }
        Ok(())
    }

    /// One of our own JSON lines.
    pub(super) fn own(&mut self, line_number: usize, line: &[u8]) -> io::Result<()> {
        let mut records = Vec::new();
        let mut complaints: Vec<Complaint> = Vec::new();
        let mut each = |item| {
            match item {
                Item::Record(record) => records.push(record),
                Item::Rejected { why, .. } => complaints.push(why),
                Item::Closed { .. } | Item::Passed { .. } => {}
            }
            ControlFlow::Continue(())
        };
        read(Kind::Text, line, &Ground::default(), &mut |_| {}, &mut each)?;
        for Record { bytes, protocol, direction, cut, .. } in records {
            self.buffers += 1;
            self.buffer(line_number, &Buffer { bytes, protocol, direction, cut })?;
        }
        for why in complaints {
            self.failures += 1;
            self.complain(line_number, &why)?;
        }
        self.out.flush()
    }
}

fn number(place: Place) -> usize {
    match place {
        Place::Line(n) | Place::Frame(n) => usize::try_from(n).unwrap_or(usize::MAX),
    }
}

/// Protocol and direction, as the listing wants them.
fn said(protocol: Protocol, direction: Direction) -> Buffer {
    Buffer { bytes: Vec::new(), protocol, direction, cut: None }
}

/// A device of which nothing is known but its name.
fn stranger(identity: Identity, profile: &Profile, now: Timestamp) -> Device {
    Device {
        id: DeviceId(0),
        identity,
        protocol: Protocol::Gt06,
        name: None,
        state: DeviceState::Adopted,
        profile: profile.clone(),
        first_seen: now,
        last_heard: None,
    }
}

fn row(packet: NewPacket) -> PacketRow {
    PacketRow {
        id: PacketId(0),
        received: packet.received,
        protocol: packet.protocol,
        direction: packet.direction,
        peer: packet.peer,
        connection: packet.connection,
        device: None,
        kind: packet.kind,
        verdict: packet.verdict,
        bytes: packet.bytes.into(),
        context: packet.context.map(Arc::from),
        answers: packet.answers,
    }
}
