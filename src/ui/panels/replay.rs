//! The sheet that sends a capture again: which one, whereto, how fast, under which name; and how far that is.

use std::path::{Path, PathBuf};

use egui::{
    Align, Context, DragValue, Label, Layout, ProgressBar, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo,
};

use super::export::dialog::Browse;
use crate::{
    backend::{
        capture::CaptureSource,
        demo::HttpUrl,
        replay::{Rename, ReplayJob, Speed, Target},
    },
    model::Protocol,
    ui::{
        Action, Cx, format,
        icons::Icon,
        replay::{Ended, Going, ReplayAction, Start},
        theme, widgets,
    },
};

const WIDTH: f32 = 620.0;
/// What the window is wider than the sheet at least.
const MARGIN: f32 = 80.0;
/// Width of what stands before a field.
const LABEL: f32 = 74.0;

/// Room for what was odd; there may be many lines of it.
const MOST_ODD: f32 = 130.0;

/// The sheet and what is being chosen in it.
pub(in crate::ui) struct Replay {
    /// A file, although a capture is shown.
    other: bool,
    path: String,
    /// `None`: elsewhere.
    to: Option<Protocol>,
    elsewhere: String,
    pace: Pace,
    times: f64,
    imei: String,
    browse: Browse,
    /// The last frame that it was drawn in.
    drawn: u64,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            other: false,
            path: String::new(),
            to: Some(Protocol::Gt06),
            elsewhere: String::new(),
            pace: Pace::default(),
            times: 1.0,
            imei: String::new(),
            browse: Browse::default(),
            drawn: 0,
        }
    }
}

/// How fast, but for the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pace {
    #[default]
    Times,
    Acknowledged,
    Max,
}

