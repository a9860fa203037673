//! The sheet of taps: what overhears trackers that talk with another server, how each fares, and how one is set up.

use std::net::{IpAddr, SocketAddr};

use egui::{Label, Role, Sense, TextEdit, Ui, Vec2, WidgetInfo};

use super::{
    receivers::{self, Reach},
    settings::row,
};
use crate::{
    backend::{
        ListenAt, ReceiverStatus, Tap, TapLine, TapMode, Upstream,
        taps::{NAMES, destination, free_name, is_name},
    },
    model::bytes_text,
    ui::{
        Action, Cx, format,
        icons::{self, Icon},
        lamps::{self, Age},
        theme, widgets,
    },
};

/// Width, where the window has it.
const WIDTH: f32 = 620.0;
/// The first port that is proposed: behind those of trackers and of OwnTracks.
const FIRST_PORT: u16 = 5024;

/// The sheet, and the tap that is being set up in it.
#[derive(Default)]
pub(super) struct Taps {
    form: Option<Form>,
}

/// A tap in the hand.
struct Form {
    /// The one that is changed; `None`: a new one.
    of: Option<String>,
    name: String,
    passes: bool,
    to: String,
    reach: Reach,
    /// An address of its own, where it listens at neither of the usual two.
    ip: Option<IpAddr>,
    port: String,
}

impl Form {
    fn new(taps: &[TapLine]) -> Self {
        let wants = |port: u16| taps.iter().any(|tap| receivers::wanted(&tap.line).is_some_and(|at| at.port() == port));
        let port = (FIRST_PORT..u16::MAX).find(|port| !wants(*port)).unwrap_or(FIRST_PORT);
        let (name, to) = (String::new(), String::new());
        Self { of: None, name, passes: true, to, reach: Reach::Network, ip: None, port: port.to_string() }
    }

    fn of(line: &TapLine) -> Self {
        let wanted = receivers::wanted(&line.line);
        let to = match &line.tap.mode {
            TapMode::Pass { to } => Some(to.clone()),
            TapMode::Copy => None,
        };
        Self {
            of: Some(line.tap.name.clone()),
            name: line.tap.name.clone(),
            passes: to.is_some(),
            to: to.unwrap_or_default(),
            reach: Reach::of(wanted),
            ip: wanted.map(|at| at.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified()),
            port: wanted.map_or(FIRST_PORT, |at| at.port()).to_string(),
        }
    }

    /// The tap as it would be; else what is missing, a sentence.
    fn tap(&self, others: &[TapLine]) -> Result<Tap, String> {
        let mode = if self.passes {
            let to = self.to.trim().to_owned();
            if to.is_empty() {
                return Err("Say whereto it passes on".to_owned());
            }
            destination(&to).map_err(|_| "The server needs a name and a port, as gps.example.com:5023".to_owned())?;
            TapMode::Pass { to }
        } else {
            TapMode::Copy
        };
        let is_taken = |name: &str| others.iter().any(|line| line.tap.name == name);
        let name = match self.name.trim() {
            "" => free_name(&mode, is_taken),
            name if !is_name(name) => return Err(format!("Another name, please: {NAMES}")),
            name if self.of.is_none() && is_taken(name) => return Err(format!("There is a tap called {name}")),
            name => name.to_owned(),
        };
        let port: u16 = self.port.trim().parse().map_err(|_| "A port is a number up to 65535".to_owned())?;
        let listen = match (self.reach.at(port), self.ip) {
            (ListenAt::Address(_), Some(ip)) if self.reach == Reach::Network => {
                ListenAt::Address(SocketAddr::new(ip, port))
            }
            (listen, _) => listen,
        };
        Ok(Tap { name, listen, mode })
    }
}

