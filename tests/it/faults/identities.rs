//! Names and texts that are meant to hurt, from the socket to every output: they are kept as they are, and hurt nobody.

use std::{collections::BTreeSet, fs, io::Write, path::Path};

use wayglass::export::Format;

use super::{
    far::{Phone, Tracker, frame},
    process::{Serve, run, wayglass},
};
use crate::support::sql;

/// SQL, paths, HTML, formulas, what steers terminals, what turns text around, what breaks lines, and what is long.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "'; DROP TABLE positions; --",
        "\" OR 1=1 --",
        "../../../etc/passwd",
        "/etc/cron.d/x",
        "C:\\windows\\system32\\x",
        "<script>alert(1)</script>",
        "</name><trkpt lat=\"0\" lon=\"0\"/>]]>&amp;",
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\tleading tab",
        "\rleading return",
        "\u{1b}]0;owned\u{7}\u{1b}[31mred",
        "\u{9b}31mred\u{7f}",
        "line\nbreak",
        "nul\0inside",
        "\u{202e}gnp.exe",
        "\u{fffe}\u{ffff}\u{feff}",
        "%s%n%x {} {0}",
        "💣💣💣",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("a".repeat(256));
    names.push("b".repeat(1_000_000));
    names
}

/// What must never reach a terminal or a file of text: control characters but line breaks, and what turns text around.
fn harmless(text: &str) -> bool {
    !text
        .chars()
        .any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

fn call(data: &Path, words: &[&str]) -> (i32, String, String) {
    let words: Vec<&str> = ["--data-dir", data.to_str().expect("UTF-8")].iter().chain(words).copied().collect();
    run(wayglass(data, &words))
}

#[test]
fn hostile_names_are_kept_and_hurt_nobody() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start(data.path());
    let mut taken = BTreeSet::new();
    for (n, name) in hostile().into_iter().enumerate() {
        let body = serde_json::json!({
            "_type": "location", "lat": 10.0 + f64::from(u32::try_from(n).unwrap()), "lon": 20, "tst": 1_700_000_000 + n,
            "topic": name, "tid": name, "poi": name, "tag": name, "SSID": name, "inregions": [name], "created_at": 1,
        });
        let status = Phone::call(serve.owntracks).and_then(|mut phone| phone.post(&body.to_string())).unwrap();
        assert!(matches!(status, 200 | 400 | 413), "{n}: {status}");
        if status == 200 {
            taken.insert(n);
        }
        let card = serde_json::json!({"_type": "card", "name": name, "tid": name, "topic": format!("{name}/info")});
        let status = Phone::call(serve.owntracks).and_then(|mut phone| phone.post(&card.to_string())).unwrap();
        assert!(matches!(status, 200 | 400 | 413), "{n}: {status}");
    }
    assert!(taken.len() > 15, "most are names like others: {taken:?}");
    // A tracker's texts: the answer to a command, and a picture's name, steer no terminal either.
    let mut tracker = Tracker::log_in(serve.gt06, "861234567890500").unwrap();
    let text = b"\x1b[31mred\x07\r\n\x9b=1+1";
    let answer = [&[u8::try_from(text.len() + 4).unwrap()], &[0, 0, 0, 1][..], text, &[0, 2]].concat();
    let answer = frame(0x15, &answer, 2);
    tracker.stream.write_all(&answer).unwrap();
    tracker.report(0..1).unwrap();

    let positions: i64 = sql(data.path(), "SELECT count(*) FROM positions");
    assert_eq!(positions, i64::try_from(taken.len()).unwrap() + 1);
    let identities: Vec<String> = {
        let db = super::audit::open(data.path());
        super::audit::sound(&db);
        let mut select = db.prepare("SELECT identity FROM devices").unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    assert!(identities.iter().all(|i| i.len() <= 256), "no name is longer than 256 bytes");
    assert!(identities.iter().any(|i| i.contains("DROP TABLE")), "they are kept as they are");

    // Lists, and a decision by name.
    let (code, out, err) = call(data.path(), &["devices"]);
    assert!(code == 0 && harmless(&out) && harmless(&err), "{out:?} {err:?}");
    let (code, out, _) = call(data.path(), &["devices", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, listed.as_array().unwrap().len()), (0, identities.len()));
    for identity in identities.iter().filter(|i| !i.contains('\0')) {
        let name = format!("--name={identity}");
        let (code, out, err) = call(data.path(), &["adopt", &name, "--", identity]);
        assert!(code == 0 && harmless(&out) && harmless(&err), "{identity:?}: {out:?} {err:?}");
    }
    let (code, out, err) = call(data.path(), &["adopt", "\u{1b}[31mnobody"]);
    assert!(code == 1 && harmless(&out) && harmless(&err), "{err:?}");

    // Exports: every format, all devices and one.
    for format in Format::ALL {
        let file = data.path().join("out").with_extension(format.extension());
        let file_text = file.to_str().unwrap();
        let words = ["export", "--device", "all", "--format", format.as_str(), "--output", file_text];
        let (code, _, err) = call(data.path(), &words);
        assert_eq!(code, 0, "{err}");
        let text = fs::read_to_string(&file).expect("UTF-8");
        fits_its_format(format, &text);
        fs::remove_file(file).unwrap();
    }
    serve.stop();
    let files: Vec<_> =
        fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let ours = |name: &String| name.starts_with("wayglass") || name == "logs";
    assert!(files.iter().all(ours), "no file is called by a name that came: {files:?}");
    decoded_output_is_harmless(data.path(), &answer);
}

fn fits_its_format(format: Format, text: &str) {
    let printable = |c: char| u32::from(c) >= 0x20 || matches!(c, '\n' | '\r' | '\t');
    assert!(text.chars().all(printable), "{} has control characters", format.as_str());
    match format.as_str() {
        "gpx" | "kml" => {
            assert!(!text.contains("<script>"), "{} has a tag of a sender's", format.as_str());
            // Another reader than the writer's escaping; what XML cannot carry is left out.
            let mut reader = quick_xml::Reader::from_str(text);
            loop {
                match reader.read_event().unwrap_or_else(|e| panic!("{}: {e}", format.as_str())) {
                    quick_xml::events::Event::Eof => break,
                    event => drop(event),
                }
            }
            assert!(!text.contains(['\u{fffe}', '\u{ffff}']), "no character that XML forbids");
        }
        "geojson" => drop(serde_json::from_str::<serde_json::Value>(text).unwrap()),
        "csv" => {
            for cell in text.lines().flat_map(|line| line.split(',')) {
                let cell = cell.trim_matches('"');
                let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
                assert!(!formula, "a cell that a spreadsheet would calculate: {cell:?}");
            }
        }
        other => panic!("how is {other} made safe? say it here"),
    }
}

/// What `decode` prints for people.
fn decoded_output_is_harmless(home: &Path, gt06: &[u8]) {
    let body = |name: &str| {
        serde_json::json!({"_type": "location", "lat": 1, "lon": 2, "tst": 1_700_000_000, "tid": name, "topic": name,
            "poi": name, name: name})
        .to_string()
    };
    let hex = wayglass::wire::hex(gt06);
    let inputs: Vec<String> = hostile()
        .iter()
        .filter(|n| n.len() < 1_000)
        .map(|n| body(n))
        .chain([hex, "\u{1b}[31m no dump".to_owned()])
        .collect();
    for input in inputs {
        let (_, out, err) = run(wayglass(home, &["decode", "--", &input]));
        assert!(harmless(&out) && harmless(&err), "{input:?}: {out:?} {err:?}");
        assert!(!out.is_empty() || !err.is_empty());
    }
    // As a file, and as a capture with other lines in it.
    let file = home.join("capture.txt");
    fs::write(&file, b"2026 \x1b[31mINFO\x9b 78780d01\n\xff\xfe\x00\x1b]0;x\x07\n").unwrap();
    let (_, out, err) = run(wayglass(home, &["decode", file.to_str().unwrap()]));
    assert!(harmless(&out) && harmless(&err), "{out:?} {err:?}");
}
