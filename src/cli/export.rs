//! `wayglass export`: writes history. Works beside a running instance.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use clap::Args;
use jiff::tz::TimeZone;

use super::{
    Site, moment,
    progress::{Progress, count},
    words,
};
use crate::{
    backend::{ExportJob, History, export_history, write_history},
    export::{Counts, Format},
    model::{Clock, DeviceId, DeviceState},
    store::{Error, Reader, Store, query},
};

/// Progress is told once in so many points.
const TELL_EVERY: u64 = 20_000;

/// Write history to a file or to standard output; works beside a running instance.
#[derive(Debug, Args)]
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
    /// Positions under a wrong checksum go along.
    #[arg(long)]
    with_suspect: bool,
}

/// Writes history.
pub(super) fn run(args: &ExportArgs, site: &Site) -> Result<()> {
    let now = (site.clock)();
    let window = moment::window(args.from.as_deref(), args.to.as_deref(), now, &TimeZone::system())?;
    let store = Store::view(&site.data_dir()?, Clock::clone(&site.clock))?;
    let reader = store.reader();
    let devices = find(&args.devices, &reader)?;
    let history = History { devices, window, format: args.format, with_suspect: args.with_suspect };
    let mut progress = Progress::new(site.quiet);
    let told = move |counts: &Counts| {
        if counts.points.is_multiple_of(TELL_EVERY) {
            progress.tell(&format!("{} …", count(counts.points, "point")));
        }
    };
    let to_stdout = args.output == Path::new("-");
    let (points, segments, hidden) = if to_stdout {
        let (counts, _) = write_history(&reader, history, now, io::stdout(), &args.output, told)?;
        (counts.points, counts.segments, counts.hidden)
    } else {
        let written = export_history(&reader, ExportJob { history, to: args.output.clone() }, now, told)?;
        (written.points, written.segments, written.hidden)
    };
    store.close();
    // Whoever reads the document from a pipe has no use for a summary.
    if !site.quiet && (!to_stdout || io::stderr().is_terminal()) {
        writeln!(io::stderr(), "{}", summary(points, segments, hidden)).ok();
    }
    Ok(())
}

/// The devices of these words, each once.
fn find(words: &[String], reader: &Reader) -> Result<Vec<DeviceId>> {
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

fn summary(points: u64, segments: u64, hidden: u64) -> String {
    let left_out = match hidden {
        0 => String::new(),
        n => format!("; {n} under a wrong checksum left out, --with-suspect takes them along"),
    };
    format!("{} in {}{left_out}", count(points, "point"), count(segments, "segment"))
}
