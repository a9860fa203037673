//! A device's colour, icon, groups and notes in the details: shown, and edited in place.

use egui::{
    Button, Key, Label, Popup, PopupCloseBehavior, Rect, RichText, Role, Sense, Stroke, TextEdit, Ui, Vec2, WidgetInfo,
    vec2,
};

use crate::{
    model::{DeviceIcon, DeviceId, DeviceOverview, Look, MAX_NOTES_CHARS, Tint},
    ui::{
        Action, Cx,
        device_icons::{self, Chip},
        device_list,
        icons::Icon,
        theme::{self, tints},
        widgets,
    },
};

/// Side of a colour or icon that can be chosen.
const CHOICE: f32 = 22.0;

/// What is being typed.
#[derive(Default)]
pub(super) struct LookEditor {
    /// The device that is being edited; another one closes the editor.
    open: Option<DeviceId>,
    group: String,
    notes: String,
    /// The notes that were asked to be kept last: the answer takes a while.
    sent: String,
    /// The notes that were kept when it looked last.
    kept: String,
}

impl LookEditor {
    /// The section of the details.
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
        let device = &overview.device;
        let look = &device.profile.look;
        if self.open != Some(device.id) {
            self.close(cx);
        }
        let editing = self.open.is_some();
        ui.horizontal(|ui| {
            widgets::group_heading(ui, "Look and groups");
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let name = if editing { "Done with look and groups" } else { "Change look and groups" };
                let icon = if editing { Icon::Check } else { Icon::Pencil };
                if !cx.data.station.viewer && widgets::icon_button(ui, icon, name).clicked() {
                    if editing {
                        self.open = None;
                    } else {
                        let notes = || look.notes.clone();
                        let (open, group) = (Some(device.id), String::new());
                        *self = Self { open, group, notes: notes(), sent: notes(), kept: notes() };
                    }
                }
            });
        });
        if editing {
            self.edit(ui, cx, overview);
        } else {
            shown(ui, cx, look);
        }
    }

    /// Another device is shown, or none: what was typed about this one is kept.
    fn close(&mut self, cx: &mut Cx<'_>) {
        let before = self.open.take().and_then(|id| cx.data.devices.get(&id));
        if let Some(overview) = before {
            self.commit_notes(cx, overview);
        }
    }

    fn commit_notes(&mut self, cx: &mut Cx<'_>, overview: &DeviceOverview) {
        let notes = self.notes.trim();
        if notes != self.sent {
            notes.clone_into(&mut self.sent);
            let look = Look { notes: notes.to_owned(), ..overview.device.profile.look.clone() };
            cx.ask(Action::SetLook(overview.device.id, look));
        }
    }

    fn edit(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
        let id = overview.device.id;
        let mut look = overview.device.profile.look.clone();
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        ui.horizontal_wrapped(|ui| colors(ui, &mut look));
        ui.horizontal_wrapped(|ui| pictures(ui, &mut look));
        self.groups(ui, cx, &mut look);
        self.follow(&look.notes);
        let field = TextEdit::multiline(&mut self.notes).hint_text("Notes").desired_rows(3).char_limit(MAX_NOTES_CHARS);
        let field = ui.add(field.desired_width(f32::INFINITY));
        field.widget_info(|| WidgetInfo::labeled(Role::MultilineTextInput, true, "Notes on the device"));
        if field.lost_focus() {
            self.commit_notes(cx, overview);
        }
        if look != overview.device.profile.look {
            cx.ask(Action::SetLook(id, look));
        }
    }

    /// What is kept has changed: it was taken back, say. What is being typed goes before that.
    fn follow(&mut self, kept: &str) {
        if self.kept != kept {
            kept.clone_into(&mut self.kept);
            if self.notes.trim() == self.sent {
                (self.notes, self.sent) = (kept.to_owned(), kept.to_owned());
            }
        }
    }

    fn groups(&mut self, ui: &mut Ui, cx: &Cx<'_>, look: &mut Look) {
        ui.horizontal_wrapped(|ui| {
            for group in look.groups.clone() {
                let button = Button::new((group.as_str(), widgets::icon_atom(Icon::Close)));
                let button = ui.add(button).on_hover_text(format!("Leave the group {group}"));
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Leave {group}")));
                if button.clicked() {
                    look.leave(&group);
                }
            }
        });
        ui.horizontal(|ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let others: Vec<&str> =
                    device_list::groups(cx.data).into_iter().map(|(g, _)| g).filter(|g| !look.is_in(g)).collect();
                let pick = ui.add_enabled(!others.is_empty(), Button::new("Groups"));
                Popup::menu(&pick).close_behavior(PopupCloseBehavior::CloseOnClick).show(|ui| {
                    egui::ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
                        for group in others {
                            if ui.button(group).clicked() {
                                look.join(group);
                            }
                        }
                    });
                });
                let add = ui.add_enabled(!self.group.trim().is_empty(), Button::new("Add")).clicked();
                let field =
                    TextEdit::singleline(&mut self.group).hint_text("Add to a group").desired_width(f32::INFINITY);
                let field = ui.add(field.char_limit(60));
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Add to a group"));
                let enter = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
                if add || enter {
                    look.join(&self.group);
                    self.group.clear();
                    field.request_focus();
                }
            });
        });
    }
}

