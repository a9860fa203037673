//! The pictures of markers: drawn once for a theme and a resolution, then only placed and turned.
//!
//! Shape says as much as colour does: an arrow moves, a disc is parked, half filled is late, hollow is stale, struck is lost, a
//! hollow dashed ring is new, one with a question mark in doubt. Each has a casing in the opposite tone, so that it reads on any map.

use egui::{Color32, ColorImage, Pos2, Rect, TextureHandle, TextureOptions, Vec2, pos2, vec2};

use super::rings::Rings;
use crate::ui::{
    status::{Freshness, Motion, Status},
    theme::Palette,
};

/// Side of a picture in points; the shapes stay within, however they are turned.
const CELL: f32 = 32.0;

/// Pictures are drawn this much finer than the screen, so that they stay sharp when turned.
const FINER: f32 = 2.0;

/// Radius in points around a marker's middle that belongs to it.
pub const RADIUS: f32 = 9.0;

const CASING: f32 = 2.0;
const DISC: f32 = 6.5;

/// One of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Icon {
    Arrow(Freshness),
    Disc(Freshness),
    /// Moving, nobody knows where to.
    MovingDisc,
    /// Nobody has decided about it.
    New,
    Question,
    /// Put beside the picture of a device with an alarm.
    Alarm,
}

impl Icon {
    const ALL: [Self; 12] = [
        Self::Arrow(Freshness::Fresh),
        Self::Arrow(Freshness::Late),
        Self::Arrow(Freshness::Stale),
        Self::Arrow(Freshness::Lost),
        Self::Disc(Freshness::Fresh),
        Self::Disc(Freshness::Late),
        Self::Disc(Freshness::Stale),
        Self::Disc(Freshness::Lost),
        Self::MovingDisc,
        Self::New,
        Self::Question,
        Self::Alarm,
    ];

    /// The picture of a state; `heading` tells whether a direction is known.
    pub fn of(status: &Status, freshness: Freshness, heading: bool) -> Self {
        if status.new {
            return Self::New;
        }
        if status.suspect {
            return Self::Question;
        }
        match (status.motion, heading) {
            (Motion::Moving, true) => Self::Arrow(freshness),
            (Motion::Moving, false) if freshness == Freshness::Fresh => Self::MovingDisc,
            (Motion::Moving | Motion::Parked | Motion::Unknown, _) => Self::Disc(freshness),
        }
    }

    /// The colour of its state.
    pub fn color(self, palette: &Palette) -> Color32 {
        match self {
            Self::Arrow(Freshness::Fresh) | Self::MovingDisc => palette.moving,
            Self::Disc(Freshness::Fresh) => palette.parked,
            Self::Arrow(Freshness::Late) | Self::Disc(Freshness::Late) => palette.late,
            Self::Arrow(Freshness::Stale | Freshness::Lost) | Self::Disc(Freshness::Stale | Freshness::Lost) => {
                palette.stale
            }
            Self::New | Self::Question => palette.suspect,
            Self::Alarm => palette.alarm,
        }
    }

    fn column(self) -> usize {
        Self::ALL.iter().position(|i| *i == self).expect("every picture is in the list")
    }

    /// Distance in points to the outline of the whole shape, negative inside.
    fn outline(self, p: Vec2) -> f32 {
        match self {
            Self::Arrow(_) => arrow(p),
            Self::Disc(_) | Self::MovingDisc => p.length() - DISC,
            Self::New | Self::Question => p.length() - DISC - 1.0,
            Self::Alarm => triangle(p),
        }
    }

