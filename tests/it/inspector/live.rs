//! Stories of a connection as it goes on: a conversation that grows, who closed it, a command and its answer.

use std::time::Duration;

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use wayglass::{
    model::{CommandState, Policy},
    ui::view::Sheet,
    wire::{
        gt06::encode::{self, Start},
        hex,
    },
};

use crate::{
    capture::backend::RELOGIN,
    desk::{AT_HOME, Desk, TRACKER},
    support::{Tracker, post},
};

/// Selects the first packet that is listed and follows its connection.
fn follow(desk: &mut Desk) {
    // A device is known before its login is listed.
    desk.until("a packet is listed", |window| window.query_all_by_role(Role::ListBoxOption).next().is_some());
    desk.window.get_all_by_role(Role::ListBoxOption).next().expect("rows").click();
    desk.window.run();
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    desk.until("the conversation is read", |window| window.state().data().talk.conversation.is_some());
}

fn packets_of_talk(desk: &Desk) -> usize {
    desk.data().talk.conversation.as_ref().map_or(0, |talk| talk.rows.len())
}

/// Is answered, so whatever was sent before it has arrived.
fn beat(tracker: &mut Tracker, serial: u16) {
    tracker.send(&hex(&encode::heartbeat(true, true, 6, 4, serial)));
    tracker.expect(&hex(&encode::acknowledge(Start::Short, 0x13, serial)));
}

#[test]
fn a_conversation_grows_while_it_is_open_and_says_who_closed() {
    let mut desk = Desk::open(Policy::Adopt);
    let mut tracker = desk.log_in();
    follow(&mut desk);
    desk.until("it is open", |window| window.query_by_label_contains("is open").is_some());
    assert!(desk.window.query_by_label_contains("Connected from 127.0.0.1:").is_some());
    assert_eq!(packets_of_talk(&desk), 2);
    desk.clock.advance(Duration::from_secs(75));
    beat(&mut tracker, 2);
    desk.until("it has grown", |window| {
        window.state().data().talk.conversation.as_ref().is_some_and(|talk| talk.rows.len() == 4)
    });
    assert!(desk.window.query_by_label_contains("received 0x13 #2").is_some(), "the heartbeat is shown");
    // Somebody else's packets are none of its.
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until("the phone's packet came", |window| window.state().data().packets.len() >= 6);
    assert_eq!(packets_of_talk(&desk), 4);
    desk.clock.advance(Duration::from_secs(5));
    drop(tracker);
    let closed = "5.0 s after the last packet; it was open for 1 min 20 s";
    desk.until("who closed it is said", |window| window.query_by_label_contains("The device closed it").is_some());
    assert!(desk.window.query_by_label_contains(closed).is_some(), "not: {closed}");
}

#[test]
fn a_long_conversation_opens_at_the_packet_and_stays_there() {
    let mut desk = Desk::open(Policy::Adopt);
    let mut tracker = desk.log_in();
    follow(&mut desk);
    (2..62).for_each(|serial| beat(&mut tracker, serial));
    desk.until("its end is shown", |window| {
        window.query_by_label_contains("received 0x13 #61").is_some()
            && window.query_by_label_contains("is open").is_some()
    });
    // Anew, at the login: it comes into sight, and what arrives does not move it.
    let login = desk.data().packets.iter().find(|row| row.kind == "login").unwrap().id;
    desk.press_to(Key::F7, login);
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    desk.until("the login is shown", |window| window.query_by_label_contains("received 0x01 #1").is_some());
    beat(&mut tracker, 62);
    desk.until("it has grown", |window| {
        window.state().data().talk.conversation.as_ref().is_some_and(|talk| talk.rows.len() == 2 + 2 * 61)
    });
    assert!(desk.window.query_by_label_contains("received 0x01 #1").is_some(), "the login is still shown");
    assert!(desk.window.query_by_label_contains("received 0x13 #62").is_none());
}

#[test]
fn a_command_is_sent_and_its_answer_is_linked() {
    let mut desk = Desk::open(Policy::Adopt);
    let mut tracker = desk.log_in();
    desk.window.get_by_role_and_label(Role::ListItem, TRACKER).click();
    desk.window.run();
    desk.press(Modifiers::NONE, Key::C);
    desk.until("the console is open", |window| window.state().view().open.sheet == Some(Sheet::Commands));
    desk.window.get_by_role_and_label(Role::ListItem, "Status: STATUS#").click();
    desk.window.run();
    desk.until("the bytes are shown", |window| window.query_by_label_contains("Bytes 7878").is_some());
    desk.window.get_by_role_and_label(Role::Button, "Send").click();
    desk.window.run();
    let sent = |state: CommandState| {
        move |window: &egui_kittest::Harness<'static, wayglass::ui::App>| {
            window.state().data().remote.commands.iter().any(|command| command.state == state)
        }
    };
    desk.until("it was sent", sent(CommandState::Sent));
    let id = desk.data().remote.commands[0].id;
    desk.clock.advance(Duration::from_secs(2));
    let flag = u32::try_from(id.0).unwrap();
    tracker.send(&hex(&encode::answer_15("Battery:3.98V,NORMAL", flag, 2)));
    desk.until("it was answered", sent(CommandState::Answered));
    desk.press(Modifiers::NONE, Key::Escape);
    let command = desk.data().remote.commands[0].clone();
    let (out, back) = (command.sent_packet.unwrap(), command.answer_packet.unwrap());
    // From the command to its answer and back.
    desk.press_to(Key::F7, out);
    desk.press(Modifiers::NONE, Key::G);
    assert_eq!(desk.view().selection.packet, Some(back));
    desk.press(Modifiers::NONE, Key::G);
    assert_eq!(desk.view().selection.packet, Some(out));
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    desk.until("the conversation tells both", |window| {
        window.query_by_label_contains("answered after 2.0 s: Battery:3.98V,NORMAL").is_some()
            && window.query_by_label_contains("answers STATUS# after 2.0 s").is_some()
    });
}

#[test]
fn a_pasted_log_tells_why_a_device_logs_in_again_and_again() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until("the window is there", |window| window.state().data().loaded);
    desk.window.event(egui::Event::Paste(RELOGIN.to_owned()));
    desk.until("the capture is read", |window| {
        let data = window.state().data();
        data.station.capture.as_ref().is_some_and(|status| !status.filling) && data.packets.len() == 7
    });
    desk.until_shown(TRACKER);
    desk.window.get_by_role_and_label(Role::ListItem, TRACKER).click();
    desk.until("the sentence is shown", |window| window.query_by_label_contains("Logs in again").is_some());
    follow(&mut desk);
    let said = desk.data().talk.conversation.as_ref().map(|talk| talk.steps.len());
    assert!(said > Some(packets_of_talk(&desk)), "beginning and end are lines of their own");
}
