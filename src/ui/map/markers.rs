//! The devices on the map: where each is and in what state, kept from frame to frame and renewed only where something changed.

use std::{collections::BTreeSet, ops::Range};

use egui::{Pos2, Vec2, vec2};

use super::{
    Trail,
    camera::{Screen, points},
    heaps::{Heap, Heaps, heap_radius},
    icons,
    shown::{Moment, Shown},
    spread,
};
use crate::{
    geo::{
        grid::Grid,
        mercator::{World, WorldBox},
    },
    model::{DeviceId, DeviceOverview, DeviceState, Timestamp},
    ui::{
        Data,
        device_icons::Chip,
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
    list: Vec<Marker>,
    grid: Grid,
    /// The narrowest box around all, over the antimeridian where that is shorter.
    bounds: Option<WorldBox>,
    fresh: Vec<DeviceId>,
    /// The state of what the list was made of; `None` where it shows another moment than now.
    made_of: Option<MadeOf>,
}

/// The state of everything that a marker tells.
#[derive(PartialEq)]
struct MadeOf {
    devices: u64,
    trails: u64,
    /// Phones name themselves.
    roster: u64,
    hidden: BTreeSet<String>,
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
    /// Its own colour and icon.
    pub(super) chip: Option<Chip>,
    pub(super) speed_kmh: Option<f64>,
    /// When it was there.
    pub(super) at: Option<Timestamp>,
    basis: Basis,
}

/// What a marker was made from; while it is the same, so is the marker.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Basis {
    /// In history every frame may be another moment.
    live: bool,
    fix: i64,
    state: DeviceState,
    chip: Option<Chip>,
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
    /// Nothing but this one.
    pub(super) only: Option<DeviceId>,
    pub(super) hide_lost: bool,
    pub(super) gather: bool,
    /// These stand aside of one spot, so that each can be clicked.
    pub(super) spread: &'a [DeviceId],
}

impl Markers {
    /// Takes over what changed in `data` since the last call, without the groups that `list` hides.
    pub(super) fn renew(&mut self, data: &Data, list: &DeviceList, now: Timestamp) {
        let made_of = MadeOf {
            devices: data.devices.stamp(),
            trails: data.trails.stamp(),
            roster: data.roster,
            hidden: list.hidden_groups.clone(),
        };
        if self.made_of.as_ref() == Some(&made_of) {
            return;
        }
        self.made_of = Some(made_of);
        let mut places: Option<Vec<World>> = None;
        let mut count = 0;
        let mut trails = data.trails.iter().peekable();
        for (device, overview) in data.devices.iter() {
            let on_map = overview.device.state != DeviceState::Ignored && !list.hides_device(overview);
            let Some(fix) = overview.last_fix.as_ref().filter(|_| on_map) else { continue };
            while trails.next_if(|(id, _)| *id < device).is_some() {}
            let trail = trails.peek().filter(|(id, _)| *id == device).map(|(_, trail)| *trail);
            let basis = Basis {
                live: true,
                fix: fix.id,
                state: overview.device.state,
                chip: Chip::of(&overview.device.profile.look),
                heard: overview.device.last_heard,
                trail_len: trail.map_or(0, |t| t.points().len()),
            };
            let name = data.name_of(overview);
            let kept = self.list.get_mut(count).filter(|m| m.device == *device);
            match kept {
                Some(kept) if kept.basis == basis && kept.label == name => {}
                Some(kept) => {
                    let moved = kept.basis.fix != basis.fix || !kept.basis.live;
                    if kept.basis.live && kept.basis.fix < basis.fix {
                        self.fresh.push(*device);
                    }
                    *kept = Marker::new(overview, name, trail, basis, now);
                    if moved {
                        let places = places.get_or_insert_with(|| self.grid.points().to_vec());
                        places[count] = World::from_lat_lon(fix.fix.place);
                    }
                }
                None => {
                    // A device came or went: everything behind it has another place in the list.
                    let places = places.get_or_insert_with(|| self.grid.points().to_vec());
                    self.list.truncate(count);
                    places.truncate(count);
                    self.list.push(Marker::new(overview, name, trail, basis, now));
                    places.push(World::from_lat_lon(fix.fix.place));
                }
            }
            count += 1;
        }
        if count < self.list.len() {
            self.list.truncate(count);
            places.get_or_insert_with(|| self.grid.points().to_vec()).truncate(count);
        }
        if let Some(places) = places {
            self.bounds = Some(WorldBox::around_globe(places.iter().copied())).filter(|b| !b.is_empty());
            self.grid = Grid::new(places);
        }
    }

