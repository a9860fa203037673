//! GeoJSON, KML and CSV, each read by somebody else's parser and held against the rules of its format.

use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};
use serde_json::{Value, json};
use wayglass::{
    export::{Bounds, Counts, Export, Format, Wanted},
    geo::LatLon,
    model::{Device, StoredFix, Trust},
};

use super::{at, device, fix, header, write_as};

/// Three good points, an hour's gap, a wild place between two good ones, a suspect one, names that try to break out.
pub(super) fn history() -> Vec<(Device, Vec<StoredFix>)> {
    let mut fixes: Vec<_> = (0..3).map(|i| fix(i * 10)).collect();
    fixes.extend((0..5).map(|i| fix(3600 + i * 10)));
    fixes[4].fix.place = LatLon::new(-33.0, 151.0).unwrap();
    fixes[6].trust = Trust::Suspect;
    let told = &mut fixes[0];
    told.fix.satellites = Some(9);
    for (name, value) in
        [("batteryLevel", json!(87)), ("ignition", json!(true)), ("alarm", json!("=1+1")), ("hdop", json!(1.25))]
    {
        told.readings.set(name, value);
    }
    let nasty = device("=cmd|' /C calc'!A0", Some("a \"b\", <c> & ]]>\n\u{1} d"));
    vec![(device("owntracks/jane/phone", None), fixes), (nasty, vec![fix(0)])]
}

fn all() -> Wanted {
    Wanted { suspect: true, hidden: true, readings: true }
}

#[test]
fn every_format_counts_alike_and_leaves_out_what_it_should() {
    for format in Format::ALL {
        let (_, counts) = write_as(format, &history(), None, Wanted::default());
        let expected = Counts { tracks: 2, segments: 3, points: 8, outliers: 1, suspect: 1, hidden: 0 };
        assert_eq!((counts, counts.gaps()), (expected, 1), "{format:?}");
        let (_, counts) = write_as(format, &history(), None, all());
        assert_eq!((counts.points, counts.suspect), (9, 0), "{format:?}");
        assert_eq!(Format::parse(format.as_str()), Some(format));

        let mut out = Vec::new();
        let mut export = Export::begin(format, &mut out, &header(None), Wanted::default()).unwrap();
        export.device(&device("a", None)).unwrap();
        for (second, hidden) in [(0, false), (10, true), (20, false)] {
            export.fix(fix(second), hidden).unwrap();
        }
        let counts = export.finish().unwrap();
        assert_eq!((counts.points, counts.hidden), (2, 1), "{format:?}");
        assert!(!String::from_utf8(out).unwrap().contains("06:37:41Z"), "{format:?}: the hidden one");
    }
}

#[test]
fn geojson_follows_rfc_7946() {
    let bounds = Bounds { south_deg: -33.0, west_deg: 2.29513, north_deg: 48.85833, east_deg: 151.0 };
    let (document, counts) = write_as(Format::GeoJson, &history(), Some(bounds), all());
    let read: Value = serde_json::from_str(&document).unwrap();
    assert_eq!((&read["type"], read.get("crs")), (&json!("FeatureCollection"), None));
    assert_eq!(read["bbox"], json!([2.29513, -33.0, 151.0, 48.85833]), "west, south, east, north");
    let features = read["features"].as_array().unwrap();
    assert_eq!(features.len() as u64, counts.points);
    for feature in features {
        assert_eq!((&feature["type"], &feature["geometry"]["type"]), (&json!("Feature"), &json!("Point")));
        let place = feature["geometry"]["coordinates"].as_array().unwrap();
        let [lon, lat, altitude_m] = place.as_slice() else { panic!("{feature}") };
        assert!((-180.0..=180.0).contains(&lon.as_f64().unwrap()) && (-90.0..=90.0).contains(&lat.as_f64().unwrap()));
        assert_eq!(altitude_m, &json!(167.0));
    }
    let first = &features[0]["properties"];
    assert_eq!(first["time"], json!("2017-06-15T06:37:31Z"));
    assert_eq!((&first["speed_kmh"], &first["satellites"]), (&json!(61.0), &json!(9)));
    assert_eq!(first["attributes"]["alarm"], json!("=1+1"), "in JSON nothing is a formula");
    assert_eq!((&features[4]["properties"]["outlier"], first.get("outlier")), (&json!(true), None));
    assert_eq!(features[6]["properties"]["suspect"], json!(true));
    assert_eq!((&first["segment"], &features[4]["properties"]["segment"]), (&json!(1), &json!(2)));
    assert_eq!(features[8]["properties"]["identity"], json!("=cmd|' /C calc'!A0"));
    // Nothing at all is a collection, too.
    let (empty, _) = write_as(Format::GeoJson, &[], None, all());
    assert_eq!(serde_json::from_str::<Value>(&empty).unwrap()["features"], json!([]));
}

