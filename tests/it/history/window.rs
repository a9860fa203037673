//! Stories of the past through the whole window.

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::track::How;

use super::desk::{Desk, NOW, at, day};

const PLAIN: Modifiers = Modifiers::NONE;

#[test]
fn find_when_it_stopped_yesterday() {
    let mut desk = Desk::open();
    desk.tell("van", "2026-11-20", &day());
    desk.until("the van is known", |window| window.state().data().devices.values().any(|d| d.positions >= 51));
    let van = desk.device("van");

    desk.press(PLAIN, Key::OpenBracket);
    desk.click("Trips and stops of the span");
    let customer = "Stop of owntracks/van/phone, 09:10:00 – 09:40:00, 30 min, 51.07195, 4.00000";
    desk.until_shown(customer);
    assert!(desk.shows("Stop of owntracks/van/phone, 08:00:00 – 09:00:00, 1 h, 51.00000, 4.00000"));
    assert!(
        desk.shows("Trip of owntracks/van/phone, 09:00:00 – 09:10:00, 10 min, 8.0 km, 48 · 48 km/h, 51.07195, 4.00000")
    );

    desk.click(customer);
    assert_eq!((desk.instant().as_str(), desk.view().selection.device), ("2026-11-20 09:10:00", Some(van)));
    desk.until_shown("As of Nov 20 09:10");
    let shown = desk.data().shown.as_ref().expect("the map shows the past");
    let there = shown.moment(van).unwrap().place.lat_lon();
    assert!((there.lat_deg() - 51.071_946).abs() < 1e-5, "{there:?}");

    // The packet list is at what told it, and the next fix is a step on.
    let packet = desk.data().history.as_of.as_ref().map(|fix| fix.packet);
    assert!(packet.is_some());
    desk.press(PLAIN, Key::Period);
    assert_eq!(desk.instant(), "2026-11-20 09:15:00");
    desk.press(PLAIN, Key::Escape);
    assert!(desk.view().is_live());
    desk.until("the map is live again", |window| window.state().data().shown.is_none());
}

#[test]
fn three_vehicles_are_replayed_at_sixty_times_and_rest_is_skipped() {
    let mut desk = Desk::open();
    for (phone, offset) in [("a", 0.0), ("b", 20_000.0), ("c", 40_000.0)] {
        let way: Vec<_> = day().into_iter().map(|(second, metres)| (second, metres + offset)).collect();
        desk.tell(phone, "2026-11-20", &way);
    }
    desk.until("all are known", |window| {
        window.state().data().devices.values().filter(|d| d.positions >= 51).count() == 3
    });
    desk.press(PLAIN, Key::OpenBracket);
    desk.until("all are read", |window| window.state().data().history.shown.len() == 3);
    desk.click("Replay speed");
    desk.click("60x");
    assert_eq!(desk.view().time.speed, 60);
    desk.press(PLAIN, Key::Home);
    assert_eq!(desk.instant(), "2026-11-20 00:00:00");

    desk.press(PLAIN, Key::Space);
    assert!(desk.view().time.playing);
    desk.until("the night is skipped", |window| {
        let view = window.state().view();
        view.time.cursor_ms.is_some_and(|ms| ms % 86_400_000 >= (at(9, 0) - 20) * 1_000)
    });
    let now = NOW.parse().unwrap();
    let before = desk.view().instant_ms(now);
    desk.window.step();
    desk.window.step();
    assert_eq!(desk.view().instant_ms(now) - before, 2 * 15_000, "a quarter of a second a frame, sixty times as fast");

    desk.press(PLAIN, Key::Space);
    assert!(!desk.view().time.playing);
    let instant = desk.view().instant_ms(now);
    let places: Vec<_> = desk.data().history.at(instant).map(|(_, there)| there).collect();
    assert_eq!(places.len(), 3);
    for there in &places {
        assert!(matches!(there.how, How::Between | How::Fix), "{there:?}");
    }
    let apart = places[0].place.distance_m(places[1].place);
    assert!((apart - 20_000.0).abs() < 100.0, "all are where they were at one instant: {apart}");

    desk.press(PLAIN, Key::Space);
    desk.until("it is played to its end", |window| !window.state().view().time.playing);
    assert_eq!(desk.instant(), "2026-11-20 23:59:59");
}

