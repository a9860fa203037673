//! What can be done about the past.

use super::{Bar, SPEEDS, Span, TimeView, zoom};
use crate::{
    model::{DeviceId, Timestamp},
    track::Series,
    ui::{Data, View},
};

/// A span that goes on may have gone on by so much since its rests were found.
const SPAN_GOES_ON_MS: i64 = 60_000;

/// What a panel or a key wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Span(Span),
    /// Look at so many times as much, with this instant staying where it is on the bar.
    Zoom {
        about_ms: i64,
        times: f64,
    },
    /// Look at what is so much later; earlier, where negative.
    Pan(i64),
    /// Look at this instant.
    At(i64),
    /// Back to now.
    Live,
    /// Mark this stretch, or none.
    Range(Option<(i64, i64)>),
    /// Play or pause.
    Play,
    /// One of [`SPEEDS`].
    Speed(u16),
    /// So many speeds faster; slower, where negative.
    Faster(i32),
    SkipParked(bool),
    Series(Series),
    /// Look at these devices only; none: those that are in view.
    Pick(Vec<DeviceId>),
    Bar(Bar),
    /// Open or close the list of trips.
    Trips(bool),
    /// To the next fix; to the one before, where negative.
    Step(i32),
    /// So many days on; back, where negative.
    Days(i32),
    First,
    Last,
    /// Show the calendar of this month, or none.
    Month(Option<jiff::civil::Date>),
}

/// Does it. Nothing here asks the store: what is missing is asked for afterwards.
pub(in crate::ui) fn apply(view: &mut View, data: &Data, now: Timestamp, act: Act) {
    carry_out(view, data, now, act);
    view.time.hold(now);
}

fn carry_out(view: &mut View, data: &Data, now: Timestamp, act: Act) {
    let (span_now, source_now) = (view.span_now(now), view.source_now(now));
    let (from, to) = view.span_ms(now);
    let zone = view.zone();
    let instant = view.instant_ms(now);
    let selected = view.selection.device;
    let time = &mut view.time;
    match act {
        Act::Span(span) => {
            let part = matches!(span, Span::Fixed { .. });
            time.whole = time.whole.or(Some(time.span)).filter(|_| part);
            time.span = span;
            time.cursor_ms = None;
            time.range = None;
            pause(time);
            time.reveal();
        }
        Act::Zoom { about_ms, times } => {
            let whole = time.whole.unwrap_or(time.span);
            let ends = whole.ends_ms(span_now, &zone);
            look_at_part(time, zoom::zoomed((from, to), about_ms, times, ends), ends, instant);
        }
        Act::Pan(by_ms) => {
            let ends = time.whole.unwrap_or(time.span).ends_ms(span_now, &zone);
            look_at_part(time, zoom::panned((from, to), by_ms, ends), ends, instant);
        }
        Act::At(ms) => {
            // The right edge is now, as long as the span goes on.
            time.cursor_ms = (!time.span.rolls() || ms < to).then_some(ms.clamp(from, to));
            time.ticked_s = None;
        }
        Act::Live | Act::Last if time.span.rolls() => time.go_live(),
        Act::Live => time.go_live(),
        Act::Last => {
            time.cursor_ms = None;
            pause(time);
        }
        Act::First => {
            time.cursor_ms = Some(from);
            time.ticked_s = None;
            time.reveal();
        }
        Act::Range(range) => time.range = range.map(|(a, b)| (a.min(b), a.max(b))),
        Act::Play if time.playing => pause(time),
        Act::Play => {
            time.reveal();
            time.playing = true;
            time.ticked_s = None;
            // At the end there is nothing left to play.
            let again = (instant >= to).then(|| time.range.map_or(from, |(from, _)| from));
            time.cursor_ms = again.or(time.cursor_ms);
            time.began_ms = Some(again.unwrap_or(instant));
            time.still = false;
        }
        Act::Speed(speed) => time.speed = speed,
        Act::Faster(steps) => {
            let at = SPEEDS.iter().position(|speed| *speed == time.speed).unwrap_or(0);
            let at = at.saturating_add_signed(steps as isize).min(SPEEDS.len() - 1);
            time.speed = SPEEDS.get(at).copied().unwrap_or(1);
        }
        Act::SkipParked(skip) => time.skip_parked = skip,
        Act::Series(series) => time.series = series,
        Act::Pick(devices) => time.picked = devices.into_iter().collect(),
        Act::Bar(bar) => time.bar = bar,
        Act::Trips(open) => time.trips = open,
        Act::Step(steps) => {
            pause(time);
            if let Some(ms) = stepped(data, selected, instant, steps) {
                time.cursor_ms = (!time.span.rolls() || ms < to).then_some(ms);
                time.reveal();
            }
        }
        Act::Days(days) => {
            let span = time.span.flipped(days, span_now, source_now, &zone);
            carry_out(view, data, now, Act::Span(span));
        }
        Act::Month(month) => time.month = month,
    }
}

