//! The editor of what is written about a packet.

use egui::{Key, Modifiers, Role, TextEdit, Ui, WidgetInfo};

use crate::{
    model::{MAX_COMMENT_CHARS, PacketId, PacketNote},
    ui::{Action, Cx, theme, widgets},
};

/// Width of the sheet.
const WIDTH: f32 = 420.0;

/// The packet that is written about, and the text so far.
#[derive(Default)]
pub(in crate::ui) struct Comment {
    packet: Option<PacketId>,
    text: String,
    /// What was ticked here; `None`: as it is, which may change meanwhile.
    marked: Option<bool>,
    wants_focus: bool,
}

impl Comment {
    /// Begins to write about a packet.
    pub(in crate::ui) fn begin(&mut self, packet: PacketId, text: String) {
        *self = Self { packet: Some(packet), text, marked: None, wants_focus: true };
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_min_width(WIDTH);
        let Some(packet) = self.packet else { return };
        ui.label(widgets::weak(
            ui,
            format!("Packet {}. It is kept with the packet; the word comment in the filter finds it.", packet.0),
        ));
        ui.add_space(theme::GAP);
        let edit = TextEdit::multiline(&mut self.text)
            .hint_text("What you want to remember about it")
            .char_limit(MAX_COMMENT_CHARS)
            .desired_rows(4)
            .desired_width(f32::INFINITY);
        let field = ui.add(edit);
        field.widget_info(|| WidgetInfo::labeled(Role::MultilineTextInput, true, "Comment"));
        if std::mem::take(&mut self.wants_focus) {
            field.request_focus();
        }
        let is_marked = cx.data.notes.of(packet).is_some_and(|note| note.marked);
        let mut marked = self.marked.unwrap_or(is_marked);
        if ui.checkbox(&mut marked, "Marked").changed() {
            self.marked = Some(marked);
        }
        ui.add_space(theme::GAP);
        let saved = ui.input_mut(|i| i.consume_key(Modifiers::COMMAND, Key::Enter));
        ui.horizontal(|ui| {
            let save = ui.add(widgets::primary(ui, None, "Save")).on_hover_text("Ctrl+Enter").clicked();
            if save || saved {
                let comment = self.text.trim().to_owned();
                cx.ask(Action::SetNote(packet, PacketNote { marked, comment }));
                cx.ask(Action::Sheet(None));
            }
            if ui.button("Cancel").clicked() {
                cx.ask(Action::Sheet(None));
            }
        });
    }
}