/// Yesterday of a van is shown, with a point far away.
fn with_an_outlier() -> Desk {
    let mut desk = Desk::open();
    let mut way = day();
    way.push((at(9, 5) + 10, 900_000.0));
    desk.tell("van", "2026-11-20", &way);
    desk.until("the van is known", |window| window.state().data().devices.values().any(|d| d.positions >= 52));
    desk.press(PLAIN, Key::OpenBracket);
    desk
}

#[test]
fn an_outlier_is_hidden_and_undone_and_nothing_is_deleted() {
    let mut desk = with_an_outlier();
    desk.click("Trips and stops of the span");
    desk.until_shown("1 outlier");
    // What is said of it is there at once, and gone after some frames: it is looked for before the store is waited for.
    let (hid, back) = ("Hid 1 point of owntracks/van/phone", "1 point of owntracks/van/phone can be seen again");
    desk.click("Hide all outliers");
    assert!(desk.shows(hid));
    desk.until_shown("1 hidden");
    assert!(!desk.shows("1 outlier"));
    let hidden = "SELECT count(*) FROM hidden WHERE reason = 'outlier'";
    assert_eq!((desk.count(hidden), desk.count("SELECT count(*) FROM positions")), (1, 52));

    desk.press(Modifiers::COMMAND, Key::Z);
    assert!(desk.shows(back) && !desk.shows(hid), "what was said of hiding is past");
    desk.until_shown("1 outlier");
    assert_eq!((desk.count(hidden), desk.count("SELECT count(*) FROM positions")), (0, 52));

    // By hand: the point that is looked at.
    desk.click("Trip of owntracks/van/phone, 09:00:00 – 09:10:00, 10 min, 8.0 km, 48 · 48 km/h, 51.07195, 4.00000");
    desk.until_shown("Hide this point");
    desk.click("Hide this point");
    assert!(desk.shows(hid) && !desk.shows(back));
    desk.until("it is hidden", |window| {
        window.state().data().history.shown.values().any(|shown| shown.past.stats.hidden == 1)
    });
    assert_eq!(desk.count("SELECT count(*) FROM hidden WHERE reason = 'hand'"), 1);
}

#[test]
fn the_key_for_the_next_outlier_keeps_the_way_around_it_in_view() {
    let mut desk = with_an_outlier();
    desk.until("its day is read", |window| {
        window.state().data().history.shown.values().any(|shown| shown.past.stats.outliers == 1)
    });
    // So near that the way and the outlier are not in view together.
    for _ in 0..6 {
        desk.press(PLAIN, Key::Plus);
    }
    desk.window.run_steps(3);
    let near = desk.window.state().camera().zoom;
    desk.press(PLAIN, Key::O);
    desk.window.run_steps(3);
    let map = desk.window.get_by_label("Map").rect();
    let camera = desk.window.state().camera();
    assert!(camera.zoom < near - 2.0, "{camera:?} after zoom {near}");
    let screen = wayglass::ui::map::camera::Screen::new(map, camera);
    let van = desk.device("van");
    let past = desk.data().history.past(van).unwrap();
    let outlier = past.points.iter().position(|point| point.aside.is_some()).unwrap();
    for point in &past.points[outlier - 10..outlier + 10] {
        let pos = screen.pos(wayglass::geo::mercator::World::from_lat_lon(point.place));
        assert!(map.contains(pos), "{pos} is out of view: {camera:?}");
    }
    // Again: nothing has to move.
    desk.press(PLAIN, Key::O);
    desk.window.run_steps(3);
    assert_eq!(desk.window.state().camera(), camera);
}

