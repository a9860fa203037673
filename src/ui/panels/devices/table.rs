//! The list of devices as a table: one line a device, with the columns that the user chose, their widths and order.

use egui::{
    Align, Align2, FontSelection, Layout, Popup, PopupCloseBehavior, Rect, RichText, Role, ScrollArea, Sense, Stroke,
    TextWrapMode, Ui, UiBuilder, WidgetInfo, WidgetText, pos2, vec2,
};

use super::show_ignored;
use crate::{
    model::DeviceOverview,
    ui::{
        Action, Cx,
        device_icons::{self, Chip},
        device_list::{Column, DeviceList, WIDTHS},
        icons::{self, Icon},
        lamps::{self, Health},
        theme, widgets,
    },
};

/// Height of a device.
pub(super) const ROW: f32 = 25.0;
const HEADER: f32 = 24.0;
/// Room for the mark before the name, and for the chip behind it.
const MARK: f32 = 34.0;
const CHIP: f32 = 22.0;
/// Room beside text in a cell.
const PAD: f32 = 6.0;
/// Half of the width by which the edge of a column can be grasped.
const GRIP: f32 = 4.0;

/// Width of all columns together.
pub(in crate::ui::panels) fn width(list: &DeviceList) -> f32 {
    MARK + list.name_width + list.columns.iter().map(|shown| shown.width).sum::<f32>() + PAD
}

/// Every column from left to right: where it begins, and how wide it is.
fn places(list: &DeviceList) -> impl Iterator<Item = (Column, f32, f32)> {
    let all = std::iter::once((Column::Name, list.name_width)).chain(list.columns.iter().map(|s| (s.column, s.width)));
    all.scan(MARK, |x, (column, width)| {
        let left = *x;
        *x += width;
        Some((column, left, width))
    })
}

/// The columns' titles: a click sorts, a right click opens the column's menu, an edge can be dragged. `scrolled`: how far to the right the rows
/// below are.
pub(super) fn header(ui: &mut Ui, cx: &mut Cx<'_>, scrolled: f32) {
    let p = theme::palette(ui);
    let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEADER), Sense::hover());
    ui.painter().rect_filled(bar, 0.0, p.sunken);
    ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, Stroke::new(1.0, p.line));
    let mut list = cx.view.devices.clone();
    let mut clipped = ui.new_child(UiBuilder::new().max_rect(bar).id_salt("columns"));
    clipped.set_clip_rect(bar.intersect(ui.clip_rect()));
    for (column, left, width) in places(&cx.view.devices).collect::<Vec<_>>() {
        let cell = Rect::from_min_size(pos2(bar.left() + left - scrolled, bar.top()), vec2(width, HEADER));
        if cell.right() + GRIP >= bar.left() && cell.left() <= bar.right() {
            title(&mut clipped, &mut list, column, cell);
        }
    }
    if list != cx.view.devices {
        cx.ask(Action::SetDeviceList(list));
    }
}

fn title(ui: &mut Ui, list: &mut DeviceList, column: Column, cell: Rect) {
    let p = theme::palette(ui);
    let id = ui.scope_id().with(column);
    let response = ui.interact(cell.shrink2(vec2(GRIP, 0.0)), id, Sense::click());
    let sorted = list.sort == column;
    response.widget_info(|| {
        let mut info = WidgetInfo::selected(Role::ColumnHeader, true, sorted, format!("Sort by {}", column.title()));
        if sorted {
            info.current_text_value = Some(if list.descending { "downwards" } else { "upwards" }.to_owned());
        }
        info
    });
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(cell, 0.0, p.hovered_row);
    }
    let color = if sorted { p.strong } else { p.weak };
    let arrow = if sorted { 12.0 } else { 0.0 };
    let room = (cell.width() - 2.0 * PAD - arrow).max(8.0);
    let text = WidgetText::from(RichText::new(column.title()).small().color(color));
    let galley = text.into_galley(ui, Some(TextWrapMode::Truncate), room, FontSelection::Default);
    let y = cell.center().y - galley.size().y / 2.0;
    let x = if column.is_number() { cell.right() - PAD - galley.size().x } else { cell.left() + PAD };
    if sorted {
        let x = if column.is_number() { x - 8.0 } else { x + galley.size().x + 8.0 };
        let icon = if list.descending { Icon::Down } else { Icon::Up };
        icons::paint(ui.painter(), Rect::from_center_size(pos2(x, cell.center().y), vec2(11.0, 11.0)), icon, color);
    }
    ui.painter().galley(pos2(x, y), galley, color);
    if response.clicked() {
        list.sort_by(column);
    }
    Popup::context_menu(&response).show(|ui| column_menu(ui, list, column));
    response.on_hover_text("Click to sort, right click for columns");
    grip(ui, list, column, cell);
}

