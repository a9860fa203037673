//! The figures beside their limits.

use std::{fmt, time::Instant};

use crate::machine::Ticks;

/// What a figure must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    Below(f64),
    AtLeast(f64),
    /// Nothing was promised about it.
    None,
}

impl Limit {
    fn keeps(self, value: f64) -> Option<bool> {
        match self {
            Self::Below(most) => Some(value < most),
            Self::AtLeast(least) => Some(value >= least),
            Self::None => None,
        }
    }
}

/// One figure.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) limit: Limit,
    /// How it came about.
    pub(crate) note: String,
}

/// All figures of a run, in the order they were measured.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    /// A part: its name, and the cores that other programs took while it was measured.
    Part(String, f64),
    Figure(Figure),
}

impl Table {
    /// Measures a part and notes how busy others were meanwhile.
    pub(crate) fn part(&mut self, name: &str, measure: impl FnOnce(&mut Self)) {
        let (ticks, began, place) = (Ticks::now(), Instant::now(), self.rows.len());
        println!("\n{name}:");
        measure(self);
        let foreign = Ticks::now().foreign_cores_since(&ticks, began.elapsed());
        println!("  (others took {foreign:.2} cores)");
        self.rows.insert(place, Row::Part(name.to_owned(), foreign));
    }

    /// Adds a figure, and shows it at once, because a run takes minutes.
    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        limit: Limit,
        note: impl Into<String>,
    ) {
        let figure = Figure { name: name.into(), value, unit, limit, note: note.into() };
        println!("  {figure}");
        self.rows.push(Row::Figure(figure));
    }

    /// As [`Table::add`], of what was not promised.
    pub(crate) fn tell(&mut self, name: impl Into<String>, value: f64, unit: &'static str, note: impl Into<String>) {
        self.add(name, value, unit, Limit::None, note);
    }

    /// Whether every promise was kept.
    pub(crate) fn kept(&self) -> bool {
        self.rows.iter().all(|row| match row {
            Row::Figure(figure) => figure.limit.keeps(figure.value) != Some(false),
            Row::Part(..) => true,
        })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = match self.limit {
            Limit::Below(most) => format!("< {}", number(most)),
            Limit::AtLeast(least) => format!("≥ {}", number(least)),
            Limit::None => String::new(),
        };
        let verdict = match self.limit.keeps(self.value) {
            Some(true) => "pass",
            Some(false) => "FAIL",
            None => "",
        };
        let Self { name, value, unit, note, .. } = self;
        write!(f, "{name:<58} {:>9} {unit:<7} {limit:<9} {verdict:<4} {note}", number(*value))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            match row {
                Row::Part(name, foreign) => writeln!(f, "{name} (others took {foreign:.2} cores)")?,
                Row::Figure(figure) => writeln!(f, "  {figure}")?,
            }
        }
        let missed =
            self.rows.iter().filter(|row| matches!(row, Row::Figure(g) if g.limit.keeps(g.value) == Some(false)));
        match missed.count() {
            0 => writeln!(f, "every limit was kept"),
            n => writeln!(f, "{n} limits were missed"),
        }
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The middle one; 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