impl Replay {
    /// Opens the system's file dialog. Where there is none the path field remains.
    pub(in crate::ui) fn browse(&mut self, ctx: Context, beside: &Path) {
        self.browse.pick(ctx, "A capture", beside, None);
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if let Some(path) = self.browse.picked(ui.input(|i| i.time)) {
            (self.path, self.other) = (path.display().to_string(), true);
        }
        let frame = ui.ctx().cumulative_frame_nr();
        if frame > self.drawn + 1 {
            // Opened anew it is about what is shown.
            self.other = false;
        }
        self.drawn = frame;
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - MARGIN));
        let data = cx.data;
        ui.add_enabled_ui(data.replay.going.is_none(), |ui| {
            self.which(ui, cx);
            self.whereto(ui, cx);
            self.how_fast(ui);
            self.name(ui);
        });
        self.browse.note(ui);
        ui.add_space(theme::GAP);
        match (&data.replay.going, &data.replay.ended) {
            (Some(going), _) => progress(ui, going),
            (None, Some(ended)) => result(ui, ended),
            (None, None) => {}
        }
        ui.horizontal(|ui| self.buttons(ui, cx));
    }

    /// Which capture.
    fn which(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let shown = cx.data.replay.shown.as_ref().map(CaptureSource::name);
        if let Some(name) = &shown {
            row(ui, "What", |ui| {
                ui.radio_value(&mut self.other, false, format!("{name}, which is shown"));
            });
        }
        row(ui, if shown.is_some() { "" } else { "What" }, |ui| {
            if shown.is_some() {
                ui.radio_value(&mut self.other, true, "A file");
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if self.browse.button(ui) {
                    cx.ask(Action::Replay(ReplayAction::Browse(PathBuf::from(self.path.trim()))));
                }
                let hint = "pcap, pcapng, a log, hex, JSON lines";
                let field = TextEdit::singleline(&mut self.path).hint_text(hint).desired_width(f32::INFINITY);
                let field = ui.add(field);
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Capture to replay"));
                self.other |= field.changed();
            });
        });
        ui.add_space(theme::GAP);
    }

    /// Into which receiver.
    fn whereto(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let own = &cx.data.replay.own;
        for (n, (protocol, at)) in own.iter().enumerate() {
            row(ui, if n == 0 { "To" } else { "" }, |ui| {
                let text = format!("Our {} receiver, {at}", protocol.title());
                ui.radio_value(&mut self.to, Some(*protocol), text)
                    .on_hover_text("What arrives there is stored like everything else");
            });
        }
        row(ui, if own.is_empty() { "To" } else { "" }, |ui| {
            ui.radio_value(&mut self.to, None, "Elsewhere");
            let hint = "HOST:PORT for GT06, http://HOST:PORT/PATH for OwnTracks";
            let field = TextEdit::singleline(&mut self.elsewhere).hint_text(hint).desired_width(f32::INFINITY);
            let field = ui.add(field);
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Receiver to replay to"));
            if field.changed() {
                self.to = None;
            }
        });
        ui.add_space(theme::GAP);
    }

    fn how_fast(&mut self, ui: &mut Ui) {
        row(ui, "Speed", |ui| {
            ui.radio_value(&mut self.pace, Pace::Times, "So many times as fast as it was");
            let number = DragValue::new(&mut self.times).range(Speed::TIMES).speed(0.1).max_decimals(1).suffix(" ×");
            let number = ui.add(number);
            number.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, "Times as fast"));
            if number.changed() {
                self.pace = Pace::Times;
            }
            for times in [1.0, 10.0, 100.0, 1_000.0] {
                if ui.small_button(format!("{times} ×")).clicked() {
                    (self.times, self.pace) = (times, Pace::Times);
                }
            }
        });
        for (pace, text) in [
            (Pace::Acknowledged, "Each frame when the one before was answered"),
            (Pace::Max, "Everything without a pause"),
        ] {
            row(ui, "", |ui| {
                ui.radio_value(&mut self.pace, pace, text);
            });
        }
        ui.add_space(theme::GAP);
    }

    /// Under which name trackers log in.
    fn name(&mut self, ui: &mut Ui) {
        let trackers = self.to_trackers();
        row(ui, "IMEI", |ui| {
            let field = TextEdit::singleline(&mut self.imei).hint_text("as in the capture").desired_width(270.0);
            let field = ui.add_enabled(trackers, field.char_limit(40));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, trackers, "IMEI to log in with"));
            let hint = if trackers { "NEW for every login, OLD=NEW for one" } else { "phones do not log in" };
            ui.add(Label::new(widgets::weak(ui, hint)).truncate());
        });
    }

    /// It goes to a receiver of trackers, as far as that is said yet.
    fn to_trackers(&self) -> bool {
        match self.to {
            Some(protocol) => protocol == Protocol::Gt06,
            None => !matches!(Target::parse(self.elsewhere.trim()), Ok(Target::OwnTracks(_))),
        }
    }

    /// What was chosen, or what is missing.
    fn job(&self, cx: &Cx<'_>) -> Result<Start, String> {
        let shown = cx.data.replay.shown.as_ref().filter(|_| !self.other);
        let path = self.path.trim();
        let source = match shown {
            Some(shown) => shown.clone(),
            None if path.is_empty() => return Err("Say which capture".to_owned()),
            None => CaptureSource::File(PathBuf::from(path)),
        };
        let own = |protocol| cx.data.replay.own.iter().find(|(own, _)| *own == protocol).map(|(_, at)| at);
        let elsewhere = self.elsewhere.trim();
        let to = match self.to {
            Some(protocol) => {
                let at = own(protocol).ok_or_else(|| format!("Our {} receiver does not listen", protocol.title()))?;
                match protocol {
                    Protocol::Gt06 => Target::Gt06(at.to_string()),
                    Protocol::OwnTracks => Target::OwnTracks(HttpUrl::parse(&format!("http://{at}"))?),
                }
            }
            None if elsewhere.is_empty() => return Err("Say whereto".to_owned()),
            None => Target::parse(elsewhere).map_err(|why| format!("{elsewhere} is no receiver: {why}"))?,
        };
        let speed = match self.pace {
            Pace::Times => Speed::Times(self.times),
            Pace::Acknowledged => Speed::Acknowledged,
            Pace::Max => Speed::Max,
        };
        let imei = Some(self.imei.trim()).filter(|imei| !imei.is_empty() && self.to_trackers());
        let rename = imei.map(Rename::parse).transpose()?;
        Ok(Start { job: ReplayJob { source, to, speed, rename }, own: self.to.is_some() })
    }

    fn buttons(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if let Some(going) = &cx.data.replay.going {
            if ui.add_enabled(!going.stopping, egui::Button::new("Stop")).clicked() {
                cx.ask(Action::Replay(ReplayAction::Stop));
            }
        } else {
            let job = self.job(cx);
            let button = ui.add_enabled(job.is_ok(), widgets::primary(ui, Some(Icon::Play), "Replay"));
            let button = button.on_disabled_hover_text(job.as_ref().err().map_or("", String::as_str));
            match job {
                Ok(start) if button.clicked() => cx.ask(Action::Replay(ReplayAction::Start(Box::new(start)))),
                Ok(_) => {}
                Err(why) => drop(ui.add(Label::new(widgets::weak(ui, why)).truncate())),
            }
        }
        if ui.button("Close").clicked() {
            cx.ask(Action::Sheet(None));
        }
    }
}

/// How far it is.
fn progress(ui: &mut Ui, going: &Going) {
    let tale = &going.tale;
    let mut text = format!("{} sent, {} answered", format::count(tale.sent), format::count(tale.answered));
    if let Some(whole) = going.whole {
        text = format!("{text}, {} of {} gone through", format::count(tale.taken), format::count(whole.records));
    }
    if going.stopping {
        text = format!("{text}; waits for the last answers");
    } else if let Some(left_s) = going.left_s().filter(|left_s| *left_s >= 1.0) {
        let left_s = i64::try_from(format::whole(left_s)).unwrap_or(i64::MAX);
        text = format!("{text}; {} left", format::span(left_s));
    }
    ui.label(widgets::strong(ui, format!("Replaying {}", going.name)));
    ui.add(ProgressBar::new(going.part()).text(text));
}

/// How it ended.
fn result(ui: &mut Ui, ended: &Ended) {
    let p = theme::palette(ui);
    let colour = match ended.well {
        true if ended.odd.is_empty() => p.parked,
        true => p.late,
        false => p.alarm,
    };
    ui.add(Label::new(RichText::new(format!("{}: {}", ended.name, ended.text)).color(colour)).wrap());
    ScrollArea::vertical().id_salt("odd").max_height(MOST_ODD).auto_shrink([false, true]).show(ui, |ui| {
        for odd in &ended.odd {
            ui.add(Label::new(widgets::weak(ui, &odd.0)).wrap());
        }
    });
}

fn row(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    widgets::field_row(ui, LABEL, label, add);
}
