//! `wayglass decode`: what people paste, and what they get for it.

use std::{ffi::OsString, fmt::Write as _, fs, io::Write as _, path::PathBuf, sync::Arc};

use proptest::prelude::*;
use serde_json::Value as Json;
use wayglass::{
    cli::decode::{DecodeArgs, Ended, Language, run},
    model::{Clock, Direction, Protocol},
    wire::{
        dress::{self, Line},
        hex,
    },
};

const LOGIN: &str = "78780d01012345678901234500018cdd0d0a";

fn clock() -> Clock {
    Arc::new(|| "2026-01-02T03:04:05Z".parse().unwrap())
}

fn args(protocol: Language, json: bool, words: &[&str]) -> DecodeArgs {
    let input = words.iter().map(OsString::from).collect();
    DecodeArgs {
        protocol,
        model: None,
        session: false,
        explain: false,
        read_as: None,
        json,
        owntracks_key: None,
        input,
    }
}

struct Said {
    ended: Ended,
    out: String,
    err: String,
}

fn decode(args: &DecodeArgs, stdin: &[u8]) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let ended = run(args, &clock(), &mut &stdin[..], &mut out, &mut err).unwrap();
    Said { ended, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn objects(said: &Said) -> Vec<Json> {
    said.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// What a line spells, in hex or as text; `cut` and `out` mark what else it says.
fn read(line: &str, expected: Option<Protocol>) -> String {
    match dress::line(line.as_bytes(), expected) {
        Ok(Line::Blank) => "blank".to_owned(),
        Ok(Line::Remark) => "remark".to_owned(),
        Err(complaint) => format!("column {}: {}", complaint.column, complaint.text),
        Ok(Line::Buffer(buffer)) => {
            let mut said = match buffer.protocol {
                Protocol::Gt06 => hex(&buffer.bytes),
                Protocol::OwnTracks => String::from_utf8_lossy(&buffer.bytes).into_owned(),
            };
            if buffer.direction == Direction::Out {
                said += " out";
            }
            if let Some(cut) = buffer.cut {
                let _ = write!(said, " cut at {}: {}", cut.column, cut.text);
            }
            said
        }
    }
}

#[test]
fn hex_is_read_in_any_dress() {
    for line in [
        "78780d01012345678901234500018cdd0d0a",
        "78780D01012345678901234500018CDD0D0A\r\n",
        "  78 78 0D 01 01 23 45 67 89 01 23 45 00 01 8C DD 0D 0A  ",
        "7878 0d01 0123 4567 8901 2345 0001 8cdd 0d0a",
        "0x78780d01012345678901234500018cdd0d0a",
        "0x78,0x78,0x0d,0x01,0x01,0x23,0x45,0x67,0x89,0x01,0x23,0x45,0x00,0x01,0x8c,0xdd,0x0d,0x0a",
        "{0x78, 0x78, 0x0d, 0x1, 0x1, 0x23, 0x45, 0x67, 0x89, 0x1, 0x23, 0x45, 0x0, 0x1, 0x8c, 0xdd, 0xd, 0xa};",
        "new byte[] { 0x78, 0x78, 0x0d, 0x01, 0x01, 0x23, 0x45, 0x67, (byte) 0x89, 0x01, 0x23, 0x45, 0x00, 0x01, (byte)0x8c, (byte) 0xdd, 0x0d, 0x0a }",
        "<Buffer 78 78 0d 01 01 23 45 67 89 01 23 45 00 01 8c dd 0d 0a>",
        "78\t78\td\t1\t1\t23\t45\t67\t89\t1\t23\t45\t0\t1\t8c\tdd\td\ta",
        r"\x78\x78\x0d\x01\x01\x23\x45\x67\x89\x01\x23\x45\x00\x01\x8c\xdd\x0d\x0a",
        r"b'xx\r\x01\x01#Eg\x89\x01#E\x00\x01\x8c\xdd\r\n'",
        r#"printf "\x78\x78\x0d\x01\x01\x23\x45\x67\x89\x01\x23\x45\x00\x01\x8c\xdd\x0d\x0a""#,
        "bytes.fromhex('78780d01012345678901234500018cdd0d0a')",
        "\"78780d01012345678901234500018cdd0d0a\"",
        "78-78-0D-01-01-23-45-67-89-01-23-45-00-01-8C-DD-0D-0A",
        "78:78:0d:01:01:23:45:67:89:01:23:45:00:01:8c:dd:0d:0a",
        "[120, 120, 13, 1, 1, 35, 69, 103, 137, 1, 35, 69, 0, 1, 140, 221, 13, 10]",
        r#"{"type":"Buffer","data":[120,120,13,1,1,35,69,103,137,1,35,69,0,1,140,221,13,10]}"#,
        "2013-05-21 14:21:11 FINE: [5023 <- 203.0.113.7] - (HEX: 78780d01012345678901234500018cdd0d0a)",
        "2014-11-02 14:21:11 DEBUG: [5023 <- 203.0.113.7] - HEX: 78780d01012345678901234500018cdd0d0a",
        "2015-06-02 14:21:11 DEBUG: [7F1D2C1B: 5001 <- 203.0.113.7] - HEX: 78780d01012345678901234500018cdd0d0a",
        "2018-06-02 14:21:11  INFO: [44191B4C: 5013 < 203.0.113.7] HEX: 78780d01012345678901234500018cdd0d0a",
        "2022-06-02 14:21:11  INFO: [01200846: gt06 < 203.0.113.7] HEX: 78780d01012345678901234500018cdd0d0a",
        "2022-06-02 14:21:11  INFO: [dc8df32f: 6023 < 203.0.113.7:40312] [TCP] HEX: 78780d01012345678901234500018cdd0d0a",
        "2024-06-02 14:21:11  INFO: [Te3c4e6ff: gt06 < 203.0.113.7] 78780d01012345678901234500018cdd0d0a",
        "[Te3c4e6ff: gt06 < 203.0.113.7] 78780d01012345678901234500018cdd0d0a",
        "HEX: 78780d01012345678901234500018cdd0d0a",
        "2024-06-02T14:21:11.123+02:00 78780d01012345678901234500018cdd0d0a",
        "14:21:11,5 78 78 0d 01 01 23 45 67 89 01 23 45 00 01 8c dd 0d 0a",
        "10:20:30 received 78780d01012345678901234500018cdd0d0a from a tracker",
    ] {
        assert_eq!(read(line, None), LOGIN, "{line}");
        assert_eq!(read(line, Some(Protocol::Gt06)), LOGIN, "{line}");
    }
}

#[test]
fn lines_say_what_else_they_are() {
    let gt06 = |line: &str, said: &str| assert_eq!(read(line, None), said, "{line}");
    gt06("", "blank");
    gt06("  # a capture of yesterday", "blank");
    gt06("2024-06-02 14:21:11  INFO: [Te3c4e6ff] connected", "remark");
    gt06("2024-06-02 14:21:11  INFO: [Te3c4e6ff] id: 123456789012345, time: 2024-06-02 14:21:11, lat: 1.5", "remark");
    gt06("2024-06-02 14:21:11  INFO: [Te3c4e6ff: gt06 < 203.0.113.7]", "remark");
    gt06("[dc8df32f: 6023 > 203.0.113.7:40312] [TCP] HEX: 787805010001d9dc0d0a", "787805010001d9dc0d0a out");
    gt06("[5023 -> 203.0.113.7] - HEX: 787805010001d9dc0d0a", "787805010001d9dc0d0a out");
    gt06(
        "7878 0d0",
        "78780d cut at 8: 3 hex digits, an odd number: the line was cut, and its last digit '0' is half a byte",
    );
    gt06("<Buffer 78 78 0d 01 ... 14 more bytes>", "78780d01 cut at 21: the bytes are cut here: \"... 14 more bytes\"");
    gt06("HEX: 78780d01…", "78780d01 cut at 14: the bytes are cut here: \"…\"");
    gt06(
        "7878zz",
        "column 5: expected a hex digit, found 'z'; this is neither hex, nor a log line with bytes, nor JSON",
    );
    let dump = "column 1: a line of a hex dump, of which each line is only a part: put the bytes on one line";
    gt06("00000000  78 78 0d 01 01 23 45 67  89 01 23 45 00 01 8c dd  |xx...#Eg..#E....|", dump);
    gt06("00000010: 0d0a                                     ..", dump);
    gt06("[Te3: gt06 < 203.0.113.7] hello", "column 27: expected a hex digit, found 'h'");
    gt06(
        "787 8780d",
        "column 3: 3 hex digits, an odd number; this is neither hex, nor a log line with bytes, nor JSON",
    );
    gt06(
        "déjà vu",
        "column 2: expected a hex digit, found 'é'; this is neither hex, nor a log line with bytes, nor JSON",
    );
}

#[test]
fn bodies_are_found() {
    let body = r#"{"_type":"location","lat":1}"#;
    for line in [
        body.to_owned(),
        format!("owntracks/jane/phone {body}"),
        format!("2023-11-14T22:13:20Z\t*                 \t{body}"),
        format!("[T1a2b: owntracks < 203.0.113.7] {body}"),
        hex(body.as_bytes()),
    ] {
        assert_eq!(read(&line, None), body, "{line}");
        assert_eq!(read(&line, Some(Protocol::OwnTracks)), body, "{line}");
    }
    let same = |line: &str, expected| assert_eq!(read(line, expected), line, "{line}");
    let mut latin = b"2023-11-14T22:13:20Z\t*\t{\"_type\":\"card\",\"name\":\"Ren\xe9\"}".to_vec();
    let Ok(Line::Buffer(found)) = dress::line(&latin, None) else { panic!("no body in {latin:?}") };
    assert_eq!(found.bytes, latin.split_off(23), "bytes stay what they were");
    // What is broken is shown where it breaks, not refused.
    same(r#"{"_type":"location","lat":1"#, None);
    same("{'_type':'location'}", None);
    same(r#"{"_type":"lwt"}{"_type":"lwt"}"#, None);
    same(r#"{"_type":"lwt"} {"_type":"lwt"}"#, None);
    same(r#"xyz{"_type":"lwt"}"#, Some(Protocol::OwnTracks));
    same("[]", None);
    same("[[1],[2]]", None);
    for line in ["null", "12", "7878", "location", "\"location\"", "[120,120]", "{0x78}"] {
        same(line, Some(Protocol::OwnTracks));
    }
}

#[test]
fn one_json_document_may_take_many_lines() {
    let pretty = "{\n  \"_type\": \"location\",\n  \"lat\": 1, \"lon\": 2,\n  \"tst\": 1700000000, \"tid\": \"a\"\n}\n";
    let said = decode(&args(Language::Auto, true, &[]), pretty.as_bytes());
    let found = objects(&said);
    assert_eq!((found.len(), said.ended), (1, Ended::Done), "{}", said.err);
    assert_eq!(found[0]["position"]["latitude"], 1.0);
    assert_eq!(dress::undress(pretty.as_bytes(), None).len(), 1);
    // Two documents are lines.
    let two = format!("{pretty}{pretty}");
    let said = decode(&args(Language::OwnTracks, true, &[]), two.as_bytes());
    assert_eq!(objects(&said).len(), 10);
}

#[test]
fn a_body_becomes_the_object_of_the_contract() {
    let body = r#"{"_type":"location","lat":1.5,"lon":-2,"tst":1700000000,"tid":"JJ","vel":61,"batt":41}"#;
    let said = decode(&args(Language::Auto, true, &[body]), b"");
    let hex = hex(body.as_bytes());
    let wanted = format!(
        concat!(
            r#"{{"protocol":"owntracks","offset":0,"length":86,"hex":"{hex}","kind":"location","type":null,"title":"Position","#,
            r#""serial":null,"verdict":"ok","problems":[],"crc":null,"device":"JJ","reply":"5b5d","#,
            r#""position":{{"fix_time":"2023-11-14T22:13:20Z","valid":true,"latitude":1.5,"longitude":-2.0,"altitude_m":null,"#,
            r#""speed_kmh":61,"course_deg":null,"satellites":null,"accuracy_m":null}},"#,
            r#""attributes":{{"tid":"JJ","batteryLevel":41}},"cells":[],"wifi":[],"#,
            r#""fields":[{{"name":"Body","start":0,"end":86,"value":null,"text":"","depth":0}},"#,
            r#"{{"name":"Open","start":0,"end":1,"value":"{{","text":"{{","depth":1}},"#,
        ),
        hex = hex
    );
    assert!(said.out.starts_with(&wanted), "{}\n{wanted}", said.out);
    assert_eq!((said.ended, said.err.as_str()), (Ended::Done, ""));
}

#[test]
fn a_listing_reads_well() {
    let body = r#"{"_type":"location","lat":1.5,"lon":-2,"tst":1700000000000,"tid":"JJ","vel":61}"#;
    let said = decode(&args(Language::Auto, false, &[body]), b"");
    let wanted = "\
warn  OwnTracks Position, line 1, 79 bytes, JJ
  warn: `tst` is 1700000000000, which is in milliseconds; it should be in seconds (time, bytes 45..58)
  position  2023-11-14T22:13:20Z 1.5, -2, 61 km/h
  told      tid \"JJ\"
  reply     []
     0  Body
     0    Open  {
     1    _type (message type)  location
    20    lat (latitude)  1.5°
    30    lon (longitude)  -2°
    39    tst (time)  2023-11-14T22:13:20Z
    59    tid (tracker id)  JJ
    70    vel (speed)  61 km/h
    78    Close  }
";
    assert_eq!(said.out, wanted);
}

#[test]
fn a_login_is_explained_in_a_log_too() {
    let log = format!(
        "2024-06-02 14:21:11  INFO: [Te3c4e6ff] connected\n\
         2024-06-02 14:21:11  INFO: [Te3c4e6ff: gt06 < 203.0.113.7] ffff{LOGIN}\n\
         2024-06-02 14:21:11  INFO: [Te3c4e6ff: gt06 > 203.0.113.7] 787805010001d9dc0d0a\n"
    );
    let said = decode(&args(Language::Auto, true, &["-"]), log.as_bytes());
    let found = objects(&said);
    found.iter().for_each(assert_tiles);
    let kinds: Vec<&str> = found.iter().map(|o| o["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[1], found.len()), ("noise", "login", 3), "{}", said.out);
    let login = &found[1];
    assert_eq!((&login["offset"], &login["hex"], &login["serial"]), (&2.into(), &LOGIN.into(), &1.into()));
    assert_eq!(login["device"], "123456789012345");
    assert_eq!(login["reply"], "787805010001d9dc0d0a");
    assert_eq!(login["crc"], serde_json::json!({"received": "8cdd", "computed": "8cdd", "ok": true}));
    assert_eq!(login["type"], "0x01");
    assert_eq!((said.ended, said.err.as_str()), (Ended::Done, "1 log line carries no bytes\n"));
    let words: Vec<String> = LOGIN.as_bytes().chunks(2).map(|d| String::from_utf8_lossy(d).into_owned()).collect();
    let said = decode(&args(Language::Gt06, false, &words.iter().map(String::as_str).collect::<Vec<_>>()), b"");
    assert!(
        said.out.starts_with("ok    GT06 Login (0x01), line 1, 18 bytes, serial 1, 123456789012345\n"),
        "{}",
        said.out
    );
}

#[test]
fn an_http_request_in_a_log_is_head_and_body() {
    let request = "POST /?u=a&d=b HTTP/1.1\r\nAuthorization: Basic aHVudGVyMg==\r\n\r\n{\"_type\":\"location\",\"lat\":1,\"lon\":2,\"tst\":1700000000}";
    let hex = hex(request.as_bytes());
    let line = format!("2024-06-02 14:21:11  INFO: [Te3c4e6ff: owntracks < 203.0.113.7] {hex}");
    let said = decode(&args(Language::Auto, true, &[&line]), b"");
    let found = objects(&said);
    assert_eq!(found.iter().map(|o| o["hex"].as_str().unwrap()).collect::<String>(), hex);
    assert_eq!((&found[0]["kind"], &found[1]["kind"]), (&"noise".into(), &"location".into()));
    assert_eq!(found[1]["offset"], found[0]["length"]);
    found.iter().for_each(assert_tiles);
    let said = decode(&args(Language::Auto, false, &[&line]), b"");
    assert!(!said.out.contains("aHVudGVyMg"), "{}", said.out);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    let text = "nonsense\n{\"_type\":\"lwt\"}\n\n[Te3: gt06 < 1.2.3.4]\n{\"_type\":\"lwt\"}\n";
    let said = decode(&args(Language::Auto, true, &[]), text.as_bytes());
    assert_eq!(objects(&said).len(), 2);
    assert_eq!(said.ended, Ended::Failed);
    assert_eq!(
        said.err,
        "standard input line 1, column 1: expected a hex digit, found 'n'; this is neither hex, nor a log line with bytes, \
         nor JSON\n1 log line carries no bytes\n"
    );
    let said = decode(&args(Language::Auto, true, &["no-such-file.log"]), b"");
    assert!(said.err.starts_with("\"no-such-file.log\" (no file of that name) line 1, column 1: "), "{}", said.err);
    let said = decode(&args(Language::Auto, true, &[]), b"\n");
    assert_eq!((said.ended, said.err.as_str()), (Ended::Failed, "nothing to explain: standard input holds no bytes\n"));
}

#[test]
fn a_line_without_end_is_passed_over() {
    let mut text = vec![b'7'; 17 * 1024 * 1024];
    text.extend_from_slice(b"\n{\"_type\":\"lwt\"}");
    let said = decode(&args(Language::Auto, true, &["-"]), &text);
    assert_eq!(objects(&said).len(), 1);
    assert_eq!(said.err, "standard input line 1: longer than 16 MiB, so it is passed over\n");
}

#[test]
fn a_file_is_read_where_one_has_that_name() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"{\"_type\":\"lwt\"}\r\n{\"_type\":\"lwt\"}").unwrap();
    let said = decode(&args(Language::Auto, true, &[file.path().to_str().unwrap()]), b"");
    assert_eq!(objects(&said).len(), 2, "{}", said.err);
}

/// Leaves tile the bytes, as the contract says it.
fn assert_tiles(object: &Json) {
    let fields = object["fields"].as_array().unwrap();
    let mut at = 0;
    for (i, field) in fields.iter().enumerate() {
        let leaf = fields.get(i + 1).is_none_or(|next| next["depth"].as_u64() <= field["depth"].as_u64());
        if leaf {
            assert_eq!(field["start"], at, "{field} in {object}");
            at = field["end"].as_u64().unwrap();
        }
    }
    assert_eq!(object["length"], at, "{object}");
    assert_eq!(object["hex"].as_str().unwrap().len() as u64, 2 * at);
}

#[test]
fn shared_vectors_are_explained() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/owntracks.json");
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return;
    };
    // What a body alone does not show.
    let outside = ["method", "encoding", "empty", "no_identity", "generic_identity", "too_large", "no_key", "bad_key"];
    let vectors: Json = serde_json::from_str(&text).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let Some(body) = case["body"].as_str().filter(|b| !b.is_empty()) else { continue };
        let said = decode(&args(Language::OwnTracks, true, &["-"]), body.as_bytes());
        let found = objects(&said);
        assert_eq!((found.len(), said.ended), (1, Ended::Done), "{} {}", case["id"], said.err);
        assert_tiles(&found[0]);
        let flags = case["expect"]["flags"].as_array().unwrap();
        if flags.iter().any(|f| !outside.contains(&f.as_str().unwrap())) {
            assert_ne!(found[0]["verdict"], "ok", "{}", case["id"]);
            assert_ne!(found[0]["problems"], Json::Array(Vec::new()), "{}", case["id"]);
        } else if case["expect"]["outcome"] == "accept" && case.get("crypto").is_none() {
            assert_ne!(found[0]["verdict"], "error", "{}", case["id"]);
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_named(text in prop::collection::vec(any::<u8>(), 0..300), owntracks in any::<bool>()) {
        let language = if owntracks { Language::OwnTracks } else { Language::Auto };
        let said = decode(&args(language, true, &["-"]), &text);
        objects(&said).iter().for_each(assert_tiles);
        decode(&args(language, false, &["-"]), &text);
    }

    #[test]
    fn any_line_of_likely_parts_is_read(parts in prop::collection::vec(prop::sample::select(vec![
        "7878", "78 ", "0x", "\\x7", "[", "]", "<", ">", "{", "}", "(byte)", "...", "…", "HEX:", "\t", "\"", "'", ",", "é",
        "2024-06-02 ", "14:21:11", "POST / HTTP/1.1\r\n", "<Buffer ", "INFO: ", "504f535420",
    ]), 0..12)) {
        decode(&args(Language::Auto, true, &["-"]), parts.concat().as_bytes());
    }
}
