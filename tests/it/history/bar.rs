//! The time bar under the hand: wheel and drag, and what stays while a span is read again.

use egui::{Event, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, TouchPhase, Vec2, vec2};
use egui_kittest::kittest::Queryable as _;

use super::desk::{Desk, at, day};

/// The strip of the bar; the line that is left of it when it is collapsed has the same name.
fn strip(desk: &Desk) -> egui::Rect {
    desk.window.get_by_label_contains("Time bar, ").rect()
}

fn turn_wheel(desk: &mut Desk, over: Pos2, delta: Vec2) {
    desk.window.hover_at(over);
    let (unit, phase, modifiers) = (MouseWheelUnit::Point, TouchPhase::Move, Modifiers::NONE);
    desk.window.event(Event::MouseWheel { unit, delta, phase, modifiers, source: MouseWheelSource::Wheel });
    desk.window.run_steps(12);
}

fn width_ms(desk: &Desk) -> i64 {
    let (from, to) = desk.view().span_ms(super::desk::NOW.parse().unwrap());
    to - from
}

#[test]
fn the_wheel_goes_nearer_and_back_and_a_drag_goes_along() {
    let mut desk = Desk::open();
    desk.tell("van", "2026-11-20", &day());
    desk.until("the van is known", |window| window.state().data().devices.values().any(|d| d.positions >= 51));
    desk.click("Yesterday");
    desk.until("its span is read", |window| window.state().data().history.shown.len() == 1);
    let version = desk.data().history.version;
    let (bar, whole) = (strip(&desk), width_ms(&desk));
    let nine = bar.left_center() + vec2(bar.width() * 9.0 / 24.0, 0.0);

    turn_wheel(&mut desk, nine, vec2(0.0, 300.0));
    let near = width_ms(&desk);
    assert!(near < whole / 4, "{near} of {whole}");
    let (from, to) = desk.view().span_ms(super::desk::NOW.parse().unwrap());
    let nine_ms =
        desk.view().time.whole.unwrap().ends_ms(super::desk::NOW.parse().unwrap(), &jiff::tz::TimeZone::UTC).0
            + at(9, 0) * 1_000;
    assert!((from..to).contains(&nine_ms), "what was under the pointer is in view still");

    let middle = bar.center();
    desk.window.event(Event::PointerMoved(middle));
    let press =
        |pos, pressed| Event::PointerButton { pos, button: PointerButton::Middle, pressed, modifiers: Modifiers::NONE };
    desk.window.event(press(middle, true));
    desk.window.run_steps(2);
    let dragged = middle - vec2(bar.width() / 4.0, 0.0);
    desk.window.event(Event::PointerMoved(dragged));
    desk.window.run_steps(2);
    desk.window.event(press(dragged, false));
    desk.window.run_steps(2);
    let (later, _) = desk.view().span_ms(super::desk::NOW.parse().unwrap());
    assert!(later > from && width_ms(&desk) == near, "dragged to the left, it is later: {} ms", later - from);

    turn_wheel(&mut desk, nine, vec2(0.0, -900.0));
    assert_eq!((width_ms(&desk), desk.view().time.whole), (whole, None));
    assert_eq!(desk.data().history.version, version, "nothing was read again for that");
}

#[test]
fn what_is_there_stays_while_its_span_is_read_again() {
    let mut desk = Desk::open();
    desk.tell("van", "2026-11-21", &[(at(14, 0), 0.0)]);
    desk.until("the van is known", |window| window.state().data().devices.values().any(|d| d.positions == 1));
    desk.click("Trips and stops of the span");
    desk.until_shown("No trip and no stop in this span.");
    let points = |desk: &Desk| desk.data().history.points();
    let before = points(&desk);
    desk.tell("van", "2026-11-21", &[(at(14, 1), 0.0)]);
    desk.until("the span is read again", |window| {
        let nothing = window.query_all_by_label("No trip and no stop in this span.").next();
        assert!(nothing.is_some(), "what was known is not taken away");
        window.state().data().history.points() > before
    });
}

#[test]
fn a_burst_that_the_window_did_not_hear_in_full_is_a_whole_trail() {
    let mut desk = Desk::open();
    desk.tell("van", "2026-11-21", &[(at(10, 0), 0.0)]);
    desk.until("it has a trail", |window| window.state().data().trails.len() == 1);
    let way: Vec<_> = (1..3_000).map(|n| (at(10, 0) + n, f64::from(i32::try_from(n).unwrap()) * 10.0)).collect();
    desk.tell("van", "2026-11-21", &way);
    desk.until("all of it is there", |window| {
        let mut trails = window.state().data().trails.values();
        trails.next().is_some_and(|trail| trail.points().len() == 3_000)
    });
}
