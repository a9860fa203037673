//! How the dock shares its width between list, tree and bytes.
//!
//! The user's own shares are kept as shares: a window that becomes smaller, or is opened smaller than it was closed, has
//! all three in proportion, and the list never gets less than half. Where there is no room for three side by side, tree and bytes stand one above
//! the other.

use egui::{Id, Rangef, Ui, Vec2};

/// A narrower tree shows nothing of use.
const LEAST: f32 = 200.0;
/// Eight bytes a row need so much.
const LEAST_BYTES: f32 = 224.0;

/// The list needs so much beside both.
const LEAST_LIST: f32 = 320.0;
/// One above the other they need so much.
const LEAST_HEIGHT: f32 = 300.0;

/// The sizes of tree and bytes one above the other, where they stand so: how wide both are, and how high the bytes below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stack {
    pub width: Rangef,
    pub width_default: f32,
    pub below: Rangef,
    pub below_default: f32,
}

impl Stack {
    /// For the room that is there; `None` where they stand side by side.
    pub fn fit(room: Vec2) -> Option<Self> {
        let narrow = room.x < LEAST_LIST + LEAST + LEAST_BYTES && room.y >= LEAST_HEIGHT;
        narrow.then(|| Self {
            width: Rangef::new(LEAST_BYTES, (room.x * 0.5).max(LEAST_BYTES)),
            width_default: (room.x * 0.45).max(LEAST_BYTES),
            below: Rangef::new(80.0, room.y - 140.0),
            below_default: room.y * 0.4,
        })
    }
}

/// The shares of the last frame, as they are kept between runs.
#[derive(Clone, Copy)]
struct Kept {
    width: f32,
    tree: f32,
    bytes: f32,
}

/// The range for each pane in this frame; a single size where it is to be set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    width: f32,
    pub tree: Rangef,
    pub bytes: Rangef,
    pub tree_default: f32,
    pub bytes_default: f32,
}

impl Split {
    /// For the width that is there.
    pub fn fit(ui: &Ui) -> Self {
        let width = ui.available_width();
        let data = |n: &str| Id::unique(("dock split", n));
        let kept = ui.ctx().data_mut(|d| {
            let mut read = |n| d.get_persisted::<f32>(data(n));
            Some(Kept { width: read("width")?, tree: read("tree")?, bytes: read("bytes")? })
        });
        Self::of(width, kept)
    }

    fn of(width: f32, kept: Option<Kept>) -> Self {
        let (tree_default, bytes_default) =
            ((width * 0.24).clamp(236.0, 420.0), (width * 0.21).clamp(LEAST_BYTES, 420.0));
        // Half for the list, whatever else is wanted.
        let others = (width * 0.5).max(LEAST + LEAST_BYTES);
        let same = kept.is_some_and(|kept| (kept.width - width).abs() < 1.0);
        if let Some(kept) = kept.filter(|_| same) {
            let range = |least: f32, other: f32| Rangef::new(least, (others - other).max(least));
            let (tree, bytes) = (range(LEAST, kept.bytes), range(LEAST_BYTES, kept.tree));
            return Self { width, tree, bytes, tree_default, bytes_default };
        }
        let (tree, bytes) = kept.filter(|kept| kept.width > LEAST).map_or((tree_default, bytes_default), |kept| {
            (kept.tree / kept.width * width, kept.bytes / kept.width * width)
        });
        let too_much = (others / (tree + bytes)).min(1.0);
        let bytes = (bytes * too_much).clamp(LEAST_BYTES, others - LEAST);
        let tree = (tree * too_much).clamp(LEAST, others - bytes);
        Self { width, tree: Rangef::point(tree), bytes: Rangef::point(bytes), tree_default, bytes_default }
    }

    /// Takes note of what the panes got.
    pub fn keep(self, ui: &Ui, tree: f32, bytes: f32) {
        ui.ctx().data_mut(|d| {
            for (n, size) in [("width", self.width), ("tree", tree), ("bytes", bytes)] {
                d.insert_persisted(Id::unique(("dock split", n)), size);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(width: f32, kept: Option<Kept>) -> [String; 3] {
        let split = Split::of(width, kept);
        let [tree, bytes] = [split.tree, split.bytes].map(|range| {
            assert!(range.span() < 0.1, "it is set");
            range.min
        });
        [width - tree - bytes, tree, bytes].map(|size| format!("{size:.0}"))
    }

    #[test]
    fn the_list_has_half_at_least() {
        assert_eq!(sizes(1440.0, None), ["792", "346", "302"]);
        assert_eq!(sizes(1024.0, None), ["554", "246", "224"]);
        let wide = Kept { width: 1440.0, tree: 500.0, bytes: 220.0 };
        assert_eq!(sizes(1024.0, Some(wide)), ["512", "288", "224"]);
    }

    #[test]
    fn without_room_for_three_two_stand_one_above_the_other() {
        let width = |x, y| Stack::fit(egui::vec2(x, y)).map(|stack| stack.width_default);
        assert_eq!(width(484.0, 600.0), Some(LEAST_BYTES));
        assert_eq!(width(700.0, 600.0), Some(315.0));
        assert_eq!((width(484.0, 180.0), width(760.0, 600.0)), (None, None));
    }

    #[test]
    fn a_window_that_was_small_for_a_while_gets_its_split_back() {
        let kept = Kept { width: 1440.0, tree: 400.0, bytes: 300.0 };
        let wide = Split::of(1600.0, Some(kept));
        let back = Kept { width: 1600.0, tree: wide.tree.min, bytes: wide.bytes.min };
        assert_eq!(sizes(1440.0, Some(back)), ["740", "400", "300"]);
    }

    #[test]
    fn the_user_may_drag_within_what_the_list_leaves() {
        let split = Split::of(1440.0, Some(Kept { width: 1440.0, tree: 400.0, bytes: 300.0 }));
        assert_eq!(format!("{} {}", split.tree.max, split.bytes.max), "420 320");
    }
}
