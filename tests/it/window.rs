//! The real program with its real window on a virtual display: it appears, shows something, receives, and ends when told.
#![cfg(target_os = "linux")]

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::support::{Port, SOON, Tracker, line_of, post, sql};

/// A process that ends with its test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A virtual display and its name. It stays as it is when its last client goes: an X server would begin anew then and turn others away
/// meanwhile, and whoever looks whether there is a window is a client for a moment.
pub fn display() -> (Running, String) {
    let mut xvfb = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-noreset"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb starts (tests/run installs it)");
    let stdout = xvfb.stdout.take().expect("piped");
    let xvfb = Running(xvfb);
    let number = line_of(stdout, |_| true).expect("Xvfb names its display");
    (xvfb, format!(":{}", number.trim()))
}

fn wayglass(data: &Path, display: Option<&str>, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayglass"));
    command.args(words).arg("--data-dir").arg(data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    command.env("HOME", data).env("XDG_CONFIG_HOME", data.join("config")).env("XDG_DATA_HOME", data.join("data"));
    if let Some(display) = display {
        command.env("DISPLAY", display).env("LIBGL_ALWAYS_SOFTWARE", "1");
    }
    command
}

/// Waits for something that other programs do.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + 2 * SOON;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "still not: {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// The id of the window whose title names the program.
pub fn window(display: &str) -> Option<String> {
    let tree = Command::new("xwininfo").args(["-display", display, "-root", "-tree"]).output().expect("xwininfo runs");
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    let line = tree.lines().find(|l| l.contains("Wayglass"))?;
    line.split_whitespace().next().map(str::to_owned)
}

/// How many different pixels a picture of the window has.
fn colours(display: &str, window: &str) -> usize {
    let picture = Command::new("xwd").args(["-display", display, "-id", window, "-silent"]).output().expect("xwd runs");
    let bytes = picture.stdout;
    // Not on the screen yet: no picture.
    if bytes.len() < 100 {
        return 0;
    }
    let word = |i: usize| u32::from_be_bytes(bytes[4 * i..4 * i + 4].try_into().expect("four bytes")) as usize;
    let header = word(0) + 12 * word(19);
    bytes[header..].chunks_exact(4).collect::<std::collections::HashSet<_>>().len()
}

#[test]
fn the_window_opens_receives_and_ends_when_told() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let (_xvfb, display) = display();
    let (gt06, owntracks) = (Port::keep(), Port::keep());
    let (gt06_at, owntracks_at) = (gt06.at().to_string(), owntracks.at().to_string());
    let words = ["desktop", "--gt06", &gt06_at, "--owntracks", &owntracks_at];
    let program = wayglass(data.path(), Some(&display), &words).spawn().expect("the program starts");
    let mut program = Running(program);
    let id = until("a window of ours", || window(&display));
    until("something is drawn", || (colours(&display, &id) > 100).then_some(()));

    let mut tracker = Tracker::connect(gt06_at.parse().expect("an address"));
    tracker.send("78780D01012345678901234500018CDD0D0A");
    tracker.expect("787805010001d9dc0d0a");
    let body = r#"{"_type":"location","lat":48.85833,"lon":2.29513,"tst":1700000000,"tid":"JJ"}"#;
    assert_eq!(post(owntracks_at.parse().expect("an address"), body).status, 200);
    assert_eq!(sql::<i64>(data.path(), "SELECT count(*) FROM devices WHERE state = 'new'"), 2);

    let pid = program.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    let status = until("the program ends", || program.0.try_wait().expect("it can be asked"));
    assert!(status.success(), "ended with {status}");
}

#[test]
fn without_a_display_it_says_so_and_names_serve() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let words = ["desktop", "--gt06", "127.0.0.1:0", "--owntracks", "127.0.0.1:0"];
    let output = wayglass(data.path(), None, &words).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("display") && said.contains("wayglass serve"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
