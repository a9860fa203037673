//! Questions about the past on their way to the store. Every answer is polled once a frame; nothing here waits.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{ToSpan as _, civil::Date};

use super::{Bar, History, Shown, Span, moment, point, span::midnight_ms};
use crate::{
    backend::{Backend, Error, Pending, Room},
    model::{Committed, DeviceId, DeviceState, StoredEvent, StoredFix, TimeWindow, Timestamp},
    track::{Past, Series, Strip},
    ui::{Data, View, asks},
};

/// Points of all spans together that are held at most: some 90 MB.
pub const MOST_POINTS: u64 = 1_000_000;
/// Devices that are looked at together at most, the selected one first.
const MOST_DEVICES: usize = 300;
/// The same while time is now and none is selected: lines of more cannot be told apart.
const MOST_LIVE: usize = 12;
/// Spans that are read at a time.
const AT_ONCE: usize = 4;
/// Between two readings of a span that goes on.
const REFRESH_EVERY: Duration = Duration::from_secs(3);
/// So many times as long as reading takes, nothing is read.
const REST_AFTER_READING: u32 = 5;
/// Alarms of one device that are marked.
const MOST_ALARMS: usize = 2_000;
/// Parts of a span that packets are counted in.
const COUNTED_PARTS: usize = 600;

/// When each part of a span begins, and how many packets came in it.
type Counts = Vec<(i64, u32)>;

/// What is being asked.
#[derive(Default)]
pub struct Asking {
    want: Option<Want>,
    room: Option<Arc<Room>>,
    asked: BTreeMap<DeviceId, Pending<Past>>,
    /// Spans that are being made ready to be drawn, and for which series.
    prepared: BTreeMap<DeviceId, (Series, Pending<Shown>)>,
    queue: VecDeque<DeviceId>,
    /// Devices that told more since their span was read.
    stale: BTreeSet<DeviceId>,
    read_at: Option<Instant>,
    /// What the last reading took, until all of it was ready to be drawn.
    took: Duration,
    alarms: Option<Pending<Vec<StoredEvent>>>,
    counts: Option<(i64, Pending<Counts>)>,
    /// What was counted last, in minutes.
    counted: Option<(i64, i64, Vec<DeviceId>)>,
    /// Of which version of what is shown that was asked last: with the span it may have gone.
    as_of_in: u64,
    as_of: Option<(AskedFix, Pending<Option<StoredFix>>)>,
    /// A fix of the span that was asked for and is not there any more, and of which version of what is shown.
    lacking: Option<(i64, u64)>,
    days: Option<(Vec<Date>, Pending<Vec<bool>>)>,
    /// For which devices the calendar was marked.
    days_of: Vec<DeviceId>,
}

/// A fix that is asked for.
#[derive(Debug, Clone, Copy)]
struct AskedFix {
    id: i64,
    /// It was selected by hand.
    selected: bool,
}

/// What is to be held.
#[derive(PartialEq, Eq)]
struct Want {
    span: Span,
    /// `None`: it goes on over midnight.
    days: Option<(Date, Date)>,
    ends: Option<Timestamp>,
    devices: Vec<DeviceId>,
}

impl Asking {
    /// True while an answer is on its way.
    pub(in crate::ui) fn waiting(&self) -> bool {
        let Self { asked, prepared, alarms, counts, as_of, days, .. } = self;
        !asked.is_empty()
            || !prepared.is_empty()
            || alarms.is_some()
            || counts.is_some()
            || as_of.is_some()
            || days.is_some()
    }

    /// Something was committed: spans that go on want to be read again, and those whose history was changed, at once.
    pub(in crate::ui) fn learn(&mut self, committed: &Committed, history: &History) {
        let told = committed.fixes.iter().map(|fix| fix.device);
        self.stale.extend(told.filter(|id| history.shown.contains_key(id)));
        let changed = committed.rederived.iter().filter(|id| history.shown.contains_key(id));
        for id in changed {
            self.stale.insert(*id);
            self.read_at = None;
        }
    }

    /// Everything is read again: something was missed.
    pub(in crate::ui) fn read_again(&mut self, history: &History) {
        self.stale.extend(history.shown.keys());
    }

