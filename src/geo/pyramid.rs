//! A long line with a level of detail per zoom, so that a track of a million points costs a frame no more than it shows.
//!
//! Points are appended; each goes into every level in which it is far enough from the last one kept there. A level's points are
//! grouped in chunks of [`CHUNK`] with their box, so that what is out of view is passed over without looking at its points.
//! Taking the end off again ([`Pyramid::truncate`]) is what a late point needs to get its place.

use std::ops::Range;

use super::mercator::{World, WorldBox};

/// Points a chunk.
pub const CHUNK: usize = 128;

/// Levels; the last holds every point.
const LEVELS: u8 = 15;

/// The zoom (of a world 256 pixels wide at zoom 0) for which the first level is made.
const FIRST_ZOOM: u8 = 3;

/// Points of one level that are nearer to each other than this are drawn as one.
const TOLERANCE_PX: f64 = 1.0;

/// The line. A point beyond the antimeridian is counted on, so that the line to it is the short one. Never changes a point's number: number `i` is the `i`th that was appended.
#[derive(Debug, Clone, Default)]
pub struct Pyramid {
    points: Vec<World>,
    /// Numbers of the points that no line leads to, ascending: the line is broken before each.
    breaks: Vec<u32>,
    levels: Vec<Level>,
}

/// The numbers of the points that one zoom shows, ascending, with the box of each chunk.
#[derive(Debug, Clone, Default)]
struct Level {
    kept: Vec<u32>,
    boxes: Vec<WorldBox>,
}

/// One level of a [`Pyramid`], to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Detail<'a> {
    pyramid: &'a Pyramid,
    level: u8,
}

impl Pyramid {
    /// Points so far.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// True where there is no point yet.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The point with this number.
    pub fn point(&self, number: usize) -> Option<World> {
        self.points.get(number).copied()
    }

    /// All points.
    pub fn points(&self) -> &[World] {
        &self.points
    }

    /// True where no line leads to this point from the one before it.
    pub fn is_break(&self, number: usize) -> bool {
        u32::try_from(number).is_ok_and(|n| self.breaks.binary_search(&n).is_ok())
    }

    /// Numbers of the points with a break before them, ascending; never 0.
    pub fn breaks(&self) -> impl Iterator<Item = usize> {
        self.breaks.iter().map(|n| *n as usize)
    }

    /// Appends a point; `after_gap` breaks the line before it. Beyond four thousand million points nothing is added.
    pub fn push(&mut self, point: World, after_gap: bool) {
        let Ok(number) = u32::try_from(self.points.len()) else { return };
        let after_gap = after_gap && number > 0;
        let point = self.points.last().map_or(point, |last| point.near(*last));
        self.points.push(point);
        if after_gap {
            self.breaks.push(number);
        }
        self.levels.resize_with(usize::from(LEVELS), Level::default);
        for (index, level) in (0..LEVELS).zip(&mut self.levels) {
            let far_enough = index + 1 == LEVELS
                || level.kept.last().is_none_or(|last| is_apart(self.points[*last as usize], point, index));
            if !far_enough && !after_gap {
                continue;
            }
            // Both sides of a gap are kept, or the line would end short of it.
            if after_gap && level.kept.last() != Some(&(number - 1)) {
                level.keep(number - 1, self.points[number as usize - 1]);
            }
            level.keep(number, point);
        }
    }

