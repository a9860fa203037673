//! What a person says about a device, and what becomes of its history: over real sockets and a real file.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use rusqlite::Connection;
use wayglass::{
    backend::{Rederived, config::Config},
    geo::LatLon,
    model::{
        ClockExample, DeviceOverview, Direction, Fact, Fix, NewPacket, PacketId, Policy, Profile, Protocol, Sender,
        StoredFix, TimeWindow, Timestamp, Trust, Verdict,
    },
    store::{Options, Rederivation, Retold, Step, Stepped, Store, query},
    wire::gt06::{self, encode},
};

use super::support::{Station, TestClock, Tracker};

const IMEI: &str = "123456789012345";
/// What the clock of every station says.
const NOON: &str = "2026-11-21T12:00:00Z";

fn noon(seconds: i64) -> Timestamp {
    let noon: Timestamp = NOON.parse().unwrap();
    Timestamp::from_second(noon.as_second() + seconds).unwrap()
}

/// A fix that a tracker measured so many seconds after noon by its own clock.
fn fix(seconds: i64, lat_deg: f64) -> Fix {
    Fix {
        at: noon(seconds),
        place: LatLon::new(lat_deg, 24.0).unwrap(),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(0.0),
        course_deg: Some(90.0),
        satellites: Some(9),
        accuracy_m: None,
    }
}

/// A tracker that stands still there.
fn still(seconds: i64) -> Fix {
    fix(seconds, 54.9)
}

/// Fix, ignition and serial into a frame.
type Kind = fn(&Fix, bool, u16) -> Vec<u8>;

/// A tracker that logged in and sends what it is told, each frame with the next serial.
struct Device {
    line: Tracker,
    serial: u16,
}

impl Device {
    fn connect(station: &Station) -> Self {
        let mut line = Tracker::connect(station.gt06);
        line.send(&wayglass::wire::hex(&encode::login(IMEI, 1)));
        line.expect(&wayglass::wire::hex(&encode::acknowledge(encode::Start::Short, 1, 1)));
        Self { line, serial: 1 }
    }

    /// Sends a frame a fix, and waits until all of them are stored: the heartbeat behind them is answered.
    fn send(&mut self, kind: Kind, fixes: &[Fix]) {
        let mut sent = Vec::new();
        for fix in fixes {
            self.serial += 1;
            sent.extend(kind(fix, false, self.serial));
        }
        self.line.send(&wayglass::wire::hex(&sent));
        self.settle();
    }

    /// Waits for the answer to a heartbeat; what else is answered before does not matter.
    fn settle(&mut self) {
        self.serial += 1;
        let beat = encode::heartbeat(true, true, 6, 4, self.serial);
        self.line.send(&wayglass::wire::hex(&beat));
        self.line.expect_after(&wayglass::wire::hex(&encode::acknowledge(encode::Start::Short, 0x13, self.serial)));
    }
}

fn overview(station: &Station) -> DeviceOverview {
    station.backend().devices().wait().unwrap().remove(0)
}

fn history(station: &Station) -> Vec<StoredFix> {
    let device = overview(station).device.id;
    station.backend().track(device, TimeWindow::ALL, usize::MAX).wait().unwrap()
}

/// Times of the history in seconds after noon.
fn times(station: &Station) -> Vec<i64> {
    history(station).iter().map(|fix| fix.fix.at.as_second() - noon(0).as_second()).collect()
}

/// Changes the profile; the history has followed then.
fn change(station: &Station, profile: Profile) -> Rederived {
    let done = station.backend().change_profile(overview(station).device.id, profile).wait().unwrap();
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM rederivations"), 0);
    assert!(station.backend().rederiving().is_empty());
    done
}

fn set_clock(station: &Station, offset_s: Option<i32>) {
    station.backend().apply_clock(overview(station).device.id, offset_s).wait().unwrap();
}

fn model(name: &str) -> Profile {
    Profile { model: Some(name.to_owned()), ..Profile::default() }
}

/// Every packet with all that arrived of it.
fn packets(station: &Station) -> String {
    station.sql(
        "SELECT group_concat(id || ' ' || received_ms || ' ' || direction || ' ' || coalesce(device_id, '') || ' '
           || coalesce(context, '') || ' ' || hex(bytes), char(10)) FROM packets",
    )
}

