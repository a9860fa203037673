//! The list of trips and stops over the map, with what the span amounts to.

use egui::{
    Align, Frame, Key, Label, Layout, Rect, Response, RichText, ScrollArea, Sense, Ui, UiBuilder, Vec2, WidgetInfo,
    accesskit::Role, pos2, vec2,
};

use super::{push, strip::aside_text};
use crate::{
    geo::Bounds,
    model::{DeviceId, HideReason},
    track::{Aside, Leg, Past, Stats},
    ui::{
        Action, Cx, command, format,
        icons::{self, Icon},
        panels::{
            devices::{height_of, step},
            dock::shorten::to_its_end,
        },
        theme,
        time::{Act, Span, moment},
        widgets,
    },
};

const WIDTH: f32 = 610.0;
/// On a map lower than this it stands at the side, from top to bottom.
const LOW: f32 = 400.0;
/// It is no narrower there than this, where the map has as much.
const LEAST_WIDTH: f32 = 302.0;
/// What the names of several devices take besides.
const DEVICE: f32 = 90.0;
const ROW: f32 = 22.0;
/// Where less room is left for a line, it says less.
const NARROW: f32 = 440.0;
/// And less again.
const NARROWEST: f32 = 350.0;
/// And here of its times only when it began: how long it took stands beside it.
const TIGHT: f32 = 200.0;
/// The least that a name, a time, a time with its day, a length of time and a distance can be read in.
const TIGHT_DEVICE: f32 = 62.0;
const TIGHT_TIME: f32 = 44.0;
const TIGHT_DAY: f32 = 92.0;
const TIGHT_TOOK: f32 = 78.0;
const TIGHT_WAY: f32 = 54.0;
/// Lines that are listed at most.
const MOST_LINES: usize = 20_000;
/// Points hidden or shown again at a time.
const MOST_HIDDEN: usize = 10_000;

/// The list, found anew when what is shown changes.
#[derive(Default)]
pub(super) struct Trips {
    of: Option<(u64, Option<DeviceId>, i64)>,
    lines: Vec<(DeviceId, Leg)>,
    /// Where it was drawn last.
    pub(super) covers: Option<Rect>,
    /// It was opened, and its first line takes the keyboard once there is one.
    opened: bool,
    /// The line that takes the keyboard, brought into view.
    reveal: Option<usize>,
    /// How far the list was scrolled in the last frame.
    offset: f32,
}

impl Trips {
    pub(super) fn ui(&mut self, ui: &Ui, cx: &mut Cx<'_>, map: Rect) {
        let main = cx.data.history.main(cx.view.selection.device);
        self.find(cx, main);
        let wanted = if main.is_none() { WIDTH + DEVICE } else { WIDTH };
        let rows = self.lines.len().min(1_000);
        #[expect(clippy::cast_precision_loss, reason = "few rows")]
        let high = if rows == 0 { 96.0 } else { 132.0 + rows as f32 * ROW };
        // Below it is the map of a low window; beside it there is more.
        let (width, height) = if map.height() < LOW {
            (wanted.min((map.width() * 0.5).max(LEAST_WIDTH)), high.min(map.height() - 16.0))
        } else {
            (wanted, high.clamp(96.0, map.height() * 0.5))
        };
        let width = width.min(map.width() - 24.0);
        if width < 200.0 || height < 90.0 {
            return;
        }
        let corner = pos2(map.left() + 12.0, map.bottom() - 8.0);
        let area = egui::Area::new(egui::Id::unique("trips"))
            .order(egui::Order::Middle)
            .pivot(egui::Align2::LEFT_BOTTOM)
            .fixed_pos(corner);
        let shown = area.constrain(false).show(ui.ctx(), |ui| {
            let frame = Frame::popup(ui.style()).inner_margin(10);
            frame.show(ui, |ui| {
                ui.set_width(width - 22.0);
                ui.set_height(height - 22.0);
                ui.spacing_mut().item_spacing.y = 3.0;
                Self::head(ui, cx, main);
                sums(ui, cx, &cx.data.history.stats(main), map.height() < LOW);
                doubts(ui, cx, main);
                ui.separator();
                self.list(ui, cx, main);
            });
        });
        let rect = shown.response.rect;
        if (rect.bottom() - corner.y).abs() > 0.5 {
            // It grew or shrank, and takes its place in the next frame.
            ui.ctx().request_repaint();
        }
        self.covers = Some(rect);
    }

