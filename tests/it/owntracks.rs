//! OwnTracks: bodies and requests as they come, and what the program makes of them.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::Value as Json;
use wayglass::{
    model::{NewPacket, Sender, Timestamp, Verdict},
    wire::{
        Dissection, Field, Line,
        owntracks::{Exchange, Key, Request, dissect, dissect_kept, dissect_with, receive},
    },
};

/// When every body of these tests arrives.
fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn line() -> Line {
    Line { peer: "192.0.2.7:40000".into(), connection: 1 }
}

fn key(secret: &str) -> Option<Key<'_>> {
    (!secret.is_empty()).then_some(Key { secret, nonce: Some([7; 24]) })
}

/// Leaves: a field is one when the next is not deeper.
fn leaves(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields
        .iter()
        .enumerate()
        .filter(|(i, f)| fields.get(i + 1).is_none_or(|next| next.depth <= f.depth))
        .map(|(_, f)| f)
}

/// Every byte of `bytes` in exactly one leaf, and the depths are those of a tree.
fn assert_tiled(bytes: &[u8], dissection: &Dissection) {
    let mut at = 0;
    for leaf in leaves(&dissection.fields) {
        assert_eq!(
            leaf.span.start,
            at,
            "leaf {leaf:?} leaves a gap or overlaps in {:?}",
            String::from_utf8_lossy(bytes)
        );
        assert!(leaf.span.end > at, "leaf {leaf:?} is empty");
        at = leaf.span.end;
    }
    assert_eq!(at, bytes.len(), "bytes without a leaf at the end of {:?}", String::from_utf8_lossy(bytes));
    let mut depth = None;
    let mut open: Vec<&Field> = Vec::new();
    for field in &dissection.fields {
        assert!(u32::from(field.depth) <= depth.map_or(0, |d: u8| u32::from(d) + 1), "{field:?} is too deep");
        open.truncate(usize::from(field.depth));
        if let Some(parent) = open.last() {
            assert!(
                parent.span.start <= field.span.start && field.span.end <= parent.span.end,
                "{field:?} in {parent:?}"
            );
        }
        open.push(field);
        depth = Some(field.depth);
    }
}

fn sender_text(sender: Option<&Sender>) -> String {
    match sender {
        Some(Sender::Identity(identity)) => identity.to_string(),
        Some(Sender::Device(id)) => format!("device {}", id.0),
        None => "nobody".to_owned(),
    }
}

/// Everything that a body told, as lines of a fixture.
fn listing(body: &[u8], secret: &str) -> String {
    let dissection = dissect_with(body, Some(secret).filter(|s| !s.is_empty()), now());
    assert_tiled(body, &dissection);
    let mut out = String::new();
    let device = dissection.device.as_deref().unwrap_or("-");
    writeln!(out, "{} | {} | {} | {device}", dissection.verdict().as_str(), dissection.kind, dissection.title).unwrap();
    for p in &dissection.problems {
        let (severity, group) = (p.severity.as_str(), p.group.as_str());
        writeln!(out, "! {severity} {group} {}..{}: {}", p.span.start, p.span.end, p.text).unwrap();
    }
    for report in &dissection.reports {
        match &report.fix {
            Some(f) => writeln!(
                out,
                "fix {} {} {} alt {:?} speed {:?} course {:?} accuracy {:?}",
                f.at,
                f.place.lat_deg(),
                f.place.lon_deg(),
                f.altitude_m,
                f.speed_kmh,
                f.course_deg,
                f.accuracy_m
            )
            .unwrap(),
            None => writeln!(out, "no fix").unwrap(),
        }
        for (key, value) in report.readings.iter() {
            writeln!(out, "  {key} = {value}").unwrap();
        }
        for cell in &report.cells {
            writeln!(out, "  cell {} {} {} {}", cell.mcc, cell.mnc, cell.lac, cell.cid).unwrap();
        }
        for event in &report.events {
            writeln!(out, "  event {} {} {}", event.at, event.kind, event.attributes.to_json()).unwrap();
        }
        if let Some(id) = &report.message_id {
            writeln!(out, "  id {id}").unwrap();
        }
    }
    for f in &dissection.fields {
        let indent = "  ".repeat(usize::from(f.depth));
        writeln!(out, "{:4}..{:<4} {indent}{} {}", f.span.start, f.span.end, f.name, f.text()).unwrap();
    }
    out
}

