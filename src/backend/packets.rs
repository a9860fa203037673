//! Packets on their way out of the store: into a capture for other programs, or into an evidence report.
//!
//! | module | is |
//! |---|---|
//! | `walk` | the packets of a selection, one after the other, in constant memory |
//! | `weigh` | how many they are, and the first of them as it would be written |
//! | `happened` | what happened to their devices meanwhile, for a report |

mod happened;
mod walk;
mod weigh;

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::weigh::{Sample, Weight, weigh_packets};
use self::{happened::Span, walk::Walk};
use super::history::{ExportError, part_of};
use crate::{
    capture::out::{Entry, Paper, Writer},
    model::{Device, DeviceId, PacketId, PacketRow, TimeWindow, Timestamp, filter::Filter},
    store::{Reader, Watch, query},
};

/// Which packets.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// None named: of every device, and of nobody.
    pub devices: Vec<DeviceId>,
    /// When they were received.
    pub window: TimeWindow,
    pub filter: Filter,
    /// Says in place of the filter which of those that SQL leaves are wanted; `None`: the filter itself.
    pub judge: Option<Judge>,
    /// Only these, ascending, and nothing else is asked; `None`: all that the rest admits.
    pub only: Option<Vec<PacketId>>,
}

impl Selection {
    /// Everything that is stored.
    pub fn all() -> Self {
        Self { devices: Vec::new(), window: TimeWindow::ALL, filter: Filter::ALL, judge: None, only: None }
    }
}

/// Says whether a packet is wanted, told whether it was answered where the filter asks for that. For a list that shows more than bytes say.
#[derive(Clone)]
pub struct Judge(Arc<Judging>);

type Judging = dyn Fn(&PacketRow, bool) -> bool + Send + Sync;

impl Judge {
    /// Judges by this.
    pub fn new(judge: impl Fn(&PacketRow, bool) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(judge))
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

impl PartialEq for Judge {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What to write, and whereto.
#[derive(Debug, Clone, PartialEq)]
pub struct PacketsJob {
    pub selection: Selection,
    pub paper: Paper,
    /// A file, which appears when everything is written.
    pub to: PathBuf,
    /// One of that name goes then. Else it is an error.
    pub replace: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketsWritten {
    pub packets: u64,
    /// Of the file.
    pub bytes: u64,
    pub to: PathBuf,
}

/// Writes packets to a file, which appears whole or not at all. `watch` counts packets that were looked at.
pub fn export_packets(
    reader: &Reader,
    job: PacketsJob,
    now: Timestamp,
    watch: &Watch,
) -> Result<PacketsWritten, ExportError> {
    let PacketsJob { selection, paper, to, replace } = job;
    if !replace && to.exists() {
        return Err(ExportError::Exists(to));
    }
    let part = part_of(&to);
    let failed = |source| ExportError::Write { path: to.clone(), source };
    let file = BufWriter::new(File::create(&part).map_err(failed)?);
    let written = write_packets(reader, &selection, &paper, now, file, &to, watch).and_then(|(packets, file)| {
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        fs::rename(&part, &to).map_err(failed)?;
        Ok(PacketsWritten { packets, bytes, to: to.clone() })
    });
    if written.is_err() {
        // What was begun is of no use.
        fs::remove_file(&part).ok();
    }
    written
}

/// Writes packets to `out` in constant memory, oldest first, and gives `out` back. `name` is what `out` is called in an error.
pub fn write_packets<W: Write>(
    reader: &Reader,
    selection: &Selection,
    paper: &Paper,
    now: Timestamp,
    out: W,
    name: &Path,
    watch: &Watch,
) -> Result<(u64, W), ExportError> {
    let failed = |source: io::Error| ExportError::Write { path: name.to_owned(), source };
    let devices = devices(reader)?;
    let mut writer = Writer::begin(paper, out, env!("CARGO_PKG_VERSION"), now).map_err(failed)?;
    let walk = Walk::begin(reader, selection, &devices, now)?;
    let rounds = if writer.wants_overview() { 2 } else { 1 };
    if writer.wants_overview() {
        let mut span = Span::default();
        walk.each((watch, 0, rounds), &mut |entry| {
            span.take(entry);
            writer.glance(entry).map_err(failed)
        })?;
        let told = span.told(reader)?;
        let (events, rules) = told.lines(&devices);
        writer.happened(&events, &rules).map_err(failed)?;
    }
    walk.each((watch, rounds - 1, rounds), &mut |entry: &Entry<'_>| writer.packet(entry).map_err(failed))?;
    writer.finish().map_err(failed)
}

fn devices(reader: &Reader) -> Result<HashMap<DeviceId, Device>, ExportError> {
    let devices = reader.read(query::devices).wait()?;
    Ok(devices.into_iter().map(|device| (device.id, device)).collect())
}

/// What a redaction begins with: a number that nobody can guess, so that nobody can move coordinates back.
pub fn redaction_seed() -> u64 {
    let mut bytes = [0; 8];
    // Without random numbers the system is in such trouble that a fixed one does not matter; it is never 0 else.
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).ok();
    u64::from_be_bytes(bytes)
}
