//! The import sheet: what is in a file, where each of its tracks goes, what cannot be used, and what was imported before.

use std::path::{Path, PathBuf};

use egui::{
    Align, ComboBox, Context, Grid, Label, Layout, ProgressBar, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo,
};

use super::{copy::fraction, export::dialog::Browse};
use crate::{
    backend::{
        Stage,
        import::{Found, FoundTrack, ImportError, ImportReport, new_device},
    },
    model::{DeviceId, DeviceState, ImportBatch, ImportId, ImportInto, bytes_text},
    ui::{Action, Cx, format, icons::Icon, theme, widgets},
};

const WIDTH: f32 = 620.0;
/// Height of the list of tracks, and of rejected records.
const LIST: f32 = 148.0;
const ROW: f32 = 20.0;
/// Devices that a menu lists.
const MOST_LISTED: usize = 300;
/// Batches that are listed.
const BATCHES: usize = 50;

/// The sheet and what is being chosen in it.
#[derive(Default)]
pub(in crate::ui) struct Import {
    path: String,
    state: State,
    /// Where each track goes.
    goes: Vec<Goes>,
    browse: Browse,
}

#[derive(Default)]
enum State {
    #[default]
    Choosing,
    Looking,
    Seen(Box<Found>),
    Importing,
    Done(Box<ImportReport>),
    Cancelled,
    Failed(String),
}

/// Where a track goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    /// To a device that is made for it.
    New,
    Into(DeviceId),
    Nowhere,
}

impl Import {
    /// A file was dropped or named: it is being looked at.
    pub(in crate::ui) fn choose(&mut self, path: &Path) {
        self.path = path.display().to_string();
        self.state = State::Looking;
    }

    /// Opens the system's file dialog. Where there is none the path field remains.
    pub(in crate::ui) fn browse(&mut self, ctx: Context, near: &Path) {
        self.browse.pick(ctx, "Import", near, None);
    }

    /// The answer to [`Action::LookAtImport`].
    pub(in crate::ui) fn seen(&mut self, result: Result<Found, ImportError>) {
        self.state = match result {
            Ok(found) => {
                let goes = |track: &FoundTrack| track.device.as_ref().map_or(Goes::New, |device| Goes::Into(device.id));
                self.goes = found.tracks.iter().map(goes).collect();
                State::Seen(Box::new(found))
            }
            Err(ImportError::Cancelled) => State::Choosing,
            Err(error) => State::Failed(error.to_string()),
        };
    }

    /// The answer to [`Action::Import`].
    pub(in crate::ui) fn finished(&mut self, result: Result<ImportReport, ImportError>) {
        self.state = match result {
            Ok(report) => State::Done(Box::new(report)),
            Err(ImportError::Cancelled) => State::Cancelled,
            Err(error) => State::Failed(error.to_string()),
        };
    }

    /// A batch is gone: what was said about it does not hold any more.
    pub(in crate::ui) fn taken_back(&mut self, batch: ImportId) {
        if matches!(&self.state, State::Done(report) if report.batch == batch) {
            self.state = State::Choosing;
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if let Some(path) = self.browse.picked(ui.input(|i| i.time)) {
            self.choose(&path);
            cx.ask(Action::LookAtImport(path));
        }
        ui.set_width(WIDTH.min(ui.available_width()));
        let hint = "GPX, KML, KMZ, GeoJSON, CSV (Traccar's, ours, any that names its columns), OwnTracks Recorder's .rec. \
                    A file can be dropped on the window, too.";
        ui.add(Label::new(widgets::weak(ui, hint)).wrap());
        ui.add_space(theme::GAP);
        let busy = matches!(self.state, State::Looking | State::Importing);
        ui.add_enabled_ui(!busy, |ui| self.file(ui, cx));
        self.browse.note(ui);
        ui.add_space(theme::GAP);
        self.result(ui, cx);
        ui.horizontal(|ui| self.buttons(ui, cx));
        if !busy {
            before(ui, cx);
        }
    }

    fn file(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.horizontal(|ui| {
            ui.label(widgets::weak(ui, "File"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if self.browse.button(ui) {
                    cx.ask(Action::BrowseImport(PathBuf::from(&self.path)));
                }
                let path = PathBuf::from(self.path.trim());
                let look = ui.add_enabled(!path.as_os_str().is_empty(), egui::Button::new("Look"));
                let field = ui.add(TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY));
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "File to import"));
                if field.changed() {
                    self.state = State::Choosing;
                }
                let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
                if (look.clicked() || entered) && !self.path.trim().is_empty() {
                    self.state = State::Looking;
                    cx.ask(Action::LookAtImport(PathBuf::from(self.path.trim())));
                }
            });
        });
    }

    fn result(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let p = theme::palette(ui);
        let say = |ui: &mut Ui, text: String, colour| ui.add(Label::new(RichText::new(text).color(colour)).wrap());
        match &self.state {
            State::Choosing => {}
            State::Looking | State::Importing => {
                let (part, text) = match cx.data.importing {
                    Some(Stage::Bytes { done, total }) if total > 0 => {
                        (fraction(done, total), format!("{} of {}", bytes_text(done), bytes_text(total)))
                    }
                    _ => (0.0, "Beginning …".to_owned()),
                };
                ui.add(ProgressBar::new(part).text(text));
            }
            State::Seen(found) => {
                seen(ui, cx, found, &mut self.goes);
            }
            State::Done(report) => {
                say(ui, report_text(report), p.parked);
            }
            State::Cancelled => {
                say(ui, "Broken off; what it had brought was taken back.".to_owned(), p.weak);
            }
            State::Failed(error) => {
                say(ui, format!("Nothing was imported: {error}"), p.alarm);
            }
        }
    }

    fn buttons(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Looking | State::Importing) {
            if ui.button("Cancel").clicked() {
                cx.ask(Action::CancelImport);
            }
            return;
        }
        if let State::Seen(found) = &self.state {
            let points: u64 = found.tracks.iter().zip(&self.goes).map(|(track, goes)| new_points(track, *goes)).sum();
            let text = format!("Import {}", format::counted(points, "point", "points"));
            let import = widgets::primary(ui, None, &text);
            let why_not = match () {
                () if cx.data.station.viewer => "This window only looks on",
                () if found.duplicates() > 0 => "All of it is here already",
                () => "There is nothing to import",
            };
            let ready = points > 0 && !cx.data.station.viewer;
            if ui.add_enabled(ready, import).on_disabled_hover_text(why_not).clicked() {
                let into = found.tracks.iter().zip(&self.goes).map(|(track, goes)| target(track, *goes)).collect();
                cx.ask(Action::Import { found: found.clone(), into });
                self.state = State::Importing;
                return;
            }
        }
        if ui.button("Close").clicked() {
            cx.ask(Action::Sheet(None));
        }
    }
}

