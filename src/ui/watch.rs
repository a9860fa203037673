//! What is watched for, as the window knows it: places, rules, mutes, and the events that came of them. Asked of the backend, answered into
//! [`Watch`].

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use super::{
    Data, View,
    asks::take_answered,
    notices::{Notice, Notices},
    toasts::Toasts,
    undo::{Step, Told},
};
use crate::{
    backend::{
        Backend, Error, Pending,
        watch::{EventQuery, SetUp, Waypoint},
    },
    geo::fence::Shape,
    model::{
        DeviceId, PacketId, StoredEvent, TimeWindow, Timestamp,
        watch::{Kind, LATE_AFTER, Mute, Place, PlaceId, PlaceSpec, Rules},
    },
};

/// Events that are listed at most.
pub const MAX_LISTED: usize = 1_000;
/// Unread events that are looked at to see which are new.
const MAX_UNREAD: usize = 200;
/// Between two readings.
const EVERY: Duration = Duration::from_millis(300);

/// What the window knows of it; a part of [`Data`].
#[derive(Default)]
pub struct Watch {
    pub set_up: SetUp,
    /// Counts the readings of places: whoever keeps something made of them makes it anew.
    pub revision: u64,
    /// Newest first, as the filter wants them.
    pub events: Vec<StoredEvent>,
    /// The first answer has come.
    pub loaded: bool,
    /// Circles that phones told; `None` until somebody asked.
    pub waypoints: Option<Vec<Waypoint>>,
    /// Why nobody can be called on this desktop.
    pub no_notices: Option<String>,
    /// Something changed: read it again.
    pub(super) stale: bool,
}

impl Watch {
    /// The place with this id.
    pub fn place(&self, id: PlaceId) -> Option<&Place> {
        self.set_up.places.iter().find(|place| place.id == id)
    }

    pub(super) fn read_again(&mut self) {
        self.stale = true;
    }
}

/// Which events are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventFilter {
    pub device: Option<DeviceId>,
    pub kind: Option<Kind>,
    pub unread: bool,
}

impl EventFilter {
    fn query(self) -> EventQuery {
        let types = self.kind.map(|kind| kind.as_str().to_owned()).into_iter().collect();
        EventQuery { device: self.device, window: TimeWindow::ALL, types, unread: self.unread, limit: MAX_LISTED }
    }
}

/// What is drawn on the map next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    Circle,
    Polygon,
}

/// What a click may ask for here.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchAction {
    /// Write a place; a new one has no id. `since`: bring it back as it was.
    Put {
        id: Option<PlaceId>,
        since: Option<Timestamp>,
        spec: PlaceSpec,
    },
    Remove(PlaceId),
    /// The rules for a device, or for all that have none of their own.
    Rules(Option<DeviceId>, Option<Rules>),
    /// Mute a device, or everything; nothing ends that.
    Mute(Option<DeviceId>, Option<Mute>),
    /// Mark events as read, or unread; without any: all.
    Read {
        events: Option<Vec<i64>>,
        unread: bool,
    },
    /// The events beside the packets, or the packets.
    List(bool),
    Filter(EventFilter),
    /// Show an event: its device, its packet, its place on the map.
    Open {
        event: i64,
        device: DeviceId,
        packet: PacketId,
    },
    /// Draw on the map; what is drawn becomes a new place.
    Draw(Draw),
    /// Change the outline of a place on the map.
    Reshape(PlaceId),
    /// This was drawn.
    Drawn(Shape),
    /// Nothing is drawn any more.
    PutPenDown,
    /// Show this place on the map.
    Fit(PlaceId),
    /// Everything about this place.
    Edit(PlaceId),
    /// Ask which circles phones told.
    AskWaypoints,
}

impl WatchAction {
    /// How this is taken back; `None` where there is nothing to take back, or not yet.
    pub(super) fn inverse(&self, data: &Data) -> Option<Step> {
        let (did, undoing, undo, about) = match self {
            Self::Put { id: Some(id), spec, .. } => {
                let was = data.watch.place(*id).filter(|was| was.spec != *spec)?;
                let undo = Self::put(was);
                let name = &was.spec.name;
                (format!("Changed {name}"), format!("{name} is as before"), undo, None)
            }
            Self::Remove(id) => {
                let was = data.watch.place(*id)?;
                let name = &was.spec.name;
                (format!("Removed {name}"), format!("{name} is a place again"), Self::put(was), None)
            }
            Self::Rules(device, rules) => {
                let book = &data.watch.set_up.rules;
                let was = match device {
                    Some(device) => book.own.get(device).map(|(rules, _)| *rules),
                    None => Some(book.all.0),
                };
                if was == *rules {
                    return None;
                }
                let undo = Self::Rules(*device, was);
                ("Changed the rules".to_owned(), "The rules are as before".to_owned(), undo, *device)
            }
            Self::Mute(device, mute) => {
                let mutes = &data.watch.set_up.mutes;
                let was = device.map_or(mutes.all, |device| mutes.devices.get(&device).copied());
                if was == *mute {
                    return None;
                }
                let name = device.map_or("Everything", |device| data.label(device));
                let state = |mute: &Option<Mute>| if mute.is_some() { "is muted" } else { "may be heard" };
                let undo = Self::Mute(*device, was);
                (format!("{name} {}", state(mute)), format!("{name} {} again", state(&was)), undo, *device)
            }
            _ => return None,
        };
        let undo = vec![super::Action::Watch(undo)];
        let redo = vec![super::Action::Watch(self.clone())];
        Some(Step { did, undoing, undo, redo, about, told: Told::AtOnce })
    }

    /// Writes a place as it is.
    fn put(place: &Place) -> Self {
        Self::Put { id: Some(place.id), since: Some(place.since), spec: place.spec.clone() }
    }
}