    /// Distance to what has the state's colour; the rest of the shape has the casing's.
    fn ink(self, p: Vec2) -> f32 {
        let outline = self.outline(p);
        let rim = |width: f32| (outline + width / 2.0).abs() - width / 2.0;
        match self {
            Self::Arrow(Freshness::Fresh) | Self::Disc(Freshness::Fresh) => outline,
            Self::Arrow(Freshness::Late) | Self::Disc(Freshness::Late) => rim(1.8).min(outline.max(p.x)),
            Self::Arrow(Freshness::Stale) | Self::Disc(Freshness::Stale) => rim(1.8),
            Self::Arrow(Freshness::Lost) | Self::Disc(Freshness::Lost) => {
                rim(1.8).min(bar(p, vec2(-7.5, 7.5), vec2(7.5, -7.5), 1.0))
            }
            Self::MovingDisc => outline.max(2.4 - p.length()),
            // Few and thick, so that the ring stays one at this size.
            Self::New => rim(2.4).max(off_dashes(p, 6.0, 0.33)),
            Self::Question => rim(1.8).max(off_dashes(p, 8.0, 0.29)).min(question(p)),
            Self::Alarm => {
                outline.max(0.9 - bar(p, vec2(0.0, -1.5), vec2(0.0, 1.0), 0.2)).max(1.0 - (p - vec2(0.0, 3.6)).length())
            }
        }
    }
}

/// All pictures in one texture, for one theme and resolution.
pub struct Icons {
    texture: TextureHandle,
    rings: Rings,
    made_for: (bool, f32),
}

impl Icons {
    /// Draws the pictures; takes some milliseconds.
    pub fn new(ui: &egui::Ui, palette: &Palette) -> Self {
        let made_for = made_for(ui);
        let casing = ui.visuals().extreme_bg_color;
        let scale = made_for.1 * FINER;
        let side = pixels(CELL * scale);
        let mut image = ColorImage::filled([side * Icon::ALL.len(), side], Color32::TRANSPARENT);
        for icon in Icon::ALL {
            let color = icon.color(palette);
            let left = icon.column() * side;
            for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
                let p = (vec2(center(x), center(y)) / scale) - Vec2::splat(CELL / 2.0);
                let cover = |distance: f32| (0.5 - distance * scale).clamp(0.0, 1.0);
                let below = casing.gamma_multiply(cover(icon.outline(p) - CASING));
                let ink = color.gamma_multiply(cover(icon.ink(p)));
                image[(left + x, y)] = below.blend(ink);
            }
        }
        let texture = ui.ctx().load_texture("markers", image, TextureOptions::LINEAR);
        Self { texture, rings: Rings::new(ui.ctx()), made_for }
    }

    /// True while the theme and the resolution are those that they were drawn for.
    pub fn fit(&self, ui: &egui::Ui) -> bool {
        self.made_for == made_for(ui)
    }

    /// A mesh to put pictures in.
    pub fn mesh(&self) -> egui::Mesh {
        egui::Mesh::with_texture(self.texture.id())
    }

    /// What heaps are drawn with.
    pub(super) fn rings(&self) -> &Rings {
        &self.rings
    }

    /// Adds a picture; `up` is where its top points to.
    pub fn stamp(&self, mesh: &mut egui::Mesh, icon: Icon, middle: Pos2, up: Vec2) {
        let uv = Self::uv(icon);
        let (down, right) = (up * -CELL / 2.0, vec2(-up.y, up.x) * CELL / 2.0);
        let Ok(first) = u32::try_from(mesh.vertices.len()) else { return };
        for (pos, uv) in [
            (middle - right - down, uv.left_top()),
            (middle + right - down, uv.right_top()),
            (middle + right + down, uv.right_bottom()),
            (middle - right + down, uv.left_bottom()),
        ] {
            mesh.vertices.push(egui::epaint::Vertex { pos, uv, color: Color32::WHITE });
        }
        mesh.add_triangle(first, first + 1, first + 2);
        mesh.add_triangle(first, first + 2, first + 3);
    }

    fn uv(icon: Icon) -> Rect {
        let width = 1.0 / small(Icon::ALL.len());
        Rect::from_min_size(pos2(small(icon.column()) * width, 0.0), vec2(width, 1.0))
    }
}

