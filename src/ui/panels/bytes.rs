//! The opened packet byte by byte, in the colours of its fields: hex beside text, or a JSON body as the text it is.

use egui::{
    Align, EventFilter, Frame, Key, Layout, Modifiers, Panel, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder,
    WidgetInfo, accesskit::Role, style::ScrollAnimation, vec2,
};

use super::dock::{
    bits::{self, Word},
    copy_menu, dense, explain,
    hex::{self, Pointed},
    hover, inspector,
    light::Lit,
    lines::Lines,
    outline::Outline,
    paint::{self, GAP},
    push,
    rows::{Rows, whole},
};
use crate::{
    model::PacketId,
    ui::{
        Action, Cx,
        data::Opened,
        format,
        icons::Icon,
        view::{ByteRun, Pane},
        widgets,
    },
};

/// More text than this does not fit the foot.
const MOST_EXCERPT: usize = 120;

/// Narrower panes have no room for "bytes" and the inspector's button beside the other buttons.
const ROOM_FOR_WORDS: f32 = 240.0;

/// Wider panes have the inspector beside the bytes.
const ROOM_BESIDE: f32 = 620.0;

/// The bytes and what only they know.
#[derive(Default)]
pub struct Bytes {
    /// The user's choice for text bodies; `false`: as text.
    text_as_hex: bool,
    /// The field that was scrolled to, and of which packet.
    shown: (Option<PacketId>, Option<usize>),
    /// The pointer was over a field here: what it points at is in view already.
    hovering: bool,
    lines: Lines,
    /// The data inspector is shown for a selected field, too; for selected bytes it always is.
    inspects: bool,
    /// Bytes of a row of the last frame.
    per_row: usize,
}

impl Bytes {
    /// Draws the bytes into the room that is left.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        dense(ui);
        let Some(opened) = &cx.data.opened else {
            paint::middle(ui, "Select a packet to see its bytes");
            return;
        };
        let text = explain::is_json(&opened.row.bytes);
        self.toolbar(ui, cx, opened, text);
        let fields = &opened.dissection.fields;
        let outline = Outline::of(fields);
        self.inspector(ui, cx, opened);
        keys(ui, cx, opened, &outline, self.per_row.max(1));
        let field = |index: Option<usize>| index.and_then(|i| fields.get(i));
        let run = cx.view.selection.bytes.map(ByteRun::span);
        let lit = Lit {
            hovered: field(cx.view.hovered_field),
            selected: field(cx.view.selection.field),
            run: run.map(|run| (run.start, run.end)),
        };
        let pointed = cx.view.hovered_field.filter(|_| !self.hovering).or(cx.view.selection.field);
        let moved = self.shown != (Some(opened.row.id), pointed);
        self.shown = (Some(opened.row.id), pointed);
        let goal = field(pointed).filter(|_| moved).map(|f| f.span.start);

