//! The opened packet as a tree of fields: what each is worth, which bytes say so, and how.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use egui::{
    Align, EventFilter, Id, Key, Label, Layout, Modifiers, Rect, Response, RichText, ScrollArea, Sense, TextFormat, Ui,
    UiBuilder, WidgetInfo, accesskit::Role, pos2, style::ScrollAnimation, text::LayoutJob, vec2,
};

use super::dock::{
    copy_menu, dense, explain, hover,
    outline::Outline,
    paint::{self, GAP},
    problems, push, read_as,
    related::Related,
    rows::{Rows, points},
    variants::Explainer,
};
use crate::{
    model::{PacketId, PacketRow, Verdict},
    ui::{
        Action, Cx, View,
        data::Opened,
        filter::{
            columns::{self, What},
            phrase::Phrase,
        },
        format,
        icons::{self, Icon},
        theme::{self, fields::tint_of},
        view::Pane,
        widgets,
    },
    wire::{Field, Value},
};

/// Points that a level of the tree is set in.
const INDENT: f32 = 12.0;

/// Narrower than this there is no room for raw bytes beside name and value.
const ROOM_FOR_HEX: f32 = 440.0;

/// Narrower than this a short key has no room for its words.
const ROOM_FOR_WORDS: f32 = 100.0;

/// What the verdict and the menu take at the right of the title.
const VERDICT: f32 = 84.0;

/// The tree and what only the tree knows.
#[derive(Default)]
pub struct Tree {
    /// Groups that are folded, by the names on the way to them: the next packet of the kind looks the same.
    folded: HashSet<u64>,
    /// The field that was scrolled to, and of which packet.
    shown: (Option<PacketId>, Option<usize>),
    /// The pointer was over a field here: what it points at is in view already.
    hovering: bool,
    related: Related,
    explainer: Explainer,
}

/// One visible line.
#[derive(Clone, Copy)]
struct Line {
    field: usize,
    /// Of a group: what it is folded by.
    path: Option<u64>,
}

