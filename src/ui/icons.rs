//! Icons, painted with lines: the built-in fonts have few, and a missing glyph is a box.

use egui::{Color32, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, pos2, vec2};

/// Side of an icon in text.
pub const SIZE: f32 = 14.0;

/// What can be painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Search,
    Close,
    Check,
    Warning,
    Info,
    Gear,
    Copy,
    Pencil,
    Plus,
    Sun,
    Moon,
    Monitor,
    Follow,
    Fit,
    Export,
    Send,
    Clock,
    Play,
    Stop,
    Pause,
    Left,
    Calendar,
    /// From here to there.
    Route,
    /// Time that is skipped.
    Skip,
    Phone,
    Tracker,
    Menu,
    /// A pane at this side.
    PaneLeft,
    PaneRight,
    PaneBottom,
    Up,
    Down,
    Right,
    /// Groups of devices.
    Tag,
    Table,
    Help,
    Folder,
    Globe,
    Lock,
    Pulse,
    Bell,
    Pin,
    Layers,
}

/// Takes room in a row and paints the icon there; it says nothing to a screen reader, so text has to stand beside it.
pub fn show(ui: &mut Ui, icon: Icon, colour: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(SIZE), Sense::hover());
    paint(ui.painter(), rect, icon, colour);
    response
}

