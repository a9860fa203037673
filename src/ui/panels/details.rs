//! The details at the right: everything that is known of the selected device, now or at the selected packet.

use std::borrow::Cow;

use egui::{Align, Key, Label, Layout, RichText, Role, ScrollArea, Sense, TextEdit, TextStyle, Ui, WidgetInfo};
use serde_json::Value;

use super::{
    commands::receipts,
    look::LookEditor,
    phone::access::generic_advice,
    profile::{self, clock},
};
use crate::{
    model::{
        Device, DeviceId, DeviceOverview, DeviceState, HideReason, PacketId, Protocol, Readings, StoredEvent,
        StoredFix, Trust, reading, watch::Kind,
    },
    track::{Aside, How},
    ui::{
        Action, Cx, format,
        icons::Icon,
        lamps::{self, Lamp},
        map::Doubt,
        notices, theme,
        time::Act,
        view::{Pane, Units},
        widgets,
    },
};

/// Commands whose receipts are listed; the rest stands in their sheet.
const COMMANDS: usize = 3;
/// Events that are listed.
const EVENTS: usize = 20;
/// Packets of a device that are looked at for the rule of its identity.
const LOOK_BACK: usize = 8;
/// A speed below this is standing still: its course says nothing.
const STANDING_KMH: f64 = 1.0;

/// The pane and what is being typed in it.
#[derive(Default)]
pub(in crate::ui) struct Details {
    /// The device whose name is being edited, and the text.
    renaming: Option<(DeviceId, String)>,
    all_readings: bool,
    look: LookEditor,
}

impl Details {
    /// Its name can be typed anew.
    pub(in crate::ui) fn begin_rename(&mut self, device: &Device) {
        self.renaming = Some((device.id, device.name.clone().unwrap_or_default()));
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let selected = cx.view.selection.device.and_then(|id| cx.data.devices.get(&id));
        keyboard(ui, cx, selected);
        ScrollArea::vertical().id_salt(("details", cx.view.selection.device)).auto_shrink(false).show(ui, |ui| {
            egui::Frame::new().inner_margin(theme::MARGIN).show(ui, |ui| match selected {
                Some(overview) => self.device(ui, cx, overview),
                None => nothing_selected(ui, cx),
            });
        });
    }

