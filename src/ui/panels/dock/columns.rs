//! The columns of the packet list and how they share its width.

use egui::{Rect, pos2, vec2};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::paint::GAP;
use crate::{
    model::{Protocol, Timestamp},
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

/// It never has less than this.
const LEAST_OF_ALL: f32 = 40.0;

/// The mark of a verdict without its word.
const MARK: f32 = 12.0;

/// Room for the whole word of a protocol.
const WHOLE_PROTOCOL: f32 = 68.0;

/// Room for its short word.
const SHORT_PROTOCOL: f32 = 36.0;

/// Room that a device needs to be told from others.
const LEAST_WHO: f32 = 76.0;

/// Room for the last letters of a name, where there is hardly any.
const END_OF_WHO: f32 = 52.0;

/// Room for `location`.
const LEAST_TYPE: f32 = 52.0;

/// How far back the rows in view go: the farther, the more of the date their times need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Back {
    /// All are of today, or say no date.
    #[default]
    Today,
    ThisYear,
    Years,
}

impl Back {
    /// Of a packet.
    pub fn of(at: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
        match () {
            () if at.date() == now.date() => Self::Today,
            () if at.year() == now.year() => Self::ThisYear,
            () => Self::Years,
        }
    }

    /// How a time is written, the fullest first, with the figures that it takes.
    pub fn patterns(self) -> &'static [(f32, &'static str)] {
        match self {
            Self::Today => &[(12.0, "%H:%M:%S.%3f"), (8.0, "%H:%M:%S")],
            Self::ThisYear => &[(18.0, "%m-%d %H:%M:%S.%3f"), (14.0, "%m-%d %H:%M:%S"), (11.0, "%m-%d %H:%M")],
            Self::Years => &[(19.0, "%Y-%m-%d %H:%M:%S"), (14.0, "%y-%m-%d %H:%M")],
        }
    }

    /// Figures that the column has where there is room, where there is little, and where there is hardly any: seconds go last.
    fn figures(self) -> [f32; 3] {
        match self {
            Self::Today => [12.0, 8.0, 8.0],
            Self::ThisYear => [14.0, 14.0, 11.0],
            Self::Years => [19.0, 19.0, 14.0],
        }
    }
}

/// Where each column stands, as offsets from the left edge of a row.
#[derive(Debug, Clone)]
pub struct Columns {
    at: Vec<(What, f32, f32)>,
    /// The figures that a time has room for.
    figures: f32,
}

/// What is given up for the summary, first things first.
const LESS: [fn(&mut Wanted); 10] = [
    |wanted| wanted.protocol = SHORT_PROTOCOL,
    |wanted| wanted.time = wanted.times[1],
    |wanted| wanted.who = LEAST_WHO,
    |wanted| wanted.kind = LEAST_TYPE,
    |wanted| wanted.protocol = 0.0,
    |wanted| wanted.serial = 0.0,
    |wanted| wanted.verdict = MARK,
    |wanted| wanted.kind = 0.0,
    |wanted| wanted.time = wanted.times[2],
    |wanted| wanted.who = END_OF_WHO,
];

/// The widths of all columns but the summary; 0 leaves one out.
struct Wanted {
    time: f32,
    /// What the time takes with room, with little, and with hardly any.
    times: [f32; 3],
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
    /// shrink and go when that is little, but for those that have a width of their own. `figure` is the width of a digit, `back` how far the rows
    /// in view go.
    pub fn fit(shown: &[Shown], width: f32, figure: f32, back: Back) -> Self {
        let times = back.figures().map(|figures| figures * figure);
        let mut wanted = Wanted {
            time: times[0],
            times,
            who: (width * 0.175).clamp(LEAST_WHO, 190.0),
            protocol: WHOLE_PROTOCOL,
            kind: 8.0 * figure,
            serial: 6.0 * figure,
            verdict: 50.0,
        };
        for less in LESS {
            if wanted.rest(shown, width) < LEAST_SUMMARY {
                less(&mut wanted);
            }
        }
        if wanted.rest(shown, width) < LEAST_OF_ALL {
            wanted.verdict = 0.0;
        }
        let summary = wanted.rest(shown, width).max(LEAST_OF_ALL);
        let mut x = GAP;
        let place = |shown: &Shown| {
            let rest = shown.what == What::Usual(Column::Summary);
            let wide = if rest { summary } else { wanted.of(shown) };
            let at = (shown.what.clone(), x, wide);
            x += if wide > 0.0 { wide + GAP } else { 0.0 };
            at
        };
        let mut columns = Self { at: shown.iter().map(place).collect(), figures: 0.0 };
        columns.figures = columns.width(Column::Time) / figure;
        columns
    }

