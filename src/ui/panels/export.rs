//! The export sheet: whose history, from when to when, in which format, and whereto.

pub(super) mod dialog;
mod name;

use std::path::{Path, PathBuf};

use egui::{
    Align, ComboBox, Context, Label, Layout, ProgressBar, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo,
};
use jiff::{SignedDuration, ToSpan};

use self::dialog::Browse;
use super::copy::fraction;
use crate::{
    backend::{ExportJob, ExportReport, History, Stage},
    export::{Format, Wanted},
    model::{DeviceId, DeviceOverview, DeviceState, TimeWindow, Timestamp},
    ui::{Action, Cx, View, format, icons::Icon, theme, widgets},
};

/// Height of a device of the list, and of the list: whole rows, so that none is cut.
const ROW: f32 = 24.0;
const LIST: f32 = 6.0 * ROW;

/// The sheet and what is being chosen in it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is told apart from the others")]
pub(in crate::ui) struct Export {
    chosen: Chosen,
    /// It was opened just now: it begins with what is shown.
    fresh: bool,
    /// Its button takes the keyboard: Enter writes.
    wants_focus: bool,
    /// The device that it began with, until the list has been scrolled to it.
    bring: Option<DeviceId>,
    span: Span,
    format: Option<Format>,
    path: String,
    /// The path was typed or picked, so it is not replaced by a suggestion.
    path_is_mine: bool,
    wanted: Wanted,
    /// A file of its own for each device, in a folder.
    each: bool,
    state: State,
    browse: Browse,
}

/// Whose history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Chosen {
    #[default]
    All,
    Some(Vec<DeviceId>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Span {
    /// What the time bar shows, or what is marked in it.
    Shown,
    LastHour,
    #[default]
    Today,
    Yesterday,
    LastWeek,
    Everything,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Choosing,
    Writing,
    Done(ExportReport),
    Failed(String),
    Cancelled,
}

impl Span {
    const ALL: [Self; 6] =
        [Self::Shown, Self::LastHour, Self::Today, Self::Yesterday, Self::LastWeek, Self::Everything];

    /// `ended`: now is the end of a capture.
    fn title(self, ended: bool) -> &'static str {
        match self {
            Self::Shown => "As shown",
            Self::LastHour => "Last hour",
            Self::Today if ended => "Last day",
            Self::Today => "Today",
            Self::Yesterday if ended => "Day before",
            Self::Yesterday => "Yesterday",
            Self::LastWeek => "Last 7 days",
            Self::Everything => "Everything",
        }
    }

    /// The window in the zone that is shown: a day begins at its midnight.
    fn window(self, view: &View, now: Timestamp) -> TimeWindow {
        let now = view.source_now(now);
        let midnight = |days_ago: i64| {
            let day = now.to_zoned(view.zone()).start_of_day().ok()?;
            day.checked_sub(days_ago.days()).ok().map(|at| at.timestamp())
        };
        let before = |hours| now.checked_sub(SignedDuration::from_hours(hours)).ok();
        let last_moment_before = |at: Timestamp| at.checked_sub(SignedDuration::from_millis(1)).ok();
        match self {
            Self::Shown => {
                let (from_ms, to_ms) = view.time.range.unwrap_or_else(|| view.span_ms(now));
                let at = |ms| Timestamp::from_millisecond(ms).ok();
                TimeWindow { from: at(from_ms), to: at(to_ms) }
            }
            Self::LastHour => TimeWindow { from: before(1), to: None },
            Self::Today => TimeWindow { from: midnight(0), to: None },
            Self::Yesterday => TimeWindow { from: midnight(1), to: midnight(0).and_then(last_moment_before) },
            Self::LastWeek => TimeWindow { from: before(24 * 7), to: None },
            Self::Everything => TimeWindow::ALL,
        }
    }
}

impl Export {
    /// Begins with this device, or with all.
    pub(in crate::ui) fn choose(&mut self, device: Option<DeviceId>) {
        self.chosen = device.map_or(Chosen::All, |id| Chosen::Some(vec![id]));
        self.bring = device;
        self.begin_again();
        (self.fresh, self.wants_focus) = (true, true);
        self.path_is_mine = false;
    }

    /// What is looked at in the past is what goes out.
    fn begin_as_shown(&mut self, view: &View) {
        if !std::mem::take(&mut self.fresh) || (view.is_live() && view.time.range.is_none()) {
            return;
        }
        self.span = Span::Shown;
        if !view.time.picked.is_empty() {
            self.chosen = Chosen::Some(view.time.picked.iter().copied().collect());
        }
    }

