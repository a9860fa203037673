//! Clicks and hovering: what is under the pointer, what a click on it asks for, and what there is to read about it.

use egui::{Pos2, Rect, Sense, Vec2};

use super::{
    MARKER_REACH, MAX_NAMED, MapPanel, Spread, TRAIL_REACH, TrailPoint, bubbles, camera::Screen, heaps, heaps::Heap,
    icons, lines::Spot, markers::InView, paint, spread, trail_of, trails, trails_from, words,
};
use crate::{
    geo::{
        LatLon,
        mercator::{World, WorldBox},
    },
    model::{DeviceId, HideReason},
    ui::{Action, Cx, format},
};

/// A heap that is still smaller than this after looking nearer is spread instead, in points.
const OPENED: f64 = 60.0;

/// Levels that a click on a heap looks nearer.
const OPEN_LEVELS: f64 = 3.0;

/// Beside a heap this far it is still meant, in points.
const HEAP_REACH: f32 = 4.0;

/// What is under the pointer.
enum Hit {
    Device(DeviceId),
    Heap(Heap),
    Point { device: DeviceId, point: TrailPoint, place: World },
}

/// The selected position as it was found last, and what it was found for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct KnownSpot {
    key: (DeviceId, i64, usize, bool),
    spot: Option<Spot>,
}

impl MapPanel {
    /// What is under the pointer; `None` while it is elsewhere.
    pub fn pointed(&self) -> Option<LatLon> {
        self.pointer
    }

    /// The selected position: on the opened packet, or on the device's trail.
    pub(super) fn spot(&mut self, cx: &Cx<'_>) -> Option<Spot> {
        let selection = cx.view.selection;
        let fix = selection.fix?;
        if let Some(told) = cx.data.opened.as_ref().and_then(|o| o.fixes.iter().find(|f| f.id == fix)) {
            return Some(Spot { place: World::from_lat_lon(told.fix.place), accuracy_m: told.fix.accuracy_m });
        }
        let device = selection.device?;
        let trail = trail_of(cx.data, device)?;
        let key = (device, fix, trail.points().len(), cx.data.shown.is_some());
        // A long trail is searched once, not once a frame.
        let known = self.known_spot.filter(|known| known.key == key);
        let spot = known.map_or_else(
            || {
                let (point, place) = trail.point_of(fix)?;
                Some(Spot { place, accuracy_m: point.accuracy_m.map(f64::from) })
            },
            |known| known.spot,
        );
        self.known_spot = Some(KnownSpot { key, spot });
        spot
    }

    /// Clicks and hovering.
    pub(super) fn point(
        &mut self,
        ui: &mut egui::Ui,
        screen: &Screen,
        seen: &InView,
        crowds: &[(Rect, WorldBox, String)],
        response: &egui::Response,
        cx: &mut Cx<'_>,
    ) {
        let over = response.contains_pointer().then(|| ui.input(|i| i.pointer.hover_pos())).flatten();
        let hover = response.hover_pos().or(over);
        let on_globe = |pos: Pos2| {
            let world = screen.world(pos);
            (0.0..=1.0).contains(&world.y).then(|| world.lat_lon())
        };
        self.pointer = hover.and_then(on_globe);
        self.context_menu(response, cx);
        if self.measure.is_some() {
            self.measure_here(ui, screen, seen, response, cx);
            return;
        }
        self.spots(ui, screen, seen, response, cx);
        self.crowds(ui, screen, seen, crowds, response);
        if response.secondary_clicked() {
            self.menu_point = None;
        }
        let Some(pointer) = hover else { return };
        let Some(hit) = self.hit(screen, seen, pointer, cx) else {
            if response.clicked() {
                self.spread = None;
            }
            return;
        };
        ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
        if response.secondary_clicked()
            && let Hit::Point { device, point, .. } = &hit
        {
            self.menu_point = Some((*device, point.fix));
        }
        if response.clicked() {
            match &hit {
                Hit::Device(device) => self.choose(*device, screen, true, cx),
                Hit::Heap(heap) => self.open(heap.bounds, screen),
                Hit::Point { device, point: TrailPoint { fix, packet, .. }, .. } => {
                    cx.actions.push(Action::SelectFix { device: *device, fix: *fix, packet: *packet });
                }
            }
        }
        if !response.dragged() && !egui::Popup::is_any_open(ui.ctx()) {
            self.explain(ui, screen, response, &hit, cx);
        }
    }

