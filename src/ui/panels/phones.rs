//! What concerns all phones: HTTPS, passwords, who sees whom.

use egui::{
    Button, DragValue, Grid, Label, RichText, ScrollArea, TextEdit, TextStyle, Ui, WidgetInfo, accesskit::Role,
};

use super::{
    commands::sentence_case,
    phone::{HTTPS_PORT, qr::Code, row, save::Saver},
    receivers::{self, Reach},
};
use crate::{
    backend::{
        ListenAt, ReceiverLine, ReceiverStatus,
        pairing::fresh_secret,
        phones::{PhoneCertificate, TRUST_ON_ANDROID, TRUST_ON_IPHONE},
    },
    model::{DeviceOverview, DeviceState, Protocol, Secret},
    ui::{
        Action, Cx,
        icons::{self, Icon},
        theme,
        view::{PhonesTab, Sheet},
        widgets,
    },
};

/// Rows and columns of the grid of friends at most; a filter finds the others.
const MOST: usize = 40;
/// Least side of the QR code.
const CODE: f32 = 150.0;
/// Width of a name above a column of the grid.
const COLUMN: f32 = 66.0;

/// The sheet and what is being typed in it.
#[derive(Default)]
pub(super) struct Phones {
    port: Option<u16>,
    code: Code,
    saver: Saver,
    user: String,
    password: String,
    filter: String,
}