    /// The answer to [`Action::Export`].
    pub(in crate::ui) fn finished(&mut self, result: Result<ExportReport, String>) {
        self.state = match result {
            Ok(report) => State::Done(report),
            Err(_) if matches!(self.state, State::Cancelled) => State::Cancelled,
            Err(error) => State::Failed(error),
        };
    }

    /// Opens the system's file dialog. Where there is none the path field remains.
    pub(in crate::ui) fn browse(&mut self, ctx: Context, name: &Path) {
        self.browse.save(ctx, "Export to", name);
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if let Some(path) = self.browse.picked(ui.input(|i| i.time)) {
            self.path = path.display().to_string();
            self.path_is_mine = true;
            self.begin_again();
        }
        self.begin_as_shown(cx.view);
        self.suggest_path(cx);
        ui.set_width(ui.available_width());
        let before = self.asked();
        self.devices(ui, cx);
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            ui.label(widgets::weak(ui, "From"));
            for span in Span::ALL {
                if ui.selectable_label(self.span == span, span.title(cx.view.time.ends.is_some())).clicked() {
                    self.span = span;
                    self.path_is_mine &= !self.path.is_empty();
                }
            }
        });
        ui.label(widgets::weak(ui, self.window_text(cx)));
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            ui.label(widgets::weak(ui, "Format"));
            let format = self.format();
            let combo = ComboBox::from_id_salt("format").selected_text(format.title()).show_ui(ui, |ui| {
                for other in Format::ALL {
                    if ui.selectable_label(other == format, other.title()).clicked() {
                        self.format = Some(other);
                        self.follow_format();
                    }
                }
            });
            combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Format"));
            ui.checkbox(&mut self.each, "A file for each device")
                .on_hover_text("Into a folder, named after the devices");
        });
        ui.horizontal_wrapped(|ui| self.wishes(ui));
        ui.horizontal(|ui| {
            ui.label(widgets::weak(ui, if self.each { "Folder" } else { "File" }));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if self.browse.button(ui) {
                    cx.ask(Action::BrowseExport(PathBuf::from(&self.path)));
                }
                let field = ui.add(TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY));
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "File to write"));
                if field.changed() {
                    self.path_is_mine = true;
                }
            });
        });
        self.browse.note(ui);
        if before != self.asked() {
            self.begin_again();
        }
        ui.add_space(theme::GAP);
        self.result(ui, cx);
    }

    /// Everything that makes another export of it.
    fn asked(&self) -> (Chosen, Span, Option<Format>, String, Wanted, bool) {
        (self.chosen.clone(), self.span, self.format, self.path.clone(), self.wanted, self.each)
    }

    /// What goes along beside the plain positions.
    fn wishes(&mut self, ui: &mut Ui) {
        let format = self.format();
        ui.label(widgets::weak(ui, "Also"));
        ui.checkbox(&mut self.wanted.suspect, "Suspect positions")
            .on_hover_text("Positions whose packet had a wrong checksum");
        ui.checkbox(&mut self.wanted.hidden, "Hidden positions").on_hover_text("Positions hidden by hand or by rule");
        if format == Format::Gpx {
            ui.checkbox(&mut self.wanted.readings, "All readings").on_hover_text(
                "Accuracy, battery, ignition and the rest, as extensions of our own: most readers skip them. \
                 The other formats always have them",
            );
        }
    }

    /// A path of the user's own keeps its name and gets the format's ending.
    fn follow_format(&mut self) {
        let known = |ending: &std::ffi::OsStr| Format::ALL.iter().any(|f| ending.eq_ignore_ascii_case(f.extension()));
        let path = PathBuf::from(&self.path);
        if self.path_is_mine && !self.each && path.extension().is_some_and(known) {
            self.path = path.with_extension(self.format().extension()).display().to_string();
        }
    }

    fn format(&self) -> Format {
        self.format.unwrap_or(Format::Gpx)
    }

    /// What was said about the last export does not hold for another.
    fn begin_again(&mut self) {
        if !matches!(self.state, State::Writing) {
            self.state = State::Choosing;
        }
    }

    /// A name for the file, in the user's documents or home, until there is one of the user's own.
    fn suggest_path(&mut self, cx: &Cx<'_>) {
        if self.path_is_mine {
            return;
        }
        let who = match &self.chosen {
            Chosen::All => "all devices".to_owned(),
            Chosen::Some(ids) => name::of_devices(&ids.iter().map(|id| cx.data.label(*id)).collect::<Vec<_>>()),
        };
        let span = name::of_span(self.span.window(cx.view, cx.now), cx.now, &cx.view.zone());
        let file =
            if self.each { format!("Wayglass {span}") } else { format!("{who} {span}.{}", self.format().extension()) };
        self.path = documents(cx).join(file).display().to_string();
    }

    fn devices(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let mut adopted: Vec<_> = cx.data.in_state(DeviceState::Adopted).collect();
        sort_by_label(&mut adopted);
        let mut all = self.chosen == Chosen::All;
        if ui.checkbox(&mut all, format!("All devices ({})", format::count(adopted.len() as u64))).changed() {
            self.chosen = if all { Chosen::All } else { Chosen::Some(Vec::new()) };
        }
        let p = theme::palette(ui);
        egui::Frame::new().fill(p.sunken).corner_radius(5).inner_margin(6).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            let mut area = ScrollArea::vertical().id_salt("export devices").max_height(LIST).min_scrolled_height(LIST);
            // Once, so that it does not fight the user's own scrolling.
            let row = self.bring.take().and_then(|id| adopted.iter().position(|d| d.device.id == id));
            if let Some(row) = row {
                area = area.vertical_scroll_offset(offset_of(row));
            }
            area.auto_shrink([false, true]).show_rows(ui, ROW, adopted.len(), |ui, rows| {
                for overview in adopted.iter().skip(rows.start).take(rows.len()) {
                    let id = overview.device.id;
                    let mut on = match &self.chosen {
                        Chosen::All => true,
                        Chosen::Some(ids) => ids.contains(&id),
                    };
                    ui.horizontal(|ui| {
                        ui.set_height(ROW);
                        if ui.checkbox(&mut on, overview.device.label()).changed() {
                            self.toggle(id, on, adopted.iter().map(|d| d.device.id));
                        }
                        let text = format::counted(overview.positions, "position", "positions");
                        ui.label(widgets::weak(ui, text));
                    });
                }
            });
        });
    }

    fn toggle(&mut self, id: DeviceId, on: bool, everyone: impl Iterator<Item = DeviceId>) {
        let mut ids = match std::mem::take(&mut self.chosen) {
            Chosen::All => everyone.collect(),
            Chosen::Some(ids) => ids,
        };
        ids.retain(|known| *known != id);
        if on {
            ids.push(id);
        }
        self.chosen = Chosen::Some(ids);
    }

    fn window_text(&self, cx: &Cx<'_>) -> String {
        let TimeWindow { from, to } = self.span.window(cx.view, cx.now);
        let text = |at: Option<Timestamp>, open: &str| at.map_or_else(|| open.to_owned(), |at| cx.view.date_time(at));
        match (from, to) {
            (None, None) => "The whole history".to_owned(),
            _ => format!("{} to {} {}", text(from, "the beginning"), text(to, "now"), cx.view.zone_name(cx.now)),
        }
    }

    fn result(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let p = theme::palette(ui);
        let devices: Vec<_> = match &self.chosen {
            Chosen::All => cx.data.in_state(DeviceState::Adopted).map(|d| d.device.id).collect(),
            Chosen::Some(ids) => ids.clone(),
        };
        let writing = matches!(self.state, State::Writing);
        let ready = !devices.is_empty() && !self.path.trim().is_empty() && !writing;
        match &self.state {
            State::Choosing => {}
            State::Writing => {
                let (part, text) = match cx.data.exporting {
                    Some(Stage::Bytes { done, total }) if total > 0 => {
                        let of = format::counted(total, "position", "positions");
                        (fraction(done, total), format!("{} of {of}", format::count(done)))
                    }
                    _ => (0.0, "Beginning …".to_owned()),
                };
                ui.add(ProgressBar::new(part).text(text));
            }
            State::Cancelled => {
                ui.label(widgets::weak(ui, "Broken off; nothing was left behind."));
            }
            State::Done(report) => {
                ui.add(Label::new(RichText::new(report_text(report)).color(p.parked)).wrap());
            }
            State::Failed(error) => {
                ui.add(Label::new(RichText::new(format!("Nothing was written: {error}")).color(p.alarm)).wrap());
            }
        }
        ui.horizontal(|ui| {
            if writing {
                if ui.button("Cancel").clicked() {
                    self.state = State::Cancelled;
                    cx.ask(Action::CancelExport);
                }
                return;
            }
            let export = widgets::primary(ui, Some(Icon::Export), "Export");
            let why_not = if devices.is_empty() { "Choose a device first" } else { "Say which file to write" };
            let export = ui.add_enabled(ready, export).on_disabled_hover_text(why_not);
            if std::mem::take(&mut self.wants_focus) {
                export.request_focus();
            }
            if export.clicked() {
                self.state = State::Writing;
                let (window, format) = (self.span.window(cx.view, cx.now), self.format());
                let history = History { devices, window, format, wanted: self.wanted };
                cx.ask(Action::Export(ExportJob { history, to: PathBuf::from(self.path.trim()), each: self.each }));
            }
            if ui.button("Close").clicked() {
                cx.ask(Action::Sheet(None));
            }
        });
    }
}

