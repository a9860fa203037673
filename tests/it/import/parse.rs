//! Each format as its writers spell it: what is read, and what is rejected with line and reason.

use std::{io, ops::ControlFlow};

use jiff::tz::TimeZone;
use wayglass::{
    import::{Ended, Ground, Item, Kind, Record, Reject, Track, read, sniff},
    model::{Timestamp, Trust},
};

/// Everything that a text tells.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) tracks: Vec<Track>,
    pub(super) records: Vec<Record>,
    pub(super) rejects: Vec<Reject>,
    pub(super) notes: Vec<String>,
    pub(super) broken: Option<Reject>,
}

impl Read {
    /// Latitude, longitude, seconds since 1970 and the line of each.
    fn points(&self) -> Vec<(f64, f64, i64, u64)> {
        let point = |record: &Record| {
            let fix = record.report.fix.as_ref().unwrap();
            (fix.place.lat_deg(), fix.place.lon_deg(), fix.at.as_second(), record.at.line)
        };
        self.records.iter().map(point).collect()
    }

    fn rejected(&self) -> Vec<String> {
        self.rejects.iter().map(ToString::to_string).collect()
    }
}

fn ground() -> Ground {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    Ground { now, zone: TimeZone::get("Europe/Brussels").unwrap(), path: "store/rec/jane/iphone/2017-06.rec".into() }
}

pub(super) fn parse_as(kind: Kind, text: &[u8]) -> Read {
    parse_from(kind, text)
}

fn parse_from(kind: Kind, text: impl io::Read) -> Read {
    let mut all = Read::default();
    let ended = read(kind, text, &ground(), &mut |_| {}, &mut |item| {
        match item {
            Item::Track(track) => all.tracks.push(track),
            Item::Record(record) => all.records.push(*record),
            Item::Reject(reject) => all.rejects.push(reject),
            Item::Note(note) => all.notes.push(note),
        }
        ControlFlow::Continue(())
    });
    match ended.unwrap() {
        Ended::Whole => {}
        Ended::Broken(reject) => all.broken = Some(reject),
        Ended::Stopped => panic!("nobody stopped it"),
    }
    all
}

#[track_caller]
fn parse(kind: Kind, text: &str) -> Read {
    assert_eq!(sniff(text.as_bytes()), Ok(kind), "{text}");
    parse_as(kind, text.as_bytes())
}

/// 2017-06-15T06:37:31Z.
const START_S: i64 = 1_497_508_651;

#[test]
fn gpx_of_both_versions_is_read() {
    let text = r#"<?xml version="1.0"?>
<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1" xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2" xmlns:osmand="https://osmand.net">
<metadata><name>not the track</name><time>2020-01-01T00:00:00Z</time></metadata>
<wpt lat="1" lon="2"><name>home</name></wpt>
<trk><name>Tom &amp; Jerry &#33;</name><src>GT06 123456789012345</src><trkseg>
<trkpt lat="48.85833" lon="2.29513"><ele>167</ele><time>2017-06-15T06:37:31Z</time><fix>3d</fix><sat>9</sat><hdop>1.25</hdop>
<extensions><gpxtpx:TrackPointExtension><gpxtpx:speed>10</gpxtpx:speed><gpxtpx:course>271</gpxtpx:course><gpxtpx:hr>120</gpxtpx:hr></gpxtpx:TrackPointExtension></extensions></trkpt>
<trkpt lat="48.9" lon="2.3"/>
<trkpt lat="98.9" lon="2.3"><time>2017-06-15T06:37:41Z</time></trkpt>
<trkpt lon="2.3"><time>2017-06-15T06:37:41Z</time></trkpt>
<trkpt lat="x" lon="2.3"><time>2017-06-15T06:37:41Z</time></trkpt>
<trkpt lat="48.9" lon="2.3"><time>2017-06-15T08:37:51+02:00</time><fix>none</fix><speed>5</speed></trkpt>
</trkseg></trk></gpx>"#;
    let read = parse(Kind::Gpx, text);
    let track = Track { name: Some("Tom & Jerry !".to_owned()), identity: Some("123456789012345".to_owned()) };
    assert_eq!(read.tracks, [track]);
    assert_eq!(read.points(), [(48.85833, 2.29513, START_S, 6), (48.9, 2.3, START_S + 20, 12)]);
    assert_eq!(
        read.rejected(),
        [
            "line 4: a waypoint is a place, no point of a track",
            "line 8: no time",
            "line 9: latitude 98.9, longitude 2.3 is no place on the globe",
            "line 10: no latitude",
            "line 11: the latitude is \"x\", which is no number",
        ]
    );
    let first = read.records[0].report.fix.as_ref().unwrap();
    assert_eq!((first.altitude_m, first.speed_kmh, first.course_deg), (Some(167.0), Some(36.0), Some(271.0)));
    assert_eq!((first.satellites, first.valid), (Some(9), true));
    let readings = &read.records[0].report.readings;
    assert_eq!((readings.get("hdop").unwrap(), readings.get("hr").unwrap()), (&1.25.into(), &120.into()));
    let second = read.records[1].report.fix.as_ref().unwrap();
    assert_eq!((second.speed_kmh, second.valid), (Some(18.0), false), "GPX 1.0 has the speed beside the time");
}

