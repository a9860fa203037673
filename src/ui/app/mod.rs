//! The application: `logic` takes in facts and answers, `ui` lays out, and one `apply` carries out what was asked for.

mod apply;
mod charts;
mod demo;
mod finding;
mod going;
mod health;
mod importing;
mod milestones;
mod news;
mod out;
mod pages;
mod past;
mod reading;
mod replaying;
mod scratch;
mod seeking;
mod talk;
mod undoing;
mod watching;

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

pub use self::milestones::Begun;
use self::{demo::Demo, milestones::Milestones, news::News};
use super::{
    Action, Cx, Data, View,
    asks::Asks,
    charts::{Charts, Shelf},
    command,
    data::Station,
    device_list::DeviceList,
    filter::PacketList,
    map::{MapOptions, OnlineMap, camera::Camera},
    panels::{Name, Panels, sources},
    phones, remote, theme, time,
    toasts::Toasts,
    undo::Undo,
    view::{self, Open, Settings, ThemeChoice},
    watch,
};
use crate::{
    backend::{Backend, Feed, Pending, StoreHealth},
    model::{Clock, DeviceId, Timestamp},
};

/// Between two looks at answers that are on their way.
const POLL: Duration = Duration::from_millis(25);
/// What the receivers and the store may take to finish when the window closes.
const STOP_PATIENCE: Duration = Duration::from_secs(4);
/// Between two looks at the addresses of this machine.
const LAN_EVERY: Duration = Duration::from_secs(15);

/// What `main`, or a test, decides about the window.
pub struct Options {
    pub clock: Clock,
    /// The zone of "local time".
    pub zone: TimeZone,
    /// Set from outside (SIGTERM, SIGINT) to close the window.
    pub quit: Arc<AtomicBool>,
    /// From where the log counts how long the window took; `None` says nothing.
    pub begun: Option<Begun>,
    /// Map tiles are read while drawing, not beside it: for tests, whose pictures must not depend on speed.
    pub sync_tiles: bool,
    /// Where tiles of the online map are kept; `None` keeps none.
    pub tile_cache: Option<PathBuf>,
    /// Files that are opened first, as if they were dropped on the window.
    pub files: Vec<PathBuf>,
}

impl Options {
    /// For a window on a desktop.
    pub fn new(clock: Clock) -> Self {
        let dirs = directories::ProjectDirs::from("", "", "wayglass");
        let tile_cache = dirs.map(|dirs| dirs.cache_dir().join("tiles"));
        let (zone, quit, files) = (TimeZone::system(), Arc::default(), Vec::new());
        Self { clock, zone, quit, begun: None, sync_tiles: false, tile_cache, files }
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
    /// What is being asked about commands, profiles and clocks.
    remote: remote::Asking,
    /// What is being asked about phones.
    phones: phones::Asking,
    paging: pages::Paging,
    finding: finding::Finding,
    seeker: seeking::Seeker,
    /// What is being asked about the past.
    past: time::Asking,
    talk: super::talk::Asking,
    out: super::out::Asking,
    replay: super::replay::Asking,
    /// What is being asked about imports.
    imports: importing::Asking,
    /// Positions that are being hidden or shown again, by their device.
    hiding: Vec<(DeviceId, Pending<u64>)>,
    /// Which state of the past the map shows.
    mapped: u64,
    /// Another span was chosen, and its tracks are not there yet.
    unseen: bool,
    toasts: Toasts,
    undo: Undo,
    went: going::Went,
    /// What is being asked about places, rules and events.
    watch: watch::Asking,
    /// Settings as the context has them; differs from the view's for a moment after a change.
    dressed: Option<Settings>,
    lan_read: Option<Instant>,
    /// The folder and its bound in bytes.
    tile_cache: Option<(PathBuf, u64)>,
    /// A text field had the keyboard at the end of the last frame: egui takes it away before we see the key that did it.
    typing: bool,
    demo: Demo,
    news: News,
    health: health::Asking,
    milestones: Milestones,
    /// Map files that are being looked into, and the one that the user has just asked for.
    shelf: Shelf,
    opening: Option<PathBuf>,
    /// Captures beside the live picture.
    sources: scratch::Sources,
    /// Files that the command line named.
    given: Vec<PathBuf>,
}

/// What is kept between runs beside egui's own memory.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Kept {
    settings: Settings,
    devices: DeviceList,
    charts: Charts,
    open: KeptOpen,
    /// Where somebody chose to look.
    camera: Option<Camera>,
    /// What was found in the palette, the last one first.
    recent: Vec<Name>,
    time: time::KeptTime,
    packets: PacketList,
}

