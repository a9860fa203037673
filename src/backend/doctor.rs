//! What would stop this machine from working, each with its cure. Looks only: it makes nothing that stays.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    path::Path,
};

use super::{Health, ListenAt, Setup, soundness, symptoms, taps};
use crate::{
    ingest::{self, CertificateDoubt, CertificateFiles},
    model::{Clock, Timestamp, bytes_text},
    store::{self, Store, query},
};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: `data folder`, `GT06 port` …
    pub topic: String,
    pub level: Level,
    /// What was found, a sentence without a full stop.
    pub text: String,
    /// What to do about it.
    pub cure: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Ok,
    /// Works, but perhaps not as wished.
    Note,
    /// Something will not work.
    Trouble,
}

impl Level {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Trouble => "trouble",
        }
    }
}

impl Finding {
    pub(super) fn ok(topic: impl Into<String>, text: impl Into<String>) -> Self {
        Self { topic: topic.into(), level: Level::Ok, text: text.into(), cure: None }
    }

    pub(super) fn note(topic: impl Into<String>, text: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { topic: topic.into(), level: Level::Note, text: text.into(), cure: Some(cure.into()) }
    }

    /// Something that will not work.
    pub fn trouble(topic: impl Into<String>, text: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { topic: topic.into(), level: Level::Trouble, text: text.into(), cure: Some(cure.into()) }
    }
}

/// Looks at everything that `serve` or `desktop` with this set-up would need, and at the instance that runs: how that one fares comes along.
pub fn examine(setup: &Setup, clock: &Clock) -> (Vec<Finding>, Option<Health>) {
    let running = store::in_use(&setup.data_dir);
    let mut findings = vec![data_folder(&setup.data_dir)];
    findings.push(if running {
        Finding::ok(
            "instance",
            "a Wayglass is running with this data folder; another `serve` would refuse, a window looks on",
        )
    } else {
        Finding::ok("instance", "no other Wayglass is using this data folder")
    });
    findings.push(database(&setup.data_dir, clock));
    findings.extend(soundness::set_aside(&setup.data_dir));
    for (protocol, at) in &setup.listen {
        findings.extend(port(protocol.title(), protocol.as_str(), *at, running));
    }
    if setup.https.listen != ListenAt::Off {
        findings.extend(port("HTTPS", "https", setup.https.listen, running));
    }
    for tap in &setup.taps {
        let flag = taps::flag(&tap.mode).trim_start_matches('-');
        findings.extend(port(&format!("tap {}", tap.name), flag, tap.listen, running));
        findings.extend(taps::reach(tap));
    }
    if let Some(files) = &setup.https.certificate {
        findings.push(certificate(files, setup.https.listen, clock()));
    }
    findings.push(display());
    findings.extend(open_files());
    let health = Health::beside(&setup.data_dir, clock);
    match &health {
        Some(health) => findings.extend(health.findings(clock())),
        None => findings.extend(symptoms::disk(fs4::available_space(nearest(&setup.data_dir)).ok(), 0)),
    }
    (findings, health)
}

/// The nearest folder that is there.
fn nearest(dir: &Path) -> &Path {
    let there = dir.ancestors().find(|d| d.exists()).unwrap_or(dir);
    if there.as_os_str().is_empty() { Path::new(".") } else { there }
}

fn data_folder(dir: &Path) -> Finding {
    const TOPIC: &str = "data folder";
    let cure = "give your user the right to write there, or choose another folder with --data-dir";
    // A folder that is not there yet is made in the nearest one that is.
    let there = nearest(dir);
    match writable(there) {
        Ok(()) if there == dir => Finding::ok(TOPIC, format!("{} can be written", dir.display())),
        Ok(()) => Finding::ok(TOPIC, format!("{} is not there yet and will be made", dir.display())),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Finding::trouble(
            TOPIC,
            format!("the disk is full: nothing can be stored in {}, and so nothing is answered", there.display()),
            "make room on that disk; Wayglass goes on by itself",
        ),
        Err(error) => Finding::trouble(TOPIC, format!("{} cannot be written: {error}", there.display()), cure),
    }
}

