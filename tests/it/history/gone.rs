//! What is looked at goes meanwhile.

use std::fs;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use super::desk::{Desk, day};

#[test]
fn a_point_whose_import_is_undone_gives_way_to_the_last_one_before_the_instant() {
    let mut desk = Desk::open();
    desk.tell("van", "2026-11-20", &day());
    let has = |n| {
        move |window: &egui_kittest::Harness<'static, wayglass::ui::App>| {
            window.state().data().devices.values().any(|d| d.positions == n)
        }
    };
    desk.until("the van is known", has(51));
    let file = desk.folder.path().join("far.csv");
    let rows = "fix_time,latitude,longitude,identity\n2026-11-20T10:30:00Z,60.0,4.0,owntracks/van/phone\n";
    fs::write(&file, rows).unwrap();
    desk.press(Modifiers::COMMAND, Key::O);
    desk.window.get_by_label("File to import").focus();
    desk.window.run_steps(2);
    desk.type_text(file.to_str().unwrap());
    desk.click("Look");
    desk.until_shown("Import 1 point");
    desk.click("Import 1 point");
    desk.until("it is here", has(52));
    desk.press(Modifiers::NONE, Key::Escape);

    desk.press(Modifiers::NONE, Key::OpenBracket);
    desk.until("the day is read", |window| {
        let history = &window.state().data().history;
        history.shown.values().any(|shown| shown.past.points.len() == 52)
    });
    desk.press(Modifiers::NONE, Key::O);
    let selected = desk.view().selection.fix.expect("a point that nothing could have reached");
    desk.until("it is read", |window| {
        window.state().data().history.as_of.as_ref().is_some_and(|fix| fix.id == selected)
    });
    assert_eq!(desk.instant(), "2026-11-20 10:30:00");

    desk.press(Modifiers::COMMAND, Key::Z);
    desk.until("it is gone", has(51));
    desk.until_shown("As of Nov 20 09:55");
    let last = desk.data().history.as_of.as_ref().map(|fix| fix.id);
    for _ in 0..40 {
        desk.window.step();
        assert_eq!(desk.data().history.as_of.as_ref().map(|fix| fix.id), last, "nothing is asked again and again");
    }
}
