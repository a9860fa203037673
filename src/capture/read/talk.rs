//! One TCP connection of a capture: finds out who is the device and what is spoken, and tells what was said.

use std::{net::SocketAddr, sync::Arc};

use super::{
    Halt, Sink,
    http::{self, Cutter, Next},
    link::Segment,
    tcp::{Run, Stream},
};
use crate::{
    capture::{Closer, Item, Place, Record},
    model::{Direction, Protocol, Timestamp},
    wire::dress::Complaint,
};

/// The two ends, as the first segment had them.
const ENDS: usize = 2;
/// Bytes that are looked at for what is spoken.
const LOOKED_AT: usize = 256;
/// Runs that wait until it is known who is the device.
const MOST_UNDECIDED: usize = 16;

/// A connection.
pub(super) struct Talk {
    ends: [SocketAddr; ENDS],
    number: u64,
    streams: [Stream; ENDS],
    /// Who sent the first SYN.
    opener: Option<usize>,
    spoken: Spoken,
    undecided: Vec<(usize, Run)>,
    last_at: Option<Timestamp>,
    /// The end that hung up first.
    hung_up: Option<usize>,
    pub(super) last_frame: u64,
}

enum Spoken {
    Unknown,
    Gt06 {
        device: usize,
    },
    Http {
        device: usize,
        cutters: Box<[Cutter; ENDS]>,
    },
    /// Nothing of ours.
    Other,
}

impl Talk {
    pub(super) fn new(segment: &Segment<'_>, number: u64) -> Self {
        Self {
            ends: [segment.from, segment.to],
            number,
            streams: Default::default(),
            opener: None,
            spoken: Spoken::Unknown,
            undecided: Vec::new(),
            last_at: None,
            hung_up: None,
            last_frame: 0,
        }
    }

    /// True where this segment begins another connection between the same ends.
    pub(super) fn is_anew(&self, segment: &Segment<'_>) -> bool {
        let used = self.opener.is_none() || self.streams.iter().any(|stream| stream.told() || stream.over());
        segment.syn && segment.acknowledged.is_none() && self.streams.iter().any(Stream::begun) && used
    }

