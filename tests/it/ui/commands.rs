//! The command console: what is shown before anything is sent, what is asked for, and what became of it.

use std::time::Duration;

use egui::{Key, accesskit::Role};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use wayglass::{
    model::{
        CommandId, CommandState, DeviceId, PacketId, Profile, Protocol,
        library::{Dialect, UserCommand},
    },
    ui::{Action, view::Sheet},
};

use super::stage::Stage;
use crate::support::bytes;

type Shown = Harness<'static, Stage>;

/// The console of the tracker with this number.
fn console(device: i64) -> Stage {
    let mut stage = Stage::fleet();
    stage.talk(device);
    stage.data.remote.mine = vec![UserCommand { id: 3, title: "Wake up".to_owned(), text: "WAKE,1#".to_owned() }];
    stage.view.open.sheet = Some(Sheet::Commands);
    stage
}

fn choose(harness: &mut Shown, label: &str) {
    harness.get_by_role_and_label(Role::ListItem, label).click();
    harness.run();
}

fn write(harness: &mut Shown, field: &str, text: &str) {
    harness.get_by_role_and_label(Role::TextInput, field).focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, field).type_text(text);
    harness.run();
}

fn press(harness: &mut Shown, role: Role, label: &str) {
    harness.get_by_role_and_label(role, label).click();
    harness.run();
}

/// What was asked for by a click on this button.
fn asked(harness: &mut Shown, button: &str) -> Vec<Action> {
    harness.state_mut().asked.clear();
    press(harness, Role::Button, button);
    harness.state().asked.clone()
}

fn send(device: i64, text: &str, minutes: u64, forced: bool) -> Action {
    let patience = Duration::from_mins(minutes);
    Action::SendCommand { device: DeviceId(device), text: text.to_owned(), patience, forced }
}

/// The words of everything that is shown.
fn words(harness: &Shown) -> String {
    let nodes = harness.root().children_recursive();
    let text = |node: egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().collect::<Vec<_>>()
    };
    nodes.flat_map(text).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_exact_bytes_are_shown_before_a_command_is_sent() {
    let mut harness = console(1).shown();
    choose(&mut harness, "Status: STATUS#");
    let bytes = "Bytes 787811800b00000007535441545553230001a66e0d0a";
    assert!(words(&harness).contains(bytes), "{}", words(&harness));
    assert_eq!(asked(&mut harness, "Send"), [send(1, "STATUS#", 10, false)]);
}

#[test]
fn a_parameter_that_is_missing_is_asked_for_first() {
    let mut harness = console(1).shown();
    choose(&mut harness, "SOS number: SOS,A,number#");
    assert!(words(&harness).contains("Number is missing: telephone number"), "{}", words(&harness));
    assert!(harness.query_by_role_and_label(Role::Button, "Send").is_none());
    write(&mut harness, "number", "+32470112233");
    assert_eq!(asked(&mut harness, "Send"), [send(1, "SOS,A,+32470112233#", 10, false)]);
}

#[test]
fn free_text_goes_as_it_is_and_can_be_kept() {
    let mut harness = console(1).shown();
    write(&mut harness, "Text of the command", "FENCE,B,OFF#");
    assert_eq!(asked(&mut harness, "Send"), [send(1, "FENCE,B,OFF#", 10, false)]);
    press(&mut harness, Role::Button, "Keep…");
    write(&mut harness, "Name of your command", "Fence off");
    let kept = Action::AddUserCommand { title: "Fence off".to_owned(), text: "FENCE,B,OFF#".to_owned() };
    assert_eq!(asked(&mut harness, "Keep"), std::slice::from_ref(&kept));
    // By keys alone.
    press(&mut harness, Role::Button, "Keep…");
    assert!(harness.get_by_role_and_label(Role::TextInput, "Name of your command").is_focused());
    harness.key_press(Key::Enter);
    harness.run();
    let name = harness.get_by_role_and_label(Role::TextInput, "Name of your command");
    assert!(name.is_focused(), "without a name it goes on asking");
    name.type_text("Fence off");
    harness.run();
    harness.state_mut().asked.clear();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().asked, [kept]);
    assert!(harness.query_by_role_and_label(Role::TextInput, "Name of your command").is_none());
    assert_eq!(asked(&mut harness, "Remove Wake up"), [Action::RemoveUserCommand(3)]);
    choose(&mut harness, "Wake up: WAKE,1#");
    assert_eq!(asked(&mut harness, "Send"), [send(1, "WAKE,1#", 10, false)]);
}

