//! Phones over real sockets: passwords, keys, names, friends and commands, and what the checklist makes of what came.

use std::{
    io::Write,
    net::SocketAddr,
    process::{Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use wayglass::{
    backend::{
        Access, Https,
        phones::{CheckState, Checked, NewPhone, SetupChoice, qr},
    },
    model::{CommandState, Device, DeviceId, Identity, PhoneCommand, Policy, Profile, Protocol},
};

use super::support::{Answer, Station, http, post};

const ANDROID: &str = "User-Agent: Owntracks-Android/gms/420509001\r\n";

#[expect(clippy::needless_pass_by_value, reason = "every call makes its own")]
fn fix(second: i64, more: Value) -> String {
    let mut message = json!({ "_type": "location", "lat": 48.85833, "lon": 2.29513, "tst": 1_700_000_000 + second });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    message.to_string()
}

fn of(user: &str, device: &str) -> Value {
    json!({ "topic": format!("owntracks/{user}/{device}"), "tid": device })
}

fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn send(to: SocketAddr, head: &str, body: &str) -> Answer {
    http(to, "POST", "/pub", head, body.as_bytes())
}

fn add(station: &Station, user: &str, device: &str, password: Option<&str>, key: Option<&str>) -> Device {
    let phone = NewPhone {
        user: user.to_owned(),
        device: device.to_owned(),
        tid: device.to_owned(),
        name: None,
        password: password.map(str::to_owned),
        key: key.map(str::to_owned),
    };
    station.backend().add_phone(phone).wait().unwrap()
}

/// libsodium's secretbox, made with the crate that the program uses; `PyNaCl`'s own boxes are in the vectors.
fn sealed(secret: &str, plain: &str) -> String {
    use crypto_secretbox::{Key, KeyInit, Nonce, XSalsa20Poly1305, aead::Aead};
    let mut key = [0; 32];
    key.iter_mut().zip(secret.bytes()).for_each(|(to, from)| *to = from);
    let nonce = [9; 24];
    let boxed = XSalsa20Poly1305::new(&Key::from(key)).encrypt(&Nonce::from(nonce), plain.as_bytes()).unwrap();
    json!({ "_type": "encrypted", "data": BASE64_STANDARD.encode([&nonce[..], &boxed].concat()) }).to_string()
}

fn unsealed(secret: &str, answer: &str) -> Value {
    use crypto_secretbox::{Key, KeyInit, Nonce, XSalsa20Poly1305, aead::Aead};
    let told: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(told["_type"], "encrypted", "{answer}");
    let raw = BASE64_STANDARD.decode(told["data"].as_str().unwrap()).unwrap();
    let (nonce, boxed) = raw.split_first_chunk::<24>().unwrap();
    let mut key = [0; 32];
    key.iter_mut().zip(secret.bytes()).for_each(|(to, from)| *to = from);
    let plain = XSalsa20Poly1305::new(&Key::from(key)).decrypt(&Nonce::from(*nonce), boxed).unwrap();
    serde_json::from_slice(&plain).unwrap()
}

fn positions(station: &Station, identity: &str) -> i64 {
    station.sql(&format!(
        "SELECT count(*) FROM positions p JOIN devices d ON d.id = p.device_id WHERE d.identity = '{identity}'"
    ))
}

#[test]
fn a_password_is_wanted_once_it_is_set_and_only_of_its_own() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    assert_eq!(post(to, &fix(0, of("bob", "b1"))).status, 200, "off until set");
    add(&station, "jane", "phone", Some("pass:wörd"), None);
    let jane = fix(1, of("jane", "phone"));
    let bare = post(to, &jane);
    assert_eq!(bare.status, 401);
    assert!(bare.head.contains("www-authenticate: basic"), "{}", bare.head);
    for (user, password) in [("jane", "pass"), ("jane", ""), ("joe", "pass:wörd")] {
        assert_eq!(send(to, &basic(user, password), &jane).status, 401, "{user}:{password}");
    }
    assert_eq!(positions(&station, "owntracks/jane/phone"), 0);
    for second in 1..4 {
        let answer = send(to, &basic("Jane", "pass:wörd"), &fix(second, of("jane", "phone")));
        assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
    }
    assert_eq!(positions(&station, "owntracks/jane/phone"), 3);
    // Paired before, without a password: it goes on. Somebody unheard of may be anybody, and must sign in.
    assert_eq!(post(to, &fix(2, of("bob", "b1"))).status, 200);
    assert_eq!(post(to, &fix(2, of("eve", "e1"))).status, 401);
    let hashes: String = station.sql("SELECT group_concat(hash) FROM logins");
    assert!(hashes.starts_with("pbkdf2-sha256$") && !hashes.contains("wörd"), "{hashes}");
}

#[test]
fn nobody_reports_as_somebody_else() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    add(&station, "jane", "phone", Some("one"), None);
    add(&station, "bob", "b1", Some("two"), None);
    post(to, &fix(0, of("eve", "e1")));
    let bob = basic("bob", "two");
    for (what, body) in [
        ("another's topic", fix(1, of("jane", "phone"))),
        ("a device of his that has no password of his", fix(1, of("bob", "b2"))),
        ("an array with another's in it", format!("[{},{}]", fix(1, of("bob", "b1")), fix(2, of("jane", "phone")))),
    ] {
        assert_eq!(send(to, &bob, &body).status, 401, "{what}");
    }
    let head = format!("{bob}X-Limit-U: jane\r\nX-Limit-D: phone\r\n");
    assert_eq!(send(to, &head, &fix(1, json!({}))).status, 401, "another's headers");
    assert_eq!(send(to, &bob, &fix(1, of("bob", "b1"))).status, 200);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 1);
}

