//! The sheet of maps: the embedded one, the online one, and the files that the user has opened; one of them is shown above the embedded map.

use std::path::{Path, PathBuf};

use egui::{Align, Context, Frame, Label, Layout, Margin, RichText, Role, Stroke, TextEdit, Ui, WidgetInfo};

use super::export::dialog::Browse;
use crate::{
    charts::{About, Kind, plain},
    geo::Bounds,
    model::bytes_text,
    ui::{
        Action, Cx,
        charts::State,
        icons::Icon,
        map::online_host,
        theme,
        view::{OnlineMap, Settings, Sheet},
        widgets,
    },
};

/// The sheet and what is being typed in it.
#[derive(Default)]
pub(in crate::ui) struct Maps {
    path: String,
    browse: Browse,
}

impl Maps {
    /// Opens the system's file dialog. Where there is none the path field remains.
    pub(in crate::ui) fn browse(&mut self, ctx: Context) {
        self.browse.pick(ctx, "Open a map file", Path::new(""), Some(("Maps", &["pmtiles", "mbtiles"])));
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(600.0);
        if let Some(path) = self.browse.picked(ui.input(|i| i.time)) {
            self.path = path.display().to_string();
            cx.ask(Action::OpenChart(path));
        }
        let intro = "One of these lies above the built-in map, which needs no network and is always there.";
        ui.add(Label::new(widgets::weak(ui, intro)).wrap());
        ui.add_space(theme::GAP);
        built_in(ui, cx);
        online(ui, cx);
        for path in cx.view.charts.known.clone() {
            file(ui, cx, &path);
        }
        ui.add_space(theme::GAP);
        self.open(ui, cx);
        ui.add_space(theme::GAP);
        if ui.button("Close").clicked() {
            cx.ask(Action::Sheet(None));
        }
    }

    fn open(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if self.browse.button(ui) {
                    cx.ask(Action::BrowseChart);
                }
                let typed = !self.path.trim().is_empty();
                let open = ui.add_enabled(typed, widgets::primary(ui, Some(Icon::Folder), "Open")).clicked();
                let hint = "A PMTiles or MBTiles file; or drop one on the window";
                let field = TextEdit::singleline(&mut self.path).hint_text(hint).desired_width(f32::INFINITY);
                let field = ui.add(field);
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Map file"));
                let enter = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
                if open || enter && typed {
                    cx.ask(Action::OpenChart(PathBuf::from(self.path.trim())));
                }
            });
        });
        let p = theme::palette(ui);
        if let Some(why) = &cx.data.chart_trouble {
            ui.add(Label::new(RichText::new(why).color(p.alarm)).wrap());
        }
        self.browse.note(ui);
    }
}

/// A map with a choice, its lines and what can be done with it. True when it was chosen.
fn card(ui: &mut Ui, chosen: bool, name: &str, more: impl FnOnce(&mut Ui), tools: impl FnOnce(&mut Ui)) -> bool {
    let p = theme::palette(ui);
    let mut clicked = false;
    let edge = if chosen { Stroke::new(1.5, p.accent) } else { Stroke::new(1.0, p.line) };
    Frame::new().stroke(edge).corner_radius(6).inner_margin(Margin::symmetric(10, 7)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                tools(ui);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let radio = ui.radio(chosen, "");
                    radio.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, name));
                    clicked = radio.clicked();
                    let label = Label::new(widgets::strong(ui, name)).truncate().sense(egui::Sense::click());
                    clicked |= ui.add(label).clicked();
                });
            });
        });
        ui.indent("more", more);
    });
    clicked && !chosen
}

fn line(ui: &mut Ui, text: impl Into<String>) {
    let text = widgets::weak(ui, text).small();
    ui.add(Label::new(text).wrap());
}

fn built_in(ui: &mut Ui, cx: &mut Cx<'_>) {
    let chosen = cx.view.charts.shown.is_none() && !cx.view.settings.online_map.on;
    let more = |ui: &mut Ui| {
        line(ui, "Land, waters, borders and towns of the whole world, without streets · zooms 0 to 5, enlarged beyond");
        line(ui, "Natural Earth, © GeoNames");
    };
    if card(ui, chosen, "Built-in map only", more, |_| ()) {
        cx.ask(Action::ShowChart(None));
        cx.ask(Action::SetSettings(with_online(cx, false)));
    }
}

fn with_online(cx: &Cx<'_>, on: bool) -> Settings {
    let settings = &cx.view.settings;
    Settings { online_map: OnlineMap { on, ..settings.online_map.clone() }, ..settings.clone() }
}