fn towed(fix: &Fix, ignition: bool, serial: u16) -> Vec<u8> {
    encode::alarm_16(fix, ignition, 0x09, serial)
}

#[test]
fn another_model_changes_what_history_says_and_no_byte() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    device.send(towed, &[still(-60), fix(-50, 55.0)]);
    let alarms = |station: &Station| {
        let readings = history(station).iter().map(|f| f.readings.get("alarm").cloned().unwrap()).collect::<Vec<_>>();
        let events: String = station.sql("SELECT group_concat(attributes ->> '$.alarm') FROM events");
        (readings, events)
    };
    assert_eq!(alarms(&station), (vec!["vibration".into(); 2], "vibration,vibration".to_owned()));
    let before = packets(&station);
    let mut feed = station.backend().feed();

    let done = change(&station, model("VL103"));
    // The login, two alarms, a heartbeat.
    assert_eq!((done.packets, done.positions, done.changed), (4, 2, 2));
    assert_eq!(alarms(&station), (vec!["tow".into(); 2], "tow,tow".to_owned()));
    assert_eq!(packets(&station), before);
    assert_eq!(overview(&station).readings.get("alarm"), Some(&"tow".into()), "what is known of it now, too");
    station.until("who shows the history hears of it", |_| {
        std::iter::from_fn(|| feed.next()).any(|fact| match fact {
            Fact::Committed(committed) => !committed.rederived.is_empty(),
            Fact::Missed => false,
        })
    });

    device.send(towed, &[still(-10)]);
    assert_eq!(alarms(&station).1, "tow,tow,tow", "the open connection reads with it");

    let ids: String = station.sql("SELECT group_concat(id) FROM positions");
    let done = change(&station, Profile { command_language: true, ..model("VL103") });
    assert_eq!(station.sql::<String>("SELECT group_concat(id) FROM positions"), ids);
    assert_eq!(done, Rederived::default(), "nothing to do");
    change(&station, Profile::default());
    assert_eq!(alarms(&station).1, "vibration,vibration,vibration", "and back");
}

#[test]
fn an_offset_moves_all_fixes_though_each_lands_where_the_next_one_was() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    let hours: Vec<i64> = (-20..=0).map(|hour| hour * 3600).collect();
    let fixes: Vec<_> = hours.iter().map(|at| still(*at)).collect();
    device.send(encode::position_12, &fixes);
    // One of them sent again much later, as after a reconnect.
    device.send(encode::position_12, &[still(-7200)]);
    assert_eq!(times(&station), hours);
    let (rows, before) = (station.sql::<String>(ROWS), packets(&station));
    for offset_s in [3600, -3600, 900] {
        set_clock(&station, Some(offset_s));
        let moved: Vec<_> = hours.iter().map(|at| at - i64::from(offset_s)).collect();
        assert_eq!(times(&station), moved, "by {offset_s} s");
        let overview = overview(&station);
        assert_eq!((overview.positions, overview.last_fix.unwrap().fix.at), (21, noon(-i64::from(offset_s))));
    }
    set_clock(&station, None);
    assert_eq!((times(&station), packets(&station)), (hours, before));
    assert_eq!(station.sql::<String>(ROWS), rows, "as it was");
}

/// All that a position says, but its number.
const ROWS: &str = "SELECT group_concat(fix_time_ms || ' ' || received_ms || ' ' || valid || ' ' || suspect || ' '
    || latitude || ' ' || longitude || ' ' || attributes || ' ' || packet_id || ' ' || fix_key, char(10))
    FROM (SELECT * FROM positions ORDER BY fix_time_ms, fix_key)";

#[test]
fn a_right_clock_decides_anew_which_fix_is_the_last() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    let day = 86_400;
    device.send(encode::position_22, &[fix(2 * day, 55.0), fix(2 * day - 60, 56.0)]);
    assert_eq!(overview(&station).last_fix, None, "two days ahead is no time");
    set_clock(&station, Some(2 * 86_400));
    let last = overview(&station).last_fix.unwrap();
    assert_eq!((last.fix.at, last.fix.place.lat_deg().round()), (noon(0), 55.0));
    assert_eq!(times(&station), [-60, 0]);
}