    /// Asks for what is looked at and not there. Gives when to ask again at the latest.
    pub(in crate::ui) fn ask(
        &mut self,
        backend: &Backend,
        data: &mut Data,
        view: &View,
        now: Timestamp,
    ) -> Option<Duration> {
        let wanted = wanted(data, view);
        let span = held(view, now);
        let days = (span != Span::LastHour).then(|| span.days(view.span_now(now), &view.zone()));
        let want = Want { span, days, ends: view.time.ends, devices: wanted };
        if self.want.as_ref() != Some(&want) {
            self.change(data, want);
        }
        data.history.set_series(view.time.series);
        let later = self.refresh(span);
        self.read(backend, data, view, now);
        self.count(backend, data, view, now);
        self.ask_as_of(backend, data, view, now);
        self.ask_days(backend, data, view, now);
        // Only a replay skips rest.
        if !view.is_live() {
            let (from, to) = view.span_ms(now);
            data.history.find_rests(from, to);
        }
        later
    }

    /// Looks at something else from now on. What is wanted still is kept.
    fn change(&mut self, data: &mut Data, want: Want) {
        let history = &mut data.history;
        let times = |want: &Want| (want.span, want.days, want.ends);
        let same_span = self.want.as_ref().is_some_and(|old| times(old) == times(&want));
        if !same_span {
            history.shown.clear();
            self.asked.clear();
            self.prepared.clear();
            self.stale.clear();
        }
        history.shown.retain(|id, _| want.devices.contains(id));
        self.asked.retain(|id, _| want.devices.contains(id));
        self.prepared.retain(|id, _| want.devices.contains(id));
        self.stale.retain(|id| want.devices.contains(id));
        let lacks = |id: &&DeviceId| {
            !history.shown.contains_key(id) && !self.asked.contains_key(id) && !self.prepared.contains_key(id)
        };
        self.queue = want.devices.iter().filter(lacks).copied().collect();
        if self.asked.is_empty() && self.prepared.is_empty() {
            self.room = Some(Arc::new(Room::new(MOST_POINTS.saturating_sub(history.points() as u64))));
        }
        self.alarms = None;
        history.alarms.retain(|alarm| same_span && want.devices.contains(&alarm.device));
        history.trouble = None;
        history.version += 1;
        self.read_at = None;
        self.want = Some(want);
    }

    /// Puts what has gone on into the queue, but not all the time.
    fn refresh(&mut self, span: Span) -> Option<Duration> {
        if self.stale.is_empty() || !self.queue.is_empty() || !self.asked.is_empty() || !self.prepared.is_empty() {
            return None;
        }
        // Into a span that is over, something comes late and seldom.
        let every = if span.rolls() { REFRESH_EVERY } else { 3 * REFRESH_EVERY };
        let every = every.max(self.took * REST_AFTER_READING);
        let left = self.read_at.map_or(Duration::ZERO, |at| every.saturating_sub(at.elapsed()));
        if left > Duration::ZERO {
            return Some(left);
        }
        self.queue.extend(std::mem::take(&mut self.stale));
        None
    }

    fn read(&mut self, backend: &Backend, data: &mut Data, view: &View, now: Timestamp) {
        let window = window(view, now);
        let room = self.room.get_or_insert_with(|| Arc::new(Room::new(MOST_POINTS)));
        let begins = !self.queue.is_empty() && self.asked.is_empty();
        while self.asked.len() < AT_ONCE
            && let Some(device) = self.queue.pop_front()
        {
            self.asked.insert(device, backend.past(device, window, room));
        }
        if begins {
            let devices = self.want.as_ref().map(|want| want.devices.clone()).unwrap_or_default();
            self.alarms = Some(backend.alarms(devices, window, MOST_ALARMS));
            self.read_at = Some(Instant::now());
        }
        // What is there already stays until it is replaced: nobody waits for it.
        let on_its_way = self.queue.iter().chain(self.asked.keys()).chain(self.prepared.keys());
        data.history.awaited = on_its_way.filter(|id| !data.history.shown.contains_key(id)).count();
    }