/// Tries it with a file of its own, for permission bits do not tell everything.
fn writable(dir: &Path) -> io::Result<()> {
    let probe = dir.join(format!(".wayglass-doctor-{}", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)
        // A full disk still makes an empty file.
        .and_then(|mut file| io::Write::write_all(&mut file, &vec![0; 64 << 10]).and_then(|()| file.sync_all()));
    if probe.exists() {
        fs::remove_file(&probe)?;
    }
    written
}

fn database(dir: &Path, clock: &Clock) -> Finding {
    const TOPIC: &str = "database";
    let file = dir.join(store::FILE_NAME);
    if !file.exists() {
        return Finding::ok(TOPIC, "there is none yet; the first start makes it");
    }
    let read = Store::view(dir, Clock::clone(clock)).and_then(|store| {
        let devices = store.reader().read(query::device_overviews).wait()?;
        let bytes = store.health().file_bytes;
        store.close();
        Ok((devices.len(), devices.iter().map(|d| d.positions).sum::<u64>(), bytes))
    });
    match read {
        Ok((devices, positions, bytes)) => {
            let (file, size) = (file.display(), bytes_text(bytes));
            Finding::ok(TOPIC, format!("{file} holds {devices} devices and {positions} positions in {size}"))
        }
        Err(store::Error::Damaged(why)) => Finding::trouble(TOPIC, format!("it is damaged: {why}"), soundness::CURE),
        Err(error) => Finding::trouble(
            TOPIC,
            error.to_string(),
            "update Wayglass, or move the file away and keep it, or choose another folder with --data-dir",
        ),
    }
}

/// The user's own certificate: whether it can be used, until when, and for what.
fn certificate(files: &CertificateFiles, listen: ListenAt, now: Timestamp) -> Finding {
    const TOPIC: &str = "HTTPS certificate";
    let certificate = match files.examine() {
        Ok(certificate) => certificate,
        Err(error) => {
            let cure = "name PEM files that can be read and go together with --https-certificate and --https-key, or \
                        neither, and Wayglass makes its own";
            return Finding::trouble(TOPIC, error.to_string(), cure);
        }
    };
    let own: Vec<_> = certificate.hosts().map(str::to_owned).collect();
    let told = match listen {
        ListenAt::Address(at) if at.ip().is_unspecified() => {
            super::lan_addresses().iter().map(ToString::to_string).chain(own.clone()).collect()
        }
        ListenAt::Address(at) if !at.ip().is_loopback() => {
            [at.ip().to_string()].into_iter().chain(own.clone()).collect()
        }
        ListenAt::Address(_) | ListenAt::Off => Vec::new(),
    };
    let doubts = certificate.doubts(now, &told);
    let path = files.certificate.display();
    let Some(first) = doubts.first() else {
        let until = certificate.ends.map(|at| at.strftime(" until %Y-%m-%d").to_string()).unwrap_or_default();
        return Finding::ok(TOPIC, format!("{path} is good{until} for {}", certificate.names.join(", ")));
    };
    let all: Vec<_> = doubts.iter().map(ToString::to_string).collect();
    let text = format!("{path}: {}", all.join("; "));
    let cure = match first {
        CertificateDoubt::OtherNames { .. } => {
            "get one that names what phones are told, or leave out --https-certificate, and Wayglass makes one that does"
        }
        CertificateDoubt::NotYet { .. } | CertificateDoubt::Ended { .. } | CertificateDoubt::EndsSoon { .. } => {
            "put a new one in its place; it is taken up within a minute, without a restart"
        }
    };
    if doubts.iter().any(CertificateDoubt::is_refused) {
        Finding::trouble(TOPIC, text, cure)
    } else {
        Finding::note(TOPIC, text, cure)
    }
}

/// `flag`: the one that moves it.
fn port(name: &str, flag: &str, at: ListenAt, running: bool) -> Vec<Finding> {
    let topic = format!("{name} port");
    let ListenAt::Address(at) = at else { return vec![Finding::ok(topic, "switched off")] };
    let mut findings = Vec::new();
    match TcpListener::bind(at) {
        Ok(_) => findings.push(Finding::ok(topic, format!("{at} is free"))),
        Err(error) => {
            let holder = (error.kind() == io::ErrorKind::AddrInUse).then(|| ingest::holder_of(at.port())).flatten();
            findings.push(match holder {
                Some(holder) if running && holder.starts_with("wayglass") => {
                    Finding::ok(topic, format!("{at} is held by the Wayglass that is running, {holder}"))
                }
                Some(holder) => Finding::trouble(
                    topic,
                    format!("{at} is in use by {holder}"),
                    format!("stop that program, or choose another port with --{flag}"),
                ),
                None => Finding::trouble(
                    topic,
                    format!("cannot listen on {at}: {error}"),
                    format!("choose another address or port with --{flag}"),
                ),
            });
        }
    }
    if at.ip().is_loopback() {
        findings.push(only_here(name, at));
    }
    findings
}

fn only_here(name: &str, at: SocketAddr) -> Finding {
    let port = at.port();
    let reached =
        super::lan_addresses().first().map(|ip| format!(", where devices call {}", SocketAddr::new(*ip, port)));
    Finding::note(
        format!("{name} reach"),
        "only programs on this computer reach it, no device in the network does",
        format!("to let them in, listen on 0.0.0.0:{port}{}", reached.unwrap_or_default()),
    )
}

fn display() -> Finding {
    const TOPIC: &str = "display";
    let named = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(any(not(unix), target_os = "macos")) {
        return Finding::ok(TOPIC, "this system always has one");
    }
    match ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"].iter().find(|n| named(n)) {
        Some(name) => Finding::ok(TOPIC, format!("{name} names one")),
        None => Finding::note(
            TOPIC,
            "neither DISPLAY nor WAYLAND_DISPLAY is set, so the window cannot open",
            "run `wayglass serve`, which needs none",
        ),
    }
}

/// Each connection is an open file; where the system tells how many there may be.
fn open_files() -> Option<Finding> {
    const FEW: u64 = 4096;
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|l| l.strip_prefix("Max open files"))?;
    // The second number: the program raises the first one to it.
    let most: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(if most < FEW {
        Finding::note(
            "open files",
            format!("at most {most}, so about {} devices at once", most.saturating_sub(64)),
            "for a large fleet raise it with `ulimit -n`, or LimitNOFILE= in a systemd unit",
        )
    } else {
        Finding::ok("open files", format!("at most {most}"))
    })
}