/// Looks at a part of a span, and at the span again where it is all of it. What is looked at in it stays.
fn look_at_part(time: &mut TimeView, (from_ms, to_ms): (i64, i64), ends: (i64, i64), instant: i64) {
    if (from_ms, to_ms) == ends {
        if let Some(whole) = time.whole.take() {
            time.span = whole;
        }
        return;
    }
    let was_live = time.cursor_ms.is_none() && time.span.rolls();
    time.whole = time.whole.or(Some(time.span));
    time.span = Span::Fixed { from_ms, to_ms };
    if was_live {
        // Of a part, the right edge is no longer now.
        time.cursor_ms = Some(instant.clamp(from_ms, to_ms));
    }
}

fn pause(time: &mut TimeView) {
    time.playing = false;
    time.ticked_s = None;
}

/// The time of the next fix, or of the one before: of the selected device, else of whichever tells next.
fn stepped(data: &Data, selected: Option<DeviceId>, instant: i64, steps: i32) -> Option<i64> {
    let history = &data.history;
    let main = history.main(selected);
    let pasts =
        history.shown.iter().filter(|(id, _)| main.is_none_or(|main| main == **id)).map(|(_, shown)| &shown.past);
    if steps < 0 {
        pasts.filter_map(|past| past.last_before(instant - 1)).map(|(_, point)| point.at_ms).max()
    } else {
        pasts.filter_map(|past| past.first_after(instant)).map(|(_, point)| point.at_ms).min()
    }
}