    /// Packets are counted only where they are looked at.
    fn count(&mut self, backend: &Backend, data: &mut Data, view: &View, now: Timestamp) {
        if view.time.series != Series::Packets || view.time.bar == Bar::Hidden {
            return;
        }
        let (from, to) = view.span_ms(now);
        let devices: Vec<_> = data.history.main(view.selection.device).into_iter().collect();
        // A span that goes on is counted anew as it moves on by a part.
        let part_ms = ((to - from) / i64::try_from(COUNTED_PARTS).unwrap_or(1))
            .max(REFRESH_EVERY.as_millis().try_into().unwrap_or(1));
        let key = (from / part_ms, to / part_ms, devices.clone());
        if self.counts.is_some() || self.counted.as_ref() == Some(&key) {
            return;
        }
        let whom = (!devices.is_empty()).then_some(devices);
        self.counts = Some((to - from, backend.packet_counts(whom, from, to, COUNTED_PARTS)));
        self.counted = Some(key);
    }

    /// The selected fix, or else the last before the instant that is looked at, with all it carried: of the selected device.
    fn ask_as_of(&mut self, backend: &Backend, data: &mut Data, view: &View, now: Timestamp) {
        let past = view.selection.device.filter(|_| !view.is_live()).and_then(|id| data.history.past(id));
        let last = past.and_then(|past| past.last_before(view.instant_ms(now))).map(|(_, point)| point.fix);
        if data.history.gone != view.selection.fix {
            data.history.gone = None;
        }
        // What was selected by hand is there already where its packet is open.
        let selected = view.selection.device.filter(|device| point::picked(data, view, *device).is_none());
        let selected = selected.and(view.selection.fix).filter(|id| data.history.gone != Some(*id));
        // It may have gone since the span was read.
        let last = last.filter(|id| self.lacking != Some((*id, data.history.version)));
        let wanted = selected.or(last);
        if wanted.is_none() {
            data.history.as_of = None;
        }
        if self.as_of.is_none()
            && let Some(id) = wanted
            && (data.history.as_of.as_ref().is_none_or(|fix| fix.id != id) || self.as_of_in != data.history.version)
        {
            self.as_of_in = data.history.version;
            self.as_of = Some((AskedFix { id, selected: selected.is_some() }, backend.fix(id)));
        }
    }

    /// Marks the days of the calendar that have data.
    fn ask_days(&mut self, backend: &Backend, data: &mut Data, view: &View, now: Timestamp) {
        let Some(month) = view.time.month else {
            self.days = None;
            return;
        };
        let devices = looked_at(data, view, MOST_DEVICES);
        if self.days_of != devices {
            data.history.days.clear();
            self.days_of.clone_from(&devices);
            self.days = None;
        }
        if self.days.is_some() {
            return;
        }
        let today = now.to_zoned(view.zone()).date();
        let lacking: Vec<Date> = (0..i32::from(month.days_in_month()))
            .filter_map(|n| month.first_of_month().checked_add(n.days()).ok())
            .filter(|day| *day <= today && !data.history.days.contains_key(day))
            .collect();
        if lacking.is_empty() {
            return;
        }
        let zone = view.zone();
        let stretch = |day: &Date| Some((midnight_ms(*day, &zone)?, midnight_ms(day.tomorrow().ok()?, &zone)?));
        let stretches = lacking.iter().map(|day| stretch(day).unwrap_or((0, 0))).collect();
        self.days = Some((lacking, backend.have_data(devices, stretches)));
    }

