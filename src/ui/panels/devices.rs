//! placeholder
use crate::ui::Cx;
use egui::Ui;
#[derive(Default)]
pub(in crate::ui) struct Devices {}
impl Devices {
    pub(in crate::ui) fn focus_filter(&mut self) {}
    pub(super) fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        ui.label("Devices");
    }
}