#[expect(clippy::struct_excessive_bools, reason = "one a pane")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct KeptOpen {
    dock: bool,
    devices: bool,
    details: bool,
    map: bool,
}

impl Default for KeptOpen {
    fn default() -> Self {
        let Open { dock, devices, details, map, sheet: _ } = Open::default();
        Self { dock, devices, details, map }
    }
}

/// Where [`Kept`] lies in eframe's storage.
const KEPT: &str = "wayglass";

impl App {
    /// The window over a backend that was started for it.
    pub fn new(cc: &eframe::CreationContext<'_>, backend: Backend, options: Options) -> Self {
        let milestones = Milestones::at_window(options.begun);
        theme::install(&cc.egui_ctx);
        let Kept { settings, devices: list, charts, open, camera, recent, time, packets } =
            cc.storage.and_then(|storage| eframe::get_value(storage, KEPT)).unwrap_or_default();
        let KeptOpen { dock, devices, details, map } = open;
        let view = View {
            settings,
            devices: list.mended(),
            packets: packets.mended(),
            charts,
            open: Open { dock, devices, details, map, sheet: None },
            local_zone: options.zone,
            time: time.view(),
            ..View::default()
        };
        let cache = options.tile_cache.map(|dir| (dir, backend.window_bounds().tile_cache_bytes));
        let online = online(&view.settings, cache.as_ref());
        let map = MapOptions { camera, online, sync_tiles: options.sync_tiles };
        let mut panels = Panels::new(cc.wgpu_render_state.as_ref(), map);
        panels.palette.recent = recent;
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
            remote: remote::Asking::default(),
            phones: phones::Asking::default(),
            paging: pages::Paging::default(),
            finding: finding::Finding::default(),
            seeker: seeking::Seeker::default(),
            past: time::Asking::default(),
            talk: super::talk::Asking::default(),
            out: super::out::Asking::default(),
            replay: super::replay::Asking::default(),
            imports: importing::Asking::default(),
            hiding: Vec::new(),
            mapped: 0,
            unseen: false,
            toasts: Toasts::default(),
            undo: Undo::default(),
            went: going::Went::default(),
            watch: watch::Asking::default(),
            dressed: None,
            lan_read: None,
            tile_cache: cache,
            typing: false,
            demo: Demo::default(),
            news: News::default(),
            health: health::Asking::default(),
            milestones,
            shelf: Shelf::default(),
            opening: None,
            given: options.files,
            sources: scratch::Sources::default(),
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

    /// Where the map looks; for tests.
    pub fn camera(&self) -> Camera {
        self.panels.map.camera()
    }

    fn backend(&self) -> &Backend {
        self.backend.as_ref().expect("taken only on exit, after the last frame")
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn look_at_station(&mut self) {
        let Some(backend) = &self.backend else { return };
        let lan_is_old = self.lan_read.is_none_or(|read| read.elapsed() > LAN_EVERY);
        let lan = if lan_is_old { backend.lan_addresses() } else { std::mem::take(&mut self.data.station.lan) };
        if lan_is_old {
            self.lan_read = Some(Instant::now());
        }
        let demo = backend.demo_running();
        let demo_left = self.demo.left_behind(&self.data, demo);
        self.data.station = Station {
            receivers: backend.receivers(),
            taps: backend.taps(),
            policy: backend.policy(),
            viewer: backend.viewer(),
            capture: backend.capture(),
            store_trouble: backend.trouble(),
            demo,
            demo_left: demo_left && !backend.viewer(),
            lan,
            data_dir: backend.data_dir().to_owned(),
            keep: backend.keep(),
            // A viewer would have to ask the disk.
            store: if backend.viewer() { StoreHealth::default() } else { backend.store_health() },
        };
    }

    /// What a command asks for whose keys were pressed. Where that is nothing, it is said why.
    fn wanted_by(&mut self, command: command::UserCommand) -> Vec<Action> {
        let wanted = command.actions(&self.data, &self.view);
        let lacks = command.lacks(&self.data, &self.view).filter(|_| wanted.is_none());
        if let Some((about, lacks)) = command::about(command).zip(lacks) {
            self.toasts.warn(format!("{}: {lacks}", about.text.trim_end_matches('…')));
        }
        wanted.unwrap_or_default()
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
        // Larger and smaller are commands of ours, so that they are kept and can be taken back.
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        let (least, greatest) = Settings::SCALES;
        ctx.set_zoom_factor(self.view.settings.ui_scale.clamp(least, greatest));
        theme::set_motion(ctx, !self.view.settings.reduce_motion);
        self.panels.map.set_online(online(&self.view.settings, self.tile_cache.as_ref()));
        self.dressed = Some(self.view.settings.clone());
    }
}

/// The online map as the settings want it.
fn online(settings: &Settings, cache: Option<&(PathBuf, u64)>) -> Option<OnlineMap> {
    let view::OnlineMap { on, template, attribution } = &settings.online_map;
    on.then(|| OnlineMap {
        url: template.clone(),
        attribution: attribution.clone(),
        cache_dir: cache.map(|(dir, _)| dir.clone()),
        cache_bytes: cache.map_or(OnlineMap::default().cache_bytes, |(_, bytes)| *bytes),
        ..OnlineMap::default()
    })
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        if self.quit.load(Ordering::Relaxed) {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        self.look_at_sources(ctx);
        self.take_facts(ctx);
        self.take_answers();
        self.take_phones(ctx);
        self.take_imports();
        self.take_out();
        self.look_at_replay(ctx);
        self.take_dropped(ctx);
        if let Some(backend) = &self.backend
            && let Some(later) = self.paging.take(backend, &mut self.data)
        {
            ctx.request_repaint_after(later);
        }
        self.take_found();
        self.read_again(ctx);
        self.look_at_station();
        self.look_at_health(ctx);
        self.look_at_watch(ctx);
        self.look_at_charts(ctx);
        let now = self.now();
        self.view.time.end_at(self.source_ends(now));
        self.data.count(now);
        self.ask(ctx, now);
        self.look_at_past(ctx, now);
        self.look_at_talk(now);
        if self.demo.on_the_road(&self.data) {
            self.panels.map.bring_all();
        }
        if self.asks.waiting()
            || self.remote.waiting()
            || self.phones.waiting()
            || self.paging.waiting()
            || self.finding.waiting()
            || self.seeker.waiting()
            || self.watch.waiting()
            || self.shelf.waiting()
            || self.past.waiting()
            || self.talk.waiting()
            || self.out.waiting()
            || self.imports.waiting()
            || !self.hiding.is_empty()
            || self.sources.waiting()
        {
            ctx.request_repaint_after(POLL);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        self.dress(&ctx);
        self.take_given(&ctx);
        self.take_dropped_charts(&ctx);
        self.take_pasted(&ctx);
        let mut actions = Vec::new();
        for command in command::pressed(&ctx, self.typing, self.view.open.sheet.is_some()) {
            actions.extend(self.wanted_by(command));
        }
        let now = self.now();
        sources::strip(ui, &self.tabs(), &mut actions);
        let mut cx = Cx { data: &self.data, view: &self.view, now, actions: &mut actions };
        self.panels.ui(ui, &mut cx);
        for command in command::left_over(&ctx, self.typing, self.view.open.sheet.is_some()) {
            actions.extend(self.wanted_by(command));
        }
        self.toasts.ui(&ctx, self.panels.below_banners(), &mut actions);
        if self.data.loaded {
            self.milestones.usable();
        }
        self.typing = ctx.text_edit_focused();
        self.view.grab = None;
        // Told anew each frame while the pointer rests there: only a change is worth another frame.
        let told = actions.iter().rev().find_map(|action| match action {
            Action::HoverField(field) => Some(*field),
            _ => None,
        });
        actions.retain(|action| !matches!(action, Action::HoverField(_)));
        let hovered = told.flatten();
        if hovered != self.view.hovered_field {
            self.view.hovered_field = hovered;
            ctx.request_repaint();
        }
        if !actions.is_empty() {
            // What they change shows in the next frame.
            ctx.request_repaint();
        }
        self.apply_all(&ctx, actions);
        self.note_selection();
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        let Open { dock, devices, details, map, sheet: _ } = self.view.open;
        let (panels, time) = self.live_panels();
        let kept = Kept {
            settings: self.view.settings.clone(),
            devices: self.view.devices.clone(),
            charts: self.view.charts.clone(),
            open: KeptOpen { dock, devices, details, map },
            camera: panels.map.chosen_camera(),
            recent: self.panels.palette.recent.clone(),
            time: time::KeptTime::of(time),
            packets: self.view.packets.clone(),
        };
        eframe::set_value(storage, KEPT, &kept);
    }

    fn on_exit(&mut self) {
        self.replay.stop();
        self.stop_sources();
        if let Some(backend) = self.backend.take() {
            backend.stop(STOP_PATIENCE);
        }
    }
}