impl Tree {
    /// Draws the tree into the room that is left.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        dense(ui);
        let Some(opened) = &cx.data.opened else {
            paint::middle(ui, "Select a packet to see its fields");
            return;
        };
        title(ui, cx, opened);
        read_as::chip(ui, cx, opened);
        note(ui, cx, opened.row.id);
        let outline = Outline::of(&opened.dissection.fields);
        let (rows, foot) = paint::with_footer(ui);
        ui.scope_builder(UiBuilder::new().max_rect(rows), |ui| {
            let mut scroll = ScrollArea::vertical().id_salt("fields").auto_shrink(false);
            let another = self.shown.0 != Some(opened.row.id);
            if another && !opened.dissection.problems.is_empty() {
                // Packets of one kind keep the place, so that they can be compared; doubts come first.
                scroll = scroll.vertical_scroll_offset(0.0);
            }
            scroll.show(ui, |ui| {
                read_as::changes(ui, opened);
                problems::ui(ui, cx, opened, &outline);
                self.fields(ui, cx, opened, &outline);
                ui.add_space(4.0);
                self.related.ui(ui, cx, opened);
                self.explainer.ui(ui, cx, opened);
            });
        });
        let about = cx.view.hovered_field.or(cx.view.selection.field);
        footer(ui, foot, cx.view, opened, about.and_then(|i| opened.dissection.fields.get(i)));
    }

    fn fields(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, opened: &Opened, outline: &Outline) {
        let fields = &opened.dissection.fields;
        let selected = cx.view.selection.field;
        let pointed = (Some(opened.row.id), cx.view.hovered_field.filter(|_| !self.hovering).or(selected));
        let moved = self.shown != pointed && pointed.1.is_some();
        self.shown = pointed;
        if moved && let Some(field) = selected {
            self.unfold_to(fields, outline, field);
        }
        let lines = self.lines(fields, outline);
        let rows = Rows::allocate(ui, lines.len());
        let area = rows.area;
        let keyboard = ui.interact(area, ui.scope_id().with("fields"), Sense::focusable_noninteractive());
        keyboard.widget_info(|| WidgetInfo::labeled(Role::Tree, true, "Fields"));
        widgets::take_keyboard(ui, cx, Pane::Tree, keyboard.id);
        self.keys(ui, cx, &lines, outline, keyboard.id);

        // A field that is folded away lights the group that hides it.
        let listed = |field: usize| lines.binary_search_by_key(&field, |l| l.field).ok();
        let seen = |field: usize| std::iter::once(field).chain(outline.ancestors(field)).find_map(listed);
        let lit = cx.view.hovered_field.and_then(seen);
        let target = pointed.1.and_then(seen);
        if moved && let Some(n) = target {
            ui.scroll_to_rect_animation(rows.rect(n), None, ScrollAnimation::none());
        }

        let text = explain::is_json(&opened.row.bytes);
        let columns = Columns::fit(ui, area.width(), text, opened.row.bytes.len());
        let mut over = None;
        for n in rows.visible(ui.clip_rect()) {
            let Some((line, field)) = lines.get(n).and_then(|line| Some((line, fields.get(line.field)?))) else {
                continue;
            };
            let rect = rows.rect(n);
            let response = ui.interact(rect, ui.scope_id().with(("field", line.field)), Sense::CLICK);
            if response.hovered() {
                over = Some(line.field);
            }
            let group = line.path.is_some();
            response.widget_info(|| {
                let chosen = selected == Some(line.field);
                WidgetInfo::selected(Role::TreeItem, true, chosen, label(field))
            });
            let is_lit = lit == Some(n);
            row_background(ui, rect, outline.hue_of_word(line.field), selected == Some(line.field), is_lit);
            let slot = pos2(rect.left() + GAP + f32::from(field.depth) * INDENT, rect.center().y);
            if let Some(path) = line.path {
                paint::fold_mark(ui, slot, !self.folded.contains(&path));
            } else if let Some(hue) = outline.hue(line.field) {
                let mark = Rect::from_center_size(slot, vec2(7.0, 7.0));
                ui.painter().rect_filled(mark, 2.0, tint_of(ui, hue).lit);
            }
            columns.paint(ui, rect, slot.x + GAP, field, group, opened);
            if response.clicked() {
                let on_mark = response.interact_pointer_pos().is_some_and(|p| p.x < slot.x + GAP);
                if let Some(path) = line.path.filter(|_| on_mark || response.double_clicked()) {
                    self.toggle(path);
                } else {
                    ui.memory_mut(|m| m.request_focus(keyboard.id));
                    self.shown = (Some(opened.row.id), Some(line.field));
                    push(ui, cx, Action::SelectField(Some(line.field)));
                }
            }
            menu(&response, cx, field, &opened.row);
        }
        hover(cx, over);
        self.hovering = over.is_some();
    }

    /// The fields that no folded group hides.
    fn lines(&self, fields: &[Field], outline: &Outline) -> Vec<Line> {
        let mut lines = Vec::with_capacity(fields.len());
        let mut paths: Vec<u64> = Vec::new();
        let mut field = 0;
        while let Some(this) = fields.get(field) {
            if outline.is_leaf(field) {
                lines.push(Line { field, path: None });
                field += 1;
                continue;
            }
            paths.truncate(outline.ancestors(field).count());
            let path = path(paths.last().copied(), &this.name);
            paths.push(path);
            lines.push(Line { field, path: Some(path) });
            field = if self.folded.contains(&path) { outline.end(field) } else { field + 1 };
        }
        lines
    }

    fn unfold_to(&mut self, fields: &[Field], outline: &Outline, field: usize) {
        let mut way: Vec<usize> = outline.ancestors(field).collect();
        way.reverse();
        let mut so_far = None;
        for group in way {
            let path = path(so_far, &fields[group].name);
            self.folded.remove(&path);
            so_far = Some(path);
        }
    }

    fn toggle(&mut self, path: u64) {
        if !self.folded.remove(&path) {
            self.folded.insert(path);
        }
    }

    /// Moves through the tree while it has the keyboard.
    fn keys(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, lines: &[Line], outline: &Outline, id: Id) {
        if !ui.memory(|m| m.has_focus(id)) || lines.is_empty() {
            return;
        }
        let filter = EventFilter { vertical_arrows: true, horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(id, filter));
        let at = cx.view.selection.field.and_then(|f| lines.iter().position(|l| l.field == f));
        let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
        let target = if pressed(Key::ArrowDown) {
            Some(at.map_or(0, |n| n + 1))
        } else if pressed(Key::ArrowUp) {
            Some(at.map_or(0, |n| n.saturating_sub(1)))
        } else if pressed(Key::Home) {
            Some(0)
        } else if pressed(Key::End) {
            Some(lines.len() - 1)
        } else if pressed(Key::ArrowLeft) {
            at.and_then(|n| self.fold(lines, outline, n))
        } else if pressed(Key::ArrowRight) {
            at.and_then(|n| self.unfold(lines, n))
        } else {
            None
        };
        if let Some(line) = target.and_then(|n| lines.get(n.min(lines.len() - 1)))
            && cx.view.selection.field != Some(line.field)
        {
            push(ui, cx, Action::SelectField(Some(line.field)));
        }
    }

    /// Folds an open group; from elsewhere goes to the group around.
    fn fold(&mut self, lines: &[Line], outline: &Outline, n: usize) -> Option<usize> {
        let line = lines.get(n)?;
        if line.path.is_some_and(|path| self.folded.insert(path)) {
            return None;
        }
        let parent = outline.parent(line.field)?;
        lines.iter().position(|l| l.field == parent)
    }

    /// Unfolds a folded group; into an open one goes to its first field.
    fn unfold(&mut self, lines: &[Line], n: usize) -> Option<usize> {
        let path = lines.get(n)?.path?;
        (!self.folded.remove(&path)).then_some(n + 1)
    }
}

