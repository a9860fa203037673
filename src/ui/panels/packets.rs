//! The packet list: every frame and body, in and out, newest last.

use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Range,
    time::{Duration, Instant},
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
    listing::{Haystacks, Listing, Matches, Query},
    paint::{self, GAP},
    push,
    reach::{Goal, NEAR, Reach, Reading},
    rows::{Rows, points, whole},
    shorten::to_its_end,
};
use crate::{
    model::{DeviceId, Look, PacketId, PacketRow, Profile, Timestamp, Verdict},
    ui::{
        Action, Cx, Data,
        data::{MAX_PACKETS, Pages},
        format,
        summary::{Summary, summarize},
        view::{Pane, Units},
        widgets,
    },
};

/// What a search may take of one frame at least: a quarter of one at 60 Hz.
const SEARCH_BUDGET: Duration = Duration::from_millis(4);

/// The same at most, where frames are slow for other reasons.
const MOST_SEARCH: Duration = Duration::from_millis(25);

/// Lines that are kept: several screens of them.
const MOST_LINES: usize = 1_024;

/// The list and what only the list knows.
#[derive(Default)]
pub struct Packets {
    filter_text: String,
    problems_only: bool,
    /// Pinned when the toggle is pressed, so that selecting another device does not change what is listed.
    only_device: Option<DeviceId>,
    /// The newest packet when the view was paused; what arrives is still received and stored.
    paused_at: Option<PacketId>,
    matches: Matches,
    haystacks: Haystacks,
    anchor: Anchor,
    reach: Reach,
    lines: Lines,
    /// The filter takes the cursor.
    wants_filter: bool,
    /// The list is to be paused, or to go on.
    wants_pause: bool,
    /// The selection that was scrolled to.
    shown_selection: Option<PacketId>,
}

/// What is shown of what there is.
#[derive(Clone, Copy)]
struct Shown {
    filtered: bool,
    /// The filter has looked at everything that is held.
    complete: bool,
    /// More matches may come by themselves.
    searching: bool,
    /// Packets that the filter has looked at.
    looked_at: usize,
}

impl Packets {
    /// Puts the cursor into the filter; with a text, filters by that.
    pub(in crate::ui) fn filter(&mut self, text: Option<String>) {
        self.wants_filter = true;
        self.filter_text = text.unwrap_or_else(|| std::mem::take(&mut self.filter_text));
    }

    /// Holds the list still, or lets it go on.
    pub(in crate::ui) fn pause_or_go_on(&mut self) {
        self.wants_pause = !self.wants_pause;
    }

    /// Draws the list into the room that is left.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let data = cx.data;
        let rows = &data.packets;
        let query = Query::new(&self.filter_text, self.problems_only, self.only_device);
        let filtered = !query.admits_all();
        let complete = !filtered || self.search(ui, data, &query, cx.view.settings.units);
        if !complete {
            ui.ctx().request_repaint();
        }
        let matches = std::mem::take(&mut self.matches);
        let listing = if filtered { Listing::matching(rows, &matches) } else { Listing::all(rows) };
        let listing = self.paused_at.map_or(listing, |last| listing.until(last));
        let more = data.ends.loading || data.ends.older && data.has_room_for_a_page() && listing.len() < NEAR;
        let searching = filtered && (!complete || more);
        let looked_at = matches.looked_at(rows);
        let shown = Shown { filtered, complete, searching, looked_at };

