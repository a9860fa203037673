//! The panels. Each is a function of [`crate::ui::Data`]; what a panel alone cares about is its private field.

pub mod bytes;
mod colours;
mod commands;
mod comment;
mod compare;
mod conversation;
mod copy;
mod details;
mod devices;
pub mod dock;
mod events;
mod export;
mod first_run;
mod health;
mod import;
mod keep;
mod keys;
mod look;
mod maps;
mod new_senders;
pub mod packets;
mod packets_out;
mod palette;
mod phone;
mod phones;
mod places;
mod profile;
mod receivers;
mod replay;
mod rules;
mod settings;
mod sheets;
pub(super) mod sources;
mod statistics;
mod taps;
mod time;
mod top;
pub mod tree;
mod trouble;

pub(super) use keep::gone;
pub(super) use palette::Name;

use eframe::egui_wgpu::RenderState;
use egui::{CentralPanel, Frame, Margin, Panel, Ui};

use self::dock::split::{Split, Stack};
/// Under which a pane's place is kept, for going from pane to pane.
pub(super) fn pane_id(pane: Pane) -> egui::Id {
    egui::Id::unique("pane").with(pane)
}

use super::{
    Action, Cx,
    map::{MapOptions, MapPanel},
    talk::Tab,
    theme,
    view::{Pane, Sheet},
};
use crate::model::Protocol;

/// Room that a wide list of devices leaves for the map.
const MAP_WIDTH: f32 = 260.0;

/// The states of all panels, and where each of them stands.
pub struct Panels {
    top: top::Top,
    pub(super) devices: devices::Devices,
    pub(super) details: details::Details,
    pub(super) export: export::Export,
    pub(super) import: import::Import,
    pub(super) packets_out: packets_out::PacketsOut,
    pub(super) replay: replay::Replay,
    pub(super) copy: copy::SaveCopy,
    pub(super) maps: maps::Maps,
    settings: settings::Settings,
    commands: commands::Commands,
    profile: profile::Editor,
    pairing: phone::Pairing,
    phone_profile: phone::access::Access,
    phone_console: phone::console::Console,
    phones: phones::Phones,
    pub(super) palette: palette::Palette,
    keys: keys::Keys,
    pub(super) packets: packets::Packets,
    pub(super) comment: comment::Comment,
    colours: colours::Colours,
    tree: tree::Tree,
    bytes: bytes::Bytes,
    pub(super) places: places::Places,
    rules: rules::Rules,
    taps: taps::Taps,
    time: time::TimeBar,
    pub(super) map: MapPanel,
    /// The sheet that was open in the last frame.
    sheet: Option<Sheet>,
    /// Where what has to be known all the time ends, in points from the top.
    below_banners: f32,
}

impl Panels {
    /// All panels as they are at the start. `render_state` is the window's, for the map.
    pub fn new(render_state: Option<&RenderState>, map: MapOptions) -> Self {
        Self {
            top: top::Top::default(),
            devices: devices::Devices::default(),
            details: details::Details::default(),
            export: export::Export::default(),
            import: import::Import::default(),
            packets_out: packets_out::PacketsOut::default(),
            replay: replay::Replay::default(),
            copy: copy::SaveCopy::default(),
            maps: maps::Maps::default(),
            settings: settings::Settings::default(),
            commands: commands::Commands::default(),
            profile: profile::Editor::default(),
            pairing: phone::Pairing::default(),
            phone_profile: phone::access::Access::default(),
            phone_console: phone::console::Console::default(),
            phones: phones::Phones::default(),
            palette: palette::Palette::default(),
            keys: keys::Keys::default(),
            packets: packets::Packets::default(),
            comment: comment::Comment::default(),
            colours: colours::Colours::default(),
            tree: tree::Tree::default(),
            bytes: bytes::Bytes::default(),
            places: places::Places::default(),
            rules: rules::Rules::default(),
            taps: taps::Taps::default(),
            time: time::TimeBar::default(),
            map: MapPanel::new(render_state, map),
            sheet: None,
            below_banners: 0.0,
        }
    }

    /// Those of another source of packets, as they are at the start.
    #[must_use]
    pub fn another(&self) -> Self {
        let mut another = Self::new(None, MapOptions::default());
        another.map = self.map.another();
        another.palette.recent.clone_from(&self.palette.recent);
        another
    }

