//! How devices are told apart and found: columns, filter, groups, and the look that a user gives to each.

use egui::accesskit::Role;
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use serde_json::{Value, json};
use wayglass::{
    model::{DeviceIcon, DeviceId, Look, Policy, Tint},
    ui::{
        Action,
        device_list::{Column, DeviceList},
    },
};

use super::{
    support::{Station, Tracker},
    ui::stage::Stage,
};

type Shown = Harness<'static, Stage>;

fn click(harness: &mut Shown, label: &str) {
    harness.get_by_label(label).click();
    harness.run();
}

/// Names of the rows from top to bottom.
fn rows(harness: &Shown) -> Vec<String> {
    let mut rows: Vec<_> = harness
        .get_all_by_role(Role::ListItem)
        .filter_map(|node| Some((node.rect().top(), node.accesskit_node().label()?)))
        .filter(|(_, name)| !name.starts_with("New sender"))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, name)| name).collect()
}

/// Van 7 and Van 12 are vans, Van 12 works at night, too.
fn grouped() -> Stage {
    let mut stage = Stage::fleet();
    let mut give = |id: i64, groups: &[&str], icon| {
        let look = &mut stage.data.devices.get_mut(&DeviceId(id)).unwrap().device.profile.look;
        assert!(groups.iter().all(|group| look.join(group)));
        (look.icon, look.color) = (Some(icon), Tint::parse("#4c9f38"));
    };
    give(1, &["Vans"], DeviceIcon::Truck);
    give(2, &["vans", "night shift"], DeviceIcon::Car);
    stage.data.roster += 1;
    stage
}

fn as_table(mut stage: Stage, columns: &[Column]) -> Shown {
    let mut list = DeviceList { table: true, columns: Vec::new(), ..DeviceList::default() };
    for column in columns {
        list.toggle(*column);
    }
    stage.view.devices = list;
    stage.tall()
}

#[test]
fn a_column_is_sorted_by_at_a_click_and_turned_round_at_the_next() {
    let mut harness = as_table(Stage::fleet(), &[Column::Speed, Column::LastHeard]);
    click(&mut harness, "Sort by Speed");
    assert_eq!(rows(&harness)[..2], ["Van 3", "Van 7"], "the fastest first");
    click(&mut harness, "Sort by Speed");
    assert_eq!(rows(&harness).last().map(String::as_str), Some("Van 3"));
    click(&mut harness, "Sort by Last heard");
    assert_eq!(rows(&harness)[0], "Van 7");
    click(&mut harness, "Sort by Name");
    let names = rows(&harness);
    let vans: Vec<_> = names.iter().filter(|name| name.starts_with("Van")).collect();
    assert_eq!(vans, ["Van 3", "Van 7", "Van 12"]);
}

#[test]
fn columns_are_chosen_in_the_menu_and_moved() {
    let mut harness = as_table(Stage::fleet(), &[Column::Speed, Column::Battery]);
    click(&mut harness, "Columns");
    click(&mut harness, "Odometer");
    click(&mut harness, "Move Odometer left");
    click(&mut harness, "Speed");
    let order: Vec<_> = harness.state().view.devices.columns.iter().map(|shown| shown.column).collect();
    assert_eq!(order, [Column::Odometer, Column::Battery]);
    assert!(harness.query_by_label("Sort by Odometer").is_some() && harness.query_by_label("Sort by Speed").is_none());
}

#[test]
fn an_edge_is_dragged_and_what_was_chosen_outlives_the_window() {
    let mut harness = as_table(Stage::fleet(), &[Column::Speed, Column::Battery]);
    let before = harness.state().view.devices.columns[0].width;
    let edge = harness.get_by_label("Sort by Speed").rect().right_center() + egui::vec2(4.0, 0.0);
    harness.hover_at(edge);
    harness.drag_at(edge);
    harness.run();
    harness.hover_at(edge + egui::vec2(30.0, 0.0));
    harness.run();
    harness.drop_at(edge + egui::vec2(30.0, 0.0));
    harness.run();
    let list = harness.state().view.devices.clone();
    assert!((list.columns[0].width - before - 30.0).abs() < 2.0, "{} after {before}", list.columns[0].width);
    let text = serde_json::to_string(&list).unwrap();
    assert_eq!(serde_json::from_str::<DeviceList>(&text).unwrap().mended(), list);
}

