//! The devices on the map: where each is and in what state, kept from frame to frame and renewed only where something changed.

use std::{collections::HashMap, ops::Range};

use egui::{Vec2, vec2};

use super::{
    Trail,
    camera::{Screen, points},
    icons,
};
use crate::{
    geo::{
        grid::Grid,
        mercator::{World, WorldBox},
    },
    model::{DeviceId, DeviceOverview, DeviceState, Timestamp},
    ui::{
        Data,
        device_list::DeviceList,
        status::{Ageing, Freshness, Motion, Status, status},
    },
};

/// From this zoom on markers are never gathered: what stands on one spot can be seen there one by one.
const HEAPS_BELOW_ZOOM: f64 = 16.0;

/// Markers within a square of this many points (and up to twice as many between whole zooms) are one heap, if they are at
/// least [`MIN_HEAP`].
const HEAP_POINTS: f32 = 56.0;

/// Radius of the circle around the selected marker, in points.
pub(super) const SELECTED_RADIUS: f32 = 16.0;

/// Fewer markers on one spot are drawn as they are.
const MIN_HEAP: usize = 6;

/// All devices that have a place.
#[derive(Default)]
pub(super) struct Markers {
    /// In order of device, as the grid's points.
    markers: Vec<Marker>,
    grid: Grid,
    /// The narrowest box around all, over the antimeridian where that is shorter.
    bounds: Option<WorldBox>,
}

/// One device that has a place.
#[derive(Debug, Clone)]
pub(super) struct Marker {
    pub(super) device: DeviceId,
    pub(super) label: String,
    pub(super) status: Status,
    ageing: Ageing,
    /// Unit vector to where it is heading, as seen on the screen.
    pub(super) up: Option<Vec2>,
    pub(super) accuracy_m: Option<f64>,
    basis: Basis,
}

/// What a marker was made from; while it is the same, so is the marker.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Basis {
    fix: i64,
    state: DeviceState,
    heard: Option<Timestamp>,
    trail_len: usize,
}

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
pub(super) struct Shown {
    /// Single markers, the most important first.
    pub(super) single: Vec<ShownMarker>,
    /// Spots with too many to draw.
    pub(super) heaps: Vec<Heap>,
}

/// A marker in view.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShownMarker {
    pub(super) rank: Rank,
    pub(super) index: usize,
    pub(super) freshness: Freshness,
}

/// Several markers on one spot.
#[derive(Debug, Clone)]
pub(super) struct Heap {
    pub(super) middle: World,
    pub(super) bounds: WorldBox,
    /// How many are of each rank.
    pub(super) ranks: Vec<(Rank, usize)>,
    pub(super) count: usize,
}

impl Markers {
    /// Takes over what changed in `data` since the last call, without the groups that `list` hides.
    pub(super) fn renew(&mut self, data: &Data, list: &DeviceList, now: Timestamp) {
        let mut places: Option<Vec<World>> = None;
        let mut count = 0;
        let mut trails = data.trails.iter().peekable();
        for (device, overview) in &data.devices {
            let on_map = overview.device.state != DeviceState::Ignored && !list.hides_device(overview);
            let Some(fix) = overview.last_fix.as_ref().filter(|_| on_map) else { continue };
            while trails.next_if(|(id, _)| *id < device).is_some() {}
            let trail = trails.peek().filter(|(id, _)| *id == device).map(|(_, trail)| *trail);
            let basis = Basis {
                fix: fix.id,
                state: overview.device.state,
                heard: overview.device.last_heard,
                trail_len: trail.map_or(0, |t| t.points().len()),
            };
            let name = data.name_of(overview);
            let kept = self.markers.get_mut(count).filter(|m| m.device == *device);
            match kept {
                Some(kept) if kept.basis == basis && kept.label == name => {}
                Some(kept) => {
                    let moved = kept.basis.fix != basis.fix;
                    *kept = Marker::new(overview, name, trail, basis, now);
                    if moved {
                        let places = places.get_or_insert_with(|| self.grid.points().to_vec());
                        places[count] = World::from_lat_lon(fix.fix.place);
                    }
                }
                None => {
                    // A device came or went: everything behind it has another place in the list.
                    let places = places.get_or_insert_with(|| self.grid.points().to_vec());
                    self.markers.truncate(count);
                    places.truncate(count);
                    self.markers.push(Marker::new(overview, name, trail, basis, now));
                    places.push(World::from_lat_lon(fix.fix.place));
                }
            }
            count += 1;
        }
        if count < self.markers.len() {
            self.markers.truncate(count);
            places.get_or_insert_with(|| self.grid.points().to_vec()).truncate(count);
        }
        if let Some(places) = places {
            self.bounds = Some(WorldBox::around_globe(places.iter().copied())).filter(|b| !b.is_empty());
            self.grid = Grid::new(places);
        }
    }

    /// The marker with this index.
    pub(super) fn get(&self, index: usize) -> Option<&Marker> {
        self.markers.get(index)
    }

    /// The marker of a device and where it is.
    pub(super) fn of(&self, device: DeviceId) -> Option<(&Marker, World)> {
        let index = self.markers.binary_search_by_key(&device, |m| m.device).ok()?;
        Some((self.markers.get(index)?, self.place(index)))
    }

    /// Where a marker is.
    pub(super) fn place(&self, index: usize) -> World {
        self.grid.points().get(index).copied().unwrap_or(World::CENTER)
    }

