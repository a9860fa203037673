//! Places labels beside markers: the most important first, each at the first of four sides where it covers nothing; else further off, with a
//! line that leads to it, or not at all.

use egui::{Pos2, Rect, Vec2, vec2};

/// Side of a square of the index, in points.
const SQUARE: f32 = 64.0;

/// Room between a marker's middle and its label, in points.
const GAP: f32 = 12.0;

/// How far off a label may be that has no room beside its marker, in points.
pub(super) const AWAY: [f32; 3] = [26.0, 42.0, 60.0];

/// A line is taken in steps of this length, each of them so wide, in points.
const STEP: f32 = 10.0;
const LINE: f32 = 5.0;

/// Steps that are taken at most; a line that is longer leaves little room anyway.
const MOST_STEPS: usize = 600;

/// What is taken of the screen.
#[derive(Clone)]
pub(super) struct Room {
    rect: Rect,
    columns: usize,
    rows: usize,
    taken: Vec<Rect>,
    /// For each square, which of `taken` reach into it.
    squares: Vec<Vec<u32>>,
}

impl Room {
    /// All of `rect` is free.
    pub(super) fn new(rect: Rect) -> Self {
        let columns = squares(rect.width()) + 1;
        let rows = squares(rect.height()) + 1;
        Self { rect, columns, rows, taken: Vec::new(), squares: vec![Vec::new(); columns * rows] }
    }

    /// Takes an area without asking.
    pub(super) fn take(&mut self, area: Rect) {
        let Ok(number) = u32::try_from(self.taken.len()) else { return };
        self.taken.push(area);
        for square in self.squares_of(area) {
            self.squares[square].push(number);
        }
    }

    /// Finds and takes the room for a label of `size` beside `marker`: to the right, the left, above, below.
    pub(super) fn beside(&mut self, marker: Pos2, size: Vec2) -> Option<Rect> {
        let free = sides(marker, size).find(|place| self.is_free(*place))?;
        self.take(free);
        Some(free)
    }

    /// As [`Room::beside`], whatever is there already, as long as it is on the screen.
    pub(super) fn beside_at_all(&mut self, marker: Pos2, size: Vec2) -> Option<Rect> {
        let place = sides(marker, size).find(|place| self.rect.contains_rect(*place))?;
        self.take(place);
        Some(place)
    }

    /// Finds and takes room for a label of `size` at the first of these distances from `marker`, in one of eight directions.
    pub(super) fn away(&mut self, marker: Pos2, size: Vec2, rings: &[f32]) -> Option<Rect> {
        const SLANT: f32 = std::f32::consts::FRAC_1_SQRT_2;
        let sides = [
            (1.0, 0.0),
            (SLANT, -SLANT),
            (SLANT, SLANT),
            (-1.0, 0.0),
            (-SLANT, -SLANT),
            (-SLANT, SLANT),
            (0.0, -1.0),
            (0.0, 1.0),
        ];
        let mut places = rings.iter().flat_map(|far| {
            sides.map(|(x, y)| {
                let offset = vec2(x * (far + size.x / 2.0), y * (far + size.y / 2.0));
                Rect::from_center_size(marker + offset, size)
            })
        });
        let free = places.find(|place| self.is_free(*place))?;
        self.take(free);
        Some(free)
    }

    /// Takes what the parts of a line cover that are in view, so that no label hides it.
    pub(super) fn take_line(&mut self, parts: impl IntoIterator<Item = [Pos2; 2]>) {
        let mut left = MOST_STEPS;
        // How far along the line the next step is, however short its parts are.
        let mut next = 0.0;
        for [from, to] in parts {
            let (length, along) = (from.distance(to), (to - from).normalized());
            while next <= length {
                if left == 0 {
                    return;
                }
                left -= 1;
                self.take(Rect::from_center_size(from + along * next, Vec2::splat(LINE)));
                next += STEP;
            }
            next -= length;
        }
    }

    /// How many squares the index has.
    pub(super) fn squares(&self) -> usize {
        self.squares.len()
    }

    /// The square that a place on the screen is in.
    pub(super) fn square_of(&self, pos: Pos2) -> Option<usize> {
        self.rect.contains(pos).then(|| self.squares_of(Rect::from_min_max(pos, pos)).next())?
    }

    /// Nothing is there, and it is on the screen.
    pub(super) fn is_free(&self, area: Rect) -> bool {
        self.rect.contains_rect(area)
            && self.squares_of(area).all(|s| self.squares[s].iter().all(|n| !self.taken[*n as usize].intersects(area)))
    }

    fn squares_of(&self, area: Rect) -> impl Iterator<Item = usize> + use<> {
        let (min, max) = (area.min - self.rect.min, area.max - self.rect.min);
        let (last_column, last_row) = (self.columns - 1, self.rows - 1);
        let width = self.columns;
        let (left, right) = (squares(min.x).min(last_column), squares(max.x).min(last_column));
        let (top, bottom) = (squares(min.y).min(last_row), squares(max.y).min(last_row));
        (top..=bottom).flat_map(move |row| (left..=right).map(move |column| row * width + column))
    }
}

