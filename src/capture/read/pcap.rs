//! pcap and pcapng: frames out of the file, TCP connections out of the frames.

use std::{collections::HashMap, io::Read, net::SocketAddr};

use pcap_parser::{Block, LegacyPcapReader, PcapBlockOwned, PcapError, PcapNGReader, traits::PcapReaderIterator};

use super::{
    Halt, Sink,
    link::{self, Held},
    talk::Talk,
};
use crate::{capture::Place, model::Timestamp};

/// The buffer of the file: no frame is longer.
const BUFFER_BYTES: usize = 1 << 20;
/// Connections that are open at a time; the one that was silent for longest is taken for ended.
const MOST_TALKS: usize = 4096;
/// Interfaces of a section that are remembered.
const MOST_INTERFACES: usize = 4096;

pub(super) fn read_legacy<R: Read>(input: R, sink: &mut Sink<'_>) -> Result<(), Halt> {
    let reader = LegacyPcapReader::new(BUFFER_BYTES, Filling(input)).map_err(|error| broken(0, &error))?;
    Capture::default().read(reader, sink)
}

pub(super) fn read_ng<R: Read>(input: R, sink: &mut Sink<'_>) -> Result<(), Halt> {
    let reader = PcapNGReader::new(BUFFER_BYTES, Filling(input)).map_err(|error| broken(0, &error))?;
    Capture::default().read(reader, sink)
}

/// Reads as much as there is room for: the reader above takes the first read for the whole header.
struct Filling<R>(R);

impl<R: Read> Read for Filling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read(rest) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

fn broken(frame: u64, error: &PcapError<&[u8]>) -> Halt {
    let why = match error {
        PcapError::UnexpectedEof | PcapError::Incomplete(_) => "the file ends within a frame: it was cut off",
        PcapError::BufferTooSmall => "a frame of more than a megabyte, which is none",
        PcapError::ReadError => return Halt::Io(std::io::Error::other("the file cannot be read")),
        _ => "what follows is no pcap",
    };
    Halt::Broken(Place::Frame(frame), why.to_owned())
}

/// How an interface counts time and dresses its frames.
#[derive(Clone, Copy)]
struct Interface {
    link: i32,
    /// Ticks a second; `None` is nonsense.
    ticks: Option<u64>,
    offset_s: i64,
}

#[derive(Default)]
struct Capture {
    frames: u64,
    interfaces: Vec<Interface>,
    /// Told once: frames of a link that is none we know.
    strange: bool,
    talks: HashMap<(SocketAddr, SocketAddr), Talk>,
    connections: u64,
}

impl Capture {
    fn read(mut self, mut reader: impl PcapReaderIterator, sink: &mut Sink<'_>) -> Result<(), Halt> {
        let ended = loop {
            let at_end = reader.data().is_empty();
            match reader.next() {
                Ok((used, block)) => {
                    self.block(&block, sink)?;
                    reader.consume(used);
                    if used == 0 {
                        break Err(Halt::Broken(Place::Frame(self.frames), "a block without length".to_owned()));
                    }
                }
                Err(PcapError::Eof) => break Ok(()),
                Err(PcapError::Incomplete(_)) => {
                    if let Err(error) = reader.refill() {
                        break Err(broken(self.frames, &error));
                    }
                }
                // Nothing is missing where nothing is left.
                Err(PcapError::UnexpectedEof) if at_end => break Ok(()),
                Err(error) => break Err(broken(self.frames, &error)),
            }
        };
        self.finish(sink)?;
        ended
    }

