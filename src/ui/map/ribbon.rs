//! Lines as triangles, with a colour at each point: what egui's own strokes cannot do, and at a third of their cost.

use egui::{Color32, Mesh, Pos2, Vec2, epaint::Vertex};

/// Points nearer to each other than this are one, in points of the screen.
const NEAR: f32 = 0.2;

/// Where the directions of two segments have a smaller cosine than this, the corner is cut off instead of drawn out.
const SHARP: f32 = 0.3;

/// Adds lines of one width to a mesh.
pub(super) struct Ribbon<'a> {
    pub(super) mesh: &'a mut Mesh,
    pub(super) width: f32,
    /// Width of a pixel in points: over so much the edges fade.
    pub(super) pixel: f32,
}

impl Ribbon<'_> {
    /// Adds a line through these places.
    pub(super) fn add(&mut self, line: &[(Pos2, Color32)]) {
        let mut before: Option<Vec2> = None;
        let mut open = false;
        for (n, (pos, color)) in line.iter().enumerate() {
            let out = line.get(n + 1).and_then(|(next, _)| normal(*pos, *next));
            match (before, out) {
                (Some(a), Some(b)) if a.dot(b) > SHARP => {
                    self.cross(*pos, (a + b) / (1.0 + a.dot(b)), *color, &mut open);
                }
                (a, b) => {
                    for side in [a, b].into_iter().flatten() {
                        self.cross(*pos, side, *color, &mut open);
                    }
                }
            }
            before = out.or(before);
        }
    }

    /// Makes room for so many cross-sections.
    pub(super) fn reserve(mesh: &mut Mesh, crosses: usize) {
        mesh.reserve_vertices(crosses * 4);
        mesh.reserve_triangles(crosses * 6);
    }

    /// One cross-section: a clear edge, the line, a clear edge; joined to the one before it.
    fn cross(&mut self, pos: Pos2, side: Vec2, color: Color32, open: &mut bool) {
        let Ok(first) = u32::try_from(self.mesh.vertices.len()) else { return };
        let (outer, inner) = (f32::midpoint(self.width, self.pixel), ((self.width - self.pixel) / 2.0).max(0.0));
        let at = |offset: f32, color| Vertex { pos: pos + side * offset, uv: egui::epaint::WHITE_UV, color };
        self.mesh.vertices.extend_from_slice(&[
            at(outer, Color32::TRANSPARENT),
            at(inner, color),
            at(-inner, color),
            at(-outer, Color32::TRANSPARENT),
        ]);
        if std::mem::replace(open, true) {
            self.mesh.indices.extend(LANES.iter().map(|corner| first - 4 + corner));
        }
    }
}

/// The triangles between two cross-sections, whose corners are counted on.
const LANES: [u32; 18] = [0, 1, 4, 1, 4, 5, 1, 2, 5, 2, 5, 6, 2, 3, 6, 3, 6, 7];

/// The unit vector across the way from one place to another.
fn normal(from: Pos2, to: Pos2) -> Option<Vec2> {
    let way = to - from;
    // On a screen nothing is so far off that its square is none.
    let length = way.length_sq().sqrt();
    (length > 0.0).then(|| Vec2::new(way.y, -way.x) / length)
}

/// True where two places are two on the screen.
pub(super) fn is_apart(a: Pos2, b: Pos2) -> bool {
    (a - b).length_sq() > NEAR * NEAR
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn a_line_has_its_width_and_colours() {
        let mut mesh = Mesh::default();
        let mut ribbon = Ribbon { mesh: &mut mesh, width: 3.0, pixel: 1.0 };
        ribbon.add(&[(pos2(0.0, 0.0), Color32::RED), (pos2(10.0, 0.0), Color32::GREEN)]);
        assert_eq!((mesh.vertices.len(), mesh.indices.len()), (8, 18));
        let bounds = mesh.calc_bounds();
        assert_eq!((bounds.top(), bounds.bottom()), (-2.0, 2.0));
        let full: Vec<_> = mesh.vertices.iter().filter(|v| v.color != Color32::TRANSPARENT).collect();
        assert!(full.iter().all(|v| v.pos.y.abs() <= 1.0));
        assert!(full.iter().all(|v| (v.color == Color32::RED) == (v.pos.x < 5.0)));
    }

    #[test]
    fn a_sharp_corner_is_cut_off() {
        let mut mesh = Mesh::default();
        let mut ribbon = Ribbon { mesh: &mut mesh, width: 3.0, pixel: 1.0 };
        let line = [pos2(0.0, 0.0), pos2(10.0, 0.0), pos2(0.0, 0.1), pos2(10.0, 0.2)];
        ribbon.add(&line.map(|pos| (pos, Color32::RED)));
        let bounds = mesh.calc_bounds();
        assert!(bounds.left() > -3.0 && bounds.right() < 13.0, "no spikes: {bounds:?}");
        assert!(mesh.is_valid());
    }

    #[test]
    fn one_place_is_no_line() {
        let mut mesh = Mesh::default();
        Ribbon { mesh: &mut mesh, width: 2.0, pixel: 1.0 }.add(&[(pos2(1.0, 1.0), Color32::RED)]);
        assert!(mesh.is_empty());
    }
}