#[test]
fn a_password_of_a_user_holds_for_all_his_devices() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    station.backend().set_password("jane".to_owned(), None, Some("secret".to_owned())).wait().unwrap();
    let head = basic("jane", "secret");
    for device in ["phone", "tablet"] {
        assert_eq!(post(to, &fix(0, of("jane", device))).status, 401);
        assert_eq!(send(to, &head, &fix(0, of("jane", device))).status, 200);
    }
    assert_eq!(send(to, &head, &fix(0, of("bob", "b1"))).status, 401);
    station.backend().set_password("jane".to_owned(), None, None).wait().unwrap();
    assert_eq!(post(to, &fix(1, of("jane", "phone"))).status, 200, "taken away again");
}

#[test]
fn the_credentials_of_all_may_report_as_anybody() {
    let access = Access { credentials: Some("all:pw".to_owned()), key: None };
    let folder = tempfile::tempdir().unwrap();
    let station = Station::start_secure(folder, Policy::Adopt, access, Https::default());
    add(&station, "jane", "phone", Some("one"), None);
    let to = station.owntracks;
    assert_eq!(post(to, &fix(0, of("bob", "b1"))).status, 401);
    assert_eq!(send(to, &basic("all", "pw"), &fix(0, of("jane", "phone"))).status, 200);
    assert_eq!(send(to, &basic("jane", "one"), &fix(1, of("jane", "phone"))).status, 200);
    assert_eq!(send(to, &basic("jane", "one"), &fix(1, of("bob", "b1"))).status, 401);
}

#[test]
fn what_comes_closed_is_kept_and_opened_when_the_key_is_set() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    let head = "X-Limit-U: jane\r\nX-Limit-D: phone\r\n";
    for second in 0..3 {
        let answer = send(to, head, &sealed("right", &fix(second, of("jane", "phone"))));
        assert_eq!((answer.status, answer.body.as_str()), (200, "[]"), "never a box for who may not open it");
    }
    let device = station.backend().devices().wait().unwrap().remove(0).device;
    assert_eq!(device.identity.as_str(), "jane/phone", "its headers are all there is");
    let backend = station.backend();
    let row = backend.phones().wait().unwrap().into_iter().find(|r| r.device == device.id).unwrap();
    assert_eq!((row.closed, row.has_key), (3, false));
    let outcome = backend.set_key(device.id, Some("wrong".to_owned())).wait().unwrap();
    assert_eq!((outcome.opened, outcome.closed), (0, 3));
    let outcome = backend.set_key(device.id, Some("right".to_owned())).wait().unwrap();
    assert_eq!((outcome.opened, outcome.closed), (3, 0));
    // Its topic says the name in full, and the key proves that it is the same phone.
    assert_eq!(positions(&station, "owntracks/jane/phone"), 3);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM devices"), 1);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM packets WHERE kind = 'encrypted'"), 0);
    // From now on it is opened at once, and answered in its own way.
    let answer = send(to, head, &sealed("right", &fix(9, of("jane", "phone"))));
    assert_eq!(unsealed("right", &answer.body), json!([]));
    assert_eq!(positions(&station, "owntracks/jane/phone"), 4);
    let plain = post(to, &fix(10, of("jane", "phone")));
    assert_eq!((plain.status, plain.body.as_str()), (200, "[]"), "in the clear as it came");
    assert_eq!(
        backend.set_key(device.id, Some("right".to_owned())).wait().unwrap().opened,
        0,
        "nothing is opened twice"
    );
}

