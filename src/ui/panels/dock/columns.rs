//! The columns of the packet list and how they share its width.

use egui::{Rect, pos2, vec2};

use serde::{Deserialize, Serialize};

use super::paint::GAP;
use crate::{
    model::Protocol,
    ui::filter::columns::{Shown, What},
};

/// The usual columns, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    Time,
    Direction,
    Who,
    Protocol,
    Type,
    Serial,
    Summary,
    Verdict,
}

impl Column {
    pub const ALL: [Self; 8] = [
        Self::Time,
        Self::Direction,
        Self::Who,
        Self::Protocol,
        Self::Type,
        Self::Serial,
        Self::Summary,
        Self::Verdict,
    ];

    /// What stands over it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Time => "Time",
            Self::Direction => "",
            Self::Who => "Device",
            Self::Protocol => "Protocol",
            Self::Type => "Type",
            Self::Serial => "Serial",
            Self::Summary => "Summary",
            Self::Verdict => "Verdict",
        }
    }
}

/// The summary is worth more than the lesser columns while it has less than this.
const LEAST_SUMMARY: f32 = 120.0;

/// The mark of a verdict without its word.
const MARK: f32 = 12.0;

/// Room for the whole word of a protocol.
const WHOLE_PROTOCOL: f32 = 68.0;

/// Room for its short word.
const SHORT_PROTOCOL: f32 = 36.0;

/// Room that a device needs to be told from others.
const LEAST_WHO: f32 = 76.0;

/// Room for `location`.
const LEAST_TYPE: f32 = 52.0;

/// Where each column stands, as offsets from the left edge of a row.
#[derive(Debug, Clone)]
pub struct Columns {
    at: Vec<(What, f32, f32)>,
    /// The time shows milliseconds.
    pub milliseconds: bool,
}

/// What is given up for the summary, first things first.
const LESS: [fn(&mut Wanted, f32); 8] = [
    |wanted, _| wanted.protocol = SHORT_PROTOCOL,
    |wanted, figure| wanted.time = 8.0 * figure,
    |wanted, _| wanted.who = LEAST_WHO,
    |wanted, _| wanted.kind = LEAST_TYPE,
    |wanted, _| wanted.protocol = 0.0,
    |wanted, _| wanted.serial = 0.0,
    |wanted, _| wanted.verdict = MARK,
    |wanted, _| wanted.kind = 0.0,
];

/// The widths of all columns but the summary; 0 leaves one out.
struct Wanted {
    time: f32,
    who: f32,
    protocol: f32,
    kind: f32,
    serial: f32,
    verdict: f32,
}

impl Wanted {
    /// Of a column that is shown.
    fn of(&self, shown: &Shown) -> f32 {
        let What::Usual(column) = shown.what else { return shown.width.unwrap_or(shown.what.usual_width()) };
        match column {
            Column::Summary => 0.0,
            _ if shown.width.is_some() => shown.width.unwrap_or(0.0),
            Column::Time => self.time,
            Column::Direction => 12.0,
            Column::Who => self.who,
            Column::Protocol => self.protocol,
            Column::Type => self.kind,
            Column::Serial => self.serial,
            Column::Verdict => self.verdict,
        }
    }

    /// What they leave of this width.
    fn rest(&self, shown: &[Shown], width: f32) -> f32 {
        let taken: f32 = shown.iter().map(|shown| self.of(shown)).filter(|w| *w > 0.0).map(|w| w + GAP).sum();
        width - taken - 2.0 * GAP
    }
}

impl Columns {
    /// Shares a width, a scroll bar's already taken off, among the columns that are shown: the summary gets what is left, and the lesser columns
    /// shrink and go when that is little, but for those that have a width of their own. `figure` is the width of a digit.
    pub fn fit(shown: &[Shown], width: f32, figure: f32) -> Self {
        let mut wanted = Wanted {
            time: 12.0 * figure,
            who: (width * 0.175).clamp(LEAST_WHO, 190.0),
            protocol: WHOLE_PROTOCOL,
            kind: 8.0 * figure,
            serial: 6.0 * figure,
            verdict: 50.0,
        };
        for less in LESS {
            if wanted.rest(shown, width) < LEAST_SUMMARY {
                less(&mut wanted, figure);
            }
        }
        let summary = wanted.rest(shown, width).max(40.0);
        let mut x = GAP;
        let place = |shown: &Shown| {
            let rest = shown.what == What::Usual(Column::Summary);
            let wide = if rest { summary } else { wanted.of(shown) };
            let at = (shown.what.clone(), x, wide);
            x += if wide > 0.0 { wide + GAP } else { 0.0 };
            at
        };
        let mut columns = Self { at: shown.iter().map(place).collect(), milliseconds: false };
        columns.milliseconds = columns.width(Column::Time) > 10.0 * figure;
        columns
    }

