//! Who is near, who is in view, who stands on the same spot: a uniform grid over points of the unit square.

use std::ops::Range;

use super::mercator::{World, WorldBox};

/// Cells along a side at most.
const MAX_SIDE: usize = 256;

/// A grid over points. One that moves within its cell is moved in place; else the grid is made anew (10 000 points take well under a millisecond).
///
/// Points are known by their index in the slice they came from.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    points: Vec<World>,
    bounds: Option<WorldBox>,
    side: usize,
    /// Where each cell's points start in `items`, and one more for the end.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Grid {
    /// From up to four thousand million points.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the root of a length is small and positive"
    )]
    pub fn new(points: Vec<World>) -> Self {
        if points.is_empty() {
            return Self::default();
        }
        let bounds = WorldBox::around(points.iter().copied());
        let side = ((points.len() as f64).sqrt() as usize).clamp(1, MAX_SIDE);
        let mut grid = Self { bounds: Some(bounds), side, starts: vec![0; side * side + 1], items: Vec::new(), points };
        let cells: Vec<usize> = grid.points.iter().map(|p| grid.cell(bounds, *p)).collect();
        for cell in &cells {
            grid.starts[cell + 1] += 1;
        }
        for cell in 0..side * side {
            grid.starts[cell + 1] += grid.starts[cell];
        }
        let mut next = grid.starts.clone();
        grid.items = vec![0; grid.points.len()];
        for (index, cell) in (0u32..).zip(&cells) {
            grid.items[next[*cell] as usize] = index;
            next[*cell] += 1;
        }
        grid
    }

    /// Moves points, each by its index; an index that there is not is passed over.
    pub fn shift(&mut self, moved: &[(usize, World)]) {
        let Some(bounds) = self.bounds else { return };
        let mut stay = true;
        for (index, to) in moved {
            let Some(from) = self.points.get(*index).copied() else { continue };
            stay &= bounds.contains(*to) && self.cell(bounds, from) == self.cell(bounds, *to);
            self.points[*index] = *to;
        }
        if !stay {
            *self = Self::new(std::mem::take(&mut self.points));
        }
    }

    /// The points, as they were given and moved.
    pub fn points(&self) -> &[World] {
        &self.points
    }

    /// A box around all points; `None` where there are none.
    pub fn bounds(&self) -> Option<WorldBox> {
        self.bounds
    }

    /// Indices of the points in `view`, in no order.
    pub fn within(&self, view: WorldBox) -> Vec<usize> {
        let mut found = Vec::new();
        let Some(bounds) = self.bounds.filter(|b| b.touches(view)) else { return found };
        let (first, last) = (self.column_row(bounds, view.min), self.column_row(bounds, view.max));
        for row in first.1..=last.1 {
            let of_row = |column| self.starts[row * self.side + column] as usize;
            // Cells of a row stand behind each other, and those between the outermost are in view with all that they hold.
            let between = first.1 < row && row < last.1 && last.0 - first.0 > 1;
            let inside = if between { of_row(first.0 + 1)..of_row(last.0) } else { 0..0 };
            let all = of_row(first.0)..of_row(last.0 + 1);
            let (before, behind) = if between { (all.start..inside.start, inside.end..all.end) } else { (all, 0..0) };
            found.extend(self.items[inside].iter().map(|i| *i as usize));
            for i in self.items[before].iter().chain(&self.items[behind]) {
                if view.contains(self.points[*i as usize]) {
                    found.push(*i as usize);
                }
            }
        }
        found
    }

    /// The point nearest to `place` and within `radius` units of it; of equals the one with the highest index.
    pub fn nearest(&self, place: World, radius: f64) -> Option<usize> {
        let near = self.within(WorldBox::around([place]).expanded(radius)).into_iter();
        let measured = near.map(|i| (self.points[i].distance(place), i)).filter(|(d, _)| *d <= radius);
        measured.min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))).map(|(_, i)| i)
    }

    /// Sorts `among` so that points of the same square of `size` units stand together, and says where each square's are.
    ///
    /// The squares are those of the unit square, so they stay as they are when the view moves.
    pub fn heaps(&self, among: &mut [usize], size: f64) -> Vec<Range<usize>> {
        let per_unit = size.recip();
        let squares: Vec<(i64, i64)> = among.iter().map(|i| square(self.points[*i], per_unit)).collect();
        let Some(first) = squares.first() else { return Vec::new() };
        let ends = (*first, *first);
        let ((left, top), (right, bottom)) = squares
            .iter()
            .fold(ends, |(low, high), (x, y)| ((low.0.min(*x), low.1.min(*y)), (high.0.max(*x), high.1.max(*y))));
        let wide = |from: i64, to: i64| to.saturating_sub(from).saturating_add(1);
        let (columns, rows) = (wide(left, right), wide(top, bottom));
        let count = columns.checked_mul(rows).and_then(|n| usize::try_from(n).ok());
        match count.filter(|n| *n <= MAX_SQUARES) {
            Some(count) => {
                let numbers = squares.iter().map(|(x, y)| usize::try_from((x - left) * rows + y - top).unwrap_or(0));
                sorted_by_count(among, &numbers.collect::<Vec<_>>(), count)
            }
            None => sorted(among, &squares),
        }
    }

    fn cell(&self, bounds: WorldBox, p: World) -> usize {
        let (column, row) = self.column_row(bounds, p);
        row * self.side + column
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "casts saturate, and the result is clamped to the grid"
    )]
    fn column_row(&self, bounds: WorldBox, p: World) -> (usize, usize) {
        let place = |at: f64, from: f64, to: f64| {
            let part = (at - from) / (to - from).max(f64::MIN_POSITIVE);
            ((part * self.side as f64) as usize).min(self.side - 1)
        };
        (place(p.x, bounds.min.x, bounds.max.x), place(p.y, bounds.min.y, bounds.max.y))
    }
}

