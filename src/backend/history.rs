//! History on its way out of the store, into a file of another program's format.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use crate::{
    export::{Bounds, Counts, Export, Format, Header},
    model::{Device, DeviceId, TimeWindow, Timestamp},
    store::{self, Reader, query},
};

/// What to export, and whereto.
#[derive(Debug, Clone)]
pub struct ExportJob {
    pub history: History,
    /// Replaced when everything is written; until then it stays as it was.
    pub to: PathBuf,
}

/// Which history to write.
#[derive(Debug, Clone)]
pub struct History {
    pub devices: Vec<DeviceId>,
    pub window: TimeWindow,
    pub format: Format,
    /// Positions under a wrong checksum go along.
    pub with_suspect: bool,
}

/// What an export wrote: "1,204 points, 3 hidden, 2 gaps".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportReport {
    pub points: u64,
    pub segments: u64,
    /// Left out: suspect positions.
    pub hidden: u64,
    pub to: PathBuf,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store did not give it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes history to a file. The file appears whole or not at all. `told` hears after every point what is written.
pub fn export_history(
    reader: &Reader,
    job: ExportJob,
    now: Timestamp,
    told: impl FnMut(&Counts) + Send + 'static,
) -> Result<ExportReport, ExportError> {
    let ExportJob { history, to } = job;
    let failed = |source| ExportError::Write { path: to.clone(), source };
    let part = part_of(&to);
    let file = BufWriter::new(File::create(&part).map_err(failed)?);
    let written = write_history(reader, history, now, file, &to, told).and_then(|(counts, mut file)| {
        file.flush().and_then(|()| file.get_ref().sync_all()).and_then(|()| fs::rename(&part, &to)).map_err(failed)?;
        Ok(counts)
    });
    if written.is_err() {
        // What was begun is of no use; that it is gone is all there is to say.
        fs::remove_file(&part).ok();
    }
    let Counts { points, segments, hidden, .. } = written?;
    Ok(ExportReport { points, segments, hidden, to })
}

/// Writes history to `out` in constant memory and gives `out` back. `name` is what `out` is called in an error;
/// `watch` hears after every point what is written.
pub fn write_history<W: Write + Send + 'static>(
    reader: &Reader,
    history: History,
    now: Timestamp,
    out: W,
    name: &Path,
    mut watch: impl FnMut(&Counts) + Send + 'static,
) -> Result<(Counts, W), ExportError> {
    let asked = reader.read_long(move |db| {
        let mut out = out;
        let mut devices = Vec::new();
        for id in &history.devices {
            devices.extend(query::device(db, *id)?);
        }
        let mut told = Ok(());
        // What arrives while we write stays out, so that the box at the head of the file is around everything in it.
        let newest = query::newest_position(db)?;
        let tail = query::Tail::of_all(db)?;
        let around = query::box_around(db, &tail, &history.devices, history.window, history.with_suspect, newest)?;
        let bounds = around.map(|[south_deg, west_deg, north_deg, east_deg]| Bounds {
            south_deg,
            west_deg,
            north_deg,
            east_deg,
        });
        let header = header(&devices, &history, bounds, now);
        let counts = Export::begin(history.format, &mut out, &header, history.with_suspect).and_then(|mut export| {
            for device in &devices {
                export.device(device)?;
                let walked = query::track_each_of(db, &tail, device.id, history.window, |fix| {
                    if fix.id > newest {
                        return ControlFlow::Continue(());
                    }
                    match export.fix(fix) {
                        Ok(()) => {
                            watch(&export.counts());
                            ControlFlow::Continue(())
                        }
                        Err(error) => {
                            told = Err(error);
                            ControlFlow::Break(())
                        }
                    }
                });
                if let Err(error) = walked {
                    return Ok(Err(error));
                }
                std::mem::replace(&mut told, Ok(()))?;
            }
            export.finish().map(Ok)
        });
        match counts {
            Ok(Ok(counts)) => Ok(Ok((counts, out))),
            Ok(Err(sql)) => Err(sql),
            Err(io) => Ok(Err(io)),
        }
    });
    asked.wait()?.map_err(|source| ExportError::Write { path: name.to_owned(), source })
}

/// Names in a description; more are counted.
const NAMED: usize = 10;

fn header(devices: &[Device], history: &History, bounds: Option<Bounds>, now: Timestamp) -> Header {
    let title = match devices {
        [one] => one.label().to_owned(),
        many => format!("{} devices", many.len()),
    };
    let mut names: Vec<_> = devices.iter().take(NAMED).map(Device::label).map(str::to_owned).collect();
    if let Some(more @ 1..) = devices.len().checked_sub(NAMED) {
        names.push(format!("{more} more"));
    }
    let second = |at: Option<Timestamp>| at.map(|at| Timestamp::from_second(at.as_second()).unwrap_or(at));
    let window = match (second(history.window.from), second(history.window.to)) {
        (None, None) => "the whole history".to_owned(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("up to {to}"),
        (Some(from), Some(to)) => format!("from {from} to {to}"),
    };
    let suspect = if history.with_suspect { ", with positions under a wrong checksum" } else { "" };
    let description = format!("{}: {window}{suspect}", names.join(", "));
    Header { title, description: Some(description), written: now, bounds }
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    to.with_file_name(name)
}
