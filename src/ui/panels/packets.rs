//! The packet list: every frame and body, in and out, newest last.

use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Range,
    time::{Duration, Instant},
};

use egui::{
    Align, Button, EventFilter, Key, Layout, Modifiers, Popup, PopupCloseBehavior, Rect, Response, RichText,
    ScrollArea, Sense, TextEdit, TextFormat, Ui, UiBuilder, WidgetInfo, accesskit::Role, pos2, text::LayoutJob, vec2,
};
use jiff::tz::TimeZone;

use super::{
    conversation,
    dock::{
        anchor::{Anchor, Measures},
        cells::{self, Cells},
        columns::{Column, Columns},
        copy_menu, dense,
        filter_box::{FilterBox, Offering},
        header,
        listing::{Haystacks, Listing, Matches, haystack},
        paint::{self, GAP},
        push,
        reach::{Goal, NEAR, Reach, Reading},
        read_as,
        rows::{Rows, points, whole},
        shorten::to_its_end,
    },
};
use crate::{
    model::{
        DeviceId, Look, PacketId, PacketNote, PacketRow, Profile, Timestamp, Verdict,
        filter::{Field, Filter, Ground, Mistake, quoted},
    },
    ui::{
        Action, Cx, Data,
        filter::{
            Found, Sieve,
            columns::What,
            phrase::{self, Phrase},
        },
        format,
        icons::{self, Icon},
        out::{Listed, OutAction, Which},
        summary::{Summary, summarize},
        talk::TalkAction,
        view::{Pane, Sheet, Units},
        widgets,
    },
};

/// What a search may take of one frame at least: a quarter of one at 60 Hz.
const SEARCH_BUDGET: Duration = Duration::from_millis(4);

/// The same at most, where frames are slow for other reasons.
const MOST_SEARCH: Duration = Duration::from_millis(25);

/// What stands beside the filter: two toggles, the count, pause.
const BESIDE_FILTER: f32 = 370.0;

/// Values that are offered for a field.
const MOST_VALUES: usize = 500;

/// Newest packets that are looked through for such values.
const MOST_LOOKED_FOR_VALUES: usize = 2_000;

/// Lines that are kept: several screens of them.
const MOST_LINES: usize = 1_024;

/// The list and what only the list knows.
#[derive(Default)]
pub struct Packets {
    filter: FilterBox,
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
    /// The list is to be paused, or to go on.
    wants_pause: bool,
    /// The selection that was scrolled to.
    shown_selection: Option<PacketId>,
    /// The cell whose menu is open.
    cell: Option<What>,
    /// Name of the filter that is being saved.
    save_as: String,
    cells: Cells,
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
    looked_at: u64,
    /// How far back the store was searched.
    back_to: Option<Timestamp>,
}

impl Packets {
    /// Puts the cursor into the filter; with a text, filters by that.
    pub(in crate::ui) fn filter(&mut self, text: Option<String>) {
        self.filter.focus();
        if let Some(text) = text {
            self.filter.set(text);
        }
    }

    /// Filters by this, and leaves the keyboard where it is.
    pub fn filter_by(&mut self, text: &str) {
        self.filter.set(text.to_owned());
    }

    /// Only what fulfils this, too.
    pub(in crate::ui) fn narrow(&mut self, by: &str) {
        let text = phrase::narrowed(self.filter.text(), by);
        self.filter.set(text);
    }

    /// What is listed, for whoever takes it out.
    pub(in crate::ui) fn listed(&self) -> Listed {
        let (problems, device, until) = (self.problems_only, self.only_device, self.paused_at);
        Listed { filter: self.filter.valid_text().to_owned(), problems, device, until }
    }

    /// Holds the list still, or lets it go on.
    pub(in crate::ui) fn pause_or_go_on(&mut self) {
        self.wants_pause = !self.wants_pause;
    }

