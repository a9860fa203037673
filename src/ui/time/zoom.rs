//! A part of a span: nearer and farther around an instant, earlier and later, never beyond the whole.

/// Nobody looks nearer than this, in milliseconds.
const LEAST_MS: i64 = 10_000;

/// From when to when, in milliseconds since the epoch.
pub(super) type Stretch = (i64, i64);

/// So many times as wide, with `about_ms` staying where it is.
pub(super) fn zoomed((from, to): Stretch, about_ms: i64, times: f64, (least, most): Stretch) -> Stretch {
    let whole = (most - least).max(1);
    let wide = scaled(to - from, times).clamp(LEAST_MS.min(whole), whole);
    let about = about_ms.clamp(from, to);
    let share = ratio(about - from, (to - from).max(1));
    shifted((about - scaled(wide, share), wide), (least, most))
}

/// So much later; earlier, where negative.
pub(super) fn panned((from, to): Stretch, by_ms: i64, whole: Stretch) -> Stretch {
    shifted((from.saturating_add(by_ms), to - from), whole)
}

/// What begins there and is so wide, moved into the whole.
fn shifted((from, wide): (i64, i64), (least, most): Stretch) -> Stretch {
    let from = from.min(most - wide).max(least);
    (from, from + wide)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "milliseconds of a span of years")]
fn scaled(ms: i64, times: f64) -> i64 {
    (ms as f64 * times).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a span of years")]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_under_the_pointer_stays() {
        let day = (0, 86_400_000);
        assert_eq!(zoomed(day, 43_200_000, 0.5, day), (21_600_000, 64_800_000));
        assert_eq!(zoomed(day, 0, 0.5, day), (0, 43_200_000));
        assert_eq!(zoomed((0, 43_200_000), 0, 9.0, day), day, "no more than the whole");
        assert_eq!(zoomed(day, 1_000, 0.0, day), (1_000, 11_000), "no nearer than ten seconds");
        assert_eq!(panned((0, 3_600_000), 7_200_000, day), (7_200_000, 10_800_000));
        assert_eq!(panned((0, 3_600_000), -1, day), (0, 3_600_000));
    }

    proptest! {
        #[test]
        fn a_part_stays_within_the_whole(
            wide in 1i64..1_000_000_000, a in 0.0f64..1.0, b in 0.0f64..1.0, about in 0.0f64..1.0, times in 0.0f64..10.0, by in -1_000_000_000i64..1_000_000_000
        ) {
            let whole = (5, 5 + wide);
            let at = |share: f64| 5 + scaled(wide, share);
            let part = (at(a.min(b)), at(a.max(b)));
            for (from, to) in [zoomed(part, at(about), times, whole), panned(part, by, whole)] {
                prop_assert!(whole.0 <= from && from <= to && to <= whole.1, "{from} {to}");
            }
        }
    }
}
