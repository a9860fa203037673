//! `wayglass compact`: rewrites the database so that it is as small as it can be.

use std::io::Write;

use anyhow::Result;
use clap::Args;

use super::{Site, progress::Progress};
use crate::{
    model::bytes_text,
    store::{self, Compacted},
};

/// Rewrite the database so that it takes no more room than it needs; no Wayglass may be running on the folder.
///
/// A running Wayglass gives space back by itself, in small steps. This is for files of early versions, which cannot shrink in steps, and for
/// whoever wants it as small as it gets. It needs as much room again while it works.
#[derive(Debug, Args)]
pub(super) struct CompactArgs {}

/// Rewrites the database.
pub(super) fn run(_: &CompactArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let mut progress = Progress::new(site.quiet);
    progress.tell("rewriting the database …");
    let Compacted { before, after } = store::compact(&site.data_dir()?)?;
    drop(progress);
    writeln!(out, "{} → {}", bytes_text(before), bytes_text(after))?;
    Ok(())
}
