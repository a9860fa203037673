//! Where an instant is on the bar, and which instant is at a place of it. Rest may be folded: it takes a few points, however long it was.

/// Points that a folded rest takes.
const FOLD: f32 = 14.0;

/// A straight part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub from_ms: i64,
    pub to_ms: i64,
    pub left: f32,
    pub right: f32,
    pub folded: bool,
}

/// A span of time along a line of the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    parts: Vec<Part>,
}

impl Axis {
    /// From `left` to `right`, in points. `rests` are in order of time; they are folded where that makes them smaller.
    pub fn new(from_ms: i64, to_ms: i64, left: f32, right: f32, rests: &[(i64, i64)]) -> Self {
        let to_ms = to_ms.max(from_ms + 1);
        let width = (right - left).max(1.0);
        let points_per_ms = f64::from(width) / wide(to_ms - from_ms);
        let clipped = rests.iter().map(|(from, to)| (*from.max(&from_ms), *to.min(&to_ms)));
        let mut folds: Vec<_> =
            clipped.filter(|(from, to)| wide(to - from) * points_per_ms > f64::from(FOLD)).collect();
        let room = width - FOLD * count(folds.len());
        if room < width * 0.25 {
            // More folds than bar.
            folds.clear();
        }
        let folded_ms: i64 = folds.iter().map(|(from, to)| to - from).sum();
        let rest_ms = (to_ms - from_ms - folded_ms).max(1);
        let room = width - FOLD * count(folds.len());
        let scale = f64::from(room) / wide(rest_ms);
        let mut parts = Vec::with_capacity(folds.len() * 2 + 1);
        let (mut at_ms, mut x) = (from_ms, left);
        let mut push = |from_ms: i64, to_ms: i64, width: f32, folded| {
            if to_ms > from_ms {
                parts.push(Part { from_ms, to_ms, left: x, right: x + width, folded });
                x += width;
            }
        };
        for (from, to) in folds {
            push(at_ms, from, points(wide(from - at_ms) * scale), false);
            // Only rest was: it has all the room.
            let width = if rest_ms <= 1 { width } else { FOLD };
            push(from, to, width, true);
            at_ms = to;
        }
        push(at_ms, to_ms, points(wide(to_ms - at_ms) * scale), false);
        Self { parts }
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Something of this stretch is on it.
    pub fn shows(&self, from_ms: i64, to_ms: i64) -> bool {
        let ends = self.parts.first().zip(self.parts.last());
        ends.is_some_and(|(first, last)| from_ms <= last.to_ms && to_ms >= first.from_ms)
    }

    /// Where an instant is; beside the span, at its end.
    pub fn x(&self, ms: i64) -> f32 {
        let after = self.parts.partition_point(|part| part.to_ms <= ms);
        match self.parts.get(after) {
            Some(part) if ms <= part.from_ms => part.left,
            Some(part) => {
                let share = wide(ms - part.from_ms) / wide(part.to_ms - part.from_ms);
                part.left + points(f64::from(part.right - part.left) * share)
            }
            None => self.parts.last().map_or(0.0, |part| part.right),
        }
    }

    /// Which instant is there; beside the bar, its end.
    pub fn ms(&self, x: f32) -> i64 {
        let after = self.parts.partition_point(|part| part.right <= x);
        match self.parts.get(after) {
            Some(part) if x <= part.left => part.from_ms,
            Some(part) => {
                let share = f64::from((x - part.left) / (part.right - part.left).max(f32::EPSILON));
                #[expect(clippy::cast_possible_truncation, reason = "a share of a span")]
                let ms = (wide(part.to_ms - part.from_ms) * share).round() as i64;
                part.from_ms + ms
            }
            None => self.parts.last().map_or(0, |part| part.to_ms),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of less than a thousand years")]
fn wide(ms: i64) -> f64 {
    ms as f64
}

#[expect(clippy::cast_possible_truncation, reason = "points of a window")]
fn points(value: f64) -> f32 {
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn count(n: usize) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_rest_it_is_a_ruler() {
        let axis = Axis::new(0, 1_000, 100.0, 200.0, &[]);
        let xs = [-5, 0, 500, 1_000, 9_999].map(|ms| format!("{:.1}", axis.x(ms)));
        assert_eq!(xs, ["100.0", "100.0", "150.0", "200.0", "200.0"]);
        assert_eq!([axis.ms(0.0), axis.ms(125.0), axis.ms(300.0)], [0, 250, 1_000]);
        let shown = [(-9, -1), (-9, 0), (400, 500), (1_000, 2_000), (1_001, 2_000)].map(|(a, b)| axis.shows(a, b));
        assert_eq!(shown, [false, true, true, true, false]);
    }

    #[test]
    fn rest_takes_little_room() {
        let axis = Axis::new(0, 10_000, 0.0, 114.0, &[(2_000, 9_000)]);
        assert_eq!(axis.parts().iter().map(|p| p.folded).collect::<Vec<_>>(), [false, true, false]);
        assert!((axis.x(2_000) - 66.666).abs() < 0.01 && (axis.x(9_000) - 80.666).abs() < 0.01, "{axis:?}");
        // Narrower than its fold it stays as it is.
        assert_eq!(Axis::new(0, 10_000, 0.0, 114.0, &[(2_000, 2_500)]).parts().len(), 1);
    }

    proptest! {
        #[test]
        fn going_right_goes_on_in_time_and_back_again(
            rests in proptest::collection::vec((1i64..500_000, 1i64..500_000), 0..30), width in 50.0f32..2_000.0, at in 0.0f64..1.0
        ) {
            let mut end = 0;
            let rests: Vec<_> = rests
                .into_iter()
                .map(|(wait, took)| {
                    let from = end + wait;
                    end = from + took;
                    (from, end)
                })
                .collect();
            let to = end + 1_000;
            let axis = Axis::new(0, to, 10.0, 10.0 + width, &rests);
            prop_assert!((axis.x(0) - 10.0).abs() < 0.01 && (axis.x(to) - 10.0 - width).abs() < 0.5);
            let xs: Vec<_> = (0..=200).map(|n| axis.x(to / 200 * n)).collect();
            prop_assert!(xs.windows(2).all(|pair| pair[0] <= pair[1] + 0.001));
            let x = 10.0 + points(f64::from(width) * at);
            prop_assert!((axis.x(axis.ms(x)) - x).abs() < 1.0, "{} {}", axis.ms(x), axis.x(axis.ms(x)));
        }
    }
}
