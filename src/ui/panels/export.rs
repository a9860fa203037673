//! placeholder
use crate::{backend::ExportReport, model::DeviceId};
use std::path::PathBuf;
#[derive(Default)]
pub(in crate::ui) struct Export {}
impl Export {
    pub(in crate::ui) fn choose(&mut self, _device: Option<DeviceId>) {}
    pub(in crate::ui) fn finished(&mut self, _result: Result<ExportReport, String>) {}
    pub(in crate::ui) fn browse(&mut self, _ctx: egui::Context, _name: PathBuf) {}
}
