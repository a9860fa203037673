//! A reading over time, drawn fast at any width: the least and the greatest of each column.

use super::Point;

/// What a strip chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize, serde::Deserialize)]
pub enum Series {
    #[default]
    Speed,
    Altitude,
    Voltage,
    Battery,
    Satellites,
    /// Packets a minute; it is counted in the store, not read from positions.
    Packets,
}

impl Series {
    pub const ALL: [Self; 6] =
        [Self::Speed, Self::Altitude, Self::Voltage, Self::Battery, Self::Satellites, Self::Packets];

    /// What a point tells of it.
    pub fn of(self, point: &Point) -> Option<f32> {
        match self {
            Self::Speed => point.speed_kmh,
            Self::Altitude => point.altitude_m,
            Self::Voltage => point.volts,
            Self::Battery => point.battery_percent.map(f32::from),
            Self::Satellites => point.satellites.map(f32::from),
            Self::Packets => None,
        }
    }
}

/// Points that are taken together at once.
const BLOCK: usize = 64;

/// The least and the greatest value of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    pub least: f32,
    pub greatest: f32,
    /// The value of its last point.
    pub last: f32,
}

impl Column {
    fn of(value: f32) -> Self {
        Self { least: value, greatest: value, last: value }
    }

    fn and(self, later: Self) -> Self {
        Self { least: self.least.min(later.least), greatest: self.greatest.max(later.greatest), last: later.last }
    }
}

/// One series of one device, ready to be drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Strip {
    /// When, and what; only points that tell it.
    samples: Vec<(i64, f32)>,
    /// The extremes of each [`BLOCK`] samples.
    blocks: Vec<Column>,
}

impl Strip {
    /// From points in order of time; those beside the way are left out.
    pub fn of(points: &[Point], series: Series) -> Self {
        let told = points.iter().filter(|point| point.counts());
        Self::from_samples(told.filter_map(|point| Some((point.at_ms, series.of(point)?))).collect())
    }

    /// From values in order of time.
    pub fn from_samples(samples: Vec<(i64, f32)>) -> Self {
        let blocks = samples.chunks(BLOCK).filter_map(extremes).collect();
        Self { samples, blocks }
    }

    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The extremes from one instant to before another; `None` where nothing was told. Looks at a hundred samples or so, however many there are.
    pub fn column(&self, from_ms: i64, before_ms: i64) -> Option<Column> {
        let first = self.samples.partition_point(|(at, _)| *at < from_ms);
        let end = self.samples.partition_point(|(at, _)| *at < before_ms).max(first);
        let (block, end_block) = (first.div_ceil(BLOCK), end / BLOCK);
        if block >= end_block {
            return extremes(&self.samples[first..end]);
        }
        let head = extremes(&self.samples[first..block * BLOCK]);
        let whole = self.blocks[block..end_block].iter().copied().reduce(Column::and);
        let tail = extremes(&self.samples[end_block * BLOCK..end]);
        [head, whole, tail].into_iter().flatten().reduce(Column::and)
    }

    /// The value of the last sample at or before an instant, and when that was.
    pub fn value_at(&self, at_ms: i64) -> Option<(i64, f32)> {
        let end = self.samples.partition_point(|(at, _)| *at <= at_ms);
        self.samples[..end].last().copied()
    }

    /// The extremes of all of it.
    pub fn extremes(&self) -> Option<Column> {
        self.blocks.iter().copied().reduce(Column::and)
    }
}

fn extremes(samples: &[(i64, f32)]) -> Option<Column> {
    samples.iter().map(|(_, value)| Column::of(*value)).reduce(Column::and)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::track::testing::point;

    #[test]
    fn what_a_point_does_not_tell_is_no_sample() {
        let mut points: Vec<_> = (0..4).map(|n| point(n, 51.0, 4.0)).collect();
        points[1].speed_kmh = Some(10.0);
        points[3].speed_kmh = Some(30.0);
        points[3].satellites = Some(7);
        let strip = Strip::of(&points, Series::Speed);
        assert_eq!(strip.extremes(), Some(Column { least: 10.0, greatest: 30.0, last: 30.0 }));
        assert_eq!(strip.column(points[0].at_ms, points[1].at_ms), None);
        assert_eq!(strip.value_at(points[2].at_ms), Some((points[1].at_ms, 10.0)));
        assert!(Strip::of(&points, Series::Altitude).is_empty());
        assert_eq!(Strip::of(&points, Series::Satellites).extremes().map(|c| c.last), Some(7.0));
    }

    proptest! {
        #[test]
        fn a_column_is_what_looking_at_every_sample_says(
            values in proptest::collection::vec(-50.0f32..50.0, 0..700), from in -5i64..710, width in 0i64..710
        ) {
            let samples: Vec<_> = (0..).zip(values).collect();
            let plain = samples.iter().filter(|(at, _)| (from..from + width).contains(at)).map(|(_, v)| Column::of(*v));
            let plain = plain.reduce(Column::and);
            prop_assert_eq!(Strip::from_samples(samples).column(from, from + width), plain);
        }
    }
}