#[test]
fn csv_follows_rfc_4180_and_runs_no_formula() {
    let (document, counts) = write_as(Format::Csv, &history(), None, all());
    let mut rows = csv::ReaderBuilder::new().from_reader(document.as_bytes());
    let names: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
    for unit in ["altitude_m", "speed_kmh", "course_deg", "accuracy_m", "fix_time", "battery_percent", "power_v"] {
        assert!(names.iter().any(|n| n == unit), "{unit} in {names:?}");
    }
    let rows: Vec<BTreeMap<String, String>> =
        rows.records().map(|row| names.iter().cloned().zip(row.unwrap().iter().map(str::to_owned)).collect()).collect();
    assert_eq!(rows.len() as u64, counts.points);
    for row in &rows {
        for (name, cell) in row {
            let number = cell.parse::<f64>().is_ok();
            assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{name}: {cell:?}");
        }
    }
    let first = &rows[0];
    assert_eq!((first["fix_time"].as_str(), first["latitude"].as_str()), ("2017-06-15T06:37:31Z", "48.85833"));
    assert_eq!((first["alarm"].as_str(), first["battery_percent"].as_str()), ("'=1+1", "87"));
    assert_eq!(serde_json::from_str::<Value>(&first["attributes"]).unwrap()["ignition"], json!(true));
    assert_eq!((rows[4]["outlier"].as_str(), rows[4]["latitude"].as_str()), ("true", "-33"), "numbers stay numbers");
    assert_eq!(rows[8]["identity"], "'=cmd|' /C calc'!A0");
    assert_eq!(
        document.matches('\n').count(),
        document.matches("\r\n").count(),
        "rows end in CRLF, names are one line"
    );
    assert!(document.contains("\"a \"\"b\"\", <c> & ]]> \u{fffd} d\""), "{document}");
}

/// What may stand in an element, in this order, by the schemas of OGC and Google; a star may be repeated.
fn kml_order(element: &str) -> &'static [&'static str] {
    match element {
        "kml" => &["Document"],
        "Document" => &["name", "description", "styleUrl", "Style*", "Schema*", "Folder*", "Placemark*"],
        "Style" => &["LineStyle"],
        "LineStyle" => &["color", "width"],
        "Schema" => &["gx:SimpleArrayField*"],
        "gx:SimpleArrayField" => &["displayName"],
        "Folder" => &["name", "description", "Placemark*"],
        "Placemark" => &["name", "description", "styleUrl", "gx:MultiTrack"],
        "gx:MultiTrack" => &["altitudeMode", "gx:interpolate", "gx:Track*"],
        "gx:Track" => &["altitudeMode", "when*", "gx:coord*", "ExtendedData"],
        "ExtendedData" => &["SchemaData*"],
        "SchemaData" => &["gx:SimpleArrayData*"],
        "gx:SimpleArrayData" => &["gx:value*"],
        _ => &[],
    }
}

