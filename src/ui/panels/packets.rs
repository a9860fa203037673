//! The packet list: every frame and body, in and out, newest last.
//!
//! | module | is |
//! |---|---|
//! | `toolbar` | filter, count, pause |
//! | `row` | the cells of a row |
//! | `menu` | what a row and its cells offer |
//! | `moving` | the selection: keys, and what brings it into view |
//! | `lines` | what the rows say |

mod lines;
mod menu;
mod moving;
mod row;
mod toolbar;

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use egui::{Button, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, accesskit::Role, pos2, vec2};

use self::{
    lines::{Lines, line, profile},
    toolbar::progress,
};
use super::dock::{
    anchor::{Anchor, Measures},
    cells::Cells,
    columns::{Back, Columns},
    dense,
    filter_box::FilterBox,
    header,
    listing::{Haystacks, Listing, Matches},
    paint, push,
    reach::{Goal, NEAR, Reach, Reading},
    rows::{Rows, points, whole},
};
use crate::{
    model::{
        DeviceId, PacketId, PacketRow, Timestamp,
        filter::{Field, Ground},
    },
    ui::{
        Action, Cx, Data,
        filter::{
            Found, Sieve,
            columns::{TimeKind, What},
            phrase,
        },
        format,
        out::Listed,
        talk::TalkAction,
        view::{Pane, View},
        widgets,
    },
    wire,
};

/// What a search may take of one frame at least: a quarter of one at 60 Hz.
const SEARCH_BUDGET: Duration = Duration::from_millis(4);

/// The same at most, where frames are slow for other reasons.
const MOST_SEARCH: Duration = Duration::from_millis(25);

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
    /// In the last frame it was where the time is that is looked at.
    goes_with_time: bool,
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

    /// Holds the list still, or lets it go on.
    pub(in crate::ui) fn pause_or_go_on(&mut self) {
        self.wants_pause = !self.wants_pause;
    }

    /// What is listed, for whoever takes it out.
    pub(in crate::ui) fn listed(&self) -> Listed {
        let (problems, device, until) = (self.problems_only, self.only_device, self.paused_at);
        Listed { filter: self.filter.valid_text().to_owned(), problems, device, until }
    }

    /// What is listed: the filter, and what was chosen beside it.
    pub(in crate::ui) fn sieve(&mut self, data: &Data, view: &View, now: Timestamp) -> Sieve {
        let (filter, _) = self.filter.read(&Ground { now, zone: view.zone() });
        Sieve::new(self.filter.valid_text(), filter, self.problems_only, self.only_device, (data, view, now))
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
        seeking(ui, cx);
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
        let mut admits = |row: &PacketRow| {
            let hay = || haystacks.of(row.id, || line(data, row, units)).to_owned();
            sieve.admits(data, profile(data, row), row, hay)
        };
        let complete = matches.update(&data.packets, &sieve.asked, go_on, &mut admits);
        let awaited = |row: &PacketRow| wire::awaits_answer(row, sieve.now);
        if sieve.filter.mentions(Field::TapDiffers)
            && let Some(left) = matches.ripen(&data.packets, awaited, admits)
        {
            ui.ctx().request_repaint_after(left);
        }
        complete
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

    /// How far back the rows in view go, where their times say it.
    fn back(&self, cx: &Cx<'_>, listing: &Listing<'_>, rows: f32, row_height: f32) -> Back {
        if cx.view.packets.time != TimeKind::Clock {
            return Back::Today;
        }
        let (first, zone) = (whole(self.anchor.offset() / row_height), cx.view.zone());
        let visible = (first..=first + whole(rows)).filter_map(|n| listing.get(n));
        visible.map(|row| Back::of(row.received, cx.now, &zone)).max().unwrap_or_default()
    }

    /// Column titles and rows. True when the paused list should go on.
    fn list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, listing: &Listing<'_>, shown: Shown) -> bool {
        let row_height = paint::row_height(ui);
        let width = ui.available_width() - ui.spacing().scroll.bar_width;
        let back = self.back(cx, listing, ui.available_height() / row_height, row_height);
        let columns = Columns::fit(&cx.view.packets.columns, width, paint::figure_width(ui), back);
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
        if let Some(left) = self.cells.ripe_in() {
            ui.request_repaint_after(left);
        }
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
            // Whether the filter lets them through is known once the list goes on.
            news if shown.filtered && self.paused_at.is_some() => {
                Some(format!("{} since the pause", format::count(news as u64)))
            }
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
}

/// A packet is looked for beyond what is held: how far that is, and a way to leave off.
fn seeking(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(seeking) = &cx.data.seeking else { return };
    let all = cx.data.stored_packets().max(seeking.looked);
    let text = format!("Looking for {}: {} of {}", seeking.what, format::count(seeking.looked), format::count(all));
    ui.horizontal(|ui| {
        if ui.button("Leave off").on_hover_text("Esc").clicked() {
            push(ui, cx, Action::CancelFind);
        }
        ui.add(egui::Label::new(widgets::weak(ui, text)).truncate());
    });
}

/// "34 new", over the lower end of the list. True when it was clicked.
fn pill(ui: &mut Ui, list: Rect, text: String) -> bool {
    let colour = ui.visuals().selection.stroke.color;
    let font = egui::TextStyle::Button.resolve(ui.style());
    let needs = ui.painter().layout_no_wrap(text.clone(), font, colour).size().x;
    let text = RichText::new(text).color(colour);
    let size = vec2((needs + 22.0).max(96.0), 22.0);
    let rect = Rect::from_center_size(pos2(list.center().x, list.bottom() - size.y / 2.0 - 6.0), size);
    let button = Button::new(text).fill(ui.visuals().selection.bg_fill).corner_radius(11.0);
    let hint = "Go to the end and stay there";
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| ui.add_sized(size, button))
        .inner
        .on_hover_text(hint)
        .clicked()
}