    /// Where there is room for what may cover something.
    pub(super) fn below_banners(&self) -> f32 {
        self.below_banners
    }

    /// Lays all of them out.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let before = std::mem::replace(&mut self.sheet, cx.view.open.sheet);
        if before.is_none() && cx.view.open.sheet.is_some() {
            egui::Popup::close_all(ui.ctx());
        }
        // A tooltip stays open while the pointer rests, and would lie above a sheet that a key opened: below one nothing knows of a pointer.
        let pointer = cx.view.open.sheet.map(|_| ui.ctx().input_mut(|i| std::mem::take(&mut i.pointer)));
        self.below_sheet(ui, cx);
        if let Some(pointer) = pointer {
            ui.ctx().input_mut(|i| i.pointer = pointer);
        }
        self.open_sheet(ui, cx);
    }

    fn below_sheet(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let p = theme::palette(ui);
        let bare = Frame::new().fill(p.panel);
        Panel::top("top").frame(bare.inner_margin(Margin::symmetric(12, 6))).show(ui, |ui| self.top.ui(ui, cx));
        if top::any_banner(cx.data) {
            Panel::top("banners").frame(bare).show_separator_line(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                top::banners(ui, cx);
            });
        }
        self.below_banners = ui.available_rect_before_wrap().top();
        let map = Pane::Map.is_open(cx.view.open);
        if map {
            self.dock(ui, cx, bare);
            if !cx.data.devices.is_empty() {
                self.time.ui(ui, cx);
            }
        }
        let side = ui.available_width() * 0.21;
        let mut devices = cx.view.open.devices;
        let pane = if cx.view.devices.table {
            // The map keeps room to be one.
            let beside = if cx.view.open.details { side.clamp(276.0, 340.0) } else { 0.0 };
            let most = (ui.available_width() - beside - MAP_WIDTH).max(280.0);
            let usual = (devices::table_width(&cx.view.devices) + 16.0).min(ui.available_width() * 0.45);
            Panel::left("devices table").default_size(usual.clamp(260.0, most)).size_range(260.0..=most)
        } else {
            Panel::left("devices").default_size(side.clamp(264.0, 330.0)).size_range(240.0..=420.0)
        };
        let pane = pane.frame(bare);
        pane.show_collapsible(ui, &mut devices, |ui| {
            note_pane(ui, Pane::Devices);
            keep_size(ui);
            let view = self.map.in_view().filter(|_| cx.view.only_in_view);
            self.devices.ui(ui, cx, view);
        });
        if devices != cx.view.open.devices {
            cx.ask(Action::ToggleDevices);
        }
        let mut details = cx.view.open.details;
        let pane = Panel::right("details").frame(bare).default_size(side.clamp(276.0, 340.0)).size_range(260.0..=460.0);
        pane.show_collapsible(ui, &mut details, |ui| {
            note_pane(ui, Pane::Details);
            keep_size(ui);
            self.details.ui(ui, cx);
        });
        if details != cx.view.open.details {
            cx.ask(Action::ToggleDetails);
        }
        if map {
            CentralPanel::default().frame(bare.fill(p.sunken)).show(ui, |ui| {
                note_pane(ui, Pane::Map);
                let area = ui.max_rect();
                self.map.cover(self.time.covers(cx));
                self.map.ui(ui, cx);
                self.time.over_map(ui, cx, area);
            });
        } else {
            CentralPanel::default().frame(bare).show(ui, |ui| self.packets_and_fields(ui, cx, bare));
        }
    }

    fn open_sheet(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let Self {
            maps,
            palette,
            keys,
            export,
            import,
            packets_out,
            replay,
            copy,
            settings,
            commands,
            profile,
            pairing,
            phone_profile,
            phone_console,
            phones,
            places,
            rules,
            taps,
            comment,
            colours,
            ..
        } = self;
        let selected = cx.view.selection.device.and_then(|id| cx.data.devices.get(&id));
        let is_phone = selected.is_some_and(|d| d.device.protocol == Protocol::OwnTracks);
        pairing.rest(cx.view.open.sheet);
        palette.rest(cx.view.open.sheet == Some(Sheet::Palette));
        sheets::ui(ui, cx, |sheet, ui, cx| match sheet {
            Sheet::Palette => palette.ui(ui, cx),
            Sheet::Settings => settings.ui(ui, cx),
            Sheet::Export => export.ui(ui, cx),
            Sheet::Import => import.ui(ui, cx),
            Sheet::PacketsOut => packets_out.ui(ui, cx),
            Sheet::Replay => replay.ui(ui, cx),
            Sheet::SaveCopy => copy.ui(ui, cx),
            Sheet::Maps => maps.ui(ui, cx),
            Sheet::Commands if is_phone => phone_console.ui(ui, cx),
            Sheet::Commands => commands.ui(ui, cx),
            Sheet::Profile if is_phone => phone_profile.ui(ui, cx),
            Sheet::Profile => profile.ui(ui, cx),
            Sheet::AddPhone => pairing.add(ui, cx),
            Sheet::Phone => pairing.ui(ui, cx),
            Sheet::Phones(tab) => phones.ui(ui, cx, tab),
            Sheet::Health => health::ui(ui, cx),
            Sheet::Keys => keys.ui(ui),
            Sheet::Places => places.ui(ui, cx),
            Sheet::Rules => rules.ui(ui, cx),
            Sheet::Taps => taps.ui(ui, cx),
            Sheet::Comment => comment.ui(ui, cx),
            Sheet::Colours => colours.ui(ui, cx),
        });
    }

    fn dock(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, bare: Frame) {
        let height = ui.available_height();
        let mut dock = cx.view.open.dock;
        Panel::bottom("dock")
            .frame(bare)
            .resizable(true)
            .default_size((height * 0.31).clamp(180.0, 300.0))
            .size_range(120.0..=(height - 200.0).max(140.0))
            .show_collapsible(ui, &mut dock, |ui| {
                self.packets_and_fields(ui, cx, bare);
            });
        if dock != cx.view.open.dock {
            cx.ask(Action::ToggleDock);
        }
    }

    /// What stands in the dock, wherever that is.
    fn packets_and_fields(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, bare: Frame) {
        let pane = bare.inner_margin(Margin { left: 12, right: 8, top: 8, bottom: 0 });
        if let Some(stack) = Stack::fit(ui.available_size()) {
            let both = Panel::right("tree over bytes").frame(bare).default_size(stack.width_default);
            both.size_range(stack.width).show(ui, |ui| {
                let below = Panel::bottom("bytes below").frame(pane).resizable(true);
                below.default_size(stack.below_default).size_range(stack.below).show(ui, |ui| self.bytes_ui(ui, cx));
                CentralPanel::default().frame(pane).show(ui, |ui| self.tree_ui(ui, cx));
            });
            CentralPanel::default().frame(pane).show(ui, |ui| self.list_ui(ui, cx));
            return;
        }
        let split = Split::fit(ui);
        let shown = Panel::right("bytes").frame(pane).default_size(split.bytes_default).size_range(split.bytes);
        let bytes = shown.show(ui, |ui| self.bytes_ui(ui, cx));
        let shown = Panel::right("tree").frame(pane).default_size(split.tree_default).size_range(split.tree);
        let tree = shown.show(ui, |ui| self.tree_ui(ui, cx));
        split.keep(ui, tree.response.rect.width(), bytes.response.rect.width());
        CentralPanel::default().frame(pane).show(ui, |ui| self.list_ui(ui, cx));
    }

    fn bytes_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        note_pane(ui, Pane::Bytes);
        self.bytes.ui(ui, cx);
        ui.take_available_space();
    }

    fn tree_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        note_pane(ui, Pane::Tree);
        self.tree.ui(ui, cx);
        ui.take_available_space();
    }

    /// Packets, events, or what was made of packets.
    fn list_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        note_pane(ui, Pane::Packets);
        events::tabs(ui, cx);
        match cx.view.talk.tab {
            Some(Tab::Conversation) => conversation::ui(ui, cx),
            Some(Tab::Compare) => compare::ui(ui, cx),
            Some(Tab::Statistics) => statistics::ui(ui, cx),
            None if cx.view.events.open => events::ui(ui, cx),
            None => self.packets.ui(ui, cx),
        }
    }
}

/// Keeps where a pane stands, so that one can go from it to the next.
fn note_pane(ui: &Ui, pane: Pane) {
    let rect = ui.max_rect();
    ui.data_mut(|data| data.insert_temp(pane_id(pane), rect));
}

/// Whatever stands in a pane, its size is the user's: a pane shrinks to what it holds otherwise.
fn keep_size(ui: &mut Ui) {
    ui.set_min_size(ui.available_size());
}
