//! One device of the list: its mark, what it does, its lamps, its menu.

use egui::{
    Align2, FontSelection, Key, Rect, RectAlign, RichText, Role, Sense, TextStyle, TextWrapMode, Ui, WidgetInfo,
    WidgetText, pos2, vec2,
};

use super::{ROW, table};
use crate::{
    model::{DeviceOverview, DeviceState},
    ui::{
        Action, Cx, Data, command,
        device_icons::{self, Chip},
        format,
        icons::{self, Icon},
        lamps::{self, Health, State},
        theme, widgets,
    },
};

/// One device: mark, name and word above; lamps and protocol below.
pub(super) fn device(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) -> egui::Response {
    let p = theme::palette(ui);
    let id = overview.device.id;
    let health = cx.data.health(overview, cx.now);
    let word = health.word(overview, cx.view.settings.units);
    let locked = locked(cx.data, overview);
    let list = &cx.view.devices;
    let (width, height) = if list.table {
        (table::width(list).max(ui.available_width()), table::ROW)
    } else {
        (ui.available_width(), ROW)
    };
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::click());
    let selected = cx.view.selection.device == Some(id);
    response.widget_info(|| {
        let name = cx.data.name_of(overview);
        let mut info = WidgetInfo::selected(Role::ListItem, true, selected, name);
        info.current_text_value = Some(format!(
            "{word}. {}. {}.{}",
            health.link.sentence(),
            health.fix.sentence(),
            locked.as_deref().map(|l| format!(" {l}.")).unwrap_or_default()
        ));
        info
    });
    for age_s in [health.link.age_s, health.fix.age_s].into_iter().flatten() {
        widgets::wake_when_older(ui, age_s);
    }
    let hot = response.hovered() || response.has_focus();
    if selected || hot {
        ui.painter().rect_filled(rect, 0.0, if selected { p.selected_row } else { p.hovered_row });
    }
    if list.table {
        table::paint(ui, cx, rect, overview, &health);
    } else {
        paint_device(ui, cx.data, rect, overview, &health, &word);
    }
    if selected {
        ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(3.0, height)), 0.0, p.accent);
    }
    if response.clicked() {
        response.request_focus();
        let also = ui.input(|i| i.modifiers.command);
        cx.ask(if also { Action::IsolateAlso(id) } else { Action::SelectDevice(Some(id)) });
    }
    if response.has_focus() {
        command::leaves_space(ui, response.id);
    }
    let entered = response.has_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    if response.double_clicked() || entered {
        cx.ask(Action::FitDevice(id));
    }
    response.context_menu(|ui| device_menu(ui, cx, overview));
    widgets::tooltip_beside(ui, &response, RectAlign::RIGHT_START, |ui| tooltip(ui, cx.data, overview, &health));
    response
}

