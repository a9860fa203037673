//! The past in the window: what is looked at, a replay that goes on, positions that are hidden and shown again.

use std::{sync::Arc, time::Duration};

use egui::Context;

use super::App;
use crate::{
    geo::mercator::WorldBox,
    model::{DeviceId, HideReason, TimeWindow, Timestamp},
    ui::{
        asks::take_answered,
        map::Shown,
        time::{self, Act, Span},
    },
};

/// Between two frames of a replay.
const FRAME: Duration = Duration::from_millis(33);

impl App {
    /// Takes over what came, moves a replay on, and asks for what is looked at next.
    pub(super) fn look_at_past(&mut self, ctx: &Context, now: Timestamp) {
        self.past.take(&mut self.data);
        if time::tick(&mut self.view, &self.data, now, ctx.input(|i| i.time)) {
            self.toasts.info("Nothing moves from here to the end: parked time is played, too");
        }
        if self.view.time.playing {
            ctx.request_repaint_after(FRAME);
        }
        let Some(backend) = &self.backend else { return };
        if let Some(later) = self.past.ask(backend, &mut self.data, &self.view, now) {
            ctx.request_repaint_after(later);
        }
        for (device, answer) in take_answered(&mut self.hiding) {
            if let Err(error) = answer {
                self.refused(Some(device), format!("Could not hide or show points: {error}"));
            }
        }
        self.show_on_map(now);
        self.bring_past();
    }

    /// Another span was chosen: where nothing of it is in view, the map looks at it once it is there.
    fn bring_past(&mut self) {
        let history = &self.data.history;
        if !self.unseen || history.awaited > 0 || history.shown.is_empty() {
            return;
        }
        self.unseen = false;
        let chosen = self.view.selection.device.and_then(|id| history.shown.get(&id));
        let tracks = history.shown.values().map(|shown| shown.track.line().bounds());
        let all = tracks.reduce(WorldBox::union).unwrap_or(WorldBox::EMPTY);
        let bounds = chosen.map_or(all, |shown| shown.track.line().bounds());
        if bounds.is_empty() || self.panels.map.sees(bounds) {
            return;
        }
        match self.view.selection.device.filter(|_| chosen.is_some()) {
            Some(device) => self.panels.map.fit_device(device),
            None => self.panels.map.fit_all(),
        }
    }

    /// What the map draws in place of the live picture. Where nothing of it is there yet, the live one stays.
    fn show_on_map(&mut self, now: Timestamp) {
        let history = &self.data.history;
        if self.view.is_live() || history.shown.is_empty() && history.awaited > 0 {
            self.data.shown = None;
            return;
        }
        let at = Some(time::moment(self.view.instant_ms(now)));
        let lit = self
            .view
            .time
            .range
            .map(|(from, to)| TimeWindow { from: Some(time::moment(from)), to: Some(time::moment(to)) });
        if let Some(shown) = self.data.shown.as_mut().filter(|_| self.mapped == history.version) {
            (shown.at, shown.lit) = (at, lit);
            return;
        }
        let tracks = history.shown.iter().map(|(id, shown)| (*id, Arc::clone(&shown.track))).collect();
        self.mapped = history.version;
        self.data.shown = Some(Shown { tracks, at, lit });
    }

    /// Goes elsewhere in time. What was selected by hand gives way to what was known then.
    pub(super) fn go_in_time(&mut self, act: Act) {
        if matches!(
            act,
            Act::At(_) | Act::Step(_) | Act::First | Act::Last | Act::Live | Act::Play | Act::Span(_) | Act::Days(_)
        ) {
            self.close_packet();
        }
        self.unseen |=
            matches!(act, Act::Days(_)) || matches!(act, Act::Span(span) if !matches!(span, Span::Fixed { .. }));
        let now = self.now();
        time::apply(&mut self.view, &self.data, now, act);
    }

    /// A fix was selected: while the past is looked at, that is the instant.
    pub(super) fn cursor_to(&mut self, device: DeviceId, fix: i64) {
        if self.view.is_live() {
            return;
        }
        let past = self.data.history.past(device);
        let at_ms = past.and_then(|past| past.find(fix)).map(|point| point.at_ms);
        if let Some(at_ms) = at_ms {
            self.view.time.cursor_ms = Some(at_ms);
            self.view.time.playing = false;
            self.view.time.hold(self.now());
        }
    }

    pub(super) fn hide(&mut self, device: DeviceId, fixes: Vec<i64>, reason: Option<HideReason>) {
        if fixes.is_empty() {
            return;
        }
        let pending = self.backend().hide(fixes, reason);
        self.hiding.push((device, pending));
    }
}
