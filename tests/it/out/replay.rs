//! A capture is sent again into our own receivers: the same positions come out.

use std::{io::Write as _, net::TcpListener, path::Path, process::Command};

use tokio_util::sync::CancellationToken;
use wayglass::{
    backend::{
        capture::CaptureSource,
        demo::HttpUrl,
        replay::{Rename, ReplayJob, Speed, Tale, Target, replay},
    },
    model::{Policy, Timestamp},
};

use super::super::support::{Port, Station, Tracker, bytes, post};

const LOGIN: &str = "78780d01012345678901234500018cdd0d0a";
const LOGIN_ACK: &str = "787805010001d9dc0d0a";

/// A position 0x22 as the simulator makes it.
fn position(second: i64, serial: u16) -> String {
    use wayglass::{geo::LatLon, model::Fix, wire::gt06::encode};
    let fix = Fix {
        at: Timestamp::from_second(1_795_255_200 + second).unwrap(),
        place: LatLon::new(48.0 + f64::from(serial) / 100.0, 11.5).unwrap(),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(30.0),
        course_deg: Some(90.0),
        satellites: Some(9),
        accuracy_m: None,
    };
    wayglass::wire::hex(&encode::position_22(&fix, true, serial))
}

/// A station that heard a tracker and a phone.
fn heard() -> Station {
    let station = Station::start(Policy::Adopt);
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ACK);
    for serial in 2..=5 {
        tracker.send(&position(i64::from(serial) * 10, serial));
    }
    for second in 0..3 {
        let body = format!(
            r#"{{"_type":"location","topic":"owntracks/jane/phone","tid":"JJ","lat":47.5,"lon":11.{second},"tst":{}}}"#,
            1_795_255_200 + second * 60
        );
        assert_eq!(post(station.owntracks, &body).status, 200);
    }
    station.until("all of it is kept", |s| s.sql::<i64>("SELECT count(*) FROM positions") == 7);
    station
}

fn capture(station: &Station, format: &str) -> std::path::PathBuf {
    let file = station.folder.path().join(format!("capture.{format}"));
    let mut call = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    call.arg("--data-dir").arg(station.folder.path()).args(["packets", "--format", format, "--output"]).arg(&file);
    assert!(call.status().unwrap().success());
    file
}

fn play(file: &Path, to: Target, speed: Speed, rename: Option<Rename>) -> Tale {
    let job = ReplayJob { source: CaptureSource::File(file.to_owned()), to, speed, rename };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    runtime.block_on(replay(&job, now, CancellationToken::new(), |_| ())).unwrap()
}

const PLACES: &str = "SELECT group_concat(place, ' ') FROM (SELECT fix_time_ms || ':' || latitude || ':' || longitude AS place \
                      FROM positions ORDER BY fix_time_ms, longitude)";

#[test]
fn the_same_positions_come_out_of_every_form() {
    let station = heard();
    let expected: String = station.sql(PLACES);
    for format in ["jsonl", "hex", "pcapng"] {
        let file = capture(&station, format);
        let other = Station::start(Policy::Adopt);
        let gt06 = play(&file, Target::Gt06(other.gt06.to_string()), Speed::Acknowledged, None);
        assert_eq!(
            (gt06.sent, gt06.answered, gt06.missing, gt06.other, gt06.others),
            (5, 5, 0, 0, 3),
            "{format}: {gt06:?}"
        );
        let url = HttpUrl::parse(&format!("http://{}", other.owntracks)).unwrap();
        let phone = play(&file, Target::OwnTracks(url), Speed::Max, None);
        assert_eq!((phone.sent, phone.answered, phone.other, phone.others), (3, 3, 0, 5), "{format}: {phone:?}");
        other.until("all of it is kept", |s| s.sql::<i64>("SELECT count(*) FROM positions") == 7);
        assert_eq!(other.sql::<String>(PLACES), expected, "{format}");
        other.stop();
    }
}

