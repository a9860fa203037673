//! A `wayglass` process of its own.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::machine;

/// The program that is measured.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_wayglass");

/// A program that has used no more than a fiftieth of a core for so long has nothing left to do; looked for no longer than that.
const STILL: Duration = Duration::from_millis(1500);
const AT_MOST: Duration = Duration::from_mins(1);

/// A running `wayglass serve`; dropping it ends it.
pub(crate) struct Served {
    child: Child,
    pub gt06: SocketAddr,
    pub(crate) owntracks: SocketAddr,
    /// From its start to its ready line.
    pub(crate) ready_after: Duration,
    /// Goes with it.
    folder: Option<TempDir>,
}

/// A folder for one measurement.
pub(crate) fn scratch() -> TempDir {
    TempDir::new_in(machine::folder()).expect("a folder to write into")
}

impl Served {
    /// On a fresh folder.
    pub(crate) fn fresh() -> Self {
        let folder = scratch();
        let mut served = Self::on(folder.path());
        served.folder = Some(folder);
        served
    }

    /// On what is there already.
    pub(crate) fn on(folder: &Path) -> Self {
        let began = Instant::now();
        let mut child = command("serve", folder).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("the ready line");
        let ready_after = began.elapsed();
        let ready: serde_json::Value = serde_json::from_str(&line).expect("the ready line is JSON");
        let at = |key: &str| {
            let text = ready.get(key).and_then(|v| v.as_str()).expect("it listens");
            text.trim_start_matches("http://").parse().expect("an address")
        };
        Self { gt06: at("gt06"), owntracks: at("owntracks"), child, ready_after, folder: None }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> Duration {
        machine::cpu_time(self.pid())
    }

    /// Waits until it has done what it does later: positions are packed, devices judged, pages written into the file.
    pub(crate) fn settle(&self) {
        let until = Instant::now() + AT_MOST;
        while Instant::now() < until {
            let before = self.cpu();
            std::thread::sleep(STILL);
            if self.cpu().saturating_sub(before) * 50 <= STILL {
                return;
            }
        }
    }

    /// As [`Served::cpu`], by the names of its threads.
    pub(crate) fn cpu_by_thread(&self) -> BTreeMap<String, Duration> {
        machine::cpu_by_thread(self.pid())
    }

    /// Memory that it has now, in MB.
    pub(crate) fn memory_mb(&self) -> f64 {
        machine::memory_mb(self.pid(), "VmRSS")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// `wayglass` with ports of its own, taking every sender, and nothing of the user's settings.
pub(crate) fn command(call: &str, folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args([call, "--gt06", "127.0.0.1:0", "--owntracks", "127.0.0.1:0", "--policy", "adopt", "--data-dir"]);
    command.arg(folder).arg("--config").arg(folder.join("none.toml"));
    let settings = folder.join("none.toml");
    if !settings.exists() {
        std::fs::write(settings, "").expect("a folder to write into");
    }
    command.env_remove("RUST_LOG");
    command
}

/// Asks a process to stop, and waits until it has.
pub(crate) fn end(child: &mut Child) {
    let pid = child.id().to_string();
    // The standard library can only kill; a kill would leave the log to be read again.
    let asked = Command::new("kill").args(["-TERM", &pid]).status();
    let until = Instant::now() + Duration::from_secs(20);
    while asked.is_ok() && Instant::now() < until {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().ok();
    child.wait().ok();
}