#[test]
fn a_phone_that_was_paired_under_its_topic_gets_what_came_closed_before() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    post(to, &fix(0, of("jane", "phone")));
    send(to, "X-Limit-U: jane\r\nX-Limit-D: phone\r\n", &sealed("right", &fix(1, of("jane", "phone"))));
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM devices"), 2);
    let devices = station.backend().devices().wait().unwrap();
    let phone = devices.iter().find(|d| d.device.identity.as_str() == "owntracks/jane/phone").unwrap().device.id;
    station.backend().set_key(phone, Some("right".to_owned())).wait().unwrap();
    assert_eq!(positions(&station, "owntracks/jane/phone"), 2);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM devices"), 1);
}

/// A Python with `PyNaCl`: the one that `tests/run` makes, or the system's.
fn libsodium(args: &[&str], lines: &str) -> Option<Vec<Value>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = root.join("target/pynacl/bin/python");
    let python = if made.exists() { made } else { "python3".into() };
    let started = Command::new(python)
        .arg(root.join("tests/pynacl.py"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match started {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        started => started.unwrap(),
    };
    // Without PyNaCl it has gone before it reads.
    child.stdin.take().unwrap().write_all(lines.as_bytes()).ok();
    let done = child.wait_with_output().unwrap();
    if done.status.code() == Some(3) {
        return None;
    }
    assert!(done.status.success(), "{:?}", done.status);
    Some(String::from_utf8(done.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn libsodium_opens_our_boxes_and_we_open_its() {
    let station = Station::start(Policy::Adopt);
    let jane = add(&station, "jane", "p", None, Some("gehëim €")).id;
    let bob = add(&station, "bob", "p", None, None).id;
    post(station.owntracks, &fix(0, of("bob", "p")));
    station.backend().set_friend(jane, bob, true).wait().unwrap();
    let url = format!("http://{}/pub", station.owntracks);
    let lines = format!("{}\n{}\n", fix(1, of("jane", "p")), fix(2, of("jane", "p")));
    let Some(answers) = libsodium(&[&url, "gehëim €", "jane", "p"], &lines) else {
        eprintln!("no PyNaCl here: tests/run installs it where it may");
        return;
    };
    assert_eq!(positions(&station, "owntracks/jane/p"), 2);
    let kinds = |answer: &Value| answer.as_array().unwrap().iter().map(|m| m["_type"].clone()).collect::<Vec<_>>();
    assert_eq!(
        answers.iter().map(kinds).collect::<Vec<_>>(),
        [vec![json!("card"), json!("location")], vec![json!("location")]]
    );
}

#[test]
fn the_command_line_pairs_a_phone_beside_a_running_instance() {
    let station = Station::start(Policy::Ask);
    let wayglass = |words: &[&str], input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wayglass"))
            .arg("--data-dir")
            .arg(station.folder.path())
            .arg("--config")
            .arg(station.folder.path().join("none.toml"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        (done.status.success(), said)
    };
    std::fs::write(station.folder.path().join("none.toml"), "").unwrap();
    let otrc = station.folder.path().join("jane.otrc");
    let words =
        ["phone", "add", "jane", "pixel", "--url", "https://192.0.2.1:5145/pub", "--otrc", otrc.to_str().unwrap()];
    let (done, said) = wayglass(&words, "");
    assert!(done && said.contains("owntracks/jane/pixel") && said.contains("owntracks:///config?inline="), "{said}");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&otrc).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "it holds the password");
    }
    let told: Value = serde_json::from_str(&std::fs::read_to_string(otrc).unwrap()).unwrap();
    let password = told["password"].as_str().unwrap();
    // The running instance knows it within a second.
    let body = fix(0, of("jane", "pixel"));
    station.until("the password is wanted", |s| post(s.owntracks, &body).status == 401);
    assert_eq!(send(station.owntracks, &basic("jane", password), &body).status, 200);
    let (done, said) = wayglass(&["phone", "password", "jane", "--device", "owntracks/jane/pixel"], "another\n");
    assert!(done && !said.contains("another"), "{said}");
    let at_once = send(station.owntracks, &basic("jane", "another"), &body).status;
    assert_eq!(at_once, 200, "a phone deletes what it is refused");
    let (done, said) = wayglass(&["phone", "tell", "owntracks/jane/pixel", "reboot"], "");
    assert!(!done && said.contains("reportLocation"), "{said}");
    let (done, said) = wayglass(&["phone", "tell", "owntracks/jane/pixel", "status"], "");
    assert!(done, "{said}");
    station.until("it is told", |s| send(s.owntracks, &basic("jane", "another"), &body).body.contains("\"status\""));
}

#[test]
fn two_names_become_one_device_with_all_its_packets_in_order() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    for second in 0..6 {
        let more = if second % 2 == 0 { of("jane", "phone") } else { json!({ "tid": "JJ" }) };
        assert_eq!(post(to, &fix(second, more)).status, 200);
    }
    // The same fix under both names is one.
    post(to, &fix(0, json!({ "tid": "JJ" })));
    let backend = station.backend();
    let id = |name: &str| {
        let devices = backend.devices().wait().unwrap();
        devices.iter().find(|d| d.device.identity.as_str() == name).map(|d| d.device.id)
    };
    let (phone, tid) = (id("owntracks/jane/phone").unwrap(), id("JJ").unwrap());
    backend.same_as(tid, phone).wait().unwrap();
    assert_eq!(id("JJ"), None);
    assert_eq!(positions(&station, "owntracks/jane/phone"), 6);
    let overview = backend.devices().wait().unwrap().remove(0);
    assert_eq!((overview.positions, overview.last_fix.unwrap().fix.at.as_second()), (6, 1_700_000_005));
    let query = wayglass::backend::PacketQuery { device: Some(phone), before: None, limit: 100 };
    let packets = backend.packets(query).wait().unwrap();
    assert_eq!(packets.len(), 14, "seven in, seven out, in one chain");
    assert!(packets.windows(2).all(|p| p[0].id < p[1].id));
    // What comes under the weaker name is the same device's from now on.
    post(to, &fix(20, json!({ "tid": "JJ" })));
    assert_eq!(positions(&station, "owntracks/jane/phone"), 7);
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM devices"), 1);
    // And after a restart.
    let again = Station::start_in(station.stop(), Policy::Adopt);
    post(again.owntracks, &fix(21, json!({ "tid": "JJ" })));
    assert_eq!(positions(&again, "owntracks/jane/phone"), 8);
    let name = Identity::new("JJ").unwrap();
    again.backend().alias(phone, name, false).wait().unwrap();
    post(again.owntracks, &fix(22, json!({ "tid": "JJ" })));
    assert_eq!(again.sql::<i64>("SELECT count(*) FROM devices"), 2, "taken away, it is somebody else again");
}

#[test]
fn same_as_is_taken_back_with_the_history() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    let tablet = |second| fix(second, json!({ "tid": "JJ", "batt": 7 }));
    let phone = |second| fix(second, of("jane", "phone"));
    for second in 0..6 {
        post(to, &if second % 2 == 0 { phone(second) } else { tablet(second) });
    }
    // Both told this fix, and the tablet did so first.
    post(to, &tablet(9));
    post(to, &phone(9));
    let backend = station.backend();
    let device = |name: &str| {
        let devices = backend.devices().wait().unwrap();
        devices.into_iter().find(|d| d.device.identity.as_str() == name)
    };
    let chain = |id| {
        let query = wayglass::backend::PacketQuery { device: Some(id), before: None, limit: 100 };
        backend.packets(query).wait().unwrap().iter().map(|p| p.id).collect::<Vec<_>>()
    };
    let before = ["owntracks/jane/phone", "JJ"].map(|name| device(name).unwrap());
    let chains = before.each_ref().map(|d| chain(d.device.id));
    backend.same_as(before[1].device.id, before[0].device.id).wait().unwrap();
    // While they are one, the other name goes on telling.
    post(to, &tablet(20));
    assert_eq!(positions(&station, "owntracks/jane/phone"), 8);
    let name = Identity::new("JJ").unwrap();
    assert_eq!(backend.part(before[0].device.id, name.clone()).wait().unwrap(), 5);
    let after = ["owntracks/jane/phone", "JJ"].map(|name| device(name).unwrap());
    assert_eq!(after[0].positions, before[0].positions);
    assert_eq!(after[1].positions, before[1].positions + 1);
    let last = |d: &wayglass::model::DeviceOverview| d.last_fix.as_ref().unwrap().fix.at.as_second() - 1_700_000_000;
    assert_eq!((last(&after[0]), last(&after[1])), (9, 20));
    assert_eq!(after[0].readings.get("batteryLevel"), before[0].readings.get("batteryLevel"));
    assert_eq!(after[1].readings.get("batteryLevel"), Some(&json!(7)));
    assert_eq!(after[0].packets, before[0].packets);
    assert_eq!(chain(after[0].device.id), chains[0]);
    assert_eq!(chain(after[1].device.id).len(), chains[1].len() + 2, "its request and our answer");
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM aliases WHERE identity = 'JJ'"), 0);
    // What comes in now goes where it belongs, after a restart, too.
    let again = Station::start_in(station.stop(), Policy::Adopt);
    post(again.owntracks, &fix(30, json!({ "tid": "JJ" })));
    assert_eq!((positions(&again, "JJ"), positions(&again, "owntracks/jane/phone")), (6, 4));
    let refused = again.backend().part(after[0].device.id, name).wait();
    assert!(refused.is_err(), "it is attached no more: {refused:?}");
}

