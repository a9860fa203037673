//! What a device's fixes say to the places and rules: a fold over the fixes in order of their own time.
//!
//! The order is one of fix times, and within one moment of places, never one of arrival. So whoever begins again with the fixes behind some
//! moment finds the same events behind it, and a late fix changes only what comes after it. No event has the time of an arrival.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::SignedDuration;

use super::{Battery, Kind, Overspeed, Place, PlaceId, Rhythm, RuleBook, rhythm};
use crate::{
    geo::{
        LatLon,
        fence::{Fence, Fences, Side},
    },
    model::{DeviceId, Leaps, PacketId, Readings, Spot, Timestamp},
};

/// The radius around a fix of a device that says nothing of its accuracy, in metres: what satellites do beside houses.
pub const ASSUMED_ACCURACY_M: f64 = 20.0;

/// What lies this far behind is news of the past: it is listed, and nobody is called.
pub const LATE_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Two fixes that are further apart say nothing of the speed between them.
const SPEED_GAP: SignedDuration = SignedDuration::from_mins(5);

/// A device that tells no speed has moved if it is so far from the fix before, in metres.
const MOVED_M: f64 = 50.0;

/// A fix, as far as anybody here asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub at: Timestamp,
    pub place: LatLon,
    pub accuracy_m: Option<f64>,
    pub speed_kmh: Option<f64>,
    /// Percent.
    pub battery: Option<f64>,
    /// Satellites held, and the checksum was right.
    pub sound: bool,
    pub packet: PacketId,
    pub received: Timestamp,
}

impl Seen {
    /// Where it belongs; equal only for fixes that say the same.
    pub fn order(&self) -> (Timestamp, u64, u64) {
        (self.at, self.place.lat_deg().to_bits(), self.place.lon_deg().to_bits())
    }

    fn spot(&self) -> Spot {
        Spot { at: self.at, place: self.place, accuracy_m: self.accuracy_m }
    }
}

/// An event that fixes, or silence, make.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    pub at: Timestamp,
    pub kind: Kind,
    pub place: Option<PlaceId>,
    pub attributes: Readings,
    /// The packet that shows it.
    pub packet: PacketId,
}

/// Places and rules, ready to be asked.
#[derive(Debug, Default)]
pub struct Book {
    places: Vec<Place>,
    index: HashMap<PlaceId, usize>,
    fences: Fences,
    pub rules: RuleBook,
}

impl Book {
    /// Of places whose shape has no fault; others are left out.
    pub fn new(places: Vec<Place>, rules: RuleBook) -> Self {
        let (places, fences): (Vec<_>, Vec<_>) = places
            .into_iter()
            .filter_map(|place| {
                let fence = Fence::new(&place.spec.shape)?;
                Some((place, fence))
            })
            .unzip();
        let index = places.iter().enumerate().map(|(at, place)| (place.id, at)).collect();
        Self { places, index, fences: Fences::new(fences), rules }
    }

    pub fn places(&self) -> &[Place] {
        &self.places
    }

    pub fn place(&self, id: PlaceId) -> Option<&Place> {
        self.places.get(*self.index.get(&id)?)
    }

    /// Whether an event that fixes made would be made by this book, so that it goes where they do not make it any more. Events of places that
    /// are gone, and from before a place or rule was as it is, stay as they are.
    pub fn covers(&self, device: DeviceId, kind: Kind, place: Option<PlaceId>, at: Timestamp) -> bool {
        match kind {
            Kind::Enter | Kind::Leave | Kind::Dwell => {
                place.and_then(|id| self.place(id)).is_some_and(|place| place.since <= at)
            }
            Kind::LowBattery | Kind::Overspeed => self.rules.of(device).1 <= at,
            Kind::Alarm | Kind::Quiet => false,
        }
    }

    fn side(&self, index: usize, seen: &Seen) -> Side {
        self.fences.side(index, seen.place, seen.accuracy_m.unwrap_or(ASSUMED_ACCURACY_M))
    }
}

