//! Starts that cannot be: a folder that cannot be written, a folder or port that somebody has.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    far::{Fleet, Phone},
    process::{Serve, pause, run, serve_words, until, wayglass, within},
};

/// A port is listened on again so soon after it is free (performance.md §3).
const BACK: Duration = Duration::from_secs(5);

fn location(tst: i64) -> String {
    format!(r#"{{"_type":"location","lat":1,"lon":2,"tst":{tst},"tid":"xx","topic":"owntracks/fault/start"}}"#)
}

/// The program before which a call runs so that `folder` cannot be written: root may write anywhere, but not on a read-only mount.
/// `None` where that cannot be had.
pub fn unwritable(folder: &Path) -> Option<Vec<String>> {
    let mount = r#"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@""#;
    let words = |own: &[&str]| -> Vec<String> {
        own.iter().copied().chain(["sh", "-c", mount, folder.to_str().expect("UTF-8")]).map(str::to_owned).collect()
    };
    [&["unshare", "--mount"][..], &["unshare", "--user", "--map-root-user", "--mount"]].into_iter().map(words).find(
        |words| {
            let tried = Command::new(&words[0]).args(&words[1..]).arg("true").stderr(Stdio::null()).status();
            tried.is_ok_and(|tried| tried.success())
        },
    )
}

#[test]
fn a_folder_that_cannot_be_written_is_one_clear_line() {
    let home = tempfile::tempdir().unwrap();
    let (fresh, used) = (home.path().join("fresh"), home.path().join("used"));
    fs::create_dir(&fresh).unwrap();
    let serve = Serve::start(&used);
    assert_eq!(Phone::call(serve.owntracks).unwrap().post(&location(1_700_000_000)).unwrap(), 200);
    serve.stop();
    for folder in [&fresh, &used] {
        let Some(before) = unwritable(folder) else {
            eprintln!("skipped: this user may not mount");
            return;
        };
        let before: Vec<&str> = before.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_wayglass")]).collect();
        let words = serve_words(folder);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (code, out, err) = run(within(home.path(), &before, &words));
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
        for word in [folder.to_str().unwrap(), "read-only", "--data-dir"] {
            assert!(err.contains(word), "{word} in: {err}");
        }
        // What only reads works all the same.
        let data = folder.to_str().unwrap();
        let (code, found, _) = run(within(home.path(), &before, &["doctor", "--data-dir", data]));
        assert!(
            code == 1 && found.lines().any(|l| l.starts_with("trouble") && l.contains("cannot be written")),
            "{found}"
        );
        if folder == &used {
            let (code, out, err) = run(within(home.path(), &before, &["devices", "--data-dir", data]));
            assert!(code == 0 && out.contains("owntracks/fault/start"), "{out}{err}");
            let words = ["export", "--device", "all", "--format", "gpx", "--output", "-", "--data-dir", data];
            let (code, out, err) = run(within(home.path(), &before, &words));
            assert!(code == 0 && out.contains("<trkpt"), "{out}{err}");
        }
    }
}

#[test]
fn a_second_serve_leaves_the_first_unharmed() {
    let data = tempfile::tempdir().unwrap();
    let first = Serve::start(data.path());
    let fleet = Fleet::start(2, 2, first.gt06, first.owntracks);
    until("some are answered", || fleet.ledger.count().0 > 5 && fleet.ledger.count().1 > 5);
    let words = serve_words(data.path());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (code, out, err) = run(wayglass(data.path(), &words));
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.lines().count() == 1 && err.contains(data.path().to_str().unwrap()), "{err}");
    let before = fleet.ledger.count();
    until("the first goes on", || fleet.ledger.count().0 > before.0 + 5 && fleet.ledger.count().1 > before.1 + 5);
    let ledger = fleet.stop();
    first.stop();
    eprintln!("second instance: {}", ledger.audit(data.path()));
}

#[test]
fn a_killed_first_is_in_nobodys_way() {
    let data = tempfile::tempdir().unwrap();
    let first = Serve::start(data.path());
    assert_eq!(Phone::call(first.owntracks).unwrap().post(&location(1_700_000_000)).unwrap(), 200);
    first.kill();
    let second = Serve::start(data.path());
    assert_eq!(Phone::call(second.owntracks).unwrap().post(&location(1_700_000_001)).unwrap(), 200);
    second.stop();
}

#[test]
fn a_taken_port_is_named_with_who_has_it() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    for (flag, other) in [("--gt06", "--owntracks"), ("--owntracks", "--gt06")] {
        let words = ["serve", flag, &at, other, "127.0.0.1:0", "--data-dir", data.path().to_str().unwrap()];
        let (code, out, err) = run(wayglass(data.path(), &words));
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        let me = std::process::id().to_string();
        assert!(err.lines().count() == 1 && [&at, flag, &me].iter().all(|w| err.contains(*w)), "{err}");
    }
}

/// The port of a running receiver is taken while it restarts elsewhere, and freed: `serve` would end, so this is the window's way.
#[test]
fn a_freed_port_is_listened_on_again() {
    use crate::support::{Port, Station};
    use wayglass::{
        backend::{ListenAt, ReceiverStatus},
        model::{Policy, Protocol},
    };

    let station = Station::start(Policy::Adopt);
    // Nobody else gets it between the one and the other.
    let port = Port::keep();
    let at = port.at();
    let taken = TcpListener::bind(at).unwrap();
    station.backend().listen(Protocol::Gt06, ListenAt::Address(at));
    let status = || station.backend().receivers().into_iter().find(|l| l.protocol == Protocol::Gt06).unwrap().status;
    until("it waits", || matches!(status(), ReceiverStatus::Waiting { .. }));
    let ReceiverStatus::Waiting { wanted, holder, .. } = status() else { panic!("it does not wait") };
    assert!(wanted == at && holder.is_some_and(|h| h.contains(&std::process::id().to_string())));
    // The other receiver is not harmed.
    assert_eq!(Phone::call(station.owntracks).unwrap().post(&location(1_700_000_000)).unwrap(), 200);
    pause(100);
    drop(taken);
    let back = until("it listens", || status() == ReceiverStatus::Listening(at));
    assert!(back < BACK, "only after {back:?}");
    eprintln!("a freed port is listened on after {back:?}");
}