    /// Legs within the span, in order of time.
    fn find(&mut self, cx: &Cx<'_>, main: Option<DeviceId>) {
        // Of a span that goes on, what is long past may still be held.
        let (from, _) = cx.view.span_ms(cx.now);
        let from = if cx.view.time.span.rolls() { from } else { i64::MIN };
        let of = (cx.data.history.version, main, from / 60_000);
        if self.of == Some(of) {
            return;
        }
        self.of = Some(of);
        let shown = cx.data.history.shown.iter().filter(|(id, _)| main.is_none_or(|main| main == **id));
        let legs = shown.flat_map(|(id, shown)| shown.past.legs.iter().map(|leg| (*id, *leg)));
        self.lines = legs.filter(|(_, leg)| leg.to_ms() >= from).take(MOST_LINES).collect();
        self.lines.sort_by_key(|(id, leg)| (leg.from_ms(), *id));
    }

    fn head(ui: &mut Ui, cx: &mut Cx<'_>, main: Option<DeviceId>) {
        ui.horizontal(|ui| {
            let name = match main {
                Some(id) => cx.data.label(id).to_owned(),
                None => format::counted(cx.data.history.shown.len() as u64, "device", "devices"),
            };
            let title = widgets::strong(ui, format!("Trips and stops · {name}")).text_style(theme::title());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if widgets::icon_button(ui, Icon::Close, "Close the list of trips").clicked() {
                    push(cx, Act::Trips(false));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| ui.add(Label::new(title).truncate()));
            });
        });
    }

    /// It is opened now.
    pub(super) fn open(&mut self) {
        self.opened = true;
    }

    fn list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, main: Option<DeviceId>) {
        if self.lines.is_empty() {
            let text = if cx.data.history.awaited > 0 { "Reading…" } else { "No trip and no stop in this span." };
            ui.label(widgets::weak(ui, text));
            return;
        }
        let columns = Columns::fit(ui.available_width() - 10.0, main.is_none(), is_one_day(cx));
        columns.head(ui, &cx.view.zone_name(cx.now));
        let instant = cx.view.instant_ms(cx.now);
        if std::mem::take(&mut self.opened) && !ui.ctx().text_edit_focused() {
            let here = self.lines.iter().position(|(_, leg)| instant < leg.to_ms());
            self.reveal = Some(here.filter(|_| !cx.view.is_live()).unwrap_or(0));
        }
        let mut area = ScrollArea::vertical().id_salt("trips").auto_shrink(false);
        if let Some(at) = self.reveal {
            let (top, view) = (height_of(at, ROW), ui.available_height());
            if top < self.offset {
                area = area.vertical_scroll_offset(top);
            } else if top + ROW > self.offset + view {
                area = area.vertical_scroll_offset(top + ROW - view);
            }
        }
        let mut stepped = None;
        let out = area.show_rows(ui, ROW - 3.0, self.lines.len(), |ui, range| {
            for at in range {
                let Some((device, leg)) = self.lines.get(at) else { continue };
                let response = line(ui, cx, &columns, *device, leg, instant);
                if self.reveal == Some(at) {
                    response.request_focus();
                    self.reveal = None;
                }
                if response.has_focus() {
                    stepped = stepped.or(step(ui, at, &response));
                }
            }
        });
        self.offset = out.state.clamped_offset().y;
        if let Some(at) = stepped.filter(|at| *at < self.lines.len()) {
            self.reveal = Some(at);
            ui.ctx().request_repaint();
        }
    }
}

/// Where the columns stand.
struct Columns {
    device: f32,
    time: f32,
    took: f32,
    way: f32,
    speed: f32,
    place: f32,
    /// There is room for a beginning, and for no end.
    begin_only: bool,
}