#[test]
fn kml_is_read_with_times_and_told_without() {
    let text = r#"<?xml version="1.0"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><name>Trips</name>
<Placemark><name>Bike</name><gx:Track><when>2017-06-15T06:37:31Z</when><gx:coord>2.29513 48.85833 167</gx:coord>
<when>2017-06-15T06:37:41Z</when><gx:coord>2.3 48.9</gx:coord>
<when>2017-06-15T06:37:51Z</when></gx:Track></Placemark>
<Placemark><name>Stop</name><TimeStamp><when>2017-06-15T06:38:31Z</when></TimeStamp><Point><coordinates>2.4,48.7,12</coordinates></Point></Placemark>
<Placemark><name>Way</name><LineString><coordinates>1,2 3,4</coordinates></LineString></Placemark>
<Placemark><name>Place</name><Point><coordinates>2.4,48.7</coordinates></Point></Placemark>
</Document></kml>"#;
    let read = parse(Kind::Kml, text);
    let names: Vec<_> = read.tracks.iter().map(|t| t.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["Bike", "Trips"]);
    let points = read.points();
    assert_eq!(points[0], (48.85833, 2.29513, START_S, 3));
    assert_eq!((points.len(), points[2].0, read.records[2].track), (3, 48.7, 1));
    assert_eq!(
        read.rejected(),
        ["line 5: a time without a place: \"2017-06-15T06:37:51Z\"", "line 7: a line without times", "line 8: no time",]
    );
}

#[test]
fn geojson_is_read_whatever_it_stands_in() {
    let point = |second: i64| {
        let time = Timestamp::from_second(START_S + second).unwrap();
        format!(
            r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[2.29513,48.85833,167]}},"properties":{{"name":"}}]","time":"{time}","batteryLevel":87}}}}"#
        )
    };
    let collection = format!("{{\"type\":\"FeatureCollection\",\n\"features\":[\n{},\n{}\n]}}", point(0), point(10));
    let lines = format!("{}\n{}\n", point(0), point(10));
    let sequence = format!("\u{1e}{}\n\u{1e}{}\n", point(0), point(10));
    for (text, first_line) in [(&collection, 3), (&lines, 1), (&format!("[{lines}]").replace("\n{", ",\n{"), 1)] {
        let read = parse(Kind::GeoJson, text);
        let expected = [(48.85833, 2.29513, START_S, first_line), (48.85833, 2.29513, START_S + 10, first_line + 1)];
        assert_eq!((read.points(), read.rejected()), (expected.to_vec(), vec![]), "{text}");
        assert_eq!(read.tracks[0].name.as_deref(), Some("}]"), "signs within texts are no structure");
        assert_eq!(read.records[0].report.readings.get("batteryLevel"), Some(&87.into()));
    }
    assert_eq!(parse_as(Kind::GeoJson, sequence.as_bytes()).records.len(), 2);

    let line = r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[2.2,48.8],[2.3,48.9,5]]},"properties":{"coordTimes":["2017-06-15T06:37:31Z",1497508661]}}"#;
    let read = parse(Kind::GeoJson, line);
    assert_eq!(read.points(), [(48.8, 2.2, START_S, 1), (48.9, 2.3, START_S + 10, 1)]);
    let bad = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Polygon","coordinates":[]},"properties":{}},
{"type":"Feature","geometry":null,"properties":{"time":1}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[200,1]},"properties":{"time":1}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[2,1]},"properties":{}},
{"type":"Feature","geometry":{"type":"LineString","coordinates":[[2,1]]},"properties":{"times":[]}},
17, {"a":}
]}"#;
    let rejected = parse(Kind::GeoJson, bad).rejected();
    for (reject, (line, why)) in rejected.iter().zip([
        (2, "a \"Polygon\" is no position"),
        (3, "no feature with a geometry"),
        (4, "no place on the globe"),
        (5, "no time; known are time"),
        (6, "a line of 1 places with 0 times"),
        (7, "no feature"),
        (7, "no feature"),
    ]) {
        assert!(reject.starts_with(&format!("line {line}: ")) && reject.contains(why), "{reject}");
    }
    assert_eq!(rejected.len(), 7, "{rejected:?}");
}

