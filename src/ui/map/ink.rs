//! What colour each point of a trail has: by state, or by a number along a ramp.

use egui::Color32;
use jiff::SignedDuration;

use super::{Trail, TrailPoint, shown::Shown, style::Colour};
use crate::{
    model::{DeviceId, Timestamp},
    ui::{format, theme::ramp, view::Units},
};

/// From which age on a trail has which part of its colour; the last quarter of an hour has all of it.
const FADE: [(SignedDuration, f32); 7] = [
    (SignedDuration::from_hours(24), 0.35),
    (SignedDuration::from_hours(12), 0.45),
    (SignedDuration::from_hours(6), 0.55),
    (SignedDuration::from_hours(3), 0.65),
    (SignedDuration::from_mins(90), 0.75),
    (SignedDuration::from_mins(45), 0.85),
    (SignedDuration::from_mins(15), 0.95),
];

/// What lies ahead of the cursor, or beside what stands out, has this part of its colour.
const WEAK: f32 = 0.3;

/// Greatest values of a ramp of speeds, in km/h.
const SPEEDS: [f32; 11] = [10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 160.0, 240.0, 400.0, 800.0, 1_500.0];

/// A number that a trail can be coloured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Speed,
    Age,
    Altitude,
    Battery,
}

impl Scale {
    /// What the colours of a trail stand for; `None` is the state.
    pub(super) fn of(colour: Colour, selected: bool) -> Option<Self> {
        match colour {
            Colour::Usual if selected => Some(Self::Speed),
            Colour::Usual | Colour::State => None,
            Colour::Speed => Some(Self::Speed),
            Colour::Age => Some(Self::Age),
            Colour::Altitude => Some(Self::Altitude),
            Colour::Battery => Some(Self::Battery),
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Speed => "Speed",
            Self::Age => "Age",
            Self::Altitude => "Altitude",
            Self::Battery => "Battery",
        }
    }

    /// The ends of the ramp that holds these trails: km/h, seconds, metres, percent. `None` where no point has the number.
    pub(super) fn ends<'a>(
        self,
        trails: impl Iterator<Item = &'a Trail>,
        span: Option<SignedDuration>,
        now: Timestamp,
    ) -> Option<Ends> {
        let extents = trails.map(Trail::extent);
        let (low, high) = match self {
            Self::Speed => {
                let fastest = extents.filter_map(|e| e.fastest_kmh).max_by(f32::total_cmp)?;
                (0.0, SPEEDS.into_iter().find(|top| *top >= fastest).unwrap_or(fastest))
            }
            Self::Age => {
                let first = extents.filter_map(|e| e.first).min()?;
                let oldest = now.duration_since(first).as_secs_f32();
                // The newest is at the bright end.
                (span.map_or(oldest, |span| oldest.min(span.as_secs_f32())).max(60.0), 0.0)
            }
            Self::Altitude => {
                let all = extents.filter_map(|e| e.altitude_m).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
                let step = [10.0, 50.0, 100.0, 500.0].into_iter().find(|s| all.1 - all.0 < s * 10.0).unwrap_or(1_000.0);
                let low = (all.0 / step).floor() * step;
                (low, ((all.1 / step).ceil() * step).max(low + step))
            }
            Self::Battery => (0.0, 100.0),
        };
        Some(Ends { low, high })
    }

    fn value(self, point: &TrailPoint, now: Timestamp) -> Option<f32> {
        match self {
            Self::Speed => point.speed_kmh,
            Self::Age => Some(now.duration_since(point.at).as_secs_f32().max(0.0)),
            Self::Altitude => point.altitude_m,
            Self::Battery => point.battery_pct.map(f32::from),
        }
    }

    /// A value as a person reads it.
    pub(super) fn text(self, value: f32, units: Units) -> String {
        #[expect(clippy::cast_possible_truncation, reason = "an age")]
        let seconds = value as i64;
        match self {
            Self::Speed => format::speed(value.into(), units),
            Self::Age if seconds == 0 => "now".to_owned(),
            Self::Age => format::age(seconds),
            Self::Altitude => format::height(value.into(), units),
            Self::Battery => format!("{value:.0} %"),
        }
    }
}

/// The numbers at both ends of the ramp; the first is the dark one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ends {
    pub(super) low: f32,
    pub(super) high: f32,
}

/// How the points of one trail are coloured.
pub(super) enum Ink {
    /// All of it alike, weaker where it is older; from which numbers on each step of the fading holds.
    State { color: Color32, steps: Option<[usize; FADE.len()]> },
    /// By a number; `unknown` where it was not told.
    Number { scale: Scale, ends: Ends, now: Timestamp, dark: bool, unknown: Color32 },
}

impl Ink {
    /// One colour; it fades with age while the map is live.
    pub(super) fn state(color: Color32, trail: &Trail, live: Option<Timestamp>) -> Self {
        let steps = live.map(|now| FADE.map(|(age, _)| now.checked_sub(age).map_or(0, |at| trail.since(at))));
        Self::State { color, steps }
    }

    /// The colour of a point.
    pub(super) fn color(&self, number: usize, point: &TrailPoint) -> Color32 {
        match self {
            Self::State { color, steps: None } => *color,
            Self::State { color, steps: Some(steps) } => {
                let step = steps.partition_point(|from| *from <= number);
                color.gamma_multiply(FADE.get(step).map_or(1.0, |(_, part)| *part))
            }
            Self::Number { scale, ends, now, dark, unknown } => match scale.value(point, *now) {
                Some(value) => ramp::colour(*dark, (value - ends.low) / (ends.high - ends.low)),
                None => *unknown,
            },
        }
    }
}

/// What of a track of history is drawn weaker: what lies ahead of the cursor, and what is beside what stands out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Emphasis {
    /// Numbers of the first and behind the last point that have all of their colour.
    from: usize,
    to: usize,
}

impl Emphasis {
    /// Nothing is weak.
    pub(super) const ALL: Self = Self { from: 0, to: usize::MAX };

    pub(super) fn of(shown: &Shown, device: DeviceId, trail: &Trail) -> Self {
        let lit = shown.lit.unwrap_or_default();
        let from = lit.from.map_or(0, |at| trail.since(at));
        let to = lit.to.map_or(usize::MAX, |at| trail.points().partition_point(|p| p.at <= at));
        // The way on from the point of the moment lies ahead.
        let cursor = shown.at.map(|_| shown.moment(device).map_or(0, |m| m.point + 1));
        Self { from, to: cursor.map_or(to, |ahead| ahead.min(to)) }
    }

    pub(super) fn on(self, color: Color32, number: usize) -> Color32 {
        if (self.from..self.to).contains(&number) { color } else { color.gamma_multiply(WEAK) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_trail_tells_speed_and_the_others_state() {
        assert_eq!(Scale::of(Colour::Usual, true), Some(Scale::Speed));
        assert_eq!(Scale::of(Colour::Usual, false), None);
        assert_eq!(Scale::of(Colour::State, true), None);
        assert_eq!(Scale::of(Colour::Battery, false), Some(Scale::Battery));
    }

    #[test]
    fn values_are_read_by_a_person() {
        for (scale, value, text) in [
            (Scale::Speed, 60.0, "60 km/h"),
            (Scale::Age, 0.0, "now"),
            (Scale::Age, 7_200.0, "2 h"),
            (Scale::Altitude, 1_200.0, "1,200 m"),
            (Scale::Battery, 100.0, "100 %"),
        ] {
            assert_eq!(scale.text(value, Units::Metric), text);
        }
    }
}