    fn block(&mut self, block: &PcapBlockOwned<'_>, sink: &mut Sink<'_>) -> Result<(), Halt> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let ticks = if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
                self.interfaces = vec![Interface { link: header.network.0, ticks: Some(ticks), offset_s: 0 }];
                Ok(())
            }
            PcapBlockOwned::Legacy(frame) => {
                let interface = self.interfaces.first().copied();
                let ticks = interface.and_then(|i| i.ticks).unwrap_or(1_000_000);
                let nanos = u64::from(frame.ts_usec) * (1_000_000_000 / ticks.max(1));
                let at = moment(i64::from(frame.ts_sec), nanos);
                self.frame(at, interface, frame.data, frame.caplen, sink)
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                Ok(())
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(about)) => {
                if self.interfaces.len() < MOST_INTERFACES {
                    let (ticks, offset_s) = (about.ts_resolution(), about.ts_offset());
                    self.interfaces.push(Interface { link: about.linktype.0, ticks, offset_s });
                }
                Ok(())
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(frame)) => {
                let interface = usize::try_from(frame.if_id).ok().and_then(|n| self.interfaces.get(n)).copied();
                let count = u64::from(frame.ts_high) << 32 | u64::from(frame.ts_low);
                let at = interface.and_then(|interface| ticked(count, &interface));
                self.frame(at, interface, frame.data, frame.caplen, sink)
            }
            PcapBlockOwned::NG(Block::SimplePacket(frame)) => {
                let interface = self.interfaces.first().copied();
                self.frame(None, interface, frame.data, frame.origlen, sink)
            }
            PcapBlockOwned::NG(_) => Ok(()),
        }
    }

    /// One frame. `len`: padding behind it does not belong to it.
    fn frame(
        &mut self,
        at: Option<Timestamp>,
        interface: Option<Interface>,
        data: &[u8],
        len: u32,
        sink: &mut Sink<'_>,
    ) -> Result<(), Halt> {
        self.frames += 1;
        let place = Place::Frame(self.frames);
        let data = usize::try_from(len).ok().and_then(|len| data.get(..len)).unwrap_or(data);
        let Some(interface) = interface else {
            return sink.rejected(place, "a frame of an interface that the file does not describe");
        };
        match link::look(interface.link, data) {
            Held::Tcp(segment) => {
                let key = (segment.from.min(segment.to), segment.from.max(segment.to));
                if self.talks.get(&key).is_some_and(|talk| talk.is_anew(&segment))
                    && let Some(mut talk) = self.talks.remove(&key)
                {
                    talk.finish(sink)?;
                }
                if !self.talks.contains_key(&key) {
                    if segment.rst || (segment.bytes.is_empty() && !segment.syn) {
                        // The end of what is over already.
                        return Ok(());
                    }
                    self.make_room(sink)?;
                    self.connections += 1;
                    self.talks.insert(key, Talk::new(&segment, self.connections));
                }
                let frame = self.frames;
                if let Some(talk) = self.talks.get_mut(&key)
                    && talk.take(at, frame, &segment, sink)?
                {
                    self.talks.remove(&key);
                }
                Ok(())
            }
            Held::Other => sink.passed(place),
            Held::Unread(why) => sink.rejected(place, why),
            Held::Strange if self.strange => sink.passed(place),
            Held::Strange => {
                self.strange = true;
                let link = interface.link;
                sink.rejected(
                    place,
                    format!("link type {link} is not read: Ethernet, Linux cooked, raw IP and loopback are"),
                )
            }
        }
    }

    fn make_room(&mut self, sink: &mut Sink<'_>) -> Result<(), Halt> {
        if self.talks.len() < MOST_TALKS {
            return Ok(());
        }
        let oldest = self.talks.iter().min_by_key(|(_, talk)| talk.last_frame).map(|(key, _)| *key);
        match oldest.and_then(|key| self.talks.remove(&key)) {
            Some(mut talk) => talk.finish(sink),
            None => Ok(()),
        }
    }

    fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), Halt> {
        let mut left: Vec<Talk> = self.talks.drain().map(|(_, talk)| talk).collect();
        left.sort_unstable_by_key(|talk| talk.last_frame);
        left.iter_mut().try_for_each(|talk| talk.finish(sink))
    }
}

fn moment(seconds: i64, nanos: u64) -> Option<Timestamp> {
    let carry = i64::try_from(nanos / 1_000_000_000).ok()?;
    Timestamp::new(seconds.checked_add(carry)?, i32::try_from(nanos % 1_000_000_000).ok()?).ok()
}

/// The time that a count of ticks stands for.
fn ticked(count: u64, interface: &Interface) -> Option<Timestamp> {
    let ticks = interface.ticks.filter(|ticks| *ticks > 0)?;
    let seconds = i64::try_from(count / ticks).ok()?.checked_add(interface.offset_s)?;
    let nanos = u128::from(count % ticks) * 1_000_000_000 / u128::from(ticks);
    moment(seconds, u64::try_from(nanos).ok()?)
}