    fn device(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
        let health = cx.data.health(overview, cx.now);
        self.head(ui, cx, overview, &health);
        ui.add_space(theme::GAP);
        locked(ui, cx, overview);
        match overview.device.state {
            DeviceState::New => decision(ui, cx, overview),
            DeviceState::Ignored => {
                ui.label(widgets::weak(ui, "Ignored: it is answered, and kept out of sight."));
                if ui.add(widgets::primary(ui, Some(Icon::Plus), "Adopt")).clicked() {
                    cx.ask(Action::Adopt(overview.device.id));
                }
            }
            DeviceState::Adopted => {
                buttons(ui, cx, overview);
                match overview.device.protocol {
                    Protocol::Gt06 => tracker_buttons(ui, cx, overview.device.id),
                    Protocol::OwnTracks => phone_buttons(ui, cx, overview.device.id),
                }
            }
        }
        clock::advice(ui, cx, overview);
        section(ui);
        ui.horizontal_wrapped(|ui| {
            lamp(ui, &health.link, &health.rule());
            ui.add_space(theme::GAP);
            lamp(ui, &health.fix, &health.rule());
        });
        // At the selected point, else at the last one.
        let picked = picked_fix(cx, overview.device.id).or_else(|| fix_then(cx, overview.device.id));
        let fix = picked.map(Cow::Borrowed).or_else(|| overview.last_fix.as_ref().map(Cow::Borrowed));
        section(ui);
        if let Some(picked) = picked {
            as_of(ui, cx, picked);
        }
        match &fix {
            Some(fix) => position(ui, cx, fix),
            None => {
                ui.label(widgets::weak(ui, "No position yet"));
            }
        }
        section(ui);
        self.look.ui(ui, cx, overview);
        let readings = if picked.is_some() { fix.as_ref().map(|f| &f.readings) } else { Some(&overview.readings) };
        if let Some(readings) = readings.filter(|r| listed(r).next().is_some()) {
            section(ui);
            self.readings(ui, cx, readings);
        }
        commands(ui, cx, overview.device.id);
        if !cx.data.events.is_empty() {
            section(ui);
            events(ui, cx);
        }
        section(ui);
        kept(ui, cx, overview);
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview, health: &lamps::Health) {
        let device = &overview.device;
        if let Some((id, text)) = self.renaming.as_mut().filter(|(id, _)| *id == device.id) {
            let field = TextEdit::singleline(text).hint_text(device.identity.as_str()).desired_width(f32::INFINITY);
            let field = ui.add(field.font(TextStyle::Heading).char_limit(120));
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name of the device"));
            let (enter, escape) = ui.input(|i| (i.key_pressed(Key::Enter), i.key_pressed(Key::Escape)));
            if field.lost_focus() {
                if !escape || enter {
                    cx.ask(Action::Rename(*id, text.clone()));
                }
                self.renaming = None;
            } else {
                field.request_focus();
            }
        } else {
            self.renaming = None;
            ui.horizontal(|ui| {
                if let Some(face) = cx.data.phones.faces.get(&device.id).filter(|face| face.is_there()) {
                    let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(30.0), egui::Sense::hover());
                    face.paint(ui.painter(), rect.center(), 15.0, theme::palette(ui).line);
                }
                lamps::show_mark(ui, &health.mark(overview));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if widgets::icon_button(ui, Icon::Close, "Unselect").clicked() {
                        cx.ask(Action::SelectDevice(None));
                    }
                    let may = !cx.data.station.viewer;
                    if may && widgets::icon_button(ui, Icon::Pencil, "Rename").clicked() {
                        self.begin_rename(device);
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let name = widgets::strong(ui, cx.data.name_of(overview)).heading();
                        ui.add(Label::new(name).truncate());
                    });
                });
            });
        }
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let word = health.word(overview, cx.view.settings.units);
            ui.label(RichText::new(word).color(health.state.colour(theme::palette(ui))));
            ui.label(widgets::weak(ui, format!("· {}", device.protocol.title())));
        });
    }

    fn readings(&mut self, ui: &mut Ui, cx: &Cx<'_>, readings: &Readings) {
        const FEW: usize = 12;
        widgets::group_heading(ui, "Readings");
        let mut rows: Vec<_> = listed(readings).map(|(key, value)| (rank(key), key, value)).collect();
        rows.sort_by_key(|(rank, key, _)| (*rank, *key));
        let n = rows.len();
        let shown = if self.all_readings { n } else { n.min(FEW) };
        for (_, key, value) in rows.into_iter().take(shown) {
            let (label, text) = reading_text(key, value, cx.view.settings.units);
            let alarm = key == "alarm";
            widgets::pair(ui, &label, |ui| {
                let p = theme::palette(ui);
                let text = RichText::new(&text).color(if alarm { p.alarm } else { p.strong });
                ui.add(Label::new(text).truncate().selectable(true)).on_hover_text(format!("{key}: {value}"));
            });
        }
        if n > FEW {
            let text = if self.all_readings { "Fewer".to_owned() } else { format!("{} more", n - FEW) };
            if ui.link(text).clicked() {
                self.all_readings = !self.all_readings;
            }
        }
    }
}

/// The readings to list. The fix has told its satellites already.
fn listed(readings: &Readings) -> impl Iterator<Item = (&str, &Value)> {
    readings.iter().filter(|(key, _)| *key != "sat")
}

fn section(ui: &mut Ui) {
    ui.add_space(theme::GAP);
    ui.separator();
    ui.add_space(2.0);
}

