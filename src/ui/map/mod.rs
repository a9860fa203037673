//! The map. The only folder that names walkers, which fetches and draws tiles; camera, gestures and everything above are ours.
//!
//! From the bottom up: sea, embedded map, online map if there is one, trails, accuracy, markers, labels, buttons. Nothing here
//! moves by itself, so a window that nobody touches and no device reports to is never painted.

mod aiming;
mod around;
pub mod basemap;
mod bubbles;
pub mod camera;
mod chart;
mod chart_style;
mod controls;
mod crowd;
mod fetch;
mod heaps;
pub mod icons;
mod in_view;
mod ink;
mod labels;
mod layers;
mod lines;
mod looks;
mod markers;
mod measure;
mod menu;
mod names;
pub mod online;
mod paint;
mod pen;
mod places;
mod pointing;
mod pulse;
mod ribbon;
mod rim;
mod rings;
mod scale;
mod shown;
mod spread;
mod stock;
pub mod style;
mod tile_cache;
mod tracks;
pub mod trail;
mod words;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use eframe::egui_wgpu;
use egui::Rect;

pub(in crate::ui) use self::places::colour_of as place_colour;
use self::{
    basemap::BaseMap,
    camera::{Camera, Screen},
    chart::ChartLayer,
    icons::Icons,
    lines::Tint,
    markers::{Choice, InView, Markers},
    measure::Measure,
    online::{Online, OnlineOptions},
    paint::Scene,
    pointing::KnownSpot,
    pulse::Pulses,
};
pub use self::{
    online::{OnlineOptions as OnlineMap, host as online_host},
    shown::{Moment, Shown},
    style::Colour,
    trail::{Doubt, Trail, TrailPoint},
};
use super::{Cx, Data, theme, view::Selection};
use crate::{
    charts::About,
    geo::{
        Bounds, LatLon,
        mercator::{World, WorldBox},
    },
    model::{DeviceId, Timestamp},
};

/// Zoom levels that a button or a double click goes.
const STEP: f64 = 1.0;

/// Room around what is fitted, in points.
const FIT_MARGIN: f32 = 56.0;

/// A single device is not looked at nearer than this: the embedded map has no streets to show.
const FIT_ZOOM: f64 = 12.0;
/// An online map has, while its server answers.
const FIT_ZOOM_ONLINE: f64 = 16.0;
/// So has a map file that goes as deep as this.
const STREET_ZOOM: u8 = 12;

/// Pointer distance within which a marker or a point of a trail is meant, in points.
const MARKER_REACH: f32 = 13.0;
const TRAIL_REACH: f32 = 9.0;

/// Markers that are named to screen readers and tests, the most important first.
const MAX_NAMED: usize = 150;

/// What the map is made with.
#[derive(Debug, Clone, Default)]
pub struct MapOptions {
    /// Where it looks first; `None` shows all devices once there are some.
    pub camera: Option<Camera>,
    /// The map from the network; `None` is none.
    pub online: Option<OnlineOptions>,
    /// Decode tiles where they are asked for, for tests that look at the picture.
    pub sync_tiles: bool,
}

