//! The titles of the packet list's columns: their order, their widths, and which there are.

use egui::{Align, CursorIcon, Key, Rect, Response, Role, Sense, Stroke, TextEdit, Ui, WidgetInfo, pos2, vec2};

use super::{
    columns::{Column, Columns},
    paint,
};
use crate::ui::{
    Action, Cx,
    filter::{
        PacketList,
        columns::{self, TimeKind, WIDTHS, What},
    },
    theme, widgets,
};

/// How far beside an edge it can be gripped.
const GRIP: f32 = 4.0;

/// Draws the titles, and takes what is done with them.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, columns: &Columns) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), paint::row_height(ui)));
    let mut list = cx.view.packets.clone();
    for (what, left, width) in columns.places() {
        let cell = Rect::from_min_size(pos2(rect.left() + left, rect.top()), vec2(width, rect.height()));
        let mut title = title(columns, what, cx.view.packets.time);
        if *what == What::Usual(Column::Time) && cx.view.packets.time == TimeKind::Clock {
            title = format!("{title}, {}", cx.view.zone_name(cx.now));
        }
        let response = ui.interact(cell, ui.scope_id().with(("title", what_key(what))), Sense::CLICK);
        let name = what.title();
        response.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, format!("Column {name}")));
        let p = theme::palette(ui);
        if response.hovered() {
            ui.painter().rect_filled(cell, 0.0, p.hovered_row);
        }
        let font = egui::TextStyle::Small.resolve(ui.style());
        let align = if *what == What::Usual(Column::Serial) { Align::Max } else { Align::Min };
        paint::text(ui, cell, &title, font, p.weak, align);
        menu(&response, &mut list, what);
        response.on_hover_text("Right click for columns and times");
        if *what != What::Usual(Column::Summary) {
            grip(ui, &mut list, what, cell);
        }
    }
    let line = ui.visuals().widgets.noninteractive.bg_stroke;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
    if list != cx.view.packets {
        cx.ask(Action::SetPacketList(list));
        ui.ctx().request_repaint();
    }
}

/// Tells one column from another for egui.
fn what_key(what: &What) -> String {
    format!("{what:?}")
}

fn title(columns: &Columns, what: &What, time: TimeKind) -> String {
    match what {
        What::Usual(Column::Time) => time.title().to_owned(),
        What::Usual(column) => columns.title(*column).to_owned(),
        other => other.title().into_owned(),
    }
}

/// The edge at the right of a column.
fn grip(ui: &Ui, list: &mut PacketList, what: &What, cell: Rect) {
    let x = cell.right() + paint::GAP / 2.0;
    let area = Rect::from_center_size(pos2(x, cell.center().y), vec2(2.0 * GRIP, cell.height()));
    let grip = ui.interact(area, ui.scope_id().with(("edge", what_key(what))), Sense::DRAG);
    if grip.hovered() || grip.dragged() {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeColumn);
        ui.painter().vline(x, cell.y_range(), Stroke::new(1.0, theme::palette(ui).accent));
    }
    let moved = if grip.dragged() { grip.drag_delta().x } else { 0.0 };
    if moved.abs() > 0.0
        && let Some(shown) = list.columns.iter_mut().find(|shown| shown.what == *what)
    {
        shown.width = Some((shown.width.unwrap_or(cell.width()) + moved).clamp(*WIDTHS.start(), *WIDTHS.end()));
    }
}

fn menu(response: &Response, list: &mut PacketList, what: &What) {
    response.context_menu(|ui| {
        if ui.button("Move left").clicked() {
            columns::shift(&mut list.columns, what, false);
        }
        if ui.button("Move right").clicked() {
            columns::shift(&mut list.columns, what, true);
        }
        if ui.button("Hide this column").clicked() {
            columns::toggle(&mut list.columns, what);
        }
        if ui.button("Width as the room allows").clicked() {
            list.columns.iter_mut().filter(|shown| shown.what == *what).for_each(|shown| shown.width = None);
        }
        ui.menu_button("Times", |ui| {
            for (kind, text) in [
                (TimeKind::Clock, "Time of day"),
                (TimeKind::Delta, "Since the row above"),
                (TimeKind::Since, "Since the last mark (M)"),
            ] {
                ui.radio_value(&mut list.time, kind, text);
            }
        });
        ui.menu_button("Columns", |ui| choose(ui, list));
        if ui.button("The usual columns").clicked() {
            list.columns = columns::usual();
        }
    });
}

/// All that there are, and a field by its name.
fn choose(ui: &mut Ui, list: &mut PacketList) {
    ui.set_width(210.0);
    let more = list.columns.iter().map(|shown| shown.what.clone()).filter(|what| matches!(what, What::Field(_)));
    let all: Vec<What> = What::all().into_iter().chain(more).collect();
    for what in all {
        let mut on = list.columns.iter().any(|shown| shown.what == what);
        if ui.checkbox(&mut on, what.title()).changed() {
            columns::toggle(&mut list.columns, &what);
        }
    }
    ui.separator();
    let id = ui.scope_id().with("column field");
    let mut name: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let field = ui.add(TextEdit::singleline(&mut name).hint_text("speed, or [GSM signal]").desired_width(200.0));
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Field to show as a column"));
    let what = What::Field(name.trim().to_owned());
    let known = what.path().is_some();
    if !known && !name.trim().is_empty() {
        ui.label(widgets::weak(ui, "No reading has this name; fields of the tree stand in [brackets]"));
    }
    let enter = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    if (ui.add_enabled(known, egui::Button::new("Show as column")).clicked() || enter) && known {
        if list.columns.iter().all(|shown| shown.what != what) {
            columns::toggle(&mut list.columns, &what);
        }
        name.clear();
    }
    ui.data_mut(|data| data.insert_temp(id, name));
}
