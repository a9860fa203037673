//! Groups of devices, and what list and map leave out.

use egui::{Align, Button, Layout, Role, ScrollArea, Ui, WidgetInfo};

use crate::ui::{
    Action, Cx,
    device_list::{self, DeviceList},
    format,
    icons::Icon,
    widgets,
};

/// Every group: list only it, or leave it out on the map.
pub(super) fn button(ui: &mut Ui, cx: &mut Cx<'_>) {
    let hidden = !cx.view.devices.hidden_groups.is_empty();
    let button = widgets::icon_toggle(ui, Icon::Tag, "Groups", hidden);
    egui::Popup::menu(&button).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(240.0);
        let groups = device_list::groups(cx.data);
        if groups.is_empty() {
            ui.label(widgets::weak(
                ui,
                "No device is in a group yet. Select one, and put it into groups in its details.",
            ));
            return;
        }
        ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            for (group, count) in groups {
                group_row(ui, cx, group, count);
            }
        });
        ui.separator();
        if ui.button("List all devices").clicked() {
            cx.ask(Action::FilterDevices(String::new()));
            ui.close();
        }
    });
}

fn group_row(ui: &mut Ui, cx: &mut Cx<'_>, group: &str, count: usize) {
    ui.horizontal(|ui| {
        let text = format!("{group}  {}", format::count(count as u64));
        if ui.add(Button::new(text).truncate()).on_hover_text("List only this group").clicked() {
            cx.ask(Action::FilterDevices(device_list::group_token(group)));
            ui.close();
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut on_map = !cx.view.devices.hides(group);
            let name = format!("{group} on the map");
            let check = ui.checkbox(&mut on_map, "On the map");
            check.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, on_map, &name));
            if check.changed() {
                let mut list = cx.view.devices.clone();
                list.hide(group, !on_map);
                cx.ask(Action::SetDeviceList(list));
            }
        });
    });
}

/// Says what the map or the list leaves out, so that nobody looks for it in vain.
pub(super) fn left_out(ui: &mut Ui, cx: &mut Cx<'_>) {
    let hidden = &cx.view.devices.hidden_groups;
    if !hidden.is_empty() {
        let names = hidden.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        if note(ui, &format!("Not on the map: {names}"), "Show") {
            let list = DeviceList { hidden_groups: std::collections::BTreeSet::new(), ..cx.view.devices.clone() };
            cx.ask(Action::SetDeviceList(list));
        }
    }
    if cx.view.only_in_view && note(ui, "Only devices in view", "List all") {
        cx.ask(Action::OnlyInView(false));
    }
}

/// A line with a link that ends what it says. True when the link was clicked.
fn note(ui: &mut Ui, text: &str, link: &str) -> bool {
    let mut clicked = false;
    egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 12, top: 0, bottom: 4 }).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                clicked = ui.link(link).clicked();
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let text = widgets::weak(ui, text);
                    ui.add(egui::Label::new(text).truncate());
                });
            });
        });
    });
    clicked
}