/// In the order that a person looks for a name in.
fn sort_by_label(devices: &mut [&DeviceOverview]) {
    devices.sort_by_cached_key(|d| (d.device.label().to_lowercase(), d.device.id));
}

/// How far the list is scrolled with this row about the middle of it, no row being cut, or as near to that as the beginning lets it.
#[expect(clippy::cast_precision_loss, reason = "rows of a list")]
fn offset_of(row: usize) -> f32 {
    row.saturating_sub(2) as f32 * ROW
}

/// Where files of the user's own go.
pub(super) fn documents(cx: &Cx<'_>) -> PathBuf {
    directories::UserDirs::new().map_or_else(
        || cx.data.station.data_dir.clone(),
        |dirs| dirs.document_dir().unwrap_or(dirs.home_dir()).to_owned(),
    )
}

/// `1,204 points, 2 gaps, 1 outlier marked, 3 hidden left out → …/Van 7.gpx`.
fn report_text(report: &ExportReport) -> String {
    let ExportReport { counts, to, files } = report;
    let gaps = if counts.gaps() == 1 { "gap" } else { "gaps" };
    let files = if *files == 1 { 0 } else { *files as u64 };
    let more = [
        (counts.gaps(), gaps),
        (counts.outliers, "marked as outliers"),
        (counts.hidden, "hidden left out"),
        (counts.suspect, "suspect left out"),
        (files, "files"),
    ];
    let points = format::counted(counts.points, "point", "points");
    let more = more.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", format::count(*n)));
    let text = std::iter::once(points).chain(more).collect::<Vec<_>>().join(", ");
    format!("{text} → {}", to.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Counts;

    #[test]
    fn devices_stand_by_label_and_the_chosen_one_is_in_sight() {
        let device = |id, identity: &str, name: Option<&str>| DeviceOverview {
            device: crate::model::Device {
                id: DeviceId(id),
                identity: crate::model::Identity::new(identity).unwrap(),
                protocol: crate::model::Protocol::Gt06,
                name: name.map(str::to_owned),
                state: DeviceState::Adopted,
                profile: crate::model::Profile::default(),
                first_seen: Timestamp::UNIX_EPOCH,
                last_heard: None,
            },
            last_fix: None,
            readings: crate::model::Readings::new(),
            packets: 0,
            positions: 0,
            lost_frames: 0,
        };
        let devices = [device(1, "a", Some("van 9")), device(2, "b", Some("Bike")), device(3, "car", None)];
        let mut sorted: Vec<_> = devices.iter().collect();
        sort_by_label(&mut sorted);
        assert_eq!(sorted.iter().map(|d| d.device.id.0).collect::<Vec<_>>(), [2, 3, 1]);
        for row in [0u8, 3, 200] {
            let top = f32::from(row) * ROW - offset_of(row.into());
            assert!(top >= 0.0 && top + ROW <= LIST, "row {row}");
        }
    }

    #[test]
    fn the_result_says_what_was_written() {
        let report = |points: u64, segments, hidden| ExportReport {
            counts: Counts { tracks: points.min(1), segments, points, hidden, ..Counts::default() },
            to: PathBuf::from("/t/a.gpx"),
            files: 1,
        };
        assert_eq!(report_text(&report(1_204, 3, 3)), "1,204 points, 2 gaps, 3 hidden left out → /t/a.gpx");
        assert_eq!(report_text(&report(1, 1, 0)), "1 point → /t/a.gpx");
        assert_eq!(report_text(&report(0, 0, 0)), "0 points → /t/a.gpx");
    }

    #[test]
    fn a_day_begins_at_its_own_midnight() {
        let view = View { local_zone: jiff::tz::TimeZone::get("Europe/Brussels").unwrap(), ..View::default() };
        let now: Timestamp = "2026-07-01T22:30:00Z".parse().unwrap();
        let check = |span: Span, from: &str, to: Option<&str>| {
            let window = span.window(&view, now);
            assert_eq!(window.from, Some(from.parse().unwrap()), "{span:?}");
            assert_eq!(window.to, to.map(|t| t.parse().unwrap()), "{span:?}");
        };
        check(Span::Today, "2026-07-01T22:00:00Z", None);
        check(Span::Yesterday, "2026-06-30T22:00:00Z", Some("2026-07-01T21:59:59.999Z"));
        check(Span::LastHour, "2026-07-01T21:30:00Z", None);
    }
}
