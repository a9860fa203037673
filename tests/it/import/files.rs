//! What we write is read back as it was, whatever the format: the same points, and none twice.

use std::sync::Arc;

use jiff::tz::TimeZone;
use wayglass::{
    backend::{
        ExportJob, History, export_history,
        import::{Found, Source, bring, look, new_device, take_back},
    },
    export::{Format, Wanted},
    model::{DeviceState, ImportInto, Policy, StoredFix, TimeWindow, Timestamp},
    store::{Options, Store, Watch, query},
};

use crate::support::{Station, Tracker, post};

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn open(folder: &std::path::Path) -> Store {
    Store::open(folder, Options::new(Arc::new(now))).unwrap()
}

/// A phone with everything it can tell, and a tracker whose coordinates are no round numbers.
fn station() -> tempfile::TempDir {
    let station = Station::start(Policy::Adopt);
    for second in [0, 10, 20, 4000] {
        let tst = 1_497_508_651 + second;
        let body = format!(
            r#"{{"_type":"location","topic":"owntracks/jane/phone","lat":48.8583312345,"lon":2.29513,"alt":167,"acc":5,"vel":61,"cog":271,"batt":87,"tst":{tst}}}"#
        );
        assert_eq!(post(station.owntracks, &body).status, 200);
    }
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send("78780D01012345678901234500018CDD0D0A");
    tracker.expect("787805010001D9DC0D0A");
    tracker.send("78781F120F0A140E150BC505E51E780293A9E800540000F601006E0055DA00035F240D0A");
    tracker.expect("787805120003903F0D0A");
    station.stop()
}

fn fixes(store: &Store) -> Vec<StoredFix> {
    let reader = store.reader();
    let devices = reader.read(query::devices).wait().unwrap();
    let track = |id| reader.read(move |db| query::track(db, id, TimeWindow::ALL, 100)).wait().unwrap();
    devices.into_iter().flat_map(|device| track(device.id)).collect()
}

fn look_at(store: &Store, path: &std::path::Path) -> Found {
    let source = Source { path: path.to_owned(), zone: TimeZone::UTC };
    look(Some(&store.reader()), source, None, now(), &Watch::default()).unwrap()
}

/// Each track to the device that is here, or to a new one.
fn targets(found: &Found) -> Vec<Option<ImportInto>> {
    let into = |track: &wayglass::backend::import::FoundTrack| match &track.device {
        Some(device) => Some(ImportInto::Device(device.id)),
        None => new_device(track.track.label(), track.track.identity.as_deref()),
    };
    found.tracks.iter().map(into).collect()
}

#[test]
fn what_we_write_is_read_back_and_never_stored_twice() {
    let (here, there) = (station(), tempfile::tempdir().unwrap());
    let old = open(here.path());
    let before = fixes(&old);
    assert_eq!(before.len(), 5, "{before:?}");
    let devices: Vec<_> = old.reader().read(query::devices).wait().unwrap().iter().map(|d| d.id).collect();
    for format in Format::ALL {
        let file = there.path().join(format!("all.{}", format.extension()));
        let wanted = Wanted { readings: true, ..Wanted::default() };
        let history = History { devices: devices.clone(), window: TimeWindow::ALL, format, wanted };
        let job = ExportJob { history, to: file.clone(), each: false };
        export_history(&old.reader(), job, now(), &Watch::default()).unwrap();

        let again = look_at(&old, &file);
        assert_eq!((again.points, again.duplicates(), again.rejected), (5, 5, 0), "{format:?}: {again:?}");
        let report = bring(&old.writer(), &again, &targets(&again), now(), &Watch::default()).unwrap();
        assert_eq!((report.positions, report.duplicates), (0, 5), "{format:?}");

        // Into an empty store: the same points, at the same devices.
        let folder = tempfile::tempdir().unwrap();
        let new = open(folder.path());
        let found = look_at(&new, &file);
        assert_eq!((found.points, found.duplicates(), found.broken.clone()), (5, 0, None), "{format:?}");
        let report = bring(&new.writer(), &found, &targets(&found), now(), &Watch::default()).unwrap();
        assert_eq!((report.positions, report.devices.len()), (5, 2), "{format:?}");
        let after = fixes(&new);
        assert_eq!(after.len(), before.len());
        for old in &before {
            let same =
                after.iter().find(|new| new.fix.at == old.fix.at && new.fix.place.distance_m(old.fix.place) < 0.02);
            let new = same.unwrap_or_else(|| panic!("{format:?}: {old:?} in {after:?}"));
            let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() < 0.01,
                (a, b) => a == b,
            };
            assert!(close(new.fix.speed_kmh, old.fix.speed_kmh), "{format:?}: {new:?} {old:?}");
            assert!(close(new.fix.course_deg, old.fix.course_deg), "{format:?}: {new:?} {old:?}");
            assert!(close(new.fix.altitude_m, old.fix.altitude_m) && close(new.fix.accuracy_m, old.fix.accuracy_m));
            assert_eq!((new.fix.valid, new.fix.satellites), (old.fix.valid, old.fix.satellites), "{format:?}");
            assert_eq!(new.readings.get("batteryLevel"), old.readings.get("batteryLevel"), "{format:?}");
        }
        let made = new.reader().read(query::devices).wait().unwrap();
        let identities: Vec<_> = made.iter().map(|d| d.identity.as_str().to_owned()).collect();
        assert!(identities.contains(&"owntracks/jane/phone".to_owned()), "{format:?}: {identities:?}");
        assert!(made.iter().all(|d| d.state == DeviceState::Adopted));
        assert_eq!(take_back(&new.writer(), report.batch).unwrap(), 5);
        assert!(new.reader().read(query::devices).wait().unwrap().is_empty(), "{format:?}: devices of it go with it");
    }
}
