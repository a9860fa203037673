//! What is packed, in whatever rows, is what was stored; and the rows of a device do not pile up.

use std::{collections::BTreeMap, path::Path};

use proptest::prelude::*;

use super::*;
use crate::{
    geo::LatLon,
    model::{Fix, Policy, Timestamp},
    store::{
        schema,
        trail::Key,
        writer::{batch::Ground, quarantine::Quarantine, retention::Kept},
    },
};

const BEGAN_MS: i64 = 1_793_000_000_000;
const DEVICES: [DeviceId; 3] = [DeviceId(1), DeviceId(2), DeviceId(3)];

/// A row with fewer bytes has room for any point.
const FULL: u64 = 3_700;

/// What a device does.
#[derive(Debug, Clone)]
enum Does {
    /// It tells so many fixes, each some time after its last.
    Goes(usize),
    /// It tells one of so many milliseconds before its last, or of the same moment.
    IsLate(i64),
    /// A position is lost: this part of all, in thousandths, comes before it.
    Loses(usize),
    /// It has everything of the one before it from now on.
    Takes,
    IsForgotten,
}

/// What comes after all devices did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Packs,
    /// It is packed, and then everything is read anew.
    Restarts,
    /// It is packed, and that is rolled back.
    Fails,
    /// Nothing.
    Waits,
}

/// A file with its trails, and what must be in them: whole keys under the keys of points.
struct File {
    db: Connection,
    devices: Devices,
    quarantine: Quarantine,
    kept: Kept,
    model: BTreeMap<DeviceId, BTreeMap<Key, i64>>,
}

