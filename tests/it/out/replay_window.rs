//! A capture is sent again from the window: from its tab and from a file, with progress, and stopped.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use wayglass::{
    model::Policy,
    ui::{App, view::Sheet},
};

use crate::{
    capture::backend::RELOGIN,
    desk::{Desk, LOGIN, LOGIN_ANSWER},
    support::Port,
};

const NEW_IMEI: &str = "358000000000001";

/// A window in which a capture was pasted, with the sheet over it.
fn pasted(text: &str) -> Desk {
    let mut desk = Desk::open(Policy::Adopt);
    desk.until("the window is there", |window| window.state().data().loaded);
    desk.window.event(egui::Event::Paste(text.to_owned()));
    desk.until("the capture is read", |window| {
        window.state().data().station.capture.as_ref().is_some_and(|status| !status.filling)
    });
    desk.click("Replay…");
    desk.until("the sheet knows our receivers", |window| {
        window.query_by_label_contains("Our GT06 receiver, 127.0.0.1:").is_some()
    });
    desk
}

/// The button of the sheet, which is no longer than its word.
fn replay(desk: &mut Desk) {
    desk.window.get_by_role_and_label(Role::Button, "Replay").click();
    desk.window.step();
}

fn says(window: &Harness<'static, App>, text: &str) -> bool {
    window.query_all_by_label_contains(text).next().is_some()
}

#[test]
fn the_capture_of_a_tab_goes_into_our_receiver_under_another_imei() {
    let mut desk = pasted(RELOGIN);
    assert!(says(&desk.window, "Pasted, which is shown"));
    desk.click("Everything without a pause");
    desk.type_into("IMEI to log in with", "35800000000000");
    desk.until("what is wrong is said", |window| says(window, "is no IMEI, which has 15 digits"));
    assert!(desk.window.get_by_role_and_label(Role::Button, "Replay").accesskit_node().is_disabled());
    desk.type_into("IMEI to log in with", NEW_IMEI);
    replay(&mut desk);
    desk.until("it says how it went", |window| says(window, "packets sent, "));
    assert!(says(&desk.window, "Pasted: 4 packets sent, 3 answered"), "{:?}", desk.data().replay.ended);
    desk.click("Close");
    desk.window.get_by_label_contains("Live").click();
    desk.until("it came in", |window| {
        let data = window.state().data();
        data.station.capture.is_none() && data.devices.values().any(|d| d.device.identity.as_str() == NEW_IMEI)
    });
}

#[test]
fn a_slow_one_says_how_far_it_is_and_is_stopped() {
    let later = |time: &str| format!("2026-11-21T{time}Z [1: gt06 < 10.0.0.9:4711] {LOGIN}\n");
    let answer = format!("2026-11-21T10:00:00Z [1: gt06 > 10.0.0.9:4711] {LOGIN_ANSWER}\n");
    let mut desk = pasted(&[later("10:00:00"), answer, later("11:00:00"), later("12:00:00")].concat());
    desk.window.get_by_role_and_label(Role::Button, "10 ×").click();
    desk.window.run();
    replay(&mut desk);
    desk.step_until("it says how far it is", |window| {
        says(window, "1 sent, 1 answered, 1 of 3 gone through; 12 min left")
    });
    // It goes on while the sheet is closed and another tab is shown.
    desk.window.get_by_label("Close sheet").click();
    desk.step_until("the sheet is closed", |window| window.state().view().open.sheet.is_none());
    desk.window.get_by_label_contains("Live").click();
    desk.step_until("live is shown", |window| window.state().data().station.capture.is_none());
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    desk.step_until("the palette is open", |window| window.state().view().open.sheet == Some(Sheet::Palette));
    desk.window.event(egui::Event::Text("replay capture".to_owned()));
    desk.window.step();
    desk.window.key_press(Key::Enter);
    desk.step_until("it is found there", |window| window.state().view().open.sheet == Some(Sheet::Replay));
    desk.step_until("it says what it does", |window| says(window, "Replaying Pasted"));
    desk.window.get_by_role_and_label(Role::Button, "Stop").click();
    desk.until("it is stopped", |window| says(window, "Pasted: 1 packet sent, 1 answered"));
}

#[test]
fn a_file_goes_elsewhere_and_what_is_wrong_is_said() {
    let mut desk = Desk::open(Policy::Adopt);
    desk.until("the window is there", |window| window.state().data().loaded);
    desk.press(Modifiers::COMMAND, Key::K);
    desk.type_text("replay capture");
    desk.press(Modifiers::NONE, Key::Enter);
    desk.until_shown("Say which capture");
    let file = desk.folder.path().join("talk.log");
    std::fs::write(&file, RELOGIN).unwrap();
    desk.type_into("Capture to replay", &file.display().to_string());
    desk.type_into("Receiver to replay to", "nowhere");
    desk.until("it is no address", |window| says(window, "nowhere is no receiver: it is HOST:PORT"));
    let off = Port::keep();
    let nobody = off.at().to_string();
    desk.type_into("Receiver to replay to", &nobody);
    replay(&mut desk);
    desk.until("nobody is there", |window| says(window, &format!("talk.log: cannot connect to {nobody}")));
    // Each frame once the one before it was answered.
    let at = desk.gt06.to_string();
    desk.type_into("Receiver to replay to", &at);
    desk.click("Each frame when the one before was answered");
    replay(&mut desk);
    desk.until("it went", |window| says(window, "talk.log: 4 packets sent, 3 answered"));
}
