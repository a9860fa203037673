//! Numbers, places and times as a person reads them. Zones and units of the user exist only here.

use jiff::{Timestamp, tz::TimeZone};

use super::view::{Units, View, Zone};
use crate::geo::LatLon;

const KM_PER_MILE: f64 = 1.609_344;
const KM_PER_NAUTICAL_MILE: f64 = 1.852;
const METRES_PER_FOOT: f64 = 0.3048;

/// The whole part of a number that is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is out of range becomes the nearest end"
)]
pub fn whole(n: f64) -> u64 {
    n as u64
}

/// `1,204`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 device`, `2 devices`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// Seconds from `at` to `now`, never negative.
pub fn age_s(now: Timestamp, at: Timestamp) -> i64 {
    (now.as_second() - at.as_second()).max(0)
}

/// `4 s`, `14 min`, `3 h`, `12 d`: how long ago, in the coarsest unit that still says enough.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        86_400.. => format!("{} d", seconds / 86_400),
    }
}

/// Seconds until [`age`] reads differently.
pub fn age_changes_in_s(seconds: i64) -> u64 {
    let step = match seconds {
        ..60 => 1,
        60..3_600 => 60,
        3_600..86_400 => 3_600,
        86_400.. => 86_400,
    };
    (step - seconds.max(0) % step).unsigned_abs()
}

/// `1 min 30 s`, `2 h 5 min`: a span, for rules and engine hours.
pub fn span(seconds: i64) -> String {
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let two = |a: i64, a_unit: &str, b: i64, b_unit: &str| match b {
        0 => format!("{a} {a_unit}"),
        _ => format!("{a} {a_unit} {b} {b_unit}"),
    };
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3_600 => two(minutes, "min", rest, "s"),
        3_600..86_400 => two(hours, "h", minutes, "min"),
        86_400.. => two(days, "d", hours, "h"),
    }
}

/// `42 km/h`.
pub fn speed(kmh: f64, units: Units) -> String {
    let (unit, of_one) = speed_unit(units);
    format!("{:.0} {unit}", kmh / of_one)
}

/// The unit of speeds, and how many km/h one of it is.
pub fn speed_unit(units: Units) -> (&'static str, f64) {
    match units {
        Units::Metric => ("km/h", 1.0),
        Units::Imperial => ("mph", KM_PER_MILE),
        Units::Nautical => ("kn", KM_PER_NAUTICAL_MILE),
    }
}

/// `12 m`, `3.4 km`; feet and miles, or nautical miles, where the user wants them.
pub fn distance(metres: f64, units: Units) -> String {
    match units {
        Units::Metric if metres < 1_000.0 => format!("{metres:.0} m"),
        Units::Metric if metres < 100_000.0 => format!("{:.1} km", metres / 1_000.0),
        Units::Metric => format!("{} km", count(whole(metres / 1_000.0))),
        Units::Imperial => miles(metres, KM_PER_MILE, "mi", format!("{:.0} ft", metres / METRES_PER_FOOT)),
        Units::Nautical => miles(metres, KM_PER_NAUTICAL_MILE, "nm", format!("{metres:.0} m")),
    }
}

/// Miles of some kind; `near` where that is less than a fifth of one.
fn miles(metres: f64, km_per_mile: f64, unit: &str, near: String) -> String {
    match metres / 1_000.0 / km_per_mile {
        miles if miles < 0.2 => near,
        miles if miles < 100.0 => format!("{miles:.1} {unit}"),
        miles => format!("{} {unit}", count(whole(miles))),
    }
}

/// `1,204 m²`, `3.4 km²`; acres and square miles where the user wants them.
pub fn area(m2: f64, units: Units) -> String {
    const M2_PER_ACRE: f64 = 4_046.856;
    const ACRES_PER_SQUARE_MILE: f64 = 640.0;
    match units {
        Units::Metric | Units::Nautical if m2 < 1e5 => format!("{} m²", count(whole(m2))),
        Units::Metric | Units::Nautical if m2 < 1e8 => format!("{:.2} km²", m2 / 1e6),
        Units::Metric | Units::Nautical => format!("{} km²", count(whole(m2 / 1e6))),
        Units::Imperial if m2 < M2_PER_ACRE * ACRES_PER_SQUARE_MILE => format!("{:.1} acres", m2 / M2_PER_ACRE),
        Units::Imperial => format!("{:.1} mi²", m2 / M2_PER_ACRE / ACRES_PER_SQUARE_MILE),
    }
}

/// A height or radius, never in kilometres: `1,204 m`, `39 ft`.
pub fn height(metres: f64, units: Units) -> String {
    let (unit, of_one) = height_unit(units);
    let n = metres / of_one;
    let sign = if n <= -0.5 { "-" } else { "" };
    format!("{sign}{} {unit}", count(whole(n.abs().round())))
}

/// The unit of heights, and how many metres one of it is.
pub fn height_unit(units: Units) -> (&'static str, f64) {
    match units {
        Units::Metric | Units::Nautical => ("m", 1.0),
        Units::Imperial => ("ft", METRES_PER_FOOT),
    }
}

/// `21 °C`, `70 °F`.
pub fn temperature(celsius: f64, units: Units) -> String {
    match units {
        Units::Metric | Units::Nautical => format!("{celsius} °C"),
        Units::Imperial => format!("{:.0} °F", celsius * 1.8 + 32.0),
    }
}

/// `093°`.
pub fn course(deg: f64) -> String {
    format!("{:03.0}°", deg.round().rem_euclid(360.0))
}