    /// Puts the devices where they were at the moment of the cursor.
    pub(super) fn replay(&mut self, shown: &Shown, data: &Data) {
        self.made_of = None;
        self.list.clear();
        let mut places = Vec::new();
        for (device, track) in &shown.tracks {
            let Some((moment, overview)) = shown.moment(*device).zip(data.devices.get(device)) else { continue };
            if let Some(marker) = Marker::then(overview, data.name_of(overview), track, moment) {
                self.list.push(marker);
                places.push(moment.place.wrapped());
            }
        }
        self.bounds = Some(WorldBox::around_globe(places.iter().copied())).filter(|b| !b.is_empty());
        self.grid = Grid::new(places);
    }

    /// The marker with this index.
    pub(super) fn get(&self, index: usize) -> Option<&Marker> {
        self.list.get(index)
    }

    /// The marker of a device and where it is.
    pub(super) fn of(&self, device: DeviceId) -> Option<(&Marker, World)> {
        let index = self.index_of(device)?;
        Some((self.list.get(index)?, self.place(index)))
    }

    fn index_of(&self, device: DeviceId) -> Option<usize> {
        self.list.binary_search_by_key(&device, |m| m.device).ok()
    }

    /// Devices of which [`Markers::renew`] found a newer fix, once.
    pub(super) fn take_fresh(&mut self) -> Vec<DeviceId> {
        std::mem::take(&mut self.fresh)
    }

