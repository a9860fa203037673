//! What of the markers a frame shows: those in view, single or gathered where they stand too close.

use std::ops::Range;

use egui::{Pos2, Vec2};

use super::{
    camera::Screen,
    heaps::{Heap, Heaps, heap_radius},
    icons,
    markers::{Markers, SELECTED_RADIUS, Standing},
    spread,
};
use crate::{
    geo::mercator::{World, WorldBox},
    model::{DeviceId, Timestamp},
    ui::status::{Freshness, Motion},
};

/// From this zoom on markers are never gathered: what stands on one spot can be seen there one by one.
const HEAPS_BELOW_ZOOM: f64 = 16.0;

/// Markers within a square of this many points (and up to twice as many between whole zooms) are one heap, if they are at
/// least [`MIN_HEAP`].
const HEAP_POINTS: f32 = 56.0;

/// Fewer markers on one spot are drawn as they are.
const MIN_HEAP: usize = 6;

/// How much a marker matters: labels are placed and markers painted by it, the first last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Selected,
    Alarm,
    Moving,
    Late,
    Doubtful,
    Parked,
    Stale,
}

/// What of the markers one frame shows.
pub(super) struct InView {
    /// Single markers, the most important first.
    pub(super) single: Vec<Seen>,
    /// Spots with too many to draw.
    pub(super) heaps: Vec<Heap>,
}

/// A marker in view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) rank: Rank,
    pub(super) index: usize,
    pub(super) freshness: Freshness,
    /// Where it is drawn, from where it is, in points: a spread one stands aside.
    pub(super) shift: Vec2,
}

impl Seen {
    /// Where it is drawn.
    pub(super) fn pos(&self, screen: &Screen, markers: &Markers) -> Pos2 {
        screen.pos(markers.place(self.index)) + self.shift
    }
}

/// What of all devices is to be seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Choice<'a> {
    pub(super) selected: Option<DeviceId>,
    /// Nothing but these, where there are some.
    pub(super) only: &'a [DeviceId],
    pub(super) hide_lost: bool,
    pub(super) gather: bool,
    /// These stand aside of one spot, so that each can be clicked.
    pub(super) spread: &'a [DeviceId],
}

impl Markers {
    /// What is in view. Only [`InView::single`] may be pointed at.
    pub(super) fn in_view(&self, screen: &Screen, choice: Choice<'_>, now: Timestamp) -> InView {
        // Twice where a narrow world is in view more than once; a marker stands on the one in the middle.
        let copies: Vec<WorldBox> = screen.copies().map(|(copy, _)| copy.view(20.0)).collect();
        let is_in = |place: World| copies.iter().any(|view| view.contains(place));
        let spread = choice.spread.iter().filter(|device| choice.only.is_empty() || choice.only.contains(device));
        let aside = spread.filter_map(|device| self.index_of(*device));
        let aside: Vec<usize> = aside.filter(|i| is_in(self.place(*i))).collect();
        let apart = |i: &usize| aside.is_empty() || !aside.contains(i);
        let mut in_view: Vec<usize> = match choice.only {
            [] => copies.iter().flat_map(|view| self.grid.within(*view)).filter(apart).collect(),
            only => {
                let known = only.iter().filter_map(|device| self.index_of(*device));
                known.filter(|i| is_in(self.place(*i))).filter(apart).collect()
            }
        };
        if copies.len() > 1 {
            in_view.sort_unstable();
            in_view.dedup();
        }
        let mut shown = InView { single: Vec::with_capacity(in_view.len()), heaps: Vec::new() };
        let ranks = Ranks::new(self, in_view.len(), choice, now);
        if choice.gather && screen.zoom < HEAPS_BELOW_ZOOM && in_view.len() >= MIN_HEAP {
            // Squares of whole zooms, so that heaps do not change while one zooms a little.
            let size = screen.units(HEAP_POINTS) * (screen.zoom - screen.zoom.floor()).exp2();
            for range in self.grid.heaps(&mut in_view, size) {
                self.gather(&in_view, range, &ranks, &mut shown);
            }
        } else {
            shown.single.extend(in_view.iter().filter_map(|i| ranks.of(*i)));
        }
        shown.single.sort_unstable_by_key(|m| (m.rank, m.index));
        self.make_room(screen, &mut shown);
        let shifts = spread::shifts(aside.len());
        let moved = aside.iter().zip(shifts).filter_map(|(i, shift)| {
            let seen = ranks.of(*i)?;
            Some(Seen { shift, ..seen })
        });
        shown.single.extend(moved);
        shown
    }

