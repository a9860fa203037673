//! Above the list: the filter, what is kept of it, how much is listed, pause.

use std::{borrow::Cow, collections::BTreeSet};

use egui::{
    Align, Button, Key, Layout, Popup, PopupCloseBehavior, RichText, TextEdit, Ui, WidgetInfo, accesskit::Role,
};

use super::{Packets, Shown};
use crate::{
    model::filter::{Field, Filter, Ground, Mistake},
    ui::{
        Action, Cx, Data, format,
        icons::Icon,
        panels::dock::{filter_box::Offering, listing::Listing},
        theme,
        view::Sheet,
        widgets,
    },
};

/// What stands beside the filter: two toggles, the count, pause; in words, and as icons.
const BESIDE_FILTER: f32 = 370.0;
const ICONS_BESIDE_FILTER: f32 = 190.0;
/// A list that is narrower has icons in place of words.
const ICONS_BELOW: f32 = 640.0;
/// In one that is narrower still the filter has a line of its own.
const OWN_LINE_BELOW: f32 = 400.0;

/// Values that are offered for a field.
const MOST_VALUES: usize = 500;

/// Newest packets that are looked through for such values.
const MOST_LOOKED_FOR_VALUES: usize = 2_000;

impl Packets {
    /// Why the list is empty.
    pub(super) fn nothing(&self, data: &Data) -> String {
        let text = self.filter.valid_text().trim();
        let mut said = match (text.is_empty(), self.problems_only) {
            (false, _) => format!("No packet matches “{text}”"),
            (true, true) => "No packet has a warning or an error".to_owned(),
            (true, false) => "There is no packet".to_owned(),
        };
        if self.problems_only && !text.is_empty() {
            said.push_str(" among those with problems");
        }
        if let Some(device) = self.only_device {
            said.push_str(" from ");
            said.push_str(data.label(device));
        }
        said.push('.');
        said
    }

    /// Filter, count and pause. True when pause or resume was pressed.
    pub(super) fn toolbar(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        listing: &Listing<'_>,
        shown: Shown,
        (filter, mistake, ground): (&Filter, Option<&Mistake>, &Ground),
    ) -> bool {
        let mut pressed = false;
        let room = ui.available_width();
        let own_line = room < OWN_LINE_BELOW;
        ui.horizontal(|ui| {
            let beside = match () {
                () if own_line => theme::ROW + 2.0 * ui.spacing().item_spacing.x,
                () if room < ICONS_BELOW => ICONS_BESIDE_FILTER,
                () => BESIDE_FILTER,
            };
            let width = (room - beside).clamp(110.0, 460.0);
            let tree = tree_names(cx.data);
            let tree: Vec<&str> = tree.iter().map(AsRef::as_ref).collect();
            let values = |field: Field| values_of(cx.data, field);
            let hint = "Words, or fields: speed > 90 && dev == \"Van 7\" (Ctrl+L)";
            let known = Offering { ground, filter, mistake, values: &values, tree: &tree };
            self.filter.ui(ui, width, &known).on_hover_text(hint);
            self.saved(ui, cx);
            if !own_line {
                pressed = self.beside(ui, cx, listing, shown, room < ICONS_BELOW);
            }
        });
        self.filter.says(ui, filter, mistake);
        if own_line {
            ui.add_space(3.0);
            pressed = ui.horizontal(|ui| self.beside(ui, cx, listing, shown, true)).inner;
        }
        ui.add_space(3.0);
        pressed
    }

