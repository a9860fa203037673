//! Logs, hex and JSON.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use wayglass::capture::{
    Item,
    read::{Ground, Kind, Refusal, sniff},
};

use super::{items, told};

const LAYOUTS: &[u8] = include_bytes!("../../fixtures/capture/layouts.txt");

#[test]
fn every_layout_is_read() {
    let login = "78780d01012345678901234500018cdd0d0a";
    let ack = "787805010001d9dc0d0a";
    let told = told(LAYOUTS);
    let expected = [
        format!("2 gt06 #1 < 192.0.2.1 - {login}"),
        format!("3 gt06 #2 < 192.0.2.2 2013-05-01T10:00:00Z {login}"),
        format!("4 gt06 #3 < 192.0.2.3 2015-05-01T10:00:01Z {login}"),
        format!("5 gt06 #4 < 192.0.2.4 2018-05-01T10:00:02Z {login}"),
        format!("6 gt06 #4 > 192.0.2.4 2018-05-01T10:00:02Z {ack}"),
        format!("7 gt06 #5 < 192.0.2.5 2020-05-01T10:00:03Z {login}"),
        format!("8 gt06 #6 > 192.0.2.6:4000 2021-05-01T10:00:04Z {ack}"),
        format!("9 gt06 #7 < 192.0.2.7 2024-05-01T10:00:05Z {login}"),
        "10 passed".to_owned(),
        "closed #7".to_owned(),
        format!("12 gt06 #8 < 192.0.2.7 2024-05-01T10:00:08Z {login}"),
        format!("13 gt06 #9 < - - {login}"),
        format!("14 gt06 #9 < - - {login}"),
        format!("15 gt06 #9 < - - {login}"),
        format!("16 gt06 #9 < - - {login}"),
    ];
    for (line, wanted) in told.lines().zip(&expected) {
        assert_eq!(line, wanted);
    }
    let rest: Vec<&str> = told.lines().skip(expected.len()).collect();
    assert!(rest[0].starts_with("17 gt06 #8 < 192.0.2.7 2024-05-01T10:00:09Z 78780d010123456789 cut: "), "{}", rest[0]);
    assert_eq!(rest[1], format!("18 gt06 #10 > 192.0.2.8:4000 2024-05-01T10:00:10Z {ack}"));
    let body = |tst: u32, lat: &str| format!(r#"{{"_type":"location","lat":{lat},"lon":4.4,"tst":{tst},"tid":"ja"}}"#);
    assert_eq!(rest[2], format!("19 owntracks #9 < - 2024-05-01T10:00:11Z {}", body(1_714_557_611, "51.2")));
    let whose = r#" {"X-Limit-D":"phone","X-Limit-U":"jane"}"#;
    assert_eq!(rest[3], format!("20 owntracks #9 < - - {}{whose}", body(1_714_557_612, "51.2")));
    assert_eq!(rest[4], format!("21 owntracks #9 < - - {}", body(1_714_557_613, "51.2")));
    assert_eq!(rest[5], format!("21 owntracks #9 < - - {}", body(1_714_557_614, "51.3")));
    assert!(rest[6].starts_with("22 rejected: "), "{}", rest[6]);
    assert_eq!(rest.len(), 7);
}

#[test]
fn a_document_over_many_lines_is_one() {
    let text = "[\n  {\"_type\":\"lwt\",\"tst\":1},\n  {\n    \"_type\":\"lwt\",\n    \"tst\":2}\n]\n";
    let told = told(text.as_bytes());
    assert_eq!(told.lines().filter(|line| line.contains("owntracks")).count(), 2, "{told}");
}

#[test]
fn a_password_in_a_log_is_not_taken_over() {
    let request = "POST /pub HTTP/1.1\r\nAuthorization: Basic amFuZTpoaWRkZW4=\r\nX-Limit-D: phone\r\nContent-Length: 17\r\n\r\n{\"_type\":\"lwt\" } ";
    let hex = wayglass::wire::hex(request.as_bytes());
    let told = told(format!("2024-05-01 10:00:05  INFO: [T1: owntracks < 192.0.2.7] {hex}\n").as_bytes());
    assert!(told.contains(r#"{"X-Limit-D":"phone","method":"POST","path":"/pub","user":"jane"}"#), "{told}");
    assert!(!told.contains("amFuZTpoaWRkZW4") && !told.contains("hidden"), "{told}");
}

#[test]
fn times_without_a_zone_are_in_the_one_that_is_said() {
    let ground = Ground { zone: TimeZone::get("Europe/Brussels").unwrap(), ..Ground::default() };
    let (items, _) = items(b"2024-05-01 10:00:05 [T1: gt06 < 192.0.2.7] 7878", &ground).unwrap();
    let Item::Record(record) = &items[0] else { panic!("{items:?}") };
    assert_eq!(record.at.unwrap().to_string(), "2024-05-01T08:00:05Z");
}

#[test]
fn a_log_of_recorder_says_whose_it_is_by_its_folder() {
    let ground = Ground { path: Some(PathBuf::from("store/rec/jane/phone/2024-05.rec")), ..Ground::default() };
    let line = b"2024-05-01T10:00:11Z\t*                 \t{\"_type\":\"location\",\"lat\":51.2,\"lon\":4.4,\"tst\":1714557611}\n";
    let (items, _) = items(line, &ground).unwrap();
    let Item::Record(record) = &items[0] else { panic!("{items:?}") };
    assert_eq!(record.context.as_deref(), Some(r#"{"X-Limit-D":"phone","X-Limit-U":"jane"}"#));
}

#[test]
fn what_it_is_shows_at_its_beginning() {
    assert_eq!(sniff(b""), Err(Refusal::Empty));
    assert_eq!(sniff(b"hello\nworld\n"), Err(Refusal::Unknown));
    assert_eq!(sniff(b"\x0a\x0d\x0d\x0a"), Ok(Kind::PcapNg));
    assert_eq!(sniff(b"xx\x0d\x01\x01\x23"), Ok(Kind::Frames));
    assert!(matches!(sniff(b"\x1f\x8b"), Err(Refusal::Dressed(_))));
    assert_eq!(sniff(br#"{"type":"FeatureCollection","features":[]}"#), Err(Refusal::Unknown));
}
