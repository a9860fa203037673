//! The sheet of places: those that are there, those that phones told, and everything about one.

use std::collections::BTreeSet;

use egui::{Button, Checkbox, DragValue, RichText, Role, ScrollArea, Sense, Stroke, TextEdit, Ui, WidgetInfo, vec2};

use crate::{
    geo::fence::Shape,
    model::{
        DeviceId, DeviceState,
        watch::{Colour, Place, PlaceId, PlaceSpec},
    },
    ui::{
        Action, Cx, Data, format,
        icons::Icon,
        map::place_colour,
        theme,
        view::Units,
        watch::{Draw, WatchAction},
        widgets,
    },
};

/// Devices that are offered to choose from; the filter finds the others.
const OFFERED: usize = 60;

/// A place smaller than this is hardly ever entered for sure, in metres: phones know where they are to some tens of metres.
const SMALL_M: f64 = 50.0;

/// The sheet, and the place that is being changed in it.
#[derive(Default)]
pub(in crate::ui) struct Places {
    form: Option<Form>,
    asked_waypoints: bool,
}

/// A place in the hand.
struct Form {
    id: Option<PlaceId>,
    spec: PlaceSpec,
    /// What finds devices to choose.
    filter: String,
    focus: bool,
}

impl Places {
    /// A new place of this shape.
    pub(in crate::ui) fn begin(&mut self, shape: Shape, data: &Data) {
        let n = data.watch.set_up.places.len();
        let mut spec = PlaceSpec::new(format!("Place {}", n + 1), shape);
        spec.colour = Colour::CHOICE.get(n % Colour::CHOICE.len()).copied().unwrap_or(Colour::CHOICE[0]);
        self.form = Some(Form { id: None, spec, filter: String::new(), focus: true });
    }

    /// Everything about this place.
    pub(in crate::ui) fn edit(&mut self, place: &Place) {
        self.form = Some(Form { id: Some(place.id), spec: place.spec.clone(), filter: String::new(), focus: true });
    }

    /// Nothing is in the hand any more.
    pub(in crate::ui) fn close(&mut self) {
        self.form = None;
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(560.0);
        if let Some(form) = &mut self.form {
            if form.ui(ui, cx) {
                self.form = None;
                ui.ctx().request_repaint();
            }
            return;
        }
        if !std::mem::replace(&mut self.asked_waypoints, true) {
            cx.ask(Action::Watch(WatchAction::AskWaypoints));
        }
        Self::list(ui, cx);
        ui.add_space(theme::GAP);
        ui.add_enabled_ui(!cx.data.station.viewer, |ui| {
            ui.horizontal(|ui| {
                for (draw, text) in [(Draw::Circle, "Draw a circle"), (Draw::Polygon, "Draw a polygon")] {
                    if ui.add(widgets::labelled(Icon::Plus, text)).clicked() {
                        cx.ask(Action::Watch(WatchAction::Draw(draw)));
                    }
                }
                let mut settings = cx.view.settings.clone();
                if ui.checkbox(&mut settings.show_places, "Show places on the map").changed() {
                    cx.ask(Action::SetSettings(settings));
                }
            });
        });
        waypoints(ui, cx);
    }

    fn list(ui: &mut Ui, cx: &mut Cx<'_>) {
        let places = &cx.data.watch.set_up.places;
        if places.is_empty() {
            ui.label(widgets::weak(
                ui,
                "No places yet. Draw one on the map: whoever enters or leaves it makes an event.",
            ));
            return;
        }
        for place in places {
            ui.horizontal(|ui| {
                swatch(ui, place.spec.colour, false, "");
                widgets::cell(ui, 170.0, |ui| {
                    let name = RichText::new(&place.spec.name).color(theme::palette(ui).strong);
                    ui.add(egui::Label::new(name).truncate());
                });
                widgets::cell(ui, 210.0, |ui| {
                    let text = widgets::weak(ui, about(&place.spec, cx.data, cx.view.settings.units));
                    ui.add(egui::Label::new(text).truncate());
                });
                let mine = !cx.data.station.viewer;
                for (icon, what, action, shown) in [
                    (Icon::Fit, "Show", WatchAction::Fit(place.id), true),
                    (Icon::Pencil, "Edit", WatchAction::Edit(place.id), mine),
                    (Icon::Close, "Remove", WatchAction::Remove(place.id), mine),
                ] {
                    let name = format!("{what} {}", place.spec.name);
                    if shown && widgets::icon_button(ui, icon, &name).clicked() {
                        cx.ask(Action::Watch(action));
                    }
                }
            });
        }
    }
}