#[test]
fn traccars_csv_has_knots_and_no_zones() {
    let text = "id,deviceId,protocol,serverTime,deviceTime,fixTime,valid,latitude,longitude,altitude,speed,course,address,accuracy,batteryLevel,ignition\n\
        1,7,gt06,2017-06-15 08:37:40,2017-06-15 08:37:31,2017-06-15 08:37:31,true,48.85833,2.29513,0.0,10.0,271.0,\"Rue, 5\",0.0,87.0,true\n\
        2,7,gt06,2017-06-15 08:37:50,2017-06-15 08:37:41,2017-06-15 08:37:41,false,95,2.29513,0.0,10.0,271.0,,0.0,,\n";
    let read = parse(Kind::Csv, text);
    assert_eq!(read.points(), [(48.85833, 2.29513, START_S, 2)], "8:37 in Brussels");
    assert_eq!(read.rejected(), ["line 3: latitude 95, longitude 2.29513 is no place on the globe"]);
    assert_eq!(read.notes, ["its times name no zone and were taken as Europe/Brussels"]);
    let fix = read.records[0].report.fix.as_ref().unwrap();
    assert!((fix.speed_kmh.unwrap() - 18.52).abs() < 1e-9 && fix.accuracy_m.is_none());
    assert_eq!(read.records[0].received.map(Timestamp::as_second), Some(START_S + 9));
    let readings = &read.records[0].report.readings;
    assert_eq!((readings.get("ignition").unwrap(), readings.get("address").unwrap()), (&true.into(), &"Rue, 5".into()));
    assert_eq!(read.tracks[0].identity.as_deref(), Some("7"));
}

#[test]
fn csv_of_others_is_known_by_its_columns() {
    for text in [
        "Lat;Lng;Time\r\n48.5;2.5;2017-06-15T06:37:31Z\r\n",
        "name\ttimestamp\tLATITUDE\tlongitude\nx\t1497508651\t48.5\t2.5\n",
        "date,time,lat,lon\n2017-06-15,08:37:31,48.5,2.5\n",
        "\u{feff}\"latitude\",\"longitude\",\"Date\"\n48.5,2.5,2017-06-15 08:37:31\n\n",
    ] {
        let read = parse_as(Kind::Csv, text.as_bytes());
        assert_eq!(read.points(), [(48.5, 2.5, START_S, 2)], "{text}: {read:?}");
    }
    for end in ["\n", "\r\n"] {
        let rows = ["lat,lon,time,name", "1,2,3,\"a", "b\"", "", "1,2,4,c", "1,2,5,d"];
        let read = parse_as(Kind::Csv, rows.join(end).as_bytes());
        let lines: Vec<_> = read.points().iter().map(|(.., line)| *line).collect();
        assert_eq!(lines, [2, 5, 6], "{end:?}");
    }
    let speed = parse(Kind::Csv, "lat,lon,time,speed\n1,2,3,4\n");
    assert!(speed.records[0].report.fix.as_ref().unwrap().speed_kmh.is_none() && speed.notes[0].contains("no unit"));
    for (text, missing) in [
        ("lat,lon,colour\n1,2,3\n", "no column with the time (as fix_time, time or timestamp)"),
        ("lat,time,colour\n1,2,3\n", "no column with the longitude (as longitude, lon or lng)"),
        ("a,b,c\n1,2,3\n", "no column with the"),
    ] {
        let broken = parse_as(Kind::Csv, text.as_bytes()).broken.unwrap().to_string();
        assert!(
            broken.starts_with("line 1: ") && broken.contains(missing) && broken.contains("the columns are"),
            "{broken}"
        );
    }
    let latin = parse_as(Kind::Csv, b"lat,lon,time,name\n1,2,3,caf\xe9\n1,2,4,tea\n");
    assert_eq!(latin.rejected(), ["line 2: this row is not UTF-8; save the file as UTF-8"]);
    assert_eq!(latin.records.len(), 1);
}

