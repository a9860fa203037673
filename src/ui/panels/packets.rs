//! The packet list: every frame and body, in and out, newest last.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
};

use egui::{
    Align, Align2, Button, EventFilter, Key, Layout, Modifiers, Rect, RichText, ScrollArea, Sense, TextEdit,
    TextFormat, Ui, UiBuilder, WidgetInfo, accesskit::Role, pos2, text::LayoutJob, vec2,
};
use jiff::tz::TimeZone;

use super::dock::{
    anchor::{Anchor, Measures},
    columns::{Column, Columns},
    dense,
    listing::{Listing, Matches, Query, find},
    paint::{self, GAP},
    push,
    rows::{Rows, points, whole},
    shorten::to_its_end,
};
use crate::{
    model::{DeviceId, PacketId, PacketRow, Profile, Timestamp, Verdict},
    ui::{
        Action, Cx, Data, format,
        summary::{Summary, summarize},
        view::Units,
    },
};

/// Older rows that a new filter looks at in one frame: a few milliseconds.
const ROWS_A_FRAME: usize = 1_000;

/// Lines that are kept: several screens of them.
const MOST_LINES: usize = 1_024;

/// The list and what only the list knows.
#[derive(Default)]
pub struct Packets {
    filter_text: String,
    problems_only: bool,
    /// Pinned when the toggle is pressed, so that selecting another device does not change what is listed.
    only_device: Option<DeviceId>,
    /// The rows as they were when the view was paused; what arrives is still received and stored.
    frozen: Option<VecDeque<PacketRow>>,
    matches: Matches,
    anchor: Anchor,
    lines: Lines,
    /// The selection that was scrolled to.
    shown_selection: Option<PacketId>,
}

impl Packets {
    /// Draws the list into the room that is left.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let data = cx.data;
        let frozen = self.frozen.take();
        let rows = frozen.as_ref().unwrap_or(&data.packets);
        let query = Query::new(&self.filter_text, self.problems_only, self.only_device);
        let units = cx.view.settings.units;
        let complete = query.admits_all() || {
            self.matches.update(rows, &query, ROWS_A_FRAME, |row| {
                query.admits(row, who(data, row), || line(data, rows, row, units))
            })
        };
        if !complete {
            ui.ctx().request_repaint();
        }
        let matches = std::mem::take(&mut self.matches);
        let listing = if query.admits_all() { Listing::all(rows) } else { Listing::matching(rows, &matches) };

