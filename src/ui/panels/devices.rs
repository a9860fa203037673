//! The devices at the left: who is there, how each fares, and who is new. As cards of two lines, or as a table with columns.

mod groups;
mod row;
mod table;

pub(super) use table::width as table_width;

use egui::{
    Align, ComboBox, FontSelection, Key, Layout, Modifiers, Rect, RichText, Role, ScrollArea, TextEdit, TextWrapMode,
    Ui, UiBuilder, WidgetInfo, WidgetText, pos2, vec2,
};

use super::{first_run, new_senders};
use crate::{
    geo::mercator::{World, WorldBox},
    model::{DeviceId, DeviceOverview, DeviceState},
    ui::{
        Action, Cx,
        device_list::{Column, DeviceList, Filter, Key as SortKey, natural},
        format,
        icons::Icon,
        theme,
        view::{Pane, Sheet},
        widgets,
    },
};

/// Height of a device: name above, lamps below.
pub(super) const ROW: f32 = 42.0;
/// Seconds between two sortings by something that changes by itself.
const RESORT_S: i64 = 2;

/// The list and what only the list knows.
#[derive(Default)]
pub(in crate::ui) struct Devices {
    filter: String,
    ignored_too: bool,
    order: Order,
    wants_focus: bool,
    /// The row to bring into view, and to give the keyboard to.
    reveal: Option<DeviceId>,
    /// How far the list was scrolled in the last frame.
    offset: egui::Vec2,
    cards: first_run::Cards,
}

/// What cards can be sorted by from their menu; a table is by any of its columns.
const SORTS: [Column; 6] =
    [Column::Name, Column::State, Column::LastHeard, Column::Speed, Column::Battery, Column::FixAge];

/// The rows in order, kept until something changes that they depend on.
#[derive(Default)]
struct Order {
    made_for: Option<Basis>,
    rows: Vec<DeviceId>,
    /// Devices before filtering.
    total: usize,
}

/// What an order depends on.
#[derive(Debug, Clone, PartialEq)]
struct Basis {
    roster: u64,
    filter: String,
    sort: Column,
    descending: bool,
    ignored_too: bool,
    /// Changes every few seconds where the order does by itself.
    moment: i64,
    /// Only what is in this box is listed.
    view: Option<WorldBox>,
}

impl Devices {
    /// Lists only what this admits.
    pub(in crate::ui) fn filter_by(&mut self, filter: String) {
        self.filter = filter;
    }

    /// Puts the cursor into the filter.
    pub(in crate::ui) fn focus_filter(&mut self) {
        self.wants_focus = true;
    }