#[test]
fn fuel_is_cut_after_a_word_was_typed_and_never_by_itself_while_it_moves() {
    // Van 12 stands.
    let mut harness = console(2).shown();
    choose(&mut harness, "Cut fuel: RELAY,1#");
    assert_eq!(asked(&mut harness, "Send"), [], "nothing was confirmed");
    write(&mut harness, "Confirmation", "van 12");
    assert_eq!(asked(&mut harness, "Send"), [send(2, "RELAY,1#", 10, false)]);
    // One word, one command.
    assert_eq!(asked(&mut harness, "Send"), []);

    // Van 7 goes 42 km/h.
    let mut harness = console(1).shown();
    choose(&mut harness, "Cut fuel: RELAY,1#");
    assert!(words(&harness).contains("Not now: it was going 42 km/h 4 s ago"), "{}", words(&harness));
    write(&mut harness, "Confirmation", "3456");
    assert_eq!(asked(&mut harness, "Send"), []);
    press(&mut harness, Role::CheckBox, "I know, send it all the same");
    assert_eq!(asked(&mut harness, "Send"), [send(1, "RELAY,1#", 10, true)]);
}

/// Presses Enter, and tells what was asked for by that.
fn enter(harness: &mut Shown) -> Vec<Action> {
    harness.state_mut().asked.clear();
    harness.key_press(Key::Enter);
    harness.run();
    let asked = &harness.state().asked;
    asked.iter().filter(|action| !matches!(action, Action::PreviewCommand { .. })).cloned().collect()
}

/// Types where the keyboard is and presses Enter, by which nothing is asked for yet; tells what the next one asks for.
fn type_and_enter(harness: &mut Shown, text: &str) -> Vec<Action> {
    harness.event(egui::Event::Text(text.to_owned()));
    harness.run();
    assert_eq!(enter(harness), []);
    enter(harness)
}

/// Puts the keyboard on a command of the list.
fn stand_on(harness: &mut Shown, label: &str) {
    harness.get_by_role_and_label(Role::ListItem, label).focus();
    harness.run();
}

#[test]
fn one_enter_chooses_a_command_and_the_next_sends_it() {
    let mut harness = console(1).shown();
    stand_on(&mut harness, "Status: STATUS#");
    assert_eq!(enter(&mut harness), []);
    assert!(harness.get_by_role_and_label(Role::Button, "Send").is_focused());
    assert_eq!(enter(&mut harness), [send(1, "STATUS#", 10, false)]);

    // What is missing is asked for on the way.
    stand_on(&mut harness, "SOS number: SOS,A,number#");
    assert_eq!(enter(&mut harness), []);
    assert!(harness.get_by_role_and_label(Role::TextInput, "number").is_focused());
    assert_eq!(type_and_enter(&mut harness, "+32470112233"), [send(1, "SOS,A,+32470112233#", 10, false)]);

    // What a search finds first, and what was typed.
    write(&mut harness, "Text of the command", "");
    harness.get_by_role_and_label(Role::SearchInput, "Search commands").focus();
    harness.run();
    assert_eq!(type_and_enter(&mut harness, "status"), [send(1, "STATUS#", 10, false)]);
    write(&mut harness, "Text of the command", "1");
    assert_eq!(enter(&mut harness), []);
    assert_eq!(enter(&mut harness).len(), 1);
}