        dense(ui);
        let pause = self.toolbar(ui, cx, &listing, shown) || std::mem::take(&mut self.wants_pause);
        let mut resume = self.paused_at.is_some() && pause;
        if rows.is_empty() {
            paint::middle(ui, "Bytes will appear here the moment anything connects, even if we cannot decode them.");
        } else if listing.is_empty() {
            let text = if searching { progress("Searching", data, shown) } else { self.nothing(&query, data) };
            paint::middle(ui, &text);
            self.ask(ui, cx, &listing, shown, 0..0);
        } else {
            resume |= self.list(ui, cx, &listing, shown);
        }
        self.matches = matches;
        if resume {
            self.paused_at = None;
        } else if pause {
            self.paused_at = data.newest_packet().or(Some(PacketId(0)));
        }
        if resume || pause {
            ui.ctx().request_repaint();
        }
    }

    /// Looks for matches within the time that a frame has for it. True when everything that is held was looked at.
    fn search(&mut self, ui: &Ui, data: &Data, query: &Query, units: Units) -> bool {
        let begun = Instant::now();
        let quarter = Duration::from_secs_f32(ui.input(|i| i.stable_dt).clamp(0.0, 1.0) / 4.0);
        let budget = quarter.clamp(SEARCH_BUDGET, MOST_SEARCH);
        let Self { matches, haystacks, .. } = self;
        haystacks.under(data.roster << 2 | units as u64);
        let go_on = || begun.elapsed() < budget;
        matches.update(&data.packets, query, go_on, |row| {
            query.admits(row, who(data, row), || haystacks.of(row.id, || line(data, row, units)).to_owned())
        })
    }

    /// Why the list is empty.
    fn nothing(&self, query: &Query, data: &Data) -> String {
        let text = self.filter_text.trim();
        let mut said = match (text.is_empty(), self.problems_only) {
            (false, _) => format!("No packet matches “{text}”"),
            (true, true) => "No packet has a warning or an error".to_owned(),
            (true, false) => "There is no packet".to_owned(),
        };
        if self.problems_only && !text.is_empty() {
            said.push_str(" among those with problems");
        }
        if let Some(device) = self.only_device {
            said.push_str(" from ");
            said.push_str(data.label(device));
        }
        if data.ends.older || data.ends.newer {
            let held = format::count(data.packets.len() as u64);
            let total = format::count(data.stored_packets());
            said = format!("{said} in the {held} of {total} that were searched");
        }
        said.push('.');
        if let Some(field) = query.field() {
            said.push_str(" The filter is plain text: “");
            said.push_str(field);
            said.push_str(":” is looked for as it stands. Type the word alone.");
        }
        said
    }

    /// Quick filter, count and pause. True when pause or resume was pressed.
    fn toolbar(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, listing: &Listing<'_>, shown: Shown) -> bool {
        let mut pressed = false;
        let paused = self.paused_at.is_some();
        ui.horizontal(|ui| {
            let roomy = ui.available_width() > 620.0;
            let edit = TextEdit::singleline(&mut self.filter_text)
                .hint_text("Filter")
                .align(Align2::LEFT_CENTER)
                .desired_width(if roomy { 200.0 } else { 110.0 });
            let field = ui.add(edit);
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter packets"));
            if std::mem::take(&mut self.wants_filter) {
                field.request_focus();
            }
            field.on_hover_text("Words in device, address, type or summary, or bytes in hex (Ctrl+L)");
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
                let ends = cx.data.ends;
                if shown.filtered && !shown.searching && ends.older && !cx.data.has_room_for_a_page() {
                    let hint = "Search packets that are older than those that were searched";
                    if ui.button("Older").on_hover_text(hint).clicked() {
                        self.anchor.hold();
                        push(ui, cx, Action::MorePackets(Pages::Older));
                    }
                }
                let total = format::count(cx.data.stored_packets());
                let text = if shown.searching {
                    progress("searching", cx.data, shown)
                } else if !shown.filtered {
                    total
                } else if ends.older || ends.newer {
                    let held = format::count(cx.data.packets.len() as u64);
                    format!("{} in {held} of {total}", format::count(listing.len() as u64))
                } else {
                    format!("{} of {total}", format::count(listing.len() as u64))
                };
                ui.add(egui::Label::new(RichText::new(text).weak()).truncate());
            });
        });
        ui.add_space(3.0);
        pressed
    }

    /// Asks for other parts of the store where the list comes near an end of what is held.
    fn ask(&self, ui: &Ui, cx: &mut Cx<'_>, listing: &Listing<'_>, shown: Shown, visible: Range<usize>) {
        let reading = Reading {
            first: visible.start,
            last: visible.end,
            still: self.anchor.stands_still(),
            paused: self.paused_at.is_some(),
            filtered: shown.filtered,
            complete: shown.complete,
        };
        self.reach.ask(ui, cx, listing, reading);
    }

    /// How many packets came after those that are listed.
    fn later(&self, data: &Data, listing: &Listing<'_>, filtered: bool) -> usize {
        let last = data.packets.back().map(|p| p.id);
        let held =
            self.paused_at.map_or(0, |until| data.packets.len() - data.packets.partition_point(|r| r.id <= until));
        let beyond = if data.ends.newer && (!filtered || self.paused_at.is_some()) {
            let known = self.anchor.seen().max(last).max(self.paused_at);
            data.newest_packet().zip(known).map_or(0, |(newest, known)| newest.0.saturating_sub(known.0))
        } else {
            0
        };
        self.anchor.news(listing) + held + usize::try_from(beyond).unwrap_or(0)
    }

    /// Column titles and rows. True when the paused list should go on.
    fn list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, listing: &Listing<'_>, shown: Shown) -> bool {
        let row_height = paint::row_height(ui);
        let columns = Columns::fit(ui.available_width() - ui.spacing().scroll.bar_width, paint::figure_width(ui));
        header(ui, &columns, &cx.view.zone_name(cx.now));
        let area = ui.available_rect_before_wrap();
        // Whole rows, so that at the end none is cut by the titles.
        let area = area.with_max_y(area.top() + points(whole(area.height() / row_height).max(1)) * row_height);
        let measures = Measures { row_height, view_height: area.height() };
        let keyboard = ui.interact(area, ui.scope_id().with("rows"), Sense::focusable_noninteractive());
        keyboard.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, "Packets"));
        widgets::take_keyboard(ui, cx, Pane::Packets, keyboard.id);
        // What is selected on arrival is the selection from the next frame on.
        if !self.arrive(ui, cx, listing) {
            self.follow_selection(ui, cx, shown);
        }
        self.keys(ui, cx, listing, measures, keyboard.id, shown);

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
                if self.row(ui, cx, row, rect, &columns) {
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

        let first = whole(self.anchor.offset() / row_height);
        let last = first + whole(measures.view_height / row_height);
        self.ask(ui, cx, listing, shown, first..last);
        let text = match self.later(cx.data, listing, shown.filtered) {
            0 if cx.data.ends.newer && self.anchor.stands_still() => Some("To the end".to_owned()),
            0 => None,
            news => Some(format!("{} new", format::count(news as u64))),
        };
        if text.is_some_and(|text| pill(ui, output.inner_rect, text)) {
            self.anchor.to_end();
            self.reach.go(ui, cx, Goal::End);
            ui.ctx().request_repaint();
            return true;
        }
        false
    }

    /// Goes on where an end of the store was gone to and is held now. True where that was so.
    fn arrive(&mut self, ui: &Ui, cx: &mut Cx<'_>, listing: &Listing<'_>) -> bool {
        let Some(goal) = self.reach.arrived(cx) else { return false };
        let id = match goal {
            Goal::First => listing.id(0),
            Goal::Last => listing.last(),
            Goal::End => None,
        };
        if goal != Goal::First {
            self.anchor.to_end();
            self.shown_selection = id.or(self.shown_selection);
        }
        if let Some(id) = id {
            push(ui, cx, Action::SelectPacket(id));
        }
        true
    }

    /// Moves the selection while the list has the keyboard.
    fn keys(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        listing: &Listing<'_>,
        measures: Measures,
        id: egui::Id,
        shown: Shown,
    ) {
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
            if !shown.filtered && self.paused_at.is_none() && self.reach.go(ui, cx, Goal::First) {
                self.anchor.hold();
                return;
            }
            0
        } else if pressed(Key::End) {
            self.anchor.to_end();
            if self.paused_at.is_none() && self.reach.go(ui, cx, Goal::Last) {
                return;
            }
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
    fn follow_selection(&mut self, ui: &Ui, cx: &mut Cx<'_>, shown: Shown) {
        // Beside a selection, the list goes with the time that is looked at.
        let then = || cx.data.history.as_of.as_ref().filter(|_| !cx.view.is_live()).map(|fix| fix.packet);
        let selected = cx.view.selection.packet.or_else(then);
        if selected == self.shown_selection {
            return;
        }
        if let Some(id) = selected
            && !shown.filtered
            && self.paused_at.is_none()
            && self.reach.seek(ui, cx, id)
        {
            self.anchor.hold();
            return;
        }
        self.shown_selection = selected;
        if let Some(id) = selected {
            self.anchor.show(id);
        }
    }

    /// One row. True when it was clicked.
    fn row(&mut self, ui: &Ui, cx: &Cx<'_>, row: &PacketRow, rect: Rect, columns: &Columns) -> bool {
        let selected = cx.view.selection.packet == Some(row.id);
        let then = !cx.view.is_live() && cx.data.history.as_of.as_ref().is_some_and(|fix| fix.packet == row.id);
        let response = ui.interact(rect, ui.scope_id().with(("packet", row.id.0)), Sense::CLICK);
        paint::row_background(ui, rect, selected, response.hovered());
        if then {
            let mark = rect.with_max_x(rect.left() + 3.0);
            ui.painter().rect_filled(mark, 0.0, ui.visuals().selection.stroke.color);
        }

        let zone = cx.view.zone();
        let time = time_text(row.received, cx.now, &zone, columns.milliseconds);
        let who = who(cx.data, row);
        let summary = self.lines.line(cx.data, row, cx.view.settings.units);
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

fn header(ui: &mut Ui, columns: &Columns, zone: &str) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), paint::row_height(ui)));
    let weak = ui.visuals().weak_text_color();
    for column in Column::ALL {
        let align = if column == Column::Serial { Align::Max } else { Align::Min };
        let font = egui::TextStyle::Small.resolve(ui.style());
        let title = match column {
            Column::Time => Cow::Owned(format!("{}, {zone}", columns.title(column))),
            _ => Cow::Borrowed(columns.title(column)),
        };
        paint::text(ui, columns.cell(column, rect), &title, font, weak, align);
    }
    let line = ui.visuals().widgets.noninteractive.bg_stroke;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
}

