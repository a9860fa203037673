//! `wayglass packets` and `wayglass report`: packets for other programs and other people. Both work beside a running instance.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use jiff::tz::TimeZone;

use super::{
    Site, WrongWords, export, moment,
    progress::{Progress, count},
    words,
};
use crate::{
    backend::{PacketsJob, Selection, export_packets, keeping::until_stopped, redaction_seed, write_packets},
    capture::out::{Form, Paper, Sheet},
    model::{
        Clock,
        filter::{Filter, Ground},
    },
    store::{Reader, Stage, Store, Watch},
};

/// Write packets for other programs: pcapng for Wireshark, JSON lines, logs; works beside a running instance.
#[derive(Debug, Args)]
pub(super) struct PacketsArgs {
    #[command(flatten)]
    which: Which,
    /// What to write.
    #[arg(long, value_parser = words::form())]
    format: Form,
}

/// Write an evidence report as Markdown: every packet with its bytes, its fields and what is wrong with it; works beside a running instance.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    which: Which,
}

/// Which packets, and whereto.
#[derive(Debug, Args)]
struct Which {
    /// Identity or name of a device; may repeat; `all` for every adopted one [default: everything, also of nobody]
    #[arg(long = "device", value_name = "ID")]
    devices: Vec<String>,
    /// First moment: 2026-11-21T10:00:00Z, 2026-11-21, today, yesterday … [default: the beginning]
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Last moment, inclusive; a day counts whole [default: the end]
    #[arg(long, value_name = "T")]
    to: Option<String>,
    /// Only packets that fulfil this: `verdict >= warn && kind == alarm`
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Replace identities, names and texts, and move coordinates: the packets still decode to the same tree
    #[arg(long)]
    redact: bool,
    /// File to write, which is replaced when everything is written; - for standard output.
    #[arg(long, short, value_name = "FILE|-", default_value = "-")]
    output: PathBuf,
}

/// Writes a capture.
pub(super) fn run(args: &PacketsArgs, site: &Site) -> Result<()> {
    write(&args.which, Sheet::Form(args.format), site)
}

/// Writes an evidence report.
pub(super) fn report(args: &ReportArgs, site: &Site) -> Result<()> {
    write(&args.which, Sheet::Report, site)
}

fn write(which: &Which, sheet: Sheet, site: &Site) -> Result<()> {
    let now = (site.clock)();
    let zone = TimeZone::system();
    let window = moment::window(which.from.as_deref(), which.to.as_deref(), now, &zone)?;
    let text = which.filter.as_deref().unwrap_or_default();
    let filter = Filter::parse(text, &Ground { now, zone }).map_err(|mistake| {
        let column = text.get(..mistake.span.start).unwrap_or(text).chars().count() + 1;
        WrongWords(format!("--filter, character {column}: {}", mistake.text))
    })?;
    let paper = Paper { sheet, redact: which.redact.then(redaction_seed) };
    let store = Store::view(&site.data_dir()?, Clock::clone(&site.clock))?;
    let reader = store.reader();
    let devices = export::find(&which.devices, &reader)?;
    let selection = Selection { devices, window, filter, ..Selection::all() };
    let mut progress = Progress::new(site.quiet);
    let work = job(reader, selection, paper, which.output.clone(), now);
    let written = until_stopped(work, |watch| {
        if let Stage::Bytes { done, total } = watch.stage()
            && let Some(percent) = (done * 100).checked_div(total)
        {
            progress.tell(&format!("{percent} % …"));
        }
    })?;
    drop(progress);
    let packets = written?;
    store.close();
    if !site.quiet {
        writeln!(io::stderr(), "{}", count(packets, "packet")).ok();
    }
    Ok(())
}

fn job(
    reader: Reader,
    selection: Selection,
    paper: Paper,
    to: PathBuf,
    now: crate::model::Timestamp,
) -> impl FnOnce(&Watch) -> Result<u64, crate::backend::ExportError> + Send {
    move |watch| {
        if to == Path::new("-") {
            let out = io::BufWriter::new(io::stdout());
            return write_packets(&reader, &selection, &paper, now, out, &to, watch).map(|(count, _)| count);
        }
        let job = PacketsJob { selection, paper, to, replace: true };
        export_packets(&reader, job, now, watch).map(|written| written.packets)
    }
}
