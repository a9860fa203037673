//! Reads history out of the files of other programs: GPX, KML, GeoJSON, CSV, the log of OwnTracks Recorder.
//!
//! [`read`] streams: it tells track by track and record by record what a file holds, in constant memory, and where in the file each record
//! stands. What cannot be used is told as well, with the reason ([`Item::Reject`]), and what stood before a place where a file breaks off is
//! good ([`Ended::Broken`]). Files come from strangers: every piece has a bound, and nothing is taken on the file's word.
//!
//! | module | holds |
//! |---|---|
//! | `source` | bytes with their line and offset, piece by piece |
//! | `sniff` | what a file is, by its first bytes |
//! | `sink` | where records go: tracks told apart, rejects worded |
//! | `values` | numbers, moments and places as files spell them |
//! | `xml` | elements, one by one |
//! | `gpx`, `kml`, `geojson`, `csv`, `rec` | one format each |

mod csv;
mod geojson;
mod gpx;
mod kml;
mod kmz;
mod rec;
mod sink;
mod sniff;
mod source;
mod values;
mod way;
mod xml;

use std::{
    fmt,
    io::{self, Read},
    ops::ControlFlow,
};

use jiff::tz::TimeZone;

use self::{
    sink::{Halt, Sink},
    source::Source,
};
use crate::model::{Report, Timestamp};
pub use sniff::{HEAD_BYTES, Refusal, sniff};
pub use way::{WayError, ways};

/// A format that history can be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GPX 1.0 and 1.1.
    Gpx,
    /// KML, `gx:Track` among it; KMZ, which is KML in a ZIP archive.
    Kml,
    /// RFC 7946, and one feature a line.
    GeoJson,
    /// Ours, Traccar's, and others with a header that says what is in it.
    Csv,
    /// A log of OwnTracks Recorder, or one OwnTracks message a line.
    Rec,
}

impl Kind {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Gpx, Self::Kml, Self::GeoJson, Self::Csv, Self::Rec];

    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gpx => "gpx",
            Self::Kml => "kml",
            Self::GeoJson => "geojson",
            Self::Csv => "csv",
            Self::Rec => "rec",
        }
    }

    /// What a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Gpx => "GPX",
            Self::Kml => "KML",
            Self::GeoJson => "GeoJSON",
            Self::Csv => "CSV",
            Self::Rec => "OwnTracks Recorder",
        }
    }

    /// The format of a word that [`Kind::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// Counted from 1.
    pub line: u64,
    /// Bytes from the beginning of the line, from 0.
    pub column: u64,
    /// Bytes from the beginning of the file, from 0.
    pub byte: u64,
}

/// Beyond this many bytes into a line, its number alone leads nobody to the place.
pub const LONG_LINE: u64 = 1_000;

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, byte } = self;
        if *column < LONG_LINE { write!(f, "line {line}") } else { write!(f, "line {line}, byte {byte}") }
    }
}

/// Whose records follow, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Track {
    /// What the file calls it.
    pub name: Option<String>,
    /// The identity of its device, where the file says it: 15 digits, or a topic.
    pub identity: Option<String>,
}

impl Track {
    /// What a person calls it.
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.identity.as_deref()).unwrap_or("unnamed")
    }
}

/// One position.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Which of the tracks so far, from 0.
    pub track: usize,
    pub at: Mark,
    /// When whoever wrote the file received it; `None` where the file does not say.
    pub received: Option<Timestamp>,
    /// Its fix is always there.
    pub report: Report,
}

/// Something that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub at: Mark,
    pub why: String,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.why)
    }
}

/// What [`read`] tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// One more track; the first is number 0.
    Track(Track),
    Record(Box<Record>),
    Reject(Reject),
    /// Something that whoever looks at all of it should know, once.
    Note(String),
}

/// How reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// All of the file was read.
    Whole,
    /// From here on it makes no sense.
    Broken(Reject),
    /// Whoever listens had enough.
    Stopped,
}

/// What must be known beside the bytes.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Stands in where a record of Recorder tells no time of its own.
    pub now: Timestamp,
    /// The zone of times that name none, in CSV.
    pub zone: TimeZone,
    /// Where the file lies: Recorder names folders after user and device.
    pub path: std::path::PathBuf,
}

/// Reads a file of this kind. Errs only where its bytes cannot be had; `each` may break it off. `passed` hears how many bytes are read.
pub fn read(
    kind: Kind,
    input: impl Read,
    ground: &Ground,
    passed: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> io::Result<Ended> {
    let mut source = Source::new(input, passed);
    let mut sink = Sink::new(each);
    let ended = match kind {
        Kind::Gpx => gpx::read(&mut source, &mut sink),
        Kind::Kml => match source.peek(|head| head.len() >= 4).map(kmz::is_zip) {
            Ok(true) => kmz::read(&mut source, &mut sink),
            Ok(false) => kml::read(&mut source, &mut sink),
            Err(error) => Err(error.into()),
        },
        Kind::GeoJson => geojson::read(&mut source, &mut sink),
        Kind::Csv => csv::read(&mut source, &mut sink, ground),
        Kind::Rec => rec::read(&mut source, &mut sink, ground),
    };
    match ended {
        Ok(()) => Ok(Ended::Whole),
        Err(Halt::Broken(reject)) => Ok(Ended::Broken(reject)),
        Err(Halt::Stopped) => Ok(Ended::Stopped),
        Err(Halt::Io(error)) => match source::too_long(&error) {
            Some(why) => Ok(Ended::Broken(Reject { at: source.mark(), why })),
            None => Err(error),
        },
    }
}
