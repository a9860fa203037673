//! The ways in a GPX file: where somebody went or wants to go, to be driven again. Times may be missing; routes count where there are no tracks.

use std::io::Read;

use super::{
    sink::Halt,
    source::{self, Source},
    values,
    xml::{Elements, Piece, attribute},
};
use crate::model::Waymark;

/// Most points that are read.
const MOST_POINTS: usize = 1_000_000;

/// Why there is no way in a file.
#[derive(Debug, thiserror::Error)]
pub enum WayError {
    #[error("it cannot be read: {0}")]
    Io(std::io::Error),
    #[error("{0}")]
    Broken(String),
    #[error("it has neither a track nor a route with two points")]
    None,
    #[error("it has more than {MOST_POINTS} points")]
    TooMany,
}

/// The ways in a GPX file that have two points at least: tracks, with all their segments as one; where there are none, routes.
pub fn ways(input: impl Read) -> Result<Vec<Vec<Waymark>>, WayError> {
    let mut passed = |_| {};
    let mut source = Source::new(input, &mut passed);
    let found = read(&mut source).map_err(|halt| match halt {
        Halt::Broken(reject) => WayError::Broken(format!("line {}: {}", reject.at.line, reject.why)),
        Halt::Io(error) => match source::too_long(&error) {
            Some(why) => WayError::Broken(why),
            None => WayError::Io(error),
        },
        Halt::Stopped => WayError::TooMany,
    })?;
    let (tracks, routes) = found;
    let whole = |ways: Vec<Vec<Waymark>>| ways.into_iter().filter(|way| way.len() > 1).collect::<Vec<_>>();
    let tracks = whole(tracks);
    let ways = if tracks.is_empty() { whole(routes) } else { tracks };
    if ways.is_empty() { Err(WayError::None) } else { Ok(ways) }
}

type Ways = Vec<Vec<Waymark>>;

/// Tracks and routes.
fn read<R: Read>(source: &mut Source<'_, R>) -> Result<(Ways, Ways), Halt> {
    let mut elements = Elements::new(source)?;
    let (mut tracks, mut routes) = (Ways::new(), Ways::new());
    let mut point: Option<(bool, Waymark)> = None;
    let mut points = 0_usize;
    while let Some((at, piece)) = elements.next()? {
        match piece {
            Piece::Open { name, .. } if name == "trk" => tracks.push(Vec::new()),
            Piece::Open { name, .. } if name == "rte" => routes.push(Vec::new()),
            Piece::Open { name, attributes } if matches!(name.as_str(), "trkpt" | "rtept") => {
                let place = values::place(attribute(&attributes, "lat"), attribute(&attributes, "lon"));
                let place = place.map_err(|why| Halt::broken(at, why))?;
                point = Some((name == "trkpt", Waymark { place, altitude_m: None, at: None }));
            }
            Piece::Close { name, text } => match (name.as_str(), &mut point) {
                ("ele", Some((_, mark))) => mark.altitude_m = values::number(&text),
                ("time", Some((_, mark))) => mark.at = values::utc(&text).ok().or(mark.at),
                ("trkpt" | "rtept", point) => {
                    points += 1;
                    if points > MOST_POINTS {
                        return Err(Halt::Stopped);
                    }
                    if let Some((of_track, mark)) = point.take()
                        && let Some(way) = if of_track { tracks.last_mut() } else { routes.last_mut() }
                    {
                        way.push(mark);
                    }
                }
                _ => {}
            },
            Piece::Open { .. } => {}
        }
    }
    Ok((tracks, routes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn gpx(inside: &str) -> String {
        format!("<?xml version='1.0'?><gpx version='1.1' xmlns='http://www.topografix.com/GPX/1/1'>{inside}</gpx>")
    }

    #[test]
    fn tracks_go_before_routes_and_segments_are_one_way() {
        let route = "<rte><rtept lat='1' lon='2'/><rtept lat='1.5' lon='2'><ele>7</ele></rtept></rte>";
        let track = "<trk><trkseg><trkpt lat='50' lon='4'><time>2026-01-01T00:00:00Z</time></trkpt></trkseg>
                     <trkseg><trkpt lat='50.1' lon='4'><time>2026-01-01T00:01:00Z</time></trkpt></trkseg></trk>";
        let read = |text: &str| ways(gpx(text).as_bytes());
        let both = read(&format!("{route}{track}<trk/>")).unwrap();
        assert_eq!((both.len(), both[0].len()), (1, 2));
        assert_eq!(both[0][1].at.map(Timestamp::as_second), Some(1_767_225_660));
        let planned = read(route).unwrap();
        assert_eq!((planned[0][1].altitude_m, planned[0][1].at), (Some(7.0), None));
        for (text, says) in [
            ("<trk><trkseg><trkpt lat='50' lon='4'/></trkseg></trk>", "two points"),
            ("<trk><trkseg><trkpt lat='150' lon='4'/></trkseg></trk>", "line 1"),
            ("", "two points"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
