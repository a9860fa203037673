//! Links, layouts, comparisons, conversations and statistics, through the window and the command line.

use std::{path::Path, process::Command, time::Duration};

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use serde_json::Value;
use wayglass::{model::Policy, ui::talk::Tab, wire::hex};

use super::filter::filter_by;
use crate::{
    capture::backend::RELOGIN,
    desk::{AT_HOME, Desk, LOGIN, LOGIN_ANSWER, TRACKER},
    support::{Tracker, post, sql},
    tap::far::ack,
};

const WHY: &str = "Logs in again every 3 minutes";
const SENTENCE: &str = "logs in again every 3 minutes after it closed its connection in order: looks like a setting of the tracker: it sleeps, or hangs up between its reports; no harm where that is meant; else see its sleep and reporting modes";

fn wayglass(folder: &Path, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wayglass"))
        .env("TZ", "UTC")
        .env("HOME", folder)
        .args(words)
        .arg("--data-dir")
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn why_a_device_logs_in_again_is_said_in_a_sentence() {
    let mut desk = Desk::open(Policy::Adopt);
    for n in 1..=4 {
        let mut tracker = Tracker::connect(desk.gt06);
        tracker.send(LOGIN);
        tracker.expect(LOGIN_ANSWER);
        desk.clock.advance(Duration::from_mins(2));
        // A type that nobody knows, answered as every one is.
        tracker.send("78780AEE010203040500029F350D0A");
        tracker.expect(&hex(&ack(0xEE, 2)));
        desk.clock.advance(Duration::from_mins(1));
        drop(tracker);
        let folder = desk.folder.path().to_owned();
        let ended = move || sql::<i64>(&folder, "SELECT count(*) FROM connection_ends");
        desk.step_until("its end is written down", |_| ended() == n);
    }
    desk.until_shown(TRACKER);
    desk.window.get_by_role_and_label(Role::ListItem, TRACKER).click();
    desk.until("the sentence is shown", |window| window.query_by_label_contains(WHY).is_some());
    assert!(desk.window.query_by_label_contains("carrier's NAT time-out").is_none(), "it is not the carrier");
    // It is below what fits; a line at the top says it, too, and leads there.
    let top = |desk: &Desk| desk.window.get_by_label_contains(WHY).rect().top();
    let before = top(&desk);
    desk.click(&format!("Link: {}{}", WHY[..1].to_lowercase(), &SENTENCE[1..SENTENCE.find(": ").unwrap()]));
    assert!(top(&desk) < before - 50.0, "{before} {}", top(&desk));

    let folder = desk.folder.path();
    let told: Value = serde_json::from_str(&wayglass(folder, &["link", TRACKER, "--json"])).unwrap();
    assert_eq!((&told["logins"], &told["login_every_s"]), (&4.into(), &180.0.into()), "{told}");
    assert_eq!(told["symptoms"][0]["sentence"], SENTENCE);
    assert_eq!(told["ends"]["by_device"], 4);
    let told = wayglass(folder, &["link", TRACKER]);
    assert!(told.contains(SENTENCE) && told.contains("Closed       4 by the device"), "{told}");
}

/// Two logins of one tracker with different serials, on one connection, and a phone beside it.
fn two_logins() -> (Desk, Tracker) {
    let mut desk = Desk::open(Policy::Adopt);
    let mut tracker = desk.log_in();
    desk.clock.advance(Duration::from_secs(30));
    tracker.send("78780D0101234567890123450002BE460D0A");
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until("everything is stored", |window| window.state().data().packets.len() >= 6);
    (desk, tracker)
}

fn packet(desk: &Desk, kind: &str, nth: usize) -> wayglass::model::PacketId {
    desk.data().packets.iter().filter(|row| row.kind == kind).nth(nth).expect("it is listed").id
}

#[test]
fn two_packets_are_compared_field_by_field() {
    let (mut desk, _tracker) = two_logins();
    desk.window.get_all_by_role(Role::ListBoxOption).next().expect("rows").click();
    desk.window.run();
    desk.press(Modifiers::NONE, Key::D);
    let second = packet(&desk, "login", 1);
    desk.press_to(Key::F8, second);
    desk.press(Modifiers::NONE, Key::D);
    desk.until_shown("2 fields differ");
    assert!(desk.window.query_by_label_contains("press D again").is_none(), "it was done");
    assert!(desk.window.query_by_label("differs: Serial: 1 and 2").is_some());
    assert!(desk.window.query_by_label_contains("bytes at 0: 78780d01").is_some());
}

#[test]
fn a_connection_is_followed_with_its_answers_and_delays() {
    let (mut desk, _tracker) = two_logins();
    desk.window.get_all_by_role(Role::ListBoxOption).next().expect("rows").click();
    desk.window.run();
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    desk.until("the conversation is read", |window| window.state().data().talk.conversation.is_some());
    let shown = desk.data().talk.conversation.as_ref().expect("it is there");
    let kinds: Vec<&str> = shown.rows.iter().map(|row| row.kind.as_ref()).collect();
    assert_eq!(kinds, ["login", "ack", "login", "ack"], "the phone is not part of it");
    assert!(desk.window.query_by_label_contains("received 0x01 #2").is_some(), "with the pause before it");
    desk.window.get_by_label_contains("received 0x01 #2").click();
    desk.window.run();
    assert_eq!(desk.view().selection.packet, Some(packet(&desk, "login", 1)));
    assert_eq!(desk.view().talk.tab, Some(Tab::Conversation), "it stays open");
    // G goes to the answer, and back.
    desk.press(Modifiers::NONE, Key::G);
    assert_eq!(desk.view().selection.packet, Some(packet(&desk, "ack", 1)));
    desk.window.get_by_role_and_label(Role::Tab, "Show packets").click();
    desk.window.run();
    assert_eq!(desk.view().talk.tab, None);
}

#[test]
fn packets_are_counted_and_a_row_filters() {
    let (mut desk, _tracker) = two_logins();
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    desk.until("they are counted", |window| window.query_by_label_contains("0x01 login: 2 packets").is_some());
    desk.click("By verdict");
    assert!(desk.window.query_by_label_contains("6 packets, 100.0 %").is_some());
    desk.click("By device");
    desk.window.get_by_label_contains(&format!("{TRACKER}: 4 packets")).click();
    desk.window.run();
    assert_eq!(desk.view().talk.tab, None, "the packets are shown again");
}

#[test]
fn decode_says_why_a_layout_was_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let told = wayglass(folder.path(), &["decode", "--explain", LOGIN]);
    assert!(told.contains("layout    Login") && told.contains("its type is 0x01 and its length 13"), "{told}");
}

