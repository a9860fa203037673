//! Where records go: tells tracks apart, and words what cannot be used.

use std::{collections::HashMap, io, ops::ControlFlow};

use super::{Item, Mark, Record, Reject, Track};
use crate::{
    model::{Fix, Readings, Report, Timestamp, Trust},
    wire::owntracks::fix_key,
};

/// A file of more devices than this is none of ours, nor one that a person can look through.
const MOST_TRACKS: usize = 10_000;

/// Names are cut here: they are shown, and stored.
pub(super) const MOST_NAME: usize = 256;

/// Why reading ends early.
#[derive(Debug)]
pub(super) enum Halt {
    /// From here on the file makes no sense.
    Broken(Reject),
    Stopped,
    Io(io::Error),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Halt {
    pub(super) fn broken(at: Mark, why: impl Into<String>) -> Self {
        Self::Broken(Reject { at, why: why.into() })
    }
}

/// Everything that one position told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) fix: Fix,
    pub(super) readings: Readings,
    pub(super) received: Option<Timestamp>,
    pub(super) suspect: bool,
}

/// Told of everything in a file, in order.
pub(super) struct Sink<'a> {
    each: &'a mut dyn FnMut(Item) -> ControlFlow<()>,
    tracks: HashMap<Track, usize>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(each: &'a mut dyn FnMut(Item) -> ControlFlow<()>) -> Self {
        Self { each, tracks: HashMap::new() }
    }

    /// The number of a track. The same name and identity are the same track.
    pub(super) fn track(&mut self, at: Mark, name: Option<&str>, identity: Option<&str>) -> Result<usize, Halt> {
        let cut = |text: &str| {
            let text = text.trim();
            (!text.is_empty()).then(|| text.chars().take(MOST_NAME).collect::<String>())
        };
        let track = Track { name: name.and_then(cut), identity: identity.and_then(cut) };
        if let Some(known) = self.tracks.get(&track) {
            return Ok(*known);
        }
        if self.tracks.len() >= MOST_TRACKS {
            return Err(Halt::broken(at, format!("more than {MOST_TRACKS} tracks in one file")));
        }
        let number = self.tracks.len();
        self.tracks.insert(track.clone(), number);
        self.tell(Item::Track(track))?;
        Ok(number)
    }

    pub(super) fn point(&mut self, track: usize, at: Mark, told: Told) -> Result<(), Halt> {
        let Told { fix, readings, received, suspect } = told;
        let trust = if suspect { Trust::Suspect } else { Trust::Good };
        // As a phone's: whatever says the same place at the same moment is the same fix.
        let fix_key = fix_key(fix.place);
        let report = Report { fix: Some(fix), readings, trust, fix_key, ..Report::default() };
        self.record(Record { track, at, received, report })
    }

    pub(super) fn record(&mut self, record: Record) -> Result<(), Halt> {
        self.tell(Item::Record(Box::new(record)))
    }

    pub(super) fn reject(&mut self, at: Mark, why: impl Into<String>) -> Result<(), Halt> {
        self.tell(Item::Reject(Reject { at, why: why.into() }))
    }

    pub(super) fn note(&mut self, text: impl Into<String>) -> Result<(), Halt> {
        self.tell(Item::Note(text.into()))
    }

    fn tell(&mut self, item: Item) -> Result<(), Halt> {
        match (self.each)(item) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Halt::Stopped),
        }
    }
}
