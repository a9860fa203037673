//! A file is dropped, looked at, brought in and taken back, in the whole window.

use std::fs;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use wayglass::model::Policy;

use super::{picture, post};
use crate::desk::{AT_HOME, Desk};

/// Two points that are new, one that is here, one without a time.
fn table(desk: &Desk) -> std::path::PathBuf {
    let file = desk.folder.path().join("trip.csv");
    let rows = "fix_time,latitude,longitude,identity,device\n\
        2026-11-21T13:00:00Z,51.1,4.3,owntracks/jane/phone,Jane\n\
        2026-11-21T13:00:10Z,51.2,4.4,owntracks/joe/phone,Joe\n\
        2026-11-21T14:02:27Z,51.1234,4.3912,owntracks/jane/phone,Jane\n\
        ,51.2,4.4,owntracks/joe/phone,Joe\n";
    fs::write(&file, rows).unwrap();
    file
}

fn type_path(desk: &mut Desk, path: &str) {
    desk.window.get_by_label("File to import").focus();
    desk.window.run();
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    desk.window.get_by_label("File to import").type_text(path);
    desk.window.run();
}

/// Brings the table in and closes the sheet: two devices.
fn bring_in(desk: &mut Desk) {
    let file = table(desk);
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::O);
    desk.window.run();
    type_path(desk, file.to_str().unwrap());
    desk.click("Look");
    desk.until_shown("Import 3 points");
    desk.click("Import 3 points");
    desk.until("they are here", |window| window.state().data().devices.len() == 2);
    desk.window.key_press(Key::Escape);
    desk.window.run();
}

fn pictures(desk: &mut Desk, name: &str) {
    for (size, width) in [([1440.0, 900.0], 1440), ([1024.0, 640.0], 1024)] {
        desk.window.set_size(size.into());
        for theme in [egui::Theme::Dark, egui::Theme::Light] {
            desk.window.ctx.set_theme(theme);
            desk.window.run();
            assert!(picture(&mut desk.window, &format!("import-{name}-{theme:?}-{width}.png")) > 100);
        }
    }
}

#[test]
fn a_file_is_looked_at_brought_in_and_taken_back() {
    let mut desk = Desk::open(Policy::Adopt);
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until("the phone is in the list", |window| window.state().data().tally.live == 1);
    let file = table(&desk);
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::O);
    desk.window.run();
    type_path(&mut desk, "/nowhere/at/all.gpx");
    desk.click("Look");
    desk.until("it says that it failed", |window| window.query_by_label_contains("cannot read /nowhere").is_some());
    type_path(&mut desk, file.to_str().unwrap());
    desk.click("Look");
    desk.until_shown("CSV: 3 points in 2 tracks");
    desk.window.get_by_label_contains("1 here already");
    desk.window.get_by_label("1 record cannot be used");
    desk.window.get_by_label("line 5: no time");
    pictures(&mut desk, "seen");
    desk.click("Import 2 points");
    desk.until("it says what came of it", |window| {
        window.query_by_label_contains("2 new positions imported into").is_some()
    });
    desk.until("both devices have them", |window| {
        let data = window.state().data();
        data.devices.len() == 2 && data.devices.values().map(|d| d.positions).sum::<u64>() == 3
    });
    pictures(&mut desk, "done");
    desk.click("Take trip.csv back");
    desk.until("they are gone again", |window| {
        let data = window.state().data();
        data.devices.len() == 1 && data.devices.values().map(|d| d.positions).sum::<u64>() == 1
    });
    desk.until("the sheet says so", |window| window.query_all_by_label_contains("taken back").next().is_some());
}

#[test]
fn an_import_is_undone_like_anything_else() {
    let mut desk = Desk::open(Policy::Adopt);
    bring_in(&mut desk);
    desk.until("there is something to undo", |window| window.state().view().undo.is_some());
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    desk.until("they are gone again", |window| window.state().data().devices.is_empty());
}

#[test]
fn a_device_that_is_only_known_from_a_file_is_neither_late_nor_stale() {
    let mut desk = Desk::open(Policy::Adopt);
    bring_in(&mut desk);
    desk.until_shown("2 imported");
    let tally = desk.data().tally;
    assert_eq!((tally.live, tally.late, tally.stale, tally.lost), (0, 0, 0, 0));
    // Nor is a clock behind because somebody brought its file an hour later.
    desk.window.key_press(Key::F9);
    desk.until("how it fares is known", |window| window.state().data().health.is_some());
    let clocks = desk.data().health.as_ref().map(|health| health.clocks.clone()).unwrap();
    assert_eq!((clocks.devices, clocks.behind), (0, 0));
    desk.window.key_press(Key::Escape);
    desk.window.run();
    // From now on it is one that can be late. The clock stands still: who is heard for the first time counts at once.
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until_shown("1 imported");
    desk.until_shown("1 live");
}