/// The edge at the right of a column, which can be dragged.
fn grip(ui: &Ui, list: &mut DeviceList, column: Column, cell: Rect) {
    let area = Rect::from_center_size(pos2(cell.right(), cell.center().y), vec2(2.0 * GRIP, cell.height()));
    let grip = ui.interact(area, ui.scope_id().with(("edge", column)), Sense::drag());
    let hot = grip.hovered() || grip.dragged();
    if hot {
        ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeColumn);
    }
    let p = theme::palette(ui);
    ui.painter().vline(cell.right(), cell.y_range().shrink(4.0), Stroke::new(1.0, if hot { p.accent } else { p.line }));
    if grip.dragged() {
        let width = if column == Column::Name {
            Some(&mut list.name_width)
        } else {
            list.columns.iter_mut().find(|shown| shown.column == column).map(|shown| &mut shown.width)
        };
        if let Some(width) = width {
            *width = (*width + grip.drag_delta().x).clamp(*WIDTHS.start(), *WIDTHS.end());
        }
    }
}

fn column_menu(ui: &mut Ui, list: &mut DeviceList, column: Column) {
    if column != Column::Name {
        if ui.button("Move left").clicked() {
            list.shift(column, false);
        }
        if ui.button("Move right").clicked() {
            list.shift(column, true);
        }
        if ui.button("Hide this column").clicked() {
            list.toggle(column);
        }
        ui.separator();
    }
    ui.menu_button("Columns", |ui| checkboxes(ui, list));
}

/// The button that opens the menu of columns.
pub(super) fn columns_button(ui: &mut Ui, cx: &mut Cx<'_>, ignored_too: &mut bool, n_ignored: u64) {
    let button = ui.button("Columns");
    Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        let mut list = cx.view.devices.clone();
        checkboxes(ui, &mut list);
        if n_ignored > 0 {
            ui.separator();
            ui.checkbox(ignored_too, show_ignored(n_ignored));
        }
        if list != cx.view.devices {
            cx.ask(Action::SetDeviceList(list));
        }
    });
}

/// Those that are shown, in their order and with what moves them; then the others.
fn checkboxes(ui: &mut Ui, list: &mut DeviceList) {
    ui.set_width(200.0);
    ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
        let shown: Vec<Column> = list.columns.iter().map(|s| s.column).collect();
        let hidden = Column::ALL.into_iter().filter(|c| !list.shows(*c)).collect::<Vec<_>>();
        for column in shown.iter().copied().chain(hidden) {
            let is_shown = shown.contains(&column);
            ui.horizontal(|ui| {
                let mut on = is_shown;
                if ui.checkbox(&mut on, column.title()).changed() {
                    list.toggle(column);
                }
                if is_shown {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let name = format!("Move {} right", column.title());
                        if widgets::icon_button(ui, Icon::Right, &name).clicked() {
                            list.shift(column, true);
                        }
                        let name = format!("Move {} left", column.title());
                        if widgets::icon_button(ui, Icon::Left, &name).clicked() {
                            list.shift(column, false);
                        }
                    });
                }
            });
        }
    });
}

/// One device in its line.
pub(super) fn paint(ui: &Ui, cx: &Cx<'_>, row: Rect, overview: &DeviceOverview, health: &Health) {
    let p = theme::palette(ui);
    let visible = ui.clip_rect();
    let middle = row.center().y;
    lamps::paint_mark(ui.painter(), pos2(row.left() + 18.0, middle), &health.mark(overview), p);
    if health.alarm {
        lamps::paint_alarm(ui.painter(), pos2(row.left() + 30.0, middle), p);
    }
    for (column, left, width) in places(&cx.view.devices) {
        let mut cell = Rect::from_min_size(pos2(row.left() + left, row.top()), vec2(width, row.height()));
        if !cell.intersects(visible) {
            continue;
        }
        let chip = Chip::of(&overview.device.profile.look).filter(|_| column == Column::Name);
        if let Some(chip) = chip {
            device_icons::chip(ui.painter(), pos2(cell.left() + PAD + CHIP / 2.0 - 2.0, middle), chip, p);
            cell.min.x += CHIP;
        }
        let text = column.cell(cx.data, overview, cx.now, cx.view.settings.units).text;
        if text.is_empty() {
            continue;
        }
        let color = match column {
            Column::Name => p.strong,
            Column::State => health.state.colour(p),
            Column::Alarm => p.alarm,
            _ => p.text,
        };
        let text = WidgetText::from(RichText::new(text).color(color));
        let room = (cell.width() - 2.0 * PAD).max(8.0);
        let galley = text.into_galley(ui, Some(TextWrapMode::Truncate), room, FontSelection::Default);
        let anchor = if column.is_number() { Align2::RIGHT_CENTER } else { Align2::LEFT_CENTER };
        let place = anchor.align_size_within_rect(galley.size(), cell.shrink2(vec2(PAD, 0.0)));
        ui.painter().galley(place.min, galley, color);
    }
}
