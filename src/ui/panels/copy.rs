//! The sheet that saves a copy of everything.

use std::path::{Path, PathBuf};

use egui::{Align, Context, Label, Layout, ProgressBar, RichText, Role, TextEdit, Ui, WidgetInfo};

use super::export::{dialog::Browse, documents};
use crate::{
    backend::{Copied, CopyError, Stage},
    model::bytes_text,
    ui::{Action, Cx, icons::Icon, theme, widgets},
};

/// The sheet and what is being chosen in it.
#[derive(Default)]
pub(in crate::ui) struct SaveCopy {
    path: String,
    /// The path was typed or picked, so it is not replaced by a suggestion.
    path_is_mine: bool,
    /// The system's dialog asked whether this file may go.
    agreed: Option<PathBuf>,
    state: State,
    browse: Browse,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Choosing,
    Saving,
    Done(Copied),
    /// Something has this name.
    Exists,
    Failed(String),
}

impl SaveCopy {
    /// The answer to [`Action::SaveCopy`].
    pub(in crate::ui) fn finished(&mut self, result: Result<Copied, CopyError>) {
        self.state = match result {
            Ok(copied) => State::Done(copied),
            Err(CopyError::Exists(_)) => State::Exists,
            Err(error) => State::Failed(error.to_string()),
        };
    }

    /// Opens the system's file dialog. Where there is none the path field remains.
    pub(in crate::ui) fn browse(&mut self, ctx: Context, name: &Path) {
        self.browse.save(ctx, "Save a copy", name);
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if let Some(path) = self.browse.picked(ui.input(|i| i.time)) {
            self.path = path.display().to_string();
            self.path_is_mine = true;
            self.agreed = Some(path);
            self.state = State::Choosing;
        }
        if !self.path_is_mine {
            let day = cx.now.to_zoned(cx.view.zone()).strftime("%Y-%m-%d").to_string();
            self.path = documents(cx).join(format!("Wayglass {day}.db")).display().to_string();
        }
        ui.set_width(540.0);
        ui.add(
            Label::new("Everything as of now in one file: devices, positions, packets, commands, keys of phones.")
                .wrap(),
        );
        let more = "What arrives meanwhile goes on being stored. The copy is checked after it was written.";
        ui.add(Label::new(widgets::weak(ui, more)).wrap());
        ui.add_space(theme::GAP);
        let saving = matches!(self.state, State::Saving);
        ui.add_enabled_ui(!saving, |ui| self.file(ui, cx));
        self.browse.note(ui);
        ui.add_space(theme::GAP);
        self.result(ui, cx);
        ui.horizontal(|ui| self.buttons(ui, cx));
    }

    fn file(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.horizontal(|ui| {
            ui.label(widgets::weak(ui, "File"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if self.browse.button(ui) {
                    cx.ask(Action::BrowseCopy(PathBuf::from(&self.path)));
                }
                let field = ui.add(TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY));
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "File of the copy"));
                if field.changed() {
                    self.path_is_mine = true;
                    self.state = State::Choosing;
                }
            });
        });
    }

    fn result(&self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let p = theme::palette(ui);
        let say = |ui: &mut Ui, text: String, colour| ui.add(Label::new(RichText::new(text).color(colour)).wrap());
        match &self.state {
            State::Choosing => {}
            State::Saving => {
                let (part, text) = match cx.data.copying {
                    Some(Stage::Bytes { done, total }) if total > 0 => {
                        (fraction(done, total), format!("{} of {}", bytes_text(done), bytes_text(total)))
                    }
                    Some(Stage::Checking) => (1.0, "Checking the copy …".to_owned()),
                    Some(Stage::Bytes { .. }) | None => (0.0, "Beginning …".to_owned()),
                };
                ui.add(ProgressBar::new(part).text(text));
            }
            State::Done(Copied { to, bytes }) => {
                say(ui, format!("{} saved and checked → {}", bytes_text(*bytes), to.display()), p.parked);
            }
            State::Exists => {
                say(ui, "A file of this name is there already.".to_owned(), p.late);
            }
            State::Failed(error) => {
                say(ui, format!("Nothing was saved: {error}"), p.alarm);
            }
        }
    }

    fn buttons(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let to = PathBuf::from(self.path.trim());
        if matches!(self.state, State::Saving) {
            if ui.button("Cancel").clicked() {
                cx.ask(Action::CancelCopy);
            }
            return;
        }
        let exists = matches!(self.state, State::Exists);
        let text = if exists { "Replace it" } else { "Save" };
        let ready = !to.as_os_str().is_empty();
        if ui.add_enabled(ready, widgets::primary(ui, Some(Icon::Export), text)).clicked() {
            let replace = exists || self.agreed.as_ref() == Some(&to);
            self.state = State::Saving;
            cx.ask(Action::SaveCopy { to, replace });
        }
        if ui.button("Close").clicked() {
            cx.ask(Action::Sheet(None));
        }
    }
}

/// How much of a whole is done, for a bar.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a bar on the screen")]
pub(super) fn fraction(done: u64, total: u64) -> f32 {
    (done as f64 / total as f64) as f32
}
