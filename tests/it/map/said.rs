//! What the map says beside the markers: numbers for names without room, what screen readers are told, cut trails, labels for a wall.

use super::*;
use egui_kittest::kittest::NodeT as _;
use wayglass::ui::{
    map::style::{Labels, TrailLength},
    view::Layout,
};

/// So many vans on one spot, at this speed.
fn crowd(n: i64, speed_kmh: Option<f64>) -> Data {
    let mut data = Data::default();
    for id in 1..=n {
        let mut fix = fix(id, id, 10, 51.2, 4.4);
        fix.fix.speed_kmh = speed_kmh;
        data.devices.insert(DeviceId(id), overview(fix, &format!("Van {id}")));
    }
    data
}

fn shown(data: Data, zoom: f64) -> Harness<'static, Stage> {
    let mut stage = Stage::new(data);
    stage.options.camera = Some(Camera { center: LatLon::new(51.2, 4.4).unwrap(), zoom });
    let mut harness = stage.harness();
    harness.run();
    harness
}

/// Every label that the last frame drew, and how high it was.
fn labels(h: &Harness<'_, Stage>) -> Vec<(String, f32)> {
    fn add(shape: &egui::Shape, found: &mut Vec<(String, f32)>) {
        match shape {
            egui::Shape::Text(text) => found.push((text.galley.text().to_owned(), text.galley.size().y)),
            egui::Shape::Vec(shapes) => shapes.iter().for_each(|s| add(s, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    h.output().shapes.iter().for_each(|s| add(&s.shape, &mut found));
    found.retain(|(text, _)| text.starts_with("Van ") || text.starts_with('+'));
    found
}

#[test]
fn names_without_room_are_counted_and_the_number_opens_them() {
    let mut h = shown(crowd(20, None), 17.0);
    let said = labels(&h);
    let names = said.iter().filter(|(text, _)| text.starts_with("Van ")).count();
    let more: usize = said.iter().find_map(|(text, _)| text.strip_prefix('+')?.parse().ok()).unwrap();
    assert_eq!(names + more, 20, "{said:?}");
    h.get_by_label(&format!("{more} more devices here")).click_accesskit();
    h.run();
    let places: HashSet<_> = (1..=20)
        .map(|n| h.get_by_label(&format!("Van {n} on the map")).rect().center())
        .map(|p| format!("{:.0} {:.0}", p.x, p.y))
        .collect();
    assert_eq!(places.len(), 20, "they stand side by side");
}

#[test]
fn a_moving_device_keeps_its_name_where_there_is_room_further_off() {
    let h = shown(crowd(7, Some(50.0)), 17.0);
    let said = labels(&h);
    for n in 1..=7 {
        assert!(said.iter().any(|(text, _)| *text == format!("Van {n}")), "Van {n}: {said:?}");
    }
}

#[test]
fn a_screen_reader_hears_states_and_heaps() {
    let mut h = shown(two_vans(), 6.0);
    let told = h.get_by_label("Van 1 on the map").accesskit_node().description().unwrap_or_default();
    assert!(told.contains("fix") && told.contains("ago"), "{told}");
    let told = h.get_by_label("Map").accesskit_node().description().unwrap_or_default();
    assert!(told.contains("2 devices in view"), "{told}");
    h.state_mut().data = crowd(8, None);
    h.state_mut().map().set_camera(Camera { center: LatLon::new(51.2, 4.4).unwrap(), zoom: 11.0 });
    h.run();
    assert!(h.query_by_label("Van 3 on the map").is_none());
    h.get_by_label("8 devices close together").click_accesskit();
    h.run();
    h.get_by_label("Van 3 on the map");
}

#[test]
fn a_trail_that_is_cut_says_where_it_begins() {
    let mut data = two_vans();
    let fixes: Vec<_> = (0..=10i64).map(|n| fix(1, n, 610 - n * 60, 51.2 + n as f64 * 0.01, 4.4)).collect();
    data.trails.insert(DeviceId(1), Trail::from_fixes(fixes.clone()).cut(11));
    let mut h = shown(data, 9.0);
    let cut = |h: &Harness<'_, Stage>| h.query_all_by_label_contains("with its newest 11 points").count();
    h.state_mut().view.settings.map.trail = TrailLength::Hour;
    h.run();
    assert_eq!(cut(&h), 1);
    h.state_mut().data.trails.insert(DeviceId(1), Trail::from_fixes(fixes));
    h.run();
    assert_eq!(cut(&h), 0, "it is whole");
}

#[test]
fn labels_are_larger_where_the_map_is_alone() {
    let mut h = shown(crowd(1, None), 12.0);
    h.state_mut().view.settings.map.labels = Labels::Name;
    h.run();
    let height = |h: &Harness<'_, Stage>| labels(h).first().map(|(_, height)| *height).unwrap();
    let usual = height(&h);
    h.state_mut().view.open = h.state().view.open.arranged(Layout::Wall);
    h.run();
    assert!(height(&h) > usual * 1.4, "{} after {usual}", height(&h));
}

#[test]
fn the_second_line_of_a_label_says_in_history_what_was_known_then() {
    let begin = now().as_second() - 90_000;
    let told = |speed_kmh: Option<f64>| {
        let fixes = (0..=10i64).map(|n| {
            let mut fix = fix(1, n, 90_000 - n * 60, 51.2 + n as f64 * 0.02, 4.4);
            fix.fix.speed_kmh = speed_kmh;
            fix
        });
        let track = Trail::from_fixes(fixes.collect());
        let at = Some(Timestamp::from_second(begin + 90).unwrap());
        let shown = wayglass::ui::map::Shown { tracks: [(DeviceId(1), track.into())].into(), at, lit: None };
        let mut h = shown_in(shown);
        h.state_mut().view.settings.map.labels = Labels::Full;
        h.run();
        labels(&h).into_iter().find_map(|(text, _)| Some(text.split_once('\n')?.1.to_owned())).unwrap_or_default()
    };
    let moment = |second| View::default().moment(Timestamp::from_second(second).unwrap(), now());
    assert_eq!(told(Some(80.0)), format!("80 km/h · {}", moment(begin + 60)));
    assert_eq!(told(None), format!("moving · {}", moment(begin + 60)));
}

fn shown_in(history: wayglass::ui::map::Shown) -> Harness<'static, Stage> {
    let mut data = crowd(1, None);
    data.shown = Some(history);
    shown(data, 12.0)
}
