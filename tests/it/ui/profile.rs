//! The profile of a tracker, the clock doctor's card, and what is said about lost frames.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::{Harness, kittest::Queryable as _};
use wayglass::{
    backend::Rederiving,
    model::{AlarmTable, ClockAdvice, ClockExample, DeviceId, Profile, SupplyVoltage, library::Dialect},
    ui::{Action, view::Sheet},
};

use super::stage::Stage;

type Shown = Harness<'static, Stage>;

fn editor() -> Shown {
    let mut stage = Stage::fleet();
    stage.select(1);
    stage.view.open.sheet = Some(Sheet::Profile);
    stage.shown()
}

fn press(harness: &mut Shown, role: Role, label: &str) {
    harness.get_by_role_and_label(role, label).click();
    harness.run();
}

fn pick(harness: &mut Shown, choice: &str, one: &str) {
    press(harness, Role::ComboBox, choice);
    press(harness, Role::Button, one);
}

fn write(harness: &mut Shown, field: &str, text: &str) {
    harness.get_by_role_and_label(Role::TextInput, field).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, field).type_text(text);
    harness.run();
}

fn asked(harness: &mut Shown, button: &str) -> Vec<Action> {
    harness.state_mut().asked.clear();
    press(harness, Role::Button, button);
    harness.state().asked.clone()
}

#[test]
fn a_profile_is_chosen_and_applied_as_a_whole() {
    let mut harness = editor();
    assert_eq!(asked(&mut harness, "Apply"), [], "nothing was changed");
    write(&mut harness, "Model", "LW4G");
    pick(&mut harness, "Clock", "Runs in this zone");
    write(&mut harness, "Zone of its clock", "+8");
    pick(&mut harness, "Alarms", AlarmTable::Seeworld.title());
    pick(&mut harness, "Supply", SupplyVoltage::Tenths.title());
    pick(&mut harness, "Commands", Dialect::Dyd.title());
    harness.get_by_label_contains("Its 30 packets are read again");
    let profile = Profile {
        model: Some("LW4G".to_owned()),
        clock_offset_s: Some(28_800),
        alarms: Some(AlarmTable::Seeworld),
        supply: Some(SupplyVoltage::Tenths),
        dialect: Some(Dialect::Dyd),
        command_language: false,
        ..Profile::default()
    };
    assert_eq!(asked(&mut harness, "Apply"), [Action::SetProfile(DeviceId(1), profile)]);
}

#[test]
fn what_changes_no_reading_reads_nothing_again() {
    let mut harness = editor();
    pick(&mut harness, "Commands", Dialect::Concox.title());
    assert!(harness.query_by_label_contains("are read again").is_none());
}

#[test]
fn a_zone_that_is_none_is_not_applied() {
    let mut harness = editor();
    pick(&mut harness, "Clock", "Runs in this zone");
    write(&mut harness, "Zone of its clock", "east");
    harness.get_by_label("Write it as +08:00 or -3:30");
    assert_eq!(asked(&mut harness, "Apply"), []);
    write(&mut harness, "Zone of its clock", "-3:30");
    press(&mut harness, Role::Button, "+");
    let profile = Profile { clock_offset_s: Some(-11_700), ..Profile::default() };
    assert_eq!(asked(&mut harness, "Apply"), [Action::SetProfile(DeviceId(1), profile)]);
}

#[test]
fn a_model_can_be_taken_from_those_that_are_known() {
    let mut harness = editor();
    press(&mut harness, Role::Button, "Known…");
    press(&mut harness, Role::Button, "G18");
    let profile = Profile { model: Some("G18".to_owned()), ..Profile::default() };
    assert_eq!(asked(&mut harness, "Apply"), [Action::SetProfile(DeviceId(1), profile)]);
}