    /// Every column that has room, with its left edge and its width.
    pub fn places(&self) -> impl Iterator<Item = (&What, f32, f32)> {
        self.at.iter().filter(|(_, _, wide)| *wide > 0.0).map(|(what, x, wide)| (what, *x, *wide))
    }

    fn place(&self, column: Column) -> (f32, f32) {
        self.places().find(|(what, ..)| **what == What::Usual(column)).map_or((0.0, 0.0), |(_, x, wide)| (x, wide))
    }

    /// The cell of a column in a row; without a width where it is left out.
    pub fn cell(&self, column: Column, row: Rect) -> Rect {
        let (x, width) = self.place(column);
        Rect::from_min_size(pos2(row.left() + x, row.top()), vec2(width, row.height()))
    }

    /// The column of a place in a row.
    pub fn at(&self, place: egui::Pos2, row: Rect) -> Option<&What> {
        let x = place.x - row.left();
        self.places()
            .find(|(_, left, wide)| (left - GAP / 2.0..left + wide + GAP / 2.0).contains(&x))
            .map(|(what, ..)| what)
    }

    /// How wide a column is; 0 where it is left out.
    pub fn width(&self, column: Column) -> f32 {
        self.place(column).1
    }

    /// The word for a protocol that its column has room for.
    pub fn protocol(&self, protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::OwnTracks if self.width(Column::Protocol) < WHOLE_PROTOCOL => "OT",
            Protocol::OwnTracks | Protocol::Gt06 => protocol.title(),
        }
    }

    /// The title of a column, cut down to what it has room for.
    pub fn title(&self, column: Column) -> &'static str {
        match column {
            Column::Protocol if self.width(column) < WHOLE_PROTOCOL => "Proto",
            _ if self.width(column) < 24.0 => "",
            other => other.title(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::filter::columns::usual;

    const FIGURE: f32 = 7.2;

    fn shown(width: f32) -> Vec<Column> {
        let columns = Columns::fit(&usual(), width, FIGURE);
        Column::ALL.into_iter().filter(|c| columns.width(*c) > MARK).collect()
    }

    #[test]
    fn nothing_reaches_beyond_the_row() {
        for width in [380.0, 440.0, 520.0, 600.0, 760.0, 1200.0] {
            let columns = Columns::fit(&usual(), width, FIGURE);
            let (x, wide) = columns.place(Column::Verdict);
            assert!(x + wide <= width, "{width}: {columns:?}");
        }
    }

    #[test]
    fn all_columns_are_there_at_the_usual_widths() {
        use Column::{Protocol, Serial, Summary, Time, Type, Verdict, Who};
        let all = [Time, Who, Protocol, Type, Serial, Summary, Verdict];
        assert_eq!(shown(740.0), all);
        assert!(Columns::fit(&usual(), 740.0, FIGURE).milliseconds);
        assert_eq!(Columns::fit(&usual(), 740.0, FIGURE).protocol(crate::model::Protocol::OwnTracks), "OwnTracks");
        assert_eq!(shown(520.0), all);
        assert!(!Columns::fit(&usual(), 520.0, FIGURE).milliseconds);
        assert_eq!(Columns::fit(&usual(), 520.0, FIGURE).protocol(crate::model::Protocol::OwnTracks), "OT");
        assert_eq!(shown(440.0), [Time, Who, Type, Summary, Verdict]);
    }

    #[test]
    fn more_columns_take_their_room_from_the_summary() {
        let mut shown = usual();
        crate::ui::filter::columns::toggle(&mut shown, &What::Peer);
        let columns = Columns::fit(&shown, 900.0, FIGURE);
        let without = Columns::fit(&usual(), 900.0, FIGURE).width(Column::Summary);
        assert!((columns.width(Column::Summary) - (without - 130.0 - GAP)).abs() < 0.1);
        let row = Rect::from_min_size(pos2(10.0, 0.0), vec2(900.0, 20.0));
        let peer = columns.places().find(|(what, ..)| **what == What::Peer).unwrap();
        assert_eq!(columns.at(pos2(10.0 + peer.1 + 5.0, 5.0), row), Some(&What::Peer));
        shown.retain(|shown| shown.what != What::Usual(Column::Direction));
        assert!(Columns::fit(&shown, 900.0, FIGURE).width(Column::Direction) < 0.1);
    }
}
