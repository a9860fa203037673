//! The time bar across the window, between map and packets: which span, which instant, and what was told meanwhile.

mod calendar;
mod controls;
mod scale;
mod strip;
mod trips;

use egui::{Frame, Margin, Panel, Ui, vec2};

use crate::ui::{
    Cx, theme,
    time::{Act, Axis, Bar},
};

/// Height of the strip chart with its scale.
const STRIP: f32 = 74.0;
/// Height of the line that is left when the bar is collapsed.
const THIN: f32 = 20.0;

/// The bar and what only it knows.
#[derive(Default)]
pub(super) struct TimeBar {
    strip: strip::StripChart,
    trips: trips::Trips,
    /// The list of trips was open in the last frame.
    listed: bool,
}

impl TimeBar {
    /// Takes its room at the bottom of what is left.
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let p = theme::palette(ui);
        let frame = Frame::new().fill(p.panel).inner_margin(Margin { left: 12, right: 12, top: 4, bottom: 2 });
        // Before anything has a place, there is no past to look at, and what helps to connect needs the room.
        let nothing = cx.data.devices.values().all(|device| device.positions == 0);
        match cx.view.time.bar {
            _ if nothing => {}
            Bar::Hidden => {}
            Bar::Thin => {
                Panel::bottom("time-line").frame(frame).resizable(false).exact_size(THIN + 12.0).show(ui, |ui| {
                    controls::thin(ui, cx, |ui, cx| self.strip.thin(ui, cx));
                });
            }
            Bar::Open => {
                Panel::bottom("time-bar").frame(frame).resizable(false).exact_size(STRIP + 40.0).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 3.0;
                    controls::row(ui, cx);
                    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), STRIP), egui::Sense::hover());
                    self.strip.ui(ui, cx, rect);
                });
            }
        }
        calendar::ui(ui, cx);
    }

    /// What the list of trips covered of the map in the last frame.
    pub(super) fn covers(&self, cx: &Cx<'_>) -> Option<egui::Rect> {
        self.trips.covers.filter(|_| cx.view.time.trips)
    }

    /// What lies over the map: the list of trips.
    pub(super) fn over_map(&mut self, ui: &Ui, cx: &mut Cx<'_>, map: egui::Rect) {
        let before = std::mem::replace(&mut self.listed, cx.view.time.trips);
        if cx.view.time.trips {
            if !before {
                self.trips.open();
            }
            self.trips.ui(ui, cx, map);
        }
    }
}

/// The span along a line of the window, rest folded away where a replay skips it.
fn axis(cx: &Cx<'_>, rect: egui::Rect) -> Axis {
    let (from, to) = cx.view.span_ms(cx.now);
    let folds: &[(i64, i64)] = if cx.view.time.folds() { &cx.data.history.rests } else { &[] };
    Axis::new(from, to, rect.left(), rect.right(), folds)
}

fn push(cx: &mut Cx<'_>, act: Act) {
    cx.ask(crate::ui::Action::Time(act));
}
