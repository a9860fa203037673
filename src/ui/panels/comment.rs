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
    note: PacketNote,
    wants_focus: bool,
}

impl Comment {
    /// Begins to write about a packet.
    pub(in crate::ui) fn begin(&mut self, packet: PacketId, note: PacketNote) {
        *self = Self { packet: Some(packet), note, wants_focus: true };
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(WIDTH);
        let Some(packet) = self.packet else { return };
        ui.label(widgets::weak(
            ui,
            format!("Packet {}. It is kept with the packet, and `comment` finds it.", packet.0),
        ));
        ui.add_space(theme::GAP);
        let edit = TextEdit::multiline(&mut self.note.comment)
            .hint_text("What you want to remember about it")
            .char_limit(MAX_COMMENT_CHARS)
            .desired_rows(4)
            .desired_width(WIDTH);
        let field = ui.add(edit);
        field.widget_info(|| WidgetInfo::labeled(Role::MultilineTextInput, true, "Comment"));
        if std::mem::take(&mut self.wants_focus) {
            field.request_focus();
        }
        ui.checkbox(&mut self.note.marked, "Marked");
        ui.add_space(theme::GAP);
        let saved = ui.input_mut(|i| i.consume_key(Modifiers::COMMAND, Key::Enter));
        ui.horizontal(|ui| {
            let save = ui.add(widgets::primary(ui, None, "Save")).on_hover_text("Ctrl+Enter").clicked();
            if save || saved {
                let comment = self.note.comment.trim().to_owned();
                cx.ask(Action::SetNote(packet, PacketNote { comment, ..self.note.clone() }));
                cx.ask(Action::Sheet(None));
            }
            if ui.button("Cancel").clicked() {
                cx.ask(Action::Sheet(None));
            }
        });
    }
}
