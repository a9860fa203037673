//! Going from packet to packet: as the list is filtered, and beyond what the window holds.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::model::{PacketId, Policy};

use super::{
    big::{self, ALARM_EVERY},
    filter::{busy, filter_by, rows},
};
use crate::desk::{Desk, Plan};

fn selected(desk: &Desk) -> PacketId {
    desk.view().selection.packet.expect("a packet is selected")
}

fn verdict(desk: &Desk) -> String {
    desk.data().opened.as_ref().map(|opened| opened.row.verdict.as_str().to_owned()).unwrap_or_default()
}

#[test]
fn next_packet_and_next_problem_heed_the_filter() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "dir == in && proto == gt06");
    desk.until("answers are left out", |window| window.query_by_label_contains("4 of ").is_some());
    assert_eq!(rows(&desk).len(), 4);
    let first = rows(&desk)[0].clone();
    desk.click(&first);
    let mut seen = vec![selected(&desk)];
    for _ in 0..3 {
        desk.press(Modifiers::NONE, Key::F8);
        seen.push(selected(&desk));
    }
    let kinds: Vec<String> = seen
        .iter()
        .map(|id| desk.data().packet_row(*id).unwrap())
        .map(|row| format!("{} {}", row.direction.as_str(), row.kind))
        .collect();
    assert_eq!(kinds[..3], ["in login", "in location", "in alarm"], "{kinds:?}");
    desk.press(Modifiers::NONE, Key::F8);
    assert_eq!(selected(&desk), seen[3], "there is none after the last");
    desk.until("it is said", |window| {
        window.query_by_label_contains("There is no packet after this one among those that are listed").is_some()
    });
    desk.press(Modifiers::NONE, Key::F7);
    assert_eq!(selected(&desk), seen[2]);
    // The wrong frame is left out: there is no problem any more.
    filter_by(&mut desk, "dir == in && verdict < warn");
    desk.press(Modifiers::NONE, Key::Escape);
    desk.click(&first);
    desk.press(Modifiers::NONE, Key::N);
    assert_eq!(selected(&desk), seen[0], "no problem is listed");
    filter_by(&mut desk, "dir == in");
    desk.click(&first);
    desk.press(Modifiers::NONE, Key::N);
    assert_eq!((selected(&desk), verdict(&desk).as_str()), (seen[3], "error"));
    // Two marks, gone to in turn.
    for id in [seen[0], seen[2]] {
        desk.press_to(Key::F7, id);
        desk.press(Modifiers::NONE, Key::M);
        desk.until("it is marked", |window| window.state().data().notes.of(id).is_some_and(|note| note.marked));
        if id == seen[0] {
            desk.press(Modifiers::NONE, Key::F8);
            desk.press(Modifiers::NONE, Key::F8);
            desk.press(Modifiers::NONE, Key::F8);
        }
    }
    desk.press(Modifiers::SHIFT, Key::N);
    assert_eq!(selected(&desk), seen[0]);
    desk.press(Modifiers::SHIFT, Key::N);
    assert_eq!(selected(&desk), seen[2]);
}

#[test]
fn the_next_packet_is_found_beyond_what_is_held() {
    let folder = big::stocked(9_000);
    let mut desk = Desk::of(Plan { policy: Policy::Adopt, folder, ..Plan::default() });
    desk.until("the newest are held", |window| !window.state().data().packets.is_empty());
    let held = desk.data().packets.front().unwrap().id;
    assert!(held.0 > 3_000, "the test is about those before {held:?}");
    // The newest of the alarms is held; one after the other leads to those that are not.
    let alarm = desk.data().packets.iter().rev().find(|row| row.kind == "alarm").unwrap().id;
    desk.press(Modifiers::NONE, Key::N);
    desk.until("the first problem of all is gone to", |window| {
        window.state().view().selection.packet == Some(PacketId(ALARM_EVERY))
    });
    desk.until("it is listed", |window| window.state().data().packet_row(PacketId(ALARM_EVERY)).is_some());
    desk.press(Modifiers::NONE, Key::N);
    desk.until("and then the next", |window| window.state().view().selection.packet == Some(PacketId(2 * ALARM_EVERY)));
    // From the cell of an alarm at the beginning to the one before the end, which is not held any more.
    desk.until("it is open", |window| window.state().data().opened.is_some());
    // Up from under the button that goes to the end.
    (0..3).for_each(|_| desk.press(Modifiers::NONE, Key::F8));
    let row = rows(&desk).into_iter().find(|row| row.contains("warn")).expect("the alarm is listed");
    desk.window.get_by_label(&row).click_secondary();
    desk.until_shown("Find previous with this");
    desk.click("Find previous with this");
    desk.until("the one before", |window| window.state().view().selection.packet == Some(PacketId(ALARM_EVERY)));
    desk.press(Modifiers::NONE, Key::N);
    while selected(&desk) != alarm {
        assert!(selected(&desk) < alarm, "{alarm:?} was passed by");
        let before = selected(&desk);
        desk.press(Modifiers::NONE, Key::N);
        desk.until("the next one", |window| window.state().view().selection.packet > Some(before));
    }
}

#[test]
fn a_search_that_finds_nothing_can_be_left_off() {
    let folder = big::stocked(60_000);
    let mut desk = Desk::of(Plan { policy: Policy::Adopt, folder, ..Plan::default() });
    desk.until("the newest are held", |window| !window.state().data().packets.is_empty());
    desk.press(Modifiers::COMMAND, Key::L);
    // The window goes on drawing while all that is held is looked through for the first time.
    desk.window.event(egui::Event::Text("[no such field] == 7".to_owned()));
    desk.rest();
    desk.press(Modifiers::NONE, Key::Escape);
    desk.window.key_press(Key::F7);
    desk.step_until("how far it is, is said", |window| {
        window.query_by_label_contains("Looking for the previous packet").is_some()
            || window.query_by_label_contains("There is no packet before").is_some()
    });
    // A fast machine has looked through all of them by now.
    if desk.window.query_by_label("Leave off").is_some() {
        desk.window.get_by_role_and_label(Role::Button, "Leave off").click();
        desk.until("nobody looks any more", |window| window.state().data().seeking.is_none());
        assert!(desk.window.query_by_label_contains("There is no packet before").is_none());
    }
    assert_eq!(desk.view().selection.packet, None);
}

#[test]
fn an_operator_that_is_written_twice_is_pointed_at() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "kind == alarm &&& speed > 5");
    desk.until_shown("at 17: &&& is no operator; && stands alone");
    let label = desk.window.get_by_label("Filter packets").accesskit_node().value();
    assert_eq!(label.as_deref(), Some("kind == alarm &&& speed > 5"), "what is typed stays");
}
