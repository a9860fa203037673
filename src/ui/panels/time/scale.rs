//! The scale below the strip: when.

use jiff::{Timestamp, tz::TimeZone};

use crate::ui::time::{Axis, moment};

/// Between two marks, in seconds; the first that leaves room is taken.
const STEPS_S: [i64; 18] =
    [1, 5, 15, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_419_200];
const DAY_S: i64 = 86_400;

/// A mark and what stands below it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) x: f32,
    pub(super) text: String,
    /// A day begins here.
    pub(super) midnight: bool,
}

/// Marks at round times of a zone, `apart` points from each other at least.
pub(super) fn marks(axis: &Axis, zone: &TimeZone, apart: f32) -> Vec<Mark> {
    let straight = axis.parts().iter().filter(|part| !part.folded);
    let (mut ms, mut width) = (0.0, 0.0);
    for part in straight {
        #[expect(clippy::cast_precision_loss, reason = "a span")]
        let took = (part.to_ms - part.from_ms) as f64;
        ms += took;
        width += f64::from(part.right - part.left);
    }
    if width <= 0.0 {
        return Vec::new();
    }
    let s_per_mark = ms / 1_000.0 / width * f64::from(apart);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let step_s = STEPS_S.into_iter().find(|step| *step as f64 >= s_per_mark).unwrap_or(DAY_S * 28);
    let mut marks: Vec<Mark> = Vec::new();
    for part in axis.parts().iter().filter(|part| !part.folded) {
        let first = moment(part.from_ms);
        let offset_s = i64::from(zone.to_offset(first).seconds());
        let mut local_s = (first.as_second() + offset_s).div_euclid(step_s) * step_s;
        while let Ok(at) = Timestamp::from_second(local_s - offset_s) {
            local_s += step_s;
            let at_ms = at.as_millisecond();
            if at_ms > part.to_ms {
                break;
            }
            let x = axis.x(at_ms);
            if at_ms < part.from_ms || marks.last().is_some_and(|last| x - last.x < apart) {
                continue;
            }
            let there = at.to_zoned(zone.clone());
            let midnight = there.hour() == 0 && there.minute() == 0 && there.second() == 0;
            let pattern = if midnight {
                "%a %-d %b"
            } else if step_s < 60 {
                "%H:%M:%S"
            } else {
                "%H:%M"
            };
            marks.push(Mark { x, text: there.strftime(pattern).to_string(), midnight });
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(from: &str, to: &str, zone: &str, width: f32) -> Vec<String> {
        let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let axis = Axis::new(ms(from), ms(to), 0.0, width, &[]);
        marks(&axis, &TimeZone::get(zone).unwrap(), 80.0).into_iter().map(|mark| mark.text).collect()
    }

    #[test]
    fn marks_are_at_round_times_of_the_zone() {
        assert_eq!(
            said("2026-11-21T13:02:31Z", "2026-11-21T14:02:31Z", "UTC", 500.0),
            ["13:10", "13:20", "13:30", "13:40", "13:50", "14:00"]
        );
        let day = said("2026-11-20T18:15:00Z", "2026-11-21T18:14:59Z", "Asia/Kathmandu", 700.0);
        assert_eq!(day, ["Sat 21 Nov", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]);
        let week = said("2026-11-15T00:00:00Z", "2026-11-21T14:00:00Z", "UTC", 700.0);
        assert_eq!(week.len(), 7, "{week:?}");
        assert_eq!(week[0], "Sun 15 Nov");
    }
}