        let (rows, foot) = paint::with_footer(ui);
        let Pointed { over, byte, pressed, per_row, response } = ui
            .scope_builder(UiBuilder::new().max_rect(rows), |ui| {
                if text && !self.text_as_hex {
                    self.text(ui, opened, &outline, &lit, goal)
                } else {
                    hex::show(ui, &opened.row.bytes, fields, &outline, &lit, goal)
                }
            })
            .inner;
        self.per_row = per_row;
        let extends = ui.input(|i| i.modifiers.shift);
        if let Some((anchor, head)) = pressed.zip(byte).filter(|_| response.dragged()) {
            let anchor = if extends { begun(cx).unwrap_or(anchor) } else { anchor };
            select(ui, cx, ByteRun { anchor, head });
        } else if let Some(head) = byte.filter(|_| response.clicked() && extends) {
            select(ui, cx, ByteRun { anchor: begun(cx).unwrap_or(head), head });
        } else if response.clicked() {
            push(ui, cx, Action::SelectField(over));
        }
        response.context_menu(|ui| copy_menu(ui, cx, opened));
        let about = cx.view.hovered_field.or(cx.view.selection.field);
        let on_bits = footer(ui, foot, opened, &outline, about);
        if let Some(field) = on_bits.clicked {
            push(ui, cx, Action::SelectField(Some(field)));
        }
        let over = over.or(on_bits.over);
        hover(cx, over);
        self.hovering = over.is_some();
    }

    fn toolbar(&mut self, ui: &mut Ui, cx: &Cx<'_>, opened: &Opened, text: bool) {
        ui.horizontal(|ui| {
            ui.set_min_height(paint::row_height(ui) + 4.0);
            ui.add_space(2.0);
            let bytes = &opened.row.bytes;
            let count = bytes.len() as u64;
            let narrow = text && ui.available_width() < ROOM_FOR_WORDS;
            if narrow {
                ui.label(format!("{} B", format::count(count)));
            } else {
                ui.label(format::counted(count, "byte", "bytes"));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.menu_button("Copy", |ui| copy_menu(ui, cx, opened)).response.on_hover_text("Copy bytes as…");
                if !narrow {
                    let inspects = widgets::icon_toggle(ui, Icon::Search, "Data inspector", self.inspects);
                    self.inspects ^= inspects.clicked();
                }
                if text {
                    ui.selectable_value(&mut self.text_as_hex, true, "Hex");
                    ui.selectable_value(&mut self.text_as_hex, false, "Text");
                }
            });
        });
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 1.0));
        ui.painter().hline(rect.x_range(), rect.center().y, ui.visuals().widgets.noninteractive.bg_stroke);
        ui.add_space(2.0);
    }

    /// What the selected bytes could be: beside them where there is room, else below.
    fn inspector(&self, ui: &mut Ui, cx: &mut Cx<'_>, opened: &Opened) {
        let selection = cx.view.selection;
        let field = selection.field.filter(|_| self.inspects).and_then(|n| opened.dissection.fields.get(n));
        let Some(span) = selection.bytes.map(ByteRun::span).or(field.map(|field| field.span.clone())) else {
            if self.inspects {
                let hint = "Select a field, or drag over bytes, to see what they could be";
                Panel::bottom("no bytes").frame(Frame::NONE).show(ui, |ui| ui.weak(hint));
            }
            return;
        };
        let Some(bytes) = opened.row.bytes.get(span.clone()) else { return };
        let (width, height) = (ui.available_width(), ui.available_height());
        let pane = if width >= ROOM_BESIDE {
            Panel::right("inspector beside").default_size(width * 0.4).size_range(200.0..=width * 0.6)
        } else {
            let rows = 9.0 * paint::row_height(ui);
            Panel::bottom("inspector below").default_size(rows.min(height * 0.55)).size_range(60.0..=height * 0.75)
        };
        pane.frame(Frame::NONE).resizable(true).show(ui, |ui| inspector::ui(ui, cx, bytes, span.start));
    }

    /// The body as wrapped text.
    fn text(&mut self, ui: &mut Ui, opened: &Opened, outline: &Outline, lit: &Lit<'_>, goal: Option<usize>) -> Pointed {
        let fields = &opened.dissection.fields;
        let mut over = None;
        let scroll = ScrollArea::vertical().id_salt("text").auto_shrink(false);
        let shown = scroll.show(ui, |ui| {
            let columns = whole((ui.available_width() - 2.0 * GAP) / paint::figure_width(ui)).max(8);
            self.lines.lay(opened.row.id, &opened.row.bytes, fields, outline, columns);
            let rows = Rows::allocate(ui, self.lines.len());
            let area = rows.area;
            let response = ui.interact(area, ui.scope_id().with("text"), Sense::CLICK);
            if let Some(line) = goal.and_then(|offset| self.lines.line_of(offset)) {
                ui.scroll_to_rect_animation(rows.rect(line), None, ScrollAnimation::none());
            }
            let clip = ui.clip_rect();
            let pointer = ui.ctx().pointer_hover_pos().filter(|p| ui.rect_contains_pointer(area) && clip.contains(*p));
            for n in rows.visible(clip) {
                let row = rows.rect(n).with_min_x(area.left() + GAP);
                for piece in self.lines.pieces(n, &opened.row.bytes, fields, outline) {
                    let light = lit.on(fields, outline, piece.field);
                    let rect = piece.paint(ui, row, light);
                    if let Some(field) = piece.field {
                        if pointer.is_some_and(|p| rect.contains(p)) {
                            over = Some(field);
                        }
                        let named = ui.interact(rect, ui.scope_id().with(("piece", piece.start)), Sense::hover());
                        let name = &fields[field].name;
                        named.widget_info(|| {
                            let lit = light.hovered || light.selected;
                            WidgetInfo::selected(Role::Cell, true, lit, format!("text at {}: {name}", piece.start))
                        });
                    }
                }
            }
            response
        });
        Pointed { over, byte: None, pressed: None, per_row: 1, response: shown.inner }
    }
}

/// From field to field, in the order of their bytes, while the bytes have the keyboard.
fn keys(ui: &mut Ui, cx: &mut Cx<'_>, opened: &Opened, outline: &Outline, per_row: usize) {
    let area = ui.available_rect_before_wrap();
    let pane = ui.interact(area, ui.scope_id().with("keyboard"), Sense::focusable_noninteractive());
    pane.widget_info(|| WidgetInfo::labeled(Role::Region, true, "Bytes"));
    widgets::take_keyboard(ui, cx, Pane::Bytes, pane.id);
    if !pane.has_focus() {
        return;
    }
    paint::outline(ui, area, ui.visuals().selection.stroke);
    let filter = EventFilter { vertical_arrows: true, horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(pane.id, filter));
    // Before the plain arrows, which do not mind Shift.
    if extended(ui, cx, opened.row.bytes.len(), per_row) {
        return;
    }
    let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    let (back, on) =
        (pressed(Key::ArrowLeft) || pressed(Key::ArrowUp), pressed(Key::ArrowRight) || pressed(Key::ArrowDown));
    if !back && !on {
        return;
    }
    let fields = &opened.dissection.fields;
    let start = |n: &usize| fields.get(*n).map_or(0, |field| field.span.start);
    let mut leaves: Vec<usize> = (0..fields.len()).filter(|n| outline.is_leaf(*n)).collect();
    leaves.sort_by_key(start);
    let selected = cx.view.selection.field;
    let at = selected.and_then(|field| {
        let own = leaves.iter().position(|leaf| *leaf == field);
        own.or_else(|| leaves.iter().position(|leaf| start(leaf) >= start(&field)))
    });
    let next = match at {
        None => 0,
        Some(at) if back => at.saturating_sub(1),
        Some(at) => at + 1,
    };
    if let Some(field) = leaves.get(next) {
        push(ui, cx, Action::SelectField(Some(*field)));
    }
}