/// How a device is to a place that it is not known to be out of.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stay {
    /// No fix has decided yet.
    Unknown,
    Inside {
        since: Timestamp,
        /// That it stayed long is told, or was not to be.
        told: bool,
    },
}

/// A run of fixes above the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TooFast {
    since: Timestamp,
    last: Timestamp,
    told: bool,
}

/// Where one device is in all that, after some fix.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Course {
    /// Those that it is inside of, or that are not decided; out of all others.
    stays: BTreeMap<PlaceId, Stay>,
    last: Option<Seen>,
    /// The last fix that was believed.
    sound: Option<Seen>,
    leaps: Leaps,
    rhythm: Rhythm,
    moving: bool,
    fast: Option<TooFast>,
    low: Option<bool>,
    /// How far its times ran ahead of their arrival at most: what its clock is off by, but for the shortest way.
    lead: Option<SignedDuration>,
    /// The latest moment of a stay that became long while no fix said so.
    waited: Option<Timestamp>,
}

impl Course {
    /// After these fixes, oldest first, whatever they made.
    pub fn after(book: &Book, device: DeviceId, fixes: &[Seen]) -> Self {
        let mut course = Self::default();
        let mut old = Vec::new();
        for seen in fixes {
            course.step(book, device, seen, &mut old);
            old.clear();
        }
        course
    }

    /// The last fix, believed or not.
    pub fn last(&self) -> Option<&Seen> {
        self.last.as_ref()
    }

    /// How often it usually reports, doing what it does now.
    pub fn usually(&self) -> SignedDuration {
        self.rhythm.of(self.moving)
    }

    /// The places that it is inside of, with the fix that was the first to say so.
    pub fn inside(&self) -> impl Iterator<Item = (PlaceId, Timestamp)> {
        self.stays.iter().filter_map(|(id, stay)| match stay {
            Stay::Inside { since, .. } => Some((*id, *since)),
            Stay::Unknown => None,
        })
    }

    /// It came into a place earlier than the fixes that were looked at can tell.
    pub fn entered_earlier(&mut self, book: &Book, id: PlaceId, at: Timestamp) {
        let now = self.sound.as_ref().map(|seen| seen.at);
        if let (Some(Stay::Inside { since, told }), Some(place), Some(now)) =
            (self.stays.get_mut(&id), book.place(id), now)
        {
            *since = at.min(*since);
            *told = stayed(place, *since).is_some_and(|moment| moment <= now);
        }
    }

    /// Goes on with another book: where a place is new or has moved, it is decided by the last fix, and that is no event.
    pub fn adapt(&mut self, old: &Book, new: &Book, device: DeviceId) {
        let same = |place: &Place| {
            old.place(place.id).is_some_and(|was| was.since == place.since && was.spec.watches_like(&place.spec))
        };
        self.stays.retain(|id, _| new.place(*id).is_some_and(same));
        let Some(seen) = self.sound.clone() else { return };
        for (index, place) in new.places.iter().enumerate() {
            if !same(place) && place.spec.concerns(device) {
                self.settle(new, index, &seen);
            }
        }
        for (id, stay) in &mut self.stays {
            if let (Stay::Inside { since, told }, Some(place)) = (stay, new.place(*id)) {
                *told = stayed(place, *since).is_none_or(|moment| moment <= seen.at);
            }
        }
        self.low = self.low.filter(|_| old.rules.of(device) == new.rules.of(device));
        self.fast = self.fast.filter(|_| old.rules.of(device) == new.rules.of(device));
    }

    /// The next fix in order. What it makes is added to `out`.
    pub fn step(&mut self, book: &Book, device: DeviceId, seen: &Seen, out: &mut Vec<Raised>) {
        self.last = Some(seen.clone());
        self.lead = self.lead.max(Some(seen.at.duration_since(seen.received)));
        self.battery(book, device, seen, out);
        if !seen.sound || self.leaps.judge(seen.spot()).is_some() {
            return;
        }
        self.beat(seen);
        self.speed(book, device, seen, out);
        self.places(book, device, seen, out);
        self.sound = Some(seen.clone());
    }

