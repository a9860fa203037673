//! placeholder
use crate::ui::Cx;
use egui::Ui;
#[derive(Default)]
pub(super) struct Details {}
impl Details {
    pub(super) fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        ui.label("Details");
    }
}
