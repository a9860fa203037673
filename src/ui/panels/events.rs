//! The list of events beside the packets: alarms, places, silence, speed and batteries, newest first.

use egui::{
    Align, Align2, Button, ComboBox, FontId, Layout, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2,
    text::{LayoutJob, TextWrapping},
    vec2,
};
use jiff::SignedDuration;

use super::dock::{dense, paint, shorten::to_its_end};
use crate::{
    model::{
        DeviceId, StoredEvent, Timestamp,
        watch::{Kind, Mute},
    },
    ui::{
        Action, Cx, format,
        icons::{self, Icon},
        notices,
        theme::{self, Palette},
        view::Sheet,
        watch::{EventFilter, MAX_LISTED, WatchAction},
        widgets,
    },
};

/// Height of a row.
const ROW: f32 = 22.0;
/// Height of what stands over them.
const HEAD: f32 = 18.0;

/// The two lists that the dock has room for; one is shown.
pub(super) fn tabs(ui: &mut Ui, cx: &mut Cx<'_>) {
    let open = cx.view.events.open;
    let unread = cx.data.watch.set_up.unread;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (events, text, name) in
            [(false, "Packets".to_owned(), "Show packets"), (true, title(unread), "Show events")]
        {
            let tab = ui.selectable_label(open == events, text);
            tab.widget_info(|| WidgetInfo::selected(Role::Tab, true, open == events, name));
            if tab.clicked() && open != events {
                cx.ask(Action::Watch(WatchAction::List(events)));
            }
        }
        if open {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                for (text, sheet) in [("Rules…", Sheet::Rules), ("Places…", Sheet::Places)] {
                    if ui.button(text).clicked() {
                        cx.ask(Action::Sheet(Some(sheet)));
                    }
                }
            });
        }
    });
}

/// `Events`, `Events 12`.
fn title(unread: u64) -> String {
    if unread == 0 { "Events".to_owned() } else { format!("Events {}", format::count(unread)) }
}

/// The bell of the line at the top, with how many nobody has read.
pub(super) fn bell(ui: &mut Ui, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    let unread = cx.data.watch.set_up.unread;
    let shown = cx.view.events.open && cx.view.open.dock;
    let muted = cx.data.watch.set_up.mutes.all.is_some_and(|mute| mute.holds(cx.now));
    let about = match (unread, muted) {
        (_, true) => "Events; everything is muted".to_owned(),
        (0, false) => "Events".to_owned(),
        (n, false) => format::counted(n, "event that nobody has read", "events that nobody has read"),
    };
    let clicked = if unread == 0 {
        widgets::icon_toggle(ui, Icon::Bell, &about, shown).clicked()
    } else {
        let colour = if muted { p.weak } else { p.alarm };
        let text = RichText::new(format::count(unread)).color(colour);
        let bell = egui::Atom::paint(vec2(icons::SIZE, icons::SIZE), move |ui, args| {
            icons::paint(ui.painter(), args.rect, Icon::Bell, colour);
        });
        let button = ui.add(Button::new((bell, text)).fill(colour.gamma_multiply(0.15)));
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &about));
        button.on_hover_text(&about).clicked()
    };
    if clicked {
        cx.ask(Action::Watch(WatchAction::List(!shown)));
    }
}

/// The list into the room that is left.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    dense(ui);
    toolbar(ui, cx);
    let events = &cx.data.watch.events;
    if events.is_empty() {
        let filtered = cx.view.events.filter != EventFilter::default();
        let text = if filtered {
            "No event fits the filter."
        } else {
            "Nothing happened yet that is watched for. Places and rules say what is."
        };
        paint::middle(ui, text);
        return;
    }
    head(ui, &cx.view.zone_name(cx.now));
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW, events.len(), |ui, rows| {
        for event in events.get(rows).unwrap_or_default() {
            row(ui, cx, event);
        }
        if events.len() >= MAX_LISTED {
            ui.label(widgets::weak(ui, "Older ones are in the file: `wayglass events` lists them."));
        }
    });
}

