//! What a trail is after fixes in any order.

use proptest::prelude::*;

use super::*;
use crate::{
    geo::LatLon,
    model::{DeviceId, Fix},
};

fn fix(id: i64, second: i64, lat: f64, speed_kmh: Option<f64>) -> StoredFix {
    let at = Timestamp::from_second(1_700_000_000 + second).unwrap();
    let place = LatLon::new(lat, 4.0).unwrap();
    let fix = Fix {
        at,
        place,
        valid: true,
        altitude_m: None,
        speed_kmh,
        course_deg: None,
        satellites: None,
        accuracy_m: None,
    };
    let (trust, readings) = (Trust::Good, Readings::new());
    StoredFix { id, device: DeviceId(1), fix, received: at, trust, readings, packet: PacketId(id) }
}

fn ids(trail: &Trail) -> Vec<i64> {
    trail.points().iter().map(|p| p.fix).collect()
}

#[test]
fn a_late_fix_takes_its_place_in_time() {
    let mut trail = Trail::from_fixes(vec![fix(1, 0, 51.0, None), fix(2, 60, 51.001, None), fix(4, 180, 51.003, None)]);
    trail.push(&fix(5, 120, 51.002, None));
    assert_eq!(ids(&trail), [1, 2, 5, 4]);
    let place = trail.place(2).unwrap().lat_lon();
    assert!((place.lat_deg() - 51.002).abs() < 1e-9);
    assert_eq!(trail.find(5), Some(2));
    // The same once more, as after a lost answer.
    trail.push(&fix(5, 120, 51.002, None));
    assert_eq!(ids(&trail), [1, 2, 5, 4]);
}

#[test]
fn silence_makes_a_gap_unless_the_device_rested() {
    let mut fixes: Vec<StoredFix> = (0..30).map(|n| fix(n, n * 60, 51.0 + n as f64 * 0.001, None)).collect();
    fixes.push(fix(30, 30 * 60 + 3_600, 51.03, None));
    fixes.push(fix(31, 30 * 60 + 7_200, 51.030_1, None));
    let trail = Trail::from_fixes(fixes);
    assert_eq!(trail.line().breaks().collect::<Vec<_>>(), [30]);
}

#[test]
fn a_late_fix_fills_the_gap_it_belongs_to() {
    let mut trail = Trail::from_fixes(
        (0..30).filter(|n| !(10..20).contains(n)).map(|n| fix(n, n * 60, 51.0 + n as f64 * 0.001, None)).collect(),
    );
    assert_eq!(trail.line().breaks().count(), 1);
    for n in 10..20 {
        trail.push(&fix(n, n * 60, 51.0 + n as f64 * 0.001, None));
    }
    assert_eq!(trail.line().breaks().count(), 0);
    assert_eq!(ids(&trail), (0..30).collect::<Vec<_>>());
}

#[test]
fn a_fix_that_nothing_could_have_reached_is_beside_the_line_and_tears_no_gap() {
    let trail = Trail::from_fixes(vec![fix(1, 0, 51.0, None), fix(2, 10, 21.0, None), fix(3, 20, 51.0, None)]);
    assert_eq!((ids(&trail), trail.line().breaks().count()), (vec![1, 3], 0));
    let beside: Vec<_> = trail.outliers().iter().map(|(point, _)| point.fix).collect();
    assert_eq!(beside, [2]);
    let Some(Doubt::Leap { kmh }) = trail.doubt_of(2) else { panic!("{:?}", trail.doubt_of(2)) };
    assert!(kmh > 1_000_000.0, "{kmh}");
    assert_eq!((trail.doubt_of(1), trail.doubt_of(3)), (None, None));
    let there = World::from_lat_lon(LatLon::new(21.0, 4.0).unwrap());
    assert_eq!(trail.nearest(there, 1e-6).map(|(point, _)| point.fix), Some(2));
}

#[test]
fn a_late_fix_can_explain_an_outlier_away() {
    let mut trail =
        Trail::from_fixes(vec![fix(1, 0, 51.0, None), fix(3, 3_600, 21.0, None), fix(4, 3_660, 21.0, None)]);
    assert_eq!(ids(&trail), [1, 4]);
    // It was there already an hour before.
    trail.push(&fix(2, 10, 21.0, None));
    assert_eq!(ids(&trail), [1, 3, 4]);
    assert_eq!(trail.outliers().len(), 1);
    trail.push(&fix(2, 10, 21.0, None));
    assert_eq!(trail.outliers().len(), 1, "each is there once");
}

#[test]
fn a_suspect_fix_is_not_on_the_line() {
    let mut trail = Trail::default();
    trail.push(&StoredFix { trust: Trust::Suspect, ..fix(1, 0, 51.0, None) });
    assert_eq!(ids(&trail), [] as [i64; 0]);
}

