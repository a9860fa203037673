//! The sheet for packets out: which of them, in which format, redacted or not, and whereto.

mod preview;

use std::path::{Path, PathBuf};

use egui::{Align, Context, Label, Layout, ProgressBar, RichText, Role, TextEdit, Ui, WidgetInfo};

use super::{
    copy::fraction,
    export::{dialog::Browse, documents},
};
use crate::{
    backend::{ExportError, PacketsJob, PacketsWritten, Stage, redaction_seed},
    capture::out::{Form, Paper, Sheet},
    model::{DeviceId, PacketId, bytes_text},
    ui::{
        Action, Cx, format,
        icons::Icon,
        out::{Listed, OutAction, Which, selected_packet, selection},
        theme, widgets,
    },
};

const WIDTH: f32 = 680.0;
/// What the window is wider than the sheet at least.
const MARGIN: f32 = 80.0;

/// What was asked to be counted: packets, and what of the selection they depend on.
type Asked = (Which, Listed, Option<DeviceId>, Option<PacketId>);

/// The sheet and what is being chosen in it.
pub(in crate::ui) struct PacketsOut {
    which: Which,
    listed: Listed,
    sheet: Sheet,
    redact: bool,
    /// By what is redacted: of one opening of the sheet, so that the preview shows what will be written.
    seed: u64,
    path: String,
    /// The path was typed or picked, so it is not replaced by a suggestion.
    path_is_mine: bool,
    /// The system's dialog asked whether this file may go.
    agreed: Option<PathBuf>,
    asked: Option<Asked>,
    state: State,
    browse: Browse,
}

impl Default for PacketsOut {
    fn default() -> Self {
        Self {
            which: Which::default(),
            listed: Listed::default(),
            sheet: Sheet::Form(Form::Pcapng),
            redact: false,
            seed: 0,
            path: String::new(),
            path_is_mine: false,
            agreed: None,
            asked: None,
            state: State::default(),
            browse: Browse::default(),
        }
    }
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Choosing,
    Writing,
    Done(PacketsWritten),
    /// Something has this name.
    Exists,
    Cancelled,
    Failed(String),
}

impl PacketsOut {
    /// Begins with these packets.
    pub(in crate::ui) fn open(&mut self, which: Which, listed: Listed) {
        if matches!(self.state, State::Writing) {
            return;
        }
        (self.which, self.listed, self.asked, self.state) = (which, listed, None, State::Choosing);
        self.seed = redaction_seed();
    }

    /// How the writing ended.
    pub(in crate::ui) fn finished(&mut self, result: Result<PacketsWritten, ExportError>) {
        self.state = match result {
            Ok(written) => State::Done(written),
            Err(ExportError::Exists(_)) => State::Exists,
            Err(ExportError::Cancelled) => State::Cancelled,
            Err(error) => State::Failed(error.to_string()),
        };
    }