/// Points of a track that are not where it goes, as far as that is known.
fn new_points(track: &FoundTrack, goes: Goes) -> u64 {
    match goes {
        Goes::Nowhere => 0,
        Goes::Into(id) if track.device.as_ref().is_some_and(|own| own.id == id) => track.points - track.duplicates,
        Goes::Into(_) | Goes::New => track.points,
    }
}

fn target(track: &FoundTrack, goes: Goes) -> Option<ImportInto> {
    match goes {
        Goes::New => new_device(track.track.label(), track.track.identity.as_deref()),
        Goes::Into(device) => Some(ImportInto::Device(device)),
        Goes::Nowhere => None,
    }
}

/// What is in the file.
fn seen(ui: &mut Ui, cx: &Cx<'_>, found: &Found, goes: &mut [Goes]) {
    let p = theme::palette(ui);
    let tracks = format::counted(found.tracks.len() as u64, "track", "tracks");
    let points = format::counted(found.points, "point", "points");
    ui.label(widgets::strong(ui, format!("{}: {points} in {tracks}", found.kind.title())));
    if let Some((first, last)) = found.span() {
        let zone = cx.view.zone_name(last);
        ui.label(widgets::weak(ui, format!("{} to {} {zone}", cx.view.date_time(first), cx.view.date_time(last))));
    }
    if found.duplicates() > 0 {
        ui.label(widgets::weak(
            ui,
            format!("{} here already: they are not stored twice", format::count(found.duplicates())),
        ));
    }
    for note in &found.notes {
        ui.add(Label::new(RichText::new(note).color(p.late)).wrap());
    }
    if let Some(broken) = &found.broken {
        let text = format!("The file is broken at {broken}; what stood before is good");
        ui.add(Label::new(RichText::new(text).color(p.late)).wrap());
    }
    ui.add_space(theme::GAP);
    list_of_tracks(ui, cx, found, goes);
    rejected(ui, found);
    ui.add_space(theme::GAP);
}

fn list_of_tracks(ui: &mut Ui, cx: &Cx<'_>, found: &Found, goes: &mut [Goes]) {
    let p = theme::palette(ui);
    egui::Frame::new().fill(p.sunken).corner_radius(5).inner_margin(6).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let area = ScrollArea::vertical().id_salt("tracks").max_height(LIST).auto_shrink([false, true]);
        area.show_rows(ui, 26.0, found.tracks.len(), |ui, rows| {
            let shown = found.tracks.iter().zip(goes.iter_mut()).enumerate();
            for (n, (track, goes)) in shown.skip(rows.start).take(rows.len()) {
                ui.horizontal(|ui| {
                    widgets::cell(ui, 190.0, |ui| {
                        ui.add(Label::new(track.track.label()).truncate()).on_hover_text(about(track));
                    });
                    widgets::cell(ui, 150.0, |ui| {
                        ui.label(widgets::weak(ui, points_text(track)));
                    });
                    choice(ui, cx, n, track, goes);
                });
            }
        });
    });
}

fn about(track: &FoundTrack) -> String {
    let identity = track.track.identity.as_deref().map(|identity| format!("{identity}\n")).unwrap_or_default();
    match (track.first, track.last) {
        (Some(first), Some(last)) => format!("{identity}{first} to {last}"),
        _ => format!("{identity}no positions"),
    }
}

