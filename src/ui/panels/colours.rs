//! The sheet of colours of the packet list and of saved filters.

use egui::{Button, Popup, Role, TextEdit, Ui, WidgetInfo, vec2};

use crate::{
    model::{
        Tint,
        filter::{Filter, Ground},
    },
    ui::{
        Action, Cx,
        filter::{PacketList, Rule, Saved},
        icons::Icon,
        theme::{self, tints},
        widgets,
    },
};

/// Width of the sheet, where the window is that wide.
const WIDTH: f32 = 640.0;

/// The sheet; what it changes is changed at once.
#[derive(Default)]
pub(super) struct Colours {
    name: String,
    filter: String,
}

impl Colours {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 100.0));
        let ground = Ground { now: cx.now, zone: cx.view.zone() };
        let mut list = cx.view.packets.clone();
        ui.label(widgets::weak(ui, "The first filter in this order that admits a packet colours its row."));
        ui.add_space(theme::GAP);
        rules(ui, &mut list, &ground);
        ui.horizontal(|ui| {
            if ui.add(widgets::labelled(Icon::Plus, "Add a colour")).clicked() {
                list.rules.push(Rule::new("", "Teal", ""));
            }
            if ui.button("The usual colours").clicked() {
                list.rules = Rule::usual();
            }
        });
        ui.add_space(theme::GAP);
        widgets::group_heading(ui, "Saved filters");
        self.saved(ui, cx, &mut list, &ground);
        if list != cx.view.packets {
            cx.ask(Action::SetPacketList(list));
        }
    }

    fn saved(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, list: &mut PacketList, ground: &Ground) {
        let mut gone = None;
        for (n, Saved { name, filter }) in list.saved.iter_mut().enumerate() {
            ui.push_id(("saved", n), |ui| {
                ui.horizontal(|ui| {
                    let field = ui.add(TextEdit::singleline(name).desired_width(150.0));
                    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name of the filter"));
                    filter_field(ui, filter, "Saved filter", 300.0, ground);
                    if ui.button("Use").clicked() {
                        cx.ask(Action::FilterPackets(Some(filter.clone())));
                        cx.ask(Action::Sheet(None));
                    }
                    if widgets::icon_button(ui, Icon::Close, &format!("Remove the filter {name}")).clicked() {
                        gone = Some(n);
                    }
                });
            });
        }
        if let Some(n) = gone {
            list.saved.remove(n);
        }
        ui.horizontal(|ui| {
            let field = ui.add(TextEdit::singleline(&mut self.name).hint_text("Name").desired_width(150.0));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name of a new filter"));
            filter_field(ui, &mut self.filter, "New filter", 300.0, ground);
            let (name, filter) = (self.name.trim(), self.filter.trim());
            let ready = !name.is_empty() && !filter.is_empty() && Filter::parse(filter, ground).is_ok();
            if ui.add_enabled(ready, Button::new("Save the filter")).clicked() {
                list.save(name, filter);
                *self = Self::default();
            }
        });
    }
}

fn rules(ui: &mut Ui, list: &mut PacketList, ground: &Ground) {
    let (mut gone, mut up) = (None, None);
    for (n, rule) in list.rules.iter_mut().enumerate() {
        ui.push_id(("rule", n), |ui| {
            ui.horizontal(|ui| {
                let on = ui.checkbox(&mut rule.on, "");
                let (checked, name) = (rule.on, format!("Colour by {}", rule.filter));
                on.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, checked, &name));
                colour_button(ui, rule);
                filter_field(ui, &mut rule.filter, "Filter of the colour", 300.0, ground);
                let label = TextEdit::singleline(&mut rule.label).hint_text("Word").char_limit(16).desired_width(90.0);
                ui.add(label).widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Word in the row"));
                if widgets::icon_button(ui, Icon::Up, "Before the one above").clicked() {
                    up = Some(n);
                }
                if widgets::icon_button(ui, Icon::Close, "Remove the colour").clicked() {
                    gone = Some(n);
                }
            });
        });
    }
    if let Some(n) = up.filter(|n| *n > 0) {
        list.rules.swap(n, n - 1);
    }
    if let Some(n) = gone {
        list.rules.remove(n);
    }
}

fn colour_button(ui: &mut Ui, rule: &mut Rule) {
    let name = tints::TINTS.iter().find(|(tint, _)| tint.0 == rule.tint).map_or("Colour", |(_, name)| *name);
    let swatch = Button::new("").fill(tints::color(Tint(rule.tint))).min_size(vec2(26.0, 18.0));
    let button = ui.add(swatch).on_hover_text(name);
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Colour {name}")));
    Popup::menu(&button).show(|ui| {
        for (tint, name) in tints::TINTS {
            let text = egui::RichText::new(name).color(tints::ink(tint));
            if ui.add(Button::new(text).fill(tints::color(tint)).min_size(vec2(110.0, 0.0))).clicked() {
                rule.tint = tint.0;
            }
        }
    });
}

/// A filter that is typed, with the mistake on its tooltip and in its colour.
fn filter_field(ui: &mut Ui, text: &mut String, name: &str, width: f32, ground: &Ground) {
    let wrong = Filter::parse(text, ground).err();
    let p = theme::palette(ui);
    let mut edit = TextEdit::singleline(text).hint_text("Filter").desired_width(width);
    if wrong.is_some() {
        edit = edit.text_color(p.alarm);
    }
    let field = ui.add(edit);
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, name));
    if let Some(wrong) = wrong {
        field.on_hover_text(wrong.text);
    }
}