fn nothing_selected(ui: &mut Ui, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    ui.label(RichText::new("Details").text_style(theme::title()).color(p.strong));
    ui.add_space(2.0);
    if cx.data.devices.is_empty() {
        ui.label(widgets::weak(
            ui,
            "What a device tells will stand here: place, speed, battery, alarms, and the bytes behind each of them.",
        ));
        return;
    }
    ui.label(widgets::weak(ui, "Select a device in the list or on the map, or a packet below."));
    section(ui);
    let positions: u64 = cx.data.devices.values().map(|d| d.positions).sum();
    let packets: u64 = cx.data.devices.values().map(|d| d.packets).sum();
    let rows = [
        ("Devices", format::count(cx.data.in_state(DeviceState::Adopted).count() as u64)),
        ("Positions", format::count(positions)),
        ("Packets", format::count(packets)),
    ];
    for (label, text) in rows {
        value(ui, label, &text);
    }
    ui.add_space(theme::GAP);
    if ui.add(widgets::labelled(Icon::Fit, "Show all on the map")).clicked() {
        cx.ask(Action::FitAll);
    }
}

/// The point that is selected, where it is this device's.
fn picked_fix<'a>(cx: &Cx<'a>, device: DeviceId) -> Option<&'a StoredFix> {
    let opened = cx.data.opened.as_ref()?;
    let wanted = cx.view.selection.fix?;
    opened.fixes.iter().find(|fix| fix.id == wanted && fix.device == device)
}

/// The last one before the instant that is looked at.
fn fix_then<'a>(cx: &Cx<'a>, device: DeviceId) -> Option<&'a StoredFix> {
    cx.data.history.as_of.as_ref().filter(|fix| fix.device == device && !cx.view.is_live())
}

fn as_of(ui: &mut Ui, cx: &mut Cx<'_>, fix: &StoredFix) {
    let p = theme::palette(ui);
    egui::Frame::new().fill(p.selected_row).corner_radius(4).inner_margin(egui::Margin::symmetric(8, 2)).show(
        ui,
        |ui| {
            ui.horizontal(|ui| {
                let at = cx.view.moment(fix.fix.at, cx.now);
                ui.label(widgets::strong(ui, format!("As of {at}")));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.link("Show latest").clicked() {
                        cx.ask(Action::SelectDevice(Some(fix.device)));
                        cx.ask(Action::Time(Act::Live));
                    }
                });
            });
            let then = cx.data.history.past(fix.device).filter(|_| !cx.view.is_live());
            if let Some(there) = then.and_then(|past| past.at(cx.view.instant_ms(cx.now))) {
                let how = match there.how {
                    How::Fix => None,
                    How::Between => Some("At the cursor: reckoned between two fixes".to_owned()),
                    How::Last { age_ms } => {
                        Some(format!("At the cursor: the last fix, {} old", format::span(age_ms / 1_000)))
                    }
                };
                if let Some(how) = how {
                    ui.label(widgets::weak(ui, how));
                }
            }
            ui.horizontal(|ui| {
                let aside =
                    cx.data.history.past(fix.device).and_then(|past| past.find(fix.id)).and_then(|point| point.aside);
                let may = !cx.data.station.viewer;
                let (text, reason) = match aside {
                    Some(Aside::Hidden(reason)) => {
                        ui.label(widgets::weak(ui, format!("This point is {}", reason.text())));
                        ("Show it again", None)
                    }
                    _ => ("Hide this point", Some(HideReason::Hand)),
                };
                let hint = "It stays in the store; out of sight, out of trips and out of exports";
                if ui.add_enabled(may, egui::Link::new(text)).on_hover_text(hint).clicked() {
                    cx.ask(Action::Hide { device: fix.device, fixes: vec![fix.id], reason });
                }
            });
        },
    );
    ui.add_space(2.0);
}

fn decision(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let text = format!(
        "A new sender. All that it sent is kept ({}); adopt it to make that its history.",
        format::counted(overview.positions, "position", "positions"),
    );
    ui.label(widgets::weak(ui, text));
    ui.add_enabled_ui(!cx.data.station.viewer, |ui| {
        ui.horizontal(|ui| {
            if ui.add(widgets::primary(ui, Some(Icon::Plus), "Adopt")).clicked() {
                cx.ask(Action::Adopt(overview.device.id));
            }
            if ui.button("Ignore").clicked() {
                cx.ask(Action::Ignore(overview.device.id));
            }
        });
    });
}

fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let id = overview.device.id;
    ui.horizontal(|ui| {
        let followed = cx.view.follow == Some(id);
        let follow = widgets::labelled(Icon::Follow, if followed { "Following" } else { "Follow" }).selected(followed);
        if ui.add(follow).on_hover_text("Keep it in the middle of the map (F)").clicked() {
            cx.ask(Action::Follow((!followed).then_some(id)));
        }
        if ui.add(widgets::labelled(Icon::Fit, "Fit")).on_hover_text("Show it and its trail (Z)").clicked() {
            cx.ask(Action::FitDevice(id));
        }
        if ui.add(widgets::labelled(Icon::Export, "Export…")).on_hover_text("Write its history to a file").clicked() {
            cx.ask(Action::OpenExport(Some(id)));
        }
    });
}

/// Reports that nobody can read, loudly, and what mends it.
fn locked(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let id = overview.device.id;
    let Some(row) = cx.data.phones.locked(&overview.device) else { return };
    let p = theme::palette(ui);
    egui::Frame::new().fill(p.fault).corner_radius(5).inner_margin(10).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let reports = format::counted(row.closed, "report", "reports");
        ui.horizontal(|ui| {
            crate::ui::icons::show(ui, Icon::Lock, p.alarm);
            ui.label(RichText::new(format!("{reports} cannot be read")).color(p.alarm).strong());
        });
        let why = if row.has_key {
            "They are encrypted with another key than the one set here."
        } else {
            "This phone encrypts, and its key is not known here."
        };
        ui.add(
            Label::new(
                RichText::new(format!("{why} They are kept, and opened when the right key is set.")).color(p.text),
            )
            .wrap(),
        );
        if let Some(at) = row.last_closed {
            ui.label(widgets::weak(ui, format!("The last came at {}", cx.view.moment(at, cx.now))));
        }
        let may = !cx.data.station.viewer;
        if ui.add_enabled(may, widgets::primary(ui, Some(Icon::Lock), "Set key…")).clicked() {
            cx.ask(Action::OpenProfile(id));
        }
    });
    ui.add_space(theme::GAP);
}

/// What only a phone can be asked or told.
fn phone_buttons(ui: &mut Ui, cx: &mut Cx<'_>, id: DeviceId) {
    ui.horizontal_wrapped(|ui| {
        if ui
            .add(widgets::labelled(Icon::Phone, "Set up…"))
            .on_hover_text("QR code, settings, and what has arrived")
            .clicked()
        {
            cx.ask(Action::OpenPhone(id));
        }
        if ui
            .add(widgets::labelled(Icon::Send, "Commands…"))
            .on_hover_text("Ask it, or tell it what to do (C)")
            .clicked()
        {
            cx.ask(Action::OpenCommands(id));
        }
        if ui.add(widgets::labelled(Icon::Lock, "Profile…")).on_hover_text("Its names, password and key").clicked() {
            cx.ask(Action::OpenProfile(id));
        }
    });
}

/// What only a tracker can be asked or told.
fn tracker_buttons(ui: &mut Ui, cx: &mut Cx<'_>, id: DeviceId) {
    ui.horizontal(|ui| {
        let commands = widgets::labelled(Icon::Send, "Commands…");
        if ui.add(commands).on_hover_text("Ask it, or tell it what to do (C)").clicked() {
            cx.ask(Action::OpenCommands(id));
        }
        let profile = widgets::labelled(Icon::Tracker, "Profile…");
        if ui.add(profile).on_hover_text("Model, clock, and whatever its frames do not say").clicked() {
            cx.ask(Action::OpenProfile(id));
        }
    });
}

/// The last commands with their receipts, and whether its packets are being read again.
fn commands(ui: &mut Ui, cx: &mut Cx<'_>, device: DeviceId) {
    let remote = &cx.data.remote;
    if let Some(reread) = remote.rereads.get(&device) {
        section(ui);
        profile::progress(ui, reread);
    }
    let mut sent = remote.commands.iter().filter(|command| command.device == device).take(COMMANDS).peekable();
    if sent.peek().is_some() {
        section(ui);
        widgets::group_heading(ui, "Commands");
        receipts::list(ui, cx, sent);
    }
}

