//! The profile of a phone: its names, its password, its key.

use egui::{Button, ComboBox, Label, RichText, TextEdit, TextStyle, Ui, WidgetInfo, accesskit::Role};

use super::{super::sheets, row};
use crate::{
    backend::pairing::fresh_secret,
    model::{DeviceId, DeviceOverview, DeviceState, Identity, PhoneRow, Protocol, Secret},
    ui::{
        Action, Cx, format,
        icons::{self, Icon},
        phones::user_part,
        theme, widgets,
    },
    wire::owntracks,
};

/// Width of a field.
const FIELD: f32 = 200.0;

/// The sheet and what is being typed in it.
#[derive(Default)]
pub(in crate::ui::panels) struct Access {
    /// Whose it is; another phone begins anew.
    of: Option<DeviceId>,
    user: String,
    password: String,
    key: String,
    name: String,
    other: Option<DeviceId>,
}

impl Access {
    pub(in crate::ui::panels) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(560.0);
        let data = cx.data;
        let Some(overview) = sheets::selected(ui, cx, "phone") else { return };
        let id = overview.device.id;
        let set_up = data.phones.rows.get(&id);
        if self.of != Some(id) {
            let user = set_up.and_then(|row| row.users.first().cloned());
            let user = user.or_else(|| user_part(&overview.device.identity).map(str::to_owned));
            *self = Self { of: Some(id), user: user.unwrap_or_default(), ..Self::default() };
        }
        ui.label(widgets::strong(ui, data.name_of(overview)));
        ui.add_enabled_ui(!data.station.viewer, |ui| {
            self.key(ui, cx, overview, set_up);
            self.password(ui, cx, overview, set_up);
            self.names(ui, cx, overview, set_up);
        });
        ui.add_space(theme::GAP);
        ui.horizontal(|ui| {
            if ui.button("Close").clicked() {
                cx.ask(Action::Sheet(None));
            }
            if ui.button("QR code and checklist…").clicked() {
                cx.ask(Action::OpenPhone(id));
            }
        });
    }

    fn key(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview, set_up: Option<&PhoneRow>) {
        let p = theme::palette(ui);
        let id = overview.device.id;
        heading(ui, "Encryption");
        let has_key = set_up.is_some_and(|row| row.has_key);
        let closed = set_up.map_or(0, |row| row.closed);
        if closed > 0 {
            let reports = format::counted(closed, "report", "reports");
            let text = if has_key {
                format!("{reports} came encrypted with another key. Set that key, and what is kept is opened.")
            } else {
                format!("{reports} came encrypted. Set the key that stands in the app, and what is kept is opened.")
            };
            ui.add(Label::new(RichText::new(text).color(p.alarm)).wrap());
        }
        let state = if has_key { "A key is set." } else { "No key is set: the phone reports in the clear." };
        if has_key || closed == 0 {
            ui.label(widgets::weak(ui, state));
        }
        row(ui, "Key", |ui| {
            let hint = if has_key { "another key" } else { "as in the app" };
            secret_field(ui, &mut self.key, hint, "Key");
            let ready = !self.key.trim().is_empty();
            if ui.add_enabled(ready, widgets::primary(ui, None, "Set key")).clicked() {
                cx.ask(Action::SetKey(id, Secret::new(self.key.trim())));
                self.key.clear();
            }
            if ui.button("Make one").on_hover_text("A key that nobody guesses; type it into the app, too").clicked() {
                self.key = fresh_secret().unwrap_or_default();
            }
            if has_key && ui.button("Remove key").clicked() {
                cx.ask(Action::SetKey(id, None));
            }
        });
        ui.add(
            Label::new(small(ui, "The same word as in the app under Encryption key; at most 32 letters count.")).wrap(),
        );
    }

    fn password(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview, set_up: Option<&PhoneRow>) {
        let id = overview.device.id;
        heading(ui, "Password");
        let own: Vec<String> = set_up.map(|row| row.users.clone()).unwrap_or_default();
        if own.is_empty() && cx.data.phones.is_guarded(&overview.device) {
            ui.label(widgets::weak(ui, "Its user has a password for all phones: this one must sign in with it."));
        } else if own.is_empty() {
            ui.label(widgets::weak(ui, "None is set: whoever knows its name can report as this phone."));
        }
        for user in &own {
            ui.horizontal(|ui| {
                icons::show(ui, Icon::Lock, theme::palette(ui).parked);
                ui.label(format!("It must sign in as {user}. The password is kept as a hash and never shown."));
                if ui.button("Remove password").clicked() {
                    cx.ask(Action::SetPassword { user: user.clone(), device: Some(id), password: None });
                }
            });
        }
        row(ui, "User", |ui| {
            let field = TextEdit::singleline(&mut self.user).desired_width(FIELD - 10.0).char_limit(60);
            ui.add(field).widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "User"));
        });
        row(ui, "Password", |ui| {
            secret_field(ui, &mut self.password, if own.is_empty() { "" } else { "another password" }, "Password");
            let ready = !self.password.is_empty() && !self.user.trim().is_empty() && !self.user.contains(':');
            if ui.add_enabled(ready, Button::new("Set password")).clicked() {
                let password = Secret::new(std::mem::take(&mut self.password));
                cx.ask(Action::SetPassword { user: self.user.trim().to_owned(), device: Some(id), password });
            }
            if ui.button("Make one").on_hover_text("Copy it before you set it: it is not shown again").clicked() {
                self.password = fresh_secret().unwrap_or_default();
            }
        });
    }

    fn names(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview, set_up: Option<&PhoneRow>) {
        let p = theme::palette(ui);
        let data = cx.data;
        let id = overview.device.id;
        heading(ui, "Names");
        row(ui, "Calls itself", |ui| {
            let text = RichText::new(overview.device.identity.as_str()).monospace().color(p.strong);
            ui.add(Label::new(text).truncate().selectable(true));
        });
        if let Some(advice) = generic_advice(&overview.device.identity) {
            ui.add(Label::new(RichText::new(advice).color(p.late)).wrap());
        }
        for name in set_up.map(|row| row.also.as_slice()).unwrap_or_default() {
            row(ui, "Also", |ui| {
                ui.label(RichText::new(name.as_str()).monospace().color(p.strong));
                let button = widgets::icon_button(ui, Icon::Close, &format!("Take {name} away"));
                let hint = "From now on it is somebody else's name; what came under it stays here";
                if button.on_hover_text(hint).clicked() {
                    cx.ask(Action::Alias(id, name.clone(), false));
                }
                let hint = "It is another phone after all: what came in under this name leaves here and becomes its own history";
                // The same name without what begins every topic has no history of its own.
                let is_short =
                    overview.device.identity.as_str().strip_suffix(name.as_str()).is_some_and(|s| s.ends_with('/'));
                if !is_short && ui.button("Part again").on_hover_text(hint).clicked() {
                    cx.ask(Action::Part(id, name.clone()));
                }
            });
        }
        row(ui, "Same as", |ui| {
            let others: Vec<_> = data
                .devices
                .values()
                .filter(|d| d.device.protocol == Protocol::OwnTracks && d.device.id != id)
                .filter(|d| d.device.state != DeviceState::Ignored)
                .collect();
            let chosen = self.other.and_then(|other| data.devices.get(&other));
            let text = chosen.map_or("another phone in the list", |d| data.name_of(d));
            let combo = ComboBox::from_id_salt("same as").width(FIELD + 60.0).selected_text(text).show_ui(ui, |ui| {
                for other in others {
                    let name = format!("{}  {}", data.name_of(other), other.device.identity);
                    ui.selectable_value(&mut self.other, Some(other.device.id), name);
                }
            });
            combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Same as"));
            let join = ui.add_enabled(chosen.is_some(), Button::new("Join"));
            if join.on_hover_text("Its names and all its history become this phone's").clicked()
                && let Some(other) = self.other.take()
            {
                cx.ask(Action::SameAs { from: other, to: id });
            }
        });
        row(ui, "Or the name", |ui| {
            let field = TextEdit::singleline(&mut self.name).hint_text("owntracks/jane/tablet");
            let field = ui.add(field.desired_width(FIELD + 50.0).char_limit(120));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Another name"));
            let name = Identity::new(self.name.trim());
            if ui.add_enabled(name.is_some(), Button::new("Attach")).clicked()
                && let Some(name) = name
            {
                cx.ask(Action::Alias(id, name, true));
                self.name.clear();
            }
        });
    }
}

/// What to do about a name that comes with the app.
pub(in crate::ui::panels) fn generic_advice(identity: &Identity) -> Option<String> {
    owntracks::is_generic(identity).then(|| {
        format!(
            "The app comes with the name {identity}, so several phones may share it. Set user and device in the app."
        )
    })
}

fn secret_field(ui: &mut Ui, text: &mut String, hint: &str, name: &str) {
    let field = TextEdit::singleline(text).hint_text(hint).font(TextStyle::Monospace);
    let field = ui.add(field.desired_width(FIELD - 10.0).char_limit(64));
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, name));
}

fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(theme::GAP);
    ui.label(widgets::strong(ui, text));
}

fn small(ui: &Ui, text: &str) -> RichText {
    widgets::weak(ui, text).text_style(TextStyle::Small)
}
