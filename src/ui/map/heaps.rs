//! Devices that stand too close to be told apart: one number in a ring.

use super::{camera::Screen, markers::Rank};
use crate::geo::{
    grid::whole,
    mercator::{World, WorldBox},
};

/// Several markers on one spot.
#[derive(Debug, Clone)]
pub(super) struct Heap {
    pub(super) middle: World,
    pub(super) bounds: WorldBox,
    /// How many are of each rank.
    pub(super) ranks: Vec<(Rank, usize)>,
    pub(super) count: usize,
}

impl Heap {
    pub(super) fn add(&mut self, rank: Rank, place: World) {
        self.count_in(rank, 1);
        self.bounds.extend(place);
    }

    pub(super) fn swallow(&mut self, other: &Self) {
        for (rank, count) in &other.ranks {
            self.count_in(*rank, *count);
        }
        self.bounds = self.bounds.union(other.bounds);
    }

    fn count_in(&mut self, rank: Rank, count: usize) {
        match self.ranks.binary_search_by_key(&rank, |(rank, _)| *rank) {
            Ok(at) => self.ranks[at].1 += count,
            Err(at) => self.ranks.insert(at, (rank, count)),
        }
        self.count += count;
    }

    /// Goes `distance` units away from a place, if it is nearer.
    pub(super) fn step_aside(&mut self, place: World, distance: f64) {
        let away = self.middle.distance(place);
        if away >= distance {
            return;
        }
        // On one spot, up is as good as any.
        let (x, y) =
            if away > 0.0 { ((self.middle.x - place.x) / away, (self.middle.y - place.y) / away) } else { (0.0, -1.0) };
        self.middle = World { x: place.x + x * distance, y: place.y + y * distance };
    }
}

/// Heaps that do not touch each other, and which of them is near a place.
pub(super) struct Heaps {
    pub(super) list: Vec<Heap>,
    /// The heap that came last into each square of `side` units of the screen, row by row, and for each heap the one that came there before it.
    /// What is beside the screen counts as in the squares at its edge.
    squares: Vec<Option<usize>>,
    before: Vec<Option<usize>>,
    corner: World,
    columns: usize,
    rows: usize,
    side: f64,
    units_per_point: f64,
}

impl Heaps {
    pub(super) fn new(screen: &Screen) -> Self {
        // No two that touch are further apart.
        let side = screen.units(2.0 * heap_radius(usize::MAX));
        let view = screen.view(0.0);
        let count = |units: f64| usize::try_from(whole(units / side)).unwrap_or_default() + 1;
        let (columns, rows) = (count(view.size().0), count(view.size().1));
        Self {
            list: Vec::new(),
            squares: vec![None; columns * rows],
            before: Vec::new(),
            corner: view.min,
            columns,
            rows,
            side,
            units_per_point: screen.units(1.0),
        }
    }

    pub(super) fn push(&mut self, heap: Heap) {
        let (column, row) = self.square(heap.middle);
        self.before.push(self.squares[row * self.columns + column].replace(self.list.len()));
        self.list.push(heap);
    }

    /// The first heap that touches a circle of `radius` points.
    pub(super) fn touched(&mut self, place: World, radius: f32) -> Option<&mut Heap> {
        let (column, row) = self.square(place);
        let mut found: Option<usize> = None;
        for row in row.saturating_sub(1)..=(row + 1).min(self.rows - 1) {
            for column in column.saturating_sub(1)..=(column + 1).min(self.columns - 1) {
                let mut next = self.squares[row * self.columns + column];
                while let Some(n) = next {
                    let heap = &self.list[n];
                    let reach = f64::from(heap_radius(heap.count) + radius) * self.units_per_point;
                    if found.is_none_or(|found| n < found) && heap.middle.distance_sq(place) < reach * reach {
                        found = Some(n);
                    }
                    next = self.before[n];
                }
            }
        }
        self.list.get_mut(found?)
    }

    fn square(&self, place: World) -> (usize, usize) {
        let at = |units: f64, last: usize| usize::try_from(whole(units / self.side)).unwrap_or_default().min(last);
        (at(place.x - self.corner.x, self.columns - 1), at(place.y - self.corner.y, self.rows - 1))
    }
}

/// Sizes of bubbles: below so many devices the radius is so many points.
pub(super) const SIZES: [(usize, f32); 4] = [(10, 13.0), (100, 16.0), (1_000, 19.0), (usize::MAX, 23.0)];

/// Which of the sizes a heap's bubble has.
pub(super) fn heap_size(count: usize) -> usize {
    SIZES.partition_point(|(below, _)| *below <= count).min(SIZES.len() - 1)
}

/// Radius of a heap's bubble in points.
pub(super) fn heap_radius(count: usize) -> f32 {
    SIZES[heap_size(count)].1
}