/// What is being asked.
#[derive(Default)]
pub(super) struct Asking {
    set_up: Option<Pending<SetUp>>,
    events: Option<(EventFilter, Pending<Vec<StoredEvent>>)>,
    unread: Option<Pending<Vec<StoredEvent>>>,
    waypoints: Option<Pending<Vec<Waypoint>>>,
    notices: Vec<((), Pending<()>)>,
    changes: Vec<(Change, Pending<u64>)>,
    /// The filter that `Watch::events` is of.
    listed: Option<EventFilter>,
    asked_at: Option<Instant>,
    /// The unread events that were there when it was looked last; `None`: it was not looked yet.
    known: Option<HashSet<i64>>,
    pacer: Notices,
}

/// A change that is being written.
struct Change {
    /// In the words of its failure: `save the place`.
    what: &'static str,
    /// A place that was not there before.
    made: Option<String>,
}

impl Asking {
    /// True while an answer is on its way.
    pub(super) fn waiting(&self) -> bool {
        let Self { set_up, events, unread, waypoints, notices, changes, .. } = self;
        set_up.is_some()
            || events.is_some()
            || unread.is_some()
            || waypoints.is_some()
            || !notices.is_empty()
            || !changes.is_empty()
    }

    /// Asks for what is out of date. Gives when to look again at the latest.
    pub(super) fn ask(&mut self, backend: &Backend, data: &mut Data, view: &View) -> Option<Duration> {
        let filter = view.events.filter;
        if self.events.is_none() && self.listed != Some(filter) {
            self.events = Some((filter, backend.watched_events(filter.query())));
            self.listed = Some(filter);
        }
        if !(data.watch.stale || self.asked_at.is_none()) || self.set_up.is_some() || self.unread.is_some() {
            return None;
        }
        let left = self.asked_at.map_or(Duration::ZERO, |at| EVERY.saturating_sub(at.elapsed()));
        if left > Duration::ZERO {
            return Some(left);
        }
        data.watch.stale = false;
        self.asked_at = Some(Instant::now());
        self.set_up = Some(backend.watch_set_up());
        self.events = Some((filter, backend.watched_events(filter.query())));
        let unread = EventQuery { unread: true, limit: MAX_UNREAD, ..EventQuery::default() };
        self.unread = Some(backend.watched_events(unread));
        None
    }

    pub(super) fn ask_waypoints(&mut self, backend: &Backend) {
        self.waypoints = Some(backend.waypoints());
    }

    /// A change is being written.
    pub(super) fn change(&mut self, what: &'static str, made: Option<String>, pending: Pending<u64>) {
        self.changes.push((Change { what, made }, pending));
    }

    /// Takes over what came. Gives places that were made just now, with their names.
    pub(super) fn take(&mut self, data: &mut Data, toasts: &mut Toasts) -> Vec<(PlaceId, String)> {
        let trouble = |data: &mut Data, error: Error| data.trouble = Some(error.to_string());
        if let Some(answer) = self.set_up.as_mut().and_then(Pending::poll) {
            self.set_up = None;
            match answer {
                Ok(set_up) => {
                    data.watch.revision += u64::from(data.watch.set_up.places != set_up.places);
                    (data.watch.set_up, data.watch.loaded) = (set_up, true);
                }
                Err(error) => trouble(data, error),
            }
        }
        if let Some((filter, pending)) = &mut self.events
            && let Some(answer) = pending.poll()
        {
            let current = self.listed == Some(*filter);
            self.events = None;
            match answer {
                Ok(events) if current => data.watch.events = events,
                Ok(_) => self.listed = None,
                Err(error) => trouble(data, error),
            }
        }
        if let Some(answer) = self.waypoints.as_mut().and_then(Pending::poll) {
            self.waypoints = None;
            match answer {
                Ok(told) => data.watch.waypoints = Some(told),
                Err(error) => trouble(data, error),
            }
        }
        let mut made = Vec::new();
        for (change, answer) in take_answered(&mut self.changes) {
            match (answer, change.made) {
                (Ok(id), Some(name)) => made.push((PlaceId(id.cast_signed()), name)),
                (Ok(_), None) => {}
                (Err(error), _) => toasts.error(format!("Could not {}: {error}", change.what)),
            }
        }
        made
    }

    /// Calls the user for what is new and happened just now. Gives when to look again at the latest.
    pub(super) fn call(&mut self, backend: &Backend, data: &mut Data, view: &View, now: Timestamp) -> Option<Duration> {
        for ((), answer) in take_answered(&mut self.notices) {
            data.watch.no_notices = answer.err().map(|error| error.to_string());
        }
        let settings = &view.settings;
        if let Some(Ok(unread)) = self.unread.as_mut().and_then(Pending::poll) {
            self.unread = None;
            let ids: HashSet<i64> = unread.iter().map(|event| event.id).collect();
            let before = self.known.replace(ids);
            let is_new = |event: &&StoredEvent| before.as_ref().is_some_and(|known| !known.contains(&event.id));
            for event in unread.iter().rev().filter(is_new).filter(|event| is_now(event, now)) {
                if settings.notify {
                    self.pacer.offer(Notice::of(event, data, view), Instant::now());
                }
            }
        } else if self.unread.as_mut().is_some_and(|pending| matches!(pending.poll(), Some(Err(_)))) {
            self.unread = None;
        }
        while let Some(notice) = self.pacer.next(Instant::now()) {
            self.notices.push(((), backend.notify(notice.title, notice.text, settings.notify_sound)));
        }
        self.pacer.due_in(Instant::now())
    }
}

/// Whether it happened just now: what is late is listed, and nobody is called.
fn is_now(event: &StoredEvent, now: Timestamp) -> bool {
    now.duration_since(event.at).abs() <= LATE_AFTER
}