#[test]
fn a_login_goes_under_another_imei() {
    let station = heard();
    let file = capture(&station, "jsonl");
    let other = Station::start(Policy::Adopt);
    let foreign = Rename { old: Some("999999999999999".to_owned()), new: "358000000000001".to_owned() };
    play(&file, Target::Gt06(other.gt06.to_string()), Speed::Times(1_000.0), Some(foreign));
    other.until("it came", |s| s.sql::<i64>("SELECT count(*) FROM devices") == 1);
    let rename = Rename { old: None, new: "358000000000001".to_owned() };
    let tale = play(&file, Target::Gt06(other.gt06.to_string()), Speed::Max, Some(rename));
    assert_eq!((tale.sent, tale.answered), (5, 5), "{tale:?}");
    let identities: String =
        other.sql("SELECT group_concat(identity, ' ') FROM (SELECT identity FROM devices ORDER BY identity)");
    assert_eq!(identities, "123456789012345 358000000000001");
}

#[test]
fn a_login_that_goes_over_several_records_is_renamed_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("torn.log");
    let mut log = std::fs::File::create(&file).unwrap();
    let (head, tail) = LOGIN.split_at(14);
    let first = position(0, 2);
    for part in [head, tail, &first[..20], &first[20..]] {
        writeln!(log, "2026-11-21T10:00:00Z [1: gt06 < 10.0.0.9:4711] {part}").unwrap();
    }
    // A frame whose end never came is sent as it is.
    writeln!(log, "2026-11-21T10:00:01Z [1: gt06 < 10.0.0.9:4711] {}", &first[..30]).unwrap();
    drop(log);
    let station = Station::start(Policy::Adopt);
    let rename = Rename { old: None, new: "358000000000001".to_owned() };
    let tale = play(&file, Target::Gt06(station.gt06.to_string()), Speed::Max, Some(rename));
    assert_eq!((tale.sent, tale.answered), (3, 2), "{tale:?}");
    station.until("the position came", |s| s.sql::<i64>("SELECT count(*) FROM positions") == 1);
    assert_eq!(station.sql::<String>("SELECT group_concat(identity) FROM devices"), "358000000000001");
}

#[test]
fn missing_and_other_answers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture.log");
    let (first, second) = (position(0, 2), position(10, 3));
    let ack = |serial: u16| {
        use wayglass::wire::gt06::encode::{Start, acknowledge};
        wayglass::wire::hex(&acknowledge(Start::Short, 0x22, serial))
    };
    let mut log = std::fs::File::create(&file).unwrap();
    for (arrow, frame) in
        [("<", LOGIN), (">", LOGIN_ACK), ("<", &first), (">", &ack(2)), ("<", &second), (">", &ack(3))]
    {
        writeln!(log, "2026-11-21T10:00:00Z [1: gt06 {arrow} 10.0.0.9:4711] {frame}").unwrap();
    }
    drop(log);
    // A receiver that answers the login as it should, the first position otherwise, and then hangs up.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        use std::io::Read as _;
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = vec![0; bytes(LOGIN).len() + 2 * bytes(&position(0, 2)).len()];
        stream.read_exact(&mut all).unwrap();
        stream.write_all(&bytes(LOGIN_ACK)).unwrap();
        let mut wrong = bytes("78780622000200000d0a");
        wrong[2] = 5;
        stream.write_all(&wrong).unwrap();
    });
    let tale = play(&file, Target::Gt06(at.to_string()), Speed::Max, None);
    server.join().unwrap();
    assert_eq!((tale.sent, tale.answered, tale.missing, tale.other), (3, 2, 1, 1), "{tale:?}");
    let told: Vec<_> = tale.odd.iter().map(|odd| odd.0.as_str()).collect();
    assert!(told.iter().any(|text| text.contains("line 5") && text.contains("no answer")), "{told:?}");
}

#[test]
fn the_command_says_how_it_went() {
    let station = heard();
    let file = capture(&station, "traccar");
    let other = Station::start(Policy::Adopt);
    let call = |to: &str| {
        let mut call = Command::new(env!("CARGO_BIN_EXE_wayglass"));
        call.arg("replay").arg(&file).args(["--to", to, "--speed", "max"]).output().unwrap()
    };
    let done = call(&other.gt06.to_string());
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && text.starts_with("5 packets sent, 5 answered"), "{done:?}");
    let off = Port::keep();
    let nobody = off.at().to_string();
    let failed = call(&nobody);
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains(&nobody), "{failed:?}");
    assert_eq!(call("nowhere").status.code(), Some(2));
}
