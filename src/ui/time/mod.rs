//! Looking at the past: which span, which instant, and how fast time goes.
//!
//! There is one way of looking: a span and an instant in it. LIVE is its right edge, as long as that is now; END, where a capture ends.

mod act;
mod asking;
mod axis;
mod history;
mod kept;
pub mod point;
mod span;
mod zoom;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub(super) use self::act::{apply, tick};
pub use self::{
    act::Act,
    asking::{Asking, MOST_POINTS},
    axis::Axis,
    history::{History, Shown},
    kept::KeptTime,
    span::Span,
};
use super::view::View;
use crate::{
    model::{DeviceId, Timestamp},
    track::Series,
};

/// How many times faster than it was.
pub const SPEEDS: [u16; 6] = [1, 2, 5, 10, 60, 300];

/// How much of the time bar is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Bar {
    #[default]
    Open,
    /// One line: where in the span we are.
    Thin,
    Hidden,
}

/// Which part of the past is looked at, and how.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is told apart from the others")]
pub struct TimeView {
    pub bar: Bar,
    /// What the strip shows.
    pub series: Series,
    pub span: Span,
    /// The span of which it is a part, while it is one.
    pub whole: Option<Span>,
    /// The instant that is looked at, in milliseconds since the epoch; `None`: the right edge.
    pub cursor_ms: Option<i64>,
    /// Now as it was when that instant was left for: until it is now again, a span that goes on stands still.
    pub held: Option<Timestamp>,
    /// The last moment of a source that goes on no longer, a capture: there it takes the place of now.
    pub ends: Option<Timestamp>,
    /// Marked by hand, from when to when.
    pub range: Option<(i64, i64)>,
    pub playing: bool,
    /// One of [`SPEEDS`].
    pub speed: u16,
    /// Time in which nothing moves is folded away.
    pub skip_parked: bool,
    /// The devices that are looked at; none: those that are in view.
    pub picked: BTreeSet<DeviceId>,
    /// The list of trips is open.
    pub trips: bool,
    /// The first day of the month that the calendar shows, while it is open.
    pub month: Option<jiff::civil::Date>,
    /// The window's time when a replay was last moved on, in seconds.
    pub ticked_s: Option<f64>,
    /// The instant that the replay began at.
    pub began_ms: Option<i64>,
    /// Nothing moves from there to the end, so the replay skips nothing.
    pub still: bool,
}

impl Default for TimeView {
    fn default() -> Self {
        Self {
            bar: Bar::default(),
            series: Series::default(),
            span: Span::LastHour,
            whole: None,
            cursor_ms: None,
            held: None,
            ends: None,
            range: None,
            playing: false,
            speed: 10,
            skip_parked: true,
            picked: BTreeSet::new(),
            trips: false,
            month: None,
            ticked_s: None,
            began_ms: None,
            still: false,
        }
    }
}

impl View {
    /// First and last millisecond of the span.
    pub fn span_ms(&self, now: Timestamp) -> (i64, i64) {
        self.time.span.ends_ms(self.span_now(now), &self.zone())
    }

    /// What now is to the span.
    pub fn span_now(&self, now: Timestamp) -> Timestamp {
        self.time.held.filter(|_| self.time.cursor_ms.is_some()).unwrap_or_else(|| self.source_now(now))
    }

    /// How far what is shown goes: to now, or as far as a capture goes.
    pub fn source_now(&self, now: Timestamp) -> Timestamp {
        self.time.ends.unwrap_or(now)
    }

    /// The instant that is looked at.
    pub fn instant_ms(&self, now: Timestamp) -> i64 {
        let (_, to) = self.span_ms(now);
        self.time.cursor_ms.unwrap_or(to).min(now.as_millisecond().max(to))
    }

    /// What is looked at is now.
    pub fn is_live(&self) -> bool {
        self.time.cursor_ms.is_none() && self.time.span.rolls()
    }
}

impl TimeView {
    /// Goes back to now.
    pub fn go_live(&mut self) {
        (self.cursor_ms, self.held) = (None, None);
        self.playing = false;
        self.ticked_s = None;
        let whole = self.whole.take().filter(|whole| whole.rolls());
        if !self.span.rolls() {
            self.span = whole.unwrap_or(Span::LastHour);
        }
    }

    /// The source goes on no longer than this. What was looked at before that was known was beside it.
    pub fn end_at(&mut self, ends: Option<Timestamp>) {
        if self.ends.is_none() && ends.is_some() {
            (self.cursor_ms, self.held, self.playing) = (None, None, false);
        }
        self.ends = ends;
    }

    /// Holds the span, or lets it go on: by whether an instant of it is looked at.
    pub fn hold(&mut self, now: Timestamp) {
        self.held = self.cursor_ms.and(self.held.or(self.ends).or(Some(now)));
    }

    /// A replay folds rest away now.
    pub fn folds(&self) -> bool {
        self.playing && self.skip_parked && !self.still
    }

    /// One step back: the range, then a part of a span, then the past. False where there was neither.
    pub fn unwind(&mut self) -> bool {
        if self.range.take().is_some() {
            return true;
        }
        if let Some(whole) = self.whole.take() {
            self.span = whole;
            return true;
        }
        let past = self.cursor_ms.is_some() || !self.span.rolls();
        if past {
            self.go_live();
        }
        past
    }

    /// Shows the bar where it was put away: what is asked for is to be seen.
    pub fn reveal(&mut self) {
        self.bar = Bar::Open;
    }
}

/// A moment from milliseconds; the first or last there is, where that is none.
pub fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
