//! The filter of the packets, typed, completed and clicked; what is written about a packet.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::model::Policy;

use crate::{
    desk::{AT_HOME, Desk, Plan, TRACKER},
    support::post,
};

const POSITION: &str = "78781f120f0a140e150bc505e51e780293a9e800540000f601006e0055da00035f240d0a";
/// The position with one bit flipped in its speed.
const BAD_CHECKSUM: &str = "78781f120f0a140e150bc505e51e780293a9e801540000f601006e0055da00035f240d0a";
pub(super) const ALARM: &str = "787825260f0c1d030b26c9027ac8180c4658600004000901cc00287d001f718004041302000c472a0d0a";

/// A phone and a tracker that told a position, an alarm and a frame that is wrong.
pub(super) fn busy(folder: tempfile::TempDir) -> Desk {
    let mut desk = Desk::of(Plan { policy: Policy::Adopt, folder, ..Plan::default() });
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    let mut tracker = desk.log_in();
    for frame in [POSITION, ALARM, BAD_CHECKSUM] {
        tracker.send(frame);
    }
    desk.until("all is held", |window| {
        let packets = &window.state().data().packets;
        packets.iter().any(|p| p.kind == "alarm") && packets.iter().any(|p| p.verdict.as_str() == "error")
    });
    desk
}

pub fn filter_by(desk: &mut Desk, text: &str) {
    desk.press(Modifiers::COMMAND, Key::L);
    desk.press(Modifiers::COMMAND, Key::A);
    desk.type_text(text);
}

fn filter_text(desk: &Desk) -> String {
    desk.window.get_by_label("Filter packets").value().unwrap_or_default()
}

pub(super) fn rows(desk: &Desk) -> Vec<String> {
    let list = desk.window.get_by_role_and_label(Role::ListBox, "Packets");
    let rows = desk.window.query_all_by_role(Role::ListBoxOption);
    rows.filter(|row| list.rect().contains_rect(row.rect().shrink(1.0)))
        .filter_map(|row| row.accesskit_node().label())
        .collect()
}

#[test]
fn a_mistake_is_pointed_at_and_the_keyboard_completes() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    let all = rows(&desk).len();
    assert!(all >= 5, "{:?}", rows(&desk));
    filter_by(&mut desk, "sped > 5");
    desk.until_shown("at 1: no field is called sped; is speed meant?");
    filter_by(&mut desk, "kind == alarm && speed > fast");
    desk.until_shown("at 26: speed is a number in km/h, not fast");
    // Offers do not hide what is wrong.
    filter_by(&mut desk, "kind == alarm && sp");
    filter_by(&mut desk, "kind == alarm && len > 3 && verdict == ");
    desk.until_shown("Offer error");
    let said = "at 40: ";
    assert_eq!(desk.window.query_all_by_label_contains(said).count(), 1);
    let (said, offer) = (desk.window.get_by_label_contains(said).rect(), desk.window.get_by_label("Offer ok").rect());
    assert!(said.bottom() <= offer.top() && said.left() >= offer.left() - 8.0, "{said:?} above {offer:?}");
    // What was valid last goes on.
    filter_by(&mut desk, "verd");
    desk.until_shown("Offer verdict");
    desk.press(Modifiers::NONE, Key::Tab);
    desk.type_text(">= e");
    desk.until_shown("Offer error");
    desk.press(Modifiers::NONE, Key::ArrowDown);
    desk.press(Modifiers::NONE, Key::ArrowUp);
    desk.press(Modifiers::NONE, Key::Enter);
    assert_eq!(filter_text(&desk), "verdict >= error ");
    desk.until("the wrong frame is left", |window| window.query_by_label_contains("1 of ").is_some());
    let left = rows(&desk);
    assert!(left.len() == 1 && left[0].ends_with("error"), "{left:?}");
}