fn points_text(track: &FoundTrack) -> String {
    let points = format::counted(track.points, "point", "points");
    if track.duplicates > 0 { format!("{points}, {} here", format::count(track.duplicates)) } else { points }
}

/// Where a track goes.
fn choice(ui: &mut Ui, cx: &Cx<'_>, n: usize, track: &FoundTrack, goes: &mut Goes) {
    let new = match target(track, Goes::New) {
        Some(ImportInto::New { identity, name, .. }) => {
            format!("New device {}", name.unwrap_or_else(|| identity.to_string()))
        }
        _ => "New device".to_owned(),
    };
    let text = match goes {
        Goes::New => new.clone(),
        Goes::Into(id) => cx.data.label(*id).to_owned(),
        Goes::Nowhere => "Leave out".to_owned(),
    };
    let combo = ComboBox::from_id_salt(("goes", n)).width(ui.available_width() - 8.0).truncate().selected_text(text);
    let shown = combo.show_ui(ui, |ui| {
        ui.selectable_value(goes, Goes::New, new);
        ui.selectable_value(goes, Goes::Nowhere, "Leave out");
        ui.separator();
        let mut adopted: Vec<_> = cx.data.in_state(DeviceState::Adopted).collect();
        adopted.sort_by_cached_key(|d| d.device.label().to_lowercase());
        for overview in adopted.into_iter().take(MOST_LISTED) {
            ui.selectable_value(goes, Goes::Into(overview.device.id), overview.device.label());
        }
    });
    let name = format!("Where {} goes", track.track.label());
    shown.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name.clone()));
}

fn rejected(ui: &mut Ui, found: &Found) {
    if found.rejected == 0 {
        return;
    }
    let p = theme::palette(ui);
    let text = format!("{} cannot be used", format::counted(found.rejected, "record", "records"));
    ui.add_space(theme::GAP);
    ui.label(RichText::new(text).color(p.late));
    egui::Frame::new().fill(p.sunken).corner_radius(5).inner_margin(6).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let area = ScrollArea::vertical().id_salt("rejects").max_height(LIST / 1.5).auto_shrink([false, true]);
        area.show_rows(ui, ROW, found.rejects.len(), |ui, rows| {
            for reject in found.rejects.iter().skip(rows.start).take(rows.len()) {
                let text = reject.to_string();
                ui.add(Label::new(widgets::weak(ui, text.clone())).truncate()).on_hover_text(text);
            }
        });
    });
    let beyond = found.rejected - found.rejects.len() as u64;
    if beyond > 0 {
        ui.label(widgets::weak(ui, format!("and {} more", format::count(beyond))));
    }
}

/// `1,192 new positions imported into Van 7, 12 here already, 4 cannot be used`.
fn report_text(report: &ImportReport) -> String {
    let into = match report.devices.as_slice() {
        [one] => format!(" into {}", one.label()),
        [] => String::new(),
        many => format!(" into {}", format::counted(many.len() as u64, "device", "devices")),
    };
    let more = [(report.duplicates, "here already"), (report.rejected, "cannot be used"), (report.skipped, "left out")];
    let more: Vec<_> =
        more.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {} {what}", format::count(*n))).collect();
    let positions = format::counted(report.positions, "new position", "new positions");
    format!("{positions} imported{into}{}", more.concat())
}

/// What was imported before, each with the way back.
fn before(ui: &mut Ui, cx: &mut Cx<'_>) {
    if cx.data.imports.is_empty() {
        return;
    }
    let data = cx.data;
    ui.add_space(theme::GAP);
    widgets::group_heading(ui, "Imported before");
    ScrollArea::vertical().id_salt("batches").max_height(LIST).auto_shrink([false, true]).show(ui, |ui| {
        Grid::new("batches").num_columns(3).striped(true).show(ui, |ui| {
            for batch in data.imports.iter().take(BATCHES) {
                row(ui, cx, batch);
                ui.end_row();
            }
        });
    });
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, batch: &ImportBatch) {
    let name =
        Path::new(&batch.file).file_name().map_or(batch.file.clone(), |name| name.to_string_lossy().into_owned());
    widgets::cell(ui, 210.0, |ui| {
        ui.add(Label::new(name.clone()).truncate()).on_hover_text(&batch.file);
    });
    let positions = format::counted(batch.positions, "position", "positions");
    let state = match (batch.undone, batch.ended) {
        (Some(at), _) => format!("taken back {}", cx.view.stamp(at)),
        (None, None) => format!("{positions}, cut off"),
        (None, Some(_)) => format!("{positions}, {}", cx.view.stamp(batch.began)),
    };
    widgets::cell(ui, 270.0, |ui| {
        ui.label(widgets::weak(ui, state));
    });
    if batch.undone.is_none() && batch.positions > 0 && !cx.data.station.viewer {
        let back =
            ui.add(widgets::labelled(Icon::Left, "Take back")).on_hover_text("Remove every position that it brought");
        back.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Take {name} back")));
        if back.clicked() {
            cx.ask(Action::TakeImportBack(batch.id));
        }
    } else {
        ui.label("");
    }
}
