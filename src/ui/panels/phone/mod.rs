//! Adding a phone: its names first, then what is typed into it or read by its camera, and what has arrived.

pub(super) mod access;
mod checks;
pub(super) mod console;
pub(super) mod qr;
pub(super) mod save;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use egui::{Align, Button, ComboBox, Label, Layout, RichText, TextEdit, Ui, WidgetInfo, accesskit::Role, vec2};

use self::{qr::Code, save::Saver};
use super::receivers;
use crate::{
    backend::{
        ListenAt,
        pairing::fresh_secret,
        phones::{NewPhone, PhoneSetup, SetupChoice},
    },
    model::{DeviceId, DeviceOverview, Protocol},
    ui::{
        Action, Cx,
        icons::Icon,
        theme,
        view::{PhonesTab, Sheet},
        widgets,
    },
};

/// Where HTTPS listens by itself.
pub(super) const HTTPS_PORT: u16 = 5145;
/// Width of what stands before a field.
const LABEL: f32 = 84.0;
/// Width of a field.
const FIELD: f32 = 220.0;
/// Least side of the QR code.
const CODE: f32 = 250.0;

/// The two sheets and what is being put together in them.
#[derive(Default)]
pub(super) struct Pairing {
    draft: Option<Draft>,
    /// Which phone is set up, and how that is shown.
    shown: Option<(DeviceId, SetupChoice)>,
    code: Code,
    saver: Saver,
}

/// A phone that is to be added.
struct Draft {
    user: String,
    device: String,
    name: String,
    tid: String,
    tid_is_mine: bool,
    password: Option<String>,
    key: Option<String>,
    /// It was asked for, and not answered yet.
    asked: bool,
}

impl Draft {
    fn new() -> Self {
        let device = "phone".to_owned();
        Self {
            user: String::new(),
            device,
            name: String::new(),
            tid: String::new(),
            tid_is_mine: false,
            password: fresh_secret(),
            key: None,
            asked: false,
        }
    }

    fn phone(&self) -> NewPhone {
        let name = self.name.trim();
        NewPhone {
            user: self.user.trim().to_owned(),
            device: self.device.trim().to_owned(),
            tid: self.tid.trim().to_owned(),
            name: (!name.is_empty()).then(|| name.to_owned()),
            password: self.password.clone().filter(|p| !p.is_empty()),
            key: self.key.clone().filter(|k| !k.is_empty()),
        }
    }
}

impl Pairing {
    /// Forgets the password of the phone that was shown, once no sheet about phones is open.
    pub(super) fn rest(&mut self, sheet: Option<Sheet>) {
        if !matches!(sheet, Some(Sheet::AddPhone | Sheet::Phone | Sheet::Phones(_) | Sheet::Profile)) {
            self.shown = None;
        }
    }

    /// The sheet that asks for the names.
    pub(super) fn add(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(500.0);
        if cx.data.station.viewer {
            ui.label(widgets::weak(ui, "This window only looks on: add the phone where Wayglass receives."));
            return;
        }
        let draft = self.draft.get_or_insert_with(Draft::new);
        let intro = "OwnTracks is a free app for iPhone and Android that tells where the phone is. Say whose phone it is; \
                     everything else is made for you.";
        ui.add(Label::new(widgets::weak(ui, intro)).wrap());
        ui.add_space(theme::GAP);
        field(ui, "Person", &mut draft.user, "jane", "User", "a short word");
        field(ui, "Phone", &mut draft.device, "phone", "Device", "which of the person's phones");
        field(ui, "Shown as", &mut draft.name, "Jane", "Name here", "on the map and in the list");
        if !draft.tid_is_mine {
            let user = draft.user.trim();
            let tid = (!user.is_empty()).then(|| NewPhone::suggested(user, draft.device.trim()).tid);
            draft.tid = tid.unwrap_or_default();
        }
        let before = draft.tid.clone();
        field(ui, "Letters", &mut draft.tid, "JP", "Two letters", "two, for the maps of friends");
        draft.tid = draft.tid.chars().filter(|c| c.is_alphanumeric()).take(2).collect();
        draft.tid_is_mine |= draft.tid != before && !draft.tid.is_empty();
        ui.add_space(theme::GAP);
        secret(ui, "Sign in with a password", "Only who knows it can report as this phone.", &mut draft.password);
        secret(ui, "Encrypt", "Nobody on the way can read along. Needed where there is no HTTPS.", &mut draft.key);
        ui.add_space(theme::GAP);
        let phone = draft.phone();
        let identity = phone.identity();
        let p = theme::palette(ui);
        let made = cx.data.phones.made.as_ref().filter(|made| Ok(&made.identity) == identity.as_ref());
        if let Some(Err(why)) = made.map(|made| &made.device) {
            ui.label(RichText::new(format!("It could not be added: {why}")).color(p.alarm));
            draft.asked = false;
        }
        let known = |d: &&DeviceOverview| Ok(&d.device.identity) == identity.as_ref();
        if let Some(known) = cx.data.devices.values().find(known) {
            let text = format!("{} is there already; it gets what is set here.", cx.data.name_of(known));
            ui.label(RichText::new(text).color(p.late));
        }
        let mut cancelled = false;
        ui.horizontal(|ui| {
            let why_not = identity.as_ref().err().map(|why| super::commands::sentence_case(why)).unwrap_or_default();
            let add = widgets::primary(ui, Some(Icon::Plus), "Add phone");
            if ui.add_enabled(identity.is_ok() && !draft.asked, add).on_disabled_hover_text(why_not).clicked() {
                draft.asked = true;
                cx.ask(Action::AddPhone(phone));
            }
            cancelled = ui.button("Cancel").clicked();
        });
        if cancelled {
            self.draft = None;
            cx.ask(Action::Sheet(None));
        }
    }