fn toolbar(ui: &mut Ui, cx: &mut Cx<'_>) {
    let mut filter = cx.view.events.filter;
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        let shown = filter.kind.map_or("All types", Kind::title);
        let types = ComboBox::from_id_salt("event types").selected_text(shown).width(110.0).show_ui(ui, |ui| {
            ui.selectable_value(&mut filter.kind, None, "All types");
            for kind in Kind::ALL {
                ui.selectable_value(&mut filter.kind, Some(kind), kind.title());
            }
        });
        types.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Type of events"));
        device_toggle(ui, cx, &mut filter);
        ui.toggle_value(&mut filter.unread, "Unread");
        ui.add_enabled_ui(!cx.data.station.viewer, |ui| {
            if ui.add_enabled(cx.data.watch.set_up.unread > 0, Button::new("Mark all read")).clicked() {
                cx.ask(Action::Watch(WatchAction::Read { events: None, unread: false }));
            }
        });
    });
    ui.add_space(4.0);
    if filter != cx.view.events.filter {
        cx.ask(Action::Watch(WatchAction::Filter(filter)));
    }
}

/// Only of one device: pinned when it is pressed.
fn device_toggle(ui: &mut Ui, cx: &Cx<'_>, filter: &mut EventFilter) {
    let wanted = filter.device.or(cx.view.selection.device);
    let name = wanted.map_or("One device", |device| cx.data.label(device));
    let (short, cut): (String, bool) = (name.chars().take(18).collect(), name.chars().count() > 18);
    let short = if cut { format!("{short}…") } else { short };
    let button = ui.add_enabled(wanted.is_some(), Button::selectable(filter.device.is_some(), short));
    if button.on_hover_text(format!("Only {name}")).clicked() {
        filter.device = if filter.device.is_some() { None } else { wanted };
    }
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, event: &StoredEvent) {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let selected = cx.view.events.selected == Some(event.id);
    if selected {
        ui.painter().rect_filled(rect, 3.0, p.selected_row);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 3.0, p.hovered_row);
    }
    widgets::focus_frame(ui, &response);
    let kind = Kind::parse(&event.kind);
    let title: &str = match kind {
        Some(kind) => kind.title(),
        None => &event.kind,
    };
    let label = cx.data.label(event.device);
    let values = notices::values(&event.kind, &event.attributes, cx.view);
    let when = cx.view.moment(event.at, cx.now);
    let unread = if event.unread { ", unread" } else { "" };
    response.widget_info(|| {
        WidgetInfo::selected(Role::Button, true, selected, format!("{label}: {title} {values}, {when}{unread}"))
    });
    if ui.is_rect_visible(rect) {
        paint_row(ui, rect, [&when, title, label, &values], kind, event.unread, p);
    }
    if response.clicked() {
        cx.ask(Action::Watch(WatchAction::Open { event: event.id, device: event.device, packet: event.packet }));
    }
    response.context_menu(|ui| menu(ui, cx, event));
}

/// What stands over the rows.
fn head(ui: &mut Ui, zone: &str) {
    let p = theme::palette(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), HEAD));
    let names = [&format!("Time, {zone}"), "Event", "Device", "What"];
    for (name, (left, width)) in names.into_iter().zip(columns(rect)) {
        let at = pos2(left, rect.center().y);
        let font = egui::TextStyle::Small.resolve(ui.style());
        let clip = Rect::from_min_size(pos2(left, rect.top()), vec2(width - 4.0, rect.height()));
        ui.painter().with_clip_rect(clip).text(at, Align2::LEFT_CENTER, name, font, p.weak);
    }
}