impl Phones {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, tab: PhonesTab) {
        let room = ui.ctx().content_rect().width() - 90.0;
        ui.set_width(room.clamp(400.0, 680.0));
        ui.horizontal(|ui| {
            for (other, title) in [
                (PhonesTab::Https, "HTTPS"),
                (PhonesTab::Passwords, "Passwords"),
                (PhonesTab::Friends, "Who sees whom"),
            ] {
                if ui.selectable_label(tab == other, title).clicked() && tab != other {
                    cx.ask(Action::Sheet(Some(Sheet::Phones(other))));
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if ui.add(widgets::labelled(Icon::Plus, "Add a phone…")).clicked() {
                    cx.ask(Action::Sheet(Some(Sheet::AddPhone)));
                }
            });
        });
        ui.add_space(theme::GAP);
        match tab {
            PhonesTab::Https => self.https(ui, cx),
            PhonesTab::Passwords => {
                ui.add_enabled_ui(!cx.data.station.viewer, |ui| self.passwords(ui, cx));
            }
            PhonesTab::Friends => {
                ui.add_enabled_ui(!cx.data.station.viewer, |ui| self.friends(ui, cx));
            }
        }
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            if ui.button("Close").clicked() {
                cx.ask(Action::Sheet(None));
            }
            let selected = cx.view.selection.device.and_then(|id| cx.data.devices.get(&id));
            if let Some(phone) = selected.filter(|d| d.device.protocol == Protocol::OwnTracks)
                && ui.button(format!("Set up {}…", cx.data.name_of(phone))).clicked()
            {
                cx.ask(Action::OpenPhone(phone.device.id));
            }
        });
    }

    fn https(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let data = cx.data;
        let Some(line) = &data.phones.https else {
            ui.label(widgets::weak(ui, "This window only looks on: HTTPS is set up where Wayglass receives."));
            return;
        };
        let why = "iPhones report only over HTTPS. It has a port of its own, beside the plain one.";
        ui.add(Label::new(widgets::weak(ui, why)).wrap());
        self.listening(ui, cx, line);
        if line.wanted == ListenAt::Off {
            return;
        }
        match &data.phones.certificate {
            None => {
                ui.label(widgets::weak(ui, "One moment …"));
            }
            Some(Err(why)) => {
                ui.add(Label::new(RichText::new(why).color(theme::palette(ui).alarm)).wrap());
            }
            Some(Ok(certificate)) => self.certificate(ui, cx, certificate),
        }
    }

    fn listening(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &ReceiverLine) {
        let p = theme::palette(ui);
        let wanted = receivers::wanted(line);
        let is = Reach::of(wanted);
        let port = wanted.map_or(HTTPS_PORT, |at| at.port());
        ui.horizontal(|ui| {
            for reach in Reach::ALL {
                if ui.radio(is == reach, reach.title()).clicked() && is != reach {
                    cx.ask(Action::ListenHttps(reach.at(port)));
                }
            }
            if is != Reach::Off {
                let typed = self.port.get_or_insert(port);
                let label = ui.label(widgets::weak(ui, "Port"));
                let field = ui.add(DragValue::new(typed).range(1..=u16::MAX).speed(0.2)).labelled_by(label.id);
                let typing = field.has_focus() || field.dragged();
                if !typing && *typed != port && ui.button(format!("Use {typed}")).clicked() {
                    cx.ask(Action::ListenHttps(is.at(*typed)));
                }
            }
        });
        let (icon, colour) = match line.status {
            ReceiverStatus::Listening(_) => (Icon::Check, p.parked),
            ReceiverStatus::Off | ReceiverStatus::Starting => (Icon::Clock, p.weak),
            ReceiverStatus::Waiting { .. } => (Icon::Warning, p.alarm),
        };
        ui.horizontal_wrapped(|ui| {
            icons::show(ui, icon, colour);
            ui.label(RichText::new(receivers::sentence(line)).color(p.text));
            if matches!(line.status, ReceiverStatus::Waiting { .. }) && ui.button("Retry").clicked() {
                cx.ask(Action::RetryHttps);
            }
        });
    }

    fn certificate(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, certificate: &PhoneCertificate) {
        let p = theme::palette(ui);
        heading(ui, "Certificate");
        let names = certificate.names.join(", ");
        if !names.is_empty() {
            row(ui, "Good for", |ui| {
                ui.add(Label::new(RichText::new(names).color(p.strong)).wrap());
            });
        }
        if let Some(ends) = certificate.ends {
            row(ui, "Until", |ui| {
                ui.label(widgets::strong(ui, cx.view.stamp(ends)));
                if certificate.root.is_some() {
                    ui.label(widgets::weak(ui, "· renewed by itself long before"));
                }
            });
        }
        for doubt in &certificate.doubts {
            let colour = if doubt.is_refused() { p.alarm } else { p.late };
            ui.horizontal_top(|ui| {
                icons::show(ui, Icon::Warning, colour);
                let text = format!("{}.", sentence_case(&doubt.to_string()));
                ui.add(Label::new(RichText::new(text).color(colour)).wrap());
            });
        }
        let Some(root) = &certificate.root else {
            ui.label("Your own certificate is used. Phones need nothing where a public authority signed it.");
            return;
        };
        row(ui, "Fingerprint", |ui| {
            let text = two_lines(&root.fingerprint);
            ui.add(Label::new(RichText::new(text).monospace().size(11.0).color(p.strong)).selectable(true));
        });
        heading(ui, "What each phone must do once: install the root");
        ui.horizontal_top(|ui| {
            if let Some(url) = &certificate.root_url {
                let side = self.code.side(ui, url, CODE);
                ui.vertical(|ui| {
                    ui.set_width(side);
                    self.code.show(ui, url, CODE, "QR code of the root certificate");
                });
            }
            ui.vertical(|ui| {
                if let Some(url) = &certificate.root_url
                    && widgets::copyable(ui, url, "address of the root")
                {
                    cx.ask(Action::Copy(url.clone(), "the address of the root"));
                }
                self.saver.button(ui, cx, "Save root…", "wayglass-root.crt");
                self.saver.ui(ui, cx, &root.der);
                steps(ui, "iPhone", &TRUST_ON_IPHONE);
                steps(ui, "Android", &TRUST_ON_ANDROID);
            });
        });
    }

    fn passwords(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let p = theme::palette(ui);
        let data = cx.data;
        let any = !data.phones.users.is_empty() || data.phones.rows.values().any(|row| !row.users.is_empty());
        let state = if any {
            "Whoever has a password must sign in with it, and so must senders nobody knows. Phones that were adopted without one go on as before."
        } else {
            "No password is set: whoever reaches the port can report. Set one, and it is required from then on."
        };
        ui.add(Label::new(widgets::weak(ui, state)).wrap());
        heading(ui, "People: one password for all their phones");
        for user in &data.phones.users {
            ui.horizontal(|ui| {
                icons::show(ui, Icon::Lock, p.parked);
                ui.label(widgets::strong(ui, user.as_str()));
                let button = ui.button("Remove");
                button
                    .widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Remove the password of {user}")));
                if button.clicked() {
                    cx.ask(Action::SetPassword { user: user.clone(), device: None, password: None });
                }
            });
        }
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.user).hint_text("user").desired_width(130.0).char_limit(60);
            ui.add(field).widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "User"));
            let field = TextEdit::singleline(&mut self.password).hint_text("password").font(TextStyle::Monospace);
            let field = ui.add(field.desired_width(190.0).char_limit(64));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Password"));
            if ui.button("Make one").on_hover_text("Copy it before you set it: it is not shown again").clicked() {
                self.password = fresh_secret().unwrap_or_default();
            }
            let user = self.user.trim();
            let ready = !user.is_empty() && !user.contains(':') && !self.password.is_empty();
            if ui.add_enabled(ready, Button::new("Set password")).clicked() {
                let user = user.to_owned();
                let password = Secret::new(std::mem::take(&mut self.password));
                cx.ask(Action::SetPassword { user, device: None, password });
                self.user.clear();
            }
        });
        heading(ui, "Phones: a password of their own");
        for overview in phones(cx).filter(|d| d.device.state == DeviceState::Adopted) {
            let id = overview.device.id;
            let own = data.phones.rows.get(&id).map(|row| row.users.as_slice()).unwrap_or_default();
            ui.horizontal(|ui| {
                let colour = if own.is_empty() { p.line } else { p.parked };
                icons::show(ui, Icon::Lock, colour);
                ui.label(widgets::strong(ui, data.name_of(overview)));
                match own.first() {
                    Some(user) => ui.label(widgets::weak(ui, format!("signs in as {user}"))),
                    None if data.phones.is_guarded(&overview.device) => {
                        ui.label(widgets::weak(ui, "that of its person"))
                    }
                    None => ui.label(widgets::weak(ui, "none needed")),
                };
                if ui.link("Change…").clicked() {
                    cx.ask(Action::OpenProfile(id));
                }
            });
        }
    }

    fn friends(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let data = cx.data;
        let how = "A phone is told where others are when it reports: tick whom it sees. Nobody sees anybody by itself.";
        ui.add(Label::new(widgets::weak(ui, how)).wrap());
        let adopted = |d: &&DeviceOverview| d.device.state == DeviceState::Adopted;
        let all = phones(cx).filter(adopted).count();
        if all == 0 {
            ui.label(widgets::weak(ui, "No phone is adopted yet."));
            return;
        }
        let seen: Vec<_> = data.devices.values().filter(adopted).collect();
        if seen.len() > 8 {
            let field = TextEdit::singleline(&mut self.filter).hint_text("Filter by name").desired_width(220.0);
            ui.add(field).widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter people"));
        }
        let filter = self.filter.trim().to_lowercase();
        let fits = |d: &&DeviceOverview| filter.is_empty() || data.name_of(d).to_lowercase().contains(&filter);
        let viewers: Vec<_> = phones(cx).filter(adopted).take(MOST).collect();
        let columns: Vec<_> = seen.into_iter().filter(fits).take(MOST).collect();
        ui.add_space(theme::GAP);
        ScrollArea::horizontal().id_salt("friends").show(ui, |ui| {
            Grid::new("friends").striped(true).min_col_width(COLUMN).spacing([4.0, 4.0]).show(ui, |ui| {
                ui.label(widgets::weak(ui, "sees"));
                for seen in &columns {
                    let name = data.name_of(seen);
                    ui.scope(|ui| {
                        ui.set_max_width(COLUMN);
                        ui.vertical(|ui| {
                            ui.spacing_mut().item_spacing.y = 0.0;
                            for line in heading_lines(name) {
                                ui.add(Label::new(widgets::strong(ui, line)).truncate()).on_hover_text(name);
                            }
                        });
                    });
                }
                ui.end_row();
                for viewer in &viewers {
                    let name = data.name_of(viewer);
                    ui.scope(|ui| {
                        ui.set_max_width(150.0);
                        ui.add(Label::new(widgets::strong(ui, name)).truncate());
                    });
                    let row = data.phones.rows.get(&viewer.device.id);
                    let told = row.map(|row| row.sees.as_slice()).unwrap_or_default();
                    for seen in &columns {
                        cell(ui, cx, viewer, seen, told.contains(&seen.device.id));
                    }
                    ui.end_row();
                }
            });
        });
        if all > MOST || columns.len() == MOST {
            ui.label(widgets::weak(ui, format!("Only {MOST} are shown at a time; the filter finds the others.")));
        }
    }
}