fn lamp(ui: &mut Ui, lamp: &Lamp, rule: &str) {
    if let Some(age_s) = lamp.age_s {
        widgets::wake_when_older(ui, age_s);
    }
    ui.spacing_mut().item_spacing.x = 5.0;
    lamps::show_lamp(ui, lamp).on_hover_text(rule);
    ui.label(lamp.sentence()).on_hover_text(rule);
}

fn value(ui: &mut Ui, label: &str, text: &str) {
    widgets::pair(ui, label, |ui| {
        ui.add(Label::new(widgets::strong(ui, text)).truncate().selectable(true));
    });
}

fn position(ui: &mut Ui, cx: &mut Cx<'_>, stored: &StoredFix) {
    let units = cx.view.settings.units;
    let fix = &stored.fix;
    let p = theme::palette(ui);
    widgets::pair(ui, "Place", |ui| {
        let text = format::place(fix.place);
        ui.add(Label::new(widgets::strong(ui, &text)).truncate().selectable(true));
        if widgets::icon_button(ui, Icon::Copy, "Copy place").clicked() {
            cx.ask(Action::Copy(text, "the place"));
        }
    });
    if let Some(kmh) = fix.speed_kmh {
        value(ui, "Speed", &format::speed(kmh, units));
    }
    if let Some(deg) = fix.course_deg {
        let standing = fix.speed_kmh.is_some_and(|v| v < STANDING_KMH);
        widgets::pair(ui, "Course", |ui| {
            let text = format!("{} {}", format::course(deg), format::wind(deg));
            ui.label(if standing { widgets::weak(ui, text) } else { widgets::strong(ui, text) });
        });
    }
    if let Some(m) = fix.altitude_m {
        value(ui, "Altitude", &format::height(m, units));
    }
    if let Some(m) = fix.accuracy_m {
        value(ui, "Accuracy", &format!("± {}", format::height(m, units)));
    }
    if let Some(n) = fix.satellites {
        value(ui, "Satellites", &n.to_string());
    }
    widgets::pair(ui, "Measured", |ui| {
        let text = format!("{} {}", cx.view.moment(fix.at, cx.now), cx.view.zone_name(fix.at));
        ui.add(Label::new(widgets::strong(ui, text)).truncate()).on_hover_text(cx.view.stamp(fix.at));
    });
    let delay_s = stored.received.as_second() - fix.at.as_second();
    if delay_s.abs() > 5 {
        widgets::pair(ui, "Received", |ui| {
            let (text, colour) = if delay_s > 0 {
                (format!("{} later", format::span(delay_s)), p.text)
            } else {
                (format!("{} earlier", format::span(-delay_s)), p.late)
            };
            ui.add(Label::new(RichText::new(text).color(colour)).truncate())
                .on_hover_text(cx.view.stamp(stored.received));
        });
    }
    let leap = cx.data.trails.get(&stored.device).and_then(|trail| trail.doubt_of(stored.id));
    if let Some(Doubt::Leap { .. }) = leap {
        let text = leap.map(|leap| leap.text(units)).unwrap_or_default();
        ui.add(Label::new(RichText::new(text).color(p.suspect)).wrap());
    }
    if let Some(doubt) = doubt(stored) {
        let colour = match stored.trust {
            Trust::Good => p.late,
            Trust::Suspect => p.suspect,
        };
        ui.label(RichText::new(doubt).color(colour));
    }
    match (cx.data.gone, &cx.data.origin) {
        (_, Some((packet, origin))) if *packet == stored.packet => {
            ui.add(Label::new(widgets::weak(ui, format!("Imported from {origin}"))).wrap());
        }
        (Some((packet, removal)), _) if packet == stored.packet => {
            ui.label(widgets::weak(ui, super::gone(removal, cx.view)));
        }
        _ if stored.packet.import().is_some() => packet_link(ui, cx, stored.packet, "Where it was imported from"),
        _ => packet_link(ui, cx, stored.packet, "Open its packet"),
    }
}

/// Why a position may be wrong. Under a wrong checksum none counts as valid, whatever the satellites said.
fn doubt(stored: &StoredFix) -> Option<&'static str> {
    match (stored.trust, stored.fix.valid) {
        (Trust::Suspect, _) => Some("Suspect: its checksum was wrong"),
        (Trust::Good, false) => Some("No satellite fix: the last known place, or an estimate"),
        (Trust::Good, true) => None,
    }
}

