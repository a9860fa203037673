//! The map's own menu: what of devices and trails is shown, and how.

use egui::{Align, Layout, Popup, PopupCloseBehavior, Rect, RectAlign, Role, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::{
    controls::Click,
    style::{Colour, Labels, Style, TrailLength},
};
use crate::ui::{
    Action, Cx, command,
    command::{Choice, UserCommand},
    icons::Icon,
    view::{Settings, Sheet},
    widgets,
};

/// Width of the button, in points.
pub(super) const WIDTH: f32 = 68.0;

const HEIGHT: f32 = 28.0;

/// Width of what opens, and of what stands before a choice, in points.
const OPEN: f32 = 420.0;
const LABEL: f32 = 72.0;

/// Draws the button in the upper right corner of `inner`, and the menu while it is open. Says what was clicked in it, and what of
/// the map the button covers.
pub(super) fn show(ui: &mut Ui, inner: Rect, cx: &mut Cx<'_>, measuring: bool) -> (Option<Click>, Rect) {
    let rect = Rect::from_min_size(pos2(inner.right() - WIDTH, inner.top()), vec2(WIDTH, HEIGHT));
    let mut corner = ui.new_child(UiBuilder::new().max_rect(rect));
    let button = widgets::labelled(Icon::Layers, "Map").min_size(rect.size());
    let button = corner.add(button.fill(super::controls::backdrop(ui)));
    let mut clicked = None;
    let name = "Choose what the map shows";
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    Popup::menu(&button)
        .accessible_name("Map")
        .align(RectAlign::BOTTOM_END)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| clicked = content(ui, cx, measuring));
    button.on_hover_text(name);
    (clicked, rect)
}

fn content(ui: &mut Ui, cx: &mut Cx<'_>, measuring: bool) -> Option<Click> {
    ui.set_width(OPEN);
    let mut style = cx.view.settings.map;
    row(ui, "Trails", "How far back trails go", UserCommand::TrailLength, |ui| {
        for length in TrailLength::ALL {
            ui.selectable_value(&mut style.trail, length, length.title());
        }
    });
    row(ui, "Colour by", "What the colour of trails tells", UserCommand::TrailColour, |ui| {
        for colour in Colour::ALL {
            ui.selectable_value(&mut style.colour, colour, colour.title()).on_hover_text(colour.meaning());
        }
    });
    row(ui, "Labels", "What stands beside a device", UserCommand::Labels, |ui| {
        for level in Labels::ALL {
            ui.selectable_value(&mut style.labels, level, level.title());
        }
    });
    ui.separator();
    boxes(ui, cx, &mut style);
    if style != cx.view.settings.map {
        cx.ask(Action::SetSettings(Settings { map: style, ..cx.view.settings.clone() }));
    }
    ui.separator();
    let mut clicked = None;
    let text = if measuring { "Stop measuring" } else { "Measure distances" };
    let with_key = |text: &str, command: UserCommand| format!("{text}  ({})", command::key_of(command, ui.ctx()));
    let copy = with_key("Copy the place under the pointer", UserCommand::CopyPlace);
    let (measure, places) = (with_key(text, UserCommand::Measure), with_key("Places…", UserCommand::Places));
    if ui.button(measure).clicked() {
        clicked = Some(Click::Measure);
        ui.close();
    }
    if ui.button(places).clicked() {
        cx.ask(Action::Sheet(Some(Sheet::Places)));
        ui.close();
    }
    ui.with_layout(Layout::top_down(Align::Min), |ui| {
        ui.label(widgets::weak(ui, format!("{copy}, or right-click the map")));
    });
    clicked
}

fn boxes(ui: &mut Ui, cx: &mut Cx<'_>, style: &mut Style) {
    let with_key = |ui: &Ui, text: &str, command: UserCommand| {
        let keys = command::key_of(command, ui.ctx());
        format!("{text}  ({keys})")
    };
    let text = with_key(ui, "Dim the map below the devices", UserCommand::Set(Choice::Dim));
    ui.checkbox(&mut style.dim, text);
    let mut isolate = cx.view.isolate;
    let can = cx.view.selection.device.is_some();
    let text = with_key(ui, "Only the selected device", UserCommand::Isolate);
    let tick = ui.add_enabled(can || isolate, egui::Checkbox::new(&mut isolate, text));
    let several = with_key(ui, "Keep it and select another to see both", UserCommand::IsolateAlso);
    if tick.on_hover_text(several).on_disabled_hover_text("Select a device first").changed() {
        cx.ask(Action::Isolate(isolate));
    }
    let mut in_view = cx.view.only_in_view;
    let text = with_key(ui, "List only devices in view", UserCommand::OnlyInView);
    if ui.checkbox(&mut in_view, text).changed() {
        cx.ask(Action::OnlyInView(in_view));
    }
    ui.checkbox(&mut style.gather, "Gather devices that stand close");
    ui.checkbox(&mut style.accuracy, "Accuracy of all devices, not only of the selected");
    ui.checkbox(&mut style.hide_lost, "Hide lost devices");
    ui.checkbox(&mut style.pulse, "Pulse where a new fix arrives").on_hover_text("Off reduces motion");
}

fn row(ui: &mut Ui, text: &str, meaning: &str, command: UserCommand, choices: impl FnOnce(&mut Ui)) {
    let keys = command::key_of(command, ui.ctx());
    let (left, width) = (ui.cursor().left(), ui.available_width());
    ui.horizontal_top(|ui| {
        let label = widgets::weak(ui, text);
        ui.label(label).on_hover_text(format!("{meaning} ({keys} steps through them)"));
        ui.add_space((left + LABEL - ui.cursor().left()).max(0.0));
        ui.vertical(|ui| {
            ui.set_max_width(width - LABEL);
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(3.0, 3.0);
                ui.spacing_mut().button_padding.x = 6.0;
                choices(ui);
            });
        });
    });
}
