//! `wayglass backup`: saves a copy of everything, while everything goes on.

use std::{
    io::Write,
    path::{PathBuf, absolute},
};

use anyhow::{Context, Result};
use clap::Args;

use super::{Site, progress::Progress};
use crate::{
    backend::keeping::until_stopped,
    model::bytes_text,
    store::{self, Copied, Stage, Watch},
};

/// Save a copy of the database into a file; works beside a running instance.
///
/// The copy is everything as of one moment, one file for its owner alone (it holds the keys of phones), checked after it was written. To go back
/// to it, stop Wayglass and put it in the place of wayglass.db in the data folder.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to write.
    #[arg(value_name = "FILE")]
    to: PathBuf,
    /// A file of that name may go, once the copy is complete.
    #[arg(long)]
    replace: bool,
}

/// Saves a copy.
pub(super) fn run(args: BackupArgs, site: &Site, out: &mut dyn Write) -> Result<()> {
    let BackupArgs { to, replace } = args;
    let to = absolute(&to).with_context(|| format!("cannot tell where {} is", to.display()))?;
    let (dir, mut progress) = (site.data_dir()?, Progress::new(site.quiet));
    let saved = until_stopped(
        move |watch| store::save_copy(&dir, &to, replace, watch),
        |watch| progress.tell(&stage_text(watch)),
    )?;
    drop(progress);
    let Copied { to, bytes } = saved?;
    if !site.quiet {
        writeln!(out, "{} saved and checked: {}", bytes_text(bytes), to.display())?;
    }
    Ok(())
}

/// How far it is, for a terminal.
pub(super) fn stage_text(watch: &Watch) -> String {
    match watch.stage() {
        Stage::Bytes { done, total } => format!("{} of {} …", bytes_text(done), bytes_text(total)),
        Stage::Checking => "checking …".to_owned(),
    }
}
