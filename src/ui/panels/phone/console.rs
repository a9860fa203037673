//! What a phone can be told: queued, sent with the answer to its next message, and what came of it.

use egui::{Button, ComboBox, Label, RichText, TextEdit, TextStyle, Ui, WidgetInfo, accesskit::Role};
use serde_json::{Map, Value, json};

use super::{super::sheets, row};
use crate::{
    geo::LatLon,
    model::{DeviceId, DeviceOverview, PhoneCommand, Place},
    ui::{
        Action, Cx,
        icons::Icon,
        panels::commands::{receipts, sentence_case},
        theme, widgets,
    },
};

/// Receipts in the sheet.
const RECEIPTS: usize = 50;
/// Places of one command at most, here; more come from a file.
const MOST_PLACES: usize = 20;
/// How far back steps are asked for.
const STEPS_S: i64 = 24 * 3_600;

/// The sheet and what is being put together in it.
#[derive(Default)]
pub(in crate::ui::panels) struct Console {
    /// Whose command it is; another phone begins anew.
    device: Option<DeviceId>,
    what: What,
    places: Vec<Spot>,
    mode: Mode,
    /// Settings as JSON, where they are typed.
    settings: String,
    sure: bool,
}

/// A place while it is being typed.
#[derive(Default)]
struct Spot {
    name: String,
    lat: String,
    lon: String,
    radius: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum What {
    #[default]
    Locate,
    Status,
    Places,
    SetPlaces,
    ClearPlaces,
    Settings,
    Dump,
    Steps,
}

/// How eagerly the phone reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    Quiet,
    Manual,
    #[default]
    Significant,
    Move,
    Typed,
}

impl Mode {
    const ALL: [Self; 5] = [Self::Quiet, Self::Manual, Self::Significant, Self::Move, Self::Typed];

    fn title(self) -> &'static str {
        match self {
            Self::Quiet => "Quiet: report nothing",
            Self::Manual => "Manual: report when asked",
            Self::Significant => "Significant: report larger moves, spares the battery",
            Self::Move => "Move: report often",
            Self::Typed => "Other settings",
        }
    }

    fn monitoring(self) -> Option<i64> {
        match self {
            Self::Quiet => Some(-1),
            Self::Manual => Some(0),
            Self::Significant => Some(1),
            Self::Move => Some(2),
            Self::Typed => None,
        }
    }
}

impl What {
    const ALL: [Self; 8] = [
        Self::Locate,
        Self::Status,
        Self::Places,
        Self::SetPlaces,
        Self::ClearPlaces,
        Self::Settings,
        Self::Dump,
        Self::Steps,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Locate => "Ask where it is",
            Self::Status => "Ask about app and permissions",
            Self::Places => "Ask which places it watches",
            Self::SetPlaces => "Give it places to watch",
            Self::ClearPlaces => "Clear its places",
            Self::Settings => "Change how it reports",
            Self::Dump => "Ask for all settings (iPhone)",
            Self::Steps => "Ask for steps (iPhone)",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Locate => "It answers with a position. An iPhone must allow it in the app.",
            Self::Status => "What may keep it from reporting: permissions, battery saving, version.",
            Self::Places => "It sends the list; each place becomes an event.",
            Self::SetPlaces => "It tells when it enters or leaves them. An iPhone must allow remote configuration.",
            Self::ClearPlaces => "It forgets every place, also those set on the phone itself.",
            Self::Settings => "Only where the phone allows remote configuration; Android has that off.",
            Self::Dump => "The answer may hold passwords; it is kept like every packet.",
            Self::Steps => "Steps and floors of the last 24 hours.",
        }
    }
}