/// It has no packet that could be opened.
#[test]
fn an_imported_outlier_is_hidden_by_hand() {
    let mut desk = Desk::open();
    let row =
        |second: i64, lat: f64| format!("2026-11-20T09:{:02}:{:02}Z,{lat:.5},4.0,ann\n", second / 60, second % 60);
    let mut rows: Vec<String> = (0..20_i32).map(|n| row((n * 30).into(), 51.0 + f64::from(n) * 1e-3)).collect();
    rows.push(row(315, 53.0));
    let file = desk.folder.path().join("ann.csv");
    std::fs::write(&file, format!("fix_time,latitude,longitude,identity\n{}", rows.concat())).unwrap();
    desk.press(Modifiers::COMMAND, Key::O);
    desk.window.get_by_label("File to import").focus();
    desk.window.run();
    desk.window.get_by_label("File to import").type_text(file.to_str().unwrap());
    desk.window.run();
    desk.click("Look");
    desk.until_shown("Import 21 points");
    desk.click("Import 21 points");
    desk.until("they are here", |window| window.state().data().devices.values().any(|d| d.positions == 21));
    desk.press(PLAIN, Key::Escape);
    desk.press(PLAIN, Key::OpenBracket);
    desk.until("they are read", |window| {
        window.state().data().history.shown.values().any(|shown| shown.past.stats.outliers == 1)
    });

    desk.press(PLAIN, Key::O);
    desk.until_shown("As of Nov 20 09:05");
    // Not at once the one before it, until this one is read.
    desk.until_shown("53.00000, 4.00000");
    desk.press(PLAIN, Key::H);
    desk.until("it is hidden", |window| {
        window.state().data().history.shown.values().any(|shown| shown.past.stats.hidden == 1)
    });
    let hidden = "SELECT count(*) FROM hidden h JOIN positions p ON p.id = h.position_id WHERE p.latitude = 53.0";
    assert_eq!(desk.count(hidden), 1);
}

#[test]
fn the_space_bar_plays_after_a_click_on_the_time_bar() {
    let mut desk = Desk::open();
    desk.tell("van", "2026-11-20", &day());
    desk.until("the van is known", |window| window.state().data().devices.values().any(|d| d.positions >= 51));
    desk.press(PLAIN, Key::OpenBracket);
    desk.until("it is read", |window| window.state().data().history.shown.len() == 1);
    let bar = desk.window.get_by_label_contains("Time bar, ").rect().center();
    desk.window.hover_at(bar);
    desk.window.drag_at(bar);
    desk.window.drop_at(bar);
    desk.window.run();
    assert!(focused(&desk).starts_with("Time bar, "), "{}", focused(&desk));
    desk.press(PLAIN, Key::Space);
    assert!(desk.view().time.playing);
    desk.press(PLAIN, Key::Space);
    assert!(!desk.view().time.playing);
}

#[test]
fn the_bar_collapses_and_its_calendar_knows_days_with_data() {
    let mut desk = Desk::open();
    desk.tell("van", "2026-11-18", &day());
    desk.until("the van is known", |window| window.state().data().devices.values().any(|d| d.positions >= 51));
    desk.click("Sat 21 Nov");
    desk.until_shown("18 November 2026, has data");
    assert!(desk.shows("17 November 2026"));
    desk.click("18 November 2026, has data");
    desk.until("its span is read", |window| window.state().data().history.shown.len() == 1);
    assert_eq!(desk.instant(), "2026-11-18 23:59:59");
    assert!(!desk.view().is_live());
    desk.click("Collapse the time bar");
    desk.click("Open the time bar");
    desk.click("LIVE");
    assert!(desk.view().is_live());
}

/// The row of the list that has the keyboard.
fn focused(desk: &Desk) -> String {
    let node = desk.window.root().children_recursive().find(|n| n.accesskit_node().is_focused());
    node.and_then(|n| n.accesskit_node().label()).unwrap_or_default()
}

/// Presses the tabulator until what has this name has the keyboard.
fn tab_to(desk: &mut Desk, label: &str) {
    for _ in 0..80 {
        if focused(desk) == label {
            return;
        }
        desk.press(PLAIN, Key::Tab);
    }
    panic!("the tabulator does not lead to {label}");
}

