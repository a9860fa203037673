//! The devices at the left: who is there, how each fares, and who is new. As cards of two lines, or as a table with columns.

mod table;

pub(super) use table::width as table_width;

use egui::{
    Align, Align2, Button, ComboBox, FontSelection, Key, Layout, Modifiers, Rect, RichText, Role, ScrollArea, Sense,
    TextEdit, TextStyle, TextWrapMode, Ui, UiBuilder, WidgetInfo, WidgetText, pos2, vec2,
};

use super::{first_run, new_senders};
use crate::{
    geo::mercator::{World, WorldBox},
    model::{DeviceId, DeviceOverview, DeviceState},
    ui::{
        Action, Cx, Data, command,
        device_icons::{self, Chip},
        device_list::{self, Column, DeviceList, Filter, Key as SortKey, natural},
        format,
        icons::{self, Icon},
        lamps::{self, Health, State},
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
        left_out(ui, cx);
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
        ui.horizontal(|ui| {
            ui.label(RichText::new("Devices").text_style(theme::title()).color(p.strong));
            let (shown, total) = (self.order.rows.len() as u64, self.order.total as u64);
            let text = if shown == total {
                format::count(total)
            } else {
                format!("{} of {}", format::count(shown), format::count(total))
            };
            ui.label(widgets::weak(ui, text)).on_hover_text("Devices that are shown");
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
                groups_button(ui, cx);
                self.filter_field(ui, cx);
            });
        });
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
            .width(88.0)
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
        let field = ui.add(field).on_hover_text("Words of name, identity, group or notes; group:vans lists a group");
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
                let response = device(ui, cx, overview);
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

/// Every group: list only it, or leave it out on the map.
fn groups_button(ui: &mut Ui, cx: &mut Cx<'_>) {
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
fn left_out(ui: &mut Ui, cx: &mut Cx<'_>) {
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

/// True where the device stands in what the map shows, or all are listed.
fn is_in(view: Option<WorldBox>, overview: &DeviceOverview) -> bool {
    let Some(view) = view else { return true };
    let place = overview.last_fix.as_ref().map(|f| World::from_lat_lon(f.fix.place));
    place.is_some_and(|place| view.holds(WorldBox::around([place])))
}

/// The row that an arrow key leads to.
fn step(ui: &Ui, at: usize, response: &egui::Response) -> Option<usize> {
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

/// One device: mark, name and word above; lamps and protocol below.
fn device(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) -> egui::Response {
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
        cx.ask(Action::SelectDevice(Some(id)));
    }
    if response.has_focus() {
        command::leaves_space(ui, response.id);
    }
    let entered = response.has_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    if response.double_clicked() || entered {
        cx.ask(Action::FitDevice(id));
    }
    response.context_menu(|ui| device_menu(ui, cx, overview));
    response.on_hover_ui(|ui| tooltip(ui, cx.data, overview, &health))
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
        State::Parked | State::Live | State::Stale | State::Lost | State::Nowhere | State::New | State::Ignored => {
            p.weak
        }
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
