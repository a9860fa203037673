//! Buttons that copy bytes in every dress, and a packet as a line of a log.

use egui::Ui;

use super::copy::CopyAs;
use crate::{capture::out::traccar_line, model::PacketRow};

/// Every dress of the whole packet, and the line that Traccar would have written about it.
pub fn packet(ui: &mut Ui, row: &PacketRow) {
    bytes(ui, &row.bytes, "");
    let hint = "As the log of Traccar has it: time, connection, direction, address, digits";
    if ui.button("Traccar log line").on_hover_text(hint).clicked() {
        ui.ctx().copy_text(traccar_line(row));
        ui.close();
    }
}

/// Every dress of some bytes. `before`: what stands before its name.
pub fn bytes(ui: &mut Ui, bytes: &[u8], before: &str) {
    for dress in CopyAs::ALL {
        if ui.button(format!("{before}{}", dress.title())).clicked() {
            ui.ctx().copy_text(dress.dress(bytes));
            ui.close();
        }
    }
}