    /// Time goes on, and no fix comes: whoever sends nothing is where it was last, and so a stay becomes long. By the device's own clock,
    /// as far as its fixes let us know it.
    pub fn wait(&mut self, book: &Book, now: Timestamp, out: &mut Vec<Raised>) {
        let (Some(seen), Some(lead)) = (&self.sound, self.lead) else { return };
        let theirs = now.saturating_add(lead).unwrap_or(now);
        for (id, stay) in &mut self.stays {
            let Stay::Inside { since, told: told @ false } = stay else { continue };
            let Some(place) = book.place(*id) else { continue };
            let Some(moment) = stayed(place, *since).filter(|moment| *moment <= theirs) else { continue };
            *told = true;
            self.waited = self.waited.max(Some(moment));
            tell_stay(place, moment, *since, seen, out);
        }
    }

    /// Whether a fix of then comes before something that is told already because none came.
    pub fn is_overtaken_by(&self, at: Timestamp) -> bool {
        self.waited.is_some_and(|moment| at < moment)
    }

    fn beat(&mut self, seen: &Seen) {
        let before = self.sound.as_ref();
        self.moving = match seen.speed_kmh {
            Some(speed_kmh) => speed_kmh >= rhythm::MOVING_KMH,
            None => before.is_some_and(|before| before.place.distance_m(seen.place) > MOVED_M),
        };
        if let Some(before) = before {
            self.rhythm.push(self.moving, seen.at.duration_since(before.at));
        }
    }

    fn battery(&mut self, book: &Book, device: DeviceId, seen: &Seen, out: &mut Vec<Raised>) {
        let (rules, since) = book.rules.of(device);
        let Some(percent) = seen.battery.filter(|_| rules.battery.on) else { return };
        let was = self.low;
        let Some(low) = rules.battery.is_low(was, percent) else { return };
        self.low = Some(low);
        if low && was != Some(true) && seen.at >= *since {
            out.push(rules.battery.event(percent, seen.at, seen.packet));
        }
    }

    /// Whether its battery was low when a fix last told of it.
    pub fn low(&self) -> bool {
        self.low == Some(true)
    }

    fn speed(&mut self, book: &Book, device: DeviceId, seen: &Seen, out: &mut Vec<Raised>) {
        let (rules, valid_from) = book.rules.of(device);
        let Overspeed { on, above_kmh, for_s } = rules.overspeed;
        let Some(speed_kmh) = seen.speed_kmh.filter(|kmh| on && *kmh > above_kmh) else {
            self.fast = None;
            return;
        };
        let begins = TooFast { since: seen.at, last: seen.at, told: false };
        let goes_on = self.fast.filter(|fast| seen.at.duration_since(fast.last) <= SPEED_GAP);
        let mut fast = TooFast { last: seen.at, ..goes_on.unwrap_or(begins) };
        let long_s = seen.at.duration_since(fast.since).as_secs();
        if !fast.told && long_s >= i64::from(for_s) {
            fast.told = true;
            if seen.at >= *valid_from {
                let mut attributes = Readings::new();
                attributes.set("speedKmh", speed_kmh);
                attributes.set("limitKmh", above_kmh);
                attributes.set("forSeconds", long_s);
                out.push(Raised { at: seen.at, kind: Kind::Overspeed, place: None, attributes, packet: seen.packet });
            }
        }
        self.fast = Some(fast);
    }