fn paint_device(ui: &Ui, data: &Data, rect: Rect, overview: &DeviceOverview, health: &Health, word: &str) {
    let p = theme::palette(ui);
    let (above, below) = (rect.top() + 14.0, rect.bottom() - 12.0);
    lamps::paint_mark(ui.painter(), pos2(rect.left() + 20.0, above), &health.mark(overview), p);
    if health.alarm {
        lamps::paint_alarm(ui.painter(), pos2(rect.left() + 20.0, below), p);
    }
    let small = TextStyle::Small.resolve(ui.style());
    let body = TextStyle::Body.resolve(ui.style());
    let word_colour = match health.state {
        State::Moving | State::Late | State::Suspect => health.state.colour(p),
        State::Parked
        | State::Live
        | State::Stale
        | State::Lost
        | State::Nowhere
        | State::Imported
        | State::New
        | State::Ignored => p.weak,
    };
    let right = rect.right() - theme::MARGIN;
    let word = ui.painter().text(pos2(right, above), Align2::RIGHT_CENTER, word, body, word_colour);
    let face = data.phones.faces.get(&overview.device.id).filter(|face| face.is_there());
    let mut room = if face.is_some() { 24.0 } else { 0.0 };
    if let Some(chip) = Chip::of(&overview.device.profile.look) {
        device_icons::chip(ui.painter(), pos2(rect.left() + 43.0 + room, above), chip, p);
        room += 22.0;
    }
    if let Some(face) = face {
        face.paint(ui.painter(), pos2(rect.left() + 43.0, above), 10.0, p.line);
    }
    let name_width = (word.left() - 8.0 - (rect.left() + 34.0 + room)).max(20.0);
    let name = WidgetText::from(RichText::new(data.name_of(overview)).color(p.strong)).into_galley(
        ui,
        Some(TextWrapMode::Truncate),
        name_width,
        FontSelection::Default,
    );
    let left = rect.left() + 34.0 + room;
    ui.painter().galley(pos2(left, above - name.size().y / 2.0), name, p.strong);
    let mut x = rect.left() + 40.0;
    for lamp in [&health.link, &health.fix] {
        lamps::paint_lamp(ui.painter(), pos2(x, below), lamp, p);
        let text = ui.painter().text(pos2(x + 8.0, below), Align2::LEFT_CENTER, lamp.short(), small.clone(), p.weak);
        x = (text.right() + 14.0).max(x + 62.0);
    }
    if data.phones.locked(&overview.device).is_some() {
        let text = ui.painter().text(pos2(right, below), Align2::RIGHT_CENTER, "Set key", small, p.alarm);
        let lock = Rect::from_center_size(pos2(text.left() - 10.0, below), vec2(13.0, 13.0));
        icons::paint(ui.painter(), lock, Icon::Lock, p.alarm);
    } else {
        let protocol = overview.device.protocol.title();
        ui.painter().text(pos2(right, below), Align2::RIGHT_CENTER, protocol, small, p.weak);
    }
}

/// That its messages cannot be read, where that is so.
fn locked(data: &Data, overview: &DeviceOverview) -> Option<String> {
    let row = data.phones.locked(&overview.device)?;
    Some(format!("{} cannot be read: set its key", format::counted(row.closed, "report", "reports")))
}

fn tooltip(ui: &mut Ui, data: &Data, overview: &DeviceOverview, health: &Health) {
    ui.label(widgets::strong(ui, data.name_of(overview)));
    if let Some(text) = locked(data, overview) {
        ui.label(RichText::new(text).color(theme::palette(ui).alarm));
    }
    for lamp in [&health.link, &health.fix] {
        ui.horizontal(|ui| {
            lamps::show_lamp(ui, lamp);
            ui.label(lamp.sentence());
        });
    }
    ui.label(widgets::weak(ui, health.rule()));
}

fn device_menu(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let id = overview.device.id;
    if ui.add(widgets::labelled(Icon::Fit, "Show on map")).clicked() {
        cx.ask(Action::SelectDevice(Some(id)));
        cx.ask(Action::FitDevice(id));
    }
    let followed = cx.view.follow == Some(id);
    if ui.add(widgets::labelled(Icon::Follow, if followed { "Stop following" } else { "Follow" })).clicked() {
        cx.ask(Action::SelectDevice(Some(id)));
        cx.ask(Action::Follow((!followed).then_some(id)));
    }
    let isolated = cx.view.isolate && cx.view.isolate_also.contains(&id);
    let others = cx.view.isolate && !cx.view.isolate_also.is_empty();
    let text = match (isolated, others) {
        (true, _) => "No longer isolate",
        (false, true) => "Isolate, too",
        (false, false) => "Isolate on the map",
    };
    let isolate = ui.add(widgets::labelled(Icon::Pin, text));
    if isolate.on_hover_text("Others are left off the map (Shift+I, or Ctrl+click)").clicked() {
        cx.ask(Action::IsolateAlso(id));
    }
    if ui.add(widgets::labelled(Icon::Export, "Export…")).clicked() {
        cx.ask(Action::OpenExport(Some(id)));
    }
    if ui.add(widgets::labelled(Icon::Copy, "Copy identity")).clicked() {
        cx.ask(Action::Copy(overview.device.identity.to_string(), "the identity"));
    }
    ui.separator();
    match overview.device.state {
        DeviceState::Ignored => {
            if ui.add(widgets::labelled(Icon::Plus, "Adopt")).clicked() {
                cx.ask(Action::Adopt(id));
            }
        }
        DeviceState::Adopted | DeviceState::New => {
            if ui.add(widgets::labelled(Icon::Close, "Ignore")).clicked() {
                cx.ask(Action::Ignore(id));
            }
        }
    }
}
