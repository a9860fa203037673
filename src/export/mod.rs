//! Writes history out in the formats other programs read.
//!
//! [`Export`] is fed device by device and fix by fix, and holds no more than a few thousand fixes at a time, so a year of a
//! fleet needs no more memory than an hour of one phone. It decides which fixes go along, which of them are outliers and where a
//! track breaks; a format only spells them. To add one: a file beside `gpx.rs` with a `Document`, and a row in [`Format`].

mod csv;
mod geojson;
mod gpx;
mod kml;
mod spell;

use std::{
    collections::VecDeque,
    io::{self, Write},
};

use crate::model::{Device, Leaps, Spot, StoredFix, Timestamp, Trust};
use crate::track::rhythm as gap;

/// A format that history can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// GPX 1.1 with Garmin's `TrackPointExtension` v2 for speed and course.
    Gpx,
    /// RFC 7946: one feature a position, with everything that it told.
    GeoJson,
    /// KML 2.2 with `gx:Track`, so that there is a time to every point.
    Kml,
    /// RFC 4180: one row a position, units in the header, safe to open in a spreadsheet.
    Csv,
}

impl Format {
    /// Every format; menus and command line read it.
    pub const ALL: [Self; 4] = [Self::Gpx, Self::GeoJson, Self::Kml, Self::Csv];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gpx => "gpx",
            Self::GeoJson => "geojson",
            Self::Kml => "kml",
            Self::Csv => "csv",
        }
    }

    /// What a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Gpx => "GPX 1.1",
            Self::GeoJson => "GeoJSON",
            Self::Kml => "KML",
            Self::Csv => "CSV",
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
    fn document<'w>(self, out: Box<dyn Write + 'w>, wanted: Wanted) -> Box<dyn Document + 'w> {
        match self {
            Self::Gpx => Box::new(gpx::Gpx::new(out, wanted.readings)),
            Self::GeoJson => Box::new(geojson::GeoJson::new(out)),
            Self::Kml => Box::new(kml::Kml::new(out)),
            Self::Csv => Box::new(csv::Csv::new(out)),
        }
    }
}

/// What goes along beside the plain positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Positions under a wrong checksum.
    pub suspect: bool,
    /// Positions that were hidden, by hand or by a rule.
    pub hidden: bool,
    /// In GPX: accuracy and readings too, under a namespace of our own. The other formats have a place for them and always tell them.
    pub readings: bool,
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
    /// Of those, points that nothing could have reached so fast; they are marked.
    pub outliers: u64,
    /// Left out: positions under a wrong checksum.
    pub suspect: u64,
    /// Left out: positions that were hidden.
    pub hidden: u64,
}

impl Counts {
    /// Pauses within tracks, at which they break.
    pub fn gaps(&self) -> u64 {
        self.segments.saturating_sub(self.tracks)
    }

    /// The sum of two documents.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            tracks: self.tracks + other.tracks,
            segments: self.segments + other.segments,
            points: self.points + other.points,
            outliers: self.outliers + other.outliers,
            suspect: self.suspect + other.suspect,
            hidden: self.hidden + other.hidden,
        }
    }
}

/// One point, as a format hears of it.
struct Point<'p> {
    stored: &'p StoredFix,
    /// Nothing could have reached it so fast.
    outlier: bool,
}

/// The spelling of one format. Calls come as `begin (track (segment point+ end_segment)+ end_track)* end`.
trait Document {
    fn begin(&mut self, header: &Header) -> io::Result<()>;
    fn track(&mut self, device: &Device) -> io::Result<()>;
    fn segment(&mut self) -> io::Result<()>;
    fn point(&mut self, point: &Point<'_>) -> io::Result<()>;
    fn end_segment(&mut self) -> io::Result<()>;
    fn end_track(&mut self) -> io::Result<()>;
    /// Writes what is left and flushes.
    fn end(&mut self) -> io::Result<()>;
}

/// A document being written. Dropping it before [`Export::finish`] leaves half a document.
#[must_use = "an export that is not finished is half a document"]
pub struct Export<'w> {
    document: Box<dyn Document + 'w>,
    wanted: Wanted,
    counts: Counts,
    track: Option<OpenTrack>,
}

/// The device whose fixes are being written.
struct OpenTrack {
    device: Device,
    rhythm: gap::Rhythm,
    leaps: Leaps,
    /// Fixes that wait until the rhythm is known well enough to tell a gap, and whether each is an outlier; empty once it is.
    ahead: VecDeque<(StoredFix, bool)>,
    /// When the last written point was measured. `None`: nothing of this device is written yet.
    last: Option<Timestamp>,
}

/// Fixes that are read before the first one is written, so that the first gap is judged by what follows it, too.
const LOOK_AHEAD: usize = gap::WINDOW;

impl<'w> Export<'w> {
    /// Begins a document.
    pub fn begin(format: Format, out: impl Write + 'w, header: &Header, wanted: Wanted) -> io::Result<Self> {
        let mut document = format.document(Box::new(out), wanted);
        document.begin(header)?;
        Ok(Self { document, wanted, counts: Counts::default(), track: None })
    }

    /// From now on fixes are of this device. One that has none leaves nothing in the document.
    pub fn device(&mut self, device: &Device) -> io::Result<()> {
        self.end_track()?;
        let (rhythm, leaps) = (gap::Rhythm::new(), Leaps::default());
        self.track = Some(OpenTrack { device: device.clone(), rhythm, leaps, ahead: VecDeque::new(), last: None });
        Ok(())
    }

    /// The next fix of the device, ordered by the time it was measured. `hidden`: a person or a rule took it from sight.
    pub fn fix(&mut self, fix: StoredFix, hidden: bool) -> io::Result<()> {
        match fix.trust {
            Trust::Suspect if !self.wanted.suspect => {
                self.counts.suspect += 1;
                return Ok(());
            }
            Trust::Suspect | Trust::Good => {}
        }
        let track = self.track.as_mut().expect("a device is named before its fixes");
        let (at, place, accuracy_m) = (fix.fix.at, fix.fix.place, fix.fix.accuracy_m);
        // As the map does it: bytes that cannot be believed say nothing about the others.
        let outlier = fix.trust == Trust::Good && track.leaps.judge(Spot { at, place, accuracy_m }).is_some();
        if hidden && !self.wanted.hidden {
            self.counts.hidden += 1;
            return Ok(());
        }
        track.rhythm.hear(at);
        track.ahead.push_back((fix, outlier));
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
        let Some((fix, outlier)) = track.ahead.pop_front() else { return Ok(()) };
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
        document.point(&Point { stored: &fix, outlier })?;
        counts.points += 1;
        counts.outliers += u64::from(outlier);
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
