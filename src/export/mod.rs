//! Writes history out in the formats other programs read.
//!
//! [`Export`] is fed device by device and fix by fix, and holds no more than a few hundred fixes at a time, so a year of a
//! fleet needs no more memory than an hour of one phone. It decides which fixes go along and where a track breaks;
//! a format only spells them. To add one: a file beside `gpx.rs` with a `Document`, and a row in [`Format`].

mod gpx;

use std::{
    collections::VecDeque,
    io::{self, Write},
};

use crate::model::{Device, StoredFix, Timestamp, Trust};
use crate::track::rhythm as gap;

/// A format that history can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// GPX 1.1 with Garmin's `TrackPointExtension` v2 for speed and course.
    Gpx,
}

impl Format {
    /// Every format; menus and command line read it.
    pub const ALL: [Self; 1] = [Self::Gpx];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gpx => "gpx",
        }
    }

    /// The file extension, without the dot.
    pub fn extension(self) -> &'static str {
        self.as_str()
    }

    /// The format of a word that [`Format::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == word)
    }

    /// An empty document of this format.
    fn document<'w>(self, out: Box<dyn Write + 'w>) -> Box<dyn Document + 'w> {
        match self {
            Self::Gpx => Box::new(gpx::Gpx::new(out)),
        }
    }
}

/// What a document says about itself before its first point.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub title: String,
    pub description: Option<String>,
    pub written: Timestamp,
    /// The box around every point that will follow. `None` where nobody has asked the store for it.
    pub bounds: Option<Bounds>,
}

/// The smallest and greatest coordinates of a set of places, in degrees. Knows nothing of the antimeridian: west ≤ east.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub south_deg: f64,
    pub west_deg: f64,
    pub north_deg: f64,
    pub east_deg: f64,
}

/// What an export wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Devices with at least one point.
    pub tracks: u64,
    /// Unbroken stretches.
    pub segments: u64,
    pub points: u64,
    /// Left out: positions under a wrong checksum.
    pub hidden: u64,
}

/// The spelling of one format. Calls come as `begin (track (segment point+ end_segment)+ end_track)* end`.
trait Document {
    fn begin(&mut self, header: &Header) -> io::Result<()>;
    fn track(&mut self, device: &Device) -> io::Result<()>;
    fn segment(&mut self) -> io::Result<()>;
    fn point(&mut self, fix: &StoredFix) -> io::Result<()>;
    fn end_segment(&mut self) -> io::Result<()>;
    fn end_track(&mut self) -> io::Result<()>;
    /// Writes what is left and flushes.
    fn end(&mut self) -> io::Result<()>;
}

/// A document being written. Dropping it before [`Export::finish`] leaves half a document.
#[must_use = "an export that is not finished is half a document"]
pub struct Export<'w> {
    document: Box<dyn Document + 'w>,
    with_suspect: bool,
    counts: Counts,
    track: Option<OpenTrack>,
}

/// The device whose fixes are being written.
struct OpenTrack {
    device: Device,
    rhythm: gap::Rhythm,
    /// Fixes that wait until the rhythm is known well enough to tell a gap; empty once it is.
    ahead: VecDeque<StoredFix>,
    /// When the last written point was measured. `None`: nothing of this device is written yet.
    last: Option<Timestamp>,
}

/// Fixes that are read before the first one is written, so that the first gap is judged by what follows it, too.
const LOOK_AHEAD: usize = gap::WINDOW;

impl<'w> Export<'w> {
    /// Begins a document. `with_suspect`: positions under a wrong checksum go along.
    pub fn begin(format: Format, out: impl Write + 'w, header: &Header, with_suspect: bool) -> io::Result<Self> {
        let mut document = format.document(Box::new(out));
        document.begin(header)?;
        Ok(Self { document, with_suspect, counts: Counts::default(), track: None })
    }

    /// From now on fixes are of this device. One that has none leaves nothing in the document.
    pub fn device(&mut self, device: &Device) -> io::Result<()> {
        self.end_track()?;
        self.track =
            Some(OpenTrack { device: device.clone(), rhythm: gap::Rhythm::new(), ahead: VecDeque::new(), last: None });
        Ok(())
    }

    /// The next fix of the device, ordered by the time it was measured.
    pub fn fix(&mut self, fix: StoredFix) -> io::Result<()> {
        match fix.trust {
            Trust::Suspect if !self.with_suspect => {
                self.counts.hidden += 1;
                return Ok(());
            }
            Trust::Suspect | Trust::Good => {}
        }
        let track = self.track.as_mut().expect("a device is named before its fixes");
        track.rhythm.hear(fix.fix.at);
        track.ahead.push_back(fix);
        if track.ahead.len() <= LOOK_AHEAD {
            return Ok(());
        }
        self.write_next()
    }

    /// Ends the document and says what is in it.
    pub fn finish(mut self) -> io::Result<Counts> {
        self.end_track()?;
        self.document.end()?;
        Ok(self.counts)
    }

    /// What is written so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn write_next(&mut self) -> io::Result<()> {
        let Self { document, counts, track: Some(track), .. } = self else { return Ok(()) };
        let Some(fix) = track.ahead.pop_front() else { return Ok(()) };
        match track.last {
            None => {
                document.track(&track.device)?;
                document.segment()?;
                counts.tracks += 1;
                counts.segments += 1;
            }
            Some(last) if gap::between(last, fix.fix.at, track.rhythm.median()) => {
                document.end_segment()?;
                document.segment()?;
                counts.segments += 1;
            }
            Some(_) => {}
        }
        document.point(&fix)?;
        counts.points += 1;
        track.last = Some(fix.fix.at);
        Ok(())
    }

    fn end_track(&mut self) -> io::Result<()> {
        while self.track.as_ref().is_some_and(|t| !t.ahead.is_empty()) {
            self.write_next()?;
        }
        match self.track.take() {
            Some(OpenTrack { last: Some(_), .. }) => {
                self.document.end_segment()?;
                self.document.end_track()
            }
            Some(_) | None => Ok(()),
        }
    }
}
