//! How soon it is there, on a large history.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use wayglass::{
    model::Timestamp,
    store::{Store, query},
};

use crate::{
    Size, history,
    process::{self, Served},
    table::{Limit, Table, median},
};

const WINDOW_S: f64 = 1.0;
const SERVE_S: f64 = 0.3;
const LAST_POSITIONS_MS: f64 = 50.0;
const ROUNDS: usize = 5;

pub(crate) fn measure(table: &mut Table, size: Size) {
    let folder = history::folder(size.history);
    let ready = (0..ROUNDS).map(|_| Served::on(&folder).ready_after.as_secs_f64()).collect();
    let note = format!("with {} positions; median of {ROUNDS}", size.history);
    table.add("serve ready", median(ready), "s", Limit::Below(SERVE_S), note);

    let last = (0..ROUNDS).map(|_| last_positions_ms(&folder)).collect();
    let name = format!("last positions of {} devices", history::DEVICES);
    table.add(name, median(last), "ms", Limit::Below(LAST_POSITIONS_MS), "the first question to a file just opened");

    let windows: Result<Vec<_>, _> =
        (0..ROUNDS).map(|_| Window::open(&folder).map(|window| window.milestones)).collect();
    match windows {
        Ok(all) => {
            let middle = |of: fn(&Milestones) -> f64| median(all.iter().map(of).collect());
            let note = format!(
                "store and receivers {:.2} s, data {:.2} s after the window; the renderer's {:.2} s left out",
                middle(|m| m.opened_s),
                middle(|m| m.drawn_s - m.window_s),
                middle(|m| m.window_s - m.opened_s)
            );
            table.add("window usable", middle(Milestones::own_s), "s", Limit::Below(WINDOW_S), note);
            table.tell("  with the software renderer", middle(|m| m.drawn_s), "s", "");
        }
        Err(why) => table.add("window usable", f64::NAN, "s", Limit::Below(WINDOW_S), why),
    }
}

fn last_positions_ms(folder: &Path) -> f64 {
    let clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let store = Store::view(folder, clock).expect("opens");
    let began = Instant::now();
    let all = store.reader().read(query::device_overviews).wait().expect("read");
    let took = began.elapsed();
    assert!(all.iter().all(|overview| overview.last_fix.is_some()) && all.len() as u64 == history::DEVICES);
    took.as_secs_f64() * 1e3
}

/// What the program says of its own start, in seconds since it began.
#[expect(clippy::struct_field_names, reason = "units in names")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Milestones {
    /// Store and receivers are open.
    opened_s: f64,
    /// The system has given a window, and the renderer is ready.
    window_s: f64,
    /// The first picture with data was laid out.
    drawn_s: f64,
}

impl Milestones {
    /// Without the time in which the renderer was made ready.
    fn own_s(&self) -> f64 {
        self.opened_s + self.drawn_s - self.window_s
    }
}

/// A running window; dropping it ends it.
pub(crate) struct Window {
    child: Child,
    display: Option<Child>,
    milestones: Milestones,
}

/// Memory of a window, in MB.
pub(crate) struct Memory {
    pub(crate) total_mb: f64,
    /// What belongs to the software renderer.
    pub(crate) renderer_mb: f64,
}

impl Window {
    /// Opens a window on a folder, on the display that is there or a virtual one, and waits until it is usable.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        let (display, name) = display()?;
        let mut command = process::command("desktop", folder);
        command.env("DISPLAY", name).env("RUST_LOG", "wayglass=info").stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| e.to_string())?;
        let said = BufReader::new(child.stderr.take().expect("piped"));
        let found = said.lines().map_while(Result::ok).find_map(|line| milestones(&line));
        let Some(milestones) = found else {
            child.kill().ok();
            child.wait().ok();
            return Err("it never said that it is usable".to_owned());
        };
        Ok(Self { child, display, milestones })
    }

    pub(crate) fn memory(&self) -> Memory {
        let smaps = fs::read_to_string(format!("/proc/{}/smaps", self.child.id())).unwrap_or_default();
        let (mut total, mut renderer, mut theirs) = (0.0, 0.0, false);
        for line in smaps.lines() {
            if let Some(kb) = line.strip_prefix("Rss:").and_then(|rest| rest.split_whitespace().next()) {
                let mb = kb.parse::<f64>().unwrap_or_default() * 1024.0 / 1e6;
                total += mb;
                renderer += if theirs { mb } else { 0.0 };
            } else if line.split(' ').next().is_some_and(|range| range.contains('-')) {
                theirs = RENDERER.iter().any(|name| line.contains(name));
            }
        }
        Memory { total_mb: total, renderer_mb: renderer }
    }
}

/// Mappings of Mesa's software renderer.
const RENDERER: [&str; 4] = ["libvulkan_lvp", "libLLVM", "libgallium", "llvmpipe"];

impl Drop for Window {
    fn drop(&mut self) {
        process::end(&mut self.child);
        if let Some(display) = &mut self.display {
            process::end(display);
        }
    }
}

/// Where windows open; starts a virtual display where there is none.
fn display() -> Result<(Option<Child>, String), String> {
    if let Some(name) = std::env::var("DISPLAY").ok().filter(|name| !name.is_empty()) {
        return Ok((None, name));
    }
    // An X server would begin anew when its last client goes, and turn others away meanwhile.
    let mut xvfb = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-noreset"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("no display, and Xvfb does not start: {e}"))?;
    let mut number = String::new();
    BufReader::new(xvfb.stdout.take().expect("piped").take(16)).read_line(&mut number).map_err(|e| e.to_string())?;
    Ok((Some(xvfb), format!(":{}", number.trim())))
}

/// From the line that the program logs when it is usable.
fn milestones(line: &str) -> Option<Milestones> {
    let line = line.contains("usable").then_some(line)?;
    let of = |name: &str| -> Option<f64> {
        let word = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
        Some(Duration::from_millis(word.trim().parse().ok()?).as_secs_f64())
    };
    Some(Milestones { opened_s: of("opened_ms")?, window_s: of("window_ms")?, drawn_s: of("drawn_ms")? })
}
