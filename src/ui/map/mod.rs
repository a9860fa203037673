//! The map. The only folder that names walkers, which fetches and draws tiles; camera, gestures and everything above are ours.
//!
//! From the bottom up: sea, embedded map, online map if there is one, trails, accuracy, markers, labels, buttons. Nothing here
//! moves by itself, so a window that nobody touches and no device reports to is never painted.

pub mod basemap;
pub mod camera;
mod controls;
mod fetch;
mod heaps;
pub mod icons;
mod labels;
mod markers;
mod names;
pub mod online;
mod paint;
pub mod pmtiles;
mod shown;
mod tracks;
pub mod trail;

use eframe::egui_wgpu;
use egui::{DragPanButtons, Pos2, Rect, Sense, Vec2};

use self::{
    basemap::BaseMap,
    camera::{Camera, Screen},
    controls::Click,
    heaps::Heap,
    icons::Icons,
    labels::Room,
    markers::{InView, Markers},
    names::Names,
    online::{Online, OnlineOptions},
    paint::Scene,
};
pub use self::{
    online::OnlineOptions as OnlineMap,
    shown::{Moment, Shown},
    trail::{Doubt, Trail, TrailPoint},
};
use super::{Action, Cx, Data, theme, view::Selection};
use crate::{
    geo::{
        Bounds,
        mercator::{World, WorldBox},
    },
    model::DeviceId,
};

/// Zoom levels that a button or a double click goes.
const STEP: f64 = 1.0;

/// Points of wheel for one zoom level: a notch is about half of one.
const WHEEL_POINTS: f64 = 90.0;

/// Points that an arrow key moves the map.
const KEY_STEP: f32 = 80.0;

/// Room around what is fitted, in points.
const FIT_MARGIN: f32 = 56.0;

/// While the map keeps all devices in view, one nearer to the edge than this is out of it, in points: buttons lie there.
const KEPT_MARGIN: f32 = 40.0;

/// A single device is not looked at nearer than this: the embedded map has no streets to show.
const FIT_ZOOM: f64 = 12.0;
/// An online map has, while its server answers.
const FIT_ZOOM_ONLINE: f64 = 16.0;

/// Pointer distance within which a marker or a point of a trail is meant, in points.
const MARKER_REACH: f32 = 13.0;
const TRAIL_REACH: f32 = 9.0;

/// A selected device nearer to the edge than this counts as out of view, in points.
const EDGE: f32 = 12.0;

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
    memory: walkers::MapMemory,
    markers: Markers,
    icons: Option<Icons>,
    /// The map widget of the last frame, to know this frame's gestures before it is drawn.
    widget: Option<egui::Id>,
    /// The selection of the last frame, to see when it changes.
    seen: Selection,
    /// What of the map the last frame's buttons and the like covered.
    edges: Vec<Rect>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Goal {
    All,
    Device(DeviceId),
    Places(WorldBox),
}