/// The map, and where it looks.
#[expect(clippy::struct_excessive_bools, reason = "each is told apart from the others")]
pub struct MapPanel {
    camera: Camera,
    /// What the next frame is to show; fitting needs the size of the panel.
    goal: Option<Goal>,
    /// Somebody chose where to look. Until then the map keeps all devices in view by itself.
    settled: bool,
    /// All devices were shown once.
    fitted: bool,
    sync_tiles: bool,
    /// False where the window is not drawn with wgpu: then there is no embedded map.
    vector: bool,
    base: Option<BaseMap>,
    online_options: Option<OnlineOptions>,
    online: Option<Result<Online, online::Error>>,
    chart_options: Option<(PathBuf, About)>,
    chart: Option<ChartLayer>,
    /// The next goal is looked at from no farther than this.
    least_zoom: Option<f64>,
    memory: walkers::MapMemory,
    markers: Markers,
    icons: Option<Icons>,
    /// The map widget of the last frame, to know this frame's gestures before it is drawn.
    widget: Option<egui::Id>,
    /// The selection of the last frame, to see when it changes.
    seen: Selection,
    /// What of the map the last frame's buttons and the like covered.
    edges: Vec<Rect>,
    /// Places, and the pen that draws them.
    pub(in crate::ui) places: places::Places,
    /// What is under the pointer, and what the open menu is about.
    pointer: Option<LatLon>,
    menu_at: Option<LatLon>,
    /// The point of a track that the open menu is about, and whose it is.
    menu_point: Option<(DeviceId, i64)>,
    measure: Option<Measure>,
    /// What is measured, in words.
    measured: Option<String>,
    spread: Option<Spread>,
    pulses: Pulses,
    known_spot: Option<KnownSpot>,
    /// What is in view; `None` before the first frame.
    view: Option<WorldBox>,
    /// What of that nothing lies over.
    clear: Option<WorldBox>,
    /// What somebody else put over it.
    covered: Option<Rect>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Goal {
    All,
    Device(DeviceId),
    Places(WorldBox),
}

/// Devices that stand aside of one spot, until the user looks nearer or elsewhere.
struct Spread {
    devices: Vec<DeviceId>,
    zoom: f64,
}

/// Zoom levels that a spread survives.
const SPREAD_LEVELS: f64 = 0.5;

impl MapPanel {
    /// `render_state` is `CreationContext::wgpu_render_state`; without one the embedded map stays away.
    pub fn new(render_state: Option<&egui_wgpu::RenderState>, options: MapOptions) -> Self {
        if render_state.is_some() {
            walkers::install_renderer(render_state);
        }
        Self {
            camera: options.camera.unwrap_or_default(),
            goal: None,
            settled: options.camera.is_some(),
            fitted: false,
            sync_tiles: options.sync_tiles,
            vector: render_state.is_some(),
            base: None,
            online_options: options.online,
            online: None,
            chart_options: None,
            chart: None,
            least_zoom: None,
            memory: walkers::MapMemory::default(),
            markers: Markers::default(),
            icons: None,
            widget: None,
            seen: Selection::default(),
            edges: Vec::new(),
            places: places::Places::default(),
            pointer: None,
            menu_at: None,
            menu_point: None,
            measure: None,
            measured: None,
            spread: None,
            pulses: Pulses::default(),
            known_spot: None,
            view: None,
            clear: None,
            covered: None,
        }
    }

    /// A map of something else in the same window. What draws it is there already.
    #[must_use]
    pub fn another(&self) -> Self {
        let options = MapOptions { camera: None, online: None, sync_tiles: self.sync_tiles };
        Self { vector: self.vector, ..Self::new(None, options) }
    }

    /// What was in view in the last frame.
    pub fn in_view(&self) -> Option<WorldBox> {
        self.view
    }

    /// Begins to measure, or ends it.
    pub fn toggle_measure(&mut self) {
        self.measure = if self.measure.is_some() { None } else { Some(Measure::default()) };
        self.measured = None;
    }

    /// Ends what the map is in the middle of. False where it is in the middle of nothing.
    pub fn escape(&mut self) -> bool {
        let measuring = self.measure.take().is_some();
        self.measured = None;
        measuring || self.spread.take().is_some()
    }

    /// Where the map looks.
    pub fn camera(&self) -> Camera {
        self.camera
    }

    /// Where somebody chose to look, to be kept between runs; `None` while the map keeps all devices in view by itself.
    pub fn chosen_camera(&self) -> Option<Camera> {
        self.settled.then_some(self.camera)
    }

    /// Looks somewhere.
    pub fn set_camera(&mut self, camera: Camera) {
        (self.camera, self.goal, self.settled) = (camera, None, true);
    }

    /// Shows all devices from the next frame on.
    pub fn fit_all(&mut self) {
        (self.goal, self.settled) = (Some(Goal::All), true);
    }

    /// Shows all devices from the next frame on, without anybody having chosen to look there.
    pub fn bring_all(&mut self) {
        self.goal = Some(Goal::All);
    }

    /// Shows a device and its trail from the next frame on.
    pub fn fit_device(&mut self, device: DeviceId) {
        (self.goal, self.settled) = (Some(Goal::Device(device)), true);
    }