/// Moves a replay on: time goes as fast as it was asked to, whatever the frames do. `window_s` is the window's own time in seconds. True where it
/// was just found that nothing moves from where it began to its end: then it plays rest, or it would be over at once.
pub(in crate::ui) fn tick(view: &mut View, data: &Data, now: Timestamp, window_s: f64) -> bool {
    if !view.time.playing {
        return false;
    }
    let (_, to) = view.span_ms(now);
    let instant = view.instant_ms(now);
    let time = &mut view.time;
    let Some(before_s) = time.ticked_s.replace(window_s) else { return false };
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a frame")]
    let passed_ms = ((window_s - before_s).max(0.0) * 1_000.0 * f64::from(time.speed)).round() as i64;
    let end = time.range.map_or(to, |(_, to)| to);
    let mut next = instant + passed_ms;
    let was_still = time.still;
    let began = time.began_ms.unwrap_or(instant);
    let whole = |(rest_from, rest_to): &(i64, i64)| *rest_from <= began && end <= *rest_to + SPAN_GOES_ON_MS;
    time.still |= time.skip_parked && data.history.rests.iter().any(whole);
    if time.folds() {
        let after = data.history.rests.partition_point(|(_, to)| *to <= next);
        if let Some((_, rest_to)) = data.history.rests.get(after).filter(|(from, _)| *from < next) {
            next = *rest_to;
        }
    }
    if next >= end {
        pause(time);
        // Played up to now, it is now.
        time.cursor_ms = (end < to || !time.span.rolls()).then_some(end);
    } else {
        time.cursor_ms = Some(next);
    }
    time.hold(now);
    time.still && !was_still
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        geo::LatLon,
        track::{Past, Point},
    };

    const NOW: &str = "2026-11-21T14:02:31Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    /// One device with a fix a minute for the last hour, resting but for the last ten minutes.
    fn data() -> Data {
        let mut data = Data::default();
        let begin = now().as_millisecond() - 3_600_000;
        let points = (0..60i32).map(|n| {
            let place = LatLon::new(51.0 + f64::from((n - 50).max(0)) * 0.01, 4.0).unwrap();
            Point::bare(begin + i64::from(n) * 60_000, place, n.into())
        });
        data.history.take(DeviceId(1), Past::of(points.collect()));
        data.history.find_rests(begin, now().as_millisecond());
        data
    }

    fn do_all(view: &mut View, data: &Data, acts: &[Act]) {
        for act in acts {
            apply(view, data, now(), act.clone());
        }
    }

    #[test]
    fn live_is_the_right_edge_and_escape_comes_back_to_it() {
        let (mut view, data) = (View::default(), data());
        assert!(view.is_live());
        assert_eq!(view.instant_ms(now()), now().as_millisecond());
        do_all(&mut view, &data, &[Act::At(now().as_millisecond() - 60_000)]);
        assert!(!view.is_live());
        do_all(&mut view, &data, &[Act::At(now().as_millisecond())]);
        assert!(view.is_live(), "the right edge");
        do_all(&mut view, &data, &[Act::Span(Span::Yesterday), Act::Range(Some((5, 3)))]);
        assert_eq!((view.is_live(), view.time.range), (false, Some((3, 5))));
        assert!(view.time.unwind() && view.time.range.is_none() && !view.is_live());
        assert!(view.time.unwind() && view.is_live());
        assert!(!view.time.unwind());
    }

    #[test]
    fn a_replay_goes_as_fast_as_it_says_and_skips_rest() {
        let (mut view, data) = (View::default(), data());
        let begin = now().as_millisecond() - 3_600_000;
        do_all(&mut view, &data, &[Act::Speed(60), Act::SkipParked(false), Act::Play]);
        assert_eq!(view.instant_ms(now()), begin, "from the beginning, because there was nothing left");
        tick(&mut view, &data, now(), 100.0);
        tick(&mut view, &data, now(), 100.5);
        assert_eq!(view.instant_ms(now()) - begin, 30_000);
        do_all(&mut view, &data, &[Act::SkipParked(true)]);
        tick(&mut view, &data, now(), 100.6);
        let minutes = (view.instant_ms(now()) - begin) / 60_000;
        assert_eq!(minutes, 49, "just before it leaves");
        tick(&mut view, &data, now(), 200.0);
        assert!(view.is_live() && !view.time.playing, "played up to now, it is now");
    }

    #[test]
    fn a_span_that_goes_on_stands_still_while_its_past_is_looked_at() {
        let data = data();
        let later = |minutes: i64| now().checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
        // The last one is on the next day.
        for (span, minutes) in [(Span::LastHour, 3), (Span::Today, 3), (Span::Week, 3), (Span::Today, 600)] {
            let mut view = View::default();
            do_all(&mut view, &data, &[Act::Span(span), Act::SkipParked(false), Act::Speed(1), Act::Play]);
            let before = view.span_ms(now());
            tick(&mut view, &data, now(), 100.0);
            tick(&mut view, &data, later(1), 130.0);
            assert_eq!(view.span_ms(later(minutes)), before, "{span:?}, while it plays");
            apply(&mut view, &data, later(1), Act::Play);
            apply(&mut view, &data, later(2), Act::At(before.1 - 1_000));
            assert_eq!(view.span_ms(later(minutes)), before, "{span:?}, while a past instant is looked at");
            apply(&mut view, &data, later(2), Act::At(before.1));
            assert!(view.is_live(), "{span:?}: the right edge is still now");
            assert_eq!(view.span_ms(later(3)).1, later(3).as_millisecond(), "{span:?}");
            // The next time it is held anew.
            apply(&mut view, &data, later(5), Act::At(before.1));
            assert_eq!(view.span_ms(later(9)).1, later(5).as_millisecond(), "{span:?}");
        }
    }

    #[test]
    fn where_nothing_moves_rest_is_played_and_that_is_said() {
        let (mut view, data) = (View::default(), data());
        let begin = now().as_millisecond() - 3_600_000;
        // Of the resting part only.
        let part = Span::Fixed { from_ms: begin, to_ms: begin + 1_800_000 };
        let mut parked = data;
        parked.history.find_rests(begin, begin + 1_800_000);
        do_all(&mut view, &parked, &[Act::Span(part), Act::Speed(60), Act::Play]);
        assert!(!tick(&mut view, &parked, now(), 100.0));
        assert!(tick(&mut view, &parked, now(), 100.5), "it is said once");
        assert!(!tick(&mut view, &parked, now(), 101.0));
        assert!(view.time.playing && !view.time.folds());
        assert_eq!(view.instant_ms(now()) - begin, 60_000);
        tick(&mut view, &parked, now(), 200.0);
        assert!(!view.time.playing, "to the end");
        // Where something moves later, the same rest is skipped.
        parked.history.find_rests(begin, now().as_millisecond());
        do_all(&mut view, &parked, &[Act::Span(Span::LastHour), Act::Play]);
        tick(&mut view, &parked, now(), 300.0);
        assert!(!tick(&mut view, &parked, now(), 300.5));
        assert!(view.time.folds());
    }

    #[test]
    fn a_wheel_looks_at_a_part_and_back_at_the_whole() {
        let (mut view, data) = (View::default(), data());
        let end = now().as_millisecond();
        let zoom = |times| Act::Zoom { about_ms: end - 1_800_000, times };
        do_all(&mut view, &data, &[zoom(0.5)]);
        assert_eq!(view.span_ms(now()), (end - 2_700_000, end - 900_000));
        assert!(!view.is_live());
        do_all(&mut view, &data, &[Act::At(end - 1_200_000), Act::Pan(-300_000)]);
        assert_eq!(view.span_ms(now()), (end - 3_000_000, end - 1_200_000));
        do_all(&mut view, &data, &[Act::Pan(-9_000_000)]);
        assert_eq!(view.span_ms(now()), (end - 3_600_000, end - 1_800_000), "not beyond the whole");
        assert_eq!(view.time.cursor_ms, Some(end - 1_200_000), "what is looked at stays");
        do_all(&mut view, &data, &[zoom(2.0)]);
        assert_eq!((view.time.span, view.time.whole), (Span::LastHour, None));
        do_all(&mut view, &data, &[zoom(2.0), Act::Live]);
        assert!(view.is_live(), "there is no more than the whole");
    }

    #[test]
    fn steps_go_from_fix_to_fix() {
        let (mut view, data) = (View::default(), data());
        let begin = now().as_millisecond() - 3_600_000;
        let minute = |view: &View| (view.instant_ms(now()) - begin) / 60_000;
        do_all(&mut view, &data, &[Act::Step(-1)]);
        assert_eq!(minute(&view), 59);
        do_all(&mut view, &data, &[Act::Step(-1), Act::Step(-1), Act::Step(1)]);
        assert_eq!(minute(&view), 58);
        do_all(&mut view, &data, &[Act::First, Act::Step(1)]);
        assert_eq!(minute(&view), 1);
    }
}
