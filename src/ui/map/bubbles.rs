//! Heaps of devices: a number, and around it how many of them are in which state. Each state has its colour and its stroke, an alarm its sign;
//! the numbers themselves are told to who points at it or hears it.

use std::{collections::HashMap, ops::Range, sync::Arc};

use egui::{Color32, FontId, Galley, Mesh, Painter, Pos2, Shape, Ui, Vec2, epaint::Vertex, vec2};

use super::{
    camera::Screen,
    heaps::{Heap, heap_radius},
    icons::{Icon, Icons},
    markers::Rank,
    ribbon::{self, Ribbon},
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
    let fill = ui.visuals().extreme_bg_color;
    // One mesh for all, because no two heaps touch.
    let (mut mesh, mut badges) = (Mesh::default(), icons.mesh());
    let crosses = heaps.iter().flat_map(pieces).map(|piece| Ribbon::crosses(&piece.turns)).sum::<usize>();
    Ribbon::reserve(&mut mesh, crosses);
    mesh.reserve_vertices(heaps.len() * BODY_VERTICES);
    mesh.reserve_triangles(heaps.len() * BODY_TRIANGLES);
    // There are but a few sizes.
    let mut bodies: HashMap<u32, Mesh> = HashMap::new();
    for heap in heaps {
        let (middle, radius) = (screen.pos(heap.middle), heap_radius(heap.count));
        let body = bodies.entry(radius.to_bits()).or_insert_with(|| body(radius, pixel, fill));
        put(&mut mesh, body, middle);
        ring(&mut mesh, heap, middle, radius - 1.5, pixel, palette);
        if heap.ranks.first().is_some_and(|(rank, _)| *rank == Rank::Alarm) {
            let away = radius * std::f32::consts::FRAC_1_SQRT_2;
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

/// Directions in which a body has corners, and what it has of them.
const BODY_CORNERS: u16 = 24;
const BODY_VERTICES: usize = BODY_CORNERS as usize * 2 + 1;
const BODY_TRIANGLES: usize = BODY_CORNERS as usize * 3;

/// What is below a ring: a disc wider than it, around the origin. As egui's own circles it would be the costliest part of a map full of heaps.
fn body(radius: f32, pixel: f32, fill: Color32) -> Mesh {
    let (outer, soft) = (radius + 1.5, pixel / 2.0);
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(BODY_VERTICES);
    mesh.reserve_triangles(BODY_TRIANGLES);
    for n in 0..BODY_CORNERS {
        let out = ribbon::direction(f32::from(n) / f32::from(BODY_CORNERS));
        mesh.colored_vertex((out * (outer - soft)).to_pos2(), fill);
        mesh.colored_vertex((out * (outer + soft)).to_pos2(), Color32::TRANSPARENT);
    }
    mesh.colored_vertex(Pos2::ZERO, fill);
    let middle = u32::from(BODY_CORNERS) * 2;
    for a in (0..middle).step_by(2) {
        let b = (a + 2) % middle;
        mesh.add_triangle(middle, a, b);
        mesh.add_triangle(a, a + 1, b);
        mesh.add_triangle(a + 1, b, b + 1);
    }
    mesh
}

/// Adds a mesh that is around the origin, elsewhere.
fn put(mesh: &mut Mesh, part: &Mesh, middle: Pos2) {
    let Ok(first) = u32::try_from(mesh.vertices.len()) else { return };
    mesh.indices.extend(part.indices.iter().map(|corner| first + corner));
    mesh.vertices.extend(part.vertices.iter().map(|vertex| Vertex { pos: vertex.pos + middle.to_vec2(), ..*vertex }));
}

/// Clockwise from the top, what matters most first.
fn ring(mesh: &mut Mesh, heap: &Heap, middle: Pos2, radius: f32, pixel: f32, palette: &Palette) {
    for Piece { rank, width, turns } in pieces(heap) {
        Ribbon { mesh, width, pixel }.arc(middle, radius, turns, color(rank, palette));
    }
}

/// What of a ring is drawn in one go.
struct Piece {
    rank: Rank,
    width: f32,
    turns: Range<f32>,
}

fn pieces(heap: &Heap) -> impl Iterator<Item = Piece> {
    let mut start = 0.0;
    heap.ranks.iter().flat_map(move |(rank, count)| {
        let hand = hand(*rank);
        let mut at = start;
        let end = start + share(*count, heap.count);
        start = end;
        std::iter::from_fn(move || {
            let from = Some(at).filter(|at| *at < end)?;
            let (drawn, left_out) = hand.broken.unwrap_or((end - from, 0.0));
            at = if hand.broken.is_some() { from + drawn + left_out } else { end };
            Some(Piece { rank: *rank, width: hand.width, turns: from..(from + drawn).min(end) })
        })
    })
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
    fn a_body_is_a_disc_of_what_was_reserved() {
        let body = body(16.0, 1.0, Color32::BLACK);
        assert_eq!((body.vertices.len(), body.indices.len()), (BODY_VERTICES, BODY_TRIANGLES * 3));
        assert!(body.is_valid());
        assert_eq!(body.calc_bounds(), egui::Rect::from_center_size(Pos2::ZERO, Vec2::splat(36.0)));
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
