//! Bytes as offset, hex and text, in the colours of their fields.

use egui::{
    Align, Id, Pos2, Rect, Response, ScrollArea, Sense, Ui, WidgetInfo, accesskit::Role, style::ScrollAnimation, vec2,
};

use super::{
    copy::printable,
    light::{Light, Lit},
    outline::Outline,
    paint::{self, GAP},
    rows::{Rows, points},
};
use crate::wire::Field;

/// Space between two bytes.
const BYTE_GAP: f32 = 4.0;

/// Space between the halves of a row, and between hex and text.
const HALF_GAP: f32 = 6.0;

/// How bytes share the width.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Of an offset.
    digits: usize,
    per_row: usize,
    /// Text beside the hex.
    text: bool,
    figure: f32,
}

impl Shape {
    /// Sixteen bytes a row, or eight where that is all there is room for; the text goes before the eight do.
    fn fit(ui: &Ui, n_bytes: usize) -> Self {
        let digits = if n_bytes > 0x1_0000 { 6 } else { 4 };
        let shape = |(per_row, text)| Self { digits, per_row, text, figure: paint::figure_width(ui) };
        let shapes = [(16, true), (8, true)].map(shape);
        shapes.into_iter().find(|s| s.width() <= ui.available_width()).unwrap_or_else(|| shape((8, false)))
    }

    fn byte_width(&self) -> f32 {
        2.0 * self.figure + BYTE_GAP
    }

    fn hex_left(&self) -> f32 {
        GAP + points(self.digits) * self.figure + 2.0 * HALF_GAP
    }

    fn text_left(&self) -> f32 {
        let halves = if self.per_row > 8 { HALF_GAP } else { 0.0 };
        self.hex_left() + points(self.per_row) * self.byte_width() + halves + HALF_GAP
    }

    fn width(&self) -> f32 {
        self.text_left() + if self.text { points(self.per_row) * self.figure } else { 0.0 } + GAP
    }
}

/// Where each byte stands.
struct Grid {
    shape: Shape,
    rows: Rows,
}

impl Grid {
    /// The cell of a byte in the hex part.
    fn hex_cell(&self, offset: usize) -> Rect {
        let (row, column) = (self.rows.rect(offset / self.shape.per_row), offset % self.shape.per_row);
        let half = if column >= 8 { HALF_GAP } else { 0.0 };
        let width = self.shape.byte_width();
        let left = row.left() + self.shape.hex_left() + points(column) * width + half - BYTE_GAP / 2.0;
        Rect::from_x_y_ranges(left..=left + width, row.y_range())
    }

    /// The cell of a byte in the text part.
    fn text_cell(&self, offset: usize) -> Rect {
        let (row, column) = (self.rows.rect(offset / self.shape.per_row), offset % self.shape.per_row);
        let left = row.left() + self.shape.text_left() + points(column) * self.shape.figure;
        Rect::from_x_y_ranges(left..=left + self.shape.figure, row.y_range())
    }

    /// Every cell of a byte: in the hex part and, where there is one, in the text part.
    fn cells(&self, offset: usize) -> impl Iterator<Item = Rect> {
        std::iter::once(self.hex_cell(offset)).chain(self.shape.text.then(|| self.text_cell(offset)))
    }

    /// The byte at a point, in either part.
    fn offset_at(&self, point: Pos2, count: usize) -> Option<usize> {
        let start = self.rows.at(point.y)? * self.shape.per_row;
        (start..(start + self.shape.per_row).min(count)).find(|&o| self.cells(o).any(|cell| cell.contains(point)))
    }
}

/// What the pointer does to bytes.
pub struct Pointed {
    /// The field under the pointer.
    pub over: Option<usize>,
    /// The byte under the pointer, where bytes are shown one by one.
    pub byte: Option<usize>,
    /// The byte on which the button was pressed.
    pub pressed: Option<usize>,
    /// How many bytes stand in a row.
    pub per_row: usize,
    /// The whole of the bytes: clicks and menus.
    pub response: Response,
}

