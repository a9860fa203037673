//! Taps in the window: set up, seen, changed and removed there; what goes through them is seen as what comes to us.

use std::time::Duration;

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::{
    backend::{ReceiverStatus, Tap, TapMode},
    model::Policy,
    wire::hex,
};

use super::far::{End, Server, ack, heartbeat, login, login_answer, position};
use crate::{
    desk::{Desk, TRACKER},
    inspector::filter::filter_by,
    support::Port,
};

/// A window with a tap that was set up in it, and where that listens.
fn with_tap(server: &Server) -> (Desk, Port) {
    let mut desk = Desk::open(Policy::Adopt);
    desk.press(Modifiers::NONE, Key::F10);
    desk.click("Overhear another server's trackers…");
    desk.until_shown("Add a tap…");
    desk.click("Add a tap…");
    assert!(desk.window.get_by_label("Add tap").accesskit_node().is_disabled(), "it lacks a server");
    desk.type_into("Server and port", &server.at().to_string());
    desk.type_into("Name of the tap", "vendor");
    let port = Port::keep();
    desk.type_into("Port of the tap", &port.at().port().to_string());
    desk.click("This computer only");
    desk.click("Add tap");
    desk.until("the tap listens", |window| {
        let taps = &window.state().data().station.taps;
        taps.iter().any(|tap| matches!(tap.line.status, ReceiverStatus::Listening(_)))
    });
    let expected = Tap {
        name: "vendor".to_owned(),
        listen: tap(&desk).listen,
        mode: TapMode::Pass { to: server.at().to_string() },
    };
    assert_eq!(*tap(&desk), expected);
    (desk, port)
}

fn tap(desk: &Desk) -> &Tap {
    &desk.data().station.taps[0].tap
}

#[test]
fn a_tap_is_added_changed_removed_and_brought_back() {
    let server = Server::start();
    let (mut desk, port) = with_tap(&server);
    let at = port.at();
    desk.until_shown("No tracker has called yet.");
    desk.click("Change vendor");
    desk.click("Take a copy, as Traccar's server.forward sends");
    desk.click("Save tap");
    desk.until("it takes a copy", |window| window.state().data().station.taps[0].tap.mode == TapMode::Copy);
    desk.press(Modifiers::COMMAND, Key::Z);
    let passes = |desk: &Desk| matches!(tap(desk).mode, TapMode::Pass { .. });
    desk.until("it passes on again", |window| window.state().data().station.taps[0].tap.mode != TapMode::Copy);
    assert!(passes(&desk));
    desk.click("Remove vendor");
    desk.until("it is gone", |window| window.state().data().station.taps.is_empty());
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.until("it is there again and listens", |window| {
        let mut taps = window.state().data().station.taps.iter();
        taps.any(|tap| tap.line.status == ReceiverStatus::Listening(at))
    });
}

#[test]
fn what_goes_through_is_seen_with_the_answers_of_the_server() {
    let server = Server::start();
    let (mut desk, port) = with_tap(&server);
    desk.press(Modifiers::NONE, Key::Escape);
    desk.until_shown("Tap vendor");
    let mut tracker = End::dial(port.at());
    let mut far = server.accept();
    for (said, answer) in [(login(), login_answer()), (position(1, 2), ack(0x22, 2)), (heartbeat(3), ack(0x13, 9))] {
        tracker.say(&said);
        far.hear(&said);
        far.say(&answer);
        tracker.hear(&answer);
    }
    desk.until("the device is on the map", |window| {
        let data = window.state().data();
        data.packets.len() == 6 && data.devices.values().any(|d| d.last_fix.is_some())
    });
    assert!(desk.data().devices.values().any(|d| d.device.identity.as_str() == TRACKER));
    let last = desk.data().packets.back().expect("packets").id;
    desk.press(Modifiers::COMMAND, Key::L);
    desk.type_text("tap.differs");
    desk.press(Modifiers::NONE, Key::Enter);
    desk.until("only what differs is listed", |window| window.get_all_by_role(Role::ListBoxOption).count() == 1);
    desk.window.get_by_role(Role::ListBoxOption).click();
    desk.until("it is open", |window| window.state().view().selection.packet == Some(last));
    desk.until("the tree says what ours is", |window| {
        window.query_by_label_contains("our answer is 7878051300").is_some()
    });
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    desk.until("the conversation is read", |window| window.state().data().talk.conversation.is_some());
    let shown = desk.data().talk.conversation.as_ref().expect("it is there");
    let kinds: Vec<&str> = shown.rows.iter().map(|row| row.kind.as_ref()).collect();
    assert_eq!(kinds, ["login", "ack", "location", "ack", "heartbeat", "ack"]);
}

#[test]
fn a_frame_differs_only_once_its_answer_is_overdue() {
    let server = Server::start();
    let (mut desk, port) = with_tap(&server);
    desk.press(Modifiers::NONE, Key::Escape);
    let mut tracker = End::dial(port.at());
    let mut far = server.accept();
    tracker.say(&login());
    far.hear(&login());
    far.say(&login_answer());
    tracker.hear(&login_answer());
    tracker.say(&heartbeat(3));
    far.hear(&heartbeat(3));
    desk.until("all is stored", |window| window.state().data().packets.len() == 3);
    let heard = desk.data().packets.back().expect("packets").id;
    let rows = |window: &egui_kittest::Harness<'static, wayglass::ui::App>| {
        window.query_all_by_role(Role::ListBoxOption).count()
    };
    let ours = hex(&ack(0x13, 3));

    // It says what we would answer once, and that there is time.
    desk.window.get_all_by_role(Role::ListBoxOption).last().expect("rows").click();
    desk.until("it is open", |window| window.state().view().selection.packet == Some(heard));
    desk.until_shown("none yet of the other server");
    assert_eq!(desk.window.query_all_by_label(&ours).count(), 1);
    filter(&mut desk, "tap.differs");
    desk.until("nothing differs yet", |window| rows(window) == 0);
    filter(&mut desk, "!tap.differs");
    desk.until("all is as it should be", |window| rows(window) == 3);

    // Nothing more arrives.
    filter(&mut desk, "tap.differs");
    desk.until("nothing differs yet", |window| rows(window) == 0);
    desk.clock.advance(Duration::from_secs(3));
    desk.until("it is overdue", |window| rows(window) == 1);
    desk.until_shown("none of the other server");
    assert_eq!(desk.window.query_all_by_label(&ours).count(), 1);

    // Late is not never: it is the answer that differs.
    far.say(&ack(0x13, 3));
    tracker.hear(&ack(0x13, 3));
    desk.until("it is stored", |window| window.state().data().packets.len() == 4);
    desk.until("the answer is listed", |window| rows(window) == 1);
    assert!(desk.window.query_by_label("none of the other server").is_none());
    assert_eq!(desk.window.query_all_by_label(&ours).count(), 1);
}

fn filter(desk: &mut Desk, text: &str) {
    filter_by(desk, text);
    desk.press(Modifiers::NONE, Key::Escape);
}

#[test]
fn a_server_that_is_gone_is_said_at_the_top_and_in_the_sheet() {
    let server = Server::start();
    let (mut desk, port) = with_tap(&server);
    let _gone = server.leave();
    let mut tracker = End::dial(port.at());
    tracker.say(&login());
    tracker.hear_out();
    desk.until("it is said", |window| window.query_by_label_contains("it refuses connections").is_some());
}
