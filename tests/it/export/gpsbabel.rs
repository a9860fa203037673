//! `GPSBabel` reads what we write, and finds the points that were there.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use wayglass::export::{Format, Wanted};

use super::{formats::history, write_as};

/// What `GPSBabel` makes of a document, as CSV; `None` where it is not installed, which is said.
fn babel(format: &str, document: &str, tracks: bool) -> Option<Vec<csv::StringRecord>> {
    let mut call = Command::new("gpsbabel");
    if tracks {
        call.arg("-t");
    }
    call.args(["-i", format, "-f", "-", "-o", "unicsv,utc=0", "-F", "-"]);
    let started = call.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = started else {
        eprintln!("gpsbabel is not installed (Debian: gpsbabel), so nobody else has read our {format}");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let text = document.to_owned();
    let feed = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap().unwrap();
    assert!(output.status.success(), "{format}: {}\n{document}", String::from_utf8_lossy(&output.stderr));
    let mut rows = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(output.stdout.as_slice());
    let mut all = vec![rows.headers().unwrap().clone()];
    all.extend(rows.records().map(Result::unwrap));
    Some(all)
}

fn column<'r>(rows: &'r [csv::StringRecord], name: &str) -> Vec<&'r str> {
    let at = rows[0].iter().position(|n| n == name).unwrap_or_else(|| panic!("{name} in {:?}", rows[0]));
    rows[1..].iter().map(|row| row.get(at).unwrap_or_default()).collect()
}

/// Everything that goes along, in the order it is written: latitude, longitude and time.
fn expected() -> Vec<(f64, f64, String)> {
    let fixes = history().into_iter().flat_map(|(_, fixes)| fixes).filter(|f| f.trust == wayglass::model::Trust::Good);
    fixes
        .map(|f| (f.fix.place.lat_deg(), f.fix.place.lon_deg(), f.fix.at.strftime("%Y/%m/%d %H:%M:%S").to_string()))
        .collect()
}

#[track_caller]
fn check(format: Format, name: &str, tracks: bool, times: bool) {
    let (document, _) = write_as(format, &history(), None, Wanted::default());
    let Some(rows) = babel(name, &document, tracks) else { return };
    let expected = expected();
    assert_eq!(rows.len() - 1, expected.len(), "{name}: {rows:?}");
    let (lats, lons) = (column(&rows, "Latitude"), column(&rows, "Longitude"));
    for (n, (lat, lon, _)) in expected.iter().enumerate() {
        let close = |text: &str, degrees: f64| (text.parse::<f64>().unwrap() - degrees).abs() < 1.5e-6;
        assert!(close(lats[n], *lat) && close(lons[n], *lon), "{name}: point {n} is {} {}", lats[n], lons[n]);
    }
    if times {
        let (dates, clocks) = (column(&rows, "Date"), column(&rows, "Time"));
        for (n, (.., at)) in expected.iter().enumerate() {
            assert_eq!(&format!("{} {}", dates[n], clocks[n]), at, "{name}: point {n}");
        }
    }
}

#[test]
fn gpsbabel_reads_our_gpx() {
    check(Format::Gpx, "gpx", true, true);
}

#[test]
fn gpsbabel_reads_our_kml() {
    check(Format::Kml, "kml", true, true);
}

#[test]
fn gpsbabel_reads_our_geojson() {
    // It takes no times from GeoJSON.
    check(Format::GeoJson, "geojson", false, false);
}

#[test]
fn gpsbabel_reads_our_csv() {
    check(Format::Csv, "unicsv,utc=0", false, false);
}