fn path(above: Option<u64>, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (above, name).hash(&mut hasher);
    hasher.finish()
}

/// What the packet is, over the tree.
fn title(ui: &mut Ui, cx: &mut Cx<'_>, opened: &Opened) {
    let (row, dissection) = (&opened.row, &opened.dissection);
    let title = if dissection.title.is_empty() { &row.kind } else { &dissection.title };
    ui.horizontal(|ui| {
        ui.set_min_height(paint::row_height(ui) + 4.0);
        ui.add_space(2.0);
        let number = dissection.type_number.map_or_else(|| row.kind.to_string(), |n| format!("0x{n:02x}"));
        let parts = [number, dissection.serial.map_or_else(String::new, |n| format!("#{n}"))];
        // A long title gives way to what stands behind it: the pane would grow otherwise.
        let numbers = parts.iter().map(|part| points(part.len()) * paint::figure_width(ui) + 2.0 * GAP).sum::<f32>();
        ui.scope(|ui| {
            ui.set_max_width((ui.available_width() - numbers - VERDICT).max(30.0));
            ui.add(Label::new(RichText::new(title.as_ref()).strong()).truncate());
        });
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            ui.label(RichText::new(part).monospace().weak());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            read_as::button(ui, cx, row);
            // What is stored stays as it is, whatever the bytes are read as.
            let own = if opened.otherwise.is_some() { Verdict::Ok } else { dissection.verdict() };
            let verdict = row.verdict.max(own);
            let color =
                if verdict == Verdict::Ok { ui.visuals().weak_text_color() } else { paint::verdict_color(ui, verdict) };
            ui.label(RichText::new(verdict.as_str()).color(color));
            let (_, mark) = ui.allocate_space(vec2(10.0, 10.0));
            paint::verdict_mark(ui, mark.center(), verdict);
        });
    });
    rule(ui);
}

fn rule(ui: &mut Ui) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 1.0));
    ui.painter().hline(rect.x_range(), rect.center().y, ui.visuals().widgets.noninteractive.bg_stroke);
}

/// The field for a screen reader.
fn label(field: &Field) -> String {
    let (text, bytes) = (field.text(), explain::offsets(&field.span));
    if text.is_empty() {
        format!("{}, bytes {bytes}", field.name)
    } else {
        format!("{}: {text}, bytes {bytes}", field.name)
    }
}

fn row_background(ui: &Ui, rect: Rect, hue: Option<usize>, selected: bool, lit: bool) {
    match hue {
        Some(hue) if lit && !selected => {
            ui.painter().rect_filled(rect, 0.0, tint_of(ui, hue).soft);
        }
        Some(_) | None => paint::row_background(ui, rect, selected, lit),
    }
}

/// Right edges of the columns behind the name, as offsets from the left.
struct Columns {
    text: bool,
    value: f32,
    hex: f32,
    offset: f32,
    end: f32,
}

impl Columns {
    /// Shares the width between name, value, raw bytes and offset. Bytes of text say nothing new in hex.
    fn fit(ui: &Ui, width: f32, text: bool, packet_len: usize) -> Self {
        let figure = paint::figure_width(ui);
        let end = width - GAP;
        let longest = explain::offsets(&(packet_len..packet_len + 2)).len();
        let offset = end - points(longest) * figure - 1.0;
        let hex_width =
            if text || width < ROOM_FOR_HEX { 0.0 } else { (width * 0.31).clamp(11.0 * figure, 24.0 * figure) };
        let hex = offset - if hex_width > 0.0 { hex_width + GAP } else { 0.0 };
        let value = (hex * if text { 0.5 } else { 0.47 }).max(90.0);
        Self { text, value, hex, offset, end }
    }

