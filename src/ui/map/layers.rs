//! What lies below everything else: sea, embedded map, the user's map file, the map from the network.

use egui::{DragPanButtons, Rect, Sense};

use super::{
    MapPanel, basemap::BaseMap, camera::Screen, chart::ChartLayer, labels::Room, names::Names, online::Online,
};
use crate::charts::Kind;

impl MapPanel {
    /// `room` has everything in it that stands on the map.
    pub(super) fn tiles(&mut self, ui: &mut egui::Ui, screen: &Screen, room: &Room) -> egui::Response {
        self.layers(ui);
        let ctx = ui.ctx().clone();
        if let Some(Ok(online)) = &mut self.online {
            online.begin(ui.input(|i| i.time));
        }
        if let Some(chart) = &mut self.chart {
            chart.begin(ui.theme());
        }
        ui.allocate_rect(screen.rect, Sense::hover());
        if let Some(base) = &self.base {
            ui.painter().rect_filled(screen.rect, 0.0, base.sea());
        }
        for (index, (copy, part)) in screen.copies().enumerate() {
            self.world(ui, index, &copy, part, room);
        }
        let response = ui.interact(screen.rect, ui.scope_id().with("map"), Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, "Map"));
        if let Some(Ok(online)) = &self.online {
            online.end(&ctx);
        }
        if let Some(chart) = &self.chart {
            chart.end(&ctx);
        }
        response
    }

    /// Makes the layers that are wanted and not there yet.
    fn layers(&mut self, ui: &egui::Ui) {
        let ctx = ui.ctx();
        let sync = self.sync_tiles;
        let base = self.base.get_or_insert_with(|| if sync { BaseMap::sync() } else { BaseMap::new(ctx.clone()) });
        base.set_theme(ui.theme());
        if let Some(options) = &self.online_options {
            self.online.get_or_insert_with(|| Online::new(options.clone(), ctx.clone()));
        }
        if let Some((path, about)) = &self.chart_options {
            self.chart.get_or_insert_with(|| ChartLayer::new(path, about.clone(), ctx, sync));
        }
    }

    /// One world of those that are side by side, in its part of the screen.
    fn world(&mut self, ui: &mut egui::Ui, index: usize, copy: &Screen, part: Rect, room: &Room) {
        let ctx = ui.ctx().clone();
        let online = self.online.as_mut().and_then(|o| o.as_mut().ok());
        let vector = |chart: &&mut ChartLayer| self.vector || chart.about().kind == Kind::Raster;
        let mut chart = self.chart.as_mut().filter(vector);
        let mut hidden = self.edges.clone();
        if part != copy.rect {
            // A name is not cut where one world meets the next.
            hidden.extend([Rect::everything_left_of(part.left()), Rect::everything_right_of(part.right())]);
        }
        hidden.extend(online.iter().flat_map(|online| online.covered(copy)));
        if let Some(chart) = &mut chart {
            // Its names stand where no online map lies above it, and those of the map below where it does not.
            chart.set_names(Names::new(ctx.clone(), *copy, hidden.clone(), room.clone()));
            hidden.extend(chart.covered(copy));
        }
        let Some(base) = &mut self.base else { return };
        base.set_names(Names::new(ctx, *copy, hidden, room.clone()));

        // In numbers, not on the globe: the middle of a world's part may be anywhere on it.
        let center = copy.world(part.center()).lat_lon();
        let center = walkers::lat_lon(center.lat_deg(), center.lon_deg());
        self.memory.center_at(center);
        // The screen keeps the zoom within what the widget takes, or the widget draws another zoom than we do.
        self.memory.set_zoom(copy.zoom.max(0.0)).ok();
        let mut map = walkers::Map::new(None, &mut self.memory, center);
        // Gestures are ours: the widget's depend on the frame rate, and its inertia paints on.
        map = map.zoom_gesture(false).panning(false).drag_pan_buttons(DragPanButtons::empty());
        if self.vector {
            map = map.with_layer(base, 1.0);
        }
        if let Some(chart) = chart {
            map = map.with_layer(chart, 1.0);
        }
        if let Some(online) = online {
            map = map.with_layer(online, 1.0);
        }
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(part).id_salt(("world", index)));
        // It takes part in nothing: pointer and keyboard are the whole map's.
        inside.visuals_mut().disabled_alpha = 1.0;
        inside.disable();
        map.show(&mut inside, |_, _, _, _| ());
    }
}
