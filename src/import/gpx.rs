//! GPX 1.0 and 1.1: points of tracks. Waypoints and routes are places and plans, no history, and are told as such.

use std::io::Read;

use super::{
    Mark,
    sink::{Halt, Sink, Told},
    source::Source,
    values::{self, MOST_READINGS},
    xml::{Elements, Piece, attribute},
};
use crate::model::{Fix, Protocol, Readings};

/// A point whose element is open.
struct Open {
    at: Mark,
    /// `trkpt`, `wpt` or `rtept`.
    element: String,
    lat: Option<String>,
    lon: Option<String>,
    time: String,
    altitude_m: Option<f64>,
    speed_kmh: Option<f64>,
    course_deg: Option<f64>,
    accuracy_m: Option<f64>,
    satellites: Option<u32>,
    valid: bool,
    suspect: bool,
    readings: Readings,
    /// The name of the reading of our own that is open.
    reading: Option<String>,
    within_extensions: usize,
}

/// The track that is open.
#[derive(Default)]
struct OpenTrack {
    name: Option<String>,
    identity: Option<String>,
    number: Option<usize>,
}

/// Reads a document.
pub(super) fn read<R: Read>(source: &mut Source<'_, R>, sink: &mut Sink<'_>) -> Result<(), Halt> {
    let mut elements = Elements::new(source)?;
    let mut track: Option<OpenTrack> = None;
    let mut point: Option<Open> = None;
    while let Some((at, piece)) = elements.next()? {
        match (piece, &mut point) {
            (Piece::Open { name, attributes }, Some(open)) => open.child(&name, &attributes),
            (Piece::Close { name, .. }, Some(open)) if name == open.element => {
                if let Some(done) = point.take() {
                    finish(done, track.as_mut(), sink)?;
                }
            }
            (Piece::Close { name, text }, Some(open)) => open.value(&name, &text),
            (Piece::Open { name, attributes }, None) => match name.as_str() {
                "trk" => track = Some(OpenTrack::default()),
                "trkpt" | "wpt" | "rtept" => point = Some(Open::new(at, name, &attributes)),
                _ => {}
            },
            (Piece::Close { name, text }, None) => match (name.as_str(), &mut track) {
                ("trk", _) => track = None,
                ("name", Some(track)) => track.name = Some(text),
                ("src", Some(track)) => track.identity = identity(&text).map(str::to_owned),
                _ => {}
            },
        }
    }
    Ok(())
}

/// The identity in what we write as a source: `GT06 123456789012345`.
pub(super) fn identity(text: &str) -> Option<&str> {
    Protocol::ALL.into_iter().find_map(|p| text.strip_prefix(p.title())?.strip_prefix(' ')).map(str::trim)
}

fn finish(open: Open, track: Option<&mut OpenTrack>, sink: &mut Sink<'_>) -> Result<(), Halt> {
    let at = open.at;
    match open.element.as_str() {
        "wpt" => return sink.reject(at, "a waypoint is a place, no point of a track"),
        "rtept" => return sink.reject(at, "a point of a route is a plan, no history"),
        _ => {}
    }
    let told = match open.told() {
        Ok(told) => told,
        Err(why) => return sink.reject(at, why),
    };
    let number = match track {
        Some(OpenTrack { number: Some(number), .. }) => *number,
        Some(track) => {
            let number = sink.track(at, track.name.as_deref(), track.identity.as_deref())?;
            track.number = Some(number);
            number
        }
        None => sink.track(at, None, None)?,
    };
    sink.point(number, at, told)
}

impl Open {
    fn new(at: Mark, element: String, attributes: &[(String, String)]) -> Self {
        let text = |name| attribute(attributes, name).map(str::to_owned);
        Self {
            at,
            element,
            lat: text("lat"),
            lon: text("lon"),
            time: String::new(),
            altitude_m: None,
            speed_kmh: None,
            course_deg: None,
            accuracy_m: None,
            satellites: None,
            valid: true,
            suspect: false,
            readings: Readings::new(),
            reading: None,
            within_extensions: 0,
        }
    }

    fn child(&mut self, name: &str, attributes: &[(String, String)]) {
        self.within_extensions += usize::from(name == "extensions" || self.within_extensions > 0);
        if name == "reading" {
            self.reading = attribute(attributes, "name").map(str::to_owned);
        }
    }

    fn value(&mut self, name: &str, text: &str) {
        let extension = self.within_extensions > 0;
        self.within_extensions = self.within_extensions.saturating_sub(1);
        match name {
            "ele" => self.altitude_m = values::number(text),
            "time" if !extension => text.clone_into(&mut self.time),
            // Metres a second, in GPX 1.0 and in every extension.
            "speed" => self.speed_kmh = values::positive(text).map(|ms| ms * 3.6),
            "course" | "bearing" => self.course_deg = values::course(text),
            "sat" => self.satellites = values::count(text),
            "fix" => self.valid = text != "none",
            "accuracy" => self.accuracy_m = values::positive(text),
            "suspect" if extension => self.suspect = true,
            // Found again by whoever shows it.
            "outlier" => {}
            "hdop" | "vdop" | "pdop" => self.readings.set(name.to_owned(), values::number(text)),
            "reading" => {
                if let Some(name) = self.reading.take() {
                    self.keep(name, text);
                }
            }
            _ if extension && !text.is_empty() => self.keep(name.to_owned(), text),
            _ => {}
        }
    }

    fn keep(&mut self, name: String, text: &str) {
        if self.readings.iter().count() < MOST_READINGS && !name.is_empty() {
            self.readings.set(name, values::typed(text));
        }
    }

    fn told(self) -> Result<Told, String> {
        let fix = Fix {
            at: values::utc(&self.time)?,
            place: values::place(self.lat.as_deref(), self.lon.as_deref())?,
            valid: self.valid && !self.suspect,
            altitude_m: self.altitude_m,
            speed_kmh: self.speed_kmh,
            course_deg: self.course_deg,
            satellites: self.satellites,
            accuracy_m: self.accuracy_m,
        };
        Ok(Told { fix, readings: self.readings, received: None, suspect: self.suspect })
    }
}
