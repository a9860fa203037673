//! The devices on the map: where each is and in what state, kept from frame to frame and renewed only where something changed.

use std::collections::BTreeSet;

use egui::{Vec2, vec2};

pub(super) use super::in_view::{Choice, InView, Rank, Seen};
use super::{
    Trail,
    camera::points,
    shown::{Moment, Shown},
};
use crate::{
    geo::{
        LatLon,
        grid::Grid,
        mercator::{World, WorldBox},
    },
    model::{DeviceId, DeviceOverview, DeviceState, Timestamp},
    ui::{
        Data,
        device_icons::Chip,
        device_list::DeviceList,
        ledger::Mark,
        status::{Ageing, Freshness, Motion, Status, status},
    },
};

/// Radius of the circle around the selected marker, in points.
pub(super) const SELECTED_RADIUS: f32 = 16.0;

/// All devices that have a place.
#[derive(Default)]
pub(super) struct Markers {
    /// In order of device, as the grid's points.
    list: Vec<Marker>,
    /// Of each marker what every frame asks.
    standings: Vec<Standing>,
    pub(super) grid: Grid,
    /// The narrowest box around all, over the antimeridian where that is shorter.
    bounds: Option<WorldBox>,
    fresh: Vec<DeviceId>,
    /// The state of what the list was made of; `None` where it shows another moment than now.
    made_of: Option<MadeOf>,
}

/// The state of everything that a marker tells.
#[derive(PartialEq)]
struct MadeOf {
    devices: Mark,
    trails: Mark,
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
    pub(super) ageing: Ageing,
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

/// What decides whether a marker is seen, how much it matters, and whether it has a circle. Every frame asks it of every device in view, in the
/// order of their places, and whole markers at random would be more than the processor's caches hold: so it is as small as can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) device: DeviceId,
    pub(super) ageing: Ageing,
    pub(super) motion: Motion,
    pub(super) alarm: bool,
    /// Its last fix is in doubt, or nobody has decided about it.
    pub(super) doubtful: bool,
    pub(super) accuracy_m: Option<f32>,
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

impl Markers {
    /// Takes over what changed in `data` since the last call, without the groups that `list` hides.
    pub(super) fn renew(&mut self, data: &Data, list: &DeviceList, now: Timestamp) {
        let made_of = MadeOf {
            devices: data.devices.mark(),
            trails: data.trails.mark(),
            roster: data.roster,
            hidden: list.hidden_groups.clone(),
        };
        let before = self.made_of.replace(made_of);
        if before == self.made_of {
            return;
        }
        let touched = before.and_then(|before| self.touched(&before, data));
        if !touched.is_some_and(|touched| self.renew_some(&touched, data, list, now)) {
            self.renew_all(data, list, now);
        }
    }

    /// The devices that something may have changed of, where they and nothing else did.
    fn touched(&self, before: &MadeOf, data: &Data) -> Option<Vec<DeviceId>> {
        let same = self.made_of.as_ref().is_some_and(|now| now.roster == before.roster && now.hidden == before.hidden);
        let devices = data.devices.touched_since(before.devices).filter(|_| same)?;
        let mut touched: Vec<_> = devices.chain(data.trails.touched_since(before.trails)?).collect();
        touched.sort_unstable();
        touched.dedup();
        Some(touched)
    }

    /// Takes over these devices. False where one of them came or went: then everything is to be renewed.
    fn renew_some(&mut self, touched: &[DeviceId], data: &Data, list: &DeviceList, now: Timestamp) -> bool {
        let mut moved = Vec::new();
        let mut same = true;
        for device in touched {
            let seen = data.devices.get(device).and_then(|overview| Some((overview, placed(overview, list)?)));
            let (index, (overview, place)) = match (self.index_of(*device), seen) {
                (Some(index), Some(seen)) => (index, seen),
                (index, seen) => {
                    same &= index.is_none() && seen.is_none();
                    continue;
                }
            };
            if self.renew_one(index, overview, data, data.trails.get(device), now) {
                moved.push((index, World::from_lat_lon(place)));
            }
        }
        self.shift(&moved);
        same
    }

    fn renew_all(&mut self, data: &Data, list: &DeviceList, now: Timestamp) {
        let mut places: Option<Vec<World>> = None;
        let mut count = 0;
        let mut trails = data.trails.iter().peekable();
        for (device, overview) in data.devices.iter() {
            let Some(place) = placed(overview, list) else { continue };
            while trails.next_if(|(id, _)| *id < device).is_some() {}
            let trail = trails.peek().filter(|(id, _)| *id == device).map(|(_, trail)| *trail);
            if self.list.get(count).is_some_and(|m| m.device == *device) {
                if self.renew_one(count, overview, data, trail, now) {
                    let places = places.get_or_insert_with(|| self.grid.points().to_vec());
                    places[count] = World::from_lat_lon(place);
                }
            } else {
                // A device came or went: everything behind it has another place in the list.
                let places = places.get_or_insert_with(|| self.grid.points().to_vec());
                self.truncate(count);
                places.truncate(count);
                self.push(Marker::new(overview, data.name_of(overview), trail, now));
                places.push(World::from_lat_lon(place));
            }
            count += 1;
        }
        if count < self.list.len() {
            self.truncate(count);
            places.get_or_insert_with(|| self.grid.points().to_vec()).truncate(count);
        }
        if let Some(places) = places {
            self.bounds = Some(WorldBox::around_globe(places.iter().copied())).filter(|b| !b.is_empty());
            self.grid = Grid::new(places);
        }
    }