#[test]
fn a_table_of_ten_thousand_builds_only_what_is_in_view() {
    let mut harness = as_table(Stage::crowd(10_000), &[Column::State, Column::LastHeard, Column::Groups]);
    assert!(harness.query_all_by_label("10,000").next().is_some());
    assert!(harness.get_all_by_role(Role::ListItem).count() < 80);
    click(&mut harness, "Sort by Last heard");
    assert_eq!(rows(&harness)[0], "860000000000001");
}

#[test]
fn how_many_are_listed_is_not_cut_in_a_narrow_window() {
    for (table, width) in [(false, 1_024.0), (true, 1_024.0), (false, 1_440.0)] {
        let mut stage = Stage::crowd(1_500);
        stage.view.devices.table = table;
        let mut harness = stage.tall();
        harness.set_size(egui::vec2(width, 640.0));
        harness.run();
        for text in ["", "860000000000001"] {
            harness.get_by_label("Filter devices").focus();
            harness.run();
            harness.event(egui::Event::Text(text.to_owned()));
            harness.run();
            let label = if text.is_empty() { "1,500" } else { "1 of 1,500" };
            // The details count them, too, at the right.
            let counts = harness.query_all_by_label(label).map(|node| node.rect());
            let count = counts.min_by(|a, b| a.left().total_cmp(&b.left())).unwrap();
            assert!(count.left() >= 0.0 && count.right() <= width, "{count}");
            let others = [Role::Button, Role::ComboBox, Role::TextInput].map(|role| {
                let near = harness.query_all_by_role(role).map(|node| node.rect());
                near.filter(|rect| rect.shrink(1.0).intersects(count)).count()
            });
            assert_eq!(others, [0; 3], "{label} in {width}, table: {table}");
        }
    }
}

#[test]
fn the_filter_finds_groups_and_notes() {
    for (text, count) in [
        ("group:vans", "2 of 8"),
        ("group:van \"van 12\"", "1 of 8"),
        ("group:\"night shift\"", "1 of 8"),
        ("night", "1 of 8"),
        ("group:boats", "0 of 8"),
        ("winter tyres", "1 of 8"),
    ] {
        let mut stage = grouped();
        stage.data.devices.get_mut(&DeviceId(3)).unwrap().device.profile.look.notes = "Has winter\ntyres".to_owned();
        let mut harness = stage.shown();
        harness.get_by_label("Filter devices").focus();
        harness.run();
        harness.get_by_label("Filter devices").type_text(text);
        harness.run();
        assert!(harness.query_by_label(count).is_some(), "{text}: not {count}");
    }
}

#[test]
fn a_group_is_hidden_on_the_map_and_the_list_says_so() {
    let mut harness = grouped().shown();
    let on_map = |harness: &Shown, name: &str| harness.query_by_label(&format!("{name} on the map")).is_some();
    assert!(on_map(&harness, "Van 7") && on_map(&harness, "Van 3"));
    click(&mut harness, "Groups");
    click(&mut harness, "Vans on the map");
    harness.key_press(egui::Key::Escape);
    harness.run();
    assert!(!on_map(&harness, "Van 7") && !on_map(&harness, "Van 12") && on_map(&harness, "Van 3"));
    harness.get_by_label("Not on the map: vans");
    click(&mut harness, "Show");
    assert!(on_map(&harness, "Van 7"));
}

