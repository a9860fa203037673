//! Devices that stand too close to be told apart: one number in a ring.

use std::collections::HashMap;

use super::{camera::Screen, markers::Rank};
use crate::geo::mercator::{World, WorldBox};

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
    /// Which heaps have their middle in a square of `side` units.
    squares: HashMap<(i64, i64), Vec<usize>>,
    side: f64,
    units_per_point: f64,
}

impl Heaps {
    pub(super) fn new(screen: &Screen) -> Self {
        // No two that touch are further apart.
        let side = screen.units(2.0 * heap_radius(usize::MAX));
        Self { list: Vec::new(), squares: HashMap::new(), side, units_per_point: screen.units(1.0) }
    }

    pub(super) fn push(&mut self, heap: Heap) {
        self.squares.entry(self.square(heap.middle)).or_default().push(self.list.len());
        self.list.push(heap);
    }

    /// A heap that touches a circle of `radius` points.
    pub(super) fn touched(&mut self, place: World, radius: f32) -> Option<&mut Heap> {
        let (column, row) = self.square(place);
        let around = (-1..=1).flat_map(|y| (-1..=1).map(move |x| (column + x, row + y)));
        let near = around.filter_map(|square| self.squares.get(&square)).flatten();
        let reach = |heap: &Heap| f64::from(heap_radius(heap.count) + radius) * self.units_per_point;
        let found = near.copied().find(|n| self.list.get(*n).is_some_and(|h| h.middle.distance(place) < reach(h)))?;
        self.list.get_mut(found)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    fn square(&self, place: World) -> (i64, i64) {
        ((place.x / self.side).floor() as i64, (place.y / self.side).floor() as i64)
    }
}

/// Radius of a heap's bubble in points.
pub(super) fn heap_radius(count: usize) -> f32 {
    match count {
        ..10 => 13.0,
        10..100 => 16.0,
        100..1_000 => 19.0,
        1_000.. => 23.0,
    }
}
