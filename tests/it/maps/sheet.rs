//! The sheet of maps through the whole application: opened, listed, chosen, dropped, remembered, removed.

use std::{path::Path, sync::Arc};

use eframe::App as _;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use wayglass::{model::Policy, ui::charts::State};

use super::{BRUSSELS, layers_json, mbtiles, picture, pmtiles, town, vector_tiles};
use crate::desk::{Desk, Dropped, Kept, Plan};

#[test]
fn files_that_the_command_line_names_are_opened() {
    let dir = tempfile::tempdir().unwrap();
    let (map, track) = (dir.path().join("town.mbtiles"), dir.path().join("walk.gpx"));
    mbtiles(&map, &[("name", "Town"), ("format", "png")], &[(BRUSSELS, picture([200, 30, 30], 256))]);
    std::fs::write(&track, "<gpx/>").unwrap();
    let mut desk = Desk::of(Plan { files: vec![map.clone(), track], ..Plan::default() });
    desk.until("the map is shown", |window| window.state().view().charts.shown.as_ref() == Some(&map));
    assert_eq!(desk.window.state().view().open.sheet, Some(wayglass::ui::view::Sheet::Import));
}

fn open(desk: &mut Desk, path: &Path) {
    write(desk, path);
    desk.click("Open");
}

fn write(desk: &mut Desk, path: &Path) {
    desk.window.get_by_label("Map file").focus();
    desk.window.run();
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    desk.window.run();
    desk.window.get_by_label("Map file").type_text(&path.display().to_string());
    desk.window.run();
}

#[test]
fn map_files_are_opened_chosen_remembered_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (red, town_map, track) =
        (dir.path().join("red.mbtiles"), dir.path().join("town.pmtiles"), dir.path().join("track.gpx"));
    let metadata = [("name", "All red"), ("format", "png"), ("attribution", "Red & Co")];
    mbtiles(&red, &metadata, &[(BRUSSELS, picture([210, 20, 20], 256))]);
    let layers = town("openmaptiles");
    pmtiles(&town_map, 1, 2, &layers_json(&layers), &vector_tiles(&layers));
    std::fs::write(&track, "<gpx/>").unwrap();

    let mut desk = Desk::open(Policy::Ask);
    desk.press(Modifiers::COMMAND, Key::M);
    assert!(desk.window.query_all_by_label("Built-in map only").next().is_some());
    open(&mut desk, &red);
    desk.until_shown("All red");
    assert_eq!(desk.view().charts.shown.as_deref(), Some(red.as_path()));
    assert!(desk.window.query_by_label_contains("MBTiles, pictures · zooms 6 to 6").is_some());

    // One line for what is no map; what was shown stays.
    open(&mut desk, &track);
    desk.until("a refusal", |window| window.query_all_by_label_contains("neither a PMTiles archive").next().is_some());
    assert_eq!(desk.view().charts.known, [red.as_path()]);
    assert_eq!(desk.view().charts.shown.as_deref(), Some(red.as_path()));

    open(&mut desk, &town_map);
    desk.until_shown("Look at town");
    assert_eq!(desk.view().charts.shown.as_deref(), Some(town_map.as_path()));
    assert_eq!(desk.view().charts.known.len(), 2);

    let mut drawer = Kept::default();
    desk.window.state_mut().save(&mut drawer);
    let kept = &drawer.0["wayglass"];
    assert!(kept.contains("red.mbtiles") && kept.contains("town.pmtiles"), "{kept}");

    desk.window.get_all_by_label("Built-in map only").next().unwrap().click();
    desk.window.run();
    assert_eq!(desk.view().charts.shown, None);
    desk.click("Remove All red from this list");
    assert_eq!(desk.view().charts.known, [town_map.as_path()]);
    assert!(red.exists(), "the file stays");
}

#[test]
fn a_file_that_is_gone_says_so_and_comes_back_when_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("red.mbtiles");
    mbtiles(&path, &[("name", "All red"), ("format", "png")], &[(BRUSSELS, picture([210, 20, 20], 64))]);
    let mut desk = Desk::open(Policy::Ask);
    desk.press(Modifiers::COMMAND, Key::M);
    open(&mut desk, &path);
    desk.until_shown("All red");
    desk.window.get_all_by_label("Built-in map only").next().unwrap().click();
    desk.window.run();
    let aside = dir.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    open(&mut desk, &path);
    desk.until("a refusal", |window| window.query_all_by_label_contains("the file is not there").next().is_some());
    let failed = |desk: &Desk| matches!(desk.window.state().data().charts.get(&path), Some(State::Failed(_)));
    assert!(failed(&desk));
    std::fs::rename(&aside, &path).unwrap();
    // By the keyboard alone.
    write(&mut desk, &path);
    desk.press(Modifiers::NONE, Key::Enter);
    desk.until_shown("All red");
    assert!(!failed(&desk));
    assert_eq!(desk.view().charts.shown.as_deref(), Some(path.as_path()));
}

#[test]
fn a_map_whose_layers_nobody_knows_says_that_it_is_drawn_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.pmtiles");
    // The built-in map's own layers, one of which has a name that others use, too.
    std::fs::copy("assets/basemap.pmtiles", &path).unwrap();
    let mut desk = Desk::open(Policy::Ask);
    desk.press(Modifiers::COMMAND, Key::M);
    open(&mut desk, &path);
    desk.until("the toast", |window| {
        window.query_all_by_label_contains("plainly: its layers are not known").next().is_some()
    });
    desk.until("the sheet", |window| {
        window.query_all_by_label_contains("Drawn plainly: its layers are none of").next().is_some()
    });
    assert!(desk.window.query_by_label_contains("river").is_some());
}

#[test]
fn a_map_file_that_is_dropped_is_opened_and_others_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("red.mbtiles");
    mbtiles(&path, &[("name", "All red"), ("format", "png")], &[(BRUSSELS, picture([210, 20, 20], 64))]);
    let mut desk = Desk::open(Policy::Ask);
    for name in [dir.path().join("track.gpx"), path.clone()] {
        desk.window.input_mut().dropped_files.push(Arc::new(Dropped(name)));
        desk.window.step();
    }
    desk.until("the map is shown", |window| window.state().view().charts.shown.is_some());
    assert_eq!(desk.view().charts.known, [path]);
}
