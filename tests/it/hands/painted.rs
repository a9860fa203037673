//! What is painted by hand says to a screen reader what it shows: rows, lamps, bytes, swatches, the time bar; and every sheet that the test of
//! names leaves out.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::{model::Policy, ui::view::Sheet};

use crate::desk::{AT_HOME, Desk, TRACKER};
use crate::support::post;

const PHONE: &str = "owntracks/jane/phone";

/// Every node: its role, what it is called, what it says, whether it is chosen.
fn said(desk: &Desk) -> Vec<(Role, String, String, Option<bool>)> {
    let nodes = desk.window.root().children_recursive();
    nodes
        .map(|node| {
            let node = node.accesskit_node();
            let (name, value) = (node.label().unwrap_or_default(), node.value().unwrap_or_default());
            let toggled = node.toggled().map(|is| is == egui::accesskit::Toggled::True);
            (node.role(), name, value, node.is_selected().or(toggled))
        })
        .collect()
}

#[track_caller]
fn says(desk: &Desk, role: Role, words: &[&str]) {
    let all = said(desk);
    let found = all.iter().any(|(is, name, value, _)| {
        let text = format!("{name} {value}");
        *is == role && words.iter().all(|word| text.contains(word))
    });
    let alike: Vec<_> = all.iter().filter(|(is, ..)| *is == role).collect();
    assert!(found, "no {role:?} says {words:?}: {alike:?}");
}

fn busy() -> (Desk, crate::support::Tracker) {
    let mut desk = Desk::open(Policy::Adopt);
    let tracker = desk.log_in();
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    for who in [TRACKER, PHONE] {
        desk.until(who, |window| window.query_by_role_and_label(Role::ListItem, who).is_some());
    }
    (desk, tracker)
}

#[test]
fn rows_lamps_bytes_and_the_time_bar_say_what_they_show() {
    let (mut desk, tracker) = busy();
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).click();
    desk.window.run();
    // Both lamps and the state, in words.
    says(&desk, Role::ListItem, &[PHONE, "Heard", "Fix"]);
    says(&desk, Role::ListItem, &[TRACKER, "Connected", "No position yet"]);
    says(&desk, Role::Slider, &["Time bar, 2026-11-21 14:02:31 UTC"]);
    says(&desk, Role::ListBoxOption, &["location", "ok"]);
    desk.press(Modifiers::NONE, Key::F7);
    desk.until("a packet is open", |window| window.state().data().opened.is_some());
    says(&desk, Role::Cell, &["text at 0: Body"]);
    says(&desk, Role::TreeItem, &[]);
    says(&desk, Role::Button, &[&format!("{PHONE} on the map")]);
    let of_tracker = |desk: &Desk| {
        let opened = desk.window.state().data().opened.as_ref();
        opened.is_some_and(|opened| opened.row.protocol == wayglass::model::Protocol::Gt06)
    };
    for _ in 0..8 {
        if of_tracker(&desk) {
            break;
        }
        desk.press(Modifiers::NONE, Key::F7);
        desk.until("a packet is open", |window| window.state().data().opened.is_some());
    }
    says(&desk, Role::Cell, &["byte 0: 78, Start"]);
    drop(tracker);
}

#[test]
fn swatches_have_the_names_of_colours_and_say_which_is_chosen() {
    let (mut desk, tracker) = busy();
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).click();
    desk.window.run();
    desk.window.get_by_label("Change look and groups").click_accesskit();
    desk.window.run();
    let chosen = |desk: &Desk, name: &str| {
        said(desk).into_iter().find(|(role, is, ..)| *role == Role::RadioButton && is == name).map(|found| found.3)
    };
    assert_eq!(chosen(&desk, "No colour"), Some(Some(true)));
    assert_eq!(chosen(&desk, "Truck"), Some(Some(false)));
    desk.window.get_by_label("Truck").click_accesskit();
    desk.window.run();
    desk.until("it is a truck", |window| {
        window.state().data().devices.values().any(|d| d.device.profile.look.icon.is_some())
    });
    assert_eq!(chosen(&desk, "Truck"), Some(Some(true)));
    drop(tracker);
}

