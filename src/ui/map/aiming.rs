//! Where the map looks: by goals, by the selection, by following, by the user's hand.

use egui::{Pos2, Rect, Vec2};

use super::{
    FIT_MARGIN, FIT_ZOOM, FIT_ZOOM_ONLINE, Goal, MARKER_REACH, MapPanel, Online, STEP, camera::Screen, trail_of,
};
use crate::{
    geo::mercator::{World, WorldBox},
    ui::{Action, Cx},
};

/// Points of wheel for one zoom level: a notch is about half of one.
const WHEEL_POINTS: f64 = 90.0;

/// Points that an arrow key moves the map.
const KEY_STEP: f32 = 80.0;

/// While the map keeps all devices in view, one nearer to the edge than this is out of it, in points: buttons lie there.
const KEPT_MARGIN: f32 = 40.0;

/// On a low or narrow map the margin is no more than one part of so many of it.
const LEAST_FITTED: f32 = 8.0;

/// Less room than this beside what covers the map is none, in points.
const LEAST_ROOM: f32 = 90.0;

/// A selected device nearer to the edge than this counts as out of view, in points.
const EDGE: f32 = 12.0;

impl MapPanel {
    /// Moves the camera: by goals, by the selection, by following, by the user's hand.
    pub(super) fn aim(&mut self, ui: &mut egui::Ui, rect: Rect, cx: &mut Cx<'_>) {
        let screen = Screen::new(rect, self.camera);
        if let Some(bounds) = self.goal.take().and_then(|goal| self.bounds(goal, cx)) {
            let streets = self.online.as_ref().is_some_and(|o| o.as_ref().is_ok_and(Online::works));
            let streets = streets || self.chart.as_ref().is_some_and(|c| c.about().max_zoom >= super::STREET_ZOOM);
            let max_zoom = if streets { FIT_ZOOM_ONLINE } else { FIT_ZOOM };
            self.camera = screen.fitted(bounds, self.room(&screen), max_zoom);
            self.camera.zoom = self.camera.zoom.max(self.least_zoom.take().unwrap_or(0.0));
        }
        let before = std::mem::replace(&mut self.seen, cx.view.selection);
        let selected = cx.view.selection;
        let place = if selected.fix.is_some() && selected.fix != before.fix {
            self.spot(cx).map(|spot| spot.place)
        } else if selected.device != before.device {
            selected.device.and_then(|d| self.markers.of(d)).map(|(_, place)| place)
        } else {
            None
        };
        if let Some(place) = place.filter(|p| !rect.shrink(EDGE).contains(Screen::new(rect, self.camera).pos(*p))) {
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
        if widget.dragged() && widget.drag_delta() != Vec2::ZERO && !self.places.holds_drag() {
            self.camera = Screen::new(rect, self.camera).panned(widget.drag_delta());
            if cx.view.follow.is_some() {
                cx.actions.push(Action::Follow(None));
            }
        }
        if widget.clicked() {
            widget.request_focus();
            // Nobody who points at something wants the map to go elsewhere for it.
            self.settled |= self.fitted;
        }
        self.keys(ui, rect, widget.id, cx);
        if !widget.contains_pointer() {
            return;
        }
        let (scroll, pinch, pointer) =
            ui.input(|i| (i.smooth_scroll_delta.y, i.zoom_delta(), i.pointer.hover_pos().unwrap_or(rect.center())));
        let mut levels = f64::from(scroll) / WHEEL_POINTS + f64::from(pinch).log2();
        if widget.double_clicked()
            && self.measure.is_none()
            && !self.places.writes()
            && self.markers_are_far_from(&Screen::new(rect, self.camera), pointer)
        {
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

    pub(super) fn some_are_outside(&self, rect: Rect) -> bool {
        let screen = Screen::new(rect, self.camera);
        let kept = screen.room(KEPT_MARGIN, &self.edges);
        let view = WorldBox { min: screen.world(kept.min), max: screen.world(kept.max) };
        self.markers.bounds().is_some_and(|all| !self.fitted || !view.holds(all))
    }

    /// Where devices are fitted into: beside the scale and the buttons, with room for a marker.
    pub(super) fn room(&self, screen: &Screen) -> Rect {
        let margin = FIT_MARGIN.min(screen.rect.size().min_elem() / LEAST_FITTED);
        let beside = |covered: Option<Rect>| {
            let edges: Vec<_> = self.edges.iter().copied().chain(covered).map(|e| e.expand(MARKER_REACH)).collect();
            screen.room(margin, &edges)
        };
        // Beside what leaves a small map next to no room, everything would be looked at from far out.
        let room = beside(self.covered);
        if room.size().min_elem() < LEAST_ROOM { beside(None) } else { room }
    }

    fn markers_are_far_from(&self, screen: &Screen, pointer: Pos2) -> bool {
        self.markers.nearest(screen.world(pointer).wrapped(), screen.units(MARKER_REACH)).is_none()
    }

    fn bounds(&self, goal: Goal, cx: &Cx<'_>) -> Option<WorldBox> {
        match goal {
            Goal::Places(places) => Some(places),
            Goal::All => match (self.isolated(cx).as_slice(), &cx.data.shown) {
                ([], Some(shown)) => shown.bounds(),
                ([], None) => self.markers.bounds(),
                (only, _) => {
                    let each = only.iter().filter_map(|device| self.bounds(Goal::Device(*device), cx));
                    each.reduce(WorldBox::union)
                }
            },
            Goal::Device(device) => {
                let trail = trail_of(cx.data, device);
                let trail = trail.map_or(WorldBox::EMPTY, |t| WorldBox::around(t.line().points().iter().copied()));
                let beside = |place: World| if trail.is_empty() { place } else { place.near(trail.center()) };
                let place = self.markers.of(device).map(|(_, place)| WorldBox::around([beside(place)]));
                let place = place.unwrap_or(WorldBox::EMPTY);
                Some(trail.union(place)).filter(|b| !b.is_empty())
            }
        }
    }
}