/// The places of a label beside a marker, the best first.
fn sides(marker: Pos2, size: Vec2) -> impl Iterator<Item = Rect> {
    let (half_width, half_height) = (size.x / 2.0, size.y / 2.0);
    let anchors = [
        vec2(GAP + half_width, 0.0),
        vec2(-GAP - half_width, 0.0),
        vec2(0.0, -GAP - half_height),
        vec2(0.0, GAP + half_height),
    ];
    anchors.into_iter().map(move |offset| Rect::from_center_size(marker + offset, size))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates; what is off the screen is clamped"
)]
fn squares(points: f32) -> usize {
    (points / SQUARE) as usize
}

#[cfg(test)]
mod tests {
    use egui::pos2;
    use proptest::prelude::*;

    use super::*;

    const SCREEN: Rect = Rect { min: pos2(200.0, 40.0), max: pos2(900.0, 640.0) };

    #[test]
    fn a_label_goes_where_there_is_room() {
        let mut room = Room::new(SCREEN);
        let size = vec2(60.0, 16.0);
        let middle = pos2(500.0, 300.0);
        let places: Vec<Option<Rect>> = (0..5).map(|_| room.beside(middle, size)).collect();
        let offset = |n: usize| places[n].map(|p| p.center() - middle);
        assert_eq!(offset(0), Some(vec2(42.0, 0.0)));
        assert_eq!(offset(1), Some(vec2(-42.0, 0.0)));
        assert_eq!(offset(2), Some(vec2(0.0, -20.0)));
        assert_eq!(offset(3), Some(vec2(0.0, 20.0)));
        assert_eq!(places[4], None);
        // At the right edge there is no room to the right.
        let edge = room.beside(pos2(895.0, 100.0), size).unwrap();
        assert!(edge.max.x < 895.0);
    }

    #[test]
    fn a_label_without_room_goes_further_off() {
        let mut room = Room::new(SCREEN);
        let (middle, size) = (pos2(500.0, 300.0), vec2(60.0, 16.0));
        while room.beside(middle, size).is_some() {}
        let off = room.away(middle, size, &AWAY).unwrap();
        assert!(off.distance_to_pos(middle) >= AWAY[0], "{off:?}");
        assert!(room.away(middle, size, &AWAY).is_some_and(|next| !next.intersects(off)));
        room.take(SCREEN);
        assert_eq!(room.away(middle, size, &AWAY), None);
        // What must be said covers something rather than nothing; beyond the edge nobody would read it.
        assert_eq!(room.beside_at_all(middle, size).map(|place| place.center() - middle), Some(vec2(42.0, 0.0)));
        assert_eq!(room.beside_at_all(SCREEN.max, vec2(800.0, 16.0)), None);
        assert_eq!((room.square_of(pos2(0.0, 0.0)), room.square_of(SCREEN.min)), (None, Some(0)));
    }

    #[test]
    fn a_label_goes_where_it_hides_no_line() {
        let middle = pos2(500.0, 300.0);
        let size = vec2(60.0, 16.0);
        let mut room = Room::new(SCREEN);
        // To the right, in parts shorter than a step.
        let at = |n: u8| pos2(500.0 + f32::from(n), 300.0);
        room.take_line((0..200).map(|n| [at(n), at(n + 1)]));
        assert_eq!(room.beside(middle, size).map(|place| place.center() - middle), Some(vec2(-42.0, 0.0)));
        // Down, in one.
        room.take_line([[middle, pos2(500.0, 640.0)]]);
        assert_eq!(room.beside(middle, size).map(|place| place.center() - middle), Some(vec2(0.0, -20.0)));
        assert!(!room.is_free(Rect::from_center_size(pos2(500.0, 600.0), size)));
        assert!(room.is_free(Rect::from_center_size(pos2(600.0, 600.0), size)));
    }

    proptest! {
        #[test]
        fn labels_never_overlap(markers in prop::collection::vec((150f32..950.0, 0f32..700.0, 20f32..200.0), 1..200)) {
            let mut room = Room::new(SCREEN);
            let placed: Vec<Rect> = markers.iter().filter_map(|(x, y, w)| {
                let (marker, size) = (pos2(*x, *y), vec2(*w, 16.0));
                room.beside(marker, size).or_else(|| room.away(marker, size, &AWAY))
            }).collect();
            for (n, a) in placed.iter().enumerate() {
                prop_assert!(SCREEN.contains_rect(*a));
                prop_assert!(placed[..n].iter().all(|b| !a.intersects(*b)), "{:?}", a);
            }
        }
    }
}
