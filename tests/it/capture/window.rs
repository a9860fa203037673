//! The story of a pasted log: it opens beside the live picture, and live goes on.

use std::sync::Arc;

use egui_kittest::kittest::Queryable as _;
use wayglass::{
    model::Policy,
    ui::{
        command::{TABLE, UserCommand},
        view::Sheet,
    },
};

use super::backend::RELOGIN;
use crate::desk::{Desk, Dropped, Plan, TRACKER};

#[test]
fn a_pasted_log_of_a_tracker_that_logs_in_again_and_again() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until("the window is there", |window| window.state().data().loaded);
    desk.window.event(egui::Event::Paste(RELOGIN.to_owned()));
    desk.until("the capture is read", |window| {
        let data = window.state().data();
        data.station.capture.as_ref().is_some_and(|status| !status.filling && status.packets == 7)
            && data.packets.len() == 7
    });
    let logins = desk.data().packets.iter().filter(|row| row.kind == "login" && row.bytes.len() == 18).count();
    assert_eq!(logins, 3);
    assert!(desk.data().devices.values().any(|d| d.device.identity.as_str() == TRACKER));
    assert!(desk.window.query_by_label_contains("Capture, read-only: Pasted").is_some());
    // A selection of the capture stays with it.
    let first = desk.data().packets[0].id;
    let device = *desk.data().devices.keys().next().unwrap();
    desk.window.get_by_label("Live").click();
    desk.until("the live picture is empty", |window| {
        window.state().data().station.capture.is_none() && window.state().data().devices.is_empty()
    });
    assert_eq!(desk.view().selection.device, None);
    // Receiving goes on, and the tab of the live picture counts what came.
    desk.click("Pasted");
    desk.until("the capture is shown again", |window| window.state().data().packet_index(first).is_some());
    assert!(desk.data().devices.contains_key(&device));
    let mut tracker = crate::support::Tracker::connect(desk.gt06);
    tracker.send(crate::desk::LOGIN);
    tracker.expect(crate::desk::LOGIN_ANSWER);
    desk.until_shown("Live · 2 new");
    desk.click("Live · 2 new");
    desk.until("the live picture has it", |window| window.state().data().packets.len() == 2);
    desk.click("Close Pasted");
    assert!(desk.window.query_by_label("Pasted").is_none(), "the tab is gone, and with it the strip");
    assert!(desk.window.query_by_label("Live").is_none());
}

#[test]
fn history_that_is_dropped_fills_in_the_import_sheet_also_over_a_capture() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        (
            "jane.rec",
            "2026-11-21T10:00:00Z\t*                 \t{\"_type\":\"location\",\"tid\":\"JJ\",\"lat\":48.1,\"lon\":2.5,\"tst\":1795255200}\n",
        ),
        ("walk.csv", "time,latitude,longitude\n2026-11-21T10:00:00Z,48.1,2.5\n"),
        (
            "walk.json",
            r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"time":"2026-11-21T10:00:00Z"},"geometry":{"type":"Point","coordinates":[2.5,48.1]}}]}"#,
        ),
    ];
    let mut desk = Desk::open(Policy::Ask);
    desk.until("the window is there", |window| window.state().data().loaded);
    for over_a_capture in [false, true] {
        for (name, text) in files {
            if over_a_capture {
                desk.window.event(egui::Event::Paste(RELOGIN.to_owned()));
                desk.until("a capture is shown", |window| window.state().data().station.capture.is_some());
            }
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            desk.window.input_mut().dropped_files.push(Arc::new(Dropped(path)));
            desk.until(name, |window| {
                let state = window.state();
                state.view().open.sheet == Some(Sheet::Import) && state.data().station.capture.is_none()
            });
            desk.until("it was looked at", |window| window.query_all_by_label_contains("1 point").next().is_some());
            desk.press(egui::Modifiers::NONE, egui::Key::Escape);
        }
    }
}

#[test]
fn a_message_stands_below_what_has_to_be_known_of_the_capture() {
    let mut desk = Desk::of(Plan { size: [1024.0, 640.0], ..Plan::default() });
    desk.until("the window is there", |window| window.state().data().loaded);
    desk.window.event(egui::Event::Paste(RELOGIN.to_owned()));
    desk.until_shown("Close Pasted");
    desk.press(egui::Modifiers::COMMAND, egui::Key::K);
    desk.type_text("paste");
    desk.window.key_press(egui::Key::Enter);
    desk.step_until("a message is shown", |window| window.query_by_label("Close message").is_some());
    // It is laid out once its size is known.
    desk.window.step();
    let message = desk.window.get_by_label("Close message").rect();
    for words in ["Capture, read-only: Pasted", "It goes when its tab is closed"] {
        let banner = desk.window.get_by_label_contains(words).rect();
        assert!(message.top() >= banner.bottom(), "{words} at {banner:?} under a message at {message:?}");
    }
}

#[test]
fn there_is_a_command_for_it() {
    assert!(TABLE.iter().any(|row| row.command == UserCommand::PasteCapture));
}
