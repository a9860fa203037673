//! The data inspector: what bytes could be, by a table; and in the window, by dragging, by keys and by field.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::wire::inspect::{Reading, inspect};

use super::filter::{busy, filter_by, rows};
use crate::{desk::Desk, support::bytes};

fn said(value: &Result<String, String>) -> String {
    match value {
        Ok(value) => value.clone(),
        Err(why) => format!("!{why}"),
    }
}

#[test]
fn bytes_are_what_the_table_says() {
    let mut wrong = Vec::new();
    let table = include_str!("../../fixtures/inspect.txt");
    let lines: Vec<_> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() > 40, "{}", lines.len());
    for line in lines {
        let [hex, name, big, little] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("four columns: {line}")
        };
        let told = inspect(&bytes(hex));
        let Some(Reading { big: now, little: turned, .. }) = told.iter().find(|reading| reading.name == name) else {
            panic!("no reading is called {name} of {hex}")
        };
        let turned = turned.as_ref().map(said);
        if said(now) != big || !little.is_empty() && turned.as_deref() != Some(little) {
            wrong.push(format!("{line}: {} and {turned:?}", said(now)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn whatever_the_bytes_each_reading_stands_in_its_place() {
    let places = |bytes: &[u8]| inspect(bytes).len();
    for len in [0, 1, 4, 8, 9, 64, 65, 5_000] {
        for fill in [0, 0x7F, 0x80, 0xFF] {
            assert_eq!(places(&vec![fill; len]), places(b"x"), "{len} bytes of {fill}");
        }
    }
}

/// The alarm of a busy desk, opened.
fn opened() -> Desk {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "kind == alarm");
    desk.until("the alarm is left", |window| window.query_by_label_contains("1 of ").is_some());
    let alarm = rows(&desk).pop().unwrap();
    desk.click(&alarm);
    desk.until("it is open", |window| window.state().data().opened.is_some());
    desk
}

fn byte(desk: &Desk, offset: usize) -> egui::Rect {
    desk.window.get_by_label_contains(&format!("byte {offset}: ")).rect()
}

#[test]
fn bytes_are_selected_by_dragging_and_by_keys_and_each_reading_is_copied() {
    let mut desk = opened();
    // The latitude: 02 7a c8 18 at 11.
    let (from, to) = (byte(&desk, 11).center(), byte(&desk, 14).center());
    desk.window.drag_at(from);
    desk.window.run();
    desk.window.hover_at(to);
    desk.window.run();
    desk.window.drop_at(to);
    desk.window.run();
    let selected = |desk: &Desk| desk.view().selection.bytes.map(wayglass::ui::view::ByteRun::span);
    assert_eq!(selected(&desk), Some(11..15));
    desk.until_shown("4 bytes at 11..15");
    desk.until_shown("/1 800 000 BE: 23.111693°");
    desk.window.get_by_label("u32 BE: 41601048").click();
    desk.window.step();
    assert_eq!(super::copied(&desk).as_deref(), Some("41601048"));
    desk.window.run();
    // Fewer by a key: what needs four bytes says so, and stands back.
    desk.window.get_by_role_and_label(Role::Region, "Bytes").focus();
    desk.window.run();
    desk.press(Modifiers::SHIFT, Key::ArrowLeft);
    desk.press(Modifiers::SHIFT, Key::ArrowLeft);
    assert_eq!(selected(&desk), Some(11..13));
    desk.until_shown("u16 BE: 634");
    let why = desk.window.query_all_by_label_contains(": needs 4").next();
    assert!(why.is_some(), "what does not fit says why");
    // What is selected is what is copied.
    desk.window.event(egui::Event::Copy);
    desk.window.step();
    assert_eq!(super::copied(&desk).as_deref(), Some("027a"));
    desk.window.run();
    desk.press(Modifiers::NONE, Key::Escape);
    assert_eq!((selected(&desk), desk.view().selection.packet.is_some()), (None, true), "the packet stays open");
}

#[test]
fn a_field_is_inspected_too_once_that_is_wanted() {
    let mut desk = opened();
    let date = desk.window.get_all_by_role(Role::TreeItem).filter_map(|node| node.accesskit_node().label());
    let date = date.into_iter().find(|label| label.starts_with("Date")).expect("an alarm has a date");
    desk.click(&date);
    assert!(desk.window.query_by_label_contains("GT06 date").is_none(), "not before it was asked for");
    desk.click("Data inspector");
    desk.until_shown("GT06 date: 2015-12-29 03:11:38");
}