#[test]
fn recorders_log_is_read_as_if_it_came_live() {
    let text = "2017-06-15T06:37:35Z\t*                 \t{\"_type\":\"location\",\"lat\":48.85833,\"lon\":2.29513,\"tst\":1497508651,\"batt\":87,\"vel\":61,\"acc\":5}\n\
        2017-06-15T06:37:36Z\tevent             \t{\"_type\":\"transition\",\"event\":\"enter\",\"tst\":1497508651,\"lat\":1,\"lon\":2,\"acc\":1,\"t\":\"c\"}\n\
        what is this\n\
        2017-06-15T06:37:37Z\t*                 \t{\"_type\":\"location\",\"lat\":48.85833\n\
        2017-06-15T06:37:38Z\t*                 \t{\"_type\":\"encrypted\",\"data\":\"AAAA\"}\n";
    let read = parse(Kind::Rec, text);
    assert_eq!(read.points(), [(48.85833, 2.29513, START_S, 1)]);
    assert_eq!(read.tracks[0].identity.as_deref(), Some("owntracks/jane/iphone"), "by its folders");
    assert_eq!(read.records[0].received.map(Timestamp::as_second), Some(START_S + 4));
    assert_eq!(read.records[0].report.readings.get("batteryLevel"), Some(&87.into()));
    let rejected = read.rejected();
    assert_eq!(rejected.len(), 4, "{rejected:?}");
    assert!(rejected[0].starts_with("line 2: no position in it, but \"transition\""), "{rejected:?}");
    assert!(
        rejected[1].starts_with("line 3: no line of Recorder's")
            && rejected[2].contains("line 4: no position in it: not JSON")
    );
    let alone = parse(
        Kind::Rec,
        "{\"_type\":\"location\",\"topic\":\"owntracks/joe/pixel\",\"lat\":1,\"lon\":2,\"tst\":1497508651}\n{\"_type\":\"location\",\"lat\":1,\"lon\":2}\n",
    );
    assert_eq!(alone.tracks[0].identity.as_deref(), Some("owntracks/joe/pixel"));
    assert_eq!((alone.records.len(), alone.rejected()), (1, vec!["line 2: no time".to_owned()]));
}

#[test]
fn captures_and_other_things_are_called_what_they_are() {
    for (head, words) in [
        (&b"\xd4\xc3\xb2\xa1\x02\0\x04\0"[..], "capture (pcap)"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "wayglass decode"),
        (b"78780D01012345678901234500018CDD0D0A\n", "wayglass decode"),
        (b"2024-01-01 00:00:00  INFO: [T1 < 1.2.3.4] 78780d01012345678901234500018cdd0d0a\n", "wayglass decode"),
        (b"xx\x0d\x01\x01\x23\x45\x67\x89\x01\x23\x45\0\x01\x8c\xdd\x0d\x0a", "capture"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"SQLite format 3\0", "database"),
        (b"\xff\xfe<\0g\0p\0x\0", "UTF-16"),
        (b"<\0g\0p\0x\0 \0v\0e\0r\0s\0i\0o\0n\0=\0\"\0x\0.\0x\0\"\0>\0\n\0<\0t\0r\0k\0", "UTF-16"),
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"<html></html>", "GPX"),
        (b"Dear diary", "Dear diary"),
    ] {
        let refusal = sniff(head).unwrap_err().to_string();
        assert!(refusal.contains(words), "{words} in {refusal}");
    }
}

