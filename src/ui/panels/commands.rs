//! The command console: what can be said to a tracker, the exact bytes before they go, and what became of each.

mod guard;
mod library;
mod meaning;
mod preview;
pub(super) mod receipts;

use std::time::Duration;

use egui::{
    Align, ComboBox, Key, Label, Layout, RichText, ScrollArea, TextEdit, TextStyle, Ui, WidgetInfo, accesskit::Role,
    vec2,
};

use super::{profile::dialect_title, sheets};
use guard::{Go, Guard};
pub(in crate::ui::panels) use library::sentence_case;
use library::{Offer, Shelf};

use crate::{
    model::{
        COMMAND_EXPIRES_S, DeviceId, DeviceOverview, Profile,
        library::{Danger, Dialect, danger},
    },
    ui::{Action, Cx, format, icons::Icon, theme, widgets},
};

/// Receipts in the sheet.
const RECEIPTS: usize = 50;
/// Width of the library.
const LIBRARY: f32 = 290.0;
/// Width of what stands before a field.
const LABEL: f32 = 74.0;

/// The sheet and what is being put together in it.
#[derive(Default)]
pub(super) struct Commands {
    /// Whose command it is; another device begins anew.
    device: Option<DeviceId>,
    shelf: Shelf,
    chosen: Option<Offer>,
    /// What the parameters of the chosen one are to be.
    values: Vec<String>,
    text: String,
    guard: Guard,
    patience: Patience,
    /// Under which name the text is to be kept, while that is being typed.
    keeping: Option<Keeping>,
    /// Enter was pressed: the keyboard goes on to what is to be done next, up to the button.
    going_on: bool,
}

/// A name that is being typed for a text.
#[derive(Default)]
struct Keeping {
    name: String,
    /// The field had the keyboard once; later it goes where the user wants it.
    focused: bool,
}