impl Taps {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let width = WIDTH.min(ui.ctx().content_rect().width() - 90.0);
        ui.set_width(width);
        ui.set_max_width(width - 8.0);
        let data = cx.data;
        let about = "A tap hears what trackers tell another server, the vendor's or Traccar, and keeps it as if they had told it here. \
                     It never answers and adds nothing: what goes through stays as it is, whatever happens here.";
        ui.add(Label::new(widgets::weak(ui, about)).wrap());
        ui.add_space(theme::GAP);
        for line in &data.station.taps {
            widgets::card(ui, |ui| match &mut self.form {
                Some(form) if form.of.as_deref() == Some(&line.tap.name) => {
                    if editor(ui, cx, form) {
                        self.form = None;
                    }
                }
                _ => {
                    if shown(ui, cx, line) {
                        self.form = Some(Form::of(line));
                    }
                }
            });
            ui.add_space(4.0);
        }
        if data.station.viewer {
            ui.label(widgets::weak(ui, "This window only looks on: taps are set up where Wayglass receives."));
        } else {
            match &mut self.form {
                Some(form) if form.of.is_none() => {
                    let mut done = false;
                    widgets::card(ui, |ui| done = editor(ui, cx, form));
                    if done {
                        self.form = None;
                    }
                }
                _ => {
                    if ui.add(widgets::labelled(Icon::Plus, "Add a tap…")).clicked() {
                        self.form = Some(Form::new(&data.station.taps));
                    }
                }
            }
        }
        ui.add_space(theme::MARGIN);
        if ui.button("Close").clicked() {
            self.form = None;
            cx.ask(Action::Sheet(None));
        }
    }
}

/// How a tap fares. True: it is to be changed.
fn shown(ui: &mut Ui, cx: &mut Cx<'_>, line: &TapLine) -> bool {
    let p = theme::palette(ui);
    let mut change = false;
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(10.0), Sense::hover());
        lamps::paint_receiver(ui.painter(), rect, age(line), p);
        ui.label(widgets::strong(ui, &line.tap.name));
        ui.label(widgets::weak(ui, line.tap.mode.to_string()));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let name = &line.tap.name;
            let named = |response: egui::Response, what: &str| {
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{what} {name}")));
                response.clicked()
            };
            if named(ui.button("Remove"), "Remove") {
                cx.ask(Action::RemoveTap(name.clone()));
            }
            change = named(ui.button("Change…"), "Change");
            if matches!(line.line.status, ReceiverStatus::Waiting { .. }) && named(ui.button("Retry"), "Retry") {
                cx.ask(Action::RetryTap(name.clone()));
            }
        });
    });
    let say = |ui: &mut Ui, icon: Icon, colour, text: String| {
        ui.horizontal_top(|ui| {
            icons::show(ui, icon, colour);
            ui.add(Label::new(text).wrap());
        });
    };
    match &line.line.status {
        ReceiverStatus::Waiting { .. } => say(ui, Icon::Warning, p.alarm, receivers::sentence(&line.line)),
        _ => {
            ui.label(widgets::weak(ui, receivers::sentence(&line.line)));
        }
    }
    match (&line.tap.mode, &line.upstream) {
        (TapMode::Pass { to }, Upstream::Failed { at, why }) => {
            let ago = widgets::age(ui, cx.now, *at);
            let text = format!("{to} was not reached {ago} ago: {why}. Trackers are closed meanwhile, and call again.");
            say(ui, Icon::Warning, p.alarm, text);
        }
        (TapMode::Pass { to }, Upstream::Reached { at }) => {
            let ago = widgets::age(ui, cx.now, *at);
            ui.label(widgets::weak(ui, format!("{to} took the last connection {ago} ago.")));
        }
        (TapMode::Pass { .. }, Upstream::Unknown) => {
            ui.label(widgets::weak(ui, "No tracker has called yet."));
        }
        (TapMode::Copy, _) => {}
    }
    traffic(ui, line);
    if line.traffic.not_recorded_bytes > 0 {
        let text = format!(
            "{} went through and could not be recorded. Health says why.",
            bytes_text(line.traffic.not_recorded_bytes)
        );
        say(ui, Icon::Warning, p.late, text);
    }
    change
}