    fn paint(&self, ui: &Ui, row: Rect, name_left: f32, field: &Field, group: bool, opened: &Opened) {
        let visuals = ui.visuals();
        let (strong, plain, weak) = (visuals.strong_text_color(), visuals.text_color(), visuals.weak_text_color());
        let cell = |from: f32, to: f32| {
            Rect::from_x_y_ranges(row.left() + from..=row.left() + (to - GAP / 2.0).max(from), row.y_range())
        };
        let (mono, body) = (paint::mono(ui), paint::body(ui));
        let value = field.text();
        let name_end = if value.is_empty() { self.hex } else { self.value };
        let name = cell(name_left - row.left(), name_end);
        let name_color = if group { strong } else { plain };
        // "lat (latitude)": the words for a short key stand back behind it.
        let words = field.name.find(" (").filter(|_| self.text).unwrap_or(field.name.len());
        let (key, words) = field.name.split_at(words);
        let mut job = LayoutJob::default();
        job.append(key, 0.0, TextFormat::simple(body.clone(), name_color));
        if name.width() > ROOM_FOR_WORDS {
            job.append(words, 0.0, TextFormat::simple(body.clone(), weak));
        }
        paint::line(ui, name, job, Align::Min);
        paint::text(ui, cell(self.value, self.hex), &value, body, strong, Align::Min);
        if self.offset - self.hex > GAP {
            let bytes = &opened.row.bytes;
            // A mere group has no bytes of its own.
            let own = if value.is_empty() && group { &[] } else { explain::bytes_of(field, bytes) };
            let raw = explain::bit_diagram(field, bytes).unwrap_or_else(|| explain::raw_hex(own));
            paint::text(ui, cell(self.hex, self.offset), &raw, mono.clone(), weak, Align::Min);
        }
        let offset = Rect::from_x_y_ranges(row.left() + self.offset..=row.left() + self.end, row.y_range());
        paint::text(ui, offset, &explain::offsets(&field.span), mono, weak, Align::Max);
    }
}

/// What was written about the packet.
fn note(ui: &mut Ui, cx: &mut Cx<'_>, packet: PacketId) {
    let data = cx.data;
    let Some(note) = data.notes.of(packet) else { return };
    let p = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.add_space(2.0);
        if note.marked {
            icons::show(ui, Icon::Pin, p.late).on_hover_text("Marked (M)");
        }
        let text = if note.comment.is_empty() { "Marked" } else { note.comment.as_str() };
        let link = Label::new(RichText::new(text).color(p.late)).truncate().sense(Sense::CLICK);
        if ui.add(link).on_hover_text("Write about it").clicked() {
            push(ui, cx, Action::EditComment);
        }
    });
    rule(ui);
}

fn menu(response: &Response, cx: &mut Cx<'_>, field: &Field, packet: &PacketRow) {
    response.context_menu(|ui| {
        if let Some(phrase) = Phrase::of_field(field) {
            phrase.menu(ui, cx, None);
            if ui.button("Show as column").clicked() {
                let mut list = cx.view.packets.clone();
                let what = What::Field(format!("[{}]", field.name));
                if list.columns.iter().all(|shown| shown.what != what) {
                    columns::toggle(&mut list.columns, &what);
                    cx.ask(Action::SetPacketList(list));
                }
                ui.close();
            }
            ui.separator();
        }
        let own = explain::bytes_of(field, &packet.bytes);
        for (what, text) in [("name", field.name.to_string()), ("value", field.text()), ("hex", explain::raw_hex(own))]
        {
            if !text.is_empty() && ui.button(format!("Copy {what}")).clicked() {
                ui.ctx().copy_text(text);
                ui.close();
            }
        }
        ui.menu_button("Copy field as", |ui| copy_menu::bytes(ui, own, ""));
        ui.menu_button("Copy packet as", |ui| copy_menu::packet(ui, packet));
    });
}

/// How the field under the pointer was read, at the foot of the tree.
fn footer(ui: &Ui, rect: Rect, view: &View, opened: &Opened, field: Option<&Field>) {
    let (first, second) = paint::footer(ui, rect);
    let (plain, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
    let (body, mono) = (paint::body(ui), paint::mono(ui));
    let Some(field) = field else {
        paint::text(ui, first, "Point at a field to see how it was read", body, weak, Align::Min);
        return;
    };
    let why = if let Value::Time(at) = field.value {
        format!("{} {}", view.date_time(at), view.zone_name(at))
    } else {
        explain::why(field, &opened.row.bytes).unwrap_or_else(|| field.text())
    };
    if why.is_empty() {
        paint::text(ui, first, &field.name, body.clone(), plain, Align::Min);
    } else {
        paint::text(ui, first, &why, mono, plain, Align::Min);
    }
    let Some(second) = second else { return };
    let bytes = format::counted(field.span.len() as u64, "byte", "bytes");
    let place = format!("{bytes} at {}", explain::offsets(&field.span));
    let parts = [field.name.as_ref(), &place, field.source];
    let about = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · ");
    paint::text(ui, second, &about, body, weak, Align::Min);
}