    fn places(&mut self, book: &Book, device: DeviceId, seen: &Seen, out: &mut Vec<Raised>) {
        if book.places.is_empty() {
            return;
        }
        let concerns = |index: &usize| book.places.get(*index).is_some_and(|place| place.spec.concerns(device));
        if self.sound.is_none() {
            // The first fix ever: nobody saw it come.
            for index in (0..book.places.len()).filter(concerns) {
                self.settle(book, index, seen);
            }
            return;
        }
        let staying = self.stays.keys().filter_map(|id| book.index.get(id).copied());
        let indices: BTreeSet<usize> = book.fences.near(seen.place).filter(concerns).chain(staying).collect();
        for index in indices {
            let Some(place) = book.places.get(index) else { continue };
            let side = book.side(index, seen);
            match (self.stays.get(&place.id).copied(), side) {
                (None, Side::Inside) => {
                    self.stays.insert(place.id, Stay::Inside { since: seen.at, told: place.spec.dwell_min.is_none() });
                    if place.spec.enter {
                        tell(place, Kind::Enter, seen.at, seen, &Readings::new(), out);
                    }
                }
                (Some(Stay::Unknown), Side::Inside | Side::Outside) => self.settle(book, index, seen),
                (Some(Stay::Inside { since, told }), Side::Outside) => {
                    self.dwell(place, since, told, seen, out);
                    self.stays.remove(&place.id);
                    if place.spec.leave {
                        let mut attributes = Readings::new();
                        attributes.set("staySeconds", seen.at.duration_since(since).as_secs());
                        tell(place, Kind::Leave, seen.at, seen, &attributes, out);
                    }
                }
                (Some(Stay::Inside { since, told }), Side::Inside | Side::Border) => {
                    self.dwell(place, since, told, seen, out);
                }
                (None | Some(Stay::Unknown), Side::Border) | (None, Side::Outside) => {}
            }
        }
    }

    /// Tells of a long stay with the moment when it became long, as soon as a fix is behind that. It lasts until a fix shows that it is over:
    /// see [`Course::wait`], which tells the same.
    fn dwell(&mut self, place: &Place, since: Timestamp, told: bool, seen: &Seen, out: &mut Vec<Raised>) {
        let Some(moment) = stayed(place, since).filter(|moment| !told && *moment <= seen.at) else { return };
        self.stays.insert(place.id, Stay::Inside { since, told: true });
        tell_stay(place, moment, since, seen, out);
    }

    /// Takes a fix as the first that says anything about a place.
    fn settle(&mut self, book: &Book, index: usize, seen: &Seen) {
        let Some(place) = book.places.get(index) else { return };
        match book.side(index, seen) {
            Side::Inside => {
                let told = stayed(place, seen.at).is_none();
                self.stays.insert(place.id, Stay::Inside { since: seen.at, told });
            }
            Side::Border => {
                self.stays.insert(place.id, Stay::Unknown);
            }
            Side::Outside => {
                self.stays.remove(&place.id);
            }
        }
    }
}

/// When a stay that began then is long; `None` where nobody asks.
fn stayed(place: &Place, since: Timestamp) -> Option<Timestamp> {
    since.checked_add(SignedDuration::from_mins(place.spec.dwell_min?.into())).ok()
}

fn tell_stay(place: &Place, moment: Timestamp, since: Timestamp, seen: &Seen, out: &mut Vec<Raised>) {
    let mut attributes = Readings::new();
    attributes.set("minutes", place.spec.dwell_min);
    attributes.set("since", since.to_string());
    tell(place, Kind::Dwell, moment, seen, &attributes, out);
}

fn tell(place: &Place, kind: Kind, at: Timestamp, seen: &Seen, more: &Readings, out: &mut Vec<Raised>) {
    if at < place.since {
        return;
    }
    let mut attributes = Readings::new();
    attributes.set("place", place.spec.name.trim());
    attributes.set("placeId", place.id.0);
    attributes.merge(more);
    out.push(Raised { at, kind, place: Some(place.id), attributes, packet: seen.packet });
}

impl Battery {
    /// Whether a battery is low, after it was or not. `None`: it is in between, and nobody knows how it was.
    pub fn is_low(self, was: Option<bool>, percent: f64) -> Option<bool> {
        let below = f64::from(self.below);
        if percent < below {
            Some(true)
        } else if percent >= below + Self::RECOVERS {
            Some(false)
        } else {
            was
        }
    }

    /// The event of a low battery.
    pub fn event(self, percent: f64, at: Timestamp, packet: PacketId) -> Raised {
        let mut attributes = Readings::new();
        attributes.set("batteryLevel", percent);
        attributes.set("below", self.below);
        Raised { at, kind: Kind::LowBattery, place: None, attributes, packet }
    }
}

#[cfg(test)]
mod tests;