    /// Forgets every point with a number of `len` or more.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.points.len() {
            return;
        }
        self.points.truncate(len);
        self.breaks.truncate(self.breaks.partition_point(|n| (*n as usize) < len));
        for (index, level) in (0..LEVELS).zip(&mut self.levels) {
            level.kept.truncate(level.kept.partition_point(|n| (*n as usize) < len));
            // The last may have been kept only because it stood before a gap, which is gone now.
            if let [.., before, last] = level.kept[..]
                && index + 1 < LEVELS
                && self.breaks.last() != Some(&last)
                && !is_apart(self.points[before as usize], self.points[last as usize], index)
            {
                level.kept.pop();
            }
            level.boxes.truncate(level.kept.len().div_ceil(CHUNK));
            if let Some(last) = level.boxes.last_mut() {
                let start = (level.kept.len() - 1) / CHUNK * CHUNK;
                *last = WorldBox::around(level.kept[start..].iter().map(|n| self.points[*n as usize]));
            }
        }
    }

    /// The box around every point.
    pub fn bounds(&self) -> WorldBox {
        // The coarsest level leaves out points by less than its tolerance.
        let Some(coarsest) = self.levels.first() else { return WorldBox::EMPTY };
        let all = coarsest.boxes.iter().copied().fold(WorldBox::EMPTY, WorldBox::union);
        all.expanded(tolerance(0))
    }

    /// What to draw at `zoom`: the finest level that has no more than `budget` points in `view`, and none finer than the zoom can show.
    pub fn detail(&self, zoom: f64, view: WorldBox, budget: usize) -> Detail<'_> {
        let mut level = level_of(zoom);
        while level > 0 && self.at_level(level).visible(view).map(|r| r.len()).sum::<usize>() > budget {
            level -= 1;
        }
        self.at_level(level)
    }

    /// Every point.
    pub fn finest(&self) -> Detail<'_> {
        self.at_level(LEVELS - 1)
    }

    /// The point nearest to `place` and within `radius` units of it.
    pub fn nearest(&self, place: World, radius: f64) -> Option<usize> {
        let bounds = self.bounds();
        // A line that went around the globe is there on both sides.
        let copies = [0.0, -1.0, 1.0].map(|worlds| World { x: place.x + worlds, y: place.y });
        let near = copies.into_iter().filter(|p| bounds.expanded(radius).contains(*p));
        near.filter_map(|place| Some((self.nearest_to(place, radius)?, place)))
            .min_by(|a, b| self.distance(*a).total_cmp(&self.distance(*b)))
            .map(|(number, _)| number)
    }

    fn distance(&self, (number, place): (usize, World)) -> f64 {
        self.point(number).map_or(f64::INFINITY, |p| p.distance(place))
    }

    fn nearest_to(&self, place: World, radius: f64) -> Option<usize> {
        let around = WorldBox::around([place]).expanded(radius);
        let finest = self.finest();
        let near = finest.visible(around).flat_map(|slots| slots.filter_map(|slot| finest.number(slot)));
        let measured = near.filter_map(|number| Some((self.point(number)?.distance(place), number)));
        // The last of equals, because where a device rested the newest is meant.
        let nearest = measured.filter(|(d, _)| *d <= radius).min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        nearest.map(|(_, number)| number)
    }

    fn at_level(&self, level: u8) -> Detail<'_> {
        Detail { pyramid: self, level }
    }
}

impl Level {
    fn keep(&mut self, number: u32, point: World) {
        if self.kept.len().is_multiple_of(CHUNK) {
            self.boxes.push(WorldBox::EMPTY);
        }
        self.kept.push(number);
        if let Some(last) = self.boxes.last_mut() {
            last.extend(point);
        }
    }
}

impl<'a> Detail<'a> {
    /// Ranges of slots whose lines may touch `view`, in order; neighbours are one range.
    pub fn visible(self, view: WorldBox) -> impl Iterator<Item = Range<usize>> + use<'a> {
        let level = self.pyramid.levels.get(usize::from(self.level));
        let (boxes, len) = level.map_or((&[][..], 0), |l| (l.boxes.as_slice(), l.kept.len()));
        let mut chunk = 0;
        std::iter::from_fn(move || {
            while chunk < boxes.len() && !reaches(boxes, chunk, view) {
                chunk += 1;
            }
            let start = chunk;
            while chunk < boxes.len() && reaches(boxes, chunk, view) {
                chunk += 1;
            }
            // One slot more at each end, for the lines from the chunk before and to the chunk after.
            (start < chunk).then(|| (start * CHUNK).saturating_sub(1)..(chunk * CHUNK + 1).min(len))
        })
    }

    /// Slots of this level.
    pub fn len(self) -> usize {
        self.pyramid.levels.get(usize::from(self.level)).map_or(0, |l| l.kept.len())
    }

    /// True where there is no point.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The number of the point in a slot.
    pub fn number(self, slot: usize) -> Option<usize> {
        let level = self.pyramid.levels.get(usize::from(self.level))?;
        level.kept.get(slot).map(|n| *n as usize)
    }

    /// The first slot with a point numbered `number` or more; [`Detail::len`] where there is none.
    pub fn slot_of(self, number: usize) -> usize {
        let level = self.pyramid.levels.get(usize::from(self.level));
        level.map_or(0, |l| l.kept.partition_point(|n| (*n as usize) < number))
    }
}

/// True where a line of this chunk, or the one to the next chunk, may touch `view`.
fn reaches(boxes: &[WorldBox], chunk: usize, view: WorldBox) -> bool {
    let next = boxes.get(chunk + 1).copied().unwrap_or(WorldBox::EMPTY);
    boxes[chunk].touches(view) || (!next.touches(view) && boxes[chunk].union(next).touches(view))
}

/// True where two points are two points on this level.
fn is_apart(a: World, b: World, level: u8) -> bool {
    let (x, y, tolerance) = (a.x - b.x, a.y - b.y, tolerance(level));
    x * x + y * y >= tolerance * tolerance
}