/// Circles that phones told, each to be taken by one click.
fn waypoints(ui: &mut Ui, cx: &mut Cx<'_>) {
    let told = cx.data.watch.waypoints.as_deref().unwrap_or_default();
    let taken = |spec: &PlaceSpec| {
        cx.data.watch.set_up.places.iter().any(|place| place.spec.name == spec.name && place.spec.shape == spec.shape)
    };
    let left: Vec<_> = told.iter().filter(|waypoint| !taken(&waypoint.spec())).collect();
    if left.is_empty() || cx.data.station.viewer {
        return;
    }
    ui.add_space(theme::GAP);
    widgets::group_heading(ui, "Told by phones");
    for waypoint in left {
        ui.horizontal(|ui| {
            let whose = cx.data.label(waypoint.device);
            let radius = format::distance(waypoint.radius_m, cx.view.settings.units);
            widgets::cell(ui, 330.0, |ui| {
                let text = format!("{}, {radius} around, of {whose}", waypoint.name);
                ui.add(egui::Label::new(text).truncate());
            });
            if ui.add(widgets::labelled(Icon::Plus, &format!("Take {}", waypoint.name))).clicked() {
                cx.ask(Action::Watch(WatchAction::Put { id: None, since: None, spec: waypoint.spec() }));
            }
        });
    }
}

/// `100 m around, all devices`.
fn about(spec: &PlaceSpec, data: &Data, units: Units) -> String {
    let whom = match &spec.devices {
        None => "all devices".to_owned(),
        Some(chosen) => match chosen.iter().next() {
            Some(only) if chosen.len() == 1 => data.label(*only).to_owned(),
            _ => format::counted(chosen.len() as u64, "device", "devices"),
        },
    };
    format!("{}, {whom}", size(&spec.shape, units))
}

fn size(shape: &Shape, units: Units) -> String {
    match shape {
        Shape::Circle { radius_m, .. } => format!("{} around", format::distance(*radius_m, units)),
        Shape::Polygon { .. } => format::area(shape.area_m2(), units),
    }
}

/// A colour to look at, or to choose.
fn swatch(ui: &mut Ui, colour: Colour, chosen: bool, name: &str) -> bool {
    let side = ui.spacing().interact_size.y - 4.0;
    let sense = if name.is_empty() { Sense::hover() } else { Sense::click() };
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), sense);
    if !name.is_empty() {
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, name));
    }
    let p = theme::palette(ui);
    ui.painter().rect_filled(rect.shrink(3.0), 3.0, place_colour(colour));
    if chosen {
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.6, p.accent), egui::StrokeKind::Inside);
    }
    widgets::focus_frame(ui, &response);
    if name.is_empty() { false } else { response.on_hover_text(name).clicked() }
}