/// `E`, `NNW`: the nearest of sixteen winds.
pub fn wind(deg: f64) -> &'static str {
    const WINDS: [&str; 16] =
        ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"];
    let at = whole((deg.rem_euclid(360.0) / 22.5).round()) % 16;
    usize::try_from(at).ok().and_then(|at| WINDS.get(at)).copied().unwrap_or("N")
}

/// `51.12345, 4.39127`: a metre or so.
pub fn place(place: LatLon) -> String {
    format!("{:.5}, {:.5}", place.lat_deg(), place.lon_deg())
}

/// `UTC`, `CET`, `+05:45`: a zone at a time.
pub fn zone_name(at: Timestamp, zone: &TimeZone) -> String {
    let name = at.to_zoned(zone.clone()).strftime("%Z").to_string();
    match name.split_at_checked(3) {
        // A zone without letters tells its offset.
        Some((hours, minutes)) if name.starts_with(['+', '-']) && minutes.len() == 2 => format!("{hours}:{minutes}"),
        _ => name,
    }
}

impl View {
    /// The zone that times are shown in.
    pub fn zone(&self) -> TimeZone {
        match self.settings.zone {
            Zone::Local => self.local_zone.clone(),
            Zone::Utc => TimeZone::UTC,
        }
    }

    /// `14:02:31`.
    pub fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone()).strftime("%H:%M:%S").to_string()
    }

    /// `2026-11-21 14:02:31`.
    pub fn date_time(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `2026-11-21 14:02:31 UTC`: where no zone stands near.
    pub fn stamp(&self, at: Timestamp) -> String {
        format!("{} {}", self.date_time(at), self.zone_name(at))
    }

    /// `14:02:31` today, `Nov 20 14:02` in this year, else with the year.
    pub fn moment(&self, at: Timestamp, now: Timestamp) -> String {
        let (at, now) = (at.to_zoned(self.zone()), now.to_zoned(self.zone()));
        let pattern = if at.date() == now.date() {
            "%H:%M:%S"
        } else if at.year() == now.year() {
            "%b %-d %H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        at.strftime(pattern).to_string()
    }

    /// `UTC`, `CET`, `+05:45`: what to print beside a time.
    pub fn zone_name(&self, at: Timestamp) -> String {
        zone_name(at, &self.zone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let texts = [
            (count(0), "0"),
            (count(999), "999"),
            (count(1_204), "1,204"),
            (count(1_000_000), "1,000,000"),
            (counted(1, "device", "devices"), "1 device"),
            (counted(0, "device", "devices"), "0 devices"),
            (age(-3), "0 s"),
            (age(59), "59 s"),
            (age(60), "1 min"),
            (age(3_599), "59 min"),
            (age(3_600), "1 h"),
            (age(90_000), "1 d"),
            (span(90), "1 min 30 s"),
            (span(7_500), "2 h 5 min"),
            (speed(42.4, Units::Metric), "42 km/h"),
            (speed(100.0, Units::Imperial), "62 mph"),
            (distance(999.0, Units::Metric), "999 m"),
            (distance(3_449.0, Units::Metric), "3.4 km"),
            (distance(204_000.0, Units::Metric), "204 km"),
            (distance(30.0, Units::Imperial), "98 ft"),
            (speed(100.0, Units::Nautical), "54 kn"),
            (distance(300.0, Units::Nautical), "300 m"),
            (distance(18_520.0, Units::Nautical), "10.0 nm"),
            (distance(1_852_000.0, Units::Nautical), "1,000 nm"),
            (height(12.0, Units::Nautical), "12 m"),
            (distance(16_093.44, Units::Imperial), "10.0 mi"),
            (height(-12.4, Units::Metric), "-12 m"),
            (height(8_849.0, Units::Imperial), "29,032 ft"),
            (course(92.6), "093°"),
            (course(359.8), "000°"),
            (wind(92.6).to_owned(), "E"),
            (wind(348.0).to_owned(), "NNW"),
            (wind(350.0).to_owned(), "N"),
        ];
        for (text, want) in texts {
            assert_eq!(text, want);
        }
    }

    #[test]
    fn an_age_changes_when_its_text_does() {
        for seconds in [0, 1, 59, 60, 61, 119, 3_599, 3_600, 86_399, 86_400, 100_000] {
            let until = i64::try_from(age_changes_in_s(seconds)).unwrap();
            assert_eq!(age(seconds), age(seconds + until - 1), "{seconds} s, one second before");
            assert_ne!(age(seconds), age(seconds + until), "{seconds} s");
        }
    }

    #[test]
    fn times_follow_the_chosen_zone() {
        let mut view = View { local_zone: TimeZone::get("Asia/Kathmandu").unwrap(), ..View::default() };
        let at: Timestamp = "2026-03-01T20:30:05Z".parse().unwrap();
        let later: Timestamp = "2026-03-01T22:30:05Z".parse().unwrap();
        let next_year: Timestamp = "2027-03-01T22:30:05Z".parse().unwrap();
        assert_eq!(view.clock(at), "02:15:05");
        assert_eq!(view.date_time(at), "2026-03-02 02:15:05");
        assert_eq!(view.stamp(at), "2026-03-02 02:15:05 +05:45");
        assert_eq!(view.zone_name(at), "+05:45");
        view.settings.zone = Zone::Utc;
        assert_eq!(view.moment(at, later), "20:30:05");
        assert_eq!(view.moment(at, "2026-03-02T01:00:00Z".parse().unwrap()), "Mar 1 20:30");
        assert_eq!(view.moment(at, next_year), "2026-03-01 20:30");
        assert_eq!(view.zone_name(at), "UTC");
    }
}
