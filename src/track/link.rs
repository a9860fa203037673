//! How the link of a device fares, and what that looks like: not where it is, but why it goes away.
//!
//! [`Link::of`] counts and measures what was heard, [`Ends::of`] how connections ended; [`Link::symptoms`] reads a table of rules over both, each
//! with a sentence that says what it looks like and what to do. All are functions of what was heard and recorded, and nothing else.

mod ends;
mod rules;

pub use ends::Ends;

/// One packet of a device, as its link sees it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Heard {
    /// When it arrived, in milliseconds since the epoch, UTC.
    pub at_ms: i64,
    pub kind: Kind,
    /// Frames that did not arrive before it, by their serial numbers.
    pub lost: u64,
    /// How it measured where it is, where it tells that.
    pub place: Option<Measured>,
    /// Strength of the signal as the device counts it: bars of four for most trackers.
    pub signal: Option<f32>,
    /// Volts of the supply, else of its own battery.
    pub volts: Option<f32>,
    /// The clock of the device, less ours. Only of what was measured just now.
    pub ahead_ms: Option<i64>,
    /// How long its answer took, where that has a time of its own.
    pub answer_ms: Option<i64>,
}

/// What a packet is to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A connection begins, or begins anew.
    Login,
    Heartbeat,
    #[default]
    Other,
}

/// How a place was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    Satellites,
    /// Cells or Wi-Fi alone: no satellites held.
    CellOnly,
}

/// A value over time, in order of time.
pub type Series = Vec<(i64, f32)>;

/// What was heard of a device in a span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Link {
    /// When the first and the last packet of the span arrived, in milliseconds since the epoch.
    pub span_ms: Option<(i64, i64)>,
    pub packets: u64,
    /// Frames that it numbered and that never arrived.
    pub lost: u64,
    pub logins: u64,
    /// Median of the pauses between logins, in seconds.
    pub login_every_s: Option<f64>,
    pub heartbeats: u64,
    /// Median of the pauses between heartbeats, in seconds.
    pub heartbeat_every_s: Option<f64>,
    /// Answers that have a time of their own.
    pub answers: u64,
    /// Median of what they took, in milliseconds, and the longest.
    pub answer_ms: Option<f64>,
    pub slowest_answer_ms: Option<i64>,
    pub signal: Series,
    pub volts: Series,
    /// Packets that measured a place, and those of them without satellites.
    pub places: u64,
    pub cell_only: u64,
    /// By how many seconds its clock is ahead of ours; behind, where negative.
    pub clock_ahead_s: Option<i64>,
    /// How its connections ended; for whoever read that to fill in.
    pub ends: Ends,
    /// There is more in the span than was looked at; the newest was.
    pub cut: bool,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symptom {
    /// The word of its rule, for programs.
    pub key: &'static str,
    /// What was seen: "logs in again every 3 minutes".
    pub seen: String,
    /// What that looks like: "a carrier's NAT time-out".
    pub looks_like: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

impl Symptom {
    /// All of it in one sentence.
    pub fn sentence(&self) -> String {
        format!("{}: looks like {}; {}", self.seen, self.looks_like, self.advice)
    }
}

impl Link {
    /// Counts and measures packets in the order in which they arrived.
    pub fn of(heard: &[Heard]) -> Self {
        let times = |kind: Kind| heard.iter().filter(move |h| h.kind == kind).map(|h| h.at_ms).collect::<Vec<_>>();
        let (logins, heartbeats) = (times(Kind::Login), times(Kind::Heartbeat));
        let mut answers: Vec<i64> = heard.iter().filter_map(|h| h.answer_ms).collect();
        answers.sort_unstable();
        let mut ahead: Vec<i64> = heard.iter().filter_map(|h| h.ahead_ms).collect();
        ahead.sort_unstable();
        let series = |of: fn(&Heard) -> Option<f32>| heard.iter().filter_map(|h| Some((h.at_ms, of(h)?))).collect();
        let count = |of: fn(&Heard) -> bool| heard.iter().filter(|h| of(h)).count() as u64;
        Self {
            span_ms: heard.first().zip(heard.last()).map(|(first, last)| (first.at_ms, last.at_ms)),
            packets: heard.len() as u64,
            lost: heard.iter().map(|h| h.lost).sum(),
            logins: logins.len() as u64,
            login_every_s: pause_s(&logins),
            heartbeats: heartbeats.len() as u64,
            heartbeat_every_s: pause_s(&heartbeats),
            answers: answers.len() as u64,
            answer_ms: middle(&answers),
            slowest_answer_ms: answers.last().copied(),
            signal: series(|h| h.signal),
            volts: series(|h| h.volts),
            places: count(|h| h.place.is_some()),
            cell_only: count(|h| h.place == Some(Measured::CellOnly)),
            // What was measured a while ago lies behind, so the upper end tells what the clock says.
            clock_ahead_s: ahead.get(ahead.len() * 3 / 4).map(|ms| ms / 1_000),
            ends: Ends::default(),
            cut: false,
        }
    }

    /// Logins after the first, for each hour of the span. `None` where it is too short to tell.
    pub fn logins_again_per_hour(&self) -> Option<f64> {
        const SHORTEST_MS: i64 = 60_000;
        let (from, to) = self.span_ms?;
        let again = self.logins.checked_sub(1)?;
        (to - from >= SHORTEST_MS).then(|| number(again) * 3_600_000.0 / number((to - from).unsigned_abs()))
    }

    /// Which part of its frames never arrived, 0 to 1.
    pub fn lost_share(&self) -> Option<f64> {
        let sent = self.lost + self.packets;
        (sent > 0).then(|| number(self.lost) / number(sent))
    }

    /// Which part of its places was measured without satellites, 0 to 1.
    pub fn cell_only_share(&self) -> Option<f64> {
        (self.places > 0).then(|| number(self.cell_only) / number(self.places))
    }

    /// What is not as it should be, the weightiest first. Empty: nothing looks wrong.
    pub fn symptoms(&self) -> Vec<Symptom> {
        rules::read(self)
    }
}

/// The median pause between moments in order, in seconds.
fn pause_s(times: &[i64]) -> Option<f64> {
    let mut pauses: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    pauses.sort_unstable();
    middle(&pauses).map(|ms| ms / 1_000.0)
}

/// The value in the middle of sorted ones.
fn middle(sorted: &[i64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).map(|n| if *n < 0 { -number(n.unsigned_abs()) } else { number(n.unsigned_abs()) })
}

/// A count, or milliseconds, as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds of spans are far below 2^53")]
fn number(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
