//! History on its way out of the store, into a file of another program's format.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use crate::{
    export::{Counts, Export, Format, Header},
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
        let counts = Export::begin(history.format, &mut out, &header(&devices, now), history.with_suspect).and_then(
            |mut export| {
                for device in &devices {
                    export.device(device)?;
                    let walked = query::track_each(db, device.id, history.window, |fix| match export.fix(fix) {
                        Ok(()) => {
                            watch(&export.counts());
                            ControlFlow::Continue(())
                        }
                        Err(error) => {
                            told = Err(error);
                            ControlFlow::Break(())
                        }
                    });
                    if let Err(error) = walked {
                        return Ok(Err(error));
                    }
                    std::mem::replace(&mut told, Ok(()))?;
                }
                export.finish().map(Ok)
            },
        );
        match counts {
            Ok(Ok(counts)) => Ok(Ok((counts, out))),
            Ok(Err(sql)) => Err(sql),
            Err(io) => Ok(Err(io)),
        }
    });
    asked.wait()?.map_err(|source| ExportError::Write { path: name.to_owned(), source })
}

fn header(devices: &[Device], now: Timestamp) -> Header {
    let title = match devices {
        [one] => one.label().to_owned(),
        many => format!("{} devices", many.len()),
    };
    Header { title, description: None, written: now, bounds: None }
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    to.with_file_name(name)
}