    /// Takes a segment in; true where the connection is over.
    pub(super) fn take(
        &mut self,
        at: Option<Timestamp>,
        frame: u64,
        segment: &Segment<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<bool, Halt> {
        let place = Place::Frame(frame);
        (self.last_at, self.last_frame) = (at, frame);
        let end = usize::from(segment.from != self.ends[0]);
        let [first, second] = &mut self.streams;
        let (own, other) = if end == 0 { (first, second) } else { (second, first) };
        if segment.syn {
            own.opened(segment.sequence);
            if segment.acknowledged.is_none() {
                self.opener = Some(end);
            }
        }
        let sequence = if segment.syn { segment.sequence.wrapping_add(1) } else { segment.sequence };
        own.take(at, place, sequence, segment.bytes);
        if segment.fin || segment.rst {
            self.hung_up.get_or_insert(end);
        }
        if segment.fin {
            own.ends(sequence, segment.bytes.len());
        }
        let (own_runs, over) = (own.ready(), segment.rst);
        if let Some(number) = segment.acknowledged {
            other.acknowledged(number);
        }
        let other_runs = other.ready();
        let over = over || own.over() && other.over();
        // What was acknowledged came before the acknowledgement.
        self.runs(1 - end, other_runs, sink)?;
        self.runs(end, own_runs, sink)?;
        if segment.cut && !segment.bytes.is_empty() {
            sink.rejected(
                place,
                "the capture holds less of this frame than was sent (its snapshot length is too small)",
            )?;
        }
        if over {
            self.finish(sink)?;
        }
        Ok(over)
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), Halt> {
        for end in 0..ENDS {
            let Some(stream) = self.streams.get_mut(end) else { continue };
            stream.finish();
            let runs = stream.ready();
            self.runs(end, runs, sink)?;
        }
        if matches!(self.spoken, Spoken::Unknown) {
            self.decide(true);
            self.tell_undecided(sink)?;
        }
        if let Spoken::Http { .. } = self.spoken {
            for end in 0..ENDS {
                self.http(end, &[], self.last_at, Place::Frame(self.last_frame), true, sink)?;
            }
        }
        if let Spoken::Gt06 { device } | Spoken::Http { device, .. } = self.spoken {
            let by = match self.hung_up {
                Some(end) if end == device => Closer::Device,
                Some(_) => Closer::Server,
                None => Closer::Unsaid,
            };
            sink.put(Item::Closed { connection: self.number, at: self.last_at, by })?;
        }
        Ok(())
    }

    fn runs(&mut self, end: usize, runs: Vec<Run>, sink: &mut Sink<'_>) -> Result<(), Halt> {
        for run in runs {
            match self.spoken {
                Spoken::Unknown => {
                    self.undecided.push((end, run));
                    self.decide(self.undecided.len() >= MOST_UNDECIDED);
                    if !matches!(self.spoken, Spoken::Unknown) {
                        self.tell_undecided(sink)?;
                    }
                }
                Spoken::Gt06 { .. } | Spoken::Http { .. } | Spoken::Other => self.tell(end, run, sink)?,
            }
        }
        Ok(())
    }

    /// Finds out what is spoken, and who is the device. `now`: there will be no better time.
    fn decide(&mut self, now: bool) {
        let mut guess = None;
        for end in 0..ENDS {
            let said = self.undecided.iter().filter(|(by, _)| *by == end).flat_map(|(_, run)| run.bytes.iter());
            let said: Vec<u8> = said.take(LOOKED_AT).copied().collect();
            match who(&said) {
                Who::Device => return self.spoken = Spoken::Gt06 { device: end },
                Who::Server => return self.spoken = Spoken::Gt06 { device: 1 - end },
                Who::Client => return self.spoken = Spoken::Http { device: end, cutters: Box::default() },
                Who::HttpServer => return self.spoken = Spoken::Http { device: 1 - end, cutters: Box::default() },
                Who::Gt06 => guess = Some(end),
                Who::Nobody => {}
            }
        }
        if let Some(end) = guess.filter(|_| now || self.opener.is_some()) {
            self.spoken = Spoken::Gt06 { device: self.opener.unwrap_or(end) };
        } else if now {
            // Where trackers are listened to by custom, junk counts as theirs.
            let by_port =
                (0..ENDS).find(|end| self.ends.get(*end).is_some_and(|at| at.port() == Protocol::Gt06.default_port()));
            self.spoken = by_port.map_or(Spoken::Other, |server| Spoken::Gt06 { device: 1 - server });
        }
    }

    fn tell_undecided(&mut self, sink: &mut Sink<'_>) -> Result<(), Halt> {
        for (end, run) in std::mem::take(&mut self.undecided) {
            self.tell(end, run, sink)?;
        }
        Ok(())
    }

    fn tell(&mut self, end: usize, run: Run, sink: &mut Sink<'_>) -> Result<(), Halt> {
        match self.spoken {
            Spoken::Gt06 { device } => {
                let record = self.record(Protocol::Gt06, device, end, run.at, run.place, run.bytes);
                sink.put(Item::Record(Record { cut: lost(run.lost), ..record }))
            }
            Spoken::Http { .. } => {
                if run.lost > 0 {
                    let text = format!("{} bytes before this were not captured", run.lost);
                    sink.rejected(run.place, text)?;
                }
                self.http(end, &run.bytes, run.at, run.place, false, sink)
            }
            Spoken::Unknown | Spoken::Other => sink.passed(run.place),
        }
    }

    fn http(
        &mut self,
        end: usize,
        bytes: &[u8],
        at: Option<Timestamp>,
        place: Place,
        over: bool,
        sink: &mut Sink<'_>,
    ) -> Result<(), Halt> {
        let Spoken::Http { device, cutters } = &mut self.spoken else { return Ok(()) };
        let device = *device;
        let Some(cutter) = cutters.get_mut(end) else { return Ok(()) };
        cutter.push(bytes);
        let mut found = Vec::new();
        loop {
            match cutter.next(over) {
                Next::Wait => break,
                next => found.push(next),
            }
        }
        for next in found {
            match next {
                Next::Message(http::Message { context, method, body, cut }) => {
                    let report = method.as_deref().is_none_or(|method| matches!(method, "POST" | "PUT"));
                    let json = body.trim_ascii_start().first().is_none_or(|b| matches!(b, b'{' | b'['));
                    if !report || !json || (method.is_none() && body.is_empty()) {
                        sink.passed(place)?;
                        continue;
                    }
                    let record = self.record(Protocol::OwnTracks, device, end, at, place, body);
                    let cut = cut.then(|| Complaint {
                        column: 1,
                        text: "the capture holds less of this body than its head declares".to_owned(),
                    });
                    sink.put(Item::Record(Record { context, cut, ..record }))?;
                }
                Next::Broken(_, why) => sink.rejected(place, why)?,
                Next::Wait => {}
            }
        }
        Ok(())
    }

    fn record(
        &self,
        protocol: Protocol,
        device: usize,
        end: usize,
        at: Option<Timestamp>,
        place: Place,
        bytes: Vec<u8>,
    ) -> Record {
        let peer = self.ends.get(device).map(ToString::to_string).unwrap_or_default();
        Record {
            at,
            protocol,
            direction: if end == device { Direction::In } else { Direction::Out },
            peer: Arc::from(peer),
            connection: self.number,
            bytes,
            context: None,
            place,
            cut: None,
        }
    }
}

fn lost(bytes: u32) -> Option<Complaint> {
    (bytes > 0).then(|| Complaint { column: 1, text: format!("{bytes} bytes before these were not captured") })
}

/// Who says such things.
#[derive(Debug, PartialEq, Eq)]
enum Who {
    /// A tracker that logs in.
    Device,
    /// Who answers or commands a tracker.
    Server,
    Client,
    HttpServer,
    /// GT06, from either end.
    Gt06,
    Nobody,
}

fn who(said: &[u8]) -> Who {
    const METHODS: [&[u8]; 4] = [b"POST ", b"PUT ", b"GET ", b"HEAD "];
    if METHODS.iter().any(|method| said.starts_with(method)) {
        return Who::Client;
    }
    if said.starts_with(b"HTTP/1.") {
        return Who::HttpServer;
    }
    match said {
        [b'x', b'x', 0x0d..=0x40, 0x01, ..] => Who::Device,
        [b'x', b'x', 0x05, 0x01, ..] | [b'x', b'x', _, 0x80, ..] => Who::Server,
        [b'x', b'x', ..] | [b'y', b'y', ..] => Who::Gt06,
        // Behind what was lost, or behind junk.
        _ if said.windows(4).any(|w| w == b"\x0d\x0axx" || w == b"\x0d\x0ayy") => Who::Gt06,
        _ => Who::Nobody,
    }
}
