//! A story a line: fixes in, events out.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::{
    geo::fence::Shape,
    model::watch::{PlaceSpec, Quiet, Rules},
};

const ME: DeviceId = DeviceId(7);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A fix so many metres north of the middle of [`yard`].
fn fix(second: i64, metres: f64) -> Seen {
    Seen {
        at: at(second),
        place: LatLon::new(51.0 + metres / 111_195.0, 4.0).unwrap(),
        accuracy_m: Some(10.0),
        speed_kmh: None,
        battery: None,
        sound: true,
        packet: PacketId(second),
        received: at(second),
    }
}

fn yard(dwell_min: Option<u32>) -> Place {
    let shape = Shape::Circle { center: LatLon::new(51.0, 4.0).unwrap(), radius_m: 100.0 };
    Place { id: PlaceId(1), spec: PlaceSpec { dwell_min, ..PlaceSpec::new("Yard", shape) }, since: at(-10_000_000) }
}

fn book(dwell_min: Option<u32>) -> Book {
    Book::new(vec![yard(dwell_min)], RuleBook::default())
}

fn with_rules(rules: Rules) -> Book {
    Book::new(Vec::new(), RuleBook { all: (rules, Timestamp::MIN), ..RuleBook::default() })
}

/// Everything that fixes make, in any order of arrival.
fn events(book: &Book, fixes: &[Seen]) -> Vec<Raised> {
    let mut fixes = fixes.to_vec();
    fixes.sort_by_key(Seen::order);
    let (mut course, mut out) = (Course::default(), Vec::new());
    for seen in &fixes {
        course.step(book, ME, seen, &mut out);
    }
    out
}

fn story(book: &Book, fixes: &[Seen]) -> String {
    let mut text = String::new();
    for raised in events(book, fixes) {
        let second = raised.at.as_second() - 1_700_000_000;
        write!(text, "{}@{second} ", raised.kind.as_str()).unwrap();
    }
    text.trim_end().to_owned()
}

#[test]
fn in_and_out_with_the_times_of_the_fixes() {
    let way = [(0, 500.0), (60, 300.0), (120, 0.0), (180, 20.0), (240, 400.0), (300, 0.0)];
    assert_eq!(story(&book(None), &way.map(|(s, m)| fix(s, m))), "enter@120 leave@240 enter@300");
}

#[test]
fn jitter_on_the_border_decides_nothing() {
    let way = [(0, 500.0), (60, 50.0), (120, 95.0), (180, 104.0), (240, 98.0), (300, 109.0), (360, 111.0)];
    assert_eq!(story(&book(None), &way.map(|(s, m)| fix(s, m))), "enter@60 leave@360");
    let unsure = |s, m, accuracy_m| Seen { accuracy_m, ..fix(s, m) };
    let way = [fix(0, 50.0), unsure(60, 3_000.0, Some(5_000.0)), fix(120, 50.0), unsure(180, 115.0, None)];
    assert_eq!(story(&book(None), &way), "", "a cell tower, and 15 m out with nothing said of accuracy");
}

#[test]
fn who_was_there_from_the_first_did_not_come() {
    assert_eq!(story(&book(None), &[fix(0, 0.0), fix(60, 10.0), fix(120, 500.0)]), "leave@120");
    let unsure = Seen { accuracy_m: Some(400.0), ..fix(0, 0.0) };
    assert_eq!(story(&book(None), &[unsure.clone(), fix(60, 0.0), fix(120, 500.0)]), "leave@120");
    assert_eq!(story(&book(None), &[unsure, fix(60, 900.0), fix(120, 0.0)]), "enter@120");
}

#[test]
fn a_stay_is_long_at_its_moment_and_once() {
    let way = [(0, 500.0), (60, 0.0), (300, 0.0), (700, 5.0), (900, 5.0), (1_000, 500.0), (1_100, 0.0), (1_500, 900.0)];
    assert_eq!(
        story(&book(Some(10)), &way.map(|(s, m)| fix(s, m))),
        "enter@60 dwell@660 leave@1000 enter@1100 leave@1500"
    );
    let silent = [fix(0, 500.0), fix(60, 0.0), fix(7_200, 800.0)];
    assert_eq!(story(&book(Some(10)), &silent), "enter@60 dwell@660 leave@7200", "it was there as far as anybody knew");
}

