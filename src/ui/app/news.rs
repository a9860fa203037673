//! What arrives: facts from the feed, answers from the store, and the questions that come of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use egui::Context;
use jiff::SignedDuration;

use super::App;
use crate::{
    model::{DeviceId, DeviceOverview, DeviceState, Fact, PacketId, StoredFix, Timestamp},
    ui::{
        asks::{self, Fresh},
        data::MAX_EVENTS,
        format,
        map::Trail,
        panels::gone,
        phones,
        view::Sheet,
    },
};

/// Time that facts may take of one frame; the rest waits for the next.
const FACT_BUDGET: Duration = Duration::from_millis(5);
/// Between two readings of everything.
const REREAD_EVERY: Duration = Duration::from_millis(700);
/// Trails that are loaded without being asked for; the selected device's always is.
const MAX_TRAILS: usize = 300;

/// What is known to be out of date.
#[derive(Default)]
pub(super) struct News {
    /// Something happened that no fact told: read again.
    pub(super) missed: bool,
    /// When it was read last.
    read_at: Option<Instant>,
    /// Trails on the map that are not up to date.
    stale_trails: BTreeSet<DeviceId>,
    /// How far back the trails were read.
    trails_back: SignedDuration,
    /// Where the source ends that they were read of.
    trails_to: Option<Timestamp>,
    /// The device whose events are shown.
    events_of: Option<DeviceId>,
    events_stale: bool,
}

impl App {
    pub(super) fn take_facts(&mut self, ctx: &Context) {
        let begun = Instant::now();
        while let Some(fact) = self.feed.next() {
            match fact {
                Fact::Committed(committed) => {
                    self.asks.remember(&committed);
                    self.paging.remember(&committed);
                    self.past.learn(&committed, &self.data.history);
                    self.data.apply(&committed, self.news.events_of);
                    self.news.stale_trails.extend(&committed.rederived);
                    self.reread(&committed.rederived);
                }
                Fact::Missed => self.news.missed = true,
            }
            if begun.elapsed() > FACT_BUDGET {
                ctx.request_repaint();
                break;
            }
        }
    }

    /// The history of these devices was found again from their packets.
    fn reread(&mut self, devices: &[DeviceId]) {
        self.data.remote.reread(devices);
        if let Some(opened) = &self.data.opened
            && opened.row.device.is_some_and(|device| devices.contains(&device))
        {
            let row = opened.row.clone();
            self.asks.fixes = Some((row.id, self.backend().fixes_of_packet(row.id)));
            self.open(row);
        }
    }

    /// Reads everything again where that is wanted, but not more often than [`REREAD_EVERY`]: beside a busy instance, a viewer
    /// misses something all the time.
    pub(super) fn read_again(&mut self, ctx: &Context) {
        if !self.news.missed || self.asks.reloading() {
            return;
        }
        let left = self.news.read_at.map_or(Duration::ZERO, |at| REREAD_EVERY.saturating_sub(at.elapsed()));
        if left > Duration::ZERO {
            ctx.request_repaint_after(left);
            return;
        }
        let Some(backend) = &self.backend else { return };
        self.asks.reload(backend);
        self.news.missed = false;
        self.news.read_at = Some(Instant::now());
    }

    fn take_fresh(&mut self, fresh: Fresh) {
        let before: BTreeMap<_, _> =
            self.data.trails.keys().filter_map(|id| Some((*id, told(self.data.devices.get(id)?)))).collect();
        self.data.reload(fresh.devices, fresh.packets, &fresh.since, self.news.events_of);
        if let Some(backend) = &self.backend {
            self.paging.read_again(backend, &self.data);
        }
        self.data.trouble = None;
        // The old trail stays on the map until the new one is there.
        let changed = before.into_iter().filter(|(id, known)| self.data.devices.get(id).map(told) != Some(*known));
        self.news.stale_trails.extend(changed.map(|(id, _)| id));
        self.news.events_stale = true;
        self.news.missed |= fresh.overflowed;
        self.remote.read_again(&mut self.data);
        self.past.read_again(&self.data.history);
        self.talk.read_again();
        phones::Asking::read_again(&mut self.data);
        self.forget_removed();
    }