/// Units of the unit square.
fn tolerance(level: u8) -> f64 {
    TOLERANCE_PX / 256.0 / f64::from(1u32 << (FIRST_ZOOM + level))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..LEVELS")]
fn level_of(zoom: f64) -> u8 {
    (zoom.ceil() - f64::from(FIRST_ZOOM)).clamp(0.0, f64::from(LEVELS - 1)) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(detail: Detail<'_>, view: WorldBox) -> Vec<usize> {
        detail.visible(view).flatten().filter_map(|slot| detail.number(slot)).collect()
    }

    fn walk(steps: &[(f64, f64, bool)]) -> Pyramid {
        let (mut pyramid, mut at) = (Pyramid::default(), World::CENTER);
        for (x, y, gap) in steps {
            at = World { x: at.x + x, y: at.y + y };
            pyramid.push(at, *gap);
        }
        pyramid
    }

    fn steps(max: usize) -> impl Strategy<Value = Vec<(f64, f64, bool)>> {
        let size = prop_oneof![Just(1e-8), Just(1e-6), Just(1e-3)];
        let step = (-1.0..1.0, -1.0..1.0, size, prop::bool::weighted(0.05));
        prop::collection::vec(step.prop_map(|(x, y, s, gap)| (x * s, y * s, gap)), 0..max)
    }

    const WORLD: WorldBox = WorldBox { min: World { x: 0.0, y: 0.0 }, max: World { x: 1.0, y: 1.0 } };

    proptest! {
        #[test]
        fn no_level_strays_from_the_line(steps in steps(600), zoom in 0.0..20.0) {
            let pyramid = walk(&steps);
            let detail = pyramid.detail(zoom, WORLD, usize::MAX);
            let kept = numbers(detail, WORLD);
            prop_assert!(kept.is_sorted());
            for (number, point) in pyramid.points().iter().enumerate() {
                let before = kept.iter().rev().find(|k| **k <= number).expect("the first point is in every level");
                let off = pyramid.points()[*before].distance(*point);
                prop_assert!(off <= tolerance(level_of(zoom)), "point {} is {} off", number, off);
            }
        }

        #[test]
        fn both_sides_of_a_gap_are_in_every_level(steps in steps(600), zoom in 0.0..20.0) {
            let pyramid = walk(&steps);
            let kept = numbers(pyramid.detail(zoom, WORLD, usize::MAX), WORLD);
            for after in pyramid.breaks() {
                let slot = kept.binary_search(&after).expect("a break is kept");
                prop_assert_eq!(kept[slot - 1], after - 1);
            }
        }

        #[test]
        fn truncating_is_as_if_the_rest_had_never_come(steps in steps(600), len in 0usize..700, zoom in 0.0..20.0) {
            let mut cut = walk(&steps);
            cut.truncate(len);
            let whole = walk(&steps[..len.min(steps.len())]);
            let all = |p: &Pyramid, zoom| numbers(p.detail(zoom, WORLD, usize::MAX), WORLD);
            prop_assert_eq!(all(&cut, 30.0), all(&whole, 30.0));
            prop_assert_eq!(all(&cut, zoom), all(&whole, zoom));
            prop_assert_eq!(cut.breaks().collect::<Vec<_>>(), whole.breaks().collect::<Vec<_>>());
            prop_assert_eq!(cut.bounds(), whole.bounds());
        }

        #[test]
        fn what_touches_the_view_is_shown(steps in steps(2_000), x in 0.499..0.501, y in 0.499..0.501, half in 1e-6..1e-3) {
            let pyramid = walk(&steps);
            let view = WorldBox::around([World { x, y }]).expanded(half);
            let shown = numbers(pyramid.finest(), view);
            for (number, pair) in pyramid.points().windows(2).enumerate() {
                if view.contains(pair[0]) || view.contains(pair[1]) {
                    prop_assert!(shown.binary_search(&number).is_ok() && shown.binary_search(&(number + 1)).is_ok());
                }
            }
        }

        #[test]
        fn the_nearest_is_what_a_plain_search_finds(steps in steps(600), x in 0.499..0.501, y in 0.499..0.501, radius in 1e-6..1e-3) {
            let (pyramid, place) = (walk(&steps), World { x, y });
            let expected = pyramid.points().iter().map(|p| p.distance(place)).filter(|d| *d <= radius).min_by(f64::total_cmp);
            let found = pyramid.nearest(place, radius).map(|n| pyramid.points()[n].distance(place));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_budget_holds() {
        let pyramid = walk(&vec![(1e-7, 1e-8, false); 100_000]);
        let shown = numbers(pyramid.detail(20.0, WORLD, 5_000), WORLD).len();
        assert!((1_000..=5_000).contains(&shown), "{shown}");
    }
}