#[test]
fn work_that_was_cut_off_is_taken_up_at_the_next_start() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    let fixes: Vec<_> =
        (0..700).map(|n| fix(-3600 * 700 + n * 3600, 54.0 + f64::from(i32::try_from(n).unwrap()) / 1e3)).collect();
    device.send(encode::position_12, &fixes);
    let before = times(&station);
    let folder = station.stop();

    // A program that is killed after its first step: the profile is stored, a part of the history is found again.
    let store = Store::open(folder.path(), Options::new(TestClock::at(NOON).clock())).unwrap();
    let id = store.reader().read(query::devices).wait().unwrap()[0].id;
    let profile = Profile { clock_offset_s: Some(7200), ..Profile::default() };
    store.writer().set_profile(id, profile).wait().unwrap();
    let due = store.reader().read(query::rederivations).wait().unwrap();
    assert_eq!(due.len(), 1);
    let Stepped::Further(_) = one_step(&store, &due[0], 300) else { panic!("there is more to do") };
    store.close();
    let file = Connection::open(folder.path().join("wayglass.db")).unwrap();
    let count = |sql| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM rederivations"), 1);
    assert!(count("SELECT count(*) FROM positions") <= 700);

    let station = Station::start_in(folder, Policy::Adopt);
    station.until("history has followed", |s| s.sql::<i64>("SELECT count(*) FROM rederivations") == 0);
    assert_eq!(times(&station), before.iter().map(|at| at - 7200).collect::<Vec<_>>());
    let overview = overview(&station);
    assert_eq!((overview.positions, overview.last_fix.unwrap().fix.at), (700, noon(-3600 - 7200)));
}

/// Reads the first packets of a device anew.
fn one_step(store: &Store, work: &Rederivation, most: usize) -> Stepped {
    let (device, profile) = (work.device(), work.profile().clone());
    let rows = store.reader().read(move |db| {
        let mut left = query::to_reread(db, device, None)?;
        left.packets.truncate(most);
        query::packets_by_id(db, &left.packets)
    });
    let rows = rows.wait().unwrap();
    let upto: Option<PacketId> = rows.last().map(|row| row.id);
    let retold = rows.iter().filter(|row| row.direction == Direction::In).map(|row| {
        let state = gt06::State::from_context(row.context.as_deref());
        let reports = gt06::dissect_in(&row.bytes, &profile, &state, row.received).reports;
        Retold { packet: row.id, received: row.received, label: None, reports }
    });
    let step = Step { work: work.clone(), packets: retold.collect(), upto, head: upto, whole: true };
    store.writer().rederive(step).wait().unwrap()
}

#[test]
fn an_alarm_that_is_none_any_more_goes_though_older_packets_are_gone() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    device.send(encode::position_12, &[still(-90)]);
    device.send(|fix, ignition, serial| encode::alarm_16(fix, ignition, 0xF0, serial), &[still(-60)]);
    assert_eq!(overview(&station).readings.get("alarm"), Some(&"hardAcceleration".into()));
    let folder = station.stop();
    let file = Connection::open(folder.path().join("wayglass.db")).unwrap();
    assert_eq!(file.execute("DELETE FROM packets WHERE kind = 'login' AND direction = 'in'", []).unwrap(), 1);
    drop(file);
    let station = Station::start_in(folder, Policy::Adopt);
    change(&station, model("TRX16i"));
    let readings = overview(&station).readings;
    assert_eq!((readings.get("alarm"), readings.get("event")), (None, Some(&240.into())), "a code of its own there");
    assert_eq!(readings.get("batteryLevel"), Some(&100.into()), "and what it told before stays");
}