/// Holds a document against the schemas' order, and every track against itself. Answers times and places of all points, by track.
fn check_kml(document: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = Reader::from_str(document);
    let mut open: Vec<(String, usize)> = Vec::new();
    let (mut tracks, mut whens, mut coords, mut values) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                if let Some((parent, reached)) = open.last_mut() {
                    let order = kml_order(parent);
                    let place = order.iter().position(|n| n.trim_end_matches('*') == name);
                    let place = place.unwrap_or_else(|| panic!("{name} in {parent}"));
                    assert!(*reached <= place, "{name} stands too late in {parent}");
                    *reached = if order[place].ends_with('*') { place } else { place + 1 };
                }
                open.push((name, 0));
                text.clear();
            }
            Event::Text(more) => text.push_str(&more),
            Event::End(_) => {
                let (name, _) = open.pop().unwrap();
                match name.as_str() {
                    "when" => whens.push(text.clone()),
                    "gx:coord" => coords.push(text.clone()),
                    "gx:value" => values += 1,
                    "gx:SimpleArrayData" => assert_eq!(std::mem::take(&mut values), whens.len()),
                    "gx:Track" => {
                        assert_eq!(whens.len(), coords.len());
                        tracks.push(whens.drain(..).zip(coords.drain(..)).collect());
                    }
                    _ => {}
                }
                text.clear();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    tracks
}

/// The schemas of OGC and Google, where `tests/run` could get them.
fn check_kml_schema(document: &str) {
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/kml-schemas/kml22gx.xsd");
    if schema.is_file() {
        super::check_with_xmllint(document, &schema);
    }
}

#[test]
fn kml_has_a_time_to_every_place() {
    let (document, counts) = write_as(Format::Kml, &history(), None, all());
    let tracks = check_kml(&document);
    check_kml_schema(&document);
    assert_eq!(tracks.iter().map(Vec::len).collect::<Vec<_>>(), [3, 5, 1], "one a stretch");
    assert_eq!(tracks.iter().map(Vec::len).sum::<usize>() as u64, counts.points);
    assert_eq!(tracks[0][1], ("2017-06-15T06:37:41Z".to_owned(), "2.29513 48.85833 167".to_owned()));
    let whole = document.lines().map(str::trim).collect::<String>();
    assert!(whole.contains(r#"<gx:SimpleArrayData name="alarm"><gx:value>=1+1</gx:value><gx:value></gx:value>"#));
    let (empty, _) = write_as(Format::Kml, &[], None, all());
    assert!(check_kml(&empty).is_empty());
    check_kml_schema(&empty);
}

#[test]
fn a_long_stretch_of_kml_is_held_piece_by_piece() {
    let fixes: Vec<_> = (0..4_500).map(|i| fix(i * 10)).collect();
    let (document, counts) = write_as(Format::Kml, &[(device("a", None), fixes)], None, Wanted::default());
    let tracks = check_kml(&document);
    assert_eq!(tracks.iter().map(Vec::len).collect::<Vec<_>>(), [2_000, 2_000, 500]);
    assert_eq!((counts.segments, document.matches("<gx:MultiTrack>").count()), (1, 1), "joined in one");
    assert_eq!(tracks[2].last().unwrap().0, at(44_990).to_string());
}

#[test]
fn gpx_tells_everything_where_that_is_wished() {
    let (document, _) = write_as(Format::Gpx, &history(), None, all());
    super::check_schema(&document);
    super::check_xmllint(&document);
    let flat: String = document.lines().map(str::trim).collect();
    for told in [
        r#"xmlns:wg="urn:wayglass:gpx:1""#,
        "<wg:accuracy>5</wg:accuracy>",
        r#"<wg:reading name="batteryLevel">87</wg:reading>"#,
        r#"<wg:reading name="alarm">=1+1</wg:reading>"#,
        "<wg:suspect/>",
        "<wg:outlier/>",
    ] {
        assert!(flat.contains(told), "{told} in {flat}");
    }
    let (plain, _) = write_as(Format::Gpx, &history(), None, Wanted::default());
    super::check_schema(&plain);
    super::check_xmllint(&plain);
    assert!(
        !plain.contains("wg:reading") && plain.contains(r#"<wg:outlier xmlns:wg="urn:wayglass:gpx:1"/>"#),
        "{plain}"
    );
    assert_eq!(super::read_back(&document).tracks.len(), 2);
}
