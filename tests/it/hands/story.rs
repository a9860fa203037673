//! A whole story with the keyboard alone: a new sender is adopted, found again, its packet opened, a field of it copied, its history written.

use egui::{Key, Modifiers, OutputCommand, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::{model::DeviceState, ui::view::Sheet};

use crate::desk::{AT_HOME, Desk, Plan};
use crate::support::post;

const PHONE: &str = "owntracks/jane/phone";

/// Presses the tabulator until what has this name has the keyboard.
fn tab_to(desk: &mut Desk, label: &str) {
    for _ in 0..60 {
        let node = desk.window.root().children_recursive().find(|n| n.accesskit_node().is_focused());
        if node.is_some_and(|n| n.accesskit_node().label().as_deref() == Some(label)) {
            return;
        }
        desk.press(Modifiers::NONE, Key::Tab);
    }
    panic!("the tabulator does not lead to {label}");
}

#[test]
fn from_a_new_sender_to_its_file_without_a_mouse() {
    let mut desk = Desk::of(Plan { size: [1024.0, 640.0], ..Plan::default() });
    desk.until_shown("Connect something");
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until_shown("1 new sender");
    // Its row is in the tabulator's way; Enter adopts.
    tab_to(&mut desk, &format!("New sender {PHONE}"));
    desk.press(Modifiers::NONE, Key::Enter);
    desk.until("it is adopted", |window| {
        window.state().data().devices.values().all(|d| d.device.state == DeviceState::Adopted)
    });
    // The palette finds it by a few letters.
    desk.press(Modifiers::COMMAND, Key::K);
    desk.type_text("jn ph");
    let row = desk.window.get_by_role_and_label(Role::ListBoxOption, PHONE);
    assert!(desk.window.ctx.content_rect().contains_rect(row.rect()), "all of it is in view");
    desk.press(Modifiers::NONE, Key::Enter);
    assert!(desk.view().selection.device.is_some());
    // Its packets: the palette's second step.
    desk.press(Modifiers::COMMAND, Key::K);
    desk.type_text("jane");
    desk.press(Modifiers::NONE, Key::Tab);
    desk.type_text("last packet");
    desk.press(Modifiers::NONE, Key::Enter);
    desk.until("its packet is open", |window| window.state().data().opened.is_some());
    assert!(desk.view().open.dock);
    // A field: over to the fields, down to one with a value.
    for _ in 0..6 {
        desk.press(Modifiers::NONE, Key::F6);
        desk.window.run();
        let fields = desk.window.get_by_label("Fields");
        if fields.accesskit_node().is_focused() {
            break;
        }
    }
    let name = |desk: &Desk| {
        let opened = desk.window.state().data().opened.as_ref().expect("open");
        desk.view()
            .selection
            .field
            .and_then(|n| opened.dissection.fields.get(n))
            .map(|f| (f.name.to_string(), f.text()))
    };
    let mut field = None;
    for _ in 0..40 {
        desk.press(Modifiers::NONE, Key::ArrowDown);
        field = name(&desk);
        if field.as_ref().is_some_and(|(name, _)| name.to_lowercase().contains("lat")) {
            break;
        }
    }
    let (name, value) = field.expect("a field");
    assert!(name.to_lowercase().contains("lat"), "{name}");
    desk.window.event(egui::Event::Copy);
    desk.window.step();
    let copied = desk.window.output().platform_output.commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    assert_eq!(copied, Some(value));
    desk.window.run();
    // Its history into a file.
    desk.press(Modifiers::COMMAND, Key::E);
    assert_eq!(desk.view().open.sheet, Some(Sheet::Export));
    tab_to(&mut desk, "File to write");
    desk.press(Modifiers::COMMAND, Key::A);
    let file = desk.folder.path().join("jane.gpx");
    desk.window.event(egui::Event::Text(file.to_str().unwrap().to_owned()));
    desk.window.run();
    tab_to(&mut desk, "Export");
    desk.press(Modifiers::NONE, Key::Enter);
    desk.until("it is written", |_| file.exists());
    desk.press(Modifiers::NONE, Key::Escape);
    assert_eq!(desk.view().open.sheet, None);
    assert!(std::fs::read_to_string(file).unwrap().contains("<trkpt lat=\"51.1234\" lon=\"4.3912\">"));
}
