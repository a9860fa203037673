//! Packets on their way out of the store: into a capture for other programs, or into an evidence report.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::history::{ExportError, part_of};
use crate::{
    capture::out::{Entry, Paper, Writer},
    model::{Device, DeviceId, PacketId, PacketRow, Profile, TimeWindow, Timestamp, filter::Filter},
    store::{Reader, Watch, query},
    wire::Seen,
};

/// Read at once. A body may have 2 MiB.
const PAGE: usize = 64;

/// Which packets.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// None named: of every device, and of nobody.
    pub devices: Vec<DeviceId>,
    /// When they were received.
    pub window: TimeWindow,
    pub filter: Filter,
    /// Only these, ascending, and nothing else is asked; `None`: all that the rest admits.
    pub only: Option<Vec<PacketId>>,
}

/// What to write, and whereto.
#[derive(Debug, Clone, PartialEq)]
pub struct PacketsJob {
    pub selection: Selection,
    pub paper: Paper,
    /// A file, replaced when everything is written.
    pub to: PathBuf,
}

/// Writes packets to a file, which appears whole or not at all. Gives back how many; `watch` counts packets that were looked at.
pub fn export_packets(reader: &Reader, job: PacketsJob, now: Timestamp, watch: &Watch) -> Result<u64, ExportError> {
    let PacketsJob { selection, paper, to } = job;
    let part = part_of(&to);
    let failed = |source| ExportError::Write { path: to.clone(), source };
    let file = BufWriter::new(File::create(&part).map_err(failed)?);
    let written = write_packets(reader, &selection, &paper, now, file, &to, watch).and_then(|(count, file)| {
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(&part, &to).map_err(failed)?;
        Ok(count)
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
    let devices = reader.read(query::devices).wait()?;
    let devices: HashMap<_, _> = devices.into_iter().map(|device| (device.id, device)).collect();
    // What arrives while we write stays out.
    let newest = reader.read(query::packet_count).wait()?.1.map_or(0, |id| id.0);
    let mut writer = Writer::begin(paper, out, env!("CARGO_PKG_VERSION"), now).map_err(failed)?;
    let mut at = 0;
    loop {
        if watch.cancelled() {
            return Err(ExportError::Cancelled);
        }
        let page = page(reader, selection, now, at)?;
        let Some(last) = page.last() else { break };
        at = last.0.id.0;
        for (row, answered) in page {
            if row.id.0 > newest {
                break;
            }
            let device = row.device.and_then(|id| devices.get(&id));
            if selection.only.is_none() && !admits(&selection.filter, &row, device, answered, now) {
                continue;
            }
            writer.packet(&Entry { row: &row, device, comment: None }).map_err(failed)?;
        }
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        watch.at(count(at.min(newest)), count(newest));
        if at >= newest {
            break;
        }
    }
    writer.finish().map_err(failed)
}

/// The next packets that may be wanted, and whether each was answered, where the filter asks for that.
fn page(
    reader: &Reader,
    selection: &Selection,
    now: Timestamp,
    after: i64,
) -> Result<Vec<(PacketRow, bool)>, ExportError> {
    if let Some(only) = &selection.only {
        let next: Vec<_> = only.iter().copied().filter(|id| id.0 > after).take(PAGE).collect();
        let rows = reader.read(move |db| query::packets_by_id(db, &next)).wait()?;
        return Ok(rows.into_iter().map(|row| (row, false)).collect());
    }
    let Selection { devices, window, filter, .. } = selection.clone();
    let asks = filter.asks_for_answers();
    let rows = reader.read_long(move |db| {
        let rows = query::packets_onward(db, &filter, (&devices, window), now, PacketId(after), PAGE)?;
        rows.into_iter().map(|row| Ok((asks && query::is_answered(db, row.id)?, row))).collect::<Result<Vec<_>, _>>()
    });
    Ok(rows.wait()?.into_iter().map(|(answered, row)| (row, answered)).collect())
}

fn admits(filter: &Filter, row: &PacketRow, device: Option<&Device>, answered: bool, now: Timestamp) -> bool {
    if filter.expr().is_none() {
        return true;
    }
    let plain = Profile::default();
    let profile = device.map_or(&plain, |device| &device.profile);
    let name = device.and_then(|device| device.name.as_deref());
    let who: Vec<_> = name.into_iter().chain(device.map(|device| device.identity.as_str())).collect();
    let shows = |text: &str| shows(row, profile, &who, text);
    let mut seen = Seen::new(row, profile, &who);
    seen.answered = answered;
    seen.shows = &shows;
    filter.admits(&seen, now)
}

/// Whether a line of a list would show this text, which is in lower case.
fn shows(row: &PacketRow, profile: &Profile, who: &[&str], text: &str) -> bool {
    let has = |shown: &str| shown.to_lowercase().contains(text);
    who.iter().any(|name| has(name))
        || [&row.kind, row.verdict.as_str(), row.protocol.as_str(), row.direction.as_str(), &row.peer]
            .into_iter()
            .any(has)
        || {
            let dissection = crate::wire::dissect_kept(row, profile);
            has(&dissection.title) || dissection.problems.iter().any(|problem| has(&problem.text))
        }
}

/// What a redaction begins with: a number that nobody can guess, so that nobody can move coordinates back.
pub fn redaction_seed() -> u64 {
    let mut bytes = [0; 8];
    // Without random numbers the system is in such trouble that a fixed one does not matter; it is never 0 else.
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).ok();
    u64::from_be_bytes(bytes)
}
