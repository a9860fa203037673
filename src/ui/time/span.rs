//! Which part of the past.

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

const HOUR_MS: i64 = 3_600_000;

/// A stretch of time that somebody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Span {
    LastHour,
    /// Since midnight.
    Today,
    Yesterday,
    /// Seven days, today among them.
    Week,
    /// From midnight to midnight, the last day included.
    Days(Date, Date),
    /// From one instant to another.
    Fixed {
        from_ms: i64,
        to_ms: i64,
    },
}

impl Span {
    /// What has a button.
    pub const PRESETS: [Self; 4] = [Self::LastHour, Self::Today, Self::Yesterday, Self::Week];

    /// On that button; what has none is told by its days. `ended`: now is the end of a source that goes on no longer.
    pub fn title(self, ended: bool) -> &'static str {
        match self {
            Self::LastHour => "1 h",
            Self::Today if ended => "Last day",
            Self::Today => "Today",
            Self::Yesterday if ended => "Day before",
            Self::Yesterday => "Yesterday",
            Self::Week => "7 d",
            Self::Days(..) => "Days",
            Self::Fixed { .. } => "Part",
        }
    }

    /// Its right edge is now.
    pub fn rolls(self) -> bool {
        matches!(self, Self::LastHour | Self::Today | Self::Week)
    }

    /// First and last millisecond. What lies ahead is no part of it.
    pub fn ends_ms(self, now: Timestamp, zone: &TimeZone) -> (i64, i64) {
        let now_ms = now.as_millisecond();
        let (first, last) = match self {
            Self::LastHour => return (now_ms - HOUR_MS, now_ms),
            Self::Fixed { from_ms, to_ms } => return (from_ms, to_ms.max(from_ms + 1)),
            Self::Today | Self::Yesterday | Self::Week | Self::Days(..) => self.days(now, zone),
        };
        let from = midnight_ms(first, zone).unwrap_or(now_ms - 24 * HOUR_MS);
        let to = last.tomorrow().ok().and_then(|day| midnight_ms(day, zone)).unwrap_or(now_ms) - 1;
        // A day that only just began still has room for a bar.
        (from, to.min(now_ms).max(from + 60_000))
    }

    /// Its first and its last day.
    pub fn days(self, now: Timestamp, zone: &TimeZone) -> (Date, Date) {
        let day = |ms: i64| super::moment(ms).to_zoned(zone.clone()).date();
        let today = now.to_zoned(zone.clone()).date();
        match self {
            Self::Today => (today, today),
            Self::Yesterday => {
                let day = today.yesterday().unwrap_or(today);
                (day, day)
            }
            Self::Week => (today.checked_sub(6.days()).unwrap_or(today), today),
            Self::Days(first, last) => (first, last),
            Self::LastHour | Self::Fixed { .. } => {
                let (from, to) = self.ends_ms(now, zone);
                (day(from), day(to))
            }
        }
    }

    /// One day earlier, or later; a day that is not over yet is today. From a span of several days, the day before it or after it. `then`: the
    /// moment that the span is of now, which may be held while the past is looked at.
    #[must_use]
    pub fn flipped(self, days: i32, then: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        let today = now.to_zoned(zone.clone()).date();
        let (first, last) = self.days(then, zone);
        let edge = if days < 0 { first } else { last };
        // Of a part only some of its first day is seen: where that is over, the step back is to the whole of it.
        let within = matches!(self, Self::LastHour | Self::Fixed { .. }) && days < 0 && first < today;
        let day = if within { edge } else { edge.checked_add(days.days()).unwrap_or(edge) };
        Self::day(day.min(today), today)
    }

    /// One day.
    pub fn day(day: Date, today: Date) -> Self {
        if day == today {
            Self::Today
        } else if day.tomorrow().is_ok_and(|next| next == today) {
            Self::Yesterday
        } else {
            Self::Days(day, day)
        }
    }
}

/// The first millisecond of a day.
pub(super) fn midnight_ms(day: Date, zone: &TimeZone) -> Option<i64> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Europe/Brussels").unwrap()
    }

    fn said(span: Span, now: &str) -> String {
        let (from, to) = span.ends_ms(now.parse().unwrap(), &zone());
        let text = |ms| super::super::moment(ms).to_zoned(zone()).strftime("%m-%d %H:%M:%S").to_string();
        format!("{} - {}", text(from), text(to))
    }

    #[test]
    fn days_are_those_of_the_zone_and_the_future_is_left_out() {
        let now = "2026-11-21T14:02:31Z";
        assert_eq!(said(Span::LastHour, now), "11-21 14:02:31 - 11-21 15:02:31");
        assert_eq!(said(Span::Today, now), "11-21 00:00:00 - 11-21 15:02:31");
        assert_eq!(said(Span::Yesterday, now), "11-20 00:00:00 - 11-20 23:59:59");
        assert_eq!(said(Span::Week, now), "11-15 00:00:00 - 11-21 15:02:31");
        // A day of twenty-five hours.
        let autumn = "2026-10-26T12:00:00Z";
        let (from, to) = Span::Yesterday.ends_ms(autumn.parse().unwrap(), &zone());
        assert_eq!((to + 1 - from) / HOUR_MS, 25);
    }

    #[test]
    fn days_are_flipped_and_never_into_the_future() {
        let now: Timestamp = "2026-11-21T14:02:31Z".parse().unwrap();
        let flip = |span: Span, days| span.flipped(days, now, now, &zone());
        assert_eq!(flip(Span::LastHour, -1), Span::Yesterday);
        assert_eq!(flip(Span::Today, -1), Span::Yesterday);
        // Ten minutes into a day, the last hour is mostly of the day before: that is one step back, too.
        let early: Timestamp = "2026-11-20T23:10:00Z".parse().unwrap();
        assert_eq!(Span::LastHour.flipped(-1, early, early, &zone()), Span::Yesterday);
        // The past is looked at since before midnight: what is shown is yesterday by now.
        let held: Timestamp = "2026-11-20T22:59:00Z".parse().unwrap();
        let friday = jiff::civil::date(2026, 11, 19);
        assert_eq!(Span::Today.flipped(-1, held, early, &zone()), Span::Days(friday, friday));
        assert_eq!(Span::Today.flipped(1, held, early, &zone()), Span::Today);
        assert_eq!(flip(Span::Yesterday, -1), Span::Days(friday, friday));
        assert_eq!(flip(Span::Days(friday, friday), 1), Span::Yesterday);
        assert_eq!(flip(Span::Yesterday, 1), Span::Today);
        assert_eq!(flip(Span::Today, 1), Span::Today);
        assert_eq!(flip(Span::Week, -1), Span::Days(jiff::civil::date(2026, 11, 14), jiff::civil::date(2026, 11, 14)));
    }
}
