//! The command console, the profile and the clock: what is shown before anything is sent, and what is asked for.

use std::time::Duration;

use egui::accesskit::Role;
use egui_kittest::{Harness, kittest::Queryable as _};
use wayglass::{
    model::{CommandId, DeviceId, library::UserCommand},
    ui::{Action, view::Sheet},
};

use super::stage::Stage;

type Shown = Harness<'static, Stage>;

fn console(device: i64) -> Stage {
    let mut stage = Stage::fleet();
    stage.talk(device);
    stage.data.remote.mine = vec![UserCommand { id: 3, title: "Wake up".to_owned(), text: "WAKE,1#".to_owned() }];
    stage.view.open.sheet = Some(Sheet::Commands);
    stage
}

fn click(harness: &mut Shown, label: &str) {
    harness.get_by_label(label).click();
    harness.run();
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

/// What was asked for by a click on this button.
fn asked(harness: &mut Shown, button: &str) -> Vec<Action> {
    harness.state_mut().asked.clear();
    harness.get_by_role_and_label(Role::Button, button).click();
    harness.run();
    harness.state().asked.clone()
}

fn send(device: i64, text: &str, forced: bool) -> Action {
    Action::SendCommand { device: DeviceId(device), text: text.to_owned(), patience: Duration::from_mins(10), forced }
}

#[test]
fn the_exact_bytes_are_shown_before_a_command_is_sent() {
    let mut harness = console(1).shown();
    choose(&mut harness, "Status: STATUS#");
    harness.get_by_label("Bytes 7878 11 80 0b 00000007 535441545553 23 0001 0000 0d0a".replace(' ', "").as_str());
    assert_eq!(asked(&mut harness, "Send"), [send(1, "STATUS#", false)]);
}

#[test]
fn pictures_of_the_console() {
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        for (width, height) in [(1440.0, 900.0), (1024.0, 640.0)] {
            let mut harness = console(1).drawn(width, height, dark);
            harness.run_steps(6);
            choose(&mut harness, "Cut fuel: RELAY,1#");
            harness.run_steps(4);
            crate::support::picture(&mut harness, &format!("cut-{theme}-{width}.png"));
            choose(&mut harness, "Server: SERVER,mode,host,port,0#");
            write(&mut harness, "host", "gps.example.org");
            crate::support::picture(&mut harness, &format!("server-{theme}-{width}.png"));
            let mut stage = console(1);
            stage.view.open.sheet = Some(Sheet::Profile);
            let mut harness = stage.drawn(width, height, dark);
            harness.run_steps(6);
            crate::support::picture(&mut harness, &format!("profile-{theme}-{width}.png"));
            let mut stage = console(1);
            stage.view.open.sheet = None;
            let mut harness = stage.drawn(width, height, dark);
            harness.run_steps(6);
            crate::support::picture(&mut harness, &format!("details-{theme}-{width}.png"));
        }
    }
    let _ = (CommandId(1), click as fn(&mut Shown, &str));
}