/// Paints the icon into the middle of `rect`.
pub fn paint(painter: &Painter, rect: Rect, icon: Icon, colour: Color32) {
    // All icons are drawn in a square of 16 units.
    let side = rect.width().min(rect.height()).min(SIZE * 1.2);
    let origin = rect.center() - Vec2::splat(side / 2.0);
    let unit = side / 16.0;
    let pen = Pen { painter, origin, unit, stroke: Stroke::new(1.3, colour) };
    match icon {
        Icon::Search => {
            pen.ring(7.0, 7.0, 4.5);
            pen.line(&[(10.4, 10.4), (14.0, 14.0)]);
        }
        Icon::Close => {
            pen.line(&[(4.0, 4.0), (12.0, 12.0)]);
            pen.line(&[(12.0, 4.0), (4.0, 12.0)]);
        }
        Icon::Check => pen.line(&[(3.0, 8.5), (6.5, 12.0), (13.0, 4.5)]),
        Icon::Warning => {
            pen.closed(&[(8.0, 2.0), (14.5, 13.5), (1.5, 13.5)]);
            pen.line(&[(8.0, 6.5), (8.0, 9.8)]);
            pen.dot(8.0, 11.7, 0.9);
        }
        Icon::Info => {
            pen.ring(8.0, 8.0, 6.3);
            pen.line(&[(8.0, 7.4), (8.0, 11.5)]);
            pen.dot(8.0, 5.0, 0.9);
        }
        Icon::Help => {
            pen.ring(8.0, 8.0, 6.3);
            pen.line(&[(6.0, 6.6), (6.2, 5.4), (7.2, 4.6), (8.8, 4.6), (9.9, 5.6), (9.8, 6.8), (8.0, 8.2), (8.0, 9.4)]);
            pen.dot(8.0, 11.5, 0.9);
        }
        Icon::Gear => {
            pen.ring(8.0, 8.0, 2.2);
            let teeth: Vec<_> = (0..32u8)
                .map(|i| {
                    let angle = f32::from(i) / 32.0 * std::f32::consts::TAU;
                    let r = if i % 4 < 2 { 6.6 } else { 5.0 };
                    (8.0 + r * angle.cos(), 8.0 + r * angle.sin())
                })
                .collect();
            pen.closed(&teeth);
        }
        Icon::Copy => {
            pen.closed(&[(6.0, 5.5), (13.0, 5.5), (13.0, 13.5), (6.0, 13.5)]);
            pen.line(&[(10.5, 3.0), (3.5, 3.0), (3.5, 11.0)]);
        }
        Icon::Pencil => {
            pen.closed(&[(3.0, 13.0), (3.8, 9.8), (10.8, 2.8), (13.2, 5.2), (6.2, 12.2)]);
            pen.line(&[(9.2, 4.4), (11.6, 6.8)]);
        }
        Icon::Plus => {
            pen.line(&[(8.0, 3.0), (8.0, 13.0)]);
            pen.line(&[(3.0, 8.0), (13.0, 8.0)]);
        }
        Icon::Sun => {
            pen.ring(8.0, 8.0, 3.0);
            for i in 0..8u8 {
                let angle = f32::from(i) / 8.0 * std::f32::consts::TAU;
                let (c, s) = (angle.cos(), angle.sin());
                pen.line(&[(8.0 + 5.0 * c, 8.0 + 5.0 * s), (8.0 + 6.8 * c, 8.0 + 6.8 * s)]);
            }
        }
        Icon::Moon => {
            let mut outline = Vec::new();
            for i in 0..=20u8 {
                let angle = 0.9 + f32::from(i) / 20.0 * 4.4;
                outline.push((8.0 + 5.8 * angle.cos(), 8.0 + 5.8 * angle.sin()));
            }
            for i in 0..=14u8 {
                let angle = 5.0 - f32::from(i) / 14.0 * 3.85;
                outline.push((10.6 + 4.2 * angle.cos(), 7.0 + 4.2 * angle.sin()));
            }
            pen.closed(&outline);
        }
        Icon::Monitor => {
            pen.closed(&[(2.0, 3.0), (14.0, 3.0), (14.0, 11.0), (2.0, 11.0)]);
            pen.line(&[(5.5, 13.8), (10.5, 13.8)]);
            pen.line(&[(8.0, 11.0), (8.0, 13.8)]);
        }
        Icon::Follow => {
            pen.ring(8.0, 8.0, 4.6);
            pen.dot(8.0, 8.0, 1.5);
            for (dx, dy) in [(0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0)] {
                pen.line(&[(8.0 + 4.6 * dx, 8.0 + 4.6 * dy), (8.0 + 7.0 * dx, 8.0 + 7.0 * dy)]);
            }
        }
        Icon::Fit => {
            for (x, y, dx, dy) in
                [(2.5, 2.5, 1.0, 1.0), (13.5, 2.5, -1.0, 1.0), (2.5, 13.5, 1.0, -1.0), (13.5, 13.5, -1.0, -1.0)]
            {
                pen.line(&[(x + 3.5 * dx, y), (x, y), (x, y + 3.5 * dy)]);
            }
            pen.dot(8.0, 8.0, 1.5);
        }
        Icon::Export => {
            pen.line(&[(8.0, 10.0), (8.0, 2.5)]);
            pen.line(&[(5.0, 5.5), (8.0, 2.5), (11.0, 5.5)]);
            pen.line(&[(3.0, 9.5), (3.0, 13.5), (13.0, 13.5), (13.0, 9.5)]);
        }
        Icon::Send => {
            pen.closed(&[(2.0, 2.8), (14.0, 8.0), (2.0, 13.2), (4.2, 8.0)]);
            pen.line(&[(4.2, 8.0), (9.0, 8.0)]);
        }
        Icon::Clock => {
            pen.ring(8.0, 8.0, 6.3);
            pen.line(&[(8.0, 4.2), (8.0, 8.0), (10.8, 9.8)]);
        }
        Icon::Play => pen.filled(&[(4.5, 3.0), (13.0, 8.0), (4.5, 13.0)]),
        Icon::Stop => pen.filled(&[(4.0, 4.0), (12.0, 4.0), (12.0, 12.0), (4.0, 12.0)]),
        Icon::Pause => {
            pen.filled(&[(4.0, 3.0), (6.8, 3.0), (6.8, 13.0), (4.0, 13.0)]);
            pen.filled(&[(9.2, 3.0), (12.0, 3.0), (12.0, 13.0), (9.2, 13.0)]);
        }
        Icon::Left => pen.line(&[(10.0, 4.0), (6.0, 8.0), (10.0, 12.0)]),
        Icon::Calendar => {
            pen.closed(&[(2.0, 3.5), (14.0, 3.5), (14.0, 14.0), (2.0, 14.0)]);
            pen.line(&[(2.0, 6.8), (14.0, 6.8)]);
            pen.line(&[(5.0, 1.8), (5.0, 4.6)]);
            pen.line(&[(11.0, 1.8), (11.0, 4.6)]);
        }
        Icon::Route => {
            pen.ring(3.5, 12.2, 1.9);
            pen.ring(12.5, 3.8, 1.9);
            pen.line(&[
                (5.4, 12.2),
                (10.5, 12.2),
                (11.8, 11.0),
                (11.8, 9.2),
                (10.5, 8.0),
                (5.5, 8.0),
                (4.2, 6.8),
                (4.2, 5.0),
                (5.5, 3.8),
                (10.6, 3.8),
            ]);
        }
        Icon::Skip => {
            pen.line(&[(2.5, 3.5), (7.0, 8.0), (2.5, 12.5)]);
            pen.line(&[(7.0, 3.5), (11.5, 8.0), (7.0, 12.5)]);
            pen.line(&[(13.5, 3.5), (13.5, 12.5)]);
        }
        Icon::Phone => {
            pen.closed(&[(4.5, 1.5), (11.5, 1.5), (11.5, 14.5), (4.5, 14.5)]);
            pen.line(&[(7.0, 12.3), (9.0, 12.3)]);
        }
        Icon::Tracker => {
            pen.closed(&[(2.0, 6.0), (14.0, 6.0), (14.0, 13.0), (2.0, 13.0)]);
            pen.line(&[(5.0, 6.0), (5.0, 2.0)]);
            pen.dot(11.0, 9.5, 1.2);
            pen.line(&[(5.0, 9.5), (8.0, 9.5)]);
        }
        Icon::Menu => {
            for y in [4.5, 8.0, 11.5] {
                pen.line(&[(2.5, y), (13.5, y)]);
            }
        }
        Icon::PaneLeft => pen.pane(&[(2.0, 3.0), (6.0, 3.0), (6.0, 13.0), (2.0, 13.0)]),
        Icon::PaneRight => pen.pane(&[(10.0, 3.0), (14.0, 3.0), (14.0, 13.0), (10.0, 13.0)]),
        Icon::PaneBottom => pen.pane(&[(2.0, 9.0), (14.0, 9.0), (14.0, 13.0), (2.0, 13.0)]),
        Icon::Up => pen.line(&[(4.0, 10.0), (8.0, 6.0), (12.0, 10.0)]),
        Icon::Down => pen.line(&[(4.0, 6.0), (8.0, 10.0), (12.0, 6.0)]),
        Icon::Tag => {
            pen.closed(&[(2.5, 2.5), (8.5, 2.5), (14.0, 8.0), (8.0, 14.0), (2.5, 8.5)]);
            pen.dot(5.6, 5.6, 1.2);
        }
        Icon::Table => {
            pen.closed(&[(2.0, 3.0), (14.0, 3.0), (14.0, 13.0), (2.0, 13.0)]);
            pen.line(&[(2.0, 6.3), (14.0, 6.3)]);
            pen.line(&[(2.0, 9.7), (14.0, 9.7)]);
            pen.line(&[(6.5, 3.0), (6.5, 13.0)]);
        }
        Icon::Right => pen.line(&[(6.0, 4.0), (10.0, 8.0), (6.0, 12.0)]),
        Icon::Folder => pen.closed(&[(1.8, 3.5), (6.0, 3.5), (7.5, 5.2), (14.2, 5.2), (14.2, 12.8), (1.8, 12.8)]),
        Icon::Globe => {
            pen.ring(8.0, 8.0, 6.3);
            pen.line(&[(1.7, 8.0), (14.3, 8.0)]);
            let meridian = |sign: f32| -> Vec<_> {
                (0..=12u8)
                    .map(|i| {
                        let angle = f32::from(i) / 12.0 * std::f32::consts::PI;
                        (8.0 + sign * 2.8 * angle.sin(), 8.0 - 6.3 * angle.cos())
                    })
                    .collect()
            };
            pen.line(&meridian(1.0));
            pen.line(&meridian(-1.0));
        }
        Icon::Pulse => {
            pen.line(&[(1.5, 8.5), (4.5, 8.5), (6.5, 3.5), (9.5, 13.0), (11.5, 8.5), (14.5, 8.5)]);
        }
        Icon::Bell => {
            pen.line(&[
                (2.5, 12.0),
                (4.0, 10.2),
                (4.2, 6.8),
                (5.6, 4.2),
                (8.0, 3.2),
                (10.4, 4.2),
                (11.8, 6.8),
                (12.0, 10.2),
            ]);
            pen.line(&[(12.0, 10.2), (13.5, 12.0), (2.5, 12.0)]);
            pen.line(&[(6.6, 14.0), (9.4, 14.0)]);
        }
        Icon::Pin => {
            pen.ring(8.0, 6.2, 1.7);
            pen.closed(&[
                (8.0, 14.5),
                (4.2, 8.8),
                (3.4, 6.2),
                (4.6, 3.2),
                (8.0, 1.6),
                (11.4, 3.2),
                (12.6, 6.2),
                (11.8, 8.8),
            ]);
        }
        Icon::Layers => {
            pen.closed(&[(8.0, 2.5), (14.5, 6.0), (8.0, 9.5), (1.5, 6.0)]);
            pen.line(&[(1.5, 9.5), (8.0, 13.0), (14.5, 9.5)]);
        }
        Icon::Lock => {
            pen.closed(&[(3.5, 7.5), (12.5, 7.5), (12.5, 13.5), (3.5, 13.5)]);
            pen.line(&[(5.3, 7.5), (5.3, 5.0), (6.5, 3.2), (8.0, 2.6), (9.5, 3.2), (10.7, 5.0), (10.7, 7.5)]);
        }
    }
}

/// Draws in units of a sixteenth of the icon.
struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    unit: f32,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.origin + vec2(x, y) * self.unit
    }

    fn points(&self, points: &[(f32, f32)]) -> Vec<Pos2> {
        points.iter().map(|&(x, y)| self.at(x, y)).collect()
    }

    fn line(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::line(self.points(points), self.stroke));
    }

    fn closed(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::closed_line(self.points(points), self.stroke));
    }

    fn filled(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::convex_polygon(self.points(points), self.stroke.color, Stroke::NONE));
    }

    fn ring(&self, x: f32, y: f32, r: f32) {
        self.painter.circle_stroke(self.at(x, y), r * self.unit, self.stroke);
    }

    fn dot(&self, x: f32, y: f32, r: f32) {
        self.painter.circle_filled(self.at(x, y), r * self.unit, self.stroke.color);
    }

    fn pane(&self, part: &[(f32, f32)]) {
        self.closed(&[(2.0, 3.0), (14.0, 3.0), (14.0, 13.0), (2.0, 13.0)]);
        self.filled(part);
    }
}

/// The square that an icon takes beside text.
pub fn square(center: Pos2) -> Rect {
    Rect::from_center_size(pos2(center.x, center.y), Vec2::splat(SIZE))
}
