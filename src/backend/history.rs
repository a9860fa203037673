//! History on its way out of the store, into a file of another program's format.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use crate::{
    export::{Bounds, Counts, Export, Format, Header, Wanted},
    model::{Device, DeviceId, TimeWindow, Timestamp},
    store::{self, Reader, Watch, past, query},
};

/// What to export, and whereto.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportJob {
    pub history: History,
    /// A file, replaced when everything is written; until then it stays as it was. With [`ExportJob::each`] a folder.
    pub to: PathBuf,
    /// A file of its own for each device that has something to tell, named after it.
    pub each: bool,
}

/// Which history to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    pub devices: Vec<DeviceId>,
    pub window: TimeWindow,
    pub format: Format,
    pub wanted: Wanted,
}

/// What an export wrote: "1,204 points, 3 hidden, 2 gaps".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportReport {
    pub counts: Counts,
    /// The file, or the folder with the files.
    pub to: PathBuf,
    /// Files that were written.
    pub files: usize,
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
    /// It may not be replaced.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// It was broken off.
    #[error("the export was broken off; nothing was left behind")]
    Cancelled,
}

/// Writes history to a file, or to one a device. They appear whole or not at all, all together. `watch` counts points.
pub fn export_history(
    reader: &Reader,
    job: ExportJob,
    now: Timestamp,
    watch: &Watch,
) -> Result<ExportReport, ExportError> {
    let ExportJob { history, to, each } = job;
    let mut parts = Parts::default();
    let counts = if each {
        parts.folder(&to)?;
        let mut all = Counts::default();
        for (device, name) in names(reader, &history)? {
            let one = History { devices: vec![device], ..history.clone() };
            let counts = parts.write(reader, one, now, &to.join(name), watch, all.points)?;
            if counts.points == 0 {
                parts.drop_last();
            }
            all = all.and(counts);
        }
        all
    } else {
        parts.write(reader, history, now, &to, watch, 0)?
    };
    let files = parts.keep()?;
    Ok(ExportReport { counts, to, files })
}

/// Files under the names that they have until all are written. What is dropped before that leaves nothing behind.
#[derive(Default)]
struct Parts {
    files: Vec<(PathBuf, PathBuf)>,
    /// A folder that was made for them.
    made: Option<PathBuf>,
}

impl Parts {
    fn folder(&mut self, folder: &Path) -> Result<(), ExportError> {
        if !folder.is_dir() {
            fs::create_dir(folder).map_err(|source| ExportError::Write { path: folder.to_owned(), source })?;
            self.made = Some(folder.to_owned());
        }
        Ok(())
    }

    fn write(
        &mut self,
        reader: &Reader,
        history: History,
        now: Timestamp,
        to: &Path,
        watch: &Watch,
        before: u64,
    ) -> Result<Counts, ExportError> {
        let failed = |source| ExportError::Write { path: to.to_owned(), source };
        let part = part_of(to);
        let file = BufWriter::new(File::create(&part).map_err(failed)?);
        self.files.push((part, to.to_owned()));
        let (counts, mut file) = write_history(reader, history, now, file, to, watch, before)?;
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(failed)?;
        Ok(counts)
    }

    fn drop_last(&mut self) {
        if let Some((part, _)) = self.files.pop() {
            fs::remove_file(part).ok();
        }
    }

    /// Gives every file its name.
    fn keep(mut self) -> Result<usize, ExportError> {
        let count = self.files.len();
        while let Some((part, to)) = self.files.last() {
            fs::rename(part, to).map_err(|source| ExportError::Write { path: to.clone(), source })?;
            self.files.pop();
        }
        self.made = None;
        Ok(count)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // What was begun is of no use; that it is gone is all there is to say.
        while !self.files.is_empty() {
            self.drop_last();
        }
        if let Some(folder) = self.made.take() {
            fs::remove_dir(folder).ok();
        }
    }
}

/// A name for the file of each device, no two alike on any file system.
fn names(reader: &Reader, history: &History) -> Result<Vec<(DeviceId, String)>, ExportError> {
    let ids = history.devices.clone();
    let devices = reader
        .read(move |db| ids.iter().filter_map(|id| query::device(db, *id).transpose()).collect::<Result<Vec<_>, _>>())
        .wait()?;
    let mut taken = HashSet::new();
    let named = devices.iter().map(|device| {
        let mut stem = safe_name(device.label());
        if !taken.insert(stem.to_lowercase()) {
            stem = format!("{stem} {}", device.id.0);
            taken.insert(stem.to_lowercase());
        }
        (device.id, format!("{stem}.{}", history.format.extension()))
    });
    Ok(named.collect())
}

/// A device's label as part of a file name.
pub fn safe_name(label: &str) -> String {
    let name: String = label.chars().map(|c| if c.is_alphanumeric() || " -_.".contains(c) { c } else { '_' }).collect();
    let name = name.trim_matches(['.', ' ']).chars().take(60).collect::<String>();
    if name.is_empty() { "device".to_owned() } else { name }
}

/// Writes history to `out` in constant memory and gives `out` back. `name` is what `out` is called in an error; `watch` counts points, those
/// `before` this among them.
pub fn write_history<W: Write + Send + 'static>(
    reader: &Reader,
    history: History,
    now: Timestamp,
    out: W,
    name: &Path,
    watch: &Watch,
    before: u64,
) -> Result<(Counts, W), ExportError> {
    let watched = watch.clone();
    let asked = reader.read_long(move |db| {
        let mut out = out;
        let mut devices = Vec::new();
        for id in &history.devices {
            devices.extend(query::device(db, *id)?);
        }
        // What arrives while we write stays out, so that the box at the head of the file is around everything in it.
        let newest = query::newest_position(db)?;
        let tail = query::Tail::of_all(db)?;
        let total = before + query::count_in(db, &tail, &history.devices, history.window)?;
        watched.at(before, total);
        let around = query::box_around(
            db,
            &tail,
            &history.devices,
            history.window,
            (history.wanted.suspect, history.wanted.hidden),
            newest,
        )?;
        let bounds = around.map(|[south_deg, west_deg, north_deg, east_deg]| Bounds {
            south_deg,
            west_deg,
            north_deg,
            east_deg,
        });
        let header = header(&devices, &history, bounds, now);
        let mut seen = before;
        let mut told = Ok(());
        let counts = Export::begin(history.format, &mut out, &header, history.wanted).and_then(|mut export| {
            for device in &devices {
                export.device(device)?;
                let hidden = match past::hidden_ids(db, device.id, history.window) {
                    Ok(hidden) => hidden,
                    Err(error) => return Ok(Err(error)),
                };
                let walked = query::track_each_of(db, &tail, device.id, history.window, |fix| {
                    if watched.cancelled() {
                        told = Err(io::ErrorKind::Interrupted.into());
                        return ControlFlow::Break(());
                    }
                    if fix.id > newest {
                        return ControlFlow::Continue(());
                    }
                    seen += 1;
                    watched.at(seen, total);
                    let is_hidden = hidden.contains(&fix.id);
                    match export.fix(fix, is_hidden) {
                        Ok(()) => ControlFlow::Continue(()),
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
    let written = asked.wait()?;
    if written.is_err() && watch.cancelled() {
        return Err(ExportError::Cancelled);
    }
    written.map_err(|source| ExportError::Write { path: name.to_owned(), source })
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
    let suspect = if history.wanted.suspect { ", with positions under a wrong checksum" } else { "" };
    let description = format!("{}: {window}{suspect}", names.join(", "));
    Header { title, description: Some(description), written: now, bounds }
}

pub(super) fn part_of(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    to.with_file_name(name)
}
