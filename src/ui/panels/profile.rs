//! The profile of a tracker: what no frame says, so a person has to.

pub(super) mod clock;

use std::collections::BTreeMap;

use egui::{Button, ComboBox, Label, RichText, TextEdit, Ui, WidgetInfo, accesskit::Role};

use super::sheets;
use crate::{
    backend::Rederiving,
    model::{AlarmTable, DeviceId, DeviceOverview, Profile, SupplyVoltage, library::Dialect},
    ui::{Action, Cx, format, theme, widgets},
    wire::gt06::KNOWN_MODELS,
};

/// Width of what stands before a choice.
const LABEL: f32 = 90.0;
/// What stands for no choice.
const BY_MODEL: &str = "As the model has it";
const UNSAID: &str = "Not known";
/// Width of the sheet's content: what a heading leaves room for by itself.
const SHEET: f32 = 562.0;
/// Width of a choice.
const CHOICE: f32 = 220.0;

/// The sheet and what is being chosen in it.
#[derive(Default)]
pub(super) struct Editor {
    /// Whose it is and what it was; another device, or a change from elsewhere, begins anew.
    of: Option<(DeviceId, Profile)>,
    draft: Profile,
    model: String,
    /// The zone of its clock while it is being typed.
    zone: String,
    forced: bool,
    /// Not applied, and left for another device: they are there again when one comes back.
    aside: BTreeMap<DeviceId, Draft>,
}

/// What was chosen for a device and is not applied yet.
#[expect(clippy::struct_field_names, reason = "what the fields of the sheet are called, too")]
struct Draft {
    was: Profile,
    draft: Profile,
    model: String,
    zone: String,
    forced: bool,
}

