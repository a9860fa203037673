//! Real sockets on free ports and a real file: what is answered is stored, and nothing bad ends a connection.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

use wayglass::{
    backend::{ListenAt, PacketQuery, ReceiverStatus},
    model::{DeviceState, Policy, Protocol},
};

use super::support::{Answer, Port, SOON, Station, Tracker, http, post, sql};

const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";
const LOGIN_ACK: &str = "787805010001d9dc0d0a";
const IMEI: &str = "123456789012345";
/// 2015-10-20 14:21:11, 54.945347 N 24.017622 E, 5 satellites (protocols/gt06.md §10 D), with its acknowledgement.
const FIX: &str = "78781F120F0A140E150BC505E51E780293A9E800540000F601006E0055DA00035F240D0A";
/// Heartbeat of protocols/gt06.md §10 C and its acknowledgement.
const HEARTBEAT: &str = "78780A134406040002 01BA AF540D0A";
const HEARTBEAT_ACK: &str = "7878051301bafb710d0a";

fn logged_in(station: &Station) -> Tracker {
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ACK);
    tracker
}

#[test]
fn a_login_is_stored_when_its_answer_arrives() {
    let station = Station::start(Policy::Adopt);
    let _tracker = logged_in(&station);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM packets WHERE direction = 'in' AND kind = 'login'"), 1);
    let out: Vec<u8> = station.sql("SELECT bytes FROM packets WHERE direction = 'out'");
    assert_eq!(wayglass::wire::hex(&out), LOGIN_ACK);
    assert_eq!(station.sql::<String>("SELECT identity FROM devices"), IMEI);
    assert_eq!(station.sql::<String>("SELECT state FROM devices"), "adopted");
}

#[test]
fn a_fix_becomes_a_row_that_leads_to_its_bytes() {
    let station = Station::start(Policy::Adopt);
    let mut tracker = logged_in(&station);
    tracker.send(&format!("{FIX}{HEARTBEAT}"));
    // The position may be acknowledged; the heartbeat must be.
    let ack: Vec<u8> = {
        tracker.expect("787805120003903f0d0a");
        tracker.expect(HEARTBEAT_ACK);
        station.sql("SELECT bytes FROM packets WHERE id = (SELECT packet_id FROM positions)")
    };
    assert_eq!(wayglass::wire::hex(&ack), FIX.to_lowercase());
    let latitude: f64 = station.sql("SELECT latitude FROM positions");
    let longitude: f64 = station.sql("SELECT longitude FROM positions");
    assert!((latitude - 54.945_347).abs() < 1e-6 && (longitude - 24.017_622).abs() < 1e-6, "{latitude} {longitude}");
    assert_eq!(station.sql::<i64>("SELECT fix_time_ms FROM positions"), 1_445_350_871_000);
}

#[test]
fn a_fix_sent_again_is_one_row_and_two_packets() {
    let station = Station::start(Policy::Adopt);
    let mut tracker = logged_in(&station);
    tracker.send(&format!("{FIX}{FIX}{HEARTBEAT}"));
    tracker.expect("787805120003903f0d0a");
    tracker.expect("787805120003903f0d0a");
    tracker.expect(HEARTBEAT_ACK);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 1);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM packets WHERE kind = 'location' AND direction = 'in'"), 2);
}

#[test]
fn garbage_is_kept_and_the_next_good_frame_is_answered() {
    let station = Station::start(Policy::Adopt);
    let mut tracker = logged_in(&station);
    // Noise, a frame with one bit wrong, and a start pair that leads nowhere.
    tracker.send(&format!("DEADBEEF00{}7878{HEARTBEAT}", FIX.replacen("54", "55", 1)));
    tracker.expect(HEARTBEAT_ACK);
    assert!(station.sql::<i64>("SELECT count(*) FROM packets WHERE kind = 'noise'") >= 1);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM packets WHERE verdict = 'error' AND kind = 'location'"), 1);
    assert_eq!(
        station.sql::<i64>("SELECT count(*) FROM positions WHERE valid = 1"),
        0,
        "a bad checksum is never valid"
    );
}

