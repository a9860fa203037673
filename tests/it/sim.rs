//! The pretend fleet: the same for the same seed, what it sends is what devices send, and it drives over real sockets.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod gpx;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::support::{Port, SOON, Station};
use jiff::ToSpan;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wayglass::{
    backend::demo::{DriveError, HttpUrl, Pace, Progress, Targets, drive},
    model::{DeviceId, Policy, Protocol, Timestamp},
    sim::{Band, Fleet, Message},
    wire::{
        gt06::encode::{Start, acknowledge, checksum},
        hex,
    },
};

fn start() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

/// Everything a fleet sends in so many reports, ten seconds apart.
fn talk(n: usize, seed: u64, reports: i64) -> Vec<(String, Protocol, Message)> {
    let mut fleet = Fleet::new(Band::Demo, n, &Protocol::ALL, seed).into_vehicles();
    let mut all = Vec::new();
    for report in 0..reports {
        let now = start() + (report * 10).seconds();
        for vehicle in &mut fleet {
            let login = (report == 0).then(|| vehicle.login()).flatten();
            let messages = login.into_iter().chain(vehicle.report(now)).collect::<Vec<_>>();
            all.extend(messages.into_iter().map(|m| (vehicle.identity().to_owned(), vehicle.protocol(), m)));
        }
    }
    all
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert_eq!(talk(20, 7, 60), talk(20, 7, 60));
    assert_ne!(talk(20, 7, 60), talk(20, 8, 60));
}

#[test]
fn every_identity_is_the_demos_and_there_is_one_a_device() {
    let fleet = Fleet::new(Band::Demo, 10_000, &Protocol::ALL, 1);
    let mut identities: Vec<_> = fleet.vehicles().iter().map(|v| v.identity().to_owned()).collect();
    assert!(identities.iter().all(|i| Band::Demo.holds(i)));
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), 10_000);
    let speaks = |p| fleet.vehicles().iter().filter(|v| v.protocol() == p).count();
    assert_eq!((speaks(Protocol::Gt06), speaks(Protocol::OwnTracks)), (5_000, 5_000));
}

#[test]
fn trackers_send_whole_frames_in_order() {
    let mut serials = std::collections::BTreeMap::new();
    let mut kinds = std::collections::BTreeMap::<u8, usize>::new();
    for (identity, _, message) in talk(40, 3, 200).into_iter().filter(|(_, p, _)| *p == Protocol::Gt06) {
        let frame = &message.bytes;
        assert_eq!(frame.len(), usize::from(frame[2]) + 5, "{}", hex(frame));
        let (covered, tail) = frame[2..].split_at(frame.len() - 6);
        assert_eq!(checksum(covered).to_be_bytes(), tail[..2], "{}", hex(frame));
        let serial = u16::from_be_bytes([frame[frame.len() - 6], frame[frame.len() - 5]]);
        let before = serials.insert(identity, serial).unwrap_or(0);
        assert_eq!(serial, before + 1, "serials count frames");
        assert_eq!(message.answer[3], frame[3], "an acknowledgement has the type of what it answers");
        assert_eq!(message.answer[4..6], serial.to_be_bytes());
        *kinds.entry(frame[3]).or_default() += 1;
    }
    assert_eq!((kinds[&0x01], kinds[&0x13]), (20, 20 * 12), "one login, a heartbeat every three minutes");
    assert!(kinds[&0x22] > 3_900 && kinds[&0x16] > 0, "{kinds:?}");
}

