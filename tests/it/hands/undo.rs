//! What was done is taken back, and done again, with everything it brings.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use wayglass::{
    model::{DeviceState, Policy},
    ui::view::{Sheet, ThemeChoice},
};

use crate::desk::{AT_HOME, Desk, TRACKER};
use crate::support::post;

const UNDO: (Modifiers, Key) = (Modifiers::COMMAND, Key::Z);
const PHONE: &str = "owntracks/jane/phone";

fn redo() -> (Modifiers, Key) {
    (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z)
}

fn undo(desk: &mut Desk) {
    desk.press(UNDO.0, UNDO.1);
}

#[test]
fn a_decision_about_a_sender_is_taken_back_and_made_again() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    undo(&mut desk);
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until_shown("1 new sender");
    let is = |state| {
        move |window: &egui_kittest::Harness<'static, wayglass::ui::App>| {
            window.state().data().devices.values().all(|d| d.device.state == state)
        }
    };
    desk.click(&format!("Adopt {PHONE}"));
    desk.until_shown("Adopted owntracks/jane/phone, 1 position");
    desk.click(&format!("Undo: {PHONE} is among the new senders again"));
    desk.until("it is new", is(DeviceState::New));
    desk.until_shown("1 new sender");
    desk.press(redo().0, redo().1);
    desk.until("it is adopted", is(DeviceState::Adopted));
    undo(&mut desk);
    desk.until_shown("1 new sender");
    desk.click(&format!("Ignore {PHONE}"));
    // It is said at once, and not for long.
    desk.window.get_by_label("Ignored owntracks/jane/phone");
    desk.until("it is ignored", is(DeviceState::Ignored));
    undo(&mut desk);
    desk.until("it is new again", is(DeviceState::New));
    undo(&mut desk);
    desk.window.run();
    assert!(desk.view().undo.is_none(), "nothing is left to take back");
}

#[test]
fn one_click_for_many_is_one_step() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    let tracker = desk.log_in();
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until_shown("2 new senders");
    desk.click("Adopt all");
    desk.until_shown("Adopted 2 devices, 1 position");
    undo(&mut desk);
    desk.until_shown("2 new senders");
    drop(tracker);
}

#[test]
fn a_name_comes_back_and_typing_is_the_fields_own_business() {
    let mut desk = Desk::open(Policy::Adopt);
    let tracker = desk.log_in();
    desk.until("it is listed", |window| window.query_by_role_and_label(Role::ListItem, TRACKER).is_some());
    desk.window.get_by_role_and_label(Role::ListItem, TRACKER).click();
    desk.window.run();
    let rename = |desk: &mut Desk, name: &str| {
        desk.click("Rename");
        desk.press(Modifiers::COMMAND, Key::A);
        desk.window.get_by_label("Name of the device").type_text(name);
        desk.window.run();
        // What is being typed is the field's own business.
        undo(desk);
        desk.window.get_by_label("Name of the device").type_text(name);
        desk.window.run();
        desk.window.key_press(Key::Enter);
    };
    rename(&mut desk, "Van 7");
    desk.until("it has its name", |window| window.query_by_role_and_label(Role::ListItem, "Van 7").is_some());
    undo(&mut desk);
    desk.until("it has none", |window| window.query_by_role_and_label(Role::ListItem, TRACKER).is_some());
    desk.press(redo().0, redo().1);
    desk.until("it has it again", |window| window.query_by_role_and_label(Role::ListItem, "Van 7").is_some());
    drop(tracker);
}

#[test]
fn settings_go_back_without_a_word() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    desk.press(Modifiers::NONE, Key::F10);
    assert_eq!(desk.view().open.sheet, Some(Sheet::Settings));
    desk.click("Dark");
    desk.click("Miles and feet");
    let theme = |desk: &Desk| desk.view().settings.theme;
    let before = wayglass::ui::view::Settings::default();
    undo(&mut desk);
    assert_eq!((theme(&desk), desk.view().settings.units), (ThemeChoice::Dark, before.units));
    undo(&mut desk);
    assert_eq!(desk.view().settings, before);
    desk.press(redo().0, redo().1);
    assert_eq!(theme(&desk), ThemeChoice::Dark);
    let policy = |desk: &Desk| desk.window.state().data().station.policy;
    desk.click("Only known");
    assert_eq!(policy(&desk), Policy::Strict);
    desk.click("Undo: New senders wait until you decide");
    assert_eq!(policy(&desk), Policy::Ask);
}