/// A name above a narrow column: of a phone that has none but its topic, what tells it from others, a word a line.
fn heading_lines(name: &str) -> Vec<&str> {
    match name.strip_prefix("owntracks/").and_then(|rest| rest.split_once('/')) {
        Some((user, device)) => vec![user, device],
        None => vec![name],
    }
}

/// Whether one sees the other.
fn cell(ui: &mut Ui, cx: &mut Cx<'_>, viewer: &DeviceOverview, seen: &DeviceOverview, told: bool) {
    let mut on = told;
    let (a, b) = (cx.data.name_of(viewer).to_owned(), cx.data.name_of(seen).to_owned());
    let tick = ui.checkbox(&mut on, "");
    tick.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, told, format!("{a} sees {b}")));
    let itself = viewer.device.id == seen.device.id;
    let hint = if itself { format!("{a} finds itself in its own list of friends") } else { format!("{a} sees {b}") };
    if tick.on_hover_text(hint).changed() {
        cx.ask(Action::SetFriend { viewer: viewer.device.id, seen: seen.device.id, told: on });
    }
}

fn phones<'a>(cx: &Cx<'a>) -> impl Iterator<Item = &'a DeviceOverview> + use<'a> {
    cx.data.devices.values().filter(|d| d.device.protocol == Protocol::OwnTracks)
}

/// As phones show it: too long for one line.
fn two_lines(fingerprint: &str) -> String {
    let pairs: Vec<&str> = fingerprint.split(':').collect();
    let (first, second) = pairs.split_at(pairs.len() / 2);
    format!("{}\n{}", first.join(" "), second.join(" "))
}

fn steps(ui: &mut Ui, title: &str, steps: &[&str]) {
    ui.add_space(4.0);
    ui.label(widgets::strong(ui, title));
    for (n, step) in (1..).zip(steps) {
        ui.add(Label::new(widgets::weak(ui, format!("{n}. {step}"))).wrap());
    }
}

fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(theme::GAP);
    ui.label(widgets::strong(ui, text));
}