    pub(super) fn take_answers(&mut self) {
        match self.asks.fresh() {
            Some(Ok(fresh)) => self.take_fresh(fresh),
            Some(Err(error)) => self.data.trouble = Some(error.to_string()),
            None => {}
        }
        for (device, limit, answer) in self.asks.trails_answered() {
            match answer {
                Ok(answer) => {
                    let trail = Trail::from_fixes(answer.fixes);
                    self.data.trails.insert(device, if answer.cut { trail.cut(limit) } else { trail });
                    self.news.stale_trails.remove(&device);
                }
                Err(error) => {
                    // An empty one, or as it is, or it would be asked for again at once.
                    let kept = self.data.trails.remove(&device).unwrap_or_default();
                    let kept = if kept.cut_at().is_some() { kept.cut(limit) } else { kept };
                    self.data.trails.insert(device, kept);
                    self.news.stale_trails.remove(&device);
                    self.data.trouble = Some(error.to_string());
                }
            }
        }
        if let Some((id, answer)) = asks::take(&mut self.asks.packet)
            && self.view.selection.packet == Some(id)
        {
            match answer {
                Ok(Some(row)) => self.open(row),
                Ok(None) if id.import().is_some() => self.ask_origin(id),
                Ok(None) => self.asks.removal = Some((id, self.backend().removal_of(id))),
                Err(error) => self.toasts.error(format!("Could not read the packet: {error}")),
            }
        }
        if let Some((id, answer)) = asks::take(&mut self.asks.removal)
            && self.view.selection.packet == Some(id)
        {
            let removal = answer.ok().flatten();
            // A position says it where it stands; a packet that was asked for by itself has no such place.
            if self.view.selection.fix.is_none() {
                self.toasts.warn(gone(removal, &self.view));
            }
            self.data.gone = Some((id, removal));
        }
        if let Some((id, Ok(fixes))) = asks::take(&mut self.asks.fixes) {
            self.take_fixes(id, fixes);
        }
        if let Some((device, Ok(mut events))) = asks::take(&mut self.asks.events)
            && self.news.events_of == Some(device)
        {
            events.reverse();
            self.data.events = events;
        }
        let adopted = self.asks.adopted();
        let done: Vec<u64> = adopted.iter().filter_map(|(_, answer)| answer.as_ref().ok().copied()).collect();
        if done.len() > 1 {
            let devices = format::count(done.len() as u64);
            let positions = format::counted(done.iter().sum(), "position", "positions");
            self.say_done(format!("Adopted {devices} devices, {positions}"), None);
        }
        for (device, answer) in adopted {
            let name = self.data.label(device);
            match answer {
                Ok(_) if done.len() > 1 => {}
                Ok(n) => {
                    let text = format!("Adopted {name}, {}", format::counted(n, "position", "positions"));
                    self.say_done(text, Some(device));
                }
                Err(error) => {
                    let text = format!("Could not adopt {name}: {error}");
                    self.refused(Some(device), text);
                }
            }
            // Its positions have become history.
            self.news.stale_trails.insert(device);
        }
        for (asks::Change { what, device }, answer) in self.asks.changed() {
            if let Err(error) = answer {
                self.refused(device, format!("Could not {what}: {error}"));
            }
        }
        for device in self.remote.take(&mut self.data, &mut self.toasts) {
            self.withdraw(Some(device));
        }
        self.data.copying = self.asks.copy.as_ref().map(|(_, watch)| watch.stage());
        if let Some((pending, _)) = &mut self.asks.copy
            && let Some(answer) = pending.poll()
        {
            self.asks.copy = None;
            self.panels.copy.finished(answer.unwrap_or_else(|error| Err(error.into())));
        }
        self.data.exporting = self.asks.export.as_ref().map(|(_, watch)| watch.stage());
        if let Some((pending, _)) = &mut self.asks.export
            && let Some(answer) = pending.poll()
        {
            self.asks.export = None;
            let report = answer.map_err(|e| e.to_string()).and_then(|written| written.map_err(|e| e.to_string()));
            self.panels.export.finished(report);
        }
    }

    /// What was answered about phones. One that was added just now is shown next, to be paired.
    pub(super) fn take_phones(&mut self, ctx: &Context) {
        let added = self.phones.take(ctx, &mut self.data, &mut self.toasts);
        for device in std::mem::take(&mut self.phones.refused) {
            self.withdraw(Some(device));
        }
        let Some(added) = added else { return };
        if self.view.open.sheet == Some(Sheet::AddPhone) {
            self.close_packet();
            self.view.selection.device = Some(added);
            self.view.open.sheet = Some(Sheet::Phone);
        }
    }

