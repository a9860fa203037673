//! Imports: what was asked for on its way to the backend, and what came of it.

use std::path::PathBuf;

use egui::Context;

use super::App;
use crate::{
    backend::{
        Pending, Watch,
        capture::CaptureSource,
        import::{Found, ImportError, ImportReport, Source},
    },
    import::Refusal,
    model::{ImportBatch, ImportId, Origin, PacketId},
    ui::{
        Action, asks,
        charts::is_map_file,
        format,
        toasts::Offer,
        undo::{Step, Told},
        view::Sheet,
    },
};

/// What such files hold is history; of others it is looked what it is.
const HISTORY: [&str; 7] = ["gpx", "kml", "kmz", "geojson", "csv", "rec", "json"];

/// What is being asked about imports.
#[derive(Default)]
pub(super) struct Asking {
    look: Option<(Pending<Result<Found, ImportError>>, Watch)>,
    bring: Option<(Pending<Result<ImportReport, ImportError>>, Watch)>,
    back: Vec<(ImportId, Pending<u64>)>,
    list: Option<Pending<Vec<ImportBatch>>>,
    origin: Option<(PacketId, Pending<Option<Origin>>)>,
}

impl Asking {
    pub(super) fn waiting(&self) -> bool {
        let Self { look, bring, back, list, origin } = self;
        look.is_some() || bring.is_some() || !back.is_empty() || list.is_some() || origin.is_some()
    }
}

impl App {
    /// Files that were dropped on the window.
    pub(super) fn take_dropped(&mut self, ctx: &Context) {
        let dropped: Vec<PathBuf> = ctx.input(|i| {
            i.raw
                .dropped_files
                .iter()
                .filter_map(|file| Some(file.path().to_owned()).filter(|path| path.is_absolute()))
                .collect()
        });
        for path in dropped.into_iter().filter(|path| !is_map_file(path)) {
            let end = path.extension().unwrap_or_default().to_ascii_lowercase();
            let history = HISTORY.iter().any(|known| end == *known) && self.sources.is_live();
            let source = CaptureSource::Dropped(path.clone());
            self.apply(ctx, if history { Action::OpenImport(Some(path)) } else { Action::OpenCapture(source) });
        }
    }

    /// Does what is about imports.
    pub(super) fn import(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::OpenImport(path) => {
                self.view.open.sheet = Some(Sheet::Import);
                self.imports.list = Some(self.backend().imports());
                if let Some(path) = path {
                    self.panels.import.choose(&path);
                    self.look_at_file(path);
                }
            }
            Action::BrowseImport(path) => self.panels.import.browse(ctx.clone(), &path),
            Action::LookAtImport(path) => self.look_at_file(path),
            Action::Import { found, into } => self.imports.bring = Some(self.backend().import(*found, into)),
            Action::CancelImport => {
                self.imports.look.iter().for_each(|(_, watch)| watch.cancel());
                self.imports.bring.iter().for_each(|(_, watch)| watch.cancel());
            }
            Action::TakeImportBack(batch) => {
                let pending = self.backend().take_import_back(batch);
                self.imports.back.push((batch, pending));
            }
            _ => {}
        }
    }

    fn look_at_file(&mut self, path: PathBuf) {
        self.imports.look.iter().for_each(|(_, watch)| watch.cancel());
        let source = Source { path, zone: self.view.zone() };
        self.imports.look = Some(self.backend().look_at_import(source));
    }

    /// Where an imported position stood; asked once its packet is known to be none.
    pub(super) fn ask_origin(&mut self, packet: PacketId) {
        self.imports.origin = Some((packet, self.backend().origin(packet)));
    }

    /// What was answered about imports.
    pub(super) fn take_imports(&mut self) {
        let watch = self.imports.look.as_ref().map(|(_, watch)| watch);
        let watch = watch.or(self.imports.bring.as_ref().map(|(_, watch)| watch));
        self.data.importing = watch.map(Watch::stage);
        if let Some((pending, _)) = &mut self.imports.look
            && let Some(answer) = pending.poll()
        {
            self.imports.look = None;
            let seen = answer.unwrap_or_else(|error| Err(error.into()));
            if let Err(ImportError::Refused { path, why: Refusal::Capture(_) }) = &seen {
                self.view.open.sheet = None;
                self.sources.wanted.push(CaptureSource::File(path.clone()));
            }
            self.panels.import.seen(seen);
        }
        if let Some((pending, _)) = &mut self.imports.bring
            && let Some(answer) = pending.poll()
        {
            self.imports.bring = None;
            self.imported(answer.unwrap_or_else(|error| Err(error.into())));
        }
        for (batch, answer) in asks::take_answered(&mut self.imports.back) {
            match answer {
                Ok(removed) => {
                    let positions = format::counted(removed, "position", "positions");
                    self.toasts.info(format!("Import {} was taken back: {positions} removed", batch.0));
                    self.panels.import.taken_back(batch);
                }
                Err(error) => self.toasts.error(format!("Import {} could not be taken back: {error}", batch.0)),
            }
            self.imports.list = Some(self.backend().imports());
        }
        if let Some(pending) = &mut self.imports.list
            && let Some(answer) = pending.poll()
        {
            self.imports.list = None;
            self.data.imports = answer.unwrap_or_default();
        }
        if let Some((packet, Ok(Some(origin)))) = asks::take(&mut self.imports.origin) {
            self.data.origin = Some((packet, origin));
        }
    }

    /// An import has ended. Taking it back is a step like any other.
    fn imported(&mut self, result: Result<ImportReport, ImportError>) {
        self.imports.list = Some(self.backend().imports());
        if let Ok(report) = &result
            && report.positions > 0
        {
            let positions = format::counted(report.positions, "position", "positions");
            let name = report.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let did = format!("Imported {positions} of {name}");
            let undoing = format!("What {name} brought is removed again");
            let undo = vec![Action::TakeImportBack(report.batch)];
            let step = Step {
                did: did.clone(),
                undoing: undoing.clone(),
                undo,
                redo: Vec::new(),
                about: None,
                told: Told::AtOnce,
            };
            self.toasts.step(did, step.kind(), Some(Offer::Undo(undoing)));
            self.undo.push(step);
            self.tell_undo();
        }
        self.panels.import.finished(result);
    }
}