    /// Markers for screen readers and tests; what is clicked here is not clicked on the map.
    fn spots(&mut self, ui: &mut egui::Ui, screen: &Screen, seen: &InView, response: &egui::Response, cx: &mut Cx<'_>) {
        // Those that stand aside come last, and are few.
        let aside = seen.single.iter().rev().take_while(|m| m.shift != Vec2::ZERO);
        let named: Vec<_> = aside.chain(seen.single.iter().take(MAX_NAMED).filter(|m| m.shift == Vec2::ZERO)).collect();
        let mut chosen = None;
        for marker in named {
            let Some(device) = self.markers.get(marker.index) else { continue };
            let area = Rect::from_center_size(marker.pos(screen, &self.markers), Vec2::splat(2.0 * icons::RADIUS));
            if !screen.rect.contains_rect(area) {
                continue;
            }
            let spot = ui.interact(area, response.id.with(("device", device.device)), Sense::CLICK);
            let selected = cx.view.selection.device == Some(device.device);
            spot.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::Button, true, selected, format!("{} on the map", device.label))
            });
            ui.ctx().accesskit_node_builder(spot.id, |node| node.set_description(words::spoken(device, cx)));
            if spot.clicked() {
                chosen = Some(device.device);
            }
        }
        if let Some(device) = chosen {
            let by_pointer = ui.input(|i| i.pointer.any_click());
            self.choose(device, screen, by_pointer, cx);
        }
    }

    /// Heaps, and numbers of devices without names; named like markers.
    fn crowds(
        &mut self,
        ui: &mut egui::Ui,
        screen: &Screen,
        seen: &InView,
        crowds: &[(Rect, WorldBox, String)],
        response: &egui::Response,
    ) {
        let in_heaps: usize = seen.heaps.iter().map(|heap| heap.count).sum();
        ui.ctx().accesskit_node_builder(response.id, |node| {
            let devices = format::counted((seen.single.len() + in_heaps) as u64, "device", "devices");
            let heaps = format::counted(seen.heaps.len() as u64, "group", "groups");
            node.set_description(format!("{devices} in view, {in_heaps} of them in {heaps}"));
        });
        // The largest come first; one without a name can be clicked all the same.
        let heaps = seen.heaps.iter().take(MAX_NAMED).map(|heap| {
            let side = 2.0 * heaps::heap_radius(heap.count);
            (Rect::from_center_size(screen.pos(heap.middle), Vec2::splat(side)), heap.bounds, Err(heap))
        });
        let crowds = crowds.iter().map(|(area, bounds, name)| (*area, *bounds, Ok(name)));
        let mut opened = None;
        for (n, (area, bounds, what)) in heaps.chain(crowds).enumerate() {
            if !screen.rect.contains_rect(area) {
                continue;
            }
            let spot = ui.interact(area, response.id.with(("crowd", n)), Sense::CLICK);
            spot.widget_info(|| {
                let name = what
                    .map_or_else(|heap| format!("{} devices close together", heap.count), |name: &String| name.clone());
                egui::WidgetInfo::labeled(egui::Role::Button, true, name)
            });
            if let Err(heap) = what {
                ui.ctx().accesskit_node_builder(spot.id, |node| node.set_description(bubbles::mix(heap)));
            }
            if spot.hovered() {
                ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
            }
            if spot.clicked() {
                opened = Some(bounds);
            }
        }
        if let Some(bounds) = opened {
            self.open(bounds, screen);
            ui.ctx().request_repaint();
        }
    }

    /// Selects a device; where the pointer means several at once, it spreads them first.
    fn choose(&mut self, device: DeviceId, screen: &Screen, by_pointer: bool, cx: &mut Cx<'_>) {
        let is_spread = self.spread.as_ref().is_some_and(|s| s.devices.contains(&device));
        let stack = self.stack(device, screen, cx);
        self.settled |= by_pointer;
        if by_pointer && !is_spread && (2..=spread::MOST).contains(&stack.len()) {
            self.spread = Some(Spread { devices: stack, zoom: screen.zoom });
        } else {
            cx.actions.push(Action::SelectDevice(Some(device)));
        }
    }

    /// The devices that hide one another where this one stands.
    fn stack(&self, device: DeviceId, screen: &Screen, cx: &Cx<'_>) -> Vec<DeviceId> {
        let only = self.isolated(cx);
        let Some((_, place)) = self.markers.of(device) else { return Vec::new() };
        let mut stack = self.markers.within(WorldBox::around([place]).expanded(screen.units(spread::STACK)));
        stack.retain(|device| only.is_empty() || only.contains(device));
        stack
    }

    /// Looks nearer where that tells the devices of a part of the world apart, else spreads them.
    fn open(&mut self, bounds: WorldBox, screen: &Screen) {
        let nearer = screen.fitted(bounds, self.room(screen), screen.zoom + OPEN_LEVELS);
        let (width, height) = bounds.size();
        let size = width.max(height) / screen.units(1.0) * (nearer.zoom - screen.zoom).exp2();
        let devices = self.markers.within(bounds);
        self.settled = true;
        if size < OPENED && (2..=spread::MOST).contains(&devices.len()) {
            self.spread = Some(Spread { devices, zoom: screen.zoom });
        } else {
            self.camera = nearer;
        }
    }

    fn measure_here(
        &mut self,
        ui: &mut egui::Ui,
        screen: &Screen,
        seen: &InView,
        response: &egui::Response,
        cx: &Cx<'_>,
    ) {
        let pointer = response.hover_pos();
        // A device near the pointer is meant, not the place beside it.
        let snapped = pointer.and_then(|pos| {
            let near = seen.single.iter().map(|m| (m.pos(screen, &self.markers).distance(pos), m.index));
            near.filter(|(d, _)| *d <= MARKER_REACH).min_by(|a, b| a.0.total_cmp(&b.0))
        });
        let place = snapped.map(|(_, index)| self.markers.place(index).lat_lon()).or(self.pointer);
        let typing = ui.ctx().text_edit_focused();
        let Some(measure) = &mut self.measure else { return };
        if response.clicked()
            && let Some(place) = place
        {
            measure.click(place);
        }
        if !typing && ui.input_mut(|i| i.consume_key(egui::Modifiers::NONE, egui::Key::Backspace)) {
            measure.take_back();
        }
        if pointer.is_some() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::Crosshair);
        }
        let units = cx.view.settings.units;
        measure.paint(ui, screen, place.filter(|_| pointer.is_some()), units);
        self.measured = Some(measure.sentence(place.filter(|_| pointer.is_some()), units));
    }

    fn context_menu(&mut self, response: &egui::Response, cx: &mut Cx<'_>) {
        if response.secondary_clicked() {
            self.menu_at = self.pointer;
        }
        let Some(place) = self.menu_at else { return };
        let text = format::place(place);
        response.context_menu(|ui| {
            ui.label(crate::ui::widgets::weak(ui, &text));
            if let Some((device, fix)) = self.menu_point.filter(|_| !cx.data.station.viewer) {
                let hint = "It stays in the store; out of sight, out of trips and out of exports";
                if ui.button("Hide this point").on_hover_text(hint).clicked() {
                    cx.actions.push(Action::Hide { device, fixes: vec![fix], reason: Some(HideReason::Hand) });
                }
            }
            if ui.button("Copy the coordinates").clicked() {
                cx.actions.push(Action::Copy(text.clone(), "the coordinates"));
            }
            if ui.button("Measure from here").clicked() {
                let mut measure = super::Measure::default();
                measure.click(place);
                self.measure = Some(measure);
            }
            if ui.button("Centre the map here").clicked() {
                self.camera.center = place;
                self.settled = true;
                if cx.view.follow.is_some() {
                    cx.actions.push(Action::Follow(None));
                }
            }
        });
    }

    fn hit(&self, screen: &Screen, seen: &InView, pointer: Pos2, cx: &Cx<'_>) -> Option<Hit> {
        let distance = |world: World| screen.pos(world).distance(pointer);
        let near = seen.single.iter().map(|m| (m.pos(screen, &self.markers).distance(pointer), m));
        let near = near.filter(|(d, _)| *d <= MARKER_REACH);
        let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.rank.cmp(&b.1.rank)));
        // What stands aside stands above everything.
        let aside = nearest.is_some_and(|(_, m)| m.shift != Vec2::ZERO);
        let heap_within = |reach: f32| {
            let heap = seen.heaps.iter().find(|h| distance(h.middle) <= heaps::heap_radius(h.count) + reach);
            heap.map(|heap| Hit::Heap(heap.clone()))
        };
        if let Some(heap) = heap_within(0.0).filter(|_| !aside) {
            return Some(heap);
        }
        if let Some((_, marker)) = nearest {
            return self.markers.get(marker.index).map(|m| Hit::Device(m.device));
        }
        // Trails of those who are in it lead to its edge.
        if let Some(heap) = heap_within(HEAP_REACH) {
            return Some(heap);
        }
        let (place, reach) = (screen.world(pointer).wrapped(), screen.units(TRAIL_REACH));
        let only = self.isolated(cx);
        let from = trails_from(cx);
        let found = trails(cx, &self.markers, &only).filter_map(|(device, trail)| {
            let (point, place) = trail.nearest(place, reach).filter(|(p, _)| from.is_none_or(|from| from <= p.at))?;
            // Where trails cross, the selected one is meant.
            let other = cx.view.selection.device != Some(device);
            Some(((other, distance(place)), Hit::Point { device, point, place }))
        });
        found.min_by(|a, b| a.0.0.cmp(&b.0.0).then(a.0.1.total_cmp(&b.0.1))).map(|(_, hit)| hit)
    }

    fn explain(&self, ui: &egui::Ui, screen: &Screen, response: &egui::Response, hit: &Hit, cx: &Cx<'_>) {
        let lines = match hit {
            Hit::Device(device) => self.device_lines(*device, screen, cx),
            Hit::Heap(heap) => {
                let all = format!("{} devices", format::count(heap.count as u64));
                Some(vec![all, bubbles::mix(heap), "Click to look nearer".to_owned()])
            }
            Hit::Point { device, point, place } => {
                paint::ring(ui, screen, *place);
                let overview = cx.data.devices.get(device);
                overview.map(|o| words::point_lines(cx.data.name_of(o), point, cx))
            }
        };
        let Some(lines) = lines else { return };
        egui::Tooltip::always_open(ui.ctx().clone(), response.layer_id, response.id, egui::PopupAnchor::Pointer)
            .gap(14.0)
            .show(|ui| {
                for (number, line) in lines.iter().enumerate() {
                    let text = egui::RichText::new(line);
                    // Beside the edge of the window it would be broken into many lines.
                    ui.add(egui::Label::new(if number == 0 { text.strong() } else { text }).extend());
                }
            });
    }

    fn device_lines(&self, device: DeviceId, screen: &Screen, cx: &Cx<'_>) -> Option<Vec<String>> {
        let (marker, _) = self.markers.of(device)?;
        let shown = cx.data.shown.as_ref();
        let then = shown.and_then(|s| s.tracks.get(&device)?.points().get(s.moment(device)?.point));
        let mut lines = match then {
            Some(point) => words::point_lines(&marker.label, point, cx),
            None => words::device_lines(marker, cx.data.devices.get(&device)?, cx.now, cx.view.settings.units),
        };
        let others = self.stack(device, screen, cx).len().saturating_sub(1) as u64;
        let is_spread = self.spread.as_ref().is_some_and(|s| s.devices.contains(&device));
        if others > 0 && !is_spread {
            lines.push(format!(
                "On the same spot as {}: click to spread them",
                format::counted(others, "other", "others")
            ));
        }
        Some(lines)
    }
}
