//! Packets that are read as something else.

use super::App;
use crate::{
    ui::{
        data::Opened,
        read_as::{Otherwise, Scope},
    },
    wire::read_as::ReadAs,
};

impl App {
    /// Takes a choice, or takes it back. The packet that is open is read anew.
    pub(super) fn read_as(&mut self, scope: Scope, read_as: Option<ReadAs>) {
        self.view.read_as.set(scope, read_as);
        let Some(Opened { row, fixes, .. }) = self.data.opened.take() else { return };
        // Fields are known by their place, and these are others.
        self.view.selection.field = None;
        self.view.hovered_field = None;
        self.open(row);
        if let Some(opened) = &mut self.data.opened {
            opened.fixes = fixes;
        }
    }

    /// A packet as it is read where the user chose something else.
    pub(super) fn read_otherwise(&self, mut opened: Opened) -> Opened {
        if let Some(chosen) = self.view.read_as.of(&opened.row) {
            let device = opened.row.device.and_then(|id| self.data.devices.get(&id));
            let profile = device.map(|overview| overview.device.profile.clone()).unwrap_or_default();
            let (dissection, otherwise) = Otherwise::of(&opened.row, &profile, &opened.dissection, chosen);
            (opened.dissection, opened.otherwise) = (dissection, Some(otherwise));
        }
        opened
    }
}
