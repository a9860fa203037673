//! GT06: fixtures, published frames, and what must hold for any bytes.

use std::{collections::HashMap, fmt::Write as _, fs, path::Path};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value as Json;
use wayglass::{
    geo::LatLon,
    model::{
        Command, CommandId, CommandState, Device, DeviceId, DeviceState, Fix, Identity, Profile, Protocol, Verdict,
    },
    wire::{Admission, Conversation, CrcCheck, Dissection, Field, Line, Output, gt06, hex},
};

fn received() -> Timestamp {
    "2026-10-01T12:00:00Z".parse().unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn profile(model: Option<&str>) -> Profile {
    Profile { model: model.map(str::to_owned), ..Profile::default() }
}

mod layouts;

// ---------------------------------------------------------------- fixtures

/// One packet a file: what it is, its bytes, `---`, and how it reads. `UPDATE_FIXTURES=1` writes the lower part anew.
#[test]
fn fixtures_read_as_they_are_written() {
    let folder = Path::new("tests/fixtures/gt06");
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "fixtures are missing");
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let (head, expected) = text.split_once("---\n").unwrap_or((&text, ""));
        let found = listing(head);
        if update {
            fs::write(&file, format!("{head}---\n{found}")).unwrap();
        } else if found != expected {
            wrong.push(format!("{}\nexpected\n{expected}\nfound\n{found}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn listing(head: &str) -> String {
    let key = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let digits: String = head.lines().filter(|line| !line.contains(':')).collect();
    let buffer = bytes(&digits);
    let profile = profile(key("model:"));
    let mut state = gt06::State::default();
    let mut out = String::new();
    for piece in gt06::explain(&buffer, &profile, &mut state, received()) {
        tiling(&piece.dissection, piece.bytes.len());
        write_dissection(&mut out, &piece.dissection);
    }
    out
}

fn write_dissection(out: &mut String, d: &Dissection) {
    for field in &d.fields {
        let span = format!("{}..{}", field.span.start, field.span.end);
        let indent = "  ".repeat(usize::from(field.depth));
        let bits = field.bits.map(|(low, high)| format!(" [{high}..{low}]")).unwrap_or_default();
        let text = field.text();
        let colon = if text.is_empty() { "" } else { ": " };
        writeln!(out, "{span:>9}  {indent}{}{bits}{colon}{text}", field.name).unwrap();
    }
    for p in &d.problems {
        let (severity, group, span) = (p.severity.as_str(), p.group.as_str(), &p.span);
        writeln!(out, "! {severity} {group} {}..{}: {}", span.start, span.end, p.text).unwrap();
    }
    let serial = d.serial.map(|serial| format!(" #{serial}")).unwrap_or_default();
    writeln!(out, "=> {} ({}){serial} {}", d.kind, d.title, d.verdict().as_str()).unwrap();
    if let Some(device) = &d.device {
        writeln!(out, "=> device {device}").unwrap();
    }
    for report in &d.reports {
        if let Some(fix) = &report.fix {
            writeln!(
                out,
                "=> fix {} {:.6} {:.6} valid={} speed={:?} course={:?} sat={:?} alt={:?}",
                fix.at,
                fix.place.lat_deg(),
                fix.place.lon_deg(),
                fix.valid,
                fix.speed_kmh,
                fix.course_deg,
                fix.satellites,
                fix.altitude_m
            )
            .unwrap();
        }
        for (name, value) in report.readings.iter() {
            writeln!(out, "=> {name} = {value}").unwrap();
        }
        for cell in &report.cells {
            writeln!(out, "=> cell {}-{} {} {} {:?}", cell.mcc, cell.mnc, cell.lac, cell.cid, cell.rssi_dbm).unwrap();
        }
        for point in &report.wifi {
            writeln!(out, "=> wifi {} {:?}", hex(&point.mac), point.rssi_dbm).unwrap();
        }
        for event in &report.events {
            writeln!(out, "=> event {} {} {}", event.kind, event.at, event.attributes.to_json()).unwrap();
        }
    }
    if let Some(reply) = &d.reply {
        writeln!(out, "<= {}", hex(reply)).unwrap();
    }
}

// ---------------------------------------------------------------- what must hold for every packet

/// Leaves tile the packet: no byte without a name, none with two; bit leaves of one word count as one cover.
fn tiling(d: &Dissection, len: usize) {
    let mut owner: Vec<Option<String>> = vec![None; len];
    let mut bits_of: HashMap<(usize, usize), Vec<(u8, u8)>> = HashMap::new();
    let mut deepest = 0;
    for (i, field) in d.fields.iter().enumerate() {
        assert!(usize::from(field.depth) <= deepest, "depth jumps at {field:?}");
        deepest = usize::from(field.depth) + 1;
        assert!(!field.name.is_empty());
        let leaf = d.fields.get(i + 1).is_none_or(|next| next.depth <= field.depth);
        assert!(field.span.start < field.span.end && field.span.end <= len, "{field:?} of {len}");
        if leaf {
            cover(field, &mut owner, &mut bits_of);
        }
    }
    assert!(
        owner.iter().all(Option::is_some),
        "byte {:?} of {} has no name",
        owner.iter().position(Option::is_none),
        len
    );
    for p in &d.problems {
        assert!(p.span.start <= p.span.end && p.span.end <= len, "{p:?} of {len}");
    }
}

fn cover(field: &Field, owner: &mut [Option<String>], bits_of: &mut HashMap<(usize, usize), Vec<(u8, u8)>>) {
    let span = (field.span.start, field.span.end);
    let mark = match field.bits {
        Some((low, high)) => {
            assert!(low <= high && usize::from(high) < 8 * field.span.len(), "{field:?}");
            let others = bits_of.entry(span).or_default();
            assert!(others.iter().all(|&(l, h)| high < l || low > h), "bits twice: {field:?}");
            others.push((low, high));
            format!("bits {span:?}")
        }
        None => format!("{} {span:?}", field.name),
    };
    for slot in owner.iter_mut().skip(span.0).take(span.1 - span.0) {
        assert!(
            slot.is_none() || field.bits.is_some() && slot.as_ref() == Some(&mark),
            "two leaves: {slot:?} and {mark}"
        );
        *slot = Some(mark.clone());
    }
}

// ---------------------------------------------------------------- published frames

/// All frames of the shared vectors, where they are.
#[test]
fn published_frames_say_what_was_published() {
    let Ok(text) = fs::read_to_string("../shared/vectors/gt06.json") else {
        eprintln!("../shared/vectors/gt06.json is not here: published frames not tried");
        return;
    };
    let vectors: Json = serde_json::from_str(&text).unwrap();
    let all = ["frames", "documents_and_logs"].iter().flat_map(|part| vectors[part].as_array().unwrap());
    let (mut wrong, mut count, mut undecoded) = (Vec::new(), 0, 0);
    for v in all.filter(|v| v["expect"]["kind"] != "encode") {
        count += 1;
        let raw = bytes(v["hex"].as_str().unwrap());
        let pieces = gt06::explain_alone(&raw, &profile(v["model"].as_str()), received());
        for piece in &pieces {
            tiling(&piece.dissection, piece.bytes.len());
            let missing =
                piece.dissection.fields.iter().filter(|f| f.name == "Undecoded").map(|f| f.span.len()).sum::<usize>();
            if missing > 0 && v["from"] != "server" {
                eprintln!("{}: {missing} undecoded", v["id"]);
                undecoded += missing;
            }
        }
        if let Some(complaint) = judge(v, &pieces) {
            wrong.push(format!("{}: {complaint}", v["id"].as_str().unwrap()));
        }
    }
    eprintln!("{count} frames, {undecoded} bytes undecoded, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} of {count}\n{}", wrong.len(), wrong.join("\n"));
}

fn judge(v: &Json, pieces: &[gt06::Piece]) -> Option<String> {
    if v["from"] == "server" {
        return None;
    }
    let [piece] = pieces else { return Some(format!("{} pieces", pieces.len())) };
    let d = &piece.dissection;
    if d.kind == "noise" {
        return Some("noise".to_owned());
    }
    match (v["crc_status"].as_str(), d.crc) {
        (Some("absent"), None) => {}
        (Some("ok"), Some(crc)) if crc.ok() => {}
        (Some("mismatch"), Some(crc)) if !crc.ok() && d.verdict() == Verdict::Error => {}
        (status, crc) => return Some(format!("checksum {status:?}, came {crc:?}")),
    }
    let readings = d.reports.first().map(|r| r.readings.to_json()).unwrap_or_default();
    let fix = d.reports.first().and_then(|r| r.fix.as_ref());
    let better = &v["review"]["better"];
    let told = !d.reports.is_empty();
    let expect = &v["expect"];
    match expect["kind"].as_str() {
        Some("attribute") if better.is_null() && !v["review"]["note"].is_null() => None,
        Some("attribute") => {
            let source = if better.is_null() { expect } else { better };
            let (name, want) = (source["attribute"].as_str().unwrap(), &source["value"]);
            let altitude = fix.and_then(|f| f.altitude_m).map_or(Json::Null, Json::from);
            let got = if name == "altitude" { &altitude } else { &readings[name] };
            (!same(name, got, want)).then(|| format!("expected {name} {want}, came {got}"))
        }
        Some("attributes" | "notNull") => (!told).then(|| "told nothing".to_owned()),
        Some("position") => match fix {
            None => Some("no position".to_owned()),
            Some(fix) if !expect["lat"].is_null() => {
                let near = |a: f64, b: &Json| (a - b.as_f64().unwrap()).abs() < 1e-5;
                let right = near(fix.place.lat_deg(), &expect["lat"])
                    && near(fix.place.lon_deg(), &expect["lon"])
                    && fix.at == expect["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
                (!right).then(|| format!("came {fix:?}"))
            }
            Some(_) => None,
        },
        _ => None,
    }
}

fn same(name: &str, got: &Json, want: &Json) -> bool {
    match (got, want) {
        (Json::Number(got), Json::Number(want)) => {
            let tolerance = if name == "batteryLevel" { 1.0 } else { 1e-6 };
            (got.as_f64().unwrap() - want.as_f64().unwrap()).abs() <= tolerance
        }
        (Json::String(got), Json::String(want)) => got.eq_ignore_ascii_case(want),
        _ => got == want,
    }
}

// ---------------------------------------------------------------- sessions

const LOGIN: &str = "78780d01012345678901234500018cdd0d0a";

fn line() -> Line {
    Line { peer: "127.0.0.1:40000".into(), connection: 7 }
}

fn device(identity: &str, profile: Profile) -> Device {
    Device {
        id: DeviceId(1),
        identity: Identity::new(identity).unwrap(),
        protocol: Protocol::Gt06,
        name: None,
        state: DeviceState::Adopted,
        profile,
        first_seen: received(),
        last_heard: None,
    }
}

/// What a conversation wanted done, as text: `ask`, `in kind verdict bytes`, `reply`, `send`, `close`.
fn drain(session: &mut gt06::Session, admit: bool, log: &mut Vec<String>) {
    while let Some(output) = session.poll() {
        match output {
            Output::Identify(identity) => {
                log.push(format!("ask {identity}"));
                let known = Admission::Device(Box::new(device(identity.as_str(), Profile::default())));
                session.identified(if admit { known } else { Admission::Refused });
            }
            Output::Store(packet) => {
                let (direction, kind, verdict) = (packet.direction.as_str(), &packet.kind, packet.verdict.as_str());
                let whose = if packet.sender.is_some() { "" } else { " nobody's" };
                log.push(format!("{direction} {kind} {verdict}{whose} {}", hex(&packet.bytes)));
                log.extend(packet.replies.iter().map(|reply| format!("reply {} {}", reply.kind, hex(&reply.bytes))));
            }
            Output::Send(bytes) => log.push(format!("send {}", hex(&bytes))),
            Output::Receipt(receipt) => log.push(format!("{receipt:?}")),
            Output::Close(why) => log.push(format!("close {why}")),
        }
    }
}

/// The same stream, cut as `chunks` says (over and over), then closed.
fn talk(stream: &[u8], chunks: &[usize], admit: bool) -> Vec<String> {
    let mut session = gt06::Session::new(line());
    let mut log = Vec::new();
    let (mut at, mut turn) = (0, 0);
    while at < stream.len() {
        let len = chunks.get(turn % chunks.len().max(1)).copied().unwrap_or(stream.len()).clamp(1, stream.len() - at);
        session.receive(received(), &stream[at..at + len]);
        drain(&mut session, admit, &mut log);
        at += len;
        turn += 1;
    }
    session.finish(received());
    drain(&mut session, admit, &mut log);
    log
}

fn check(stream: &str, expected: &[&str]) {
    assert_eq!(talk(&bytes(stream), &[], true), expected, "{stream}");
}

#[test]
fn login_is_answered_once_its_sender_is_known() {
    let answer = "787805010001d9dc0d0a";
    check(
        LOGIN,
        &[
            "ask 123456789012345",
            &format!("in login ok {LOGIN}"),
            &format!("reply ack {answer}"),
            &format!("send {answer}"),
        ],
    );
}

#[test]
fn a_refused_login_is_kept_unanswered_and_ends_the_talk() {
    let log = talk(&bytes(&format!("{LOGIN}7878058a000688290d0a")), &[], false);
    let kept = format!("in login error nobody's {LOGIN}");
    assert_eq!(log, ["ask 123456789012345", kept.as_str(), "close unknown device, refused"]);
}

#[test]
fn time_is_told_under_the_serial_of_the_question() {
    let log = talk(&bytes(&format!("{LOGIN}7878058a000688290d0a")), &[], true);
    assert_eq!(log.last().map(String::as_str), Some("send 78780b8a1a0a010c00000006dc0e0d0a"));
}

#[test]
fn a_bad_checksum_is_kept_unanswered_and_the_talk_goes_on() {
    let damaged = "78780a134406040002 01ba af55 0d0a".replace(' ', "");
    let good = "78780a134406040002 01ba af54 0d0a".replace(' ', "");
    let log = talk(&bytes(&format!("{LOGIN}{damaged}{good}")), &[], true);
    assert_eq!(
        log[4..],
        [
            format!("in heartbeat error {damaged}"),
            format!("in heartbeat note {good}"),
            "reply ack 7878051301bafb710d0a".to_owned(),
            "send 7878051301bafb710d0a".to_owned(),
        ]
    );
}

#[test]
fn frames_before_any_login_are_kept_unanswered() {
    let beat = "78780a13440604000201baaf540d0a";
    check(beat, &[&format!("in heartbeat warn nobody's {beat}")]);
}

#[test]
fn noise_is_one_packet_a_run() {
    let log = talk(&bytes(&format!("00ff7878{LOGIN}414243")), &[1], true);
    assert_eq!(log[0], "in noise error nobody's 00ff7878");
    assert_eq!(log.last().map(String::as_str), Some("in noise error 414243"));
}

#[test]
fn stop_bits_that_stand_right_by_chance_hide_no_frame() {
    // The first two bytes make a length that ends exactly with the last frame.
    let beat = gt06::encode::heartbeat(true, true, 6, 4, 0);
    let mut damaged = gt06::encode::position_12(&fix(1.0, 1.0, 0.0, 0.0, 1_700_000_000), false, 9);
    damaged[8] ^= 1;
    let filler = gt06::encode::seal(gt06::encode::Start::Long, 0, &[0; 31], 0);
    let stream = [&[0x78, 0x78], damaged.as_slice(), &beat, &filler, &beat, &beat].concat();
    assert_eq!(stream.len(), 0x78 + 5, "the trap is set");
    let log = talk(&stream, &[], true);
    assert_eq!(log, talk(&stream, &[1], true));
    assert_eq!(log.iter().filter(|line| line.starts_with("in ")).count(), 6);
}

#[test]
fn a_far_end_that_closes_before_its_login_is_decided_is_kept_to_its_last_byte() {
    let mut session = gt06::Session::new(line());
    session.receive(received(), &bytes(&format!("{LOGIN}78780a13")));
    session.finish(received());
    let mut log = Vec::new();
    drain(&mut session, true, &mut log);
    assert_eq!(log.last().map(String::as_str), Some("in heartbeat error 78780a13"));
    assert_eq!(session.deadline(), None);
}

/// Streams that once meant something else in other segments.
const TORN: &[&str] = &[
    // A whole heartbeat within a list of access points.
    "787808171709281135331491827b75594dc8d719a9708452cad719a9708550cad719a97086521491827b75574cac9e17b308085dc8787808134606020002044dc5050d0ad71939633947cad71939633a480700cc0400000000000000000000000000000000d37a3d5a00d37a3d5a00d37a3d5a00d37a3d5a00d37a3d5a00d37a3d5a00d37a3d5a0d0a",
];

#[test]
fn torn_streams_mean_the_same() {
    for stream in TORN {
        let stream = bytes(stream);
        let whole = talk(&stream, &[], true);
        for chunks in [[1, 1], [7, 2], [60, 3]] {
            assert_eq!(talk(&stream, &chunks, true), whole);
        }
    }
}

#[test]
fn endless_junk_ends_the_talk() {
    let log = talk(&vec![0x41; 200_000], &[1000], true);
    assert_eq!(log.last().map(String::as_str), Some("close too much without one sound frame"));
    assert!(log.iter().all(|line| line.len() < 2 * 4096 + 100), "noise is kept in pieces");
}

#[test]
fn an_unfinished_frame_is_told_when_its_time_is_up() {
    let mut session = gt06::Session::new(line());
    let cut = bytes("78781f120f0a140e150bc505e51e78");
    session.receive(received(), &cut);
    assert!(session.poll().is_none());
    let deadline = session.deadline().unwrap();
    assert_eq!(deadline, "2026-10-01T12:00:30Z".parse().unwrap());
    session.expire(deadline);
    let mut log = Vec::new();
    drain(&mut session, true, &mut log);
    assert_eq!(log, [format!("in location error nobody's {}", hex(&cut))]);
    assert_eq!(session.deadline(), None);
}

#[test]
fn good_frames_behind_a_broken_start_wait_two_seconds_at_most() {
    let mut session = gt06::Session::new(line());
    session.receive(received(), &bytes(&format!("7878ff12{LOGIN}")));
    assert!(session.poll().is_none());
    session.expire("2026-10-01T12:00:02Z".parse().unwrap());
    let mut log = Vec::new();
    drain(&mut session, true, &mut log);
    assert_eq!(log.last().map(String::as_str), Some("send 787805010001d9dc0d0a"));
}

#[test]
fn the_zone_of_the_login_shifts_old_types_only() {
    // gt06.md §3.8: +8 hours in the login; 0x12 and 0x22 with the same digits.
    let login = gt06::encode::seal(gt06::encode::Start::Short, 1, &bytes("0351742101981019 2203 3201"), 1);
    let fix = fix(23.0, 114.0, 0.0, 0.0, 1_700_000_000);
    let mut stream = login;
    stream.extend(gt06::encode::position_12(&fix, false, 2));
    stream.extend(gt06::encode::position_22(&fix, false, 3));
    let mut state = gt06::State::default();
    let pieces = gt06::explain(&stream, &Profile::default(), &mut state, received());
    let times: Vec<_> =
        pieces.iter().flat_map(|p| &p.dissection.reports).filter_map(|r| r.fix.as_ref()).map(|f| f.at).collect();
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    assert_eq!(times, [at(1_700_000_000 - 8 * 3600), at(1_700_000_000)]);
    // A packet from the store is read as it was then.
    let context = state.context(false, &[]);
    let again = gt06::State::from_context(context.as_deref());
    let old = gt06::dissect_in(&gt06::encode::position_12(&fix, false, 2), &Profile::default(), &again, received());
    assert_eq!(old.reports[0].fix.as_ref().unwrap().at, times[0]);
}

#[test]
fn a_fix_that_is_sent_again_has_the_same_key() {
    let fix = fix(-25.5, -57.25, 61.0, 271.0, 1_772_323_198);
    let key = |frame: &[u8]| gt06::dissect(frame, &Profile::default(), received()).reports[0].fix_key;
    let first = gt06::encode::position_22(&fix, true, 2);
    assert_eq!(key(&first), key(&gt06::encode::position_22(&fix, true, 99)));
    assert_ne!(key(&gt06::encode::alarm_16(&fix, true, 1, 2)), key(&gt06::encode::alarm_16(&fix, true, 2, 2)));
    assert_ne!(key(&first), key(&gt06::encode::alarm_16(&fix, true, 1, 2)));
}

fn command(id: i64, text: &str) -> Command {
    Command {
        id: CommandId(id),
        device: DeviceId(1),
        text: text.to_owned(),
        state: CommandState::Queued,
        created: received(),
        expires: received(),
        sent: None,
        answered: None,
        answer: None,
        guessed: false,
        waits: None,
        sent_packet: None,
        answer_packet: None,
    }
}

/// Logs in, sends the commands, hears the frames.
fn commanded(commands: &[Command], frames: &[Vec<u8>]) -> Vec<String> {
    let mut session = gt06::Session::new(line());
    session.receive(received(), &bytes(LOGIN));
    drain(&mut session, true, &mut Vec::new());
    let mut log = Vec::new();
    for command in commands {
        session.command(received(), command);
    }
    for frame in frames {
        session.receive(received(), frame);
    }
    drain(&mut session, true, &mut log);
    log.retain(|line| line.contains("command") || line.contains("Answered") || line.contains("Sent"));
    log
}

#[test]
fn commands_carry_their_id_and_answers_bring_it_back() {
    let commands = [command(7, "RELAY,1#"), command(8, "STATUS#")];
    let answers = [gt06::encode::answer_15("second", 8, 2), gt06::encode::answer_15("first", 7, 3)];
    let log = commanded(&commands, &answers);
    let sent = |text, id, serial| hex(&gt06::encode::command(text, id, false, serial).unwrap());
    assert_eq!(
        log,
        [
            format!("out command ok {}", sent("RELAY,1#", 7, 7)),
            "Sent { id: CommandId(7), at: 2026-10-01T12:00:00Z }".to_owned(),
            format!("out command ok {}", sent("STATUS#", 8, 8)),
            "Sent { id: CommandId(8), at: 2026-10-01T12:00:00Z }".to_owned(),
            "Answered { id: CommandId(8), at: 2026-10-01T12:00:00Z, text: \"second\", guessed: false }".to_owned(),
            "Answered { id: CommandId(7), at: 2026-10-01T12:00:00Z, text: \"first\", guessed: false }".to_owned(),
        ]
    );
}

#[test]
fn answers_that_echo_zeros_belong_to_the_oldest_command_as_a_guess() {
    let answers = [
        gt06::encode::answer_15("OK", 0, 2),
        gt06::encode::answer_15("unasked", 0, 3),
        gt06::encode::answer_15("else", 99, 4),
    ];
    let log = commanded(&[command(7, "RELAY,1#")], &answers);
    let answered: Vec<_> = log.iter().filter(|line| line.starts_with("Answered")).collect();
    assert_eq!(
        answered,
        [
            "Answered { id: CommandId(7), at: 2026-10-01T12:00:00Z, text: \"OK\", guessed: true }",
            "AnsweredLate { id: CommandId(99), at: 2026-10-01T12:00:00Z, text: \"else\" }",
        ]
    );
}

#[test]
fn commands_wait_for_the_login() {
    let mut session = gt06::Session::new(line());
    session.command(received(), &command(7, "WHERE#"));
    assert!(session.poll().is_none());
    session.receive(received(), &bytes(LOGIN));
    let mut log = Vec::new();
    drain(&mut session, true, &mut log);
    assert_eq!(log.last().map(String::as_str), Some("Sent { id: CommandId(7), at: 2026-10-01T12:00:00Z }"));
}

#[test]
fn serials_that_are_missing_are_counted() {
    let beat = |serial| gt06::encode::heartbeat(true, true, 6, 4, serial);
    let stream = [bytes(LOGIN), beat(2), beat(5), beat(5), beat(6), beat(65_535), beat(0), beat(2)].concat();
    let mut state = gt06::State::default();
    let pieces = gt06::explain(&stream, &Profile::default(), &mut state, received());
    let gaps: Vec<_> = pieces.iter().flat_map(|p| &p.dissection.problems).map(|p| p.text.as_str()).collect();
    assert_eq!(
        gaps,
        ["serial 5 comes after 2: 2 frames did not arrive", "serial 2 comes after 0: 1 frame did not arrive"]
    );
}

#[test]
fn a_topin_unit_is_answered_in_its_own_way() {
    let login = "78780d010359339075005244340d0a";
    let beat = "78780713644d0819640d0a";
    let position = "78781511170103100e1f9904efe30400a97f88003410ffdd000d0a";
    let log = talk(&bytes(&format!("{login}{beat}{position}787801300d0a")), &[], true);
    let sent: Vec<_> = log.iter().filter_map(|line| line.strip_prefix("send ")).collect();
    assert_eq!(
        sent,
        [
            "78780d01010d0a7878073007ea0a010c00000d0a",
            "78780713644d0819640d0a",
            "787815111701 03100e1f0d0a".replace(' ', "").as_str(),
            "7878073007ea0a010c00000d0a",
        ]
    );
}

#[test]
fn a_picture_is_asked_for_piece_by_piece() {
    let offered = "78781f3511061a0b24330503107d06084889cb01000100000cfa20e3acd301333fcb0d0a";
    let piece = |offset: u32, size: u16| {
        let body =
            [&0x20e3_acd3_u32.to_be_bytes()[..], &offset.to_be_bytes(), &size.to_be_bytes(), &vec![7; size.into()]]
                .concat();
        gt06::encode::seal(gt06::encode::Start::Long, 0x36, &body, 2)
    };
    let stream =
        [bytes(LOGIN), bytes(offered), piece(0, 1024), piece(1024, 1024), piece(2048, 1024), piece(3072, 250)].concat();
    let log = talk(&stream, &[100], true);
    let asked: Vec<_> = log.iter().filter_map(|line| line.strip_prefix("send 78780f3620e3acd3")?.get(..12)).collect();
    assert_eq!(asked, ["000000000400", "000004000400", "000008000400", "00000c0000fa"]);
}

#[test]
fn a_frame_that_names_its_sender_needs_no_login() {
    let frame = "79790020940a035985708053908307060104900402788950301217070401538f0003e8210d0a";
    let log = talk(&bytes(frame), &[], true);
    assert_eq!(log, ["ask 359857080539083".to_owned(), format!("in info ok {frame}")]);
}

// ---------------------------------------------------------------- properties

fn fix(lat: f64, lon: f64, speed_kmh: f64, course_deg: f64, at_s: i64) -> Fix {
    Fix {
        at: Timestamp::from_second(at_s).unwrap(),
        place: LatLon::new(lat, lon).unwrap(),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(speed_kmh),
        course_deg: Some(course_deg),
        satellites: Some(9),
        accuracy_m: None,
    }
}

fn any_fix() -> impl Strategy<Value = Fix> {
    let places =
        (-90.0..=90.0_f64, -180.0..=180.0_f64).prop_filter("0/0 is no fix", |(lat, lon)| lat.abs() + lon.abs() > 0.01);
    (places, 0..256_u32, 0..360_u32, 946_684_800..1_790_000_000_i64)
        .prop_map(|((lat, lon), speed, course, at)| fix(lat, lon, speed.into(), course.into(), at))
}

/// Frames as devices send them, some damaged, with anything between them.
fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    let frame = prop_oneof![
        (any::<u16>()).prop_map(|serial| gt06::encode::login("359339075005244", serial)),
        (any::<u16>()).prop_map(|serial| gt06::encode::heartbeat(true, true, 6, 4, serial)),
        (any_fix(), any::<u16>()).prop_map(|(fix, serial)| gt06::encode::position_22(&fix, true, serial)),
        (any::<u8>(), prop::collection::vec(any::<u8>(), 0..60), any::<u16>())
            .prop_map(|(kind, body, serial)| gt06::encode::seal(gt06::encode::Start::Long, kind, &body, serial)),
    ];
    let damaged = (any_fix(), 4..30_usize, 0..8_u8).prop_map(|(fix, at, bit)| {
        let mut frame = gt06::encode::position_12(&fix, false, 9);
        frame[at] ^= 1 << bit;
        frame
    });
    let noise = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(prop::sample::select(vec![0x78, 0x79, 0x0D, 0x0A, 0x01, 0x12]), 0..12),
    ];
    prop::collection::vec(prop_oneof![4 => frame, 1 => damaged, 2 => noise], 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_spelled_and_tiled(buffer in prop::collection::vec(any::<u8>(), 0..300)) {
        spelled(&buffer);
    }

    #[test]
    fn any_stream_is_spelled_and_tiled(buffer in any_stream()) {
        spelled(&buffer);
    }

    #[test]
    fn any_body_of_any_type_is_tiled(kind in any::<u8>(), long in any::<bool>(), body in prop::collection::vec(any::<u8>(), 0..120),
                                     cut in 0..140_usize, model in 0..8_usize) {
        let start = if long { gt06::encode::Start::Long } else { gt06::encode::Start::Short };
        let model = [None, Some("R11"), Some("LW4G"), Some("SEEWORLD"), Some("VL103"), Some("XT40"), Some("SL4X"), Some("TRX16i")][model];
        let frame = gt06::encode::seal(start, kind, &body, 1);
        let d = gt06::dissect(&frame, &profile(model), received());
        tiling(&d, frame.len());
        prop_assert!(d.crc.is_some_and(CrcCheck::ok));
        let short = &frame[..cut.min(frame.len())];
        let d = gt06::dissect(short, &profile(model), received());
        tiling(&d, short.len());
        if short.len() + 4 < frame.len() && !short.is_empty() {
            prop_assert_ne!(d.verdict(), Verdict::Ok);
            prop_assert!(d.reports.iter().all(|r| r.fix.is_none()));
        }
    }

    #[test]
    fn segments_do_not_matter(stream in any_stream(), chunks in prop::collection::vec(1..40_usize, 1..8)) {
        let whole = talk(&stream, &[], true);
        prop_assert_eq!(&talk(&stream, &chunks, true), &whole);
        prop_assert_eq!(&talk(&stream, &[1], true), &whole);
    }

    #[test]
    fn what_is_encoded_is_decoded(fix in any_fix(), ignition in any::<bool>(), serial in any::<u16>()) {
        for frame in [
            gt06::encode::position_12(&fix, ignition, serial),
            gt06::encode::position_22(&fix, ignition, serial),
            gt06::encode::alarm_16(&fix, ignition, 1, serial),
        ] {
            let d = gt06::dissect(&frame, &Profile::default(), received());
            prop_assert_eq!(d.verdict(), Verdict::Ok, "{:?}", d.problems);
            prop_assert_eq!(d.serial, Some(serial));
            let report = &d.reports[0];
            let read = report.fix.as_ref().unwrap();
            prop_assert_eq!(read.at, fix.at);
            prop_assert!((read.place.lat_deg() - fix.place.lat_deg()).abs() < 3e-7);
            prop_assert!((read.place.lon_deg() - fix.place.lon_deg()).abs() < 3e-7);
            prop_assert_eq!((read.speed_kmh, read.course_deg, read.valid), (fix.speed_kmh, fix.course_deg, true));
            prop_assert_eq!(report.readings.get("ignition"), Some(&Json::from(ignition)));
        }
    }
}

fn spelled(buffer: &[u8]) {
    let mut state = gt06::State::default();
    let pieces = gt06::explain(buffer, &Profile::default(), &mut state, received());
    let mut at = 0;
    let mut before_was_noise = false;
    for piece in &pieces {
        assert_eq!((piece.offset, piece.bytes.start), (at, at));
        at = piece.bytes.end;
        tiling(&piece.dissection, piece.bytes.len());
        let noise = piece.dissection.kind == "noise";
        assert!(!(noise && before_was_noise), "one run is one piece");
        before_was_noise = noise;
    }
    assert_eq!(at, buffer.len(), "every byte is in a piece");
}