/// Each fixture is a body (`\xNN` stands for a byte), a line of dashes, and what is read out of it.
/// A first line `key: …` gives the secret. `UPDATE_FIXTURES=1` writes what is read now.
#[test]
fn fixtures_read_as_written() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/owntracks");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 10, "few fixtures in {}", folder.display());
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let (head, expected) = text.split_once("\n----\n").unwrap_or((text.trim_end(), ""));
        let (secret, body) = match head.strip_prefix("key: ") {
            Some(rest) => rest.split_once('\n').unwrap(),
            None => ("", head),
        };
        let found = listing(&bytes_of(body), secret);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&path, format!("{head}\n----\n{found}")).unwrap();
        } else {
            assert_eq!(found, expected, "{}", path.display());
        }
    }
}

fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut parts = text.split("\\x");
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    bytes
}

/// One case of `shared/vectors/owntracks.json`.
struct Case<'a>(&'a Json);

impl Case<'_> {
    fn bodies(&self) -> Vec<Vec<u8>> {
        let case = self.0;
        let one = |b: &Json| b.as_str().map_or_else(|| b.to_string().into_bytes(), |s| s.as_bytes().to_vec());
        if let Some(generator) = case.get("body_gen") {
            let number = |key| usize::try_from(generator[key].as_u64().unwrap()).unwrap();
            return vec![match generator["kind"].as_str().unwrap() {
                "pad" => {
                    let mut base = generator["base"].clone();
                    base[generator["field"].as_str().unwrap()] = "A".repeat(number("bytes")).into();
                    base.to_string().into_bytes()
                }
                "nest" => generator["open"].as_str().unwrap().repeat(number("depth")).into_bytes(),
                kind => panic!("unknown body_gen {kind}"),
            }];
        }
        let many = match case.get("bodies") {
            Some(many) => many.as_array().unwrap().iter().map(one).collect(),
            None => vec![one(&case["body"])],
        };
        let repeat = case.get("repeat").and_then(Json::as_u64).unwrap_or(1);
        (0..repeat).flat_map(|_| many.clone()).collect()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0.get("headers")?.get(name)?.as_str()
    }

    fn run(&self, body: &[u8]) -> Exchange {
        let secret = self.0.pointer("/crypto/receiver_key_text").and_then(Json::as_str).unwrap_or_default();
        let request = Request {
            method: "POST",
            path: "/pub",
            query: self.0.get("query").and_then(Json::as_str),
            limit_user: self.header("X-Limit-U"),
            limit_device: self.header("X-Limit-D"),
            basic_user: None,
            body,
        };
        receive(&line(), &request, key(secret).as_ref(), now())
    }

    /// What the case misses.
    fn judge(&self) -> Vec<String> {
        let expect = &self.0["expect"];
        let mut missed = Vec::new();
        let mut fixes = BTreeMap::new();
        let mut last = None;
        for body in self.bodies() {
            assert_tiled(&body, &dissect(&body, now()));
            let exchange = self.run(&body);
            if Some(u64::from(exchange.status)) != expect["http"].as_u64() {
                missed.push(format!("status {}", exchange.status));
            }
            for (n, report) in exchange.packet.reports.iter().enumerate() {
                if let Some(fix) = &report.fix {
                    let sender = report.sender.as_ref().or(exchange.packet.sender.as_ref());
                    let id = report.message_id.clone().unwrap_or_else(|| format!("{} {}", fix.at, report.fix_key));
                    fixes.insert((sender_text(sender), id), n);
                }
            }
            last = Some(exchange);
        }
        let exchange = last.unwrap();
        let outcome = expect["outcome"].as_str().unwrap();
        let wanted = match outcome {
            "accept" | "dedupe" => expect["count"].as_u64().unwrap_or(1),
            _ => 0,
        };
        if fixes.len() as u64 != wanted {
            missed.push(format!("{} fixes, not {wanted}", fixes.len()));
        }
        if let Some(identity) = expect["identity"].as_str()
            && sender_text(exchange.packet.sender.as_ref()) != identity
        {
            missed.push(format!("sender {:?}", exchange.packet.sender));
        }
        let empty = expect["flags"].as_array().unwrap().iter().all(|f| f == "empty");
        if !empty && exchange.packet.verdict == Verdict::Ok {
            missed.push(format!("nothing said about {}", expect["flags"]));
        }
        if empty && outcome == "accept" && exchange.packet.verdict == Verdict::Error {
            missed.push(format!("{:?} about a good body", exchange.problems));
        }
        let told = expect["fields"].as_object().is_some_and(|f| !f.is_empty());
        if outcome == "accept" && wanted == 1 && told {
            missed.extend(self.wrong_fields(&exchange.packet));
        }
        missed
    }

    fn wrong_fields(&self, packet: &NewPacket) -> Vec<String> {
        let wanted = &self.0["expect"]["fields"];
        let Some(report) = packet.reports.iter().find(|r| r.fix.is_some()) else { return vec!["no fix".to_owned()] };
        let fix = report.fix.as_ref().unwrap();
        let reading = |key: &str| report.readings.get(key).and_then(Json::as_f64);
        let number = |name: &str, found: Option<f64>| {
            let want = wanted.get(name)?;
            (want.as_f64() != found).then(|| format!("{name} is {found:?}, not {want}"))
        };
        let text = |name: &str, key: &str| {
            let want = wanted.get(name)?;
            (report.readings.get(key) != Some(want))
                .then(|| format!("{key} is {:?}, not {want}", report.readings.get(key)))
        };
        let time = wanted.get("fix_time").and_then(Json::as_str).map_or(now(), |t| t.parse().unwrap());
        [
            (fix.at != time).then(|| format!("time {}", fix.at)),
            number("lat", Some(fix.place.lat_deg())),
            number("lon", Some(fix.place.lon_deg())),
            number("altitude_m", fix.altitude_m),
            number("accuracy_m", fix.accuracy_m),
            number("speed_kmh", fix.speed_kmh),
            number("course_deg", fix.course_deg),
            number("battery_pct", reading("batteryLevel")),
            number("vertical_accuracy_m", reading("vac")),
            number("pressure_kpa", reading("p")),
            number("battery_status", reading("bs")),
            number("monitoring", reading("m")),
            text("tid", "tid"),
            text("trigger", "t"),
            text("conn", "conn"),
            text("poi", "poi"),
            text("inregions", "inregions"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[test]
fn shared_vectors_hold() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/owntracks.json");
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return;
    };
    let vectors: Json = serde_json::from_str(&text).unwrap();
    let mut missed = Vec::new();
    for case in vectors["cases"].as_array().unwrap() {
        // Methods are the HTTP layer's.
        if case.get("method").is_some_and(|m| m != "POST") {
            continue;
        }
        let found = Case(case).judge();
        if !found.is_empty() {
            missed.push(format!("{}: {}", case["id"], found.join("; ")));
        }
    }
    assert!(missed.is_empty(), "{} cases\n{}", missed.len(), missed.join("\n"));
}

fn from(request: &Request<'_>) -> String {
    sender_text(receive(&line(), request, None, now()).packet.sender.as_ref())
}

fn body_of(extra: &str) -> String {
    format!(r#"{{"_type":"location","lat":1,"lon":2,"tst":1700000000{extra}}}"#)
}

#[test]
fn the_strongest_name_wins() {
    let everything = body_of(r#","topic":"owntracks/t/p","tid":"zz""#);
    let no_topic = body_of(r#","tid":"zz""#);
    let long = body_of(&format!(r#","topic":"{}","tid":"zz""#, "x".repeat(257)));
    let nothing = body_of("");
    let full = Request {
        query: Some("u=q+u&x=1&d=q%2Fd"),
        limit_user: Some("hu"),
        limit_device: Some("hd"),
        basic_user: Some("bu"),
        ..Request::default()
    };
    let no_headers = Request { limit_user: None, limit_device: None, ..full };
    let check = |request: Request<'_>, body: &str, want: &str| {
        assert_eq!(from(&Request { body: body.as_bytes(), ..request }), want, "{request:?}");
    };
    check(full, &everything, "owntracks/t/p");
    check(full, &no_topic, "hu/hd");
    check(full, &long, "hu/hd");
    check(no_headers, &no_topic, "q u/q/d");
    check(Request { query: Some("d=qd"), ..no_headers }, &no_topic, "bu/qd");
    check(Request { query: None, limit_device: Some("hd"), ..no_headers }, &no_topic, "bu/hd");
    check(Request { query: None, ..no_headers }, &no_topic, "zz");
    check(Request { limit_user: Some(""), limit_device: Some("d"), ..Request::default() }, &no_topic, "zz");
    check(Request::default(), &nothing, "nobody");
    check(Request { limit_user: Some("hu"), limit_device: Some("hd"), ..Request::default() }, "", "hu/hd");
}

#[test]
fn a_suffix_belongs_to_the_message_and_not_to_the_name() {
    let check = |kind: &str, topic: &str, want: &str| {
        let body = format!(r#"{{"_type":"{kind}","lat":1,"lon":2,"tst":1700000000,"topic":"{topic}"}}"#);
        assert_eq!(from(&Request { body: body.as_bytes(), ..Request::default() }), want);
    };
    check("transition", "owntracks/a/b/event", "owntracks/a/b");
    check("waypoints", "owntracks/a/b/waypoints", "owntracks/a/b");
    check("transition", "owntracks/a/event/event", "owntracks/a/event");
    check("location", "owntracks/a/event", "owntracks/a/event");
    check("location", "owntracks/a/b/event", "owntracks/a/b");
    check("location", "owntracks/a/eventful", "owntracks/a/eventful");
    check("card", "/info", "/info");
}

#[test]
fn each_message_of_an_array_has_its_own_sender() {
    let body = format!("[{},{},{}]", body_of(r#","tid":"a""#), body_of(r#","tid":"b""#), body_of(""));
    let exchange = receive(&line(), &Request { body: body.as_bytes(), ..Request::default() }, None, now());
    let packet = exchange.packet;
    assert_eq!(sender_text(packet.sender.as_ref()), "a");
    let senders: Vec<String> = packet.reports.iter().map(|r| sender_text(r.sender.as_ref())).collect();
    assert_eq!(senders, ["nobody", "b"], "the first is the packet's own, the third nobody's and left out");
    assert_eq!(packet.verdict, Verdict::Error);
}

#[test]
fn secrets_stay_out_of_the_context() {
    let request = Request {
        method: "POST",
        path: "/pub",
        query: Some("u=jane&token=hunter2&d=phone&hunter3"),
        limit_user: Some("jane"),
        limit_device: Some("phone"),
        basic_user: Some("jane"),
        body: b"",
    };
    let context = receive(&line(), &request, None, now()).packet.context.unwrap();
    assert_eq!(
        context,
        r#"{"method":"POST","path":"/pub","query":"u=jane&token=…&d=phone&…","X-Limit-U":"jane","X-Limit-D":"phone","user":"jane","identity":"headers"}"#
    );
}

#[test]
fn a_kept_body_is_explained_as_it_was_understood() {
    let full = Request {
        query: Some("u=qu&d=qd"),
        limit_user: Some("h\"u"),
        limit_device: Some("hd"),
        basic_user: Some("bu"),
        ..Request::default()
    };
    let queried = Request { limit_user: None, ..full };
    let bodies = [
        body_of(""),
        body_of(r#","topic":"na""#),
        format!("[{},{}]", body_of(""), body_of(r#","tid":"b","topic":"owntracks/b/b""#)),
        String::new(),
        "nonsense".to_owned(),
    ];
    for request in [full, queried, Request::default()] {
        for body in &bodies {
            let exchange = receive(&line(), &Request { body: body.as_bytes(), ..request }, None, now());
            let packet = exchange.packet;
            let kept = dissect_kept(body.as_bytes(), packet.context.as_deref(), None, now());
            assert_eq!((kept.verdict(), &kept.kind), (packet.verdict, &packet.kind), "{body} {request:?}");
            assert_eq!(kept.problems, exchange.problems);
            assert_eq!(kept.reports, packet.reports);
            assert_eq!(kept.device.unwrap_or("nobody".to_owned()), sender_text(packet.sender.as_ref()));
        }
    }
}

#[test]
fn an_encrypted_request_gets_an_encrypted_answer() {
    let sealed = br#"{"_type":"encrypted","data":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXWKjQnC7w\/fVHr4AXkA7kadv2hFEi673vdntViQ9cMNc1+D0+oyr0ujPh1H9CxQ22znRarkYCzufJxOjjuoFiNfESWvjMCZgHMSdOZbPu\/gDjyfBYUIHD4fZIzoHK6gkuz4I1UMhM1YYD1zD62ZGenBtER9Fs4s4odZ4n34XB\/cXZrzpC"}"#;
    let ask = |body: &[u8], secret: &str| {
        receive(&line(), &Request { body, ..Request::default() }, key(secret).as_ref(), now())
    };
    let open = ask(sealed, "mysecreTpass01");
    assert_eq!(sender_text(open.packet.sender.as_ref()), "owntracks/jane/phone");
    assert!(open.packet.reports[0].fix.is_some());
    let answer = dissect_with(&open.reply, Some("mysecreTpass01"), now());
    assert_eq!((answer.kind.as_ref(), answer.verdict()), ("array", Verdict::Ok), "{:?}", answer.problems);
    assert_eq!(open.packet.replies[0].bytes, open.reply);
    // Every part of the opened message is found in the box, backslashes or not.
    let shown = dissect_with(sealed, Some("mysecreTpass01"), now());
    assert_tiled(sealed, &shown);
    for (secret, body) in [("wrong", &sealed[..]), ("mysecreTpass01", body_of(r#","tid":"a""#).as_bytes())] {
        let exchange = ask(body, secret);
        assert_eq!((exchange.status, exchange.reply.as_slice()), (200, &b"[]"[..]));
    }
    assert_eq!(ask(sealed, "").packet.verdict, Verdict::Error);
}

#[test]
fn a_large_array_of_nonsense_stays_small() {
    let body = format!("[{}]", vec!["{\"_type\":\"location\"}"; 20_000].join(","));
    let dissection = dissect(body.as_bytes(), now());
    assert!(dissection.problems.len() <= 101, "{} problems", dissection.problems.len());
    let many = format!("[{}0]", "0,".repeat(100_000));
    let dissection = dissect(many.as_bytes(), now());
    assert_tiled(many.as_bytes(), &dissection);
    assert!(dissection.fields.len() < 70_000);
}

#[test]
fn deep_nesting_ends_at_the_depth_that_is_looked_into() {
    for depth in [10, 63, 64, 65, 511, 512, 1000, 200_000] {
        let x = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = body_of(&format!(r#","tid":"a","x":{x},"y":1"#));
        let dissection = dissect(body.as_bytes(), now());
        assert_tiled(body.as_bytes(), &dissection);
        let taken = dissection.reports.first().is_some_and(|r| r.fix.is_some());
        assert_eq!(taken, depth <= 511, "{depth} levels below the message");
        let open = "[".repeat(depth);
        assert_tiled(open.as_bytes(), &dissect(open.as_bytes(), now()));
    }
}

/// Bodies that are nearly right: parts of messages, broken at random places.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\\ud83d",
        "null",
        "true",
        "-",
        "0",
        "1e400",
        "1700000000",
        "\"_type\"",
        "\"location\"",
        "\"transition\"",
        "\"waypoints\"",
        "\"encrypted\"",
        "\"data\"",
        "\"lat\"",
        "\"lon\"",
        "\"tst\"",
        "\"tid\"",
        "\"topic\"",
        "91",
        "48.5",
        "\"48.5\"",
        " ",
        "\n",
        "{\"_type\":\"location\",",
        "\"lat\":1,\"lon\":2,",
        "\"tid\":\"a\"}",
        "é",
        "\u{feff}",
    ]);
    let bytes =
        prop_oneof![9 => part.prop_map(|p| p.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 1..3)];
    prop::collection::vec(bytes, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_tiled(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_tiled(&bytes, &dissect(&bytes, now()));
        receive(&line(), &Request { body: &bytes, ..Request::default() }, key("k").as_ref(), now());
    }

    #[test]
    fn nearly_json_is_tiled(bytes in nearly_json()) {
        assert_tiled(&bytes, &dissect_with(&bytes, Some("k"), now()));
        let exchange = receive(&line(), &Request { body: &bytes, ..Request::default() }, key("k").as_ref(), now());
        prop_assert!(exchange.status == 200 || exchange.status == 400);
        prop_assert!(exchange.status == 400 || exchange.reply == b"[]");
    }

    #[test]
    fn json_is_read_as_serde_reads_it(bytes in nearly_json()) {
        let strict: Result<Json, _> = serde_json::from_slice(&bytes);
        let dissection = dissect(&bytes, now());
        let ours = dissection.kind != "invalid" || !dissection.problems.iter().any(|p| p.text.starts_with("not JSON"));
        // Numbers beyond any float and lone surrogates are the two things that we take and serde does not.
        if strict.is_ok() {
            prop_assert!(ours, "serde takes {:?}, we say {:?}", String::from_utf8_lossy(&bytes), dissection.problems);
        }
    }
}