#[test]
fn a_change_on_the_way_begins_anew() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    device.send(encode::position_12, &[still(-60)]);
    let folder = station.stop();
    let store = Store::open(folder.path(), Options::new(TestClock::at(NOON).clock())).unwrap();
    let id = store.reader().read(query::devices).wait().unwrap()[0].id;
    let ask = |offset_s| {
        let profile = Profile { clock_offset_s: Some(offset_s), ..Profile::default() };
        store.writer().set_profile(id, profile).wait().unwrap();
        store.reader().read(query::rederivations).wait().unwrap().remove(0)
    };
    let old = ask(3600);
    let new = ask(7200);
    assert!(matches!(one_step(&store, &old, 9), Stepped::Anew));
    let Stepped::Further(further) = one_step(&store, &new, 99) else { panic!("the last step is one without packets") };
    let last = Step { work: *further, packets: Vec::new(), upto: None, head: None, whole: true };
    let Stepped::Done(done) = store.writer().rederive(last).wait().unwrap() else { panic!("all is read") };
    assert_eq!((done.positions, done.changed), (1, 1));
    assert!(matches!(one_step(&store, &old, 9), Stepped::Dropped), "nobody asks any more");
}

#[test]
fn what_has_no_packet_any_more_stays_as_it_is() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    device.send(encode::position_12, &[still(-60), fix(-50, 55.0), fix(-40, 56.0)]);
    drop(device);
    let folder = station.stop();
    let sql = Connection::open(folder.path().join("wayglass.db")).unwrap();
    let second: i64 = sql
        .query_row("SELECT packet_id FROM positions ORDER BY fix_time_ms LIMIT 1 OFFSET 1", [], |row| row.get(0))
        .unwrap();
    let found_again = |upto: i64, offset_s: i32| {
        sql.execute("DELETE FROM packets WHERE id <= ?1", [upto]).unwrap();
        let store = Store::open(folder.path(), Options::new(TestClock::at(NOON).clock())).unwrap();
        let id = store.reader().read(query::devices).wait().unwrap()[0].id;
        let profile = Profile { clock_offset_s: Some(offset_s), ..Profile::default() };
        store.writer().set_profile(id, profile).wait().unwrap();
        let done = wayglass::backend::rederive_due(&store).unwrap().remove(0).1;
        let track = store.reader().read(move |db| query::track(db, id, TimeWindow::ALL, 9)).wait().unwrap();
        let times: Vec<_> = track.iter().map(|fix| fix.fix.at.as_second() - noon(0).as_second()).collect();
        (done.positions, done.changed, done.unread, times)
    };
    // The clock was an hour ahead; the first two packets are gone.
    assert_eq!(found_again(second, 3600), (3, 1, 2, vec![-3640, -60, -50]));
    // All are gone, the heartbeat that was the newest, too: it ends, and nothing vanishes.
    assert_eq!(found_again(i64::MAX, 0), (3, 0, 3, vec![-3640, -60, -50]));
}

#[test]
fn late_frames_land_in_order_and_never_move_the_last_fix() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    let sent: [i32; 8] = [-30, -600, -500, -20, -400, -10, -700, -650];
    let fixes: Vec<_> = sent.iter().map(|at| fix(i64::from(*at), 50.0 + f64::from(*at) / 1000.0)).collect();
    let mut newest = i32::MIN;
    for (at, fix) in sent.iter().zip(&fixes) {
        device.send(encode::position_22, std::slice::from_ref(fix));
        newest = newest.max(*at);
        assert_eq!(overview(&station).last_fix.unwrap().fix.at, noon(newest.into()), "after the frame of {at}");
    }
    let mut sorted: Vec<i64> = sent.iter().map(|at| i64::from(*at)).collect();
    sorted.sort_unstable();
    assert_eq!(times(&station), sorted);
    change(&station, model("VL103"));
    assert_eq!(overview(&station).last_fix.unwrap().fix.at, noon(-10));
}

#[test]
fn a_place_under_a_wrong_checksum_is_suspect_now_and_after() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    device.send(encode::position_22, &[fix(-60, 55.0)]);
    device.send(damaged, &[fix(-30, 56.0)]);
    let check = |when: &str| {
        let track = history(&station);
        let told: Vec<_> = track.iter().map(|fix| (fix.fix.valid, fix.trust)).collect();
        assert_eq!(told, [(true, Trust::Good), (false, Trust::Suspect)], "{when}");
        assert_eq!(
            overview(&station).last_fix.unwrap().fix.at,
            noon(-60 - i64::from(when == "after") * 3600),
            "{when}"
        );
        assert_eq!(station.sql::<i64>("SELECT count(*) FROM packets WHERE verdict = 'error'"), 1, "{when}");
    };
    check("now");
    set_clock(&station, Some(3600));
    check("after");
}

