//! What leaves as GPX is held against the schema's own rules, against xmllint where it is there, and against another reader.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod files;
mod formats;
mod gpsbabel;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use proptest::prelude::*;
use quick_xml::{Reader, events::Event};
use wayglass::{
    export::{Bounds, Counts, Export, Format, Header, Wanted},
    geo::LatLon,
    model::{
        Device, DeviceId, DeviceState, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix, Timestamp,
        Trust,
    },
};

/// 2017-06-15T06:37:31Z, the moment of the Traccar recipe's full sample.
const START_S: i64 = 1_497_508_651;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START_S + second).unwrap()
}

fn device(identity: &str, name: Option<&str>) -> Device {
    Device {
        id: DeviceId(1),
        identity: Identity::new(identity).unwrap(),
        protocol: Protocol::OwnTracks,
        name: name.map(str::to_owned),
        state: DeviceState::Adopted,
        profile: Profile::default(),
        first_seen: at(0),
        last_heard: None,
    }
}

/// The full sample of the recipe, moved in time.
fn fix(second: i64) -> StoredFix {
    StoredFix {
        id: second,
        device: DeviceId(1),
        fix: Fix {
            at: at(second),
            place: LatLon::new(48.85833, 2.29513).unwrap(),
            valid: true,
            altitude_m: Some(167.0),
            speed_kmh: Some(61.0),
            course_deg: Some(271.0),
            satellites: None,
            accuracy_m: Some(5.0),
        },
        received: at(second),
        trust: Trust::Good,
        readings: Readings::new(),
        packet: PacketId(second),
    }
}

fn header(bounds: Option<Bounds>) -> Header {
    Header { title: "Test".to_owned(), description: Some("from & to".to_owned()), written: at(0), bounds }
}

fn write(tracks: &[(Device, Vec<StoredFix>)], bounds: Option<Bounds>, with_suspect: bool) -> (String, Counts) {
    write_as(Format::Gpx, tracks, bounds, Wanted { suspect: with_suspect, ..Wanted::default() })
}

fn write_as(
    format: Format,
    tracks: &[(Device, Vec<StoredFix>)],
    bounds: Option<Bounds>,
    wanted: Wanted,
) -> (String, Counts) {
    let mut out = Vec::new();
    let mut export = Export::begin(format, &mut out, &header(bounds), wanted).unwrap();
    for (device, fixes) in tracks {
        export.device(device).unwrap();
        for fix in fixes {
            export.fix(fix.clone(), false).unwrap();
        }
    }
    let counts = export.finish().unwrap();
    (String::from_utf8(out).unwrap(), counts)
}