impl Commands {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let room = ui.ctx().content_rect().size() - vec2(90.0, 120.0);
        let size = vec2(room.x.clamp(400.0, 900.0), room.y.clamp(300.0, 640.0));
        ui.set_width(size.x);
        let Some(overview) = sheets::selected(ui, cx, "tracker") else { return };
        if self.device != Some(overview.device.id) {
            *self = Self { device: Some(overview.device.id), ..Self::default() };
        }
        head(ui, cx, overview);
        ui.add_space(theme::GAP);
        let height = size.y - 40.0;
        ui.horizontal_top(|ui| {
            ui.allocate_ui_with_layout(vec2(LIBRARY, height), Layout::top_down(Align::Min), |ui| {
                ui.set_min_height(height);
                let shown = self.chosen.as_ref().filter(|offer| offer.sketch(&self.values) == self.text);
                let spoken = overview.device.profile.dialect;
                if let Some(offer) = self.shelf.ui(ui, cx, spoken, shown) {
                    self.choose(offer);
                    self.going_on = ui.input(|input| input.key_pressed(Key::Enter));
                }
            });
            ui.add_space(4.0);
            ui.allocate_ui_with_layout(vec2(ui.available_width(), height), Layout::top_down(Align::Min), |ui| {
                ScrollArea::vertical().id_salt("command").auto_shrink(false).max_height(height).show(ui, |ui| {
                    ui.set_width(ui.available_width() - 10.0);
                    self.compose(ui, cx, overview);
                    ui.add_space(theme::GAP);
                    ui.separator();
                    receipts_of(ui, cx);
                });
            });
        });
    }

    fn choose(&mut self, offer: Offer) {
        self.values = offer.first_values();
        self.text = offer.sketch(&self.values);
        self.chosen = Some(offer);
        self.guard.reset();
        self.keeping = None;
    }

    fn compose(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
        let before = self.text.clone();
        if ui.ctx().text_edit_focused() {
            // Nobody takes the keyboard away from who types.
            self.going_on = false;
        }
        self.parameters(ui);
        row(ui, "Text", |ui| {
            let keep = 74.0;
            let width = (ui.available_width() - keep - 8.0).max(80.0);
            let field = TextEdit::singleline(&mut self.text).hint_text("STATUS#").font(TextStyle::Monospace);
            // Known by name: the heading above goes with the first letter, and must not take the keyboard along.
            let field = ui.add(field.id_salt("text").desired_width(width - 10.0).char_limit(245));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Text of the command"));
            self.going_on |= entered(ui, &field);
            let new = !self.text.trim().is_empty() && !Shelf::has(cx, &self.text);
            if ui.add_enabled(new, egui::Button::new("Keep…")).on_hover_text("Keep it among your own").clicked() {
                self.keeping = Some(Keeping::default());
            }
        });
        self.keep(ui, cx);
        if self.text != before {
            self.guard.reset();
        }
        let text = self.text.trim().to_owned();
        if text.is_empty() {
            self.going_on = false;
            ui.add_space(2.0);
            ui.label(widgets::weak(ui, "Choose a command at the left, or write one: the same words as in an SMS."));
            return;
        }
        if let Some(missing) = self.missing() {
            self.going_on = false;
            let p = theme::palette(ui);
            ui.label(RichText::new(sentence_case(&missing)).color(p.late));
            return;
        }
        language(ui, cx, overview);
        let sendable = bytes(ui, cx, overview, &text);
        let mut go = match danger(&text) {
            Some(danger) => self.guard.ui(ui, overview, danger, cx.now, &mut self.going_on),
            None => Go::Yes { forced: false },
        };
        if !sendable {
            go = Go::No("These bytes cannot be sent");
        }
        if cx.data.station.viewer {
            go = Go::No("This window only looks on");
            self.going_on = false;
        }
        self.send(ui, cx, overview, text, go);
    }

    /// What the chosen command is about, and a field for each of its parameters.
    fn parameters(&mut self, ui: &mut Ui) {
        // Edited by hand, the text is no longer what the heading says: nobody may read "Cut fuel" over something else.
        let Some(offer) = self.chosen.as_ref().filter(|offer| offer.sketch(&self.values) == self.text) else { return };
        ui.label(widgets::strong(ui, offer.title()));
        if !offer.note().is_empty() {
            ui.add(Label::new(widgets::weak(ui, sentence_case(offer.note()))).wrap());
        }
        let mut changed = false;
        for (parameter, value) in offer.parameters().iter().zip(&mut self.values) {
            row(ui, parameter.name, |ui| {
                let missing = value.trim().is_empty();
                let field = TextEdit::singleline(value).hint_text(parameter.example).id_salt(parameter.name);
                let field = ui.add(field.desired_width(150.0).char_limit(120));
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, parameter.name));
                changed |= field.changed();
                self.going_on |= entered(ui, &field);
                if missing && std::mem::take(&mut self.going_on) {
                    field.request_focus();
                }
                ui.add(Label::new(widgets::weak(ui, parameter.meaning)).truncate());
            });
        }
        if changed {
            self.text = offer.sketch(&self.values);
        }
    }

    /// What is missing before the text makes sense.
    fn missing(&self) -> Option<String> {
        let offer = self.chosen.as_ref()?;
        if offer.sketch(&self.values) != self.text {
            return None;
        }
        offer.fill(&self.values).err()
    }

    fn keep(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let Some(Keeping { name, focused }) = &mut self.keeping else { return };
        let mut done = false;
        row(ui, "Keep as", |ui| {
            let field =
                ui.add(TextEdit::singleline(name).hint_text("What it does").desired_width(200.0).char_limit(60));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name of your command"));
            if !std::mem::replace(focused, true) {
                field.request_focus();
            }
            let entered = entered(ui, &field);
            let named = !name.trim().is_empty();
            if entered && !named {
                // There is nothing to keep yet: it goes on waiting for a name.
                field.request_focus();
            }
            let clicked = ui.add_enabled(named, egui::Button::new("Keep")).clicked();
            if named && (clicked || entered) {
                cx.ask(Action::AddUserCommand { title: name.trim().to_owned(), text: self.text.trim().to_owned() });
                done = true;
            }
            done |= ui.button("Cancel").clicked();
        });
        if done {
            self.keeping = None;
        }
    }

    fn send(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview, text: String, go: Go) {
        let p = theme::palette(ui);
        let id = overview.device.id;
        let connected = cx.data.remote.connected.contains(&id);
        let (may, why_not, forced) = match go {
            Go::Yes { forced } => (true, "", forced),
            Go::No(why) => (false, why, false),
        };
        let dangerous = danger(&text);
        // Nobody wants yesterday's cut today.
        let patience = if dangerous == Some(Danger::FuelCut) { Patience::default() } else { self.patience };
        ui.add_space(2.0);
        ui.horizontal(|ui| {
            let title = if connected { "Send" } else { "Queue" };
            let button = widgets::primary(ui, Some(Icon::Right), title);
            let button = if dangerous.is_some() && may { button.fill(p.alarm) } else { button };
            let button = ui.add_enabled(may, button).on_disabled_hover_text(why_not);
            if button.clicked() {
                cx.ask(Action::SendCommand { device: id, text, patience: patience.length(), forced });
                self.guard.reset();
            }
            // What comes above it in the next frame makes another button of it. A key that is held down chooses and does not send, too.
            if may && self.going_on && !ui.input(|input| input.key_down(Key::Enter)) {
                self.going_on = !button.has_focus();
                button.request_focus();
            }
            if connected {
                ui.add(Label::new(widgets::weak(ui, "Goes out at once: it is connected")).truncate());
                return;
            }
            ui.label(widgets::weak(ui, "Goes out at its next login, within"));
            if dangerous == Some(Danger::FuelCut) {
                ui.label(patience.title()).on_hover_text("A cut never waits longer");
                return;
            }
            let combo = ComboBox::from_id_salt("patience").width(70.0).selected_text(patience.title());
            let combo = combo.show_ui(ui, |ui| {
                for other in Patience::ALL {
                    ui.selectable_value(&mut self.patience, other, other.title());
                }
            });
            combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "How long it may wait"));
        });
    }
}

