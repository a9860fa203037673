//! Heaps of devices: a number, and around it how many of them are in which state. Each state has its colour and its stroke, an alarm its sign;
//! the numbers themselves are told to who points at it or hears it.

use std::{collections::HashMap, ops::Range, sync::Arc};

use egui::{Color32, FontId, Galley, Mesh, Painter, Pos2, Shape, Ui, Vec2, vec2};

use super::{
    camera::Screen,
    heaps::{Heap, SIZES, heap_size},
    icons::{Icon, Icons},
    markers::Rank,
    rings,
};
use crate::ui::{format, theme::Palette};

/// How a state is drawn along the ring, beside its colour.
struct Hand {
    /// Which of the strokes.
    stroke: usize,
    /// Parts of a turn that are drawn and left out; without, the line is whole.
    broken: Option<(f32, f32)>,
}

/// Corners that most heaps come to at most.
const CORNERS: usize = 24;

/// All of them.
pub(super) fn all(painter: &Painter, ui: &Ui, screen: &Screen, heaps: &[Heap], icons: &Icons, palette: &Palette) {
    if heaps.is_empty() {
        return;
    }
    let fill = ui.visuals().extreme_bg_color;
    // One mesh for all, because no two heaps touch.
    let (mut mesh, mut badges) = (icons.rings().mesh(), icons.mesh());
    mesh.reserve_vertices(heaps.len() * CORNERS);
    mesh.reserve_triangles(heaps.len() * CORNERS);
    for heap in heaps {
        let (middle, size) = (screen.pos(heap.middle), heap_size(heap.count));
        rings::disc(&mut mesh, size, middle, fill);
        ring(&mut mesh, heap, middle, palette);
        if heap.ranks.first().is_some_and(|(rank, _)| *rank == Rank::Alarm) {
            let away = SIZES[size].1 * std::f32::consts::FRAC_1_SQRT_2;
            icons.stamp(&mut badges, Icon::Alarm, middle + vec2(away, -away), Vec2::UP);
        }
    }
    let mut shapes = Vec::with_capacity(heaps.len() + 2);
    shapes.push(Shape::mesh(mesh));
    let color = ui.visuals().strong_text_color();
    // Many have the same number.
    let mut numbers: HashMap<usize, Arc<Galley>> = HashMap::new();
    for heap in heaps {
        let galley = numbers.entry(heap.count).or_insert_with(|| {
            let font = FontId::proportional(if heap.count < 1_000 { 12.0 } else { 11.0 });
            painter.layout_no_wrap(heap.count.to_string(), font, color)
        });
        let corner = screen.pos(heap.middle) - galley.size() / 2.0;
        shapes.push(Shape::galley(corner, Arc::clone(galley), color));
    }
    shapes.push(Shape::mesh(badges));
    painter.extend(shapes);
}

/// Clockwise from the top, what matters most first.
fn ring(mesh: &mut Mesh, heap: &Heap, middle: Pos2, palette: &Palette) {
    let size = heap_size(heap.count);
    let mut end = 0.0;
    for (rank, count) in &heap.ranks {
        let Hand { stroke, broken } = hand(*rank);
        let start = end;
        end = start + share(*count, heap.count);
        for turns in pieces(start..end, broken) {
            rings::arc(mesh, size, stroke, middle, turns, color(*rank, palette));
        }
    }
}

/// What of a part of a ring is drawn in one go.
fn pieces(part: Range<f32>, broken: Option<(f32, f32)>) -> impl Iterator<Item = Range<f32>> {
    let (drawn, left_out) = broken.unwrap_or((part.end - part.start, 0.0));
    let mut at = part.start;
    std::iter::from_fn(move || {
        let from = Some(at).filter(|at| *at < part.end)?;
        at = if broken.is_some() { from + drawn + left_out } else { part.end };
        Some(from..(from + drawn).min(part.end))
    })
}

/// Thick to thin with the strokes, and broken where a state is less sure.
fn hand(rank: Rank) -> Hand {
    let whole = |stroke| Hand { stroke, broken: None };
    match rank {
        Rank::Alarm => whole(0),
        Rank::Selected | Rank::Moving => whole(1),
        Rank::Late => Hand { stroke: 1, broken: Some((0.07, 0.035)) },
        Rank::Doubtful => Hand { stroke: 2, broken: Some((0.025, 0.025)) },
        Rank::Parked => whole(3),
        Rank::Stale => whole(4),
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
    use super::{super::rings::STROKES, *};
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
                let alike = one.broken == other.broken && near(STROKES[one.stroke], STROKES[other.stroke]);
                assert!(!alike, "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn a_ring_is_closed_and_its_parts_have_their_share() {
        let palette = &crate::ui::theme::DARK;
        let mut mesh = Mesh::default();
        ring(&mut mesh, &heap(&[(Rank::Moving, 3), (Rank::Parked, 1)]), Pos2::ZERO, palette);
        let right = |color| mesh.vertices.iter().filter(|v| v.color == color).all(|v| v.pos.x > -1.0);
        assert!(!right(palette.moving), "three quarters go around");
        let parked: Vec<_> = mesh.vertices.iter().filter(|v| v.color == palette.parked).collect();
        assert!(!parked.is_empty() && parked.iter().all(|v| v.pos.x < 2.0 && v.pos.y < 2.0), "the last quarter");
    }
}
