//! Moments as people type them: `2026-11-21T10:00:00Z`, `2026-11-21 10:00`, `2026-11-21`, `today`, `yesterday`, `now`.
//!
//! What has no zone of its own is in this computer's. A day stands for its first moment as a beginning and for its last as an end.

use jiff::{
    ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::WrongWords;
use crate::model::{TimeWindow, Timestamp};

/// The span between two moments, both inclusive.
pub(super) fn window(
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<TimeWindow, WrongWords> {
    let read = |text: Option<&str>, flag| {
        text.map(|text| read(text, now, zone)).transpose().map_err(|why| WrongWords(format!("--{flag} {why}")))
    };
    let (first, last) = (read(from, "from")?, read(to, "to")?);
    let window = TimeWindow { from: first.map(|(begin, _)| begin), to: last.map(|(_, end)| end) };
    match window {
        TimeWindow { from: Some(from), to: Some(to) } if from > to => {
            Err(WrongWords(format!("--from {from} lies after --to {to}")))
        }
        window => Ok(window),
    }
}

/// First and last moment of what was typed.
fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Result<(Timestamp, Timestamp), String> {
    let today = now.to_zoned(zone.clone()).date();
    let out_of_range = |_| format!("{text:?} lies outside the years that can be told");
    match text {
        "now" => return Ok((now, now)),
        "today" => return day(today, zone).map_err(out_of_range),
        "yesterday" => return today.yesterday().and_then(|d| day(d, zone)).map_err(out_of_range),
        _ => {}
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok((at, at));
    }
    // A date alone is also a date and time for jiff, midnight; here it is the whole day.
    if let Ok(date) = text.parse::<Date>()
        && !text.contains([':', 'T', 't', ' '])
    {
        return day(date, zone).map_err(out_of_range);
    }
    let local = text.parse::<DateTime>().map_err(|_| {
        format!(
            "{text:?} is no time; write 2026-11-21T10:00:00Z, 2026-11-21T10:00 or 2026-11-21 (this computer's zone), \
             today, yesterday or now"
        )
    })?;
    let at = zone.to_timestamp(local).map_err(out_of_range)?;
    Ok((at, at))
}

/// A day from midnight to the last millisecond before the next; the store knows no shorter time.
fn day(date: Date, zone: &TimeZone) -> Result<(Timestamp, Timestamp), jiff::Error> {
    let begin = date.to_zoned(zone.clone())?.timestamp();
    let next = date.tomorrow()?.to_zoned(zone.clone())?.timestamp();
    Ok((begin, next.checked_sub(1.millisecond())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window_of(from: Option<&str>, to: Option<&str>) -> Result<(String, String), String> {
        let zone = TimeZone::get("Europe/Berlin").expect("jiff brings its zones or finds the system's");
        let now = "2026-11-21T22:30:00Z".parse().expect("a moment");
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        window(from, to, now, &zone).map(|w| (text(w.from), text(w.to))).map_err(|e| e.to_string())
    }

    #[test]
    fn moments_are_read_as_people_type_them() {
        for (from, to, expected) in [
            (None, None, ("", "")),
            (Some("2026-11-21T10:00:00Z"), None, ("2026-11-21T10:00:00Z", "")),
            (Some("2026-11-21T10:00:00.25+05:30"), None, ("2026-11-21T04:30:00.25Z", "")),
            (Some("2026-11-21T10:00"), None, ("2026-11-21T09:00:00Z", "")),
            (Some("2026-11-21 10:00:30"), None, ("2026-11-21T09:00:30Z", "")),
            (Some("2026-07-01"), Some("2026-07-01"), ("2026-06-30T22:00:00Z", "2026-07-01T21:59:59.999Z")),
            // The clocks go back: this day has 25 hours.
            (Some("2026-10-25"), Some("2026-10-25"), ("2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999Z")),
            (Some("today"), Some("now"), ("2026-11-20T23:00:00Z", "2026-11-21T22:30:00Z")),
            (Some("yesterday"), Some("today"), ("2026-11-19T23:00:00Z", "2026-11-21T22:59:59.999Z")),
        ] {
            let expected = (expected.0.to_owned(), expected.1.to_owned());
            assert_eq!(window_of(from, to), Ok(expected), "{from:?} {to:?}");
        }
    }

    #[test]
    fn what_is_no_moment_is_said() {
        for wrong in ["", "tomorrow", "2026-13-01", "2026-02-30", "10:00", "21.11.2026", "1700000000"] {
            let said = window_of(None, Some(wrong)).expect_err(wrong);
            assert!(said.starts_with("--to ") && said.contains("yesterday"), "{said}");
        }
        let said = window_of(Some("today"), Some("yesterday")).expect_err("backwards");
        assert!(said.contains("lies after"), "{said}");
    }
}