    /// A selection of what is gone is no selection.
    fn forget_removed(&mut self) {
        let gone = |id: &DeviceId| !self.data.devices.contains_key(id);
        let selected_gone = self.view.selection.device.as_ref().is_some_and(gone);
        let opened_gone = self.data.opened.as_ref().is_some_and(|o| o.row.device.as_ref().is_some_and(gone));
        if selected_gone || opened_gone {
            self.close_packet();
        }
        if selected_gone {
            self.view.selection.device = None;
        }
        let gone = |id: &DeviceId| !self.data.devices.contains_key(id);
        self.news.stale_trails.retain(|id| self.data.devices.contains_key(id));
        if self.view.follow.as_ref().is_some_and(gone) {
            self.view.follow = None;
        }
    }

    fn take_fixes(&mut self, packet: PacketId, fixes: Vec<StoredFix>) {
        let Some(opened) = self.data.opened.as_mut().filter(|opened| opened.row.id == packet) else { return };
        opened.fixes = fixes;
        // The packet's own point is selected with it; a point that was clicked stays.
        if self.view.selection.fix.is_none() {
            self.view.selection.fix = opened.fixes.last().map(|fix| fix.id);
        }
    }

    /// Asks for what the selection and the map want and the data lack.
    pub(super) fn ask(&mut self, ctx: &Context, now: Timestamp) {
        let selected = self.view.selection.device;
        if self.news.events_of != selected || self.news.events_stale {
            if self.news.events_of != selected {
                self.data.events.clear();
            }
            self.news.events_of = selected;
            self.news.events_stale = false;
            self.asks.events = selected.map(|device| (device, self.backend().events(Some(device), MAX_EVENTS)));
        }
        let (back, ends) = (self.view.settings.map.trail.read_back(), self.view.time.ends);
        if back > self.news.trails_back || ends != self.news.trails_to {
            self.asks.forget_trails();
            self.news.stale_trails.extend(self.data.trails.keys());
        }
        (self.news.trails_back, self.news.trails_to) = (back, ends);
        let source_now = self.view.source_now(now);
        // What has grown to twice its length while the window was open is read again, and is short again.
        let filling = self.data.station.capture.as_ref().is_some_and(|status| status.filling);
        // Where a capture ends is known once all of it was read.
        if let Some(oldest) = source_now.checked_sub(back * 2).ok().filter(|_| !filling) {
            let outgrown =
                self.data.trails.iter().filter(|(_, t)| t.extent().first.is_some_and(|first| first < oldest));
            self.news.stale_trails.extend(outgrown.map(|(device, _)| *device));
        }
        let sheet = self.view.open.sheet;
        let Self { asks, remote, phones, data, news, backend: Some(backend), .. } = self else { return };
        remote.ask(backend, data, selected, now);
        phones.ask(ctx, backend, data, sheet);
        let lacks = |id: &DeviceId| !data.trails.contains_key(id);
        let room = MAX_TRAILS.saturating_sub(data.trails.len());
        let shown = data
            .devices
            .values()
            .filter(|d| d.device.state == DeviceState::Adopted && d.last_fix.is_some())
            .map(|d| d.device.id)
            .filter(lacks)
            .take(room);
        let stale = news.stale_trails.iter().copied();
        // Of the selected device there is more to see.
        let short = |id: &DeviceId| {
            data.trails.get(id).is_none_or(|trail| trail.cut_at().is_some_and(|points| points < asks::SELECTED_POINTS))
        };
        let limit = |id: DeviceId| (id, if selected == Some(id) { asks::SELECTED_POINTS } else { asks::TRAIL_POINTS });
        let wanted = selected.into_iter().filter(short).chain(stale).chain(shown).map(limit);
        asks.trails(backend, wanted, source_now.checked_sub(back).ok());
    }
}

/// The last fix, and how many there are: of a burst, the last may be heard where others were missed.
fn told(overview: &DeviceOverview) -> (Option<i64>, u64) {
    (overview.last_fix.as_ref().map(|fix| fix.id), overview.positions)
}