        dense(ui);
        let pause = self.toolbar(ui, cx, &listing, rows.len(), frozen.is_some(), complete);
        let mut resume = frozen.is_some() && pause;
        if rows.is_empty() {
            paint::middle(ui, "Bytes will appear here the moment anything connects, even if we cannot decode them.");
        } else if listing.is_empty() && complete {
            paint::middle(ui, "No packet matches the filter.");
        } else {
            let later = if frozen.is_some() { later(data, rows) } else { 0 };
            resume |= self.list(ui, cx, rows, &listing, later);
        }
        self.matches = matches;
        self.frozen = match frozen {
            Some(_) if resume => None,
            None if pause => Some(data.packets.clone()),
            unchanged => unchanged,
        };
        if resume || pause {
            ui.ctx().request_repaint();
        }
    }

    /// Quick filter, count and pause. True when pause or resume was pressed.
    fn toolbar(
        &mut self,
        ui: &mut Ui,
        cx: &Cx<'_>,
        listing: &Listing<'_>,
        total: usize,
        paused: bool,
        complete: bool,
    ) -> bool {
        let mut pressed = false;
        ui.horizontal(|ui| {
            let roomy = ui.available_width() > 560.0;
            let edit = TextEdit::singleline(&mut self.filter_text)
                .hint_text("Filter")
                .align(Align2::LEFT_CENTER)
                .desired_width(if roomy { 200.0 } else { 110.0 });
            ui.add(edit).on_hover_text("Words in device, address, type or summary, or bytes in hex");
            let toggle = Button::new("Problems").selected(self.problems_only);
            if ui.add(toggle).on_hover_text("Only packets with warnings and errors").clicked() {
                self.problems_only = !self.problems_only;
            }
            let device = self.only_device.or(cx.view.selection.device);
            let label = match self.only_device.and_then(|id| cx.data.devices.get(&id)) {
                Some(overview) => format!("Only {}", overview.device.label()),
                None => "This device".to_owned(),
            };
            let toggle = Button::new(label).selected(self.only_device.is_some()).truncate();
            let toggle = ui.add_enabled(device.is_some(), toggle).on_hover_text("Only packets of the selected device");
            if toggle.on_disabled_hover_text("Select a device first").clicked() {
                self.only_device = if self.only_device.is_some() { None } else { device };
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let label = if paused { "Resume" } else { "Pause" };
                let hint = "Hold the list still; receiving goes on";
                pressed = ui.add(Button::new(label).selected(paused)).on_hover_text(hint).clicked();
                let shown = format::count(listing.len() as u64);
                let total = format::count(total as u64);
                let text = match (shown == total, complete) {
                    (_, false) => format!("{shown} of {total} …"),
                    (true, true) => shown,
                    (false, true) => format!("{shown} of {total}"),
                };
                ui.add(egui::Label::new(RichText::new(text).weak()).truncate());
            });
        });
        ui.add_space(3.0);
        pressed
    }

    /// Column titles and rows. True when the paused list should go on.
    fn list(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        rows: &VecDeque<PacketRow>,
        listing: &Listing<'_>,
        later: usize,
    ) -> bool {
        let row_height = paint::row_height(ui);
        let columns = Columns::fit(ui.available_width() - ui.spacing().scroll.bar_width, paint::figure_width(ui));
        header(ui, &columns);
        let area = ui.available_rect_before_wrap();
        // Whole rows, so that at the end none is cut by the titles.
        let area = area.with_max_y(area.top() + points(whole(area.height() / row_height).max(1)) * row_height);
        let measures = Measures { row_height, view_height: area.height() };
        let keyboard = ui.interact(area, ui.scope_id().with("rows"), Sense::focusable_noninteractive());
        keyboard.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, "Packets"));
        self.keys(ui, cx, listing, measures, keyboard.id);
        self.follow_selection(cx);

        let over = ui.rect_contains_pointer(area);
        let mut scroll = ScrollArea::vertical().id_salt("packets").auto_shrink(false).animated(false);
        if let Some(offset) = self.anchor.before(listing, measures, over) {
            scroll = scroll.vertical_scroll_offset(offset);
        }
        scroll = scroll.max_height(area.height());
        let output = scroll.show(ui, |ui| {
            let lines = Rows { area: ui.max_rect(), height: row_height, count: listing.len() };
            ui.set_height(lines.rect(lines.count).top() - lines.area.top());
            for index in lines.visible(ui.clip_rect()) {
                let Some(row) = listing.get(index) else { continue };
                let rect = lines.rect(index).with_max_x(area.right());
                if self.row(ui, cx, rows, row, rect, &columns) {
                    self.shown_selection = Some(row.id);
                    self.anchor.hold();
                    ui.memory_mut(|m| m.request_focus(keyboard.id));
                    push(ui, cx, Action::SelectPacket(row.id));
                }
            }
        });
        let measures = Measures { row_height, view_height: output.inner_rect.height() };
        self.anchor.after(listing, measures, output.state.clamped_offset().y);
        if keyboard.has_focus() {
            paint::outline(ui, area, ui.visuals().selection.stroke);
        }

        let news = self.anchor.news(listing) + later;
        if news > 0 && pill(ui, output.inner_rect, news) {
            self.anchor.to_end();
            ui.ctx().request_repaint();
            return true;
        }
        false
    }

    /// Moves the selection while the list has the keyboard.
    fn keys(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, listing: &Listing<'_>, measures: Measures, id: egui::Id) {
        if !ui.memory(|m| m.has_focus(id)) {
            return;
        }
        let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(id, filter));
        let Some(newest) = listing.len().checked_sub(1) else { return };
        let selected = cx.view.selection.packet;
        let page = whole(measures.view_height / measures.row_height).max(1);
        // A selected packet that is not listed still has a place among those that are.
        let at = selected.map_or(newest, |id| listing.at_or_after(id).min(newest));
        let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
        let target = if pressed(Key::ArrowUp) {
            if selected.is_none() { newest } else { at.saturating_sub(1) }
        } else if pressed(Key::ArrowDown) {
            if selected.is_none_or(|id| listing.position(id).is_none()) { at } else { at + 1 }
        } else if pressed(Key::PageUp) {
            at.saturating_sub(page)
        } else if pressed(Key::PageDown) {
            at + page
        } else if pressed(Key::Home) {
            0
        } else if pressed(Key::End) {
            self.anchor.to_end();
            // The list goes on with what arrives; it does not stand by the row that was the newest.
            self.shown_selection = listing.last();
            newest
        } else {
            return;
        };
        if let Some(id) = listing.id(target.min(newest))
            && selected != Some(id)
        {
            push(ui, cx, Action::SelectPacket(id));
        }
    }

    /// Brings the selected packet into view when it was selected elsewhere.
    fn follow_selection(&mut self, cx: &Cx<'_>) {
        let selected = cx.view.selection.packet;
        if selected == self.shown_selection {
            return;
        }
        self.shown_selection = selected;
        if let Some(id) = selected {
            self.anchor.show(id);
        }
    }

    /// One row. True when it was clicked.
    fn row(
        &mut self,
        ui: &Ui,
        cx: &Cx<'_>,
        rows: &VecDeque<PacketRow>,
        row: &PacketRow,
        rect: Rect,
        columns: &Columns,
    ) -> bool {
        let selected = cx.view.selection.packet == Some(row.id);
        let response = ui.interact(rect, ui.scope_id().with(("packet", row.id.0)), Sense::CLICK);
        paint::row_background(ui, rect, selected, response.hovered());

        let zone = cx.view.zone();
        let time = time_text(row.received, cx.now, &zone, columns.milliseconds);
        let who = who(cx.data, row);
        let summary = self.lines.line(cx.data, rows, row, cx.view.settings.units);
        let serial = summary.serial.map(|n| format!("#{n}")).unwrap_or_default();
        let label = || {
            let word = paint::direction_word(row.direction);
            let (protocol, kind, verdict) = (row.protocol.title(), summary.type_text.as_ref(), row.verdict.as_str());
            let parts = [time.as_str(), word, who, protocol, kind, &serial, &summary.line(), verdict];
            parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
        };
        response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, selected, label()));

        let (mono, body) = (paint::mono(ui), paint::body(ui));
        let visuals = ui.visuals();
        let (strong, plain, weak) = (visuals.strong_text_color(), visuals.text_color(), visuals.weak_text_color());
        let cell = |column: Column| columns.cell(column, rect);
        let direction = paint::direction_color(ui, row.direction);
        paint::text(ui, cell(Column::Time), &time, mono.clone(), weak, Align::Min);
        paint::direction_arrow(ui, cell(Column::Direction).center(), row.direction);
        let who_color = if row.device.is_some() { direction } else { weak };
        let who_cell = cell(Column::Who);
        let shown = if named(cx.data, row) {
            Cow::Borrowed(who)
        } else {
            ui.fonts_mut(|fonts| to_its_end(who, who_cell.width(), |c| fonts.glyph_width(&body, c)))
        };
        paint::text(ui, who_cell, &shown, body.clone(), who_color, Align::Min);
        let protocol = columns.protocol(row.protocol);
        paint::text(ui, cell(Column::Protocol), protocol, body.clone(), weak, Align::Min);
        let type_font = if summary.type_text.starts_with("0x") { mono.clone() } else { body.clone() };
        paint::text(ui, cell(Column::Type), &summary.type_text, type_font, plain, Align::Min);
        paint::text(ui, cell(Column::Serial), &serial, mono, weak, Align::Max);

        let mut job = LayoutJob::default();
        if let Some(trouble) = &summary.trouble {
            let color = paint::verdict_color(ui, row.verdict.max(Verdict::Warn));
            job.append(trouble, 0.0, TextFormat::simple(body.clone(), color));
        }
        let gap = |job: &LayoutJob| if job.text.is_empty() { 0.0 } else { GAP };
        let lead = gap(&job);
        job.append(&summary.title, lead, TextFormat::simple(body.clone(), strong));
        let lead = gap(&job);
        job.append(&summary.detail, lead, TextFormat::simple(body.clone(), plain));
        let cut = paint::line(ui, cell(Column::Summary), job, Align::Min);

        let verdict = cell(Column::Verdict);
        paint::verdict_mark(ui, pos2(verdict.left() + 6.0, verdict.center().y), row.verdict);
        let word = verdict.with_min_x(verdict.left() + 16.0);
        let color = if row.verdict == Verdict::Ok { weak } else { paint::verdict_color(ui, row.verdict) };
        paint::text(ui, word, row.verdict.as_str(), body, color, Align::Min);

        let pointer = response.hover_pos();
        if cut && pointer.is_some_and(|p| cell(Column::Summary).contains(p)) {
            response.clone().on_hover_text_at_pointer(label());
        } else if shown != who && pointer.is_some_and(|p| who_cell.contains(p)) {
            response.clone().on_hover_text_at_pointer(who);
        } else if pointer.is_some_and(|p| cell(Column::Time).contains(p)) {
            let full = row.received.to_zoned(zone).strftime("%A %-d %B %Y, %H:%M:%S%.3f %Z").to_string();
            response.clone().on_hover_text_at_pointer(full);
        }
        response.clicked()
    }
}