#[test]
fn menus_stay_above_a_sheet_that_is_opened_again() {
    let mut harness = editor();
    for _ in 0..2 {
        let shown = |harness: &Shown| harness.ctx.memory(|memory| memory.areas().visible_layer_ids());
        let before = shown(&harness);
        // Pressed and released in one frame: menu and sheet are raised in the same.
        let at = harness.get_by_role_and_label(Role::Button, "Known…").rect().center();
        for pressed in [true, false] {
            harness.input_mut().events.push(egui::Event::PointerMoved(at));
            let modifiers = Modifiers::NONE;
            harness.input_mut().events.push(egui::Event::PointerButton {
                pos: at,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers,
            });
        }
        harness.run();
        let menus: Vec<_> = shown(&harness)
            .difference(&before)
            .filter(|layer| layer.order == egui::Order::Foreground)
            .copied()
            .collect();
        assert_eq!(menus.len(), 1, "{menus:?}");
        assert!(harness.ctx.memory(|memory| memory.is_above_modal_layer(menus[0])));
        harness.key_press(Key::Escape);
        harness.run();
        harness.state_mut().view.open.sheet = None;
        harness.run();
        harness.state_mut().view.open.sheet = Some(Sheet::Profile);
        harness.run();
    }
}

/// A tracker whose clock runs eight hours ahead.
fn ahead() -> Stage {
    let mut stage = Stage::fleet();
    stage.select(1);
    let example = |ago: i64| ClockExample {
        received: stage.ago(ago),
        before: stage.ago(ago + 2 - 28_800),
        after: stage.ago(ago + 2),
    };
    let advice = ClockAdvice {
        offset_s: 28_800,
        error_s: 28_798,
        samples: 50,
        agreeing: 49,
        examples: vec![example(4), example(64), example(124)],
    };
    stage.data.remote.advice = Some((DeviceId(1), advice));
    stage
}

#[test]
fn a_clock_that_is_wrong_is_shown_before_and_after() {
    let mut harness = ahead().shown();
    for label in ["Its times are 8 h ahead", "By 49 of its last 50 live frames."] {
        harness.get_by_label(label);
    }
    // In history now, and as it would be.
    for time in ["22:02:25", "14:02:25"] {
        harness.get_by_label(time);
    }
    assert_eq!(asked(&mut harness, "Set to UTC+08:00"), [Action::ApplyClock(DeviceId(1), 28_800)]);
    assert_eq!(asked(&mut harness, "Leave it"), [Action::DismissClock(DeviceId(1), 28_800)]);
}

#[test]
fn nothing_is_proposed_twice_nor_for_another_nor_while_history_is_read() {
    let hidden = |change: fn(&mut Stage)| {
        let mut stage = ahead();
        change(&mut stage);
        stage.shown().query_by_label_contains("Its times are").is_none()
    };
    assert!(!hidden(|_| {}));
    assert!(hidden(|stage| stage.data.remote.dismissed = [(DeviceId(1), 28_800)].into()));
    assert!(hidden(|stage| stage.select(2)));
    assert!(hidden(|stage| {
        let work = Rederiving { device: DeviceId(1), done: 256, total: 1_204 };
        stage.data.remote.rereads.insert(DeviceId(1), work);
    }));
}

#[test]
fn the_way_through_history_is_shown() {
    let mut stage = ahead();
    stage.data.remote.rereads.insert(DeviceId(1), Rederiving { device: DeviceId(1), done: 256, total: 1_204 });
    stage.shown().get_by_label("Reading its packets again: 256 of 1,204");
}

#[test]
fn lost_frames_are_told_where_there_are_some() {
    let mut stage = Stage::fleet();
    stage.select(1);
    stage.data.devices.get_mut(&DeviceId(1)).unwrap().lost_frames = 1_204;
    let harness = stage.tall();
    harness.get_by_label("Lost frames");
    harness.get_by_label("1,204");
    let mut stage = Stage::fleet();
    stage.select(1);
    assert!(stage.tall().query_by_label("Lost frames").is_none());
}
