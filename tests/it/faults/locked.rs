//! Another program holds the database.

use std::time::{Duration, Instant};

use super::{
    far::{Fleet, Phone},
    helper::InTheWay,
    process::{Serve, pause, run, serve_words, until, wayglass},
    scale,
};
use crate::support::SOON;

/// How long an answer may take at most once the database is free; in a quiet run it is a few milliseconds.
const BACK: Duration = Duration::from_secs(5);

fn location(tst: i64) -> String {
    format!(r#"{{"_type":"location","lat":1,"lon":2,"tst":{tst},"tid":"xx","topic":"owntracks/fault/late"}}"#)
}

#[test]
fn a_locked_database_pushes_back_and_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start(data.path());
    let fleet = Fleet::start(3, 3, serve.gt06, serve.owntracks);
    until("some are answered", || fleet.ledger.count().0 > 20 && fleet.ledger.count().1 > 20);
    for killed in [false, true] {
        let holder = InTheWay::lock(data.path());
        // An answer may have been on its way: until all phones are told to come again, and nobody was answered for a while.
        let refused = fleet.refused();
        let (mut before, mut since) = (fleet.ledger.count(), Instant::now());
        until("no answer is on its way", || {
            let now = fleet.ledger.count();
            if std::mem::replace(&mut before, now) != now {
                since = Instant::now();
            }
            fleet.refused() >= refused + 3 && since.elapsed() > Duration::from_millis(500)
        });
        let locked = Instant::now();
        while locked.elapsed() < Duration::from_secs(scale(4, 60)) {
            pause(100);
            let when = locked.elapsed();
            assert_eq!(fleet.ledger.count(), before, "nothing is answered while nothing can be stored, after {when:?}");
        }
        if killed {
            holder.kill();
        } else {
            holder.let_go();
        }
        let back = until("both kinds are answered again", || {
            let now = fleet.ledger.count();
            now.0 > before.0 && now.1 > before.1
        });
        assert!(back < BACK, "answers again only after {back:?}");
        eprintln!("holder {}: answers again after {back:?}", if killed { "killed" } else { "let go" });
    }
    let ledger = fleet.stop();
    serve.stop();
    eprintln!("database locked: {}", ledger.audit(data.path()));
}

#[test]
fn a_start_on_a_locked_database_is_one_clear_line() {
    let data = tempfile::tempdir().unwrap();
    Serve::start(data.path()).stop();
    let holder = InTheWay::lock(data.path());
    let words = serve_words(data.path());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (code, out, err) = run(wayglass(data.path(), &words));
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    let named = err.contains(data.path().to_str().unwrap()) && err.contains("another program holds it");
    assert!(named && err.lines().count() == 1, "{err}");
    holder.let_go();
    Serve::start(data.path()).stop();
}

#[test]
fn a_short_lock_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start(data.path());
    let mut phone = Phone::call(serve.owntracks).unwrap();
    assert_eq!(phone.post(&location(1_700_000_000)).unwrap(), 200);
    // This test is another program, too, and lets go in no time: far within the patience of two seconds.
    let holder = rusqlite::Connection::open(data.path().join("wayglass.db")).unwrap();
    holder.busy_timeout(SOON).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let to = serve.owntracks;
    let asked = std::thread::spawn(move || Phone::call(to).and_then(|mut p| p.post(&location(1_700_000_001))).unwrap());
    pause(500);
    assert!(!asked.is_finished(), "no answer while nothing can be stored");
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(asked.join().unwrap(), 200, "and no refusal for so short a while");
    serve.stop();
}