impl Columns {
    fn fit(width: f32, with_device: bool, one_day: bool) -> Self {
        let device = if with_device { DEVICE } else { 0.0 };
        let left = width - 22.0 - device;
        let share = |part: f32| left * part;
        if left < TIGHT {
            let device = device.min(TIGHT_DEVICE);
            let time = if one_day { TIGHT_TIME } else { TIGHT_DAY };
            let least = device + time + TIGHT_TOOK;
            let part = ((width - 22.0) / least).min(1.0);
            let [device, time, took] = [device, time, TIGHT_TOOK].map(|wanted| wanted * part);
            // A distance that is cut off would be another one.
            let way = Some(width - 22.0 - least).filter(|way| *way >= TIGHT_WAY).unwrap_or_default();
            return Self { device, time, took, way, speed: 0.0, place: 0.0, begin_only: true };
        }
        let begin_only = false;
        if left < NARROWEST {
            // A place that is cut off is of no use; the map shows it.
            let (time, took, way) = (share(0.4), share(0.32), share(0.28));
            return Self { device, time, took, way, speed: 0.0, place: 0.0, begin_only };
        }
        if left < NARROW {
            // Speeds go first; the line's tooltip has them still.
            return Self {
                device,
                time: share(0.27),
                took: share(0.2),
                way: share(0.17),
                speed: 0.0,
                place: share(0.36),
                begin_only,
            };
        }
        let (time, took, way) = (share(0.25), share(0.15), share(0.12));
        Self { device, time, took, way, speed: share(0.2), place: share(0.28), begin_only }
    }

    fn head(&self, ui: &mut Ui, zone: &str) {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
        let times = if self.begin_only { "From".to_owned() } else { format!("From – to, {zone}") };
        let names = [
            (self.device, "Device"),
            (self.time, times.as_str()),
            (self.took, "Took"),
            (self.way, "Distance"),
            (self.speed, "Top · mean"),
            (self.place, "Place"),
        ];
        let mut x = rect.left() + 22.0;
        for (width, name) in names.into_iter().filter(|(width, _)| *width > 0.0) {
            let text = widgets::weak(ui, name).small();
            cell(ui, rect, x, width, text);
            x += width;
        }
    }
}

fn cell(ui: &mut Ui, row: Rect, x: f32, width: f32, text: RichText) {
    let rect = Rect::from_min_size(pos2(x, row.top()), vec2(width - 4.0, row.height()));
    let mut inside = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)));
    inside.add(Label::new(text).truncate().selectable(false).show_tooltip_when_elided(false));
}