    /// The sheet that shows what to type, and what has arrived, of the selected phone.
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let room = ui.ctx().content_rect().width() - 90.0;
        ui.set_width(room.clamp(400.0, 880.0));
        let selected = cx.view.selection.device.and_then(|id| cx.data.devices.get(&id));
        let Some(overview) = selected.filter(|d| d.device.protocol == Protocol::OwnTracks) else {
            ui.label(widgets::weak(ui, "Select a phone first."));
            return;
        };
        let id = overview.device.id;
        // The password is known as long as the sheet is about the phone that was just added.
        if let Some(draft) = self.draft.take_if(|d| d.phone().identity().as_ref() == Ok(&overview.device.identity)) {
            let phone = draft.phone();
            let tid = Some(phone.tid).filter(|tid| !tid.is_empty());
            self.shown = Some((id, SetupChoice { url: None, password: phone.password, tid }));
        }
        if self.shown.as_ref().is_none_or(|(shown, _)| *shown != id) {
            self.shown = Some((id, SetupChoice::default()));
        }
        let Some((_, choice)) = &mut self.shown else { return };
        let pairing = cx.data.phones.pairing.as_ref().filter(|p| p.device == id && p.choice == *choice);
        let Some(pairing) = pairing else {
            cx.ask(Action::WatchPhone(id, choice.clone()));
            ui.label(widgets::weak(ui, "One moment …"));
            return;
        };
        let setup = match &pairing.setup {
            Some(Ok(setup)) => setup,
            Some(Err(why)) => {
                ui.label(RichText::new(why).color(theme::palette(ui).alarm));
                return;
            }
            None => {
                ui.label(widgets::weak(ui, "One moment …"));
                return;
            }
        };
        let (code, saver) = (&mut self.code, &mut self.saver);
        ui.horizontal_top(|ui| {
            let side = code.side(ui, &setup.link, CODE);
            ui.allocate_ui_with_layout(vec2(side, 10.0), Layout::top_down(Align::Min), |ui| {
                code.show(ui, &setup.link, CODE, "QR code of the settings");
                let how = "Install OwnTracks on the phone, then point its camera at this code and open the link.";
                ui.add(Label::new(widgets::weak(ui, how)).wrap());
                ui.horizontal_wrapped(|ui| {
                    if ui.add(widgets::labelled(Icon::Copy, "Copy link")).clicked() {
                        cx.ask(Action::Copy(setup.link.clone(), "the link; it holds the phone's secrets"));
                    }
                    saver.button(ui, cx, "Save file…", &setup.otrc_name);
                });
            });
            ui.add_space(theme::GAP);
            ui.vertical(|ui| {
                saver.ui(ui, cx, setup.otrc.as_bytes());
                warnings(ui, cx, setup);
                widgets::group_heading(ui, "What has arrived");
                match &pairing.checklist {
                    Some(checklist) => checks::list(ui, cx, id, checklist),
                    None => {
                        ui.label(widgets::weak(ui, "One moment …"));
                    }
                }
                ui.add_space(theme::GAP);
                widgets::group_heading(ui, "Or type it: Preferences, Connection, mode HTTP");
                by_hand(ui, cx, overview, setup, choice);
            });
        });
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            if ui.button("Close").clicked() {
                self.shown = None;
                cx.ask(Action::Sheet(None));
            }
            if ui.button("Password, key, names…").clicked() {
                cx.ask(Action::OpenProfile(id));
            }
        });
    }
}

