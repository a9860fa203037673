//! Hidden positions in the store: they outlive what finds history again, and exports leave them out.

use wayglass::{
    backend::{History, write_history},
    export::{Format, Wanted},
    model::{HideReason, Policy, Profile, TimeWindow},
    store::Watch,
};

use crate::support::{Station, Tracker, post};

const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";
const LOGIN_ANSWER: &str = "787805010001D9DC0D0A";
/// The location packet of the vendor's protocol text.
const LOCATION: &str = "78781F120B081D112E10CF027AC7EB0C46584900148F01CC00287D001FB8000380810D0A";

#[test]
fn what_is_hidden_stays_hidden_when_its_history_is_found_again() {
    let station = Station::start(Policy::Adopt);
    let mut tracker = Tracker::connect(station.gt06);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ANSWER);
    tracker.send(LOCATION);
    station.until("the position is stored", |s| s.sql::<i64>("SELECT count(*) FROM positions") == 1);
    let fix: i64 = station.sql("SELECT id FROM positions");
    let device = wayglass::model::DeviceId(station.sql("SELECT id FROM devices"));
    assert_eq!(station.backend().hide(vec![fix], Some(HideReason::Hand)).wait().unwrap(), 1);
    let shown = station.backend().track(device, TimeWindow::ALL, 10).wait().unwrap();
    assert!(shown.is_empty(), "{shown:?}");

    // The same packet tells another time now: its row is another one.
    let profile = Profile { clock_offset_s: Some(3_600), ..Profile::default() };
    assert_eq!(station.backend().change_profile(device, profile).wait().unwrap().changed, 1);
    let both = "SELECT count(*) FROM hidden h JOIN positions p ON p.id = h.position_id AND p.packet_id = h.packet_id
                AND p.fix_time_ms = h.fix_time_ms WHERE h.reason = 'hand'";
    assert_eq!(station.sql::<i64>(both), 1);

    let fix: i64 = station.sql("SELECT id FROM positions");
    assert_eq!(station.backend().hide(vec![fix], None).wait().unwrap(), 1);
    assert_eq!(station.backend().track(device, TimeWindow::ALL, 10).wait().unwrap().len(), 1);
}

#[test]
fn exports_leave_out_what_is_hidden_and_say_how_many() {
    let station = Station::start(Policy::Adopt);
    for n in 0..4 {
        let (tst, lat) = (1_795_000_000 + n * 60, 51.0 + f64::from(n) * 0.001);
        let body =
            format!(r#"{{"_type":"location","topic":"owntracks/jane/phone","tst":{tst},"lat":{lat},"lon":4.0}}"#);
        assert_eq!(post(station.owntracks, &body).status, 200);
    }
    station.until("all are stored", |s| s.sql::<i64>("SELECT count(*) FROM positions") == 4);
    let fix: i64 = station.sql("SELECT id FROM positions ORDER BY fix_time_ms LIMIT 1 OFFSET 1");
    station.backend().hide(vec![fix], Some(HideReason::Outlier)).wait().unwrap();
    let device = wayglass::model::DeviceId(station.sql("SELECT id FROM devices"));
    let store = wayglass::store::Store::view(station.folder.path(), station.backend().clock().clone()).unwrap();
    let export = |hidden| {
        let wanted = Wanted { hidden, ..Wanted::default() };
        let history = History { devices: vec![device], window: TimeWindow::ALL, format: Format::Gpx, wanted };
        let now = (station.backend().clock())();
        let watch = Watch::default();
        write_history(&store.reader(), history, now, Vec::new(), "out".as_ref(), &watch, 0).unwrap().0
    };
    let (without, with) = (export(false), export(true));
    assert_eq!((without.points, without.hidden), (3, 1));
    assert_eq!((with.points, with.hidden), (4, 0));
}

#[test]
fn a_device_that_is_forgotten_leaves_nothing_hidden_behind() {
    let station = Station::start(Policy::Adopt);
    let body = r#"{"_type":"location","topic":"owntracks/jane/phone","tst":1795000000,"lat":51.0,"lon":4.0}"#;
    assert_eq!(post(station.owntracks, body).status, 200);
    station.until("it is stored", |s| s.sql::<i64>("SELECT count(*) FROM positions") == 1);
    station.backend().hide(vec![1], Some(HideReason::Hand)).wait().unwrap();
    assert_eq!(
        station.backend().hide(vec![77], Some(HideReason::Hand)).wait().unwrap(),
        0,
        "there is no such position"
    );
    let too_many = station.backend().hide((0..10_001).collect(), None).wait();
    assert!(too_many.is_err());
    let overview = station.backend().devices().wait().unwrap();
    assert_eq!(overview[0].last_fix, None, "its last place is out of sight, too");
}