    /// How a time that lies so far back is written: as fully as there is room for.
    pub fn time_pattern(&self, back: Back) -> &'static str {
        const ROUNDED: f32 = 0.01;
        let patterns = back.patterns();
        let fits = patterns.iter().find(|(figures, _)| *figures <= self.figures + ROUNDED);
        fits.or(patterns.last()).map_or("%H:%M", |(_, pattern)| pattern)
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

    fn fit(width: f32) -> Columns {
        Columns::fit(&usual(), width, FIGURE, Back::Today)
    }

    fn shown(width: f32) -> Vec<Column> {
        let columns = fit(width);
        Column::ALL.into_iter().filter(|c| columns.width(*c) > MARK).collect()
    }

    #[test]
    fn nothing_reaches_beyond_the_row() {
        for width in [260.0, 380.0, 440.0, 520.0, 600.0, 760.0, 1200.0] {
            for back in [Back::Today, Back::ThisYear, Back::Years] {
                let columns = Columns::fit(&usual(), width, FIGURE, back);
                let last = columns.places().last().map_or(0.0, |(_, x, wide)| x + wide);
                assert!(last <= width, "{width}: {columns:?}");
            }
        }
    }

    #[test]
    fn all_columns_are_there_at_the_usual_widths() {
        use Column::{Protocol, Serial, Summary, Time, Type, Verdict, Who};
        let all = [Time, Who, Protocol, Type, Serial, Summary, Verdict];
        assert_eq!(shown(740.0), all);
        assert_eq!(fit(740.0).protocol(crate::model::Protocol::OwnTracks), "OwnTracks");
        assert_eq!(shown(520.0), all);
        assert_eq!(fit(520.0).protocol(crate::model::Protocol::OwnTracks), "OT");
        assert_eq!(shown(440.0), [Time, Who, Type, Summary, Verdict]);
    }

    #[test]
    fn a_row_of_another_day_tells_day_and_time() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (now, zone) = (at("2026-11-21T14:02:31Z"), TimeZone::UTC);
        for (received, wide, narrow, least) in [
            ("2026-11-21T09:05:06.7Z", "09:05:06.700", "09:05:06", "09:05:06"),
            ("2026-11-20T23:59:06Z", "11-20 23:59:06", "11-20 23:59:06", "11-20 23:59"),
            ("2026-10-20T08:00:00Z", "10-20 08:00:00", "10-20 08:00:00", "10-20 08:00"),
            ("2025-11-20T08:00:01Z", "2025-11-20 08:00:01", "2025-11-20 08:00:01", "25-11-20 08:00"),
        ] {
            let back = Back::of(at(received), now, &zone);
            let text = |width| {
                let columns = Columns::fit(&usual(), width, FIGURE, back);
                at(received).to_zoned(zone.clone()).strftime(columns.time_pattern(back)).to_string()
            };
            assert_eq!([text(740.0), text(440.0), text(330.0)], [wide, narrow, least], "{received}");
        }
    }

    #[test]
    fn a_row_of_today_among_older_ones_has_their_room() {
        let columns = Columns::fit(&usual(), 740.0, FIGURE, Back::ThisYear);
        assert_eq!(columns.time_pattern(Back::Today), "%H:%M:%S.%3f");
        assert_eq!(columns.time_pattern(Back::Years), "%y-%m-%d %H:%M");
    }

    #[test]
    fn more_columns_take_their_room_from_the_summary() {
        let mut shown = usual();
        crate::ui::filter::columns::toggle(&mut shown, &What::Peer);
        let columns = Columns::fit(&shown, 900.0, FIGURE, Back::Today);
        let without = fit(900.0).width(Column::Summary);
        assert!((columns.width(Column::Summary) - (without - 130.0 - GAP)).abs() < 0.1);
        let row = Rect::from_min_size(pos2(10.0, 0.0), vec2(900.0, 20.0));
        let peer = columns.places().find(|(what, ..)| **what == What::Peer).unwrap();
        assert_eq!(columns.at(pos2(10.0 + peer.1 + 5.0, 5.0), row), Some(&What::Peer));
        shown.retain(|shown| shown.what != What::Usual(Column::Direction));
        assert!(Columns::fit(&shown, 900.0, FIGURE, Back::Today).width(Column::Direction) < 0.1);
    }
}