/// What will go wrong with this address, with a button that mends it.
fn warnings(ui: &mut Ui, cx: &mut Cx<'_>, setup: &PhoneSetup) {
    let p = theme::palette(ui);
    let viewer = cx.data.station.viewer;
    for warning in &setup.warnings {
        egui::Frame::new().fill(p.notice).corner_radius(5).inner_margin(8).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.add(Label::new(RichText::new(warning).color(p.late)).wrap());
            if viewer {
                return;
            }
            let text = warning.as_str();
            let local = text.starts_with("Only this computer") || text.starts_with("Nothing listens");
            if local && ui.button("Let the network in").clicked() {
                let line = cx.data.station.receivers.iter().find(|line| line.protocol == Protocol::OwnTracks);
                let port = line.and_then(receivers::wanted).map_or(Protocol::OwnTracks.default_port(), |at| at.port());
                cx.ask(Action::Listen(Protocol::OwnTracks, everywhere(port)));
            }
            if text.starts_with("iPhones") {
                ui.horizontal(|ui| {
                    let off = cx.data.phones.https.as_ref().is_some_and(|line| line.wanted == ListenAt::Off);
                    if off && ui.button("Turn HTTPS on").clicked() {
                        cx.ask(Action::ListenHttps(everywhere(HTTPS_PORT)));
                    }
                    if ui.button("About HTTPS…").clicked() {
                        cx.ask(Action::Sheet(Some(Sheet::Phones(PhonesTab::Https))));
                    }
                });
            }
        });
        ui.add_space(4.0);
    }
    if setup.url.starts_with("https") {
        ui.horizontal_wrapped(|ui| {
            ui.label(widgets::weak(ui, "The phone must trust this computer once:"));
            if ui.link("how to install the root certificate").clicked() {
                cx.ask(Action::Sheet(Some(Sheet::Phones(PhonesTab::Https))));
            }
        });
    }
}

/// Every address of this computer, on this port.
pub(super) fn everywhere(port: u16) -> ListenAt {
    ListenAt::Address(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port))
}

/// The settings one by one, and the choice of the address.
fn by_hand(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview, setup: &PhoneSetup, choice: &mut SetupChoice) {
    if cx.data.phones.urls.len() > 1 {
        row(ui, "Address", |ui| {
            let combo = ComboBox::from_id_salt("url").width(ui.available_width() - 20.0).selected_text(&setup.url);
            let combo = combo.show_ui(ui, |ui| {
                for url in &cx.data.phones.urls {
                    ui.selectable_value(&mut choice.url, Some(url.url.clone()), &url.url);
                }
            });
            combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Address of this computer"));
        });
    }
    let mut lines =
        vec![("URL", setup.url.as_str()), ("Device ID", setup.device.as_str()), ("Tracker ID", setup.tid.as_str())];
    lines.insert(1, ("User name", setup.user.as_str()));
    if let Some(password) = &choice.password {
        lines.insert(2, ("Password", password.as_str()));
    }
    if let Some(key) = &setup.key {
        lines.push(("Key", key.reveal()));
    }
    for (label, text) in lines {
        row(ui, label, |ui| {
            if widgets::copyable(ui, text, label) {
                cx.ask(Action::Copy(text.to_owned(), "it"));
            }
        });
    }
    if choice.password.is_some() {
        ui.label(widgets::weak(ui, "The password is shown only now: Wayglass keeps no more than its hash."));
    } else if cx.data.phones.is_guarded(&overview.device) && !cx.data.station.viewer {
        row(ui, "Password", |ui| {
            ui.label(widgets::weak(ui, "set, and not shown again"));
            if ui.button("Make a new one").clicked()
                && let Some(password) = fresh_secret()
            {
                let secret = crate::model::Secret::new(password.clone());
                let user = setup.user.clone();
                cx.ask(Action::SetPassword { user, device: Some(overview.device.id), password: secret });
                choice.password = Some(password);
            }
        });
    }
}

/// A field of the form.
fn field(ui: &mut Ui, label: &str, text: &mut String, hint: &str, name: &str, about: &str) {
    row(ui, label, |ui| {
        let field = ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(FIELD - 10.0).char_limit(60));
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, name));
        ui.add(Label::new(widgets::weak(ui, about)).truncate());
    });
}

/// A secret that may be left out, and is made where it is wanted.
fn secret(ui: &mut Ui, title: &str, about: &str, secret: &mut Option<String>) {
    let mut on = secret.is_some();
    if ui.checkbox(&mut on, title).on_hover_text(about).changed() {
        *secret = on.then(fresh_secret).flatten();
    }
    if let Some(text) = secret {
        row(ui, "", |ui| {
            let field = ui.add(
                TextEdit::singleline(text).desired_width(FIELD - 10.0).char_limit(64).font(egui::TextStyle::Monospace),
            );
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, title));
            if ui.add(Button::new("Another")).on_hover_text("Make another one").clicked()
                && let Some(fresh) = fresh_secret()
            {
                *text = fresh;
            }
        });
    }
    ui.indent(title, |ui| ui.add(Label::new(widgets::weak(ui, about)).wrap()));
}

/// A label, and what belongs to it.
pub(super) fn row(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    widgets::field_row(ui, LABEL, label, add);
}