#[test]
fn phones_send_what_the_apps_send() {
    for (identity, _, message) in talk(20, 3, 100).into_iter().filter(|(_, p, _)| *p == Protocol::OwnTracks) {
        let body: Value = serde_json::from_slice(&message.bytes).unwrap();
        assert_eq!((body["_type"].as_str(), body["topic"].as_str()), (Some("location"), Some(identity.as_str())));
        assert_eq!(body["tid"].as_str().unwrap().len(), 2);
        for (key, low, high) in [
            ("lat", 45.0, 54.0),
            ("lon", 1.0, 21.0),
            ("acc", 1.0, 50.0),
            ("vel", 0.0, 90.0),
            ("batt", 0.0, 100.0),
            ("alt", -50.0, 1_000.0),
        ] {
            let value = body[key].as_f64().unwrap_or_else(|| panic!("{key} in {body}"));
            assert!((low..=high).contains(&value), "{key} is {value}");
        }
        assert_eq!(body.get("cog").is_some(), body["vel"].as_f64() > Some(0.0), "{body}");
    }
}

#[test]
fn a_clock_that_jumps_does_no_harm() {
    let mut fleet = Fleet::new(Band::Simulate, 4, &Protocol::ALL, 1).into_vehicles();
    for now in [start(), start() + 8_000.hours(), start(), Timestamp::UNIX_EPOCH, start()] {
        for vehicle in &mut fleet {
            assert!(!vehicle.report(now).is_empty());
        }
    }
}

/// What a pretend receiver does with the n-th thing it hears, counted over all its connections.
#[derive(Clone, Copy)]
enum Receiver {
    /// Acknowledges every frame.
    Gt06,
    /// Acknowledges a login and a heartbeat, and everything else once nothing more comes.
    Gt06AtTheEnd,
    /// Closes the first connection when the login came.
    Gt06ThatFailsOnce,
    /// Answers 200 `[]`.
    OwnTracks,
    /// Answers 503 once, then 200.
    OwnTracksThatFailsOnce,
}

/// A receiver on a free port that tells each frame or body it heard.
fn receiver(kind: Receiver) -> (SocketAddr, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (told, heard) = mpsc::channel();
    let count = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (told, count) = (told.clone(), Arc::clone(&count));
            // A probe that connects and goes away ends its thread with an error, which is fine.
            thread::spawn(move || serve(kind, stream.unwrap(), &told, &count).ok());
        }
    });
    (address, heard)
}

fn serve(
    kind: Receiver,
    mut stream: TcpStream,
    told: &mpsc::Sender<Vec<u8>>,
    count: &AtomicUsize,
) -> std::io::Result<()> {
    let mut owed = Vec::new();
    loop {
        let (heard, answer) = match kind {
            Receiver::Gt06 | Receiver::Gt06AtTheEnd | Receiver::Gt06ThatFailsOnce => {
                let mut head = [0; 3];
                if stream.read_exact(&mut head).is_err() {
                    return stream.write_all(&owed);
                }
                let mut rest = vec![0; usize::from(head[2]) + 2];
                stream.read_exact(&mut rest)?;
                let frame = [&head[..], &rest].concat();
                let serial = u16::from_be_bytes([frame[frame.len() - 6], frame[frame.len() - 5]]);
                (frame.clone(), acknowledge(Start::Short, frame[3], serial))
            }
            Receiver::OwnTracks | Receiver::OwnTracksThatFailsOnce => {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte)?;
                    head.extend(byte);
                }
                let head = String::from_utf8(head).unwrap();
                assert!(head.starts_with("POST /pub HTTP/1.1\r\n"), "{head}");
                let length = head.lines().find_map(|l| l.strip_prefix("Content-Length: ")).unwrap();
                let mut body = vec![0; length.parse().unwrap()];
                stream.read_exact(&mut body)?;
                (body, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]".to_vec())
            }
        };
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        told.send(heard).ok();
        match kind {
            Receiver::Gt06ThatFailsOnce if first => return Ok(()),
            Receiver::Gt06AtTheEnd if !matches!(answer[3], 0x01 | 0x13) => owed.extend(answer),
            Receiver::OwnTracksThatFailsOnce if first => {
                stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")?;
            }
            _ => stream.write_all(&answer)?,
        }
    }
}

