//! Rows of equal height below each other: where each is, and which of them can be seen.

use std::ops::Range;

use egui::{Rect, Ui, pos2, vec2};

use super::paint;

/// A count as points or cells. Beyond 16 million rows it is off by a row or two.
#[expect(clippy::cast_precision_loss, reason = "lists are bounded far below that")]
pub fn points(n: usize) -> f32 {
    n as f32
}

/// How many whole ones fit; none where the number is negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from f32 saturates, as is meant here"
)]
pub fn whole(x: f32) -> usize {
    x.floor() as usize
}

/// Rows that fill an area from its top.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub area: Rect,
    pub height: f32,
    pub count: usize,
}

impl Rows {
    /// Takes room for so many rows, as wide as there is room.
    pub fn allocate(ui: &mut Ui, count: usize) -> Self {
        let height = paint::row_height(ui);
        let (_, area) = ui.allocate_space(vec2(ui.available_width(), points(count) * height));
        Self { area, height, count }
    }

    /// Where a row is.
    pub fn rect(&self, n: usize) -> Rect {
        let top = self.area.top() + points(n) * self.height;
        Rect::from_min_size(pos2(self.area.left(), top), vec2(self.area.width(), self.height))
    }

    /// The rows of which something can be seen.
    pub fn visible(&self, clip: Rect) -> Range<usize> {
        let first = whole((clip.top() - self.area.top()) / self.height);
        let last = whole(((clip.bottom() - self.area.top()) / self.height).ceil());
        first..last.min(self.count)
    }

    /// The row at this height.
    pub fn at(&self, y: f32) -> Option<usize> {
        let n = whole((y - self.area.top()) / self.height);
        (y >= self.area.top() && n < self.count).then_some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_where_they_are() {
        let area = Rect::from_min_size(pos2(0.0, -100.0), vec2(50.0, 400.0));
        let rows = Rows { area, height: 20.0, count: 20 };
        assert_eq!(rows.rect(6), Rect::from_min_size(pos2(0.0, 20.0), vec2(50.0, 20.0)));
        assert_eq!([rows.at(-101.0), rows.at(-100.0), rows.at(25.0), rows.at(300.0)], [None, Some(0), Some(6), None]);
        let clip = Rect::from_min_size(pos2(0.0, 0.0), vec2(50.0, 50.0));
        assert_eq!(rows.visible(clip), 5..8);
        assert!(rows.visible(clip.translate(vec2(0.0, 1_000.0))).is_empty());
    }
}
