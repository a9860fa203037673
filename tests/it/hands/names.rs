//! Whatever can be pressed, typed into or reached by the tabulator has a name that a screen reader can say, in every pane and sheet.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use wayglass::model::Policy;

use crate::desk::{AT_HOME, Desk, TRACKER};
use crate::support::post;

/// What a user acts on.
const ACTIVE: [Role; 15] = [
    Role::Button,
    Role::CheckBox,
    Role::RadioButton,
    Role::ComboBox,
    Role::TextInput,
    Role::MultilineTextInput,
    Role::Slider,
    Role::SpinButton,
    Role::Link,
    Role::Tab,
    Role::ListItem,
    Role::ListBoxOption,
    Role::TreeItem,
    Role::MenuItem,
    Role::Canvas,
];

/// What has no name although one can act on it, with its place.
fn nameless(desk: &Desk) -> Vec<String> {
    let screen = desk.window.ctx.content_rect();
    let nodes = desk.window.root().children_recursive();
    nodes
        .filter(|node| {
            let inner = node.accesskit_node();
            let named = [inner.label(), inner.value()].into_iter().flatten().any(|text| !text.trim().is_empty());
            let active = ACTIVE.contains(&inner.role()) || inner.is_focused();
            active && !named && !inner.is_hidden() && screen.intersects(node.rect())
        })
        .map(|node| format!("{:?} at {}", node.accesskit_node().role(), node.rect()))
        .collect()
}

#[test]
fn everything_one_can_act_on_has_a_name() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    assert_eq!(nameless(&desk), Vec::<String>::new(), "the first screen");
    let mut tracker = desk.log_in();
    tracker.send("78780D01012345678901234500028CDE0D0A");
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until_shown("2 new senders");
    assert_eq!(nameless(&desk), Vec::<String>::new(), "new senders");
    desk.click("Adopt all");
    desk.until("both are listed", |window| window.query_by_role_and_label(Role::ListItem, TRACKER).is_some());
    desk.window.get_by_role_and_label(Role::ListItem, TRACKER).click();
    desk.press(Modifiers::NONE, Key::F7);
    desk.until("a packet is open", |window| window.state().data().opened.is_some());
    assert_eq!(nameless(&desk), Vec::<String>::new(), "a packet");
    let command = Modifiers::COMMAND;
    for (modifiers, key, sheet) in [
        (command, Key::K, "the palette"),
        (command, Key::E, "export"),
        (command, Key::O, "import"),
        (command, Key::M, "maps"),
        (command, Key::S, "a copy"),
        (command, Key::I, "the profile"),
        (Modifiers::NONE, Key::C, "commands"),
        (command, Key::P, "another phone"),
        (command, Key::U, "phones"),
        (command | Modifiers::SHIFT, Key::P, "places"),
        (command | Modifiers::SHIFT, Key::R, "rules"),
        (Modifiers::NONE, Key::F9, "health"),
        (Modifiers::NONE, Key::F10, "settings"),
        (Modifiers::NONE, Key::F1, "keys"),
    ] {
        desk.window.key_press_modifiers(modifiers, key);
        desk.window.run_ok();
        assert!(desk.view().open.sheet.is_some(), "{sheet}");
        assert_eq!(nameless(&desk), Vec::<String>::new(), "{sheet}");
        for _ in 0..5 {
            if desk.view().open.sheet.is_some() {
                desk.window.key_press(Key::Escape);
                desk.window.run_ok();
            }
        }
        assert_eq!(desk.view().open.sheet, None, "{sheet} closes");
    }
    desk.press(command | Modifiers::SHIFT, Key::E);
    assert_eq!(nameless(&desk), Vec::<String>::new(), "events");
    desk.press(command, Key::L);
    // The tabulator leads to named things only, and comes around.
    let mut met = Vec::new();
    for _ in 0..120 {
        desk.press(Modifiers::NONE, Key::Tab);
        let node = desk.window.root().children_recursive().find(|node| node.accesskit_node().is_focused());
        let Some(node) = node else { continue };
        let node = node.accesskit_node();
        let name = node.label().or_else(|| node.value()).unwrap_or_default();
        assert!(!name.trim().is_empty(), "nameless {:?} after {:?}", node.role(), met.last());
        met.push(name);
    }
    assert!(met.len() > 60, "the tabulator is stuck: {met:?}");
    drop(tracker);
}
