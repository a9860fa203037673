//! Which names of the embedded map a frame shows, and where: not cut by the map's edges, not under buttons, not where an online
//! map has names of its own, and clear of markers and their labels, if need be a little above or below their place.

use egui::{FontId, Pos2, Rect, Vec2, text::LayoutJob};
use walkers::{Text, TileId};

use super::{camera::Screen, icons, labels::Room};
use crate::geo::mercator::World;

/// Room around a name, in points.
const AIR: f32 = 2.0;

/// The room of one frame.
pub(super) struct Names {
    ctx: egui::Context,
    screen: Screen,
    /// What hides a name.
    hidden: Vec<Rect>,
    /// What a name makes room for, too.
    room: Room,
}

impl Names {
    /// `room` has all markers and labels in it; where something is in `hidden`, there are no names.
    pub(super) fn new(ctx: egui::Context, screen: Screen, hidden: Vec<Rect>, room: Room) -> Self {
        Self { ctx, screen, hidden, room }
    }

    /// Where a name of a tile goes, in the tile's own points, of which `side` are along its side; `None` is nowhere.
    pub(super) fn place(&self, text: &Text, tile: TileId, side: f32) -> Option<Pos2> {
        let units = (-f64::from(tile.zoom)).exp2() / f64::from(side);
        let world = |tile: u32, at: f32| (f64::from(tile) * f64::from(side) + f64::from(at)) * units;
        let middle = self.screen.pos(World { x: world(tile.x, text.position.x), y: world(tile.y, text.position.y) });
        let area = Rect::from_center_size(middle, self.size(text) + Vec2::splat(2.0 * AIR));
        if !self.allowed(area) {
            return None;
        }
        let far = area.height() / 2.0 + icons::RADIUS;
        let shifts = [0.0, -far / 2.0, far / 2.0, -far, far].map(|y| Vec2::new(0.0, y));
        let free = |shift: &Vec2| {
            let area = area.translate(*shift);
            self.room.is_free(area) && self.allowed(area)
        };
        let shift = shifts.into_iter().find(free)?;
        let units_per_point = self.screen.units(1.0);
        Some(text.position + shift * super::camera::points(units_per_point / units))
    }

    fn allowed(&self, area: Rect) -> bool {
        self.screen.rect.contains_rect(area) && !self.hidden.iter().any(|h| h.intersects(area))
    }

    /// Laid out as the widget does it, so that it is done once for both.
    fn size(&self, text: &Text) -> Vec2 {
        let mut job = LayoutJob::default();
        let format = egui::TextFormat {
            font_id: FontId::proportional(text.font_size),
            color: text.text_color,
            ..egui::TextFormat::default()
        };
        job.append(&text.text, 0.0, format);
        self.ctx.fonts_mut(|fonts| fonts.layout_job(job)).size()
    }
}