    /// `view`: what the map shows, where only devices there are listed.
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, view: Option<WorldBox>) {
        let data = cx.data;
        let anyone = data.devices.values().any(|d| d.device.state != DeviceState::Ignored);
        if !anyone {
            if data.loaded && data.station.viewer {
                hint(ui, "Nothing has connected yet.");
            } else if data.loaded {
                self.cards.ui(ui, cx);
            }
            return;
        }
        self.update_order(cx, view);
        if cx.view.grab == Some(Pane::Devices) {
            let selected = cx.view.selection.device.filter(|id| self.order.rows.contains(id));
            self.reveal = selected.or(self.order.rows.first().copied());
            self.wants_focus = self.reveal.is_none();
        }
        egui::Frame::new().inner_margin(egui::Margin { left: 12, right: 12, top: 8, bottom: 6 }).show(ui, |ui| {
            self.head(ui, cx);
        });
        new_senders::ui(ui, cx, &Filter::parse(&self.filter), self.order.rows.len());
        groups::left_out(ui, cx);
        if self.order.total == 0 {
            hint(ui, "No device is adopted yet. Adopt a new sender above, and all that it sent becomes its history.");
        } else if self.order.rows.is_empty() {
            hint(ui, if view.is_some() { "No such device is in view." } else { "No device matches the filter." });
        } else {
            self.list(ui, cx);
        }
    }

    fn update_order(&mut self, cx: &Cx<'_>, view: Option<WorldBox>) {
        let DeviceList { sort, descending, .. } = cx.view.devices;
        let basis = Basis {
            roster: cx.data.roster,
            filter: self.filter.trim().to_owned(),
            sort,
            descending,
            ignored_too: self.ignored_too,
            moment: if sort.moves() || view.is_some() { cx.now.as_second() / RESORT_S } else { 0 },
            view,
        };
        if self.order.made_for.as_ref() == Some(&basis) {
            return;
        }
        let shown = |d: &&DeviceOverview| match d.device.state {
            DeviceState::Adopted => true,
            DeviceState::Ignored => basis.ignored_too,
            DeviceState::New => false,
        };
        let total = cx.data.devices.values().filter(shown).count();
        let filter = Filter::parse(&basis.filter);
        let matching = cx.data.devices.values().filter(shown).filter(|d| filter.admits(cx.data, d) && is_in(view, d));
        let units = cx.view.settings.units;
        let keyed = |d: &DeviceOverview| {
            let key = match sort {
                Column::Name => SortKey::Unknown,
                _ => sort.cell(cx.data, d, cx.now, units).key,
            };
            (key, natural(cx.data.name_of(d)), d.device.id)
        };
        let mut keyed: Vec<_> = matching.map(keyed).collect();
        keyed.sort_unstable_by(|a, b| {
            let by_name = if descending && sort == Column::Name { b.1.cmp(&a.1) } else { a.1.cmp(&b.1) };
            a.0.order(&b.0, descending).then(by_name).then(a.2.cmp(&b.2))
        });
        self.order = Order { made_for: Some(basis), rows: keyed.into_iter().map(|(_, _, id)| id).collect(), total };
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let p = theme::palette(ui);
        let (shown, total) = (self.order.rows.len() as u64, self.order.total as u64);
        let text = if shown == total {
            format::count(total)
        } else {
            format!("{} of {}", format::count(shown), format::count(total))
        };
        let text = WidgetText::from(widgets::weak(ui, text));
        let width = text.clone().into_galley(ui, Some(TextWrapMode::Extend), 0.0, FontSelection::Default).size().x;
        let mut fits = false;
        let counted = |ui: &mut Ui| drop(ui.label(text.clone()).on_hover_text("Devices that are shown"));
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if !cx.data.station.viewer && widgets::icon_button(ui, Icon::Plus, "Add a phone (Ctrl+P)").clicked() {
                    cx.ask(Action::Sheet(Some(Sheet::AddPhone)));
                }
                let n_ignored = cx.data.in_state(DeviceState::Ignored).count() as u64;
                if cx.view.devices.table {
                    table::columns_button(ui, cx, &mut self.ignored_too, n_ignored);
                } else {
                    self.sort_menu(ui, cx, n_ignored);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.label(RichText::new("Devices").text_style(theme::title()).color(p.strong));
                    fits = ui.available_width() >= width;
                    if fits {
                        counted(ui);
                    }
                });
            });
        });
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                let is_table = cx.view.devices.table;
                let name = if is_table { "Show as cards" } else { "Show as a table with columns" };
                if widgets::icon_toggle(ui, Icon::Table, name, is_table).clicked() {
                    cx.ask(Action::SetDeviceList(DeviceList { table: !is_table, ..cx.view.devices.clone() }));
                }
                groups::button(ui, cx);
                self.filter_field(ui, cx);
            });
        });
        if !fits {
            // A narrow list has no room for it beside the title.
            counted(ui);
        }
    }

    /// By what cards are sorted, and which way.
    fn sort_menu(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, n_ignored: u64) {
        let mut list = cx.view.devices.clone();
        let (icon, name) = if list.descending {
            (Icon::Down, "Sorted downwards: turn round")
        } else {
            (Icon::Up, "Sorted upwards: turn round")
        };
        if widgets::icon_button(ui, icon, name).clicked() {
            list.descending = !list.descending;
        }
        ComboBox::from_id_salt("sort")
            .selected_text(list.sort.title())
            .width(72.0)
            .show_ui(ui, |ui| {
                for sort in SORTS {
                    ui.selectable_value(&mut list.sort, sort, sort.title());
                }
                if n_ignored > 0 {
                    ui.separator();
                    ui.checkbox(&mut self.ignored_too, show_ignored(n_ignored));
                }
            })
            .response
            .on_hover_text("Sort by");
        if list != cx.view.devices {
            cx.ask(Action::SetDeviceList(list));
        }
    }

    fn filter_field(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let clear = !self.filter.is_empty();
        let field = TextEdit::singleline(&mut self.filter)
            .hint_text("Filter, or group:name")
            .prefix(widgets::icon_atom(Icon::Search))
            .desired_width(f32::INFINITY)
            .margin(egui::Margin { left: 8, right: if clear { 24 } else { 8 }, top: 4, bottom: 4 });
        let field = widgets::shows_what_is_typed(ui.add(field))
            .on_hover_text("Words of name, identity, group or notes; group:vans lists a group");
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter devices"));
        if std::mem::take(&mut self.wants_focus) {
            field.request_focus();
        }
        if field.lost_focus()
            && ui.input(|i| i.key_pressed(Key::Enter))
            && let Some(first) = self.order.rows.first()
        {
            cx.ask(Action::SelectDevice(Some(*first)));
            cx.ask(Action::FitDevice(*first));
        }
        if clear {
            let side = theme::ROW;
            let rect = Rect::from_min_size(
                pos2(field.rect.right() - side, field.rect.center().y - side / 2.0),
                vec2(side, side),
            );
            let mut over = ui.new_child(UiBuilder::new().max_rect(rect));
            if widgets::icon_button(&mut over, Icon::Close, "Clear filter").clicked() {
                self.filter.clear();
            }
        }
    }

    fn list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.spacing_mut().item_spacing.y = 0.0;
        let as_table = cx.view.devices.table;
        let row = if as_table { table::ROW } else { ROW };
        let mut area = if as_table { ScrollArea::both() } else { ScrollArea::vertical() };
        area = area.id_salt(("devices", as_table)).auto_shrink(false);
        if as_table {
            table::header(ui, cx, self.offset.x);
        }
        if let Some(id) = self.reveal
            && let Some(at) = self.order.rows.iter().position(|row| *row == id)
        {
            let (top, view, offset) = (height_of(at, row), ui.available_height(), self.offset.y);
            if top < offset {
                area = area.vertical_scroll_offset(top);
            } else if top + row > offset + view {
                area = area.vertical_scroll_offset(top + row - view);
            }
        }
        let mut stepped = None;
        let out = area.show_rows(ui, row, self.order.rows.len(), |ui, rows| {
            for at in rows {
                let Some(overview) = self.order.rows.get(at).and_then(|id| cx.data.devices.get(id)) else { continue };
                let response = row::device(ui, cx, overview);
                if self.reveal == Some(overview.device.id) {
                    response.request_focus();
                    self.reveal = None;
                }
                if response.has_focus() {
                    stepped = stepped.or(step(ui, at, &response));
                }
            }
        });
        self.offset = out.state.clamped_offset();
        if let Some(at) = stepped
            && let Some(id) = self.order.rows.get(at)
        {
            self.reveal = Some(*id);
            cx.ask(Action::SelectDevice(Some(*id)));
        }
    }
}

