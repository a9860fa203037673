//! What can be done with a row, and with the cell under the pointer.

use egui::{Rect, Response, Ui};

use super::{
    Packets,
    lines::{line, profile, who},
};
use crate::{
    model::{PacketNote, PacketRow, Timestamp, filter::quoted},
    ui::{
        Action, Cx,
        filter::{columns::What, phrase::Phrase},
        out::{OutAction, Which},
        panels::{
            conversation,
            dock::{columns::Columns, copy_menu, listing::haystack, read_as},
        },
    },
};

impl Packets {
    /// What can be done with the cell under the pointer.
    pub(super) fn menu(
        &mut self,
        response: &Response,
        cx: &mut Cx<'_>,
        (row, above): (&PacketRow, Option<Timestamp>),
        rect: Rect,
        columns: &Columns,
    ) {
        if response.secondary_clicked() {
            let at = response.interact_pointer_pos().unwrap_or(rect.center());
            self.cell = columns.at(at, rect).cloned();
        }
        let Some(what) = self.cell.clone() else { return };
        let identity = row.device.and_then(|id| cx.data.devices.get(&id)).map(|d| d.device.identity.as_str());
        let data = cx.data;
        response.context_menu(|ui| {
            let units = cx.view.settings.units;
            let summary = line(data, row, units);
            let phrase = match &what {
                What::Usual(column) => Phrase::of_cell(*column, row, &summary, who(data, row), identity),
                added => {
                    let hay = || haystack(&line(data, row, units)).into_string();
                    let text = self.cells.text(data, profile(data, row), row, added, above, hay);
                    Phrase::of_column(added, row, &text)
                }
            };
            if let Some(phrase) = phrase {
                phrase.menu(ui, cx, Some(row.id));
                ui.separator();
            }
            row_menu(ui, cx, row);
            conversation::row_menu(ui, cx, row);
        });
    }
}

/// What can be done with a row, whichever cell it is.
fn row_menu(ui: &mut Ui, cx: &mut Cx<'_>, row: &PacketRow) {
    let note = cx.data.notes.of(row.id).cloned().unwrap_or_default();
    let connection = format!("conn == {} && peer == {}", row.connection, quoted(&row.peer));
    let mark = if note.marked { "Take the mark away" } else { "Mark (M)" };
    let marked = PacketNote { marked: !note.marked, ..note };
    ui.menu_button("Copy as", |ui| copy_menu::packet(ui, row));
    ui.menu_button("Read as", |ui| read_as::menu(ui, cx, row));
    let offers = [
        (mark, vec![Action::SetNote(row.id, marked)]),
        ("Comment…", vec![Action::SelectPacket(row.id), Action::EditComment]),
        ("Only this connection", vec![Action::FilterPackets(Some(connection))]),
        ("Export…", vec![Action::SelectPacket(row.id), Action::Out(OutAction::Open(Which::Packet))]),
    ];
    for (text, actions) in offers {
        if ui.button(text).clicked() {
            cx.actions.extend(actions);
            ui.close();
        }
    }
}