/// Shows the bytes; `goal` is an offset to bring into view.
pub fn show(
    ui: &mut Ui,
    bytes: &[u8],
    fields: &[Field],
    outline: &Outline,
    lit: &Lit<'_>,
    goal: Option<usize>,
) -> Pointed {
    let scroll = ScrollArea::vertical().id_salt("hex").auto_shrink(false);
    scroll
        .show(ui, |ui| {
            let shape = Shape::fit(ui, bytes.len());
            let rows = Rows::allocate(ui, bytes.len().div_ceil(shape.per_row));
            let (area, grid) = (rows.area, Grid { shape, rows });
            let response = ui.interact(area, ui.scope_id().with("hex"), Sense::CLICK | Sense::DRAG);
            if let Some(offset) = goal {
                ui.scroll_to_rect_animation(grid.hex_cell(offset), None, ScrollAnimation::none());
            }
            let clip = ui.clip_rect();
            let pointer = ui.ctx().pointer_hover_pos().filter(|p| ui.rect_contains_pointer(area) && clip.contains(*p));
            let byte = pointer.and_then(|p| grid.offset_at(p, bytes.len()));
            let over = byte.and_then(|offset| outline.field_at(fields, offset));
            let origin = ui.input(|i| i.pointer.press_origin()).filter(|p| area.contains(*p) && clip.contains(*p));
            let pressed = origin.and_then(|p| grid.offset_at(p, bytes.len()));
            for row in rows.visible(clip) {
                let start = row * shape.per_row;
                let Some(row_bytes) = bytes.get(start..(start + shape.per_row).min(bytes.len())) else { continue };
                hex_row(ui, &grid, start, row_bytes, fields, outline, lit);
            }
            Pointed { over, byte, pressed, per_row: shape.per_row, response }
        })
        .inner
}

fn hex_row(ui: &Ui, grid: &Grid, start: usize, bytes: &[u8], fields: &[Field], outline: &Outline, lit: &Lit<'_>) {
    let visuals = ui.visuals();
    let (strong, plain, weak) = (visuals.strong_text_color(), visuals.text_color(), visuals.weak_text_color());
    let mono = paint::mono(ui);
    let row = grid.rows.rect(start / grid.shape.per_row);
    let offset_cell = row.with_min_x(row.left() + GAP).with_max_x(row.left() + grid.shape.hex_left());
    let digits = grid.shape.digits;
    paint::text(ui, offset_cell, &format!("{start:0digits$x}"), mono.clone(), weak, Align::Min);

    // Neighbours of one leaf make one ribbon.
    let leaves: Vec<Option<usize>> =
        (start..start + bytes.len()).map(|offset| outline.leaf_at(fields, offset)).collect();
    let mut from = 0;
    while from < leaves.len() {
        let leaf = leaves[from];
        let to = from + leaves[from..].iter().take_while(|l| **l == leaf).count();
        let light = lit.on(fields, outline, leaf);
        for (head, tail) in grid.cells(start + from).zip(grid.cells(start + to - 1)) {
            let inset = if head.width() > 2.0 * grid.shape.figure { 0.75 } else { 0.25 };
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
            for (head, tail) in grid.cells(span.start).zip(grid.cells(span.end - 1)) {
                paint::outline(ui, head.union(tail).shrink2(vec2(0.25, 1.0)), stroke);
            }
        }
    }

    for (column, &byte) in bytes.iter().enumerate() {
        let offset = start + column;
        let light = lit.on(fields, outline, leaves[column]);
        let run = lit.runs_over(offset);
        let color = if light.hovered || light.selected || run { strong } else { plain };
        let cell = grid.hex_cell(offset);
        if run {
            for cell in grid.cells(offset) {
                ui.painter().rect_filled(cell.shrink2(vec2(0.0, 1.0)), 0.0, visuals.selection.bg_fill);
            }
        }
        paint::text(ui, cell, &format!("{byte:02x}"), mono.clone(), color, Align::Center);
        let named = ui.interact(cell, Id::unique((ui.scope_id(), "byte", offset)), Sense::hover());
        named.widget_info(|| {
            let name = leaves[column].and_then(|l| fields.get(l)).map_or("", |f| f.name.as_ref());
            let gap = if name.is_empty() { "" } else { ", " };
            let lit = light.hovered || light.selected || run;
            WidgetInfo::selected(Role::Cell, true, lit, format!("byte {offset}: {byte:02x}{gap}{name}"))
        });
        if !grid.shape.text {
            continue;
        }
        let (shown, color) = printable(byte).map_or(('·', weak), |c| (c, color));
        paint::text(ui, grid.text_cell(offset), &shown.to_string(), mono.clone(), color, Align::Center);
    }
}