    /// True where something of this is in view, beside what lies over the map.
    pub(super) fn sees(&self, places: WorldBox) -> bool {
        self.clear.is_some_and(|view| places.touches(view))
    }

    /// Something lies over this part of the map: what is fitted keeps clear of it.
    pub fn cover(&mut self, rect: Option<Rect>) {
        self.covered = rect;
    }

    /// Shows a part of the world from the next frame on.
    pub fn fit_places(&mut self, places: Bounds) {
        let corners = [places.south_west(), places.north_east()].map(World::from_lat_lon);
        (self.goal, self.settled) = (Some(Goal::Places(WorldBox::around(corners))), true);
    }

    /// Shows a part of the world from the next frame on, no farther than this zoom: where a map file begins to have something.
    pub fn fit_chart(&mut self, places: Bounds, least_zoom: f64) {
        self.fit_places(places);
        self.least_zoom = Some(least_zoom);
    }

    /// Shows this map file above the embedded map, or none. The same again changes nothing.
    pub fn set_chart(&mut self, chart: Option<(&Path, &About)>) {
        let now = self.chart_options.as_ref().map(|(path, about)| (path.as_path(), about));
        if now != chart {
            self.chart_options = chart.map(|(path, about)| (path.to_owned(), about.clone()));
            self.chart = None;
        }
    }

    /// Shows a shape from the next frame on.
    pub fn fit_shape(&mut self, shape: &crate::geo::fence::Shape) {
        (self.goal, self.settled) = (Some(Goal::Places(places::bounds_of(shape))), true);
    }

    /// Zooms by so many levels, with the middle staying where it is; negative goes out.
    pub fn zoom_by(&mut self, levels: f64) {
        self.camera.zoom += levels;
        self.settled = true;
    }

    /// Chooses the map from the network; `None` goes back to the embedded one. The same again changes nothing.
    pub fn set_online(&mut self, options: Option<OnlineOptions>) {
        if self.online_options != options {
            (self.online_options, self.online) = (options, None);
        }
    }

    /// Fetches anew, without waiting until what failed is tried again by itself.
    pub fn reload_online(&mut self) {
        self.online = None;
    }

    /// Draws the map on all the room there is.
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let rect = ui.available_rect_before_wrap();
        if !rect.is_positive() {
            return;
        }
        match &cx.data.shown {
            Some(shown) => self.markers.replay(shown, cx.data),
            None => self.markers.renew(cx.data, &cx.view.devices, cx.now),
        }
        let before = self.camera;
        let by_itself = self.goal.is_none() && !self.settled && self.some_are_outside(rect);
        if by_itself {
            (self.goal, self.fitted) = (Some(Goal::All), true);
        }
        self.aim(ui, rect, cx);
        self.settled |= !by_itself && self.camera != before;
        let screen = Screen::new(rect, self.camera);
        self.camera = screen.camera();

        self.view = Some(screen.view(0.0));
        let clear = self.room(&screen);
        self.clear = Some(WorldBox { min: screen.world(clear.min), max: screen.world(clear.max) });
        self.spread = self.spread.take().filter(|s| (s.zoom - screen.zoom).abs() < SPREAD_LEVELS);

        let only = self.isolated(cx);
        let seen = self.markers.in_view(&screen, self.choice(cx, &only), cx.now);
        let (said, room) = paint::place_labels(ui, &screen, cx, &self.markers, &seen, &self.edges);
        let response = self.tiles(ui, &screen, &room);
        self.widget = Some(response.id);
        crate::ui::widgets::take_keyboard(ui, cx, crate::ui::view::Pane::Map, response.id);
        if cx.view.settings.map.dim {
            ui.painter().rect_filled(screen.rect, 0.0, controls::veil(ui));
        }

        if !self.icons.as_ref().is_some_and(|i| i.fit(ui)) {
            self.icons = None;
        }
        let spot = self.spot(cx);
        let lines: Vec<_> = trails(cx, &self.markers, &only).collect();
        let (tint, legend) = Tint::of(cx, &lines, cx.view.settings.map.trail.span(), moment(cx));
        let icons = self.icons.get_or_insert_with(|| Icons::new(ui, theme::palette(ui)));
        self.places.paint(ui, &screen, response.id, cx);
        let scene = Scene { screen: &screen, markers: &self.markers, lines: &lines, in_view: &seen, icons, tint, spot };
        let crowds: Vec<_> = said.more.iter().map(|more| (more.place, more.bounds, more.name())).collect();
        paint::all(ui, cx, &scene, said);
        self.pulse(ui, &screen, &seen, cx);