/// What is under the pointer.
enum Hit {
    Device(DeviceId),
    Heap(Heap),
    Point { device: DeviceId, point: TrailPoint, place: World },
}

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
            memory: walkers::MapMemory::default(),
            markers: Markers::default(),
            icons: None,
            widget: None,
            seen: Selection::default(),
            edges: Vec::new(),
        }
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

    /// Shows a part of the world from the next frame on.
    pub fn fit_places(&mut self, places: Bounds) {
        let corners = [places.south_west(), places.north_east()].map(World::from_lat_lon);
        (self.goal, self.settled) = (Some(Goal::Places(WorldBox::around(corners))), true);
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
            None => self.markers.renew(cx.data, cx.now),
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

        let shown = self.markers.shown(&screen, cx.view.selection.device, cx.now);
        let (labels, room) = paint::place_labels(ui, &screen, cx.data, &self.markers, &shown, &self.edges);
        let response = self.tiles(ui, &screen, room);
        self.widget = Some(response.id);
        crate::ui::widgets::take_keyboard(ui, cx, crate::ui::view::Pane::Map, response.id);

        if !self.icons.as_ref().is_some_and(|i| i.fit(ui)) {
            self.icons = None;
        }
        let icons = self.icons.get_or_insert_with(|| Icons::new(ui, theme::palette(ui)));
        let lines: Vec<_> = trails(cx.data, &self.markers).collect();
        let scene = Scene { screen: &screen, markers: &self.markers, lines: &lines, in_view: &shown, icons };
        paint::all(ui, cx, &scene, labels);

        self.point(ui, &screen, &shown, &response, cx);
        if response.has_focus() {
            let stroke = ui.visuals().selection.stroke;
            ui.painter().rect_stroke(screen.rect, 0.0, stroke, egui::StrokeKind::Inside);
        }
        self.edges(ui, &screen, cx);
    }

    /// Moves the camera: by goals, by the selection, by following, by the user's hand.
    fn aim(&mut self, ui: &mut egui::Ui, rect: Rect, cx: &mut Cx<'_>) {
        let screen = Screen::new(rect, self.camera);
        if let Some(bounds) = self.goal.take().and_then(|goal| self.bounds(goal, cx)) {
            let streets = self.online.as_ref().is_some_and(|o| o.as_ref().is_ok_and(Online::works));
            let max_zoom = if streets { FIT_ZOOM_ONLINE } else { FIT_ZOOM };
            self.camera = screen.fitted(bounds, self.room(&screen), max_zoom);
        }
        let before = std::mem::replace(&mut self.seen, cx.view.selection);
        let selected = cx.view.selection;
        let place = if selected.fix.is_some() && selected.fix != before.fix {
            paint::selected_fix(cx)
        } else if selected.device != before.device {
            selected.device.and_then(|d| self.markers.of(d)).map(|(_, place)| place)
        } else {
            None
        };
        if let Some(place) = place.filter(|p| !Screen::new(rect, self.camera).view(-EDGE).contains(*p)) {
            self.camera.center = place.lat_lon();
        }
        let followed = cx.view.follow.and_then(|d| self.markers.of(d)).map(|(_, place)| place);
        if let Some(place) = followed {
            self.camera.center = place.lat_lon();
        }
        self.gestures(ui, rect, followed.is_some(), cx);
    }

    fn gestures(&mut self, ui: &mut egui::Ui, rect: Rect, following: bool, cx: &mut Cx<'_>) {
        let Some(widget) = self.widget.and_then(|id| ui.ctx().read_response(id)) else { return };
        if widget.dragged() && widget.drag_delta() != Vec2::ZERO {
            self.camera = Screen::new(rect, self.camera).panned(widget.drag_delta());
            if cx.view.follow.is_some() {
                cx.actions.push(Action::Follow(None));
            }
        }
        if widget.clicked() {
            widget.request_focus();
        }
        self.keys(ui, rect, widget.id, cx);
        if !widget.contains_pointer() {
            return;
        }
        let (scroll, pinch, pointer) =
            ui.input(|i| (i.smooth_scroll_delta.y, i.zoom_delta(), i.pointer.hover_pos().unwrap_or(rect.center())));
        let mut levels = f64::from(scroll) / WHEEL_POINTS + f64::from(pinch).log2();
        if widget.double_clicked() && self.markers_are_far_from(&Screen::new(rect, self.camera), pointer) {
            levels += STEP;
        }
        if levels != 0.0 {
            // What is followed stays in the middle.
            let fixed = if following { rect.center() } else { pointer };
            self.camera = Screen::new(rect, self.camera).zoomed(levels, fixed);
            // Nothing around the map scrolls as well.
            ui.input_mut(|i| i.smooth_scroll_delta = Vec2::ZERO);
        }
    }

    /// Arrow keys move the map while it has the keyboard: a click or the tabulator gives it.
    fn keys(&mut self, ui: &mut egui::Ui, rect: Rect, widget: egui::Id, cx: &mut Cx<'_>) {
        if !ui.memory(|m| m.has_focus(widget)) {
            return;
        }
        let filter = egui::EventFilter { vertical_arrows: true, horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(widget, filter));
        let drag = ui.input_mut(|i| {
            let mut pressed = |key| f32::from(u8::from(i.consume_key(egui::Modifiers::NONE, key)));
            let x = pressed(egui::Key::ArrowLeft) - pressed(egui::Key::ArrowRight);
            KEY_STEP * Vec2::new(x, pressed(egui::Key::ArrowUp) - pressed(egui::Key::ArrowDown))
        });
        if drag != Vec2::ZERO {
            self.camera = Screen::new(rect, self.camera).panned(drag);
            if cx.view.follow.is_some() {
                cx.actions.push(Action::Follow(None));
            }
        }
    }

    fn some_are_outside(&self, rect: Rect) -> bool {
        let screen = Screen::new(rect, self.camera);
        let kept = screen.room(KEPT_MARGIN, &self.edges);
        let view = WorldBox { min: screen.world(kept.min), max: screen.world(kept.max) };
        self.markers.bounds().is_some_and(|all| !self.fitted || !view.contains(all.min) || !view.contains(all.max))
    }

    /// Where devices are fitted into: beside the scale and the buttons, with room for a marker.
    fn room(&self, screen: &Screen) -> Rect {
        let edges: Vec<_> = self.edges.iter().map(|edge| edge.expand(MARKER_REACH)).collect();
        screen.room(FIT_MARGIN, &edges)
    }

    fn markers_are_far_from(&self, screen: &Screen, pointer: Pos2) -> bool {
        self.markers.nearest(screen.world(pointer), screen.units(MARKER_REACH)).is_none()
    }

    fn bounds(&self, goal: Goal, cx: &Cx<'_>) -> Option<WorldBox> {
        match goal {
            Goal::Places(places) => Some(places),
            Goal::All => match &cx.data.shown {
                Some(shown) => shown.bounds(),
                None => self.markers.bounds(),
            },
            Goal::Device(device) => {
                let trail = trail_of(cx.data, device);
                let trail = trail.map_or(WorldBox::EMPTY, |t| WorldBox::around(t.line().points().iter().copied()));
                let place = self.markers.of(device).map_or(WorldBox::EMPTY, |(_, place)| WorldBox::around([place]));
                Some(trail.union(place)).filter(|b| !b.is_empty())
            }
        }
    }

    /// `room` has everything in it that stands on the map.
    fn tiles(&mut self, ui: &mut egui::Ui, screen: &Screen, room: Room) -> egui::Response {
        let base = self
            .base
            .get_or_insert_with(|| if self.sync_tiles { BaseMap::sync() } else { BaseMap::new(ui.ctx().clone()) });
        let ctx = ui.ctx();
        let options = self.online_options.as_ref();
        let online = options.map(|o| self.online.get_or_insert_with(|| Online::new(o.clone(), ctx.clone())));
        let mut online = online.and_then(|o| o.as_mut().ok());
        let mut hidden = self.edges.clone();
        if let Some(online) = &mut online {
            online.begin(ui.input(|i| i.time));
            hidden.extend(online.covered(screen));
        }
        base.set_theme(ui.theme());
        base.set_names(Names::new(ctx.clone(), *screen, hidden, room));
        ui.painter().rect_filled(screen.rect, 0.0, base.sea());

        let center = screen.camera().center;
        let center = walkers::lat_lon(center.lat_deg(), center.lon_deg());
        self.memory.center_at(center);
        // The screen keeps the zoom within what the widget takes, or the widget draws another zoom than we do.
        self.memory.set_zoom(screen.zoom.max(0.0)).ok();
        let mut map = walkers::Map::new(None, &mut self.memory, center);
        // Gestures are ours: the widget's depend on the frame rate, and its inertia paints on.
        map = map.zoom_gesture(false).panning(false).drag_pan_buttons(DragPanButtons::empty());
        if self.vector {
            map = map.with_layer(base, 1.0);
        }
        if let Some(online) = online.as_deref_mut() {
            map = map.with_layer(online, 1.0);
        }
        let response = map.show(ui, |_, _, _, _| ()).response;
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, "Map"));
        if let Some(online) = online {
            online.end(ui.ctx());
        }
        response
    }

    /// Clicks and hovering.
    fn point(
        &mut self,
        ui: &mut egui::Ui,
        screen: &Screen,
        shown: &InView,
        response: &egui::Response,
        cx: &mut Cx<'_>,
    ) {
        // For screen readers and tests; what is clicked here is not clicked on the map.
        for marker in shown.single.iter().take(MAX_NAMED) {
            let Some(device) = self.markers.get(marker.index) else { continue };
            let pos = screen.pos(self.markers.place(marker.index));
            let area = Rect::from_center_size(pos, Vec2::splat(2.0 * icons::RADIUS));
            if !screen.rect.contains_rect(area) {
                continue;
            }
            let spot = ui.interact(area, response.id.with(("device", device.device)), Sense::CLICK);
            let selected = cx.view.selection.device == Some(device.device);
            spot.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::Button, true, selected, format!("{} on the map", device.label))
            });
            if spot.clicked() {
                cx.actions.push(Action::SelectDevice(Some(device.device)));
            }
        }
        let Some(pointer) =
            response.hover_pos().or(ui.input(|i| i.pointer.hover_pos()).filter(|_| response.contains_pointer()))
        else {
            return;
        };
        let Some(hit) = self.hit(screen, shown, pointer, cx) else { return };
        ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
        if response.clicked() {
            match &hit {
                Hit::Device(device) => cx.actions.push(Action::SelectDevice(Some(*device))),
                Hit::Heap(heap) => self.camera = screen.fitted(heap.bounds, self.room(screen), screen.zoom + 3.0),
                Hit::Point { device, point: TrailPoint { fix, packet, .. }, .. } => {
                    cx.actions.push(Action::SelectFix { device: *device, fix: *fix, packet: *packet });
                }
            }
        }
        if !response.dragged() {
            self.explain(ui, screen, response, &hit, cx);
        }
    }

    fn hit(&self, screen: &Screen, shown: &InView, pointer: Pos2, cx: &Cx<'_>) -> Option<Hit> {
        let distance = |world: World| screen.pos(world).distance(pointer);
        if let Some(heap) = shown.heaps.iter().find(|h| distance(h.middle) <= heaps::heap_radius(h.count)) {
            return Some(Hit::Heap(heap.clone()));
        }
        let near = shown.single.iter().map(|m| (distance(self.markers.place(m.index)), m.rank, m.index));
        let nearest = near.filter(|(d, ..)| *d <= MARKER_REACH).min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        if let Some((_, _, index)) = nearest {
            return self.markers.get(index).map(|m| Hit::Device(m.device));
        }
        let (place, reach) = (screen.world(pointer), screen.units(TRAIL_REACH));
        let found = trails(cx.data, &self.markers).filter_map(|(device, trail)| {
            let (point, place) = trail.nearest(place, reach)?;
            // Where trails cross, the selected one is meant.
            let other = cx.view.selection.device != Some(device);
            Some(((other, distance(place)), Hit::Point { device, point, place }))
        });
        found.min_by(|a, b| a.0.0.cmp(&b.0.0).then(a.0.1.total_cmp(&b.0.1))).map(|(_, hit)| hit)
    }

    fn explain(&self, ui: &egui::Ui, screen: &Screen, response: &egui::Response, hit: &Hit, cx: &Cx<'_>) {
        let units = cx.view.settings.units;
        let lines = match hit {
            Hit::Device(device) => {
                let marker = self.markers.of(*device).map(|(m, _)| m);
                let then =
                    cx.data.shown.as_ref().and_then(|s| s.tracks.get(device)?.points().get(s.moment(*device)?.point));
                let overview = cx.data.devices.get(device);
                match then {
                    Some(point) => marker.map(|m| paint::point_lines(&m.label, point, cx.now, units)),
                    None => marker.zip(overview).map(|(m, overview)| paint::device_lines(m, overview, cx.now, units)),
                }
            }
            Hit::Heap(heap) => Some(vec![format!("{} devices", heap.count), "Click to look nearer".to_owned()]),
            Hit::Point { device, point, place } => {
                paint::ring(ui, screen, *place);
                let overview = cx.data.devices.get(device);
                overview.map(|o| paint::point_lines(o.device.label(), point, cx.now, units))
            }
        };
        let Some(lines) = lines else { return };
        egui::Tooltip::always_open(ui.ctx().clone(), response.layer_id, response.id, egui::PopupAnchor::Pointer)
            .gap(14.0)
            .show(|ui| {
                for (number, line) in lines.iter().enumerate() {
                    let text = egui::RichText::new(line);
                    ui.label(if number == 0 { text.strong() } else { text });
                }
            });
    }

    fn edges(&mut self, ui: &mut egui::Ui, screen: &Screen, cx: &mut Cx<'_>) {
        let problem = self.online.as_ref().and_then(|o| match o {
            Ok(online) => online.problem(),
            Err(error) => Some(error.to_string()),
        });
        let online = self.online.as_ref().and_then(|o| o.as_ref().ok());
        let mut credits: Vec<(&str, &str)> = online.map(Online::credit).into_iter().collect();
        if self.vector {
            credits.extend(basemap::CREDITS);
        }
        let (click, edges) = controls::show(
            ui,
            &controls::State {
                screen,
                units: cx.view.settings.units,
                following: cx.view.follow.is_some(),
                can_follow: cx.view.selection.device.is_some_and(|d| self.markers.of(d).is_some()),
                credits: &credits,
                about: basemap::CREDITS_TEXT,
                online: self.online_options.is_some(),
                problem: problem.as_deref(),
            },
        );
        if self.edges != edges {
            // Labels and names make room in the next frame.
            self.edges = edges;
            ui.ctx().request_repaint();
        }
        match click {
            None => return,
            Some(Click::ZoomIn) => self.zoom_by(STEP),
            Some(Click::ZoomOut) => self.zoom_by(-STEP),
            Some(Click::FitAll) => cx.actions.push(Action::FitAll),
            Some(Click::Follow) => {
                let follow = if cx.view.follow.is_some() { None } else { cx.view.selection.device };
                cx.actions.push(Action::Follow(follow));
            }
            Some(Click::Reload) => self.reload_online(),
        }
        // What was clicked shows in the next frame.
        ui.ctx().request_repaint();
    }
}

/// The trails that are drawn: those of the part of history that is shown, or else the live ones of what is on the map.
fn trails<'a>(data: &'a Data, markers: &'a Markers) -> impl Iterator<Item = (DeviceId, &'a Trail)> {
    let then = data.shown.iter().flat_map(|s| s.tracks.iter().map(|(device, track)| (*device, track.as_ref())));
    let live = data.trails.iter().filter(|_| data.shown.is_none()).map(|(device, trail)| (*device, trail));
    then.chain(live.filter(|(device, _)| markers.of(*device).is_some()))
}

/// The trail of a device that is drawn.
fn trail_of(data: &Data, device: DeviceId) -> Option<&Trail> {
    match &data.shown {
        Some(shown) => shown.tracks.get(&device).map(std::convert::AsRef::as_ref),
        None => data.trails.get(&device),
    }
}