#[test]
fn a_frame_may_come_byte_by_byte() {
    let station = Station::start(Policy::Adopt);
    let mut tracker = Tracker::connect(station.gt06);
    for pair in LOGIN.as_bytes().chunks(2) {
        tracker.send(std::str::from_utf8(pair).expect("ASCII"));
    }
    tracker.expect(LOGIN_ACK);
}

#[test]
fn strict_gives_an_unknown_tracker_no_answer_and_closes() {
    let station = Station::start(Policy::Strict);
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(LOGIN);
    tracker.expect_closed();
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM devices"), 0);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM packets WHERE device_id IS NULL"), 1, "its bytes are kept");
    let answer = post(station.owntracks, r#"{"_type":"location","lat":1,"lon":2,"tst":1700000000,"tid":"JJ"}"#);
    assert_eq!(answer.status, 400);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 0);
}

#[test]
fn ask_keeps_all_and_adopting_makes_it_history() {
    let station = Station::start(Policy::Ask);
    let mut tracker = logged_in(&station);
    tracker.send(&format!("{FIX}{HEARTBEAT}"));
    tracker.expect("787805120003903f0d0a");
    tracker.expect(HEARTBEAT_ACK);
    let devices = station.backend().devices().wait().expect("the store answers");
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].device.state, DeviceState::New);
    let kept = station.backend().adopt(devices[0].device.id, Some("Van 7".to_owned())).wait().expect("it is adopted");
    assert_eq!(kept, 1);
    assert_eq!(station.sql::<String>("SELECT state || ' ' || name FROM devices"), "adopted Van 7");
}

#[test]
fn the_samples_of_the_recipe_are_taken() {
    let station = Station::start(Policy::Adopt);
    let full = r#"{"cog":271,"batt":41,"lon":2.29513,"acc":5,"vel":61,"vac":21,"lat":48.85833,"t":"u","tst":1497508651,
        "alt":167,"_type":"location","topic":"owntracks/jane/iphone","p":71,"tid":"JJ"}"#;
    let Answer { status, head, body } = post(station.owntracks, full);
    assert_eq!((status, body.as_str()), (200, "[]"));
    assert!(head.contains("content-type: application/json"), "{head}");
    // 61 km/h is 61 km/h (protocols/owntracks.md §9.1).
    assert_eq!(station.sql::<i64>("SELECT speed_kmh = 61 FROM positions"), 1);
    let no_time = r#"{"lon":2.29513,"lat":48.85833,"_type":"location","topic":"owntracks/jane/phone","tid":"JJ"}"#;
    assert_eq!(post(station.owntracks, no_time).status, 200);
    let clock = "2026-11-21T12:00:00Z".parse::<wayglass::model::Timestamp>().expect("a time").as_millisecond();
    let at: i64 = station.sql("SELECT max(fix_time_ms) FROM positions");
    assert_eq!(at, clock, "without tst the time of arrival stands in");
}

#[test]
fn http_refusals_say_why_and_are_kept() {
    let station = Station::start(Policy::Adopt);
    let status = |method, head, body: &[u8]| http(station.owntracks, method, "/", head, body).status;
    assert_eq!(status("GET", "", b""), 405);
    assert_eq!(status("POST", "", b"not json"), 400);
    assert_eq!(status("POST", "", b""), 200, "a friend was deleted in the app");
    assert_eq!(status("POST", "Content-Encoding: gzip\r\n", b"\x1f\x8b"), 415);
    assert_eq!(status("POST", "", &vec![b'A'; (2 << 20) + 1]), 413);
    for kind in ["method", "compressed", "too large"] {
        assert_eq!(station.sql::<i64>(&format!("SELECT count(*) FROM packets WHERE kind = '{kind}'")), 1, "{kind}");
    }
    assert!(station.sql::<i64>("SELECT max(length(bytes)) FROM packets WHERE kind = 'too large'") <= 4096);
}

/// Sends bytes to the HTTP port, behind a good request where `behind`, and reads whatever comes back.
fn throw(station: &Station, behind: bool, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(station.owntracks).expect("the receiver accepts");
    stream.set_read_timeout(Some(SOON)).expect("a time-out");
    if behind {
        stream.write_all(b"POST /pub HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n[]").expect("the receiver reads");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n[]") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            answer.extend(byte);
        }
    }
    stream.write_all(bytes).expect("the receiver reads");
    stream.shutdown(Shutdown::Write).ok();
    let mut answer = Vec::new();
    // What was not read may end in a reset.
    stream.read_to_end(&mut answer).ok();
    answer
}

