//! How the file is laid out does not show: what is written late is known at once and after a kill, and tracks are what positions are, whatever
//! order they came in and however much of them is packed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use rusqlite::Connection;
use tempfile::TempDir;
use wayglass::{
    model::{DeviceId, DeviceOverview, Policy, Readings, Report, TimeWindow, Timestamp, TrackPoint, Trust},
    store::{Options, Store, query},
};

use super::{NOON_MS, Shelf, after, fix, from, ms, outsider, packet, told};

/// A small generator, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn secs(&mut self, n: u64) -> Timestamp {
        after(self.below(n).cast_signed())
    }
}

const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];

/// A copy of the file as a kill would leave it: the log beside it, nothing written at the end.
fn killed(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for name in ["wayglass.db", "wayglass.db-wal"] {
        fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

/// What is known of every device, whatever order its readings came in.
fn known(db: &Connection) -> rusqlite::Result<Vec<DeviceOverview>> {
    Ok(query::device_overviews(db)?.into_iter().map(in_order).collect())
}

fn in_order(mut overview: DeviceOverview) -> DeviceOverview {
    let by_name: BTreeMap<_, _> =
        overview.readings.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    overview.readings = Readings::new();
    for (name, value) in by_name {
        overview.readings.set(name, value);
    }
    overview
}

fn report(dice: &mut Dice) -> Report {
    let at = dice.secs(400);
    match dice.below(8) {
        0 => told("batteryLevel", dice.below(100)),
        1 => Report { lost_frames: 3, ..fix(at) },
        2 => Report { trust: Trust::Suspect, ..fix(at) },
        3 => Report { lost_frames: 1, ..Report::default() },
        4 => Report { readings: told("alarm", "sos").readings, ..fix(at) },
        _ => Report { readings: told("ignition", at.as_millisecond() % 2 == 0).readings, ..fix(at) },
    }
}

#[test]
fn what_is_known_of_a_device_is_the_same_for_everyone_and_after_a_kill() {
    let mut shelf = Shelf::new(Policy::Adopt);
    let mut dice = Dice(7);
    for round in 0..12 {
        for at in 0..40 {
            let who = NAMES[usize::try_from(dice.below(5)).unwrap()];
            let reports = (0..dice.below(4)).map(|_| report(&mut dice)).collect();
            shelf.append(packet(from(who), after(round * 40 + at), reports));
        }
        let before = shelf.read(known);
        let copy = killed(shelf.dir.path());
        let again = Store::open(copy.path(), Options::new(shelf.clock())).unwrap();
        assert_eq!(again.reader().read(known).wait().unwrap(), before, "round {round}");
        again.close();
        let looks = Store::view(copy.path(), shelf.clock()).unwrap();
        assert_eq!(looks.reader().read(known).wait().unwrap(), before, "round {round}, once written");
        for overview in &before {
            let id = overview.device.id;
            let one = shelf.read(move |db| query::device_overview(db, id)).map(in_order);
            assert_eq!(one.as_ref(), Some(overview));
        }
        if round % 4 == 3 {
            shelf.close();
            let behind = "SELECT (SELECT count(*) FROM learned) + (SELECT max(id) FROM packets)
                          - (SELECT value FROM counters WHERE name = 'latest_upto')";
            let behind: i64 = outsider(shelf.dir.path()).query_row(behind, [], |row| row.get(0)).unwrap();
            assert_eq!(behind, 0, "the end writes everything");
            shelf.open(Policy::Adopt).unwrap();
            assert_eq!(shelf.read(known), before, "round {round}, opened again");
        }
    }
}

/// What the positions of each device must be: by moment and key.
type Model = BTreeMap<&'static str, BTreeSet<(i64, u64)>>;

fn check(shelf: &Shelf, model: &Model) {
    for (who, fixes) in model {
        let device = shelf.device(who).id;
        let (track, points): (Vec<_>, Vec<TrackPoint>) = shelf.read(move |db| {
            Ok((
                query::track(db, device, TimeWindow::ALL, usize::MAX)?,
                query::track_points(db, device, TimeWindow::ALL)?,
            ))
        });
        let expected: Vec<i64> = fixes.iter().map(|(at, _)| *at).collect();
        let times: Vec<_> = track.iter().map(|fix| fix.fix.at.as_millisecond()).collect();
        assert_eq!(times, expected, "{who}");
        let rows: Vec<_> = track.iter().map(|fix| fix.id).collect();
        assert_eq!(points.iter().map(|point| point.position).collect::<Vec<_>>(), rows);
        for (fix, point) in track.iter().zip(&points) {
            assert_eq!((point.at, point.suspect), (fix.fix.at, fix.trust == Trust::Suspect));
            assert!((point.lat_deg - fix.fix.place.lat_deg()).abs() < 1e-7);
            assert_eq!(point.speed_kmh, Some(61.0));
        }
        let window = TimeWindow { from: Some(after(100)), to: Some(after(160)) };
        let within = |at: &&i64| (NOON_MS + 100_000..=NOON_MS + 160_000).contains(*at);
        let some = shelf.read(move |db| query::track_points(db, device, window));
        let some: Vec<_> = some.iter().map(|point| point.at.as_millisecond()).collect();
        assert_eq!(some, expected.iter().filter(within).copied().collect::<Vec<_>>());
        let newest = shelf.read(move |db| query::track(db, device, window, 3));
        let newest: Vec<_> = newest.iter().map(|fix| fix.fix.at.as_millisecond()).collect();
        let last = expected.iter().filter(within).copied().collect::<Vec<_>>();
        assert_eq!(newest, last[last.len().saturating_sub(3)..]);
        let overview = shelf.read(move |db| query::device_overview(db, device)).unwrap();
        assert_eq!(overview.positions, expected.len() as u64);
    }
}

#[test]
fn tracks_are_what_positions_are_in_whatever_order_they_came() {
    let mut shelf = Shelf::new(Policy::Adopt);
    let mut dice = Dice(11);
    let mut model = Model::new();
    for round in 0..10_u64 {
        for _ in 0..30 {
            let who = NAMES[usize::try_from(dice.below(5)).unwrap()];
            let mut reports = Vec::new();
            let mut new = 0;
            for _ in 0..dice.below(60) {
                // Late ones, and now and then one that was sent before; sometimes many of one moment.
                let at = if dice.below(9) == 0 {
                    after(50)
                } else {
                    ms(NOON_MS + dice.below(300 + round * 60).cast_signed() * 1000)
                };
                let key = dice.below(3) * 65_537 + dice.below(2);
                reports.push(Report { fix_key: key, ..fix(at) });
                let fixes = model.entry(who).or_default();
                new += usize::from(fixes.insert((at.as_millisecond(), key)));
            }
            assert_eq!(shelf.append(packet(from(who), after(0), reports)).new_fixes, new);
        }
        check(&shelf, &model);
        if round % 3 == 1 {
            // The end packs everything.
            shelf.close();
            let left: i64 = outsider(shelf.dir.path())
                .query_row("SELECT (SELECT sum(points) FROM tracks) - (SELECT count(*) FROM positions)", [], |row| {
                    row.get(0)
                })
                .unwrap();
            assert_eq!(left, 0);
            shelf.open(Policy::Adopt).unwrap();
            check(&shelf, &model);
        }
    }
    // Each row of the tracks begins where its points do.
    let doubled = "SELECT count(*) FROM positions GROUP BY device_id, fix_time_ms, fix_key HAVING count(*) > 1";
    assert!(outsider(shelf.dir.path()).query_row(doubled, [], |_| Ok(())).is_err());

    // What is gone is gone from the tracks; its name may come again.
    let gone = shelf.device("C").id;
    shelf.store().writer().forget(gone).wait().unwrap();
    let empty = shelf.read(move |db| query::track_points(db, gone, TimeWindow::ALL));
    assert!(empty.is_empty());
    model.remove("C");
    check(&shelf, &model);
    shelf.append(packet(from("C"), after(0), vec![fix(after(3)), fix(after(2))]));
    model.insert("C", [(NOON_MS + 2000, 0), (NOON_MS + 3000, 0)].into());
    check(&shelf, &model);

    // A position that was given out is not given to another, though it was the newest and is gone.
    let newest = shelf.count("SELECT max(id) FROM positions");
    let last = shelf.device("C").id;
    shelf.store().writer().forget(last).wait().unwrap();
    shelf.close();
    shelf.open(Policy::Adopt).unwrap();
    shelf.append(packet(from("C"), after(0), vec![fix(after(3))]));
    assert!(shelf.count("SELECT max(id) FROM positions") > newest);
}

#[test]
fn a_file_of_an_older_schema_has_its_tracks_once_it_is_opened() {
    const STEPS: [&str; 5] = [
        include_str!("../../../src/store/schema/1.sql"),
        include_str!("../../../src/store/schema/2.sql"),
        include_str!("../../../src/store/schema/3.sql"),
        include_str!("../../../src/store/schema/4.sql"),
        include_str!("../../../src/store/schema/5.sql"),
    ];
    const POSITIONS: i64 = 140_000;
    let dir = TempDir::new().unwrap();
    {
        let db = outsider(dir.path());
        db.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
            .unwrap();
        for step in STEPS {
            db.execute_batch(step).unwrap();
        }
        db.execute_batch(&format!(
            "INSERT INTO devices(identity, protocol, state, first_seen_ms)
             VALUES ('A', 'gt06', 'adopted', 1), ('B', 'gt06', 'adopted', 1), ('C', 'gt06', 'adopted', 1);
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {POSITIONS} - 1)
             INSERT INTO positions(device_id, fix_time_ms, received_ms, valid, suspect, latitude, longitude, speed_kmh,
               attributes, packet_id, fix_key)
             SELECT 1 + i % 2, {NOON_MS} + i * 7919 % 100003 * 1000, {NOON_MS}, 1, 0, 54.9, 24.0, 61.0, '{{}}', i, i FROM n;
             INSERT INTO latest(device_id, packets, positions) VALUES (1, 0, {POSITIONS} / 2), (2, 0, {POSITIONS} / 2);
             PRAGMA user_version = 5; PRAGMA application_id = {};",
            0x5761_7967
        ))
        .unwrap();
    }
    let mut shelf = Shelf::new(Policy::Ask);
    shelf.close();
    shelf.dir = dir;
    shelf.open(Policy::Ask).unwrap();
    assert_eq!(shelf.count("SELECT sum(points) FROM tracks"), POSITIONS);
    for id in [1, 2, 3] {
        let device = DeviceId(id);
        let points = shelf.read(move |db| query::track_points(db, device, TimeWindow::ALL));
        assert_eq!(points.len(), if id < 3 { 70_000 } else { 0 });
        assert!(points.is_sorted_by_key(|point| point.at));
        let each = shelf.read(move |db| {
            let mut count = 0;
            query::track_each(db, device, TimeWindow::ALL, |_| {
                count += 1;
                std::ops::ControlFlow::Continue(())
            })?;
            Ok(count)
        });
        assert_eq!(each, points.len());
    }
    let overview = shelf.read(query::device_overviews).remove(0);
    assert_eq!(overview.positions, POSITIONS.unsigned_abs() / 2);
    // Sent again, it is no second row.
    let at = ms(shelf.count("SELECT fix_time_ms FROM positions WHERE id = 1"));
    let key = shelf.count("SELECT fix_key FROM positions WHERE id = 1").cast_unsigned();
    let again = shelf.append(packet(from("A"), after(0), vec![Report { fix_key: key, ..fix(at) }]));
    assert_eq!(again.new_fixes, 0);
}