fn packet_link(ui: &mut Ui, cx: &mut Cx<'_>, packet: PacketId, text: &str) {
    let link = ui.link(text).on_hover_text("Open its bytes");
    if link.clicked() {
        cx.ask(Action::SelectPacket(packet));
        if !cx.view.open.dock {
            cx.ask(Action::ToggleDock);
        }
    }
}

fn events(ui: &mut Ui, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    widgets::group_heading(ui, "Events");
    let data = cx.data;
    for event in data.events.iter().take(EVENTS) {
        let at = cx.view.moment(event.at, cx.now);
        widgets::pair(ui, &at, |ui| {
            let (text, alarm) = watched_text(cx, event).unwrap_or_else(|| event_text(event));
            let link = ui.add(egui::Link::new(RichText::new(text).color(if alarm { p.alarm } else { p.text })));
            if link.on_hover_text("Open the packet that told it").clicked() {
                cx.ask(Action::SelectPacket(event.packet));
            }
        });
    }
}

/// Of what places and rules made: the place, or the values, as in the list of events.
fn watched_text(cx: &Cx<'_>, event: &StoredEvent) -> Option<(String, bool)> {
    let kind = Kind::parse(&event.kind).filter(|kind| *kind != Kind::Alarm)?;
    // One line has no room for all that is known of silence.
    let wanted = kind != Kind::Quiet;
    let values = if wanted { notices::values(&event.kind, &event.attributes, cx.view) } else { String::new() };
    Some((format!("{} {values}", kind.title()).trim_end().to_owned(), kind == Kind::Overspeed))
}

/// An event in words, and whether it is an alarm.
fn event_text(event: &StoredEvent) -> (String, bool) {
    let text = |key: &str| event.attributes.get(key).and_then(Value::as_str);
    match event.kind.as_ref() {
        "alarm" => (text("alarm").map_or_else(|| "Alarm".to_owned(), alarm_words), true),
        "transition" => (transition(&text), false),
        "activity" => (activity(event), false),
        "waypoint" => (format!("Watches {}", text("desc").unwrap_or("a place")), false),
        kind => match text("event").or_else(|| text("desc")) {
            Some(what) => (format!("{}: {what}", sentence_case(kind)), false),
            None => (sentence_case(kind), false),
        },
    }
}

/// `Walking`, `Automotive, stationary`.
fn activity(event: &StoredEvent) -> String {
    match event.attributes.iter().map(|(_, value)| plain(value)).find(|text| !text.is_empty()) {
        Some(what) => sentence_case(&what),
        None => "Activity".to_owned(),
    }
}

/// `Left Home`, `Entered Work`.
fn transition<'a>(text: &dyn Fn(&str) -> Option<&'a str>) -> String {
    let place = text("desc").unwrap_or("a region");
    match text("event") {
        Some("enter") => format!("Entered {place}"),
        Some("leave") => format!("Left {place}"),
        Some(other) => format!("{}: {place}", sentence_case(other)),
        None => format!("Transition: {place}"),
    }
}

fn kept(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let device = &overview.device;
    widgets::group_heading(ui, "Identity");
    widgets::pair(ui, identity_label(device.protocol), |ui| {
        let text = RichText::new(device.identity.as_str()).monospace().color(theme::palette(ui).strong);
        let width = (ui.available_width() - theme::ROW - 8.0).max(20.0);
        ui.scope(|ui| {
            ui.set_max_width(width);
            ui.add(Label::new(text).truncate().selectable(true));
        });
        if widgets::icon_button(ui, Icon::Copy, "Copy identity").clicked() {
            cx.ask(Action::Copy(device.identity.to_string(), "the identity"));
        }
    });
    value(ui, "Known by", known_by(cx, overview));
    if device.protocol == Protocol::OwnTracks {
        phone(ui, cx, overview);
    }
    value(ui, "First seen", &cx.view.moment(device.first_seen, cx.now));
    value(ui, "Packets", &format::count(overview.packets));
    value(ui, "Positions", &format::count(overview.positions));
    if overview.lost_frames > 0 {
        widgets::pair(ui, "Lost frames", |ui| {
            let text = RichText::new(format::count(overview.lost_frames)).color(theme::palette(ui).late);
            let about = "It numbered so many that never arrived, by the gaps between serial numbers on one connection";
            ui.add(Label::new(text).truncate()).on_hover_text(about);
        });
    }
    let last = cx.data.packets.iter().rev().find(|packet| packet.device == Some(device.id));
    if let Some(last) = last {
        packet_link(ui, cx, last.id, "Its last packet");
    }
}

