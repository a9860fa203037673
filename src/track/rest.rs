//! When nothing moves: what a replay may skip.

use super::{Leg, Past};

/// Rest that is shorter than this is not worth skipping, in milliseconds.
pub const LEAST_REST_MS: i64 = 180_000;
/// So much of it stays at both ends, that one sees a device stand before it leaves, in milliseconds.
const MARGIN_MS: i64 = 20_000;

/// Stretches within a span in which none of these devices was on a trip, as far as is known, in order of time.
pub fn rests<'a>(pasts: impl IntoIterator<Item = &'a Past>, from_ms: i64, to_ms: i64) -> Vec<(i64, i64)> {
    let trips = pasts.into_iter().flat_map(|past| past.legs.iter().filter_map(Leg::trip));
    let mut busy: Vec<(i64, i64)> = trips
        .map(|trip| (trip.from_ms - MARGIN_MS, trip.to_ms + MARGIN_MS))
        .filter(|b| b.1 > from_ms && b.0 < to_ms)
        .collect();
    busy.sort_unstable();
    let mut rests = Vec::new();
    let mut free_from = from_ms;
    for (from, to) in busy.into_iter().chain([(to_ms, to_ms)]) {
        if from - free_from >= LEAST_REST_MS {
            rests.push((free_from, from));
        }
        free_from = free_from.max(to);
    }
    rests
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{geo::LatLon, track::Trip};

    fn past(trips: &[(i64, i64)]) -> Past {
        let place = LatLon::new(51.0, 4.0).unwrap();
        let trip = |(from_s, to_s): &(i64, i64)| {
            Leg::Trip(Trip {
                first: 0,
                last: 1,
                from_ms: from_s * 1_000,
                to_ms: to_s * 1_000,
                start: place,
                end: place,
                distance_m: 1_000.0,
                top_kmh: None,
            })
        };
        Past { legs: trips.iter().map(trip).collect(), ..Past::default() }
    }

    #[test]
    fn all_must_rest() {
        let (a, b) = (past(&[(1_000, 2_000)]), past(&[(1_500, 3_000), (3_100, 3_200)]));
        assert_eq!(rests([&a, &b], 0, 10_000_000), [(0, 980_000), (3_220_000, 10_000_000)]);
        assert_eq!(rests([], 0, 1_000_000), [(0, 1_000_000)]);
        assert_eq!(rests([&a], 1_100_000, 1_900_000), []);
    }

    proptest! {
        #[test]
        fn rests_are_in_order_within_the_span_and_touch_no_trip(
            trips in proptest::collection::vec((0i64..20_000, 1i64..3_000), 0..12), to in 1i64..20_000
        ) {
            let trips: Vec<_> = trips.into_iter().map(|(from, took)| (from, from + took)).collect();
            let pasts: Vec<_> = trips.iter().map(|trip| past(&[*trip])).collect();
            let rests = rests(&pasts, 0, to * 1_000);
            for pair in rests.windows(2) {
                prop_assert!(pair[0].1 < pair[1].0);
            }
            for (from, until) in rests {
                prop_assert!(0 <= from && until <= to * 1_000 && until - from >= LEAST_REST_MS);
                for (trip_from, trip_to) in &trips {
                    prop_assert!(until <= trip_from * 1_000 || from >= trip_to * 1_000);
                }
            }
        }
    }
}
