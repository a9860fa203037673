//! A panic ends what it happens in, and no more. The clock is handed in from outside, so a test's clock may panic where the program asks it.

use std::{
    io::{self, Read},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use wayglass::{
    backend::{Access, Error, Https, ListenAt, Setup, bounds::Bounds, logfile::LogFile},
    cli,
    model::{Clock, Keep, Policy, Protocol, Timestamp},
};

use super::{
    far::{Phone, Tracker},
    process::until,
};
use crate::support::Station;

/// A clock that panics once, when a thread of this name asks it after it was armed.
fn fragile(thread_name: &'static str) -> (Clock, Arc<AtomicBool>) {
    let armed = Arc::<AtomicBool>::default();
    let looked_at = Arc::clone(&armed);
    let clock: Clock = Arc::new(move || {
        if thread::current().name().is_some_and(|name| name.starts_with(thread_name))
            && looked_at.swap(false, Ordering::SeqCst)
        {
            // As a panic, without its message among those of the tests.
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        Timestamp::from_second(1_795_262_400).expect("a moment")
    });
    (clock, armed)
}

/// Whether a call is not answered because the clock panicked in it. Others on threads of that name ask the clock, too: where one of them took the
/// panic, it is armed again.
fn breaks<T>(armed: &AtomicBool, mut call: impl FnMut() -> io::Result<T>) -> bool {
    (0..50).any(|_| {
        armed.store(true, Ordering::SeqCst);
        let answered = call().is_ok();
        assert!(answered || !armed.load(Ordering::SeqCst), "nobody panicked, and it is not answered");
        !answered
    })
}

fn location(tst: i64) -> String {
    format!(r#"{{"_type":"location","lat":1,"lon":2,"tst":{tst},"tid":"xx","topic":"owntracks/fault/panic"}}"#)
}

#[test]
fn a_panic_in_one_connection_ends_only_that_one() {
    let (clock, armed) = fragile("ingest");
    let station = Station::start_by_clock(clock, Policy::Adopt);
    let mut unlucky = Tracker::log_in(station.gt06, "861234567890400").unwrap();
    let mut lucky = Tracker::log_in(station.gt06, "861234567890401").unwrap();
    let mut phone = Phone::call(station.owntracks).unwrap();
    assert_eq!(phone.post(&location(1_700_000_000)).unwrap(), 200);
    assert!(breaks(&armed, || unlucky.report(0..1)), "it is not answered");
    assert_eq!(unlucky.stream.read(&mut [0]).unwrap_or(0), 0, "it is closed");
    lucky.report(0..3).expect("the other goes on");
    assert_eq!(phone.post(&location(1_700_000_001)).unwrap(), 200);
    // A request is a connection of its own, too.
    // What it tells is stored already, so it does not matter how often it is armed.
    let to = station.owntracks;
    assert!(breaks(&armed, || Phone::call(to)?.post(&location(1_700_000_001))), "it is not answered");
    assert_eq!(phone.post(&location(1_700_000_003)).unwrap(), 200);
    lucky.report(3..5).unwrap();
    Tracker::log_in(station.gt06, "861234567890400").unwrap().report(0..1).expect("it comes again");
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 3 + 5 + 1, "phone, lucky, unlucky");
    until("its place is free again", || {
        let lines = station.backend().receivers();
        lines.iter().find(|l| l.protocol == Protocol::Gt06).is_some_and(|l| l.connections <= 1)
    });
}

#[test]
fn a_panic_of_the_writer_stops_ingest_and_no_answer_leaves_after_it() {
    let (clock, armed) = fragile("store-writer");
    let station = Station::start_by_clock(clock, Policy::Adopt);
    let mut tracker = Tracker::log_in(station.gt06, "861234567890402").unwrap();
    let mut phone = Phone::call(station.owntracks).unwrap();
    assert_eq!(phone.post(&location(1_700_000_000)).unwrap(), 200);
    armed.store(true, Ordering::SeqCst);
    assert_eq!(phone.post(&location(1_700_000_001)).unwrap(), 503);
    assert!(!armed.load(Ordering::SeqCst), "it panicked");
    assert!(tracker.report(0..1).is_err(), "no answer");
    assert!(Tracker::log_in(station.gt06, "861234567890403").is_err(), "no answer");
    assert_eq!(Phone::call(station.owntracks).unwrap().post(&location(1_700_000_002)).unwrap(), 503);
    assert!(matches!(station.backend().trouble(), Some(Error::Died)), "and it is said");
    assert_eq!(station.sql::<i64>("SELECT count(*) FROM positions"), 1);
}

#[test]
fn serve_ends_with_its_writer() {
    let (clock, armed) = fragile("store-writer");
    let data = tempfile::tempdir().unwrap();
    let free: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    let setup = Setup {
        data_dir: data.path().to_owned(),
        listen: Protocol::ALL.map(|p| (p, ListenAt::Address(free))).to_vec(),
        taps: Vec::new(),
        policy: Policy::Adopt,
        keep: Keep::default(),
        limits: Bounds::default(),
        settings: None,
        access: Access::default(),
        https: Https::default(),
        addresses: None,
        log: LogFile::default(),
        passing: None,
    };
    let said = Said::default();
    let mut out = said.clone();
    let serving = thread::spawn(move || cli::serve::run(setup, clock, &mut out).map_err(|e| e.to_string()));
    until("it is ready", || said.text().ends_with('\n'));
    let ready: serde_json::Value = serde_json::from_str(&said.text()).unwrap();
    let owntracks = ready["owntracks"].as_str().unwrap().trim_start_matches("http://").parse().unwrap();
    armed.store(true, Ordering::SeqCst);
    assert_eq!(Phone::call(owntracks).unwrap().post(&location(1_700_000_001)).unwrap(), 503);
    let error = serving.join().unwrap().unwrap_err();
    assert!(error.contains("fault") && error.contains("started again"), "one clear line: {error}");
}

/// What a call printed, for two threads.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