#[test]
fn what_is_no_http_is_kept_and_named() {
    let many = "X-More: y\r\n".repeat(101);
    let cases: [(&[u8], &str); 10] = [
        (b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03", "a TLS hello: the phone speaks https to the http port"),
        (b"\x00\xff\x00\xff", "not HTTP"),
        (b"\x78\x78\x0d\x01\x01\x23", "a GT06 frame: this tracker belongs on port 5023"),
        (b"78780D01012345678901234500018CDD0D0A\r\n", "a GT06 frame spelled in hex digits"),
        (b"\x10\x1a\x00\x04MQTT\x04", "an MQTT greeting"),
        (b"hello world\r\n\r\n", "not HTTP"),
        (b"POST /pub\r\n\r\n", "a bad HTTP request"),
        (b"POST /pub HTTP/1.1\r\n\x01\x02: x\r\n\r\n", "a bad HTTP request: invalid HTTP header"),
        (b"POST /pub HTTP/1.1\r\nHost", "a bad HTTP request: it broke off"),
        (&[b"POST / HTTP/1.1\r\n", many.as_bytes(), b"\r\n"].concat(), "a bad HTTP request: its head is too large"),
    ];
    for (bytes, problem) in cases {
        let station = Station::start(Policy::Adopt);
        // Also behind a request that was good.
        for behind in [false, true] {
            let answer = throw(&station, behind, bytes);
            let count = if behind { 2 } else { 1 };
            let noise = "FROM packets WHERE kind = 'noise' AND direction = 'in' AND protocol = 'owntracks'";
            station.until("it is kept", |s| {
                s.sql::<i64>(&format!("SELECT count(*) {noise} AND verdict = 'error'")) == count
            });
            let row = station
                .backend()
                .packets(PacketQuery { limit: 9, ..PacketQuery::default() })
                .wait()
                .expect("the store answers");
            let row = row.into_iter().rfind(|r| r.kind == "noise").expect("just counted");
            assert_eq!(&*row.bytes, &bytes[..bytes.len().min(4096)]);
            let dissection = wayglass::wire::dissect_kept(&row, &wayglass::model::Profile::default());
            assert!(dissection.problems[0].text.starts_with(problem), "{bytes:?}: {:?}", dissection.problems);
            if !answer.is_empty() {
                let linked = format!("SELECT count(*) FROM packets WHERE answers = {} AND direction = 'out'", row.id.0);
                assert_eq!(station.sql::<i64>(&linked), 1, "its answer {}", String::from_utf8_lossy(&answer));
            }
        }
        let good = "SELECT count(*) FROM packets WHERE kind = 'array'";
        assert_eq!(station.sql::<i64>(good), 1, "what was understood is no noise");
    }
}

#[test]
fn noise_in_one_piece_with_a_good_request_is_kept_too() {
    let good = b"POST /pub HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]";
    let closing = b"POST /pub HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]";
    let garbage: &[u8] = b"\x78\x78\x0d\x01\x01\x23 and more";
    for (requests, status, expected) in [
        (vec![good.as_slice()], "400", Some("a GT06 frame: this tracker belongs on port 5023")),
        (vec![good.as_slice(), good.as_slice()], "400", Some("a GT06 frame: this tracker belongs on port 5023")),
        (vec![closing.as_slice()], "", Some("a GT06 frame: this tracker belongs on port 5023")),
        (vec![good.as_slice(), good.as_slice(), closing.as_slice()], "", None),
    ] {
        let station = Station::start(Policy::Adopt);
        let mut bytes = requests.concat();
        if expected.is_some() {
            bytes.extend(garbage);
        }
        let answer = throw(&station, false, &bytes);
        let answers = String::from_utf8_lossy(&answer).matches("HTTP/1.1 200").count();
        assert_eq!(answers, requests.len(), "{}", String::from_utf8_lossy(&answer));
        let noise = "FROM packets WHERE kind = 'noise' AND direction = 'in'";
        let count = i64::from(expected.is_some());
        station.until("it is kept", |s| s.sql::<i64>(&format!("SELECT count(*) {noise}")) == count);
        if count == 1 {
            assert_eq!(station.sql::<Vec<u8>>(&format!("SELECT bytes {noise}")), garbage);
            let said = "SELECT coalesce(max(cast(bytes AS TEXT)), '') FROM packets WHERE direction = 'out'
                        AND answers = (SELECT id FROM packets WHERE kind = 'noise')";
            let said = station.sql::<String>(said);
            assert_eq!(said.get(9..12).unwrap_or_default(), status, "{said}");
        }
        station.stop();
    }
}

#[test]
fn much_noise_is_kept_in_part() {
    let station = Station::start(Policy::Adopt);
    for _ in 0..12 {
        throw(&station, false, &[0; 9000]);
    }
    throw(&station, false, b"");
    let noise = "FROM packets WHERE kind = 'noise' AND direction = 'in'";
    station.until("ten are kept", |s| s.sql::<i64>(&format!("SELECT count(*) {noise}")) == 10);
    assert_eq!(station.sql::<i64>(&format!("SELECT max(length(bytes)) {noise}")), 4096);
    assert_eq!(station.sql::<i64>(&format!("SELECT count(*) {noise} AND context LIKE '%left_out%'")), 1);
}

#[test]
fn a_refusal_is_explained_first() {
    let station = Station::start(Policy::Adopt);
    http(station.owntracks, "GET", "/", "", b"");
    http(station.owntracks, "POST", "/", "Content-Encoding: gzip\r\n", b"\x1f\x8b");
    http(station.owntracks, "POST", "/", "", &vec![b'A'; 3 << 20]);
    let rows = station
        .backend()
        .packets(PacketQuery { limit: 9, ..PacketQuery::default() })
        .wait()
        .expect("the store answers");
    for (kind, problem) in [
        ("method", "GET is refused with 405: reports come by POST"),
        ("compressed", "compressed bodies are not accepted: refused with 415"),
        ("too large", "larger than 2 MiB (3145728 bytes): refused with 413; its first 4096 bytes are kept"),
    ] {
        let row = rows.iter().find(|r| r.kind == kind).expect("it is kept");
        let dissection = wayglass::wire::dissect_kept(row, &wayglass::model::Profile::default());
        assert_eq!(dissection.problems.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(), [problem]);
        assert!(dissection.title.starts_with("Refused"), "{}", dissection.title);
        assert_eq!(dissection.reply, None);
        assert_eq!(dissection.fields.last().map_or(0, |f| f.span.end), row.bytes.len());
    }
}

#[test]
fn a_taken_port_is_said_and_taken_when_it_is_free() {
    let station = Station::start(Policy::Adopt);
    // Nobody else gets it between the one and the other.
    let port = Port::keep();
    let taken = port.at();
    let squatter = TcpListener::bind(taken).expect("a free port");
    station.backend().listen(Protocol::Gt06, ListenAt::Address(taken));
    let status = |s: &Station| {
        s.backend().receivers().into_iter().find(|l| l.protocol == Protocol::Gt06).expect("a receiver").status
    };
    station.until("the receiver says that the port is taken", |s| matches!(status(s), ReceiverStatus::Waiting { .. }));
    let ReceiverStatus::Waiting { holder, error, .. } = status(&station) else { unreachable!("just seen") };
    assert!(error.contains("in use"), "{error}");
    if cfg!(target_os = "linux") {
        let holder = holder.expect("the system tells who has it");
        assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    }
    drop(squatter);
    station.backend().retry(Protocol::Gt06);
    station.until("it listens there", |s| status(s) == ReceiverStatus::Listening(taken));
    let mut tracker = Tracker::connect(taken);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ACK);
}

#[test]
fn stopping_stores_what_was_sent() {
    let station = Station::start(Policy::Adopt);
    let mut tracker = logged_in(&station);
    tracker.send(HEARTBEAT);
    tracker.expect(HEARTBEAT_ACK);
    tracker.send(FIX);
    // The bytes are in our socket now: this end of the loopback has handed them over.
    let folder = station.stop();
    assert_eq!(sql::<i64>(folder.path(), "SELECT count(*) FROM positions"), 1);
}