impl Form {
    /// True when it is over.
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
        ui.horizontal(|ui| {
            let label = ui.label("Name");
            let name = ui.add(TextEdit::singleline(&mut self.spec.name).desired_width(260.0)).labelled_by(label.id);
            if std::mem::take(&mut self.focus) {
                name.request_focus();
            }
        });
        ui.horizontal(|ui| {
            ui.label("Colour");
            for (colour, name) in Colour::CHOICE.into_iter().zip(Colour::NAMES) {
                if swatch(ui, colour, self.spec.colour == colour, name) {
                    self.spec.colour = colour;
                }
            }
        });
        self.outline(ui, cx);
        ui.add_space(theme::GAP);
        widgets::group_heading(ui, "Events");
        ui.checkbox(&mut self.spec.enter, "A device comes in");
        ui.checkbox(&mut self.spec.leave, "A device goes out");
        ui.horizontal(|ui| {
            let mut dwells = self.spec.dwell_min.is_some();
            if ui.checkbox(&mut dwells, "A device stays longer than").changed() {
                self.spec.dwell_min = dwells.then_some(30);
            }
            if let Some(minutes) = &mut self.spec.dwell_min {
                let value = ui.add(DragValue::new(minutes).range(1..=525_600).suffix(" min"));
                value.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, "Minutes"));
            }
        });
        ui.add_space(theme::GAP);
        self.devices(ui, cx);
        ui.add_space(theme::MARGIN);
        self.end(ui, cx)
    }

    fn outline(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let units = cx.view.settings.units;
        ui.horizontal(|ui| {
            if let Shape::Circle { radius_m, .. } = &mut self.spec.shape {
                let label = ui.label("Radius");
                let (unit, of_one) = format::height_unit(units);
                let range = (Shape::LEAST_RADIUS_M / of_one).ceil()..=(Shape::MOST_RADIUS_M / of_one).floor();
                let mut shown = (*radius_m / of_one).round();
                let value = DragValue::new(&mut shown).range(range).speed(1.0).max_decimals(0);
                // What nobody touched stays as it was, however the units round it.
                if ui.add(value.suffix(format!(" {unit}"))).labelled_by(label.id).changed() {
                    *radius_m = shown * of_one;
                }
            }
            ui.label(widgets::weak(ui, size(&self.spec.shape, units)));
            if let Some(id) = self.id
                && ui.button("Change on the map").clicked()
            {
                cx.ask(Action::Watch(WatchAction::Reshape(id)));
            }
        });
        if matches!(self.spec.shape, Shape::Circle { radius_m, .. } if radius_m < SMALL_M) {
            ui.label(widgets::weak(
                ui,
                "So small a place is often missed: a fix counts only where all of its accuracy lies on one side of the border.",
            ));
        }
    }

    fn devices(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        widgets::group_heading(ui, "Devices");
        ui.horizontal(|ui| {
            if ui.radio(self.spec.devices.is_none(), "All, those to come too").clicked() {
                self.spec.devices = None;
            }
            if ui.radio(self.spec.devices.is_some(), "Only these").clicked() && self.spec.devices.is_none() {
                self.spec.devices = Some(cx.view.selection.device.into_iter().collect());
            }
        });
        let Some(chosen) = &mut self.spec.devices else { return };
        let adopted = || cx.data.in_state(DeviceState::Adopted);
        if adopted().nth(OFFERED / 4).is_some() {
            let filter = TextEdit::singleline(&mut self.filter).hint_text("Filter").desired_width(260.0);
            ui.add(filter).widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter devices of the place"));
        }
        let wanted = self.filter.trim().to_lowercase();
        ScrollArea::vertical().max_height(150.0).show(ui, |ui| {
            let fits = |id: DeviceId| chosen.contains(&id) || cx.data.label(id).to_lowercase().contains(&wanted);
            let offered: Vec<DeviceId> = adopted().map(|d| d.device.id).filter(|id| fits(*id)).take(OFFERED).collect();
            for id in offered {
                choose(ui, chosen, id, cx.data.label(id));
            }
        });
    }

    /// The buttons. True when it is over.
    fn end(&self, ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
        let fault = self.spec.fault();
        let mut over = false;
        ui.horizontal(|ui| {
            let enabled = fault.is_none() && !cx.data.station.viewer;
            let save = ui.add_enabled(enabled, widgets::primary(ui, None, "Save"));
            let enter = enabled && ui.input(|i| i.key_pressed(egui::Key::Enter)) && ui.ctx().text_edit_focused();
            if save.clicked() || enter {
                let (id, spec) = (self.id, self.spec.clone());
                cx.ask(Action::Watch(WatchAction::Put { id, since: None, spec }));
                over = true;
            }
            over |= ui.add(Button::new("Cancel")).clicked();
            if let Some(fault) = fault {
                ui.label(RichText::new(fault).color(theme::palette(ui).late));
            }
        });
        over
    }
}

fn choose(ui: &mut Ui, chosen: &mut BTreeSet<DeviceId>, id: DeviceId, name: &str) {
    let mut is = chosen.contains(&id);
    if ui.add(Checkbox::new(&mut is, name)).changed() {
        if is {
            chosen.insert(id);
        } else {
            chosen.remove(&id);
        }
    }
}
