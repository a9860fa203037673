//! The application: `logic` takes in facts and answers, `ui` lays out, and one `apply` carries out what was asked for.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use egui::{Context, ViewportCommand};
use jiff::tz::TimeZone;

use super::{
    Action, Cx, Data, View, asks,
    asks::Asks,
    command,
    data::{MAX_EVENTS, Opened, Station},
    map::{MapOptions, OnlineMap, Trail, camera::Camera},
    panels::Panels,
    theme,
    toasts::Toasts,
    view::{self, Open, Settings, Sheet, ThemeChoice},
};
use crate::{
    backend::{Backend, ExportJob, Feed, History, demo::is_demo},
    model::{Clock, DeviceId, DeviceOverview, DeviceState, Fact, PacketId, PacketRow, Profile, StoredFix, Timestamp},
    wire,
};

/// Time that facts may take of one frame; the rest waits for the next.
const FACT_BUDGET: Duration = Duration::from_millis(5);
/// Between two looks at answers that are on their way.
const POLL: Duration = Duration::from_millis(25);
/// Trails that are loaded without being asked for; the selected device's always is.
const MAX_TRAILS: usize = 300;
/// What the receivers and the store may take to finish when the window closes.
const STOP_PATIENCE: Duration = Duration::from_secs(4);
/// Between two looks at the addresses of this machine.
const LAN_EVERY: Duration = Duration::from_secs(15);
/// Vehicles of the demo.
const DEMO_VEHICLES: usize = 3;

/// What `main`, or a test, decides about the window.
pub struct Options {
    pub clock: Clock,
    /// The zone of "local time".
    pub zone: TimeZone,
    /// Set from outside (SIGTERM, SIGINT) to close the window.
    pub quit: Arc<AtomicBool>,
    /// Map tiles are read while drawing, not beside it: for tests, whose pictures must not depend on speed.
    pub sync_tiles: bool,
    /// Where tiles of the online map are kept; `None` keeps none.
    pub tile_cache: Option<PathBuf>,
}

impl Options {
    /// For a window on a desktop.
    pub fn new(clock: Clock) -> Self {
        let dirs = directories::ProjectDirs::from("", "", "wayglass");
        let tile_cache = dirs.map(|dirs| dirs.cache_dir().join("tiles"));
        Self { clock, zone: TimeZone::system(), quit: Arc::default(), sync_tiles: false, tile_cache }
    }
}

/// The window's state: the backend, what is known of it, and what is being looked at.
pub struct App {
    /// `None` only after [`eframe::App::on_exit`].
    backend: Option<Backend>,
    feed: Feed,
    clock: Clock,
    quit: Arc<AtomicBool>,
    data: Data,
    view: View,
    panels: Panels,
    asks: Asks,
    toasts: Toasts,
    /// Settings as the context has them; differs from the view's for a moment after a change.
    dressed: Option<Settings>,
    lan_read: Option<Instant>,
    tile_cache: Option<PathBuf>,
    /// A text field had the keyboard at the end of the last frame: egui takes it away before we see the key that did it.
    typing: bool,
    /// The demo was started, and its vehicles are to be shown once all are on the road.
    show_demo: bool,
    /// See [`Station::demo_left`], and for which roster and demo it was found.
    demo_left: bool,
    demo_looked_at: Option<(u64, bool)>,
    /// The device whose events are in [`Data::events`].
    events_of: Option<DeviceId>,
}

/// What is kept between runs beside egui's own memory.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Kept {
    settings: Settings,
    open: KeptOpen,
    /// Where the map looked.
    camera: Option<Camera>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct KeptOpen {
    dock: bool,
    devices: bool,
    details: bool,
}

impl Default for KeptOpen {
    fn default() -> Self {
        let Open { dock, devices, details, sheet: _ } = Open::default();
        Self { dock, devices, details }
    }
}

/// Where [`Kept`] lies in eframe's storage.
const KEPT: &str = "wayglass";

impl App {
    /// The window over a backend that was started for it.
    pub fn new(cc: &eframe::CreationContext<'_>, backend: Backend, options: Options) -> Self {
        theme::install(&cc.egui_ctx);
        let Kept { settings, open, camera } =
            cc.storage.and_then(|storage| eframe::get_value(storage, KEPT)).unwrap_or_default();
        let KeptOpen { dock, devices, details } = open;
        let view = View {
            settings,
            open: Open { dock, devices, details, sheet: None },
            local_zone: options.zone,
            ..View::default()
        };
        let online = online(&view.settings, options.tile_cache.as_ref());
        let map = MapOptions { camera, online, sync_tiles: options.sync_tiles };
        let panels = Panels::new(cc.wgpu_render_state.as_ref(), map);
        let mut asks = Asks::default();
        // Subscribed before the first question, so that nothing falls between the two.
        let feed = backend.feed();
        asks.reload(&backend);
        Self {
            feed,
            clock: options.clock,
            quit: options.quit,
            data: Data::default(),
            view,
            panels,
            asks,
            toasts: Toasts::default(),
            dressed: None,
            lan_read: None,
            tile_cache: options.tile_cache,
            typing: false,
            show_demo: false,
            demo_left: false,
            demo_looked_at: None,
            events_of: None,
            backend: Some(backend),
        }
    }