    /// Makes one marker anew where that is needed. True where it may stand elsewhere now.
    fn renew_one(
        &mut self,
        index: usize,
        overview: &DeviceOverview,
        data: &Data,
        trail: Option<&Trail>,
        now: Timestamp,
    ) -> bool {
        let (Some(kept), Some(standing)) = (self.list.get_mut(index), self.standings.get_mut(index)) else {
            return false;
        };
        let (basis, name) = (Basis::of(overview, trail), data.name_of(overview));
        if kept.basis == basis && kept.label == name {
            return false;
        }
        let moved = kept.basis.fix != basis.fix || !kept.basis.live;
        if kept.basis.live && kept.basis.fix < basis.fix {
            self.fresh.push(kept.device);
        }
        *kept = Marker::new(overview, name, trail, now);
        *standing = kept.standing();
        moved
    }

    fn push(&mut self, marker: Marker) {
        self.standings.push(marker.standing());
        self.list.push(marker);
    }

    fn truncate(&mut self, count: usize) {
        self.list.truncate(count);
        self.standings.truncate(count);
    }

    /// Markers stand elsewhere now.
    fn shift(&mut self, moved: &[(usize, World)]) {
        let inside = |place: World| {
            let holds = |b: WorldBox| b.min.x < place.x && place.x < b.max.x && b.min.y < place.y && place.y < b.max.y;
            self.bounds.is_some_and(holds)
        };
        // What moves within the box leaves it as it is.
        let same = moved.iter().all(|(index, to)| inside(self.place(*index)) && inside(*to));
        self.grid.shift(moved);
        if !same {
            let places = self.grid.points().iter().copied();
            self.bounds = Some(WorldBox::around_globe(places)).filter(|b| !b.is_empty());
        }
    }

    /// Puts the devices where they were at the moment of the cursor.
    pub(super) fn replay(&mut self, shown: &Shown, data: &Data) {
        self.made_of = None;
        self.truncate(0);
        let mut places = Vec::new();
        for (device, track) in &shown.tracks {
            let Some((moment, overview)) = shown.moment(*device).zip(data.devices.get(device)) else { continue };
            if let Some(marker) = Marker::then(overview, data.name_of(overview), track, moment) {
                self.push(marker);
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

    /// What decides the rank of the marker with this index.
    pub(super) fn standing(&self, index: usize) -> Option<&Standing> {
        self.standings.get(index)
    }

    /// Of all markers, by index.
    pub(super) fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// The marker of a device and where it is.
    pub(super) fn of(&self, device: DeviceId) -> Option<(&Marker, World)> {
        let index = self.index_of(device)?;
        Some((self.list.get(index)?, self.place(index)))
    }

    pub(super) fn index_of(&self, device: DeviceId) -> Option<usize> {
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
}

/// Where a device stands on the map, if it does.
fn placed(overview: &DeviceOverview, list: &DeviceList) -> Option<LatLon> {
    let on_map = overview.device.state != DeviceState::Ignored && !list.hides_device(overview);
    overview.last_fix.as_ref().filter(|_| on_map).map(|fix| fix.fix.place)
}

impl Basis {
    fn of(overview: &DeviceOverview, trail: Option<&Trail>) -> Self {
        Self {
            live: true,
            fix: overview.last_fix.as_ref().map_or(0, |fix| fix.id),
            state: overview.device.state,
            chip: Chip::of(&overview.device.profile.look),
            heard: overview.device.last_heard,
            trail_len: trail.map_or(0, |t| t.points().len()),
        }
    }
}

impl Marker {
    /// How old its news are.
    pub(super) fn freshness_at(&self, now: Timestamp) -> Freshness {
        self.ageing.freshness_at(now)
    }

    fn standing(&self) -> Standing {
        let Status { motion, alarm, suspect, new, .. } = self.status;
        let Self { device, ageing, accuracy_m, .. } = *self;
        #[expect(clippy::cast_possible_truncation, reason = "metres, for a circle on the screen")]
        let accuracy_m = accuracy_m.map(|m| m as f32);
        Standing { device, ageing, motion, alarm, doubtful: suspect || new, accuracy_m }
    }

    fn new(overview: &DeviceOverview, name: &str, trail: Option<&Trail>, now: Timestamp) -> Self {
        let basis = Basis::of(overview, trail);
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
        let status = Status {
            motion,
            freshness,
            alarm: false,
            suspect: point.rough,
            new: false,
            imported: false,
            rhythm,
            since: Some(point.at),
        };
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
