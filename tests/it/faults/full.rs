//! The disk is full, for real: a small tmpfs of the program's own, and, where nothing can be mounted, a limit on the size of its files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{
    far::{Fleet, Tracker},
    process::{STOP, Serve, pause, serve_words, until, wayglass, within},
    scale,
};

/// Ingest is back so soon after there is space again (performance.md §3).
const BACK: Duration = Duration::from_secs(5);

/// A `serve` whose data lie in a small file system that only it has, and that goes with it.
pub(super) struct Small {
    pub(super) serve: Serve,
    /// The same folder, seen from here.
    seen: PathBuf,
}

impl Small {
    /// `None` where this user may not mount, not even within a namespace.
    fn start(home: &Path, mib: u32) -> Option<Self> {
        Self::start_with(home, mib, &[])
    }

    /// With further words.
    pub(super) fn start_with(home: &Path, mib: u32, more: &[&str]) -> Option<Self> {
        let data = home.join("data");
        fs::create_dir_all(&data).unwrap();
        let mount = format!(r#"mount -t tmpfs -o size={mib}m,mode=700 small "$0" && exec "$@""#);
        let folder = data.to_str().expect("UTF-8");
        let own: &[&str] =
            if is_root() { &["unshare", "--mount"] } else { &["unshare", "--user", "--map-root-user", "--mount"] };
        let tried = Command::new(own[0]).args(&own[1..]).args(["sh", "-c", &mount, folder, "true"]).output();
        if !tried.is_ok_and(|tried| tried.status.success()) {
            return None;
        }
        let before: Vec<&str> =
            own.iter().copied().chain(["sh", "-c", &mount, folder, env!("CARGO_BIN_EXE_wayglass")]).collect();
        let words = serve_words(&data);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let serve = Serve::run(within(home, &before, &words), &data);
        let seen = PathBuf::from(format!("/proc/{}/root{}", serve.pid(), data.display()));
        Some(Self { serve, seen })
    }

    /// Its data folder, seen from here.
    pub(super) fn seen(&self) -> &Path {
        &self.seen
    }

    /// Another program takes all the space that is left.
    pub(super) fn fill(&self) {
        let taken = self.seen.join("somebody-elses");
        let mut file = fs::File::create(taken).unwrap();
        let block = [1; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    pub(super) fn free(&self) {
        fs::remove_file(self.seen.join("somebody-elses")).unwrap();
    }

    /// Ends the program by a signal, well and in time, and copies what it leaves out of its file system, which goes with it.
    pub(super) fn end(self, signal: &str) -> (tempfile::TempDir, Duration) {
        let held = fs::File::open(&self.seen).unwrap();
        let (status, took) = self.serve.stop_by(signal);
        assert!(status.success() && took <= STOP, "{signal}: {status} after {took:?}");
        // While the folder is held open, its file system is there.
        let seen = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&held)));
        let copy = tempfile::tempdir().unwrap();
        for name in ["wayglass.db", "wayglass.db-wal"] {
            if seen.join(name).exists() {
                fs::copy(seen.join(name), copy.path().join(name)).unwrap();
            }
        }
        (copy, took)
    }