/// Drives a fleet until `enough` says so, which hears everything that was heard.
fn drive_until(n: usize, targets: &Targets, enough: impl FnOnce() + Send + 'static) -> Result<Progress, DriveError> {
    let stop = CancellationToken::new();
    let fleet = Fleet::new(Band::Simulate, n, &targets.protocols(), 1);
    let pace = Pace { interval: Duration::from_millis(20), duration: Some(Duration::from_mins(1)) };
    let token = stop.clone();
    let waiter = thread::spawn(move || {
        enough();
        token.cancel();
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let driven = runtime.block_on(drive(fleet, targets, pace, Arc::new(start), stop, |_| ()));
    if driven.is_ok() {
        waiter.join().unwrap();
    }
    driven
}

fn gt06(address: SocketAddr) -> Targets {
    Targets { gt06: Some(address.to_string()), owntracks: None }
}

fn owntracks(address: SocketAddr) -> Targets {
    Targets { gt06: None, owntracks: Some(HttpUrl::parse(&format!("http://{address}/pub")).unwrap()) }
}

#[test]
fn the_demo_drives_into_the_real_receivers_and_is_forgotten() {
    // Strict: the demo's devices are made beforehand, as adopted ones.
    let station = Station::start(Policy::Strict);
    let count = |station: &Station, query: &str| station.sql::<i64>(&format!("SELECT count(*) FROM {query}"));
    station.backend().start_demo(4);
    assert!(station.backend().demo_running());
    station.until("every demo device has a place", |s| count(s, "(SELECT DISTINCT device_id FROM positions)") == 4);
    assert_eq!(count(&station, "devices WHERE name LIKE 'Demo %' AND state = 'adopted'"), 4);
    assert_eq!(count(&station, "packets WHERE verdict <> 'ok'"), 0);
    station.backend().stop_demo(true);
    assert!(!station.backend().demo_running());
    station.until("nothing of the demo is left", |s| count(s, "devices") == 0 && count(s, "positions") == 0);
    station.stop();
}

#[test]
fn a_demo_tracker_answers_commands() {
    let station = Station::start(Policy::Strict);
    station.backend().start_demo(2);
    let tracker = "devices WHERE protocol = 'gt06' AND id IN (SELECT device_id FROM positions)";
    station.until("the tracker has a place", |s| s.sql::<i64>(&format!("SELECT count(*) FROM {tracker}")) == 1);
    let device = DeviceId(station.sql(&format!("SELECT id FROM {tracker}")));
    for (text, said) in [("STATUS#", "Battery:4.05V,NORMAL; GPRS:Link Up"), ("GPRSSET#", "GPRSSET OK!")] {
        let asked = station.backend().send_command(device, text.into(), Duration::from_mins(1), false);
        let id = asked.wait().unwrap().id;
        let answer = |s: &Station| s.backend().command(id).wait().unwrap().unwrap().answer;
        station.until("it answers", |s| answer(s).is_some());
        assert!(answer(&station).unwrap().starts_with(said), "{:?}", answer(&station));
    }
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM packets WHERE verdict <> 'ok'"), 0);
    station.stop();
}

#[test]
fn a_fleet_reports_to_both_receivers_and_hears_every_answer() {
    let (frames_to, frames) = receiver(Receiver::Gt06);
    let (bodies_to, bodies) = receiver(Receiver::OwnTracks);
    let targets = Targets { gt06: gt06(frames_to).gt06, owntracks: owntracks(bodies_to).owntracks };
    let began = Instant::now();
    let progress = drive_until(6, &targets, move || {
        let logins = (0..60).filter(|_| frames.recv_timeout(SOON).unwrap()[3] == 0x01).count();
        assert_eq!(logins, 3, "one login a tracker, and nothing made it log in again");
        let mut topics: Vec<Value> = (0..60)
            .map(|_| serde_json::from_slice::<Value>(&bodies.recv_timeout(SOON).unwrap()).unwrap()["topic"].take())
            .collect();
        topics.sort_by_key(ToString::to_string);
        topics.dedup();
        assert_eq!(topics, ["owntracks/sim/phone-2", "owntracks/sim/phone-4", "owntracks/sim/phone-6"]);
    })
    .unwrap();
    assert_eq!((progress.devices, progress.failed, progress.broken, progress.error), (6, 0, 0, None));
    assert!(progress.answered >= 120, "{} of {}", progress.answered, progress.sent);
    // Of each message for itself: none took longer than all of them together.
    let (latency, all) = (progress.latency.unwrap(), began.elapsed());
    assert!(latency.p50 > Duration::ZERO && latency.p50 <= latency.max && latency.max < all, "{latency:?} of {all:?}");
    assert_eq!(progress.connected, 0, "everything is closed at the end");
}

#[test]
fn a_tracker_logs_in_again_when_it_was_cut_off() {
    let (to, frames) = receiver(Receiver::Gt06ThatFailsOnce);
    let progress = drive_until(1, &gt06(to), move || {
        let kinds: Vec<u8> = (0..4).map(|_| frames.recv_timeout(SOON).unwrap()[3]).collect();
        assert_eq!(kinds, [0x01, 0x01, 0x13, 0x22]);
    })
    .unwrap();
    assert_eq!(progress.broken, 1);
}

#[test]
fn a_tracker_that_leaves_hears_the_far_end_out() {
    let (to, frames) = receiver(Receiver::Gt06AtTheEnd);
    let progress = drive_until(2, &gt06(to), move || {
        (0..20).for_each(|_| drop(frames.recv_timeout(SOON).unwrap()));
    })
    .unwrap();
    assert!(progress.sent >= 20, "{progress:?}");
    assert_eq!((progress.answered, progress.failed, progress.broken), (progress.sent, 0, 0), "{progress:?}");
}

#[test]
fn a_phone_sends_again_what_was_not_taken() {
    let (to, bodies) = receiver(Receiver::OwnTracksThatFailsOnce);
    let progress = drive_until(1, &owntracks(to), move || {
        let first = bodies.recv_timeout(SOON).unwrap();
        assert_eq!(bodies.recv_timeout(SOON).unwrap(), first);
    })
    .unwrap();
    assert_eq!(progress.failed, 1);
    assert!(progress.error.unwrap().ends_with("answered 503"));
}

#[test]
fn nobody_at_the_address_is_said_at_once() {
    let nobody = Port::keep();
    let free = nobody.at();
    for (targets, flag) in [(gt06(free), "--gt06"), (owntracks(free), "--owntracks")] {
        let error = drive_until(3, &targets, || ()).unwrap_err().to_string();
        assert!(error.contains(&free.to_string()) && error.contains(flag) && error.contains("refused"), "{error}");
    }
}

#[test]
fn a_drive_ends_when_its_time_is_over() {
    let (to, _frames) = receiver(Receiver::Gt06);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let targets = gt06(to);
    // A machine that is too busy to say anything in so short a time is given more.
    let mut drives = [100, 1_000, 10_000].map(Duration::from_millis).into_iter().map(|duration| {
        let fleet = Fleet::new(Band::Simulate, 2, &[Protocol::Gt06], 1);
        let pace = Pace { interval: duration / 20, duration: Some(duration) };
        let (mut told, began) = (0, Instant::now());
        let driving = drive(fleet, &targets, pace, Arc::new(start), CancellationToken::new(), |_| told += 1);
        let progress = runtime.block_on(driving).unwrap();
        let took = began.elapsed();
        assert!(took >= duration, "{took:?} of {duration:?}");
        assert!(told >= 1, "progress is told at the end at least");
        // Login, heartbeat and what is told at the ends beside one report an interval.
        let most = 2 * (4 + took.as_millis() / pace.interval.as_millis());
        assert!(u128::from(progress.sent) <= most, "{} of {most} in {took:?}", progress.sent);
        progress.sent
    });
    assert!(drives.any(|sent| sent >= 4), "both log in and report");
}