fn made_for(ui: &egui::Ui) -> (bool, f32) {
    (ui.visuals().dark_mode, ui.ctx().pixels_per_point())
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
pub(super) fn small(count: usize) -> f32 {
    count as f32
}

/// The middle of a pixel.
pub(super) fn center(pixel: usize) -> f32 {
    small(pixel) + 0.5
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the side of a picture")]
pub(super) fn pixels(side: f32) -> usize {
    side.ceil() as usize
}

/// A navigator's arrow that points up: a kite with a notch. Distances are those to its sides, exact enough near them.
fn arrow(p: Vec2) -> f32 {
    const TIP: Vec2 = vec2(0.0, -9.5);
    const WING: Vec2 = vec2(7.0, 8.0);
    const NOTCH: Vec2 = vec2(0.0, 4.2);
    polygon(p, &[TIP, WING, NOTCH, vec2(-WING.x, WING.y)])
}

fn triangle(p: Vec2) -> f32 {
    polygon(p, &[vec2(0.0, -4.5), vec2(5.5, 4.5), vec2(-5.5, 4.5)]) - 1.0
}

/// Signed distance to a closed polygon.
fn polygon(p: Vec2, corners: &[Vec2]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        nearest = nearest.min(bar(p, *a, *b, 0.0));
        if (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x {
            inside = !inside;
        }
    }
    if inside { -nearest } else { nearest }
}

/// Distance to a bar from `a` to `b` with round ends.
fn bar(p: Vec2, a: Vec2, b: Vec2, radius: f32) -> f32 {
    let (from, along) = (p - a, b - a);
    let part = (from.dot(along) / along.length_sq()).clamp(0.0, 1.0);
    (from - along * part).length() - radius
}

/// Distance to the nearest of `count` dashes around, of which half is `half` of the way from one to the next.
fn off_dashes(p: Vec2, count: f32, half: f32) -> f32 {
    let turn = p.y.atan2(p.x) / std::f32::consts::TAU * count;
    ((turn - turn.round()).abs() - half) * p.length() * std::f32::consts::TAU / count
}

/// A question mark about eight points high: three quarters of a ring, a stem and a dot.
fn question(p: Vec2) -> f32 {
    const MIDDLE: Vec2 = vec2(0.0, -1.6);
    const BOW: f32 = 1.9;
    const PEN: f32 = 0.75;
    let q = p - MIDDLE;
    // The bow is open to the lower left.
    let bow = if q.x < 0.0 && q.y > 0.0 {
        (q - vec2(-BOW, 0.0)).length().min((q - vec2(0.0, BOW)).length())
    } else {
        (q.length() - BOW).abs()
    };
    let stem = bar(p, vec2(0.0, 0.3), vec2(0.0, 1.5), 0.0);
    let dot = (p - vec2(0.0, 3.7)).length() - 0.3;
    bow.min(stem).min(dot) - PEN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_picture() {
        let at = |x: f32, y: f32| vec2(x, y);
        let inked = |icon: Icon, p: Vec2| icon.ink(p) < 0.0;
        // Left filled and right hollow where it is late; hollow in the middle where it is stale.
        for shape in [Icon::Arrow as fn(Freshness) -> Icon, Icon::Disc] {
            for (freshness, left, right) in
                [(Freshness::Fresh, true, true), (Freshness::Late, true, false), (Freshness::Stale, false, false)]
            {
                assert_eq!(inked(shape(freshness), at(-1.5, 1.0)), left, "{freshness:?}");
                assert_eq!(inked(shape(freshness), at(1.5, 1.0)), right, "{freshness:?}");
            }
            assert!(inked(shape(Freshness::Lost), at(0.0, 0.0)));
        }
        assert!(!inked(Icon::New, at(0.0, 0.0)) && !inked(Icon::New, at(0.0, 3.5)), "hollow");
        assert!(Icon::ALL.iter().all(|icon| icon.outline(at(15.9, 0.0)) > CASING && icon.outline(Vec2::ZERO) < 0.0));
    }
}