#[test]
fn enter_alone_never_sends_what_is_dangerous() {
    // Van 12 stands.
    let mut harness = console(2).shown();
    stand_on(&mut harness, "Cut fuel: RELAY,1#");
    for _ in 0..3 {
        assert_eq!(enter(&mut harness), []);
        assert!(harness.get_by_role_and_label(Role::TextInput, "Confirmation").is_focused());
    }
    assert_eq!(type_and_enter(&mut harness, "van 12"), [send(2, "RELAY,1#", 10, false)]);
    assert_eq!(enter(&mut harness), [], "one word, one command");

    // Van 7 goes 42 km/h.
    let mut harness = console(1).shown();
    stand_on(&mut harness, "Cut fuel: RELAY,1#");
    assert_eq!(enter(&mut harness), []);
    harness.event(egui::Event::Text("3456".to_owned()));
    harness.run();
    assert_eq!(enter(&mut harness), []);
    assert!(harness.get_by_role_and_label(Role::CheckBox, "I know, send it all the same").is_focused());
    assert_eq!(enter(&mut harness), [], "it is ticked");
    assert_eq!(enter(&mut harness), [send(1, "RELAY,1#", 10, true)]);
}

#[test]
fn the_heading_goes_when_the_text_is_edited() {
    let mut harness = console(2).shown();
    choose(&mut harness, "Cut fuel: RELAY,1#");
    // The list at the left names its rows the same way.
    let named = |harness: &Shown| harness.query_all_by_role_and_label(Role::Label, "Cut fuel").count();
    let before = named(&harness);
    write(&mut harness, "Text of the command", "X");
    assert_eq!(named(&harness) + 1, before, "{}", words(&harness));
}

#[test]
fn what_a_device_cannot_get_now_waits_as_long_as_one_wants() {
    let mut stage = console(1);
    stage.data.remote.connected.clear();
    let mut harness = stage.shown();
    choose(&mut harness, "Status: STATUS#");
    press(&mut harness, Role::ComboBox, "How long it may wait");
    press(&mut harness, Role::Button, "1 d");
    assert_eq!(asked(&mut harness, "Queue"), [send(1, "STATUS#", 24 * 60, false)]);
}

#[test]
fn the_language_bytes_are_a_switch_of_the_device() {
    let mut harness = console(1).shown();
    choose(&mut harness, "Status: STATUS#");
    harness.state_mut().asked.clear();
    press(&mut harness, Role::CheckBox, "With language bytes 00 02");
    let profile = Profile { command_language: true, ..Profile::default() };
    assert_eq!(harness.state().asked, [Action::SetProfile(DeviceId(1), profile.clone())]);
    harness.state_mut().data.devices.get_mut(&DeviceId(1)).unwrap().device.profile = profile;
    harness.run();
    // One frame asks for the bytes, the next has them.
    harness.run();
    let shown = words(&harness);
    let bytes = shown.lines().find(|line| line.starts_with("Bytes 78781380")).unwrap_or_else(|| panic!("{shown}"));
    assert!(bytes.contains("535441545553230002"), "{bytes}");
}

#[test]
fn a_tracker_is_offered_what_it_understands() {
    let listed = |dialect: Option<Dialect>| {
        let mut stage = console(1);
        stage.data.devices.get_mut(&DeviceId(1)).unwrap().device.profile.dialect = dialect;
        let harness = stage.tall();
        let rows = |label: &str| harness.query_by_role_and_label(Role::ListItem, label).is_some();
        (rows("Cut fuel: RELAY,1#"), rows("Cut fuel: DYD#"), rows("Status: STATUS#"))
    };
    assert_eq!(listed(None), (true, true, true));
    assert_eq!(listed(Some(Dialect::Dyd)), (false, true, true));
    assert_eq!(listed(Some(Dialect::Concox)), (true, false, true));
    assert_eq!(listed(Some(Dialect::Common)), (false, false, true));
}