#[test]
fn only_what_the_map_shows_is_listed_where_that_is_wanted() {
    let mut stage = grouped();
    // Far away from all the others.
    let far = stage.data.devices.get_mut(&DeviceId(3)).unwrap();
    far.last_fix.as_mut().unwrap().fix.place = wayglass::geo::LatLon::new(-33.9, 151.2).unwrap();
    stage.view.only_in_view = true;
    let mut harness = stage.tall();
    harness.run();
    // All are kept in view until somebody looks nearer: then at what is between them, which is nobody.
    assert!(rows(&harness).contains(&"Van 3".to_owned()) && rows(&harness).contains(&"Van 7".to_owned()));
    for _ in 0..6 {
        click(&mut harness, "Zoom in");
    }
    assert_eq!(rows(&harness), [""; 0]);
    harness.get_by_label("No such device is in view.");
    assert!(harness.query_by_label("Only devices in view").is_some());
    harness.state_mut().view.only_in_view = false;
    harness.run();
    assert!(rows(&harness).contains(&"Van 3".to_owned()));
}

#[test]
fn colour_icon_groups_and_notes_are_given_in_the_details() {
    let mut stage = grouped();
    stage.select(2);
    let mut harness = stage.tall();
    click(&mut harness, "Change look and groups");
    let look = |harness: &mut Shown, label: &str| {
        harness.state_mut().asked.clear();
        click(harness, label);
        match harness.state().asked.as_slice() {
            [Action::SetLook(DeviceId(2), look)] => look.clone(),
            other => panic!("{label} asked for {other:?}"),
        }
    };
    assert_eq!(look(&mut harness, "Boat").icon, Some(DeviceIcon::Boat));
    assert_eq!(look(&mut harness, "No colour").color, None);
    assert_eq!(look(&mut harness, "Violet").color, Tint::parse("#6a5acd"));
    assert_eq!(look(&mut harness, "Leave vans").groups, ["night shift"]);
    harness.get_by_label("Add to a group").focus();
    harness.run();
    harness.get_by_label("Add to a group").type_text("Hired  ones");
    harness.run();
    assert_eq!(look(&mut harness, "Add").groups, ["vans", "night shift", "Hired ones"]);
    harness.get_by_label("Notes on the device").focus();
    harness.run();
    harness.get_by_label("Notes on the device").type_text("Key under the mat");
    harness.run();
    assert_eq!(look(&mut harness, "Done with look and groups").notes, "Key under the mat");
}

#[test]
fn what_was_given_is_stored_costs_no_history_and_is_told_to_scripts() {
    const IMEI: &str = "123456789012345";
    let station = Station::start(Policy::Adopt);
    let mut line = Tracker::connect(station.gt06);
    line.send("78780D01012345678901234500018CDD0D0A");
    line.expect("787805010001d9dc0d0a");
    let device = station.backend().devices().wait().unwrap().remove(0).device;
    assert_eq!(device.identity.as_str(), IMEI);

    let mut look = Look { color: Tint::parse("#2f7dd1"), icon: Some(DeviceIcon::Trailer), ..Look::default() };
    assert!(look.join("Vans") && look.join("night shift"));
    look.notes = "Two keys".to_owned();
    let done = station.backend().set_look(device.id, look.clone()).wait().unwrap();
    assert_eq!(done.packets, 0, "no packet means anything else now");
    let stored = station.backend().devices().wait().unwrap().remove(0).device;
    assert_eq!(stored.profile.look, look);

    let out = std::process::Command::new(env!("CARGO_BIN_EXE_wayglass"))
        .args(["devices", "--json", "--data-dir"])
        .arg(station.folder.path())
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&out.stdout).unwrap();
    let one = &told[0];
    assert_eq!((&one["identity"], &one["groups"]), (&json!(IMEI), &json!(["Vans", "night shift"])));
    assert_eq!(
        (&one["color"], &one["icon"], &one["notes"]),
        (&json!("#2f7dd1"), &json!("trailer"), &json!("Two keys"))
    );
    assert_eq!(one["state"], json!("adopted"), "what was promised stays");
}