#[test]
fn a_stay_is_long_by_the_clock_as_well_and_the_fixes_tell_the_same() {
    let book = book(Some(10));
    let (mut course, mut out) = (Course::after(&book, ME, &[fix(0, 500.0), fix(60, 0.0)]), Vec::new());
    course.wait(&book, at(659), &mut out);
    assert_eq!(out, []);
    course.wait(&book, at(660), &mut out);
    course.wait(&book, at(7_000), &mut out);
    let told =
        |seen: Seen| events(&book, &[fix(0, 500.0), fix(60, 0.0), seen]).into_iter().find(|r| r.kind == Kind::Dwell);
    let same = told(fix(7_200, 0.0)).unwrap();
    assert_eq!(out.iter().map(|r| (r.at, &r.attributes)).collect::<Vec<_>>(), [(same.at, &same.attributes)]);
    assert!(course.is_overtaken_by(at(659)) && !course.is_overtaken_by(at(660)));
    course.step(&book, ME, &fix(7_200, 0.0), &mut out);
    assert_eq!(out.len(), 1, "it is told once");
}

#[test]
fn a_wrong_clock_tells_no_stay_that_was_not() {
    let book = book(Some(10));
    let late = |second: i64, by: i64, metres| Seen { received: at(second + by), ..fix(second, metres) };
    let mut out = Vec::new();
    let mut course = Course::after(&book, ME, &[late(0, 28_800, 500.0), late(60, 28_800, 0.0)]);
    course.wait(&book, at(28_900), &mut out);
    assert_eq!(out, [], "its clock is eight hours behind");
    course.wait(&book, at(28_800 + 660), &mut out);
    assert_eq!(out.iter().map(|r| r.at).collect::<Vec<_>>(), [at(660)]);
}

#[test]
fn what_cannot_be_believed_decides_nothing() {
    let bad = Seen { sound: false, ..fix(60, 0.0) };
    let wild = Seen { place: LatLon::new(-33.9, 151.2).unwrap(), ..fix(90, 0.0) };
    assert_eq!(story(&book(None), &[fix(0, 500.0), bad, fix(120, 500.0)]), "");
    assert_eq!(story(&book(None), &[fix(0, 0.0), wild, fix(120, 0.0)]), "");
}

#[test]
fn only_whom_it_concerns_and_only_since_it_is_there() {
    let way = [fix(0, 500.0), fix(60, 0.0), fix(120, 500.0)];
    let mut place = yard(None);
    place.spec.devices = Some([DeviceId(8)].into());
    assert_eq!(story(&Book::new(vec![place], RuleBook::default()), &way), "");
    let mut place = yard(None);
    place.since = at(100);
    assert_eq!(story(&Book::new(vec![place], RuleBook::default()), &way), "leave@120");
    let mut place = yard(None);
    (place.spec.enter, place.spec.leave) = (false, true);
    assert_eq!(story(&Book::new(vec![place], RuleBook::default()), &way), "leave@120");
}

#[test]
fn a_new_place_is_settled_by_the_last_fix() {
    let (none, there) = (Book::default(), book(None));
    let mut course = Course::after(&none, ME, &[fix(0, 0.0)]);
    course.adapt(&none, &there, ME);
    let mut out = Vec::new();
    course.step(&there, ME, &fix(60, 10.0), &mut out);
    assert_eq!(out, []);
    course.step(&there, ME, &fix(120, 500.0), &mut out);
    assert_eq!(out.iter().map(|r| r.kind).collect::<Vec<_>>(), [Kind::Leave]);
    course.adapt(&there, &none, ME);
    course.step(&none, ME, &fix(180, 0.0), &mut out);
    assert_eq!(out.len(), 1, "the place is gone");
}