    /// Takes over what came.
    pub(in crate::ui) fn take(&mut self, data: &mut Data) {
        let history = &mut data.history;
        let mut came: Vec<(DeviceId, Result<Past, Error>)> = Vec::new();
        self.asked.retain(|device, pending| match pending.poll() {
            Some(answer) => {
                came.push((*device, answer));
                false
            }
            None => true,
        });
        for (device, answer) in came {
            match answer {
                Ok(past) => {
                    self.prepared.insert(device, (history.series, prepare(past, history.series)));
                }
                Err(error) => history.trouble = Some(error.to_string()),
            }
        }
        let mut ready = Vec::new();
        self.prepared.retain(|device, (series, pending)| match pending.poll() {
            Some(answer) => {
                ready.push((*device, *series, answer));
                false
            }
            None => true,
        });
        for (device, series, answer) in ready {
            let Ok(shown) = answer else { continue };
            if let (Some(room), Some(old)) = (&self.room, history.past(device)) {
                room.give_back(old.points.len());
            }
            history.put(device, shown, series);
            if let Some(at) = self.read_at.filter(|_| self.prepared.is_empty() && self.asked.is_empty()) {
                self.took = at.elapsed();
            }
        }
        if let Some(answer) = self.alarms.as_mut().and_then(Pending::poll) {
            self.alarms = None;
            match answer {
                Ok(alarms) => history.alarms = alarms,
                Err(error) => history.trouble = Some(error.to_string()),
            }
        }
        if let Some((wide_ms, Ok(counts))) = asks::take(&mut self.counts) {
            history.packets = rate(&counts, wide_ms);
        }
        if let Some((AskedFix { id, selected }, answer)) = asks::take(&mut self.as_of) {
            let fix = answer.unwrap_or_else(|error| {
                history.trouble = Some(error.to_string());
                None
            });
            // Not asked for again and again.
            match (&fix, selected) {
                (None, true) => history.gone = Some(id),
                (None, false) => self.lacking = Some((id, history.version)),
                (Some(_), _) => {}
            }
            history.as_of = fix;
        }
        if let Some((days, pending)) = &mut self.days
            && let Some(answer) = pending.poll()
        {
            let have = answer.unwrap_or_default();
            history.days.extend(days.drain(..).zip(have));
            self.days = None;
        }
    }
}

/// Makes a span ready to be drawn, beside the window where it is long.
fn prepare(past: Past, series: Series) -> Pending<Shown> {
    const AT_ONCE: usize = 2_000;
    let (answer, pending) = Pending::pair();
    if past.points.len() <= AT_ONCE {
        answer.give(Ok(Shown::of(past, series)));
        return pending;
    }
    let thread = std::thread::Builder::new().name("past".to_owned());
    // Where the system gives no thread, the answer is that there is none.
    thread.spawn(move || answer.give(Ok(Shown::of(past, series)))).ok();
    pending
}

/// Counts as packets a minute.
fn rate(counts: &[(i64, u32)], wide_ms: i64) -> Strip {
    #[expect(clippy::cast_precision_loss, reason = "for a chart")]
    let minutes = wide_ms as f32 / 60_000.0 / counts.len().max(1) as f32;
    #[expect(clippy::cast_precision_loss, reason = "for a chart")]
    let a_minute = |n: u32| n as f32 / minutes.max(f32::EPSILON);
    Strip::from_samples(counts.iter().map(|(at, n)| (*at, a_minute(*n))).collect())
}

/// What is read: of a part, the whole that it was taken from, so that going back and forth reads nothing.
fn held(view: &View, now: Timestamp) -> Span {
    let time = &view.time;
    let (from, to) = view.span_ms(now);
    let holds = |whole: &Span| {
        let (whole_from, whole_to) = whole.ends_ms(view.span_now(now), &view.zone());
        (whole_from..=whole_to).contains(&from) && to <= whole_to.saturating_add(1_200_000)
    };
    time.whole.filter(holds).unwrap_or(time.span)
}

/// What is read of the store. A span that goes on has no end.
fn window(view: &View, now: Timestamp) -> TimeWindow {
    let span = held(view, now);
    let (from, to) = span.ends_ms(view.span_now(now), &view.zone());
    TimeWindow { from: Some(moment(from)), to: (!span.rolls()).then(|| moment(to)) }
}

/// The devices whose span is to be held, the selected one first.
fn wanted(data: &Data, view: &View) -> Vec<DeviceId> {
    let time = &view.time;
    if view.is_live() && time.bar != Bar::Open && !time.trips {
        // Nobody looks.
        return Vec::new();
    }
    if view.is_live()
        && time.picked.is_empty()
        && let Some(id) = view.selection.device
    {
        return vec![id];
    }
    looked_at(data, view, if view.is_live() { MOST_LIVE } else { MOST_DEVICES })
}

/// Those that were picked, else all; the selected one first.
fn looked_at(data: &Data, view: &View, most: usize) -> Vec<DeviceId> {
    let adopted = data.in_state(DeviceState::Adopted).filter(|d| d.positions > 0).map(|d| d.device.id);
    let picked = &view.time.picked;
    let rest = adopted.filter(|id| (picked.is_empty() || picked.contains(id)) && view.selection.device != Some(*id));
    view.selection.device.into_iter().chain(rest).take(most).collect()
}