impl File {
    fn new() -> Self {
        let mut db = Connection::open_in_memory().unwrap();
        db.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut db, Path::new("")).unwrap();
        let model = DEVICES.into_iter().map(|device| (device, BTreeMap::new())).collect();
        Self { db, devices: Devices::default(), quarantine: Quarantine::default(), kept: Kept::default(), model }
    }

    fn batch<T>(&mut self, work: impl FnOnce(&mut Batch<'_>) -> Result<T>) -> T {
        let ground = Ground {
            db: &self.db,
            devices: &mut self.devices,
            quarantine: &mut self.quarantine,
            kept: &mut self.kept,
            last_packet: &mut 0,
            policy: Policy::Adopt,
            now: Timestamp::UNIX_EPOCH,
            heard: false,
        };
        work(&mut Batch::new(ground).unwrap()).unwrap()
    }

    /// A fix is stored unless it is there, as a report's is.
    fn store(&mut self, device: DeviceId, at_ms: i64, key: i64) {
        if self.devices.trails.find(&self.db, device, at_ms, key).unwrap().is_some() {
            return;
        }
        let id = self.devices.trails.last_position + 1;
        let fix = Fix {
            at: Timestamp::from_millisecond(at_ms).unwrap(),
            place: LatLon::new(47.0, 15.4).unwrap(),
            valid: true,
            altitude_m: None,
            // Such numbers as take up some room.
            speed_kmh: Some(f64::from(u32::try_from(id * 7919 % 100_003).unwrap())),
            course_deg: None,
            satellites: None,
            accuracy_m: Some(f64::from(u32::try_from(id * 104_729 % 1_000_003).unwrap())),
        };
        let sql = "INSERT INTO positions(id, device_id, fix_time_ms, received_ms, valid, suspect, latitude, longitude, speed_kmh,
                     accuracy_m, attributes, packet_id, fix_key) VALUES (?1, ?2, ?3, ?3, 1, 0, 47.0, 15.4, ?4, ?5, '{}', ?1, ?6)";
        let params = params![id, device.0, at_ms, fix.speed_kmh, fix.accuracy_m, key];
        self.db.prepare_cached(sql).unwrap().execute(params).unwrap();
        let point = Point::new(id, key, &fix, true, false);
        self.devices.trails.push(&self.db, device, point, key).unwrap();
        self.model.get_mut(&device).unwrap().insert(point.key(), key);
    }

    fn last_ms(&self, device: DeviceId) -> i64 {
        self.model[&device].last_key_value().map_or(BEGAN_MS, |((at_ms, ..), _)| *at_ms)
    }

    fn does(&mut self, device: DeviceId, does: &Does) {
        let last_ms = self.last_ms(device);
        match *does {
            Does::Goes(count) => (1_i64..).take(count).for_each(|n| self.store(device, last_ms + n * 700, n)),
            Does::IsLate(by_ms) => self.store(device, last_ms - by_ms, 5),
            Does::Loses(part) => {
                let fixes = self.model.get_mut(&device).unwrap();
                let Some(key) = fixes.keys().nth(fixes.len() * part / 1000).copied() else { return };
                fixes.remove(&key);
                // Each is of a packet of its own.
                assert_eq!(self.batch(|batch| batch.remove_positions_of(key.2, Some(device))), 1);
            }
            Does::Takes => {
                let Some(from) = DEVICES.into_iter().find(|from| from.0 == device.0 - 1) else { return };
                let (given, _) = self.batch(|batch| batch.give_positions(from, device));
                let of = std::mem::take(self.model.get_mut(&from).unwrap());
                let to = self.model.get_mut(&device).unwrap();
                let before = to.len();
                let mut left = BTreeMap::new();
                for (point, key) in of {
                    let is_there = to.iter().any(|((at_ms, ..), other)| *at_ms == point.0 && *other == key);
                    if is_there { &mut left } else { &mut *to }.insert(point, key);
                }
                assert_eq!(given, to.len() - before);
                self.model.insert(from, left);
            }
            Does::IsForgotten => {
                self.batch(|batch| batch.remove_all_positions(device));
                self.model.insert(device, BTreeMap::new());
            }
        }
    }

    fn pack(&mut self) {
        assert!(!self.batch(|batch| batch.pack_some(Slice::endless())));
    }

    fn then(&mut self, then: Then) {
        match then {
            Then::Waits => {}
            Then::Packs => self.pack(),
            Then::Restarts => {
                self.pack();
                self.devices.reload(&self.db).unwrap();
            }
            Then::Fails => {
                self.db.execute_batch("BEGIN").unwrap();
                self.pack();
                self.db.execute_batch("ROLLBACK").unwrap();
                self.devices.reload(&self.db).unwrap();
            }
        }
    }

    fn number(&self, sql: &str, device: DeviceId) -> u64 {
        self.db.prepare_cached(sql).unwrap().query_row([device.0], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
    }

    fn rows(&self, device: DeviceId) -> u64 {
        self.number("SELECT count(*) FROM tracks WHERE device_id = ?1", device)
    }

    fn bytes(&self, device: DeviceId) -> u64 {
        self.number("SELECT coalesce(sum(length(packed)), 0) FROM tracks WHERE device_id = ?1", device)
    }

    /// All points within a window, as the writer has them and as others read them.
    fn walked(&self, device: DeviceId, window: (i64, i64), order: Order) -> Vec<Key> {
        let (mut of_writer, mut of_reader) = (Vec::new(), Vec::new());
        let push = |to: &mut Vec<Key>, point: &Point| {
            to.push(point.key());
            Ok(ControlFlow::Continue(()))
        };
        self.devices.trails.each(&self.db, device, window, order, |point| push(&mut of_writer, point)).unwrap();
        let tail = walk::Tail::of_one(&self.db, device).unwrap();
        walk(&self.db, device, window, tail.points(device), order, |point| push(&mut of_reader, point)).unwrap();
        assert_eq!(of_writer, of_reader);
        of_writer
    }

    /// Looks for each of so many fixes.
    fn check(&mut self, each: usize) {
        for (device, fixes) in self.model.clone() {
            let ms = |part: usize| fixes.keys().nth(fixes.len() * part / 9).map_or(BEGAN_MS, |key| key.0);
            for (from_ms, to_ms) in [ALWAYS, (ms(3), ms(6)), (ms(8), i64::MAX)] {
                let mut within: Vec<_> =
                    fixes.keys().filter(|key| (from_ms..=to_ms).contains(&key.0)).copied().collect();
                assert_eq!(self.walked(device, (from_ms, to_ms), Order::OldestFirst), within);
                within.reverse();
                assert_eq!(self.walked(device, (from_ms, to_ms), Order::NewestFirst), within);
            }
            assert_eq!(self.batch(|batch| batch.count_positions(device)), fixes.len() as u64);
            for (point, key) in fixes.iter().rev().step_by(each) {
                let found = self.devices.trails.find(&self.db, device, point.0, *key).unwrap();
                assert_eq!(found.map(|found| found.key()), Some(*point));
                let other = self.devices.trails.find(&self.db, device, point.0, *key + 65_536).unwrap();
                assert_eq!(other.map(|found| found.key()), None);
            }
        }
    }
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        12 => (0_usize..40).prop_map(Does::Goes),
        2 => (50_usize..400).prop_map(Does::Goes),
        3 => (0_i64..20_000).prop_map(Does::IsLate),
        1 => (0_i64..2_000_000).prop_map(Does::IsLate),
        1 => Just(Does::IsLate(0)),
        2 => (0_usize..1000).prop_map(Does::Loses),
        1 => Just(Does::Takes),
        1 => Just(Does::IsForgotten),
    ]
}

