//! Pictures of what a device is: painted silhouettes, on a chip in the device's own colour where it has one.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, vec2};

use super::theme::{Palette, tints};
use crate::model::{DeviceIcon, Look, Tint};

/// Side of a chip beside text, in points.
pub const CHIP: f32 = 17.0;

/// What a look has to show beside a name: colour, icon, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chip {
    pub color: Option<Tint>,
    pub icon: Option<DeviceIcon>,
}

impl Chip {
    /// `None` where the look has neither.
    pub fn of(look: &Look) -> Option<Self> {
        let Look { color, icon, .. } = *look;
        (color.is_some() || icon.is_some()).then_some(Self { color, icon })
    }
}

/// A look beside a name: the icon on the device's own colour, or what there is of both.
pub fn chip(painter: &Painter, center: Pos2, look: Chip, p: &Palette) {
    let rect = Rect::from_center_size(center, Vec2::splat(CHIP));
    let ink = match look.color {
        Some(tint) => {
            // Without an icon a stripe says it all.
            let filled = if look.icon.is_some() { rect } else { rect.shrink2(vec2(CHIP / 2.0 - 2.5, 1.0)) };
            painter.rect_filled(filled, if look.icon.is_some() { 4.0 } else { 2.0 }, tints::color(tint));
            tints::ink(tint)
        }
        None => p.text,
    };
    if let Some(icon) = look.icon {
        paint(painter, rect.shrink(1.5), icon, ink);
    }
}

/// Paints a silhouette into the middle of `rect`.
pub fn paint(painter: &Painter, rect: Rect, icon: DeviceIcon, color: Color32) {
    let side = rect.width().min(rect.height());
    let brush = Brush { painter, origin: rect.center() - Vec2::splat(side / 2.0), unit: side / 16.0, color };
    match icon {
        DeviceIcon::Car => {
            brush.fill(&[(4.2, 7.6), (5.6, 4.2), (10.4, 4.2), (11.8, 7.6)]);
            brush.bar((1.2, 7.4), (14.8, 11.2));
            brush.disc(4.4, 11.6, 1.9);
            brush.disc(11.6, 11.6, 1.9);
        }
        DeviceIcon::Truck => {
            brush.bar((0.8, 3.4), (9.4, 11.0));
            brush.fill(&[(10.2, 5.6), (13.0, 5.6), (15.2, 8.2), (15.2, 11.0), (10.2, 11.0)]);
            brush.disc(4.0, 11.8, 1.8);
            brush.disc(12.2, 11.8, 1.8);
        }
        DeviceIcon::Motorcycle => {
            brush.ring(3.6, 11.2, 2.6);
            brush.ring(12.4, 11.2, 2.6);
            brush.fill(&[(4.4, 7.0), (10.6, 6.2), (9.4, 9.8), (5.6, 9.8)]);
            brush.line(&[(12.4, 11.2), (10.0, 4.0), (12.4, 3.4)], 1.5);
        }
        DeviceIcon::Bicycle => {
            brush.ring(3.6, 11.0, 2.8);
            brush.ring(12.4, 11.0, 2.8);
            brush.line(&[(3.6, 11.0), (5.8, 6.2), (10.4, 6.2), (8.0, 11.0), (3.6, 11.0)], 1.1);
            brush.line(&[(8.0, 11.0), (5.2, 4.6), (4.0, 4.6)], 1.1);
            brush.line(&[(12.4, 11.0), (10.0, 4.0), (11.8, 4.0)], 1.1);
        }
        DeviceIcon::Boat => {
            brush.fill(&[(1.2, 10.2), (14.8, 10.2), (12.4, 13.8), (3.6, 13.8)]);
            brush.fill(&[(7.4, 1.8), (7.4, 9.0), (2.8, 9.0)]);
            brush.fill(&[(8.8, 3.6), (12.6, 9.0), (8.8, 9.0)]);
        }
        DeviceIcon::Person => {
            brush.disc(8.0, 4.4, 2.8);
            brush.fill(&[(3.0, 14.4), (3.4, 10.6), (5.4, 8.6), (10.6, 8.6), (12.6, 10.6), (13.0, 14.4)]);
        }
        DeviceIcon::Pet => {
            brush.disc(3.4, 7.2, 1.7);
            brush.disc(6.4, 4.2, 1.7);
            brush.disc(9.8, 4.2, 1.7);
            brush.disc(12.7, 7.2, 1.7);
            brush.fill(&[(8.0, 7.2), (10.6, 9.0), (11.6, 11.6), (10.0, 13.2), (6.0, 13.2), (4.4, 11.6), (5.4, 9.0)]);
        }
        DeviceIcon::Trailer => {
            brush.bar((1.0, 4.4), (11.6, 10.6));
            brush.line(&[(11.6, 10.0), (15.2, 10.0), (15.2, 12.2)], 1.3);
            brush.disc(6.2, 11.6, 2.0);
        }
        DeviceIcon::Generic => {
            brush.fill(&[(8.0, 14.6), (4.2, 8.8), (11.8, 8.8)]);
            brush.disc(8.0, 6.2, 4.6);
        }
    }
}

/// Paints in units of a sixteenth of the picture.
struct Brush<'a> {
    painter: &'a Painter,
    origin: Pos2,
    unit: f32,
    color: Color32,
}

impl Brush<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.origin + vec2(x, y) * self.unit
    }

    fn points(&self, points: &[(f32, f32)]) -> Vec<Pos2> {
        points.iter().map(|p| self.at(*p)).collect()
    }

    /// A convex area.
    fn fill(&self, corners: &[(f32, f32)]) {
        self.painter.add(Shape::convex_polygon(self.points(corners), self.color, Stroke::NONE));
    }

    fn bar(&self, min: (f32, f32), max: (f32, f32)) {
        let rect = Rect::from_min_max(self.at(min), self.at(max));
        self.painter.rect_filled(rect, 1.4 * self.unit, self.color);
    }

    fn disc(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_filled(self.at((x, y)), radius * self.unit, self.color);
    }

    fn ring(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_stroke(self.at((x, y)), radius * self.unit, Stroke::new(1.2 * self.unit, self.color));
    }

    fn line(&self, points: &[(f32, f32)], width: f32) {
        self.painter.add(Shape::line(self.points(points), Stroke::new(width * self.unit, self.color)));
    }
}
