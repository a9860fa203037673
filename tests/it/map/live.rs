//! The live view: colours and their legend, spots that open, isolating, measuring, the map's own menu.

use super::*;
use wayglass::ui::map::style::{Colour, Labels, Style, TrailLength};

/// Van 1 with a trail to the north: eleven points a minute apart, 0 to 50 km/h, one of them without satellites.
fn driving() -> Data {
    let mut data = two_vans();
    let fixes = (0..=10i64).map(|n| {
        let mut fix = fix(1, n, 10 + (10 - n) * 60, 51.2 + (10 - n) as f64 * 0.02, 4.4);
        fix.fix.speed_kmh = Some(n as f64 * 5.0);
        fix.fix.valid = n != 3;
        fix
    });
    data.trails.insert(DeviceId(1), Trail::from_fixes(fixes.collect()));
    data
}

fn looking_at(data: Data, lat: f64, zoom: f64) -> Stage {
    let mut stage = Stage::new(data);
    stage.options.camera = Some(Camera { center: LatLon::new(lat, 4.4).unwrap(), zoom });
    stage
}

/// Every text that the last frame drew.
fn texts(h: &Harness<'_, Stage>) -> Vec<String> {
    fn add(shape: &egui::Shape, found: &mut Vec<String>) {
        match shape {
            egui::Shape::Text(text) => found.push(text.galley.text().to_owned()),
            egui::Shape::Vec(shapes) => shapes.iter().for_each(|s| add(s, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    h.output().shapes.iter().for_each(|s| add(&s.shape, &mut found));
    found
}

#[test]
fn a_legend_stands_wherever_colour_carries_a_number() {
    let mut h = looking_at(driving(), 51.3, 10.0).harness();
    h.run();
    let legends = |h: &Harness<'_, Stage>| h.query_all_by_label_contains("coloured by").count();
    assert_eq!(legends(&h), 0, "states need none");
    h.state_mut().view.selection.device = Some(DeviceId(1));
    h.run();
    h.get_by_label("Trails are coloured by speed, from 0 km/h to 60 km/h");
    let map = |h: &mut Harness<'_, Stage>, change: fn(&mut Style)| {
        change(&mut h.state_mut().view.settings.map);
        h.run();
    };
    map(&mut h, |map| map.colour = Colour::State);
    assert_eq!(legends(&h), 0);
    map(&mut h, |map| map.colour = Colour::Age);
    h.get_by_label("Trails are coloured by age, from 10 min to now");
    map(&mut h, |map| map.colour = Colour::Altitude);
    h.get_by_label("Altitude is told by no trail in view");
    map(&mut h, |map| map.trail = TrailLength::Off);
    assert_eq!(legends(&h), 0, "no trail, no legend");
}

#[test]
fn only_the_chosen_part_of_a_trail_can_be_clicked() {
    let mut stage = looking_at(driving(), 51.3, 10.0);
    stage.view.settings.map.trail = TrailLength::Minutes15;
    let mut h = stage.harness();
    h.run();
    click(&mut h, pos2(400.0, 300.0));
    assert_eq!(h.state().actions, [Action::SelectFix { device: DeviceId(1), fix: 5, packet: PacketId(5) }]);
    h.state_mut().actions.clear();
    h.state_mut().view.settings.map.trail = TrailLength::Off;
    h.run();
    click(&mut h, pos2(400.0, 300.0));
    assert_eq!(h.state().actions, []);
}

#[test]
fn labels_say_as_much_as_is_wanted() {
    let mut data = driving();
    data.devices.get_mut(&DeviceId(1)).unwrap().last_fix.as_mut().unwrap().fix.speed_kmh = Some(42.0);
    let mut h = looking_at(data, 51.2, 10.0).harness();
    h.run();
    for (level, text) in
        [(Labels::Name, "Van 1"), (Labels::Speed, "Van 142 km/h"), (Labels::Full, "Van 1\n42 km/h · 10 s ago")]
    {
        h.state_mut().view.settings.map.labels = level;
        h.run();
        assert!(texts(&h).contains(&text.to_owned()), "{level:?}: {:?}", texts(&h));
    }
    h.state_mut().view.settings.map.labels = Labels::Off;
    h.run();
    assert!(!texts(&h).iter().any(|t| t.starts_with("Van")), "{:?}", texts(&h));
}

/// So many vans on one spot.
fn crowd(n: i64) -> Data {
    let mut data = Data::default();
    for id in 1..=n {
        data.devices.insert(DeviceId(id), overview(fix(id, id, 10, 51.2, 4.4), &format!("Van {id}")));
    }
    data
}

#[test]
fn a_heap_that_looking_nearer_cannot_open_is_spread() {
    let mut h = looking_at(crowd(8), 51.2, 11.0).harness();
    h.run();
    assert!(h.query_by_label("Van 3 on the map").is_none());
    click(&mut h, pos2(400.0, 300.0));
    let places: Vec<_> = (1..=8).map(|n| h.get_by_label(&format!("Van {n} on the map")).rect()).collect();
    for (n, a) in places.iter().enumerate() {
        assert!(places[..n].iter().all(|b| !a.intersects(*b)), "{a:?}");
    }
    let third = places[2].center();
    click(&mut h, third);
    assert_eq!(h.state().actions, [Action::SelectDevice(Some(DeviceId(3)))]);
    // A click beside them, or the escape key, puts them back.
    assert!(h.state_mut().map().escape());
    h.run();
    assert!(h.query_by_label("Van 3 on the map").is_none());
    assert!(!h.state_mut().map().escape());
}

#[test]
fn the_edge_of_a_heap_is_no_trail_below_it() {
    let mut data = crowd(8);
    let east = |n: i64| fix(3, 100 + n, 600 - n * 10, 51.2, 4.4 + f64::from(i32::try_from(n).unwrap()) * 1e-3);
    data.trails.insert(DeviceId(3), Trail::from_fixes((0..30).map(east).collect()));
    let mut h = looking_at(data, 51.2, 11.0).harness();
    h.run();
    click(&mut h, pos2(415.0, 300.0));
    assert_eq!(h.state().actions, []);
    h.get_by_label("Van 3 on the map");
}

/// Where the map looks, before and after the window becomes lower, as above a panel that opens.
fn looks_before_and_after_lowering(h: &mut Harness<'_, Stage>) -> [Camera; 2] {
    let before = h.state_mut().map().camera();
    h.set_size(vec2(800.0, 330.0));
    h.run();
    [before, h.state_mut().map().camera()]
}

#[test]
fn a_map_that_was_clicked_on_stays_where_it_is() {
    // Untouched, it keeps all devices in view.
    let mut h = Stage::new(two_vans()).harness();
    h.run();
    let [before, after] = looks_before_and_after_lowering(&mut h);
    assert_ne!(before, after);
    for label in ["Van 1 on the map", "2 devices in view, 0 of them in 0 groups"] {
        let mut h = Stage::new(two_vans()).harness();
        h.run();
        // A device, or the map between them.
        let at = h.query_by_label(label).map_or(pos2(400.0, 300.0), |marker| marker.rect().center());
        click(&mut h, at);
        let [before, after] = looks_before_and_after_lowering(&mut h);
        assert_eq!(before, after, "{label}");
    }
}

#[test]
fn a_heap_that_was_opened_stays_open_on_a_map_that_nobody_has_moved() {
    let mut data = Data::default();
    for id in 1..=40 {
        let near = if id > 20 { 4.4 } else { 14.4 };
        let place = fix(id, id, 10, 51.2, near + id as f64 * 0.02);
        data.devices.insert(DeviceId(id), overview(place, &format!("Van {id}")));
    }
    let mut h = Stage::new(data).harness();
    h.run();
    let before = h.state_mut().map().camera();
    let heap = h.get_all_by_label("20 devices close together").next().unwrap().rect().center();
    click(&mut h, heap);
    h.run();
    let after = h.state_mut().map().camera();
    assert!(after.zoom > before.zoom + 1.0, "{before:?} to {after:?}");
}

#[test]
fn names_keep_clear_of_the_selected_trail() {
    let mut h = looking_at(driving(), 51.3, 10.0).harness();
    h.run();
    let place = |h: &Harness<'_, Stage>, name: &str| {
        let shapes = h.output().shapes.iter();
        let mut found = shapes.filter_map(|s| match &s.shape {
            egui::Shape::Text(text) if text.galley.text().starts_with(name) => Some(text.visual_bounding_rect()),
            _ => None,
        });
        found.next_back().unwrap()
    };
    let beside = place(&h, "Van 1");
    // East, below the name.
    let east = |n: i64| fix(1, 100 + n, 600 - n * 10, 51.2, 4.4 + 0.01 * n as f64);
    h.state_mut().data.trails.insert(DeviceId(1), Trail::from_fixes((0..30).rev().map(east).collect()));
    h.state_mut().view.selection.device = Some(DeviceId(1));
    h.run();
    let now = place(&h, "Van 1");
    assert!(beside.left() > now.right() || (beside.center().y - now.center().y).abs() > 8.0, "{beside:?} to {now:?}");
}

#[test]
fn markers_that_hide_each_other_are_spread_and_then_chosen() {
    let mut h = looking_at(crowd(3), 51.2, 17.0).harness();
    h.run();
    click(&mut h, pos2(400.0, 300.0));
    assert_eq!(h.state().actions, []);
    let second = h.get_by_label("Van 2 on the map").rect().center();
    assert!(second.distance(pos2(400.0, 300.0)) > 20.0);
    click(&mut h, second);
    assert_eq!(h.state().actions, [Action::SelectDevice(Some(DeviceId(2)))]);
    // A screen reader means the one that it names.
    h.state_mut().actions.clear();
    h.state_mut().map().escape();
    h.run();
    h.get_by_label("Van 1 on the map").click_accesskit();
    h.run();
    assert_eq!(h.state().actions, [Action::SelectDevice(Some(DeviceId(1)))]);
}

#[test]
fn isolating_leaves_one_device_and_says_so() {
    let mut stage = looking_at(driving(), 51.0, 8.0);
    stage.view.isolate = true;
    let mut h = stage.harness();
    h.run();
    h.get_by_label("Van 1 on the map");
    h.get_by_label("Van 2 on the map");
    h.state_mut().view.selection.device = Some(DeviceId(2));
    h.run();
    assert!(h.query_by_label("Van 1 on the map").is_none());
    h.get_by_label("Only Van 2 is shown");
    h.get_by_label("Show the others").click();
    h.run();
    assert_eq!(h.state().actions, [Action::Isolate(false)]);
}

#[test]
fn several_devices_are_isolated_together() {
    let mut data = driving();
    for id in 3..=5 {
        let lat = 51.0 + 0.2 * f64::from(u32::try_from(id).unwrap() - 3);
        data.devices.insert(DeviceId(id), overview(fix(id, id * 100, 10, lat, 4.9), &format!("Van {id}")));
    }
    let mut stage = looking_at(data, 51.0, 8.0);
    stage.view.isolate = true;
    stage.view.isolate_also = [DeviceId(2), DeviceId(4)].into();
    let mut h = stage.harness();
    h.run();
    let on_map = |h: &Harness<'_, Stage>| -> Vec<i64> {
        (1..=5).filter(|id| h.query_by_label(&format!("Van {id} on the map")).is_some()).collect()
    };
    assert_eq!(on_map(&h), [2, 4]);
    h.get_by_label("Only Van 2 and Van 4 are shown");
    // Whichever is selected beside them is there, too, as long as it is.
    h.state_mut().view.selection.device = Some(DeviceId(5));
    h.run();
    assert_eq!(on_map(&h), [2, 4, 5]);
    h.get_by_label("Only Van 2, Van 4 and Van 5 are shown");
    h.state_mut().view.isolate_also.insert(DeviceId(3));
    h.run();
    h.get_by_label("Only Van 2, Van 3, Van 4 and 1 more are shown");
}

#[test]
fn distances_are_measured_by_clicks_and_escape_ends_it() {
    let mut h = looking_at(two_vans(), 51.0, 9.0).harness();
    h.run();
    h.get_by_label("Measure distances").click();
    h.run();
    assert_eq!(h.state().actions, [Action::Measure]);
    h.state_mut().map().toggle_measure();
    h.run();
    h.get_by_label("Click where to measure from");
    // Near a device, the device is meant.
    let van = |n| LatLon::new([51.2, 50.8][n], [4.4, 4.3][n]).unwrap();
    let near = |h: &Harness<'_, Stage>, name: &str| {
        let screen = h.query_by_label(name);
        assert!(screen.is_none(), "markers are no buttons while one measures");
    };
    near(&h, "Van 1 on the map");
    h.state_mut().actions.clear();
    let pos = |h: &mut Harness<'_, Stage>, place: LatLon| {
        use wayglass::{geo::mercator::World, ui::map::camera::Screen};
        let rect = egui::Rect::from_min_size(pos2(0.0, 0.0), egui::vec2(800.0, 600.0));
        Screen::new(rect, h.state_mut().map().camera()).pos(World::from_lat_lon(place))
    };
    for n in [0, 1] {
        let at = pos(&mut h, van(n)) + egui::vec2(4.0, 3.0);
        click(&mut h, at);
    }
    let text = "45.0 km in 1 leg";
    assert!(h.query_all_by_label_contains(text).count() > 0, "{:?}", texts(&h));
    assert_eq!(h.state().actions, [], "nothing is selected meanwhile");
    h.key_press(egui::Key::Backspace);
    h.run();
    assert_eq!(h.query_all_by_label_contains("in 1 leg").count(), 0);
    assert!(h.state_mut().map().escape());
    h.run();
    h.get_by_label("Measure distances");
}

