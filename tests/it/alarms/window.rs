//! Places and events in the window: drawn with the pen, entered and left by phones over real sockets, read in the list.

use std::time::Duration;

use egui::{Key, Modifiers, Pos2, accesskit::Role, vec2};
use egui_kittest::kittest::Queryable as _;
use serde_json::json;
use wayglass::{geo::fence::Shape, model::Policy, ui::data::Data};

use super::engine::report;
use crate::{
    desk::{Desk, Plan},
    support::{picture, post},
};

/// A desk at noon, with a phone at the yard's middle.
fn open() -> Desk {
    let now = "2026-11-21T12:00:00Z";
    let plan = Plan { policy: Policy::Adopt, gt06: None, now, wgpu: true, ..Plan::default() };
    let mut desk = Desk::of(plan);
    desk.go(-30, 0.0);
    desk.until("the phone is on the map", |window| window.query_by_label(ON_MAP).is_some());
    desk
}

/// What a desk can do beside that yard.
trait Yard {
    fn go(&self, second: i64, metres: f64);
    fn until_data(&mut self, what: &str, done: impl Fn(&Data) -> bool);
    fn phone(&self) -> Pos2;
    fn draw_circle(&mut self, name: &str);
    fn events(&self) -> Vec<String>;
}

impl Yard for Desk {
    /// The phone reports from so many metres north of the yard's middle, so many seconds after noon.
    fn go(&self, second: i64, metres: f64) {
        assert_eq!(post(self.owntracks, &report("a", second, metres, &json!({}))).status, 200);
    }

    fn until_data(&mut self, what: &str, done: impl Fn(&Data) -> bool) {
        self.until(what, |window| done(window.state().data()));
    }

    /// Where the phone is on the screen.
    fn phone(&self) -> Pos2 {
        self.window.get_by_label(ON_MAP).rect().center()
    }

    /// Draws a circle around the phone, and names it.
    fn draw_circle(&mut self, name: &str) {
        let middle = self.phone();
        self.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
        self.click("Draw a circle");
        self.until_shown("Press at the middle and drag to the border");
        self.window.hover_at(middle);
        self.window.step();
        self.window.drag_at(middle);
        for part in 1..=6_u8 {
            self.window.step();
            self.window.hover_at(middle + vec2(10.0 * f32::from(part), 0.0));
        }
        self.window.step();
        self.window.drop_at(middle + vec2(60.0, 0.0));
        self.until_shown("Save");
        self.press(Modifiers::COMMAND, Key::A);
        self.window.get_by_role_and_label(Role::TextInput, "Name").type_text(name);
        self.window.run();
        let count = self.window.state().data().watch.set_up.places.len();
        self.click("Save");
        self.until_data("the place is there", |data| data.watch.set_up.places.len() == count + 1);
        self.press(Modifiers::NONE, Key::Escape);
    }

    fn events(&self) -> Vec<String> {
        let events = &self.window.state().data().watch.events;
        events.iter().map(|e| format!("{}@{}", e.kind, e.at.as_second() - super::engine::NOON)).collect()
    }
}

const ON_MAP: &str = "owntracks/a/phone on the map";

#[test]
fn a_circle_is_drawn_and_a_phone_leaves_and_enters_it() {
    let mut desk = open();
    desk.draw_circle("Yard");
    let place = desk.window.state().data().watch.set_up.places[0].clone();
    assert_eq!(place.spec.name, "Yard");
    let Shape::Circle { center, radius_m } = place.spec.shape else { panic!("{:?}", place.spec.shape) };
    assert!((center.lat_deg() - 51.0).abs() < 1e-3 && radius_m > 500.0, "{center:?} {radius_m}");
    desk.until_shown("Place Yard on the map");
    desk.go(60, 20_000.0);
    desk.go(120, 10.0);
    desk.until_data("both are listed and unread", |data| data.watch.set_up.unread == 2 && data.watch.events.len() == 2);
    assert_eq!(desk.events(), ["enter@120", "leave@60"]);
    desk.click("2 events that nobody has read");
    assert!(picture(&mut desk.window, "alarms-events.png") > 50);
    desk.click("owntracks/a/phone: Left Yard, after 1 min 30 s, 12:01:00, unread");
    desk.until("its packet and fix are selected", |window| window.state().view().selection.fix.is_some());
    let selection = desk.window.state().view().selection;
    let opened = desk.window.state().data().opened.as_ref().unwrap();
    assert_eq!((selection.device, selection.packet), (opened.row.device, Some(opened.row.id)));
    assert!((opened.fixes[0].fix.place.lat_deg() - 51.18).abs() < 0.01, "the fix that left");
    desk.until_data("it is read", |data| data.watch.set_up.unread == 1);
    desk.click("Mark all read");
    desk.until_data("all are read", |data| data.watch.set_up.unread == 0);
}