/// What was chosen, where anything was.
fn shown(ui: &mut Ui, cx: &mut Cx<'_>, look: &Look) {
    if look.is_plain() {
        ui.label(widgets::weak(ui, "No colour, icon, group or note yet"));
        return;
    }
    let p = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        if let Some(chip) = Chip::of(look) {
            let (rect, response) = ui.allocate_exact_size(Vec2::splat(device_icons::CHIP + 2.0), Sense::hover());
            device_icons::chip(ui.painter(), rect.center(), chip, p);
            response.on_hover_text(words(look));
        }
        for group in &look.groups {
            let chip = ui.add(Button::new((widgets::icon_atom(Icon::Tag), group.as_str())).small());
            if chip.on_hover_text("List only this group").clicked() {
                cx.ask(Action::FilterDevices(device_list::group_token(group)));
            }
        }
    });
    if !look.notes.is_empty() {
        ui.add(Label::new(RichText::new(&look.notes).color(p.text)).wrap().selectable(true));
    }
}

/// `Truck, green`.
fn words(look: &Look) -> String {
    let icon = look.icon.map(|i| i.title().to_owned());
    let color = look.color.map(|tint| match tints::TINTS.iter().find(|(known, _)| *known == tint) {
        Some((_, name)) => name.to_lowercase(),
        None => tint.to_string(),
    });
    icon.into_iter().chain(color).collect::<Vec<_>>().join(", ")
}

fn colors(ui: &mut Ui, look: &mut Look) {
    let p = theme::palette(ui);
    let none = [(None, "No colour")];
    for (tint, name) in none.into_iter().chain(tints::TINTS.map(|(tint, name)| (Some(tint), name))) {
        let chosen = look.color == tint;
        let (rect, picked) = choice(ui, chosen, name);
        match tint {
            Some(tint) => drop(ui.painter().circle_filled(rect.center(), 7.0, tints::color(tint))),
            None => struck(ui, rect),
        }
        if picked {
            look.color = tint;
        }
    }
    let mut custom = look.color.unwrap_or(Tint([0x60, 0x90, 0xc0])).0;
    let is_custom = look.color.is_some_and(|tint| tints::TINTS.iter().all(|(known, _)| *known != tint));
    let button = egui::color_picker::color_edit_button_srgb(ui, &mut custom).on_hover_text("Another colour");
    button.widget_info(|| WidgetInfo::labeled(Role::ColorWell, true, "Another colour"));
    if button.changed() {
        look.color = Some(Tint(custom));
    }
    if is_custom {
        ui.painter().rect_stroke(button.rect.expand(1.0), 3.0, Stroke::new(1.0, p.accent), egui::StrokeKind::Outside);
    }
}

fn pictures(ui: &mut Ui, look: &mut Look) {
    let p = theme::palette(ui);
    let none = [(None, "No icon")];
    for (icon, name) in none.into_iter().chain(DeviceIcon::ALL.map(|icon| (Some(icon), icon.title()))) {
        let chosen = look.icon == icon;
        let (rect, picked) = choice(ui, chosen, name);
        match icon {
            Some(icon) => {
                device_icons::paint(ui.painter(), rect.shrink(2.5), icon, if chosen { p.strong } else { p.text });
            }
            None => struck(ui, rect),
        }
        if picked {
            look.icon = icon;
        }
    }
}

/// A square that can be chosen; what is in it is painted by the caller.
fn choice(ui: &mut Ui, chosen: bool, name: &str) -> (Rect, bool) {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(CHOICE), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, name));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, p.button_hovered);
    }
    if chosen {
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.6, p.accent), egui::StrokeKind::Inside);
    }
    (rect, response.on_hover_text(name).clicked())
}

fn struck(ui: &Ui, rect: Rect) {
    let line = Stroke::new(1.2, theme::palette(ui).weak);
    ui.painter().circle_stroke(rect.center(), 6.0, line);
    ui.painter().line_segment([rect.center() + vec2(-4.2, 4.2), rect.center() + vec2(4.2, -4.2)], line);
}