fn show_ignored(n: u64) -> String {
    format!("Show {} ignored", format::count(n))
}

/// True where the device stands in what the map shows, or all are listed.
fn is_in(view: Option<WorldBox>, overview: &DeviceOverview) -> bool {
    let Some(view) = view else { return true };
    let place = overview.last_fix.as_ref().map(|f| World::from_lat_lon(f.fix.place));
    place.is_some_and(|place| view.holds(WorldBox::around([place])))
}

/// The row that an arrow key leads to.
pub(super) fn step(ui: &Ui, at: usize, response: &egui::Response) -> Option<usize> {
    let filter = egui::EventFilter { vertical_arrows: true, ..egui::EventFilter::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
    ui.input_mut(|i| {
        if i.consume_key(Modifiers::NONE, Key::ArrowDown) {
            Some(at + 1)
        } else if i.consume_key(Modifiers::NONE, Key::ArrowUp) {
            at.checked_sub(1)
        } else {
            None
        }
    })
}

/// Height of so many rows.
#[expect(clippy::cast_precision_loss, reason = "rows of a list on a screen")]
pub(super) fn height_of(rows: usize, row: f32) -> f32 {
    rows as f32 * row
}

fn hint(ui: &mut Ui, text: &str) {
    egui::Frame::new().inner_margin(theme::MARGIN).show(ui, |ui| {
        ui.label(widgets::weak(ui, text));
    });
}