    /// Calls the program within the same small file system.
    pub(super) fn call(&self, words: &[&str]) -> (i32, String, String) {
        let pid = self.serve.pid().to_string();
        let mut before = vec!["nsenter", "--target", &pid, "--mount"];
        if !is_root() {
            before.extend(["--user", "--preserve-credentials"]);
        }
        before.push(env!("CARGO_BIN_EXE_wayglass"));
        super::process::run(within(&self.serve.data, &before, words))
    }
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    status.lines().any(|l| l.strip_prefix("Uid:").is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0")))
}

/// Phones are refused, trackers get no answer. What still fits is stored and answered, to the last page: the audit tells whether both go together.
fn hardly_anything_is_answered(fleet: &Fleet, serve: &Serve) -> (usize, usize) {
    until("phones are refused", || fleet.refused() > 5);
    let refused = fleet.refused();
    until("and refused again", || fleet.refused() > refused + 20);
    let to = serve.gt06;
    let reports = |n: i64| Tracker::log_in(to, "861234567890999").and_then(|mut t| t.report(n..n + 50));
    until("a tracker gets no answer", || (0..10).any(|n| reports(n * 50).is_err()));
    fleet.ledger.count()
}

fn is_answered_again(fleet: &Fleet, before: (usize, usize)) {
    let back = until("both kinds are answered again", || {
        let now = fleet.ledger.count();
        now.0 > before.0 && now.1 > before.1
    });
    assert!(back < BACK, "answers again only after {back:?}");
    eprintln!("space is back: answers again after {back:?}");
}

#[test]
fn a_full_disk_answers_nothing_and_recovers_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let Some(small) = Small::start(home.path(), scale(8, 64)) else {
        eprintln!("skipped: this user may not mount a tmpfs; the limit on file sizes is tried below");
        return;
    };
    let fleet = Fleet::start(3, 3, small.serve.gt06, small.serve.owntracks);
    until("some are answered", || fleet.ledger.count().0 > 20 && fleet.ledger.count().1 > 20);
    for round in 0..scale(2, 20) {
        small.fill();
        let before = hardly_anything_is_answered(&fleet, &small.serve);
        if round == 0 {
            let (_, found, _) = small.call(&["doctor", "--data-dir", small.serve.data.to_str().unwrap()]);
            assert!(found.lines().any(|l| l.starts_with("trouble") && l.contains("full")), "doctor says so: {found}");
        }
        pause(scale(300, 5_000));
        small.free();
        is_answered_again(&fleet, before);
    }
    let said = small.serve.said();
    assert!(said.contains("the disk is full"), "the log says so: {said}");
    assert!(said.lines().count() < 40, "and not with every report: {said}");
    let ledger = fleet.stop();
    let (data, _) = small.end("TERM");
    eprintln!("disk full: {}", ledger.audit(data.path()));
}

#[test]
fn a_signal_while_the_disk_is_full_ends_well() {
    for signal in ["TERM", "INT"] {
        let home = tempfile::tempdir().unwrap();
        let Some(small) = Small::start(home.path(), 8) else { return };
        let fleet = Fleet::start(2, 2, small.serve.gt06, small.serve.owntracks);
        until("some are answered", || fleet.ledger.count().0 > 20 && fleet.ledger.count().1 > 20);
        small.fill();
        hardly_anything_is_answered(&fleet, &small.serve);
        let (data, took) = small.end(signal);
        eprintln!("SIG{signal} on a full disk, ended after {took:?}: {}", fleet.stop().audit(data.path()));
    }
}

#[test]
fn a_limit_on_file_sizes_is_a_full_disk() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let words = serve_words(&data);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // The soft limit only, so that it can be lifted again.
    let serve = Serve::run(
        within(
            home.path(),
            &["sh", "-c", r#"ulimit -S -f 2048; exec "$0" "$@""#, env!("CARGO_BIN_EXE_wayglass")],
            &words,
        ),
        &data,
    );
    let fleet = Fleet::start(3, 3, serve.gt06, serve.owntracks);
    let before = hardly_anything_is_answered(&fleet, &serve);
    let lifted = Command::new("prlimit").args(["--pid", &serve.pid().to_string(), "--fsize=unlimited:"]).status();
    assert!(lifted.unwrap().success());
    is_answered_again(&fleet, before);
    let ledger = fleet.stop();
    serve.stop();
    eprintln!("file size limited: {}", ledger.audit(&data));
}

#[test]
fn a_full_disk_at_the_start_is_one_clear_line() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let words = serve_words(&data);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let call =
        within(home.path(), &["sh", "-c", r#"ulimit -f 8; exec "$0" "$@""#, env!("CARGO_BIN_EXE_wayglass")], &words);
    let (code, out, err) = super::process::run(call);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.lines().count() == 1 && err.contains(data.to_str().unwrap()), "{err}");
    // With room, the same folder is fine.
    drop(Serve::run(wayglass(home.path(), &words), &data));
}
