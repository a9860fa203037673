//! A batch in the store: where its positions came from, what is known of devices by it, and how it is taken back.

use std::{fs, path::PathBuf, sync::Arc};

use jiff::tz::TimeZone;
use wayglass::{
    backend::import::{Found, ImportError, Source, bring, look, new_device, take_back},
    model::{CountedIn, DeviceId, ImportBatch, ImportInto, TimeWindow, Timestamp},
    store::{Options, Store, Watch, origin_of, query},
};

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path(), Options::new(Arc::new(now))).unwrap()
}

/// So many points ten seconds apart, from this one on, below a header of one line.
fn table(folder: &tempfile::TempDir, name: &str, from: usize, points: usize) -> PathBuf {
    let file = folder.path().join(name);
    let rows = (from..from + points).map(|n| format!("{},{}.5,2.5,{n}\n", 1_497_508_651 + n * 10, 10 + n % 50));
    fs::write(&file, format!("time,lat,lon,batteryLevel\n{}", rows.collect::<String>())).unwrap();
    file
}

fn look_at(store: &Store, path: PathBuf) -> Found {
    let source = Source { path, zone: TimeZone::UTC };
    look(Some(&store.reader()), source, None, now(), &Watch::default()).unwrap()
}

fn batches(store: &Store) -> Vec<ImportBatch> {
    store.reader().read(query::imports).wait().unwrap()
}

/// Positions, the last fix, and the battery it told.
fn known(store: &Store) -> Vec<(u64, Option<Timestamp>, Option<serde_json::Value>)> {
    let all = store.reader().read(query::device_overviews).wait().unwrap();
    all.into_iter()
        .map(|d| (d.positions, d.last_fix.map(|fix| fix.fix.at), d.readings.get("batteryLevel").cloned()))
        .collect()
}

fn at(n: i64) -> Option<Timestamp> {
    Timestamp::from_second(1_497_508_651 + n * 10).ok()
}

#[test]
fn every_position_says_where_it_stood() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    let found = look_at(&store, table(&files, "a.csv", 0, 3));
    let into = vec![new_device("Bike", None)];
    let report = bring(&store.writer(), &found, &into, now(), &Watch::default()).unwrap();
    let device = report.devices[0].clone();
    assert_eq!((device.label(), device.identity.as_str()), ("Bike", "imported/Bike"));
    let track = store.reader().read(move |db| query::track(db, device.id, TimeWindow::ALL, 10)).wait().unwrap();
    let origins = track.iter().map(|fix| {
        let packet = fix.packet;
        store.reader().read(move |db| origin_of(db, packet)).wait().unwrap().unwrap().to_string()
    });
    let file = files.path().join("a.csv").display().to_string();
    assert_eq!(origins.collect::<Vec<_>>(), [2, 3, 4].map(|line| format!("{file}, line {line}")));
    let [batch] = batches(&store).try_into().unwrap();
    assert_eq!((batch.positions, batch.duplicates, batch.format.as_str(), batch.file), (3, 0, "csv", file));
    assert!(batch.ended.is_some() && batch.undone.is_none() && batch.counted_in == CountedIn::Lines);
}

#[test]
fn a_file_of_one_long_line_is_counted_in_bytes() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    let point = |n: usize| {
        format!(
            r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[2,{n}]}},"properties":{{"time":{n}}}}}"#
        )
    };
    let text =
        format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, (0..20).map(point).collect::<Vec<_>>().join(","));
    let file = files.path().join("a.geojson");
    fs::write(&file, &text).unwrap();
    let found = look_at(&store, file);
    assert_eq!(found.counted_in, CountedIn::Bytes);
    bring(&store.writer(), &found, &[new_device("x", None)], now(), &Watch::default()).unwrap();
    let track = store.reader().read(|db| query::track(db, DeviceId(1), TimeWindow::ALL, 30)).wait().unwrap();
    let (_, byte) = track[17].packet.import().unwrap();
    assert!(text[usize::try_from(byte).unwrap()..].starts_with(&point(17)), "{byte}");
}

#[test]
fn a_batch_is_taken_back_and_leaves_what_was_there() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    let into = vec![new_device("Bike", None)];
    let first = look_at(&store, table(&files, "a.csv", 0, 10));
    let first = bring(&store.writer(), &first, &into, now(), &Watch::default()).unwrap();
    assert_eq!(known(&store), [(10, at(9), Some(9.into()))]);
    // Half of it is there already. More than one step of everything.
    let second = look_at(&store, table(&files, "b.csv", 5, 2_505));
    let second = bring(&store.writer(), &second, &into, now(), &Watch::default()).unwrap();
    assert_eq!((second.positions, second.duplicates), (2_500, 5));
    assert_eq!(known(&store), [(2_510, at(2_509), Some(2_509.into()))]);

    assert_eq!(take_back(&store.writer(), second.batch).unwrap(), 2_500);
    assert_eq!(known(&store), [(10, at(9), Some(9.into()))], "as before");
    assert_eq!(take_back(&store.writer(), second.batch).unwrap(), 0, "twice does no harm");
    let undone: Vec<_> = batches(&store).iter().map(|batch| batch.undone.is_some()).collect();
    assert_eq!(undone, [true, false]);
    assert_eq!(take_back(&store.writer(), first.batch).unwrap(), 10);
    assert_eq!(known(&store), [], "the device was made for it");
    take_back(&store.writer(), wayglass::model::ImportId(99)).unwrap_err();
    // What was known is what the file says, after a start as well.
    store.close();
    assert_eq!(known(&open(&folder)), []);
}

#[test]
fn what_is_broken_off_is_taken_back() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    let found = look_at(&store, table(&files, "a.csv", 0, 5_000));
    let cancelled = Watch::default();
    cancelled.cancel();
    let failed = bring(&store.writer(), &found, &[new_device("Bike", None)], now(), &cancelled).unwrap_err();
    assert!(matches!(failed, ImportError::Cancelled), "{failed}");
    assert_eq!(known(&store), []);
    // The device is gone before its second part.
    let gone = vec![Some(ImportInto::Device(DeviceId(77)))];
    let failed = bring(&store.writer(), &found, &gone, now(), &Watch::default()).unwrap_err();
    assert!(failed.to_string().contains("gone"), "{failed}");
    assert!(batches(&store).iter().all(|batch| batch.undone.is_some() && batch.positions == 0));
    let looked = look(
        Some(&store.reader()),
        Source { path: files.path().join("a.csv"), zone: TimeZone::UTC },
        None,
        now(),
        &cancelled,
    );
    assert!(matches!(looked, Err(ImportError::Cancelled)));
}

#[test]
fn numbers_of_batches_are_never_given_out_twice() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder);
    let found = look_at(&store, table(&files, "a.csv", 0, 2));
    let into = vec![new_device("Bike", None)];
    let mut seen = Vec::new();
    for _ in 0..3 {
        let report = bring(&store.writer(), &found, &into, now(), &Watch::default()).unwrap();
        take_back(&store.writer(), report.batch).unwrap();
        seen.push(report.batch.0);
    }
    assert_eq!(seen, [1, 2, 3]);
}
