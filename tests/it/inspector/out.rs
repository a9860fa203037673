//! Packets out of the window: which of them, counted, redacted, written, and replaced only when that was said.

use std::path::PathBuf;

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::{
    model::{Policy, Protocol},
    wire::{dissect, hex},
};

use super::filter::{busy, filter_by, rows};
use crate::{
    desk::{Desk, Plan, TRACKER},
    support::bytes,
};

pub(super) const OPEN: Modifiers = Modifiers { ctrl: true, command: true, shift: true, ..Modifiers::NONE };

/// Opens the sheet and waits until everything is counted.
pub(super) fn open_sheet(desk: &mut Desk, weight: &str) {
    desk.press(OPEN, Key::X);
    desk.until(weight, |window| window.query_by_label_contains(weight).is_some());
}

/// Writes to this file, and says what was read from it.
pub(super) fn export_to(desk: &mut Desk, path: &PathBuf, done: &str) -> String {
    desk.window.get_by_label("File to write").click();
    desk.window.run();
    desk.press(Modifiers::COMMAND, Key::A);
    desk.type_text(path.to_str().unwrap());
    desk.click("Export");
    desk.until(done, |window| window.query_by_label_contains(done).is_some());
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

#[test]
fn what_is_listed_goes_out_and_a_file_is_replaced_only_when_that_was_said() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "kind == alarm && dir == in");
    desk.until("the alarm is left", |window| window.query_by_label_contains("1 of ").is_some());
    open_sheet(&mut desk, "1 packet, 42 B");
    desk.click("JSON lines");
    let file = desk.folder.path().join("alarm.jsonl");
    let text = export_to(&mut desk, &file, "1 packet written");
    let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((line["kind"].as_str(), line["device"].as_str()), (Some("alarm"), Some(TRACKER)), "{text}");
    std::fs::write(&file, "mine").unwrap();
    desk.click("Export");
    desk.until_shown("A file of this name is there already.");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    desk.click("Replace it");
    desk.until("it is replaced", |window| window.query_by_label_contains("1 packet written").is_some());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    // A folder that is not there is an error that is said.
    let nowhere = desk.folder.path().join("nowhere").join("a.jsonl");
    desk.window.get_by_label("File to write").click();
    desk.window.run();
    desk.press(Modifiers::COMMAND, Key::A);
    desk.type_text(nowhere.to_str().unwrap());
    desk.click("Export");
    desk.until("the error is said", |window| window.query_by_label_contains("Nothing was written").is_some());
}

#[test]
fn the_list_judges_by_its_words_and_so_does_what_goes_out() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    // Only the line says so: neither kind nor title nor verdict.
    filter_by(&mut desk, "\"42 km/h\"");
    desk.until("the phone is left", |window| window.query_by_label_contains("1 of ").is_some());
    assert!(rows(&desk).last().unwrap().contains("owntracks/jane/phone"), "{:?}", rows(&desk));
    open_sheet(&mut desk, "1 packet, ");
}

#[test]
fn marks_and_comments_go_along_and_a_redaction_is_shown_before_it_is_written() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "kind == login");
    desk.until("the login is left", |window| window.query_by_label_contains("1 of ").is_some());
    let login = rows(&desk).remove(0);
    desk.click(&login);
    desk.press(Modifiers::NONE, Key::M);
    desk.until("it is marked", |window| window.state().data().notes.all().any(|(_, note)| note.marked));
    desk.press(OPEN, Key::M);
    desk.type_text("whose is it?");
    desk.click("Save");
    desk.until("it is written", |window| {
        window.state().data().notes.all().any(|(_, note)| note.marked && note.comment == "whose is it?")
    });
    open_sheet(&mut desk, "1 packet, 18 B");
    desk.click("Marked packets");
    desk.click("JSON lines");
    let folder = desk.folder.path().to_owned();
    let plain = export_to(&mut desk, &folder.join("plain.jsonl"), "1 packet written");
    let plain: serde_json::Value = serde_json::from_str(plain.trim()).unwrap();
    assert_eq!((plain["comment"].as_str(), plain["marked"].as_bool()), (Some("whose is it?"), Some(true)));

    desk.click("Redact");
    desk.until("the first packet is shown", |window| {
        window.query_by_label_contains("The first packet, Login").is_some()
    });
    let shown = desk.window.get_by_label_contains("After: ").accesskit_node();
    let shown = shown.value().or(shown.label()).unwrap();
    let redacted = export_to(&mut desk, &folder.join("redacted.jsonl"), "1 packet written");
    assert!(!redacted.contains(TRACKER) && !redacted.contains("whose"), "{redacted}");
    let redacted: serde_json::Value = serde_json::from_str(redacted.trim()).unwrap();
    assert_eq!(redacted["marked"], true);
    let digits = redacted["hex"].as_str().unwrap();
    assert_eq!(shown.trim_start_matches("After: ").replace(' ', ""), digits, "what was shown is what was written");
    // It decodes as before: the same kind, a checksum that fits, another identity.
    let frame = bytes(digits);
    let read =
        dissect(Protocol::Gt06, &frame, &wayglass::model::Profile::default(), wayglass::model::Timestamp::UNIX_EPOCH);
    assert!(read.kind == "login" && read.crc.is_some_and(wayglass::wire::CrcCheck::ok), "{read:?}");
    assert_ne!(read.device.as_deref(), Some(TRACKER));
}

#[test]
fn a_capture_goes_out_of_its_own_tab() {
    let mut desk = Desk::of(Plan { policy: Policy::Ask, ..Plan::default() });
    desk.until("the window is there", |window| window.state().data().loaded);
    desk.window.event(egui::Event::Paste(include_str!("../../fixtures/capture/relogin.txt").to_owned()));
    desk.until("the capture is read", |window| window.state().data().packets.len() == 7);
    let first = hex(&desk.data().packets[0].bytes);
    open_sheet(&mut desk, "7 packets, ");
    desk.click("Hex log");
    let file = desk.folder.path().join("again.log");
    let text = export_to(&mut desk, &file, "7 packets written");
    assert!(text.lines().count() == 7 && text.contains(&first), "{text}");
}

#[test]
fn a_row_is_copied_as_a_line_of_traccars_log() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "kind == login");
    desk.until("the login is left", |window| window.query_by_label_contains("1 of ").is_some());
    let login = rows(&desk).remove(0);
    desk.window.get_by_label(&login).click_secondary();
    desk.window.run();
    desk.window.get_by_role_and_label(Role::Button, "Copy as").hover();
    desk.until_shown("Traccar log line");
    desk.window.get_by_label("Traccar log line").click();
    desk.window.step();
    let copied = super::copied(&desk).expect("it was copied");
    assert!(copied.contains(": gt06 < 127.0.0.1] 78780d01") && copied.contains("  INFO: [T"), "{copied}");
}
