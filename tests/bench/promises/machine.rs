//! The machine, as `/proc` tells of it, and who else keeps it busy.

use std::{collections::BTreeMap, fmt, fs, path::Path, thread::available_parallelism, time::Duration};

/// Ticks of the clock a second, in which Linux counts processor time for programs: the same on every machine it runs on.
const TICKS_PER_S: f64 = 100.0;

/// Where this runs.
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    filesystem: String,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let info = read("/proc/cpuinfo");
        let cpu = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("processor unknown");
        Self {
            cpu: cpu.trim_start_matches([' ', '\t', ':']).to_owned(),
            cores: available_parallelism().map_or(0, usize::from),
            kernel: format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim()),
            filesystem: filesystem(&folder()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, filesystem } = self;
        write!(f, "{cpu}, {cores} cores; {kernel}; {filesystem}")
    }
}

/// Where the bench keeps its files.
pub(crate) fn folder() -> std::path::PathBuf {
    std::env::var_os("WAYGLASS_BENCH_DIR").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), Into::into)
}

/// The file system of a folder and its device: the longest mount point that it lies below.
fn filesystem(folder: &Path) -> String {
    let mounts = read("/proc/mounts");
    let below = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, at, kind) = (words.next()?, words.next()?, words.next()?);
        folder.starts_with(at).then(|| (at.len(), format!("{kind} on {device}")))
    });
    below.max().map_or_else(|| "file system unknown".to_owned(), |(_, name)| name)
}

/// Processor time since the machine started: all of it, and what this bench and its children had of that.
pub(crate) struct Ticks {
    all: f64,
    own: f64,
}

impl Ticks {
    pub(crate) fn now() -> Self {
        let stat = read("/proc/stat");
        let numbers: Vec<f64> =
            stat.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal; what waits is no work.
        let all = numbers.iter().enumerate().filter(|(i, _)| !matches!(i, 3 | 4 | 8..)).map(|(_, n)| n).sum();
        let mut own = cpu_of("/proc/self/stat");
        own += children().iter().map(|pid| cpu_of(&format!("/proc/{pid}/stat"))).sum::<f64>();
        Self { all, own }
    }

    /// Cores that others took since then.
    pub(crate) fn foreign_cores_since(&self, then: &Self, passed: Duration) -> f64 {
        ((self.all - then.all) - (self.own - then.own)).max(0.0) / TICKS_PER_S / passed.as_secs_f64()
    }
}

/// Processes that this one started and that still run.
fn children() -> Vec<u32> {
    let pid = std::process::id();
    let own = read(&format!("/proc/{pid}/task/{pid}/children"));
    own.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Processor time of a running process, its ended children included, in ticks.
fn cpu_of(stat: &str) -> f64 {
    let text = read(stat);
    // The name before it, in brackets, may hold spaces.
    let Some((_, rest)) = text.rsplit_once(") ") else { return 0.0 };
    rest.split(' ').skip(11).take(4).filter_map(|n| n.parse::<f64>().ok()).sum()
}

/// Processor time of a running process and its ended children.
pub(crate) fn cpu_time(pid: u32) -> Duration {
    Duration::from_secs_f64(cpu_of(&format!("/proc/{pid}/stat")) / TICKS_PER_S)
}

/// Processor time of the running threads of a process, by their names.
pub(crate) fn cpu_by_thread(pid: u32) -> BTreeMap<String, Duration> {
    let mut by_name = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let name = read(&task.path().join("comm").to_string_lossy()).trim().to_owned();
        let used = cpu_of(&task.path().join("stat").to_string_lossy());
        *by_name.entry(name).or_default() += Duration::from_secs_f64(used / TICKS_PER_S);
    }
    by_name
}

/// What `/proc/PID/status` says in kB of a field such as `VmRSS`, in MB.
pub(crate) fn memory_mb(pid: u32, field: &str) -> f64 {
    let status = read(&format!("/proc/{pid}/status"));
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1024.0 / 1e6
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
