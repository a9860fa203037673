//! Files appear whole or not at all.

use std::{fs, path::Path, sync::Arc};

use wayglass::{
    backend::{ExportError, ExportJob, History, export_history},
    export::{Format, Wanted},
    model::{DeviceId, Policy, TimeWindow, Timestamp},
    store::{Options, Store, Watch, query},
};

use crate::support::{Station, post};

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn sample(device: &str, second: i64) -> String {
    let (topic, tst) = (format!("owntracks/{device}"), 1_497_508_651 + second);
    format!(r#"{{"_type":"location","topic":"{topic}","lat":48.85833,"lon":2.29513,"tst":{tst},"batt":87}}"#)
}

/// Two phones with the same name in other letters, and one that has no history in the span.
fn folder() -> (tempfile::TempDir, Vec<DeviceId>) {
    let station = Station::start(Policy::Adopt);
    for (device, second) in [("jane/phone", 0), ("jane/phone", 10), ("JANE/phone", 0), ("joe/phone", -100_000)] {
        assert_eq!(post(station.owntracks, &sample(device, second)).status, 200);
    }
    let folder = station.stop();
    let store = Store::open(folder.path(), Options::new(Arc::new(now))).unwrap();
    let devices = store.reader().read(query::devices).wait().unwrap();
    (folder, devices.iter().map(|d| d.id).collect())
}

fn export(data: &Path, job: ExportJob, watch: &Watch) -> Result<(u64, usize), ExportError> {
    let store = Store::view(data, Arc::new(now)).unwrap();
    export_history(&store.reader(), job, now(), watch).map(|report| (report.counts.points, report.files))
}

fn job(devices: &[DeviceId], to: &Path, each: bool, format: Format) -> ExportJob {
    let from = Timestamp::from_second(1_497_508_651).ok();
    let window = TimeWindow { from, to: None };
    let history = History { devices: devices.to_vec(), window, format, wanted: Wanted::default() };
    ExportJob { history, to: to.to_owned(), each }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn each_device_has_a_file_of_its_own() {
    let (data, devices) = folder();
    let out = tempfile::tempdir().unwrap();
    for format in Format::ALL {
        let to = out.path().join(format.as_str());
        let done = export(data.path(), job(&devices, &to, true, format), &Watch::default()).unwrap();
        assert_eq!(done, (3, 2), "{format:?}: joe has nothing to tell");
        let end = format.extension();
        let second = devices[1].0;
        // No two alike where upper and lower case are one.
        assert_eq!(
            names(&to),
            [format!("owntracks_JANE_phone {second}.{end}"), format!("owntracks_jane_phone.{end}")],
            "{format:?}"
        );
    }
}

#[test]
fn what_is_broken_off_or_fails_leaves_nothing() {
    let (data, devices) = folder();
    let out = tempfile::tempdir().unwrap();
    let kept = out.path().join("kept.csv");
    fs::write(&kept, "as it was").unwrap();
    let cancelled = Watch::default();
    cancelled.cancel();
    for (to, each) in [(kept.clone(), false), (out.path().join("new"), true), (out.path().to_owned(), true)] {
        let failed = export(data.path(), job(&devices, &to, each, Format::Csv), &cancelled).unwrap_err();
        assert!(matches!(failed, ExportError::Cancelled), "{failed}");
        assert_eq!((names(out.path()), fs::read(&kept).unwrap()), (vec!["kept.csv".to_owned()], b"as it was".to_vec()));
    }
    // The last of the files cannot have its name, so none has.
    fs::create_dir(out.path().join("owntracks_jane_phone.csv")).unwrap();
    let failed = export(data.path(), job(&devices, out.path(), true, Format::Csv), &Watch::default()).unwrap_err();
    assert!(failed.to_string().contains("owntracks_jane_phone.csv"), "{failed}");
    assert!(!names(out.path()).iter().any(|name| name.contains(".part")), "{:?}", names(out.path()));
}
