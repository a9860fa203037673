//! The details at the right: everything that is known of the selected device, now or at the selected packet.

mod buttons;
mod events;
mod identity;
mod link;
mod position;
mod readings;
mod then;

use std::borrow::Cow;

use egui::{
    Align, Key, Label, Layout, RectAlign, RichText, Role, ScrollArea, Sense, TextEdit, TextStyle, Ui, WidgetInfo,
};

use self::{
    buttons::{buttons, commands, decision, locked, phone_buttons, tracker_buttons},
    events::events,
    identity::kept,
    position::position,
    readings::listed,
};
use super::{look::LookEditor, profile::clock};
use crate::{
    model::{Device, DeviceId, DeviceOverview, DeviceState, Protocol},
    ui::{
        Action, Cx, format,
        icons::Icon,
        lamps::{self, Lamp},
        theme,
        time::point,
        view::Pane,
        widgets,
    },
};

/// The pane and what is being typed in it.
#[derive(Default)]
pub(in crate::ui) struct Details {
    /// The device whose name is being edited, and the text.
    renaming: Option<(DeviceId, String)>,
    all_readings: bool,
    look: LookEditor,
}

impl Details {
    /// Its name can be typed anew.
    pub(in crate::ui) fn begin_rename(&mut self, device: &Device) {
        self.renaming = Some((device.id, device.name.clone().unwrap_or_default()));
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let selected = cx.view.selection.device.and_then(|id| cx.data.devices.get(&id));
        keyboard(ui, cx, selected);
        ScrollArea::vertical().id_salt(("details", cx.view.selection.device)).auto_shrink(false).show(ui, |ui| {
            egui::Frame::new().inner_margin(theme::MARGIN).show(ui, |ui| match selected {
                Some(overview) => self.device(ui, cx, overview),
                None => nothing_selected(ui, cx),
            });
        });
    }

    fn device(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
        let health = cx.data.health(overview, cx.now);
        self.head(ui, cx, overview, &health);
        ui.add_space(theme::GAP);
        locked(ui, cx, overview);
        match overview.device.state {
            DeviceState::New => decision(ui, cx, overview),
            DeviceState::Ignored => {
                ui.label(widgets::weak(ui, "Ignored: it is answered, and kept out of sight."));
                if ui.add(widgets::primary(ui, Some(Icon::Plus), "Adopt")).clicked() {
                    cx.ask(Action::Adopt(overview.device.id));
                }
            }
            DeviceState::Adopted => {
                buttons(ui, cx, overview);
                match overview.device.protocol {
                    Protocol::Gt06 => tracker_buttons(ui, cx, overview.device.id),
                    Protocol::OwnTracks => phone_buttons(ui, cx, overview.device.id),
                }
            }
        }
        clock::advice(ui, cx, overview);
        let link_asked_for = link::warning(ui, cx, overview.device.id);
        section(ui);
        let live = cx.view.is_live();
        ui.horizontal_wrapped(|ui| {
            if !live {
                ui.label(widgets::weak(ui, "Now:")).on_hover_text("Not at the moment that is looked at");
            }
            lamp(ui, &health.link, &health.rule());
            ui.add_space(theme::GAP);
            lamp(ui, &health.fix, &health.rule());
        });
        // At the selected point, else at the last one; of another moment than now, what was known then.
        let id = overview.device.id;
        let picked = point::looked_at(cx.data, cx.view, id);
        let latest = overview.last_fix.as_ref().filter(|_| live);
        let fix = picked.or(latest).map(Cow::Borrowed);
        section(ui);
        match (picked, &fix) {
            (Some(picked), _) => then::as_of(ui, cx, picked),
            (None, None) if !live => then::unknown(ui, cx, id),
            (None, _) => {}
        }
        match &fix {
            Some(fix) => position(ui, cx, fix),
            None if live => {
                ui.label(widgets::weak(ui, "No position yet"));
            }
            None => {}
        }
        section(ui);
        self.look.ui(ui, cx, overview);
        let latest = Some(&overview.readings).filter(|_| live && picked.is_none());
        let readings = fix.as_ref().filter(|_| picked.is_some()).map(|f| &f.readings).or(latest);
        if let Some(readings) = readings.filter(|r| listed(r).next().is_some()) {
            section(ui);
            self.readings(ui, cx, readings);
        }
        commands(ui, cx, id);
        link::ui(ui, cx, id, link_asked_for);
        events(ui, cx);
        section(ui);
        kept(ui, cx, overview);
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview, health: &lamps::Health) {
        let device = &overview.device;
        if let Some((id, text)) = self.renaming.as_mut().filter(|(id, _)| *id == device.id) {
            let field = TextEdit::singleline(text).hint_text(device.identity.as_str()).desired_width(f32::INFINITY);
            let field = ui.add(field.font(TextStyle::Heading).char_limit(120));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name of the device"));
            let (enter, escape) = ui.input(|i| (i.key_pressed(Key::Enter), i.key_pressed(Key::Escape)));
            if field.lost_focus() {
                if !escape || enter {
                    cx.ask(Action::Rename(*id, text.clone()));
                }
                self.renaming = None;
            } else {
                field.request_focus();
            }
        } else {
            self.renaming = None;
            ui.horizontal(|ui| {
                if let Some(face) = cx.data.phones.faces.get(&device.id).filter(|face| face.is_there()) {
                    let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(30.0), egui::Sense::hover());
                    face.paint(ui.painter(), rect.center(), 15.0, theme::palette(ui).line);
                }
                lamps::show_mark(ui, &health.mark(overview));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if widgets::icon_button(ui, Icon::Close, "Unselect").clicked() {
                        cx.ask(Action::SelectDevice(None));
                    }
                    let may = !cx.data.station.viewer;
                    if may && widgets::icon_button(ui, Icon::Pencil, "Rename").clicked() {
                        self.begin_rename(device);
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let name = widgets::strong(ui, cx.data.name_of(overview)).heading();
                        ui.add(Label::new(name).truncate());
                    });
                });
            });
        }
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let word = health.word(overview, cx.view.settings.units);
            let now = if cx.view.is_live() { word } else { format!("now {word}") };
            ui.label(RichText::new(now).color(health.state.colour(theme::palette(ui))));
            ui.label(widgets::weak(ui, format!("· {}", device.protocol.title())));
        });
    }
}