    /// What the window knows; for tests.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// What is being looked at; for tests.
    pub fn view(&self) -> &View {
        &self.view
    }

    fn backend(&self) -> &Backend {
        self.backend.as_ref().expect("taken only on exit, after the last frame")
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn take_facts(&mut self, ctx: &Context) {
        let begun = Instant::now();
        while let Some(fact) = self.feed.next() {
            match fact {
                Fact::Committed(committed) => {
                    self.asks.remember(&committed);
                    self.data.apply(&committed, self.events_of);
                }
                Fact::Missed => self.read_again(),
            }
            if begun.elapsed() > FACT_BUDGET {
                ctx.request_repaint();
                break;
            }
        }
    }

    fn read_again(&mut self) {
        let backend = self.backend.as_ref().expect("taken only on exit, after the last frame");
        self.asks.reload(backend);
        self.data.trails.clear();
        self.events_of = None;
    }

    fn take_answers(&mut self) {
        match self.asks.fresh() {
            Some(Ok(fresh)) => {
                self.data.reload(fresh.devices, fresh.packets, &fresh.since, self.events_of);
                self.data.trouble = None;
                self.forget_removed();
                if fresh.overflowed {
                    self.read_again();
                }
            }
            Some(Err(error)) => self.data.trouble = Some(error.to_string()),
            None => {}
        }
        for (device, answer) in self.asks.trails_answered() {
            match answer {
                Ok(fixes) => {
                    self.data.trails.insert(device, Trail::from_fixes(fixes));
                }
                Err(error) => self.data.trouble = Some(error.to_string()),
            }
        }
        if let Some((id, answer)) = asks::take(&mut self.asks.packet)
            && self.view.selection.packet == Some(id)
        {
            match answer {
                Ok(Some(row)) => self.open(row),
                Ok(None) => self.toasts.warn("This packet is no longer kept"),
                Err(error) => self.toasts.error(format!("Could not read the packet: {error}")),
            }
        }
        if let Some((id, Ok(fixes))) = asks::take(&mut self.asks.fixes) {
            self.take_fixes(id, fixes);
        }
        if let Some((device, Ok(mut events))) = asks::take(&mut self.asks.events)
            && self.events_of == Some(device)
        {
            events.reverse();
            self.data.events = events;
        }
        for (device, answer) in self.asks.adopted() {
            let name = self.data.label(device);
            match answer {
                Ok(1) => self.toasts.info(format!("Adopted {name}, 1 position")),
                Ok(n) => self.toasts.info(format!("Adopted {name}, {} positions", super::format::count(n))),
                Err(error) => self.toasts.error(format!("Could not adopt {name}: {error}")),
            }
            // Its positions have become history.
            self.data.trails.remove(&device);
        }
        for (what, answer) in self.asks.changed() {
            if let Err(error) = answer {
                self.toasts.error(format!("Could not {what}: {error}"));
            }
        }
        if let Some(pending) = &mut self.asks.export
            && let Some(answer) = pending.poll()
        {
            self.asks.export = None;
            let report = answer.map_err(|e| e.to_string()).and_then(|written| written.map_err(|e| e.to_string()));
            self.panels.export.finished(report);
        }
    }

    /// A selection of what is gone is no selection.
    fn forget_removed(&mut self) {
        let gone = |id: &DeviceId| !self.data.devices.contains_key(id);
        if self.view.selection.device.as_ref().is_some_and(gone) {
            self.view.selection.device = None;
            self.view.selection.fix = None;
        }
        if self.view.follow.as_ref().is_some_and(gone) {
            self.view.follow = None;
        }
    }

    fn open(&mut self, row: PacketRow) {
        let profile = row.device.and_then(|id| self.data.devices.get(&id)).map(|d| d.device.profile.clone());
        let dissection =
            wire::dissect(row.protocol, &row.bytes, &profile.unwrap_or_else(Profile::default), row.received);
        if row.device.is_some() {
            self.view.selection.device = row.device;
        }
        self.data.opened = Some(Opened { row, dissection, fixes: Vec::new() });
    }

    fn take_fixes(&mut self, packet: PacketId, fixes: Vec<StoredFix>) {
        let Some(opened) = self.data.opened.as_mut().filter(|opened| opened.row.id == packet) else { return };
        opened.fixes = fixes;
        // The packet's own point is selected with it; a point that was clicked stays.
        if self.view.selection.fix.is_none() {
            self.view.selection.fix = opened.fixes.last().map(|fix| fix.id);
        }
    }

    fn select_packet(&mut self, id: PacketId, fix: Option<i64>) {
        let selection = &mut self.view.selection;
        selection.packet = Some(id);
        selection.field = None;
        selection.fix = fix;
        self.view.hovered_field = None;
        self.data.opened = None;
        let (packet, fixes) = match self.data.packet_row(id) {
            Some(row) => {
                let row = row.clone();
                self.open(row);
                (None, Some((id, self.backend().fixes_of_packet(id))))
            }
            None => (Some((id, self.backend().packet(id))), Some((id, self.backend().fixes_of_packet(id)))),
        };
        self.asks.packet = packet;
        self.asks.fixes = fixes;
    }

    fn step_packet(&mut self, rows: i32) {
        let last = self.data.packets.len().checked_sub(1);
        let Some(last) = last else { return };
        let at = match self.view.selection.packet.and_then(|id| self.data.packet_index(id)) {
            Some(at) => at.saturating_add_signed(rows as isize).min(last),
            None => last,
        };
        if let Some(id) = self.data.packets.get(at).map(|row| row.id) {
            self.select_packet(id, None);
        }
    }

    fn close_packet(&mut self) {
        self.view.selection.packet = None;
        self.view.selection.field = None;
        self.view.selection.fix = None;
        self.view.hovered_field = None;
        self.data.opened = None;
    }

    fn escape(&mut self) {
        if self.view.open.sheet.is_some() {
            self.view.open.sheet = None;
        } else if self.view.selection.field.is_some() {
            self.view.selection.field = None;
        } else if self.view.selection.packet.is_some() {
            self.close_packet();
        } else {
            self.view.selection.device = None;
            self.view.follow = None;
        }
    }

    /// Looks at the demo once it can be seen.
    fn look_at_demo(&mut self) {
        let on_the_road = self.data.devices.values().filter(|d| d.last_fix.is_some()).count();
        if self.show_demo && on_the_road >= DEMO_VEHICLES {
            self.show_demo = false;
            self.panels.map.fit_all();
        }
    }

    /// Asks for what the selection and the map want and the data lack.
    fn ask(&mut self, now: Timestamp) {
        let selected = self.view.selection.device;
        if self.events_of != selected {
            self.events_of = selected;
            self.data.events.clear();
            self.asks.events = selected.map(|device| (device, self.backend().events(Some(device), MAX_EVENTS)));
        }
        let Self { asks, data, backend: Some(backend), .. } = self else { return };
        let lacks = |id: &DeviceId| !data.trails.contains_key(id);
        let room = MAX_TRAILS.saturating_sub(data.trails.len());
        let shown = data
            .devices
            .values()
            .filter(|d| d.device.state == DeviceState::Adopted && d.last_fix.is_some())
            .map(|d| d.device.id)
            .filter(lacks)
            .take(room);
        asks.trails(backend, selected.into_iter().filter(lacks).chain(shown), now);
    }

    fn look_at_station(&mut self) {
        let Some(backend) = &self.backend else { return };
        let lan_is_old = self.lan_read.is_none_or(|read| read.elapsed() > LAN_EVERY);
        let lan = if lan_is_old { backend.lan_addresses() } else { std::mem::take(&mut self.data.station.lan) };
        if lan_is_old {
            self.lan_read = Some(Instant::now());
        }
        let demo = backend.demo_running();
        let left = |d: &DeviceOverview| d.device.state != DeviceState::Ignored && is_demo(&d.device.identity);
        if self.demo_looked_at != Some((self.data.roster, demo)) {
            self.demo_looked_at = Some((self.data.roster, demo));
            self.demo_left = !demo && self.data.devices.values().any(left);
        }
        self.data.station = Station {
            receivers: backend.receivers(),
            policy: backend.policy(),
            viewer: backend.viewer(),
            demo,
            demo_left: self.demo_left && !backend.viewer(),
            lan,
            data_dir: backend.data_dir().to_owned(),
        };
    }

    /// Theme, scale and online map, where they changed.
    fn dress(&mut self, ctx: &Context) {
        if self.dressed.as_ref() == Some(&self.view.settings) {
            return;
        }
        ctx.set_theme(match self.view.settings.theme {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Light => egui::ThemePreference::Light,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
        });
        ctx.set_zoom_factor(self.view.settings.ui_scale);
        self.panels.map.set_online(online(&self.view.settings, self.tile_cache.as_ref()));
        self.dressed = Some(self.view.settings.clone());
    }

    /// The only place where something that was asked for is done.
    fn apply(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::SelectDevice(device) => {
                self.close_packet();
                if self.view.follow.is_some() && self.view.follow != device {
                    self.view.follow = None;
                }
                self.view.selection.device = device;
            }
            Action::SelectPacket(id) => self.select_packet(id, None),
            Action::SelectFix { device, fix, packet } => {
                self.select_packet(packet, Some(fix));
                self.view.selection.device = Some(device);
            }
            Action::SelectField(field) => self.view.selection.field = field,
            Action::HoverField(field) => self.view.hovered_field = field,
            Action::StepPacket(rows) => self.step_packet(rows),
            Action::Escape => self.escape(),
            Action::Adopt(device) => {
                let pending = self.backend().adopt(device, None);
                self.asks.adopt(device, pending);
            }
            Action::Ignore(device) => {
                let pending = self.backend().ignore(device);
                let what = format!("ignore {}", self.data.label(device));
                self.asks.change(what, pending);
                if self.view.selection.device == Some(device) {
                    self.view.selection.device = None;
                }
            }
            Action::Rename(device, name) => {
                let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
                let pending = self.backend().rename(device, name);
                let what = format!("rename {}", self.data.label(device));
                self.asks.change(what, pending);
            }
            Action::Follow(device) => self.view.follow = device,
            Action::FitAll => self.panels.map.fit_all(),
            Action::FitDevice(device) => self.panels.map.fit_device(device),
            Action::Zoom(levels) => self.panels.map.zoom_by(levels),
            Action::Listen(protocol, at) => self.backend().listen(protocol, at),
            Action::Retry(protocol) => self.backend().retry(protocol),
            Action::SetPolicy(policy) => self.backend().set_policy(policy),
            Action::ReadAgain => self.read_again(),
            Action::StartDemo => {
                self.backend().start_demo(DEMO_VEHICLES);
                self.show_demo = true;
                self.toasts.info("The demo is starting: three simulated vehicles");
            }
            Action::StopDemo => self.backend().stop_demo(true),
            Action::ToggleDock => self.view.open.dock = !self.view.open.dock,
            Action::ToggleDevices => self.view.open.devices = !self.view.open.devices,
            Action::ToggleDetails => self.view.open.details = !self.view.open.details,
            Action::Sheet(sheet) => self.view.open.sheet = sheet.filter(|_| self.view.open.sheet != sheet),
            Action::OpenExport(device) => {
                self.panels.export.choose(device);
                self.view.open.sheet = Some(Sheet::Export);
            }
            Action::Export { devices, window, format, to, with_suspect } => {
                let history = History { devices, window, format, with_suspect };
                let job = ExportJob { history, to };
                let pending = self.backend().export(job);
                self.asks.export = Some(pending);
            }
            Action::BrowseExport(name) => self.browse(ctx, name),
            Action::SetSettings(settings) => self.view.settings = settings,
            Action::FocusDeviceFilter => {
                self.view.open.devices = true;
                self.panels.devices.focus_filter();
            }
            Action::Copy(text, what) => {
                ctx.copy_text(text);
                self.toasts.info(format!("Copied {what}"));
            }
        }
    }