    /// Sees to it that every heap's number can be read: what would touch it joins it, and it steps aside for the selected device.
    fn make_room(&self, screen: &Screen, shown: &mut InView) {
        let selected = shown.single.first().filter(|m| m.rank == Rank::Selected).map(|m| self.place(m.index));
        // The largest stay where they are.
        shown.heaps.sort_by_key(|h| std::cmp::Reverse(h.count));
        let mut heaps = Heaps::new(screen);
        for heap in shown.heaps.drain(..) {
            match heaps.touched(heap.middle, heap_radius(heap.count)) {
                Some(larger) => larger.swallow(&heap),
                None => heaps.push(heap),
            }
        }
        if !heaps.list.is_empty() {
            shown.single.retain(|m| {
                let place = self.place(m.index);
                let touched = heaps.touched(place, icons::RADIUS).filter(|_| m.rank != Rank::Selected);
                touched.map(|heap| heap.add(m.rank, place)).is_none()
            });
        }
        shown.heaps = heaps.list;
        if let Some(selected) = selected {
            for heap in &mut shown.heaps {
                heap.step_aside(selected, screen.units(heap_radius(heap.count) + SELECTED_RADIUS));
            }
        }
    }

    fn gather(&self, in_view: &[usize], range: Range<usize>, ranks: &Ranks<'_>, shown: &mut InView) {
        let members = in_view.get(range).unwrap_or_default();
        let ranked = members.iter().filter_map(|i| ranks.of(*i));
        if members.len() < MIN_HEAP {
            shown.single.extend(ranked);
            return;
        }
        let mut ranks: Vec<(Rank, usize)> = Vec::new();
        let (mut x, mut y, mut n) = (0.0, 0.0, 0.0);
        let mut bounds = WorldBox::EMPTY;
        for marker in ranked {
            // The selected device is always seen.
            if marker.rank == Rank::Selected {
                shown.single.push(marker);
                continue;
            }
            match ranks.iter_mut().find(|(rank, _)| *rank == marker.rank) {
                Some((_, count)) => *count += 1,
                None => ranks.push((marker.rank, 1)),
            }
            let place = self.place(marker.index);
            (x, y, n) = (x + place.x, y + place.y, n + 1.0);
            bounds.extend(place);
        }
        ranks.sort_unstable();
        let count = ranks.iter().map(|(_, count)| count).sum();
        if count == 0 {
            return;
        }
        shown.heaps.push(Heap { middle: World { x: x / n, y: y / n }, bounds, ranks, count });
    }
}

/// How much each marker matters in one frame.
struct Ranks<'a> {
    markers: &'a Markers,
    choice: Choice<'a>,
    now: Timestamp,
    /// Of all markers, where most are asked for: one after the other they are quickly read, but not in the order of their places.
    all: Vec<Option<(Rank, Freshness)>>,
}

impl<'a> Ranks<'a> {
    /// A share of all that is asked for at least, for all to be looked at beforehand.
    const MOST: usize = 8;

    fn new(markers: &'a Markers, wanted: usize, choice: Choice<'a>, now: Timestamp) -> Self {
        let mut ranks = Self { markers, choice, now, all: Vec::new() };
        if wanted * Self::MOST >= markers.standings().len() {
            ranks.all = markers.standings().iter().map(|standing| ranks.rank(standing)).collect();
        }
        ranks
    }

    /// Of the marker with this index; `None` where it is not to be seen.
    fn of(&self, index: usize) -> Option<Seen> {
        let (rank, freshness) = match self.all.get(index) {
            Some(known) => (*known)?,
            None => self.rank(self.markers.standing(index)?)?,
        };
        Some(Seen { rank, index, freshness, shift: Vec2::ZERO })
    }

    fn rank(&self, standing: &Standing) -> Option<(Rank, Freshness)> {
        let Choice { selected, hide_lost, .. } = self.choice;
        let freshness = standing.ageing.freshness_at(self.now);
        if hide_lost && freshness == Freshness::Lost && selected != Some(standing.device) {
            return None;
        }
        let rank = match (freshness, standing.motion) {
            _ if selected == Some(standing.device) => Rank::Selected,
            _ if standing.alarm => Rank::Alarm,
            _ if standing.doubtful => Rank::Doubtful,
            (Freshness::Fresh, Motion::Moving) => Rank::Moving,
            (Freshness::Fresh, Motion::Parked | Motion::Unknown) => Rank::Parked,
            (Freshness::Late, _) => Rank::Late,
            (Freshness::Stale | Freshness::Lost, _) => Rank::Stale,
        };
        Some((rank, freshness))
    }
}
