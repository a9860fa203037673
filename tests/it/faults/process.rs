//! The program as a process, and how it ends.

use std::{
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::support::{SOON, line_of};

/// The longest that a stop may take (contract.md §1).
pub const STOP: Duration = Duration::from_secs(5);

/// The program's call with a home of its own, so that nothing of this machine's has a say.
pub fn wayglass(home: &Path, words: &[&str]) -> Command {
    within(home, &[env!("CARGO_BIN_EXE_wayglass")], words)
}

/// As [`wayglass`], started by other programs: each replaces itself by the next, so the process is ours to end.
pub fn within(home: &Path, before: &[&str], words: &[&str]) -> Command {
    let mut command = Command::new(before[0]);
    command.args(&before[1..]).args(words);
    for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("WAYGLASS_") || n.ends_with("DISPLAY")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env("HOME", home).env("TZ", "UTC");
    command.env("XDG_CONFIG_HOME", home.join("config")).env("XDG_DATA_HOME", home.join("share"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The words of a `serve` into `data` on free ports that adopts everybody.
pub fn serve_words(data: &Path) -> Vec<String> {
    let data = data.to_str().expect("UTF-8");
    ["serve", "--gt06", "127.0.0.1:0", "--owntracks", "127.0.0.1:0", "--policy", "adopt", "--data-dir", data]
        .map(str::to_owned)
        .to_vec()
}

/// A `serve` that is ready. It ends with its test.
pub struct Serve {
    child: Child,
    pub gt06: SocketAddr,
    pub owntracks: SocketAddr,
    /// Where its taps listen, in their order.
    pub taps: Vec<SocketAddr>,
    pub data: PathBuf,
    said: Arc<Mutex<String>>,
}

impl Serve {
    /// On free ports into `data`, adopting everybody.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// With further words.
    pub fn start_with(data: &Path, more: &[&str]) -> Self {
        let words = serve_words(data);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Self::run(wayglass(data, &words), data)
    }

    /// Runs a call that becomes a `serve` into `data`, and waits for its ready line.
    pub fn run(mut command: Command, data: &Path) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let said = Arc::<Mutex<String>>::default();
        keep(child.stderr.take().expect("piped"), &said);
        let line = line_of(child.stdout.take().expect("piped"), |_| true).unwrap_or_default();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            child.kill().ok();
            panic!("no ready line but {line:?}: {}", said.lock().expect("whole"))
        });
        let at = |key: &str| {
            let text = ready[key].as_str().expect("an address");
            text.trim_start_matches("http://").parse().expect("an address")
        };
        let taps = ready["taps"].as_array().into_iter().flatten();
        let taps = taps.map(|tap| tap["listen"].as_str().and_then(|at| at.parse().ok()).expect("an address")).collect();
        Self { gt06: at("gt06"), owntracks: at("owntracks"), taps, data: data.to_owned(), child, said }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("whole").clone()
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal, as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Asks it to stop; how it ended, and after how long.
    pub fn stop_by(mut self, name: &str) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        self.signal(name);
        let status = ended(&mut self.child, 2 * SOON).unwrap_or_else(|| panic!("it does not end: {}", self.said()));
        (status, asked.elapsed())
    }

    /// Stops it by SIGTERM; it ends well and in time.
    #[track_caller]
    pub fn stop(self) {
        let (status, took) = self.stop_by("TERM");
        assert!(status.success() && took <= STOP, "{status} after {took:?}");
    }

    /// Resident memory in MiB, and the most that it ever was.
    pub fn memory_mib(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let of = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name)).expect("the system tells");
            line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).expect("a number") / 1024
        };
        (of("VmRSS:"), of("VmHWM:"))
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Sends a signal to a process of ours.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().expect("kill runs");
    assert!(sent.success(), "{name} to {pid}");
}

/// How a process ended, if it does within `patience`.
pub fn ended(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            return Some(status);
        }
        if Instant::now() > end {
            return None;
        }
        pause(10);
    }
}

/// How a call ended that was to end by itself: status, output, errors.
pub fn run(mut command: Command) -> (i32, String, String) {
    let mut child = command.spawn().expect("the program starts");
    let (out, err) = (Arc::<Mutex<String>>::default(), Arc::<Mutex<String>>::default());
    let readers = [keep(child.stdout.take().expect("piped"), &out), keep(child.stderr.take().expect("piped"), &err)];
    let Some(status) = ended(&mut child, SOON) else {
        child.kill().ok();
        panic!("it does not end: {}", err.lock().expect("whole"));
    };
    for reader in readers {
        reader.join().expect("it only reads");
    }
    let text = |kept: &Mutex<String>| kept.lock().expect("whole").clone();
    (status.code().unwrap_or(-1), text(&out), text(&err))
}

fn keep(mut from: impl Read + Send + 'static, to: &Arc<Mutex<String>>) -> thread::JoinHandle<()> {
    let to = Arc::clone(to);
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut chunk) {
            to.lock().expect("whole").push_str(&String::from_utf8_lossy(&chunk[..n]));
        }
    })
}

/// Lets other threads and processes work for so many milliseconds.
pub fn pause(ms: u64) {
    let end = Instant::now() + Duration::from_millis(ms);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
}

/// Waits until something holds; how long that took.
#[track_caller]
pub fn until(what: &str, mut done: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < SOON, "still not: {what}");
        pause(10);
    }
    began.elapsed()
}