#[test]
fn a_search_finds_commands_by_word_and_purpose() {
    let mut harness = console(1).shown();
    harness.get_by_role_and_label(Role::SearchInput, "Search commands").focus();
    harness.run();
    harness.get_by_role_and_label(Role::SearchInput, "Search commands").type_text("fuel");
    harness.run();
    assert!(harness.query_by_role_and_label(Role::ListItem, "Restore fuel: HFYD#").is_some());
    assert!(harness.query_by_role_and_label(Role::ListItem, "Status: STATUS#").is_none());
}

#[test]
fn receipts_tell_what_became_of_each_and_open_its_packet() {
    let mut stage = console(1);
    stage.data.remote.commands[3].answer_packet = Some(PacketId(1_029));
    let mut harness = stage.shown();
    let shown = words(&harness);
    for receipt in [
        "TIMER,10,60# queued, will be sent at the next login, expires in 10 min",
        "WHERE# sent, no answer yet, 19 s after it was sent",
        "RESET# cancelled, before it was sent",
        "DYD,000000# answered, after 2.1 s: DYD=Speed Limit, Speed 40km/h",
        "PARAM# expired, was not sent in time: the device did not connect",
    ] {
        assert!(shown.contains(receipt), "{receipt}\nin\n{shown}");
    }
    harness.state_mut().asked.clear();
    // The details behind the sheet list it, too.
    harness.get_all_by_label("Do not send it").last().unwrap().click();
    harness.run();
    assert_eq!(harness.state().asked, [Action::CancelCommand(CommandId(7))]);
    let answered = harness
        .get_all_by_role(Role::ListItem)
        .find(|node| node.accesskit_node().label().is_some_and(|label| label.starts_with("STATUS# answered")));
    answered.unwrap().click();
    harness.state_mut().asked.clear();
    harness.run();
    assert_eq!(harness.state().asked, [Action::ShowPacket(PacketId(1_029))]);
}

#[test]
fn a_cut_that_waits_for_the_vehicle_to_stop_says_so() {
    let mut stage = console(1);
    let waiting = &mut stage.data.remote.commands[0];
    assert_eq!(waiting.state, CommandState::Queued);
    "RELAY,1#".clone_into(&mut waiting.text);
    waiting.waits = Some("it was going 42 km/h 4 s ago".to_owned());
    let harness = stage.shown();
    let receipt = "RELAY,1# queued, waits: it was going 42 km/h 4 s ago; expires in 10 min";
    assert!(words(&harness).contains(receipt), "{}", words(&harness));
}

#[test]
fn a_window_that_looks_on_sends_nothing() {
    let mut stage = console(1);
    stage.data.station.viewer = true;
    let mut harness = stage.shown();
    choose(&mut harness, "Status: STATUS#");
    assert_eq!(asked(&mut harness, "Send"), []);
}

#[test]
fn a_wrong_checksum_is_explained_and_the_right_bytes_can_be_copied() {
    let mut stage = Stage::fleet();
    // A heartbeat whose two bytes of checksum were swapped on the way.
    stage.data.packets.back_mut().unwrap().bytes = bytes("78780a1344060400020001d4bd0d0a").into();
    stage.data.packets.back_mut().unwrap().protocol = Protocol::Gt06;
    stage.open_last_packet();
    let mut harness = stage.shown();
    let shown = words(&harness);
    for text in ["expected the checksum", "the two bytes of the checksum are swapped"] {
        assert!(shown.contains(text), "{text} in\n{shown}");
    }
    harness.state_mut().asked.clear();
    harness.get_by_label("Copy it with the right checksum").click();
    harness.run();
    let asked = &harness.state().asked;
    let [Action::Copy(text, _)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(text, "78780a1344060400020001bdd40d0a");
}