#[test]
fn looks_are_taken_back_and_done_again() {
    let (mut desk, tracker) = busy();
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).click();
    desk.window.run();
    desk.window.get_by_label("Change look and groups").click_accesskit();
    desk.window.run();
    let look = |desk: &Desk| {
        let devices = &desk.window.state().data().devices;
        devices.values().find(|d| d.device.identity.as_str() == PHONE).expect("the phone").device.profile.look.clone()
    };
    desk.window.get_by_label("Truck").click_accesskit();
    desk.window.run();
    desk.until("it is a truck", |window| {
        window.state().data().devices.values().any(|d| d.device.profile.look.icon.is_some())
    });
    desk.window.get_by_label("Notes on the device").focus();
    desk.window.run();
    desk.type_text("Spare tyre");
    // Elsewhere, so that what was typed is kept.
    desk.window.get_by_label("Add to a group").focus();
    desk.window.run();
    desk.until("its notes are kept", |window| {
        window.state().data().devices.values().any(|d| d.device.profile.look.notes == "Spare tyre")
    });
    let full = look(&desk);
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).focus();
    desk.window.run();
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.until("its notes are gone", |window| {
        window.state().data().devices.values().all(|d| d.device.profile.look.notes.is_empty())
    });
    says(&desk, Role::MultilineTextInput, &["Notes on the device"]);
    assert!(said(&desk).iter().all(|(_, _, value, _)| value != "Spare tyre"), "the editor still shows them");
    assert!(look(&desk).icon.is_some(), "that is a step of its own");
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.until("it is as it was", |window| {
        window.state().data().devices.values().all(|d| d.device.profile.look.is_plain())
    });
    for _ in 0..2 {
        desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
        desk.window.run();
    }
    desk.until("it is all there again", |window| {
        window.state().data().devices.values().any(|d| d.device.profile.look == full)
    });
    drop(tracker);
}

#[test]
fn neither_space_nor_f6_takes_the_keyboard_from_where_it_is() {
    let (mut desk, tracker) = busy();
    let focused = |desk: &Desk| {
        let node = desk.window.root().children_recursive().find(|n| n.accesskit_node().is_focused());
        node.and_then(|n| n.accesskit_node().label()).unwrap_or_default()
    };
    // A row of devices, by a click.
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).click();
    desk.window.run();
    for _ in 0..4 {
        desk.press(Modifiers::NONE, Key::Space);
        assert_eq!(focused(&desk), PHONE, "space plays, and the keyboard stays");
    }
    // A button that has it is pressed, and keeps it.
    desk.window.get_by_label("Problems").focus();
    desk.window.run();
    let (name, playing) = (focused(&desk), desk.view().time.playing);
    desk.press(Modifiers::NONE, Key::Space);
    assert_eq!((focused(&desk), desk.view().time.playing), (name, playing));
    desk.press(Modifiers::NONE, Key::Space);
    // Once around is where it began, from a list that a click left the keyboard in.
    desk.window.get_by_role_and_label(Role::ListItem, PHONE).click();
    desk.window.run();
    let panes = |desk: &mut Desk, modifiers| {
        let mut seen = Vec::new();
        while seen.len() < 8 && (seen.is_empty() || seen.last().is_some_and(|name| name != PHONE)) {
            desk.press(modifiers, Key::F6);
            desk.window.run();
            seen.push(focused(desk));
            assert!(!seen.last().unwrap().is_empty(), "the keyboard is nowhere after {seen:?}");
        }
        seen
    };
    let on = panes(&mut desk, Modifiers::NONE);
    let mut back = panes(&mut desk, Modifiers::SHIFT);
    back.pop();
    back.reverse();
    assert_eq!(on[..on.len() - 1], back[..]);
    // While something is being typed it goes from pane to pane all the same, and space is a letter.
    desk.press(Modifiers::NONE, Key::Slash);
    let playing = desk.view().time.playing;
    desk.type_text("ja ne");
    assert_eq!(desk.view().time.playing, playing);
    drop(tracker);
}

fn key(key: Key, modifiers: Modifiers) -> egui::Event {
    egui::Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
}

#[test]
fn what_is_typed_faster_than_the_palette_opens_is_its_text() {
    let (mut desk, tracker) = busy();
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    desk.window.step();
    // One frame brings it all, as on a slow machine.
    let enter = key(Key::Enter, Modifiers::NONE);
    desk.window.input_mut().events.extend([egui::Event::Text("light theme".to_owned()), enter]);
    desk.window.run_ok();
    assert_eq!(desk.view().settings.theme, wayglass::ui::view::ThemeChoice::Light);
    assert_eq!(desk.view().open.sheet, None);
    drop(tracker);
}

#[test]
fn keys_of_one_frame_are_carried_out_in_their_order() {
    let (mut desk, tracker) = busy();
    let escape = || key(Key::Escape, Modifiers::NONE);
    let settings = || key(Key::F10, Modifiers::NONE);
    let palette = || key(Key::K, Modifiers::COMMAND);
    for (pressed, open) in [
        ([escape(), settings()], Some(Sheet::Settings)),
        ([settings(), escape()], None),
        ([escape(), palette()], Some(Sheet::Palette)),
        ([palette(), escape()], None),
    ] {
        desk.window.input_mut().events.extend(pressed);
        desk.window.run_ok();
        assert_eq!(desk.view().open.sheet, open);
        desk.press(Modifiers::NONE, Key::Escape);
        assert_eq!(desk.view().open.sheet, None);
    }
    drop(tracker);
}