#[test]
fn the_menu_of_the_map_changes_its_style() {
    let mut stage = looking_at(driving(), 51.2, 9.0);
    stage.view.selection.device = Some(DeviceId(1));
    let mut h = stage.harness();
    h.run();
    h.get_by_label("Choose what the map shows").click();
    h.run();
    h.get_by_label("Battery").click();
    h.run();
    let chosen = |h: &Harness<'_, Stage>| match h.state().actions.last() {
        Some(Action::SetSettings(settings)) => settings.map,
        other => panic!("{other:?}"),
    };
    assert_eq!(chosen(&h), Style { colour: Colour::Battery, ..Style::default() });
    h.get_by_label("15 min").click();
    h.run();
    assert_eq!(chosen(&h), Style { trail: TrailLength::Minutes15, ..Style::default() });
    h.get_by_label_contains("Dim the map").click();
    h.run();
    assert_eq!(chosen(&h), Style { dim: true, ..Style::default() });
    h.get_by_label_contains("Only the selected device").click();
    h.run();
    assert_eq!(h.state().actions.last(), Some(&Action::Isolate(true)));
}

#[test]
fn a_new_fix_pulses_and_then_the_map_rests() {
    let mut h = looking_at(driving(), 51.2, 10.0).harness();
    h.run();
    let rings = |h: &Harness<'_, Stage>| {
        let shapes = h.output().shapes.iter().map(|s| &s.shape);
        shapes.filter(|s| matches!(s, egui::Shape::Circle(c) if c.fill == egui::Color32::TRANSPARENT)).count()
    };
    let still = rings(&h);
    let newer = fix(1, 999, 0, 51.201, 4.4);
    h.state_mut().data.devices.get_mut(&DeviceId(1)).unwrap().last_fix = Some(newer.clone());
    h.step();
    assert_eq!(rings(&h), still + 1);
    h.run_steps(3);
    assert_eq!(rings(&h), still);
    h.run();
    h.state_mut().view.settings.map.pulse = false;
    h.state_mut().data.devices.get_mut(&DeviceId(1)).unwrap().last_fix = Some(StoredFix { id: 1_000, ..newer });
    h.step();
    assert_eq!(rings(&h), still, "off for who wants no motion");
}