/// "34 new", over the lower end of the list. True when it was clicked.
fn pill(ui: &mut Ui, list: Rect, text: String) -> bool {
    let text = RichText::new(text).color(ui.visuals().selection.stroke.color);
    let size = vec2(96.0, 22.0);
    let rect = Rect::from_center_size(pos2(list.center().x, list.bottom() - size.y / 2.0 - 6.0), size);
    let button = Button::new(text).fill(ui.visuals().selection.bg_fill).corner_radius(11.0);
    let hint = "Go to the end and stay there";
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| ui.add_sized(size, button))
        .inner
        .on_hover_text(hint)
        .clicked()
}

/// "searching … 12,000 of 50,000".
fn progress(word: &str, data: &Data, shown: Shown) -> String {
    let all = if data.ends.older && data.has_room_for_a_page() {
        data.stored_packets().min(MAX_PACKETS as u64)
    } else {
        data.packets.len() as u64
    };
    format!("{word} … {} of {}", format::count(shown.looked_at as u64), format::count(all))
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
    fn line(&mut self, data: &Data, row: &PacketRow, units: Units) -> &Summary {
        let profile = profile(data, row);
        let known = self.0.get(&row.id).is_some_and(|(p, u, _)| p == profile && *u == units);
        if !known {
            if self.0.len() >= MOST_LINES {
                self.0.clear();
            }
            let line = (profile.clone(), units, line(data, row, units));
            self.0.insert(row.id, line);
        }
        &self.0.get(&row.id).expect("it was just put there").2
    }
}

/// The line of a row, made anew.
fn line(data: &Data, row: &PacketRow, units: Units) -> Summary {
    let answered = row.answers.and_then(|id| data.packet_row(id));
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
        look: Look::PLAIN,
    };
    row.device.and_then(|id| data.devices.get(&id)).map_or(&NONE, |overview| &overview.device.profile)
}
