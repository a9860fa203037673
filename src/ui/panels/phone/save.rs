//! A small file of the user's own: a button, and a path for where there is no file dialog.

use std::path::{Path, PathBuf};

use egui::{Align, Label, Layout, RichText, TextEdit, Ui, WidgetInfo, accesskit::Role};

use crate::ui::{
    Action, Cx,
    icons::Icon,
    panels::export::{dialog::Browse, documents},
    theme, widgets,
};

/// Where to, while that is being chosen.
#[derive(Default)]
pub(in crate::ui::panels) struct Saver {
    path: Option<String>,
    browse: Browse,
    asked: bool,
}

impl Saver {
    /// The button that opens it; `name` is the file's name to begin with.
    pub(in crate::ui::panels) fn button(&mut self, ui: &mut Ui, cx: &Cx<'_>, text: &str, name: &str) {
        if ui.add(widgets::labelled(Icon::Export, text)).clicked() {
            self.asked = false;
            self.path = match self.path {
                Some(_) => None,
                None => Some(documents(cx).join(name).display().to_string()),
            };
        }
    }

    /// The path and what came of it, where it is open.
    pub(in crate::ui::panels) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, bytes: &[u8]) {
        let Some(path) = &mut self.path else { return };
        if let Some(picked) = self.browse.picked(ui.input(|i| i.time)) {
            *path = picked.display().to_string();
        }
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let save = widgets::primary(ui, None, "Save");
                if ui.add_enabled(!path.trim().is_empty(), save).clicked() {
                    self.asked = true;
                    cx.ask(Action::Save { to: PathBuf::from(path.trim()), bytes: bytes.into() });
                }
                if self.browse.button(ui) {
                    self.browse.save(ui.ctx().clone(), "Save to", Path::new(path.as_str()));
                }
                let field = ui.add(TextEdit::singleline(path).desired_width(f32::INFINITY));
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "File to write"));
            });
        });
        self.browse.note(ui);
        let p = theme::palette(ui);
        match cx.data.phones.saved.as_ref().filter(|_| self.asked) {
            Some(Ok(to)) => {
                ui.add(Label::new(RichText::new(format!("Saved {}", to.display())).color(p.parked)).wrap());
            }
            Some(Err(why)) => {
                ui.add(Label::new(RichText::new(format!("Not saved: {why}")).color(p.alarm)).wrap());
            }
            None => {}
        }
    }
}
