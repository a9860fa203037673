//! The opened packet byte by byte, in the colours of its fields: hex beside text, or a JSON body as the text it is.

use egui::{
    Align, Color32, Id, Layout, Pos2, Rect, RichText, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo,
    accesskit::Role, pos2, style::ScrollAnimation, vec2,
};

use super::dock::{
    copy::{CopyAs, printable},
    explain, hover,
    light::{Light, Lit},
    lines::Lines,
    outline::Outline,
    paint::{self, GAP},
    push,
};
use crate::{
    model::PacketId,
    ui::{Action, Cx, data::Opened, theme::fields::tint_of},
    wire::Field,
};

/// Digits of an offset: packets are no longer than 2 MiB.
const OFFSET_DIGITS: usize = 4;

/// Space between two bytes.
const BYTE_GAP: f32 = 5.0;

/// Space between the halves of a row, and between hex and text.
const HALF_GAP: f32 = 7.0;

/// The bytes and what only they know.
#[derive(Default)]
pub struct Bytes {
    /// The user's choice for text bodies; `false`: as text.
    text_as_hex: bool,
    /// The field that was scrolled to, and of which packet.
    shown: (Option<PacketId>, Option<usize>),
    hovering: bool,
    lines: Lines,
}

impl Bytes {
    /// Draws the bytes into the room that is left.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.spacing_mut().item_spacing.y = 0.0;
        let Some(opened) = &cx.data.opened else {
            ui.centered_and_justified(|ui| ui.label(RichText::new("Select a packet to see its bytes").weak()));
            return;
        };
        let text = explain::is_json(&opened.row.bytes);
        self.toolbar(ui, cx, opened, text);
        let fields = &opened.dissection.fields;
        let outline = Outline::of(fields);
        let field = |index: Option<usize>| index.and_then(|i| fields.get(i));
        let lit = Lit { hovered: field(cx.view.hovered_field), selected: field(cx.view.selection.field) };
        let pointed = cx.view.hovered_field.filter(|_| !self.hovering).or(cx.view.selection.field);
        let moved = self.shown != (Some(opened.row.id), pointed);
        self.shown = (Some(opened.row.id), pointed);
        let goal = field(pointed).filter(|_| moved).map(|f| f.span.start);

