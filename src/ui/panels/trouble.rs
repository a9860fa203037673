//! What is said all the time where nothing can be stored: why, what that means for the devices, and what to do.

use egui::Ui;

use crate::{
    backend::Error,
    ui::{Action, Cx, icons::Icon, theme, view::Sheet, widgets},
};

/// The banner over everything else.
pub(super) fn banner(ui: &mut Ui, cx: &mut Cx<'_>, trouble: &Error) {
    let p = theme::palette(ui);
    let (what, then) = match trouble {
        Error::Full => (
            "The disk is full: nothing is stored.".to_owned(),
            "Devices get no answer, so they keep their reports and send them again. Make room; it goes on by itself.",
        ),
        Error::Locked => (
            "Another program holds the database: nothing is stored.".to_owned(),
            "Devices get no answer, so they keep their reports and send them again. It goes on by itself.",
        ),
        Error::Died => (
            "A fault in this program ended its writer: nothing is stored.".to_owned(),
            "Devices get no answer, so they keep their reports. Close Wayglass and start it again.",
        ),
        Error::Damaged(why) => (
            format!("The database is damaged ({why}): nothing is stored."),
            "Devices get no answer, so they keep their reports. Start Wayglass again: it sets the file aside and saves what can be read.",
        ),
        Error::Open { .. } => (format!("Nothing is received: {trouble}."), "This window only shows what can be read."),
        other => (
            format!("Nothing is stored: {other}."),
            "Devices get no answer, so they keep their reports and send them again.",
        ),
    };
    widgets::banner(ui, Icon::Warning, p.fault, p.alarm, |ui| {
        ui.label(widgets::strong(ui, what));
        ui.label(then);
        if ui.button("Health").clicked() {
            cx.ask(Action::Sheet(Some(Sheet::Health)));
        }
    });
}
