//! Every row of the table of commands does something, by its key or through the palette; and the README names keys that there are.

use std::collections::BTreeSet;

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::{
    model::{DeviceId, Policy},
    ui::{
        command::{Acts, Choice, Chord, Shown, TABLE, UserCommand},
        view::{Layout, Pane, Sheet},
    },
};

use crate::desk::{AT_HOME, Desk, TRACKER};
use crate::support::post;

const PHONE: &str = "owntracks/jane/phone";
/// The second one that came.
const PHONE_ID: DeviceId = DeviceId(2);

/// All that a user could notice: what is looked at, what is written, what has the keyboard, what went to the clipboard.
fn noticed(desk: &mut Desk) -> (String, BTreeSet<String>, Option<String>) {
    let view = format!("{:?}", desk.view());
    let labels = desk.window.root().children_recursive().filter_map(|node| {
        let node = node.accesskit_node();
        let text = [node.label(), node.value()].into_iter().flatten().collect::<Vec<_>>().join("=");
        (!text.is_empty()).then_some(text)
    });
    let labels: BTreeSet<String> = labels.collect();
    let focused = desk.window.root().children_recursive().find(|n| n.accesskit_node().is_focused());
    let focused = focused.and_then(|n| n.accesskit_node().label());
    (view, labels, focused)
}

/// A tracker and a phone; the tracker's login is open and everything can be seen.
fn busy() -> (Desk, crate::support::Tracker) {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    let mut tracker = desk.log_in();
    // A wrong checksum is a problem to go to.
    tracker.send("78780D01012345678901234500028CDE0D0A");
    assert_eq!(post(desk.owntracks, &AT_HOME.replace("1795269747", "1795269600")).status, 200);
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until_shown("2 new senders");
    desk.click("Adopt all");
    desk.until("both are listed", |window| window.query_by_role_and_label(Role::ListItem, TRACKER).is_some());
    (desk, tracker)
}

/// Back to a device and a packet that are selected, with every pane open.
fn make_ready(desk: &mut Desk) {
    let busy = |desk: &Desk| desk.view().open.sheet.is_some() || desk.window.ctx.text_edit_focused();
    for _ in 0..10 {
        if busy(desk) {
            desk.press(Modifiers::NONE, Key::Escape);
        }
    }
    assert!(!busy(desk), "{:?} is still open", desk.view().open.sheet);
    desk.press(Modifiers::COMMAND, Key::Num2);
    if desk.view().only_in_view {
        desk.press(Modifiers::NONE, Key::V);
    }
    desk.window.get_by_role_and_label(Role::ListItem, TRACKER).click();
    desk.window.run();
    let login = desk.window.state().data().packets.iter().find(|p| p.kind == "login").expect("a login").id;
    desk.press_to(Key::F7, login);
    for _ in 0..80 {
        if desk.window.query_all_by_label("Close message").next().is_none() {
            break;
        }
        desk.window.step();
    }
    desk.until("it is open", |window| window.state().data().opened.is_some());
}

/// The phone is selected, and what it told is read.
fn to_the_past_of_the_phone(desk: &mut Desk) {
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).click();
    desk.window.run();
    // From yesterday, where an earlier row has led to.
    desk.press(Modifiers::SHIFT, Key::L);
    desk.until("its past is read", |window| {
        window.state().data().history.past(PHONE_ID).is_some_and(|past| past.points.len() == 2)
    });
}

/// What some commands need beyond that.
fn prepare(desk: &mut Desk, command: UserCommand) {
    match command {
        // All are shown already.
        UserCommand::ShowAll => desk.press(Modifiers::NONE, Key::Plus),
        UserCommand::UsualSize | UserCommand::Undo => desk.press(Modifiers::COMMAND, Key::Plus),
        UserCommand::Live | UserCommand::NextDay => desk.press(Modifiers::NONE, Key::OpenBracket),
        UserCommand::PreviousFix | UserCommand::NextFix => {
            to_the_past_of_the_phone(desk);
            let steps = if command == UserCommand::NextFix { 2 } else { 0 };
            (0..steps).for_each(|_| desk.press(Modifiers::NONE, Key::Comma));
        }
        UserCommand::HidePoint | UserCommand::NextDoubtful => {
            to_the_past_of_the_phone(desk);
            desk.press(Modifiers::NONE, Key::Comma);
            desk.until("a point is looked at", |window| window.state().data().history.as_of.is_some());
            if command == UserCommand::NextDoubtful {
                desk.press(Modifiers::NONE, Key::H);
                desk.until("one is hidden", |window| {
                    window.state().data().history.past(PHONE_ID).is_some_and(|past| past.stats.hidden == 1)
                });
            }
        }
        UserCommand::GoForward => desk.press(Modifiers::ALT, Key::ArrowLeft),
        UserCommand::PreviousPacket | UserCommand::PreviousOfSession => desk.press(Modifiers::NONE, Key::F8),
        UserCommand::Arrange(Layout::Debug) => desk.press(Modifiers::COMMAND, Key::Num4),
        UserCommand::Redo => {
            desk.press(Modifiers::COMMAND, Key::Plus);
            desk.press(Modifiers::COMMAND, Key::Z);
        }
        _ => {}
    }
}