fn line(ui: &mut Ui, cx: &mut Cx<'_>, columns: &Columns, device: DeviceId, leg: &Leg, instant: i64) -> Response {
    let p = theme::palette(ui);
    let units = cx.view.settings.units;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW - 3.0), Sense::click());
    let here = (leg.from_ms()..leg.to_ms()).contains(&instant) && !cx.view.is_live();
    if here || response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 3.0, if here { p.selected_row } else { p.hovered_row });
    }
    widgets::focus_frame(ui, &response);
    let (icon, colour) = match leg {
        Leg::Trip(_) => (Icon::Route, p.moving),
        Leg::Stop(_) => (Icon::Stop, p.parked),
    };
    let mark = Rect::from_min_size(rect.min, Vec2::splat(ROW - 3.0));
    icons::paint(ui.painter(), mark.shrink(2.0), icon, colour);
    let (begin, end) = times(cx, leg, columns.speed > 0.0);
    let times = format!("{begin} – {end}");
    let took = format::span((leg.to_ms() - leg.from_ms()) / 1_000);
    let (way, speed, place) = match leg {
        Leg::Trip(trip) => {
            let kmh = |kmh: Option<f64>| kmh.map_or("–".to_owned(), |kmh| format::speed(kmh, units));
            let top = kmh(trip.top_kmh);
            let short = top.split(' ').next().unwrap_or_default().to_owned();
            let speed = format!("{short} · {}", kmh(trip.mean_kmh()));
            (format::distance(trip.distance_m, units), speed, trip.end)
        }
        Leg::Stop(stop) => (String::new(), String::new(), stop.place),
    };
    let place = format::place(place);
    let word = if leg.trip().is_some() { "Trip" } else { "Stop" };
    // Also what has no room.
    let all = || {
        let name = cx.data.label(device);
        let told =
            [&took, &way, &speed, &place].into_iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>();
        format!("{word} of {name}, {times}, {}", told.join(", "))
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, all()));
    let response = response.on_hover_ui(|ui| {
        ui.label(all());
    });
    let mut x = rect.left() + 22.0;
    // Names of one fleet differ at their ends.
    let (room, font) = (columns.device - 4.0, egui::TextStyle::Body.resolve(ui.style()));
    let who = ui.fonts_mut(|fonts| to_its_end(cx.data.label(device), room, |c| fonts.glyph_width(&font, c)));
    for (width, text, colour) in [
        (columns.device, who.as_ref(), p.weak),
        (columns.time, if columns.begin_only { &begin } else { &times }, p.strong),
        (columns.took, &took, p.text),
        (columns.way, &way, p.text),
        (columns.speed, &speed, p.text),
        (columns.place, &place, p.weak),
    ] {
        if width > 0.0 {
            cell(ui, rect, x, width, RichText::new(text).color(colour));
        }
        x += width;
    }
    if response.has_focus() {
        command::leaves_space(ui, response.id);
    }
    // The space bar plays.
    if response.clicked() && !ui.input(|i| i.key_pressed(Key::Space)) {
        pick(cx, device, leg);
    }
    let copy = place.clone();
    response.context_menu(|ui| {
        if ui.button("Copy its place").clicked() {
            cx.ask(Action::Copy(copy, "the place"));
            ui.close();
        }
    });
    response
}

/// What is shown is of one day, so that its times need none.
fn is_one_day(cx: &Cx<'_>) -> bool {
    let (first, last) = cx.view.time.span.days(cx.view.span_now(cx.now), &cx.view.zone());
    first == last
}

/// `08:12` and `08:47`, with the day where the span has several.
fn times(cx: &Cx<'_>, leg: &Leg, seconds: bool) -> (String, String) {
    let (zone, one_day) = (cx.view.zone(), is_one_day(cx));
    let text = |ms: i64, pattern: &str| moment(ms).to_zoned(zone.clone()).strftime(pattern).to_string();
    let clock = if seconds { "%H:%M:%S" } else { "%H:%M" };
    let (begin, end) = if one_day { (clock, clock) } else { ("%-d %b %H:%M", "%H:%M") };
    (text(leg.from_ms(), begin), text(leg.to_ms(), end))
}

/// Shows a leg on the map; a trip becomes the span, a stop the instant.
fn pick(cx: &mut Cx<'_>, device: DeviceId, leg: &Leg) {
    let places = cx.data.history.past(device).and_then(|past| around(past, leg));
    if cx.view.selection.device != Some(device) {
        cx.ask(Action::SelectDevice(Some(device)));
    }
    match leg {
        Leg::Trip(trip) => {
            // Some room at both ends, so that one sees it stand.
            let room = (trip.duration_ms() / 20).clamp(30_000, 600_000);
            push(cx, Act::Span(Span::Fixed { from_ms: trip.from_ms - room, to_ms: trip.to_ms + room }));
            push(cx, Act::At(trip.from_ms));
        }
        Leg::Stop(stop) => push(cx, Act::At(stop.from_ms)),
    }
    look_at(cx, device, places);
}

/// The map looks at a leg.
pub(super) fn look_at(cx: &mut Cx<'_>, _device: DeviceId, places: Option<Bounds>) {
    if let Some(places) = places {
        cx.ask(Action::ShowPlaces(places));
    }
}

/// What a leg's points lie within.
pub(super) fn around(past: &Past, leg: &Leg) -> Option<Bounds> {
    let points = past.within(leg.from_ms(), leg.to_ms()).iter().filter(|point| point.counts());
    Bounds::around(points.map(|point| point.place))
}