#[test]
fn friends_are_told_to_who_may_see_them() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    let [jane, bob, eve] = ["jane", "bob", "eve"].map(|user| add(&station, user, "p", None, None).id);
    post(to, &fix(0, json!({ "topic": "owntracks/bob/p", "tid": "pp", "vel": 61, "acc": 12.4, "batt": 41 })));
    post(to, &fix(1, json!({ "topic": "owntracks/eve/p", "tid": "pp" })));
    post(to, r#"{"_type":"card","topic":"owntracks/bob/p/info","tid":"pp","name":"Bob","face":"iVBORw0KGgo="}"#);
    let backend = station.backend();
    for seen in [bob, eve] {
        backend.set_friend(jane, seen, true).wait().unwrap();
    }
    let told = |answer: &Answer| serde_json::from_str::<Vec<Value>>(&answer.body).unwrap();
    let answer = told(&post(to, &fix(2, of("jane", "p"))));
    let locations: Vec<_> = answer.iter().filter(|m| m["_type"] == "location").collect();
    assert_eq!(locations.len(), 2, "{answer:?}");
    assert_ne!(locations[0]["tid"], locations[1]["tid"]);
    assert_eq!((&locations[0]["vel"], &locations[0]["tst"]), (&json!(61), &json!(1_700_000_000)));
    let card = answer.iter().find(|m| m["name"] == "Bob").expect("his card");
    assert_eq!((&card["face"], &card["tid"]), (&json!("iVBORw0KGgo="), &locations[0]["tid"]));
    // Cards again only when they change.
    assert!(told(&post(to, &fix(3, of("jane", "p")))).iter().all(|m| m["_type"] == "location"));
    assert_eq!(told(&post(to, &fix(3, of("bob", "p")))), Vec::<Value>::new(), "seeing is not mutual by itself");
    backend.set_friend(jane, bob, false).wait().unwrap();
    let answer = told(&post(to, &fix(4, of("jane", "p"))));
    assert_eq!(answer.iter().filter(|m| m["_type"] == "location").count(), 1, "{answer:?}");
    assert_eq!(backend.phones().wait().unwrap().iter().find(|r| r.device == jane).unwrap().sees, [eve]);
}