#[test]
fn every_key_does_something() {
    let (mut desk, tracker) = busy();
    make_ready(&mut desk);
    let before = noticed(&mut desk);
    desk.press(Modifiers::NONE, Key::F20);
    assert_eq!(noticed(&mut desk), before, "nothing happens by itself");
    for about in TABLE.iter().filter(|about| about.acts != Acts::InPane) {
        for chord in about.keys {
            make_ready(&mut desk);
            prepare(&mut desk, about.command);
            let before = noticed(&mut desk);
            let (modifiers, key) = chord.parts();
            if (modifiers, key) == (Modifiers::COMMAND, Key::C) {
                desk.window.event(egui::Event::Copy);
            } else {
                desk.window.key_press_modifiers(modifiers, key);
            }
            desk.window.run_ok();
            desk.window.run_ok();
            assert!(noticed(&mut desk) != before, "{chord:?} does nothing: {}", about.text);
        }
    }
    drop(tracker);
}

#[test]
fn everything_without_a_key_is_done_through_the_palette() {
    let (mut desk, tracker) = busy();
    // A test asks no server for tiles.
    let asks = |command| command == UserCommand::Set(Choice::OnlineMap);
    let rows = TABLE.iter().filter(|about| about.keys.is_empty() && !asks(about.command));
    for about in rows {
        assert_ne!(about.shown, Shown::Nowhere);
        make_ready(&mut desk);
        let (data, view) = (desk.window.state().data(), desk.view());
        if about.command.actions(data, view).is_none() {
            // Adopted already; no demo to stop; as it is.
            continue;
        }
        let before = noticed(&mut desk);
        desk.press(Modifiers::COMMAND, Key::K);
        assert_eq!(desk.view().open.sheet, Some(Sheet::Palette));
        desk.type_text(about.text);
        desk.press(Modifiers::NONE, Key::Enter);
        // Some open a sheet of their own.
        assert_ne!(desk.view().open.sheet, Some(Sheet::Palette), "{}", about.text);
        desk.window.run_ok();
        assert!(noticed(&mut desk) != before, "does nothing: {}", about.text);
        if about.command == UserCommand::Ignore {
            desk.press(Modifiers::COMMAND, Key::Z);
            desk.until("it is back", |window| window.query_by_role_and_label(Role::ListItem, TRACKER).is_some());
        }
    }
    drop(tracker);
}

#[test]
fn the_readme_names_keys_that_there_are() {
    let readme = include_str!("../../../README.md");
    let ctx = egui::Context::default();
    let keys: BTreeSet<String> = TABLE.iter().flat_map(|a| a.keys.iter().map(|key: &Chord| key.text(&ctx))).collect();
    let words = readme.split(|c: char| c.is_whitespace() || "(),;*`".contains(c));
    let named: Vec<_> = words.map(|w| w.trim_end_matches('.')).filter(|w| w.starts_with("Ctrl+")).collect();
    assert!(!named.is_empty());
    for name in named {
        assert!(keys.contains(name), "the README names {name}, which does nothing");
    }
}

#[test]
fn panes_take_the_keyboard_in_turn() {
    let (mut desk, tracker) = busy();
    make_ready(&mut desk);
    let focused = |desk: &Desk| {
        let node = desk.window.root().children_recursive().find(|n| n.accesskit_node().is_focused());
        node.map(|n| n.accesskit_node().label().unwrap_or_default()).unwrap_or_default()
    };
    let mut seen = Vec::new();
    for _ in 0..Pane::ALL.len() {
        desk.press(Modifiers::NONE, Key::F6);
        desk.window.run();
        seen.push(focused(&desk));
    }
    let details = format!("Details of {TRACKER}");
    let mut wanted = vec![TRACKER, "Map", &details, "Packets", "Fields", "Bytes"];
    // It goes on from where the keyboard is: the list, after the click.
    wanted.rotate_left(1);
    assert_eq!(seen, wanted);
    desk.press(Modifiers::SHIFT, Key::F6);
    desk.window.run();
    assert_eq!(focused(&desk), "Bytes");
    let field = desk.view().selection.field;
    desk.press(Modifiers::NONE, Key::ArrowRight);
    assert_ne!(desk.view().selection.field, field, "arrows go from field to field");
    drop(tracker);
}

