//! Names that found no room: how many there are in a dense spot, as a number that can be clicked.

use std::sync::Arc;

use egui::{Color32, FontId, Galley, Pos2, Rect, Vec2, vec2};

use super::labels::Room;
use crate::{
    geo::mercator::{World, WorldBox},
    ui::format,
};

/// Fewer names than this are not worth a number.
const LEAST: usize = 2;

/// Numbers on the map at most, those for most devices first.
const MOST: usize = 24;

/// How far from the middle of the devices the number may be: outside of the names that found room, in points.
const RINGS: [f32; 6] = [18.0, 34.0, 50.0, 66.0, 82.0, 98.0];

const SIZE: f32 = 11.0;
const PADDING: Vec2 = vec2(4.0, 1.0);

/// "+12" beside devices whose names found no room.
pub(super) struct More {
    pub(super) place: Rect,
    /// The box around the devices.
    pub(super) bounds: WorldBox,
    pub(super) count: usize,
    galley: Arc<Galley>,
}

/// Devices without names, counted in the squares of a [`Room`].
pub(super) struct Nameless {
    squares: Vec<Square>,
}

#[derive(Clone)]
struct Square {
    count: usize,
    /// The sum of their places on the screen.
    sum: Vec2,
    bounds: WorldBox,
}

impl Nameless {
    pub(super) fn new(room: &Room) -> Self {
        Self { squares: vec![Square { count: 0, sum: Vec2::ZERO, bounds: WorldBox::EMPTY }; room.squares()] }
    }

    /// One more, whose marker is at `pos`.
    pub(super) fn add(&mut self, room: &Room, pos: Pos2, place: World) {
        if let Some(square) = room.square_of(pos).and_then(|n| self.squares.get_mut(n)) {
            square.count += 1;
            square.sum += pos.to_vec2();
            square.bounds.extend(place);
        }
    }

    /// Finds room for the numbers.
    pub(super) fn told(mut self, ui: &egui::Ui, room: &mut Room) -> Vec<More> {
        self.squares.retain(|square| square.count >= LEAST);
        self.squares.sort_by_key(|square| std::cmp::Reverse(square.count));
        let color = ui.visuals().text_color();
        let more = self.squares.into_iter().take(MOST).filter_map(|Square { count, sum, bounds }| {
            let galley = ui.painter().layout_no_wrap(format!("+{count}"), FontId::proportional(SIZE), color);
            let size = galley.size() + 2.0 * PADDING;
            let place = room.away((sum / share(count)).to_pos2(), size, &RINGS)?;
            Some(More { place, bounds, count, galley })
        });
        more.collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "devices on a screen")]
fn share(count: usize) -> f32 {
    count as f32
}

impl More {
    /// For those who cannot see it.
    pub(super) fn name(&self) -> String {
        format::counted(self.count as u64, "more device here", "more devices here")
    }

    pub(super) fn paint(self, painter: &egui::Painter, backdrop: Color32, color: Color32) {
        painter.rect_filled(self.place, self.place.height() / 2.0, backdrop);
        painter.galley(self.place.min + PADDING, self.galley, color);
    }
}
