//! The settings sheet.

use egui::{Align, Label, Layout, Role, Slider, TextEdit, TextStyle, Ui, WidgetInfo};

use super::{
    keep,
    receivers::{self, Ports},
};
use crate::{
    model::Policy,
    ui::{
        Action, Cx, format, theme,
        view::{OnlineMap, PhonesTab, Settings as Chosen, Sheet, ThemeChoice, Units, Zone},
        widgets,
    },
};

/// Width, where the window has it.
const WIDTH: f32 = 640.0;
/// Width of what stands before a choice.
const LABEL: f32 = 90.0;

/// The sheet and what is being typed in it.
#[derive(Default)]
pub(super) struct Settings {
    /// The online map's URL while it is being typed.
    template: Option<String>,
    /// The scale while its slider is being dragged: applied at once it would move the slider away from under the pointer.
    scale: Option<f32>,
    ports: Ports,
}

impl Settings {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 80.0));
        let mut chosen = cx.view.settings.clone();
        if !cx.data.station.receivers.is_empty() {
            section(ui, "Receivers", "usually this computer only, ports 5144 and 5023, without HTTPS");
            self.receivers(ui, cx);
            row(ui, "Taps", |ui| {
                let open = match cx.data.station.taps.len() {
                    0 => "Overhear another server's trackers…".to_owned(),
                    n => format!("{}…", format::counted(n as u64, "tap", "taps")),
                };
                if ui.button(open).clicked() {
                    cx.ask(Action::Sheet(Some(Sheet::Taps)));
                }
            });
            row(ui, "Phones", |ui| {
                if ui.button("HTTPS, passwords, who sees whom…").clicked() {
                    cx.ask(Action::Sheet(Some(Sheet::Phones(PhonesTab::Https))));
                }
            });
        }
        section(ui, "New senders", "usually Ask");
        ui.add_enabled_ui(!cx.data.station.viewer, |ui| policy(ui, cx));
        section(ui, "Kept", "positions always stay");
        ui.add_enabled_ui(!cx.data.station.viewer, |ui| keep::rows(ui, cx));
        section(ui, "Look", "");
        self.look(ui, cx, &mut chosen);
        section(ui, "Map", "");
        self.map(ui, cx, &mut chosen);
        section(ui, "Places and alarms", "");
        notices(ui, cx, &mut chosen);
        section(ui, "Folder", "where everything is kept");
        let folder = cx.data.station.data_dir.display().to_string();
        if widgets::copyable(ui, &folder, "folder") {
            cx.ask(Action::Copy(folder, "the folder"));
        }
        ui.add_space(theme::MARGIN);
        if ui.button("Close").clicked() {
            cx.ask(Action::Sheet(None));
        }
        if chosen != cx.view.settings {
            cx.ask(Action::SetSettings(chosen));
        }
    }

    fn look(&mut self, ui: &mut Ui, cx: &Cx<'_>, chosen: &mut Chosen) {
        usual_row(ui, "Theme", "System", |ui| {
            choice(ui, &mut chosen.theme, ThemeChoice::System, "System");
            choice(ui, &mut chosen.theme, ThemeChoice::Light, "Light");
            choice(ui, &mut chosen.theme, ThemeChoice::Dark, "Dark");
        });
        usual_row(ui, "Size", "100 %", |ui| self.size(ui, chosen));
        usual_row(ui, "Units", "Metric", |ui| {
            choice(ui, &mut chosen.units, Units::Metric, "Metric");
            choice(ui, &mut chosen.units, Units::Imperial, "Miles and feet");
            choice(ui, &mut chosen.units, Units::Nautical, "Knots and nautical miles");
        });
        usual_row(ui, "Times", "Local", |ui| {
            let local = format::zone_name(cx.now, &cx.view.local_zone);
            choice(ui, &mut chosen.zone, Zone::Local, &format!("Local ({local})"));
            choice(ui, &mut chosen.zone, Zone::Utc, "UTC");
        });
        usual_row(ui, "Motion", "off", |ui| {
            ui.checkbox(&mut chosen.reduce_motion, "Reduced").on_hover_text("Nothing slides, fades or pulses");
        });
    }

    fn map(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, chosen: &mut Chosen) {
        row(ui, "Files", |ui| {
            if ui.button("Maps…").clicked() {
                cx.ask(Action::Sheet(Some(Sheet::Maps)));
            }
        });
        usual_row(ui, "Online", "off", |ui| {
            ui.checkbox(&mut chosen.online_map.on, "Draw tiles from a server above the built-in map")
                .on_hover_text("The server learns which places you look at");
        });
        self.online(ui, &mut chosen.online_map);
    }

    fn receivers(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let data = cx.data;
        for line in &data.station.receivers {
            row(ui, line.protocol.title(), |ui| {
                receivers::reach(ui, cx, line);
                self.ports.ui(ui, cx, line);
            });
        }
    }

    fn size(&mut self, ui: &mut Ui, chosen: &mut Chosen) {
        let (least, greatest) = Chosen::SCALES;
        let mut percent = self.scale.unwrap_or(chosen.ui_scale) * 100.0;
        let slider = ui.add(Slider::new(&mut percent, least * 100.0..=greatest * 100.0).step_by(5.0).suffix(" %"));
        slider.widget_info(|| WidgetInfo::labeled(Role::Slider, true, "Size"));
        self.scale = Some(percent / 100.0);
        if !slider.dragged() {
            chosen.ui_scale = percent / 100.0;
            self.scale = None;
        }
    }

    fn online(&mut self, ui: &mut Ui, map: &mut OnlineMap) {
        let typed = self.template.get_or_insert_with(|| map.template.clone());
        row(ui, "Address", |ui| {
            let field = TextEdit::singleline(typed).hint_text(&OnlineMap::default().template);
            let field = ui.add(field.desired_width(f32::INFINITY));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Address of map tiles"));
            if field.lost_focus() {
                typed.trim().clone_into(&mut map.template);
            }
        });
        if !["{z}", "{x}", "{y}"].iter().all(|part| typed.contains(part)) {
            let p = theme::palette(ui);
            row(ui, "", |ui| {
                ui.colored_label(p.late, "The address needs {z}, {x} and {y}");
            });
        }
        row(ui, "Credit", |ui| {
            let field = ui.add(TextEdit::singleline(&mut map.attribution).desired_width(f32::INFINITY));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Credit on the map"));
        });
        if !map.on {
            self.template = None;
        }
    }
}