    /// Draws the list into the room that is left.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let data = cx.data;
        let rows = &data.packets;
        let ground = Ground { now: cx.now, zone: cx.view.zone() };
        let (filter, mistake) = self.filter.read(&ground);
        let text = self.filter.valid_text();
        let sieve = Sieve::new(text, filter, self.problems_only, self.only_device, (data, cx.view, cx.now));
        let filtered = !sieve.admits_all();
        let complete = !filtered || self.search(ui, data, &sieve);
        if !complete {
            ui.ctx().request_repaint();
        }
        let matches = std::mem::take(&mut self.matches);
        let nothing = Found::default();
        let found = if data.found.asked == sieve.asked { &data.found } else { &nothing };
        let listing = if filtered { Listing::found(&found.rows, rows, &matches) } else { Listing::all(rows) };
        let listing = self.paused_at.map_or(listing, |last| listing.until(last));
        let more = data.ends.older && !found.all && !found.full() && listing.len() < NEAR;
        let searching = filtered && (!complete || data.ends.older && found.loading || more);
        let looked_at = matches.looked_at(rows) as u64 + found.looked_at();
        let shown = Shown { filtered, complete, searching, looked_at, back_to: found.back_to };

        dense(ui);
        let pause = self.toolbar(ui, cx, &listing, shown, (&sieve.filter, mistake.as_ref(), &ground))
            || std::mem::take(&mut self.wants_pause);
        let mut resume = self.paused_at.is_some() && pause;
        if rows.is_empty() {
            paint::middle(ui, "Bytes will appear here the moment anything connects, even if we cannot decode them.");
        } else if listing.is_empty() {
            let text = if searching { progress("Searching", cx, shown) } else { self.nothing(cx.data) };
            paint::middle(ui, &text);
            self.ask(ui, cx, &listing, shown, 0..0);
        } else {
            resume |= self.list(ui, cx, &listing, shown);
        }
        self.look_further(ui, cx, &sieve, &listing, found, filtered && complete);
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
    fn search(&mut self, ui: &Ui, data: &Data, sieve: &Sieve) -> bool {
        let begun = Instant::now();
        let quarter = Duration::from_secs_f32(ui.input(|i| i.stable_dt).clamp(0.0, 1.0) / 4.0);
        let budget = quarter.clamp(SEARCH_BUDGET, MOST_SEARCH);
        let Self { matches, haystacks, .. } = self;
        let units = sieve.units;
        haystacks.under(data.roster << 2 | units as u64);
        let go_on = || begun.elapsed() < budget;
        matches.update(&data.packets, &sieve.asked, go_on, |row| {
            let hay = || haystacks.of(row.id, || line(data, row, units)).to_owned();
            sieve.admits(data, profile(data, row), row, hay)
        })
    }

    /// Has the store look for matches that are older than what is held, where the list comes near its beginning.
    fn look_further(&self, ui: &Ui, cx: &mut Cx<'_>, sieve: &Sieve, listing: &Listing<'_>, found: &Found, ready: bool) {
        let loading = cx.data.found.loading;
        if !ready || !cx.data.ends.older {
            if loading && found.asked != cx.data.found.asked {
                // Nobody asks for that any more.
                cx.ask(Action::SearchPackets(None));
            }
            return;
        }
        let Some(held) = cx.data.packets.front().map(|row| row.id) else { return };
        let at = whole(self.anchor.offset() / paint::row_height(ui));
        let wanted = at < NEAR || listing.len() < NEAR;
        if !(loading && cx.data.found.asked == sieve.asked) && found.next(held, wanted).is_some() {
            push(ui, cx, Action::SearchPackets(Some(Box::new(sieve.clone()))));
        }
    }

    /// Why the list is empty.
    fn nothing(&self, data: &Data) -> String {
        let text = self.filter.valid_text().trim();
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
        said.push('.');
        said
    }