fn nothing_selected(ui: &mut Ui, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    ui.label(RichText::new("Details").text_style(theme::title()).color(p.strong));
    ui.add_space(2.0);
    if cx.data.devices.is_empty() {
        ui.label(widgets::weak(
            ui,
            "What a device tells will stand here: place, speed, battery, alarms, and the bytes behind each of them.",
        ));
        return;
    }
    ui.label(widgets::weak(ui, "Select a device in the list or on the map, or a packet below."));
    section(ui);
    let positions: u64 = cx.data.devices.values().map(|d| d.positions).sum();
    let packets: u64 = cx.data.devices.values().map(|d| d.packets).sum();
    let rows = [
        ("Devices", format::count(cx.data.in_state(DeviceState::Adopted).count() as u64)),
        ("Positions", format::count(positions)),
        ("Packets", format::count(packets)),
    ];
    for (label, text) in rows {
        value(ui, label, &text);
    }
    ui.add_space(theme::GAP);
    if ui.add(widgets::labelled(Icon::Fit, "Show all on the map")).clicked() {
        cx.ask(Action::FitAll);
    }
}

fn section(ui: &mut Ui) {
    ui.add_space(theme::GAP);
    ui.separator();
    ui.add_space(2.0);
}

fn lamp(ui: &mut Ui, lamp: &Lamp, rule: &str) {
    if let Some(age_s) = lamp.age_s {
        widgets::wake_when_older(ui, age_s);
    }
    ui.spacing_mut().item_spacing.x = 5.0;
    let shown = lamps::show_lamp(ui, lamp).union(ui.label(lamp.sentence()));
    widgets::tooltip_beside(ui, &shown, RectAlign::LEFT_START, |ui| drop(ui.label(rule)));
}

fn value(ui: &mut Ui, label: &str, text: &str) {
    widgets::pair(ui, label, |ui| {
        ui.add(Label::new(widgets::strong(ui, text)).truncate().selectable(true));
    });
}

/// The pane as a whole takes the keyboard; the tabulator leads into it.
fn keyboard(ui: &mut Ui, cx: &Cx<'_>, selected: Option<&DeviceOverview>) {
    let area = ui.available_rect_before_wrap();
    let pane = ui.interact(area, ui.scope_id().with("pane"), Sense::focusable_noninteractive());
    let name = selected.map_or_else(|| "Details".to_owned(), |d| format!("Details of {}", cx.data.name_of(d)));
    pane.widget_info(|| WidgetInfo::labeled(Role::Region, true, &name));
    widgets::take_keyboard(ui, cx, Pane::Details, pane.id);
    if pane.has_focus() {
        let line = ui.visuals().selection.stroke;
        ui.painter().rect_stroke(area.shrink(1.0), 0.0, line, egui::StrokeKind::Inside);
    }
}