    /// Opens the system's file dialog. Where there is none the path field remains.
    pub(in crate::ui) fn browse(&mut self, ctx: Context, name: &Path) {
        self.browse.save(ctx, "Export packets to", name);
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if let Some(path) = self.browse.picked(ui.input(|i| i.time)) {
            self.path = path.display().to_string();
            self.path_is_mine = true;
            self.agreed = Some(path);
            self.begin_again();
        }
        self.suggest_path(cx);
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - MARGIN));
        let writing = matches!(self.state, State::Writing);
        ui.add_enabled_ui(!writing, |ui| {
            self.packets(ui, cx);
            self.weigh(cx);
            ui.label(weight_text(cx));
            ui.add_space(theme::GAP);
            self.formats(ui);
            ui.add_space(theme::GAP);
            self.redaction(ui, cx);
            ui.add_space(theme::GAP);
            self.file(ui, cx);
        });
        self.browse.note(ui);
        ui.add_space(theme::GAP);
        self.result(ui, cx);
        ui.horizontal(|ui| self.buttons(ui, cx));
    }

    /// Which packets.
    fn packets(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        for which in Which::ALL {
            let (title, about, there) = self.about(which, cx);
            ui.horizontal(|ui| {
                ui.add_enabled_ui(there.is_ok(), |ui| {
                    let radio = ui.radio(self.which == which, title);
                    let radio = radio.on_disabled_hover_text(there.err().unwrap_or_default());
                    if radio.clicked() {
                        self.which = which;
                        self.begin_again();
                    }
                });
                ui.add(Label::new(widgets::weak(ui, about)).truncate());
            });
        }
    }

    /// What a choice is called, what it is now, and why it cannot be taken.
    fn about(&self, which: Which, cx: &Cx<'_>) -> (&'static str, String, Result<(), &'static str>) {
        let row = selected_packet(cx.data, cx.view);
        let no_packet = "Select a packet first";
        match which {
            Which::Listed => ("What is listed", self.listed_text(cx), Ok(())),
            Which::Marked => {
                let marked = cx.data.notes.all().filter(|(_, note)| note.marked).count() as u64;
                let there = if marked > 0 { Ok(()) } else { Err("No packet is marked: M marks one") };
                ("Marked packets", format::count(marked), there)
            }
            Which::Device => {
                let label = cx.view.selection.device.map(|id| cx.data.label(id).to_owned());
                let there = label.as_ref().map(|_| ()).ok_or("Select a device first");
                ("Of this device", label.unwrap_or_default(), there)
            }
            Which::Connection => {
                let about = row.map(|row| format!("{} {}", row.protocol.title(), row.peer)).unwrap_or_default();
                ("Of this connection", about, row.map(|_| ()).ok_or(no_packet))
            }
            Which::Packet => {
                let about = row.map(|row| format!("{}, {}", row.kind, cx.view.date_time(row.received)));
                ("This packet", about.unwrap_or_default(), cx.view.selection.packet.map(|_| ()).ok_or(no_packet))
            }
        }
    }

    /// The filter of the list, in words.
    fn listed_text(&self, cx: &Cx<'_>) -> String {
        let Listed { filter, problems, device, until } = &self.listed;
        let parts = [
            (!filter.trim().is_empty()).then(|| filter.trim().to_owned()),
            problems.then(|| "with problems".to_owned()),
            device.map(|id| format!("only {}", cx.data.label(id))),
            until.map(|_| "until it was paused".to_owned()),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "everything that is stored".to_owned() } else { parts.join(" · ") }
    }

    /// Has them counted, where they are others than before.
    fn weigh(&mut self, cx: &mut Cx<'_>) {
        let chosen = cx.view.selection;
        let asked = (self.which, self.listed.clone(), chosen.device, chosen.packet);
        if self.asked.as_ref() == Some(&asked) {
            return;
        }
        self.asked = Some(asked);
        if let Some(selection) = selection(self.which, &self.listed, (cx.data, cx.view, cx.now)) {
            cx.ask(Action::Out(OutAction::Weigh(Box::new(selection), self.seed)));
        }
    }

    fn formats(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            ui.label(widgets::weak(ui, "Format"));
            for sheet in Sheet::ALL {
                if ui.selectable_label(self.sheet == sheet, sheet.title()).clicked() && self.sheet != sheet {
                    self.sheet = sheet;
                    self.follow_format();
                    self.begin_again();
                }
            }
        });
    }

    /// A path of the user's own keeps its name and gets the format's ending.
    fn follow_format(&mut self) {
        let known = |ending: &std::ffi::OsStr| Sheet::ALL.iter().any(|s| ending.eq_ignore_ascii_case(s.extension()));
        let path = PathBuf::from(&self.path);
        if self.path_is_mine && path.extension().is_some_and(known) {
            self.path = path.with_extension(self.sheet.extension()).display().to_string();
        }
    }

    fn redaction(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let hint = "Identities, names, texts, addresses and cells are replaced, coordinates are moved, comments left out; \
                    checksums are computed again, so that the packets still decode. Times stay.";
        if ui.checkbox(&mut self.redact, "Redact").on_hover_text(hint).changed() {
            self.begin_again();
        }
        if !self.redact {
            return;
        }
        match &cx.data.out.weight {
            Some(Ok(weight)) => match &weight.sample {
                Some(sample) => preview::ui(ui, sample),
                None => drop(ui.label(widgets::weak(ui, "There is no packet to show."))),
            },
            Some(Err(_)) => {}
            None => drop(ui.label(widgets::weak(ui, "Reading the first packet …"))),
        }
    }

    fn file(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.horizontal(|ui| {
            ui.label(widgets::weak(ui, "File"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if self.browse.button(ui) {
                    cx.ask(Action::Out(OutAction::Browse(PathBuf::from(&self.path))));
                }
                let field = ui.add(TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY));
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "File to write"));
                if field.changed() {
                    self.path_is_mine = true;
                    self.begin_again();
                }
            });
        });
    }

    /// What was said about the last one does not hold for another.
    fn begin_again(&mut self) {
        if !matches!(self.state, State::Writing) {
            self.state = State::Choosing;
        }
    }

    /// A name for the file, in the user's documents or home, until there is one of the user's own.
    fn suggest_path(&mut self, cx: &Cx<'_>) {
        if !self.path_is_mine {
            let day = cx.now.to_zoned(cx.view.zone()).strftime("%Y-%m-%d").to_string();
            let name = format!("Wayglass packets {day}.{}", self.sheet.extension());
            self.path = documents(cx).join(name).display().to_string();
        }
    }

    fn result(&self, ui: &mut Ui, cx: &Cx<'_>) {
        let p = theme::palette(ui);
        let say = |ui: &mut Ui, text: String, colour| ui.add(Label::new(RichText::new(text).color(colour)).wrap());
        match &self.state {
            State::Choosing => {}
            State::Writing => {
                let (part, text) = match cx.data.out.writing {
                    Some(Stage::Bytes { done, total }) if total > 0 => {
                        let of = format::count(total);
                        (fraction(done, total), format!("{} of {of} looked at", format::count(done)))
                    }
                    _ => (0.0, "Beginning …".to_owned()),
                };
                ui.add(ProgressBar::new(part).text(text));
            }
            State::Done(PacketsWritten { packets, bytes, to }) => {
                let packets = format::counted(*packets, "packet", "packets");
                say(ui, format!("{packets} written, {} → {}", bytes_text(*bytes), to.display()), p.parked);
            }
            State::Exists => drop(say(ui, "A file of this name is there already.".to_owned(), p.late)),
            State::Cancelled => drop(ui.label(widgets::weak(ui, "Broken off; nothing was left behind."))),
            State::Failed(error) => drop(say(ui, format!("Nothing was written: {error}"), p.alarm)),
        }
    }

    fn buttons(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Writing) {
            if ui.button("Cancel").clicked() {
                cx.ask(Action::Out(OutAction::Cancel));
            }
            return;
        }
        let to = PathBuf::from(self.path.trim());
        let selection = selection(self.which, &self.listed, (cx.data, cx.view, cx.now));
        let none = matches!(&cx.data.out.weight, Some(Ok(weight)) if weight.packets == 0);
        let why_not = match (&selection, to.as_os_str().is_empty()) {
            (None, _) => Some("There is nothing of the kind that was chosen"),
            _ if none => Some("There is no packet to write"),
            (Some(_), true) => Some("Say which file to write"),
            (Some(_), false) => None,
        };
        let exists = matches!(self.state, State::Exists);
        let export = widgets::primary(ui, Some(Icon::Export), if exists { "Replace it" } else { "Export" });
        let clicked = ui.add_enabled(why_not.is_none(), export).on_disabled_hover_text(why_not.unwrap_or_default());
        if let Some(selection) = selection.filter(|_| clicked.clicked()) {
            let replace = exists || self.agreed.as_ref() == Some(&to);
            let paper = Paper { sheet: self.sheet, redact: self.redact.then_some(self.seed) };
            self.state = State::Writing;
            cx.ask(Action::Out(OutAction::Write(Box::new(PacketsJob { selection, paper, to, replace }))));
        }
        if ui.button("Close").clicked() {
            cx.ask(Action::Sheet(None));
        }
    }
}

/// How many packets and bytes the selection has.
fn weight_text(cx: &Cx<'_>) -> RichText {
    match (&cx.data.out.weight, cx.data.out.weighing) {
        (_, Some(Stage::Bytes { done, total })) if total > 0 => {
            RichText::new(format!("Counting … {} of {} looked at", format::count(done), format::count(total))).weak()
        }
        (_, Some(_)) | (None, None) => RichText::new("Counting …").weak(),
        (Some(Ok(weight)), None) if weight.packets == 0 => RichText::new("No packet"),
        (Some(Ok(weight)), None) => {
            let packets = format::counted(weight.packets, "packet", "packets");
            RichText::new(format!("{packets}, {}", bytes_text(weight.bytes))).strong()
        }
        (Some(Err(error)), None) => RichText::new(format!("They cannot be counted: {error}")),
    }
}