#[test]
fn what_stood_before_a_break_is_good() {
    let gpx = r#"<gpx><trk><trkseg><trkpt lat="1" lon="2"><time>2017-06-15T06:37:31Z</time></trkpt>"#;
    let kml = "<kml><Placemark><TimeStamp><when>2017-06-15T06:37:31Z</when></TimeStamp><Point><coordinates>2,1</coordinates></Point></Placemark>";
    let json = r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[2,1]},"properties":{"time":1}}"#;
    for (kind, good, more) in [
        (Kind::Gpx, gpx, "<trkpt lat=\"1\""),
        (Kind::Gpx, gpx, "</nonsense>"),
        (Kind::Gpx, gpx, "<trkpt lat=1 lon=2>"),
        (Kind::Gpx, gpx, "</trkseg>"),
        (Kind::Kml, kml, "<Placemark><name>"),
        (Kind::GeoJson, json, ",{\"type\":"),
        (Kind::GeoJson, json, ""),
        (Kind::GeoJson, json, "]"),
    ] {
        let read = parse_as(kind, format!("{good}{more}").as_bytes());
        assert_eq!(read.records.len(), 1, "{kind:?} {more}");
        assert!(read.broken.is_some_and(|broken| broken.to_string().starts_with("line 1")), "{kind:?} {more}");
    }
    let mut deep = gpx.to_owned();
    deep.push_str(&"<a>".repeat(100_000));
    let broken = parse_as(Kind::Gpx, deep.as_bytes()).broken.unwrap();
    assert!(broken.why.contains("nested deeper"), "{broken}");
    let mut deep = json.to_owned();
    deep.push(',');
    deep.push_str(&"[".repeat(100_000));
    deep.push_str(&"]".repeat(100_000));
    deep.push_str("]}");
    let read = parse_as(Kind::GeoJson, deep.as_bytes());
    assert_eq!((read.records.len(), read.rejects.len(), read.broken), (1, 1, None));
    // Entities are never looked up, however they are declared.
    let bomb = r#"<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>
<gpx><trk><name>&b;&c;</name><trkseg><trkpt lat="1" lon="2"><time>2017-06-15T06:37:31Z</time></trkpt></trkseg></trk></gpx>"#;
    assert_eq!(parse(Kind::Gpx, bomb).tracks[0].name.as_deref(), Some("&b;&c;"));
}

#[test]
fn a_suspect_point_of_ours_stays_suspect() {
    let text = "fix_time,latitude,longitude,valid,suspect,device\n2017-06-15T06:37:31Z,1,2,true,true,'=x\n";
    let read = parse(Kind::Csv, text);
    assert_eq!((read.records[0].report.trust, read.tracks[0].name.as_deref()), (Trust::Suspect, Some("=x")));
}

/// A file that comes so many bytes at a time, as out of a pipe.
struct Pieces<'f>(&'f [u8], usize);

impl io::Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.1);
        self.0.read(&mut into[..most])
    }
}

#[test]
fn a_table_is_the_same_in_pieces_of_whatever_size() {
    let time = "2017-06-15T06:37:31Z";
    for (text, lines) in [
        (format!("fix_time,latitude,longitude\r\n{time},1,2\r\n{time},3,4"), vec![2, 3]),
        (format!("\u{feff}fix_time;latitude;longitude\r\n\r\n{time};1;2\r\n\r\n{time};3;4\r\n"), vec![3, 5]),
        (format!("fix_time,latitude,longitude\n{time},1,2\r\n{time},3,4\n"), vec![2, 3]),
        (format!("fix_time,latitude,longitude,device\r\n{time},1,2,\"a\nb\"\n{time},3,4,c\r\n"), vec![2, 4]),
        (format!("fix_time,latitude,longitude,device\r\n{time},1,2,a\n{time},3,4,\"c\n"), vec![2, 3]),
    ] {
        for piece in 1..=text.len() {
            let read = parse_from(Kind::Csv, Pieces(text.as_bytes(), piece));
            let found: Vec<_> = read.points().into_iter().map(|(lat, .., line)| (lat, line)).collect();
            let wanted: Vec<_> = [1.0, 3.0].into_iter().zip(lines.iter().copied()).collect();
            assert_eq!(found, wanted, "{text:?} in pieces of {piece}");
        }
    }
}