/// Time, type, device, place and values.
fn paint_row(ui: &Ui, rect: Rect, texts: [&str; 4], kind: Option<Kind>, unread: bool, p: &Palette) {
    let [when, title, label, values] = texts;
    let colour = colour_of(kind, p);
    let middle = rect.center().y;
    if unread {
        ui.painter().circle_filled(pos2(rect.left() + 6.0, middle), 3.0, p.accent);
    }
    let strong = if unread { p.strong } else { p.text };
    let column = |(left, width): (f32, f32), text: &str, colour| {
        let mut job = LayoutJob::simple_singleline(text.to_owned(), FontId::proportional(12.5), colour);
        job.wrap = TextWrapping::truncate_at_width((width - 6.0).max(0.0));
        let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
        ui.painter().galley(pos2(left, middle - galley.size().y / 2.0), galley, colour);
    };
    let [time, event, device, what] = columns(rect);
    column(time, when, p.weak);
    icons::paint(ui.painter(), icons::square(pos2(event.0 - 13.0, middle)), icon_of(kind), colour);
    column(event, title, colour);
    let font = FontId::proportional(12.5);
    let label = ui.fonts_mut(|fonts| to_its_end(label, device.1 - 8.0, |c| fonts.glyph_width(&font, c)));
    column(device, &label, strong);
    column(what, values, p.text);
}

/// Where each column begins, and how wide it is.
fn columns(row: Rect) -> [(f32, f32); 4] {
    let time = row.left() + 14.0;
    let event = time + 116.0;
    let device = event + 92.0;
    let room = (row.right() - device).max(0.0);
    let name = (room * 0.36).clamp(90.0, 200.0);
    [(time, 96.0), (event, 92.0), (device, name), (device + name, (room - name).max(0.0))]
}

fn icon_of(kind: Option<Kind>) -> Icon {
    match kind {
        Some(Kind::Alarm) => Icon::Warning,
        Some(Kind::Enter) => Icon::Down,
        Some(Kind::Leave) => Icon::Up,
        Some(Kind::Dwell) => Icon::Clock,
        Some(Kind::Overspeed) => Icon::Pulse,
        Some(Kind::LowBattery | Kind::Quiet) => Icon::Bell,
        None => Icon::Info,
    }
}

fn colour_of(kind: Option<Kind>, p: &Palette) -> egui::Color32 {
    match kind {
        Some(Kind::Alarm | Kind::Overspeed) => p.alarm,
        Some(Kind::LowBattery | Kind::Quiet) => p.late,
        Some(Kind::Enter | Kind::Leave | Kind::Dwell) => p.accent,
        None => p.weak,
    }
}

fn menu(ui: &mut Ui, cx: &mut Cx<'_>, event: &StoredEvent) {
    let read = if event.unread { "Mark as read" } else { "Mark as unread" };
    let events = Some(vec![event.id]);
    if ui.button(read).clicked() {
        cx.ask(Action::Watch(WatchAction::Read { events, unread: !event.unread }));
    }
    ui.separator();
    mute_buttons(ui, cx, Some(event.device));
}

/// Mutes a device, or everything, or ends that.
pub(super) fn mute_buttons(ui: &mut Ui, cx: &mut Cx<'_>, device: Option<DeviceId>) {
    let mutes = &cx.data.watch.set_up.mutes;
    let mute = device.map_or(mutes.all, |device| mutes.devices.get(&device).copied());
    let name = device.map_or("everything".to_owned(), |device| cx.data.label(device).to_owned());
    if let Some(mute) = mute.filter(|mute| mute.holds(cx.now)) {
        let until = mute
            .until
            .map_or("until you say otherwise".to_owned(), |until| format!("until {}", cx.view.moment(until, cx.now)));
        ui.label(widgets::weak(ui, format!("Muted {until}")));
        if ui.button(format!("Unmute {name}")).clicked() {
            cx.ask(Action::Watch(WatchAction::Mute(device, None)));
        }
        return;
    }
    let hour = cx.now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
    if ui.button(format!("Mute {name} for 1 h")).clicked() {
        cx.ask(Action::Watch(WatchAction::Mute(device, Some(Mute { until: Some(hour) }))));
    }
    if ui.button(format!("Mute {name}")).on_hover_text("Until you say otherwise").clicked() {
        cx.ask(Action::Watch(WatchAction::Mute(device, Some(Mute { until: None }))));
    }
}
