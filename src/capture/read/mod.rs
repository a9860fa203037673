//! Reads a capture, whatever it was written by: finds out what it is, and streams what it holds.
//!
//! | module | reads |
//! |---|---|
//! | `sniff` | what a file is, by its first bytes |
//! | `text` | logs, hex dumps, Recorder's log, JSON bodies, one a line |
//! | `heading` | what a line of a log says beside its bytes: time, connection, peer |
//! | `objects` | JSON: our own lines, arrays of bodies |
//! | `pcap` | pcap and pcapng; `link` finds TCP in a frame, `tcp` puts segments in order, `talk` finds out who the device is, `http` cuts bodies |
//!
//! Files come from strangers: every buffer here has a bound, and what does not fit one is said.

mod heading;
mod http;
mod link;
mod objects;
mod pcap;
mod sniff;
mod talk;
mod tcp;
mod text;

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read},
    ops::ControlFlow,
    path::PathBuf,
};

use jiff::tz::TimeZone;

pub use objects::own_line;
pub use sniff::{HEAD_BYTES, Kind, Refusal, sniff};

use super::{Closer, Item, Place, Record};
use crate::{
    model::{Direction, Protocol},
    wire::dress::Complaint,
};

/// Connections that are told apart by what a line calls them; further ones are one.
const MOST_CONNECTIONS: usize = 100_000;
/// Bytes of raw frames that become one record.
const RAW_BYTES: usize = 4096;

/// What a capture stands on beside its bytes.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// Where it lies: Recorder's folders tell whose log it is.
    pub path: Option<PathBuf>,
}

impl Default for Ground {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, path: None }
    }
}

/// How the reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Whole,
    /// Whoever took the items had enough.
    Stopped,
    /// From here on nothing can be read; what came before is good.
    Broken {
        place: Place,
        why: String,
    },
}

/// Streams everything in a capture to `each`, in order. `passed` is told how many bytes were read so far. Errs where the input does.
pub fn read<R: Read>(
    kind: Kind,
    input: R,
    ground: &Ground,
    passed: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> io::Result<Ended> {
    let input = Counting { input, bytes: 0, passed };
    let mut sink = Sink { each };
    let halted = match kind {
        Kind::Pcap => pcap::read_legacy(input, &mut sink),
        Kind::PcapNg => pcap::read_ng(input, &mut sink),
        Kind::Text => text::read(&mut BufReader::with_capacity(1 << 16, input), ground, &mut sink),
        Kind::Frames => raw(&mut BufReader::new(input), &mut sink),
    };
    match halted {
        Ok(()) => Ok(Ended::Whole),
        Err(Halt::Stop) => Ok(Ended::Stopped),
        Err(Halt::Broken(place, why)) => Ok(Ended::Broken { place, why }),
        Err(Halt::Io(error)) => Err(error),
    }
}

/// Frames one behind the other, with nothing around them.
fn raw(input: &mut dyn BufRead, sink: &mut Sink<'_>) -> Result<(), Halt> {
    loop {
        let mut bytes = Vec::new();
        input.take(RAW_BYTES as u64).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return sink.put(Item::Closed { connection: 1, at: None, by: Closer::Unsaid });
        }
        sink.put(Item::Record(Record {
            at: None,
            protocol: Protocol::Gt06,
            direction: Direction::In,
            peer: "".into(),
            connection: 1,
            bytes,
            context: None,
            place: Place::Frame(1),
            cut: None,
        }))?;
    }
}

/// Why a reading goes no further.
#[derive(Debug)]
enum Halt {
    Stop,
    Broken(Place, String),
    Io(io::Error),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where items go.
struct Sink<'a> {
    each: &'a mut dyn FnMut(Item) -> ControlFlow<()>,
}

impl Sink<'_> {
    fn put(&mut self, item: Item) -> Result<(), Halt> {
        match (self.each)(item) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Halt::Stop),
        }
    }

    fn passed(&mut self, place: Place) -> Result<(), Halt> {
        self.put(Item::Passed { place })
    }

    fn rejected(&mut self, place: Place, why: impl Into<String>) -> Result<(), Halt> {
        self.put(Item::Rejected { place, why: Complaint { column: 1, text: why.into() } })
    }
}

/// Numbers for connections, by what the capture calls them.
#[derive(Default)]
struct Numbers {
    known: HashMap<String, u64>,
    last: u64,
}

impl Numbers {
    fn of(&mut self, name: &str) -> u64 {
        if let Some(number) = self.known.get(name) {
            return *number;
        }
        if self.known.len() >= MOST_CONNECTIONS {
            return self.last;
        }
        self.last += 1;
        self.known.insert(name.to_owned(), self.last);
        self.last
    }

    /// What has this name from now on is another connection.
    fn forget(&mut self, name: &str) -> Option<u64> {
        self.known.remove(name)
    }
}

/// Tells how far the reading is.
struct Counting<'a, R> {
    input: R,
    bytes: u64,
    passed: &'a mut dyn FnMut(u64),
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes += read as u64;
        (self.passed)(self.bytes);
        Ok(read)
    }
}