/// The sequences of gpx.xsd and TrackPointExtensionv2.xsd, as far as we write them: children only in this order.
fn order_of(element: &str) -> &'static [&'static str] {
    match element {
        "gpx" => &["metadata", "wpt", "rte", "trk", "extensions"],
        "metadata" => &["name", "desc", "author", "copyright", "link", "time", "keywords", "bounds", "extensions"],
        "trk" => &["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "trkseg"],
        "trkseg" => &["trkpt", "extensions"],
        "trkpt" => &[
            "ele",
            "time",
            "magvar",
            "geoidheight",
            "name",
            "cmt",
            "desc",
            "src",
            "link",
            "sym",
            "type",
            "fix",
            "sat",
            "hdop",
            "vdop",
            "pdop",
            "ageofdgpsdata",
            "dgpsid",
            "extensions",
        ],
        "extensions" => &["gpxtpx:TrackPointExtension", "wg:accuracy", "wg:suspect", "wg:reading", "wg:outlier"],
        "gpxtpx:TrackPointExtension" => &[
            "gpxtpx:atemp",
            "gpxtpx:wtemp",
            "gpxtpx:depth",
            "gpxtpx:hr",
            "gpxtpx:cad",
            "gpxtpx:speed",
            "gpxtpx:course",
            "gpxtpx:bearing",
            "gpxtpx:Extensions",
        ],
        _ => &[],
    }
}

/// Elements that may stand more than once in their parent.
const REPEATED: &[&str] = &["trk", "trkseg", "trkpt", "wg:reading"];

/// xsd:decimal: digits with an optional sign and point, no exponent.
fn as_decimal(text: &str) -> f64 {
    assert!(text.chars().all(|c| c.is_ascii_digit() || "+-.".contains(c)), "{text} is no xsd:decimal");
    text.parse().unwrap_or_else(|_| panic!("{text} is no xsd:decimal"))
}

fn check_text(element: &str, text: &str) {
    match element {
        "ele" => {
            as_decimal(text);
        }
        "time" => {
            assert!(text.ends_with('Z') && text.as_bytes().get(4) == Some(&b'-'), "{text} is not UTC with four digits");
            text.parse::<Timestamp>().unwrap();
        }
        "fix" => assert!(["none", "2d", "3d", "dgps", "pps"].contains(&text), "{text}"),
        "sat" => {
            text.parse::<u64>().unwrap();
        }
        "gpxtpx:speed" => assert!(as_decimal(text).is_finite()),
        "gpxtpx:course" => assert!((0.0..=360.0).contains(&as_decimal(text)), "{text}"),
        _ => {}
    }
}

fn check_place(attributes: &BTreeMap<String, String>, lat: &str, lon: &str) {
    for (name, low, high) in [(lat, -90.0, 90.0), (lon, -180.0, 179.999_999_9)] {
        let text = &attributes[name];
        assert!((low..=high).contains(&as_decimal(text)), "{name}={text}");
        assert!(text.split('.').nth(1).is_none_or(|d| d.len() <= 7 && !d.ends_with('0')), "{name}={text}");
    }
}

/// Holds a document against the rules of both schemas.
fn check_schema(document: &str) {
    let mut reader = Reader::from_str(document);
    let mut open: Vec<(String, usize, String)> = Vec::new();
    let forbidden = |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    assert!(!document.contains(forbidden), "a character that XML 1.0 cannot hold");
    loop {
        let event = reader.read_event().unwrap();
        let (start, empty) = match event {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::Text(text) => {
                if let Some((_, _, all)) = open.last_mut() {
                    all.push_str(&text);
                }
                continue;
            }
            Event::End(_) => {
                let (element, _, text) = open.pop().unwrap();
                check_text(&element, &text);
                continue;
            }
            Event::Eof => break,
            Event::GeneralRef(_) | Event::Decl(_) => continue,
            other => panic!("unexpected {other:?}"),
        };
        let name = start.name().as_ref().to_owned();
        let attributes: BTreeMap<String, String> =
            start.attributes().map(|a| a.unwrap()).map(|a| (a.key.as_ref().to_owned(), a.value.into_owned())).collect();
        match open.last_mut() {
            None => assert_eq!(name, "gpx"),
            Some((parent, reached, _)) => {
                let order = order_of(parent);
                let place = order.iter().position(|n| *n == name).unwrap_or_else(|| panic!("{name} in {parent}"));
                let next = if REPEATED.contains(&name.as_str()) { place + 1 } else { place + 2 };
                assert!(*reached <= place + 1, "{name} stands too late in {parent}");
                *reached = next;
            }
        }
        match name.as_str() {
            "gpx" => {
                assert_eq!((attributes["version"].as_str(), attributes["creator"].is_empty()), ("1.1", false));
                assert_eq!(attributes["xmlns"], "http://www.topografix.com/GPX/1/1");
            }
            "trkpt" => check_place(&attributes, "lat", "lon"),
            "bounds" => {
                check_place(&attributes, "minlat", "minlon");
                check_place(&attributes, "maxlat", "maxlon");
            }
            _ => {}
        }
        if !empty {
            open.push((name, 0, String::new()));
        }
    }
    assert!(open.is_empty());
}

/// xmllint with the schemas that lie beside the checkout, where both are there.
fn check_xmllint(document: &str) {
    let schema = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/schemas/gpx-with-garmin.xsd");
    if schema.is_file() {
        check_with_xmllint(document, &schema);
    }
}

/// xmllint with these schemas, where it is there.
fn check_with_xmllint(document: &str, schema: &std::path::Path) {
    let lint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(schema)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut lint) = lint else { return };
    lint.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let output = lint.wait_with_output().unwrap();
    assert!(output.status.success(), "xmllint: {}\n{document}", String::from_utf8_lossy(&output.stderr));
}