fn identity_label(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Gt06 => "IMEI",
        Protocol::OwnTracks => "Name sent",
    }
}

/// Its other names, and what protects it.
fn phone(ui: &mut Ui, cx: &mut Cx<'_>, overview: &DeviceOverview) {
    let data = cx.data;
    let device = &overview.device;
    if let Some(advice) = generic_advice(&device.identity) {
        ui.add(Label::new(RichText::new(advice).color(theme::palette(ui).late)).wrap());
    }
    let row = data.phones.rows.get(&device.id);
    for name in row.map(|row| row.also.as_slice()).unwrap_or_default() {
        value(ui, "Also called", name.as_str());
    }
    value(ui, "Password", if data.phones.is_guarded(device) { "required" } else { "not required" });
    let has_key = row.is_some_and(|row| row.has_key);
    value(ui, "Encryption", if has_key { "key set" } else { "no key" });
    if let Some(row) = row.filter(|row| row.closed > 0 && data.phones.locked(device).is_none()) {
        value(ui, "Still closed", &format!("{}, another key", format::counted(row.closed, "report", "reports")));
    }
    let sees: Vec<&str> = row.map(|row| row.sees.iter().map(|id| data.label(*id)).collect()).unwrap_or_default();
    if !sees.is_empty() {
        value(ui, "Sees", &sees.join(", "));
    }
}

/// Which rule gave the identity of its last packet; where none is in the list, as its spelling shows.
fn known_by(cx: &Cx<'_>, overview: &DeviceOverview) -> &'static str {
    let device = &overview.device;
    if overview.packets == 0 {
        return "nothing has come yet";
    }
    let said = |packet: &crate::model::PacketRow| {
        let context: Value = serde_json::from_str(packet.context.as_deref()?).ok()?;
        context.get("identity").and_then(Value::as_str).and_then(rule_words)
    };
    let mut packets = cx.data.packets.iter().rev().filter(|packet| packet.device == Some(device.id)).take(LOOK_BACK);
    packets.find_map(said).unwrap_or_else(|| identity_rule(device.protocol, device.identity.as_str()))
}

/// A rule of the contract's order, in words.
fn rule_words(rule: &str) -> Option<&'static str> {
    match rule {
        "topic" => Some("the message's topic"),
        "headers" => Some("headers X-Limit-U and X-Limit-D"),
        "query" => Some("u and d in the address"),
        "basic" => Some("user it signed in as"),
        "tid" => Some("tracker id"),
        _ => None,
    }
}

/// Which rule of the contract's order gave the identity, as its spelling shows.
fn identity_rule(protocol: Protocol, identity: &str) -> &'static str {
    match protocol {
        Protocol::Gt06 => "its login",
        Protocol::OwnTracks if identity.starts_with("owntracks/") => "the message's topic",
        Protocol::OwnTracks if identity.contains('/') => "user and device",
        Protocol::OwnTracks => "tracker id",
    }
}

/// Place of a key in the table of readings; unknown ones come last.
fn rank(key: &str) -> usize {
    let about = reading::about_key(key);
    about.and_then(|a| reading::TABLE.iter().position(|row| row.key == a.key)).unwrap_or(reading::TABLE.len())
}