#[test]
fn alarms_of_one_device_are_found_opened_and_excluded() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, &format!("kind == alarm && dev == {TRACKER}"));
    desk.until("the alarm is left", |window| window.query_by_label_contains("1 of ").is_some());
    let alarm = rows(&desk).remove(0);
    desk.click(&alarm);
    desk.until("it is open with its place", |window| {
        window.state().data().opened.as_ref().is_some_and(|opened| !opened.fixes.is_empty())
    });
    let device = desk.data().opened.as_ref().unwrap().row.device.unwrap();
    assert_eq!(desk.data().devices[&device].device.identity.as_str(), TRACKER);
    // From its cell: the same again, then everything else.
    filter_by(&mut desk, "");
    desk.press(Modifiers::NONE, Key::Backspace);
    desk.until("all are back", |window| window.query_by_label_contains("1 of ").is_none());
    desk.window.get_by_label(&alarm).click_secondary();
    desk.window.run();
    desk.click("Exclude this");
    desk.until("it is left out", |window| window.query_by_label(&alarm).is_none());
    assert!(filter_text(&desk).starts_with("!("), "{}", filter_text(&desk));
    assert!(!rows(&desk).is_empty());
}

#[test]
fn a_mark_and_a_comment_outlive_the_window() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "kind == alarm");
    desk.until("the alarm is left", |window| window.query_by_label_contains("1 of ").is_some());
    let alarm = rows(&desk).remove(0);
    desk.click(&alarm);
    desk.press(Modifiers::NONE, Key::M);
    desk.until("it is marked", |window| window.state().data().notes.all().any(|(_, note)| note.marked));
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.until("it is not", |window| window.state().data().notes.all().next().is_none());
    desk.press(Modifiers::NONE, Key::M);
    desk.until("it is again", |window| window.state().data().notes.all().any(|(_, note)| note.marked));
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::M);
    desk.type_text("why at night?");
    desk.click("Save");
    let written = |window: &egui_kittest::Harness<'static, wayglass::ui::App>| {
        window.state().data().notes.all().any(|(_, note)| note.marked && note.comment == "why at night?")
    };
    desk.until("it is written", written);
    let Desk { window, folder, .. } = desk;
    drop(window);
    let mut desk = Desk::of(Plan { policy: Policy::Adopt, folder, ..Plan::default() });
    desk.until("it is still there", written);
    filter_by(&mut desk, "marked && comment contains night");
    desk.until("it is found", |window| window.query_by_label_contains("1 of ").is_some());
    assert!(rows(&desk)[0].contains("why at night?"), "{:?}", rows(&desk));
}

#[test]
fn a_field_becomes_a_column_and_a_filter_is_saved() {
    let mut desk = busy(tempfile::tempdir().unwrap());
    filter_by(&mut desk, "kind == alarm");
    desk.until("the alarm is left", |window| window.query_by_label_contains("1 of ").is_some());
    desk.click("Saved filters");
    desk.click("Save this filter as");
    desk.type_text("Night");
    desk.click("Save the filter");
    let saved = &desk.view().packets.saved;
    assert_eq!((saved.len(), saved[0].name.as_str(), saved[0].filter.as_str()), (1, "Night", "kind == alarm"));
    let alarm = rows(&desk).remove(0);
    desk.click(&alarm);
    desk.until("it is open", |window| window.state().data().opened.is_some());
    let latitude = |label: &String| label.starts_with("Latitude");
    let named = desk
        .window
        .get_all_by_role(Role::TreeItem)
        .filter_map(|field| field.accesskit_node().label())
        .find(latitude)
        .unwrap();
    desk.window.get_by_label(&named).click_secondary();
    let name = "Latitude";
    desk.window.run();
    desk.click("Show as column");
    let wanted = format!("Column {name}");
    desk.until_shown(&wanted);
    // Its header takes it away again.
    desk.window.get_by_label(&wanted).click_secondary();
    desk.window.run();
    desk.click("Hide this column");
    desk.until("it is gone", |window| window.query_by_label(&wanted).is_none());
    let times = desk.view().packets.time;
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::T);
    assert_ne!(desk.view().packets.time, times);
}
