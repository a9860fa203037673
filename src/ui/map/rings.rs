//! The pictures of heaps: a disc, and a ring on it for each stroke; drawn once for a resolution, then cut to pieces and tinted.
//!
//! As triangles with soft edges, the rings of a map full of heaps would be most of what a frame makes and hands on.

use std::{ops::Range, sync::LazyLock};

use egui::{Color32, ColorImage, Context, Mesh, Pos2, TextureHandle, TextureOptions, Vec2, epaint::Vertex, pos2, vec2};

use super::{
    heaps::SIZES,
    icons::{center, pixels, small},
};

/// Widths of the strokes that rings are drawn with, in points.
pub(super) const STROKES: [f32; 5] = [5.0, 3.6, 3.0, 2.2, 1.0];

/// The middle of a ring lies so far within the edge of its bubble, and the disc ends so far beyond it, in points.
const RING_WITHIN: f32 = 1.5;
const DISC_BEYOND: f32 = 1.5;

/// Side of a picture in points; what is cut out stays within.
const CELL: f32 = 60.0;

/// Pictures are drawn this much finer than the screen, so that they stay sharp wherever their middle is.
const FINER: f32 = 2.0;

/// What is cut out leaves so much room around the picture for its soft edge, in points.
const EDGE: f32 = 1.0;

/// A piece of a ring is cut out with a corner each eighth of a turn, and each corner so much further out than the ring that no side cuts it:
/// the chord of an eighth is nearer to the middle by 0.924.
const CORNERS: f32 = 8.0;
const FURTHER: f32 = 1.09;

/// Beside the disc there is a ring for each stroke.
const COLUMNS: usize = STROKES.len() + 1;

/// All pictures in one texture, white: a row for each size of bubbles.
pub(super) struct Rings {
    texture: TextureHandle,
}

impl Rings {
    /// Draws the pictures; takes some milliseconds.
    pub(super) fn new(ctx: &Context) -> Self {
        let image = pictures(ctx.pixels_per_point());
        Self { texture: ctx.load_texture("rings", image, TextureOptions::LINEAR) }
    }

    /// A mesh to put pieces in.
    pub(super) fn mesh(&self) -> Mesh {
        Mesh::with_texture(self.texture.id())
    }
}

fn pictures(pixels_per_point: f32) -> ColorImage {
    // Whole pixels, also where a point is not.
    let side = pixels(CELL * pixels_per_point * FINER);
    let scale = small(side) / CELL;
    let mut image = ColorImage::filled([side * COLUMNS, side * SIZES.len()], Color32::TRANSPARENT);
    let cover = |distance: f32| Color32::WHITE.gamma_multiply((0.5 - distance * scale).clamp(0.0, 1.0));
    for (row, (_, radius)) in SIZES.into_iter().enumerate() {
        for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
            let out = (vec2(center(x), center(y)) / scale - Vec2::splat(CELL / 2.0)).length();
            let top = row * side;
            image[(x, top + y)] = cover(out - radius - DISC_BEYOND);
            for (stroke, width) in STROKES.into_iter().enumerate() {
                let off_ring = (out - (radius - RING_WITHIN)).abs();
                image[((stroke + 1) * side + x, top + y)] = cover(off_ring - width / 2.0);
            }
        }
    }
    image
}

/// Adds the disc below a bubble of this size.
pub(super) fn disc(mesh: &mut Mesh, size: usize, middle: Pos2, color: Color32) {
    let Ok(first) = u32::try_from(mesh.vertices.len()) else { return };
    let half = SIZES[size].1 + DISC_BEYOND + EDGE;
    let corner = |x: f32, y: f32| vertex(size, 0, middle, vec2(x, y) * half, color);
    mesh.vertices.extend_from_slice(&[corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)]);
    mesh.indices.extend_from_slice(&[first, first + 1, first + 2, first, first + 2, first + 3]);
}

/// Adds a part of the ring of a bubble of this size, drawn with one of [`STROKES`]. Turns begin at the top and go clockwise.
pub(super) fn arc(mesh: &mut Mesh, size: usize, stroke: usize, middle: Pos2, turns: Range<f32>, color: Color32) {
    let Ok(first) = u32::try_from(mesh.vertices.len()) else { return };
    let out = (SIZES[size].1 - RING_WITHIN + STROKES[stroke] / 2.0 + EDGE) * FURTHER;
    let sides = sides(&turns);
    let step = (turns.end - turns.start) / f32::from(sides);
    let corner = |from_middle| vertex(size, stroke + 1, middle, from_middle, color);
    mesh.vertices.push(corner(Vec2::ZERO));
    mesh.vertices.extend((0..=sides).map(|n| corner(direction(turns.start + step * f32::from(n)) * out)));
    mesh.indices.extend((1..=u32::from(sides)).flat_map(|n| [first, first + n, first + n + 1]));
}