/// A position under a wrong checksum.
fn damaged(fix: &Fix, ignition: bool, serial: u16) -> Vec<u8> {
    let mut frame = encode::position_22(fix, ignition, serial);
    let crc = frame.len() - 4;
    frame[crc] ^= 0xFF;
    frame
}

#[test]
fn frames_that_are_missing_are_counted() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    device.send(encode::position_22, &[still(-60)]);
    assert_eq!(overview(&station).lost_frames, 0);
    device.serial += 3;
    device.send(encode::position_22, &[still(-50)]);
    device.serial += 1;
    device.settle();
    assert_eq!(overview(&station).lost_frames, 4);
    change(&station, model("VL103"));
    assert_eq!(overview(&station).lost_frames, 4, "the same again from the packets");
    let station = Station::start_in(station.stop(), Policy::Adopt);
    let mut device = Device::connect(&station);
    device.serial += 2;
    device.settle();
    assert_eq!(overview(&station).lost_frames, 6, "and on after a restart");
    device.send(damaged, &[still(-40), still(-30)]);
    assert_eq!(overview(&station).lost_frames, 6, "what arrived damaged arrived");
    device.serial += 1;
    device.send(damaged, &[still(-20)]);
    assert_eq!(overview(&station).lost_frames, 7);
    change(&station, model("G18"));
    assert_eq!(overview(&station).lost_frames, 7, "the same again from the packets");
}

#[test]
fn the_clock_doctor_finds_the_zone_and_history_follows() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    let ahead = 5 * 3600 + 45 * 60;
    let fixes: Vec<_> = (0..6_i32).map(|n| fix(ahead - 9 + i64::from(n), 54.0 + f64::from(n))).collect();
    let advice = |station: &Station| station.backend().clock_advice(overview(station).device.id).wait().unwrap();
    device.send(encode::position_12, &fixes[..2]);
    assert_eq!(advice(&station), None, "two frames prove nothing");
    device.send(encode::position_12, &fixes[2..]);
    let found = advice(&station).expect("five and three quarter hours");
    assert_eq!((i64::from(found.offset_s), found.samples, found.agreeing), (ahead, 6, 6));
    let newest = ClockExample { received: noon(0), before: noon(ahead - 4), after: noon(-4) };
    assert_eq!(found.examples[0], newest);
    set_clock(&station, Some(found.offset_s));
    assert_eq!(times(&station), [-9, -8, -7, -6, -5, -4]);
    assert_eq!(advice(&station), None, "its times are right now");
    assert_eq!(overview(&station).device.profile, Profile { clock_offset_s: Some(20_700), ..Profile::default() });
}

#[test]
fn a_phone_has_no_clock_to_correct() {
    let station = Station::start(Policy::Adopt);
    let body = r#"{"_type":"location","lat":1,"lon":2,"tst":1795262400,"topic":"owntracks/jane/phone"}"#;
    assert_eq!(super::support::post(station.owntracks, body).status, 200);
    let id = overview(&station).device.id;
    assert_eq!(overview(&station).device.protocol, Protocol::OwnTracks);
    assert_eq!(station.backend().clock_advice(id).wait().unwrap(), None);
    let rows = station.sql::<String>(ROWS);
    set_clock(&station, Some(3600));
    assert_eq!(station.sql::<String>(ROWS), rows);
}

#[test]
fn a_tracker_that_says_nothing_is_hung_up_on() {
    let setup = Config { silence: Some(Duration::from_secs(2)), ..Config::default() }.setup(None).unwrap();
    let station = Station::start_with(Policy::Adopt, setup.limits.ingest);
    let mut device = Device::connect(&station);
    device.line.expect_closed();
    assert_eq!(Config::default().setup(None).unwrap().limits.ingest.idle, Duration::from_mins(15));
}

