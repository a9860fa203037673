//! Devices that stand on one spot, spread around it so that each can be seen and clicked.

use egui::{Painter, Stroke, Vec2};

use super::{
    camera::Screen,
    markers::{InView, Markers},
};

/// So many are spread at most; more are looked at nearer.
pub(super) const MOST: usize = 60;

/// Markers nearer to each other than this hide one another, in points.
pub(super) const STACK: f32 = 6.0;

/// The turn from one seed of a sunflower to the next.
const GOLDEN: f32 = 0.381_966;

/// Fewer stand on a ring, more on a spiral.
const RING: usize = 9;

/// Where so many markers stand, from the middle of the spot, in points.
pub(super) fn shifts(count: usize) -> Vec<Vec2> {
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let (number, all) = (|n: usize| n as f32, count as f32);
    let around = |turn: f32| Vec2::angled((turn - 0.25) * std::f32::consts::TAU);
    if count < RING {
        return (0..count).map(|n| (30.0 + all) * around(number(n) / all)).collect();
    }
    // As the seeds of a sunflower, which are equally far from each other.
    (0..count).map(|n| 23.0 * (number(n) + 1.8).sqrt() * around(number(n) * GOLDEN)).collect()
}

/// Draws a thin line from each spread marker to where it really is.
pub(super) fn paint_legs(painter: &Painter, screen: &Screen, markers: &Markers, seen: &InView, stroke: Stroke) {
    for marker in seen.single.iter().filter(|m| m.shift != Vec2::ZERO) {
        let place = screen.pos(markers.place(marker.index));
        painter.line_segment([place, marker.pos(screen, markers)], stroke);
        painter.circle_filled(place, 2.0, stroke.color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_hide_each_other() {
        for count in [2, 5, 8, 9, 20, MOST] {
            let all = shifts(count);
            assert_eq!(all.len(), count);
            for (n, a) in all.iter().enumerate() {
                assert!(all[..n].iter().all(|b| (*a - *b).length() > 20.0), "{count}: {n}");
                assert!((25.0..200.0).contains(&a.length()));
            }
        }
    }
}