fn policy(ui: &mut Ui, cx: &mut Cx<'_>) {
    let now = cx.data.station.policy;
    for policy in Policy::ALL {
        let (text, meaning) = match policy {
            Policy::Ask => ("Ask", "kept, answered, and shown as new until you decide"),
            Policy::Adopt => ("Adopt all", "every sender becomes a device at once"),
            Policy::Strict => ("Only known", "others are refused: trackers are closed, phones get an error"),
        };
        ui.horizontal(|ui| {
            if ui.radio(now == policy, text).clicked() {
                cx.ask(Action::SetPolicy(policy));
            }
            ui.label(widgets::weak(ui, meaning));
        });
    }
}

/// What calls the user, and what is to be seen of places.
fn notices(ui: &mut Ui, cx: &mut Cx<'_>, chosen: &mut Chosen) {
    row(ui, "What calls", |ui| {
        for (text, sheet) in [("Places…", Sheet::Places), ("Rules and mutes…", Sheet::Rules)] {
            if ui.button(text).clicked() {
                cx.ask(Action::Sheet(Some(sheet)));
            }
        }
    });
    usual_row(ui, "On the map", "on", |ui| {
        ui.checkbox(&mut chosen.show_places, "Outlines of places");
    });
    usual_row(ui, "Desktop", "on", |ui| {
        ui.checkbox(&mut chosen.notify, "Show a notification, a few a minute at most");
    });
    usual_row(ui, "Sound", "on", |ui| {
        ui.add_enabled_ui(chosen.notify, |ui| ui.checkbox(&mut chosen.notify_sound, "The desktop's own sound"));
    });
}

/// The heading of a part, with a word on all of it.
fn section(ui: &mut Ui, text: &str, about: &str) {
    ui.add_space(2.0);
    ui.separator();
    ui.horizontal(|ui| {
        ui.label(widgets::strong(ui, text));
        ui.label(widgets::weak(ui, about).text_style(TextStyle::Small));
    });
}

/// As [`row`], with what it is where nobody chose, at the right.
pub(super) fn usual_row(ui: &mut Ui, label: &str, usual: &str, add: impl FnOnce(&mut Ui)) {
    row(ui, label, |ui| {
        add(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let usual = widgets::weak(ui, format!("usually {usual}")).text_style(TextStyle::Small);
            ui.add(Label::new(usual).truncate());
        });
    });
}

/// A label and what stands behind it.
pub(super) fn row(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    widgets::field_row(ui, LABEL, label, add);
}

fn choice<T: PartialEq>(ui: &mut Ui, value: &mut T, this: T, text: &str) {
    ui.selectable_value(value, this, text);
}