/// Makes the selected bytes more or fewer. True where a key for that was pressed.
fn extended(ui: &Ui, cx: &mut Cx<'_>, count: usize, per_row: usize) -> bool {
    let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::SHIFT, key));
    let steps = [
        (Key::ArrowLeft, 1, false),
        (Key::ArrowRight, 1, true),
        (Key::ArrowUp, per_row, false),
        (Key::ArrowDown, per_row, true),
    ];
    let Some((_, by, on)) = steps.into_iter().find(|(key, ..)| pressed(*key)) else { return false };
    let Some(last) = count.checked_sub(1) else { return true };
    let run = if let Some(ByteRun { anchor, head }) = cx.view.selection.bytes {
        let head = if on { (head + by).min(last) } else { head.saturating_sub(by) };
        ByteRun { anchor, head }
    } else {
        // The first press selects where one is.
        let at = begun(cx).unwrap_or_default().min(last);
        ByteRun { anchor: at, head: at }
    };
    select(ui, cx, run);
    true
}

/// Where a run of bytes that goes on from what is selected begins.
fn begun(cx: &Cx<'_>) -> Option<usize> {
    let selection = cx.view.selection;
    let field = || cx.data.opened.as_ref()?.dissection.fields.get(selection.field?).map(|field| field.span.start);
    selection.bytes.map(|run| run.anchor).or_else(field)
}

fn select(ui: &Ui, cx: &mut Cx<'_>, run: ByteRun) {
    if cx.view.selection.bytes != Some(run) {
        push(ui, cx, Action::SelectBytes(run));
    }
}

/// What is pointed at or selected, and the bits of its word.
fn footer(ui: &Ui, rect: Rect, opened: &Opened, outline: &Outline, about: Option<usize>) -> bits::Pointed {
    let fields = &opened.dissection.fields;
    let (first, second) = paint::footer(ui, rect);
    let Some((index, field)) = about.and_then(|i| Some((i, fields.get(i)?))) else {
        return bits::Pointed::default();
    };
    let bytes = explain::bytes_of(field, &opened.row.bytes);
    let parts_of_word = (index + 1..outline.end(index)).any(|i| fields.get(i).is_some_and(|f| f.bits.is_some()));
    let word = explain::word(bytes).filter(|_| field.bits.is_some() || parts_of_word);
    let word = word.map(|value| Word { fields, outline, field: index, value, n_bits: bytes.len() * 8 });
    if second.is_some() || word.is_none() {
        let value = field.text();
        let gap = if value.is_empty() { "" } else { ": " };
        let plain = ui.visuals().text_color();
        paint::text(ui, first, &format!("{}{gap}{value}", field.name), paint::body(ui), plain, Align::Min);
    }
    match (word, second) {
        (Some(word), second) => bits::show(ui, second.unwrap_or(first), &word),
        (None, Some(second)) => {
            let raw = if explain::is_json(&opened.row.bytes) { excerpt(bytes) } else { explain::raw_hex(bytes) };
            paint::text(ui, second, &raw, paint::mono(ui), ui.visuals().weak_text_color(), Align::Min);
            bits::Pointed::default()
        }
        (None, None) => bits::Pointed::default(),
    }
}

/// The start of a run of text.
fn excerpt(bytes: &[u8]) -> String {
    let start = bytes.get(..MOST_EXCERPT).unwrap_or(bytes);
    String::from_utf8_lossy(start).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Every dress, for the whole packet and for the selected field.
fn copy_menu(ui: &mut Ui, cx: &Cx<'_>, opened: &Opened) {
    let bytes = &opened.row.bytes;
    let selected = cx.view.selection.field.and_then(|i| opened.dissection.fields.get(i));
    ui.label(RichText::new("Packet").weak());
    copy_menu::packet(ui, &opened.row);
    if let Some(run) = cx.view.selection.bytes.and_then(|run| bytes.get(run.span())) {
        ui.separator();
        ui.label(RichText::new("Selected bytes").weak());
        copy_menu::bytes(ui, run, "Selection as ");
    }
    if let Some(field) = selected {
        ui.separator();
        ui.label(RichText::new(field.name.as_ref()).weak());
        copy_menu::bytes(ui, explain::bytes_of(field, bytes), "Field as ");
    }
}