#[test]
fn a_suspect_fix_is_kept_beside_the_line_and_can_be_pointed_at() {
    let suspect = |id, second, lat| StoredFix { trust: Trust::Suspect, ..fix(id, second, lat, None) };
    let trail = Trail::from_fixes(vec![
        fix(1, 0, 51.0, None),
        suspect(2, 30, 21.0),
        fix(3, 60, 51.001, None),
        suspect(4, 10, 22.0),
    ]);
    assert_eq!(ids(&trail), [1, 3]);
    assert_eq!(trail.line().breaks().count(), 0, "it tears no gap either");
    let beside: Vec<_> = trail.suspect().iter().map(|(point, _)| point.fix).collect();
    assert_eq!(beside, [4, 2]);
    let there = World::from_lat_lon(LatLon::new(21.0, 4.0).unwrap());
    assert_eq!(trail.place_of(2), Some(there));
    let hit = trail.nearest(there, 1e-6).map(|(point, _)| (point.fix, point.packet, point.doubt));
    assert_eq!(hit, Some((2, PacketId(2), Some(Doubt::Checksum))));
    let on_line = World::from_lat_lon(LatLon::new(51.0, 4.0).unwrap());
    assert_eq!(trail.nearest(on_line, 1e-9).map(|(point, _)| point.fix), Some(1));
}

#[test]
fn suspect_fixes_are_bounded_and_each_there_once() {
    let mut trail = Trail::default();
    let most = i64::try_from(MAX_DOUBTED).unwrap();
    for id in (0..most + 10).chain([most]) {
        trail.push(&StoredFix { trust: Trust::Suspect, ..fix(id, id, 51.0, None) });
    }
    assert_eq!(trail.suspect().len(), MAX_DOUBTED);
    assert_eq!(trail.suspect().first().map(|(point, _)| point.fix), Some(10));
}

proptest! {
    #[test]
    fn the_first_point_since_a_moment_is_what_a_plain_search_finds(
        steps in proptest::collection::vec(prop_oneof![8 => Just(10i64), 2 => 0i64..3, 1 => 1_000i64..100_000], 0..400),
        asked in proptest::collection::vec(0i64..=1_000, 20)
    ) {
        let times = steps.iter().scan(0, |at, step| { *at += step; Some(*at) }).collect::<Vec<i64>>();
        let fixes = (0..).zip(&times).map(|(n, at)| fix(n, *at, 51.0, None)).collect();
        let trail = Trail::from_fixes(fixes);
        let last = times.last().copied().unwrap_or(0);
        for part in asked {
            let at = Timestamp::from_second(1_700_000_000 - 5 + part * (last + 10) / 1_000).unwrap();
            prop_assert_eq!(trail.since(at), trail.points().iter().filter(|p| p.at < at).count());
        }
    }

    #[test]
    fn any_order_of_arrival_gives_the_same_trail(order in Just((0..40).collect::<Vec<i64>>()).prop_shuffle(), gap in 1i64..4_000) {
        let fixes: Vec<StoredFix> = (0..40).map(|n| fix(n, n * 60 + n / 17 * gap, 51.0 + n as f64 * 0.001, None)).collect();
        let mut trail = Trail::default();
        for n in order {
            trail.push(&fixes[usize::try_from(n).unwrap()]);
        }
        let expected = Trail::from_fixes(fixes);
        prop_assert_eq!(trail.points(), expected.points());
        prop_assert_eq!(trail.line().breaks().collect::<Vec<_>>(), expected.line().breaks().collect::<Vec<_>>());
    }

    #[test]
    fn any_order_of_arrival_gives_the_same_outliers(
        order in Just((0..24).collect::<Vec<usize>>()).prop_shuffle(),
        lats in proptest::collection::vec(prop_oneof![3 => Just(51.0), 1 => Just(21.0), 1 => Just(-30.0)], 24),
    ) {
        // Two fixes a moment; their rows are numbered in the order of arrival.
        let fixes = |order: &[usize]| -> Vec<StoredFix> {
            order.iter().enumerate().map(|(id, n)| {
                let second = i64::try_from(n / 2).unwrap() * 30;
                fix(i64::try_from(id).unwrap(), second, lats[*n] + *n as f64 * 1e-4, None)
            }).collect()
        };
        let told = |trail: &Trail| {
            let place = |(p, w): (&TrailPoint, &World)| (p.at, w.lat_lon().lat_deg().to_bits(), p.doubt);
            let line: Vec<_> = trail.points().iter().zip(trail.line().points()).map(place).collect();
            let beside: Vec<_> = trail.outliers().iter().map(|(p, w)| place((p, w))).collect();
            (line, beside)
        };
        let mut trail = Trail::default();
        for late in &fixes(&order) {
            trail.push(late);
        }
        let in_time = Trail::from_fixes(fixes(&(0..24).collect::<Vec<_>>()));
        prop_assert_eq!(told(&trail), told(&in_time));
        prop_assert_eq!(trail.points().len() + trail.outliers().len(), 24);
    }
}