fn online(ui: &mut Ui, cx: &mut Cx<'_>) {
    let map = cx.view.settings.online_map.clone();
    let mut settings = false;
    let more = |ui: &mut Ui| {
        line(ui, format!("Tiles of {}, which learns which places you look at", online_host(&map.template)));
        line(ui, map.attribution.clone());
    };
    let tools =
        |ui: &mut Ui| settings = ui.button("Address…").on_hover_text("Address and credit, in the settings").clicked();
    if card(ui, map.on, "Online map", more, tools) {
        cx.ask(Action::ShowChart(None));
        cx.ask(Action::SetSettings(with_online(cx, true)));
    }
    if settings {
        cx.ask(Action::Sheet(Some(Sheet::Settings)));
    }
}

fn file(ui: &mut Ui, cx: &mut Cx<'_>, path: &Path) {
    let state = cx.data.charts.get(path).cloned().unwrap_or(State::Reading);
    let chosen = cx.view.charts.shown.as_deref() == Some(path) && !cx.view.settings.online_map.on;
    let (name, bounds) = match &state {
        State::Known(about) => (about.name.clone(), about.bounds),
        State::Reading | State::Failed(_) => {
            (path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(), None)
        }
    };
    let p = theme::palette(ui);
    let more = |ui: &mut Ui| match &state {
        State::Reading => line(ui, "Being looked into …"),
        State::Failed(why) => drop(ui.add(Label::new(RichText::new(why).small().color(p.alarm)).wrap())),
        State::Known(about) => {
            line(ui, summary(about));
            if let Some(plainly) = plainly(about) {
                line(ui, plainly);
            }
            if !about.attribution.is_empty() {
                line(ui, &about.attribution);
            }
            let place = widgets::weak(ui, path.display().to_string()).small();
            ui.add(Label::new(place).truncate()).on_hover_text(path.display().to_string());
        }
    };
    let (mut remove, mut fit) = (false, false);
    let tools = |ui: &mut Ui| {
        remove = widgets::icon_button(ui, Icon::Close, &format!("Remove {name} from this list")).clicked();
        if bounds.is_some() {
            fit = widgets::icon_button(ui, Icon::Fit, &format!("Look at {name}")).clicked();
        }
    };
    let shown = card(ui, chosen, &name, more, tools);
    if fit {
        cx.ask(Action::FitChart(path.to_owned()));
        cx.ask(Action::Sheet(None));
    } else if shown {
        cx.ask(Action::ShowChart(Some(path.to_owned())));
    }
    if remove {
        cx.ask(Action::RemoveChart(path.to_owned()));
    }
}

/// `MBTiles, vector · zooms 0 to 14 · 50.7 to 51.0 N, 4.2 to 4.6 E · 12.3 MB`.
fn summary(about: &About) -> String {
    let kind = match about.kind {
        Kind::Raster => "pictures",
        Kind::Vector => "vector",
    };
    let bounds = about.bounds.map_or_else(|| "the world, or not told".to_owned(), bounds_text);
    format!(
        "{}, {kind} · zooms {} to {} · {bounds} · {}",
        about.format.title(),
        about.min_zoom,
        about.max_zoom,
        bytes_text(about.bytes)
    )
}

/// Layers that are named where a file has some that are not known.
const MOST_LAYERS: usize = 8;

/// What of a file is drawn plainly, and why; `None` where nothing is.
fn plainly(about: &About) -> Option<String> {
    let foreign = about.foreign_layers();
    if foreign.is_empty() || about.kind == Kind::Raster {
        return None;
    }
    let what = if about.is_foreign() {
        "Drawn plainly: its layers are"
    } else {
        "Some of it is drawn plainly: these layers are"
    };
    let names = foreign.iter().take(MOST_LAYERS).map(|name| plain(name)).collect::<Vec<_>>().join(", ");
    let more = match foreign.len().saturating_sub(MOST_LAYERS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("{what} none of OpenMapTiles, Protomaps or Shortbread ({names}{more})"))
}

fn bounds_text(bounds: Bounds) -> String {
    let (a, b) = (bounds.south_west(), bounds.north_east());
    let range = |from: f64, to: f64, positive: &str, negative: &str| {
        let one = |deg: f64| format!("{:.2}° {}", deg.abs(), if deg < 0.0 { negative } else { positive });
        format!("{} to {}", one(from), one(to))
    };
    format!("{}, {}", range(a.lat_deg(), b.lat_deg(), "N", "S"), range(a.lon_deg(), b.lon_deg(), "E", "W"))
}