/// A corner of what is cut out of a picture.
fn vertex(row: usize, column: usize, middle: Pos2, from_middle: Vec2, color: Color32) -> Vertex {
    let in_picture = from_middle / CELL;
    let uv = pos2((center(column) + in_picture.x) / small(COLUMNS), (center(row) + in_picture.y) / small(SIZES.len()));
    Vertex { pos: middle + from_middle, uv, color }
}

/// Sides of a piece of a ring.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
fn sides(turns: &Range<f32>) -> u8 {
    ((turns.end - turns.start) * CORNERS).ceil().clamp(1.0, CORNERS) as u8
}

/// The unit vector to a part of a turn. From a table, because a map full of rings asks for thousands a frame.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a turn; the cast saturates")]
fn direction(turn: f32) -> Vec2 {
    const PARTS: u16 = 1024;
    static DIRECTIONS: LazyLock<[Vec2; PARTS as usize]> = LazyLock::new(|| {
        let mut part = 0_u16;
        [(); PARTS as usize].map(|()| {
            let turn = f32::from(part) / f32::from(PARTS);
            part += 1;
            Vec2::angled((turn - 0.25) * std::f32::consts::TAU)
        })
    });
    // Turns are not negative, so this rounds.
    let part = (turn * f32::from(PARTS) + 0.5) as usize;
    DIRECTIONS[part % usize::from(PARTS)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_out_lies_within_its_picture_and_holds_all_of_the_ring() {
        for (_, radius) in SIZES {
            let widest = STROKES.into_iter().fold(0.0, f32::max);
            let ring = radius - RING_WITHIN + widest / 2.0;
            assert!((ring + EDGE) * FURTHER <= CELL / 2.0 - EDGE && radius + DISC_BEYOND + EDGE <= CELL / 2.0 - EDGE);
            let nearest = (ring + EDGE) * FURTHER * (std::f32::consts::PI / CORNERS).cos();
            assert!(nearest > ring + EDGE / 2.0, "{nearest} of {ring}");
        }
    }

    #[test]
    fn pieces_are_cut_out_of_the_middle_of_their_picture_at_every_resolution() {
        for pixels_per_point in [1.0, 1.1, 1.25, 4.0 / 3.0, 2.0] {
            let image = pictures(pixels_per_point);
            let [wide, high] = image.size.map(small);
            let alpha = |column, row, from_middle| {
                let uv = vertex(row, column, Pos2::ZERO, from_middle, Color32::WHITE).uv;
                image[(pixels(uv.x * wide) - 1, pixels(uv.y * high) - 1)].a()
            };
            for (row, (_, radius)) in SIZES.into_iter().enumerate() {
                for way in [Vec2::UP, Vec2::DOWN, Vec2::LEFT, Vec2::RIGHT, Vec2::angled(1.0)] {
                    let edge = radius + DISC_BEYOND;
                    assert_eq!([alpha(0, row, way * (edge - 1.0)), alpha(0, row, way * (edge + 1.0))], [255, 0]);
                    for (stroke, width) in (1..).zip(STROKES) {
                        let (ring, half) = (radius - RING_WITHIN, width / 2.0);
                        let told =
                            [ring - half - 1.0, ring, ring + half + 1.0].map(|out| alpha(stroke, row, way * out));
                        assert!(told[0] == 0 && told[1] > 200 && told[2] == 0, "{told:?}, {pixels_per_point}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_whole_ring_closes() {
        let mut mesh = Mesh::default();
        disc(&mut mesh, 3, Pos2::ZERO, Color32::RED);
        arc(&mut mesh, 2, 1, Pos2::ZERO, 0.0..1.0, Color32::RED);
        arc(&mut mesh, 1, 0, Pos2::ZERO, 0.2..0.21, Color32::RED);
        assert_eq!((mesh.vertices.len(), mesh.indices.len()), (4 + 10 + 3, 6 + 24 + 3));
        assert!(mesh.is_valid());
        assert_eq!(mesh.vertices[5], mesh.vertices[13]);
    }
}
