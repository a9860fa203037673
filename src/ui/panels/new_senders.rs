//! Senders nobody has decided about, above the devices: who they are, and the two decisions.

use egui::{
    Align, Key, Layout, Modifiers, Rect, RichText, Role, ScrollArea, Sense, TextStyle, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use super::{
    devices::{ROW, height_of},
    dock::shorten::to_its_end,
};
use crate::{
    model::{DeviceId, DeviceOverview, DeviceState},
    ui::{
        Action, Cx,
        device_list::Filter,
        format,
        icons::Icon,
        lamps::{self, Mark, State},
        theme, widgets,
    },
};

/// Height of a new sender: identity, what is known, buttons.
const NEW_ROW: f32 = 76.0;
/// Part of the pane that new senders may take in any case before they scroll. What the devices below leave free is theirs, too.
const NEW_SHARE: f32 = 0.36;
/// Height of the line above them.
const HEAD: f32 = 36.0;
/// Least height for what stands below: two devices, or the sentence that there are none.
const REST: f32 = 2.0 * ROW;

/// The group, where there is anyone in it: those that `filter` admits. `below`: so many devices are listed below.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>, filter: &Filter, below: usize) {
    let data = cx.data;
    // The newest first: what just called is what the user waits for.
    let new: Vec<_> = data.in_state(DeviceState::New).collect();
    if new.is_empty() {
        return;
    }
    let p = theme::palette(ui);
    let all = new.len();
    let new: Vec<_> = new.into_iter().filter(|d| filter.admits(data, d)).collect();
    let n = new.len();
    let available = ui.available_height() - HEAD;
    let most = (available * NEW_SHARE).max(available - height_of(below, ROW).max(REST));
    // Whole rows and a piece of the next one, which says that there are more.
    let height = height_of(n, NEW_ROW).min(most).max(NEW_ROW.min(height_of(n, NEW_ROW)));
    egui::Frame::new().fill(p.suspect.gamma_multiply(0.07)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            ui.add_space(theme::MARGIN);
            let counted = format::counted(all as u64, "new sender", "new senders");
            let text = if n == all { counted } else { format!("{} of {counted}", format::count(n as u64)) };
            ui.label(RichText::new(text).color(p.suspect));
            if n > 1 && !data.station.viewer {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.add_space(theme::MARGIN);
                    let all = ui.button("Adopt all").on_hover_text("Make devices of all that are listed here");
                    if all.clicked() {
                        for overview in &new {
                            cx.ask(Action::Adopt(overview.device.id));
                        }
                    }
                });
            }
        });
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical().id_salt("new").max_height(height).min_scrolled_height(height).show_rows(
            ui,
            NEW_ROW,
            n,
            |ui, rows| {
                for overview in new.iter().rev().skip(rows.start).take(rows.len()) {
                    new_sender(ui, cx, overview);
                }
            },
        );
    });
    ui.add_space(2.0);
}

/// One sender nobody has decided about.
fn new_sender(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let p = theme::palette(ui);
    let device = &overview.device;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), NEW_ROW), Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(device.id), Sense::click());
    let selected = cx.view.selection.device == Some(device.id);
    response.widget_info(|| {
        WidgetInfo::selected(Role::ListItem, true, selected, format!("New sender {}", device.identity))
    });
    if selected {
        ui.painter().rect_filled(rect, 0.0, p.selected_row);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 0.0, p.suspect.gamma_multiply(0.08));
    }
    if response.clicked() {
        response.request_focus();
        cx.ask(Action::SelectDevice(Some(device.id)));
    }
    if response.has_focus() && !cx.data.station.viewer {
        decide_by_key(ui, cx, device.id);
    }
    lamps::paint_mark(ui.painter(), pos2(rect.left() + 20.0, rect.top() + 18.0), &Mark::of(State::New), p);
    let inner =
        Rect::from_min_max(pos2(rect.left() + 34.0, rect.top() + 5.0), pos2(rect.right() - 12.0, rect.bottom() - 4.0));
    let mut row = ui.new_child(UiBuilder::new().max_rect(inner).id_salt(device.id));
    let ui = &mut row;
    ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 16.0;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(widgets::weak(ui, device.protocol.title()).text_style(TextStyle::Small));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                // Names of one fleet differ at their ends.
                let (room, font) = (ui.available_width(), TextStyle::Body.resolve(ui.style()));
                let who = ui.fonts_mut(|f| to_its_end(device.identity.as_str(), room, |c| f.glyph_width(&font, c)));
                ui.add(egui::Label::new(widgets::strong(ui, who)).truncate());
            });
        });
    });
    let heard = device.last_heard.map_or_else(String::new, |at| format!(" · {} ago", widgets::age(ui, cx.now, at)));
    let locked = cx.data.phones.locked(device);
    if let Some(row) = locked {
        let reports = format::counted(row.closed, "report", "reports");
        let text = format!("Encrypted: {reports} cannot be read without its key");
        ui.add(egui::Label::new(RichText::new(text).color(p.alarm).text_style(TextStyle::Small)).truncate());
    }
    let known = format!(
        "{} · since {}{heard}",
        format::counted(overview.packets, "packet", "packets"),
        cx.view.moment(device.first_seen, cx.now),
    );
    if locked.is_none() {
        ui.add(egui::Label::new(widgets::weak(ui, known).text_style(TextStyle::Small)).truncate());
    }
    let decides = !cx.data.station.viewer;
    ui.horizontal(|ui| {
        let name = device.identity.as_str();
        let adopt = ui.add_enabled(decides, widgets::primary(ui, Some(Icon::Plus), "Adopt"));
        adopt.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Adopt {name}")));
        if adopt.on_hover_text("Make it a device; all that it sent becomes its history").clicked() {
            cx.ask(Action::Adopt(device.id));
        }
        let ignore = ui.add_enabled(decides, egui::Button::new("Ignore"));
        ignore.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Ignore {name}")));
        if ignore.on_hover_text("It is answered, kept out of sight, and can be adopted later").clicked() {
            cx.ask(Action::Ignore(device.id));
        }
    });
}

/// Enter adopts the sender whose row has the keyboard, Delete ignores it.
fn decide_by_key(ui: &Ui, cx: &mut Cx<'_>, id: DeviceId) {
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if pressed(Key::Enter) {
        cx.ask(Action::Adopt(id));
    } else if pressed(Key::Delete) {
        cx.ask(Action::Ignore(id));
    }
}
