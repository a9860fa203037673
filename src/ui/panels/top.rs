//! placeholder
use crate::ui::Cx;
use egui::Ui;
#[derive(Default)]
pub(super) struct Top {}
impl Top {
    pub(super) fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        ui.label("Top");
    }
}