fn read_back(document: &str) -> gpx::Gpx {
    gpx::read(document.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{document}"))
}

#[test]
fn the_full_sample_leaves_with_everything_it_said() {
    let bounds = Bounds { south_deg: 48.85833, west_deg: 2.29513, north_deg: 48.85833, east_deg: 2.29513 };
    let (document, counts) = write(&[(device("owntracks/jane/iphone", None), vec![fix(0)])], Some(bounds), false);
    check_schema(&document);
    check_xmllint(&document);
    assert_eq!(counts, Counts { tracks: 1, segments: 1, points: 1, ..Counts::default() });
    let expected = r#"  <trkseg>
   <trkpt lat="48.85833" lon="2.29513">
    <ele>167</ele>
    <time>2017-06-15T06:37:31Z</time>
    <fix>3d</fix>
    <extensions>
     <gpxtpx:TrackPointExtension>
      <gpxtpx:speed>16.944</gpxtpx:speed>
      <gpxtpx:course>271</gpxtpx:course>
     </gpxtpx:TrackPointExtension>
    </extensions>
   </trkpt>
  </trkseg>
"#;
    assert!(document.contains(expected), "{document}");
    assert!(document.contains("<src>OwnTracks owntracks/jane/iphone</src>"), "{document}");
}

#[test]
fn what_is_unknown_is_left_out() {
    let mut bare = fix(0);
    bare.fix.altitude_m = None;
    bare.fix.speed_kmh = None;
    bare.fix.course_deg = None;
    bare.fix.valid = false;
    bare.fix.satellites = Some(9);
    bare.fix.at = Timestamp::from_millisecond(START_S * 1000 + 250).unwrap();
    let (document, _) = write(&[(device("1", None), vec![bare])], None, false);
    check_schema(&document);
    check_xmllint(&document);
    let expected = "   <trkpt lat=\"48.85833\" lon=\"2.29513\">\n    <time>2017-06-15T06:37:31.25Z</time>\n    <fix>none</fix>\n    \
                    <sat>9</sat>\n   </trkpt>\n";
    assert!(document.contains(expected), "{document}");
    assert!(!document.contains("bounds"));
}

#[test]
fn a_point_says_how_well_satellites_held() {
    for (valid, satellites, altitude_m, expected) in [
        (false, Some(9), Some(1.0), "<fix>none</fix><sat>9</sat><hdop>1.25</hdop>"),
        (true, Some(4), None, "<fix>3d</fix><sat>4</sat><hdop>1.25</hdop>"),
        (true, Some(3), None, "<fix>2d</fix><sat>3</sat><hdop>1.25</hdop>"),
        (true, None, Some(1.0), "<fix>3d</fix><hdop>1.25</hdop>"),
        (true, None, None, "</time><hdop>1.25</hdop>"),
    ] {
        let mut told = fix(0);
        (told.fix.valid, told.fix.satellites, told.fix.altitude_m) = (valid, satellites, altitude_m);
        told.fix.at = Timestamp::new(START_S, 123_456_789).unwrap();
        told.readings.set("hdop", 1.25);
        let (document, _) = write(&[(device("1", None), vec![told])], None, false);
        check_schema(&document);
        check_xmllint(&document);
        let flat: String = document.lines().map(str::trim).collect();
        assert!(flat.contains(expected) && flat.contains("<time>2017-06-15T06:37:31.123Z</time>"), "{document}");
    }
}

#[test]
fn a_track_breaks_at_gaps_and_every_device_has_its_own() {
    let pause = 3600;
    // Ten-second rhythm, then an hour of silence, on both sides of the look-ahead.
    let early: Vec<_> = (0..3).map(|i| fix(i * 10)).chain((0..300).map(|i| fix(pause + i * 10))).collect();
    let late: Vec<_> = (0..300).map(|i| fix(i * 10)).chain((0..3).map(|i| fix(3000 + pause + i * 10))).collect();
    // Half an hour is this phone's rhythm, so nothing is missing.
    let slow: Vec<_> = (0..20).map(|i| fix(i * 1800)).collect();
    for (fixes, segments) in [(early, vec![3, 300]), (late, vec![300, 3]), (slow, vec![20])] {
        let tracks =
            [(device("a", Some("A")), fixes), (device("silent", None), vec![]), (device("b", None), vec![fix(0)])];
        let (document, counts) = write(&tracks, None, false);
        check_schema(&document);
        let read = read_back(&document);
        let sizes: Vec<Vec<usize>> =
            read.tracks.iter().map(|t| t.segments.iter().map(|s| s.points.len()).collect()).collect();
        assert_eq!(sizes, [segments.clone(), vec![1]], "the silent device leaves nothing");
        assert_eq!((counts.tracks, counts.segments), (2, segments.len() as u64 + 1));
        assert_eq!(counts.points, segments.iter().sum::<usize>() as u64 + 1);
        assert_eq!(read.tracks[0].name.as_deref(), Some("A"));
    }
}

#[test]
fn suspect_positions_stay_out_unless_asked_for() {
    let mut suspect = fix(10);
    suspect.trust = Trust::Suspect;
    let tracks = [(device("a", None), vec![fix(0), suspect, fix(20)])];
    for (with_suspect, points, left_out) in [(false, 2, 1), (true, 3, 0)] {
        let (_, counts) = write(&tracks, None, with_suspect);
        assert_eq!((counts.points, counts.suspect), (points, left_out));
    }
    let mut alone = fix(0);
    alone.trust = Trust::Suspect;
    let (document, counts) = write(&[(device("a", None), vec![alone])], None, false);
    assert_eq!(counts, Counts { suspect: 1, ..Counts::default() });
    check_schema(&document);
    check_xmllint(&document);
}

#[test]
fn a_full_disk_is_told() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let export = Export::begin(Format::Gpx, Full, &header(None), Wanted::default()).unwrap();
    assert_eq!(export.finish().unwrap_err().kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn the_corners_of_the_globe_and_of_time_fit_the_schema() {
    let mut fixes = Vec::new();
    let corners = [(90.0, 180.0), (-90.0, -180.0), (0.0, 179.999_999_999), (-0.0, -0.0)];
    for (second, (lat, lon)) in (0..).zip(corners) {
        let mut corner = fix(second);
        corner.fix.place = LatLon::new(lat, lon).unwrap();
        corner.fix.course_deg = Some(360.0);
        corner.fix.altitude_m = Some([f64::NAN, f64::INFINITY, -1e300, 1e-300][usize::try_from(second).unwrap()]);
        fixes.push(corner);
    }
    for when in [Timestamp::MIN, Timestamp::MAX] {
        let mut edge = fix(0);
        edge.fix.at = when;
        fixes.push(edge);
    }
    let bounds = Bounds { south_deg: -90.0, west_deg: -180.0, north_deg: 90.0, east_deg: 180.0 };
    let (document, _) = write(&[(device("x", None), fixes)], Some(bounds), false);
    check_schema(&document);
    check_xmllint(&document);
    assert_eq!(document.matches("<gpxtpx:course>0</gpxtpx:course>").count(), 4);
}

prop_compose! {
    fn any_fix()(
        lat in -90.0..=90.0f64, lon in -180.0..=180.0f64, valid: bool, suspect: bool,
        altitude_m in proptest::option::of(proptest::num::f64::ANY),
        speed_kmh in proptest::option::of(proptest::num::f64::ANY),
        course_deg in proptest::option::of(-400.0..400.0f64),
        satellites: Option<u32>,
        millis in 0..4_000_000_000_000i64,
    ) -> StoredFix {
        let mut any = fix(0);
        let at = Timestamp::from_millisecond(millis).unwrap();
        let place = LatLon::new(lat, lon).unwrap();
        any.fix = Fix { at, place, valid, altitude_m, speed_kmh, course_deg, satellites, accuracy_m: None };
        any.trust = if suspect { Trust::Suspect } else { Trust::Good };
        any
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_that_was_stored_leaves_as_valid_gpx(
        name in proptest::option::of(any::<String>()), identity in ".{1,40}",
        mut fixes in proptest::collection::vec(any_fix(), 0..40),
    ) {
        fixes.sort_by_key(|f| f.fix.at);
        let (document, counts) = write(&[(device(&identity, name.as_deref()), fixes.clone())], None, false);
        check_schema(&document);
        let read = read_back(&document);
        let kept: Vec<_> = fixes.iter().filter(|f| f.trust == Trust::Good).collect();
        let points: Vec<_> = read.tracks.iter().flat_map(|t| &t.segments).flat_map(|s| &s.points).collect();
        prop_assert_eq!(points.len(), kept.len());
        prop_assert_eq!(counts.points, kept.len() as u64);
        prop_assert_eq!(counts.suspect, (fixes.len() - kept.len()) as u64);
        for (point, stored) in points.iter().zip(kept) {
            prop_assert!((point.point().y() - stored.fix.place.lat_deg()).abs() < 1e-7);
            let east = point.point().x() - stored.fix.place.lon_deg();
            prop_assert!(east.abs() < 1e-7 || (east + 360.0).abs() < 1e-7);
        }
    }
}

/// One document of every nasty name, so that xmllint starts once.
#[test]
fn names_cannot_break_the_document() {
    let names: [Cow<'static, str>; 7] = [
        "</name><trk>".into(),
        "a & b &amp; &#0; ]]> <![CDATA[".into(),
        "\0\u{1}\u{8}\u{b}\u{c}\u{e}\u{1f}\u{7f}\u{85}\u{fffe}\u{ffff}".into(),
        "line\r\nbreak\ttab".into(),
        "\u{202e}right to left\u{feff}".into(),
        "\u{10ffff}\u{d7ff}\u{e000}".into(),
        "x".repeat(100_000).into(),
    ];
    let tracks: Vec<_> = names.iter().map(|n| (device("d", Some(n)), vec![fix(0)])).collect();
    let (document, counts) = write(&tracks, None, false);
    check_schema(&document);
    check_xmllint(&document);
    assert_eq!(counts.tracks, 7);
    let read = read_back(&document);
    assert_eq!(read.tracks[0].name.as_deref(), Some("</name><trk>"));
    assert_eq!(read.tracks[1].name.as_deref(), Some("a & b &amp; &#0; ]]> <![CDATA["));
}

/// The memory of an export does not grow with the track: every point leaves at once, but for those looked ahead.
#[test]
fn points_leave_while_the_track_is_read() {
    let mut export = Export::begin(Format::Gpx, std::io::sink(), &header(None), Wanted::default()).unwrap();
    export.device(&device("a", None)).unwrap();
    for second in 0..10_000 {
        export.fix(fix(second), false).unwrap();
        let waiting = second + 1 - i64::try_from(export.counts().points).unwrap();
        assert!(waiting <= 129, "{waiting} points are held back");
    }
    assert_eq!(export.finish().unwrap().points, 10_000);
}