#[test]
fn too_fast_for_long_enough_and_once_a_run() {
    let overspeed = Overspeed { on: true, above_kmh: 100.0, for_s: 20 };
    let book = with_rules(Rules { overspeed, ..Rules::default() });
    let fast = |s: i64, kmh: f64| Seen { speed_kmh: Some(kmh), ..fix(s, 0.0) };
    let way = [(0, 90.0), (10, 101.0), (20, 120.0), (30, 130.0), (40, 140.0), (50, 90.0), (60, 150.0), (70, 90.0)];
    assert_eq!(story(&book, &way.map(|(s, v)| fast(s, v))), "overspeed@30");
    assert_eq!(story(&book, &[fast(0, 120.0), fast(3_600, 120.0)]), "", "an hour apart is no run");
    let at_once = with_rules(Rules { overspeed: Overspeed { for_s: 0, ..overspeed }, ..Rules::default() });
    assert_eq!(story(&at_once, &[fast(0, 100.0), fast(10, 100.5)]), "overspeed@10");
    let off = with_rules(Rules { overspeed: Overspeed { on: false, for_s: 0, ..overspeed }, ..Rules::default() });
    assert_eq!(story(&off, &[fast(10, 200.0)]), "");
}

#[test]
fn a_low_battery_is_told_once_until_it_was_charged() {
    let book =
        with_rules(Rules { battery: Battery { on: true, below: 15 }, quiet: Quiet::default(), ..Rules::default() });
    let level = |s: i64, percent: f64| Seen { battery: Some(percent), ..fix(s, 0.0) };
    let way = [(0, 40.0), (10, 14.0), (20, 15.0), (30, 13.0), (40, 19.0), (50, 14.0), (60, 20.0), (70, 14.0)];
    assert_eq!(story(&book, &way.map(|(s, p)| level(s, p))), "lowBattery@10 lowBattery@70");
    assert_eq!(story(&book, &[level(0, 3.0), level(10, 2.0)]), "lowBattery@0", "a new one that is low at once");
}

fn wander() -> impl Strategy<Value = Vec<Seen>> {
    let step = (1i64..400, -300.0..300.0f64, prop::option::of(0.0..150.0f64), 0.0..100.0f64);
    prop::collection::vec(step, 2..60).prop_map(|steps| {
        let mut second = 0;
        steps
            .into_iter()
            .map(|(later, metres, accuracy_m, battery)| {
                second += later;
                Seen { accuracy_m, battery: Some(battery), speed_kmh: Some(metres.abs()), ..fix(second, metres) }
            })
            .collect()
    })
}

fn strict() -> Book {
    let overspeed = Overspeed { on: true, above_kmh: 200.0, for_s: 30 };
    let rules = RuleBook { all: (Rules { overspeed, ..Rules::default() }, Timestamp::MIN), ..RuleBook::default() };
    Book::new(vec![yard(Some(5))], rules)
}

proptest! {
    #[test]
    fn the_order_of_arrival_makes_no_difference(fixes in wander(), seed in any::<u64>()) {
        let book = strict();
        let mut shuffled = fixes.clone();
        let mut random = seed;
        for n in (1..shuffled.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(n, usize::try_from(random >> 33).unwrap() % (n + 1));
        }
        prop_assert_eq!(events(&book, &shuffled), events(&book, &fixes));
    }

    #[test]
    fn who_begins_again_in_the_middle_finds_the_same(fixes in wander(), part in 0.0..1.0f64) {
        let book = strict();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few dozen")]
        let cut = (fixes.len() as f64 * part) as usize;
        let (before, after) = fixes.split_at(cut);
        let (mut all, mut out) = (Course::default(), Vec::new());
        for seen in before {
            all.step(&book, ME, seen, &mut out);
        }
        let mut again = Course::after(&book, ME, before);
        prop_assert_eq!(&again, &all);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for seen in after {
            all.step(&book, ME, seen, &mut one);
            again.step(&book, ME, seen, &mut two);
        }
        prop_assert_eq!(one, two);
    }

    #[test]
    fn coming_and_going_take_turns_and_every_event_has_the_time_of_the_story(fixes in wander()) {
        let raised = events(&strict(), &fixes);
        let turns: Vec<_> = raised.iter().map(|r| r.kind).filter(|k| matches!(k, Kind::Enter | Kind::Leave)).collect();
        prop_assert!(turns.windows(2).all(|pair| pair[0] != pair[1]));
        let (first, last) = (fixes.first().unwrap().at, fixes.last().unwrap().at);
        prop_assert!(raised.iter().all(|r| (first..=last).contains(&r.at)));
    }
}