#[test]
fn what_is_listed_is_counted_apart_and_a_row_narrows_it() {
    let (mut desk, _tracker) = two_logins();
    filter_by(&mut desk, "proto == gt06");
    desk.press(Modifiers::NONE, Key::Escape);
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    desk.until("what is listed is counted", |window| window.query_by_label_contains("4 packets, ").is_some());
    assert!(desk.window.query_by_label_contains("0x01 login: 2 packets, 50.0 %").is_some());
    desk.click("Everything");
    desk.until("all is counted", |window| window.query_by_label_contains("6 packets, ").is_some());
    desk.click("Listed");
    desk.until("and what is listed again", |window| window.query_by_label_contains("4 packets, ").is_some());
    desk.window.get_by_label_contains("0x01 login: 2 packets").click();
    desk.until("both conditions hold", |window| window.query_by_label_contains("2 of 6").is_some());
    assert!(
        desk.window
            .query_by_label("Filter packets")
            .and_then(|field| field.value())
            .is_some_and(|text| { text.starts_with("proto == gt06 && ") && text.contains("type == 0x01") })
    );
}

#[test]
fn a_capture_is_counted_up_to_its_last_packet() {
    let mut desk = Desk::open(Policy::Adopt);
    desk.until("the window is there", |window| window.state().data().loaded);
    desk.window.event(egui::Event::Paste(RELOGIN.to_owned()));
    desk.until("the capture is read", |window| {
        let data = window.state().data();
        data.station.capture.as_ref().is_some_and(|status| !status.filling) && data.packets.len() == 7
    });
    // Of years ago, and an hour back from its last packet all the same.
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    desk.until("it is counted", |window| window.query_by_label_contains("7 packets, ").is_some());
    desk.click("1 h");
    desk.until("the hour is counted", |window| window.query_by_label_contains("7 packets, 7.0/h").is_some());
    desk.click("All");
    desk.until("the minutes of the log are", |window| window.query_by_label_contains("7 packets, 69.0/h").is_some());
}
