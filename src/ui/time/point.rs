//! The point that is looked at: the selected one, or the last before the instant of the cursor.

use crate::{
    geo::mercator::{World, WorldBox},
    model::{DeviceId, HideReason, StoredFix},
    track::{Aside, Point},
    ui::{Data, View},
};

/// The position of a device that was selected by hand.
pub fn picked<'a>(data: &'a Data, view: &View, device: DeviceId) -> Option<&'a StoredFix> {
    let opened = data.opened.as_ref()?;
    let wanted = view.selection.fix?;
    opened.fixes.iter().find(|fix| fix.id == wanted && fix.device == device)
}

/// The position of a device that is looked at: the selected one, else, while the past is looked at, the last one before the instant. `None` while
/// the latest is looked at, or it is not read yet.
pub fn looked_at<'a>(data: &'a Data, view: &View, device: DeviceId) -> Option<&'a StoredFix> {
    // What was selected by hand may have no packet: it was imported. Until it is read nothing else stands for it.
    let wanted = view.selection.fix.filter(|id| data.history.gone != Some(*id));
    let is_meant = |fix: &StoredFix| wanted.map_or(!view.is_live(), |wanted| wanted == fix.id);
    let then = || data.history.as_of.as_ref().filter(|fix| fix.device == device && is_meant(fix));
    picked(data, view, device).or_else(then)
}

/// Why a position is out of sight, if it is.
pub fn hidden_because(data: &Data, fix: &StoredFix) -> Option<HideReason> {
    let point = data.history.past(fix.device)?.find(fix.id)?;
    match point.aside? {
        Aside::Hidden(reason) => Some(reason),
        Aside::Checksum | Aside::Leap => None,
    }
}

/// The next point of the span that is not part of a way: an outlier, a suspect or a hidden one; after the last the first.
pub fn next_doubtful(data: &Data, view: &View) -> Option<(DeviceId, Point)> {
    let main = data.history.main(view.selection.device);
    let pasts = data.history.shown.iter().filter(|(id, _)| main.is_none_or(|main| main == **id));
    let beside = pasts.flat_map(|(id, shown)| shown.past.points.iter().map(|point| (*id, *point)));
    let mut beside: Vec<(DeviceId, Point)> = beside.filter(|(_, point)| point.aside.is_some()).collect();
    beside.sort_by_key(|(id, point)| (point.at_ms, *id, point.fix));
    let here = beside.iter().position(|(_, point)| view.selection.fix == Some(point.fix));
    let after = match (here, view.time.cursor_ms) {
        (Some(here), _) => here + 1,
        (None, Some(ms)) => beside.partition_point(|(_, point)| point.at_ms <= ms),
        (None, None) => 0,
    };
    beside.get(after).or(beside.first()).copied()
}

/// Points of the way before a point and behind it that are looked at with it, at most.
const BESIDE: usize = 12;

/// A point and the way around it: what has to be in view for the point to make sense. Empty where it is not in the span.
pub fn surroundings(data: &Data, device: DeviceId, fix: i64) -> WorldBox {
    let points = data.history.past(device).map_or(&[][..], |past| &past.points);
    let Some(at) = points.iter().position(|point| point.fix == fix) else { return WorldBox::EMPTY };
    let (before, from) = points.split_at(at);
    let on_way = |point: &&Point| point.aside.is_none();
    let way = before.iter().rev().filter(on_way).take(BESIDE).chain(from.iter().filter(on_way).take(BESIDE));
    let way: Vec<World> = way.map(|point| World::from_lat_lon(point.place)).collect();
    let here = from.first().map(|point| World::from_lat_lon(point.place));
    // Each counted on from the side of the antimeridian that is nearer to the way.
    let first = way.first().copied().or(here);
    WorldBox::around(way.into_iter().chain(here).map(|place| first.map_or(place, |first| place.near(first))))
}