#[test]
fn lost_devices_can_be_left_out() {
    let mut data = two_vans();
    let long_ago = fix(2, 200, 40 * 86_400, 50.8, 4.3);
    data.devices.insert(DeviceId(2), overview(long_ago, "Van 2"));
    let mut h = looking_at(data, 51.0, 8.0).harness();
    h.run();
    h.get_by_label("Van 2 on the map");
    h.state_mut().view.settings.map.hide_lost = true;
    h.run();
    assert!(h.query_by_label("Van 2 on the map").is_none());
    h.get_by_label("Van 1 on the map");
}

#[test]
fn the_live_view_is_drawn_in_both_themes() {
    for (theme, word) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        for size in [[1440.0, 900.0], [560.0, 340.0]] {
            let mut stage = Stage::new(fleet());
            stage.view.selection.device = Some(DeviceId(11));
            stage.view.settings.map.labels = Labels::Full;
            let mut h = stage.pictured(size, theme);
            h.run();
            h.state_mut().map().fit_device(DeviceId(11));
            picture(&mut h, &format!("speed-{word}-{}.png", size[0]));
            h.state_mut().view.settings.map = Style { colour: Colour::Age, dim: true, ..Style::default() };
            picture(&mut h, &format!("age-dim-{word}-{}.png", size[0]));
            h.get_by_label("Choose what the map shows").click();
            h.run();
            picture(&mut h, &format!("menu-{word}-{}.png", size[0]));
        }
    }
}