    /// Filter, count and pause. True when pause or resume was pressed.
    fn toolbar(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        listing: &Listing<'_>,
        shown: Shown,
        (filter, mistake, ground): (&Filter, Option<&Mistake>, &Ground),
    ) -> bool {
        let mut pressed = false;
        let paused = self.paused_at.is_some();
        ui.horizontal(|ui| {
            let width = (ui.available_width() - BESIDE_FILTER).clamp(110.0, 460.0);
            let tree = tree_names(cx.data);
            let tree: Vec<&str> = tree.iter().map(AsRef::as_ref).collect();
            let values = |field: Field| values_of(cx.data, field);
            let hint = "Words, or fields: speed > 90 && dev == \"Van 7\" (Ctrl+L)";
            self.filter.ui(ui, width, &Offering { ground, values: &values, tree: &tree }).on_hover_text(hint);
            self.saved(ui, cx);
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
                let text =
                    if shown.searching { progress("searching", cx, shown) } else { counted(cx.data, listing, shown) };
                ui.add(egui::Label::new(RichText::new(text).weak()).truncate());
            });
        });
        self.filter.says(ui, filter, mistake);
        ui.add_space(3.0);
        pressed
    }

    /// Saved filters, and what keeps the one that is typed.
    fn saved(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let button = widgets::icon_button(ui, Icon::Down, "Saved filters");
        Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
            let list = &cx.view.packets;
            for saved in &list.saved {
                if ui.button(&saved.name).on_hover_text(&saved.filter).clicked() {
                    cx.actions.push(Action::FilterPackets(Some(saved.filter.clone())));
                    ui.close();
                }
            }
            if list.saved.is_empty() {
                ui.label(widgets::weak(ui, "No filter is saved yet"));
            }
            ui.separator();
            let text = self.filter.text().trim();
            ui.add_enabled_ui(!text.is_empty(), |ui| {
                let field =
                    TextEdit::singleline(&mut self.save_as).hint_text("Save this filter as").desired_width(170.0);
                let field = ui.add(field);
                field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Save this filter as"));
                let enter = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
                let named = !self.save_as.trim().is_empty();
                if (ui.add_enabled(named, Button::new("Save the filter")).clicked() || enter) && named {
                    let mut list = list.clone();
                    list.save(self.save_as.trim(), text);
                    cx.actions.push(Action::SetPacketList(list));
                    self.save_as.clear();
                    ui.close();
                }
            });
            if ui.button("Colours and saved filters…").clicked() {
                cx.actions.push(Action::Sheet(Some(Sheet::Colours)));
                ui.close();
            }
        });
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
        let width = ui.available_width() - ui.spacing().scroll.bar_width;
        let columns = Columns::fit(&cx.view.packets.columns, width, paint::figure_width(ui));
        header::ui(ui, cx, &columns);
        self.cells.under(cx);
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
                let above = index.checked_sub(1).and_then(|n| listing.get(n)).map(|row| row.received);
                let (clicked, held) = self.row(ui, cx, (row, above), rect, &columns);
                if let Some(other) = cx.view.selection.packet.filter(|id| clicked && held && *id != row.id) {
                    push(ui, cx, Action::Talk(TalkAction::Compare(other, row.id)));
                } else if clicked {
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

    /// One row. True when it was clicked, and when Ctrl was held then.
    fn row(
        &mut self,
        ui: &Ui,
        cx: &mut Cx<'_>,
        (row, above): (&PacketRow, Option<Timestamp>),
        rect: Rect,
        columns: &Columns,
    ) -> (bool, bool) {
        let selected = cx.view.selection.packet == Some(row.id);
        let then = !cx.view.is_live() && cx.data.history.as_of.as_ref().is_some_and(|fix| fix.packet == row.id);
        let response = ui.interact(rect, ui.scope_id().with(("packet", row.id.0)), Sense::CLICK);
        paint::row_background(ui, rect, selected, response.hovered());
        let (data, units) = (cx.data, cx.view.settings.units);
        let hay = || haystack(&line(data, row, units)).into_string();
        let rule = self.cells.rule(data, profile(data, row), row, hay).cloned();
        if let Some(rule) = rule.as_ref().filter(|_| !selected) {
            cells::colour(ui, rect, rule);
        }
        if then {
            let mark = rect.with_max_x(rect.left() + 3.0);
            ui.painter().rect_filled(mark, 0.0, ui.visuals().selection.stroke.color);
        }

        let zone = cx.view.zone();
        let time = cells::relative(cx.view.packets.time, data, row, above)
            .unwrap_or_else(|| time_text(row.received, cx.now, &zone, columns.milliseconds));
        let who = who(cx.data, row);
        let otherwise = read_as::summary(cx.view, row, profile(data, row));
        let summary = match &otherwise {
            Some(summary) => summary,
            None => self.lines.line(cx.data, row, cx.view.settings.units),
        };
        let serial = summary.serial.map(|n| format!("#{n}")).unwrap_or_default();
        let noted = cx.data.notes.of(row.id);
        let label = || {
            let word = paint::direction_word(row.direction);
            let (protocol, kind, verdict) = (row.protocol.title(), summary.type_text.as_ref(), row.verdict.as_str());
            let (marked, comment) =
                noted.map_or(("", ""), |n| (if n.marked { "marked" } else { "" }, n.comment.as_str()));
            let parts = [time.as_str(), word, who, protocol, kind, &serial, &summary.line(), marked, comment, verdict];
            parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
        };
        response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, selected, label()));

        let (mono, body) = (paint::mono(ui), paint::body(ui));
        let visuals = ui.visuals();
        let (strong, plain, weak) = (visuals.strong_text_color(), visuals.text_color(), visuals.weak_text_color());
        let cell = |column: Column| columns.cell(column, rect);
        let direction = paint::direction_color(ui, row.direction);
        paint::text(ui, cell(Column::Time), &time, mono.clone(), weak, Align::Min);
        if columns.width(Column::Direction) > 0.0 {
            paint::direction_arrow(ui, cell(Column::Direction).center(), row.direction);
        }
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

        let note = cx.data.notes.of(row.id);
        let summary_cell = note_marks(ui, cell(Column::Summary), note);
        let summary_cell = rule.as_ref().map_or(summary_cell, |rule| cells::label(ui, summary_cell, rule));
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
        if let Some(note) = note.filter(|note| !note.comment.is_empty()) {
            let color = crate::ui::theme::palette(ui).late;
            let comment = format!("“{}”", note.comment.replace('\n', " "));
            job.append(&comment, GAP, TextFormat::simple(body.clone(), color));
        }
        let cut = paint::line(ui, summary_cell, job, Align::Min);

        let verdict = cell(Column::Verdict);
        if verdict.width() > 0.0 {
            paint::verdict_mark(ui, pos2(verdict.left() + 6.0, verdict.center().y), row.verdict);
        }
        let word = verdict.with_min_x(verdict.left() + 16.0);
        let color = if row.verdict == Verdict::Ok { weak } else { paint::verdict_color(ui, row.verdict) };
        paint::text(ui, word, row.verdict.as_str(), body.clone(), color, Align::Min);
        for (what, left, width) in columns.places().filter(|(what, ..)| !matches!(what, What::Usual(_))) {
            let text = self.cells.text(data, profile(data, row), row, what, above, hay);
            let place = Rect::from_min_size(pos2(rect.left() + left, rect.top()), vec2(width, rect.height()));
            paint::text(ui, place, &text, body.clone(), plain, Align::Min);
        }

        let pointer = response.hover_pos();
        if cut && pointer.is_some_and(|p| cell(Column::Summary).contains(p)) {
            response.clone().on_hover_text_at_pointer(label());
        } else if shown != who && pointer.is_some_and(|p| who_cell.contains(p)) {
            response.clone().on_hover_text_at_pointer(who);
        } else if pointer.is_some_and(|p| cell(Column::Time).contains(p)) {
            let full = row.received.to_zoned(zone).strftime("%A %-d %B %Y, %H:%M:%S%.3f %Z").to_string();
            response.clone().on_hover_text_at_pointer(full);
        }
        self.menu(&response, cx, (row, above), rect, columns);
        (response.clicked(), ui.input(|i| i.modifiers.command))
    }

    /// What can be done with the cell under the pointer.
    fn menu(
        &mut self,
        response: &Response,
        cx: &mut Cx<'_>,
        (row, above): (&PacketRow, Option<Timestamp>),
        rect: Rect,
        columns: &Columns,
    ) {
        if response.secondary_clicked() {
            let at = response.interact_pointer_pos().unwrap_or(rect.center());
            self.cell = columns.at(at, rect).cloned();
        }
        let Some(what) = self.cell.clone() else { return };
        let identity = row.device.and_then(|id| cx.data.devices.get(&id)).map(|d| d.device.identity.as_str());
        let data = cx.data;
        response.context_menu(|ui| {
            let units = cx.view.settings.units;
            let summary = line(data, row, units);
            let phrase = match &what {
                What::Usual(column) => Phrase::of_cell(*column, row, &summary, who(data, row), identity),
                added => {
                    let hay = || haystack(&line(data, row, units)).into_string();
                    let text = self.cells.text(data, profile(data, row), row, added, above, hay);
                    Phrase::of_column(added, row, &text)
                }
            };
            if let Some(phrase) = phrase {
                phrase.menu(ui, cx);
                ui.separator();
            }
            row_menu(ui, cx, row);
            conversation::row_menu(ui, cx, row);
        });
    }
}