#[test]
fn a_polygon_is_drawn_by_clicks_and_the_pen_is_put_down_by_escape() {
    let mut desk = open();
    let middle = desk.phone();
    let pen_up = |desk: &mut Desk| {
        desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
        desk.click("Draw a polygon");
        desk.until_shown("Click the corners");
    };
    pen_up(&mut desk);
    desk.press(Modifiers::NONE, Key::Escape);
    assert!(desk.window.query_by_label("Click the corners").is_none());
    pen_up(&mut desk);
    for (x, y) in [(-70.0, -50.0), (80.0, -60.0), (60.0, 70.0), (-60.0, 60.0)] {
        let corner = middle + vec2(x, y);
        desk.window.hover_at(corner);
        desk.window.drag_at(corner);
        desk.window.drop_at(corner);
        desk.window.run();
    }
    desk.until_shown("4 corners; double click or Enter ends");
    desk.press(Modifiers::NONE, Key::Enter);
    desk.until_shown("Save");
    assert!(picture(&mut desk.window, "alarms-form.png") > 50);
    desk.click("Save");
    desk.until_data("the place is there", |data| data.watch.set_up.places.len() == 1);
    let shape = desk.window.state().data().watch.set_up.places[0].spec.shape.clone();
    assert!(matches!(shape, Shape::Polygon { corners } if corners.len() == 4));
}

#[test]
fn a_place_that_was_removed_comes_back_as_it_was() {
    let mut desk = open();
    desk.draw_circle("Yard");
    let before = desk.window.state().data().watch.set_up.places.clone();
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    desk.click("Remove Yard");
    desk.until_data("it is gone", |data| data.watch.set_up.places.is_empty());
    desk.press(Modifiers::NONE, Key::Escape);
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.until_data("it is back", |data| data.watch.set_up.places == before);
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    desk.until_data("it is gone again", |data| data.watch.set_up.places.is_empty());
}

#[test]
fn a_device_goes_quiet_by_the_clock_and_a_mute_keeps_it_so() {
    let mut desk = open();
    for minute in 0..6 {
        desk.go(minute * 60, 0.0);
        desk.clock.advance(Duration::from_mins(1));
    }
    desk.clock.advance(Duration::from_mins(12));
    desk.until_data("it went quiet", |data| data.watch.set_up.unread == 1 && data.watch.events.len() == 1);
    assert_eq!(desk.events(), ["quiet@900"]);
    desk.window.get_by_role_and_label(Role::ListItem, "owntracks/a/phone").click();
    desk.window.run();
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::R);
    desk.window.get_all_by_label("owntracks/a/phone").last().unwrap().click();
    desk.window.run();
    assert!(picture(&mut desk.window, "alarms-rules.png") > 50);
    desk.click("Mute owntracks/a/phone for 1 h");
    desk.until_data("it is muted", |data| data.watch.set_up.mutes.devices.len() == 1);
    // Heard once more, and silent again.
    desk.go(18 * 60, 0.0);
    desk.clock.wait_for_look();
    desk.clock.advance(Duration::from_mins(25));
    desk.until_data("it is listed", |data| data.watch.events.len() == 2);
    // By what is listed: how many are unread is asked for itself, and may be told before or after.
    let unread = desk.window.state().data().watch.events.iter().map(|e| e.unread).collect::<Vec<_>>();
    assert_eq!(unread, [false, true], "nobody has to read the newer one");
}
