//! A text body broken into lines that never tear a field where it can be helped.

use std::ops::Range;

use egui::{Align, Rect, Ui, pos2, vec2};

use super::{light::Light, outline::Outline, paint, rows::points};
use crate::{model::PacketId, wire::Field};

/// The lines of one body at one width, laid once.
#[derive(Default)]
pub struct Lines {
    laid: Option<(PacketId, usize, usize)>,
    lines: Vec<Range<usize>>,
}

/// A run of one field within a line.
pub struct Piece {
    /// The leaf; `None` for bytes that no field has.
    pub field: Option<usize>,
    /// Offset of its first byte.
    pub start: usize,
    /// Characters before it in the line.
    pub column: usize,
    text: String,
}

impl Lines {
    /// Breaks `body` into lines of at most `columns` characters, unless that is already done.
    pub fn lay(&mut self, id: PacketId, body: &[u8], fields: &[Field], outline: &Outline, columns: usize) {
        let key = (id, fields.len(), columns);
        if self.laid == Some(key) {
            return;
        }
        self.laid = Some(key);
        self.lines.clear();
        let Ok(text) = std::str::from_utf8(body) else { return };
        let (mut start, mut used, mut leaf) = (0, 0, None);
        for (offset, c) in text.char_indices() {
            let here = outline.leaf_at(fields, offset);
            let enters = here != leaf;
            leaf = here;
            // A field that fits a line of its own is not torn.
            let rest = here.filter(|_| enters).map_or(1, |l| characters(text, &fields[l].span));
            let full = used + 1 > columns || (enters && used > 0 && used + rest > columns && rest <= columns);
            if full && offset > start {
                self.lines.push(start..offset);
                (start, used) = (offset, 0);
            }
            used += 1;
            if c == '\n' {
                self.lines.push(start..offset + 1);
                (start, used) = (offset + 1, 0);
            }
        }
        if start < text.len() {
            self.lines.push(start..text.len());
        }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True where there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line that holds this byte.
    pub fn line_of(&self, offset: usize) -> Option<usize> {
        let line = self.lines.partition_point(|l| l.end <= offset);
        (line < self.lines.len()).then_some(line)
    }

    /// One line, cut where fields meet.
    pub fn pieces(&self, line: usize, body: &[u8], fields: &[Field], outline: &Outline) -> Vec<Piece> {
        let Some(span) = self.lines.get(line) else { return Vec::new() };
        let Some(text) = body.get(span.clone()).and_then(|b| std::str::from_utf8(b).ok()) else { return Vec::new() };
        let mut pieces: Vec<Piece> = Vec::new();
        for (column, (at, c)) in text.char_indices().enumerate() {
            let field = outline.leaf_at(fields, span.start + at);
            if pieces.last().is_none_or(|p| p.field != field) {
                pieces.push(Piece { field, start: span.start + at, column, text: String::new() });
            }
            let shown = if c.is_control() { ' ' } else { c };
            pieces.last_mut().expect("one was just put there").text.push(shown);
        }
        pieces
    }
}

fn characters(text: &str, span: &Range<usize>) -> usize {
    text.get(span.clone()).map_or(span.len(), |t| t.chars().count())
}

impl Piece {
    /// Draws the run where it stands in its line, each character in a cell of its own. Gives what it covers.
    pub fn paint(&self, ui: &Ui, row: Rect, light: Light) -> Rect {
        let figure = paint::figure_width(ui);
        let left = row.left() + points(self.column) * figure;
        let width = points(self.text.chars().count()) * figure;
        let rect = Rect::from_min_size(pos2(left, row.top()), vec2(width, row.height()));
        let ribbon = rect.shrink2(vec2(0.0, 1.0));
        if let Some(background) = light.background(ui) {
            ui.painter().rect_filled(ribbon, 2.0, background);
        }
        if let Some(stroke) = light.frame(ui) {
            paint::outline(ui, ribbon, stroke);
        }
        let strong = light.hovered || light.selected;
        let color = if strong { ui.visuals().strong_text_color() } else { ui.visuals().text_color() };
        let mono = paint::mono(ui);
        if self.text.is_ascii() {
            paint::text(ui, rect.expand2(vec2(figure, 0.0)).with_min_x(left), &self.text, mono, color, Align::Min);
        } else {
            // Other scripts have other widths; a cell for each keeps the fields where the pointer finds them.
            for (n, c) in self.text.chars().enumerate() {
                let cell = Rect::from_min_size(pos2(left + points(n) * figure, row.top()), vec2(figure, row.height()));
                paint::text(ui, cell.expand2(vec2(figure, 0.0)), &c.to_string(), mono.clone(), color, Align::Center);
            }
        }
        rect
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Value;

    fn leaf(name: &'static str, span: Range<usize>) -> Field {
        Field { name: name.into(), span, bits: None, depth: 0, value: Value::Group, unit: "", source: "" }
    }

    fn check(body: &str, fields: &[Field], columns: usize, expected: &[&str]) {
        let outline = Outline::of(fields);
        let mut lines = Lines::default();
        lines.lay(PacketId(1), body.as_bytes(), fields, &outline, columns);
        let shown: Vec<String> = (0..lines.len())
            .map(|n| {
                lines
                    .pieces(n, body.as_bytes(), fields, &outline)
                    .iter()
                    .map(|p| p.text.as_str())
                    .collect::<Vec<_>>()
                    .join("|")
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_field_goes_to_the_next_line_rather_than_in_two() {
        let fields = [leaf("open", 0..1), leaf("a", 1..7), leaf("b", 7..14), leaf("close", 14..15)];
        check("{\"a\":1,\"bb\":22}", &fields, 100, &["{|\"a\":1,|\"bb\":22|}"]);
        check("{\"a\":1,\"bb\":22}", &fields, 10, &["{|\"a\":1,", "\"bb\":22|}"]);
    }

    #[test]
    fn a_field_longer_than_a_line_is_torn_and_line_ends_are_kept() {
        check("abcdefgh", &[leaf("x", 0..8)], 3, &["abc", "def", "gh"]);
        check("ab\ncd", &[leaf("x", 0..5)], 80, &["ab ", "cd"]);
        check("grüße", &[leaf("x", 0..7)], 4, &["grüß", "e"]);
    }

    #[test]
    fn bytes_are_found_in_their_line() {
        let fields = [leaf("x", 0..8)];
        let mut lines = Lines::default();
        lines.lay(PacketId(1), b"abcdefgh", &fields, &Outline::of(&fields), 3);
        assert_eq!([0, 2, 3, 7, 8].map(|o| lines.line_of(o)), [Some(0), Some(0), Some(1), Some(2), None]);
    }
}
