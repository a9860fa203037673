//! Where the packet list stands while rows come and go.
//!
//! It sticks to the end while it is at the end, but never under the pointer: then the rows stay and news is counted.
//! It stays, too, while the user looks at a row of it. Elsewhere the top row stays where it is, known by its identity, whatever is added or dropped above and below.

use super::{
    listing::Listing,
    rows::{points, whole},
};
use crate::model::PacketId;

/// Offsets that differ by less are the same place.
const SAME: f32 = 0.5;

/// Where a list of rows of equal height stands.
#[derive(Debug, Default)]
pub struct Anchor {
    /// The user left the end, or looks at a row that is to stay.
    standing_still: bool,
    /// The first visible row, and how much of it is hidden above.
    top: Option<(PacketId, f32)>,
    /// Points above the view after the last frame.
    offset: f32,
    /// Where this frame was meant to stand; anything else is the user's doing.
    meant: f32,
    /// The newest row that could be seen.
    seen: Option<PacketId>,
    jump: Option<Jump>,
}

#[derive(Debug, Clone, Copy)]
enum Jump {
    End,
    Show(PacketId),
}

/// The measures of a list, in points.
#[derive(Debug, Clone, Copy)]
pub struct Measures {
    pub row_height: f32,
    pub view_height: f32,
}

impl Anchor {
    /// Goes to the end and sticks to it.
    pub fn to_end(&mut self) {
        self.jump = Some(Jump::End);
    }

    /// Brings this row into view, moving as little as possible.
    pub fn show(&mut self, id: PacketId) {
        self.jump = Some(Jump::Show(id));
    }

    /// Keeps the rows where they are, at the end, too, until the user goes to the end.
    pub fn hold(&mut self) {
        self.standing_still = true;
    }

    /// Where to scroll to this frame; `None` where the list stands right.
    pub fn before(&mut self, listing: &Listing<'_>, measures: Measures, pointer_over: bool) -> Option<f32> {
        let end = end(listing, measures);
        self.meant = match self.jump.take() {
            Some(Jump::End) => {
                self.standing_still = false;
                end
            }
            Some(Jump::Show(id)) => {
                let standing = self.standing(listing, measures);
                let shown = listing.position(id).map_or(standing, |index| {
                    let top = points(index) * measures.row_height;
                    standing.max(top + measures.row_height - measures.view_height).min(top)
                });
                self.standing_still = true;
                shown
            }
            None if self.standing_still || pointer_over => self.standing(listing, measures),
            None => end,
        }
        .clamp(0.0, end);
        ((self.meant - self.offset).abs() > SAME / 2.0).then_some(self.meant)
    }

    /// Takes note of where the list stands after this frame.
    pub fn after(&mut self, listing: &Listing<'_>, measures: Measures, offset: f32) {
        let end = end(listing, measures);
        if (offset - self.meant).abs() > SAME {
            self.standing_still = offset < end - SAME;
        }
        self.offset = offset;
        let index = whole(offset / measures.row_height);
        self.top = listing.id(index).map(|id| (id, offset - points(index) * measures.row_height));
        if offset >= end - SAME {
            self.seen = self.seen.max(listing.last());
        }
    }

    /// How many rows came below the view since its end was last seen.
    pub fn news(&self, listing: &Listing<'_>) -> usize {
        self.seen.map_or(0, |PacketId(seen)| listing.len() - listing.at_or_after(PacketId(seen + 1)))
    }

    /// True while the list does not go with what arrives.
    pub fn stands_still(&self) -> bool {
        self.standing_still
    }

    /// Points above the view.
    pub fn offset(&self) -> f32 {
        self.offset
    }

    /// The newest row that could be seen.
    pub fn seen(&self) -> Option<PacketId> {
        self.seen
    }

    /// The offset at which the top row has not moved.
    fn standing(&self, listing: &Listing<'_>, measures: Measures) -> f32 {
        self.top.map_or(self.offset, |(id, hidden)| {
            let index = listing.at_or_after(id);
            let hidden = if listing.id(index) == Some(id) { hidden } else { 0.0 };
            points(index) * measures.row_height + hidden
        })
    }
}

