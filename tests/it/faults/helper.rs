//! Other programs that get in the way: this test binary, started again for one of the jobs below.

use std::{
    io::Read,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use rusqlite::Connection;

use crate::support::line_of;

/// What tells a started copy which folder it is about.
const FOLDER: &str = "FAULT_HELPER_FOLDER";
/// What a copy says once it is in the way.
const THERE: &str = "in the way";

/// Another program that is in the way until it is let go or killed.
pub struct InTheWay {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl InTheWay {
    /// Holds the database of `data` with BEGIN EXCLUSIVE.
    pub fn lock(data: &Path) -> Self {
        Self::start("holds_the_database", data)
    }

    fn start(job: &str, folder: &Path) -> Self {
        let me = std::env::current_exe().expect("the system tells");
        let name = format!("faults::helper::{job}");
        let mut child = Command::new(me)
            .args(["--exact", &name, "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test starts again");
        // Read to its end: a test that cannot say how long it has been running ends.
        let stdout = child.stdout.take().expect("piped");
        let stdin = child.stdin.take();
        let there = Self { child, stdin };
        assert!(line_of(stdout, |line| line.contains(THERE)).is_some(), "{job} does not get in the way");
        there
    }

    /// Ends it in order.
    pub fn let_go(mut self) {
        self.stdin.take();
        self.child.wait().expect("it ends");
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for InTheWay {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The job of a started copy. Without one: that it does keep others out, and no longer than it should.
#[test]
fn holds_the_database() {
    let Some(folder) = std::env::var_os(FOLDER) else { return keeps_others_out() };
    let db = Connection::open(Path::new(&folder).join("wayglass.db")).expect("the store opens");
    db.busy_timeout(Duration::from_secs(20)).expect("a time-out");
    db.execute_batch("BEGIN EXCLUSIVE").expect("nobody holds it for long");
    println!("{THERE}");
    // Until whoever started it lets go.
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
    db.execute_batch("ROLLBACK").expect("it is ours");
}

fn keeps_others_out() {
    let data = tempfile::tempdir().expect("a folder");
    let db = Connection::open(data.path().join("wayglass.db")).expect("a file");
    db.execute_batch("CREATE TABLE one(x)").expect("a table");
    db.busy_timeout(Duration::ZERO).expect("no time-out");
    let holder = InTheWay::lock(data.path());
    let refused = db.execute_batch("INSERT INTO one VALUES (1)").expect_err("somebody else holds it");
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
    holder.let_go();
    db.execute_batch("INSERT INTO one VALUES (1)").expect("nobody holds it any more");
}