/// True where Enter was pressed in a field.
fn entered(ui: &Ui, field: &egui::Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

/// Whom it goes to, whether it is there, and what it understands.
fn head(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let p = theme::palette(ui);
    let (id, profile) = (overview.device.id, &overview.device.profile);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), egui::Sense::hover());
        let connected = cx.data.remote.connected.contains(&id);
        if connected {
            ui.painter().circle_filled(rect.center(), 4.0, p.parked);
        } else {
            ui.painter().circle_stroke(rect.center(), 3.5, egui::Stroke::new(1.4, p.stale));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut spoken = profile.dialect;
            ui.add_enabled_ui(!cx.data.station.viewer, |ui| dialect(ui, &mut spoken));
            if spoken != profile.dialect {
                cx.ask(Action::SetProfile(id, Profile { dialect: spoken, ..profile.clone() }));
            }
            ui.label(widgets::weak(ui, "Understands"));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let word = if connected { "connected" } else { "not connected" };
                let width = (ui.available_width() - 110.0).max(60.0);
                ui.scope(|ui| {
                    ui.set_max_width(width);
                    ui.add(Label::new(widgets::strong(ui, overview.device.label())).truncate());
                });
                ui.label(RichText::new(word).color(if connected { p.parked } else { p.stale }));
            });
        });
    });
}

fn dialect(ui: &mut Ui, spoken: &mut Option<Dialect>) {
    const ANY: &str = "Not known";
    let combo = ComboBox::from_id_salt("dialect").width(170.0).selected_text(spoken.map_or(ANY, dialect_title));
    let combo = combo.show_ui(ui, |ui| {
        ui.selectable_value(spoken, None, ANY);
        for one in Dialect::ALL {
            ui.selectable_value(spoken, Some(one), dialect_title(one));
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Understands"));
}

/// How long a command may wait for its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Patience {
    #[default]
    Usual,
    Hour,
    Day,
    Week,
}

impl Patience {
    const ALL: [Self; 4] = [Self::Usual, Self::Hour, Self::Day, Self::Week];

    fn length(self) -> Duration {
        match self {
            Self::Usual => Duration::from_secs(COMMAND_EXPIRES_S),
            Self::Hour => Duration::from_hours(1),
            Self::Day => Duration::from_hours(24),
            Self::Week => Duration::from_hours(24 * 7),
        }
    }

    fn title(self) -> String {
        format::span(i64::try_from(self.length().as_secs()).unwrap_or(i64::MAX))
    }
}

/// The switch for the two language bytes.
fn language(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let profile = &overview.device.profile;
    let mut on = profile.command_language;
    row(ui, "", |ui| {
        let switch = ui.checkbox(&mut on, "With language bytes 00 02");
        if switch.on_hover_text("Some firmware refuses commands without them; kept for this device").changed() {
            let profile = Profile { command_language: on, ..profile.clone() };
            cx.ask(Action::SetProfile(overview.device.id, profile));
        }
    });
}

/// The preview, asked for anew where the text or the switch changed. True where there are bytes to send.
fn bytes(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview, text: &str) -> bool {
    let language = overview.device.profile.command_language;
    let data = cx.data;
    let current = data.remote.preview.as_ref().filter(|p| p.text == text && p.language == language);
    if current.is_none() {
        cx.ask(Action::PreviewCommand { text: text.to_owned(), language });
    }
    // Those of a moment ago keep their place until the new ones are there.
    if let Some(preview) = &data.remote.preview {
        preview::show(ui, cx, preview);
    }
    current.is_some_and(|preview| preview.bytes.is_ok())
}

fn receipts_of(ui: &mut Ui, cx: &mut Cx<'_>) {
    widgets::group_heading(ui, "Sent to this device");
    let data = cx.data;
    if data.remote.commands.is_empty() {
        ui.label(widgets::weak(
            ui,
            "Nothing yet. Each command leaves a receipt here: when, what came back, how long it took.",
        ));
    }
    receipts::list(ui, cx, data.remote.commands.iter().take(RECEIPTS));
}

fn row(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    widgets::field_row(ui, LABEL, label, add);
}
