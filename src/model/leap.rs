//! Outliers: fixes that nothing which moves could have reached.
//!
//! A fix is an outlier where it would take a leap to get there both from the fix before it and from the last fix before it that is none. So
//! one wild place in a good track is the outlier, not the good place behind it; a device that really is elsewhere (carried there switched
//! off, with a clock that was wrong) has one outlier, and is believed from its second fix there on; and of two phones that share a name, one
//! makes the track.
//!
//! It is a finding about fixes in order of time, not a property of one: a late fix may make or unmake it for those behind it. So it is never
//! stored. Whoever reads a history in order of time finds it again, and finds the same whatever the order of arrival was. An outlier stays
//! in the history with its own `valid`; it is only shown as one.

use super::Timestamp;
use crate::geo::LatLon;

/// Nothing that is tracked is faster over ground, in km/h: the fastest airliners with the wind behind them do 1 340.
pub const FASTEST_KMH: f64 = 1_500.0;

/// So far may two places be apart at any time, in metres, beside what both say of their accuracy: receivers that have just woken up,
/// and trackers that say nothing about accuracy, are off by hundreds of metres.
const SLACK_M: f64 = 1_000.0;

/// Times are whole seconds, so a step may have taken this much longer than it seems.
const SLACK_S: f64 = 1.0;

/// Where a device was at one moment, as far as this rule asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    pub at: Timestamp,
    pub place: LatLon,
    /// Radius around `place`; `None` where the device does not say.
    pub accuracy_m: Option<f64>,
}

impl Spot {
    /// How fast a device must have been to get here from `before`, in km/h, where that is faster than anything goes.
    pub fn leap_from(&self, before: &Self) -> Option<f64> {
        let took_s = self.at.duration_since(before.at).abs().as_secs_f64() + SLACK_S;
        let unsure_m = self.accuracy_m.unwrap_or(0.0).max(0.0) + before.accuracy_m.unwrap_or(0.0).max(0.0);
        let reach_m = FASTEST_KMH / 3.6 * took_s + unsure_m + SLACK_M;
        // Mostly it is next door, which is known without any trigonometry.
        if self.at_most_m(before) <= reach_m {
            return None;
        }
        let way_m = self.place.distance_m(before.place);
        (way_m > reach_m).then(|| (way_m - unsure_m) / took_s * 3.6)
    }

    /// The way to `other` is no longer than this, in metres.
    fn at_most_m(&self, other: &Self) -> f64 {
        const METRES_PER_DEGREE: f64 = 111_400.0;
        let north = (self.place.lat_deg() - other.place.lat_deg()).abs();
        let east = (self.place.lon_deg() - other.place.lon_deg()).abs();
        (north + east) * METRES_PER_DEGREE
    }
}

/// What the rule remembers of the fixes so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Leaps {
    /// The last fix, whatever it is.
    pub before: Option<Spot>,
    /// The last that is no outlier.
    pub good: Option<Spot>,
}

impl Leaps {
    /// Judges the next fix in order of time; those of one moment in an order that has nothing to do with their arrival. Answers for an
    /// outlier how fast it was reached from the fix before it, in km/h.
    pub fn judge(&mut self, next: Spot) -> Option<f64> {
        let from_before = self.before.and_then(|before| next.leap_from(&before));
        let from_good = self.good.and_then(|good| next.leap_from(&good));
        self.before = Some(next);
        let outlier = from_before.filter(|_| from_good.is_some());
        if outlier.is_none() {
            self.good = Some(next);
        }
        outlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: (f64, f64) = (52.0, 4.0);
    /// 31 km from home.
    const NEAR: (f64, f64) = (52.28, 4.0);
    const FAR: (f64, f64) = (-33.9, 151.2);

    /// The numbers of the outliers among places with seconds.
    fn outliers(fixes: &[(i64, (f64, f64))]) -> Vec<usize> {
        flagged(&fixes.iter().map(|(second, place)| (*second, *place, None)).collect::<Vec<_>>())
    }

    fn flagged(fixes: &[(i64, (f64, f64), Option<f64>)]) -> Vec<usize> {
        let mut leaps = Leaps::default();
        let spot = |(second, (lat, lon), accuracy_m): &(i64, (f64, f64), Option<f64>)| Spot {
            at: Timestamp::from_second(1_700_000_000 + second).unwrap(),
            place: LatLon::new(*lat, *lon).unwrap(),
            accuracy_m: *accuracy_m,
        };
        fixes.iter().enumerate().filter_map(|(n, fix)| leaps.judge(spot(fix)).map(|_| n)).collect()
    }

    #[test]
    fn one_wild_place_in_a_track_is_the_outlier_and_not_the_good_one_behind_it() {
        assert_eq!(outliers(&[(0, HOME), (60, FAR), (120, HOME), (180, HOME)]), [1]);
        assert_eq!(outliers(&[(0, HOME), (60, FAR)]), [1], "also while nothing has come behind it");
    }

    #[test]
    fn whoever_really_is_elsewhere_is_believed_from_the_second_fix_on() {
        assert_eq!(outliers(&[(0, HOME), (60, FAR), (120, FAR), (180, FAR), (240, FAR)]), [1]);
        assert_eq!(
            outliers(&[(0, HOME), (60, FAR), (120, FAR), (180, HOME), (240, HOME)]),
            [1, 3],
            "and so is the way back"
        );
    }

    #[test]
    fn of_two_phones_with_one_name_one_makes_the_track() {
        assert_eq!(outliers(&[(0, HOME), (1, FAR), (60, HOME), (61, FAR), (120, HOME), (121, FAR)]), [1, 3, 5]);
    }

    #[test]
    fn an_airliner_a_late_report_and_a_parked_car_are_none() {
        let airliner: Vec<_> =
            (0..20).map(|n| (n * 60, (52.0 + f64::from(i32::try_from(n).unwrap()) * 0.19, 4.0))).collect();
        assert_eq!(outliers(&airliner), [] as [usize; 0], "1 270 km/h");
        assert_eq!(outliers(&[(0, HOME), (86_400, FAR), (86_460, FAR)]), [] as [usize; 0]);
        assert_eq!(outliers(&[(0, HOME), (0, HOME), (0, (52.005, 4.005))]), [] as [usize; 0], "650 m at one moment");
    }

    #[test]
    fn what_a_device_says_of_its_accuracy_is_taken_off_the_way() {
        let leap = |accuracy_m| flagged(&[(0, HOME, Some(10.0)), (30, NEAR, accuracy_m), (60, HOME, Some(10.0))]);
        assert_eq!(leap(Some(20.0)), [1]);
        assert_eq!(leap(None), [1]);
        assert_eq!(leap(Some(25_000.0)), [] as [usize; 0], "a cell tower");
    }

    #[test]
    fn the_antimeridian_is_no_leap() {
        assert_eq!(outliers(&[(0, (0.0, 179.999)), (60, (0.0, -179.999))]), [] as [usize; 0]);
    }

    #[test]
    fn the_speed_is_that_of_the_way_from_the_fix_before() {
        let mut leaps = Leaps::default();
        let spot = |second, lat| Spot {
            at: Timestamp::from_second(second).unwrap(),
            place: LatLon::new(lat, 0.0).unwrap(),
            accuracy_m: None,
        };
        assert_eq!(leaps.judge(spot(0, 0.0)), None);
        let kmh = leaps.judge(spot(59, 1.0)).unwrap();
        assert!((kmh - 111.2 * 60.0).abs() < 10.0, "{kmh}");
    }
}
