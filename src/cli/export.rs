//! `wayglass export`: writes history. Works beside a running instance.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use clap::Args;
use jiff::tz::TimeZone;

use super::{
    Site, WrongWords, moment,
    progress::{Progress, count},
    words,
};
use crate::{
    backend::{ExportJob, History, export_history, keeping::until_stopped, write_history},
    export::{Counts, Format, Wanted},
    model::{Clock, DeviceId, DeviceState},
    store::{Error, Reader, Stage, Store, Watch, query},
};

/// Write history to a file or to standard output; works beside a running instance.
///
/// What is hidden and what came under a wrong checksum stays out unless it is asked for; a line on standard error says how much that is.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ExportArgs {
    /// Identity or name of a device; may repeat; `all` for every adopted one.
    #[arg(long = "device", value_name = "ID", required = true)]
    devices: Vec<String>,
    /// First moment: 2026-11-21T10:00:00Z, 2026-11-21, today, yesterday … [default: the beginning]
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Last moment, inclusive; a day counts whole [default: the end]
    #[arg(long, value_name = "T")]
    to: Option<String>,
    /// What to write.
    #[arg(long, default_value = Format::Gpx.as_str(), value_parser = words::format())]
    format: Format,
    /// File to write, which is replaced when everything is written; - for standard output.
    #[arg(long, short, value_name = "FILE|-", default_value = "-")]
    output: PathBuf,
    /// --output is a folder: a file of its own for each device, named after it.
    #[arg(long)]
    each: bool,
    /// Positions under a wrong checksum go along.
    #[arg(long)]
    with_suspect: bool,
    /// Positions that were hidden go along.
    #[arg(long)]
    with_hidden: bool,
    /// In GPX: accuracy, battery, ignition and all else that was told go along, under a namespace of our own. The other formats always have them.
    #[arg(long)]
    with_readings: bool,
}

/// Writes history.
pub(super) fn run(args: &ExportArgs, site: &Site) -> Result<()> {
    if args.each && args.output == Path::new("-") {
        return Err(WrongWords("--each takes a folder: name it with --output".to_owned()).into());
    }
    let now = (site.clock)();
    let window = moment::window(args.from.as_deref(), args.to.as_deref(), now, &TimeZone::system())?;
    let store = Store::view(&site.data_dir()?, Clock::clone(&site.clock))?;
    let reader = store.reader();
    let devices = find(&args.devices, &reader)?;
    let wanted = Wanted { suspect: args.with_suspect, hidden: args.with_hidden, readings: args.with_readings };
    let history = History { devices, window, format: args.format, wanted };
    let mut progress = Progress::new(site.quiet);
    let (to, each) = (args.output.clone(), args.each);
    let to_stdout = args.output == Path::new("-");
    let work = move |watch: &Watch| {
        if to_stdout {
            return write_history(&reader, history, now, io::stdout(), &to, watch, 0).map(|(counts, _)| (counts, 1));
        }
        let job = ExportJob { history, to, each };
        export_history(&reader, job, now, watch).map(|report| (report.counts, report.files))
    };
    let written = until_stopped(work, |watch| {
        if let Stage::Bytes { done, total } = watch.stage()
            && total > 0
        {
            progress.tell(&format!("{} of {} …", count(done, "point"), count(total, "position")));
        }
    })?;
    drop(progress);
    let (counts, files) = written?;
    store.close();
    if !site.quiet {
        writeln!(io::stderr(), "{}", summary(&counts, args.each.then_some(files))).ok();
    }
    Ok(())
}

/// The devices of these words, each once.
pub(super) fn find(words: &[String], reader: &Reader) -> Result<Vec<DeviceId>> {
    let mut found = Vec::new();
    for word in words {
        let name = word.clone();
        if let Some(device) = reader.read(move |db| query::find_device(db, &name)).wait()? {
            found.push(device.id);
        } else if word == "all" {
            let devices = reader.read(query::devices).wait()?;
            found.extend(devices.into_iter().filter(|d| d.state == DeviceState::Adopted).map(|d| d.id));
            if found.is_empty() {
                bail!("there is nothing to export: no device is adopted yet; `wayglass devices` lists who has called");
            }
        } else {
            return Err(Error::NoSuchDevice(word.clone()).into());
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|id| seen.insert(*id));
    Ok(found)
}

/// `1,204 points, 2 gaps, 1 outlier marked; left out: 3 hidden (--with-hidden)`.
fn summary(counts: &Counts, files: Option<usize>) -> String {
    let mut said = vec![count(counts.points, "point")];
    for (n, one, more) in [(counts.gaps(), "gap", ""), (counts.outliers, "outlier", " marked")] {
        if n > 0 {
            said.push(format!("{}{more}", count(n, one)));
        }
    }
    let mut text = said.join(", ");
    if let Some(files) = files {
        text = format!("{text} in {}", count(files as u64, "file"));
    }
    let left_out: Vec<_> = [
        (counts.hidden, "hidden (--with-hidden takes them along)"),
        (counts.suspect, "under a wrong checksum (--with-suspect takes them along)"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, why)| format!("{n} {why}"))
    .collect();
    if left_out.is_empty() { text } else { format!("{text}; left out: {}", left_out.join(", ")) }
}