fn traffic(ui: &mut Ui, line: &TapLine) {
    let traffic = &line.traffic;
    let mut parts = vec![
        format::counted(line.line.connections as u64, "connection", "connections"),
        format!("{} packets a minute", format::count(traffic.packets_in_a_minute.into())),
        format!("{} since the start", format::count(traffic.packets)),
        format!("{} of trackers", bytes_text(traffic.heard_bytes)),
    ];
    if matches!(line.tap.mode, TapMode::Pass { .. }) {
        parts.push(format!("{} of the server", bytes_text(traffic.answered_bytes)));
    }
    // A line breaks between what is said, not within it.
    let said: Vec<_> = parts.into_iter().map(|part| part.replace(' ', "\u{a0}")).collect();
    ui.add(Label::new(widgets::weak(ui, said.join(" · "))).wrap());
}

/// What a tap is to be. True: it is done with.
fn editor(ui: &mut Ui, cx: &mut Cx<'_>, form: &mut Form) -> bool {
    let title = form.of.as_ref().map_or_else(|| "A new tap".to_owned(), |name| format!("Change {name}"));
    ui.label(widgets::strong(ui, title));
    row(ui, "Trackers", |ui| {
        ui.radio_value(&mut form.passes, true, "Pass on to another server");
        ui.radio_value(&mut form.passes, false, "Take a copy, as Traccar's server.forward sends");
    });
    if form.passes {
        row(ui, "Server", |ui| field(ui, &mut form.to, "gps.example.com:5023", "Server and port", f32::INFINITY));
    }
    row(ui, "Listen on", |ui| {
        for reach in Reach::ALL {
            let title = match (reach, form.ip) {
                (Reach::Network, Some(ip)) => ip.to_string(),
                _ => reach.title().to_owned(),
            };
            ui.radio_value(&mut form.reach, reach, title);
        }
        if form.reach != Reach::Off {
            ui.label(widgets::weak(ui, "Port"));
            field(ui, &mut form.port, "5024", "Port of the tap", 56.0);
        }
    });
    if form.of.is_none() {
        row(ui, "Name", |ui| {
            field(ui, &mut form.name, "after the server, unless you name it", "Name of the tap", 240.0);
        });
    }
    if form.of.is_some() {
        ui.label(widgets::weak(ui, "Another server ends the connections that are open; trackers call again."));
    }
    let tap = form.tap(&cx.data.station.taps);
    let mut done = false;
    ui.horizontal(|ui| {
        let text = if form.of.is_some() { "Save tap" } else { "Add tap" };
        let save = ui.add_enabled(tap.is_ok(), widgets::primary(ui, None, text));
        match &tap {
            Ok(tap) if save.clicked() => {
                cx.ask(Action::SetTap(tap.clone()));
                done = true;
            }
            Ok(_) => {}
            Err(why) => {
                ui.label(widgets::weak(ui, why));
            }
        }
        done |= ui.button("Cancel").clicked();
    });
    done
}

fn field(ui: &mut Ui, text: &mut String, hint: &str, name: &str, width: f32) {
    let field = ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(width));
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, name));
}

/// The lamp of a tap: late where its port or its server is not to be had.
fn age(line: &TapLine) -> Age {
    match (&line.line.status, &line.upstream) {
        (ReceiverStatus::Off, _) => Age::Stale,
        (ReceiverStatus::Starting | ReceiverStatus::Waiting { .. }, _) | (_, Upstream::Failed { .. }) => Age::Late,
        (ReceiverStatus::Listening(_), Upstream::Unknown | Upstream::Reached { .. }) => Age::Fresh,
    }
}

/// The lamp of all taps, and what stands beside it at the top, where there is room in full; `None` where there are none.
pub(super) fn together(taps: &[TapLine], roomy: bool) -> Option<(Age, String)> {
    let worst = taps.iter().map(age).filter(|age| *age != Age::Stale).max();
    let text = match taps {
        [] => return None,
        _ if !roomy => "Taps".to_owned(),
        [one] => format!("Tap {}", one.tap.name),
        more => format!("{} taps", more.len()),
    };
    Some((worst.unwrap_or(Age::Stale), text))
}