fn then() -> impl Strategy<Value = Then> {
    prop_oneof![
        16 => Just(Then::Packs),
        2 => Just(Then::Restarts),
        1 => Just(Then::Fails),
        1 => Just(Then::Waits),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_devices_do_their_trails_are_what_was_stored(
        rounds in proptest::collection::vec(((does(), does(), does()), then()), 1..30),
    ) {
        let mut file = File::new();
        for ((first, second, third), then) in rounds {
            for (device, does) in DEVICES.into_iter().zip([first, second, third]) {
                file.does(device, &does);
            }
            file.then(then);
            file.check(29);
        }
        file.check(3);
    }

    #[test]
    fn rows_do_not_pile_up(rounds in proptest::collection::vec((1_usize..80, then()), 1..50)) {
        let mut file = File::new();
        for (count, then) in rounds {
            for device in DEVICES {
                file.does(device, &Does::Goes(count));
            }
            file.then(then);
            for device in DEVICES {
                let most = file.bytes(device) / FULL + 1 + u64::from(MOST_SHORT);
                prop_assert!(file.rows(device) <= most, "{} rows, of {most} at most", file.rows(device));
            }
        }
        file.check(41);
    }
}

#[test]
fn a_few_points_are_a_row_of_their_own_until_there_are_some() {
    let mut file = File::new();
    let round = |file: &mut File, fresh: bool| {
        for device in DEVICES {
            file.does(device, &Does::Goes(13));
        }
        file.then(if fresh { Then::Restarts } else { Then::Packs });
        DEVICES.map(|device| file.rows(device))
    };
    // The first is where it is not known what is there.
    for rows in 1..=6 {
        assert_eq!(round(&mut file, false), [rows; 3]);
    }
    // Each in another round.
    let last: Vec<_> = (0..4).map(|_| round(&mut file, false)).collect();
    assert_eq!(last, [[7, 7, 1], [8, 1, 2], [1, 2, 3], [2, 3, 4]]);
    // Those that a start finds are joined as well.
    assert_eq!(round(&mut file, true), [3, 4, 5]);
    assert_eq!(round(&mut file, false), [1; 3]);
    // A late one joins them, even one of the same moment.
    assert_eq!(round(&mut file, false), [2; 3]);
    file.does(DEVICES[0], &Does::IsLate(0));
    file.does(DEVICES[1], &Does::IsLate(1));
    file.pack();
    assert_eq!(DEVICES.map(|device| file.rows(device)), [1, 1, 2]);
    file.check(1);
    assert_eq!(file.devices.trails.by_device[&DEVICES[0]].short, Some(0));
}