/// Squares so few that they are all counted, which is quicker than to sort.
const MAX_SQUARES: usize = 1 << 14;

/// As [`Grid::heaps`], by the number of the square of each, all below `squares`.
fn sorted_by_count(among: &mut [usize], numbers: &[usize], squares: usize) -> Vec<Range<usize>> {
    let mut ends = vec![0; squares + 1];
    for number in numbers {
        ends[number + 1] += 1;
    }
    for n in 0..squares {
        ends[n + 1] += ends[n];
    }
    let mut next = ends.clone();
    let before = among.to_vec();
    for (index, number) in before.into_iter().zip(numbers) {
        among[next[*number]] = index;
        next[*number] += 1;
    }
    ends.windows(2).map(|pair| pair[0]..pair[1]).filter(|range| !range.is_empty()).collect()
}

fn sorted(among: &mut [usize], squares: &[(i64, i64)]) -> Vec<Range<usize>> {
    let mut keyed: Vec<((i64, i64), usize)> = squares.iter().copied().zip(among.iter().copied()).collect();
    keyed.sort_unstable();
    for (slot, (_, index)) in among.iter_mut().zip(&keyed) {
        *slot = *index;
    }
    let mut start = 0;
    let lengths = keyed.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len);
    lengths
        .map(|len| {
            start += len;
            start - len..start
        })
        .collect()
}

fn square(p: World, per_unit: f64) -> (i64, i64) {
    (whole(p.x * per_unit), whole(p.y * per_unit))
}

/// The number of whole units in a position: what `floor` gives, which is a call into the C library where a program is built for every processor.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a position in units of a square; saturates"
)]
pub fn whole(at: f64) -> i64 {
    let towards_zero = at as i64;
    towards_zero.saturating_sub(i64::from(towards_zero as f64 > at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(max: usize) -> impl Strategy<Value = Vec<World>> {
        prop::collection::vec((0.4..0.6, 0.4..0.6).prop_map(|(x, y)| World { x, y }), 0..max)
    }

    proptest! {
        #[test]
        fn within_is_what_a_plain_search_finds(points in points(300), x in 0.3..0.7, y in 0.3..0.7, half in 0.0..0.2) {
            let view = WorldBox::around([World { x, y }]).expanded(half);
            let expected: Vec<usize> = (0..points.len()).filter(|i| view.contains(points[*i])).collect();
            let grid = Grid::new(points);
            let mut found = grid.within(view);
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn nearest_is_what_a_plain_search_finds(points in points(300), x in 0.3..0.7, y in 0.3..0.7, radius in 0.0..0.2) {
            let place = World { x, y };
            let expected = points.iter().map(|p| p.distance(place)).filter(|d| *d <= radius).min_by(f64::total_cmp);
            let grid = Grid::new(points);
            prop_assert_eq!(grid.nearest(place, radius).map(|i| grid.points()[i].distance(place)), expected);
        }

        #[test]
        fn a_grid_whose_points_moved_is_the_grid_of_where_they_are_now(
            points in points(300),
            moves in prop::collection::vec((0usize..400, (0.39..0.61, 0.39..0.61), prop::bool::ANY), 0..30),
            half in 0.0..0.2
        ) {
            let (mut grid, mut expected) = (Grid::new(points.clone()), points);
            let mut moved = Vec::new();
            for (index, (x, y), far) in moves {
                let Some(place) = expected.get_mut(index) else {
                    moved.push((index, World { x, y }));
                    continue;
                };
                *place = if far { World { x, y } } else { World { x: place.x + 1e-6, y: place.y } };
                moved.push((index, *place));
            }
            grid.shift(&moved);
            prop_assert_eq!(grid.points(), expected.as_slice());
            let view = WorldBox::around([World { x: 0.5, y: 0.5 }]).expanded(half);
            let (mut found, fresh) = (grid.within(view), Grid::new(expected));
            let mut wanted = fresh.within(view);
            found.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(found, wanted);
        }

        #[test]
        fn whole_units_are_counted_downwards(at in prop_oneof![-1e12..-1.0, 0.0..1e12]) {
            prop_assert_eq!(whole(at).to_string(), format!("{:.0}", at.floor()));
        }

        #[test]
        fn heaps_hold_everyone_once_and_only_neighbours(points in points(300), size in prop_oneof![0.001..0.1, 1e-6..1e-4]) {
            let grid = Grid::new(points);
            let mut among: Vec<usize> = (0..grid.points().len()).collect();
            let heaps = grid.heaps(&mut among, size);
            prop_assert_eq!(heaps.iter().map(ExactSizeIterator::len).sum::<usize>(), among.len());
            for heap in heaps {
                let spot = WorldBox::around(among[heap].iter().map(|i| grid.points()[*i]));
                prop_assert!(spot.size().0 <= size && spot.size().1 <= size);
            }
            among.sort_unstable();
            prop_assert!(among.iter().enumerate().all(|(n, i)| n == *i));
        }
    }

    #[test]
    fn many_on_one_spot_and_nobody_at_all() {
        let grid = Grid::new(vec![World::CENTER; 1_000]);
        assert_eq!(grid.within(WorldBox::around([World::CENTER])).len(), 1_000);
        assert_eq!(grid.nearest(World::CENTER, 0.0), Some(999));
        assert_eq!(Grid::new(Vec::new()).within(WorldBox::around([World::CENTER])).len(), 0);
    }
}