fn header(ui: &mut Ui, columns: &Columns) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), paint::row_height(ui)));
    let weak = ui.visuals().weak_text_color();
    for column in Column::ALL {
        let align = if column == Column::Serial { Align::Max } else { Align::Min };
        let font = egui::TextStyle::Small.resolve(ui.style());
        paint::text(ui, columns.cell(column, rect), columns.title(column), font, weak, align);
    }
    let line = ui.visuals().widgets.noninteractive.bg_stroke;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
}

/// "34 new", over the lower end of the list. True when it was clicked.
fn pill(ui: &mut Ui, list: Rect, news: usize) -> bool {
    let text = RichText::new(format!("{} new", format::count(news as u64))).color(ui.visuals().selection.stroke.color);
    let size = vec2(96.0, 22.0);
    let rect = Rect::from_center_size(pos2(list.center().x, list.bottom() - size.y / 2.0 - 6.0), size);
    let button = Button::new(text).fill(ui.visuals().selection.bg_fill).corner_radius(11.0);
    let hint = "Go to the end and stay there";
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| ui.add_sized(size, button))
        .inner
        .on_hover_text(hint)
        .clicked()
}

/// How many packets came after those of a paused list.
fn later(data: &Data, rows: &VecDeque<PacketRow>) -> usize {
    let Some(last) = rows.back() else { return data.packets.len() };
    data.packets.len() - data.packets.partition_point(|r| r.id <= last.id)
}