#[test]
fn selections_are_gone_back_to() {
    let (mut desk, tracker) = busy();
    make_ready(&mut desk);
    let at = |desk: &Desk| (desk.view().selection.device, desk.view().selection.packet);
    let first = at(&desk);
    desk.press(Modifiers::NONE, Key::F8);
    let second = at(&desk);
    assert_ne!(first, second);
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).click();
    desk.window.run();
    let third = at(&desk);
    desk.press(Modifiers::ALT, Key::ArrowLeft);
    assert_eq!(at(&desk), second);
    desk.press(Modifiers::ALT, Key::ArrowLeft);
    assert_eq!(at(&desk), first);
    desk.press(Modifiers::ALT, Key::ArrowRight);
    desk.press(Modifiers::ALT, Key::ArrowRight);
    assert_eq!(at(&desk), third);
    assert!(!desk.view().ways.forward);
    drop(tracker);
}

#[test]
fn devices_are_isolated_one_after_the_other() {
    let (mut desk, tracker) = busy();
    make_ready(&mut desk);
    let isolated = |desk: &Desk| desk.view().isolated().map(|id| id.0).collect::<Vec<_>>();
    assert_eq!(isolated(&desk), [0i64; 0]);
    desk.press(Modifiers::SHIFT, Key::I);
    assert_eq!(isolated(&desk), [1]);
    // Ctrl and a click keep another, and select nothing else.
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).click_modifiers(Modifiers::COMMAND);
    desk.window.run();
    assert_eq!((isolated(&desk), desk.view().selection.device), (vec![1, 2], Some(DeviceId(1))));
    desk.press(Modifiers::NONE, Key::I);
    assert_eq!(isolated(&desk), [0i64; 0]);
    assert!(desk.view().isolate_also.is_empty());
    drop(tracker);
}

#[test]
fn layouts_arrange_the_panes() {
    let (mut desk, tracker) = busy();
    let open = |desk: &Desk| {
        let o = desk.view().open;
        (o.devices, o.map, o.details, o.dock)
    };
    for (key, wanted) in [
        (Key::Num1, (true, true, true, false)),
        (Key::Num3, (false, false, false, true)),
        (Key::Num4, (false, true, false, false)),
        (Key::Num2, (true, true, true, true)),
    ] {
        desk.press(Modifiers::COMMAND, key);
        assert_eq!(open(&desk), wanted, "{key:?}");
    }
    desk.press(Modifiers::COMMAND, Key::Num3);
    assert!(desk.window.query_by_label("Map").is_none());
    desk.press(Modifiers::COMMAND, Key::J);
    assert!(desk.window.query_by_label("Map").is_some(), "never is nothing shown");
    drop(tracker);
}

#[test]
fn a_key_that_needs_a_selection_says_so() {
    let (mut desk, _tracker) = busy();
    desk.press(Modifiers::NONE, Key::Escape);
    let selection = &desk.view().selection;
    assert!(selection.device.is_none() && selection.packet.is_none(), "{selection:?}");
    let needs = [
        (UserCommand::Linked, "select a packet first"),
        (UserCommand::PreviousOfSession, "select a packet first"),
        (UserCommand::NextOfSession, "select a packet first"),
        (UserCommand::FollowConnection, "select a packet first"),
        (UserCommand::Compare, "select a packet first"),
        (UserCommand::Mark, "select a packet first"),
        (UserCommand::Comment, "select a packet first"),
        (UserCommand::Follow, "select a device first"),
        (UserCommand::Isolate, "select a device first"),
        (UserCommand::HidePoint, "select a point of a trail first"),
    ];
    for (command, lacks) in needs {
        let about = TABLE.iter().find(|about| about.command == command).expect("it is in the table");
        let Some(chord) = about.keys.first().filter(|_| about.acts != Acts::InPane) else { panic!("{}", about.text) };
        let (modifiers, key) = chord.parts();
        desk.press(modifiers, key);
        desk.until_shown(&format!("{}: {lacks}", about.text.trim_end_matches('…')));
    }
}
