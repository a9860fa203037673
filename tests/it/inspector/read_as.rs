//! A packet is read as something else, and nothing that is stored changes by it.

use std::{path::Path, process::Command};

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::{model::Policy, wire::read_as::ReadAs};

use crate::{
    desk::{Desk, LOGIN},
    support::bytes,
};

/// A heartbeat with two bytes that some models take for the supply voltage: `78 78 0A 13 …`.
const HEARTBEAT: &str = "78780a134406040002004f1e210d0a";

fn heartbeat() -> String {
    use wayglass::wire::gt06::encode::{Start, seal};
    let body = bytes(HEARTBEAT).get(4..9).unwrap().to_vec();
    wayglass::wire::hex(&seal(Start::Short, 0x13, &body, 7))
}

fn wayglass(folder: &Path, words: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wayglass")).env("HOME", folder).args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn decode_reads_as_something_else_and_says_what_that_changes() {
    let folder = tempfile::tempdir().unwrap();
    let frame = heartbeat();
    let decode = |words: &[&str]| {
        let (done, out, err) = wayglass(folder.path(), &[&["decode"], words].concat());
        assert!(done, "{err}");
        out
    };
    // What each says, by a word of its difference.
    let cases: &[(&str, &str, &str, &str)] = &[
        (&frame, "R11", "read as   R11: ", "≠"),
        (&frame, "owntracks", "read as   OwnTracks: ", "−       Serial"),
        (LOGIN, "gt06", "read as   GT06: no field differs", "Login"),
        (LOGIN, "Heartbeat", "read as   Heartbeat: ", "−       IMEI"),
        (LOGIN, "topin", "read as   Topin (no checksum): ", "read as"),
    ];
    for (frame, word, head, part) in cases {
        let told = decode(&["--as", word, frame]);
        assert!(told.contains(head) && told.contains(part), "--as {word}:\n{told}");
    }
    let told: serde_json::Value = serde_json::from_str(&decode(&["--json", "--as", "heartbeat", LOGIN])).unwrap();
    assert_eq!((told["read_as"].as_str(), told["kind"].as_str()), (Some("Heartbeat"), Some("heartbeat")), "{told}");
    let gone = told["changes"].as_array().unwrap().iter().find(|change| change["name"] == "IMEI").unwrap();
    assert_eq!((&gone["now"], &gone["then"]), (&"123456789012345".into(), &serde_json::Value::Null));
    assert_eq!(told["hex"], LOGIN.to_lowercase(), "the bytes are what they are");
    let (done, _, err) = wayglass(folder.path(), &["decode", "--as", "fax", LOGIN]);
    assert!(!done && err.contains("it is none of gt06, topin, owntracks, "), "{err}");
}

/// What the palette finds, the best first.
fn found(desk: &mut Desk, text: &str) -> Vec<String> {
    desk.press(egui::Modifiers::COMMAND, egui::Key::K);
    desk.type_text(text);
    let list = desk.window.query_all_by_role(Role::ListBoxOption).filter_map(|node| node.accesskit_node().label());
    let found = list.filter(|label| label.starts_with("Read ")).collect();
    desk.press(egui::Modifiers::NONE, egui::Key::Escape);
    found
}

#[test]
fn the_palette_finds_what_packets_may_be_read_as() {
    let mut desk = Desk::open(Policy::Adopt);
    let mut tracker = desk.log_in();
    tracker.send(&heartbeat());
    desk.until("the heartbeat is held", |window| {
        window.state().data().packets.iter().any(|row| row.kind == "heartbeat")
    });
    let topin = "Topin (no checksum)";
    assert_eq!(found(&mut desk, "topin"), [format!("Read all packets as {topin}")], "nothing is selected");
    desk.window.get_all_by_role(Role::ListBoxOption).next().expect("rows").click();
    desk.until("the login is open", |window| window.state().data().opened.is_some());
    let scopes = ["packet", "connection", "all packets"];
    assert_eq!(found(&mut desk, "topin"), scopes.map(|what| format!("Read {what} as {topin}")));
    assert_eq!(found(&mut desk, "read as vl103"), scopes.map(|what| format!("Read {what} as VL103")));
    assert!(found(&mut desk, "read as").iter().any(|label| label == "Read packet as GT06"));
    assert!(found(&mut desk, "read usual").is_empty(), "it is");
    desk.press(egui::Modifiers::COMMAND, egui::Key::K);
    desk.type_text("connection owntracks");
    desk.press(egui::Modifiers::NONE, egui::Key::Enter);
    desk.until("it is read so", |window| {
        window.state().data().opened.as_ref().is_some_and(|opened| opened.otherwise.is_some())
    });
    assert_eq!(found(&mut desk, "read usual"), ["Read connection as usual"]);
}

#[test]
fn a_choice_holds_for_a_connection_and_is_taken_back_by_its_chip() {
    let mut desk = Desk::open(Policy::Adopt);
    let mut tracker = desk.log_in();
    tracker.send(&heartbeat());
    desk.until("the heartbeat is held", |window| {
        window.state().data().packets.iter().any(|row| row.kind == "heartbeat")
    });
    desk.window.get_all_by_role(Role::ListBoxOption).next().expect("rows").click();
    desk.until("the login is open", |window| window.state().data().opened.is_some());
    let usual = desk.data().opened.as_ref().unwrap().dissection.clone();
    assert_eq!(usual.kind, "login");
    desk.click("Read as…");
    desk.click("For this connection");
    desk.click("OwnTracks");
    desk.until("it is read so", |window| {
        window.state().data().opened.as_ref().is_some_and(|opened| opened.otherwise.is_some())
    });
    let opened = desk.data().opened.as_ref().unwrap();
    assert_eq!(opened.otherwise.as_ref().unwrap().read_as, ReadAs::OwnTracks);
    assert_ne!(opened.dissection, usual);
    assert_eq!((opened.row.kind.as_ref(), opened.row.verdict.as_str()), ("login", "ok"), "what is stored stays");
    assert!(desk.window.query_by_label_contains("from the usual reading").is_some());
    // The next packet of the connection is read so, too.
    desk.press(egui::Modifiers::COMMAND, egui::Key::Period);
    desk.until("another is open", |window| {
        let data = window.state().data();
        data.opened.as_ref().is_some_and(|opened| opened.row.kind != "login" && opened.otherwise.is_some())
    });
    assert!(desk.window.query_all_by_label_contains("As OwnTracks: ").next().is_some(), "the list says so");
    let chip = "Read as OwnTracks  ×";
    desk.until_shown(chip);
    desk.click(chip);
    desk.until("as usual", |window| {
        window.state().data().opened.as_ref().is_some_and(|opened| opened.otherwise.is_none())
    });
    assert!(desk.window.query_by_label(chip).is_none());
}