/// What can be done with a row, whichever cell it is.
fn row_menu(ui: &mut Ui, cx: &mut Cx<'_>, row: &PacketRow) {
    ui.menu_button("Copy as", |ui| copy_menu::packet(ui, row));
    ui.menu_button("Read as", |ui| read_as::menu(ui, cx, row));
    let note = cx.data.notes.of(row.id).cloned().unwrap_or_default();
    let connection = format!("conn == {} && peer == {}", row.connection, quoted(&row.peer));
    let mark = if note.marked { "Take the mark away" } else { "Mark (M)" };
    let marked = PacketNote { marked: !note.marked, ..note };
    let offers = [
        (mark, vec![Action::SetNote(row.id, marked)]),
        ("Comment…", vec![Action::SelectPacket(row.id), Action::EditComment]),
        ("Only this connection", vec![Action::FilterPackets(Some(connection))]),
        ("Export…", vec![Action::SelectPacket(row.id), Action::Out(OutAction::Open(Which::Packet))]),
    ];
    for (text, actions) in offers {
        if ui.button(text).clicked() {
            cx.actions.extend(actions);
            ui.close();
        }
    }
}

/// A flag where the packet is marked, a pen where it has a comment. Gives what is left of the cell.
fn note_marks(ui: &Ui, cell: Rect, note: Option<&PacketNote>) -> Rect {
    let Some(note) = note else { return cell };
    let colour = crate::ui::theme::palette(ui).late;
    let mut left = cell.left();
    let icons = [(note.marked, Icon::Pin), (!note.comment.is_empty(), Icon::Pencil)];
    for (_, icon) in icons.into_iter().filter(|(so, _)| *so) {
        icons::paint(
            ui.painter(),
            Rect::from_min_size(pos2(left, cell.top()), vec2(14.0, cell.height())),
            icon,
            colour,
        );
        left += 16.0;
    }
    cell.with_min_x(left.min(cell.right()))
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

/// "searching … 12,000 of 50,000, back to 21 Nov 14:02".
fn progress(word: &str, cx: &Cx<'_>, shown: Shown) -> String {
    let all = cx.data.stored_packets().max(shown.looked_at);
    let back = shown.back_to.map(|at| format!(", back to {}", cx.view.date_time(at))).unwrap_or_default();
    format!("{word} … {} of {}{back}", format::count(shown.looked_at), format::count(all))
}

/// How many are listed, of how many.
fn counted(data: &Data, listing: &Listing<'_>, shown: Shown) -> String {
    let (total, listed) = (data.stored_packets(), format::count(listing.len() as u64));
    if !shown.filtered {
        return format::count(total);
    }
    if data.ends.newer || data.ends.older && shown.looked_at < total {
        return format!("{listed} in {} of {}", format::count(shown.looked_at), format::count(total));
    }
    format!("{listed} of {}", format::count(total))
}

/// Names of the fields of the opened packet.
fn tree_names(data: &Data) -> std::collections::BTreeSet<Cow<'static, str>> {
    let fields = data.opened.iter().flat_map(|opened| &opened.dissection.fields);
    fields.filter(|field| !field.name.contains(']')).map(|field| field.name.clone()).collect()
}

/// What packets have for a field, for the offers.
fn values_of(data: &Data, field: Field) -> Vec<String> {
    let unique = |words: &mut dyn Iterator<Item = String>| {
        let mut known = std::collections::BTreeSet::new();
        words.filter(|word| known.insert(word.clone())).take(MOST_VALUES).collect::<Vec<_>>()
    };
    let newest = || data.packets.iter().rev().take(MOST_LOOKED_FOR_VALUES);
    match field {
        Field::Device => unique(&mut data.devices.values().map(|d| data.name_of(d).to_owned())),
        Field::Identity => unique(&mut data.devices.values().map(|d| d.device.identity.to_string())),
        Field::Kind => unique(&mut newest().map(|row| row.kind.to_string())),
        Field::Peer => unique(&mut newest().map(|row| row.peer.to_string())),
        Field::Connection => unique(&mut newest().map(|row| row.connection.to_string())),
        _ => Vec::new(),
    }
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
