//! Heaps of devices: a number, and around it how many of them are in which state. Each state has its colour and its stroke, an alarm its sign;
//! the numbers themselves are told to who points at it or hears it.

use egui::{Align2, Color32, FontId, Mesh, Painter, Pos2, Shape, Ui, Vec2, vec2};

use super::{
    camera::Screen,
    heaps::{Heap, heap_radius},
    icons::{Icon, Icons},
    markers::Rank,
    ribbon::Ribbon,
};
use crate::ui::{format, theme::Palette};

/// How a state is drawn along the ring, beside its colour.
struct Hand {
    width: f32,
    /// Parts of a turn that are drawn and left out; without, the line is whole.
    broken: Option<(f32, f32)>,
}

/// All of them.
pub(super) fn all(painter: &Painter, ui: &Ui, screen: &Screen, heaps: &[Heap], icons: &Icons, palette: &Palette) {
    if heaps.is_empty() {
        return;
    }
    let pixel = 1.0 / ui.ctx().pixels_per_point();
    let (rim, inside) = (ui.visuals().extreme_bg_color, ui.visuals().panel_fill);
    // One mesh for the rings of all, because no two heaps touch.
    let (mut rings, mut badges) = (Mesh::default(), icons.mesh());
    for heap in heaps {
        let (middle, radius) = (screen.pos(heap.middle), heap_radius(heap.count));
        painter.circle_filled(middle, radius + 1.5, rim);
        painter.circle_filled(middle, radius - 2.0, inside);
        ring(&mut rings, heap, middle, radius - 1.5, pixel, palette);
        if heap.ranks.first().is_some_and(|(rank, _)| *rank == Rank::Alarm) {
            let away = radius * std::f32::consts::FRAC_1_SQRT_2;
            icons.stamp(&mut badges, Icon::Alarm, middle + vec2(away, -away), Vec2::UP);
        }
    }
    painter.add(Shape::mesh(rings));
    let color = ui.visuals().strong_text_color();
    for heap in heaps {
        let font = FontId::proportional(if heap.count < 1_000 { 12.0 } else { 11.0 });
        painter.text(screen.pos(heap.middle), Align2::CENTER_CENTER, heap.count, font, color);
    }
    painter.add(Shape::mesh(badges));
}

/// Clockwise from the top, what matters most first.
fn ring(mesh: &mut Mesh, heap: &Heap, middle: Pos2, radius: f32, pixel: f32, palette: &Palette) {
    let mut start = 0.0;
    for (rank, count) in &heap.ranks {
        let (hand, color) = (hand(*rank), color(*rank, palette));
        let end = start + share(*count, heap.count);
        let mut ribbon = Ribbon { mesh, width: hand.width, pixel };
        match hand.broken {
            None => ribbon.add(&arc(middle, radius, start, end, color)),
            Some((drawn, left_out)) => {
                let mut at = start;
                while at < end {
                    ribbon.add(&arc(middle, radius, at, (at + drawn).min(end), color));
                    at += drawn + left_out;
                }
            }
        }
        start = end;
    }
}

fn hand(rank: Rank) -> Hand {
    let whole = |width| Hand { width, broken: None };
    match rank {
        Rank::Alarm => whole(5.0),
        Rank::Selected | Rank::Moving => whole(3.6),
        Rank::Late => Hand { width: 3.6, broken: Some((0.07, 0.035)) },
        Rank::Doubtful => Hand { width: 3.0, broken: Some((0.025, 0.025)) },
        Rank::Parked => whole(2.2),
        Rank::Stale => whole(1.0),
    }
}

fn color(rank: Rank, palette: &Palette) -> Color32 {
    match rank {
        Rank::Alarm => palette.alarm,
        Rank::Selected | Rank::Moving => palette.moving,
        Rank::Late => palette.late,
        Rank::Doubtful => palette.suspect,
        Rank::Parked => palette.parked,
        Rank::Stale => palette.stale,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a part of a ring")]
fn share(count: usize, all: usize) -> f32 {
    count as f32 / all as f32
}

/// Points along a circle; turns begin at the top and go clockwise.
fn arc(middle: Pos2, radius: f32, from: f32, to: f32, color: Color32) -> Vec<(Pos2, Color32)> {
    // Two dozen chords look like a circle of this size.
    const CHORDS: f32 = 24.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
    let steps = ((to - from) * CHORDS).ceil().clamp(1.0, CHORDS) as u8;
    let turns = (0..=steps).map(|n| from + (to - from) * f32::from(n) / f32::from(steps));
    turns.map(|turn| (middle + radius * Vec2::angled((turn - 0.25) * std::f32::consts::TAU), color)).collect()
}

/// How many of a heap are in which state: `1 with an alarm, 12 moving, 20 parked`.
pub(super) fn mix(heap: &Heap) -> String {
    let parts = heap.ranks.iter().map(|(rank, count)| {
        let what = match rank {
            Rank::Alarm => "with an alarm",
            Rank::Selected | Rank::Moving => "moving",
            Rank::Late => "late",
            Rank::Doubtful => "in doubt or new",
            Rank::Parked => "parked",
            Rank::Stale => "stale or lost",
        };
        format!("{} {what}", format::count(*count as u64))
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::mercator::{World, WorldBox};

    fn heap(ranks: &[(Rank, usize)]) -> Heap {
        let count = ranks.iter().map(|(_, count)| count).sum();
        Heap { middle: World::CENTER, bounds: WorldBox::EMPTY, ranks: ranks.to_vec(), count }
    }

    #[test]
    fn a_heap_tells_its_mix_in_numbers() {
        let heap = heap(&[(Rank::Alarm, 1), (Rank::Moving, 1_200), (Rank::Parked, 20)]);
        assert_eq!(mix(&heap), "1 with an alarm, 1,200 moving, 20 parked");
    }

    #[test]
    fn no_two_states_are_drawn_alike_without_colour() {
        let ranks = [Rank::Alarm, Rank::Moving, Rank::Late, Rank::Doubtful, Rank::Parked, Rank::Stale];
        for (n, a) in ranks.iter().enumerate() {
            for b in &ranks[n + 1..] {
                let ((one, other), near) = ((hand(*a), hand(*b)), |x: f32, y: f32| (x - y).abs() < 1.0);
                let alike = one.broken == other.broken && near(one.width, other.width);
                assert!(!alike, "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn a_ring_is_closed_and_its_parts_have_their_share() {
        let palette = &crate::ui::theme::DARK;
        let mut mesh = Mesh::default();
        ring(&mut mesh, &heap(&[(Rank::Moving, 3), (Rank::Parked, 1)]), Pos2::ZERO, 16.0, 1.0, palette);
        let right = |color| mesh.vertices.iter().filter(|v| v.color == color).all(|v| v.pos.x > -1.0);
        assert!(!right(palette.moving), "three quarters go around");
        let parked: Vec<_> = mesh.vertices.iter().filter(|v| v.color == palette.parked).collect();
        assert!(!parked.is_empty() && parked.iter().all(|v| v.pos.x < 2.0 && v.pos.y < 2.0), "the last quarter");
    }
}