        if !self.places.writes() {
            self.point(ui, &screen, &seen, &crowds, &response, cx);
        }
        self.places.write(ui, &screen, &response, cx);
        if response.has_focus() {
            crate::ui::command::leaves_space(ui, response.id);
            let stroke = ui.visuals().selection.stroke;
            ui.painter().rect_stroke(screen.rect, 0.0, stroke, egui::StrokeKind::Inside);
        }
        self.edges(ui, &screen, legend.as_ref(), cx);
    }

    /// The devices that are shown while all others are left out; none: nobody is.
    fn isolated(&self, cx: &Cx<'_>) -> Vec<DeviceId> {
        cx.view.isolated().filter(|device| self.markers.of(*device).is_some()).collect()
    }

    fn choice<'a>(&'a self, cx: &Cx<'_>, only: &'a [DeviceId]) -> Choice<'a> {
        let style = cx.view.settings.map;
        Choice {
            selected: cx.view.selection.device,
            only,
            hide_lost: style.hide_lost && cx.data.shown.is_none(),
            gather: style.gather,
            spread: self.spread.as_ref().map_or(&[], |s| s.devices.as_slice()),
        }
    }

    /// The pulses of new fixes.
    fn pulse(&mut self, ui: &egui::Ui, screen: &Screen, seen: &InView, cx: &Cx<'_>) {
        let fresh = self.markers.take_fresh();
        let settings = &cx.view.settings;
        if settings.reduce_motion || !settings.map.pulse || cx.data.shown.is_some() {
            return self.pulses.end();
        }
        let time = ui.input(|i| i.time);
        let markers = &self.markers;
        let single: HashSet<usize> = seen.single.iter().filter(|_| !fresh.is_empty()).map(|m| m.index).collect();
        let is_single = |device: &DeviceId| markers.index_of(*device).is_some_and(|index| single.contains(&index));
        self.pulses.begin(fresh.into_iter().filter(is_single), time);
        let painter = ui.painter().with_clip_rect(screen.rect);
        self.pulses.paint(&painter, screen, markers, theme::palette(ui).accent, time);
    }
}

/// The moment that ages on the map are measured from.
fn moment(cx: &Cx<'_>) -> Timestamp {
    let Some(shown) = &cx.data.shown else { return cx.view.source_now(cx.now) };
    let ends = || shown.tracks.values().filter_map(|t| t.points().last()).map(|p| p.at).max();
    shown.at.or_else(ends).unwrap_or(cx.now)
}

/// From when on live trails are drawn; `None` where all of them are.
fn trails_from(cx: &Cx<'_>) -> Option<Timestamp> {
    let span = cx.view.settings.map.trail.span().filter(|_| cx.data.shown.is_none())?;
    cx.view.source_now(cx.now).checked_sub(span).ok()
}

/// The trails that are drawn: those of the part of history that is shown, or else the live ones of what is on the map.
fn trails<'a>(cx: &Cx<'a>, markers: &'a Markers, only: &'a [DeviceId]) -> impl Iterator<Item = (DeviceId, &'a Trail)> {
    let data = cx.data;
    let wanted = data.shown.is_none() && cx.view.settings.map.trail.span().is_some();
    let then = data.shown.iter().flat_map(|s| s.tracks.iter().map(|(device, track)| (*device, track.as_ref())));
    let live = data.trails.iter().filter(move |_| wanted).map(|(device, trail)| (*device, trail));
    let live = live.filter(|(device, _)| markers.of(*device).is_some());
    then.chain(live).filter(|(device, _)| only.is_empty() || only.contains(device))
}

/// The trail of a device that is drawn.
fn trail_of(data: &Data, device: DeviceId) -> Option<&Trail> {
    match &data.shown {
        Some(shown) => shown.tracks.get(&device).map(std::convert::AsRef::as_ref),
        None => data.trails.get(&device),
    }
}