impl Console {
    pub(in crate::ui::panels) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.set_width(620.0);
        let data = cx.data;
        let Some(overview) = sheets::selected(ui, cx, "phone") else { return };
        let id = overview.device.id;
        if self.device != Some(id) {
            *self = Self { device: Some(id), ..Self::default() };
        }
        ui.label(widgets::strong(ui, data.name_of(overview)));
        let how = "A phone cannot be called. What you choose waits here and goes out with the answer to its next message, once.";
        ui.add(Label::new(widgets::weak(ui, how)).wrap());
        if data.phones.rows.get(&id).is_some_and(|row| row.has_key) {
            ui.label(widgets::weak(ui, "It has a key, so it is told only in answer to an encrypted message."));
        }
        ui.add_space(theme::GAP);
        ui.horizontal_wrapped(|ui| {
            for what in What::ALL {
                if ui.selectable_label(self.what == what, what.title()).clicked() {
                    self.what = what;
                    self.sure = false;
                }
            }
        });
        ui.add_space(2.0);
        ui.label(widgets::weak(ui, self.what.about()));
        self.parameters(ui, overview);
        let command = self.command(cx);
        ui.add_space(2.0);
        ui.horizontal(|ui| {
            let why_not = match &command {
                Err(why) => Some(why.as_str()),
                Ok(_) if data.station.viewer => Some("This window only looks on"),
                Ok(_) => None,
            };
            let queue = ui.add_enabled(why_not.is_none(), widgets::primary(ui, Some(Icon::Right), "Queue"));
            if queue.clicked()
                && let Ok(command) = &command
            {
                cx.ask(Action::SendPhoneCommand(id, command.clone()));
                self.sure = false;
            }
            match why_not {
                Some(why) => ui.label(RichText::new(why).color(theme::palette(ui).late)),
                None => ui.label(widgets::weak(ui, "It waits a week at most")),
            };
        });
        ui.add_space(theme::GAP);
        ui.separator();
        widgets::group_heading(ui, "Sent to this phone");
        if data.remote.commands.is_empty() {
            ui.label(widgets::weak(ui, "Nothing yet. Each leaves a receipt here: when, and what came back."));
        }
        receipts::list(ui, cx, data.remote.commands.iter().take(RECEIPTS));
    }

    fn parameters(&mut self, ui: &mut Ui, overview: &DeviceOverview) {
        match self.what {
            What::Locate | What::Status | What::Places | What::Dump | What::Steps => {}
            What::ClearPlaces => {
                ui.checkbox(&mut self.sure, "Yes, all of them");
            }
            What::SetPlaces => self.spots(ui, overview),
            What::Settings => {
                row(ui, "Mode", |ui| {
                    let combo = ComboBox::from_id_salt("mode").width(360.0).selected_text(self.mode.title());
                    let combo = combo.show_ui(ui, |ui| {
                        for mode in Mode::ALL {
                            ui.selectable_value(&mut self.mode, mode, mode.title());
                        }
                    });
                    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Mode"));
                });
                if self.mode == Mode::Typed {
                    row(ui, "Settings", |ui| {
                        let field =
                            TextEdit::singleline(&mut self.settings).hint_text(r#"{"moveModeLocatorInterval":30}"#);
                        let field = ui.add(field.font(TextStyle::Monospace).desired_width(f32::INFINITY));
                        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Settings as JSON"));
                    });
                }
            }
        }
    }

    fn spots(&mut self, ui: &mut Ui, overview: &DeviceOverview) {
        if self.places.is_empty() {
            self.places.push(Spot::default());
        }
        let mut gone = None;
        for (n, spot) in self.places.iter_mut().enumerate() {
            row(ui, if n == 0 { "Places" } else { "" }, |ui| {
                for (text, hint, width) in [
                    (&mut spot.name, "Home", 130.0),
                    (&mut spot.lat, "latitude", 90.0),
                    (&mut spot.lon, "longitude", 90.0),
                    (&mut spot.radius, "radius m", 70.0),
                ] {
                    let field =
                        ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(width - 10.0).char_limit(60));
                    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, format!("{hint} {}", n + 1)));
                }
                if widgets::icon_button(ui, Icon::Close, "Leave this place out").clicked() {
                    gone = Some(n);
                }
            });
        }
        if let Some(n) = gone {
            self.places.remove(n);
        }
        row(ui, "", |ui| {
            if ui.add_enabled(self.places.len() < MOST_PLACES, Button::new("One more")).clicked() {
                self.places.push(Spot::default());
            }
            let here = overview.last_fix.as_ref().map(|fix| fix.fix.place);
            let use_here = ui.add_enabled(here.is_some(), Button::new("Where it is now"));
            if use_here.clicked()
                && let (Some(here), Some(spot)) = (here, self.places.last_mut())
            {
                spot.lat = format!("{:.6}", here.lat_deg());
                spot.lon = format!("{:.6}", here.lon_deg());
            }
        });
    }

    /// The command as it stands, or what is missing.
    fn command(&self, cx: &Cx<'_>) -> Result<PhoneCommand, String> {
        Ok(match self.what {
            What::Locate => PhoneCommand::ReportLocation,
            What::Status => PhoneCommand::Status,
            What::Places => PhoneCommand::Waypoints,
            What::Dump => PhoneCommand::Dump,
            What::ClearPlaces if self.sure => PhoneCommand::ClearWaypoints,
            What::ClearPlaces => return Err("Say that you are sure".to_owned()),
            What::Steps => {
                let to_s = cx.now.as_second();
                PhoneCommand::ReportSteps { from_s: to_s - STEPS_S, to_s }
            }
            What::Settings => PhoneCommand::SetConfiguration(self.configuration()?),
            What::SetPlaces => {
                let first_s = cx.now.as_second();
                let places = (first_s..).zip(&self.places).map(|(key_s, spot)| spot.place(key_s));
                PhoneCommand::SetWaypoints(places.collect::<Result<_, _>>()?)
            }
        })
    }

    fn configuration(&self) -> Result<Map<String, Value>, String> {
        if let Some(monitoring) = self.mode.monitoring() {
            return Ok(Map::from_iter([("monitoring".to_owned(), json!(monitoring))]));
        }
        let command = PhoneCommand::parse(&format!("setConfiguration {}", self.settings.trim()));
        match command.map_err(|why| sentence_case(&why))? {
            PhoneCommand::SetConfiguration(settings) => Ok(settings),
            other => Err(format!("{} is not a setting", other.action())),
        }
    }
}

impl Spot {
    fn place(&self, key_s: i64) -> Result<Place, String> {
        let name = self.name.trim();
        if name.is_empty() {
            return Err("Give each place a name".to_owned());
        }
        let number = |text: &str| text.trim().replace(',', ".").parse::<f64>().ok().filter(|n| n.is_finite());
        let place = number(&self.lat).zip(number(&self.lon)).and_then(|(lat, lon)| LatLon::new(lat, lon));
        let Some(place) = place else { return Err(format!("Where is {name}? Latitude and longitude in degrees")) };
        let radius_m = match self.radius.trim() {
            "" => 100.0,
            text => number(text).filter(|m| *m > 0.0).ok_or_else(|| format!("The radius of {name} is in metres"))?,
        };
        Ok(Place { name: name.to_owned(), lat_deg: place.lat_deg(), lon_deg: place.lon_deg(), radius_m, key_s })
    }
}
