//! `wayglass repair`: sets a damaged database aside and saves what can be read of it.

use std::io::Write;

use anyhow::Result;
use clap::Args;

use super::{Site, progress::Progress};
use crate::{backend::keeping::until_stopped, store};

/// Check all of the database, and where it is damaged set it aside and save what can be read; no Wayglass may be running on the folder.
///
/// The damaged file is kept byte for byte as wayglass-damaged-….db in the data folder. `serve` and `desktop` do the same when they start on a file
/// whose damage shows at once; `wayglass doctor --check` only looks.
#[derive(Debug, Args)]
pub(super) struct RepairArgs {
    /// Set it aside and read it anew though nothing is found wrong.
    #[arg(long)]
    force: bool,
}

/// Checks and repairs.
pub(super) fn run(args: &RepairArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let (dir, now, force) = (site.data_dir()?, (site.clock)(), args.force);
    let mut progress = Progress::new(site.quiet);
    let repaired = until_stopped(
        move |watch| store::repair_folder(&dir, force, watch, now),
        |_| progress.tell("reading everything …"),
    )?;
    drop(progress);
    match repaired? {
        Some(repaired) => writeln!(out, "{repaired}")?,
        None => writeln!(out, "the database is sound; nothing was changed")?,
    }
    Ok(())
}