impl Editor {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(SHEET);
        let Some(overview) = sheets::selected(ui, cx, "tracker") else { return };
        self.begin(overview);
        let intro = format!("What no frame of {} says, and how it is read because of that.", overview.device.label());
        ui.add(Label::new(widgets::weak(ui, intro)).wrap());
        ui.add_space(theme::GAP);
        ui.add_enabled_ui(!cx.data.station.viewer, |ui| {
            self.model(ui);
            self.clock(ui);
            clock::advice(ui, cx, overview);
            heading(ui, "How its frames are read");
            choice(
                ui,
                "Alarms",
                BY_MODEL,
                &mut self.draft.alarms,
                &AlarmTable::ALL,
                AlarmTable::title,
                AlarmTable::differs,
            );
            choice(
                ui,
                "Supply",
                BY_MODEL,
                &mut self.draft.supply,
                &SupplyVoltage::ALL,
                SupplyVoltage::title,
                SupplyVoltage::models,
            );
            heading(ui, "What is sent to it");
            let none = |_: Dialect| "";
            choice(ui, "Commands", UNSAID, &mut self.draft.dialect, &Dialect::ALL, dialect_title, none);
            row(ui, "", |ui| {
                ui.checkbox(&mut self.draft.command_language, "With language bytes 00 02")
                    .on_hover_text("Some firmware refuses commands without them");
            });
        });
        ui.add_space(theme::GAP);
        self.foot(ui, cx, overview);
    }

    fn begin(&mut self, overview: &DeviceOverview) {
        let now = (overview.device.id, overview.device.profile.clone());
        if self.of.as_ref() == Some(&now) {
            return;
        }
        self.put_aside(now.0);
        if let Some(kept) = self.aside.remove(&now.0).filter(|kept| kept.was == now.1) {
            let Draft { was: _, draft, model, zone, forced } = kept;
            (self.draft, self.model, self.zone, self.forced) = (draft, model, zone, forced);
            self.of = Some(now);
            return;
        }
        let profile = &now.1;
        self.draft = profile.clone();
        self.model = profile.model.clone().unwrap_or_default();
        self.forced = profile.clock_offset_s.is_some();
        self.zone = clock::zone_text(profile.clock_offset_s.unwrap_or_default());
        self.of = Some(now);
    }

    /// Keeps what was chosen for the device that this was about, where that is another one.
    fn put_aside(&mut self, now: DeviceId) {
        let Some((device, was)) = self.of.take() else { return };
        if device == now || self.draft == was {
            return;
        }
        let (draft, model) = (std::mem::take(&mut self.draft), std::mem::take(&mut self.model));
        let (zone, forced) = (std::mem::take(&mut self.zone), self.forced);
        self.aside.insert(device, Draft { was, draft, model, zone, forced });
    }

    fn model(&mut self, ui: &mut Ui) {
        row(ui, "Model", |ui| {
            let field = TextEdit::singleline(&mut self.model).hint_text("as the documents").char_limit(60);
            let field = ui.add(field.desired_width(CHOICE - 10.0));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Model"));
            let menu = ui.menu_button("Known…", |ui| {
                egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
                    for model in KNOWN_MODELS {
                        if ui.button(*model).clicked() {
                            (*model).clone_into(&mut self.model);
                            ui.close();
                        }
                    }
                });
            });
            menu.response.on_hover_text("Models whose frames are read otherwise than the documents have it");
        });
        let model = self.model.trim();
        self.draft.model = (!model.is_empty()).then(|| model.to_owned());
    }

    fn clock(&mut self, ui: &mut Ui) {
        let p = theme::palette(ui);
        let offset = clock::parse_zone(&self.zone);
        row(ui, "Clock", |ui| {
            let shown = if self.forced { "Runs in this zone" } else { "As its login says" };
            let combo = ComboBox::from_id_salt("clock").width(CHOICE).selected_text(shown).show_ui(ui, |ui| {
                ui.selectable_value(&mut self.forced, false, "As its login says")
                    .on_hover_text("Shifts the old types only, 10 to 1F; the others tell UTC");
                ui.selectable_value(&mut self.forced, true, "Runs in this zone")
                    .on_hover_text("Shifts every time that it tells");
            });
            combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Clock"));
            if self.forced {
                if ui.button("−").on_hover_text("A quarter of an hour back").clicked() {
                    self.zone = clock::zone_text(offset.unwrap_or_default() - clock::QUARTER_S);
                }
                let field = ui.add(TextEdit::singleline(&mut self.zone).desired_width(74.0).char_limit(12));
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Zone of its clock"));
                if ui.button("+").on_hover_text("A quarter of an hour on").clicked() {
                    self.zone = clock::zone_text(offset.unwrap_or_default() + clock::QUARTER_S);
                }
            }
        });
        if self.forced && offset.is_none() {
            row(ui, "", |ui| {
                ui.label(RichText::new("Write it as +08:00 or -3:30").color(p.late));
            });
        }
        self.draft.clock_offset_s = clock::parse_zone(&self.zone).filter(|_| self.forced);
    }

    fn foot(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
        let device = &overview.device;
        let reread = cx.data.remote.rereads.get(&device.id);
        let changed = self.draft != device.profile;
        if changed && !self.draft.reads_like(&device.profile) {
            let packets = format::counted(overview.packets, "packet", "packets");
            let text = format!("Its {packets} are read again: positions, events and readings follow.");
            ui.add(Label::new(widgets::weak(ui, text)).wrap());
        } else if let Some(reread) = reread {
            progress(ui, reread);
        }
        let typed = !self.forced || self.draft.clock_offset_s.is_some();
        ui.horizontal(|ui| {
            let may = changed && typed && !cx.data.station.viewer;
            let why_not = if cx.data.station.viewer { "This window only looks on" } else { "Nothing was changed" };
            if ui.add_enabled(may, widgets::primary(ui, None, "Apply")).on_disabled_hover_text(why_not).clicked() {
                cx.ask(Action::SetProfile(device.id, self.draft.clone()));
            }
            if ui.add(Button::new("Close")).clicked() {
                cx.ask(Action::Sheet(None));
            }
            if changed {
                let hint = "What you chose and did not apply is forgotten";
                if ui.add(Button::new("Discard")).on_hover_text(hint).clicked() {
                    self.of = None;
                    self.draft = device.profile.clone();
                }
                ui.label(widgets::weak(ui, "Not applied yet; it is kept while the window is open."));
            }
        });
    }
}

/// How far the reading of a device's packets is.
pub(super) fn progress(ui: &mut Ui, work: &Rederiving) {
    let Rederiving { device: _, done, total } = *work;
    let text = match total {
        0 => "Its packets are going to be read again".to_owned(),
        _ => format!("Reading its packets again: {} of {}", format::count(done), format::count(total)),
    };
    ui.add(Label::new(widgets::weak(ui, text)).wrap());
}

/// What a tracker understands, in words.
pub(super) fn dialect_title(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Common => "The common set only",
        Dialect::Concox | Dialect::Dyd => dialect.title(),
    }
}

fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(theme::GAP);
    ui.label(widgets::strong(ui, text));
}

fn row(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    widgets::field_row(ui, LABEL, label, add);
}

/// One of `all`, or none, which is called `nothing`. `about` stands beside what is chosen.
fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    label: &str,
    nothing: &str,
    value: &mut Option<T>,
    all: &[T],
    title: fn(T) -> &'static str,
    about: impl Fn(T) -> &'static str,
) {
    row(ui, label, |ui| {
        let shown = value.map_or(nothing, title);
        let combo = ComboBox::from_id_salt(label).width(CHOICE).selected_text(shown).show_ui(ui, |ui| {
            ui.selectable_value(value, None, nothing);
            for one in all {
                let chosen = ui.selectable_value(value, Some(*one), title(*one));
                if !about(*one).is_empty() {
                    chosen.on_hover_text(about(*one));
                }
            }
        });
        combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, label));
        if let Some(one) = *value {
            ui.add(Label::new(widgets::weak(ui, about(one))).truncate());
        }
    });
}