        let whole = ui.available_rect_before_wrap();
        let foot_height = 2.0 * paint::row_height(ui) + 2.0;
        let split = (whole.bottom() - foot_height).max(whole.top() + foot_height);
        let (rows, foot) = (whole.with_max_y(split), whole.with_min_y(split));
        let over = ui
            .scope_builder(UiBuilder::new().max_rect(rows), |ui| {
                if text && !self.text_as_hex {
                    self.text(ui, cx, opened, &outline, &lit, goal)
                } else {
                    hex(ui, cx, opened, &outline, &lit, goal)
                }
            })
            .inner;
        let about = cx.view.hovered_field.or(cx.view.selection.field);
        let over_bit = footer(ui, foot, cx, opened, &outline, about);
        hover(ui, cx, &mut self.hovering, over.or(over_bit));
    }

    fn toolbar(&mut self, ui: &mut Ui, cx: &Cx<'_>, opened: &Opened, text: bool) {
        ui.horizontal(|ui| {
            ui.set_min_height(paint::row_height(ui) + 4.0);
            ui.add_space(2.0);
            let bytes = &opened.row.bytes;
            ui.label(RichText::new(match bytes.len() {
                1 => "1 byte".to_owned(),
                n => format!("{} bytes", explain::count(n)),
            }));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.menu_button("Copy", |ui| copy_menu(ui, cx, opened)).response.on_hover_text("Copy bytes as…");
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

    /// The body as wrapped text. Gives the field under the pointer.
    fn text(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        opened: &Opened,
        outline: &Outline,
        lit: &Lit<'_>,
        goal: Option<usize>,
    ) -> Option<usize> {
        let fields = &opened.dissection.fields;
        let row_height = paint::row_height(ui);
        let mut over = None;
        ScrollArea::vertical().id_salt("text").auto_shrink(false).show(ui, |ui| {
            let columns = ((ui.available_width() - 2.0 * GAP) / paint::figure_width(ui)).floor().max(8.0) as usize;
            self.lines.lay(opened.row.id, &opened.row.bytes, fields, outline, columns);
            let height = self.lines.len() as f32 * row_height;
            let (_, area) = ui.allocate_space(vec2(ui.available_width(), height));
            let response = ui.interact(area, ui.scope_id().with("text"), Sense::CLICK);
            if let Some(line) = goal.and_then(|offset| self.lines.line_of(offset)) {
                let top = area.top() + line as f32 * row_height;
                let rect = Rect::from_x_y_ranges(area.x_range(), top..=top + row_height);
                ui.scroll_to_rect_animation(rect, None, ScrollAnimation::none());
            }
            let clip = ui.clip_rect();
            let first = ((clip.top() - area.top()) / row_height).floor().max(0.0) as usize;
            let last = ((clip.bottom() - area.top()) / row_height).ceil().max(0.0) as usize;
            let pointer = ui.ctx().pointer_hover_pos().filter(|p| ui.rect_contains_pointer(area) && clip.contains(*p));
            for n in first..last.min(self.lines.len()) {
                let top = area.top() + n as f32 * row_height;
                let row = Rect::from_x_y_ranges(area.left() + GAP..=area.right(), top..=top + row_height);
                for piece in self.lines.pieces(n, &opened.row.bytes, fields, outline) {
                    let rect = piece.paint(ui, row, lit.on(fields, outline, piece.field));
                    if let Some(field) = piece.field {
                        if pointer.is_some_and(|p| rect.contains(p)) {
                            over = Some(field);
                        }
                        let named = ui.interact(rect, ui.scope_id().with(("piece", piece.start)), Sense::hover());
                        let name = &fields[field].name;
                        named.widget_info(|| {
                            WidgetInfo::labeled(Role::Cell, true, format!("text at byte {}: {name}", piece.start))
                        });
                    }
                }
            }
            if response.clicked() {
                push(ui, cx, Action::SelectField(over));
            }
            response.context_menu(|ui| copy_menu(ui, cx, opened));
        });
        over
    }
}

/// Where the bytes of a row stand.
struct Grid {
    per_row: usize,
    figure: f32,
    hex_left: f32,
    text_left: f32,
    row_height: f32,
    area: Rect,
}

impl Grid {
    /// Sixteen bytes a row, or eight where that is all there is room for.
    fn per_row(ui: &Ui, width: f32) -> usize {
        let needs = |n: usize| {
            Self::hex_left(ui) + Self::hex_width(ui, n) + HALF_GAP + n as f32 * paint::figure_width(ui) + GAP
        };
        if needs(16) <= width { 16 } else { 8 }
    }

    fn hex_left(ui: &Ui) -> f32 {
        GAP + OFFSET_DIGITS as f32 * paint::figure_width(ui) + 2.0 * HALF_GAP
    }

    fn hex_width(ui: &Ui, per_row: usize) -> f32 {
        let halves = if per_row > 8 { HALF_GAP } else { 0.0 };
        per_row as f32 * (2.0 * paint::figure_width(ui) + BYTE_GAP) + halves
    }

    fn new(ui: &Ui, per_row: usize, area: Rect) -> Self {
        let hex_left = Self::hex_left(ui);
        Self {
            per_row,
            figure: paint::figure_width(ui),
            hex_left,
            text_left: hex_left + Self::hex_width(ui, per_row) + HALF_GAP,
            row_height: paint::row_height(ui),
            area,
        }
    }

    fn top(&self, row: usize) -> f32 {
        self.area.top() + row as f32 * self.row_height
    }

    /// The cell of a byte in the hex part.
    fn hex_cell(&self, offset: usize) -> Rect {
        let (row, column) = (offset / self.per_row, offset % self.per_row);
        let half = if column >= 8 { HALF_GAP } else { 0.0 };
        let x =
            self.area.left() + self.hex_left + column as f32 * (2.0 * self.figure + BYTE_GAP) + half - BYTE_GAP / 2.0;
        Rect::from_min_size(pos2(x, self.top(row)), vec2(2.0 * self.figure + BYTE_GAP, self.row_height))
    }

    /// The cell of a byte in the text part.
    fn text_cell(&self, offset: usize) -> Rect {
        let (row, column) = (offset / self.per_row, offset % self.per_row);
        let x = self.area.left() + self.text_left + column as f32 * self.figure;
        Rect::from_min_size(pos2(x, self.top(row)), vec2(self.figure, self.row_height))
    }

    /// The byte at a point, in either part.
    fn offset_at(&self, point: Pos2, count: usize) -> Option<usize> {
        let row = ((point.y - self.area.top()) / self.row_height).floor();
        if row < 0.0 {
            return None;
        }
        let start = (row as usize).checked_mul(self.per_row)?;
        (start..(start + self.per_row).min(count))
            .find(|&offset| self.hex_cell(offset).contains(point) || self.text_cell(offset).contains(point))
    }
}

/// Offset, hex and text. Gives the field under the pointer.
fn hex(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    opened: &Opened,
    outline: &Outline,
    lit: &Lit<'_>,
    goal: Option<usize>,
) -> Option<usize> {
    let fields = &opened.dissection.fields;
    let bytes = &opened.row.bytes;
    let mut over = None;
    ScrollArea::vertical().id_salt("hex").auto_shrink(false).show(ui, |ui| {
        let per_row = Grid::per_row(ui, ui.available_width());
        let n_rows = bytes.len().div_ceil(per_row);
        let (_, area) = ui.allocate_space(vec2(ui.available_width(), n_rows as f32 * paint::row_height(ui)));
        let grid = Grid::new(ui, per_row, area);
        let response = ui.interact(area, ui.scope_id().with("hex"), Sense::CLICK);
        if let Some(offset) = goal {
            ui.scroll_to_rect_animation(grid.hex_cell(offset), None, ScrollAnimation::none());
        }
        let clip = ui.clip_rect();
        let pointer = ui.ctx().pointer_hover_pos().filter(|p| ui.rect_contains_pointer(area) && clip.contains(*p));
        over = pointer.and_then(|p| grid.offset_at(p, bytes.len())).and_then(|offset| outline.field_at(fields, offset));
        let first = ((clip.top() - area.top()) / grid.row_height).floor().max(0.0) as usize;
        let last = (((clip.bottom() - area.top()) / grid.row_height).ceil().max(0.0) as usize).min(n_rows);
        for row in first..last {
            let start = row * per_row;
            let Some(row_bytes) = bytes.get(start..(start + per_row).min(bytes.len())) else { continue };
            hex_row(ui, &grid, start, row_bytes, fields, outline, lit);
        }
        if response.clicked() {
            push(ui, cx, Action::SelectField(over));
        }
        response.context_menu(|ui| copy_menu(ui, cx, opened));
    });
    over
}

fn hex_row(ui: &Ui, grid: &Grid, start: usize, bytes: &[u8], fields: &[Field], outline: &Outline, lit: &Lit<'_>) {
    let visuals = ui.visuals();
    let (strong, plain, weak) = (visuals.strong_text_color(), visuals.text_color(), visuals.weak_text_color());
    let mono = paint::mono(ui);
    let top = grid.top(start / grid.per_row);
    let offset_cell = Rect::from_min_size(
        pos2(grid.area.left() + GAP, top),
        vec2((OFFSET_DIGITS + 1) as f32 * grid.figure, grid.row_height),
    );
    paint::text(ui, offset_cell, &format!("{start:0OFFSET_DIGITS$x}"), mono.clone(), weak, Align::Min);

    // Neighbours of one leaf make one ribbon.
    let leaves: Vec<Option<usize>> =
        (start..start + bytes.len()).map(|offset| outline.leaf_at(fields, offset)).collect();
    let mut from = 0;
    while from < leaves.len() {
        let leaf = leaves[from];
        let to = from + leaves[from..].iter().take_while(|l| **l == leaf).count();
        let light = lit.on(fields, outline, leaf);
        for cell in [Grid::hex_cell, Grid::text_cell] {
            let (head, tail) = (cell(grid, start + from), cell(grid, start + to - 1));
            let inset = if head.width() > 2.0 * grid.figure { 0.75 } else { 0.25 };
            let ribbon = head.union(tail).shrink2(vec2(inset, 1.0));
            if let Some(background) = light.background(ui) {
                ui.painter().rect_filled(ribbon, 2.0, background);
            }
        }
        from = to;
    }
    for lit_field in [lit.hovered, lit.selected].into_iter().flatten() {
        let span = lit_field.span.start.max(start)..lit_field.span.end.min(start + bytes.len());
        let selected = lit.selected.is_some_and(|s| std::ptr::eq(s, lit_field));
        let light = Light { hue: None, hovered: true, selected };
        if let Some(stroke) = light.frame(ui).filter(|_| !span.is_empty()) {
            for cell in [Grid::hex_cell, Grid::text_cell] {
                let frame = cell(grid, span.start).union(cell(grid, span.end - 1)).shrink2(vec2(0.25, 1.0));
                paint::outline(ui, frame, stroke);
            }
        }
    }

    for (column, &byte) in bytes.iter().enumerate() {
        let offset = start + column;
        let light = lit.on(fields, outline, leaves[column]);
        let color = if light.hovered || light.selected { strong } else { plain };
        let cell = grid.hex_cell(offset);
        paint::text(ui, cell, &format!("{byte:02x}"), mono.clone(), color, Align::Center);
        let named = ui.interact(cell, Id::unique((ui.scope_id(), "byte", offset)), Sense::hover());
        named.widget_info(|| {
            let name = leaves[column].and_then(|l| fields.get(l)).map_or("", |f| f.name.as_ref());
            let gap = if name.is_empty() { "" } else { ", " };
            WidgetInfo::labeled(Role::Cell, true, format!("byte {offset}: {byte:02x}{gap}{name}"))
        });
        let (shown, color) = printable(byte).map_or(('·', weak), |c| (c, color));
        paint::text(ui, grid.text_cell(offset), &shown.to_string(), mono.clone(), color, Align::Center);
    }
}

/// What is pointed at or selected, and the bits of its word. Gives the field whose bit is under the pointer.
fn footer(
    ui: &mut Ui,
    rect: Rect,
    cx: &mut Cx<'_>,
    opened: &Opened,
    outline: &Outline,
    about: Option<usize>,
) -> Option<usize> {
    ui.painter().hline(rect.x_range(), rect.top(), ui.visuals().widgets.noninteractive.bg_stroke);
    let fields = &opened.dissection.fields;
    let (plain, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
    let height = paint::row_height(ui);
    let line = |n: f32| {
        let top = rect.top() + 1.0 + n * height;
        Rect::from_x_y_ranges(rect.left() + GAP..=rect.right() - GAP, top..=top + height)
    };
    let (index, field) = about.and_then(|i| Some((i, fields.get(i)?)))?;
    let value = field.text();
    let gap = if value.is_empty() { "" } else { ": " };
    let text = format!("{}{gap}{value}", field.name);
    paint::text(ui, line(0.0), &text, paint::body(ui), plain, Align::Min);

    let parts_of_word = (index + 1..outline.end(index)).any(|i| fields.get(i).is_some_and(|f| f.bits.is_some()));
    let bytes = explain::bytes_of(field, &opened.row.bytes);
    let Some(word) = explain::word(bytes).filter(|_| field.bits.is_some() || parts_of_word) else {
        paint::text(ui, line(1.0), &explain::raw_hex(bytes), paint::mono(ui), weak, Align::Min);
        return None;
    };
    bits(ui, cx, line(1.0), fields, outline, index, word, bytes.len() * 8)
}

/// The bits of a word, those of the field marked. Gives the field whose bit is under the pointer.
#[expect(clippy::too_many_arguments, reason = "a word, its field and where to draw it")]
fn bits(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    row: Rect,
    fields: &[Field],
    outline: &Outline,
    index: usize,
    word: u64,
    count: usize,
) -> Option<usize> {
    let field = fields.get(index)?;
    let tint = outline.hue_of_word(index).map(|hue| tint_of(ui, hue));
    let figure = paint::figure_width(ui);
    let cell_width = figure + 1.0;
    let mono = paint::mono(ui);
    let (strong, weak) = (ui.visuals().strong_text_color(), ui.visuals().weak_text_color());
    let mut over = None;
    for bit in (0..count).rev() {
        let place = count - 1 - bit;
        let x = row.left() + place as f32 * cell_width + (place / 4) as f32 * figure;
        let cell = Rect::from_min_size(pos2(x, row.top() + 1.0), vec2(cell_width, row.height() - 2.0));
        let mine = field.bits.is_none_or(|(low, high)| (usize::from(low)..=usize::from(high)).contains(&bit));
        let leaf = u8::try_from(bit).ok().and_then(|bit| outline.bit_at(fields, index, bit));
        if let Some(tint) = tint
            && leaf.is_some()
        {
            let fill = if mine && field.bits.is_some() { tint.lit } else { tint.soft };
            ui.painter().rect_filled(cell.shrink2(vec2(0.25, 0.0)), 1.0, fill);
        }
        let digit = if word >> bit & 1 == 1 { "1" } else { "0" };
        paint::text(ui, cell, digit, mono.clone(), if mine { strong } else { weak }, Align::Center);
        let response = ui.interact(cell, ui.scope_id().with(("bit", bit)), Sense::CLICK);
        let name = leaf.and_then(|l| fields.get(l)).map_or("", |f| f.name.as_ref());
        response.widget_info(|| WidgetInfo::labeled(Role::Cell, true, format!("bit {bit}: {digit} {name}")));
        if response.hovered() {
            over = leaf;
        }
        if response.clicked() && leaf.is_some() {
            push(ui, cx, Action::SelectField(leaf));
        }
    }
    over
}

/// Every dress, for the whole packet and for the selected field.
fn copy_menu(ui: &mut Ui, cx: &Cx<'_>, opened: &Opened) {
    let bytes = &opened.row.bytes;
    let selected = cx.view.selection.field.and_then(|i| opened.dissection.fields.get(i));
    ui.label(RichText::new("Packet").weak());
    copy_buttons(ui, bytes, "");
    if let Some(field) = selected {
        ui.separator();
        ui.label(RichText::new(field.name.as_ref()).weak());
        copy_buttons(ui, explain::bytes_of(field, bytes), "Field as ");
    }
}

fn copy_buttons(ui: &mut Ui, bytes: &[u8], before: &str) {
    for dress in CopyAs::ALL {
        if ui.button(format!("{before}{}", dress.title())).clicked() {
            ui.ctx().copy_text(dress.dress(bytes));
            ui.close();
        }
    }
}