/// The program as a person runs it on a folder.
fn call(folder: &std::path::Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    program.args(words).args(["--data-dir".as_ref(), folder.as_os_str()]).env_remove("RUST_LOG").env("HOME", folder);
    let output = program.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_line_changes_a_profile_beside_an_instance_and_alone() {
    let station = Station::start(Policy::Adopt);
    let mut device = Device::connect(&station);
    let ahead = 3 * 3600;
    let fixes: Vec<_> = (0..4_i32).map(|n| fix(ahead - 9 + i64::from(n), 54.0 + f64::from(n))).collect();
    device.send(towed, &fixes);
    let folder = station.folder.path().to_owned();

    let (code, said, _) = call(&folder, &["profile", IMEI]);
    assert_eq!(code, Some(0));
    assert!(said.contains("4 of 4 live frames say that its clock runs at UTC+03:00"), "{said}");
    assert!(said.contains("now 2026-11-21T14:59:54Z  then 2026-11-21T11:59:54Z"), "{said}");

    // Beside: the instance reads again, and its open connection with it.
    let (code, said, error) = call(&folder, &["profile", IMEI, "--model", "VL103", "--zone", "+03:00"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(said.contains("model     VL103") && said.contains("clock     UTC+03:00"), "{said}");
    assert!(said.contains("the running instance reads its packets again"), "{said}");
    station.until("the running instance has read them", |s| s.sql::<i64>("SELECT count(*) FROM rederivations") == 0);
    assert_eq!(times(&station), [-9, -8, -7, -6]);
    device.send(towed, &[fix(ahead, 58.0)]);
    assert_eq!(times(&station), [-9, -8, -7, -6, 0]);
    let alarms = "SELECT group_concat(DISTINCT attributes ->> '$.alarm') FROM positions";
    assert_eq!(station.sql::<String>(alarms), "tow");

    // Alone: it reads them itself.
    let folder = station.stop();
    let (code, said, error) = call(folder.path(), &["profile", IMEI, "--zone", "login", "--model", "none", "--json"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["reread"], serde_json::json!({"packets": 8, "positions": 5, "changed": 5, "unread": 0}), "{said}");
    let (_, said, _) = call(folder.path(), &["profile", IMEI, "--mend-clock"]);
    assert!(said.contains("clock     UTC+03:00") && said.contains("8 packets read again: 5 positions"), "{said}");
    let (code, _, error) = call(folder.path(), &["profile", IMEI, "--mend-clock"]);
    assert_eq!((code, error.lines().count()), (Some(1), 1));
    assert!(error.contains("proposes nothing"), "{error}");
    assert_eq!(call(folder.path(), &["profile", IMEI, "--zone", "east"]).0, Some(2));
}

#[test]
fn a_packet_that_was_read_with_yesterdays_profile_is_read_again() {
    let station = Station::start(Policy::Adopt);
    Device::connect(&station).send(encode::position_12, &[still(-60)]);
    let folder = station.stop();
    let store = Store::open(folder.path(), Options::new(TestClock::at(NOON).clock())).unwrap();
    let sender = Sender::Device(store.reader().read(query::devices).wait().unwrap()[0].id);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let append = |profile: Profile| {
        let bytes = encode::position_12(&still(0), false, 9);
        let read = gt06::dissect(&bytes, &profile, noon(0));
        let packet = NewPacket {
            protocol: Protocol::Gt06,
            direction: Direction::In,
            received: noon(0),
            peer: "127.0.0.1:4711".into(),
            connection: 1,
            sender: Some(sender.clone()),
            kind: read.kind,
            verdict: Verdict::Ok,
            bytes,
            context: None,
            reports: read.reports,
            replies: Vec::new(),
            answers: None,
        };
        let writer = store.writer();
        let stored = async { writer.append_read_with(packet, Some(profile.into())).await?.durable().await };
        runtime.block_on(stored).unwrap();
        store.reader().read(query::rederivations).wait().unwrap().len()
    };
    assert_eq!(append(Profile { command_language: true, ..Profile::default() }), 0, "that changes no meaning");
    assert_eq!(append(Profile { clock_offset_s: Some(3600), ..Profile::default() }), 1);
    let done = wayglass::backend::rederive_due(&store).unwrap();
    assert_eq!((done.len(), done[0].1.positions), (1, 2));
    let track = store.reader().read(move |db| query::track(db, done[0].0, TimeWindow::ALL, 9)).wait().unwrap();
    assert_eq!(track.iter().map(|fix| fix.fix.at).collect::<Vec<_>>(), [noon(-60), noon(0)]);
}