/// A reading's label and its value with unit, for a person.
fn reading_text(key: &str, value: &Value, units: Units) -> (String, String) {
    let Some(about) = reading::about_key(key) else {
        return (key.to_owned(), plain(value));
    };
    let number = key.strip_prefix(about.key).filter(|n| !n.is_empty());
    let label = number.map_or_else(|| about.label.to_owned(), |n| format!("{} {n}", about.label));
    let text = match (about.unit, value.as_f64()) {
        ("m", Some(m)) if about.key == "vac" => format::height(m, units),
        ("m", Some(m)) => format::distance(m, units),
        ("ms", Some(ms)) => format::span(format::whole(ms / 1_000.0).cast_signed()),
        ("s", Some(s)) => format::span(format::whole(s).cast_signed()),
        ("km/h", Some(kmh)) => format::speed(kmh, units),
        ("°C", Some(celsius)) => format::temperature(celsius, units),
        ("", _) if about.key == "alarm" => value.as_str().map_or_else(|| plain(value), alarm_words),
        ("", _) => plain(value),
        (unit, _) => format!("{} {unit}", plain(value)),
    };
    (label, text)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => "not told".to_owned(),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// `powerCut,sos` → `Power cut, sos`.
fn alarm_words(alarms: &str) -> String {
    let mut words = String::new();
    for c in alarms.chars() {
        match c {
            ',' => words.push_str(", "),
            c if c.is_ascii_uppercase() => {
                words.push(' ');
                words.push(c.to_ascii_lowercase());
            }
            c => words.push(c),
        }
    }
    sentence_case(&words)
}

fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The pane as a whole takes the keyboard; the tabulator leads into it.
fn keyboard(ui: &mut Ui, cx: &Cx<'_>, selected: Option<&DeviceOverview>) {
    let area = ui.available_rect_before_wrap();
    let pane = ui.interact(area, ui.scope_id().with("pane"), Sense::focusable_noninteractive());
    let name = selected.map_or_else(|| "Details".to_owned(), |d| format!("Details of {}", cx.data.name_of(d)));
    pane.widget_info(|| WidgetInfo::labeled(Role::Region, true, &name));
    widgets::take_keyboard(ui, cx, Pane::Details, pane.id);
    if pane.has_focus() {
        let line = ui.visuals().selection.stroke;
        ui.painter().rect_stroke(area.shrink(1.0), 0.0, line, egui::StrokeKind::Inside);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn satellites_alone_are_no_readings_to_list() {
        let mut readings = Readings::new();
        readings.set("sat", 9);
        assert_eq!(listed(&readings).count(), 0);
        readings.set("batteryLevel", 80);
        assert_eq!(listed(&readings).map(|(key, _)| key).collect::<Vec<_>>(), ["batteryLevel"]);
    }

    #[test]
    fn a_wrong_checksum_says_nothing_about_satellites() {
        let at = crate::model::Timestamp::UNIX_EPOCH;
        let fix = crate::model::Fix {
            at,
            place: crate::geo::LatLon::new(51.0, 4.0).unwrap(),
            valid: false,
            altitude_m: None,
            speed_kmh: None,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        let (readings, packet) = (Readings::new(), PacketId(1));
        let stored =
            StoredFix { id: 1, device: DeviceId(1), fix, received: at, trust: Trust::Suspect, readings, packet };
        assert_eq!(doubt(&stored), Some("Suspect: its checksum was wrong"));
        let good = StoredFix { trust: Trust::Good, ..stored };
        assert_eq!(doubt(&good), Some("No satellite fix: the last known place, or an estimate"));
    }

    #[test]
    fn readings_get_their_label_and_unit() {
        let check = |key: &str, value: Value, want: (&str, &str)| {
            let (label, text) = reading_text(key, &value, Units::Metric);
            assert_eq!((label.as_str(), text.as_str()), want);
        };
        check("batteryLevel", json!(87), ("Battery", "87 %"));
        check("temp2", json!(21.5), ("Temperature 2", "21.5 °C"));
        check("odometer", json!(12_345), ("Odometer", "12.3 km"));
        check("hours", json!(7_500_000), ("Engine hours", "2 h 5 min"));
        check("ignition", json!(false), ("Ignition", "no"));
        check("alarm", json!("powerCut,sos"), ("Alarm", "Power cut, sos"));
        check("inregions", json!(["home", "work"]), ("In regions", "home, work"));
        check("somethingNew", json!(3), ("somethingNew", "3"));
    }
}