fn end(listing: &Listing<'_>, measures: Measures) -> f32 {
    (points(listing.len()) * measures.row_height - measures.view_height).max(0.0)
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, ops::Range, sync::Arc};

    use super::*;
    use crate::model::{Direction, PacketRow, Protocol, Verdict};

    const MEASURES: Measures = Measures { row_height: 20.0, view_height: 100.0 };

    fn rows(ids: Range<i64>) -> VecDeque<PacketRow> {
        ids.map(|id| PacketRow {
            id: PacketId(id),
            received: jiff::Timestamp::UNIX_EPOCH,
            protocol: Protocol::Gt06,
            direction: Direction::In,
            peer: "".into(),
            connection: 1,
            device: None,
            kind: "".into(),
            verdict: Verdict::Ok,
            bytes: Arc::from([]),
            context: None,
            answers: None,
        })
        .collect()
    }

    /// One frame: where the list ends up, the user having scrolled by `wheel`.
    fn frame(anchor: &mut Anchor, rows: &VecDeque<PacketRow>, over: bool, wheel: f32) -> f32 {
        let listing = Listing::all(rows);
        let offset = anchor.before(&listing, MEASURES, over).unwrap_or(anchor.offset);
        let offset = (offset + wheel).clamp(0.0, end(&listing, MEASURES));
        anchor.after(&listing, MEASURES, offset);
        offset
    }

    #[test]
    fn it_sticks_to_the_end_until_the_user_leaves_it_and_again_when_he_returns() {
        let mut anchor = Anchor::default();
        assert!((frame(&mut anchor, &rows(0..50), false, 0.0) - 900.0).abs() < 0.1);
        assert!((frame(&mut anchor, &rows(0..60), false, 0.0) - 1100.0).abs() < 0.1);
        frame(&mut anchor, &rows(0..60), true, -30.0);
        assert!((frame(&mut anchor, &rows(0..94), false, 0.0) - 1070.0).abs() < 0.1);
        assert_eq!(anchor.news(&Listing::all(&rows(0..94))), 34);
        frame(&mut anchor, &rows(0..94), true, 10_000.0);
        assert_eq!(anchor.news(&Listing::all(&rows(0..94))), 0);
        assert!((frame(&mut anchor, &rows(0..100), false, 0.0) - 1900.0).abs() < 0.1);
    }

    #[test]
    fn rows_that_are_dropped_at_the_top_do_not_move_those_that_are_seen() {
        let mut anchor = Anchor::default();
        frame(&mut anchor, &rows(0..50), false, 0.0);
        frame(&mut anchor, &rows(0..50), true, -305.0);
        // Row 29 stands 15 points above the view; ten rows fewer above it are 200 points less.
        assert!((frame(&mut anchor, &rows(10..70), false, 0.0) - 395.0).abs() < 0.1);
        assert!(anchor.top.is_some_and(|(id, hidden)| id == PacketId(29) && (hidden - 15.0).abs() < 0.1));
        // The top row itself is gone: the oldest stands there instead.
        assert!(frame(&mut anchor, &rows(40..90), false, 0.0) < 0.1);
    }

    #[test]
    fn nothing_moves_under_the_pointer_and_the_end_is_found_again_after() {
        let mut anchor = Anchor::default();
        frame(&mut anchor, &rows(0..50), false, 0.0);
        assert!((frame(&mut anchor, &rows(0..53), true, 0.0) - 900.0).abs() < 0.1);
        assert_eq!(anchor.news(&Listing::all(&rows(0..53))), 3);
        assert!((frame(&mut anchor, &rows(0..53), false, 0.0) - 960.0).abs() < 0.1);
        assert_eq!(anchor.news(&Listing::all(&rows(0..53))), 0);
    }

    #[test]
    fn a_row_that_is_looked_at_stays_although_it_is_at_the_end() {
        let mut anchor = Anchor::default();
        frame(&mut anchor, &rows(0..50), false, 0.0);
        anchor.hold();
        assert!((frame(&mut anchor, &rows(0..84), false, 0.0) - 900.0).abs() < 0.1);
        assert_eq!(anchor.news(&Listing::all(&rows(0..84))), 34);
        anchor.show(PacketId(49));
        assert!((frame(&mut anchor, &rows(0..90), false, 0.0) - 900.0).abs() < 0.1);
        anchor.to_end();
        frame(&mut anchor, &rows(0..90), false, 0.0);
        assert!((frame(&mut anchor, &rows(0..95), false, 0.0) - 1800.0).abs() < 0.1);
    }

    #[test]
    fn a_row_is_shown_with_the_least_movement() {
        let mut anchor = Anchor::default();
        let rows = rows(0..50);
        frame(&mut anchor, &rows, false, 0.0);
        anchor.show(PacketId(10));
        assert!((frame(&mut anchor, &rows, true, 0.0) - 200.0).abs() < 0.1);
        anchor.show(PacketId(15));
        assert!((frame(&mut anchor, &rows, true, 0.0) - 220.0).abs() < 0.1);
        anchor.show(PacketId(12));
        assert!((frame(&mut anchor, &rows, true, 0.0) - 220.0).abs() < 0.1);
        anchor.to_end();
        assert!((frame(&mut anchor, &rows, true, 0.0) - 900.0).abs() < 0.1);
    }
}