/// What the span amounts to; in one line where the trips would lose their room to it.
fn sums(ui: &mut Ui, cx: &Cx<'_>, stats: &Stats, in_one_line: bool) {
    if stats.points == 0 {
        return;
    }
    let units = cx.view.settings.units;
    let speed = |kmh: Option<f64>| kmh.map_or("–".to_owned(), |kmh| format::speed(kmh, units));
    let told = [
        format::distance(stats.distance_m, units),
        format!("{} moving", format::span(stats.moving_ms / 1_000)),
        format!("{} parked", format::span(stats.parked_ms / 1_000)),
        format!("top {}", speed(stats.top_kmh)),
        format!("mean {}", speed(stats.mean_kmh())),
        format::counted(stats.points, "point", "points"),
        format::counted(stats.gaps, "gap", "gaps"),
    ];
    if in_one_line {
        ui.add(Label::new(told.join(" · ")).truncate());
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        // A line breaks between two of them only.
        let told = told.map(|text| text.replace(' ', "\u{a0}"));
        ui.label(RichText::new(told.join("\u{a0} · ")));
    });
}

/// Outliers to hide, and hidden points to show again.
fn doubts(ui: &mut Ui, cx: &mut Cx<'_>, main: Option<DeviceId>) {
    let stats = cx.data.history.stats(main);
    if stats.outliers + stats.hidden + stats.suspect == 0 {
        return;
    }
    let may = !cx.data.station.viewer;
    ui.horizontal_wrapped(|ui| {
        if stats.outliers > 0 {
            ui.label(format::counted(stats.outliers, "outlier", "outliers")).on_hover_text(aside_text(Aside::Leap));
            let hint = "They stay in the store, out of sight and out of exports";
            if ui.add_enabled(may, egui::Button::new("Hide all outliers")).on_hover_text(hint).clicked() {
                change(cx, main, Some(HideReason::Outlier), |aside| aside == Aside::Leap);
            }
        }
        if stats.hidden > 0 {
            ui.label(format!("{} hidden", format::count(stats.hidden)));
            if ui.add_enabled(may, egui::Button::new("Show them again")).clicked() {
                change(cx, main, None, |aside| matches!(aside, Aside::Hidden(_)));
            }
        }
        if stats.suspect > 0 {
            let text = format!("{} suspect", format::count(stats.suspect));
            ui.label(widgets::weak(ui, text)).on_hover_text("Under a wrong checksum: they are no part of any trip");
        }
    });
}

/// Hides what is beside the way for a reason, or shows it again.
fn change(cx: &mut Cx<'_>, main: Option<DeviceId>, reason: Option<HideReason>, which: impl Fn(Aside) -> bool) {
    let shown = cx.data.history.shown.iter().filter(|(id, _)| main.is_none_or(|main| main == **id));
    let mut asked = Vec::new();
    for (device, shown) in shown {
        let points = shown.past.points.iter().filter(|point| point.aside.is_some_and(&which));
        let fixes: Vec<i64> = points.map(|point| point.fix).take(MOST_HIDDEN).collect();
        if !fixes.is_empty() {
            asked.push(Action::Hide { device: *device, fixes, reason });
        }
    }
    for action in asked {
        cx.ask(action);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_in_whatever_room_there_is() {
        for (with_device, one_day) in [(false, false), (false, true), (true, false), (true, true)] {
            for width in (168..700_u16).map(f32::from) {
                let of = Columns::fit(width, with_device, one_day);
                let told = format!("{width} {with_device} {one_day}");
                let all = of.device + of.time + of.took + of.way + of.speed + of.place;
                assert!(all <= width - 21.9, "{told}: {all}");
                assert!(of.way == 0.0 || of.way > 40.0, "{told}: {}", of.way);
                // Of the list where it is as narrow as it gets by itself: "09:59", or "21 Nov 09:59" where there are days.
                let least = if one_day { TIGHT_TIME } else { 62.0 };
                assert!(width < LEAST_WIDTH - 32.0 || (of.time >= least && of.took >= 50.0), "{told}");
                assert_eq!(of.device > 0.0, with_device, "{told}");
            }
        }
    }
}