#[test]
fn a_day_is_gone_through_with_the_keyboard_alone() {
    let mut desk = Desk::open();
    let mut way = day();
    way.push((at(9, 5) + 10, 900_000.0));
    desk.tell("van", "2026-11-20", &way);
    desk.tell("bus", "2026-11-20", &[(at(8, 0), 90_000.0), (at(9, 0), 90_000.0)]);
    desk.until("both are known", |window| {
        let count = |n| window.state().data().devices.values().any(|d| d.positions >= n);
        count(52) && window.state().data().devices.len() == 2
    });
    // Find it.
    desk.press(PLAIN, Key::Slash);
    desk.window.event(egui::Event::Text("van".to_owned()));
    desk.window.run_steps(2);
    desk.press(PLAIN, Key::Enter);
    let van = desk.device("van");
    assert_eq!(desk.view().selection.device, Some(van));
    // A key that finds nothing says so.
    desk.press(PLAIN, Key::O);
    desk.until_shown("No outlier, suspect or hidden point among those shown; [ shows the day before");
    // Its yesterday; from fix to fix.
    desk.press(PLAIN, Key::OpenBracket);
    desk.until("its day is read", |window| window.state().data().history.past(van).is_some());
    desk.press(PLAIN, Key::Home);
    assert_eq!(desk.instant(), "2026-11-20 00:00:00");
    desk.until_shown("Not known then: no position in this span before");
    desk.press(PLAIN, Key::Period);
    assert_eq!(desk.instant(), "2026-11-20 08:00:00");
    desk.until_shown("As of Nov 20 08:00");
    // The stop at the customer: the third line.
    desk.press(PLAIN, Key::S);
    desk.until("the list has the keyboard", |window| {
        let focused = window.root().children_recursive().find(|n| n.accesskit_node().is_focused());
        focused.and_then(|n| n.accesskit_node().label()).is_some_and(|label| label.starts_with("Stop of"))
    });
    assert!(focused(&desk).contains("08:00:00 – 09:00:00"), "the line of the moment: {}", focused(&desk));
    desk.press(PLAIN, Key::ArrowDown);
    assert!(focused(&desk).starts_with("Trip of"), "{}", focused(&desk));
    desk.press(PLAIN, Key::ArrowDown);
    assert!(focused(&desk).contains("09:10:00 – 09:40:00, 30 min"), "{}", focused(&desk));
    desk.press(PLAIN, Key::Enter);
    assert_eq!(desk.instant(), "2026-11-20 09:10:00");
    // The outlier, hidden and taken back.
    desk.press(PLAIN, Key::O);
    assert_eq!(desk.instant(), "2026-11-20 09:05:10");
    desk.until_shown("Hide this point");
    desk.press(PLAIN, Key::H);
    desk.until_shown("1 hidden");
    assert_eq!(desk.count("SELECT count(*) FROM hidden WHERE reason = 'hand'"), 1);
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.until_shown("1 outlier");
    assert_eq!(desk.count("SELECT count(*) FROM hidden"), 0);
    // Into a file: Enter writes.
    desk.press(Modifiers::COMMAND, Key::E);
    desk.until_shown("File to write");
    assert_eq!(focused(&desk), "Export");
    let suggested = desk.window.get_by_label("File to write").value().unwrap_or_default();
    assert!(suggested.ends_with("owntracks_van_phone 2026-11-20.gpx"), "{suggested}");
    tab_to(&mut desk, "File to write");
    desk.press(Modifiers::COMMAND, Key::A);
    let file = desk.folder.path().join("day.gpx");
    desk.window.event(egui::Event::Text(file.to_str().unwrap().to_owned()));
    desk.window.run_steps(2);
    tab_to(&mut desk, "Export");
    desk.press(PLAIN, Key::Enter);
    desk.until("it is written", |_| file.exists());
    let written = std::fs::read_to_string(file).unwrap();
    assert_eq!(written.matches("<trkpt").count(), 52);
}

#[test]
fn a_day_on_which_nothing_moved_is_played_and_that_is_said() {
    let mut desk = Desk::open();
    desk.tell("van", "2026-11-20", &[(at(8, 0), 0.0), (at(9, 0), 0.0), (at(12, 0), 0.0)]);
    desk.until("the van is known", |window| window.state().data().devices.values().any(|d| d.positions >= 3));
    desk.press(PLAIN, Key::OpenBracket);
    desk.until("its day is read", |window| window.state().data().history.shown.len() == 1);
    desk.press(PLAIN, Key::Home);
    desk.press(PLAIN, Key::Space);
    desk.until("it is said", |window| {
        window.query_all_by_label_contains("Nothing moves from here to the end").next().is_some()
    });
    assert!(desk.view().time.playing);
    let before = desk.view().instant_ms(NOW.parse().unwrap());
    desk.window.run_steps(2);
    assert!(desk.view().instant_ms(NOW.parse().unwrap()) > before, "time goes on");
}