    /// What stands beside the filter, in words or as icons. True when pause or resume was pressed.
    fn beside(&mut self, ui: &mut Ui, cx: &Cx<'_>, listing: &Listing<'_>, shown: Shown, icons: bool) -> bool {
        let toggle = |ui: &mut Ui, icon: Icon, text: &str, on: bool| {
            if icons {
                widgets::icon_toggle(ui, icon, text, on)
            } else {
                ui.add(Button::new(text).selected(on).truncate())
            }
        };
        let hint = "Only packets with warnings and errors";
        if toggle(ui, Icon::Warning, "Problems", self.problems_only).on_hover_text(hint).clicked() {
            self.problems_only = !self.problems_only;
        }
        let device = self.only_device.or(cx.view.selection.device);
        let label = match self.only_device.and_then(|id| cx.data.devices.get(&id)) {
            Some(overview) => format!("Only {}", overview.device.label()),
            None => "This device".to_owned(),
        };
        let on = self.only_device.is_some();
        let only = ui.add_enabled_ui(device.is_some(), |ui| toggle(ui, Icon::Tracker, &label, on)).inner;
        let only = only.on_hover_text("Only packets of the selected device");
        if only.on_disabled_hover_text("Select a device first").clicked() {
            self.only_device = if on { None } else { device };
        }
        let paused = self.paused_at.is_some();
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let (icon, label) = if paused { (Icon::Play, "Resume") } else { (Icon::Pause, "Pause") };
            let hint = "Hold the list still; receiving goes on";
            let pressed = toggle(ui, icon, label, paused).on_hover_text(hint).clicked();
            let text =
                if shown.searching { progress("searching", cx, shown) } else { counted(cx.data, listing, shown) };
            ui.add(egui::Label::new(RichText::new(text).weak()).truncate());
            pressed
        })
        .inner
    }

    /// Saved filters, and what keeps the one that is typed.
    fn saved(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let button = widgets::icon_button(ui, Icon::Down, "Saved filters");
        Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
            let list = &cx.view.packets;
            for saved in &list.saved {
                if ui.button(&saved.name).on_hover_text(&saved.filter).clicked() {
                    cx.actions.push(Action::FilterPackets(Some(saved.filter.clone())));
                    ui.close();
                }
            }
            if list.saved.is_empty() {
                ui.label(widgets::weak(ui, "No filter is saved yet"));
            }
            ui.separator();
            let text = self.filter.text().trim();
            ui.add_enabled_ui(!text.is_empty(), |ui| {
                let field =
                    TextEdit::singleline(&mut self.save_as).hint_text("Save this filter as").desired_width(170.0);
                let field = ui.add(field);
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Save this filter as"));
                let enter = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
                let named = !self.save_as.trim().is_empty();
                if (ui.add_enabled(named, Button::new("Save the filter")).clicked() || enter) && named {
                    let mut list = list.clone();
                    list.save(self.save_as.trim(), text);
                    cx.actions.push(Action::SetPacketList(list));
                    self.save_as.clear();
                    ui.close();
                }
            });
            if ui.button("Colours and saved filters…").clicked() {
                cx.actions.push(Action::Sheet(Some(Sheet::Colours)));
                ui.close();
            }
        });
    }
}

/// "searching … 12,000 of 50,000, back to 21 Nov 14:02".
pub(super) fn progress(word: &str, cx: &Cx<'_>, shown: Shown) -> String {
    let all = cx.data.stored_packets().max(shown.looked_at);
    let back = shown.back_to.map(|at| format!(", back to {}", cx.view.date_time(at))).unwrap_or_default();
    format!("{word} … {} of {}{back}", format::count(shown.looked_at), format::count(all))
}

/// How many are listed, of how many.
fn counted(data: &Data, listing: &Listing<'_>, shown: Shown) -> String {
    let (total, listed) = (data.stored_packets(), format::count(listing.len() as u64));
    if !shown.filtered {
        return format::count(total);
    }
    if data.ends.newer || data.ends.older && shown.looked_at < total {
        return format!("{listed} in {} of {}", format::count(shown.looked_at), format::count(total));
    }
    format!("{listed} of {}", format::count(total))
}

/// Names of the fields of the opened packet.
fn tree_names(data: &Data) -> BTreeSet<Cow<'static, str>> {
    let fields = data.opened.iter().flat_map(|opened| &opened.dissection.fields);
    fields.filter(|field| !field.name.contains(']')).map(|field| field.name.clone()).collect()
}

/// What packets have for a field, for the offers.
fn values_of(data: &Data, field: Field) -> Vec<String> {
    let unique = |words: &mut dyn Iterator<Item = String>| {
        let mut known = BTreeSet::new();
        words.filter(|word| known.insert(word.clone())).take(MOST_VALUES).collect::<Vec<_>>()
    };
    let newest = || data.packets.iter().rev().take(MOST_LOOKED_FOR_VALUES);
    match field {
        Field::Device => unique(&mut data.devices.values().map(|d| data.name_of(d).to_owned())),
        Field::Identity => unique(&mut data.devices.values().map(|d| d.device.identity.to_string())),
        Field::Kind => unique(&mut newest().map(|row| row.kind.to_string())),
        Field::Peer => unique(&mut newest().map(|row| row.peer.to_string())),
        Field::Connection => unique(&mut newest().map(|row| row.connection.to_string())),
        _ => Vec::new(),
    }
}