    /// The marker nearest to a place, within `radius` units of it.
    pub(super) fn nearest(&self, place: World, radius: f64) -> Option<usize> {
        self.grid.nearest(place, radius)
    }

    /// The box around all, beyond 1 where it leads over the antimeridian; `None` where there are none.
    pub(super) fn bounds(&self) -> Option<WorldBox> {
        self.bounds
    }

    /// What is in view. Only [`Shown::single`] may be pointed at.
    pub(super) fn shown(&self, screen: &Screen, selected: Option<DeviceId>, now: Timestamp) -> Shown {
        // Twice where a narrow world is in view more than once; a marker stands on the one in the middle.
        let copies: Vec<WorldBox> = screen.copies().map(|(copy, _)| copy.view(20.0)).collect();
        let mut in_view: Vec<usize> = copies.iter().flat_map(|view| self.grid.within(*view)).collect();
        if copies.len() > 1 {
            in_view.sort_unstable();
            in_view.dedup();
        }
        let mut shown = Shown { single: Vec::with_capacity(in_view.len()), heaps: Vec::new() };
        if screen.zoom < HEAPS_BELOW_ZOOM && in_view.len() >= MIN_HEAP {
            // Squares of whole zooms, so that heaps do not change while one zooms a little.
            let size = screen.units(HEAP_POINTS) * (screen.zoom - screen.zoom.floor()).exp2();
            for range in self.grid.heaps(&mut in_view, size) {
                self.gather(&in_view, range, selected, now, &mut shown);
            }
        } else {
            shown.single.extend(in_view.iter().filter_map(|i| self.rank(*i, selected, now)));
        }
        shown.single.sort_unstable_by_key(|m| (m.rank, m.index));
        self.make_room(screen, &mut shown);
        shown
    }

    /// Sees to it that every heap's number can be read: what would touch it joins it, and it steps aside for the selected device.
    fn make_room(&self, screen: &Screen, shown: &mut Shown) {
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

    fn gather(
        &self,
        in_view: &[usize],
        range: Range<usize>,
        selected: Option<DeviceId>,
        now: Timestamp,
        shown: &mut Shown,
    ) {
        let members = in_view.get(range).unwrap_or_default();
        let ranked = members.iter().filter_map(|i| self.rank(*i, selected, now));
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
        shown.heaps.push(Heap { middle: World { x: x / n, y: y / n }, bounds, ranks, count });
    }

    fn rank(&self, index: usize, selected: Option<DeviceId>, now: Timestamp) -> Option<ShownMarker> {
        let marker = self.markers.get(index)?;
        let freshness = marker.ageing.freshness_at(now);
        let rank = match (freshness, marker.status.motion) {
            _ if selected == Some(marker.device) => Rank::Selected,
            _ if marker.status.alarm => Rank::Alarm,
            _ if marker.status.new || marker.status.suspect => Rank::Doubtful,
            (Freshness::Fresh, Motion::Moving) => Rank::Moving,
            (Freshness::Fresh, Motion::Parked | Motion::Unknown) => Rank::Parked,
            (Freshness::Late, _) => Rank::Late,
            (Freshness::Stale | Freshness::Lost, _) => Rank::Stale,
        };
        Some(ShownMarker { rank, index, freshness })
    }
}

impl Heap {
    fn add(&mut self, rank: Rank, place: World) {
        self.count_in(rank, 1);
        self.bounds.extend(place);
    }

    fn swallow(&mut self, other: &Self) {
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
    fn step_aside(&mut self, place: World, distance: f64) {
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
struct Heaps {
    list: Vec<Heap>,
    /// Which heaps have their middle in a square of `side` units.
    squares: HashMap<(i64, i64), Vec<usize>>,
    side: f64,
    units_per_point: f64,
}

impl Heaps {
    fn new(screen: &Screen) -> Self {
        // No two that touch are further apart.
        let side = screen.units(2.0 * heap_radius(usize::MAX));
        Self { list: Vec::new(), squares: HashMap::new(), side, units_per_point: screen.units(1.0) }
    }

    fn push(&mut self, heap: Heap) {
        self.squares.entry(self.square(heap.middle)).or_default().push(self.list.len());
        self.list.push(heap);
    }

    /// A heap that touches a circle of `radius` points.
    fn touched(&mut self, place: World, radius: f32) -> Option<&mut Heap> {
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

impl Marker {
    fn new(overview: &DeviceOverview, name: &str, trail: Option<&Trail>, basis: Basis, now: Timestamp) -> Self {
        let fix = overview.last_fix.as_ref().map(|f| &f.fix);
        let course = fix.and_then(|f| f.course_deg).filter(|c| c.is_finite());
        let status = status(overview, trail, now);
        let up = course.map(|c| vec2(points(c.to_radians().sin()), points(-c.to_radians().cos())));
        Self {
            device: overview.device.id,
            label: name.to_owned(),
            ageing: status.ageing(),
            status,
            up: up.or_else(|| heading(trail?)),
            accuracy_m: fix.and_then(|f| f.accuracy_m),
            basis,
        }
    }
}

/// Where the last step of the trail led, if it was long enough to tell.
fn heading(trail: &Trail) -> Option<Vec2> {
    const MIN_STEP_M: f64 = 15.0;
    let [.., from, to] = trail.line().points() else { return None };
    let length = from.distance(*to);
    let far_enough = length * to.metres_per_unit() >= MIN_STEP_M;
    far_enough.then(|| vec2(points((to.x - from.x) / length), points((to.y - from.y) / length)))
}
