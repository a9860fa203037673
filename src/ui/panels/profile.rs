//! The profile of a tracker: what no frame says, so a person has to.

use egui::Ui;

use crate::ui::Cx;

/// The sheet and what is being chosen in it.
#[derive(Default)]
pub(super) struct Editor {}

impl Editor {
    pub(super) fn ui(&mut self, _ui: &mut Ui, _cx: &mut Cx<'_>) {}
}