    fn browse(&mut self, ctx: &Context, name: PathBuf) {
        self.panels.export.browse(ctx.clone(), name);
    }
}

/// The online map as the settings want it.
fn online(settings: &Settings, cache_dir: Option<&PathBuf>) -> Option<OnlineMap> {
    let view::OnlineMap { on, template, attribution } = &settings.online_map;
    on.then(|| OnlineMap {
        url: template.clone(),
        attribution: attribution.clone(),
        cache_dir: cache_dir.cloned(),
        ..OnlineMap::default()
    })
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        if self.quit.load(Ordering::Relaxed) {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        self.take_facts(ctx);
        self.take_answers();
        self.look_at_station();
        let now = self.now();
        self.data.count(now);
        self.ask(now);
        self.look_at_demo();
        if self.asks.waiting() {
            ctx.request_repaint_after(POLL);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        self.dress(&ctx);
        let mut actions = Vec::new();
        for command in command::pressed(&ctx, self.typing) {
            actions.extend(command.action(&self.view).into_iter().flatten());
        }
        let now = self.now();
        let mut cx = Cx { data: &self.data, view: &self.view, now, actions: &mut actions };
        self.panels.ui(ui, &mut cx);
        self.toasts.ui(&ctx);
        self.typing = ctx.text_edit_focused();
        if !actions.is_empty() {
            // What they change shows in the next frame.
            ctx.request_repaint();
        }
        for action in actions {
            self.apply(&ctx, action);
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        let Open { dock, devices, details, sheet: _ } = self.view.open;
        let kept = Kept {
            settings: self.view.settings.clone(),
            open: KeptOpen { dock, devices, details },
            camera: Some(self.panels.map.camera()),
        };
        eframe::set_value(storage, KEPT, &kept);
    }

    fn on_exit(&mut self) {
        if let Some(backend) = self.backend.take() {
            backend.stop(STOP_PATIENCE);
        }
    }
}