#[test]
fn a_kept_box_is_looked_into_where_its_key_is_known() {
    let station = Station::start(Policy::Adopt);
    let jane = add(&station, "jane", "p", None, Some("right")).id;
    let head = "X-Limit-U: jane\r\nX-Limit-D: p\r\n";
    assert_eq!(send(station.owntracks, head, &sealed("right", &fix(1, of("jane", "p")))).status, 200);
    let query = wayglass::backend::PacketQuery { device: Some(jane), before: None, limit: 10 };
    let packets = station.backend().packets(query).wait().unwrap();
    let titles: Vec<_> =
        packets.iter().map(|p| station.backend().dissect(p, &Profile::default()).title.into_owned()).collect();
    assert_eq!(titles, ["Position, encrypted", "Array of 0 messages, encrypted"]);
}

#[test]
fn what_a_key_protects_is_not_told_in_the_clear() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    let jane = add(&station, "jane", "p", None, Some("right")).id;
    let bob = add(&station, "bob", "p", None, None).id;
    post(to, &fix(0, of("bob", "p")));
    station.backend().set_friend(jane, bob, true).wait().unwrap();
    station.backend().send_phone_command(jane, &PhoneCommand::Status).wait().unwrap();
    assert_eq!(post(to, &fix(1, of("jane", "p"))).body, "[]");
    let answer = send(to, "X-Limit-U: jane\r\nX-Limit-D: p\r\n", &sealed("right", &fix(2, of("jane", "p"))));
    let told = unsealed("right", &answer.body);
    let kinds: Vec<_> = told.as_array().unwrap().iter().map(|m| m["_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["card", "location", "cmd"]);
}

#[test]
fn a_command_is_sent_once_and_its_effect_is_seen() {
    let station = Station::start(Policy::Adopt);
    let to = station.owntracks;
    let jane = add(&station, "jane", "p", None, None).id;
    let backend = station.backend();
    let state = |id| {
        let commands = backend.phone_commands(jane, 100).wait().unwrap();
        let command = commands.into_iter().find(|c| c.id == id).unwrap();
        (command.state, command.answer.unwrap_or_default())
    };
    let asked = backend.send_phone_command(jane, &PhoneCommand::ReportLocation).wait().unwrap();
    let dump = backend.send_phone_command(jane, &PhoneCommand::Dump).wait().unwrap();
    assert_eq!(state(asked.id).0, CommandState::Queued);
    let first = send(to, ANDROID, &fix(0, of("jane", "p")));
    assert_eq!(first.body, r#"[{"_type":"cmd","action":"reportLocation"}]"#, "dump would void it on Android");
    assert_eq!(state(asked.id).0, CommandState::Sent);
    assert_eq!(state(dump.id), (CommandState::Failed, "Android does not know dump".to_owned()));
    assert_eq!(send(to, ANDROID, &fix(1, of("jane", "p"))).body, "[]", "once");
    assert_eq!(state(asked.id).0, CommandState::Sent, "that was no answer");
    let mut answer = of("jane", "p");
    answer["t"] = json!("r");
    send(to, ANDROID, &fix(2, answer));
    let (answered, text) = state(asked.id);
    assert_eq!(answered, CommandState::Answered);
    assert!(text.contains("48.85833"), "{text}");
    // Only phones that are adopted and ours.
    assert!(backend.send_phone_command(DeviceId(99), &PhoneCommand::Status).wait().is_err());
}

#[test]
fn a_phone_is_paired_step_by_step() {
    let station = Station::start(Policy::Ask);
    let to = station.owntracks;
    let jane = add(&station, "jane", "pixel", Some("secret"), Some("key")).id;
    let backend = station.backend();
    let check = |what: Checked| {
        let list = backend.phone_checklist(jane).wait().unwrap();
        list.steps.into_iter().find(|step| step.what == what).unwrap().state
    };
    let done = |state: &CheckState| matches!(state, CheckState::Done { .. });
    assert!(matches!(check(Checked::Connection), CheckState::Waiting(_)));

    // The set-up that a person sees.
    let choice = SetupChoice { password: Some("secret".to_owned()), ..SetupChoice::default() };
    let setup = backend.phone_setup(jane, choice).wait().unwrap();
    assert_eq!((setup.user.as_str(), setup.device.as_str()), ("jane", "pixel"));
    let otrc: Value = serde_json::from_str(&setup.otrc).unwrap();
    for (key, value) in [
        ("_type", json!("configuration")),
        ("mode", json!(3)),
        ("url", json!(setup.url)),
        ("username", json!("jane")),
        ("password", json!("secret")),
        ("deviceId", json!("pixel")),
        ("auth", json!(true)),
        ("encryptionKey", json!("key")),
    ] {
        assert_eq!(otrc[key], value, "{key}");
    }
    let inline = setup.link.strip_prefix("owntracks:///config?inline=").expect("the app's link");
    assert!(!inline.contains(['+', '/', '=']), "{inline}");
    let decoded = inline.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let told: Value = serde_json::from_slice(&BASE64_STANDARD.decode(decoded).unwrap()).unwrap();
    assert_eq!(told, otrc);
    let picture = qr(&setup.link).expect("it fits");
    assert_eq!(picture.dark.len(), picture.side * picture.side);
    assert!(setup.warnings.iter().any(|w| w.contains("Only this computer")), "{:?}", setup.warnings);

    // Typed wrongly, then rightly.
    let topic = of("jane", "pixel");
    send(to, ANDROID, &fix(0, topic.clone()));
    let CheckState::Failed { why, cure, .. } = check(Checked::Credentials) else { panic!("no password came") };
    assert!(why.contains("without") && cure.contains("jane"), "{why}: {cure}");
    let wrong = format!("{ANDROID}{}", basic("jane", "secrte"));
    send(to, &wrong, &fix(0, topic.clone()));
    assert!(matches!(check(Checked::Credentials), CheckState::Failed { why, .. } if why.contains("wrong")));
    let head = format!("{ANDROID}{}X-Limit-U: jane\r\nX-Limit-D: pixel\r\n", basic("jane", "secret"));
    send(to, &head, &sealed("kex", &fix(0, topic.clone())));
    assert!(done(&check(Checked::Credentials)) && done(&check(Checked::Connection)) && done(&check(Checked::Identity)));
    assert!(matches!(check(Checked::Encryption), CheckState::Failed { why, .. } if why.contains("do not fit")));
    send(to, &head, &fix(1, topic.clone()));
    assert!(matches!(check(Checked::Encryption), CheckState::Failed { why, .. } if why.contains("does not encrypt")));
    send(to, &head, &sealed("key", &fix(2, topic)));
    for what in
        [Checked::Connection, Checked::Credentials, Checked::Identity, Checked::Encryption, Checked::FirstPosition]
    {
        assert!(done(&check(what)), "{what:?}: {:?}", check(what));
    }
}

#[test]
fn a_stranger_is_named_while_a_phone_is_paired() {
    let station = Station::start(Policy::Ask);
    let jane = add(&station, "jane", "pixel", None, None).id;
    post(station.owntracks, &fix(0, of("user", "device")));
    let list = station.backend().phone_checklist(jane).wait().unwrap();
    assert_eq!(list.strangers.first().map(|(name, _)| name.as_str()), Some("owntracks/user/device"));
}

#[test]
fn a_phone_that_is_forgotten_leaves_nothing_behind() {
    let station = Station::start(Policy::Adopt);
    let jane = add(&station, "jane", "p", Some("x"), Some("k"));
    let writer = wayglass::store::Store::beside(station.folder.path(), station.backend().clock().clone()).unwrap();
    writer.writer().forget(jane.id).wait().unwrap();
    writer.close();
    for table in ["logins", "phone_keys", "aliases", "friends", "cards"] {
        assert_eq!(station.sql::<i64>(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    assert_eq!(jane.protocol, Protocol::OwnTracks);
}

#[test]
fn motion_is_an_event_when_it_changes() {
    let station = Station::start(Policy::Adopt);
    for (second, activity) in [(0, "stationary"), (1, "stationary"), (2, "walking"), (3, "walking"), (4, "automotive")]
    {
        let more = json!({ "topic": "owntracks/jane/p", "motionactivities": [activity] });
        post(station.owntracks, &fix(second, more));
    }
    let told: String =
        station.sql("SELECT group_concat(attributes, ' ') FROM (SELECT attributes FROM events WHERE type = 'activity' ORDER BY time_ms)");
    for (word, count) in [("stationary", 1), ("walking", 1), ("automotive", 1)] {
        assert_eq!(told.matches(word).count(), count, "{told}");
    }
}