/// Whose packet it is: the device as the user calls it, else the far end's address.
fn who<'a>(data: &'a Data, row: &'a PacketRow) -> &'a str {
    row.device.and_then(|id| data.devices.get(&id)).map_or(&row.peer, |overview| overview.device.label())
}

/// True where the user gave it a name: names are told apart by their beginning, identities and addresses by their end.
fn named(data: &Data, row: &PacketRow) -> bool {
    row.device.and_then(|id| data.devices.get(&id)).is_some_and(|overview| overview.device.name.is_some())
}

/// The time of day; of another day, the day and what else fits the same room.
fn time_text(at: Timestamp, now: Timestamp, zone: &TimeZone, milliseconds: bool) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = match (at.date() == now.date(), milliseconds) {
        (true, true) => "%H:%M:%S.%3f",
        (true, false) => "%H:%M:%S",
        (false, true) => "%d %b %H:%M",
        (false, false) => "%d %b",
    };
    at.strftime(format).to_string()
}

/// The lines of the rows that were visible lately.
#[derive(Default)]
struct Lines(HashMap<PacketId, (Profile, Units, Summary)>);

impl Lines {
    fn line(&mut self, data: &Data, rows: &VecDeque<PacketRow>, row: &PacketRow, units: Units) -> &Summary {
        let profile = profile(data, row);
        let known = self.0.get(&row.id).is_some_and(|(p, u, _)| p == profile && *u == units);
        if !known {
            if self.0.len() >= MOST_LINES {
                self.0.clear();
            }
            let line = (profile.clone(), units, line(data, rows, row, units));
            self.0.insert(row.id, line);
        }
        &self.0.get(&row.id).expect("it was just put there").2
    }
}

/// The line of a row, made anew.
fn line(data: &Data, rows: &VecDeque<PacketRow>, row: &PacketRow, units: Units) -> Summary {
    let answered = row.answers.and_then(|id| find(rows, id));
    summarize(row, profile(data, row), units, answered)
}

fn profile<'a>(data: &'a Data, row: &PacketRow) -> &'a Profile {
    static NONE: Profile = Profile {
        model: None,
        clock_offset_s: None,
        alarms: None,
        supply: None,
        dialect: None,
        command_language: false,
    };
    row.device.and_then(|id| data.devices.get(&id)).map_or(&NONE, |overview| &overview.device.profile)
}