    /// The devices that stand in a box.
    pub(super) fn within(&self, area: WorldBox) -> Vec<DeviceId> {
        // What is beyond the antimeridian stands on the other side.
        let areas = [-1.0, 0.0, 1.0].map(|worlds| area.shifted(worlds));
        let within = areas.iter().flat_map(|area| self.grid.within(*area));
        let mut devices: Vec<_> = within.filter_map(|i| self.list.get(i)).map(|m| m.device).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
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

    /// What is in view. Only [`InView::single`] may be pointed at.
    pub(super) fn in_view(&self, screen: &Screen, choice: Choice<'_>, now: Timestamp) -> InView {
        // Twice where a narrow world is in view more than once; a marker stands on the one in the middle.
        let copies: Vec<WorldBox> = screen.copies().map(|(copy, _)| copy.view(20.0)).collect();
        let is_in = |place: World| copies.iter().any(|view| view.contains(place));
        let aside = choice.spread.iter().filter_map(|device| self.index_of(*device));
        let aside: Vec<usize> = aside.filter(|i| is_in(self.place(*i))).collect();
        let apart = |i: &usize| aside.is_empty() || !aside.contains(i);
        let mut in_view: Vec<usize> = match choice.only {
            Some(device) => self.index_of(device).filter(|i| is_in(self.place(*i))).into_iter().collect(),
            None => copies.iter().flat_map(|view| self.grid.within(*view)).filter(apart).collect(),
        };
        if copies.len() > 1 {
            in_view.sort_unstable();
            in_view.dedup();
        }
        let mut shown = InView { single: Vec::with_capacity(in_view.len()), heaps: Vec::new() };
        if choice.gather && screen.zoom < HEAPS_BELOW_ZOOM && in_view.len() >= MIN_HEAP {
            // Squares of whole zooms, so that heaps do not change while one zooms a little.
            let size = screen.units(HEAP_POINTS) * (screen.zoom - screen.zoom.floor()).exp2();
            for range in self.grid.heaps(&mut in_view, size) {
                self.gather(&in_view, range, choice, now, &mut shown);
            }
        } else {
            shown.single.extend(in_view.iter().filter_map(|i| self.rank(*i, choice, now)));
        }
        shown.single.sort_unstable_by_key(|m| (m.rank, m.index));
        self.make_room(screen, &mut shown);
        if choice.only.is_none() {
            let shifts = spread::shifts(aside.len());
            let moved = aside.iter().zip(shifts).filter_map(|(i, shift)| {
                let seen = self.rank(*i, choice, now)?;
                Some(Seen { shift, ..seen })
            });
            shown.single.extend(moved);
        }
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

    fn gather(&self, in_view: &[usize], range: Range<usize>, choice: Choice<'_>, now: Timestamp, shown: &mut InView) {
        let members = in_view.get(range).unwrap_or_default();
        let ranked = members.iter().filter_map(|i| self.rank(*i, choice, now));
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

    fn rank(&self, index: usize, choice: Choice<'_>, now: Timestamp) -> Option<Seen> {
        let marker = self.list.get(index)?;
        let freshness = marker.ageing.freshness_at(now);
        if choice.hide_lost && freshness == Freshness::Lost && choice.selected != Some(marker.device) {
            return None;
        }
        let rank = match (freshness, marker.status.motion) {
            _ if choice.selected == Some(marker.device) => Rank::Selected,
            _ if marker.status.alarm => Rank::Alarm,
            _ if marker.status.new || marker.status.suspect => Rank::Doubtful,
            (Freshness::Fresh, Motion::Moving) => Rank::Moving,
            (Freshness::Fresh, Motion::Parked | Motion::Unknown) => Rank::Parked,
            (Freshness::Late, _) => Rank::Late,
            (Freshness::Stale | Freshness::Lost, _) => Rank::Stale,
        };
        Some(Seen { rank, index, freshness, shift: Vec2::ZERO })
    }
}

impl Marker {
    /// How old its news are.
    pub(super) fn freshness_at(&self, now: Timestamp) -> Freshness {
        self.ageing.freshness_at(now)
    }

    fn new(overview: &DeviceOverview, name: &str, trail: Option<&Trail>, basis: Basis, now: Timestamp) -> Self {
        let fix = overview.last_fix.as_ref().map(|f| &f.fix);
        let course = fix.and_then(|f| f.course_deg).filter(|c| c.is_finite());
        let status = status(overview, trail, now);
        let up = course.map(towards);
        Self {
            device: overview.device.id,
            label: name.to_owned(),
            ageing: status.ageing(),
            status,
            up: up.or_else(|| heading(trail?)),
            accuracy_m: fix.and_then(|f| f.accuracy_m),
            chip: basis.chip,
            speed_kmh: fix.and_then(|f| f.speed_kmh),
            at: fix.map(|f| f.at),
            basis,
        }
    }

    /// As the device was at a moment of its track.
    fn then(overview: &DeviceOverview, name: &str, track: &Trail, moment: Moment) -> Option<Self> {
        let point = track.points().get(moment.point)?;
        let motion = if moment.heading_deg.is_some() { Motion::Moving } else { Motion::Parked };
        let freshness = if moment.unsure { Freshness::Stale } else { Freshness::Fresh };
        let rhythm = track.patience();
        let status =
            Status { motion, freshness, alarm: false, suspect: point.rough, new: false, rhythm, since: Some(point.at) };
        let basis = Basis {
            live: false,
            fix: point.fix,
            state: overview.device.state,
            chip: Chip::of(&overview.device.profile.look),
            heard: None,
            trail_len: moment.point,
        };
        Some(Self {
            device: overview.device.id,
            label: name.to_owned(),
            ageing: Ageing::never(freshness),
            status,
            up: moment.heading_deg.map(towards),
            accuracy_m: point.accuracy_m.map(f64::from),
            chip: basis.chip,
            speed_kmh: point.speed_kmh.map(f64::from),
            at: Some(point.at),
            basis,
        })
    }
}

/// Unit vector on the screen to a course.
fn towards(course_deg: f64) -> Vec2 {
    let (sin, cos) = course_deg.to_radians().sin_cos();
    vec2(points(sin), points(-cos))
}

/// Where the last step of the trail led, if it was long enough to tell.
fn heading(trail: &Trail) -> Option<Vec2> {
    const MIN_STEP_M: f64 = 15.0;
    let [.., from, to] = trail.line().points() else { return None };
    let length = from.distance(*to);
    let far_enough = length * to.metres_per_unit() >= MIN_STEP_M;
    far_enough.then(|| vec2(points((to.x - from.x) / length), points((to.y - from.y) / length)))
}
